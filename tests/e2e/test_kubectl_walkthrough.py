"""The walkthrough as its users type it: seven files by `kubectl apply`, the address, the curls; with every kubectl."""
import errno
import os
import pathlib
import re
import socket
import subprocess

import pytest

from conftest import DATA, GENEROUS_S, arms, ask, edit, kubectls, until

FILES = sorted((DATA / "walkthrough").iterdir())
SAID = {
    "01-base-deployment.yaml": ["deployment.apps/base created", "service/base created"],
    "02-base-pool.yaml": ["inferencepool.inference.networking.x-k8s.io/pool-base created",
                          "inferencemodel.inference.networking.x-k8s.io/mymodel-base created"],
    "03-gateway.yaml": ["gatewayclass.gateway.networking.k8s.io/models created",
                        "gateway.gateway.networking.k8s.io/models created",
                        "httproute.gateway.networking.k8s.io/models created",
                        "clienttrafficpolicy.gateway.envoyproxy.io/large-prompts created",
                        "backendtrafficpolicy.gateway.envoyproxy.io/long-answers created"],
    "04-candidate-deployment.yaml": ["deployment.apps/candidate created"],
    "05-candidate-pool.yaml": ["inferencepool.inference.networking.x-k8s.io/pool-candidate created",
                               "inferencemodel.inference.networking.x-k8s.io/mymodel-candidate created"],
    "06-split.yaml": ["httproute.gateway.networking.k8s.io/models configured"],
    "07-adapter-split.yaml": ["inferencemodel.inference.networking.x-k8s.io/travelhelper created"],
}


def which_kubectl(name):
    return pytest.param(name, marks=[pytest.mark.short] if name == "installed" else [], id=name)


def names_of_kubectls():
    """SERIN_KUBECTLS=all, by hand: also every version that is beside the installed one."""
    if os.environ.get("SERIN_KUBECTLS") == "all":
        return sorted({"installed", "newer", "old", *kubectls()})
    return ["installed", "newer", "old"]


@pytest.fixture(params=[which_kubectl(name) for name in names_of_kubectls()])
def kubectl_binary(request):
    if request.param not in kubectls():
        pytest.skip(f"the {request.param} kubectl could not be had (tools/kubectl-1.20.sh, requirements.txt)")
    return kubectls()[request.param]


def wait_share(gateway, client, **expected):
    """Waits until the split is the expected one, in a round that begins now."""
    wanted = {f"pool-{pool}/mymodel": count for pool, count in expected.items()}
    until(lambda: arms(ask(client) for _ in range(10)) == wanted, f"shares {wanted}")
    gateway.wait_models()


def test_the_seven_files_are_created_configured_and_then_unchanged(gateways, kubectl_binary):
    gateway = gateways([])
    kubectl = gateway.kubectl.using(kubectl_binary)
    assert [file.name for file in FILES] == sorted(SAID)
    for file in FILES:
        assert kubectl("apply", "-f", file).splitlines() == SAID[file.name], file
        again = kubectl("apply", "-f", file).splitlines()
        assert again == [re.sub(" (created|configured)$", " unchanged", line) for line in SAID[file.name]], file
    assert kubectl("get", "gateway/models", "-o", "jsonpath={.status.addresses[0].value}") == gateway.address
    kubectl("wait", "--for=condition=Programmed", "gateway/models", "--timeout=30s")
    gateway.wait_endpoints(2)
    with gateway.client() as client:
        wait_share(gateway, client, base=9, candidate=1)
        adapters = arms(ask(client, model="travelhelper") for _ in range(10))
        assert adapters == {"pool-base/travel-helper-v1": 9, "pool-base/travel-helper-v2": 1}


