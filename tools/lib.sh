# What the scripts in tools/ share.  Sourced from the top of the tree:
#
#	. tools/lib.sh
#
# Everything built goes to build/, everything that a server reads or writes to
# a folder of its own in $WORKDIR.  So the tree itself may lie where the server's
# user cannot go (/root), or at a path longer than a socket's name may be.

set -eu
umask 022

# The caller's settings must not change what is built or tested: libpq's and
# psql's variables (but for those that tools/with-server.sh has set), the
# locale, and what make hands down to a make below it.
[ -n "${EXPLAIN_SERVER_LOG:-}" ] || for name in $(env | sed -n 's/^\(PG[A-Z]\{1,\}\|PSQL[A-Z_]*\|LC_[A-Z]*\)=.*/\1/p'); do
	unset "$name"
done
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES LANGUAGE CDPATH POSIXLY_CORRECT
export LC_ALL=C.UTF-8

WORKDIR=${WORKDIR:-/tmp}
PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" explain_ext.control)

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf 'explain_ext: %s\n' "$*" >&2
	exit 1
}

# Ask the server's pg_config where things are.  Only after tools/packages.sh.
find_postgres()
{
	bindir=$("$PG_CONFIG" --bindir) || die "$PG_CONFIG does not run"
	pgxs=$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")")
	major=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
}

# make, on all processors; quiet but for what goes wrong, unless V is set.
run_make()
{
	[ -n "${V:-}" ] && quiet= || quiet=-s
	make $quiet --no-print-directory -j"$(nproc)" "$@"
}

# build FLAVOUR GOAL...: run the Makefile's PGXS half in build/FLAVOUR-MAJOR.
# Flavours: release (what ships), asan.
build()
{
	build_dir=build/$1-$major
	[ "$1" = asan ] && sanitize=SANITIZE=1 || sanitize=
	shift
	mkdir -p "$build_dir"
	run_make -C "$build_dir" -f ../../Makefile PG_CONFIG="$PG_CONFIG" WERROR="${WERROR:-}" \
		$sanitize "$@"
}

# --- the private server ------------------------------------------------------
#
# It listens on a unix socket in a folder that only its own user (and root) can
# enter, which is what makes "trust" safe there.

# postgres refuses to run as root.
if [ "$(id -u)" != 0 ]; then
	server_user=
elif id postgres >/dev/null 2>&1; then
	server_user=postgres
else
	server_user=nobody
fi

# Run a command as the server's user, in the server's folder.
as_server()
{
	(
		cd "$run"
		if [ -n "$server_user" ]; then
			exec runuser -u "$server_user" -- "$@"
		else
			exec "$@"
		fi
	)
}

# server_folder: make $run, with the folders that the server's user owns.
server_folder()
{
	run=$(mktemp -d "$WORKDIR/explain_ext.XXXXXX")
	chmod 711 "$run"
	for dir in data socket report; do
		mkdir -m 700 "$run/$dir"
		[ -z "$server_user" ] || chown "$server_user:" "$run/$dir"
	done
}

# stage FLAVOUR FOLDER: install that build into a folder, as if it were the root.
stage()
{
	build "$1" install DESTDIR="$2"
}

# How this server finds an extension outside of its own folders.
staging_conf()
{
	if "$bindir/postgres" --describe-config | grep -q '^extension_destdir'; then
		echo "extension_destdir = '$1'"
	elif [ "$major" -ge 18 ]; then
		echo "extension_control_path = '$1$("$PG_CONFIG" --sharedir):\$system'"
		echo "dynamic_library_path = '$1$("$PG_CONFIG" --pkglibdir):\$libdir'"
	else
		die "this server has neither extension_destdir (Debian's has) nor" \
			"extension_control_path (18 and later): use make install and make installcheck"
	fi
}

# server_init STAGE [LINE...]: create the server, with these lines of configuration.
server_init()
{
	as_server "$bindir/initdb" -D "$run/data" -U postgres --auth=trust --no-sync \
		--locale=C.UTF-8 --encoding=UTF8 >"$run/initdb.log" 2>&1 ||
		{ cat "$run/initdb.log" >&2; die "initdb failed"; }
	conf=$(staging_conf "$1"; shift; [ $# = 0 ] || printf '%s\n' "$@")
	as_server sh -c 'cat >>data/postgresql.conf' <<-END
		listen_addresses = ''
		unix_socket_directories = '$run/socket'
		fsync = off
		log_min_messages = warning
		$conf
	END
}

# server_start: start it and point libpq at it.
server_start()
{
	postgres=$bindir/postgres
	[ -x "$run/postgres" ] && postgres=$run/postgres
	as_server "$bindir/pg_ctl" start -w -s -D data -l report/server.log -p "$postgres" ||
		{ cat "$run/report/server.log" >&2; die "the private server did not start"; }
	export PGHOST="$run/socket" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
}

server_stop()
{
	[ ! -f "$run/data/postmaster.pid" ] ||
		as_server "$bindir/pg_ctl" stop -w -s -m fast -D data || true
}

# server_remove: stop it and delete its folder.  Fit for a trap, so it keeps
# the exit status and asks first whether there is a folder at all.
server_remove()
{
	status=$?
	trap - EXIT
	if [ -n "${run:-}" ]; then
		server_stop
		rm -rf "$run"
	fi
	exit $status
}

psql()
{
	"$bindir/psql" -X -q -v ON_ERROR_STOP=1 "$@"
}
