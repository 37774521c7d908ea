/*
 * sum.h
 *		Compensated summation.
 *
 * The sum of n numbers is off by about one rounding of the result plus n^2
 * roundings of second order, whatever cancels on the way (Knuth's TwoSum;
 * Ogita, Rump & Oishi 2005, algorithm 4.4).  Needs strict IEEE arithmetic:
 * no -ffast-math.
 */
#ifndef EX_SUM_H
#define EX_SUM_H

#include "dd.h"

typedef struct ex_sum
{
	double		value;
	double		error;			/* what rounding has lost from value */
} ex_sum;

static inline void
ex_sum_add(ex_sum *sum, double x)
{
	ex_dd		next = ex_two_sum(sum->value, x);

	sum->value = next.hi;
	sum->error += next.lo;
}

static inline double
ex_sum_total(const ex_sum *sum)
{
	return sum->value + sum->error;
}

#endif							/* EX_SUM_H */
