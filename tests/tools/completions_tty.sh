#!/bin/sh
# SPDX-License-Identifier: MIT
# On a terminal, with names that others may choose: TAB runs nothing out of the
# name of a socket or a file, and what it inserts is one word.

. "${srcdir:?}/tests/lib.sh"
folder=${COMPLETIONS:-$srcdir/completions}

# SHELL [LOCALE]
expect_one_word()
{
	need "$1"
	need python3
	mkdir "$1.d"
	(cd "$1.d" && LC_ALL=${2:-C.UTF-8} python3 \
		"$srcdir/tests/tools/completions_tty.py" "$1" "$folder" \
		"$TOOLS/unixmsg-inspect" unixgram-echo seqpacket-echo \
		unixstream-echo unixmsg-cat unixmsg-inspect) \
		>"$out" 2>&1 ||
		fail "$1: $(head -n 5 "$out")"
}

bash_takes_names_for_one_word()
{
	expect_one_word bash
}

bash_takes_names_for_one_word_in_c()
{
	expect_one_word bash C
}

zsh_takes_names_for_one_word()
{
	expect_one_word zsh
}

fish_takes_names_for_one_word()
{
	expect_one_word fish
}

run_case bash_takes_names_for_one_word
run_case bash_takes_names_for_one_word_in_c
run_case zsh_takes_names_for_one_word
run_case fish_takes_names_for_one_word
finish_cases
