/*
 * array_args.h
 *		Array arguments of functions that build models.
 */
#ifndef ARRAY_ARGS_H
#define ARRAY_ARGS_H

#include "host_pg.h"

#include "fmgr.h"

/*
 * The numbers of a float8[] with up to two dimensions, without nulls and
 * finite; `name` is the parameter's, for messages.  dims: 1 x n for one
 * dimension.
 */
typedef struct NumberArray
{
	int			dims[2];
	int			n;
	const double *value;
} NumberArray;

extern NumberArray number_array_arg(FunctionCallInfo fcinfo, int argno, const char *name, int max_dims);

/* The strings of a one-dimensional text[] without nulls, in UTF-8, terminated. */
typedef struct TextArray
{
	int			n;
	const char **value;
} TextArray;

extern TextArray text_array_arg(FunctionCallInfo fcinfo, int argno, const char *name);

/* 22000 unless an array has so many elements. */
extern void check_array_length(const char *name, int n, uint32 expected, const char *what);

#endif							/* ARRAY_ARGS_H */
