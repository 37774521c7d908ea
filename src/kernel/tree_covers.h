/*
 * tree_covers.h
 *		Node covers of a tree ensemble, counted on background rows.
 *
 * The cover of a node is the weight of the rows that reach it, where training
 * has left none in the file (ONNX has no place for them).  They are what the
 * path-dependent Shapley values call the share of a branch (Lundberg et al.
 * 2020, algorithm 1).
 *
 * A row goes down by the model's own rules, for missing values as well.  A
 * cover is the sum of those of its children, bit for bit; with weights that
 * are whole numbers it is exact.  Nodes that no row reaches have a cover of 0:
 * they are never taken where their parent has one, and below them both
 * branches count half.
 */
#ifndef EX_TREE_COVERS_H
#define EX_TREE_COVERS_H

#include "family.h"
#include "tree.h"

/* What ex_edit_covers has found. */
typedef struct ex_cover_count
{
	uint32_t	nodes;			/* of all trees */
	uint32_t	unreached;		/* of them, by no row */
} ex_cover_count;

/*
 * cover[view->n_nodes] from feature vectors row[n * p] with weights (NULL:
 * all 1).  Time: rows * trees * depth.
 */
extern ex_status ex_tree_covers(ex_host *host, const ex_tree_view *view, const double *row,
								const double *weight, uint32_t n, double *cover);

/*
 * The same as a change of a model (model_edit.h).  EX_UNSUPPORTED without
 * trees; EX_INVALID without rows, and where there are covers already unless
 * `replace`; EX_RANGE where the weights add up to infinity.
 */
extern ex_status ex_edit_covers(ex_builder *builder, const ex_model *model, const double *row,
								const double *weight, uint32_t n, bool replace,
								ex_cover_count *count);

#endif							/* EX_TREE_COVERS_H */
