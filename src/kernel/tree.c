/*
 * tree.c
 *		Reading and building the sections of a tree model.
 *
 * See tree.h.  Every importer goes through ex_tree_add, so whatever a file
 * or a table says about its nodes is checked once, here, and is laid out
 * once, here.
 *
 * The layout is canonical: equal ensembles give equal bytes whatever order
 * their nodes came in.  Nodes are breadth-first, left child first; the n-th
 * set test owns set n, the n-th linear leaf linear model n and (with vector
 * leaves) the n-th leaf row n; bitmaps have no trailing zero words; members
 * that an operation does not use are 0.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"

/* Nodes between two questions to the host whether to stop. */
#define POLL_NODES 65536

/* ----------------------------------------------------------------
 * Thresholds of libraries that round features to float32 (FORMATS 2.3)
 * ---------------------------------------------------------------- */

/*
 * Largest double whose float32 rounding is <= y.  The boundary is half-way
 * to the next float; a tie goes to the even neighbour, so the half-way point
 * itself belongs to one side or the other.
 */
static double
largest_rounding_to(float y)
{
	double		next;
	double		middle;

	if (y == INFINITY)
		return INFINITY;
	if (y == -INFINITY)
		next = -FLT_MAX;
	else
		next = nextafterf(y, INFINITY);
	/* infinity takes the place of 2^128 in rounding */
	middle = (y == -INFINITY) ? -ldexp(1.0, 128) : y;
	if (next == INFINITY)
		next = ldexp(1.0, 128);
	middle += (next - middle) / 2;
	if ((float) middle > y)
		middle = nextafter(middle, -INFINITY);
	return middle;
}

/*
 * Largest double t with: float32(x) < limit (strict) or <= limit exactly if
 * x <= t.  NaN for a NaN limit.  A strict limit of -Infinity has no such t;
 * it gives -Infinity, which x = -Infinity alone tells apart.
 */
double
ex_fold_float32(float limit, bool strict)
{
	if (limit != limit)
		return (double) limit;
	return largest_rounding_to(strict ? nextafterf(limit, -INFINITY) : limit);
}

/* Largest double t with: float32(x) <= limit exactly if x <= t. */
double
ex_fold_float32_le(double limit)
{
	float		y = (float) limit;

	if (limit != limit)
		return limit;
	if ((double) y > limit)
		y = nextafterf(y, -INFINITY);
	return largest_rounding_to(y);
}

/* ----------------------------------------------------------------
 * Typed view
 * ---------------------------------------------------------------- */

void
ex_tree_open(const ex_model *model, ex_tree_view *view)
{
	uint32_t	count;

	memset(view, 0, sizeof(*view));
	view->model = model;
	view->n_features = model->n_features;
	view->n_outputs = model->n_outputs;
	view->base = ex_get(model, EX_TREE_BASE, NULL);
	view->root = ex_get(model, EX_TREE_ROOT, &count);
	view->n_trees = count > 0 ? count - 1 : 0;
	view->output = ex_get(model, EX_TREE_OUTPUT, NULL);
	view->weight = ex_get(model, EX_TREE_WEIGHT, NULL);
	view->node = ex_get(model, EX_TREE_NODE, &view->n_nodes);
	view->cover = ex_get(model, EX_TREE_COVER, NULL);
	view->gain = ex_get(model, EX_TREE_GAIN, NULL);
	view->set_start = ex_get(model, EX_TREE_SET_START, NULL);
	view->set_word = ex_get(model, EX_TREE_SET_WORD, NULL);
	view->leaf_vector = ex_get(model, EX_TREE_LEAF_VECTOR, NULL);
	view->vector_leaves = view->leaf_vector != NULL;
	view->linear_start = ex_get(model, EX_TREE_LINEAR_START, &count);
	view->n_linear = count > 0 ? count - 1 : 0;
	view->linear_feature = ex_get(model, EX_TREE_LINEAR_FEATURE, NULL);
	view->linear_coef = ex_get(model, EX_TREE_LINEAR_COEF, NULL);
	view->linear_const = ex_get(model, EX_TREE_LINEAR_CONST, NULL);
}

