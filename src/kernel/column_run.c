/*
 * column_run.c
 *		Linear models and networks, run in column space.
 */
#include <math.h>
#include <string.h>

#include "column_run.h"
#include "linear_internal.h"

#define LINEAR_ROWS 64

ex_status
ex_column_run_check(const ex_compiled *compiled, ex_host *host, const char *method)
{
	if (compiled->family->id == EX_NETWORK || compiled->family->id == EX_LINEAR)
		return EX_OK;
	ex_fail(host, EX_UNSUPPORTED, "%s cannot explain models of family \"%s\"", method,
			compiled->family->name);
	ex_detail(host, "Their gradient is 0 almost everywhere.");
	ex_hint(host, "Use explain.shap_values instead.");
	return EX_UNSUPPORTED;
}

ex_status
ex_column_run_open(ex_column_run *run, ex_compiled *compiled, ex_host *host, uint32_t rows,
				   const char *method)
{
	uint32_t	most = LINEAR_ROWS;

	EX_TRY(ex_column_run_check(compiled, host, method));
	memset(run, 0, sizeof(*run));
	run->model = compiled->model;
	run->host = host;
	run->n_outputs = compiled->model->n_outputs;
	ex_get(compiled->model, EX_COLUMN_FEATURE, &run->n_columns);
	if (compiled->family->id == EX_NETWORK)
	{
		run->network = compiled->state;
		most = ex_network_tile(run->network);
	}
	else
		ex_linear_open(compiled->model, &run->linear);
	if (most < 2)
		most = 2;				/* whoever asks for more wants to compare
								 * neighbours */
	run->capacity = rows < most ? rows : most;
	if (run->network != NULL)
		return ex_network_work_create(run->network, host, run->capacity, &run->work);
	return EX_ALLOC(host, (size_t) run->capacity * run->n_outputs, &run->raw);
}

ex_status
ex_column_run_encode(const ex_column_run *run, const double *x, double *z)
{
	if (run->network != NULL)
		return ex_network_encode(run->network, run->host, x, 1, z);
	ex_linear_columns(&run->linear, x, z);
	for (uint32_t c = 0; c < run->n_columns; c++)
		if (!isfinite(z[c]))
			return ex_linear_out_of_range(run->host, &run->linear, x, "prediction is out of range");
	return EX_OK;
}

static ex_status
forward_linear(ex_column_run *run, const double *z, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < run->n_outputs; k++)
		{
			double		raw = ex_linear_raw(&run->linear, k, z + (size_t) i * run->n_columns);

			if (!isfinite(raw))
				return ex_fail(run->host, EX_RANGE, "prediction is out of range");
			run->raw[(size_t) i * run->n_outputs + k] = raw;
		}
	return EX_OK;
}

ex_status
ex_column_run_forward(ex_column_run *run, const double *z, uint32_t n, const double **raw)
{
	run->n = n;
	*raw = run->raw;
	if (run->network == NULL)
		return forward_linear(run, z, n);
	EX_TRY(ex_network_forward(run->network, run->host, run->work, z, n));
	*raw = ex_network_value(run->work, ex_network_compiled_view(run->network)->n_layers - 1);
	return EX_OK;
}

static void
backward_linear(const ex_column_run *run, const double *seed, double *dz)
{
	memset(dz, 0, (size_t) run->n * run->n_columns * sizeof(double));
	for (uint32_t i = 0; i < run->n; i++, seed += run->n_outputs, dz += run->n_columns)
		for (uint32_t k = 0; k < run->n_outputs; k++)
		{
			const double *w = run->linear.coefficient + (size_t) k * run->n_columns;

			for (uint32_t c = 0; seed[k] != 0 && c < run->n_columns; c++)
				dz[c] += seed[k] * w[c];
		}
}

ex_status
ex_column_run_backward(ex_column_run *run, const double *seed, double *dz)
{
	if (run->network != NULL)
		return ex_network_backward(run->network, run->host, run->work, NULL, EX_RULE_GRADIENT,
								   seed, dz);
	backward_linear(run, seed, dz);
	return EX_OK;
}
