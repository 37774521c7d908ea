/*
 * coalition_exact.h
 *		Method 'exact': Shapley values by enumerating all coalitions of the
 *		features that vary.
 *
 * For any family, in raw or response space, of the interventional game
 * (game.h).  With m players, features in which x differs from some background
 * row (in its bytes; all others get exactly 0),
 *
 *		phi_j = sum over S without j: |S|! (m - |S| - 1)! / m! (v(S + j) - v(S))
 *
 * (Shapley 1953), and half of the Shapley interaction index of a pair (Grabisch
 * & Roubens 1999; Lundberg et al. 2020, eq. 4) by the second difference with
 * |S|! (m - |S| - 2)! / (2 (m - 1)!).  Sums are compensated, coalitions in
 * ascending order of their bits; a feature that changes no prediction gets
 * exactly 0.
 *
 * Cost: 2^m predictions for each background row.  Memory: 2^m numbers for each
 * output that is explained.
 */
#ifndef EX_COALITION_EXACT_H
#define EX_COALITION_EXACT_H

#include "game.h"

/* Published limits; 54000 beyond. */
#define EX_EXACT_MAX_PLAYERS	20
#define EX_EXACT_MAX_VALUES		(8 * 1024 * 1024)	/* 2^m times outputs */

/* The operations of an ex_shap_method; check refuses a background without rows. */
extern ex_status ex_exact_check(ex_compiled *compiled, ex_host *host, ex_space space,
								const ex_background *background);
extern ex_status ex_exact_values(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
								 double *phi, double *base);
extern ex_status ex_exact_interactions(ex_compiled *compiled, ex_host *host,
									   const ex_shap_call *call, double *phi, double *base);
extern ex_status ex_exact_values_tile(ex_compiled *compiled, ex_host *host,
									  const ex_shap_call *call, uint32_t n, double *phi);
extern ex_status ex_exact_interactions_tile(ex_compiled *compiled, ex_host *host,
											const ex_shap_call *call, uint32_t n, double *phi);

/* One line in a family's table of methods. */
#define EX_EXACT_METHOD \
	.name = "exact", \
	.needs_background = true, \
	.check = ex_exact_check, \
	.values = ex_exact_values, \
	.interactions = ex_exact_interactions, \
	.values_tile = ex_exact_values_tile, \
	.interactions_tile = ex_exact_interactions_tile, \
	.base = ex_game_base

#endif							/* EX_COALITION_EXACT_H */
