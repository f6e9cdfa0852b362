#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixmsg-cat: what is sent, what is printed, and what is told of the rest.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086
set -u

tool=unixmsg-cat
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
PATH=$TOOLS:$PATH
export PATH

networks='unixgram unixpacket unix'
name=cat-$$

# start_echoes ADDRESS: one of each network, at ADDRESS-NETWORK.
start_echoes()
{
	for network in $networks; do
		start_server "echo-$network" "$(echo_of $network)" --listen \
			"$1-$network"
	done
}

# --- Client ------------------------------------------------------------------

the_network_is_found_where_the_server_is()
{
	start_echoes s
	for network in $networks; do
		run_well unixmsg-cat -v "s-$network" hello
		expect_match "$err" "^unixmsg-cat: network $network\$"
		[ "$(tr -d '\n' <"$out")" = hello ] || fail "$(cat "$out")"
	done
	start_server abstract unixstream-echo --listen "@$name"
	run_well unixmsg-cat -v "@$name" hello
	expect_match "$err" '^unixmsg-cat: network unix$'
}

a_network_may_be_given_by_any_of_its_names()
{
	start_echoes s
	for pair in unixgram:unixgram dgram:unixgram unixpacket:unixpacket \
		seqpacket:unixpacket unix:unix stream:unix unixstream:unix; do
		run unixmsg-cat "${pair%:*}" "s-${pair#*:}" --format hex 6869
		expect_status 0 "$pair: $(cat "$err")"
		expect_text "$out" 6869
	done
	run unixmsg-cat unixpacket s-unixgram hello
	expect_told 1 'does not speak unixpacket but unixgram: try unixgram'
}

# A file with the name of a network is told apart by its directory.
a_lone_network_is_no_address()
{
	run unixmsg-cat unix
	expect_told 2 'an ADDRESS is needed'
	start_server server unixgram-echo --listen ./unix
	run unixmsg-cat ./unix hello
	expect_text "$out" hello
}

lines_and_arguments_come_back_in_order()
{
	start_echoes s
	seq 1 20000 >lines
	for network in $networks; do
		run_well unixmsg-cat "s-$network" <lines
		expect_same lines "$out"
	done
	printf 'one\n\ntwo words\n' >wanted
	for network in unixgram unixpacket; do
		run_well unixmsg-cat "s-$network" one '' 'two words'
		expect_same wanted "$out"
		expect_empty "$err"
	done
}

every_byte_comes_back_in_every_format()
{
	start_echoes s
	awk 'BEGIN {
		for (i = 0; i < 256; i++)
			printf "%02x", i
		print ""
	}' >wanted
	for network in $networks; do
		run_well unixmsg-cat --format hex "s-$network" "$(cat wanted)"
		expect_same wanted "$out"
	done
	printf '\000\000\000\003a\nb\000\000\000\000' >frames
	for network in $networks; do
		run_well unixmsg-cat --format frames "s-$network" <frames
		expect_same frames "$out"
	done
	head -c 300000 /dev/urandom >bytes
	run_well unixmsg-cat s-unix <bytes
	expect_same bytes "$out"
	run unixmsg-cat --format raw s-unix <bytes
	expect_same bytes "$out"
}

send_only_waits_for_no_answer()
{
	start_server sink unixgram-echo --listen --format json s
	run_well unixmsg-cat -n s one two
	expect_empty "$out"
	expect_empty "$err"
	end_well sink
	# Without an address of its own, as logger(1) does it.
	! grep -q sender "$logs/sink.out" || fail "$(cat "$logs/sink.out")"
	expect_match "$logs/sink.out" '"data":"one"'
	expect_match "$logs/sink.out" '"data":"two"'
}

send_only_to_a_connection_says_when_it_has_gone()
{
	start_echoes s
	for network in unixpacket unix; do
		run_well unixmsg-cat -n "s-$network" one
		expect_empty "$out"
	done
}

# What it has sent, and we have left unread, would be a reset, which overtakes
# messages.
a_server_that_speaks_first_gets_what_is_sent()
{
	need python3
	mkfifo input
	for type in SEQPACKET STREAM; do
		start client sh -c \
			"exec unixmsg-cat --wait $limit -n s <input"
		run python3 - $type <<-'END'
		import os, select, socket, sys
		type = getattr(socket, "SOCK_" + sys.argv[1])
		listener = socket.socket(socket.AF_UNIX, type)
		listener.bind("s")
		listener.listen()
		input = os.open("input", os.O_RDWR)
		server = listener.accept()[0]
		for word in b"welcome", b"", b"to all":
		    server.send(word)
		os.write(input, b"one\ntwo\n")
		os.close(input)
		poll = select.poll()
		poll.register(server, 0)
		assert poll.poll(30000)[0][1] & select.POLLHUP
		while data := server.recv(100):
		    sys.stdout.write(data.decode().rstrip("\n") + "\n")
		os.unlink("s")
		END
		expect_status 0 "$type: $(cat "$err")"
		printf 'one\ntwo\n' | expect_same - "$out"
		finish_well client
	done
}

