/*
 * derivative_summary.h
 *		Derivatives over many rows: what a summary of gradient arrays says.
 *
 *		mean			average derivative; signs cancel
 *		spread			standard deviation over rows (n - 1): of the rows, not
 *						of the estimate, so it says nothing about significance
 *						(that needs the covariance of the coefficients, see
 *						marginal_effects.h)
 *		mean_abs		mean of the magnitudes
 *		mean_square		DGSM: Sobol & Kucherenko, "Derivative based global
 *						sensitivity measures and their link with global
 *						sensitivity indices" (Math. Comput. Simul. 79, 2009)
 *		standardised	mean times the feature's standard deviation in the
 *						background: per standard deviation instead of per unit
 *
 * and in total the sums of mean and standardised over numeric features.
 */
#ifndef EX_DERIVATIVE_SUMMARY_H
#define EX_DERIVATIVE_SUMMARY_H

#include "model.h"
#include "summary.h"

/* NaN where a number is not defined. */
typedef struct ex_derivative
{
	uint32_t	feature;		/* position */
	double		mean;
	double		spread;
	double		mean_abs;
	double		mean_square;
	double		standardised;	/* of numeric features */
	uint64_t	n;				/* rows where the feature has a value */
} ex_derivative;

/*
 * One row for each feature, the largest |mean| first, equal ones in feature
 * order, those without a value last; and the total, with mean, standardised
 * and the number of rows.  stat: of the model's background, or NULL.
 * EX_DIMENSION where the summary has another number of features than the
 * model, EX_RANGE where a number is too large for a double.
 */
extern ex_status ex_summary_derivatives(ex_host *host, const ex_model *model, const double *stat,
										const ex_summary *summary, ex_derivative **rows,
										ex_derivative *total);

#endif							/* EX_DERIVATIVE_SUMMARY_H */
