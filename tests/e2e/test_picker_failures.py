"""What picks do when model servers or their metrics fail: nothing is lost, nothing is stuck."""
import random
import threading

import pytest

from conftest import CONTROL, DATA, InParallel, ask, chat, error_of, events, until, words
from test_decision_log import lines
from test_picker import annotated, prompt
from traffic import Traffic


def nothing_is_left(gateway):
    for name in ("serin_requests_active", "serin_endpoint_in_flight_requests", "serin_pool_queued_requests",
                 "serin_body_bytes_held", "llm_d_epp_request_running"):
        until(lambda n=name: gateway.metric(n) == 0, name + " at nothing")


def spread(gateway, count):
    """So many requests at once, held until all are there: how many each server had."""
    sims = gateway.sims()
    for sim in sims:
        sim.hold()
    with gateway.client() as client, InParallel() as parallel:
        for _ in range(count):
            parallel(ask, client)
        until(lambda: sum(sim.state()["held"] for sim in sims) == count, "all to be held")
        held = [sim.state()["held"] for sim in sims]
        for sim in sims:
            sim.release()
        parallel.results()
    return held


@pytest.mark.short
def test_a_server_whose_metrics_do_not_come_is_picked_by_own_counts(gateways, tmp_path):
    """The scrape's time is up after 1 s, the values are too old after 2 s."""
    log = tmp_path / "decisions.log"
    gateway = gateways([DATA / "replicas"], "--decision-log", str(log), "--decision-every", "1").wait_endpoints(2)
    slow = gateway.sims()[0]
    slow.configure(slow_metrics="60s")

    def is_stale():
        with gateway.client() as client:
            ask(client)
        return any(e["is_stale"] and e["endpoint"] == slow.address for e in lines(log)[-1]["endpoints"])

    until(is_stale, "values that are too old")
    assert gateway.metric("serin_scrapes_total", result="failed") >= 1
    assert min(spread(gateway, 20)) >= 8
    slow.configure(slow_metrics="0")
    until(lambda: not is_stale(), "new values")
    nothing_is_left(gateway)


def test_a_page_that_is_frozen_idle_does_not_draw_everything(gateways):
    gateway = gateways([DATA / "replicas"]).wait_endpoints(2)
    frozen = gateway.sims()[0]
    frozen.configure(freeze_metrics=True)
    assert min(spread(gateway, 20)) >= 8
    nothing_is_left(gateway)


def test_when_all_servers_say_that_they_are_busy_the_client_sees_it_and_nobody_stays_shut_out(gateways):
    gateway = gateways([DATA / "replicas"]).wait_endpoints(2)
    sims = gateway.sims()
    for sim in sims:
        sim.configure(error_rate=1, error_code=429)
    with gateway.client() as client:
        for _ in range(6):
            answer = client.post("/v1/chat/completions", json=chat())
            assert answer.status_code == 429 and "x-serin-reason" not in answer.headers
        for sim in sims:
            sim.configure(error_rate=0)
        for _ in range(6):
            ask(client)
    nothing_is_left(gateway)


def test_a_pool_that_is_emptied_answers_503_and_serves_again_when_it_is_refilled(gateways, tmp_path):
    gateway = gateways([annotated(tmp_path, flow_control="queue,ttl=60s")]).wait_endpoints(2)
    sims = gateway.sims()
    for sim in sims:
        sim.configure(itl="20ms")
    long = chat(stream=True, max_tokens=100)
    with gateway.client() as client, InParallel() as parallel:
        streams = [parallel(lambda: list(events(client.post("/v1/chat/completions", json=long)))) for _ in range(4)]
        until(lambda: sum(sim.state()["running"] for sim in sims) == 4, "four streams")
        for sim in sims:
            sim.configure(fake_metrics={"waiting": 50})
        until(lambda: gateway.metric("llm_d_epp_flow_control_pool_saturation", inference_pool="twins") >= 10, "saturation")
        waiting = [parallel(lambda: client.post("/v1/chat/completions", json=chat())) for _ in range(3)]
        until(lambda: gateway.metric("serin_pool_queued_requests") == 3, "three that wait")
        gateway.kubectl("scale", "deployment/twins", "--replicas=0")
        # Who waits is not left waiting for nobody.
        for late in waiting:
            error_of(late.result(), 503, "no_endpoint")
        answer = client.post("/v1/chat/completions", json=chat())
        error_of(answer, 503, "no_endpoint")
        assert answer.headers["retry-after"] == "1"
        # What has begun is finished.
        for stream in streams:
            assert len(words(stream.result()[:-1])) == 100
        gateway.kubectl("scale", "deployment/twins", "--replicas=2")
        gateway.wait_endpoints(2)
        for _ in range(6):
            ask(client)
    nothing_is_left(gateway)


