/*
 * plant.c
 *		Two planted faults that the sanitizers must report.
 *
 * A sanitizer that sleeps finds nothing and looks like a clean run.  So the
 * sanitized library carries these faults, tools/regress.sh asks for them, and
 * a fault that goes unreported fails the run.  With EX_PLANT_MAIN it is a
 * program, which proves the same for the unit tests.
 */
#include <limits.h>
#include <stdlib.h>

static int
overrun(volatile int size)
{
	volatile char *bytes = malloc(size);
	int			last;

	bytes[size] = 1;
	last = bytes[size];
	free((void *) bytes);
	return last;
}

static int
overflow(volatile int top)
{
	return top + 1;
}

static int
plant(int fault)
{
	return fault == 0 ? overrun(7) : overflow(INT_MAX);
}

#ifdef EX_PLANT_MAIN

int
main(int argc, char **argv)
{
	return plant(argc > 1 ? atoi(argv[1]) : 0);
}

#else

#include "postgres.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(ex_plant);

Datum
ex_plant(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(plant(PG_GETARG_INT32(0)));
}

#endif
