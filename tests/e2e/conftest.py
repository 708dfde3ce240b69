"""Real processes for the scenarios: a gateway with its simulated model servers, ended and checked after each test.

This is the only clever file; scenarios read like prose and wait for events (`until`), never for durations.
"""
import base64
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import httpx
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(__file__).resolve().parent / "data"
GENEROUS_S = 60
PORT_RANGES = 16
SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "Assertion")

# One client for the control pages of gateways and simulators: making one costs more than most requests.
CONTROL = httpx.Client(trust_env=False, verify=False, timeout=GENEROUS_S)


def pytest_addoption(parser):
    parser.addoption("--serin", default=str(ROOT / "build" / "serin"), help="the binary under test")


@pytest.fixture(scope="session")
def serin(request):
    return str(pathlib.Path(request.config.getoption("--serin")).resolve())


@pytest.fixture(scope="session")
def is_sanitized(serin):
    """Sanitizers keep freed memory for a while: what a process holds says little then."""
    binary = pathlib.Path(serin).read_bytes()
    return b"__asan_init" in binary or b"__tsan_init" in binary


@pytest.fixture(scope="session")
def command(serin):
    """Runs a subcommand to its end: command("check", "-f", "x").returncode, .stdout, .stderr."""

    def run(*arguments, **options):
        return subprocess.run([serin, *map(str, arguments)], capture_output=True, text=True, timeout=GENEROUS_S,
                              **options)

    return run


def until(check, what, limit_s=GENEROUS_S):
    """Waits until check() gives something true, and returns it."""
    deadline = time.monotonic() + limit_s
    while True:
        with contextlib.suppress(httpx.TransportError, OSError):
            value = check()
            if value:
                return value
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come within {limit_s} s: {what}")
        time.sleep(0.01)


def free_port(ip="127.0.0.1"):
    """Below the ports that clients get from the system, which could take it before its server does; processes of
    pytest-xdist take from ranges of their own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = random.randrange(10000, 32000, PORT_RANGES) + worker % PORT_RANGES
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((ip, port))
            return port


def loopback():
    """A loopback address of this test's own, so that fixed ports in manifests do not collide."""
    return f"127.{random.randint(16, 60)}.{random.randint(1, 250)}.{random.randint(2, 250)}"


class Sim:
    """The test's hold on one simulated model server: its control endpoints."""

    def __init__(self, address):
        self.address = address
        self.url = f"http://{address}"

    def state(self):
        return CONTROL.get(f"{self.url}/sim/state").json()

    def configure(self, **settings):
        answer = CONTROL.post(f"{self.url}/sim/config", json={k.replace("_", "-"): v for k, v in settings.items()})
        assert answer.status_code == 200, answer.text

    def hold(self, at="first-token", event=0, count=None):
        """The next `count` answers (without it: all) stop there: before their first token, or after `event` tokens."""
        answer = CONTROL.post(f"{self.url}/sim/hold", json={"at": at, "event": event, "count": count})
        assert answer.status_code == 200, answer.text

    def release(self):
        assert CONTROL.post(f"{self.url}/sim/release", json={}).status_code == 200

    def wait_held(self, count):
        until(lambda: self.state()["held"] >= count, f"{count} answers held by {self.address}")

    def requests(self):
        return CONTROL.get(f"{self.url}/sim/requests").json()


def kubectls():
    """Every kubectl that can be had, by name: the installed one, a newer one, Debian 12's old one, and
    those beside the installed one.  The newer one is in this Python's own bin, which is looked at last: an activated
    environment must not hide what the machine has."""
    own = pathlib.Path(sys.executable).parent
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if pathlib.Path(p) != own)
    found = {"installed": shutil.which("kubectl", path=path), "newer": shutil.which("kubectl", path=str(own)),
             "old": shutil.which("kubectl", path=str(ROOT / "build" / "tools" / "kubectl-1.20" / "usr" / "bin"))}
    if found["installed"]:
        beside = pathlib.Path(found["installed"]).resolve().parent.glob("kubectl.1.*")
        found.update({path.name: str(path) for path in beside})
    return {name: binary for name, binary in found.items() if binary}


def quick_kubectl():
    """The kubectl for everything that does not test kubectl itself.  Some installed ones only ask the server for its
    version and then run the one of that version beside them; running that one saves a process and a request."""
    found = kubectls()
    return found.get("kubectl.1.33") or next(iter(found.values()), None)


