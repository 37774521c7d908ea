/*
 * tree_fold.c
 *		Preprocessing, absorbed into the splits of trees (fold.h, FORMATS 2.3).
 *
 * A test "z <= t" on a made column is one on its original feature:
 *
 *	- scaled value: x against the largest x with z(x) <= t, found on the grid of
 *	  doubles; a negative scale swaps the children;
 *	- dummy of a level: z has two values, so either all rows go one way or the
 *	  level alone goes the other: a set of one level.  Unknown and dropped
 *	  levels have z = 0 and are in no set;
 *	- number of a bin: x against the edge between two bins;
 *	- dummy of a bin: x against its upper, then its lower edge.  What lies
 *	  outside is on both sides, so that subtree is needed twice and how its
 *	  cover divides is not known: such a model has no covers.  One edge at
 *	  infinity leaves one test, and the covers;
 *	- missing indicator: the test for missing.
 *
 * ex_fold has checked that levels are asked of categorical features and bins
 * made of numeric ones.
 *
 * Where a missing value goes is where its z, imputed or not, goes.  The
 * folded tree sends every row to the leaf that the original pipeline sends it
 * to; only linear leaves over scaled columns are equal up to rounding.
 */
#include <math.h>
#include <string.h>

#include "tree_family.h"

/*
 * A path through n bins needs up to 2^n copies of what follows; a few lines of
 * JSON must not fill the memory.
 */
#define MOST_DOUBLED (1024 * 1024)

/* Nodes between two questions to the host whether to stop. */
#define POLL_NODES 65536

/* A test on an original feature in place of one on a column. */
typedef struct folded_test
{
	ex_node_op	op;
	double		threshold;		/* EX_LE */
	const uint32_t *set;		/* EX_IN */
	uint32_t	set_words;
	bool		true_left;		/* a row that passes goes where the column's
								 * test has "left" */
	bool		missing_left;
	bool		zero_missing;
	bool		has_low;		/* rows that pass must also have x > low */
	double		low;
} folded_test;

/* One output node: which encoded node it stands for, and which of its tests. */
typedef struct origin
{
	uint32_t	node;
	bool		lower_edge;
} origin;

typedef struct folding
{
	ex_host    *host;
	ex_tree_view view;			/* the encoded model */
	const ex_encoding *encoding;
	ex_builder *builder;
	uint32_t	tree;
	ex_buffer	nodes;			/* ex_raw_node: the tree under way */
	ex_buffer	origins;		/* one for each */
	uint32_t	n;
	bool		doubled;		/* a subtree stands in it twice */
	size_t		set_bytes;		/* of all sets that were made */
} folding;

static ex_feature_kind
kind_of(const folding *f, uint32_t feature)
{
	return (ex_feature_kind) (uint8_t) f->builder->section[EX_FEATURE_KIND].data[feature];
}

static uint32_t
levels_of(const folding *f, uint32_t feature)
{
	return ((const uint32_t *) f->builder->section[EX_FEATURE_LEVELS].data)[feature];
}

static bool
is_identity(const ex_encoded_column *column)
{
	return column->op == EX_ENCODE_VALUE && column->center == 0 && column->scale == 1;
}

static ex_status
cannot_fold(folding *f, const char *why)
{
	(void) ex_fail(f->host, EX_UNSUPPORTED, "preprocessing cannot be folded into the model");
	ex_detail(f->host, "%s (tree %u).", why, f->tree);
	return EX_UNSUPPORTED;
}

/* Does a value of the column before scaling go left? */
static bool
value_goes_left(const folding *f, const ex_node *node, const ex_encoded_column *column, double value)
{
	return ex_goes_left(&f->view, node, (value - column->center) / column->scale);
}

/* ----------------------------------------------------------------
 * One test
 * ---------------------------------------------------------------- */

/* All rows that have a value go the same way. */
static void
fold_constant(const folding *f, uint32_t feature, bool left, folded_test *test)
{
	if (kind_of(f, feature) == EX_CATEGORICAL)
	{
		test->op = EX_IN;		/* in the empty set is nothing */
		test->true_left = !left;
	}
	else
	{
		test->op = EX_LE;
		test->threshold = INFINITY;
		test->true_left = left;
	}
}

