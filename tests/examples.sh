#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The examples, run as their head comments say to, and what they print compared
# with what stands there behind "See:". There a line that begins with "and" and
# ends with a colon goes before what is printed elsewhere, or in another case.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

examples=${top_builddir:?is the top build directory}/examples
example=

# Those for the loops of others are there when the loop is.
need_example()
{
	[ -x "$examples/$example" ] ||
		skip "$example was not built: configure has not found its loop"
}

serve()
{
	start_server service "$examples/$example" "$@"
}

# stop SIGNAL FILE...: it ends well, and its files go.
stop()
{
	end service "$1"
	expect_status 0 "of $example after $1"
	shift
	for file; do
		expect_gone "$here/$file"
	done
}

# ask NETWORK FILE MESSAGE...: the answers are in $out. That they are no echo
# is why the status is 1.
ask()
{
	case $1 in
	unixgram) client=unixgram-echo ;;
	unixpacket) client=seqpacket-echo ;;
	unix) client=unixstream-echo ;;
	esac
	address=$here/$2
	shift 2
	run "$TOOLS/$client" --timeout 20 "$address" "$@"
}

expect_answers()
{
	printf '%s\n' "$@" >"$logs/answers"
	expect_same "$logs/answers" "$out"
}

# expect_count NAME VALUE: in the counters that the service prints at its end.
get_count()
{
	tail -n 1 "$logs/service.out" | sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p"
}

expect_count()
{
	[ "$(get_count "$1")" = "$2" ] || fail "$1 is '$(get_count "$1")', not $2"
}

is_sleeping()
{
	grep -q '^State:[[:space:]]*S' "/proc/$(cat "$logs/service.pid")/status"
}

# start_client FILE: what is written to descriptor 5 goes to it.
start_client()
{
	hold_input
	start_and_see client connected "$@" <input
}

# see PART FILE: what was printed is what stands in that part, the first is 0.
see()
{
	awk -v part="$1" '
	/^ \* See:/ { is_in = 1 }
	/^ \*\// { exit }
	is_in {
		sub(/^ \*( See:)? +/, "")
		if (/^and .*:$/)
			count++
		else if (count == part)
			print
	}' "$srcdir/examples/$example.c" >"$logs/see"
	[ -s "$logs/see" ] || fail "nothing to see in part $1"
	expect_like "$logs/see" "$2"
	[ "$(grep -c -v '^\.\.\.$' "$logs/see")" -le "$(wc -l <"$2")" ] ||
		fail 'not all of it was printed'
}

# start_example EXAMPLE FILE: a server that does not say when it listens.
start_example()
{
	example=$1
	start service "$examples/$example"
	await_true test -S "$2"
}

# run_alone EXAMPLE: one that needs nothing but itself. Abstract names are the
# machine's, and on a busy one a moment may pass before it is looked at.
run_alone()
{
	example=$1
	tries=10
	while :; do
		rm -f ./*.sock
		run "$examples/$example"
		tries=$((tries - 1))
		if [ "$tries" -eq 0 ]; then
			expect_status 0 "$example: $(cat "$err")"
			see 0 "$out"
			return
		fi
		if [ "$status" -eq 0 ] && (see 0 "$out") 3>/dev/null; then
			return
		fi
	done
}

# What a terminal would obey, and what an example prints of it.
hostile=$(printf 'a\033[2J\233z')
tamed=' a?\[2J?z$'

datagrams_go_to_the_server_and_back()
{
	start_example 02-gram-server gram.sock
	run "$examples/02-gram-server"
	expect_status 1
	see 1 "$err"
	example=03-gram-client
	run_well "$examples/$example" one two
	see 0 "$out"
	signal service STOP
	run "$examples/$example" one
	expect_status 1
	cp "$err" stopped
	signal service CONT
	# Answered behind the question of the client that gave up.
	run_well "$examples/$example" one
	run "$examples/$example" "$hostile"
	expect_match "$out" "$tamed"
	expect_printable "$out"
	example=02-gram-server
	stop TERM gram.sock
	sed 2,4d "$logs/service.out" >three
	see 0 three
	example=03-gram-client
	run "$examples/$example" one
	expect_status 1
	cat "$err" stopped >printed
	see 1 printed
}

connections_go_to_the_server_and_back()
{
	start_example 04-packet-server packet.sock
	example=05-packet-client
	run_well "$examples/$example" one '' three
	see 0 "$out"
	run_well "$examples/$example" $(seq 10000)
	expect_match "$out" '^10000 messages, 10000 answers$'
	run "$examples/$example" "$hostile"
	expect_match "$out" "$tamed"
	expect_printable "$out"
	example=04-packet-server
	stop TERM packet.sock
	sed -n 1,2p "$logs/service.out" >first
	see 0 first
}

abstract_names_tell_who_is_there() { run_alone 06-abstract; }

# How many ticks come before a deadline is the machine's.
deadlines_end_waits()
{
	example=07-deadlines
	run_well "$examples/$example"
	grep -v tick "$out" >printed
	{
		echo ' * See:    x'
		sed -n 's/^ \* *See: */ * /; /^ \* [a-z]* *[0-9]* ms/p' \
			"$srcdir/examples/$example.c" | grep -v tick
	} | sed 's/^ \* *//; 1d' >wanted
	expect_like wanted printed
	[ "$(wc -l <printed)" -eq 3 ] || fail "not three ends: $(cat "$out")"
	expect_match "$out" '^stop *[0-9]* ms  tick$'
}

