/*
 * linear_gradient.c
 *		Derivatives of linear predictors: the coefficients of value columns.
 *
 * A bin's dummy is flat but for its edges and adds nothing; a feature that
 * enters by bins alone is refused by gradient.c.
 */
#include <math.h>
#include <string.h>

#include "linear_internal.h"

/* z = x for every feature: numbers and nothing else */
static void
add_plain(const double *w, double seed, const double *x, uint32_t n, double *gradient)
{
	for (uint32_t f = 0; f < n; f++)
		gradient[f] += isnan(x[f]) ? 0 : seed * w[f];
}

static void
add_columns(const ex_linear_view *view, const uint8_t *feature_kind, const double *w, double seed,
			const double *x, double *gradient)
{
	for (uint32_t c = 0; c < view->n_columns; c++)
	{
		uint32_t	f = view->feature[c];

		if (view->kind[c] == EX_COLUMN_VALUE && feature_kind[f] == EX_NUMERIC && !isnan(x[f]))
			gradient[f] += seed * w[c];
	}
}

ex_status
ex_linear_gradient_raw(ex_compiled *compiled, ex_host *host, const double *x, size_t n,
					   const double *seed, double *gradient)
{
	const ex_linear_state *state = compiled->state;
	const ex_linear_view *view = &state->view;
	const uint8_t *kind = ex_get(view->model, EX_FEATURE_KIND, NULL);
	bool		plain = state->identity && memchr(kind, EX_BOOLEAN, view->n_features) == NULL;

	memset(gradient, 0, n * view->n_features * sizeof(double));
	for (size_t i = 0; i < n; i++)
	{
		if (i % 1024 == 1023)
			EX_TRY(ex_poll(host));
		for (uint32_t k = 0; k < view->n_outputs; k++)
		{
			const double *w = view->coefficient + (size_t) k * view->n_columns;

			if (seed[k] == 0)
				continue;
			if (plain)
				add_plain(w, seed[k], x, view->n_features, gradient);
			else
				add_columns(view, kind, w, seed[k], x, gradient);
		}
		x += view->n_features;
		seed += view->n_outputs;
		gradient += view->n_features;
	}
	return EX_OK;
}
