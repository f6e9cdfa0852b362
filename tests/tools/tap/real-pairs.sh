#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixmsg-tap between servers and clients that others have written: what comes
# out is the same with and without it.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
PATH=$TOOLS:$PATH:/usr/sbin:/sbin
export PATH

is_served()
{
	unixmsg-inspect -q "$1" >/dev/null 2>&1
}

# await_socket NAME: somebody is there.
await_socket()
{
	await_true is_served "$1"
}

# expect_same_with_tap SOCKET COMMAND...
expect_same_with_tap()
{
	tapped=$1
	shift
	run "$@"
	expect_status 0 "without a tap: $(cat "$err")"
	mv "$out" direct
	start_server tap unixmsg-tap --format json "$tapped"
	run "$@"
	expect_status 0 "with a tap: $(cat "$err")"
	expect_same direct "$out"
	signal tap INT
	finish_well tap
	expect_match "$logs/tap.out" '"event":"message"'
	run "$@"
	expect_status 0 "after the tap: $(cat "$err")"
	expect_same direct "$out"
}

python_multiprocessing()
{
	need python3
	cat >server.py <<-'END'
		import multiprocessing.connection
		listener = multiprocessing.connection.Listener("s",
		    family="AF_UNIX", authkey=b"secret")
		while True:
		    client = listener.accept()
		    try:
		        while True:
		            client.send(client.recv())
		    except EOFError:
		        client.close()
	END
	cat >client.py <<-'END'
		import multiprocessing.connection
		client = multiprocessing.connection.Client("s",
		    family="AF_UNIX", authkey=b"secret")
		for value in "hello", list(range(10)), b"x" * 200000:
		    client.send(value)
		    print(type(value), client.recv() == value)
	END
	start server python3 server.py
	await_socket s
	expect_same_with_tap s python3 client.py
}

# The server passes a descriptor on that it has received.
python_seqpacket_with_descriptors()
{
	need python3
	cat >server.py <<-'END'
		import array, os, socket
		listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		listener.bind("s")
		listener.listen()
		while True:
		    client = listener.accept()[0]
		    while True:
		        data, fds, _, _ = socket.recv_fds(client, 300000, 4)
		        if not data:
		            break
		        socket.send_fds(client, [data[::-1]], fds)
		        for fd in fds:
		            os.close(fd)
		    client.close()
	END
	cat >client.py <<-'END'
		import os, socket
		client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		client.connect("s")
		with open("client.py") as file:
		    for size in 1, 200000:
		        socket.send_fds(client, [b"x" * size], [file.fileno()])
		        data, fds, _, _ = socket.recv_fds(client, 300000, 4)
		        print(len(data), os.path.samestat(os.fstat(fds[0]),
		            os.fstat(file.fileno())), len(fds))
	END
	start server python3 server.py
	await_socket s
	expect_same_with_tap s python3 client.py
}

# The server answers when the client has ended its direction.
python_half_close_and_empty_messages()
{
	need python3
	cat >server.py <<-'END'
		import socket, sys
		kind = getattr(socket, sys.argv[1])
		listener = socket.socket(socket.AF_UNIX, kind)
		listener.bind("s")
		listener.listen()
		while True:
		    client = listener.accept()[0]
		    client.settimeout(20)
		    got = [client.recv(100) for _ in range(3)]
		    if kind == socket.SOCK_SEQPACKET:
		        client.send(b"")
		    client.send(repr(got).encode())
		    client.shutdown(socket.SHUT_WR)
		    client.recv(100)
		    client.close()
	END
	cat >client.py <<-'END'
		import socket, sys
		kind = getattr(socket, sys.argv[1])
		client = socket.socket(socket.AF_UNIX, kind)
		client.settimeout(20)
		client.connect("s")
		client.send(b"first")
		if kind == socket.SOCK_SEQPACKET:
		    client.send(b"")
		client.shutdown(socket.SHUT_WR)
		for _ in range(3):
		    print(client.recv(1000))
	END
	for kind in SOCK_SEQPACKET SOCK_STREAM; do
		rm -f s
		start server python3 server.py "$kind"
		await_socket s
		expect_same_with_tap s python3 client.py "$kind"
		end server TERM
	done
}

