/*
 * integrated_adaptive.c
 *		Integrated gradients of curved networks: adaptive quadrature.
 *
 * A panel of the path is integrated by Gauss-Legendre quadrature as a whole
 * and as two halves; the halves are taken where they agree with the whole for
 * every feature, otherwise each half is a panel of its own.  Where a unit that
 * could not be cut beforehand has a kink, panels shrink around it.
 */
#include <math.h>
#include <string.h>

#include "integrated_internal.h"
#include "quadrature.h"

#define NODES		16
#define MAX_DEPTH	40			/* of halving; what is left is 1e-12 of a
								 * panel */
#define ROUNDING	1e-14		/* agreement that can be asked for */

/* A panel that has yet to be taken, and its integral as a whole. */
typedef struct panel
{
	double		low;
	double		high;
	double	   *value;			/* C; owned by the depth */
} panel;

typedef struct adaptive
{
	ex_integral *integral;
	double		node[NODES];
	double		weight[NODES];
	panel		pending[MAX_DEPTH + 1];
	double	   *left;			/* C: halves of the panel at hand */
	double	   *right;
	double	   *size;			/* C */
	double	   *by_feature;		/* p */
	double		scale;			/* largest integral of |gradient * direction|
								 * seen */
	double		limit;			/* error that a panel may have */
	double		error;			/* of all panels taken */
	size_t		points;			/* gradients evaluated */
} adaptive;

/* Largest absolute value over the features of direction * column. */
static double
largest(adaptive *a, double *column)
{
	const ex_integral *integral = a->integral;
	double		most = 0;

	for (uint32_t c = 0; c < integral->n_columns; c++)
		column[c] *= fabs(integral->direction[c]);
	ex_sum_columns(integral->model, column, 1, a->by_feature);
	for (uint32_t f = 0; f < integral->model->n_features; f++)
		most = fmax(most, fabs(a->by_feature[f]));
	return most;
}

static ex_status
count_points(adaptive *a, size_t n)
{
	a->points += n;
	if (a->points <= EX_IG_MAX_POINTS)
		return EX_OK;
	ex_fail(a->integral->host, EX_LIMIT, "integrated gradients do not reach the tolerance");
	ex_detail(a->integral->host, "The limit is %d gradients.", EX_IG_MAX_POINTS);
	ex_hint(a->integral->host, "Ask for less, as in tolerance => 1e-6.");
	return EX_LIMIT;
}

static ex_status
response_seeds(ex_integral *integral, const double *raw, const double *factor, uint32_t n)
{
	uint32_t	n_outputs = integral->n_outputs;
	uint32_t	output = integral->call->output;

	for (uint32_t i = 0; i < n; i++)
	{
		double	   *seed = integral->seed + (size_t) i * n_outputs;

		if (integral->call->space == EX_RAW)
		{
			memset(seed, 0, n_outputs * sizeof(double));
			seed[output] = 1;
		}
		else
			EX_TRY(ex_response_derivative(integral->host, integral->model,
										  raw + (size_t) i * n_outputs, output, seed));
		for (uint32_t k = 0; k < n_outputs; k++)
			seed[k] *= factor[i];
	}
	return EX_OK;
}

/* Nodes first .. first + n - 1 of a panel onto value[C]. */
static ex_status
add_nodes(adaptive *a, double low, double high, uint32_t first, uint32_t n, double *value)
{
	ex_integral *integral = a->integral;
	const double *gradient = integral->gradient;
	const double *raw;
	double		factor[NODES];

	EX_TRY(ex_poll(integral->host));
	for (uint32_t i = 0; i < n; i++)
	{
		ex_integral_point(integral, low + a->node[first + i] * (high - low),
						  integral->point + (size_t) i * integral->n_columns);
		factor[i] = a->weight[first + i] * (high - low);
	}
	EX_TRY(ex_column_run_forward(&integral->run, integral->point, n, &raw));
	EX_TRY(response_seeds(integral, raw, factor, n));
	EX_TRY(ex_column_run_backward(&integral->run, integral->seed, integral->gradient));
	for (uint32_t i = 0; i < n; i++, gradient += integral->n_columns)
		for (uint32_t c = 0; c < integral->n_columns; c++)
		{
			value[c] += gradient[c];
			a->size[c] += fabs(gradient[c]);
		}
	return EX_OK;
}

