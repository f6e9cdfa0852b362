# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Code that the shell tests share. A test sources this file, runs its cases with
# run_case and ends with finish_cases.
#
# A case is a function whose name is a sentence. It runs in its own shell under
# set -e, in an empty private directory with a short path, which is always
# removed at the end. Then the processes of start_server and start are ended, by
# process id.
#
# In a case:
#   run COMMAND...           with a time limit; sets status, and writes the
#                            output to the files $out and $err
#   start NAME COMMAND...    in the background; its process id is in pid
#   start_server NAME COMMAND...
#                            the same, and waits until it says that it listens
#   finish NAME              waits for the end of process NAME; sets status
#   fail WHY, skip WHY       end the case
#
# The output of NAME is in the files $logs/NAME.out and $logs/NAME.err.

set -u
LC_ALL=C
export LC_ALL
umask 022

: "${TOOLS:?is the directory of the built tools}"
: "${srcdir:?is the top source directory}"

passed=0
failed=0
skipped=0

# True if $UNIXMSG_TESTS asks for long tests, see support.h.
# shellcheck disable=SC2034
is_long=false
case ${UNIXMSG_TESTS:-} in
long | full) is_long=true ;;
esac

# The time limit of a command in seconds: enough with sanitizers on a busy
# machine.
limit=${UNIXMSG_LIMIT:-60}

# The command with which root runs a program as another user.
stranger='setpriv --reuid 65534 --regid 65534 --clear-groups'

# In a container root may lack root's rights, or know no other users.
is_root=false
if [ "$(id -u)" -eq 0 ] && { ! command -v setpriv >/dev/null 2>&1 ||
	$stranger true 2>/dev/null; }; then
	is_root=true
fi

# Socket paths are short: a long TMPDIR would leave no room for names.
temp=${TMPDIR:-/tmp}
if [ ${#temp} -gt 40 ]; then
	temp=/tmp
fi
work=$(mktemp -d "$temp/unixmsg-sh.XXXXXX") || exit 99
chmod 711 "$work"

# libtool's wrapper of a program starts a shell, which takes longer than most of
# our tools. So use the program behind it.
mkdir "$work/tools"
for program in "$TOOLS"/*-echo "$TOOLS"/unixmsg-*; do
	[ -x "$program" ] || continue
	if [ "$(head -c 2 "$program")" = '#!' ]; then
		program=$TOOLS/.libs/${program##*/}
	fi
	ln -s "$program" "$work/tools"
done
LD_LIBRARY_PATH=$TOOLS/../.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
TOOLS=$work/tools
logs=$work/logs
out=$logs/out
err=$logs/err
case_shell=

end_test()
{
	if [ -n "$case_shell" ]; then
		kill -TERM "$case_shell" 2>/dev/null
		wait "$case_shell" 2>/dev/null
	fi
	rm -rf "$work"
}
trap end_test EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# True if the tool was built with sanitizers, which make it slow.
is_sanitized()
{
	grep -q -e __asan_init -e __ubsan_handle -e __tsan_init "$TOOLS/$1"
}

# need_time REASON: leaves this test out of quick runs. Call it before the first
# case.
need_time()
{
	$is_long || {
		echo "skip: $1 (UNIXMSG_TESTS=long has it)"
		exit 77
	}
}

is_there()
{
	command -v "$1" >/dev/null 2>&1
}

fail()
{
	echo "$*" >&3
	exit 1
}

skip()
{
	printf '%s\n' "$*" >"$logs/skip"
	exit 77
}

need()
{
	is_there "$1" || skip "$1 is missing"
}

# Prints an abstract name that only this script uses.
abstract_name()
{
	echo "@unixmsg-test-$$"
}

# on_path COMMAND..., on_abstract COMMAND...: runs COMMAND with addresses of
# that kind for a server and its client.
# shellcheck disable=SC2034 # for scripts that source this
on_path()
{
	address=$here/s
	own=$here/own
	"$@"
}

# shellcheck disable=SC2034
on_abstract()
{
	address=$(abstract_name)
	own=$address-own
	"$@"
}

# Prefers the system's python3: a shim in front of it would be slow.
python=python3
[ ! -x /usr/bin/python3 ] || python=/usr/bin/python3

# need_socket_module NAME: skips the case if Python's module socket lacks NAME.
need_socket_module()
{
	need "$python"
	"$python" -c "import socket; socket.$1" ||
		skip "$python has no socket.$1"
}

# build_go SOURCE: builds it once for all cases, if Go is there. Downloads
# nothing, and keeps all files in $work.
go_program=$work/go/program
build_go()
{
	is_there go || return 0
	mkdir -p "$work/go/tmp" "$work/go/path"
	GO111MODULE=off GOPROXY=off GOFLAGS='' GOTOOLCHAIN=local CGO_ENABLED=0 \
		GOPATH=$work/go/path GOCACHE=$work/go/cache \
		GOTMPDIR=$work/go/tmp HOME=$work/go \
		timeout --foreground 200 go build -o "$go_program" \
		"$1" >"$work/go/log" 2>&1 </dev/null || :
}

need_go_program()
{
	need go
	[ -x "$go_program" ] || fail "not built: $(cat "$work/go/log")"
}

# list_help_options TOOL: lists the options that --help prints.
list_help_options()
{
	"$TOOLS/$1" --help | awk '/^ +--?[A-Za-z0-9]/ {
		sub(/^ +/, "")
		# The text follows two spaces or an argument.
		sub(/  .*/, "")
		count = split($0, word, /[ ,;|\[\]]+/)
		for (i = 1; i <= count; i++)
			if (word[i] ~ /^--?[A-Za-z0-9]/)
				print word[i]
	}' | sort -u
}

