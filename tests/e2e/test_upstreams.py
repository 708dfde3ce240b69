"""Model servers that answer badly, early or strangely: a scripted server in place of a simulator."""
import contextlib
import json
import socket
import threading

import httpx
import pytest

from conftest import DATA, ask, chat, error_of, events, loopback, until, words

JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
ANSWER = JSON_HEAD + b"Content-Length: 2\r\n\r\n{}"
MODELS = json.dumps({"object": "list", "data": [{"id": "mymodel"}]}).encode()
RESET = object()


def event(text):
    return b"data: %s\n\n" % json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class ScriptedServer:
    """Answers health checks, scrapes and model lists well, and each completion with the bytes that the test says.

    After the bytes it closes, unless `keeps` is set; RESET as the last piece closes with a reset."""

    def __init__(self, ip):
        self.answer, self.keeps, self.reads_body = [ANSWER], False, True
        self.completions, self.connections, self.heads = 0, 0, []
        self.listener = socket.create_server((ip, 8000))
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def script(self, *pieces, keeps=False, reads_body=True):
        self.answer, self.keeps, self.reads_body = list(pieces), keeps, reads_body
        self.completions, self.connections, self.heads = 0, 0, []

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.open.add(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        has_counted = False
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as arriving:
            while line := arriving.readline():
                head = [line]
                while (field := arriving.readline()) not in (b"\r\n", b""):
                    head.append(field)
                if b"completions" not in line:
                    body = MODELS if b"/v1/models" in line else b"vllm:num_requests_waiting{} 0\n"
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                    continue
                self.connections += not has_counted
                has_counted = True
                self.completions += 1
                self.heads.append(b"".join(head).decode())
                if self.reads_body:
                    arriving.read(next(int(f.split(b":")[1]) for f in head if f.lower().startswith(b"content-length:")))
                for piece in self.answer:
                    if piece is RESET:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    else:
                        connection.sendall(piece)
                if not self.keeps:
                    return
        self.open.discard(connection)

    def end(self):
        self.listener.close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def scripted(shared_gateways, tmp_path_factory):
    """A gateway whose one model server is scripted: (gateway, server)."""
    ip = loopback()
    server = ScriptedServer(ip)
    text = (DATA / "hosts" / "hosts.yaml").read_text().replace("FIRST", ip).replace("- addresses: [SECOND]\n", "")
    file = tmp_path_factory.mktemp("scripted") / "hosts.yaml"
    file.write_text(text)
    gateway = shared_gateways([file], workloads="none").wait_endpoints(1)
    yield gateway, server
    server.end()


def post(gateway, **more):
    with gateway.client() as client:
        return client.post("/v1/chat/completions", json=chat(**more))


BROKEN = [
    ("no HTTP", b"hello there\r\n\r\n"),
    ("HTTP/0.9", b"<html></html>"),
    ("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status of two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status of letters", b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status of 099", b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
    ("LF line ends", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    ("NUL in a header", b"HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 0\r\n\r\n"),
    ("a folded header", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
    ("a space before a colon", b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    ("length and chunked", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("an unknown coding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
    ("an upgrade that nobody asked for", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ("a header of 100 KB", b"HTTP/1.1 200 OK\r\nA: " + b"a" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n"),
    ("a thousand headers", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"Content-Length: 0\r\n\r\n"),
]


@pytest.mark.short
@pytest.mark.parametrize("answer", [case[1] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_an_answer_that_is_no_http_is_a_502_and_is_not_asked_for_again(scripted, answer):
    gateway, server = scripted
    server.script(answer)
    error_of(post(gateway), 502, "bad_upstream")
    assert server.completions == 1


@pytest.mark.short
@pytest.mark.parametrize("pieces", [(), (RESET,), (b"HTTP/1.1 200",), (b"HTTP/1.1 200 OK\r\nContent-Len",)],
                         ids=["nothing", "reset", "half a status line", "half a head"])
def test_a_server_that_leaves_before_its_head_is_whole_is_a_502(scripted, pieces):
    gateway, server = scripted
    server.script(*pieces)
    answer = post(gateway)
    error_of(answer, 502, answer.headers["x-serin-reason"])
    assert answer.headers["x-serin-reason"] in ("upstream_closed", "bad_upstream")
    assert server.completions <= 4


@pytest.mark.short
@pytest.mark.parametrize("head, body", [
    (JSON_HEAD + b"Content-Length: 100\r\n\r\n", b'{"half":'),
    (JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunk(b'{"half":')),
    (JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunk(b'{"half":') + b"nonsense\r\n"),
    (JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10\r\nhalf"),
], ids=["length", "chunked", "bad chunk", "half a chunk"])
def test_a_plain_answer_that_is_cut_is_cut_for_the_client_too(scripted, head, body):
    gateway, server = scripted
    server.script(head + body)
    with pytest.raises(httpx.TransportError):
        post(gateway)
    assert server.completions == 1


CUTS = [
    ("between events", event("one") + event("two"), ["one", "two"]),
    ("within an event", event("one") + b'data: {"choices":[{"index":0,"de', ["one"]),
    ("after one line feed", event("one")[:-1], None),
    ("before any event", b"", []),
]


@pytest.mark.short
@pytest.mark.parametrize("end", [b"", b"nonsense\r\n", RESET], ids=["closed", "bad chunk", "reset"])
@pytest.mark.parametrize("sent, whole", [case[1:] for case in CUTS], ids=[case[0] for case in CUTS])
def test_a_stream_that_is_cut_ends_with_an_error_event_of_its_own(scripted, sent, whole, end):
    gateway, server = scripted
    body = chunk(sent) if sent else b""
    server.script(STREAM_HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body, *([end] if end else []))
    with gateway.client() as client, client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
        assert answer.status_code == 200
        text = "".join(answer.iter_text())
    blocks = [block.strip("\n") for block in text.split("\n\n") if block]
    if end is RESET and len(blocks) == 1:
        return  # a reset may overtake what was sent before it
    error = json.loads(blocks[-1].removeprefix("data: "))["error"]
    assert error["code"] == "upstream_cut"
    if whole is not None and end is not RESET:
        assert words(block.removeprefix("data: ") for block in blocks[:-1]) == whole


def test_a_stream_until_the_end_of_the_connection_arrives_whole(scripted):
    gateway, server = scripted
    server.script(STREAM_HEAD + b"\r\n" + event("one"), event("two") + b"data: [DONE]\n\n")
    with gateway.client() as client, client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
        assert list(events(answer))[-1] == "[DONE]"


def test_an_http_1_0_server_is_understood(scripted):
    gateway, server = scripted
    server.script(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}")
    assert post(gateway).json() == {}


@pytest.mark.short
def test_interim_answers_are_passed_over(scripted):
    gateway, server = scripted
    server.script(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + ANSWER)
    answer = post(gateway)
    assert answer.status_code == 200 and answer.json() == {} and "link" not in answer.headers


@pytest.mark.parametrize("status", [201, 202, 204, 301, 304, 400, 401, 404, 409, 418, 429, 500, 502, 503, 504, 599])
def test_statuses_are_passed_on(scripted, status):
    gateway, server = scripted
    length = b"" if status in (204, 304) else b"Content-Length: 0\r\n"
    server.script(b"HTTP/1.1 %d Whatever\r\nX-Own: yes\r\n%s\r\n" % (status, length), keeps=True)
    answer = post(gateway)
    assert answer.status_code == status and answer.headers["x-own"] == "yes" and answer.content == b""
    assert "x-serin-reason" not in answer.headers
    server.script(ANSWER, keeps=True)
    assert post(gateway).status_code == 200


@pytest.mark.short
def test_headers_of_one_hop_are_not_passed_on_and_others_are(scripted):
    gateway, server = scripted
    server.script(b"HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
                  b"Upgrade: h2c\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Own: yes\r\nContent-Length: 2\r\n\r\n{}")
    with gateway.client(connections=1) as client:
        answer = client.post("/v1/chat/completions", json=chat(),
                             headers={"connection": "keep-alive, x-mine", "x-mine": "1", "te": "trailers",
                                      "proxy-authorization": "secret", "authorization": "Bearer kept"})
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"] and answer.headers["x-own"] == "yes"
    for name in ("x-hop", "keep-alive", "upgrade"):
        assert name not in answer.headers
    sent = server.heads[0].lower()
    assert "authorization: bearer kept" in sent
    for name in ("x-mine", "\r\nte:", "proxy-authorization", "keep-alive", "\r\nconnection:"):
        assert name not in sent


@pytest.mark.short
def test_bytes_behind_an_answer_are_never_given_to_the_next_client(scripted):
    gateway, server = scripted
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    server.script(ANSWER + evil, keeps=True)
    for _ in range(10):
        assert post(gateway).text == "{}"
    server.script(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + evil, keeps=True)
    for _ in range(10):
        assert post(gateway).text == "{}"


def test_an_answer_before_the_request_was_read_reaches_the_client(scripted):
    gateway, server = scripted
    server.script(b"HTTP/1.1 413 Too Long\r\nContent-Length: 5\r\n\r\nshort", keeps=True, reads_body=False)
    answer = post(gateway, text="word " * 2_000_000)
    assert answer.status_code == 413 and answer.text == "short"


@pytest.mark.short
def test_connections_to_the_model_server_are_used_again(scripted):
    gateway, server = scripted
    server.script(ANSWER, keeps=True)
    with gateway.client(connections=1) as client:
        for _ in range(20):
            ask(client)
    assert server.completions == 20 and server.connections <= 2


def test_a_server_that_closes_after_each_answer_without_saying_so_costs_nobody_a_request(scripted):
    gateway, server = scripted
    server.script(ANSWER)
    with gateway.client(connections=1) as client:
        for _ in range(50):
            ask(client)


def test_large_answers_arrive_whole(scripted):
    gateway, server = scripted
    body = b'{"text":"' + b"x" * 8_000_000 + b'"}'
    server.script(JSON_HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body, keeps=True)
    assert post(gateway).content == body
    pieces = [chunk(body[start:start + 70_001]) for start in range(0, len(body), 70_001)]
    server.script(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *pieces, b"0\r\nX-Trailer: 1\r\n\r\n", keeps=True)
    assert post(gateway).content == body


def test_after_all_that_nothing_is_left_in_flight(scripted):
    gateway, server = scripted
    server.script(ANSWER, keeps=True)
    assert post(gateway).status_code == 200
    until(lambda: gateway.metric("serin_requests_active") == 0, "the end of all requests")
    until(lambda: gateway.metric("serin_endpoint_in_flight_requests") == 0, "the end of all tries")
    until(lambda: gateway.metric("serin_upstream_connections", state="busy") == 0, "no busy connection")
