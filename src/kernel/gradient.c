/*
 * gradient.c
 *		How fast a prediction changes with each feature of a row.
 */
#include <math.h>
#include <string.h>

#include "baseline.h"
#include "finite.h"
#include "gradient_internal.h"
#include "network_run.h"
#include "sum.h"

static ex_status
out_of_range(const ex_gradient_run *run, uint32_t f)
{
	ex_fail(run->host, EX_RANGE, "derivative of feature \"%s\" is out of range",
			ex_gradient_feature_name(run->model, f).text);
	if (run->call->space == EX_RESPONSE)
		ex_hint(run->host, "Explain it in raw space with space => 'raw'.");
	return EX_RANGE;
}

/* The number explained of n <= tile rows: y[n]. */
static ex_status
predict_rows(ex_gradient_run *run, const double *x, uint32_t n, double *y)
{
	const ex_family *family = run->compiled->family;

	EX_TRY(ex_poll(run->host));
	EX_TRY(family->predict_raw(run->compiled, run->host, x, n, run->raw));
	for (uint32_t i = 0; i < n; i++)
	{
		double	   *raw = run->raw + (size_t) i * run->n_outputs;

		if (run->call->space == EX_RESPONSE)
			ex_response(run->model, raw, raw);
		y[i] = raw[run->call->output];
		if (isfinite(y[i]))
			continue;
		ex_fail(run->host, EX_RANGE, "prediction is out of range");
		ex_hint(run->host, "Explain it in raw space with space => 'raw'.");
		return EX_RANGE;
	}
	return EX_OK;
}

/* The same of variants of one row. */
static ex_status
predict_variants(ex_gradient_run *run, const double *x, const ex_variant *variant, uint32_t n, double *y)
{
	for (uint32_t from = 0; from < n; from += run->tile)
	{
		uint32_t	count = n - from < run->tile ? n - from : run->tile;

		for (uint32_t i = 0; i < count; i++)
		{
			double	   *row = run->row + (size_t) i * run->p;

			memcpy(row, x, run->p * sizeof(double));
			row[variant[from + i].feature] = variant[from + i].value;
		}
		EX_TRY(predict_rows(run, run->row, count, y + from));
	}
	return EX_OK;
}

/* What dy/draw is at each row. */
static ex_status
set_seeds(ex_gradient_run *run, const double *x, uint32_t n)
{
	size_t		k = run->n_outputs;

	if (run->call->space == EX_RAW || run->model->link == EX_LINK_IDENTITY)
	{
		memset(run->seed, 0, n * k * sizeof(double));
		for (uint32_t i = 0; i < n; i++)
			run->seed[i * k + run->call->output] = 1;
		return EX_OK;
	}
	EX_TRY(run->compiled->family->predict_raw(run->compiled, run->host, x, n, run->raw));
	for (uint32_t i = 0; i < n; i++)
		EX_TRY(ex_response_derivative(run->host, run->model, run->raw + i * k, run->call->output,
									  run->seed + i * k));
	return EX_OK;
}

/* y(true) - y(false), or y(x) - y(reference level) */
static ex_status
set_differences(ex_gradient_run *run, const double *x, double *value)
{
	double		y;

	if (run->n_differences == 0)
		return EX_OK;
	EX_TRY(predict_rows(run, x, 1, &y));
	EX_TRY(predict_variants(run, x, run->difference, run->n_differences, run->predicted));
	for (uint32_t i = 0; i < run->n_differences; i++)
	{
		uint32_t	f = run->difference[i].feature;
		bool		reversed = run->kind[f] == EX_BOOLEAN && x[f] == 0;

		value[f] = reversed ? run->predicted[i] - y : y - run->predicted[i];
	}
	return EX_OK;
}

