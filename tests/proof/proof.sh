#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Shows which checks ran in this build, and their results.
#
# usage: proof.sh [--markdown]     prints the table
#        proof.sh --run            runs all checks first; also writes proof.md
#
# Run it as 'make proof' or 'make proof-all'. Each row has the result of a check
# in this build, and its time; or the command that runs the check. This script
# counts only lines of code: it copies the other results from tests/*.result and
# the logs of 'make check'. A row has failed if it says so: FAILED, or a number
# other than 0 before 'failed', 'findings' and the like, or fewer than all ('43
# of 44 caught').
#
# Exits 1 if a row has failed.

set -u
export LC_ALL=C
: "${top_builddir:?run make proof}" "${srcdir:?run make proof}"
tests=$top_builddir/tests
status=0

# Lists the checks: the name, the target of make, and the time limit in seconds.
list_runs()
{
	cat <<-'END'
		tests|check|7200
		again|again|14400
		torture|torture|900
		signals|signals|1800
		mutants|mutants|1800
		analyze|analyze|900
		soak|soak|600
		valgrind|valgrind|3600
		coverage|coverage|2400
		architectures|architectures|3600
		sanitizers|sanitizers|2400
		fuzz|fuzz|1800
	END
}

get_age()
{
	seconds=$(($(date +%s) - $(date -r "$1" +%s)))
	if [ "$seconds" -lt 7200 ]; then
		age="$((seconds / 60)) min ago"
	elif [ "$seconds" -lt 172800 ]; then
		age="$((seconds / 3600)) h ago"
	else
		age="$((seconds / 86400)) days ago"
	fi
	if [ -n "$(find "$srcdir/src" -name '*.[ch]' -newer "$1" |
		head -n 1)" ]; then
		age="$age, before the last change of src/"
	fi
	echo "$(date -r "$1" '+%Y-%m-%d %H:%M'), $age"
}

# True if standard input has the words of a failure.
has_failed()
{
	awk '
	/FAILED|NOT CAUGHT/ { bad = 1 }
	/(^|[^0-9.])[1-9][0-9]* (failed|findings?|errors?|leaks?|leaked)/ {
		bad = 1
	}
	/(^|[^0-9.])[1-9][0-9]* (data )?races?/ { bad = 1 }
	/(failed|findings|errors|leaks|leaked|races): *[1-9]/ { bad = 1 }
	match($0, /[0-9]+ of [0-9]+ (caught|passed)/) {
		split(substr($0, RSTART), words, " ")
		if (words[1] + 0 < words[3] + 0)
			bad = 1
	}
	END { exit !bad }'
}

text_row()
{
	printf '%-14s %s\n' "$1" "$2"
	[ -z "$3" ] || printf '%-14s   (%s)\n' '' "$3"
}

markdown_row()
{
	printf '| %s | %s | %s |\n' "$1" "$(printf '%s' "$2" |
		sed 's/|/\\|/g')" "$3"
}

# row NAME FIGURES WHEN: prints a row. Each line of FIGURES is a part of it.
row()
{
	if printf '%s\n' "$2" | has_failed; then
		status=1
		set -- "$1" "FAILED: $2" "$3"
	fi
	"${style}_row" "$1" "$(printf '%s\n' "$2" | awk '
		{ printf "%s%s", (NR > 1 ? "; " : ""), $0 }')" "$3"
}

# result_row NAME TARGET: prints the row of tests/NAME.result.
result_row()
{
	if [ -s "$tests/$1.result" ]; then
		row "$1" "$(cat "$tests/$1.result")" \
			"$(get_age "$tests/$1.result")"
	else
		row "$1" "not run (make $2)" ''
	fi
}

# The row is as old as the oldest log, because the logs may be from several
# runs.
tests_row()
{
	oldest=$(find "$tests" -name '*.trs' -printf '%T@ %p\n' | sort -n |
		head -n 1)
	if [ -z "$oldest" ]; then
		row tests 'not run (make check)' ''
		return
	fi
	row tests "$(sh "$srcdir/tests/count.sh" "$tests" |
		grep -v '^skipped: ')" "$(get_age "${oldest#* }")"
}

