"""The Python `kubernetes` client: typed, dynamic, and an informer (list, watch, resume) whose cache must stay right.

SERIN_CHURN=5000:600 runs the informers by hand: so many writes over so many seconds, with two restarts."""
import os
import random
import threading
import time

import kubernetes
import pytest
import urllib3
from kubernetes.client.exceptions import ApiException

from conftest import DATA, until

CHURN_WRITES, CHURN_S = map(int, os.environ.get("SERIN_CHURN", "300:0").split(":"))
ROUTES = {"group": "gateway.networking.k8s.io", "version": "v1", "plural": "httproutes"}
PATIENCE_S = 60


def config_map(name, value):
    return {"metadata": {"name": name}, "data": {"value": str(value)}}


def route(name, value):
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": name},
            "spec": {"parentRefs": [{"name": "edge"}], "hostnames": [f"h{value}.example.com"]}}


class Maps:
    """Typed objects."""

    def __init__(self, client, namespace):
        self.api, self.namespace = kubernetes.client.CoreV1Api(client), namespace
        self.list, self.arguments = self.api.list_namespaced_config_map, (namespace,)

    def create(self, name, value):
        return self.of(self.api.create_namespaced_config_map(self.namespace, config_map(name, value)))

    def patch(self, name, value):
        return self.of(self.api.patch_namespaced_config_map(name, self.namespace, {"data": {"value": str(value)}}))

    def delete(self, name):
        self.api.delete_namespaced_config_map(name, self.namespace)

    @staticmethod
    def of(thing):
        return thing.metadata.name, thing.metadata.resource_version, thing.data["value"]

    def listed(self):
        answer = self.list(*self.arguments)
        return answer.metadata.resource_version, [self.of(item) for item in answer.items]


class Routes:
    """Untyped objects, with conditions that the gateway itself writes."""

    def __init__(self, client, namespace):
        self.api, self.where = kubernetes.client.CustomObjectsApi(client), {**ROUTES, "namespace": namespace}
        self.list = self.api.list_namespaced_custom_object
        self.arguments = (ROUTES["group"], ROUTES["version"], namespace, ROUTES["plural"])

    def create(self, name, value):
        return self.of(self.api.create_namespaced_custom_object(*self.arguments, route(name, value)))

    def patch(self, name, value):
        hostnames = {"spec": {"hostnames": [f"h{value}.example.com"]}}
        return self.of(self.api.patch_namespaced_custom_object(*self.arguments, name, hostnames))

    def delete(self, name):
        self.api.delete_namespaced_custom_object(*self.arguments, name)

    @staticmethod
    def of(thing):
        return thing["metadata"]["name"], thing["metadata"]["resourceVersion"], thing["spec"]["hostnames"][0]

    def listed(self):
        answer = self.list(*self.arguments)
        return answer["metadata"]["resourceVersion"], [self.of(item) for item in answer["items"]]


class Informer(threading.Thread):
    """A cache kept by a list and watches that resume where the last one ended; lists again only when told to (410)."""

    def __init__(self, objects):
        super().__init__()
        self.objects, self.cache, self.events, self.faults, self.lists = objects, {}, [], [], 0
        self.version, self.is_over = None, threading.Event()

    def relist(self):
        self.version, items = self.objects.listed()
        self.cache = {name: (version, value) for name, version, value in items}
        self.lists += 1

    def take(self, event):
        if event["type"] == "BOOKMARK":
            self.version = event["raw_object"]["metadata"]["resourceVersion"]
            return
        name, version, value = self.objects.of(event["object"])
        if int(version) <= int(self.version):
            self.faults.append(f"{event['type']} {name} at {version} after {self.version}")
        if (event["type"] == "ADDED") != (name not in self.cache):
            self.faults.append(f"{event['type']} of {name} at {version}")
        self.version = version
        self.events.append((event["type"], name, version))
        if event["type"] == "DELETED":
            self.cache.pop(name, None)
        else:
            self.cache[name] = (version, value)

    def watch_once(self):
        if self.version is None:
            self.relist()
        watching = kubernetes.watch.Watch()
        for event in watching.stream(self.objects.list, *self.objects.arguments, resource_version=self.version,
                                     timeout_seconds=1, allow_watch_bookmarks=True):
            self.take(event)

    def run(self):
        while not self.is_over.is_set():
            try:
                self.watch_once()
            except ApiException as failure:
                if failure.status == 410:
                    self.version = None
            except urllib3.exceptions.HTTPError:
                time.sleep(0.01)  # the server is away

    def __enter__(self):
        self.start()
        until(lambda: self.version, "the first list")
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.join()


def connect(gateway):
    return kubernetes.config.new_client_from_config(config_file=str(gateway.data / "kubeconfig"))


@pytest.fixture(scope="module")
def served(shared_gateways):
    return shared_gateways([], workloads="none")


@pytest.fixture
def client(served):
    with connect(served) as client:
        yield client


