"""Explicit session keys pin a request to its arms; without one nothing sticks."""
import pytest

from conftest import DATA, arm, arms, ask, edit_and_wait

CANDIDATE = "pool-candidate/mymodel"
SESSION_HEADERS = ["x-session-id", "session-id", "session_id", "x-session-affinity", "x-claude-code-session-id"]


def arm_of_key(client, key, header="x-session-id", **more):
    return arm(ask(client, headers={header: key}, max_tokens=1, **more))


@pytest.mark.short
def test_a_session_header_pins_the_arm(walkthrough):
    with walkthrough.client() as client:
        for number in range(25):
            assert len({arm_of_key(client, f"user-{number}") for _ in range(4)}) == 1


@pytest.mark.parametrize("header", SESSION_HEADERS)
def test_each_known_session_header_pins(walkthrough, header):
    with walkthrough.client() as client:
        by_key = [{arm_of_key(client, f"user-{number}", header) for _ in range(2)} for number in range(25)]
    assert all(len(arms_of_one) == 1 for arms_of_one in by_key)


@pytest.mark.parametrize("member", [
    lambda key: {"prompt_cache_key": key},
    lambda key: {"conversation": key},
    lambda key: {"conversation": {"id": key}},
], ids=["prompt_cache_key", "conversation", "conversation.id"])
def test_a_key_in_the_body_pins_the_arm(walkthrough, member):
    with walkthrough.client() as client:
        for number in range(25):
            answers = [ask(client, max_tokens=1, **member(f"user-{number}")) for _ in range(3)]
            assert len(arms(answers)) == 1


def test_the_same_key_gets_the_same_arm_however_it_is_sent(walkthrough):
    with walkthrough.client() as client:
        for number in range(25):
            key = f"user-{number}"
            by_header = {arm_of_key(client, key, header) for header in SESSION_HEADERS}
            assert by_header == {arm(ask(client, max_tokens=1, prompt_cache_key=key))}


def test_a_header_goes_before_the_body(walkthrough):
    with walkthrough.client() as client:
        keys = {arm_of_key(client, f"user-{number}"): f"user-{number}" for number in range(60)}
        assert set(keys) == {"pool-base/mymodel", CANDIDATE}  # 60 keys all in one arm: one time in 500
        for of_header in keys:
            for of_body in keys.values():
                assert arm_of_key(client, keys[of_header], prompt_cache_key=of_body) == of_header


def test_keys_spread_over_the_arms_by_weight(walkthrough):
    with walkthrough.client() as client:
        found = [arm_of_key(client, f"session-{number}") for number in range(400)]
    assert 16 <= found.count(CANDIDATE) <= 68  # 40, give or take four and a half deviations


def test_going_from_90_10_to_80_20_moves_keys_only_into_the_candidate(walkthrough):
    file = walkthrough.files / "06-split.yaml"
    keys = [f"session-{number}" for number in range(250)]
    with walkthrough.client() as client:
        before = {key: arm_of_key(client, key) for key in keys}
        edit_and_wait(walkthrough, file, "weight: 90}", "weight: 40}")
        after = {key: arm_of_key(client, key) for key in keys}
        edit_and_wait(walkthrough, file, "weight: 40}", "weight: 90}")
        again = {key: arm_of_key(client, key) for key in keys}
    moved = {key for key in keys if before[key] != after[key]}
    assert moved and all(after[key] == CANDIDATE for key in moved)
    assert again == before


def test_a_key_pins_the_adapter_too(walkthrough):
    with walkthrough.client() as client:
        for number in range(25):
            assert len({arm_of_key(client, f"user-{number}", model="travelhelper") for _ in range(3)}) == 1


def test_requests_without_a_key_keep_their_exact_shares_between_keyed_ones(walkthrough):
    answers = []
    with walkthrough.client() as client:
        for number in range(100):
            answers.append(ask(client, max_tokens=1))
            arm_of_key(client, f"user-{number}")
    assert 9 <= arms(answers)[CANDIDATE] <= 11


def test_what_is_no_explicit_key_does_not_stick(walkthrough):
    headers = {"cookie": "session=1", "authorization": "Bearer one", "x-forwarded-for": "10.0.0.1", "x-session-id": ""}
    with walkthrough.client() as client:
        answers = [ask(client, headers=headers, max_tokens=1, user="one", text="always the same") for _ in range(40)]
    assert arms(answers)[CANDIDATE] in (3, 4, 5)


def test_a_response_is_gone_on_with_at_the_server_that_has_it(gateways):
    """Two replicas, one arm: what a server keeps is in its own memory; the other one would answer 404."""
    gateway = gateways([DATA / "replicas"]).wait_endpoints(2)
    with gateway.client() as client:
        previous = [None] * 20
        for _ in range(4):
            for number, former in enumerate(previous):
                body = {"model": "mymodel", "input": f"I am {number}", "max_output_tokens": 1,
                        "previous_response_id": former, "stream": False}
                answer = client.post("/v1/responses", json=body)
                assert answer.status_code == 200, answer.text
                previous[number] = answer.json()["id"]
        served = [len(sim.requests()) for sim in gateway.sims()]
        assert sum(served) == 80 and min(served) > 0
        # Its server is gone: another one is asked, which says so itself.
        gateway.sims()[0].configure(refuse=True)
        lost = [client.post("/v1/responses", json={"model": "mymodel", "input": "x", "previous_response_id": former})
                for former in previous]
    assert {answer.status_code for answer in lost} == {200, 404}
    assert all(answer.json()["error"]["param"] == "previous_response_id" for answer in lost if answer.status_code == 404)
