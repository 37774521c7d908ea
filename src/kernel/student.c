/*
 * student.c
 *		Quantiles of Student's t distribution.
 *
 * For few degrees of freedom from a table (computed with SciPy 1.10), beyond
 * by the expansion of Cornish and Fisher about the normal quantile (Abramowitz
 * & Stegun 26.7.5).
 */
#include <math.h>

#include "student.h"

static const double table[] = {
	12.706204736432095, 4.302652729911275, 3.182446305284263, 2.7764451051977987,
	2.5705818366147395, 2.4469118487916806, 2.3646242510102993, 2.3060041350333704,
	2.2621571627409915, 2.2281388519649385, 2.200985160082949, 2.1788128296634177
};

#define TABLE_SIZE ((int) (sizeof(table) / sizeof(table[0])))

double
ex_student_975(double df)
{
	const double z = 1.959963984540054;
	const double q = z * z;

	if (!(df >= 1))
		return INFINITY;
	if (df < TABLE_SIZE + 1)
		return table[(int) df - 1];
	return z + z / df * ((q + 1) / 4 +
						 ((5 * q + 16) * q + 3) / 96 / df +
						 (((3 * q + 19) * q + 17) * q - 15) / 384 / (df * df) +
						 ((((79 * q + 776) * q + 1482) * q - 1920) * q - 945) / 92160 / (df * df * df));
}
