#!/usr/bin/env bash
# Runs npm for the console, with this machine's Node.js or, where there is none or an old one, with that of a PyPI wheel.
set -euo pipefail
cd "$(dirname "$0")/../.."
NODE_MAJOR_MINIMUM=20

major=$(node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/' || true)
if [ "${major:-0}" -lt "$NODE_MAJOR_MINIMUM" ] || ! command -v npm >/dev/null; then
    [ -x .venv/bin/npm ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement app/install/node.lock
    export PATH="$PWD/.venv/bin:$PATH"
fi
cd frontend
exec npm "$@"
