# SPDX-License-Identifier: MIT
# Writes the programs in README to program1.c, program2.c and so on, in the
# current directory. Each begins with its #include lines.
/^    #include / {
	if (!is_head)
		file = "program" ++count ".c"
	is_head = is_in = 1
}
!/^    / { is_in = 0 }
is_in {
	sub(/^    /, "")
	is_head = /^#include /
	print > file
}
