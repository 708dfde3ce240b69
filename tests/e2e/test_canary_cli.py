"""`serin canary`: what it shows and steers, against a real API server and against one that says what a test wants."""
import copy
import http.server
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time

import pytest

from conftest import free_port, until
from terminal import Terminal

CANARY = {"apiVersion": "serin.dev/v1alpha1", "kind": "Canary",
          "metadata": {"name": "chat", "namespace": "default", "generation": 1, "resourceVersion": "7"},
          "spec": {"targetRef": {"kind": "HTTPRoute", "name": "chat"}, "stable": "blue", "canary": "green",
                   "steps": [{"weight": 5}, {"weight": 25, "hold": "10m"}, {"weight": 50}]},
          "status": {"observedGeneration": 1, "phase": "Progressing", "reason": "HoldTime",
                     "message": "2m of 10m are left", "step": {"index": 2, "count": 3, "weightPercent": 25},
                     "share": {"targetPercent": 25, "requestsPercent": 24.8, "tokensPercent": 23.1},
                     "arms": [{"role": "stable", "name": "blue", "weightPercent": 75, "requestsPerSecond": 7.5},
                              {"role": "canary", "name": "green", "weightPercent": 25, "ttftP95Ms": 412}],
                     "verdict": {"result": "pass", "reason": "within all guards"},
                     "guards": [{"name": "ttft p95", "severity": "rollback", "stable": "400 ms", "canary": "412 ms",
                                 "limit": "520 ms", "verdict": "pass"}],
                     "history": [{"time": "2026-01-02T03:04:05Z", "event": "StepBegun", "message": "step 2",
                                  "weightPercent": 25}]}}
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: chat}
spec:
  parentRefs: [{name: edge}]
  rules:
  - backendRefs:
    - {name: blue, port: 8000, weight: 90}
    - {name: green, port: 8000, weight: 10}
"""
PATH = "/apis/serin.dev/v1alpha1/namespaces/default/canaries/chat"


class Stage:
    """An API server that holds one Canary and answers as it is told.  Its certificate and token are a gateway's."""

    def __init__(self, data):
        self.canary = copy.deepcopy(CANARY)
        self.failures = []  # statuses of the next answers; None: as it should be
        self.patches = []
        self.requests = 0
        self.port = free_port()
        self.kubeconfig = data.parent / "stage-kubeconfig"
        self.kubeconfig.write_text(re.sub(r"https://[^\"]+", f"https://127.0.0.1:{self.port}",
                                          (data / "kubeconfig").read_text()))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(data / "pki" / "server.crt", data / "pki" / "server.key")
        self.server = None

    def set(self, **status):
        """Parts of the status, in a new version of the object."""
        changed = copy.deepcopy(self.canary)
        changed["status"].update(status)
        changed["metadata"]["resourceVersion"] = str(int(changed["metadata"]["resourceVersion"]) + 1)
        self.canary = changed

    def open(self):
        stage = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def handle_one(self):
                stage.requests += 1
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                status = stage.failures.pop(0) if stage.failures else None
                if status:
                    self.answer(status, {"kind": "Status", "message": f"told to say {status}"})
                elif stage.canary is None or self.path != PATH:
                    self.answer(404, {"kind": "Status", "message": 'canaries.serin.dev "chat" not found'})
                else:
                    if self.command == "PATCH":
                        stage.patches.append((self.headers["Content-Type"], json.loads(body)))
                    self.answer(200, stage.canary)

            do_GET = do_PATCH = handle_one

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def served(shared_gateways):
    return shared_gateways([], workloads="none")


@pytest.fixture
def stage(served):
    stage = Stage(served.data)
    stage.open()
    yield stage
    stage.close()


@pytest.fixture
def staged(command, stage):
    """The command against the stage: staged("show", "chat")."""
    return lambda *words, **options: command("canary", *words, "--kubeconfig", stage.kubeconfig, **options)


@pytest.fixture
def canary(command, served, namespace):
    """The command against the real one, in a namespace of its own that holds a Canary and its route."""
    kubectl = served.kubectl.within(namespace(served))
    spec = {**CANARY["spec"], "suspend": True}  # nobody else moves the weights
    made = {"apiVersion": CANARY["apiVersion"], "kind": "Canary", "metadata": {"name": "chat"}, "spec": spec}
    kubectl("apply", "-f", "-", stdin=ROUTE)
    kubectl("apply", "-f", "-", stdin=json.dumps(made))
    name = kubectl.json("get", "canary", "chat")["metadata"]["namespace"]

    def run(*words, **options):
        return command("canary", *words, "-n", name, "--kubeconfig", served.data / "kubeconfig", **options)

    run.kubectl = kubectl
    run.namespace = name
    return run


