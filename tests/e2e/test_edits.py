"""Files edited while traffic runs: nothing fails, bad edits change nothing."""
import asyncio
import time

import pytest

from conftest import InParallel, Load, arms, ask, chat, edit, edit_and_wait, error_of, events, until, words

EDITS = 20
EDIT_PERIOD_S = 0.2
REQUEST_PERIOD_S = 0.02
STREAMS = 20


async def request_steadily(client, is_over, failures, done):
    async def one():
        try:
            answer = await client.post("/v1/chat/completions", json=chat())
            if answer.status_code != 200:
                failures.append(answer.text)
            done.append(answer)
        except Exception as failure:  # whatever it is, it is a failed request
            failures.append(repr(failure))

    tasks = []
    while not is_over.is_set():
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(REQUEST_PERIOD_S)
    await asyncio.gather(*tasks)


async def stream_steadily(client, is_over, failures, done):
    while not is_over.is_set():
        try:
            async with client.stream("POST", "/v1/chat/completions", json=chat(stream=True, max_tokens=300,
                                                                                ignore_eos=True)) as answer:
                datas = [line[6:] async for line in answer.aiter_lines() if line.startswith("data: ")]
            if answer.status_code != 200 or datas[-1] != "[DONE]" or len(words(datas)) != 300:
                failures.append(f"{answer.status_code} {datas[-1:]}")
            done.append(answer)
        except Exception as failure:
            failures.append(repr(failure))


def test_weights_edited_every_200_ms_under_50_requests_per_second_and_20_streams_fail_nothing(gateways, manifests):
    folder = manifests("walkthrough")
    gateway = gateways([folder])
    taken = gateway.metric("serin_reloads_total", result="taken")
    failures, answers, streams = [], [], []
    for sim in gateway.sims():
        sim.configure(itl="10ms")  # streams that last, and that this process can keep up with

    async def run():
        is_over = asyncio.Event()
        async with gateway.async_client() as client:
            tasks = [asyncio.create_task(request_steadily(client, is_over, failures, answers))]
            tasks += [asyncio.create_task(stream_steadily(client, is_over, failures, streams)) for _ in range(STREAMS)]
            weight = 90
            for number in range(EDITS):
                edit(folder / "06-split.yaml", f"weight: {weight}}}", f"weight: {50 + number}}}")
                weight = 50 + number
                await asyncio.sleep(EDIT_PERIOD_S)
            is_over.set()
            await asyncio.gather(*tasks)

    asyncio.run(run())
    assert failures == []
    assert len(answers) > EDITS * EDIT_PERIOD_S / REQUEST_PERIOD_S / 4 and len(streams) >= STREAMS
    assert gateway.metric("serin_reloads_total", result="taken") >= taken + EDITS
    assert gateway.metric("serin_reloads_total", result="refused") == 0
    assert set(arms(answers)) == {"pool-base/mymodel", "pool-candidate/mymodel"}


@pytest.fixture
def served(gateways, manifests):
    """The walkthrough from a folder that the test may edit."""
    folder = manifests("walkthrough")
    gateway = gateways([folder])
    gateway.files = folder
    return gateway


@pytest.mark.short
@pytest.mark.parametrize("old, new, said", [
    ("weight: 10}", "weight: -1}", "spec.rules[0].backendRefs[1].weight"),
    ("weight: 10}", "weigth: 10}", "spec.rules[0].backendRefs[1].weigth"),
    ("value: /}", "value: / ]", "06-split.yaml"),
], ids=["value", "field", "yaml"])
def test_a_bad_edit_is_reported_and_the_old_state_serves_on(served, old, new, said):
    generation = served.generation()
    edit(served.files / "06-split.yaml", old, new)
    until(lambda: served.metric("serin_reloads_total", result="refused") == 1, "the refusal")
    assert "06-split.yaml" in served.log_text() and said in served.log_text()
    assert served.generation() == generation
    with served.client() as client:
        assert arms(ask(client) for _ in range(10)) == {"pool-base/mymodel": 9, "pool-candidate/mymodel": 1}
        taken = served.metric("serin_reloads_total", result="taken")
        edit(served.files / "06-split.yaml", new, old)
        until(lambda: served.metric("serin_reloads_total", result="taken") == taken + 1, "the good edit")
        assert served.metric("serin_reloads_total", result="refused") == 1
        edit_and_wait(served, served.files / "06-split.yaml", "weight: 10}", "weight: 90}")
        assert 4 <= arms(ask(client) for _ in range(10))["pool-candidate/mymodel"] <= 6


def test_replicas_follow_the_edited_number(served):
    file = served.files / "01-base-deployment.yaml"
    with Load(served, clients=4) as load:
        load.wait_answers(20)
        edit(file, "replicas: 1", "replicas: 3")
        served.wait_endpoints(3, "pool-base")
        assert len(served.pids()) == 4
        load.wait_answers(60)
        edit(file, "replicas: 3", "replicas: 1")
        served.wait_endpoints(1, "pool-base")
        until(lambda: len(served.pids()) == 2, "the end of two model servers")
        load.wait_answers(20)
    assert load.failures == []


