# Leadwire. Needs git, make and Python 3.13; everything else is installed into .venv and .tools, pinned.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3.13
STAGE ?= dev
# Of the functions that are deployed. Here they are built for this machine instead, because they also run here.
ARCHITECTURE ?= arm64
HERE := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

# sam looks for python3.13 on the PATH.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PYTHONUNBUFFERED := 1

SOURCES := layers/core/python functions local cli

# uv where it can be installed, pip where not: $(call install,<environment>,<arguments>)
install = if [ -x .venv/bin/uv ]; then .venv/bin/uv pip install --quiet --python $(1)/bin/python $(2); \
	else .venv/bin/python -m pip --python $(1)/bin/python install --quiet --disable-pip-version-check $(2); fi

comma := ,
# Of the list engine: how many, and steps of each
STORIES := [200$(comma) 1000]

# $(call suite,<name>,<command>): what runs, how long it took, and what to do when it fails
suite = @start=$$SECONDS; printf '\033[1m%s\033[0m\n' '--- $(1)'; \
	if $(2); then printf -- '--- $(1): ok, %s s\n\n' "$$((SECONDS - start))"; \
	else printf '\n=== FAILED: %s ===\nrun it alone: %s\n' '$(1)' '$(2)' >&2; exit 1; fi

.PHONY: help
help: ## What there is
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {print "\n" substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Run it

.PHONY: run
run: .venv/.run ## Leadwire on this machine, on SQLite: PORT=8787, SCHEDULE_SCALE=1, data kept in .leadwire
	@exec .venv/bin/python -m local serve

.PHONY: stop
stop: .venv/.run ## End what `make run` started
	@.venv/bin/python -m local stop

.PHONY: cloud
cloud: .venv/.run .tools/sam/.done .tools/ministack/.done ## The real template on an emulator of AWS: PORT=4566
	@.venv/bin/python -m local.cloud up

.PHONY: cloud-stop
cloud-stop: .venv/.run ## End what `make cloud` started, and forget its data
	@.venv/bin/python -m local.cloud down

.PHONY: invoke
invoke: .venv/.run .tools/sam/.done .tools/ric/.done ## A built function under the real Lambda runtime: F=health E=ok
	@.venv/bin/python -m local.invoke "$(F)" "$(E)"

##@ Check it

.PHONY: test
test: export LEADWIRE_LIST_PROPERTY = $(STORIES)
test: check test-python test-cloud ## Everything that must pass, in ten minutes
	@printf '=== all suites passed ===\n'

.PHONY: check
check: .venv/.dev .tools/sam/.done .tools/checkov/.done ## Without running it: style, types, arrows, template, security
	$(call suite,style,ruff check . && ruff format --check .)
	$(call suite,types,mypy)
	$(call suite,import arrows,lint-imports)
	$(call suite,security of the code,bandit -q -c pyproject.toml -r $(SOURCES))
	$(call suite,dependencies,deptry --config tools/deptry.toml $(SOURCES))
	$(call suite,dependencies of the layer,deptry --config tools/deptry.toml --requirements-files layers/deps/requirements.in \
		--per-rule-ignores "DEP004=boto3|botocore|swagger_ui_bundle$(comma)DEP002=tzdata" layers/core/python functions)
	$(call suite,template,cfn-lint template.yaml)
	$(call suite,template as sam sees it,AWS_DEFAULT_REGION=us-east-1 .tools/sam/bin/sam validate --lint)
	$(call suite,security of the template,.tools/checkov/bin/checkov --config-file .checkov.yaml -f template.yaml)

.PHONY: test-python
test-python: .venv/.dev .tools/verifiers/.done .tools/js/.done ## Units, stores, dialects, flows on the embedded cloud, contracts: T="tests/unit -k …"
	$(call suite,tests,pytest -q -n 2 -m "not emulator" $(T))

.PHONY: test-lists
test-lists: .venv/.dev ## 200 stories of 1,000 steps that every list must agree with
	$(call suite,stories of the list engine,LEADWIRE_LIST_PROPERTY="$(STORIES)" pytest -q -n 2 tests/properties/test_list_engine.py -k whatever_the_indexer)

.PHONY: soak
soak: .venv/.dev ## Fifty clients at the same twenty leads for sixty seconds, and a recount
	@set -o pipefail; LEADWIRE_SOAK="[50$(comma) 60]" pytest -q -s tests/flows/test_twenty_leads.py | grep -v '^{'

.PHONY: test-cloud
test-cloud: .venv/.dev .tools/sam/.done .tools/ministack/.done ## sam build, sam deploy and flows on the emulator
	$(call suite,the store on the emulator,pytest -q -m emulator tests/store)
	$(call suite,flows on the emulator,pytest -q -m emulator tests/flows/emulator)

MINUTES ?= 5
.PHONY: fuzz
fuzz: .venv/.dev ## schemathesis, every check, against the running stack: MINUTES=5 in all, D="crm lists" for some dialects
	@.venv/bin/python -m tests.fuzz $(D) --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

.PHONY: fmt
fmt: .venv/.dev ## Format and mend what ruff can mend
	@ruff format . && ruff check --fix .

.PHONY: bench-lists
bench-lists: .venv/.dev ## What lists cost at 1,000 to 1,000,000 leads, beside the usual ways: takes ten minutes, 4 GB of disk
	@.venv/bin/python -m bench.lists

.PHONY: bench-import
bench-import: .venv/.dev ## Files of 10,000 and 100,000 leads in and out again, embedded: rows a second, CPU, write units, memory
	@.venv/bin/python -m bench.imports

.PHONY: bench-http
bench-http: .venv/.dev ## Requests a second and latencies over HTTP, embedded
	@.venv/bin/python -m bench.http

.PHONY: test-crashes
test-crashes: .venv/.dev ## Workers that die at any call, over a thousand times: events, deliveries, duplicates; about ten minutes
	@LEADWIRE_CRASHES=1000 .venv/bin/python -m pytest -q tests/faults

.PHONY: bench-webhooks
bench-webhooks: .venv/.dev .tools/bench/.done ## Deliveries a second and latencies of one worker, beside Celery (needs redis-server)
	@.venv/bin/python bench/webhooks/run.py

##@ Deploy it

.PHONY: build
build: .venv/.run .tools/sam/.done ## Functions and layers for AWS, into .aws-sam/build: ARCHITECTURE=arm64
	@ARCHITECTURE=$(ARCHITECTURE) .tools/sam/bin/sam build --config-env $(STAGE) \
		--parameter-overrides Architecture=$(ARCHITECTURE)

.PHONY: deploy
deploy: build ## Build and deploy with the credentials of the environment: STAGE=dev or prod
	@.tools/sam/bin/sam deploy --config-env $(STAGE)

.PHONY: clean
clean: ## Remove what was built; environments and data stay
	rm -rf .aws-sam .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -not -path './.tools/*' -prune -exec rm -rf {} +

# --- environments: made when missing, renewed when their pins change ---------------------------------------------------

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null && $(PYTHON) -c '' || \
		{ echo 'Leadwire needs Python 3.13: install it, or say PYTHON=/path/to/python3.13' >&2; exit 1; }
	@echo 'Making .venv …'
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement tools/uv.txt || \
		echo 'No uv here; pip does it too, more slowly.'

.venv/.run: requirements.txt pyproject.toml | .venv/bin/python
	@echo 'Installing what Leadwire runs on …'
	@$(call install,.venv,--requirement requirements.txt) && $(call install,.venv,--no-deps --editable .)
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.run
	@echo 'Installing what Leadwire is checked with …'
	@$(call install,.venv,--requirement requirements-dev.txt)
	@touch $@

.tools/js/.done: tools/js/package-lock.json
	@echo 'Installing the verifiers in JavaScript …'
	@command -v npm >/dev/null || { echo 'The verifiers in JavaScript need Node: install it' >&2; exit 1; }
	@mkdir -p .tools/js && cp tools/js/package.json tools/js/package-lock.json tools/js/verify.js .tools/js/
	@npm ci --prefix .tools/js --ignore-scripts --silent --no-audit --no-fund
	@touch $@

.tools/%/.done: tools/%.txt | .venv/.run
	@echo 'Installing $* …'
	@rm -rf .tools/$* && .venv/bin/python -m venv --without-pip .tools/$*
	@$(call install,.tools/$*,--requirement $<)
	@touch $@