class Watching:
    """A command that prints as things happen: a `with` block; `.lines`, as they come."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self.read)

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self):
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Kubectl:
    """The real kubectl, with a home of its own: nobody's configuration or cache is read.

    kubectl("get", "pods") gives what it prints and must succeed; kubectl.refused(...) must fail, for what it says."""

    def __init__(self, binary, kubeconfig, home, namespace=None):
        self.binary, self.kubeconfig, self.home, self.namespace = binary, kubeconfig, str(home), namespace
        pathlib.Path(self.home).mkdir(exist_ok=True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.home, "TMPDIR": self.home,
                            "KUBECONFIG": str(kubeconfig)}

    def using(self, binary):
        """The same user with another kubectl."""
        return Kubectl(binary, self.kubeconfig, self.home + binary.replace("/", "-"), self.namespace)

    def within(self, namespace):
        """The same in another namespace."""
        return Kubectl(self.binary, self.kubeconfig, self.home, namespace)

    def command(self, arguments):
        assert self.binary, "no kubectl: neither on PATH nor in this Python's environment (requirements.txt)"
        where = ["-n", self.namespace] if self.namespace else []
        return [self.binary, *where, *map(str, arguments)]

    def run(self, *arguments, stdin="", limit_s=GENEROUS_S, **environment):
        return subprocess.run(self.command(arguments), env={**self.environment, **environment}, input=stdin,
                              capture_output=True, text=True, timeout=limit_s)

    def __call__(self, *arguments, **options):
        ended = self.run(*arguments, **options)
        assert ended.returncode == 0, (arguments, ended.returncode, ended.stdout, ended.stderr)
        return ended.stdout

    def refused(self, *arguments, **options):
        ended = self.run(*arguments, **options)
        assert ended.returncode != 0, (arguments, ended.stdout, ended.stderr)
        return ended.stderr

    def json(self, *arguments, **options):
        return json.loads(self(*arguments, "-o", "json", **options))

    def watching(self, *arguments):
        """What it prints while it runs: a `with` block; `.lines`."""
        return Watching(self.command(arguments), self.environment)


# Where the kinds are; for api_path().
API_GROUPS = {
    "/api/v1": "configmaps events namespaces pods secrets serviceaccounts services",
    "/apis/apps/v1": "deployments replicasets",
    "/apis/discovery.k8s.io/v1": "endpointslices",
    "/apis/coordination.k8s.io/v1": "leases",
    "/apis/gateway.networking.k8s.io/v1": "gatewayclasses gateways httproutes",
    "/apis/gateway.networking.k8s.io/v1beta1": "referencegrants",
    "/apis/gateway.envoyproxy.io/v1alpha1": "clienttrafficpolicies backendtrafficpolicies",
    "/apis/inference.networking.x-k8s.io/v1alpha2": "inferencepools inferencemodels inferencemodelrewrites "
                                                  "inferenceobjectives",
    "/apis/llm-d.ai/v1alpha2": "inferencemodelrewrites inferenceobjectives",
    "/apis/serin.dev/v1alpha1": "canaries",
    "/apis/inference.networking.k8s.io/v1": "inferencepools",
}
WITHOUT_NAMESPACE = ("namespaces", "gatewayclasses")


def api_path(resource, name=None, namespace="default"):
    """The path of a collection or of an object in it; namespace None: of all namespaces."""
    group = next(group for group, resources in API_GROUPS.items() if resource in resources.split())
    if resource not in WITHOUT_NAMESPACE and namespace:
        group += f"/namespaces/{namespace}"
    return f"{group}/{resource}" + (f"/{name}" if name else "")


def api_trust(cluster):
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return ssl.create_default_context(cadata=authority)


class Gateway:
    """A `serin up` process."""

    def __init__(self, binary, folder, files, *flags, address=None, workloads="sim"):
        self.folder = pathlib.Path(folder)
        self.address = address or loopback()
        self.admin = f"127.0.0.1:{free_port()}"
        self.api = f"127.0.0.1:{free_port()}"
        self.log = self.folder / "gateway.log"
        self.data = self.folder / "data"
        self.kubectl = Kubectl(quick_kubectl(), self.data / "kubeconfig", self.folder / "home")
        command = [binary, "up", "--data", str(self.data), "--admin", self.admin, "--api", self.api, "--addresses",
                   self.address, "--workloads", workloads, "--sim-speed", "30"]
        for file in files:
            command += ["-f", str(file)]
        self.command = command + list(flags)
        self.process = None
        self.output = ""

    def start(self):
        with open(self.log, "ab") as log:
            # A process group of its own, as a shell gives it: so that a Ctrl-C can be sent to all of it.
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, process_group=0)
        os.set_blocking(self.process.stdout.fileno(), False)
        return self

    def read_output(self):
        with contextlib.suppress(BlockingIOError, TypeError):
            self.output += (self.process.stdout.read() or b"").decode()
        return self.output

    def wait_ready(self):
        def is_ready():
            if self.process.poll() is not None:
                raise AssertionError(f"serin up ended with {self.process.returncode}:\n{self.log_text()}")
            return "ready\n" in self.read_output()

        until(is_ready, "the line `ready`")
        return self.wait_models()

    def wait_models(self):
        """Model lists are read just after an endpoint appears; the split is model-aware."""
        until(lambda: all(e["models"] for e in self.endpoints() if e["ready"] and e["healthy"]), "model lists")
        return self

    def log_text(self):
        return self.log.read_text(errors="replace")

    def url(self, port=8080):
        return f"http://{self.address}:{port}"

    def client(self, port=8080, connections=100, **options):
        """An HTTP client of this gateway; options as for httpx.Client."""
        options.setdefault("timeout", GENEROUS_S)
        return httpx.Client(base_url=self.url(port), trust_env=False, verify=False,
                            limits=httpx.Limits(max_connections=connections), **options)

    def async_client(self, connections=100):
        return httpx.AsyncClient(base_url=self.url(), trust_env=False, verify=False, timeout=GENEROUS_S,
                                 limits=httpx.Limits(max_connections=connections))

    def api_client(self, with_token=True, **options):
        """An HTTP client of the API server, with what the kubeconfig holds."""
        config = yaml.safe_load((self.data / "kubeconfig").read_text())
        cluster = config["clusters"][0]["cluster"]
        if with_token:
            options["headers"] = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        options.setdefault("timeout", GENEROUS_S)
        return httpx.Client(base_url=cluster["server"], trust_env=False, verify=api_trust(cluster), **options)

    def admin_get(self, path):
        return CONTROL.get(f"http://{self.admin}{path}")

    def pools(self):
        return self.admin_get("/debug/pools").json()

    def pool(self, name):
        return next(pool for pool in self.pools() if pool["name"] == name)

    def endpoints(self, pool=None):
        return [e for p in self.pools() if pool in (None, p["name"]) and p["kind"] == "InferencePool"
                for e in p["endpoints"]]

    def wait_endpoints(self, count, pool=None):
        """Waits until so many endpoints are in use and none other is known."""

        def usable():
            endpoints = self.endpoints(pool)
            return len(endpoints) == count and all(e["ready"] and e["healthy"] and e["models"] for e in endpoints)

        until(usable, f"{count} endpoints")
        return self

    def sims(self, pool=None):
        return [Sim(e["address"]) for e in self.endpoints(pool)]

    def snapshot(self):
        """What every worker works by; there is none in the first moments."""

        def adopted():
            page = self.admin_get("/debug/snapshot").json()
            return page if "statuses" in page else None

        return until(adopted, "a snapshot in force")

    def generation(self):
        return self.snapshot()["snapshot"]["generation"]

    def condition(self, kind, name, condition):
        """A condition of an object without parents, as a Gateway."""
        status = next(s["status"] for s in self.snapshot()["statuses"] if (s["kind"], s["name"]) == (kind, name))
        return next(c for c in status["conditions"] if c["type"] == condition)

    def metrics(self):
        return self.admin_get("/metrics").text

    def metric(self, name, **labels):
        total = 0.0
        for line in self.metrics().splitlines():
            match = re.match(r"([a-z0-9_:]+)(?:\{(.*)\})? (\S+)$", line)
            if match and match[1] == name and all(f'{k}="{v}"' in (match[2] or "") for k, v in labels.items()):
                total += float(match[3])
        return total

    def pids(self):
        """The simulators of this gateway."""
        children = []
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) == self.process.pid:
                    children.append(int(path.parent.name))
        return children

    def pid_of(self, address):
        ip = address.rsplit(":", 1)[0]
        for pid in self.pids():
            with contextlib.suppress(OSError):
                if ip.encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    return pid
        raise AssertionError(f"no process of {address}")

    def interrupt(self):
        """What Ctrl-C at a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def stop(self, sig=signal.SIGINT, limit_s=20):
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(limit_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"serin up did not end within {limit_s} s:\n{self.log_text()[-3000:]}") from None
        if not self.process.stdout.closed:
            self.read_output()
            self.process.stdout.close()
        return self.process.returncode

    def kill(self):
        """kill -9; returns once its simulators are gone with it."""
        pids = self.pids()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.output = ""
        until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids), "the simulators to die with it")
        return self

    def end(self):
        """Stops it and sees that nothing is left of it, and that no sanitizer had anything to say."""
        pids = self.pids() if self.process.poll() is None else []
        assert self.stop() in (0, 1), self.log_text()[-6000:]
        until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids), "the simulators' end")
        for log in (self.log, *(self.data / "pods").glob("*.log")):
            text = log.read_text(errors="replace")
            assert not any(word in text for word in SANITIZER_WORDS), text[-6000:]


