# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# The cases that all echo tools share. The test that sources this file has set
# tool, and sourced lib.sh before; run_echo_cases runs them.
#
# What differs is asked of is_tool; address is where a case that runs for both
# kinds of address has its server.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086

command=$TOOLS/$tool
all_tools='unixgram-echo seqpacket-echo unixstream-echo'
version=${PACKAGE_VERSION:-0.1.0}
address=
esc=$(printf '\033')

is_quick=true
if $is_long && ! is_sanitized "$tool"; then
	is_quick=false
fi

is_tool()
{
	[ "$tool" = "$1" ]
}

# For each kind of address; where time is short, for each in turn, so that what
# one tool does on a path another does on an abstract name.
next_kind=path
! is_tool seqpacket-echo || next_kind=abstract
run_twice()
{
	kinds=$next_kind
	case $next_kind in
	path) next_kind=abstract ;;
	abstract) next_kind=path ;;
	esac
	if $is_long || [ -n "${UNIXMSG_CASE:-}" ]; then
		kinds='path abstract'
	fi
	for kind in $kinds; do
		run_case "$1" "$kind" "on_$kind"
	done
}

serve()
{
	start_server server "$command" --listen "$@" "$address"
}

# A last check that the server still serves.
expect_echo()
{
	run_well "$command" "$@" "${address}" hello </dev/null
	expect_text "$out" hello
	expect_empty "$err"
}

# --- What goes over and comes back ------------------------------------------

arguments_come_back_in_order()
{
	serve
	run_well "$command" "$address" one '' 'two words' three
	printf 'one\n\ntwo words\nthree\n' >wanted
	expect_same wanted "$out"
	expect_empty "$err"
	rm wanted
	stop_server server
}

lines_come_back_the_last_without_a_newline_too()
{
	serve
	printf 'one\n\n\ntwo words\n\nlast' >input
	run_well "$command" "$address" <input
	printf 'one\n\n\ntwo words\n\nlast\n' >wanted
	expect_same wanted "$out"
	expect_empty "$err"
	rm wanted
	stop_server server
}

no_input_gives_no_output()
{
	serve
	run_well "$command" "$address" </dev/null
	expect_empty "$out"
	expect_empty "$err"
	stop_server server
}

a_hundred_thousand_lines_come_back_unchanged()
{
	serve
	seq 1 100000 >lines
	run_well "$command" -W 60 "$address" <lines
	expect_same lines "$out"
	expect_empty "$err"
	stop_server server
}

# 64 records of 64 KiB, no two the same.
make_block()
{
	awk 'BEGIN {
		for (i = 0; i < 256; i++)
			printf "\\%03o", i
	}' >octal
	format=$(cat octal)
	for i in 1 2 3 4 5 6 7 8; do
		# Its escapes are the bytes.
		# shellcheck disable=SC2059
		printf "$format"
	done >pattern
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 \
		24 25 26 27 28 29 30 31 32 33; do
		cat pattern
	done >row
	record=0
	while [ "$record" -lt 64 ]; do
		printf '\000\001\000\000'
		tail -c "+$((record + 1))" row | head -c 65536
		record=$((record + 1))
	done >block
	rm octal pattern row
}

binary_records_of_64_KiB_come_back_unchanged()
{
	serve
	make_block
	blocks=50
	if $is_quick; then
		blocks=5
	fi
	files=$(yes block | head -n "$blocks")
	cat $files | cksum >wanted
	cat $files | {
		run_status=0
		bound "$command" -W 60 --format frames "$address" 2>"$err" ||
			run_status=$?
		echo "$run_status" >"$logs/status"
	} | cksum >came
	status=$(cat "$logs/status")
	expect_status 0
	expect_same wanted came
	expect_empty "$err"
	stop_server server
}

ten_thousand_empty_messages_come_back()
{
	serve
	yes '' | head -n 10000 >wanted
	run_well "$command" -W 60 "$address" <wanted
	expect_same wanted "$out"
	head -c 40000 /dev/zero >wanted
	run_well "$command" -W 60 --format frames "$address" <wanted
	expect_same wanted "$out"
	stop_server server
}

hex_records_come_back_and_are_written_one_way()
{
	serve
	awk 'BEGIN {
		for (i = 0; i < 256; i++)
			printf "%02x", i
		print "\n\n00\nff0a00"
	}' >wanted
	run_well "$command" --format hex "$address" <wanted
	expect_same wanted "$out"
	printf 'DE AD\tbeEF' >input
	run_well "$command" --format hex "$address" <input
	expect_text "$out" deadbeef
	run_well "$command" --format hex "$address" 00fF
	expect_text "$out" 00ff
	stop_server server
}

