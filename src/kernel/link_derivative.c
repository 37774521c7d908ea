/*
 * link_derivative.c
 *		Derivatives of responses with respect to raw predictions.
 *
 * Closed forms, each written so that neither tail loses its relative accuracy
 * to a difference such as p (1 - p): 1 - p is computed on its own.  What
 * float8 cannot hold is infinite or 0, as in link.c.
 *
 * Softmax and one-vs-rest are both shares of positive weights:
 *
 *		q_k = w_k / W,  W = sum of w,  u_m = w'_m / W,  v_m = w''_m / W
 *		d q_k / d r_m			= (k = m) u_m - q_k u_m
 *		d^2 q_k / d r_m d r_l	= the quotient rule applied once more
 *
 * softmax: w = exp(r), so u = v = q.  one-vs-rest: w = s(a r), so
 * u = a q (1 - s) and v = a u (1 - 2 s).
 */
#include <math.h>
#include <string.h>

#include "dd.h"
#include "family.h"
#include "link_internal.h"
#include "sum.h"

static const double log_2 = 0.69314718055994531;

/* s (1 - s) */
static double
logistic_slope(double x)
{
	double		e = exp(-fabs(x));

	return e / ((1 + e) * (1 + e));
}

/* 1 - 2 s */
static double
logistic_contrast(double x)
{
	double		e = exp(-fabs(x));
	double		contrast = expm1(-fabs(x)) / (1 + e);

	return x >= 0 ? contrast : -contrast;
}

/*
 * exp(-x^2 / 2) / sqrt(2 pi).  The rounding error of x^2 would be magnified by
 * x^2 / 2, up to 700; it is computed and taken back.
 */
static double
normal_density(double x)
{
	static const double per_sqrt_2_pi = 0.3989422804014327;
	ex_dd		square;

	if (fabs(x) > 40)
		return 0;
	square = ex_two_product(x, x);
	return per_sqrt_2_pi * exp(-square.hi / 2) * (1 - square.lo / 2);
}

/* Derivative of 1 - exp(-exp(r)). */
static double
cloglog_slope(double raw)
{
	double		hazard = exp(raw);

	return isinf(hazard) ? 0 : hazard * exp(-hazard);
}

/* Links that look at one output at a time. */
static double
slope(ex_link link, double param, double raw)
{
	switch (link)
	{
		case EX_LINK_LOGIT:
			return param * logistic_slope(param * raw);
		case EX_LINK_LOG:
			return exp(raw);
		case EX_LINK_PROBIT:
			return normal_density(raw);
		case EX_LINK_CLOGLOG:
			return cloglog_slope(raw);
		case EX_LINK_INVERSE:
			return -1 / raw / raw;
		case EX_LINK_SIGNED_SQUARE:
			return 2 * fabs(raw);
		case EX_LINK_SOFTPLUS:
			return ex_logistic(raw);
		case EX_LINK_ISOLATION:
			return log_2 / param * exp2(-raw / param);
		default:
			return 1;
	}
}

static double
curvature(ex_link link, double param, double raw)
{
	switch (link)
	{
		case EX_LINK_LOGIT:
			return param * param * logistic_slope(param * raw) * logistic_contrast(param * raw);
		case EX_LINK_LOG:
			return exp(raw);
		case EX_LINK_PROBIT:
			return -raw * normal_density(raw);
		case EX_LINK_CLOGLOG:
			{
				double		first = cloglog_slope(raw);

				return first > 0 ? -expm1(raw) * first : 0;
			}
		case EX_LINK_INVERSE:
			return 2 / raw / raw / raw;
		case EX_LINK_SIGNED_SQUARE:
			return raw > 0 ? 2 : raw < 0 ? -2 : 0;
		case EX_LINK_SOFTPLUS:
			return logistic_slope(raw);
		case EX_LINK_ISOLATION:
			return -(log_2 / param) * (log_2 / param) * exp2(-raw / param);
		default:
			return 0;
	}
}

static bool
is_shares(ex_link link)
{
	return link == EX_LINK_SOFTMAX || link == EX_LINK_OVR;
}

