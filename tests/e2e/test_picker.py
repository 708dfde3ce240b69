"""Which endpoint of a pool gets a request, and what annotations of the pool change about it."""
import base64
import json
import random
import re
import shutil
import time

import pytest

from conftest import CONTROL, DATA, edit, until


def prompt(name, tokens=1000):
    return {"model": "mymodel", "prompt": f"{name} " + "word " * tokens, "max_tokens": 1}


def annotated(tmp_path, **annotations):
    """A copy of data/replicas whose pool has these annotations."""
    folder = tmp_path / "manifests"
    shutil.copytree(DATA / "replicas", folder)
    file = folder / "models.yaml"
    lines = "".join(f"    serin.dev/{name.replace('_', '-')}: '{text}'\n" for name, text in annotations.items())
    text = file.read_text()
    file.write_text(text.replace("kind: InferencePool\nmetadata:\n  name: twins\n",
                                 f"kind: InferencePool\nmetadata:\n  name: twins\n  annotations:\n{lines}", 1))
    return folder


def served_by(gateway, client, body):
    """The endpoint that answers."""
    before = {sim.address: len(sim.requests()) for sim in gateway.sims()}
    answer = client.post("/v1/completions", json=body)
    assert answer.status_code == 200, answer.text
    return next(sim.address for sim in gateway.sims() if len(sim.requests()) > before[sim.address])


@pytest.mark.short
def test_a_prompt_returns_to_where_it_is_cached(gateways):
    gateway = gateways([DATA / "replicas"]).wait_endpoints(2)
    with gateway.client() as client:
        first = {f"user {n}": served_by(gateway, client, prompt(f"user {n}")) for n in range(12)}
        for name, endpoint in first.items():
            assert served_by(gateway, client, prompt(name)) == endpoint
    assert gateway.metric("serin_prefix_index_entries") > 12
    for line in ('llm_d_epp_ready_endpoints{name="twins"} 2', 'inference_pool_ready_pods{name="twins"} 2'):
        assert line in gateway.metrics()


