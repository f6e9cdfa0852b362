#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs tests on an emulated machine of another architecture, with its own Linux.
#
# usage: machine.sh TRIPLET KERNEL FOLDER TEST...
#
# KERNEL is a folder that arch_parts.sh has made, with vmlinuz, unix_diag.ko and
# busybox. FOLDER is a build for TRIPLET; the output of each TEST goes to
# TEST.log there, and its result to TEST.trs, in the form of automake. qemu-user
# would not do: it knows too little about AF_UNIX, see arch.sh.
#
# A test that runs longer than MACHINE_TEST_SECONDS (600) has failed. After
# MACHINE_SECONDS (3000) the tests that are left are skipped: it is no failure
# if our own machine is slow.

set -eu

if [ $# -lt 4 ]; then
	echo 'usage: machine.sh TRIPLET KERNEL FOLDER TEST...' >&2
	exit 2
fi
triplet=$1
kernel=$2
folder=$3
shift 3
seconds=${MACHINE_SECONDS:-3000}
test_seconds=${MACHINE_TEST_SECONDS:-600}
root=$folder/machine

case $triplet in
aarch64-*)
	system='qemu-system-aarch64 -machine virt -cpu cortex-a57'
	console=ttyAMA0
	linker=/lib/ld-linux-aarch64.so.1
	;;
s390x-*)
	system='qemu-system-s390x -machine s390-ccw-virtio'
	console=ttysclp0
	linker=/lib/ld64.so.1
	;;
*)
	echo "machine.sh: no machine for $triplet" >&2
	exit 2
	;;
esac

# Makes the files of the machine: the tests, and the libraries that they need.
make_root()
{
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/lib" "$root/proc" \
		"$root/sys" "$root/tests" "$root/tmp" "$root/usr"
	cp "$kernel/busybox" "$root/bin"
	cp "$kernel/unix_diag.ko" "$root"
	cp -L "$linker" "$root/lib"
	cp -L "/lib/$triplet/libc.so.6" "/lib/$triplet/libm.so.6" \
		"/lib/$triplet/libgcc_s.so.1" \
		"/usr/lib/$triplet/libsubunit.so.0" "$root/lib"
	echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
	printf '%s\n' root:x:0: nogroup:x:65534: >"$root/etc/group"
	printf '%s\n' "$@" >"$root/list"
	for test; do
		"$triplet-strip" -o "$root/$test" "$folder/$test"
	done
	echo "export CK_EXCLUDE_TAGS='${CK_EXCLUDE_TAGS:-}'" >"$root/settings"
	write_init >"$root/init"
	write_test >"$root/test"
	chmod 755 "$root/init" "$root/test"
}

write_init()
{
	cat <<-'END'
	#!/bin/busybox sh
	/bin/busybox --install -s /bin
	export PATH=/bin HOME=/ CK_VERBOSITY=normal CK_TIMEOUT_MULTIPLIER=20
	export top_builddir=/ srcdir=/ TOOLS=/ FAULTY=/tests
	. /settings
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs dev /dev
	mount -t tmpfs -o mode=1777 tmpfs /tmp
	insmod /unix_diag.ko
	xargs -P 2 -n 1 /test </list
	echo "machine: done"
	poweroff -f
	END
}

# Runs one test. Prints its output in one piece, because two tests run at a
# time; lines that begin with "machine:" are ours. The test has its own session,
# because Check passes a signal that ends it on to its process group.
write_test()
{
	cat <<-END
	#!/bin/sh
	now() { cut -d . -f 1 /proc/uptime; }
	begun=\$(now)
	left=\$(($seconds - begun))
	[ \$left -lt $test_seconds ] || left=$test_seconds
	run() {
		[ \$left -gt 0 ] || return 124
		timeout -k 5 \$left setsid "\$@"
	}
	run /\$1 </dev/null >/tmp/log.\$\$ 2>&1
	status=\$?
	if [ \$status -ne 0 ] && [ \$((\$(now) - begun)) -ge \$left ]; then
		echo "no end after \$left s"
		[ \$left -eq $test_seconds ] || {
			echo "skip: the time of the machine is over"
			status=77
		}
	fi >>/tmp/log.\$\$
	until mkdir /tmp/lock 2>/dev/null; do sleep 0.1; done
	echo "machine: begin \$1"
	cat /tmp/log.\$\$
	echo
	echo "machine: end \$1 \$status \$((\$(now) - begun))"
	rm -f /tmp/log.\$\$
	rmdir /tmp/lock
	END
}

# The defences of the kernel against its users, and clearing memory, would take
# most of the time here. A second processor would not help: both would wait for
# each other whenever memory is mapped or unmapped.
options='mitigations=off init_on_alloc=0 hardened_usercopy=off nokaslr'
options="$options kpti=off randomize_kstack_offset=off"

run_machine()
{
	(cd "$root" && find . | cpio -o -H newc 2>/dev/null) |
		gzip -1 >"$folder/machine.cpio.gz"
	# shellcheck disable=SC2086
	timeout --foreground --kill-after=10 "$((seconds + 40))" \
		$system -smp 1 -m 1024 -display none \
		-nodefaults -no-reboot -serial stdio -monitor none \
		-kernel "$kernel/vmlinuz" -initrd "$folder/machine.cpio.gz" \
		-append "console=$console quiet loglevel=1 panic=-1 $options" \
		</dev/null 2>&1 | tr -d '\r' >"$folder/machine.log"
}

# Writes the log and the result of each test. A test that never ended, for lack
# of time or because the machine has died, has failed.
split_log()
{
	awk -v folder="$folder" '
	/^machine: begin / {
		name = $3
		print "" >(folder "/" name ".log")
		next
	}
	/^machine: end / {
		result = $4 == 0 ? "PASS" : $4 == 77 ? "SKIP" : "FAIL"
		print ":test-result: " result >(folder "/" name ".trs")
		name = ""
		next
	}
	name { print >(folder "/" name ".log") }' "$folder/machine.log"
}

for test; do
	echo 'the machine has not come that far' >"$folder/$test.log"
	echo ':test-result: FAIL' >"$folder/$test.trs"
done
make_root "$@"
run_machine
split_log
grep -q '^machine: done' "$folder/machine.log"
