#!/bin/sh
# Install quychu from this folder, without a network.
#
# usage: sh install.sh [FOLDER]     FOLDER is made new; "$HOME/quychu" unless given
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-"$HOME/quychu"}

say() { printf '%s\n' "$*" >&2; }

cd "$here"
if command -v sha256sum >/dev/null 2>&1; then
    sha256sum --check --quiet SHA256SUMS || { say "a file of this folder was changed or is missing; copy it again."; exit 1; }
elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 --check SHA256SUMS >/dev/null || { say "a file of this folder was changed or is missing; copy it again."; exit 1; }
fi
cd - >/dev/null

for python in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
    if command -v "$python" >/dev/null 2>&1 &&
        "$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        found=$python
        break
    fi
done
if [ -z "${found:-}" ]; then
    say "expected Python 3.11, 3.12 or 3.13 with venv, found none; install it, or set PYTHON=/path/to/python3."
    exit 1
fi

"$found" -m venv "$target"
# A pip.conf of this machine must not bring other sources in.
PIP_CONFIG_FILE=/dev/null "$target/bin/python" -m pip --isolated --disable-pip-version-check install --quiet \
    --no-index --find-links "$here/wheels" --only-binary :all: --require-hashes -r "$here/requirements.txt"
"$target/bin/quychu" --help >/dev/null
say "quychu is installed: $target/bin/quychu"