ask_takes_one_answer_whatever_it_says()
{
	start_echoes s
	for network in unixgram unixpacket; do
		run_well unixmsg-cat -1 "s-$network" FAIL
		expect_text "$out" FAIL
		run unixmsg-cat --ask "s-$network" </dev/null
		expect_told 1 '--ask: no request'
		run unixmsg-cat --ask "s-$network" a b
		expect_told 1 '--ask: more than one MESSAGE'
	done
	run unixmsg-cat -1 --format text s-unix framed
	expect_text "$out" framed
	run unixmsg-cat -1 s-unix bytes
	expect_told 1 'a stream of bytes has no single answer'
	seq 1 5 >lines
	run unixmsg-cat -1 s-unixgram <lines
	expect_told 1 '1 sent, 1 received; 4 records not sent'
}

# A server that is there and says nothing.
silence_is_told_with_what_was_sent()
{
	start_server server unixgram-echo --listen s
	signal server STOP
	run unixmsg-cat -W 0.2 s hello </dev/null
	expect_told 1 'no answer within 0.2 seconds'
	run unixmsg-cat -1 -W 0.2 s hello
	expect_told 1 'no answer within 0.2 seconds'
	seq 1 1000 >lines
	run unixmsg-cat -W 0.2 s <lines
	expect_status 1
	expect_match "$err" 'no room for it within 0.2 seconds'
	sent=$(sed -n 's/.*: \([0-9]*\) sent, none received; .*/\1/p' "$err")
	rest=$(sed -n 's/.*; \([0-9]*\) records not sent$/\1/p' "$err")
	[ "$((sent + rest))" -eq 1000 ] || fail "$(cat "$err")"
	run unixmsg-cat -n -W 0.2 s <lines
	expect_match "$err" '0 sent; 1000 records not sent'
	signal server CONT
}

a_server_that_goes_is_told_with_what_was_not_sent()
{
	hold_input
	for network in unixpacket unix; do
		start_server server "$(echo_of $network)" --listen s
		start_and_see client connected unixmsg-cat -v s <input
		echo hello >&5
		await_true test -s "$logs/client.out"
		end server KILL
		finish client
		expect_match "$logs/client.err" 'the server has closed'
		expect_text "$logs/client.out" hello
		rm s
	done
	exec 5<&-
}

follow_prints_until_a_signal_comes()
{
	start_server server unixgram-echo --listen s
	start_and_see client connected unixmsg-cat -v --follow s one two \
		</dev/null
	printf 'one\ntwo\n' >wanted
	await_true cmp -s wanted "$logs/client.out"
	end_well client
}

a_client_leaves_after_max_messages()
{
	start_echoes s
	serve pushing unixpacket p --exec-each connection --exec yes
	for network in unixgram unixpacket; do
		run_well unixmsg-cat --max-messages 2 "s-$network" one two
		printf 'one\ntwo\n' | expect_same - "$out"
		seq 1 2000 >lines
		run unixmsg-cat --max-messages 3 --stats "s-$network" <lines
		expect_status 1
		expect_counter "$out" received 3
		sent=$(get_counter "$out" sent)
		expect_match "$err" "$sent sent, 3 received; $((2000 - sent)) records not sent"
	done
	run_well unixmsg-cat --max-messages 3 --follow p </dev/null
	printf 'y\ny\ny\n' | expect_same - "$out"
	run unixmsg-cat --max-messages 3 s-unix hello
	expect_told 1 '--max-messages: a stream of bytes has none'
}

reconnect_goes_on_with_the_next_server()
{
	hold_input
	for network in $networks; do
		start_server one "$(echo_of $network)" --listen s
		start_and_see client connected unixmsg-cat -v -W 30 --reconnect s \
			<input
		echo first >&5
		await_true grep -q first "$logs/client.out"
		end one KILL
		start_server two "$(echo_of $network)" --listen s
		if [ $network != unixgram ]; then
			await_true grep -q 'connected again' "$logs/client.err"
		fi
		echo second >&5
		await_true grep -q second "$logs/client.out"
		end client TERM
		expect_status 1 interrupted
		end two TERM
	done
	exec 5<&-
}

