#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Checks that the tests notice a missing guard. Each patch in mutants/ takes one
# guard out of a copy of the source: then the test that mutants/list names has
# to fail. Before that, the same test has to pass with the guard.
#
# usage: try_mutants.sh [NAME...]     parts of names of patches; none for all
#
# Run it as 'make mutants', after the tests were built. pitfalls explains the
# numbers; mutants_table.sh compares it with the tests and patches.

set -u
export LC_ALL=C
: "${top_builddir:?run make mutants}" "${srcdir:?}" "${CC:?}"
list=$srcdir/tests/proof/mutants/list
tests=$top_builddir/tests
result=${MUTANTS_RESULT:-$tests/mutants.result}
scratch=$(mktemp -d) || exit 99
chmod 711 "$scratch"
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT HUP TERM

# These have all guards.
library=$top_builddir/src/.libs/libunixmsg_all.a
shared=$top_builddir/src/tools/.libs/libtools.a
measuring=$top_builddir/src/tools/.libs/libperf.a
relay=$top_builddir/src/relay/.libs/librelay.a
inspecting=$(echo "$top_builddir"/src/tools/inspect/inspect_*.o)
relaying=$(echo "$top_builddir"/src/tools/relay/relay_*.o)
support=$tests/.libs/libsupport.a
for file in "$library" "$shared" "$measuring" "$relay" "$support" "$srcdir/tests/proof/mutants"; do
	[ -e "$file" ] || {
		echo "mutants: $file is missing: build the tests first" >&2
		exit 2
	}
done

# Neither speed nor warnings matter for one test.
compile()
{
	$CC -std=gnu11 -O1 -w $CFLAGS -I"$top_builddir" -I"$scratch/tree/src" \
		-c -o "$2" "$1"
}

link()
{
	# shellcheck disable=SC2086
	$CC $CFLAGS $LDFLAGS -o "$@" "$scratch/libtools.a" \
		"$scratch/libunixmsg.a" $CHECK_LIBS
}

fresh()
{
	# shellcheck disable=SC2086 # many files
	rm -rf "$scratch/tree" "$scratch/lib"*
	cp -r "$srcdir/src" "$scratch/tree.new" &&
		mkdir "$scratch/tree" && mv "$scratch/tree.new" \
		"$scratch/tree/src" && cp "$library" "$scratch/libunixmsg.a" &&
		cp "$shared" "$scratch/libtools.a" &&
		cp -r "$srcdir/completions" "$scratch/tree" &&
		chmod -R u+w "$scratch/tree/completions" &&
		ar r "$scratch/libinspect.a" $inspecting 2>/dev/null &&
		ar r "$scratch/librelaying.a" $relaying 2>/dev/null
}

# Lists the sources of the library that include one of the headers, directly or
# not.
list_users()
{
	for file in $(cd "$scratch/tree" && find src -name '*.c' \
		! -path 'src/tools/*' ! -path 'src/relay/*'); do
		$CC -MM -I"$top_builddir" -I"$scratch/tree/src" \
			"$scratch/tree/$file" | tr ' ' '\n' >"$scratch/used"
		for header; do
			! grep -q "/$header\$" "$scratch/used" || echo "$file"
		done
	done | sort -u
}

