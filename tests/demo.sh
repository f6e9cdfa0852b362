#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make demo` runs: a real file goes line by line through echo servers on
# both message networks, on a path and on an abstract name, and what comes back
# is compared with what was sent.
set -eu

file=${1-$srcdir/src/name.c}
dir=$(mktemp -d "${TMPDIR:-/tmp}/unixmsg-demo.XXXXXX")
server=

finish()
{
	status=$?
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || :
		wait "$server" 2>/dev/null || :
	fi
	rm -rf "$dir"
	exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# Starts a server and waits until it says that it listens.
start()
{
	: >"$dir/server.err"
	"$TOOLS/$1" --listen --stats "$2" >"$dir/server.out" \
		2>"$dir/server.err" &
	server=$!
	"$TOOLS/$1" --quiet --wait 10 "$2" hello >"$dir/hello"
	sed 's/^/    server says:  /' "$dir/server.err"
}

# Ends the server as an administrator would, and looks what it leaves behind.
stop()
{
	kill -TERM "$server"
	wait "$server"
	server=
	counters=$(cat "$dir/server.out")
	echo "    server ended by SIGTERM, status 0; its counters:"
	echo "      $counters" | sed 's/,/, /g' | fold -s -w 70 |
		sed '2,$s/^/      /'
}

show()
{
	tool=$1 address=$2
	echo
	echo "== $tool on $address"
	start "$tool" "$address"
	echo "    \$ $tool $address <$(basename "$file") >answers"
	"$TOOLS/$tool" "$address" <"$file" >"$dir/answers"
	cmp "$file" "$dir/answers"
	echo "    $lines lines sent as $lines messages, $empty of them empty;" \
		"$(wc -l <"$dir/answers") answers came back."
	echo "    cmp: the answers are the same $(wc -c <"$file") bytes."
	"$TOOLS/$tool" --count 2000 "$address" 2>"$dir/summary"
	sed 's/^/    /' "$dir/summary"
	stop
	if [ -e "$address" ]; then
		echo "    The socket file is still there: $address" >&2
		exit 1
	fi
}

lines=$(wc -l <"$file")
empty=$(grep -c '^$' "$file" || :)
echo "Every line of $(basename "$file") becomes a message, is echoed, and is" \
	"compared."
show unixgram-echo "$dir/gram.sock"
show unixgram-echo "@unixmsg-demo-$$"
show seqpacket-echo "$dir/packet.sock"
show seqpacket-echo "@unixmsg-demo-$$"
echo
echo "All four came back whole, in order, and the socket files are gone."
