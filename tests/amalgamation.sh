#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The library in two files, as 'make amalgamation' makes them: that they compile
# with one line and nothing configured, that all public functions and no others
# can be linked, and that the tools, examples and unit tests work with them.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
need_time 'compiling all of it again takes a minute'

# A compiler has more to do than the programs that it makes. What the optimiser
# says of the two files is asked of each compiler; all others do without.
limit=240
CFLAGS="$CFLAGS -O0"
files=${top_builddir:?is the top build directory}/amalgamation
shared=$work/shared
warnings='-Wall -Wextra -Werror'

# The public headers by their own names too, for code of ours that wants only
# some of them; of the private ones only what it takes from kernel.h, macros.
make_include_folder()
{
	mkdir -p "$shared/include/unixmsg" "$shared/include/base"
	cp "$files/unixmsg.h" "$shared/include"
	cp "$srcdir/src/base/kernel.h" "$shared/include/base"
	ln -s "$srcdir/src/tools" "$shared/include/tools"
	for header in "$srcdir"/src/unixmsg/*.h; do
		echo '#include "../unixmsg.h"' \
			>"$shared/include/unixmsg/${header##*/}"
	done
}

# compile COMPILER FLAG...: with no other flags than a user would give.
compile()
{
	run "$@"
	[ "$status" -eq 0 ] || fail "$* says: $(head -n 20 "$err")"
	expect_empty "$err"
}

make_object()
{
	[ -e "$shared/unixmsg.o" ] ||
		compile $CC $CFLAGS -std=c11 $warnings -c \
			-o "$shared/unixmsg.o" "$files/unixmsg.c"
}

# link NAME SOURCE... -- FLAG...
link()
{
	program=$1
	shift
	make_object
	compile $CC $CFLAGS -std=gnu11 "-I$shared/include" \
		"-I${top_builddir:?}" -o "$program" "$@" "$shared/unixmsg.o" \
		$LDFLAGS $libs
}
libs=

compile_with()
{
	need "$1"
	standards=c11
	! $is_long || standards='c11 gnu11 gnu17'
	for standard in $standards; do
		compile "$1" "-std=$standard" -O2 $warnings -c -o unixmsg.o \
			"$files/unixmsg.c"
	done
}

it_compiles_without_a_warning_with_gcc()
{
	compile_with gcc
}

it_compiles_without_a_warning_with_clang()
{
	compile_with clang
}

# Debian's musl-gcc does not find the kernel's headers by itself.
it_compiles_without_a_warning_with_musl()
{
	need musl-gcc
	headers=$(find /usr/include -path '*/asm/ioctl.h' | head -n 1)
	compiler="musl-gcc -idirafter /usr/include \
		-idirafter ${headers%/asm/ioctl.h}"
	compile $compiler -std=c11 $warnings -c -o unixmsg.o "$files/unixmsg.c"
}

it_compiles_with_a_program_in_one_line()
{
	mkdir -p project
	cp "$files/unixmsg.c" "$files/unixmsg.h" \
		"$srcdir/examples/07-deadlines.c" project
	cd project || fail "no folder"
	compile $CC $CFLAGS -I. -o deadlines 07-deadlines.c unixmsg.c $LDFLAGS
}

its_header_serves_cxx_as_well()
{
	need c++
	printf '#include "unixmsg.h"\n#include "unixmsg.h"\n' >twice.cc
	compile c++ -std=c++17 $warnings -Wpedantic "-I$files" -c twice.cc
}

it_exports_what_the_shared_library_does()
{
	need nm
	make_object
	sed -n 's/^[[:space:]]*\(unix[a-z_0-9]*\);.*/\1/p' \
		"$srcdir/src/unixmsg.map" | sort >wanted
	nm --defined-only --extern-only "$shared/unixmsg.o" |
		awk '$3 ~ /^unix/ { print $3 }' | sort >exported
	[ -s wanted ] || fail 'the map has no symbols'
	expect_same wanted exported
	nm --defined-only --extern-only "$shared/unixmsg.o" |
		awk '$3 !~ /^(unix|__)/ { print $3 }' >others
	expect_empty others
}

