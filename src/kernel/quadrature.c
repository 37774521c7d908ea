/*
 * quadrature.c
 *		Gauss-Legendre nodes and weights by Newton's iteration.
 */
#include <math.h>

#include "quadrature.h"

#define PI 3.14159265358979323846

/* P_n(x) and its derivative, |x| < 1. */
static double
legendre(uint32_t n, double x, double *derivative)
{
	double		before = 1;
	double		value = x;

	for (uint32_t k = 1; k < n; k++)
	{
		/*
		 * the recurrence as a small correction of x * P_k: less rounding than
		 * its textbook form
		 */
		double		next = x * value + (x * value - before) * ((double) k / (k + 1));

		before = value;
		value = next;
	}
	*derivative = n * (before - x * value) / ((1 - x) * (1 + x));
	return value;
}

/*
 * The i-th root from the right, for the upper half of the roots.  The starting
 * point is close enough that three steps reach the limit of double; a fixed
 * number of them gives the same bits everywhere.
 */
static double
root(uint32_t n, uint32_t i, double *derivative)
{
	/* rounded, as the last bits of cos() differ between processors' libraries */
	double		x = (float) cos(PI * (i + 0.75) / (n + 0.5));

	for (int step = 0; step < 4; step++)
		x -= legendre(n, x, derivative) / *derivative;
	legendre(n, x, derivative);
	return x;
}

void
ex_quadrature(uint32_t n, double *node, double *weight)
{
	for (uint32_t i = 0; i < n / 2; i++)
	{
		double		derivative;
		double		x = root(n, i, &derivative);

		node[i] = 0.5 - 0.5 * x;
		node[n - 1 - i] = 0.5 + 0.5 * x;
		weight[i] = weight[n - 1 - i] = 1 / ((1 - x) * (1 + x) * derivative * derivative);
	}
	if (n % 2 == 1)
	{
		double		derivative;

		legendre(n, 0, &derivative);
		node[n / 2] = 0.5;
		weight[n / 2] = 1 / (derivative * derivative);
	}
}
