"""Bad manifests are refused by `kubectl apply` with the dotted field and leave nothing; good neighbours are taken."""
import json

import pytest

from conftest import API_GROUPS, DATA, InParallel

BAD = sorted((DATA / "bad").glob("*.yaml"))
GOOD = sorted((DATA / "good").glob("*.yaml"))
# What is found before the field: an unknown field by the server, an unknown kind by kubectl itself.
OTHERWISE = {"25-pool-flat-selector": 'unknown field "spec.selector.app"',
             "40-wrong-version": 'no matches for kind "HTTPRoute" in version "networking.k8s.io/v1"'}
ANY_NAMESPACE = ["models"]  # that manifests name themselves


def everything(client):
    """Every object there is, as it is."""
    return {group + resource: client.get(f"{group}/{resource}").json()["items"]
            for group, resources in API_GROUPS.items() for resource in resources.split()}


def namespaces(names):
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]})


def apply_all(kubectl, files, namespace_of):
    """Applies each in a process of its own; what each said, by name."""
    ended = {}

    def apply(file):
        where = [] if "\n  namespace: " in file.read_text() else ["-n", namespace_of(file)]
        ended[file.stem] = kubectl.run("apply", "-f", file, *where)

    with InParallel(4) as parallel:
        for file in files:
            parallel(apply, file)
    return ended


@pytest.fixture(scope="module")
def served(shared_gateways):
    gateway = shared_gateways([], workloads="none")
    gateway.kubectl("create", "-f", "-", stdin=namespaces([file.stem for file in GOOD] + ANY_NAMESPACE))
    return gateway


@pytest.fixture(scope="module")
def refusals(served):
    with served.api_client() as client:
        before = everything(client)
        ended = apply_all(served.kubectl, BAD, lambda file: "default")
        assert everything(client) == before
    return ended


@pytest.fixture(scope="module")
def taken(served, refusals):
    """After the refusals: the good ones are in nobody's way."""
    return apply_all(served.kubectl, GOOD, lambda file: file.stem)


def test_each_bad_manifest_has_a_good_neighbour():
    assert len(BAD) > 40
    assert [file.name for file in BAD] == [file.name for file in GOOD]


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_manifest_is_refused_with_its_dotted_field(refusals, file):
    ended = refusals[file.stem]
    expected = OTHERWISE.get(file.stem) or file.read_text().splitlines()[0].removeprefix("# expect:").strip()
    assert ended.returncode == 1, ended.stdout
    assert expected in ended.stderr and ended.stdout == "", ended.stderr


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_its_good_neighbour_is_created(taken, file):
    assert taken[file.stem].returncode == 0, taken[file.stem].stderr
    assert taken[file.stem].stdout.endswith(" created\n")
    assert taken[file.stem].stderr == ""


@pytest.mark.short
@pytest.mark.parametrize("name", ["08-gateway-typing-error", "11-route-weight-too-large", "36-deployment-probe-port"])
def test_a_good_object_that_is_made_bad_is_refused_and_stays_as_it_was(gateways, name):
    gateway = gateways([], workloads="none")
    kubectl, bad, good = gateway.kubectl, DATA / "bad" / f"{name}.yaml", DATA / "good" / f"{name}.yaml"
    assert kubectl("apply", "-f", good).endswith(" created\n")
    before = kubectl("get", "-f", good, "-o", "yaml")
    expected = bad.read_text().splitlines()[0].removeprefix("# expect:").strip()
    assert expected in kubectl.refused("apply", "-f", bad)
    assert kubectl("get", "-f", good, "-o", "yaml") == before
    assert kubectl("apply", "-f", good).endswith(" unchanged\n")


@pytest.mark.short
def test_an_invalid_object_is_told_as_on_a_cluster_a_line_for_each_field(gateways):
    gateway = gateways([], workloads="none")
    manifest = (DATA / "bad" / "02-gateway-port-too-large.yaml").read_text().replace("protocol: HTTP", "protocol: ''")
    lines = gateway.kubectl.refused("apply", "-f", "-", stdin=manifest).splitlines()
    assert lines[0].startswith('The Gateway "edge" is invalid:')
    told = [line.strip("* ").split(":")[0] for line in lines[1:]] or lines[0].split(": ")[1:2]
    assert {"spec.listeners[0].protocol", "spec.listeners[0].port"} <= set(told), lines


def test_an_unknown_field_is_told_in_the_words_of_a_cluster(gateways):
    gateway = gateways([], workloads="none")
    said = gateway.kubectl.refused("apply", "-f", DATA / "bad" / "08-gateway-typing-error.yaml")
    assert said.startswith("Error from server (BadRequest): ")
    assert 'strict decoding error: unknown field "spec.listeners[0].protocoll"' in said
