# Two commands: `make demo` and `make test`. Both make .venv and install what they need from the package registry.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt

.PHONY: demo test lint types floors tests format clean

demo: .venv/installed
	$(BIN)/poetune demo

test: lint types floors tests

.venv/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		(echo "poetune needs Python 3.11 or newer; try: make PYTHON=python3.12" && exit 1)
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/created pyproject.toml constraints.txt
	$(PIP) -e ".[all]"
	@touch $@

.venv/dev: .venv/created pyproject.toml constraints.txt
	$(PIP) -e ".[dev]"
	@touch $@ .venv/installed

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

floors: .venv/dev
	$(BIN)/lint-imports

tests: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv poetune-demo-en poetune-demo-zh
