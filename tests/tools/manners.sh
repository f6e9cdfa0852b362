#!/bin/sh
# SPDX-License-Identifier: MIT
# What the tools say to the person who has typed the command: of each mistake
# one line that tells what is wrong and, where one can know it, what to do; help
# with one option a line; progress for those who watch; numbers for programs.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2086
. "${srcdir:?}/tests/lib.sh"
PATH=$TOOLS:$PATH
export PATH

all_tools='seqpacket-echo unixgram-echo unixstream-echo unixmsg-cat
	unixmsg-inspect unixmsg-perf unixmsg-relay unixmsg-tap'
name=manners-$$

# mistake STATUS WHAT COMMAND...: WHAT stands somewhere in the one line.
mistake()
{
	wanted_status=$1
	wanted=$2
	shift 2
	run "$@" </dev/null
	tool=$1
	[ "$tool" != setpriv ] || tool=$stranger_tool
	expect_complaint "$wanted_status" "$*"
	grep -q -F -e "$wanted" "$err" ||
		fail "$*: '$(cat "$err")' instead of '$wanted'"
}

start_servers()
{
	start_server gram unixgram-echo --listen gram.sock
	start_server packet seqpacket-echo --listen packet.sock
	start_server stream unixstream-echo --listen stream.sock
	start_server name unixgram-echo --listen "@$name"
}

mistakes_with_paths_tell_what_to_do()
{
	start_servers
	start_server dead seqpacket-echo --listen dead.sock
	end dead KILL
	: >file
	mkdir open
	chmod 777 open
	long=$(printf '%0120d' 0)
	mistake 1 'no such socket; --wait waits' seqpacket-echo none.sock a
	mistake 1 'directory does not exist' seqpacket-echo none/s a
	mistake 1 'directory does not exist' unixgram-echo --listen none/s
	mistake 1 'the last / is no directory' unixgram-echo file/s a
	mistake 1 'the last / is no directory' unixgram-echo -l file/s
	mistake 1 'nobody listens there; --wait' seqpacket-echo dead.sock a
	mistake 1 'that is no socket' seqpacket-echo file a
	mistake 1 'was left alone' seqpacket-echo --listen file
	mistake 1 'was left alone' seqpacket-echo --listen open
	# Without /proc the process cannot be told.
	[ ! -d /proc/self ] ||
		mistake 1 "in use by pid $(cat "$logs/packet.pid") (seqpacket-echo)" \
			seqpacket-echo --listen packet.sock
	mistake 1 'chmod +t' seqpacket-echo --listen open/s
	for slash in file/ packet.sock/ none/; do
		mistake 1 'ends in /' unixgram-echo --listen $slash
		mistake 1 'ends in /' unixgram-echo $slash a
	done
	mistake 1 'PrivateTmp=' seqpacket-echo "/tmp/none-$name" a
	mistake 1 'PrivateTmp=' seqpacket-echo "/tmp/none-$name/s" a
	mistake 1 'choose a shorter --bind' unixgram-echo -b "$long" gram.sock a
	mistake 1 'own address none/s: its directory does not exist' \
		unixgram-echo -b none/s gram.sock a
	mistake 1 'own address is in use' unixgram-echo -b gram.sock gram.sock a
	mistake 1 'our own address stands' unixgram-echo -b file gram.sock a
	mistake 1 'own address open/own: everybody may write' \
		unixgram-echo -b open/own gram.sock a
	mistake 1 'no socket was handed over' seqpacket-echo --inherit
}

mistakes_with_networks_and_names_tell_what_to_do()
{
	start_servers
	long=$(printf '%0120d' 0)
	mistake 1 'but unixgram: try unixgram-echo' seqpacket-echo gram.sock a
	mistake 1 'but unixpacket: try seqpacket-echo' \
		unixstream-echo packet.sock a
	mistake 1 'but unix: try unixstream-echo' unixgram-echo stream.sock a
	mistake 1 'but unixgram: try unixgram-echo' seqpacket-echo "@$name" a
	mistake 1 'unixmsg-inspect shows similar' seqpacket-echo "@$name-no" a
	mistake 1 '121 bytes; an address has room for 108' \
		unixgram-echo "@$long" a
	mistake 1 'this one is empty' unixgram-echo '' a
	mistake 1 'names no server' unixgram-echo @ a
	mistake 1 'a backslash begins' unixgram-echo 'a\q' a
}

