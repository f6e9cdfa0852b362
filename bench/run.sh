#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The standard set of measurements, for 'make bench': a report in Markdown, with
# pictures if gnuplot is installed. It also measures peers that are installed;
# the report names missing peers, which are no failure.
#
# BENCH_DIR is the directory of the report (bench-report), BENCH_ROUNDS the
# number of rounds (40), BENCH_SECTIONS the list of sections (all; for example
# compare_relay). The run takes some minutes.

set -u
LC_ALL=C
export LC_ALL
: "${TOOLS:?is the directory of the built tools}"
: "${srcdir:?is the top source directory}"

dir=${BENCH_DIR:-bench-report}
rounds=${BENCH_ROUNDS:-40}
peers=$srcdir/bench/peers
mkdir -p "$dir" || exit 1
work=$(mktemp -d /tmp/unixmsg-bench.XXXXXX) || exit 1
report=$dir/report.md
pids=
missing=
cpu=

# libtool's wrapper script takes longer to start than the tool.
tools=$TOOLS
if [ -x "$TOOLS/.libs/unixmsg-perf" ]; then
	tools=$TOOLS/.libs
	LD_LIBRARY_PATH=$TOOLS/../.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	export LD_LIBRARY_PATH
fi
perf=$tools/unixmsg-perf

clean_up()
{
	for pid in $pids; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	pids=
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

is_there()
{
	command -v "$1" >/dev/null 2>&1
}

say()
{
	printf '%s\n' "$@" >>"$report"
}

# Shows progress to the user who waits.
begin()
{
	echo "bench: $1" >&2
	say '' "## $1" ''
}

miss()
{
	missing="$missing
- $1"
	echo "bench: left out: $1" >&2
}

# bound SECONDS COMMAND...
bound()
{
	timeout --foreground -k 5 "$@"
}

# Prints the output of a command as a literal block.
show()
{
	say '```'
	bound 600 "$@" >>"$report" 2>>"$work/err" ||
		say "failed: $(tail -n 1 "$work/err")"
	say '```'
}

measure()
{
	show "$perf" --rounds "$rounds" "$@"
}

# measure_and_draw NAME ARGUMENTS...
measure_and_draw()
{
	picture=$1.svg
	shift
	if is_there gnuplot; then
		measure --plot "$dir/$picture" "$@"
		say '' "![]($picture)"
	else
		measure "$@"
	fi
}

get_version()
{
	"$@" 2>&1 </dev/null | head -n 1
}

describe_machine()
{
	say '# unixmsg: speed, side by side' '' \
		"unixmsg $PACKAGE_VERSION, $(date -u +%Y-%m-%d)." '' \
		"- kernel: $(uname -srm)" \
		"- CPU: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo |
			head -n 1), $(getconf _NPROCESSORS_ONLN) online" \
		"- hypervisor: $(grep -q hypervisor /proc/cpuinfo &&
			echo yes || echo 'no, or not known')" \
		"- load at the beginning: $(cut -d ' ' -f 1-3 /proc/loadavg)" \
		"- compiler: $(get_version "${CC:-cc}" --version), ${CFLAGS:-}" \
		'' 'Times vary from run to run, ratios vary less. A ratio is' \
		'the median of rounds in which all take turns; a range holds' \
		'the middle half of them.'
}

compare_with_plain()
{
	begin 'Round trips against plain system calls'
	say 'One client, one service, on whatever CPUs the kernel chooses.' ''
	measure_and_draw latency --size 64,1k,64k
	begin 'One way'
	say 'The library in batches of 64, plain calls one by one.' ''
	measure_and_draw throughput --mode throughput --batch 64 \
		--size 64,256,1k,4k,16k,64k
	begin 'Connecting'
	measure --mode connect
	begin 'A thousand clients in turn'
	measure --mode fan --clients 1000 --count 2000 unixpacket
	say '' 'The same on one CPU, where the kernel cannot choose CPUs:' ''
	measure --mode fan --clients 1000 --count 2000 --cpus 0 unixpacket
}

