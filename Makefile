# One line each; every target bootstraps what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ENGINES := .venv-engines
DATA   ?= .rushes
PORT   ?= 8000

# The tests write gigabytes that nobody keeps: into memory, where the machine has room for that.
SHM := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 8000000 {print "TMPDIR=/dev/shm"}')

.PHONY: demo up test test-long test-engines test-gpu check format lock bench gallery crash clean

demo: $(VENV)/.run            ## two real videos, made by a platform that starts and stops by itself
	@$(BIN)/python examples/demo.py

up: $(VENV)/.run              ## the same platform, kept running
	@exec $(BIN)/rushes up --port $(PORT) --data $(DATA)

test: $(VENV)/.dev            ## everything a change must pass, under ten minutes on two cores
	@$(SHM) $(BIN)/python -m pytest tests -n 3 --dist loadfile

test-long: $(VENV)/.dev       ## the same with what takes minutes
	@$(BIN)/python -m pytest tests -n 2 --dist loadfile --long

test-engines: $(ENGINES)/.made  ## the engines with real libraries, on tiny random weights, on the CPU
	@$(ENGINES)/bin/python -m pytest tests/engines -n 2 --dist loadfile

test-gpu: $(ENGINES)/.made    ## the checks that need a GPU, at real sizes with random weights
	@$(ENGINES)/bin/python -m pytest tests/gpu --long -rs

check: $(VENV)/.dev           ## format, lint, types, import rules, spelling
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/basedpyright && $(BIN)/lint-imports && $(BIN)/codespell

crash: $(VENV)/.dev           ## the long crash suite
	@$(BIN)/python -m pytest tests/crash --long

bench: $(VENV)/.dev           ## measurements, each with a baseline in the same run
	@$(BIN)/python -m bench

gallery: $(VENV)/.dev         ## what the animatic engine draws, on one page: docs/gallery/index.html
	@$(BIN)/python scripts/gallery.py

format: $(VENV)/.dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: $(VENV)/.dev            ## compile requirements/*.txt from the pyproject files
	@$(PYTHON) scripts/lock.py

$(VENV)/.venv:
	@$(PYTHON) scripts/bootstrap.py $(VENV) && touch $@

$(VENV)/.run: $(VENV)/.venv requirements/run.txt server/pyproject.toml sdk/pyproject.toml
	@$(BIN)/python scripts/install.py requirements/run.txt && touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@$(BIN)/python scripts/install.py requirements/dev.txt && touch $@

$(ENGINES)/.made: requirements/dev.txt requirements/engines.txt server/pyproject.toml sdk/pyproject.toml
	@$(PYTHON) scripts/bootstrap.py $(ENGINES)
	@$(ENGINES)/bin/python scripts/install.py requirements/dev.txt
	@$(ENGINES)/bin/python scripts/install_engines.py && touch $@

clean:
	@rm -rf $(VENV) $(ENGINES) demo
