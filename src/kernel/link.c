/*
 * link.c
 *		From raw predictions to responses.
 *
 * Every function here is free of overflow on the way and keeps its relative
 * accuracy in both tails, where audits look: a probability of 1e-300 is a
 * number, not 0.  A response that float8 cannot hold (exp(800), 1 / 0) is
 * infinite; callers report it as 22003.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dd.h"
#include "family.h"
#include "link_internal.h"
#include "sum.h"

const char *const ex_link_names[EX_N_LINKS] = {
	[EX_LINK_IDENTITY] = "identity",
	[EX_LINK_LOGIT] = "logit",
	[EX_LINK_LOG] = "log",
	[EX_LINK_PROBIT] = "probit",
	[EX_LINK_CLOGLOG] = "cloglog",
	[EX_LINK_INVERSE] = "inverse",
	[EX_LINK_SOFTMAX] = "softmax",
	[EX_LINK_OVR] = "ovr",
	[EX_LINK_SIGNED_SQUARE] = "signed_square",
	[EX_LINK_SOFTPLUS] = "softplus",
	[EX_LINK_STEP] = "step",
	[EX_LINK_ISOLATION] = "isolation",
	[EX_LINK_CUMULATIVE_SOFTPLUS] = "cumulative_softplus",
	[EX_LINK_SORTED] = "sorted",
};

ex_status
ex_find_link(ex_host *host, const char *name, size_t length, ex_link *link)
{
	char		valid[400];
	int			used = 0;

	for (int i = 0; i < EX_N_LINKS; i++)
	{
		if (strlen(ex_link_names[i]) == length && memcmp(ex_link_names[i], name, length) == 0)
		{
			*link = (ex_link) i;
			return EX_OK;
		}
	}
	ex_fail(host, EX_INVALID, "unknown link \"%.*s\"", (int) (length < 200 ? length : 200), name);
	for (int i = 0; i < EX_N_LINKS && used < (int) sizeof(valid); i++)
		used += snprintf(valid + used, sizeof(valid) - (size_t) used, "%s%s", i > 0 ? ", " : "", ex_link_names[i]);
	ex_hint(host, "Valid links are %s.", valid);
	return EX_INVALID;
}

/* log(ex_logistic(x)) */
static double
log_logistic(double x)
{
	return fmin(x, 0) - log1p(exp(-fabs(x)));
}

static double
softplus(double x)
{
	return fmax(x, 0) + log1p(exp(-fabs(x)));
}

/*
 * Phi(x) = erfc(-x / sqrt 2) / 2.  In the lower tail a rounding error d of the
 * argument t costs the relative error 2 t d, up to 1e-13; so d is computed and
 * taken back to first order, erfc'(t) = -2 / sqrt(pi) exp(-t^2).
 */
static double
normal_distribution(double x)
{
	static const double high = 0.70710678118654757; /* 1 / sqrt 2 as the sum
													 * of two doubles */
	static const double low = -4.8336466567264573e-17;
	static const double per_sqrt_pi = 0.56418958354775629;
	ex_dd		t = ex_two_product(-x, high);
	double		d = t.lo - x * low;

	if (fabs(x) > 40)			/* 0 or 1 */
		return x > 0;
	return 0.5 * erfc(t.hi) - d * per_sqrt_pi * exp(-t.hi * t.hi);
}

/* Links that look at one output at a time. */
static double
respond(ex_link link, double param, double raw)
{
	switch (link)
	{
		case EX_LINK_LOGIT:
			return ex_logistic(param * raw);
		case EX_LINK_LOG:
			return exp(raw);
		case EX_LINK_PROBIT:
			return normal_distribution(raw);
		case EX_LINK_CLOGLOG:
			return -expm1(-exp(raw));
		case EX_LINK_INVERSE:
			return 1 / raw;
		case EX_LINK_SIGNED_SQUARE:
			return raw * fabs(raw);
		case EX_LINK_SOFTPLUS:
			return softplus(raw);
		case EX_LINK_STEP:
			return raw > 0;
		case EX_LINK_ISOLATION:
			return -exp2(-raw / param);
		default:
			return raw;
	}
}

static void
divide_by_sum(double *value, uint32_t n)
{
	ex_sum		sum = {0, 0};

	for (uint32_t i = 0; i < n; i++)
		ex_sum_add(&sum, value[i]);
	for (uint32_t i = 0; i < n; i++)
		value[i] /= ex_sum_total(&sum);
}

