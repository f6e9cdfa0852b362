#!/bin/sh
# SPDX-License-Identifier: MIT
#
# seqpacket-echo: what all echo tools do, and what only connections that keep
# boundaries have.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

tool=seqpacket-echo
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
# shellcheck source=tests/tools/echo_cases.sh
. "$srcdir/tests/tools/echo_cases.sh"

max_messages_answers_so_many_and_closes()
{
	expect_three_answers a b c d e
}

a_lane_changes_nothing_but_the_time()
{
	serve --lane --stats
	seq 1 1000 >lines
	run_well "$command" --lane "$address" <lines
	expect_same lines "$out"
	run_well "$command" --lane=4096 --spin 50 -c 1000 "$address"
	expect_match "$err" ' 1000 received, 0 lost, 0 altered'
	stop_server server
	expect_match "$logs/server.out" '"lane_bytes_most":[1-9]'
	expect_match "$logs/server.out" '"lanes":0,'
	expect_balance "$logs/server.out"
}

a_client_without_one_is_served_beside()
{
	serve --lane --stats
	run_well "$command" -c 100 "$address"
	stop_server server
	expect_match "$logs/server.out" '"lane_bytes_most":0'
}

a_lane_has_a_size_that_can_be()
{
	for value in 0 x 4095 5000 134217728; do
		expect_refusal 2 --listen "--lane=$value" "$address"
	done
	expect_refusal 2 --lane --bind @own "$address"
}

# A server that looks at its listener again and again writes a line each time.
a_server_without_descriptors_rests_and_recovers()
{
	start_server server sh -c 'ulimit -n 17 && exec "$0" "$@"' \
		"$command" --listen -v "$address"
	hold_input
	for number in 1 2 3 4 5 6 7 8; do
		start "client$number" "$command" "$address" <input
	done
	await_true grep -q 'accepting nobody' "$logs/server.err"
	run "$command" -W 0.5 "$address" hello
	expect_status 1
	lines=$(grep -c 'accepting nobody' "$logs/server.err")
	[ "$lines" -lt 200 ] || fail "it has tried $lines times"
	exec 5<&-
	for number in 1 2 3 4 5 6 7 8; do
		finish_well "client$number"
	done
	expect_echo
	stop_server server
}

run_echo_cases
run_connection_cases
run_message_cases
run_twice a_lane_changes_nothing_but_the_time
run_twice a_client_without_one_is_served_beside
run_twice a_lane_has_a_size_that_can_be
run_twice a_server_without_descriptors_rests_and_recovers
run_twice max_messages_answers_so_many_and_closes
finish_cases