mistakes_with_messages_tell_what_to_do()
{
	start_servers
	mistake 1 'that the socket can carry; see net.core.wmem_default' \
		seqpacket-echo -q -c 1 -s 500000 packet.sock
	mistake 1 '5 bytes is more than the 3 of --max-size' \
		seqpacket-echo --max-size 3 packet.sock hello
	mistake 1 'not a message in that format' \
		seqpacket-echo --format hex packet.sock zz
	signal gram STOP
	mistake 1 'no answer within 0.2 seconds' \
		unixgram-echo -W 0.2 gram.sock hello
	mistake 1 'a server with PrivateTmp= does not reach our own' \
		unixgram-echo -W 0.2 --bind "/tmp/own-$name" gram.sock hello
	signal gram CONT
	signal packet STOP
	mistake 1 'no answer within 0.2 seconds' \
		seqpacket-echo -W 0.2 --bind "/tmp/own-$name" packet.sock hello
	! grep -q PrivateTmp= "$err" || fail 'a connection has its answers'
	signal packet CONT
}

wrong_usage_tells_what_is_right()
{
	mistake 2 'an ADDRESS is needed; see --help' unixgram-echo
	mistake 2 'no such option; see --help' unixgram-echo --frmat text s
	mistake 2 'no such option; see --help' unixgram-echo -x s
	mistake 2 '--bind: needs a value' unixgram-echo --bind
	mistake 2 "'abc' is not a number of seconds" unixgram-echo -W abc s
	mistake 2 "'0' is not a whole number, 1 at least" unixgram-echo -c 0 s
	mistake 2 'an octal number up to 777' unixgram-echo -l -m 999 s
	mistake 2 "'nosuch' is not a known user" unixgram-echo -l -u nosuch s
	mistake 2 "'nosuch' is not a known group" unixgram-echo -l -g nosuch s
	mistake 2 'one of text, hex, json, frames, raw' unixgram-echo --format x s
	mistake 2 'one ADDRESS and nothing else' unixgram-echo -l a b
	mistake 2 '--size: goes with --count' unixgram-echo -s 10 s
	mistake 2 '--mode: goes with --listen, or' unixgram-echo --mode 600 s
	mistake 2 '--mode: goes with --listen, or' seqpacket-echo --mode 600 \
		--bind own s
	mistake 2 "@s is no file; --allow-user" unixgram-echo -l -m 666 @s
	mistake 2 "@s is no file; --allow-user" unixgram-echo -l -u 0 @s
	mistake 2 "the file is the supervisor's" unixgram-echo --inherit -m 600
	mistake 2 'makes up messages, so give none' unixgram-echo -c 1 s a
	mistake 2 'the supervisor has the ADDRESS' unixgram-echo --inherit s
	mistake 2 'needs an ADDRESS or a DIRECTORY' unixmsg-inspect --clean
	mistake 2 'only one of them' unixmsg-inspect --json --dot
	mistake 2 'not unixgram, unixpacket, unix, tcp' unixmsg-perf tpc
	mistake 2 'not one of latency, throughput, connect, fan' \
		unixmsg-perf -m x
	mistake 2 'not LABEL=ADDRESS' unixmsg-perf --server x unix
	mistake 2 'not a file ending in .svg or .png' unixmsg-perf --plot x unix
	mistake 1 'nobody serves there; start it' \
		unixmsg-perf --server "x=@$name-no" unix
}

