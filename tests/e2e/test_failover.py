"""A model server dies under load: what no byte was answered of goes to the other one, what was cut says so."""
import contextlib
import json
import os
import signal

import openai
import pytest

from conftest import DATA, InParallel, Load, Sim, Wire, ask, chat, edit, error_of, events, loopback, until, words


@pytest.fixture
def twins(gateways):
    """Two model servers in one pool."""
    return gateways([DATA / "replicas"]).wait_endpoints(2)


def kill(gateway, sim):
    os.kill(gateway.pid_of(sim.address), signal.SIGKILL)


def wait_back(gateway, sim, killed):
    """Another process has the address and gets requests.  That the pod was not ready in between may be over by now, or
    not be on the disk yet: the list of endpoints says nothing about it."""

    def is_new():
        with contextlib.suppress(AssertionError):
            return gateway.pid_of(sim.address) != killed

    until(is_new, "the pod's new process")
    until(lambda: sim.state()["requests"] > 0, "requests for the pod that came back")
    gateway.wait_endpoints(2)


class OpenStream:
    """A stream whose first words were read."""

    def __init__(self, gateway, stack, **more):
        client = stack.enter_context(gateway.client())
        body = chat(stream=True, **more)
        self.answer = stack.enter_context(client.stream("POST", "/v1/chat/completions", json=body))
        assert self.answer.status_code == 200
        self.arriving = events(self.answer)
        self.seen = []
        while not words(self.seen):
            self.seen.append(next(self.arriving))

    @property
    def pod(self):
        return self.answer.headers["x-inference-pod"]

    def rest(self):
        return list(self.arriving)


@pytest.mark.short
def test_requests_without_a_response_byte_are_answered_by_the_other_model_server(twins):
    doomed, other = twins.sims()
    doomed.hold()
    other.hold()
    with twins.client() as client, InParallel() as parallel:
        for _ in range(12):
            parallel(ask, client)
        until(lambda: doomed.state()["held"] + other.state()["held"] == 12, "all requests to be held")
        orphans = doomed.state()["held"]
        assert orphans >= 3
        kill(twins, doomed)
        other.release()
        answers = parallel.results()
    assert len({answer.headers["x-inference-pod"] for answer in answers}) == 1
    assert twins.metric("serin_retries_total") >= orphans
    assert twins.metric("serin_request_ends_total", reason="complete") == 12


@pytest.mark.short
def test_cut_streams_end_with_an_error_event_and_the_others_go_on(twins):
    doomed, other = twins.sims()
    doomed.hold("event", 2)
    other.hold("event", 2)
    with contextlib.ExitStack() as stack:
        streams = [OpenStream(twins, stack) for _ in range(8)]
        until(lambda: doomed.state()["held"] + other.state()["held"] == 8, "all streams to be held")
        pods = {e["address"]: e["pod"] for e in twins.endpoints()}
        kill(twins, doomed)
        other.release()
        ends = {stream: stream.rest() for stream in streams}
    name = pods[doomed.address].split("/")[-1]
    cut = [end for stream, end in ends.items() if stream.pod == name]
    whole = [end for stream, end in ends.items() if stream.pod != name]
    assert len(cut) >= 2 and len(whole) >= 2
    for end in cut:
        assert json.loads(end[-1])["error"]["code"] == "upstream_cut"
        assert "[DONE]" not in end
    for end in whole:
        assert end[-1] == "[DONE]" and len(words(end)) == 5
    assert twins.metric("serin_streams_cut_total") == len(cut)


def test_the_sdk_raises_on_a_cut_stream(twins):
    for sim in twins.sims():
        sim.hold("event", 2)
    with openai.OpenAI(base_url=f"{twins.url()}/v1", api_key="none", max_retries=0) as client:
        stream = client.chat.completions.create(model="mymodel", messages=chat()["messages"], stream=True)
        next(stream)
        until(lambda: any(sim.state()["held"] for sim in twins.sims()), "the stream to be held")
        for sim in twins.sims():
            if sim.state()["held"]:
                kill(twins, sim)
        with pytest.raises(openai.APIError) as caught:
            list(stream)
    assert caught.value.code == "upstream_cut"


def test_nobody_else_notices_a_kill_9_under_load_and_the_pod_comes_back(twins):
    doomed = twins.sims()[0]
    killed = twins.pid_of(doomed.address)
    with Load(twins, clients=8) as load:
        load.wait_answers(200)
        os.kill(killed, signal.SIGKILL)
        load.wait_answers(200)
        until(lambda: twins.metric("serin_workload_restarts_total", deployment="default/twins") == 1, "the restart")
        wait_back(twins, doomed, killed)
    assert load.failures == []


