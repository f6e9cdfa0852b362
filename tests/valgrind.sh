#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The unit tests and the tools under valgrind: wrong accesses, and memory that
# is not freed; of the tools descriptors that are not closed either. Unit tests
# count theirs themselves, and their children end with what they happen to have.
#
# usage: valgrind.sh [TEST...]    unit tests, names as in TESTS; without any, a
#                                 few

set -u
export LC_ALL=C
: "${top_builddir:?run make valgrind}" "${srcdir:?}" "${TOOLS:?}"
few='tests/check_packet tests/check_buffer'
results=$top_builddir/tests/valgrind.logs
limit=200

skip()
{
	echo "skip: the suite under valgrind: $1"
	exit 77
}

command -v valgrind >/dev/null || skip 'no valgrind'
grep -q -e __asan_init -e __tsan_init "$top_builddir/tests/check_packet" \
	"$top_builddir/tests/.libs/check_packet" 2>/dev/null &&
	skip 'built with a sanitizer'

# Why a test is not made under valgrind, or nothing.
get_reason()
{
	case $1 in
	*/check_torture*) echo 'plays thousands of scenes, and counts itself' ;;
	*/check_service_* | */check_perf)
		echo 'measures, or waits for many; check_service is made' ;;
	*/check_name_races | */check_takeover | */check_name_window)
		echo 'has races, which valgrind would put in order' ;;
	*/check_addr | */check_histogram | */check_exports | */check_record*)
		echo 'only computes, and the sanitizers look at that' ;;
	*/check_*) ;;
	*) echo 'is no unit test' ;;
	esac
}

# watch NAME COMMAND...: one log of each process, NAME.PID
watch()
{
	watched=$results/$1
	shift
	timeout --kill-after=10 $limit valgrind --leak-check=full \
		--errors-for-leak-kinds=definite,indirect --track-fds=yes \
		--num-callers=20 --log-file="$watched.%p" "$@"
}

# What libtool leaves in the place of a program is a script that begins it.
find_tool()
{
	if [ -x "$TOOLS/.libs/$1" ]; then
		echo "$TOOLS/.libs/$1"
	else
		echo "$TOOLS/$1"
	fi
}
LD_LIBRARY_PATH=$top_builddir/src/.libs${LD_LIBRARY_PATH+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

# has_error LOG: one that was killed has no summary.
has_error()
{
	grep -q 'ERROR SUMMARY: [1-9]' "$1"
}

# list_fds LOG: those left open, but for the inherited ones and the pipes that
# a handler of signals may write to until the very end.
list_fds()
{
	sed 's/^==[0-9]*== *//' "$1" | awk '
		/^Open / { name = $0; place = ""; next }
		name != "" && /^$/ {
			if (place !~ /inherited from parent|tool_catch_signals/)
				print name place
			name = ""
		}
		name != "" { place = place " " $0 }'
}

passed=0
failed=0
tell()
{
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok - $1"
	else
		failed=$((failed + 1))
		echo "not ok - $1"
	fi
}

# judge NAME STATUS [fds]
judge()
{
	bad=$2
	[ "$bad" -eq 0 ] || tail -n 5 "$results/$1.out"
	for log in "$results/$1".[0-9]*; do
		if has_error "$log"; then
			bad=1
			grep -v 'FILE DESCRIPTORS' "$log" | head -n 40
		fi
		if [ "${3-}" = fds ] && [ -n "$(list_fds "$log")" ]; then
			bad=1
			list_fds "$log"
		fi
	done
	tell "$1" "$bad"
}

if [ "${1-}" = --one ]; then
	name=${2##*/}
	CK_VERBOSITY=normal CK_TIMEOUT_MULTIPLIER=10
	export CK_VERBOSITY CK_TIMEOUT_MULTIPLIER
	watch "$name" "$top_builddir/$2" >"$results/$name.out" 2>&1 </dev/null
	judge "$name" $?
	exit 0
fi

# run_tool NAME STATUS TOOL ARGUMENT...
run_tool()
{
	run_name=$1
	run_status=$2
	run_program=$(find_tool "$3")
	shift 3
	printf 'one\n\nthree\n' | watch "$run_name" "$run_program" "$@" \
		>"$results/$run_name.out" 2>&1
	[ $? -eq "$run_status" ]
	judge "$run_name" $? fds
}

await_listening()
{
	tries=0
	until grep -qs 'listening on' "$1" || [ $tries -eq 600 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
}

# try_echo TOOL OPTION...: a server, and clients of all sorts
try_echo()
{
	tool=$1
	shift
	address=$results/$tool.sock
	watch "$tool-server" "$(find_tool "$tool")" --listen --stats "$@" "$address" \
		>"$results/$tool-server.out" 2>&1 &
	server=$!
	await_listening "$results/$tool-server.out"
	run_tool "$tool-arguments" 0 "$tool" -W 60 "$address" hello ''
	run_tool "$tool-records" 0 "$tool" -W 60 "$address"
	run_tool "$tool-frames" 1 "$tool" -W 60 --format frames "$address"
	run_tool "$tool-count" 0 "$tool" -W 60 -c 20 -s 1000 "$address"
	run_tool "$tool-taken" 1 "$tool" --listen "$address"
	for way in --json --dot --clean --verbose; do
		run_tool "inspect$way-$tool" 0 unixmsg-inspect $way "$address"
	done
	log=$(echo "$results/$tool-server".[0-9]*)
	kill "${log##*.}"
	wait $server
	judge "$tool-server" $? fds
	run_tool "$tool-nobody" 1 "$tool" "$address" hello
}

try_tools()
{
	try_echo unixgram-echo --format json
	try_echo seqpacket-echo --allow-anyone
	try_echo unixstream-echo
	run_tool inspect-directory 0 unixmsg-inspect "$results"
	run_tool inspect-nobody 1 unixmsg-inspect @nobody
	run_tool usage 2 unixgram-echo --no-such-option
}

# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $few
rm -rf "$results"
mkdir "$results" || exit 99
trap 'rm -rf "$results"' EXIT
for test; do
	reason=$(get_reason "$test")
	[ -n "$reason" ] || echo "$test"
	case $test in
	*/check_*) [ -z "$reason" ] || echo "not made: $test: $reason" >&2 ;;
	esac
done >"$results/list"
xargs -n 1 -P 2 sh "$0" --one <"$results/list" >"$results/told"
cat "$results/told"
passed=$(grep -c '^ok - ' "$results/told")
failed=$(grep -c '^not ok - ' "$results/told")
try_tools
line="$passed passed, $failed failed, 0 skipped"
echo "under valgrind: $line" >"$top_builddir/tests/valgrind.result"
echo "cases: $line"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