json_records_come_back_and_are_written_one_way()
{
	serve
	cat >wanted <<'END'
{"size":5,"data":"hello"}
{"size":0,"data":""}
{"size":6,"data":"a\n\"\\\t\u0000"}
{"size":3,"data":"é!"}
{"size":2,"hex":"ff00"}
END
	run_well "$command" --format json "$address" <wanted
	expect_same wanted "$out"
	printf '\n{"x": [1, {"y": null}], "data": "\\u00e9\\/"}\n{"hex":"41 42"}' \
		>input
	printf '{"size":3,"data":"é/"}\n{"size":2,"data":"AB"}\n' >wanted
	run_well "$command" --format json "$address" <input
	expect_same wanted "$out"
	run_well "$command" --format json "$address" '{"data":"x"}'
	expect_text "$out" '{"size":1,"data":"x"}'
	stop_server server
}

# expect_malformed FORMAT WHERE: of input, all records but the last are
# answered, as in wanted.
expect_malformed()
{
	run "$command" --format "$1" "$address" <input
	expect_status 1 "$1"
	[ "$(wc -l <"$err")" -eq 1 ] || fail "$1: more than one line on stderr"
	expect_match "$err" "^$tool: standard input: $2[,:]"
	expect_printable "$err"
	expect_same wanted "$out"
}

malformed_input_is_told_and_what_came_before_is_answered()
{
	serve
	printf '61\n62\n6\n64\n' >input
	printf '61\n62\n' >wanted
	expect_malformed hex 'line 3'
	printf '61\nzz\n' >input
	printf '61\n' >wanted
	expect_malformed hex 'line 2'
	printf '{"size":1,"data":"a"}\n{"data":}\n{"data":"c"}\n' >input
	printf '{"size":1,"data":"a"}\n' >wanted
	expect_malformed json 'line 2'
	printf '{"size":1,"data":"a"}\n{"data":"\033[31m\n' >input
	expect_malformed json 'line 2'
	printf '\000\000\000\001a\000\000\000\005abc' >input
	printf '\000\000\000\001a' >wanted
	expect_malformed frames 'record 2'
	printf '\000\000\000\001a\000\000' >input
	expect_malformed frames 'record 2'
	printf '\000\000\000\001a\377\377\377\377abc' >input
	expect_malformed frames 'record 2'
	run "$command" --format hex "$address" 0x
	expect_complaint 1
	stop_server server
}

a_line_above_max_size_is_told_with_its_number()
{
	serve
	printf 'abcd\nabcde\n' >input
	printf 'abcd\n' >wanted
	run "$command" --max-size 4 "$address" <input
	expect_status 1
	expect_match "$err" "^$tool: standard input: line 2: "
	expect_same wanted "$out"
	stop_server server
}

# --- Made up messages, counters ----------------------------------------------

made_up_messages_end_with_a_summary()
{
	serve
	run_well "$command" --count 25 --size 1000 "$address"
	expect_empty "$out"
	expect_match "$err" "^$tool: 25 sent, 25 received, 0 lost, 0 altered$"
	expect_match "$err" "^$tool: round trip min [0-9.]*, median [0-9.]*, "
	run_well "$command" -c 5 -s 0 -i 0.001 "$address"
	expect_match "$err" "^$tool: 5 sent, 5 received, 0 lost, 0 altered$"
	run_well "$command" -c 5 -q "$address"
	expect_empty "$err"
	stop_server server
}

counters_are_json_and_agree()
{
	serve --stats
	seq 1 100 >lines
	run_well "$command" --stats "$address" <lines
	cp "$out" client
	expect_counter client sent 100
	expect_counter client received 100
	expect_counter client sent_bytes 192
	expect_counter client received_bytes 192
	expect_counter client lost 0
	expect_counter client altered 0
	run_well "$command" --stats -c 7 -s 10 "$address"
	expect_counter "$out" sent 7
	expect_counter "$out" sent_bytes 70
	[ "$(get_counter "$out" round_trip_min_ns)" -le \
		"$(get_counter "$out" round_trip_max_ns)" ] ||
		fail 'the fastest is slower than the slowest'
	signal server USR1
	await_true test -s "$logs/server.out"
	expect_echo
	stop_server server
	expect_balance "$logs/server.out"
	lines=$(wc -l <"$logs/server.out")
	[ "$lines" -eq 2 ] || fail "$lines objects, not 2"
	if ! is_tool unixstream-echo; then
		expect_counter "$logs/server.out" received 108
		expect_counter "$logs/server.out" sent_bytes 267
	fi
	if is_there python3; then
		tail -n 1 client | python3 -m json.tool >/dev/null
		tail -n 1 "$logs/server.out" | python3 -m json.tool >/dev/null
	fi
}

