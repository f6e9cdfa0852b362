#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixmsg-tap: what it prints, records and sends again, and what it says.
# check_tap.c has what it passes on.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086
set -u

tool=unixmsg-tap
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
PATH=$TOOLS:$PATH
export PATH

networks='unixgram unixpacket unix'
name=tap-$$

# start_echo NETWORK: at s-NETWORK.
start_echo()
{
	start_server "echo-$1" "$(echo_of "$1")" --listen "s-$1"
}

# start_tap OPTION... ADDRESS: its lines go to $logs/tap.out.
start_tap()
{
	start_server tap unixmsg-tap "$@"
}

# stop_tap STATUS
stop_tap()
{
	end tap INT
	expect_status "$1" "$(cat "$logs/tap.err")"
}

talk()
{
	run_well unixmsg-cat "$@"
}

# mistake TEXT ARGUMENT...
mistake()
{
	wanted=$1
	shift
	run unixmsg-tap "$@"
	expect_complaint 2 "$*"
	expect_told 2 "$wanted"
}

# --- The command line --------------------------------------------------------

a_mistake_is_one_line_and_changes_nothing()
{
	start_echo unixpacket
	list_files >"$logs/before"
	mistake 'an ADDRESS is needed'
	mistake 'one ADDRESS only' s-unixpacket other
	mistake 'cannot be taken over' "@$name"
	mistake 'goes with --replay' --speed 2 s-unixpacket
	mistake 'goes with --write' --decode json s-unixpacket
	mistake 'not one of text, hex, json' --format pcap s-unixpacket
	mistake 'not unixgram, unixpacket or unix' --network tcp s-unixpacket
	mistake 'a number from 0' --replay x --speed fast s-unixpacket
	mistake 'only one of them' --replay x --restore s-unixpacket
	mistake 'not with --restore' --restore -c 1 s-unixpacket
	mistake 'not with --replay' --replay x --snap 1 s-unixpacket
	mistake 'have standard output' -w - --stats s-unixpacket
	list_files >"$logs/after"
	expect_same "$logs/before" "$logs/after"
}

a_directory_that_may_not_be_written_is_told_and_nothing_changes()
{
	need_stranger "$TOOLS/unixmsg-tap"
	start_echo unixpacket
	chmod 666 s-unixpacket
	ls -li s-unixpacket >before
	run $stranger env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" \
		unixmsg-tap "$here/s-unixpacket"
	expect_complaint 1
	ls -li s-unixpacket >after
	expect_same before after
}

# As root, in a directory where all may make files: the other user is nobody.
a_second_name_that_somebody_else_has_made_is_told_and_stays()
{
	need_root
	mkdir -m 1777 place
	start_server echo seqpacket-echo --listen place/s
	for make in 'touch' 'mkdir' 'ln -s /etc/passwd'; do
		$make place/.unixmsg=s
		chown -h 65534 place/.unixmsg=s
		ls -lai place >before
		for option in --restore -v; do
			run unixmsg-tap $option place/s
			expect_complaint 1
			expect_told 1 'made its second name'
			ls -lai place >after
			expect_same before after
		done
		rm -r place/.unixmsg=s
	done
	talk place/s hello
}

a_server_of_no_file_is_tapped_at_another_name()
{
	start_server echo seqpacket-echo --listen "@$name"
	start_tap --listen front "@$name"
	talk front hello
	expect_text "$out" hello
	stop_tap 0
	expect_gone front
	expect_match "$logs/tap.out" ' > 5  hello$'
}

# --- What passes and what is shown -------------------------------------------

a_client_gets_the_same_with_and_without_a_tap()
{
	seq 1 5000 >lines
	for network in $networks; do
		start_echo $network
		talk s-$network <lines
		mv "$out" direct
		start_tap s-$network
		talk s-$network <lines
		expect_same direct "$out"
		stop_tap 0
		talk s-$network <lines
		expect_same direct "$out"
	done
}

