#!/usr/bin/env python3
"""docs/metrics.md, docs/reasons.md and docs/limits.md are what the tables in the sources say; --write makes it so."""
import pathlib
import re
import sys


LIMITS_TEXT = """
## Memory

`--body-budget MIB` (1024) is for all workers together: request bodies that are held, answers that clients do not take,
bodies that model servers do not take, heads that wait for their end. 4 KiB of each connection are not counted, nor what
a connection needs by itself: 0.6 KB idle, 6 KB with a stream, up to 16 KB with a request, all in all. The kernel's
buffers come on top; of what a client does not take it gets 128 KiB. What large bodies leave free is for connections and
small requests: resident memory stays below the budget while they need no more than that.

| held | what changes |
|---|---|
| more than half | a body passes on from 64 KiB, an answer waits from 16 KiB, a passing body from 16 KiB: less is kept, nothing is refused |
| more than 3/4 | a body of more than 64 KiB that would have to be held is a 413 `body_budget` with Retry-After; smaller ones go on |
| all | requests are a 503 `overloaded` with Retry-After before anything of them is kept |

## Fairness

One connection has no more of a turn of the event loop than 4 receives of 64 KiB (128 KiB of a long body), 16 pipelined
requests and one send; 16 connections are accepted at a time.

## Where they are counted

`serin_downstream_evictions_total`, `serin_bad_requests_total` and `serin_header_limit_hits_total` by reason (`too_many_connections`, `slow_request`,
`slow_reader`, ...), `serin_request_ends_total` (`overloaded`, ...), `serin_body_limit_hits_total` (`buffer`, `budget`),
`serin_memory_held_bytes` of `serin_memory_budget_bytes`, `serin_retries_refused_total`, `serin_upstream_connects_total`
(`failed`, `refused`), `serin_upstream_closes_total` (`idle`, `surplus`, `worn`).

Per Gateway or route, by policy: the buffer limit (ClientTrafficPolicy), timeouts of requests, of the first token and
between events, tries and their statuses (HTTPRoute, BackendTrafficPolicy). A request beyond `upstream-connections` does
not wait, and the endpoint is not blamed: what waits for a saturated pool is the picker's affair ([picker.md](picker.md)).
An endpoint's host that vanishes without a word is noticed after 30 s of silence (TCP keep-alive), however long the answer
may take.
"""


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


def limits() -> str:
    rows = table("src/gateway/limits.def", r'X\(\S+, "([^"]+)", "([^"]+)", \w+, [^"]+\s"([^"]+)",\s+"([^"]+)"\)')
    lines = ["# Limits", "", "From `src/gateway/limits.def`: `serin up --limit NAME=VALUE` sets one, for each worker.", "",
             "| name | default | of what | beyond it |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {default} | {meaning} | {then} |" for name, default, meaning, then in rows]
    return "\n".join(lines) + "\n" + LIMITS_TEXT


def main() -> int:
    stale = []
    for name, render in (("docs/metrics.md", metrics), ("docs/reasons.md", reasons),
                         ("docs/limits.md", limits)):
        path = pathlib.Path(name)
        if "--write" in sys.argv:
            path.write_text(render())
        elif not path.exists() or path.read_text() != render():
            stale.append(name)
    if stale:
        print(f"stale: {' '.join(stale)}; python3 tests/lint/check_docs.py --write")
    else:
        print("docs: metrics.md, reasons.md and limits.md are fresh")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
