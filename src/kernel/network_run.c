/*
 * network_run.c
 *		Networks: from features to columns, forward, backward, and back.
 */
#include <math.h>
#include <string.h>

#include "finite.h"
#include "linear_internal.h"
#include "network_internal.h"

#define POLL_COST 1e7			/* multiplications between two polls: a few milliseconds */

/* ----------------------------------------------------------------
 * Features and columns
 * ---------------------------------------------------------------- */

static void
scale_columns(const ex_network_view *view, double *z)
{
	for (uint32_t c = 0; c < view->n_columns; c++)
		z[c] = (z[c] - view->center[c]) / view->scale[c];
}

static bool
encode_row(const ex_network_state *state, const double *x, double *z)
{
	const ex_network_view *view = &state->view;

	if (state->identity && ex_all_finite(x, view->n_columns))
	{
		memcpy(z, x, view->n_columns * sizeof(double));
		if (!state->scaled)
			return true;
	}
	else
		ex_linear_columns(&state->columns, x, z);
	if (state->scaled)
		scale_columns(view, z);
	return ex_all_finite(z, view->n_columns);
}

ex_status
ex_network_encode(const ex_network_state *state, ex_host *host, const double *x, size_t n,
				  double *z)
{
	const ex_network_view *view = &state->view;

	for (size_t i = 0; i < n; i++)
	{
		if (!encode_row(state, x, z))
			return ex_linear_out_of_range(host, &state->columns, x, "prediction is out of range");
		x += view->model->n_features;
		z += view->n_columns;
	}
	return EX_OK;
}

static void
decode_row(const ex_network_state *state, const uint8_t *kind, const double *x, const double *dz,
		   double *gradient)
{
	const ex_linear_view *columns = &state->columns;

	if (state->plain && ex_all_finite(x, columns->n_features))
	{
		for (uint32_t f = 0; f < columns->n_features; f++)
			gradient[f] = 0 + dz[f];	/* no -0, as below */
		return;
	}
	memset(gradient, 0, columns->n_features * sizeof(double));
	for (uint32_t c = 0; c < columns->n_columns; c++)
	{
		uint32_t	f = columns->feature[c];

		if (columns->kind[c] == EX_COLUMN_VALUE && kind[f] == EX_NUMERIC && !isnan(x[f]))
			gradient[f] += dz[c] / state->view.scale[c];
	}
}

void
ex_network_decode(const ex_network_state *state, const double *x, const double *dz, size_t n,
				  double *gradient)
{
	const uint8_t *kind = ex_get(state->view.model, EX_FEATURE_KIND, NULL);

	for (size_t i = 0; i < n; i++)
	{
		decode_row(state, kind, x, dz, gradient);
		x += state->columns.n_features;
		dz += state->columns.n_columns;
		gradient += state->columns.n_features;
	}
}

/* ----------------------------------------------------------------
 * Forward and backward
 * ---------------------------------------------------------------- */

/* Asks the host whether to stop, once in a while. */
static ex_status
spend(const ex_pass *pass, const ex_step *step, double *cost)
{
	*cost += step->cost * (double) pass->n;
	if (*cost < POLL_COST)
		return EX_OK;
	*cost = 0;
	return ex_poll(pass->host);
}

static uint32_t
last_layer(const ex_network_state *state)
{
	return state->view.n_layers - 1;
}

ex_status
ex_network_forward(const ex_network_state *state, ex_host *host, ex_network_work *work,
				   const double *z, uint32_t n)
{
	ex_pass		pass = {.state = state,.work = work,.host = host,.n = n};
	uint32_t	last = last_layer(state);
	double		cost = 0;

	if (z != ex_value(work, 0))
		memcpy(ex_value(work, 0), z, n * state->step[0].size * sizeof(double));
	work->n = n;
	for (uint32_t i = 1; i <= last; i++)
	{
		EX_TRY(state->step[i].run->forward(&pass, &state->step[i]));
		EX_TRY(spend(&pass, &state->step[i], &cost));
	}
	if (!ex_all_finite(ex_value(work, last), n * state->step[last].size))
		return ex_fail(host, EX_RANGE, "prediction is out of range");
	return EX_OK;
}

static ex_status
check_rule(const ex_network_state *state, ex_host *host, ex_backward_rule rule)
{
	if ((rule == EX_RULE_GUIDED || rule == EX_RULE_DECONVNET) && !state->has_relu)
	{
		ex_fail(host, EX_UNSUPPORTED, "network has no ReLU units");
		ex_detail(host, "Guided backpropagation and deconvnet are rules for ReLU units.");
		ex_hint(host, "Use the gradient or integrated gradients instead.");
		return EX_UNSUPPORTED;
	}
	if (rule == EX_RULE_RESCALE && state->has_softmax)
	{
		ex_fail(host, EX_UNSUPPORTED, "the rescale rule has no multipliers for softmax inside a network");
		ex_hint(host, "Use integrated gradients instead.");
		return EX_UNSUPPORTED;
	}
	return EX_OK;
}