compare_spinning()
{
	begin 'Spinning before sleeping'
	if [ "$(getconf _NPROCESSORS_ONLN)" -lt 2 ]; then
		miss 'two processes on two CPUs: there is one'
	else
		say 'Two CPUs, the library spins for 50 us on both sides,' \
			'plain calls block:' ''
		measure_and_draw spin --cpus 0,1 --spin 50 unixgram \
			unixpacket unix
	fi
	say '' 'Both on one CPU, where spinning cannot help: without it, and' \
		'with it:' ''
	measure --cpus 0 unixgram unixpacket unix
	measure --cpus 0 --spin 50 unixgram unixpacket unix
}

# All servers get the same CPU, because the CPU decides more than the server.
run_there()
{
	if [ -n "$cpu" ]; then
		exec taskset -c "$cpu" "$@"
	fi
	exec "$@"
}

# start_server LABEL COMMAND...: waits until it prints that it listens.
start_server()
{
	label=$1
	shift
	: >"$work/$label.err"
	run_there "$@" >/dev/null 2>"$work/$label.err" </dev/null &
	pids="$pids $!"
	tries=100
	until grep -q listening "$work/$label.err"; do
		tries=$((tries - 1))
		if [ "$tries" -eq 0 ] || ! kill -0 $! 2>/dev/null; then
			miss "$label for $network: it does not start"
			return 1
		fi
		sleep 0.05
	done
	servers="$servers --server $label=$work/$label"
}

# Our tool for a network.
get_tool()
{
	case $1 in
	unixpacket) echo "$tools/seqpacket-echo" ;;
	unix) echo "$tools/unixstream-echo" ;;
	*) echo "$tools/$1-echo" ;;
	esac
}

start_socat()
{
	case $network in
	unixgram) return ;;
	unixpacket) type=,type=5 ;;
	*) type= ;;
	esac
	start_server socat socat -d -d "UNIX-LISTEN:$work/socat$type,fork" PIPE
}

stop_servers()
{
	for pid in $pids; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	pids=
	rm -f "$work/unixmsg" "$work/spinning" "$work/go" "$work/python" \
		"$work/socat" "$work/forward"
}

# compare_servers OPTION...: places the client; the servers run on $cpu.
compare_servers()
{
	servers=
	start_server unixmsg "$(get_tool "$network")" --listen "$work/unixmsg"
	# On the CPU of the client, spinning could only delay the client.
	[ "$cpu" != 1 ] || start_server spinning "$(get_tool "$network")" \
		--spin 50 --listen "$work/spinning"
	[ ! -x "$work/go-echo" ] ||
		start_server go "$work/go-echo" "$network" "$work/go"
	! is_there python3 || start_server python python3 "$peers/echo.py" \
		"$network" "$work/python"
	! is_there socat || start_socat
	# Words on purpose.
	# shellcheck disable=SC2086
	measure "$@" $servers "$network"
	stop_servers
}

compare_servers_everywhere()
{
	begin "Echo servers, one client: $network"
	cpu=
	if ! is_there taskset; then
		compare_servers
		return
	fi
	cpu=0
	compare_servers --cpus 0,0
	[ "$(getconf _NPROCESSORS_ONLN)" -gt 1 ] || return
	cpu=1
	say '' 'On two CPUs. The server "spinning" is our tool, which polls' \
		'for 50 us before it sleeps:' ''
	compare_servers --cpus 0,1
	cpu=
}

build_go()
{
	if ! is_there go; then
		miss 'Go: no go'
		return
	fi
	GOCACHE=$work/go-cache GO111MODULE=off GOTOOLCHAIN=local \
		bound 300 go build -o "$work/go-echo" "$peers/echo.go" \
		2>>"$work/err" || miss 'Go: its echo server does not build'
}

compare_all_servers()
{
	build_go
	is_there python3 || miss 'Python: no python3'
	is_there socat || miss 'socat: not installed'
	is_there taskset || miss 'CPUs for the servers: no taskset'
	for network in unixpacket unix unixgram; do
		compare_servers_everywhere
	done
}