need_root()
{
	$is_root || skip 'only root with its rights can do that'
}

# need_stranger PROGRAM: skips the case if another user cannot run PROGRAM, for
# example below a closed folder such as /root.
need_stranger()
{
	need_root
	need setpriv
	$stranger test -x "$1" ||
		skip "another user cannot reach $(readlink -f "$1")"
}

# Skips the case if the system gives no pseudo terminal.
need_terminal()
{
	need script
	bound script -q -e -c true /dev/null >/dev/null 2>&1 ||
		skip 'no pseudo terminal is available here'
}

show()
{
	for file; do
		if [ -s "$file" ]; then
			echo "# ${file##*/}:"
			head -c 1000 "$file" | head -n 10 | cat -v |
				cut -c 1-300 | sed 's/^/#   /'
		fi
	done
}

# In the shell of a case: the processes that end with the case.
pids=
end_case()
{
	case_status=$?
	set +e
	trap '' HUP INT TERM
	for pid in $pids; do
		kill -KILL "$pid" 2>/dev/null
	done
	for pid in $pids; do
		wait "$pid" 2>/dev/null
	done
	exit "$case_status"
}

enter_case()
{
	trap end_case EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	cd "$work/here" || exit 1
	XDG_RUNTIME_DIR=$work/run
	TMPDIR=$work/tmp
	export XDG_RUNTIME_DIR TMPDIR
	here=$work/here
	set -e
}