# What another user may not do; the line names both.
mistakes_with_permissions_tell_what_to_do()
{
	need_stranger "$TOOLS/unixgram-echo"
	start_servers
	mkdir -m 700 closed
	mkdir -m 1777 shared
	start_server open seqpacket-echo --listen --mode 666 open.sock
	start_server secret seqpacket-echo --listen closed/s
	stranger_tool=seqpacket-echo
	we=$($stranger sh -c 'id -un 2>/dev/null || id -u')
	mistake 1 "user $we may not write to this socket of user root, mode" \
		$stranger seqpacket-echo "$here/packet.sock" a
	mistake 1 "user $we may not enter its directory" \
		$stranger seqpacket-echo "$here/closed/s" a
	mistake 1 "user $we may not write to the directory" \
		$stranger seqpacket-echo --listen "$here/s"
	mistake 1 "user $we may not enter the directory" \
		$stranger seqpacket-echo --listen "$here/closed/t"
	mistake 1 'only root may give the file' \
		$stranger seqpacket-echo -l -u root "$here/shared/s"
	mistake 1 'run by user root, not by the user of --server-user' \
		$stranger seqpacket-echo --server-user 65534 \
		"$here/open.sock" a
	stranger_tool=unixgram-echo
	mistake 1 "may refuse user $we: see its --allow-user" \
		$stranger unixgram-echo -W 0.3 "@$name" a
	mistake 1 'we may not write to its directory; see --bind' \
		$stranger unixgram-echo -b "$here/closed/own" "@$name" a
}

# A file system of a client's own address, and what is missing without /proc.
mistakes_with_file_systems_tell_what_to_do()
{
	need_root
	need unshare
	unshare -m true 2>/dev/null || skip 'no mount namespaces here'
	start_servers
	long=$(printf '%0120d' 0)
	mkdir full "$long"
	for options in ro nr_inodes=1; do
		run unshare -m sh -c 'mount -t tmpfs -o "$0" full full &&
			exec unixgram-echo -b full/own gram.sock a' $options
		tool=unixgram-echo
		expect_complaint 1
		expect_match "$err" 'our own address full/own: .*see --bind$'
	done
	for listen in '' --listen; do
		run unshare -m sh -c 'mount -t tmpfs none /proc &&
			exec unixgram-echo "$@"' sh $listen $long/s
		expect_complaint 1
		expect_match "$err" 'this needs /proc, which is not mounted'
	done
}

# It is found out when the answer does not come.
expect_gone_address()
{
	start_server server unixgram-echo --listen --mode 666 s.sock
	signal server STOP
	start_and_see client connected "$@" -v -W 1 --bind "$here/own" \
		"$here/s.sock" hello
	rm own
	signal server CONT
	finish client
	expect_status 1
	expect_match "$logs/client.err" "; our own address $here/own is"
}

an_own_address_that_has_gone_is_told()
{
	expect_gone_address unixgram-echo
}

unixmsg_cat_tells_of_its_own_address_too()
{
	expect_gone_address unixmsg-cat unixgram
}

# A directory service may have names of any bytes.
a_name_of_a_user_commands_no_terminal()
{
	need_stranger "$TOOLS/seqpacket-echo"
	need unshare
	unshare -m true 2>/dev/null || skip 'no mount namespaces here'
	start_server packet seqpacket-echo --listen packet.sock
	{
		grep -v -e :65534: -e :0: /etc/passwd
		printf 'a\033[31mb:x:65534:65534::/:/bin/sh\n'
		printf '%065d:x:0:0::/:/bin/sh\n' 0
	} >users
	run unshare -m sh -c 'mount --bind "$0" /etc/passwd && exec "$@"' \
		"$here/users" $stranger "$TOOLS/seqpacket-echo" \
		"$here/packet.sock" a
	tool=seqpacket-echo
	expect_complaint 1
	expect_match "$err" 'user 65534 may not write .* of user 0, mode'
}

# What cannot be known is told as the system tells it, and no cause is guessed.
no_cause_is_guessed()
{
	need_root
	need setpriv
	$stranger test -x "$TOOLS/unixgram-echo" ||
		skip 'another user cannot reach the tools'
	mkdir -m 1777 sticky
	start_server dead unixgram-echo --listen --mode 666 sticky/s
	end dead KILL
	stranger_tool=unixgram-echo
	mistake 1 'lets only user root and root remove it' \
		$stranger unixgram-echo --listen "$here/sticky/s"
	chmod 600 sticky/s
	mistake 1 'mode 0600; nobody in this network namespace is bound' \
		$stranger unixgram-echo --listen "$here/sticky/s"
	! grep -q 'owner is alive' "$err" || fail 'nobody is alive'
	mistake 1 'Operation not permitted: making the socket file' \
		unixgram-echo --listen /sys/s
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
		run_well sh -c "$tool $address hello <&- 2>&-"
		expect_text "$out" hello
	done
	for tool in 'unixmsg-inspect --names' 'unixmsg-perf -q -r 1 -n 10 unix'; do
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
	end_well server
}

