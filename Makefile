# Chudian: the menu. `make` alone prints it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

CUSTOMERS ?= 2000
NIGHTS ?= 30
DATE ?= 2009-05-03
SEED ?= 2009
DATA ?= ../shared/data

VENV := .venv
PYTHON := $(VENV)/bin/python
UV_VERSION := 0.13.9
# The system's own certificates: many operators' networks have one of their own.
export UV_SYSTEM_CERTS := 1
# The environment's interpreter for Spark's workers, whatever the shell has activated.
export PYSPARK_PYTHON := $(abspath $(PYTHON))
unexport PYTHONPATH SPARK_HOME PYTHONHOME

.PHONY: help setup run test check cover soak bench quote trial season airflow docs clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
		awk -F'\t' '{printf "  make %-8s %s\n", $$1, $$2}'
	@echo "  variables: CUSTOMERS=$(CUSTOMERS) DATE=$(DATE) SEED=$(SEED) DATA=$(DATA)"

setup: $(VENV)/ready ## build the environment (.venv): packages, Delta's jars, Java's classes; does nothing when done

$(VENV)/ready: conf/setup/constraints.txt conf/setup/spark-jars.lock conf/setup/environment.sh \
		setup.cfg pyproject.toml
	@bash conf/setup/environment.sh $(VENV) $(UV_VERSION)
	@touch $@

run: setup ## synthesize a province, load its history and run one full night into build/
	@$(PYTHON) -m jobs.synthesize --customers $(CUSTOMERS) --seed $(SEED) --data-date $(DATE) \
		--landing build/landing --truth build/truth
	@$(PYTHON) -m jobs.night --history 4 --data-date $(DATE) \
		--landing build/landing --warehouse build/warehouse --push build/push

test: setup ## the whole suite, in two workers
	@$(PYTHON) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

check: setup ## style, form, imports between rooms, types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(VENV)/bin/lint-imports --no-cache
	@$(PYTHON) -m mypy

cover: setup ## the suite once more, with its coverage by room; no gate
	@mkdir -p build
	@$(PYTHON) -m pytest -n 2 --dist loadgroup --cov --cov-report=
	@$(PYTHON) -m coverage json -q -o build/coverage.json
	@$(PYTHON) conf/setup/coverage_by_room.py build/coverage.json

soak: setup ## the long trials
	@$(PYTHON) -m pytest -m soak

bench: setup ## timings against stated rivals
	@$(PYTHON) -m tests.bench

quote: setup ## a bill to check by hand: make quote SUBSCRIBER=… PACKAGE=… MONTH=2009-03 PICTURE=…
	@$(PYTHON) -m jobs.quote --subscriber "$(SUBSCRIBER)" --package "$(PACKAGE)" \
		--month "$(MONTH)" --data-date $(DATE) --warehouse build/warehouse \
		$(if $(PICTURE),--picture "$(PICTURE)")

trial: setup ## the same night over the real calls and contacts of DATA
	@$(PYTHON) -m tests.realdata --data $(DATA) --build build/trial

season: setup ## nights one after another over a province that answers them: NIGHTS=30 CUSTOMERS=400
	@$(PYTHON) -m jobs.season --nights $(NIGHTS) --seed $(SEED) --build build/season \
		--customers $(if $(filter file,$(origin CUSTOMERS)),400,$(CUSTOMERS))

airflow: setup ## the nightly DAG in a local Airflow on the loopback address
	@bash conf/setup/airflow.sh $(VENV)

docs: setup ## the manual as a site that needs no network, into build/docs
	@NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --quiet --strict --config-file conf/docs/mkdocs.yml
	@echo "open build/docs/index.html"

clean: ## remove build/ (the environment stays; remove .venv by hand)
	@rm -rf build
