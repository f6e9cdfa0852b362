#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unixmsg-relay with a real nats-server: what clients see directly they see
# through two relays, and what happens when something on the way ends.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154,SC2086
set -u

tool=unixmsg-relay
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
PATH=$TOOLS:$PATH:/usr/sbin:/sbin
export PATH
peer=$srcdir/tests/relay/peer.py

# start_engine [LINE]...: sets engine; at the port that it had. on is a command
# before it.
on=
engine=
start_engine()
{
	[ -n "$engine" ] || {
		start_server port "$python" "$peer" port
		engine=127.0.0.1:$(sed 's/.* //' "$logs/port.err")
	}
	{
		echo "listen: \"$engine\""
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$logs/nats.conf"
	start_and_see nats 'Server is ready' $on nats-server -c "$logs/nats.conf"
}

end_engine()
{
	end nats KILL
}

# start_service NETWORK [OPTION]...: at service.
start_service()
{
	service_network=$1
	shift
	start_server service "$(echo_of $service_network)" --listen "$@" service
}

# start_export NETWORK [OPTION]...: of service.
start_export()
{
	network=$1
	shift
	start_and_see export 'can be reached as' unixmsg-relay --export it \
		--network $network --engine "$engine" --stats "$@" service
}

# start_import NETWORK [OPTION]...: at front.
front=front
start_import()
{
	network=$1
	shift
	start_server import unixmsg-relay --import it --network $network \
		--engine "$engine" --stats "$@" $front
}

start_all()
{
	start_engine
	start_service $1
	start_export $1
	start_import $1
}

# talk ROLE ARGUMENT...: a client that succeeds.
talk()
{
	run_well "$python" "$peer" "$@"
}

# ask NETWORK ADDRESS MESSAGE: an echo comes back, from a server that may not be
# there yet.
ask()
{
	run_well "$(echo_of $1)" --wait $limit --timeout $limit "$2" "$3"
	expect_text "$out" "$3"
}

# counters NAME: what a relay has counted up to now, in $logs/NAME.counters.
counters()
{
	reports=$(wc -l <"$logs/$1.out")
	signal $1 USR1
	waits=$((limit * 50))
	until [ "$(wc -l <"$logs/$1.out")" -gt $reports ]; do
		waits=$((waits - 1))
		[ $waits -gt 0 ] || fail "$1 reports nothing"
		sleep 0.02
	done
	tail -n 1 "$logs/$1.out" >"$logs/$1.counters"
}

# get NAME COUNTER
get()
{
	sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p" "$logs/$1.counters"
}

# has NAME COUNTER VALUE: now.
has()
{
	counters $1
	[ "$(get $1 $2)" -eq "$3" ]
}

# --- The same with relays as without --------------------------------------------

packets_are_the_same()
{
	start_all unixpacket
	start_server half "$python" "$peer" half half
	start_and_see export2 'can be reached as' unixmsg-relay --export half \
		-n unixpacket --engine $engine half
	start_server import2 unixmsg-relay --import half -n unixpacket \
		--engine $engine half-front
	talk packet service half
	cp "$out" "$logs/direct"
	talk packet front half-front
	expect_same "$logs/direct" "$out"
	expect_match "$out" '212900 bytes'
	expect_match "$out" "half-close .*1 bytes b'2'"
}

datagrams_are_the_same()
{
	start_engine
	start_service unixgram --format hex
	start_export unixgram
	start_import unixgram
	mkdir direct relayed
	(cd direct && talk gram ../service && cp "$out" "$logs/direct")
	(cd relayed && talk gram ../front && cp "$out" "$logs/relayed")
	expect_same "$logs/direct" "$logs/relayed"
	expect_match "$logs/relayed" '212900 bytes'
	await_true sh -c "[ \$(grep -c 66726f6d206e6f626f6479 \
		$logs/service.out) -eq 2 ]"
}

# Programs that know nothing of relays, and send what a log or a supervisor gets.
programs_of_others_are_relayed()
{
	start_engine
	start_server service unixmsg-cat --listen unixgram service
	start_export unixgram
	start_import unixgram
	if is_there logger; then
		run_well logger --socket front --tag test 'hello logger'
		await_true grep -q 'test: hello logger' "$logs/service.out"
	fi
	if is_there systemd-notify; then
		run_well env NOTIFY_SOCKET="$here/front" systemd-notify \
			--no-block --ready
		await_true grep -q '^READY=1' "$logs/service.out"
	fi
	if is_there socat; then
		echo 'hello socat' | run socat -u - UNIX-SENDTO:front
		expect_status 0 "$(cat "$err")"
		await_true grep -q '^hello socat' "$logs/service.out"
	fi
}

rsyslogd_gets_the_lines_of_logger()
{
	need rsyslogd
	need logger
	start_engine
	cat >rsyslog.conf <<-EOF
		module(load="imuxsock" SysSock.Use="off")
		input(type="imuxsock" Socket="$here/log" CreatePath="off")
		*.* $here/lines
	EOF
	start rsyslogd rsyslogd -n -f "$here/rsyslog.conf" -i "$here/pid"
	await_true test -S log -o ! -d "/proc/$pid"
	[ -S log ] || skip 'rsyslogd does not run here'
	start_and_see export 'can be reached as' unixmsg-relay --export log \
		-n unixgram --engine $engine log
	start_server import unixmsg-relay --import log -n unixgram \
		--engine $engine front
	run_well logger --socket front --tag test 'hello rsyslogd'
	await_true grep -q 'test: hello rsyslogd' lines
}

# statsd of npm, and Debian's python3-statsd.
statsd_counts_what_its_client_sends()
{
	need statsd
	"$python" -c 'import statsd' 2>/dev/null ||
		skip "$python has no module statsd"
	start_engine
	cat >config.js <<-EOF
		{
			servers: [{server: "./servers/tcp",
				socket: "$here/service"}],
			mgmt_port: 0, mgmt_address: "127.0.0.1",
			backends: ["./backends/console"], flushInterval: 200
		}
	EOF
	start statsd statsd config.js
	await_true test -S service
	start_export unix
	start_import unix
	run "$python" -c 'import statsd
client = statsd.UnixSocketStatsClient("front")
client.incr("visits", 3)
client.gauge("load", 7)'
	expect_status 0 "$(cat "$err")"
	await_true grep -q "visits: 3" "$logs/statsd.out"
	await_true grep -q "load: 7" "$logs/statsd.out"
}

# It asks, from a socket of its own, and gets answers.
wpa_cli_reaches_wpa_supplicant()
{
	need_root
	need wpa_supplicant
	need wpa_cli
	start_engine
	start wpa wpa_supplicant -D wired -i lo -C "$here/ctrl"
	tries=$((limit * 20))
	until [ -S ctrl/lo ]; do
		tries=$((tries - 1))
		if [ $tries -eq 0 ] || ! kill -0 $pid 2>/dev/null; then
			skip 'wpa_supplicant does not run here'
		fi
		sleep 0.05
	done
	mkdir front
	start_and_see export 'can be reached as' unixmsg-relay --export wpa \
		-n unixgram --engine $engine ctrl/lo
	start_server import unixmsg-relay --import wpa -n unixgram \
		--engine $engine front/lo
	run_well wpa_cli -p "$here/front" -i lo ping
	expect_text "$out" PONG
	run wpa_cli -p "$here/ctrl" -i lo status
	cp "$out" direct
	run_well wpa_cli -p "$here/front" -i lo status
	expect_same direct "$out"
}

bytes_are_the_same()
{
	start_all unix
	talk bytes_ service
	cp "$out" "$logs/direct"
	talk bytes_ front
	expect_same "$logs/direct" "$out"
	expect_text "$out" 'bytes 1000000 True'
}

# Whatever clients are called, nothing of it gets into a subject.
subjects_are_made_of_names_and_numbers()
{
	start_engine 'trace: true'
	start_service unixgram
	start_export unixgram
	start_import unixgram
	talk gram front
	sed -n 's/.*\[PUB \([^ ]*\) \([^ ]*\) [0-9]*\].*/\1\n\2/p' \
		"$logs/nats.err" >subjects
	[ -s subjects ] || fail "nats-server traces nothing"
	if grep -v -E '^uxg\.1\.[A-Za-z0-9_.-]+$' subjects >odd; then
		fail "odd subjects: $(cat odd)"
	fi
}

# --- The address ------------------------------------------------------------

the_address_is_there_while_the_service_answers()
{
	start_engine
	start_service unixpacket
	start_export unixpacket
	start_import unixpacket --grace 0.2
	end service KILL
	await_true test ! -e front
	start_service unixpacket
	await_true test -e front
	ask unixpacket front again
}

# The socket of before still sends to the clients of before.
an_abstract_address_comes_back()
{
	front=$(abstract_name)
	start_engine
	start_service unixgram
	start_export unixgram
	start_import unixgram --grace 0.2
	ask unixgram $front before
	end service KILL
	await_true grep -q 'clients find no server' "$logs/import.err"
	start_service unixgram
	await_true grep -q 'is there again' "$logs/import.err"
	ask unixgram $front after
	if grep 'in use' "$logs/import.err" >&3; then
		fail 'the name was not free'
	fi
}

a_relay_waits_for_its_engine()
{
	start_engine
	end_engine
	start_service unixpacket
	start_and_see export 'engine: ' unixmsg-relay --export it \
		-n unixpacket --engine $engine service
	start_and_see import 'engine: ' unixmsg-relay --import it \
		-n unixpacket --engine $engine front
	expect_gone front
	start_engine
	ask unixpacket front hello
}

a_client_finds_no_server_without_an_engine()
{
	start_engine
	start_service unixgram
	start_export unixgram
	start_import unixgram --grace 0.2
	ask unixgram front before
	end_engine
	await_true test ! -e front
	start_engine
	ask unixgram front after
}

clients_are_blocked_while_the_engine_is_down()
{
	start_engine
	start_service unixgram
	start_export unixgram
	start_import unixgram --grace 0 --on-engine-down block
	ask unixgram front before
	end_engine
	await_true has import engine_up 0
	start asker unixgram-echo --timeout $limit front blocked
	# There is no grace: the export must be there first.
	signal import STOP
	start_engine
	await_true has export engine_up 1
	signal import CONT
	finish_well asker
	expect_text "$logs/asker.out" blocked
}

datagrams_are_dropped_and_counted_while_the_engine_is_down()
{
	start_engine
	start_service unixgram
	start_export unixgram
	start_import unixgram --on-engine-down drop
	end_engine
	await_true has import engine_up 0
	run_well unixmsg-cat --send-only unixgram front one two three
	await_true has import lost_engine_down 3
	[ "$(get import taken)" -eq 3 ] || fail "not three were taken"
}

# --- Faults -----------------------------------------------------------------

# start_numbers: a client whose first numbers have come back.
start_numbers()
{
	mkfifo ready
	start client "$python" "$peer" numbers front ready
	bound cat ready >/dev/null || fail "no number comes back"
}

expect_prefix()
{
	finish client
	expect_status 0 "$(cat "$logs/client.out" "$logs/client.err")"
	expect_text "$logs/client.out" 'a prefix'
}

a_killed_engine_leaves_a_prefix()
{
	start_all unixpacket
	start_numbers
	end_engine
	expect_prefix
	start_engine
	await_true has export engine_up 1
	ask unixpacket front again
	counters import
	[ "$(get import resets_engine)" -eq 1 ] || fail "no reset is counted"
}

a_killed_export_leaves_a_prefix()
{
	start_all unixpacket
	start_numbers
	end export KILL
	expect_prefix
	start_export unixpacket
	ask unixpacket front again
}

a_killed_import_leaves_a_prefix()
{
	start_all unixpacket
	start_numbers
	end import KILL
	expect_prefix
	await_true has export open 0
	[ "$(get export peers)" -eq 0 ] || fail "the service keeps a client"
	start_import unixpacket
	ask unixpacket front again
}

a_killed_service_leaves_a_prefix()
{
	start_all unixpacket
	start_numbers
	end service KILL
	expect_prefix
	start_service unixpacket
	await_true has export service_up 1
	ask unixpacket front again
}

a_stopped_engine_loses_nothing()
{
	start_all unixpacket
	mkfifo ready
	start client "$python" "$peer" numbers front ready 20000
	bound cat ready >/dev/null || fail "no number comes back"
	signal nats STOP
	counters import
	signal nats CONT
	expect_prefix
	counters import
	counters export
	[ "$(get import published)" -ge 20000 ] || fail "not all were published"
	[ "$(get import resets_engine)" -eq 0 ] || fail "the session was reset"
}

# draw COUNT: sets drawn to one of 0 to COUNT - 1, as the seed has it.
draw()
{
	seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
	drawn=$(((seed >> 16) % $1))
}

# What is lost is counted, on both sides.
expect_books()
{
	taken=$(get $1 published)
	for name in engine_down too_large descriptors memory unknown; do
		taken=$((taken + $(get $1 lost_$name)))
	done
	arrived=$(($(get $1 delivered) + $(get $1 queued)))
	for name in queue late refused clients gone failed; do
		arrived=$((arrived + $(get $1 lost_$name)))
	done
	if [ "$(get $1 taken)" -ne $taken ] ||
		[ "$(get $1 arrived)" -ne $arrived ]; then
		fail "$step: $(cat "$logs/$1.counters")"
	fi
}

# restart NAME: what was killed.
restart()
{
	case $1 in
	nats) start_engine ;;
	service) start_service unixpacket ;;
	export) start_export unixpacket ;;
	import) start_import unixpacket ;;
	esac
}

