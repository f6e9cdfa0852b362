#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixmsg-inspect: what it tells of sockets that are there, dead, or something
# else; that nobody notices; and that --clean takes away nothing but the dead.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2015
set -u

tool=unixmsg-inspect
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

command=$TOOLS/$tool
abstract=@unixmsg-test-$$-inspect

files_most=500
if $is_long && ! is_sanitized "$tool"; then
	files_most=5000
fi

inspect()
{
	run "$command" "$@"
}

# serve NAME TOOL ADDRESS [OPTION]...
serve()
{
	name=$1 server=$2 address=$3
	shift 3
	start_server "$name" "$TOOLS/$server-echo" --listen "$@" "$address"
}

# Leaves a socket file without an owner.
make_dead()
{
	serve victim unixgram "$1"
	end victim KILL
	[ -S "$1" ] || fail "the dead file $1 is not there"
}

need_python()
{
	need python3
	python3 -c 'import socket' || skip 'python3 has no sockets'
}

# What a case has in Python, on standard input; it tells by "listening on x"
# when all is set up, and then waits for its end.
start_python()
{
	need_python
	cat >"$logs/python.py"
	printf '%s\n' 'import sys, time' \
		'print("python: listening on x", file=sys.stderr, flush=True)' \
		'time.sleep(600)' >>"$logs/python.py"
	start_server python python3 "$logs/python.py" "$@"
}

# expect_line LABEL TEXT: a line of the report, white space aside. A line that
# goes on has no label.
expect_line()
{
	tr -s ' ' <"$out" >"$logs/squeezed"
	grep -q -e "^ ${1:+$1 }.*$2" "$logs/squeezed" ||
		fail "no line '$1' with '$2'"
}

get_json()
{
	python3 - "$out" "$1" <<'EOF'
import json, sys
sockets = json.load(open(sys.argv[1]))["sockets"]
print(eval(sys.argv[2], {"s": sockets, "len": len, "sorted": sorted}))
EOF
}

# expect_json EXPRESSION VALUE, s being the list of sockets.
expect_json()
{
	value=$(get_json "$1") || fail "not JSON, or no $1"
	[ "$value" = "$2" ] || fail "$1 is $value, not $2"
}

a_server_of_each_type_is_described()
{
	serve gram unixgram "$here/gram"
	serve packet seqpacket "$here/packet"
	serve stream unixstream "$here/stream"
	inspect "$here/gram"
	expect_status 0
	expect_match "$out" "^$here/gram: unixgram, bound, takes messages$"
	expect_line process "pid $(cat "$logs/gram.pid") (unixgram-echo)"
	expect_line 'may send' "user $(id -un)"
	expect_line file 'mode 0600'
	inspect "$here/packet" "$here/stream"
	expect_status 0
	expect_match "$out" "^$here/packet: unixpacket, listening$"
	expect_match "$out" "^$here/stream: unix, listening$"
	expect_line backlog '0 connections of at most'
	expect_printable "$out"
	expect_empty "$err"
}

the_mode_is_told_in_words()
{
	user=$(id -un) group=$(id -gn)
	serve gram unixgram "$here/gram"
	while read -r mode words; do
		chmod "$mode" gram
		inspect "$here/gram"
		words=$(eval "echo \"$words\"")
		expect_line 'may send' "$words\$"
	done <<'EOF'
0600 user $user
0060 group $group
0660 user $user; group $group
0222 everybody
0644 user $user
0602 everybody but group $group
0062 everybody but user $user
0002 everybody but user $user and group $group
0444 nobody but root
0000 nobody but root
EOF
}

a_closed_directory_on_the_way_is_told()
{
	mkdir -m 700 closed
	serve gram unixgram "$here/closed/gram" --mode 0666
	inspect "$here/closed/gram"
	expect_line '' "who may pass $here/closed: user $(id -un)\$"
}

an_abstract_name_is_described()
{
	serve gram unixgram "$abstract"
	serve packet seqpacket "$abstract"
	inspect "$abstract"
	expect_status 0
	expect_match "$out" "^$abstract: unixgram, bound, takes messages$"
	expect_match "$out" "^$abstract: unixpacket, listening$"
	expect_line 'may send' 'everybody in this network namespace'
	expect_line shared 'other types'
}

clients_are_named()
{
	serve packet seqpacket "$here/packet"
	hold_input
	start_and_see client connected "$TOOLS/seqpacket-echo" -v \
		"$here/packet" <input
	await_true is_connected
	expect_line peers '1 connected'
	expect_line '' "pid $(cat "$logs/client.pid") (seqpacket-echo)"
}

