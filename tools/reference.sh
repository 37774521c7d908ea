#!/bin/sh
# reference.sh write: write doc/reference.md anew, beside a private server
# reference.sh check: beside tools/with-server.sh, say in TAP whether it is as
#                     the catalog has it (make test does)

. tools/lib.sh

# A database of its own: the registry that it makes is documented too.
generate()
{
	"$bindir/createdb" reference
	psql -d reference -c 'CREATE EXTENSION explain_ext' -c 'CALL explain.create_registry()'
	perl tools/reference.pl "$bindir/psql"
}

case $1 in
	write)
		sh tools/packages.sh build
		find_postgres
		work=$(mktemp -d "$WORKDIR/explain_ext.XXXXXX")
		trap 'rm -rf "$work"' EXIT
		trap 'exit 130' INT TERM HUP
		chmod 711 "$work"
		stage release "$work/stage"
		sh tools/with-server.sh "$work/stage" sh tools/reference.sh print >"$work/reference.md"
		cp "$work/reference.md" doc/reference.md
		;;
	print)
		find_postgres
		generate
		;;
	check)
		find_postgres
		mkdir -p build
		if generate >build/reference.md && diff -u doc/reference.md build/reference.md >build/reference.diff; then
			echo "ok 1 - doc/reference.md is as the catalog has it"
		else
			echo "not ok 1 - doc/reference.md is as the catalog has it: run make reference"
			head -n 40 build/reference.diff | sed 's/^/# /'
		fi
		echo 1..1
		;;
esac
