#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages: whether all is told, whether it is still true, and whether
# mandoc(1) and lexgrog(1) have something to say against them.

. "${srcdir:?}/tests/lib.sh"

# Made here, or shipped.
find_pages()
{
	for page in "$srcdir"/man/*.[17] "$top_builddir"/man/*.3; do
		[ ! -e "$page" ] || echo "$page"
	done
	[ -e "$top_builddir/man/libunixmsg.3" ] || ls "$srcdir"/man/*.3
}
pages=$(find_pages)

page_of()
{
	for page in $pages; do
		[ "${page##*/}" != "$1" ] || echo "$page"
	done
}

# SECTION PAGE: its source.
section_of()
{
	awk -v wanted="$1" '/^\.Sh / { is_in = $0 == ".Sh " wanted; next }
		is_in' "$2"
}

names_of()
{
	section_of NAME "$1" | awk '$1 == ".Nm" { print $2 }'
}

list_functions()
{
	sed -n 's/^[[:space:]]*\(unix[a-z_0-9]*\);.*/\1/p' \
		"$srcdir/src/unixmsg.map" | sort
}

# Structures, enumerations and function types that the headers define.
list_types()
{
	cat "$srcdir"/src/unixmsg/*.h | sed -n \
		-e 's/^struct \(unix[a-z_]*\) {$/\1/p' \
		-e 's/^enum \(unix[a-z_]*\) {$/\1/p' \
		-e 's/^typedef .* \**\(unix[a-z_]*\)(.*/\1/p' | sort
}

# What is only in the first or only in the second file.
expect_same_lines()
{
	comm -23 "$1" "$2" >only
	[ ! -s only ] || fail "$3: $(tr '\n' ' ' <only)"
	comm -13 "$1" "$2" >only
	[ ! -s only ] || fail "$4: $(tr '\n' ' ' <only)"
}

every_function_and_type_is_in_the_name_of_one_page()
{
	list_functions >functions
	list_types >types
	expect_match types '^unixservice_options$'
	expect_match types '^unixservice_handler$'
	# The first name of a page is the page itself, a type or not.
	for page in $pages; do
		case $page in
		*.3) names_of "$page" | sed -n 1p ;;
		esac
	done | sort >first
	for page in $pages; do
		case $page in
		*.3) names_of "$page" | sed 1d ;;
		esac
	done | sort >named
	sort first named | uniq -d >twice
	expect_empty twice
	comm -23 types first | sort - functions >wanted
	expect_same_lines wanted named 'no page' 'no such function or type'
}

is_type()
{
	grep -q -x -e "$1" types
}

every_function_is_in_its_page_with_arguments_and_text()
{
	list_types >types
	for page in $pages; do
		case $page in
		*.3) ;;
		*) continue ;;
		esac
		section_of SYNOPSIS "$page" >synopsis
		section_of DESCRIPTION "$page" >description
		expect_match synopsis '^\.In unixmsg\.h$'
		grep '^\.Ss' description | tr -d , >headings
		for name in $(names_of "$page" | sed 1d); do
			is_type "$name" ||
				expect_match synopsis "^\\.Fo $name\$"
			grep -q -w -e "$name" headings ||
				fail "${page##*/}: no text for $name"
		done
	done
}

every_header_has_a_page()
{
	for header in "$srcdir"/src/unixmsg/*.h; do
		noun=${header##*/}
		page=$(page_of "unix${noun%.h}.3")
		[ -n "$page" ] || fail "no page for $noun"
	done
	[ -n "$(page_of libunixmsg.3)" ] || fail 'no page for unixmsg.h'
}

# The first page that is referred to, and those after it.
the_entry_leads_to_the_service_and_then_to_the_networks()
{
	page=$(page_of libunixmsg.3)
	section_of DESCRIPTION "$page" |
		sed -n 's/^\.Xr \(unix[a-z]*\) 3.*/\1/p' | head -n 3 >led
	printf '%s\n' unixservice unixconn unixlistener |
		expect_same - led
}

