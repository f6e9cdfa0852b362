#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tools and Python's socket module.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

program=$srcdir/tests/tools/interop/echo.py

# serve_python_clients TOOL KIND
serve_python_clients()
{
	need_socket_module AF_UNIX
	start_server server "$TOOLS/$1" --listen --stats "$address"
	run_well "$python" "$program" talk "$2" "$address" "$own"
	end_well server
	expect_counter "$logs/server.out" gone 0
	expect_counter "$logs/server.out" unnamed 0
	expect_counter "$logs/server.out" answered \
		"$(get_counter "$logs/server.out" received)"
	[ -z "$(ls -A)" ] || fail 'a file is left behind'
}

unixgram_echo_serves_python()
{
	serve_python_clients unixgram-echo dgram
	expect_counter "$logs/server.out" received 9
}

seqpacket_echo_serves_python()
{
	serve_python_clients seqpacket-echo seqpacket
	expect_counter "$logs/server.out" received 9
}

unixstream_echo_serves_python()
{
	serve_python_clients unixstream-echo stream
}

# use_python_server TOOL KIND
use_python_server()
{
	need_socket_module AF_UNIX
	start_server server "$python" "$program" serve "$2" "$address"
	printf 'hello\n\ntwo words\n\n' >input
	head -c 100000 /dev/zero | tr '\0' x >>input
	printf '\nend\n' >>input
	run_well "$TOOLS/$1" "$address" <input
	expect_same input "$out"
	expect_empty "$err"
	finish_well server
	expect_gone "$here/s"
}

unixgram_echo_talks_to_python()
{
	use_python_server unixgram-echo dgram
}

seqpacket_echo_talks_to_python()
{
	use_python_server seqpacket-echo seqpacket
}

unixstream_echo_talks_to_python()
{
	use_python_server unixstream-echo stream
}

a_python_sender_without_an_address_is_reported()
{
	need_socket_module AF_UNIX
	start_server server "$TOOLS/unixgram-echo" --listen -v --stats \
		--max-messages 2 "$address"
	run_well "$python" "$program" unnamed "$address"
	finish_well server
	expect_counter "$logs/server.out" received 2
	expect_counter "$logs/server.out" unnamed 2
	expect_match "$logs/server.err" 'of 5 bytes from a sender without'
	expect_match "$logs/server.err" 'of 0 bytes from a sender without'
}

a_name_padded_with_nuls_is_another_name()
{
	need_socket_module AF_UNIX
	start_server server "$python" "$program" serve dgram "$address"
	run "$TOOLS/unixgram-echo" "$address\\x00" hello
	expect_status 1
	expect_match "$err" 'nobody has that name'
	run_well "$TOOLS/unixgram-echo" "$address" end
	finish_well server
}

for name in unixgram_echo_serves_python \
	seqpacket_echo_serves_python \
	unixstream_echo_serves_python \
	unixgram_echo_talks_to_python \
	seqpacket_echo_talks_to_python \
	unixstream_echo_talks_to_python \
	a_python_sender_without_an_address_is_reported; do
	run_case "$name" path on_path
	run_case "$name" 'abstract name' on_abstract
done
run_case a_name_padded_with_nuls_is_another_name '' on_abstract
finish_cases
