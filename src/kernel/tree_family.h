/*
 * tree_family.h
 *		The tree family's table of operations and its compiled state.
 *
 * A compiled tree model is the typed view on the stored sections, a few
 * numbers per tree, and memos that kernels add when they are first needed:
 * the predictor's compact nodes (tree_predict.c) and the tables of the
 * Shapley kernels (tree_shap*.c).  A memo counts towards
 * compiled->table_bytes; when it would pass compiled->table_limit the kernel
 * works from the stored nodes instead, with the same result.
 */
#ifndef EX_TREE_FAMILY_H
#define EX_TREE_FAMILY_H

#include "family.h"
#include "tree.h"

struct ex_tree_walker;
struct ex_tree_shap_tables;

typedef struct ex_tree_state
{
	ex_tree_view view;

	/*
	 * What one unit of a leaf of tree t adds to the raw prediction: its
	 * weight, divided by `divisor` of the output it feeds where trees are
	 * averaged.
	 */
	const double *scale;		/* T */
	const double *divisor;		/* K: 1 for a sum; the sum of weights for a
								 * mean */
	const uint32_t *depth;		/* T: edges from the root to the deepest leaf */

	struct ex_tree_walker *walker;	/* tree_predict.c; NULL until needed */
	bool		no_walker;		/* there was no room for one */
	struct ex_tree_shap_tables *shap;	/* tree_shap*.c; NULL until needed */
} ex_tree_state;

extern const ex_family ex_tree_family;

static inline ex_tree_state *
ex_tree_state_of(const ex_compiled *compiled)
{
	return compiled->state;
}

/*
 * Value of leaf `node` for feature vector x, before the tree's weight: the
 * number in the node, or its linear model where it has one and no feature of
 * that is missing.  Models with vector leaves: see ex_tree_leaf_vector.
 */
extern double ex_tree_leaf_value(const ex_tree_view *view, const ex_node *node, const double *x);

/* The K values of a leaf in a model with vector leaves. */
static inline const double *
ex_tree_leaf_vector(const ex_tree_view *view, const ex_node *node)
{
	return view->leaf_vector + (size_t) node->value * view->n_outputs;
}

/* The operations in ex_tree_family that have a file of their own. */
extern ex_status ex_tree_validate(ex_host *host, const ex_model *model);
extern ex_status ex_tree_read_json(ex_builder *builder, ex_json *json, ex_json_value document);
extern ex_status ex_tree_write_json(ex_host *host, const ex_model *model, ex_buffer *out);
extern ex_status ex_tree_fold(ex_host *host, const ex_model *encoded, const ex_encoding *encoding,
							  ex_builder *builder);
extern ex_status ex_tree_align(ex_builder *builder, const ex_model *model, const ex_feature_map *map);
extern ex_status ex_tree_predict_raw(ex_compiled *compiled, ex_host *host, const double *x,
									 size_t n, double *raw);

#endif							/* EX_TREE_FAMILY_H */
