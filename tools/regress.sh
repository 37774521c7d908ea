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

# A fault planted in the sanitized library must end the backend with a report.
planted()
{
	rm -f "$REPORTS"/*san.*
	"$bindir/psql" -X -q -d postgres >/dev/null 2>&1 <<-END || true
		CREATE FUNCTION ex_plant(int) RETURNS int LANGUAGE c AS '\$libdir/explain_ext';
		SELECT ex_plant($1);
	END
	if grep -q "$2" "$REPORTS"/*san.* 2>/dev/null; then
		result ok "a planted $3 is reported"
	else
		result "not ok" "a planted $3 is reported"
	fi
	rm -f "$REPORTS"/*san.*
	# the other backends went down with it
	until "$bindir/psql" -X -q -d postgres -c "DROP FUNCTION IF EXISTS ex_plant" >/dev/null 2>&1; do
		sleep 0.2
	done
}

if [ -n "${SANITIZE:-}" ]; then
	planted 0 heap-buffer-overflow overrun
	planted 1 'signed integer overflow' overflow
fi

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
grep -a 'terminated by signal\|PANIC' "$SERVER_LOG" | grep -v "${SANITIZE:+signal 6}" || true

if [ -n "${SANITIZE:-}" ]; then
	if ls "$REPORTS"/*san.* >/dev/null 2>&1; then
		cat "$REPORTS"/*san.* | sed 's/^/# /'
		result "not ok" "the sanitizers report nothing"
	else
		result ok "the sanitizers report nothing"
	fi
fi
echo "1..$tests"
