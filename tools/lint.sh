#!/bin/sh
# clang-format, cppcheck and clang-tidy over the sources: tools/lint.sh BUILD_FOLDER
set -eu
build=$1
sources=$(git ls-files 'src/*.c' 'src/*.h' 'tests/*.c' 'tests/*.h' 'fuzz/*.c' 'bench/*.c')
echo "clang-format"
# shellcheck disable=SC2086
clang-format --dry-run -Werror $sources
echo "cppcheck"
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppressions-list=tests/lint/cppcheck.txt -D_GNU_SOURCE -DSERIN_VERSION='"lint"' -I src -j "$(nproc)" src
echo "clang-tidy"
git ls-files 'src/*.c' | xargs -P "$(nproc)" -n 8 clang-tidy --quiet -p "$build" --warnings-as-errors='*' 2>/dev/null
echo "lint: clean"