each_message_is_a_line()
{
	for network in unixgram unixpacket; do
		start_echo $network
		start_tap s-$network
		talk s-$network hello '' "$(printf 'a\033[1mb')"
		stop_tap 0
		sed -e 's/^+[0-9.]*  1 [a-z0-9]*\[[0-9]*\] *//' \
			"$logs/tap.out" | sort >lines
		grep -v -e end -e closed lines >messages
		cat >wanted <<-'END'
			< 0
			< 5  hello
			< 6  a\x1b[1mb
			> 0
			> 5  hello
			> 6  a\x1b[1mb
			opened
		END
		expect_same wanted messages
		expect_printable "$logs/tap.out"
	done
}

a_connection_has_a_beginning_and_an_end()
{
	start_echo unixpacket
	start_tap s-unixpacket
	talk s-unixpacket hello
	talk s-unixpacket again
	stop_tap 0
	sed -e 's/^+[0-9.]*  //' -e 's/ [a-z0-9]*\[[0-9]*\]//' \
		"$logs/tap.out" >lines
	cat >wanted <<-'END'
		1  opened
		1 > 5  hello
		1 < 5  hello
		1 > end
		1 < end
		1  closed
		2  opened
		2 > 5  again
		2 < 5  again
		2 > end
		2 < end
		2  closed
	END
	expect_same wanted lines
}

hex_and_json_are_shown()
{
	start_echo unixpacket
	start_tap --format hex s-unixpacket
	talk --format hex s-unixpacket 00ff
	stop_tap 0
	expect_match "$logs/tap.out" ' > 2  00ff$'
	start_tap --format json --snap 3 s-unixpacket
	talk s-unixpacket hello
	stop_tap 0
	expect_match "$logs/tap.out" '"event":"message",.*"from":"server",.*"size":3,"data":"hel","cut":true,"true_size":5}$'
	need python3
	python3 -c '
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
assert [e["event"] for e in events] == ["opened", "message", "message",
    "end", "end", "closed"], events
' "$logs/tap.out" >&3 2>&3
}

a_terminal_gets_colours_and_a_file_none()
{
	need_terminal
	start_echo unixpacket
	start_tap -c 2 s-unixpacket
	talk s-unixpacket hello
	finish tap
	expect_printable "$logs/tap.out"
	mkfifo ready
	start shown script -q -e -c \
		"unixmsg-tap -c 2 s-unixpacket 2>ready" /dev/null
	{ IFS= read -r line && [ "${line#*listening}" != "$line" ]; } <ready ||
		fail 'no tap'
	talk s-unixpacket hello
	finish shown
	grep -q "$(printf '\033\\[33m')" "$logs/shown.out" || fail 'no colours'
}

it_leaves_after_so_many_messages()
{
	start_echo unixpacket
	start_tap -c 3 --stats s-unixpacket
	talk s-unixpacket one two three
	finish_well tap
	there=$(get_counter "$logs/tap.out" messages_to_server)
	back=$(get_counter "$logs/tap.out" messages_to_client)
	[ $((there + back)) -eq 3 ] || fail "$there and $back are not 3"
	talk s-unixpacket direct
}

counters_are_told_at_the_end_and_when_asked_for()
{
	start_echo unixpacket
	start_tap --stats s-unixpacket
	talk s-unixpacket one three
	signal tap USR1
	await_true grep -q messages_to_server "$logs/tap.out"
	expect_counter "$logs/tap.out" connections 1
	talk s-unixpacket five
	stop_tap 0
	expect_counter "$logs/tap.out" connections 2
	expect_counter "$logs/tap.out" open 0
	expect_counter "$logs/tap.out" messages_to_server 3
	expect_counter "$logs/tap.out" bytes_to_server 12
	expect_counter "$logs/tap.out" messages_to_client 3
	expect_counter "$logs/tap.out" bytes_to_client 12
	expect_counter "$logs/tap.out" not_shown 0
}

a_recording_on_standard_output_gets_no_counters_in_between()
{
	start_echo unixpacket
	start_server tap unixmsg-tap --write - s-unixpacket
	signal tap USR1
	talk s-unixpacket one
	stop_tap 0
	if grep -q messages_to_server "$logs/tap.out"; then
		fail 'counters stand in the recording'
	fi
}

# --- Slow and full outputs ---------------------------------------------------

an_output_that_nobody_reads_delays_no_traffic()
{
	start_echo unixpacket
	mkfifo lines
	exec 5<>lines
	stdout=lines start_tap s-unixpacket
	run_well seqpacket-echo -c 60000 -s 400 s-unixpacket
	signal tap INT
	cat <lines >seen 5>&- &
	reader=$!
	pids="$pids $reader"
	exec 5>&-
	finish_well tap
	await $reader
	left_out=$(sed -n 's/^\.\.\. \([0-9]*\) left out.*/\1/p' seen |
		awk '{ n += $1 } END { print n }')
	shown=$(grep -c '^+' seen)
	[ "$left_out" -gt 0 ] || fail 'nothing was left out'
	# Both are opened and closed; who closes first is the only one to end.
	case $((left_out + shown)) in
	120003 | 120004) ;;
	*) fail "$left_out left out and $shown shown are not 120000 and 4" ;;
	esac
}

