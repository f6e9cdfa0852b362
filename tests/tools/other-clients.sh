#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clients that others have written, most of which send and leave, and read
# nothing: whatever a server answers them, nothing of theirs is lost.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"

acknowledge=${top_builddir:?is the top of the build}/tests/acknowledge
wish=

none() { wish=none; "$@"; }
first() { wish=first; "$@"; }
each() { wish=each; "$@"; }

serve() { start_server server "$acknowledge" "$wish" "$1" "$here/s"; }

# The counter of that name has that value.
expect_count()
{
	grep -q -e "[{,]\"$1\":$2[,}]" "$logs/server.out" ||
		fail "$1 is not $2: $(tail -n 1 "$logs/server.out")"
}

count_taken()
{
	grep -c 'descriptors: ' "$logs/server.out"
}

has_taken()
{
	[ "$(count_taken)" -ge "$1" ]
}

# A folder of its own in the place of /run, where our socket has the name $1.
# as_system NAME COMMAND...
as_system()
{
	private=$1
	shift
	# shellcheck disable=SC2016 # the inner shell expands them
	run unshare --mount --propagation private sh -e -c '
		mount -t tmpfs none /run
		mkdir -p "$(dirname "/run/systemd/$1")"
		ln -s "$2" "/run/systemd/$1"
		shift 2
		exec "$@"' sh "$private" "$here/s" "$@"
}

need_private_run()
{
	need_root
	need unshare
	unshare --mount --propagation private \
		mount -t tmpfs none /run 2>/dev/null ||
		skip 'no mount namespace can be had here'
}

# It asks with a connection of its own for each message, and waits for nobody.
logger_loses_nothing()
{
	need logger
	serve unixgram
	for sender in 1 2 3 4 5; do
		seq -f "sender $sender says %g" 40 >"input$sender"
		start "logger$sender" logger --socket-errors=on -d \
			-u "$here/s" <"input$sender"
	done
	for sender in 1 2 3 4 5; do
		finish "logger$sender"
		expect_status 0 "$(cat "$logs/logger$sender.err")"
		expect_empty "$logs/logger$sender.err"
	done
	stop_server server
	expect_count received 200
	[ "$(count_taken)" = 200 ] || fail "taken: $(count_taken)"
	for sender in 1 2 3 4 5; do
		grep -o "sender $sender says .*" "$logs/server.out" >taken
		expect_same "input$sender" taken
	done
}

logger_sends_large_messages()
{
	need logger
	serve unixgram
	size=60000
	head -c "$size" /dev/zero | tr '\0' x >input
	run_well logger --socket-errors=on -d -u "$here/s" --size "$size" \
		-f input
	stop_server server
	expect_count received 1
	expect_match "$logs/server.out" "^$((size / 10000))[0-9]\{4\} bytes"
}

systemd_cat_loses_nothing()
{
	need systemd-cat
	need_private_run
	serve bytes
	as_system journal/stdout systemd-cat -t tester sh -c \
		'seq -f "line %g" 2000; echo the last'
	expect_status 0 "$(cat "$err")"
	await_true grep -q '^the last$' "$logs/server.out"
	stop_server server
	grep '^line ' "$logs/server.out" >taken
	seq -f 'line %g' 2000 >wanted
	expect_same wanted taken
	expect_match "$logs/server.out" '^tester$'
}

# What it sends comes in some 25 messages, the last with the file of the core.
systemd_coredump_loses_nothing()
{
	coredump=/usr/lib/systemd/systemd-coredump
	need "$coredump"
	need_private_run
	serve unixpacket
	echo core >core
	as_system coredump "$coredump" $$ 65534 65534 11 1700000000 \
		18446744073709551615 somewhere 1 <core
	expect_status 0 "$(cat "$err")"
	expect_empty "$err"
	await_true grep -q ', 1 descriptors: ' "$logs/server.out"
	stop_server server
	for name in PID UID GID SIGNAL TIMESTAMP HOSTNAME; do
		expect_match "$logs/server.out" ": COREDUMP_$name="
	done
	expect_count received "$(count_taken)"
	expect_count fds_lost 0
}

# A runtime that only says that it has a container, and that is a process of
# ours: conmon(8) hands what it prints to the journal.
make_runtime()
{
	cat >runtime <<-'END'
		#!/bin/sh
		while [ $# -gt 0 ]; do
			[ "$1" != --pid-file ] || file=$2
			shift
		done
		(seq -f 'container %g' 50) &
		echo "$!" >"$file"
	END
	chmod 755 runtime
}

conmon_loses_nothing()
{
	need conmon
	need_private_run
	make_runtime
	mkdir bundle
	serve unixgram
	as_system journal/socket conmon --api-version 1 --sync -c 0123456789abcdef \
		-u 0123456789abcdef -n tested -r "$here/runtime" -b "$here/bundle" \
		-p "$here/pid" -l journald --socket-dir-path "$here"
	await_true grep -q 'container 50' "$logs/server.out"
	stop_server server
	grep -o 'container [0-9]*' "$logs/server.out" >taken
	seq -f 'container %g' 50 >wanted
	expect_same wanted taken
}

for wish in none first each; do
	run_case logger_loses_nothing "$wish" "$wish"
	run_case logger_sends_large_messages "$wish" "$wish"
	run_case systemd_cat_loses_nothing "$wish" "$wish"
	run_case systemd_coredump_loses_nothing "$wish" "$wish"
	run_case conmon_loses_nothing "$wish" "$wish"
done
finish_cases
