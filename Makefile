# Every command of the project. `make help` lists them.
PYTHON ?= python3
UV := uv==0.13.9
BIN := .venv/bin
RUN := $(BIN)/python
LANES ?= 2
.DEFAULT_GOAL := help
.PHONY: help .venv/parts demo test fast check docs chaos bench screenshots generate outlines lock clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Set-up: Python packages of the exact versions in stack/constraints.txt, then the real Kafka and ClickHouse.
.venv/run: pyproject.toml stack/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || { echo "Python 3.11 to 3.14 is needed: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/pip install -q $(UV); }
	VIRTUAL_ENV=.venv $(BIN)/uv pip install -q -c stack/constraints.txt -e .
	@touch $@

.venv/test: .venv/run
	VIRTUAL_ENV=.venv $(BIN)/uv pip install -q -c stack/constraints.txt -e '.[test]'
	@touch $@

# ESLint and Prettier for the browser's side, in the exact versions of package-lock.json; nothing of it runs in a page.
node_modules/.package-lock.json: package.json package-lock.json
	npm ci --silent --no-fund --no-audit
	@touch $@

# No file marks the parts as fetched: they are in the cache folder (IOC_CACHE), which others may empty.
.venv/parts: .venv/run
	@$(RUN) -m stack fetch

demo: .venv/parts ## set up, then run a simulated province, live; prints the address; Ctrl-C stops everything
	@$(RUN) -m stack demo

test: .venv/test .venv/parts check ## set up, then run every test tier but chaos and bench; LANES=1: one test after another
	@$(RUN) -m stack browser
	$(BIN)/pytest -m "not bench" --numprocesses $(LANES) --dist loadscope

fast: .venv/test ## lint, type-check, check import contracts, run the quick unit tests: 40 s on two cores
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -q -m "not slow and not stack and not browser and not bench" --numprocesses $(LANES) --dist loadscope tests/unit tests/architecture

check: .venv/test node_modules/.package-lock.json ## lint, type-check, check import contracts, test the browser's modules, build the docs and check their links
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	npm run --silent lint
	npm run --silent format
	npm run --silent test
	@built=$$(mktemp -d) && trap 'rm -rf "$$built"' EXIT && $(BIN)/mkdocs build --strict --site-dir "$$built"

docs: .venv/test ## build the documentation as a site: build/docs/index.html
	$(BIN)/mkdocs build --strict
	@echo "build/docs/index.html"

chaos: .venv/test .venv/parts ## kill, stop and remove every part, compare with a ledger; QUICK=1: a few minutes; IOC_CHAOS_SEED=n
	$(RUN) -m tests.chaos $(if $(QUICK),--quick)

bench: .venv/test .venv/parts ## compare with Faust, Quix Streams, ClickHouse's Kafka engine; QUICK=1: a first look; WHAT=all: screens, too
	@$(RUN) -m stack browser
	$(RUN) -m tests.bench $(WHAT) $(if $(QUICK),--quick)

screenshots: .venv/test .venv/parts ## redraw the screenshots of the docs from seeded data
	@$(RUN) -m stack browser
	$(RUN) -m tests.browser.screenshots

generate: .venv/test ## write all files that are derived from the code (JSON Schemas, reference pages, drawings)
	$(RUN) -m schemas generate
	$(RUN) -m tests.architecture

outlines: .venv/test ## derive the commune outlines again from their open sources
	VIRTUAL_ENV=.venv $(BIN)/uv pip install -q -c stack/constraints.txt -e '.[outlines]'
	$(RUN) -m schemas places build

lock: .venv/run ## choose the exact versions of all dependencies again
	VIRTUAL_ENV=.venv $(BIN)/uv pip compile -q --universal --no-header --no-annotate --all-extras -o stack/constraints.txt pyproject.toml
	@sed -i "s/ ; implementation_name == 'cpython'\$$//; s/ and implementation_name == 'cpython'//; s/implementation_name == 'cpython' and //" stack/constraints.txt

clean: ## remove what set-up created (not the data under IOC_HOME, nor the cache folder, which it prints)
	@test ! -x $(RUN) || echo "Kafka and ClickHouse stay in $$($(RUN) -m stack fetch --where)"
	rm -rf .venv node_modules stack/libs stack/node_modules
