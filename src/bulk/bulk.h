/*
 * bulk.h
 *		Window functions that explain a partition tile by tile.
 *
 * A window function may look ahead in its partition.  These read a tile of
 * rows at once, run a kernel for tiles, hand the results out row by row and
 * let the executor forget the rows behind.  The answers have the bits of the
 * per-row functions.
 */
#ifndef BULK_H
#define BULK_H

#include "call_site.h"

#include "windowapi.h"

/*
 * What differs between the functions.  Options (arguments from 2 on) are the
 * same for all rows of a query, and stand in fcinfo as in a plain call.
 */
typedef struct BulkMethod
{
	const char *name;			/* of the SQL function */

	/* read the options for the model site->entry; returns numbers per row */
	uint64		(*plan) (CallSite *site, FunctionCallInfo fcinfo, InputKind kind, void *plan);
	Size		plan_size;

	/* result[n * width] of n rows x[n * p] */
	void		(*run) (CallSite *site, const void *plan, const double *x, uint32 n, double *result);

	/* the answer for one row */
	Datum		(*answer) (CallSite *site, const void *plan, const double *result);
} BulkMethod;

/* The answer for the current row of a window function (model, input, options ...). */
extern Datum bulk_call(FunctionCallInfo fcinfo, ModelSource source, InputKind kind,
					   const BulkMethod *method);

#endif							/* BULK_H */