/* value[C]: the integral over a panel. */
static ex_status
integrate_panel(adaptive *a, double low, double high, double *value)
{
	uint32_t	batch = a->integral->run.capacity;

	EX_TRY(count_points(a, NODES));
	memset(value, 0, a->integral->n_columns * sizeof(double));
	memset(a->size, 0, a->integral->n_columns * sizeof(double));
	for (uint32_t i = 0; i < NODES; i += batch)
		EX_TRY(add_nodes(a, low, high, i, NODES - i < batch ? NODES - i : batch, value));
	a->scale = fmax(a->scale, largest(a, a->size));
	return EX_OK;
}

static double
disagreement(adaptive *a, const double *whole)
{
	for (uint32_t c = 0; c < a->integral->n_columns; c++)
		a->size[c] = (a->left[c] + a->right[c]) - whole[c];
	return largest(a, a->size);
}

static void
take_halves(adaptive *a, double error)
{
	for (uint32_t c = 0; c < a->integral->n_columns; c++)
		a->integral->sum[c] += a->left[c] + a->right[c];
	a->error += error;
}

/* Put a panel on top of those pending; `value` is swapped against the place's own. */
static ex_status
push(adaptive *a, int depth, double low, double high, double **value)
{
	panel	   *p = &a->pending[depth];
	double	   *spare = p->value;

	if (spare == NULL)
		EX_TRY(EX_ALLOC(a->integral->host, a->integral->n_columns, &spare));
	*p = (panel) {low, high, *value};
	*value = spare;
	return EX_OK;
}

/* Integrate between two knots: left half first, the right one waits. */
static ex_status
integrate_interval(adaptive *a, double low, double high)
{
	double		narrow = ldexp(high - low, -MAX_DEPTH);
	int			n = 0;

	EX_TRY(integrate_panel(a, low, high, a->left));
	EX_TRY(push(a, n++, low, high, &a->left));
	while (n > 0)
	{
		panel		p = a->pending[--n];
		double		middle = p.low + (p.high - p.low) / 2;
		double		error;

		EX_TRY(integrate_panel(a, p.low, middle, a->left));
		EX_TRY(integrate_panel(a, middle, p.high, a->right));
		error = disagreement(a, p.value);
		if (error <= a->limit || p.high - p.low <= narrow || n + 2 > MAX_DEPTH)
		{
			take_halves(a, error);
			continue;
		}
		EX_TRY(push(a, n++, middle, p.high, &a->right));
		EX_TRY(push(a, n++, p.low, middle, &a->left));
	}
	return EX_OK;
}

static ex_status
integrate_all(adaptive *a, const double *knot, size_t n)
{
	memset(a->integral->sum, 0, a->integral->n_columns * sizeof(double));
	a->error = 0;
	for (size_t i = 0; i < n; i++)
		EX_TRY(integrate_interval(a, knot[i], knot[i + 1]));
	return EX_OK;
}

/*
 * What a panel may miss is first guessed for a few panels that matter; if all
 * of them together miss too much, everything is done again with less.
 */
ex_status
ex_integrate_adaptive(ex_integral *integral, const double *knot, size_t n)
{
	size_t		n_columns = integral->n_columns;
	double		tolerance = integral->call->tolerance;
	adaptive	a = {.integral = integral};

	ex_quadrature(NODES, a.node, a.weight);
	EX_TRY(EX_ALLOC(integral->host, 3 * n_columns + integral->model->n_features, &a.left));
	a.size = a.left + n_columns;
	a.by_feature = a.size + n_columns;
	a.right = a.by_feature + integral->model->n_features;
	EX_TRY(integrate_panel(&a, 0, 1, a.left));
	a.limit = fmax(tolerance / 4, ROUNDING) * a.scale;
	for (;;)
	{
		EX_TRY(integrate_all(&a, knot, n));
		if (a.error <= tolerance * a.scale || a.limit <= ROUNDING * a.scale)
			return EX_OK;
		a.limit = fmax(a.limit / 4 * (tolerance * a.scale / a.error), ROUNDING * a.scale);
	}
}
