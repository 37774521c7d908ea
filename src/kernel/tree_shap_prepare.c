/*
 * tree_shap_prepare.c
 *		A tree ensemble rewritten for the Shapley kernels.
 *
 * The stored nodes are breadth-first, which suits validation.  The kernels go
 * depth first, so splits are renumbered in that order, next to what a walk
 * needs of them: shares of cover, and where on the path above the same
 * feature was split before.
 */
#include <math.h>
#include <string.h>

#include "quadrature.h"
#include "tree_shap_internal.h"

#define MAX_PLAYERS_BETA 1024	/* features of one leaf's game with linear terms */

/* A walk's stack larger than this is not kept between calls. */
#define LARGE_FRAMES ((size_t) 1024 * 1024)

/* Nodes between two questions to the host whether to stop. */
#define POLL_NODES 65536

ex_status
ex_shap_alloc_aligned(ex_host *host, size_t size, void *pointer)
{
	char	   *chunk;

	EX_TRY(EX_ALLOC(host, size + 63, &chunk));
	*(void **) pointer = (void *) (((uintptr_t) chunk + 63) & ~(uintptr_t) 63);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Columns
 * ---------------------------------------------------------------- */

static int
kind_of(const ex_node *node)
{
	return (node->info & EX_NODE_DEFAULT_LEFT ? EX_SHAP_MISSING_LEFT : EX_SHAP_MISSING_RIGHT) +
		(node->info & EX_NODE_ZERO_MISSING ? EX_SHAP_ZERO_RIGHT : 0);
}

/* Which columns there are; the tests' are numbered when splits are put. */
static ex_status
number_columns(ex_host *host, const ex_tree_view *view, ex_tree_shap_tables *tables)
{
	uint32_t	n_tests = 0;
	uint32_t	next = 0;

	for (uint32_t i = 0; i < view->n_nodes; i++)
	{
		const ex_node *node = &view->node[i];

		if (EX_NODE_OP(node) == EX_LE)
			tables->kind_used[kind_of(node)] = true;
		else if (EX_NODE_OP(node) != EX_LEAF)
			n_tests++;
	}
	for (int kind = 0; kind < EX_SHAP_N_KINDS; kind++)
	{
		tables->kind_column[kind] = next;
		if (tables->kind_used[kind])
			next += view->n_features;
	}
	tables->first_test = next;
	tables->n_columns = next + n_tests;
	EX_TRY(EX_ALLOC(host, n_tests, &tables->test));
	EX_TRY(EX_ALLOC(host, tables->n_columns, &tables->column));
	return EX_ALLOC(host, tables->n_columns, &tables->other_column);
}

static void
fill_kind(int kind, const double *x, uint32_t n, double *column)
{
	double		missing = kind == EX_SHAP_MISSING_LEFT || kind == EX_SHAP_ZERO_LEFT ?
		-INFINITY : NAN;

	if (kind >= EX_SHAP_ZERO_RIGHT)
	{
		for (uint32_t f = 0; f < n; f++)
			column[f] = fabs(x[f]) > EX_ZERO_EPSILON ? x[f] : missing;
	}
	else
	{
		for (uint32_t f = 0; f < n; f++)
			column[f] = x[f] == x[f] ? x[f] : missing;
	}
}

void
ex_shap_columns(const ex_tree_shap_tables *tables, const double *x, double *column)
{
	const ex_tree_view *view = &tables->family->view;

	for (int kind = 0; kind < EX_SHAP_N_KINDS; kind++)
		if (tables->kind_used[kind])
			fill_kind(kind, x, view->n_features, column + tables->kind_column[kind]);
	for (uint32_t i = 0; i < tables->n_tests; i++)
	{
		const ex_node *node = tables->test[i];

		column[tables->first_test + i] =
			ex_goes_left(view, node, x[EX_NODE_FEATURE(node)]) ? -1 : 1;
	}
}

/* ----------------------------------------------------------------
 * Splits and leaves
 * ---------------------------------------------------------------- */

/* A node still to be visited, and how the walk comes to it. */
typedef struct visit
{
	uint32_t	node;			/* of the tree, breadth-first */
	int32_t		parent;			/* split; -1 for the root */
	uint32_t	side;
	uint32_t	depth;
	double		reach;			/* product of the shares of cover above */
} visit;

/* One split of the path to the node being visited. */
typedef struct step
{
	uint32_t	feature;
	uint32_t	before;			/* what last[feature] was */
	uint32_t	distinct;		/* different features down to here */
	uint32_t	split;
	uint32_t	side;			/* on which the walk has gone on */
} step;

typedef struct writer
{
	const ex_tree_view *view;
	ex_tree_shap_tables *tables;
	ex_host    *host;
	ex_buffer	visits;			/* stack of visit */
	ex_buffer	path;			/* stack of step */
	uint32_t   *last;			/* per feature: 1 + depth of its last split on the path, or 0 */
	/* of the tree being written */
	uint32_t	number;
	ex_shap_tree *tree;
	ex_shap_split *split;
	uint32_t	n_leaves;
	double		mean;			/* sum over leaves of reach * value */
} writer;

static ex_status
push_visit(writer *w, const visit *next)
{
	return ex_append(w->host, &w->visits, next, sizeof(*next));
}

static visit
pop_visit(writer *w)
{
	w->visits.size -= sizeof(visit);
	return *(visit *) (w->visits.data + w->visits.size);
}

/* Forget the splits of the path below `depth`. */
static void
leave_path(writer *w, uint32_t depth)
{
	while (w->path.size > depth * sizeof(step))
	{
		const step *last;

		w->path.size -= sizeof(step);
		last = (const step *) (w->path.data + w->path.size);
		w->last[last->feature] = last->before;
	}
}

static uint32_t
path_distinct(const writer *w)
{
	return w->path.size == 0 ? 0 :
		((const step *) (w->path.data + w->path.size - sizeof(step)))->distinct;
}

static void
put_leaf(writer *w, const visit *at)
{
	const ex_tree_view *view = w->view;
	ex_tree_shap_tables *tables = w->tables;
	uint32_t	number = view->root[w->number] + at->node;
	uint32_t	leaf = w->tree->first_leaf + w->n_leaves++;

	if (at->parent >= 0)
		w->split[at->parent].child[at->side] = ~(int32_t) (w->n_leaves - 1);
	if (tables->leaf != NULL)
	{
		tables->leaf[leaf] = tables->family->scale[w->number] * view->node[number].value;
		w->mean += at->reach * tables->leaf[leaf];
	}
	else
	{
		const double *vector = ex_tree_leaf_vector(view, &view->node[number]);

		for (uint32_t k = 0; tables->path_base != NULL && k < view->n_outputs; k++)
			tables->path_base[k] += at->reach * (tables->family->scale[w->number] * vector[k]);
	}
	if (tables->leaf_node != NULL)
		tables->leaf_node[leaf] = number;
	if (path_distinct(w) > w->tree->distinct)
		w->tree->distinct = path_distinct(w);
}

/* Shares of cover; under a node without cover both children have a half. */
static void
put_ratios(const ex_tree_view *view, uint32_t node, uint32_t left, double ratio[2])
{
	double		cover;

	if (view->cover == NULL)
		return;
	cover = view->cover[node];
	ratio[0] = cover > 0 ? view->cover[left] / cover : 0.5;
	ratio[1] = cover > 0 ? view->cover[left + 1] / cover : 0.5;
}

static uint32_t
column_of(ex_tree_shap_tables *tables, const ex_node *node, double *threshold)
{
	if (EX_NODE_OP(node) == EX_LE)
	{
		*threshold = node->value;
		return tables->kind_column[kind_of(node)] + EX_NODE_FEATURE(node);
	}
	*threshold = 0;
	tables->test[tables->n_tests] = node;
	return tables->first_test + tables->n_tests++;
}

static ex_status
put_split(writer *w, const visit *at)
{
	const ex_tree_view *view = w->view;
	uint32_t	root = view->root[w->number];
	const ex_node *node = &view->node[root + at->node];
	ex_shap_split *split = &w->split[w->tree->n_splits];
	uint32_t	feature = EX_NODE_FEATURE(node);
	step		next = {
		feature, w->last[feature], path_distinct(w) + (w->last[feature] == 0), w->tree->n_splits, 0
	};
	visit		child = {(uint32_t) node->left, (int32_t) w->tree->n_splits, 0, at->depth + 1, 0};

	if (at->parent >= 0)
		w->split[at->parent].child[at->side] = (int32_t) w->tree->n_splits;
	w->tree->n_splits++;
	split->column = column_of(w->tables, node, &split->threshold);
	split->feature = feature;
	split->ancestor = (int32_t) w->last[feature] - 1;
	put_ratios(view, root + at->node, root + child.node, split->ratio);
	if (split->ancestor >= 0)
	{
		const step *above = (const step *) w->path.data + split->ancestor;

		w->split[above->split].again |= 1u << above->side;
	}
	EX_TRY(ex_append(w->host, &w->path, &next, sizeof(next)));
	w->last[feature] = at->depth + 1;

	/* right first: the stack turns them round */
	for (child.side = 2; child.side-- > 0;)
	{
		child.node = (uint32_t) node->left + child.side;
		child.reach = at->reach * split->ratio[child.side];
		EX_TRY(push_visit(w, &child));
	}
	return EX_OK;
}

static ex_status
put_tree(writer *w)
{
	const ex_tree_view *view = w->view;
	visit		at = {0, -1, 0, 0, 1};

	w->mean = 0;
	w->n_leaves = 0;
	EX_TRY(push_visit(w, &at));
	while (w->visits.size > 0)
	{
		at = pop_visit(w);
		leave_path(w, at.depth);
		if (at.depth > 0)
			((step *) w->path.data)[at.depth - 1].side = at.side;
		if (EX_NODE_OP(&view->node[view->root[w->number] + at.node]) == EX_LEAF)
			put_leaf(w, &at);
		else
			EX_TRY(put_split(w, &at));
		if ((w->tree->n_splits + w->n_leaves) % POLL_NODES == 0)
			EX_TRY(ex_poll(w->host));
	}
	leave_path(w, 0);
	return EX_OK;
}

/* All trees, and the path-dependent base values on the way. */
static ex_status
put_trees(writer *w)
{
	const ex_tree_view *view = w->view;
	ex_tree_shap_tables *tables = w->tables;
	uint32_t	splits = 0;
	uint32_t	leaves = 0;

	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		w->number = t;
		w->tree = &tables->tree[t];
		w->tree->first_split = splits;
		w->tree->first_leaf = leaves;
		w->split = tables->split + splits;
		EX_TRY(put_tree(w));
		splits += w->tree->n_splits;
		leaves += w->n_leaves;
		if (tables->path_base != NULL && !view->vector_leaves)
			tables->path_base[view->output[t]] += w->mean;
		if (w->tree->distinct > tables->distinct)
			tables->distinct = w->tree->distinct;
		if (w->n_leaves > tables->max_leaves)
			tables->max_leaves = w->n_leaves;
		if (t % 1024 == 1023)
			EX_TRY(ex_poll(w->host));
	}
	return EX_OK;
}

