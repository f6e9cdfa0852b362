#!/bin/sh
# SPDX-License-Identifier: MIT
#
# usage: twice.sh DISTRIBUTION.tar.xz AMALGAMATION.tar.xz
#
# Make both archives again from what is in the first, elsewhere and with other
# settings, and see that they come out the same, byte by byte.

set -eu

scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# The make that runs this keeps its jobs and targets to itself.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS TAR_OPTIONS
here=$PWD

cd "$scratch"
umask 077
tar -xf "$here/$1"
mkdir build
cd build
export TZ=Asia/Kathmandu LC_ALL=C
"../$(basename "$1" .tar.xz)/configure" >/dev/null
timeout 300 make dist dist-amalgamation >/dev/null
for archive; do
	cmp "$here/$archive" "$archive"
	echo "the same twice: $archive, sha256 $(sha256sum <"$archive" |
		cut -d ' ' -f 1)"
done
