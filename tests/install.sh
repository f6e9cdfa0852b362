#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What users get, to be run as 'make installcheck': that all is there, and that
# programs of theirs compile with what pkg-config says, and run.

set -u
scratch=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
log=$scratch/log
passed=0 failed=0 skipped=0

# The make that runs this test keeps its jobs and targets to itself.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS

# try NAME COMMAND...: one case; shows what the command said if it fails.
try()
{
	name=$1
	shift
	if "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
		return 0
	fi
	failed=$((failed + 1))
	echo "FAILED: $name: $*"
	tail -n 40 "$log"
	return 1
}

finish()
{
	echo "cases: $passed passed, $failed failed, $skipped skipped"
	[ $failed -eq 0 ]
	exit
}

skip()
{
	skipped=$((skipped + 1))
	echo "skip: $1"
}

pkg_config=${PKG_CONFIG:-pkg-config}
command -v "$pkg_config" >/dev/null || {
	echo "skip: the installed library: no pkg-config"
	exit 77
}

mkdir "$scratch/user"

# Where it would be found had it been put below no DESTDIR.
sed "s|=/|=$DESTDIR/|" "$DESTDIR$libdir/pkgconfig/unixmsg.pc" \
	>"$scratch/unixmsg.pc" || exit 99
libdir=$DESTDIR$libdir prefix=$DESTDIR$prefix docdir=$DESTDIR$docdir
tools='seqpacket-echo unixgram-echo unixmsg-cat unixmsg-inspect unixmsg-perf
	unixmsg-relay unixmsg-tap unixpacket-echo unixstream-echo'

# From here on only what is installed counts, and libraries of others that some
# examples need.
cd "$scratch/user" || exit 99
PKG_CONFIG_PATH=$scratch
export PKG_CONFIG_PATH
LD_LIBRARY_PATH=$libdir
export LD_LIBRARY_PATH

# compile NAME SOURCE FLAG...: with no other flags than a user would give.
compile()
{
	output=$1 source=$2
	shift 2
	$CC $CPPFLAGS $CFLAGS -o "$output" "$source" "$@" $LDFLAGS
}

same_headers()
{
	(cd "$srcdir/src" && ls unixmsg.h unixmsg/*.h) >"$scratch/ours"
	(cd "$prefix/include" && find unixmsg.h unixmsg -type f | sort) \
		>"$scratch/theirs"
	LC_ALL=C sort "$scratch/ours" | diff - "$scratch/theirs"
}

# Each function and structure has a page, and each tool a page and completions.
all_is_told()
{
	for name in $(sed -n 's/^[[:space:]]*\(unix[a-z_0-9]*\);.*/\1/p' \
		"$srcdir/src/unixmsg.map") \
		$(cat "$srcdir"/src/unixmsg/*.h |
			sed -n 's/^struct \(unix[a-z_]*\) {$/\1/p'); do
		[ -s "$prefix/share/man/man3/$name.3" ] || echo "no $name.3"
	done >"$scratch/missing"
	for tool in $tools; do
		for file in man/man1/$tool.1 fish/vendor_completions.d/$tool.fish \
			bash-completion/completions/$tool; do
			[ -s "$prefix/share/$file" ] || echo "no $file"
		done
		grep -q "^#compdef.* $tool\>" \
			"$prefix/share/zsh/site-functions/_unixmsg" ||
			echo "no $tool in _unixmsg"
	done >>"$scratch/missing"
	cat "$scratch/missing"
	[ ! -s "$scratch/missing" ]
}

# Each tool speaks by the name that it was called by.
tools_know_their_names()
{
	for tool in $tools; do
		"$prefix/bin/$tool" --version | head -n 1 |
			grep "^$tool (unixmsg) $PACKAGE_VERSION$" || return
	done
}

try "headers" same_headers
try "names of the tools" tools_know_their_names
try "manual and completions" all_is_told
try "version" "$pkg_config" --exact-version="$PACKAGE_VERSION" unixmsg

shared=$("$pkg_config" --cflags --libs unixmsg)
static="-static $("$pkg_config" --static --cflags --libs unixmsg)"
echo 'int main(void) { return 0; }' >plain.c
if ! compile plain plain.c -static 2>/dev/null; then
	static=
	skip "static examples: $CC cannot link statically here"
fi
# What it is to be built with stands at the head of each.
get_packages()
{
	sed -n 's/.*(pkg-config --cflags --libs \(unixmsg[^)]*\)).*/\1/p' "$1"
}

