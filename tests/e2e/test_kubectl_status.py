"""Statuses follow edits at once, name the generation they are about, and then rest."""
import json
import re

import pytest

from conftest import API_GROUPS, DATA, InParallel, api_path, until

# What is judged: kind, name, where its conditions are, and the conditions that say that all is well.
WELL = [
    ("gatewayclasses", "models", lambda status: status["conditions"], {"Accepted"}),
    ("gateways", "models", lambda status: status["conditions"], {"Accepted", "Programmed"}),
    ("gateways", "models", lambda status: status["listeners"][0]["conditions"],
     {"Accepted", "Programmed", "ResolvedRefs"}),
    ("httproutes", "models", lambda status: status["parents"][0]["conditions"], {"Accepted", "ResolvedRefs"}),
    ("inferencepools", "pool-base", lambda status: status["parent"][0]["conditions"], {"Accepted", "ResolvedRefs"}),
    ("inferencemodels", "travelhelper", lambda status: status["conditions"], {"Accepted"}),
    ("clienttrafficpolicies", "large-prompts", lambda status: status["ancestors"][0]["conditions"], {"Accepted"}),
    ("backendtrafficpolicies", "long-answers", lambda status: status["ancestors"][0]["conditions"], {"Accepted"}),
]
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def client(applied):
    with applied.api_client() as client:
        yield client


def read(client, resource, name):
    answer = client.get(api_path(resource, name))
    assert answer.status_code == 200, answer.text
    return answer.json()


def patch(client, resource, name, change):
    answer = client.patch(api_path(resource, name), content=json.dumps(change), headers=MERGE)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.short
@pytest.mark.parametrize("resource,name,conditions_of,wanted", WELL,
                         ids=[f"{row[0]}-{number}" for number, row in enumerate(WELL)])
def test_each_kind_says_that_all_is_well_with_it(client, resource, name, conditions_of, wanted):
    def are_well():
        thing = read(client, resource, name)
        conditions = {c["type"]: c for c in conditions_of(thing["status"])}
        return wanted <= {t for t, c in conditions.items() if c["status"] == "True"} and (thing, conditions)

    thing, conditions = until(are_well, f"the conditions of {resource}/{name}", 10)
    for condition in conditions.values():
        assert condition["observedGeneration"] == thing["metadata"]["generation"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", condition["lastTransitionTime"])
        assert condition["reason"] and "message" in condition


def test_a_gateway_tells_its_address_and_how_many_routes_it_has(client, applied):
    status = read(client, "gateways", "models")["status"]
    assert status["addresses"] == [{"type": "IPAddress", "value": applied.address}]
    listener = status["listeners"][0]
    assert listener["name"] == "http" and listener["attachedRoutes"] == 1
    assert {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"} in listener["supportedKinds"]


@pytest.mark.short
def test_an_edit_that_breaks_a_route_is_told_in_its_status_and_so_is_the_repair(client):
    def condition(name, generation):
        conditions = {c["type"]: c for c in read(client, "httproutes", "models")["status"]["parents"][0]["conditions"]}
        return conditions[name] if conditions[name]["observedGeneration"] == generation else None

    good = read(client, "httproutes", "models")["spec"]["rules"]
    broken = json.loads(json.dumps(good))
    broken[0]["backendRefs"][1]["name"] = "pool-that-is-not"
    generation = patch(client, "httproutes", "models", {"spec": {"rules": broken}})["metadata"]["generation"]
    told = until(lambda: condition("ResolvedRefs", generation), "the status of the new generation", 5)
    assert (told["status"], told["reason"]) == ("False", "BackendNotFound") and "pool-that-is-not" in told["message"]
    kept = condition("Accepted", generation)
    generation = patch(client, "httproutes", "models", {"spec": {"rules": good}})["metadata"]["generation"]
    told = until(lambda: condition("ResolvedRefs", generation), "the status of the repair", 5)
    assert told["status"] == "True"
    assert condition("Accepted", generation)["lastTransitionTime"] == kept["lastTransitionTime"]


def test_twenty_edits_in_a_row_end_with_the_status_of_the_last(client):
    for number in range(20):
        last = patch(client, "gateways", "models", {"spec": {"listeners": [
            {"name": "http", "protocol": "HTTP", "port": 8080},
            {"name": "more", "protocol": "HTTP", "port": 8081 + number}]}})["metadata"]["generation"]
    last = patch(client, "gateways", "models", {"spec": {"listeners": [
        {"name": "http", "protocol": "HTTP", "port": 8080}]}})["metadata"]["generation"]

    def is_last():
        status = read(client, "gateways", "models")["status"]
        return {c["observedGeneration"] for c in status["conditions"]} == {last} and len(status["listeners"]) == 1

    until(is_last, "the status of the last edit", 5)


def test_what_is_wrong_with_each_kind_is_told(client):
    def condition(resource, name, pick, kind):
        conditions = pick(read(client, resource, name).get("status", {}))
        return next((c for c in conditions if c["type"] == kind), None)

    gateway = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "lost"},
               "spec": {"gatewayClassName": "nobody", "listeners": [{"name": "a", "protocol": "HTTP", "port": 8099}]}}
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "lost"},
             "spec": {"parentRefs": [{"name": "models", "sectionName": "nothing"}]}}
    for resource, body in (("gateways", gateway), ("httproutes", route)):
        assert client.post(api_path(resource), json=body).status_code == 201
    told = until(lambda: condition("httproutes", "lost", lambda s: s.get("parents", [{}])[0].get("conditions", []),
                                   "Accepted"), "the route's status")
    assert (told["status"], told["reason"]) == ("False", "NoMatchingParent")
    for resource in ("gateways", "httproutes"):
        assert client.delete(api_path(resource, "lost")).status_code == 200


@pytest.mark.short
def test_a_settled_system_writes_nothing(client, applied):
    paths = [f"{group}/{resource}" for group, resources in API_GROUPS.items() for resource in resources.split()]

    def versions():
        listed = [client.get(path).json() for path in paths]
        return [page["metadata"]["resourceVersion"] for page in listed], [
            item["metadata"]["resourceVersion"] for page in listed for item in page["items"]]

    def is_settled():
        return versions() == versions() and versions()

    before = until(is_settled, "the end of all writes")
    with InParallel(2) as parallel:
        for _ in range(10):
            parallel(versions)
    applied.kubectl("apply", "-f", DATA / "walkthrough" / "06-split.yaml")
    applied.kubectl("get", "gtw,httproutes,xinfpool,pods,events")
    with applied.client() as requests:
        for _ in range(20):
            assert requests.get("/v1/models").status_code == 200
    assert versions() == before