is_all_well()
{
	has export engine_up 1 && has export service_up 1 &&
		has import engine_up 1 && has import service_up 1
}

# A client in the middle of its numbers, one that is ended or stopped for a
# moment, and what is left of the client.
play_fault()
{
	draw 4
	for victim in nats service export import; do
		[ $drawn -gt 0 ] || break
		drawn=$((drawn - 1))
	done
	draw 2
	how=KILL
	[ $drawn -eq 0 ] || how=STOP
	step="seed $first_seed, fault $faults: $how $victim"
	echo "$step" >"$logs/step.out"
	rm -f ready
	mkfifo ready
	start client "$python" "$peer" numbers front ready 3000 \
		patient
	bound cat ready >/dev/null || fail "$step: no number comes back"
	signal $victim $how
	if [ $how = STOP ]; then
		draw 3
		bound head -c $((drawn * 4000000)) /dev/zero >/dev/null
		signal $victim CONT
	else
		finish $victim
	fi
	expect_prefix
	[ $how = STOP ] || restart $victim
	await_true is_all_well
	await_true has import open 0
	await_true has export open 0
	expect_books import
	expect_books export
	await_true seqpacket-echo --timeout 5 front "$step"
}

# With UNIXMSG_TESTS=full more of them, from a seed that is new each time.
faults_at_random_leave_prefixes()
{
	faults=6
	first_seed=${SEED:-20}
	if [ "${UNIXMSG_TESTS:-}" = full ]; then
		faults=100
		first_seed=${SEED:-$(date +%s)}
	fi
	seed=$first_seed
	start_all unixpacket
	while [ $faults -gt 0 ]; do
		play_fault
		faults=$((faults - 1))
	done
}

