/*
 * network_join.c
 *		Layers that bring inputs together, or put the same numbers elsewhere.
 *
 * In sums and products an input of shape (c, 1, 1) is spread over the pixels
 * of its channel.  How many inputs there are is the model's: each is polled
 * for.
 */
#include <string.h>

#include "network_internal.h"

/* ----------------------------------------------------------------
 * Reshape: the output is the input's memory (network_compile.c)
 * ---------------------------------------------------------------- */

static void
add_to(double *to, const double *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += r[i];
}

static ex_status
reshape_forward(const ex_pass *pass, const ex_step *step)
{
	(void) pass;
	(void) step;
	return EX_OK;
}

static ex_status
reshape_backward(const ex_pass *pass, const ex_step *step)
{
	add_to(ex_step_input_gradient(pass, step, 0), ex_step_gradient(pass, step),
		   pass->n * step->size);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Permute
 * ---------------------------------------------------------------- */

/* Elements of the input between neighbours along each axis of the output. */
static void
permuted_strides(const ex_step *step, size_t stride[3])
{
	size_t		of_input[3] = {(size_t) step->from.height * step->from.width, step->from.width, 1};

	for (int i = 0; i < 3; i++)
		stride[i] = of_input[step->layer.setting[i]];
}

static ex_status
permute_forward(const ex_pass *pass, const ex_step *step)
{
	ex_shape	shape = step->layer.shape;
	const double *x = ex_step_input(pass, step, 0);
	double	   *y = ex_step_output(pass, step);
	size_t		stride[3];

	permuted_strides(step, stride);
	for (size_t row = 0; row < pass->n; row++, x += step->size)
		for (size_t c = 0; c < shape.channels; c++)
			for (size_t h = 0; h < shape.height; h++)
				for (size_t w = 0; w < shape.width; w++)
					*y++ = x[c * stride[0] + h * stride[1] + w * stride[2]];
	return EX_OK;
}

static ex_status
permute_backward(const ex_pass *pass, const ex_step *step)
{
	ex_shape	shape = step->layer.shape;
	const double *r = ex_step_gradient(pass, step);
	double	   *to = ex_step_input_gradient(pass, step, 0);
	size_t		stride[3];

	permuted_strides(step, stride);
	for (size_t row = 0; row < pass->n; row++, to += step->size)
		for (size_t c = 0; c < shape.channels; c++)
			for (size_t h = 0; h < shape.height; h++)
				for (size_t w = 0; w < shape.width; w++)
					to[c * stride[0] + h * stride[1] + w * stride[2]] += *r++;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Concatenate
 * ---------------------------------------------------------------- */

static size_t
input_size(const ex_pass *pass, const ex_step *step, uint32_t i)
{
	return pass->state->step[step->layer.input[i]].size;
}

static ex_status
concat_forward(const ex_pass *pass, const ex_step *step)
{
	double	   *y = ex_step_output(pass, step);

	for (uint32_t i = 0; i < step->layer.n_inputs; i++)
	{
		const double *x = ex_step_input(pass, step, i);
		size_t		n = input_size(pass, step, i);

		for (size_t row = 0; row < pass->n; row++)
			memcpy(y + row * step->size, x + row * n, n * sizeof(double));
		y += n;
	}
	return EX_OK;
}

static ex_status
concat_backward(const ex_pass *pass, const ex_step *step)
{
	const double *r = ex_step_gradient(pass, step);

	for (uint32_t i = 0; i < step->layer.n_inputs; i++)
	{
		double	   *to = ex_step_input_gradient(pass, step, i);
		size_t		n = input_size(pass, step, i);

		for (size_t row = 0; row < pass->n; row++)
			add_to(to + row * n, r + row * step->size, n);
		r += n;
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Sum
 * ---------------------------------------------------------------- */

/* Pixels that one number of input i stands for: 1, or all of a channel. */
static size_t
spread_over(const ex_pass *pass, const ex_step *step, uint32_t i)
{
	return step->size / input_size(pass, step, i);
}

static ex_status
add_forward(const ex_pass *pass, const ex_step *step)
{
	size_t		n = pass->n * step->size;
	double	   *y = ex_step_output(pass, step);

	memset(y, 0, n * sizeof(double));
	for (uint32_t i = 0; i < step->layer.n_inputs; i++)
	{
		const double *x = ex_step_input(pass, step, i);
		size_t		over = spread_over(pass, step, i);

		EX_TRY(ex_poll(pass->host));
		if (over == 1)
			add_to(y, x, n);
		else
			for (size_t j = 0; j < n; j++)
				y[j] += x[j / over];
	}
	return EX_OK;
}

static ex_status
add_backward(const ex_pass *pass, const ex_step *step)
{
	size_t		n = pass->n * step->size;
	const double *r = ex_step_gradient(pass, step);

	for (uint32_t i = 0; i < step->layer.n_inputs; i++)
	{
		double	   *to = ex_step_input_gradient(pass, step, i);
		size_t		over = spread_over(pass, step, i);

		EX_TRY(ex_poll(pass->host));
		if (over == 1)
			add_to(to, r, n);
		else
			for (size_t j = 0; j < n; j++)
				to[j / over] += r[j];
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Product
 * ---------------------------------------------------------------- */

static ex_status
multiply_forward(const ex_pass *pass, const ex_step *step)
{
	size_t		n = pass->n * step->size;
	double	   *y = ex_step_output(pass, step);

	for (size_t j = 0; j < n; j++)
		y[j] = 1;
	for (uint32_t i = 0; i < step->layer.n_inputs; i++)
	{
		const double *x = ex_step_input(pass, step, i);
		size_t		over = spread_over(pass, step, i);

		EX_TRY(ex_poll(pass->host));
		for (size_t j = 0; j < n; j++)
			y[j] *= x[j / over];
	}
	return EX_OK;
}

/*
 * What a change of factor i does to the product, at element j of a row.  With
 * p the product of the factors before it and q of the ones after it,
 *		prod a - prod a0 = sum over i of (a_i - a0_i) mean(p, p0) prod mean(q)
 * where the means are over the row and its reference, and those after i are
 * taken factor by factor: two factors share their change half and half.  A
 * row that is its own reference gets the derivative.
 */
static double
product_multiplier(const ex_pass *pass, const ex_step *step, uint32_t i, size_t row, size_t j)
{
	double		before = 1;
	double		before0 = 1;
	double		after = 1;

	for (uint32_t f = 0; f < step->layer.n_inputs; f++)
	{
		size_t		n = input_size(pass, step, f);
		size_t		at = j / spread_over(pass, step, f);
		double		a = ex_step_input(pass, step, f)[row * n + at];
		double		a0 = a;

		if (f == i)
			continue;
		if (pass->rule == EX_RULE_RESCALE)
			a0 = ex_reference_value(pass, step->layer.input[f], row)[at];
		if (f > i)
			after *= 0.5 * (a + a0);
		else
		{
			before *= a;
			before0 *= a0;
		}
	}
	return 0.5 * (before + before0) * after;
}

#define POLL_FACTORS ((size_t) 1 << 20)

static ex_status
multiply_backward(const ex_pass *pass, const ex_step *step)
{
	const double *r = ex_step_gradient(pass, step);
	size_t		per_poll = 1 + POLL_FACTORS / step->layer.n_inputs;

	for (uint32_t i = 0; i < step->layer.n_inputs; i++)
	{
		double	   *to = ex_step_input_gradient(pass, step, i);
		size_t		n = input_size(pass, step, i);
		size_t		over = spread_over(pass, step, i);

		for (size_t row = 0; row < pass->n; row++)
			for (size_t j = 0; j < step->size; j++)
			{
				if (j % per_poll == 0)
					EX_TRY(ex_poll(pass->host));
				to[row * n + j / over] += r[row * step->size + j] *
					product_multiplier(pass, step, i, row, j);
			}
	}
	return EX_OK;
}

const ex_step_kind ex_step_reshape = {reshape_forward, reshape_backward};
const ex_step_kind ex_step_permute = {permute_forward, permute_backward};
const ex_step_kind ex_step_concat = {concat_forward, concat_backward};
const ex_step_kind ex_step_add = {add_forward, add_backward};
const ex_step_kind ex_step_multiply = {multiply_forward, multiply_backward};