an_output_that_fails_is_told_and_traffic_goes_on()
{
	[ -c /dev/full ] || skip 'there is no /dev/full'
	start_echo unixpacket
	stdout=/dev/full start_tap s-unixpacket
	talk s-unixpacket hello
	await_true grep -q 'no longer shown' "$logs/tap.err"
	talk s-unixpacket again
	expect_text "$out" again
	stop_tap 1
	expect_match "$logs/tap.err" 'standard output: No space left'
}

# --- Recordings --------------------------------------------------------------

record_hello()
{
	start_echo "$1"
	start_tap -w file.pcapng s-"$1"
	talk s-"$1" hello '' world
	stop_tap 0
	expect_empty "$logs/tap.out"
}

a_recording_is_for_its_owner_and_replaces_none()
{
	record_hello unixpacket
	[ "$(stat -c %a file.pcapng)" = 600 ] || fail 'others may read it'
	cp file.pcapng copy
	run unixmsg-tap -w file.pcapng s-unixpacket
	expect_complaint 1
	expect_told 1 'exists already'
	expect_same copy file.pcapng
	talk s-unixpacket hello
}

tshark_reads_each_recording()
{
	need tshark
	for network in $networks; do
		rm -f file.pcapng
		record_hello $network
		run_well tshark -r file.pcapng -T fields -e frame.comment
		grep -q 'to the server: 5 bytes, client uid' "$out" ||
			[ $network = unix ] || fail "$(cat "$out")"
		run tshark -r file.pcapng -Y data -T fields -e data.data
		tr -d '\n' <"$out" >"$logs/data"
		[ "$(grep -o 68656c6c6f "$logs/data" | wc -l)" -eq 2 ] ||
			fail "hello is not there twice: $(cat "$out")"
	done
}

an_empty_message_is_a_packet()
{
	need tshark
	record_hello unixpacket
	run tshark -r file.pcapng -T fields -e frame.comment
	[ "$(grep -c ': 0 bytes,' "$out")" -eq 2 ] || fail "$(cat "$out")"
}

tshark_decodes_what_it_is_told()
{
	need tshark
	start_echo unixpacket
	start_tap -w file.pcapng --decode json s-unixpacket
	talk s-unixpacket '{"answer":42}'
	stop_tap 0
	run_well tshark -r file.pcapng -Y json -T fields -e json.member
	[ "$(grep -c answer "$out")" -eq 2 ] || fail "$(cat "$out")"
}

a_recording_may_go_into_a_pipe()
{
	start_echo unixpacket
	start_tap -w - s-unixpacket
	talk s-unixpacket hello
	stop_tap 0
	run_well unixmsg-tap --replay "$logs/tap.out" s-unixpacket
}

