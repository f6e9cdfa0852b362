#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the tests on other architectures and with another libc. Each has its own
# build in FOLDER/NAME, made as distributions make it (configure --host).
#
# usage: arch.sh FOLDER [NAME]...
#
#   musl      x86-64 with musl instead of glibc
#   i386      32 bits
#   aarch64   64 bits, little-endian, on an emulated machine
#   s390x     64 bits, big-endian, on an emulated machine
#
# Reports and skips what is missing, and installs nothing: run ./bootstrap
# --install-architectures, and arch_parts.sh FOLDER/parts. Writes a line for
# each NAME to $ARCH_RESULT. Exits 1 if a test failed, 77 if nothing could run.
# Two are built and run at a time. Everything ends within ARCH_SECONDS (3000):
# near this end, no other NAME begins, and emulated machines skip the tests that
# are left. With ARCH_TESTS=short, emulated machines leave out long tests whose
# results do not depend on the architecture.
#
# The emulated machines run their own Linux (Debian's, see machine.sh).
# qemu-user passes the system calls to our own kernel instead. But it does not
# know SO_TIMESTAMPNS, SO_PEERGROUPS, SO_PASSPIDFD and NETLINK_SOCK_DIAG, drops
# received SCM_CREDENTIALS, reports no true size of a cut message, and loses the
# room for descriptors: half of the tests would test the emulator.

set -u
LC_ALL=C
export LC_ALL
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS DESTDIR

if [ $# -lt 1 ]; then
	echo 'usage: arch.sh FOLDER [NAME]...' >&2
	exit 2
fi
is_one=false	# the script calls itself for each NAME
if [ "$1" = --one ]; then
	is_one=true
	shift
fi
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
parts=$folder/parts
result=${ARCH_RESULT:-$folder/architectures.result}
jobs=${JOBS:-2}
seconds=${ARCH_SECONDS:-3000}
least_seconds=120	# needed to begin another NAME
end=${ARCH_END:-$(($(date +%s) + seconds))}
long='control_sizes outbox sweep takeover timers'
slow="record_writer fds $long"	# on s390x

# Leaves out tests that measure, that make every call fail or that load the
# machine: they do not depend on the architecture. Shell tests compile for the
# host, so run_tests adds only tests/symbols.sh.
list_tests()
{
	(cd "$top" && ls tests/check_*.c tests/*/check_*.c \
		tests/*/*/check_*.c tests/proof/fuzz/fuzz_*.c) |
		sed -e 's,/.*/check_,/check_,' -e '/torture/d' \
			-e '/service_load/d' -e '/service_stuck/d' \
			-e 's/\.c$//'
}

# Leaves out fuzz targets, whose corpora are not on the machine, and
# check_exports, because the linker checks exported names. Tests that depend on
# byte order and word size come first, slow tests last, for the case that the
# time is short.
# shellcheck disable=SC2086
list_machine_tests()
{
	{
		name_tests control packet gram diag record msg batch stream addr
		list_tests | grep -v -x -F "$(name_tests $slow)"
		name_tests $slow
	} | sed -e '/fuzz/d' -e '/check_exports/d' -e '/check_name_races/d' |
		awk '!seen[$0]++' | leave_out_long
}

name_tests()
{
	printf 'tests/check_%s\n' "$@"
}

leave_out_long()
{
	if [ "${ARCH_TESTS:-}" = short ]; then
		# shellcheck disable=SC2086
		grep -v -x -F "$(name_tests $long)"
	else
		cat
	fi
}

# choose NAME: sets the variables for NAME.
choose()
{
	machine='' kernel='' options=''
	case $1 in
	musl)
		triplet=x86_64-linux-musl
		compiler=musl-gcc
		libdir=$parts/musl/lib/pkgconfig
		options="CC=musl-gcc CPPFLAGS=-isystem$folder/musl/kernel"
		options="$options --disable-static"
		;;
	i386)
		triplet=i686-linux-gnu
		compiler=i686-linux-gnu-gcc
		libdir=/usr/lib/i386-linux-gnu/pkgconfig
		options=--disable-static
		;;
	aarch64 | s390x)
		triplet=$1-linux-gnu
		compiler=$triplet-gcc
		libdir=/usr/lib/$triplet/pkgconfig
		case $1 in
		aarch64) machine=qemu-system-aarch64 ;;
		s390x) machine=qemu-system-s390x ;;
		esac
		kernel=$parts/$1
		options=--disable-shared
		;;
	*)
		echo "arch.sh: no such architecture: $1" >&2
		exit 2
		;;
	esac
}

get_left()
{
	echo $((end - $(date +%s)))
}