logger_and_rsyslogd()
{
	need logger
	need rsyslogd
	cat >conf <<-END
		module(load="imuxsock" SysSock.Use="off")
		template(name="bare" type="string" string="%msg%\\n")
		input(type="imuxsock" Socket="$here/s")
		action(type="omfile" file="$here/log" template="bare")
	END
	start server rsyslogd -n -f "$here/conf" -i "$here/pid"
	await_socket s
	seq 1 200 | logger -u "$here/s"
	start_server tap unixmsg-tap -w file.pcapng s
	seq 201 400 | logger -u "$here/s"
	signal tap INT
	finish_well tap
	seq 401 600 | logger -u "$here/s"
	has_all()
	{
		[ "$(grep -c . log)" -eq 600 ]
	}
	await_true has_all
	seq 1 600 >wanted
	sed 's/^ *//' log >found
	expect_same wanted found
}

chronyc_and_chronyd()
{
	need chronyc
	need chronyd
	need_root
	mkdir -m 750 place
	cat >conf <<-END
		server 127.0.0.1 offline
		port 0
		cmdport 0
		bindcmdaddress $here/place/s
		pidfile $here/pid
		user root
	END
	start server chronyd -x -d -f "$here/conf"
	await_socket place/s
	expect_same_with_tap place/s chronyc -n -h "$here/place/s" sources
}

start_wpa_supplicant()
{
	need wpa_cli
	need wpa_supplicant
	start server wpa_supplicant -g "$here/s"
	await_socket s
}

# Each wpa_cli makes a name of its own in /tmp, by its process id.
wpa_cli_and_wpa_supplicant()
{
	start_wpa_supplicant
	cat >client.sh <<-'END'
		set -e
		wpa_cli -g "$PWD/s" ping
		wpa_cli -g "$PWD/s" interface_add lo "" none
		wpa_cli -g "$PWD/s" interface
		wpa_cli -g "$PWD/s" ifname=lo status
		wpa_cli -g "$PWD/s" interface_remove lo
	END
	expect_same_with_tap s sh client.sh
	expect_match "$out" '^PONG$'
}

# Its times, its process and its user are those of whoever made the picture.
level_picture()
{
	sed -e 's/^ *//' -e 's|/run/wpa/global|s|' -e 's/^+[0-9.]*/+TIME/' \
		-e 's/ [^ ]*\[[0-9]*\]/ WHO/'
}

the_picture_of_readme_is_what_it_prints()
{
	start_wpa_supplicant
	sed -n '/# unixmsg-tap -c 2/,/^$/p' "$srcdir/README" | sed '1d;$d' |
		level_picture >wanted
	start_server tap unixmsg-tap -c 2 s
	run wpa_cli -g "$here/s" ping
	finish_well tap
	{ head -n 1 "$logs/tap.err"; cat "$logs/tap.out"
		tail -n 1 "$logs/tap.err"; } | level_picture >found
	expect_same wanted found
}

# --ready also sends a descriptor, and waits until the server has closed it.
systemd_notify()
{
	need systemd-notify
	start_server server unixmsg-cat --listen --format hex unixgram s
	NOTIFY_SOCKET=$here/s
	export NOTIFY_SOCKET
	run_well systemd-notify --ready --status=hello
	start_server tap unixmsg-tap s
	run_well systemd-notify --ready --status=hello
	signal tap INT
	finish_well tap
	expect_match "$logs/tap.out" 'READY=1.*STATUS=hello'
	expect_match "$logs/tap.out" 'BARRIER=1'
	end server TERM
	head -n 2 "$logs/server.out" >direct
	sed 1,2d "$logs/server.out" >tapped
	expect_same direct tapped
	expect_match tapped '^52454144593d31' # READY=1
}

socat_as_client_and_server()
{
	need socat
	for kind in UNIX-LISTEN:s,fork UNIX-LISTEN:s,fork,type=5; do
		rm -f s
		start server socat "$kind" SYSTEM:"tr a-z A-Z"
		await_socket s
		echo hello >question
		expect_same_with_tap s sh -c \
			"socat -t 5 - UNIX-CONNECT:s${kind#*fork} <question"
		expect_text "$out" HELLO
		end server TERM
	done
}

run_case python_multiprocessing
run_case python_seqpacket_with_descriptors
run_case python_half_close_and_empty_messages
run_case logger_and_rsyslogd
run_case chronyc_and_chronyd
run_case wpa_cli_and_wpa_supplicant
run_case the_picture_of_readme_is_what_it_prints
run_case systemd_notify
run_case socat_as_client_and_server
finish_cases
