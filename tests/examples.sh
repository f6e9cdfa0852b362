#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The examples of the service, as their head comments say to run them.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

examples=${top_builddir:?is the top build directory}/examples
stranger='setpriv --reuid 65534 --regid 65534 --clear-groups'
example=

# Those for the loops of others are there when the loop is.
need_example()
{
	[ -x "$examples/$example" ] ||
		skip "$example was not built: configure has not found its loop"
}

need_stranger()
{
	need_root
	need setpriv
	$stranger test -x "$examples/$example" ||
		skip 'another user cannot get at the examples'
}

serve()
{
	start_server service "$examples/$example" "$@"
}

# stop SIGNAL FILE...: it ends well, and its files go.
stop()
{
	signal service "$1"
	finish service
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
	mkfifo input
	exec 5<>input
	start_and_see client connected "$@" <input
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
	need_stranger
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
	for example in 16-loop-poll 17-loop-libuv 18-loop-glib \
		19-loop-sd-event; do
		run_case "$1" "$example"
	done
}

the_logger_prints_lines_that_nobody_can_forge()
{
	serve
	text=$(printf 'one\nuser 0, pid 1: \033[31mtwo\\')
	start sender "$examples/$example" hello "$text" ''
	finish sender
	expect_status 0
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
	run "$examples/$example" $(seq 5000)
	expect_status 0
	if $is_root && is_there setpriv &&
		$stranger test -x "$examples/$example"; then
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
	$is_root || return 0
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
	mkfifo input
	exec 5<>input
	start monitor socat - UNIX-CLIENT:control.sock,type=2,bind=own.sock \
		<input
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

example=13-service
run_case the_small_service_serves_each_network
run_case the_small_service_ends_by_each_signal_with_a_client_there
run_case the_small_service_says_what_it_cannot_serve
example=14-full-service
run_case the_full_service_counts_the_messages_of_each_peer
run_case the_full_service_refuses_strangers_and_lets_the_group_in
example=15-publish
run_case a_slow_subscriber_loses_the_oldest_and_delays_nobody
for_each_loop a_service_in_a_loop_echoes_and_sleeps
for_each_loop a_service_in_a_loop_ends_by_each_signal
example=20-logger
run_case the_logger_prints_lines_that_nobody_can_forge
run_case the_logger_stays_up_under_a_flood
example=21-control
run_case the_control_socket_obeys_commands
run_case the_control_socket_tells_events_to_the_attached
finish_cases
