/*
 * options.h
 *		Named options of explaining functions: numbers that must not be null.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "pg_compat.h"

#include "fmgr.h"

/* The argument; 22004 with its name where it is null. */
extern int32 int4_option(FunctionCallInfo fcinfo, int argno, const char *name);
extern int64 int8_option(FunctionCallInfo fcinfo, int argno, const char *name);
extern double float8_option(FunctionCallInfo fcinfo, int argno, const char *name);

/*
 * A float8[] with a number for each of n features, or NULL for null.  2202E
 * for more than one dimension, 22000 for another length, 22004 for a null in
 * it.
 */
extern const double *numbers_option(FunctionCallInfo fcinfo, int argno, const char *name, uint32 n);

#endif							/* OPTIONS_H */
