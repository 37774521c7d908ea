/*
 * link_path.c
 *		The mean derivative of a response along a straight line.
 */
#include <math.h>
#include <string.h>

#include "link_internal.h"
#include "link_path.h"
#include "quadrature.h"

#define SOFTMAX_PANEL	4.0		/* largest spread on a panel */
#define OVR_PANEL		2.0
#define MAX_DEPTH		52		/* of halving: what float8 can tell apart */
#define NEGLIGIBLE		45		/* exp(-45) = 3e-20 of what the ends have */

/* (1 - exp(-h)) / h for h >= 0 */
static double
mean_decay(double h)
{
	return h > 0 ? -expm1(-h) / h : 1;
}

/* Mean of exp between a <= b. */
static double
mean_exp(double a, double b)
{
	return exp(b) * mean_decay(b - a);
}

/*
 * Mean slope of the logistic function between a <= b:
 * s(b) - s(a) = s(b) s(-a) (1 - exp(-(b - a))).
 */
static double
mean_logistic(double a, double b)
{
	return ex_logistic(b) * ex_logistic(-a) * mean_decay(b - a);
}

/* Mean slope of log(1 + exp): log of (1 + e^b) / (1 + e^a), over b - a. */
static double
mean_softplus(double a, double b)
{
	double		h = b - a;

	if (h == 0)
		return ex_logistic(a);
	if (h <= 30)
		return log1p(ex_logistic(a) * expm1(h)) / h;
	if (a >= 0)
		return (h - log1p(exp(-a)) + log1p(exp(-b))) / h;
	return (fmax(b, 0) + log1p(exp(-fabs(b))) - log1p(exp(a))) / h;
}

/* Area below the normal density between a <= b, in the tail nearer to them. */
static double
normal_area(double a, double b)
{
	static const double root_half = 0.70710678118654752;

	return a > 0 ? 0.5 * (erfc(a * root_half) - erfc(b * root_half)) :
		0.5 * (erfc(-b * root_half) - erfc(-a * root_half));
}

/*
 * Mean normal density between a <= b.  Where the density changes by less than
 * a factor of e^2 the difference of areas would cancel, and the density is
 * so smooth that 16 nodes integrate it exactly.
 */
static double
mean_density(const ex_link_path *path, double a, double b)
{
	static const double per_sqrt_2_pi = 0.3989422804014327;
	double		h = b - a;
	double		sum = 0;

	if (h * fmax(1, fmax(fabs(a), fabs(b))) > 2)
		return normal_area(a, b) / h;
	for (int i = 0; i < EX_LINK_PATH_NODES; i++)
	{
		double		x = a + path->node[i] * h;

		sum += path->weight[i] * exp(-x * x / 2);
	}
	return per_sqrt_2_pi * sum;
}

/* exp(-e^a) - exp(-e^b) over b - a */
static double
mean_cloglog(double a, double b)
{
	double		low = exp(a);
	double		rise = mean_exp(a, b) * (b - a);	/* e^b - e^a */

	if (isinf(low))
		return 0;
	if (isinf(rise))
		return exp(-low) / (b - a);
	return exp(-low) * mean_decay(rise) * mean_exp(a, b);
}

/* Mean slope of z |z|. */
static double
mean_signed_square(double a, double b)
{
	if (a >= 0 || b <= 0)
		return fabs(a + b);
	return b * (b / (b - a)) + a * (a / (b - a));
}

/* Mean slope of a link of one output between a <= b. */
static double
mean_slope(const ex_link_path *path, double a, double b)
{
	static const double log_2 = 0.69314718055994531;
	double		param = path->model->link_param;

	switch ((ex_link) path->model->link)
	{
		case EX_LINK_LOGIT:
			return param * mean_logistic(param * a, param * b);
		case EX_LINK_LOG:
			return mean_exp(a, b);
		case EX_LINK_PROBIT:
			return mean_density(path, a, b);
		case EX_LINK_CLOGLOG:
			return mean_cloglog(a, b);
		case EX_LINK_INVERSE:
			return -1 / a / b;
		case EX_LINK_SIGNED_SQUARE:
			return mean_signed_square(a, b);
		case EX_LINK_SOFTPLUS:
			return mean_softplus(a, b);
		case EX_LINK_ISOLATION:
			return log_2 / param * mean_exp(-b * log_2 / param, -a * log_2 / param);
		default:
			return 1;
	}
}

