# The same commands for people and for CI. Everything lives in .venv; nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export HF_HUB_OFFLINE := 1

.PHONY: ask chat test test-long check bench reader calibrate format clean

$(VENV)/.run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[check,evals,general,test]'
	@touch $@

# The question travels in the environment, so that no shell reads its quotation marks.
ask: export FICHE_QUESTION = $(Q)
ask: $(VENV)/.run
	@$(BIN)/fiche ask "$$FICHE_QUESTION"

chat: $(VENV)/.run
	@$(BIN)/fiche ui --open

test: $(VENV)/.dev
	$(BIN)/pytest -m "not long"
	FICHE_HOME=$(VENV)/fiche-home $(BIN)/fiche eval evals/datasets/fiche.jsonl --gate evals/gates.toml

test-long: $(VENV)/.dev
	$(BIN)/pytest

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/audit.py

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	$(BIN)/python -m evals.bench --write

# From the training questions to the reader that fiche ships: about an hour and a half on two cores.
reader: $(VENV)/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train]'
	$(BIN)/python -m evals.reader

calibrate: $(VENV)/.dev
	$(BIN)/python -m evals.calibrate

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
