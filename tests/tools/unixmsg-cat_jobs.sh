#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The daily jobs among the examples of unixmsg-cat(1), with the programs that
# they are about. A command is taken from the page; only its addresses, which
# are the system's there, are replaced by private ones.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
PATH=$TOOLS:$PATH:/usr/sbin:/sbin
export PATH

# Commands of the page, its escapes undone.
page=$work/page
sed -n -e 's/\\&//g' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" -e 's/\\e/\\/g' \
	-e 's/^[$#] //p' "$srcdir/man/unixmsg-cat.1" >"$page"

# command_like TEXT FROM TO: the only command with TEXT in it, into command,
# with TO in the place of FROM.
command_like()
{
	command=$(grep -F -e "$1" "$page")
	[ "$(printf '%s\n' "$command" | wc -l)" -eq 1 ] ||
		fail "not one command in the page has '$1'"
	case $command in
	*"$2"*) ;;
	*) fail "no $2 in $command" ;;
	esac
	command="${command%%"$2"*}$3${command#*"$2"}"
	command=${command%&}
}

# run_like TEXT FROM TO [BEFORE]: the same, run, behind another command.
run_like()
{
	command_like "$@"
	command="${4:-:}; $command"
	run sh -c "$command"
	expect_status 0 "$command: $(cat "$err")"
}

serve_like()
{
	command_like "$@"
	start_server server sh -c "exec $command"
}

# --- Logs and notifications --------------------------------------------------

logger_writes_to_our_sink()
{
	need logger
	serve_like '--listen log.sock' log.sock "$here/log"
	run_well logger -u "$here/log" -t me 'hello from logger'
	await_true grep -q 'me: hello from logger' "$logs/server.out"
}

# As logger(1) does, without an address of our own.
a_line_goes_to_a_log()
{
	need socat
	start log socat -u UNIX-RECV:"$here/log" CREATE:log.txt
	await_true test -S log
	run_like 'unixmsg-cat -n /dev/log' /dev/log "$here/log"
	await_true grep -q '<13>me: hello' log.txt
}

# The real one, which has its own idea of the time.
rsyslogd_takes_a_line()
{
	need rsyslogd
	cat >rsyslog.conf <<-END
	module(load="imuxsock" SysSock.Use="off")
	input(type="imuxsock" Socket="$here/log")
	*.* action(type="omfile" file="$here/messages")
	END
	start rsyslogd rsyslogd -n -f "$here/rsyslog.conf" -i "$here/pid"
	await_true test -S log -o ! -d "/proc/$pid"
	[ -S log ] || skip 'rsyslogd does not run here'
	run_like 'unixmsg-cat -n /dev/log' /dev/log "$here/log"
	await_true grep -qs ' me: hello$' messages
}

systemd_notify_is_heard()
{
	need systemd-notify
	serve_like '--listen notify.sock' notify.sock "$here/notify"
	run env NOTIFY_SOCKET="$here/notify" systemd-notify --ready
	# It waits until the descriptor that it sends behind is closed.
	expect_status 0 "$(cat "$err")"
	await_true grep -q '^READY=1$' "$logs/server.out"
}

statsd_counters_come_and_go()
{
	serve_like '--listen statsd.sock' statsd.sock "$here/statsd"
	run_like "-n statsd.sock" statsd.sock "$here/statsd"
	await_true grep -q '^jobs.done:1|c$' "$logs/server.out"
}

# A client that speaks no datagrams.
statsd_counters_come_by_a_stream()
{
	/usr/bin/python3 -c 'import statsd' 2>/dev/null ||
		skip 'the statsd of Python is missing'
	start_server server unixmsg-cat --listen unix statsd
	run /usr/bin/python3 - <<-'END'
	import statsd
	client = statsd.UnixSocketStatsClient("statsd", prefix="jobs")
	client.incr("done")
	client.gauge("queued", 5)
	client.close()
	END
	expect_status 0 "$(cat "$err")"
	printf 'jobs.done:1|c\njobs.queued:5|g\n' >wanted
	await_true cmp -s wanted "$logs/server.out"
}

# --- Servers of others -------------------------------------------------------

start_wpa_supplicant()
{
	need wpa_supplicant
	need_root
	echo "ctrl_interface=$here/wpa" >wpa.conf
	start wpa wpa_supplicant -D wired -i lo -c wpa.conf
	await_true test -S wpa/lo -o ! -d "/proc/$pid"
	[ -S wpa/lo ] || skip "wpa_supplicant does not run here"
}

wpa_supplicant_is_asked()
{
	start_wpa_supplicant
	run_like ' PING' /run/wpa_supplicant/wlan0 "$here/wpa/lo"
	printf 'PONG\n\n' | expect_same - "$out"
}

# The answer to ATTACH, and then what nobody has asked for.
events_of_wpa_supplicant_are_watched()
{
	start_wpa_supplicant
	command_like ' ATTACH' /run/wpa_supplicant/wlan0 "$here/wpa/lo"
	start watcher sh -c "exec $command"
	await_true grep -q OK "$logs/watcher.out"
	run_well unixmsg-cat -1 wpa/lo TERMINATE
	await_true grep -q CTRL-EVENT-TERMINATING "$logs/watcher.out"
	signal watcher INT
	finish_well watcher
}

