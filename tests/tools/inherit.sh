#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The echo tools under a supervisor: with --inherit they serve its sockets, and
# in any case they tell it how they are doing when it has asked.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

hear=$top_builddir/tests/hear

# Nothing of whoever runs this.
unset LISTEN_PID LISTEN_FDS LISTEN_FDNAMES LISTEN_PIDFDID NOTIFY_SOCKET
unset WATCHDOG_USEC WATCHDOG_PID

for_each_tool()
{
	for entry in unixgram-echo:-d seqpacket-echo:--seqpacket \
		unixstream-echo:; do
		tool=${entry%%:*}
		socket_type=${entry#*:}
		run_case "$1" "$tool"
	done
}

start_hearing()
{
	start_server hear "$hear" "$here/notify"
	NOTIFY_SOCKET=$here/notify
	export NOTIFY_SOCKET
}

await_heard()
{
	await_true grep -q -e "$1" "$logs/hear.out"
}

# The supervisor listens, and starts the tool for the first client.
activate()
{
	need systemd-socket-activate
	# shellcheck disable=SC2086 # no word when it is empty
	start_and_see server 'Listening on' systemd-socket-activate \
		$socket_type -E NOTIFY_SOCKET -E WATCHDOG_USEC \
		-E LD_LIBRARY_PATH -E ASAN_OPTIONS \
		-E UBSAN_OPTIONS -l "$here/s" \
		"$TOOLS/$tool" --inherit "$@"
}

expect_answer()
{
	run_well "$TOOLS/$tool" -W 20 "$here/s" "$@"
	printf '%s\n' "$@" >wanted
	expect_same wanted "$out"
}

a_socket_that_was_handed_over_is_served_and_stays()
{
	start_hearing
	activate --stats
	expect_answer one two
	expect_answer three
	await_heard "^STATUS=listening on $here/s"
	await_heard '^READY=1'
	end_well server
	await_heard '^STOPPING=1'
	expect_match "$logs/server.err" "listening on $here/s"
	[ -S s ] || fail "the supervisor's file is gone"
}

# What waits in a socket of the supervisor is for the next one who serves it.
nothing_is_lost_between_two_servers()
{
	need python3
	# shellcheck disable=SC2016 # the shell that is started expands it
	start server python3 -c '
import ctypes, os, signal, socket, subprocess, sys
die_too = lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL)
kind = {"-d": socket.SOCK_DGRAM, "--seqpacket": socket.SOCK_SEQPACKET,
        "": socket.SOCK_STREAM}[sys.argv[1]]
s = socket.socket(socket.AF_UNIX, kind)
s.bind(sys.argv[2])
if kind != socket.SOCK_DGRAM:
    s.listen(10)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
print("bound", file=sys.stderr, flush=True)
for word in range(3):
    subprocess.run(["/bin/sh", "-c",
                    "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"",
                    *sys.argv[3:], "--inherit", "--max-messages", "1"],
                   close_fds=False, check=True, preexec_fn=die_too)
' "$socket_type" "$here/s" "$TOOLS/$tool"
	await_true grep -q bound "$logs/server.err"
	for word in one two three; do
		expect_answer "$word"
	done
	finish_well server
}

without_a_supervisor_inherit_says_what_to_do()
{
	run "$TOOLS/$tool" --listen --inherit
	expect_complaint 1
	expect_match "$err" 'no socket was handed over (LISTEN_FDS)'
}

sockets_of_another_network_are_told()
{
	case $tool in
	unixgram-echo) other=--seqpacket ;;
	*) other=-d ;;
	esac
	need systemd-socket-activate
	start_and_see server 'Listening on' systemd-socket-activate "$other" \
		-E LD_LIBRARY_PATH -E ASAN_OPTIONS \
		-E UBSAN_OPTIONS -l "$here/s" \
		"$TOOLS/$tool" --inherit
	if [ "$other" = -d ]; then
		run "$TOOLS/unixgram-echo" -W 0.1 "$here/s" hello
	else
		run "$TOOLS/seqpacket-echo" -W 0.1 "$here/s" hello
	fi
	finish server
	expect_status 1
	expect_match "$logs/server.err" \
		'none of the sockets handed over is for the network .*Listen'
}

an_address_beside_inherit_is_refused()
{
	run "$TOOLS/$tool" --inherit "$here/s"
	expect_complaint 2
	run "$TOOLS/$tool" --inherit --count 1
	expect_complaint 2
}

malformed_variables_are_told()
{
	run env LISTEN_PID=x LISTEN_FDS=1 "$TOOLS/$tool" --inherit
	expect_complaint 1
	expect_match "$err" 'LISTEN_FDS'
}

# A descriptor of the tool's own would have the number of the missing one, and
# the tool would serve the pipe that tells it of signals.
a_descriptor_that_is_missing_is_told()
{
	# shellcheck disable=SC2016 # the shell that is started expands it
	run sh -c 'exec 3</dev/null 4<&-
		LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" --inherit' "$TOOLS/$tool"
	expect_complaint 1
	expect_match "$err" 'LISTEN_FDS: it names more descriptors than are'
}

# As StandardInput=socket of systemd does it: the one that listens, no variable.
a_socket_on_standard_input_is_served()
{
	need python3
	start_server server python3 -c '
import os, socket, sys
kind = {"-d": socket.SOCK_DGRAM, "--seqpacket": socket.SOCK_SEQPACKET,
        "": socket.SOCK_STREAM}[sys.argv[1]]
s = socket.socket(socket.AF_UNIX, kind)
s.bind(sys.argv[2])
if kind != socket.SOCK_DGRAM:
    s.listen(10)
os.dup2(s.fileno(), 0)
os.execv(sys.argv[3], sys.argv[3:])
' "$socket_type" "$here/s" "$TOOLS/$tool" --inherit
	expect_answer one two
	expect_answer three
	end_well server
	[ -S s ] || fail "the supervisor's file is gone"
}

