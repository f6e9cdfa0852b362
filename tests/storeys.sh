#!/bin/sh
# SPDX-License-Identifier: MIT
# A folder of the library uses only those before it, as src/local.mk lists them,
# and the private headers only of its neighbours; every file of it is on the
# list of its folder. A public header belongs to the folder of its noun. A tool
# uses what the tools share and the public headers; unixmsg-inspect looks into
# three folders besides. The relay is a program too; its states without sockets
# are in a folder beside the tools.
# What CONTRIBUTING names is there.

set -u
cd "${srcdir:?}" || exit 99
failed=0

# The folders whose private headers a folder may include, besides its own.
list_neighbours()
{
	case $1 in
	name | message) echo base ;;
	lane) echo base message ;;
	network) echo base name message lane ;;
	service) echo base name message network ;;
	supervisor) echo base message network ;;
	esac
}

# Includes of public headers that belong to a storey above. The base sets what a
# socket receives beside the payload, by the bits of msg.h.
list_stated()
{
	case $1 in
	base) echo src/base/endpoint.c:unixmsg/msg.h ;;
	esac
}

storeys=$(sed -n 's,^include %D%/\(.*\)/local.mk$,\1,p' src/local.mk | tr "\n" " ")
[ "${storeys%% *}" = base ] || {
	echo "src/local.mk names no folders"
	exit 99
}

# get_storey NOUN: the folder that its public header belongs to.
get_storey()
{
	for end in .c _private.h; do
		for storey in $storeys; do
			[ -e "src/$storey/$1$end" ] && echo "$storey" && return
		done
	done
	echo nowhere
}

# Each public header and its folder.
homes=$(for header in src/unixmsg/*.h; do
	noun=${header##*/}
	printf 'unixmsg/%s %s ' "$noun" "$(get_storey "${noun%.h}")"
done)

