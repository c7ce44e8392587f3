#!/bin/sh
# Proves the README's two commands on a bare machine: a fresh Debian (debootstrap's minbase with python3, git, make and
# ca-certificates, nothing else), a clone of what is committed here, `make run` until the embedded model has answered, `make test`.
#   scripts/bare_test.sh              both commands, as root (set-up may install Debian's packages)
#   scripts/bare_test.sh run          only `make run`; `user`: only `make run`, by a user who may install nothing
#   scripts/bare_test.sh test [PART]  only `make test`, or one part of it (check, backend, frontend, e2e)
#   scripts/bare_test.sh shell CMD    a command in the clone, after its set-up
# Needs root and debootstrap (apt-get install debootstrap). BARE_DIR keeps the tree for the next time; SUITE: bookworm or another.
set -eu
cd "$(dirname "$0")/.."
fail() { printf 'bare-test: %s\n' "$*" >&2; exit 1; }
say() { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
[ "$(id -u)" = 0 ] || fail "debootstrap needs root"
command -v debootstrap >/dev/null || fail "debootstrap is missing; install it with: apt-get install debootstrap"
suite=${SUITE:-bookworm}
port=${PORT:-8765}
what=${1:-all}
[ $# = 0 ] || shift
dir=${BARE_DIR:-$(mktemp -d)}
base=$dir/base tree=$dir/tree
clone=/home/newcomer/marketplace

mirror() { # where this machine's own apt takes Debian from: no address stands in the project
    apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null \
        | awk -v suite="$suite" '$1 == suite {print $2; exit}'
}
chroot_pids() { # what runs inside the tree, and nothing else
    for root in /proc/[0-9]*/root; do
        [ "$(readlink "$root" 2>/dev/null)" != "$tree" ] || basename "$(dirname "$root")"
    done
}
end() {
    for pid in $(chroot_pids); do kill -KILL "$pid" 2>/dev/null || true; done
    umount "$tree/proc" 2>/dev/null || true
    [ -n "${BARE_DIR:-}" ] || rm -rf --one-file-system "$dir"
}
trap end EXIT
trap 'exit 1' INT TERM

make_tree() {
    if [ ! -f "$base/.made" ]; then
        say "A bare Debian ($suite)"
        from=$(mirror)
        [ -n "$from" ] || fail "apt knows no mirror for $suite here"
        rm -rf --one-file-system "$base"
        debootstrap --variant=minbase --include=python3,git,make,ca-certificates "$suite" "$base" "$from" >"$dir/debootstrap.log" 2>&1 \
            || { umount "$base/proc" 2>/dev/null || true; tail -n 5 "$dir/debootstrap.log"; fail "debootstrap failed"; }
        umount "$base/proc" 2>/dev/null || true
        touch "$base/.made"
    fi
    rm -rf --one-file-system "$tree"
    cp -a "$base" "$tree"
    mount -t proc proc "$tree/proc"
    # The way to the package registries is this machine's own: names, certificates, apt's, pip's and npm's settings.
    for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/npmrc /root/.npmrc /etc/ssl/certs/ca-certificates.crt; do
        [ ! -e "$file" ] || { mkdir -p "$tree$(dirname "$file")"; cat "$file" >"$tree$file"; }
    done
    ca=$(npm config get cafile 2>/dev/null || true)
    [ ! -f "$ca" ] || { mkdir -p "$tree$(dirname "$ca")"; cat "$ca" >"$tree$ca"; }
    chroot "$tree" useradd --create-home newcomer
    git clone -q --no-hardlinks . "$tree$clone"
}

inside() { # user, then a command run in the clone with an empty environment but for the way out
    who=$1
    shift
    home=/root
    [ "$who" = root ] || home=/home/$who
    chroot "$tree" env -i $(env | sed -n 's/^\(PIP_[A-Z_]*\|[a-zA-Z_]*_proxy\|[A-Z]*_PROXY\|SSL_CERT_FILE\|NODE_EXTRA_CA_CERTS\|PYTEST_WORKERS\)=\([^ ]*\)$/\1=\2/p') \
        HOME="$home" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        setpriv --reuid "$who" --regid "$who" --init-groups sh -c "cd $clone && $*"
}

ask='
import json, time, urllib.request
base = "http://127.0.0.1:%s" % PORT
def call(path, body, token=""):
    head = {"content-type": "application/json"} | ({"authorization": "Bearer " + token} if token else {})
    return json.load(urllib.request.urlopen(urllib.request.Request(base + path, json.dumps(body).encode(), head), timeout=120))
for left in range(1200, -1, -1):
    try:
        urllib.request.urlopen(base + "/readyz", timeout=5)
        break
    except OSError:
        if not left:
            raise
        time.sleep(1)
token = call("/api/v1/marketplace/auth/signup", {"email": "bare@example.com", "password": "correct horse battery staple"})["token"]
print("the first answer:", json.dumps(call("/api/v1/agents/completion", {"model": "smollm2-135m", "prompt": "Say hi", "max_tokens": 8}, token)["result"]))
'
run() {
    say "make run, as $1"
    inside "$1" "exec make run PORT=$port" &
    server=$!
    printf 'PORT = %s\n%s' "$port" "$ask" | chroot "$tree" python3 - || fail "no first answer from the embedded model"
    kill -TERM "$server" 2>/dev/null || true
    for pid in $(chroot_pids); do kill -TERM "$pid" 2>/dev/null || true; done
    wait "$server" || true
    server=
}

make_tree
case $what in
    all) run root && say "make test" && inside root make test ;;
    run) run root ;;
    user)
        # Nobody installs anything in Debian here, so the one package that set-up would name is put there first.
        chroot "$tree" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv' >/dev/null
        chown -R --from=root "$(chroot "$tree" id -u newcomer)" "$tree$clone"
        run newcomer
        ;;
    test) inside root scripts/setup.sh test && inside root scripts/test.sh "$@" ;;
    shell) inside root scripts/setup.sh test && inside root "$@" ;;
    *) fail "unknown: $what" ;;
esac
say "Both commands' part ($what) works on a bare machine"
