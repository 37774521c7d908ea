/*
 * integrated_gradients.c
 *		Integrated gradients: the ends of the path, and what is integrated how.
 */
#include <math.h>
#include <string.h>

#include "integrated_internal.h"
#include "network_internal.h"

#define BATCH 64				/* points of the path evaluated at a time */

static ex_status
check_tolerance(ex_host *host, double tolerance)
{
	if (tolerance > 0 && isfinite(tolerance))
		return EX_OK;
	ex_fail(host, EX_INVALID, "tolerance must be a finite number above 0");
	ex_hint(host, "Leave it out for the default of %g.", EX_IG_TOLERANCE);
	return EX_INVALID;
}

static ex_status
open_path(ex_integral *integral, ex_compiled *compiled, ex_host *host, const ex_integrated_call *call,
		  uint32_t rows)
{
	size_t		n;
	size_t		capacity;

	memset(integral, 0, sizeof(*integral));
	integral->host = host;
	integral->call = call;
	integral->model = compiled->model;
	EX_TRY(ex_column_run_open(&integral->run, compiled, host, rows, "integrated gradients"));
	EX_TRY(ex_link_path_open(&integral->link, host, compiled->model, call->space, call->output));
	n = integral->n_columns = integral->run.n_columns;
	integral->n_outputs = integral->run.n_outputs;
	capacity = integral->run.capacity;
	EX_TRY(EX_ALLOC(host, (4 + 2 * capacity) * n + capacity * integral->n_outputs, &integral->z0));
	integral->z1 = integral->z0 + n;
	integral->direction = integral->z1 + n;
	integral->sum = integral->direction + n;
	integral->point = integral->sum + n;
	integral->gradient = integral->point + capacity * n;
	integral->seed = integral->gradient + capacity * n;
	EX_TRY(ex_column_run_encode(&integral->run, call->x, integral->z1));
	return ex_baseline_columns(host, compiled->model, &call->baseline, integral->z0);
}

/* Sets the direction; false if the path has no length. */
static ex_status
set_direction(ex_integral *integral, bool *moves)
{
	*moves = false;
	for (uint32_t c = 0; c < integral->n_columns; c++)
	{
		double		d = integral->z1[c] - integral->z0[c];

		if (!isfinite(d))
			return ex_fail(integral->host, EX_RANGE, "attribution is out of range");
		integral->direction[c] = d;
		*moves |= d != 0;
	}
	return EX_OK;
}

void
ex_integral_point(const ex_integral *integral, double a, double *z)
{
	if (a == 1)
		memcpy(z, integral->z1, integral->n_columns * sizeof(double));
	else
		for (uint32_t c = 0; c < integral->n_columns; c++)
			z[c] = integral->z0[c] + a * integral->direction[c];
}

static ex_status
integrate(ex_integral *integral)
{
	const ex_network_state *network = integral->run.network;
	bool	   *linear;
	bool		is_linear = true;
	double	   *knot;
	size_t		n;

	EX_TRY(EX_ALLOC(integral->host, network == NULL ? 0 : network->view.n_layers, &linear));
	if (network != NULL)
		is_linear = ex_piecewise_linear(network, linear);
	EX_TRY(ex_find_knots(integral, linear, &knot, &n));
	if (is_linear)
		return ex_integrate_pieces(integral, knot, n);
	return ex_integrate_adaptive(integral, knot, n);
}

static ex_status
base_value(const ex_integral *integral, double *raw, double *base)
{
	if (integral->call->space == EX_RESPONSE)
		ex_response(integral->model, raw, raw);
	*base = raw[integral->call->output];
	if (!isfinite(*base))
		return ex_fail(integral->host, EX_RANGE, "base value is out of range");
	return EX_OK;
}

static ex_status
raw_at_baseline(ex_integral *integral, double *raw)
{
	const double *at_baseline;

	EX_TRY(ex_column_run_forward(&integral->run, integral->z0, 1, &at_baseline));
	memcpy(raw, at_baseline, integral->n_outputs * sizeof(double));
	return EX_OK;
}

/* From gradients of columns to attributions of features. */
static ex_status
finish(ex_integral *integral, double *value)
{
	for (uint32_t c = 0; c < integral->n_columns; c++)
	{
		integral->sum[c] *= integral->direction[c];
		if (!isfinite(integral->sum[c]))
			return ex_fail(integral->host, EX_RANGE, "attribution is out of range");
	}
	ex_sum_columns(integral->model, integral->sum, 1, value);
	for (uint32_t f = 0; f < integral->model->n_features; f++)
		value[f] += 0.0;		/* no -0 */
	return EX_OK;
}

ex_status
ex_integrated_gradients(ex_compiled *compiled, ex_host *host, const ex_integrated_call *call,
						double *value, double *base)
{
	ex_integral integral;
	bool		chain = !call->plain && compiled->family->id == EX_NETWORK && ex_is_chain(compiled->state);
	bool		moves;
	double	   *raw;

	EX_TRY(check_tolerance(host, call->tolerance));
	EX_TRY(open_path(&integral, compiled, host, call, chain ? 1 : BATCH));
	EX_TRY(EX_ALLOC(host, integral.n_outputs, &raw));
	EX_TRY(set_direction(&integral, &moves));
	if (moves && chain)
		EX_TRY(ex_integrate_chain(&integral, compiled->state, raw));
	else
	{
		EX_TRY(raw_at_baseline(&integral, raw));
		if (moves)
			EX_TRY(integrate(&integral));
	}
	EX_TRY(base_value(&integral, raw, base));
	return finish(&integral, value);
}