# The kernel refuses what was not asked for, or it is lost.
open_files_go_to_a_worker()
{
	example=08-descriptors
	run_well "$examples/$example"
	if grep -q 'send: Operation not permitted' "$out"; then
		see 0 "$out"
	else
		tail -n 2 "$out" >printed
		see 1 printed
	fi
}

who_speaks_is_told()
{
	need_root
	# Who has become another user may not be looked into for leaks.
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	export ASAN_OPTIONS
	run_alone 09-who-speaks
}

streams_carry_messages_or_bytes()
{
	example=23-stream
	run_well "$examples/$example" one '' three
	see 0 "$out"
	run "$examples/$example" "$hostile"
	[ "$(grep -c "$tamed" "$out")" -eq 2 ] || fail "$(cat "$out")"
	expect_printable "$out"
	expect_gone "$here/stream.sock"
}

messages_of_any_size_are_received() { run_alone 10-any-size; }
a_batch_waits_for_room() { run_alone 11-batch; }
messages_go_by_a_lane() { run_alone 27-lane; }
messages_are_written_and_read_in_place() { run_alone 28-in-place; }
big_messages_are_sealed() { run_alone 12-big-message; }

the_small_service_does_what_it_says()
{
	serve
	ask unixpacket echo.sock hello
	see 1 "$out"
	stop TERM echo.sock
	see 0 "$logs/service.err"
}

the_full_service_does_what_it_says()
{
	serve
	ask unixgram gram.sock hello hello
	ask unixpacket packet.sock a
	stop TERM gram.sock packet.sock stream.sock
	see 0 "$logs/service.err"
	see 1 "$logs/service.out"
}

publishing_does_what_it_says()
{
	serve
	start subscriber "$examples/$example" subscribe
	await_true grep -q subscribed "$logs/subscriber.out"
	ask unixpacket publish.sock one two
	see 2 "$out"
	await_true grep -q two "$logs/subscriber.out"
	stop TERM publish.sock
	finish subscriber
	see 0 "$logs/service.err"
	see 1 "$logs/service.out"
	see 3 "$logs/subscriber.out"
}

# What others publish is printed where somebody may sit before a terminal.
publishing_commands_no_terminal()
{
	serve
	start subscriber "$examples/$example" subscribe
	await_true grep -q subscribed "$logs/subscriber.out"
	ask unixpacket publish.sock "$(printf 'a\033[2J\233z')"
	await_true grep -q z "$logs/subscriber.out"
	stop TERM publish.sock
	finish subscriber
	expect_match "$logs/subscriber.out" '^a?\[2J?*z$'
	expect_printable "$logs/subscriber.out"
}

