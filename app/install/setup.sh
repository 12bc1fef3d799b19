#!/usr/bin/env bash
# `make setup`: Debian packages, the virtual environment and the console are in place. What is there already is kept.
set -euo pipefail
cd "$(dirname "$0")/../.."

PACKAGES=(
    bind9 bind9-dnsutils chromium e2fsprogs fonts-dejavu-core iproute2 iputils-ping mariadb-backup mariadb-server
    nftables nginx-light openssh-client openssh-server procps python3-venv redis-server rsync shellcheck socat sysbench
    tini util-linux
)
SERVICE_GUARD=/usr/sbin/policy-rc.d

fail() {
    echo "hapair can't be set up here: $1" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    local missing=() package
    for package in "${PACKAGES[@]}"; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || fail "it needs the Debian packages ${missing[*]}, and there is no apt-get."
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "installing packages needs root; run it as root or install sudo."
    echo "Installing Debian packages: ${missing[*]}"
    # The lab starts its own servers: the packages must not start theirs on this machine.
    local guarded=no
    if [ ! -e "$SERVICE_GUARD" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$SERVICE_GUARD" >/dev/null
        as_root chmod 755 "$SERVICE_GUARD"
        guarded=yes
    fi
    local log status=0
    log=$(mktemp)
    { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || status=$?
    [ "$guarded" = no ] || as_root rm -f "$SERVICE_GUARD"
    [ "$status" = 0 ] || { tail -n 20 "$log" >&2; rm -f "$log"; fail "apt-get could not install the packages (above)."; }
    rm -f "$log"
}

install_environment() {
    local wanted
    wanted=$(sha256sum requirements.lock pyproject.toml | sha256sum)
    [ -e .venv/hapair-stamp ] && [ "$(cat .venv/hapair-stamp)" = "$wanted" ] && return
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "it needs Python 3.11 or newer; python3 is $(python3 --version)."
    echo "Installing the Python packages of requirements.lock into .venv"
    [ -x .venv/bin/python ] || python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
    echo "$wanted" >.venv/hapair-stamp
}

install_console() {
    local wanted
    # The help is a part of the documentation.
    wanted=$(find docs/console.md frontend -path frontend/node_modules -prune -o -path frontend/dist -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
    [ -e frontend/dist/.stamp ] && [ "$(cat frontend/dist/.stamp)" = "$wanted" ] && return
    echo "Building the console"
    ./app/install/npm.sh ci --no-audit --no-fund --loglevel=error
    ./app/install/npm.sh run build
    echo "$wanted" >frontend/dist/.stamp
}

install_packages
install_environment
install_console
