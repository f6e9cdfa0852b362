#!/bin/sh
# SPDX-License-Identifier: MIT
# What the tools say to the person who has typed the command: of each mistake
# one line that tells what is wrong and, where one can know it, what to do; a
# help that fits a page; progress for those who watch; numbers for programs.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2086
. "${srcdir:?}/tests/lib.sh"
PATH=$TOOLS:$PATH
export PATH

all_tools='seqpacket-echo unixgram-echo unixstream-echo unixmsg-inspect
	unixmsg-perf'
stranger='setpriv --reuid 65534 --regid 65534 --clear-groups'
name=manners-$$

start_servers()
{
	start_server gram unixgram-echo --listen gram.sock
	start_server packet seqpacket-echo --listen packet.sock
	start_server stream unixstream-echo --listen stream.sock
	start_server name unixgram-echo --listen "@$name"
}

# A descriptor of ours must not come to stand in the place of theirs.
a_closed_standard_descriptor_is_told()
{
	start_servers
	for tool in unixgram-echo:gram seqpacket-echo:packet \
		unixstream-echo:stream; do
		address=${tool#*:}.sock
		tool=${tool%:*}
		run sh -c "$tool $address <&-"
		expect_complaint 1
		expect_match "$err" 'standard input: Bad file descriptor'
		run sh -c "$tool $address hello >&-"
		expect_complaint 1
		expect_match "$err" 'standard output: Bad file descriptor'
		run sh -c "$tool $address hello <&- 2>&-"
		expect_status 0
		expect_text "$out" hello
	done
	for tool in 'unixmsg-inspect -q' 'unixmsg-perf -q -r 1 -n 10 unix'; do
		run sh -c "$tool >&-"
		tool=${tool%% *}
		expect_complaint 1
		expect_match "$err" 'standard output: Bad file descriptor'
	done
	run sh -c 'unixgram-echo gram.sock hello >/dev/full'
	tool=unixgram-echo
	expect_complaint 1
	expect_match "$err" 'standard output: No space left on device'
}

a_server_serves_without_standard_descriptors()
{
	start server sh -c "exec seqpacket-echo -l s <&- >&- 2>&-"
	run seqpacket-echo --wait "$limit" s hello
	expect_text "$out" hello
	signal server TERM
	finish server
	expect_status 0
}

help_fits_a_page()
{
	for tool in $all_tools; do
		run "$tool" --help
		expect_status 0
		[ "$(wc -l <"$out")" -lt 40 ] || fail "$tool: too long"
		[ "$(wc -L <"$out")" -le 80 ] || fail "$tool: too wide"
		expect_match "$out" 'Exit status: 0'
	done
}

# on_terminal COMMAND: what it has said there is in the file said.
on_terminal()
{
	need script
	run script -q -e -c "$1" said
	expect_status 0 "$(cat said)"
}

progress_is_for_terminals_only()
{
	start_servers
	slow='-c 4 -i 0.5 packet.sock'
	on_terminal "seqpacket-echo $slow >answers"
	grep -q "$(printf '\rseqpacket-echo: [0-9] of 4 sent')" said ||
		fail 'no progress'
	expect_match said ' 4 sent, 4 received, 0 lost, 0 altered'
	on_terminal "seqpacket-echo -q $slow >answers"
	! grep -q ' of 4 sent' said || fail 'progress though --quiet'
	on_terminal "seqpacket-echo $slow 2>said.err"
	! grep -q ' of 4 sent' said.err || fail 'progress in a file'
	on_terminal '{ echo a; sleep 1.5; echo b; } |
		seqpacket-echo packet.sock >answers'
	expect_match said ' [12] sent, [01] received'
	on_terminal '{ echo a; sleep 1.5; echo b; } | seqpacket-echo packet.sock'
	! grep -q ' sent' said || fail 'progress among the answers'
}

# So nothing has to be switched off by NO_COLOR.
nothing_is_coloured()
{
	start_servers
	unset NO_COLOR
	for command in 'unixmsg-inspect' 'unixmsg-inspect gram.sock' \
		'unixgram-echo -v -c 2 gram.sock' 'unixgram-echo --help' \
		'unixmsg-perf -r 20 -n 2000 unix'; do
		on_terminal "TERM=xterm-256color $command"
		! grep -q "$(printf '\033')" said || fail "escapes: $command"
	done
}

# Both ways: nothing is missing, nothing is there that is not told.
stats_are_what_the_schema_says()
{
	need python3
	start_server server unixgram-echo --listen --stats s
	run unixgram-echo --stats s hello
	expect_status 0
	signal server TERM
	finish server
	grep '^{' "$out" >client.json
	cat >check.py <<-'END'
	import json, sys
	schema = json.load(open(sys.argv[1]))
	kinds = schema["$defs"]
	def check(value, rule):
	    if "$ref" in rule:
	        check(value, kinds[rule["$ref"].split("/")[-1]])
	    if "const" in rule:
	        assert value == rule["const"], value
	    if "enum" in rule:
	        assert value in rule["enum"], value
	    if rule.get("type") == "integer":
	        assert type(value) is int and value >= rule["minimum"], value
	for name in sys.argv[2:]:
	    told = json.loads(open(name).readlines()[-1])
	    rule = kinds[told["role"]]
	    assert list(told) == rule["required"], (list(told), rule["required"])
	    assert list(told) == list(rule["properties"])
	    for key, value in told.items():
	        check(value, rule["properties"][key])
	try:
	    import jsonschema
	except ImportError:
	    sys.exit()
	for name in sys.argv[2:]:
	    jsonschema.validate(json.loads(open(name).readlines()[-1]), schema)
	END
	run python3 check.py "$srcdir/src/tools/stats.schema.json" \
		client.json "$logs/server.out"
	expect_status 0 "$(cat "$err")"
}

for case in a_closed_standard_descriptor_is_told \
	a_server_serves_without_standard_descriptors \
	help_fits_a_page \
	progress_is_for_terminals_only \
	nothing_is_coloured \
	stats_are_what_the_schema_says; do
	run_case "$case"
done
finish_cases