a_service_in_a_loop_does_what_it_says()
{
	need_example
	serve
	if [ "$example" = 15-loop-poll ]; then
		run "$TOOLS/seqpacket-echo" --count 3 loop.sock
		see 1 "$err"
	else
		run "$TOOLS/seqpacket-echo" loop.sock hello
		see 1 "$out"
	fi
	stop TERM loop.sock
	see 0 "$logs/service.err"
}

an_activated_daemon_does_what_it_says()
{
	start service "$examples/$example"
	await_true test -S gram.sock
	await_true test -S packet.sock
	run "$TOOLS/unixgram-echo" gram.sock hello
	expect_text "$out" hello
	stop TERM gram.sock packet.sock
	see 0 "$logs/service.err"
}

the_logger_does_what_it_says()
{
	serve
	run "$examples/$example" hello "$(printf 'two\nlines')"
	run "$examples/$example" $(seq 5000)
	stop TERM log.sock
	see 0 "$logs/service.err"
	see 1 "$logs/service.out"
}

the_control_socket_does_what_it_says()
{
	serve
	ask unixgram control.sock PING STATUS 'LOG hello' NONSENSE
	see 1 "$out"
	stop TERM control.sock
	see 0 "$logs/service.err"
}

# in_container COMMAND...: with users, processes and abstract names of its own.
in_container()
{
	run unshare --user --map-root-user --pid --fork --net "$@"
}

need_containers()
{
	need unshare
	in_container true
	[ "$status" -eq 0 ] || skip "no namespaces here: $(head -n 1 "$err")"
}

a_container_is_reached_through_a_shared_directory()
{
	need_containers
	mkdir -m 755 shared
	serve serve shared
	in_container "$examples/$example" ask shared
	expect_status 0 "$(cat "$err")"
	see 2 "$out"
	# Outside the name is there, and the numbers are those of both.
	run_well "$examples/$example" ask shared
	expect_match "$out" '^@container-example: Success$'
	expect_match "$out" \
		"^server is user $(id -u), process $(cat "$logs/service.pid"),"
	stop TERM shared/service.sock
	see 0 "$logs/service.err"
	head -n 2 "$logs/service.out" >first
	see 1 first
	expect_match "$logs/service.out" '^says: I am user 0, process 1$'
}

# A stranger stays one, whoever he is in his container.
a_container_has_the_rights_of_its_user_outside()
{
	need_containers
	need_stranger "$examples/$example"
	mkdir -m 755 shared
	serve serve shared
	run_well $stranger unshare -r -p -f -n "$examples/$example" ask \
		"$here/shared"
	expect_match "$out" '^server is user 65534, process 0'
	chmod 700 shared
	run $stranger unshare -r -p -f -n "$examples/$example" ask "$here/shared"
	expect_status 1
	expect_match "$err" 'Permission denied'
	stop TERM shared/service.sock
	expect_match "$logs/service.out" '^client is user 65534, process [1-9]'
	expect_match "$logs/service.out" '^says: I am user 0, process 1$'
}

# One whom nothing here stands for must not pass for root.
a_logger_in_a_container_does_not_make_up_a_user()
{
	need_containers
	need_stranger "$examples/$example"
	serve_in_container()
	{
		start_server service unshare -r -p -f -n --kill-child=TERM \
			"$examples/$example"
	}
	serve_in_container
	run_well $stranger sh -c "cd '$here' && '$examples/$example' hello"
	await_true test -s "$logs/service.out"
	expect_text "$logs/service.out" 'user unknown: hello'
}

each_stands_alone_and_fits_a_page()
{
	for file in "$srcdir"/examples/[0-9]*.c; do
		lines=$(wc -l <"$file")
		[ "$lines" -le 160 ] || fail "$file: $lines lines"
		! grep -q '#include "' "$file" || fail "$file: needs another"
		for word in Build Run See; do
			expect_match "$file" "^ \* $word:  "
		done
		name=$(basename "$file")
		expect_match "$file" "^ \* Build:  cc $name "
		expect_match "$srcdir/examples/README" "^$name  "
	done
}

the_small_service_serves_each_network()
{
	for network in unixgram unixpacket unix; do
		serve "$network"
		ask "$network" echo.sock one '' three
		expect_status 0 "$network: $(cat "$err")"
		expect_answers one '' three
		stop TERM echo.sock
	done
}

