#!/usr/bin/env python3
"""A few seconds of the data plane's traffic through a binary that takes a profile of itself (make optimized).

Bodies of all sizes, answers and streams, with and without an access log; nothing is measured.
"""
import argparse
import pathlib
import tempfile

from data_plane import Bench, cases

SECONDS = {"post_1k": 2.5, "post_16k": 1, "post_200k": 0.7, "sse_500": 1.5, "sse_unpaced": 1.5}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--serin", required=True)
    parser.add_argument("--tools", required=True, help="where bench_load is")
    arguments = parser.parse_args()
    arguments.baseline, arguments.slice_ms = None, 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        try:
            bench.start(["serin", "serin_log"])
            for case, seconds in SECONDS.items():
                for name in ("serin", "serin_log") if case == "post_1k" else ("serin",):
                    bench.run(name, cases(arguments)[case][0], int(seconds * 1000))
        finally:
            bench.stop()
            bench.load.stop()
    if not any(pathlib.Path(arguments.serin).parent.rglob("*.gcda")):
        raise SystemExit("no profile was written")


if __name__ == "__main__":
    main()
