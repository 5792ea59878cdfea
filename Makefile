# The two commands are `make run` and `make test`. Everything is installed into .venv, from the locks, without root.
VENV ?= .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
CACHE := $(or $(OFFHOOK_CACHE),$(HOME)/.cache/offhook)
UV := $(CACHE)/uv-$(UV_VERSION)/bin/uv
SYNC = $(UV) pip sync --python $(BIN)/python
# Ourselves, and what was asked for with `make extras`: a sync to a lock takes everything else away.
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --no-deps --editable . && \
  { [ ! -s $(VENV)/.extras ] || $(UV) pip install --python $(BIN)/python --editable ".[local,$$(cat $(VENV)/.extras)]"; }

.PHONY: help run extras test check format bench diagram openapi pjsip test-vllm test-torch lock clean

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.DEFAULT_GOAL := help

run: $(VENV)/.run ## set up, start everything, make one call with spoken questions; ONCE=1 exits after it
	$(BIN)/offhook up --demo $(if $(ONCE),--once)

extras: $(VENV)/.run ## packages that other profiles need, kept from then on: EXTRAS="torch vllm", EXTRAS=ray
	@printf '%s' '$(strip $(EXTRAS))' | tr -s ' ' ',' > $(VENV)/.extras
	$(INSTALL)

test: $(VENV)/.dev ## the tests; takes what it tests against from Debian, where it may, and from npm
	@bash tests/peers.sh
	@bash tests/identity_provider.sh $(BIN)/python $(abspath $(CACHE))/identity-provider
	$(BIN)/offhook models pull --profile cpu-tiny
	$(BIN)/pytest --numprocesses 2 --no-loadscope-reorder

check: $(VENV)/.dev ## formatting, lint, types, import contracts, the API's document
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m orchestrator.openapi --check

format: $(VENV)/.dev ## what check would change, changed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## voice-to-voice latency at the caller over SIP, against benchmarks/thresholds.toml
	@bash tests/peers.sh
	$(BIN)/offhook models pull --profile cpu-tiny
	$(BIN)/python -m benchmarks

pjsip: $(VENV)/.run ## PJSIP 2.17 for hundreds of calls in one gateway process
	bash telephony/sip/build_pjsip.sh $(abspath $(VENV))

test-vllm: $(VENV)/.dev ## the vLLM engine on its CPU build, in an environment of its own (2 GB)
	$(BIN)/offhook models pull smollm2-135m
	bash tests/vllm.sh $(abspath $(CACHE))/vllm-venv

test-torch: $(VENV)/.dev ## the engines that need torch, in an environment of its own (1 GB)
	bash tests/torch.sh $(abspath $(CACHE))/torch-venv $(abspath $(UV))

openapi: $(VENV)/.dev ## docs/openapi.json, from the routes
	$(BIN)/python -m orchestrator.openapi

diagram: $(VENV)/.dev ## the diagram of docs/data-model.md, from a live schema
	$(BIN)/python -m orchestrator.store.diagram

lock: $(UV) ## the lock files, anew
	for extra in run dev; do \
	  $(UV) pip compile -q pyproject.toml --extra local $$( [ $$extra = dev ] && echo --extra ray --extra dev ) \
	    --python-version 3.11 --no-header --no-annotate --generate-hashes -o requirements-$$extra.lock; \
	done

clean: ## forget the environment
	rm -rf $(VENV) build dist

# Packages are built for one Python: say so before anything is fetched.
$(UV):
	@python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Offhook needs Python 3.11; python3 is $$(python3 --version)" >&2; exit 1; }
	python3 -m venv $(CACHE)/uv-$(UV_VERSION)
	$(CACHE)/uv-$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(BIN)/python: | $(UV)
	$(UV) venv --quiet --python python3 $(VENV)

# The tests' environment holds the run's, so `make run` after `make test` installs nothing.
$(VENV)/.run: requirements-run.lock pyproject.toml | $(BIN)/python
	[ -e $(VENV)/.dev ] || $(SYNC) --require-hashes requirements-run.lock
	$(INSTALL)
	touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(SYNC) --require-hashes requirements-dev.lock
	$(INSTALL)
	touch $@ $(VENV)/.run
