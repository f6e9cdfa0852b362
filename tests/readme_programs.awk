# SPDX-License-Identifier: MIT
# Writes the programs in README to program1.c and so on, in the current
# directory. Each begins with its #include lines and ends where text follows
# that is not indented. Four spaces are a tab there.
/^    #include / {
	if (!is_head)
		file = "program" ++count ".c"
	is_head = is_in = 1
	empty = ""
}
/^[^ ]/ { is_in = is_head = 0 }
is_in && /^$/ {
	empty = empty "\n"
	is_head = 0
}
is_in && /^    / {
	sub(/^    /, "")
	is_head = /^#include /
	indent = ""
	while (sub(/^    /, ""))
		indent = indent "\t"
	printf "%s%s%s\n", empty, indent, $0 > file
	empty = ""
}
