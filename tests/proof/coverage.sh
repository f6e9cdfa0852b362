#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Measures which lines and branches of the library the tests run.
#
# usage: coverage.sh FOLDER [TESTS]
#
# Builds in FOLDER, which has to be empty, with gcc and --coverage. Then runs
# the Check programs and the scripts of the tools there, or only TESTS, and then
# every failure of every call (tests/check_torture). All figures are gcovr's.
# FOLDER/missing lists the lines and branches that were not run; FOLDER/report
# has a page for each file.
#
# The tests must run all lines and $branches_least percent of the branches of
# the library, except those that coverage.allow lists one by one, with the
# reason. For the tools there is no such limit. The figures of the library go to
# $COVERAGE_RESULT, by default FOLDER/coverage.result. With TESTS there is
# neither a limit nor a result.

set -eu
export LC_ALL=C UNIXMSG_TESTS=long TEST_TIMEOUT=3600
branches_least=98

if [ $# -lt 1 ]; then
	echo "usage: coverage.sh FOLDER [TESTS]" >&2
	exit 2
fi
for tool in gcc gcovr; do
	command -v $tool >/dev/null || {
		echo "skip: coverage: $tool is missing"
		exit 77
	}
done
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
cd "$1"
folder=$PWD
tests=${2:-}
result=${COVERAGE_RESULT:-$folder/coverage.result}
rm -f "$result"

# Processes that end by _exit(2), as children in tests do, would write no
# figures. Programs with failing calls wrap _exit already, so --wrap cannot
# replace it.
cat >exit.c <<'END'
#include <sys/syscall.h>
#include <unistd.h>

void __gcov_dump(void);

void _exit(int status)
{
	__gcov_dump();
	for (;;)
		syscall(SYS_exit_group, status);
}
END

build()
{
	gcc -c exit.c
	"$top/configure" --disable-shared CC=gcc \
		CFLAGS='-O0 -g --coverage' \
		LIBS="$folder/exit.o"
	make -j"$(nproc)" check TESTS=tests/check_exports
}

build >build.log 2>&1 || {
	tail -n 20 build.log
	echo "coverage: FAILED, see $folder/build.log"
	exit 1
}
find . \( -name '*.gcda' -o -name '*.trs' \) -exec rm {} +

# Tests that become another user count, too, so every user may write these
# files. Errors must not reach the standard error that tests compare.
find . -name '*.gcno' | sed 's/gcno$/gcda/' | while read -r file; do
	: >"$file"
	chmod 666 "$file"
done
export GCOV_ERROR_FILE=/dev/null

# Of the scripts, lists only those that run the tools: the others build their
# own programs.
list_tests()
{
	find tests -name 'check_*' -perm -100 -type f | grep -v '\.' |
		grep -v 'torture$' | sort
	echo tests/network/lanes.sh tests/relay/unixmsg-relay.sh
	echo tests/supervisor/activation.sh
	for script in access inherit seqpacket-echo unixgram-echo unixmsg-cat \
		unixmsg-inspect unixmsg-perf unixmsg-tap \
		unixstream-echo; do
		echo tests/tools/$script.sh
	done
}

run_tests()
{
	make -k -j"$(nproc)" check TESTS="$1" >>check.log 2>&1 || status=1
}

# Failed tests are reported, and the lines that they have run count.
status=0
: >check.log
run_tests "${tests:-$(list_tests | tr '\n' ' ')}"
if [ -z "$tests" ]; then
	export TORTURE=all
	run_tests tests/check_torture
fi
sh "$top/tests/count.sh" tests || status=1

report()
{
	gcovr --root "$top" --object-directory . \
		--filter "$(printf '%s' "$top" | sed 's/[.+]/\\&/g')/src/.*\\.c\$" \
		--gcov-ignore-parse-errors "$@" . >>gcovr.log 2>&1
}

: >gcovr.log
rm -rf report
mkdir report
report --xml-pretty --xml coverage.xml --txt lines.txt \
	--html-details report/index.html || {
	tail -n 5 gcovr.log
	echo "coverage: FAILED, see $folder/gcovr.log"
	exit 1
}

# Prints for each line of code: library or tools, lines, lines run, branches,
# branches run, and the place in the form of coverage.allow.
list_lines()
{
	awk -v top="$top" '
	function get(name) {
		if (!match($0, " " name "=\"[^\"]*\""))
			return ""
		return substr($0, RSTART + length(name) + 3,
			RLENGTH - length(name) - 4)
	}

	# The text of each line, and the function that it stands in.
	function read_source(    line, count, name) {
		count = 0
		name = "-"
		while ((getline line < (top "/" file)) > 0) {
			if (line ~ /^[a-z].*\(/ && line !~ /;$/) {
				name = line
				sub(/\(.*/, "", name)
				sub(/.*[ *]/, "", name)
			}
			gsub(/^[ \t]+|[ \t]+$/, "", line)
			text[++count] = name ": " line
		}
		close(top "/" file)
	}

	/<class / {
		file = get("filename")
		part = file ~ /^src\/(tools|relay)\// ? "tools" : "library"
		read_source()
	}

	/<line / {
		runs = all = 0
		share = get("condition-coverage")
		if (share != "") {
			sub(/.*\(/, "", share)
			split(share, number, "/")
			runs = number[1] + 0
			all = number[2] + 0
		}
		print part, 1, (get("hits") + 0 > 0), all, runs, file,
			text[get("number") + 0]
	}' coverage.xml
}

# Leaves out the allowed lines, writes the other lines that were not run to
# missing, and prints the figures.
judge()
{
	awk -v allowed="$top/tests/proof/coverage.allow" -v least="$branches_least" \
		-v is_part="${tests:+1}" '
	BEGIN {
		while ((getline line < allowed) > 0) {
			if (line ~ /^(#|$)/)
				continue
			if (!match(line, /   +./))
				bad[++bads] = line
			else
				reason[substr(line, 1, RSTART - 1)] = 1
		}
	}

	function percent(part, whole) {
		return sprintf("%.1f %% (%d of %d)",
			int(1000 * part / whole) / 10, part, whole)
	}

	function tell(part) {
		return "coverage of the " part ": lines " \
			percent(run[part], lines[part]) ", branches " \
			percent(taken[part], branches[part])
	}

	{
		part = $1
		where = $6
		for (i = 7; i <= NF; i++)
			where = where " " $i
		is_there[where] = 1
		if (where in reason && ($3 < $2 || $5 < $4)) {
			is_used[where] = 1
			$2 = $3
			excused += $4 - $5
			$4 = $5
		}
		lines[part] += $2
		run[part] += $3
		branches[part] += $4
		taken[part] += $5
		if ($3 < $2)
			print part ": not run: " where >"missing"
		else if ($5 < $4)
			print part ": " $4 - $5 " of " $4 " branches: " where \
				>"missing"
	}

	END {
		for (i = 1; i <= bads; i++)
			print "no reason: " bad[i]
		for (where in reason) {
			uses += where in is_used
			if (!(where in is_there)) {
				print "excused, and not there: " where
				bads++
			} else if (!(where in is_used) && !is_part)
				print "excused, and was run: " where
		}
		print tell("tools")
		print tell("library") ", " uses + 0 " exclusions (" \
			excused + 0 " branches)"
		exit bads || (!is_part && (run["library"] < lines["library"] || \
			100 * taken["library"] < least * branches["library"]))
	}'
}

rm -f missing
: >missing
awk '$1 ~ /^src\// || /^File/' lines.txt
judged=0
list_lines | judge >judged.txt || judged=1
grep '^library: not run' missing || :
cat judged.txt
[ -n "$tests" ] || tail -n 1 judged.txt >"$result"
[ $judged -eq 0 ] || {
	echo "coverage: FAILED: $folder/missing lists what was not run"
	status=1
}
exit $status
