#!/bin/bash
# Run a strong part of the tests with the oldest or the newest versions that pyproject.toml allows,
# on the oldest or the newest Python that is here, against the wheel that `make dist` has built.
#
#   scripts/check_versions.sh oldest|newest
#
# uv.lock has no say in it. The tests come from the sdist, without the package beside them, and the
# libraries that only they import are the newest in both. A warning is an error, but for the oldest
# versions' own notices that something will go.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD
uv=$checkout/.venv/bin/uv
TESTS=(
    store/test_load.py store/test_migrations.py
    exports/test_formats.py flows/test_import.py flows/test_fetch.py
    cli/test_help.py test_settings.py
    orchestration/test_chain.py
)

newest_python() { # on the path, or of pyenv
    local name found
    for name in python3.14 python3.13 python3.12 python3.11; do
        for found in "$(command -v "$name")" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/"$name"; do
            if "$found" -c '' 2>/dev/null; then echo "$found"; return; fi
        done
    done
    return 1
}

case "${1:-}" in
    oldest) resolution=lowest-direct python=3.11 warnings=(-W default::DeprecationWarning) ;;
    newest) resolution=highest python=$(newest_python) warnings=() ;;
    *) echo "usage: $0 oldest|newest" >&2; exit 2 ;;
esac

folder=$(mktemp -d "${TMPDIR:-/tmp}/check_versions.XXXXXX")
trap 'rm -rf "$folder"' EXIT

"$uv" venv --quiet --python "$python" "$folder/env"
"$uv" pip compile --quiet --no-annotate --no-header --resolution "$resolution" \
    --python "$folder/env" --extra embedded --output-file "$folder/versions.txt" pyproject.toml
"$uv" pip install --quiet --python "$folder/env" --requirement "$folder/versions.txt" \
    "tg-pipeline[embedded] @ file://$(ls "$checkout"/dist/*.whl)" --group "$checkout/pyproject.toml:test"
mkdir "$folder/tests"
tar -xzf dist/*.tar.gz -C "$folder/tests" --strip-components 1 --exclude '*/tg_pipeline'

echo "the $1 versions on $("$folder/env/bin/python" --version):"
paste -sd ' ' "$folder/versions.txt"
cd "$folder/tests"
"$folder/env/bin/python" -m pytest -q -p no:cacheprovider -m "not prove" -n "${WORKERS:-3}" \
    --dist worksteal "${warnings[@]}" "${TESTS[@]/#/tg_pipeline_tests/}"
