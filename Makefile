PYTHON ?= python3.11 python3.12 python3.13 python3  # the first that will do

FITS := 'import ensurepip, sys, venv; sys.exit(sys.platform != "linux" or not (3, 11) <= sys.version_info < (3, 14))'

.DEFAULT_GOAL := help
.PHONY: help demo check test soak up lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' Makefile

.venv/ready: requirements.lock pyproject.toml
	@for python in $(PYTHON); do $$python -c $(FITS) 2>/dev/null && break; done || { \
	    echo "Linux and Python 3.11, 3.12 or 3.13 with its venv module are needed; of $(strip $(PYTHON)) none is that" \
	        "(Debian, Ubuntu: apt-get install python3-venv); another place: make PYTHON=/path/to/python3" >&2; exit 1; }; \
	    echo "making the environment in .venv with $$python (a few seconds) …"; \
	    $$python -m venv .venv
	@echo "installing the packages of requirements.lock (one to five minutes) …"
	@.venv/bin/pip install -qq --require-hashes -r requirements.lock
	@echo "installing phx_pipeline itself (a few seconds) …"
	@.venv/bin/pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv/ready ## run the whole pipeline offline on sample properties
	@echo "phx demo: six houses from stand-in sites (about a minute) …"
	@.venv/bin/phx demo

check: .venv/ready ## run what must hold before a commit
	.venv/bin/pytest phx_pipeline_tests/gates

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