# Every message that a server has taken is accounted for.
expect_balance()
{
	sum=0
	for counter in answered unanswered refused limited cut unnamed \
		dropped late gone failed stopped unproved waiting; do
		sum=$((sum + $(get_counter "$1" "$counter")))
	done
	expect_counter "$1" received "$sum"
}

# Clients that have connected, and wait for input.
start_waiting_clients()
{
	[ -e waiting ] || mkfifo waiting
	exec 5<>waiting
	for client; do
		start_and_see "$client" connected "$command" -v -W 10 \
			"$address" <waiting
	done
}

# Of a datagram client the server knows nothing before its first message.
max_clients_refuses_one_more()
{
	serve --max-clients 2 --stats -v
	start_waiting_clients one two
	run "$command" -W 2 "$address" hello
	expect_status 1
	expect_empty "$out"
	await_true grep -q 'above the limit' "$logs/server.err"
	end one TERM
	await_true grep -q closed "$logs/server.err"
	expect_echo
	stop_server server
	expect_counter "$logs/server.out" connections_limited 1
	expect_counter "$logs/server.out" peers_most 2
	expect_balance "$logs/server.out"
}

max_clients_per_user_leaves_room_for_others()
{
	need_stranger "$TOOLS/$tool"
	chmod 711 "$here"
	serve --max-clients-per-user 1 --mode 0666
	start_waiting_clients one
	run "$command" -W 2 "$address" hello
	expect_status 1
	run_well $stranger "$command" -W 10 "$address" hello
	expect_text "$out" hello
	stop_server server
}

a_silent_client_loses_its_place_to_another_user()
{
	need_stranger "$TOOLS/$tool"
	chmod 711 "$here"
	serve --max-clients 2 --mode 0666 --stats
	start_waiting_clients one two
	run_well $stranger "$command" -W 10 "$address" hello
	expect_text "$out" hello
	stop_server server
	expect_counter "$logs/server.out" evicted 1
}

spinning_changes_nothing_but_the_time()
{
	serve --spin 50 --stats
	seq 1 1000 >lines
	run_well "$command" --spin 50 "$address" <lines
	expect_same lines "$out"
	run_well "$command" --spin 50 -c 100 "$address"
	expect_match "$err" ' 100 received, 0 lost, 0 altered'
	stop_server server
	expect_balance "$logs/server.out"
}

batches_change_nothing_but_the_time()
{
	serve --batch 16 --stats
	seq 1 1000 >lines
	run_well "$command" "$address" <lines
	expect_same lines "$out"
	expect_echo
	stop_server server
	expect_balance "$logs/server.out"
}

idle_timeout_closes_a_silent_client()
{
	serve --idle-timeout 0.3 --stats
	start_waiting_clients one
	finish one
	expect_status 1
	expect_match "$logs/one.err" 'closed the connection'
	expect_echo
	stop_server server
	expect_counter "$logs/server.out" idle 1
}

a_server_leaves_after_max_messages()
{
	serve --max-messages 3
	for word in one two three; do
		run_well "$command" "$address" "$word"
		expect_text "$out" "$word"
	done
	finish_well server
	expect_gone "$here/s"
}

an_answer_above_max_size_is_an_error()
{
	serve
	run "$command" --max-size 4 "$address" abcde
	expect_complaint 1
	expect_match "$err" ' 5 bytes .* 4 '
	run_well "$command" --max-size 5 "$address" abcde
	stop_server server
}

a_server_prints_what_it_takes()
{
	serve --format text
	expect_echo
	stop_server server
	is_tool unixstream-echo || expect_text "$logs/server.out" hello
	serve --format json
	expect_echo
	stop_server server
	is_tool unixstream-echo ||
		expect_match "$logs/server.out" '^{"size":5,"data":"hello"'
}

# --- Signals, leaving --------------------------------------------------------

each_signal_to_stop_ends_a_server_without_a_trace()
{
	for signal in INT TERM HUP; do
		serve
		expect_echo
		end server "$signal"
		expect_status 0 "$signal"
		expect_gone "$here/s"
		expect_text "$logs/server.err" "$tool: listening on $address"
		expect_empty "$logs/server.out"
	done
}

a_dead_file_is_in_nobodys_way()
{
	serve
	end server KILL
	expect_status 137
	[ -S "$here/s" ] || fail 'no dead file to begin with'
	run "$command" "$address" hello
	expect_complaint 1
	serve
	expect_echo
	stop_server server
}

