"""The admin listener: health, metrics and debug pages, for reading only."""
import json
import re

import httpx
import pytest

from conftest import CONTROL, ROOT, InParallel, Wire, ask, chat, edit, events, until

ALIAS = re.compile(r'^X\((\w+), "(\w+)"\)', re.MULTILINE)
ROW = re.compile(r'^X\((\w+), (\w+), "(\w+)", "([\w,]*)",', re.MULTILINE)
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)$')


def table():
    """name -> (kind, labels) of every metric of the product, second names too."""
    source = ROOT / "src" / "observe"
    rows = {number: (name, kind.split("_")[0], labels.split(",") if labels else [])
            for number, kind, name, labels in ROW.findall((source / "metrics.def").read_text())}
    named = {name: (kind, labels) for name, kind, labels in rows.values()}
    for number, name in ALIAS.findall((source / "metric_aliases.def").read_text()):
        named[name] = rows[number][1:]
    return named


@pytest.mark.short
def test_a_gateway_that_serves_is_healthy_and_ready(walkthrough):
    for page, text in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
        answer = walkthrough.admin_get(page)
        assert answer.status_code == 200 and answer.text == text


def test_a_gateway_whose_pods_start_is_healthy_and_not_ready(gateways, manifests):
    folder = manifests("walkthrough", **{"ttft=2ms": "startup=600s,ttft=2ms"})
    gateway = gateways([folder], wait=False)
    until(lambda: gateway.admin_get("/healthz").status_code == 200, "the admin listener")
    assert gateway.admin_get("/readyz").status_code == 503
    until(lambda: len(gateway.pids()) == 2, "the pods' processes")
    with gateway.client() as client:
        answer = until(lambda: client.post("/v1/chat/completions", json=chat()), "the listener")
        assert answer.status_code == 503 and answer.headers["x-serin-reason"] == "no_endpoint"
    assert "ready\n" not in gateway.read_output()


@pytest.mark.short
def test_the_metrics_are_valid_prometheus_text_with_every_name_of_the_table(walkthrough):
    with walkthrough.client() as client:
        ask(client)
    answer = walkthrough.admin_get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    rows, types, helped, seen = table(), {}, set(), set()
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in types, f"{name} twice"
            types[name] = kind
        elif line.startswith("# HELP "):
            helped.add(line.split()[2])
        else:
            sample = SAMPLE.match(line)
            assert sample, line
            float(sample.group(3))
            key = (sample.group(1), sample.group(2))
            assert key not in seen, f"{line} twice"
            seen.add(key)
            base = re.sub(r"_(bucket|sum|count)$", "", sample.group(1))
            name = sample.group(1) if sample.group(1) in types else base
            assert name in types, f"{line} has no type"
            labels = [label.split("=")[0] for label in re.findall(r'[a-z_]+="', sample.group(2) or "")]
            assert [label for label in labels if label != "le"] == rows[name][1], line
    assert {name: kind.upper() for name, kind in types.items()} == {name: kind for name, (kind, _) in rows.items()}
    assert helped == set(types)


@pytest.mark.short
def test_requests_are_counted_by_arm_and_status(walkthrough):
    def count(**labels):
        return walkthrough.metric("serin_requests_total", **labels)

    before, bad = count(arm="pool-base/travel-helper-v2", code="200"), count(code="404")
    with walkthrough.client() as client:
        for _ in range(7):
            ask(client, model="travelhelper")
        assert client.post("/v1/chat/completions", json=chat(model="nobody's")).status_code == 404
    until(lambda: count(arm="pool-base/travel-helper-v1", code="200") + count(arm="pool-base/travel-helper-v2",
                                                                              code="200") >= before + 7, "the counts")
    assert count(code="404") == bad + 1
    assert "nobody's" not in walkthrough.metrics()  # names that clients make up are no labels
    assert walkthrough.metric("serin_request_ends_total", reason="complete") >= 8


def test_durations_are_histograms_by_arm_in_seconds(walkthrough):
    with walkthrough.client() as client:
        for _ in range(5):
            ask(client, model="travelhelper")
    for name in ("serin_request_duration_seconds", "serin_time_to_first_byte_seconds"):
        buckets = [line for line in walkthrough.metrics().splitlines()
                   if line.startswith(f'{name}_bucket{{arm="pool-base/travel-helper-v1"')]
        counts = [float(line.rsplit(" ", 1)[1]) for line in buckets]
        assert counts == sorted(counts) and 'le="+Inf"' in buckets[-1]
        assert counts[-1] == walkthrough.metric(f"{name}_count", arm="pool-base/travel-helper-v1")
        total = walkthrough.metric(f"{name}_sum", arm="pool-base/travel-helper-v1")
        assert 0 < total / counts[-1] < 5


