#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the unit tests and the tools under valgrind, which finds wrong accesses,
# memory that is not set or not freed, and descriptors that are not closed. A
# failed test is a finding, too. valgrind.allow lists the tests that are not
# run, with the reason, and valgrind.supp the reports that are no errors.
#
# usage: valgrind.sh [TEST...]    unit tests, names as in TESTS; without any, a
#                                 few

set -u
export LC_ALL=C
: "${top_builddir:?run make valgrind}" "${srcdir:?}" "${TOOLS:?}"
few='tests/check_packet tests/check_buffer'
results=$top_builddir/tests/valgrind.logs
limit=900

skip()
{
	echo "skip: the suite under valgrind: $1"
	exit 77
}

command -v valgrind >/dev/null || skip 'no valgrind'
grep -q -e __asan_init -e __tsan_init "$top_builddir/tests/check_packet" \
	"$top_builddir/tests/.libs/check_packet" 2>/dev/null &&
	skip 'built with a sanitizer'

# Prints why a test is not run under valgrind, or nothing.
get_reason()
{
	sed -n "s/^${1##*/}: //p" "$srcdir/tests/proof/valgrind.allow"
}

# watch NAME COMMAND...: runs COMMAND with a log of each process, NAME.PID.
# Memory that is not freed is no error here, because only some processes have to
# free it: see list_findings.
watch()
{
	watched=$results/$1
	shift
	timeout --foreground --kill-after=10 $limit valgrind --leak-check=full \
		--errors-for-leak-kinds=none --track-fds=yes --vgdb=no \
		--num-callers=20 --suppressions="$srcdir/tests/proof/valgrind.supp" \
		--log-file="$watched.%p" "$@"
}

# Finds the program behind libtool's wrapper.
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

# list_findings LOG...: prints a line for each finding: the log and the text.
#
# The program and its children, which are Check's tests, end by exit, and have
# to free and close everything. Processes that a test forks end by _exit or are
# killed, and still have everything that the test has: there, only errors count.
# Descriptors count if the process itself has opened them, except Check's own
# file and the pipes to which signal handlers write until the end.
list_findings()
{
	awk '
	function note(what) {
		findings[FILENAME] = findings[FILENAME] FILENAME ": " what "\n"
	}

	function end_fd() {
		if (fd != "" && place !~ ours)
			note(fd place)
		fd = place = ""
	}

	function is_of_test(file) {
		return !(parent[file] in parent) || \
			!(parent[parent[file]] in parent)
	}

	BEGIN {
		ours = "inherited from parent|tool_catch_signals|open_tmp_file"
	}
	{ sub(/^==[0-9]+== ?/, "") }
	/^Parent PID: / {
		parent[FILENAME] = FILENAME
		sub(/[0-9]+$/, $3, parent[FILENAME])
	}
	/^Open / { fd = $0; next }
	fd != "" && /^ / { place = place " " $0; next }
	fd != "" { end_fd() }
	/^ *(definitely|indirectly) lost: [1-9]/ { note($0) }
	/^ERROR SUMMARY: / { has_ended[FILENAME] = 1 }
	/^ERROR SUMMARY: [1-9]/ { errors[FILENAME] = $0 }
	END {
		for (file in parent) {
			if (file in errors)
				print file ": " errors[file]
			if (!is_of_test(file))
				continue
			printf "%s", findings[file]
			if (!(file in has_ended))
				print file ": was killed"
		}
	}' "$@"
}

# show_logs: prints valgrind's text of the first few findings.
show_logs()
{
	cut -d : -f 1 | sort -u | head -n 3 | while IFS= read -r log; do
		echo "${log##*/}:"
		sed '/FILE DESCRIPTORS:/,/HEAP SUMMARY:/d' "$log" | head -n 40
	done
}

