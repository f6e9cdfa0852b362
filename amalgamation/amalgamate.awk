# SPDX-License-Identifier: MIT
#
# Make one header and one source file of the whole library.
#
# usage: awk -f amalgamate.awk header|source|names SRCDIR VERSION FILE...
#
# SRCDIR is the top source directory; each FILE.c lies below its folder src/,
# and other files are left out: they are put in where they are included. names
# lists what has to be renamed, see below: file, old name, new name.
#
# What makes one file of many:
# - Every header is put in once, where it is first wanted, without its guard:
#   the public ones as unixmsg.h includes them.
#   System headers come first of all.
# - Functions and objects that only the library itself uses become static.
# - A static function or object, a struct, union or enum tag, or an enumerator
#   that more than one FILE.c has gets the file's name in front, in that file
#   only: finish of gram.c becomes gram_finish. Comments stay as they are.
# - A macro ends with the file that defines it.
# It reads C as this project writes it: what stands at the beginning of a line
# is at file scope, and nothing else is.

function die(why)
{
	print "amalgamate: " why >"/dev/stderr"
	has_failed = 1
	exit 1
}

# Files

function load(file,    path, line, got)
{
	if (file in count)
		return
	path = top "/src/" file
	count[file] = 0
	all_files[++files] = file
	while ((got = (getline line <path)) > 0)
		text[file, ++count[file]] = line
	close(path)
	if (got < 0 || count[file] == 0)
		die("cannot read " path)
}

