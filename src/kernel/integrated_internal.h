/*
 * integrated_internal.h
 *		Shared by the files integrated_*.c; nobody else.
 *
 *	integrated_gradients.c	the method: ends of the path, what is integrated how
 *	integrated_kinks.c		where a path through a network has its kinks
 *	integrated_pieces.c		piecewise linear models: exact, piece by piece
 *	integrated_chain.c		the same for chains of dense layers, unit by unit
 *	integrated_adaptive.c	curved networks: adaptive quadrature
 */
#ifndef EX_INTEGRATED_INTERNAL_H
#define EX_INTEGRATED_INTERNAL_H

#include "column_run.h"
#include "integrated_gradients.h"
#include "link_path.h"

/* One call at work. */
typedef struct ex_integral
{
	ex_host    *host;
	const ex_integrated_call *call;
	const ex_model *model;
	ex_column_run run;
	ex_link_path link;
	uint32_t	n_columns;
	uint32_t	n_outputs;
	double	   *z0;				/* C: ends of the path */
	double	   *z1;
	double	   *direction;		/* C: z1 - z0 */
	double	   *sum;			/* C: integral of the gradient so far */
	double	   *point;			/* run.capacity * C: points of a batch ... */
	double	   *gradient;		/* ... and their gradients */
	double	   *seed;			/* run.capacity * K */
} ex_integral;

/* z at the point a of the path; columns that do not move keep their bits. */
extern void ex_integral_point(const ex_integral *integral, double a, double *z);

/*
 * Is the output of each layer piecewise linear along a straight path?
 * linear[n_layers]; returns whether that of the last one is.
 */
extern bool ex_piecewise_linear(const ex_network_state *network, bool *linear);

/*
 * Points 0 = knot[0] < ... < knot[n] = 1 between which no unit has a kink that
 * sees a piecewise linear input; `linear` as above.  0 and 1 for a linear
 * model.
 */
extern ex_status ex_find_knots(ex_integral *integral, const bool *linear, double **knot, size_t *n);

/* EX_LIMIT if a path that has n kinks may have no more: every layer can double them. */
extern ex_status ex_count_kinks(ex_host *host, size_t n);

/* Add the integral of a piecewise linear model between its knots to integral->sum. */
extern ex_status ex_integrate_pieces(ex_integral *integral, const double *knot, size_t n);

/* Add the integral of any model, cut at these knots, to integral->sum. */
extern ex_status ex_integrate_adaptive(ex_integral *integral, const double *knot, size_t n);

/* Is the network a chain of dense layers with relu or leaky relu between them? */
extern bool ex_is_chain(const ex_network_state *network);

/* Its integral into integral->sum, and raw[K] at the baseline. */
extern ex_status ex_integrate_chain(ex_integral *integral, const ex_network_state *network, double *raw);

#endif							/* EX_INTEGRATED_INTERNAL_H */
