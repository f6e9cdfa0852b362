#!/bin/sh
# The shared library exports exactly the names of its map, and those are
# exactly what the public headers declare. The static one has more global names:
# two underscores mark those. Its files call only those of their own storey and
# of the storeys below, those of the service only those above them in the list
# of service_private.h, and no file, of the tools neither, calls in a circle.

set -u
library=$top_builddir/src/.libs/libunixmsg.so
map=$srcdir/src/unixmsg.map
nm=${NM:-nm}
nm=${nm%% *}

skip()
{
	echo "skip: exported symbols: $1"
	exit 77
}

[ -e "$library" ] || skip "this build has no shared library"
command -v "$nm" >/dev/null || skip "no $nm"
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C
passed=0 failed=0 skipped=0

# Version nodes show up as absolute symbols (A).
"$nm" -D --defined-only "$library" |
	awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	sort -u >"$scratch/library"

awk '
{
	sub(/#.*/, "")
	text = text " " $0
}
END {
	while (match(text, /\/\*([^*]|\*+[^*\/])*\*+\//))
		text = substr(text, 1, RSTART - 1) " " substr(text, RSTART + RLENGTH)
	gsub(/[{}:;]/, " & ", text)
	count = split(text, words, " ")
	for (i = 1; i <= count; i++) {
		if (words[i] == "{")
			global = 1
		else if (words[i] == "}")
			global = 0
		else if (words[i + 1] == ":")
			global = words[i] == "global"
		else if (global && words[i + 1] == ";")
			print words[i]
	}
}' "$map" | sort -u >"$scratch/map"

# What the preprocessor leaves of our own headers, one declaration at a time,
# without the insides of braces.
echo '#include <unixmsg.h>' >"$scratch/all.c"
$CC -std=gnu11 -E -I"$srcdir/src" "$scratch/all.c" >"$scratch/all.i" || exit 99
awk '
/^# [0-9]+ "/ {
	ours = $3 ~ /\/src\/unixmsg(\.h|\/[a-z_]+\.h)"$/
	next
}
ours { text = text " " $0 }
END {
	while (match(text, /[{][^{}]*[}]/))
		text = substr(text, 1, RSTART - 1) ";" substr(text, RSTART + RLENGTH)
	count = split(text, declarations, ";")
	for (i = 1; i <= count; i++) {
		it = declarations[i]
		if (it ~ /(^|[^a-z_])(static|typedef)([^a-z_]|$)/)
			continue
		if (match(it, /[a-z_][A-Za-z0-9_]* *\(/)) {
			while (substr(it, RSTART) ~ /^__attribute__|^__asm__/) {
				it = substr(it, RSTART + RLENGTH)
				if (!match(it, /[a-z_][A-Za-z0-9_]* *\(/))
					break
			}
			if (RSTART > 0) {
				it = substr(it, RSTART, RLENGTH - 1)
				sub(/ *$/, "", it)
				print it
			}
		} else if (it ~ /(^|[^a-z_])extern /) {
			sub(/ *(\[.*)?$/, "", it)
			sub(/.*[ *]/, "", it)
			print it
		}
	}
}' "$scratch/all.i" | sort -u >"$scratch/headers"

# same NAME NAME: complain about each symbol that only one of the two has.
same()
{
	comm -23 "$scratch/$1" "$scratch/$2" >"$scratch/first"
	comm -13 "$scratch/$1" "$scratch/$2" >"$scratch/second"
	if [ -s "$scratch/$1" ] && [ ! -s "$scratch/first" ] &&
		[ ! -s "$scratch/second" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	[ -s "$scratch/$1" ] || echo "FAILED: the $1 has no symbols at all"
	sed "s/\$/: in the $1, not in the $2/" "$scratch/first"
	sed "s/\$/: in the $2, not in the $1/" "$scratch/second"
}

# list_calls ARCHIVE, or OBJECT...: each file that needs another, whose symbols
# it does not define.
list_calls()
{
	"$nm" -A "$@" | awk '
	{ file = $1; sub(/:[^:]*$/, "", file); sub(/^.*[:\/]/, "", file) }
	$(NF - 1) == "U" { needs[file " " $NF] }
	$(NF - 1) ~ /^[BDRTVW]$/ { owner[$NF] = file }
	END {
		for (need in needs) {
			split(need, words, " ")
			if (words[2] in owner && owner[words[2]] != words[1])
				print words[1], owner[words[2]]
		}
	}' | sort -u
}

# expect_no_circle WHERE: the calls go round in none.
expect_no_circle()
{
	if [ -s "$scratch/calls" ] &&
		tsort <"$scratch/calls" >/dev/null 2>"$scratch/circle"; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAILED: files of $1 call each other in a circle, or none another:"
	sed -n '2,20s/^tsort: //p' "$scratch/circle"
}

# try_part WHERE FILE...: the same of a part of the programs, where it is built.
try_part()
{
	where=$1
	shift
	if [ ! -e "$1" ]; then
		skipped=$((skipped + 1))
		return
	fi
	list_calls "$@" >"$scratch/calls"
	expect_no_circle "$where"
}

# Each file of the library, and the height of its storey.
list_storeys()
{
	height=0
	sed -n 's,^include %D%/\(.*\)/local.mk$,\1,p' "$srcdir/src/local.mk" |
		while read -r storey; do
			height=$((height + 1))
			for file in "$srcdir/src/$storey"/*.c; do
				file=${file##*/}
				echo "${file%.c}.o $height"
			done
		done
}

# Each file of the service, and its line in the list.
list_service()
{
	sed -n 's,^ \*	\([a-z_]*\)\.c .*,\1.o,p' \
		"$srcdir/src/service/service_private.h" |
		awk '{ print $1, NR }'
}

# list_upward: the calls of a file that has a greater number than its caller.
# Standard input has the numbers.
list_upward()
{
	awk '
	NR == FNR { place[$1] = $2; next }
	$1 in place && $2 in place && place[$1] < place[$2] {
		print "FAILED: " $1 " calls " $2
	}' - "$scratch/calls"
}

# expect_order LISTED: no call goes upwards in that list.
expect_order()
{
	echo 'service_event.o service.o' >"$scratch/calls"
	echo 'wait.o service.o' >>"$scratch/calls"
	if [ "$("$1" | list_upward | wc -l)" -eq 0 ]; then
		failed=$((failed + 1))
		echo "FAILED: $1 lets every call pass"
	fi
	list_calls "$static" >"$scratch/calls"
	"$1" | list_upward >"$scratch/upward"
	if [ -s "$scratch/upward" ]; then
		failed=$((failed + 1))
		sed "s/\$/, which $1 has above it/" "$scratch/upward"
	else
		passed=$((passed + 1))
	fi
}

same map library
same map headers

static=$top_builddir/src/.libs/libunixmsg_all.a
if [ -e "$static" ]; then
	"$nm" -g --defined-only "$static" |
		awk 'NF == 3 && $3 !~ /^unix[a-z]*__|^_/ { print $3 }' |
		sort -u >"$scratch/static"
	same map static

	list_calls "$static" >"$scratch/calls"
	expect_no_circle 'the library'
	expect_order list_storeys
	expect_order list_service
	list_service | sed 's/ .*//' | sort >"$scratch/list"
	for file in "$srcdir"/src/service/*.c; do
		basename "$file" .c
	done | sed 's/$/.o/' | sort >"$scratch/folder"
	same list folder
fi

try_part 'src/relay' "$top_builddir/src/relay/.libs/librelay.a"
for part in tools perf; do
	try_part "lib$part" "$top_builddir/src/tools/.libs/lib$part.a"
done
for part in cat echo inspect relay; do
	try_part "src/tools/$part" "$top_builddir/src/tools/$part"/*.o
done

echo "cases: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
