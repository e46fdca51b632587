# Every command of the project in one place; `make` alone lists them.
# Each makes or renews .venv by itself, so a fresh clone needs Python 3.11+ and make, nothing else.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help report test test-slow test-engines lint lab bench clean

BIN := .venv/bin
# as a module, so that a clone that was moved still finds its own pytest
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile
# that none is missing is tested in tests/test_packaging.py
LESSONS = $(sort $(wildcard notebooks/*.ipynb))
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: .venv/.lab  ## lifecycle report of the example shop, into reports/shop
	@$(BIN)/lifecycle report --data data/shop --out reports/shop
	@echo "Open in a browser:" && ls reports/shop/*.html

test: .venv/.test  ## unit tests, and every lesson run again and compared with its stored output
	$(PYTEST) -m "not slow and not engines" tests $(if $(LESSONS),$(NBVAL) $(LESSONS))

test-slow: .venv/.test  ## the tests that take their time
	$(PYTEST) -m slow tests

test-engines: .venv/.engines  ## the stage oracle and every policy on PostgreSQL and Spark too
	$(BIN)/python -m pytest -m engines tests

lint: .venv/.test  ## style, formatting and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

lab: .venv/.lab  ## JupyterLab on the lessons
	$(BIN)/python -m jupyterlab notebooks

bench: .venv/.test  ## speed and memory, each as a ratio to a floor measured in the same run
	@set -e; for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

clean:  ## remove what can be made again, but not .venv
	rm -rf build dist reports/shop .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.lab: pyproject.toml constraints.txt .ci/venv
	@sh .ci/venv lab
	@touch $@

# holds all of `lab`, so `make report` after `make test` installs nothing
.venv/.test: pyproject.toml constraints.txt .ci/venv
	@sh .ci/venv lab,test,postgres,fast
	@touch $@ .venv/.lab

# Spark is half a GB, and needs Java 17
.venv/.engines: pyproject.toml constraints.txt .ci/venv
	@sh .ci/venv lab,test,postgres,fast,spark
	@touch $@ .venv/.test .venv/.lab
