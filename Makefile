# Everything runs from .venv, which the targets make themselves; `make help` lists them.
# Needs Python 3.11 or newer, git and make; test-kafka also needs Java 17 and Maven.

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
KAFKA_DIR := .kafka
BENCH_DIR := build/bench
ASYNCAPI_DIR := build/asyncapi
# What bench measures: python -m benchmarks --help
BENCH ?= everything
# How long fuzz runs
SECONDS ?= 3600
# Extra arguments of demo, test, test-kafka, chaos, fuzz, bench and evaluate: make demo ARGS="--events 5000 --seed 7"
ARGS ?=

# The first that runs and is new enough: a version manager's shim may exist and not run.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
# The build backend is pinned with everything else.
INSTALL = $(PY) -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt --build-constraint constraints.txt
QUICK_TESTS = $(wildcard tests/unit tests/functional tests/integration tests/e2e tests/fuzz tests/deploy)
KAFKA_TESTS = $(wildcard tests/integration tests/e2e tests/chaos tests/deploy tests/console)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test lint unit test-kafka chaos fuzz pictures kafka-jars format bench evaluate wheel clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(VENV)/.installed ## Install the command, with what the demo needs, into .venv

demo: $(VENV)/.installed ## Run the whole flow on an embedded broker, on generated events, and sum up
	$(BIN)/riskstream demo $(ARGS)

test: lint unit ## Run the checks and every test that needs no Java

lint: $(VENV)/.installed-dev ## Check style, formatting, types and the imports between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

unit: $(VENV)/.installed-dev ## Run the tests alone, without the checks
	$(PY) -m pytest -m "not kafka and not tools" $(QUICK_TESTS) $(ARGS)

test-kafka: $(VENV)/.installed-dev kafka-jars $(ASYNCAPI_DIR)/.fetched ## Run the tests that need Apache Kafka (Java 17, Maven) or other programs
	$(PY) -m pytest -m "kafka or tools" $(KAFKA_TESTS) $(ARGS)

chaos: $(VENV)/.installed-dev kafka-jars ## Kill, freeze and hang workers and broker, and recount all (Java 17 and Maven)
	$(PY) -m tests.chaos $(ARGS)

fuzz: $(VENV)/.installed-fuzz ## Look for input that breaks a promise of the pipeline (SECONDS=3600)
	$(PY) -m tests.fuzz --seconds $(SECONDS) $(ARGS)

pictures: $(VENV)/.installed-dev ## Draw the dashboards' pictures for the documents, from live data (Prometheus, Alertmanager)
	$(PY) -m tests.dashboards $(ARGS)

kafka-jars: $(KAFKA_DIR)/.fetched ## Fetch Apache Kafka's jars into .kafka

format: $(VENV)/.installed-dev ## Format the code and fix what the linter can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev kafka-jars $(BENCH_DIR)/.quix $(BENCH_DIR)/.java ## Measure riskstream beside other engines (BENCH="--rounds 1 --events 20000")
	$(PY) -m benchmarks $(BENCH) $(ARGS)

evaluate: $(VENV)/.installed-dev ## Judge the risk score on simulated years and write docs/risk-evaluation.md (ARGS=--short)
	$(PY) -m evaluation report --publish $(ARGS)

screenshots: $(VENV)/.installed-dev ## Take the pictures of the console's pages in docs/console (Chromium)
	$(PY) -m pytest -m tools tests/console -k pictures --screenshots docs/console $(ARGS)

wheel: $(VENV)/.installed-dev ## Build the wheel into dist
	$(PY) -m build --wheel --no-isolation --outdir dist .

clean: ## Remove everything that the targets made
	rm -rf $(VENV) $(KAFKA_DIR) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks evaluation -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@test -n "$(PYTHON)" || { echo "riskstream needs Python 3.11 or newer, and none of python3.13, python3.12, python3.11 and python3 is. Install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade pip

$(VENV)/.installed: pyproject.toml constraints.txt | $(PY)
	$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(INSTALL) --editable '.[console,demo,reference,rocksdict,webhook]' --group dev
	@touch $@

$(VENV)/.installed-fuzz: $(VENV)/.installed-dev
	$(INSTALL) --group fuzz
	@touch $@

# Quix Streams needs older versions of what the checks use, so it has an environment of its own.
$(BENCH_DIR)/.quix: benchmarks/quix-requirements.txt | $(PY)
	@mkdir -p $(BENCH_DIR)
	$(PY) -m venv $(BENCH_DIR)/quix
	$(BENCH_DIR)/quix/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	$(BENCH_DIR)/quix/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(BENCH_DIR)/.java: benchmarks/java/pom.xml $(wildcard benchmarks/java/src/main/java/riskstream/bench/*.java)
	@command -v mvn >/dev/null || { echo "The Kafka Streams program is built with Maven. On Debian and Ubuntu: apt-get install maven" >&2; exit 1; }
	@mkdir -p $(BENCH_DIR)
	mvn --quiet --batch-mode -Dstyle.color=never --file $< package
	@touch $@

$(KAFKA_DIR)/.fetched: tests/kafka/pom.xml
	@command -v java >/dev/null || { echo "Apache Kafka needs Java 17 or newer. On Debian and Ubuntu: apt-get install default-jre-headless maven" >&2; exit 1; }
	@command -v mvn >/dev/null || { echo "Apache Kafka's jars are fetched with Maven. On Debian and Ubuntu: apt-get install maven" >&2; exit 1; }
	rm -rf $(KAFKA_DIR)/libs
	mvn --quiet --batch-mode -Dstyle.color=never --file $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(KAFKA_DIR)/libs
	@touch $@

# Without a lock file: it would record addresses. The version is in package.json.
$(ASYNCAPI_DIR)/.fetched: tests/asyncapi/package.json tests/asyncapi/check.mjs
	@command -v npm >/dev/null || { echo "The AsyncAPI document is checked with Node's packages. On Debian and Ubuntu: apt-get install npm" >&2; exit 1; }
	@mkdir -p $(ASYNCAPI_DIR)
	cp $^ $(ASYNCAPI_DIR)
	npm install --prefix $(ASYNCAPI_DIR) --no-package-lock --no-audit --no-fund --ignore-scripts --silent
	@touch $@
