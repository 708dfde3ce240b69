"""What was acknowledged is there after kill -9, with its version, and is served within seconds.

SERIN_KILLS=200 runs the long loop by hand; the suite does a few rounds."""
import json
import os
import random
import threading
import time

import pytest

from conftest import DATA, api_path, arms, ask, edit, until

KILLS = int(os.environ.get("SERIN_KILLS", "5"))
WRITERS = 8
ROUTING_LIMIT_S = 5


class Writer:
    """One kubectl after the other, each a write of one of this writer's ConfigMaps; remembers what was acknowledged."""

    def __init__(self, kubectl, number, generation):
        self.kubectl, self.number, self.generation = kubectl, number, generation
        self.acknowledged, self.tried, self.versions, self.writes = {}, {}, [], 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over.is_set():
            name, value = f"writer-{self.number}-{self.writes % 3}", f"{self.generation}-{self.writes}"
            self.writes += 1
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}}
            self.tried.setdefault(name, []).append(value)
            ended = self.kubectl.run("apply", "-f", "-", "-o", "json", stdin=json.dumps(body))
            if ended.returncode == 0:
                told = json.loads(ended.stdout)
                self.acknowledged[name] = value
                self.tried[name] = []
                self.versions.append((time.monotonic(), int(told["metadata"]["resourceVersion"])))


def check_kept(client, writers):
    """Each object has the value that was acknowledged last, or one that was sent later and never answered."""
    stored = {item["metadata"]["name"]: item["data"].get("value")
              for item in client.get(api_path("configmaps")).json()["items"]}
    for writer in writers:
        for name, value in writer.acknowledged.items():
            assert stored.get(name) in [value, *writer.tried[name]], (name, value, writer.tried[name], stored.get(name))
        assert [v for _, v in writer.versions] == sorted(v for _, v in writer.versions)


def test_kill_9_loses_nothing_that_was_acknowledged(gateways):
    gateway = gateways([])
    gateway.kubectl("apply", "-f", DATA / "walkthrough")
    gateway.wait_endpoints(2)
    highest = 0
    for generation in range(KILLS):
        writers = [Writer(gateway.kubectl, number, generation) for number in range(WRITERS)]
        for writer in writers:
            writer.thread.start()
        wanted = random.randint(1, WRITERS)
        until(lambda: sum(len(w.versions) for w in writers) >= wanted, f"{wanted} acknowledged writes")
        time.sleep(random.uniform(0, 0.05))  # somewhere in the middle of what they are doing
        gateway.kill()
        for writer in writers:
            writer.is_over.set()
        gateway.start().wait_ready()
        ready = time.monotonic()
        with gateway.client() as requests:
            until(lambda: requests.post("/v1/chat/completions", json=chat_body()).status_code == 200, "an answer",
                  ROUTING_LIMIT_S)
        assert time.monotonic() - ready < ROUTING_LIMIT_S
        for writer in writers:
            writer.thread.join()
        with gateway.api_client() as client:
            check_kept(client, writers)
            version = int(client.get(api_path("configmaps")).json()["metadata"]["resourceVersion"])
        told = max(v for writer in writers for _, v in writer.versions)
        assert version >= told > highest
        highest = version


def chat_body():
    return {"model": "mymodel", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2}


@pytest.mark.short
def test_up_without_files_serves_what_was_stored(gateways):
    gateway = gateways([])
    kubectl = gateway.kubectl
    kubectl("apply", "-f", DATA / "walkthrough")
    gateway.wait_endpoints(2)
    before = kubectl.json("get", "gtw,httproutes,xinfpool,inferencemodels,deploy,svc")["items"]
    gateway.kill().start().wait_ready()
    after = kubectl.json("get", "gtw,httproutes,xinfpool,inferencemodels,deploy,svc")["items"]
    assert [(item["metadata"]["uid"], item.get("spec")) for item in after] == [
        (item["metadata"]["uid"], item.get("spec")) for item in before]
    assert kubectl("apply", "-f", DATA / "walkthrough" / "06-split.yaml").endswith("models unchanged\n")
    gateway.wait_endpoints(2)
    with gateway.client() as client:
        until(lambda: arms(ask(client) for _ in range(10)) == {"pool-base/mymodel": 9, "pool-candidate/mymodel": 1},
              "the stored shares")


def test_the_token_and_the_authority_stay_over_a_restart(gateways):
    gateway = gateways([], workloads="none")
    before = (gateway.data / "kubeconfig").read_text()
    gateway.kubectl("create", "configmap", "one")
    gateway.kill().start().wait_ready()
    assert (gateway.data / "kubeconfig").read_text() == before
    assert gateway.kubectl("get", "configmap", "one", "-o", "name") == "configmap/one\n"


@pytest.mark.short
def test_files_are_applied_through_the_same_store(gateways, manifests):
    folder = manifests("walkthrough")
    gateway = gateways([folder])
    kubectl = gateway.kubectl
    assert kubectl("get", "httproute", "models", "-o", "jsonpath={.spec.rules[0].backendRefs[*].weight}") == "90 10"
    assert "pool-base" in kubectl("get", "inferencepools", "-o", "name")
    edit(folder / "06-split.yaml", "weight: 90}", "weight: 50}")
    kubectl("wait", "--for=jsonpath={.spec.rules[0].backendRefs[0].weight}=50", "httproute/models", "--timeout=30s")
    kubectl("create", "configmap", "beside", "--from-literal=a=1")
    gateway.kill().start().wait_ready()
    assert kubectl("get", "configmap", "beside", "-o", "name") == "configmap/beside\n"
    assert kubectl("get", "httproute", "models", "-o", "jsonpath={.spec.rules[0].backendRefs[0].weight}") == "50"


def test_an_object_that_leaves_the_files_leaves_the_store_and_others_stay(gateways, manifests):
    folder = manifests("walkthrough")
    gateway = gateways([folder])
    gateway.kubectl("create", "configmap", "beside")
    (folder / "07-adapter-split.yaml").unlink()
    gateway.kubectl("wait", "--for=delete", "inferencemodel/travelhelper", "--timeout=30s")
    assert gateway.kubectl("get", "configmap", "beside", "-o", "name") == "configmap/beside\n"


def test_a_store_that_is_no_store_is_named_and_nothing_starts(gateways, command):
    gateway = gateways([], workloads="none")
    gateway.stop()
    for file in gateway.data.glob("serin.db*"):
        file.unlink()
    (gateway.data / "serin.db").write_bytes(b"this is no database at all, and it is long enough" * 100)
    ended = command(*gateway.command[1:])
    assert ended.returncode == 1 and "ready" not in ended.stdout
    assert "serin.db" in ended.stderr and len(ended.stderr.splitlines()) == 1
    (gateway.data / "serin.db").unlink()
