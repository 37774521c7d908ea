/*
 * gradient_smooth.c
 *		SmoothGrad and its variants: moments of gradients under noise.
 *
 * Sample s draws from stream s, one number for each numeric feature in order,
 * whether it is missing or not: the noise of a feature depends on the seed,
 * the model and the sample alone.
 *
 * Moments are summed about the first sample, compensated.  Where all samples
 * are the same number (a linear model) the mean is that number to the bit and
 * the standard error 0.
 *
 * Standard errors, with n samples and t the number averaged (g or g^2):
 *		mean		sd(t) / sqrt(n)
 *		variance	sqrt((m4 - s^4 (n - 3) / (n - 1)) / n), m4 the fourth
 *					central moment (Cramer, Mathematical Methods of Statistics,
 *					1946, 27.4)
 */
#include <math.h>
#include <string.h>

#include "gradient_internal.h"
#include "random.h"
#include "sum.h"

/* Sums of powers of t - shift. */
typedef struct moments
{
	double		shift;
	ex_sum		power[4];
} moments;

typedef struct smoother
{
	ex_gradient_run *run;
	ex_gradient_method method;
	double	   *sigma;			/* of features that are perturbed, else 0 */
	ex_random	random;
	double	   *x;				/* tile * p: samples */
	double	   *gradient;		/* tile * p */
	moments    *moments;		/* p */
} smoother;

/* Sets sigma; *any: does one differ from 0? */
static ex_status
set_sigma(smoother *s, bool *any)
{
	const ex_gradient_run *run = s->run;
	const ex_gradient_call *call = run->call;

	*any = false;
	for (uint32_t f = 0; f < run->p; f++)
	{
		if (run->kind[f] != EX_NUMERIC || !ex_gradient_defined(run, f))
			continue;
		if (call->sigma != NULL)
			s->sigma[f] = call->sigma[f];
		else if (call->noise > 0)
			s->sigma[f] = call->noise * call->stat[(size_t) f * EX_N_STATS + EX_STAT_SD];
		if (isnan(s->sigma[f]))
		{
			ex_fail(run->host, EX_INVALID, "feature \"%s\" has no standard deviation in the background",
					ex_gradient_feature_name(run->model, f).text);
			ex_hint(run->host, "Give the noise of each feature as sigma => ARRAY[...].");
			return EX_INVALID;
		}
		*any |= s->sigma[f] > 0;
	}
	return EX_OK;
}

static ex_status
perturb(smoother *s, uint32_t sample, double *x)
{
	const ex_gradient_run *run = s->run;

	ex_random_stream(&s->random, sample);
	for (uint32_t f = 0; f < run->p; f++)
	{
		x[f] = run->call->x[f];
		if (run->kind[f] == EX_NUMERIC)
			x[f] += s->sigma[f] * ex_random_normal(&s->random);
		if (s->sigma[f] > 0 && !isfinite(x[f]))
		{
			ex_fail(run->host, EX_RANGE, "noise of feature \"%s\" is too large",
					ex_gradient_feature_name(run->model, f).text);
			ex_detail(run->host, "Values drawn with it are out of the range of float8.");
			ex_hint(run->host, "Choose a smaller noise or sigma.");
			return EX_RANGE;
		}
	}
	return EX_OK;
}

static void
add_sample(smoother *s, const double *gradient, bool first)
{
	int			n_powers = s->method == EX_GRADIENT_SMOOTH_VARIANCE ? 4 : 2;

	for (uint32_t f = 0; f < s->run->p; f++)
	{
		moments    *m = &s->moments[f];
		double		t = s->method == EX_GRADIENT_SMOOTH_SQUARED ? gradient[f] * gradient[f] : gradient[f];
		double		power;

		if (first)
			m->shift = t;
		power = t -= m->shift;
		for (int i = 0; i < n_powers; i++, power *= t)
			ex_sum_add(&m->power[i], power);
	}
}

static ex_status
sample_gradients(smoother *s)
{
	ex_gradient_run *run = s->run;
	uint32_t	n = (uint32_t) run->call->samples;

	for (uint32_t from = 0; from < n; from += run->tile)
	{
		uint32_t	count = n - from < run->tile ? n - from : run->tile;

		for (uint32_t i = 0; i < count; i++)
			EX_TRY(perturb(s, from + i, s->x + (size_t) i * run->p));
		EX_TRY(ex_gradient_at(run, s->x, count, s->gradient));
		for (uint32_t i = 0; i < count; i++)
			add_sample(s, s->gradient + (size_t) i * run->p, from + i == 0);
	}
	return EX_OK;
}

/* Sample variance from the sums of the first two powers. */
static double
variance_of(const moments *m, double n)
{
	double		sum = ex_sum_total(&m->power[0]);

	return fmax(0, ex_sum_total(&m->power[1]) - sum * (sum / n)) / (n - 1);
}

static double
error_of_variance(const moments *m, double n, double variance)
{
	double		mean = ex_sum_total(&m->power[0]) / n;
	double		fourth = ex_sum_total(&m->power[3]) / n - 4 * mean * (ex_sum_total(&m->power[2]) / n)
		+ 6 * mean * mean * (ex_sum_total(&m->power[1]) / n) - 3 * mean * mean * mean * mean;

	return sqrt(fmax(0, fourth - variance * variance * ((n - 3) / (n - 1))) / n);
}

static void
finish(const smoother *s, double *value, double *std_error)
{
	double		n = s->run->call->samples;

	for (uint32_t f = 0; f < s->run->p; f++)
	{
		const moments *m = &s->moments[f];
		double		variance = variance_of(m, n);
		double		error = sqrt(variance / n);

		value[f] = m->shift + ex_sum_total(&m->power[0]) / n;
		if (s->method == EX_GRADIENT_SMOOTH_VARIANCE)
		{
			value[f] = variance;
			error = error_of_variance(m, n, variance);
		}
		if (std_error != NULL)
			std_error[f] = error;
	}
}

/* Without noise nothing is sampled. */
static ex_status
without_noise(const smoother *s, double *value)
{
	EX_TRY(ex_gradient_at(s->run, s->run->call->x, 1, value));
	for (uint32_t f = 0; f < s->run->p; f++)
	{
		if (s->method == EX_GRADIENT_SMOOTH_SQUARED)
			value[f] *= value[f];
		else if (s->method == EX_GRADIENT_SMOOTH_VARIANCE)
			value[f] = 0;
	}
	return EX_OK;
}

ex_status
ex_gradient_smooth(ex_gradient_run *run, double *value, double *std_error)
{
	smoother	s = {.run = run, .method = run->call->method};
	bool		any = false;

	EX_TRY(EX_ALLOC(run->host, run->p, &s.sigma));
	if (run->call->samples > 1)
		EX_TRY(set_sigma(&s, &any));
	if (!any)
		return without_noise(&s, value);
	EX_TRY(EX_ALLOC(run->host, (size_t) run->tile * run->p, &s.x));
	EX_TRY(EX_ALLOC(run->host, (size_t) run->tile * run->p, &s.gradient));
	EX_TRY(EX_ALLOC(run->host, run->p, &s.moments));
	ex_random_init(&s.random, run->call->seed, run->model->digest, "smooth");
	EX_TRY(sample_gradients(&s));
	finish(&s, value, std_error);
	return EX_OK;
}
