/*
 * tree.h
 *		The tree family: ensembles of decision trees.
 *
 *		raw[k] = base[k] + sum over trees t of weight[t] * leaf_t(x)[k]
 *
 * (with aggregation 'mean' the sum is divided by the sum of the weights of
 * the trees that feed output k).  All comparisons are x <= threshold in
 * double; importers fold float32 casts and strict comparisons into the
 * threshold (FORMATS 2.3), so that every library's trees are walked by one
 * rule.
 *
 * Nodes of a tree are contiguous and breadth-first: root first, a node's two
 * children adjacent (right = left + 1) and after their parent.  Hence no
 * cycles, one parent each, loops instead of recursion.
 */
#ifndef EX_TREE_H
#define EX_TREE_H

#include "model.h"

typedef enum ex_node_op
{
	EX_LEAF = 0,
	EX_LE,						/* x <= value: left */
	EX_IN,						/* level in set: left; value is the set's
								 * number */
	EX_ISNULL					/* value missing: left */
} ex_node_op;

/*
 * info = feature | op << 24 | flags; feature is 0 in leaves.
 * Where go: missing (NaN) -> default side; ISNULL tests it instead.
 * ZERO_MISSING: |x| <= 1e-35f counts as missing (LightGBM zero_as_missing).
 */
typedef struct ex_node
{
	double		value;			/* threshold, set number, leaf value or leaf
								 * vector number */
	int32_t		left;			/* within the tree, from its root = 0; in a
								 * leaf the number of its linear model or -1 */
	uint32_t	info;
} ex_node;

#define EX_NODE_FEATURE(node)	((node)->info & 0x00ffffffu)
#define EX_NODE_OP(node)		((ex_node_op) (((node)->info >> 24) & 0x0fu))
#define EX_NODE_DEFAULT_LEFT	0x10000000u
#define EX_NODE_ZERO_MISSING	0x20000000u
#define EX_ZERO_EPSILON			((double) 1e-35f)

/* Published limit of one tree; its raw nodes must fit one allocation. */
#define EX_MAX_TREE_NODES	(8 * 1024 * 1024)

#define EX_ALL_OUTPUTS			0xffffffffu

/* Typed view on the sections of a tree model. */
typedef struct ex_tree_view
{
	const ex_model *model;
	uint32_t	n_trees;
	uint32_t	n_nodes;
	uint32_t	n_outputs;
	uint32_t	n_features;
	bool		vector_leaves;	/* node value is a row of leaf_vector */
	const double *base;
	const uint32_t *root;
	const uint32_t *output;
	const double *weight;
	const ex_node *node;
	const double *cover;		/* NULL without */
	const double *gain;			/* NULL without */
	const uint32_t *set_start;
	const uint32_t *set_word;
	const double *leaf_vector;
	uint32_t	n_linear;
	const uint32_t *linear_start;
	const uint32_t *linear_feature;
	const double *linear_coef;
	const double *linear_const;
} ex_tree_view;

extern void ex_tree_open(const ex_model *model, ex_tree_view *view);

/* Does x go left at this node?  (leaves: undefined) */
static inline bool
ex_goes_left(const ex_tree_view *view, const ex_node *node, double x)
{
	ex_node_op	op = EX_NODE_OP(node);
	bool		missing = x != x;

	if ((node->info & EX_NODE_ZERO_MISSING) && x <= EX_ZERO_EPSILON && x >= -EX_ZERO_EPSILON)
		missing = true;
	if (op == EX_ISNULL)
		return missing;
	if (missing)
		return (node->info & EX_NODE_DEFAULT_LEFT) != 0;
	if (op == EX_LE)
		return x <= node->value;
	else
	{
		uint32_t	set = (uint32_t) node->value;
		uint32_t	first = view->set_start[set];
		uint32_t	words = view->set_start[set + 1] - first;

		/* unknown levels are -1 and therefore in no set */
		if (!(x >= 0) || x >= 32.0 * words)
			return false;
		else
		{
			uint32_t	code = (uint32_t) x;

			return (view->set_word[first + code / 32] >> (code % 32)) & 1;
		}
	}
}

/* The leaf of tree t that feature vector x reaches. */
static inline const ex_node *
ex_tree_find_leaf(const ex_tree_view *view, uint32_t tree, const double *x)
{
	const ex_node *root = view->node + view->root[tree];
	const ex_node *node = root;

	while (EX_NODE_OP(node) != EX_LEAF)
		node = root + node->left + !ex_goes_left(view, node, x[EX_NODE_FEATURE(node)]);
	return node;
}

/*
 * A tree as files and tables describe it: nodes in any order, children
 * anywhere.  ex_tree_add checks it (every index, one parent each, no cycle,
 * everything reachable), puts it into breadth-first order and appends it.
 */
typedef struct ex_raw_node
{
	ex_node_op	op;
	uint32_t	feature;
	double		threshold;		/* EX_LE */
	const uint32_t *set;		/* EX_IN: bitmap of the levels that go left */
	uint32_t	set_words;
	int32_t		left;			/* index of the child; -1 in leaves */
	int32_t		right;
	bool		default_left;	/* side of missing values */
	bool		zero_missing;
	double		value;			/* EX_LEAF, scalar leaves */
	const double *vector;		/* EX_LEAF, K values, vector leaves */
	uint32_t	n_linear;		/* EX_LEAF: linear model of the leaf, or 0
								 * terms */
	bool		linear;			/* the leaf has a linear model (value is its
								 * fall-back) */
	double		linear_const;
	const uint32_t *linear_feature;
	const double *linear_coef;
	double		cover;			/* NaN: unknown */
	double		gain;			/* NaN: unknown; LightGBM writes inf for
								 * overflow: the same */
} ex_raw_node;

typedef struct ex_raw_tree
{
	uint32_t	output;			/* or EX_ALL_OUTPUTS with vector leaves */
	double		weight;
	uint32_t	n_nodes;		/* node 0 is the root */
	const ex_raw_node *node;
	const char *label;			/* for messages: "tree 3"; NULL: the tree's
								 * number */
} ex_raw_tree;

/*
 * builder->n_outputs must be set; features may be put later.  Covers are kept
 * only if all nodes of all trees have one.  With one output, vector leaves
 * are stored as scalar ones.  After an error the builder is of no use.
 */
extern ex_status ex_tree_add(ex_builder *builder, const ex_raw_tree *tree);

/*
 * Do covers of children sum to their parent's?  To 1e-5 of it: XGBoost prints
 * float32 sums, up to 1.6e-7 off in its own files; LightGBM's and
 * scikit-learn's add up exactly.  An unknown cover (NaN) passes.
 */
extern bool ex_tree_covers_add_up(double parent, double left, double right);

/* Largest double t such that float32 rounding of x is < limit (strict) or <= limit. */
extern double ex_fold_float32(float limit, bool strict);

/* the same for float32(x) <= a double threshold (scikit-learn) */
extern double ex_fold_float32_le(double limit);

#endif							/* EX_TREE_H */