the_small_service_ends_by_each_signal_with_a_client_there()
{
	for signal in INT TERM; do
		serve unixpacket
		start_client "$TOOLS/seqpacket-echo" -v "$here/echo.sock"
		stop "$signal" echo.sock
		exec 5>&-
		finish client
		rm input
	done
}

the_small_service_says_what_it_cannot_serve()
{
	run "$examples/$example" tcp
	expect_status 1
	expect_match "$err" '^service: echo.sock: Invalid argument$'
	: >echo.sock
	run "$examples/$example"
	expect_status 1
	[ -f echo.sock ] || fail 'a file of others was removed'
}

# Behind it one on each network, that goes, and comes again.
a_service_in_front_does_what_it_says()
{
	for pair in unixgram:unixgram-echo unixpacket:seqpacket-echo \
		unix:unixstream-echo; do
		serve "${pair%:*}" back.sock
		run "$TOOLS/unixgram-echo" front.sock hello
		expect_status 1
		see 2 "$out"
		start_server back "$TOOLS/${pair#*:}" --listen back.sock
		run "$TOOLS/unixgram-echo" front.sock hello
		expect_status 0 "$pair: $(cat "$err")"
		see 1 "$out"
		end_well back
		start_server back "$TOOLS/${pair#*:}" --listen back.sock
		run "$TOOLS/unixgram-echo" --wait 5 front.sock one '' three
		expect_status 0 "$pair: $(cat "$err")"
		expect_answers one '' three
		stop TERM front.sock
		see 0 "$logs/service.err"
		end_well back
	done
}

the_full_service_counts_the_messages_of_each_peer()
{
	serve
	ask unixgram gram.sock a b
	expect_answers 1 2
	ask unixpacket packet.sock a b c
	expect_answers 1 2 3
	ask unix stream.sock a
	expect_answers 1
	stop TERM gram.sock packet.sock stream.sock
	expect_count received 6
	expect_count answered 6
	expect_count connections 2
	for event in opened closed; do
		expect_match "$logs/service.err" \
			"^peer [0-9]*, user $(id -u), pid [0-9]*: $event\$"
	done
	expect_match "$logs/service.err" '^peer [0-9]* at .*: opened$'
}

the_full_service_refuses_strangers_and_lets_the_group_in()
{
	need_stranger "$examples/$example"
	serve
	run $stranger "$TOOLS/seqpacket-echo" "$here/packet.sock" a
	expect_status 1
	expect_empty "$out"
	run setpriv --reuid 65534 --regid 65534 --groups 4 \
		"$TOOLS/seqpacket-echo" "$here/packet.sock" a
	expect_answers 1
	stop TERM
	expect_match "$logs/service.err" 'user 65534, .*connection refused'
	expect_count connections_refused 1
}

has_lines()
{
	[ "$(wc -l <"$1")" -eq "$2" ]
}

# publish FIRST LAST: no more than what is kept for each, and then waits for the
# fast one, which would lose some as well if the machine has it wait for long.
publish()
{
	seq "$1" "$2" >messages
	run "$TOOLS/seqpacket-echo" "$here/publish.sock" <messages
	yes 2 | head -n 100 >"$logs/answers"
	expect_same "$logs/answers" "$out"
	await_true has_lines "$logs/fast.out" $(($2 + 1))
}

# Stopped by a signal it reads nothing; of what it gets later the oldest are
# missing, and the counters tell how many.
a_slow_subscriber_loses_the_oldest_and_delays_nobody()
{
	count=1000
	serve
	for name in fast slow; do
		start $name "$examples/$example" subscribe
		await_true grep -q '^subscribed$' "$logs/$name.out"
	done
	signal slow STOP
	for first in $(seq 1 100 $count); do
		publish "$first" $((first + 99))
	done
	signal slow CONT
	stop TERM publish.sock
	for name in fast slow; do
		finish $name
		expect_status 0 "of the $name subscriber"
	done
	sed 1d "$logs/fast.out" >fast
	sed 1d "$logs/slow.out" >slow
	seq $count >all
	expect_same all fast
	[ "$(tail -n 1 slow)" = $count ] || fail 'the newest is missing'
	sort -n -u slow | cmp -s - slow || fail 'the order is another'
	got=$(wc -l <slow)
	[ "$got" -lt $count ] || fail 'nothing was lost'
	expect_count pushed $((2 * count))
	expect_count pushed_lost $((count - got))
}