# The recorder writes what a killed tap has seen.
a_killed_tap_leaves_a_recording_of_all()
{
	start_echo unixpacket
	start_tap -w file.pcapng s-unixpacket
	talk s-unixpacket hello world
	end tap KILL
	run_well unixmsg-tap --restore s-unixpacket
	await_true all_is_replayed
}

all_is_replayed()
{
	run unixmsg-tap --replay file.pcapng s-unixpacket
	[ $status -eq 0 ] && grep -q '2 messages sent, and all 2' "$err"
}

# --- Sending again -----------------------------------------------------------

a_replay_finds_the_same_answers()
{
	for network in $networks; do
		rm -f file.pcapng
		record_hello $network
		run unixmsg-tap --replay file.pcapng s-$network
		expect_told 0 'answers are as they were'
	done
}

a_replay_tells_the_first_difference()
{
	record_hello unixpacket
	start_server other unixmsg-cat --listen --reply help unixpacket other
	run unixmsg-tap --replay file.pcapng other
	expect_complaint 1
	expect_told 1 'differs at byte 3; it has 4 bytes, and had 5'
	start_server silent unixmsg-cat --listen --reply hello unixpacket same
	run unixmsg-tap --replay file.pcapng same
	expect_told 1 'differs at byte 0; it has 5 bytes, and had 0'
}

a_replay_keeps_the_pauses_of_the_recording()
{
	start_echo unixpacket
	start_tap -w file.pcapng s-unixpacket
	talk s-unixpacket one
	talk s-unixpacket two
	stop_tap 0
	need tshark
	run tshark -r file.pcapng -T fields -e frame.time_relative
	span=$(tail -n 1 "$out" | cut -d. -f1-2)
	begin=$(date +%s%N)
	run unixmsg-tap --replay file.pcapng --speed 0.5 s-unixpacket
	end=$(date +%s%N)
	expect_status 0 "$(cat "$err")"
	awk -v span="$span" -v took=$((end - begin)) \
		'BEGIN { exit !(took >= span * 1e9) }' ||
		fail "$span s took $((end - begin)) ns at half the speed"
}

what_is_no_recording_is_not_sent()
{
	record_hello unixpacket
	echo 'no recording' >foreign
	run unixmsg-tap --replay foreign s-unixpacket
	expect_complaint 1
	expect_told 1 'is no recording of unixmsg-tap'
	head -c -100 file.pcapng >short
	run unixmsg-tap --replay short s-unixpacket
	expect_told 1 'is cut'
	run unixmsg-tap --replay none s-unixpacket
	expect_complaint 1
	: >empty
	run unixmsg-tap --replay empty s-unixpacket
	expect_complaint 1
}

messages_that_were_cut_are_not_sent()
{
	start_echo unixpacket
	start_tap -w file.pcapng --snap 3 s-unixpacket
	talk s-unixpacket hello
	stop_tap 0
	run unixmsg-tap --replay file.pcapng s-unixpacket
	expect_complaint 1
	expect_told 1 'only its beginning was recorded'
}

# --- Users -------------------------------------------------------------------

a_tap_that_is_not_root_tells_once_whom_the_server_sees()
{
	need_stranger "$TOOLS/unixmsg-tap"
	mkdir place
	chown 65534:65534 place
	start_server echo $stranger \
		env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" \
		seqpacket-echo --listen -m 666 place/s
	start_server tap $stranger \
		env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" unixmsg-tap place/s
	talk place/s hello
	talk place/s hello
	stop_tap 0
	[ "$(grep -c 'only root can connect as another' "$logs/tap.err")" -eq 1 ] ||
		fail "$(cat "$logs/tap.err")"
}

# --- Killed -------------------------------------------------------------------

is_listening_or_dead()
{
	grep -qs 'listening on' "$logs/tap.err" || ! kill -0 "$pid" 2>/dev/null
}