hostapd_is_asked_and_watched()
{
	need hostapd
	need_root
	printf '%s\n' interface=lo driver=none "ctrl_interface=$here/ap" \
		ieee8021x=1 eap_server=1 >hostapd.conf
	start hostapd hostapd hostapd.conf
	await_true test -S ap/lo -o ! -d "/proc/$pid"
	[ -S ap/lo ] || skip 'hostapd does not run here'
	run_like ' PING' /run/wpa_supplicant/wlan0 "$here/ap/lo"
	printf 'PONG\n\n' | expect_same - "$out"
	start watcher unixmsg-cat --follow ap/lo ATTACH
	await_true grep -q OK "$logs/watcher.out"
	signal hostapd TERM
	await_true grep -q CTRL-EVENT-TERMINATING "$logs/watcher.out"
}

# A client that is used to wpa_supplicant.
wpa_cli_is_answered_by_a_program()
{
	need wpa_cli
	mkdir wpa
	cat >answer <<-'END'
	#!/bin/sh
	read -r command
	[ "$command" = PING ] && echo PONG || echo "no $command"
	END
	chmod 755 answer
	start_server server unixmsg-cat --listen --exec "$here/answer" wpa/lo
	run wpa_cli -p "$here/wpa" -i lo ping
	expect_status 0 "$(cat "$out" "$err")"
	expect_text "$out" PONG
	expect_match "$logs/server.out" '^PING$'
}

# A runtime that says that it has a container, which is a process of ours.
# What it prints comes as messages with a byte before: 2 is standard output.
conmon_passes_on_what_its_container_says()
{
	need conmon
	need_root
	cat >runtime <<-'END'
	#!/bin/sh
	while [ $# -gt 0 ]; do
		[ "$1" != --pid-file ] || file=$2
		shift
	done
	exec 5<&0
	(while read -r line <&5; do echo "got $line"; done) &
	echo "$!" >"$file"
	END
	chmod 755 runtime
	mkdir bundle
	start conmon conmon --api-version 1 --sync -i --leave-stdin-open -c 0123 \
		-u 0123 -n tested -r "$here/runtime" -b "$here/bundle" -p pid \
		-l k8s-file:"$here/log" --socket-dir-path "$here" --full-attach
	await_true test -S bundle/attach -a -s pid -o ! -d "/proc/$pid"
	[ -S bundle/attach ] || skip 'conmon does not run here'
	container=$(cat pid)
	run unixmsg-cat --format hex bundle/attach 6f6e650a
	kill "$container"
	expect_status 0 "$(cat "$err")"
	# \2, got one, newline
	expect_text "$out" 02676f74206f6e650a
}

chronyd_is_asked_in_its_own_bytes()
{
	need chronyd
	need_root
	mkdir -m 770 chrony
	cat >chrony.conf <<-END
	bindcmdaddress $here/chrony/chronyd.sock
	cmdport 0
	port 0
	pidfile $here/chrony/pid
	END
	start chronyd chronyd -x -d -u root -f "$here/chrony.conf"
	await_true test -S chrony/chronyd.sock -o ! -d "/proc/$pid"
	[ -S chrony/chronyd.sock ] || skip 'chronyd does not run here'
	run_like chronyd.sock /run/chrony/chronyd.sock \
		"$here/chrony/chronyd.sock" "$(grep '^hex=' "$page")"
	# An answer, to that command, and there are no sources.
	expect_match "$out" '^06020000000e00020000'
}

ssh_agent_lists_its_keys()
{
	need ssh-agent
	start agent ssh-agent -D -a "$here/agent"
	await_true test -S agent
	# The shell that runs it expands the variable.
	# shellcheck disable=SC2016
	run_like '--format hex unix' '$SSH_AUTH_SOCK' "$here/agent"
	# That is the list, with no key in it.
	expect_text "$out" 0c00000000
}

nginx_answers_http()
{
	need nginx
	cat >nginx.conf <<-END
	pid $here/nginx.pid;
	error_log stderr;
	daemon off;
	$($is_root && echo 'user root;')
	events { worker_connections 16; }
	http {
		access_log off;
		client_body_temp_path $here/body;
		proxy_temp_path $here/proxy;
		fastcgi_temp_path $here/fastcgi;
		uwsgi_temp_path $here/uwsgi;
		scgi_temp_path $here/scgi;
		server {
			listen unix:$here/http;
			return 200 "hello from nginx\n";
		}
	}
	END
	start nginx nginx -p "$here" -c "$here/nginx.conf"
	await_true test -S http -o ! -d "/proc/$pid"
	[ -S http ] || skip 'nginx does not run here'
	run_like 'GET / HTTP/1.0' /run/http.sock "$here/http"
	expect_match "$out" '^HTTP/1.1 200 OK'
	expect_match "$out" '^hello from nginx$'
	signal nginx QUIT
	finish nginx
}

for case in logger_writes_to_our_sink \
	a_line_goes_to_a_log \
	rsyslogd_takes_a_line \
	systemd_notify_is_heard \
	statsd_counters_come_and_go \
	statsd_counters_come_by_a_stream \
	wpa_supplicant_is_asked \
	events_of_wpa_supplicant_are_watched \
	hostapd_is_asked_and_watched \
	wpa_cli_is_answered_by_a_program \
	conmon_passes_on_what_its_container_says \
	chronyd_is_asked_in_its_own_bytes \
	ssh_agent_lists_its_keys \
	nginx_answers_http; do
	run_case "$case"
done
finish_cases