/* value[n * p]; 0 where there is no derivative */
static ex_status
set_derivatives(ex_gradient_run *run, const double *x, uint32_t n, double *value)
{
	const ex_family *family = run->compiled->family;
	size_t		count = (size_t) n * run->p;

	if (family->gradient_raw == NULL)
	{
		memset(value, 0, count * sizeof(double));
		return EX_OK;
	}
	EX_TRY(set_seeds(run, x, n));
	EX_TRY(family->gradient_raw(run->compiled, run->host, x, n, run->seed, value));
	if (ex_all_finite(value, count))
		return EX_OK;
	for (size_t i = 0; i < count; i++)
		if (!isfinite(value[i]))
			return out_of_range(run, (uint32_t) (i % run->p));
	return EX_OK;
}

ex_status
ex_gradient_at(ex_gradient_run *run, const double *x, uint32_t n, double *value)
{
	EX_TRY(ex_poll(run->host));
	EX_TRY(set_derivatives(run, x, n, value));
	for (uint32_t i = 0; i < n; i++)
		EX_TRY(set_differences(run, x + (size_t) i * run->p, value + (size_t) i * run->p));
	return EX_OK;
}

/*
 * Finite differences
 */

/*
 * The two ends of a feature's window, and its width between them as rounded.
 * NaN where the feature has no spread to measure it with.
 */
static ex_status
set_window(ex_gradient_run *run, uint32_t f, ex_variant *ends, double *width)
{
	const ex_gradient_call *call = run->call;
	double		half = call->window_sd * call->stat[(size_t) f * EX_N_STATS + EX_STAT_SD] / 2;

	*width = NAN;
	if (!(half > 0))
		return EX_OK;
	ends[0] = (ex_variant) {f, call->x[f] - half};
	ends[1] = (ex_variant) {f, call->x[f] + half};
	*width = ends[1].value - ends[0].value;
	if (isfinite(*width) && *width > 0)
		return EX_OK;
	ex_fail(run->host, EX_INVALID, "window of feature \"%s\" is too %s",
			ex_gradient_feature_name(run->model, f).text, *width > 0 ? "wide" : "narrow");
	ex_hint(run->host, "Choose another window_sd.");
	return EX_INVALID;
}

static ex_status
finite_differences(ex_gradient_run *run, double *value, double *step)
{
	const double *x = run->call->x;
	ex_variant *end;
	uint32_t	n = 0;

	EX_TRY(EX_ALLOC(run->host, 2 * (size_t) run->p, &end));
	for (uint32_t f = 0; f < run->p; f++)
	{
		step[f] = value[f] = NAN;
		if (run->kind[f] != EX_NUMERIC || !ex_gradient_defined(run, f))
			continue;
		EX_TRY(set_window(run, f, &end[n], &step[f]));
		if (!isnan(step[f]))
			n += 2;
	}
	EX_TRY(predict_variants(run, x, end, n, run->predicted));
	for (uint32_t i = 0; i < n; i += 2)
	{
		uint32_t	f = end[i].feature;

		value[f] = (run->predicted[i + 1] - run->predicted[i]) / step[f];
	}
	return set_differences(run, x, value);
}

/*
 * Guided backpropagation and deconvnet: of numeric features
 */
static ex_status
backward_by_rule(ex_gradient_run *run, double *value)
{
	const ex_gradient_call *call = run->call;
	int			rule = call->method == EX_GRADIENT_DECONVNET ? EX_RULE_DECONVNET : EX_RULE_GUIDED;

	EX_TRY(set_seeds(run, call->x, 1));
	EX_TRY(run->compiled->family->relevance_raw(run->compiled, run->host, call->x, 1, rule,
												run->seed, value));
	for (uint32_t f = 0; f < run->p; f++)
		if (run->kind[f] != EX_NUMERIC)
			value[f] = NAN;
	return EX_OK;
}

/*
 * Setting up
 */

/* Level that a categorical feature is compared with. */
static double
reference_level(const ex_gradient_call *call, uint32_t f, const double *count, uint32_t n_levels)
{
	double		level = call->reference != NULL ? call->reference[f] : NAN;

	if (isnan(level) && count != NULL)
		level = ex_most_frequent_level(count, n_levels);
	return isnan(level) ? 0 : level;
}