# The test that has ThreadSanitizer gets its own row, too.
threads_row()
{
	if [ ! -s "$tests/proof/threads.trs" ]; then
		row threads 'not run (make check)' ''
		return
	fi
	mkdir "$scratch/threads"
	cp "$tests/proof/threads.trs" "$tests/proof/threads.log" "$scratch/threads"
	row threads "under ThreadSanitizer: $(
		sh "$srcdir/tests/count.sh" "$scratch/threads" |
			sed 's/^skipped: [^:]*: /skipped: /'
	)" "$(get_age "$tests/proof/threads.trs")"
}

count_lines()
{
	find "$@" -type f ! -name header_server.c \
		\( -name '*.[ch]' -o -name '*.sh' \) -exec cat {} + | wc -l
}

lines_row()
{
	library=$(count_lines "$srcdir/src" ! -path '*/tools/*' \
		! -path '*/relay/*')
	tools=$(count_lines "$srcdir/src/tools" "$srcdir/src/relay")
	of_tests=$(count_lines "$srcdir/tests")
	row lines "$library of the library, $tools of the tools,\
 $of_tests of tests: $((of_tests * 10 / (library + tools) / 10)).$((
 	of_tests * 10 / (library + tools) % 10)) for each other line" ''
}

print_rows()
{
	tests_row
	threads_row
	result_row again again
	result_row sanitizers sanitizers
	result_row torture torture
	result_row signals signals
	result_row fuzz fuzz
	result_row mutants mutants
	result_row soak soak
	result_row valgrind valgrind
	result_row analyze analyze
	result_row coverage coverage
	result_row architectures architectures
	lines_row
}

print_head()
{
	title="unixmsg ${PACKAGE_VERSION:-}, $(date '+%Y-%m-%d %H:%M')"
	case $style in
	text) printf '%s\n\n' "$title" ;;
	markdown)
		printf '# %s\n\n| check | result | time |\n' "$title"
		printf '| --- | --- | --- |\n'
		;;
	esac
}

print_table()
{
	style=$1
	print_head
	print_rows
	rm -rf "$scratch/threads"
}

# Notes a failure for a check that has left no result of it.
note_failure()
{
	case $1 in
	tests) return ;;
	esac
	[ -s "$tests/$1.result" ] && has_failed <"$tests/$1.result" && return
	echo "$1: FAILED, exit status $2, see proof-logs/$1.log" \
		>>"$tests/$1.result"
}

# Runs the tests at full length; the other checks have their own length.
set_extent()
{
	UNIXMSG_TESTS='' TEST_TIMEOUT=''
	[ "$1" != tests ] || UNIXMSG_TESTS=full TEST_TIMEOUT=3600
	export UNIXMSG_TESTS TEST_TIMEOUT
}

# run_one NAME TARGET SECONDS: removes the old result, and runs the check.
run_one()
{
	if ! "${MAKE:-make}" -n "$2" >/dev/null 2>&1; then
		echo "proof: $1: there is no make $2 here"
		return
	fi
	[ "$1" = tests ] || rm -f "$tests/$1.result"
	begun=$(date +%s)
	run_status=0
	set_extent "$1"
	timeout --kill-after=10 "$3" "${MAKE:-make}" -j2 "$2" \
		>"$logs/$1.log" 2>&1 </dev/null || run_status=$?
	[ $run_status -eq 0 ] || note_failure "$1" $run_status
	echo "proof: $1: $(($(date +%s) - begun)) s, exit status $run_status"
}

run_all()
{
	logs=$top_builddir/proof-logs
	mkdir -p "$logs" || exit 99
	list_runs >"$scratch/runs"
	while IFS='|' read -r name target seconds <&3; do
		run_one "$name" "$target" "$seconds"
	done 3<"$scratch/runs"
}

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT HUP TERM
cd "$top_builddir" || exit 99
case ${1:-} in
'') print_table text ;;
--markdown) print_table markdown ;;
--run)
	run_all
	print_table markdown >"$top_builddir/proof.md"
	print_table text
	;;
*)
	echo "usage: proof.sh [--markdown|--run]" >&2
	exit 2
	;;
esac
exit $status