# has_one_winner MANY: all others have given up.
has_one_winner()
{
	cat "$logs"/server[0-9]*.err >"$logs/all.err"
	[ "$(grep -c 'in use' "$logs/all.err")" -eq $(($1 - 1)) ] &&
		[ "$(grep -c 'listening on' "$logs/all.err")" -eq 1 ]
}

one_of_many_servers_wins()
{
	many=10
	i=0
	serve
	end server KILL
	while [ "$i" -lt "$many" ]; do
		start "server$i" "$command" --listen "$address"
		i=$((i + 1))
	done
	await_true has_one_winner "$many"
	expect_echo
	i=0
	while [ "$i" -lt "$many" ]; do
		if grep -q 'listening on' "$logs/server$i.err"; then
			end_well "server$i"
		else
			finish "server$i"
			expect_status 1 'of a loser'
		fi
		i=$((i + 1))
	done
	[ -z "$(ls -A "$here")" ] || fail 'something is left behind'
}

an_output_that_is_closed_ends_a_client()
{
	serve
	list_files >"$logs/before"
	seq 1 100000 >"$logs/lines"
	{
		run_status=0
		bound "$command" "$address" <"$logs/lines" 2>"$err" ||
			run_status=$?
		echo "$run_status" >"$logs/status"
	} | head -n 1 >"$out"
	status=$(cat "$logs/status")
	expect_status 1
	expect_text "$out" 1
	expect_match "$err" "^$tool: standard output: "
	[ "$(grep -c 'standard output' "$err")" -eq 1 ] ||
		fail 'told more than once'
	[ -z "$(find "$XDG_RUNTIME_DIR" "$TMPDIR" ! -type d)" ] ||
		fail 'a file is left behind'
	expect_echo
	stop_server server
}

an_interrupted_client_says_so()
{
	serve
	hold_input
	start_and_see client connected "$command" -v "$address" <input
	end client INT
	expect_status 1
	expect_match "$logs/client.err" "^$tool: interrupted$"
	exec 5<&-
	stop_server server
}

# A client that sends more than all queues hold, and reads nothing: ours always
# read. Datagrams that wait for their receiver fill the send buffer of the
# server's only socket: there they have to be small to be bounded by number.
start_stuck_client()
{
	need socat
	case $tool,$address in
	unixgram-echo,@*)
		peer=ABSTRACT-SENDTO:${address#@},bind=${address#@}-stuck
		;;
	unixgram-echo,*) peer=UNIX-SENDTO:$address,bind=$here/stuck ;;
	seqpacket-echo,@*) peer=ABSTRACT-CONNECT:${address#@},type=5 ;;
	seqpacket-echo,*) peer=UNIX-CONNECT:$address,type=5 ;;
	*,@*) peer=ABSTRACT-CONNECT:${address#@} ;;
	*) peer=UNIX-CONNECT:$address ;;
	esac
	size=4000000
	piece=8192
	if is_tool unixgram-echo; then
		size=500000
		piece=1000
	fi
	mkfifo stuck.in
	exec 5<>stuck.in
	stdout=stuck.in
	start feeder head -c "$size" /dev/zero
	stdout=
	start stuck socat -u -b "$piece" - "$peer" <stuck.in
	await_true has_stuck
}

# Messages have been taken and not been answered.
has_stuck()
{
	signal server USR1
	[ "$(get_counter "$logs/server.out" received)" -gt \
		"$(get_counter "$logs/server.out" answered)" ] 2>/dev/null
}

a_client_that_does_not_read_delays_nobody()
{
	serve --stats
	start_stuck_client
	run_well "$command" -c 200 -s 1000 -W 30 "$address"
	expect_match "$err" ' 200 received, 0 lost, 0 altered'
	seq 1 1000 >lines
	run_well "$command" -W 30 "$address" <lines
	expect_same lines "$out"
	end stuck KILL
	expect_echo
	stop_server server
	expect_balance "$logs/server.out"
}

# One of ours: of datagrams all that it has on its way may wait in its queue, at
# the cost of the server's send buffer.
a_stopped_client_delays_nobody()
{
	serve
	mkfifo stopped.in
	exec 5<>stopped.in
	line=$(head -c 5000 /dev/zero | tr '\0' x)
	stdout=stopped.in
	start feeder yes "$line"
	stdout=
	start_and_see stopped connected "$command" -v "$address" <stopped.in
	signal stopped STOP
	run_well "$command" -c 200 -s 1000 -W 30 "$address"
	expect_match "$err" ' 200 received, 0 lost, 0 altered'
	stop_server server
}

a_second_signal_ends_the_wait_for_a_stuck_client()
{
	serve -v --stats
	start_stuck_client
	signal server TERM
	await_true grep -q stopping "$logs/server.err"
	signal server TERM 2>/dev/null || :
	finish_well server
	expect_gone "$here/s"
}

