/*
 * linear_covariance.h
 *		The covariance of a linear model's coefficients, given later.
 *
 * A fit gives it (statsmodels' cov_params(), R's vcov()); a file of
 * coefficients seldom has it.  Everything that speaks of significance needs
 * it.
 */
#ifndef EX_LINEAR_COVARIANCE_H
#define EX_LINEAR_COVARIANCE_H

#include "model.h"

/*
 * Replace covariance and standard errors (the square roots of its diagonal).
 *
 * covariance[n * n]; place[K * (C + 1)]: the row and column of each
 * coefficient, output by output, its columns and then its intercept; -1 for
 * one that was not estimated but is fixed, with variance 0.  place NULL: as
 * they come, n = K * (C + 1).
 *
 * EX_UNSUPPORTED without a linear model; EX_DIMENSION for another n; EX_INVALID
 * where it is not symmetric (to 1e-8 of the standard errors; the mean of both
 * halves is kept), a variance is negative, or a covariance is larger than
 * both standard errors allow.
 */
extern ex_status ex_edit_covariance(ex_builder *builder, const ex_model *model,
									const double *covariance, size_t n, const int32_t *place);

#endif							/* EX_LINEAR_COVARIANCE_H */
