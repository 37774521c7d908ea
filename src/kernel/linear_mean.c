/*
 * linear_mean.c
 *		Expected columns of a linear model or network over its background.
 */
#include <math.h>

#include "linear_internal.h"
#include "sum.h"

/* Can the statistics of all rows replace the sample for every column? */
static bool
statistics_suffice(const ex_linear_view *view, const ex_background *background)
{
	if (background->stat == NULL)
		return false;
	for (uint32_t c = 0; c < view->n_columns; c++)
		if (view->kind[c] == EX_COLUMN_BIN ||
			(view->kind[c] == EX_COLUMN_LEVEL_IS && background->level == NULL))
			return false;
	return true;
}

/* level: counts of the feature's levels */
static double
mean_from_statistics(const ex_column *column, const double *stat, const double *level)
{
	/* where missing values are an error, those that were seen do not count */
	double		share = isnan(column->missing) ? 0 : stat[EX_STAT_MISSING];
	double		present = 0;

	if (stat[EX_STAT_N] == 0)
		return column->missing;
	if (column->kind == EX_COLUMN_VALUE)
		present = stat[EX_STAT_MEAN];
	else if (column->kind == EX_COLUMN_LEVEL_IS)
		present = level[column->level] / stat[EX_STAT_N];
	return share > 0 ? (1 - share) * present + share * column->missing : present;
}

/* Columns are in ascending order of their features in linear models only. */
static ex_status
means_from_statistics(ex_host *host, const ex_linear_view *view, const ex_background *background,
					  double *mean)
{
	const uint32_t *levels = ex_get(view->model, EX_FEATURE_LEVELS, NULL);
	size_t	   *first_level;

	EX_TRY(EX_ALLOC(host, (size_t) view->n_features + 1, &first_level));
	for (uint32_t f = 0; f < view->n_features; f++)
		first_level[f + 1] = first_level[f] + levels[f];
	for (uint32_t c = 0; c < view->n_columns; c++)
	{
		ex_column	column;

		ex_linear_get_column(view, c, &column);
		mean[c] = mean_from_statistics(&column, background->stat + (size_t) column.feature * EX_N_STATS,
									   background->level == NULL ? NULL :
									   background->level + first_level[column.feature]);
	}
	return EX_OK;
}

static ex_status
means_from_rows(ex_host *host, const ex_linear_view *view, const ex_background *background,
				double *mean)
{
	uint32_t	n = view->n_columns;
	double	   *z;
	ex_sum	   *sum;
	ex_sum		total = {0, 0};

	if (background->n == 1)
	{
		ex_linear_columns(view, background->row, mean);
		return EX_OK;
	}
	EX_TRY(EX_ALLOC(host, n, &z));
	EX_TRY(EX_ALLOC(host, n, &sum));
	for (uint32_t i = 0; i < background->n; i++)
	{
		double		weight = background->weight != NULL ? background->weight[i] : 1;

		if (i % 1024 == 1023)
			EX_TRY(ex_poll(host));
		ex_linear_columns(view, background->row + (size_t) i * view->n_features, z);
		for (uint32_t c = 0; c < n; c++)
			ex_sum_add(&sum[c], weight * z[c]);
		ex_sum_add(&total, weight);
	}
	for (uint32_t c = 0; c < n; c++)
		mean[c] = ex_sum_total(&sum[c]) / ex_sum_total(&total);
	return EX_OK;
}

ex_status
ex_linear_mean_columns(ex_host *host, const ex_linear_view *view, const ex_background *background,
					   double *mean)
{
	if (statistics_suffice(view, background))
		return means_from_statistics(host, view, background, mean);
	return means_from_rows(host, view, background, mean);
}
