#!/bin/sh
# Runs static analyzers on the sources, and checks their style.
#
# usage: analyze.sh [STEP]...
#
# Steps: format, scripts, mutants, cppcheck, gcc, tidy; without arguments, all
# of them. A step whose program is not installed is skipped. Run it in a
# configured build, for config.h. analyze.allow lists findings that are allowed,
# one by one and with a reason; this reports entries without a finding. Prints a
# line for each step, and a line of totals. Without arguments, the totals also
# go to the file $ANALYZE_RESULT. Exits 1 if there was a finding.

set -u
LC_ALL=C
export LC_ALL

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$PWD
jobs=${JOBS:-2}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
allowed=$top/tests/proof/analyze.allow
status=0
steps_run=0
found=0
used=0

if [ ! -f config.h ]; then
	echo "analyze: no config.h here: run it where configure was run" >&2
	exit 2
fi
cd "$top" || exit 99

list_sources()
{
	find src examples -name '*.c' | sort
}

list_styled()
{
	find src examples tests -name '*.[ch]' ! -name header_server.c |
		sort
}

# Leaves out libtool's wrappers.
list_scripts()
{
	find bootstrap .ci bench tests -type f -exec awk '
		FNR == 1 { is_script = /^#!.*sh$/ || /^# shellcheck shell=/ }
		FNR == 1 && !is_script { nextfile }
		FNR == 3 && /temporary wrapper script/ { nextfile }
		FNR == 4 { print FILENAME; nextfile }
	' {} + | sort
}

# judge STEP: reads findings from $work/STEP, one 'FILE:LINE: ID ...' a line.
judge()
{
	sort -u "$work/$1" | awk -v step="$1" -v allowed="$allowed" '
	BEGIN {
		while ((getline line < allowed) > 0) {
			split(line, words, " ")
			if (words[1] == step)
				reasons[words[2] " " words[3]] = 1
		}
	}
	{
		file = $1
		sub(/:.*/, "", file)
		if ((file " " $2) in reasons) {
			used[file " " $2]++
			next
		}
		print
		count++
	}
	END {
		for (reason in used)
			uses += used[reason]
		for (reason in reasons)
			if (!(reason in used))
				print "not found any more: " reason
		print count + 0 " findings, " uses + 0 " allowed with a reason"
	}' >"$work/judged"
	sed '$d' "$work/judged"
	line=$(tail -n 1 "$work/judged")
	echo "analyze: $1: $line"
	count=${line%% *}
	found=$((found + count))
	uses=${line#*, }
	used=$((used + ${uses%% *}))
	[ "$count" -eq 0 ] || status=1
	steps_run=$((steps_run + 1))
}

# Turns "FILE:LINE:COLUMN: warning: TEXT [ID]" into "FILE:LINE: ID TEXT".
turn_around()
{
	sed -n "s,^$top/,,
		s/^\\([^: ]*:[0-9]*\\):[0-9]*: [a-z ]*: \\(.*\\) \\[\\([^]]*\\)\\]\$/\\1: \\3 \\2/p"
}

# clang-format leaves comments as they are.
list_wide_comments()
{
	list_styled | while read -r file; do
		expand "$file" | awk -v file="$file" '
		length > 80 && /^ *(\/\*|\*)/ {
			print file ":" FNR ": wide comment of " length " columns"
		}'
	done
}

step_format()
{
	list_styled | xargs clang-format-14 --dry-run 2>&1 |
		turn_around >"$work/format"
	list_wide_comments >>"$work/format"
}

step_scripts()
{
	list_scripts | xargs shellcheck -x -f gcc | turn_around \
		>"$work/scripts"
}

step_mutants()
{
	sh tests/proof/mutants_table.sh >"$work/mutants" || [ $? -eq 1 ] ||
		echo 'tests/proof/mutants_table.sh:0: failed it did not run' \
			>>"$work/mutants"
}

step_cppcheck()
{
	list_sources | cppcheck -q --file-list=- --std=c11 \
		--enable=warning,performance,portability \
		-DHAVE_CONFIG_H -I"$build" -Isrc \
		--template='{file}:{line}: {id} {message}' \
		2>"$work/cppcheck" >&2
}

# each_source COMMAND...: runs COMMAND on each source, with a time limit. A
# failed run is a finding, because nothing else would report it.
each_source()
{
	list_sources | sed "s,^,$top/," |
		xargs -P "$jobs" -I SOURCE timeout 120 "$@" SOURCE 2>&1 ||
		echo 'src:0:0: error: some sources were not analyzed [failed]'
}

# The flags for the event loops that examples use.
loop_flags=$(pkg-config --cflags libuv glib-2.0 libsystemd 2>/dev/null) || :

step_gcc()
{
	# shellcheck disable=SC2086
	each_source gcc $loop_flags -std=gnu11 -D_GNU_SOURCE -I"$build" -Isrc -O1 \
		-fanalyzer -fdiagnostics-plain-output -c -o /dev/null |
		sed 's/ \[CWE-[0-9]*\]//' | turn_around >"$work/gcc"
}

# clang-tidy reads the flags from a file.
step_tidy()
{
	# shellcheck disable=SC2086
	printf '%s\n' -std=gnu11 -D_GNU_SOURCE "-I$build" "-I$top/src" \
		$loop_flags >"$work/compile_flags.txt"
	each_source clang-tidy --quiet -p "$work" | turn_around >"$work/tidy"
}

# run_step STEP PROGRAM
run_step()
{
	if ! command -v "$2" >/dev/null; then
		echo "skip: analyze: $1: $2 is missing"
		return
	fi
	"step_$1"
	judge "$1"
}

is_all=false
[ $# -gt 0 ] || {
	is_all=true
	set -- format scripts mutants cppcheck gcc tidy
}
for step; do
	case $step in
	format) run_step format clang-format-14 ;;
	scripts) run_step scripts shellcheck ;;
	mutants) run_step mutants patch ;;
	cppcheck) run_step cppcheck cppcheck ;;
	gcc) run_step gcc gcc ;;
	tidy) run_step tidy clang-tidy ;;
	*)
		echo "analyze: no such step: $step" >&2
		exit 2
		;;
	esac
done
line="analyze: $steps_run steps, $found findings, $used allowed with a reason"
echo "$line"
if $is_all && [ -n "${ANALYZE_RESULT:-}" ]; then
	echo "$line" >"$ANALYZE_RESULT"
fi
exit $status
