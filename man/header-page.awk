# SPDX-License-Identifier: MIT
#
# Makes a manual page of section 3, in mdoc(7), of the comments of a public
# header, so that what is said stands in one place.
#
#   awk -v page=unixgram -f header-page.awk \
#           ChangeLog examples/README examples/*.c src/unixmsg.h src/unixmsg/*.h
#
# All headers are read, for the cross-references. What is understood:
#
# - The first comment after the licence describes the page. It begins with
#   "name: what it is."
# - A comment with a declaration below it describes that, and the declarations
#   that follow without an empty line. In a struct or an enum likewise, or
#   behind a member on its line.
# - A comment with an empty line below it is the heading of the constants that
#   follow.
# - Within comments: paragraphs; lines that begin with a tab, or with two spaces
#   or more, are code; "- " begins the entry of a list; "word  text", two
#   spaces or more between them, is the entry of a table, and lines that
#   are indented further belong to it.
# - Functions, constants, errors, environment variables, other pages and
#   headers of the library are known by their names.

function fail(why)
{
	print "header-page.awk: " header ": " why >"/dev/stderr"
	has_failed = 1
	exit 1
}

BEGIN {
	if (page == "libunixmsg")
		header = "unixmsg.h"
	else
		header = "unixmsg/" substr(page, 5) ".h"
	split("January February March April May June July August September " \
		"October November December", months, " ")
}

# ---- What is read

