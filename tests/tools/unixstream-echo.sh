#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixstream-echo: what all echo tools do, and what only streams have.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

tool=unixstream-echo
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
# shellcheck source=tests/tools/echo_cases.sh
. "$srcdir/tests/tools/echo_cases.sh"

messages_of_many_megabytes_come_back()
{
	serve
	run_well "$command" --count 3 --size 10000000 -W 60 "$address"
	expect_match "$err" ' 3 received, 0 lost, 0 altered'
	stop_server server
}

only_packets_have_lanes()
{
	expect_refusal 2 --lane "$address"
	expect_refusal 2 --listen --lane "$address"
}

run_echo_cases
run_twice only_packets_have_lanes
run_connection_cases
run_twice messages_of_many_megabytes_come_back
finish_cases
