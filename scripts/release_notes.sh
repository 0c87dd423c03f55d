#!/bin/bash
# Print the section of CHANGELOG.md that belongs to a tag; fail when the tag is not the version of
# pyproject.toml and CITATION.cff, or nobody wrote down what it brings.
#
#   scripts/release_notes.sh v0.1.0
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# = 1 ] || { echo "usage: $0 TAG" >&2; exit 2; }
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
if [ "$1" != "v$version" ]; then
    echo "the tag is $1, the version in pyproject.toml is $version: tag v$version, or change it" >&2
    exit 1
fi
if ! grep -qx "version: $version" CITATION.cff; then
    echo "CITATION.cff names another version than $version" >&2
    exit 1
fi
notes=$(awk -v heading="## [$version]" '
    /^## / {inside = index($0, heading) == 1; next}
    inside' CHANGELOG.md)
if [[ ! "$notes" =~ [^[:space:]] ]]; then
    echo "CHANGELOG.md has no section '## [$version]': write down what it brings" >&2
    exit 1
fi
printf '%s\n' "$notes"
