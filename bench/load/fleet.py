#!/usr/bin/env python3
"""What a fleet of model servers costs its gateway: CPU time of reading their metrics, memory of a full prefix index.

A real gateway (`serin up`, one worker) with one pool of --endpoints servers (bench_engines: pages of 30 KB, never idle, so
that each is read every 50 ms).  CPU is the kernel's (/proc/PID/task/*/schedstat) over --seconds without a request; then
prompts of 16 KB, all different, are sent until the index holds no more.  Prints a table and writes it to --out.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from priority import set_priority

FIRST, PORT = "127.14.0.1", 28400
GATEWAY, API, ADMIN = ("127.13.57.30", 28401), "127.0.0.1:28402", "127.0.0.1:28403"

OBJECTS = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: serin}
spec: {controllerName: serin.dev/gateway}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec: {gatewayClassName: serin, listeners: [{name: http, protocol: HTTP, port: %d}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: chat}
spec:
  parentRefs: [{name: front}]
  rules: [{backendRefs: [{group: inference.networking.k8s.io, kind: InferencePool, name: chat}]}]
---
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {name: chat}
spec: {selector: {matchLabels: {app: chat}}, targetPorts: [{number: %d}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: hosts, labels: {app: chat}}
addressType: IPv4
endpoints: [%s]
ports: [{name: http, port: %d}]
"""


def addresses(count):
    first = int.from_bytes(socket.inet_aton(FIRST), "big")
    return [socket.inet_ntoa((first + i).to_bytes(4, "big")) for i in range(count)]


def cpu_ns(pid):
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def memory_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {what: int(re.search(what + r":\s+(\d+)", text)[1]) / 1024 for what in ("VmRSS", "RssAnon")}


def metric(name):
    """The sum over all series whose line begins so."""
    with urllib.request.urlopen(f"http://{ADMIN}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def until(what, is_so, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if is_so():
                return
        time.sleep(0.1)
    sys.exit(f"{what}: not within {seconds} s")


class Client:
    """One keep-alive connection that sends chats of 16 KB, each with other words at its front."""

    def __init__(self):
        self.wire, self.sent = socket.create_connection(GATEWAY), 0

    def chat(self):
        self.sent += 1
        text = f"{self.sent:08d} " + "All replicas run the new image since this morning, and the queue is short. " * 213
        body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": text}]}).encode()
        self.wire.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
                          b"content-length: %d\r\n\r\n" % len(body) + body)
        answer = self.wire.recv(65536)
        if not answer.startswith(b"HTTP/1.1 200"):
            sys.exit(f"answered {answer[:200]!r}")


def measure_scraping(pid, seconds):
    ok, used, start = metric('serin_scrapes_total{result="ok"'), cpu_ns(pid), time.monotonic()
    time.sleep(seconds)
    used, took = cpu_ns(pid) - used, time.monotonic() - start
    scrapes = metric('serin_scrapes_total{result="ok"') - ok
    failed = metric('serin_scrapes_total{result="failed"')
    return {"scrapes_per_s": round(scrapes / took), "core_percent": round(used / took / 1e7, 2),
            "us_per_scrape": round(used / 1000 / scrapes, 2), "scrapes_failed": failed}


def fill(pid):
    """Until a thousand more prompts add nothing."""
    client, before = Client(), -1.0
    while (entries := metric("serin_prefix_index_entries")) > before:
        before = entries
        for _ in range(1000):
            client.chat()
    found = {"entries": int(entries), "prompts": client.sent, "index_mb": metric("serin_prefix_index_bytes") / 2**20,
             "bytes_per_entry": metric("serin_prefix_index_bytes") / entries, **memory_mb(pid)}
    return {name: round(value, 1) for name, value in found.items()}


def run(arguments, folder):
    hosts = ", ".join("{addresses: [%s]}" % address for address in addresses(arguments.endpoints))
    (folder / "objects.yaml").write_text(OBJECTS % (GATEWAY[1], PORT, hosts, PORT))
    engines = subprocess.Popen(["taskset", "-c", "1", os.path.join(arguments.tools, "bench_engines"), FIRST, str(PORT),
                                str(arguments.endpoints)], stdout=subprocess.PIPE)
    gateway = None
    try:
        engines.stdout.readline()
        command = ["taskset", "-c", "0", arguments.serin, "up", "-f", str(folder / "objects.yaml"), "--workers", "1",
                   "--data", str(folder / "data"), "--addresses", GATEWAY[0], "--api", API, "--admin", ADMIN,
                   "--drain", "0"]
        gateway = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(folder / "log", "wb"))
        until("all endpoints scraped", lambda: metric('serin_scrapes_total{result="ok"') > 4 * arguments.endpoints)
        time.sleep(2)
        found = {"endpoints": arguments.endpoints, **measure_scraping(gateway.pid, arguments.seconds)}
        return found | (fill(gateway.pid) if arguments.fill else memory_mb(gateway.pid))
    finally:
        for process in filter(None, (gateway, engines)):
            process.terminate()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serin", default="build/serin")
    parser.add_argument("--tools", default="build/release", help="where bench_engines is")
    parser.add_argument("--endpoints", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--nice", type=int, default=0, help="of all that runs, against other programs of the machine")
    parser.add_argument("--fill", action="store_true", help="fill the prefix index, then tell the memory")
    parser.add_argument("--out", default="build/bench/fleet.json")
    arguments = parser.parse_args()
    set_priority(arguments.nice)
    with tempfile.TemporaryDirectory() as folder:
        found = run(arguments, pathlib.Path(folder))
    for name, value in found.items():
        print(f"{name:20} {value}")
    path = pathlib.Path(arguments.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
