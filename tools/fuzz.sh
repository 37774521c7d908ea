#!/bin/sh
# fuzz.sh TARGET: run one fuzz target of build/fuzz for SECONDS (5), from the
# committed corpus; says in TAP how it went.
#
# New inputs are kept in build/fuzz/corpus/TARGET, failing ones beside it;
# "make fuzz T=NAME MERGE=1" adds to test/fuzz/corpus what reaches new code.

set -eu
target=$1
seconds=${FUZZ_SECONDS:-5}
committed=test/fuzz/corpus/$target
found=build/fuzz/corpus/$target
log=build/fuzz/$target.log
mkdir -p "$found" "$committed"

if [ -n "${MERGE:-}" ]; then
	"build/fuzz/$target" -merge=1 "$committed" "$found" >"$log" 2>&1
fi

# max_len: long enough for a model of some size, short enough to be quick
if "build/fuzz/$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
	-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="build/fuzz/$target-" \
	"$found" "$committed" >"$log" 2>&1; then
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	seeds=$(find "$committed" -type f | wc -l)
	echo "ok 1 - ${runs:-0} runs from $seeds committed inputs"
else
	echo "not ok 1 - $target"
	grep -aE '^(==|SUMMARY|Test unit|artifact| +#[0-9]+ )|runtime error' "$log" | head -n 40 | sed 's/^/# /'
fi
echo 1..1
