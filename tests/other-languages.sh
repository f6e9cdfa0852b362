#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The examples of other languages talk to our echo tools.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

examples=$srcdir/examples/other-languages
client=

use_python()
{
	need_socket_module SO_PASSCRED
	client="$python $examples/echo-client.py"
}

use_go()
{
	need_go_program
	client=$go_program
}

# What the head of each example promises.
talk()
{
	start_server server "$TOOLS/$1" --listen --stats "$address"
	run_well $client "$2" "$address" one '' three
	printf 'answer of %s bytes: %s\n' 3 one 0 '' 5 three >wanted
	expect_same wanted "$out"
	expect_empty "$err"
	end_well server
	expect_counter "$logs/server.out" answered 3
	[ "$(ls -A)" = wanted ] || fail "left behind: $(ls -A)"
}

# A server that leaves instead of answering.
see_the_end()
{
	start_server server "$TOOLS/$1" --listen --max-messages 1 "$address"
	run $client "$2" "$address" one two
	expect_status 1
	expect_text "$out" 'answer of 3 bytes: one'
	expect_match "$err" '^echo-client: '
	finish server
}

python_talks_to_unixgram_echo() { use_python; talk unixgram-echo unixgram; }
python_talks_to_seqpacket_echo() { use_python; talk seqpacket-echo unixpacket; }
python_talks_to_unixstream_echo() { use_python; talk unixstream-echo unix; }
python_sees_the_end() { use_python; see_the_end seqpacket-echo unixpacket; }
go_talks_to_unixgram_echo() { use_go; talk unixgram-echo unixgram; }
go_talks_to_seqpacket_echo() { use_go; talk seqpacket-echo unixpacket; }
go_talks_to_unixstream_echo() { use_go; talk unixstream-echo unix; }
go_sees_the_end() { use_go; see_the_end seqpacket-echo unixpacket; }

build_go "$examples/echo-client.go"
for language in python go; do
	for tool in unixgram_echo seqpacket_echo unixstream_echo; do
		run_case "${language}_talks_to_$tool" path on_path
		run_case "${language}_talks_to_$tool" 'abstract name' on_abstract
	done
	run_case "${language}_sees_the_end" '' on_path
done
finish_cases
