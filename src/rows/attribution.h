/*
 * attribution.h
 *		The row contract of every local method: explain.attribution.
 */
#ifndef ATTRIBUTION_H
#define ATTRIBUTION_H

#include "input/input.h"
#include "kernel/feature_groups.h"
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

typedef struct Attribution Attribution;

/* One explained number: an output (or a difference of two) of one row. */
struct Attribution
{
	const ModelEntry *entry;
	const InputRow *row;
	const char *output;
	const ex_feature_groups *groups;	/* NULL: each feature on its own */
	const double *value;		/* one attribution per feature (per group and
								 * lone feature); NaN: not defined, ranked last */
	const double *std_error;	/* NULL: not sampled; rows show 0 width */
	const double *ci_low;
	const double *ci_high;
	double		base_value;		/* NaN: the method has none */
	double		prediction;		/* in the space explained */
	double		prediction_response;	/* NaN: not defined */
	bool		additive;		/* base + sum of values = prediction */
	ex_space	space;
	const char *method;

	/*
	 * Writes the columns of a row type that begins with explain.attribution
	 * and goes on; feature < 0: the row of kind 'rest'.  NULL: it ends there.
	 */
	void		(*more) (RowWriter *writer, const Attribution *attribution, int32 feature);
	const void *more_data;
};

/*
 * Reads top_k (int4), direction (explain.label) and rest (boolean) arguments;
 * rest < 0: there is none, and no such row, as the values have no sum.
 */
extern void row_selection_args(FunctionCallInfo fcinfo, int top_k, int direction, int rest,
							   RowSelection *selection);

/* Writes the rows of one explained number, largest attribution first. */
extern void attribution_rows(RowWriter *writer, const Attribution *attribution,
							 const RowSelection *selection);

#endif							/* ATTRIBUTION_H */
