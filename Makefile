# `make help` lists the targets. Everything runs in .venv, which make creates and keeps up to date.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := $(VENV)/.peers
DRIVER := $(VENV)/.driver# what drives a browser, for the tests of the report
PAGE := harness/report/page
TYPED := $(VENV)/typed# the package laid out as installed, for mypy: plots/ inside harness/

# What a user may set. The values reach the shell of a recipe in its environment, as they were typed: nothing in
# them is ever run, neither by make, $(shell ...), nor by the shell, `...`.
GIVEN := PYTHON GRID SEEDS DATASET DEVICE JOBS WHERE SHARD RUNNER STALE RESULTS RAY_ADDRESS REFERENCE ROUNDS ONLY FULL \
	TARGET SUSTAINED REPLAYED FORMAT OUT BESIDE REPORT COLUMN CHECKPOINTS TASKS STEPS RATES
$(foreach name,$(GIVEN),$(if $(value $(name)),$(eval override $(name) := $$(value $(name)))$(eval export $(name))))

# Other code than the environment's, another place for it, or a Python that skips the tests' assertions.
unexport PYTHONPATH PYTHONHOME PYTHONOPTIMIZE PIP_USER PIP_TARGET PIP_PREFIX

# -P: a random.py or a yaml.py of the user's in this folder is not imported in place of Python's or a package's own.
HARNESS := $(BIN)/python -P -m harness

# The options of a sweep: only the variables that are set.
OPTIONS = $${DATASET:+--dataset "$$DATASET"} $${RESULTS:+--results "$$RESULTS"} $${SEEDS:+--seeds "$$SEEDS"}
SWEEP = $(OPTIONS) $${DEVICE:+--device "$$DEVICE"} $${JOBS:+--jobs "$$JOBS"} \
	$${RAY_ADDRESS:+--ray-address "$$RAY_ADDRESS"} $${WHERE:+--where "$$WHERE"} \
	$${SHARD:+--shard "$$SHARD"} $${RUNNER:+--runner "$$RUNNER"} $${STALE:+--stale} $${REPORT:+--report} \
	$${CHECKPOINTS:+--checkpoints "$$CHECKPOINTS"}

# The options of the bench.
BENCH = $${RESULTS:+--results "$$RESULTS"} $${ROUNDS:+--rounds "$$ROUNDS"} $${ONLY:+--only "$$ONLY"}

.PHONY: help setup sweep plots meta-test report sensitivity race claims export compare bench bench-gpu \
	test test-report browser faults lint format clean