hundreds_of_clients_are_served_at_once()
{
	many=300
	if $is_quick; then
		many=60
	fi
	serve
	hold_input
	: >all.err
	i=0
	while [ "$i" -lt "$many" ]; do
		"$command" -v -W 60 "$address" <input >>all.out 2>>all.err \
			3>&- 5<&- &
		pids="$pids $!"
		clients="${clients:-} $!"
		i=$((i + 1))
	done
	await_true has_lines all.err "$many"
	expect_echo
	seq 1 "$many" >&5
	exec 5<&-
	for client in $clients; do
		await "$client"
		status=0
		wait "$client" || status=$?
		expect_status 0 'of one of many'
	done
	seq 1 "$many" | sort >wanted
	sort all.out >came
	expect_same wanted came
	expect_echo
	stop_server server
}

has_lines()
{
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# --- Refused -----------------------------------------------------------------

# expect_refusal STATUS ARGUMENT...: told in one line, and nothing changes.
expect_refusal()
{
	wanted_status=$1
	shift
	list_files >"$logs/before"
	run "$command" "$@" </dev/null
	expect_complaint "$wanted_status" "$*"
	list_files >"$logs/after"
	cmp -s "$logs/before" "$logs/after" || fail "files have changed: $*"
}

addresses_that_are_none_are_refused()
{
	long=$(head -c 108 /dev/zero | tr '\0' x)
	for bad in '' "@$long" 'a\q' "a\\" 'a\x4' '@a\xgg' 'a\x00b'; do
		expect_refusal 1 --listen "$bad"
		expect_refusal 1 "$bad" hello
	done
	expect_refusal 1 @ hello
	expect_refusal 1 "$(head -c 5000 /dev/zero | tr '\0' y)" hello
	run "$command" "@$long" hello
	expect_match "$err" '109 bytes'
}

missing_directories_are_told()
{
	expect_refusal 1 --listen "$here/none/s"
	expect_match "$err" 'directory does not exist'
	expect_refusal 1 "$here/none/s" hello
	echo content >file
	expect_refusal 1 --listen "$here/file/s"
	expect_refusal 1 "$here/file/s" hello
	expect_refusal 1 --listen /
	expect_refusal 1 --listen "$here/"
}

something_else_at_the_path_is_left_alone()
{
	echo content >file
	mkdir directory
	ln -s file link
	ln -s nowhere dangling
	mkfifo fifo
	for name in file directory link dangling fifo; do
		expect_refusal 1 --listen "$here/$name"
		expect_match "$err" 'no socket'
	done
	expect_text file content
	for name in file directory link; do
		expect_refusal 1 "$here/$name" hello
	done
}

nobody_there_is_told()
{
	expect_refusal 1 "$here/none" hello
	expect_match "$err" 'no such socket'
	expect_refusal 1 "$(abstract_name)-none" hello
	address=$here/s
	serve
	end server KILL
	expect_refusal 1 "$address" hello
	expect_match "$err" 'nobody \(listens\|has\)'
}

# On a path whatever its kind is; abstract names are another for each kind of
# socket.
a_live_owner_keeps_its_name()
{
	owners=$all_tools
	case $address in
	@*) owners=$tool ;;
	esac
	for owner in $owners; do
		start_server owner "$TOOLS/$owner" --listen "$address"
		expect_refusal 1 --listen "$address"
		expect_match "$err" 'in use'
		run_well "$TOOLS/$owner" "$address" hello
		expect_text "$out" hello
		stop_server owner
	done
}

a_server_of_another_kind_is_told()
{
	for owner in $all_tools; do
		[ "$owner" != "$tool" ] || continue
		start_server owner "$TOOLS/$owner" --listen "$address"
		expect_refusal 1 "$address" hello
		expect_match "$err" "does not speak .* but .*: try $owner$"
		end_well owner
	done
}

# expect_denial COMMAND...: the same as somebody who may not.
expect_denial()
{
	list_files >"$logs/before"
	if $is_root; then
		need_stranger "$command"
		run $stranger "$command" "$@" </dev/null
	else
		run "$command" "$@" </dev/null
	fi
	expect_complaint 1
	expect_match "$err" 'Permission denied'
	list_files >"$logs/after"
	expect_same "$logs/before" "$logs/after"
}

who_may_not_is_told()
{
	mkdir -m 555 closed
	expect_denial --listen "$here/closed/s"
	address=$here/s
	serve
	$is_root || chmod 000 "$address"
	expect_denial "$address" hello
	stop_server server
}

