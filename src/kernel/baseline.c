/*
 * baseline.c
 *		The point that an explanation starts from: a row, zero, or the mean.
 */
#include <math.h>
#include <string.h>

#include "baseline.h"
#include "linear_internal.h"

static ex_status
own_background(ex_host *host, const ex_model *model, ex_background *background)
{
	ex_own_background(model, background);
	if (background->n > 0)
		return EX_OK;
	ex_fail(host, EX_INVALID, "model has no background to take a mean from");
	ex_hint(host, "Attach one with explain.with_background(model, ...), or use baseline => 'zero' or a reference row.");
	return EX_INVALID;
}

/* Columns before center and scale. */
static ex_status
plain_columns(ex_host *host, const ex_linear_view *view, const ex_baseline *baseline, double *z0)
{
	ex_background background;

	switch (baseline->kind)
	{
		case EX_BASELINE_ROW:
			ex_linear_columns(view, baseline->row, z0);
			return EX_OK;
		case EX_BASELINE_ZERO:
			memset(z0, 0, view->n_columns * sizeof(double));
			return EX_OK;
		case EX_BASELINE_MEAN:
			EX_TRY(own_background(host, view->model, &background));
			return ex_linear_mean_columns(host, view, &background, z0);
	}
	return ex_fail(host, EX_INVALID, "unknown baseline");
}

static ex_status
out_of_range(ex_host *host, const ex_linear_view *view, uint32_t c, double z)
{
	uint32_t	length;
	const char *name = ex_get_name(view->model, EX_FEATURE_NAME_START, view->feature[c], &length);

	ex_fail(host, EX_RANGE, "baseline is out of range");
	ex_detail(host, "Feature \"%.*s\" is %s.", (int) length, name,
			  isnan(z) ? "missing, which the model does not allow" : "infinite");
	return EX_RANGE;
}

ex_status
ex_baseline_columns(ex_host *host, const ex_model *model, const ex_baseline *baseline, double *z0)
{
	const double *center = ex_get(model, EX_COLUMN_CENTER, NULL);
	const double *scale = ex_get(model, EX_COLUMN_SCALE, NULL);
	ex_linear_view view;

	ex_linear_open(model, &view);
	EX_TRY(plain_columns(host, &view, baseline, z0));
	for (uint32_t c = 0; c < view.n_columns; c++)
	{
		if (scale != NULL)
			z0[c] = (z0[c] - center[c]) / scale[c];
		if (!isfinite(z0[c]))
			return out_of_range(host, &view, c, z0[c]);
	}
	return EX_OK;
}

double
ex_most_frequent_level(const double *count, uint32_t n_levels)
{
	uint32_t	best = 0;

	for (uint32_t i = 1; i < n_levels; i++)
		if (count[i] > count[best])
			best = i;
	return n_levels > 0 && count[best] > 0 ? best : NAN;
}

static double
typical_value(ex_feature_kind kind, const double *stat, const double *count, uint32_t n_levels)
{
	if (kind == EX_CATEGORICAL)
		return ex_most_frequent_level(count, n_levels);
	if (stat[EX_STAT_N] == 0)
		return NAN;
	return kind == EX_BOOLEAN ? stat[EX_STAT_MEAN] > 0.5 : stat[EX_STAT_MEAN];
}

static ex_status
typical_row(ex_host *host, const ex_model *model, double *x0)
{
	const uint8_t *kind = ex_get(model, EX_FEATURE_KIND, NULL);
	const uint32_t *n_levels = ex_get(model, EX_FEATURE_LEVELS, NULL);
	ex_background background;
	const double *count;

	EX_TRY(own_background(host, model, &background));
	count = background.level;
	for (uint32_t f = 0; f < model->n_features; f++)
	{
		x0[f] = typical_value((ex_feature_kind) kind[f], background.stat + (size_t) f * EX_N_STATS,
							  count, n_levels[f]);
		if (count != NULL)
			count += n_levels[f];
	}
	return EX_OK;
}

ex_status
ex_baseline_row(ex_host *host, const ex_model *model, const ex_baseline *baseline, double *x0)
{
	switch (baseline->kind)
	{
		case EX_BASELINE_ROW:
			memcpy(x0, baseline->row, model->n_features * sizeof(double));
			return EX_OK;
		case EX_BASELINE_ZERO:
			memset(x0, 0, model->n_features * sizeof(double));
			return EX_OK;
		case EX_BASELINE_MEAN:
			return typical_row(host, model, x0);
	}
	return ex_fail(host, EX_INVALID, "unknown baseline");
}

void
ex_sum_columns(const ex_model *model, const double *column_value, size_t n, double *value)
{
	uint32_t	n_columns;
	const uint32_t *feature = ex_get(model, EX_COLUMN_FEATURE, &n_columns);

	memset(value, 0, n * model->n_features * sizeof(double));
	for (size_t i = 0; i < n; i++)
	{
		for (uint32_t c = 0; c < n_columns; c++)
			value[feature[c]] += column_value[c];
		column_value += n_columns;
		value += model->n_features;
	}
}
