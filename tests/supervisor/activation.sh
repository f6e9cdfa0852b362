#!/bin/sh
# A service under a supervisor: examples/19-activated.c, with its sockets from
# systemd-socket-activate where that is installed, and 'hear' in the place of
# the one that it tells how it is doing.

# shellcheck source=tests/lib.sh
. "$srcdir/tests/lib.sh"

activated=$top_builddir/examples/19-activated
hear=$top_builddir/tests/hear
units=$srcdir/examples/systemd
gram_echo=$TOOLS/unixgram-echo
packet_echo=$TOOLS/seqpacket-echo
stream_echo=$TOOLS/unixstream-echo

# Nothing of whoever runs this.
unset LISTEN_PID LISTEN_FDS LISTEN_FDNAMES LISTEN_PIDFDID NOTIFY_SOCKET
unset WATCHDOG_USEC WATCHDOG_PID

# start_hearing ADDRESS: in NOTIFY_SOCKET from then on.
start_hearing()
{
	start_server hear "$hear" "$1"
	NOTIFY_SOCKET=$1
	export NOTIFY_SOCKET
}

await_heard()
{
	await_true grep -q -x -F -e "$1" "$logs/hear.out"
}

# activate OPTION...: the service, when the first client comes. The helper hands
# on no environment but what it is told to.
activate()
{
	need systemd-socket-activate
	start_and_see service 'Listening on' systemd-socket-activate \
		-E NOTIFY_SOCKET -E WATCHDOG_USEC \
		-E LD_LIBRARY_PATH -E ASAN_OPTIONS \
		-E UBSAN_OPTIONS "$@" "$activated"
}

expect_end()
{
	end_well service
}

a_datagram_socket_is_taken()
{
	start_hearing "$here/notify"
	activate -d -l "$here/s" --fdname=any
	run_well "$gram_echo" "$here/s" hello ''
	printf 'hello\n\n' >wanted
	expect_same wanted "$out"
	await_heard READY=1
	await_heard 'STATUS=2 messages'
	expect_end
	await_heard STOPPING=1
	printf '%s\n' READY=1 'STATUS=1 messages' 'STATUS=2 messages' \
		STOPPING=1 >wanted
	expect_same wanted "$logs/hear.out"
	expect_match "$logs/service.err" '1 sockets of the supervisor'
}

# The first client starts it, and waits in the backlog meanwhile.
a_listener_is_taken()
{
	start_hearing "@unixmsg-test-$$-notify"
	activate --seqpacket -l "$here/s" --fdname=any
	run "$packet_echo" "$here/s" hello
	expect_text "$out" hello
	await_heard READY=1
	run "$packet_echo" "$here/s" ''
	expect_text "$out" ''
	await_heard 'STATUS=2 messages'
	expect_end
	await_heard STOPPING=1
	[ -S s ] || fail "the supervisor's file is gone"
}

# Clients choose their address by the owner of the file: see activated.socket.
a_service_answers_whoever_owns_the_file()
{
	need_stranger "$activated"
	need systemd-socket-activate
	NOTIFY_SOCKET=
	chmod 700 "$XDG_RUNTIME_DIR"
	chmod 1777 "$TMPDIR"
	start_and_see service 'Listening on' systemd-socket-activate -d \
		-E LD_LIBRARY_PATH -E ASAN_OPTIONS \
		-E UBSAN_OPTIONS -l "$here/s" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$activated"
	chown 65534 s
	run "$gram_echo" "$here/s" hello
	expect_text "$out" hello
	chown 0 s
	run "$gram_echo" "$here/s" hello
	expect_text "$out" hello
}

another_network_is_refused()
{
	start_hearing "$here/notify"
	activate -l "$here/s"
	run "$stream_echo" -W 0.1 "$here/s" ''
	finish service
	expect_status 1
	expect_match "$logs/service.err" 'sockets that we do not serve'
	expect_empty "$logs/hear.out"
}

names_that_do_not_fit_are_refused()
{
	NOTIFY_SOCKET=
	activate -d -l "$here/s"
	run "$gram_echo" "$here/s" hello
	expect_text "$out" hello
	expect_end
	start_and_see service 'Listening on' systemd-socket-activate \
		-d -l "$here/t" env LISTEN_FDNAMES=a:b "$activated"
	run "$gram_echo" -W 0.1 "$here/t" hello
	finish service
	expect_status 1
	expect_match "$logs/service.err" 'Protocol error'
}

# As the main process of a service that its supervisor watches.
the_watchdog_hears_of_a_service()
{
	start_hearing "$here/notify"
	WATCHDOG_USEC=40000
	export WATCHDOG_USEC
	start service "$activated"
	has_heard_thrice()
	{
		[ "$(grep -c -x WATCHDOG=1 "$logs/hear.out")" -ge 3 ]
	}
	await_true has_heard_thrice
	expect_end
	await_heard STOPPING=1
}

by_hand_it_opens_its_own_sockets()
{
	start_hearing "$here/notify"
	start service "$activated"
	await_heard READY=1
	run "$gram_echo" gram.sock hello
	expect_text "$out" hello
	run "$packet_echo" packet.sock hello
	expect_text "$out" hello
	expect_end
	expect_match "$logs/service.err" '0 sockets of the supervisor'
	expect_gone gram.sock
	expect_gone packet.sock
}

# A notify socket without anybody behind it is worth a line, not the service.
it_serves_without_anybody_to_tell()
{
	NOTIFY_SOCKET=$here/nobody
	export NOTIFY_SOCKET
	activate -d -l "$here/s"
	run "$gram_echo" "$here/s" hello
	expect_text "$out" hello
	expect_end
	expect_match "$logs/service.err" 'supervisor: No such file'
}

# What systemd's own sender puts on the wire for the same news.
it_sounds_like_systemd_notify()
{
	need systemd-notify
	start_hearing "$here/notify"
	run_well systemd-notify READY=1
	run systemd-notify 'STATUS=1 messages'
	await_heard 'STATUS=1 messages'
	grep -v -x BARRIER=1 "$logs/hear.out" >theirs
	end hear KILL
	rm notify
	start_hearing "$here/notify"
	activate -d -l "$here/s"
	run "$gram_echo" "$here/s" hello
	await_heard 'STATUS=1 messages'
	expect_same theirs "$logs/hear.out"
	expect_end
}

the_units_are_right()
{
	need systemd-analyze
	cp "$units"/activated.* .
	sed -i "s|^ExecStart=.*|ExecStart=$(command -v true)|" activated.service
	run systemd-analyze verify ./activated.socket ./activated.service
	# Of these units; the machine's own may be at fault as well.
	if grep 'activated\.' "$err" >&3; then
		fail 'systemd-analyze complains'
	fi
	expect_status 0 "$(head -n 1 "$err")"
	# It does find faults.
	echo NoSuchSetting=1 >>activated.socket
	run systemd-analyze verify ./activated.socket ./activated.service
	expect_match "$err" NoSuchSetting
}

for name in a_datagram_socket_is_taken \
	a_listener_is_taken \
	a_service_answers_whoever_owns_the_file \
	another_network_is_refused \
	names_that_do_not_fit_are_refused \
	the_watchdog_hears_of_a_service \
	by_hand_it_opens_its_own_sockets \
	it_serves_without_anybody_to_tell \
	it_sounds_like_systemd_notify \
	the_units_are_right; do
	run_case "$name"
done
finish_cases
