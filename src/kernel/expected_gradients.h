/*
 * expected_gradients.h
 *		Expected gradients of linear models and networks (GradientSHAP).
 *
 *		EG_f = E over rows b of the background and a in [0, 1] of the sum over
 *			   the columns c of f:
 *			   (z_c(x) - z_c(b)) * d y / d z_c  at  z(b) + a (z(x) - z(b))
 *
 * the mean of integrated gradients over the background as baselines (Erion,
 * Janizek, Sturmfels, Lundberg & Lee, "Improving performance of deep learning
 * models with axiomatic attribution priors and expected gradients", Nature
 * Machine Intelligence 3, 2021); in expectation they add up to y(x) - E y(b).
 *
 * Sampled: [0, 1] is cut into samples / 2 strata, and two terms are drawn in
 * each, with a uniform in the stratum and a background row by its weight, all
 * independent.  The mean is unbiased, and so is the estimate of its variance,
 *
 *		sum over strata of (t_1 - t_2)^2 / samples^2,
 *
 * whatever the strata have taken out of the variance.  Intervals use the
 * quantile of Student's t with Satterthwaite's degrees of freedom (Biometrics
 * Bulletin 2, 1946), (sum v)^2 / sum v^2 with v the variances of the strata;
 * sum v^2 is estimated from fourth powers, as E d^4 = 3 v^2 for normal d, and
 * 2 are taken off for the bias: few degrees where a handful of strata makes up
 * the variance.
 *
 * Draws depend on the seed and the model alone, not on the row: rows of a
 * query are explained with the same draws, in any plan.
 */
#ifndef EX_EXPECTED_GRADIENTS_H
#define EX_EXPECTED_GRADIENTS_H

#include "family.h"

#define EX_EXPECTED_SAMPLES 200
#define EX_EXPECTED_MAX_SAMPLES 10000000

typedef struct ex_expected_call
{
	const double *x;			/* p values, NaN = missing */
	ex_background background;	/* the model's own, or one row */
	uint32_t	output;
	ex_space	space;
	int64_t		samples;		/* an odd number is rounded up */
	int64_t		seed;
} ex_expected_call;

/* p each; all but value may be NULL. */
typedef struct ex_expected_result
{
	double	   *value;
	double	   *std_error;
	double	   *ci_low;
	double	   *ci_high;
} ex_expected_result;

/*
 * EX_UNSUPPORTED for trees and links without derivative; EX_INVALID without a
 * background and for less than 2 samples, EX_LIMIT for more than
 * EX_EXPECTED_MAX_SAMPLES, EX_RANGE where something is not finite.
 */
extern ex_status ex_expected_gradients(ex_compiled *compiled, ex_host *host,
									   const ex_expected_call *call, const ex_expected_result *result);

/* The exact E y(b) that the attributions start from. */
extern ex_status ex_expected_base(ex_compiled *compiled, ex_host *host, const ex_expected_call *call,
								  double *base);

#endif							/* EX_EXPECTED_GRADIENTS_H */
