/*
 * onnx_tree.c
 *		The trees of an ONNX TreeEnsemble.
 *
 * A comparison "z <= t" of a prepared column is folded into one of the column
 * before its steps (onnx_column.c); here every test is such a one, a set of
 * levels, or a chain of intervals:
 *
 *	- z = v on a number is  low < x <= high, with the doubles x that the steps
 *	  take to v: two tests, whose "no" subtree stands in the tree twice.  Sets
 *	  of numbers have an interval for each;
 *	- a chain of z = v1, else z = v2, ... with one "yes" subtree, into which
 *	  onnxmltools expands XGBoost's categories, is a set again, since that
 *	  subtree would have several parents.
 *
 * A missing value takes the branch that onnxruntime lets it take: comparisons
 * are false but for "not equal", unless the node tracks missing values.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_internal.h"
#include "tree.h"

/* Nodes of a tree in which subtrees stand twice. */
#define MOST_DOUBLED (1024 * 1024)

#define POLL_NODES 65536

static bool
is_equality(onnx_mode mode)
{
	return mode == ONNX_EQ || mode == ONNX_MEMBER;
}

/* ----------------------------------------------------------------
 * Structure
 * ---------------------------------------------------------------- */

/* "z <> v" is "z = v" with the branches exchanged; it holds for a missing value. */
static void
settle_not_equal(onnx_tree_node *node)
{
	uint32_t	yes = node->yes;

	if (node->mode != ONNX_NEQ)
		return;
	node->mode = ONNX_EQ;
	node->yes = node->no;
	node->no = yes;
	node->tracks = false;
}

/*
 * Take the sets of the nodes down the "no" branch in, as long as they lead to
 * the same "yes".  Every node is taken in once at most: the walk is linear.
 */
static void
join_chain(onnx_ensemble *ensemble, uint32_t i)
{
	onnx_tree_node *node = &ensemble->node[i];
	uint32_t	last = i;

	while (is_equality(node->mode) && node->no < ensemble->n_nodes && node->no != i)
	{
		uint32_t	next = node->no;
		const onnx_tree_node *other = &ensemble->node[next];

		if (!is_equality(other->mode) || other->feature != node->feature || other->yes != node->yes ||
			other->or_else != ONNX_NO_NODE || ensemble->node[last].or_else != ONNX_NO_NODE || next == last)
			return;
		node->tracks |= other->tracks;
		node->no = other->no;
		ensemble->node[last].or_else = next;
		last = next;
	}
}

static ex_status
count_parent(onnx_reader *reader, onnx_ensemble *ensemble, const bool *taken, uint32_t parent, uint32_t child)
{
	onnx_tree_node *node;

	if (child >= ensemble->n_nodes)
		return onnx_fail(reader, EX_INVALID, "a child of tree node %u does not exist", parent);
	node = &ensemble->node[child];
	if (taken[child] || (node->parents++ > 0 && node->mode != ONNX_LEAF))
		return onnx_fail(reader, EX_INVALID, "tree node %u has two parents", child);
	return EX_OK;
}

static ex_status
check_node(onnx_reader *reader, const onnx_ensemble *ensemble, uint32_t i)
{
	const onnx_tree_node *node = &ensemble->node[i];

	if (node->mode == ONNX_LEAF)
		return EX_OK;
	if (node->feature >= ensemble->n_columns)
		return onnx_fail(reader, EX_INVALID, "tree node %u tests column %u, but there are %zu",
						 i, node->feature, ensemble->n_columns);
	for (size_t m = 0; m < node->n_members; m++)
		if (isnan(node->member[m]))
			return onnx_fail(reader, EX_INVALID, "the threshold of tree node %u is not a number", i);
	return EX_OK;
}

