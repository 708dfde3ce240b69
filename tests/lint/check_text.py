#!/usr/bin/env python3
"""House rules that no compiler knows: an SPDX line and a banner in every C file, no unfinished markers, no long lines."""
import pathlib
import re
import subprocess
import sys


def check(path: pathlib.Path) -> list:
    lines = path.read_text(errors="replace").splitlines()
    bad = []
    if not lines or "SPDX-License-Identifier: Apache-2.0" not in lines[0]:
        bad.append(f"{path}:1: no SPDX line")
    if path.parts[0] == "src" and (len(lines) < 2 or not lines[1].startswith(f"/* {path.name}:")):
        bad.append(f"{path}:2: no banner `/* {path.name}: what it is`")
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            bad.append(f"{path}:{number}: unfinished")
        is_table_row = re.match(r'\s*(X\(|\{")', line)
        if len(line) > (140 if is_table_row else 120):
            bad.append(f"{path}:{number}: {len(line)} columns")
    return bad


def main() -> int:
    names = subprocess.run(["git", "ls-files", "src", "tests", "fuzz", "bench"], capture_output=True, text=True,
                           check=True).stdout.split()
    paths = [pathlib.Path(name) for name in names if name.endswith((".c", ".h", ".def"))]
    bad = [message for path in paths for message in check(path)]
    print("\n".join(bad) if bad else f"text: {len(paths)} files keep the house rules")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
