/*
 * trees.c
 *		explain.tree_nodes, decision_path, split_importance.
 */
#include "describe/describe.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "kernel/tree_family.h"
#include "utils/array.h"
#include "utils/builtins.h"

/*
 * What holds for the rows that come from `parent` to its child, in words;
 * `words` is used again and again.
 */
static void
row_condition(Description *d, const ex_tree_view *view, uint32 tree, int32 parent, bool left, ex_buffer *words)
{
	if (parent < 0)
	{
		row_null(&d->row);
		return;
	}
	words->size = 0;
	EX_PG(d->site->host, ex_tree_words(d->site->host, view, tree, (uint32) parent, left, words));
	row_text_n(&d->row, words->data, (uint32) words->size);
}

static void
row_child(RowWriter *row, int32 child)
{
	if (child < 0)
		row_null(row);
	else
		row_int4(row, child);
}

/*
 * tree_nodes
 */

/* text[] of the levels in a node's set */
static Datum
levels_datum(const ex_model *model, const ex_raw_node *node)
{
	Datum	   *level = palloc(node->set_words * 32 * sizeof(Datum) + 1);
	int			n = 0;

	for (uint32 i = 0; i < node->set_words * 32; i++)
		if (node->set[i / 32] >> (i % 32) & 1)
			level[n++] = CStringGetTextDatum(level_text(model, node->feature, i));
	return PointerGetDatum(construct_array(level, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
linear_features_datum(const ex_model *model, const ex_raw_node *node)
{
	Datum	   *name = palloc(node->n_linear * sizeof(Datum) + 1);

	for (uint32 i = 0; i < node->n_linear; i++)
		name[i] = CStringGetTextDatum(model_name_text(model, EX_FEATURE_NAME_START, node->linear_feature[i]));
	return PointerGetDatum(construct_array(name, (int) node->n_linear, TEXTOID, -1, false, TYPALIGN_INT));
}

/* A threshold may be infinite; the row must read back as it was. */
static void
row_test(Description *d, const ex_raw_node *node)
{
	const uint8 *flags = ex_get(d->model, EX_FEATURE_FLAGS, NULL);
	RowWriter  *row = &d->row;

	if (node->op == EX_LEAF)
		row_null(row);
	else
		row_feature(row, d->model, node->feature);
	row_text(row, ex_node_op_names[node->op]);
	row_datum(row, Float8GetDatum(node->threshold), node->op != EX_LE);
	if (node->op == EX_IN)
	{
		row_datum(row, levels_datum(d->model, node), false);
		row_bool(row, (flags[node->feature] & EX_FEATURE_CODED) != 0);
	}
	else
	{
		row_null(row);
		row_null(row);
	}
}

static void
row_children(Description *d, const ex_raw_node *node)
{
	const uint8 *policy = ex_get(d->model, EX_FEATURE_MISSING, NULL);
	bool		rule = node->op != EX_LEAF && node->op != EX_ISNULL &&
	policy[node->feature] == EX_MISSING_NATIVE;

	row_child(&d->row, node->left);
	row_child(&d->row, node->right);
	row_child(&d->row, !rule ? -1 : node->default_left ? node->left : node->right);
}

static void
row_value(Description *d, const ex_raw_node *node)
{
	if (node->op != EX_LEAF)
		row_null(&d->row);
	else if (node->vector != NULL)
		row_datum(&d->row, float8_array_datum(node->vector, d->model->n_outputs), false);
	else
		row_datum(&d->row, float8_array_datum(&node->value, 1), false);
}

static void
row_linear_leaf(Description *d, const ex_raw_node *node)
{
	if (!node->linear)
	{
		row_null(&d->row);
		row_null(&d->row);
		row_null(&d->row);
		return;
	}
	row_float8(&d->row, node->linear_const);
	row_datum(&d->row, linear_features_datum(d->model, node), false);
	row_datum(&d->row, float8_array_datum(node->linear_coef, node->n_linear), false);
}

/* The columns of sql/, in order. */
static void
node_row(Description *d, const ex_tree_view *view, uint32 tree, uint32 i, const ex_tree_place *place,
		 ex_buffer *words)
{
	RowWriter  *row = &d->row;
	ex_raw_node node;
	int32		parent = place[i].parent;

	ex_tree_get_node(view, tree, i, &node);
	row_int4(row, (int32) tree);
	row_int4(row, (int32) i);
	row_child(row, parent);
	row_int4(row, (int32) place[i].depth);
	row_bool(row, node.op == EX_LEAF);
	row_test(d, &node);
	row_children(d, &node);
	row_value(d, &node);
	row_float8(row, node.cover);
	row_float8(row, node.gain);
	row_condition(d, view, tree, parent,
				  parent >= 0 && (uint32) view->node[view->root[tree] + parent].left == i, words);
	if (view->vector_leaves)
		row_null(row);
	else
		row_output(row, d->model, view->output[tree]);
	row_float8(row, view->weight[tree]);
	if (node.op == EX_LEAF)
		row_null(row);
	else
		row_bool(row, node.zero_missing);
	row_linear_leaf(d, &node);
	row_end(&d->row);
}

/* tree_nodes(model) */
static Datum
tree_nodes(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	ex_tree_view view;
	ex_buffer	words = {0};

	if (!describe_begin(fcinfo, source, &d))
		return describe_end(&d);
	require_tree(d.model, "tree nodes", &view);
	for (uint32 tree = 0; tree < view.n_trees; tree++)
	{
		ex_tree_place *place;

		EX_PG(d.site->host, ex_tree_layout(d.site->host, &view, tree, &place));
		for (uint32 i = 0; i < ex_tree_size(&view, tree); i++)
		{
			CHECK_FOR_INTERRUPTS();
			node_row(&d, &view, tree, i, place, &words);
		}
		pfree(place);
	}
	return describe_end(&d);
}

MODEL_OVERLOADS(tree_nodes);

/*
 * decision_path
 */

/* One path: the nodes that the row visits in a tree. */
typedef struct Path
{
	const ex_tree_view *view;
	const ex_tree_state *state;
	uint32		tree;
	uint32	   *node;
	uint32		n;
} Path;

/* Columns that all rows of a path have. */
static void
row_step(Description *d, const Path *path, uint32 step)
{
	row_int4(&d->row, (int32) path->tree);
	row_int4(&d->row, (int32) step);
	row_int4(&d->row, (int32) path->node[step]);
}

static void
split_row(Description *d, const Path *path, uint32 step, ex_buffer *words)
{
	const ex_tree_view *view = path->view;
	uint32		first = view->root[path->tree];
	const ex_node *node = &view->node[first + path->node[step]];
	uint32		feature = EX_NODE_FEATURE(node);
	bool		left = path->node[step + 1] == (uint32) node->left;

	row_step(d, path, step);
	row_feature(&d->row, d->model, feature);
	row_text(&d->row, input_value_text(d->site->entry, d->site->row, feature));
	row_condition(d, view, path->tree, (int32) path->node[step], left, words);
	row_text(&d->row, left ? "left" : "right");
	row_float8(&d->row, view->cover == NULL ? NAN : view->cover[first + path->node[step]]);
	row_null(&d->row);
	row_null(&d->row);
	row_end(&d->row);
}

/* What the leaf adds to the raw prediction of one output. */
static double
contribution(const Path *path, const ex_node *leaf, uint32 output, const double *x)
{
	double		value = path->view->vector_leaves ? ex_tree_leaf_vector(path->view, leaf)[output] :
	ex_tree_leaf_value(path->view, leaf, x);

	return path->state->scale[path->tree] * value;
}

static void
leaf_rows(Description *d, const Path *path)
{
	const ex_tree_view *view = path->view;
	uint32		i = view->root[path->tree] + path->node[path->n - 1];
	uint32		first = view->vector_leaves ? 0 : view->output[path->tree];
	uint32		end = view->vector_leaves ? view->n_outputs : first + 1;

	for (uint32 k = first; k < end; k++)
	{
		row_step(d, path, path->n - 1);
		row_null(&d->row);
		row_null(&d->row);
		row_null(&d->row);
		row_null(&d->row);
		row_float8(&d->row, view->cover == NULL ? NAN : view->cover[i]);
		row_output(&d->row, d->model, k);
		row_float8(&d->row, contribution(path, &view->node[i], k, d->site->row->x));
		row_end(&d->row);
	}
}

/* decision_path(model, input) */
static Datum
decision_path(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	Description d;
	ex_tree_view view;
	ex_buffer	words = {0};

	if (!describe_begin(fcinfo, source, &d))
		return describe_end(&d);
	require_tree(d.model, "decision paths", &view);
	MemoryContextSwitchTo(d.outer); /* the input must outlive a row */
	d.site->row = input_read(d.site->reader, d.site->entry, kind, PG_GETARG_DATUM(1), 0);
	MemoryContextSwitchTo(d.row.context);
	for (uint32 tree = 0; tree < view.n_trees; tree++)
	{
		Path		path = {&view, ex_tree_state_of(d.site->entry->compiled), tree, NULL, 0};

		CHECK_FOR_INTERRUPTS();
		EX_PG(d.site->host, ex_tree_path(d.site->host, &view, tree, d.site->row->x, &path.node, &path.n));
		for (uint32 step = 0; step < path.n - 1; step++)
			split_row(&d, &path, step, &words);
		leaf_rows(&d, &path);
		pfree(path.node);
	}
	return describe_end(&d);
}

INPUT_OVERLOADS(decision_path);

/*
 * split_importance
 */
typedef struct FeatureImportance
{
	uint32		feature;
	ex_tree_importance sum;
	double		key;			/* what features are ranked by */
} FeatureImportance;

static int
compare_importance(const void *a, const void *b)
{
	const FeatureImportance *left = a;
	const FeatureImportance *right = b;

	if (left->key != right->key)
		return left->key > right->key ? -1 : 1;
	return left->feature < right->feature ? -1 : left->feature > right->feature;
}

/* By gain where the model has it, else by cover, else by the number of splits. */
static double
ranking_key(const ex_tree_importance *sum)
{
	return !isnan(sum->gain) ? sum->gain : !isnan(sum->cover) ? sum->cover : sum->splits;
}

/* NaN (shown as null) where there is nothing to share. */
static double
share(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

/* split_importance(model) */
static Datum
split_importance(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	ex_tree_view view;
	ex_tree_importance *sum;
	ex_tree_importance total = {0, 0, 0};
	FeatureImportance *feature;

	if (!describe_begin(fcinfo, source, &d))
		return describe_end(&d);
	require_tree(d.model, "splits", &view);
	sum = MemoryContextAlloc(d.outer, view.n_features * sizeof(ex_tree_importance));
	feature = MemoryContextAlloc(d.outer, view.n_features * sizeof(FeatureImportance));
	EX_PG(d.site->host, ex_tree_split_importance(d.site->host, &view, sum));
	for (uint32 i = 0; i < view.n_features; i++)
	{
		feature[i] = (FeatureImportance) {i, sum[i], ranking_key(&sum[i])};
		total.splits += sum[i].splits;
		total.gain += sum[i].gain;
		total.cover += sum[i].cover;
	}
	qsort(feature, view.n_features, sizeof(FeatureImportance), compare_importance);
	for (uint32 i = 0; i < view.n_features; i++)
	{
		const ex_tree_importance *of = &feature[i].sum;

		row_int4(&d.row, (int32) i + 1);
		row_feature(&d.row, d.model, feature[i].feature);
		row_int4(&d.row, (int32) of->splits);
		row_float8(&d.row, of->gain);
		row_float8(&d.row, of->cover);
		row_float8(&d.row, share(of->splits, total.splits));
		row_float8(&d.row, share(of->gain, total.gain));
		row_float8(&d.row, share(of->cover, total.cover));
		row_end(&d.row);
	}
	return describe_end(&d);
}

MODEL_OVERLOADS(split_importance);