help:  ## print this list
	@echo "make sweep [GRID=quick]  run what a grid still lacks, then draw its figures"
	@echo "                         (a grid in sweeps/, or the path of a YAML file, as in examples/)"
	@echo "     SEEDS=0-4           these seeds instead of the grid's"
	@echo "     DATASET=glyphs      this data set instead of the grid's: omniglot, glyphs or your own"
	@echo "     DEVICE=cuda         train on the GPUs; the default is cpu"
	@echo "     JOBS=2              cells at a time; by default as many as there are cores"
	@echo "     WHERE=alpha0=1e-4   only these cells; combine as in alpha0=1e-4,method=maml"
	@echo "     SHARD=1/4           only the first of four equal parts"
	@echo "     RESULTS=folder      where results go; the default is results/"
	@echo "     RAY_ADDRESS=auto    run on a Ray cluster"
	@echo "     RUNNER=serial       without Ray, one cell after the other"
	@echo "     REPORT=1            then also write a page to look at, as make report does"
	@echo "     CHECKPOINTS=2GiB    room for the checkpoints of long runs, and for weights; 0: none are written"
	@echo "     STALE=1             also train again what other versions of a plug-in have made"
	@echo "make plots [GRID=fig2]   redraw from the records alone; without GRID: every grid that has records"
	@echo "                         (a grid of which you have no records: from the reference records)"
	@echo "     COLUMN=1            also as wide as a paper's column"
	@echo "make meta-test GRID=accuracy"
	@echo "                         kept weights on tasks that nobody trained on, after each inner step (or a cell id)"
	@echo "     STEPS=3             most inner steps; TASKS=100: how many tasks; RATES=own,0.01: inner rates"
	@echo "make report GRID=fig2    a page to look at, in one file: any target, every run's curves, a table to sort"
	@echo "     BESIDE=fig2-sgd     a second grid beside it; BESIDE=reference: yours beside the reference's"
	@echo "     OUT=fig2.html       here; the default is results/fig2/report.html; REFERENCE=1: the reference"
	@echo "make sensitivity GRID=\"fig2 fig2-sgd\""
	@echo "                         how much tuning the methods of these grids need (no blanks in a path here)"
	@echo "     TARGET=2.0          count to this training loss; SUSTAINED=1: to the mean of ten losses"
	@echo "     REFERENCE=1         measure the reference records alone"
	@echo "make race GRID=league-5way"
	@echo "                         Alpha-MAML at random rates against MAML with tuners; run again, it goes on"
	@echo "     TARGET=0.8          the training loss that is a success; REFERENCE=1: reference records alone"
	@echo "     REPLAYED=1          without population based training, which trains (ten minutes of a core)"
	@echo "make claims              which sentences of the paper hold, under which reading of its protocol"
	@echo "     REFERENCE=1         judge the reference records alone"
	@echo "make export GRID=fig1 FORMAT=optuna"
	@echo "                         the records for other programs: syne-tune, mfpbench, optuna, croissant,"
	@echo "                         csv, latex, markdown or tensorboard"
	@echo "     OUT=folder          here; the default is results/fig1/export/optuna"
	@echo "     REFERENCE=1         the reference records, not your own"
	@echo "make compare GRID=fig2   your own sweep beside the reference, cell by cell"
	@echo "     TARGET=0.9          count to this training loss, where the grid has no target or another"
	@echo "make bench               time a meta-iteration beside learn2learn, higher and TorchOpt"
	@echo "     ROUNDS=15           how often each program runs; ONLY=higher,torchopt: only these"
	@echo "make bench-gpu           throughput on a CUDA device, beside the same libraries"
	@echo "     FULL=1              then a long run, and what TF32 does to the counts of fig2 (ten minutes in all)"
	@echo "make test                run all tests"
	@echo "make test-report         test the report's page in a real browser, Chromium"
	@echo "make faults              kill sweeps and mutate grids, and see that nothing is lost (twenty minutes)"
	@echo "     FULL=1              all 45 kills and 2,000 grids"
	@echo "make lint                check style and types"
	@echo "make clean               remove the environment and caches, never results"

setup: $(READY)  ## create the environment, nothing else

# The environment holds absolute paths: it is made again where this folder was moved or copied, and where its Python
# is gone or its making was interrupted.
HERE := test "`cat $(READY) 2>/dev/null`" = "`pwd -P`"
MOVED := $(shell test ! -s $(READY) || { test -x $(BIN)/python && $(HERE); } || echo moved)
.PHONY: moved

USABLE := { test ! -s $(READY) || $(HERE); } && $(BIN)/python -m pip --version > /dev/null 2>&1

$(READY): pyproject.toml $(MOVED)
	@$(USABLE) || "$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "harness needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "installing into $(VENV) (some minutes the first time)"
	@$(USABLE) || "$$PYTHON" -m venv --clear $(VENV)
	@$(SHELL) .ci/install $(BIN)/python --editable '.[dev]'
	@pwd -P > $@

sweep: $(READY)
	@$(HARNESS) sweep $(SWEEP) $${GRID:+-- "$$GRID"}

plots: $(READY)
	@$(HARNESS) plot $(OPTIONS) $${COLUMN:+--column} $${GRID:+-- "$$GRID"}

meta-test: $(READY)
	@$(HARNESS) meta-test $(OPTIONS) $${DEVICE:+--device "$$DEVICE"} $${TASKS:+--tasks "$$TASKS"} \
		$${STEPS:+--steps "$$STEPS"} $${RATES:+--rates "$$RATES"} $${GRID:+-- "$$GRID"}

