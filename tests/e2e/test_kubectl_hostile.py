"""Slow and hostile clients of the API server get an error or a limit; the data plane serves meanwhile as if alone."""
import contextlib
import functools
import json
import os
import pathlib
import socket
import ssl
import threading
import time

import httpx
import pytest
import yaml

from conftest import GENEROUS_S, InParallel, Load, api_path, api_trust

FEW_ANSWERS = 4


@pytest.fixture(scope="module")
def traffic(applied):
    with Load(applied, clients=2, pause_s=0.005) as load:
        yield load


@pytest.fixture(autouse=True)
def undisturbed_traffic(traffic):
    """Requests of the data plane run during each test; none may fail, and they go on after it."""
    yield
    traffic.wait_answers(FEW_ANSWERS)
    assert traffic.failures == []


def request_head(gateway, method, path, *fields):
    """With the token."""
    token = yaml.safe_load((gateway.data / "kubeconfig").read_text())["users"][0]["user"]["token"]
    lines = [f"{method} {path} HTTP/1.1", "Host: a", f"Authorization: Bearer {token}", *fields, "", ""]
    return "\r\n".join(lines).encode()


def address_of(gateway):
    ip, port = gateway.api.rsplit(":", 1)
    return ip, int(port)


@functools.cache
def trust(kubeconfig):
    return api_trust(yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"])


@contextlib.contextmanager
def tls_wire(gateway, receive_buffer=None):
    """A TLS connection for exact bytes."""
    with socket.socket() as plain:
        plain.settimeout(GENEROUS_S)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.connect(address_of(gateway))
        with trust(gateway.data / "kubeconfig").wrap_socket(plain, server_hostname="127.0.0.1") as wire:
            yield wire


def first_line(wire):
    data = b""
    while b"\r\n" not in data:
        piece = wire.recv(4096)
        if not piece:
            break
        data += piece
    return data.split(b"\r\n")[0]


@pytest.mark.short
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"},
                                     {"Authorization": "Bearer"}, {"Authorization": "Bearer " + "x" * 3000}],
                         ids=["none", "wrong", "basic", "empty", "long"])
def test_without_the_token_every_page_but_health_is_401(applied, headers):
    with applied.api_client(with_token=False) as client:
        for path in ("/api", "/apis", api_path("secrets"), "/openapi/v3", "/nothing"):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 401 and answer.json()["reason"] == "Unauthorized", path
        assert client.post(api_path("configmaps"), json={}, headers=headers).status_code == 401


@pytest.mark.short
def test_a_request_without_tls_gets_no_page(applied):
    with socket.create_connection(address_of(applied), GENEROUS_S) as plain:
        plain.sendall(request_head(applied, "GET", "/api"))
        with contextlib.suppress(ConnectionError):
            assert b"200" not in plain.recv(4096)


def test_half_open_handshakes_are_closed_in_the_end_and_hold_up_nobody(applied):
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection(address_of(applied), GENEROUS_S)) for _ in range(100)]
        for number, plain in enumerate(opened):
            plain.sendall(b"\x16\x03\x01\x02\x00\x01"[:number % 7])  # a piece of a ClientHello, or nothing
        started = time.monotonic()
        assert applied.kubectl("get", "gtw", "-o", "name")
        assert time.monotonic() - started < 10


def test_garbage_after_the_handshake_is_400_or_a_close(applied):
    for garbage in (b"\x00" * 100 + b"\r\n\r\n", b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                    b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                    os.urandom(2000) + b"\r\n\r\n"):
        with tls_wire(applied) as wire:
            wire.sendall(garbage)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                line = first_line(wire)
                assert line == b"" or line.split(b" ")[1] in (b"400", b"401", b"505"), line


@pytest.mark.short
@pytest.mark.parametrize("path", ["/" + "a" * 20000, "/%00", "/..%2f..%2fetc/passwd", "/api/v1/../../etc",
                                  "/api/v1/namespaces//pods", "/apis/" + "x/" * 200, "/api/v1/pods?limit=-1",
                                  "/api/v1/pods?limit=99999999999999999999", "/api/v1/pods?labelSelector=" + "a," * 900,
                                  "/api/v1/pods?labelSelector=%28%28%28", "/api/v1/pods?fieldSelector=%3D",
                                  "/api/v1/pods?continue=" + "A" * 4000, "/api/v1/pods?watch=maybe"])
def test_paths_and_queries_that_make_no_sense_are_4xx(applied, path):
    with applied.api_client() as client:
        answer = client.get(path)
        assert answer.status_code in range(400, 500) or (answer.status_code == 200 and "?" in path), answer.status_code


def test_a_body_of_100_mb_is_413_and_is_not_kept(applied, is_sanitized):
    def body():
        for _ in range(100):
            yield b" " * 1024 * 1024

    before = resident_mb(applied)
    with applied.api_client() as client:
        with contextlib.suppress(httpx.WriteError):  # the answer may come while we send
            answer = client.post(api_path("configmaps"), content=body(), headers={
                "Content-Type": "application/json", "Content-Length": str(100 * 1024 * 1024)})
            assert answer.status_code == 413 and answer.json()["reason"] == "RequestEntityTooLarge"
        with contextlib.suppress(httpx.WriteError):
            assert client.post(api_path("configmaps"), content=body(), headers={
                "Content-Type": "application/json"}).status_code == 413  # chunked
    assert is_sanitized or resident_mb(applied) < before + 60


def resident_mb(gateway):
    text = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) // 1024


