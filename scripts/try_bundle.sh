#!/bin/sh
# Install the bundle as an office would: another path with blanks and Vietnamese letters, no network, and run it.
#
# usage: scripts/try_bundle.sh [dist/bundle]
#
# Where the kernel lets us (unshare), installation and run happen in a network namespace with no interface at all;
# elsewhere pip's --no-index and a dead proxy must do.
set -eu

bundle=$(CDPATH='' cd -- "${1:-dist/bundle}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
office="$scratch/Thư mục có dấu/Đất đai & hồ sơ (bản 1)"
mkdir -p "$office"
cp -R "$bundle" "$office/bộ cài"

if unshare --net true 2>/dev/null; then
    alone="unshare --net"
elif unshare --user --map-root-user --net true 2>/dev/null; then
    alone="unshare --user --map-root-user --net"
else
    alone=
fi
http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9
export http_proxy https_proxy

$alone sh "$office/bộ cài/install.sh" "$office/máy tính"
cd "$office"
$alone "$office/máy tính/bin/quychu" --help >/dev/null
if "$office/máy tính/bin/quychu" synth --help >/dev/null 2>&1; then
    $alone "$office/máy tính/bin/quychu" synth --citizens 500 --out "$office/dữ liệu thử" --seed 1 >/dev/null
    test -s "$office/dữ liệu thử/land_owners.parquet"
fi

refuses() {
    if sh "$office/bộ cài/install.sh" "$office/máy khác" >/dev/null 2>&1; then
        echo "$1 was installed" >&2
        exit 1
    fi
}
for wheel in "$office/bộ cài/wheels/"quychu-*.whl; do printf 'x' >>"$wheel"; done
refuses "a changed wheel"
if command -v sha256sum >/dev/null 2>&1; then
    (cd "$office/bộ cài" && find . -type f ! -name SHA256SUMS -exec sha256sum {} + >"$scratch/sums" && cp "$scratch/sums" SHA256SUMS)
    refuses "a changed wheel with changed sums" # pip's own check of the hashes
fi
echo "the bundle installs and runs offline under '$office'${alone:+ with no network interface}"
