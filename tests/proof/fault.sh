#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Checks that the torture forgets no call of the library or of a tool: each call
# that can fail goes through fault_calls.c, and every public function is in a
# scene.

set -u
nm=${NM:-nm}
nm=${nm%% *}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C
passed=0 failed=0

command -v "$nm" >/dev/null || {
	echo "skip: calls that can fail: no $nm"
	exit 77
}

# Calls that cannot fail in the way they are used here, or whose failure other
# tests cover: a full standard output, for example.
cat >"$scratch/safe" <<'END'
__assert_fail
__libc_single_threaded
alarm
alphasort
bcmp
clearerr
dirfd
eventfd_read
eventfd_write
execvp
explicit_bzero
faccessat
fclose
feof
ferror
fflush
fprintf
fputc
fputs
fwrite
getauxval
getenv
getegid
geteuid
getopt_long
getpgrp
getpid
getppid
getrlimit
inet_pton
isatty
kill
lseek
memchr
memcmp
memcpy
memmove
memset
munmap
optarg
opterr
optind
optopt
prctl
printf
program_invocation_short_name
pthread_sigmask
putc
putchar
puts
qsort
rewinddir
sched_yield
secure_getenv
setenv
setfsuid
setpgid
sigaction
sigaddset
sigemptyset
sigfillset
signal
sigprocmask
snprintf
sprintf
sscanf
stderr
stdin
stdout
strchr
strcmp
strcpy
strcspn
strerror
strlen
strncmp
strnlen
strrchr
strsep
strspn
strstr
strtod
strtol
strtoul
strtoull
tcgetpgrp
uname
unlink
unsetenv
vfprintf
vsnprintf
waitpid
END

# Symbols that the compiler adds: nobody calls them.
is_ours='^(_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|tsan|lsan|sanitizer|gcov|stack_chk|errno_location|cxa|start|stop)|_Unwind|__llvm)'

list_undefined()
{
	"$nm" -u "$@" 2>/dev/null | awk '
		NF == 2 && $1 ~ /^[Uuw]$/ { sub(/@.*/, "", $2); print $2 }' |
		sed 's/^__isoc[0-9]*_//' | grep -Ev "$is_ours" | sort -u
}

list_defined()
{
	"$nm" --defined-only "$@" 2>/dev/null |
		awk 'NF == 3 { print $3 }' | sort -u
}

# expect_none WHAT FILE
expect_none()
{
	if [ ! -s "$2" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	sed "s/^/FAILED: /; s/\$/: $1/" "$2"
}

src=$top_builddir/src
# perf_plot.c only feeds another program, gnuplot.
drawing=$src/tools/perf/perf_plot.o
objects="$src/.libs/libunixmsg_all.a $src/relay/.libs/librelay.a $(
	find "$src/tools" -name '*.o' ! -path '*/.libs/*' \
	! -name perf_plot.o | sort)"
[ -e "$src/.libs/libunixmsg_all.a" ] || {
	echo 'skip: calls that can fail: no static library to look into'
	exit 77
}
# shellcheck disable=SC2086
{
	list_undefined $objects >"$scratch/undefined"
	list_defined $objects "$drawing" >"$scratch/defined"
}
if grep -q '_chk$' "$scratch/undefined"; then
	echo 'skip: calls that can fail: built with _FORTIFY_SOURCE'
	exit 77
fi
if grep -q '_time64$' "$scratch/undefined"; then
	echo 'skip: calls that can fail: they have other names here'
	exit 77
fi
[ -s "$scratch/undefined" ] || echo nothing >"$scratch/nothing"
expect_none 'the library seems to call nothing' "$scratch/nothing"

sed 's/^--wrap=//' "$srcdir/tests/proof/fault.wrap" | sort >"$scratch/wrapped"
sort -o "$scratch/safe" "$scratch/safe"
comm -23 "$scratch/undefined" "$scratch/defined" |
	comm -23 - "$scratch/wrapped" |
	comm -23 - "$scratch/safe" >"$scratch/forgotten"
expect_none 'can it fail? Add it to fault_calls.c, fault_table.c, fault.wrap' \
	"$scratch/forgotten"

sed -n 's/^\t\(unix[a-z_]*\);$/\1/p' "$srcdir/src/unixmsg.map" | sort \
	>"$scratch/public"
support=$top_builddir/tests/support
"$nm" -u "$top_builddir"/tests/proof/torture_*.o "$support"/.libs/ends.o \
	"$support"/.libs/scene.o "$support"/ends.o "$support"/scene.o \
	2>/dev/null |
	awk 'NF == 2 { print $2 }' | sort -u >"$scratch/played"
comm -23 "$scratch/public" "$scratch/played" >"$scratch/unplayed"
expect_none 'is in no scene, see torture.h' "$scratch/unplayed"

echo "cases: $passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