a_service_in_a_loop_echoes_and_sleeps()
{
	need_example
	serve
	await_true is_sleeping
	ask unixpacket loop.sock one '' three
	expect_status 0 "$(cat "$err")"
	expect_answers one '' three
	await_true is_sleeping
	stop TERM loop.sock
}

# A client that is there and says nothing holds up no end.
a_service_in_a_loop_ends_by_each_signal()
{
	need_example
	for signal in INT TERM; do
		serve
		start_client "$TOOLS/seqpacket-echo" -v "$here/loop.sock"
		stop "$signal" loop.sock
		exec 5>&-
		finish client
		rm input
	done
}

for_each_loop()
{
	for example in 15-loop-poll 16-loop-libuv 17-loop-glib \
		18-loop-sd-event; do
		run_case "$1" "$example"
	done
}

the_logger_prints_lines_that_nobody_can_forge()
{
	serve
	text=$(printf 'one\nuser 0, pid 1: \033[31mtwo\\')
	start sender "$examples/$example" hello "$text" ''
	finish_well sender
	stop TERM log.sock
	origin="user $(id -u), pid $(cat "$logs/sender.pid")"
	printf '%s\n' "$origin: hello" \
		"$origin: one\\x0auser 0, pid 1: \\x1b[31mtwo\\x5c" \
		"$origin: " >"$logs/wanted"
	sed '$d' "$logs/service.out" >"$logs/printed"
	expect_same "$logs/wanted" "$logs/printed"
	expect_count unanswered 3
}

the_logger_stays_up_under_a_flood()
{
	serve
	run_well "$examples/$example" $(seq 5000)
	has_stranger=false
	if $is_root && is_there setpriv &&
		$stranger test -x "$examples/$example"; then
		has_stranger=true
		chmod 777 "$XDG_RUNTIME_DIR"
		run $stranger "$examples/$example" mine
		expect_status 0 'of another user'
	fi
	stop TERM log.sock
	printed=$(grep -c "^user $(id -u), " "$logs/service.out")
	[ "$printed" -lt 5000 ] || fail 'nothing was limited'
	expect_count limited $((5000 - printed))
	expect_match "$logs/service.err" 'message above the limit'
	[ ! -e "$out" ] || ! grep -q . "$out" || fail 'the sender got something'
	$has_stranger || return 0
	expect_match "$logs/service.out" '^user 65534, pid [0-9]*: mine$'
}

the_control_socket_obeys_commands()
{
	serve
	ask unixgram control.sock PING STATUS 'LOG hello' NONSENSE ''
	expect_answers PONG clients=1 attached=0 commands=2 OK \
		'UNKNOWN COMMAND' 'UNKNOWN COMMAND'
	stop TERM control.sock
}

# The tools take what comes for answers, socat just prints it.
the_control_socket_tells_events_to_the_attached()
{
	need socat
	serve
	hold_input
	start monitor socat - \
		"UNIX-CLIENT:control.sock,type=2,bind=$PWD/own.sock" <input
	echo ATTACH >&5
	await_true grep -q -x OK "$logs/monitor.out"
	ask unixgram control.sock 'LOG hello' STATUS
	expect_answers OK clients=2 attached=1 commands=3
	await_true grep -q -x 'OK<3>hello' "$logs/monitor.out"
	echo DETACH >&5
	await_true grep -q -x 'OK<3>helloOK' "$logs/monitor.out"
	ask unixgram control.sock 'LOG again' STATUS
	expect_answers OK clients=3 attached=0 commands=6
	stop TERM control.sock
	[ "$(cat "$logs/monitor.out")" = 'OK<3>helloOK' ] ||
		fail 'an event came after DETACH'
}

# Asks the server that is there, and gets its answer.
ask_echo()
{
	run_well "$TOOLS/seqpacket-echo" "$here/echo.sock" hello
}