/* ----------------------------------------------------------------
 * Adding a tree
 * ---------------------------------------------------------------- */

/* One call of ex_tree_add. */
typedef struct addition
{
	ex_builder *builder;
	ex_host    *host;
	const ex_raw_tree *tree;
	char		label[64];		/* of the tree, for messages */
	size_t		first;			/* nodes of earlier trees */
	uint32_t	placed;			/* nodes of this one that have a place */
	uint8_t    *seen;			/* bitmap: raw node has a place */
	bool		covers;			/* kept so far */
	bool		gains;
} addition;

static ex_node *
nodes_of(const addition *add)
{
	return (ex_node *) add->builder->section[EX_TREE_NODE].data + add->first;
}

/* Every bit of a set must be a level of its feature. */
static bool
has_only_levels(const ex_raw_node *raw, uint32_t levels)
{
	for (uint32_t w = levels / 32; w < raw->set_words; w++)
		if (raw->set[w] >> (w == levels / 32 ? levels % 32 : 0) != 0)
			return false;
	return true;
}

/* Where features are known already, a message can name the node as the user does. */
static ex_status
check_split_kind(addition *add, uint32_t i, const ex_raw_node *raw)
{
	const ex_builder *builder = add->builder;
	uint8_t		kind = (uint8_t) builder->section[EX_FEATURE_KIND].data[raw->feature];
	const uint32_t *levels = (const uint32_t *) builder->section[EX_FEATURE_LEVELS].data;

	if (raw->op == EX_LE && kind == EX_CATEGORICAL)
		return ex_fail(add->host, EX_INVALID,
					   "node %u of %s compares a categorical feature with a threshold", i, add->label);
	if (raw->op == EX_IN && kind != EX_CATEGORICAL)
		return ex_fail(add->host, EX_INVALID,
					   "node %u of %s tests a feature that is not categorical for levels",
					   i, add->label);
	if (raw->op == EX_IN && !has_only_levels(raw, levels[raw->feature]))
		return ex_fail(add->host, EX_INVALID,
					   "node %u of %s has a set with a level that its feature does not have",
					   i, add->label);
	return EX_OK;
}

static ex_status
check_split(addition *add, uint32_t i, const ex_raw_node *raw)
{
	const ex_builder *builder = add->builder;

	if (raw->feature >= EX_MAX_FEATURES ||
		(builder->n_features > 0 && raw->feature >= builder->n_features))
		return ex_fail(add->host, EX_INVALID,
					   "feature %u of node %u of %s does not exist",
					   raw->feature, i, add->label);
	if (builder->n_features > 0)
		EX_TRY(check_split_kind(add, i, raw));
	if (raw->op == EX_LE && raw->threshold != raw->threshold)
		return ex_fail(add->host, EX_INVALID,
					   "threshold of node %u of %s is NaN", i, add->label);
	return EX_OK;
}

static ex_status
check_linear_leaf(addition *add, uint32_t i, const ex_raw_node *raw)
{
	if (raw->vector != NULL)
		return ex_fail(add->host, EX_INVALID,
					   "leaf %u of %s has a vector and a linear model", i, add->label);
	if (!isfinite(raw->linear_const))
		return ex_fail(add->host, EX_RANGE,
					   "constant of the linear model of leaf %u of %s is not finite",
					   i, add->label);
	for (uint32_t t = 0; t < raw->n_linear; t++)
	{
		uint32_t	feature = raw->linear_feature[t];

		if (feature >= EX_MAX_FEATURES ||
			(add->builder->n_features > 0 && feature >= add->builder->n_features))
			return ex_fail(add->host, EX_INVALID,
						   "feature %u in the linear model of leaf %u of %s does not exist",
						   feature, i, add->label);
		if (!isfinite(raw->linear_coef[t]))
			return ex_fail(add->host, EX_RANGE,
						   "coefficient %u of leaf %u of %s is not finite",
						   t, i, add->label);
	}
	return EX_OK;
}