# start_between LABEL COMMAND...: starts a program in front of the first server,
# and waits until its socket is there.
start_between()
{
	label=$1
	shift
	run_there "$@" >/dev/null 2>&1 </dev/null &
	pids="$pids $!"
	tries=100
	until [ -S "$work/$label" ]; do
		tries=$((tries - 1))
		if [ "$tries" -eq 0 ] || ! kill -0 $! 2>/dev/null; then
			miss "$label for $network: it does not start"
			return 1
		fi
		sleep 0.05
	done
	servers="$servers --server $label=$work/$label"
}

# The servers take turns, and each gets its median of answers a second.
compare_windows()
{
	is_built=$1
	say '' "Answers a second of $network, 8 requests of 64 bytes on the way," \
		'the medians of 11 rounds:' ''
	for label in direct tap socat-v; do
		: >"$work/$label.rates"
	done
	i=0
	while [ "$is_built" = yes ] && [ $i -lt 11 ]; do
		for label in direct tap socat-v; do
			[ ! -S "$work/$label" ] || bound 60 \
				${cpu:+taskset -c "$cpu"} "$work/window" \
				"$type" "$work/$label" 8 64 10000 \
				>>"$work/$label.rates" 2>>"$work/err"
		done
		i=$((i + 1))
	done
	say '| server | answers a second |' '| --- | --- |'
	for label in direct tap socat-v; do
		[ ! -s "$work/$label.rates" ] || say "| $label |\
 $(get_median <"$work/$label.rates") |"
	done
}

# The cost of a program between client and server: unixmsg-tap, which records,
# and socat -v.
compare_taps()
{
	begin 'A tap between client and server'
	say 'All on one CPU: on two, the placement of three processes counts' \
		'more than their work.' ''
	cpu=
	! is_there taskset || cpu=0
	is_built=yes
	${CC:-cc} -O2 "$peers/window.c" -o "$work/window" 2>>"$work/err" || {
		is_built=no
		miss 'the window client does not build'
	}
	for network in unixgram unixpacket unix; do
		servers=
		case $network in
		unixgram) type=dgram kind= ;;
		unixpacket) type=seqpacket kind=,type=5 ;;
		unix) type=stream kind= ;;
		esac
		rm -f "$work/tap.pcapng"
		start_server direct "$(get_tool "$network")" --listen \
			"$work/direct"
		start_between tap "$tools/unixmsg-tap" -q \
			-w "$work/tap.pcapng" --listen "$work/tap" \
			"$work/direct"
		[ "$type" = dgram ] || ! is_there socat ||
			start_between socat-v socat -v \
			"UNIX-LISTEN:$work/socat-v$kind,fork" \
			"UNIX-CONNECT:$work/direct$kind"
		# Words on purpose.
		# shellcheck disable=SC2086
		measure ${cpu:+--cpus 0,0} --baseline none $servers "$network"
		compare_windows "$is_built"
		stop_servers
		rm -f "$work/direct" "$work/tap" "$work/socat-v"
	done
	cpu=
}

# start_nats: starts nats-server, and sets nats to its address.
start_nats()
{
	mkfifo "$work/nats.log"
	nats-server -a 127.0.0.1 -p -1 >/dev/null 2>"$work/nats.log" &
	pids="$pids $!"
	# nats-server would end if nobody had the pipe open.
	exec 7<"$work/nats.log"
	while read -r line <&7; do
		case $line in
		*'client connections on '*) nats=${line##* on } ;;
		*'Server is ready'*) return 0 ;;
		esac
	done
	return 1
}

# start_socats: makes the server at direct available at socat-tcp, by two socats
# and TCP.
start_socats()
{
	is_there socat && is_there python3 || return 0
	# A port that was free a moment ago, because socat does not print its
	# port.
	tcp=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	run_there socat \
		"TCP-LISTEN:$tcp,bind=127.0.0.1,reuseaddr,nodelay,fork" \
		"UNIX-CONNECT:$work/direct,type=5" </dev/null >/dev/null 2>&1 &
	pids="$pids $!"
	start_between socat-tcp socat \
		"UNIX-LISTEN:$work/socat-tcp,type=5,fork" \
		"TCP:127.0.0.1:$tcp,nodelay"
}