# killed_at CALL N: whether a tap that takes the name, serves one client and
# gives the name back was killed at that call.
killed_at()
{
	# What the one before has said.
	rm -f "$logs/tap.err"
	start tap strace -qq -o "$logs/trace" -e "trace=$1" \
		-e "inject=$1:signal=KILL:when=$2" unixmsg-tap -c 1 s
	await_true is_listening_or_dead
	if kill -0 "$pid" 2>/dev/null; then
		run unixmsg-cat s hello
	fi
	finish tap
	grep -q 'killed by SIGKILL' "$logs/trace"
}

a_kill_at_any_step_is_repaired()
{
	need strace
	start_server echo seqpacket-echo --listen s
	ls -ia >"$logs/before"
	kills=0
	for call in linkat bind listen fchmod fchownat flock renameat \
		renameat2 unlinkat close; do
		for n in 1 2 3 4 5 6 7 8; do
			killed_at $call $n || break
			kills=$((kills + 1))
			run unixmsg-tap --restore s
			expect_status 0 "$call $n: $(cat "$err")"
			talk s hello
			expect_text "$out" hello
			ls -ia >"$logs/after"
			cmp -s "$logs/before" "$logs/after" ||
				fail "$call $n: $(cat "$logs/after")"
		done
	done
	[ $kills -ge 20 ] || fail "only $kills steps"
}

# The recorders of a killed tap wait for whoever reads, and hold nothing else.
a_killed_tap_whose_output_stands_still_is_repaired_at_once()
{
	start_echo unixpacket
	mkfifo lines
	exec 5<>lines
	stdout=lines start_tap -w file.pcapng --format text s-unixpacket
	run_well seqpacket-echo -c 2000 -s 400 s-unixpacket
	signal tap KILL
	await "$(cat "$logs/tap.pid")"
	run_well unixmsg-tap --restore s-unixpacket
	talk s-unixpacket hello
	expect_text "$out" hello
	exec 5>&-
	finish tap
}

it_tells_whom_the_server_sees_when_asked_to_say_more()
{
	start_echo unixpacket
	start_tap -v s-unixpacket
	talk s-unixpacket hello
	stop_tap 0
	expect_match "$logs/tap.err" 'the server sees the user of'
	start_tap s-unixpacket
	stop_tap 0
	! grep -q 'the server sees' "$logs/tap.err" || fail 'told unasked'
}

for case in \
	it_tells_whom_the_server_sees_when_asked_to_say_more \
	a_kill_at_any_step_is_repaired \
	a_killed_tap_whose_output_stands_still_is_repaired_at_once \
	a_mistake_is_one_line_and_changes_nothing \
	a_directory_that_may_not_be_written_is_told_and_nothing_changes \
	a_second_name_that_somebody_else_has_made_is_told_and_stays \
	a_server_of_no_file_is_tapped_at_another_name \
	a_client_gets_the_same_with_and_without_a_tap \
	each_message_is_a_line \
	a_connection_has_a_beginning_and_an_end \
	hex_and_json_are_shown \
	a_terminal_gets_colours_and_a_file_none \
	it_leaves_after_so_many_messages \
	counters_are_told_at_the_end_and_when_asked_for \
	a_recording_on_standard_output_gets_no_counters_in_between \
	an_output_that_nobody_reads_delays_no_traffic \
	an_output_that_fails_is_told_and_traffic_goes_on \
	a_recording_is_for_its_owner_and_replaces_none \
	tshark_reads_each_recording \
	an_empty_message_is_a_packet \
	tshark_decodes_what_it_is_told \
	a_recording_may_go_into_a_pipe \
	a_killed_tap_leaves_a_recording_of_all \
	a_replay_finds_the_same_answers \
	a_replay_tells_the_first_difference \
	a_replay_keeps_the_pauses_of_the_recording \
	what_is_no_recording_is_not_sent \
	messages_that_were_cut_are_not_sent \
	a_tap_that_is_not_root_tells_once_whom_the_server_sees; do
	run_case $case
done
finish_cases
