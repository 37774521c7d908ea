#!/bin/sh
# with-server.sh STAGE COMMAND [ARG...]: run a command beside a private server
# that finds the extension in STAGE; PGHOST, PGPORT, PGUSER and PGDATABASE say
# where it is, EXPLAIN_SERVER_LOG is its log.  With SANITIZE set to a build folder of
# the asan flavour, the server runs with the sanitizers preloaded, and their
# reports are in its log.

. tools/lib.sh
find_postgres

# The sanitizers' runtime must come before libc, and only into the server: pg_ctl
# starts this in place of postgres.  A report ends the backend (abort_on_error),
# a crash must stay a crash (handle_segv).  postgres never frees what it holds
# until exit, so leaks are not asked for.
preload_sanitizers()
{
	cp "$SANITIZE/asaninit.so" "$run/"
	cat >"$run/postgres" <<-END
		#!/bin/sh
		LD_PRELOAD='$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so) $run/asaninit.so' \\
		ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=0:handle_segv=0:detect_odr_violation=0 \\
		UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:abort_on_error=1 \\
		exec '$bindir/postgres' "\$@"
	END
	chmod 755 "$run/postgres"
}

stage=$1
shift
trap server_remove EXIT
trap 'exit 130' INT TERM HUP
server_folder
[ -z "${SANITIZE:-}" ] || preload_sanitizers
server_init "$stage"
server_start
export EXPLAIN_SERVER_LOG="$run/report/server.log"
"$@"