/* An empty set that can hold levels 0 .. n_levels - 1. */
static ex_status
make_set(folding *f, uint32_t n_levels, folded_test *test, uint32_t **set)
{
	test->op = EX_IN;
	test->set_words = (n_levels + 31) / 32;
	f->set_bytes += test->set_words * sizeof(uint32_t);
	if (f->set_bytes > EX_MAX_MODEL_SIZE)
		return ex_fail(f->host, EX_LIMIT, "sets of levels need more than %zu bytes", EX_MAX_MODEL_SIZE);
	EX_TRY(EX_ALLOC(f->host, test->set_words, set));
	test->set = *set;
	return EX_OK;
}

/* A set that holds those levels whose z goes one way, the way of unknown levels being the other. */
static ex_status
fold_level_codes(folding *f, const ex_node *node, const ex_encoded_column *column, folded_test *test)
{
	uint32_t	n_levels = levels_of(f, column->feature);
	uint32_t   *set;

	EX_TRY(make_set(f, n_levels, test, &set));
	test->true_left = !value_goes_left(f, node, column, -1);
	for (uint32_t level = 0; level < n_levels; level++)
		if (value_goes_left(f, node, column, level) == test->true_left)
			set[level / 32] |= 1u << (level % 32);
	return ex_poll(f->host);
}

static ex_status
fold_value_le(folding *f, const ex_node *node, const ex_encoded_column *column, folded_test *test)
{
	double		t = node->value;

	test->op = EX_LE;
	test->true_left = column->scale > 0;
	if (kind_of(f, column->feature) == EX_CATEGORICAL)
		return fold_level_codes(f, node, column, test);
	if (is_identity(column))
		test->threshold = t;
	else if (t == INFINITY)
		fold_constant(f, column->feature, true, test);
	else if (column->scale > 0)
		test->threshold = ex_fold_affine(t, column->center, column->scale);
	else						/* z > t: (x - center) / |scale| < -t */
		test->threshold = ex_fold_affine(nextafter(-t, -INFINITY), column->center, -column->scale);
	return EX_OK;
}

static ex_status
fold_value(folding *f, const ex_node *node, const ex_encoded_column *column, folded_test *test)
{
	uint32_t	set;

	switch (EX_NODE_OP(node))
	{
		case EX_LE:
			return fold_value_le(f, node, column, test);
		case EX_ISNULL:
			test->op = EX_ISNULL;
			test->true_left = true;
			if (column->imputes)	/* nothing is missing then */
				fold_constant(f, column->feature, false, test);
			return EX_OK;
		default:
			if (!is_identity(column) || kind_of(f, column->feature) != EX_CATEGORICAL)
				return cannot_fold(f, "A set of levels is tested on a column that is not a categorical feature");
			set = (uint32_t) node->value;
			test->op = EX_IN;
			test->set = f->view.set_word + f->view.set_start[set];
			test->set_words = f->view.set_start[set + 1] - f->view.set_start[set];
			test->true_left = true;
			return EX_OK;
	}
}

static ex_status
fold_level(folding *f, const ex_node *node, const ex_encoded_column *column, folded_test *test)
{
	bool		is_left = value_goes_left(f, node, column, 1);
	bool		other_left = value_goes_left(f, node, column, 0);
	uint32_t   *set;

	if (is_left == other_left)
	{
		fold_constant(f, column->feature, is_left, test);
		return EX_OK;
	}
	EX_TRY(make_set(f, column->level + 1, test, &set));
	set[column->level / 32] |= 1u << (column->level % 32);
	test->true_left = is_left;
	return EX_OK;
}

static void
fold_bin(folding *f, const ex_node *node, const ex_encoded_column *column, folded_test *test)
{
	bool		inside_left = value_goes_left(f, node, column, 1);
	bool		outside_left = value_goes_left(f, node, column, 0);

	if (inside_left == outside_left || column->low >= column->high)
	{
		fold_constant(f, column->feature, outside_left, test);
		return;
	}
	test->op = EX_LE;
	test->threshold = column->high;
	test->true_left = inside_left;
	if (column->high == INFINITY && column->low > -INFINITY)
	{
		test->threshold = column->low;
		test->true_left = outside_left;
	}
	else
	{
		test->has_low = column->low > -INFINITY;
		test->low = column->low;
	}
}

static void
fold_bin_number(folding *f, const ex_node *node, const ex_encoded_column *column, folded_test *test)
{
	bool		first_left = value_goes_left(f, node, column, 0);

	for (uint32_t bin = 1; bin <= column->n_edges; bin++)
		if (value_goes_left(f, node, column, bin) != first_left)
		{
			test->op = EX_LE;
			test->threshold = column->edges[bin - 1];
			test->true_left = first_left;
			return;
		}
	fold_constant(f, column->feature, first_left, test);
}

