/*
 * attribution.h
 *		The row contract of every local method: explain.attribution.
 */
#ifndef ATTRIBUTION_H
#define ATTRIBUTION_H

#include "input/input.h"
#include "rows/rows.h"

typedef enum Direction
{
	DIRECTION_BOTH = 0,
	DIRECTION_UP,
	DIRECTION_DOWN
} Direction;

/* What of an explanation is shown. */
typedef struct RowSelection
{
	uint32		top_k;			/* UINT32_MAX: all */
	Direction	direction;
	bool		rest;			/* sum up what is left out in one row of kind
								 * 'rest' */
} RowSelection;

/* One explained number: an output (or a difference of two) of one row. */
typedef struct Attribution
{
	const ModelEntry *entry;
	const InputRow *row;
	const char *output;
	const double *value;		/* one attribution per feature */
	const double *std_error;	/* NULL: not sampled; rows show 0 width */
	const double *ci_low;
	const double *ci_high;
	double		base_value;		/* NaN: the method has none */
	double		prediction;		/* in the space explained */
	double		prediction_response;	/* NaN: not defined */
	bool		additive;		/* base + sum of values = prediction */
	ex_space	space;
	const char *method;
} Attribution;

/* Reads top_k (int4), direction (explain.label) and rest (boolean) arguments. */
extern void row_selection_args(FunctionCallInfo fcinfo, int top_k, int direction, int rest,
							   RowSelection *selection);

/* Writes the rows of one explained number, largest attribution first. */
extern void attribution_rows(RowWriter *writer, const Attribution *attribution,
							 const RowSelection *selection);

#endif							/* ATTRIBUTION_H */
