#!/bin/sh
# regress.sh OUTPUT [TEST...]: run the regression tests (all, or these) against
# the server that tools/with-server.sh started, and say in TAP how it went.
# Results and diffs are left in the folder OUTPUT.

set -eu
output=$1
shift
[ $# -gt 0 ] || set -- $(cd test/sql && ls | sed -n 's/\.sql$//p')
pgxs=$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")")
bindir=$("$PG_CONFIG" --bindir)
tests=0

result()
{
	tests=$((tests + 1))
	echo "$1 $tests - $2"
}

mkdir -p "$output"
rm -f "$output/regression.diffs"
status=0
"$pgxs/test/regress/pg_regress" --bindir="$bindir" --inputdir=test --outputdir="$output" \
	--dbname=regression --load-extension=explain_ext "$@" >"$output/log" 2>&1 || status=$?

# "test NAME ... ok 12 ms" (15) and "ok 1 - NAME 12 ms" (16 and later)
for test in "$@"; do
	if grep -Eq "^(test)? +$test +\.\.\. ok |^ok +[0-9]+ +[-+] $test " "$output/log"; then
		result ok "$test"
	else
		result "not ok" "$test"
	fi
done

# A failure before the first test, such as an extension that does not load, has no diff.
if [ -s "$output/regression.diffs" ]; then
	sed 's/^/# /' "$output/regression.diffs"
elif [ "$status" != 0 ]; then
	sed 's/^/# /' "$output/log"
fi

# A crash shows up in the tests; this says what it was.
faults='terminated by signal\|PANIC\|ERROR: AddressSanitizer\|runtime error'
if [ -n "${SANITIZE:-}" ]; then
	if grep -q "$faults" "$EXPLAIN_SERVER_LOG"; then
		result "not ok" "the sanitizers report nothing"
	else
		result ok "the sanitizers report nothing"
	fi
fi
grep -a -A 30 "$faults" "$EXPLAIN_SERVER_LOG" | sed 's/^/# /'
echo "1..$tests"
