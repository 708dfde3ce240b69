"""Model servers that Serin did not start: declared as one labelled EndpointSlice, watched by health checks."""
import os
import signal

import pytest

from conftest import Load, Sim, ask, edit, loopback, until

HEALTH_INTERVAL_S = 0.2  # as data/hosts says
NOTICE_LIMIT_S = 3       # an interval, and what a busy machine adds


def arguments(ip, name):
    return ("serve", f"/models/{name}", "--served-model-name", "mymodel", "--host", ip, "--port", "8000", "--sim",
            "ttft=2ms,itl=1ms,prefill=0us")


@pytest.fixture
def hosts(sims, gateways, manifests):
    """Two model servers by hand and a gateway that knows them by one EndpointSlice."""
    first, second = loopback(), loopback()
    processes = {first: sims(*arguments(first, "Alpha-7B")), second: sims(*arguments(second, "Beta-7B"))}
    for ip in processes:
        until(lambda: Sim(f"{ip}:8000").state(), "the model server")
    gateway = gateways([manifests("hosts", FIRST=first, SECOND=second)], workloads="none").wait_endpoints(2)
    return gateway, processes


def is_healthy(gateway, ip):
    return next(e["healthy"] for e in gateway.endpoints() if e["address"] == f"{ip}:8000")


@pytest.mark.short
def test_both_hosts_of_the_slice_serve_the_pool(hosts):
    gateway, processes = hosts
    assert {e["address"] for e in gateway.endpoints()} == {f"{ip}:8000" for ip in processes}
    with gateway.client() as client:
        for _ in range(40):
            assert ask(client).headers["x-serin-arm"] == "gpu-hosts/mymodel"
    assert all(Sim(f"{ip}:8000").state()["requests"] > 0 for ip in processes)
    assert gateway.pids() == []


@pytest.mark.short
def test_a_host_that_stops_is_out_within_its_health_interval_and_back_by_itself(hosts, sims):
    gateway, processes = hosts
    stopped, stays = processes
    with Load(gateway, clients=2) as load:
        load.wait_answers(20)
        processes[stopped].terminate()
        processes[stopped].wait()
        until(lambda: not is_healthy(gateway, stopped), "the host to be taken out", NOTICE_LIMIT_S)
        load.wait_answers(20)
        assert gateway.metric("serin_pool_endpoints", pool="default/gpu-hosts", state="ready") == 1
        assert gateway.metric("serin_pool_endpoints", pool="default/gpu-hosts", state="all") == 2
        processes[stopped] = sims(*arguments(stopped, "Alpha-7B"))
        until(lambda: is_healthy(gateway, stopped), "the host to come back")
        until(lambda: Sim(f"{stopped}:8000").state()["requests"] > 0, "requests for the host that came back")
    assert load.failures == []


def test_a_host_that_was_killed_costs_nobody_a_request(hosts):
    gateway, processes = hosts
    victim, stays = processes
    with Load(gateway, clients=4) as load:
        load.wait_answers(40)
        processes[victim].kill()
        load.wait_answers(100)
        until(lambda: not is_healthy(gateway, victim), "the host to be taken out", NOTICE_LIMIT_S)
    assert load.failures == []


def test_a_host_that_hangs_is_taken_out_and_comes_back(hosts):
    gateway, processes = hosts
    hung, stays = processes
    os.kill(processes[hung].pid, signal.SIGSTOP)
    try:
        until(lambda: not is_healthy(gateway, hung), "the host to be taken out", 10)
        with gateway.client() as client:
            for _ in range(10):
                ask(client)
    finally:
        os.kill(processes[hung].pid, signal.SIGCONT)
    until(lambda: is_healthy(gateway, hung), "the host to come back")


def test_no_healthy_host_is_a_503_for_everyone_until_one_is_back(hosts, sims):
    gateway, processes = hosts
    for process in processes.values():
        process.kill()
        process.wait()
    for ip in processes:
        until(lambda: not is_healthy(gateway, ip), "the host to be taken out", NOTICE_LIMIT_S)
    with gateway.client() as client:
        answer = client.get("/v1/models")
        assert answer.status_code == 503 and answer.headers["x-serin-reason"] == "no_endpoint"
        ip = next(iter(processes))
        sims(*arguments(ip, "Alpha-7B"))
        until(lambda: is_healthy(gateway, ip), "the host to come back")
        ask(client)


def test_serin_leaves_the_hosts_processes_alone_when_it_ends(hosts):
    gateway, processes = hosts
    gateway.interrupt()
    assert gateway.process.wait(20) == 0
    assert all(process.poll() is None for process in processes.values())


def test_an_address_that_leaves_the_slice_is_no_endpoint_any_more(hosts):
    gateway, processes = hosts
    first, second = processes
    folder = gateway.command[gateway.command.index("-f") + 1]
    edit(f"{folder}/hosts.yaml", f"- addresses: [{second}]\n", "")
    gateway.wait_endpoints(1)
    edit(f"{folder}/hosts.yaml", f"- addresses: [{first}]\n", f"- addresses: [{first}]\n- addresses: [{second}]\n")
    gateway.wait_endpoints(2)
