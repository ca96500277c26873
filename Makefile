# The same commands for people and for CI. Both environments are made with nothing but Python 3.11 or later and its pip.
PYTHON ?= python3
DEV := .venv
DEMO := .demo
PYTEST_ARGS ?=
WORKERS ?= 2
PYTEST := $(DEV)/bin/python -m pytest $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS) --dist loadgroup --no-loadscope-reorder)

.DEFAULT_GOAL := help
.PHONY: help demo web check static unit server test release-test pytest lint types imports generated format docs bench clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(DEMO)/ready ## Index the standard library's docstrings on a local OpenSearch and search them
	@$(DEMO)/bin/python -m examples.demo

web: $(DEMO)/ready ## A page that searches the same docstrings in three ways
	@$(DEMO)/bin/python -m examples.web

check: static unit ## What to run before a commit: lint, types, import rules and the tests that need no server

static: lint types imports

unit: $(DEV)/ready
	$(PYTEST) -m "unit and not hub" $(PYTEST_ARGS)

server: $(DEV)/ready ## The tests that need a server, on the newest line alone
	$(PYTEST) -m "server and not hub" --servers newest $(PYTEST_ARGS)

test: static ## What CI runs: every test, on both server lines where the server makes a difference
	$(PYTEST) $(PYTEST_ARGS)

release-test: static ## Before a release: every test on every server line
	$(PYTEST) --servers every $(PYTEST_ARGS)

pytest: $(DEV)/ready ## Some tests, one after another: make pytest PYTEST_ARGS="tests/encode -x"
	$(DEV)/bin/python -m pytest $(PYTEST_ARGS)

lint: generated ## ruff: rules and format; generated files
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .

types: $(DEV)/ready ## mypy, strict
	$(DEV)/bin/mypy

imports: $(DEV)/ready ## Which room may import which
	$(DEV)/bin/lint-imports

generated: $(DEV)/ready ## Whether generated files are what their scripts write
	$(DEV)/bin/python scripts/generate_sync.py --check

format: $(DEV)/ready ## Mend what ruff can mend
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .

docs: $(DEV)/ready ## The documentation as a site, in build/docs; a warning is an error
	$(DEV)/bin/python -m sphinx -W --keep-going -q -b html docs build/docs

bench: $(DEV)/ready ## The benchmarks that need no GPU; each prints one JSON line last
	@for name in query_encoding document_encoding extraction cold_start hybrid_latency write_path haystack_overhead langchain_overhead; do $(DEV)/bin/python -m benchmarks.$$name || exit 1; done

clean: ## Remove both environments and what tools left behind
	rm -rf $(DEV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build

$(DEV)/ready: pyproject.toml
	$(call environment,$(DEV),.[all],--group dev)

$(DEMO)/ready: pyproject.toml
	$(call environment,$(DEMO),.[async$(comma)cli$(comma)devserver$(comma)haystack$(comma)langchain$(comma)onnx],--group web)

comma := ,
# environment FOLDER REQUIREMENT OPTIONS: a fresh virtual environment with this project in it
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "opensearch-neural-sparse needs Python 3.11 or later; this is %d.%d: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@echo "Setting up $(1) ..."
	@$(PYTHON) -m venv --clear $(1)
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(1)/bin/uv pip install --quiet --python $(1)/bin/python --editable '$(2)' $(3)
	@touch $@
endef