@pytest.mark.short
def test_an_adapter_that_some_pods_lack_is_found_where_it_is(gateways, manifests):
    folder = manifests("replicas", **{'"100000000"]': '"100000000", --enable-lora, --max-loras, "4"]'})
    gateway = gateways([folder]).wait_endpoints(2)
    has, lacks = gateway.sims()

    def load(sim):
        answer = CONTROL.post(f"{sim.url}/v1/load_lora_adapter", json={"lora_name": "tone", "lora_path": "/a"})
        assert answer.status_code == 200, answer.text

    with gateway.client() as client:
        answer = client.post("/v1/chat/completions", json=chat(model="tone"))
        assert answer.status_code == 404 and "x-serin-reason" not in answer.headers  # nobody has it
        load(has)
        until(lambda: any("tone" in endpoint["models"] for endpoint in gateway.endpoints()), "the new model list")
        for _ in range(20):
            ask(client, model="tone")
        # The other is asked at most once in 10 s, and loses nothing by it for other models.
        assert sum(entry["model"] == "tone" for entry in lacks.requests()) <= 3
        assert sum(entry["model"] == "tone" for entry in has.requests()) >= 20
        assert min(spread(gateway, 20)) >= 8
        load(lacks)
        until(lambda: all("tone" in endpoint["models"] for endpoint in gateway.endpoints()), "both model lists")
        # The one that had it loses it: the other has it now, whatever it answered before.
        answer = CONTROL.post(f"{has.url}/v1/unload_lora_adapter", json={"lora_name": "tone"})
        assert answer.status_code == 200, answer.text
        until(lambda: sum("tone" in endpoint["models"] for endpoint in gateway.endpoints()) == 1, "the shorter list")
        for _ in range(20):
            ask(client, model="tone")
    nothing_is_left(gateway)


def leave_early(gateway, seed, count):
    """Clients that go away while they wait, while they read or not at all."""
    chooser = random.Random(seed)
    for _ in range(count):
        with gateway.client() as client:
            body = chat(stream=True, max_tokens=chooser.choice((1, 20)))
            with client.stream("POST", "/v1/chat/completions", json=body) as answer:
                for number, _ in enumerate(events(answer)):
                    if number == chooser.randrange(4):
                        break


@pytest.mark.short
def test_every_request_ends_exactly_once_whatever_becomes_of_it(gateways, tmp_path):
    """Queue and shedding, errors, cut streams, clients that leave: the sum of all ends is the sum of all requests."""
    gateway = gateways([annotated(tmp_path, flow_control="queue,ttl=1s,requests=20,full-queue=1")], "--workers", "4")
    gateway.wait_endpoints(2)
    first, second = gateway.sims()
    first.configure(error_rate=0.2, error_code=500)
    second.configure(die_after_events=3)
    leavers = [threading.Thread(target=leave_early, args=(gateway, seed, 15)) for seed in range(6)]
    with Traffic(gateway.address, connections=24) as streams, Traffic(gateway.address, stream=False) as answers:
        for thread in leavers:
            thread.start()
        until(lambda: min(streams.total(), answers.total()) > 150, "answers")
        for sim in (first, second):
            sim.configure(fake_metrics={"waiting": 9, "running": 9})
        until(lambda: gateway.metric("serin_pool_queued_requests") > 0, "a queue")
        until(lambda: 429 in (streams.statuses() | answers.statuses()), "refusals")
        for sim in (first, second):
            sim.configure(fake_metrics=None)
        for thread in leavers:
            thread.join()
    # Every client has its answer, and has left: what they counted is all there was.
    nothing_is_left(gateway)
    asked = streams.total() + answers.total() + 6 * 15
    ended = sum(gateway.metric("serin_request_ends_total", reason=reason) for reason in
                ("complete", "client_gone", "queue_full", "queue_timeout", "upstream_cut", "upstream_closed"))
    assert ended == asked, gateway.metrics()
    assert gateway.metric("llm_d_epp_request_total") == asked
    assert gateway.metric("serin_request_ends_total") == asked
