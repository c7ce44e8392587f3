# Two commands do everything: `make run` and `make test`.
PORT ?= 8000
HOST ?= 127.0.0.1
SHELL := /bin/sh

.PHONY: help run test setup setup-dev dev fix test-one demo wheel check backend-test coverage frontend-test e2e bare-test \
	clients trials lock licences sbom openapi clean

help:            ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run:             ## set up and serve on http://127.0.0.1:8000 (PORT=9000 for another port)
	@scripts/setup.sh run
	@exec .venv/bin/agent-marketplace serve --host $(HOST) --port $(PORT)

setup:           ## set up everything that serving needs; leaves .venv/bin/agent-marketplace
	@scripts/setup.sh run

setup-dev:       ## set up what working on it needs (no browser, no PostgreSQL: a minute or two)
	@scripts/setup.sh dev

dev:             ## serve with reload: the API on PORT, the page on http://127.0.0.1:5173
	@scripts/setup.sh dev
	@exec .venv/bin/python scripts/dev.py $(PORT)

fix:             ## format and mend what the linters can mend
	@scripts/test.sh fix

test-one:        ## one test: T=tests/unit/test_x.py::test_y, a word of its name, src/x.test.ts or e2e/x.spec.ts
	@scripts/test.sh one "$(T)"

demo:            ## serve with a seeded account and a guided tour
	@scripts/setup.sh run
	@exec .venv/bin/agent-marketplace demo --host $(HOST) --port $(PORT)

wheel:           ## build dist/: the wheel with its web UI, and the hash-locked requirements to install with it
	@scripts/setup.sh build
	@rm -rf dist
	@.venv/bin/python -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist ./backend
	@cp backend/requirements/run.lock dist/requirements.lock
	@ls dist

test:            ## set up and run all checks and tests
	@scripts/setup.sh test
	@scripts/test.sh

check:           ## formatting, lint, types, import directions, house rules
	@scripts/test.sh check

backend-test:    ## the Python tests
	@scripts/test.sh backend

coverage:        ## the Python tests under coverage, and its gates
	@scripts/setup.sh test
	@scripts/test.sh coverage

frontend-test:   ## the UI's checks and unit tests
	@scripts/test.sh frontend

e2e:             ## the whole story in a real browser
	@scripts/test.sh e2e

.PHONY: editor-test
editor-test:     ## the extension in VS Code's own code (code-server; three minutes and 620 MB the first time)
	@scripts/setup.sh test
	@scripts/editor_test.sh

.PHONY: firefox-test
firefox-test:    ## a few flows of the page in Debian's Firefox (as root it is brought)
	@scripts/setup.sh dev
	@scripts/setup.sh run
	@scripts/firefox_test.sh

bare-test:       ## both commands in a bare Debian made for it (needs root and debootstrap)
	@scripts/bare_test.sh

clients:         ## run real coding agents and libraries against the server (CLIENTS="codex aider": some)
	@scripts/setup.sh test
	@.venv/bin/python bench/clients/run.py $(CLIENTS)

.PHONY: langchain-tests
langchain-tests: ## LangChain's standard tests against the server and a scripted provider
	@scripts/setup.sh test
	@.venv/bin/python bench/clients/standard.py

.PHONY: payments-trial
payments-trial:  ## what we send to Stripe, judged by its own stripe-mock (needs Go), and saved cards by localstripe; both need the network
	@scripts/setup.sh test
	@.venv/bin/python bench/payments/trial.py
	@.venv/bin/python bench/payments/saved_cards.py

openapi:         ## write frontend/openapi.json and the UI's types from the server
	@.venv/bin/agent-marketplace openapi > frontend/openapi.json
	@cd frontend && npm run --silent gen

licences:        ## write docs/licences.md from the lock file
	@.venv/bin/python scripts/dependencies.py licences > docs/licences.md

sbom:            ## print the software bill of materials (CycloneDX JSON)
	@.venv/bin/python scripts/dependencies.py sbom

trials:          ## what takes minutes and is no part of make test: simulated faults, killed servers, hostile bodies
	@scripts/setup.sh test
	@scripts/test.sh trials

lock:            ## renew the hash-locked requirements
	@scripts/lock.sh

clean:           ## remove what set-up made (not your data)
	rm -rf .venv .tools frontend/node_modules frontend/dist editors/vscode/dist backend/agent_marketplace/web
