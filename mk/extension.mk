# The PGXS half: the library, the install script, and the programs that test
# the kernels without a server.
#
# Works in the source folder (plain make) and from another folder, with
# make -f path/to/Makefile; the tasks use build/FLAVOUR-MAJOR/ for that.

top := $(dir $(firstword $(MAKEFILE_LIST)))

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(PGXS),)
$(error $(PG_CONFIG) does not run: install postgresql-server-dev-15 (or your \
	server's equivalent), or set PG_CONFIG; "make demo" needs neither)
endif

# The control file is the only place where the version is written.
EXTENSION = explain_ext
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(top)explain_ext.control)

MODULE_big = explain_ext
SOURCES := $(patsubst $(top)%,%,$(sort $(wildcard $(top)src/*.c $(top)src/*/*.c)))
OBJS := $(SOURCES:.c=.o)
KERNEL_OBJS := $(filter src/kernel/%,$(OBJS))
UNIT_TESTS := $(patsubst $(top)test/unit/%.c,unit/%,$(sort $(wildcard $(top)test/unit/test_*.c)))

# The install script is joined from numbered fragments; upgrade scripts
# (explain_ext--A--B.sql) ship as they are.
DATA_built = $(EXTENSION)--$(EXTVERSION).sql
DATA := $(patsubst $(top)%,%,$(wildcard $(top)sql/$(EXTENSION)--*--*.sql))
FRAGMENTS := $(sort $(wildcard $(top)sql/[0-9]*.sql))

REGRESS := $(sort $(patsubst $(top)test/sql/%.sql,%,$(wildcard $(top)test/sql/*.sql)))
REGRESS_OPTS = --inputdir=$(top)test --load-extension=$(EXTENSION)
EXTRA_CLEAN = build $(OBJS:.o=.d)

# No fused multiply-add, whatever the compiler's default: every path of a
# kernel must give the same bits.  -MMD because PGXS tracks no headers unless
# the server was configured to.
PG_CPPFLAGS = -I$(top)src -I$(top)src/kernel
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -ffp-contract=off -MMD -MP $(WERROR)
SHLIB_LINK = -lm
KERNEL_OPT = -O3

# SANITIZE=1: AddressSanitizer and UndefinedBehaviorSanitizer (tools/test.sh
# asan), and a planted overrun that proves that they are awake.  PostgreSQL's
# -fwrapv is taken back, so that signed overflow is found as well.
ifdef SANITIZE
COPT = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-wrapv -fno-omit-frame-pointer -U_FORTIFY_SOURCE
KERNEL_OPT =
OBJS += test/asan/plant.o
ALSO = asaninit.so unit/plant
endif

# Bitcode would only be of use to inline these functions into JIT code, and
# costs a second compiler.
override with_llvm = no

# Objects of another folder need their folders.
ifneq ($(top),./)
$(shell mkdir -p unit $(sort $(dir $(OBJS))))
endif

include $(PGXS)

# Only sources are looked for in the source folder.  PGXS searches it for
# every file, and would take a library built there for this folder's own.
VPATH =
vpath %.c $(top)
vpath %.control $(top)

# A kernel cannot include postgres.h by mistake: no server header is in its
# path.  C99 declares variables where they are first used.
$(KERNEL_OBJS): override CPPFLAGS := $(filter-out -I%,$(CPPFLAGS)) $(PG_CPPFLAGS)
$(KERNEL_OBJS): override CFLAGS += -std=gnu99 -Wno-declaration-after-statement -Wno-psabi $(KERNEL_OPT)

# AVX2 and AVX-512 paths: compiled here, chosen at run time.  Elsewhere the
# files are empty, as __AVX2__ and __AVX512F__ are not defined.
ifeq ($(host_cpu),x86_64)
$(filter %_avx2.o,$(KERNEL_OBJS)): override CFLAGS += -mavx2 -mno-fma
$(filter %_avx512.o,$(KERNEL_OBJS)): override CFLAGS += -mavx2 -mavx512f -mavx512vl -mavx512dq -mavx512bw -mno-fma
endif

$(OBJS): $(top)Makefile $(top)mk/extension.mk
-include $(OBJS:.o=.d)

$(DATA_built): $(FRAGMENTS) $(top)tools/build-sql.pl $(top)explain_ext.control
	perl $(top)tools/build-sql.pl $(EXTVERSION) $(FRAGMENTS) > $@.tmp
	mv $@.tmp $@

all: $(ALSO)

# --- what only the tests build (tools/test.sh), in a folder of their own ---

UNIT_CPPFLAGS = $(filter-out -I%,$(CPPFLAGS)) $(PG_CPPFLAGS) -I$(top)test/unit
UNIT_CFLAGS = $(CFLAGS) -std=gnu99 -Wno-declaration-after-statement

# the very objects that ship, so that the tests see what the server runs
kernels.a: $(KERNEL_OBJS)
	rm -f $@
	$(AR) rcs $@ $(KERNEL_OBJS)

$(UNIT_TESTS): unit/%: $(top)test/unit/%.c kernels.a
	$(CC) $(UNIT_CPPFLAGS) $(UNIT_CFLAGS) $< kernels.a -lm -MT $@ -o $@
-include $(addsuffix .d,$(UNIT_TESTS))

# programs that make bench measures
bench/%: $(top)test/bench/%.c kernels.a
	@mkdir -p bench
	$(CC) $(UNIT_CPPFLAGS) $(UNIT_CFLAGS) $< kernels.a -lm -MT $@ -o $@
-include $(wildcard bench/*.d)

unit/plant: $(top)test/asan/plant.c
	$(CC) -DEX_PLANT_MAIN $(UNIT_CFLAGS) $< -o $@

# Must come first of all libraries, and so is built without the sanitizers.
asaninit.so: $(top)test/asan/asaninit.c
	$(CC) -O1 -Wall -shared -fPIC -Wl,-z,initfirst $< -o $@

# The demo's database is not below build/ (tools/demo.sh says why).
ifeq ($(top),./)
clean: demo-clean
.PHONY: demo-clean
demo-clean:
	@sh tools/demo.sh clean
endif