is_connected()
{
	inspect "$here/packet"
	grep -q 'peers *1 connected' "$out"
}

# claim ARGUMENT...: a server with the name of a relay, and this command line.
claim()
{
	start_python "$@" <<'EOF'
import socket
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind("claimed")
server.listen()
open("/proc/self/comm", "w").write("unixmsg-relay")
EOF
	inspect claimed
	expect_status 0
	rm claimed
	end python KILL
}

a_relay_is_told_with_its_service()
{
	claim --import echo there
	expect_line '' 'which says that it imports the service echo$'
	claim -n unixpacket --im=echo there
	expect_line '' 'which says that it imports the service echo$'
	claim --engine-insecure --export e_c-h0 there
	expect_line '' 'which says that it exports the service e_c-h0$'
}

# Not even an escaped one: no relay could run with it.
what_no_relay_says_is_not_told()
{
	for service in "$(printf 'a\nb')" "$(printf '\033[31m')" '' 'a b' 'a\x41' \
		123456789012345678901234567890123; do
		claim --import "$service"
		[ "$(grep -c says "$out")" -eq 0 ] || fail "$(cat "$out")"
	done
	claim --import
	[ "$(grep -c says "$out")" -eq 0 ] || fail "$(cat "$out")"
	# Its end is beyond what is read.
	claim --host "$(printf %4100d 0)" --import echo
	[ "$(grep -c says "$out")" -eq 0 ] || fail "$(cat "$out")"
}

# A client and a server that have agreed on a lane of 64 KiB.
start_lane()
{
	serve packet seqpacket "$here/packet" --lane=65536
	hold_input
	start_and_see client connected "$TOOLS/seqpacket-echo" -v \
		--lane=65536 "$here/packet" <input
	seq 64 >&5
	await_true has_lane
}

has_lane()
{
	inspect "$here/packet"
	grep -q '; lane of ' "$out"
}

memory_of_lanes_is_told()
{
	need_python
	bytes=$(($(getconf PAGESIZE) + 65536))
	start_lane
	expect_line lanes "1 connection sends by $bytes bytes of shared memory"
	expect_line '' "pid $(cat "$logs/client.pid") .*; lane of $bytes bytes"
	client=$(sed -n 's/.*, bound to \([^;]*\);.*/\1/p' "$out")
	inspect --json "$here/packet" "$client"
	for lanes in 's[0]["lanes"]' 's[0]["peers"][0]["lanes"]' \
		's[1]["lanes"]' 's[1]["peers"][0]["lanes"]'; do
		expect_json "${lanes}[\"connections\"]" 1
		expect_json "${lanes}[\"bytes\"]" "$bytes"
		expect_json "0 < ${lanes}[\"resident_bytes\"] < $bytes" True
	done
}

memory_of_lanes_is_not_told_to_another_user()
{
	need_python
	is_runnable_by_nobody
	start_lane
	as_nobody "$command" --json "$here/packet"
	expect_status 0
	expect_json 's[0]["lanes"]' None
	expect_json 's[0]["peers"][0]["lanes"]' None
}

# Connections at four names, and memory as lanes have it. At honest, 3 pages of
# 16 are in use. At readable, the process cannot write the memory; at stolen,
# another process has it; at odd, its names are wrong.
serve_claims()
{
	need_python
	python3 -c 'import os; os.memfd_create' || skip 'python3 has no memfds'
	start_python "$here" <<'EOF'
import mmap, os, socket, sys
page = mmap.PAGESIZE
kept, ends = [], []

def connect(name):
    listener, client = (socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                        for i in range(2))
    listener.bind(sys.argv[1] + "/" + name)
    listener.listen()
    client.connect(listener.getsockname())
    server = listener.accept()[0]
    ends.extend((listener, client, server))
    return os.fstat(server.fileno()).st_ino

def map_memory(name, prot=mmap.PROT_READ | mmap.PROT_WRITE):
    fd = os.memfd_create(name)
    os.truncate(fd, 16 * page)
    os.pwrite(fd, b"x" * 3 * page, 0)
    for offset in page, 0, page:
        memory = mmap.mmap(fd, 16 * page - offset, prot=prot, offset=offset)
        kept.append((memory, memory[:3 * page - offset]))

def steal(ino, told, life):
    for end in ends:
        end.close()
    ends[:] = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.close(life[1])
    map_memory("unixlane:%d" % ino)
    os.write(told, b"x")
    os.read(life[0], 1)
    os._exit(0)

map_memory("unixlane:%d" % connect("honest"))
map_memory("unixlane:%d" % connect("readable"), mmap.PROT_READ)
odd = connect("odd")
for name in "%dx", "%d (deleted)", "-%d", "%d\n", "9" * 200 + "%d", "":
    map_memory("unixlane:" + (name % odd if name else name))
stolen, told, life = connect("stolen"), os.pipe(), os.pipe()
if os.fork() == 0:
    steal(stolen, told[1], life)
os.read(told[0], 1)
EOF
}

