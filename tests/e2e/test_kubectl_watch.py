"""Watches: `get -w` and `wait` by kubectl, and the protocol below them."""
import contextlib
import json
import re

import pytest

from conftest import api_path, kubectls, until

INITIAL_END = "k8s.io/initial-events-end"


def config_map(name, value="1", **labels):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": {"a": value}}


class Maps:
    """ConfigMaps of a namespace, by the API."""

    def __init__(self, gateway, client, namespace):
        self.gateway, self.client, self.namespace = gateway, client, namespace
        self.path = api_path("configmaps", namespace=namespace)

    def make(self, name, value="1", **labels):
        answer = self.client.post(self.path, json=config_map(name, value, **labels))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def change(self, name, patch):
        answer = self.client.patch(f"{self.path}/{name}", json=patch,
                                   headers={"Content-Type": "application/merge-patch+json"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def delete(self, name):
        assert self.client.delete(f"{self.path}/{name}").status_code == 200

    def version(self):
        return self.client.get(self.path).json()["metadata"]["resourceVersion"]

    @contextlib.contextmanager
    def watch(self, **parameters):
        """The events, as they come, up to the end of the stream."""
        with self.client.stream("GET", self.path, params={"watch": "true", **parameters}) as answer:
            if answer.status_code != 200:
                answer.read()
            assert answer.status_code == 200, answer.text
            yield (json.loads(line) for line in answer.iter_lines())


@pytest.fixture(scope="module")
def served(shared_gateways):
    return shared_gateways([], workloads="none")


@pytest.fixture
def maps(served, namespace):
    with served.api_client() as client:
        yield Maps(served, client, namespace(served))


def told(event):
    return event["type"], event["object"]["metadata"]["name"], event["object"].get("data", {}).get("a")


@pytest.mark.short
def test_get_w_shows_what_happens_as_it_happens(served, maps):
    maps.make("one")
    with served.kubectl.watching("-n", maps.namespace, "get", "configmaps", "-w", "--output-watch-events") as seen:
        until(lambda: any("one" in line for line in seen.lines), "what was there before")
        maps.make("two")
        maps.change("two", {"data": {"b": "2"}})
        maps.delete("two")
        until(lambda: any(line.startswith("DELETED") for line in seen.lines), "the deletion")
    assert re.match(r"EVENT\s+NAME\s+DATA\s+AGE", seen.lines[0])
    rows = [line.split()[:3] for line in seen.lines[1:]]
    assert rows == [["ADDED", "one", "1"], ["ADDED", "two", "1"], ["MODIFIED", "two", "2"], ["DELETED", "two", "2"]]


def test_get_w_of_one_object(served, maps):
    maps.make("one")
    maps.make("other")
    with served.kubectl.watching("-n", maps.namespace, "get", "configmap", "one", "-w", "-o",
                                 "jsonpath={.data.a}{'\\n'}") as seen:
        until(lambda: seen.lines == ["1"], "the object as it is")
        maps.change("other", {"data": {"a": "9"}})
        maps.change("one", {"data": {"a": "2"}})
        until(lambda: seen.lines == ["1", "2"], "the change")


@pytest.mark.short
def test_wait_for_what_comes_and_for_what_goes(served, maps):
    kubectl = served.kubectl.within(maps.namespace)
    with kubectl.watching("wait", "--for=jsonpath={.data.a}=2", "configmap/one", "--timeout=30s") as waiting:
        until(lambda: waiting.process.poll(), "the refusal: it is not there yet")
    maps.make("one")
    with kubectl.watching("wait", "--for=jsonpath={.data.a}=2", "configmap/one", "--timeout=30s") as waiting:
        maps.change("one", {"data": {"a": "2"}})
        until(lambda: waiting.process.poll() == 0, "the change")
    with kubectl.watching("wait", "--for=delete", "configmap/one", "--timeout=30s") as waiting:
        maps.delete("one")
        until(lambda: waiting.process.poll() == 0, "the deletion")
    assert "timed out" in kubectl.refused("wait", "--for=create", "configmap/one", "--timeout=1s")


@pytest.mark.parametrize("name", ["installed", "newer"])
def test_wait_works_with_the_streaming_lists_of_newer_clients(served, maps, name):
    if name not in kubectls():
        pytest.skip(f"the {name} kubectl could not be had (requirements.txt)")
    kubectl = served.kubectl.within(maps.namespace).using(kubectls()[name])
    maps.make("one", "2")
    kubectl("wait", "--for=jsonpath={.data.a}=2", "configmap/one", "--timeout=20s", KUBE_FEATURE_WatchListClient="true")


@pytest.mark.short
def test_a_watch_gives_every_change_after_its_version_once_and_in_order(maps):
    maps.make("before")
    version = maps.version()
    maps.make("one")
    with maps.watch(resourceVersion=version) as events:
        maps.change("one", {"data": {"a": "2"}})
        maps.delete("one")
        maps.make("two")
        seen = [next(events) for _ in range(4)]
    assert [told(event) for event in seen] == [("ADDED", "one", "1"), ("MODIFIED", "one", "2"), ("DELETED", "one", "2"),
                                               ("ADDED", "two", "1")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(set(versions)) and versions[0] > int(version)


def test_a_write_that_changes_nothing_is_no_event(maps):
    maps.make("one")
    with maps.watch(resourceVersion=maps.version()) as events:
        before = maps.change("one", {"data": {"a": "1"}})
        after = maps.change("one", {"data": {"a": "2"}})
        assert told(next(events)) == ("MODIFIED", "one", "2")
    assert int(after["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])


@pytest.mark.parametrize("version", [None, "0"])
def test_a_watch_without_a_version_begins_with_what_is_there(maps, version):
    maps.make("one")
    maps.make("two")
    with maps.watch(**({"resourceVersion": version} if version else {})) as events:
        assert sorted(told(next(events)) for _ in range(2)) == [("ADDED", "one", "1"), ("ADDED", "two", "1")]
        maps.delete("one")
        assert told(next(events)) == ("DELETED", "one", "1")


def test_an_object_that_begins_or_ends_to_match_comes_and_goes(maps):
    maps.make("one", arm="blue")
    with maps.watch(resourceVersion=maps.version(), labelSelector="arm=green") as events:
        maps.change("one", {"data": {"a": "2"}})
        maps.change("one", {"metadata": {"labels": {"arm": "green"}}})
        maps.change("one", {"data": {"a": "3"}})
        maps.change("one", {"metadata": {"labels": {"arm": "blue"}}})
        maps.change("one", {"metadata": {"labels": {"arm": "green"}}})
        types = [next(events)["type"] for _ in range(4)]
    assert types == ["ADDED", "MODIFIED", "DELETED", "ADDED"]


def test_a_field_selector_narrows_a_watch(maps):
    maps.make("one")
    with maps.watch(resourceVersion=maps.version(), fieldSelector="metadata.name=two") as events:
        maps.change("one", {"data": {"a": "2"}})
        maps.make("two")
        assert told(next(events)) == ("ADDED", "two", "1")


@pytest.mark.short
def test_a_watch_ends_when_asked_with_a_bookmark_of_where_it_was(maps):
    made = maps.make("one")
    with maps.watch(resourceVersion=maps.version(), allowWatchBookmarks="true", timeoutSeconds="1") as events:
        seen = list(events)
    assert seen and {event["type"] for event in seen} == {"BOOKMARK"}
    last = seen[-1]["object"]
    assert (last["kind"], last["apiVersion"]) == ("ConfigMap", "v1")
    assert int(last["metadata"]["resourceVersion"]) >= int(made["metadata"]["resourceVersion"])


@pytest.mark.short
def test_initial_events_end_with_their_bookmark_and_live_ones_follow(maps):
    maps.make("one")
    maps.make("two")
    with maps.watch(sendInitialEvents="true", resourceVersionMatch="NotOlderThan",
                    allowWatchBookmarks="true") as events:
        assert sorted(told(next(events)) for _ in range(2)) == [("ADDED", "one", "1"), ("ADDED", "two", "1")]
        end = next(events)
        assert end["type"] == "BOOKMARK" and end["object"]["metadata"]["annotations"] == {INITIAL_END: "true"}
        maps.make("three")
        assert told(next(events)) == ("ADDED", "three", "1")


def test_initial_events_without_their_companions_are_refused(maps):
    answer = maps.client.get(maps.path, params={"watch": "true", "sendInitialEvents": "true"})
    assert answer.status_code == 422 and answer.json()["reason"] == "Invalid", answer.text


def test_a_version_that_is_not_yet_is_refused(maps):
    answer = maps.client.get(maps.path, params={"watch": "true", "resourceVersion": str(int(maps.version()) + 10**6)})
    status = answer.json()
    assert answer.status_code == 504 and status["reason"] == "Timeout", answer.text
    assert status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


@pytest.mark.parametrize("version", ["-1", "now", "1.5", "99999999999999999999999999"])
def test_a_version_that_is_none_is_refused(maps, version):
    answer = maps.client.get(maps.path, params={"watch": "true", "resourceVersion": version})
    assert answer.status_code in (400, 422) and answer.json()["kind"] == "Status", answer.text


def is_expired(client, path, version):
    """410, as an answer or as the only event."""
    with client.stream("GET", path, params={"watch": "true", "resourceVersion": version}) as answer:
        status = json.loads(next(answer.iter_lines()))
    if answer.status_code == 200:
        assert status["type"] == "ERROR"
        status = status["object"]
    assert status["code"] == 410 and status["reason"] == "Expired", status
    return True


@pytest.mark.short
def test_after_a_restart_versions_go_on_and_forgotten_ones_are_expired(gateways, namespace):
    gateway = gateways([], workloads="none")
    name = namespace(gateway)
    with gateway.api_client() as client:
        maps = Maps(gateway, client, name)
        first = maps.version()
        last = maps.make("one")["metadata"]["resourceVersion"]
    gateway.kill().start().wait_ready()
    with gateway.api_client() as client:
        maps = Maps(gateway, client, name)
        assert int(maps.version()) >= int(last)
        assert is_expired(client, maps.path, first)
        with maps.watch(resourceVersion=maps.version()) as events:
            made = maps.make("two")
            assert told(next(events)) == ("ADDED", "two", "1")
        assert int(made["metadata"]["resourceVersion"]) > int(last)


def test_tables_are_watched_too(maps):
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    with maps.client.stream("GET", maps.path, params={"watch": "true", "resourceVersion": maps.version()},
                            headers={"Accept": table}) as answer:
        maps.make("one")
        event = json.loads(next(answer.iter_lines()))
    assert event["object"]["kind"] == "Table" and event["object"]["rows"][0]["cells"][0] == "one"
    assert [column["name"] for column in event["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
