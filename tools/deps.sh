#!/bin/sh
# Installs the Debian packages that a step needs and that are missing: tools/deps.sh build|test|lint|bench
set -eu
build="build-essential cmake ninja-build pkg-config libjansson-dev libyaml-dev libxxhash-dev libpcre2-dev libcmocka-dev
libssl-dev libsqlite3-dev"
case "${1:-build}" in
build) wanted=$build ;;
test) wanted="$build curl python3-venv procps nodejs" ;;
lint) wanted="$build clang clang-tidy clang-format cppcheck libclang-rt-14-dev python3" ;;
bench) wanted="$build nginx libnginx-mod-http-lua lua-cjson haproxy linux-perf valgrind python3" ;;
*) echo "usage: tools/deps.sh build|test|lint|bench" >&2; exit 2 ;;
esac
missing=""
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
