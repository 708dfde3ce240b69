"""`serin explain`: from files, and from a running gateway with its endpoints."""
import subprocess

import pytest

from conftest import ROOT

CANARY = ROOT / "examples" / "canary"


@pytest.fixture
def body(tmp_path):
    path = tmp_path / "request.json"
    path.write_text('{"model": "support"}')
    return str(path)


def explain(serin, *arguments):
    return subprocess.run([serin, "explain", *arguments], capture_output=True, text=True, timeout=60)


def test_files_tell_the_rule_and_the_shares(serin, body):
    done = explain(serin, "-f", str(CANARY), "--path", "/v1/chat/completions", "--body", body)
    assert done.returncode == 0, done.stderr
    assert "default/chat rules[0], model support" in done.stdout
    assert "does not know the model" in done.stdout


@pytest.mark.short
def test_a_running_gateway_adds_its_endpoints(serin, gateways, body):
    gateway = gateways([CANARY])
    done = explain(serin, "--admin", gateway.admin, "--path", "/v1/chat/completions?x=1&y", "--body", body,
                   "--header", "x-session-id: a b")
    assert done.returncode == 0, done.stderr
    assert "key a b" in done.stdout
    for endpoint in gateway.endpoints("chat-stable"):
        assert endpoint["address"] in done.stdout
    assert "pool default/chat-next" not in done.stdout
    assert "prompt-cost-scorer x 1" in done.stdout
    for endpoint in gateway.endpoints("chat-stable"):
        assert endpoint["scores"]["prompt-cost-scorer"] == endpoint["scores"]["total"] > 0


def test_nobody_there_is_one_line_and_exit_1(serin):
    done = explain(serin, "--admin", "127.0.0.1:1", "--path", "/")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


def test_wrong_usage_is_one_line_and_exit_2(serin):
    for arguments in (["--path", "/"], ["-f", str(CANARY)], ["-f", str(CANARY), "--path", "x"],
                      ["-f", str(CANARY), "--admin", "127.0.0.1:1", "--path", "/"]):
        done = explain(serin, *arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), arguments
