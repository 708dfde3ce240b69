"""Streams: every event at once, in order and whole; a client that leaves or is slow harms nobody."""
import json

import openai
import pytest

from conftest import DATA, InParallel, Wire, ask, chat, events, until, words

MANY = 2000


@pytest.fixture(scope="module")
def one(shared_gateways, tmp_path_factory):
    """One model server."""
    file = tmp_path_factory.mktemp("one") / "models.yaml"
    file.write_text((DATA / "replicas" / "models.yaml").read_text().replace("replicas: 2", "replicas: 1"))
    return shared_gateways([file])


@pytest.fixture
def sim(one):
    sim = one.sims()[0]
    yield sim
    sim.release()
    sim.configure(ttft="2ms", itl="1ms")
    until(lambda: sim.state()["running"] == 0, "the end of all that runs")


@pytest.mark.short
def test_the_first_event_reaches_the_client_while_the_model_server_is_held_before_its_second(one, sim):
    sim.hold("event", 1)
    with one.client() as client, client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        arriving = events(answer)
        first = []
        while not words(first):
            first.append(next(arriving))
        sim.wait_held(1)
        assert sim.state()["events_sent"] >= 1 and len(words(first)) == 1
        sim.release()
        rest = list(arriving)
    assert rest[-1] == "[DONE]" and len(words(first + rest)) == 6


@pytest.mark.short
def test_events_that_wait_for_each_other_arrive_whole_and_in_order(gateways):
    """With a window of 10 ms, the longest there is; no stream waits for ever, none waits for its first token."""
    gateway = gateways([DATA / "replicas" / "models.yaml"], "--event-window", "10000")
    for sim in gateway.sims():
        sim.configure(ttft="2ms", itl="1ms")

    def read():
        wanted = chat(stream=True, max_tokens=100)
        with gateway.client() as client, client.stream("POST", "/v1/chat/completions", json=wanted) as answer:
            assert answer.status_code == 200
            return list(events(answer))

    with InParallel(40) as parallel:
        for _ in range(40):
            parallel(read)
    for got in [read(), *parallel.results()]:
        assert got[-1] == "[DONE]" and len(words(got)) == 100
    with gateway.client() as client:
        ask(client)


@pytest.mark.short
def test_the_head_of_a_stream_reaches_the_client_before_its_first_token(one, sim):
    sim.hold("first-token")
    with one.client() as client, client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
        assert answer.status_code == 200 and answer.headers["x-serin-arm"] == "twins/mymodel"
        sim.wait_held(1)
        sim.release()
        assert list(events(answer))[-1] == "[DONE]"


@pytest.mark.short
def test_a_client_that_leaves_its_stream_shows_as_an_abort_in_the_model_server(one, sim):
    aborted, aborts = sim.state()["aborted"], one.metric("serin_client_aborts_total")
    sim.hold("event", 1)
    with one.client() as client, client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
        arriving = events(answer)
        next(arriving)
        sim.wait_held(1)
    until(lambda: sim.state()["aborted"] == aborted + 1, "the abort")
    until(lambda: sim.state()["running"] == 0, "a free slot")
    until(lambda: one.metric("serin_client_aborts_total") == aborts + 1, "the abort in the metrics")
    until(lambda: one.metric("serin_request_ends_total", reason="client_gone") >= 1, "the reason of its end")
    until(lambda: one.metric("serin_requests_active") == 0, "the end of the request")


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_before_its_answer_shows_as_an_abort_too(one, sim, stream):
    aborted = sim.state()["aborted"]
    sim.hold()
    body = json.dumps(chat(stream=stream)).encode()
    with Wire(one.address) as wire:
        wire.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        sim.wait_held(1)
    until(lambda: sim.state()["aborted"] == aborted + 1, "the abort")


def test_a_client_that_leaves_in_the_middle_of_its_body_is_never_sent_on(one, sim):
    before = sim.state()["requests"]
    gone = one.metric("serin_request_ends_total", reason="client_gone")
    with Wire(one.address) as wire:
        wire.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{\"model\":")
        until(lambda: one.metric("serin_requests_active") == 1, "the request")
    until(lambda: one.metric("serin_request_ends_total", reason="client_gone") == gone + 1, "its end")
    assert sim.state()["requests"] == before


