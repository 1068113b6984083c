PYTHON ?= python3.11

.DEFAULT_GOAL := help
.PHONY: help demo test soak up lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' Makefile

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	    echo "Python 3.11 with its venv module is needed, $(PYTHON) is not that" \
	        "(Debian: apt-get install python3.11-venv); another place: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "making the environment in .venv (a few seconds) …"
	@$(PYTHON) -m venv .venv
	@echo "installing the packages of requirements.lock (one to five minutes) …"
	@.venv/bin/pip install -qq --require-hashes -r requirements.lock
	@echo "installing phx_pipeline itself (a few seconds) …"
	@.venv/bin/pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv/ready ## run the whole pipeline offline on sample properties
	@echo "phx demo: six houses from stand-in sites (about a minute) …"
	@.venv/bin/phx demo

test: .venv/ready ## run every check
	@deploy/system-packages.sh
	@# without the variable: what one process has compiled serves all
	PYTHONDONTWRITEBYTECODE= .venv/bin/pytest -n auto --dist loadgroup

soak: .venv/ready ## run the long campaigns
	@deploy/system-packages.sh
	.venv/bin/pytest -m soak

up: .venv/ready ## start the Dagster UI and daemon of this checkout
	.venv/bin/phx up

lock: .venv/ready ## pin the dependencies of pyproject.toml anew
	.venv/bin/pip-compile --quiet --generate-hashes --no-emit-index-url \
	    --no-emit-trusted-host --no-emit-find-links --no-header --allow-unsafe \
	    --no-strip-extras --no-annotate --extra dev \
	    --output-file requirements.lock pyproject.toml

clean: ## remove the environment and all caches; data/ stays
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache \
	    .import_linter_cache .hypothesis
	find phx_pipeline phx_pipeline_tests -type d -name __pycache__ -prune -exec rm -rf {} +