static ex_status
make_room(ex_host *keep, const ex_tree_view *view, ex_tree_shap_tables *tables)
{
	uint32_t	n_leaves = (view->n_nodes + view->n_trees) / 2;

	EX_TRY(number_columns(keep, view, tables));
	EX_TRY(EX_ALLOC(keep, view->n_trees, &tables->tree));
	EX_TRY(EX_ALLOC(keep, view->n_nodes - n_leaves, &tables->split));
	if (!view->vector_leaves)
		EX_TRY(EX_ALLOC(keep, n_leaves, &tables->leaf));
	if (view->vector_leaves || view->n_linear > 0)
		EX_TRY(EX_ALLOC(keep, n_leaves, &tables->leaf_node));
	if (view->cover != NULL)
		EX_TRY(EX_ALLOC(keep, view->n_outputs, &tables->path_base));
	return EX_OK;
}

/* From the start, even if an earlier attempt was cancelled half-way. */
static ex_status
put_ensemble(ex_host *host, const ex_tree_view *view, ex_tree_shap_tables *tables)
{
	writer		w = {.view = view,.tables = tables,.host = host};
	uint32_t	n_leaves = (view->n_nodes + view->n_trees) / 2;

	memset(tables->tree, 0, view->n_trees * sizeof(ex_shap_tree));
	memset(tables->split, 0, (view->n_nodes - n_leaves) * sizeof(ex_shap_split));
	tables->n_tests = tables->distinct = tables->max_leaves = 0;
	if (tables->path_base != NULL)
		memcpy(tables->path_base, view->base, view->n_outputs * sizeof(double));
	EX_TRY(EX_ALLOC(host, view->n_features, &w.last));
	return put_trees(&w);
}