# Applies a patch, compiles the files that it changes, and puts them into their
# archives.
apply()
{
	patch -s -d "$scratch/tree" -p1 <"$1" || return
	headers=$(sed -n 's,^+++ b/\(src/[^	]*\.h\).*,\1,p' "$1")
	# shellcheck disable=SC2086 # one word each
	for file in $(sed -n 's,^+++ b/\([^	]*\.c\).*,\1,p' "$1"
		[ -z "$headers" ] || list_users $headers); do
		object=$scratch/$(basename "$file" .c).o
		compile "$scratch/tree/$file" "$object" || return
		case $file in
		src/tools/inspect/*) ar r "$scratch/libinspect.a" "$object" ;;
		src/tools/relay/*) ar r "$scratch/librelaying.a" "$object" ;;
		src/relay/* | src/tools/*) ar r "$scratch/libtools.a" "$object" ;;
		*) ar r "$scratch/libunixmsg.a" "$object" ;;
		esac 2>/dev/null || return
		rm -f "$object"
	done
}

# Compiles the files of the lane for check_lane_model, which runs them on a
# modelled machine.
model_lane()
{
	for file in lane lane_recv ring; do
		$CC -std=gnu11 -O1 -w $CFLAGS -I"$top_builddir" \
			-I"$scratch/tree/src" -I"$srcdir/tests" -c \
			-o "$scratch/weak_$file.o" \
			"$srcdir/tests/lane/weak_$file.c" || return
	done
}

# Runs one test, with its output in $scratch/out. A test that exceeds its time
# has failed.
run_check()
{
	seconds=60
	case $1 in
	check_lane_model)
		model_lane || return 99
		# It tries all orders, which takes a busy machine long.
		seconds=200
		set -- "$@" "$scratch"/weak_*.o "$tests/lane/weak.o"
		;;
	check_budget | check_name_moments | check_name_odd)
		set -- "$@" "$tests/support/diag_play.o"
		;;
	check_handshake) set -- "$@" -Wl,--wrap=recvmsg ;;
	check_lane_faults | check_shortage | check_unread) set -- "$@" \
		"-Wl,@$srcdir/tests/proof/fault.wrap" \
		"$tests"/proof/fault.o "$tests"/proof/fault_*.o ;;
	check_torture) set -- "$@" "-Wl,@$srcdir/tests/proof/fault.wrap" \
		"$tests"/proof/torture_*.o "$tests"/proof/fault.o "$tests"/proof/fault_*.o ;;
	esac
	object=$(find "$tests" -name "$1.o")
	# The test itself compiles functions of the changed headers.
	if [ -n "$headers" ]; then
		object=$scratch/test.o
		$CC -std=gnu11 -O1 -w $CFLAGS $CHECK_CFLAGS -I"$top_builddir" \
			-I"$scratch/tree/src" -I"$srcdir/tests" -c \
			-o "$object" "$(find "$srcdir/tests" -name "$1.c")" ||
			return 99
	fi
	checked=$2
	shift 3
	link "$scratch/test" "$object" "$@" "$support" || return 99
	CK_VERBOSITY=normal CK_RUN_CASE=$checked CK_TIMEOUT_MULTIPLIER=$patience \
		TORTURE=all timeout "$seconds" "$scratch/test" >"$scratch/out" 2>&1 \
		</dev/null
}

run_shell()
{
	rm -rf "$scratch/tools"
	mkdir "$scratch/tools"
	for tool in echo/seqpacket-echo echo/unixgram-echo \
		echo/unixstream-echo cat/unixmsg-cat perf/unixmsg-perf \
		tap/unixmsg-tap; do
		link "$scratch/tools/${tool#*/}" \
			"$top_builddir/src/tools/$tool.o" ||
			return 99
	done
	link "$scratch/tools/unixmsg-inspect" \
		"$top_builddir/src/tools/inspect/unixmsg-inspect.o" \
		"$scratch/libinspect.a" || return 99
	link "$scratch/tools/unixmsg-relay" \
		"$top_builddir/src/tools/relay/unixmsg-relay.o" \
		"$scratch/librelaying.a" || return 99
	limit=8
	# These cases type hundreds of names.
	[ "$1" != completions_tty.sh ] || limit=60
	UNIXMSG_CASE=$3 UNIXMSG_LIMIT=$limit TOOLS=$scratch/tools \
		PATIENCE=$(awk "BEGIN { print 120 * $patience }") \
		COMPLETIONS=$scratch/tree/completions timeout 100 sh \
		"$(find "$srcdir/tests" -name "$1")" >"$scratch/out" 2>&1 </dev/null
}

run_threads()
{
	threads=$srcdir/tests/proof srcdir=$scratch/tree promise=$2 \
		sh "$srcdir/tests/proof/threads.sh" >"$scratch/out" 2>&1
}

run_test()
{
	case $1 in
	check) run_check "$2" "$3" "$4" ;;
	torture)
		TORTURE_SCENE=$3
		export TORTURE_SCENE
		run_check "$2" failures "$4"
		;;
	shell) run_shell "$2" "$3" "$4" ;;
	threads) run_threads "$2" "$3" ;;
	esac
}

