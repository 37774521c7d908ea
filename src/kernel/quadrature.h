/*
 * quadrature.h
 *		Gauss-Legendre quadrature on [0, 1].
 */
#ifndef EX_QUADRATURE_H
#define EX_QUADRATURE_H

#include <stdint.h>

/*
 * Nodes (ascending, inside (0, 1)) and weights (positive, sum 1) of the rule
 * with n >= 1 points: exact for polynomials of degree 2n - 1.  The Shapley
 * values of a product game of D players need n = ceil(D / 2) (METHODS 1).
 *
 * Deterministic.  Nodes and weights are within 3e-16 of the true ones up to
 * n = 1024 (measured against 40-digit arithmetic).  Takes O(n^2) time.
 *
 * Method: Newton's iteration on the three-term recurrence of the Legendre
 * polynomials (Abramowitz & Stegun 22.7.10, 25.4.30).
 */
extern void ex_quadrature(uint32_t n, double *node, double *weight);

#endif							/* EX_QUADRATURE_H */