# More than the engine has room for: the rest waits, as the clients do.
a_full_engine_makes_clients_wait()
{
	start_engine
	start_service unixpacket
	start_export unixpacket --window 24000000
	start_import unixpacket --window 24000000
	mkfifo ready go
	start client "$python" "$peer" blast front ready go 100 200000
	bound cat ready >/dev/null || fail "no connection"
	signal nats STOP
	echo go >go
	await_true is_holding
	signal nats CONT
	finish client
	expect_status 0 "$(cat "$logs/client.out" "$logs/client.err")"
	expect_text "$logs/client.out" all
}

# Each connection may hold a message, whatever others hold.
a_full_engine_resets_nobody()
{
	start_all unixpacket
	mkfifo ready go
	start client "$python" "$peer" crowd front ready go 120
	bound cat ready >/dev/null || fail "no connections"
	signal nats STOP
	echo go >go
	await_true has import taken 240
	signal nats CONT
	finish_well client
	expect_text "$logs/client.out" 120
}

is_holding()
{
	counters import
	[ "$(get import held_bytes)" -gt 0 ]
}

a_wrong_number_resets_both_ends()
{
	start_all unixpacket
	start_server skip "$python" "$peer" skip $engine
	start client "$python" "$peer" numbers front ready
	expect_prefix
	finish_well skip
	await_true has import open 0
	await_true has export open 0
	[ $(($(get import resets_gap) + $(get export resets_gap))) -eq 1 ] ||
		fail "$(cat "$logs/import.counters" "$logs/export.counters")"
	[ $(($(get import resets_there) + $(get export resets_there))) -eq 1 ] ||
		fail "$(cat "$logs/import.counters" "$logs/export.counters")"
	ask unixpacket front again
}

# Only 503 tells that nobody is there.
another_status_ends_nothing()
{
	for network in unixpacket unixgram; do
		start_all $network
		start_server statuses "$python" "$peer" statuses $engine $network
		start client "$(echo_of $network)" --count 1000000 -q front
		finish_well statuses
		await_true is_more_than import strange 0
		await_true is_more_than export strange 0
		counters import
		[ "$(get import service_up)" -eq 1 ] || fail 'clients are gone'
		[ $(($(get import resets_absent) + $(get import returned) +
			$(get import lost_unknown))) -eq 0 ] ||
			fail "$(cat "$logs/import.counters")"
		counters export
		[ $(($(get export resets_absent) + $(get export returned) +
			$(get export lost_unknown))) -eq 0 ] ||
			fail "$(cat "$logs/export.counters")"
		for name in client import export service nats; do
			end $name KILL
		done
		engine=
	done
}

# The service has not accepted yet, and nobody would get it.
a_message_before_the_service_is_connected_resets()
{
	start_engine
	mkfifo go
	start_and_see early bound "$python" "$peer" early $engine service go
	start_export unixpacket
	echo go >go
	finish early
	expect_text "$logs/early.out" 'frame of type 8'
	has export resets_gap 1 || fail "$(cat "$logs/export.counters")"
}

garbage_harms_nobody()
{
	for network in unixpacket unixgram; do
		start_all $network
		talk garbage $engine
		ask $network front hello
		has export engine_lost 0 || fail 'the engine was lost'
		[ "$(get export strange)" -gt 0 ] || fail 'nothing is strange'
		for name in import export service nats; do
			end $name KILL
		done
		engine=
	done
}

a_relay_that_is_stopped_for_long_is_left()
{
	start_all unixpacket
	start_numbers
	signal export STOP
	expect_prefix
	counters import
	[ "$(get import resets_silent)" -eq 1 ] || fail "no silence is counted"
	signal export CONT
	await_true has export open 0
}

# Both directions are full: nobody reads, neither the client nor the service.
a_client_that_dies_while_all_is_full_is_forgotten()
{
	start_engine
	start_service unixpacket
	start_export unixpacket --window 4096
	start_import unixpacket --window 4096
	mkfifo ready never
	start stuck "$python" "$peer" stuck front ready <>never
	bound cat ready >/dev/null || fail "there is room for everything"
	end stuck KILL
	await_true has import open 0
	await_true has export open 0
	[ "$(get export peers)" -eq 0 ] || fail "the service keeps a client"
}

# The service goes on sending, and its client must not wait for ever.
a_service_that_reads_no_more_gives_credit()
{
	start_engine
	mkfifo go ready
	start_server deaf "$python" "$peer" deaf service go
	start_export unixpacket --window 4096
	start_import unixpacket --window 4096
	start insist "$python" "$peer" insist front ready 400
	bound cat ready >/dev/null || fail "there is room for everything"
	await_true is_more_than export queued 0
	echo go >go
	finish_well insist
	printf "%s\n" "4 bytes b'deaf'" sent >wanted
	expect_same wanted "$logs/insist.out"
	is_more_than export lost_gone 399 || fail "$(cat "$logs/export.counters")"
}

# start_late [end]: a client whose service has ended, and that has not read yet
# what its relay has for it. Another one shows that all has arrived.
start_late()
{
	start_engine
	start_server bulk "$python" "$peer" bulk service 60
	start_export unixpacket --host there
	start_import unixpacket --host here
	mkfifo go
	"${before_late:-:}"
	start late "$python" "$peer" late front go "$@"
	await_true is_arrived_here 60
	talk late front /dev/null
	expect_text "$out" 60
	counters import
	[ "$(get import queued)" -gt 0 ] || fail 'the client has all already'
}

is_arrived_here()
{
	has import arrived "$1"
}

# finish_late COUNTER...: it has got all, and these have counted it.
finish_late()
{
	echo go >go
	finish_well late
	expect_text "$logs/late.out" 60
	await_true has import open 0
	ended=$(get import sessions_ended)
	for name in here there absent silent 'engine' gap message memory; do
		ended=$((ended + $(get import resets_$name)))
	done
	[ $ended -eq 2 ] || fail "$(cat "$logs/import.counters")"
	[ "$(get import $1)" -gt 0 ] || fail "$(cat "$logs/import.counters")"
}

a_session_that_is_over_outlasts_its_engine()
{
	start_late end
	end_engine
	await_true has import engine_up 0
	finish_late sessions_ended
	[ "$(get import sessions_ended)" -eq 2 ] || fail 'not both have ended'
}