/* Chains may only be joined once all nodes are known; those taken in keep no children. */
ex_status
onnx_settle_nodes(onnx_reader *reader, onnx_ensemble *ensemble)
{
	bool	   *taken;

	EX_TRY(EX_ALLOC(reader->host, ensemble->n_nodes, &taken));
	for (uint32_t i = 0; i < ensemble->n_nodes; i++)
	{
		EX_TRY(check_node(reader, ensemble, i));
		settle_not_equal(&ensemble->node[i]);
	}
	for (uint32_t i = 0; i < ensemble->n_nodes; i++)
		if (!taken[i])
		{
			join_chain(ensemble, i);
			for (uint32_t j = ensemble->node[i].or_else; j != ONNX_NO_NODE; j = ensemble->node[j].or_else)
				taken[j] = true;
		}
	for (uint32_t i = 0; i < ensemble->n_nodes; i++)
		if (!taken[i] && ensemble->node[i].mode != ONNX_LEAF)
		{
			EX_TRY(count_parent(reader, ensemble, taken, i, ensemble->node[i].yes));
			EX_TRY(count_parent(reader, ensemble, taken, i, ensemble->node[i].no));
		}
	for (uint32_t t = 0; t < ensemble->n_trees; t++)
	{
		if (ensemble->root[t] >= ensemble->n_nodes)
			return onnx_fail(reader, EX_INVALID, "the root of tree %u does not exist", t);
		if (taken[ensemble->root[t]] || ensemble->node[ensemble->root[t]].parents++ > 0)
			return onnx_fail(reader, EX_INVALID, "the root of tree %u has a parent", t);
	}
	return EX_OK;
}

/* Equality asks for levels, everything else for an order. */
void
onnx_use_nodes(onnx_reader *reader, const onnx_ensemble *ensemble)
{
	for (size_t c = 0; c < ensemble->n_columns; c++)
		onnx_use_column(reader, &ensemble->column[c]);
	for (uint32_t i = 0; i < ensemble->n_nodes; i++)
	{
		const onnx_tree_node *node = &ensemble->node[i];

		if (is_equality(node->mode))
			for (size_t m = 0; m < node->n_members; m++)
				onnx_use_member(reader, &ensemble->column[node->feature], node->member[m]);
		else if (node->mode != ONNX_LEAF)
			onnx_use_order(reader, &ensemble->column[node->feature]);
	}
}

/* ----------------------------------------------------------------
 * Tests
 * ---------------------------------------------------------------- */

/* A node of the tree under way: a node of the file, or a stage of its chain of intervals. */
typedef struct origin
{
	uint32_t	node;
	const double *bound;		/* low, high, low, high, ...; NULL: no chain */
	size_t		n_bounds;
	size_t		stage;
} origin;

typedef struct growing
{
	onnx_reader *reader;
	ex_host    *host;
	const onnx_ensemble *ensemble;
	ex_builder *builder;
	bool		vectors;
	ex_buffer	nodes;			/* ex_raw_node */
	ex_buffer	origins;
	uint32_t	n;
	bool		doubled;
	size_t		set_bytes;
	size_t		vector_bytes;
} growing;

static bool
has_member(const onnx_ensemble *ensemble, const onnx_tree_node *node, double z)
{
	for (;;)
	{
		for (size_t m = 0; m < node->n_members; m++)
			if (z == node->member[m])
				return true;
		if (node->or_else == ONNX_NO_NODE)
			return false;
		node = &ensemble->node[node->or_else];
	}
}

/* Does this value of the column take the yes branch? */
static bool
says_yes(const onnx_ensemble *ensemble, const onnx_tree_node *node, double z)
{
	if (isnan(z))
		return node->tracks;
	switch (node->mode)
	{
		case ONNX_LEQ:
			return z <= node->member[0];
		case ONNX_LT:
			return z < node->member[0];
		case ONNX_GTE:
			return z >= node->member[0];
		case ONNX_GT:
			return z > node->member[0];
		default:
			return has_member(ensemble, node, z);
	}
}

static ex_status
append_node(growing *g, uint32_t node, const origin *stage, int32_t *number)
{
	const ex_raw_node empty = {.left = -1, .right = -1, .cover = NAN, .gain = NAN};
	const origin plain = {.node = node};

	if (g->doubled && g->n >= MOST_DOUBLED)
		return onnx_fail(g->reader, EX_LIMIT, "a tree has more than %d nodes when tests of equality become intervals", MOST_DOUBLED);
	*number = (int32_t) g->n++;
	EX_TRY(ex_append(g->host, &g->nodes, &empty, sizeof(empty)));
	return ex_append(g->host, &g->origins, stage != NULL ? stage : &plain, sizeof(origin));
}

static ex_raw_node *
node_at(growing *g, uint32_t i)
{
	return (ex_raw_node *) g->nodes.data + i;
}

