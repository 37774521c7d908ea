/*
 * tree_covers.c
 *		Node covers of a tree ensemble, counted on background rows.
 */
#include "tree_covers.h"

#include <math.h>
#include <string.h>

/* Walks between two questions to the host whether to stop: below 1 ms. */
#define POLL_WALKS 4096

/* Adds the row's weight to the leaves it reaches. */
static ex_status
count_leaves(ex_host *host, const ex_tree_view *view, const double *x, double weight, double *cover)
{
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		cover[ex_tree_find_leaf(view, t, x) - view->node] += weight;
		if (t % POLL_WALKS == POLL_WALKS - 1)
			EX_TRY(ex_poll(host));
	}
	return EX_OK;
}

/* From leaves to roots: children come after their parent. */
static void
sum_up(const ex_tree_view *view, double *cover)
{
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		const ex_node *root = view->node + view->root[t];
		double	   *of = cover + view->root[t];

		for (uint32_t i = view->root[t + 1] - view->root[t]; i-- > 0;)
			if (EX_NODE_OP(&root[i]) != EX_LEAF)
				of[i] = of[root[i].left] + of[root[i].left + 1];
	}
}

ex_status
ex_tree_covers(ex_host *host, const ex_tree_view *view, const double *row, const double *weight,
			   uint32_t n, double *cover)
{
	uint32_t	rows_per_poll = 1 + POLL_WALKS / (1 + view->n_trees);

	memset(cover, 0, view->n_nodes * sizeof(double));
	for (uint32_t r = 0; r < n; r++)
	{
		if (r % rows_per_poll == 0)
			EX_TRY(ex_poll(host));
		EX_TRY(count_leaves(host, view, row + (size_t) r * view->n_features,
							weight == NULL ? 1 : weight[r], cover));
	}
	sum_up(view, cover);
	return EX_OK;
}

static ex_status
refuse(ex_host *host, const ex_model *model, uint32_t n, bool replace)
{
	if (model->family != EX_TREE)
		return ex_fail(host, EX_UNSUPPORTED, "models of family \"%s\" have no covers",
					   ex_family_by_id(model->family)->name);
	if (ex_get(model, EX_TREE_COVER, NULL) != NULL && !replace)
	{
		ex_fail(host, EX_INVALID, "model has covers already");
		ex_hint(host, "Those of its training are the better ones; replace => true counts them anew.");
		return EX_INVALID;
	}
	if (n == 0)
	{
		ex_fail(host, EX_INVALID, "covers need background rows, which the model does not have");
		ex_hint(host, "Give a sample, explain.with_covers(model, background), or attach one to the model first: explain.with_background.");
		return EX_INVALID;
	}
	return EX_OK;
}

ex_status
ex_edit_covers(ex_builder *builder, const ex_model *model, const double *row, const double *weight,
			   uint32_t n, bool replace, ex_cover_count *count)
{
	ex_host    *host = builder->host;
	ex_tree_view view;
	double	   *cover;

	EX_TRY(refuse(host, model, n, replace));
	ex_tree_open(model, &view);
	EX_TRY(EX_ALLOC(host, view.n_nodes, &cover));
	EX_TRY(ex_tree_covers(host, &view, row, weight, n, cover));
	if (!isfinite(cover[0]))
		return ex_fail(host, EX_RANGE, "weights of the background are too large");
	count->nodes = view.n_nodes;
	count->unreached = 0;
	for (uint32_t i = 0; i < view.n_nodes; i++)
		count->unreached += cover[i] == 0;
	ex_drop(builder, EX_TREE_COVER);
	return ex_put(builder, EX_TREE_COVER, cover, view.n_nodes);
}
