#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixgram-echo: what all echo tools do, and what only datagrams have.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

tool=unixgram-echo
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
# shellcheck source=tests/tools/echo_cases.sh
. "$srcdir/tests/tools/echo_cases.sh"

own_directory=unixmsg-$(id -u)

# A client that has its file and waits for input.
start_waiting_client()
{
	[ -e input ] || mkfifo input
	exec 5<>input
	start_and_see client connected "$command" -v "$@" "$address" <input
}

a_client_file_goes_with_each_signal()
{
	serve
	for signal in INT TERM HUP; do
		start_waiting_client
		count=$(find "$XDG_RUNTIME_DIR/$own_directory" -type s | wc -l)
		[ "$count" -eq 1 ] || fail "$count files of the client"
		end client "$signal"
		expect_status 1 "$signal"
		expect_match "$logs/client.err" "^$tool: interrupted$"
		[ -z "$(find "$XDG_RUNTIME_DIR" "$TMPDIR" ! -type d)" ] ||
			fail "a file is left behind after $signal"
	done
	stop_server server
}

a_client_file_that_was_asked_for_goes_with_each_signal()
{
	serve
	for signal in INT TERM HUP; do
		start_waiting_client --bind "$here/own"
		[ -S own ] || fail 'no file of the client'
		end client "$signal"
		expect_status 1 "$signal"
		expect_gone "$here/own"
	done
	stop_server server
}

an_own_file_has_the_mode_that_was_asked_for()
{
	serve
	for mode in 600 620 666; do
		start_waiting_client --bind "$here/own" --mode "$mode"
		[ "$(stat -c %a own)" = "$mode" ] ||
			fail "it is $(stat -c %a own), not $mode"
		end client TERM
	done
	stop_server server
}

a_client_of_an_abstract_server_has_no_file()
{
	serve
	start_waiting_client
	[ -z "$(find "$XDG_RUNTIME_DIR" "$TMPDIR" ! -type d)" ] ||
		fail 'there is a file'
	exec 5<&-
	finish_well client
	expect_match "$logs/client.err" 'own address @.'
	stop_server server
}

a_client_takes_another_directory_when_the_first_is_missing()
{
	serve
	XDG_RUNTIME_DIR=$here/none
	run_well "$command" -v "$address" hello
	expect_match "$err" "own address $TMPDIR/$own_directory/"
	XDG_RUNTIME_DIR=$work/run
	stop_server server
}

an_own_path_too_long_for_answers_is_refused()
{
	serve
	part=$(head -c 110 /dev/zero | tr '\0' d)
	mkdir "$part"
	expect_refusal 1 --bind "$here/$part/own" "$address" hello
	expect_match "$err" 'longer than the 108 bytes'
	stop_server server
}

a_live_client_keeps_its_own_address()
{
	serve
	start_waiting_client --bind "$here/own"
	expect_refusal 1 --bind "$here/own" "$address" hello
	expect_match "$err" 'own address is in use'
	echo hello >&5
	exec 5<&-
	finish_well client
	expect_text "$logs/client.out" hello
	expect_gone "$here/own"
	stop_server server
}

a_sender_without_an_address_is_counted_and_told()
{
	need socat
	serve -v --stats
	printf hello | bound socat -u - "UNIX-SENDTO:$address"
	await_true grep -q 'without an address' "$logs/server.err"
	expect_echo
	stop_server server
	expect_counter "$logs/server.out" unnamed 1
	expect_counter "$logs/server.out" answered 1
	expect_balance "$logs/server.out"
	expect_match "$logs/server.err" 'a message of 5 bytes from a sender'
}

a_client_that_is_gone_is_counted()
{
	serve -v --stats
	signal server STOP
	run "$command" -W 0.2 --bind "$here/own" "$address" hello
	expect_complaint 1
	expect_gone "$here/own"
	signal server CONT
	expect_echo
	stop_server server
	expect_counter "$logs/server.out" gone 1
	expect_balance "$logs/server.out"
}

# Twenty are more than its queue takes: the next client finds no room at all.
a_client_does_not_wait_for_ever_for_room()
{
	serve
	signal server STOP
	seq 1 20 >many
	run "$command" -W 0.2 "$address" <many
	expect_status 1
	run "$command" -W 0.2 "$address" hello
	expect_complaint 1
	expect_match "$err" 'message 1: no room for it within 0.2 seconds'
	signal server CONT
	stop_server server
}

what_was_sent_and_what_was_not_is_told()
{
	serve
	signal server STOP
	seq 1 1000 >many
	run "$command" -W 0.2 --stats "$address" <many
	expect_status 1
	sed -n "s/^$tool: \([0-9]*\) sent, none answered; \([0-9]*\) $(
	)records not sent\$/\1 \2/p" "$err" >figures
	read -r sent rest <figures || fail 'no figures'
	[ $((sent + rest)) -eq 1000 ] || fail "$sent sent, $rest not sent"
	expect_counter "$out" sent "$sent"
	expect_counter "$out" lost "$sent"
	run "$command" -W 0.2 "$address" hello
	expect_complaint 1
	signal server CONT
	stop_server server
}

a_server_prints_the_sender()
{
	serve --format json
	expect_echo --bind "$here/own"
	stop_server server
	expect_match "$logs/server.out" "^{\"size\":5,\"data\":\"hello\",$(
	)\"sender\":\"$here/own\",\"uid\":$(id -u),\"pid\":[0-9]*}\$"
}

max_messages_leaves_the_rest()
{
	expect_three_answers -W 0.5 a b c d e
}

only_packets_have_lanes()
{
	expect_refusal 2 --lane "$address"
	expect_refusal 2 --listen --lane "$address"
}

run_echo_cases
run_twice only_packets_have_lanes
run_message_cases
for name in a_client_file_goes_with_each_signal \
	a_client_takes_another_directory_when_the_first_is_missing \
	a_sender_without_an_address_is_counted_and_told; do
	run_case "$name" '' on_path
done
run_case a_client_of_an_abstract_server_has_no_file '' on_abstract
for name in a_client_file_that_was_asked_for_goes_with_each_signal \
	an_own_file_has_the_mode_that_was_asked_for \
	an_own_path_too_long_for_answers_is_refused \
	a_live_client_keeps_its_own_address \
	a_client_that_is_gone_is_counted \
	a_client_does_not_wait_for_ever_for_room \
	what_was_sent_and_what_was_not_is_told \
	a_server_prints_the_sender \
	max_messages_leaves_the_rest; do
	run_twice "$name"
done
finish_cases
