#!/usr/bin/env python3
"""docs/metrics.md is what src/observe/metrics.def says; --write makes it so."""
import pathlib
import re
import sys

DOC = pathlib.Path("docs/metrics.md")


def render() -> str:
    rows = re.findall(r'^X\((\w+), (\w+), "([^"]+)", "([^"]*)", "([^"]+)"\)', pathlib.Path(
        "src/observe/metrics.def").read_text(), re.M)
    lines = ["# Metrics", "", "From `src/observe/metrics.def`; served at `/metrics` of the admin listener.", "",
             "| name | type | labels | meaning |", "|---|---|---|---|"]
    for _, kind, name, labels, text in rows:
        lines.append(f"| `{name}` | {kind.lower()} | {labels.replace(',', ', ')} | {text} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    if "--write" in sys.argv:
        DOC.write_text(render())
        return 0
    if not DOC.exists() or DOC.read_text() != render():
        print("docs/metrics.md is stale: python3 tests/lint/check_metrics_doc.py --write")
        return 1
    print("docs: metrics.md is fresh")
    return 0


if __name__ == "__main__":
    sys.exit(main())
