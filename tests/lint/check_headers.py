#!/usr/bin/env python3
"""Every header compiles alone and has an include guard named after its path."""
import concurrent.futures
import pathlib
import re
import subprocess
import sys

FLAGS = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Isrc", "-x", "c"]


def check(path: pathlib.Path) -> str:
    guard = re.sub(r"[/.]", "_", path.relative_to("src").as_posix()).upper()
    if f"#ifndef {guard}\n#define {guard}\n" not in path.read_text():
        return f"{path}: the include guard must be {guard}"
    done = subprocess.run(FLAGS + [str(path)], capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{path}: does not compile alone\n{done.stderr}"


def main() -> int:
    headers = sorted(pathlib.Path("src").rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bad = [message for message in pool.map(check, headers) if message]
    print("\n".join(bad) if bad else f"headers: {len(headers)} stand alone")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
