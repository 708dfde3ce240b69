#!/usr/bin/env python3
"""A crowd of uploads and slow clients beside ordinary requests: memory, and what the ordinary ones cost meanwhile.

1,000 uploads of 60 MB that share 20 MB/s and 5,000 slow clients (heads and bodies a byte at a time, long answers read
by the spoon) come to a gateway with one worker and real model servers (`serin sim`), for a minute.  Slices of
ordinary requests (64 connections, each answer compared byte for byte) take turns with slices of the crowd alone,
whose share of the CPU is taken off; figures are lower quartiles, because neighbours on the machine only ever add.
Ends with 1 when resident memory exceeds the budget, or an ordinary request fails or costs more than 1.5 of the quiet
time before.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import crowd
from data_plane import prompt
from priority import set_priority
from targets import Load, Serin, ask

CROWD_PORT = 28290
SIMS = ("127.13.57.61", "127.13.57.62")
WORST_RATIO = 1.5
KEPT_MIB = 64  # for the next ones, when the crowd has left


def quartile(values):
    return round(statistics.quantiles(values, n=4)[0], 2)


class Gateway(Serin):
    """Serin with a budget, and the crowd's pool beside the ordinary one."""

    def __init__(self, binary, budget_mib):
        super().__init__("serin", 9, binary)
        self.budget_mib = budget_mib

    def command(self, folder, tools):
        more = self.fill(folder, "overload.yaml", CROWD_PORT=str(CROWD_PORT))
        return [*super().command(folder, tools), "-f", more, "--body-budget", str(self.budget_mib)]

    def cpu_ns(self):
        threads = pathlib.Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(path.read_text().split()[0]) for path in threads)

    def metrics(self):
        page = ask(("127.0.0.1", self.ports[1]), "/metrics", whole=True).decode()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in page.splitlines()
                if line.startswith(("serin_", "process_"))}


def start_sims(binary, folder):
    for ip in SIMS:
        command = [binary, "sim", "serve", "crowd", "--host", ip, "--port", str(CROWD_PORT), "--max-num-seqs", "4096",
                   "--max-model-len", "1000000", "--sim", "ttft=5ms,itl=50us,prefill=0ms,load-factor=1"]
        yield subprocess.Popen(command, stdout=(folder / "sims.log").open("ab"), stderr=subprocess.STDOUT)


