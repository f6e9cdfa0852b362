#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Names on file systems that are unlike others, played by bindfs(1), and where
# there is no /proc. All of it is mounted in a namespace of its own.

# Cases are called by name, from run_case.
# shellcheck disable=SC2317,SC2034,SC2154
set -u

if [ -z "${UNIXMSG_APART:-}" ] && [ "$(id -u)" -eq 0 ] &&
	unshare -m true 2>/dev/null; then
	exec unshare -m env UNIXMSG_APART=yes sh "$0" "$@"
fi

tool=unixgram-echo
# shellcheck source=tests/lib.sh
. "${srcdir:?is the top source directory}/tests/lib.sh"
view=$work/view

is_mounted()
{
	mountpoint -q "$view"
}

# The directory real is seen at $view, by way of FUSE.
mount_view()
{
	need_root
	need bindfs
	[ -n "${UNIXMSG_APART:-}" ] || skip 'no mount namespaces here'
	[ -c /dev/fuse ] || skip 'no /dev/fuse'
	mkdir -p real "$view"
	bindfs "$@" real "$view" 2>"$err" ||
		skip "bindfs: $(head -n 1 "$err")"
	await_true is_mounted
}

make_dead()
{
	start_server dead "$TOOLS/$tool" --listen "$1"
	end dead KILL
	[ -S "$1" ] || fail 'it has left no file'
}

expect_answer()
{
	run_well "$TOOLS/$tool" "$1" hello
	expect_text "$out" hello
}

a_file_that_is_shown_as_another_users_is_ours()
{
	mount_view --force-user=nobody --create-as-user
	start_server server "$TOOLS/$tool" --listen "$view/s"
	expect_answer "$view/s"
	end_well server
	[ ! -e real/s ] || fail 'its file is still there'
}

a_client_leaves_no_file_that_is_shown_as_another_users()
{
	mount_view --force-user=nobody --create-as-user -o allow_other
	start_server server "$TOOLS/$tool" --listen --mode 666 "$here/s"
	mkdir -m 1777 "$view/tmp"
	unset XDG_RUNTIME_DIR
	TMPDIR=$view/tmp
	expect_answer "$here/s"
	[ -z "$(find real -type s)" ] || fail 'its file is still there'
}

a_live_owner_keeps_its_name_through_another_view()
{
	mount_view
	start_server server "$TOOLS/$tool" --listen "$here/real/s"
	run "$TOOLS/$tool" --listen "$view/s"
	expect_status 1
	run "$TOOLS/unixmsg-inspect" --clean "$view/s"
	expect_match "$err" 'kept: .* a refusal proves nothing'
	run "$TOOLS/unixmsg-inspect" --clean "$view"
	expect_answer "$here/real/s"
}

who_replaces_a_dead_file_in_another_view_says_so()
{
	mount_view
	make_dead "$view/s"
	run "$TOOLS/$tool" --listen "$view/s"
	expect_status 1
	[ -S real/s ] || fail 'the file is gone'
	start_server server "$TOOLS/$tool" --listen --replace "$view/s"
	expect_answer "$view/s"
}

a_sweep_leaves_a_live_client_in_another_view()
{
	mount_view
	start_server server "$TOOLS/$tool" --listen --mode 666 "$here/s"
	mkdir -m 711 "real/unixmsg-$(id -u)"
	start_server client "$TOOLS/$tool" --listen \
		"$here/real/unixmsg-$(id -u)/client"
	chmod 700 real
	XDG_RUNTIME_DIR=$view
	expect_answer "$here/s"
	expect_answer "$here/real/unixmsg-$(id -u)/client"
}

a_mode_that_is_accepted_and_ignored_is_told()
{
	mount_view --chmod-ignore -p fa+rwx
	run "$TOOLS/$tool" --listen --mode 600 "$view/s"
	expect_status 1
	expect_match "$err" 'the file system sets its own mode or owner'
	[ ! -e real/s ] || fail 'the file is there'
}

# A client's name is where nobody answers any more: what it is answered is its
# own affair, and others are served.
a_file_system_that_hangs_keeps_nobody_waiting()
{
	need_root
	need bindfs
	need python3
	[ -n "${UNIXMSG_APART:-}" ] || skip 'no mount namespaces here'
	[ -c /dev/fuse ] || skip 'no /dev/fuse'
	mkdir -p real "$view"
	ln -s "$view" link
	start fuse bindfs -f -o allow_other real "$view"
	await_true is_mounted
	start_server server "$TOOLS/$tool" --listen --mode 666 "$here/s"
	for name in "$view" "$here/link"; do
		rm -f go
		mkfifo go
		start_server client python3 -c '
import signal, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(sys.argv[1])
s.bind(sys.argv[2])
print("client: listening on x", file=sys.stderr, flush=True)
open("go").read()
s.send(b"hello")
print("sent", flush=True)
signal.pause()
' "$here/s" "$name/own"
		signal fuse STOP
		: >go
		await_true grep -q sent "$logs/client.out"
		run "$TOOLS/$tool" --bind "$here/own" "$here/s" hello
		signal fuse CONT
		expect_status 0
		expect_text "$out" hello
		end client KILL
		rm -f real/own
	done
}

