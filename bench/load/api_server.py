#!/usr/bin/env python3
"""The API server with 10,000 objects: writes per second by 1, 8 and 32 clients (each is on disk before its answer), the
list of all, the time from a write's answer to its watch event, the start.

Prints a table and writes it to build/bench/api-server.json.  Everything is on loopback; the disk is the one that holds
--folder, and its own fsync time is measured in the same run.
"""
import argparse
import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PATH = "/api/v1/namespaces/default/configmaps"
SMALL_TEXT = "x" * 600
GOALS = {"list_ms": 300, "watch_event_ms": 20, "start_s": 3}


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, binary, folder):
        self.folder = pathlib.Path(folder)
        self.api = f"127.0.0.1:{free_port()}"
        self.command = [os.path.abspath(binary), "up", "--data", str(self.folder / "data"), "--api", self.api,
                        "--admin", f"127.0.0.1:{free_port()}", "--addresses", "127.13.57.2"]
        self.process = None

    def start(self):
        """Seconds until the line `ready`."""
        began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=open(self.folder / "log", "ab"),
                                        text=True)
        for line in self.process.stdout:
            if line == "ready\n":
                return time.monotonic() - began
        sys.exit(f"serin up ended:\n{(self.folder / 'log').read_text()}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def rss_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def cpu_ms(self):
        """What it has used so far; on a busy machine this says more than the clock."""
        total = 0
        for path in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            total += int(path.read_text().split()[0])
        return total / 1e6

    def connect(self):
        return Client(self)


class Client:
    """One keep-alive connection."""

    def __init__(self, server):
        # The file is YAML that is JSON, or plain enough to be read by words.
        text = (server.folder / "data" / "kubeconfig").read_text()
        authority = re.search(r'certificate-authority-data"?:\s*"?([A-Za-z0-9+/=]+)', text).group(1)
        token = re.search(r'token"?:\s*"?([^"\s,}]+)', text).group(1)
        context = ssl.create_default_context(cadata=base64.b64decode(authority).decode())
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.wire = http.client.HTTPSConnection(server.api, context=context, timeout=120)

    def send(self, method, path, body=None):
        self.wire.request(method, path, json.dumps(body) if body is not None else None, self.headers)
        return self.wire.getresponse()

    def ask(self, method, path, body=None):
        answer = self.send(method, path, body)
        text = answer.read()
        if answer.status not in (200, 201):
            sys.exit(f"{method} {path}: {answer.status} {text[:300]}")
        return text

    def close(self):
        self.wire.close()


def config_map(name, value="0"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"app": "bench"}},
            "data": {"value": value, "text": SMALL_TEXT}}


def write_many(server, clients, first, count):
    """Creates `count` objects over so many connections; writes per second and latencies in ms."""
    latencies, numbers, lock = [], iter(range(first, first + count)), threading.Lock()

    def run():
        client = server.connect()
        with contextlib.closing(client):
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                began = time.monotonic()
                client.ask("POST", PATH, config_map(f"map-{number:06}"))
                latencies.append((time.monotonic() - began) * 1000)

    threads = [threading.Thread(target=run) for _ in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(latencies) != count:
        sys.exit("a writer failed")
    return count / (time.monotonic() - began), latencies


def fsync_ms(folder):
    """The disk itself: an append of 4 KiB made durable."""
    times = []
    with open(pathlib.Path(folder) / "fsync", "wb", buffering=0) as file:
        for _ in range(200):
            began = time.monotonic()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - began) * 1000)
    return statistics.median(times)


def list_all(server, count):
    """Median time, the server's CPU time for one, megabytes."""
    times, before = [], server.cpu_ms()
    with contextlib.closing(server.connect()) as client:
        for _ in range(10):
            began = time.monotonic()
            text = client.ask("GET", PATH)
            times.append((time.monotonic() - began) * 1000)
        if len(json.loads(text)["items"]) < count:
            sys.exit("the list is not whole")
    return statistics.median(times), (server.cpu_ms() - before) / 10, len(text) / 1e6


def watch_delays(server, count):
    """From the end of a write's answer to its event, in ms; an event that comes first counts as 0."""
    arrived, is_watching = {}, threading.Event()
    watcher = server.connect()
    version = json.loads(watcher.ask("GET", f"{PATH}?limit=1"))["metadata"]["resourceVersion"]

    def run():
        answer = watcher.send("GET", f"{PATH}?watch=true&resourceVersion={version}")
        is_watching.set()
        while len(arrived) < count and (line := answer.readline()):
            now = time.monotonic()
            thing = json.loads(line)["object"]
            arrived[thing["data"]["value"]] = now

    thread = threading.Thread(target=run)
    thread.start()
    is_watching.wait()
    answered = {}
    with contextlib.closing(server.connect()) as client:
        for number in range(1, count + 1):
            client.ask("PUT", f"{PATH}/map-000000", config_map("map-000000", str(number)))
            answered[str(number)] = time.monotonic()
    thread.join()
    watcher.close()
    return sorted(max(0.0, (arrived[key] - answered[key]) * 1000) for key in answered)


def at(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def run(arguments, folder):
    server = Server(arguments.serin, folder)
    result = {"objects": arguments.objects, "disk_fsync_ms": round(fsync_ms(folder), 3)}
    result["empty_start_s"] = round(server.start(), 3)
    result["empty_rss_mb"] = round(server.rss_mb(), 1)
    try:
        first = 0
        for clients, share in ((1, 0.1), (8, 0.3), (32, 0.6)):
            count, before = int(arguments.objects * share), server.cpu_ms()
            rate, latencies = write_many(server, clients, first, count)
            first += count
            result[f"writes_per_s_{clients}"] = round(rate)
            result[f"write_cpu_ms_{clients}"] = round((server.cpu_ms() - before) / count, 3)
            result[f"write_ms_p50_{clients}"] = round(at(latencies, 0.5), 2)
            result[f"write_ms_p99_{clients}"] = round(at(latencies, 0.99), 2)
            print(f"  {clients} clients: {rate:.0f} writes/s", file=sys.stderr)
        result["list_ms"], result["list_cpu_ms"], result["list_mb"] = (round(v, 1) for v in list_all(server, first))
        delays = watch_delays(server, 500)
        result["watch_event_ms"] = round(at(delays, 0.99), 2)
        result["watch_event_ms_p50"] = round(at(delays, 0.5), 2)
        result["rss_mb"] = round(server.rss_mb(), 1)
        server.kill()
        result["start_s"] = round(server.start(), 3)
        result["start_cpu_s"] = round(server.cpu_ms() / 1000, 3)
        result["list_ms_after_start"] = round(list_all(server, first)[0], 1)
    finally:
        server.kill()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serin", default="build/serin")
    parser.add_argument("--objects", type=int, default=10000)
    parser.add_argument("--folder", help="where the data is put; default: beside the temporary files")
    parser.add_argument("--out", default="build/bench/api-server.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        result = run(arguments, folder)
    print("| what | figure | goal |\n|---|---|---|")
    for name, value in result.items():
        print(f"| {name} | {value} | {'< ' + str(GOALS[name]) if name in GOALS else ''} |")
    out = pathlib.Path(arguments.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n")
    missed = [name for name, goal in GOALS.items() if result[name] >= goal]
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