@pytest.mark.short
def test_gauges_follow_what_happens_and_go_back(walkthrough):
    until(lambda: walkthrough.metric("serin_downstream_connections") == 0, "the end of earlier connections")
    sims = walkthrough.sims()
    for sim in sims:
        sim.hold("event", 1)
    body = chat(stream=True)
    with walkthrough.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as answer:
        arriving = events(answer)
        next(arriving)
        assert walkthrough.metric("serin_requests_active") == 1
        assert walkthrough.metric("serin_downstream_connections") == 1
        assert walkthrough.metric("serin_endpoint_in_flight_requests") == 1
        assert walkthrough.metric("serin_upstream_connections", state="busy") == 1
        until(lambda: walkthrough.metric("serin_endpoint_running_requests") >= 1, "the scraped load")
        for sim in sims:
            sim.release()
        assert list(arriving)[-1] == "[DONE]"
    for name in ("serin_requests_active", "serin_downstream_connections", "serin_endpoint_in_flight_requests"):
        until(lambda: walkthrough.metric(name) == 0, f"{name} to go back to 0")


def test_endpoints_scrapes_and_the_process_are_measured(walkthrough):
    assert walkthrough.metric("serin_pool_endpoints", pool="default/pool-base", state="ready") == 1
    assert walkthrough.metric("serin_pool_endpoints", state="all") == 2
    scrapes = walkthrough.metric("serin_scrapes_total", result="ok")
    until(lambda: walkthrough.metric("serin_scrapes_total", result="ok") > scrapes, "the next scrape")
    assert 1 << 20 < walkthrough.metric("process_resident_memory_bytes") < 1 << 30
    assert 5 < walkthrough.metric("process_open_fds") < 1000
    assert walkthrough.metric("serin_snapshot_generation") == walkthrough.generation()
    assert walkthrough.metric("serin_reloads_total", result="taken") >= 1


def test_bad_requests_and_head_limits_are_counted_by_reason(walkthrough):
    for head in (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 20000):
        with Wire(walkthrough.address) as wire:
            wire.send(head).answer()
    assert walkthrough.metric("serin_bad_requests_total", reason="bad_host") >= 1
    assert walkthrough.metric("serin_header_limit_hits_total") >= 1


@pytest.mark.short
def test_only_endpoints_that_are_there_have_series(gateways, manifests):
    folder = manifests("walkthrough")
    gateway = gateways([folder]).wait_endpoints(1, "pool-base")

    def shown():
        return set(re.findall(r'serin_endpoint_in_flight_requests\{.*endpoint="(.*)"\}', gateway.metrics()))

    before = shown()
    assert before == {e["address"] for e in gateway.endpoints()} and len(before) == 2
    edit(folder / "01-base-deployment.yaml", "Qwen-2.5-7B-Instruct", "Qwen-3-8B")
    until(lambda: len(shown()) == 2 and shown() != before, "the series of the new pod alone")
    assert shown() == {e["address"] for e in gateway.endpoints()}
    for file in folder.iterdir():
        if file.name != "03-gateway.yaml":
            file.unlink()
    until(lambda: shown() == set() and "serin_pool_endpoints{" not in gateway.metrics(), "no series of pools")


def test_debug_pools_shows_endpoints_their_models_and_their_load(walkthrough):
    pool = walkthrough.pool("pool-base")
    assert (pool["kind"], pool["namespace"]) == ("InferencePool", "default")
    endpoint = pool["endpoints"][0]
    assert endpoint["ready"] is True and endpoint["healthy"] is True
    assert re.fullmatch(r"127\.\d+\.\d+\.\d+:8000", endpoint["address"])
    assert endpoint["pod"].startswith("default/base-")
    assert endpoint["models"] == ["mymodel", "travel-helper-v1", "travel-helper-v2"]

    def is_at_rest():
        now = walkthrough.pool("pool-base")["endpoints"][0]
        load = [now[key] for key in ("inFlight", "waiting", "running", "kvCacheUsage")]
        return now["scrapedMsAgo"] is not None and load == [0, 0, 0, 0]

    until(is_at_rest, "a scrape that finds nothing running")