# What is written to the overlay at $view gets into layers/upper.
mount_overlay()
{
	mkdir -p "$view"
	mount -t overlay -o "lowerdir=$here/layers/lower,upperdir=$(
	)$here/layers/upper,workdir=$here/layers/work" overlay "$view" \
		2>"$err" || skip "no overlay: $(head -n 1 "$err")"
}

make_layers()
{
	need_root
	[ -n "${UNIXMSG_APART:-}" ] || skip 'no mount namespaces here'
	mkdir layers
	mount -t tmpfs layers layers || skip 'no tmpfs'
	mkdir layers/lower layers/upper layers/work
}

a_name_on_an_overlay_is_one_as_any_other()
{
	make_layers
	mount_overlay
	make_dead "$view/s"
	start_server server "$TOOLS/$tool" --listen "$view/s"
	expect_answer "$view/s"
	run "$TOOLS/$tool" --listen "$view/s"
	expect_status 1
	expect_answer "$view/s"
	end_well server
	[ ! -e layers/upper/s ] || fail 'its file is still there'
}

# Nobody could reach it through the overlay before.
an_owner_below_an_overlay_keeps_its_own_way()
{
	make_layers
	start_server below "$TOOLS/$tool" --listen "$here/layers/lower/s"
	mount_overlay
	start_server above "$TOOLS/$tool" --listen "$view/s"
	expect_answer "$view/s"
	expect_answer "$here/layers/lower/s"
}

# Nothing of /proc is seen by the command.
bare()
{
	need_root
	[ -n "${UNIXMSG_APART:-}" ] || skip 'no mount namespaces here'
	start_server server unshare -m sh -c \
		'mount -t tmpfs none /proc && exec "$@"' sh "$@"
}

a_dead_name_is_taken_without_proc()
{
	make_dead "$here/s"
	bare "$TOOLS/$tool" --listen "$here/s"
	expect_answer "$here/s"
}

what_cannot_be_cleaned_without_proc_says_so()
{
	need_root
	[ -n "${UNIXMSG_APART:-}" ] || skip 'no mount namespaces here'
	make_dead "$here/s"
	run unshare -m sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
		"$TOOLS/unixmsg-inspect" --clean "$here/s"
	expect_status 1
	expect_match "$err" 'kept: .* this needs /proc'
	[ -S s ] || fail 'it is gone'
}

a_live_owner_keeps_its_name_without_proc()
{
	need_root
	start_server owner "$TOOLS/$tool" --listen "$here/s"
	run unshare -m sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
		"$TOOLS/$tool" --listen "$here/s"
	expect_status 1
	expect_answer "$here/s"
}

a_mode_is_in_force_without_proc()
{
	umask 077
	# Linux 6.6 has what it takes.
	case $(uname -r) in
	[1-5].* | 6.[0-5].*) skip 'the kernel is too old' ;;
	esac
	bare "$TOOLS/$tool" --listen --mode 666 "$here/s"
	[ "$(stat -c %a s)" = 666 ] || fail "the mode is $(stat -c %a s)"
}

for name in a_file_that_is_shown_as_another_users_is_ours \
	a_client_leaves_no_file_that_is_shown_as_another_users \
	a_live_owner_keeps_its_name_through_another_view \
	who_replaces_a_dead_file_in_another_view_says_so \
	a_sweep_leaves_a_live_client_in_another_view \
	a_mode_that_is_accepted_and_ignored_is_told \
	a_file_system_that_hangs_keeps_nobody_waiting \
	a_name_on_an_overlay_is_one_as_any_other \
	an_owner_below_an_overlay_keeps_its_own_way \
	a_dead_name_is_taken_without_proc \
	what_cannot_be_cleaned_without_proc_says_so \
	a_live_owner_keeps_its_name_without_proc \
	a_mode_is_in_force_without_proc; do
	run_case "$name"
	umount -l "$view" "$work/here/layers" 2>/dev/null
	rmdir "$view" 2>/dev/null
done
finish_cases
