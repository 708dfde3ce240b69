"""The proxies of the data-plane benchmark and the load tool between whose ends they stand.

All on loopback; proxies on core 0, the load tool (clients and model server in one) on core 1.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

ORIGIN = ("127.13.57.1", 28200)
CONFIGURATIONS = pathlib.Path(__file__).parent / "data_plane"
PROXY_CORE, LOAD_CORE = 0, 1


class Target:
    """A proxy: how to start it, where it listens, what it may do with a body."""

    def __init__(self, name, number, check="same"):
        self.name, self.check = name, check
        self.address = (f"127.13.57.{10 + number}", 28210 + number)
        self.process = None

    def command(self, folder, tools):
        raise NotImplementedError

    def fill(self, folder, name, **more):
        """A configuration with its @WORDS@ replaced; its path."""
        text = (CONFIGURATIONS / name).read_text()
        words = {"LISTEN": "%s:%d" % self.address, "PORT": str(self.address[1]), "ORIGIN": "%s:%d" % ORIGIN,
                 "ORIGIN_IP": ORIGIN[0], "ORIGIN_PORT": str(ORIGIN[1]), **more}
        path = folder / f"{self.name}-{name}"
        path.write_text(re.sub(r"@([A-Z_]+)@", lambda found: words[found[1]], text))
        return str(path)

    def start(self, folder, tools):
        own = folder / self.name
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir()
        log = open(folder / f"{self.name}.log", "ab")
        command = ["taskset", "-c", str(PROXY_CORE), *self.command(own, tools)]
        self.process = subprocess.Popen(command, cwd=own, stdout=log, stderr=log)
        wait_for(self.address, self.process, folder / f"{self.name}.log")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def memory_kb(self, what="VmRSS"):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(what + r":\s+(\d+)", status)[1])


class Serin(Target):
    def __init__(self, name, number, binary, *flags):
        super().__init__(name, number, check="target")
        self.flags = flags
        self.binary, self.ports = os.path.abspath(binary), (28300 + 2 * number, 28301 + 2 * number)

    def command(self, folder, tools):
        return [self.binary, "up", "-f", self.fill(folder, "serin.yaml"), "--workers", "1", "--data", "data",
                "--addresses", self.address[0], "--api", f"127.0.0.1:{self.ports[0]}",
                "--admin", f"127.0.0.1:{self.ports[1]}", "--drain", "0", *self.flags]

    def start(self, folder, tools):
        super().start(folder, tools)
        for _ in range(500):  # the health check of the one endpoint, and its list of models
            if ask(self.address, "/v1/models").startswith(b"HTTP/1.1 200"):
                return
            time.sleep(0.02)
        sys.exit(f"{self.name} does not reach the origin")


class Nginx(Target):
    def command(self, folder, tools):
        return [find("nginx"), "-p", str(folder), "-c", self.fill(folder, "nginx-plain.conf")]


class NginxLua(Target):
    def command(self, folder, tools):
        return [find("nginx"), "-p", str(folder), "-c",
                self.fill(folder, "nginx-lua.conf", MODULES="/usr/lib/nginx/modules")]


class Haproxy(Target):
    def command(self, folder, tools):
        return [find("haproxy"), "-f", self.fill(folder, "haproxy.cfg")]


class Relay(Target):
    def command(self, folder, tools):
        return [str(tools / "bench_relay"), "%s:%d" % self.address, "%s:%d" % ORIGIN]


def find(program):
    return shutil.which(program) or f"/usr/sbin/{program}"


def ask(address, path, whole=False):
    """The beginning of the answer, or all of it."""
    with contextlib.suppress(OSError), socket.create_connection(address, 2) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = wire.recv(4096)
        while whole and (more := wire.recv(65536)):
            answer += more
        return answer
    return b""


def wait_for(address, process, log):
    for _ in range(1000):
        time.sleep(0.02)
        if process.poll() is not None:  # another program may listen there
            break
        with contextlib.suppress(OSError):
            socket.create_connection(address, 1).close()
            return
    sys.exit(f"{process.args}: does not listen\n{log.read_text()}")


class Load:
    """The load tool: one run per line."""

    def __init__(self, tools):
        self.process = subprocess.Popen(
            ["taskset", "-c", str(LOAD_CORE), str(tools / "bench_load"), "%s:%d" % ORIGIN],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, target, **options):
        """The figures; a wrong or missing answer ends the benchmark."""
        words = {"target": "%s:%d" % target.address, "pid": target.pid, "check": target.check, **options}
        self.process.stdin.write(" ".join(f"{name}={value}" for name, value in words.items()) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench_load ended")
        figures = json.loads(line)
        if figures["errors"] > 0:
            sys.exit(f"{target.name}: {figures['errors']} errors, the first: {figures['error']} ({options})")
        return figures

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
