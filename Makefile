# One verb each; CI calls the same verbs and nothing else.
# Needs make and Python 3.11 or newer, nothing else. PYTHON=... chooses another one.

VENV := .venv
BIN := $(VENV)/bin
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 16))
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	"$$name" -c "$(FITS)" 2>/dev/null && command -v "$$name" && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
IMAGE ?= sidelight
TREE := build/compiled
AUDIT := build/audit
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); test $$n -lt 4 && echo $$n || echo 4)
# All of them by as many processes as there are processors, at most 4: each takes half a gigabyte.
# Some, named by TESTS, by one.
WHICH = $(or $(TESTS),--numprocesses=$(WORKERS) --dist=worksteal)
SOURCES := $(filter-out build dist,$(wildcard *)) .ci .dockerignore .importlinter

.DEFAULT_GOAL := help
.PHONY: help run test check coverage bench wheel audit image lock clean

help:  ## Say what can be made.
	@sed -n 's/^\([a-z]*\):.*  ## /  make \1\t/p' $(firstword $(MAKEFILE_LIST))

# On a terminal Sidelight gets a process group of its own, so that Ctrl-C reaches it alone:
# make would end by the signal too, and not with Sidelight's exit code.
run: $(VENV)/.run  ## Start Sidelight on :8080 before a demo chat backend, or UPSTREAM=http://host:port.
	@if [ -t 0 ]; then set -m; $(SIDELIGHT); else exec $(SIDELIGHT); fi
run: SIDELIGHT = $(BIN)/sidelight $(if $(UPSTREAM),run --upstream "$(UPSTREAM)",demo)

test: $(VENV)/.dev  ## Run every test; COMPILED=1: against what the wheel and the image hold.
	@$(if $(COMPILED),$(MAKE) --no-print-directory $(TREE)/.done && cd $(TREE) &&) \
		$(abspath $(BIN))/python -m pytest $(WHICH)

check: $(VENV)/.dev  ## Lint, format, types, floors.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

coverage: $(VENV)/.dev  ## Run every test measured; fails where a module is covered less than it must be.
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN)/python -m coverage run -m pytest $(WHICH)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage json --quiet -o build/coverage/report.json
	@$(BIN)/python tests/measured.py build/coverage/report.json

bench: $(VENV)/.dev  ## Measure against nginx, Caddy and a bare aiohttp proxy; writes docs/performance.md.
	@! command -v cc >/dev/null || $(MAKE) --no-print-directory $(TREE)/.done
	@$(BIN)/python benchmarks/bench.py --write docs/performance.md $(BENCH)
	@$(BIN)/python benchmarks/added.py --write docs/performance.md
	@$(BIN)/python benchmarks/streams.py --write docs/performance.md
	@$(BIN)/python benchmarks/tls.py --write docs/performance.md
	@$(BIN)/python benchmarks/reload.py --write docs/performance.md

audit: $(AUDIT)/.done  ## Look up known vulnerabilities of what the image has; its SBOM to build/sbom.json.
	@$(AUDIT)/bin/python -W ignore -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
		--output-reproducible --output-file build/sbom.json
	@$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes \
		--requirement requirements.lock --progress-spinner off --desc off

wheel: $(VENV)/.dev  ## Build dist/*.whl, its request path compiled for this platform.
	@mkdir -p dist && rm -f dist/*.whl
	@SIDELIGHT_COMPILE=require $(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

image:  ## Build the container image.
	@command -v docker >/dev/null || { echo "make image needs docker" >&2; exit 1; }
	docker build --tag "$(IMAGE)" \
		--label org.opencontainers.image.version="$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' proxy/__init__.py)" \
		--label org.opencontainers.image.revision="$$(git rev-parse HEAD 2>/dev/null)" .

lock: PIN = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" --upgrade
lock: COMPILE = printf 'setuptools>=77\n' | $(PIN) pyproject.toml -
lock:  ## Pin all dependencies anew, with hashes (needs uv).
	$(COMPILE) --extra otel --extra postgres --output-file requirements.lock
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --extra compile --constraint requirements-dev.lock --output-file deploy/compile.lock
	printf 'pip-audit\ncyclonedx-bom\n' | $(PIN) - --output-file deploy/audit.lock

clean:  ## Remove the virtual environment and all caches.
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Sidelight needs Python 3.11 or newer with its venv module" \
		"(on Debian: apt-get install python3-venv); none was found. PYTHON=... names one." >&2; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(TREE)/.done: $(VENV)/.dev $(shell git ls-files $(SOURCES) 2>/dev/null)
	@echo "compiling into $(TREE)"
	@$(MAKE) --no-print-directory wheel
	@rm -rf $(TREE) && mkdir -p $(TREE) && cp -R $(SOURCES) $(TREE)
	@$(BIN)/python -m zipfile -e dist/*.whl $(TREE)
	@touch $@

$(AUDIT)/.done: $(BIN)/python deploy/audit.lock
	@echo "installing what an audit needs"
	@$(BIN)/python -m venv $(AUDIT)
	@$(AUDIT)/bin/pip --disable-pip-version-check --quiet install --require-hashes \
		--requirement deploy/audit.lock
	@touch $@

$(VENV)/.run: $(BIN)/python requirements.lock pyproject.toml
	@echo "installing"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo "installing what tests and checks need"
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@