a_directory_open_to_all_is_refused()
{
	mkdir open
	chmod 777 open
	expect_refusal 1 --listen "$here/open/s"
	chmod 1777 open
	address=$here/open/s
	serve
	expect_echo
	stop_server server
	expect_gone "$here/open/s"
}

an_own_address_that_cannot_be_is_refused()
{
	serve
	expect_refusal 1 --bind "$here/none/own" "$address" hello
	expect_refusal 1 --bind '' "$address" hello
	expect_refusal 1 --bind 'a\q' "$address" hello
	expect_refusal 1 --bind "@$(head -c 108 /dev/zero | tr '\0' x)" \
		"$address" hello
	echo content >file
	expect_refusal 1 --bind "$here/file" "$address" hello
	expect_text file content
	expect_refusal 1 --bind "$address" "$address" hello
	expect_echo
	stop_server server
}

an_own_address_is_used_and_removed()
{
	serve
	expect_echo --bind "$here/own"
	expect_gone "$here/own"
	expect_echo --bind own
	expect_gone "$here/own"
	expect_echo --bind "$(abstract_name)-own"
	run_well "$command" -v --bind "$here/own" "$address" hello
	expect_text "$err" "$tool: connected, own address $here/own"
	stop_server server
}

wrong_usage_is_told()
{
	address=$(abstract_name)-none
	for option in --count --size --max-size; do
		for value in '' x -1 1x ' 1' 0x10 1e3 99999999999999999999; do
			expect_refusal 2 "$option" "$value" "$address" hello
		done
	done
	expect_refusal 2 --count 0 "$address"
	for option in --interval --timeout --wait; do
		for value in '' x -1 1x nan inf 99999999999999999999; do
			expect_refusal 2 -c 1 "$option" "$value" "$address"
		done
	done
	for value in '' x -1 8 1000 0x1 7777777777777777777777777; do
		expect_refusal 2 --listen --mode "$value" "$address"
	done
	expect_refusal 2 --listen --max-size 0 "$address"
	for value in '' x -1 1x 1000001; do
		expect_refusal 2 --spin "$value" "$address"
	done
	for value in '' x -1 1x 65; do
		expect_refusal 2 --listen --batch "$value" "$address"
	done
	for option in --backlog --max-messages --max-clients \
		--max-clients-per-user --idle-timeout; do
		for value in '' x -1 1x 99999999999999999999; do
			expect_refusal 2 --listen "$option" "$value" "$address"
		done
	done
	for option in --user --group; do
		for value in '' no-such-name -1 4294967295; do
			expect_refusal 2 --listen "$option" "$value" "$address"
		done
	done
	expect_refusal 2 --format xml "$address" hello
	expect_refusal 2 --no-such-option "$address"
	expect_refusal 2 -Z "$address"
	for option in --count -c --size --interval --timeout --wait --bind \
		--format --max-size --mode --user --group --backlog \
		--max-messages --max-clients --max-clients-per-user \
		--idle-timeout --batch; do
		expect_refusal 2 "$option"
	done
	expect_refusal 2
	expect_refusal 2 --listen
	expect_refusal 2 --listen "$address" hello
	expect_refusal 2 --size 5 "$address"
	expect_refusal 2 --interval 5 "$address"
	expect_refusal 2 --count 1 "$address" hello
	for option in --count --size --interval --timeout --wait --bind; do
		expect_refusal 2 --listen "$option" 1 "$address"
	done
	for option in --mode --user --group --backlog --max-messages --batch \
		--max-clients --max-clients-per-user --idle-timeout; do
		expect_refusal 2 "$option" 0 "$address" hello
	done
}

escape_codes_never_reach_the_terminal()
{
	red="${esc}[31mred"
	expect_refusal 1 "$here/$red" hello
	expect_refusal 1 --listen "$here/none/$red"
	expect_refusal 1 "@$(abstract_name)$red" hello
	expect_refusal 2 --count "$red" "$here/s"
	expect_refusal 2 --format "$red" "$here/s"
	expect_refusal 2 --user "$red" --listen "$here/s"
	expect_refusal 2 "--$red" "$here/s"
	expect_refusal 2 "-$esc" "$here/s"
	address=$here/$red
	serve -v --format json
	expect_echo --bind "$here/own$red"
	run_well "$command" -v --bind "$here/own$red" "$address" hello
	expect_printable "$err"
	stop_server server
	expect_gone "$address"
	expect_printable "$logs/server.err"
	expect_printable "$logs/server.out"
}

# --- The file, waiting, and what is said -------------------------------------

# serve_with_umask MASK OPTION...
serve_with_umask()
{
	mask=$1
	shift
	# They are for the inner shell.
	# shellcheck disable=SC2016
	start_server server sh -c 'umask "$1" && shift && exec "$@"' sh \
		"$mask" "$command" --listen "$@" "$address"
}

