/*
 * tree_json.c
 *		The JSON form of the tree family (doc/model-json.md).
 *
 * A tree is an object of columns: one array per property, one element per
 * node, null where a node has no such property.  That is short enough for
 * large models and regular enough to be written by hand:
 *
 *		{"feature":    ["age", null, null],
 *		 "threshold":  [41.5,  null, null],
 *		 "left_child": [1,     null, null],
 *		 "value":      [null,  0.25, 0.75]}
 *
 * Node 0 is the root, the others may come in any order.  What is read goes
 * through ex_tree_add; what is written is in the model's own order.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model_json.h"
#include "tree_describe.h"
#include "tree_family.h"

/* Cells between two questions to the host whether to stop. */
#define POLL_CELLS 65536

#define NOT_GIVEN 0xffffffffu

/* ----------------------------------------------------------------
 * Reading
 * ---------------------------------------------------------------- */

typedef struct reader
{
	ex_host    *host;
	ex_builder *builder;
	ex_json    *json;
	ex_name_index *features;
	ex_name_index *outputs;
	ex_level_index *levels;
	ex_buffer	nodes;			/* ex_raw_node of the tree under way */
	uint32_t	n;				/* of them */
	uint32_t	tree;
	size_t		set_bytes;		/* of all sets so far */
} reader;

/* Members of one tree that are columns. */
typedef struct columns
{
	ex_json_value feature;
	ex_json_value op;
	ex_json_value threshold;
	ex_json_value levels;
	ex_json_value left_child;
	ex_json_value right_child;
	ex_json_value missing_child;
	ex_json_value zero_missing;
	ex_json_value value;
	ex_json_value linear;
	ex_json_value cover;
	ex_json_value gain;
} columns;

typedef ex_status (*read_cell) (reader *r, ex_raw_node *node, ex_json_value cell);

static ex_raw_node *
node_at(reader *r, uint32_t i)
{
	return (ex_raw_node *) r->nodes.data + i;
}

static ex_status
bad_node(reader *r, uint32_t i, const char *what)
{
	return ex_fail(r->host, EX_INVALID, "node %u of tree %u %s", i, r->tree, what);
}

static ex_status
read_feature(reader *r, ex_raw_node *node, ex_json_value cell)
{
	return ex_json_feature(r->json, r->builder, r->features, cell, "feature", &node->feature);
}

static ex_status
read_op(reader *r, ex_raw_node *node, ex_json_value cell)
{
	for (int i = 0; i < EX_N_NODE_OPS; i++)
		if (ex_json_equals(r->json, cell, ex_node_op_names[i]))
		{
			node->op = (ex_node_op) i;
			return EX_OK;
		}
	(void) ex_fail(r->host, EX_INVALID, "unknown operation in \"op\"");
	ex_hint(r->host, "Valid operations are \"<=\", \"in\", \"is null\" and \"leaf\".");
	return EX_INVALID;
}

static ex_status
read_threshold(reader *r, ex_raw_node *node, ex_json_value cell)
{
	EX_TRY(ex_json_number(r->json, cell, "threshold", &node->threshold));
	return isnan(node->threshold) ?
		ex_fail(r->host, EX_INVALID, "threshold must not be NaN") : EX_OK;
}

