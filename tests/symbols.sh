#!/bin/sh
# The shared library exports exactly the names of its map, and those are
# exactly what the public headers declare. The static one has more global names:
# two underscores mark those.

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
passed=0 failed=0

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

same map library
same map headers

static=$top_builddir/src/.libs/libunixmsg_all.a
if [ -e "$static" ]; then
	"$nm" -g --defined-only "$static" |
		awk 'NF == 3 && $3 !~ /^unix[a-z]*__|^_/ { print $3 }' |
		sort -u >"$scratch/static"
	same map static

	# Which file needs which other, whose symbols it does not define.
	"$nm" -A "$static" | awk '
	{ sub(/^.*\.a:/, ""); file = $1; sub(/:.*/, "", file) }
	$(NF - 1) == "U" { needs[file " " $NF] }
	$(NF - 1) ~ /^[BDRTVW]$/ { owner[$NF] = file }
	END {
		for (need in needs) {
			split(need, words, " ")
			if (words[2] in owner && owner[words[2]] != words[1])
				print words[1], owner[words[2]]
		}
	}' >"$scratch/needs"
	if [ -s "$scratch/needs" ] &&
		tsort <"$scratch/needs" >/dev/null 2>"$scratch/circle"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: files of the library call each other in a circle:"
		sed -n '2,20s/^tsort: //p' "$scratch/circle"
	fi
fi

echo "cases: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
