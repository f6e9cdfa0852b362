#!/bin/sh
# SPDX-License-Identifier: MIT
# The commands in README and in the manual pages are run, and print what stands
# there. What is meant:
#
#   $ command       is run; one that ends with & is a server, and is waited for
#   # command       would be run by root: not run
#   >>> statement   is run by python3
#   other lines     are printed by the command above, on either output, in
#                   that order; any number is as good as another, ... is
#                   anything, and a line of ... any lines
#
# A display with a comment '.\" not run: WHY' before it is left out.

. "${srcdir:?}/tests/lib.sh"
PATH=$TOOLS:$PATH
export PATH

# The displays of a page, its escapes undone, an empty line between two.
list_displays()
{
	awk '
	/^\.\\" not run: / { is_left_out = 1 }
	/^\.Ed/ { if (is_in) print ""; is_in = is_left_out = 0 }
	is_in {
		if ($0 == "")
			$0 = "<empty>"
		gsub(/\\&/, ""); gsub(/\\-/, "-")
		gsub(/\\\(aq/, "\047"); gsub(/\\\(ga/, "`")
		gsub(/\\\(dq/, "\""); gsub(/\\e/, "\\")
		print
	}
	/^\.Bd -literal/ { is_in = !is_left_out }' "$1"
}

# The same of README: what is indented around a line that begins with $.
list_readme_displays()
{
	awk '/^    \$ / { is_in = 1 }
	is_in && /^[^ ]/ { print ""; is_in = 0 }
	is_in {
		sub(/^    /, "")
		print $0 == "" ? "<empty>" : $0
	}' "$srcdir/README" | awk '
	# Empty lines before the end belong to the text.
	/^<empty>$/ { empty = empty $0 "\n"; next }
	{ if ($0 != "") printf "%s", empty; empty = ""; print }'
}

# Abstract names are the machine's: two runs must not have the same.
make_names_private()
{
	sed -E -e "s/@([a-z]+)/@\\1-$$/g" -e "s/(\\\\0[a-z]+)/\\1-$$/g"
}

serve_in_background()
{
	start_server "server$started" sh -c "exec ${1%&}"
	cat "$logs/server$started.err" >printed
	started=$((started + 1))
	# For $! in the next one.
	last_pid=$pid
}

run_command()
{
	commands=$((commands + 1))
	case $1 in
	*'&')
		serve_in_background "$1"
		return
		;;
	esac
	command=$(printf '%s\n' "$1" | sed "s/\\\$!/$last_pid/g")
	status=0
	bound sh -c "$command" >printed 2>&1 </dev/null || status=$?
	[ "$status" -eq 0 ] || fail "status $status of $1: $(cat printed)"
	# It takes a moment until a killed process has gone.
	case $1 in
	'kill '*) await "$last_pid" ;;
	esac
}

# Runs the commands of the displays in the file.
run_displays()
{
	started=0 commands=0 last_pid=
	: >expected
	: >printed
	while IFS= read -r line <&8; do
		case $line in
		'$ '*)
			expect_like expected printed
			: >expected
			run_command "${line#\$ }"
			;;
		'>>>'* | '# '*)
			# To the end of this display.
			while [ -n "$line" ]; do
				IFS= read -r line <&8 || line=
			done
			;;
		'') ;;
		*) printf '%s\n' "$line" >>expected ;;
		esac
	done 8<"$1"
	expect_like expected printed
	[ "$commands" -gt 0 ] || fail 'no command'
}

run_page()
{
	list_displays "$srcdir/man/$1" | make_names_private >displays
	run_displays displays
}

commands_of_the_readme_do_what_it_says()
{
	list_readme_displays >displays
	run_displays displays
}

commands_of_unixgram_echo_1_do_what_it_says()
{
	run_page unixgram-echo.1
}

commands_of_unixmsg_inspect_1_do_what_it_says()
{
	run_page unixmsg-inspect.1
}

commands_of_unixmsg_perf_1_do_what_it_says()
{
	run_page unixmsg-perf.1
}

commands_of_unixmsg_7_do_what_it_says()
{
	run_page unixmsg.7
}

the_kernel_does_what_unixmsg_7_says()
{
	need python3
	list_displays "$srcdir/man/unixmsg.7" | make_names_private >displays
	awk '/^\$ / { is_out = 1 } /^$/ { is_out = 0 } !is_out' displays >facts
	expect_match facts '^>>> libc.recvmmsg'
	# Others say it too, but only for this kernel and C library.
	run python3 -m doctest facts
	[ "$status" -eq 0 ] || fail "$(head -n 30 "$out")"
}

# With the declarations that it leaves to the reader.
code_of_the_readme_compiles()
{
	{
		echo '#include <unixmsg.h>'
		echo 'int main(void) {'
		echo 'char data[9]; size_t size;'
		sed -n '/^    #include <unixmsg.h>/,/_close/p' "$srcdir/README" |
			sed 1d
		echo 'return got; }'
	} >readme.c
	expect_match readme.c unixpacket_dial
	run ${CC:-cc} -std=gnu11 -Wall -Werror -I"$srcdir/src" -fsyntax-only \
		readme.c
	[ "$status" -eq 0 ] || fail "$(cat "$err")"
}

run_case commands_of_the_readme_do_what_it_says
run_case code_of_the_readme_compiles
run_case commands_of_unixgram_echo_1_do_what_it_says
run_case commands_of_unixmsg_inspect_1_do_what_it_says
run_case commands_of_unixmsg_perf_1_do_what_it_says
run_case commands_of_unixmsg_7_do_what_it_says
run_case the_kernel_does_what_unixmsg_7_says
finish_cases
