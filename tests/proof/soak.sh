#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs 'make soak' for a moment, and checks that it finds faults.

. "${srcdir:?}/tests/lib.sh"
soak=${top_builddir:?}/tests/soak
seed=${SEED:-$(($(date +%s) % 1000000))}

[ -x "$soak" ] || {
	echo "skip: soak: built without Check"
	exit 77
}

a_short_while_of_it_loses_nothing()
{
	run_well "$soak" 2 "$seed"
	expect_match "$out" "^soak: 2 seconds, seed $seed, [1-9][0-9]* messages"
	expect_match "$out" ', [1-9][0-9]* starts, '
	expect_match "$out" ', [1-9][0-9]* lanes, '
	cat "$out" >&6
}

a_report_is_kept()
{
	SOAK_RESULT=$here/result run "$soak" 0 "$seed"
	expect_status 0
	tail -n 1 "$out" >last
	expect_same last result
}

the_plan_follows_from_the_seed()
{
	"$soak" plan "$seed" 1000 >one
	"$soak" plan "$seed" 1000 >two
	"$soak" plan "$((seed + 1))" 1000 >three
	expect_same one two
	[ "$(wc -l <one)" -eq 1000 ] || fail "the plan has not 1000 steps"
	! cmp -s one three || fail "another seed has the same plan"
}

# expect_seen FAULT TEXT
expect_seen()
{
	SOAK_FAULT=$1 SOAK_RESULT=$here/result run "$soak" 1 "$seed"
	expect_status 1
	expect_match "$out" "^soak: FAILED: expected .*$2"
	expect_match "$out" "^soak: SEED=$seed has the same plan"
	expect_match result "^soak: FAILED with seed $seed: expected "
}

an_answer_that_was_altered_is_seen()
{
	expect_seen alters 'it was altered'
}

an_answer_that_does_not_come_is_seen()
{
	expect_seen drops 'the answer'
}

an_answer_that_comes_twice_is_seen()
{
	expect_seen doubles ''
}

descriptors_that_stay_open_are_seen()
{
	expect_seen keeps-fds 'descriptors without clients'
}

files_that_stay_are_seen()
{
	expect_seen keeps-file 'no files of servers'
}

tell_on_stderr()
{
	exec "$@" >&2
}

# finish waits until all processes that could write to this standard error have
# ended.
end_by()
{
	start_and_see soak 'SEED=' tell_on_stderr "$soak" 60 "$seed"
	end soak "$1"
}

what_is_interrupted_leaves_nothing_behind()
{
	end_by TERM
	expect_status 143
	[ -z "$(ls "$TMPDIR")" ] || fail "$(ls "$TMPDIR") was left"
}

what_is_killed_leaves_no_process_behind()
{
	end_by KILL
	expect_status 137
}

echo "soak: SEED=$seed"
exec 6>&1
run_case a_short_while_of_it_loses_nothing
run_case a_report_is_kept
run_case the_plan_follows_from_the_seed
run_case an_answer_that_was_altered_is_seen
run_case an_answer_that_does_not_come_is_seen
run_case an_answer_that_comes_twice_is_seen
run_case descriptors_that_stay_open_are_seen
run_case files_that_stay_are_seen
run_case what_is_interrupted_leaves_nothing_behind
run_case what_is_killed_leaves_no_process_behind
finish_cases
