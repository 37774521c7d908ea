/*
 * tree_describe.h
 *		What people and charts want to know of a tree: its nodes as they were
 *		given, its shape on paper, the path of a row, tests in words, and which
 *		features it splits on.
 *
 * Nodes are numbered within their tree, the root is 0.  Results for all nodes
 * of a tree are arrays in that order.  Nothing recurses; a chain of a million
 * nodes is drawn like any other tree.
 */
#ifndef EX_TREE_DESCRIBE_H
#define EX_TREE_DESCRIBE_H

#include "tree.h"

/* "leaf", "<=", "in", "is null": by ex_node_op */
#define EX_N_NODE_OPS 4
extern const char *const ex_node_op_names[EX_N_NODE_OPS];

static inline uint32_t
ex_tree_size(const ex_tree_view *view, uint32_t tree)
{
	return view->root[tree + 1] - view->root[tree];
}

/*
 * Node i of a tree as ex_tree_add would take it.  Sets, vectors and linear
 * terms point into the model; cover and gain are NaN where unknown; the gain
 * of a leaf is NaN.
 */
extern void ex_tree_get_node(const ex_tree_view *view, uint32_t tree, uint32_t i, ex_raw_node *node);

/* Where a node stands when its tree is drawn. */
typedef struct ex_tree_place
{
	int32_t		parent;			/* -1 for the root */
	uint32_t	depth;			/* edges from the root: y of a drawing */
	double		x;				/* a leaf's rank from left to right, 0, 1,
								 * ...; else the middle between the two
								 * children */
} ex_tree_place;

/* place[ex_tree_size()] of one tree, in the host's memory. */
extern ex_status ex_tree_layout(ex_host *host, const ex_tree_view *view, uint32_t tree,
								ex_tree_place **place);

/*
 * The nodes that feature vector x visits, root first, leaf last; *n of them,
 * in the host's memory.
 */
extern ex_status ex_tree_path(ex_host *host, const ex_tree_view *view, uint32_t tree,
							  const double *x, uint32_t **node, uint32_t *n);

/*
 * What holds for the rows that go from a split to one of its children, in
 * words: age <= 41.5, colour not in (red, blue), income > 3 or missing.
 * Missing values are mentioned where the feature may have them and the child
 * gets them; of long sets the first EX_WORDS_LEVELS levels are named.
 */
#define EX_WORDS_LEVELS 20
extern ex_status ex_tree_words(ex_host *host, const ex_tree_view *view, uint32_t tree, uint32_t i,
							   bool left, ex_buffer *out);

/*
 * Split-based importance of one feature: number of splits, and the sums of
 * their gains (NaN where no split of the model has one; unknown ones count
 * nothing) and covers (NaN without covers).
 */
typedef struct ex_tree_importance
{
	double		splits;
	double		gain;
	double		cover;
} ex_tree_importance;

/* importance[p], overwritten. */
extern ex_status ex_tree_split_importance(ex_host *host, const ex_tree_view *view,
										  ex_tree_importance *importance);

#endif							/* EX_TREE_DESCRIBE_H */
