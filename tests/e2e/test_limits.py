"""Limits on bodies and time, and what is said when they are reached."""
import gzip
import json

import httpx
import pytest

from conftest import DATA, InParallel, Wire, ask, chat, error_of, events, until

MB = 1_000_000


def big(megabytes):
    """A chat request of so many megabytes whose model stands behind the text."""
    text = "word " * (megabytes * MB // 5)
    return json.dumps({"messages": [{"role": "user", "content": text}], "max_tokens": 2, "model": "mymodel"}).encode()


def in_pieces(body):
    """Sent chunked, without a Content-Length."""
    for start in range(0, len(body), 100_000):
        yield body[start:start + 100_000]


@pytest.fixture(scope="module")
def patient(shared_gateways):
    return shared_gateways([DATA / "limits"])


@pytest.fixture
def sim(patient):
    sim = patient.sims()[0]
    yield sim
    sim.release()


def post(client, body, **headers):
    return client.post("/v1/chat/completions", content=body, headers={"content-type": "application/json", **headers})


@pytest.mark.parametrize("form", [bytes, in_pieces], ids=["length", "chunked"])
def test_a_body_of_21_mb_is_refused_under_the_limit_of_20_mi(patient, sim, form):
    before = sim.state()["requests"]
    with patient.client() as client:
        error_of(post(client, form(big(21))), 413, "body_too_large")
        ask(client)
    assert sim.state()["requests"] == before + 1
    until(lambda: patient.metric("serin_body_bytes_held") == 0, "the body's memory to be given back")


@pytest.mark.parametrize("form", [bytes, in_pieces], ids=["length", "chunked"])
def test_a_body_of_19_mb_passes_whole(patient, sim, form):
    body = big(19)
    with patient.client() as client:
        assert post(client, form(body)).status_code == 200
    assert sim.requests()[-1]["body_bytes"] == len(body)
    until(lambda: patient.metric("serin_body_bytes_held") == 0, "the body's memory to be given back")


@pytest.mark.parametrize("form", [bytes, in_pieces], ids=["length", "chunked"])
def test_a_body_of_60_mb_passes_when_its_model_stands_within_the_limit(patient, sim, form, is_sanitized):
    body = b'{"model": "mymodel", ' + big(60)[1:].replace(b', "model": "mymodel"', b"")
    before = patient.metric("process_resident_memory_bytes")
    with patient.client() as client:
        assert post(client, form(body)).status_code == 200
    assert sim.requests()[-1]["body_bytes"] == len(body)
    if not is_sanitized:
        assert patient.metric("process_resident_memory_bytes") < before + (10 << 20)
    until(lambda: patient.metric("serin_body_bytes_held") == 0, "the body's memory to be given back")


def test_a_second_model_60_mb_behind_the_first_is_refused(patient, sim):
    body = b'{"model": "mymodel", ' + big(60)[1:]
    with patient.client() as client:
        error_of(post(client, body), 400, "duplicate_model")
        ask(client)


def test_a_model_that_ends_with_the_limit_passes_and_one_byte_later_does_not(patient):
    limit = 20 << 20
    body = big(20)
    body = body[:1] + b" " * (limit - len(body) + 1) + body[1:]
    assert len(body) == limit + 1 and body[limit - 1:] == b'"}'
    with patient.client() as client:
        assert post(client, body).status_code == 200
        error_of(post(client, body[:1] + b" " + body[1:]), 413, "body_too_large")


def test_memory_for_large_bodies_is_given_back(patient, is_sanitized):
    if is_sanitized:
        pytest.skip("sanitizers keep freed memory")
    with patient.client() as client:
        post(client, big(19))
        before = patient.metric("process_resident_memory_bytes")
        for _ in range(5):
            assert post(client, big(19)).status_code == 200
    until(lambda: patient.metric("process_resident_memory_bytes") < before + (8 << 20), "memory to be given back")


def test_a_spent_body_budget_is_a_413_and_recovers(gateways):
    gateway = gateways([DATA / "limits"], "--body-budget", "4")
    sim = gateway.sims()[0]
    sim.hold()
    with gateway.client() as client, InParallel() as parallel:
        parallel(post, client, big(3))
        sim.wait_held(1)
        answer = post(client, big(3))
        error_of(answer, 413, "body_budget")
        assert int(answer.headers["retry-after"]) >= 1
        sim.release()
        assert parallel.results()[0].status_code == 200
        assert gateway.metric("serin_body_limit_hits_total", limit="budget") == 1
        until(lambda: gateway.metric("serin_body_bytes_held") == 0, "the budget to be given back")
        assert post(client, big(3)).status_code == 200


MODELS = b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"
CHAT = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (len(json.dumps(chat())), json.dumps(chat()).encode()))


