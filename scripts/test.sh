#!/bin/sh
# Runs the checks and tests; with a name (check, backend, frontend, e2e) only that part, or `coverage`. Every part runs even if an earlier one failed.
#   scripts/test.sh trials   what takes minutes: the product's own process killed in each phase of a run, and hostile bodies
#   scripts/test.sh fix      formats, and mends what the linters can mend
#   scripts/test.sh one T    one test: a file or id of pytest's, a word of a test's name, a file of the page's tests
set -u
cd "$(dirname "$0")/.."
[ -x .tools/node/bin/node ] && PATH="$PWD/.tools/node/bin:$PATH" && export PATH
bin=$PWD/.venv/bin
only=${1:-all}
failed=
say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
step() {
    name=$1
    shift
    say "$name"
    started=$(date +%s)
    "$@" || failed="$failed\n  $name"
    echo "    ($(($(date +%s) - started)) s)"
}
part() { [ "$only" = all ] || [ "$only" = "$1" ]; }

if [ ! -x "$bin/ruff" ] || [ ! -e frontend/node_modules/.installed ]; then
    echo "The tools for this are not here yet: run make setup-dev (or make test, which brings a browser and PostgreSQL too)." >&2
    exit 1
fi

in_backend() { (cd backend && "$@"); }
in_frontend() { (cd frontend && "$@"); }
in_extension() { (cd editors/vscode && "$@"); }
same_types() (
    made=$(mktemp)
    "$bin/agent-marketplace" openapi >"$made" && diff -q frontend/openapi.json "$made" && cd frontend && npm run --silent gen:check
    code=$?
    rm -f "$made"
    [ $code = 0 ] || echo "    the document or the types are stale: run make openapi"
    exit $code
)
pytests() { in_backend "$bin/python" -m pytest -n "${PYTEST_WORKERS:-3}" --dist loadgroup --durations=10; }
# Measuring takes half as long again, and what PostgreSQL repeats after SQLite adds no line: a target of its own, every night.
coverage() (
    cd backend || exit 1
    rm -f .coverage .coverage.*
    code=0
    EXAMPLES=all "$bin/coverage" run -m pytest -n "${PYTEST_WORKERS:-3}" --dist loadgroup -m "not repeated" || code=$?
    "$bin/coverage" combine -q # a process that a test killed may leave a torn file: it says so and goes on
    rm -f .coverage.*
    report=$("$bin/coverage" report --skip-covered --sort=-cover) || code=1
    printf '%s\n' "$report" | tail -n 40
    "$bin/coverage" report --skip-covered --include='*/ledger/*,*/vault/*,*/net/*,*/wires/sse.py' --fail-under=97 || code=1
    exit $code
)

one() {
    case $1 in
        "") echo "say which: make test-one T=tests/unit/test_x.py, or a word of its name" >&2 && return 2 ;;
        *.spec.ts*) in_frontend npx playwright test "${1#frontend/}" ;;
        editors/vscode/*.test.ts) in_extension npx vitest run "${1#editors/vscode/}" ;;
        *.test.ts*) in_frontend npx vitest run "${1#frontend/}" ;;
        *.py*) in_backend "$bin/python" -m pytest -q "${1#backend/}" ;;
        *) in_backend "$bin/python" -m pytest -q -k "$1" ;;
    esac
}
case $only in
    fix)
        in_backend "$bin/ruff" check -q --fix .
        in_backend "$bin/ruff" format -q .
        in_frontend npm run --silent format
        in_extension npm run --silent format
        exit
        ;;
    one)
        one "${2:-}"
        exit
        ;;
    trials)
        in_backend "$bin/python" -m tests.fakes.simulated "${SCHEDULES:-3000}" || exit 1
        TRIALS=1 in_backend "$bin/python" -m pytest -q tests/faults/test_runs_killed.py tests/faults/test_mcp_reference.py
        killed=$?
        PYTHONPATH=backend "$bin/python" bench/stalls.py && exit $killed
        exit 1
        ;;
esac

checks() {
    step "Formatting" in_backend "$bin/ruff" format --check -q .
    step "Lint" in_backend "$bin/ruff" check -q .
    step "Types" in_backend "$bin/mypy"
    step "Import directions" in_backend "$bin/lint-imports"
    step "House rules" "$bin/python" scripts/check_rules.py
    step "Dead code" "$bin/python" scripts/dead_code.py
}
ui() {
    step "UI: types" in_frontend npm run --silent typecheck
    step "UI: API types are the server's" same_types
    step "UI: lint" in_frontend npm run --silent lint
    step "UI: no dead code" in_frontend npm run --silent deadcode
    step "UI: unit tests" in_frontend npm run --silent test
    step "UI: size budget" in_frontend npm run --silent size
    step "Extension: types" in_extension npm run --silent typecheck
    step "Extension: lint" in_extension npm run --silent lint
    step "Extension: unit tests" in_extension npm run --silent test
}
# The checks of either side keep one core each: side by side they take the time of the longer one. What the UI's said comes after.
side_by_side() {
    said=$(mktemp -d)
    (failed= && ui && printf '%s' "$failed" >"$said/failed") >"$said/out" 2>&1 &
    other=$!
    trap 'trap - TERM; kill 0' INT # a part in the background does not hear Ctrl+C
    checks
    wait "$other" || failed="$failed\n  UI: its checks ended early"
    trap - INT
    cat "$said/out"
    failed="$failed$(cat "$said/failed" 2>/dev/null)"
    rm -rf "$said"
}
case $only in
    all) side_by_side ;;
    check) checks ;;
    frontend) ui ;;
esac
if part backend; then
    step "Backend tests" pytests
fi
if part e2e; then
    step "Browser tests" in_frontend npm run --silent e2e
fi
if [ "$only" = coverage ]; then
    step "Coverage" coverage
fi
if [ -n "$failed" ]; then
    printf '\nFAILED:%b\n' "$failed"
    exit 1
fi
printf '\nAll checks passed.\n'
