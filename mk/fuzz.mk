# The fuzz targets: test/fuzz/fuzz_NAME.c, each linked with all kernels, built
# by clang with libFuzzer and the sanitizers in a folder of their own:
#
#	make -C build/fuzz -f ../../mk/fuzz.mk

top := $(dir $(firstword $(MAKEFILE_LIST)))../
SOURCES := $(patsubst $(top)%,%,$(sort $(wildcard $(top)src/kernel/*.c)))
OBJS := $(SOURCES:.c=.o)
TARGETS := $(patsubst $(top)test/fuzz/%.c,%,$(sort $(wildcard $(top)test/fuzz/fuzz_*.c)))

CC = clang-14
CPPFLAGS = -I$(top)src -I$(top)src/kernel -I$(top)test/fuzz -D_GNU_SOURCE
CFLAGS = -std=gnu99 -g -O1 -Wall -Wextra -Wno-unused-parameter -Wno-psabi -ffp-contract=off \
	-fno-sanitize-recover=undefined -MMD -MP
SANITIZE = address,undefined

all: $(TARGETS)

$(shell mkdir -p src/kernel)
vpath %.c $(top)

$(OBJS): %.o: %.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer-no-link,$(SANITIZE) -c $< -o $@

ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine)),)
$(filter %_avx2.o,$(OBJS)): CFLAGS += -mavx2 -mno-fma
# clang takes -mno-fma for "no AVX-512"; -ffp-contract=off is what matters
$(filter %_avx512.o,$(OBJS)): CFLAGS += -mavx2 -mavx512f -mavx512vl -mavx512dq -mavx512bw
endif

kernels.a: $(OBJS)
	rm -f $@
	ar rcs $@ $(OBJS)

$(TARGETS): %: test/fuzz/%.c kernels.a
	$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer,$(SANITIZE) $< kernels.a -lm -MT $@ -o $@

$(OBJS) $(TARGETS): $(top)mk/fuzz.mk
-include $(OBJS:.o=.d) $(TARGETS:=.d)
.PHONY: all