what_arrived_before_the_end_outlasts_the_engine()
{
	start_late
	end_engine
	await_true has import engine_up 0
	finish_late resets_engine
}

what_arrived_before_the_end_outlasts_the_export()
{
	start_late
	end export KILL
	await_true has import resets_absent 1
	finish_late resets_absent
}

a_session_ends_once()
{
	before_late=start_ender
	start_late end
	finish ender
	finish_late sessions_ended
}

start_ender()
{
	start_server ender "$python" "$peer" end_twice $engine here
}

# The service waits for somebody who reads, and its relay for the service.
all_of_a_client_that_is_gone_arrives()
{
	start_engine
	start_server talker "$python" "$peer" talker service
	start_export unixpacket
	start_import unixpacket
	talk leave front 40
	finish_well talker
	expect_text "$logs/talker.out" 40
	await_true has export open 0
}

# What a client sends and a service gets, when both have ended in order.
books_add_up()
{
	start_all unixpacket
	run_well seqpacket-echo --count 5000 front
	await_true has import open 0
	await_true has export open 0
	for name in import export; do
		[ "$(get $name taken)" -eq 5000 ] || fail "$name: taken"
		[ "$(get $name published)" -eq 5000 ] || fail "$name: published"
		[ "$(get $name arrived)" -eq 5000 ] || fail "$name: arrived"
		[ "$(get $name delivered)" -eq 5000 ] || fail "$name: delivered"
		[ "$(get $name sessions_ended)" -eq 1 ] || fail "$name: ended"
	done
}

# Of what is sent to a service that is stopped its queue has the first part, the
# relay a bounded one, and the rest is counted.
books_of_datagrams_add_up()
{
	start_all unixgram
	ask unixgram front begin
	signal service STOP
	seq 1 2000 >numbers
	unixmsg-cat --send-only unixgram front <numbers
	signal service CONT
	await_true is_settled
	counters import
	[ "$(get import taken)" -eq 2001 ] || fail "taken"
	[ "$(get import published)" -eq 2001 ] || fail "published"
	[ "$(get export lost_queue)" -gt 0 ] || fail "nothing was lost"
	[ "$(get export arrived)" -eq $(($(get export delivered) + \
		$(get export lost_queue) + $(get export lost_late))) ] ||
		fail "$(cat "$logs/export.counters")"
}

# All has arrived there, and nothing waits.
is_settled()
{
	counters export
	[ "$(get export arrived)" -eq 2001 ] && [ "$(get export queued)" -eq 0 ]
}

# All that is sent is there.
all_is_delivered()
{
	counters export
	[ "$(get export delivered)" -eq "$1" ]
}

a_burst_within_the_queue_is_delivered_in_order()
{
	start_engine
	start_service unixgram --format text
	start_export unixgram
	start_import unixgram
	ask unixgram front begin
	signal service STOP
	seq 1 60 >numbers
	unixmsg-cat --send-only unixgram front <numbers
	await_true is_arrived 61
	signal service CONT
	await_true all_is_delivered 61
	{
		echo begin
		cat numbers
	} >wanted
	end_well service
	expect_match "$logs/service.out" '^60$'
	expect_same wanted "$logs/service.out"
}

is_arrived()
{
	has export arrived "$1"
}

datagrams_that_find_nobody_are_counted()
{
	start_engine
	start_service unixgram
	start_export unixgram
	start_import unixgram --grace 60
	end export KILL
	run_well unixmsg-cat --send-only unixgram front one two three
	await_true has import returned 3
	[ "$(get import published)" -eq 3 ] || fail "not three were published"
}

# --- Datagram clients ---------------------------------------------------------

a_silent_client_is_forgotten_and_comes_back()
{
	start_engine
	start_service unixgram
	start_export unixgram --silence 0.2
	start_import unixgram
	ask_until_answered one
	await_true has export open 0
	ask_until_answered two
}

# An answer that is late finds its client forgotten.
ask_until_answered()
{
	await_true unixgram-echo --timeout 1 front $1
}

# start_subscriber NAME COUNT PAUSE: to a publisher of numbers that is another
# service, with relays of its own.
start_subscriber()
{
	start_server $1 "$python" "$peer" publisher $1 $2 $3
	start_and_see $1-export 'can be reached as' unixmsg-relay --export $1 \
		-n unixgram --engine $engine $1
	start_server $1-import unixmsg-relay --import $1 -n unixgram \
		--engine $engine $1-front
	start $1-client "$python" "$peer" subscriber $1-front
}

# finish_subscriber NAME COUNT
finish_subscriber()
{
	limit=1000
	finish $1-client
	expect_text "$logs/$1-client.out" "all of $2"
}

# It is not forgotten: for longer than --silence while it hears something, and
# shortly before that even if nobody says anything.
a_subscriber_may_be_silent_for_ten_minutes()
{
	[ "${UNIXMSG_TESTS:-}" = full ] || skip 'it takes eleven minutes'
	start_all unixpacket
	start idle "$python" "$peer" idle front 660
	start_subscriber often 660 1
	start_subscriber rarely 1 590
	finish_subscriber rarely 1
	finish_subscriber often 660
	finish_well idle
	printf "%s\n" "6 bytes b'befo'" "5 bytes b'afte'" >wanted
	expect_same wanted "$logs/idle.out"
}

# start_second_export NETWORK: of another service, under the same name.
start_second_export()
{
	start_server service2 "$(echo_of $1)" --listen --format text service2
	start_and_see export2 'can be reached as' unixmsg-relay --export it \
		-n $1 --engine $engine --stats --host second service2
}

# Messages of one client go on to one of the two services, as long as it lives.
a_client_stays_with_one_of_several_exports()
{
	start_engine
	start_service unixgram --format text
	start_export unixgram --host first
	start_second_export unixgram
	start_import unixgram
	# Clients are dealt out in turn, once both exports are known.
	client=0
	until is_more_than export arrived 0 && is_more_than export2 arrived 0
	do
		client=$((client + 1))
		[ $client -le $limit ] || fail 'one export has no clients'
		run_well unixgram-echo --bind "$here/own-$client" front a b c d
	done
	[ $(($(get export arrived) % 4)) -eq 0 ] || fail 'a client was moved'
	[ $(($(get export2 arrived) % 4)) -eq 0 ] || fail 'a client was moved'
}

another_export_takes_over()
{
	start_engine
	start_service unixgram --format text
	start_export unixgram --host first
	start_second_export unixgram
	start_import unixgram --grace 60
	start chatter "$python" "$peer" chatter front
	await_true is_more_than import published 50
	counters export
	gone='export'
	[ "$(get export arrived)" -gt 0 ] || gone=export2
	end $gone KILL
	other=export2
	[ $gone = 'export' ] || other='export'
	await_true is_more_than $other arrived 50
}

is_more_than()
{
	counters $1
	[ "$(get $1 $2)" -gt $3 ]
}

connections_go_to_the_export_that_is_left()
{
	start_engine
	start_service unixpacket
	start_export unixpacket --host first
	start_second_export unixpacket
	start_import unixpacket
	end export KILL
	for message in a b c d; do
		ask unixpacket front $message
	done
	has export2 sessions_ended 4 || fail "$(cat "$logs/export2.counters")"
}

