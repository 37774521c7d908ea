/*
 * onnx_ensemble.c
 *		Tree ensembles of ONNX: the attributes of three operators, what may be
 *		done with their scores, and the model.
 *
 *		TreeEnsembleRegressor, TreeEnsembleClassifier (ai.onnx.ml 1 and 3)
 *			nodes and the weights of leaves in parallel arrays, by the numbers
 *			of trees and nodes
 *		TreeEnsemble (ai.onnx.ml 5)
 *			children by position; leaves apart; sets of members
 *
 * A classifier of two classes whose leaves all feed one of them has one
 * output, the score of the second class, as in onnxruntime: the other one's
 * is 1 - p (or -score).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_internal.h"
#include "tree.h"

static ex_status
new_ensemble(onnx_reader *reader, const onnx_value *in, onnx_ensemble **ensemble)
{
	EX_TRY(EX_ALLOC(reader->host, 1, ensemble));
	if (in->kind != ONNX_COLUMNS || in->dims.n != 1)
		return onnx_fail(reader, EX_UNSUPPORTED, "trees must read columns of the inputs, prepared one by one");
	(*ensemble)->column = in->column;
	(*ensemble)->n_columns = (size_t) in->dims.size[0];
	(*ensemble)->factor = 1;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Attributes
 * ---------------------------------------------------------------- */

static ex_status
check_length(onnx_reader *reader, const char *name, size_t n, size_t expected)
{
	if (n == expected)
		return EX_OK;
	return onnx_fail(reader, EX_INVALID, "\"%s\" has %zu elements, not %zu", name, n, expected);
}

/* One integer for each of n, from 0 to limit - 1. */
static ex_status
read_numbers(onnx_reader *reader, const char *name, size_t expected, int64_t limit, const int64_t **value)
{
	size_t		n;

	EX_TRY(onnx_integers(reader, name, value, &n));
	EX_TRY(check_length(reader, name, n, expected));
	for (size_t i = 0; i < n; i++)
		if ((*value)[i] < 0 || (*value)[i] >= limit)
			return onnx_fail(reader, EX_INVALID, "element %zu of \"%s\" is out of range: %lld", i + 1, name,
							 (long long) (*value)[i]);
	return EX_OK;
}

/* Numbers as float attribute or, in double, as the tensor NAME_as_tensor. */
static ex_status
read_reals(onnx_reader *reader, const char *name, const char *tensor_name, const double **value, size_t *n)
{
	const onnx_tensor *tensor = NULL;

	if (tensor_name != NULL)
		EX_TRY(onnx_tensor_attribute(reader, tensor_name, &tensor));
	if (tensor != NULL)
	{
		if (tensor->number == NULL)
			return onnx_fail(reader, EX_INVALID, "\"%s\" has no numbers", tensor_name);
		*value = tensor->number;
		*n = tensor->count;
		return EX_OK;
	}
	return onnx_floats(reader, name, value, n);
}

static ex_status
check_finite(onnx_reader *reader, const char *name, const double *value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(value[i]))
			return onnx_fail(reader, EX_RANGE, "element %zu of \"%s\" is not finite", i + 1, name);
	return EX_OK;
}

/* Numbers, each after `first` prefixes of the name with suffix. */
static const char *
join(char out[64], const char *prefix, const char *suffix)
{
	size_t		n = strlen(prefix);

	memcpy(out, prefix, n);
	memcpy(out + n, suffix, strlen(suffix) + 1);
	return out;
}

