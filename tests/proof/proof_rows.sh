#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Tests the table of 'make proof' (proof.sh), with results that are made up.

. "${srcdir:?}/tests/lib.sh"
need_time 'the table of make proof'

results='again sanitizers torture signals fuzz mutants soak valgrind analyze coverage
	architectures'

# Makes a build in which nothing was run.
begin()
{
	mkdir -p "$here/tests/proof"
	top_builddir=$here
	export top_builddir
}

# put NAME TEXT: writes a result.
put()
{
	printf '%s\n' "$2" >"$here/tests/$1.result"
}

# put_log NAME RESULT TEXT: writes the files that the harness leaves of a test.
put_log()
{
	echo ":test-result: $2" >"$here/tests/$1.trs"
	printf '%s\n' "$3" >"$here/tests/$1.log"
}

print()
{
	run sh "$srcdir/tests/proof/proof.sh" "$@"
	expect_empty "$err"
}

# expect_row NAME TEXT
expect_row()
{
	expect_match "$out" "^$1 *$2"
}

what_was_not_run_says_how_to()
{
	begin
	print
	expect_status 0
	for name in $results; do
		expect_row "$name" "not run (make $name)\$"
	done
	expect_row tests 'not run (make check)$'
	expect_row threads 'not run (make check)$'
}

each_result_has_its_row()
{
	begin
	for name in $results; do
		put "$name" "what $name came to"
	done
	print
	expect_status 0
	for name in $results; do
		expect_row "$name" "what $name came to\$"
	done
}

a_result_of_several_lines_is_one_row()
{
	begin
	put torture 'of the library: 7 failures
of the tools: 8 failures'
	print
	expect_status 0
	expect_row torture 'of the library: 7 failures; of the tools: 8 failures$'
}

the_tests_are_added_up()
{
	begin
	put_log check_one PASS '100%: Checks: 5, Failures: 0, Errors: 0'
	put_log two PASS 'cases: 3 passed, 0 failed, 1 skipped'
	print
	expect_status 0
	expect_row tests '8 passed, 0 failed, 1 skipped$'
}

a_test_that_has_failed_is_named()
{
	begin
	put_log check_one FAIL '80%: Checks: 5, Failures: 1, Errors: 0'
	print
	expect_status 1
	expect_row tests 'FAILED: failed: tests/check_one: 1; 4 passed, 1 failed$'
}

threads_have_a_row_of_their_own()
{
	begin
	put_log proof/threads PASS 'cases: 6 passed, 0 failed, 0 skipped'
	put_log two PASS 'cases: 3 passed, 0 failed, 0 skipped'
	print
	expect_row threads 'under ThreadSanitizer: 6 passed, 0 failed$'
	expect_row tests '9 passed, 0 failed$'
}

# expect_failure TEXT
expect_failure()
{
	put soak "$1"
	print
	expect_status 1 "$1"
	expect_row soak "FAILED: $1"
}

a_result_that_has_failed_shows_as_failed()
{
	begin
	put fuzz 'fuzz: 8 targets, 0 failed'
	expect_failure 'soak: FAILED with seed 7: it died'
	expect_failure '10 passed, 2 failed'
	expect_failure 'analyze: 5 steps, 1 findings, 3 allowed with a reason'
	expect_failure '20 tests, 11 errors, 0 leaks'
	expect_failure 'leaks: 3'
	expect_failure '3 data races'
	expect_failure 'mutants: 43 of 44 caught, 2 skipped'
	expect_row fuzz 'fuzz: 8 targets, 0 failed$'
}

a_result_that_is_good_does_not()
{
	begin
	put torture 'torture of the library: 120 scenes, 34567 failures'
	put mutants 'mutants: 44 of 44 caught'
	put analyze 'analyze: 5 steps, 0 findings, 3 allowed with a reason'
	put fuzz 'fuzz: 8 targets, 60 s each, 100 runs, 0 failed'
	put valgrind 'valgrind: 10 tests, 0 errors, 0 leaks'
	print
	expect_status 0
	! grep -q FAILED "$out" || fail "$(grep FAILED "$out")"
}

a_result_tells_how_old_it_is()
{
	begin
	put soak 'long ago'
	touch -d '2020-01-02 03:04' tests/soak.result
	put fuzz 'just now'
	print
	expect_match "$out" '(2020-01-02 03:04, [0-9]* days ago, before the last'
	expect_match "$out" '([0-9 :-]*, 0 min ago'
}

lines_are_counted()
{
	begin
	print
	expect_row lines '[0-9]* of the library, [0-9]* of the tools, [0-9]* of'
	expect_row lines '.*: [0-9][0-9]*\.[0-9] for each other line$'
}

markdown_has_the_same_rows()
{
	begin
	put soak 'a | b'
	print --markdown
	expect_status 0
	expect_match "$out" '^| check | result | time |$'
	expect_match "$out" '^| soak | a \\| b | [0-9 :-]*, 0 min ago'
	expect_match "$out" '^| fuzz | not run (make fuzz) |'
}

# A make without the target valgrind. signals fails and leaves no result,
# mutants fails and leaves one.
make_fake_make()
{
	cat >fake-make <<-'END'
		#!/bin/sh
		[ "$1" != -n ] || { [ "$2" != valgrind ]; exit; }
		echo "$2" >>ran
		case $2 in
		check) ;;
		signals) exit 2 ;;
		mutants) echo 'mutants: 1 of 2 caught' >tests/mutants.result; exit 1 ;;
		*) echo "new $2" >"tests/$2.result" ;;
		esac
	END
	chmod +x fake-make
}

all_of_it_is_run_and_no_old_figure_stays()
{
	begin
	make_fake_make
	put signals '7 passed, 0 failed'
	put soak 'old soak'
	MAKE=$here/fake-make print --run
	expect_status 1
	for name in check $results; do
		[ "$name" = valgrind ] || expect_match ran "^$name\$"
	done
	expect_row soak 'new soak$'
	expect_row signals 'FAILED: signals: FAILED, exit status 2'
	expect_row mutants 'FAILED: mutants: 1 of 2 caught$'
	expect_row valgrind 'not run (make valgrind)$'
	expect_match proof.md '^| soak | new soak |'
}

run_case what_was_not_run_says_how_to
run_case each_result_has_its_row
run_case a_result_of_several_lines_is_one_row
run_case the_tests_are_added_up
run_case a_test_that_has_failed_is_named
run_case threads_have_a_row_of_their_own
run_case a_result_that_has_failed_shows_as_failed
run_case a_result_that_is_good_does_not
run_case a_result_tells_how_old_it_is
run_case lines_are_counted
run_case markdown_has_the_same_rows
run_case all_of_it_is_run_and_no_old_figure_stays
finish_cases