static void
fold_missing(folding *f, const ex_node *node, const ex_encoded_column *column, folded_test *test)
{
	bool		missing_left = value_goes_left(f, node, column, 1);
	bool		present_left = value_goes_left(f, node, column, 0);

	if (missing_left == present_left)
		fold_constant(f, column->feature, present_left, test);
	else
	{
		test->op = EX_ISNULL;
		test->true_left = missing_left;
	}
}

/* Zero as missing survives only where z is x itself and missing values go where 0 goes. */
static ex_status
fold_zero_missing(folding *f, const ex_node *node, const ex_encoded_column *column, folded_test *test)
{
	test->zero_missing = (node->info & EX_NODE_ZERO_MISSING) != 0;
	if (test->zero_missing &&
		!(is_identity(column) && test->missing_left == ex_goes_left(&f->view, node, NAN)))
		return cannot_fold(f, "Zero counts as missing in a column that is scaled, encoded or imputed");
	return EX_OK;
}

static ex_status
fold_test(folding *f, const ex_node *node, folded_test *test)
{
	const ex_encoded_column *column = &f->encoding->column[EX_NODE_FEATURE(node)];

	memset(test, 0, sizeof(*test));
	test->missing_left = ex_goes_left(&f->view, node, ex_encode(column, NAN));
	EX_TRY(fold_zero_missing(f, node, column, test));
	if (EX_NODE_OP(node) == EX_IN && column->op != EX_ENCODE_VALUE)
		return cannot_fold(f, "A set of levels is tested on a column that is not a categorical feature");
	switch (column->op)
	{
		case EX_ENCODE_VALUE:
			return fold_value(f, node, column, test);
		case EX_ENCODE_LEVEL:
			return fold_level(f, node, column, test);
		case EX_ENCODE_BIN:
			fold_bin(f, node, column, test);
			return EX_OK;
		case EX_ENCODE_BIN_NUMBER:
			fold_bin_number(f, node, column, test);
			return EX_OK;
		case EX_ENCODE_MISSING:
			fold_missing(f, node, column, test);
			return EX_OK;
	}
	return cannot_fold(f, "An encoding is unknown");
}

/* ----------------------------------------------------------------
 * One tree
 * ---------------------------------------------------------------- */

static ex_raw_node *
node_at(folding *f, uint32_t i)
{
	return (ex_raw_node *) f->nodes.data + i;
}

/* Append a node that stands for an encoded one; its number goes to *number. */
static ex_status
append_node(folding *f, uint32_t encoded, bool lower_edge, int32_t *number)
{
	const ex_raw_node empty = {.left = -1, .right = -1, .cover = NAN, .gain = NAN};
	const origin from = {encoded, lower_edge};

	if (f->doubled && f->n >= MOST_DOUBLED)
	{
		(void) ex_fail(f->host, EX_LIMIT, "tree %u has more than %d nodes when bins are folded",
					   f->tree, MOST_DOUBLED);
		ex_hint(f->host, "Give the model the bin's number (\"edges\") instead of one column for each bin.");
		return EX_LIMIT;
	}
	*number = (int32_t) f->n++;
	EX_TRY(ex_append(f->host, &f->nodes, &empty, sizeof(empty)));
	return ex_append(f->host, &f->origins, &from, sizeof(from));
}

/* const' + sum of coef' * x from const + sum of coef * (x - center) / scale */
static ex_status
fold_linear_leaf(folding *f, const ex_node *leaf, ex_raw_node *node)
{
	const ex_tree_view *view = &f->view;
	uint32_t	first = view->linear_start[leaf->left];
	uint32_t   *feature;
	double	   *coef;

	node->linear = true;
	node->n_linear = view->linear_start[leaf->left + 1] - first;
	node->linear_const = view->linear_const[leaf->left];
	EX_TRY(EX_ALLOC(f->host, node->n_linear, &feature));
	EX_TRY(EX_ALLOC(f->host, node->n_linear, &coef));
	for (uint32_t i = 0; i < node->n_linear; i++)
	{
		const ex_encoded_column *column = &f->encoding->column[view->linear_feature[first + i]];

		if (column->op != EX_ENCODE_VALUE || column->imputes)
			return cannot_fold(f, "A linear leaf uses a column that is encoded or imputed");
		feature[i] = column->feature;
		coef[i] = view->linear_coef[first + i] / column->scale;
		node->linear_const -= view->linear_coef[first + i] * column->center / column->scale;
	}
	node->linear_feature = feature;
	node->linear_coef = coef;
	return EX_OK;
}

