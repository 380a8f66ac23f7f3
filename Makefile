# `make help` lists the targets. Everything runs in .venv, which is made and kept up to date by itself.

.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := $(VENV)/.peers
TYPED := $(VENV)/typed# the package as it is installed, for mypy: plots/ inside harness/

GRID ?=
# What a sweep is told: only the variables that are set.
OPTIONS = $(if $(DATASET),--dataset "$(DATASET)") $(if $(RESULTS),--results "$(RESULTS)") \
	$(if $(SEEDS),--seeds "$(SEEDS)")
SWEEP = $(OPTIONS) $(if $(DEVICE),--device "$(DEVICE)") \
	$(if $(JOBS),--jobs "$(JOBS)") $(if $(RAY_ADDRESS),--ray-address "$(RAY_ADDRESS)") \
	$(if $(WHERE),--where "$(WHERE)") $(if $(SHARD),--shard "$(SHARD)") $(if $(RUNNER),--runner "$(RUNNER)")

# What the bench is told.
BENCH = $(if $(RESULTS),--results "$(RESULTS)") $(if $(ROUNDS),--rounds "$(ROUNDS)") $(if $(ONLY),--only "$(ONLY)")

.PHONY: help setup sweep plots claims compare bench bench-gpu test lint format clean

help:  ## this list
	@echo "make sweep [GRID=quick]  run what is missing of a grid, then draw its figures"
	@echo "     SEEDS=0-4           seeds, in place of the grid's"
	@echo "     DATASET=glyphs      data set, in place of the grid's: omniglot or glyphs"
	@echo "     DEVICE=cuda         train on the GPUs; cpu by default"
	@echo "     JOBS=2              cells at a time; the cores by default"
	@echo "     WHERE=alpha0=1e-4   only these cells, such as alpha0=1e-4,method=maml"
	@echo "     SHARD=1/4           only the first of four equal parts"
	@echo "     RESULTS=folder      results/ by default"
	@echo "     RAY_ADDRESS=auto    run on a Ray cluster"
	@echo "     RUNNER=serial       without Ray, one cell after the other"
	@echo "make plots [GRID=fig2]   draw again from the records alone; without GRID every grid that has some"
	@echo "                         (a grid without records of yours: from the reference ones)"
	@echo "make claims              which sentences of the paper hold, under which reading of its protocol"
	@echo "     REFERENCE=1         by the reference records alone"
	@echo "make compare GRID=fig2   your own sweep beside the reference, cell by cell"
	@echo "make bench               time a meta-iteration beside learn2learn, higher and TorchOpt"
	@echo "     ROUNDS=15           times that each program runs; ONLY=higher,torchopt: only these"
	@echo "make bench-gpu           throughput on a CUDA device beside them"
	@echo "make test                all tests"
	@echo "make lint                style and types"
	@echo "make clean               remove the environment and caches, never results"

setup: $(READY)  ## the environment alone

$(READY): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ rm -rf $(VENV); echo "harness needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 2; }
	@echo "installing into $(VENV) (some minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

sweep: $(READY)
	@$(BIN)/python -m harness sweep $(if $(GRID),"$(GRID)") $(SWEEP)

plots: $(READY)
	@$(BIN)/python -m harness plot $(if $(GRID),"$(GRID)") $(OPTIONS)

claims: $(READY)
	@$(BIN)/python -m harness claims $(if $(REFERENCE),--reference) $(if $(RESULTS),--results "$(RESULTS)")

compare: $(READY)
	@$(BIN)/python -m harness compare "$(or $(GRID),fig2)" $(OPTIONS)

# The sources of learn2learn 0.2.0 hold C that an old Cython wrote and Python 3.11 refuses: it is written anew.
# --no-deps: it asks for much that its MAML does without; what it needs is in the extra.
$(PEERS): $(READY)
	@echo "installing the peers into $(VENV) (learn2learn is compiled: a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,peers]'
	@CYTHON_FORCE_REGEN=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --use-pep517 --config-settings=--global-option=build_ext \
		learn2learn==0.2.0 > $(VENV)/learn2learn.log 2>&1 || \
		echo "learn2learn cannot be built here, see $(VENV)/learn2learn.log; the bench goes on without it"
	@touch $@

bench: $(PEERS)
	@$(BIN)/python -m harness bench $(BENCH)

bench-gpu: $(PEERS)
	@$(BIN)/python -m harness bench --device cuda $(BENCH)

test: $(READY)
	@$(BIN)/python -m pytest

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@rm -rf $(TYPED) && mkdir -p $(TYPED)/harness
	@ln -s $(CURDIR)/harness/* $(CURDIR)/plots $(TYPED)/harness
	@cd $(TYPED) && ../bin/mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.mypy_cache

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info data/cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
