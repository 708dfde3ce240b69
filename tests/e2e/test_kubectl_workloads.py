"""Deployments by kubectl: rollout in all its forms, scale, logs, events, and the pods behind them."""
import os
import re
import signal

import pytest

from conftest import until

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  replicas: 1
  selector: {matchLabels: {app: chat}}
  template:
    metadata:
      labels: {app: chat}
      annotations: {serin.dev/sim: "ttft=1ms,itl=1ms"}
    spec:
      terminationGracePeriodSeconds: 3
      containers:
      - name: server
        image: example/chat:1
        command: [sh, -c, "vllm serve /models/Chat --port 8000 --served-model-name chat"]
        ports: [{containerPort: 8000}]
        readinessProbe: {httpGet: {path: /health, port: 8000}, periodSeconds: 1}
"""
NOT_ENDING = DEPLOYMENT.replace("port: 8000}, periodSeconds", "port: 8999}, periodSeconds")


@pytest.fixture(scope="module")
def served(shared_gateways):
    return shared_gateways([])


@pytest.fixture
def kubectl(served, namespace):
    """kubectl in a namespace of this test's own, which goes after it with all that runs in it."""
    kubectl = served.kubectl.within(namespace(served))
    yield kubectl
    kubectl("delete", "namespace", kubectl.namespace, "--wait=false")


@pytest.fixture
def chat(kubectl):
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    kubectl("rollout", "status", "deploy/chat", "--timeout=30s")
    return "deploy/chat"


def pods(kubectl):
    return kubectl.json("get", "pods")["items"]


@pytest.mark.short
def test_rollout_status_tells_of_the_way_to_the_end(kubectl):
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 1", "replicas: 2"))
    lines = kubectl("rollout", "status", "deploy/chat", "--timeout=30s").splitlines()
    assert lines[-1] == 'deployment "chat" successfully rolled out'
    status = kubectl.json("get", "deploy", "chat")["status"]
    assert status["readyReplicas"] == status["availableReplicas"] == status["updatedReplicas"] == 2
    kubectl("wait", "--for=condition=Available", "deploy/chat", "--timeout=30s")
    kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=chat", "--timeout=30s")
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", "deploy/chat", "--timeout=30s")


@pytest.mark.short
def test_a_restart_makes_new_pods_and_the_old_ones_go(kubectl, chat):
    old = [pod["metadata"]["uid"] for pod in pods(kubectl)]
    assert kubectl("rollout", "restart", chat) == "deployment.apps/chat restarted\n"
    assert "successfully rolled out" in kubectl("rollout", "status", chat, "--timeout=30s")

    def are_new():
        now = [pod["metadata"]["uid"] for pod in pods(kubectl)]
        return len(now) == 1 and not set(now) & set(old)

    until(are_new, "one new pod")


def test_history_and_undo(kubectl, chat):
    kubectl("set", "image", chat, "server=example/chat:2")
    kubectl("annotate", chat, "kubernetes.io/change-cause=the second one")
    kubectl("rollout", "status", chat, "--timeout=30s")

    def history():
        text = kubectl("rollout", "history", chat)
        return text if "the second one" in text else None

    lines = until(history, "the change cause in the history").strip().splitlines()
    assert lines[0] == "deployment.apps/chat " and re.match(r"REVISION\s+CHANGE-CAUSE", lines[1])
    assert [line.split(maxsplit=1) for line in lines[2:]] == [["1", "<none>"], ["2", "the second one"]]
    assert "example/chat:1" in kubectl("rollout", "history", chat, "--revision=1")
    assert kubectl("rollout", "undo", chat) == "deployment.apps/chat rolled back\n"
    assert kubectl("get", chat, "-o", "jsonpath={.spec.template.spec.containers[0].image}") == "example/chat:1"
    assert "successfully rolled out" in kubectl("rollout", "status", chat, "--timeout=30s")
    assert "unable to find specified revision 9" in kubectl.refused("rollout", "undo", chat, "--to-revision=9")


def test_a_paused_rollout_waits_for_resume(kubectl, chat):
    assert kubectl("rollout", "pause", chat) == "deployment.apps/chat paused\n"
    assert "is already paused" in kubectl.refused("rollout", "pause", chat)
    kubectl("set", "image", chat, "server=example/chat:2")
    until(lambda: kubectl.json("get", chat)["status"]["observedGeneration"]
          == kubectl.json("get", chat)["metadata"]["generation"], "the change to be seen")
    assert kubectl("get", "rs", "-o", "name").count("\n") == 1
    assert "can't restart paused deployment" in kubectl.refused("rollout", "restart", chat)
    assert kubectl("rollout", "resume", chat) == "deployment.apps/chat resumed\n"
    assert "successfully rolled out" in kubectl("rollout", "status", chat, "--timeout=30s")
    assert kubectl("get", "rs", "-o", "name").count("\n") == 2