a_file_goes_as_one_message_or_in_blocks()
{
	start_server server unixgram-echo --listen --format json s
	head -c 70000 /dev/zero | tr '\000' 'a\n' >file
	run_well unixmsg-cat --whole --format raw s <file
	head -c 70000 "$out" | expect_same file -
	run_well unixmsg-cat --block 30000 -n s <file
	run_well unixmsg-cat --whole s </dev/null
	expect_text "$out" ''
	end_well server
	sed 's/.*"size":\([0-9]*\).*/\1/' "$logs/server.out" >sizes
	printf '%s\n' 70000 30000 30000 10000 0 | expect_same - sizes
}

a_file_larger_than_a_message_is_told()
{
	start_server server unixgram-echo --listen s
	head -c 500000 /dev/zero >file
	run unixmsg-cat --whole s <file
	expect_told 1 'more than the'
	run unixmsg-cat --max-size 4 s hello
	expect_told 1 'a message of 5 bytes is more than the 4 of --max-size'
	run unixmsg-cat --max-size 1000000 --whole s <file
	expect_told 1 'that the socket can carry; see net.core.wmem_default, or unix'
}

a_recording_is_replayed()
{
	start_server recorder unixgram-echo --listen --format json s
	run_well unixmsg-cat -n s --format hex 00ff 6869 ''
	end_well recorder
	start_server server unixgram-echo --listen s
	run_well unixmsg-cat --from-json --format hex s <"$logs/recorder.out"
	printf '00ff\n6869\n\n' | expect_same - "$out"
}

tee_appends_what_is_printed()
{
	start_server server unixgram-echo --listen s
	run unixmsg-cat --tee log s one
	run unixmsg-cat --tee log s two
	printf 'one\ntwo\n' | expect_same - log
	[ "$(stat -c %a log)" = 600 ] || fail "mode $(stat -c %a log)"
	run unixmsg-cat --tee none/log s three
	expect_told 1 'none/log: No such file'
	run unixmsg-cat --tee /dev/full s three
	expect_told 1 '/dev/full: No space left'
}

# Two are to come on one terminal: what was typed, and what came.
escape_codes_never_reach_the_terminal()
{
	need_terminal
	start_echoes s
	esc=$(printf '\033')
	printf 'a\033[31mb\033]0;x\007\n' >input
	for network in $networks; do
		run_well script -q -f -e -c "unixmsg-cat s-$network <input" said
		! grep -q "$esc" said || fail "$network: escape codes"
		expect_match said 'a.x1b\[31mb'
	done
}

what_comes_is_printed_while_one_types()
{
	need_terminal
	mkfifo keys
	exec 5<>keys
	start_server server seqpacket-echo --listen s
	start client script -q -f -c 'unixmsg-cat s' said <keys
	# script(1) may make the terminal later than we type.
	echo typed >&5
	await_true sh -c '[ "$(grep -c typed said)" -ge 2 ]'
	echo again >&5
	await_true sh -c '[ "$(grep -c again said)" -ge 2 ]'
	end_well server
	finish client
	exec 5<&-
}

counters_tell_what_went_over()
{
	start_server server unixgram-echo --listen s
	run_well unixmsg-cat --stats s one two
	expect_counter "$out" sent 2
	expect_counter "$out" received 2
	expect_counter "$out" sent_bytes 6
}

an_output_that_is_closed_ends_it()
{
	start_server server unixgram-echo --listen s
	run sh -c 'unixmsg-cat s hello >/dev/full'
	expect_told 1 'standard output: No space left'
	run sh -c 'unixmsg-cat s <&-'
	expect_told 1 'standard input: Bad file descriptor'
}

nobody_there_is_told()
{
	run unixmsg-cat none hello
	expect_told 1 'no such socket; --wait waits'
	run unixmsg-cat "@$name-none" hello
	expect_told 1 'nobody has that name'
	run unixmsg-cat --wait 1 "@$name-none" hello
	expect_told 1 'say which NETWORK'
	: >file
	run unixmsg-cat file hello
	expect_told 1 'that is no socket'
}

a_client_waits_for_its_server()
{
	start client unixmsg-cat --wait "$limit" s hello
	start_server server seqpacket-echo --listen s
	finish_well client
	expect_text "$logs/client.out" hello
}

