#!/usr/bin/env python3
"""What picking adds to a request: CPU time of Serin with its default picker next to one whose pool draws at random.

Both stand before the same model servers (--endpoints addresses of one bench_load) and take turns; the figure is the
ratio of their CPU time per request inside one round, 1 KB and 200 KB bodies.  A second random one shows the noise.  With
--instructions both run under callgrind instead, which counts what does not depend on the machine's load: user
instructions per request, the kernel's not among them.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from data_plane import prompt
from priority import set_priority
from targets import LOAD_CORE, ORIGIN, Load, Serin

ORIGIN_PORT = 28500

RANDOM = """{name: chat, annotations: {serin.dev/picker: "{apiVersion: llm-d.ai/v1alpha1, kind: EndpointPickerConfig,
  plugins: [{type: random-picker}]}"}}"""
SIZES = {"1k": 1024, "200k": 204800}


class Fleet(Load):
    """Answers at every address of the machine."""

    def __init__(self, tools):
        self.process = subprocess.Popen(
            ["taskset", "-c", str(LOAD_CORE), str(tools / "bench_load"), f"0.0.0.0:{ORIGIN_PORT}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Picking(Serin):
    """Before several servers, with the default picker or without one."""

    def __init__(self, name, number, binary, endpoints, is_random, tool):
        super().__init__(name, 20 + number, binary)
        self.endpoints, self.is_random, self.tool = endpoints, is_random, tool

    def fill(self, folder, name, **more):
        path = pathlib.Path(super().fill(folder, name, ORIGIN_PORT=str(ORIGIN_PORT), **more))
        text = path.read_text()
        hosts = ", ".join("{addresses: [127.13.57.%d]}" % (100 + i) for i in range(self.endpoints))
        text = text.replace("endpoints: [{addresses: [%s]}]" % ORIGIN[0], f"endpoints: [{hosts}]")
        if self.is_random:
            text = text.replace("kind: InferencePool\nmetadata: {name: chat}", f"kind: InferencePool\nmetadata: {RANDOM}")
        path.write_text(text)
        return str(path)

    def command(self, folder, tools):
        return [*self.tool, *super().command(folder, tools)]


def compare(targets, load, folder, arguments):
    """Ratios to the random one, in rounds."""
    found = {}
    for size in SIZES:
        options = {"kind": "post", "connections": 64, "warm_ms": 30, "measure_ms": arguments.slice_ms,
                   "body": folder / f"{size}.json"}
        rounds = []
        for number in range(arguments.pairs + 1):
            names = list(targets)[number % 3:] + list(targets)[:number % 3]
            figures = {name: load.run(targets[name], **options) for name in names}
            rounds.append({name: f["cpu_ns"] / 1000 / f["answers"] for name, f in figures.items()})
        for name in ("picking", "random_aa"):  # the first round warms up
            ratios = [r[name] / r["random"] for r in rounds[1:]]
            found[f"{size}_{name}"] = {"ratio": round(statistics.median(ratios), 3),
                                       "us": round(statistics.median(r[name] for r in rounds[1:]), 2)}
    return found


def instructions(target, load, folder, size, requests_ms):
    """Per request, from one dump of callgrind to the next."""
    options = {"kind": "post", "connections": 8, "warm_ms": 30, "measure_ms": requests_ms, "body": folder / f"{size}.json"}
    load.run(target, **options)
    subprocess.run(["callgrind_control", "-z", str(target.pid)], capture_output=True, check=True)
    answers = load.run(target, **options)["all_answers"]
    subprocess.run(["callgrind_control", "-d", str(target.pid)], capture_output=True, check=True)
    dumps = sorted((folder / target.name).glob("callgrind.out.*"), key=os.path.getmtime)
    return sum(int(count) for count in re.findall(r"^totals: (\d+)", dumps[-1].read_text(), re.M)) / answers


def count(targets, load, folder, arguments):
    found = {}
    for size in SIZES:
        counts = {name: instructions(targets[name], load, folder, size, arguments.slice_ms)
                  for name in ("random", "picking")}
        found[size] = {**{name: round(value) for name, value in counts.items()},
                       "ratio": round(counts["picking"] / counts["random"], 3)}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serin", default="build/serin")
    parser.add_argument("--tools", default="build/release", help="where bench_load is")
    parser.add_argument("--endpoints", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--slice-ms", type=int, default=200)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--instructions", action="store_true")
    arguments = parser.parse_args()
    set_priority(arguments.nice)
    tools = pathlib.Path(arguments.tools).resolve()
    tool = ["valgrind", "-q", "--tool=callgrind"] if arguments.instructions else []
    with tempfile.TemporaryDirectory() as name:
        folder, load = pathlib.Path(name), Fleet(tools)
        targets = {name: Picking(name, number, arguments.serin, arguments.endpoints, name != "picking", tool)
                   for number, name in enumerate(("picking", "random", "random_aa"))}
        for size, length in SIZES.items():
            (folder / f"{size}.json").write_bytes(prompt(length))
        try:
            for target in targets.values():
                target.start(folder, tools)
            found = (count if arguments.instructions else compare)(targets, load, folder, arguments)
        finally:
            for target in targets.values():
                target.stop()
            load.stop()
    for name, figures in found.items():
        print(f"{name:20} {json.dumps(figures)}")


if __name__ == "__main__":
    main()
