/*
 * background_attach.c
 *		Statistics of a background sample in the terms of a model.
 */
#include "background_attach.h"

static void
attach_moments(const ex_sample *sample, const ex_attached_feature *attached, double stat[EX_N_STATS])
{
	ex_moments	moments = attached->column->moments;
	uint64_t	missing = sample->n - attached->column->n;

	if (!isnan(attached->missing))
	{
		ex_moments_add_times(&moments, attached->missing, missing);
		missing = 0;
	}
	stat[EX_STAT_N] = (double) moments.n;
	stat[EX_STAT_MISSING] = (double) missing / (double) sample->n;
	stat[EX_STAT_MEAN] = ex_moments_mean(&moments);
	stat[EX_STAT_SD] = ex_moments_sd(&moments);
	stat[EX_STAT_MIN] = moments.n > 0 ? moments.min : NAN;
	stat[EX_STAT_MAX] = moments.n > 0 ? moments.max : NAN;
	if (isinf(stat[EX_STAT_SD]))
		stat[EX_STAT_SD] = NAN;
}

/* Count `times` rows with value x; returns how many of them are missing. */
static uint64_t
count_level(double *count, double x, uint64_t times)
{
	if (isnan(x))
		return times;
	if (x >= 0)
		count[(uint32_t) x] += (double) times;
	return 0;
}

static void
attach_counted(const ex_sample *sample, const ex_attached_feature *attached, uint32_t n_levels,
			   double stat[EX_N_STATS], double *count)
{
	const ex_sample_column *column = attached->column;
	uint64_t	missing;

	for (uint32_t i = 0; i < n_levels; i++)
		count[i] = 0;
	missing = count_level(count, attached->missing, sample->n - column->n);
	for (uint32_t i = 0; i < column->n_values; i++)
		missing += count_level(count, attached->x[i], column->value[i].count);
	stat[EX_STAT_N] = (double) (sample->n - missing);
	stat[EX_STAT_MISSING] = (double) missing / (double) sample->n;
}

/* The sample's rows stand for all rows; ex_put_background has counted them. */
static void
attach_scaled(const ex_sample *sample, double stat[EX_N_STATS], double *count, uint32_t n_levels)
{
	double		weight = 0;
	double		factor;

	for (size_t r = 0; r < sample->n_rows; r++)
		weight += (double) sample->row[r].count;
	factor = (double) sample->n / weight;
	stat[EX_STAT_N] *= factor;
	for (uint32_t i = 0; i < n_levels; i++)
		count[i] *= factor;
}

ex_status
ex_attach_statistics(ex_builder *builder, const ex_sample *sample, const ex_attached_feature *attached)
{
	const uint8_t *kind = (const uint8_t *) builder->section[EX_FEATURE_KIND].data;
	const uint32_t *n_levels = (const uint32_t *) builder->section[EX_FEATURE_LEVELS].data;
	double	   *stat = (double *) builder->section[EX_BACKGROUND_STAT].data;
	double	   *count = (double *) builder->section[EX_BACKGROUND_LEVEL].data;

	for (uint32_t f = 0; f < builder->n_features; f++)
	{
		if (kind[f] != EX_CATEGORICAL)
			attach_moments(sample, &attached[f], stat);
		else if (attached[f].column->counting)
			attach_counted(sample, &attached[f], n_levels[f], stat, count);
		else
			attach_scaled(sample, stat, count, n_levels[f]);
		stat += EX_N_STATS;
		count += n_levels[f];
	}
	ex_drop(builder, EX_BACKGROUND_COUNT);
	return ex_put_f64(builder, EX_BACKGROUND_COUNT, (double) sample->n);
}
