/*
 * linear.h
 *		The linear family: generalised linear models with any number of outputs.
 *
 *		raw[k] = intercept[k] + sum over columns c of coefficient[k][c] * z_c(x)
 *
 * A column is a simple function of one original feature (its value, a
 * level's dummy, a bin's dummy, a missing indicator).  Scaling is folded into
 * coefficients and imputation into column_missing, so the columns are the
 * whole design.
 *
 * Shapley values (features independent; Lundberg & Lee 2017, cor. 1):
 *		phi_f = sum over columns c of f: coefficient_c * (z_c(x) - E z_c)
 * Response space, log link: the game is a product over features for each
 * background row, exact by Gauss-Legendre quadrature with ceil(p/2) nodes
 * (METHODS 1 and 2).
 */
#ifndef EX_LINEAR_H
#define EX_LINEAR_H

#include "family.h"

typedef enum ex_column_kind
{
	EX_COLUMN_VALUE = 0,		/* x; boolean: 0 or 1 */
	EX_COLUMN_LEVEL_IS,			/* x is the level */
	EX_COLUMN_BIN,				/* low < x <= high */
	EX_COLUMN_ISNULL			/* x is missing */
} ex_column_kind;

typedef struct ex_linear_view
{
	const ex_model *model;
	uint32_t	n_features;
	uint32_t	n_outputs;
	uint32_t	n_columns;
	const uint32_t *feature;
	const uint8_t *kind;
	const uint32_t *level;
	const double *low;
	const double *high;
	const double *missing;
	const double *coefficient;
	const double *intercept;
	const double *standard_error;	/* NULL without */
	const double *covariance;	/* NULL without */
} ex_linear_view;

extern void ex_linear_open(const ex_model *model, ex_linear_view *view);

/* z_c(x_f) */
extern double ex_linear_column(const ex_linear_view *view, uint32_t column, double x);

/* Append a column; coefficients follow in ex_put(EX_COEFFICIENT), output-major. */
extern ex_status ex_linear_put_column(ex_builder *builder, uint32_t feature, ex_column_kind kind,
									  uint32_t level, double low, double high, double missing);

extern const ex_family ex_linear_family;

#endif							/* EX_LINEAR_H */
