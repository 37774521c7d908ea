/*
 * tree_game.h
 *		Shapley values of tree ensembles by brute force: the oracle of the
 *		tests.
 *
 * The value v(S) of every coalition of features is computed from its
 * definition, by plain recursion over the stored nodes; Shapley values and
 * interactions are sums over all 2^p coalitions.  For at most a dozen
 * features.
 */
#ifndef EX_TREE_GAME_H
#define EX_TREE_GAME_H

#include <math.h>
#include <stdlib.h>

#include "tree_family.h"

static inline double
game_leaf(const ex_tree_view *view, const ex_node *node, const double *x, uint32_t k)
{
	return view->vector_leaves ? ex_tree_leaf_vector(view, node)[k] :
		ex_tree_leaf_value(view, node, x);
}

/* Absent features follow both branches in proportion to the covers. */
static inline double
game_path(const ex_tree_view *view, uint32_t t, uint32_t i, const double *x, uint32_t coalition,
		  uint32_t k)
{
	const ex_node *node = view->node + view->root[t] + i;
	const double *cover = view->cover + view->root[t];
	uint32_t	feature = EX_NODE_FEATURE(node);
	double		left;
	double		right;

	if (EX_NODE_OP(node) == EX_LEAF)
		return game_leaf(view, node, x, k);
	if ((coalition >> feature) & 1)
		return game_path(view, t, (uint32_t) node->left + !ex_goes_left(view, node, x[feature]),
						 x, coalition, k);
	left = game_path(view, t, (uint32_t) node->left, x, coalition, k);
	right = game_path(view, t, (uint32_t) node->left + 1, x, coalition, k);
	if (cover[i] == 0)
		return 0.5 * left + 0.5 * right;
	return cover[node->left] / cover[i] * left + cover[node->left + 1] / cover[i] * right;
}

/* Absent features come from the reference row. */
static inline double
game_contest(const ex_tree_view *view, uint32_t t, const double *x, const double *reference,
			 uint32_t coalition, uint32_t k)
{
	double		mixed[32];

	for (uint32_t f = 0; f < view->n_features; f++)
		mixed[f] = (coalition >> f) & 1 ? x[f] : reference[f];
	return game_leaf(view, ex_tree_find_leaf(view, t, mixed), mixed, k);
}

/*
 * v[2^p] of output k; reference rows with weights, or none for the
 * path-dependent game.
 */
static inline void
game_values(const ex_compiled *compiled, const double *x, const ex_background *background,
			uint32_t k, double *v)
{
	const ex_tree_state *state = ex_tree_state_of(compiled);
	const ex_tree_view *view = &state->view;
	uint32_t	p = view->n_features;

	for (uint32_t s = 0; s < 1u << p; s++)
	{
		double		total = 0;
		double		sum = 0;

		v[s] = view->base[k];
		for (uint32_t t = 0; t < view->n_trees; t++)
		{
			if (!view->vector_leaves && view->output[t] != k)
				continue;
			if (background == NULL)
				v[s] += state->scale[t] * game_path(view, t, 0, x, s, k);
			else
				for (uint32_t b = 0; b < background->n; b++)
					sum += state->scale[t] * (background->weight ? background->weight[b] : 1) *
						game_contest(view, t, x, background->row + (size_t) b * p, s, k);
		}
		for (uint32_t b = 0; background != NULL && b < background->n; b++)
			total += background->weight ? background->weight[b] : 1;
		if (background != NULL)
			v[s] += sum / total;
	}
}

/*
 * Shapley values of one tree's path-dependent game, leaf by leaf, for any
 * number of features: the coalitions of a leaf's features are counted by size
 * (a polynomial product), then weighted by s! (D - 1 - s)! / D!.  Independent
 * of quadrature.  Adds to phi; `on` and `share` are of the path so far.
 */