report: $(READY)
	@$(HARNESS) report $(OPTIONS) $${BESIDE:+--beside "$$BESIDE"} $${OUT:+--out "$$OUT"} \
		$${REFERENCE:+--reference} -- "$${GRID:-quick}"

# GRID is a list: the shell splits it at its blanks, and with -f it takes nothing in it for a pattern of files.
sensitivity: $(READY)
	@set -f; $(HARNESS) sensitivity $(OPTIONS) $${TARGET:+--target "$$TARGET"} $${SUSTAINED:+--sustained} \
		$${REFERENCE:+--reference} -- $$GRID

race: $(READY)
	@$(HARNESS) race $(OPTIONS) $${TARGET:+--target "$$TARGET"} $${REPLAYED:+--replayed} \
		$${REFERENCE:+--reference} $${GRID:+-- "$$GRID"}

claims: $(READY)
	@$(HARNESS) claims $${REFERENCE:+--reference} $${RESULTS:+--results "$$RESULTS"}

export: $(READY)
	@$(HARNESS) export $(OPTIONS) $${FORMAT:+--format "$$FORMAT"} $${OUT:+--out "$$OUT"} \
		$${REFERENCE:+--reference} $${GRID:+-- "$$GRID"}

compare: $(READY)
	@$(HARNESS) compare $(OPTIONS) $${TARGET:+--target "$$TARGET"} -- "$${GRID:-fig2}"

# The sources of learn2learn 0.2.0 contain C code generated by an old Cython, which Python 3.11 rejects: it is
# generated again. --no-deps: learn2learn asks for much that its MAML does not need; what it needs is in the extra.
$(PEERS): $(READY)
	@echo "installing the libraries to compare with into $(VENV) (learn2learn is compiled: a minute or two)"
	@$(SHELL) .ci/install $(BIN)/python --editable '.[dev,peers]'
	@CYTHON_FORCE_REGEN=1 $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --use-pep517 --config-settings=--global-option=build_ext \
		learn2learn==0.2.0 > $(VENV)/learn2learn.log 2>&1 || \
		echo "learn2learn cannot be built here, see $(VENV)/learn2learn.log; the bench goes on without it"
	@touch $@

bench: $(PEERS)
	@$(HARNESS) bench $(BENCH)

bench-gpu: $(PEERS)
	@$(HARNESS) bench --device cuda $(BENCH) $${FULL:+--full}

test: $(READY)
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

$(DRIVER): $(READY)
	@echo "installing what drives a browser into $(VENV)"
	@$(SHELL) .ci/install $(BIN)/python --editable '.[dev,browser]'
	@touch $@

browser:
	@command -v "$${HARNESS_BROWSER:-chromium}" > /dev/null || { echo "test-report: there is no browser" \
		"$${HARNESS_BROWSER:-chromium}: apt-get install chromium, on Debian, or HARNESS_BROWSER=path" >&2; exit 2; }

test-report: browser $(DRIVER)
	@HARNESS_BROWSER="$${HARNESS_BROWSER:-chromium}" $(BIN)/python -m pytest tests/report

faults: $(READY)
	@$(BIN)/python -m tests.faults $${FULL:+--full}

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@rm -rf $(TYPED) && mkdir -p $(TYPED)/harness
	@ln -s "`pwd -P`"/harness/* "`pwd -P`/plots" $(TYPED)/harness
	@cd $(TYPED) && ../bin/mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache
	@cd $(PAGE) && export DENO_NO_UPDATE_CHECK=1 NO_COLOR=1 && deno="$(CURDIR)/$(BIN)/deno" && \
		"$$deno" lint --quiet && "$$deno" fmt --check --quiet && "$$deno" check --quiet *.js

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@cd $(PAGE) && DENO_NO_UPDATE_CHECK=1 "$(CURDIR)/$(BIN)/deno" fmt --quiet

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info data/cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
