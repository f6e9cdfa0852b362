#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixmsg-perf: every option, through the shell. What it measures is nobody's
# to expect; that all is there, adds up, and leaves nothing behind, is.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2015
set -u

tool=unixmsg-perf
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

command=$TOOLS/$tool
quick="--count 20 --rounds 3 --warm-up 1"

perf()
{
	# Several words on purpose.
	# shellcheck disable=SC2086
	run "$command" $quick "$@"
}

expect_refusal()
{
	run "$command" "$@"
	expect_complaint 2 "$*"
}

# get_json EXPRESSION: d is the document, r its results.
get_json()
{
	python3 - "$out" "$1" <<'PYTHON'
import json, sys
d = json.load(open(sys.argv[1]))
print(eval(sys.argv[2], {"d": d, "r": d["results"]}))
PYTHON
}

expect_json()
{
	value=$(get_json "$1") || fail "not JSON, or no $1"
	[ "$value" = "$2" ] || fail "$1 is $value, not $2"
}

all_networks_are_measured()
{
	perf
	expect_status 0
	for network in unixgram unixpacket unix; do
		expect_match "$out" "^$network  *unixmsg  *[0-9.]* .*\.\."
	done
	expect_match "$out" '^tcp  *plain '
	expect_match "$out" '^udp  *plain '
	expect_match "$out" 'TO TCP'
	expect_empty "$err"
	expect_printable "$out"
}

those_that_are_named_are_measured()
{
	perf unix unixgram unix
	expect_status 0
	[ "$(wc -l <"$out")" -eq 4 ] || fail 'that is not two networks'
	! grep -q TCP "$out" || fail 'there is no TCP to compare with'
}

networks_have_other_names()
{
	perf dgram seqpacket
	expect_status 0
	expect_match "$out" '^unixgram  *unixmsg '
	expect_match "$out" '^unixpacket  *unixmsg '
	perf unixstream stream
	expect_status 0
	expect_match "$out" '^unix  *unixmsg '
	[ "$(wc -l <"$out")" -eq 3 ] || fail 'that is one network'
}

every_mode_has_its_table()
{
	for mode in latency throughput connect fan; do
		perf --mode "$mode" --clients 5 unixpacket
		expect_status 0
		expect_match "$out" "^$mode: .*64 bytes, 3 rounds of 20"
		expect_match "$out" '^unixpacket  *unixmsg '
	done
	expect_match "$out" ', 5 clients'
	expect_match "$out" 'TO ONE CLIENT'
}

connections_of_all_kinds_are_made()
{
	perf -m connect
	expect_status 0
	! grep -q gram "$out" || fail 'datagrams have no connections'
	expect_match "$out" '^tcp '
}

a_fan_is_of_any_connections()
{
	perf -m fan -c 3 unix tcp
	expect_status 0
	expect_match "$out" '^tcp  *plain '
}

each_size_has_a_table()
{
	perf -s 1,1k,100000 unixgram udp
	expect_status 0
	expect_match "$out" '^latency: .* 1 bytes'
	expect_match "$out" '^latency: .* 1024 bytes'
	expect_match "$out" '^latency: .* 100000 bytes'
	[ "$(grep -c '^udp' "$out")" -eq 2 ] || fail 'udp does not hold that'
	expect_match "$err" 'udp: left out: 100000 bytes'
}

large_messages_come_through()
{
	perf --size 200k,1M -m throughput -b 4 unixpacket unix tcp
	expect_status 0
	perf --size 1M unix tcp
	expect_status 0
}

# UDP loses what finds no room; what one round leaves is not for the next.
rounds_of_udp_do_not_mix()
{
	perf --mode throughput --size 64,1k,64 --count 500 --rounds 30 udp
	expect_status 0
	expect_empty "$err"
}

batches_are_told()
{
	perf --mode throughput --batch 7
	expect_status 0
	expect_match "$out" 'batches of 7'
}

