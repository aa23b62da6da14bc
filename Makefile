# `make run` sets everything up and runs the quickstart; `make test` sets up and tests. Both may be run again at any time.

PYTHON ?= python3
# pip hands it on to isolated builds, which no --constraint reaches
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run test lint unit bench clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: setup ## Set up and apply the quickstart on the embedded engine
	$(BIN)/taskspec apply examples/quickstart --yes

test: setup lint unit ## Set up and run lint, types, import contracts and tests

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "taskspec needs Python 3.11 or newer as $(PYTHON); name another one with make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "$(PYTHON) lacks the venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup
	$(BIN)/python -m pytest -q -n auto --dist worksteal

bench: setup ## Compare with other tools, side by side (minutes; never in CI)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/noop.py 1000 10000

clean: ## Remove what was set up and everything derived
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
