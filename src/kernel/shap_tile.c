/*
 * shap_tile.c
 *		Shapley values of tiles of rows, for methods with and without a kernel of
 *		their own for that.
 */
#include "family.h"

typedef ex_status (*one_row) (ex_compiled *, ex_host *, const ex_shap_call *, double *, double *);

static ex_status
run_rows(one_row run, ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t n,
		 size_t width, double *phi, double *base)
{
	ex_shap_call one = *call;

	for (uint32_t i = 0; i < n; i++, one.x += compiled->model->n_features, phi += width)
	{
		EX_TRY(ex_poll(host));
		EX_TRY(run(compiled, host, &one, phi, base));
		if (host->empty_scratch != NULL)
			host->empty_scratch(host);
	}
	return EX_OK;
}

/* A row needs as much memory as a call of its own would: a tile must not need that many times. */
static ex_status
row_by_row(one_row run, ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t n,
		   size_t width, double *phi)
{
	double	   *base;
	void	   *outer = NULL;

	EX_TRY(EX_ALLOC(host, call->outputs.count, &base));
	if (host->begin_scratch != NULL)
		outer = host->begin_scratch(host);
	EX_TRY(run_rows(run, compiled, host, call, n, width, phi, base));
	if (outer != NULL)
		host->end_scratch(host, outer);
	return EX_OK;
}

ex_status
ex_shap_values_tile(const ex_shap_method *method, ex_compiled *compiled, ex_host *host,
					const ex_shap_call *call, uint32_t n, double *phi)
{
	size_t		width = (size_t) call->outputs.count * compiled->model->n_features;

	if (method->values_tile != NULL)
		return method->values_tile(compiled, host, call, n, phi);
	return row_by_row(method->values, compiled, host, call, n, width, phi);
}

ex_status
ex_shap_interactions_tile(const ex_shap_method *method, ex_compiled *compiled, ex_host *host,
						  const ex_shap_call *call, uint32_t n, double *phi)
{
	size_t		p = compiled->model->n_features;

	if (method->interactions_tile != NULL)
		return method->interactions_tile(compiled, host, call, n, phi);
	return row_by_row(method->interactions, compiled, host, call, n, call->outputs.count * p * p, phi);
}
