# Each target sets up what it needs in .venv and needs nothing but python3 with venv, git and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check docs bench soak build clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@ $(VENV)/.demo

demo: $(VENV)/.demo ## the whole life cycle, on a simulated cloud, in under a minute
	@$(BIN)/staffeln demo

check: $(STAMP) ## format, lint, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: $(STAMP) ## all tests, with real PostgreSQL and Redis, and coverage
	$(BIN)/python -m pytest -n 4 --dist loadgroup --cov --cov-report= $(PYTEST_OPTIONS)
	$(BIN)/coverage report --include='staffeln_cli/planning/*,staffeln_cli/config/*,staffeln_cli/model/*,staffeln_cli/errors.py' --fail-under=100
	$(BIN)/coverage report --fail-under=90

docs: $(STAMP) ## the generated pages: docs/configuration.md, docs/reference/, docs/man/ and docs/tenants/
	$(BIN)/python -m docs.generate

bench: $(STAMP) ## figures, measured as ratios in one run
	$(BIN)/python -m tests.bench

soak: $(STAMP) ## the long variants of the failure tests
	STAFFELN_TEST_SOAK=1 HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -m soak -n 2 --dist loadgroup --durations=10 $(PYTEST_OPTIONS)

build: $(STAMP) ## wheel and source distribution
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) dist build .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
