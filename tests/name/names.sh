#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The life of a name with the tools: servers that are killed, that take over
# from one another, that lose; clients that are killed.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

tool=seqpacket-echo
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

all_tools='unixgram-echo seqpacket-echo unixstream-echo'
many=50
takeovers=8
rounds=4
if $is_long && ! is_sanitized "$tool"; then
	many=1000
	takeovers=100
	rounds=40
fi

use()
{
	tool=$1
	command=$TOOLS/$1
}

serve()
{
	start_server server "$command" --listen "$@" "$here/s"
}

expect_echo()
{
	run_well "$command" "$here/s" hello </dev/null
	expect_text "$out" hello
}

# --- Servers that end ---------------------------------------------------------

a_killed_server_is_in_nobodys_way()
{
	for dead in $all_tools; do
		for next in $all_tools; do
			use "$dead"
			serve
			end server KILL
			[ -S s ] || fail 'the file has gone by itself'
			use "$next"
			serve
			expect_echo
			end_well server
			expect_gone s
		done
	done
}

each_signal_to_stop_removes_the_file()
{
	for name in $all_tools; do
		use "$name"
		for how in TERM INT HUP; do
			serve
			end server "$how"
			expect_status 0 "$how"
			expect_gone s
		done
	done
	[ -z "$(ls -A)" ] || fail "left behind: $(ls -A)"
}

who_has_the_name_is_told()
{
	for owner in $all_tools; do
		use "$owner"
		serve
		owner_pid=$pid
		for name in $all_tools; do
			use "$name"
			run "$command" --listen "$here/s"
			expect_complaint 1
			expect_match "$err" \
				"address in use by pid $owner_pid ($(
					printf '%.15s' "$owner")"
		done
		end_well server
	done
}

to_another_user_the_owners_user_is_told()
{
	use seqpacket-echo
	need_stranger "$command"
	serve --mode 666
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$command" --listen "$here/s"
	expect_complaint 1
	expect_match "$err" 'in use by a process of user 0'
	end_well server
}

# --- Taking over --------------------------------------------------------------

# take_over NAME: one after another; the one before is ended.
take_over()
{
	start_server "$1" "$command" --listen --replace "$here/s"
	if [ -e "$logs/before" ]; then
		before=$(cat "$logs/before")
		"${before_the_end:-:}"
		end_well "$before"
	fi
	echo "$1" >"$logs/before"
	[ -S s ] || fail 'the file has gone with the one before'
}

take_over_many_times()
{
	i=0
	while [ "$i" -lt "$takeovers" ]; do
		take_over "server$((i % 2))"
		i=$((i + 1))
	done
}

count_calls()
{
	wc -l <"$logs/calls.ended"
}

has_ended()
{
	[ "$(count_calls)" -gt "$1" ]
}

# The one that is under way may have gone to the server before, those after it
# go to the new one.
let_one_call_end()
{
	await_true has_ended "$(count_calls)"
}

# Calls the server again and again until the file stop appears.
call_again_and_again()
{
	calls=0
	failures=0
	while [ ! -e "$here/stop" ]; do
		calls=$((calls + 1))
		if "$@" "hello$calls" >"$logs/answer" 2>>"$logs/calls.err"; then
			[ "$(cat "$logs/answer")" = "hello$calls" ] || exit 9
		else
			[ $? -eq 1 ] || exit 8
			failures=$((failures + 1))
			# A wrong answer is worse than none.
			[ ! -s "$logs/answer" ] || exit 7
		fi
		echo "$calls" >>"$logs/calls.ended"
	done
	echo "$calls $failures" >"$logs/calls"
}

# A client that has sent nothing when its server stops is told so: a server
# that was replaced ends when the calls to it have.
connections_never_fail_while_servers_take_over()
{
	before_the_end=let_one_call_end
	for name in seqpacket-echo unixstream-echo; do
		use "$name"
		rm -f stop "$logs/before"
		: >"$logs/calls.ended"
		take_over server1
		start caller call_again_and_again "$command" --wait 1 "$here/s"
		take_over_many_times
		: >stop
		finish caller
		expect_status 0 'of the caller'
		expect_empty "$logs/calls.err"
		read -r calls failures <"$logs/calls"
		[ "$calls" -ge "$takeovers" ] || fail "only $calls calls"
		[ "$failures" -eq 0 ] || fail "$failures of $calls failed"
		signal "$(cat "$logs/before")" TERM
		finish "$(cat "$logs/before")"
		expect_gone s
	done
	[ "$(ls -A)" = stop ] || fail "left behind: $(ls -A)"
}