wrong_usage_is_told()
{
	for wrong in '-n -1 s' '-n -f s' '--whole --block 5 s' \
		'--whole s message' '--block 0 s' '--listen -n s' '--listen s message' \
		'--frmat s' '--reply x s' '-l -r x -e y s' '-l --max-jobs 2 s' \
		'-l -e cat --exec-each connection s' \
		'-l unix --exec-each connection s' \
		'-l -e cat --exec-each connection --tee log unix s' '--replace s'; do
		run unixmsg-cat $wrong </dev/null
		expect_complaint 2 "$wrong"
	done
}

options_stand_behind_the_address_until_a_message_comes()
{
	start_server server unixgram-echo --listen s
	run unixmsg-cat unixgram s --format hex 6869
	expect_text "$out" 6869
	run unixmsg-cat s hello --stats
	expect_told 0 '--stats is sent as a message'
	run unixmsg-cat s -- --stats
	expect_text "$out" --stats
}

# --- Server ------------------------------------------------------------------

# serve NAME ARGUMENT...
serve()
{
	serve_name=$1
	shift
	start_server "$serve_name" unixmsg-cat --listen "$@"
}

a_server_prints_what_comes_and_answers_nothing()
{
	for network in $networks; do
		serve sink-$network $network s
		run_well unixmsg-cat -n s one two
		expect_empty "$out"
		await_true grep -q two "$logs/sink-$network.out"
		stop_server sink-$network
	done
	printf 'one\ntwo\n' >wanted
	expect_same wanted "$logs/sink-unixgram.out"
	expect_same wanted "$logs/sink-unixpacket.out"
	[ "$(cat "$logs/sink-unix.out")" = onetwo ] || fail 'not as bytes'
}

# Nobody who cannot be answered keeps a connection waiting for it.
a_server_without_a_network_serves_datagrams()
{
	serve sink --format json s
	run unixmsg-cat -v -n s one
	expect_match "$err" 'network unixgram'
	stop_server sink
	expect_match "$logs/sink.out" '"size":3,"data":"one"'
	expect_match "$logs/sink.out" "\"uid\":$(id -u),\"pid\":[0-9]"
}

a_reply_answers_every_message()
{
	for network in $networks; do
		serve server-$network $network s --reply 'well, yes'
		run_well unixmsg-cat s hello
		[ "$(cat "$out")" = 'well, yes' ] || fail "$(cat "$out")"
		stop_server server-$network
	done
	serve hex --format hex --reply 00ff s
	run unixmsg-cat --format hex s 61 62
	printf '00ff\n00ff\n' | expect_same - "$out"
	stop_server hex
	run unixmsg-cat --listen --format hex --reply zz s
	expect_complaint 2
}

records_of_a_file_answer_in_order()
{
	printf 'first\n\nthird\n' >answers
	for network in unixgram unixpacket; do
		serve server-$network $network s <answers
		run_well unixmsg-cat s a b c
		expect_same answers "$out"
		# There are no more.
		run unixmsg-cat -W 0.2 s d
		[ $network = unixpacket ] || expect_told 1 'no answer within'
		stop_server server-$network
	done
}

# Answers that come later, for those who still wait.
records_of_a_pipe_answer_whoever_waits()
{
	hold_input
	for network in unixgram unixpacket; do
		serve server-$network -v $network s <input
		start one unixmsg-cat -W "$limit" s question
		await_true grep -q question "$logs/server-$network.out"
		start two unixmsg-cat -f s second
		await_true grep -q second "$logs/server-$network.out"
		printf 'first answer\nsecond answer\n' >&5
		finish one
		expect_text "$logs/one.out" 'first answer'
		await_true grep -q 'second answer' "$logs/two.out"
		end two TERM
		# One that waits does not keep the server from its end.
		start three unixmsg-cat -W 60 s third
		await_true grep -q third "$logs/server-$network.out"
		stop_server server-$network
		kill "$(cat "$logs/three.pid")" 2>/dev/null || :
		finish three
	done
	exec 5<&-
}

messages_come_with_their_length_when_a_format_is_given()
{
	serve server unix --format text s --reply yes
	run_well unixmsg-cat --format text s one '' three
	printf 'yes\nyes\nyes\n' | expect_same - "$out"
	stop_server server
	printf 'one\n\nthree\n' | expect_same - "$logs/server.out"
}

a_server_has_the_limits_of_the_echo_tools()
{
	serve server unixpacket --max-messages 2 --stats --mode 0660 s \
		--reply yes
	[ "$(stat -c %a s)" = 660 ] || fail "mode $(stat -c %a s)"
	run unixmsg-cat -1 s one
	run unixmsg-cat -1 s two
	finish_well server
	expect_counter "$logs/server.out" answered 2
	expect_gone s
	run unixmsg-cat --inherit
	expect_told 2 'which NETWORK'
	run unixmsg-cat --inherit unixgram
	expect_told 1 'no socket was handed over'
}

