/*
 * gradient.h
 *		How fast a prediction changes with each feature of a row.
 *
 * y is the raw prediction of one output, or its response.  Value of feature i:
 *
 *		numeric			dy/dx_i, by reverse mode (ex_family.gradient_raw); in
 *						response space by the chain rule, the derivative of
 *						the link being the seed
 *		boolean			y(true) - y(false), all else equal
 *		categorical		y(x) - y(x with the reference level)
 *		missing			NaN: not defined
 *
 * At the kink of a ReLU the derivative is taken as 0.  Reference level: that
 * of the reference row, else the most frequent one in the background, else the
 * first.
 *
 * Methods, g standing for the values above:
 *
 *		gradient			g
 *		gradient_x_input	x_i g_i; categorical: g_i, the dummy of a level
 *							that is there being 1
 *		smooth				mean of g(x + e), e ~ N(0, diag(sigma^2)) on numeric
 *							features that are not missing (SmoothGrad: Smilkov
 *							et al. 2017, arXiv:1706.03825)
 *		smooth_squared		mean of g(x + e)^2
 *		smooth_variance		variance of g(x + e), n - 1 (VarGrad: Adebayo et
 *							al. 2018, arXiv:1810.03307)
 *		finite_difference	(y(x + h/2) - y(x - h/2)) / h with a window h as
 *							wide as the feature varies: for models that are
 *							flat almost everywhere
 *		guided_backprop		Springenberg et al. 2015, arXiv:1412.6806
 *		deconvnet			Zeiler & Fergus 2014, arXiv:1311.2901
 *
 * The last two are of raw predictions and numeric features, and no derivatives.
 */
#ifndef EX_GRADIENT_H
#define EX_GRADIENT_H

#include "family.h"

typedef enum ex_gradient_method
{
	EX_GRADIENT = 0,
	EX_GRADIENT_X_INPUT,
	EX_GRADIENT_SMOOTH,
	EX_GRADIENT_SMOOTH_SQUARED,
	EX_GRADIENT_SMOOTH_VARIANCE,
	EX_GRADIENT_FINITE_DIFFERENCE,
	EX_GRADIENT_GUIDED_BACKPROP,
	EX_GRADIENT_DECONVNET,
	EX_N_GRADIENT_METHODS
} ex_gradient_method;

extern const char *const ex_gradient_method_names[EX_N_GRADIENT_METHODS];

/* The method of a name; EX_INVALID with the valid names in the hint. */
extern ex_status ex_find_gradient_method(ex_host *host, const char *name, size_t length,
										 ex_gradient_method *method);

/* Published limits; the window is in standard deviations. */
#define EX_MIN_WINDOW	1e-6
#define EX_MAX_WINDOW	1e6

typedef struct ex_gradient_call
{
	const double *x;			/* p values, NaN = missing */
	const bool *missing;		/* p: no value was given, x is a substitute;
								 * NULL: none */
	uint32_t	output;
	ex_space	space;
	ex_gradient_method method;
	const double *reference;	/* p values; NULL: none */
	const double *stat;			/* p * EX_N_STATS; NULL: no background */
	const double *level_count;	/* of all levels; NULL: unknown */

	/* smooth... */
	int32_t		samples;		/* 1 .. EX_MAX_SAMPLES (random.h); 1: no noise */
	double		noise;			/* sigma in standard deviations, >= 0 */
	const double *sigma;		/* p absolute ones instead, >= 0, or NULL */
	int64_t		seed;

	/* finite_difference */
	double		window_sd;		/* h in standard deviations */
} ex_gradient_call;

/* p numbers each; all but value may be NULL where nobody asks. */
typedef struct ex_gradient_result
{
	double	   *value;			/* NaN: not defined */
	double	   *std_error;		/* of the sampling; 0: none, NaN: not defined */
	double	   *level;			/* value compared with; NaN: derivative */
	double	   *step;			/* width of the window; NaN: none */
} ex_gradient_result;

/*
 * EX_INVALID: an option out of its range, a method without the statistics it
 * needs; EX_LIMIT: too many samples; EX_UNSUPPORTED: a family, link or feature
 * without derivatives; EX_RANGE: an infinite feature or result.
 */
extern ex_status ex_gradient(ex_compiled *compiled, ex_host *host, const ex_gradient_call *call,
							 ex_gradient_result *result);

/* Does the method sample? */
extern bool ex_gradient_samples(ex_gradient_method method);

/*
 * Sum of derivatives over numeric features: the total derivative of one row.
 * The methods whose values are derivatives: gradient, smooth,
 * finite_difference.
 */
typedef struct ex_total_derivative
{
	double		total;			/* sum of value_i; NaN where n = 0 */
	double		standardised;	/* sum of value_i sd_i; NaN without statistics */
	uint32_t	n;				/* features in the sums */
} ex_total_derivative;

/* EX_RANGE where a sum is not finite. */
extern ex_status ex_sum_derivatives(ex_host *host, const ex_model *model, const double *stat,
									const double *value, ex_total_derivative *total);

#endif							/* EX_GRADIENT_H */
