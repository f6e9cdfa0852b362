#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tests once more, with a thousand signals a second in each of their
# processes (signals.c): every call that sleeps is interrupted, and nothing
# else may change.
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
	skip 'a sanitizer wants to be the first that is loaded'

# What counts calls would count those that are made again, and what builds
# has nothing of ours that sleeps.
is_apt()
{
	case $1 in
	*/signals.sh | */check_shortage | */check_torture* | */fault.sh | \
		*/headers.sh | */install.sh | */symbols.sh | */threads.sh)
		return 1 ;;
	esac
}

# One test, as the harness runs it: a log and its result.
run_test()
{
	name=$(basename "$1")
	case $1 in
	*.sh) set -- sh "$srcdir/$1" ;;
	*) set -- "$top_builddir/$1" ;;
	esac
	status=0
	env UNIXMSG_LIMIT=240 LD_PRELOAD="$preload" SIGNALS_BELOW="$top_builddir/" \
		CK_VERBOSITY=normal timeout --kill-after=10 "$limit" "$@" \
		>"$results/${name%.sh}.log" 2>&1 </dev/null || status=$?
	case $status in
	0) verdict=PASS ;;
	77) verdict=SKIP ;;
	*) verdict=FAIL ;;
	esac
	echo ":test-result: $verdict" >"$results/${name%.sh}.trs"
	[ $verdict != FAIL ] || tail -n 25 "$results/${name%.sh}.log"
}

[ $# -gt 0 ] || set -- $few
rm -rf "$results"
mkdir "$results" || exit 99
number=0
for test; do
	is_apt "$test" || continue
	run_test "$test" &
	number=$((number + 1))
	[ $((number % 2)) -ne 0 ] || wait
done
wait
report=$(sh "$srcdir/tests/count.sh" "$results")
echo "$report" | grep -v '^skipped'
line=$(echo "$report" | tail -n 1)
rm -rf "$results"
echo "under signals: $line" >"$top_builddir/tests/signals.result"
echo "cases: $line"
case $line in
*' 0 failed'*) ;;
*) exit 1 ;;
esac
