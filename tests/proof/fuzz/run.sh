#!/bin/sh
# Run libFuzzer targets, each for a while.
#
# usage: run.sh CORPUS FOLDER SECONDS TARGET...
#
# Each begins with CORPUS/NOUN and with what earlier runs have left in
# FOLDER/NOUN, where it keeps what leads it to new code. An input that fails is
# left in FOLDER/findings; give it to the target as an argument to see it again.
# With $FUZZ_SEED each run tries the same inputs as far as its time goes.
# Prints a line for each target, and one of totals, which goes to the file
# $FUZZ_RESULT as well. Exits 1 if one failed.

set -u

if [ $# -lt 4 ]; then
	echo "usage: run.sh CORPUS FOLDER SECONDS TARGET..." >&2
	exit 2
fi
corpus=$1
folder=$2
seconds=$3
shift 3
failed=0
runs=0

# Seeds that are hex digits become the bytes that they stand for.
lay_out()
{
	for seed in "$corpus/$1"/*; do
		name=${seed##*/}
		case $name in
		*.hex)
			sed 's/#.*//' "$seed" | tr -d ' \t\n' | tr a-f A-F |
				basenc --base16 -d >"$2/seed-${name%.hex}"
			;;
		*)
			cp "$seed" "$2/seed-$name"
			;;
		esac
	done
}

# The last figure of that name which the fuzzer printed.
get_figure()
{
	sed -n "s/.*$2: *\\([0-9]*\\).*/\\1/p" "$1" | tail -n 1
}

fuzz()
{
	noun=${1##*/fuzz_}
	log=$folder/$noun.log
	mkdir -p "$folder/$noun" "$folder/findings" || exit 1
	lay_out "$noun" "$folder/$noun"
	result='nothing found'
	timeout -k 10 $((seconds + 120)) "./$1" -max_total_time="$seconds" \
		-timeout=10 -rss_limit_mb=2048 -max_len=4096 \
		-seed="${FUZZ_SEED:-0}" -print_final_stats=1 \
		-artifact_prefix="$folder/findings/$noun-" \
		"$folder/$noun" >"$log" 2>&1 </dev/null || {
		result="FAILED, see $log"
		failed=$((failed + 1))
	}
	units=$(get_figure "$log" number_of_executed_units)
	runs=$((runs + ${units:-0}))
	echo "fuzz: $noun: ${units:-no count of} runs," \
		"$(get_figure "$log" cov) points covered," \
		"$(find "$folder/$noun" -type f | wc -l) inputs kept: $result"
}

targets=$#
[ -z "${FUZZ_RESULT:-}" ] || rm -f "$FUZZ_RESULT"
for target; do
	fuzz "$target"
done
line="fuzz: $targets targets, $seconds s each, $runs runs, $failed failed"
echo "$line"
[ -z "${FUZZ_RESULT:-}" ] || echo "$line" >"$FUZZ_RESULT"
[ "$failed" -eq 0 ]