static ex_status
fold_leaf(folding *f, const ex_node *leaf, ex_raw_node *node)
{
	node->op = EX_LEAF;
	if (f->view.vector_leaves)
		node->vector = ex_tree_leaf_vector(&f->view, leaf);
	else
		node->value = leaf->value;
	return leaf->left >= 0 ? fold_linear_leaf(f, leaf, node) : EX_OK;
}

/*
 * The children of output node i.  A bin with two edges makes a chain of two
 * nodes; `lower_edge` says that i is the second of them.
 */
static ex_status
append_children(folding *f, uint32_t i, const ex_node *encoded, const folded_test *test, bool lower_edge)
{
	uint32_t	self = ((const origin *) f->origins.data)[i].node;
	uint32_t	first_child = f->view.root[f->tree] + (uint32_t) encoded->left;
	uint32_t	passed = first_child + !test->true_left;
	uint32_t	failed = first_child + test->true_left;
	int32_t		left;
	int32_t		right;

	if (lower_edge)
	{
		EX_TRY(append_node(f, failed, false, &left));
		EX_TRY(append_node(f, passed, false, &right));
	}
	else
	{
		EX_TRY(append_node(f, test->has_low ? self : passed, test->has_low, &left));
		EX_TRY(append_node(f, failed, false, &right));
	}
	node_at(f, i)->left = left;
	node_at(f, i)->right = right;
	return EX_OK;
}

static ex_status
fold_node(folding *f, uint32_t i)
{
	const origin from = ((const origin *) f->origins.data)[i];
	const ex_node *encoded = f->view.node + from.node;
	ex_raw_node *node = node_at(f, i);
	folded_test test;

	if (f->view.cover != NULL)
		node->cover = f->view.cover[from.node];
	if (EX_NODE_OP(encoded) == EX_LEAF)
		return fold_leaf(f, encoded, node);
	EX_TRY(fold_test(f, encoded, &test));
	if (f->view.gain != NULL)
		node->gain = f->view.gain[from.node];
	f->doubled |= test.has_low;
	node->op = test.op;
	node->feature = f->encoding->column[EX_NODE_FEATURE(encoded)].feature;
	node->threshold = from.lower_edge ? test.low : test.threshold;
	node->set = test.set;
	node->set_words = test.set_words;
	node->zero_missing = test.zero_missing;
	/* on the lower edge, to pass is to go right */
	node->default_left = (test.missing_left == test.true_left) != from.lower_edge;
	return append_children(f, i, encoded, &test, from.lower_edge);
}

/* The output is its own queue: nodes are folded in the order they were made. */
static ex_status
fold_tree(folding *f)
{
	uint32_t	output = f->view.output[f->tree];
	ex_raw_tree raw = {.output = output, .weight = f->view.weight[f->tree]};
	int32_t		root;

	f->n = 0;
	f->nodes.size = f->origins.size = 0;
	f->doubled = false;
	EX_TRY(append_node(f, f->view.root[f->tree], false, &root));
	for (uint32_t i = 0; i < f->n; i++)
	{
		EX_TRY(fold_node(f, i));
		if (i % POLL_NODES == POLL_NODES - 1)
			EX_TRY(ex_poll(f->host));
	}
	for (uint32_t i = 0; f->doubled && i < f->n; i++)
		node_at(f, i)->cover = node_at(f, i)->gain = NAN;
	raw.n_nodes = f->n;
	raw.node = node_at(f, 0);
	return ex_tree_add(f->builder, &raw);
}

ex_status
ex_tree_fold(ex_host *host, const ex_model *encoded, const ex_encoding *encoding, ex_builder *builder)
{
	folding		f = {.host = host, .encoding = encoding, .builder = builder};

	ex_tree_open(encoded, &f.view);
	EX_TRY(ex_put(builder, EX_TREE_BASE, f.view.base, f.view.n_outputs));
	for (f.tree = 0; f.tree < f.view.n_trees; f.tree++)
		EX_TRY(fold_tree(&f));
	return EX_OK;
}
