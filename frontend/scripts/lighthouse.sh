#!/bin/sh
# Lighthouse against a running server with a built UI, by hand: scripts/lighthouse.sh [URL] [desktop|mobile]
# Lighthouse is no dependency of this package; it is fetched into a folder of its own the first time.
# Passes when performance >= 0.95 (desktop), accessibility = 1 and best practices = 1, in the median of three runs.
set -eu

url=${1:-http://127.0.0.1:8000/}
form=${2:-desktop}
here=$(cd "$(dirname "$0")/.." && pwd)
tool=${LIGHTHOUSE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/agent-marketplace/lighthouse-13.5.0}
PATH="$here/node_modules/.bin:$PATH"
export PATH CHROME_PATH="${CHROMIUM:-/usr/bin/chromium}"

if [ ! -x "$tool/node_modules/.bin/lighthouse" ]; then
    mkdir -p "$tool"
    npm install --prefix "$tool" --no-audit --no-fund --loglevel=error lighthouse@13.5.0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
preset=
[ "$form" = desktop ] && preset=--preset=desktop
for run in 1 2 3; do
    # shellcheck disable=SC2086  # an empty preset must vanish
    node "$tool/node_modules/lighthouse/cli/index.js" "$url" $preset --quiet --output=json --output-path="$out/$run.json" \
        --only-categories=performance,accessibility,best-practices \
        --chrome-flags="--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --no-first-run"
done
node "$here/scripts/lighthouse-verdict.mjs" "$form" "$out"/1.json "$out"/2.json "$out"/3.json