static ex_status
read_levels(reader *r, ex_raw_node *node, ex_json_value cell)
{
	ex_buffer	words = {NULL, 0, 0};
	ex_json_cursor cursor;
	ex_json_value value;

	if (node->feature == NOT_GIVEN ||
		r->builder->section[EX_FEATURE_KIND].data[node->feature] != EX_CATEGORICAL)
		return ex_fail(r->host, EX_INVALID, "levels of a feature that is not categorical");
	EX_TRY(ex_reserve(r->host, &words, sizeof(uint32_t)));
	ex_json_begin(r->json, cell, &cursor);
	while (ex_json_next(r->json, &cursor, &value))
	{
		uint32_t	level = 0;
		size_t		size;

		EX_TRY(ex_json_level(r->json, r->levels, node->feature, value, "levels", &level));
		size = (level / 32 + 1) * sizeof(uint32_t);
		if (size > words.size)
		{
			EX_TRY(ex_reserve(r->host, &words, size - words.size));
			memset(words.data + words.size, 0, size - words.size);
			words.size = size;
		}
		((uint32_t *) words.data)[level / 32] |= 1u << (level % 32);
	}
	node->set = (const uint32_t *) words.data;
	node->set_words = (uint32_t) (words.size / sizeof(uint32_t));

	/* one short number can ask for 2 MB */
	r->set_bytes += words.size;
	if (r->set_bytes > EX_MAX_MODEL_SIZE)
		return ex_fail(r->host, EX_LIMIT, "sets of levels need more than %zu bytes", EX_MAX_MODEL_SIZE);
	return EX_OK;
}

static ex_status
read_node_number(reader *r, ex_json_value cell, const char *where, int32_t *number)
{
	int64_t		value;

	EX_TRY(ex_json_integer(r->json, cell, where, 0, (int64_t) r->n - 1, &value));
	*number = (int32_t) value;
	return EX_OK;
}

static ex_status
read_left_child(reader *r, ex_raw_node *node, ex_json_value cell)
{
	return read_node_number(r, cell, "left_child", &node->left);
}

static ex_status
read_right_child(reader *r, ex_raw_node *node, ex_json_value cell)
{
	return read_node_number(r, cell, "right_child", &node->right);
}

static ex_status
read_missing_child(reader *r, ex_raw_node *node, ex_json_value cell)
{
	int32_t		child;

	EX_TRY(read_node_number(r, cell, "missing_child", &child));
	if (child != node->left && child != node->right)
		return ex_fail(r->host, EX_INVALID, "missing_child must be one of the two children");
	node->default_left = child == node->left;
	return EX_OK;
}

static ex_status
read_zero_missing(reader *r, ex_raw_node *node, ex_json_value cell)
{
	node->zero_missing = ex_json_bool(r->json, cell);
	return EX_OK;
}

static ex_status
read_value(reader *r, ex_raw_node *node, ex_json_value cell)
{
	double	   *vector;
	size_t		count;

	if (ex_json_typeof(r->json, cell) != EX_JSON_ARRAY)
	{
		EX_TRY(ex_json_number(r->json, cell, "value", &node->value));
		return isfinite(node->value) ? EX_OK :
			ex_fail(r->host, EX_RANGE, "value of a leaf must be finite");
	}
	EX_TRY(ex_json_doubles(r->json, cell, "value", &vector, &count));
	if (count != r->builder->n_outputs)
		return ex_fail(r->host, EX_INVALID, "value has %zu numbers, but the model has %u outputs",
					   count, r->builder->n_outputs);
	node->vector = vector;
	return EX_OK;
}

static ex_status
read_linear_features(reader *r, ex_raw_node *node, ex_json_value array)
{
	uint32_t   *feature;
	ex_json_cursor cursor;
	ex_json_value value;

	EX_TRY(EX_ALLOC(r->host, node->n_linear, &feature));
	node->linear_feature = feature;
	ex_json_begin(r->json, array, &cursor);
	while (ex_json_next(r->json, &cursor, &value))
		EX_TRY(ex_json_feature(r->json, r->builder, r->features, value, "linear", feature++));
	return EX_OK;
}

