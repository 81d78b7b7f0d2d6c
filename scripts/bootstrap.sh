#!/bin/sh
# Make a virtual environment from a lock file and install this project into it, as `make` needs it.
#
# usage: scripts/bootstrap.sh FOLDER LOCK...     e.g. scripts/bootstrap.sh .venv requirements/dev.txt
#
# - Needs only a Python 3.11 or newer (or $PYTHON). On Debian python3-venv is installed when it is missing and we may.
# - Nothing is installed that is not in a lock with its hash: locks are complete, so pip follows no dependency itself.
set -eu

folder=$1
shift

say() { printf '%s\n' "$*" >&2; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if command -v "$candidate" >/dev/null 2>&1 && is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    say "quychu needs Python 3.11 or newer, found none; install one or set PYTHON=/path/to/python3."
    return 1
}

apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        return 1
    fi
    $as_root apt-get update -qq >&2
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

python=$(find_python)
if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "installing python$version-venv, which Debian keeps apart from Python"
    apt_install "python$version-venv" || apt_install python3-venv || {
        say "this Python cannot make a virtual environment; run: apt install python3-venv"
        exit 1
    }
fi

if ! [ -x "$folder/bin/python" ] || ! is_new_enough "$folder/bin/python"; then
    rm -rf "$folder"
    "$python" -m venv "$folder"
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1
for lock in "$@"; do
    say "installing $lock into $folder"
    "$folder/bin/python" -m pip install --quiet --require-hashes --only-binary :all: --no-deps -r "$lock"
done
"$folder/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