memory_for_a_lane_counts_once()
{
	serve_claims
	page=$(getconf PAGESIZE)
	inspect --json "$here/honest"
	expect_json 's[0]["lanes"]["connections"]' 1
	expect_json 's[0]["lanes"]["bytes"]' $((16 * page))
	expect_json 's[0]["lanes"]["resident_bytes"]' $((3 * page))
	expect_json 's[0]["peers"][0]["lanes"]' None
}

nobody_makes_memory_of_others_look_like_a_lane()
{
	serve_claims
	inspect --json "$here/readable" "$here/stolen" "$here/odd"
	expect_status 0
	for i in 0 1 2; do
		expect_json "s[$i][\"connections\"]" 1
		expect_json "s[$i][\"lanes\"]" None
	done
}

everything_is_a_table_without_arguments()
{
	serve gram unixgram "$here/gram"
	serve packet seqpacket "$abstract"
	inspect
	expect_status 0
	head -n 1 "$out" >"$logs/head"
	expect_match "$logs/head" \
		'^NETWORK  *STATE  *WAITING  *UNREAD  *PEERS  *USER  *PROCESS  *ADDRESS$'
	expect_match "$out" "^unixgram .* $here/gram\$"
	expect_match "$out" "^unixpacket .* $abstract\$"
	expect_printable "$out"
}

the_columns_are_aligned_and_narrow()
{
	serve gram unixgram "$here/gram"
	serve packet seqpacket "$here/packet"
	make_dead "$here/dead"
	inspect .
	expect_status 1
	awk '{ print match($0, /[^ ]*$/) }' "$out" | sort -u >"$logs/columns"
	[ "$(wc -l <"$logs/columns")" -eq 1 ] || fail 'the addresses do not align'
	awk 'length > 100' "$out" >"$logs/wide"
	expect_empty "$logs/wide"
}

a_directory_shows_its_socket_files_and_no_others()
{
	mkdir sub
	serve gram unixgram "$here/gram"
	make_dead "$here/dead"
	serve deep unixgram "$here/sub/deep"
	: >plain
	ln -s gram link
	mkfifo fifo
	inspect .
	expect_status 1
	[ "$(wc -l <"$out")" -eq 3 ] || fail 'there are not two sockets'
	expect_match "$out" '^unixgram  *bound .* \./gram$'
	expect_match "$out" '^-  *dead .* \./dead$'
	mkdir empty
	inspect empty
	expect_status 0
	expect_match "$err" 'no socket file'
}

a_dead_file_is_told()
{
	make_dead "$here/dead"
	inspect "$here/dead"
	expect_status 1
	expect_match "$out" "^$here/dead: dead: "
}

what_is_no_socket_is_told()
{
	: >plain
	mkfifo fifo
	inspect plain fifo /dev/null
	expect_status 1
	expect_match "$out" '^plain: not a socket but a regular file$'
	expect_match "$out" '^fifo: not a socket but a fifo$'
	expect_match "$out" '^/dev/null: not a socket but a character device$'
}

nobody_is_told()
{
	inspect "$here/none" "$abstract"
	expect_status 1
	expect_match "$out" "^$here/none: nothing is there$"
	expect_match "$out" "^$abstract: nobody has bound that name"
	expect_empty "$err"
}

a_link_is_followed_and_told()
{
	serve gram unixgram "$here/gram"
	ln -s gram link
	inspect link
	expect_status 0
	expect_line file 'reached by a symbolic link'
	expect_line 'bound as' "$here/gram"
}

a_renamed_file_is_known_by_its_inode()
{
	serve gram unixgram "$here/gram"
	mv gram other
	ln other third
	inspect "$here/other" "$here/gram"
	expect_status 1
	expect_match "$out" "^$here/other: unixgram, bound"
	expect_line 'bound as' "$here/gram"
	expect_line file 'it has other names too'
	expect_match "$out" "^$here/gram: nothing is there$"
	mv other gram
}

