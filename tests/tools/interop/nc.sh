#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tools and OpenBSD's nc(1), which knows streams and datagrams on paths,
# and seqpacket not at all.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

need_nc()
{
	need nc
	nc -h 2>&1 | grep -q '^OpenBSD netcat' || skip 'nc is not that of OpenBSD'
	address=$here/s
}

unixstream_echo_serves_nc()
{
	need_nc
	start_server server "$TOOLS/unixstream-echo" --listen "$address"
	seq 1 20000 >lines
	run_well nc -N -U "$address" <lines
	expect_same lines "$out"
	stop_server server
}

unixgram_echo_serves_nc()
{
	need_nc
	start_server server "$TOOLS/unixgram-echo" --listen --stats "$address"
	hold_input
	start nc nc -uU -s "$here/own" "$address" <input
	echo hello >&5
	await_true grep -q '^hello$' "$logs/nc.out"
	echo 'two words' >&5
	await_true grep -q '^two words$' "$logs/nc.out"
	stop_server server
	expect_counter "$logs/server.out" answered 2
	expect_counter "$logs/server.out" unnamed 0
}

seqpacket_echo_is_another_kind_for_nc()
{
	need_nc
	start_server server "$TOOLS/seqpacket-echo" --listen "$address"
	run nc -N -U "$address"
	expect_status 1
	run_well "$TOOLS/seqpacket-echo" "$address" hello
	expect_text "$out" hello
	stop_server server
}

# nc echoes nothing: what it has received is given back through its input.
has_size()
{
	[ "$(wc -c <"$1")" -eq "$2" ]
}

unixstream_echo_talks_to_nc()
{
	need_nc
	hold_input
	start server nc -lU "$address" <input
	start client "$TOOLS/unixstream-echo" --wait "$limit" -W "$limit" \
		"$address" hello
	await_true has_size "$logs/server.out" 9
	printf '\000\000\000\005hello' >wanted
	expect_same wanted "$logs/server.out"
	cat wanted >&5
	finish_well client
	expect_text "$logs/client.out" hello
}

unixgram_echo_talks_to_nc()
{
	need_nc
	hold_input
	start server nc -luU "$address" <input
	start client "$TOOLS/unixgram-echo" --wait "$limit" -W "$limit" \
		"$address" hello
	await_true has_size "$logs/server.out" 5
	printf hello >&5
	finish_well client
	expect_text "$logs/client.out" hello
}

for case in unixstream_echo_serves_nc \
	unixgram_echo_serves_nc \
	seqpacket_echo_is_another_kind_for_nc \
	unixstream_echo_talks_to_nc \
	unixgram_echo_talks_to_nc; do
	run_case "$case"
done
finish_cases
