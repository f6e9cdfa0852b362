#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the tests with a thousand signals a second in each of their processes
# (signals.c). The signals interrupt every call that sleeps; nothing else may
# change.
#
# usage: signals.sh [TEST...]     names as in TESTS; without any, a few

set -u
export LC_ALL=C
: "${top_builddir:?run make signals}" "${srcdir:?}"
preload=$top_builddir/tests/.libs/libsignals.so
results=$top_builddir/tests/signals.logs
limit=900
few='tests/check_packet tests/check_buffer tests/check_probe tests/check_batch'

skip()
{
	echo "skip: the suite under signals: $1"
	exit 77
}

[ -e "$preload" ] || skip 'no shared library to be preloaded'
grep -q -e __asan_init -e __tsan_init "$top_builddir/tests/check_packet" \
	"$top_builddir/tests/.libs/check_packet" 2>/dev/null &&
	skip 'a sanitizer must be loaded first'

# Prints why a test is not run under signals, or nothing.
get_reason()
{
	case $1 in
	*/signals.sh) echo 'is this script itself' ;;
	*/amalgamation.sh) echo 'runs only programs that it builds elsewhere' ;;
	*/fault.sh | */headers.sh | */proof_rows.sh | */symbols.sh)
		echo 'runs no program of ours' ;;
	esac
}

# unixmsg-perf makes plain calls that are not prepared for signals, and its
# handlers end the program.
spared=unixmsg-perf

# Runs one test as the harness does, with a log and a result. The time limits
# are longer than in make check, because all is slower here.
run_test()
{
	name=$(basename "$1")
	case $1 in
	# Only programs below the build get signals.
	*/threads.sh) set -- env TMPDIR="$results" sh "$srcdir/$1" ;;
	*.sh) set -- sh "$srcdir/$1" ;;
	*) set -- "$top_builddir/$1" ;;
	esac
	status=0
	env UNIXMSG_LIMIT=240 CK_TIMEOUT_MULTIPLIER=4 CK_VERBOSITY=normal \
		LD_PRELOAD="$preload" SIGNALS_BELOW="$top_builddir/" \
		SIGNALS_SPARED=$spared timeout --kill-after=10 "$limit" "$@" \
		>"$results/${name%.sh}.log" 2>&1 </dev/null || status=$?
	case $status in
	0) verdict=PASS ;;
	77) verdict=SKIP ;;
	*) verdict=FAIL ;;
	esac
	echo ":test-result: $verdict" >"$results/${name%.sh}.trs"
	[ $verdict != FAIL ] || tail -n 25 "$results/${name%.sh}.log"
}

if [ "${1-}" = --one ]; then
	run_test "$2"
	exit 0
fi
[ $# -gt 0 ] || set -- $few
rm -rf "$results"
mkdir "$results" || exit 99
for test; do
	reason=$(get_reason "$test")
	[ -n "$reason" ] || echo "$test"
	[ -z "$reason" ] || echo "not run: $test: $reason" >&2
done >"$results/list"
xargs -n 1 -P 2 sh "$0" --one <"$results/list"
report=$(sh "$srcdir/tests/count.sh" "$results")
echo "$report" | grep -v '^skipped'
line=$(echo "$report" | tail -n 1)
case $line in
*skipped) ;;
*) line="$line, 0 skipped" ;;
esac
rm -rf "$results"
echo "under signals: $line" >"$top_builddir/tests/signals.result"
echo "cases: $line"
case $line in
*' 0 failed'*) ;;
*) exit 1 ;;
esac