# start_relayed: starts a server at direct, and two relays that make it
# available at relayed.
start_relayed()
{
	servers=
	network=unixpacket
	start_server direct "$tools/seqpacket-echo" --listen "$work/direct"
	run_there "$tools/unixmsg-relay" -q --export bench -n unixpacket \
		--engine "$nats" "$work/direct" </dev/null >/dev/null 2>&1 &
	pids="$pids $!"
	start_between relayed "$tools/unixmsg-relay" -q --import bench \
		-n unixpacket --engine "$nats" "$work/relayed"
}

# get_round_trip NAME: prints the median in ns.
get_round_trip()
{
	bound 60 "$tools/seqpacket-echo" --stats --count 3000 "$work/$1" \
		2>/dev/null |
		sed -n 's/.*"round_trip_median_ns":\([0-9]*\).*/\1/p'
}

# measure_beside NAME: adds median and p99 of round trips to NAME.beside.
measure_beside()
{
	bound 60 "$tools/seqpacket-echo" --stats --count 3000 \
		"$work/relayed" 2>/dev/null |
		sed -n 's/.*"round_trip_median_ns":\([0-9]*\).*"round_trip_p99_ns":\([0-9]*\).*/\1 \2/p' \
			>>"$work/$1.beside"
}

# get_beside NAME COLUMN: prints the median of the column in microseconds.
get_beside()
{
	awk -v column="$2" '{ print $column / 1000 }' "$work/$1.beside" |
		get_median
}

# compare_stuck: measures a client alone, and beside a client that never reads.
compare_stuck()
{
	is_there python3 || return 0
	mkfifo "$work/stuck" "$work/never"
	i=0
	while [ $i -lt 5 ]; do
		measure_beside alone
		python3 "$peers/stuck.py" "$work/relayed" <>"$work/never" \
			>"$work/stuck" 2>/dev/null &
		stuck=$!
		pids="$pids $stuck"
		bound 30 cat "$work/stuck" >/dev/null
		measure_beside stuck
		kill $stuck 2>/dev/null
		wait $stuck 2>/dev/null
		i=$((i + 1))
	done
	say '' 'Beside a client that never reads, 5 rounds in turn:' '' \
		'| round trip, microseconds | alone | beside it |' \
		'| --- | --- | --- |' \
		"| median | $(get_beside alone 1) | $(get_beside stuck 1) |" \
		"| p99 | $(get_beside alone 2) | $(get_beside stuck 2) |"
	rm -f "$work/stuck" "$work/never"
}

# compare_what_is_kept: shows which promises of packets each way keeps.
compare_what_is_kept()
{
	is_there python3 || return 0
	say '' 'Does it arrive as it was sent?' '' \
		'| way | empty message | many at once | 200,000 bytes | answers'\
' after the end |' '| --- | --- | --- | --- | --- |'
	for way in direct relayed socat-tcp; do
		[ ! -S "$work/$way" ] ||
			say "| $way $(bound 60 python3 "$peers/keeps.py" \
				"$work/$way") |"
	done
}

# measure_relay: runs one round of each way, in turn, and adds its figures to
# relay.rounds.
measure_relay()
{
	bound 60 "$ENGINE_SPEED" "$nats" >"$work/raw" || return
	trip=$(get_round_trip relayed)
	socat=0
	[ ! -S "$work/socat-tcp" ] || socat=$(get_round_trip socat-tcp)
	rate=$(bound 60 "$work/window" seqpacket "$work/relayed" 64 64 20000) ||
		return
	awk -v trip="$trip" -v rate="$rate" -v socat="$socat" '
		{ raw[$1] = $2 }
		END {
			print raw["round_trip_us"], trip / 1000,
				raw["round_trips_per_s"], rate,
				trip / 1000 / raw["round_trip_us"],
				rate / raw["round_trips_per_s"],
				socat / 1000, socat / 1000 / raw["round_trip_us"]
		}' "$work/raw" >>"$work/relay.rounds"
}

get_relay_median()
{
	awk -v column="$1" '{ print $column }' "$work/relay.rounds" |
		get_median
}