# Looking


@pytest.mark.short
def test_show_has_arms_shares_figures_the_verdict_and_what_it_waits_for(staged):
    ended = staged("show", "chat")
    assert ended.returncode == 0 and ended.stderr == "", ended.stderr
    for words in ("Phase:    Progressing, step 2/3", "Share:    25% wanted; 24.8% of requests, 23.1% of tokens achieved",
                  "Verdict:  pass: within all guards", "Next:     50% when it was held for 10m and the verdict is pass",
                  "Waits:    HoldTime: 2m of 10m are left"):
        assert words in ended.stdout, ended.stdout
    assert re.search(r"^stable +blue +75% +75.2% +7.50 ", ended.stdout, re.M)
    assert re.search(r"^canary +green +25% +24.8% +- +- +412ms ", ended.stdout, re.M)
    assert re.search(r"^ttft p95 +rollback +400 ms +412 ms +520 ms +pass$", ended.stdout, re.M)


def test_a_canary_that_nobody_looked_at_yet_shows_dashes(staged, stage):
    del stage.canary["status"]
    ended = staged("show", "chat")
    assert ended.returncode == 0 and "Verdict:  -\n" in ended.stdout
    assert re.search(r"^canary +green +- +-", ended.stdout, re.M)


def test_history_and_json(staged):
    assert re.search(r"^2026-01-02T03:04:05Z +StepBegun +25% +step 2$", staged("history", "chat").stdout, re.M)
    assert json.loads(staged("history", "chat", "-o", "json").stdout) == CANARY["status"]["history"]
    assert json.loads(staged("show", "chat", "-o", "json").stdout) == CANARY


@pytest.mark.short
def test_list_is_for_one_namespace_or_all(canary, command, served):
    rows = canary("list").stdout.splitlines()
    assert rows[0].split() == "NAME TARGET PHASE STEP WEIGHT ACHIEVED VERDICT REASON AGE".split()
    assert len(rows) == 2 and rows[1].split()[:2] == ["chat", "HTTPRoute/chat"]
    everywhere = command("canary", "list", "-A", "--kubeconfig", served.data / "kubeconfig").stdout
    assert everywhere.startswith("NAMESPACE ") and re.search(rf"^{canary.namespace} +chat ", everywhere, re.M)
    assert canary("list", "-o", "json").stdout.startswith("{")


def test_texts_of_a_status_cannot_act_on_the_terminal(staged, stage):
    stage.set(message="\x1b]0;owned\x07 and\nmore", reason="\x1b[2J")
    for verb in ("show", "watch"):
        said = staged(verb, "chat", *(["--timeout", "1s"] if verb == "watch" else [])).stdout
        assert "\x1b" not in said and "?]0;owned? and more" in said


# Following