a_replaced_file_is_not_taken_for_the_old_one()
{
	serve gram unixgram "$here/gram"
	rm gram
	make_dead "$here/gram"
	inspect "$here/gram"
	expect_status 1
	expect_match "$out" "^$here/gram: dead: "
	expect_line 'see also' "unixgram $here/gram"
	expect_match "$out" 'removed or replaced'
}

a_padded_name_is_a_near_miss()
{
	serve gram unixgram "$abstract\\x00\\x00\\x00"
	inspect "$abstract"
	expect_status 1
	expect_match "$out" 'the same name with 3 NUL bytes behind it'
	inspect "$abstract\\x00"
	expect_match "$out" 'the same name with 2 NUL bytes behind it'
	inspect "$abstract\\x00\\x00\\x00\\x00"
	expect_match "$out" 'the same name without 1 NUL byte behind it'
	inspect "$abstract\\x00\\x00\\x00"
	expect_status 0
}

a_name_padded_to_the_full_size_is_told_as_such()
{
	long=$abstract
	while [ ${#long} -lt 100 ]; do
		long=${long}x
	done
	serve gram unixgram "$long"'\x00\x00\x00\x00\x00\x00\x00\x00'
	inspect "$long"
	expect_match "$out" 'NUL bytes behind it: its owner pads names'
}

the_other_kind_of_name_is_a_near_miss()
{
	serve gram unixgram "@$here/gram"
	inspect "$here/gram"
	expect_status 1
	expect_match "$out" 'an abstract name, not a path'
}

a_cut_path_is_a_near_miss()
{
	path=$here/
	while [ ${#path} -lt 107 ]; do
		path=${path}p
	done
	serve gram unixgram "$path"
	inspect "${path}and-more"
	expect_status 1
	expect_line 'see also' "unixgram $path"
	expect_match "$out" 'the same name cut to 107 bytes'
}

a_relative_path_is_a_near_miss()
{
	mkdir elsewhere
	start_python <<'EOF'
import os, socket
os.chdir("elsewhere")
a = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
a.bind("./relative.sock")
EOF
	inspect "$here/relative.sock"
	expect_status 1
	expect_match "$out" 'bound by a relative path'
	inspect "$here/elsewhere/relative.sock"
	expect_status 0
	expect_line 'bound as' './relative.sock'
}

a_long_path_is_described()
{
	deep=$here
	while [ ${#deep} -lt 300 ]; do
		deep=$deep/directory-of-a-long-name
		mkdir "$deep"
	done
	serve packet seqpacket "$deep/packet"
	inspect "$deep/packet"
	expect_status 0
	expect_match "$out" "^$deep/packet: unixpacket, listening$"
}

what_does_not_listen_yet_is_told()
{
	start_python "$here/early" <<'EOF'
import socket, sys
a = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
a.bind(sys.argv[1])
EOF
	inspect "$here/early"
	expect_status 0
	expect_match "$out" 'unixpacket, bound, does not listen yet'
}

queues_are_told_as_far_as_the_kernel_does()
{
	start_python <<'EOF'
import socket
u = socket.AF_UNIX
l = socket.socket(u, socket.SOCK_SEQPACKET)
l.bind("packet")
l.listen(3)
c = [socket.socket(u, socket.SOCK_SEQPACKET) for i in range(3)]
for i in c:
    i.connect("packet")
a = l.accept()[0]
c[0].send(b"12345")
c[0].send(b"123")
g = socket.socket(u, socket.SOCK_DGRAM)
g.bind("gram")
s = socket.socket(u, socket.SOCK_DGRAM)
s.connect("gram")
s.send(b"1234")
s.send(b"12")
EOF
	inspect packet
	expect_line backlog '2 connections of at most 4 wait'
	expect_line unread '8 bytes in the connections it has accepted'
	expect_line peers '1 connected'
	inspect gram
	expect_match "$out" 'unixgram, bound, takes messages'
	expect_line unread 'the first message has 4 bytes; the kernel'
	expect_line peers '1 connected'
	inspect --json packet gram
	expect_json 's[0]["backlog"]' \
		"{'waiting': 2, 'limit': 4, 'charged_bytes': 0}"
	expect_json 's[0]["unread_bytes"], len(s[0]["peers"])' '(8, 3)'
	expect_json 's[1]["first_message_bytes"]' 4
}

what_waits_to_be_accepted_is_told_with_what_it_has_sent()
{
	start_python <<'EOF'
import socket
u = socket.AF_UNIX
l = socket.socket(u, socket.SOCK_STREAM)
l.bind("stream")
l.listen(1)
c = [socket.socket(u, socket.SOCK_STREAM) for i in range(2)]
for i in c:
    i.connect("stream")
c[0].send(b"12345")
EOF
	inspect stream
	expect_line backlog '2 connections of at most 2 wait'
	expect_line unread '0 bytes in the connections it has accepted'
	expect_line '' 'clients that wait are charged [1-9][0-9]* bytes'
	inspect .
	expect_match "$out" 'listening  *2/2  *0+ '
	inspect --json stream
	expect_json 's[0]["backlog"]["limit"]' 2
	expect_json 's[0]["backlog"]["charged_bytes"] >= 5' True
}

a_name_that_leads_to_its_owner_no_more_is_marked()
{
	serve gone unixgram "$here/gone"
	serve replaced unixgram "$here/replaced"
	serve in_place unixgram "$here/in-place"
	rm gone
	mv replaced other
	: >replaced
	inspect
	expect_status 0
	expect_match "$out" "^unixgram  *bound,gone  *.* $here/gone\$"
	expect_match "$out" "^unixgram  *bound,replaced  *.* $here/replaced\$"
	expect_match "$out" "^unixgram  *bound  *.* $here/in-place\$"
	inspect other
	expect_line 'bound as' "$here/replaced, which is replaced\$"
	rm replaced
	mv other replaced
	need_python
	inspect --json
	expect_json "sorted(i['path'] for i in s if i['address'] in \
('$here/gone', '$here/replaced'))" "['gone', 'in-place']"
}

quiet_shows_what_is_not_well()
{
	serve gram unixgram "$here/gram"
	make_dead "$here/dead"
	inspect -q gram
	expect_status 0
	expect_empty "$out"
	inspect -q
	expect_status 0
	expect_empty "$out"
	inspect -q gram dead
	expect_status 1
	expect_match "$out" '^dead: dead: '
	[ "$(grep -c gram "$out")" -eq 0 ] || fail 'what is well is shown'
	mkdir empty
	inspect -q . empty
	expect_status 1
	expect_match "$out" ' \./dead$'
	[ "$(grep -c -e gram -e ':$' "$out")" -eq 0 ] || fail 'more is shown'
	inspect -q --names gram
	expect_text "$out" 'unixgram gram'
}

what_is_told_of_a_padded_name_is_taken_by_all_tools()
{
	for of in unixgram seqpacket unixstream; do
		padded=$abstract-$of
		serve "$of" "$of" "$padded"'\x00\{60}'
		inspect
		shown=$(awk -v name="$padded" 'index($NF, name) == 1 {
			print $NF }' "$out")
		[ "$shown" = "$padded"'\x00\{60}' ] || fail "it is told as $shown"
		inspect --names "$shown"
		expect_status 0
		expect_match "$out" ' @.*\\x00\\{60}$'
		run "$TOOLS/$of-echo" "$shown" hello
		expect_text "$out" hello
	done
}

connections_outlive_a_listener()
{
	start_python <<'EOF'
import socket
l = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
l.bind("stream")
l.listen(1)
c = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
c.connect("stream")
a = l.accept()[0]
l.close()
EOF
	inspect stream
	expect_status 1
	expect_match "$out" '^stream: dead: '
	expect_line 'left over' '1 connection that'
}

json_is_valid_for_any_bytes_in_names()
{
	start_python "$abstract" <<'EOF'
import os, socket, sys
keep = []
def bind(name, type):
    a = socket.socket(socket.AF_UNIX, type)
    a.bind(name)
    keep.append(a)
for type in socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET:
    name = b"\0" + sys.argv[1].encode()[1:] + b"-%d-" % type
    bind(name, type)
    for first in range(0, 256, 32):
        bind(name + bytes(range(first, first + 32)), type)
bind(b"new\nline\"quote\\\x1b[2J\xff", socket.SOCK_DGRAM)
bind(b"@at", socket.SOCK_DGRAM)
EOF
	inspect --json
	expect_status 0
	expect_printable "$out"
	expect_json "len([i for i in s if i['address'].startswith('$abstract')])" \
		27
	inspect --json .
	expect_json 'sorted(i["address"] for i in s)' \
		"['./@at', './new\\\\x0aline\"quote\\\\\\\\\\\\x1b[2J\\\\xff']"
	inspect ./@at "$(get_json '[i for i in s if "new" in i["address"]][0]["address"]')"
	expect_status 0
	expect_printable "$out"
	inspect
	expect_printable "$out"
	inspect --dot
	expect_printable "$out"
	is_there dot || return 0
	dot -Tsvg -o "$logs/picture.svg" "$out" >&2 || fail 'dot refuses'
}

json_tells_all_states()
{
	need_python
	serve gram unixgram "$here/gram"
	make_dead "$here/dead"
	: >plain
	inspect --json "$here/gram" "$here/dead" plain none "$abstract"
	expect_status 1
	python3 -m json.tool <"$out" >"$logs/tool.out" || fail 'not JSON'
	expect_json '[i["state"] for i in s]' \
		"['bound', 'dead', 'not-a-socket', 'nobody', 'nobody']"
	expect_json '[i["alive"] for i in s]' \
		'[True, False, False, False, False]'
	expect_json 's[0]["processes"][0]["pid"]' "$(cat "$logs/gram.pid")"
	expect_json 's[0]["file"]["mode"]' 0600
	expect_json 's[0]["file"]["inode"]' "$(stat -c %i gram)"
	expect_json 'len(set(str(sorted(i)) for i in s))' 1
}

nothing_at_all_is_json_too()
{
	need_python
	mkdir empty
	inspect --json empty
	expect_status 0
	expect_json 's' '[]'
}

the_picture_is_one()
{
	need dot
	serve packet seqpacket "$here/packet"
	make_dead "$here/dead"
	hold_input
	start_and_see client connected "$TOOLS/seqpacket-echo" -v \
		"$here/packet" <input
	await_true is_connected
	inspect --dot "$here"
	expect_match "$out" "^p$(cat "$logs/client.pid") -> s"
	expect_match "$out" " -> p$(cat "$logs/packet.pid") "
	dot -Tsvg -o "$logs/picture.svg" "$out" >&2 || fail 'dot refuses'
	expect_match "$logs/picture.svg" "pid $(cat "$logs/packet.pid"), "
	expect_match "$logs/picture.svg" dead
	inspect --dot
	dot -Tsvg -o "$logs/picture.svg" "$out" >&2 || fail 'dot refuses'
}

nobody_notices()
{
	start_python <<'EOF'
import socket, threading
keep = []
def watch(name, type):
    a = socket.socket(socket.AF_UNIX, type)
    a.bind(name)
    keep.append(a)
    if type != socket.SOCK_DGRAM:
        a.listen(9)
    def wait():
        a.accept() if type != socket.SOCK_DGRAM else a.recv(9)
        open("noticed", "w").close()
    threading.Thread(target=wait, daemon=True).start()
watch("stream", socket.SOCK_STREAM)
watch("packet", socket.SOCK_SEQPACKET)
watch("gram", socket.SOCK_DGRAM)
EOF
	serve echo seqpacket "$here/echo" --stats -v
	for way in '' --json --dot --clean '--clean -n'; do
		# Options are split on purpose.
		# shellcheck disable=SC2086
		inspect $way . stream packet gram "$here/echo"
		expect_status 0 "$way"
	done
	inspect
	end_well echo
	grep -v -e 'listening on' -e 'stopping' -e 'leaving' "$logs/echo.err" |
		grep -i -e connect -e client >"$logs/heard" || :
	expect_empty "$logs/heard"
	expect_gone noticed
}

# Asked from a namespace that cannot see the owner, the file is still alive.
an_owner_in_another_network_namespace_is_left_alone()
{
	need_root
	need unshare
	unshare -n true 2>/dev/null || skip 'no network namespaces'
	serve gram unixgram "$here/gram"
	run_well unshare -n "$command" "$here/gram"
	expect_match "$out" 'alive, but its owner cannot be seen'
	run unshare -n "$command" --clean "$here/gram"
	expect_match "$out" 'kept: alive$'
	[ -S gram ] || fail 'a live file was removed'
}

as_nobody()
{
	need_root
	need setpriv
	chmod 755 "$here"
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

is_runnable_by_nobody()
{
	as_nobody "$command" --version
	[ "$status" -eq 0 ] || skip 'nobody cannot run the tool where it is'
}

another_user_sees_what_he_may()
{
	is_runnable_by_nobody
	serve gram unixgram "$here/gram"
	make_dead "$here/dead"
	as_nobody "$command" "$here/gram"
	expect_status 0
	expect_line process 'made by user root'
	[ "$(wc -l <"$err")" -eq 1 ] || fail 'not one line on stderr'
	expect_match "$err" 'root sees more$'
	as_nobody "$command" "$here/dead"
	expect_status 1
	expect_match "$out" 'needs the right to send'
	as_nobody "$command" --clean "$here/dead"
	expect_status 1
	[ -S dead ] || fail 'it was removed'
	chmod 666 dead
	as_nobody "$command" "$here/dead"
	expect_match "$out" "^$here/dead: dead: "
	as_nobody "$command" --clean "$here/dead"
	expect_status 1
	expect_match "$err" 'kept: Permission denied'
	mkdir -m 700 closed
	as_nobody "$command" "$here/closed/x" "$here/closed"
	expect_status 1
	expect_match "$out" 'cannot be looked at: Permission denied'
	expect_match "$err" 'closed: Permission denied'
}

clean_removes_what_is_dead()
{
	serve gram unixgram "$here/gram"
	make_dead "$here/dead"
	: >plain
	ln -s dead link
	inspect --clean "$here/gram" "$here/dead" plain "$abstract"
	expect_status 1 'nobody has the abstract name'
	expect_match "$out" "^$here/gram: kept: alive$"
	expect_match "$out" "^$here/dead: removed$"
	expect_match "$out" '^plain: kept: not a socket$'
	expect_gone dead
	[ -S gram ] && [ -e plain ] && [ -L link ] || fail 'too much has gone'
}

clean_keeps_a_link()
{
	make_dead "$here/dead"
	ln -s dead link
	inspect --clean link
	expect_status 0
	expect_match "$out" '^link: kept: a symbolic link$'
	[ -L link ] && [ -S dead ] || fail 'too much has gone'
}

clean_can_only_say_what_it_would_do()
{
	make_dead "$here/dead"
	inspect --clean --dry-run "$here"
	expect_status 0
	expect_match "$out" "^$here/dead: would be removed$"
	[ -S dead ] || fail 'it was removed'
	inspect --clean -q "$here"
	expect_status 0
	expect_empty "$out"
	expect_gone dead
}

clean_takes_relative_and_odd_names()
{
	start_python <<'EOF'
import socket
for name in b"dead", b"@dead", b"de\nad \\ \xff":
    a = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    a.bind(name)
    a.close()
EOF
	inspect --clean dead
	expect_status 0
	expect_gone dead
	inspect --clean ./@dead
	expect_status 0
	expect_gone @dead
	inspect --clean .
	expect_status 0
	expect_match "$out" ': removed$'
	[ -z "$(ls)" ] || fail 'a file is left'
}

clean_waits_for_the_lock_once()
{
	need flock
	make_dead "$here/dead"
	ln dead again
	start locker flock --no-fork . sleep 600
	await_true is_locked
	inspect --clean .
	expect_status 1
	[ "$(grep -c 'holds the lock' "$err")" -eq 2 ] || fail 'not told twice'
	[ -S dead ] && [ -S again ] || fail 'it was removed without the lock'
}

is_locked()
{
	! flock -n . true
}

clean_keeps_everything_but_the_dead()
{
	start_python "$files_most" <<'EOF'
import os, resource, socket, sys
most = int(sys.argv[1])
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
types = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET
live = []
os.mkdir("many")
def bind(name, type):
    a = socket.socket(socket.AF_UNIX, type)
    a.bind(name)
    return a
for i in range(most // 5):
    type = types[i % 3]
    open("many/regular%d" % i, "w").close()
    bind("many/dead%d" % i, type).close()
    if len(live) < hard - 100:
        live.append(bind("many/live%d" % i, type))
        if type != socket.SOCK_DGRAM and i % 2:
            live[-1].listen(1)
    os.symlink("dead%d" % i, "many/link-to-dead%d" % i)
    os.symlink("live%d" % i, "many/link-to-live%d" % i)
EOF
	ls many >"$logs/before"
	inspect --clean many
	expect_status 0
	grep -v '^dead' "$logs/before" >"$logs/wanted"
	ls -A many >"$logs/after"
	expect_same "$logs/wanted" "$logs/after"
	removed=$(grep -c ': removed$' "$out")
	[ "$removed" -eq $((files_most / 5)) ] || fail "$removed were removed"
	[ "$(grep -c ': kept: alive$' "$out")" -eq \
		"$(grep -c '^live' "$logs/wanted")" ] || fail 'not all told alive'
}

clean_and_servers_that_come_back_do_not_hurt_each_other()
{
	start cleaner sh -c "while :; do '$command' -q --clean '$here'; done"
	for round in 1 2 3 4 5 6 7 8; do
		serve victim unixgram "$here/gram"
		end victim KILL
		serve gram unixgram "$here/gram"
		inspect "$here/gram"
		expect_status 0
		"$TOOLS/unixgram-echo" "$here/gram" "hello $round" >"$out" ||
			fail 'the server cannot be reached'
		expect_text "$out" "hello $round"
		end_well gram
	done
}

wrong_usage_is_told()
{
	for arguments in --clean '--json --dot' '--dry-run x' --nothing -z \
		'--clean --json x' '--json=1'; do
		# shellcheck disable=SC2086
		inspect $arguments
		expect_complaint 2 "$arguments"
	done
}

addresses_that_are_none_are_told()
{
	for address in '' @ 'a\q' 'a\x00b' '\x4'; do
		inspect "$address"
		expect_complaint 1 "$address"
	done
}

help_and_version_are_printed()
{
	inspect --help
	expect_status 0
	expect_match "$out" '^usage: unixmsg-inspect'
	awk 'length > 80' "$out" >"$logs/wide"
	expect_empty "$logs/wide"
	inspect -V
	expect_status 0
	expect_text "$out" "unixmsg-inspect (unixmsg) ${PACKAGE_VERSION:-0.1.0}"
}

a_full_output_is_an_error()
{
	[ -c /dev/full ] || skip 'there is no /dev/full'
	status=0
	"$command" --help >/dev/full 2>"$err" || status=$?
	[ "$status" -eq 1 ] || fail "status is $status"
	serve gram unixgram "$here/gram"
	status=0
	"$command" "$here/gram" >/dev/full 2>"$err" || status=$?
	[ "$status" -eq 1 ] || fail "status is $status"
	expect_match "$err" 'standard output: No space left'
}

for case in \
	a_server_of_each_type_is_described \
	the_mode_is_told_in_words \
	a_closed_directory_on_the_way_is_told \
	an_abstract_name_is_described \
	clients_are_named \
	a_relay_is_told_with_its_service \
	what_no_relay_says_is_not_told \
	memory_of_lanes_is_told \
	memory_of_lanes_is_not_told_to_another_user \
	memory_for_a_lane_counts_once \
	nobody_makes_memory_of_others_look_like_a_lane \
	everything_is_a_table_without_arguments \
	the_columns_are_aligned_and_narrow \
	a_directory_shows_its_socket_files_and_no_others \
	a_dead_file_is_told \
	what_is_no_socket_is_told \
	nobody_is_told \
	a_link_is_followed_and_told \
	a_renamed_file_is_known_by_its_inode \
	a_replaced_file_is_not_taken_for_the_old_one \
	a_padded_name_is_a_near_miss \
	a_name_padded_to_the_full_size_is_told_as_such \
	the_other_kind_of_name_is_a_near_miss \
	a_cut_path_is_a_near_miss \
	a_relative_path_is_a_near_miss \
	a_long_path_is_described \
	what_does_not_listen_yet_is_told \
	queues_are_told_as_far_as_the_kernel_does \
	what_waits_to_be_accepted_is_told_with_what_it_has_sent \
	a_name_that_leads_to_its_owner_no_more_is_marked \
	quiet_shows_what_is_not_well \
	what_is_told_of_a_padded_name_is_taken_by_all_tools \
	connections_outlive_a_listener \
	json_is_valid_for_any_bytes_in_names \
	json_tells_all_states \
	nothing_at_all_is_json_too \
	the_picture_is_one \
	nobody_notices \
	an_owner_in_another_network_namespace_is_left_alone \
	another_user_sees_what_he_may \
	clean_removes_what_is_dead \
	clean_keeps_a_link \
	clean_can_only_say_what_it_would_do \
	clean_takes_relative_and_odd_names \
	clean_waits_for_the_lock_once \
	clean_keeps_everything_but_the_dead \
	clean_and_servers_that_come_back_do_not_hurt_each_other \
	wrong_usage_is_told \
	addresses_that_are_none_are_told \
	help_and_version_are_printed \
	a_full_output_is_an_error; do
	run_case "$case"
done

finish_cases