/* ----------------------------------------------------------------
 * Quadrature rules, Beta integrals, scratch
 * ---------------------------------------------------------------- */

/* The rule with m points, in its own chunk. */
static ex_status
make_rule(ex_host *host, uint32_t m, const ex_shap_rule **made)
{
	uint32_t	n = m <= 16 ? (m + 3) / 4 * 4 : EX_SHAP_MAX_DISTINCT / 2;	/* as in walk_tree */
	double		node[EX_SHAP_MAX_DISTINCT / 2];
	double		weight[EX_SHAP_MAX_DISTINCT / 2];
	ex_shap_rule *rule;
	double	   *lane;

	EX_TRY(EX_ALLOC(host, 1, &rule));
	EX_TRY(ex_shap_alloc_aligned(host, 4 * n * sizeof(double), &lane));
	ex_quadrature(m, node, weight);
	for (uint32_t i = 0; i < n; i++)
	{
		double		t = i < m ? node[i] : 0.5;

		lane[i] = 0;
		lane[n + i] = t;
		lane[2 * n + i] = 1 - t;
		lane[3 * n + i] = i < m ? weight[i] : 0;
	}
	*rule = (ex_shap_rule) {n / 4, lane, lane + 2 * n, lane + 3 * n};
	*made = rule;
	return EX_OK;
}

