/*
 * attribution.c
 *		Arithmetic on finished attributions, the same for all methods.
 */
#include <math.h>

#include "attribution.h"
#include "sum.h"

void
ex_subtract(double *value, const double *other, size_t n)
{
	for (size_t i = 0; i < n; i++)
		value[i] -= other[i];
}

double
ex_residual(double prediction, double base, const double *value, size_t p)
{
	ex_sum		sum = {0};

	ex_sum_add(&sum, prediction);
	ex_sum_add(&sum, -base);
	for (size_t i = 0; i < p; i++)
		ex_sum_add(&sum, -value[i]);
	return ex_sum_total(&sum);
}

void
ex_normal_intervals(const double *value, const double *std_error, size_t n, double *low, double *high)
{
	const double quantile = 1.959963984540054;

	for (size_t i = 0; i < n; i++)
	{
		low[i] = value[i] - quantile * std_error[i];
		high[i] = value[i] + quantile * std_error[i];
	}
}

double
ex_scale_to_range(double x, double low, double high)
{
	if (!(high > low))
		return high == low ? 0.5 : NAN;

	/* halves, so that the width of a range cannot overflow */
	return fmin(1, fmax(0, (x / 2 - low / 2) / (high / 2 - low / 2)));
}

void
ex_scale_to_largest(const double *value, size_t n, double *scaled)
{
	double		largest = 0;

	/* fmax passes over NaN */
	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs(value[i]));
	for (size_t i = 0; i < n; i++)
		scaled[i] = value[i] == 0 ? 0 : value[i] / largest;
}
