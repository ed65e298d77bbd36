# Two commands on a fresh machine (Python >= 3.11 and make): `make demo` and `make test`.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# Debian keeps mosquitto where a user's PATH does not look.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
# The five packages have everyday names; nothing outside the project may stand in for one of them.
export PYTHONSAFEPATH := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Without compiled files each of the tests' many processes would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
LOCKED := uv.lock pyproject.toml scripts/setup scripts/uv scripts/uv.txt
NODE_READY := tests/interop/node_modules/.package-lock.json
ARGS ?=

.PHONY: help demo test interop campaign check setup bench bench-doc energyplus lock dist clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' Makefile

demo: .venv/.ready-demo ## a simulated town, a broker and the daemon; make demo ARGS="--speed 1200 --for 2m"
	@$(BIN)/veilleuse demo $(ARGS)

test: .venv/.ready-test ## the tests, with a real mosquitto and mbpoll; make test ARGS="tests/schedules -x"
	@sh scripts/require mosquitto mosquitto_pub mosquitto_sub mbpoll
	@$(BIN)/python -m pytest -m "not long and not interop" -n 3 --dist loadfile $(ARGS)

interop: .venv/.ready-test $(NODE_READY) ## against libmodbus, mbpoll and a BACnet stack on Node that this project did not write
	@sh scripts/require cc libmodbus socat mbpoll node
	@$(BIN)/python -m pytest -m interop $(ARGS) tests/interop

campaign: .venv/.ready-test ## 100,000 hostile answers a bus, a million fuzzed frames a parser, a month without fault; prints its figures
	@$(BIN)/python -m pytest -m long -q -n 2 --dist load $(ARGS) tests/campaign tests/drivers tests/wired

check: .venv/.ready-test ## style, types, import contracts, the unit's exposure
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v systemd-analyze >/dev/null; then sh scripts/unit-score 1.5; else echo "unit not scored: no systemd-analyze here"; fi

bench: .venv/.ready-test ## the figures of docs/performance.md; make bench ARGS="whole-job --quick"
	@sh scripts/require mosquitto cc
	@$(BIN)/python -m bench $(ARGS)

bench-doc: .venv/.ready-bench ## docs/performance.md and its plot from the last figures of make bench
	@$(BIN)/python -m bench.page

energyplus: .venv/.ready-energyplus ## the core against EnergyPlus' school and its own schedules; make energyplus ARGS="--weather usa_co_denver"
	@$(BIN)/python -m bench.energyplus $(ARGS)

setup: .venv/.ready-test ## the environment for both, and nothing else

lock: .venv/.ready-test ## resolve the dependencies again; make lock ARGS="--upgrade"
	sh scripts/uv lock $(ARGS)

dist: .venv/.ready-demo ## dist/: the wheel, and its locked dependencies with their hashes
	@rm -rf dist
	sh scripts/uv build --quiet --wheel --out-dir dist
	sh scripts/uv export --quiet --frozen --no-dev --no-emit-project --output-file dist/requirements.txt

clean: ## remove the environment, caches and dist/
	rm -rf .venv dist tests/interop/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready-demo: $(LOCKED)
	@sh scripts/setup demo
	@touch $@

.venv/.ready-test: $(LOCKED)
	@sh scripts/setup test
	@touch .venv/.ready-demo $@

.venv/.ready-bench: $(LOCKED)
	@sh scripts/setup bench
	@touch .venv/.ready-demo .venv/.ready-test $@

.venv/.ready-energyplus: $(LOCKED)
	@sh scripts/setup energyplus
	@touch .venv/.ready-demo .venv/.ready-test $@

$(NODE_READY): tests/interop/package-lock.json
	@sh scripts/require node npm
	@npm ci --prefix tests/interop --ignore-scripts --no-audit --no-fund --silent
	@touch $@
