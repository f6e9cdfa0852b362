#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixmsg-cat on a terminal, typed at by tmux(1).

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
PATH=$TOOLS:$PATH
export PATH

pane()
{
	tmux -S "$here/tmux" -f /dev/null "$@"
}

# open_pane COMMAND: runs it on a terminal.
open_pane()
{
	need tmux
	pane new-session -d -x 80 -y 24 "$1" 2>"$logs/tmux.err" ||
		skip 'tmux does not run here'
	pids="$pids $(pane display-message -p '#{pid}')"
}

is_shown()
{
	pane capture-pane -p | grep -q -e "$1"
}

type_keys()
{
	pane send-keys "$@"
}

# start_speaker: a server that says something all the time, and answers.
start_speaker()
{
	cat >speaker <<-'END'
	#!/bin/sh
	(while sleep 0.05; do echo event; done) &
	while read -r line; do echo "answer to $line"; done
	kill $!
	END
	chmod 755 speaker
	start_server server unixmsg-cat --listen --exec "$here/speaker" \
		--exec-each connection unixpacket s
}

count_events()
{
	grep -c event log
}

await_event()
{
	seen=$(count_events)
	await_true sh -c "[ \"\$(grep -c event log)\" -gt $seen ]"
}

# The kernel keeps what was typed; Ctrl-R shows it again.
a_line_that_is_typed_among_events_is_whole()
{
	start_speaker
	open_pane 'unixmsg-cat --tee log s'
	await_true test -s log
	for key in o n e Space l; do
		type_keys "$key"
		await_event
	done
	type_keys C-r
	await_true is_shown '^one l'
	type_keys i n e Enter
	await_true grep -q '^answer to one line$' log
}

the_end_of_typing_ends_the_talk()
{
	start_server server seqpacket-echo --listen s
	open_pane 'unixmsg-cat --tee log s; echo "status $?" >status'
	type_keys hello Enter
	await_true grep -q hello log
	type_keys C-d
	await_true test -s status
	expect_text status 'status 0'
}

an_interrupt_ends_the_talk()
{
	start_server server seqpacket-echo --listen s
	open_pane 'unixmsg-cat --tee log s; echo "status $?" >status'
	type_keys hello Enter
	await_true grep -q hello log
	type_keys half C-c
	await_true test -s status
	expect_text status 'status 1'
	expect_text log hello
}

a_paste_of_many_lines_is_sent_line_by_line()
{
	start_server server seqpacket-echo --listen s
	open_pane 'unixmsg-cat --tee log s; echo "status $?" >status'
	type_keys hello Enter
	await_true grep -q hello log
	seq -f 'line %g of the paste' 1000 >lines
	pane load-buffer lines
	pane paste-buffer
	await_true grep -q 'line 1000 ' log
	type_keys C-d
	await_true test -s status
	(echo hello && cat lines) | expect_same - log
}

# Whoever takes it on may leave it a zombie.
is_over()
{
	! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null
}

a_terminal_that_is_closed_ends_a_client()
{
	start_server server seqpacket-echo --listen s
	open_pane 'exec unixmsg-cat --tee log s'
	client=$(pane display-message -p '#{pane_pid}')
	type_keys hello Enter
	await_true grep -q hello log
	pane kill-server
	await_true is_over "$client"
}

a_terminal_that_is_closed_ends_a_server()
{
	open_pane 'exec unixmsg-cat --listen --tee log s'
	await_true test -S s
	unixmsg-cat -n s hello
	await_true grep -q hello log
	pane kill-server
	await_true test ! -e s
}

# On a terminal a server has what is typed answer.
what_is_typed_at_a_server_answers()
{
	open_pane 'exec unixmsg-cat --listen --tee log s'
	await_true test -S s
	start client unixmsg-cat -W 30 s question
	await_true grep -q question log
	type_keys 'the answer' Enter
	finish client
	expect_text "$logs/client.out" 'the answer'
}

is_stopped()
{
	grep -q '^State:.T' "/proc/$1/status"
}

# Its process group is that of the terminal.
is_in_front()
{
	awk '{ exit $5 != $8 }' "/proc/$1/stat"
}

# To read would stop it, and a line that nobody reads does not keep it busy.
a_server_in_the_background_leaves_the_terminal_to_others()
{
	open_pane 'exec sh -i'
	type_keys "sh -c 'echo \$\$ >pid; exec unixmsg-cat -l --tee log s'" \
		Enter
	await_true test -S s
	type_keys C-z
	await_true is_stopped "$(cat pid)"
	type_keys 'bg; sleep 1000' Enter
	type_keys 'a line for the shell' Enter
	await_true is_shown '^a line for'
	for message in one two three; do
		run unixmsg-cat -n s "$message"
		await_true grep -q "$message" log
	done
	! is_stopped "$(cat pid)" || fail 'it is stopped'
	type_keys C-c
	type_keys fg Enter
	await_true is_in_front "$(cat pid)"
	start client unixmsg-cat -W 30 s question
	await_true grep -q question log
	type_keys 'the answer' Enter
	finish client
	expect_text "$logs/client.out" 'the answer'
}

for case in a_line_that_is_typed_among_events_is_whole \
	the_end_of_typing_ends_the_talk \
	an_interrupt_ends_the_talk \
	a_paste_of_many_lines_is_sent_line_by_line \
	a_terminal_that_is_closed_ends_a_client \
	a_terminal_that_is_closed_ends_a_server \
	what_is_typed_at_a_server_answers \
	a_server_in_the_background_leaves_the_terminal_to_others; do
	run_case "$case"
done
finish_cases
