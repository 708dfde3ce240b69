#!/bin/sh
# Runs each libFuzzer target for some seconds: tools/fuzz.sh FOLDER SECONDS [NAME]...
set -eu
folder=$1 seconds=$2
shift 2
[ $# -gt 0 ] || set -- $(cd "$folder" && ls | grep '^fuzz_' | grep -v '\.')
for target in "$@"; do
    name=${target#fuzz_}
    work=$(mktemp -d)
    echo "== $target, $seconds s"
    "$folder/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
        -artifact_prefix="$folder/" "$work" "fuzz/corpus/$name"
    rm -rf "$work"
done
echo "fuzzing: no finding"
