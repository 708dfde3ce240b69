"""Canary objects that move the weights by themselves, on real processes: ramps, verdicts, adapters, people, crashes."""
import json
import os
import random
import signal

import pytest

from conftest import CONTROL, DATA, Gateway, arms, ask, until
from traffic import Traffic

SLOW_S = 240  # a rollout, on a busy machine
STEPS = "[{weight: 1, hold: {requests: 20}}, {weight: 5, hold: {requests: 20}}, {weight: 25, hold: {requests: 20}}, " \
        "{weight: 50, hold: {requests: 20}}]"
SHORT_STEPS = "[{weight: 10, hold: {requests: 20}}, {weight: 50, hold: {requests: 20}}]"
POOLS = f"""\
apiVersion: serin.dev/v1alpha1
kind: Canary
metadata: {{name: release}}
spec:
  targetRef: {{kind: HTTPRoute, name: models}}
  canary: pool-candidate
  steps: {STEPS}
  warmup: {{slowStart: 0s}}
  analysis: {{interval: 1s, minimumSamples: 20}}
"""


@pytest.fixture
def world(serin, tmp_path):
    """The walkthrough's two models, each with its pool; the route knows the old one only."""
    files = tmp_path / "manifests"
    files.mkdir()
    for file in sorted((DATA / "walkthrough").iterdir()):
        if "06-split" in file.name:
            continue
        text = file.read_text().replace("ttft=2ms,itl=1ms", "ttft=20ms,itl=2ms")
        (files / file.name).write_text(text)
    gateway = Gateway(serin, tmp_path, [files]).start().wait_ready()
    yield gateway
    gateway.end()


def apply(gateway, text):
    gateway.kubectl("apply", "-f", "-", stdin=text)


def status(gateway, name="release"):
    return gateway.kubectl.json("get", "canary", name).get("status", {})


def wait_phase(gateway, *phases, limit_s=SLOW_S):
    seen = {}

    def is_there():
        seen.update(status(gateway))
        return seen.get("phase") in phases

    try:
        until(is_there, f"phase {phases}", limit_s)
    except AssertionError:
        raise AssertionError({k: seen.get(k) for k in ("phase", "reason", "message", "verdict", "arms", "history")})
    return seen


def weights(gateway):
    rule = gateway.kubectl.json("get", "httproute", "models")["spec"]["rules"][0]
    return {ref["name"]: ref["weight"] for ref in rule["backendRefs"]}


def steps_of(seen):
    return [entry["weightPercent"] for entry in seen["history"] if entry["event"] == "StepBegun"]


def candidate(gateway):
    return gateway.sims("pool-candidate")[0]


def test_a_healthy_model_goes_to_all_of_the_traffic_by_itself(world):
    with Traffic(world.address) as traffic:
        apply(world, POOLS)
        seen = wait_phase(world, "Completed", "RolledBack", "Failed")
        assert seen["phase"] == "Completed", seen
        assert weights(world) == {"pool-base": 0, "pool-candidate": 100}
        before = traffic.total()
        until(lambda: traffic.total() > before + 200, "more answers")
    assert steps_of(seen) == [1, 5, 25, 50]
    assert traffic.broken == []
    assert set(traffic.statuses()) == {200}
    columns = world.kubectl("get", "canary")
    assert "Completed" in columns and "100%" in columns