the_mode_is_what_was_asked_for()
{
	address=$here/s
	for mask in 000 022 077 777; do
		serve_with_umask "$mask"
		[ "$(stat -c %a "$address")" = 600 ] || fail "default, $mask"
		stop_server server
		for mode in 660 0222 777 600; do
			serve_with_umask "$mask" --mode "$mode"
			[ "$(stat -c %a "$address")" = "${mode#0}" ] ||
				fail "$mode, umask $mask"
			stop_server server
		done
	done
}

owner_and_group_are_what_was_asked_for()
{
	need_root
	address=$here/s
	serve --user 12345 --group 23456 --mode 640
	[ "$(stat -c %u:%g:%a "$address")" = 12345:23456:640 ] ||
		fail "$(stat -c %u:%g:%a "$address")"
	stop_server server
	serve --group 23456
	[ "$(stat -c %u:%g:%a "$address")" = 0:23456:600 ] ||
		fail "$(stat -c %u:%g:%a "$address")"
	stop_server server
	serve -u root -g root
	expect_echo
	stop_server server
}

a_relative_path_is_served_and_removed()
{
	address=s
	serve
	expect_echo
	address=./s
	expect_echo
	address=$here/s
	expect_echo
	stop_server server
	address=./@s
	serve
	[ -S "$here/@s" ] || fail 'no file @s'
	expect_echo
	stop_server server
	expect_gone "$here/@s"
}

a_path_longer_than_an_address_is_served()
{
	part=$(head -c 90 /dev/zero | tr '\0' d)
	mkdir -p "$part/$part"
	address=$here/$part/$part/s
	serve
	expect_echo
	expect_refusal 1 --listen "$address"
	end_well server
	expect_gone "$address"
}

a_client_waits_for_its_server()
{
	start client "$command" --wait "$limit" "$address" hello
	serve
	finish_well client
	expect_text "$logs/client.out" hello
	stop_server server
	expect_refusal 1 --wait 0.2 "$address" hello
}

an_answer_that_does_not_come_is_told()
{
	serve
	expect_echo
	signal server STOP
	run "$command" --timeout 0.3 "$address" hello
	expect_complaint 1
	expect_match "$err" 'no answer'
	run "$command" --timeout 0.3 -c 2 "$address"
	expect_status 1
	expect_match "$err" '2 sent, 0 received, 2 lost'
	[ -z "$(find "$XDG_RUNTIME_DIR" "$TMPDIR" ! -type d)" ] ||
		fail 'a file is left behind'
	signal server CONT
	stop_server server
}

any_free_name_is_announced_and_works()
{
	address=@
	serve
	address=$(sed -n "s/^$tool: listening on //p" "$logs/server.err")
	[ "$address" != @ ] || fail 'the name is not told'
	expect_echo
	stop_server server
}

help_and_version_go_to_standard_output()
{
	for option in -h --help; do
		run_well "$command" "$option"
		expect_empty "$err"
		expect_match "$out" "^usage: .*$tool --listen "
	done
	for option in -V --version; do
		run_well "$command" "$option"
		expect_empty "$err"
		expect_text "$out" "$tool (unixmsg) $version"
	done
	run "$command" --help >/dev/null
}

quiet_says_nothing_when_all_is_well()
{
	start server "$command" --listen --quiet "$address"
	expect_echo -q --wait "$limit"
	stop_server server
	expect_empty "$logs/server.err"
}

verbose_says_more()
{
	serve -v
	run_well "$command" --verbose "$address" hello
	expect_text "$out" hello
	expect_match "$err" "^$tool: connected, own address "
	stop_server server
	expect_match "$logs/server.err" "^$tool: stopping$"
}

# --- Whole messages: for unixgram-echo and seqpacket-echo ---------------------

a_message_above_the_servers_max_size_is_counted_as_cut()
{
	serve --max-size 4 --stats -v --format json
	run_well "$command" "$address" four
	run "$command" -W 0.3 "$address" fives
	expect_complaint 1
	run_well "$command" "$address" more
	stop_server server
	expect_counter "$logs/server.out" received 3
	expect_counter "$logs/server.out" answered 2
	expect_counter "$logs/server.out" cut 1
	expect_balance "$logs/server.out"
	expect_match "$logs/server.err" '5 bytes is more than the 4 '
	expect_match "$logs/server.out" \
		'^{"size":4,"data":"five",.*"cut":true,"true_size":5[,}]'
}

