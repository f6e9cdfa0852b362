#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Checks that mutants/list and pitfalls name the same patches, and that each
# test, case and patch is there. Without that, a mutant is tried in vain, or
# never.
#
# usage: mutants_table.sh, in the top directory of the source
#
# Prints FILE:LINE: ID TEXT for each fault, and exits with 1 if there is one.

set -u
export LC_ALL=C
cd tests/proof || exit 99
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

# rows TABLE: its number before each row, and | alone between fields.
rows()
{
	grep -n '^[^#]' "$1" | sed 's/:/|/; s/ *| */|/g'
}

# Lists the files that may have tests of that program.
list_sources()
{
	case $1 in
	*-echo.sh) echo "../tools/$1" ../tools/echo_cases.sh ;;
	*.sh) find .. -name "$1" ;;
	*) find .. -name "$1.c" ;;
	esac
}

is_test()
{
	# shellcheck disable=SC2046 # one word each
	grep -q -s -e "^START_TEST($2)\$" -e "^$2()\$" -e "\"$2\"" \
		$(list_sources "$1")
}

# is_case PROGRAM CASE: Check runs nothing when there is no case of that name.
is_case()
{
	find .. -name "$1.c" -exec \
		grep -v -e support_run_cases -e suite_create {} + |
		grep "(\"$2\"" >/dev/null
}

applies()
{
	patch -d ../.. -p1 --dry-run --silent --force <"$1" >/dev/null 2>&1
}

check_pitfalls()
{
	rows pitfalls | while IFS='|' read -r line program test name; do
		is_test "$program" "$test" ||
			echo "pitfalls:$line: test $program has no $test"
		[ "$name" = - ] ||
			grep -q "^$name |.*| $program |.*| $test\$" mutants/list ||
			echo "pitfalls:$line: entry not in mutants/list: $name"
	done
}

check_list()
{
	rows mutants/list |
		while IFS='|' read -r line name kind program part test; do
			at=mutants/list:$line:
			grep -q "^$program | $test | $name\$" pitfalls ||
				echo "$at entry not in pitfalls: $name"
			[ "$kind" != check ] || is_case "$program" "$part" ||
				echo "$at case $program has no $part"
			[ -e "mutants/$name.patch" ] ||
				echo "$at patch $name.patch is missing"
		done
}

check_patches()
{
	for patch in mutants/*.patch; do
		grep -q "^$(basename "$patch" .patch) |" mutants/list ||
			echo "$patch:1: entry not in mutants/list"
		applies "$patch" || echo "$patch:1: applies it does not apply"
	done
}

{
	check_pitfalls
	check_list
	check_patches
} >"$scratch/faults"
sed 's,^,tests/proof/,' "$scratch/faults"
[ ! -s "$scratch/faults" ]