# As inetd does it: a connection is all three. What the tool says is not for
# the client.
nothing_but_answers_goes_to_a_client_on_standard_input()
{
	[ "$tool" != unixgram-echo ] || return 0
	need python3
	run python3 -c '
import signal, socket, subprocess, sys
kind = {"--seqpacket": socket.SOCK_SEQPACKET,
        "": socket.SOCK_STREAM}[sys.argv[1]]
near, far = socket.socketpair(socket.AF_UNIX, kind)
tool = subprocess.Popen([*sys.argv[2:], "--inherit", "-v"],
                        stdin=far, stdout=far, stderr=far)
far.close()
for word in b"one", b"two":
    near.send(word)
    print(near.recv(100).decode())
tool.send_signal(signal.SIGTERM)
print("end", near.recv(100).decode())
sys.exit(tool.wait())
' "$socket_type" "$TOOLS/$tool"
	expect_status 0 "$(cat "$err")"
	printf '%s\n' one two 'end ' >wanted
	expect_same wanted "$out"
}

# One process for each connection would stay for ever.
it_leaves_when_the_connection_that_was_handed_over_ends()
{
	[ "$tool" != unixgram-echo ] || return 0
	need python3
	run python3 -c '
import socket, subprocess, sys
kind = {"--seqpacket": socket.SOCK_SEQPACKET,
        "": socket.SOCK_STREAM}[sys.argv[1]]
near, far = socket.socketpair(socket.AF_UNIX, kind)
tool = subprocess.Popen([*sys.argv[2:], "--inherit"], stdin=far)
far.close()
near.send(b"one")
print(near.recv(100).decode())
near.close()
sys.exit(tool.wait(timeout=30))
' "$socket_type" "$TOOLS/$tool"
	expect_status 0 "$(cat "$err")"
	echo one >wanted
	expect_same wanted "$out"
}

a_socket_of_another_network_on_standard_input_is_told()
{
	need python3
	run python3 -c '
import socket, subprocess, sys
kind = socket.SOCK_STREAM if sys.argv[1] == "--seqpacket" \
    else socket.SOCK_SEQPACKET
s = socket.socket(socket.AF_UNIX, kind)
sys.exit(subprocess.run([*sys.argv[2:], "--inherit"], stdin=s).returncode)
' "$socket_type" "$TOOLS/$tool"
	expect_complaint 1
	expect_match "$err" 'standard input is a socket, but none .*Listen'
}

# Of standard input, and of descriptor 3 by the variables.
a_datagram_socket_that_is_connected_is_told()
{
	[ "$tool" = unixgram-echo ] || return 0
	need python3
	for number in 0 3; do
		run python3 -c '
import os, socket, sys
near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
number = int(sys.argv[1])
os.dup2(far.fileno(), number)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(number // 3)
os.execv(sys.argv[2], [*sys.argv[2:], "--inherit"])
' "$number" "$TOOLS/$tool"
		expect_complaint 1
		expect_match "$err" 'a datagram socket that is connected has no'
	done
}

# Another holder of the socket: whoever has made it.
a_socket_that_is_shut_down_ends_the_service()
{
	need python3
	start server python3 -c '
import socket, subprocess, sys
kind = {"-d": socket.SOCK_DGRAM, "--seqpacket": socket.SOCK_SEQPACKET,
        "": socket.SOCK_STREAM}[sys.argv[1]]
s = socket.socket(socket.AF_UNIX, kind)
s.bind(sys.argv[2])
if kind != socket.SOCK_DGRAM:
    s.listen(10)
tool = subprocess.Popen([*sys.argv[3:], "--inherit"], stdin=s)
s.shutdown(socket.SHUT_RDWR)
sys.exit(tool.wait())
' "$socket_type" "$here/s" "$TOOLS/$tool"
	finish server
	expect_status 1
	expect_match "$logs/server.err" 'served no longer'
}

readiness_is_told_without_inherit_too()
{
	start_hearing
	WATCHDOG_USEC=40000
	export WATCHDOG_USEC
	start_server server "$TOOLS/$tool" --listen "$here/s"
	await_heard '^READY=1'
	await_heard '^WATCHDOG=1'
	expect_answer hello
	end_well server
	await_heard '^STOPPING=1'
	expect_gone "$here/s"
}

# Nobody behind the address: worth a line, and no reason not to serve.
it_serves_without_anybody_to_tell()
{
	NOTIFY_SOCKET=$here/nobody
	export NOTIFY_SOCKET
	start_server server "$TOOLS/$tool" --listen "$here/s"
	expect_answer hello
	end_well server
	expect_match "$logs/server.err" 'the supervisor could not be told: No'
}

for name in a_socket_that_was_handed_over_is_served_and_stays \
	nothing_is_lost_between_two_servers \
	without_a_supervisor_inherit_says_what_to_do \
	sockets_of_another_network_are_told \
	an_address_beside_inherit_is_refused \
	malformed_variables_are_told \
	a_descriptor_that_is_missing_is_told \
	a_socket_on_standard_input_is_served \
	nothing_but_answers_goes_to_a_client_on_standard_input \
	it_leaves_when_the_connection_that_was_handed_over_ends \
	a_socket_of_another_network_on_standard_input_is_told \
	a_datagram_socket_that_is_connected_is_told \
	a_socket_that_is_shut_down_ends_the_service \
	readiness_is_told_without_inherit_too \
	it_serves_without_anybody_to_tell; do
	for_each_tool "$name"
done
finish_cases