# Prints what is missing.
look_for_parts()
{
	command -v "$compiler" >/dev/null || echo "no $compiler"
	[ -e "$libdir/check.pc" ] || echo "no Check for $triplet"
	[ -z "$machine" ] || command -v "$machine" >/dev/null ||
		echo "no $machine"
	[ -z "$machine" ] || command -v cpio >/dev/null || echo 'no cpio'
	[ -z "$kernel" ] || [ -e "$kernel/vmlinuz" ] ||
		echo "no kernel in $kernel"
	[ "$(get_left)" -ge "$least_seconds" ] || echo 'no time is left'
}

# A kernel may be built without support for 32-bit programs.
can_run()
{
	echo 'int main(void) { return 0; }' >"$folder/$1.c"
	"$compiler" -o "$folder/$1.out" "$folder/$1.c" && "$folder/$1.out"
}

# musl-gcc does not find the kernel headers, and must not find those of glibc
# beside them.
link_kernel_headers()
{
	asm=/usr/include/x86_64-linux-gnu/asm
	[ -d "$asm" ] || asm=/usr/include/asm
	mkdir -p kernel
	ln -sfn /usr/include/linux kernel/linux
	ln -sfn /usr/include/asm-generic kernel/asm-generic
	ln -sfn "$asm" kernel/asm
}

build()
{
	[ "$1" != musl ] || link_kernel_headers
	# shellcheck disable=SC2086
	PKG_CONFIG_LIBDIR=$libdir "$top/configure" --host="$triplet" \
		--enable-werror --disable-dependency-tracking $options \
		CFLAGS=-O2 &&
		make -j"$jobs" &&
		make -j"$jobs" check TESTS=tests/proof/fuzz/fuzz_addr \
			LOG_COMPILER=true
}

# Runs the tests. Their logs go where count.sh looks for them.
run_tests()
{
	if [ -n "$machine" ]; then
		[ "${ARCH_TESTS:-}" != short ] || export CK_EXCLUDE_TAGS=load
		# shellcheck disable=SC2046
		MACHINE_SECONDS=$(($(get_left) - 60)) \
			sh "$top/tests/proof/machine.sh" "$triplet" "$kernel" "$PWD" \
			$(list_machine_tests)
	else
		make -k -j"$jobs" check \
			TESTS="$(list_tests | tr '\n' ' ') tests/symbols.sh"
	fi
}

# run NAME: builds and tests NAME in an empty folder, because all files of a
# distribution have the same time, and make would not see changes. Sets line to
# the counts.
run()
{
	rm -rf "${folder:?}/$1"
	mkdir -p "$folder/$1" && cd "$folder/$1" || exit 99
	if ! build "$1" >build.log 2>&1; then
		tail -n 20 build.log
		line='FAILED to build'
		return
	fi
	find . -name '*.trs' -exec rm {} + # the build leaves one, too
	run_tests >check.log 2>&1
	sh "$top/tests/count.sh" "$PWD" >count.log
	sed '$d' count.log | sed "s/^/$1: /"
	line=$(tail -n 1 count.log)
	[ -z "$machine" ] || [ "${ARCH_TESTS:-}" != short ] ||
		line="$line, without the long ones"
}

# try NAME: runs NAME, and writes its line to FOLDER/NAME.line.
try()
{
	choose "$1"
	missing=$(look_for_parts | head -n 1)
	if [ -n "$missing" ]; then
		line="skipped: $missing"
	elif [ -z "$machine" ] && ! can_run "$1" >"$folder/$1.out.log" 2>&1; then
		line="skipped: no program for $triplet runs here"
	else
		run "$1"
	fi
	echo "$1: $line" | tee "$folder/$1.line"
}

# A NAME that has not come to its end has left no line.
sum_up()
{
	status=77
	for name; do
		[ -s "$folder/$name.line" ] ||
			echo "$name: FAILED, no end after $seconds s" |
			tee "$folder/$name.line"
		cat "$folder/$name.line" >>"$result"
		case $(cat "$folder/$name.line") in
		"$name: skipped: "* | "$name: 0 passed, 0 failed"*) ;;
		*' passed, 0 failed'*) [ "$status" -ne 77 ] || status=0 ;;
		*) status=1 ;;
		esac
	done
}

if $is_one; then
	try "$1"
	exit
fi
# s390x takes longest: the others run one by one beside it.
[ $# -gt 0 ] || set -- s390x i386 musl aarch64
for name; do
	(choose "$name") || exit 2
	rm -f "$folder/$name.line"
done
: >"$result"
export ARCH_END="$end"
printf '%s\n' "$@" | timeout --kill-after=10 "$seconds" \
	xargs -P 2 -n 1 sh "$0" --one "$folder"
sum_up "$@"
exit $status
