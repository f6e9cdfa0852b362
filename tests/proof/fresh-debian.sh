#!/bin/sh
# SPDX-License-Identifier: MIT
# Tries what a new user does, in a Debian that has only its base packages.
#
#   fresh-debian.sh tarball FILE [FOLDER]    builds, installs and uses a release
#   fresh-debian.sh clone FOLDER [FOLDER]    types the two commands of README
#                                            into a clone: root in /root, then
#                                            an ordinary user in /home
#
# debootstrap makes the Debian from the mirror of this machine's own packages;
# the last FOLDER keeps it for the next time. Only root can enter it.
# fresh-debian.log has the steps, their commands and the output.

# The shell inside expands the commands for the inside.
# shellcheck disable=SC2016
set -u
usage='usage: fresh-debian.sh tarball FILE|clone FOLDER [FOLDER]'
way=${1:?"$usage"}
given=${2:?"$usage"}
log=$PWD/fresh-debian.log
result=$PWD/${RESULT:-fresh-debian.result}
suite=bookworm
scratch=$(mktemp -d) || exit 99
kept=${3:-$scratch/kept}
root=$scratch/root
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' INT TERM

skip()
{
	echo "skip: a fresh Debian: $1"
	exit 77
}

find_mirror()
{
	# Reads both forms of apt's lists.
	{
		sed -n 's/^deb \(\[[^]]*\] \)*\([^ ]*\) '$suite' .*/\2/p' \
			/etc/apt/sources.list /etc/apt/sources.list.d/*.list
		sed -n 's/^URIs: *\([^ ]*\).*/\1/p' \
			/etc/apt/sources.list.d/*.sources
	} 2>/dev/null | head -n 1
}

make_root()
{
	mirror=$(find_mirror)
	[ -n "$mirror" ] || skip "no source of packages for $suite"
	[ -d "$kept/etc" ] || timeout --kill-after=10 600 debootstrap \
		--variant=minbase $suite "$kept" "$mirror" >"$log" 2>&1 || {
		tail -n 3 "$log"
		rm -rf "$kept"
		skip "debootstrap failed"
	}
	cp -a "$kept" "$root"
}

# Runs commands inside the Debian, with its own /proc, and nothing of the
# outside. Its mounts end with it.
inside()
{
	timeout --kill-after=10 600 unshare --mount --pid --fork \
		--kill-child sh -c '
		mount -t proc proc "$0/proc"
		exec chroot "$0" env -i HOME=/root TERM=dumb LC_ALL=C \
			DEBIAN_FRONTEND=noninteractive \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			sh -euc "cd /root; $1"' "$root" "$1"
}

# step WHAT COMMANDS: runs the commands as a user types them. Their output is in
# the file $output.
steps=0 total=0
output=$scratch/output
step()
{
	printf '\n== %s\n%s\n--\n' "$1" "$2" >>"$log"
	begin=$(date +%s%N)
	status=0
	inside "$2" >"$output" 2>&1 </dev/null || status=$?
	cat "$output" >>"$log"
	if [ $status -ne 0 ]; then
		echo "FAILED: $1: $2"
		tail -n 60 "$output"
		# Failed tests may be far above.
		grep -E -A 8 '^not ok|:[EF]:|^FAIL' "$output" | head -n 60
		echo "failed: $1" >"$result"
		exit 1
	fi
	took=$((($(date +%s%N) - begin) / 10000000))
	steps=$((steps + 1)) total=$((total + took))
	printf '%3d.%02d s  %s\n' $((took / 100)) $((took % 100)) "$1"
}

use_tarball()
{
	file=${given##*/}
	release=${file%.tar.*}
	cp "$given" "$root/root/" || exit 99
	step "install a compiler" \
		"apt-get update; apt-get install -y --no-install-recommends gcc libc6-dev make pkg-config xz-utils"
	step "unpack" "tar xf $file"
	step "configure" "cd $release; ./configure"
	step "make" "cd $release; make"
	step "make install" "cd $release; make install"
	step "serve and ask with the tools" '
		seqpacket-echo --listen ./echo.sock & server=$!
		test "$(seqpacket-echo --wait 5 ./echo.sock hello)" = hello
		kill $server; wait $server
		test ! -e echo.sock'
	step "copy an example, build it, run it" '
		cp /usr/local/share/doc/unixmsg/examples/04-packet-server.c server.c
		cp /usr/local/share/doc/unixmsg/examples/05-packet-client.c client.c
		cc -o server server.c $(pkg-config --cflags --libs unixmsg)
		cc -o client client.c $(pkg-config --cflags --libs unixmsg)
		./server & server=$!
		./client one "" three | grep "3 messages, 3 answers"
		kill $server; wait $server'
	step "link it statically" '
		cc -static -o static client.c \
			$(pkg-config --static --cflags --libs unixmsg)'
	step "make uninstall" "cd $release; make uninstall
		test -z \"\$(find /usr/local -name '*unixmsg*' ! -type d)\""
}

# type_commands WHO: runs the commands of README in WHO's clone in the home
# folder.
type_commands()
{
	step "$1: $first" "su - $1 -c 'cd unixmsg && $first'"
	# With VERBOSE, make shows the output of failed tests.
	step "$1: $second" "su - $1 -c 'cd unixmsg && VERBOSE=1 $second'"
	# The last line of this form has the totals.
	echo "$1: $(grep -E '^[0-9]+ passed, [0-9]+ failed' "$output" |
		tail -n 1)" | tee -a "$scratch/totals"
}

use_clone()
{
	git clone -q --no-hardlinks "$given" "$root/root/unixmsg" || exit 99
	{
		read -r first
		read -r second
	} <<-END
		$(sh "$given/tests/readme_commands.sh" "$given/README")
	END
	: "${second:?README has no two commands}"
	type_commands root
	step "make a user" 'useradd -m -s /bin/sh joe'
	git clone -q --no-hardlinks "$given" "$root/home/joe/unixmsg" || exit 99
	inside 'chown -R joe: /home/joe/unixmsg' || exit 99
	type_commands joe
}

case $way in
tarball | clone) ;;
*)
	echo "$usage" >&2
	exit 2
	;;
esac
[ "$(id -u)" -eq 0 ] || skip "only root can enter it"
for tool in debootstrap unshare; do
	command -v $tool >/dev/null || skip "no $tool"
done
unshare --mount --pid --fork true 2>/dev/null ||
	skip "new namespaces are not available here"
rm -f "$result"
: >"$log"
make_root
"use_$way"

result_line="$steps steps in $((total / 100)) s"
echo "$result_line"
{
	echo "$result_line"
	[ ! -f "$scratch/totals" ] || cat "$scratch/totals"
	sed -n 's/^PRETTY_NAME="\(.*\)"$/on \1/p' "$root/etc/os-release"
} >"$result"