clients_go_to_a_service_that_is_there()
{
	start_engine
	start_service unixpacket
	start_export unixpacket --host first
	start_second_export unixpacket
	start_import unixpacket
	end service KILL
	await_true has export service_up 0
	for message in a b c d e f g h; do
		ask unixpacket front $message
	done
	has export2 sessions_ended 8 || fail "$(cat "$logs/export2.counters")"
	start_service unixpacket
	await_true has export service_up 1
	until is_more_than export sessions 0; do
		ask unixpacket front again
	done
}

clients_without_a_name_go_to_a_service_that_is_there()
{
	start_engine
	start_service unixgram
	start_export unixgram --host first
	start_second_export unixgram
	start_import unixgram
	end service KILL
	await_true has export service_up 0
	talk nobody front 16
	await_true has export2 delivered 16
}

# Of each client the service sees another socket, in that directory.
the_service_answers_in_the_directory_that_was_chosen()
{
	start_engine
	start_service unixgram --format json
	mkdir -m 755 replies
	start_export unixgram --reply-directory replies \
		--reply-group "$(id -g)"
	start_import unixgram
	ask unixgram front one
	ask unixgram front two
	await_true sh -c "[ \$(wc -l <$logs/service.out) -eq 2 ]"
	sed "s,.*\"sender\":\"$here/replies/\([^\"]*\)\".*,\1," \
		"$logs/service.out" | sort -u >names
	[ "$(wc -l <names)" -eq 2 ] || fail "$(cat "$logs/service.out")"
	while read -r name; do
		[ "$(stat -c %a:%g replies/$name)" = "660:$(id -g)" ] ||
			fail "$name: $(stat -c %a:%g replies/$name)"
	done <names
	end_well export
	[ -z "$(ls replies)" ] || fail "left: $(ls replies)"
}

# --- Bounds -----------------------------------------------------------------

a_stuck_client_stops_nobody_else()
{
	start_all unixpacket
	mkfifo ready never
	start stuck "$python" "$peer" stuck front ready <>never
	bound cat ready >/dev/null || fail "there is room for everything"
	run_well seqpacket-echo --count 2000 front
	rss=$(awk '/^VmRSS/ { print $2 }' \
		/proc/"$(cat "$logs/export.pid")"/status)
	is_sanitized unixmsg-relay || [ "$rss" -le 8192 ] ||
		fail "the relay has $rss KiB"
}

# Each client fills the windows of its connection, and no more.
memory_is_bounded_while_the_service_is_stopped()
{
	is_sanitized unixmsg-relay && skip 'sanitizers take memory of their own'
	start_all unixpacket
	mkfifo never
	signal service STOP
	for number in 1 2 3 4 5 6 7 8; do
		mkfifo ready$number
		start stuck$number "$python" "$peer" stuck front ready$number \
			<>never
	done
	for number in 1 2 3 4 5 6 7 8; do
		bound cat ready$number >/dev/null || fail 'no end of room'
	done
	# A window of 256 KiB and two messages of 208 KiB each.
	for name in import export; do
		rss=$(awk '/^VmHWM/ { print $2 }' \
			/proc/"$(cat "$logs/$name.pid")"/status)
		[ "$rss" -le $((8192 + 8 * (256 + 2 * 208))) ] ||
			fail "the $name has $rss KiB"
	done
}

# count_descriptors NAME
count_descriptors()
{
	find /proc/"$(cat "$logs/$1.pid")"/fd -type l | wc -l
}

# After many clients there are as many as after one.
descriptors_come_back()
{
	for network in unixpacket unix; do
		start_all $network
		ask $network front first
		await_true has import open 0
		await_true has export open 0
		import_had=$(count_descriptors import)
		export_had=$(count_descriptors export)
		for message in a b c d e f g h i j; do
			ask $network front $message
		done
		await_true has import open 0
		await_true has export open 0
		[ "$(count_descriptors import)" -eq $import_had ] ||
			fail "the import had $import_had"
		[ "$(count_descriptors export)" -eq $export_had ] ||
			fail "the export had $export_had"
		for name in import export service nats; do
			end $name KILL
		done
		engine=
	done
}

a_relay_is_one_thread()
{
	start_all unixpacket
	ask unixpacket front hello
	for name in import export; do
		threads=$(sed -n 's/^Threads:[^0-9]*//p' \
			/proc/"$(cat "$logs/$name.pid")"/status)
		[ "$threads" -eq 1 ] || fail "the $name has $threads"
	done
}

more_clients_than_may_be_are_refused()
{
	start_engine
	start_service unixpacket
	start_export unixpacket --max-clients 1
	start_import unixpacket
	start_numbers
	run seqpacket-echo front second
	expect_status 1
	counters export
	[ "$(get export sessions_limited)" -eq 1 ] || fail "not counted"
}

a_new_datagram_client_takes_the_place_of_the_oldest()
{
	start_engine
	start_service unixgram
	start_export unixgram --max-clients 1
	start_import unixgram
	ask unixgram front first
	ask unixgram front second
	has export replaced 1 || fail "not counted"
	[ "$(get export open)" -eq 1 ] || fail "not one is there"
}

# Clients that come and go have no place there for longer than here.
an_export_is_told_of_clients_that_are_closed()
{
	start_engine
	start_service unixgram
	start_export unixgram
	start_import unixgram --max-clients 1
	for message in a b c d; do
		ask unixgram front $message
	done
	await_true has export open 1
	end_well import
	await_true has export open 0
	[ "$(get export replaced)" -eq 0 ] || fail "one was replaced"
	[ "$(get export arrived)" -eq 4 ] || fail "not four have arrived"
}

descriptors_are_refused_and_never_stripped()
{
	start_all unixpacket
	talk descriptors front
	grep -q '^ended$' "$out" || fail "$(cat "$out")"
	counters import
	[ "$(get import lost_descriptors)" -eq 1 ] || fail "not counted"
	[ "$(get import published)" -eq 1 ] || fail "it was published"
}

what_the_engine_does_not_carry_is_told()
{
	start_engine 'max_payload: 65536'
	start_service unixpacket
	start_export unixpacket
	start_import unixpacket
	talk large front 65000
	expect_match "$out" '^65000 bytes'
	talk large front 100000
	if grep -q '100000 bytes' "$out"; then
		fail "it was passed on"
	fi
	counters import
	[ "$(get import lost_too_large)" -eq 1 ] || fail "not counted"
	[ "$(get import resets_message)" -eq 1 ] || fail "no reset is counted"
}

bytes_pass_a_small_engine()
{
	start_engine 'max_payload: 65536'
	start_service unix
	start_export unix
	start_import unix
	talk bytes_ front
	expect_text "$out" 'bytes 1000000 True'
}

# --- The example configuration ------------------------------------------------

# make_certificate NAME: for the addresses that tests use, of one authority.
make_certificate()
{
	echo 'subjectAltName = IP:127.0.0.1,IP:10.9.0.2' >san
	openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr \
		-subj "/CN=$1" 2>"$err" || fail "$(cat "$err")"
	openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key \
		-CAcreateserial -days 2 -extfile san -out $1.pem \
		2>"$err" || fail "$(cat "$err")"
}

make_certificates()
{
	openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem \
		-subj '/CN=authority' -days 2 2>/dev/null || fail 'no authority'
	for name in hub alpha beta; do
		make_certificate $name
	done
}