# Compares two relays with two plain clients of the same nats-server, made of
# the same code; and with two socats, which have a TCP connection for each
# client.
compare_relay()
{
	begin 'unixmsg-relay'
	is_there nats-server || PATH=$PATH:/usr/sbin
	is_there nats-server || {
		miss 'unixmsg-relay: no nats-server'
		return
	}
	if ! ${CC:-cc} -O2 "$peers/window.c" -o "$work/window" \
		2>>"$work/err" || [ -z "${ENGINE_SPEED:-}" ]; then
		miss 'unixmsg-relay: its clients do not build'
		return
	fi
	if ! start_nats || ! start_relayed; then
		miss 'unixmsg-relay does not start'
		stop_servers
		return
	fi
	start_socats
	: >"$work/relay.rounds"
	i=0
	while [ $i -lt 11 ] && measure_relay; do
		i=$((i + 1))
	done
	exec 7<&-
	[ $i -gt 0 ] || {
		miss 'unixmsg-relay was not measured'
		stop_servers
		return
	}
	say "64 bytes over unixpacket, medians of $i rounds in turn." '' \
		'| what | raw NATS | relayed | ratio |' \
		'| --- | --- | --- | --- |' \
		"| round trip, microseconds | $(get_relay_median 1) |\
 $(get_relay_median 2) | $(get_relay_median 5) |" \
		"| answers a second, 64 on the way | $(get_relay_median 3) |\
 $(get_relay_median 4) | $(get_relay_median 6) |"
	[ ! -S "$work/socat-tcp" ] || say "| round trip, two socat and TCP |\
 $(get_relay_median 1) | $(get_relay_median 7) | $(get_relay_median 8) |"
	compare_stuck
	compare_what_is_kept
	stop_servers
	rm -f "$work/direct" "$work/relayed" "$work/socat-tcp"
}

# The median of the numbers on standard input.
get_median()
{
	sort -n | awk '{ a[NR] = $1 }
		END { if (NR) print (a[int((NR + 1) / 2)] + a[int(NR / 2) + 1]) / 2 }'
}

get_our_ns()
{
	# Words on purpose.
	# shellcheck disable=SC2086
	bound 60 "$perf" --json ${cpu:+--cpus $cpu} --baseline none --rounds 3 --count 300 \
		unixpacket | sed -n 's/.*"ns_per_message":\([0-9.]*\).*/\1/p'
}

# compare_pair LABEL PROGRAM: PROGRAM has both sides, and takes turns with our
# library.
compare_pair()
{
	: >"$work/ratios"
	: >"$work/times"
	i=0
	while [ $i -lt 11 ]; do
		theirs=$(run_there timeout 60 "$2" 64 1000 2>>"$work/err") ||
			break
		ours=$(get_our_ns) || break
		echo "$theirs" >>"$work/times"
		echo "$ours $theirs" | awk '{ print $1 / $2 }' >>"$work/ratios"
		i=$((i + 1))
	done
	if [ $i -eq 0 ]; then
		miss "$1: $(tail -n 1 "$work/err")"
		return
	fi
	say "| $1 | $(get_median <"$work/times" | awk '{ print $1 / 1000 }') |\
 $(get_median <"$work/ratios" | awk '{ printf "%.2f", $1 }') |\
 $(sort -n "$work/ratios" | awk '{ a[NR] = $1 }
		END { printf "%.2f..%.2f", a[3], a[9] }') |"
}

# build_and_compare LABEL SOURCE HEADER LIBRARY
build_and_compare()
{
	if ! echo "#include <$3>" | ${CC:-cc} -E - >/dev/null 2>&1; then
		miss "$1: no <$3>"
	elif ! ${CC:-cc} -O2 "$peers/$2.c" -o "$work/$2" -l"$4" \
		2>>"$work/err"; then
		miss "$1: $peers/$2.c does not build"
	else
		compare_pair "$1" "$work/$2"
	fi
}

