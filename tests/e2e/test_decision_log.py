"""The decision log: what each scorer said of each endpoint when a request was picked for."""
import json
import signal

import pytest

from conftest import DATA, until
from test_picker import annotated, prompt


def lines(path):
    """Whole ones: the last may be half written."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


@pytest.mark.short
def test_every_scorer_s_value_of_every_endpoint_is_told(gateways, tmp_path):
    folder = annotated(tmp_path, scorers="queue-scorer=2, prefix-cache-scorer=3")
    log = tmp_path / "decisions.log"
    gateway = gateways([folder], "--decision-log", str(log), "--decision-every", "1").wait_endpoints(2)
    until(lambda: "queue-scorer" in str(gateway.endpoints("twins")), "the scorers")
    with gateway.client() as client:
        for _ in range(2):
            answer = client.post("/v1/completions", json=prompt("known", 500), headers={"x-request-id": "mine"})
            assert answer.status_code == 200
    first, second = until(lambda: len(lines(log)) == 2 and lines(log), "two lines")
    assert first["request_id"] == "mine" and first["pool"] == "default/twins" and first["try"] == 1
    assert first["weights"] == {"queue-scorer": 2, "prefix-cache-scorer": 3}
    assert {e["endpoint"] for e in first["endpoints"]} == {sim.address for sim in gateway.sims()}
    assert {e["scores"]["prefix-cache-scorer"] for e in first["endpoints"]} == {0}
    # What was sent before is known there, and there only.
    assert second["endpoint"] == first["endpoint"]
    for endpoint in second["endpoints"]:
        is_chosen = endpoint["endpoint"] == second["endpoint"]
        assert (endpoint["matched_tokens"] > 500) == is_chosen
        assert endpoint["scores"] == {"queue-scorer": 1, "prefix-cache-scorer": int(is_chosen),
                                      "total": 5 if is_chosen else 2}
    moved = log.with_suffix(".1")
    log.rename(moved)
    gateway.process.send_signal(signal.SIGHUP)
    until(log.exists, "the new file")
    assert gateway.metric("serin_decision_log_dropped_total") == 0


def test_one_of_so_many_picks_is_told(gateways, tmp_path):
    log = tmp_path / "decisions.log"
    gateway = gateways([DATA / "replicas"], "--decision-log", str(log), "--decision-every", "5", "--workers", "1")
    gateway.wait_endpoints(2)
    with gateway.client() as client:
        for n in range(20):
            assert client.post("/v1/completions", json=prompt(f"user {n}", 10)).status_code == 200
    until(lambda: len(lines(log)) == 4, "four lines")


def test_flags_of_the_decision_log_are_checked(command, tmp_path):
    assert command("up", "--decision-every", "0").returncode == 2
    ended = command("up", "--data", tmp_path / "data", "--admin", "127.0.0.1:0", "--api", "none", "--decision-log",
                    "/nowhere/log")
    assert ended.returncode == 1 and "/nowhere/log" in ended.stderr
