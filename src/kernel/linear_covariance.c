/*
 * linear_covariance.c
 *		The covariance of a linear model's coefficients, given later.
 */
#include "linear_covariance.h"

#include <math.h>

#include "linear.h"

/* In units of the two standard errors: what inverting a Hessian leaves. */
#define SYMMETRY_TOLERANCE 1e-8

static ex_status
check_pair(ex_host *host, const double *covariance, size_t n, size_t i, size_t j)
{
	double		scale = sqrt(covariance[i * n + i]) * sqrt(covariance[j * n + j]);
	double		upper = covariance[i * n + j];
	double		lower = covariance[j * n + i];

	if (!(fabs(upper - lower) <= SYMMETRY_TOLERANCE * scale))
		return ex_fail(host, EX_INVALID, "covariance is not symmetric in row %zu, column %zu", i + 1, j + 1);
	if (!(fabs(upper) <= scale * (1 + SYMMETRY_TOLERANCE)))
	{
		ex_fail(host, EX_INVALID, "covariance is larger than the variances allow in row %zu, column %zu",
				i + 1, j + 1);
		ex_detail(host, "A correlation would be larger than 1.");
		return EX_INVALID;
	}
	return EX_OK;
}

static ex_status
check_matrix(ex_host *host, const double *covariance, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		EX_TRY(ex_poll(host));
		for (size_t j = 0; j < n; j++)
			if (!isfinite(covariance[i * n + j]))
				return ex_fail(host, EX_RANGE, "covariance in row %zu, column %zu is not a finite number",
							   i + 1, j + 1);
		if (covariance[i * n + i] < 0)
			return ex_fail(host, EX_INVALID, "covariance has a negative variance in row %zu", i + 1);
		for (size_t j = 0; j < i; j++)
			EX_TRY(check_pair(host, covariance, n, i, j));
	}
	return EX_OK;
}

/* The mean of both halves, without leaving the range on the way. */
static double
entry(const double *covariance, size_t n, int32_t i, int32_t j)
{
	if (i < 0 || j < 0)
		return 0;
	return covariance[(size_t) i * n + j] / 2 + covariance[(size_t) j * n + i] / 2;
}

static ex_status
put_covariance(ex_builder *builder, const double *covariance, size_t n, const int32_t *place, size_t side)
{
	double	   *row;

	EX_TRY(EX_ALLOC(builder->host, side, &row));
	ex_drop(builder, EX_COEFFICIENT_SE);
	ex_drop(builder, EX_COEFFICIENT_COV);
	for (size_t i = 0; i < side; i++)
	{
		int32_t		at = place == NULL ? (int32_t) i : place[i];

		EX_TRY(ex_poll(builder->host));
		for (size_t j = 0; j < side; j++)
			row[j] = entry(covariance, n, at, place == NULL ? (int32_t) j : place[j]);
		EX_TRY(ex_put(builder, EX_COEFFICIENT_COV, row, side));
		EX_TRY(ex_put_f64(builder, EX_COEFFICIENT_SE, sqrt(row[i])));
	}
	return EX_OK;
}

ex_status
ex_edit_covariance(ex_builder *builder, const ex_model *model, const double *covariance, size_t n,
				   const int32_t *place)
{
	ex_host    *host = builder->host;
	ex_linear_view view;
	size_t		side;

	if (model->family != EX_LINEAR)
		return ex_fail(host, EX_UNSUPPORTED, "models of family \"%s\" have no coefficients",
					   ex_family_by_id(model->family)->name);
	ex_linear_open(model, &view);
	side = (size_t) view.n_outputs * (view.n_columns + 1);
	if (place == NULL && n != side)
	{
		ex_fail(host, EX_DIMENSION, "expected a covariance of %zu coefficients, not %zu", side, n);
		ex_hint(host, "Intercepts count, and so do all outputs. With terms, its rows are named instead, in any order.");
		return EX_DIMENSION;
	}
	EX_TRY(check_matrix(host, covariance, n));
	return put_covariance(builder, covariance, n, place, side);
}
