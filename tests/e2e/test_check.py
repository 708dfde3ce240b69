"""`serin check` and `serin explain`: what can be known of manifests without serving them."""
import json
import os
import pathlib

import pytest

from conftest import DATA, ROOT, ask, arms

BAD = sorted((DATA / "bad").glob("*.yaml"))


@pytest.mark.short
def test_there_are_forty_bad_manifests():
    assert len(BAD) >= 40


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_manifest_exits_1_and_its_dotted_field_is_named(command, file):
    expected = file.read_text().splitlines()[0].removeprefix("# expect:").strip()
    assert expected and file.read_text().startswith("# expect:")
    ended = command("check", "-f", file)
    assert ended.returncode == 1, ended.stdout
    named = [line for line in ended.stdout.splitlines() if f" {expected}:" in line]
    assert named, ended.stdout
    assert all(str(file) in line for line in named)


@pytest.mark.short
def test_all_problems_of_a_folder_are_told_at_once_each_on_a_line(command):
    ended = command("check", "-f", DATA / "bad")
    assert ended.returncode == 1
    for file in BAD:
        assert str(file) in ended.stdout, file
    assert ended.stderr.count("\n") == 1


@pytest.mark.short
@pytest.mark.parametrize("folder", ["walkthrough", "replicas", "limits", "shares"])
def test_the_good_manifests_pass(command, folder):
    ended = command("check", "-f", DATA / folder)
    assert ended.returncode == 0, ended.stdout
    assert "no problems" in ended.stdout and ended.stderr == ""


def test_the_examples_pass(command):
    for folder in (ROOT / "examples").iterdir():
        if list(folder.glob("*.yaml")):
            ended = command("check", "-f", folder)
            assert ended.returncode == 0, ended.stdout


def test_what_a_manifest_refers_to_and_the_files_do_not_hold_is_only_a_warning(command):
    ended = command("check", "-f", DATA / "shares")
    assert any(line.startswith("warning: ") and "missing" in line for line in ended.stdout.splitlines())


def test_files_are_checked_together_in_any_number(command):
    files = sorted((DATA / "walkthrough").iterdir())
    ended = command("check", *(word for file in files for word in ("-f", file)))
    assert ended.returncode == 0 and ended.stdout.startswith("13 objects")


def test_json_manifests_are_read_as_well(command, tmp_path):
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "a"},
             "spec": {"controllerName": "no slash"}}
    (tmp_path / "bad.json").write_text(json.dumps(route))
    ended = command("check", "-f", tmp_path)
    assert ended.returncode == 1 and "spec.controllerName" in ended.stdout
    route["spec"]["controllerName"] = "serin.dev/gateway"
    (tmp_path / "bad.json").write_text(json.dumps(route))
    assert command("check", "-f", tmp_path).returncode == 0


@pytest.mark.parametrize("text", [b"", b"---\n---\n", b"# nothing\n"])
def test_files_without_objects_have_no_problems(command, tmp_path, text):
    (tmp_path / "empty.yaml").write_bytes(text)
    assert command("check", "-f", tmp_path / "empty.yaml").returncode == 0


@pytest.mark.parametrize("text", [b"a: [", b"\x00", b"a: b: c", b"[1, 2]", b"plain", b"\xff\xfe", b"kind: Gateway\n",
                                  b"a: &a [*a]\n", b"{" * 5000])
def test_files_that_hold_something_else_are_problems_and_no_crash(command, tmp_path, text):
    (tmp_path / "odd.yaml").write_bytes(text)
    ended = command("check", "-f", tmp_path / "odd.yaml")
    assert ended.returncode == 1 and str(tmp_path / "odd.yaml") in ended.stdout + ended.stderr


def test_what_is_not_there_is_a_problem(command, tmp_path):
    ended = command("check", "-f", tmp_path / "nothing.yaml")
    assert ended.returncode == 1 and "nothing.yaml" in ended.stdout + ended.stderr