help_has_one_option_a_line()
{
	for tool in $all_tools; do
		run_well "$tool" --help
		! grep -E '^ +-.*(--?[a-z]).*; +--?[a-z]' "$out" >two ||
			fail "$tool: $(cat two)"
		expect_match "$out" '^  -V, --version  '
		[ "$(wc -L <"$out")" -le 80 ] || fail "$tool: too wide"
		expect_match "$out" 'Exit status: 0'
	done
}

# on_terminal COMMAND: what it has said there is in the file said.
on_terminal()
{
	need_terminal
	run script -q -f -e -c "$1" said
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
	# However long it takes until that is there, and no longer.
	: >said
	on_terminal 'until grep -q "[0-9] sent, [0-9]* received" said; do
			echo a
			sleep 0.2
		done | seqpacket-echo packet.sock >answers'
	on_terminal '{ echo a; sleep 1.5; echo b; } | seqpacket-echo packet.sock'
	! grep -q ' sent' said || fail 'progress among the answers'
}

options_stand_behind_the_address_until_a_message_comes()
{
	start_servers
	run_well seqpacket-echo packet.sock --format hex 616263
	expect_text "$out" 616263
	expect_empty "$err"
	run_well seqpacket-echo packet.sock -- --format hex
	printf '%s\n' --format hex | expect_same - "$out"
	expect_empty "$err"
	run_well seqpacket-echo packet.sock - -5 -
	printf '%s\n' - -5 - | expect_same - "$out"
	expect_empty "$err"
	mistake 2 '-5: no such option; see --help, or write -- before' \
		seqpacket-echo packet.sock -5
	run_well unixmsg-inspect gram.sock --json
	expect_match "$out" '^{'
	run_well env POSIXLY_CORRECT=1 unixmsg-inspect gram.sock --json
	expect_match "$out" '^{'
	run_well unixmsg-perf unixgram --version
	expect_match "$out" '^unixmsg-perf '
}

a_message_that_is_an_option_is_told()
{
	start_servers
	for option in -c --count; do
		run_well seqpacket-echo packet.sock hello $option 3
		printf '%s\n' hello $option 3 | expect_same - "$out"
		expect_match "$err" "^seqpacket-echo: $option is sent as a mes"
		run seqpacket-echo -q packet.sock hello $option
		expect_empty "$err"
	done
	run_well seqpacket-echo packet.sock hello --counted -Z -
	expect_empty "$err"
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
	run_well unixgram-echo --stats s hello
	end_well server
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
	run_well python3 check.py "$srcdir/src/tools/common/stats.schema.json" \
		client.json "$logs/server.out"
}

for case in mistakes_with_paths_tell_what_to_do \
	mistakes_with_networks_and_names_tell_what_to_do \
	mistakes_with_messages_tell_what_to_do \
	mistakes_with_permissions_tell_what_to_do \
	mistakes_with_file_systems_tell_what_to_do \
	an_own_address_that_has_gone_is_told \
	unixmsg_cat_tells_of_its_own_address_too \
	a_name_of_a_user_commands_no_terminal \
	no_cause_is_guessed \
	wrong_usage_tells_what_is_right \
	a_closed_standard_descriptor_is_told \
	a_server_serves_without_standard_descriptors \
	help_has_one_option_a_line \
	progress_is_for_terminals_only \
	options_stand_behind_the_address_until_a_message_comes \
	a_message_that_is_an_option_is_told \
	nothing_is_coloured \
	stats_are_what_the_schema_says; do
	run_case "$case"
done
finish_cases
