"""A Canary's stickiness: the operator's keys, running conversations, pins; the same in every gateway."""
import json
import shutil

import pytest

from conftest import DATA, arm, arms, ask, content, edit_and_wait, events, until

BASE, CANDIDATE = "pool-base/mymodel", "pool-candidate/mymodel"
TOKEN = "let-me-in"


def manifests(folder):
    shutil.copytree(DATA / "walkthrough", folder)
    shutil.copy(DATA / "sticky.yaml", folder / "08-sticky.yaml")
    return folder


@pytest.fixture(scope="module")
def sticky(shared_gateways, tmp_path_factory):
    """The walkthrough with data/sticky.yaml, for all tests of this file."""
    folder = manifests(tmp_path_factory.mktemp("manifests") / "walkthrough")
    gateway = shared_gateways([folder])
    gateway.files = folder
    return gateway


KEYS = {
    "operator's header": lambda key: {"headers": {"x-user": key}},
    "operator's cookie": lambda key: {"headers": {"cookie": f"theme=dark; sid={key}"}},
    "session header": lambda key: {"headers": {"x-session-id": key}},
    "metadata.session_id": lambda key: {"metadata": {"session_id": key}},
    "user": lambda key: {"user": key},
    "safety_identifier": lambda key: {"safety_identifier": key},
}


@pytest.mark.short
@pytest.mark.parametrize("source", KEYS)
def test_each_source_of_a_key_gives_the_same_arm(sticky, source):
    keys = [f"user-{number}" for number in range(40)]
    with sticky.client() as client:
        by_source = [arm(ask(client, max_tokens=1, **KEYS[source](key))) for key in keys]
        again = [arm(ask(client, max_tokens=1, **KEYS[source](key))) for key in keys]
        by_header = [arm(ask(client, max_tokens=1, **KEYS["operator's header"](key))) for key in keys]
    assert by_source == again == by_header


def test_the_operators_header_goes_before_every_other_key(sticky):
    with sticky.client() as client:
        for number in range(20):
            wanted = arm(ask(client, max_tokens=1, headers={"x-user": f"u-{number}"}))
            for other in range(5):
                headers = {"x-user": f"u-{number}", "cookie": f"sid=c-{other}", "x-session-id": f"s-{other}"}
                assert arm(ask(client, max_tokens=1, headers=headers, user=f"b-{other}")) == wanted


def test_two_gateways_give_a_key_the_same_arm(sticky, gateways, tmp_path):
    other = gateways([manifests(tmp_path / "walkthrough")])
    keys = [KEYS[source](f"user-{number}") for source in KEYS for number in range(20)]
    # a running conversation that neither of them has seen
    turns = [{"messages": [{"role": "user", "content": f"I am {number}"}, {"role": "assistant", "content": "Hello"},
                           {"role": "user", "content": "Go on"}]} for number in range(60)]
    with sticky.client() as one, other.client() as two:
        assert [arm(ask(one, max_tokens=1, **key)) for key in keys] == [
            arm(ask(two, max_tokens=1, **key)) for key in keys]
        found = [arm(ask(one, max_tokens=1, **turn)) for turn in turns]
        assert found == [arm(ask(two, max_tokens=1, **turn)) for turn in turns]
    assert set(found) == {BASE, CANDIDATE}  # 60 conversations all in one arm: one time in 500


def test_first_turns_without_a_key_have_exact_shares_though_they_are_identical(sticky):
    with sticky.client() as client:
        answers = [ask(client, max_tokens=1, text="always the same") for _ in range(100)]
    assert 9 <= arms(answers)[CANDIDATE] <= 11


def said(answer, is_streamed):
    if not is_streamed:
        return content(answer)
    parts = [json.loads(data) for data in answer if data != "[DONE]"]
    return "".join(part["choices"][0]["delta"].get("content") or "" for part in parts if part["choices"])


class Conversation:
    """Talks on, turn by turn, without any key; every other one streams."""

    def __init__(self, client, number, model="mymodel"):
        self.client, self.model, self.is_streamed = client, model, number % 2 == 1
        self.messages = [{"role": "user", "content": f"I am visitor {number}. Who are you?"}]
        self.arms = []

    def turn(self):
        # Clients put the time of day into the system message: it is no part of the conversation.
        system = {"role": "system", "content": f"Turn {len(self.arms)}"}
        body = {"model": self.model, "messages": [system, *self.messages], "max_tokens": 30, "stream": self.is_streamed}
        with self.client.stream("POST", "/v1/chat/completions", json=body) as answer:
            assert answer.status_code == 200
            self.arms.append(arm(answer))
            if self.is_streamed:
                reply = said(events(answer), True)
            else:
                answer.read()
                reply = said(answer, False)
        assert reply
        self.messages += [{"role": "assistant", "content": reply}, {"role": "user", "content": "Tell me more."}]


