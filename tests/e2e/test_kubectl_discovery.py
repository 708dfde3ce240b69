"""What kubectl can ask of the server itself, and the verbs that are not there: a clear error, at once."""
import json
import re

import pytest

from conftest import DATA

QUICK_S = 20  # a verb that is refused must not hang
KINDS = """Namespace ConfigMap Secret ServiceAccount Event Lease Service Pod EndpointSlice Deployment ReplicaSet
GatewayClass Gateway HTTPRoute ReferenceGrant InferencePool InferenceModel ClientTrafficPolicy
BackendTrafficPolicy InferenceModelRewrite InferenceObjective Canary""".split()


@pytest.mark.short
def test_api_resources_lists_every_kind_with_its_short_names(applied):
    lines = applied.kubectl("api-resources").splitlines()
    assert re.match(r"NAME\s+SHORTNAMES\s+APIVERSION\s+NAMESPACED\s+KIND", lines[0])
    assert set(KINDS) <= {line.split()[-1] for line in lines[1:]}
    row = next(line for line in lines if line.startswith("gateways "))
    assert row.split() == ["gateways", "gtw", "gateway.networking.k8s.io/v1", "true", "Gateway"]
    assert "gatewayclasses.gateway.networking.k8s.io" in applied.kubectl(
        "api-resources", "--namespaced=false", "-o", "name").split()
    listed = applied.kubectl("api-resources", "--api-group=apps", "--verbs=list,watch", "-o", "name").split()
    assert listed == ["deployments.apps", "replicasets.apps"]


def test_api_versions_lists_every_group(applied):
    versions = applied.kubectl("api-versions").split()
    assert {"v1", "apps/v1", "discovery.k8s.io/v1", "gateway.networking.k8s.io/v1",
            "inference.networking.x-k8s.io/v1alpha2", "inference.networking.k8s.io/v1",
            "gateway.envoyproxy.io/v1alpha1", "llm-d.ai/v1alpha2", "serin.dev/v1alpha1"} <= set(versions)


def test_version_and_cluster_info(applied):
    said = json.loads(applied.kubectl("version", "-o", "json"))
    assert re.match(r"v1\.33\.\d+", said["serverVersion"]["gitVersion"])
    assert (said["serverVersion"]["major"], said["serverVersion"]["minor"]) == ("1", "33")
    assert f"https://{applied.api}" in applied.kubectl("cluster-info")


@pytest.mark.short
@pytest.mark.parametrize("what,words", [
    ("httproute", ["KIND:       HTTPRoute", "spec\t<"]),
    ("httproute.spec.rules.backendRefs", ["weight", "FIELD: backendRefs"]),
    ("gateway.spec.listeners", ["protocol", "hostname"]),
    ("xinfpool.spec", ["targetPortNumber"]),
    ("deployment.spec", ["replicas", "template"]),
    ("inferencemodelrewrite.spec.rules", ["matches", "targets\t<[]Object> -required-"]),
    ("inferenceobjective.spec", ["priority", "poolRef"]),
    ("canary", ["GROUP:      serin.dev", "KIND:       Canary"]),
    ("cn.spec", ["targetRef", "stickiness", "onFailure", "enum: rollback, hold"]),
    ("canary.spec.steps", ["weight\t<number> -required-", "hold"]),
    ("canary.spec.analysis.guards", ["cacheHitShare", "quantile", "severity"]),
    ("canary.status.arms", ["ttftP95Ms", "cachedTokens"]),
])
def test_explain_knows_the_fields(applied, what, words):
    text = applied.kubectl("explain", what)
    assert all(word in text for word in words), text


def test_explain_refuses_what_is_not_there(applied):
    assert 'field "nonsense" does not exist' in applied.kubectl.refused("explain", "httproute.spec.nonsense")


@pytest.mark.short
def test_auth_says_who_asks_and_that_everything_is_allowed(applied):
    assert applied.kubectl("auth", "can-i", "create", "httproutes") == "yes\n"
    assert applied.kubectl("auth", "can-i", "*", "*") == "yes\n"
    assert "*.*" in applied.kubectl("auth", "can-i", "--list")
    who = json.loads(applied.kubectl("auth", "whoami", "-o", "json"))
    assert who["status"]["userInfo"]["username"]


@pytest.mark.parametrize("arguments", [
    ["exec", "deploy/base", "--", "true"],
    ["attach", "deploy/base"],
    ["cp", "{pod}:/etc/hostname", "/tmp/never"],
    ["port-forward", "deploy/base", ":8000"],
    ["port-forward", "service/base", ":8000"],
    ["top", "pods"],
    ["top", "nodes"],
    ["drain", "any"],
    ["cordon", "any"],
    ["taint", "nodes", "any", "a=b:NoSchedule"],
    ["autoscale", "deploy/base", "--max=3"],
    ["create", "token", "default"],
    ["create", "job", "x", "--image=example/x"],
    ["create", "role", "x", "--verb=get", "--resource=pods"],
    ["get", "nodes"],
    ["get", "crd"],
    ["debug", "{pod}", "--image=example/x", "-c", "x"],
    ["certificate", "approve", "x"],
], ids=lambda arguments: " ".join(arguments[:2]))
def test_a_verb_that_is_not_there_is_refused_clearly_and_at_once(applied, arguments):
    pod = applied.kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}")
    ended = applied.kubectl.run(*(word.replace("{pod}", pod) for word in arguments), limit_s=QUICK_S)
    assert ended.returncode != 0, ended.stdout
    assert re.search(r"^(error:|Error from server|the server doesn't have a resource type)", ended.stderr, re.M)
    assert "EOF" not in ended.stderr and "was refused" not in ended.stderr


@pytest.mark.short
@pytest.mark.parametrize("token", ["", "wrong", "x" * 5000])
def test_without_the_right_token_nothing_is_told(applied, token):
    said = applied.kubectl.refused("get", "pods", "--token", token or " ", limit_s=QUICK_S)
    assert "Unauthorized" in said or "must be logged in" in said or "provide credentials" in said
    assert "base" not in said


def test_a_server_of_another_authority_is_not_trusted(applied, gateways):
    stranger = gateways([], workloads="none")
    said = applied.kubectl.refused("get", "pods", "--server", f"https://{stranger.api}", limit_s=QUICK_S)
    assert "certificate" in said


def test_a_kubectl_that_meets_the_data_plane_instead_fails_at_once(applied):
    assert applied.kubectl.refused("apply", "-f", DATA / "walkthrough" / "06-split.yaml", "--server", applied.url(),
                                   limit_s=QUICK_S)
    with applied.client() as client:
        for path in ("/api", "/apis", "/openapi/v2", "/openapi/v3"):
            assert client.get(path).status_code == 404, path
