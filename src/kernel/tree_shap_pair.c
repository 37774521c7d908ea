/*
 * tree_shap_pair.c
 *		Shapley values of one row against one reference row.
 *
 * A leaf is reached by the coalition S (features in S from the row x, the
 * others from the reference b) if and only if S contains the features on
 * whose splits only x goes its way, and none of those on whose splits only b
 * does.  With s of the first and n of the second, a leaf of value v is worth
 *		+v B(s - 1, n) to each of the first, -v B(s, n - 1) to each of the second,
 * where B(a, b) = integral of t^a (1 - t)^b = a! b! / (a + b + 1)!
 * (Lundberg et al. 2020, interventional TreeSHAP; METHODS 4.2).
 *
 * Only leaves that some coalition reaches are visited: where x and b agree,
 * or the feature has been decided above, the walk has one way to go.
 */
#include <math.h>

#include "tree_shap_internal.h"

/* A split where x and b part; the walk takes the side of x first. */
typedef struct fork
{
	uint32_t	feature;
	int32_t		other;			/* child on the side of b */
	bool		on_other;		/* that side is under way */

	/*
	 * Over the leaves of the side under way: what they are worth to each
	 * feature that wants in, and to each that wants out (without the sign).
	 */
	double		in;
	double		out;
	double		in_before;		/* of the side of x, once it is done */
	double		out_before;
} fork;

enum
{
	OPEN = 0,
	IN,							/* the coalition must have the feature */
	OUT							/* it must not */
};

typedef struct ex_shap_pair_scratch
{
	uint8_t    *side;			/* per feature; OPEN between calls */
	fork		fork[EX_SHAP_MAX_DISTINCT + 1];

	/* features of the game of a leaf with linear terms, and what they want */
	uint32_t   *member;
	uint8_t    *want;
	uint32_t	n_members;
} pair_scratch;