static ex_status
check_leaf(addition *add, uint32_t i, const ex_raw_node *raw)
{
	bool		vector = add->tree->output == EX_ALL_OUTPUTS;

	if (raw->left != -1 || raw->right != -1)
		return ex_fail(add->host, EX_INVALID, "leaf %u of %s has a child", i, add->label);
	if (vector != (raw->vector != NULL))
		return ex_fail(add->host, EX_INVALID,
					   vector ? "leaf %u of %s has one value, but the tree feeds all outputs" :
					   "leaf %u of %s has several values, but the tree feeds one output",
					   i, add->label);
	for (uint32_t k = 0; k < (vector ? add->builder->n_outputs : 1); k++)
	{
		if (!isfinite(vector ? raw->vector[k] : raw->value))
			return ex_fail(add->host, EX_RANGE,
						   "value of leaf %u of %s is not finite", i, add->label);
	}
	return raw->linear ? check_linear_leaf(add, i, raw) : EX_OK;
}

static ex_status
check_raw_node(addition *add, uint32_t i, const ex_raw_node *raw)
{
	if (raw->cover < 0 || isinf(raw->cover))
		return ex_fail(add->host, EX_INVALID,
					   "cover of node %u of %s is negative or infinite", i, add->label);
	switch (raw->op)
	{
		case EX_LEAF:
			return check_leaf(add, i, raw);
		case EX_LE:
		case EX_IN:
		case EX_ISNULL:
			return check_split(add, i, raw);
	}
	return ex_fail(add->host, EX_INVALID, "operation of node %u of %s is unknown",
				   i, add->label);
}

/*
 * Give raw node `child` the next place.  Until its own turn comes, its place
 * remembers which raw node it is: the output is its own queue.
 */
static ex_status
place(addition *add, uint32_t parent, int32_t child)
{
	uint32_t	n = add->tree->n_nodes;

	if (child < 0 || (uint32_t) child >= n)
		return ex_fail(add->host, EX_INVALID,
					   "child %d of node %u of %s does not exist", child, parent, add->label);
	if (add->seen[child / 8] & (1u << (child % 8)))
	{
		(void) ex_fail(add->host, EX_INVALID,
					   "node %d of %s has two parents or is its own ancestor",
					   child, add->label);
		ex_detail(add->host, "Node %u names it as a child; every node but the root must be "
				  "the child of exactly one node.", parent);
		return EX_INVALID;
	}
	add->seen[child / 8] |= (uint8_t) (1u << (child % 8));
	nodes_of(add)[add->placed++].left = child;
	return EX_OK;
}

/* The next free number among `start` offsets, which begin with a 0. */
static ex_status
open_list(ex_builder *builder, ex_section_id starts, double *number)
{
	if (ex_put_count(builder, starts) == 0)
		EX_TRY(ex_put_u32(builder, starts, 0));
	*number = (double) (ex_put_count(builder, starts) - 1);
	return EX_OK;
}

static ex_status
put_set(ex_builder *builder, const ex_raw_node *raw, ex_node *node)
{
	uint32_t	words = raw->set_words;
	double		number;

	while (words > 0 && raw->set[words - 1] == 0)
		words--;
	EX_TRY(open_list(builder, EX_TREE_SET_START, &number));
	EX_TRY(ex_put(builder, EX_TREE_SET_WORD, raw->set, words));
	EX_TRY(ex_put_u32(builder, EX_TREE_SET_START,
					  (uint32_t) ex_put_count(builder, EX_TREE_SET_WORD)));
	node->value = number;
	return EX_OK;
}

static ex_status
put_linear_leaf(ex_builder *builder, const ex_raw_node *raw, ex_node *node)
{
	double		number;

	EX_TRY(open_list(builder, EX_TREE_LINEAR_START, &number));
	EX_TRY(ex_put(builder, EX_TREE_LINEAR_FEATURE, raw->linear_feature, raw->n_linear));
	EX_TRY(ex_put(builder, EX_TREE_LINEAR_COEF, raw->linear_coef, raw->n_linear));
	EX_TRY(ex_put_f64(builder, EX_TREE_LINEAR_CONST, raw->linear_const));
	EX_TRY(ex_put_u32(builder, EX_TREE_LINEAR_START,
					  (uint32_t) ex_put_count(builder, EX_TREE_LINEAR_FEATURE)));
	node->left = (int32_t) number;
	return EX_OK;
}

