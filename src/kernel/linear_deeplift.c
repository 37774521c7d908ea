/*
 * linear_deeplift.c
 *		The rescale rule for linear models: coefficient times difference.
 */
#include <math.h>

#include "linear_internal.h"
#include "sum.h"

/* contribution[p] of one output against one reference */
static bool
contribute(const ex_linear_state *state, const double *w, const double *z0, double *contribution)
{
	const ex_linear_view *view = &state->view;
	bool		finite = true;

	for (uint32_t f = 0; f < view->n_features; f++)
		contribution[f] = 0;
	for (uint32_t u = 0; u < state->n_used; u++)
	{
		ex_sum		sum = {0, 0};

		for (uint32_t c = state->first[u]; c < state->first[u + 1]; c++)
			ex_sum_add(&sum, w[c] * (state->z[c] - z0[c]));
		contribution[view->feature[state->first[u]]] = ex_sum_total(&sum);
		finite &= isfinite(ex_sum_total(&sum)) != 0;
	}
	return finite;
}

ex_status
ex_linear_rescale_raw(ex_compiled *compiled, ex_host *host, const double *x, const double *z0,
					  size_t n, ex_outputs outputs, void **scratch, double *raw0,
					  double *contribution)
{
	const ex_linear_state *state = compiled->state;
	const ex_linear_view *view = &state->view;

	(void) scratch;
	ex_linear_columns(view, x, state->z);
	for (size_t i = 0; i < n; i++, z0 += view->n_columns)
	{
		for (uint32_t k = 0; k < view->n_outputs; k++)
			*raw0++ = ex_linear_raw(view, k, z0);
		for (uint32_t k = 0; k < outputs.count; k++, contribution += view->n_features)
			if (!contribute(state, view->coefficient + (size_t) (outputs.first + k) * view->n_columns,
							z0, contribution))
				return ex_linear_out_of_range(host, view, x, "attribution is out of range");
	}
	return EX_OK;
}