# start_example NAME: as it is, but for its ports and the place of its
# certificates; leaves its address in NAME.
start_example()
{
	sed "s,/etc/unixmsg/,$here/,; s,127.0.0.1:4222,127.0.0.1:-1,
		s,0.0.0.0:7422,$hub:-1," \
		"$srcdir/examples/relay/$1.conf" >$1.conf
	start_and_see $1 'Server is ready' $on nats-server -c $1.conf
	sed -n 's/.*client connections on //p' "$logs/$1.err" >$1
}

hub=127.0.0.1
start_leaf()
{
	leaf_port=$(sed -n 's/.*leafnode connections on .*://p' \
		"$logs/hub.err")
	HUB_URL=nats-leaf://$1:$1-word@$hub:$leaf_port
	export HUB_URL
	start_example $1
}

prepare_examples()
{
	need openssl
	make_certificates
	ALPHA_PASSWORD=alpha-word BETA_PASSWORD=beta-word
	IMPORT_PASSWORD=import-word EXPORT_PASSWORD=export-word
	export ALPHA_PASSWORD BETA_PASSWORD IMPORT_PASSWORD EXPORT_PASSWORD
	for role in import export; do
		(umask 077 && printf 'user %s-echo\npassword %s-word\n' \
			$role $role >$role)
	done
}

start_examples()
{
	prepare_examples
	start_example hub
	start_leaf alpha
	start_leaf beta
}

# relay_example ROLE HOST NETWORK ADDRESS
relay_example()
{
	start_and_see $1-$3 "$said" $on unixmsg-relay --$1 echo --network $3 \
		--host $2 --engine "$(cat $2)" --credentials $1 --stats $4
}

the_example_configuration_has_what_each_role_needs()
{
	start_examples
	for network in unixpacket unixgram; do
		start_server echo-$network "$(echo_of $network)" --listen \
			service-$network
		said='can be reached as' \
			relay_example export beta $network service-$network
		said='listening on' \
			relay_example import alpha $network front-$network
		ask $network front-$network "hello $network"
		for name in import-$network export-$network; do
			counters $name
			[ "$(get $name engine_refused)" -eq 0 ] ||
				fail "$(cat "$logs/$name.err")"
		done
	done
}

the_example_configuration_lets_no_role_be_the_other()
{
	start_examples
	cp export other
	cp import export
	said='Permissions Violation' relay_example export alpha unixpacket at
	cp other import
	said='Permissions Violation' relay_example import beta unixpacket at
	said='Authorization Violation' relay_example import alpha unixgram at
}

# play_far HOW: the nats-server of the other host ends, or is silent.
play_far()
{
	start_examples
	start_server echo seqpacket-echo --listen service
	said='can be reached as' relay_example export beta unixpacket service
	said='listening on' relay_example import alpha unixpacket front
	start_numbers
	signal beta $1
	expect_prefix
	await_true has import-unixpacket open 0
	has import-unixpacket engine_lost 0 || fail 'its own engine was lost'
	[ "$(get import-unixpacket resets_absent)" -eq 1 ] ||
		[ "$(get import-unixpacket resets_silent)" -eq 1 ] ||
		fail "$(cat "$logs/import-unixpacket.counters")"
}

a_killed_engine_of_the_other_host_leaves_a_prefix()
{
	play_far KILL
}

a_stopped_engine_of_the_other_host_leaves_a_prefix()
{
	play_far STOP
	signal beta CONT
	await_true has export-unixpacket open 0
	await_true seqpacket-echo --timeout 5 front again
}

# on_host NAME: what follows is started there, in a network of its own.
on_host()
{
	on="nsenter -t $(cat "$logs/host-$1.pid") -n"
}

# Two hosts with a link of 10 ms that loses one packet in a hundred, where the
# kernel can do that. Their file systems are the same.
make_hosts()
{
	need_root
	need ip
	need nsenter
	unshare -n true 2>/dev/null || skip 'no network of our own'
	for name in alpha beta; do
		mkfifo never-$name
		start_and_see host-$name ready unshare -n sh -c \
			"ip link set lo up; echo ready >&2; exec cat never-$name"
	done
	on_host alpha
	$on ip link add v0 type veth peer name v1 netns \
		"$(cat "$logs/host-beta.pid")" 2>"$err" ||
		skip "no link between networks: $(cat "$err")"
	$on ip addr add 10.9.0.1/24 dev v0
	$on ip link set v0 up
	$on tc qdisc add dev v0 root netem delay 5ms loss 1% 2>/dev/null || :
	on_host beta
	$on ip addr add 10.9.0.2/24 dev v1
	$on ip link set v1 up
	$on tc qdisc add dev v1 root netem delay 5ms loss 1% 2>/dev/null || :
}

two_hosts_with_networks_of_their_own()
{
	make_hosts
	prepare_examples
	hub=10.9.0.2
	start_example hub
	start_leaf beta
	start_server echo $on seqpacket-echo --listen service
	said='can be reached as' relay_example export beta unixpacket service
	on_host alpha
	start_leaf alpha
	said='listening on' relay_example import alpha unixpacket front
	mkfifo ready
	start client "$python" "$peer" numbers front ready 1000
	bound cat ready >/dev/null || fail "no number comes back"
	expect_prefix
	is_more_than import-unixpacket arrived 999 || fail 'not all came back'
}

a_link_that_is_cut_leaves_a_prefix()
{
	make_hosts
	prepare_examples
	hub=10.9.0.2
	start_example hub
	start_leaf beta
	start_server echo $on seqpacket-echo --listen service
	said='can be reached as' relay_example export beta unixpacket service
	on_host alpha
	start_leaf alpha
	said='listening on' relay_example import alpha unixpacket front
	start_numbers
	$on ip link set v0 down
	expect_prefix
	await_true has export-unixpacket open 0
	$on ip link set v0 up
	ask unixpacket front again
}

# container DIRECTORY COMMAND...: in namespaces of its own and without rights,
# where the directory is at /run/echo, and nothing else of it in /run. isolated
# may be --net. In place of the shell: who ends this process ends all of it.
isolated=
container()
{
	shared=$1
	shift
	# shellcheck disable=SC2016 # for that shell
	exec unshare --mount --pid --fork --kill-child --ipc --uts $isolated \
		sh -c 'mount -t tmpfs none /run && mkdir /run/echo &&
			mount --bind "$0" /run/echo &&
			exec setpriv --bounding-set -all --inh-caps -all \
				--no-new-privs "$@"' "$here/$shared" "$@"
}

# As in examples/relay/Containerfile; only relays have the network of the host.
containers_share_a_directory()
{
	need_root
	mkdir here there there/replies
	(container here true) 2>"$err" || skip "no containers: $(cat "$err")"
	start_engine
	for network in unixpacket unixgram; do
		isolated=--net
		start_server service-$network container there \
			"$(echo_of $network)" --listen /run/echo/$network
		isolated=
		replies=
		[ $network = unixpacket ] ||
			replies='--reply-directory /run/echo/replies'
		start_and_see export-$network 'can be reached as' \
			container there unixmsg-relay --export it $replies \
			-n $network --engine $engine /run/echo/$network
		start_server import-$network container here unixmsg-relay \
			--import it -n $network --engine $engine --mode 0666 \
			/run/echo/$network
		isolated=--net
		run_in_container here "$(echo_of $network)" --timeout $limit \
			--bind /run/echo/own-$network /run/echo/$network hello
		expect_status 0 "$(cat "$err")"
		expect_text "$out" hello
	done
}