# The words of errno that stand in front of their meanings.
list_explained_errors()
{
	sed -n 's/^ \*   \(E[A-Z, ]*[A-Z]\)\(  .*\|, and.*\)$/\1/p' \
		"$srcdir/src/unixmsg.h" | tr -d ' ' | tr ',' '\n' | sort
}

list_errors()
{
	grep -hoE '\<E[A-Z]{3,}\>' "$srcdir"/src/unixmsg/*.h |
		grep -vxE 'EPOLL[A-Z]*' | sort -u
}

every_errno_of_a_header_is_in_the_table_of_words()
{
	list_explained_errors >explained
	list_errors >used
	expect_match used '^EINVAL$'
	expect_same_lines used explained 'not in unixmsg.h' \
		'in unixmsg.h and nowhere else'
}

# Groff has two places for the system, and says BSD in them by default.
every_page_is_one_of_linux()
{
	need groff
	for page in $pages; do
		groff -mandoc -Tascii "$page" >shown 2>/dev/null
		! grep -q BSD shown || fail "${page##*/}: $(grep BSD shown)"
		# shellcheck disable=SC2016 # a program of sed's
		sed -n '/[^ ]/h; ${g;p;}' shown >last
		expect_match last '^Linux .* Linux$'
	done
}

mandoc_has_nothing_against_the_pages()
{
	need mandoc
	# Ours are not installed, and what else is there is none of our business.
	# Only the systems that mandoc(1) comes from leave .Os without a name.
	mandoc -T lint $pages 2>/dev/null |
		grep -v -e 'STYLE: referenced manual not found' \
			-e 'STYLE: operating system explicitly specified: Os Linux' \
			>complaints || :
	[ ! -s complaints ] || fail "$(head -n 5 complaints)"
}

# Below each claim stands a file, and the names in it.
each_test_that_the_security_page_names_exists()
{
	awk '/^\.Bd/ { is_list = 1; next }
		/^\.Ed/ { is_list = 0 }
		is_list && /^\.Em/ { file = $2; next }
		is_list { print file, $0 }' "$(page_of unixmsg-security.7)" >named
	[ "$(wc -l <named)" -gt 30 ] || fail 'names no tests'
	while read -r file name; do
		case $file in
		*.sh) grep -qr --include="$file" --include=echo_cases.sh \
			"^$name()" "$srcdir/tests" ;;
		*) grep -qr --include="$file.c" "^START_TEST($name)" \
			"$srcdir/tests" ;;
		esac || fail "there is no $name in $file"
	done <named
}

every_page_fits_into_80_columns()
{
	need mandoc
	for page in $pages; do
		mandoc -T ascii -O width=78 "$page" 2>/dev/null |
			sed "s/.$(printf '\b')//g" |
			# A single argument that fits nowhere stays where it is.
			awk -v page="${page##*/}" 'length($0) > 80 &&
				!/^ +[a-z_]+\([^,]*\);$/ {
				print page ": " $0
			}' >>wide
	done
	[ ! -s wide ] || fail "$(head -n 5 wide)"
}

every_page_has_a_name_for_apropos()
{
	need lexgrog
	for page in $pages; do
		run lexgrog "$page"
		expect_status 0 "$page"
		for name in $(names_of "$page"); do
			grep -q -F -e "\"$name - " -e ", $name - " "$out" ||
				grep -q -w -e "$name" "$out" ||
				fail "${page##*/}: lexgrog does not see $name"
		done
	done
}

pages_refer_to_pages_that_exist()
{
	for page in $pages; do
		for name in $(names_of "$page"); do
			echo "$name ${page##*.}"
		done
	done | sort -u >names
	cat $pages | sed -n 's/.*Xr \([^ ]*\) \([0-9]\).*/\1 \2/p' |
		grep -E '^(lib)?unix[a-z]|^seqpacket' | sort -u >references
	[ -s references ] || fail 'no page refers to another'
	comm -13 names references >unknown
	[ ! -s unknown ] || fail "no such page: $(cat unknown)"
}

# Not as plain words, which no reader of manuals follows.
every_page_of_ours_is_referred_to_by_a_macro()
{
	! grep -E '(^|[ (])(lib)?(unix|seqpacket)[a-z-]*\([1-8]\)' $pages \
		>plain || fail "$(cat plain)"
}

