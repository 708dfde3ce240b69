#!/bin/sh
# Fetches Debian's kubectl (1.20 in Debian 12) into a folder, without installing it, for the tests of old clients:
# tools/kubectl-1.20.sh build/tools/kubectl-1.20.  Once it is there nothing is fetched.  Where it cannot be had, this
# says so and succeeds: the tests that need it are skipped.
set -eu
folder="${1:?usage: tools/kubectl-1.20.sh FOLDER}"
[ ! -x "$folder/usr/bin/kubectl" ] || exit 0
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

fetch() {
    chmod 755 "$scratch"
    (cd "$scratch" && apt-get -qq -o APT::Sandbox::User=root download kubernetes-client 2>"$scratch/errors")
}

if ! fetch; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq || true
    fetch || { echo "no Debian kubectl for the tests of old clients: $(tail -n 1 "$scratch/errors")"; exit 0; }
fi
rm -rf "$folder"
mkdir -p "$folder"
dpkg -x "$scratch"/kubernetes-client_*.deb "$folder"