static ex_status
read_linear(reader *r, ex_raw_node *node, ex_json_value cell)
{
	ex_json_value constant;
	ex_json_value features;
	ex_json_value coefficients;
	const ex_json_member members[] = {
		{"constant", EX_JSON_NUMBER, true, &constant},
		{"features", EX_JSON_ARRAY, true, &features},
		{"coefficients", EX_JSON_ARRAY, true, &coefficients}
	};
	double	   *coefficient;
	size_t		count;

	EX_TRY(ex_json_read_object(r->json, cell, "linear model of a leaf", members, 3, true));
	EX_TRY(ex_json_number(r->json, constant, "constant", &node->linear_const));
	EX_TRY(ex_json_doubles(r->json, coefficients, "coefficients", &coefficient, &count));
	if (count != ex_json_count(r->json, features))
		return ex_fail(r->host, EX_INVALID, "a linear leaf has %zu coefficients for %zu features",
					   count, ex_json_count(r->json, features));
	node->linear = true;
	node->n_linear = (uint32_t) count;
	node->linear_coef = coefficient;
	return read_linear_features(r, node, features);
}

static ex_status
read_cover(reader *r, ex_raw_node *node, ex_json_value cell)
{
	EX_TRY(ex_json_number(r->json, cell, "cover", &node->cover));
	return isnan(node->cover) ?
		ex_fail(r->host, EX_INVALID, "cover must not be NaN") : EX_OK;
}

static ex_status
read_gain(reader *r, ex_raw_node *node, ex_json_value cell)
{
	return ex_json_number(r->json, cell, "gain", &node->gain);
}

/* Every element of a column that is not null into its node. */
static ex_status
read_column(reader *r, ex_json_value column, const char *name, int types, read_cell read)
{
	ex_json_cursor cursor;
	ex_json_value cell;
	uint32_t	i = 0;

	if (column.at == NULL)
		return EX_OK;
	ex_json_begin(r->json, column, &cursor);
	for (; ex_json_next(r->json, &cursor, &cell); i++)
	{
		ex_json_type type = ex_json_typeof(r->json, cell);
		ex_status	status = EX_OK;

		if (i % POLL_CELLS == POLL_CELLS - 1)
			EX_TRY(ex_poll(r->host));
		if (i >= r->n || type == EX_JSON_NULL)
			continue;
		if (!(type & types))
			status = ex_fail(r->host, EX_INVALID, "\"%s\" has a value of the wrong type", name);
		else
			status = read(r, node_at(r, i), cell);
		if (status != EX_OK)
		{
			if (r->host->error.detail[0] == '\0')
				ex_detail(r->host, "At node %u of tree %u.", i, r->tree);
			return status;
		}
	}
	if (i != r->n)
		return ex_fail(r->host, EX_INVALID, "\"%s\" of tree %u has %u elements, \"value\" has %u",
					   name, r->tree, i, r->n);
	return EX_OK;
}

static ex_status
start_nodes(reader *r, size_t n)
{
	static const ex_raw_node empty = {
		.op = (ex_node_op) NOT_GIVEN, .feature = NOT_GIVEN, .threshold = NAN,
		.left = -1, .right = -1, .value = NAN, .cover = NAN, .gain = NAN
	};

	if (n > EX_MAX_TREE_NODES)
		return ex_fail(r->host, EX_LIMIT, "tree %u has more than %d nodes",
					   r->tree, EX_MAX_TREE_NODES);
	r->n = (uint32_t) n;
	r->nodes.size = 0;
	EX_TRY(ex_reserve(r->host, &r->nodes, n * sizeof(ex_raw_node)));
	for (uint32_t i = 0; i < r->n; i++)
		*node_at(r, i) = empty;
	return EX_OK;
}

/* Only then is it known which children missing values can go to. */
static ex_status
read_children(reader *r, const columns *c)
{
	const int	number = EX_JSON_NUMBER;

	EX_TRY(read_column(r, c->left_child, "left_child", number, read_left_child));
	EX_TRY(read_column(r, c->right_child, "right_child", number, read_right_child));
	for (uint32_t i = 0; c->right_child.at == NULL && i < r->n; i++)
		if (node_at(r, i)->left >= 0)
			node_at(r, i)->right = node_at(r, i)->left + 1;
	return read_column(r, c->missing_child, "missing_child", number, read_missing_child);
}