compare_pairs()
{
	begin 'Other message libraries, 64 bytes'
	! is_there taskset || cpu=0
	say 'Round trips in microseconds, on one CPU; and the ratio of our' \
		'unixpacket to the peer, in turn.' '' \
		'| peer | median | our ratio | middle half |' \
		'|---|---|---|---|'
	build_and_compare 'ZeroMQ ipc, PAIR' zmq zmq.h zmq
	build_and_compare 'NNG ipc, pair0' nng nng/nng.h nng
	build_and_compare 'libqb ipc, shared memory' qb qb/qbipcc.h qb
	cpu=
}

get_lane_ns()
{
	bound 60 "$TOOLS/../../bench/lanes" 0 1 1 'one way, 64 B, sleeping' |
		sed -n 's/^| one way[^|]*|[^|]*| *\([0-9]*\) .*/\1/p'
}

# compare_rival LABEL SOURCE HEADER BAR FLAG...
compare_rival()
{
	label=$1 source=$2 header=$3 bar=$4
	shift 4
	if ! ${CC:-cc} -O2 "$peers/$source" -o "$work/rival" "$@" \
		2>>"$work/err"; then
		miss "$label: no <$header>, or $source does not build"
		return
	fi
	: >"$work/times"
	: >"$work/ratios"
	i=0
	while [ $i -lt 11 ]; do
		theirs=$(bound 60 "$work/rival" 64 100000 one-way \
			2>>"$work/err") || break
		ours=$(get_lane_ns) || break
		echo "$theirs" >>"$work/times"
		echo "$ours $theirs" | awk '{ print $2 / $1 }' >>"$work/ratios"
		i=$((i + 1))
	done
	[ $i -gt 0 ] || {
		miss "$label: $(tail -n 1 "$work/err")"
		return
	}
	say "| $label | $(get_median <"$work/times") |\
 $(get_median <"$work/ratios" | awk '{ printf "%.2f", $1 }') |\
 $(sort -n "$work/ratios" | awk '{ a[NR] = $1 }
		END { printf "%.2f..%.2f", a[3], a[9] }') | $bar |"
}

# Each job has its processes on two CPUs, or both on the first CPU.
compare_lanes()
{
	begin 'Lanes of unixpacket against plain packets'
	if [ "$(getconf _NPROCESSORS_ONLN)" -lt 2 ]; then
		miss 'lanes: there is one CPU'
		return
	fi
	say 'Nanoseconds for a message, or for a round trip; rings of 1 MiB.' ''
	bound 600 "$TOOLS/../../bench/lanes" 0 1 "$rounds" >>"$report" \
		2>>"$work/err" || miss "lanes: $(tail -n 1 "$work/err")"
	say '' 'Other message libraries, one way, 64 bytes, in turn with a lane' \
		'that sleeps:' '' '| peer | ns | our ratio | middle half | bar |' \
		'|---|---|---|---|---|'
	compare_rival 'ZeroMQ ipc, PAIR' zmq.c zmq.h 4 -lzmq
	compare_rival 'Boost message_queue, a shared lock' boost_queue.cpp \
		boost/interprocess/ipc/message_queue.hpp 1.2 -lstdc++ -lpthread
}

now_ms()
{
	date +%s%N | sed 's/......$//'
}

# Has 50000 messages of 64 bytes echoed, several in flight. Prints the time in
# milliseconds.
time_flight()
{
	before=$(now_ms)
	(run_there timeout 120 "$(get_tool unixpacket)" "$work/$1") \
		<"$work/lines" >"$work/echoed" 2>>"$work/err" &&
		cmp -s "$work/lines" "$work/echoed" &&
		echo $(($(now_ms) - before))
}

time_flights()
{
	seq -f %064.0f 1 50000 >"$work/lines"
	: >"$work/ratios"
	i=0
	while [ $i -lt 11 ]; do
		direct=$(time_flight unixmsg) || break
		passed=$(time_flight forward) || break
		echo "$direct $passed" | awk '{ print $1 / $2 }' >>"$work/ratios"
		i=$((i + 1))
	done
	[ $i -eq 11 ] || miss "messages in flight: $(tail -n 1 "$work/err")"
	say '' "Throughput, several messages in flight:\
 $(get_median <"$work/ratios" | awk '{ printf "%.2f", $1 }') of direct, middle half\
 $(sort -n "$work/ratios" | awk '{ a[NR] = $1 }
		END { printf "%.2f..%.2f", a[3], a[9] }')."
}