@pytest.mark.short
def test_explain_names_the_route_and_the_shares_of_its_arms(command, tmp_path):
    ended = command("explain", "-f", DATA / "walkthrough", "--path", "/v1/chat/completions")
    assert ended.returncode == 0 and ended.stderr == ""
    assert "default/models rules[0]" in ended.stdout and "taken" in ended.stdout
    lines = {line.split()[1]: line for line in ended.stdout.splitlines() if line.split()[:1] == ["pool"]}
    assert "90.00 %" in lines["pool-base"] and "10.00 %" in lines["pool-candidate"]


def test_explain_reads_the_model_and_leaves_out_the_pool_that_does_not_know_it(command, tmp_path):
    (tmp_path / "body.json").write_text(json.dumps({"model": "travelhelper", "messages": []}))
    ended = command("explain", "-f", DATA / "walkthrough", "--path", "/v1/chat/completions", "--body",
                    tmp_path / "body.json")
    assert ended.returncode == 0
    lines = {tuple(line.split()[:2]): line for line in ended.stdout.splitlines() if len(line.split()) > 1}
    assert "100.00 %" in lines["pool", "pool-base"]
    assert "left out" in lines["pool", "pool-candidate"]
    assert "90.00 %" in lines["model", "travel-helper-v1"] and "10.00 %" in lines["model", "travel-helper-v2"]


def test_explain_knows_the_arm_of_a_session_as_the_gateway_does(command, walkthrough):
    with walkthrough.client() as client:
        for number in range(12):
            key = f"user-{number}"
            ended = command("explain", "-f", DATA / "walkthrough", "--path", "/v1/chat/completions", "--header",
                            f"x-session-id: {key}")
            taken = [line.split()[1] for line in ended.stdout.splitlines() if " 100.00 %" in line]
            assert arms([ask(client, headers={"x-session-id": key})]) == {f"{taken[0]}/mymodel": 1}


def test_explain_says_why_the_other_routes_do_not_take_it(command):
    ended = command("explain", "-f", DATA / "limits", "--path", "/x", "--host", "hasty.example")
    assert ended.returncode == 0
    assert "host differs: impatient.example" in ended.stdout and "beaten by default/hasty" in ended.stdout


def test_explain_exits_1_when_nothing_takes_the_request(command, tmp_path):
    file = tmp_path / "only.yaml"
    file.write_text((DATA / "two-gateways.yaml").read_text().replace(
        "  - backendRefs:", "  - matches: [{path: {type: Exact, value: /only}}]\n    backendRefs:"))
    ended = command("explain", "-f", file, "--path", "/other")
    assert ended.returncode == 1 and "404" in ended.stdout and "path /other is not /only" in ended.stdout


def test_explain_of_bad_manifests_or_a_bad_body_exits_1_with_one_line(command, tmp_path):
    (tmp_path / "body.json").write_text('{"model":"a","model":"b"}')
    for arguments in (("-f", BAD[0], "--path", "/"),
                      ("-f", DATA / "walkthrough", "--path", "/", "--body", tmp_path / "body.json"),
                      ("-f", DATA / "walkthrough", "--path", "/", "--body", tmp_path / "nothing.json")):
        ended = command("explain", *arguments)
        assert ended.returncode == 1 and ended.stderr.count("\n") == 1


SEED = os.environ.get("SERIN_SEED")


@pytest.mark.skipif(not SEED, reason="SERIN_SEED names no folder of manifests")
def test_the_manifests_of_the_folder_in_serin_seed_pass_and_serve(command, gateways):
    ended = command("check", "-f", SEED)
    assert ended.returncode == 0, ended.stdout
    gateway = gateways([pathlib.Path(SEED)])
    for sim in gateway.sims():
        sim.configure(ttft="2ms", itl="1ms", prefill="0us")
    with gateway.client() as client:
        answers = [ask(client) for _ in range(200)]
        adapters = [ask(client, model="travelhelper") for _ in range(100)]
        direct = [ask(client, model="travel-helper-v2") for _ in range(100)]
    candidates = [answer for answer in answers if "DeepSeek" in answer.json()["choices"][0]["message"]["content"]]
    assert 19 <= len(candidates) <= 21
    assert 9 <= [answer.json()["model"] for answer in adapters].count("travel-helper-v2") <= 11
    assert {answer.json()["model"] for answer in direct} == {"travel-helper-v2"}