/* u_m of the share q_m */
static double
share_slope(const ex_model *model, double raw, double q)
{
	if (model->link == EX_LINK_SOFTMAX)
		return q;
	return model->link_param * q * ex_logistic(-model->link_param * raw);
}

/* v_m of the share q_m */
static double
share_curvature(const ex_model *model, double raw, double q)
{
	if (model->link == EX_LINK_SOFTMAX)
		return q;
	return share_slope(model, raw, q) * model->link_param * logistic_contrast(model->link_param * raw);
}

/* 1 - q_k as the sum of the others */
static double
other_shares(const double *q, uint32_t n, uint32_t k)
{
	ex_sum		sum = {0, 0};

	for (uint32_t i = 0; i < n; i++)
		if (i != k)
			ex_sum_add(&sum, q[i]);
	return ex_sum_total(&sum);
}

static void
shares_derivative(const ex_model *model, const double *raw, uint32_t k, double *derivative)
{
	double	   *q = derivative;
	double		q_k;
	double		others;

	ex_response(model, raw, q);
	q_k = q[k];
	others = other_shares(q, model->n_outputs, k);
	for (uint32_t m = 0; m < model->n_outputs; m++)
		derivative[m] = share_slope(model, raw[m], q[m]) * (m == k ? others : -q_k);
}

static void
shares_second_derivative(const ex_model *model, const double *raw, uint32_t k, const double *q,
						 double *u, double *second)
{
	uint32_t	n = model->n_outputs;
	double		others = other_shares(q, n, k);

	for (uint32_t m = 0; m < n; m++)
		u[m] = share_slope(model, raw[m], q[m]);
	for (uint32_t m = 0; m < n; m++)
	{
		double	   *row = second + (size_t) m * n;
		double		v = share_curvature(model, raw[m], q[m]);

		for (uint32_t l = 0; l < n; l++)
			row[l] = (m == k || l == k) ? u[m] * u[l] * (2 * q[k] - 1) : 2 * q[k] * u[m] * u[l];
		row[m] = m == k ? others * (v - 2 * u[k] * u[k]) : q[k] * (2 * u[m] * u[m] - v);
	}
}

static ex_status
check_link(ex_host *host, const ex_model *model)
{
	if (model->link != EX_LINK_STEP && model->link != EX_LINK_SORTED)
		return EX_OK;
	ex_fail(host, EX_UNSUPPORTED, "link \"%s\" has no derivative", ex_link_names[model->link]);
	ex_hint(host, "Explain the model in raw space, with space => 'raw'.");
	return EX_UNSUPPORTED;
}

ex_status
ex_response_derivative(ex_host *host, const ex_model *model, const double *raw, uint32_t output,
					   double *derivative)
{
	ex_link		link = (ex_link) model->link;

	EX_TRY(check_link(host, model));
	if (is_shares(link))
	{
		shares_derivative(model, raw, output, derivative);
		return EX_OK;
	}
	memset(derivative, 0, model->n_outputs * sizeof(double));
	if (link == EX_LINK_CUMULATIVE_SOFTPLUS)
	{
		derivative[0] = 1;
		for (uint32_t m = 1; m <= output; m++)
			derivative[m] = ex_logistic(raw[m]);
	}
	else
		derivative[output] = slope(link, model->link_param, raw[output]);
	return EX_OK;
}

ex_status
ex_response_second_derivative(ex_host *host, const ex_model *model, const double *raw,
							  uint32_t output, double *second)
{
	ex_link		link = (ex_link) model->link;
	size_t		n = model->n_outputs;

	EX_TRY(check_link(host, model));
	if (is_shares(link))
	{
		double	   *q;

		EX_TRY(EX_ALLOC(host, 2 * n, &q));
		ex_response(model, raw, q);
		shares_second_derivative(model, raw, output, q, q + n, second);
		return EX_OK;
	}
	memset(second, 0, n * n * sizeof(double));
	if (link == EX_LINK_CUMULATIVE_SOFTPLUS)
		for (uint32_t m = 1; m <= output; m++)
			second[m * n + m] = logistic_slope(raw[m]);
	else
		second[output * n + output] = curvature(link, model->link_param, raw[output]);
	return EX_OK;
}
