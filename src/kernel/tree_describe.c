/*
 * tree_describe.c
 *		Nodes, drawings, paths, words and importance: see tree_describe.h.
 */
#include <math.h>
#include <string.h>

#include "tree_describe.h"

/* Nodes between two questions to the host whether to stop. */
#define POLL_NODES 65536

const char *const ex_node_op_names[EX_N_NODE_OPS] = {
	[EX_LEAF] = "leaf",
	[EX_LE] = "<=",
	[EX_IN] = "in",
	[EX_ISNULL] = "is null"
};

/* ----------------------------------------------------------------
 * Nodes
 * ---------------------------------------------------------------- */

static void
get_linear(const ex_tree_view *view, const ex_node *leaf, ex_raw_node *node)
{
	uint32_t	first;

	if (leaf->left < 0)
		return;
	first = view->linear_start[leaf->left];
	node->linear = true;
	node->n_linear = view->linear_start[leaf->left + 1] - first;
	node->linear_const = view->linear_const[leaf->left];
	node->linear_feature = view->linear_feature + first;
	node->linear_coef = view->linear_coef + first;
}

void
ex_tree_get_node(const ex_tree_view *view, uint32_t tree, uint32_t i, ex_raw_node *node)
{
	const ex_node *stored = view->node + view->root[tree] + i;
	bool		leaf = EX_NODE_OP(stored) == EX_LEAF;

	memset(node, 0, sizeof(*node));
	node->op = EX_NODE_OP(stored);
	node->feature = EX_NODE_FEATURE(stored);
	node->left = leaf ? -1 : stored->left;
	node->right = leaf ? -1 : stored->left + 1;
	node->default_left = (stored->info & EX_NODE_DEFAULT_LEFT) || node->op == EX_ISNULL;
	node->zero_missing = (stored->info & EX_NODE_ZERO_MISSING) != 0;
	node->cover = view->cover != NULL ? view->cover[view->root[tree] + i] : NAN;
	node->gain = view->gain != NULL && !leaf ? view->gain[view->root[tree] + i] : NAN;
	if (node->op == EX_LE)
		node->threshold = stored->value;
	else if (node->op == EX_IN)
	{
		uint32_t	set = (uint32_t) stored->value;

		node->set = view->set_word + view->set_start[set];
		node->set_words = view->set_start[set + 1] - view->set_start[set];
	}
	else if (leaf && view->vector_leaves)
		node->vector = view->leaf_vector + (size_t) stored->value * view->n_outputs;
	else if (leaf)
	{
		node->value = stored->value;
		get_linear(view, stored, node);
	}
}

/* ----------------------------------------------------------------
 * Drawing
 * ---------------------------------------------------------------- */

/* Parents come before their children, so one pass forward passes things down. */
static void
place_depths(const ex_node *root, uint32_t n, ex_tree_place *place)
{
	place[0].parent = -1;
	for (uint32_t i = 0; i < n; i++)
	{
		if (EX_NODE_OP(root + i) == EX_LEAF)
			continue;
		for (int32_t child = root[i].left; child <= root[i].left + 1; child++)
		{
			place[child].parent = (int32_t) i;
			place[child].depth = place[i].depth + 1;
		}
	}
}

/*
 * x: first the number of leaves below each node, upwards; then, downwards,
 * the rank of the first of them; then, upwards, the middle of the children.
 */
static void
place_across(const ex_node *root, uint32_t n, uint32_t *leaves, ex_tree_place *place)
{
	for (uint32_t i = n; i-- > 0;)
		leaves[i] = EX_NODE_OP(root + i) == EX_LEAF ? 1 :
			leaves[root[i].left] + leaves[root[i].left + 1];
	for (uint32_t i = 0; i < n; i++)
	{
		if (EX_NODE_OP(root + i) == EX_LEAF)
			continue;
		place[root[i].left].x = place[i].x;
		place[root[i].left + 1].x = place[i].x + leaves[root[i].left];
	}
	for (uint32_t i = n; i-- > 0;)
		if (EX_NODE_OP(root + i) != EX_LEAF)
			place[i].x = (place[root[i].left].x + place[root[i].left + 1].x) / 2;
}

ex_status
ex_tree_layout(ex_host *host, const ex_tree_view *view, uint32_t tree, ex_tree_place **place)
{
	const ex_node *root = view->node + view->root[tree];
	uint32_t	n = ex_tree_size(view, tree);
	uint32_t   *leaves;

	EX_TRY(EX_ALLOC(host, n, place));
	EX_TRY(EX_ALLOC(host, n, &leaves));
	place_depths(root, n, *place);
	place_across(root, n, leaves, *place);
	return ex_poll(host);
}

