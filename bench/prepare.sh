#!/bin/sh
# Makes an account with enough credit and a key in a scratch data directory ($1); the key is the last line.
set -eu
export MARKETPLACE_DATA_DIR="$1/data"
pwd > "$1/home"
tool=.venv/bin/agent-marketplace
echo bench-password-1234 | $tool user create bench@example.com >/dev/null
$tool user grant bench@example.com 100000 >/dev/null
$tool key create --user bench@example.com
