# Two commands matter: `make run` and `make test`. `make help` lists the others.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
BIN := .venv/bin
PO := $(wildcard translations/*/LC_MESSAGES/messages.po)
MO := $(PO:.po=.mo)
STATIC := $(shell find static -type f ! -name '*.br' ! -name '*.gz' ! -name .compressed)

export ALLERVERS_VAR ?= $(CURDIR)/var
export PYTHONPATH := $(CURDIR)
# Else each process compiles every module anew as it starts; the tests start a hundred.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run audio audit lighthouse build test test-fast lint strings bench clean translation-models

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

run: .venv/.run $(MO) static/.compressed ## Install what is missing, start everything with demonstration data, print the addresses
	@exec $(BIN)/python -m casework run

audio: .venv/.run $(MO) ## Make the audio of the rights pages and questions ahead; a second run does nothing
	@tools/install audio
	@$(BIN)/python -m portal.spoken

build: .venv/.run $(MO) static/.compressed ## Install what is missing, ready to be served: what a production machine needs

test: .venv/.test node_modules/.axe $(MO) static/.compressed ## Install what is missing and run all the tests
	@$(BIN)/pytest -n 2 --dist worksteal $(PYTEST)

test-fast: .venv/.test $(MO) static/.compressed ## The tests that need no browser, no slow server and no patience, about a minute
	@$(BIN)/pytest -n 2 --dist worksteal -m "not browser and not slow and not long" $(PYTEST)

lint: .venv/.test ## ruff, strict mypy, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint templates --lint --quiet

strings: .venv/.test ## Extract the strings, update the catalogues, check that nothing is missing
	$(BIN)/python -m tools.strings
	@$(MAKE) --no-print-directory $(MO)

bench: .venv/.test $(MO) static/.compressed ## Measure; prints a table and writes var/bench.json
	@$(BIN)/python -m bench

lighthouse: .venv/.run $(MO) static/.compressed bench/lighthouse/node_modules/.there ## Three pages as a slow telephone sees them
	@$(BIN)/python -m bench.telephone

audit: .venv/.test node_modules/.axe $(MO) static/.compressed ## Walk past every page in every language, write what was found (a quarter of an hour)
	@rm -rf var/audit
	@nice $(BIN)/pytest -q -n 2 --dist worksteal tests/browser/audit.py || true
	@$(BIN)/python -m tools.audit "$$(chromium --version | grep -oE '[0-9.]+' | head -1)"

clean: ## Forget the demonstration and what was installed here
	rm -rf var .venv node_modules static/.compressed
	find static -name '*.br' -delete -o -name '*.gz' -delete
	find translations -name '*.mo' -delete

.venv/.run: requirements/run.txt requirements/ldap.txt tools/install
	@PYTHON=$(PYTHON) tools/install run
	@touch $@

translation-models: .venv/.translation ## LANGS="ar en uk": install what translates them (FROM=folder; TRUST=1: take what is new)
	@$(BIN)/python -m casework translation-models $(LANGS) $(if $(FROM),--from $(FROM)) $(if $(TRUST),--trust)

.venv/.translation: requirements/translation.txt .venv/.run tools/install
	@PYTHON=$(PYTHON) tools/install translation
	@touch $@

.venv/.test: requirements/test.txt .venv/.run .venv/.translation tools/install
	@PYTHON=$(PYTHON) tools/install test
	@touch $@

node_modules/.axe: package-lock.json
	@npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

bench/lighthouse/node_modules/.there: bench/lighthouse/package-lock.json
	@PUPPETEER_SKIP_DOWNLOAD=1 npm ci --prefix bench/lighthouse --silent --no-audit --no-fund --ignore-scripts
	@touch $@

%.mo: %.po | .venv/.run
	@$(BIN)/pybabel -q compile -i $< -o $@

static/.compressed: $(STATIC) | .venv/.run
	@$(BIN)/python -m web.static
	@touch $@
