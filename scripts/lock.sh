#!/bin/sh
# Renews the hash-locked requirements from backend/pyproject.toml. Needs the network; review the diff before committing.
set -eu
cd "$(dirname "$0")/../backend"
mkdir -p requirements
../.venv/bin/python -m pip install -q pip-tools
compile() { ../.venv/bin/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header "$@"; }
printf '%s\n' "hatchling==1.33.0" "editables==0.6" > requirements/build.in
compile --extra local --extra postgres -o requirements/run.lock pyproject.toml requirements/build.in
compile --extra local --extra postgres -o requirements/dev.lock pyproject.toml requirements/build.in requirements/dev.in