static ex_status
read_columns(reader *r, const columns *c)
{
	const int	number = EX_JSON_NUMBER | EX_JSON_STRING;

	EX_TRY(read_column(r, c->feature, "feature", EX_JSON_STRING | EX_JSON_NUMBER, read_feature));
	EX_TRY(read_column(r, c->op, "op", EX_JSON_STRING, read_op));
	EX_TRY(read_column(r, c->threshold, "threshold", number, read_threshold));
	EX_TRY(read_column(r, c->levels, "levels", EX_JSON_ARRAY, read_levels));
	EX_TRY(read_children(r, c));
	EX_TRY(read_column(r, c->zero_missing, "zero_missing", EX_JSON_BOOL, read_zero_missing));
	EX_TRY(read_column(r, c->value, "value", number | EX_JSON_ARRAY, read_value));
	EX_TRY(read_column(r, c->linear, "linear", EX_JSON_OBJECT, read_linear));
	EX_TRY(read_column(r, c->cover, "cover", number, read_cover));
	return read_column(r, c->gain, "gain", number, read_gain);
}

/* What an absent "op" must be. */
static ex_node_op
infer_op(const ex_raw_node *node)
{
	if (node->feature == NOT_GIVEN && node->left < 0)
		return EX_LEAF;
	return node->set != NULL ? EX_IN : EX_LE;
}

/* Has the node what its operation needs, and nothing else? */
static ex_status
settle_node(reader *r, uint32_t i)
{
	ex_raw_node *node = node_at(r, i);
	bool		has_value = !isnan(node->value) || node->vector != NULL;

	if ((uint32_t) node->op == NOT_GIVEN)
		node->op = infer_op(node);
	if (node->op == EX_LEAF)
	{
		if (!has_value)
			return bad_node(r, i, "is a leaf without a value");
		if (node->feature != NOT_GIVEN || !isnan(node->threshold) || node->set != NULL)
			return bad_node(r, i, "is a leaf with a test");
		return EX_OK;
	}
	if (node->feature == NOT_GIVEN)
		return bad_node(r, i, "has no feature");
	if (node->left < 0 || node->right < 0)
		return bad_node(r, i, "has a feature, but not two children");
	if (has_value || node->linear)
		return bad_node(r, i, "has a value, but is no leaf");
	if ((node->op == EX_LE) != !isnan(node->threshold))
		return bad_node(r, i, node->op == EX_LE ? "has no threshold" :
						"has a threshold, but another operation");
	if ((node->op == EX_IN) != (node->set != NULL))
		return bad_node(r, i, node->op == EX_IN ? "has no levels" :
						"has levels, but another operation");
	return EX_OK;
}

/* The output of a tree: by name, by position, or the only one there can be. */
static ex_status
read_output(reader *r, ex_json_value value, uint32_t *output)
{
	const char *name;
	size_t		length;
	int64_t		position;

	if (ex_json_typeof(r->json, value) == EX_JSON_STRING)
	{
		EX_TRY(ex_json_string(r->json, value, &name, &length));
		position = ex_index_find(r->outputs, name, length);
		if (position < 0)
			return ex_fail(r->host, EX_INVALID, "output \"%s\" of tree %u does not exist",
						   name, r->tree);
		*output = (uint32_t) position;
	}
	else if (ex_json_typeof(r->json, value) == EX_JSON_NUMBER)
	{
		EX_TRY(ex_json_integer(r->json, value, "output", 0,
							   (int64_t) r->builder->n_outputs - 1, &position));
		*output = (uint32_t) position;
	}
	else
	{
		bool		vectors = false;

		for (uint32_t i = 0; i < r->n; i++)
			vectors = vectors || node_at(r, i)->vector != NULL;
		*output = vectors ? EX_ALL_OUTPUTS : 0;
		if (!vectors && r->builder->n_outputs > 1)
			return ex_fail(r->host, EX_INVALID, "tree %u has no key \"output\"", r->tree);
	}
	return EX_OK;
}

