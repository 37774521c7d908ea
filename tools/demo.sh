#!/bin/sh
# demo.sh demo:  run demo/demo.sql in a new database of a private server
# demo.sh psql:  open psql on that database again
# demo.sh clean: remove it
# demo.sh check: run demo/demo.sql beside tools/with-server.sh, and say in TAP
#                whether it went through (make test does)
#
# The server runs only as long as one of these does; its folder stays, and
# build/demo is a link to it.  It is not below build/ because the server's user
# could not always get there, and because a socket's name has to be short.

. tools/lib.sh

# The demo's script names its files from the top of the tree.
run_script()
{
	"$bindir/createdb" demo
	psql -d demo -c 'CREATE EXTENSION explain_ext'
	PAGER=cat psql -d demo -f demo/demo.sql
}

remove_old()
{
	run=$(readlink build/demo) || return 0
	[ ! -d "$run/data" ] || [ ! -x "$PG_CONFIG" ] || { find_postgres; server_stop; }
	rm -rf "$run" build/demo
}

case $1 in
	demo)
		sh tools/packages.sh build
		remove_old
		find_postgres
		say "Building explain_ext $version for PostgreSQL $major ..."
		run=
		trap server_remove EXIT
		trap 'exit 130' INT TERM HUP
		build release all
		server_folder
		stage release "$run/stage"
		say "Starting a private server ..."
		server_init "$run/stage"
		server_start
		run_script
		server_stop
		trap - EXIT
		mkdir -p build
		ln -s "$run" build/demo
		say
		say "The demo's server is stopped; its database is kept. To look around in it: make psql"
		;;
	psql)
		run=$(readlink build/demo) && [ -d "$run/data" ] || die "no demo to look at: run make demo first"
		find_postgres
		trap server_stop EXIT
		trap : INT
		server_start
		"$bindir/psql" -X -d demo
		;;
	clean)
		remove_old
		;;
	check)
		find_postgres
		mkdir -p build
		if run_script >build/demo.log 2>&1 && ! grep -q 'WARNING\|ERROR' build/demo.log; then
			echo "ok 1 - demo/demo.sql runs"
		else
			echo "not ok 1 - demo/demo.sql runs"
			tail -n 20 build/demo.log | sed 's/^/# /'
		fi
		echo 1..1
		;;
esac