# judge NAME STATUS: STATUS 0 is good.
judge()
{
	bad=$2
	list_findings "$results/$1".[0-9]* >"$results/$1.found" || bad=1
	if [ "$bad" -ne 0 ]; then
		tail -n 20 "$results/$1.out"
	fi
	if [ -s "$results/$1.found" ]; then
		bad=1
		head -n 20 "$results/$1.found"
		show_logs <"$results/$1.found"
	fi
	if [ "$bad" -eq 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
	fi
}

try_unit()
{
	name=${1##*/}
	CK_VERBOSITY=normal CK_TIMEOUT_MULTIPLIER=10
	export CK_VERBOSITY CK_TIMEOUT_MULTIPLIER
	status=0
	watch "$name" "$top_builddir/$1" >"$results/$name.out" 2>&1 </dev/null ||
		status=$?
	# The whole test is skipped, and has printed why.
	[ $status -ne 77 ] || status=0
	judge "$name" $status
	grep '^skipped: ' "$results/$name.out"
}

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
	judge "$run_name" $?
}

await_listening()
{
	tries=0
	until grep -qs 'listening on' "$1" || [ $tries -eq 6000 ]; do
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
	judge "$tool-server" $?
	run_tool "$tool-nobody" 1 "$tool" "$address" hello
}

# Runs a server of unixmsg-cat, and its clients.
try_cat()
{
	address=$results/cat.sock
	watch cat-server "$(find_tool unixmsg-cat)" --listen --stats \
		--reply yes unixpacket "$address" \
		>"$results/cat-server.out" 2>&1 &
	server=$!
	await_listening "$results/cat-server.out"
	run_tool cat-talk 0 unixmsg-cat -W 60 "$address" hello world
	run_tool cat-ask 0 unixmsg-cat -1 -W 60 "$address" hello
	run_tool cat-send 0 unixmsg-cat -n "$address"
	run_tool cat-whole 0 unixmsg-cat -W 60 --whole --format hex "$address"
	run_tool cat-tee 0 unixmsg-cat -W 60 --tee "$results/cat.tee" \
		--max-messages 1 "$address" hello
	run_tool cat-replay 1 unixmsg-cat --from-json "$address"
	run_tool cat-usage 2 unixmsg-cat -1 -n "$address"
	run_tool cat-nobody 1 unixmsg-cat @nobody hello
	log=$(echo "$results/cat-server".[0-9]*)
	kill "${log##*.}"
	wait $server
	judge cat-server $?
}

try_inspect()
{
	run_tool inspect-directory 0 unixmsg-inspect "$results"
	run_tool inspect-nobody 1 unixmsg-inspect @nobody
	run_tool usage 2 unixgram-echo --no-such-option
}

# try_one TEST|TOOL
try_one()
{
	case $1 in
	*/check_*) try_unit "$1" ;;
	unixgram-echo) try_echo "$1" --format json ;;
	seqpacket-echo) try_echo "$1" --allow-anyone ;;
	unixstream-echo) try_echo "$1" ;;
	unixmsg-cat) try_cat ;;
	unixmsg-inspect) try_inspect ;;
	esac
}

if [ "${1-}" = --one ]; then
	try_one "$2" >"$results/${2##*/}.told"
	exit 0
fi

# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $few
rm -rf "$results"
mkdir "$results" || exit 99
trap 'rm -rf "$results"' EXIT
trap 'exit 130' INT HUP TERM
for test; do
	reason=$(get_reason "$test")
	[ -n "$reason" ] || echo "$test"
	[ -z "$reason" ] || echo "not run: $test: $reason" >&2
done >"$results/list"
printf '%s\n' unixgram-echo seqpacket-echo unixstream-echo unixmsg-cat \
	unixmsg-inspect \
	>>"$results/list"
is_complete=true
xargs -n 1 -P 2 sh "$0" --one <"$results/list" || is_complete=false
cat "$results"/*.told >"$results/told"
cat "$results/told"
passed=$(grep -c '^ok - ' "$results/told")
failed=$(grep -c '^not ok - ' "$results/told")
$is_complete || failed=$((failed + 1))
left_out=$(grep -c '^skipped: ' "$results/told")
line="$passed passed, $failed failed, 0 skipped"
echo "under valgrind: $line; $left_out functions left out with a reason" \
	>"$top_builddir/tests/valgrind.result"
echo "cases: $line"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
