"""Which rule takes a request: the precedence of matches, hostnames and listeners, as clients see it."""
import pytest

from conftest import DATA, error_of

RULES = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: NAME
spec:
  parentRefs:
  - {name: edge}
  hostnames: [HOST]
  rules:
"""
RULE = """
  - matches:
    - MATCH
    backendRefs:
    - {group: inference.networking.k8s.io, kind: InferencePool, name: POOL}
"""
POOL = """
---
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata:
  name: POOL
spec:
  selector:
    matchLabels: {app: POOL}
  targetPorts:
  - number: 8000
  endpointPickerRef: {name: picker, port: {number: 9002}}
"""

# Every pool is empty: the answer is 503 and names the pool that the rule chose.
MATCHES = {
    "exact": "{path: {type: Exact, value: /v1/chat}}",
    "prefix": "{path: {type: PathPrefix, value: /v1}}",
    "longer": "{path: {type: PathPrefix, value: /v1/chat/more}}",
    "regex": "{path: {type: RegularExpression, value: '/re/[0-9]+'}}",
    "method": "{path: {type: PathPrefix, value: /v1}, method: PUT}",
    "header": "{path: {type: PathPrefix, value: /v1}, headers: [{name: x-team, value: blue}]}",
    "headers": "{path: {type: PathPrefix, value: /v1}, "
               "headers: [{name: x-team, value: blue}, {name: x-tier, value: gold}]}",
    "query": "{path: {type: PathPrefix, value: /v1}, queryParams: [{name: beta, value: 'yes'}]}",
}

REQUESTS = [
    ("GET", "/v1", {}, "prefix"),
    ("GET", "/v1/", {}, "prefix"),
    ("GET", "/v1/models", {}, "prefix"),
    ("GET", "/v1models", {}, None),
    ("GET", "/V1/models", {}, None),
    ("GET", "/v1/chat", {}, "exact"),
    ("GET", "/v1/chat/", {}, "prefix"),
    ("GET", "/v1/chat?beta=yes", {}, "exact"),
    ("GET", "/v1/chat/more/x", {}, "longer"),
    ("PUT", "/v1/chat/more/x", {}, "longer"),
    ("PUT", "/v1/models", {}, "method"),
    ("PUT", "/v1/models", {"x-team": "blue"}, "method"),
    ("GET", "/v1/models", {"x-team": "blue"}, "header"),
    ("GET", "/v1/models", {"X-TEAM": "blue"}, "header"),
    ("GET", "/v1/models", {"x-team": "Blue"}, "prefix"),
    ("GET", "/v1/models", {"x-team": "blue", "x-tier": "gold"}, "headers"),
    ("GET", "/v1/models?beta=yes", {}, "query"),
    ("GET", "/v1/models?a=b&beta=yes", {}, "query"),
    ("GET", "/v1/models?beta=no", {}, "prefix"),
    ("GET", "/v1/models?beta=yes", {"x-team": "blue"}, "header"),
    ("GET", "/re/123", {}, "regex"),
    ("GET", "/re/abc", {}, None),
    ("GET", "/", {}, None),
]

HOSTS = [
    ("models.example", "exact-host"),
    ("MODELS.example", "exact-host"),
    ("models.example:8080", "exact-host"),
    ("a.models.example", "wildcard-host"),
    ("a.b.models.example", "wildcard-host"),
    ("other.example", None),
    ("models.example.evil", None),
]


def route(name, host, matches):
    rules = "".join(RULE.replace("MATCH", match).replace("POOL", pool) for pool, match in matches.items())
    return "---" + RULES.replace("NAME", name).replace("HOST", host) + rules


@pytest.fixture(scope="module")
def routed(shared_gateways, tmp_path_factory):
    folder = tmp_path_factory.mktemp("routes")
    base = (DATA / "two-gateways.yaml").read_text().split("---")
    gateway = next(part for part in base if "name: free" in part and "kind: Gateway\n" in part)
    everything = {"path": "{path: {type: PathPrefix, value: /}}"}
    texts = [base[0], "---" + gateway.replace("free", "edge").replace("8081", "8080"),
             route("matches", "routes.example", MATCHES)]
    for host, name in (("models.example", "exact-host"), ("'*.models.example'", "wildcard-host")):
        texts.append(route(name, host, {name: everything["path"]}))
    texts += [POOL.replace("POOL", pool) for pool in (*MATCHES, "exact-host", "wildcard-host")]
    (folder / "routes.yaml").write_text("\n".join(texts))
    return shared_gateways([folder], workloads="none")


def check(answer, pool):
    if pool is None:
        error_of(answer, 404, "no_route")
    else:
        error_of(answer, 503, "no_endpoint")
        assert answer.headers["x-serin-arm"] == pool


@pytest.mark.parametrize("method, path, headers, pool", REQUESTS)
def test_the_most_specific_match_takes_the_request(routed, method, path, headers, pool):
    with routed.client() as client:
        check(client.request(method, path, headers={"host": "routes.example", **headers}), pool)


@pytest.mark.parametrize("host, pool", HOSTS)
def test_the_most_specific_hostname_takes_the_request(routed, host, pool):
    with routed.client() as client:
        check(client.get("/v1/models", headers={"host": host}), pool)
