/*
 * deeplift.h
 *		DeepLIFT: the difference to a reference shared out by the rescale rule.
 *
 * A unit y = g(a) passes relevance back by the quotient of its differences to
 * the reference, m = (y - y0) / (a - a0); a linear map by its weights; the
 * contribution of a column is m (z - z0), that of a feature the sum over its
 * columns (Shrikumar, Greenside & Kundaje 2017, arXiv:1704.02685).  So that
 *
 *		sum of contributions = prediction - prediction at the reference
 *
 * to rounding.  Against several references the mean over them, which is
 * DeepSHAP (Lundberg & Lee 2017, section 4.2): an approximation of the Shapley
 * values of the interventional game with the same sum.
 *
 * Raw space for every model whose family offers rescale_raw; response space
 * where the link looks at one output at a time, as one more unit.
 */
#ifndef EX_DEEPLIFT_H
#define EX_DEEPLIFT_H

#include "family.h"

typedef struct ex_deeplift_call
{
	const double *x;			/* n * p */
	ex_outputs	outputs;
	ex_space	space;
	const double *reference;	/* z0[C], one point in columns (baseline.h),
								 * or NULL: */
	ex_background background;	/* the rows averaged over, n >= 1 */
} ex_deeplift_call;

/* EX_UNSUPPORTED, with a hint, where there is no rescale rule for this model or space. */
extern ex_status ex_deeplift_check(ex_compiled *compiled, ex_host *host, ex_space space);

/*
 * Of n rows, n >= 1: value[n * outputs.count * p] and base[outputs.count], the
 * (mean) prediction at the reference.  Exactly 0 for a reference equal to x.  EX_RANGE where a
 * prediction or contribution is not finite.  Memory: a tile of references.
 */
extern ex_status ex_deeplift(ex_compiled *compiled, ex_host *host, const ex_deeplift_call *call,
							 uint32_t n, double *value, double *base);

#endif							/* EX_DEEPLIFT_H */