@contextlib.contextmanager
def running_gateways(binary, folder):
    started = []

    def start(files, *flags, wait=True, **options):
        home = folder / f"gateway{len(started)}"
        home.mkdir()
        gateway = Gateway(binary, home, files, *flags, **options).start()
        started.append(gateway)
        return gateway.wait_ready() if wait else gateway

    try:
        yield start
    finally:
        with contextlib.ExitStack() as stack:
            for gateway in started:
                stack.callback(gateway.end)


@pytest.fixture
def gateways(serin, tmp_path):
    """Starts gateways: gateways(files, *flags).  All are ended after the test, and nothing may be left of them."""
    with running_gateways(serin, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def shared_gateways(serin, tmp_path_factory):
    """The same for a gateway that the tests of a file share."""
    with running_gateways(serin, tmp_path_factory.mktemp("shared")) as start:
        yield start


@pytest.fixture(scope="module")
def walkthrough(shared_gateways, tmp_path_factory):
    """A gateway on a copy of data/walkthrough, for all tests of a file; `.files` is the folder that it follows."""
    folder = tmp_path_factory.mktemp("manifests") / "walkthrough"
    shutil.copytree(DATA / "walkthrough", folder)
    gateway = shared_gateways([folder])
    gateway.files = folder
    return gateway


@pytest.fixture(scope="module")
def applied(shared_gateways):
    """A gateway on which the walkthrough was applied by kubectl, for all tests of a file."""
    gateway = shared_gateways([])
    gateway.kubectl("apply", "-f", DATA / "walkthrough")
    return gateway.wait_endpoints(2)


@pytest.fixture
def namespace():
    """Makes a namespace of this test's own: namespace(gateway) gives its name."""

    def make(gateway):
        name = f"test-{random.getrandbits(32):08x}"
        with gateway.api_client() as client:
            made = client.post(api_path("namespaces"), json={"apiVersion": "v1", "kind": "Namespace",
                                                             "metadata": {"name": name}})
        assert made.status_code == 201, made.text
        return name

    return make


@pytest.fixture
def manifests(tmp_path):
    """A folder (or a file) of data/ as a copy that may be edited, with words of it replaced."""

    def copy(name, **words):
        source, target = DATA / name, tmp_path / "manifests" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
        for file in [target] if target.is_file() else target.iterdir():
            text = file.read_text()
            for old, new in words.items():
                text = text.replace(old, new)
            file.write_text(text)
        return target

    return copy


@pytest.fixture
def sims(serin, tmp_path):
    """Starts simulators by hand: sims("--host", "127.0.0.1", "--port", "8000", ...)."""
    started = []

    def start(*arguments):
        log = tmp_path / f"sim{len(started)}.log"
        with open(log, "wb") as output:
            process = subprocess.Popen([serin, "sim", *arguments], stdout=output, stderr=output)
        process.log = log
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        text = process.log.read_text(errors="replace")
        assert not any(word in text for word in SANITIZER_WORDS), text[-6000:]


def edit(path, old, new):
    """Edits a manifest as an editor does: a new file renamed over the old one."""
    text = pathlib.Path(path).read_text()
    assert old in text, f"{old!r} is not in {path}"
    temporary = pathlib.Path(f"{path}.new")
    temporary.write_text(text.replace(old, new))
    temporary.rename(path)


def edit_and_wait(gateway, path, old, new):
    """Edits and waits until the gateway has taken it over."""
    before = gateway.generation()
    edit(path, old, new)
    until(lambda: gateway.generation() > before, "the edit")


def chat(model="mymodel", text="Who are you?", **more):
    return {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 6, **more}


def ask(client, headers=None, **more):
    """One chat request that must be answered 200."""
    answer = client.post("/v1/chat/completions", json=chat(**more), headers=headers)
    assert answer.status_code == 200, (answer.status_code, answer.headers, answer.text)
    return answer


def arm(answer):
    return answer.headers["x-serin-arm"]


def arms(answers):
    return collections.Counter(arm(answer) for answer in answers)


def content(answer):
    return answer.json()["choices"][0]["message"]["content"]


def events(response):
    """The data of each server-sent event of a streaming httpx response, as it arrives.  Keep what this returns in a
    variable: when it goes, httpx closes the response."""
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield line[len("data: "):]


def words(datas):
    """The pieces of text in the events of a chat stream."""
    deltas = [json.loads(data)["choices"] for data in datas if data != "[DONE]"]
    return [choices[0]["delta"]["content"] for choices in deltas if choices and choices[0]["delta"].get("content")]


def error_of(answer, status, reason):
    """Checks an error made by the gateway, in full; gives the error object."""
    assert answer.status_code == status, (answer.status_code, answer.headers, answer.text)
    assert answer.headers["x-serin-reason"] == reason
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == reason and error["param"] is None and error["message"] and error["type"]
    return error


class InParallel:
    """Runs functions in threads and gives their results or their failures: with InParallel() as p: p(f, x) ..."""

    def __init__(self, threads=64):
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.futures = []

    def __enter__(self):
        return self

    def __call__(self, function, *arguments):
        self.futures.append(self.pool.submit(function, *arguments))
        return self.futures[-1]

    def results(self):
        return [future.result(GENEROUS_S) for future in self.futures]

    def __exit__(self, kind, *rest):
        self.pool.shutdown(wait=kind is None, cancel_futures=kind is not None)
        if kind is None:
            self.results()


class Load:
    """Clients that ask one thing after the other until they are stopped; every failure is kept.

    with Load(gateway, clients=4) as load: ...  then load.answers and load.failures."""

    def __init__(self, gateway, clients=4, pause_s=0, **more):
        self.gateway, self.pause_s, self.more = gateway, pause_s, more
        self.answers, self.failures = 0, []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def run(self):
        with self.gateway.client() as client:
            while not self.is_over.is_set():
                try:
                    ask(client, **self.more)
                    self.answers += 1
                except (AssertionError, httpx.HTTPError) as failure:
                    self.failures.append(repr(failure))
                if self.pause_s:
                    self.is_over.wait(self.pause_s)

    def wait_answers(self, more):
        wanted = self.answers + more
        until(lambda: self.answers >= wanted or self.failures, f"{more} more answers")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


class RawAnswer:
    """A response as it stood on the wire."""

    def __init__(self, status, headers, body):
        self.status_code, self.headers, self.body = status, headers, body
        self.text = body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)