static ex_status
put_leaf(ex_builder *builder, const ex_raw_node *raw, ex_node *node)
{
	uint32_t	n_outputs = builder->n_outputs;

	node->left = -1;
	node->info = (uint32_t) EX_LEAF << 24;
	node->value = raw->vector != NULL ? raw->vector[0] : raw->value;
	if (n_outputs > 1 && raw->vector != NULL)
	{
		node->value = (double) (ex_put_count(builder, EX_TREE_LEAF_VECTOR) / n_outputs);
		EX_TRY(ex_put(builder, EX_TREE_LEAF_VECTOR, raw->vector, n_outputs));
	}
	return raw->linear ? put_linear_leaf(builder, raw, node) : EX_OK;
}

/* A leaf that has the place; its children get theirs. */
static ex_status
put_split(addition *add, uint32_t i, const ex_raw_node *raw, ex_node *node)
{
	node->left = (int32_t) add->placed;
	node->info = raw->feature | (uint32_t) raw->op << 24;
	if (raw->op != EX_ISNULL && raw->default_left)
		node->info |= EX_NODE_DEFAULT_LEFT;
	if (raw->zero_missing)
		node->info |= EX_NODE_ZERO_MISSING;
	node->value = raw->op == EX_LE ? raw->threshold : 0;
	if (raw->op == EX_IN)
		EX_TRY(put_set(add->builder, raw, node));
	EX_TRY(place(add, i, raw->left));
	return place(add, i, raw->right);
}

bool
ex_tree_covers_add_up(double parent, double left, double right)
{
	/* a NaN compares false */
	return !(fabs(left + right - parent) > 1e-5 * parent);
}

static ex_status
check_children_cover(addition *add, uint32_t i, const ex_raw_node *raw)
{
	double		left = add->tree->node[raw->left].cover;
	double		right = add->tree->node[raw->right].cover;

	if (ex_tree_covers_add_up(raw->cover, left, right))
		return EX_OK;
	(void) ex_fail(add->host, EX_INVALID,
				   "covers of the children of node %u of %s do not add up to its own",
				   i, add->label);
	ex_detail(add->host, "The children have %.17g and %.17g, the node %.17g.",
			  left, right, raw->cover);
	return EX_INVALID;
}

/* Fill the place of raw node i, which is the next in breadth-first order. */
static ex_status
fill(addition *add, uint32_t at)
{
	ex_node    *node = nodes_of(add) + at;
	uint32_t	i = (uint32_t) node->left;
	const ex_raw_node *raw = add->tree->node + i;

	EX_TRY(check_raw_node(add, i, raw));
	if (raw->op == EX_LEAF)
		EX_TRY(put_leaf(add->builder, raw, node));
	else
		EX_TRY(put_split(add, i, raw, node));
	if (add->covers)
		EX_TRY(ex_put_f64(add->builder, EX_TREE_COVER, raw->cover + 0.0));	/* no -0 */
	if (add->gains)
		EX_TRY(ex_put_f64(add->builder, EX_TREE_GAIN,
						  raw->op == EX_LEAF ? 0 : isfinite(raw->gain) ? raw->gain : NAN));
	return EX_OK;
}

static ex_status
put_nodes(addition *add)
{
	uint32_t	n = add->tree->n_nodes;
	size_t		size = n * sizeof(ex_node);
	ex_buffer  *nodes = &add->builder->section[EX_TREE_NODE];

	EX_TRY(EX_ALLOC(add->host, n / 8 + 1, &add->seen));
	EX_TRY(ex_reserve(add->host, nodes, size));
	memset(nodes->data + nodes->size, 0, size);
	nodes->size += size;
	add->builder->present[EX_TREE_NODE] = true;

	EX_TRY(place(add, 0, 0));
	for (uint32_t at = 0; at < add->placed; at++)
	{
		EX_TRY(fill(add, at));
		if (at % POLL_NODES == POLL_NODES - 1)
			EX_TRY(ex_poll(add->host));
	}
	for (uint32_t i = 0; i < n && add->placed < n; i++)
	{
		if (!(add->seen[i / 8] & (1u << (i % 8))))
			return ex_fail(add->host, EX_INVALID,
						   "node %u of %s cannot be reached from the root", i, add->label);
	}
	for (uint32_t i = 0; i < n; i++)
		if (add->tree->node[i].op != EX_LEAF)
			EX_TRY(check_children_cover(add, i, add->tree->node + i));
	return EX_OK;
}