# The file that line i includes, "" for none; is_system tells which kind.
function get_included(file, i,    line)
{
	line = text[file, i]
	if (line !~ /^#include /)
		return ""
	is_system = line ~ /^#include </
	gsub(/^#include [<"]|[>"].*$/, "", line)
	if (!is_system && is_public(file) && line !~ /\//)
		return "unixmsg/" line
	return line
}

function is_public(file)
{
	return file == "unixmsg.h" || file ~ /^unixmsg\//
}

# Loads a file and all that it includes, and notes the system headers.
function gather(file,    i, included)
{
	if (file in count)
		return
	load(file)
	for (i = 1; i <= count[file]; i++) {
		included = get_included(file, i)
		if (included == "" || included == "config.h")
			continue
		if (!is_system)
			gather(included)
		else if (!((included, is_public(file)) in has_system)) {
			has_system[included, is_public(file)] = 1
			systems[is_public(file), ++system_count[is_public(file)]] = \
				included
		}
	}
}

function print_systems(of_public,    i, k, swap)
{
	for (i = 2; i <= system_count[of_public]; i++)
		for (k = i; k > 1 && systems[of_public, k] < \
				systems[of_public, k - 1]; k--) {
			swap = systems[of_public, k]
			systems[of_public, k] = systems[of_public, k - 1]
			systems[of_public, k - 1] = swap
		}
	for (i = 1; i <= system_count[of_public]; i++)
		print "#include <" systems[of_public, i] ">"
	print ""
}

# Names at file scope

function note_name(file, kind, name)
{
	if ((file, kind, name) in has_name)
		return
	has_name[file, kind, name] = 1
	times[kind, name]++
	name_file[++names] = file
	name_kind[names] = kind
	name_text[names] = name
}

# The name that a declaration beginning with static declares.
function get_static_name(line)
{
	sub(/[(=[;].*$/, "", line)
	sub(/[ \t]+$/, "", line)
	sub(/^.*[^A-Za-z0-9_]/, "", line)
	return line
}

function note_enumerators(file, body,    items, i, n)
{
	gsub(/\/\*[^*]*\*\//, "", body)
	sub(/^[^{]*[{]/, "", body)
	sub(/[}].*$/, "", body)
	n = split(body, items, ",")
	for (i = 1; i <= n; i++)
		if (match(items[i], /[A-Za-z_][A-Za-z0-9_]*/))
			note_name(file, "plain",
				substr(items[i], RSTART, RLENGTH))
}

function note_names(file,    i, line, body)
{
	for (i = 1; i <= count[file]; i++) {
		line = text[file, i]
		sub(/^__attribute__\(\(.*\)\) /, "", line)
		if (line ~ /^(static |const )*(struct|union|enum) [a-z0-9_]+ [{]/) {
			body = line
			sub(/ [{].*$/, "", body)
			sub(/^.* /, "", body)
			note_name(file, "tag", body)
		} else if (line ~ /^static /)
			note_name(file, "plain", get_static_name(line))
		if (line ~ /^enum [^(;]*[{]/) {
			for (body = line; body !~ /[}]/; body = body " " text[file, i])
				if (++i > count[file])
					die(file ": an enum without an end")
			note_enumerators(file, body)
		}
	}
}

function get_new_name(file, name)
{
	gsub(/^.*\/|\.c$/, "", file)
	return file "_" name
}

function choose_names(    i)
{
	for (i = 1; i <= names; i++)
		if (times[name_kind[i], name_text[i]] > 1 && name_file[i] ~ /\.c$/)
			new_name[name_file[i], name_kind[i], name_text[i]] = \
				get_new_name(name_file[i], name_text[i])
	for (i = 1; i <= names; i++)
		if (times[name_kind[i], name_text[i]] > 1 && \
				(("plain", get_new_name(name_file[i],
				name_text[i])) in times))
			die(name_file[i] ": both " name_text[i] " and " \
				get_new_name(name_file[i], name_text[i]))
}

# Text

function translate_word(file, word, before,    kind)
{
	if (before == "." || before == "->")
		return word
	kind = before ~ /^(struct|union|enum)$/ ? "tag" : "plain"
	if (kind == "plain" && is_in_struct && before != "[")
		return word
	if ((file, kind, word) in new_name)
		return new_name[file, kind, word]
	return word
}

# How many characters the token at the beginning of rest has.
function get_token_size(rest)
{
	if (is_in_comment) {
		if (!match(rest, /\*\//))
			return length(rest)
		is_in_comment = 0
		return RSTART + 1
	}
	if (rest ~ /^\/\*/) {
		is_in_comment = 1
		return 2
	}
	if (match(rest, /^\/\/.*/) || match(rest, /^[ \t]+/) || \
			match(rest, /^"([^"\\]|\\.)*"/) || \
			match(rest, /^'([^'\\]|\\.)*'/) || \
			match(rest, /^[A-Za-z_][A-Za-z0-9_]*/) || \
			match(rest, /^[0-9][A-Za-z0-9_.]*/) || match(rest, /^->/))
		return RLENGTH
	return 1
}

function translate(file, line,    done, was_in_comment, size, token)
{
	if (line ~ /^(static |const )*(struct|union) [a-z0-9_]+ [{]/)
		is_in_struct = 1
	else if (line ~ /^[}]/)
		is_in_struct = 0
	while (line != "") {
		was_in_comment = is_in_comment
		size = get_token_size(line)
		token = substr(line, 1, size)
		line = substr(line, size + 1)
		if (!was_in_comment && token ~ /^[A-Za-z_]/)
			done = done translate_word(file, token, last_token)
		else
			done = done token
		if (!was_in_comment && token !~ /^([ \t]|\/\*|\/\/)/)
			last_token = token
	}
	return done
}

# A private header declares a function or an object: no other file is to see it.
function make_private(line)
{
	if (line ~ /^static inline /)
		sub(/^static/, "UNIXMSG_PRIVATE", line)
	else if (line ~ /^extern const /)
		sub(/^extern/, "static", line)
	else if (line ~ /^[a-z].*\(/ && line !~ /^(typedef|static|extern) /)
		line = "UNIXMSG_PRIVATE " line
	return line
}

# Prints a line, and no two empty ones in a row.
function put(line)
{
	if (line == "" && was_empty)
		return
	was_empty = line == ""
	print line
}

function put_banner(file)
{
	put("")
	put("/* ---- " file " " substr("--------------------------------" \
		"--------------------------------", length(file)) " */")
	put("")
}

function is_guard(file, i)
{
	return text[file, i] ~ /^#(ifndef|define) UNIXMSG_([A-Z_0-9]*_)?H$/ || \
		(i == count[file] && text[file, i] == "#endif")
}

# The lines of a header that let C++ see its functions, three each time.
function is_for_cxx(file, i)
{
	if (text[file, i] != "#ifdef __cplusplus")
		return 0
	if (text[file, i + 1] !~ /^(extern "C" [{]|[}])$/ || \
			text[file, i + 2] != "#endif")
		die(file ": another use of __cplusplus than 'extern \"C\"'")
	return 1
}

function put_header(file,    i, line)
{
	if (file in is_put)
		return
	is_put[file] = 1
	for (i = 1; i <= count[file]; i++)
		if (get_included(file, i) != "" && !is_system &&
				(is_public(file) || \
				!is_public(get_included(file, i))))
			put_header(get_included(file, i))
	put_banner(file)
	for (i = 1; i <= count[file]; i++) {
		line = text[file, i]
		if (is_for_cxx(file, i))
			i += 2
		else if (line !~ /^\/\* SPDX-/ && !is_guard(file, i) &&
				get_included(file, i) == "")
			put(is_public(file) ? line : make_private(line))
	}
}

function put_source(file,    i, line, included)
{
	for (i = 1; i <= count[file]; i++) {
		included = get_included(file, i)
		if (included != "" && !is_system && !is_public(included))
			put_header(included)
	}
	put_banner(file)
	is_in_comment = is_in_struct = 0
	last_token = ""
	macros = ""
	for (i = 1; i <= count[file]; i++) {
		line = text[file, i]
		if (line ~ /^\/\* SPDX-/ || get_included(file, i) != "")
			continue
		if (match(line, /^#define [A-Za-z_0-9]+/))
			macros = macros " " substr(line, 9, RLENGTH - 8)
		sub(/^const .* = [{]$/, "static &", line)
		put(translate(file, line))
	}
	put_undefs(macros)
}

function put_undefs(macros,    list, i, n)
{
	n = split(macros, list, " ")
	if (n > 0)
		put("")
	for (i = 1; i <= n; i++)
		put("#undef " list[i])
}

# The two files

function print_head(of_what)
{
	print "/* SPDX-License-Identifier: MIT */"
	print "/*"
	print " * unixmsg " version " in two files, unixmsg.c and unixmsg.h."
	print " *"
	print of_what
	print " *"
	print " *\tcc -std=c11 -c unixmsg.c"
	print " *"
	print " * They are made from the sources of the release by 'make amalgamation';"
	print " * changes belong there."
}

function print_licence(    line, path)
{
	path = top "/COPYING"
	print " *"
	while ((getline line <path) > 0)
		print (line == "" ? " *" : " * " line)
	close(path)
	print " */"
}

function make_header(    i)
{
	print_head(" * This one is the manual, too: unixmsg/conn.h and the other " \
		"headers that it\n * speaks of follow, each under its name. " \
		"The licence stands in unixmsg.c.")
	print " */"
	for (i = 1; i <= count["unixmsg.h"]; i++)
		if (text["unixmsg.h", i] ~ /^#ifndef /)
			break
		else if (text["unixmsg.h", i] !~ /SPDX-/)
			print text["unixmsg.h", i]
	print "#ifndef UNIXMSG_H"
	print "#define UNIXMSG_H"
	print ""
	print_systems(1)
	print "#ifdef __cplusplus"
	print "extern \"C\" {"
	print "#endif"
	for (i = 1; i <= count["unixmsg.h"]; i++)
		if (get_included("unixmsg.h", i) != "")
			put_header(get_included("unixmsg.h", i))
	print ""
	print "#ifdef __cplusplus"
	print "}"
	print "#endif"
	print "#endif"
}

function make_source(    i)
{
	print_head(" * They need Linux and libc, and nothing else.")
	print_licence()
	print ""
	print "#ifndef _GNU_SOURCE"
	print "#define _GNU_SOURCE 1"
	print "#endif"
	print "/* Large inode numbers and late times, where a long has 32 bits. */"
	print "#ifndef _FILE_OFFSET_BITS"
	print "#define _FILE_OFFSET_BITS 64"
	print "#define _TIME_BITS 64"
	print "#endif"
	print ""
	print_systems(0)
	print "#include \"unixmsg.h\""
	print ""
	print "/* What only the library itself calls, or only the tools do. */"
	print "#define UNIXMSG_PRIVATE static __attribute__((unused))"
	for (i = 1; i <= source_count; i++)
		put_source(sources[i])
}

function get_file(path)
{
	sub(/^(.*\/)?src\//, "", path)
	return path
}

BEGIN {
	part = ARGV[1]
	top = ARGV[2]
	version = ARGV[3]
	if (ARGC < 5 || part !~ /^(header|source|names)$/)
		die("usage: header|source|names SRCDIR VERSION FILE...")
	gather("unixmsg.h")
	for (i = 4; i < ARGC; i++)
		if (ARGV[i] ~ /\.c$/)
			gather(sources[++source_count] = get_file(ARGV[i]))
	for (i = 1; i <= files; i++)
		note_names(all_files[i])
	choose_names()
	if (part == "header")
		make_header()
	else if (part == "source")
		make_source()
	else
		for (i = 1; i <= names; i++)
			if ((name_file[i], name_kind[i], name_text[i]) in new_name)
				print name_file[i], name_text[i], \
					new_name[name_file[i], name_kind[i],
					name_text[i]]
	exit has_failed
}
