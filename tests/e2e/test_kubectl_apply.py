"""What apply rests on: server-side apply, dry runs, field validation, and the rules of single writes."""
import json
import random

import pytest

from conftest import api_path

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
APPLY = {"Content-Type": "application/apply-patch+yaml"}
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture(scope="module")
def served(shared_gateways):
    return shared_gateways([], workloads="none")


@pytest.fixture
def kubectl(served, namespace):
    return served.kubectl.within(namespace(served))


@pytest.fixture
def client(served):
    with served.api_client() as client:
        yield client


def refusal(answer, code, reason):
    status = answer.json()
    assert (answer.status_code, status["code"], status["reason"]) == (code, code, reason), status
    assert (status["kind"], status["status"]) == ("Status", "Failure")
    assert answer.headers["content-type"].startswith("application/json")
    return status


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def make(client, path, body, **parameters):
    answer = client.post(path, json=body, params=parameters)
    assert answer.status_code == 201, answer.text
    return answer.json()


# Server-side apply


@pytest.mark.short
def test_server_side_apply_makes_changes_and_removes_what_it_owns(kubectl):
    def apply(text):
        return kubectl("apply", "--server-side", "-f", "-", stdin=text)

    assert apply(ROUTE) == "httproute.gateway.networking.k8s.io/chat serverside-applied\n"
    apply(ROUTE.replace("labels: {team: chat}", "labels: {arm: blue}").replace("weight: 90", "weight: 80"))
    changed = kubectl.json("get", "httproute", "chat", "--show-managed-fields")
    assert changed["metadata"]["labels"] == {"arm": "blue"}
    assert changed["spec"]["rules"][0]["backendRefs"][0]["weight"] == 80
    assert [(entry["manager"], entry["operation"]) for entry in changed["metadata"]["managedFields"]] == [
        ("kubectl", "Apply")]
    version = changed["metadata"]["resourceVersion"]
    apply(ROUTE.replace("labels: {team: chat}", "labels: {arm: blue}").replace("weight: 90", "weight: 80"))
    assert kubectl.json("get", "httproute", "chat")["metadata"]["resourceVersion"] == version


def test_another_managers_field_is_a_conflict_unless_forced(kubectl):
    kubectl("apply", "--server-side", "--field-manager=first", "-f", "-", stdin=ROUTE)
    other = ROUTE.replace("weight: 90", "weight: 70")
    said = kubectl.refused("apply", "--server-side", "--field-manager=second", "-f", "-", stdin=other)
    assert 'conflict with "first"' in said and ".spec.rules" in said
    kubectl("apply", "--server-side", "--field-manager=second", "--force-conflicts", "-f", "-", stdin=other)
    managers = kubectl.json("get", "httproute", "chat", "--show-managed-fields")["metadata"]["managedFields"]
    assert [entry["manager"] for entry in managers if "f:rules" in json.dumps(entry)] == ["second"]
    kubectl("apply", "--server-side", "--field-manager=third", "-f", "-", stdin=other)  # the same value: shared


def test_an_object_of_client_side_apply_is_taken_over_by_server_side_apply(kubectl):
    kubectl("apply", "-f", "-", stdin=ROUTE)
    kubectl("apply", "--server-side", "-f", "-", stdin=ROUTE.replace("weight: 90", "weight: 70"))
    kubectl("apply", "--server-side", "-f", "-", stdin=ROUTE.replace("labels: {team: chat}", "labels: {}"))
    changed = kubectl.json("get", "httproute", "chat")
    assert changed["spec"]["rules"][0]["backendRefs"][0]["weight"] == 90
    assert "team" not in changed["metadata"].get("labels", {})


def test_server_side_apply_merges_lists_by_their_keys(client, served, namespace):
    path = api_path("services", "chat", namespace(served))

    def apply(manager, port):
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "chat"}, "spec": {"ports": [port]}}
        answer = client.patch(path, params={"fieldManager": manager}, content=json.dumps(body), headers=APPLY)
        assert answer.status_code in (200, 201), answer.text
        return answer

    assert apply("a", {"name": "a", "port": 80, "protocol": "TCP"}).status_code == 201
    ports = apply("b", {"name": "b", "port": 81, "protocol": "TCP"}).json()["spec"]["ports"]
    assert sorted(port["port"] for port in ports) == [80, 81]
    ports = apply("b", {"name": "b", "port": 82, "protocol": "TCP"}).json()["spec"]["ports"]
    assert sorted(port["port"] for port in ports) == [80, 82]


