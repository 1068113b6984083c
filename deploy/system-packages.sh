#!/usr/bin/env bash
# Installs what some tests need beyond Python: PostgreSQL's server programs, Chromium,
# a display in memory and a window manager.
# Never fails: what cannot be installed is named in one line, and its tests are skipped.
set -euo pipefail

refreshed=no

have_postgresql() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

have_chromium() {
    local name
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        if command -v "$name" >/dev/null; then return 0; fi
    done
    return 1
}

# Short time limits: without a network apt-get would wait for minutes. Runlevel 1 keeps
# the package from starting a database server of its own.
quiet_apt_get() {
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq \
        -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=60 \
        "$@" 2>&1 >/dev/null
}

install() {
    local package=$1 problem
    if [ "$(id -u)" -ne 0 ]; then
        echo "skipped $package: installing it needs root (apt-get install $package)"
    elif ! command -v apt-get >/dev/null; then
        echo "skipped $package: this system has no apt-get; install it by hand"
    else
        [ "$refreshed" = yes ] || quiet_apt_get update >/dev/null || true
        refreshed=yes
        problem=$(quiet_apt_get install --yes --no-install-recommends "$package") ||
            echo "skipped $package: apt-get failed: ${problem##*$'\n'}"
    fi
}

have_postgresql || install postgresql
have_chromium || install chromium
command -v Xvfb >/dev/null || install xvfb
command -v openbox >/dev/null || install openbox