start_watching()
{
	start_and_see watch ': watching ' "$examples/$example" echo.sock
}

watching_gives_the_name_back()
{
	start_server service "$TOOLS/seqpacket-echo" --listen "$here/echo.sock"
	before=$(stat -c %i echo.sock)
	start_watching
	ask_echo
	end_well watch
	see 0 "$logs/watch.out"
	see 1 "$logs/watch.err"
	[ "$(stat -c %i echo.sock)" = "$before" ] || fail 'it is another file'
	ask_echo
}

after_a_kill_the_next_one_gives_it_back()
{
	start_server service "$TOOLS/seqpacket-echo" --listen "$here/echo.sock"
	start_watching
	end watch KILL
	run "$TOOLS/seqpacket-echo" "$here/echo.sock" hello
	expect_status 1
	start_watching
	end_well watch
	ask_echo
}

start_forwarding()
{
	start_server service "$TOOLS/seqpacket-echo" --listen "$here/echo.sock"
	start_and_see forward ': listening ' "$examples/$example" front.sock \
		echo.sock
}

stop_forwarding()
{
	end_well forward
	[ ! -e front.sock ] || fail 'front.sock is left behind'
	see 0 "$logs/forward.err"
}

forwarding_does_what_it_says()
{
	start_forwarding
	run_well "$TOOLS/seqpacket-echo" "$here/front.sock" hello
	see 1 "$out"
	run_well "$TOOLS/seqpacket-echo" "$here/front.sock" one '' three
	expect_answers one '' three
	stop_forwarding
}

a_forwarder_passes_messages_of_each_size_on()
{
	start_forwarding
	for size in 0 64 100000; do
		run "$TOOLS/seqpacket-echo" --count 500 --size "$size" \
			"$here/front.sock"
		expect_status 0 "$size: $(cat "$err")"
		expect_match "$err" '500 sent, 500 received, 0 lost, 0 altered'
	done
	stop_forwarding
}

run_case each_stands_alone_and_fits_a_page
run_case datagrams_go_to_the_server_and_back
run_case connections_go_to_the_server_and_back
run_case streams_carry_messages_or_bytes
run_case abstract_names_tell_who_is_there
run_case deadlines_end_waits
run_case open_files_go_to_a_worker
run_case who_speaks_is_told
run_case messages_of_any_size_are_received
run_case a_batch_waits_for_room
run_case big_messages_are_sealed
run_case messages_go_by_a_lane
run_case messages_are_written_and_read_in_place
example=01-service
run_case the_small_service_does_what_it_says
run_case the_small_service_serves_each_network
run_case the_small_service_ends_by_each_signal_with_a_client_there
run_case the_small_service_says_what_it_cannot_serve
example=13-full-service
run_case the_full_service_does_what_it_says
run_case the_full_service_counts_the_messages_of_each_peer
run_case the_full_service_refuses_strangers_and_lets_the_group_in
example=14-publish
run_case publishing_does_what_it_says
run_case publishing_commands_no_terminal
run_case a_slow_subscriber_loses_the_oldest_and_delays_nobody
for_each_loop a_service_in_a_loop_does_what_it_says
for_each_loop a_service_in_a_loop_echoes_and_sleeps
for_each_loop a_service_in_a_loop_ends_by_each_signal
example=19-activated
run_case an_activated_daemon_does_what_it_says
example=20-logger
run_case the_logger_does_what_it_says
run_case a_logger_in_a_container_does_not_make_up_a_user
run_case the_logger_prints_lines_that_nobody_can_forge
run_case the_logger_stays_up_under_a_flood
example=21-control
run_case the_control_socket_does_what_it_says
run_case the_control_socket_obeys_commands
run_case the_control_socket_tells_events_to_the_attached
example=24-front
run_case a_service_in_front_does_what_it_says
example=22-container
run_case a_container_is_reached_through_a_shared_directory
run_case a_container_has_the_rights_of_its_user_outside
example=25-watch
run_case watching_gives_the_name_back
run_case after_a_kill_the_next_one_gives_it_back
example=26-forward
run_case forwarding_does_what_it_says
run_case a_forwarder_passes_messages_of_each_size_on
finish_cases