/*
 * Shares: softmax and one-vs-rest, q_m = w_m / sum of w.
 */

static bool
is_shares(const ex_model *model)
{
	return model->link == EX_LINK_SOFTMAX || model->link == EX_LINK_OVR;
}

/* log of the logistic function */
static double
log_logistic(double x)
{
	return fmin(x, 0) - log1p(exp(-fabs(x)));
}

/* Upper bound of log(q_m / q_j) on the panel. */
static double
log_ratio(const ex_link_path *path, uint32_t m, uint32_t j)
{
	const double *a = path->from;
	const double *b = path->to;
	double		c = path->model->link_param;

	if (path->model->link == EX_LINK_SOFTMAX)
		return fmax(a[m] - a[j], b[m] - b[j]);
	return fmax(log_logistic(c * a[m]), log_logistic(c * b[m])) -
		fmin(log_logistic(c * a[j]), log_logistic(c * b[j]));
}

/* Upper bound of the logarithm of 1 - s_m, by which one-vs-rest has flatter slopes. */
static double
log_flatness(const ex_link_path *path, uint32_t m)
{
	double		c = path->model->link_param;

	if (path->model->link == EX_LINK_SOFTMAX)
		return 0;
	return fmax(log_logistic(-c * path->from[m]), log_logistic(-c * path->to[m]));
}

/* Can nothing on the panel matter?  Either q_k is negligible or all other shares are. */
static bool
negligible(const ex_link_path *path, double threshold)
{
	uint32_t	k = path->output;
	double		own = 0;		/* log of a bound of q_k ... */
	double		others = -INFINITY; /* ... and of every other slope */

	for (uint32_t m = 0; m < path->model->n_outputs; m++)
	{
		double		share;

		if (m == k)
			continue;
		own = fmin(own, log_ratio(path, k, m));
		share = fmin(0, log_ratio(path, m, k));
		others = fmax(others, share + fmax(log_flatness(path, m), log_flatness(path, k)));
	}
	return own < threshold || others < threshold;
}

static void
point_between(const double *from, const double *to, uint32_t n, double t, double *point)
{
	for (uint32_t m = 0; m < n; m++)
		point[m] = (1 - t) * from[m] + t * to[m];
}

/* Adds the integral over [low, high] to sum[K]. */
static ex_status
add_panel(const ex_link_path *path, ex_host *host, const double *from, const double *to,
		  double low, double high, double *sum)
{
	uint32_t	n = path->model->n_outputs;

	for (int i = 0; i < EX_LINK_PATH_NODES; i++)
	{
		point_between(from, to, n, low + path->node[i] * (high - low), path->raw);
		EX_TRY(ex_response_derivative(host, path->model, path->raw, path->output, path->derivative));
		for (uint32_t m = 0; m < n; m++)
			sum[m] += path->weight[i] * (high - low) * path->derivative[m];
	}
	return EX_OK;
}

/* How far the exponents drift apart from one end to the other, in panels. */
static double
panels_of(const ex_link_path *path, const double *from, const double *to)
{
	bool		softmax = path->model->link == EX_LINK_SOFTMAX;
	double		least = softmax ? INFINITY : 0;
	double		most = softmax ? -INFINITY : 0;

	for (uint32_t m = 0; m < path->model->n_outputs; m++)
	{
		double		move = to[m] - from[m];

		least = fmin(least, softmax ? move : -fabs(path->model->link_param * move));
		most = fmax(most, softmax ? move : 0);
	}
	return (most - least) / (softmax ? SOFTMAX_PANEL : OVR_PANEL);
}

/* log of the larger slope of the output itself at the two ends */
static ex_status
slope_at_ends(const ex_link_path *path, ex_host *host, const double *from, const double *to, double *slope)
{
	double		first;

	EX_TRY(ex_response_derivative(host, path->model, from, path->output, path->derivative));
	first = path->derivative[path->output];
	EX_TRY(ex_response_derivative(host, path->model, to, path->output, path->derivative));
	*slope = log(fmax(fabs(first), fabs(path->derivative[path->output])) + 1e-300);
	return EX_OK;
}

