#!/bin/sh
# SPDX-License-Identifier: MIT
# Every option of every tool can be completed in every shell that is here, and
# so can the values that are known; nothing is offered that does not exist.

. "${srcdir:?}/tests/lib.sh"
folder=${COMPLETIONS:-$srcdir/completions}
PATH=$TOOLS:$PATH
export PATH

complete_in_bash()
{
	need bash
	run bash "$srcdir/tests/tools/completions.bash" "$folder/bash" "$@"
}

# The line of these words, the last of which is being typed.
complete_in_zsh()
{
	need zsh
	run zsh -f "$srcdir/tests/tools/completions.zsh" "$folder/zsh" "$*"
}

complete_in_fish()
{
	need fish
	# It tells what it knows of each behind a tab.
	run fish --no-config -c "set -p fish_complete_path '$folder/fish'
		complete -C '$*' | string replace -r '\\t.*' ''"
}

# expect_offers WHAT: what was completed is what stands in the file wanted.
expect_offers()
{
	expect_status 0 "$1"
	sort -u "$out" >offered
	cmp -s wanted offered ||
		fail "$1: $(diff wanted offered | grep '^[<>]' | tr '\n' ' ')"
}

expect_options()
{
	for tool in seqpacket-echo unixgram-echo unixstream-echo \
		unixmsg-cat unixmsg-inspect unixmsg-perf unixmsg-relay \
		unixmsg-tap; do
		list_help_options "$tool" >wanted
		expect_match wanted '^--help$'
		"$1" "$tool" -
		expect_offers "$tool -"
	done
	echo --version >wanted
	"$1" unixgram-echo --vers
	expect_offers 'unixgram-echo --vers'
}

expect_values()
{
	printf '%s\n' frames hex json raw text >wanted
	for tool in unixgram-echo unixstream-echo unixmsg-cat; do
		"$1" "$tool" --format ''
		expect_offers "$tool --format"
	done
	printf '%s\n' connect fan latency throughput >wanted
	"$1" unixmsg-perf --mode ''
	expect_offers 'unixmsg-perf --mode'
	printf '%s\n' unix unixgram unixpacket >wanted
	"$1" unixmsg-perf uni
	expect_offers 'unixmsg-perf uni'
	"$1" unixmsg-tap --network ''
	expect_offers 'unixmsg-tap --network'
	"$1" unixmsg-relay --network ''
	expect_offers 'unixmsg-relay --network'
	printf '%s\n' block drop refuse >wanted
	"$1" unixmsg-relay --on-engine-down ''
	expect_offers 'unixmsg-relay --on-engine-down'
	for option in --server-user --allow-group; do
		"$1" unixgram-echo $option roo
		expect_match "$out" '^root$'
	done
}

# Bash replaces what stands behind its word break @.
expect_addresses()
{
	name=completed-$$
	start_server gram "$TOOLS/unixgram-echo" --listen "@$name-gram"
	start_server packet "$TOOLS/seqpacket-echo" --listen "@$name-packet"
	: >file
	"$1" unixgram-echo "@$name"
	sed 's/^@//' "$out" >names
	expect_text names "$name-gram"
	"$1" seqpacket-echo "@$name"
	sed 's/^@//' "$out" >names
	expect_text names "$name-packet"
	"$1" unixmsg-inspect "@$name"
	sed 's/^@//' "$out" >names
	printf '%s\n' "$name-gram" "$name-packet" | expect_same - names
	"$1" seqpacket-echo fil
	expect_text "$out" file
}

bash_completes_every_option() { expect_options complete_in_bash; }
bash_completes_values() { expect_values complete_in_bash; }
bash_completes_addresses() { expect_addresses complete_in_bash; }
zsh_completes_every_option() { expect_options complete_in_zsh; }
zsh_completes_values() { expect_values complete_in_zsh; }
zsh_completes_addresses() { expect_addresses complete_in_zsh; }
fish_completes_every_option() { expect_options complete_in_fish; }
fish_completes_values() { expect_values complete_in_fish; }
fish_completes_addresses()
{
	expect_addresses complete_in_fish
}

for shell in bash zsh fish; do
	run_case "${shell}_completes_every_option"
	run_case "${shell}_completes_values"
	run_case "${shell}_completes_addresses"
done
finish_cases
