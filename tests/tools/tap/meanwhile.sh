#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixmsg-tap in front of servers of all kinds, and what becomes of the tap when
# a server ends, restarts, or is replaced meanwhile.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086
set -u

tool=unixmsg-tap

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
PATH=$TOOLS:$PATH
export PATH

# Nothing of whoever runs this.
unset LISTEN_PID LISTEN_FDS LISTEN_FDNAMES LISTEN_PIDFDID NOTIFY_SOCKET

# start_echo LABEL OPTION...: at s.
start_echo()
{
	label=$1
	shift
	start_server "$label" seqpacket-echo --listen "$@" s
}

start_tap()
{
	start_server tap unixmsg-tap "$@" s
}

# expect_end STATUS TEXT: of the tap, which has said TEXT.
expect_end()
{
	finish tap
	expect_status "$1" "$(cat "$logs/tap.err")"
	expect_match "$logs/tap.err" "$2"
	expect_printable "$logs/tap.err"
	expect_gone .unixmsg=s
}

stop_tap()
{
	signal tap INT
	expect_end "$@"
}

expect_served()
{
	run_well unixmsg-cat s hello
	expect_text "$out" hello
}

# Who it is can be told only when that program is there already.
lost='has taken the name away\|somebody has removed or replaced the file'

# --- A server that does not stay ---------------------------------------------

a_server_that_starts_again_learns_who_has_its_name()
{
	start_echo first
	start_tap
	tap_pid=$pid
	end_well first
	run seqpacket-echo --listen s
	expect_status 1
	expect_match "$err" "in use by .*pid $tap_pid (unixmsg-tap)"
	run unixmsg-cat s hello
	expect_end 0 'the server has ended, its name is free'
	expect_gone s
	start_echo second
	expect_served
}

a_server_that_ends_after_the_stop_leaves_a_free_name()
{
	start_echo first
	start_tap
	end_well first
	stop_tap 0 'the server has ended, its name is free'
	expect_gone s
}

a_new_server_with_replace_takes_the_name_and_the_tap_tells_it_at_once()
{
	start_echo old
	start_tap
	start_echo new --replace
	expect_end 1 "$lost"
	expect_served
	end_well new
	end_well old
}

# Clients that were there before stay with the old server, through the tap.
open_connections_outlive_the_replacement()
{
	start_echo old
	start_tap
	hold_input
	start client unixmsg-cat s <input 5>&-
	echo one >&5
	await_true grep -q '^one' "$logs/client.out"
	start_echo new --replace
	await_true grep -q "$lost" "$logs/tap.err"
	echo two >&5
	await_true grep -q '^two' "$logs/client.out"
	exec 5>&-
	finish_well client
	expect_end 1 "$lost"
	end_well old
	expect_served
}

a_name_that_is_removed_goes_back_to_its_server_at_once()
{
	start_echo server
	ls -i s >before
	start_tap
	rm s
	expect_end 1 'somebody has removed or replaced the file'
	expect_match "$logs/tap.err" 'the server has its name back'
	ls -i s >after
	expect_same before after
	expect_served
}

# --- Servers of other kinds ---------------------------------------------------

# start_activated COMMAND...: a supervisor listens at s, and starts the command
# for the first client.
start_activated()
{
	need systemd-socket-activate
	start_and_see server 'Listening on' systemd-socket-activate \
		--seqpacket -E LD_LIBRARY_PATH -E ASAN_OPTIONS \
		-E UBSAN_OPTIONS -l "$here/s" "$@"
}

# Nobody has read from the socket yet: the client of the tap starts the server.
a_server_that_is_activated_by_its_socket_is_tapped()
{
	start_activated "$TOOLS/seqpacket-echo" --inherit
	ls -i s >before
	start_tap
	expect_served
	stop_tap 0 'the server has its name back'
	ls -i s >after
	expect_same before after
	expect_match "$logs/tap.out" ' < 5  hello$'
	expect_served
	start_tap
	expect_served
	stop_tap 0 'the server has its name back'
	expect_served
}

