#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Another build of the same source.
#
# usage: elsewhere.sh FOLDER 'CONFIGURE OPTIONS' MAKE-ARGUMENT...
#
# To be run from a build by its make, as $MAKE: it packs what a release would
# hold into FOLDER/source, since a source that is configured cannot be built in
# another folder, and builds that afresh in FOLDER/build. There make is run with
# the arguments given; the exit status is its.

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