static ex_status
set_link(onnx_reader *reader, onnx_ensemble *ensemble, int transform)
{
	static const char *const names[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
	static const ex_link links[] = {EX_LINK_IDENTITY, EX_LINK_SOFTMAX, EX_LINK_LOGIT};

	if (transform >= 3)
		return onnx_fail(reader, EX_UNSUPPORTED, "post_transform %s is not supported", names[transform]);
	ensemble->link = links[transform];
	ensemble->is_final = transform != 0;
	return EX_OK;
}

static int
find_word(ex_span word, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (onnx_is(word, words[i]))
			return i;
	return -1;
}

static ex_status
read_transform(onnx_reader *reader, onnx_ensemble *ensemble)
{
	static const char *const words[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
	ex_span		word;
	int			transform;

	EX_TRY(onnx_text(reader, "post_transform", "NONE", &word));
	transform = find_word(word, words, 5);
	if (transform < 0)
		return onnx_fail(reader, EX_INVALID, "post_transform \"%.*s\" is unknown", ONNX_NAME(word));
	return set_link(reader, ensemble, transform);
}

static ex_status
read_aggregate(onnx_reader *reader, onnx_ensemble *ensemble)
{
	ex_span		word;

	EX_TRY(onnx_text(reader, "aggregate_function", "SUM", &word));
	ensemble->average = onnx_is(word, "AVERAGE");
	if (onnx_is(word, "MIN") || onnx_is(word, "MAX"))
		return onnx_fail(reader, EX_UNSUPPORTED, "aggregate_function %.*s is not supported", ONNX_NAME(word));
	if (!ensemble->average && !onnx_is(word, "SUM"))
		return onnx_fail(reader, EX_INVALID, "aggregate_function \"%.*s\" is unknown", ONNX_NAME(word));
	return EX_OK;
}

/* Numbers of outputs, with a base of 0 for each. */
static ex_status
set_targets(onnx_reader *reader, onnx_ensemble *ensemble, int64_t n)
{
	if (n < 1)
		return onnx_fail(reader, EX_INVALID, "it has no outputs");
	if (n > EX_MAX_OUTPUTS)
		return onnx_fail(reader, EX_LIMIT, "it has %lld outputs; the limit is %d", (long long) n, EX_MAX_OUTPUTS);
	ensemble->n_targets = (uint32_t) n;
	return EX_ALLOC(reader->host, (size_t) n, &ensemble->base);
}

/* ----------------------------------------------------------------
 * Versions 1 and 3: nodes by the numbers of tree and node
 * ---------------------------------------------------------------- */

typedef struct node_key
{
	int64_t		tree;
	int64_t		node;
	uint32_t	index;
} node_key;

static int
compare_keys(const void *a, const void *b)
{
	const node_key *left = a;
	const node_key *right = b;

	if (left->tree != right->tree)
		return left->tree < right->tree ? -1 : 1;
	return (left->node > right->node) - (left->node < right->node);
}

typedef struct array_reader
{
	onnx_reader *reader;
	onnx_ensemble *ensemble;
	const int64_t *tree;
	const int64_t *number;
	node_key   *key;			/* sorted */
} array_reader;

static ex_status
index_nodes(array_reader *a)
{
	uint32_t	n = a->ensemble->n_nodes;

	EX_TRY(EX_ALLOC(a->reader->host, n, &a->key));
	for (uint32_t i = 0; i < n; i++)
		a->key[i] = (node_key) {a->tree[i], a->number[i], i};
	qsort(a->key, n, sizeof(node_key), compare_keys);
	for (uint32_t i = 1; i < n; i++)
		if (compare_keys(&a->key[i], &a->key[i - 1]) == 0)
			return onnx_fail(a->reader, EX_INVALID, "node %lld of tree %lld is given twice",
							 (long long) a->key[i].node, (long long) a->key[i].tree);
	return EX_OK;
}

static ex_status
find_node(const array_reader *a, int64_t tree, int64_t node, uint32_t *index)
{
	const node_key key = {tree, node, 0};
	const node_key *found = bsearch(&key, a->key, a->ensemble->n_nodes, sizeof(node_key), compare_keys);

	if (found == NULL)
		return onnx_fail(a->reader, EX_INVALID, "node %lld of tree %lld does not exist", (long long) node, (long long) tree);
	*index = found->index;
	return EX_OK;
}

/* The first node of each tree is its root. */
static ex_status
find_roots(array_reader *a)
{
	onnx_ensemble *ensemble = a->ensemble;
	int64_t    *first;
	uint32_t	n_keys = ensemble->n_nodes;

	EX_TRY(EX_ALLOC(a->reader->host, n_keys, &ensemble->root));
	EX_TRY(EX_ALLOC(a->reader->host, n_keys, &first));
	for (uint32_t i = 0; i < n_keys; i++)
	{
		bool		begins = i == 0 || a->key[i].tree != a->key[i - 1].tree;

		if (begins)
			first[ensemble->n_trees++] = a->key[i].index;
		else if (a->key[i].index < first[ensemble->n_trees - 1])
			first[ensemble->n_trees - 1] = a->key[i].index;
	}
	for (uint32_t t = 0; t < ensemble->n_trees; t++)
		ensemble->root[t] = (uint32_t) first[t];
	return EX_OK;
}

static ex_status
read_modes(array_reader *a)
{
	static const char *const words[] = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ",
	"BRANCH_MEMBER", "LEAF"};
	const ex_span *word;
	size_t		n;

	EX_TRY(onnx_texts(a->reader, "nodes_modes", &word, &n));
	EX_TRY(check_length(a->reader, "nodes_modes", n, a->ensemble->n_nodes));
	for (size_t i = 0; i < n; i++)
	{
		int			mode = find_word(word[i], words, 8);

		if (mode < 0 || mode == ONNX_MEMBER)
			return onnx_fail(a->reader, EX_INVALID, "mode \"%.*s\" is unknown", ONNX_NAME(word[i]));
		a->ensemble->node[i].mode = (onnx_mode) mode;
	}
	return EX_OK;
}

static ex_status
read_tracks(onnx_reader *reader, onnx_ensemble *ensemble, size_t n_nodes)
{
	const int64_t *tracks;
	size_t		n;

	EX_TRY(onnx_integers(reader, "nodes_missing_value_tracks_true", &tracks, &n));
	if (n == 0)
		return EX_OK;
	EX_TRY(check_length(reader, "nodes_missing_value_tracks_true", n, n_nodes));
	for (size_t i = 0; i < n; i++)
		ensemble->node[i].tracks = tracks[i] != 0;
	return EX_OK;
}

static ex_status
link_children(array_reader *a)
{
	onnx_ensemble *ensemble = a->ensemble;
	const int64_t *feature;
	const int64_t *yes;
	const int64_t *no;
	const double *threshold;
	size_t		n;

	EX_TRY(read_numbers(a->reader, "nodes_featureids", ensemble->n_nodes, INT32_MAX, &feature));
	EX_TRY(read_numbers(a->reader, "nodes_truenodeids", ensemble->n_nodes, INT64_MAX, &yes));
	EX_TRY(read_numbers(a->reader, "nodes_falsenodeids", ensemble->n_nodes, INT64_MAX, &no));
	EX_TRY(read_reals(a->reader, "nodes_values", "nodes_values_as_tensor", &threshold, &n));
	EX_TRY(check_length(a->reader, "nodes_values", n, ensemble->n_nodes));
	for (uint32_t i = 0; i < ensemble->n_nodes; i++)
	{
		onnx_tree_node *node = &ensemble->node[i];

		node->or_else = ONNX_NO_NODE;
		if (node->mode == ONNX_LEAF)
			continue;
		node->feature = (uint32_t) feature[i];
		node->member = &threshold[i];
		node->n_members = 1;
		EX_TRY(find_node(a, a->tree[i], yes[i], &node->yes));
		EX_TRY(find_node(a, a->tree[i], no[i], &node->no));
	}
	return EX_OK;
}

static int
compare_weights(const void *a, const void *b)
{
	const onnx_weight *left = a;
	const onnx_weight *right = b;

	if (left->node != right->node)
		return left->node < right->node ? -1 : 1;
	return (left->target > right->target) - (left->target < right->target);
}

/* Weights side by side for each leaf. */
static ex_status
place_weights(onnx_reader *reader, onnx_ensemble *ensemble)
{
	if (ensemble->n_weights > 0)
		qsort(ensemble->weight, ensemble->n_weights, sizeof(onnx_weight), compare_weights);
	for (size_t i = 0; i < ensemble->n_weights; i++)
	{
		onnx_tree_node *node = &ensemble->node[ensemble->weight[i].node];

		if (node->mode != ONNX_LEAF)
			return onnx_fail(reader, EX_INVALID, "tree node %u has a weight but is no leaf", ensemble->weight[i].node);
		if (node->n_weights++ == 0)
			node->first_weight = (uint32_t) i;
	}
	return EX_OK;
}

/* "target" or "class": numbers of tree, node and output, and the weight. */
static ex_status
read_weights(array_reader *a, const char *prefix, int64_t limit)
{
	onnx_ensemble *ensemble = a->ensemble;
	char		name[64];
	char		tensor_name[64];
	const double *weight;
	const int64_t *tree;
	const int64_t *node;
	const int64_t *target;
	size_t		n;

	EX_TRY(read_reals(a->reader, join(name, prefix, "_weights"), join(tensor_name, prefix, "_weights_as_tensor"), &weight, &n));
	EX_TRY(check_finite(a->reader, name, weight, n));
	EX_TRY(read_numbers(a->reader, join(name, prefix, "_treeids"), n, INT64_MAX, &tree));
	EX_TRY(read_numbers(a->reader, join(name, prefix, "_nodeids"), n, INT64_MAX, &node));
	EX_TRY(read_numbers(a->reader, join(name, prefix, "_ids"), n, limit, &target));
	if (n > UINT32_MAX)
		return onnx_fail(a->reader, EX_LIMIT, "too many leaves");
	EX_TRY(EX_ALLOC(a->reader->host, n, &ensemble->weight));
	ensemble->n_weights = n;
	for (size_t i = 0; i < n; i++)
	{
		ensemble->weight[i].target = (uint32_t) target[i];
		ensemble->weight[i].value = weight[i];
		EX_TRY(find_node(a, tree[i], node[i], &ensemble->weight[i].node));
	}
	return place_weights(a->reader, ensemble);
}

static ex_status
read_arrays(array_reader *a, const char *prefix, int64_t limit)
{
	onnx_ensemble *ensemble = a->ensemble;
	size_t		n;

	EX_TRY(onnx_integers(a->reader, "nodes_treeids", &a->tree, &n));
	if (n == 0)
		return onnx_fail(a->reader, EX_INVALID, "it has no trees");
	if (n > EX_MAX_NODES)
		return onnx_fail(a->reader, EX_LIMIT, "it has more than %d nodes", EX_MAX_NODES);
	ensemble->n_nodes = (uint32_t) n;
	EX_TRY(read_numbers(a->reader, "nodes_nodeids", n, INT64_MAX, &a->number));
	EX_TRY(EX_ALLOC(a->reader->host, n, &ensemble->node));
	EX_TRY(index_nodes(a));
	EX_TRY(read_modes(a));
	EX_TRY(read_tracks(a->reader, ensemble, n));
	EX_TRY(link_children(a));
	EX_TRY(find_roots(a));
	return read_weights(a, prefix, limit);
}

static ex_status
read_base(onnx_reader *reader, onnx_ensemble *ensemble)
{
	const double *base;
	size_t		n;

	EX_TRY(read_reals(reader, "base_values", "base_values_as_tensor", &base, &n));
	EX_TRY(check_finite(reader, "base_values", base, n));
	if (n == 0)
		return EX_OK;
	EX_TRY(check_length(reader, "base_values", n, ensemble->n_targets));
	memcpy(ensemble->base, base, ensemble->n_targets * sizeof(double));
	return EX_OK;
}

static void
set_scores(onnx_reader *reader, uint32_t i, const onnx_value *in, onnx_ensemble *ensemble, const onnx_tensor *label)
{
	onnx_value *out;

	if (i >= reader->current->n_outputs || reader->current->output[i] == ONNX_NO_VALUE)
		return;
	out = &reader->value[reader->current->output[i]];
	out->kind = ONNX_TREES;
	out->type = ONNX_FLOAT;
	out->trees = ensemble;
	out->dims = onnx_dims_of(1, ensemble->n_targets, 1, 1);
	out->label = label;
	(void) in;
}

static ex_status
read_regressor(onnx_reader *reader, const onnx_value *in, onnx_ensemble *ensemble)
{
	array_reader a = {.reader = reader, .ensemble = ensemble};
	int64_t		n_targets;

	EX_TRY(onnx_integer(reader, "n_targets", 1, &n_targets));
	EX_TRY(set_targets(reader, ensemble, n_targets));
	EX_TRY(read_aggregate(reader, ensemble));
	EX_TRY(read_transform(reader, ensemble));
	EX_TRY(read_arrays(&a, "target", n_targets));
	EX_TRY(read_base(reader, ensemble));
	set_scores(reader, 0, in, ensemble, NULL);
	return EX_OK;
}

/* All leaves feed one and the same class? */
static bool
feeds_one_class(const onnx_ensemble *ensemble)
{
	for (size_t i = 1; i < ensemble->n_weights; i++)
		if (ensemble->weight[i].target != ensemble->weight[0].target)
			return false;
	return ensemble->n_weights > 0;
}

/*
 * One score for two classes.  What onnxruntime makes of base values then is
 * not what the specification says.
 */
static ex_status
make_binary(onnx_reader *reader, onnx_ensemble *ensemble)
{
	const double *base;
	size_t		n;

	EX_TRY(read_reals(reader, "base_values", "base_values_as_tensor", &base, &n));
	if (n > 1 || (n == 1 && ensemble->weight[0].target == 1))
		return onnx_fail(reader, EX_UNSUPPORTED, "base_values of two classes, one of which has a score, are not supported");
	if (ensemble->link == EX_LINK_SOFTMAX)
		return onnx_fail(reader, EX_UNSUPPORTED, "post_transform SOFTMAX of one score is not supported");
	ensemble->n_targets = 1;
	for (size_t i = 0; i < ensemble->n_weights; i++)
		ensemble->weight[i].target = 0;
	return EX_OK;
}

static ex_status
read_classifier(onnx_reader *reader, const onnx_value *in, onnx_ensemble *ensemble)
{
	array_reader a = {.reader = reader, .ensemble = ensemble};
	const onnx_tensor *label;

	EX_TRY(onnx_class_labels(reader, &label));
	if (label == NULL)
		return onnx_fail(reader, EX_INVALID, "it has no class labels");
	EX_TRY(set_targets(reader, ensemble, (int64_t) label->count));
	EX_TRY(read_transform(reader, ensemble));
	EX_TRY(read_arrays(&a, "class", (int64_t) label->count));
	if (label->count == 2 && feeds_one_class(ensemble))
		EX_TRY(make_binary(reader, ensemble));
	EX_TRY(read_base(reader, ensemble));
	set_scores(reader, 0, in, ensemble, label);
	set_scores(reader, 1, in, ensemble, label);
	if (reader->current->n_outputs > 0 && reader->current->output[0] != ONNX_NO_VALUE)
		reader->value[reader->current->output[0]].is_label = true;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Version 5
 * ---------------------------------------------------------------- */

typedef struct v5_reader
{
	onnx_reader *reader;
	onnx_ensemble *ensemble;
	size_t		n_branches;
	size_t		n_leaves;
} v5_reader;

static ex_status
need_tensor(onnx_reader *reader, const char *name, size_t expected, const double **number)
{
	const onnx_tensor *tensor;

	*number = NULL;
	EX_TRY(onnx_tensor_attribute(reader, name, &tensor));
	if (tensor == NULL || tensor->number == NULL)
		return onnx_fail(reader, EX_INVALID, "attribute \"%s\" is missing", name);
	*number = tensor->number;
	return check_length(reader, name, tensor->count, expected);
}

/* Sets stand in the order of the nodes that test them, each ended by NaN. */
static ex_status
read_members(v5_reader *v)
{
	const onnx_tensor *tensor;
	size_t		at = 0;

	EX_TRY(onnx_tensor_attribute(v->reader, "membership_values", &tensor));
	for (size_t i = 0; i < v->n_branches; i++)
	{
		onnx_tree_node *node = &v->ensemble->node[i];

		if (node->mode != ONNX_MEMBER)
			continue;
		if (tensor == NULL || tensor->number == NULL || at >= tensor->count)
			return onnx_fail(v->reader, EX_INVALID, "\"membership_values\" has no set for tree node %zu", i);
		node->member = tensor->number + at;
		node->n_members = 0;
		while (at < tensor->count && !isnan(tensor->number[at]))
		{
			node->n_members++;
			at++;
		}
		at++;
	}
	return EX_OK;
}

/* A child: a node, or a leaf, which stands behind the nodes. */
static ex_status
link_child(v5_reader *v, int64_t child, int64_t is_leaf, uint32_t *out)
{
	size_t		n = is_leaf ? v->n_leaves : v->n_branches;

	if (child < 0 || (uint64_t) child >= n)
		return onnx_fail(v->reader, EX_INVALID, "%s %lld does not exist", is_leaf ? "leaf" : "tree node", (long long) child);
	*out = (uint32_t) (is_leaf ? v->n_branches + (size_t) child : (size_t) child);
	return EX_OK;
}

static ex_status
read_branches(v5_reader *v)
{
	onnx_reader *reader = v->reader;
	size_t		n = v->n_branches;
	const double *mode;
	const double *split;
	const int64_t *feature;
	const int64_t *yes;
	const int64_t *no;
	const int64_t *yes_leaf;
	const int64_t *no_leaf;

	EX_TRY(need_tensor(reader, "nodes_modes", n, &mode));
	EX_TRY(need_tensor(reader, "nodes_splits", n, &split));
	EX_TRY(read_numbers(reader, "nodes_featureids", n, INT32_MAX, &feature));
	EX_TRY(read_numbers(reader, "nodes_truenodeids", n, INT64_MAX, &yes));
	EX_TRY(read_numbers(reader, "nodes_falsenodeids", n, INT64_MAX, &no));
	EX_TRY(read_numbers(reader, "nodes_trueleafs", n, 2, &yes_leaf));
	EX_TRY(read_numbers(reader, "nodes_falseleafs", n, 2, &no_leaf));
	for (size_t i = 0; i < n; i++)
	{
		onnx_tree_node *node = &v->ensemble->node[i];

		if (!(mode[i] >= ONNX_LEQ && mode[i] <= ONNX_MEMBER))
			return onnx_fail(reader, EX_INVALID, "mode %g of tree node %zu is unknown", mode[i], i);
		node->mode = (onnx_mode) mode[i];
		node->feature = (uint32_t) feature[i];
		node->or_else = ONNX_NO_NODE;
		node->member = &split[i];
		node->n_members = 1;
		EX_TRY(link_child(v, yes[i], yes_leaf[i], &node->yes));
		EX_TRY(link_child(v, no[i], no_leaf[i], &node->no));
	}
	EX_TRY(read_tracks(reader, v->ensemble, n));
	return read_members(v);
}

static ex_status
read_leaves(v5_reader *v)
{
	onnx_ensemble *ensemble = v->ensemble;
	const int64_t *target;
	const double *weight;

	EX_TRY(need_tensor(v->reader, "leaf_weights", v->n_leaves, &weight));
	EX_TRY(check_finite(v->reader, "leaf_weights", weight, v->n_leaves));
	EX_TRY(read_numbers(v->reader, "leaf_targetids", v->n_leaves, ensemble->n_targets, &target));
	EX_TRY(EX_ALLOC(v->reader->host, v->n_leaves, &ensemble->weight));
	ensemble->n_weights = v->n_leaves;
	for (size_t i = 0; i < v->n_leaves; i++)
	{
		ensemble->node[v->n_branches + i].mode = ONNX_LEAF;
		ensemble->node[v->n_branches + i].or_else = ONNX_NO_NODE;
		ensemble->weight[i] = (onnx_weight) {(uint32_t) (v->n_branches + i), (uint32_t) target[i], weight[i]};
	}
	return place_weights(v->reader, ensemble);
}

static ex_status
read_v5_trees(v5_reader *v)
{
	onnx_ensemble *ensemble = v->ensemble;
	const int64_t *list;
	size_t		n;

	EX_TRY(onnx_integers(v->reader, "nodes_featureids", &list, &v->n_branches));
	EX_TRY(onnx_integers(v->reader, "leaf_targetids", &list, &v->n_leaves));
	if (v->n_branches + v->n_leaves > EX_MAX_NODES)
		return onnx_fail(v->reader, EX_LIMIT, "it has more than %d nodes", EX_MAX_NODES);
	ensemble->n_nodes = (uint32_t) (v->n_branches + v->n_leaves);
	EX_TRY(EX_ALLOC(v->reader->host, ensemble->n_nodes, &ensemble->node));
	EX_TRY(read_branches(v));
	EX_TRY(read_leaves(v));

	EX_TRY(onnx_integers(v->reader, "tree_roots", &list, &n));
	EX_TRY(read_numbers(v->reader, "tree_roots", n, (int64_t) v->n_branches, &list));
	if (n == 0)
		return onnx_fail(v->reader, EX_INVALID, "it has no trees");
	EX_TRY(EX_ALLOC(v->reader->host, n, &ensemble->root));
	ensemble->n_trees = (uint32_t) n;
	for (size_t t = 0; t < n; t++)
		ensemble->root[t] = (uint32_t) list[t];
	return EX_OK;
}

static ex_status
read_v5(onnx_reader *reader, const onnx_value *in, onnx_ensemble *ensemble)
{
	v5_reader	v = {.reader = reader, .ensemble = ensemble};
	int64_t		n_targets;
	int64_t		aggregate;
	int64_t		transform;

	EX_TRY(onnx_integer(reader, "n_targets", 1, &n_targets));
	EX_TRY(onnx_integer(reader, "aggregate_function", 1, &aggregate));
	EX_TRY(onnx_integer(reader, "post_transform", 0, &transform));
	if (aggregate != 0 && aggregate != 1)
		return onnx_fail(reader, EX_UNSUPPORTED, "aggregate_function %s is not supported",
						 aggregate == 2 ? "MIN" : aggregate == 3 ? "MAX" : "of this number");
	if (transform == 1 || transform == 2)
	{
		/* the specification has 1 = SOFTMAX, onnxruntime (to 1.30) LOGISTIC */
		(void) onnx_fail(reader, EX_UNSUPPORTED, "post_transform %lld means different things to ONNX and to onnxruntime",
						 (long long) transform);
		ex_hint(reader->host, "Export the model without it, followed by a node Sigmoid or Softmax.");
		return EX_UNSUPPORTED;
	}
	if (transform < 0 || transform > 4)
		return onnx_fail(reader, EX_INVALID, "post_transform %lld is unknown", (long long) transform);
	EX_TRY(set_targets(reader, ensemble, n_targets));
	ensemble->average = aggregate == 0;
	EX_TRY(set_link(reader, ensemble, (int) transform));
	EX_TRY(read_v5_trees(&v));
	set_scores(reader, 0, in, ensemble, NULL);
	return EX_OK;
}

ex_status
onnx_ensemble_node(onnx_reader *reader, bool *known)
{
	static const char *const operators[] = {"TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble"};
	int			which = find_word(reader->current->operator, operators, 3);
	onnx_ensemble *ensemble;
	onnx_value *in;

	*known = which >= 0;
	if (!*known)
		return EX_OK;
	EX_TRY(onnx_need(reader, 0, &in));
	EX_TRY(new_ensemble(reader, in, &ensemble));
	if (which == 0)
		EX_TRY(read_regressor(reader, in, ensemble));
	else if (which == 1)
		EX_TRY(read_classifier(reader, in, ensemble));
	else
		EX_TRY(read_v5(reader, in, ensemble));
	return onnx_settle_nodes(reader, ensemble);
}

/* ----------------------------------------------------------------
 * Scores
 * ---------------------------------------------------------------- */

/* Multiply or add the same to all trees; a copy is changed. */
static ex_status
calculate_scores(onnx_reader *reader, const onnx_value *in, const onnx_tensor *constant, char symbol)
{
	onnx_ensemble *ensemble;
	bool		adds = symbol == '+' || symbol == '-';

	if (in->trees->is_final || constant->number == NULL ||
		(constant->count != 1 && (!adds || constant->count != in->trees->n_targets)))
		return onnx_fail(reader, EX_UNSUPPORTED, "the scores of trees cannot be calculated with like this");
	EX_TRY(check_finite(reader, "constant", constant->number, constant->count));
	EX_TRY(EX_ALLOC(reader->host, 1, &ensemble));
	*ensemble = *in->trees;
	EX_TRY(EX_ALLOC(reader->host, ensemble->n_targets, &ensemble->base));
	for (uint32_t k = 0; k < ensemble->n_targets; k++)
	{
		double		c = constant->number[constant->count == 1 ? 0 : k];
		double		base = in->trees->base[k];

		ensemble->base[k] = symbol == '+' ? base + c : symbol == '-' ? base - c : symbol == '*' ? base * c : base / c;
	}
	if (symbol == '*')
		ensemble->factor *= constant->number[0];
	if (symbol == '/')
		ensemble->factor /= constant->number[0];
	onnx_set(reader, in)->trees = ensemble;
	return EX_OK;
}

static ex_status
finish_scores(onnx_reader *reader, const onnx_value *in, ex_link link)
{
	onnx_ensemble *ensemble;

	if (in->trees->is_final)
		return onnx_fail(reader, EX_UNSUPPORTED, "the scores of trees are transformed twice");
	EX_TRY(EX_ALLOC(reader->host, 1, &ensemble));
	*ensemble = *in->trees;
	ensemble->link = link;
	ensemble->is_final = true;
	onnx_set(reader, in)->trees = ensemble;
	return EX_OK;
}

/* Probabilities that add up to 1: softmax does already, one by one they make one-vs-rest. */
static ex_status
normalize_scores(onnx_reader *reader, const onnx_value *in)
{
	ex_span		norm;

	EX_TRY(onnx_text(reader, "norm", "MAX", &norm));
	if (!onnx_is(norm, "L1") || (in->trees->link != EX_LINK_SOFTMAX && in->trees->link != EX_LINK_LOGIT))
		return onnx_fail(reader, EX_UNSUPPORTED, "only probabilities can be normalised, to the sum 1 (norm L1)");
	if (in->trees->link == EX_LINK_SOFTMAX)
		onnx_set(reader, in);
	else
	{
		onnx_ensemble *ensemble;

		EX_TRY(EX_ALLOC(reader->host, 1, &ensemble));
		*ensemble = *in->trees;
		ensemble->link = EX_LINK_OVR;
		onnx_set(reader, in)->trees = ensemble;
	}
	return EX_OK;
}

ex_status
onnx_score_node(onnx_reader *reader, bool *known)
{
	static const char *const operators[] = {"Add", "Sub", "Mul", "Div", "Sigmoid", "Softmax", "Exp", "Normalizer"};
	int			which = find_word(reader->current->operator, operators, 8);
	const onnx_value *in = onnx_in(reader, 0);
	const onnx_value *other = onnx_in(reader, 1);

	if (in != NULL && in->kind == ONNX_CONSTANT && (which == 0 || which == 2))
	{
		const onnx_value *swap = in;

		in = other;
		other = swap;
	}
	*known = which >= 0 && in != NULL && in->kind == ONNX_TREES && !in->is_label;
	if (!*known)
		return EX_OK;
	if (which < 4)
	{
		if (other == NULL || other->kind != ONNX_CONSTANT)
			return onnx_fail(reader, EX_UNSUPPORTED, "the scores of trees cannot be combined with other values");
		return calculate_scores(reader, in, other->constant, "+-*/"[which]);
	}
	if (which == 7)
		return normalize_scores(reader, in);
	return finish_scores(reader, in, which == 4 ? EX_LINK_LOGIT : which == 5 ? EX_LINK_SOFTMAX : EX_LINK_LOG);
}

/* ----------------------------------------------------------------
 * The model
 * ---------------------------------------------------------------- */

/* Trees over columns, the features of a model of their own. */
static ex_status
build_encoded(onnx_reader *reader, const onnx_ensemble *ensemble, ex_model **model)
{
	ex_builder	builder;

	ex_builder_init(&builder, reader->host, EX_TREE);
	builder.n_outputs = ensemble->n_targets;
	builder.link = ensemble->link;
	for (size_t c = 0; c < ensemble->n_columns; c++)
	{
		const onnx_column *column = &ensemble->column[c];
		const onnx_feature *original = &reader->feature[column->feature];
		ex_feature	feature = {.missing = EX_MISSING_NATIVE, .unknown = EX_UNKNOWN_OTHER};
		char		name[32];

		if (column->op == ONNX_VALUE && original->kind == EX_CATEGORICAL)
		{
			feature.kind = EX_CATEGORICAL;
			feature.n_levels = original->type == ONNX_STRING ? (uint32_t) (original->levels.size / sizeof(ex_span)) :
				(uint32_t) original->largest_code + 1;
		}
		feature.name = name;
		feature.name_length = (size_t) ex_print_double(reader->host, (double) c, name);
		EX_TRY(ex_put_feature(&builder, &feature));
	}
	for (uint32_t k = 0; k < ensemble->n_targets; k++)
		EX_TRY(ex_put_f64(&builder, EX_TREE_BASE, ensemble->base[k]));
	EX_TRY(onnx_add_trees(reader, ensemble, &builder));
	EX_TRY(ex_default_output_names(&builder));
	return ex_build(&builder, model);
}

ex_status
onnx_build_trees(onnx_reader *reader, const onnx_value *result)
{
	const onnx_ensemble *ensemble = result->trees;
	ex_encoding encoding = {.n_columns = (uint32_t) ensemble->n_columns};
	ex_encoded_column *column;
	ex_model   *encoded;

	reader->current = NULL;
	onnx_use_nodes(reader, ensemble);
	onnx_settle_features(reader, true);
	EX_TRY(build_encoded(reader, ensemble, &encoded));
	EX_TRY(EX_ALLOC(reader->host, ensemble->n_columns, &column));
	for (size_t c = 0; c < ensemble->n_columns; c++)
		onnx_encode_column(reader, &ensemble->column[c], &column[c]);
	encoding.column = column;
	EX_TRY(onnx_put_features(reader, reader->builder));
	EX_TRY(ex_fold(reader->host, encoded, &encoding, reader->builder));
	ex_drop(reader->builder, EX_OUTPUT_NAME_START);
	ex_drop(reader->builder, EX_OUTPUT_NAME_TEXT);
	return onnx_put_output_names(reader, reader->builder, result);
}