# The supervisor owns the socket: while it has it, the name is alive.
an_activated_server_that_ends_leaves_the_name_to_its_supervisor()
{
	need python3
	cat >supervisor.py <<-'END'
		import socket, sys
		listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		listener.bind("s")
		listener.listen()
		print("server: listening on s", file=sys.stderr, flush=True)
		sys.stdin.read()
	END
	mkfifo life
	exec 5<>life
	start_server server python3 supervisor.py <life
	start_tap
	stop_tap 0 'the server has its name back'
	[ -S s ] || fail 'the name is gone'
	exec 5>&-
}

# As root: a client that wants to know who serves it is not put off.
a_client_sees_the_user_of_the_server()
{
	need_root
	need_stranger "$TOOLS/seqpacket-echo"
	mkdir place
	chown 65534:65534 place
	start_server server $stranger \
		env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" \
		seqpacket-echo --listen place/s
	run_well seqpacket-echo --server-user 65534 place/s hello
	start_server tap unixmsg-tap place/s
	run_well seqpacket-echo --server-user 65534 place/s hello
	expect_text "$out" hello
	signal tap INT
	finish_well tap
}

# It takes datagrams of one peer only; the kernel refuses those of the tap.
a_connected_server_is_one_clear_line()
{
	need python3
	cat >server.py <<-'END'
		import socket, sys
		peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		peer.bind("peer")
		server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		server.bind("s")
		server.connect("peer")
		peer.connect("s")
		print("server: listening on s", file=sys.stderr, flush=True)
		peer.recv(10)
	END
	start_server server python3 server.py
	ls -i s >before
	run unixmsg-tap s
	expect_complaint 1
	expect_match "$err" 'the server is connected to one client'
	ls -i s >after
	expect_same before after
	expect_gone .unixmsg=s
}

# --- Outputs that stand still --------------------------------------------------

a_recording_that_nobody_reads_delays_no_traffic_and_tells_the_gap()
{
	start_echo server
	mkfifo slow
	exec 5<>slow
	stdout=slow start_tap -w -
	run_well seqpacket-echo -c 60000 -s 400 s
	signal tap INT
	cat <slow >file.pcapng 5>&- &
	reader=$!
	pids="$pids $reader"
	exec 5>&-
	expect_end 0 'the server has its name back'
	await $reader
	run unixmsg-tap --replay file.pcapng --speed 0 s
	expect_complaint 1
	expect_match "$err" 'were left out of the recording'
}

# A pseudo terminal that nobody reads is full after some lines.
a_terminal_that_is_stopped_delays_no_traffic()
{
	need python3
	start_echo server
	cat >terminal.py <<-'END'
		import os, pty, subprocess, sys, termios
		master, slave = pty.openpty()
		tap = subprocess.Popen(["unixmsg-tap", "--stats", "s"],
		    stdin=slave, stdout=slave, stderr=slave)
		seen = b""
		while b"listening on" not in seen:
		    seen += os.read(master, 1000)
		termios.tcflow(slave, termios.TCOOFF)
		client = subprocess.run(["seqpacket-echo", "-q", "-c", "20000", "s"])
		os.kill(tap.pid, 10)
		again = subprocess.run(["seqpacket-echo", "-q", "-c", "2000", "s"])
		print(client.returncode, again.returncode)
		termios.tcflow(slave, termios.TCOON)
		os.close(slave)
		tap.terminate()
		try:
		    while os.read(master, 65536):
		        pass
		except OSError:
		    pass
		print(tap.wait())
	END
	run_well python3 terminal.py
	printf '0 0\n0\n' >wanted
	expect_same wanted "$out"
}

for case in \
	a_server_that_starts_again_learns_who_has_its_name \
	a_server_that_ends_after_the_stop_leaves_a_free_name \
	a_new_server_with_replace_takes_the_name_and_the_tap_tells_it_at_once \
	open_connections_outlive_the_replacement \
	a_name_that_is_removed_goes_back_to_its_server_at_once \
	a_server_that_is_activated_by_its_socket_is_tapped \
	an_activated_server_that_ends_leaves_the_name_to_its_supervisor \
	a_client_sees_the_user_of_the_server \
	a_connected_server_is_one_clear_line \
	a_recording_that_nobody_reads_delays_no_traffic_and_tells_the_gap \
	a_terminal_that_is_stopped_delays_no_traffic; do
	run_case $case
done
finish_cases
