# `make` lists what can be done. All of it happens in .venv, from requirements-dev.lock; nothing outside this folder changes.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
# the tests start many processes: none is to compile all of our files anew
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo test test-all cluster cluster-test million check image-size sbom deploy-check deploy-tools rules format lock histories clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHECKER := .deploy-check
say := @echo "==>"

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## start everything on embedded defaults and play a tour of orders
	@$(BIN)/orders demo

# Three processes for two cores, since tests wait as much as they work: each takes a file, and the next when it is
# through. Files that are named need only one process.
T ?= $(if $(CELLS),tests/workflows/test_crash_table.py)
SPLIT := $(if $(findstring .py,$(T)),,-n 3 --dist loadfile --no-loadscope-reorder --max-worker-restart 0)

test: $(READY) ## run the tests, with a sample of the crash table; T=tests/… for some of them, CELLS=… for its cells
	$(say) "tests"
	@$(BIN)/python -m pytest -q $(SPLIT) $(T)

test-all: $(READY) ## run the tests, and every cell of the crash table
	@$(MAKE) test T= CELLS=all

cluster: $(READY) ## build Temporal's server into .cluster/, for cluster-test (ten minutes, once)
	@tests/cluster/build

cluster-test: cluster ## break a real cluster, and upgrade one, under load; T=name for some of the drills
	$(say) "drills"
	@$(BIN)/python -m pytest -q -s --no-header --durations=0 -o faulthandler_timeout=900 tests/cluster -k "$(T)"

million: $(READY) ## grow orders that were played to a million, and look at what each statement costs then (40 GB of disk)
	@ORDERS_GROWN_TO="100000 1000000" $(BIN)/python -m pytest -q --no-header --durations=0 -o faulthandler_timeout=7200 \
	  tests/infra/database/test_growth.py

check: $(READY) ## format, style, types, import rules, migrations, then all tests
	$(say) "format and style"
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	$(say) "types"
	@$(BIN)/mypy
	$(say) "import rules"
	@said=$$($(BIN)/lint-imports --no-cache) || { echo "$$said"; exit 1; }
	$(say) "migrations match the tables"
	@$(BIN)/python -m pytest -q --no-header --durations=0 tests/infra/database/test_migrations.py
	@$(MAKE) test

image-size: $(READY) ## do what the image's build does, without Docker, and tell how many megabytes it holds
	@$(BIN)/python -m tests.infra.deploy.image

sbom: $(READY) ## list what the image installs, as CycloneDX, into build/sbom.json and build/sbom-sandbox.json
	@tool=$$(mktemp -d) && trap 'rm -rf "$$tool"' EXIT && mkdir -p build && $(BIN)/python -m venv "$$tool" && \
	"$$tool/bin/pip" install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0 && \
	list() { "$$tool/bin/cyclonedx-py" requirements "$$1" --pyproject pyproject.toml --output-reproducible -o "$$2"; } && \
	list requirements.lock build/sbom.json && list requirements-embedded.lock build/sbom-sandbox.json

deploy-check: $(READY) $(CHECKER)/.ready ## lint what is deployed, find planted errors, and run what compose starts (no cluster needed)
	$(say) "what a deployment is made of"
	@$(CHECKER)/bin/python -m infra.deploy.check
	$(say) "what compose starts, as processes"
	@$(BIN)/python -m pytest -q --no-header tests/deployed

deploy-tools: $(CHECKER)/.ready ## install what deploy-check runs

rules: ## write infra/deploy/rules.yml as a resource for Prometheus in a cluster
	@{ printf '%s\n' '# written by `make rules` from ../../rules.yml' 'apiVersion: monitoring.coreos.com/v1' 'kind: PrometheusRule' \
	  'metadata:' '  name: orders' 'spec:'; sed -n '/^groups:/,$$ s/^/  /p' infra/deploy/rules.yml; } \
	  > infra/deploy/kubernetes/base/rules.yaml

format: $(READY) ## format the code and mend what can be mended by rule
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

histories: $(READY) ## record the histories that tests replay anew (say why in the commit)
	@$(BIN)/python -m tests.workflows.recording

lock: $(READY) ## resolve the dependencies anew into the locks: runtime, -embedded (and the sandbox), -build, -dev (all)
	$(say) "resolving"
	@tool=$$(mktemp -d) && trap 'rm -rf "$$tool"' EXIT && $(BIN)/python -m venv "$$tool" && \
	"$$tool/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9 && \
	resolve() { "$$tool/bin/uv" pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	  --no-emit-index-url --no-annotate --custom-compile-command "make lock" "$$@"; } && \
	resolve --extra embedded --group dev -o requirements-dev.lock pyproject.toml && \
	resolve --extra embedded -c requirements-dev.lock -o requirements-embedded.lock pyproject.toml && \
	resolve --group build -c requirements-dev.lock -o requirements-build.lock && \
	resolve -c requirements-dev.lock -o requirements.lock pyproject.toml && \
	resolve -o infra/deploy/requirements-check.lock infra/deploy/requirements-check.in

clean: ## remove .venv, caches and the embedded state
	@rm -rf $(VENV) $(CHECKER) .orders .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Names what is missing in one line, and what to do about it.
define find_python
fits() { "$$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }; \
for python in "$(PYTHON)" python3.13 python3.12 python3.11 python3; do \
  if [ -n "$$python" ] && fits "$$python"; then break; fi; python=; \
done; \
stop() { echo "make: $$1" >&2; exit 1; }; \
[ -n "$$python" ] || stop "needs Python 3.11, 3.12 or 3.13: install one, or name it (make PYTHON=/path/to/python3)"; \
"$$python" -c 'import venv, ensurepip' 2>/dev/null || \
  stop "$$python has no venv and pip: install them (on Debian and Ubuntu: apt install python3-venv)"
endef

$(READY): requirements-dev.lock pyproject.toml
	@$(find_python); \
	if ! { fits $(BIN)/python && $(BIN)/python -m pip --version; } >/dev/null 2>&1; then \
	  echo "==> making $(VENV) with $$("$$python" --version)"; rm -rf $(VENV); "$$python" -m venv $(VENV); \
	fi; \
	echo "==> installing what requirements-dev.lock names (a minute, the first time)"; \
	pip="$(BIN)/python -m pip install --quiet --disable-pip-version-check"; \
	$$pip --require-hashes -r requirements-dev.lock && $$pip --no-deps --no-build-isolation -e . || \
	  stop "the packages could not be installed: pip must reach a package index (see PIP_INDEX_URL, HTTPS_PROXY)"; \
	touch $@

$(CHECKER)/.ready: infra/deploy/requirements-check.lock
	@$(find_python); \
	echo "==> installing what infra/deploy/requirements-check.lock names (a minute, the first time)"; \
	rm -rf $(CHECKER); "$$python" -m venv $(CHECKER) && \
	$(CHECKER)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r $< || \
	  stop "the packages could not be installed: pip must reach a package index (see PIP_INDEX_URL, HTTPS_PROXY)"; \
	touch $@