def test_an_image_is_the_same_prompt_however_its_json_is_written(gateways):
    gateway = gateways([DATA / "replicas"]).wait_endpoints(2)

    def body(image):
        url = "data:image/png;base64," + base64.b64encode(image).decode()
        return json.dumps({"model": "mymodel", "max_tokens": 1, "messages": [
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}},
                                         {"type": "text", "text": "What is this?"}]}]})

    def served(client, text):
        before = {sim.address: len(sim.requests()) for sim in gateway.sims()}
        answer = client.post("/v1/chat/completions", content=text, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200, answer.text
        return next(sim.address for sim in gateway.sims() if len(sim.requests()) > before[sim.address])

    with gateway.client() as client:
        bodies = [body(random.randbytes(200_000)) for _ in range(12)]
        first = [served(client, text) for text in bodies]
        assert len(set(first)) == 2
        # As PHP writes JSON.
        assert [served(client, text.replace("/", "\\/")) for text in bodies] == first


def test_metrics_have_the_names_of_the_reference_and_few_labels(gateways):
    gateway = gateways([DATA / "replicas"]).wait_endpoints(2)
    body = {"model": "mymodel", "prompt": "Tell me.", "max_tokens": 3, "stream": True,
            "stream_options": {"include_usage": True}}
    with gateway.client() as client:
        assert client.post("/v1/completions", json=body).status_code == 200
        for n in range(5):
            assert client.post("/v1/completions", json={**body, "model": f"model {n}"}).status_code == 404
    labels = {"model_name": "mymodel", "target_model_name": "mymodel", "priority": "0"}
    for prefix in ("llm_d_epp_request_", "inference_objective_request_"):
        until(lambda: gateway.metric(prefix + "total", **labels) == 1, prefix + "total")
        assert gateway.metric(prefix + "total", model_name="other") == 5
        assert gateway.metric(prefix + "error_total", model_name="other", error_code="ModelServerError") == 5
        assert gateway.metric(prefix + "ttft_seconds_count", streaming="true", **labels) == 1
    assert gateway.metric("inference_objective_output_tokens_sum", **labels) == 3
    assert gateway.metric("llm_d_epp_request_output_tokens_sum", **labels) == 3
    assert gateway.metric("inference_extension_scheduler_e2e_duration_seconds_count") >= 6
    assert 'inference_pool_ready_pods{name="twins"} 2' in gateway.metrics()


def test_scorers_of_an_annotation_are_in_force_and_follow_an_edit(gateways, tmp_path):
    folder = annotated(tmp_path, scorers="queue-scorer=2, prefix-cache-scorer=3")
    gateway = gateways([folder]).wait_endpoints(2)

    def scorers():
        return [set(endpoint["scores"] or {}) for endpoint in gateway.endpoints("twins")]

    until(lambda: scorers() == [{"queue-scorer", "prefix-cache-scorer", "total"}] * 2, "the scorers")
    file = folder / "models.yaml"
    edit(file, "queue-scorer=2, prefix-cache-scorer=3", "no-such-scorer")
    until(lambda: "no-such-scorer" in gateway.log_text(), "a complaint")
    assert scorers() == [{"queue-scorer", "prefix-cache-scorer", "total"}] * 2
    edit(file, "no-such-scorer", "token-load-scorer")
    until(lambda: scorers() == [{"token-load-scorer", "total"}] * 2, "the edited scorers")


def test_check_tells_what_is_wrong_with_the_settings_of_a_pool(command, tmp_path):
    done = command("check", "-f", annotated(tmp_path, scorers="no-such-scorer", stale_metrics="never"))
    assert done.returncode == 1
    assert "InferencePool default/twins" in done.stdout and '"no-such-scorer" is no scorer' in done.stdout
    assert "serin.dev/stale-metrics" in done.stdout


def test_requests_wait_before_a_saturated_pool(gateways, tmp_path):
    gateway = gateways([annotated(tmp_path, flow_control="queue,ttl=1s")]).wait_endpoints(2)
    sims = gateway.sims()
    for sim in sims:
        sim.configure(fake_metrics={"waiting": 50, "running": 1})
    until(lambda: gateway.metric("llm_d_epp_flow_control_pool_saturation", inference_pool="twins") >= 10, "saturation")
    with gateway.client() as client:
        answer = client.post("/v1/completions", json=prompt("late"))
        assert (answer.status_code, answer.headers["x-serin-reason"]) == (429, "queue_timeout")
        assert answer.headers["retry-after"] == "1"
        assert sum(len(sim.requests()) for sim in sims) == 0
        assert client.get("/v1/models").status_code == 200
        for sim in sims:
            sim.configure(fake_metrics=None)
        assert client.post("/v1/completions", json=prompt("in time")).status_code == 200
    assert gateway.metric("serin_pool_queued_requests", pool="default/twins") == 0


PICKER = """
      apiVersion: llm-d.ai/v1alpha1
      kind: EndpointPickerConfig
      plugins:
      - type: label-selector-filter
        parameters: {matchLabels: {app: twins}, matchExpressions: [{key: retired, operator: DoesNotExist}]}
      - {type: header-based-testing-filter}
      - {type: queue-scorer}
"""


@pytest.mark.short
def test_filters_by_label_and_header_choose_endpoints(gateways, tmp_path):
    folder = tmp_path / "manifests"
    shutil.copytree(DATA / "replicas", folder)
    file = folder / "models.yaml"
    head = "kind: InferencePool\nmetadata:\n"
    file.write_text(file.read_text().replace(head, head + "  annotations:\n    serin.dev/picker: |" + PICKER, 1))
    gateway = gateways([folder]).wait_endpoints(2)

    def ask(client, wanted):
        return client.post("/v1/completions", json=prompt("x", 10), headers={"test-epp-endpoint-selection": wanted})

    with gateway.client() as client:
        for sim in gateway.sims() * 2:
            before = len(sim.requests())
            assert ask(client, sim.address).status_code == 200
            assert len(sim.requests()) == before + 1
        nobody = ask(client, "127.0.0.1")
        assert (nobody.status_code, nobody.headers["x-serin-reason"]) == (503, "no_endpoint")
        # A label of a Pod that is there already.
        pods = gateway.kubectl("get", "pods", "-l", "app=twins", "-o", "name").split()
        gateway.kubectl("label", pods[0], "retired=yes")
        until(lambda: sum(endpoint["scores"] is not None for endpoint in gateway.endpoints("twins")) == 1,
              "one endpoint left")
        left = next(e["address"] for e in gateway.endpoints("twins") if e["scores"] is not None)
        gone = next(e["address"] for e in gateway.endpoints("twins") if e["scores"] is None)
        assert ask(client, left).status_code == 200
        assert ask(client, gone).status_code == 503


def test_a_batching_model_server_computes_a_prompt_once(gateways):
    gateway = gateways([DATA / "replicas"]).wait_endpoints(2)
    for sim in gateway.sims():
        sim.configure(batch=1)
    with gateway.client() as client:
        began = time.monotonic()
        first = served_by(gateway, client, prompt("long", tokens=20000))  # 100 KB: 25,000 tokens of 40 us each
        assert time.monotonic() - began >= 1.0
        until(lambda: gateway.metric("serin_endpoint_in_flight_requests") == 0, "nothing in flight")
        limit_s = 1.0
        until(lambda: timed(lambda: served_by(gateway, client, prompt("long", tokens=20000)) == first) < limit_s,
              "an answer from the cache")


def test_a_batching_model_server_tells_what_its_cache_saved(gateways):
    gateway = gateways([DATA / "replicas"]).wait_endpoints(2)
    for sim in gateway.sims():
        sim.configure(batch=1)
    with gateway.client() as client:
        cached = [client.post("/v1/completions", json=prompt("twice", tokens=100)).json()["usage"]
                  ["prompt_tokens_details"]["cached_tokens"] for _ in range(2)]
    assert cached[0] == 0 and cached[1] > 0 and cached[1] % 16 == 0
    pages = [CONTROL.get(f"{sim.url}/metrics").text for sim in gateway.sims()]
    hits = sum(int(float(value)) for page in pages for value in re.findall(r"prefix_cache_hits_total{.*} (.*)", page))
    assert hits == cached[1]


def timed(work):
    began = time.monotonic()
    assert work()
    return time.monotonic() - began