class Churn:
    """Writes at random to a dozen names; remembers what was acknowledged."""

    def __init__(self, objects):
        self.objects, self.alive, self.acknowledged = objects, set(), []

    def write(self, number):
        name = f"n{random.randrange(12)}"
        if name not in self.alive:
            self.acknowledged.append(self.objects.create(name, number)[:2])
            self.alive.add(name)
        elif random.random() < 0.3:
            self.objects.delete(name)
            self.alive.discard(name)
        else:
            self.acknowledged.append(self.objects.patch(name, number)[:2])


def wait_same(informer):
    def is_same():
        _, items = informer.objects.listed()
        return informer.cache == {name: (version, value) for name, version, value in items}

    until(is_same, "the cache to equal a fresh list", PATIENCE_S)


@pytest.mark.parametrize("kind", [Maps, Routes])
def test_an_informer_misses_no_event_and_hears_none_twice(client, served, namespace, kind):
    objects = kind(client, namespace(served))
    churn = Churn(objects)
    with Informer(objects) as informer:
        for number in range(CHURN_WRITES // 2):
            churn.write(number)
        wait_same(informer)
    assert informer.faults == [] and informer.lists == 1
    heard = {(name, version) for _, name, version in informer.events}
    assert set(churn.acknowledged) <= heard
    assert len(informer.events) == len(set(informer.events))


@pytest.mark.parametrize("kind", [Maps, Routes])
def test_an_informers_cache_is_right_after_restarts_in_the_midst_of_writes(gateways, namespace, kind):
    gateway = gateways([], workloads="none")
    restarts = {CHURN_WRITES // 3, 2 * CHURN_WRITES // 3} if CHURN_S else {CHURN_WRITES // 6}
    writes = CHURN_WRITES if CHURN_S else CHURN_WRITES // 3
    with connect(gateway) as client:
        objects = kind(client, namespace(gateway))
        churn = Churn(objects)
        with Informer(objects) as informer:
            for number in range(writes):
                if number in restarts:
                    gateway.kill().start().wait_ready()
                churn.write(number)
                time.sleep(CHURN_S / writes)
            wait_same(informer)
    assert informer.faults == [] and informer.lists <= 1 + len(restarts)
    assert len(informer.events) == len(set(informer.events))
    assert {name for name in churn.alive} == set(informer.cache)


@pytest.mark.short
def test_typed_objects_are_made_changed_and_deleted(client, served, namespace):
    name = namespace(served)
    apps = kubernetes.client.AppsV1Api(client)
    container = kubernetes.client.V1Container(name="server", image="example/chat:1")
    template = kubernetes.client.V1PodTemplateSpec(
        metadata=kubernetes.client.V1ObjectMeta(labels={"app": "chat"}),
        spec=kubernetes.client.V1PodSpec(containers=[container]))
    deployment = kubernetes.client.V1Deployment(
        metadata=kubernetes.client.V1ObjectMeta(name="chat"),
        spec=kubernetes.client.V1DeploymentSpec(
            replicas=0, selector=kubernetes.client.V1LabelSelector(match_labels={"app": "chat"}), template=template))
    made = apps.create_namespaced_deployment(name, deployment)
    assert made.metadata.uid and made.metadata.generation == 1 and made.metadata.creation_timestamp
    apps.patch_namespaced_deployment_scale("chat", name, {"spec": {"replicas": 2}})
    assert apps.read_namespaced_deployment_scale("chat", name).spec.replicas == 2
    read = apps.read_namespaced_deployment("chat", name)
    read.spec.template.spec.containers[0].image = "example/chat:2"
    apps.replace_namespaced_deployment("chat", name, read)
    assert apps.read_namespaced_deployment("chat", name).spec.template.spec.containers[0].image == "example/chat:2"
    with pytest.raises(ApiException) as refused:
        apps.replace_namespaced_deployment("chat", name, made)
    assert refused.value.status == 409
    apps.delete_namespaced_deployment("chat", name)
    with pytest.raises(ApiException) as refused:
        apps.read_namespaced_deployment("chat", name)
    assert refused.value.status == 404


def test_the_dynamic_client_finds_every_kind_by_discovery(client, served, namespace):
    dynamic = kubernetes.dynamic.DynamicClient(client)
    routes = dynamic.resources.get(api_version="gateway.networking.k8s.io/v1", kind="HTTPRoute")
    name = namespace(served)
    assert routes.create(body=route("one", 1), namespace=name).metadata.uid
    patched = routes.server_side_apply(body={**route("one", 2)}, namespace=name, field_manager="me",
                                       force_conflicts=True)
    assert patched.spec.hostnames == ["h2.example.com"]
    assert [item.metadata.name for item in routes.get(namespace=name).items] == ["one"]
    routes.delete(name="one", namespace=name)
    assert routes.get(namespace=name).items == []


def test_manifests_are_created_from_files(gateways):
    gateway = gateways([], workloads="none")
    with connect(gateway) as client:
        kubernetes.utils.create_from_yaml(client, str(DATA / "walkthrough" / "01-base-deployment.yaml"))
        apps = kubernetes.client.AppsV1Api(client)
        assert [item.metadata.name for item in apps.list_namespaced_deployment("default").items] == ["base"]
        assert kubernetes.client.VersionApi(client).get_code().git_version.startswith("v1.33.")
        assert len(kubernetes.client.ApisApi(client).get_api_versions().groups) >= 5
