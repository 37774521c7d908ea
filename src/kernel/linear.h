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
	EX_COLUMN_BIN,				/* low < x <= high (-Infinity is in a bin
								 * without lower end) */
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

/*
 * Append a column; coefficients follow in ex_put(EX_COEFFICIENT), output-major.
 * Columns must come in ascending order of (feature, kind, level, low, high):
 * one order, so that equal models have equal digests.
 */
extern ex_status ex_linear_put_column(ex_builder *builder, uint32_t feature, ex_column_kind kind,
									  uint32_t level, double low, double high, double missing);

/*
 * A column on its own.  Fields that the kind does not use are 0.
 *
 * missing: the column's value where the feature is NaN.  Its feature's policy
 * decides: error, NaN; impute, the value at the imputed one; native, any
 * number.  In a design NaN stands for what the policy implies, which for
 * native is 0 (a missing value contributes nothing), or 1 in an ISNULL column.
 */
typedef struct ex_column
{
	uint32_t	feature;
	ex_column_kind kind;
	uint32_t	level;
	double		low;
	double		high;
	double		missing;
} ex_column;

extern void ex_linear_get_column(const ex_linear_view *view, uint32_t c, ex_column *column);

/* z(x) of such a column */
extern double ex_column_value(const ex_column *column, double x);

/* The body of a linear model over the features and outputs of a builder. */
typedef struct ex_linear_design
{
	size_t		n_columns;
	const ex_column *column;	/* in any order, each once */
	const double *coefficient;	/* K * n_columns, output-major */
	const double *intercept;	/* K */
	const double *standard_error;	/* K * (n_columns + 1), intercept last; or
									 * NULL */
	const double *covariance;	/* (K * (n_columns + 1))^2; or NULL */
} ex_linear_design;

/* Puts all sections, columns in their order; EX_INVALID where one appears twice. */
extern ex_status ex_linear_put(ex_builder *builder, const ex_linear_design *design);

/* One coefficient of one output, as a row of a coefficient table has it. */
typedef struct ex_linear_term
{
	ex_column	column;
	uint32_t	output;
	double		coefficient;
	double		standard_error; /* NaN: unknown */
} ex_linear_term;

/*
 * The same from terms in any order, which are sorted; a column that an output
 * does not mention has the coefficient 0 there.  intercept and its standard
 * errors: K each; intercept_error NULL: keep no standard errors at all.
 */
extern ex_status ex_linear_put_terms(ex_builder *builder, ex_linear_term *term, size_t n,
									 const double *intercept, const double *intercept_error);

extern const ex_family ex_linear_family;

#endif							/* EX_LINEAR_H */