# run_case FUNCTION [LABEL [WRAPPER]]: LABEL tells two runs of one case apart.
# WRAPPER is a function that prepares the case, and then calls its argument.
# $UNIXMSG_CASE selects one case by its name.
run_case()
{
	case ${UNIXMSG_CASE:-$1} in
	"$1") ;;
	*) return ;;
	esac
	# shellcheck disable=SC2086 # into words
	title=$(IFS=_ && echo $1)${2:+ ($2)}
	rm -rf "$work/here" "$work/run" "$work/tmp" "$logs"
	mkdir -m 711 "$work/here" "$work/run" "$work/tmp" "$logs"
	(
		enter_case
		${3:-} "$1"
	) 3>"$logs/why" >"$logs/case.out" 2>"$logs/case.err" </dev/null &
	case_shell=$!
	wait "$case_shell"
	case_status=$?
	case_shell=
	case $case_status in
	0)
		passed=$((passed + 1))
		echo "ok - $title"
		;;
	77)
		skipped=$((skipped + 1))
		echo "skip - $title: $(cat "$logs/skip")"
		;;
	*)
		failed=$((failed + 1))
		echo "not ok - $title"
		if [ -s "$logs/why" ]; then
			sed 's/^/# /' "$logs/why"
		else
			echo "# a command failed with status $case_status"
		fi
		show "$logs"/*err "$logs"/*out
		;;
	esac
}

finish_cases()
{
	echo "cases: $passed passed, $failed failed, $skipped skipped"
	if [ "$failed" -gt 0 ]; then
		exit 1
	fi
	if [ "$passed" -eq 0 ]; then
		exit 77
	fi
	exit 0
}

# Leaves the command in the process group of the harness, so that the time limit
# of the harness ends all of it.
bound()
{
	timeout --foreground -k 5 "$limit" "$@"
}

run()
{
	status=0
	bound "$@" >"$out" 2>"$err" || status=$?
}

# run_well COMMAND...: the same, and its status is 0.
run_well()
{
	run "$@"
	expect_status 0 "$(cat "$err")"
}

# launch NAME OUT ERR COMMAND...: starts COMMAND in the background. There a
# shell replaces standard input, so this passes it by another descriptor.
# COMMAND does not get the descriptors 5 and 6 of the case, which would keep a
# fifo open.
launch()
{
	launched=$1
	launched_out=$2
	launched_err=$3
	shift 3
	exec 4<&0
	"$@" <&4 >"$launched_out" 2>"$launched_err" 3>&- 4<&- 5<&- 6<&- &
	pid=$!
	exec 4<&-
	echo "$pid" >"$logs/$launched.pid"
	pids="$pids $pid"
}

# Standard output goes to $logs/NAME.out unless stdout names another file.
stdout=
start()
{
	launch_name=$1
	shift
	launch "$launch_name" "${stdout:-$logs/$launch_name.out}" \
		"$logs/$launch_name.err" "$@"
}

# relay FILE FIFO TEXT: copies standard input to FILE, and writes to FIFO when a
# line with TEXT, or the end, has arrived.
relay()
{
	exec 3>&- 5<&- 6<&-
	while IFS= read -r line; do
		printf '%s\n' "$line" >>"$1"
		case $line in
		*"$3"*) break ;;
		esac
	done
	echo ready >"$2"
	cat >>"$1"
}

# start_and_see NAME TEXT COMMAND...: starts COMMAND, and waits until TEXT
# appears on its standard error.
start_and_see()
{
	seen_name=$1
	seen_text=$2
	shift 2
	rm -f "$logs/$seen_name.ready" "$logs/$seen_name.pipe"
	mkfifo "$logs/$seen_name.ready" "$logs/$seen_name.pipe"
	: >"$logs/$seen_name.err"
	relay "$logs/$seen_name.err" "$logs/$seen_name.ready" \
		"$seen_text" \
		<"$logs/$seen_name.pipe" >/dev/null 2>&1 &
	echo "$!" >"$logs/$seen_name.relay"
	pids="$pids $!"
	launch "$seen_name" "${stdout:-$logs/$seen_name.out}" \
		"$logs/$seen_name.pipe" "$@"
	bound cat "$logs/$seen_name.ready" >/dev/null </dev/null ||
		fail "$seen_name: has not said '$seen_text' in time"
	grep -q -F -e "$seen_text" "$logs/$seen_name.err" ||
		fail "$seen_name: ended and has not said '$seen_text'"
}

start_server()
{
	server_name=$1
	shift
	start_and_see "$server_name" ': listening on ' "$@"
}

# Waits until a process started here has ended.
await()
{
	bound tail -s 0.02 --pid="$1" -f /dev/null </dev/null ||
		fail "process $1 has not ended in time"
}

# finish NAME: waits for the end of the process, and of its output.
finish()
{
	pid=$(cat "$logs/$1.pid")
	await "$pid"
	status=0
	wait "$pid" || status=$?
	if [ -e "$logs/$1.relay" ]; then
		await "$(cat "$logs/$1.relay")"
	fi
}

# finish_well NAME: the same, and its status is 0.
finish_well()
{
	finish "$1"
	expect_status 0 "$(cat "$logs/$1.err")"
}

# The fifo input, with this shell at its other end: descriptor 5.
hold_input()
{
	mkfifo input
	exec 5<>input
}

# await_true COMMAND...: tries COMMAND until it succeeds, for changes that no
# event reports.
await_true()
{
	tries=$((limit * 10))
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "never came true: $*"
		sleep 0.05
	done
}

signal()
{
	kill "-$2" "$(cat "$logs/$1.pid")"
}

# end NAME SIGNAL: sends it, and waits for the end.
end()
{
	signal "$1" "$2"
	finish "$1"
}

# end_well NAME: SIGTERM ends the server, which has nothing to complain of.
end_well()
{
	signal "$1" TERM
	finish_well "$1"
}

# stop_server NAME: the same, and its file at $here/s is gone.
stop_server()
{
	end_well "$1"
	expect_gone "$here/s"
}

# The tool that speaks that network.
echo_of()
{
	case $1 in
	unixgram) echo unixgram-echo ;;
	unixpacket) echo seqpacket-echo ;;
	unix) echo unixstream-echo ;;
	esac
}

expect_status()
{
	[ "$status" -eq "$1" ] || fail "status is $status, not $1${2:+: $2}"
}

expect_same()
{
	cmp "$1" "$2" >&3 || fail "$1 and $2 differ"
}

# expect_text FILE TEXT: FILE holds TEXT and a newline, and nothing else.
expect_text()
{
	printf '%s\n' "$2" >"$logs/wanted"
	expect_same "$logs/wanted" "$1"
}

expect_empty()
{
	[ ! -s "$1" ] || fail "$1 is not empty"
}

expect_match()
{
	grep -q -e "$2" "$1" || fail "nothing in $1 is like '$2'"
}

expect_gone()
{
	if [ -e "$1" ] || [ -L "$1" ]; then
		fail "$1 is there"
	fi
}

expect_printable()
{
	tr -d '[:print:]\n' <"$1" >"$logs/unprintable"
	[ ! -s "$logs/unprintable" ] || fail "$1 has control characters"
}

# expect_complaint STATUS [WHAT]: $err has one line of $tool, which the test has
# set, and $out is empty. Some cases call this a hundred times, so it starts no
# process.
expect_complaint()
{
	expect_status "$1" "${2:-}"
	expect_empty "$out"
	{ IFS= read -r complaint && ! IFS= read -r _; } <"$err" ||
		fail "not one line on stderr${2:+: $2}"
	case $complaint in
	*[![:print:]]*) fail "$err has control characters" ;;
	"${tool:?}: "?*) ;;
	*) fail "no complaint of $tool: $complaint" ;;
	esac
}

# expect_told STATUS TEXT: TEXT stands somewhere in what was complained of.
expect_told()
{
	expect_status "$1" "$(cat "$err")"
	grep -q -F -e "$2" "$err" || fail "not told: $2 ($(cat "$err"))"
	expect_printable "$err"
}

# Replaces what differs between runs: numbers, names that the kernel or the
# library chooses, and paths of the user.
generalise()
{
	sed -e "s|$XDG_RUNTIME_DIR|/run/user/1000|g" \
		-e 's/[0-9a-f]\{16\}/NAME/g' -e 's/@[0-9a-f]\{5\},/@NAME,/g' \
		-e 's/unixmsg-[0-9][0-9]*/unixmsg-N/g' \
		-e 's/[0-9][0-9.]*/N/g' -e 's/  */ /g' -e 's/ $//' "$@"
}

