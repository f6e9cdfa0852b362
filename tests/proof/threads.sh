#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Tests threads that share an object, under ThreadSanitizer. For that it builds
# the library once more, from $srcdir.

set -u
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C

skip()
{
	echo "skip: threads: $1"
	exit 77
}

# Any compiler will do that has the sanitizer, whatever the options of the
# build.
flags='-std=gnu11 -g -O1 -fsanitize=thread -pthread'
echo 'int main(void) { return 0; }' >"$scratch/empty.c"
${CC:-cc} $flags -o "$scratch/empty" "$scratch/empty.c" 2>/dev/null &&
	"$scratch/empty" || skip "${CC:-cc} has no thread sanitizer that works"

build()
{
	find "$srcdir/src" "${threads:-$srcdir/tests/proof}/threads.c" -name '*.c' \
		! -path '*/src/tools/*' ! -path '*/src/relay/*' -print0 | xargs -0 -P 2 -n 8 sh -c '
		cd "$0" && exec "$@"' "$scratch" \
		${CC:-cc} $flags -c -I"$top_builddir" -I"$srcdir/src" || return
	${CC:-cc} $flags -o "$scratch/threads" "$scratch"/*.o
}

# The sanitizer believes that connect(2) makes the descriptor. Here other
# threads use the descriptor already, and the kernel guards it.
echo 'race:connect_once' >"$scratch/suppressions"

build || exit 99
status=0
TSAN_OPTIONS="exitcode=66 suppressions=$scratch/suppressions" timeout 150 "$scratch/threads" \
	${promise:+"$promise"} >"$scratch/out" 2>&1 || status=$?
head -n 100 "$scratch/out"
passed=$(grep -c '^ok - ' "$scratch/out")
failed=0
[ $status -eq 0 ] || failed=1
echo "cases: $passed passed, $failed failed, 0 skipped"
exit $failed
