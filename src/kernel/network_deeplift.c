/*
 * network_deeplift.c
 *		The rescale rule for networks: the engine's backward pass in columns,
 *		summed per feature.
 */
#include <math.h>

#include "baseline.h"
#include "network_run.h"

/* What one call works with. */
typedef struct rescale_run
{
	const ex_network_state *state;
	ex_host    *host;
	const ex_model *model;
	ex_outputs	outputs;
	uint32_t	tile;			/* references at a time */
	uint32_t	n_columns;
	double	   *z;				/* tile * C: x, as often as there are
								 * references */
	double	   *seed;			/* tile * K */
	double	   *share;			/* tile * C */
	ex_network_work *work;
	ex_network_work *reference;
} rescale_run;

static ex_status
open_run(rescale_run *run, size_t n)
{
	ex_host    *host = run->host;
	uint32_t	most = ex_network_tile(run->state);

	run->n_columns = ex_network_compiled_view(run->state)->n_columns;
	run->tile = n < most ? (uint32_t) n : most;
	EX_TRY(EX_ALLOC(host, (size_t) run->tile * run->n_columns, &run->z));
	EX_TRY(EX_ALLOC(host, (size_t) run->tile * run->model->n_outputs, &run->seed));
	EX_TRY(EX_ALLOC(host, (size_t) run->tile * run->n_columns, &run->share));
	EX_TRY(ex_network_work_create(run->state, host, run->tile, &run->work));
	return ex_network_work_create(run->state, host, run->tile, &run->reference);
}

/* The run that `scratch` keeps, made at the first call. */
static ex_status
kept_run(ex_compiled *compiled, ex_host *host, size_t n, void **scratch, rescale_run **run)
{
	if (*scratch == NULL)
	{
		EX_TRY(EX_ALLOC(host, 1, run));
		(*run)->state = compiled->state;
		(*run)->host = host;
		(*run)->model = compiled->model;
		EX_TRY(open_run(*run, n));
		*scratch = *run;
	}
	*run = *scratch;
	return EX_OK;
}

static ex_status
load_row(rescale_run *run, const double *x)
{
	EX_TRY(ex_network_encode(run->state, run->host, x, 1, run->z));
	for (size_t i = run->n_columns; i < (size_t) run->tile * run->n_columns; i++)
		run->z[i] = run->z[i - run->n_columns];
	return EX_OK;
}

/* Contributions to output k (counted from outputs.first) against n references. */
static ex_status
rescale_output(rescale_run *run, const double *z0, uint32_t n, uint32_t k, double *contribution)
{
	uint32_t	n_outputs = run->model->n_outputs;
	size_t		stride = (size_t) run->outputs.count * run->model->n_features;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t m = 0; m < n_outputs; m++)
			run->seed[(size_t) i * n_outputs + m] = m == run->outputs.first + k;
	EX_TRY(ex_network_backward(run->state, run->host, run->work, run->reference, EX_RULE_RESCALE,
							   run->seed, run->share));
	for (size_t i = 0; i < (size_t) n * run->n_columns; i++)
	{
		run->share[i] *= run->z[i] - z0[i];
		if (!isfinite(run->share[i]))
			return ex_fail(run->host, EX_RANGE, "attribution is out of range");
	}
	for (uint32_t i = 0; i < n; i++)
		ex_sum_columns(run->model, run->share + (size_t) i * run->n_columns, 1,
					   contribution + i * stride + (size_t) k * run->model->n_features);
	return EX_OK;
}

static ex_status
rescale_tile(rescale_run *run, const double *z0, uint32_t n, double *raw0, double *contribution)
{
	uint32_t	n_outputs = run->model->n_outputs;
	const double *raw;

	EX_TRY(ex_network_forward(run->state, run->host, run->reference, z0, n));
	EX_TRY(ex_network_forward(run->state, run->host, run->work, run->z, n));
	raw = ex_network_value(run->reference, ex_network_compiled_view(run->state)->n_layers - 1);
	for (size_t i = 0; i < (size_t) n * n_outputs; i++)
		raw0[i] = raw[i];
	for (uint32_t k = 0; k < run->outputs.count; k++)
		EX_TRY(rescale_output(run, z0, n, k, contribution));
	return EX_OK;
}

ex_status
ex_network_rescale_raw(ex_compiled *compiled, ex_host *host, const double *x, const double *z0,
					   size_t n, ex_outputs outputs, void **scratch, double *raw0,
					   double *contribution)
{
	rescale_run *run;

	EX_TRY(kept_run(compiled, host, n, scratch, &run));
	run->outputs = outputs;
	EX_TRY(load_row(run, x));
	for (size_t first = 0; first < n; first += run->tile)
	{
		uint32_t	rows = n - first < run->tile ? (uint32_t) (n - first) : run->tile;

		EX_TRY(rescale_tile(run, z0 + first * run->n_columns, rows, raw0 + first * run->model->n_outputs,
							contribution + first * outputs.count * run->model->n_features));
	}
	return EX_OK;
}