@pytest.mark.short
@pytest.mark.parametrize("body", ["[" * 100000, '{"a":' * 5000 + "1" + "}" * 5000,
                                  '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\\ud800"}}',
                                  '{"apiVersion":"v1","kind":"ConfigMap","metadata":"a"}', "null", '"text"', "\x00"],
                         ids=["deep-list", "deep-map", "surrogate", "no-metadata", "null", "text", "nul"])
def test_bodies_that_make_no_sense_are_4xx(applied, body):
    with applied.api_client() as client:
        for method, path, kind in (("POST", api_path("configmaps"), "application/json"),
                                   ("PATCH", api_path("httproutes", "models"), "application/merge-patch+json"),
                                   ("PATCH", api_path("httproutes", "models"), "application/json-patch+json"),
                                   ("PATCH", api_path("deployments", "base"), "application/strategic-merge-patch+json"),
                                   ("PATCH", api_path("configmaps", "a") + "?fieldManager=a",
                                    "application/apply-patch+yaml")):
            answer = client.request(method, path, content=body, headers={"Content-Type": kind})
            assert answer.status_code in range(400, 500), (kind, answer.text)
            assert answer.json()["kind"] == "Status"


@pytest.mark.parametrize("body", [b"k8s\x00", b"k8s\x00\xff\xff\xff\xff\xff\xff", b"k8s\x00\x12\xff\xff\xff\x7f",
                                  b"k9s\x00",
                                  b"k8s\x00" + b"\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x7f" + b"\x0a" * 20],
                         ids=range(5))
def test_protobuf_that_makes_no_sense_is_4xx(applied, body):
    with applied.api_client() as client:
        answer = client.post(api_path("namespaces"), content=body,
                             headers={"Content-Type": "application/vnd.kubernetes.protobuf"})
        assert answer.status_code in range(400, 500) and answer.json()["kind"] == "Status", answer.text


def test_a_thousand_watches_are_served_or_refused_and_all_can_be_left(applied):
    watch = request_head(applied, "GET", api_path("configmaps") + "?watch=true")
    with contextlib.ExitStack() as watches:
        wires = [watches.enter_context(tls_wire(applied)) for _ in range(1000)]
        for wire in wires:
            wire.sendall(watch)
        statuses = [first_line(wire).split(b" ")[1] for wire in wires]
        assert set(statuses) <= {b"200", b"429"} and statuses.count(b"200") >= 900
        with tls_wire(applied) as one_more:
            one_more.sendall(watch)
            assert first_line(one_more).split(b" ")[1] in (b"200", b"429")
        assert applied.kubectl("get", "gtw", "-o", "name")
    with tls_wire(applied) as wire:
        wire.sendall(watch)
        assert first_line(wire).split(b" ")[1] == b"200"


def test_a_request_that_trickles_in_holds_up_nobody(applied):
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(tls_wire(applied)) for _ in range(50)]
        request = request_head(applied, "GET", "/api")[:-2] + b"X-A: "
        for step in range(20):
            for wire in wires:
                wire.sendall(request[step * 3:step * 3 + 3])
        with applied.api_client() as client:
            assert client.get("/api").status_code == 200


def test_a_watch_that_never_reads_costs_bounded_memory(applied, is_sanitized):
    before = resident_mb(applied)
    with tls_wire(applied, receive_buffer=4096) as deaf, applied.api_client() as client:
        deaf.sendall(request_head(applied, "GET", "/api/v1/configmaps?watch=true"))
        assert first_line(deaf).split(b" ")[1] == b"200"
        big = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "big"}, "data": {"a": "x" * 500_000}}
        assert client.post(api_path("configmaps"), json=big).status_code == 201
        for number in range(40):
            big["data"]["a"] = f"{number}" + "x" * 500_000
            assert client.put(api_path("configmaps", "big"), json=big).status_code == 200
        assert client.delete(api_path("configmaps", "big")).status_code == 200
    assert is_sanitized or resident_mb(applied) < before + 150  # the log of changes is allowed 64 MiB of text


def test_many_clients_at_once_that_write_the_same_object_lose_no_update(applied):
    with applied.api_client(limits=httpx.Limits(max_connections=8)) as client:
        path = api_path("configmaps", "counter")
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "counter"}, "data": {"n": "0"}}
        assert client.post(api_path("configmaps"), json=body).status_code == 201

        def increment():
            while True:
                read = client.get(path).json()
                read["data"]["n"] = str(int(read["data"]["n"]) + 1)
                answer = client.put(path, json=read)
                if answer.status_code == 200:
                    return
                assert answer.status_code == 409 and answer.json()["reason"] == "Conflict"

        with InParallel(8) as parallel:
            for _ in range(40):
                parallel(increment)
        assert client.get(path).json()["data"]["n"] == "40"
        assert client.delete(path).status_code == 200


def test_a_client_that_leaves_in_the_middle_leaves_nothing(applied):
    request = request_head(applied, "POST", api_path("configmaps"), "Content-Type: application/json",
                           "Content-Length: 5000")
    leaving = [threading.Thread(target=leave, args=(applied, request)) for _ in range(20)]
    for thread in leaving:
        thread.start()
    for thread in leaving:
        thread.join()
    with applied.api_client() as client:
        assert client.get(api_path("configmaps")).json()["items"] == []


def leave(gateway, request):
    with tls_wire(gateway) as wire:
        wire.sendall(request + json.dumps({"kind": "ConfigMap"}).encode())