def test_a_rollout_that_does_not_come_forward_is_told_of_and_can_be_undone(kubectl, chat):
    kubectl("apply", "-f", "-", stdin=NOT_ENDING)
    assert "timed out waiting for the condition" in kubectl.refused("rollout", "status", chat, "--timeout=1s")
    assert kubectl.json("get", chat)["status"]["availableReplicas"] == 1
    kubectl("rollout", "undo", chat)
    assert "successfully rolled out" in kubectl("rollout", "status", chat, "--timeout=30s")


@pytest.mark.short
def test_scale_up_and_down_starts_and_ends_pods(kubectl, chat):
    kubectl("scale", chat, "--replicas=3")
    kubectl("rollout", "status", chat, "--timeout=30s")
    assert len({pod["status"]["podIP"] for pod in pods(kubectl)}) == 3
    kubectl("scale", chat, "--replicas=0")
    until(lambda: pods(kubectl) == [], "the end of all pods")
    kubectl("scale", chat, "--replicas=1")
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=1", chat, "--timeout=30s")


def test_a_deleted_pod_is_replaced_and_an_orphan_is_not_missed(kubectl, chat):
    name = pods(kubectl)[0]["metadata"]["name"]
    assert f'pod "{name}" deleted' in kubectl("delete", "pod", name)
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=1", chat, "--timeout=30s")
    assert pods(kubectl)[0]["metadata"]["name"] != name
    kubectl("delete", chat, "--cascade=orphan")
    assert len(pods(kubectl)) == 1 and kubectl("get", "rs", "-o", "name").count("\n") == 1
    kubectl("delete", "rs", "--all", "--cascade=foreground")
    assert pods(kubectl) == []


def test_a_deleted_deployment_takes_its_pods_along(kubectl, chat):
    kubectl("delete", chat)
    until(lambda: kubectl("get", "deploy,rs,pods", "-o", "name") == "", "the end of all that belonged to it")


def test_logs_of_a_pod_a_deployment_and_a_selector(kubectl, chat):
    name = pods(kubectl)[0]["metadata"]["name"]
    log = until(lambda: kubectl("logs", name), "something in the log")
    assert "/models/Chat" in log
    assert kubectl("logs", chat) == log == kubectl("logs", name, "-c", "server")
    assert kubectl("logs", "-l", "app=chat").splitlines()[-1] == log.splitlines()[-1]
    assert kubectl("logs", name, "--tail=1").splitlines() == log.splitlines()[-1:]
    assert kubectl("logs", name, "--limit-bytes=5") == log[:5]
    assert "container nobody is not valid" in kubectl.refused("logs", name, "-c", "nobody")
    assert "(NotFound)" in kubectl.refused("logs", "nobody")


def test_logs_are_followed_up_to_the_end_of_the_pod(kubectl, chat):
    with kubectl.watching("logs", "-f", chat) as log:
        until(lambda: log.lines, "the log's first line")
        assert log.process.poll() is None
        kubectl("scale", chat, "--replicas=0")
        until(lambda: log.process.poll() == 0, "the log's end")


def test_a_pod_that_dies_is_started_again_and_its_log_goes_on(served, kubectl, chat):
    pod = pods(kubectl)[0]
    os.kill(served.pid_of(f"{pod['status']['podIP']}:8000"), signal.SIGKILL)
    name = pod["metadata"]["name"]
    kubectl("wait", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", "pod", name, "--timeout=30s")
    kubectl("wait", "--for=condition=Ready", "pod", name, "--timeout=30s")
    assert re.search(r"1/1\s+Running\s+1 \(\d+s ago\)", kubectl("get", "pod", name))
    assert kubectl("logs", name).count("/models/Chat ready on") == 2
    assert "share one log" in kubectl.refused("logs", name, "--previous")
    last = kubectl.json("get", "pod", name)["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert last["exitCode"] == 137 and last["finishedAt"]


@pytest.mark.short
def test_events_tell_what_happened(kubectl, chat):
    def reasons(*arguments):
        return kubectl("get", "events", "-o", "jsonpath={.items[*].reason}", *arguments).split()

    until(lambda: {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Started"} <= set(reasons()), "the events")
    assert reasons("--field-selector", "involvedObject.kind=Deployment") == ["ScalingReplicaSet"]
    lines = kubectl("events", "--for", "deploy/chat").splitlines()
    assert re.match(r"LAST SEEN\s+TYPE\s+REASON\s+OBJECT\s+MESSAGE", lines[0])
    assert "ScalingReplicaSet" in lines[1] and "Deployment/chat" in lines[1]
    lines = kubectl("get", "events", "--sort-by=.lastTimestamp").splitlines()
    assert re.match(r"LAST SEEN\s+TYPE\s+REASON\s+OBJECT\s+MESSAGE", lines[0])
