"""The world of a chaos run: one gateway with its API server and simulated model servers, as kubectl sees it.

Manifests are copies of tests/e2e/data with slower tokens, so that streams last; edits are made to the copies and
applied.  Waits are for what can be seen (statuses, pods, endpoints), never for a time."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import threading

import httpx

from conftest import DATA, Gateway, Sim, edit, until

SLOW_S = 120  # for what may take long on a busy machine
SAMPLE_S = 2
DRAIN_S = "60"  # a stream, and one more that came over its connection after it
POOLS = {"base": "pool-base", "candidate": "pool-candidate", "twins": "twins"}  # by Deployment
KINDS = ("deploy,rs,pods,svc,endpointslices,gatewayclasses,gtw,httproutes,inferencepools.inference.networking.k8s.io,"
         "inferencepools.inference.networking.x-k8s.io,inferencemodels,clienttrafficpolicies,backendtrafficpolicies")
STAYS = re.compile(r"(serin\.db(-shm|-wal)?|lock|token|kubeconfig|pki/(ca|server)\.(crt|key)|pods/[^/]+\.log)$")


class World:
    def __init__(self, binary, folder, manifests, speed, itl_ms):
        self.folder = pathlib.Path(folder)
        self.files = self.folder / "manifests"
        shutil.copytree(DATA / manifests, self.files)
        for file in self.files.iterdir():
            # Streams must be able to end within the grace period.
            file.write_text(file.read_text().replace("itl=1ms", f"itl={itl_ms}ms")
                            .replace("terminationGracePeriodSeconds: 5", "terminationGracePeriodSeconds: 30"))
        self.gateway = Gateway(binary, self.folder, [], "--sim-speed", str(speed), "--drain", DRAIN_S)
        self.gateway.start().wait_ready()
        self.kubectl = self.gateway.kubectl
        self.restarts = 0

    def file(self, name):
        """The manifest whose name contains `name`."""
        return next(file for file in sorted(self.files.iterdir()) if name in file.name)

    def apply(self, *names):
        for name in names:
            self.kubectl("apply", "-f", self.file(name))

    def edit(self, name, pattern, new):
        """Replaces the one match of a pattern in a manifest."""
        file = self.file(name)
        text = file.read_text()
        found = re.findall(pattern, text)
        assert len(found) == 1, (name, pattern, found)
        edit(file, found[0], new)

    def rolled_out(self, deployment):
        """Waits for the end of a rollout, and until the pods that it replaced take no requests and the new ones do."""
        self.kubectl("rollout", "status", f"deploy/{deployment}", f"--timeout={SLOW_S}s", limit_s=SLOW_S + 10)
        self.wait_pods(deployment)

    def wait_pods(self, deployment):
        """Only of a pool that a route names: nobody looks at the endpoints of others."""
        replicas = int(self.kubectl("get", "deploy", deployment, "-o", "jsonpath={.spec.replicas}"))

        def are_settled():
            known = [e for e in self.gateway.endpoints() if is_of(e, deployment)]
            return len(known) == len(self.usable(deployment)) == replicas or not self.is_routed(deployment)

        until(are_settled, f"the pods of {deployment} to be the endpoints of its pool", SLOW_S)

    def is_routed(self, deployment):
        return any(pool["name"] == POOLS[deployment] for pool in self.gateway.pools())

    def wait_observed(self, kind, name):
        """Waits until the status is about the present generation: it is written when every worker has adopted it."""
        generation = self.kubectl("get", kind, name, "-o", "jsonpath={.metadata.generation}")
        where = "{.status.parents[0].conditions[0].observedGeneration}" if kind == "httproute" else \
            "{.status.conditions[0].observedGeneration}"
        self.kubectl("wait", f"--for=jsonpath={where}={generation}", f"{kind}/{name}", f"--timeout={SLOW_S}s",
                     limit_s=SLOW_S + 10)

    def usable(self, deployment):
        """The endpoints of a deployment that take requests: dicts with pod and address, by name."""
        found = [e for e in self.gateway.endpoints() if is_of(e, deployment) and e["ready"] and e["healthy"]
                 and e["models"]]
        return sorted(found, key=lambda e: e["pod"])

    def wait_usable(self, deployment, count):
        """Gives the usable endpoints when there are so many, each with a process: one that was just killed may be
        listed for a moment."""

        def running():
            processes = self.processes()
            found = [e for e in self.usable(deployment) if ip_of(e) in processes]
            return len(found) >= count and found

        return until(running, f"{count} usable pods of {deployment}", SLOW_S)

    def processes(self):
        """The simulators that run: {address without port: process id}."""
        found = {}
        for pid in self.gateway.pids():
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                if "--host" in words:
                    found[words[words.index("--host") + 1]] = pid
        return found

    def pid_of(self, endpoint):
        return self.processes()[ip_of(endpoint)]

    def sim(self, endpoint):
        return Sim(endpoint["address"])

    def send_signal(self, endpoint, number):
        os.kill(self.pid_of(endpoint), number)

    def patch_weights(self, client, route, weights):
        """Sets the weights of the first rule of a route by one PATCH; for storms that are too fast for kubectl."""
        path = f"/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/{route}"
        patch = [{"op": "replace", "path": f"/spec/rules/0/backendRefs/{i}/weight", "value": weight}
                 for i, weight in enumerate(weights)]
        answer = client.patch(path, json=patch, headers={"content-type": "application/json-patch+json"})
        assert answer.status_code == 200, answer.text

    def stop_gateway(self):
        assert self.gateway.stop(signal.SIGTERM, SLOW_S) == 0, self.gateway.log_text()[-3000:]

    def start_gateway(self):
        self.restarts += 1
        self.gateway.output = ""
        self.gateway.start().wait_ready()

    def delete_all(self):
        self.kubectl("delete", "-f", self.files, "--ignore-not-found", f"--timeout={SLOW_S}s", limit_s=SLOW_S + 10)

    def leftovers(self):
        """What is left of the workloads and routes after everything was deleted: sentences."""
        gateway = self.gateway
        found = [f"process {pid}" for pid in gateway.pids()]
        found += [f"listening socket {at}" for at in listening(gateway.process.pid) - {gateway.admin, gateway.api}]
        objects = self.kubectl("get", KINDS, "-A", "--ignore-not-found", "--no-headers", "-o", "name",
                               limit_s=SLOW_S).split()
        found += [f"object {name}" for name in objects]
        files = [str(p.relative_to(gateway.data)) for p in gateway.data.rglob("*") if p.is_file()]
        found += [f"file {file}" for file in files if not STAYS.match(file)]
        for name in ("serin_requests_active", "serin_downstream_connections", "serin_upstream_connections",
                     "serin_body_bytes_held", "serin_pool_endpoints"):
            if value := gateway.metric(name):
                found.append(f"{name} {value:g}")
        return found

    def wait_nothing_left(self):
        """Gives what is left after a while, if anything is."""
        try:
            until(lambda: not self.leftovers(), "nothing to be left", 30)
        except AssertionError:
            pass
        return self.leftovers()


def is_of(endpoint, deployment):
    return endpoint["pod"].startswith(f"default/{deployment}-")


def ip_of(endpoint):
    return endpoint["address"].rsplit(":", 1)[0]


def listening(pid):
    """The addresses on which a process listens: {"127.0.0.1:80"}."""
    sockets = {os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    found = set()
    for line in pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
            ip, port = fields[1].split(":")
            found.add(".".join(str(byte) for byte in reversed(bytes.fromhex(ip))) + f":{int(port, 16)}")
    return found


class Samples:
    """Memory and descriptors of the gateway over time, from /metrics: rows of (time, RSS bytes, descriptors, active
    requests, connections to model servers)."""

    NAMES = ("process_resident_memory_bytes", "process_open_fds", "serin_requests_active", "serin_upstream_connections")

    def __init__(self, gateway, book):
        self.gateway, self.book = gateway, book
        self.rows = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, name="samples")
        self.thread.start()

    def take(self):
        text = httpx.get(f"http://{self.gateway.admin}/metrics", trust_env=False, timeout=SLOW_S).text
        totals = dict.fromkeys(self.NAMES, 0.0)
        for line in text.splitlines():
            name = re.split("[{ ]", line, maxsplit=1)[0]
            if name in totals:
                totals[name] += float(line.rsplit(" ", 1)[1])
        self.rows.append((self.book.now(), *totals.values()))
        return self.rows[-1]

    def run(self):
        while not self.is_over.wait(SAMPLE_S):
            with contextlib.suppress(httpx.HTTPError):  # while it is restarted
                self.take()

    def stop(self):
        self.is_over.set()
        self.thread.join()