# bound takes no function.
run_in_container()
{
	start container container "$@"
	finish container
	cp "$logs/container.out" "$out"
	cp "$logs/container.err" "$err"
}

# --- Operation --------------------------------------------------------------

a_wrong_password_is_told()
{
	start_engine 'authorization { user: relay, password: right }'
	(umask 077 && printf 'user relay\npassword wrong\n' >credentials)
	start_service unixpacket
	start_and_see export 'Authorization Violation' unixmsg-relay \
		--export it -n unixpacket --engine $engine \
		--credentials credentials service
}

the_user_of_the_engine_is_checked()
{
	start_engine
	start_service unixpacket
	start_export unixpacket --engine-user "$(id -u)"
	start_import unixpacket --engine-user "$(id -u)"
	ask unixpacket front hello
}

an_engine_of_another_user_gets_no_password()
{
	need_stranger "$(command -v nats-server)"
	on=$stranger
	start_engine 'authorization { user: relay, password: right }'
	on=
	(umask 077 && printf 'user relay\npassword right\n' >credentials)
	start_and_see export 'another user has its port' unixmsg-relay \
		--export it -n unixpacket --engine $engine --engine-user root \
		--credentials credentials service
}

readiness_is_told_when_the_service_answers()
{
	start_server supervisor unixmsg-cat --listen unixgram notify
	start_engine
	NOTIFY_SOCKET=$here/notify
	export NOTIFY_SOCKET
	start_and_see import 'is not there yet' unixmsg-relay --import it \
		-n unixpacket --engine $engine front
	unset NOTIFY_SOCKET
	expect_empty "$logs/supervisor.out"
	start_service unixpacket
	start_export unixpacket
	await_true grep -q '^READY=1' "$logs/supervisor.out"
	test -S front || fail "ready without an address"
}

metrics_are_kept_in_a_file()
{
	start_engine
	start_service unixpacket
	start_export unixpacket --metrics export.prom
	start_import unixpacket
	ask unixpacket front hello
	end_well export
	name=unixmsg_relay_arrived_total
	grep -q "^# TYPE $name counter\$" export.prom || fail "no type"
	labels='service="it",role="export",network="unixpacket"'
	grep -q "^$name{$labels} 1\$" export.prom || fail "not counted"
	[ "$(echo export.prom*)" = export.prom ] || fail "$(ls)"
}

metrics_touch_no_other_file()
{
	start_engine
	start_service unixpacket
	echo precious >other
	echo precious >export.prom.new
	ln -s other export.prom
	start_export unixpacket --metrics export.prom
	end_well export
	expect_text other precious
	expect_text export.prom.new precious
	grep -q '^unixmsg_relay_engine_up' export.prom || fail 'no metrics'
	[ ! -L export.prom ] || fail 'a link is there'
}

# The relay goes on, and its status tells of it.
metrics_without_a_place_leave_nothing()
{
	start_engine
	start_service unixpacket
	mkdir export.prom
	start_export unixpacket --metrics export.prom
	start_import unixpacket
	ask unixpacket front hello
	end export TERM
	expect_status 1
	grep -q -- '--metrics: export.prom: Is a directory' \
		"$logs/export.err" || fail "$(cat "$logs/export.err")"
	[ "$(echo export.prom*)" = export.prom ] || fail "$(ls)"
}

a_socket_of_a_supervisor_is_served_and_stays()
{
	start_engine
	start_service unixpacket
	start_export unixpacket
	start_and_see import 'listening on its socket' "$python" "$peer" \
		activate front unixmsg-relay --import it -n unixpacket \
		--engine $engine --inherit --grace 0.2
	ask unixpacket front hello
	end service KILL
	await_true grep -q 'is not there: clients wait' "$logs/import.err"
	start asker seqpacket-echo --timeout $limit front waits
	start_service unixpacket
	finish_well asker
	expect_text "$logs/asker.out" waits
	end_well import
	test -S front || fail "the supervisor's file is gone"
}

