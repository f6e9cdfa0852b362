#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs each test several times, two tests at once, on a machine that is busy
# with other work: none may fail by chance.
#
# usage: again.sh ROUNDS [TEST...]     names as in TESTS
#
# The output of failed runs is in tests/again.logs.

set -u
export LC_ALL=C
: "${top_builddir:?run make again}" "${srcdir:?}"
logs=$top_builddir/tests/again.logs
result=$top_builddir/tests/again.result
limit=900

# run_once TEST: runs TEST, and keeps its log if it fails. $name is the name of
# TEST in the logs.
run_once()
{
	case $1 in
	*.sh) set -- sh "$srcdir/$1" ;;
	*) set -- "$top_builddir/$1" ;;
	esac
	log=$logs/$name
	CK_VERBOSITY=normal timeout --kill-after=10 "$limit" "$@" \
		>"$log.now" 2>&1 </dev/null
	status=$?
	case $status in
	0 | 77) return ;;
	esac
	mv "$log.now" "$log.$round"
	echo "$name: round $round: exit status $status" >>"$logs/failed"
	echo "FAILED: $name: round $round: exit status $status"
}

run_rounds()
{
	name=$(basename "$2" .sh)
	round=1
	while [ "$round" -le "$1" ]; do
		run_once "$2"
		round=$((round + 1))
	done
	rm -f "$logs/$name.now"
	echo "$2" >>"$logs/done"
}

if [ "${1-}" = --one ]; then
	run_rounds "$2" "$3"
	exit 0
fi
[ $# -ge 2 ] || {
	echo "usage: again.sh ROUNDS TEST..." >&2
	exit 2
}
rounds=$1
shift
rm -rf "$logs" "$result"
mkdir "$logs" || exit 99
: >"$logs/failed"
: >"$logs/done"

loops=
end_loops()
{
	for pid in $loops; do
		kill "$pid" 2>/dev/null
	done
}
trap end_loops EXIT
trap 'exit 130' INT HUP TERM
for _ in 1 2; do
	while :; do :; done &
	loops="$loops $!"
done

printf '%s\n' "$@" | xargs -n 1 -P 2 sh "$0" --one "$rounds"
failed=$(wc -l <"$logs/failed")
line="again: $(wc -l <"$logs/done") tests, $rounds rounds each, $failed failed"
echo "$line" | tee "$result"
[ "$failed" -eq 0 ] && [ "$(wc -l <"$logs/done")" -eq $# ]