a_servers_tee_has_all_that_came()
{
	serve server --format json --tee log s
	run unixmsg-cat -n s one
	stop_server server
	expect_same log "$logs/server.out"
	rm log
	stdout=/dev/full
	serve full --tee log s
	stdout=
	run unixmsg-cat -n s two
	finish full
	expect_status 1
	expect_text log two
}

# As behind head(1), when that has enough.
a_server_whose_output_is_lost_ends()
{
	for way in '' '--reply yes' '--exec cat'; do
		stdout=/dev/full
		serve sink $way s
		stdout=
		run unixmsg-cat -n s one
		finish sink
		expect_status 1 "$way"
		expect_match "$logs/sink.err" 'standard output: No space left'
		expect_gone s
	done
}

a_server_on_a_terminal_answers_with_what_is_typed()
{
	need_terminal
	mkfifo keys
	exec 5<>keys
	start server script -q -f -c 'unixmsg-cat --listen s' said <keys
	start client unixmsg-cat --wait "$limit" -f unixgram s question
	await_true grep -q question said
	echo 'typed answer' >&5
	await_true grep -q 'typed answer' "$logs/client.out"
	echo 'and more' >&5
	await_true grep -q 'and more' "$logs/client.out"
	end client TERM
	exec 5<&-
}

# --- Programs that answer ----------------------------------------------------

# program NAME: standard input is a script.
program()
{
	{ echo '#!/bin/sh'; cat; } >"$1"
	chmod 755 "$1"
}

a_program_reads_the_message_and_its_output_is_the_answer()
{
	program answer <<-'END'
	printf 'got %s' "$(cat)"
	END
	for network in $networks; do
		serve server-$network $network s --exec "$here/answer"
		run_well unixmsg-cat s one
		[ "$(cat "$out")" = 'got one' ] || fail "$(cat "$out")"
		stop_server server-$network
	done
	serve server unixgram s --exec 'echo two  words'
	run unixmsg-cat s x
	printf 'two words\n\n' | expect_same - "$out"
	stop_server server
}

# What a peer sends, or is called, is never evaluated.
nothing_of_a_peer_is_run()
{
	program answer <<-'END'
	cat
	END
	serve server --exec "$here/answer" s
	for evil in '$(touch ran)' '`touch ran`' ';touch ran' '-e' '%n%s'; do
		run_well unixmsg-cat -W 30 -b "@$name;touch ran;" s -- "$evil"
		expect_text "$out" "$evil"
	done
	stop_server server
	expect_gone ran
}

a_program_is_told_whose_message_it_is()
{
	program answer <<-'END'
	env | grep -E "^UNIXMSG_(A|F|N|S|U|G|P)" | sort
	END
	serve server unixgram --exec "$here/answer" s
	run_well unixmsg-cat -W 30 -b "@$name" s four
	grep -v -e PEER= -e PID= -e GID= "$out" | grep . >said
	expect_like - said <<-END
	UNIXMSG_ADDRESS=s
	UNIXMSG_FDS=0
	UNIXMSG_NETWORK=unixgram
	UNIXMSG_SENDER=@$name
	UNIXMSG_SIZE=4
	UNIXMSG_UID=$(id -u)
	END
	expect_match "$out" '^UNIXMSG_PEER=[0-9]'
	expect_match "$out" '^UNIXMSG_PID=[0-9]'
	stop_server server
}

a_program_that_fails_gives_no_answer()
{
	serve server --exec 'false' s
	run unixmsg-cat -W 0.3 s x
	expect_told 1 'no answer'
	await_true grep -q 'exit status 1' "$logs/server.err"
	stop_server server
	serve missing --exec "$here/none" s
	run unixmsg-cat -W 0.3 s x
	expect_told 1 'no answer'
	await_true grep -q -e '--exec: .*/none: No such file' \
		"$logs/missing.err"
	stop_server missing
	serve killed --exec "$here/self" s
	program self <<-'END'
	kill -9 $$
	END
	run unixmsg-cat -W 0.3 s x
	await_true grep -q 'ended by signal 9' "$logs/killed.err"
	stop_server killed
}

# One that ends by itself in none of these ways, with what it has started.
a_program_has_bounded_time_and_output()
{
	serve slow --exec-timeout 0.2 --exec 'sleep 1000' s
	run unixmsg-cat -W 1 s x
	expect_status 1
	await_true grep -q 'it took too long' "$logs/slow.err"
	stop_server slow
	serve loud --max-size 1000 --exec 'yes' s
	run unixmsg-cat -W 1 s x
	expect_status 1
	await_true grep -q 'its output is too large' "$logs/loud.err"
	stop_server loud
}

