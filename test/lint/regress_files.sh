#!/bin/sh
# Every regression test has its expected output, and no output is left over.

set -eu
tests=$(cd test/sql && ls | sed -n 's/\.sql$//p')
# NAME_1.out is pg_regress's way to allow for a second output
outputs=$(cd expected && ls | sed -n 's/\(_[0-9]\)\{0,1\}\.out$//p' | sort -u)
if [ "$tests" = "$outputs" ]; then
	echo "ok 1 - test/sql and expected agree"
else
	echo "not ok 1 - test/sql and expected agree"
	printf '%s\n' $tests $outputs | sort | uniq -u | sed 's/^/# on one side only: /'
fi
echo 1..1
