#!/usr/bin/env python3
"""Includes point down only: compares the #include lines of src/ with the modules of CMakeLists.txt (layers.txt)."""
import pathlib
import re
import sys

PICTURE = """
                 gateway  cli  sim                 programs
     proxy      control                            features
         route        kube/api                     meaning (pure)
     inference  inference/{payload,schedule,scrape}
         http  ->  http/codec                      protocol
         net       observe
                base                               ground
"""


def main() -> int:
    allowed = {}
    for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
        module, uses = line.split(":")
        allowed[module] = set(uses.split()) | {module}
    bad = []
    for path in sorted(pathlib.Path("src").rglob("*.[ch]")):
        module = path.parent.relative_to("src").as_posix()
        if module == ".":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'#include "([^"]+)/[^/"]+"', line)
            if re.match(r'#include "[^/"]+"', line):
                bad.append(f"{path}:{number}: include by the path from src/")
            if include and include.group(1) not in allowed.get(module, set()):
                bad.append(f"{path}:{number}: {module} may not include {include.group(1)}")
    for line in bad:
        print(line)
    if bad:
        print(PICTURE)
    else:
        print(f"layers: {len(allowed)} modules, includes point down")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
