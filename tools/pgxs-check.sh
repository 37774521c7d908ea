#!/bin/sh
# pgxs-check.sh: make, make install, make installcheck and make clean, as on
# any server of the system.  Creates a cluster and installs into /usr, so it is
# only for the throw-away system of tools/fresh-check.sh.

. tools/lib.sh
[ "$(cat /etc/explain_ext_fresh_check 2>/dev/null)" = yes ] || die "this is not a throw-away system"

make -s
make -s install
pg_createcluster 15 main >/dev/null
pg_ctlcluster 15 main start
(cd / && runuser -u postgres -- createuser --superuser root)
make -s installcheck >build.log 2>&1 || { cat build.log regression.diffs; die "make installcheck failed"; }
grep 'tests passed' build.log
pg_dropcluster --stop 15 main
make -s uninstall
make -s clean
rm build.log
left=$(find . -name '*.o' -o -name '*.d' -o -name '*.so' -o -name 'explain_ext--*' -o -name results)
[ -z "$left" ] || die "make clean left $left"
