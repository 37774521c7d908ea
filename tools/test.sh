#!/bin/sh
# test.sh SUITE: build what a suite needs, run it, count its subtests.
# SUITE is test (all of them), unit, regress, tap, asan, fuzz, lint or oracle;
# T=name in the environment picks one test of it.
#
# A suite adds lines "label<TAB>command" to the plan.  Each command prints TAP;
# tools/harness.pl runs and counts them.

. tools/lib.sh

T=${T:-}
export PG_CONFIG
# not $SECONDS: some shells have a clock of that name
FUZZ_SECONDS=$(printenv SECONDS || echo 5)
export FUZZ_SECONDS

# The folder of this run: the plan, the stages, a copy of the TAP tests.
work=
counted=
cleanup()
{
	status=$?
	trap - EXIT
	if [ -d "$work/test/tmp_check/log" ]; then
		rm -rf build/tap-log
		cp -R "$work/test/tmp_check/log" build/tap-log
	fi
	[ -z "$work" ] || rm -rf "$work"
	[ -n "$counted" ] || say "0 passed, 1 failed"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

plan()
{
	printf '%s\t%s\n' "$1" "$2" >>"$work/plan"
}

# The files of a suite that T names, with or without suffix and "test_" or "fuzz_".
files()
{
	for file in "$@"; do
		[ -f "$file" ] || continue
		name=${file##*/}
		name=${name%.*}
		case ${T:-$name} in "$name" | "${name#*_}" | "${file##*/}") echo "$file" ;; esac
	done
}

release()
{
	[ -d "$work/release" ] || stage release "$work/release"
}

suite_lint()
{
	release
	for file in $(files test/lint/*); do
		case $file in
			*.py) sh tools/packages.sh oracle && run=/usr/bin/python3 ;;
			*.pl) run=perl ;;
			*.sh) run=sh ;;
			*) continue ;;
		esac
		plan "$file" "BUILD=build/release-$major $run $file"
	done
	case ${T:-reference} in reference)
		plan "reference" "sh tools/with-server.sh '$work/release' sh tools/reference.sh check" ;;
	esac
}

# unit FLAVOUR LABEL: the tests run from the top of the tree, and find test/data.
unit()
{
	programs=$(files test/unit/test_*.c | sed 's,.*/,unit/,; s/\.c$//')
	[ -z "$programs" ] || build "$1" $programs
	for program in $programs; do
		plan "$2$program" "build/$1-$major/$program"
	done
}

suite_unit()
{
	unit release ""
}

# The names of the regression tests, on one line.
regress_tests()
{
	files test/sql/*.sql | sed 's,.*/,,; s/\.sql$//' | tr '\n' ' '
}

suite_regress()
{
	release
	tests=$(regress_tests)
	[ -z "$tests" ] ||
		plan "regress" "sh tools/with-server.sh '$work/release' sh tools/regress.sh build/regress $tests"
	[ -n "$T" ] || plan "demo" "sh tools/with-server.sh '$work/release' sh tools/demo.sh check"
}

# PostgreSQL's Cluster.pm starts servers itself, so these tests are run by the
# server's user, in a copy of test/ where that user may write.
suite_tap()
{
	release
	[ -n "$(files test/t/*.pl)" ] || return 0
	mkdir "$work/test"
	for folder in t sql data; do
		[ ! -d "test/$folder" ] || cp -R "test/$folder" "$work/test/"
	done
	[ -z "$server_user" ] || chown -R "$server_user:" "$work/test"
	staging_conf "$work/release" >"$work/staging.conf"
	user=${server_user:+"runuser -u $server_user --"}
	for file in $(files test/t/*.pl); do
		plan "${file#test/}" "cd '$work/test' && exec $user env PATH='$bindir:$PATH' \
			PG_REGRESS='$pgxs/test/regress/pg_regress' EXPLAIN_CONF='$work/staging.conf' \
			TESTDIR='$work/test' TESTDATADIR='$work/test/tmp_check' TESTLOGDIR='$work/test/tmp_check/log' \
			perl -I'$pgxs/test/perl' -It t/${file##*/}"
	done
}

# badcalls SERVER LABEL CALLS: hostile calls of every function, CALLS of them
# unless the environment says otherwise.
badcalls()
{
	[ -n "$(files test/fuzz/badcalls.py)" ] || return 0
	sh tools/packages.sh oracle
	plan "$2badcalls" "$1 /usr/bin/python3 test/fuzz/badcalls.py --calls ${CALLS:-$3} --seed ${SEED:-1}"
}

suite_asan()
{
	build asan all
	stage asan "$work/asan"
	server="SANITIZE=build/asan-$major sh tools/with-server.sh '$work/asan'"
	plan "asan/planted" "sh tools/planted.sh build/asan-$major/unit/plant"
	for fault in 0 1; do
		plan "asan/planted in the server" "$server sh tools/planted.sh server $fault"
	done
	unit asan asan/
	tests=$(regress_tests)
	[ -z "$tests" ] ||
		plan "asan/regress" "$server sh tools/regress.sh build/regress-asan $tests"
	badcalls "$server" asan/ 500
}

suite_fuzz()
{
	if [ -n "$(files test/fuzz/badcalls.py)" ]; then
		release
		badcalls "sh tools/with-server.sh '$work/release'" fuzz/ 1500
	fi
	targets=$(files test/fuzz/fuzz_*.c | sed 's,.*/,,; s/\.c$//')
	[ -n "$targets" ] || return 0
	mkdir -p build/fuzz
	run_make -C build/fuzz -f ../../mk/fuzz.mk $targets
	for target in $targets; do
		plan "fuzz/$target" "sh tools/fuzz.sh $target"
	done
}

suite_oracle()
{
	release
	[ -n "$(files test/oracle/test_*.py)" ] || return 0
	sh tools/packages.sh oracle
	build release kernels.a
	for file in $(files test/oracle/test_*.py); do
		plan "${file#test/}" "BUILD=build/release-$major sh tools/with-server.sh '$work/release' /usr/bin/python3 $file"
	done
}

suites=$1
[ "$suites" != test ] || suites="lint unit regress tap asan fuzz oracle"

sh tools/packages.sh build test
find_postgres
work=$(mktemp -d "$WORKDIR/explain_ext.XXXXXX")
chmod 711 "$work"
: >"$work/plan"

say "Building explain_ext $version for PostgreSQL $major ..."
WERROR=-Werror
for suite in $suites; do
	"suite_$suite"
done
[ "$1" = test ] || [ -s "$work/plan" ] || die "make $1: no test of that name: $T"

counted=yes
perl tools/harness.pl <"$work/plan"