# is_like WANTED LINE: "..." in WANTED stands for any text.
is_like()
{
	pattern=$(printf '%s\n' "$1" | sed 's/[][*?\\]/\\&/g; s/\.\.\./*/g')
	case $2 in
	$pattern) return 0 ;;
	esac
	return 1
}

# expect_like WANTED PRINTED: compares two files. In WANTED, a number stands for
# any number, "..." for any text, a line of "..." for any lines, and <empty> for
# an empty line.
expect_like()
{
	generalise "$1" >"$logs/wanted.lines"
	generalise "$2" >"$logs/printed.lines"
	exec 7<"$logs/printed.lines"
	is_any=false
	while IFS= read -r wanted; do
		case $wanted in
		'...' | ' ...')
			is_any=true
			continue
			;;
		'<empty>') wanted= ;;
		esac
		while :; do
			IFS= read -r printed <&7 ||
				fail "not printed: $wanted (printed: $(cat "$2"))"
			! is_like "$wanted" "$printed" || break
			$is_any || fail "'$printed' instead of '$wanted'"
		done
		is_any=false
	done <"$logs/wanted.lines"
	exec 7<&-
}

# Lists all files in the case's directories, to find changes.
list_files()
{
	find "$here" "$XDG_RUNTIME_DIR" "$TMPDIR" \
		-mindepth 1 -printf '%p %y %i %m %U %G %s %l\n' | sort
}

# get_counter FILE NAME: prints a counter of the last object that --stats has
# written to FILE.
get_counter()
{
	grep '^{"network":' "$1" | tail -n 1 |
		sed -n "s/.*\"$2\":\\([0-9]*\\).*/\\1/p"
}

expect_counter()
{
	value=$(get_counter "$1" "$2")
	[ "$value" = "$3" ] || fail "$2 in $1 is '$value', not $3"
}