def test_server_side_apply_needs_a_manager_and_an_object_of_that_name(client, served, namespace):
    path = api_path("configmaps", "one", namespace(served))
    answer = client.patch(path, content=json.dumps(config_map("one")), headers=APPLY)
    assert answer.status_code in (400, 422) and "fieldManager" in answer.text
    answer = client.patch(path, params={"fieldManager": "a"}, content=json.dumps(config_map("two")), headers=APPLY)
    assert answer.status_code in (400, 422), answer.text
    assert client.get(path).status_code == 404


# Dry runs and field validation


@pytest.mark.short
def test_a_dry_run_shows_the_outcome_and_stores_nothing(kubectl):
    assert kubectl("apply", "--dry-run=server", "-f", "-", stdin=ROUTE).endswith("chat created (server dry run)\n")
    assert kubectl("get", "httproutes", "-o", "name") == ""
    kubectl("apply", "-f", "-", stdin=ROUTE)
    before = kubectl("get", "httproute", "chat", "-o", "yaml")
    shown = kubectl.json("apply", "--dry-run=server", "-f", "-", stdin=ROUTE.replace("weight: 90", "weight: 70"))
    assert shown["spec"]["rules"][0]["backendRefs"][0]["weight"] == 70
    assert "spec.rules[0].backendRefs[0].weight" in kubectl.refused(
        "apply", "--dry-run=server", "-f", "-", stdin=ROUTE.replace("weight: 90", "weight: -1"))
    kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=ROUTE)
    assert kubectl("get", "httproute", "chat", "-o", "yaml") == before


@pytest.mark.short
def test_unknown_fields_are_refused_told_or_dropped_as_asked(kubectl):
    unknown = ROUTE.replace("parentRefs:", "parents: []\n  parentRefs:")
    said = kubectl.refused("apply", "-f", "-", stdin=unknown)
    assert "(BadRequest)" in said and 'strict decoding error: unknown field "spec.parents"' in said
    assert kubectl("get", "httproutes", "-o", "name") == ""
    ended = kubectl.run("apply", "--validate=warn", "-f", "-", stdin=unknown)
    assert ended.returncode == 0 and 'Warning: unknown field "spec.parents"' in ended.stderr
    assert "parents" not in kubectl.json("get", "httproute", "chat")["spec"]
    kubectl("delete", "httproute", "chat")
    ended = kubectl.run("apply", "--validate=ignore", "-f", "-", stdin=unknown)
    assert ended.returncode == 0 and ended.stderr == ""
    assert "parents" not in kubectl.json("get", "httproute", "chat")["spec"]


def test_fields_that_stand_twice_are_refused_when_strict(client, served, namespace):
    body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"},"data":{"a":"1"},"data":{"a":"2"}}'
    answer = client.post(api_path("configmaps", namespace=namespace(served)), content=body,
                         params={"fieldValidation": "Strict"}, headers={"Content-Type": "application/json"})
    message = refusal(answer, 400, "BadRequest")["message"]
    assert "duplicate" in message and '"data"' in message


# Single writes


def test_a_stale_version_is_a_conflict_and_none_is_not(client, served, namespace):
    path = api_path("configmaps", namespace=namespace(served))
    made = make(client, path, config_map("one", a="1"))
    assert client.put(f"{path}/one", json={**made, "data": {"a": "2"}}).status_code == 200
    refusal(client.put(f"{path}/one", json={**made, "data": {"a": "3"}}), 409, "Conflict")
    stale = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "data": {"a": "3"}}
    refusal(client.patch(f"{path}/one", content=json.dumps(stale), headers=MERGE), 409, "Conflict")
    assert client.put(f"{path}/one", json=config_map("one", a="4")).json()["data"] == {"a": "4"}
    refusal(client.put(f"{path}/one", json=config_map("two")), 400, "BadRequest")


@pytest.mark.short
def test_a_delete_with_preconditions_deletes_that_object_only(client, served, namespace):
    path = api_path("configmaps", namespace=namespace(served))
    made = make(client, path, config_map("one"))["metadata"]

    def delete(**preconditions):
        return client.request("DELETE", f"{path}/one", json={"kind": "DeleteOptions", "apiVersion": "v1",
                                                             "preconditions": preconditions})

    refusal(delete(uid="00000000-0000-4000-8000-000000000000"), 409, "Conflict")
    refusal(delete(resourceVersion="1"), 409, "Conflict")
    answer = delete(uid=made["uid"], resourceVersion=made["resourceVersion"])
    assert answer.status_code == 200 and answer.json().get("details", {}).get("uid", made["uid"]) == made["uid"]
    refusal(client.get(f"{path}/one"), 404, "NotFound")


