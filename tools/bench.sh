#!/bin/sh
# bench.sh: run test/bench/bench.py beside a private server with the release
# build, on settings that make a run repeatable; T=name picks one figure.

. tools/lib.sh

sh tools/packages.sh build bench
find_postgres
work=$(mktemp -d "$WORKDIR/explain_ext.XXXXXX")
chmod 711 "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
say "Building explain_ext $version for PostgreSQL $major ..."
stage release "$work/stage"
build release bench/kernel_tile
BUILD=$build_dir
export PG_CONFIG BUILD
# peers are measured on one thread
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	sh tools/with-server.sh "$work/stage" /usr/bin/python3 test/bench/bench.py ${T:+"$T"}