BAD = {
    "twice the time to the first token": ({"ttft": "40ms"}, "ttft"),
    "three of a hundred answers fail": ({"error_rate": 0.03}, "errorRate"),
    "answers are empty": ({"empty": True}, "emptyRate"),
    "tokens come slower": ({"itl": "4ms"}, "tpot"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_model_is_rolled_back_by_itself(world, fault):
    settings, guard = BAD[fault]
    apply(world, POOLS.replace(STEPS, SHORT_STEPS).replace("spec:", "spec:\n  suspend: true", 1))
    world.wait_endpoints(2)
    candidate(world).configure(**settings)
    with Traffic(world.address) as traffic:
        apply(world, POOLS.replace(STEPS, SHORT_STEPS))
        seen = wait_phase(world, "Completed", "RolledBack", "Failed")
        assert seen["phase"] == "RolledBack", seen
        assert guard in seen["message"], seen["message"]
        assert weights(world) == {"pool-base": 100, "pool-candidate": 0}
    failed = {key: count for key, count in traffic.answers.items() if key[1] != 200}
    assert traffic.broken == []
    if "error_rate" in settings:
        assert all(arm.startswith("pool-candidate") for arm, _ in failed), failed
    else:
        assert failed == {}


def test_a_saturated_canary_takes_no_further_step_and_leaves_what_is_new_to_stable(world, command):
    steps = "[{weight: 30, hold: {approval: true}}, {weight: 60, hold: {approval: true}}]"
    apply(world, POOLS.replace(STEPS, steps))
    until(lambda: weights(world).get("pool-candidate") == 30, "the first step")
    candidate(world).configure(fake_metrics={"waiting": 50, "running": 1})
    saturation = {"inference_pool": "pool-candidate"}
    until(lambda: world.metric("llm_d_epp_flow_control_pool_saturation", **saturation) >= 10, "a full pool")
    world.kubectl("annotate", "canary", "release", "serin.dev/command=promote@1")
    until(lambda: status(world).get("reason") == "CanarySaturated", "the reason")

    def keyless():
        return arms([ask(client, max_tokens=1) for _ in range(20)])

    with world.client() as client:
        assert keyless() == {"pool-base/mymodel": 20}
        keyed = arms([ask(client, max_tokens=1, headers={"x-session-id": f"k-{number}"}) for number in range(60)])
        assert keyed["pool-candidate/mymodel"] > 0
        until(lambda: status(world)["arms"][1].get("overflowed", 0) > 0, "the count")
        assert weights(world) == {"pool-base": 70, "pool-candidate": 30}
        assert world.metric("serin_canary_overflowed_requests", canary="default/release") >= 4
        assert world.metric("serin_canary_share", canary="default/release", role="canary", of="wanted") == 0.3
        shown = command("canary", "show", "release", "--kubeconfig", world.data / "kubeconfig").stdout
        assert "Overflow:" in shown and "CanarySaturated" in shown
        candidate(world).configure(fake_metrics=None)
        until(lambda: weights(world).get("pool-candidate") == 60, "the second step")
        assert keyless()["pool-candidate/mymodel"] == 12


PRICES = """\
  prices:
    stable: {inputPerMillion: 1, cachedInputPerMillion: 0.1, outputPerMillion: 4}
    canary: {inputPerMillion: 2, cachedInputPerMillion: 0.2, outputPerMillion: 8}
"""


def test_a_model_that_costs_too_much_is_rolled_back(world):
    guards = "guards: [{metric: cost, relative: {ratio: 1.5}}]"
    dear = POOLS.replace(STEPS, SHORT_STEPS).replace("minimumSamples: 20", f"minimumSamples: 20, {guards}")
    assert "spec.prices.stable" in world.kubectl.refused("apply", "-f", "-", stdin=dear)
    with Traffic(world.address) as traffic:
        apply(world, dear + PRICES)
        seen = wait_phase(world, "Completed", "RolledBack", "Failed")
    assert seen["phase"] == "RolledBack", seen
    assert "cost mean" in seen["message"], seen["message"]
    stable, canary = seen["guards"][0]["stable"], seen["guards"][0]["canary"]
    assert float(canary) == pytest.approx(2 * float(stable), rel=0.2)  # in one stratum; prompts differ a little
    assert set(traffic.statuses()) == {200}


def test_without_traffic_it_stays_and_says_so(world):
    apply(world, POOLS)
    until(lambda: status(world).get("phase") == "Progressing", "the first step")
    until(lambda: status(world).get("reason") in ("NoData", "HoldRequests"), "a reason to wait")
    assert weights(world) == {"pool-base": 99, "pool-candidate": 1}
    assert status(world)["verdict"]["result"] == "no-data"


MODEL = f"""\
apiVersion: serin.dev/v1alpha1
kind: Canary
metadata: {{name: release}}
spec:
  targetRef: {{kind: InferenceModel, name: travelhelper}}
  stable: travel-helper-v1
  canary: travel-helper-v9
  steps: {SHORT_STEPS}
  warmup: {{slowStart: 0s, adapter: {{path: /adapters/travel-9}}}}
  analysis: {{interval: 1s, minimumSamples: 20}}
"""


def targets(gateway):
    model = gateway.kubectl.json("get", "inferencemodel", "travelhelper")
    return {target["name"]: target["weight"] for target in model["spec"]["targetModels"]}


def leave_one_adapter(gateway):
    gateway.kubectl("patch", "inferencemodel", "travelhelper", "--type=merge", "-p",
                    '{"spec":{"targetModels":[{"name":"travel-helper-v1","weight":100}]}}')


def test_an_adapter_that_is_nowhere_is_loaded_before_it_gets_share(world):
    leave_one_adapter(world)
    with Traffic(world.address, body={"model": "travelhelper"}) as traffic:
        apply(world, MODEL)
        seen = wait_phase(world, "Completed", "RolledBack", "Failed")
        assert seen["phase"] == "Completed", seen
        assert targets(world) == {"travel-helper-v9": 100}
    assert traffic.broken == []
    assert set(traffic.statuses()) == {200}, traffic.answers  # not one 404
    assert traffic.total("pool-base/travel-helper-v9") > 0


def test_an_adapter_is_loaded_by_every_replica(world):
    world.kubectl("scale", "deployment", "base", "--replicas=3")
    world.wait_endpoints(3, "pool-base")
    leave_one_adapter(world)
    apply(world, MODEL.replace(SHORT_STEPS, "[{weight: 50, hold: {approval: true}}]"))
    until(lambda: targets(world).get("travel-helper-v9") == 50, "the share")
    sims = world.sims("pool-base")
    assert len(sims) == 3
    for sim in sims:
        names = [model["id"] for model in CONTROL.get(f"http://{sim.address}/v1/models").json()["data"]]
        assert "travel-helper-v9" in names, (sim.address, names)


def test_a_human_who_edits_the_weight_owns_it_until_resume(world):
    with Traffic(world.address) as traffic:
        apply(world, POOLS.replace("{weight: 1, hold: {requests: 20}}, {weight: 5, hold: {requests: 20}}", "{weight: 5, hold: {approval: true}}"))
        until(lambda: weights(world).get("pool-candidate") == 5, "five per cent", SLOW_S)
        until(lambda: status(world)["reason"] == "NeedsApproval", "the wait for approval", SLOW_S)
        route = world.kubectl.json("get", "httproute", "models")
        for ref in route["spec"]["rules"][0]["backendRefs"]:
            ref["weight"] = 30 if ref["name"] == "pool-candidate" else 70
        world.kubectl("replace", "-f", "-", stdin=json.dumps(route))
        seen = wait_phase(world, "Paused")
        assert seen["reason"] == "HumanOwnsWeight"
        assert "30 %" in seen["message"] and "kubectl" in seen["message"], seen["message"]
        assert weights(world) == {"pool-base": 70, "pool-candidate": 30}
        world.kubectl("annotate", "canary", "release", "serin.dev/command=resume@1")
        seen = wait_phase(world, "Completed", "RolledBack", "Failed")
        assert seen["phase"] == "Completed", seen
    assert traffic.broken == []
    assert set(traffic.statuses()) == {200}


def test_rollback_by_command_leaves_the_other_arm_everything(world):
    with Traffic(world.address) as traffic:
        apply(world, POOLS.replace("{weight: 1, hold: {requests: 20}}, {weight: 5, hold: {requests: 20}}", "{weight: 5, hold: {approval: true}}"))
        until(lambda: weights(world).get("pool-candidate") == 5, "five per cent", SLOW_S)
        world.kubectl("annotate", "canary", "release", "serin.dev/command=rollback@7")
        seen = wait_phase(world, "RolledBack")
        assert weights(world) == {"pool-base": 100, "pool-candidate": 0}
        assert "by command" in seen["message"]
    assert traffic.broken == []
    assert set(traffic.statuses()) == {200}


def test_a_gateway_that_dies_at_any_moment_goes_on_where_it_was(serin, tmp_path, world):
    """kill -9 at random moments of a rollout (SERIN_CANARY_KILLS=50 for the long run): no step twice, weights and
    status agree."""
    kills = int(os.environ.get("SERIN_CANARY_KILLS", "6"))
    chance = random.Random(5)
    apply(world, POOLS.replace(STEPS, SHORT_STEPS))
    for kill in range(kills):
        with Traffic(world.address) as traffic:
            wanted = chance.randrange(1, 1500)
            until(lambda: traffic.total() >= wanted or status(world).get("phase") == "Completed", "traffic", SLOW_S)
        world.process.send_signal(signal.SIGKILL)
        world.process.wait()
        world.output = ""
        world.start().wait_ready()
    with Traffic(world.address):
        seen = wait_phase(world, "Completed", "RolledBack", "Failed")
    assert seen["phase"] == "Completed", seen
    assert weights(world) == {"pool-base": 0, "pool-candidate": 100}
    assert steps_of(seen) == [10, 50]
    assert seen["state"]["move"] == 3


def test_the_first_share_grows_slowly_also_through_a_kill(world):
    apply(world, POOLS.replace(STEPS, "[{weight: 40, hold: {approval: true}}]").replace("slowStart: 0s", "slowStart: 6s"))
    until(lambda: weights(world).get("pool-candidate") in (10, 20, 30), "the first parts")
    world.process.send_signal(signal.SIGKILL)
    world.process.wait()
    world.output = ""
    world.start().wait_ready()
    until(lambda: "StepBegun" in str(status(world)), "the whole weight")
    seen = status(world)
    told = [(entry["event"], entry["weightPercent"]) for entry in seen["history"]]
    assert told[-2:] == [("SlowStart", 10), ("StepBegun", 40)], told
    assert weights(world) == {"pool-base": 60, "pool-candidate": 40}
    # 10, 20, 30, 40; where the process was away for a while, it goes on with the part that is due
    assert 2 <= seen["state"]["move"] <= 4
    moves = world.kubectl.json("get", "httproute", "models")["metadata"]["annotations"]["serin.dev/canary-move"]
    assert moves.startswith(f"release/{seen['state']['move']}/4000/")
