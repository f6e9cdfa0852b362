#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tools and Go's package net, whose names for the three networks we share.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

# serve_go_clients TOOL NETWORK
serve_go_clients()
{
	need_go_program
	start_server server "$TOOLS/$1" --listen --stats "$address"
	run_well "$go_program" talk "$2" "$address" "$own"
	end_well server
	expect_counter "$logs/server.out" answered \
		"$(get_counter "$logs/server.out" received)"
	[ -z "$(ls -A)" ] || fail 'a file is left behind'
}

unixgram_echo_serves_go()
{
	serve_go_clients unixgram-echo unixgram
	expect_counter "$logs/server.out" received 9
}

seqpacket_echo_serves_go()
{
	serve_go_clients seqpacket-echo unixpacket
	expect_counter "$logs/server.out" received 4
}

unixstream_echo_serves_go()
{
	serve_go_clients unixstream-echo unix
	expect_counter "$logs/server.out" received_bytes 1048576
}

# use_go_server TOOL NETWORK; input holds the messages.
use_go_server()
{
	need_go_program
	start_server server "$go_program" serve "$2" "$address"
	head -c 100000 /dev/zero | tr '\0' x >>input
	printf '\nend\n' >>input
	run_well "$TOOLS/$1" "$address" <input
	expect_same input "$out"
	expect_empty "$err"
	finish_well server
	expect_gone "$here/s"
}

unixgram_echo_talks_to_go()
{
	printf 'hello\n\ntwo words\n' >input
	use_go_server unixgram-echo unixgram
}

seqpacket_echo_talks_to_go()
{
	printf 'hello\ntwo words\n' >input
	use_go_server seqpacket-echo unixpacket
}

unixstream_echo_talks_to_go()
{
	printf 'hello\n\ntwo words\n' >input
	use_go_server unixstream-echo unix
}

# An empty message is the end for Go's Read, and must be none for us.
an_empty_packet_that_go_takes_for_the_end_is_told()
{
	need_go_program
	start_server server "$go_program" serve unixpacket "$address"
	run "$TOOLS/seqpacket-echo" "$address" ''
	expect_status 1
	expect_match "$err" 'closed the connection'
	finish server
}

build_go "$srcdir/tests/tools/interop/echo.go"
for case in unixgram_echo_serves_go \
	seqpacket_echo_serves_go \
	unixstream_echo_serves_go \
	unixgram_echo_talks_to_go \
	seqpacket_echo_talks_to_go \
	unixstream_echo_talks_to_go \
	an_empty_packet_that_go_takes_for_the_end_is_told; do
	run_case "$case" path on_path
	run_case "$case" 'abstract name' on_abstract
done
finish_cases
