#!/bin/sh
# Renews the hash-locked requirements from backend/pyproject.toml. Needs the network; review the diff before committing.
# A version that was published less than a week ago is not taken: stolen releases are mostly found within days.
set -eu
cd "$(dirname "$0")/../backend"
mkdir -p requirements
bin=$PWD/../.venv/bin
week="--uploaded-prior-to=P7D"
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
"$bin/python" -m pip install -q "pip>=26.1" pip-tools # an older pip knows no --uploaded-prior-to in days
compile() { "$bin/pip-compile" -q --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --pip-args="$week" "$@"; }
printf '%s\n' "hatchling==1.33.0" "editables==0.6" > requirements/build.in
for lock in run build node openmp encoder dev; do
    [ ! -f "requirements/$lock.lock" ] || cp "requirements/$lock.lock" "$made/"
done
compile --extra local --extra otel --extra postgres --extra stripe -o "$made/run.lock" pyproject.toml
for lock in build node openmp encoder; do compile -o "$made/$lock.lock" "requirements/$lock.in"; done
# Of the package that carries libgomp nothing but that file is used: what it would need to be imported stays away.
awk '/^[^ #]/ {kept = /^pykdtree==/} kept' "$made/openmp.lock" > "$made/kept" && mv "$made/kept" "$made/openmp.lock"
compile --extra local --extra otel --extra postgres --extra stripe -o "$made/dev.lock" pyproject.toml requirements/build.in requirements/dev.in
# pip itself has the last word on age and hashes; a lock that it refuses does not replace the old one.
"$bin/python" -m pip download -q --no-deps --require-hashes "$week" -d "$made/files" -r "$made/dev.lock"
mv "$made"/*.lock requirements/
