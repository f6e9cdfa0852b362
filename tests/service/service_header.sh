#!/bin/sh
# The server that stands in the comment of unixmsg/service.h serves. It is
# built as it stands there: see header_server in local.mk.

. "$srcdir/tests/lib.sh"

the_server_of_the_header_serves()
{
	start server "$top_builddir/tests/header_server"
	run "$TOOLS/seqpacket-echo" --wait 20 ./echo.sock hello '' world
	[ "$status" -eq 0 ] || fail "$(cat "$err")"
	printf 'hello\n\nworld\n' | cmp - "$out" || fail "$(cat "$out")"
}

run_case the_server_of_the_header_serves
finish_cases
