#!/bin/sh
# A few flows of the page in Firefox as it comes: Debian's firefox-esr (as root it is brought), or FIREFOX=PROGRAM.
set -eu
cd "$(dirname "$0")/.."
[ -x .tools/node/bin/node ] && PATH="$PWD/.tools/node/bin:$PATH" && export PATH
if [ -z "${FIREFOX:-}" ]; then
    FIREFOX=$(command -v firefox-esr || command -v firefox || true)
    if [ -z "$FIREFOX" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends firefox-esr >/dev/null
        FIREFOX=$(command -v firefox-esr)
    fi
    [ -n "$FIREFOX" ] || { echo "firefox-test: sudo apt-get install firefox-esr, or FIREFOX=PROGRAM" >&2; exit 1; }
    export FIREFOX
fi
cd frontend
# The package's own Node: the script is TypeScript, and speaks to Firefox by Node's WebSocket.
PATH="$PWD/node_modules/.bin:$PATH" exec node --experimental-transform-types --no-warnings firefox/smoke.ts