the_baseline_can_be_left_out()
{
	perf --baseline none unixgram
	expect_status 0
	expect_match "$out" '^unixgram  *unixmsg  *[0-9.]* *[0-9.]*  *-  *-  *-'
	perf --baseline plain unixgram
	expect_match "$out" '\.\.'
}

spinning_is_told()
{
	perf --spin 20 unixgram unixpacket unix
	expect_status 0
	expect_match "$out" ', spin 20'
}

lanes_are_told_and_used()
{
	perf --lane unixgram unixpacket unix
	expect_status 0
	expect_match "$out" ', lanes of 65536'
	perf --lane=4096 --json unixpacket
	expect_status 0
	expect_match "$out" '"lane_bytes":4096'
}

cpus_can_be_chosen()
{
	cpu=$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//') || skip 'no taskset'
	perf --cpus "$cpu" unixgram
	expect_status 0
	expect_match "$out" "CPUs $cpu and $cpu"
	perf --cpus "$cpu,$cpu" unixgram
	expect_status 0
	run "$command" --cpus 1023 unixgram
	expect_complaint 1
}

a_server_is_measured_beside_a_plain_one()
{
	need python3
	for server in unixgram:unixgram seqpacket:unixpacket unixstream:unix; do
		network=${server#*:}
		start_server "$network" "$TOOLS/${server%:*}-echo" --listen \
			"$here/$network"
		perf --json --server "ours=$here/$network" "$network"
		expect_status 0
		expect_json '[x["service"] for x in r]' "['plain', 'ours']"
		expect_json '"ratio_to_plain" in r[1]' True
	done
}

a_server_that_is_missing_is_told()
{
	run "$command" --server "ours=$here/none" unixpacket
	expect_complaint 1
	expect_match "$err" 'unixpacket, ours=.*: nobody serves there'
}

json_is_one_document()
{
	need python3
	perf --json --size 64,1k
	expect_status 0
	expect_json 'd["mode"], d["rounds"], d["better"]' \
		"('latency', 3, 'lower')"
	expect_json 'len(r)' 16
	expect_json 'sorted({x["size"] for x in r})' '[64, 1024]'
	expect_json 'all(x["min_ns"] <= x["median_ns"] <= x["p90_ns"] <=
x["p99_ns"] <= x["p999_ns"] <= x["max_ns"] for x in r)' True
	expect_json 'all(x["ratio_to_plain"]["low"] <=
x["ratio_to_plain"]["median"] <= x["ratio_to_plain"]["high"] for x in r
if "ratio_to_plain" in x)' True
	perf --json --mode throughput
	expect_json 'd["better"], sum(x["lost"] for x in r
if x["network"] != "udp")' "('higher', 0)"
}