every_name_is_installed_as_a_link_and_removed_again()
{
	for section in 1 3 7; do
		mkdir -p "man/man$section"
	done
	for page in $pages; do
		cp "$page" "man/man${page##*.}/"
	done
	find man | sort >before
	run_well sh "$srcdir/man/links.sh" make man $pages
	for name in $(list_functions) $(list_types); do
		[ -s "man/man3/$name.3" ] || fail "no man3/$name.3"
	done
	for name in seqpacket-echo unixpacket-echo; do
		[ -s "man/man1/$name.1" ] || fail "no man1/$name.1"
	done
	run_well sh "$srcdir/man/links.sh" remove man $pages
	find man | sort >after
	expect_same before after
}

list_page_options()
{
	awk '$1 == ".It" {
		for (i = 2; i < NF; i++)
			if ($i == "Fl")
				print "-" $(i + 1)
	}' "$1" | sort -u
}

every_option_is_in_help_and_in_the_page()
{
	for tool in seqpacket-echo unixgram-echo unixstream-echo \
		unixmsg-cat unixmsg-inspect unixmsg-perf unixmsg-relay \
		unixmsg-tap; do
		page=$(page_of "$tool.1")
		[ -n "$page" ] || page=$(page_of unixgram-echo.1)
		list_help_options "$tool" >in-help
		list_page_options "$page" >in-page
		expect_match in-help '^--help$'
		expect_same_lines in-help in-page "$tool: not in the page" \
			"$tool: not in --help"
	done
}

# Of one JSON text; its strings hold no quotes here.
list_members()
{
	grep -o '"[a-z_0-9]*":' | tr -d '":' | sort -u
}

# The words of .Li in the entries, or in the text, of a page's part.
list_told()
{
	awk -v from="$2" -v to="$3" '
		index($0, from) == 1 { is_in = 1; next }
		to != "" && index($0, to) == 1 { is_in = 0 }
		is_in && ($1 == ".Li" || $1 == ".It" && $2 == "Li") {
			sub(/^\.It /, "")
			sub(/^\.Li /, "")
			gsub(/[ ,.]+/, "\n")
			print
		}
		# An entry that goes on behind a backslash.
		is_in && /^ [a-z_]+$/ { print $1 }' "$1" |
		grep -E '^[a-z_0-9]+$' | sort -u
}

the_members_of_stats_are_those_in_the_page()
{
	start_server server "$TOOLS/unixgram-echo" --listen --stats \
		--max-messages 1 @members-of-stats-$$
	run_well "$TOOLS/unixgram-echo" --stats @members-of-stats-$$ hello
	finish server
	cat "$out" "$logs/server.out" | list_members >printed
	list_told "$(page_of unixgram-echo.1)" '.Fl -stats' '.Sh' >told
	expect_match printed '^round_trip_p99_ns$'
	expect_same_lines printed told 'not in the page' 'not printed'
}

the_members_of_a_record_are_those_in_the_page()
{
	start_server server "$TOOLS/unixgram-echo" --listen --format json \
		--max-size 5 --max-messages 3 members.sock
	run "$TOOLS/unixgram-echo" members.sock hello
	printf 'ff\n' >hex
	run "$TOOLS/unixgram-echo" --format hex members.sock <hex
	run "$TOOLS/unixgram-echo" --timeout 0.1 members.sock 'too long'
	finish server
	# Nobody here sends descriptors.
	{
		list_members <"$logs/server.out"
		echo fds
	} | sort >printed
	list_told "$(page_of unixgram-echo.1)" '.Ss JSON' '.Fl -stats' >told
	expect_same_lines printed told 'not in the page' 'not printed'
}

the_members_of_inspect_are_those_in_the_page()
{
	start_server server "$TOOLS/seqpacket-echo" --lane --listen member.sock
	# Near enough to member.sock@ to be mentioned.
	start_server padded "$TOOLS/seqpacket-echo" --listen "@near-$$\\x00"
	hold_input
	start client "$TOOLS/seqpacket-echo" --lane member.sock <input
	seq 64 >&5
	has_lane()
	{
		"$TOOLS/unixmsg-inspect" --json member.sock "@near-$$" |
			tee members | grep -q '"resident_bytes"'
	}
	await_true has_lane
	list_members <members >printed
	list_told "$(page_of unixmsg-inspect.1)" '.Ss JSON' '.Sh' >told
	expect_match printed '^why$'
	expect_same_lines printed told 'not in the page' 'not printed'
}