/*
 * Panels from left to right, each of 2^-depth: halved while too wide and not
 * negligible.  `index` counts panels of the current depth, so that ends are
 * exact.
 */
static ex_status
mean_shares(const ex_link_path *path, ex_host *host, const double *from, const double *to, double *mean)
{
	uint32_t	n = path->model->n_outputs;
	double		panels = panels_of(path, from, to);
	uint64_t	index = 0;
	int			depth = 0;
	double		threshold;

	EX_TRY(slope_at_ends(path, host, from, to, &threshold));
	threshold -= NEGLIGIBLE;
	memset(mean, 0, n * sizeof(double));
	for (;;)
	{
		double		low = ldexp((double) index, -depth);
		double		high = ldexp((double) (index + 1), -depth);
		bool		wide = panels * (high - low) > 1 && depth < MAX_DEPTH;

		if (wide)
		{
			point_between(from, to, n, low, path->from);
			point_between(from, to, n, high, path->to);
			if (!negligible(path, threshold))
			{
				index *= 2;
				depth++;
				continue;
			}
		}
		else
		{
			EX_TRY(ex_poll(host));
			EX_TRY(add_panel(path, host, from, to, low, high, mean));
		}
		for (index++; depth > 0 && index % 2 == 0; depth--)
			index /= 2;
		if (depth == 0)
			return EX_OK;
	}
}

/*
 * The interface.
 */

ex_status
ex_link_path_open(ex_link_path *path, ex_host *host, const ex_model *model, ex_space space,
				  uint32_t output)
{
	uint32_t	n = model->n_outputs;

	memset(path, 0, sizeof(*path));
	path->model = model;
	path->space = space;
	path->output = output;
	if (space == EX_RAW)
		return EX_OK;
	if (model->link == EX_LINK_STEP || model->link == EX_LINK_SORTED)
	{
		ex_fail(host, EX_UNSUPPORTED, "link \"%s\" has no derivative", ex_link_names[model->link]);
		ex_hint(host, "Explain the model in raw space, with space => 'raw'.");
		return EX_UNSUPPORTED;
	}
	EX_TRY(EX_ALLOC(host, (size_t) 4 * n, &path->raw));
	path->derivative = path->raw + n;
	path->from = path->derivative + n;
	path->to = path->from + n;
	if (is_shares(model) || model->link == EX_LINK_PROBIT)
		ex_quadrature(EX_LINK_PATH_NODES, path->node, path->weight);
	return EX_OK;
}

static ex_status
passes_pole(ex_host *host)
{
	ex_fail(host, EX_RANGE, "attribution is out of range");
	ex_detail(host, "Between baseline and row the raw prediction passes 0, where link \"inverse\" has a pole.");
	ex_hint(host, "Explain the model in raw space, with space => 'raw', or choose another baseline.");
	return EX_RANGE;
}

ex_status
ex_link_path_mean(const ex_link_path *path, ex_host *host, const double *from, const double *to,
				  double *mean)
{
	const ex_model *model = path->model;
	uint32_t	k = path->output;

	if (path->space == EX_RESPONSE && is_shares(model))
		return mean_shares(path, host, from, to, mean);
	memset(mean, 0, model->n_outputs * sizeof(double));
	if (path->space == EX_RAW)
		mean[k] = 1;
	else if (model->link == EX_LINK_CUMULATIVE_SOFTPLUS)
	{
		mean[0] = 1;
		for (uint32_t m = 1; m <= k; m++)
			mean[m] = mean_softplus(fmin(from[m], to[m]), fmax(from[m], to[m]));
	}
	else
	{
		if (model->link == EX_LINK_INVERSE && !((from[k] > 0 && to[k] > 0) || (from[k] < 0 && to[k] < 0)))
			return passes_pole(host);
		mean[k] = mean_slope(path, fmin(from[k], to[k]), fmax(from[k], to[k]));
	}
	if (!isfinite(mean[k]))
		return ex_fail(host, EX_RANGE, "attribution is out of range");
	return EX_OK;
}