static ex_status
find_differences(ex_gradient_run *run)
{
	const ex_gradient_call *call = run->call;
	const uint32_t *n_levels = ex_get(run->model, EX_FEATURE_LEVELS, NULL);
	const double *count = call->level_count;

	EX_TRY(EX_ALLOC(run->host, run->p, &run->difference));
	for (uint32_t f = 0; f < run->p; f++)
	{
		if (run->kind[f] != EX_NUMERIC && ex_gradient_defined(run, f))
			run->difference[run->n_differences++] = (ex_variant) {
				f, run->kind[f] == EX_BOOLEAN ? 1 - call->x[f] :
				reference_level(call, f, count, n_levels[f])
			};
		if (count != NULL)
			count += n_levels[f];
	}
	return EX_OK;
}

static bool
only_numeric(const uint8_t *kind, uint32_t p)
{
	int			other = 0;

	for (uint32_t f = 0; f < p; f++)
		other |= kind[f] ^ EX_NUMERIC;
	return other == 0;
}

/* An infinite number has no neighbourhood. */
static ex_status
check_finite(const ex_gradient_run *run)
{
	if (run->finite)
		return EX_OK;
	for (uint32_t f = 0; f < run->p; f++)
		if (isinf(run->call->x[f]) && ex_gradient_defined(run, f))
			return ex_fail(run->host, EX_RANGE, "feature \"%s\" is infinite",
						   ex_gradient_feature_name(run->model, f).text);
	return EX_OK;
}

/* Rows that are worth evaluating together, in buffers of 4 MB at most. */
static void
choose_tile(ex_gradient_run *run)
{
	const ex_gradient_call *call = run->call;
	size_t		rows;
	size_t		wanted = run->n_differences + 1;

	if (call->method == EX_GRADIENT_FINITE_DIFFERENCE)
		wanted += 2 * (size_t) run->p;
	else if (ex_gradient_samples(call->method) && wanted < (size_t) call->samples)
		wanted = (size_t) call->samples;
	run->tile = 1;
	if (wanted == 1)
		return;
	rows = (size_t) 4 * 1024 * 1024 / (sizeof(double) * ((size_t) run->p + 2 * run->n_outputs));
	rows = rows < 1 ? 1 : rows > EX_GRADIENT_TILE ? EX_GRADIENT_TILE : rows;
	run->tile = (uint32_t) (wanted < rows ? wanted : rows);
}

static ex_status
begin(ex_gradient_run *run)
{
	bool		windows = run->call->method == EX_GRADIENT_FINITE_DIFFERENCE;
	bool		predicts = windows || run->call->space == EX_RESPONSE;

	run->finite = ex_all_finite(run->call->x, run->p);
	EX_TRY(ex_gradient_check(run));
	EX_TRY(check_finite(run));
	if (!only_numeric(run->kind, run->p))
		EX_TRY(find_differences(run));
	predicts |= run->n_differences > 0;
	choose_tile(run);
	EX_TRY(EX_ALLOC(run->host, (size_t) run->tile * run->n_outputs, &run->seed));
	if (!predicts)
		return EX_OK;
	EX_TRY(EX_ALLOC(run->host, (size_t) run->tile * run->n_outputs, &run->raw));
	EX_TRY(EX_ALLOC(run->host, (size_t) run->tile * run->p, &run->row));
	return EX_ALLOC(run->host, windows ? 2 * (size_t) run->p : run->n_differences, &run->predicted);
}

/* x_i g_i; a level's dummy is 1 where the level is there */
static void
multiply_by_input(const ex_gradient_run *run, double *value)
{
	for (uint32_t f = 0; f < run->p; f++)
		if (run->kind[f] != EX_CATEGORICAL)
			value[f] *= run->call->x[f];
}

static ex_status
run_method(ex_gradient_run *run, ex_gradient_result *result)
{
	double	   *step = result->step;

	switch (run->call->method)
	{
		case EX_GRADIENT_SMOOTH:
		case EX_GRADIENT_SMOOTH_SQUARED:
		case EX_GRADIENT_SMOOTH_VARIANCE:
			return ex_gradient_smooth(run, result->value, result->std_error);
		case EX_GRADIENT_FINITE_DIFFERENCE:
			if (step == NULL)
				EX_TRY(EX_ALLOC(run->host, run->p, &step));
			return finite_differences(run, result->value, step);
		case EX_GRADIENT_GUIDED_BACKPROP:
		case EX_GRADIENT_DECONVNET:
			return backward_by_rule(run, result->value);
		case EX_GRADIENT_X_INPUT:
			EX_TRY(ex_gradient_at(run, run->call->x, 1, result->value));
			multiply_by_input(run, result->value);
			return EX_OK;
		default:
			return ex_gradient_at(run, run->call->x, 1, result->value);
	}
}

