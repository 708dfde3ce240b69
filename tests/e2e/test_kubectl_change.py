"""kubectl's ways to change one object: edit, patch, label, annotate, scale, set, replace, diff, create, delete."""
import json
import pathlib
import re

import pytest

from conftest import api_path, until

ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: chat, labels: {team: chat}}
spec:
  parentRefs: [{name: edge}]
  rules:
  - backendRefs:
    - {name: blue, port: 8000, weight: 90}
    - {name: green, port: 8000, weight: 10}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  replicas: 2
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec:
      containers:
      - {name: server, image: "example/chat:1", env: [{name: A, value: "1"}, {name: B, value: "2"}]}
      - {name: helper, image: "example/helper:1"}
"""
WEIGHTS = "jsonpath={.spec.rules[0].backendRefs[*].weight}"


@pytest.fixture(scope="module")
def served(shared_gateways):
    return shared_gateways([], workloads="none")


@pytest.fixture
def kubectl(served, namespace):
    """kubectl in a namespace of this test's own."""
    return served.kubectl.within(namespace(served))


@pytest.fixture
def route(kubectl):
    kubectl("apply", "-f", "-", stdin=ROUTE)
    return "httproute/chat"


@pytest.fixture
def deployment(kubectl):
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    return "deployment/chat"


@pytest.fixture
def editor(tmp_path):
    """An editor that replaces one text by another."""

    def make(old, new):
        script = tmp_path / "editor"
        script.write_text(f"#!/bin/sh\nsed -i 's|{old}|{new}|' \"$1\"\n")
        script.chmod(0o755)
        return str(script)

    return make


@pytest.mark.short
def test_edit_opens_the_object_and_saves_what_changed(kubectl, route, editor):
    assert kubectl("edit", route, EDITOR=editor("weight: 90", "weight: 80")) == (
        "httproute.gateway.networking.k8s.io/chat edited\n")
    assert kubectl("get", route, "-o", WEIGHTS) == "80 10"
    assert "Edit cancelled, no changes made" in kubectl.run("edit", route, EDITOR=editor("nothing", "at all")).stderr


def test_an_edit_that_is_not_valid_is_refused_and_changes_nothing(kubectl, route, editor):
    ended = kubectl.run("edit", route, EDITOR=editor("weight: 90", "weight: -1"))
    assert ended.returncode != 0 and "is invalid" in ended.stderr
    kept = pathlib.Path(re.search(r'stored to "(.*)"', ended.stderr)[1]).read_text()
    assert "# * spec.rules[0].backendRefs[0].weight: " in kept  # as the editor shows it when it is opened again
    assert kubectl("get", route, "-o", WEIGHTS) == "90 10"


def test_a_deployment_is_edited_too(kubectl, deployment, editor):
    kubectl("edit", deployment, EDITOR=editor("example/chat:1", "example/chat:2"))
    assert kubectl("get", deployment, "-o", "jsonpath={.spec.template.spec.containers[*].image}") == (
        "example/chat:2 example/helper:1")