ex_status
ex_shap_pair_prepare(ex_compiled *compiled, ex_tree_shap_tables *tables)
{
	ex_host    *host = compiled->host;
	pair_scratch *scratch;

	EX_TRY(EX_ALLOC(host, 1, &scratch));
	EX_TRY(EX_ALLOC(host, tables->family->view.n_features, &scratch->side));
	EX_TRY(EX_ALLOC(host, tables->beta_size, &scratch->member));
	EX_TRY(EX_ALLOC(host, tables->beta_size, &scratch->want));
	tables->pair_scratch = scratch;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * The walk
 * ---------------------------------------------------------------- */

typedef struct walk
{
	ex_tree_shap_tables *tables;
	const ex_shap_contest *contest;
	const ex_shap_split *split;
	uint8_t    *side;
	fork	   *fork;
	uint32_t	n_forks;
	uint32_t	n_in;
	uint32_t	n_out;
} walk;

static walk
start_walk(ex_tree_shap_tables *tables, const ex_shap_contest *contest, uint32_t t)
{
	pair_scratch *scratch = tables->pair_scratch;

	return (walk)
	{
		tables, contest, tables->split + tables->tree[t].first_split,
			scratch->side, scratch->fork, 0, 0, 0
	};
}

/* The root: a split, or the only leaf. */
static int32_t
first_child(const walk *w, uint32_t t)
{
	return w->tables->tree[t].n_splits > 0 ? 0 : ~0;
}

static void
open_fork(walk *w, uint32_t feature, int32_t other)
{
	w->fork[w->n_forks++] = (fork) {.feature = feature,.other = other};
	w->side[feature] = IN;
	w->n_in++;
}

/* From a child down to a leaf (its number), forking where x and b part. */
static inline uint32_t
descend(walk *w, int32_t child)
{
	const double *x = w->contest->column;
	const double *b = w->contest->other_column;

	while (child >= 0)
	{
		const ex_shap_split *split = &w->split[child];
		int			right_x = !(x[split->column] <= split->threshold);
		int			right_b = !(b[split->column] <= split->threshold);

		child = split->child[right_x];
		if (right_x == right_b || w->side[split->feature] == IN)
			continue;
		if (w->side[split->feature] == OPEN)
			open_fork(w, split->feature, split->child[right_b]);
		else
			child = split->child[right_b];
	}
	return (uint32_t) ~child;
}

static void
turn(walk *w, fork *at)
{
	at->on_other = true;
	w->side[at->feature] = OUT;
	w->n_in--;
	w->n_out++;
}

static void
close_fork(walk *w)
{
	w->n_out--;
	w->side[w->fork[--w->n_forks].feature] = OPEN;
}

static double
beta(const ex_tree_shap_tables *tables, uint32_t a, uint32_t b)
{
	return tables->beta[a * tables->beta_size + b];
}

/* ----------------------------------------------------------------
 * Values of leaves that are numbers
 * ---------------------------------------------------------------- */

/*
 * Each fork gathers what its leaves are worth to any feature that wants in or
 * out, so that a leaf costs two additions however many features it has.
 */
static void
add_leaf(walk *w, double value)
{
	fork	   *last;

	if (w->n_forks == 0)
		return;
	last = &w->fork[w->n_forks - 1];
	if (w->n_in > 0)
		last->in += value * beta(w->tables, w->n_in - 1, w->n_out);
	if (w->n_out > 0)
		last->out += value * beta(w->tables, w->n_in, w->n_out - 1);
}

/* Closes all forks that are done; the child to go on with in *child. */
static bool
next_way(walk *w, double *phi, int32_t *child)
{
	while (w->n_forks > 0)
	{
		fork	   *last = &w->fork[w->n_forks - 1];

		if (!last->on_other)
		{
			phi[last->feature] += last->in;
			last->in_before = last->in;
			last->out_before = last->out;
			last->in = last->out = 0;
			turn(w, last);
			*child = last->other;
			return true;
		}
		phi[last->feature] -= last->out;
		close_fork(w);
		if (w->n_forks > 0)
		{
			w->fork[w->n_forks - 1].in += last->in_before + last->in;
			w->fork[w->n_forks - 1].out += last->out_before + last->out;
		}
	}
	return false;
}

static void
add_numbers(walk *w, uint32_t t, uint32_t k, double *phi)
{
	const double *leaf = ex_shap_leaves(w->tables, t, k);
	int32_t		child = first_child(w, t);

	do
		add_leaf(w, w->contest->weight * leaf[descend(w, child)]);
	while (next_way(w, phi, &child));
}

/* ----------------------------------------------------------------
 * Interactions, and leaves with linear models: every leaf's game by itself
 * ---------------------------------------------------------------- */

/*
 * The game
 *		value * [all IN members are in] * [no OUT member is in]
 *					 * (special is in ? inside : outside)
 * over the members of the scratch; `special` is not one of those counted in
 * n_in and n_out, or NOBODY.
 */
#define NOBODY 0xffffffffu

typedef struct game
{
	const ex_tree_shap_tables *tables;
	const pair_scratch *scratch;
	uint32_t	n_in;
	uint32_t	n_out;
	uint32_t	special;
	double		inside;
	double		outside;
	double		value;
} game;

/* What coalitions of the rest make of the special factor: its Beta integral. */
static double
integral(const game *g, uint32_t n_in, uint32_t n_out)
{
	if (g->special == NOBODY)
		return beta(g->tables, n_in, n_out);
	return g->inside * beta(g->tables, n_in + 1, n_out) +
		g->outside * beta(g->tables, n_in, n_out + 1);
}

/* Derivative of the game with respect to a member: +1 if it wants in, -1 if out. */
static double
sign_of(const game *g, uint32_t i, uint32_t *n_in, uint32_t *n_out)
{
	bool		in = g->scratch->want[i] == IN;

	*n_in -= in;
	*n_out -= !in;
	return in ? 1 : -1;
}

static void
add_game_values(const game *g, double *phi)
{
	for (uint32_t i = 0; i < g->scratch->n_members; i++)
	{
		uint32_t	feature = g->scratch->member[i];
		uint32_t	n_in = g->n_in;
		uint32_t	n_out = g->n_out;
		double		sign;

		if (feature == g->special)
			continue;
		sign = sign_of(g, i, &n_in, &n_out);
		phi[feature] += sign * g->value * integral(g, n_in, n_out);
	}
	if (g->special != NOBODY)
		phi[g->special] += g->value * (g->inside - g->outside) * beta(g->tables, g->n_in, g->n_out);
}

static void
add_pair(double *pair, uint32_t p, uint32_t i, uint32_t j, double half)
{
	pair[(size_t) i * p + j] += half;
	pair[(size_t) j * p + i] += half;
}

/* Half of the Shapley interaction index of every pair of the game. */
static void
add_game_pairs(const game *g, double *pair)
{
	const pair_scratch *scratch = g->scratch;
	uint32_t	p = g->tables->family->view.n_features;

	for (uint32_t i = 0; i < scratch->n_members; i++)
	{
		uint32_t	n_in = g->n_in;
		uint32_t	n_out = g->n_out;
		double		sign;

		if (scratch->member[i] == g->special)
			continue;
		sign = 0.5 * g->value * sign_of(g, i, &n_in, &n_out);
		for (uint32_t j = 0; j < i; j++)
		{
			uint32_t	in = n_in;
			uint32_t	out = n_out;
			double		both;

			if (scratch->member[j] == g->special)
				continue;
			both = sign * sign_of(g, j, &in, &out);
			add_pair(pair, p, scratch->member[i], scratch->member[j], both * integral(g, in, out));
		}
		if (g->special != NOBODY)
			add_pair(pair, p, scratch->member[i], g->special,
					 sign * (g->inside - g->outside) * beta(g->tables, n_in, n_out));
	}
}

/* The members of the leaf just reached: the forks. */
static game
game_of_leaf(const walk *w)
{
	pair_scratch *scratch = w->tables->pair_scratch;

	for (uint32_t i = 0; i < w->n_forks; i++)
	{
		scratch->member[i] = w->fork[i].feature;
		scratch->want[i] = w->fork[i].on_other ? OUT : IN;
	}
	scratch->n_members = w->n_forks;
	return (game) {w->tables, scratch, w->n_in, w->n_out, NOBODY, 1, 1, 0};
}

/* Where games go: exactly one of the two is there. */
typedef struct sink
{
	double	   *phi;
	double	   *pair;
} sink;

static void
add_game(const game *g, const sink *to)
{
	if (to->phi != NULL)
		add_game_values(g, to->phi);
	else
		add_game_pairs(g, to->pair);
}

static bool
want(pair_scratch *scratch, game *g, uint32_t feature, uint8_t side)
{
	for (uint32_t i = 0; i < scratch->n_members; i++)
		if (scratch->member[i] == feature)
			return scratch->want[i] == side;
	scratch->member[scratch->n_members] = feature;
	scratch->want[scratch->n_members++] = side;
	g->n_in += side == IN;
	g->n_out += side == OUT;
	return true;
}

/*
 * The linear model of a leaf holds only for coalitions in which none of its
 * features is missing: a feature missing in x wants out, one missing in b
 * wants in.  False if no coalition is left.
 */
static bool
want_present(const walk *w, pair_scratch *scratch, game *g, uint32_t model)
{
	const ex_tree_view *view = &w->tables->family->view;

	for (uint32_t i = view->linear_start[model]; i < view->linear_start[model + 1]; i++)
	{
		uint32_t	feature = view->linear_feature[i];

		if (isnan(w->contest->x[feature]) && !want(scratch, g, feature, OUT))
			return false;
		if (isnan(w->contest->other[feature]) && !want(scratch, g, feature, IN))
			return false;
	}
	return true;
}

/* One linear term: coefficient * (feature in ? x : b), a factor of its own. */
static void
add_term(const walk *w, const game *leaf, uint32_t feature, double coefficient, const sink *to)
{
	game		g = *leaf;
	const pair_scratch *scratch = g.scratch;

	g.special = feature;
	g.value = coefficient;
	g.inside = w->contest->x[feature];
	g.outside = w->contest->other[feature];
	for (uint32_t i = 0; i < scratch->n_members; i++)
	{
		if (scratch->member[i] != feature)
			continue;
		if (scratch->want[i] == IN)
		{
			g.outside = 0;
			g.n_in--;
		}
		else
		{
			g.inside = 0;
			g.n_out--;
		}
	}
	add_game(&g, to);
}

/*
 * A leaf of value v0 with a linear model is the leaf v0, plus where the model
 * holds: (constant - v0) plus its terms.
 */
static void
add_linear(const walk *w, game leaf, uint32_t t, const ex_node *node, const sink *to)
{
	const ex_tree_view *view = &w->tables->family->view;
	double		scale = w->contest->weight * w->tables->family->scale[t];
	uint32_t	model = (uint32_t) node->left;

	if (!want_present(w, w->tables->pair_scratch, &leaf, model))
		return;
	leaf.value = scale * (view->linear_const[model] - node->value);
	add_game(&leaf, to);
	for (uint32_t i = view->linear_start[model]; i < view->linear_start[model + 1]; i++)
		add_term(w, &leaf, view->linear_feature[i], scale * view->linear_coef[i], to);
}

static void
add_games(walk *w, uint32_t t, uint32_t k, const sink *to)
{
	const ex_tree_shap_tables *tables = w->tables;
	const double *leaf = ex_shap_leaves(tables, t, k);
	int32_t		child = first_child(w, t);

	for (;;)
	{
		uint32_t	number = descend(w, child);
		game		g = game_of_leaf(w);

		g.value = w->contest->weight * leaf[number];
		add_game(&g, to);
		if (tables->family->view.n_linear > 0)
		{
			const ex_node *node = &tables->family->view.node[
				tables->leaf_node[tables->tree[t].first_leaf + number]];

			if (node->left >= 0)
				add_linear(w, g, t, node, to);
		}
		while (w->n_forks > 0 && w->fork[w->n_forks - 1].on_other)
			close_fork(w);
		if (w->n_forks == 0)
			return;
		turn(w, &w->fork[w->n_forks - 1]);
		child = w->fork[w->n_forks - 1].other;
	}
}

void
ex_shap_pair_values(ex_tree_shap_tables *tables, const ex_shap_contest *contest,
					uint32_t t, uint32_t k, double *phi)
{
	walk		w = start_walk(tables, contest, t);

	if (tables->family->view.n_linear == 0)
		add_numbers(&w, t, k, phi);
	else
		add_games(&w, t, k, &(sink) {phi, NULL});
}

void
ex_shap_pair_interactions(ex_tree_shap_tables *tables, const ex_shap_contest *contest,
						  uint32_t t, uint32_t k, double *pair)
{
	walk		w = start_walk(tables, contest, t);

	add_games(&w, t, k, &(sink) {NULL, pair});
}