@pytest.mark.short
def test_limits_are_set_by_name_and_what_they_refuse_is_counted(gateways):
    gateway = gateways([DATA / "limits"], "--workers", "1", "--limit", "connections=2", "--limit", "head-time=300ms",
                       "--limit", "head-fields=10")
    sim = gateway.sims()[0]
    sim.hold()
    with Wire(gateway.address) as first, Wire(gateway.address) as second:
        first.send(CHAT)
        second.send(CHAT)
        sim.wait_held(2)
        with Wire(gateway.address) as third:
            answer = third.send(MODELS).answer()
            error_of(answer, 503, "too_many_connections")
            assert answer.headers["retry-after"] == "1" and third.is_closed()
        sim.release()
        assert [first.answer().status_code, second.answer().status_code] == [200, 200]
        error_of(first.send(MODELS[:-2] + b"A: b\r\n" * 10 + b"\r\n").answer(), 431, "too_many_headers")
        error_of(second.send(MODELS[:-2]).answer(), 408, "slow_request")
    until(lambda: gateway.metric("serin_downstream_connections") == 0, "the end of all connections")
    with Wire(gateway.address) as again:
        assert again.send(MODELS).answer().status_code == 200
    for reason in ("too_many_connections", "slow_request"):
        assert gateway.metric("serin_bad_requests_total", reason=reason) == 1
    assert gateway.metric("serin_header_limit_hits_total", limit="too_many_headers") == 1


def test_at_the_limit_of_connections_the_one_idle_longest_makes_room(gateways):
    gateway = gateways([DATA / "limits"], "--workers", "1", "--limit", "connections=2")
    with Wire(gateway.address) as first, Wire(gateway.address) as second:
        assert second.send(MODELS).answer().status_code == 200
        for _ in range(100):  # longer than the clock's millisecond
            assert first.send(MODELS).answer().status_code == 200
        with Wire(gateway.address) as third:
            assert third.send(MODELS).answer().status_code == 200
            assert second.is_closed()
            assert first.send(MODELS).answer().status_code == 200
    assert gateway.metric("serin_downstream_evictions_total") == 1
    assert gateway.metric("serin_bad_requests_total") == 0


def test_beyond_the_connections_to_an_endpoint_a_request_is_refused_until_there_is_room(gateways):
    gateway = gateways([DATA / "limits"], "--workers", "1", "--limit", "upstream-connections=1")
    sim = gateway.sims()[0]
    sim.hold()
    with gateway.client() as client, InParallel() as parallel:
        parallel(ask, client)
        sim.wait_held(1)
        answer = client.post("/v1/chat/completions", json=chat())
        error_of(answer, 503, "endpoint_connections")
        assert answer.headers["retry-after"] == "1"
        sim.release()
        parallel.results()
        ask(client)
    assert gateway.metric("serin_upstream_connects_total", result="refused") == 1


@pytest.mark.short
@pytest.mark.parametrize("host, limit", [("impatient.example", "1s"), ("hasty.example", "300ms")])
def test_a_request_that_takes_longer_than_its_timeout_is_a_504(patient, sim, host, limit):
    sim.hold()
    aborted = sim.state()["aborted"]
    with patient.client() as client:
        answer = post(client, json.dumps(chat()).encode(), host=host)
        error_of(answer, 504, "request_timeout")
        assert answer.headers["x-serin-arm"] == "patient/mymodel"
        until(lambda: sim.state()["aborted"] == aborted + 1, "the abort in the model server")
        sim.release()
        assert post(client, json.dumps(chat()).encode(), host=host).status_code == 200


@pytest.mark.parametrize("host", ["impatient.example", "hasty.example"])
def test_a_stream_that_takes_longer_than_its_timeout_is_reset(patient, sim, host):
    sim.hold("event", 2)
    seen = []
    with patient.client() as client, pytest.raises(httpx.TransportError):
        with client.stream("POST", "/v1/chat/completions", json=chat(stream=True), headers={"host": host}) as answer:
            assert answer.status_code == 200
            for data in events(answer):
                seen.append(data)
    assert seen and "[DONE]" not in seen
    until(lambda: sim.state()["running"] == 0, "the abort in the model server")
    assert patient.metric("serin_request_ends_total", reason="request_timeout") >= 1


def test_other_routes_have_no_hidden_timeout(patient, sim):
    sim.hold()
    with patient.client() as client, InParallel() as parallel:
        slow = parallel(ask, client)
        sim.wait_held(1)
        error_of(post(client, json.dumps(chat()).encode(), host="impatient.example"), 504, "request_timeout")
        assert not slow.done()  # it has waited for longer than a second by now
        sim.release()


@pytest.mark.short
def test_a_compressed_body_is_a_415(patient):
    with patient.client() as client:
        for coding in ("gzip", "br", "zstd", "deflate", "unheard-of"):
            error_of(post(client, gzip.compress(json.dumps(chat()).encode()), **{"content-encoding": coding}), 415,
                     "unsupported_content_encoding")
        assert post(client, json.dumps(chat()).encode(), **{"content-encoding": "identity"}).status_code == 200


def test_a_body_that_says_it_is_no_json_is_passed_on_unread(patient, sim):
    with patient.client() as client:
        answer = client.post("/v1/audio/transcriptions", files={"file": ("a.wav", b"\0RIFF" * 1000)})
    assert answer.status_code == 404 and "x-serin-reason" not in answer.headers  # the model server's own answer
    assert answer.headers["x-serin-arm"] == "patient"


def test_many_large_bodies_at_once_are_all_answered(patient):
    body = big(6)

    def send():
        with patient.client() as client:
            return post(client, body).status_code

    with InParallel(8) as parallel:
        for _ in range(16):
            parallel(send)
    assert parallel.results() == [200] * 16