def test_get_describe_scale_and_delete_by_every_kubectl(applied, kubectl_binary):
    kubectl = applied.kubectl.using(kubectl_binary)
    assert kubectl("get", "gtw", "models").split()[:5] == ["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE"]
    assert kubectl("get", "deploy,xinfpool", "-o", "name").splitlines() == [
        "deployment.apps/base", "deployment.apps/candidate",
        "inferencepool.inference.networking.x-k8s.io/pool-base",
        "inferencepool.inference.networking.x-k8s.io/pool-candidate"]
    assert re.search(r"Programmed$", kubectl("describe", "gtw", "models"), re.M)
    assert re.search(r"Replicas:\s+1 desired", kubectl("describe", "deploy", "base"))
    assert re.search(r"Status:\s+Running$", kubectl("describe", "pods", "-l", "version=base"), re.M)
    assert kubectl("scale", "deploy/candidate", "--replicas=2") == "deployment.apps/candidate scaled\n"
    assert "successfully rolled out" in kubectl("rollout", "status", "deploy/candidate", "--timeout=30s")
    assert kubectl("scale", "deploy/candidate", "--replicas=1") == "deployment.apps/candidate scaled\n"
    assert kubectl("apply", "-f", DATA / "good" / "26-pool-picker-without-port.yaml").endswith(" created\n")
    said = kubectl("delete", "-f", DATA / "good" / "26-pool-picker-without-port.yaml")
    assert said.startswith('inferencepool.inference.networking.k8s.io "chat-blue" deleted')


@pytest.mark.short
def test_an_edit_of_the_weights_is_applied_with_all_files_at_once_and_is_served(gateways, manifests):
    folder = manifests("walkthrough")
    gateway = gateways([])
    gateway.kubectl("apply", "-f", folder)
    edit(folder / "06-split.yaml", "weight: 90}", "weight: 50}")
    edit(folder / "06-split.yaml", "weight: 10}", "weight: 50}")
    (folder / "03-gateway.yaml").write_text(
        (folder / "03-gateway.yaml").read_text().split("---\n")[0])  # its route would set the weights back
    said = gateway.kubectl("apply", "-f", folder).splitlines()
    assert "httproute.gateway.networking.k8s.io/models configured" in said
    assert [line for line in said if not line.endswith(" unchanged")] == [
        "httproute.gateway.networking.k8s.io/models configured"]
    gateway.wait_endpoints(2)
    with gateway.client() as client:
        wait_share(gateway, client, base=5, candidate=5)


def test_the_whole_folder_is_deleted_by_its_files_and_nothing_is_served_any_more(gateways):
    gateway = gateways([])
    gateway.kubectl("apply", "-f", DATA / "walkthrough")
    gateway.wait_endpoints(2)
    said = gateway.kubectl("delete", "-f", DATA / "walkthrough", "--ignore-not-found")
    assert said.count(" deleted") == 13  # the route stands in two files
    assert "No resources found" in gateway.kubectl.run("get", "deploy,rs,pods,svc,gtw,httproutes,xinfpool").stderr
    until(lambda: gateway.pids() == [], "the simulators' end")
    with socket.socket() as probe:
        until(lambda: probe.connect_ex((gateway.address, 8080)) == errno.ECONNREFUSED, "the listener's end")


def test_the_commands_that_up_prints_work_as_printed(gateways):
    gateway = gateways([DATA / "walkthrough"])
    lines = [line.strip() for line in gateway.output.splitlines()]
    export = next(line for line in lines if line.startswith("export KUBECONFIG="))
    assert str(gateway.data / "kubeconfig") in export
    path = f"{pathlib.Path(gateway.kubectl.binary).parent}:/usr/bin:/bin"
    for command in [line for line in lines if line.startswith("kubectl ")]:
        ended = subprocess.run(["sh", "-c", f"{export}; {command}"], capture_output=True, text=True,
                               timeout=GENEROUS_S, env={"PATH": path, "HOME": str(gateway.folder)})
        assert ended.returncode == 0, (command, ended.stderr)


def test_the_kubeconfig_is_for_its_owner_only(gateways):
    gateway = gateways([])
    assert (gateway.data / "kubeconfig").stat().st_mode & 0o777 == 0o600
