#!/usr/bin/env python3
"""The picker benchmark against real processes: does the model predict them?

bench_picker writes a trace and what it foresees for it; the same trace is then sent to `serin up` with simulated model
servers that have the same engine (serin.dev/sim: batch=1), in real time.  A prompt of n tokens is 4n bytes, the system
prompts and the history the same bytes each time.  What is measured is the time from the first byte of a request to the
first byte of the answer's body, and the cached tokens that the answers tell.

Prints both and writes them to --out.  A run takes the warm-up and the duration, at most 30 s more.
"""
import argparse
import asyncio
import contextlib
import gc
import json
import os
import pathlib
import random
import re
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "load"))
from priority import set_priority  # noqa: E402
DRAIN_S = 30
READ_INTERVAL_S = 0.05  # of what follows a first byte: a read per token would take the client all its time
LETTERS = string.ascii_letters + string.digits


def words(seed, tokens):
    return "".join(random.Random(seed).choices(LETTERS, k=4 * tokens))


def free_port(ip="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((ip, 0))
        return probe.getsockname()[1]


class Gateway:
    """`serin up` with its model servers; a `with` block."""

    def __init__(self, binary, folder, replicas):
        self.binary, self.folder, self.replicas = os.path.abspath(binary), pathlib.Path(folder), replicas
        self.address = f"127.{random.randint(70, 120)}.{random.randint(1, 250)}.{random.randint(2, 250)}"
        self.admin = f"127.0.0.1:{free_port()}"

    def __enter__(self):
        manifest = self.folder / "live.yaml"
        manifest.write_text((HERE / "live.yaml").read_text().replace("@REPLICAS@", str(self.replicas)))
        command = [self.binary, "up", "-f", str(manifest), "--data", str(self.folder / "data"), "--admin", self.admin,
                   "--api", "none", "--addresses", self.address, "--workloads", "sim", "--sim-speed", "1000",
                   "--drain", "0"]
        with open(self.folder / "gateway.log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.wait_ready()
        return self

    def wait_ready(self):
        for _ in range(600):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                if self.usable() == self.replicas:
                    return
            time.sleep(0.1)
        sys.exit(f"no {self.replicas} endpoints\n{(self.folder / 'gateway.log').read_text()[-4000:]}")

    def usable(self):
        with urllib.request.urlopen(f"http://{self.admin}/debug/pools", timeout=5) as answer:
            pools = json.load(answer)
        return sum(e["ready"] and e["healthy"] and bool(e["models"]) for p in pools for e in p["endpoints"])

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Connection(asyncio.Protocol):
    """Answers one request at a time; reads the first byte of a body at once and the rest now and then."""

    def __init__(self, client):
        self.client, self.transport, self.done = client, None, None

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, body):
        self.head, self.tail, self.first_s = b"", b"", None
        self.done = asyncio.get_running_loop().create_future()
        self.sent_s = time.monotonic()
        self.transport.write(b"POST /v1/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                             b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self.done

    def data_received(self, data):
        now_s = time.monotonic()
        if self.first_s is None:
            self.head += data
            end = self.head.find(b"\r\n\r\n") + 4
            if end < 4 or end == len(self.head):
                return
            if not self.head.startswith(b"HTTP/1.1 200 "):
                self.fail(self.head[:300])
                return
            self.first_s, data = now_s, self.head[end:]
        self.tail = (self.tail + data)[-2000:]
        if self.tail.endswith(b"0\r\n\r\n"):
            self.client.paused.discard(self)
            self.finish()
        else:
            self.transport.pause_reading()
            self.client.paused.add(self)

    def finish(self):
        cached = re.search(rb'"cached_tokens":(\d+)', self.tail)
        if cached and b"data: [DONE]" in self.tail:
            self.done.set_result(int(cached.group(1)))
        else:
            self.fail(self.tail)

    def fail(self, why):
        if self.done is not None and not self.done.done():
            self.done.set_exception(RuntimeError(f"an answer that was not expected: {why!r}"))

    def connection_lost(self, error):
        self.client.paused.discard(self)
        self.fail(f"closed: {error}")


class Client:
    """Replays the trace."""

    def __init__(self, gateway, arguments):
        self.gateway, self.begin_s = gateway, arguments.warm_up
        self.end_s = arguments.warm_up + arguments.duration
        self.idle, self.paused, self.samples, self.late_ms = [], set(), [], []
        self.systems = {}
        self.sent = self.failed = self.in_flight = 0

    def now_s(self):
        return time.monotonic() - self.start_s

    async def connection(self):
        if self.idle:
            return self.idle.pop()
        made = await asyncio.get_running_loop().create_connection(lambda: Connection(self), self.gateway.address, 8080)
        return made[1]

    async def turn(self, text, answer_tokens):
        body = json.dumps({"model": "base", "prompt": text, "max_tokens": answer_tokens, "ignore_eos": True,
                           "stream": True, "stream_options": {"include_usage": True}}).encode()
        connection = await self.connection()
        arrived_s = self.now_s()
        self.sent += 1
        self.in_flight += 1
        try:
            cached = await connection.ask(body)
        except RuntimeError as error:
            self.failed += 1
            print(error, file=sys.stderr)
            return
        finally:
            self.in_flight -= 1
        self.idle.append(connection)
        if self.begin_s <= arrived_s < self.end_s:
            self.samples.append((1000 * (connection.first_s - connection.sent_s), cached, len(text) // 4))

    def system(self, number, tokens):
        if number < 0:
            return ""
        if number not in self.systems:
            self.systems[number] = words(f"system {number}", tokens)
        return self.systems[number]

    async def session(self, number, session):
        text = self.system(session["system"], session["system_tokens"])
        if session["at_s"] > self.now_s():
            await asyncio.sleep(session["at_s"] - self.now_s())
        self.late_ms.append(1000 * (self.now_s() - session["at_s"]))
        for place, turn in enumerate(session["turns"]):
            if place > 0 and self.now_s() >= self.end_s:
                return
            await asyncio.sleep(turn["pause_s"])
            text += words(f"{number} {place}", turn["own"])
            await self.turn(text, turn["answer"])
            text += words(f"{number} {place} answer", turn["answer"])

    async def read_the_rest(self):
        while True:
            await asyncio.sleep(READ_INTERVAL_S)
            for connection in list(self.paused):
                self.paused.discard(connection)
                connection.transport.resume_reading()

    async def tell(self):
        while True:
            await asyncio.sleep(5)
            print(f"{self.now_s():5.0f} s  {self.sent} sent, {self.in_flight} in flight, {self.failed} failed",
                  flush=True)

    async def replay(self, trace):
        """Everything that arrives within the time, to its end, but for what takes too long."""
        for session in trace:
            self.system(session["system"], session["system_tokens"])
        gc.freeze()
        self.start_s = time.monotonic()
        helpers = [asyncio.create_task(self.read_the_rest()), asyncio.create_task(self.tell())]
        tasks = [asyncio.create_task(self.session(i, session)) for i, session in enumerate(trace)]
        await asyncio.sleep(self.end_s)
        deadline_s = self.end_s + DRAIN_S
        while self.in_flight > 0 and self.now_s() < deadline_s:
            await asyncio.sleep(0.1)
        for task in (*tasks, *helpers):
            task.cancel()
        for connection in self.idle:
            connection.transport.close()


def rank(values, share):
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def sum_up(client):
    ttft = [sample[0] for sample in client.samples]
    return {"requests": len(ttft), "ttft_p50_ms": rank(ttft, 0.5), "ttft_p90_ms": rank(ttft, 0.9),
            "ttft_p99_ms": rank(ttft, 0.99), "failed": client.failed, "unfinished": client.in_flight,
            "hit_rate": sum(s[1] for s in client.samples) / sum(s[2] for s in client.samples),
            "late_p99_ms": rank(client.late_ms, 0.99)}


def foresee(arguments, workload, folder):
    """(the model's row, the trace)"""
    rows, trace = folder / "rows.json", folder / "trace.jsonl"
    subprocess.run([arguments.model, "--workloads", workload, "--policies", "serin", "--known-rates", "--prompts-only",
                    "--endpoints", str(arguments.endpoints), "--loads", str(arguments.load), "--seed",
                    str(arguments.seed), "--seeds", "1", "--warm-up", str(arguments.warm_up), "--duration",
                    str(arguments.duration), "--trace", str(trace), "--out", str(rows)],
                   check=True, stdout=subprocess.DEVNULL)
    return json.loads(rows.read_text())[0], [json.loads(line) for line in trace.read_text().splitlines()]


def run(arguments, workload):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        foreseen, trace = foresee(arguments, workload, folder)
        print(f"{workload}: {arguments.endpoints} endpoints, {foreseen['rate']:.1f} requests/s, "
              f"{arguments.duration:.0f} s after {arguments.warm_up:.0f} s", flush=True)
        with Gateway(arguments.serin, folder, arguments.endpoints) as gateway:
            client = Client(gateway, arguments)
            asyncio.run(client.replay(trace))
    return {"workload": workload, "load": arguments.load, "endpoints": arguments.endpoints, "seed": arguments.seed,
            "rate": foreseen["rate"], "model": foreseen, "live": sum_up(client)}


def print_result(result):
    print(f"{'':10} {'requests':>9} {'ttft p50':>9} {'p90 ms':>9} {'p99':>9} {'hits':>7}")
    for name in ("model", "live"):
        row = result[name]
        print(f"{name:10} {row['requests']:9} {row['ttft_p50_ms']:9.1f} {row['ttft_p90_ms']:9.1f} "
              f"{row['ttft_p99_ms']:9.1f} {row['hit_rate']:7.3f}")
    live = result["live"]
    print(f"{live['failed']} failed, {live['unfinished']} unfinished; the client was up to {live['late_p99_ms']:.1f} ms "
          "late (p99)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serin", default="build/serin")
    parser.add_argument("--model", default="build/release/bench/bench_picker")
    parser.add_argument("--out", default="build/bench/picker-live.json")
    parser.add_argument("--workloads", default="shared-prefix,multi-turn")
    parser.add_argument("--endpoints", type=int, default=4)
    parser.add_argument("--load", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warm-up", type=float, default=20)
    parser.add_argument("--duration", type=float, default=60)
    parser.add_argument("--nice", type=int, default=0, help="-20..19, on a machine that others use too")
    arguments = parser.parse_args()
    set_priority(arguments.nice)
    results = []
    for workload in arguments.workloads.split(","):
        results.append(run(arguments, workload))
        print_result(results[-1])
    out = pathlib.Path(arguments.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1))
    return any(result["live"]["failed"] for result in results)


if __name__ == "__main__":
    sys.exit(main())
