/*
 * game.h
 *		The game that features play: what a model is expected to predict when
 *		only some features of a row are known.
 *
 *		v(S) = sum over b: w_b f(x on S, b elsewhere) / sum over b: w_b
 *
 * over the (weighted) background rows b, where f is the raw prediction or the
 * response: the interventional game of KernelSHAP (Lundberg & Lee 2017), exact
 * Shapley values by enumeration (coalition_exact.h) and occlusion
 * (occlusion.h).  For any family: rows go through predict_raw in tiles.
 *
 * Memory is bounded by the tile, whatever the number of coalitions and of
 * background rows.  Summation is compensated, over rows in their order.
 */
#ifndef EX_GAME_H
#define EX_GAME_H

#include "family.h"
#include "sum.h"

typedef struct ex_game
{
	ex_compiled *compiled;
	ex_host    *host;
	const ex_shap_call *call;	/* x, outputs, space, background: n >= 1 */
	double		weight;			/* of all background rows */
	uint32_t	tile;			/* rows predicted at a time */
	double	   *row;			/* tile * p */
	double	   *prediction;		/* tile * K */
	bool	   *known;			/* p */
	ex_sum	   *sum;			/* outputs.count */
} ex_game;

/* Which features coalition i knows: known[p]. */
typedef void (*ex_coalition) (const void *context, uint64_t i, bool *known);

/* A game in host's memory; `call` must outlive it. */
extern ex_status ex_game_open(ex_game *game, ex_compiled *compiled, ex_host *host,
							  const ex_shap_call *call);

/*
 * value[i * outputs.count + k] of coalitions 0 .. n - 1.  EX_RANGE where a
 * prediction is not finite.
 */
extern ex_status ex_game_play(ex_game *game, uint64_t n, ex_coalition coalition,
							  const void *context, double *value);

/* value[outputs.count] when nothing is known: the base value. */
extern ex_status ex_game_base(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
							  double *value);

/*
 * varies[p]: x differs from some background row in this feature.  Bytes are
 * compared, so that values that are merely close count; others cannot change v.
 */
extern ex_status ex_find_varying(ex_host *host, const ex_shap_call *call, uint32_t n_features,
								 bool *varies);

/* EX_INVALID, naming the method, for a background without rows. */
extern ex_status ex_need_background(ex_host *host, const ex_background *background,
									const char *method);

#endif							/* EX_GAME_H */