# The forwarder has the same CPU as the server.
compare_forwarding()
{
	begin 'A forwarder in front of the server: examples/26-forward'
	! is_there taskset || cpu=0
	servers=
	network=unixpacket
	start_server unixmsg "$(get_tool unixpacket)" --listen "$work/unixmsg" &&
		start_server forward "$TOOLS/../../examples/26-forward" \
			"$work/forward" "$work/unixmsg" || return
	# Words on purpose.
	# shellcheck disable=SC2086
	measure ${cpu:+--cpus 0,0} $servers "$network"
	time_flights
	stop_servers
	cpu=
}

# Runs a tool from start to end, with one message and its answer.
time_tool()
{
	begin 'A tool from start to end, with one message and its answer'
	servers=
	for network in unixgram unixpacket unix; do
		tool=$(get_tool "$network")
		start_server unixmsg "$tool" --listen "$work/unixmsg" || continue
		before=$(now_ms)
		i=0
		while [ $i -lt 50 ]; do
			bound 10 "$tool" "$work/unixmsg" hello >/dev/null
			i=$((i + 1))
		done
		say "- ${tool##*/}: $((($(now_ms) - before) / 50)) ms, with the\
 start of timeout(1) before it"
		stop_servers
	done
}

# run_counted COUNT BASELINE NETWORK COMMAND...: runs unixmsg-perf under
# COMMAND.
run_counted()
{
	counted=$1 baseline=$2 network=$3
	shift 3
	bound 120 "$@" "$perf" --count "$counted" --rounds 1 --warm-up 0 \
		--baseline "$baseline" "$network" >/dev/null 2>"$work/counted"
}

count_calls()
{
	run_counted "$1" "$2" "$3" strace -f -c -o "$work/calls" || return 1
	awk '$NF == "total" { print $4 }' "$work/calls"
}

count_instructions()
{
	run_counted "$1" "$2" "$3" valgrind --tool=callgrind \
		--callgrind-out-file=/dev/null || return 1
	sed -n 's/.*Collected *: *//p' "$work/counted" | tail -n 1
}

# per_message COUNTER BASELINE NETWORK: the difference of two runs.
per_message()
{
	few=$("$1" 200 "$2" "$3") && many=$("$1" 1200 "$2" "$3") &&
		[ -n "$few" ] && [ -n "$many" ] &&
		echo "$few $many" | awk '{ printf "%.2f", ($2 - $1) / 1000 }'
}

# A run of two cases includes the library, so its cost is subtracted.
count_one()
{
	library=$(per_message "$2" none "$1") || return 1
	both=$(per_message "$2" plain "$1") || return 1
	say "| $3, $1 | $library |\
 $(echo "$both $library" | awk '{ printf "%.2f", $1 - $2 }') |"
}

count_costs()
{
	begin 'What a round trip costs besides time'
	say 'System calls are those of both sides (two messages, sent and' \
		'received). Instructions are those of the client outside the' \
		'kernel, including its looks at the clock.' '' \
		'| what | library | plain |' '|---|---|---|'
	for counter in strace:count_calls:'system calls' \
		valgrind:count_instructions:instructions; do
		tool=${counter%%:*}
		rest=${counter#*:}
		if ! is_there "$tool"; then
			miss "${rest#*:}: no $tool"
			continue
		fi
		for network in unixgram unixpacket unix; do
			count_one "$network" "${rest%%:*}" "${rest#*:}" ||
				miss "${rest#*:} of $network: $tool failed"
		done
	done
}

: >"$report"
: >"$work/err"
describe_machine
sections='compare_with_plain compare_spinning compare_all_servers
	compare_forwarding compare_taps compare_relay compare_pairs
	compare_lanes time_tool count_costs'
for section in ${BENCH_SECTIONS:-$sections}; do
	$section
done
is_there gnuplot || miss 'pictures: no gnuplot'
[ -z "$missing" ] || say '' '## Left out' "$missing"
say '' "Load at the end: $(cut -d ' ' -f 1-3 /proc/loadavg)."
echo "bench: see $report" >&2