# OPTION...: in a short run, added to the file printed.
print_members_of_perf()
{
	run "$TOOLS/unixmsg-perf" --quiet --json --rounds 2 --warm-up 0 \
		--count 10 "$@"
	expect_status 0 "$*"
	list_members <"$out" >>printed
}

the_members_of_perf_are_those_in_the_page()
{
	start_server echo "$TOOLS/unixgram-echo" --listen echo.sock
	print_members_of_perf unixpacket
	print_members_of_perf --cpus 0 unixpacket tcp
	print_members_of_perf --mode fan --clients 2
	print_members_of_perf --server one=echo.sock --server two=echo.sock \
		unixgram
	sort -u -o printed printed
	list_told "$(page_of unixmsg-perf.1)" '.Ss JSON' '.Sh' >told
	expect_match printed '^ratio_to_plain$'
	expect_same_lines printed told 'not in the page' 'not printed'
}

the_members_of_tap_are_those_in_the_page()
{
	start_server server "$TOOLS/seqpacket-echo" --listen tapped.sock
	start_server tap "$TOOLS/unixmsg-tap" --stats --format json --snap 3 \
		tapped.sock
	run "$TOOLS/unixmsg-cat" tapped.sock hello
	run "$TOOLS/unixmsg-cat" --format hex tapped.sock ff
	end tap INT
	# Nobody here sends descriptors, and no output is slow.
	{
		list_members <"$logs/tap.out"
		printf '%s\n' fds left_out
	} | sort -u >printed
	{
		list_told "$(page_of unixmsg-tap.1)" '.It Fl -stats' '.El'
		list_told "$(page_of unixmsg-tap.1)" '.Ss JSON' '.Ss Slow'
	} | sort -u >told
	expect_match printed '^not_recorded$'
	expect_same_lines printed told 'not in the page' 'not printed'
}

# Without an engine: nobody listens at that port.
the_counters_of_the_relay_are_those_in_the_page()
{
	start_and_see relay 'engine: ' "$TOOLS/unixmsg-relay" --import it \
		-n unix --engine 127.0.0.1:1 --stats --metrics file front
	end_well relay
	list_members <"$logs/relay.out" >printed
	list_told "$(page_of unixmsg-relay.1)" '.Sh COUNTERS' '.Sh EXIT' >told
	expect_match printed '^resets_gap$'
	expect_same_lines printed told 'not in the page' 'not printed'
	sed -n 's/^unixmsg_relay_//; s/_total{.*//p; s/{.*//p' file |
		sort -u >metrics
	grep -v -x -e network -e role -e service printed >wanted
	expect_same wanted metrics
}

run_case every_header_has_a_page
run_case the_entry_leads_to_the_service_and_then_to_the_networks
run_case every_errno_of_a_header_is_in_the_table_of_words
run_case every_page_is_one_of_linux
run_case every_function_and_type_is_in_the_name_of_one_page
run_case every_function_is_in_its_page_with_arguments_and_text
run_case mandoc_has_nothing_against_the_pages
run_case each_test_that_the_security_page_names_exists
run_case every_page_fits_into_80_columns
run_case every_page_has_a_name_for_apropos
run_case pages_refer_to_pages_that_exist
run_case every_page_of_ours_is_referred_to_by_a_macro
run_case every_name_is_installed_as_a_link_and_removed_again
run_case every_option_is_in_help_and_in_the_page
run_case the_members_of_stats_are_those_in_the_page
run_case the_members_of_a_record_are_those_in_the_page
run_case the_members_of_inspect_are_those_in_the_page
run_case the_members_of_perf_are_those_in_the_page
run_case the_members_of_tap_are_those_in_the_page
run_case the_counters_of_the_relay_are_those_in_the_page
finish_cases
