"""Short runs of the chaos harness, and that it notices what it is there to notice.

Long ones are run by hand: make chaos SCENARIO=mixed SEED=1 MINUTES=60."""
import itertools

import pytest

from chaos import plans, verdict
from chaos.__main__ import Options, play_and_judge
from chaos.ledger import CUT, HUNG, LEFT, LOST, REFUSED, UNREACHED, WHOLE, WRONG, Entry, Ledger, Split


@pytest.fixture
def run(serin, tmp_path):
    """run(scenario, plan, ...): plays a scenario, or a plan instead of its own, and gives the Result."""

    def play(scenario, plan=None, **options):
        return play_and_judge(Options(scenario=scenario, serin=serin, folder=str(tmp_path / scenario), **options), plan)

    return play


def complaints(result):
    return "\n".join(map(str, result.complaints))


@pytest.mark.short
def test_the_walkthrough_from_first_to_last_loses_nothing(run):
    result = run("walkthrough", seed=1, minutes=0.5, rate=60, stream_s=(1, 5))
    assert result.complaints == [], complaints(result)
    assert result.book.count(WHOLE) > 500 and result.book.count(CUT) == 0


def begin(plan, steps):
    """A plan that has no end, as far as that: on a slow machine the steps are the same, and take longer."""
    return list(itertools.islice(plan, steps))


def test_kills_cut_only_what_was_answered_in_part(run):
    result = run("kills", begin(plans.kills(2), 1 + 5), seed=2, stream_s=(1, 5))
    assert result.complaints == [], complaints(result)
    refused = {entry.kind for entry in result.book.entries if entry.outcome == REFUSED}
    assert result.book.count(CUT) > 0 and refused <= {"long"}  # whose bodies were on their way


def test_what_was_accepted_before_a_restart_of_the_gateway_is_finished(run):
    result = run("restarts", begin(plans.restarts(5), 4 + 3), seed=5, stream_s=(1, 3))
    assert result.complaints == [], complaints(result)
    assert result.book.count(UNREACHED) > 0 and result.book.count(CUT) == result.book.count(LOST) == 0


def test_anything_in_any_order_for_half_a_minute(run):
    result = run("mixed", seed=3, minutes=0.5, stream_s=(1, 10))
    assert result.complaints == [], complaints(result)


def test_what_no_step_allows_is_a_complaint(run):
    plan = [plans.step("apply_base"), plans.step("phase", name="before", draws=20),
            plans.step("scale", deployment="base", replicas=0), plans.step("phase", name="nobody", draws=20)]
    result = run("walkthrough", plan, seed=4, streams=2, stream_s=(1, 2))
    assert [complaint.what for complaint in result.complaints] == ["requests that nothing explains"]
    assert "no_endpoint" in complaints(result)


def test_the_same_seed_gives_the_same_plan():
    def lines(seed):
        return [str(step) for step in begin(plans.mixed(seed), 200)]

    assert lines(5) == lines(5) and lines(5) != lines(6)
    assert {line.split()[0] for line in lines(5)} >= {"kill", "rollout", "storm", "split", "scale", "hold", "refuse"}


# The ledger by hand: times and entries are given.


@pytest.fixture
def book():
    return Ledger()


def entry(outcome=WHOLE, arm="a/m", at=1.0, model="m", key="", **more):
    return Entry("r1", "chat", model, key, False, 1, started=at, head_at=at + 0.1, ended=at + 0.2, arm=arm,
                 outcome=outcome, **more)


@pytest.mark.parametrize("outcome", [REFUSED, CUT, LOST, WRONG, HUNG])
def test_a_failure_is_unexplained_unless_it_is_allowed(book, outcome):
    book.add(entry(outcome))
    assert len(book.unexplained()) == 1
    book.allow("the test", outcome, since=0)
    assert book.unexplained() == []


@pytest.mark.parametrize("outcome", [WHOLE, LEFT])
def test_what_went_well_needs_no_allowance(book, outcome):
    book.add(entry(outcome))
    assert book.unexplained() == []


@pytest.mark.parametrize("allowed", [
    {"since": 2}, {"since": 0, "seconds": 1}, {"since": 0, "pods": ["other"]}, {"since": 0, "pools": ["other"]},
    {"since": 0, "reasons": ["other"]},
], ids=["too early", "too late", "pod", "pool", "reason"])
def test_an_allowance_covers_no_more_than_it_says(book, allowed):
    book.add(entry(CUT, pod="one", reason="upstream_cut"))
    book.allow("the test", CUT, **allowed)
    assert len(book.unexplained()) == 1


def test_a_request_that_was_sent_after_its_pod_was_killed_is_not_excused_by_that(book):
    book.add(entry(CUT, pod="one"))
    allowance = book.allow("the test", CUT, since=0, pods=["one"])
    allowance.begun_by = 0.95
    assert len(book.unexplained()) == 1
    allowance.begun_by = 1.05
    assert book.unexplained() == []


def phase(book, name, since, until, **weights):
    made = book.begin_phase(name, [Split(frozenset({"m"}), weights)])
    made.since, made.until = since, until


@pytest.mark.parametrize("got, is_kept", [(103, True), (104, False), (96, False)])
def test_shares_are_kept_within_a_point_and_a_half(book, got, is_kept):
    phase(book, "one", 0, 10, a=1, b=1)
    for number in range(200):
        book.add(entry(arm="a/m" if number < got else "b/m"))
    assert [share.is_kept for share in book.shares()] == [is_kept, is_kept]


def test_requests_from_outside_a_phase_and_keys_do_not_count_as_shares(book):
    phase(book, "one", 1, 2, a=1)
    for at in (0.5, 2.5):
        book.add(entry(at=at))
    book.add(entry(at=1.2, key="k"))
    assert [share.total for share in book.shares()] == [0]


def test_a_request_whose_head_comes_after_its_phase_counts(book):
    phase(book, "one", 1, 2, a=1)
    book.add(entry(at=1.95))
    assert [share.got for share in book.shares()] == [1]


def test_a_key_on_two_arms_is_a_breach(book):
    phase(book, "one", 0, 10, a=1, b=1)
    book.add(entry(key="k"))
    book.add(entry(key="k"))
    assert book.key_breaches() == []
    book.add(entry(key="k", arm="b/m"))
    assert len(book.key_breaches()) == 1


@pytest.mark.parametrize("weights, breaches", [
    ({"a": 50, "b": 50}, 0), ({"a": 95, "b": 5}, 1), ({"a": 90, "b": 10}, 1),
], ids=["grown", "shrunk", "unchanged"])
def test_a_key_moves_only_to_an_arm_that_grew(book, weights, breaches):
    phase(book, "one", 0, 10, a=90, b=10)
    phase(book, "two", 20, 30, **weights)
    book.add(entry(key="k"))
    book.add(entry(key="k", arm="b/m", at=21))
    assert len(book.key_breaches()) == breaches


@pytest.mark.parametrize("said, is_crash", [
    ("its process was killed by signal 9; restarting", False), ("its process was killed by signal 6; restarting", True),
    ("its process ended with status 1; restarting", True), ("ready at 127.83.161.197:8000", False),
])
def test_model_servers_that_nobody_killed_are_crashes(said, is_crash):
    line = f"2026-01-01T00:00:00.000Z warn  base-1: {said}"
    assert verdict.crashes(f"{line}\nmore\n") == ([line] if is_crash else [])