@pytest.mark.short
def test_patches_of_the_three_types(kubectl, route, deployment):
    merge = {"spec": {"hostnames": ["chat.example.com"]}, "metadata": {"labels": {"team": None}}}
    assert kubectl("patch", route, "--type=merge", "-p", json.dumps(merge)).endswith("chat patched\n")
    changed = kubectl.json("get", route)
    assert changed["spec"]["hostnames"] == ["chat.example.com"] and "labels" not in changed["metadata"]
    by_path = [{"op": "test", "path": "/spec/rules/0/backendRefs/0/weight", "value": 90},
               {"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 50},
               {"op": "remove", "path": "/spec/hostnames"}]
    kubectl("patch", route, "--type=json", "-p", json.dumps(by_path))
    changed = kubectl.json("get", route)
    assert changed["spec"]["rules"][0]["backendRefs"][0]["weight"] == 50 and "hostnames" not in changed["spec"]
    strategic = {"spec": {"template": {"spec": {"containers": [
        {"name": "server", "env": [{"name": "B", "value": "3"}, {"$patch": "delete", "name": "A"}]},
        {"$patch": "delete", "name": "helper"}]}}}}
    kubectl("patch", deployment, "-p", json.dumps(strategic))
    assert kubectl.json("get", deployment)["spec"]["template"]["spec"]["containers"][0]["env"] == [
        {"name": "B", "value": "3"}]
    assert len(kubectl.json("get", deployment)["spec"]["template"]["spec"]["containers"]) == 1


def test_a_patch_that_changes_nothing_is_no_change(kubectl, route):
    before = kubectl.json("get", route)["metadata"]["resourceVersion"]
    assert kubectl("patch", route, "--type=merge", "-p", '{"metadata":{"labels":{"team":"chat"}}}') == (
        "httproute.gateway.networking.k8s.io/chat patched (no change)\n")
    assert kubectl.json("get", route)["metadata"]["resourceVersion"] == before


@pytest.mark.parametrize("kind,patch,expected", [
    ("json", '[{"op":"test","path":"/spec/rules/0/backendRefs/0/weight","value":1}]', "The request is invalid"),
    ("json", '[{"op":"remove","path":"/spec/nothing"}]', "The request is invalid"),
    ("merge", '{"spec":{"rules":[{"backendRefs":[{"name":"blue","port":70000}]}]}}',
     "spec.rules[0].backendRefs[0].port"),
    ("strategic", '{"spec":{"hostnames":["a"]}}', "is not supported by gateway.networking.k8s.io/v1, Kind=HTTPRoute"),
    ("merge", '{"metadata":{"name":"other"}}', "does not match the name on the URL"),
    ("merge", '{"metadata":{"labels":{"arm":"not/valid"}}}', "metadata.labels"),
])
def test_patches_that_cannot_be_are_refused(kubectl, route, kind, patch, expected):
    before = kubectl("get", route, "-o", "json")
    assert expected in kubectl.refused("patch", route, f"--type={kind}", "-p", patch)
    assert kubectl("get", route, "-o", "json") == before


def test_a_status_is_patched_by_its_subresource_only(kubectl, deployment):
    status = json.dumps({"status": {"observedGeneration": 99}})
    kubectl("patch", deployment, "--type=merge", "-p", status)
    assert kubectl.json("get", deployment).get("status", {}).get("observedGeneration") != 99
    kubectl("patch", deployment, "--subresource=status", "--type=merge", "-p", json.dumps(
        {"status": {"collisionCount": 7}, "spec": {"replicas": 9}}))
    changed = kubectl.json("get", deployment)
    assert changed["status"]["collisionCount"] == 7 and changed["spec"]["replicas"] == 2


@pytest.mark.short
def test_labels_and_annotations_are_set_replaced_and_removed(kubectl, route):
    assert kubectl("label", route, "arm=blue").endswith("chat labeled\n")
    assert "--overwrite is false" in kubectl.refused("label", route, "arm=green")
    kubectl("label", route, "arm=green", "--overwrite")
    assert kubectl.json("get", route)["metadata"]["labels"] == {"arm": "green", "team": "chat"}
    assert kubectl("label", route, "arm-").endswith("chat unlabeled\n")
    assert kubectl.json("get", route)["metadata"]["labels"] == {"team": "chat"}
    assert kubectl("annotate", route, "example.com/why=a test").endswith("chat annotated\n")
    assert kubectl.json("get", route)["metadata"]["annotations"]["example.com/why"] == "a test"
    kubectl("annotate", "httproutes", "--all", "example.com/why-")
    assert "example.com/why" not in kubectl.json("get", route)["metadata"]["annotations"]
    assert kubectl.json("get", route)["metadata"]["generation"] == 1


def test_scale_sets_the_replicas_if_they_are_as_thought(kubectl, deployment):
    assert kubectl("scale", deployment, "--replicas=3") == "deployment.apps/chat scaled\n"
    assert kubectl("get", deployment, "-o", "jsonpath={.spec.replicas}") == "3"
    said = kubectl.refused("scale", deployment, "--replicas=4", "--current-replicas=7")
    assert "Expected replicas to be 7, was 3" in said
    kubectl("scale", deployment, "--replicas=4", "--current-replicas=3")
    assert kubectl("get", deployment, "-o", "jsonpath={.spec.replicas} {.metadata.generation}") == "4 3"
    assert kubectl.refused("scale", "httproute/chat", "--replicas=2")


def test_set_image_and_env(kubectl, deployment):
    assert kubectl("set", "image", deployment, "server=example/chat:2") == "deployment.apps/chat image updated\n"
    kubectl("set", "env", deployment, "-c", "server", "A-", "C=3")
    container = kubectl.json("get", deployment)["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "example/chat:2"
    assert container["env"] == [{"name": "B", "value": "2"}, {"name": "C", "value": "3"}]


@pytest.mark.short
def test_diff_shows_what_apply_would_change_and_changes_nothing(kubectl, route):
    assert kubectl("diff", "-f", "-", stdin=ROUTE) == ""
    ended = kubectl.run("diff", "-f", "-", stdin=ROUTE.replace("weight: 90", "weight: 70"))
    assert ended.returncode == 1, ended.stderr
    changed = [line for line in ended.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert [line.strip("+- ") for line in changed if "weight" in line] == ["weight: 90", "weight: 70"]
    assert kubectl("get", route, "-o", WEIGHTS) == "90 10"
    ended = kubectl.run("diff", "-f", "-", stdin=ROUTE.replace("name: chat", "name: new"))
    assert ended.returncode == 1 and "+  name: new" in ended.stdout
    assert kubectl("get", "httproutes", "-o", "name").count("\n") == 1


def test_replace_puts_the_whole_object_in_place(kubectl, route):
    kubectl("replace", "-f", "-", stdin=ROUTE.replace("labels: {team: chat}", "labels: {arm: blue}"))
    after = kubectl.json("get", route)
    assert after["metadata"]["labels"] == {"arm": "blue"} and "annotations" not in after["metadata"]
    assert kubectl.refused("replace", "-f", "-", stdin=ROUTE.replace("name: chat", "name: new")).startswith(
        "Error from server (NotFound)")
    kubectl("replace", "--force", "-f", "-", stdin=ROUTE)
    assert kubectl.json("get", route)["metadata"]["uid"] != after["metadata"]["uid"]


def test_an_object_that_someone_changed_since_is_not_replaced(kubectl, route):
    read = kubectl.json("get", route)
    kubectl("label", route, "arm=blue")
    read["spec"]["hostnames"] = ["chat.example.com"]
    said = kubectl.refused("replace", "-f", "-", stdin=json.dumps(read))
    assert "(Conflict)" in said and "the object has been modified" in said


@pytest.mark.short
@pytest.mark.parametrize("arguments,path,value", [
    (["configmap", "made", "--from-literal=a=1", "--from-literal=b=2"], "{.data.a}{.data.b}", "12"),
    (["secret", "generic", "made", "--from-literal=a=1"], "{.data.a} {.type}", "MQ== Opaque"),
    (["serviceaccount", "made"], "{.metadata.name}", "made"),
    (["deployment", "made", "--image=example/chat:1", "--replicas=0", "--port=8000"],
     "{.spec.replicas} {.spec.template.spec.containers[0].ports[0].containerPort}", "0 8000"),
    (["service", "clusterip", "made", "--tcp=80:8000"], "{.spec.ports[0].port} {.spec.ports[0].targetPort}", "80 8000"),
], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_create_by_arguments(kubectl, arguments, path, value):
    kind = arguments[0]
    assert kubectl("create", *arguments).endswith("/made created\n")
    assert kubectl("get", kind, "made", "-o", f"jsonpath={path}") == value
    assert '"made" already exists' in kubectl.refused("create", *arguments)


def test_create_by_arguments_without_a_server_change(kubectl):
    for how in ("client", "server"):
        said = kubectl("create", "configmap", "made", "--from-literal=a=1", f"--dry-run={how}")
        assert said == f"configmap/made created ({'dry run' if how == 'client' else 'server dry run'})\n"
    assert kubectl("get", "configmap", "made", "--ignore-not-found") == ""


def test_expose_makes_a_service_of_a_deployment(kubectl, deployment):
    assert kubectl("expose", deployment, "--port=80", "--target-port=8000") == "service/chat exposed\n"
    assert kubectl("get", "svc", "chat", "-o", "jsonpath={.spec.selector.app}:{.spec.ports[0].targetPort}") == (
        "chat:8000")


def test_namespaces_are_made_and_deleted_with_all_that_is_in_them(served, kubectl):
    name = f"{kubectl.namespace}-more"
    assert kubectl("create", "namespace", name) == f"namespace/{name} created\n"
    assert kubectl.json("get", "ns", name)["metadata"]["labels"]["kubernetes.io/metadata.name"] == name
    kubectl.within(name)("create", "configmap", "made", "--from-literal=a=1")
    assert 'namespaces "nowhere" not found' in kubectl.within("nowhere").refused("create", "configmap", "made")
    assert kubectl("delete", "namespace", name).startswith(f'namespace "{name}" deleted')
    with served.api_client() as client:
        assert client.get(api_path("namespaces", name)).status_code == 404
        assert client.get(api_path("configmaps", "made", name)).status_code == 404


@pytest.mark.short
def test_delete_by_name_by_label_by_file_and_all(kubectl, route):
    kubectl("create", "-f", "-", stdin=ROUTE.replace("name: chat", "name: other"))
    kubectl("create", "-f", "-", stdin=ROUTE.replace("name: chat", "name: third").replace("team: chat", "team: x"))
    assert kubectl("delete", "httproute", "-l", "team=x").startswith(
        'httproute.gateway.networking.k8s.io "third" deleted')
    assert kubectl("delete", "-f", "-", stdin=ROUTE).startswith('httproute.gateway.networking.k8s.io "chat" deleted')
    assert "(NotFound)" in kubectl.refused("delete", route)
    assert kubectl("delete", route, "--ignore-not-found") == ""
    assert "other" in kubectl("delete", "httproutes", "--all")
    assert kubectl("get", "httproutes", "-o", "name") == ""


def test_delete_waits_for_the_finalizers_unless_told_not_to(kubectl, route):
    kubectl("patch", route, "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    kubectl("delete", route, "--wait=false")
    assert kubectl.json("get", route)["metadata"]["deletionTimestamp"]
    with kubectl.watching("delete", route) as deletion:
        until(lambda: any("deleted" in line for line in deletion.lines), "the deletion's line")
        assert deletion.process.poll() is None
        kubectl("patch", route, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        until(lambda: deletion.process.poll() == 0, "the end of the waiting delete")
    assert kubectl("get", "httproutes", "-o", "name") == ""


def test_prune_deletes_what_the_files_no_longer_hold(kubectl, route):
    kubectl("create", "-f", "-", stdin=ROUTE.replace("name: chat", "name: by-hand"))  # without apply's annotation
    kubectl("apply", "-f", "-", stdin=ROUTE.replace("name: chat", "name: other").replace("team: chat", "team: x"))
    said = kubectl("apply", "-f", "-", "--prune", "-l", "team=chat", "--prune-allowlist",
                   "gateway.networking.k8s.io/v1/HTTPRoute", stdin=ROUTE.replace("name: chat", "name: new"))
    assert [line.split()[-1] for line in said.splitlines()] == ["created", "pruned"] and "/chat pruned" in said
    assert kubectl("get", "httproutes", "-o", "jsonpath={.items[*].metadata.name}") == "by-hand new other"


def test_a_dry_run_of_delete_deletes_nothing(kubectl, route):
    assert "(server dry run)" in kubectl("delete", route, "--dry-run=server")
    assert kubectl("get", route, "-o", "name")
