"""`serin up` as a process: what it prints, how it ends, what it refuses."""
import errno
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import httpx
import pytest

from conftest import DATA, GENEROUS_S, Wire, arms, ask, chat, events, loopback, until

CTRL_C_LIMIT_S = 5


def is_refused(ip, port=8080):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((ip, port)) == errno.ECONNREFUSED


@pytest.mark.short
def test_up_prints_ready_alone_on_a_line_and_then_the_next_commands(gateways):
    gateway = gateways([DATA / "walkthrough"])
    lines = gateway.output.splitlines()
    after = lines[lines.index("ready") + 1:]
    assert any("curl" in line and "/v1/chat/completions" in line for line in after)
    assert any(gateway.admin in line for line in after)
    assert lines.count("ready") == 1


def test_the_printed_curl_answers_200_and_names_its_model(gateways):
    assert shutil.which("curl"), "curl is needed: it is what the printed line says"
    gateway = gateways([DATA / "walkthrough"])
    after = gateway.output[gateway.output.index("curl -i"):]
    line = after[:after.index("'\n", after.index("-d '")) + 1]
    printed = subprocess.run(["sh", "-c", line.replace("curl", "curl -sS", 1)], capture_output=True, text=True,
                             timeout=GENEROUS_S)
    assert printed.returncode == 0, printed.stderr
    head, body = printed.stdout.replace("\r\n", "\n").split("\n\n", 1)
    assert head.startswith("HTTP/1.1 200 ")
    assert "x-serin-arm: pool-" in head
    answer = json.loads(body)
    assert answer["model"] == "mymodel"
    assert "simulated" in answer["choices"][0]["message"]["content"]


@pytest.mark.short
def test_every_printed_curl_line_works(gateways):
    gateway = gateways([DATA / "walkthrough"])
    for line in gateway.output.splitlines():
        if line.startswith("  curl http"):
            assert httpx.get(line.split()[1], trust_env=False).status_code == 200


@pytest.mark.short
def test_ctrl_c_ends_all_within_5_s_and_leaves_no_process_and_no_port(gateways):
    gateway = gateways([DATA / "walkthrough"])
    pids = gateway.pids()
    assert len(pids) == 2
    with gateway.client() as client:
        ask(client)
        started = time.monotonic()
        gateway.interrupt()
        gateway.process.wait(GENEROUS_S)
        assert time.monotonic() - started < CTRL_C_LIMIT_S
    assert gateway.process.returncode == 0
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids)
    for ip, port in ((gateway.address, 8080), ("127.0.0.1", int(gateway.admin.rsplit(":", 1)[1]))):
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as every server does
            again.bind((ip, port))


def test_ctrl_c_ends_all_within_5_s_even_while_a_stream_never_ends(gateways):
    gateway = gateways([DATA / "walkthrough"])
    for sim in gateway.sims():
        sim.hold("event", 2)
    with gateway.client() as client, client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
        arriving = events(answer)
        next(arriving)
        started = time.monotonic()
        gateway.interrupt()
        gateway.process.wait(GENEROUS_S)
        assert time.monotonic() - started < CTRL_C_LIMIT_S
        assert gateway.process.returncode == 0


@pytest.mark.short
def test_sigterm_drains_a_running_stream(gateways):
    gateway = gateways([DATA / "walkthrough"])
    held = gateway.sims()
    for sim in held:
        sim.hold("event", 2)
    with gateway.client() as client, client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
        arriving = events(answer)
        first = next(arriving)
        until(lambda: any(sim.state()["held"] for sim in held), "the stream to be held")
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: is_refused(gateway.address), "the listener's end")
        assert gateway.process.poll() is None
        for sim in held:
            sim.release()
        rest = list(arriving)
    assert json.loads(first)["choices"] and rest[-1] == "[DONE]"
    assert gateway.process.wait(GENEROUS_S) == 0


def test_a_request_that_is_being_answered_when_sigterm_comes_gets_its_answer_and_a_close(gateways):
    gateway = gateways([DATA / "walkthrough"])
    held = gateway.sims()
    for sim in held:
        sim.hold()
    body = json.dumps(chat()).encode()
    with Wire(gateway.address) as wire:
        wire.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        until(lambda: any(sim.state()["held"] for sim in held), "the request to be held")
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: is_refused(gateway.address), "the listener's end")
        for sim in held:
            sim.release()
        answer = wire.answer()
        assert answer.status_code == 200 and answer.headers["connection"] == "close"
        assert wire.is_closed()
    assert gateway.process.wait(GENEROUS_S) == 0


def test_a_second_signal_stops_at_once(gateways):
    gateway = gateways([DATA / "walkthrough"], "--drain", "600")
    for sim in gateway.sims():
        sim.hold("event", 2)
    with gateway.client() as client, client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
        arriving = events(answer)
        next(arriving)
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: is_refused(gateway.address), "the listener's end")
        assert gateway.process.poll() is None
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(CTRL_C_LIMIT_S) == 0


@pytest.mark.short
def test_a_second_up_on_the_same_data_exits_1_and_disturbs_nobody(gateways, command):
    gateway = gateways([DATA / "walkthrough"])
    second = command("up", "-f", DATA / "walkthrough", "--data", gateway.data, "--admin", "127.0.0.1:0", "--addresses",
                     loopback())
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1 and str(gateway.data) in second.stderr
    assert "ready" not in second.stdout
    with gateway.client() as client:
        ask(client)