# True if the test itself has failed, and not another one.
has_failed()
{
	case $1 in
	check | torture) grep -q ":[FES]:[^:]*:$2:" "$scratch/out" ;;
	shell) grep -q "^not ok - $(echo "$2" | tr _ ' ')" "$scratch/out" ;;
	threads) grep -q 'ThreadSanitizer: data race' "$scratch/out" ;;
	esac
}

# True if the test has run and passed.
has_passed()
{
	case $1 in
	check | torture) grep -q '^100%: Checks: [1-9]' "$scratch/out" ;;
	*) grep -q '^cases: [1-9][0-9]* passed, 0 failed' "$scratch/out" ;;
	esac
}

is_wanted()
{
	[ -n "$wanted" ] || return 0
	for word in $wanted; do
		case $1 in
		*"$word"*) return 0 ;;
		esac
	done
	return 1
}

complain()
{
	echo "NOT CAUGHT: $1: $2"
	tail -n 15 "$scratch/out" | sed 's/^/    /'
}

# Most tests only wait: in two processes, each with half of the list, they take
# half the time.
if [ -z "${MUTANTS_SHARE:-}" ]; then
	(cd "$srcdir" && sh tests/proof/mutants_table.sh) || exit 1
	for share in 0 1; do
		MUTANTS_SHARE=$share sh "$0" "$@" &
	done >"$scratch/lines"
	wait
	grep -v '^mutants: ' "$scratch/lines" | sort
	line=$(awk '/^mutants: / {
		caught += $2; count += $4; skipped += $6
	}
	END {
		printf "mutants: %d of %d caught", caught, count
		if (skipped)
			printf ", %d skipped", skipped
		print ""
		exit caught < count || !count
	}' "$scratch/lines")
	status=$?
	echo "$line"
	[ $# -gt 0 ] || echo "$line" >"$result"
	exit $status
fi

# Puts the objects of unixmsg-perf, for check_perf, and of the other tools into
# one archive.
gather_tools()
{
	printf '%s\n' "create $scratch/gathered.a" "addlib $shared" \
		"addlib $measuring" "addlib $relay" save end | ar -M &&
		shared=$scratch/gathered.a
}

wanted=$*
number=0
headers=
count=0 caught=0 skipped=0
gather_tools || exit 99
fresh || exit 99
sed 's/#.*//; /^ *$/d; s/ *| */|/g' "$list" >"$scratch/list"
while IFS='|' read -r name kind program part test <&3; do
	is_wanted "$name" || continue
	number=$((number + 1))
	[ $((number % 2)) -eq "$MUTANTS_SHARE" ] || continue
	begun=$(date +%s)
	key=$(echo "$kind $program $part $test" | tr -c 'a-zA-Z0-9\n' _)
	if [ ! -e "$scratch/sound.$key" ]; then
		: >"$scratch/out"
		patience=1
		run_test "$kind" "$program" "$part" "$test"
		status=$?
		if [ $status -eq 77 ] || grep -q "^skipped\?[: -]*.*$(
			echo "$test" | tr _ .)" "$scratch/out"; then
			echo "skipped: $name: $test cannot run here"
			skipped=$((skipped + 1))
			continue
		fi
		count=$((count + 1))
		has_passed "$kind" || {
			complain "$name" "$test fails with the guard"
			continue
		}
		: >"$scratch/sound.$key"
	else
		count=$((count + 1))
	fi
	: >"$scratch/out"
	patience=0.05
	if ! fresh || ! apply "$srcdir/tests/proof/mutants/$name.patch"; then
		complain "$name" 'the patch does not fit'
	elif run_test "$kind" "$program" "$part" "$test"; then
		complain "$name" "$test passes without the guard"
	elif has_failed "$kind" "$test"; then
		caught=$((caught + 1))
		echo "ok - $name: $test ($(($(date +%s) - begun)) s)"
	else
		complain "$name" "another test than $test fails"
	fi
	headers=
	fresh
done 3<"$scratch/list"

echo "mutants: $caught of $count caught, $skipped skipped"
