/*
 * background_rows.c
 *		A background from weighted rows that are all there is: its count and
 *		statistics follow from the rows.
 */
#include <math.h>

#include "model.h"
#include "sum.h"

static double
weight_of(const double *weight, uint32_t i)
{
	return weight != NULL ? weight[i] : 1;
}

/* Weights are counts of equal rows, so they take the place of n. */
static void
moments(const double *x, size_t stride, uint32_t n, const double *weight, double stat[EX_N_STATS])
{
	ex_sum		sum = {0, 0};
	ex_sum		square = {0, 0};
	double		mean;

	stat[EX_STAT_MIN] = INFINITY;
	stat[EX_STAT_MAX] = -INFINITY;
	for (uint32_t i = 0; i < n; i++)
	{
		if (isnan(x[i * stride]))
			continue;
		ex_sum_add(&sum, weight_of(weight, i) * x[i * stride]);
		stat[EX_STAT_MIN] = fmin(stat[EX_STAT_MIN], x[i * stride]);
		stat[EX_STAT_MAX] = fmax(stat[EX_STAT_MAX], x[i * stride]);
	}
	mean = ex_sum_total(&sum) / stat[EX_STAT_N];
	for (uint32_t i = 0; i < n; i++)
		if (!isnan(x[i * stride]))
			ex_sum_add(&square, weight_of(weight, i) * (x[i * stride] - mean) * (x[i * stride] - mean));
	stat[EX_STAT_MEAN] = mean;
	stat[EX_STAT_SD] = stat[EX_STAT_N] >= 2 ? sqrt(ex_sum_total(&square) / (stat[EX_STAT_N] - 1)) : NAN;
}

/* How many rows there are, and how many of them have a value. */
static double
count_rows(const double *x, size_t stride, uint32_t n, const double *weight, double *total)
{
	ex_sum		present = {0, 0};
	ex_sum		all = {0, 0};

	for (uint32_t i = 0; i < n; i++)
	{
		ex_sum_add(&all, weight_of(weight, i));
		if (!isnan(x[i * stride]))
			ex_sum_add(&present, weight_of(weight, i));
	}
	*total = ex_sum_total(&all);
	return ex_sum_total(&present);
}

static ex_status
put_statistics(ex_builder *builder, uint32_t f, const double *row, uint32_t n, const double *weight)
{
	const uint8_t *kind = (const uint8_t *) builder->section[EX_FEATURE_KIND].data;
	double		stat[EX_N_STATS];
	double		total;

	for (int i = 0; i < EX_N_STATS; i++)
		stat[i] = NAN;
	stat[EX_STAT_N] = count_rows(row + f, builder->n_features, n, weight, &total);
	stat[EX_STAT_MISSING] = stat[EX_STAT_N] < total ? 1 - stat[EX_STAT_N] / total : 0;
	if (kind[f] != EX_CATEGORICAL && stat[EX_STAT_N] > 0)
		moments(row + f, builder->n_features, n, weight, stat);
	return ex_put(builder, EX_BACKGROUND_STAT, stat, EX_N_STATS);
}

static ex_status
put_level_counts(ex_builder *builder, uint32_t f, const double *row, uint32_t n, const double *weight)
{
	uint32_t	n_levels = ((const uint32_t *) builder->section[EX_FEATURE_LEVELS].data)[f];
	double	   *count;

	EX_TRY(EX_ALLOC(builder->host, n_levels, &count));
	for (uint32_t i = 0; n_levels > 0 && i < n; i++)
	{
		double		x = row[(size_t) i * builder->n_features + f];

		if (x >= 0 && x < n_levels)
			count[(uint32_t) x] += weight_of(weight, i);
	}
	return ex_put(builder, EX_BACKGROUND_LEVEL, count, n_levels);
}

ex_status
ex_put_background(ex_builder *builder, const double *row, uint32_t n, const double *weight)
{
	ex_sum		total = {0, 0};

	for (int id = EX_BACKGROUND_ROW; id <= EX_BACKGROUND_COUNT; id++)
		ex_drop(builder, (ex_section_id) id);
	EX_TRY(ex_put(builder, EX_BACKGROUND_ROW, row, (size_t) n * builder->n_features));
	for (uint32_t i = 0; i < n; i++)
	{
		EX_TRY(ex_put_f64(builder, EX_BACKGROUND_WEIGHT, weight_of(weight, i)));
		ex_sum_add(&total, weight_of(weight, i));
	}
	for (uint32_t f = 0; f < builder->n_features; f++)
	{
		EX_TRY(ex_poll(builder->host));
		EX_TRY(put_statistics(builder, f, row, n, weight));
		EX_TRY(put_level_counts(builder, f, row, n, weight));
	}
	return ex_put_f64(builder, EX_BACKGROUND_COUNT, ex_sum_total(&total));
}