def test_the_data_of_a_gateway_that_was_killed_can_be_used_again(gateways, serin):
    gateway = gateways([DATA / "walkthrough"])
    gateway.kill().start().wait_ready()
    with gateway.client() as client:
        ask(client)


def test_a_taken_port_leaves_its_gateway_unprogrammed_and_the_rest_serves(gateways):
    address = loopback()
    with socket.socket() as taken:
        taken.bind((address, 8080))
        taken.listen()
        gateway = gateways([DATA / "two-gateways.yaml"], address=address, wait=False)
        with gateway.client(8081) as client:
            answer = until(lambda: client.get("/v1/models"), "the free Gateway")
            assert answer.status_code == 503 and answer.headers["x-serin-reason"] == "no_endpoint"
        programmed = gateway.condition("Gateway", "blocked", "Programmed")
        assert (programmed["status"], programmed["reason"]) == ("False", "AddressNotUsable")
        assert gateway.condition("Gateway", "free", "Programmed")["status"] == "True"
        assert gateway.admin_get("/readyz").status_code == 503
        assert "ready" not in gateway.read_output()
        assert "8080" in gateway.log_text()


def test_a_taken_admin_port_exits_1_with_one_line(command, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = command("up", "-f", DATA / "two-gateways.yaml", "--data", tmp_path / "data", "--admin",
                        f"127.0.0.1:{taken.getsockname()[1]}", "--addresses", loopback())
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1 and "--admin" in ended.stderr


def test_manifests_with_problems_are_named_and_nothing_starts(command, tmp_path):
    ended = command("up", "-f", DATA / "bad" / "11-route-weight-too-large.yaml", "--data", tmp_path / "data", "--admin",
                    "127.0.0.1:0", "--addresses", loopback())
    assert ended.returncode == 1 and "ready" not in ended.stdout
    assert "spec.rules[0].backendRefs[1].weight" in ended.stderr


def test_a_folder_that_is_not_there_is_named(command, tmp_path):
    ended = command("up", "-f", tmp_path / "nothing", "--data", tmp_path / "data", "--admin", "127.0.0.1:0")
    assert ended.returncode == 1 and str(tmp_path / "nothing") in ended.stderr


def test_manifests_come_from_standard_input_too(serin, command):
    text = (DATA / "two-gateways.yaml").read_text()
    assert command("check", "-f", "-", input=text).returncode == 0
    assert command("check", "-f", "-", input="kind: [").returncode == 1


@pytest.mark.short
@pytest.mark.parametrize("arguments", [
    ["nonsense"],
    ["--nonsense"],
    ["up", "-f"],
    ["up", "-f", "x", "--nonsense"],
    ["up", "-f", "x", "surplus"],
    ["up", "-f", "x", "--workers", "0"],
    ["up", "-f", "x", "--workers", "two"],
    ["up", "-f", "x", "--addresses", "localhost"],
    ["up", "-f", "x", "--addresses", "127.0.0.1,"],
    ["up", "-f", "x", "--admin", "6474"],
    ["up", "--api", "6473"],
    ["up", "-f", "x", "--workloads", "docker"],
    ["up", "-f", "x", "--sim-speed", "0"],
    ["up", "-f", "x", "--sim-speed", "fast"],
    ["up", "-f", "x", "--drain", "-1"],
    ["up", "-f", "x", "--limit", "head-time=10"],
    ["up", "-f", "x", "--limit", "nothing=1"],
    ["check"],
    ["explain", "-f", "x"],
    ["explain", "-f", "x", "--path", "relative"],
    ["explain", "-f", "x", "--path", "/", "--header", "no-colon"],
    ["sim", "--port", "99999"],
    ["sim", "--sim", "speed=light"],
    ["version", "surplus"],
], ids=" ".join)
def test_wrong_usage_exits_2_with_one_line(command, arguments):
    ended = command(*arguments)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stdout == ""


@pytest.mark.short
def test_help_lists_what_is_built_and_nothing_else(command):
    ended = command("--help")
    assert ended.returncode == 0 and ended.stderr == ""
    commands = {line.split()[0] for line in ended.stdout.splitlines() if line.startswith("  ")} - {"serin"}
    assert commands == {"up", "canary", "check", "explain", "sim", "version"}
    for name in commands:
        assert command(name, "--help").returncode == 0


def test_help_of_up_names_every_flag_that_it_takes(command):
    text = command("up", "--help").stdout
    for flag in ("-f", "--data", "--api", "--admin", "--addresses", "--workloads", "--sim-speed", "--drain", "--workers"):
        assert flag in text


def test_version_names_the_product_and_its_libraries(command):
    ended = command("version")
    assert ended.returncode == 0
    assert "serin" in ended.stdout.lower() and "libyaml" in ended.stdout.lower()


def test_a_gateway_without_workloads_is_ready_at_once(gateways):
    gateway = gateways([DATA / "two-gateways.yaml"], workloads="none")
    assert gateway.pids() == []
    assert gateway.admin_get("/readyz").status_code == 200


def test_one_worker_serves_as_well(gateways):
    gateway = gateways([DATA / "walkthrough"], "--workers", "1")
    with gateway.client() as client:
        assert arms(ask(client) for _ in range(10)) == {"pool-base/mymodel": 9, "pool-candidate/mymodel": 1}
