#!/usr/bin/env python3
"""What canaries add to a request: user-space instructions by callgrind, the same binary with and without them.

Two gateways run one after the other, one worker each, both with two pools and two models by weight: one without a
Canary and with keys turned off, one whose model is under a Canary.  Added are: what the second needs more per request
than the first, and what the first spends on measuring by arm (the functions measure_*, which nothing turns off).
Answers differ as those of a real server do.

Only the worker's thread counts: others scrape and check health as time passes, and under valgrind much of it does.
"""
import argparse
import asyncio
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from targets import CONFIGURATIONS, wait_for

ORIGIN = ("127.13.57.2", 28200)
LISTEN = ("127.13.57.40", 28250)
WARM, COUNTED = 300, 1000
WARMUP_S = 31  # of an endpoint under a Canary: no latency of it counts before
MEASURING = ("measure_begin", "measure_head", "measure_body", "measure_end")
BY_MODEL = ("request_metrics_end",)  # within measure_end: the picker's counts by model and priority, not by arm
GOAL = 2000
ASKED = {"with a key": "prompt_cache_key", "without a key": "prompt_cache_hint"}

CANARIES = """
---
apiVersion: serin.dev/v1alpha1
kind: Canary
metadata: {name: model}
spec: {targetRef: {kind: InferenceModel, name: chat}, stable: chat-v1, canary: chat-v2, suspend: true}
"""
POOL2 = """
---
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {name: chat2}
spec: {selector: {matchLabels: {app: chat}}, targetPorts: [{number: @ORIGIN_PORT@}]}
---
apiVersion: inference.networking.x-k8s.io/v1alpha2
kind: InferenceModel
metadata: {name: chat2}
spec:
  modelName: chat
  poolRef: {group: inference.networking.k8s.io, name: chat2}
  targetModels: [{name: chat-v1, weight: 90}, {name: chat-v2, weight: 10}]
"""


def configuration(folder, has_canaries):
    text = (CONFIGURATIONS / "serin.yaml").read_text() + POOL2
    text = text.replace("{group: inference.networking.k8s.io, kind: InferencePool, name: chat}",
                        "{group: inference.networking.k8s.io, kind: InferencePool, name: chat, weight: 90}, "
                        "{group: inference.networking.k8s.io, kind: InferencePool, name: chat2, weight: 10}")
    if has_canaries:
        text += CANARIES
    else:
        for kind, name in (("HTTPRoute", "chat"), ("InferencePool", "chat"), ("InferencePool", "chat2")):
            text = text.replace(f"kind: {kind}\nmetadata: {{name: {name}}}", f"kind: {kind}\nmetadata: {{name: {name}, "
                                'annotations: {serin.dev/stickiness: "no-default-keys"}}')
    words = {"PORT": LISTEN[1], "ORIGIN_IP": ORIGIN[0], "ORIGIN_PORT": ORIGIN[1]}
    path = folder / "serin.yaml"
    path.write_text(re.sub(r"@([A-Z_]+)@", lambda found: str(words[found[1]]), text))
    return path


def unary(draw):
    """Of the size and members of the answers of data_plane.py, each with other values."""
    words = [draw.choice(("the", "cache", "is", "warm", "now", "and", "deployment", "moved", "quietly"))
             for _ in range(draw.randint(40, 60))]
    content = " ".join(word + ("\\n" if at % 15 == 14 else "") for at, word in enumerate(words))
    body = ('{"id":"chatcmpl-%032x","object":"chat.completion","created":%d,"model":"chat-v1","choices":[{"index":0,'
            '"message":{"role":"assistant","content":"%s"},"logprobs":null,"finish_reason":"%s"}],"usage":'
            '{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}'
            % (draw.getrandbits(128), 1700000000 + draw.randint(0, 999999), content, draw.choice(("stop", "length")),
               draw.randint(90, 300), draw.randint(20, 200), draw.randint(300, 500))).encode()
    return (b"HTTP/1.1 200 OK\r\ndate: Thu, 26 Nov 2026 12:00:00 GMT\r\nserver: uvicorn\r\ncontent-length: %d\r\n"
            b"content-type: application/json\r\n\r\n" % len(body)) + body


async def read_head(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.I)
    await reader.readexactly(int(length[1]) if length else 0)
    return head