# What comes meanwhile waits, and nothing is lost.
no_more_programs_run_than_may()
{
	program answer <<-'END'
	mkdir "running.$$"
	[ "$(ls -d running.* | wc -l)" -le 2 ] || touch too-many
	cat
	rmdir "running.$$"
	END
	serve server unixpacket --max-jobs 2 --exec "$here/answer" s
	seq 1 30 >lines
	run_well unixmsg-cat -W 30 s <lines
	sort -n "$out" | expect_same lines -
	expect_gone too-many
	stop_server server
}

# It may take its time, and is not waited for by a second signal.
a_server_that_stops_waits_for_its_programs()
{
	mkfifo go
	exec 5<>go
	program answer <<-'END'
	touch started
	read -r line <go
	echo "$line"
	END
	serve server --exec "$here/answer" s
	start client unixmsg-cat -W 30 s x
	await_true test -e started
	signal server TERM
	echo finished >&5
	finish client
	expect_match "$logs/client.out" '^finished$'
	finish_well server
	rm started
	serve again --exec "$here/answer" s
	run unixmsg-cat -n s x
	await_true test -e started
	signal again TERM
	await_true test ! -e s
	end_well again
	exec 5<&-
}

# --- Programs for connections --------------------------------------------------

# serve_each NETWORK PROGRAM ARGUMENT...
serve_each()
{
	each_network=$1
	each_program=$2
	shift 2
	serve each "$each_network" --exec "$each_program" \
		--exec-each connection "$@"
}

