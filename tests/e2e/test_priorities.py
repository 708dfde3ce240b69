"""InferenceObjectives: who is refused, and who goes first, when a pool is saturated."""
import shutil
import threading

import pytest

from conftest import DATA, until

OBJECTIVE = """\
---
apiVersion: llm-d.ai/v1alpha2
kind: InferenceObjective
metadata:
  name: {name}
  annotations: {{serin.dev/models: "{models}"}}
spec:
  priority: {priority}
  poolRef: {{name: twins}}
"""


@pytest.fixture
def folder(tmp_path):
    """data/replicas with one replica and four objectives."""
    target = tmp_path / "manifests"
    shutil.copytree(DATA / "replicas", target)
    file = target / "models.yaml"
    text = file.read_text().replace("replicas: 2", "replicas: 1")
    for name, models, priority in (("batch", "", -1), ("chat", "mymodel", 10), ("research", "", 5),
                                   ("spare", "", 1)):
        text += OBJECTIVE.format(name=name, models=models, priority=priority)
    file.write_text(text)
    return target


def saturate(gateway, waiting):
    for sim in gateway.sims():
        sim.configure(fake_metrics={"waiting": waiting, "running": 1})
    until(lambda: gateway.metric("serin_endpoint_waiting_requests") == waiting, "the scraped queue")


def ask(client, text, objective=None):
    headers = {"x-llm-d-inference-objective": objective} if objective else {}
    return client.post("/v1/completions", headers=headers, json={"model": "mymodel", "prompt": text, "max_tokens": 1})


@pytest.mark.short
def test_a_negative_priority_is_shed_and_others_pass(gateways, folder, command, tmp_path):
    gateway = gateways([folder]).wait_endpoints(1)
    with gateway.client() as client:
        assert ask(client, "early", "batch").status_code == 200
        saturate(gateway, 50)
        refused = ask(client, "late", "batch")
        assert (refused.status_code, refused.headers["x-serin-reason"]) == (429, "shed")
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["x-llm-d-request-dropped-reason"] == "rejected-saturated"
        assert ask(client, "late", "research").status_code == 200
        assert ask(client, "late").status_code == 200
        assert ask(client, "late", "unheard-of").status_code == 200
    body = tmp_path / "body.json"
    body.write_text('{"model": "mymodel"}')
    told = command("explain", "--admin", gateway.admin, "--path", "/v1/completions", "--body", body)
    assert "priority 10, by InferenceObjective default/chat" in told.stdout, told.stdout + told.stderr
    told = command("explain", "-f", folder, "--path", "/v1/completions", "--header",
                   "x-llm-d-inference-objective: batch")
    assert "priority -1, by InferenceObjective default/batch: refused" in told.stdout, told.stdout + told.stderr


def test_the_queue_lets_the_higher_priority_go_first(gateways, folder):
    file = folder / "models.yaml"
    head = "kind: InferencePool\nmetadata:\n"
    file.write_text(file.read_text().replace(head, head + "  annotations: {serin.dev/flow-control: queue}\n", 1))
    gateway = gateways([folder]).wait_endpoints(1)
    saturate(gateway, 50)
    answers, threads = [], []
    with gateway.client() as client:
        for count, objective in enumerate(("spare", "research", None), 1):
            thread = threading.Thread(target=lambda o=objective: answers.append(ask(client, "waiting", o)))
            thread.start()
            threads.append(thread)
            until(lambda n=count: gateway.metric("serin_pool_queued_requests", pool="default/twins") == n, "the queue")
        saturate(gateway, 4)  # room for one: the next goes when it has ended
        for thread in threads:
            thread.join()
    assert [answer.status_code for answer in answers] == [200] * 3
    names = [request["headers"].get("x-llm-d-inference-objective")
             for sim in gateway.sims() for request in sim.requests()]
    assert names == [None, "research", "spare"]