static ex_status
read_tree(reader *r, ex_json_value tree)
{
	columns		c;
	ex_json_value output;
	ex_json_value weight;
	const ex_json_member members[] = {
		{"output", EX_JSON_STRING | EX_JSON_NUMBER | EX_JSON_NULL, false, &output},
		{"weight", EX_JSON_NUMBER, false, &weight},
		{"feature", EX_JSON_ARRAY, false, &c.feature},
		{"op", EX_JSON_ARRAY, false, &c.op},
		{"threshold", EX_JSON_ARRAY, false, &c.threshold},
		{"levels", EX_JSON_ARRAY, false, &c.levels},
		{"left_child", EX_JSON_ARRAY, false, &c.left_child},
		{"right_child", EX_JSON_ARRAY, false, &c.right_child},
		{"missing_child", EX_JSON_ARRAY, false, &c.missing_child},
		{"zero_missing", EX_JSON_ARRAY, false, &c.zero_missing},
		{"value", EX_JSON_ARRAY, true, &c.value},
		{"linear", EX_JSON_ARRAY, false, &c.linear},
		{"cover", EX_JSON_ARRAY, false, &c.cover},
		{"gain", EX_JSON_ARRAY, false, &c.gain}
	};
	ex_raw_tree raw = {.weight = 1};
	char		where[32];

	snprintf(where, sizeof(where), "tree %u", r->tree);
	EX_TRY(ex_json_read_object(r->json, tree, where, members,
							   sizeof(members) / sizeof(members[0]), true));
	EX_TRY(start_nodes(r, ex_json_count(r->json, c.value)));
	EX_TRY(read_columns(r, &c));
	for (uint32_t i = 0; i < r->n; i++)
		EX_TRY(settle_node(r, i));
	EX_TRY(read_output(r, output, &raw.output));
	if (weight.at != NULL)
		EX_TRY(ex_json_number(r->json, weight, "weight", &raw.weight));
	raw.n_nodes = r->n;
	raw.node = node_at(r, 0);
	raw.label = where;
	return ex_tree_add(r->builder, &raw);
}

static ex_status
read_aggregation(reader *r, ex_json_value value)
{
	if (value.at == NULL || ex_json_equals(r->json, value, "sum"))
		r->builder->aggregation = EX_SUM;
	else if (ex_json_equals(r->json, value, "mean"))
		r->builder->aggregation = EX_MEAN;
	else
	{
		(void) ex_fail(r->host, EX_INVALID, "unknown aggregation");
		ex_hint(r->host, "Valid aggregations are \"sum\" and \"mean\".");
		return EX_INVALID;
	}
	return EX_OK;
}

static ex_status
read_base(reader *r, ex_json_value value)
{
	uint32_t	n_outputs = r->builder->n_outputs;
	double	   *base;
	size_t		count;

	if (value.at == NULL)
	{
		for (uint32_t k = 0; k < n_outputs; k++)
			EX_TRY(ex_put_f64(r->builder, EX_TREE_BASE, 0));
		return EX_OK;
	}
	EX_TRY(ex_json_doubles(r->json, value, "base", &base, &count));
	if (count != n_outputs)
		return ex_fail(r->host, EX_INVALID, "\"base\" has %zu elements, but the model has %u outputs",
					   count, n_outputs);
	return ex_put(r->builder, EX_TREE_BASE, base, count);
}

