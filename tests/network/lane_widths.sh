#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A lane between a program of 32 bits and one of 64. The library is built once
# more for the former, from $srcdir.

set -u
export LC_ALL=C
: "${top_builddir:?}" "${srcdir:?}"
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
flags='-std=gnu11 -O0 -w -Wno-psabi -m32 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64'
wide=$top_builddir/tests/lane_widths

skip()
{
	echo "skip: lane widths: $1"
	exit 77
}

# The class of an ELF file: 2 stands for 64 bits.
[ "$(od -An -tu1 -j4 -N1 "$wide" | tr -d ' ')" = 2 ] ||
	skip 'this build has no programs of 64 bits'
echo '#include <stdio.h>
int main(void) { return sizeof(void *) != 4; }' >"$scratch/empty.c"
# shellcheck disable=SC2086 # one word each
if ! ${CC:-cc} $flags -o "$scratch/empty" "$scratch/empty.c" 2>/dev/null ||
	! "$scratch/empty"; then
	skip "${CC:-cc} makes no programs of 32 bits"
fi

build_narrow()
{
	mkdir "$scratch/objects"
	# shellcheck disable=SC2016,SC2086
	find "$srcdir/src" "$srcdir/tests/network/lane_widths.c" -name '*.c' ! -path '*/src/tools/*' \
		! -path '*/src/relay/*' ! -path '*/src/service/*' \
		! -path '*/src/supervisor/*' -print0 | xargs -0 -P 2 -n 8 sh -c '
		cd "$0" && exec "$@"' "$scratch/objects" ${CC:-cc} $flags -c \
		-I"$(cd "$top_builddir" && pwd)" -I"$srcdir/src" &&
		${CC:-cc} $flags -pthread -o "$scratch/narrow" \
			"$scratch"/objects/*.o
}

build_narrow || exit 99

passed=0 failed=0

try()
{
	"$1" server "$scratch/socket" 2>"$scratch/server.err" &
	server=$!
	"$2" client "$scratch/socket" 2>"$scratch/client.err"
	client_status=$?
	wait "$server"
	server_status=$?
	if [ $client_status -eq 0 ] && [ $server_status -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok - $3"
	else
		failed=$((failed + 1))
		echo "not ok - $3"
		cat "$scratch/server.err" "$scratch/client.err"
	fi
}

try "$wide" "$scratch/narrow" 'a client of 32 bits has a lane to a server of 64'
try "$scratch/narrow" "$wide" 'a client of 64 bits has a lane to a server of 32'

echo "cases: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