def test_a_pod_that_is_scaled_away_finishes_its_stream(served):
    file = served.files / "01-base-deployment.yaml"
    edit(file, "replicas: 1", "replicas: 2")
    served.wait_endpoints(2, "pool-base")
    sims = served.sims("pool-base")
    for sim in sims:
        sim.configure(itl="30ms")  # one that is ending takes no orders: its streams must be long by themselves

    def read():
        with served.client() as client:
            body = chat(model="travelhelper", stream=True, max_tokens=60, ignore_eos=True)
            with client.stream("POST", "/v1/chat/completions", json=body) as answer:
                return list(events(answer))

    with InParallel() as parallel:
        for _ in range(6):
            parallel(read)
        until(lambda: sum(sim.state()["running"] for sim in sims) == 6, "six streams")
        assert all(sim.state()["running"] for sim in sims)
        edit(file, "replicas: 2", "replicas: 1")
        until(lambda: len(served.endpoints("pool-base")) == 1, "one endpoint")
        assert len(served.pids()) == 3  # the one that is going still writes
        ends = parallel.results()
    assert all(len(words(end)) == 60 for end in ends)
    assert all(end[-1] == "[DONE]" for end in ends)
    until(lambda: len(served.pids()) == 2, "the end of the surplus model server")


def test_a_new_template_rolls_over_without_a_failed_request(served):
    file = served.files / "01-base-deployment.yaml"
    before = set(served.pids())
    with Load(served, clients=4) as load:
        load.wait_answers(20)
        edit(file, "Qwen-2.5-7B-Instruct", "Qwen-3-8B")

        def is_replaced():
            pids = set(served.pids())
            return len(pids) == 2 and pids != before

        until(is_replaced, "the new pod alone")
        load.wait_answers(20)
        with served.client() as client:
            assert "Qwen-3-8B" in ask(client, model="travelhelper").json()["choices"][0]["message"]["content"]
    assert load.failures == []


def test_a_file_that_goes_takes_its_objects_with_it(served):
    with served.client() as client:
        ask(client, model="travelhelper")
        generation = served.generation()
        text = (served.files / "07-adapter-split.yaml").read_text()
        (served.files / "07-adapter-split.yaml").unlink()
        until(lambda: served.generation() > generation, "the edit")
        assert client.post("/v1/chat/completions", json=chat(model="travelhelper")).status_code == 404
        generation = served.generation()
        (served.files / "07-adapter-split.yaml").write_text(text)
        until(lambda: served.generation() > generation, "the edit")
        ask(client, model="travelhelper")


def test_the_later_file_wins_and_without_it_the_earlier_one_counts(served):
    generation = served.generation()
    (served.files / "06-split.yaml").unlink()
    until(lambda: served.generation() > generation, "the edit")
    with served.client() as client:
        assert arms(ask(client) for _ in range(20)) == {"pool-base/mymodel": 20}
        error_of(client.get("/v1/models"), 404, "no_route")


def test_a_stream_outlives_the_route_that_it_came_by(served):
    sims = served.sims()
    for sim in sims:
        sim.hold("event", 2)
    with served.client() as client, client.stream("POST", "/v1/chat/completions", json=chat(stream=True)) as answer:
        arriving = events(answer)
        next(arriving)
        edit_and_wait(served, served.files / "06-split.yaml", "value: /}", "value: /elsewhere}")
        error_of(client.post("/v1/chat/completions", json=chat()), 404, "no_route")
        for sim in sims:
            sim.release()
        assert list(arriving)[-1] == "[DONE]"


def test_listeners_open_and_close_with_the_gateway_s_ports(served):
    file = served.files / "03-gateway.yaml"
    old = "- {name: http, protocol: HTTP, port: 8080}"
    with served.client() as first, served.client(8081) as second:
        ask(first)
        edit_and_wait(served, file, old, f"{old}\n  - {{name: more, protocol: HTTP, port: 8081}}")
        ask(first)
        # The route names the first listener; the second has none.
        answer = until(lambda: second.get("/v1/models"), "the new port")
        assert answer.status_code == 404
        edit_and_wait(served, served.files / "06-split.yaml", "{name: models, sectionName: http}", "{name: models}")
        ask(second)
        edit_and_wait(served, file, old, "")

        def is_closed():
            try:
                return first.get("/v1/models", headers={"connection": "close"}).status_code != 200
            except OSError:
                return True
            except Exception as failure:
                return "refused" in str(failure)

        until(is_closed, "the old port to close")
        ask(second)


def test_a_single_file_is_followed_as_well(gateways, manifests):
    file = manifests("two-gateways.yaml")
    gateway = gateways([file], workloads="none")
    with gateway.client(8081) as client:
        assert client.get("/a").status_code == 503
        edit_and_wait(gateway, file, "  - backendRefs:",
                      "  - matches: [{path: {type: Exact, value: /only}}]\n    backendRefs:")
        assert client.get("/a").status_code == 404 and client.get("/only").status_code == 503


def test_an_edit_is_in_force_soon(served):
    file = served.files / "06-split.yaml"
    started = time.monotonic()
    edit_and_wait(served, file, "weight: 90}", "weight: 89}")
    assert time.monotonic() - started < 5
