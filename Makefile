# make demo      from nothing to a blocked rollout
# make test      lint, types, layers, tests (installs what is missing, Debian only)
# make test-all  what CI runs: the same with tests that take longer: servers that die, networks that fail
# make bench     how fast it is, beside its peers: docs/benchmarks.md (BENCH_ARGS="--help")
# make lint      the same without tests        make format   mend what can be mended
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet
CHECKED := safeguard tests
PYTEST_ARGS ?= -n 2 -m "not slow"
PYTEST_ALL_ARGS ?= -n 2
BENCH_ARGS ?=

.PHONY: demo test test-all bench lint format lock clean services

demo: $(VENV)/.installed
	$(BIN)/safeguard demo

test: lint services
	$(BIN)/pytest $(PYTEST_ARGS)

bench: $(VENV)/.installed-dev services
	PYTHONPATH=tests $(BIN)/python -m benchmarks $(BENCH_ARGS)

test-all: lint services
	$(BIN)/pytest $(PYTEST_ALL_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

services:
	.ci/install-test-servers

# The stamps are newer than what they were made from, so a second run installs nothing.
$(VENV)/.made:
	.ci/make-venv $(PYTHON) $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.installed

# Writes constraints.txt anew from the newest versions that fit pyproject.toml.
lock:
	.ci/lock $(PYTHON)

clean:
	rm -rf $(VENV) .safeguard build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find safeguard tests -name __pycache__ -type d -prune -exec rm -rf {} +
