#!/bin/sh
# Each public header compiles alone and twice over, as C11 and as C++17, under
# every compiler there is.

set -u
cd "$srcdir/src" || exit 99
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0 skipped=0

warnings='-Wall -Wextra -Wpedantic -Wundef -Werror'

# compile HEADER LANGUAGE STANDARD COMPILER...
compile()
{
	header=$1 language=$2 standard=$3
	shift 3
	printf '#include <%s>\n' "$header" "$header" >"$scratch/try.$language"
	if "$@" "-std=$standard" $warnings -I. -fsyntax-only \
		"$scratch/try.$language"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $header as $standard with $*"
	fi
}

have()
{
	command -v "$1" >/dev/null
}

for header in unixmsg.h unixmsg/*.h; do
	compile "$header" c c11 $CC
	for compiler in gcc clang; do
		[ "$CC" = $compiler ] || ! have $compiler ||
			compile "$header" c c11 $compiler
	done
	for compiler in g++ clang++; do
		! have $compiler || compile "$header" cc c++17 $compiler
	done
done
if ! have g++ && ! have clang++; then
	skipped=1
	echo "skip: headers in C++: no g++ or clang++"
fi

echo "cases: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
