#!/bin/sh
# SPDX-License-Identifier: MIT
# What connections of packets do they do over lanes as well: their tests once
# more, with lanes that support/lanes.c gives to them.

set -u
: "${top_builddir:?}"
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
passed=0 failed=0

[ -x "$top_builddir/tests/check_packet" ] || {
	echo "skip: lanes: no unit tests were built"
	exit 77
}

: "${programs:=adopt batch buffer conn fds go_calls listener low_fds msg packet
	policy retire shared}"
count=0
for program in $programs; do
	count=$((count + 1))
	if UNIXMSG_LANES=1 "$top_builddir/tests/check_$program" >"$log" 2>&1
	then
		passed=$((passed + 1))
	elif [ $? -eq 77 ]; then
		echo "skipped: check_$program"
	else
		failed=$((failed + 1))
		echo "not ok - check_$program over lanes"
		tail -n 20 "$log"
	fi
done

echo "cases: $passed passed, $failed failed, $((count - passed - failed)) skipped"
[ $failed -eq 0 ]
