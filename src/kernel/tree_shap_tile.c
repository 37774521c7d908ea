/*
 * tree_shap_tile.c
 *		Shapley values of tiles of rows.
 *
 * Tree after tree, each for all rows, so that what a tree needs stays in the
 * processor's cache: its table of blocks, or the constants of its splits,
 * which are worked out here once for the tile.  The sums have the order of the
 * methods for one row, and the same bits.
 */
#include <string.h>

#include "tree_shap_internal.h"

/* Fewer rows than this are explained one after the other. */
#define MIN_ROWS 16

/* Scratch for one tree; larger trees are walked row by row. */
#define MAX_SCRATCH ((size_t) 16 * 1024 * 1024)

/* Splits times rows between two questions to the host whether to stop (about 1 ms). */
#define POLL_STEPS (512 * 1024)

typedef struct tile
{
	ex_tree_shap_tables *tables;
	ex_host    *host;
	ex_shap_tile_rows rows;
	double	   *lane;			/* of walked trees: per EX_SHAP_ROWS rows, per feature 4 lanes of them */
	double	   *pair;			/* of EX_SHAP_ROWS rows: per pair of features one lane of them */
	uint64_t	work;

	/* scratch for one tree, as large as the largest so far */
	ex_shap_step *step;
	size_t		n_steps;
	double	   *constant;
	size_t		n_constants;
	char	   *frame;
	size_t		frame_size;
	double	   *share;			/* of both edges of the splits of a path */
	uint32_t   *at;
	uint8_t    *side;
	size_t		n_levels;
} tile;

static ex_status
poll_tile(tile *t, uint64_t steps)
{
	t->work += steps;
	if (t->work < POLL_STEPS)
		return EX_OK;
	t->work = 0;
	return ex_poll(t->host);
}

/* ----------------------------------------------------------------
 * Rows
 * ---------------------------------------------------------------- */

