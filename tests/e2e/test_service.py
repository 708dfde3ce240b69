"""What a service manager sees: readiness, the watchdog, log rotation, the end of descriptors."""
import os
import signal
import socket

import pytest

from conftest import DATA, loopback, until


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """A service manager's socket; the states that it was told."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(path)
        inbox.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        told = []

        def read():
            while True:
                try:
                    told.append(inbox.recv(4096).decode())
                except BlockingIOError:
                    return told

        yield read


@pytest.mark.short
def test_the_manager_hears_of_readiness_life_and_the_end(gateways, manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    served = gateways([DATA / "walkthrough"])
    until(lambda: manager().count("READY=1") == 1, "READY=1")
    until(lambda: manager().count("WATCHDOG=1") >= 3, "three signs of life")
    served.process.send_signal(signal.SIGTERM)
    served.process.wait()
    assert manager().count("READY=1") == 1 and manager()[-1] != "READY=1"
    assert "STOPPING=1" in manager()


def test_without_a_watchdog_there_are_no_signs_of_life(gateways, manager):
    gateways([DATA / "walkthrough"])
    until(lambda: "READY=1" in manager(), "READY=1")
    assert "WATCHDOG=1" not in manager()


def test_a_log_that_was_moved_away_is_begun_anew_on_sighup(gateways, tmp_path):
    log = tmp_path / "serin.log"
    served = gateways([DATA / "walkthrough"], "--log", str(log))
    assert "ready at" in log.read_text()
    log.rename(tmp_path / "serin.log.1")
    served.process.send_signal(signal.SIGHUP)
    until(log.exists, "the new log file")
    os.kill(served.process.pid, signal.SIGTERM)
    served.process.wait()
    assert "draining" in log.read_text()
    assert "draining" not in (tmp_path / "serin.log.1").read_text()


def test_a_gateway_whose_port_is_taken_serves_once_it_is_free(gateways):
    address = loopback()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((address, 8080))
        taken.listen()
        served = gateways([DATA / "walkthrough"], address=address, wait=False)
        until(lambda: "AddressNotUsable" in served.kubectl.run("get", "gateways", "-o", "yaml").stdout, "the refusal")
    until(lambda: served.read_output().count("ready\n") == 1, "ready")
