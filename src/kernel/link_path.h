/*
 * link_path.h
 *		The mean derivative of a response while the raw predictions move along
 *		a straight line.
 *
 *		mean[m] = integral over t in [0, 1] of
 *				  d response[output] / d raw[m]  at  from + t (to - from)
 *
 * so that response(to) - response(from) = sum over m of mean[m] (to[m] - from[m]).
 * This is what integrated gradients need of a link wherever the model itself
 * is linear (METHODS 3.3).
 *
 * Links of one output: the divided difference of the link, in forms that lose
 * nothing to cancellation however close the two ends are; the derivative where
 * they meet.  Shares (softmax, one-vs-rest): Gauss-Legendre quadrature on
 * panels so short that 16 nodes are exact to rounding: the nearest pole of
 * the integrand is pi / spread (softmax; half of that for one-vs-rest) away
 * from the real axis, which bounds the error by 1e-16 (Trefethen, "Is Gauss
 * quadrature better than Clenshaw-Curtis?", SIAM Review 50, 2008, theorem 4.5).
 */
#ifndef EX_LINK_PATH_H
#define EX_LINK_PATH_H

#include "family.h"

#define EX_LINK_PATH_NODES 16

typedef struct ex_link_path
{
	const ex_model *model;
	ex_space	space;
	uint32_t	output;
	double	   *raw;			/* K: at a node, ... */
	double	   *derivative;		/* ... and of the response there */
	double	   *from;			/* K: ends of the panel at hand */
	double	   *to;
	double		node[EX_LINK_PATH_NODES];
	double		weight[EX_LINK_PATH_NODES];
} ex_link_path;

/*
 * In raw space the response is the raw prediction.  EX_UNSUPPORTED for links
 * without derivative (step, sorted) in response space.
 */
extern ex_status ex_link_path_open(ex_link_path *path, ex_host *host, const ex_model *model,
								   ex_space space, uint32_t output);

/*
 * mean[K] between from[K] and to[K], all finite.  EX_RANGE where the line
 * passes the pole of link inverse, or a mean is not finite.
 */
extern ex_status ex_link_path_mean(const ex_link_path *path, ex_host *host, const double *from,
								   const double *to, double *mean);

#endif							/* EX_LINK_PATH_H */