compile_example()
{
	flags=$("$pkg_config" --cflags --libs $packages) &&
		compile "$name" "$source" $flags
}

for source in "$docdir"/examples/*.c; do
	name=$(basename "$source" .c)
	packages=$(get_packages "$source")
	others=${packages#unixmsg}
	if [ -n "$others" ] && ! "$pkg_config" --exists $others; then
		skip "$name:$others is missing"
		continue
	fi
	try "$name" compile_example
	# Libraries of others are not always there as archives.
	[ -z "$static" ] || [ -n "$others" ] ||
		try "static $name" compile "$name" "$source" $static
done

# One that leaves by itself, started: the shared library is found by its
# soname, and a static program goes without.
needs_library()
{
	readelf -d "$1" | grep -q 'NEEDED.*libunixmsg\.so\.0'
}
hello=$docdir/examples/cmake/hello.c
try "shared" compile hello "$hello" $shared
try "shared program" ./hello
if command -v readelf >/dev/null; then
	try "shared program needs the library" needs_library ./hello
fi
if [ -n "$static" ]; then
	try "static" compile hello-static "$hello" $static
	try "static program" env -u LD_LIBRARY_PATH ./hello-static
fi
# The archive alone, beside a shared libc.
if [ -e "$libdir/libunixmsg.a" ]; then
	try "archive" compile hello-archive "$hello" \
		$("$pkg_config" --cflags unixmsg) "$libdir/libunixmsg.a"
	try "archive program" env -u LD_LIBRARY_PATH ./hello-archive
fi

# Those in README too.
awk -f "$srcdir/tests/readme_programs.awk" "$srcdir/README"
for program in program1 program2; do
	try "$program of README" compile "$program" "$program.c" $shared
done

cp -r "$docdir/examples" examples
try "examples/Makefile" make -C examples CC="$CC" CPPFLAGS="$CPPFLAGS" \
	CFLAGS="$CFLAGS" LDFLAGS="$LDFLAGS"

if command -v cmake >/dev/null; then
	try "CMake configure" env CC="$CC" CFLAGS="$CPPFLAGS $CFLAGS" \
		LDFLAGS="$LDFLAGS" PKG_CONFIG="$pkg_config" \
		cmake -S examples/cmake -B examples/cmake/build
	try "CMake build" cmake --build examples/cmake/build
	try "CMake program" examples/cmake/build/hello
else
	skip "CMake: no cmake"
fi

# Every symbol can be reached from C++ under its own name.
for cxx in g++ clang++ ''; do
	! command -v "$cxx" >/dev/null || break
done
if [ -n "$cxx" ]; then
	# What the library needs when built with sanitizers, say.
	for flag in $CFLAGS; do
		case $flag in
		-f* | -m*) shared="$shared $flag" ;;
		esac
	done
	{
		echo '#include <unixmsg.h>'
		echo 'const void *volatile symbols[] = {'
		sed -n 's/^[[:space:]]*\(unix[a-z_0-9]*\);.*/(const void *)\1,/p' \
			"$srcdir/src/unixmsg.map"
		echo '};'
		echo 'int main() { return !symbols[0]; }'
	} >all.cc
	try "C++" "$cxx" -o all all.cc $shared
	try "C++ program" ./all
	cat >use.cc <<-'END'
	#include <cstring>
	#include <memory>
	#include <unixmsg.h>

	struct closer {
		void operator()(unixconn *conn) const { unixconn_close(conn); }
	};
	using conn = std::unique_ptr<unixconn, closer>;

	int main()
	{
		unixconn *pair[2];
		char data[8];
		size_t size;

		if (unixconn_pair("unixgram", pair) < 0)
			return 1;
		conn from(pair[0]), to(pair[1]);
		if (unixconn_send(from.get(), "hello", 5, UNIXMSG_FOREVER) < 0 ||
			unixconn_recv(to.get(), data, sizeof(data), &size,
				UNIXMSG_FOREVER) != 1)
			return 1;
		return size == 5 && std::memcmp(data, "hello", 5) == 0 ? 0 : 1;
	}
	END
	try "C++ that sends" "$cxx" -std=c++17 -Wall -Wextra -Wpedantic -Werror \
		-o use use.cc $shared
	try "C++ that sends, run" ./use
else
	skip "C++: no g++ or clang++"
fi

for tool in $tools; do
	try "$tool --version" "$prefix/bin/$tool" --version
done

finish
