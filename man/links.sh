#!/bin/sh
# SPDX-License-Identifier: MIT
#
# links.sh make|remove MANDIR PAGE...: every name in the NAME section of an
# installed page, beside the page's own, is a link to it.

set -u
what=$1
mandir=$2
shift 2

names_of()
{
	awk '/^\.Sh/ { is_name = $2 == "NAME" }
		is_name && $1 == ".Nm" { print $2 }' "$1"
}

for page; do
	file=${page##*/}
	section=${file##*.}
	for name in $(names_of "$page"); do
		link=$mandir/man$section/$name.$section
		[ "${link##*/}" != "$file" ] || continue
		rm -f "$link"
		[ "$what" = remove ] || ln -s "$file" "$link" || exit
	done
done