a_picture_is_drawn()
{
	need gnuplot
	perf --plot latency.svg
	expect_status 0
	expect_match latency.svg '</svg>'
	perf --plot both.svg --size 64,100000 unixgram udp
	expect_match both.svg '</svg>'
	perf --mode throughput --plot "it's.png" --size 64,1k
	expect_status 0
	[ "$(head -c 4 "it's.png" | tail -c 3)" = PNG ] || fail 'no PNG'
}

without_gnuplot_there_is_no_picture()
{
	mkdir bin
	status=0
	PATH=$here/bin "$command" --count 5 --rounds 2 --plot none.svg \
		unixgram >"$out" 2>"$err" || status=$?
	expect_status 1
	expect_match "$err" 'gnuplot is not installed'
	expect_gone none.svg
}

nothing_is_left_behind()
{
	list_files >"$logs/before"
	perf -m fan -c 3
	perf
	list_files >"$logs/after"
	expect_same "$logs/before" "$logs/after"
}

get_child()
{
	grep -l "^PPid:[^0-9]*$1\$" /proc/[0-9]*/status 2>/dev/null |
		sed 's|/proc/||; s|/.*||'
}

has_child()
{
	[ -n "$(get_child "$1")" ]
}

start_long()
{
	start long "$command" --rounds 100000 --count 1000 unixgram
	await_true has_child "$pid"
	child=$(get_child "$pid")
}

a_signal_ends_both_processes()
{
	start_long
	end long TERM
	expect_status 1
	expect_match "$logs/long.err" '^unixmsg-perf: interrupted$'
	[ ! -e "/proc/$child" ] || fail 'the process of the service is there'
}

the_end_of_the_service_is_told()
{
	start_long
	kill -KILL "$child"
	finish long
	expect_status 1
	expect_match "$logs/long.err" 'service was killed$'
}

the_service_ends_with_the_client()
{
	start_long
	end long KILL
	await "$child"
}

a_full_disk_is_told()
{
	[ -w /dev/full ] || skip 'no /dev/full'
	status=0
	"$command" --count 5 --rounds 2 unixgram >/dev/full 2>"$err" ||
		status=$?
	expect_status 1
	expect_match "$err" 'standard output'
}

help_and_version_are_printed()
{
	run_well "$command" --help
	for option in mode size count rounds warm-up baseline server clients \
		batch spin lane cpus json plot quiet help version; do
		expect_match "$out" "--$option"
	done
	[ "$(wc -L <"$out")" -le 80 ] || fail 'help is too wide'
	run_well "$command" -h
	run "$command" -V
	expect_match "$out" "^$tool (unixmsg) "
	run_well "$command" --version
}

wrong_usage_is_refused()
{
	expect_refusal --nothing
	expect_refusal -x
	expect_refusal --json=yes
	for option in mode size count rounds warm-up baseline server clients \
		batch spin cpus plot; do
		expect_refusal "--$option"
		expect_refusal "--$option" ''
	done
	expect_refusal --mode fast
	expect_refusal --size 0
	expect_refusal --size 1,
	expect_refusal --size 65M
	expect_refusal --size 1x
	expect_refusal --size -1
	expect_refusal --size 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1
	expect_refusal --count 0
	expect_refusal --count 1000001
	expect_refusal --count ' 1'
	expect_refusal --rounds 0
	expect_refusal --clients 0
	expect_refusal --batch 65
	expect_refusal --spin 1000001
	for value in 0 4095 5000 134217728 x; do
		expect_refusal "--lane=$value"
	done
	expect_refusal --cpus 0,
	expect_refusal --cpus 0,1,2
	expect_refusal --cpus 1024
	expect_refusal --baseline go
	expect_refusal --plot picture.gif
	expect_refusal --server label unix
	expect_refusal --server =@a unix
	expect_refusal --server a=@a
	expect_refusal --server a=@a tcp
	expect_refusal --server a=@a --mode fan unix
	expect_refusal ipx
	expect_refusal --mode connect unixgram
	expect_refusal udp --mode fan
	expect_refusal "$(printf 'bad\033[31m')"
}

run_case all_networks_are_measured
run_case those_that_are_named_are_measured
run_case networks_have_other_names
run_case every_mode_has_its_table
run_case connections_of_all_kinds_are_made
run_case a_fan_is_of_any_connections
run_case each_size_has_a_table
run_case large_messages_come_through
run_case rounds_of_udp_do_not_mix
run_case batches_are_told
run_case the_baseline_can_be_left_out
run_case spinning_is_told
run_case lanes_are_told_and_used
run_case cpus_can_be_chosen
run_case a_server_is_measured_beside_a_plain_one
run_case a_server_that_is_missing_is_told
run_case json_is_one_document
run_case a_picture_is_drawn
run_case without_gnuplot_there_is_no_picture
run_case nothing_is_left_behind
run_case a_signal_ends_both_processes
run_case the_end_of_the_service_is_told
run_case the_service_ends_with_the_client
run_case a_full_disk_is_told
run_case help_and_version_are_printed
run_case wrong_usage_is_refused
finish_cases
