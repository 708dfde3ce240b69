#!/usr/bin/env python3
"""CPU of the proxy per 1 KB request: Serin with full inference routing next to nginx as a plain proxy, in one run.

The proxy runs on core 0, the load generator (wrk) and the backend (nginx answering a fixed JSON) on core 1, all on
loopback.  Targets take turns; the figure is on-CPU time from /proc/PID/task/*/schedstat over requests answered, compared in
pairs.  An A/A pair (nginx against itself) shows the noise.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

BACKEND_PORT, NGINX_PORT, SERIN_PORT, ADMIN_PORT = 18201, 18202, 18203, 18204
SERIN_IP = "127.13.57.1"

ANSWER = json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "chat", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "x" * 380}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 200, "completion_tokens": 80, "total_tokens": 280}})

BACKEND = f"""
worker_processes 1; daemon off; master_process off; pid backend.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; client_body_buffer_size 512k; client_max_body_size 64m;
  client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server {{ listen 127.0.0.1:{BACKEND_PORT}; location / {{ default_type application/json; return 200 '{ANSWER}'; }} }} }}
"""

PROXY = f"""
worker_processes 1; daemon off; master_process off; pid proxy.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; client_body_buffer_size 512k; client_max_body_size 64m;
  client_body_temp_path b2; proxy_temp_path p2; fastcgi_temp_path f2; uwsgi_temp_path u2; scgi_temp_path s2;
  upstream backend {{ server 127.0.0.1:{BACKEND_PORT}; keepalive 128; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{NGINX_PORT}; location / {{ proxy_pass http://backend; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_buffering off; }} }} }}
"""

MANIFEST = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: serin}}
spec: {{controllerName: serin.dev/gateway}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: front}}
spec: {{gatewayClassName: serin, listeners: [{{name: http, protocol: HTTP, port: {SERIN_PORT}}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: chat}}
spec:
  parentRefs: [{{name: front}}]
  rules:
    - backendRefs: [{{group: inference.networking.k8s.io, kind: InferencePool, name: chat}}]
      matches: [{{path: {{type: PathPrefix, value: /}}}}]
---
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {{name: chat}}
spec: {{selector: {{matchLabels: {{app: chat}}}}, targetPorts: [{{number: {BACKEND_PORT}}}]}}
---
apiVersion: inference.networking.x-k8s.io/v1alpha2
kind: InferenceModel
metadata: {{name: chat}}
spec:
  modelName: chat
  poolRef: {{group: inference.networking.k8s.io, name: chat}}
  targetModels: [{{name: chat-v1, weight: 90}}, {{name: chat-v2, weight: 10}}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {{name: limit}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: front}}]
  connection: {{bufferLimit: 20Mi}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: timeout}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: front}}]
  timeout: {{http: {{requestTimeout: 24h}}}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: hosts, labels: {{app: chat}}}}
addressType: IPv4
endpoints: [{{addresses: [127.0.0.1]}}]
ports: [{{name: http, port: {BACKEND_PORT}}}]
"""


def body(size):
    frame = json.dumps({"messages": [{"role": "user", "content": ""}], "model": "chat", "max_tokens": 64})
    text = ("What does the caf\u00e9 say about \"routing\"?\n" * (size // 30 + 1))
    while len(json.dumps({"messages": [{"role": "user", "content": text}], "model": "chat", "max_tokens": 64})) > size:
        text = text[:-1]
    assert len(frame) < size
    return json.dumps({"messages": [{"role": "user", "content": text}], "model": "chat", "max_tokens": 64})


def wait_http(url):
    for _ in range(2000):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2).read()
            return
        time.sleep(0.01)
    sys.exit(f"{url} does not answer")


def cpu_ns(pid):
    total = 0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        total += int(path.read_text().split()[0])
    return total


def rss_kb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.processes = arguments, pathlib.Path(folder), []
        self.script = self.folder / "post.lua"
        self.targets = {}

    def spawn(self, core, command):
        process = subprocess.Popen(["taskset", "-c", str(core), *command], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=open(self.folder / "errors.log", "ab"))
        self.processes.append(process)
        return process

    def start(self):
        (self.folder / "backend.conf").write_text(BACKEND)
        (self.folder / "proxy.conf").write_text(PROXY)
        (self.folder / "serin.yaml").write_text(MANIFEST)
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.spawn(1, [nginx, "-p", str(self.folder), "-c", "backend.conf"])
        proxy = self.spawn(0, [nginx, "-p", str(self.folder), "-c", "proxy.conf"])
        serin = self.spawn(0, [os.path.abspath(self.arguments.serin), "up", "-f", "serin.yaml", "--workers", "1",
                               "--addresses", SERIN_IP, "--admin", f"127.0.0.1:{ADMIN_PORT}", "--data", "data"])
        self.targets = {"nginx": (proxy.pid, f"http://127.0.0.1:{NGINX_PORT}"),
                        "serin": (serin.pid, f"http://{SERIN_IP}:{SERIN_PORT}")}
        wait_http(f"http://127.0.0.1:{BACKEND_PORT}/")
        wait_http(f"http://127.0.0.1:{NGINX_PORT}/")
        wait_http(f"http://{SERIN_IP}:{SERIN_PORT}/v1/models")

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)

    def run(self, name):
        """One run: CPU microseconds of the proxy per request."""
        pid, url = self.targets[name]
        before = cpu_ns(pid)
        out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{self.arguments.connections}",
                              f"-d{self.arguments.seconds}s", "-s", str(self.script), f"{url}/v1/chat/completions"],
                             capture_output=True, text=True, check=True).stdout
        used = cpu_ns(pid) - before
        requests = int(re.search(r"(\d+) requests in", out).group(1))
        if "Non-2xx" in out or "Socket errors" in out:
            sys.exit(f"{name}: failed requests\n{out}")
        return used / 1000 / requests

    def case(self, size):
        self.script.write_text('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                               f"wrk.body = [==[{body(size)}]==]\n")
        rows = {"serin": [], "nginx": [], "A/A": []}
        self.run("serin"), self.run("nginx")
        for number in range(self.arguments.pairs):
            order = ["serin", "nginx"] if number % 2 == 0 else ["nginx", "serin"]
            cost = {name: self.run(name) for name in order}
            rows["serin"].append((cost["serin"], cost["serin"] / cost["nginx"]))
            rows["nginx"].append((cost["nginx"], 1.0))
            rows["A/A"].append((cost["nginx"], self.run("nginx") / cost["nginx"]))
            print(f"  {size} B, pair {number + 1}/{self.arguments.pairs}: serin {cost['serin']:.1f} us, "
                  f"nginx {cost['nginx']:.1f} us", file=sys.stderr)
        return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serin", default="build/serin")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--sizes", default="1024,16384,204800")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        try:
            bench.start()
            print("| body | target | ratio to nginx (median, min..max) | CPU us/request | RSS KB |")
            print("|---|---|---|---|---|")
            for size in map(int, arguments.sizes.split(",")):
                for name, pairs in bench.case(size).items():
                    ratios = [ratio for _, ratio in pairs]
                    pid = bench.targets["nginx" if name == "A/A" else name][0]
                    print(f"| {size} | {name} | {statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f}) "
                          f"| {statistics.median([c for c, _ in pairs]):.1f} | {rss_kb(pid)} |", flush=True)
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
