#!/usr/bin/env python3
"""docs/metrics.md and docs/reasons.md are what the tables in the sources say; --write makes it so."""
import pathlib
import re
import sys


def table(path: str, pattern: str) -> list:
    text = re.sub(r"\s*\\\n\s*", " ", pathlib.Path(path).read_text())
    return [tuple(part.replace('\\"', '"') for part in row) for row in re.findall(pattern, text)]


def metrics() -> str:
    rows = table("src/observe/metrics.def", r'X\(\w+, ([A-Z]+)(?:_US|_FINE|_SIZE)?, "([^"]+)", "([^"]*)", "([^"]+)"\)')
    aliases = table("src/observe/metric_aliases.def", r'X\((\w+), "([^"]+)"\)')
    names = dict(table("src/observe/metrics.def", r'X\((\w+), [A-Z_]+, "([^"]+)"'))
    lines = ["# Metrics", "", "From `src/observe/metrics.def`; served at `/metrics` of the admin listener.", "",
             "| name | type | labels | meaning |", "|---|---|---|---|"]
    for kind, name, labels, text in rows:
        lines.append(f"| `{name}` | {kind.lower()} | {labels.replace(',', ', ')} | {text} |")
    lines += ["", "Second names, for dashboards made for the Gateway API Inference Extension:", "", "| name | same as |",
              "|---|---|"]
    lines += [f"| `{alias}` | `{names[metric]}` |" for metric, alias in aliases]
    return "\n".join(lines) + "\n"


def reasons() -> str:
    text = r'"((?:[^"\\]|\\.)+)"'
    ends = table("src/proxy/end_reason.def", rf'X\(\w+, "(\w+)", (\d+), {text}\)')
    scan = table("src/inference/payload/openai_scan.h", rf'X\(\w+, "(\w+)", {text}\)')
    codec = table("src/http/codec/h1_parse.h", rf'X\(\w+, (\d+), "(\w+)", {text}\)')
    rows = [(status, reason, says) for reason, status, says in ends if status != "0"]
    rows += [("400", reason, says) for reason, says in scan]
    rows += [row for row in codec if row[1] != "bad_status_line"]  # of responses only
    rows += [("408", "slow_request", "the request head or body took too long"),
             ("503", "too_many_connections", "too many connections are open")]
    lines = ["# Reasons", "",
             "Errors that the gateway makes are JSON, `{\"error\":{\"message\",\"type\",\"param\",\"code\"}}`, with the reason as",
             "`code` and in the header `x-serin-reason`. Errors of model servers pass as they are.", "",
             "| status | reason | meaning |", "|---|---|---|"]
    lines += [f"| {status} | `{reason}` | {says} |" for status, reason, says in sorted(rows, key=lambda row: row[0])
              if reason != "bad_body"]
    lines += ["", "An exchange that ends after its response began has no status of its own; the metric",
              "`serin_request_ends_total` counts it:", "", "| reason | meaning |", "|---|---|"]
    lines += [f"| `{reason}` | {says} |" for reason, status, says in ends if status == "0"]
    return "\n".join(lines) + "\n"


def main() -> int:
    stale = []
    for name, render in (("docs/metrics.md", metrics), ("docs/reasons.md", reasons)):
        path = pathlib.Path(name)
        if "--write" in sys.argv:
            path.write_text(render())
        elif not path.exists() or path.read_text() != render():
            stale.append(name)
    if stale:
        print(f"stale: {' '.join(stale)}; python3 tests/lint/check_docs.py --write")
    else:
        print("docs: metrics.md and reasons.md are fresh")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
