"""Weighted splits as clients see them: exact shares over pools and adapters, and what invalid or empty arms answer."""
import collections

import pytest

from conftest import DATA, InParallel, arm, arms, ask, chat, content, edit_and_wait, error_of

CANDIDATE = "pool-candidate/mymodel"
BASE = "pool-base/mymodel"


@pytest.mark.short
def test_the_candidate_answers_20_of_200_requests_that_come_one_by_one(walkthrough):
    with walkthrough.client() as client:
        answers = [ask(client) for _ in range(200)]
    assert 19 <= arms(answers)[CANDIDATE] <= 21
    assert set(arms(answers)) == {BASE, CANDIDATE}
    for answer in answers:
        assert answer.json()["model"] == "mymodel"
        assert ("DeepSeek" in content(answer)) == (arm(answer) == CANDIDATE)
        assert ("Qwen-2.5-7B" in content(answer)) == (arm(answer) == BASE)


def test_the_candidate_answers_40_of_400_requests_over_16_connections(walkthrough):
    before = walkthrough.metric("serin_downstream_connections_total")

    def ask_25():
        with walkthrough.client(connections=1) as client:
            return [ask(client) for _ in range(25)]

    with InParallel(16) as parallel:
        for _ in range(16):
            parallel(ask_25)
    answers = [answer for result in parallel.results() for answer in result]
    assert len(answers) == 400
    assert 39 <= arms(answers)[CANDIDATE] <= 41
    assert walkthrough.metric("serin_downstream_connections_total") - before == 16


def test_clients_with_a_new_connection_for_each_request_get_the_same_shares(walkthrough):
    def ask_once():
        with walkthrough.client() as client:
            return ask(client, headers={"connection": "close"})

    assert 9 <= arms(ask_once() for _ in range(100))[CANDIDATE] <= 11


def test_the_first_ten_requests_after_an_edit_of_the_weights_hold_exactly_one(walkthrough):
    file = walkthrough.files / "06-split.yaml"
    with walkthrough.client() as client:
        for _ in range(3):
            edit_and_wait(walkthrough, file, "weight: 90", "weight: 30")
            for _ in range(4):  # leaves a round half way
                ask(client)
            edit_and_wait(walkthrough, file, "weight: 30", "weight: 90")
            assert arms(ask(client) for _ in range(10)) == {BASE: 9, CANDIDATE: 1}


def test_an_edit_that_leaves_the_weights_alone_does_not_start_a_new_round(walkthrough):
    file = walkthrough.files / "06-split.yaml"
    with walkthrough.client() as client:
        edit_and_wait(walkthrough, file, "weight: 90", "weight: 30")
        edit_and_wait(walkthrough, file, "weight: 30", "weight: 90")
        answers = [ask(client) for _ in range(5)]
        edit_and_wait(walkthrough, file, "value: /}", "value: /v1}")
        edit_and_wait(walkthrough, file, "value: /v1}", "value: /}")
        answers += [ask(client) for _ in range(5)]
    assert arms(answers) == {BASE: 9, CANDIDATE: 1}


@pytest.mark.short
def test_travelhelper_splits_90_10_over_the_adapters_as_the_model_field_shows(walkthrough):
    with walkthrough.client() as client:
        answers = [ask(client, model="travelhelper", max_tokens=9) for _ in range(100)]
    models = collections.Counter(answer.json()["model"] for answer in answers)
    assert set(models) == {"travel-helper-v1", "travel-helper-v2"}
    assert 9 <= models["travel-helper-v2"] <= 11
    for answer in answers:
        assert arm(answer) == f"pool-base/{answer.json()['model']}"
        assert answer.json()["model"] in content(answer)


def test_interleaved_models_keep_both_splits_exact(walkthrough):
    with walkthrough.client() as client:
        pairs = [(ask(client), ask(client, model="travelhelper")) for _ in range(100)]
    assert 9 <= arms(first for first, _ in pairs)[CANDIDATE] <= 11
    assert 9 <= arms(second for _, second in pairs)["pool-base/travel-helper-v2"] <= 11


