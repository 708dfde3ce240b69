"""What the gateway says of each request afterwards: metrics by arm, the access log, the headers of an answer."""
import json
import os
import signal

import httpx
import pytest

from conftest import DATA, Wire, arm, ask, chat, events, until, words

ARM = "twins"  # the label: no object names the model, so that it is counted under its pool


@pytest.fixture(scope="module")
def one(shared_gateways, tmp_path_factory):
    """One model server, and the access log in a file."""
    folder = tmp_path_factory.mktemp("one")
    file = folder / "models.yaml"
    file.write_text((DATA / "replicas" / "models.yaml").read_text().replace("replicas: 2", "replicas: 1"))
    gateway = shared_gateways([file], "--access-log", str(folder / "access.log"))
    gateway.access_log = folder / "access.log"
    return gateway


@pytest.fixture
def sim(one):
    sim = one.sims()[0]
    yield sim
    sim.release()
    sim.configure(ttft="2ms", itl="1ms", empty="off", die_after_events="off", error_rate=0)
    until(lambda: sim.state()["running"] == 0, "the end of all that runs")


def lines(path):
    """Every line is one JSON object, whatever clients sent."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def logged(gateway, request_id):
    """The line of a request; they come a moment later."""
    return until(lambda: next((line for line in lines(gateway.access_log) if line.get("request_id") == request_id), None),
                 f"the line of {request_id}")


def family(gateway, name):
    return gateway.metric(f"{name}_count", arm=ARM), gateway.metric(f"{name}_sum", arm=ARM)


@pytest.mark.short
def test_a_stream_is_counted_in_tokens_and_timed_from_its_first_token(one, sim):
    sim.configure(ttft="120ms", itl="10ms")
    before = {name: one.metric(name, arm=ARM) for name in ("serin_prompt_tokens_total", "serin_output_tokens_total")}
    first, gaps, each = (family(one, f"serin_{name}_seconds") for name in (
        "time_to_first_token", "inter_token_latency", "time_per_output_token"))
    body = chat(stream=True, max_tokens=12, ignore_eos=True, stream_options={"include_usage": True})
    with one.client() as client, client.stream("POST", "/v1/chat/completions", json=body,
                                               headers={"X-Request-Id": "stream-1"}) as answer:
        datas = list(events(answer))
    usage = json.loads(datas[-2])["usage"]
    assert usage["completion_tokens"] == 12 == len(words(datas[:-2]))
    line = logged(one, "stream-1")
    assert line["stream"] is True and line["status"] == 200 and line["reason"] == "complete"
    assert (line["prompt_tokens"], line["output_tokens"]) == (usage["prompt_tokens"], 12)
    assert 115 <= line["ttft_ms"] < line["total_ms"]
    assert 8 <= line["tpot_ms"] <= (line["total_ms"] - line["ttft_ms"]) / 11 + 0.01
    assert line["finish"] == "length"
    assert one.metric("serin_output_tokens_total", arm=ARM) - before["serin_output_tokens_total"] == 12
    assert (one.metric("serin_prompt_tokens_total", arm=ARM) - before["serin_prompt_tokens_total"]
            == usage["prompt_tokens"])
    count, total = family(one, "serin_time_to_first_token_seconds")
    assert count - first[0] == 1 and abs(total - first[1] - line["ttft_ms"] / 1000) < 0.001
    count, total = family(one, "serin_time_per_output_token_seconds")
    assert count - each[0] == 1 and abs(total - each[1] - line["tpot_ms"] / 1000) < 0.001
    count, total = family(one, "serin_inter_token_latency_seconds")
    assert count - gaps[0] == 11 and total - gaps[1] >= 0.08


@pytest.mark.short
def test_a_whole_answer_has_tokens_and_no_first_token(one, sim):
    with one.client() as client:
        answer = ask(client, headers={"X-Request-Id": "whole-1"}, max_tokens=5)
    line, usage = logged(one, "whole-1"), answer.json()["usage"]
    assert (line["prompt_tokens"], line["output_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert line["stream"] is False and "ttft_ms" not in line and "tpot_ms" not in line
    assert line["bytes_out"] == len(answer.content)
    assert line["bytes_in"] == len(answer.request.content)
    assert (line["method"], line["path"]) == ("POST", "/v1/chat/completions")
    assert line["arm"] == arm(answer) == "twins/mymodel"
    assert (line["route"], line["rule"], line["model"]) == ("default/twins", "rules[0]", "mymodel")
    assert line["endpoint"] == one.endpoints()[0]["address"] and line["retries"] == 0
    assert line["client"].startswith("127.")


def test_the_revision_of_the_pod_template_is_told(one, sim):
    pod = one.kubectl.json("get", "pods")["items"][0]
    with one.client() as client:
        answer = ask(client, headers={"X-Request-Id": "revision-1"})
    assert answer.headers["x-serin-revision"] == pod["metadata"]["labels"]["pod-template-hash"]
    assert logged(one, "revision-1")["revision"] == answer.headers["x-serin-revision"]


def test_a_client_that_leaves_and_a_model_server_that_cuts(one, sim):
    sim.hold("event", 2)
    body = chat(stream=True)
    with one.client() as client, client.stream("POST", "/v1/chat/completions", json=body,
                                               headers={"X-Request-Id": "left-1"}) as answer:
        arriving = events(answer)
        while not words([next(arriving)]):
            pass
    line = logged(one, "left-1")
    assert (line["reason"], line["status"]) == ("client_gone", 200) and line["output_tokens"] >= 1
    sim.release()
    sim.configure(die_after_events=3)
    with one.client() as client, client.stream("POST", "/v1/chat/completions", json=body,
                                               headers={"X-Request-Id": "cut-1"}) as answer:
        datas = list(events(answer))
    line = logged(one, "cut-1")
    assert line["reason"] == "upstream_cut" and line["output_tokens"] == len(words(datas[:-1])) == 3
    assert line["bytes_out"] > 0 and line["ttft_ms"] > 0
    until(lambda: one.metric("serin_arm_requests_active", arm=ARM) == 0, "nothing in progress")


def test_empty_answers_are_counted(one, sim):
    before = one.metric("serin_empty_answers_total", arm=ARM)
    with one.client() as client:
        ask(client)
        assert one.metric("serin_empty_answers_total", arm=ARM) == before
        sim.configure(empty="on")
        ask(client)
        assert list(events(client.send(client.build_request("POST", "/v1/chat/completions", json=chat(stream=True)))))
    assert one.metric("serin_empty_answers_total", arm=ARM) == before + 2


def test_what_is_refused_is_logged_too(one):
    with one.client() as client:
        assert client.get("/nowhere", headers={"X-Request-Id": "no-1", "Host": "other"}).status_code == 404
        client.post("/v1/chat/completions", content=b"{", headers={"X-Request-Id": "no-2"})
    line = logged(one, "no-2")
    assert (line["status"], line["reason"]) == (400, "bad_body") and "arm" not in line


@pytest.mark.short
def test_hostile_bytes_forge_no_line(one, sim):
    forged = b'x","status":200}\\n{"request_id":"forged'
    before = len(lines(one.access_log))
    with Wire(one.address) as wire:
        wire.send(b"GET /a%0a%22b?secret=1 HTTP/1.1\r\nHost: a\"b\r\nX-Request-Id: " + forged + b"\xff\x80\r\n\r\n")
        wire.answer()
    with Wire(one.address) as wire:
        wire.send(b'GET /"},{\\"x\\":\\xff HTTP/1.1\r\nHost: a\r\nX-Request-Id: \x80\xc3\r\n\r\n')
        wire.answer()
    with one.client() as client:
        ask(client, headers={"X-Request-Id": "after"})
    logged(one, "after")
    new = lines(one.access_log)[before:]
    assert not any(line.get("request_id") == "forged" for line in new)
    assert "secret" not in json.dumps(new)


def test_a_log_that_was_moved_away_is_begun_anew(one, sim):
    with one.client() as client:
        ask(client, headers={"X-Request-Id": "old-1"})
        logged(one, "old-1")
        moved = one.access_log.with_suffix(".1")
        one.access_log.rename(moved)
        one.process.send_signal(signal.SIGHUP)
        until(one.access_log.exists, "the new file")
        ask(client, headers={"X-Request-Id": "new-1"})
    logged(one, "new-1")
    assert any(line.get("request_id") == "old-1" for line in lines(moved))
    assert not any(line.get("request_id") == "new-1" for line in lines(moved))


def test_a_log_that_nobody_reads_holds_up_no_request(gateways, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    served = gateways([DATA / "replicas"], "--access-log", str(pipe), "--workers", "1")
    path = "/" + "x" * 1000
    with served.client() as client:
        for _ in range(200):
            batch = [client.get(path) for _ in range(10)]
            assert all(answer.status_code in (200, 404) for answer in batch)
            if served.metric("serin_access_log_dropped_total", reason="ring_full") > 0:
                break
        else:
            raise AssertionError("nothing was dropped, yet nobody reads")
    os.close(reader)


def test_a_gateway_that_is_stopped_has_written_its_last_line(gateways, tmp_path):
    log = tmp_path / "access.log"
    served = gateways([DATA / "replicas"], "--access-log", str(log))
    with served.client() as client:
        for number in range(20):
            ask(client, headers={"X-Request-Id": f"last-{number}"})
    assert served.stop(signal.SIGTERM) == 0
    assert {line["request_id"] for line in lines(log)} == {f"last-{number}" for number in range(20)}


def test_the_log_can_go_to_standard_output_beside_the_line_ready(gateways):
    served = gateways([DATA / "replicas"], "--access-log", "-")
    with served.client() as client:
        ask(client, headers={"X-Request-Id": "out-1"})
    until(lambda: '"request_id":"out-1"' in served.read_output(), "the line")


def test_arms_can_be_hidden_and_without_the_flag_there_is_no_log(gateways, tmp_path):
    served = gateways([DATA / "replicas"], "--hide-arm")
    with served.client() as client:
        answer = ask(client)
    assert not any(name.startswith("x-serin") for name in answer.headers)
    assert isinstance(answer, httpx.Response)


def test_an_access_log_that_cannot_be_opened_is_said_at_once(command, tmp_path):
    ended = command("up", "--data", tmp_path / "data", "--admin", "127.0.0.1:0", "--api", "none", "--access-log",
                    tmp_path / "no" / "such" / "folder")
    assert ended.returncode == 1 and "No such file" in ended.stderr
