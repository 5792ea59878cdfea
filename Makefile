# The two commands are `make run` and `make test`. Everything is installed into .venv, from the locks, without root.
VENV ?= .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
CACHE := $(or $(OFFHOOK_CACHE),$(HOME)/.cache/offhook)
UV := $(CACHE)/uv-$(UV_VERSION)/bin/uv
SYNC = $(UV) pip sync --python $(BIN)/python

.PHONY: run up test check format bench pjsip test-vllm test-torch lock clean

run: $(VENV)/.run ## set up, start everything, make one call with spoken questions; ONCE=1 exits after it
	$(BIN)/offhook up --demo $(if $(ONCE),--once)

test: $(VENV)/.dev ## the tests; takes what it tests against from Debian where it may
	@bash tests/peers.sh
	$(BIN)/offhook models pull --profile cpu-tiny
	$(BIN)/pytest

check: $(VENV)/.dev ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## voice-to-voice latency at the caller over SIP, against benchmarks/thresholds.toml
	@bash tests/peers.sh
	$(BIN)/offhook models pull --profile cpu-tiny
	$(BIN)/python -m benchmarks

pjsip: $(VENV)/.run ## PJSIP 2.17 for hundreds of calls in one gateway process
	bash telephony/sip/build_pjsip.sh $(abspath $(VENV))

lock: $(UV)
	for extra in run dev; do \
	  $(UV) pip compile -q pyproject.toml --extra local $$( [ $$extra = dev ] && echo --extra ray --extra dev ) \
	    --python-version 3.11 --no-header --no-annotate --generate-hashes -o requirements-$$extra.lock; \
	done

clean:
	rm -rf $(VENV) build dist

$(UV):
	python3 -m venv $(CACHE)/uv-$(UV_VERSION)
	$(CACHE)/uv-$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(BIN)/python: | $(UV)
	$(UV) venv --quiet --python python3 $(VENV)

# The tests' environment holds the run's, so `make run` after `make test` installs nothing.
$(VENV)/.run: requirements-run.lock pyproject.toml | $(BIN)/python
	[ -e $(VENV)/.dev ] || $(SYNC) --require-hashes requirements-run.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(SYNC) --require-hashes requirements-dev.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@ $(VENV)/.run