its_header_has_each_public_header_once()
{
	for header in "$srcdir"/src/unixmsg/*.h; do
		echo "unixmsg/${header##*/}"
	done | sort >wanted
	sed -n 's,^/\* ---- \(.*\) -* \*/$,\1,p' "$files/unixmsg.h" |
		sort >put
	expect_same wanted put
}

its_header_declares_all_of_it()
{
	link check_exports "$srcdir/tests/check_exports.c"
	run_well ./check_exports
}

# Those that sit in the loops of others need their libraries besides.
every_example_compiles()
{
	for example in "$srcdir"/examples/*.c; do
		case $example in
		*-loop-libuv.c | *-loop-glib.c | *-loop-sd-event.c) continue ;;
		esac
		link "$(basename "$example" .c)" "$example"
	done
}

the_echo_tools_work()
{
	mkdir tools
	for source in "$srcdir"/src/tools/common/*.c \
		"$srcdir/src/tools/echo/client.c" "$srcdir/src/tools/echo/echo.c"; do
		compile $CC $CFLAGS -std=gnu11 "-I$shared/include" \
			"-I$top_builddir" -c \
			-o "tools/$(basename "$source" .c).o" "$source"
	done
	for tool in unixgram-echo seqpacket-echo unixstream-echo; do
		link "tools/$tool" "$srcdir/src/tools/echo/$tool.c" tools/*.o
	done
	TOOLS=$here/tools
	run_well sh "$srcdir/tests/tools/demo.sh" "$srcdir/src/base/addr.c"
	start_server server tools/unixstream-echo --listen "$here/s"
	run_well tools/unixstream-echo "$here/s" hello '' end
	printf 'hello\n\nend\n' >wanted
	expect_same wanted "$out"
}

# Those that need none of the private rooms, wait for no race, and do not stand
# in for calls of libc by the names that the library as configured knows them by.
list_public_tests()
{
	private='(base/[^k]|(name|message|lane|network|service|supervisor|tools|relay)/)'
	helper='support/(diag_play|engine_scene|lanes|link|load|tap_scene)[.]h'
	grep -L -E "^#include \"($private|$helper|proof/)" \
		"$srcdir"/tests/*/check_*.c |
		sed -e 's|.*/check_||' -e 's|[.]c$||' |
		grep -v -e _races -e _moments -e _window -e takeover \
			-e sweep -e exports -e activation
}

unit_tests_of_public_functions_pass()
{
	need "${PKG_CONFIG:=pkg-config}"
	"$PKG_CONFIG" --exists 'check >= 0.15' || skip 'Check is missing'
	libs=$("$PKG_CONFIG" --cflags --libs check)
	for helper in ends files scene service_scene support talk; do
		compile $CC $CFLAGS -std=gnu11 "-I$shared/include" \
			"-I$top_builddir" -c "-I$srcdir/tests" \
			"$srcdir/tests/support/$helper.c"
	done
	list_public_tests >all
	[ "$(wc -l <all)" -gt 20 ] || fail "only $(wc -l <all) tests"
	if $is_long; then
		cp all names
	else
		grep -x -e addr -e gram -e packet -e stream all >names
	fi
	while read -r name <&3; do
		link "check_$name" "-I$srcdir/tests" "$srcdir"/tests/*/"check_$name.c" \
			ends.o files.o scene.o service_scene.o support.o talk.o
		run "./check_$name"
		[ "$status" -eq 77 ] && continue
		expect_status 0 "check_$name: $(tail -n 5 "$out")"
		expect_match "$out" '^100%: Checks: [1-9]'
	done 3<names
}

make_include_folder
for name in it_compiles_without_a_warning_with_gcc \
	it_compiles_without_a_warning_with_clang \
	it_compiles_without_a_warning_with_musl \
	it_compiles_with_a_program_in_one_line \
	its_header_serves_cxx_as_well \
	it_exports_what_the_shared_library_does \
	its_header_has_each_public_header_once \
	its_header_declares_all_of_it \
	every_example_compiles \
	the_echo_tools_work \
	unit_tests_of_public_functions_pass; do
	run_case "$name"
done
finish_cases