class Wire:
    """A TCP connection for exact bytes: a `with` block, send(), answer(), is_closed()."""

    def __init__(self, ip, port=8080, receive_buffer=None):
        self.socket = socket.socket()
        self.socket.settimeout(GENEROUS_S)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((ip, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.arriving = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.arriving.close()
        self.socket.close()

    def send(self, data):
        with contextlib.suppress(ConnectionError):  # the other side may have answered and left already
            self.socket.sendall(data)
        return self

    def take(self, count):
        piece = self.arriving.read(count)
        assert len(piece) == count, f"closed after {piece!r}"
        return piece

    def take_line(self):
        line = self.arriving.readline()
        assert line.endswith(b"\r\n"), f"closed after {line!r}"
        return line[:-2]

    def take_rest(self):
        """All up to the end of the connection, which must not be a reset."""
        return self.arriving.read()

    def head(self):
        version, status = self.take_line().split(b" ", 2)[:2]
        assert version == b"HTTP/1.1"
        headers = httpx.Headers()
        while line := self.take_line():
            name, value = line.decode("latin-1").split(":", 1)
            headers[name] = value.strip()
        return int(status), headers

    def answer(self, has_body=True):
        """The next response; has_body False for the answer to HEAD."""
        status, headers = self.head()
        pieces = []
        if has_body and headers.get("transfer-encoding") == "chunked":
            while size := int(self.take_line(), 16):
                pieces.append(self.take(size))
                assert self.take(2) == b"\r\n"
            assert self.take_line() == b""
        elif has_body:
            pieces.append(self.take(int(headers.get("content-length", "0"))))
        return RawAnswer(status, headers, b"".join(pieces))

    def is_closed(self):
        """Waits for the end of the connection; bytes before it are an error."""
        try:
            rest = self.arriving.read()
        except ConnectionResetError:
            return True
        assert rest == b"", rest
        return True