# What is sent to one that ends at that moment has no answer, and that is told.
lost_datagrams_are_told_while_servers_take_over()
{
	use unixgram-echo
	take_over server1
	start caller call_again_and_again "$command" --wait 1 -W 0.3 "$here/s"
	take_over_many_times
	: >stop
	finish caller
	expect_status 0 'of the caller'
	read -r calls failures <"$logs/calls"
	[ "$calls" -gt 10 ] || fail "only $calls calls"
	told=$(grep -c '^unixgram-echo: ' "$logs/calls.err") || :
	[ "$told" -ge "$failures" ] || fail "$failures failures, $told told"
	expect_echo
	signal "$(cat "$logs/before")" TERM
	finish "$(cat "$logs/before")"
	expect_gone s
}

open_connections_go_on_with_the_old_server()
{
	use seqpacket-echo
	hold_input
	start_server old "$command" --listen --stats "$here/s"
	start_and_see client connected "$command" -v "$here/s" <input
	serve --replace
	expect_echo
	printf 'one\ntwo\n' >&5
	exec 5<&-
	finish_well client
	printf 'one\ntwo\n' >wanted
	expect_same wanted "$logs/client.out"
	end_well old
	expect_counter "$logs/old.out" answered 2
	expect_echo
	end_well server
	expect_gone s
}

the_public_path_is_seen_by_others()
{
	need ss
	for name in $all_tools; do
		use "$name"
		start_server old "$command" --listen "$here/s"
		start_server new "$command" --listen --replace "$here/s"
		seen=$(ss -xaH | grep -c -F " $here/s ") || :
		[ "$seen" -eq 2 ] || fail "$tool: ss sees $seen"
		ss -xaH | grep -F .unixmsg- && fail 'ss sees a hidden name'
		if is_there lsof; then
			lsof -a -U -p "$pid" 2>/dev/null | grep -q -F "$here/s" ||
				fail 'lsof does not see it'
		fi
		end_well old
		end_well new
		expect_gone s
	done
}

mode_and_owner_are_what_was_asked_for()
{
	need_root
	for name in $all_tools; do
		use "$name"
		start_server old "$command" --listen "$here/s"
		serve --replace --mode 620 --user 12345 --group 23456
		[ "$(stat -c %u:%g:%a s)" = 12345:23456:620 ] ||
			fail "$(stat -c %u:%g:%a s)"
		expect_echo
		end_well old
		end_well server
		expect_gone s
	done
}

what_may_not_be_is_given_back()
{
	use seqpacket-echo
	need_stranger "$command"
	mkdir sub
	chown 65534:65534 sub
	start_server server setpriv --reuid=65534 --regid=65534 \
		--clear-groups "$command" --listen "$here/sub/s"
	before=$(stat -c %i:%a:%u sub/s)
	run setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$command" --listen --replace --user 0 "$here/sub/s"
	expect_complaint 1
	[ "$(stat -c %i:%a:%u sub/s)" = "$before" ] || fail 'another file'
	[ "$(ls -A sub)" = s ] || fail "left behind: $(ls -A sub)"
	run_well "$command" "$here/sub/s" hello
	end_well server
	expect_gone sub/s
}

only_names_of_files_are_replaced()
{
	for name in $all_tools; do
		use "$name"
		rm -rf file directory link
		echo content >file
		mkdir directory
		ln -s file link
		for thing in file directory link; do
			run "$command" --listen --replace "$here/$thing"
			expect_complaint 1
			expect_match "$err" 'no socket'
		done
		expect_text file content
		address=@unixmsg-test-$$-$name
		start_server server "$command" --listen "$address"
		run "$command" --listen --replace "$address"
		expect_complaint 1
		expect_match "$err" 'address in use'
		end_well server
	done
}

# --- Others who know no lock ----------------------------------------------------

foreign_server='
import errno, os, socket, sys
path = sys.argv[1]
print("ready", flush=True)
for line in sys.stdin:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    won = True
    try:
        s.bind(path)
    except OSError as e:
        won = False
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            try:
                os.unlink(path)
                s.bind(path)
                won = True
            except OSError:
                pass
        except OSError:
            pass
        probe.close()
    print("won" if won else "lost", flush=True)
    sys.stdin.readline()
    s.setblocking(False)
    try:
        s.recv(1)
        print("reached", flush=True)
    except OSError:
        print("silent", flush=True)
    s.close()
'

