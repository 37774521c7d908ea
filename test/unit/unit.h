/*
 * unit.h
 *		A small harness for unit tests of the kernels.
 *
 * A test is a program test/unit/test_NAME.c, linked with all kernels and no
 * server.  It prints the Test Anything Protocol; `make unit T=NAME` runs it.
 *
 *		#include "unit.h"
 *
 *		int
 *		main(void)
 *		{
 *			is_int(2 + 2, 4, "sum of two and two");
 *			return unit_done();
 *		}
 *
 * A check returns whether it held, so that a test can stop where going on
 * makes no sense.  Memory and errors come from host_malloc.h (ex_arena).
 */
#ifndef EX_UNIT_H
#define EX_UNIT_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "host.h"

static int	unit_tests = 0;
static int	unit_failures = 0;

/* One line of TAP; a failure's comment lines follow it. */
static inline bool __attribute__((format(printf, 2, 0)))
unit_vok(bool held, const char *name, va_list args)
{
	unit_tests++;
	unit_failures += !held;
	printf("%sok %d - ", held ? "" : "not ", unit_tests);
	vprintf(name, args);
	printf("\n");
	/* what a crash would otherwise swallow */
	fflush(stdout);
	return held;
}

#define UNIT_OK(held, name) \
	do { \
		va_list		args_; \
		va_start(args_, name); \
		unit_vok((held), name, args_); \
		va_end(args_); \
	} while (0)

/* The condition holds. */
static inline bool __attribute__((format(printf, 2, 3)))
ok(bool held, const char *name,...)
{
	UNIT_OK(held, name);
	return held;
}

static inline bool __attribute__((format(printf, 3, 4)))
is_int(int64_t got, int64_t expected, const char *name,...)
{
	bool		held = got == expected;

	UNIT_OK(held, name);
	if (!held)
		printf("#   got %lld, expected %lld\n", (long long) got, (long long) expected);
	return held;
}

static inline bool __attribute__((format(printf, 3, 4)))
is_text(const char *got, const char *expected, const char *name,...)
{
	bool		held = got != NULL && strcmp(got, expected) == 0;

	UNIT_OK(held, name);
	if (!held)
		printf("#   got \"%s\"\n#   expected \"%s\"\n", got ? got : "(null)", expected);
	return held;
}

/* The same double, bit for bit; any NaN is equal to any NaN. */
static inline bool __attribute__((format(printf, 3, 4)))
is_double(double got, double expected, const char *name,...)
{
	bool		held = memcmp(&got, &expected, sizeof(double)) == 0 ||
		(isnan(got) && isnan(expected));

	UNIT_OK(held, name);
	if (!held)
		printf("#   got %.17g (%a), expected %.17g (%a)\n", got, got, expected, expected);
	return held;
}

/* |got - expected| <= tolerance; never holds for a NaN. */
static inline bool __attribute__((format(printf, 4, 5)))
is_near(double got, double expected, double tolerance, const char *name,...)
{
	double		error = fabs(got - expected);
	bool		held = error <= tolerance;

	UNIT_OK(held, name);
	if (!held)
		printf("#   got %.17g, expected %.17g, off by %.3g, tolerance %.3g\n",
			   got, expected, error, tolerance);
	return held;
}

/* Every |got[i] - expected[i]| <= tolerance; shows the first that is not. */
static inline bool __attribute__((format(printf, 5, 6)))
are_near(const double *got, const double *expected, size_t n, double tolerance,
		 const char *name,...)
{
	size_t		i = 0;

	while (i < n && fabs(got[i] - expected[i]) <= tolerance)
		i++;
	UNIT_OK(i == n, name);
	if (i < n)
		printf("#   [%zu]: got %.17g, expected %.17g, tolerance %.3g\n",
			   i, got[i], expected[i], tolerance);
	return i == n;
}

/* The same bytes: how two paths of a kernel are compared. */
static inline bool __attribute__((format(printf, 4, 5)))
is_same(const void *got, const void *expected, size_t size, const char *name,...)
{
	const unsigned char *a = got;
	const unsigned char *b = expected;
	size_t		i = 0;

	while (i < size && a[i] == b[i])
		i++;
	UNIT_OK(i == size, name);
	if (i < size)
		printf("#   byte %zu of %zu: got 0x%02x, expected 0x%02x\n", i, size, a[i], b[i]);
	return i == size;
}

/* A kernel's status; what the host noted is shown when it is another one. */
static inline bool __attribute__((format(printf, 4, 5)))
is_status(ex_host *host, ex_status got, ex_status expected, const char *name,...)
{
	bool		held = got == expected;

	UNIT_OK(held, name);
	if (!held)
		printf("#   got status %d (%s), expected %d\n", got,
			   got == EX_OK ? "no error" : host->error.message, expected);
	return held;
}

/* Ends the program: prints the plan, gives the exit status. */
static inline int
unit_done(void)
{
	printf("1..%d\n", unit_tests);
	return unit_failures > 0 || unit_tests == 0;
}

#endif							/* EX_UNIT_H */