class Scenario:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.gateway = Gateway(arguments.serin, arguments.budget_mib)
        self.load = Load(pathlib.Path(arguments.tools).resolve())
        (folder / "body.json").write_bytes(prompt(1024))
        self.peak_held = 0

    def ordinary(self):
        """The gateway's CPU time in a slice, and requests answered."""
        figures = self.load.run(self.gateway, kind="post", connections=64, warm_ms=30, body=self.folder / "body.json",
                                measure_ms=self.arguments.slice_ms)
        return figures["cpu_ns"], figures["answers"]

    def quiet(self):
        return [cpu_ns / 1000 / answers for cpu_ns, answers in (self.ordinary() for _ in range(self.arguments.quiet))]

    def alone(self):
        """The gateway's CPU time per second while only the crowd is there."""
        before, start = self.gateway.cpu_ns(), time.monotonic()
        time.sleep(self.arguments.slice_ms / 1000)
        return (self.gateway.cpu_ns() - before) / (time.monotonic() - start)

    def look(self):
        figures = self.gateway.metrics()
        self.peak_held = max(self.peak_held, figures["serin_memory_held_bytes"])
        return figures

    def crowded(self, control):
        """Slices until the time is over: (gross, net) microseconds per ordinary request."""
        wanted = self.arguments.uploads + self.arguments.slow
        end = time.monotonic() + self.arguments.seconds
        slices, told = [], {}
        while time.monotonic() < end or not slices:
            alone_ns = self.alone()
            cpu_ns, answers = self.ordinary()
            figures = self.look()
            control.send("tell")
            told = control.recv()
            if told["inside"] > wanted * 0.9:
                net_ns = cpu_ns - alone_ns * self.arguments.slice_ms / 1000
                slices.append((cpu_ns / 1000 / answers, net_ns / 1000 / answers))
            if self.arguments.verbose:
                print(f"  inside {told['inside']}, uploaded {told['upload_bytes'] >> 20} MiB, held "
                      f"{int(figures['serin_memory_held_bytes']) >> 20} MiB, resident "
                      f"{self.gateway.memory_kb() >> 10} MiB, crowd alone {alone_ns / 1e7:.1f} % CPU, "
                      f"ordinary {cpu_ns / 1000 / answers:.1f} us", file=sys.stderr)
            if time.monotonic() > end + 60:
                sys.exit(f"the crowd did not get in: {told}")
        return slices, told

    def run(self):
        self.gateway.start(self.folder, pathlib.Path(self.arguments.tools))
        self.ordinary()
        start_kb = self.gateway.memory_kb()
        quiet = self.quiet()
        ours, theirs = multiprocessing.Pipe()
        people = multiprocessing.Process(target=crowd.run, args=(self.gateway.address, self.arguments, theirs),
                                         daemon=True)
        people.start()
        try:
            slices, told = self.crowded(ours)
            open_connections = self.look()["serin_downstream_connections"]
        finally:
            ours.send("end")
            people.join(10)
            people.kill()
        peak_kb = self.gateway.memory_kb("VmHWM")
        return {
            "quiet_us": quartile(quiet), "crowded_us": quartile([gross for gross, _ in slices]),
            "net_us": quartile([net for _, net in slices]), "slices": len(slices), "start_mib": start_kb >> 10,
            "peak_mib": peak_kb >> 10, "budget_mib": self.arguments.budget_mib,
            "peak_held_mib": int(self.peak_held) >> 20, "connections": int(open_connections),
            "uploaded_mib": told["upload_bytes"] >> 20, "left": told["counts"], "after": self.after(start_kb),
        }

    def after(self, start_kb):
        """Everything is given back."""
        end = time.monotonic() + 60
        while time.monotonic() < end and (self.look()["serin_memory_held_bytes"] > 0
                                          or self.gateway.metrics()["serin_downstream_connections"] > 64):
            time.sleep(0.2)
        time.sleep(3)  # memory is given back by a timer
        figures = self.gateway.metrics()
        return {"held_bytes": int(figures["serin_memory_held_bytes"]), "resident_mib": self.gateway.memory_kb() >> 10,
                "quiet_us": quartile(self.quiet())}

    def stop(self):
        self.gateway.stop()
        self.load.stop()


def verdict(found):
    bad = []
    if found["peak_mib"] > found["budget_mib"]:
        bad.append(f"{found['peak_mib']} MiB resident at the peak, {found['budget_mib']} allowed")
    if found["net_us"] > WORST_RATIO * found["quiet_us"]:
        bad.append(f"an ordinary request costs {found['net_us'] / found['quiet_us']:.2f} of the quiet time")
    if found["after"]["held_bytes"] > 0:
        bad.append(f"{found['after']['held_bytes']} bytes are held after the crowd has left")
    if found["after"]["resident_mib"] > found["start_mib"] + KEPT_MIB:
        bad.append(f"{found['after']['resident_mib']} MiB are resident after the crowd has left")
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serin", default="build/serin")
    parser.add_argument("--tools", default="build/release", help="where bench_load is")
    parser.add_argument("--out", default="build/bench/overload.json")
    parser.add_argument("--uploads", type=int, default=1000)
    parser.add_argument("--upload-mb", type=int, default=60)
    parser.add_argument("--rate-mb", type=float, default=20, help="of all uploads together, per second")
    parser.add_argument("--slow", type=int, default=5000)
    parser.add_argument("--arrivals", type=int, default=500, help="per second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--budget-mib", type=int, default=512)
    parser.add_argument("--slice-ms", type=int, default=500)
    parser.add_argument("--quiet", type=int, default=10, help="slices before and after")
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    arguments.serin = os.path.abspath(arguments.serin)
    set_priority(arguments.nice)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        sims = list(start_sims(arguments.serin, pathlib.Path(folder)))
        scenario = Scenario(arguments, pathlib.Path(folder))
        try:
            found = scenario.run()
        finally:
            scenario.stop()
            for sim in sims:
                sim.kill()
                sim.wait()
    out = pathlib.Path(arguments.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))
    bad = verdict(found)
    print("\n".join(bad) if bad else f"within the budget; an ordinary request costs "
          f"{found['net_us'] / found['quiet_us']:.2f} of the quiet time ({found['crowded_us'] / found['quiet_us']:.2f} "
          f"with the crowd's own)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
