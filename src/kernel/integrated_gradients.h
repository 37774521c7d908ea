/*
 * integrated_gradients.h
 *		Integrated gradients of linear models and networks.
 *
 *		IG_f = sum over the columns c of feature f:
 *			   (z_c(x) - z_c(x0)) * integral over a in [0, 1] of
 *			   d y / d z_c  at  z(x0) + a (z(x) - z(x0))
 *
 * with y an output in raw or response space; they add up to y(x) - y(x0)
 * (Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML
 * 2017).  The path is straight in columns, so that a category moves from its
 * baseline's dummies to its own.
 *
 * Exact to rounding where the model is piecewise linear in its columns: linear
 * models, and networks of dense, convolution, pooling, batch normalisation,
 * affine, reshape, permute, concat, add, relu and leaky relu layers.  The path
 * is cut at every kink of every unit; between two of them the gradient of the
 * raw prediction is constant and the link's mean slope is known (link_path.h).
 * A unit at exactly 0 counts as inactive.
 *
 * Other networks: adaptive Gauss-Legendre quadrature, cut at those kinks that
 * come before the first curved layer, until the sum of the estimated errors of
 * every attribution is below tolerance * the largest integral of
 * |gradient * direction| of a feature (which is no less than its attribution,
 * and does not cancel).  The estimate is per attribution, not the completeness
 * residual, where errors of opposite sign cancel.  EX_LIMIT if that takes more than EX_IG_MAX_POINTS gradients.
 */
#ifndef EX_INTEGRATED_GRADIENTS_H
#define EX_INTEGRATED_GRADIENTS_H

#include "baseline.h"

#define EX_IG_TOLERANCE		1e-9
#define EX_IG_MAX_POINTS	4000000 /* gradients evaluated, or pieces of the
									 * path */

typedef struct ex_integrated_call
{
	const double *x;			/* p values, NaN = missing */
	ex_baseline baseline;
	uint32_t	output;
	ex_space	space;
	double		tolerance;		/* > 0 and finite */
	bool		plain;			/* for tests: not the fast path of dense
								 * networks */
} ex_integrated_call;

/*
 * value[p] and the prediction for the baseline, *base, in the space explained.
 * EX_UNSUPPORTED for trees and links without derivative, EX_INVALID for a
 * tolerance out of range, EX_RANGE where something is not finite.
 */
extern ex_status ex_integrated_gradients(ex_compiled *compiled, ex_host *host,
										 const ex_integrated_call *call, double *value, double *base);

#endif							/* EX_INTEGRATED_GRADIENTS_H */