a_message_above_the_sockets_limit_is_told_with_both_sizes()
{
	serve
	run "$command" --count 1 --size 1000000 "$address"
	expect_status 1
	most=$(sed -n \
		's/.*1000000 bytes, more than the \([0-9]*\) that.*/\1/p' "$err")
	[ -n "$most" ] || fail "no sizes: $(cat "$err")"
	run_well "$command" --count 3 --size "$most" "$address"
	expect_match "$err" ' 3 received, 0 lost, 0 altered'
	run "$command" --count 1 --size "$((most + 1))" "$address"
	expect_status 1
	expect_match "$err" " $((most + 1)) bytes, more than the $most that"
	head -c 1000000 /dev/zero | tr '\0' x >big
	run "$command" "$address" <big
	expect_complaint 1
	# The limit of the socket, whatever limit was asked for.
	run "$command" --max-size 2000000 "$address" <big
	expect_complaint 1
	expect_match "$err" "1000000 bytes, more than the $most that"
	expect_echo
	stop_server server
}

run_message_cases()
{
	for name in a_message_above_the_servers_max_size_is_counted_as_cut \
		a_message_above_the_sockets_limit_is_told_with_both_sizes; do
		run_twice "$name"
	done
}

# ------------------------------------------------------------------------------

run_echo_cases()
{
	for name in arguments_come_back_in_order \
		lines_come_back_the_last_without_a_newline_too \
		no_input_gives_no_output \
		a_hundred_thousand_lines_come_back_unchanged \
		binary_records_of_64_KiB_come_back_unchanged \
		ten_thousand_empty_messages_come_back \
		hex_records_come_back_and_are_written_one_way \
		json_records_come_back_and_are_written_one_way \
		malformed_input_is_told_and_what_came_before_is_answered \
		a_line_above_max_size_is_told_with_its_number \
		made_up_messages_end_with_a_summary \
		counters_are_json_and_agree \
		spinning_changes_nothing_but_the_time \
		batches_change_nothing_but_the_time \
		a_server_leaves_after_max_messages \
		an_answer_above_max_size_is_an_error \
		a_server_prints_what_it_takes \
		each_signal_to_stop_ends_a_server_without_a_trace \
		an_output_that_is_closed_ends_a_client \
		an_interrupted_client_says_so \
		a_client_that_does_not_read_delays_nobody \
		a_stopped_client_delays_nobody \
		a_second_signal_ends_the_wait_for_a_stuck_client \
		hundreds_of_clients_are_served_at_once \
		a_live_owner_keeps_its_name \
		a_server_of_another_kind_is_told \
		an_own_address_that_cannot_be_is_refused \
		an_own_address_is_used_and_removed \
		a_client_waits_for_its_server \
		an_answer_that_does_not_come_is_told \
		quiet_says_nothing_when_all_is_well \
		verbose_says_more; do
		run_twice "$name"
	done
	for name in a_dead_file_is_in_nobodys_way one_of_many_servers_wins; do
		run_case "$name" '' on_path
	done
	for name in addresses_that_are_none_are_refused \
		missing_directories_are_told \
		something_else_at_the_path_is_left_alone \
		nobody_there_is_told \
		who_may_not_is_told \
		a_directory_open_to_all_is_refused \
		escape_codes_never_reach_the_terminal \
		the_mode_is_what_was_asked_for \
		owner_and_group_are_what_was_asked_for \
		a_relative_path_is_served_and_removed \
		a_path_longer_than_an_address_is_served \
		any_free_name_is_announced_and_works \
		help_and_version_go_to_standard_output; do
		run_case "$name"
	done
	# One reader of options serves all tools.
	if $is_long || is_tool unixgram-echo; then
		run_case wrong_usage_is_told
	fi
}

# expect_three_answers ARGUMENT...: what the client still gets of them depends on
# when it reads.
expect_three_answers()
{
	serve --max-messages 3 --stats
	run "$command" "$address" "$@"
	expect_status 1
	printf 'a\nb\nc\n' | head -n "$(wc -l <"$out")" >wanted
	expect_same wanted "$out"
	finish_well server
	expect_counter "$logs/server.out" answered 3
	expect_gone "$here/s"
}

# What only servers of connections have.
a_server_that_dies_is_told()
{
	hold_input
	serve
	start_and_see client connected "$command" -v "$address" <input
	echo hello >&5
	await_true test -s "$logs/client.out"
	end server KILL
	finish client
	expect_status 1
	expect_match "$logs/client.err" 'closed the connection'
	exec 5<&-
}

run_connection_cases()
{
	for name in max_clients_refuses_one_more \
		max_clients_per_user_leaves_room_for_others \
		a_silent_client_loses_its_place_to_another_user; do
		run_case "$name" '' on_path
	done
	run_twice idle_timeout_closes_a_silent_client
	run_twice a_server_that_dies_is_told
}
