"""What the steps of a plan do to the world, and what each of them allows to go wrong.

Before a change the load is told that old and new arms may both answer, after it only the new ones.  A step that adds no
allowance needs none: everything that fails while it runs is unexplained."""
import contextlib
import os
import signal
import time

import httpx

from conftest import DATA, until

from . import ledger
from .world import POOLS

CHECK_S = 0.2
PHASE_S = 1800    # a phase takes as long as its draws do, but not for ever
PAUSE_S = 0.5     # between the steps of a rollout and what happens in it
EXCUSE_S = 60     # how long after its cause a failure may be seen, on a busy machine
IN_BAND = ("upstream_cut", "reset")  # how a cut must show: an error event, or a reset
NOBODY = ("no_endpoint", "connect_failed", "upstream_closed")


class Run:
    def __init__(self, world, load, book, say):
        self.world, self.load, self.book, self.say = world, load, book, say
        self.kubectl = world.kubectl
        self.pools = {}       # weights of the arms of the route
        self.adapters_ = {}   # weights of the targets of the model "travelhelper"
        self.takes_all = False  # whether the route takes every path

    def take(self, step):
        self.say(str(step))
        getattr(self, step.name)(**step.arguments)

    # What may be asked for, and who may answer.

    def offered(self):
        pools = [pool for pool, weight in self.pools.items() if weight]
        arms = {"mymodel": {f"{pool}/mymodel" for pool in pools}}
        if self.takes_all:
            arms[""] = set(pools)
        if "pool-base" in pools and self.adapters_:
            arms["travelhelper"] = {f"pool-base/{target}" for target, weight in self.adapters_.items() if weight}
            arms["travel-helper-v2"] = {"pool-base/travel-helper-v2"}
        return arms

    @contextlib.contextmanager
    def changing(self, **news):
        """Around a change of pools, adapters_ or takes_all.  Models that lose their arms are asked for no more when it
        begins; models that get some are asked for when it is over."""
        old = self.offered()
        for name, value in news.items():
            setattr(self, name, value)
        new = self.offered()
        gone = old.keys() - new.keys()
        self.load.offer({model: old[model] | new[model] for model in old.keys() & new.keys()})
        self.load.wait_heads(gone)
        yield
        self.load.offer(new)

    def splits(self):
        models = {"mymodel", ""} if self.takes_all else {"mymodel"}
        splits = [ledger.Split(frozenset(models), dict(self.pools))]
        if "travelhelper" in self.offered():
            weights = {f"pool-base/{target}": weight for target, weight in self.adapters_.items()}
            splits.append(ledger.Split(frozenset({"travelhelper"}), weights))
        return splits

    def phase(self, name, draws):
        """Nothing happens until so many requests without a key were drawn in each split."""
        phase, first = self.book.begin_phase(name, self.splits()), len(self.book.entries)

        def is_long_enough():
            time.sleep(CHECK_S)  # counting costs more than waiting
            ended = self.book.entries[first:]
            return all(sum(not entry.key for entry in split.draws(ended, phase)) >= draws for split in phase.splits)

        until(is_long_enough, f"{draws} draws", PHASE_S)
        phase.until = self.book.now()
        self.load.wait_heads()

    # The walkthrough.

    def apply_base(self):
        self.world.apply("01-", "02-", "03-")
        self.world.rolled_out("base")
        self.kubectl("wait", "--for=condition=Programmed", "gateway/models", "--timeout=60s", limit_s=70)
        self.world.wait_observed("httproute", "models")
        self.pools = {"pool-base": 1}
        self.begin_load()

    def begin_load(self):
        self.load.offer(self.offered())
        self.load.start()

    def apply_candidate(self):
        self.world.apply("04-", "05-")
        self.world.rolled_out("candidate")

    def write_split(self, weights):
        for pool, weight in weights.items():
            self.world.edit("06-", rf"name: {pool}, weight: \d+", f"name: {pool}, weight: {weight}")

    def split(self, weights):
        with self.changing(pools=weights, takes_all=True):
            self.write_split(weights)
            self.world.apply("06-")
            self.world.wait_observed("httproute", "models")

    def adapters(self, weights):
        with self.changing(adapters_=weights):
            targets = "".join(f"  - {{name: {target}, weight: {weight}}}\n" for target, weight in weights.items()
                              if weight)
            self.world.edit("07-", r"targetModels:\n(?:  - .*\n)+", f"targetModels:\n{targets}")
            self.world.apply("07-")
            self.world.wait_observed("inferencemodel", "travelhelper")

    def scale(self, deployment, replicas):
        file = {"base": "01-", "candidate": "04-"}[deployment]
        self.world.edit(file, r"replicas: \d+", f"replicas: {replicas}")  # so that a later apply does not undo it
        self.kubectl("scale", f"deploy/{deployment}", f"--replicas={replicas}")
        self.world.rolled_out(deployment)

    def restart(self, deployment, is_waiting=True):
        # kubectl refuses two restarts within one second of the clock.
        until(lambda: self.kubectl.run("rollout", "restart", f"deploy/{deployment}").returncode == 0,
              f"restart of {deployment}")
        if is_waiting:
            self.world.rolled_out(deployment)

    def command(self, deployment, model, is_waiting=True):
        file = {"base": "01-", "candidate": "04-"}[deployment]
        self.world.edit(file, r"vllm serve /models/\S+", f"vllm serve /models/{model}")
        self.world.apply(file)
        if is_waiting:
            self.world.rolled_out(deployment)

    def undo(self, deployment):
        self.kubectl("rollout", "undo", f"deploy/{deployment}")
        self.world.rolled_out(deployment)

    def retire_base(self):
        """Its arm has no weight any more; streams that it began go on while it is taken apart."""
        with self.changing(pools={"pool-candidate": 100}):
            self.kubectl("delete", "inferencepool.inference.networking.x-k8s.io/pool-base")
            self.kubectl("delete", "inferencemodel", "mymodel-base", "travelhelper")
            self.kubectl("delete", "deploy/base", "--wait=false")
            self.kubectl("delete", "service/base")

    # Kills.

    def apply_twins(self):
        self.world.apply("models")
        self.world.rolled_out("twins")
        self.world.wait_observed("httproute", "twins")
        self.pools, self.takes_all = {"twins": 1}, True
        self.due = time.monotonic()
        self.begin_load()

    def kill_every(self, deployment, index, period_s):
        """Kills one of the two when both are in use, and at most one in a period."""
        time.sleep(max(0.0, self.due - time.monotonic()))
        self.kill(deployment, index, is_only=False)
        self.due = time.monotonic() + period_s

    # Restarts.

    def restart_gateway(self):
        """What it has accepted it finishes; whoever comes later finds a closed port until it is back, and an open one
        with nobody behind it until its model servers, which end with it, are ready again."""
        closed = self.book.allow("the gateway was restarted", ledger.UNREACHED)
        self.world.stop_gateway()
        empty = self.book.allow("the model servers were restarted", ledger.REFUSED, reasons=["no_endpoint"])
        self.world.start_gateway()
        self.load.wait_heads()
        closed.until = empty.until = self.book.now()

    # Faults.  `index` chooses among the pods in use, by name.

    def choose(self, deployment, index, is_only):
        usable = self.world.wait_usable(deployment, 1 if is_only else 2)
        return usable[index % len(usable)]

    def allow_cuts(self, endpoint, why, seconds=EXCUSE_S):
        """For what this pod had begun to answer."""
        return self.book.allow(why, ledger.CUT, seconds=seconds, pods=[pod_of(endpoint)], reasons=IN_BAND)

    def allow_lost_bodies(self, why):
        """What has passed on of a long body cannot be sent to another pod."""
        return self.book.allow(why, ledger.REFUSED, seconds=EXCUSE_S, kinds=["long"], reasons=["upstream_closed"])

    @contextlib.contextmanager
    def nobody_left(self, deployment, why, is_only):
        """Around the absence of the only pod of a deployment: its arm may answer that it has nobody."""
        if not is_only:
            yield
            return
        allowance = self.book.allow(why, ledger.REFUSED, pools=[POOLS[deployment]], reasons=NOBODY)
        yield
        self.world.wait_usable(deployment, 1)
        allowance.until = self.book.now() + EXCUSE_S

    def kill(self, deployment, index, is_only):
        """One kill may cost a request its first try.  What had a try cost by an earlier fault is let through before."""
        if not is_only:
            self.load.wait_heads()
        endpoint = self.choose(deployment, index, is_only)
        with self.nobody_left(deployment, "kill -9 of the only pod", is_only):
            cuts = self.allow_cuts(endpoint, f"kill -9 of {pod_of(endpoint)}")
            bodies = self.allow_lost_bodies(f"a body on its way at kill -9 of {pod_of(endpoint)}")
            self.world.send_signal(endpoint, signal.SIGKILL)
            cuts.begun_by = bodies.begun_by = self.book.now()

    def kill_all(self, deployment):
        """All pods of a deployment at once: until one is back, its arm has nobody."""
        endpoints = self.world.wait_usable(deployment, 1)
        with self.nobody_left(deployment, "kill -9 of all pods", is_only=True):
            for endpoint in endpoints:
                cuts = self.allow_cuts(endpoint, f"kill -9 of {pod_of(endpoint)}")
                bodies = self.allow_lost_bodies(f"a body on its way at kill -9 of {pod_of(endpoint)}")
                with contextlib.suppress(KeyError):
                    self.world.send_signal(endpoint, signal.SIGKILL)
                cuts.begun_by = bodies.begun_by = self.book.now()

    def delete_pod(self, deployment, index, is_only):
        endpoint = self.choose(deployment, index, is_only)
        with self.nobody_left(deployment, "the only pod was deleted", is_only):
            self.kubectl("delete", "pod", pod_of(endpoint), "--wait=false")
        self.world.rolled_out(deployment)

    def configured(self, endpoint, seconds, on, off):
        """A behaviour of a simulator for some time; one that is ending takes no orders, and none are needed."""
        with contextlib.suppress(httpx.TransportError):
            self.world.sim(endpoint).configure(**on)
            time.sleep(seconds)
            self.world.sim(endpoint).configure(**off)

    def hold(self, deployment, index, is_only, at, seconds):
        endpoint = self.choose(deployment, index, is_only)
        with contextlib.suppress(httpx.TransportError):
            self.world.sim(endpoint).hold(at, event=3)
            time.sleep(seconds)
            self.world.sim(endpoint).release()

    def slow(self, deployment, index, is_only, delay_ms, count):
        endpoint = self.choose(deployment, index, is_only)
        self.configured(endpoint, 0, {"slow_first_token": f"{delay_ms}ms", "slow_count": count}, {})

    def refuse(self, deployment, index, is_only, seconds):
        """Closes its port: new connections are refused, those that are open stay; so does the one that gives the
        orders."""
        endpoint = self.choose(deployment, index, is_only)
        with self.nobody_left(deployment, "the only pod refused connections", is_only), \
                httpx.Client(base_url=f"http://{endpoint['address']}", trust_env=False, timeout=60) as client, \
                contextlib.suppress(httpx.TransportError):
            client.post("/sim/config", json={"refuse": True})
            time.sleep(seconds)
            client.post("/sim/config", json={"refuse": False})
        self.world.wait_pods(deployment)

    def errors(self, deployment, index, is_only, seconds):
        endpoint = self.choose(deployment, index, is_only)
        allowance = self.book.allow(f"error-rate of {pod_of(endpoint)}", ledger.REFUSED, pods=[pod_of(endpoint)],
                                    reasons=[""])
        self.configured(endpoint, seconds, {"error_rate": 0.5}, {"error_rate": 0})
        allowance.until = self.book.now() + EXCUSE_S

    def die(self, deployment, index, is_only, events, seconds):
        endpoint = self.choose(deployment, index, is_only)
        allowance = self.allow_cuts(endpoint, f"die-after-events of {pod_of(endpoint)}", seconds=600)
        self.configured(endpoint, seconds, {"die_after_events": events}, {"die_after_events": None})
        allowance.until = self.book.now() + EXCUSE_S

    def freeze(self, deployment, index, is_only, seconds):
        """Its process stands still: nothing is lost, some of it comes late."""
        endpoint = self.choose(deployment, index, is_only)
        with self.nobody_left(deployment, "the only pod stood still", is_only):
            pid = self.world.pid_of(endpoint)
            os.kill(pid, signal.SIGSTOP)
            time.sleep(seconds)
            with contextlib.suppress(ProcessLookupError):  # its grace period may have ended
                os.kill(pid, signal.SIGCONT)
        self.world.wait_pods(deployment)

    # Changes.

    def storm(self, patches, pause_ms):
        """The weights of the route, faster than anybody could follow; at the end they are what they were."""
        before = dict(self.pools)
        wild = [(90, 10), (10, 90)] if all(before.values()) else [(100, 0), (50, 0)]
        with self.changing(pools=before), self.world.gateway.api_client() as client:
            for i in range(patches):
                self.world.patch_weights(client, "models", wild[i % 2])
                time.sleep(pause_ms / 1000)
            self.world.patch_weights(client, "models", before.values())
            self.world.wait_observed("httproute", "models")

    def bad_apply(self, number):
        """A manifest that must be refused, and that changes nothing."""
        file = next((DATA / "bad").glob(f"{number}-*.yaml"))
        self.kubectl.refused("apply", "--dry-run=server", "-f", file)

    def rollout(self, deployment, how, model, within):
        """Begins a rollout, does other things while it runs, and sees it to its end."""
        file = {"base": "01-", "candidate": "04-"}[deployment]
        before = self.world.file(file).read_text()
        if how == "restart":
            self.restart(deployment, is_waiting=False)
        elif how == "command":
            self.command(deployment, model, is_waiting=False)
        else:  # pods that never become ready
            self.world.edit(file, 'serin.dev/sim: "', 'serin.dev/sim: "startup=1000m,')
            self.world.apply(file)
        for step in within:
            time.sleep(PAUSE_S)
            self.take(step)
        if how == "stuck":
            time.sleep(PAUSE_S)
            self.world.file(file).write_text(before)
            self.kubectl("rollout", "undo", f"deploy/{deployment}")
        self.world.rolled_out(deployment)

    def listener(self, port):
        """A second port opens, is used, and closes again."""
        first = "  - {name: http, protocol: HTTP, port: 8080}\n"
        file = self.world.file("03-")
        before = file.read_text()
        gateway_only = before[:before.index("kind: HTTPRoute")].rsplit("---", 1)[0]
        for text in (gateway_only.replace(first, f"{first}  - {{name: more, protocol: HTTP, port: {port}}}\n"),
                     gateway_only):
            self.kubectl("apply", "-f", "-", stdin=text)
            self.world.wait_observed("gateway", "models")

    def retire_candidate(self):
        with self.changing(pools={"pool-base": 100, "pool-candidate": 0}):
            self.write_split(self.pools)
            self.world.apply("06-")
            self.world.wait_observed("httproute", "models")
        self.kubectl("delete", "-f", self.world.file("05-"), "-f", self.world.file("04-"), "--wait=false")

    def return_candidate(self):
        self.world.edit("04-", r"replicas: \d+", "replicas: 1")
        self.world.apply("04-", "05-")
        self.world.rolled_out("candidate")

    def drop_adapters(self):
        with self.changing(adapters_={}):
            self.kubectl("delete", "inferencemodel", "travelhelper")


def pod_of(endpoint):
    """The name of the pod, as its answers say it."""
    return endpoint["pod"].split("/")[1]