static void
softmax(const double *raw, double *response, uint32_t n)
{
	double		largest = raw[0];

	for (uint32_t i = 1; i < n; i++)
		largest = fmax(largest, raw[i]);
	for (uint32_t i = 0; i < n; i++)
		response[i] = exp(raw[i] - largest);
	divide_by_sum(response, n);
}

/*
 * Where all the logistic values are tiny their quotients would be those of
 * denormals or 0 / 0; there the same is computed from their logarithms.
 */
static void
one_vs_rest(const double *raw, double *response, uint32_t n, double param)
{
	double		largest = -INFINITY;

	for (uint32_t i = 0; i < n; i++)
		largest = fmax(largest, param * raw[i]);
	for (uint32_t i = 0; i < n; i++)
		response[i] = largest < -600 ? log_logistic(param * raw[i]) : ex_logistic(param * raw[i]);
	if (largest < -600)
		softmax(response, response, n);
	else
		divide_by_sum(response, n);
}

/*
 * The first output as it is, each further one above the one before it, by
 * 1e-6 at least (XGBoost 3.3).
 */
static void
cumulative_softplus(const double *raw, double *response, uint32_t n)
{
	response[0] = raw[0];
	for (uint32_t i = 1; i < n; i++)
		response[i] = response[i - 1] + (double) 1e-6f + softplus(raw[i]);
}

/* Quantiles that must not cross (XGBoost 3.4). */
static void
sort_ascending(const double *raw, double *response, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		double		value = raw[i];
		uint32_t	at = i;

		for (; at > 0 && response[at - 1] > value; at--)
			response[at] = response[at - 1];
		response[at] = value;
	}
}

/* raw and response may be the same array */
void
ex_response(const ex_model *model, const double *raw, double *response)
{
	uint32_t	n = model->n_outputs;

	switch ((ex_link) model->link)
	{
		case EX_LINK_SOFTMAX:
			softmax(raw, response, n);
			break;
		case EX_LINK_OVR:
			one_vs_rest(raw, response, n, model->link_param);
			break;
		case EX_LINK_CUMULATIVE_SOFTPLUS:
			cumulative_softplus(raw, response, n);
			break;
		case EX_LINK_SORTED:
			sort_ascending(raw, response, n);
			break;
		default:
			for (uint32_t i = 0; i < n; i++)
				response[i] = respond((ex_link) model->link, model->link_param, raw[i]);
	}
}

#define TILE 64					/* background rows predicted at a time */

/* Responses of a tile of rows, weighted, onto the sums of the wanted outputs. */
static ex_status
add_responses(ex_compiled *compiled, ex_host *host, ex_outputs outputs,
			  const double *row, const double *weight, uint32_t n, double *raw, ex_sum *sum)
{
	uint32_t	n_outputs = compiled->model->n_outputs;

	EX_TRY(ex_poll(host));
	EX_TRY(compiled->family->predict_raw(compiled, host, row, n, raw));
	for (uint32_t i = 0; i < n; i++, raw += n_outputs)
	{
		double		w = weight != NULL ? weight[i] : 1;

		ex_response(compiled->model, raw, raw);
		for (uint32_t k = 0; k < outputs.count; k++)
			ex_sum_add(&sum[k], w * raw[outputs.first + k]);
		ex_sum_add(&sum[outputs.count], w);
	}
	return EX_OK;
}

ex_status
ex_mean_response(ex_compiled *compiled, ex_host *host, ex_outputs outputs,
				 const ex_background *background, double *mean)
{
	const ex_model *model = compiled->model;
	double	   *raw;
	ex_sum	   *sum;

	if (background->n == 0)
	{
		ex_fail(host, EX_INVALID, "model has no background");
		ex_hint(host, "Attach one with explain.with_background(model, ...).");
		return EX_INVALID;
	}
	EX_TRY(EX_ALLOC(host, (size_t) TILE * model->n_outputs, &raw));
	EX_TRY(EX_ALLOC(host, (size_t) outputs.count + 1, &sum));
	for (uint32_t i = 0; i < background->n; i += TILE)
		EX_TRY(add_responses(compiled, host, outputs,
							 background->row + (size_t) i * model->n_features,
							 background->weight != NULL ? background->weight + i : NULL,
							 background->n - i < TILE ? background->n - i : TILE, raw, sum));
	for (uint32_t k = 0; k < outputs.count; k++)
	{
		mean[k] = ex_sum_total(&sum[k]) / ex_sum_total(&sum[outputs.count]);
		if (!isfinite(mean[k]))
			return ex_fail(host, EX_RANGE, "base value is out of range");
	}
	return EX_OK;
}