# Of the two one is reached, and the foreign one keeps what it has got.
a_foreign_server_and_ours_share_nothing()
{
	need python3
	use unixgram-echo
	mkfifo to
	exec 6<>to
	start foreign python3 -c "$foreign_server" "$here/s" <to
	await_true grep -q ready "$logs/foreign.out"
	i=0
	while [ "$i" -lt "$rounds" ]; do
		if [ $((i % 2)) -eq 1 ]; then
			python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$here/s"
		fi
		echo bind >&6
		start ours "$command" --listen "$here/s"
		await_true has_lines "$logs/foreign.out" $((2 * i + 2))
		await_true has_said_how "$logs/ours.err"
		answer=$(tail -n 1 "$logs/foreign.out")
		# The foreign one never answers.
		patience=10
		[ "$answer" = lost ] || patience=0.1
		run "$command" -W "$patience" "$here/s" hello
		echo look >&6
		await_true has_lines "$logs/foreign.out" $((2 * i + 3))
		reached=$(tail -n 1 "$logs/foreign.out")
		case $answer/$reached/$status in
		won/reached/1 | lost/silent/0) ;;
		*) fail "round $i: $answer, $reached, $status" ;;
		esac
		kill -TERM "$(cat "$logs/ours.pid")" 2>/dev/null || :
		finish ours
		rm -f s
		i=$((i + 1))
	done
	# It ends with its input.
	exec 6>&-
	finish_well foreign
	[ -z "$(find . -name '.unixmsg-*')" ] || fail 'a hidden file is left'
}

has_lines()
{
	[ "$(wc -l <"$1")" -ge "$2" ]
}

has_said_how()
{
	grep -q -e 'listening on' -e 'in use' "$1"
}

# --- Clients that are killed ----------------------------------------------------

client_files()
{
	find "$XDG_RUNTIME_DIR" -type s | wc -l
}

has_client_files()
{
	[ "$(client_files)" -ge "$1" ]
}

# start_clients COUNT: all have their file, and wait for input.
start_clients()
{
	n=0
	clients=
	while [ "$n" -lt "$1" ]; do
		"$command" "$here/s" <input >/dev/null 2>&1 3>&- 5<&- &
		clients="$clients $!"
		pids="$pids $!"
		n=$((n + 1))
	done
}

killed_clients_are_swept_by_the_next_ones()
{
	use unixgram-echo
	serve
	hold_input
	killed=0
	# Kept apart from the others, or they would sweep while they start.
	mkdir "$work/dead"
	while [ "$killed" -lt "$many" ]; do
		start_clients 50
		await_true has_client_files 50
		# Their processes are all the list holds.
		# shellcheck disable=SC2086
		kill -KILL $clients
		for client in $clients; do
			wait "$client" 2>/dev/null || :
		done
		mv "$XDG_RUNTIME_DIR/unixmsg-$(id -u)"/* "$work/dead"
		killed=$((killed + 50))
	done
	exec 5<&-
	mv "$work/dead"/* "$XDG_RUNTIME_DIR/unixmsg-$(id -u)"
	left=$(client_files)
	[ "$left" -eq "$many" ] || fail "$left files, not $many"
	dials=0
	while [ "$left" -gt 0 ]; do
		[ "$dials" -lt $((many / 16)) ] || fail "$left files are left"
		expect_echo
		now=$(client_files)
		[ $((left - now)) -le 64 ] || fail "$left files, then $now"
		left=$now
		dials=$((dials + 1))
	done
	rmdir "$work/dead"
	end_well server
}

a_server_that_may_not_answer_is_told_of()
{
	use unixgram-echo
	need_stranger "$command"
	mkdir -m 711 theirs
	chown 65534:65534 theirs
	mkdir -m 700 closed
	start_server server setpriv --reuid=65534 --regid=65534 \
		--clear-groups "$command" --listen "$here/theirs/s"
	run "$command" -W 0.3 --bind "$here/closed/own" "$here/theirs/s" hello
	expect_status 1
	expect_match "$err" "warning: our own address .* is closed to other users"
	expect_match "$err" 'give --bind @, or a path in a directory that all may'
	run_well "$command" "$here/theirs/s" hello
	expect_empty "$err"
	expect_text "$out" hello
	end_well server
}

for name in a_killed_server_is_in_nobodys_way \
	each_signal_to_stop_removes_the_file \
	who_has_the_name_is_told \
	to_another_user_the_owners_user_is_told \
	connections_never_fail_while_servers_take_over \
	lost_datagrams_are_told_while_servers_take_over \
	open_connections_go_on_with_the_old_server \
	the_public_path_is_seen_by_others \
	mode_and_owner_are_what_was_asked_for \
	what_may_not_be_is_given_back \
	only_names_of_files_are_replaced \
	a_foreign_server_and_ours_share_nothing \
	killed_clients_are_swept_by_the_next_ones \
	a_server_that_may_not_answer_is_told_of; do
	run_case "$name"
done
finish_cases
