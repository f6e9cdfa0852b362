#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tools and socat(1).

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

# What socat calls the same.
address=
family=
name=

on_path()
{
	address=$here/s
	family=UNIX
	name=$here/s
	"$@"
}

on_abstract()
{
	address=@unixmsg-test-$$-socat
	family=ABSTRACT
	name=${address#@}
	"$@"
}

has_line()
{
	grep -q -x -e "$2" "$1"
}

unixgram_echo_serves_sendto_with_bind()
{
	need socat
	start_server server "$TOOLS/unixgram-echo" --listen --stats "$address"
	hold_input
	start socat socat - "$family-SENDTO:$name,bind=$name-own" <input
	echo hello >&5
	await_true has_line "$logs/socat.out" hello
	echo 'two words' >&5
	await_true has_line "$logs/socat.out" 'two words'
	stop_server server
	expect_counter "$logs/server.out" answered 2
	expect_counter "$logs/server.out" unnamed 0
}

unixgram_echo_reports_sendto_without_bind()
{
	need socat
	start_server server "$TOOLS/unixgram-echo" --listen --max-messages 1 \
		--stats --format json "$address"
	printf hello >input
	run_well socat -u - "$family-SENDTO:$name" <input
	finish_well server
	expect_counter "$logs/server.out" unnamed 1
	expect_match "$logs/server.out" '^{"size":5,"data":"hello",'
}

unixstream_echo_serves_connect()
{
	need socat
	start_server server "$TOOLS/unixstream-echo" --listen "$address"
	seq 1 20000 >lines
	run_well socat -t "$limit" - "$family-CONNECT:$name" <lines
	expect_same lines "$out"
	stop_server server
}

seqpacket_echo_serves_connect_with_its_type()
{
	need socat
	start_server server "$TOOLS/seqpacket-echo" --listen --stats "$address"
	seq 1 20000 >lines
	run_well socat -t "$limit" -b 4096 - \
		"$family-CONNECT:$name,type=5" <lines
	expect_same lines "$out"
	stop_server server
	expect_counter "$logs/server.out" gone 0
}

unixgram_echo_talks_to_recvfrom()
{
	need socat
	start server socat "$family-RECVFROM:$name" PIPE
	run_well "$TOOLS/unixgram-echo" --wait "$limit" "$address" hello
	expect_text "$out" hello
	finish server
}

unixgram_echo_sends_to_recv()
{
	need socat
	start server socat -u "$family-RECV:$name" -
	run "$TOOLS/unixgram-echo" --wait "$limit" --timeout 0.2 "$address" hi
	expect_status 1
	expect_match "$err" 'no answer'
	await_true grep -q hi "$logs/server.out"
}

unixstream_echo_talks_to_listen()
{
	need socat
	start server socat "$family-LISTEN:$name" PIPE
	run_well "$TOOLS/unixstream-echo" --wait "$limit" -c 50 -s 1000 \
		"$address"
	expect_match "$err" ' 50 received, 0 lost, 0 altered'
	finish_well server
}

seqpacket_echo_talks_to_listen_with_its_type()
{
	need socat
	start server socat "$family-LISTEN:$name,type=5" PIPE
	run_well "$TOOLS/seqpacket-echo" --wait "$limit" -c 50 -s 1000 \
		"$address"
	expect_match "$err" ' 50 received, 0 lost, 0 altered'
	finish_well server
}

for case in unixgram_echo_serves_sendto_with_bind \
	unixgram_echo_reports_sendto_without_bind \
	unixstream_echo_serves_connect \
	seqpacket_echo_serves_connect_with_its_type \
	unixgram_echo_talks_to_recvfrom \
	unixgram_echo_sends_to_recv \
	unixstream_echo_talks_to_listen \
	seqpacket_echo_talks_to_listen_with_its_type; do
	run_case "$case" path on_path
	run_case "$case" 'abstract name' on_abstract
done
finish_cases
