#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes another build of the same source.
#
# usage: elsewhere.sh FOLDER 'CONFIGURE OPTIONS' MAKE-ARGUMENT...
#
# Run it from a build by its make, which is $MAKE. It packs the files of a
# release into FOLDER/source, because a configured source cannot be built in
# another folder, and builds them in an empty FOLDER/build. There it runs make
# with the given arguments, and returns its exit status.

set -eu

if [ $# -lt 3 ]; then
	echo "usage: elsewhere.sh FOLDER 'CONFIGURE OPTIONS' MAKE-ARGUMENT..." >&2
	exit 2
fi
make=${MAKE:-make}
mkdir -p "$1"
folder=$(cd "$1" && pwd)
options=$2
shift 2

build()
{
	rm -rf "$folder/source" "$folder/build"
	"$make" distdir distdir="$folder/source"
	mkdir "$folder/build"
	cd "$folder/build"
	# shellcheck disable=SC2086
	../source/configure $options
	"$make" -j2
}

(build) >"$folder/build.log" 2>&1 </dev/null || {
	tail -n 20 "$folder/build.log"
	echo "elsewhere: FAILED, see $folder/build.log"
	exit 1
}
cd "$folder/build"
exec "$make" "$@"