ex_status
ex_tree_read_json(ex_builder *builder, ex_json *json, ex_json_value document)
{
	reader		r = {.host = builder->host, .builder = builder, .json = json};
	ex_json_value aggregation;
	ex_json_value base;
	ex_json_value trees;
	const ex_json_member members[] = {
		{"aggregation", EX_JSON_STRING, false, &aggregation},
		{"base", EX_JSON_ARRAY, false, &base},
		{"trees", EX_JSON_ARRAY, true, &trees}
	};
	ex_json_cursor cursor;
	ex_json_value tree;

	EX_TRY(ex_json_read_document(json, document, members, 3));
	EX_TRY(ex_index_features(builder, &r.features));
	EX_TRY(ex_index_outputs(builder, &r.outputs));
	EX_TRY(ex_index_levels(builder, &r.levels));
	EX_TRY(read_aggregation(&r, aggregation));
	EX_TRY(read_base(&r, base));
	ex_json_begin(json, trees, &cursor);
	for (; ex_json_next(json, &cursor, &tree); r.tree++)
		EX_TRY(read_tree(&r, tree));
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Writing
 * ---------------------------------------------------------------- */

typedef struct writer
{
	ex_host    *host;
	ex_buffer  *out;
	ex_tree_view view;
	const uint8_t *flags;		/* of the features */
	uint32_t   *first_level;	/* of each feature, among all level names */
} writer;

/* Writes the cell of node i (of all nodes); `node` is its tree's root. */
typedef ex_status (*write_cell) (writer *w, uint32_t i, const ex_node *node);

static ex_status
put_integer(writer *w, uint32_t value)
{
	char		digits[10];
	int			at = sizeof(digits);

	do
		digits[--at] = (char) ('0' + value % 10);
	while ((value /= 10) > 0);
	return ex_append(w->host, w->out, digits + at, sizeof(digits) - (size_t) at);
}

static ex_status
put_null(writer *w)
{
	return ex_append(w->host, w->out, "null", 4);
}

static ex_status
put_feature(writer *w, uint32_t feature)
{
	uint32_t	length;
	const char *name = ex_get_name(w->view.model, EX_FEATURE_NAME_START, feature, &length);

	return ex_json_put_string(w->host, w->out, name, length);
}

static bool
is_leaf(const ex_node *node)
{
	return EX_NODE_OP(node) == EX_LEAF;
}

static ex_status
write_feature(writer *w, uint32_t i, const ex_node *node)
{
	return is_leaf(node) ? put_null(w) : put_feature(w, EX_NODE_FEATURE(node));
}

static ex_status
write_op(writer *w, uint32_t i, const ex_node *node)
{
	const char *name = ex_node_op_names[EX_NODE_OP(node)];

	return ex_json_put_string(w->host, w->out, name, strlen(name));
}

static ex_status
write_threshold(writer *w, uint32_t i, const ex_node *node)
{
	if (EX_NODE_OP(node) != EX_LE)
		return put_null(w);
	return ex_json_put_double(w->host, w->out, node->value);
}

/* Levels by name; of a feature whose levels are mere codes, the codes. */
static ex_status
put_level(writer *w, uint32_t feature, uint32_t level)
{
	const char *name;
	uint32_t	length;

	if (w->flags[feature] & EX_FEATURE_CODED)
		return put_integer(w, level);
	name = ex_get_name(w->view.model, EX_LEVEL_NAME_START, w->first_level[feature] + level, &length);
	return ex_json_put_string(w->host, w->out, name, length);
}

static ex_status
write_levels(writer *w, uint32_t i, const ex_node *node)
{
	uint32_t	set;
	const char *separator = "[";

	if (EX_NODE_OP(node) != EX_IN)
		return put_null(w);
	set = (uint32_t) node->value;
	for (uint32_t word = w->view.set_start[set]; word < w->view.set_start[set + 1]; word++)
	{
		for (uint32_t bit = 0; bit < 32; bit++)
		{
			if (!(w->view.set_word[word] >> bit & 1))
				continue;
			EX_TRY(ex_append(w->host, w->out, separator, 1));
			EX_TRY(put_level(w, EX_NODE_FEATURE(node),
							 (word - w->view.set_start[set]) * 32 + bit));
			separator = ",";
		}
	}
	return ex_append_text(w->host, w->out, *separator == '[' ? "[]" : "]");
}

static ex_status
write_left_child(writer *w, uint32_t i, const ex_node *node)
{
	return is_leaf(node) ? put_null(w) : put_integer(w, (uint32_t) node->left);
}

static ex_status
write_right_child(writer *w, uint32_t i, const ex_node *node)
{
	return is_leaf(node) ? put_null(w) : put_integer(w, (uint32_t) node->left + 1);
}

static ex_status
write_missing_child(writer *w, uint32_t i, const ex_node *node)
{
	if (is_leaf(node) || EX_NODE_OP(node) == EX_ISNULL)
		return put_null(w);
	return put_integer(w, (uint32_t) node->left + !(node->info & EX_NODE_DEFAULT_LEFT));
}

static ex_status
write_zero_missing(writer *w, uint32_t i, const ex_node *node)
{
	if (is_leaf(node))
		return put_null(w);
	return ex_append_text(w->host, w->out,
						  node->info & EX_NODE_ZERO_MISSING ? "true" : "false");
}

static ex_status
write_value(writer *w, uint32_t i, const ex_node *node)
{
	if (!is_leaf(node))
		return put_null(w);
	if (w->view.vector_leaves)
		return ex_json_put_doubles(w->host, w->out, ex_tree_leaf_vector(&w->view, node),
								   w->view.n_outputs);
	return ex_json_put_double(w->host, w->out, node->value);
}

static ex_status
write_linear(writer *w, uint32_t i, const ex_node *node)
{
	uint32_t	first;
	uint32_t	end;

	if (!is_leaf(node) || node->left < 0)
		return put_null(w);
	first = w->view.linear_start[node->left];
	end = w->view.linear_start[node->left + 1];
	EX_TRY(ex_append_text(w->host, w->out, "{\"constant\":"));
	EX_TRY(ex_json_put_double(w->host, w->out, w->view.linear_const[node->left]));
	EX_TRY(ex_append_text(w->host, w->out, ",\"features\":["));
	for (uint32_t term = first; term < end; term++)
	{
		if (term > first)
			EX_TRY(ex_append(w->host, w->out, ",", 1));
		EX_TRY(put_feature(w, w->view.linear_feature[term]));
	}
	EX_TRY(ex_append_text(w->host, w->out, "],\"coefficients\":"));
	EX_TRY(ex_json_put_doubles(w->host, w->out, w->view.linear_coef + first, end - first));
	return ex_append(w->host, w->out, "}", 1);
}

static ex_status
write_cover(writer *w, uint32_t i, const ex_node *node)
{
	return ex_json_put_double(w->host, w->out, w->view.cover[i]);
}

static ex_status
write_gain(writer *w, uint32_t i, const ex_node *node)
{
	if (is_leaf(node) || isnan(w->view.gain[i]))
		return put_null(w);
	return ex_json_put_double(w->host, w->out, w->view.gain[i]);
}

static ex_status
write_column(writer *w, uint32_t tree, const char *key, write_cell write)
{
	EX_TRY(ex_append_text(w->host, w->out, ",\""));
	EX_TRY(ex_append_text(w->host, w->out, key));
	EX_TRY(ex_append_text(w->host, w->out, "\":["));
	for (uint32_t i = w->view.root[tree]; i < w->view.root[tree + 1]; i++)
	{
		if (i > w->view.root[tree])
			EX_TRY(ex_append(w->host, w->out, ",", 1));
		EX_TRY(write(w, i, w->view.node + i));
		if (i % POLL_CELLS == POLL_CELLS - 1)
			EX_TRY(ex_poll(w->host));
	}
	return ex_append(w->host, w->out, "]", 1);
}

/* Which columns a tree needs beyond those that every tree has. */
typedef struct needs
{
	bool		splits;
	bool		op;
	bool		thresholds;
	bool		levels;
	bool		missing_child;
	bool		zero_missing;
	bool		linear;
} needs;

static needs
needs_of(const ex_tree_view *view, uint32_t tree)
{
	needs		need = {false, false, false, false, false, false, false};

	for (uint32_t i = view->root[tree]; i < view->root[tree + 1]; i++)
	{
		const ex_node *node = view->node + i;
		ex_node_op	op = EX_NODE_OP(node);

		need.splits |= op != EX_LEAF;
		need.op |= op == EX_ISNULL; /* the others can be told by their members */
		need.thresholds |= op == EX_LE;
		need.levels |= op == EX_IN;
		need.missing_child |= (node->info & EX_NODE_DEFAULT_LEFT) != 0;
		need.zero_missing |= (node->info & EX_NODE_ZERO_MISSING) != 0;
		need.linear |= op == EX_LEAF && node->left >= 0;
	}
	return need;
}

static ex_status
write_columns(writer *w, uint32_t t)
{
	needs		need = needs_of(&w->view, t);
	struct
	{
		bool		needed;
		const char *key;
		write_cell	write;
	}			column[] = {
		{need.splits, "feature", write_feature},
		{need.op, "op", write_op},
		{need.thresholds, "threshold", write_threshold},
		{need.levels, "levels", write_levels},
		{need.splits, "left_child", write_left_child},
		{need.splits, "right_child", write_right_child},
		{need.missing_child, "missing_child", write_missing_child},
		{need.zero_missing, "zero_missing", write_zero_missing},
		{true, "value", write_value},
		{need.linear, "linear", write_linear},
		{w->view.cover != NULL, "cover", write_cover},
		{w->view.gain != NULL, "gain", write_gain}
	};

	for (size_t c = 0; c < sizeof(column) / sizeof(column[0]); c++)
		if (column[c].needed)
			EX_TRY(write_column(w, t, column[c].key, column[c].write));
	return EX_OK;
}

static ex_status
write_tree(writer *w, uint32_t t)
{
	EX_TRY(ex_append_text(w->host, w->out, t > 0 ? ",\n{\"weight\":" : "\n{\"weight\":"));
	EX_TRY(ex_json_put_double(w->host, w->out, w->view.weight[t]));
	if (w->view.n_outputs > 1 && !w->view.vector_leaves)
	{
		uint32_t	length;
		const char *name = ex_get_name(w->view.model, EX_OUTPUT_NAME_START,
									   w->view.output[t], &length);

		EX_TRY(ex_append_text(w->host, w->out, ",\"output\":"));
		EX_TRY(ex_json_put_string(w->host, w->out, name, length));
	}
	EX_TRY(write_columns(w, t));
	return ex_append(w->host, w->out, "}", 1);
}

/* Where the names of each feature's levels begin. */
static ex_status
open_levels(writer *w)
{
	const ex_model *model = w->view.model;
	const uint32_t *levels = ex_get(model, EX_FEATURE_LEVELS, NULL);
	uint32_t	next = 0;

	w->flags = ex_get(model, EX_FEATURE_FLAGS, NULL);
	EX_TRY(EX_ALLOC(w->host, model->n_features, &w->first_level));
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		w->first_level[i] = next;
		if (!(w->flags[i] & EX_FEATURE_CODED))
			next += levels[i];
	}
	return EX_OK;
}

ex_status
ex_tree_write_json(ex_host *host, const ex_model *model, ex_buffer *out)
{
	writer		w = {.host = host, .out = out};

	ex_tree_open(model, &w.view);
	EX_TRY(open_levels(&w));
	EX_TRY(ex_append_text(host, out, model->aggregation == EX_MEAN ?
						  ",\"aggregation\":\"mean\",\"base\":" : ",\"aggregation\":\"sum\",\"base\":"));
	EX_TRY(ex_json_put_doubles(host, out, w.view.base, w.view.n_outputs));
	EX_TRY(ex_append_text(host, out, ",\"trees\":["));
	for (uint32_t t = 0; t < w.view.n_trees; t++)
		EX_TRY(write_tree(&w, t));
	return ex_append_text(host, out, "\n]");
}