a_program_serves_a_connection_record_by_record()
{
	program talk <<-'END'
	echo "$UNIXMSG_NETWORK $UNIXMSG_ADDRESS $UNIXMSG_PEER $UNIXMSG_UID"
	echo "${UNIXMSG_SIZE-no size}"
	while read -r line; do echo "got $line"; done
	echo bye
	END
	for pair in unixpacket: unix:--format=text; do
		serve_each ${pair%%:*} "$here/talk" ${pair#*:} s
		run_well unixmsg-cat ${pair#*:} s one 'two words' three
		printf '%s\n' "${pair%%:*} s 1 $(id -u)" 'no size' 'got one' \
			'got two words' 'got three' bye | expect_same - "$out"
		run unixmsg-cat ${pair#*:} s again
		expect_match "$out" "^${pair%%:*} s 2 "
		stop_server each
		expect_empty "$logs/each.out"
	done
}

# More than all buffers hold, and the program reads when it has printed.
bytes_go_both_ways_at_once()
{
	head -c 3000000 /dev/urandom >bytes
	program loud <<-END
	cat $here/bytes
	cat
	END
	serve_each unix "$here/loud" s
	run_well unixmsg-cat s <bytes
	cat bytes bytes | expect_same - "$out"
	stop_server each
}

# What it has left unread would be a reset, which overtakes the answer.
a_program_that_reads_little_has_its_answer_delivered()
{
	need python3
	python3 -c 'import os; os.pidfd_open(os.getpid())' 2>/dev/null ||
		skip 'Python has no pidfd_open'
	mkfifo go
	program little <<-'END'
	read -r line
	read -r _ <go
	echo "answer to $line"
	END
	serve_each unixpacket "$here/little" s
	run python3 - "$(cat "$logs/each.pid")" <<-'END'
	import os, select, signal, socket, sys
	server = int(sys.argv[1])
	ended = select.poll()
	ended.register(os.pidfd_open(server), select.POLLIN)
	client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	client.connect("s")
	client.send(b"question")
	client.setblocking(False)
	try:
	    while True:
	        client.send(4000 * b"x")
	except BlockingIOError:
	    pass
	open("go", "w").write("on\n")
	poll = select.poll()
	poll.register(client, 0)
	assert poll.poll(30000)[0][1] & select.POLLHUP
	# A reset comes when the server closes, which it has done for sure once
	# it has ended.
	os.kill(server, signal.SIGTERM)
	assert ended.poll(30000)
	print(client.recv(100).decode())
	END
	expect_status 0 "$(cat "$err")"
	expect_text "$out" 'answer to question'
	finish each
	expect_status 0 "$(cat "$logs/each.err")"
}

connections_beyond_max_jobs_wait()
{
	hold_input
	serve_each unixpacket cat --max-jobs 1 s
	start one unixmsg-cat s <input
	echo one >&5
	await_true grep -q one "$logs/one.out"
	run unixmsg-cat -W 0.3 s two
	expect_told 1 'no answer'
	end one TERM
	run unixmsg-cat s three
	expect_text "$out" three
	exec 5<&-
	stop_server each
}

one_user_has_no_more_connections_than_he_may()
{
	hold_input
	serve_each unixpacket cat --max-clients-per-user 1 --stats s
	start one unixmsg-cat s <input
	echo one >&5
	await_true grep -q one "$logs/one.out"
	run unixmsg-cat s two
	expect_told 1 'the server has closed the connection'
	end one TERM
	exec 5<&-
	stop_server each
	expect_counter "$logs/each.out" connections 2
	expect_counter "$logs/each.out" connections_limited 1
}

# Of an abstract name the kernel keeps out nobody.
a_stranger_gets_no_program()
{
	need_stranger "$TOOLS/unixmsg-cat"
	serve_each unixpacket "touch $here/ran" "@$name" --stats
	run $stranger unixmsg-cat unixpacket "@$name" hello
	expect_told 1 'the server has closed the connection'
	end_well each
	expect_counter "$logs/each.out" connections_refused 1
	expect_gone ran
	serve_each unixpacket cat "@$name" --allow-user 65534
	run $stranger unixmsg-cat unixpacket "@$name" hello
	expect_text "$out" hello
	run unixmsg-cat unixpacket "@$name" hello
	expect_told 1 'the server has closed the connection'
	end_well each
	serve_each unixpacket cat "@$name" --allow-group 65534
	run $stranger unixmsg-cat unixpacket "@$name" hello
	expect_text "$out" hello
}

a_connection_has_bounded_time_and_silence()
{
	hold_input
	serve_each unixpacket 'sleep 1000' --exec-timeout 0.2 s
	run unixmsg-cat -W 30 s hello
	expect_told 1 'the server has closed the connection'
	await_true grep -q 'it took too long' "$logs/each.err"
	stop_server each
	serve_each unixpacket cat -v --idle-timeout 0.2 s
	run unixmsg-cat -f s hello
	expect_text "$out" hello
	expect_match "$logs/each.err" 'connection 1 was silent'
	exec 5<&-
	stop_server each
}

# What has come is served, and the name is free at once.
a_server_that_stops_ends_its_connections()
{
	hold_input
	program last <<-'END'
	while read -r line; do echo "got $line"; done
	echo bye
	END
	serve_each unixpacket "$here/last" s
	start one unixmsg-cat s <input
	echo one >&5
	await_true grep -q 'got one' "$logs/one.out"
	stop_server each
	finish one
	expect_match "$logs/one.out" '^bye$'
	exec 5<&-
}

a_second_signal_kills_what_serves_a_connection()
{
	hold_input
	program stubborn <<-'END'
	trap '' TERM HUP
	echo $$
	while :; do sleep 1; done
	END
	serve_each unixpacket "$here/stubborn" s
	start one unixmsg-cat s <input
	await_true test -s "$logs/one.out"
	signal each TERM
	await_true test ! -e s
	end_well each
	await_true test ! -d "/proc/$(cat "$logs/one.out")"
	finish one
	exec 5<&-
}

# Its connections go on, and do not hold the name.
nobody_listens_when_the_server_was_killed()
{
	hold_input
	serve_each unixpacket cat s
	start one unixmsg-cat s <input
	echo one >&5
	await_true grep -q one "$logs/one.out"
	signal each KILL
	await "$(cat "$logs/each.pid")"
	run unixmsg-cat s two
	expect_told 1 'nobody listens there'
	echo two >&5
	await_true grep -q two "$logs/one.out"
	end one TERM
	exec 5<&-
}

# --- Descriptors -------------------------------------------------------------

a_descriptor_goes_to_a_program_of_another_process()
{
	echo 'what is in it' >file
	serve server --exec 'cat /dev/fd/3' s
	run_well unixmsg-cat --send-fd 7 s hello 7<file
	expect_match "$out" '^what is in it$'
	run unixmsg-cat --ask --send-fd 7 s hello 7<file
	expect_match "$out" '^what is in it$'
	run unixmsg-cat --send-fd 7 s hello
	expect_told 2 '--send-fd: 7 is not open'
	stop_server server
	start_server stream unixstream-echo --listen s
	run unixmsg-cat --send-fd 0 s hello
	expect_told 1 'the network unix carries no descriptors'
}

more_descriptors_than_wanted_are_told()
{
	serve server --max-fds 1 --exec 'cat /dev/fd/3' s
	echo one >file
	run unixmsg-cat -W 30 --send-fd 7 --send-fd 8 s hello 7<file 8<file
	expect_match "$out" '^one$'
	stop_server server
	expect_match "$logs/server.err" 'were closed: more than --max-fds'
}

# Kept as new files, and nothing else is taken for a file.
descriptors_are_kept_and_nothing_is_overwritten()
{
	mkdir kept
	echo mine >kept/fd-1
	ln -s ../elsewhere kept/fd-2
	echo half >kept/fd-3.part
	echo first >file
	mkfifo pipe
	serve server --recv-fds kept s
	run_well unixmsg-cat -n --send-fd 7 --send-fd 8 s hello 7<file 8<>pipe
	stop_server server
	expect_text kept/fd-1 mine
	expect_text kept/fd-3.part half
	expect_text kept/fd-4 first
	[ "$(stat -c %a kept/fd-4)" = 600 ] || fail "$(stat -c %a kept/fd-4)"
	[ "$(ls kept)" = "$(printf '%s\n' fd-1 fd-2 fd-3.part fd-4)" ] ||
		fail "$(ls kept)"
	expect_gone elsewhere
	expect_match "$logs/server.err" 'that is no file is not kept'
}

# Whoever copies it may be killed at any moment.
what_is_kept_is_whole()
{
	mkdir kept
	truncate -s 60M file
	serve server --recv-fds kept --exec-timeout 0.02 s
	for turn in 1 2 3 4 5; do
		run_well unixmsg-cat -n --send-fd 7 s "$turn" 7<file
	done
	stop_server server
	for kept in kept/fd-?; do
		[ ! -e "$kept" ] || expect_same file "$kept"
	done
}

# -----------------------------------------------------------------------------

for case in the_network_is_found_where_the_server_is \
	a_network_may_be_given_by_any_of_its_names \
	a_lone_network_is_no_address \
	lines_and_arguments_come_back_in_order \
	every_byte_comes_back_in_every_format \
	send_only_waits_for_no_answer \
	send_only_to_a_connection_says_when_it_has_gone \
	a_server_that_speaks_first_gets_what_is_sent \
	ask_takes_one_answer_whatever_it_says \
	silence_is_told_with_what_was_sent \
	a_server_that_goes_is_told_with_what_was_not_sent \
	follow_prints_until_a_signal_comes \
	a_client_leaves_after_max_messages \
	reconnect_goes_on_with_the_next_server \
	a_file_goes_as_one_message_or_in_blocks \
	a_file_larger_than_a_message_is_told \
	a_recording_is_replayed \
	tee_appends_what_is_printed \
	escape_codes_never_reach_the_terminal \
	what_comes_is_printed_while_one_types \
	counters_tell_what_went_over \
	an_output_that_is_closed_ends_it \
	nobody_there_is_told \
	a_client_waits_for_its_server \
	wrong_usage_is_told \
	options_stand_behind_the_address_until_a_message_comes \
	a_server_prints_what_comes_and_answers_nothing \
	a_server_without_a_network_serves_datagrams \
	a_reply_answers_every_message \
	records_of_a_file_answer_in_order \
	records_of_a_pipe_answer_whoever_waits \
	messages_come_with_their_length_when_a_format_is_given \
	a_server_has_the_limits_of_the_echo_tools \
	a_servers_tee_has_all_that_came \
	a_server_whose_output_is_lost_ends \
	a_server_on_a_terminal_answers_with_what_is_typed \
	a_program_reads_the_message_and_its_output_is_the_answer \
	nothing_of_a_peer_is_run \
	a_program_is_told_whose_message_it_is \
	a_program_that_fails_gives_no_answer \
	a_program_has_bounded_time_and_output \
	no_more_programs_run_than_may \
	a_server_that_stops_waits_for_its_programs \
	a_program_serves_a_connection_record_by_record \
	bytes_go_both_ways_at_once \
	a_program_that_reads_little_has_its_answer_delivered \
	connections_beyond_max_jobs_wait \
	one_user_has_no_more_connections_than_he_may \
	a_stranger_gets_no_program \
	a_connection_has_bounded_time_and_silence \
	a_server_that_stops_ends_its_connections \
	a_second_signal_kills_what_serves_a_connection \
	nobody_listens_when_the_server_was_killed \
	a_descriptor_goes_to_a_program_of_another_process \
	more_descriptors_than_wanted_are_told \
	descriptors_are_kept_and_nothing_is_overwritten \
	what_is_kept_is_whole; do
	run_case "$case"
done
finish_cases