ex_status
ex_tree_path(ex_host *host, const ex_tree_view *view, uint32_t tree, const double *x,
			 uint32_t **node, uint32_t *n)
{
	const ex_node *root = view->node + view->root[tree];
	ex_buffer	path = {NULL, 0, 0};
	uint32_t	at = 0;

	EX_TRY(ex_append(host, &path, &at, sizeof(at)));
	while (EX_NODE_OP(root + at) != EX_LEAF)
	{
		at = (uint32_t) root[at].left + !ex_goes_left(view, root + at, x[EX_NODE_FEATURE(root + at)]);
		EX_TRY(ex_append(host, &path, &at, sizeof(at)));
	}
	*node = (uint32_t *) path.data;
	*n = (uint32_t) (path.size / sizeof(at));
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Words
 * ---------------------------------------------------------------- */

static ex_status
put_number(ex_host *host, ex_buffer *out, double value)
{
	char		buf[32];

	if (isinf(value))
		return ex_append_text(host, out, value > 0 ? "Infinity" : "-Infinity");
	return ex_append(host, out, buf, (size_t) ex_print_double(host, value, buf));
}

/* "(red, blue)"; of a set with many levels "(red, blue, ... and 30 more)" */
static ex_status
put_levels(ex_host *host, const ex_tree_view *view, const ex_raw_node *node, ex_buffer *out)
{
	uint32_t	n = 0;

	EX_TRY(ex_append_text(host, out, "("));
	for (uint32_t level = 0; level < node->set_words * 32; level++)
	{
		char		buf[12];
		uint32_t	length;
		const char *name;

		if (!(node->set[level / 32] >> (level % 32) & 1) || n++ >= EX_WORDS_LEVELS)
			continue;
		name = ex_level_name(view->model, node->feature, level, buf, &length);
		if (n > 1)
			EX_TRY(ex_append_text(host, out, ", "));
		EX_TRY(ex_append(host, out, name, length));
	}
	if (n > EX_WORDS_LEVELS)
		EX_TRY(ex_appendf(host, out, ", ... and %u more", n - EX_WORDS_LEVELS));
	return ex_append_text(host, out, ")");
}

static ex_status
put_test(ex_host *host, const ex_tree_view *view, const ex_raw_node *node, bool left, ex_buffer *out)
{
	uint32_t	length;
	const char *name = ex_get_name(view->model, EX_FEATURE_NAME_START, node->feature, &length);

	EX_TRY(ex_append(host, out, name, length));
	switch (node->op)
	{
		case EX_LE:
			EX_TRY(ex_append_text(host, out, left ? " <= " : " > "));
			return put_number(host, out, node->threshold);
		case EX_IN:
			EX_TRY(ex_append_text(host, out, left ? " in " : " not in "));
			return put_levels(host, view, node, out);
		default:
			return ex_append_text(host, out, left ? " is null" : " is not null");
	}
}

/* Do missing values go the way of a test other than "is null"? */
static bool
gets_missing(const ex_tree_view *view, const ex_raw_node *node, bool left)
{
	const uint8_t *policy = ex_get(view->model, EX_FEATURE_MISSING, NULL);

	return node->op != EX_ISNULL && policy[node->feature] == EX_MISSING_NATIVE &&
		node->default_left == left;
}

ex_status
ex_tree_words(ex_host *host, const ex_tree_view *view, uint32_t tree, uint32_t i, bool left,
			  ex_buffer *out)
{
	ex_raw_node node;

	ex_tree_get_node(view, tree, i, &node);
	EX_TRY(put_test(host, view, &node, left, out));
	if (gets_missing(view, &node, left))
		EX_TRY(ex_append_text(host, out, " or missing"));
	if (node.zero_missing)
		EX_TRY(ex_append_text(host, out, " (0 counts as missing)"));
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Importance
 * ---------------------------------------------------------------- */

static bool
has_gains(const ex_tree_view *view)
{
	for (uint32_t i = 0; view->gain != NULL && i < view->n_nodes; i++)
		if (EX_NODE_OP(view->node + i) != EX_LEAF && !isnan(view->gain[i]))
			return true;
	return false;
}

ex_status
ex_tree_split_importance(ex_host *host, const ex_tree_view *view, ex_tree_importance *importance)
{
	const ex_tree_importance none = {0, has_gains(view) ? 0 : NAN, view->cover != NULL ? 0 : NAN};

	for (uint32_t f = 0; f < view->n_features; f++)
		importance[f] = none;
	for (uint32_t i = 0; i < view->n_nodes; i++)
	{
		const ex_node *node = view->node + i;
		ex_tree_importance *of = &importance[EX_NODE_FEATURE(node)];

		if (i % POLL_NODES == POLL_NODES - 1)
			EX_TRY(ex_poll(host));
		if (EX_NODE_OP(node) == EX_LEAF)
			continue;
		of->splits++;
		if (view->gain != NULL && !isnan(view->gain[i]))
			of->gain += view->gain[i];
		if (view->cover != NULL)
			of->cover += view->cover[i];
	}
	return EX_OK;
}
