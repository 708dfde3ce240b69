#!/bin/sh
# Runs libFuzzer targets for some seconds each, JOBS of them at a time: tools/fuzz.sh FOLDER SECONDS [NAME]...
set -eu
folder=$1 seconds=$2
shift 2
[ $# -gt 0 ] || set -- $(cd "$folder" && ls | grep '^fuzz_' | grep -v '\.')
export folder seconds
printf '%s\n' "$@" | xargs -P "${JOBS:-1}" -I{} sh -c '
    work=$(mktemp -d)
    if "$folder/$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
        -artifact_prefix="$folder/" "$work" "fuzz/corpus/${1#fuzz_}" >"$work.log" 2>&1; then
        echo "$1, $seconds s: $(ls "$work" | wc -l) new paths, no finding"
        rm -rf "$work" "$work.log"
    else
        echo "$1: a finding"
        cat "$work.log"
        rm -rf "$work" "$work.log"
        exit 1
    fi' fuzz {} || { echo "fuzzing: findings, see above; the inputs are in $folder"; exit 1; }
echo "fuzzing: no finding"