@pytest.mark.short
def test_a_ramp_never_moves_a_running_conversation(sticky):
    file = sticky.files / "06-split.yaml"
    weights = [(90, 10), (75, 25), (50, 50), (0, 100), (100, 0), (90, 10)]
    with sticky.client() as client:
        running = [Conversation(client, number) for number in range(60)]
        for before, after in zip(weights, weights[1:]):
            for conversation in running:
                conversation.turn()
            for old, new in zip(("pool-base, weight: ", "pool-candidate, weight: "), zip(before, after)):
                if new[0] != new[1]:
                    edit_and_wait(sticky, file, f"{old}{new[0]}}}", f"{old}{new[1]}}}")
        for conversation in running:
            conversation.turn()
    assert all(len(conversation.arms) == len(weights) for conversation in running)
    assert [conversation.arms for conversation in running if len(set(conversation.arms)) > 1] == []
    assert 5 <= sum(conversation.arms[0] == CANDIDATE for conversation in running) <= 7
    assert sticky.metric("serin_arm_memory_entries", memory="conversations") >= 60
    assert sticky.metric("serin_split_draws_total", reason="conversation") >= 60


class Chain:
    """A conversation that the model server keeps: each turn names the response before.  Every other one streams."""

    def __init__(self, client, number):
        self.client, self.number, self.is_streamed = client, number, number % 2 == 1
        self.previous, self.arms, self.prompts = None, [], []

    def turn(self):
        body = {"model": "mymodel", "input": f"I am visitor {self.number}.", "max_output_tokens": 5,
                "previous_response_id": self.previous, "stream": self.is_streamed}
        with self.client.stream("POST", "/v1/responses", json=body) as answer:
            if self.is_streamed:
                told = [json.loads(data) for data in events(answer)] if answer.status_code == 200 else []
                response = told[-1]["response"] if told else {}
            else:
                answer.read()
                response = answer.json()
        # the other arm's server answers 404: it does not have the response before
        assert answer.status_code == 200, (self.arms, arm(answer))
        self.previous = response["id"]
        self.prompts.append(response["usage"]["input_tokens"])
        self.arms.append(arm(answer))


@pytest.mark.short
def test_a_ramp_never_moves_a_chain_of_responses(sticky):
    file = sticky.files / "06-split.yaml"
    weights = [(90, 10), (75, 25), (50, 50), (0, 100), (100, 0), (90, 10)]
    with sticky.client() as client:
        chains = [Chain(client, number) for number in range(60)]
        for before, after in zip(weights, weights[1:]):
            for chain in chains:
                chain.turn()
            for old, new in zip(("pool-base, weight: ", "pool-candidate, weight: "), zip(before, after)):
                if new[0] != new[1]:
                    edit_and_wait(sticky, file, f"{old}{new[0]}}}", f"{old}{new[1]}}}")
        for chain in chains:
            chain.turn()
        stranger = client.post("/v1/responses", json={"model": "mymodel", "input": "x", "previous_response_id": "resp_0"})
    assert [chain.arms for chain in chains if len(set(chain.arms)) > 1] == []
    assert 5 <= sum(chain.arms[0] == CANDIDATE for chain in chains) <= 7
    assert all(chain.prompts == sorted(set(chain.prompts)) for chain in chains)  # what was said before counts
    assert sticky.metric("serin_arm_memory_entries", memory="responses") >= 60
    assert sticky.metric("serin_split_draws_total", reason="response") >= 5 * 60
    assert stranger.status_code == 404 and stranger.json()["error"]["param"] == "previous_response_id"


def test_new_conversations_follow_the_weights(sticky):
    file = sticky.files / "06-split.yaml"
    with sticky.client() as client:
        old = [Conversation(client, 1000 + number) for number in range(20)]
        for conversation in old:
            conversation.turn()
        edit_and_wait(sticky, file, "pool-base, weight: 90}", "pool-base, weight: 0}")
        new = [Conversation(client, 2000 + number) for number in range(20)]
        for conversation in old + new:
            conversation.turn()
        edit_and_wait(sticky, file, "pool-base, weight: 0}", "pool-base, weight: 90}")
    assert all(conversation.arms[0] == CANDIDATE for conversation in new)
    assert all(conversation.arms[0] == conversation.arms[1] for conversation in old)
    assert any(conversation.arms[1] == BASE for conversation in old)


def test_a_conversation_stays_with_an_adapter_that_gets_no_new_ones(sticky):
    file = sticky.files / "07-adapter-split.yaml"
    target = "\n  - {name: travel-helper-v2, weight: 10}"
    with sticky.client() as client:
        running = [Conversation(client, 3000 + number, "travelhelper") for number in range(30)]
        for conversation in running:
            conversation.turn()
        edit_and_wait(sticky, file, target, "")
        for conversation in running:
            conversation.turn()
        late = [Conversation(client, 4000 + number, "travelhelper") for number in range(20)]
        for conversation in late:
            conversation.turn()
        pinned = ask(client, model="travelhelper", headers={"x-try-adapter": f"canary {TOKEN}"})
        edit_and_wait(sticky, file, "{name: travel-helper-v1, weight: 90}",
                      "{name: travel-helper-v1, weight: 90}" + target)
    first = [conversation.arms[0] for conversation in running]
    assert first == [conversation.arms[1] for conversation in running]
    assert first.count("pool-base/travel-helper-v2") == 3
    assert all(conversation.arms == ["pool-base/travel-helper-v1"] for conversation in late)
    assert arm(pinned) == "pool-base/travel-helper-v2"