static ex_status
check_tree(addition *add)
{
	const ex_raw_tree *tree = add->tree;
	const ex_builder *builder = add->builder;
	bool		vector = tree->output == EX_ALL_OUTPUTS;
	bool		mixes = add->first > 0 &&
	(vector && builder->n_outputs > 1) != builder->present[EX_TREE_LEAF_VECTOR];

	if (tree->n_nodes == 0)
		return ex_fail(add->host, EX_INVALID, "%s has no nodes", add->label);
	if (tree->n_nodes > EX_MAX_TREE_NODES)
		return ex_fail(add->host, EX_LIMIT, "%s has more than %d nodes",
					   add->label, EX_MAX_TREE_NODES);
	if (add->first + tree->n_nodes > EX_MAX_NODES)
		return ex_fail(add->host, EX_LIMIT, "model has more than %d nodes", EX_MAX_NODES);
	if (!isfinite(tree->weight))
		return ex_fail(add->host, EX_RANGE, "weight of %s is not finite", add->label);
	if (builder->n_outputs == 0 || (!vector && tree->output >= builder->n_outputs))
		return ex_fail(add->host, EX_INVALID, "output %u of %s does not exist",
					   tree->output, add->label);
	if (mixes)
		return ex_fail(add->host, EX_INVALID,
					   "trees with one value in a leaf and trees with several cannot be mixed");
	return EX_OK;
}

/*
 * Covers are kept while every tree so far has had them all; gains once any
 * node had one (NaN stands for the others).
 */
static ex_status
decide_statistics(addition *add)
{
	ex_builder *builder = add->builder;
	const ex_raw_tree *tree = add->tree;
	uint32_t	covers = 0;
	uint32_t	gains = 0;

	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		covers += tree->node[i].cover == tree->node[i].cover;
		gains += tree->node[i].op != EX_LEAF && isfinite(tree->node[i].gain);
	}
	add->covers = covers == tree->n_nodes &&
		ex_put_count(builder, EX_TREE_COVER) == add->first;
	if (!add->covers)
		ex_drop(builder, EX_TREE_COVER);

	add->gains = gains > 0 || builder->present[EX_TREE_GAIN];
	for (size_t i = ex_put_count(builder, EX_TREE_GAIN); add->gains && i < add->first; i++)
	{
		const ex_node *node = (const ex_node *) builder->section[EX_TREE_NODE].data + i;

		EX_TRY(ex_put_f64(builder, EX_TREE_GAIN, EX_NODE_OP(node) == EX_LEAF ? 0 : NAN));
	}
	return EX_OK;
}

/* Check a raw tree, put it into the canonical layout and append it. */
ex_status
ex_tree_add(ex_builder *builder, const ex_raw_tree *tree)
{
	addition	add = {.builder = builder, .host = builder->host, .tree = tree};
	size_t		number = ex_put_count(builder, EX_TREE_OUTPUT);

	add.first = ex_put_count(builder, EX_TREE_NODE);
	if (tree->label != NULL)
		snprintf(add.label, sizeof(add.label), "%s", tree->label);
	else
		snprintf(add.label, sizeof(add.label), "tree %zu", number);

	EX_TRY(check_tree(&add));
	EX_TRY(decide_statistics(&add));
	EX_TRY(put_nodes(&add));
	if (number == 0)
		EX_TRY(ex_put_u32(builder, EX_TREE_ROOT, 0));
	EX_TRY(ex_put_u32(builder, EX_TREE_ROOT, (uint32_t) (add.first + tree->n_nodes)));
	EX_TRY(ex_put_u32(builder, EX_TREE_OUTPUT, builder->n_outputs == 1 ? 0 : tree->output));
	EX_TRY(ex_put_f64(builder, EX_TREE_WEIGHT, tree->weight));
	return ex_poll(add.host);
}
