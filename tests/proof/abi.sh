#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Checks that programs built for the last release still work with this library.
#
# usage: abi.sh BUILD [dump]
#
# Compares BUILD/src/.libs/libunixmsg.so with the newest
# abi/libunixmsg-VERSION.abi of the tree; additions are no difference. With dump
# it writes that file for the version of this build, as part of a release. Both
# need a library built with -g on x86-64, because the file has sizes. Exits 1 if
# something was removed or changed, 77 if there is nothing to compare.

set -eu
LC_ALL=C
export LC_ALL

if [ $# -lt 1 ]; then
	echo 'usage: abi.sh BUILD [dump]' >&2
	exit 2
fi
top=$(cd "$(dirname "$0")/../.." && pwd)
library=$1/src/.libs/libunixmsg.so

skip()
{
	echo "skip: the binary interface: $1"
	exit 77
}

for tool in abidiff abidw readelf; do
	command -v $tool >/dev/null || skip "no $tool"
done
[ -e "$library" ] || skip 'this build has no shared library'
readelf -h "$library" | grep -q 'X86-64$' || skip 'this is no x86-64'
readelf -S "$library" | grep -q '\.debug_info' || skip 'built without -g'

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# Private types may change: the headers show which types are public.
timeout 300 abidw --headers-dir "$top/src/unixmsg" --drop-private-types \
	--no-corpus-path --no-comp-dir-path --no-show-locs \
	--out-file "$scratch/now.abi" "$library"

if [ "${2:-}" = dump ]; then
	: "${PACKAGE_VERSION:?run make abi-dump}"
	mkdir -p "$top/abi"
	cp "$scratch/now.abi" "$top/abi/libunixmsg-$PACKAGE_VERSION.abi"
	echo "abi: abi/libunixmsg-$PACKAGE_VERSION.abi has the interface of this build"
	exit 0
fi

last=$(find "$top/abi" -name 'libunixmsg-*.abi' 2>/dev/null |
	sort -V | tail -n 1)
[ -n "$last" ] || skip 'there is no release yet'
name=$(basename "$last" .abi)
if timeout 300 abidiff --no-added-syms "$last" "$scratch/now.abi"; then
	echo "abi: as in $name, or more"
	exit 0
fi
echo "abi: not as in $name: programs would have to be built again"
exit 1