static void
set_codes(const onnx_ensemble *ensemble, const onnx_tree_node *node, uint32_t *set)
{
	for (;; node = &ensemble->node[node->or_else])
	{
		for (size_t m = 0; m < node->n_members; m++)
		{
			uint32_t	code = (uint32_t) node->member[m];

			set[code / 32] |= UINT32_C(1) << (code % 32);
		}
		if (node->or_else == ONNX_NO_NODE)
			return;
	}
}

/* Levels of a categorical feature that take one branch; the way of unknown ones is the other. */
static ex_status
make_set(growing *g, const onnx_tree_node *node, ex_raw_node *raw, bool *yes_left)
{
	const onnx_column *column = &g->ensemble->column[node->feature];
	const onnx_feature *feature = &g->reader->feature[column->feature];
	uint32_t	n_levels = feature->type == ONNX_STRING ? (uint32_t) (feature->levels.size / sizeof(ex_span)) :
	(uint32_t) feature->largest_code + 1;
	uint32_t   *set;

	raw->op = EX_IN;
	raw->set_words = (n_levels + 31) / 32;
	g->set_bytes += raw->set_words * sizeof(uint32_t);
	if (g->set_bytes > EX_MAX_MODEL_SIZE)
		return onnx_fail(g->reader, EX_LIMIT, "sets of levels need more than %zu bytes", EX_MAX_MODEL_SIZE);
	EX_TRY(EX_ALLOC(g->host, raw->set_words, &set));
	raw->set = set;
	if (column->table == NULL)
	{
		/* the members are the codes, see onnx_use_member */
		*yes_left = true;
		set_codes(g->ensemble, node, set);
		return EX_OK;
	}
	*yes_left = !says_yes(g->ensemble, node, onnx_column_at_level(column, -1));
	for (uint32_t level = 0; level < n_levels; level++)
	{
		EX_TRY(ex_poll(g->host));
		if (says_yes(g->ensemble, node, onnx_column_at_level(column, level)) == *yes_left)
			set[level / 32] |= UINT32_C(1) << (level % 32);
	}
	return EX_OK;
}

static int
compare_bounds(const void *a, const void *b)
{
	const double *left = a;
	const double *right = b;

	return (left[0] > right[0]) - (left[0] < right[0]);
}