FNR == 1 {
	file = FILENAME
	if (file ~ /\/unixmsg\/[a-z]+\.h$/) {
		sub(/.*\/unixmsg\//, "", file)
		this_page = "unix" substr(file, 1, length(file) - 2)
		is_wanted = header == "unixmsg/" file
	} else if (file ~ /\.h$/) {
		this_page = "libunixmsg"
		is_wanted = page == "libunixmsg"
	}
	sub(/.*\//, "", file)
}

file == "ChangeLog" {
	if (FNR == 1) {
		split($1, day, "-")
		date = months[day[2] + 0] " " (day[3] + 0) ", " day[1]
	}
	next
}

file == "README" {
	if ($0 ~ /^[0-9][0-9]-[a-z-]+\.c /) {
		example = $1
		examples[++examples_count] = example
		sub(/^[^ ]+ +/, "")
		about[example] = $0
	} else if (example != "" && $0 ~ /^ /) {
		sub(/^ +/, "")
		about[example] = about[example] " " $0
	} else {
		example = ""
	}
	next
}

file ~ /\.c$/ {
	line = $0
	while (match(line, /unix[a-z]+_[a-z_]+\(/)) {
		uses[file, substr(line, RSTART, RLENGTH - 1)] = 1
		line = substr(line, RSTART + RLENGTH)
	}
	next
}

# The functions, for the cross-references.
/^[a-z]/ && !/^typedef/ && match($0, /unix[a-z]+_[a-z_]+\(/) {
	page_of[substr($0, RSTART, RLENGTH - 1)] = this_page
}

is_wanted { lines[++lines_count] = $0 }

# ---- Text: single words

function escape(text)
{
	gsub(/\\/, "\\e", text)
	return text
}

function escape_code(text)
{
	text = escape(text)
	gsub(/-/, "\\-", text)
	gsub(/'/, "\\(aq", text)
	gsub(/`/, "\\(ga", text)
	gsub(/~/, "\\(ti", text)
	gsub(/\^/, "\\(ha", text)
	if (text ~ /^\./)
		text = "\\&" text
	return text
}

function escape_word(word)
{
	word = escape(word)
	if (word ~ /^--?[a-z0-9]/)
		gsub(/-/, "\\-", word)
	return word
}

function cross_reference(name, section)
{
	if (name == page && section == 3)
		return "Nm " name
	references[section " " name] = 1
	return "Xr " name " " section
}

# The macro that a word is to be set with, "" for none.
function macro_of(word,    name)
{
	if (word ~ /^E[A-Z][A-Z0-9]+$/)
		return "Er " word
	if (word == "NULL" || word ~ /^UNIX[A-Z]*_[A-Z_]*[A-Z]$/ ||
	    word ~ /^SO(CK)?_[A-Z]+$/)
		return "Dv " word
	if (word ~ /^\$[A-Z_]+$/)
		return "Ev " substr(word, 2)
	if (word ~ /^(LISTEN|NOTIFY|WATCHDOG)_[A-Z]+$/)
		return "Ev " word
	if (word == "errno")
		return "Va errno"
	if (word in page_of) {
		if (page_of[word] == page)
			return "Fn " word
		return cross_reference(word, 3)
	}
	if (word == "unixmsg.h")
		return cross_reference("libunixmsg", 3)
	if (word ~ /^unixmsg\/[a-z]+\.h$/)
		return cross_reference("unix" \
			substr(word, 9, length(word) - 10), 3)
	if (word ~ /^[a-z_0-9-]+\([1-8]\)$/) {
		name = word
		sub(/\(.*/, "", name)
		return cross_reference(name, substr(word, length(word) - 1, 1))
	}
	return ""
}

# ---- Text: paragraphs

function put(text)
{
	print text
	is_fresh = 0
}

function put_line()
{
	if (output == "")
		return
	if (output ~ /^[.']/)
		output = "\\&" output
	put(output)
	output = ""
}

function put_word(word)
{
	if (output != "" && length(output) + length(word) > 70)
		put_line()
	output = output (output == "" ? "" : " ") word
	# The end of a sentence ends the line, so that it is set as one.
	if (word ~ /[.:?!]["')]*$/ && word !~ /\.\.\.$/ && word !~ /:$/)
		put_line()
	else if (word ~ /\.\.\.$/)
		output = output "\\&"
}

# word without the punctuation around it, which is left in before and after.
function strip_word(word)
{
	before = after = ""
	while (word ~ /^[(]/) {
		before = before substr(word, 1, 1)
		word = substr(word, 2)
	}
	while (word ~ /[.,:;?!]$/ || word ~ /\)$/ && word !~ /\([1-8]\)$/) {
		after = substr(word, length(word)) after
		word = substr(word, 1, length(word) - 1)
	}
	return word
}

function put_macro(macro,    i)
{
	if (before != "")
		macro = "No \\&" before " Ns " macro
	for (i = 1; i <= length(after); i++)
		macro = macro " " substr(after, i, 1)
	put_line()
	put("." macro)
}

function put_text(text,    words, count, i, word, macro)
{
	count = split(text, words, /[ \t\n]+/)
	for (i = 1; i <= count; i++) {
		if (words[i] == "")
			continue
		word = strip_word(words[i])
		macro = macro_of(word)
		if (word == "struct" && before == "" && after == "" &&
		    words[i + 1] ~ /^unix[a-z_]+/) {
			word = strip_word(words[++i])
			macro = "Vt struct " word
		}
		if (macro != "")
			put_macro(macro)
		else
			put_word(escape_word(words[i]))
	}
	put_line()
}

function put_paragraph(text)
{
	if (!is_fresh)
		put(".Pp")
	put_text(text)
}

# ---- Text: blocks

function indent_of(line)
{
	match(line, /^ */)
	return RLENGTH
}

function is_entry(line)
{
	return line ~ /^ *[^ ]([^ ]| [^ ])*  +[^ ]/
}

# In a table: an entry, or an error without a word about it.
function is_row(line, deepest)
{
	return indent_of(line) <= deepest &&
		(is_entry(line) || line ~ /^ *E[A-Z0-9]+(, E[A-Z0-9]+)*$/)
}

function dedent(text,    part, count, i, least)
{
	count = split(text, part, "\n")
	least = 1000
	for (i = 1; i <= count; i++)
		if (part[i] != "" && indent_of(part[i]) < least)
			least = indent_of(part[i])
	text = ""
	for (i = 1; i <= count; i++)
		text = text (i > 1 ? "\n" : "") substr(part[i], least + 1)
	return text
}

function join(line, first, last,    text, i)
{
	text = line[first]
	for (i = first + 1; i <= last; i++)
		text = text "\n" line[i]
	return text
}

function put_code(text,    part, count, i)
{
	count = split(text, part, "\n")
	put(".Bd -literal -offset 2n")
	for (i = 1; i <= count; i++) {
		gsub(/\t/, "    ", part[i])
		put(escape_code(part[i]))
	}
	put(".Ed")
}

function tag_of(text,    words, count, i, macro, tag)
{
	count = split(text, words, " ")
	for (i = 1; i <= count; i++) {
		macro = strip_word(words[i])
		if (macro_of(macro) != "") {
			macro = macro_of(macro)
		} else if (macro ~ /^[\/@.]/) {
			macro = "Pa " macro
		} else {
			macro = escape_word(macro)
			if (macro ~ /^[A-Z][a-z]$/)
				macro = "\\&" macro
		}
		tag = tag (i > 1 ? " " : "") macro
		while (after != "") {
			tag = tag " " substr(after, 1, 1)
			after = substr(after, 2)
		}
	}
	return tag
}

# The entries of a table, and what follows them without a tag.
function put_table(text,    line, count, i, k, first, tag, body, width, longest)
{
	count = split(dedent(text), line, "\n")
	first = indent_of(line[1])
	for (i = 1; i <= count; i++) {
		if (!is_row(line[i], first))
			continue
		match(line[i], /^ *[^ ]([^ ]| [^ ])*/)
		if (RLENGTH > longest && RLENGTH <= 16)
			longest = RLENGTH
	}
	put_line()
	if (!is_fresh)
		put(".Pp")
	put(".Bl -tag -compact -width " \
		(longest > 0 ? substr("nnnnnnnnnnnnnnnn", 1, longest) : "Ds"))
	i = 1
	while (i <= count && is_row(line[i], first)) {
		match(line[i], /^ *[^ ]([^ ]| [^ ])*/)
		tag = substr(line[i], 1, RLENGTH)
		body = substr(line[i], RLENGTH + 1)
		sub(/^ +/, "", body)
		# A third column.
		gsub(/  +/, ": ", body)
		for (k = i + 1; k <= count && indent_of(line[k]) > first; k++)
			;
		put(".It " tag_of(tag))
		is_fresh = 1
		render(body (k > i + 1 ? "\n" dedent(join(line, i + 1, k - 1)) \
			: ""))
		i = k
	}
	put(".El")
	if (i <= count) {
		text = join(line, i, count)
		gsub(/\n +/, "\n", text)
		render(dedent(text))
	}
}

function put_list(text,    line, count, i, k)
{
	count = split(text, line, "\n")
	put(".Bl -bullet")
	for (i = 1; i <= count; i = k) {
		for (k = i + 1; k <= count && line[k] !~ /^- /; k++)
			;
		put(".It")
		is_fresh = 1
		line[i] = "  " substr(line[i], 3)
		render(dedent(join(line, i, k - 1)))
	}
	put(".El")
}

# The end of the block that begins at first, whose lines are like pattern; empty
# lines belong to it when such a line follows.
function block_end(line, count, first, pattern,    last, i)
{
	last = first
	for (i = first + 1; i <= count; i++) {
		if (line[i] ~ pattern)
			last = i
		else if (line[i] != "")
			break
	}
	return last
}

function render(text,    line, count, i, last)
{
	count = split(text, line, "\n")
	for (i = 1; i <= count; i = last + 1) {
		last = i
		if (line[i] == "")
			continue
		if (line[i] ~ /^\t/) {
			last = block_end(line, count, i, "^\t")
			text = join(line, i, last)
			gsub(/\n\t/, "\n", text)
			put_code(substr(text, 2))
		} else if (line[i] ~ /^- /) {
			last = block_end(line, count, i, "^(- |  )")
			put_list(join(line, i, last))
		} else if (is_entry(line[i])) {
			last = block_end(line, count, i, \
				line[i] ~ /^ / ? "^ " : "^( |E[A-Z]+[, ])")
			put_table(join(line, i, last))
		} else if (line[i] ~ /^  /) {
			last = block_end(line, count, i, "^ ")
			put_code(dedent(join(line, i, last)))
		} else {
			while (last < count && line[last + 1] ~ /^[^ \t]/ &&
			       line[last + 1] !~ /^- / &&
			       !is_entry(line[last + 1]))
				last++
			put_paragraph_or_heading(join(line, i, last))
		}
	}
}

# A line that stands alone and is no sentence is a heading.
function put_paragraph_or_heading(text)
{
	if (text ~ /^[A-Z][a-z][A-Za-z ]*$/ && !is_fresh) {
		put(".Ss " text)
		is_fresh = 1
	} else {
		put_paragraph(text)
	}
}

# ---- Declarations

# Takes the comment that begins at line i into comment; gives the line behind.
function take_comment(i,    line, is_last)
{
	comment = ""
	do {
		line = lines[i++]
		is_last = line ~ /\*\/$/
		sub(/ ?\*\/$/, "", line)
		if (!sub(/^\t?\/\* ?/, "", line))
			sub(/^\t? \* ?/, "", line)
		comment = comment line "\n"
	} while (!is_last && i <= lines_count)
	sub(/^\n+/, "", comment)
	sub(/\n+$/, "", comment)
	return i
}

function trim(text)
{
	gsub(/[ \t\n]+/, " ", text)
	sub(/^ /, "", text)
	sub(/ $/, "", text)
	return text
}

# Takes a declaration apart into its type, name and arguments.
function take_apart(declaration)
{
	sub(/;$/, "", declaration)
	match(declaration, /unix[a-z]+_[a-z_]+\(/)
	type = trim(substr(declaration, 1, RSTART - 1))
	name = substr(declaration, RSTART, RLENGTH - 1)
	arguments = trim(substr(declaration, RSTART + RLENGTH))
	sub(/\)$/, "", arguments)
	gsub(/\* /, "*", arguments)
	gsub(/\( /, "(", arguments)
	arguments_count = split(arguments, argument, /, /)
}

function put_prototype(declaration,    i, line, word)
{
	take_apart(declaration)
	line = type (type ~ /\*$/ ? "" : " ") name "("
	for (i = 1; i <= arguments_count; i++) {
		word = argument[i] (i < arguments_count ? "," : ");")
		if (length(line) + length(word) > 72) {
			put(escape_code(line))
			line = "    " word
		} else {
			line = line (i > 1 ? " " : "") word
		}
	}
	put(escape_code(line))
}

function put_synopsis(declaration,    i)
{
	take_apart(declaration)
	put(".Ft \"" type "\"")
	put(".Fo " name)
	for (i = 1; i <= arguments_count; i++)
		put(".Fa \"" argument[i] "\"")
	put(".Fc")
}

# The parts of the header, in its order.
function add_part(kind, text, code)
{
	kinds[++parts_count] = kind
	texts[parts_count] = text
	codes[parts_count] = code
}

function is_function(kind)
{
	return kind == "function" || kind == "type"
}

function read_header(    i, text, line, code, kind)
{
	for (i = 1; i <= lines_count; ) {
		line = lines[i]
		if (line ~ /^\/\*/) {
			i = take_comment(i)
			if (comment ~ /^SPDX/)
				continue
			if (description == "")
				description = comment
			else if (lines[i] == "")
				add_part("heading", comment)
			else
				text = comment
		} else if (line ~ /^#define .*_H$/ || line !~ /^(#define|[a-z])/ ||
			   line ~ /^extern "C"/) {
			if (line == "" || line ~ /^}/)
				text = ""
			i++
		} else if (line ~ /^#define/) {
			add_part("constant", text, line)
			i++
			if (lines[i] !~ /^#define/)
				text = ""
		} else if (line ~ /\{$/) {
			sub(/ \{$/, "", line)
			code = ""
			while (lines[++i] !~ /^}/)
				code = code lines[i] "\n"
			add_part("members", text, line "\n" code)
			text = ""
		} else {
			code = line
			while (lines[i++] !~ /;$/)
				code = code "\n" lines[i]
			if (code !~ /\(/)
				continue
			kind = code ~ /^typedef/ ? "type" : "function"
			if (text == "" && i > 2 && is_function(kinds[parts_count]) &&
			    last_end == i_begin(i, code))
				codes[parts_count] = codes[parts_count] "\n\n" code
			else
				add_part(kind, text, code)
			last_end = i
			text = ""
		}
	}
}

# The line at which code, which ends before line i, begins.
function i_begin(i, code,    part)
{
	return i - split(code, part, "\n")
}

function put_group(text, code,    declaration, count, i, title)
{
	count = split(code, declaration, /\n\n/)
	for (i = 1; i <= count; i++) {
		take_apart(declaration[i])
		title = title (i > 1 ? ", " : "") name
	}
	put(".Ss " title)
	put(".Bd -literal -compact")
	for (i = 1; i <= count; i++)
		put_prototype(declaration[i])
	put(".Ed")
	render(text)
}

function put_constant(text, code,    word)
{
	if (!is_in_list)
		put(".Bl -tag -width Ds")
	is_in_list = 1
	split(code, word, " ")
	put(".It Dv " word[2] (word[3] ~ /^[0-9]+$/ ? " Pq " word[3] : ""))
	is_fresh = 1
	render(text)
}

function end_list()
{
	if (is_in_list)
		put(".El")
	is_in_list = 0
}

function member_head(code, kind,    type)
{
	sub(/[,;]$/, "", code)
	if (kind == "enum") {
		sub(/ .*/, "", code)
		return "Dv " code
	}
	match(code, /[*]*[a-z_]+(\[[0-9A-Z_]+\])?$/)
	type = trim(substr(code, 1, RSTART - 1))
	code = "Va " substr(code, RSTART)
	if (type == shared_type)
		return code
	shared_type = type
	return "Vt " type " " code
}

# The members of a struct or an enum, each with what is said of it; those below
# one comment stand together.
function put_members(text, code,    line, count, i, kind, head, body, end)
{
	count = split(code, line, "\n")
	kind = line[1] ~ /^enum/ ? "enum" : "struct"
	end_list()
	put(".Ss " line[1])
	is_fresh = 1
	render(text)
	if (code !~ /\/\*/ && !is_fresh)
		put(".Pp")
	put(".Bl -tag -width Ds" (code ~ /\/\*/ ? "" : " -compact"))
	for (i = 2; i <= count; i++) {
		sub(/^\t/, "", line[i])
		if (line[i] ~ /^\/\*/ || line[i] ~ /[ *]reserved\[/ && head != "" ||
		    head != "" && !is_shared) {
			put_member(head, body)
			head = body = ""
			is_shared = 0
		}
		if (line[i] ~ /^\/\*/) {
			is_shared = 1
			body = line[i]
			while (line[i] !~ /\*\/$/)
				body = body "\n" substr(line[++i], 2)
			sub(/^\/\* ?/, "", body)
			sub(/ ?\*\/$/, "", body)
			gsub(/\n \* ?/, "\n", body)
			continue
		}
		if (line[i] == "")
			continue
		if (match(line[i], /[ \t]*\/\*.*\*\/$/)) {
			put_member(head, body)
			is_shared = 0
			body = trim(substr(line[i], RSTART, RLENGTH))
			sub(/^\/\* ?/, "", body)
			sub(/ ?\*\/$/, "", body)
			line[i] = substr(line[i], 1, RSTART - 1)
			head = ""
		}
		head = head (head == "" ? "" : " , ") member_head(line[i], kind)
	}
	put_member(head, body)
	put(".El")
}

function put_member(head, body)
{
	shared_type = ""
	if (head == "")
		return
	put(".It " head)
	is_fresh = 1
	render(body)
}

# ---- The page

# What part i declares, into names; gives how many. A structure that is only
# declared is described by the page itself.
function take_names(i,    declaration, count, k, word)
{
	if (is_function(kinds[i])) {
		count = split(codes[i], declaration, /\n\n/)
		for (k = 1; k <= count; k++) {
			take_apart(declaration[k])
			names[k] = name
		}
		return count
	}
	if (kinds[i] != "members")
		return 0
	split(codes[i], word, /[ \n]/)
	names[1] = word[2]
	return word[2] != page
}

# Functions first, then the types.
function put_name(    i, k, count, first, is_alone, is_second)
{
	put(".Sh NAME")
	first = page
	for (is_second = 0; is_second <= 1; is_second++)
		for (i = 1; i <= parts_count; i++) {
			if ((kinds[i] != "function") != is_second)
				continue
			count = take_names(i)
			for (k = 1; k <= count; k++) {
				put(".Nm " first " ,")
				first = names[k]
			}
		}
	put(".Nm " first)
	if (!match(description, /^[A-Za-z ]+: /))
		fail("the first comment does not begin with 'name: '")
	about_page = substr(description, RLENGTH + 1)
	description_text = description
	match(about_page, /[.:](\n|$| [A-Z])/)
	is_alone = substr(about_page, RSTART + 1, 1) == "\n" &&
		substr(about_page, RSTART + 2, 1) == "\n" ||
		RSTART == length(about_page)
	if (is_alone)
		description_text = substr(about_page, RSTART + 1)
	else
		description_text = toupper(substr(about_page, 1, 1)) \
			substr(about_page, 2)
	about_page = escape(substr(about_page, 1, RSTART - 1))
	gsub(/"/, "\\(dq", about_page)
	put(".Nd " trim(about_page))
}

function put_library_and_synopsis(    i, k, count, declaration, word)
{
	put(".Sh LIBRARY")
	put("Whole messages over Unix domain sockets (libunixmsg, \\-lunixmsg)")
	put(".Sh SYNOPSIS")
	put(".In unixmsg.h")
	for (i = 1; i <= parts_count; i++) {
		if (kinds[i] == "members") {
			split(codes[i], word, "\n")
			put(".Vt \"" word[1] "\" ;")
		}
		if (kinds[i] != "function")
			continue
		count = split(codes[i], declaration, /\n\n/)
		for (k = 1; k <= count; k++)
			put_synopsis(declaration[k])
	}
}

function put_description(    i)
{
	put(".Sh DESCRIPTION")
	is_fresh = 1
	render(description_text)
	for (i = 1; i <= parts_count; i++) {
		if (kinds[i] == "heading") {
			end_list()
			sub(/\.$/, "", texts[i])
			put(".Ss " trim(texts[i]))
			is_fresh = 1
			has_heading = 1
		} else if (kinds[i] == "constant") {
			if (!is_in_list && !(i > 1 && kinds[i - 1] == "heading"))
				put(".Ss Constants")
			put_constant(texts[i], codes[i])
		} else {
			end_list()
			if (kinds[i] == "members")
				put_members(texts[i], codes[i])
			else
				put_group(texts[i], codes[i])
		}
	}
	end_list()
}

function is_used(example,    name)
{
	for (name in page_of)
		if (page_of[name] == page && (example, name) in uses)
			return 1
	return 0
}

function put_examples(    i, has_one)
{
	for (i = 1; i <= examples_count; i++) {
		if (!is_used(examples[i]))
			continue
		if (!has_one) {
			put(".Sh EXAMPLES")
			put("These examples to copy are installed with the")
			put("library's documentation:")
			put(".Bl -tag -width Ds")
		}
		has_one = 1
		put(".It Pa " examples[i])
		put_text(about[examples[i]] ".")
	}
	if (has_one)
		put(".El")
}

function put_see_also(    reference, sorted, count, i, k, word)
{
	put(".Sh SEE ALSO")
	if (page != "libunixmsg")
		cross_reference("libunixmsg", 3)
	cross_reference("unix", 7)
	cross_reference("unixmsg", 7)
	for (reference in references) {
		split(reference, word, " ")
		# The page of a function, not its alias.
		if (word[2] in page_of)
			reference = word[1] " " page_of[word[2]]
		if (!(reference in is_there)) {
			is_there[reference] = 1
			sorted[++count] = reference
		}
	}
	for (i = 2; i <= count; i++)
		for (k = i; k > 1 && sorted[k] < sorted[k - 1]; k--) {
			reference = sorted[k]
			sorted[k] = sorted[k - 1]
			sorted[k - 1] = reference
		}
	for (i = 1; i <= count; i++) {
		split(sorted[i], word, " ")
		put(".Xr " word[2] " " word[1] (i < count ? " ," : ""))
	}
}

END {
	if (has_failed)
		exit 1
	if (lines_count == 0)
		fail("not among the files")
	if (date == "")
		fail("no date in the first line of ChangeLog")
	read_header()
	put(".\\\" SPDX-License-Identifier: MIT")
	put(".\\\" Made of " header " by man/header-page.awk: edit the header.")
	put(".Dd " date)
	# Groff's headers say BSD else, whatever .Os says.
	put(".ds doc-volume-operating-system Linux")
	put(".Dt " toupper(page) " 3")
	put(".Os Linux")
	put_name()
	put_library_and_synopsis()
	put_description()
	put_examples()
	put_see_also()
}