async def serve(reader, writer):
    draw = random.Random(1)
    try:
        while True:
            head = await read_head(reader)
            if head.startswith(b"POST"):
                writer.write(unary(draw))
            else:  # health, models, metrics
                writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 27\r\n\r\n{"object":"list","data":[]}')
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def request(number, key):
    body = json.dumps({"model": "chat", "messages": [{"role": "system", "content": "Be brief and kind."},
                                                     {"role": "user", "content": f"{number} " + "why is it so " * 70}],
                       "max_tokens": 64, key: f"session-{number}"}).encode()
    return (b"POST /v1/chat/completions HTTP/1.1\r\nHost: models.example\r\nAccept-Encoding: gzip, deflate\r\n"
            b"Connection: keep-alive\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
            b"User-Agent: OpenAI/Python 1.99.0\r\nX-Stainless-Lang: python\r\nX-Stainless-Package-Version: 1.99.0\r\n"
            b"X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n"
            b"X-Stainless-Runtime-Version: 3.11.7\r\nAuthorization: Bearer sk-0123456789abcdef0123456789abcdef\r\n"
            b"X-Stainless-Async: false\r\nX-Stainless-Retry-Count: 0\r\nContent-Length: %d\r\n\r\n" % len(body)) + body


async def ask(requests, first, key):
    reader, writer = await asyncio.open_connection(*LISTEN)
    for number in range(first, first + requests):
        writer.write(request(number, key))
        head = await read_head(reader)
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"not answered: {head!r}")
    writer.close()


async def tell(process, *words):
    control = await asyncio.create_subprocess_exec("callgrind_control", *words, str(process.pid),
                                                   stdout=asyncio.subprocess.DEVNULL)
    await control.wait()


async def run(serin, folder, has_canaries, asked):
    """Instructions per request: in all, and by function with what it calls."""
    log = open(folder / "log", "wb")
    out = folder / "callgrind.out"
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes",
               f"--callgrind-out-file={out}", serin, "up", "-f",
               str(configuration(folder, has_canaries)), "--workers", "1", "--data", str(folder / "data"), "--addresses",
               LISTEN[0], "--api", "127.0.0.1:28260", "--admin", "127.0.0.1:28261", "--drain", "0"]
    origin = await asyncio.start_server(serve, *ORIGIN)
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        await asyncio.to_thread(wait_for, LISTEN, process, folder / "log")
        key = ASKED[asked] if has_canaries else "prompt_cache_hint"
        await ask(WARM, 0, key)
        await asyncio.sleep(WARMUP_S)
        await tell(process, "--instr=on")
        await ask(COUNTED, WARM, key)
        await tell(process, "--instr=off")
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)
        origin.close()
    return read_figures(out)


def read_figures(out):
    """Of the thread that did most."""
    best = {"total": 0}
    for path in out.parent.glob(out.name + "-*"):
        text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(path)], check=True,
                              capture_output=True, text=True).stdout
        total = re.search(r"^\s*([\d,]+)[^\n]*PROGRAM TOTALS", text, re.M)
        figures = {"total": count(total[1]) if total else 0}
        for line in text.splitlines():
            found = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+\S*?:?([A-Za-z_]\w*)[.\w]*(?:'\d)?(?: \[|$)", line)
            if found:
                figures[found[2]] = max(figures.get(found[2], 0), count(found[1]))
        best = max(best, figures, key=lambda each: each["total"])
    return best


def count(text):
    return int(text.replace(",", "")) / COUNTED


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--serin", required=True)
    parser.add_argument("--ask", choices=ASKED, help="only these requests")
    parser.add_argument("--top", type=int, default=0, help="also the most expensive functions, with what they call")
    arguments = parser.parse_args()
    binary = os.path.abspath(arguments.serin)
    asked = [arguments.ask] if arguments.ask else list(ASKED)
    added = {name: compare(binary, name, arguments.top) for name in asked}
    return 0 if max(added.values()) <= GOAL else 1


def compare(binary, asked, top):
    rows = {}
    for has_canaries in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            rows[has_canaries] = asyncio.run(run(binary, pathlib.Path(folder), has_canaries, asked))
    by_model = sum(rows[False].get(name, 0) for name in BY_MODEL)
    measuring = sum(rows[False].get(name, 0) for name in MEASURING) - by_model
    more = rows[True]["total"] - rows[False]["total"]
    print(f"{asked}: {rows[False]['total']:.0f} instructions per request without, {rows[True]['total']:.0f} with a Canary; "
          f"measuring {measuring:.0f}, keys and the Canary {more:.0f}: {measuring + more:.0f} added (at most {GOAL}); "
          f"by model and priority {by_model:.0f}",
          flush=True)
    for name, figure in sorted(rows[True].items(), key=lambda item: -item[1])[:top]:
        print(f"  {figure:8.0f} {rows[False].get(name, 0):8.0f}  {name}")
    return measuring + more


if __name__ == "__main__":
    sys.exit(main())