/* Members as intervals of the column before its steps, ascending and apart. */
static ex_status
make_bounds(growing *g, const onnx_tree_node *node, const double **out, size_t *n_out)
{
	const onnx_column *column = &g->ensemble->column[node->feature];
	ex_buffer	list = {NULL, 0, 0};
	double	   *bound;
	size_t		n;
	size_t		kept = 0;

	EX_TRY(ex_reserve(g->host, &list, 1));
	for (const onnx_tree_node *at = node;; at = &g->ensemble->node[at->or_else])
	{
		for (size_t m = 0; m < at->n_members; m++)
		{
			double		interval[2];
			double		beyond;
			bool		inverted;

			EX_TRY(ex_poll(g->host));
			onnx_fold_limit(column, at->member[m], false, &beyond, &inverted);
			interval[inverted ? 0 : 1] = beyond;
			onnx_fold_limit(column, at->member[m], true, &beyond, &inverted);
			interval[inverted ? 1 : 0] = beyond;
			if (interval[0] < interval[1])
				EX_TRY(ex_append(g->host, &list, interval, sizeof(interval)));
		}
		if (at->or_else == ONNX_NO_NODE)
			break;
	}
	bound = (double *) list.data;
	n = list.size / sizeof(double);
	if (n > 0)
		qsort(bound, n / 2, 2 * sizeof(double), compare_bounds);
	for (size_t i = 0; i < n; i += 2)
	{
		if (kept > 0 && bound[i] <= bound[kept - 1])
		{
			bound[kept - 1] = fmax(bound[kept - 1], bound[i + 1]);
			continue;
		}
		bound[kept++] = bound[i];
		bound[kept++] = bound[i + 1];
	}
	*out = bound;
	*n_out = kept;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Growing a tree
 * ---------------------------------------------------------------- */

static ex_status
grow_children(growing *g, uint32_t i, uint32_t left, uint32_t right)
{
	int32_t		number[2];

	EX_TRY(append_node(g, left, NULL, &number[0]));
	EX_TRY(append_node(g, right, NULL, &number[1]));
	node_at(g, i)->left = number[0];
	node_at(g, i)->right = number[1];
	return EX_OK;
}

/*
 * Stage s of a chain is x <= bound[s]: on a lower end, left is outside; on an
 * upper end, inside.  Right goes on to the next stage, and is outside after
 * the last.
 */
static ex_status
grow_stage(growing *g, uint32_t i, origin from)
{
	const onnx_tree_node *node = &g->ensemble->node[from.node];
	bool		inside = from.stage % 2 == 1;
	bool		missing = says_yes(g->ensemble, node, onnx_column_missing(&g->ensemble->column[node->feature]));
	int32_t		number[2];
	origin		next = from;
	ex_raw_node *raw;

	EX_TRY(ex_poll(g->host));	/* the chain may be long, and has as many stages */
	g->doubled = true;
	EX_TRY(append_node(g, inside ? node->yes : node->no, NULL, &number[0]));
	next.stage++;
	EX_TRY(append_node(g, node->no, next.stage < from.n_bounds ? &next : NULL, &number[1]));
	raw = node_at(g, i);
	raw->op = EX_LE;
	raw->feature = node->feature;
	raw->threshold = from.bound[from.stage];
	raw->left = number[0];
	raw->right = number[1];
	raw->default_left = missing == inside;
	return EX_OK;
}

static ex_status
grow_order(growing *g, uint32_t i, const onnx_tree_node *node, ex_raw_node *raw)
{
	const onnx_column *column = &g->ensemble->column[node->feature];
	bool		strict = node->mode == ONNX_LT || node->mode == ONNX_GTE;
	bool		below_is_yes = node->mode == ONNX_LEQ || node->mode == ONNX_LT;
	bool		missing = says_yes(g->ensemble, node, onnx_column_missing(column));
	bool		yes_left;
	bool		inverted;

	if (g->reader->feature[column->feature].kind == EX_CATEGORICAL && column->op == ONNX_VALUE)
		EX_TRY(make_set(g, node, raw, &yes_left));
	else
	{
		raw->op = EX_LE;
		onnx_fold_limit(column, node->member[0], strict, &raw->threshold, &inverted);
		yes_left = below_is_yes != inverted;
	}
	raw->default_left = missing == yes_left;
	return grow_children(g, i, yes_left ? node->yes : node->no, yes_left ? node->no : node->yes);
}

static ex_status
grow_equality(growing *g, uint32_t i, origin from, ex_raw_node *raw)
{
	const onnx_tree_node *node = &g->ensemble->node[from.node];
	const onnx_column *column = &g->ensemble->column[node->feature];
	bool		missing = says_yes(g->ensemble, node, onnx_column_missing(column));
	bool		yes_left;

	if (g->reader->feature[column->feature].kind == EX_CATEGORICAL && column->op == ONNX_VALUE)
	{
		EX_TRY(make_set(g, node, raw, &yes_left));
		raw->default_left = missing == yes_left;
		return grow_children(g, i, yes_left ? node->yes : node->no, yes_left ? node->no : node->yes);
	}
	EX_TRY(make_bounds(g, node, &from.bound, &from.n_bounds));
	if (from.n_bounds > 0)
		return grow_stage(g, i, from);

	/* no number becomes a member: only a missing value may say yes */
	raw->op = EX_LE;
	raw->threshold = INFINITY;
	raw->default_left = !missing;
	return grow_children(g, i, node->no, node->yes);
}

static ex_status
grow_leaf(growing *g, const onnx_tree_node *leaf, ex_raw_node *raw)
{
	uint32_t	n = g->ensemble->n_targets;
	const onnx_weight *weight = g->ensemble->weight + leaf->first_weight;
	double	   *vector = NULL;

	raw->op = EX_LEAF;
	if (g->vectors)
	{
		g->vector_bytes += n * sizeof(double);
		if (g->vector_bytes > EX_MAX_MODEL_SIZE)
			return onnx_fail(g->reader, EX_LIMIT, "leaves need more than %zu bytes", EX_MAX_MODEL_SIZE);
		EX_TRY(EX_ALLOC(g->host, n, &vector));
	}
	for (uint32_t w = 0; w < leaf->n_weights; w++)
	{
		if (vector != NULL)
			vector[weight[w].target] += weight[w].value;
		else
			raw->value += weight[w].value;
	}
	raw->vector = vector;
	return EX_OK;
}

static ex_status
grow_node(growing *g, uint32_t i)
{
	const origin from = ((const origin *) g->origins.data)[i];
	const onnx_tree_node *node = &g->ensemble->node[from.node];
	ex_raw_node raw = {.left = -1, .right = -1, .cover = NAN, .gain = NAN};

	if (from.bound != NULL)
		return grow_stage(g, i, from);
	raw.feature = node->feature;
	if (node->mode == ONNX_LEAF)
	{
		raw.feature = 0;
		EX_TRY(grow_leaf(g, node, &raw));
	}
	else if (is_equality(node->mode))
		EX_TRY(grow_equality(g, i, from, &raw));
	else
		EX_TRY(grow_order(g, i, node, &raw));
	if (node_at(g, i)->op == EX_LEAF)	/* not made by a stage */
	{
		raw.left = node_at(g, i)->left;
		raw.right = node_at(g, i)->right;
		*node_at(g, i) = raw;
	}
	return EX_OK;
}

/* The one output that a tree feeds; ONNX_NO_NODE if there are several. */
static uint32_t
target_of(const growing *g)
{
	const onnx_ensemble *ensemble = g->ensemble;
	uint32_t	target = ONNX_NO_NODE;

	for (uint32_t i = 0; i < g->n; i++)
	{
		const onnx_tree_node *node = &ensemble->node[((const origin *) g->origins.data)[i].node];

		for (uint32_t w = 0; node->mode == ONNX_LEAF && w < node->n_weights; w++)
		{
			uint32_t	other = ensemble->weight[node->first_weight + w].target;

			if (target != ONNX_NO_NODE && other != target)
				return ONNX_NO_NODE;
			target = other;
		}
	}
	return target == ONNX_NO_NODE ? 0 : target;
}

/* The output is its own queue: nodes grow in the order they were made. */
static ex_status
grow_tree(growing *g, uint32_t root)
{
	int32_t		number;

	g->n = 0;
	g->nodes.size = g->origins.size = 0;
	g->doubled = false;
	EX_TRY(append_node(g, root, NULL, &number));
	for (uint32_t i = 0; i < g->n; i++)
	{
		EX_TRY(grow_node(g, i));
		if (i % POLL_NODES == POLL_NODES - 1)
			EX_TRY(ex_poll(g->host));
	}
	return EX_OK;
}

static ex_status
add_tree(growing *g, uint32_t t, double weight)
{
	ex_raw_tree raw = {.output = EX_ALL_OUTPUTS, .weight = weight};

	EX_TRY(ex_poll(g->host));
	EX_TRY(grow_tree(g, g->ensemble->root[t]));
	if (!g->vectors)
		raw.output = g->ensemble->n_targets == 1 ? 0 : target_of(g);
	raw.n_nodes = g->n;
	raw.node = node_at(g, 0);
	return ex_tree_add(g->builder, &raw);
}

/* Leaves are vectors as soon as one tree feeds several outputs. */
static ex_status
needs_vectors(growing *g, bool *vectors)
{
	*vectors = false;
	for (uint32_t t = 0; g->ensemble->n_targets > 1 && t < g->ensemble->n_trees && !*vectors; t++)
	{
		EX_TRY(ex_poll(g->host));
		EX_TRY(grow_tree(g, g->ensemble->root[t]));
		*vectors = target_of(g) == ONNX_NO_NODE;
	}
	return EX_OK;
}

/* An average is over all trees, whatever outputs they feed. */
ex_status
onnx_add_trees(onnx_reader *reader, const onnx_ensemble *ensemble, ex_builder *builder)
{
	growing		g = {.reader = reader, .host = reader->host, .ensemble = ensemble, .builder = builder};
	bool		vectors;
	double		weight = ensemble->factor;

	EX_TRY(needs_vectors(&g, &vectors));
	g.vectors = vectors;
	g.set_bytes = g.vector_bytes = 0;
	if (ensemble->average && ensemble->factor == 1 && (vectors || ensemble->n_targets == 1))
		builder->aggregation = EX_MEAN;
	else if (ensemble->average)
		weight /= ensemble->n_trees;
	for (uint32_t t = 0; t < ensemble->n_trees; t++)
		EX_TRY(add_tree(&g, t, weight));
	return EX_OK;
}
