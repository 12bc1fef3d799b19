# hapair: the commands of the README. `make setup` is called by the others and does nothing when all is there.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
PYTHON := .venv/bin/python
# The lab makes network namespaces and mounts: it wants root.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=CI)

.PHONY: setup run test lint bench simulate chaos worst-days crashes clean

setup:
	@./app/install/setup.sh

run: setup
	@exec $(AS_ROOT) $(PYTHON) -m tests.lab demo

lint: setup
	@.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/bandit --quiet --configfile pyproject.toml --recursive app jobs
	./app/install/npm.sh run lint
	./app/install/npm.sh run check

# Two processes: one for all that uses servers, one for the rest.
test: setup
	@$(AS_ROOT) $(PYTHON) -m pytest --numprocesses 2 --dist loadgroup

bench: setup
	@$(AS_ROOT) $(PYTHON) -m tests.bench

N ?= 10000
simulate: setup
	@$(PYTHON) -m tests.simulation --schedules $(N)

worst-days: setup
	@$(AS_ROOT) $(PYTHON) -m pytest tests/lab/worst_days.py

chaos: setup
	@$(AS_ROOT) $(PYTHON) -m tests.chaos $(CHAOS)

crashes: setup
	@$(AS_ROOT) $(PYTHON) -m tests.crashes --resume $(CRASHES)

clean:
	@rm -rf .venv frontend/node_modules frontend/dist build