def test_a_slow_reader_does_not_grow_memory_and_still_gets_everything(one, sim, is_sanitized):
    tokens = 200_000  # some 40 MB of events
    sim.configure(itl="0us")
    body = json.dumps(chat(stream=True, max_tokens=tokens, ignore_eos=True)).encode()
    with one.client() as client:
        ask(client)
    before = one.metric("process_resident_memory_bytes")
    with Wire(one.address, receive_buffer=262144) as wire:
        wire.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        until(lambda: sim.state()["events_sent"] > 1000, "a stream that runs")
        seen = []

        def is_stuck():
            seen.append(sim.state()["events_sent"])
            return len(seen) > 20 and len(set(seen[-20:])) == 1

        until(is_stuck, "backpressure up to the model server")
        assert seen[-1] < tokens
        grown = one.metric("process_resident_memory_bytes") - before
        assert grown < 4 << 20 or is_sanitized, f"{grown} bytes more for one slow reader"
        with one.client() as client:  # nobody else is slowed
            ask(client)
        answer = wire.answer()
    assert answer.text.count('"content":') == tokens + 1  # the first has the role and no text
    assert answer.text.endswith("data: [DONE]\n\n")
    grown = one.metric("process_resident_memory_bytes") - before
    assert grown < 4 << 20 or is_sanitized, f"{grown} bytes more after a slow reader"


def sdk(gateway):
    return openai.OpenAI(base_url=f"{gateway.url()}/v1", api_key="none", max_retries=0)


def test_an_sdk_stream_of_2000_events_has_every_event_in_order_and_usage_agrees(one, sim):
    sim.configure(itl="200us")
    question = {"model": "mymodel", "messages": [{"role": "user", "content": "Tell me a long story"}], "seed": 7,
                "max_tokens": MANY, "extra_body": {"ignore_eos": True}}
    with sdk(one) as client:
        whole = client.chat.completions.create(**question)
        chunks = list(client.chat.completions.create(**question, stream=True, stream_options={"include_usage": True}))
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(texts) == MANY
    assert "".join(texts) == whole.choices[0].message.content
    assert chunks[-1].choices == [] and chunks[-1].usage == whole.usage
    assert whole.usage.completion_tokens == MANY
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"
    assert len({chunk.id for chunk in chunks}) == 1


def test_forty_streams_at_once_each_get_their_own_events(one, sim):
    def read(number):
        with one.client() as client:
            body = chat(stream=True, max_tokens=50, text=f"story {number}", seed=number)
            with client.stream("POST", "/v1/chat/completions", json=body) as answer:
                streamed = "".join(words(list(events(answer))))
            return streamed, ask(client, max_tokens=50, text=f"story {number}", seed=number).json()

    with InParallel(40) as parallel:
        for number in range(40):
            parallel(read, number)
    results = parallel.results()
    assert all(streamed == whole["choices"][0]["message"]["content"] for streamed, whole in results)
    assert len({streamed for streamed, _ in results}) > 20


def test_a_keep_alive_connection_carries_streams_one_after_the_other(one, sim):
    before = one.metric("serin_downstream_connections_total")
    with one.client(connections=1) as client:
        for _ in range(10):
            with client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
                assert list(events(answer))[-1] == "[DONE]"
    assert one.metric("serin_downstream_connections_total") == before + 1


def test_a_stream_for_an_http_1_0_client_ends_with_the_connection(one, sim):
    body = json.dumps(chat(stream=True)).encode()
    with Wire(one.address) as wire:
        wire.send(b"POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        status, headers = wire.head()
        rest = wire.take_rest()
    assert status == 200 and "transfer-encoding" not in headers and "content-length" not in headers
    assert rest.startswith(b"data: ") and rest.endswith(b"data: [DONE]\n\n")