def test_finalizers_hold_an_object_that_may_not_be_used_again(client, served, namespace):
    path = api_path("httproutes", namespace=namespace(served))
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
             "metadata": {"name": "one", "finalizers": ["example.com/hold"]}, "spec": {}}
    made = make(client, path, route)
    held = client.delete(f"{path}/one")
    assert held.status_code == 200 and held.json()["metadata"]["deletionTimestamp"]
    again = client.delete(f"{path}/one").json()
    assert again["metadata"]["deletionTimestamp"] == held.json()["metadata"]["deletionTimestamp"]
    assert client.get(f"{path}/one").json()["metadata"]["generation"] == made["metadata"]["generation"] + 1
    refusal(client.post(path, json=route), 409, "AlreadyExists")
    more = {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}
    assert client.patch(f"{path}/one", content=json.dumps(more), headers=MERGE).status_code in (403, 422)
    none = {"metadata": {"finalizers": None}}
    assert client.patch(f"{path}/one", content=json.dumps(none), headers=MERGE).status_code == 200
    refusal(client.get(f"{path}/one"), 404, "NotFound")


def test_a_collection_is_deleted_by_its_selector(client, served, namespace):
    path = api_path("configmaps", namespace=namespace(served))
    for name in ("one", "two", "three"):
        body = config_map(name)
        body["metadata"]["labels"] = {"first": name[0]}
        make(client, path, body)
    assert client.delete(path, params={"labelSelector": "first=t", "dryRun": "All"}).status_code == 200
    assert len(client.get(path).json()["items"]) == 3
    answer = client.delete(path, params={"labelSelector": "first=t"})
    assert answer.status_code == 200, answer.text
    assert [item["metadata"]["name"] for item in client.get(path).json()["items"]] == ["one"]


@pytest.mark.short
def test_lists_come_in_pages_of_one_version(client, served, namespace):
    path = api_path("configmaps", namespace=namespace(served))
    names = [f"map-{number}" for number in range(7)]
    for name in random.sample(names, len(names)):
        make(client, path, config_map(name))
    seen, token, versions = [], None, set()
    while True:
        page = client.get(path, params={"limit": "1", **({"continue": token} if token else {})}).json()
        seen += [item["metadata"]["name"] for item in page["items"]]
        versions.add(page["metadata"]["resourceVersion"])
        token = page["metadata"].get("continue")
        if not token:
            break
        assert len(page["items"]) == 1
        assert page["metadata"].get("remainingItemCount", 7 - len(seen)) == 7 - len(seen)
    assert seen == names and len(versions) == 1
    refusal(client.get(path, params={"limit": "1", "continue": "nonsense"}), 400, "BadRequest")


@pytest.mark.parametrize("method,path,body,code,reason", [
    ("POST", "configmaps", "{", 400, "BadRequest"),
    ("POST", "configmaps", "[]", 400, "BadRequest"),
    ("POST", "configmaps", '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}', 400, "BadRequest"),
    ("POST", "configmaps", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}', 422, "Invalid"),
    ("POST", "configmaps", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"A_b"}}', 422, "Invalid"),
    ("POST", "configmaps", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"other"}}', 400,
     "BadRequest"),
    ("PUT", "configmaps/a", '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}', 404, "NotFound"),
    ("PATCH", "configmaps/a", "{}", 404, "NotFound"),
    ("DELETE", "configmaps/a", "", 404, "NotFound"),
    ("POST", "configmaps/a", "{}", 405, "MethodNotAllowed"),
    ("GET", "configmaps/a/status", "", 404, "NotFound"),
    ("GET", "unicorns", "", 404, "NotFound"),
])
def test_requests_that_cannot_be_get_a_status(client, served, namespace, method, path, body, code, reason):
    content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    answer = client.request(method, api_path("configmaps", namespace=namespace(served)).replace("configmaps", path),
                            content=body, headers={"Content-Type": content_type})
    refusal(answer, code, reason)


@pytest.mark.parametrize("method,content_type", [("POST", "application/cbor"), ("POST", "text/plain"),
                                                 ("PATCH", "application/json"), ("PUT", "application/xml")])
def test_media_types_that_are_not_read_are_415(client, served, namespace, method, content_type):
    path = api_path("configmaps", namespace=namespace(served))
    make(client, path, config_map("one"))
    answer = client.request(method, path if method == "POST" else f"{path}/one", content=b"\xa0",
                            headers={"Content-Type": content_type})
    refusal(answer, 415, "UnsupportedMediaType")


def test_generated_names_differ(client, served, namespace):
    path = api_path("configmaps", namespace=namespace(served))
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}
    names = {make(client, path, body)["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5 and all(name.startswith("made-") and len(name) == 10 for name in names)
