#!/usr/bin/env python3
"""What the data plane costs: CPU time per request and per event, next to nginx, HAProxy and a bare TCP relay.

Serin does its whole work (body scan, two draws, pick, model rewrite, metrics); nginx and HAProxy are plain proxies, and a
second nginx does in Lua what Serin does.  Targets take turns in short slices; the figure is the proxy's time on the CPU
by the kernel's accounting over what was answered in the slice, compared inside one round.  A second Serin shows the noise:
a case is valid when the median of its ratio to the first lies within 0.95..1.05.

Prints a table and writes it to --out.  Every answer is compared byte for byte; one wrong answer ends the run.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from priority import set_priority
from targets import Haproxy, Load, Nginx, NginxLua, Relay, Serin

GOALS = {  # must: to nginx, HAProxy, relay, nginx+Lua
    "post_1k": (0.80, 0.80, 1.35, 0.35), "post_16k": (0.90, 0.60, 1.50, 0.18), "post_200k": (1.10, 1.15, 1.65, 0.13),
    "sse_500": (0.93, 0.95, 1.12, None), "sse_2000": (0.93, 0.95, 1.12, None), "sse_unpaced": (0.90, 1.05, 1.05, None),
    "chat_400k": (None, None, 1.15, None),
}
SHORT = [case for case in GOALS if case != "chat_400k"]  # whose slices are short
REFERENCES = ("nginx", "haproxy", "relay", "nginx_lua")


def prompt(size, **more):
    """A chat of several turns in plain words, with line ends, quotes and letters beyond ASCII as people write them."""
    said = ["The deployment moved two of the nine replicas to the new image this morning.",
            "After that the p99 of the first token rose, but only for prompts beyond a few thousand words.",
            "She wrote: \"please look at the cache first, then at the scheduler\", and left for the café.",
            "Nothing in the logs of the engine explains it; the queue stayed short and the memory was fine.",
            "We compared both arms for an hour: the same share of errors, the same length of answers – no difference."]

    def body(length):
        text, messages, number = "", [], 0
        while sum(len(m["content"]) for m in messages) + len(text) < length:
            text += said[number % len(said)] + ("\n" if number % 3 == 2 else " ")
            number += 1
            if len(text) > 12000:
                messages.append({"role": "assistant" if len(messages) % 2 else "user", "content": text})
                text = ""
        messages.append({"role": "user", "content": text[:max(0, length - sum(len(m["content"]) for m in messages))]})
        return json.dumps({"messages": messages, "model": "chat", "max_tokens": 64, **more}, ensure_ascii=False,
                          separators=(",", ":")).encode()

    length = size
    while len(body(length)) > size:
        length -= max(1, (len(body(length)) - size) // 2)
    return body(length)


def cases(arguments):
    """name -> (options of the load, targets, milliseconds of a slice, the figure that is counted)."""
    slice_ms = arguments.slice_ms
    proxies = ["serin", "serin_aa", "nginx", "haproxy", "relay"]
    streaming = [*proxies, "serin_window"]
    post = {"kind": "post", "connections": 64, "warm_ms": 30}
    paced = {"kind": "paced", "period_ms": 50, "warm_ms": 150, "body": "stream.json"}
    return {
        "post_1k": ({**post, "body": "1k.json"}, [*proxies, "nginx_lua", "serin_log"], slice_ms, "answers"),
        "post_16k": ({**post, "body": "16k.json"}, [*proxies, "nginx_lua"], slice_ms, "answers"),
        "post_200k": ({**post, "body": "200k.json"}, [*proxies, "nginx_lua"], slice_ms, "answers"),
        "sse_500": ({**paced, "connections": 500}, streaming, 2 * slice_ms, "events"),
        "sse_2000": ({**paced, "connections": 2000}, streaming, 2 * slice_ms, "events"),
        # 20 requests/s, each with a long prompt and 1,000 events: what a gateway for chats really carries.
        "chat_400k": ({**paced, "connections": 200, "period_ms": 10, "events": 1000, "body": "400k.json"},
                      ["serin", "serin_aa", "relay"], 35 * slice_ms, "events"),
        "sse_unpaced": ({"kind": "unpaced", "connections": 64, "events": 50, "warm_ms": 30, "body": "stream.json"},
                        streaming, slice_ms, "events"),
    }


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, pathlib.Path(folder)
        self.tools = pathlib.Path(arguments.tools).resolve()
        second = arguments.baseline or arguments.serin
        targets = [Serin("serin", 0, arguments.serin), Serin("serin_aa", 1, second), Nginx("nginx", 2),
                   Haproxy("haproxy", 3), Relay("relay", 4), NginxLua("nginx_lua", 5, check="reencoded"),
                   Serin("serin_log", 6, arguments.serin, "--access-log", "access.log"),
                   Serin("serin_window", 7, arguments.serin, "--event-window", "1000")]
        self.targets = {target.name: target for target in targets}
        for name, size, more in (("1k", 1024, {}), ("16k", 16384, {}), ("200k", 204800, {}),
                                 ("400k", 409600, {"stream": True}), ("stream", 1024, {"stream": True})):
            (self.folder / f"{name}.json").write_bytes(prompt(size, **more))
        self.load = Load(self.tools)
        self.rows = []

    def start(self, names):
        for name in names:
            self.targets[name].start(self.folder, self.tools)

    def stop(self):
        for target in self.targets.values():
            target.stop()

    def run(self, name, options, slice_ms):
        options = {**options, "measure_ms": slice_ms, "body": self.folder / options["body"]}
        return self.load.run(self.targets[name], **options)

    def case(self, case):
        """Rounds until there are enough and the A/A pair is quiet, or --stretch times as many."""
        options, names, slice_ms, counted = cases(self.arguments)[case]
        for name in names:
            self.run(name, options, slice_ms)  # connections to the origin, warm code
        rounds, wanted, most = [], self.arguments.pairs, int(self.arguments.pairs * self.arguments.stretch)
        if case not in SHORT:
            wanted, most = max(2, wanted // 4), max(2, most // 4)
        while len(rounds) < wanted or (len(rounds) < most and not is_valid(rounds)):
            shift = len(rounds) % len(names)
            figures = {}
            for name in names[shift:] + names[:shift]:
                figures[name] = self.run(name, options, slice_ms)
                figures[name]["us"] = figures[name]["cpu_ns"] / 1000 / figures[name][counted]
            rounds.append(figures)
            if sys.stderr.isatty() or self.arguments.verbose:
                print(f"  {case} {len(rounds)}: " + ", ".join(f"{name} {figures[name]['us']:.2f}" for name in names),
                      file=sys.stderr)
        for name in names:
            self.rows.append(row(case, name, names, rounds))
        check_split(case, rounds)

    def start_warm(self, name):
        """Some requests were answered: tables that are there once for all connections have their memory."""
        self.start([name])
        anon_kb = self.targets[name].memory_kb("RssAnon")
        self.run(name, {"kind": "post", "connections": 64, "warm_ms": 100, "body": "1k.json"}, 200)
        return anon_kb

    def memory(self):
        """Each target alone and fresh: at start, after some requests, per idle connection and per stream beyond that."""
        found = {}
        for name in ("serin", "nginx", "haproxy", "relay"):
            target = self.targets[name]
            anon_kb = self.start_warm(name)
            warm_kb, warm_anon_kb = target.memory_kb(), target.memory_kb("RssAnon")
            idle_kb = self.run(name, {"kind": "idle", "connections": 5000, "body": "1k.json"}, 500)["rss_kb"]
            target.stop()
            self.start_warm(name)
            before_kb = target.memory_kb()
            streams_kb = self.run(name, {"kind": "paced", "connections": 2000, "period_ms": 50, "warm_ms": 500,
                                         "body": "stream.json"}, 500)["rss_kb"]
            target.stop()
            found[name] = {"start_anon_kb": anon_kb, "warm_anon_kb": warm_anon_kb,
                           "idle_connection_bytes": round((idle_kb - warm_kb) * 1024 / 5000),
                           "stream_kb": round((streams_kb - before_kb) / 2000, 2)}
        return found

    def system_calls(self):
        """Per request or event, set-up of the connections included; None where the kernel does not count."""
        found = {}
        for case in ("post_1k", "post_200k", "sse_500"):
            options, names, _, counted = cases(self.arguments)[case]
            for name in names:
                # Where the load tool is not fast enough the proxy waits more often: the least of some counts.
                counts = [self.count_calls(name, options, "all_" + counted) for _ in range(self.arguments.counts)]
                found.setdefault(name, {})[case] = min(counts) if None not in counts else None
        return found

    def count_calls(self, name, options, counted):
        pid = self.targets[name].pid
        counting = subprocess.Popen(["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", str(pid)],
                                    stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        # Of streams longer, so that their set-up counts for little.
        figures = self.run(name, options, 700 if options["kind"] == "post" else 3000)
        counting.send_signal(2)
        found = re.search(r"^(\d+),", counting.communicate()[1], re.M)
        return round(int(found[1]) / figures[counted], 2) if found else None


def ratios(rounds, name, to):
    return [figures[name]["us"] / figures[to]["us"] for figures in rounds if to in figures]


def is_valid(rounds):
    return 0.95 <= statistics.median(ratios(rounds, "serin_aa", "serin")) <= 1.05


def row(case, name, names, rounds):
    figures = [figures[name] for figures in rounds]
    made = {"case": case, "target": name, "pairs": len(rounds), "is_valid": is_valid(rounds),
            "cpu_us": round(statistics.median(f["us"] for f in figures), 2),
            "p50_us": statistics.median(f["p50_us"] for f in figures),
            "p99_us": statistics.median(f["p99_us"] for f in figures),
            "rss_kb": max(f["rss_kb"] for f in figures),
            "load_core": round(statistics.median(f["load_cpu"] for f in figures), 2)}
    for to in (*REFERENCES, "serin"):
        if to in names and to != name:
            values = sorted(ratios(rounds, name, to))
            made[f"ratio_to_{to}"] = round(statistics.median(values), 3)
            made[f"spread_to_{to}"] = [round(values[len(values) // 10], 3), round(values[-1 - len(values) // 10], 3)]
    return made


def check_split(case, rounds):
    """90/10, or the answers were not what the configuration asks for."""
    first = sum(figures["serin"]["models"][1] for figures in rounds)
    second = sum(figures["serin"]["models"][2] for figures in rounds)
    if abs(second / (first + second) - 0.1) > 0.01:
        sys.exit(f"{case}: {first} to {second} is not the split of the InferenceModel")


def cell(made, to):
    if f"ratio_to_{to}" not in made:
        return "-"
    low, high = made[f"spread_to_{to}"]
    goal = GOALS[made["case"]][REFERENCES.index(to)] if made["target"] == "serin" and to in REFERENCES else None
    must = f", must {goal:.2f}" if goal else ""
    return f"{made[f'ratio_to_{to}']:.2f} ({low:.2f}..{high:.2f}{must})"


def print_rows(rows):
    print("| case | target | to nginx | to HAProxy | to relay | to nginx+Lua | to serin | CPU us | p50 us | p99 us | RSS KB |"
          " pairs |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for made in rows:
        cells = [cell(made, to) for to in (*REFERENCES, "serin")]
        print(f"| {made['case']} | {made['target']} | {' | '.join(cells)} | {made['cpu_us']} | {made['p50_us']:.0f} | "
              f"{made['p99_us']:.0f} | {made['rss_kb']} | {made['pairs']}{'' if made['is_valid'] else ' INVALID'} |")


def print_extra(extra):
    names = [name for name in extra["memory"]]
    print("\n| absolute | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for what in extra["memory"]["serin"]:
        print(f"| {what} | " + " | ".join(str(extra["memory"][name][what]) for name in names) + " |")
    for case in extra["system_calls"].get("serin", {}):
        print(f"| system calls, {case} | " +
              " | ".join(str(extra["system_calls"][name].get(case)) for name in names) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serin", default="build/serin")
    parser.add_argument("--baseline", help="another build to compare with, in the place of the A/A one")
    parser.add_argument("--tools", default="build/release", help="where bench_load and bench_relay are")
    parser.add_argument("--out", default="build/bench/data-plane.json")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--stretch", type=float, default=2, help="so many times the pairs when A/A is not quiet")
    parser.add_argument("--counts", type=int, default=3, help="of system calls, of which the least is taken")
    parser.add_argument("--slice-ms", type=int, default=300)
    parser.add_argument("--cases", default=",".join(GOALS), help="with commas between, or \"short\"")
    parser.add_argument("--no-extra", action="store_true", help="neither memory nor system calls")
    parser.add_argument("--nice", type=int, default=0, help="-20..19, on a machine that others use too")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    set_priority(arguments.nice)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        extra = {"memory": {}, "system_calls": {}}
        try:
            if not arguments.no_extra:
                extra["memory"] = bench.memory()
            bench.start(bench.targets)
            for case in SHORT if arguments.cases == "short" else arguments.cases.split(","):
                bench.case(case)
            if not arguments.no_extra:
                extra["system_calls"] = bench.system_calls()
        finally:
            bench.stop()
            bench.load.stop()
    print_rows(bench.rows)
    if extra["memory"]:
        print_extra(extra)
    out = pathlib.Path(arguments.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"rows": bench.rows, **extra}, indent=1))


if __name__ == "__main__":
    main()
