#!/bin/sh
# SPDX-License-Identifier: MIT
# A folder of the library uses only those before it, as src/local.mk lists them,
# and every file of it is on the list of its folder. A tool uses what the tools
# share and the public headers; unixmsg-inspect looks into three folders besides.
# The relay is a program too; its states without sockets are in a folder beside
# the tools.
# What CONTRIBUTING names is there.

set -u
cd "${srcdir:?}" || exit 99
failed=0

storeys=$(sed -n 's,^include %D%/\(.*\)/local.mk$,\1,p' src/local.mk | tr "\n" " ")
[ "${storeys%% *}" = base ] || {
	echo "src/local.mk names no folders"
	exit 99
}

# upward FILE...: what the files include of folders above their own.
upward()
{
	awk -v storeys="$storeys" '
	BEGIN {
		n = split(storeys, names, " ")
		for (i = 1; i <= n; i++)
			height[names[i]] = i
	}
	/^#include "/ {
		split(FILENAME, own, "/")
		wanted = $2
		gsub(/"/, "", wanted)
		split(wanted, other, "/")
		if (other[1] == "unixmsg" || other[1] == "unixmsg.h")
			next
		if (!(other[1] in height))
			print FILENAME ": " wanted " is in no folder of src/"
		else if (height[other[1]] > height[own[2]])
			print FILENAME ": " wanted " stands above it"
	}' "$@"
}

# beyond PROGRAM FOLDER...: what the folder of a program includes of others than
# its own, the shared one, and those.
beyond()
{
	program=$1
	shift
	for folder in "$program" tools/common unixmsg "$@"; do
		printf '^%s/\n' "$folder"
	done >"$scratch/folders"
	echo '^unixmsg\.h' >>"$scratch/folders"
	sed -n 's,^#include "\(.*\)"$,\1,p' "src/$program"/*.[ch] |
		grep -v -f "$scratch/folders" | sort -u |
		sed "s,^,src/$program: ,; s,\$, is none of its business,"
}

# unlisted FOLDER: its sources that its local.mk does not name.
unlisted()
{
	for file in "src/$1"/*.[ch]; do
		grep -q "%D%/${file##*/}\( \\\\\)\{0,1\}\$" "src/$1/local.mk" ||
			echo "$file: src/$1/local.mk does not name it"
	done
}

# missing: files and functions that CONTRIBUTING names and that are not here.
missing()
{
	find . -type f >"$scratch/files"
	grep -oE '[a-z_./-]*[a-z_-]+\.(c|h|sh|json|map)\>' CONTRIBUTING | sort -u |
		while read -r file; do
			grep -q "/$file\$" "$scratch/files" ||
				echo "CONTRIBUTING: $file is missing"
		done
	grep -oE '\<unix[a-z]+_[a-z_]+' CONTRIBUTING | sort -u |
		while read -r word; do
			grep -rqw --include='*.[ch]' "$word" src ||
				echo "CONTRIBUTING: nothing is called $word"
		done
}

expect_nothing()
{
	[ -z "$1" ] && return
	echo "$1"
	failed=$((failed + 1))
}

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/src/base"
echo '#include "service/users.h"' >"$scratch/src/base/try.c"
(cd "$scratch" && [ -n "$(upward src/base/try.c)" ]) || {
	echo "an include of a folder above goes unnoticed"
	failed=$((failed + 1))
}
count=1
for storey in $storeys; do
	expect_nothing "$(upward "src/$storey"/*.[ch])"
	expect_nothing "$(unlisted "$storey")"
	count=$((count + 2))
done

for program in tools/common tools/echo tools/cat tools/perf relay; do
	expect_nothing "$(beyond $program)"
	expect_nothing "$(unlisted $program)"
	count=$((count + 2))
done
expect_nothing "$(beyond tools/inspect base name relay)"
expect_nothing "$(unlisted tools/inspect)"
expect_nothing "$(beyond tools/relay relay)"
expect_nothing "$(unlisted tools/relay)"
count=$((count + 4))

expect_nothing "$(missing)"
count=$((count + 1))

echo "cases: $((count - failed)) passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
