/*
 * network_dense.c
 *		Dense layers: y = W x + b.
 *
 * A single row is a combination of the rows of a matrix, forward of the
 * columns of W, backward of its rows; both are kept as rows of memory.
 */
#include <string.h>

#include "matrix.h"
#include "network_internal.h"

/* The matrix in float64, for ex_gemm. */
static const double *
wide(const ex_pass *pass, const ex_packed *matrix)
{
	size_t		n = matrix->rows * matrix->stride;

	if (matrix->f64 != NULL)
		return matrix->f64;
	for (size_t i = 0; i < n; i++)
		pass->work->scratch[i] = matrix->f32[i];
	return pass->work->scratch;
}

/* y += x matrix, for all rows of the pass */
static ex_status
multiply(const ex_pass *pass, const ex_packed *matrix, const double *x, double *y)
{
	if (pass->n >= EX_NETWORK_BATCH)
		return ex_gemm(pass->host, EX_NO_TRANSPOSE, EX_NO_TRANSPOSE,
					   pass->n, matrix->columns, matrix->rows, x, matrix->rows,
					   wide(pass, matrix), matrix->stride, 1, y, matrix->columns);
	for (size_t i = 0; i < pass->n; i++)
		pass->state->kernel->row(matrix, x + i * matrix->rows, pass->work->mask,
								 y + i * matrix->columns);
	return EX_OK;
}

static ex_status
forward(const ex_pass *pass, const ex_step *step)
{
	double	   *y = ex_step_output(pass, step);

	for (size_t i = 0; i < pass->n; i++)
		memcpy(y + i * step->size, step->bias, step->size * sizeof(double));
	return multiply(pass, &step->ahead, ex_step_input(pass, step, 0), y);
}

static ex_status
backward(const ex_pass *pass, const ex_step *step)
{
	return multiply(pass, &step->back, ex_step_gradient(pass, step),
					ex_step_input_gradient(pass, step, 0));
}

const ex_step_kind ex_step_dense = {forward, backward};
