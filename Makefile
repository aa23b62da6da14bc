# `make run` sets everything up and runs the quickstart; `make test` sets up and tests. Both may be run again at any time.

PYTHON ?= python3
# pip hands it on to isolated builds, which no --constraint reaches
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
# the tests start the program thousands of times: it is compiled once
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# of the vendor; tests/conformance/locks has what each is made of
SDKS := 2.0.350 2.0.537

.DEFAULT_GOAL := help
.PHONY: help setup run test lint unit conformance crash stores soak bench docs clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

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
	$(BIN)/basedpyright
	$(BIN)/lint-imports

unit: setup
	$(BIN)/python -m pytest -q -n auto --dist worksteal --ignore tests/conformance

conformance: setup ## Provide the vendor's SDK (once) and run it against the engine
	$(BIN)/python tests/conformance/provisioning.py .conformance $(SDKS)
	TASKSPEC_SDKS="$(SDKS)" $(BIN)/python -m pytest -q -rs tests/conformance

# the first seed, and for how long to look for one that breaks something
SEED ?= 0
SECONDS ?= 600
KILLED ?= 200
EVERY ?= 1
DRAWN ?= 17500

crash: setup ## Kill applies: 100,000 scenarios in virtual time, 200 real processes (minutes)
	$(BIN)/python tests/crash/sweep.py --random $(DRAWN) --seed $(SEED) --every $(EVERY)
	$(BIN)/python tests/crash/processes.py --kills $(KILLED) --seed $(SEED)

# what every store of a state is tried with, and how much of it is enough for `make stores`
TRIED := tests/state/test_state_machine.py tests/state/test_state_kills.py tests/state/test_state_faults.py
EXAMPLES ?= 200
KILLS ?= 200
WRITES ?= 60

stores: setup ## Try every store of the state: any order of calls, 200 kills, lines that fail (minutes)
	STATE_EXAMPLES=$(EXAMPLES) STATE_KILLS=$(KILLS) STATE_WRITES=$(WRITES) \
	  $(BIN)/python -m pytest -q -n auto --dist worksteal $(TRIED)

soak: setup ## All of that for longer: SECONDS=600 of kills, then every store with 2,000 of them; SEED=0
	$(BIN)/python tests/crash/sweep.py --seconds $$(($(SECONDS) / 3)) --seed $(SEED)
	$(BIN)/python tests/crash/processes.py --seconds $$(($(SECONDS) / 3)) --seed $(SEED)
	$(BIN)/python tests/crash/contending.py --applies 50 --seconds $$(($(SECONDS) / 3))
	$(MAKE) stores EXAMPLES=1000 KILLS=2000 WRITES=500

bench: setup ## Compare with other tools, side by side (minutes; never in CI)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/noop.py 1000 10000
	$(BIN)/python benchmarks/growing.py
	$(BIN)/python benchmarks/recording.py
	$(BIN)/python benchmarks/validating.py
	$(BIN)/python benchmarks/stores.py
	$(BIN)/python benchmarks/throughput.py $(patsubst %,--sdk %,$(wildcard .conformance/*/bin/python))

docs: setup ## Build the documentation into site/; open site/index.html
	$(BIN)/python docs/make_site.py
	$(BIN)/python -m zensical build --strict --clean

clean: ## Remove what was set up and everything derived
	rm -rf $(VENV) .conformance .actionlint build dist site .cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