static inline void
game_add_leaves(const ex_tree_view *view, uint32_t t, uint32_t i, const double *x, double *on,
				double *share, double scale, double *phi)
{
	const ex_node *node = view->node + view->root[t] + i;
	const double *cover = view->cover + view->root[t];
	uint32_t	feature = EX_NODE_FEATURE(node);
	uint32_t	player[64];
	uint32_t	n = 0;

	if (EX_NODE_OP(node) != EX_LEAF)
	{
		double		on_before = on[feature];
		double		share_before = share[feature];
		bool		left = ex_goes_left(view, node, x[feature]);

		for (uint32_t c = 0; c < 2; c++)
		{
			/* on < 0: not on the path */
			on[feature] = (on_before != 0) && (c == 0) == left;
			share[feature] = share_before * cover[(uint32_t) node->left + c] / cover[i];
			game_add_leaves(view, t, (uint32_t) node->left + c, x, on, share, scale, phi);
		}
		on[feature] = on_before;
		share[feature] = share_before;
		return;
	}
	for (uint32_t f = 0; f < view->n_features; f++)
		if (on[f] >= 0)
			player[n++] = f;
	for (uint32_t j = 0; j < n; j++)
	{
		double		by_size[65] = {1};	/* sum over coalitions of the others, by size */
		uint32_t	others = 0;
		double		weight = 1.0 / n;	/* s! (n - 1 - s)! / n! */
		double		sum = 0;

		for (uint32_t k = 0; k < n; k++)
		{
			if (k == j)
				continue;
			others++;
			for (uint32_t size = others; size > 0; size--)
				by_size[size] = by_size[size] * share[player[k]] +
					by_size[size - 1] * on[player[k]];
			by_size[0] *= share[player[k]];
		}
		for (uint32_t size = 0; size < n; size++)
		{
			sum += weight * by_size[size];
			if (size + 1 < n)
				weight *= (size + 1.0) / (n - 1 - size);
		}
		phi[player[j]] += scale * node->value * (on[player[j]] - share[player[j]]) * sum;
	}
}

static inline double
game_factorial(uint32_t n)
{
	return n < 2 ? 1 : n * game_factorial(n - 1);
}

static inline uint32_t
game_size(uint32_t coalition)
{
	return (uint32_t) __builtin_popcount(coalition);
}

/* phi_j = sum over S without j of |S|! (p - |S| - 1)! / p! (v(S + j) - v(S)) */
static inline void
game_shapley(uint32_t p, const double *v, double *phi)
{
	for (uint32_t j = 0; j < p; j++)
	{
		phi[j] = 0;
		for (uint32_t s = 0; s < 1u << p; s++)
			if (!((s >> j) & 1))
				phi[j] += game_factorial(game_size(s)) * game_factorial(p - game_size(s) - 1) /
					game_factorial(p) * (v[s | 1u << j] - v[s]);
	}
}

/* Half of the Shapley interaction index; main effects on the diagonal. */
static inline void
game_interactions(uint32_t p, const double *v, double *matrix)
{
	double		phi[32];

	game_shapley(p, v, phi);
	for (uint32_t i = 0; i < p; i++)
	{
		matrix[i * p + i] = phi[i];
		for (uint32_t j = 0; j < p; j++)
		{
			uint32_t	both = 1u << i | 1u << j;
			double		sum = 0;

			if (j == i)
				continue;
			for (uint32_t s = 0; s < 1u << p; s++)
				if ((s & both) == 0)
					sum += game_factorial(game_size(s)) * game_factorial(p - game_size(s) - 2) /
						game_factorial(p - 1) / 2 *
						(v[s | both] - v[s | 1u << i] - v[s | 1u << j] + v[s]);
			matrix[i * p + j] = sum;
			matrix[i * p + i] -= sum;
		}
	}
}

/* Most that a leaf can be for |x| <= range. */
static inline double
game_most(const ex_tree_view *view, const ex_node *node, double range)
{
	double		most = 0;

	if (view->vector_leaves)
	{
		for (uint32_t k = 0; k < view->n_outputs; k++)
			most = fmax(most, fabs(ex_tree_leaf_vector(view, node)[k]));
		return most;
	}
	if (node->left >= 0)
	{
		most = fabs(view->linear_const[node->left]);
		for (uint32_t i = view->linear_start[node->left]; i < view->linear_start[node->left + 1]; i++)
			most += range * fabs(view->linear_coef[i]);
	}
	return fmax(most, fabs(node->value));
}

/* Sum over the trees of the largest |leaf|: the scale of all tolerances. */
static inline double
game_scale(const ex_compiled *compiled, double range)
{
	const ex_tree_state *state = ex_tree_state_of(compiled);
	const ex_tree_view *view = &state->view;
	double		scale = 0;

	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		double		most = 0;

		for (uint32_t i = view->root[t]; i < view->root[t + 1]; i++)
		{
			if (EX_NODE_OP(view->node + i) == EX_LEAF)
				most = fmax(most, game_most(view, view->node + i, range));
		}
		scale += fabs(state->scale[t]) * most;
	}
	return scale;
}

#endif							/* EX_TREE_GAME_H */