static ex_status
make_rules(ex_host *host, ex_tree_shap_tables *tables)
{
	const ex_shap_rule *made = NULL;

	if (tables->path_base == NULL || tables->distinct > EX_SHAP_MAX_DISTINCT)
		return EX_OK;
	EX_TRY(EX_ALLOC(host, tables->distinct + 1, &tables->rule));
	for (uint32_t players = 0; players <= tables->distinct; players++)
	{
		if (players < 2 || players % 2 == 1)
			EX_TRY(make_rule(host, players < 2 ? 1 : (players + 1) / 2, &made));
		tables->rule[players] = made;
	}
	return EX_OK;
}

/* integral of t^a (1 - t)^b = a! b! / (a + b + 1)! */
static ex_status
make_beta(ex_host *host, const ex_tree_view *view, ex_tree_shap_tables *tables)
{
	uint32_t	players = tables->distinct;
	uint32_t	terms = 0;
	double	   *beta;

	for (uint32_t i = 0; i < view->n_linear; i++)
		if (view->linear_start[i + 1] - view->linear_start[i] > terms)
			terms = view->linear_start[i + 1] - view->linear_start[i];
	if (tables->distinct > EX_SHAP_MAX_DISTINCT || players + terms > MAX_PLAYERS_BETA)
		return EX_OK;			/* refused before any use */
	tables->beta_size = players + terms + 2;
	EX_TRY(EX_ALLOC(host, (size_t) tables->beta_size * tables->beta_size, &beta));
	for (uint32_t b = 0; b < tables->beta_size; b++)
		beta[b] = 1.0 / (b + 1);
	for (uint32_t a = 1; a < tables->beta_size; a++)
		for (uint32_t b = 0; a + b < tables->beta_size; b++)
			beta[a * tables->beta_size + b] =
				beta[(a - 1) * tables->beta_size + b + 1] * a / (b + 1);
	tables->beta = beta;
	for (uint32_t i = 1; i < sizeof(tables->bits); i++)
		tables->bits[i] = tables->bits[i / 2] + i % 2;
	return EX_OK;
}

