/*
 * integrated_pieces.c
 *		Integrated gradients of piecewise linear models, piece by piece.
 *
 * Between two knots raw is linear in the path's parameter and J, its gradient
 * for every output, is constant: the integral over the piece is
 *
 *		length * sum over m of mean[m] J[m]
 *
 * with the link's mean slopes between the raw predictions at both ends
 * (link_path.h).  One backward pass, seeded with length * mean, at the middle
 * of the piece, where no unit is at its kink.
 */
#include <string.h>

#include "integrated_internal.h"

static void
points(ex_integral *integral, const double *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ex_integral_point(integral, at[i], integral->point + i * integral->n_columns);
}

/* Slopes do not depend on where the raw prediction is? */
static bool
is_identity(const ex_integral *integral)
{
	return integral->call->space == EX_RAW || integral->model->link == EX_LINK_IDENTITY;
}

/* seed[n * K] of the pieces between n + 1 knots. */
static ex_status
seeds(ex_integral *integral, const double *knot, size_t n)
{
	uint32_t	n_outputs = integral->n_outputs;
	const double *raw = integral->seed; /* of no matter */

	if (!is_identity(integral))
	{
		points(integral, knot, n + 1);
		EX_TRY(ex_column_run_forward(&integral->run, integral->point, (uint32_t) n + 1, &raw));
	}
	for (size_t i = 0; i < n; i++)
	{
		double	   *seed = integral->seed + i * n_outputs;

		if (is_identity(integral))
		{
			memset(seed, 0, n_outputs * sizeof(double));
			seed[integral->call->output] = 1;
		}
		else
			EX_TRY(ex_link_path_mean(&integral->link, integral->host, raw + i * n_outputs,
									 raw + (i + 1) * n_outputs, seed));
		for (uint32_t k = 0; k < n_outputs; k++)
			seed[k] *= knot[i + 1] - knot[i];
	}
	return EX_OK;
}

static ex_status
add_batch(ex_integral *integral, const double *knot, size_t n)
{
	const double *raw;
	const double *gradient = integral->gradient;

	EX_TRY(ex_poll(integral->host));
	EX_TRY(seeds(integral, knot, n));
	for (size_t i = 0; i < n; i++)
		ex_integral_point(integral, knot[i] + (knot[i + 1] - knot[i]) / 2,
						  integral->point + i * integral->n_columns);
	EX_TRY(ex_column_run_forward(&integral->run, integral->point, (uint32_t) n, &raw));
	EX_TRY(ex_column_run_backward(&integral->run, integral->seed, integral->gradient));
	for (size_t i = 0; i < n; i++, gradient += integral->n_columns)
		for (uint32_t c = 0; c < integral->n_columns; c++)
			integral->sum[c] += gradient[c];
	return EX_OK;
}

ex_status
ex_integrate_pieces(ex_integral *integral, const double *knot, size_t n)
{
	size_t		batch = integral->run.capacity - 1;

	for (size_t i = 0; i < n; i += batch)
		EX_TRY(add_batch(integral, knot + i, n - i < batch ? n - i : batch));
	return EX_OK;
}