def test_a_pod_that_is_killed_again_and_again_comes_back_each_time(twins):
    doomed = twins.sims()[0]
    with Load(twins, clients=4) as load:
        for kills in range(1, 4):
            killed = twins.pid_of(doomed.address)
            os.kill(killed, signal.SIGKILL)
            until(lambda: twins.metric("serin_workload_restarts_total") >= kills, "the restart")
            wait_back(twins, doomed, killed)
            load.wait_answers(40)
    assert load.failures == []


@pytest.fixture
def strangers(sims, gateways, manifests):
    """Two model servers by hand, so that one that ends stays away; health checks come seldom."""
    first, second = loopback(), loopback()
    processes = [sims("serve", "/models/Alpha-7B", "--served-model-name", "mymodel", "--host", ip, "--port", "8000",
                      "--sim", "ttft=2ms,itl=1ms,prefill=0us") for ip in (first, second)]
    for ip in (first, second):
        until(lambda: Sim(f"{ip}:8000").state(), "the model server")
    folder = manifests("hosts", FIRST=first, SECOND=second)
    edit(folder / "hosts.yaml", "200ms", "1h")
    return gateways([folder], workloads="none").wait_endpoints(2), processes


def test_a_model_server_that_refuses_connections_is_passed_over(strangers):
    gateway, (first, second) = strangers
    first.kill()
    first.wait()
    with gateway.client() as client:
        for _ in range(40):
            ask(client)
    assert gateway.metric("serin_retries_total") >= 1


def test_when_nobody_can_be_reached_the_answer_is_503_with_retry_after(strangers):
    gateway, processes = strangers
    for process in processes:
        process.kill()
        process.wait()
    with gateway.client() as client:
        for _ in range(5):
            answer = client.post("/v1/chat/completions", json=chat())
            error_of(answer, 503, "connect_failed")
            assert int(answer.headers["retry-after"]) >= 1 and answer.headers["x-serin-arm"] == "gpu-hosts/mymodel"


def test_an_answer_that_has_begun_is_never_sent_twice(twins):
    sims = twins.sims()
    for sim in sims:
        sim.configure(die_after_events=3)
    for _ in range(6):
        with twins.client() as client:
            with client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
                end = list(events(answer))
            assert len(words(end[:-1])) == 3
            assert json.loads(end[-1])["error"]["code"] == "upstream_cut"
    assert sum(sim.state()["requests"] for sim in sims) == 6
    assert twins.metric("serin_retries_total") == 0


def test_a_client_whose_stream_was_cut_can_go_on_over_its_connection(twins):
    for sim in twins.sims():
        sim.configure(die_after_events=3)
    with twins.client(connections=1) as client:
        for _ in range(20):
            with client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
                assert json.loads(list(events(answer))[-1])["error"]["code"] == "upstream_cut"


def test_an_answer_of_known_length_that_is_cut_ends_with_a_reset(twins):
    for sim in twins.sims():
        sim.configure(die_after_bytes=20)
    body = json.dumps(chat()).encode()
    with Wire(twins.address) as wire:
        wire.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        status, headers = wire.head()
        assert status == 200 and int(headers["content-length"]) > 20
        with pytest.raises((ConnectionResetError, AssertionError)):
            wire.take(int(headers["content-length"]))
    until(lambda: twins.metric("serin_request_ends_total", reason="upstream_cut") == 1, "its end")


def test_errors_of_a_model_server_are_passed_on_as_they_are(twins):
    for sim in twins.sims():
        sim.configure(error_rate=1, error_code=503)
    with twins.client() as client:
        answer = client.post("/v1/chat/completions", json=chat())
    assert answer.status_code == 503 and "x-serin-reason" not in answer.headers
    assert answer.json()["error"]["message"] == "an error injected by error-rate"
    assert answer.headers["x-serin-arm"] == "twins/mymodel"


def test_load_spreads_over_both_model_servers(twins):
    sims = twins.sims()
    for sim in sims:
        sim.hold()
    with twins.client() as client, InParallel() as parallel:
        for _ in range(20):
            parallel(ask, client)
        until(lambda: sum(sim.state()["held"] for sim in sims) == 20, "20 held requests")
        held = [sim.state()["held"] for sim in sims]
        for sim in sims:
            sim.release()
    assert min(held) >= 8, held


def test_a_model_server_with_a_queue_is_passed_over(twins):
    busy, other = twins.sims()
    busy.configure(fake_metrics={"waiting": 30, "running": 200, "kv": 0.9})
    address = busy.address
    until(lambda: any(e["address"] == address and e["waiting"] == 30 for e in twins.endpoints()), "the scraped queue")
    with twins.client() as client:
        pods = {ask(client).headers["x-inference-pod"] for _ in range(20)}
    assert len(pods) == 1
    busy.configure(fake_metrics=None)
    until(lambda: all(e["waiting"] == 0 for e in twins.endpoints()), "the end of the queue")