static ex_status
start_gradients(const ex_network_state *state, ex_network_work *work, const double *seed)
{
	uint32_t	last = last_layer(state);

	if (work->gradient == NULL)
		EX_TRY(ex_network_alloc(work->host, state->n_gradients * work->capacity, sizeof(double),
								&work->gradient));
	if (work->n == work->capacity)
		memset(work->gradient, 0, state->step[last].gradient_at * work->n * sizeof(double));
	else
		for (uint32_t i = 0; i < last; i++)
			memset(ex_gradient(work, i), 0, work->n * state->step[i].size * sizeof(double));
	memcpy(ex_gradient(work, last), seed, work->n * state->step[last].size * sizeof(double));
	return EX_OK;
}

ex_status
ex_network_backward(const ex_network_state *state, ex_host *host, ex_network_work *work,
					const ex_network_work *reference, ex_backward_rule rule, const double *seed,
					double *dz)
{
	ex_pass		pass = {state, work, reference, rule, host, work->n};
	size_t		n = work->n * state->step[0].size;
	double		cost = 0;

	EX_TRY(check_rule(state, host, rule));
	EX_TRY(start_gradients(state, work, seed));
	for (uint32_t i = last_layer(state); i > 0; i--)
	{
		EX_TRY(state->step[i].run->backward(&pass, &state->step[i]));
		EX_TRY(spend(&pass, &state->step[i], &cost));
	}
	if (!ex_all_finite(ex_gradient(work, 0), n))
		return ex_fail(host, EX_RANGE, "gradient is out of range");
	if (dz != NULL)
		memcpy(dz, ex_gradient(work, 0), n * sizeof(double));
	return EX_OK;
}

/* ----------------------------------------------------------------
 * The family's operations
 * ---------------------------------------------------------------- */

/*
 * A workspace for n rows.  The two usual ones are kept: for one row, and, as
 * far as the model's tables may grow, for a tile of many.
 */
static ex_status
borrow_work(ex_compiled *compiled, ex_host *host, size_t n, ex_network_work **work)
{
	ex_network_state *state = compiled->state;
	uint32_t	tile;
	size_t		size;
	bool		keep;

	if (n == 1 && state->one != NULL)
	{
		*work = state->one;
		return EX_OK;
	}
	tile = ex_network_tile(state);
	size = ((state->n_values + state->n_gradients) * sizeof(double) +
			 state->n_winners * sizeof(uint32_t)) * tile;
	keep = state->many != NULL || (compiled->table_bytes <= compiled->table_limit &&
								   size <= compiled->table_limit - compiled->table_bytes);

	if (n == 1 || tile == 1)
	{
		if (state->one == NULL)
			EX_TRY(ex_network_work_create(state, compiled->host, 1, &state->one));
		*work = state->one;
	}
	else if (!keep)
		return ex_network_work_create(state, host, n < tile ? (uint32_t) n : tile, work);
	else
	{
		if (state->many == NULL)
		{
			EX_TRY(ex_network_work_create(state, compiled->host, tile, &state->many));
			compiled->table_bytes += size;
		}
		*work = state->many;
	}
	return EX_OK;
}

static ex_status
encode_and_run(const ex_network_state *state, ex_host *host, ex_network_work *work,
			   const double *x, uint32_t n)
{
	double	   *z = ex_value(work, 0);

	EX_TRY(ex_network_encode(state, host, x, n, z));
	return ex_network_forward(state, host, work, z, n);
}

ex_status
ex_network_predict_raw(ex_compiled *compiled, ex_host *host, const double *x, size_t n, double *raw)
{
	const ex_network_state *state = compiled->state;
	size_t		n_features = state->columns.n_features;
	size_t		n_outputs = state->step[last_layer(state)].size;
	ex_network_work *work;

	if (n == 0)
		return EX_OK;
	EX_TRY(borrow_work(compiled, host, n, &work));
	for (size_t i = 0; i < n; i += work->n)
	{
		uint32_t	rows = n - i < work->capacity ? (uint32_t) (n - i) : work->capacity;

		EX_TRY(encode_and_run(state, host, work, x + i * n_features, rows));
		memcpy(raw + i * n_outputs, ex_value(work, last_layer(state)),
			   rows * n_outputs * sizeof(double));
	}
	return EX_OK;
}

ex_status
ex_network_relevance_raw(ex_compiled *compiled, ex_host *host, const double *x, size_t n,
						 int rule, const double *seed, double *relevance)
{
	const ex_network_state *state = compiled->state;
	size_t		n_features = state->columns.n_features;
	size_t		n_outputs = state->step[last_layer(state)].size;
	ex_network_work *work;

	if (n == 0)
		return EX_OK;
	EX_TRY(borrow_work(compiled, host, n, &work));
	for (size_t i = 0; i < n; i += work->n)
	{
		uint32_t	rows = n - i < work->capacity ? (uint32_t) (n - i) : work->capacity;

		EX_TRY(encode_and_run(state, host, work, x + i * n_features, rows));
		EX_TRY(ex_network_backward(state, host, work, NULL, (ex_backward_rule) rule,
								   seed + i * n_outputs, NULL));
		ex_network_decode(state, x + i * n_features, ex_gradient(work, 0), rows,
						  relevance + i * n_features);
	}
	return EX_OK;
}

ex_status
ex_network_gradient_raw(ex_compiled *compiled, ex_host *host, const double *x, size_t n,
						const double *seed, double *gradient)
{
	return ex_network_relevance_raw(compiled, host, x, n, EX_RULE_GRADIENT, seed, gradient);
}
