#!/bin/sh
# planted.sh PROGRAM: the sanitizers must stop a program with planted faults.
# planted.sh server FAULT: the same for the sanitized library, in the server
# that tools/with-server.sh started; a fault ends that server's sessions, so
# each needs a server of its own.

set -u

# reported FAULT OUTPUT
reported()
{
	case $1 in
		0) fault=overrun message=heap-buffer-overflow ;;
		1) fault=overflow message='signed integer overflow' ;;
	esac
	if printf '%s\n' "$2" | grep -q "$message"; then
		echo "ok - a planted $fault is reported"
	else
		echo "not ok - a planted $fault is reported"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

if [ "$1" = server ]; then
	psql=$("$PG_CONFIG" --bindir)/psql
	answer=$("$psql" -X 2>&1 <<-END
		CREATE FUNCTION plant(int) RETURNS int LANGUAGE c AS '\$libdir/explain_ext', 'ex_plant';
		SELECT plant($2);
	END
	)
	reported "$2" "$answer $(cat "$EXPLAIN_SERVER_LOG")"
	echo 1..1
else
	reported 0 "$("$1" 0 2>&1)"
	reported 1 "$("$1" 1 2>&1)"
	echo 1..2
fi
