/*
 * network_scale.c
 *		Batch normalisation and affine layers: y = scale x + shift.
 */
#include "network_internal.h"

static ex_status
forward(const ex_pass *pass, const ex_step *step)
{
	const double *x = ex_step_input(pass, step, 0);
	double	   *y = ex_step_output(pass, step);
	size_t		run = step->run_length;

	for (size_t row = 0; row < pass->n; row++)
		for (size_t i = 0; i < step->size / run; i++, x += run, y += run)
			for (size_t j = 0; j < run; j++)
				y[j] = step->scale[i] * x[j] + step->shift[i];
	return EX_OK;
}

static ex_status
backward(const ex_pass *pass, const ex_step *step)
{
	const double *r = ex_step_gradient(pass, step);
	double	   *to = ex_step_input_gradient(pass, step, 0);
	size_t		run = step->run_length;

	for (size_t row = 0; row < pass->n; row++)
		for (size_t i = 0; i < step->size / run; i++, r += run, to += run)
			for (size_t j = 0; j < run; j++)
				to[j] += step->scale[i] * r[j];
	return EX_OK;
}

const ex_step_kind ex_step_scale = {forward, backward};
