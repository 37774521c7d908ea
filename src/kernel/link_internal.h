/*
 * link_internal.h
 *		Shared by link.c and link_derivative.c; nobody else.
 */
#ifndef EX_LINK_INTERNAL_H
#define EX_LINK_INTERNAL_H

#include <math.h>

/* 1 / (1 + exp(-x)), accurate in both tails */
static inline double
ex_logistic(double x)
{
	double		e = exp(-fabs(x));

	return (x >= 0 ? 1 : e) / (1 + e);
}

#endif							/* EX_LINK_INTERNAL_H */