# upward FOLDER FILE...: what the files of a folder include of folders above it,
# or private headers of those that are not its neighbours.
upward()
{
	folder=$1
	shift
	awk -v folder="$folder" -v storeys="$storeys" -v homes="$homes" \
		-v neighbours="$(list_neighbours "$folder")" \
		-v stated="$(list_stated "$folder")" '
	BEGIN {
		n = split(storeys, words, " ")
		for (i = 1; i <= n; i++)
			height[words[i]] = i
		n = split(neighbours, words, " ")
		for (i = 1; i <= n; i++)
			unused[folder ": neighbour " words[i]]
		n = split(stated, words, " ")
		for (i = 1; i <= n; i++)
			unused[words[i]]
		n = split(homes, words, " ")
		for (i = 1; i < n; i += 2)
			home[words[i]] = words[i + 1]
		for (it in unused)
			is_allowed[it]
	}
	/^#include "/ {
		wanted = $2
		gsub(/"/, "", wanted)
		if (wanted !~ /\//)
			wanted = folder "/" wanted
		own = folder
		if (folder == "unixmsg")
			own = home[substr(FILENAME, 5)]
		other = wanted
		sub(/\/.*/, "", other)
		is_private = other != "unixmsg"
		if (!is_private)
			other = home[wanted]
		pair = is_private ? folder ": neighbour " other : \
			FILENAME ":" wanted
		delete unused[pair]
		if (!(other in height))
			print FILENAME ": " wanted " is in no folder of src/"
		else if (height[other] > height[own] &&
				(is_private || !(pair in is_allowed)))
			print FILENAME ": " wanted " stands above it"
		else if (is_private && other != own && !(pair in is_allowed))
			print FILENAME ": " wanted " is of no neighbour"
	}
	END {
		for (it in unused)
			print it " is allowed, but not needed"
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

# list_needs: each noun of src that includes a private header of another.
list_needs()
{
	awk '
	function noun(file)
	{
		sub(/(_private)?\.[ch]$/, "", file)
		return file
	}
	/^#include "/ {
		wanted = $2
		gsub(/"/, "", wanted)
		one = noun(substr(FILENAME, 5))
		other = noun(wanted)
		if (wanted ~ /\// && wanted !~ /^unixmsg/ && other != one)
			print one, other
	}' src/*/*.[ch] src/tools/*/*.[ch]
}

# circling: the nouns that include one another in a circle.
circling()
{
	tsort 2>&1 >/dev/null | sed 's/^tsort: /a circle of includes: /'
}

# missing: what CONTRIBUTING names and is not here: files, functions, and in
# lines "NAME FILE.c" that function in that file.
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
	list_places CONTRIBUTING | while read -r name file; do
		is_defined "$name" "$file" ||
			echo "CONTRIBUTING: $file has no function $name"
	done
}

# list_places FILE: the names and files of the lines "NAME, NAME FILE.c" in it.
list_places()
{
	sed -nE 's/^ +([a-z_]+(, [a-z_]+)*) +([a-z_/]+\.c)( .*)?$/\3, \1/p' "$1" |
		awk -F ', ' '{ for (i = 2; i <= NF; i++) print $i, $1 }'
}

# unpictured: nouns of the library that stand in no storey of its picture.
unpictured()
{
	sed -n '/^    supervisor /,/^$/p' CONTRIBUTING >"$scratch/picture"
	for storey in $storeys; do
		[ "$storey" = service ] && continue
		for file in "src/$storey"/*.c; do
			noun=$(basename "$file" .c)
			grep -qw "$noun" "$scratch/picture" ||
				echo "CONTRIBUTING: no storey has $noun"
		done
	done
}

# is_defined NAME FILE: FILE, below src, defines that function.
is_defined()
{
	grep -qE "^[a-z][a-z_ ]*[ *]$1\(" "src/$2" 2>/dev/null
}

expect_nothing()
{
	[ -z "$1" ] && return
	echo "$1"
	failed=$((failed + 1))
}

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
# expect_told FOLDER INCLUDE: that it must not include that is noticed.
expect_told()
{
	mkdir -p "$scratch/src/$1"
	echo "#include \"$2\"" >"$scratch/src/$1/addr.h"
	(cd "$scratch" && upward "$1" "src/$1/addr.h" |
		grep -q "^src/$1/addr.h: .*$2 ") || {
		echo "a file of $1 may include $2"
		failed=$((failed + 1))
	}
	count=$((count + 1))
}

count=0
expect_told base service/users.h
expect_told base unixmsg/service.h
expect_told unixmsg service.h
expect_told service lane/ring.h
expect_told service tools/common/hex.h
for storey in $storeys; do
	expect_nothing "$(upward "$storey" "src/$storey"/*.[ch])"
	expect_nothing "$(unlisted "$storey")"
	count=$((count + 2))
done
expect_nothing "$(upward unixmsg src/unixmsg/*.h)"
count=$((count + 1))

for program in tools/common tools/echo tools/cat tools/perf tools/tap relay; do
	expect_nothing "$(beyond $program)"
	expect_nothing "$(unlisted $program)"
	count=$((count + 2))
done
expect_nothing "$(beyond tools/inspect base name relay)"
expect_nothing "$(unlisted tools/inspect)"
expect_nothing "$(beyond tools/relay relay)"
expect_nothing "$(unlisted tools/relay)"
count=$((count + 4))

[ -n "$({ list_needs && echo base/wait network/listener; } | circling)" ] || {
	echo "a circle of includes goes unnoticed"
	failed=$((failed + 1))
}
expect_nothing "$(list_needs | circling)"
count=$((count + 2))

if is_defined unixaddr_parse base/wait.c; then
	echo "a function in another file goes unnoticed"
	failed=$((failed + 1))
fi
[ "$(list_places CONTRIBUTING | wc -l)" -gt 5 ] || {
	echo "CONTRIBUTING names no functions and their files"
	failed=$((failed + 1))
}
expect_nothing "$(missing)"
expect_nothing "$(unpictured)"
count=$((count + 4))

echo "cases: $((count - failed)) passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
