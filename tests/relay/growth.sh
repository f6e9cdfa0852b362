#!/bin/sh
# How unixmsg-relay will grow, reckoned from what is measured now: hosts,
# services and sessions against subscriptions, frames and memory. Nothing in it
# is a figure of another machine.
#
# usage: growth.sh ENGINE_SPEED
#
# ENGINE_SPEED is tests/engine_speed. Needs nats-server; exits 77 without it.
#
# What follows from the protocol, and not from a measurement:
#   a relay that imports subscribes to its sessions: 1
#   a relay that exports subscribes to its sessions, to new ones and to the
#   question whether its service is there: 3
#   an idle session has one PING and its PONG in a second at most: a relay
#   publishes one frame for it and receives one
#   an import asks once a second, and each export of the service answers
#   a session holds its window and one message at most, in each direction

set -u
speed=${1:?usage: growth.sh ENGINE_SPEED}
window=262144
PATH=$PATH:/usr/sbin
command -v nats-server >/dev/null || {
	echo "skip: no nats-server"
	exit 77
}
scratch=$(mktemp -d) || exit 99
mkfifo "$scratch/log" || exit 99
nats-server -a 127.0.0.1 -p -1 >/dev/null 2>"$scratch/log" &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$scratch"' EXIT
exec 3<"$scratch/log"
address=
while read -r line <&3; do
	case $line in
	*'client connections on '*) address=${line##* on } ;;
	*'Server is ready'*) break ;;
	esac
done
"$speed" "${address:?nats-server does not tell its port}" >"$scratch/figures" ||
	exit 1
echo "server_rss_kib $(awk '/^VmHWM/ { print $2 }' /proc/$server/status)" \
	>>"$scratch/figures"
echo "measured, with 64 bytes a message:"
sed 's/^/  /' "$scratch/figures"

awk -v window=$window '
{ figure[$1] = $2 }
END {
	# Each round trip is a message out and one in for that engine.
	frames = 2 * figure["round_trips_per_s"]
	idle = int(frames / 2)
	print ""
	print "sessions   frames a second   memory, MiB   with full windows"
	print "of a relay      while idle"
	for (sessions = 10; sessions <= 10000; sessions *= 10)
		printf "%10d %17d %13.1f %19.1f\n", sessions, sessions * 2,
			memory(sessions, 0), memory(sessions, window)
	print ""
	print "if each host imports and exports each service:"
	print "hosts  services  subscriptions of a leaf  of the hub"
	for (hosts = 2; hosts <= 200; hosts *= 10)
		for (services = 1; services <= 100; services *= 10)
			printf "%5d %9d %24d %11d\n", hosts, services,
				services * 4, hosts * services * 4
	print ""
	printf "one engine has %d frames a second: %d idle sessions use them" \
		" up\n", frames, idle
	printf "a relay with that many holds %.0f MiB, or %.0f GiB if all" \
		" windows are full\n", memory(idle, 0),
		memory(idle, window) / 1024
}
# In MiB: of an engine and sessions that hold so much in each direction.
function memory(sessions, held)
{
	return (figure["engine_rss_kib"] * 1024 + sessions * \
		(figure["session_bytes"] + 2 * held)) / 1048576
}' "$scratch/figures"
