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

# Flags are words.
# shellcheck disable=SC2013,SC2086
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

# Against the library of this build, with the flags of this build.
compile_readme_program()
{
	run "$top_builddir/libtool" --quiet --tag=CC --mode=link ${CC:-cc} \
		$CPPFLAGS $CFLAGS -Wall -Wextra -Werror -I"$srcdir/src" \
		-o "$1" "$1.c" $LDFLAGS "$top_builddir/src/libunixmsg.la"
	[ "$status" -eq 0 ] || fail "$1: $(cat "$err")"
	[ "$(wc -l <"$1.c")" -eq 10 ] || fail "$1 has not ten lines"
}

programs_of_the_readme_do_what_they_say()
{
	! grep -q __asan_init "$top_builddir/src/.libs/libunixmsg.so" ||
		skip 'the library has a sanitizer, which programs need too'
	awk -f "$srcdir/tests/readme_programs.awk" "$srcdir/README"
	for program in program1 program2 program3; do
		compile_readme_program $program
	done
	[ ! -e program4.c ] || fail 'more programs than are tried'
	run ./program1
	expect_status 1
	expect_text "$err" 'gram: No such file or directory'
	start_server gram unixgram-echo --listen gram
	run ./program1
	expect_status 0 "$(cat "$err")"
	expect_text "$out" hello
	[ -z "$(find "$XDG_RUNTIME_DIR" -type s)" ] || fail 'a file is left'
	start_server packet seqpacket-echo --listen packet
	run ./program2
	expect_status 0 "$(cat "$err")"
	expect_text "$out" '0 bytes'
	start server ./program3
	run unixstream-echo --wait "$limit" s one '' three
	expect_status 0 "$(cat "$err")"
	printf '%s\n' one '' three | expect_same - "$out"
}

# What is named there is there: files, pages, targets of make, proofs.
the_readme_names_what_is_there()
{
	readme=$srcdir/README
	[ "$(wc -l <"$readme")" -le 80 ] || fail 'longer than 80 lines'
	[ "$(wc -L <"$readme")" -le 80 ] || fail 'wider than 80 columns'
	for file in $(grep -o -w -E '(src|examples|tests)/[A-Za-z_./]+' \
		"$readme") COPYING CONTRIBUTING bootstrap; do
		case $file in
		tests/check_X.c) continue ;;
		esac
		[ -e "$srcdir/$file" ] || fail "no $file"
		expect_match "$readme" "$file"
	done
	for page in $(grep -o -E '[a-z]+\([1-7]\)' "$readme"); do
		page=${page%)}
		page=${page%(*}.${page#*(}
		[ -e "$srcdir/man/$page" ] ||
			[ -e "$top_builddir/man/$page" ] || fail "no $page"
	done
	for target in $(grep -o -E 'make [a-z]+' "$readme" | cut -d' ' -f2); do
		expect_match "$top_builddir/Makefile" "^$target:"
	done
	expect_match "$srcdir/bootstrap" '--install-deps'
	sed -n '/^  .*libqb/,/^$/{//d;s/.* //p;}' "$readme" >proofs
	[ "$(wc -l <proofs)" -eq 10 ] || fail "ten rows: $(cat proofs)"
	while read -r proof; do
		[ "$proof" = no ] || [ -e "$srcdir/tests/check_$proof.c" ] ||
			fail "no check_$proof.c"
	done <proofs
	count=$(find "$srcdir/examples" -name '[0-9]*.c' | wc -l)
	expect_match "$readme" "examples/README, $count programs"
}

# All is well before a word of it, zeros are left out, and a failure is told.
the_demo_tells_in_a_few_lines_that_all_came_back()
{
	run sh "$srcdir/tests/demo.sh"
	expect_status 0 "$(cat "$err")"
	expect_empty "$err"
	head -n 1 "$out" >first
	expect_match first 'Four servers sent back every message unchanged'
	[ "$(wc -l <"$out")" -le 20 ] || fail 'more than 20 lines'
	expect_match "$out" ' received [1-9][0-9]*, '
	! grep -E '[a-z_]+ 0(,|$)' "$out" || fail 'a counter that is zero'
}

# A file whose name and lines would do harm if they were run.
the_demo_runs_nothing_that_stands_in_its_file()
{
	# shellcheck disable=SC2016
	name='$(touch ran)`touch ran`;touch ran'
	# shellcheck disable=SC2016
	printf '%s\n' '$(touch ran)' '`touch ran`' '\c' '%s%n' >"$name"
	run sh "$srcdir/tests/demo.sh" "$name"
	expect_status 0 "$(cat "$err")"
	expect_gone ran
	grep -q -F -e "$name, 0 of them empty" "$out" || fail "$(cat "$out")"
}

the_demo_tells_what_has_failed()
{
	mkdir broken
	for tool in unixgram-echo seqpacket-echo; do
		ln -s "$TOOLS/$tool" broken/
	done
	rm broken/seqpacket-echo
	run env TOOLS="$here/broken" sh "$srcdir/tests/demo.sh"
	expect_status 127
	expect_match "$err" '^demo: FAILED: start seqpacket-echo --listen '
	! grep -q 'works here' "$out" || fail 'it says that it works'
}

run_case commands_of_the_readme_do_what_it_says
run_case programs_of_the_readme_do_what_they_say
run_case the_readme_names_what_is_there
run_case the_demo_tells_in_a_few_lines_that_all_came_back
run_case the_demo_runs_nothing_that_stands_in_its_file
run_case the_demo_tells_what_has_failed
run_case commands_of_unixgram_echo_1_do_what_it_says
run_case commands_of_unixmsg_inspect_1_do_what_it_says
run_case commands_of_unixmsg_perf_1_do_what_it_says
run_case commands_of_unixmsg_7_do_what_it_says
run_case the_kernel_does_what_unixmsg_7_says
finish_cases
