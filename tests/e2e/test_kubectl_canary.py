"""The Canary kind as kubectl sees it: applied, listed, explained; its status is a subresource."""
import json
import re

import pytest

from conftest import api_path, until

CANARY = """
apiVersion: serin.dev/v1alpha1
kind: Canary
metadata: {name: chat}
spec:
  targetRef: {kind: HTTPRoute, name: chat}
  stable: blue
  canary: green
"""
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture(scope="module")
def served(shared_gateways):
    return shared_gateways([], workloads="none")


@pytest.fixture
def kubectl(served, namespace):
    """In a namespace of its own, with a Canary that no route is there for: its controller says so and waits."""
    kubectl = served.kubectl.within(namespace(served))
    kubectl("apply", "-f", "-", stdin=CANARY + "  suspend: true\n")
    return kubectl


def wait_status(kubectl):
    """What its controller says of a Canary without a target, once it has said all of it."""
    until(lambda: "TargetMissing" in kubectl("get", "canary"), "a status")
    return kubectl.json("get", "canary", "chat")["status"]


def cells(text):
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


@pytest.mark.short
def test_a_canary_is_applied_once_and_then_unchanged(served, namespace):
    kubectl = served.kubectl.within(namespace(served))
    assert kubectl("apply", "-f", "-", stdin=CANARY) == "canary.serin.dev/chat created\n"
    assert kubectl("apply", "-f", "-", stdin=CANARY) == "canary.serin.dev/chat unchanged\n"
    assert kubectl("apply", "-f", "-", stdin=CANARY + "  onFailure: hold\n") == "canary.serin.dev/chat configured\n"


def test_defaults_are_not_stored(kubectl):
    assert kubectl.json("get", "cn", "chat")["spec"] == {
        "targetRef": {"kind": "HTTPRoute", "name": "chat"}, "stable": "blue", "canary": "green", "suspend": True}


@pytest.mark.short
def test_the_columns_tell_how_far_it_is(kubectl):
    wait_status(kubectl)
    header, row = cells(kubectl("get", "canary"))
    assert header == ["NAME", "TARGET", "PHASE", "STEP", "WEIGHT", "ACHIEVED", "VERDICT", "REASON", "AGE"]
    assert row[:7] == ["chat", "HTTPRoute/chat", "Pending", "0/4", "0%", "no-data", "TargetMissing"]  # nothing achieved
    header, row = cells(kubectl("get", "canary", "-o", "wide"))
    assert header[-3:] == ["STABLE", "CANARY", "MESSAGE"]
    assert row[-3:-1] == ["blue", "green"] and "does not exist" in row[-1]


def test_it_is_among_all_that_there_is(kubectl):
    assert "canary.serin.dev/chat" in kubectl("get", "all", "-o", "name").split()
    assert kubectl("get", "canaries,cn", "-o", "name").split()[0] == "canary.serin.dev/chat"


@pytest.mark.short
def test_the_status_is_a_subresource_and_the_spec_counts_generations(kubectl):
    wait_status(kubectl)
    assert kubectl.json("get", "canary", "chat")["metadata"]["generation"] == 1
    kubectl("patch", "canary", "chat", "--type=merge", "-p",
            json.dumps({"spec": {"onFailure": "hold"}, "status": {"phase": "Nonsense"}}))
    canary = kubectl.json("get", "canary", "chat")
    assert canary["status"]["phase"] == "Pending", "a write of the object leaves the status alone"
    assert canary["metadata"]["generation"] == 2 and canary["spec"]["onFailure"] == "hold"


def test_a_status_that_is_written_to_the_subresource_changes_no_spec(served, kubectl):
    canary = kubectl.json("get", "canary", "chat")
    path = api_path("canaries", "chat", canary["metadata"]["namespace"]) + "/status"
    with served.api_client() as client:
        body = json.dumps({"spec": {"canary": "red"}, "status": {"phase": "Paused"}})
        answer = client.patch(path, content=body, headers=MERGE)
    assert answer.status_code == 200, answer.text
    assert answer.json()["spec"]["canary"] == "green"


def test_conditions_can_be_waited_for(kubectl):
    assert "condition met" in kubectl("wait", "canary/chat", "--for=condition=Completed=false", "--timeout=20s")


@pytest.mark.short
def test_all_problems_of_a_canary_are_told_at_once(kubectl):
    bad = CANARY + ("  steps:\n  - {weight: 50}\n  - {weight: 5, hold: soon}\n"
                    "  analysis: {guards: [{metric: speed, absolute: 1s}]}\n  onFailure: retry\n")
    said = kubectl.refused("apply", "-f", "-", stdin=bad)
    for field in ("spec.steps[1].weight", "spec.steps[1].hold", "spec.analysis.guards[0].metric", "spec.onFailure"):
        assert f"{field}: " in said, said
    assert "spec.onFailure" not in kubectl("get", "canary", "chat", "-o", "yaml")


@pytest.mark.parametrize("group", ["inference.networking.x-k8s.io/v1alpha2", "llm-d.ai/v1alpha2"])
def test_rewrites_and_objectives_are_there_in_both_groups(kubectl, group):
    rewrite = (f"apiVersion: {group}\nkind: InferenceModelRewrite\nmetadata: {{name: food}}\nspec:\n"
               "  poolRef: {name: base}\n  rules: [{targets: [{modelRewrite: v1}]}]\n---\n"
               f"apiVersion: {group}\nkind: InferenceObjective\nmetadata: {{name: batch}}\n"
               "spec: {priority: -5, poolRef: {name: base}}\n")
    assert kubectl("apply", "-f", "-", stdin=rewrite).count(" created\n") == 2
    assert kubectl("apply", "-f", "-", stdin=rewrite).count(" unchanged\n") == 2
    name, version = group.split("/")
    assert cells(kubectl("get", f"inferencemodelrewrites.{version}.{name}"))[1][:2] == ["food", "base"]
    assert cells(kubectl("get", f"inferenceobjectives.{version}.{name}"))[1][:3] == ["batch", "base", "-5"]
