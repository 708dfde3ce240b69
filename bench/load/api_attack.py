#!/usr/bin/env python3
"""Latency of the data plane while the API server is attacked, next to the same without: p50, p99, largest, in ms.

One client asks steadily for a path without a route (the gateway answers itself: no model server's time is in it).
Rounds with and without an attack take turns, so that the machine's hour is in both.
"""
import argparse
import contextlib
import http.client
import os
import pathlib
import re
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time

from api_server import PATH, Server, at, config_map

IP, PORT = "127.13.57.3", 18080
MANIFEST = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: serin}}
spec: {{controllerName: serin.dev/gateway}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: front}}
spec: {{gatewayClassName: serin, listeners: [{{name: http, protocol: HTTP, port: {PORT}}}]}}
"""


def address(server):
    ip, port = server.api.split(":")
    return ip, int(port)


def unchecked_tls(server):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(address(server), 30))


def token(server):
    return re.search(r'token"?:\s*"?([^"\s,}]+)', (server.folder / "data" / "kubeconfig").read_text()).group(1)


def half_open(server, is_over):
    """TCP connections that begin a handshake and stop, 200 at a time, again and again."""
    while not is_over.is_set():
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    plain = stack.enter_context(socket.create_connection(address(server), 5))
                    plain.sendall(b"\x16\x03\x01\x02\x00\x01")
            is_over.wait(0.2)


def handshakes(server, is_over):
    """Whole handshakes, as fast as they go, and garbage after them."""
    while not is_over.is_set():
        with contextlib.suppress(OSError):
            with unchecked_tls(server) as wire:
                wire.sendall(os.urandom(500) + b"\r\n\r\n")


def no_token(server, is_over):
    while not is_over.is_set():
        with contextlib.suppress(OSError, http.client.HTTPException):
            context = ssl._create_unverified_context()
            wire = http.client.HTTPSConnection(server.api, context=context, timeout=30)
            while not is_over.is_set():
                wire.request("GET", PATH)
                wire.getresponse().read()


def large_bodies(server, is_over):
    """With the token, 100 MB each."""
    head = (f"POST {PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token(server)}\r\n"
            f"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    while not is_over.is_set():
        with contextlib.suppress(OSError):
            with unchecked_tls(server) as wire:
                wire.sendall(head)
                for _ in range(100):
                    wire.sendall(piece)


def many_watches(server, is_over):
    """A thousand watches, and writes that each of them is told of."""
    with contextlib.ExitStack() as stack:
        request = f"GET {PATH}?watch=true HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token(server)}\r\n\r\n".encode()
        for _ in range(1000):
            with contextlib.suppress(OSError):
                wire = stack.enter_context(unchecked_tls(server))
                wire.sendall(request)
            if is_over.is_set():
                return
        writer = server.connect()
        stack.enter_context(contextlib.closing(writer))
        number = 0
        while not is_over.is_set():
            writer.ask("PUT" if number else "POST", f"{PATH}/watched" if number else PATH,
                       config_map("watched", str(number)))
            number += 1
        writer.ask("DELETE", f"{PATH}/watched")


def heavy_lists(server, is_over):
    client = server.connect()
    with contextlib.closing(client):
        while not is_over.is_set():
            client.ask("GET", PATH)


ATTACKS = [half_open, handshakes, no_token, large_bodies, many_watches, heavy_lists]


def measure(seconds, rate):
    """Latencies of a steady client, by when each request was due: a stall counts for all that it delays."""
    wire = http.client.HTTPConnection(IP, PORT, timeout=30)
    latencies, begin = [], time.monotonic()
    for number in range(int(seconds * rate)):
        due = begin + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        wire.request("GET", "/v1/models")
        answer = wire.getresponse()
        answer.read()
        if answer.status != 404:
            sys.exit(f"the data plane answered {answer.status}")
        latencies.append((time.monotonic() - due) * 1000)
    wire.close()
    return latencies


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serin", default="build/serin")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rate", type=float, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "front.yaml").write_text(MANIFEST)
        server = Server(arguments.serin, folder)
        server.command[server.command.index("--addresses") + 1] = IP
        server.command += ["-f", str(pathlib.Path(folder) / "front.yaml")]
        server.start()
        try:
            client = server.connect()
            for number in range(1000):
                client.ask("POST", PATH, config_map(f"map-{number}"))
            print("| attack | p50 | p99 | max | p50 without | p99 without | max without | RSS MB |")
            print("|---|---|---|---|---|---|---|---|")
            for attack in ATTACKS:
                row(server, attack, arguments)
        finally:
            server.kill()


def row(server, attack, arguments):
    with_it, without = [], []
    for _ in range(arguments.rounds):
        without += measure(arguments.seconds, arguments.rate)
        # In a process of its own that takes only the CPU time which is left: what is measured is the gateway, not the
        # attacker's appetite on the same machine.
        child = os.fork()
        if child == 0:
            os.nice(19)
            with contextlib.suppress(BaseException):
                attack(server, threading.Event())
            os._exit(0)
        time.sleep(1)
        with_it += measure(arguments.seconds, arguments.rate)
        os.kill(child, 9)
        os.waitpid(child, 0)
    cells = [f"{value:.2f}" for values in (with_it, without) for value in (
        statistics.median(values), at(values, 0.99), max(values))]
    print(f"| {attack.__name__} | {' | '.join(cells)} | {server.rss_mb():.0f} |", flush=True)


if __name__ == "__main__":
    main()
