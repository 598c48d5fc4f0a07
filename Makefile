# Each target first installs what it needs into .venv, unless that is done.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
EMBEDDED := $(PY) -m tools.embedded
TEMPORARY := $(EMBEDDED) --temporary --

# For the demo and the shell; from the environment or the command line: make demo PORT=9000
PORT ?= 8000
DATA_DIR ?= .data
DEMO_ENTRIES ?= 500
# For the tests: make test ARGS="tests/unit -k queue"
ARGS ?=
export PORT DATA_DIR DEMO_ENTRIES

# Images with Python often set it. Then each process of a run, and there are hundreds, compiles all
# modules of the project again.
unexport PYTHONDONTWRITEBYTECODE

# Enough for Django's deployment checks to pass.
PRODUCTION := REDRIVE_ENV=production ALLOWED_HOSTS=redrive.example.com \
	SECRET_KEY=only-for-the-checks-of-make-check-and-for-nothing-else-at-all

.DEFAULT_GOAL := help
# Two installs into one environment at the same time break it, and -j gains nothing here.
.NOTPARALLEL:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: $(VENV)/.demo ## Run the demo until Ctrl-C (PORT, DATA_DIR, DEMO_ENTRIES)
	@exec $(PY) -m tools.demo

.PHONY: screenshots
screenshots: $(VENV)/.dev ## Make the pictures of README and docs from a demo (PORT, ARGS="front phone")
	@exec $(PY) -m tools.pictures $(ARGS)

.PHONY: shell
shell: $(VENV)/.demo ## Open a Django shell on the demo's data, also while the demo runs
	@exec env REDRIVE_ENV=demo SECRET_KEY=only-for-a-shell $(EMBEDDED) -- $(PY) manage.py shell

.PHONY: test
test: $(VENV)/.dev browser ## Run the tests (ARGS="tests/unit -k queue")
	@exec $(TEMPORARY) $(PY) -m pytest $(ARGS)

# Collecting asks no server.
.PHONY: bytecode
bytecode: $(VENV)/.dev
	@DATABASE_URL=postgresql:///none REDIS_URL=redis://localhost $(PY) -m pytest -n 0 --collect-only --quiet >/dev/null

.PHONY: coverage
coverage: $(VENV)/.dev browser ## Run the tests and show which lines none of them runs; takes twice as long
	@exec $(TEMPORARY) $(PY) -m pytest --numprocesses=2 --cov=config --cov=entries --cov=retry --cov=tools \
		--cov-report=term:skip-covered $(ARGS)

.PHONY: faults
faults: $(VENV)/.dev ## Break everything on purpose (ARGS="killer upstream", FAULTS=long)
	@exec $(PY) -m faults $(ARGS)

.PHONY: matrix
matrix: $(VENV)/.dev ## Run the core of the tests on other versions (ARGS="--list", "--cell opposite --all")
	@exec $(PY) -m tools.matrix $(ARGS)

.PHONY: upgrade
upgrade: $(VENV)/.dev ## Upgrade from a commit while everything works, and count what is lost (FROM=v0.1)
	@exec $(PY) -m faults.upgrade $(FROM)

.PHONY: permissions
permissions: $(VENV)/.dev ## Rewrite docs/permissions.md: every kind of user at every address
	@exec $(TEMPORARY) $(PY) -m tests.walk

.PHONY: openapi
openapi: $(VENV)/.dev ## Rewrite the document of the JSON API
	@REDRIVE_ENV=test exec $(PY) -m tools.openapi

.PHONY: fuzz
fuzz: $(VENV)/.dev ## 20,000 bad requests at the API, 5,000 at the admin: no 5xx (FUZZ_SEED=1)
	@FUZZ_REQUESTS=20000 exec $(TEMPORARY) $(PY) -m pytest --no-cov -n 0 tests/fuzz/test_api.py
	@FUZZ_REQUESTS=5000 exec $(TEMPORARY) $(PY) -m pytest --no-cov -n 0 tests/fuzz/test_admin.py

.PHONY: fuzz-api
fuzz-api: $(VENV)/.dev ## 20,000 requests at the API made from its document, stateful: no answer outside of it
	@FUZZ_REQUESTS=20000 exec $(TEMPORARY) $(PY) -m pytest --no-cov -n 0 tests/fuzz/test_document.py

.PHONY: browser
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
		printf '\n*** Chromium is not installed: THE BROWSER TESTS WILL NOT RUN.\n'; \
		printf '*** apt-get install chromium, or set REQUIRE_BROWSER=1 to make this a failure.\n\n'; \
		test -z "$$REQUIRE_BROWSER"; }

.PHONY: check
check: $(VENV)/.dev ## Lint, formatting, types, import contracts, migrations, deployment checks
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports
	$(PY) -m mypy .
	REDRIVE_ENV=test $(TEMPORARY) $(PY) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(TEMPORARY) $(PY) manage.py check --deploy --fail-level WARNING

.PHONY: messages
messages: $(VENV)/.dev ## Bring the catalogs of translations up to date with the code, and compile them
	@exec $(PY) -m tools.messages

.PHONY: lock
lock: $(VENV)/.dev ## Pin the requirements of pyproject.toml, with hashes
	$(LOCK) --extra server --output-file requirements/runtime.txt
	$(LOCK) --extra server --extra embedded --output-file requirements/demo.txt
	$(LOCK) --extra server --extra embedded --extra client --extra dev --output-file requirements/dev.txt

.PHONY: platforms
platforms: $(VENV)/.dev ## Ask the registry whether the locks install without a compiler, on every platform
	@exec $(PY) -m tools.platforms

LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --constraint requirements/constraints.txt pyproject.toml

.PHONY: client
client: $(VENV)/.dev ## Make the client without an event loop from the one with
	$(PY) -m tools.make_client

.PHONY: bench
bench: $(VENV)/.dev ## Measure, against other queues where installed (ARGS="draining --full", DURABLE=1)
ifdef DURABLE
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && \
		$(EMBEDDED) --data "$$data" -- $(PY) -m bench $(ARGS)
else
	@exec $(TEMPORARY) $(PY) -m bench $(ARGS)
endif

.PHONY: peers
peers: $(VENV)/.dev ## Install the queues that make bench compares with
	$(PY) -m bench.peers

.PHONY: clean
clean: ## Remove the environment and caches; the demo's data stay (rm -r .data)
	rm -rf $(VENV) .matrix .static .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ---------------------------------------------------------------------------

.PHONY: environment
environment: $(VENV)/.dev

# The files list every package. With --no-deps, pip does not look for newer releases of those with
# extras, which have no hash here.
# An environment of `uv venv` has no pip.
define INSTALL
@if $(PY) -c 'import pip' 2>/dev/null; then \
	set -x; $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<; \
elif command -v uv >/dev/null; then \
	set -x; uv pip install --quiet --python $(PY) --require-hashes --no-deps -r $<; \
else \
	echo '$(VENV) has no pip, and there is no uv on the PATH. Run: $(PY) -m ensurepip'; exit 1; \
fi
endef

$(PY):
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python")'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'On Debian: apt-get install python3-venv'; exit 1; }

$(VENV)/.demo: requirements/demo.txt | $(PY)
	$(INSTALL)
	@touch $@

# Has all of the other; requirements/runtime.txt is for servers, which bring PostgreSQL and Redis.
$(VENV)/.dev: requirements/dev.txt $(VENV)/.demo | $(PY)
	$(INSTALL)
	@touch $@
