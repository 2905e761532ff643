# Everything starts from Python (3.11 or newer), git and make. The environment is made once, in .venv, and
# made again when pyproject.toml or the lock changes.
.DEFAULT_GOAL := help
.PHONY: help env demo test test-slow test-all lint bench schema clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= $(shell $(PYTHON) -c "import os; print(os.cpu_count() or 1)")
READY := $(VENV)/.ready-$(shell cat pyproject.toml constraints.txt | cksum | tr ' ' '-')

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/:/' | sort

env: $(READY)  ## the environment in .venv

$(READY):
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'vitflow needs Python 3.11 or newer; name one: make PYTHON=python3.11')"
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,slurm]'
	touch $@

demo: $(READY)  ## the whole study on handwritten digits, to the deck
	@$(BIN)/vitflow slides --check  # before five minutes of training, not after
	$(BIN)/snakemake --cores $(CORES) --configfile workflow/studies/digits.yaml --quiet rules
	@echo "results/digits/slides/deck.html  deck.pdf  deck.pptx  explore.html"

lint: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# two workers with a thread each; a file of tests stays on one of them, for its fixtures; the longest files first
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
FIRST := tests/workflow/
SLOW = $(shell grep -rl mark.slow tests --include 'test_*.py')
LONGEST := tests/workflow/test_slurm_harm.py# one cluster runs at a time, so the longest of its files starts at once

test: lint  ## style, types and the tests, a quarter of an hour on two cores
	$(PYTEST) -m "not slow" $(FIRST) $(filter-out $(FIRST),$(wildcard tests/*/)) $(wildcard tests/test_*.py)

test-slow: $(READY)  ## the long tests alone
	$(PYTEST) -m slow $(LONGEST) $(sort $(filter-out $(LONGEST),$(SLOW)))

test-all: test test-slow  ## the long tests too

bench: $(READY)  ## training and input speed beside timm, vit-pytorch and torchvision; the time of a plan of a thousand runs
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.dry_run

schema: $(READY)  ## export the JSON schema of config.yaml
	$(BIN)/vitflow schema > workflow/schemas/study.schema.json

clean:  ## remove the environment and caches, never results
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