the_units_are_right()
{
	need systemd-analyze
	cp "$srcdir"/examples/relay/*.service .
	sed -i "s|^ExecStart=[^ ]*|ExecStart=$(command -v true)|" ./*.service
	run systemd-analyze verify ./relay-import.service \
		./relay-export.service
	# Of these units; the machine's own may be at fault as well.
	if grep 'relay-' "$err" | grep -v nats-server >&3; then
		fail 'systemd-analyze complains'
	fi
}

the_name_is_given_up_at_the_end()
{
	start_all unixpacket
	end_well import
	expect_gone front
	[ "$(grep -c '"role":"import"' "$logs/import.out")" -eq 1 ] ||
		fail "no counters at the end"
}

# At the address of the clients, and as the client of the service.
inspect_tells_of_both_relays()
{
	start_all unixpacket
	start_numbers
	run_well unixmsg-inspect front
	expect_match "$out" "pid $(cat "$logs/import.pid") (unixmsg-relay)"
	expect_match "$out" 'which says that it imports the service it$'
	run_well unixmsg-inspect service
	expect_match "$out" "pid $(cat "$logs/export.pid") (unixmsg-relay)"
	expect_match "$out" 'which says that it exports the service it$'
	run unixmsg-inspect --json front
	expect_match "$out" '"relay":"import","service":"it"'
	run unixmsg-inspect --json service
	expect_match "$out" '"relay":"export","service":"it"'
	expect_match "$out" '"command":"seqpacket-echo",.*"relay":null,"service":null'
}

# They are nobody's: no client is there any more.
what_lies_in_the_socket_is_passed_on_at_the_end()
{
	start_engine
	start_service unixgram
	start_export unixgram
	start_import unixgram
	signal import STOP
	talk nobody front 5
	signal import TERM
	signal import CONT
	finish_well import
	await_true has export delivered 5
}

# send_more: five messages of the client, which the relay takes.
sent=0
send_more()
{
	echo >&8
	sent=$((sent + 5))
	await_true has import taken $sent
}

# The client has ended, and the engine has not taken the last of its messages.
what_the_engine_has_not_taken_is_sent_at_the_end()
{
	start_engine
	start_service unixpacket
	start_export unixpacket --window 24000000
	start_import unixpacket --window 24000000
	mkfifo lines
	start client "$python" "$peer" on_demand front <>lines
	exec 8>lines
	send_more
	signal nats STOP
	until is_more_than import engine_waiting_bytes 0; do
		send_more
	done
	end client KILL
	exec 8>&-
	await_true has import open 0
	signal import TERM
	signal nats CONT
	finish_well import
	await_true has export arrived $sent
}

# There is room for the second one, and not for the first.
no_datagram_passes_another_at_the_end()
{
	start_engine
	start_service unixgram
	start_export unixgram --host there
	start_import unixgram --grace 60
	start_server order "$python" "$peer" order $engine there
	signal nats STOP
	start flood "$python" "$peer" flood front
	await_true is_holding
	talk pair front
	signal import TERM
	await_true test ! -e front
	signal nats CONT
	finish import
	finish_well order
	printf '1\n2\n' >wanted
	expect_same wanted "$logs/order.out"
}

# ends_with_its_books NAME: each message that it has taken is counted once more.
ends_with_its_books()
{
	tail -n 1 "$logs/$1.out" >"$logs/$1.counters"
	lost=0
	for name in engine_down too_large descriptors memory unknown; do
		lost=$((lost + $(get $1 lost_$name)))
	done
	[ "$(get $1 taken)" -eq $(($(get $1 published) + lost)) ] ||
		fail "$(cat "$logs/$1.counters")"
}

what_is_held_at_the_end_is_counted()
{
	start_engine
	start_service unixgram
	start_export unixgram
	start_import unixgram
	signal nats STOP
	start client "$python" "$peer" flood front
	await_true is_holding
	signal import TERM
	await_true test ! -e front
	end_well import
	ends_with_its_books import
	[ "$(get import lost_engine_down)" -gt 0 ] ||
		skip 'the kernel has taken at last what was held'
}

a_name_of_a_live_server_is_left_to_it()
{
	start_engine
	start_service unixpacket
	start_export unixpacket
	start_server owner seqpacket-echo --listen front
	run unixmsg-relay --import it -n unixpacket --engine $engine front
	expect_complaint 1 'a live owner'
	ask unixpacket front hello
}

# refusal STATUS TEXT ARGUMENT...
refusal()
{
	wanted_status=$1
	wanted=$2
	shift 2
	run unixmsg-relay "$@"
	expect_complaint $wanted_status "$*"
	grep -q -F -e "$wanted" "$err" || fail "not told: $wanted ($(cat "$err"))"
}

a_mistake_is_told_before_anything_happens()
{
	refusal 2 'one of --import and --export' -n unix front
	refusal 2 '--network is needed' --import it front
	refusal 2 'an ADDRESS is needed' --import it -n unix
	refusal 2 'characters A-Z' --import 'a.b' -n unix front
	refusal 2 'not on loopback' --import it -n unix --engine 192.0.2.1 front
	refusal 2 'numeric addresses' --import it -n unix --engine host:1 front
	refusal 2 'goes with --import' --export it -n unix --grace 1 front
	refusal 2 'goes with --import' --export it -n unix --mode 0600 front
	refusal 2 'a number of seconds above 0' --export it -n unixgram \
		--silence 0 back
	refusal 2 'goes with --export' --import it -n unixgram \
		--reply-directory . front
	refusal 2 'only unixgram' --export it -n unix --reply-directory . front
	printf 'user a\npassword b\n' >credentials
	chmod 640 credentials
	refusal 1 'others may read' --import it -n unix \
		--credentials credentials front
	chmod 600 credentials
	echo more >>credentials
	refusal 1 'no file with' --import it -n unix --credentials credentials \
		front
	mkdir -m 777 open
	refusal 1 'others can write' --export it -n unixgram \
		--reply-directory open front
	expect_gone front
}

is_there nats-server || {
	echo "skip: no nats-server"
	exit 77
}
is_there "$python" || {
	echo "skip: no $python"
	exit 77
}

run_case packets_are_the_same
run_case datagrams_are_the_same
run_case programs_of_others_are_relayed
run_case rsyslogd_gets_the_lines_of_logger
run_case statsd_counts_what_its_client_sends
run_case wpa_cli_reaches_wpa_supplicant
run_case bytes_are_the_same
run_case subjects_are_made_of_names_and_numbers
run_case the_address_is_there_while_the_service_answers
run_case an_abstract_address_comes_back
run_case a_relay_waits_for_its_engine
run_case a_client_finds_no_server_without_an_engine
run_case clients_are_blocked_while_the_engine_is_down
run_case datagrams_are_dropped_and_counted_while_the_engine_is_down
run_case a_killed_engine_leaves_a_prefix
run_case a_killed_export_leaves_a_prefix
run_case a_killed_import_leaves_a_prefix
run_case a_killed_service_leaves_a_prefix
run_case a_stopped_engine_loses_nothing
run_case faults_at_random_leave_prefixes
run_case a_full_engine_makes_clients_wait
run_case a_full_engine_resets_nobody
run_case a_wrong_number_resets_both_ends
run_case another_status_ends_nothing
run_case a_message_before_the_service_is_connected_resets
run_case garbage_harms_nobody
run_case a_relay_that_is_stopped_for_long_is_left
run_case a_client_that_dies_while_all_is_full_is_forgotten
run_case a_service_that_reads_no_more_gives_credit
run_case a_session_that_is_over_outlasts_its_engine
run_case what_arrived_before_the_end_outlasts_the_engine
run_case what_arrived_before_the_end_outlasts_the_export
run_case a_session_ends_once
run_case all_of_a_client_that_is_gone_arrives
run_case books_add_up
run_case books_of_datagrams_add_up
run_case a_burst_within_the_queue_is_delivered_in_order
run_case datagrams_that_find_nobody_are_counted
run_case a_silent_client_is_forgotten_and_comes_back
run_case a_subscriber_may_be_silent_for_ten_minutes
run_case a_client_stays_with_one_of_several_exports
run_case another_export_takes_over
run_case connections_go_to_the_export_that_is_left
run_case clients_go_to_a_service_that_is_there
run_case clients_without_a_name_go_to_a_service_that_is_there
run_case the_service_answers_in_the_directory_that_was_chosen
run_case a_stuck_client_stops_nobody_else
run_case memory_is_bounded_while_the_service_is_stopped
run_case descriptors_come_back
run_case a_relay_is_one_thread
run_case more_clients_than_may_be_are_refused
run_case a_new_datagram_client_takes_the_place_of_the_oldest
run_case an_export_is_told_of_clients_that_are_closed
run_case descriptors_are_refused_and_never_stripped
run_case what_the_engine_does_not_carry_is_told
run_case bytes_pass_a_small_engine
run_case the_example_configuration_has_what_each_role_needs
run_case the_example_configuration_lets_no_role_be_the_other
run_case a_killed_engine_of_the_other_host_leaves_a_prefix
run_case a_stopped_engine_of_the_other_host_leaves_a_prefix
run_case two_hosts_with_networks_of_their_own
run_case a_link_that_is_cut_leaves_a_prefix
run_case containers_share_a_directory
run_case a_wrong_password_is_told
run_case the_user_of_the_engine_is_checked
run_case an_engine_of_another_user_gets_no_password
run_case readiness_is_told_when_the_service_answers
run_case metrics_are_kept_in_a_file
run_case metrics_touch_no_other_file
run_case metrics_without_a_place_leave_nothing
run_case a_socket_of_a_supervisor_is_served_and_stays
run_case the_units_are_right
run_case the_name_is_given_up_at_the_end
run_case inspect_tells_of_both_relays
run_case what_lies_in_the_socket_is_passed_on_at_the_end
run_case what_the_engine_has_not_taken_is_sent_at_the_end
run_case what_is_held_at_the_end_is_counted
run_case no_datagram_passes_another_at_the_end
run_case a_name_of_a_live_server_is_left_to_it
run_case a_mistake_is_told_before_anything_happens
finish_cases
