#!/bin/bash
# Ask PyPI's advisories about everything that uv.lock names. What could not be asked about fails too:
# no answer is no proof.
#
#   scripts/audit.sh VERSION_OF_PIP_AUDIT
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv

[ $# = 1 ] || { echo "usage: $0 VERSION_OF_PIP_AUDIT" >&2; exit 2; }
requirements=$(mktemp)
trap 'rm -f "$requirements"' EXIT
"$uv" export --quiet --locked --all-extras --all-groups --no-emit-project --output-file "$requirements"
if ! "$uv" tool run --quiet --from "pip-audit==$1" pip-audit --strict --disable-pip --require-hashes \
    --progress-spinner off --requirement "$requirements"; then
    echo "audit failed: upgrade what is named above (make lock UPGRADE=1)." \
        "A package 'not found on PyPI' means that its advisories cannot be reached from here" >&2
    exit 1
fi
