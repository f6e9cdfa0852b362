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

commands_of_unixmsg_cat_1_do_what_it_says()
{
	run_page unixmsg-cat.1
}

commands_of_unixmsg_inspect_1_do_what_it_says()
{
	run_page unixmsg-inspect.1
}

commands_of_unixmsg_perf_1_do_what_it_says()
{
	run_page unixmsg-perf.1
}

commands_of_unixmsg_tap_1_do_what_it_says()
{
	run_page unixmsg-tap.1
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
}

# The server is program1, and the client program2: once for all cases.
readme_programs=$work/readme
compile_readme_programs()
{
	! grep -q __asan_init "$top_builddir/src/.libs/libunixmsg.so" ||
		skip 'the library has a sanitizer, which programs need too'
	[ ! -x "$readme_programs/program2" ] || return 0
	mkdir -p "$readme_programs"
	cd "$readme_programs"
	awk -f "$srcdir/tests/readme_programs.awk" "$srcdir/README"
	[ ! -e program3.c ] || fail 'more programs than are tried'
	compile_readme_program program1
	compile_readme_program program2
	cd "$here"
}

start_readme_server()
{
	start_and_see "$1" 'server: listening on echo.sock' $readme_programs/program1
}

# Any number of them, an empty message too.
the_client_of_the_readme_gets_answers_from_its_server()
{
	compile_readme_programs
	start_readme_server server
	for text in hello '' 'some words'; do
		run_well $readme_programs/program2 "$text"
		expect_text "$out" "$text"
	done
	run $readme_programs/program2 "$(printf 'a\033[2J\233z')"
	expect_text "$out" 'a?[2J?z'
	run $readme_programs/program2
	expect_text "$out" hello
}

the_client_of_the_readme_tells_why_it_got_no_answer()
{
	compile_readme_programs
	run $readme_programs/program2
	expect_status 1
	expect_text "$err" 'client: echo.sock: No such file or directory'
	start_server other seqpacket-echo --listen --max-size 3 echo.sock
	run $readme_programs/program2 'too long'
	expect_status 1
	expect_text "$err" 'client: echo.sock: closed by the server'
}

the_server_of_the_readme_ends_on_a_signal_and_removes_its_file()
{
	compile_readme_programs
	for name in TERM INT; do
		start_readme_server "server-$name"
		[ -S echo.sock ] || fail 'no socket file'
		end "server-$name" "$name"
		expect_status 0 "$(cat "$logs/server-$name.err")"
		expect_gone echo.sock
	done
}

the_server_of_the_readme_leaves_a_live_one_alone()
{
	compile_readme_programs
	start_readme_server server
	run $readme_programs/program1
	expect_status 1
	expect_text "$err" 'server: echo.sock: Address already in use'
	run $readme_programs/program2
	expect_text "$out" hello
}

the_server_of_the_readme_takes_the_place_of_a_killed_one()
{
	compile_readme_programs
	start_readme_server killed
	signal killed KILL
	finish killed 2>/dev/null
	[ -S echo.sock ] || fail 'the file of a killed server is gone'
	start_readme_server next
	run_well $readme_programs/program2
}

# Whoever wants to try them takes them from there.
the_readme_has_two_commands_to_build_and_test()
{
	awk '/^## Build and test$/ { is_in = 1; next }
		/^##/ { is_in = 0 }
		is_in && sub(/^    /, "")' "$srcdir/README" >commands
	[ "$(wc -l <commands)" -eq 2 ] || fail "$(cat commands)"
	sed -n 1p commands >first
	expect_text first \
		'./bootstrap --install-deps && ./configure && make demo'
	sed -n 2p commands >second
	expect_match second '^make .*check$'
}

# What is named there is there: files, pages, targets of make, tests.
the_readme_names_what_is_there()
{
	readme=$srcdir/README
	[ "$(wc -L <"$readme")" -le 80 ] || fail 'wider than 80 columns'
	for file in $(grep -o -w -E '(src|examples|tests)/[A-Za-z_./]+' \
		"$readme" | sed 's/\.$//') COPYING CONTRIBUTING bootstrap; do
		[ -e "$srcdir/$file" ] || fail "no $file"
		expect_match "$readme" "$file"
	done
	for test in $(grep -o -E 'check_[a-z_]+\.c' "$readme"); do
		[ -e "$(echo "$srcdir"/tests/*/"$test")" ] || fail "no $test"
	done
	for page in $(grep -o -E '[a-z-]+\([1-7]\)' "$readme"); do
		page=${page%)}
		page=${page%(*}.${page#*(}
		[ -e "$srcdir/man/$page" ] ||
			[ -e "$top_builddir/man/$page" ] || fail "no $page"
	done
	for target in $(grep -o -E 'make [a-z]+' "$readme" | cut -d' ' -f2); do
		expect_match "$top_builddir/Makefile" "^$target:"
	done
	expect_match "$srcdir/bootstrap" '--install-deps'
	count=$(find "$srcdir/examples" -name '[0-9]*.c' | wc -l)
	expect_match "$readme" "examples/README lists $count programs"
}

# As many tests as there are rows in which we say yes.
every_yes_of_the_readme_has_a_test()
{
	sed -n '/^    .*libqb *unixmsg$/,/^$/{//d;p;}' "$srcdir/README" >rows
	! grep -v -E '( (yes|no|part|-) *){5}$' rows || fail 'cells'
	yes=$(grep -c ' yes$' rows)
	sed -n '/^"part":/,/^$/p' "$srcdir/README" >footnote
	tests=$(grep -o 'check_[a-z_]*\.c' footnote | wc -l)
	[ "$yes" -eq "$tests" ] || fail "$yes times yes, and $tests tests"
}

# All is well before a word of it, zeros are left out, and a failure is told.
the_demo_tells_in_a_few_lines_that_all_came_back()
{
	run_well sh "$srcdir/tests/tools/demo.sh"
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
	run_well sh "$srcdir/tests/tools/demo.sh" "$name"
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
	run env TOOLS="$here/broken" sh "$srcdir/tests/tools/demo.sh"
	expect_status 1
	expect_match "$err" \
		'^demo: FAILED: there is no .*/broken/seqpacket-echo$'
	! grep -q 'works here' "$out" || fail 'it says that it works'
}

run_case commands_of_the_readme_do_what_it_says
run_case the_client_of_the_readme_gets_answers_from_its_server
run_case the_client_of_the_readme_tells_why_it_got_no_answer
run_case the_server_of_the_readme_ends_on_a_signal_and_removes_its_file
run_case the_server_of_the_readme_leaves_a_live_one_alone
run_case the_server_of_the_readme_takes_the_place_of_a_killed_one
run_case the_readme_has_two_commands_to_build_and_test
run_case the_readme_names_what_is_there
run_case every_yes_of_the_readme_has_a_test
run_case the_demo_tells_in_a_few_lines_that_all_came_back
run_case the_demo_runs_nothing_that_stands_in_its_file
run_case the_demo_tells_what_has_failed
run_case commands_of_unixgram_echo_1_do_what_it_says
run_case commands_of_unixmsg_cat_1_do_what_it_says
run_case commands_of_unixmsg_inspect_1_do_what_it_says
run_case commands_of_unixmsg_perf_1_do_what_it_says
run_case commands_of_unixmsg_tap_1_do_what_it_says
run_case commands_of_unixmsg_7_do_what_it_says
run_case the_kernel_does_what_unixmsg_7_says
finish_cases
