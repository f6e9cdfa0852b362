#!/bin/sh
# Add up what the tests of a build report.
#
# usage: count.sh DIRECTORY|LOG...
#
# Reads each .log (those below a DIRECTORY) and the .trs beside it, and prints
# what was skipped, what failed, in the words of its log, and the totals. Exits 1 unless something
# passed and nothing failed.

set -eu

if [ $# -eq 0 ]; then
	echo "usage: count.sh DIRECTORY|LOG..." >&2
	exit 2
fi

list_logs()
{
	for arg; do
		if [ -d "$arg" ]; then
			find "$arg" -name '*.trs' | sed 's/trs$/log/' | sort
		else
			printf '%s\n' "$arg"
		fi
	done
}

list_logs "$@" | LC_ALL=C awk '
# The result that the harness recorded: PASS, FAIL, SKIP, ERROR and so on.
function result_of(log_file,    trs, line, result) {
	trs = log_file
	sub(/\.log$/, ".trs", trs)
	result = "ERROR"
	while ((getline line < trs) > 0)
		if (line ~ /^:test-result: /) {
			split(line, words, " ")
			result = words[2]
		}
	close(trs)
	return result
}

function number_before(line, word) {
	if (!match(line, "[0-9]+ " word))
		return 0
	return substr(line, RSTART) + 0
}

function number_after(line, word) {
	if (!match(line, word ": [0-9]+"))
		return 0
	return substr(line, RSTART + length(word) + 2) + 0
}

# The line that the harness itself puts at the end of a log.
function is_verdict(line) {
	return line ~ /^(PASS|FAIL|SKIP|XPASS|XFAIL|ERROR) .*\(exit status: [0-9]+\)$/
}

{
	log_file = $0
	name = log_file
	sub(/\.log$/, "", name)
	sub(/^.*\/tests\//, "tests/", name)
	result = result_of(log_file)
	p = f = s = told = reasons = 0
	failures = ""
	last = ""

	while ((getline line < log_file) > 0) {
		if (is_verdict(line))
			continue
		if (line ~ /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/) {
			bad = number_after(line, "Failures") + number_after(line, "Errors")
			p += number_after(line, "Checks") - bad
			f += bad
			told = 1
		} else if (line ~ /^cases: [0-9]+ passed/) {
			p += number_before(line, "passed")
			f += number_before(line, "failed")
			s += number_before(line, "skipped")
			told = 1
		} else if (tolower(line) ~ /^skip(ped)?[: ]/) {
			why = line
			sub(/^[A-Za-z]+:? */, "", why)
			print "skipped: " name ": " why
			reasons++
		} else if (line ~ /:[0-9]+:[FE]:/ || line ~ /^not ok - /)
			failures = failures "\nfailed: " name ": " line
		if (line != "")
			last = line
	}
	close(log_file)

	if (result == "SKIP") {
		if (p + f + s == 0)
			s = 1
	} else if (result == "PASS") {
		if (!told)
			p = 1
	} else if (f == 0)
		f = 1    # it died, whatever it told before

	if (s > 0 && !reasons)
		print "skipped: " name ": " (told || last == "" ? s " without a reason" : last)
	if (f > 0)
		print "failed: " name ": " f failures
	passed += p
	failed += f
	skipped += s
}

END {
	print passed + 0 " passed, " failed + 0 " failed" \
		(skipped ? ", " skipped " skipped" : "")
	exit (failed || !passed)
}'
