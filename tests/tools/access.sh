#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Who may talk to a server, and to whom a client talks: by the credentials that
# the kernel vouches for.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

tool=
address=

# Runs a case for each tool, on an abstract name.
for_each_tool()
{
	for tool in unixgram-echo seqpacket-echo unixstream-echo; do
		address=@unixmsg-test-$$-access-$tool
		run_case "$1" "$tool"
	done
}

serve()
{
	start_server server "$TOOLS/$tool" --listen --stats -v "$@" "$address"
}

expect_answer()
{
	run_well "$@" -W 10 "$address" hello
	expect_text "$out" hello
}

# A connection is closed, a datagram stays without an answer.
expect_refusal()
{
	run "$@" -W 0.5 "$address" hello
	expect_status 1
	expect_empty "$out"
}

# What refuses is the server: the client's own doing is to have come.
expect_logged()
{
	expect_match "$logs/server.err" "user $1, pid [0-9]*: .*refused"
}

an_abstract_name_is_for_our_own_user_and_root()
{
	need_stranger "$TOOLS/$tool"
	serve
	expect_refusal $stranger "$TOOLS/$tool"
	expect_answer "$TOOLS/$tool"
	stop_server server
	expect_logged 65534
}

root_may_talk_to_a_stranger()
{
	need_stranger "$TOOLS/$tool"
	start_server server $stranger "$TOOLS/$tool" --listen "$address"
	expect_answer "$TOOLS/$tool"
	expect_answer $stranger "$TOOLS/$tool"
	stop_server server
}

anyone_may_be_allowed()
{
	need_stranger "$TOOLS/$tool"
	serve --allow-anyone
	expect_answer $stranger "$TOOLS/$tool"
	stop_server server
}

a_user_may_be_allowed_and_then_no_other()
{
	need_stranger "$TOOLS/$tool"
	serve --allow-user 65534 --allow-user 12345
	expect_answer $stranger "$TOOLS/$tool"
	expect_refusal "$TOOLS/$tool"
	stop_server server
	expect_logged 0
}

a_group_may_be_allowed()
{
	need_stranger "$TOOLS/$tool"
	serve --allow-group 65534
	expect_answer $stranger "$TOOLS/$tool"
	expect_refusal "$TOOLS/$tool"
	stop_server server
}

# Of a datagram the kernel tells the first group only.
a_supplementary_group_counts_for_connections()
{
	need_stranger "$TOOLS/$tool"
	serve --allow-group 4711
	expect_answer setpriv --reuid 65534 --regid 65534 --groups 4711 \
		"$TOOLS/$tool"
	expect_refusal $stranger "$TOOLS/$tool"
	stop_server server
}

a_path_is_for_whom_its_mode_lets_in()
{
	need_stranger "$TOOLS/$tool"
	address=$here/s
	serve --mode 0666
	chmod 711 "$here"
	expect_answer $stranger "$TOOLS/$tool"
	stop_server server
}

a_path_may_be_for_some_users_only()
{
	need_stranger "$TOOLS/$tool"
	address=$here/s
	serve --mode 0666 --allow-user 0
	chmod 711 "$here"
	expect_refusal $stranger "$TOOLS/$tool"
	expect_answer "$TOOLS/$tool"
	stop_server server
	expect_logged 65534
}

a_server_of_the_right_user_is_taken()
{
	serve
	expect_answer "$TOOLS/$tool" --server-user "$(id -u)"
	expect_answer "$TOOLS/$tool" --server-user "$(id -un)"
	stop_server server
}

a_server_of_another_user_is_refused()
{
	need_stranger "$TOOLS/$tool"
	start_server server $stranger "$TOOLS/$tool" --listen --allow-anyone \
		"$address"
	run "$TOOLS/$tool" --server-user 0 "$address" hello
	expect_status 1
	expect_empty "$out"
	expect_match "$err" 'user of --server-user'
	stop_server server
}

json_tells_who_has_written()
{
	serve --format json
	expect_answer "$TOOLS/$tool"
	stop_server server
	expect_match "$logs/server.out" \
		"\"data\":\"hello\",.*\"uid\":$(id -u),\"pid\":[0-9]"
}

json_tells_how_many_descriptors_came()
{
	need python3
	address=$here/s
	serve --format json
	run python3 -c '
import array, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.sendmsg([b"with"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                       array.array("i", [0, 1, 2]))])
assert s.recv(100) == b"with"
' "$address"
	expect_status 0 "$(cat "$err")"
	stop_server server
	expect_match "$logs/server.out" '"data":"with",.*"fds":3}'
}

for name in an_abstract_name_is_for_our_own_user_and_root \
	root_may_talk_to_a_stranger \
	anyone_may_be_allowed \
	a_user_may_be_allowed_and_then_no_other \
	a_group_may_be_allowed \
	a_path_is_for_whom_its_mode_lets_in \
	a_path_may_be_for_some_users_only \
	a_server_of_the_right_user_is_taken \
	a_server_of_another_user_is_refused; do
	for_each_tool "$name"
done
for tool in seqpacket-echo unixstream-echo; do
	address=@unixmsg-test-$$-access-$tool
	run_case a_supplementary_group_counts_for_connections "$tool"
done
for tool in unixgram-echo seqpacket-echo; do
	address=@unixmsg-test-$$-access-$tool
	run_case json_tells_who_has_written "$tool"
done
tool=seqpacket-echo
run_case json_tells_how_many_descriptors_came
finish_cases
