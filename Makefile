# explain_ext
#
# This file has two halves.
#
# The tasks (make help lists them) are scripts in tools/.  They need nothing
# but make and sh, because the first thing they do is to install what is
# missing; so make must not ask for pg_config while it reads this file.
#
# Every other goal (all, install, installcheck, clean, ...) is ordinary PGXS:
# see mk/extension.mk.

TASKS = help demo psql test unit regress tap asan fuzz lint oracle bench \
	reference fresh-check indent indent-check

.DEFAULT_GOAL := all
.PHONY: $(TASKS)

ifneq ($(filter-out $(TASKS),$(or $(MAKECMDGOALS),all)),)
include $(dir $(firstword $(MAKEFILE_LIST)))mk/extension.mk
else
# Two tasks at once would build in the same folder.
.NOTPARALLEL:
endif

help:
	@sed -n 's/^#: //p' Makefile

#: make demo          explain a real model on real data in a private server
#: make psql          look around in the demo's database afterwards
#: make test          run all the tests; the last line counts them
#:
#: make               build for the server that PG_CONFIG (pg_config) names
#: make install       install into that server
#: make installcheck  run the regression tests against a running server
#: make clean         remove what was built, the demo's database too
#:
#: make fresh-check   prove demo and test on a bare Debian 12 (root, 15 min)
#: make bench         measure against the peers
#:
#: For developers; T=name picks one test, V=1 shows every command:
#: make unit|regress|tap|asan|fuzz|lint|oracle [T=name]
#: make fuzz T=name SECONDS=600
#: make reference     write doc/reference.md from the catalog
#: make indent

demo psql:
	@sh tools/demo.sh $@

test unit regress tap asan fuzz lint oracle:
	@sh tools/test.sh $@

bench:
	@sh tools/bench.sh

reference:
	@sh tools/reference.sh write

fresh-check:
	@sh tools/fresh-check.sh

indent:
	@sh tools/packages.sh build indent && perl tools/indent.pl

indent-check:
	@sh tools/packages.sh build indent && perl tools/indent.pl --check
