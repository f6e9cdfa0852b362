#!/bin/sh
# Which lines and branches of the library the tests run through.
#
# usage: coverage.sh FOLDER [TESTS]
#
# Builds in FOLDER with gcc and --coverage, runs 'make check' there, or of it
# only TESTS, and prints lines and branches of each src/*.c: how many, how many
# were run, and which were not. All figures are gcovr's, nothing is left out of
# them; a page for each file is in FOLDER/report. The last line has the totals.

set -eu

if [ $# -lt 1 ]; then
	echo "usage: coverage.sh FOLDER [TESTS]" >&2
	exit 2
fi
for tool in gcc gcovr; do
	command -v $tool >/dev/null || {
		echo "skip: coverage: $tool is missing"
		exit 77
	}
done
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
cd "$1"
folder=$PWD
tests=${2:-}

# Processes that end by _exit(2), as children in tests do, would tell nothing.
cat >exit.c <<'END'
void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
END

build()
{
	gcc -c exit.c
	[ -f Makefile ] || "$top/configure" --disable-shared CC=gcc \
		CFLAGS='-O0 -g --coverage' LDFLAGS='-Wl,--wrap=_exit' \
		LIBS="$folder/exit.o"
	make -j"$(nproc)"
}

build >build.log 2>&1 || {
	tail -n 20 build.log
	echo "coverage: FAILED, see $folder/build.log"
	exit 1
}
find . \( -name '*.gcda' -o -name '*.trs' \) -exec rm {} +

# What failed is told; what was run counts all the same.
status=0
make -k -j"$(nproc)" check ${tests:+"TESTS=$tests"} >check.log 2>&1 || status=1
sh "$top/tests/count.sh" tests || status=1

report()
{
	gcovr --root "$top" --object-directory . \
		--filter "$(printf '%s' "$top" | sed 's/[.+]/\\&/g')/src/[^/]*\\.c\$" \
		--gcov-ignore-parse-errors \
		"$@" .
}

mkdir -p report
report --txt lines.txt --json coverage.json --html-details report/index.html \
	>gcovr.log 2>&1 || {
	tail -n 5 gcovr.log
	echo "coverage: FAILED, see $folder/gcovr.log"
	exit 1
}
report -a coverage.json --branches --txt branches.txt >>gcovr.log 2>&1
cat lines.txt branches.txt

get_total()
{
	awk '$1 == "TOTAL" {
		printf "%.1f %% (%d of %d)", int(1000 * $3 / $2) / 10, $3, $2
	}' "$1"
}
echo "coverage: lines $(get_total lines.txt)," \
	"branches $(get_total branches.txt)"
exit $status