/* Undefined values become NaN. */
static void
drop_undefined(const ex_gradient_run *run, double *value, double *std_error)
{
	const ex_gradient_call *call = run->call;

	if (run->finite &&
		(call->missing == NULL || memchr(call->missing, true, run->p) == NULL))
		return;
	for (uint32_t f = 0; f < run->p; f++)
	{
		if (ex_gradient_defined(run, f))
			continue;
		value[f] = NAN;
		if (std_error != NULL)
			std_error[f] = NAN;
	}
}

/* All others must be numbers. */
static ex_status
check_result(const ex_gradient_run *run, double *value, double *std_error)
{
	for (uint32_t f = 0; f < run->p; f++)
		value[f] += 0.0;		/* no -0 */
	if (ex_all_finite(value, run->p) && (std_error == NULL || ex_all_finite(std_error, run->p)))
		return EX_OK;
	for (uint32_t f = 0; f < run->p; f++)
	{
		if (isnan(value[f]) && std_error != NULL)
			std_error[f] = NAN;
		if (isinf(value[f]) || (!isnan(value[f]) && std_error != NULL && !isfinite(std_error[f])))
			return out_of_range(run, f);
	}
	return EX_OK;
}

static void
tell_levels(const ex_gradient_run *run, double *level)
{
	for (uint32_t f = 0; f < run->p; f++)
		level[f] = NAN;
	for (uint32_t i = 0; i < run->n_differences; i++)
	{
		const ex_variant *other = &run->difference[i];

		level[other->feature] = run->kind[other->feature] == EX_BOOLEAN ? 0 : other->value;
	}
}

ex_status
ex_gradient(ex_compiled *compiled, ex_host *host, const ex_gradient_call *call,
			ex_gradient_result *result)
{
	ex_gradient_run run = {
		.compiled = compiled,
		.host = host,
		.call = call,
		.model = compiled->model,
		.p = compiled->model->n_features,
		.n_outputs = compiled->model->n_outputs,
		.kind = ex_get(compiled->model, EX_FEATURE_KIND, NULL)
	};

	EX_TRY(begin(&run));
	if (result->step != NULL)
		for (uint32_t f = 0; f < run.p; f++)
			result->step[f] = NAN;
	if (result->std_error != NULL)
		memset(result->std_error, 0, run.p * sizeof(double));
	if (result->level != NULL)
		tell_levels(&run, result->level);
	EX_TRY(run_method(&run, result));
	drop_undefined(&run, result->value, result->std_error);
	return check_result(&run, result->value, result->std_error);
}

ex_status
ex_sum_derivatives(ex_host *host, const ex_model *model, const double *stat, const double *value,
				   ex_total_derivative *total)
{
	const uint8_t *kind = ex_get(model, EX_FEATURE_KIND, NULL);
	ex_sum		sum = {0, 0};
	ex_sum		standardised = {0, 0};

	total->n = 0;
	for (uint32_t f = 0; f < model->n_features; f++)
	{
		if (kind[f] != EX_NUMERIC || isnan(value[f]))
			continue;
		total->n++;
		ex_sum_add(&sum, value[f]);
		ex_sum_add(&standardised, stat == NULL ? NAN : value[f] * stat[(size_t) f * EX_N_STATS + EX_STAT_SD]);
	}
	total->total = total->n > 0 ? ex_sum_total(&sum) : NAN;
	total->standardised = total->n > 0 ? ex_sum_total(&standardised) : NAN;
	if (total->n > 0 && (!isfinite(total->total) || isinf(total->standardised)))
		return ex_fail(host, EX_RANGE, "total derivative is out of range");
	return EX_OK;
}