def follow(serin, stage, *flags):
    return subprocess.Popen([serin, "canary", "watch", "chat", "--interval", "100ms", "--kubeconfig",
                             str(stage.kubeconfig), *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.short
@pytest.mark.parametrize("phase,code", [("Completed", 0), ("RolledBack", 1), ("Aborted", 1), ("Failed", 1)])
def test_watch_prints_a_line_for_each_change_and_exits_by_the_end(serin, stage, phase, code):
    watching = follow(serin, stage)
    first = watching.stdout.readline()
    assert " Progressing step 2/3 weight 25% achieved 24.8% verdict pass | HoldTime: 2m of 10m are left" in first
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", first)
    stage.set(message="1m of 10m are left")  # no change
    seen = stage.requests
    until(lambda: stage.requests > seen + 2, "further looks", 10)
    stage.set(step={"index": 3, "count": 3}, share={"targetPercent": 50})
    assert " step 3/3 weight 50% " in watching.stdout.readline()
    stage.set(phase=phase, reason="Done", message="errors 3.1 % > 0.6 %")
    rest, errors = watching.communicate(timeout=20)
    assert f" {phase} step 3/3" in rest and watching.returncode == code
    assert errors == "" if code == 0 else errors.startswith("serin canary watch: ") and "errors 3.1 %" in errors


def test_an_end_that_is_about_an_older_spec_does_not_count(serin, stage):
    stage.set(phase="Completed")
    stage.canary["metadata"]["generation"] = 2
    watching = follow(serin, stage)
    assert " Completed " in watching.stdout.readline()
    seen = stage.requests
    until(lambda: stage.requests > seen + 3, "further looks", 10)
    assert watching.poll() is None
    stage.set(observedGeneration=2)
    watching.communicate(timeout=20)
    assert watching.returncode == 0


def test_watch_gives_up_after_its_time(staged):
    ended = staged("watch", "chat", "--timeout", "1s", "--interval", "100ms")
    assert ended.returncode == 1 and ended.stderr == "serin canary watch: chat is still Progressing after 1s\n"


@pytest.mark.short
def test_a_server_that_is_away_for_a_while_is_not_the_end(serin, stage):
    watching = follow(serin, stage)
    assert "Progressing" in watching.stdout.readline()
    stage.close()
    assert "trying again" in watching.stderr.readline()
    stage.open()
    stage.set(phase="Completed")
    rest, _ = watching.communicate(timeout=30)
    assert "Completed" in rest and watching.returncode == 0


def test_errors_of_the_server_are_passed_over_once_it_was_seen(serin, stage):
    watching = follow(serin, stage)
    watching.stdout.readline()
    stage.failures = [503, 500, 429]
    assert "told to say 503; trying again" in watching.stderr.readline()
    until(lambda: not stage.failures, "the failures to be met", 10)
    stage.set(phase="Completed")
    assert watching.communicate(timeout=20) and watching.returncode == 0


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_watch_says_so(serin, stage, signal_):
    watching = follow(serin, stage)
    watching.stdout.readline()
    watching.send_signal(signal_)
    _, errors = watching.communicate(timeout=20)
    assert watching.returncode == 1 and errors == "serin canary watch: interrupted; chat is still Progressing\n"


def test_a_canary_that_is_deleted_ends_the_watch(serin, stage):
    watching = follow(serin, stage)
    watching.stdout.readline()
    stage.canary = None
    _, errors = watching.communicate(timeout=20)
    assert watching.returncode == 1 and "it was deleted: " in errors


def test_watch_as_json_is_an_object_per_change(serin, stage):
    watching = follow(serin, stage, "-o", "json")
    assert json.loads(watching.stdout.readline())["status"]["phase"] == "Progressing"
    stage.set(phase="Completed")
    rest, _ = watching.communicate(timeout=20)
    assert json.loads(rest)["status"]["phase"] == "Completed"


def terminal(serin, stage, columns=160, rows=50):
    command = [str(serin), "canary", "watch", "chat", "--interval", "100ms", "--kubeconfig", str(stage.kubeconfig)]
    return Terminal(command, columns, rows)


@pytest.mark.short
def test_on_a_terminal_the_picture_is_drawn_again_and_the_terminal_is_left_in_order(serin, stage):
    screen = terminal(serin, stage)
    screen.wait_for("Waits:    HoldTime: 2m of 10m are left")
    assert screen.text.startswith("\x1b[?1049h\x1b[?25l")
    stage.set(message="1m of 10m are left")
    screen.wait_for("Waits:    HoldTime: 1m of 10m are left")
    stage.set(phase="Completed")
    assert screen.end() == 0
    left = screen.text.rsplit("\x1b[?25h\x1b[?1049l", 1)
    assert len(left) == 2 and "Phase:    Completed" in left[1] and "\x1b" not in left[1]


def test_ctrl_c_leaves_the_terminal_in_order(serin, stage):
    screen = terminal(serin, stage)
    screen.wait_for("HoldTime")
    os.write(screen.fd, b"\x03")
    assert screen.end() == 1
    assert "\x1b[?25h\x1b[?1049l" in screen.text and "interrupted; chat is still Progressing" in screen.text


def test_a_narrow_terminal_gets_the_arms_side_by_side_and_no_line_wraps(serin, stage):
    screen = terminal(serin, stage, columns=60)
    screen.wait_for("HoldTime")
    screen.resize(60)
    seen = stage.requests
    until(lambda: stage.requests > seen + 3, "further looks", 10)
    os.write(screen.fd, b"\x03")
    screen.end()
    frame = screen.text.split("\x1b[H")[-1].split("\x1b[J")[0]
    assert re.search(r"^ARM +stable +canary\x1b\[K", frame, re.M), frame
    assert max(len(line.replace("\x1b[K", "").strip("\r")) for line in frame.split("\n")) <= 60


# Steering


@pytest.mark.short
@pytest.mark.parametrize("words,order", [(["pause"], "pause"), (["resume"], "resume"), (["promote"], "promote"),
                                         (["promote", "--full"], "promote --full"), (["rollback"], "rollback"),
                                         (["abort"], "abort")])
def test_orders_are_an_annotation_with_a_rising_number(canary, words, order):
    def annotation():
        return canary.kubectl.json("get", "canary", "chat")["metadata"]["annotations"]["serin.dev/command"]

    ended = canary(words[0], "chat", *words[1:])
    assert ended.returncode == 0 and f"{order} was asked for" in ended.stdout, ended.stderr
    verb, first = annotation().split("@")
    assert verb == order and abs(int(first) / 1000 - time.time()) < 60
    assert canary(words[0], "chat", *words[1:]).returncode == 0
    assert int(annotation().split("@")[1]) > int(first)


def test_numbers_rise_even_when_the_clock_of_the_last_caller_was_ahead(canary):
    canary.kubectl("annotate", "canary", "chat", "serin.dev/command=pause@99999999999999")
    canary("resume", "chat")
    annotations = canary.kubectl.json("get", "canary", "chat")["metadata"]["annotations"]
    assert annotations["serin.dev/command"] == "resume@100000000000000"


def test_a_cut_carries_the_number_of_its_abort(canary):
    assert canary("abort", "chat", "--cut").returncode == 0
    annotations = canary.kubectl.json("get", "canary", "chat")["metadata"]["annotations"]
    assert annotations["serin.dev/command"] == "abort@" + annotations["serin.dev/cut"]


def test_a_write_that_lost_a_race_is_made_again_from_the_newer_object(staged, stage):
    stage.failures = [None, 409]
    ended = staged("pause", "chat")
    assert ended.returncode == 0 and stage.requests == 4, ended.stderr
    (content_type, patch), = stage.patches
    assert content_type == "application/merge-patch+json" and patch["metadata"]["resourceVersion"] == "7"
    assert patch["metadata"]["annotations"]["serin.dev/command"].startswith("pause@")
    stage.failures = [None, 409] * 5
    ended = staged("pause", "chat")
    assert ended.returncode == 1 and "changed by somebody else all the time" in ended.stderr


def weights(kubectl):
    rule = kubectl.json("get", "httproute", "chat")["spec"]["rules"][0]
    return {ref["name"]: ref["weight"] for ref in rule["backendRefs"]}


@pytest.mark.short
@pytest.mark.parametrize("percent,blue,green", [("25", 75, 25), ("0", 100, 0), ("100%", 0, 100), ("12.5", 8750, 1250)])
def test_set_weight_edits_the_route_as_a_person_would(canary, percent, blue, green):
    ended = canary("set-weight", "chat", percent)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"HTTPRoute/chat: green has {percent.strip('%')}% now\n"
    assert weights(canary.kubectl) == {"blue": blue, "green": green}


def test_set_weight_of_a_model_takes_an_arm_without_share_out_of_the_list(canary):
    model = {"apiVersion": "inference.networking.x-k8s.io/v1alpha2", "kind": "InferenceModel",
             "metadata": {"name": "food"}, "spec": {"modelName": "blue", "poolRef": {"name": "base"}}}
    canary.kubectl("apply", "-f", "-", stdin=json.dumps(model))
    canary.kubectl("patch", "canary", "chat", "--type=merge", "-p",
                   json.dumps({"spec": {"targetRef": {"kind": "InferenceModel", "name": "food"}}}))

    def targets():
        return canary.kubectl.json("get", "inferencemodel", "food")["spec"]["targetModels"]

    assert canary("set-weight", "chat", "10").returncode == 0
    assert targets() == [{"name": "blue", "weight": 90}, {"name": "green", "weight": 10}]
    assert canary("set-weight", "chat", "0").returncode == 0
    assert targets() == [{"name": "blue", "weight": 100}]


@pytest.mark.parametrize("group", ["inference.networking.x-k8s.io/v1alpha2", "llm-d.ai/v1alpha2"])
def test_set_weight_finds_a_rewrite_in_either_group(canary, group):
    rewrite = {"apiVersion": group, "kind": "InferenceModelRewrite", "metadata": {"name": "food"},
               "spec": {"poolRef": {"name": "base"}, "rules": [{"targets": [{"modelRewrite": "blue"}]}]}}
    canary.kubectl("apply", "-f", "-", stdin=json.dumps(rewrite))
    canary.kubectl("patch", "canary", "chat", "--type=merge", "-p",
                   json.dumps({"spec": {"targetRef": {"kind": "InferenceModelRewrite", "name": "food"}}}))
    assert canary("set-weight", "chat", "10").returncode == 0
    name, version = group.split("/")
    rules = canary.kubectl.json("get", f"inferencemodelrewrites.{version}.{name}", "food")["spec"]["rules"]
    assert rules[0]["targets"] == [{"modelRewrite": "blue", "weight": 90}, {"modelRewrite": "green", "weight": 10}]


def test_set_weight_says_what_is_missing(canary):
    canary.kubectl("delete", "httproute", "chat")
    ended = canary("set-weight", "chat", "10")
    assert ended.returncode == 1 and 'httproutes.gateway.networking.k8s.io "chat" not found' in ended.stderr


# Wrong usage, and servers that cannot be asked


@pytest.mark.short
@pytest.mark.parametrize("verb", "list show watch history set-weight promote pause resume rollback abort".split())
def test_every_verb_has_a_help_with_an_example(command, verb):
    ended = command("canary", verb, "--help")
    assert ended.returncode == 0 and f"\nExample:\n  serin canary {verb}" in ended.stdout
    assert verb in command("canary", "--help").stdout


@pytest.mark.parametrize("words,said", [
    ([], "Usage: serin canary VERB"), (["frob"], 'unknown verb "frob"'), (["show"], "the name of a Canary is needed"),
    (["show", "a", "b"], "one name is enough"), (["show", "../../secrets/x"], "must be a name"),
    (["set-weight", "chat"], "a percentage is needed"), (["set-weight", "chat", "101"], "0 to 100"),
    (["set-weight", "chat", "1.234"], "at most two decimals"), (["set-weight", "chat", "nan"], "0 to 100"),
    (["watch", "chat", "--timeout", "soon"], "must be a duration"), (["show", "chat", "-o", "yaml"], "must be json"),
    (["pause", "chat", "--full"], 'unknown flag "--full"'),
])
def test_wrong_usage_exits_2_with_a_line(command, words, said):
    ended = command("canary", *words)
    assert ended.returncode == 2 and said in ended.stderr and ended.stdout == ""


@pytest.mark.short
def test_what_is_not_there_is_said_and_exits_1(canary, command, tmp_path):
    for words in (["show", "other"], ["watch", "other"], ["pause", "other"], ["set-weight", "other", "5"]):
        ended = canary(*words)
        assert ended.returncode == 1 and f'serin canary {words[0]}: canaries.serin.dev "other" not found' in ended.stderr
    ended = command("canary", "list", "--kubeconfig", tmp_path / "none")
    assert ended.returncode == 1 and "none: No such file or directory" in ended.stderr


def test_a_stranger_is_not_trusted_and_a_wrong_token_is_refused(command, served, stage, gateways):
    stranger = gateways([], workloads="none")
    theirs = (stranger.data / "kubeconfig").read_text()
    stage.kubeconfig.write_text(theirs.replace(stranger.api, served.api))
    ended = command("canary", "list", "--kubeconfig", stage.kubeconfig)
    assert ended.returncode == 1 and "its certificate is not to be trusted" in ended.stderr
    ours = (served.data / "kubeconfig").read_text()
    stage.kubeconfig.write_text(re.sub(r'token: "[^"]+"', 'token: "wrong"', ours))
    ended = command("canary", "list", "--kubeconfig", stage.kubeconfig)
    assert ended.returncode == 1 and "Unauthorized" in ended.stderr


def test_a_port_without_a_server_is_said(command, stage):
    stage.close()
    ended = command("canary", "show", "chat", "--kubeconfig", stage.kubeconfig)
    assert ended.returncode == 1 and f"https://127.0.0.1:{stage.port}: nothing answers there" in ended.stderr
    stage.open()


def test_the_kubeconfig_of_the_environment_or_of_the_data_folder_is_used(serin, canary, served, tmp_path):
    environment = {**os.environ, "KUBECONFIG": str(served.data / "kubeconfig")}
    words = [serin, "canary", "list", "-n", canary.namespace]
    assert "HTTPRoute/chat" in subprocess.run(words, env=environment, capture_output=True, text=True).stdout
    (tmp_path / "serin-data").symlink_to(served.data)
    environment.pop("KUBECONFIG")
    ended = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert "HTTPRoute/chat" in ended.stdout, ended.stderr