/* Columns row by row, and turned. */
static ex_status
open_rows(tile *t, const double *x, uint32_t n)
{
	uint32_t	p = t->tables->family->view.n_features;
	uint32_t	n_columns = t->tables->n_columns;
	uint32_t	stride = (n + 63) / 64 * 64;
	double	   *row;
	double	   *column;

	EX_TRY(EX_ALLOC(t->host, (size_t) stride * n_columns, &row));
	EX_TRY(EX_ALLOC(t->host, (size_t) n_columns * stride, &column));
	for (uint32_t i = 0; i < stride; i++)
	{
		double	   *own = row + (size_t) i * n_columns;

		ex_shap_columns(t->tables, x + (size_t) (i < n ? i : n - 1) * p, own);
		for (uint32_t c = 0; c < n_columns; c++)
			column[(size_t) c * stride + i] = own[c];
	}
	t->rows = (ex_shap_tile_rows) {
		.n = n, .n_columns = n_columns, .stride = stride, .row = row, .column = column
	};
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Constants of a tree
 * ---------------------------------------------------------------- */

/* Points of a rule that count. */
static uint32_t
points_of(const ex_shap_rule *rule)
{
	uint32_t	n = 4 * rule->groups;

	while (n > 1 && rule->weight[n - 1] == 0)
		n--;
	return n;
}

/* f of an edge at point q: factor() of the walk */
static double
factor_at(const ex_shap_rule *rule, bool on, double share, uint32_t q)
{
	return rule->zero_or_on[on * 4 * rule->groups + q] + rule->off[q] * share;
}

/* rho of an edge of the splits' two, and the inverse it was made with */
typedef struct edge
{
	double		rho;
	double		gain;
} edge;

static edge
edge_at(const ex_shap_rule *rule, bool on_above, bool on, double share, double inverse, uint32_t q)
{
	return (edge) {factor_at(rule, on, share, q) * inverse, on_above * (on - share)};
}

/* R of two leaves, and the inner sum of their bracket; see leave() */
static void
put_leaves(const double leaf[2], const edge to[2], double taken_back, double *rest, double *inner)
{
	*rest = to[0].rho * leaf[0] + to[1].rho * leaf[1];
	*inner = leaf[0] * to[0].gain + leaf[1] * to[1].gain - *rest * taken_back;
}

/* The constants of a split whose feature's splits above have the share `above`. */
static void
put_constants(const ex_shap_rule *rule, uint32_t points, ex_shap_step *step, const double ratio[2],
			  double above, double *out)
{
	const bool	leaves = (step->child[0] & step->child[1]) < 0;
	const bool	again = step->ancestor >= 0;

	step->constant = out;
	step->edge = out + 8 * points;
	for (uint32_t q = 0; q < points; q++)
	{
		double		inverse = again ? 1 / factor_at(rule, true, above, q) : 1;
		double		inverse_off = again ? 1 / factor_at(rule, false, 1, q) : 1;
		edge		on[2];
		edge		off[2];
		edge		apart[2];

		for (int c = 0; c < 2; c++)
		{
			on[c] = edge_at(rule, true, true, above * ratio[c], inverse, q);
			off[c] = edge_at(rule, true, false, above * ratio[c], inverse, q);
			apart[c] = edge_at(rule, false, false, 1 * ratio[c], inverse_off, q);
			out[(8 + c) * points + q] = 1 / factor_at(rule, true, above * ratio[c], q);
		}
		out[q] = inverse;
		out[points + q] = inverse_off;
		out[10 * points + q] = 1 / factor_at(rule, false, 1, q);
		if (leaves)
		{
			const edge	left[2] = {on[0], off[1]};
			const edge	right[2] = {off[0], on[1]};
			double		nothing;

			put_leaves(step->leaf, left, step->taken_back, &out[2 * points + q], &out[5 * points + q]);
			put_leaves(step->leaf, right, step->taken_back, &out[3 * points + q], &out[6 * points + q]);
			put_leaves(step->leaf, apart, 0, &out[4 * points + q], &nothing);
			continue;
		}
		for (int c = 0; c < 2; c++)
		{
			out[(2 + 3 * c) * points + q] = on[c].rho;
			out[(3 + 3 * c) * points + q] = off[c].rho;
			out[(4 + 3 * c) * points + q] = apart[c].rho;
		}
	}
}

/* Split i of a tree, at some depth of the path in t->share and t->side. */
static void
put_step(tile *t, const ex_shap_rule *rule, uint32_t points, const ex_shap_split *split, const double *leaf,
		 uint32_t i, uint32_t depth)
{
	ex_shap_step *step = &t->step[i];
	double		above = 1;

	*step = (ex_shap_step) {
		.threshold = split->threshold,
		.child = {split->child[0], split->child[1]},
		.ancestor = split->ancestor,
		.column = split->column,
		.feature = split->feature
	};
	if (split->ancestor >= 0)
		above = t->share[2 * split->ancestor + t->side[split->ancestor]];
	step->taken_back = 1 - above;
	for (int c = 0; c < 2; c++)
	{
		double		share = above * split->ratio[c];

		t->share[2 * depth + c] = share;
		step->gain_on[c] = 1 - share;
		step->gain_off[c] = 0 - share;
		step->leaf[c] = split->child[c] < 0 ? leaf[~split->child[c]] : 0;
		step->reached[c] = (share != 0 ? EX_SHAP_REACHED_ON : 0) |
			(split->ratio[c] != 0 ? EX_SHAP_REACHED_OFF : 0);
	}
	put_constants(rule, points, step, split->ratio, above, t->constant + i * EX_SHAP_STEP_CONSTANTS(points));
}

/* All splits of a tree, depth first. */
static void
put_steps(tile *t, const ex_shap_rule *rule, uint32_t points, const ex_shap_split *split, const double *leaf)
{
	uint32_t	i = 0;
	int64_t		depth = 0;

	for (;;)
	{
		put_step(t, rule, points, &split[i], leaf, i, (uint32_t) depth);
		t->at[depth] = i;
		t->side[depth] = split[i].child[0] < 0;
		/* up from splits whose sides are done */
		while (depth >= 0 && split[t->at[depth]].child[t->side[depth]] < 0)
		{
			depth--;
			while (depth >= 0 && t->side[depth] == 1)
				depth--;
			if (depth >= 0)
				t->side[depth] = 1;
		}
		if (depth < 0)
			return;
		i = (uint32_t) split[t->at[depth]].child[t->side[depth]];
		depth++;
	}
}

/* ----------------------------------------------------------------
 * Trees that are walked
 * ---------------------------------------------------------------- */

static size_t
levels_of(const tile *t, uint32_t tree)
{
	return (size_t) t->tables->family->depth[tree] + 1;
}

/* Is a tree small enough for scratch of its own? */
static bool
tree_fits(const tile *t, uint32_t tree, uint32_t points)
{
	return t->tables->tree[tree].n_splits * EX_SHAP_STEP_CONSTANTS(points) * sizeof(double) <= MAX_SCRATCH &&
		levels_of(t, tree) * EX_SHAP_TILE_FRAME_SIZE(points) <= MAX_SCRATCH;
}

static ex_status
reserve_tree(tile *t, uint32_t tree, uint32_t points)
{
	size_t		n_steps = t->tables->tree[tree].n_splits;
	size_t		n_constants = n_steps * EX_SHAP_STEP_CONSTANTS(points);
	size_t		n_levels = levels_of(t, tree);
	size_t		frame_size = n_levels * EX_SHAP_TILE_FRAME_SIZE(points);

	if (n_steps > t->n_steps)
		EX_TRY(EX_ALLOC(t->host, t->n_steps = n_steps, &t->step));
	if (n_constants > t->n_constants)
		EX_TRY(EX_ALLOC(t->host, t->n_constants = n_constants, &t->constant));
	if (frame_size > t->frame_size)
		EX_TRY(ex_shap_alloc_aligned(t->host, t->frame_size = frame_size, &t->frame));
	if (n_levels > t->n_levels)
	{
		EX_TRY(EX_ALLOC(t->host, t->n_levels = n_levels, &t->at));
		EX_TRY(EX_ALLOC(t->host, n_levels, &t->side));
		EX_TRY(EX_ALLOC(t->host, 2 * n_levels, &t->share));
	}
	return EX_OK;
}

/* A tree that fits, made ready for walks of rows. */
static ex_status
open_tree(tile *t, uint32_t tree, uint32_t k, ex_shap_tile_walk *walk)
{
	ex_tree_shap_tables *tables = t->tables;
	const ex_shap_rule *rule = tables->rule[tables->tree[tree].distinct];

	*walk = (ex_shap_tile_walk) {
		.points = points_of(rule), .weight = rule->weight, .stride = t->rows.stride,
		.n_features = tables->family->view.n_features
	};
	EX_TRY(reserve_tree(t, tree, walk->points));
	put_steps(t, rule, walk->points, tables->split + tables->tree[tree].first_split,
			  ex_shap_leaves(tables, tree, k));
	walk->step = t->step;
	walk->frame = t->frame;
	return EX_OK;
}

/* One tree row by row, into the lanes. */
static ex_status
walk_single_rows(tile *t, uint32_t tree, uint32_t k)
{
	ex_tree_shap_tables *tables = t->tables;
	uint32_t	p = tables->family->view.n_features;
	double	   *sum;
	ex_shap_walk walk = {
		.split = tables->split + tables->tree[tree].first_split,
		.leaf = ex_shap_leaves(tables, tree, k),
		.rule = tables->rule[tables->tree[tree].distinct],
		.n_features = p
	};

	EX_TRY(ex_shap_alloc_aligned(t->host, (size_t) p * 4 * sizeof(double), &sum));
	EX_TRY(ex_shap_frame_of_call(tables, t->host, &walk.frame));
	walk.sum = sum;
	for (uint32_t i = 0; i < t->rows.n; i++)
	{
		double	   *lane = t->lane + (size_t) (i / EX_SHAP_ROWS) * p * 4 * EX_SHAP_ROWS + i % EX_SHAP_ROWS;

		EX_TRY(poll_tile(t, tables->tree[tree].n_splits));
		for (size_t j = 0; j < (size_t) p * 4; j++)
			sum[j] = lane[j * EX_SHAP_ROWS];
		walk.column = t->rows.row + (size_t) i * t->rows.n_columns;
		tables->kernel->walk(&walk);
		for (size_t j = 0; j < (size_t) p * 4; j++)
			lane[j * EX_SHAP_ROWS] = sum[j];
	}
	return EX_OK;
}

static ex_status
walk_tree_tile(tile *t, uint32_t tree, uint32_t k)
{
	ex_shap_tile_walk walk;

	if (!tree_fits(t, tree, points_of(t->tables->rule[t->tables->tree[tree].distinct])))
		return walk_single_rows(t, tree, k);
	EX_TRY(open_tree(t, tree, k, &walk));
	for (uint32_t i = 0; i < t->rows.n; i += EX_SHAP_ROWS)
	{
		EX_TRY(poll_tile(t, t->tables->tree[tree].n_splits * EX_SHAP_ROWS));
		walk.column = t->rows.column + i;
		walk.sum = t->lane + (size_t) i * walk.n_features * 4;
		t->tables->kernel->walk_tile(&walk);
	}
	return EX_OK;
}

static bool
is_walked(const tile *t, uint32_t tree, uint32_t k)
{
	return t->tables->tree[tree].n_splits > 0 && ex_shap_feeds(t->tables, tree, k) &&
		!ex_shap_in_blocks(t->tables, tree);
}

static ex_status
clear_lanes(tile *t)
{
	size_t		size = (size_t) t->rows.stride * t->tables->family->view.n_features * 4 * sizeof(double);

	if (t->lane == NULL)
		return ex_shap_alloc_aligned(t->host, size, &t->lane);
	memset(t->lane, 0, size);
	return EX_OK;
}

/* Values of output k from all trees that are walked, into phi; 0 where there are none. */
static ex_status
walk_output(tile *t, uint32_t k, double *phi, size_t phi_stride)
{
	const ex_tree_view *view = &t->tables->family->view;
	uint32_t	p = view->n_features;
	uint32_t	tree = 0;

	for (uint32_t i = 0; i < t->rows.n; i++)
		memset(phi + i * phi_stride, 0, p * sizeof(double));
	while (tree < view->n_trees && !is_walked(t, tree, k))
		tree++;
	if (tree == view->n_trees)
		return EX_OK;
	EX_TRY(clear_lanes(t));
	for (; tree < view->n_trees; tree++)
		if (is_walked(t, tree, k))
			EX_TRY(walk_tree_tile(t, tree, k));
	for (uint32_t i = 0; i < t->rows.n; i++)
	{
		const double *lane = t->lane + (size_t) (i / EX_SHAP_ROWS) * p * 4 * EX_SHAP_ROWS + i % EX_SHAP_ROWS;

		for (uint32_t f = 0; f < p; f++, lane += 4 * EX_SHAP_ROWS)
			phi[i * phi_stride + f] = (lane[0] + lane[2 * EX_SHAP_ROWS]) +
				(lane[EX_SHAP_ROWS] + lane[3 * EX_SHAP_ROWS]);
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Interactions
 * ---------------------------------------------------------------- */

/* The lanes of all pairs of so many rows should stay in the processor's cache. */
#define PAIRS_IN_CACHE ((size_t) 256 * 1024)

/* Numbers of the pairs of EX_SHAP_ROWS rows */
static size_t
pairs_of_rows(const tile *t)
{
	uint32_t	p = t->tables->family->view.n_features;

	return (size_t) p * p * EX_SHAP_ROWS;
}

/* Can the interactions of rows be walked at once, or is the model too large for that? */
static bool
pairs_fit(const tile *t)
{
	const ex_tree_view *view = &t->tables->family->view;

	for (uint32_t tree = 0; tree < view->n_trees; tree++)
	{
		uint32_t	points = points_of(t->tables->rule[t->tables->tree[tree].distinct]);

		if (!tree_fits(t, tree, points))
			return false;
	}
	return pairs_of_rows(t) * sizeof(double) <= MAX_SCRATCH;
}

/* Pairs from all trees for rows first .. end - 1, of which t->pair has the lanes. */
static ex_status
walk_pairs(tile *t, uint32_t k, uint32_t first, uint32_t end)
{
	const ex_tree_view *view = &t->tables->family->view;

	for (uint32_t tree = 0; tree < view->n_trees; tree++)
	{
		ex_shap_tile_walk walk;

		if (t->tables->tree[tree].n_splits == 0 || !ex_shap_feeds(t->tables, tree, k))
			continue;
		EX_TRY(open_tree(t, tree, k, &walk));
		walk.pair = t->pair;
		for (uint32_t i = first; i < end; i += EX_SHAP_ROWS, walk.pair += pairs_of_rows(t))
		{
			EX_TRY(poll_tile(t, 4 * t->tables->tree[tree].n_splits * EX_SHAP_ROWS));
			walk.column = t->rows.column + i;
			t->tables->kernel->walk_tile_pairs(&walk);
		}
	}
	return EX_OK;
}

/* From lanes to matrices. */
static void
turn_pairs(const tile *t, uint32_t first, uint32_t end, double *phi, size_t stride)
{
	size_t		n = pairs_of_rows(t) / EX_SHAP_ROWS;

	for (uint32_t i = first; i < end; i++)
	{
		const double *lane = t->pair + (i - first) / EX_SHAP_ROWS * pairs_of_rows(t) + (i - first) % EX_SHAP_ROWS;

		for (size_t j = 0; j < n; j++)
			phi[i * stride + j] = lane[j * EX_SHAP_ROWS];
	}
}

/* Pairs of output k, before main effects. */
static ex_status
pairs_output(tile *t, uint32_t k, double *phi, size_t stride)
{
	size_t		group = pairs_of_rows(t) * sizeof(double);
	uint32_t	groups = group < PAIRS_IN_CACHE ? (uint32_t) (PAIRS_IN_CACHE / group) : 1;

	if (t->pair == NULL)
		EX_TRY(ex_shap_alloc_aligned(t->host, groups * group, &t->pair));
	for (uint32_t first = 0; first < t->rows.n; first += groups * EX_SHAP_ROWS)
	{
		uint32_t	end = first + groups * EX_SHAP_ROWS < t->rows.n ? first + groups * EX_SHAP_ROWS : t->rows.n;

		memset(t->pair, 0, groups * group);
		EX_TRY(walk_pairs(t, k, first, end));
		turn_pairs(t, first, end, phi, stride);
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Trees that are looked up
 * ---------------------------------------------------------------- */

/* Adds the values of all trees of a look-up to phi. */
static ex_status
look_up_output(tile *t, const ex_shap_lookup *lookup, double *phi, size_t phi_stride)
{
	const ex_shap_blocks *blocks = t->tables->blocks;
	uint32_t	p = t->tables->family->view.n_features;
	size_t		size = (size_t) t->rows.stride * p * sizeof(double);

	if (t->rows.sum == NULL)
		EX_TRY(ex_shap_alloc_aligned(t->host, size, &t->rows.sum));
	memset(t->rows.sum, 0, size);
	for (uint32_t s = 0; s < blocks->n_small; s++)
	{
		EX_TRY(poll_tile(t, (uint64_t) t->rows.n * blocks->small[s].n_splits / 4));
		t->tables->kernel->look_up_tile(lookup, &t->rows, s, s + 1);
	}
	for (uint32_t i = 0; i < t->rows.n; i++)
		for (uint32_t f = 0; f < p; f++)
			phi[i * phi_stride + f] += t->rows.sum[(size_t) f * t->rows.stride + i];
	return EX_OK;
}

/* ----------------------------------------------------------------
 * The two methods
 * ---------------------------------------------------------------- */

static ex_status
row_by_row(const ex_shap_method *method, ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
		   uint32_t n, bool pairs, double *phi)
{
	ex_shap_method plain = *method;

	plain.values_tile = plain.interactions_tile = NULL;
	return (pairs ? ex_shap_interactions_tile : ex_shap_values_tile) (&plain, compiled, host, call, n, phi);
}

/* As many calls of the one-row method would have opened memos. */
static void
open_memos(ex_compiled *compiled, const ex_shap_blocks *blocks, ex_shap_memos *memos, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ex_shap_open_memos(compiled, blocks, memos);
}

ex_status
ex_shap_path_tile(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t n, double *phi)
{
	uint32_t	p = compiled->model->n_features;
	size_t		stride = (size_t) call->outputs.count * p;
	tile		t = {.host = host};
	ex_shap_blocks *blocks;

	if (n < MIN_ROWS)
		return row_by_row(&ex_tree_shap_methods[0], compiled, host, call, n, false, phi);
	EX_TRY(ex_shap_tables(compiled, host, &t.tables));
	EX_TRY(ex_shap_blocks_of(compiled, host, t.tables, &blocks));
	if (blocks->path_dependent)
		open_memos(compiled, blocks, &blocks->path_memos, n);
	EX_TRY(open_rows(&t, call->x, n));
	for (uint32_t k = 0; k < call->outputs.count; k++, phi += p)
	{
		ex_shap_lookup lookup;

		EX_TRY(walk_output(&t, call->outputs.first + k, phi, stride));
		if (!blocks->path_dependent)
			continue;
		lookup = ex_shap_path_lookup(t.tables, call->outputs.first + k);
		EX_TRY(look_up_output(&t, &lookup, phi, stride));
	}
	return EX_OK;
}

ex_status
ex_shap_path_pairs_tile(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t n,
						double *phi)
{
	uint32_t	p = compiled->model->n_features;
	uint32_t	count = call->outputs.count;
	size_t		stride = (size_t) count * p * p;
	tile		t = {.host = host};
	double	   *value;

	EX_TRY(ex_shap_tables(compiled, host, &t.tables));
	if (n < MIN_ROWS || !pairs_fit(&t))
		return row_by_row(&ex_tree_shap_methods[0], compiled, host, call, n, true, phi);
	EX_TRY(EX_ALLOC(host, (size_t) n * count * p, &value));
	EX_TRY(ex_shap_path_tile(compiled, host, call, n, value));
	EX_TRY(open_rows(&t, call->x, n));
	for (uint32_t k = 0; k < count; k++)
	{
		EX_TRY(pairs_output(&t, call->outputs.first + k, phi + (size_t) k * p * p, stride));
		for (uint32_t i = 0; i < n; i++)
		{
			double	   *matrix = phi + i * stride + (size_t) k * p * p;

			ex_shap_share_pairs(p, matrix);
			ex_shap_put_main_effects(p, value + ((size_t) i * count + k) * p, matrix);
		}
	}
	return EX_OK;
}

ex_status
ex_shap_background_tile(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t n,
						double *phi)
{
	uint32_t	p = compiled->model->n_features;
	size_t		stride = (size_t) call->outputs.count * p;
	tile		t = {.host = host};
	ex_shap_blocks *blocks;

	EX_TRY(ex_shap_tables(compiled, host, &t.tables));
	EX_TRY(ex_shap_blocks_of(compiled, host, t.tables, &blocks));
	if (n < MIN_ROWS || !call->background.own || !blocks->all_small)
		return row_by_row(&ex_tree_shap_methods[1], compiled, host, call, n, false, phi);
	EX_TRY(ex_shap_profile_of(compiled, host, t.tables, &call->background));
	open_memos(compiled, blocks, ex_shap_profile_memos(blocks), n - 1);
	EX_TRY(open_rows(&t, call->x, n));
	for (uint32_t k = 0; k < call->outputs.count; k++, phi += p)
	{
		ex_shap_lookup lookup = ex_shap_background_lookup(t.tables, call->outputs.first + k);

		for (uint32_t i = 0; i < n; i++)
			memset(phi + i * stride, 0, p * sizeof(double));
		EX_TRY(look_up_output(&t, &lookup, phi, stride));
	}
	return EX_OK;
}
