# The same commands for people and for CI. Environments are made with nothing but Python 3.11 or later and its pip, from
# lock files with the hash of every package.
PYTHON ?= python3
DEV := .venv
DEMO := .demo
AUDIT := .audit
COMPAT := .compat
PACKAGE := .package
DEMO_EXTRAS := async cli devserver haystack langchain onnx
PYTEST_ARGS ?=
WORKERS ?= 2
SIDE_BY_SIDE := $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS) --dist loadgroup --no-loadscope-reorder)
PYTEST := $(DEV)/bin/python -m pytest $(SIDE_BY_SIDE)

# What runs on the oldest and newest versions of the dependencies: imports, the tests that need no server, the contract
# suites of both frameworks, and the model folders that tests damage or make hostile.
IMPORTS := tests/packaging/test_layer_imports.py tests/packaging/test_public_names.py
NOT_COMPAT := tests/__pycache__/ tests/benchmarks/ tests/docs/ tests/examples/ tests/packaging/
COMPAT_UNIT := $(IMPORTS) $(wildcard tests/test_*.py) $(filter-out $(NOT_COMPAT),$(wildcard tests/*/))
COMPAT_CONTRACTS := tests/haystack_layer/test_contract.py tests/langchain_layer/test_standard_suites.py \
  tests/models tests/encode tests/rerank tests/campaigns

.DEFAULT_GOAL := help
.PHONY: help demo web check static unit server test release-test pytest lint style types imports generated format docs bench campaign package compat compat-oldest compat-newest lock audit sbom clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(DEMO)/ready ## Index the Python language reference on a local OpenSearch and search it
	@$(DEMO)/bin/python -m examples.demo

web: $(DEMO)/ready ## A page that searches the same passages in three ways
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

lint: generated style ## ruff: rules and format; generated files; the style of pages and messages
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .

style: $(DEV)/ready ## Words and sentences of pages, notebooks and messages, by scripts/style.toml
	$(DEV)/bin/python scripts/check_style.py

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

compat: compat-oldest compat-newest ## Imports, contracts and unit tests on the oldest and newest dependencies that pyproject.toml allows

# Older libraries use what is deprecated since, and leave sockets to the garbage collector.
compat-oldest: $(COMPAT)/oldest/ready
	$(call compatibility,$(COMPAT)/oldest,-W ignore::DeprecationWarning -W ignore::FutureWarning -W ignore::ResourceWarning)

compat-newest: $(COMPAT)/newest/ready
	$(call compatibility,$(COMPAT)/newest,)

package: $(PACKAGE)/ready ## The wheels and source distributions in dist/, checked, and equal byte by byte when built twice
	rm -rf dist
	$(PACKAGE)/bin/python scripts/build_distributions.py --output dist
	$(PACKAGE)/bin/twine check --strict dist/*
	$(PACKAGE)/bin/check-wheel-contents dist/opensearch_neural_sparse-*.whl
	$(PACKAGE)/bin/check-wheel-contents --no-config --ignore W002 dist/opensearch_neural_sparse_small_en-*.whl
campaign: $(DEV)/ready ## Hostile inputs by the thousand, on both server lines; an hour or more: make campaign CAMPAIGN_ARGS="proxy --seed 1"
	$(DEV)/bin/python -m tests.campaigns $(or $(CAMPAIGN_ARGS),all)

lock: $(DEV)/ready ## Renew the lock files in locks/: the newest versions that pyproject.toml allows, with their hashes
	$(call compile,dev,pyproject.toml --extra all --group dev)
	$(call compile,demo,pyproject.toml $(addprefix --extra ,$(DEMO_EXTRAS)) --group web --group build)
	$(call compile,audit,--group audit)
	$(call compile,uv,--group installer)
	$(call compile,package,--group package)
	$(call resolve,$(DEV),--upgrade --python-version 3.11 --python-platform linux --resolution lowest-direct --output-file locks/oldest.txt pyproject.toml --extra all --group oldest)

audit: $(AUDIT)/ready ## Known vulnerabilities of the locked packages; asks the databases of PyPI and OSV
	$(AUDIT)/bin/pip-audit --require-hashes --disable-pip --requirement locks/dev.txt

sbom: $(AUDIT)/ready ## The locked packages as a CycloneDX bill of materials, build/sbom.json
	@mkdir -p build
	$(AUDIT)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-file build/sbom.json locks/dev.txt

clean: ## Remove the environments and what tools left behind
	rm -rf $(DEV) $(DEMO) $(AUDIT) $(COMPAT) $(PACKAGE) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build

$(DEV)/ready: pyproject.toml locks/dev.txt
	$(call environment,$(DEV),dev)
	$(call project,$(DEV))
	@touch $@

$(DEMO)/ready: pyproject.toml locks/demo.txt
	$(call environment,$(DEMO),demo)
	$(call project,$(DEMO))
	@touch $@

$(AUDIT)/ready: locks/audit.txt
	$(call environment,$(AUDIT),audit)
	@touch $@

$(PACKAGE)/ready: pyproject.toml locks/package.txt
	$(call environment,$(PACKAGE),package)
	@touch $@

$(COMPAT)/oldest/ready: pyproject.toml locks/oldest.txt
	$(call environment,$(COMPAT)/oldest,oldest)
	$(call project,$(COMPAT)/oldest)
	@touch $@

# Resolved at each run, and installed by the hashes that this resolution saw.
.PHONY: $(COMPAT)/newest/ready
$(COMPAT)/newest/ready:
	$(call environment,$(COMPAT)/newest,uv)
	$(call resolve,$(COMPAT)/newest,--upgrade --output-file $(COMPAT)/newest.txt pyproject.toml --extra all --group contract --group build)
	@$(COMPAT)/newest/bin/uv pip install --quiet --python $(COMPAT)/newest/bin/python --require-hashes --requirement $(COMPAT)/newest.txt
	$(call project,$(COMPAT)/newest)

# environment FOLDER LOCK: a fresh virtual environment with the packages of a lock file, each checked by its hash
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "opensearch-neural-sparse needs Python 3.11 or later; this is %d.%d: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@echo "Setting up $(1) ..."
	@$(PYTHON) -m venv --clear $(1)
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement locks/uv.txt
	@$(1)/bin/uv pip install --quiet --python $(1)/bin/python --require-hashes --requirement locks/$(2).txt
endef

# project FOLDER: this project in an environment, editable, built by what the lock file brought
define project
	@$(1)/bin/uv pip install --quiet --python $(1)/bin/python --no-deps --no-build-isolation --editable .
endef

# compatibility ENVIRONMENT OPTIONS: what a version of the dependencies has to pass
define compatibility
	$(1)/bin/python -m pytest $(SIDE_BY_SIDE) $(2) -m "unit and not hub" $(COMPAT_UNIT) $(PYTEST_ARGS)
	$(1)/bin/python -m pytest $(SIDE_BY_SIDE) $(2) -m "not unit and not hub" --servers newest $(COMPAT_CONTRACTS) $(PYTEST_ARGS)
endef

# compile NAME OPTIONS: one lock file, for every platform and Python version
define compile
	$(DEV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --output-file locks/$(1).txt $(2)
endef

# resolve ENVIRONMENT OPTIONS: versions for one platform and Python version, from wheels alone, with their hashes
define resolve
	@$(1)/bin/uv pip compile --quiet --only-binary :all: --generate-hashes --no-annotate --no-header $(2)
endef
