/*
 * attribution.h
 *		Arithmetic on finished attributions, the same for all methods.
 */
#ifndef EX_ATTRIBUTION_H
#define EX_ATTRIBUTION_H

#include <stddef.h>

/* value[n] -= other[n]: from two outputs to their difference. */
extern void ex_subtract(double *value, const double *other, size_t n);

/*
 * prediction - base - sum of value[p], compensated: what additivity misses.
 */
extern double ex_residual(double prediction, double base, const double *value, size_t p);

/*
 * low[n] and high[n]: the 95 % intervals of sampled values with these standard
 * errors, value -+ 1.96 error.
 */
extern void ex_normal_intervals(const double *value, const double *std_error, size_t n,
								double *low, double *high);

/*
 * Where x lies between low and high: 0 .. 1, clamped; 0.5 where both are the
 * same, NaN where there is no range.
 */
extern double ex_scale_to_range(double x, double low, double high);

/* scaled[n]: value divided by the largest magnitude, -1 .. 1; 0 where all are 0, NaN stays. */
extern void ex_scale_to_largest(const double *value, size_t n, double *scaled);

#endif							/* EX_ATTRIBUTION_H */
