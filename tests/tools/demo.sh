#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make demo` runs. A real file goes line by line through echo servers on
# both message networks, on a path and on an abstract name, and what comes back
# is compared with what was sent. Then a server is killed, and another one
# started in its place. The good news comes first, so all is run before it.
set -eu

file=${1-$srcdir/src/name/name.c}
dir=$(mktemp -d "${TMPDIR:-/tmp}/unixmsg-demo.XXXXXX")
server='' what='begin'

finish()
{
	status=$?
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || :
		wait "$server" 2>/dev/null || :
	fi
	rm -rf "$dir"
	if [ "$status" -ne 0 ]; then
		printf 'demo: FAILED: %s\n' "$what" >&2
	fi
	exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

fail()
{
	what=$1
	exit 1
}

# Starts a server, and waits until it answers.
start()
{
	# A shell that is killed may have told only half of what it lacks.
	[ -x "$TOOLS/$1" ] || fail "there is no $TOOLS/$1"
	what="start $1 --listen $2"
	"$TOOLS/$1" --quiet --listen --stats "$2" >"$dir/counters" &
	server=$!
	"$TOOLS/$1" --quiet --wait 10 "$2" hello >"$dir/hello"
}

# Ends the server as an administrator would, and looks what it leaves behind.
stop()
{
	what="end the server on $1 by SIGTERM"
	kill -TERM "$server"
	wait "$server"
	server=
	[ ! -e "$1" ] || fail "the socket file is still there: $1"
}

# The lines of the file, and then messages that the client makes up.
ask()
{
	what="send the lines of a file to $1 on $2"
	"$TOOLS/$1" "$2" <"$file" >"$dir/answers"
	what="compare the answers of $1 on $2"
	cmp "$file" "$dir/answers"
	what="measure $1 on $2"
	"$TOOLS/$1" --count 1000 "$2" 2>"$dir/summary"
}

# tool: N sent, N received, N lost, N altered, and the line of the times.
put_row()
{
	awk -v network="$1" -v address="$2" -v lines="$lines" '
		/ sent, / { sent = $2; lost = $6; altered = $8 }
		/ median / { median = $7; sub(/,/, "", median) }
		END {
			printf "  %-11s %-14s %8d %5d %8d %8s us\n", network,
				address, lines + sent, lost, altered, median
		}' "$dir/summary" >>"$dir/rows"
}

# NETWORK TOOL KIND ADDRESS
try()
{
	start "$2" "$4"
	ask "$2" "$4"
	put_row "$1" "$3"
	stop "$4"
}

try_killed()
{
	start seqpacket-echo "$1"
	what='kill a server'
	kill -KILL "$server"
	# The shell would say that it was killed.
	{ wait "$server" || :; } 2>/dev/null
	server=
	[ -S "$1" ] || fail 'a killed server has no file'
	start seqpacket-echo "$1"
	stop "$1"
}

# Those that are not zero, "name":number in one object.
list_counters()
{
	tr -s '{,}' '[\n*]' <"$dir/counters" |
		sed -n 's/^"\([a-z_]*\)":\([1-9][0-9]*\)$/\1 \2/p' |
		paste -s -d , | sed 's/,/, /g' |
		fold -s -w 72 | sed 's/^/  /; s/ $//'
}

report()
{
	cat <<-END
	unixmsg works here. Four servers sent back every message unchanged:

	  network     address        messages  lost  altered  round trip
	$(cat "$dir/rows")

	The round trip is the median. $lines of the messages were the lines of
	${file##*/}, $empty of them empty; cmp(1) finds no difference in the answers.
	After SIGTERM each server left with status 0 and removed its socket file.
	After kill -9 a server left its file behind, and the next one replaced it.
	What the last of the four servers counted, without zeros:
	$(cat "$dir/shown")
	END
}

lines=$(wc -l <"$file")
empty=$(grep -c '^$' "$file" || :)
try unixgram unixgram-echo path "$dir/gram.sock"
try unixgram unixgram-echo 'abstract name' "@unixmsg-demo-$$"
try unixpacket seqpacket-echo path "$dir/packet.sock"
try unixpacket seqpacket-echo 'abstract name' "@unixmsg-demo-$$"
list_counters >"$dir/shown"
[ -s "$dir/shown" ] || fail 'read the counters'
try_killed "$dir/killed.sock"
report
