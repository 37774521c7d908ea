/*
 * derivative_summary.c
 *		Derivatives over many rows.
 */
#include <math.h>
#include <stdlib.h>

#include "derivative_summary.h"
#include "sum.h"

static ex_derivative
derivative_of(const ex_summary_feature *feature, uint32_t position)
{
	const ex_moments *moments = &feature->moments;
	ex_wide		n = ex_wide_from_count(moments->n);
	ex_derivative row = {position, NAN, NAN, NAN, NAN, NAN, moments->n};

	if (moments->n == 0)
		return row;
	row.mean = ex_moments_mean(moments);
	row.spread = ex_moments_sd(moments);
	row.mean_abs = ex_wide_to_double(ex_wide_divide(ex_exact_value(&feature->magnitude), n));
	row.mean_square = ex_wide_to_double(ex_wide_divide(ex_exact_value(&moments->square), n));
	return row;
}

static int
compare_rank(const void *a, const void *b)
{
	const ex_derivative *left = a;
	const ex_derivative *right = b;

	if ((left->n == 0) != (right->n == 0))
		return left->n == 0 ? 1 : -1;
	if (left->n > 0 && fabs(left->mean) != fabs(right->mean))
		return fabs(left->mean) > fabs(right->mean) ? -1 : 1;
	return left->feature < right->feature ? -1 : 1;
}

static bool
out_of_range(const ex_derivative *row)
{
	return isinf(row->mean) || isinf(row->spread) || isinf(row->mean_abs) ||
		isinf(row->mean_square) || isinf(row->standardised);
}

ex_status
ex_summary_derivatives(ex_host *host, const ex_model *model, const double *stat,
					   const ex_summary *summary, ex_derivative **rows, ex_derivative *total)
{
	const uint8_t *kind = ex_get(model, EX_FEATURE_KIND, NULL);
	uint32_t	n = summary->n_features;
	ex_sum		mean = {0, 0};
	ex_sum		standardised = {0, 0};
	bool		any = false;

	if (n != model->n_features)
		return ex_fail(host, EX_DIMENSION, "model has %u features, but the summary is of %u derivatives a row",
					   model->n_features, n);
	EX_TRY(EX_ALLOC(host, n, rows));
	for (uint32_t f = 0; f < n; f++)
	{
		ex_derivative *row = &(*rows)[f];

		*row = derivative_of(&summary->feature[f], f);
		if (kind[f] == EX_NUMERIC && row->n > 0)
		{
			row->standardised = stat == NULL ? NAN : row->mean * stat[(size_t) f * EX_N_STATS + EX_STAT_SD];
			ex_sum_add(&mean, row->mean);
			ex_sum_add(&standardised, row->standardised);
			any = true;
		}
		if (out_of_range(row))
			return ex_fail(host, EX_RANGE, "derivative %u is out of range", f + 1);
	}
	*total = (ex_derivative) {n, NAN, NAN, NAN, NAN, NAN, summary->n};
	if (any)
	{
		total->mean = ex_sum_total(&mean);
		total->standardised = ex_sum_total(&standardised);
	}
	if (out_of_range(total))
		return ex_fail(host, EX_RANGE, "total derivative is out of range");
	qsort(*rows, n, sizeof(**rows), compare_rank);
	return EX_OK;
}