static ex_status
make_scratch(ex_host *host, ex_tree_shap_tables *tables)
{
	const ex_tree_view *view = &tables->family->view;
	size_t		frames = 0;

	EX_TRY(ex_shap_alloc_aligned(host, (size_t) view->n_features * 4 * sizeof(double), &tables->sum));
	if (view->vector_leaves)
		EX_TRY(EX_ALLOC(host, tables->max_leaves, &tables->vector_leaf));
	if (tables->rule == NULL)
		return EX_OK;
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		size_t		size = ((size_t) tables->family->depth[t] + 1) *
			EX_SHAP_FRAME_SIZE(tables->rule[tables->tree[t].distinct]->groups);

		frames = size > frames ? size : frames;
	}
	tables->frame_size = frames;
	if (frames > LARGE_FRAMES)
		return EX_OK;
	return ex_shap_alloc_aligned(host, frames, &tables->frame);
}

const double *
ex_shap_leaves(const ex_tree_shap_tables *tables, uint32_t t, uint32_t k)
{
	const ex_shap_tree *tree = &tables->tree[t];
	const ex_tree_view *view = &tables->family->view;
	double		scale = tables->family->scale[t];

	if (tables->leaf != NULL)
		return tables->leaf + tree->first_leaf;
	for (uint32_t i = 0; i <= tree->n_splits; i++)
	{
		const ex_node *node = &view->node[tables->leaf_node[tree->first_leaf + i]];

		tables->vector_leaf[i] = scale * ex_tree_leaf_vector(view, node)[k];
	}
	return tables->vector_leaf;
}

/* ----------------------------------------------------------------
 * The whole
 * ---------------------------------------------------------------- */

static ex_shap_processor chosen_processor = EX_SHAP_BEST;

void
ex_tree_shap_use(ex_shap_processor processor)
{
	chosen_processor = processor;
}

static const ex_shap_kernel *
best_kernel(void)
{
#ifdef __x86_64__
	/* the first two generations of Zen have pext in slow microcode */
	bool		bmi2 = __builtin_cpu_supports("bmi2") &&
		!__builtin_cpu_is("znver1") && !__builtin_cpu_is("znver2");
	bool		avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");

	if (chosen_processor == EX_SHAP_PORTABLE || !__builtin_cpu_supports("avx2"))
		return &ex_shap_portable;
	if (!bmi2 || chosen_processor == EX_SHAP_WITHOUT_BMI2)
		return &ex_shap_avx2;
	return avx512 && chosen_processor == EX_SHAP_BEST ? &ex_shap_avx512 : &ex_shap_avx2_bmi2;
#else
	return &ex_shap_portable;
#endif
}

/*
 * In two steps, as the second may be cancelled: what it has allocated in the
 * model's entry by then must not be lost, and not be taken for complete.
 */
ex_status
ex_shap_tables(ex_compiled *compiled, ex_host *host, ex_tree_shap_tables **tables)
{
	ex_host    *keep = compiled->host;
	ex_tree_state *family = ex_tree_state_of(compiled);

	if (family->shap == NULL)
	{
		ex_tree_shap_tables *made;

		EX_TRY(EX_ALLOC(keep, 1, &made));
		made->family = family;
		made->kernel = best_kernel();
		EX_TRY(make_room(keep, &family->view, made));
		family->shap = made;
	}
	*tables = family->shap;
	if ((*tables)->ready)
		return EX_OK;
	EX_TRY(put_ensemble(host, &family->view, *tables));
	EX_TRY(make_rules(keep, *tables));
	EX_TRY(make_beta(keep, &family->view, *tables));
	EX_TRY(make_scratch(keep, *tables));
	EX_TRY(ex_shap_pair_prepare(compiled, *tables));
	(*tables)->ready = true;
	return EX_OK;
}
