/*
 * baseline.h
 *		The point that an explanation starts from: a row, zero, or the mean.
 *
 * Linear models and networks see features through columns (linear.h); there
 * the mean is the mean of the columns over the background rows, so that a
 * category is represented by the shares of its levels.  Methods that put
 * values in place of features (occlusion) need a row of features instead.
 */
#ifndef EX_BASELINE_H
#define EX_BASELINE_H

#include "family.h"

typedef enum ex_baseline_kind
{
	EX_BASELINE_ROW = 0,
	EX_BASELINE_ZERO,			/* columns: 0 before scaling, so the number 0,
								 * false, and no level at all */
	EX_BASELINE_MEAN
} ex_baseline_kind;

typedef struct ex_baseline
{
	ex_baseline_kind kind;
	const double *row;			/* p values, for EX_BASELINE_ROW */
} ex_baseline;

/*
 * z0[C] of a linear model or network.  EX_INVALID for the mean of a model
 * without background.
 */
extern ex_status ex_baseline_columns(ex_host *host, const ex_model *model,
									 const ex_baseline *baseline, double *z0);

/*
 * x0[p]: a row of features.  Mean: of numeric features over all rows that the
 * background was drawn from, the more frequent value of boolean ones, the most
 * frequent level of categorical ones (the first of equals); a feature that is
 * always missing stays NaN.  Zero: 0, false, the first level.
 */
extern ex_status ex_baseline_row(ex_host *host, const ex_model *model,
								 const ex_baseline *baseline, double *x0);

/* The level that occurs most often, the first of equals; NaN where none does. */
extern double ex_most_frequent_level(const double *count, uint32_t n_levels);

/* value[n * p]: sums over the columns of each feature of column_value[n * C]. */
extern void ex_sum_columns(const ex_model *model, const double *column_value, size_t n, double *value);

#endif							/* EX_BASELINE_H */
