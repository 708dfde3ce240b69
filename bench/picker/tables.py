#!/usr/bin/env python3
"""The tables of docs/picker.md and docs/performance.md from the rows that bench_picker wrote (one file or more)."""
import collections
import json
import pathlib
import statistics
import sys

LOADS = (50, 80, 95)
OTHERS = ("random", "round-robin", "least-request")


def reference(workload):
    return "reference+lora" if workload == "lora" else "reference"


def read(paths):
    """(workload, load, policy) -> seed -> row, workloads in the order in which they come"""
    cases = collections.defaultdict(dict)
    for path in paths:
        for row in json.loads(pathlib.Path(path).read_text()):
            cases[row["workload"], row["load"], row["policy"]][row["seed"]] = row
    return cases


def ms(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def middle(rows, member):
    return statistics.median(row[member] for row in rows)


def pairs(cases, workload, load):
    """Rows of the reference and of Serin for the same seeds."""
    first, second = cases.get((workload, load, reference(workload)), {}), cases.get((workload, load, "serin"), {})
    seeds = sorted(first.keys() & second.keys())
    return [first[seed] for seed in seeds], [second[seed] for seed in seeds]


def ratios(first, second):
    return [b["ttft_p90_ms"] / a["ttft_p90_ms"] for a, b in zip(first, second)]


def print_all(cases, workloads):
    print("| workload | load | requests/s | reference p50 | p90 | Serin p50 | p90 | hits | p90 to the reference | seeds |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for workload in workloads:
        name = workload
        for load in LOADS:
            first, second = pairs(cases, workload, load)
            if not first:
                continue
            times = " | ".join(ms(middle(rows, f"ttft_{p}_ms")) for rows in (first, second) for p in ("p50", "p90"))
            hits = ", ".join(f"{middle(rows, 'hit_rate'):.3f}" for rows in (first, second))
            against = ratios(first, second)
            print(f"| {name} | {load} % | {first[0]['rate']:.1f} | {times} | {hits if hits[:5] != '0.000' else '-'} | "
                  f"{statistics.median(against):.2f} ({max(against):.2f}) | {len(against)} |")
            name = ""


def print_short(cases, workloads):
    print("\n| workload | " + " | ".join(f"{load} %" for load in LOADS) + " |\n|---|" + "---|" * len(LOADS))
    for workload in workloads:
        cells = [ratios(*pairs(cases, workload, load)) for load in LOADS]
        print(f"| {workload} | " + " | ".join(f"{statistics.median(cell):.2f} ({max(cell):.2f})" if cell else "-"
                                              for cell in cells) + " |")


def print_others(cases, workloads):
    print("\n| workload | " + " | ".join(OTHERS) + " | reference | Serin | goodput/s | ms per token |")
    print("|---|" + "---|" * (len(OTHERS) + 4))
    for workload in workloads:
        p90 = [cases.get((workload, 80, policy), {}) for policy in (*OTHERS, reference(workload), "serin")]
        first, second = pairs(cases, workload, 80)
        if first:
            print(f"| {workload} | " + " | ".join(ms(middle(c.values(), "ttft_p90_ms")) if c else "-" for c in p90) +
                  " | " + " | ".join(", ".join(f"{middle(rows, member):.1f}" for rows in (first, second))
                                     for member in ("goodput", "tpot_ms")) + " |")


def main():
    cases = read(sys.argv[1:] or ["build/bench/picker.json"])
    known = ["shared-prefix", "multi-turn", "lora", "rag-unique", "bursty", "heterogeneous", "small-fleet", "large-fleet"]
    workloads = [name for name in known if any(name == case[0] for case in cases)]
    print_all(cases, workloads)
    print_short(cases, workloads)
    print_others(cases, workloads)


if __name__ == "__main__":
    main()
