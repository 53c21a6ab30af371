#!/usr/bin/env bash
# Tools of other implementations that some tests judge our output with: Go with its sumdb packages (tests/e2e/tests/interop).
# Installs them where it can, as root with apt-get; otherwise the tests say "skipped". Never fails.
set -u

packages="golang-go golang-golang-x-mod-dev"

if command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ]; then
    echo "Go and golang.org/x/mod: installed"
elif [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Go and golang.org/x/mod: skipped (not root, or no apt-get); interop tests with Go will be skipped"
else
    # shellcheck disable=SC2086 # a list of words
    if apt-get install --yes --no-install-recommends $packages >/dev/null 2>&1 ||
        { apt-get update >/dev/null 2>&1 && apt-get install --yes --no-install-recommends $packages >/dev/null 2>&1; }; then
        echo "Go and golang.org/x/mod: installed now ($packages)"
    else
        echo "Go and golang.org/x/mod: skipped (apt-get could not install them)"
    fi
fi
exit 0