@pytest.mark.short
def test_100_direct_requests_for_an_adapter_are_all_answered_by_the_pool_that_has_it(walkthrough):
    with walkthrough.client() as client:
        answers = [ask(client, model="travel-helper-v2") for _ in range(100)]
    assert arms(answers) == {"pool-base/travel-helper-v2": 100}
    assert {answer.json()["model"] for answer in answers} == {"travel-helper-v2"}


def test_a_model_that_nobody_knows_is_split_and_the_model_server_says_so(walkthrough):
    with walkthrough.client() as client:
        answers = [client.post("/v1/chat/completions", json=chat(model="no-such-model")) for _ in range(40)]
    assert {answer.status_code for answer in answers} == {404}
    assert all("no-such-model" in answer.json()["error"]["message"] for answer in answers)
    assert set(arms(answers)) == {"pool-base/no-such-model", "pool-candidate/no-such-model"}


def test_requests_without_a_body_are_split_like_others(walkthrough):
    with walkthrough.client() as client:
        answers = [client.get("/v1/models") for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}
    shares = arms(answers)
    assert set(shares) == {"pool-base", "pool-candidate"} and 9 <= shares["pool-candidate"] <= 11


def test_only_the_name_of_the_model_is_changed_in_what_the_model_server_gets(walkthrough):
    base = walkthrough.sims("pool-base")[0]
    body = (b'{ "messages" : [{"role":"user","content":"\\u0041 caf\\u00e9 \xc3\xa9"}],\n "model" :\t"travelhelper" '
            b', "n":1}')
    with walkthrough.client() as client:
        answer = client.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 200
    got = base.requests()[-1]
    assert got["model"] == answer.json()["model"] == arm(answer).removeprefix("pool-base/")
    assert got["body_bytes"] == len(body) + len(got["model"]) - len("travelhelper")


def test_headers_that_steer_a_picker_do_not_reach_the_model_server(walkthrough):
    steering = {"x-gateway-destination-endpoint": "127.0.0.1:1", "X-Prefiller-Host-Port": "127.0.0.1:1",
                "x-data-parallel-host-port": "127.0.0.1:1", "x-serin-arm": "mine"}
    with walkthrough.client() as client:
        ask(client, model="travelhelper", headers={**steering, "x-harmless": "yes"})
    got = {name.lower(): value for name, value in walkthrough.sims("pool-base")[0].requests()[-1]["headers"].items()}
    assert got["x-harmless"] == "yes"
    assert not {name.lower() for name in steering} & set(got)
    assert got["x-request-id"] and got["x-forwarded-for"]


@pytest.fixture(scope="module")
def shares(shared_gateways):
    return shared_gateways([DATA / "shares"])


def test_invalid_arms_answer_500_and_empty_arms_503_in_proportion(shares):
    with shares.client() as client:
        answers = [client.post("/v1/chat/completions", json=chat()) for _ in range(100)]
    count = collections.Counter(answer.status_code for answer in answers)
    assert (count[200], count[503], count[500]) == (50, 30, 20)
    for answer in answers:
        if answer.status_code == 503:
            error_of(answer, 503, "no_endpoint")
            assert arm(answer) == "empty/mymodel" and int(answer.headers["retry-after"]) > 0
        if answer.status_code == 500:
            error_of(answer, 500, "broken_backend")


def test_an_arm_of_weight_0_gets_nothing(shares):
    with shares.client() as client:
        answers = [client.post("/weightless/v1/chat/completions", json=chat()) for _ in range(30)]
    assert set(arms(answers)) == {"good/mymodel"}


def test_a_rule_whose_weights_are_all_0_answers_500(shares):
    with shares.client() as client:
        error_of(client.post("/nobody", json=chat()), 500, "no_backend")


def test_the_arm_is_not_told_when_it_is_to_be_hidden(gateways):
    gateway = gateways([DATA / "walkthrough"], "--hide-arm")
    with gateway.client() as client:
        for model in ("mymodel", "travelhelper"):
            answer = client.post("/v1/chat/completions", json=chat(model))
            assert answer.status_code == 200
            assert "x-serin-arm" not in answer.headers