def test_a_pin_goes_to_its_arm_and_needs_the_token(sticky):
    file = sticky.files / "06-split.yaml"
    with sticky.client() as client:
        for number in range(10):
            headers = {"x-try": f"canary {TOKEN}", "x-user": f"u-{number}"}
            assert arm(ask(client, max_tokens=1, headers=headers)) == CANDIDATE
            headers["x-try"] = f"stable {TOKEN}"
            assert arm(ask(client, max_tokens=1, headers=headers)) == BASE
        edit_and_wait(sticky, file, "pool-candidate, weight: 10}", "pool-candidate, weight: 0}")
        assert arm(ask(client, max_tokens=1, headers={"x-try": f"canary {TOKEN}"})) == CANDIDATE
        refused = sticky.metric("serin_split_pins_refused_total")
        for wrong in ("canary", "canary wrong", f"canary {TOKEN}x", f"other {TOKEN}", TOKEN):
            assert arm(ask(client, max_tokens=1, headers={"x-try": wrong})) == BASE
        assert sticky.metric("serin_split_pins_refused_total") == refused + 5
        # who names an adapter is not sent where there is none
        answer = ask(client, model="travel-helper-v1", max_tokens=1, headers={"x-try": f"canary {TOKEN}"})
        assert arm(answer) == "pool-base/travel-helper-v1"
        edit_and_wait(sticky, file, "pool-candidate, weight: 0}", "pool-candidate, weight: 10}")


def test_another_token_is_in_force_at_once(sticky):
    file = sticky.files / "08-sticky.yaml"
    with sticky.client() as client:
        edit_and_wait(sticky, file, f"token: {TOKEN}", "token: something-else")
        answers = [ask(client, max_tokens=1, headers={"x-try": f"canary {TOKEN}"}) for _ in range(10)]
        assert arms(answers)[BASE] >= 8
        assert arm(ask(client, max_tokens=1, headers={"x-try": "canary something-else"})) == CANDIDATE
        edit_and_wait(sticky, file, "token: something-else", f"token: {TOKEN}")


def test_an_abort_drops_pins_and_lets_go_of_conversations(gateways, tmp_path):
    gateway = gateways([manifests(tmp_path / "walkthrough")])
    with gateway.client() as client:
        running = [Conversation(client, 5000 + number) for number in range(20)]
        for conversation in running:
            conversation.turn()
        edit_and_wait(gateway, tmp_path / "walkthrough" / "06-split.yaml", "pool-candidate, weight: 10}",
                      "pool-candidate, weight: 0}")
        for conversation in running:
            conversation.turn()
        before = gateway.generation()
        gateway.kubectl("annotate", "canary", "candidate", "serin.dev/command=abort@1")
        until(lambda: gateway.kubectl.json("get", "canary", "candidate")["status"]["phase"] == "Aborted", "the abort")
        until(lambda: gateway.generation() > before, "the routes without it")
        for conversation in running:
            conversation.turn()
        pinned = ask(client, max_tokens=1, headers={"x-try": f"canary {TOKEN}"})
    assert all(conversation.arms[0] == conversation.arms[1] for conversation in running)
    assert any(conversation.arms[1] == CANDIDATE for conversation in running)
    assert all(conversation.arms[2] == BASE for conversation in running)
    assert arm(pinned) == BASE


def test_explain_says_what_decides(sticky, command, tmp_path):
    body = tmp_path / "body.json"
    where = ["--path", "/v1/chat/completions", "--body", body]
    body.write_text(json.dumps({"model": "mymodel", "user": "u-1"}))
    for source in (["-f", sticky.files], ["--admin", sticky.admin]):
        told = command("explain", *source, *where).stdout
        assert "sticky (Canary default/candidate): header X-User, cookie sid" in told
        assert "running conversations keep their arm" in told
        assert "decided by: the body's user (user)" in told
        assert "pins by header X-Try" in told and TOKEN not in told
        told = command("explain", *source, *where, "--header", f"x-try: canary {TOKEN}").stdout
        assert "decided by: asked for with a token" in told
        told = command("explain", *source, *where, "--header", "x-try: canary wrong").stdout
        assert "pin ignored" in told
    with sticky.client() as client:
        conversation = Conversation(client, 6000)
        conversation.turn()
    body.write_text(json.dumps({"model": "mymodel", "messages": conversation.messages}))
    told = command("explain", "--admin", sticky.admin, *where).stdout
    assert "decided by: the arm of the conversation's earlier turns" in told
    told = command("explain", "-f", sticky.files, *where).stdout
    assert "decided by: a running conversation of which nothing is remembered" in told