def test_debug_pools_shows_which_adapters_run(walkthrough):
    sim = walkthrough.sims("pool-base")[0]
    sim.hold("event", 1)
    with walkthrough.client() as client, InParallel() as parallel:
        parallel(ask, client)  # the base model is no adapter
        body = chat(model="travel-helper-v2", stream=True)
        with client.stream("POST", "/v1/chat/completions", json=body) as answer:
            arriving = events(answer)
            next(arriving)
            until(lambda: walkthrough.pool("pool-base")["endpoints"][0]["runningAdapters"] == ["travel-helper-v2"],
                  "the adapter in the scraped metrics")
            sim.release()
            assert list(arriving)[-1] == "[DONE]"
    until(lambda: walkthrough.pool("pool-base")["endpoints"][0]["runningAdapters"] == [], "its end")


@pytest.mark.short
def test_debug_snapshot_shows_the_compiled_routes_and_the_conditions(walkthrough):
    page = walkthrough.snapshot()
    socket = page["snapshot"]["sockets"][0]
    assert (socket["address"], socket["port"]) == (walkthrough.address, 8080)
    listener = socket["listeners"][0]
    assert listener["bufferLimitBytes"] == 20 << 20
    arms = listener["matches"][0]["arms"]
    assert [arm["weight"] for arm in arms] == [90, 10]
    assert [target["weight"] for model in arms[0]["models"] if model["model"] == "travelhelper"
            for target in model["targets"]] == [90, 10]
    assert listener["matches"][0]["requestTimeoutMs"] == 24 * 3600 * 1000
    gateway = next(s["status"] for s in page["statuses"] if s["kind"] == "Gateway")
    assert gateway["addresses"] == [{"type": "IPAddress", "value": walkthrough.address}]
    assert gateway["listeners"][0]["attachedRoutes"] == 1
    assert {c["type"]: c["status"] for c in gateway["conditions"]} == {"Accepted": "True", "Programmed": "True"}
    route = next(s["status"] for s in page["statuses"] if s["kind"] == "HTTPRoute")
    assert {c["type"]: c["status"] for c in route["parents"][0]["conditions"]} == {"Accepted": "True",
                                                                                   "ResolvedRefs": "True"}


@pytest.mark.short
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("page", ["/metrics", "/debug/snapshot", "/"])
def test_the_admin_listener_is_for_reading_only(walkthrough, method, page):
    answer = CONTROL.request(method, f"http://{walkthrough.admin}{page}", content=b"{}")
    assert answer.status_code == 405 and answer.json()["error"]["code"] == "read_only"


def test_head_is_reading_too(walkthrough):
    answer = CONTROL.head(f"http://{walkthrough.admin}/healthz")
    assert answer.status_code == 200 and answer.content == b""


def test_an_unknown_page_is_a_404_that_names_the_known_ones(walkthrough):
    answer = walkthrough.admin_get("/debug/nothing")
    assert answer.status_code == 404 and "/metrics" in answer.json()["error"]["message"]


def test_model_traffic_does_not_enter_by_the_admin_listener(walkthrough):
    answer = CONTROL.get(f"http://{walkthrough.admin}/v1/models")
    assert answer.status_code == 404


def test_the_admin_pages_answer_while_requests_run(walkthrough):
    def ask_some():
        with walkthrough.client() as client:
            for _ in range(40):
                ask(client, max_tokens=1)

    with InParallel(8) as parallel:
        tasks = [parallel(ask_some) for _ in range(8)]
        pages = 0
        while not all(task.done() for task in tasks):
            assert json.loads(walkthrough.admin_get("/debug/pools").text)
            assert walkthrough.admin_get("/metrics").status_code == 200
            pages += 1
    assert pages > 0


def test_hostile_bytes_do_not_harm_the_admin_listener(walkthrough):
    host, port = walkthrough.admin.rsplit(":", 1)
    for sent in (b"\x16\x03\x01\x00\xff", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 100,
                 b"GET /metrics HTTP/1.1\nHost: a\n\n"):
        with Wire(host, int(port)) as wire:
            assert wire.send(sent).answer().status_code in (400, 505)
    with pytest.raises(httpx.HTTPStatusError):
        walkthrough.admin_get("/%00").raise_for_status()
    assert walkthrough.admin_get("/healthz").status_code == 200
