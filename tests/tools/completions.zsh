# SPDX-License-Identifier: MIT
# completions.zsh FOLDER LINE: prints what zsh would complete the end of LINE
# to, one a line. A second zsh, which believes that it has a terminal, is given
# the line and a tab, and says what it is about to show.

zmodload zsh/zpty || exit
zpty inner zsh -f -i

# It echoes what it reads, so its answers are marked by what is not in there.
inner_setup=$(mktemp) || exit
trap 'rm -f "$inner_setup"' EXIT
cat >"$inner_setup" <<END
PS1= RPS1= PS2=
unsetopt beep prompt_sp
stty -onlcr -echo
fpath=($1 \$fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
	local -a hits
	# It fills an array for somebody else.
	if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)* ]]; then
		builtin compadd "\$@"
		return
	fi
	builtin compadd -A hits "\$@"
	for hit in \$hits; do
		print -r -- "<<hit:\$IPREFIX\$hit>>"
	done
	builtin compadd "\$@"
}
zstyle ':completion:*' verbose no
zstyle ':completion:*' menu no
done_() { print -r -- "<<end:>>"; zle .kill-whole-line }
complete_() { zle complete-word; done_ }
zle -N complete_
zle -C complete-word complete-word _main_complete
bindkey '^I' complete_
# Not before the line is being edited.
zle-line-init() { print -r -- "<<ready:>>" }
zle -N zle-line-init
END

# Whatever happens, it is over after a minute.
wait_for()
{
	local line text=
	local -i tries=600
	while ((tries-- > 0)); do
		while zpty -r -t inner line 2>/dev/null; do
			text+=$line
		done
		[[ $text == *"<<$1:>>"* ]] && break
		zpty -t inner || break
		sleep 0.1
	done
	print -r -- "$text"
	[[ $text == *"<<$1:>>"* ]]
}

zpty -w inner ". $inner_setup"
wait_for ready >/dev/null || exit 1
zpty -n -w inner "$2"$'\t'
wait_for end | grep -o '<<hit:[^>]*>>' | sed 's/^<<hit://; s/>>$//' | sort -u
zpty -d inner
