#!/usr/bin/env python3
"""Runs the micro benchmarks of picking, prints their figures as one table and writes them to --out.

Cold means: 16 MB of other memory were written since the last time, so that neither the L2 cache nor the TLB holds any of
it.  Between two picks a gateway does much less.
"""
import argparse
import json
import pathlib
import re
import subprocess

BENCHES = ("bench_pick", "bench_prefix_index", "bench_engine_metrics")


def number(text):
    return None if text == "-" else float(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benches", default="build/release/bench", help="where they are")
    parser.add_argument("--out", default="build/bench/micro.json")
    arguments = parser.parse_args()
    rows = []
    print("| bench | what | unit | warm | cold |\n|---|---|---|---|---|", flush=True)
    for bench in BENCHES:
        path = pathlib.Path(arguments.benches).resolve() / bench
        for line in subprocess.run([path], capture_output=True, text=True, check=True).stdout.splitlines():
            what, unit, warm, cold = re.split(r" {2,}", line.strip())
            rows.append({"bench": bench, "what": what, "unit": unit, "warm": number(warm), "cold": number(cold)})
            print(f"| {bench} | {what} | {unit} | {warm} | {cold} |", flush=True)
    path = pathlib.Path(arguments.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
