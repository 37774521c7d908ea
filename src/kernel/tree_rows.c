/*
 * tree_rows.c
 *		A tree model from the rows of a node table.
 *
 * There may be millions of rows, so they stay the bytes they are: what is kept
 * of each is its names and where it is, and it is read again when its turn
 * comes.  Only the tree under way is there as a whole.
 */
#include "tree_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "tree_rows_internal.h"

/* Where the row of a node is. */
typedef struct row_key
{
	ex_string	tree;
	ex_string	name;
	const uint8_t *at;
} row_key;

/* How the nodes use a feature. */
typedef struct feature_usage
{
	bool		compared;		/* with a threshold */
	bool		missing_rule;
	bool		coded;			/* levels are numbers */
	bool		categorical;
	uint32_t	n_codes;
	ex_string_set levels;
} feature_usage;

typedef struct table_reader
{
	ex_host    *host;
	ex_builder *builder;
	bool		one_tree;		/* the table names no trees */
	size_t		n;
	row_key   **sorted;			/* by tree and name */
	const uint8_t *end;			/* of the rows */
	ex_string_set features;		/* p names in order */
	feature_usage *usage;		/* of each */
	ex_string_set outputs;		/* K names in order; none with vector leaves */
	uint32_t	n_values;		/* in a leaf */
	size_t		set_bytes;		/* of all bitmaps so far */

	/* of the tree under way */
	ex_buffer	nodes;			/* table_node */
	ex_buffer	raw;			/* ex_raw_node */
	ex_buffer	is_child;		/* bool */
} table_reader;

static ex_status
bad_node(table_reader *reader, const table_node *node, ex_status status, const char *what)
{
	return ex_bad_row(reader->host, node, status, what);
}

static bool
is_leaf(const table_node *node)
{
	return ex_row_is_leaf(node);
}

/* ----------------------------------------------------------------
 * Reading rows
 * ---------------------------------------------------------------- */

/* How many values does a leaf have?  All must agree. */
static ex_status
note_values(table_reader *reader, const table_node *node)
{
	uint32_t	count = node->values.count == 0 ? 1 : node->values.count;

	if (reader->n_values == 0)
		reader->n_values = count;
	if (count != reader->n_values)
	{
		bad_node(reader, node, EX_DIMENSION, "has another number of values than other leaves");
		ex_detail(reader->host, "It has %u, others have %u.", count, reader->n_values);
		return EX_DIMENSION;
	}
	return EX_OK;
}

/* What must be known of all rows before any of them can be used. */
static ex_status
note_names(table_reader *reader, const table_node *node)
{
	const uint8_t *element = node->linear_features.elements;

	if (!ex_is_null(node->output))
		EX_TRY(ex_string_set_add(reader->host, &reader->outputs, node->output));
	if (!is_leaf(node))
		return ex_string_set_add(reader->host, &reader->features, node->feature);
	for (uint32_t t = 0; t < node->linear_features.count; t++)
		EX_TRY(ex_string_set_add(reader->host, &reader->features, ex_field_next_text(&element)));
	return note_values(reader, node);
}

static int
compare_keys(const void *a, const void *b)
{
	const row_key *left = a;
	const row_key *right = b;
	int			order = ex_compare_ids(&left->tree, &right->tree);

	return order != 0 ? order : ex_compare_ids(&left->name, &right->name);
}

/* A tree that is null in all rows is the only one. */
static ex_status
fill_key(table_reader *reader, const table_node *node, const uint8_t *at, bool first, row_key *key)
{
	static const ex_string only = {"0", 1};

	if (first)
		reader->one_tree = ex_is_null(node->tree);
	if (reader->one_tree != ex_is_null(node->tree))
		return ex_fail(reader->host, EX_NULL, "tree of a node must not be null");
	key->tree = reader->one_tree ? only : node->tree;
	key->name = node->name;
	key->at = at;
	return EX_OK;
}

static ex_status
check_distinct(table_reader *reader)
{
	for (size_t i = 1; i < reader->n; i++)
		if (compare_keys(reader->sorted[i - 1], reader->sorted[i]) == 0)
		{
			table_node	node = {.tree = reader->sorted[i]->tree, .name = reader->sorted[i]->name};

			return bad_node(reader, &node, EX_INVALID, "appears twice");
		}
	return EX_OK;
}

static ex_status
read_rows(table_reader *reader, const void *bytes, size_t size)
{
	ex_rows_cursor cursor;
	ex_field	field[EX_TABLE_MAX_FIELDS];
	row_key    *key;
	size_t		n = 0;

	EX_TRY(ex_rows_check(reader->host, &ex_node_table, bytes, size, &reader->n));
	EX_TRY(EX_ALLOC(reader->host, reader->n, &key));
	EX_TRY(EX_ALLOC(reader->host, reader->n, &reader->sorted));
	reader->features.order = ex_compare_strings;
	reader->outputs.order = ex_compare_ids;
	ex_rows_open(&cursor, &ex_node_table, bytes, size);
	reader->end = cursor.end;
	for (const uint8_t *at = cursor.at; ex_rows_next(&cursor, field); at = cursor.at, n++)
	{
		table_node	node;

		EX_TRY(ex_poll_row(reader->host, n));
		EX_TRY(ex_node_from_row(reader->host, field, &node));
		EX_TRY(fill_key(reader, &node, at, n == 0, &key[n]));
		EX_TRY(note_names(reader, &node));
		reader->sorted[n] = &key[n];
	}
	EX_TRY(ex_sort_pointers(reader->host, (void **) reader->sorted, n, compare_keys));
	return check_distinct(reader);
}

/* The node of a row that has been read before. */
static ex_status
read_again(table_reader *reader, const row_key *key, table_node *node)
{
	ex_rows_cursor cursor = {&ex_node_table, key->at, reader->end};
	ex_field	field[EX_TABLE_MAX_FIELDS];

	(void) ex_rows_next(&cursor, field);
	EX_TRY(ex_node_from_row(reader->host, field, node));
	node->tree = key->tree;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Outputs
 * ---------------------------------------------------------------- */

static ex_status
put_outputs(table_reader *reader)
{
	ex_builder *builder = reader->builder;
	ex_string_set *outputs = &reader->outputs;

	if (reader->n_values > EX_MAX_OUTPUTS)
		return ex_fail(reader->host, EX_LIMIT, "model has more than %d outputs", EX_MAX_OUTPUTS);
	if (outputs->n > 0 && reader->n_values > 1)
		return ex_fail(reader->host, EX_INVALID,
					   "leaves have several values, so a tree feeds all outputs, not one");
	ex_string_set_finish(outputs);
	if (outputs->n > EX_MAX_OUTPUTS)
		return ex_fail(reader->host, EX_LIMIT, "model has more than %d outputs", EX_MAX_OUTPUTS);
	for (size_t k = 0; k < outputs->n; k++)
		EX_TRY(ex_put_name(builder, EX_OUTPUT_NAME_START, outputs->string[k].text,
						   outputs->string[k].length));
	builder->n_outputs = outputs->n > 0 ? (uint32_t) outputs->n : reader->n_values;
	EX_TRY(ex_default_output_names(builder));
	for (uint32_t k = 0; k < builder->n_outputs; k++)
		EX_TRY(ex_put_f64(builder, EX_TREE_BASE, 0));
	return EX_OK;
}

/* The n nodes of a tree agree on its output and weight, or leave them open. */
static ex_status
agree_on_tree(table_reader *reader, const table_node *nodes, size_t n, ex_raw_tree *tree)
{
	ex_string	output = {NULL, 0};
	double		weight = NAN;

	for (size_t i = 0; i < n; i++)
	{
		if (!ex_is_null(nodes[i].output))
		{
			if (!ex_is_null(output) && ex_compare_strings(&output, &nodes[i].output) != 0)
				return bad_node(reader, &nodes[i], EX_INVALID, "has another output than its tree");
			output = nodes[i].output;
		}
		if (!isnan(nodes[i].weight))
		{
			if (!isnan(weight) && weight != nodes[i].weight)
				return bad_node(reader, &nodes[i], EX_INVALID, "has another weight than its tree");
			weight = nodes[i].weight;
		}
	}
	tree->weight = isnan(weight) ? 1 : weight;
	if (reader->n_values > 1)
		tree->output = EX_ALL_OUTPUTS;
	else if (!ex_is_null(output))
		tree->output = (uint32_t) ex_find_string(reader->outputs.string, reader->outputs.n,
												 output, ex_compare_ids);
	else if (reader->builder->n_outputs > 1)
		return ex_fail(reader->host, EX_NULL, "output of tree %.*s must not be null",
					   (int) nodes[0].tree.length, nodes[0].tree.text);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Features
 * ---------------------------------------------------------------- */

static uint32_t
feature_of(const table_reader *reader, ex_string name)
{
	return (uint32_t) ex_find_string(reader->features.string, reader->features.n, name, ex_compare_strings);
}

static ex_status
check_features(table_reader *reader)
{
	ex_string_set_finish(&reader->features);
	if (reader->features.n == 0)
	{
		ex_fail(reader->host, EX_INVALID, "node table has no node that tests a feature");
		ex_hint(reader->host, "A constant is no model; build one with explain.linear_model and a coefficient of 0.");
		return EX_INVALID;
	}
	if (reader->features.n > EX_MAX_FEATURES)
		return ex_fail(reader->host, EX_LIMIT, "model has more than %d features", EX_MAX_FEATURES);
	return EX_ALLOC(reader->host, reader->features.n, &reader->usage);
}

/* The next code of a list; -1 if it is none. */
static int64_t
next_code(const cell_list *levels, const uint8_t **element)
{
	double		code;

	if (levels->type == EX_FIELD_NUMBERS)
		code = ex_field_next_number(element);
	else
	{
		ex_string	text = ex_field_next_text(element);

		if (!ex_parse_double(text.text, text.length, &code))
			return -1;
	}
	return code >= 0 && code < EX_MAX_LEVELS && code == floor(code) ? (int64_t) code : -1;
}

static ex_status
note_levels(table_reader *reader, const table_node *node, feature_usage *usage)
{
	const uint8_t *element = node->levels.elements;

	usage->categorical = true;
	for (uint32_t i = 0; i < node->levels.count; i++)
	{
		if (!node->coded)
		{
			ex_string	level = ex_field_next_text(&element);

			usage->levels.order = ex_compare_strings;
			EX_TRY(ex_string_set_add(reader->host, &usage->levels, level));
		}
		else
		{
			int64_t		code = next_code(&node->levels, &element);

			if (code < 0)
				return bad_node(reader, node, EX_INVALID, "has a level that is no code");
			usage->coded = true;
			if (code >= usage->n_codes)
				usage->n_codes = (uint32_t) code + 1;
		}
	}
	return EX_OK;
}

static ex_status
note_usage(table_reader *reader, const table_node *node)
{
	feature_usage *usage;

	if (is_leaf(node))
		return EX_OK;
	usage = &reader->usage[feature_of(reader, node->feature)];
	usage->missing_rule |= !ex_is_null(node->missing) || node->test->op == EX_ISNULL;
	usage->compared |= node->test->op == EX_LE;
	if (node->test->op == EX_IN)
		EX_TRY(note_levels(reader, node, usage));
	if (usage->compared && usage->categorical)
		return bad_node(reader, node, EX_INVALID,
						"tests a feature for levels that others compare with a threshold");
	if (usage->coded && usage->levels.n > 0)
		return bad_node(reader, node, EX_INVALID,
						"has levels as names where others have codes, or the reverse");
	return EX_OK;
}

static ex_status
note_all_usage(table_reader *reader)
{
	for (size_t i = 0; i < reader->n; i++)
	{
		table_node	node;

		EX_TRY(ex_poll_row(reader->host, i));
		EX_TRY(read_again(reader, reader->sorted[i], &node));
		EX_TRY(note_usage(reader, &node));
	}
	return EX_OK;
}

/* Names of a feature's levels: sorted, distinct and terminated. */
static ex_status
name_levels(table_reader *reader, feature_usage *usage, ex_feature *feature)
{
	ex_string_set *levels = &usage->levels;
	const char **names;

	ex_string_set_finish(levels);
	if (levels->n > EX_MAX_LEVELS)
		return ex_fail(reader->host, EX_LIMIT, "feature \"%.*s\" has more than %d levels",
					   (int) feature->name_length, feature->name, EX_MAX_LEVELS);
	EX_TRY(EX_ALLOC(reader->host, levels->n, &names));
	for (size_t i = 0; i < levels->n; i++)
	{
		char	   *name;

		EX_TRY(EX_ALLOC(reader->host, levels->string[i].length + (size_t) 1, &name));
		memcpy(name, levels->string[i].text, levels->string[i].length);
		names[i] = name;
	}
	feature->levels = names;
	feature->n_levels = (uint32_t) levels->n;
	return EX_OK;
}

static ex_status
put_features(table_reader *reader)
{
	EX_TRY(check_features(reader));
	EX_TRY(note_all_usage(reader));
	for (size_t i = 0; i < reader->features.n; i++)
	{
		feature_usage *usage = &reader->usage[i];
		ex_feature	feature = {
			.name = reader->features.string[i].text,
			.name_length = reader->features.string[i].length,
			.kind = usage->categorical ? EX_CATEGORICAL : EX_NUMERIC,
			.missing = usage->missing_rule ? EX_MISSING_NATIVE : EX_MISSING_ERROR,
			.unknown = usage->categorical ? EX_UNKNOWN_OTHER : EX_UNKNOWN_ERROR,
			.n_levels = usage->n_codes
		};

		if (usage->levels.n > 0)
			EX_TRY(name_levels(reader, usage, &feature));
		EX_TRY(ex_put_feature(reader->builder, &feature));
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Trees
 * ---------------------------------------------------------------- */

/* The tree under way: n nodes sorted by name, of which `root` takes place 0. */
typedef struct tree_reader
{
	table_reader *table;
	const table_node *nodes;
	size_t		n;
	size_t		root;
	ex_raw_node *raw;
} tree_reader;

/* Position of a node by name; -1 if there is none. */
static int64_t
find_node(const tree_reader *tree, ex_string name)
{
	size_t		low = 0;
	size_t		high = tree->n;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;
		int			order = ex_compare_ids(&name, &tree->nodes[middle].name);

		if (order == 0)
			return (int64_t) middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

/* Sorted position to position in the raw tree and back: the root goes first. */
static size_t
place_of(const tree_reader *tree, size_t i)
{
	return i == tree->root ? 0 : i == 0 ? tree->root : i;
}

static ex_status
find_child(tree_reader *tree, const table_node *node, ex_string name, const char *what, int64_t *child)
{
	*child = find_node(tree, name);
	if (*child >= 0)
		return EX_OK;
	return ex_fail(tree->table->host, EX_INVALID, "%s %.*s of node %.*s of tree %.*s does not exist",
				   what, (int) name.length, name.text, (int) node->name.length, node->name.text,
				   (int) node->tree.length, node->tree.text);
}

/* The root is nobody's child; everybody else is so once. */
static ex_status
find_root(tree_reader *tree, const bool *is_child)
{
	ex_host    *host = tree->table->host;
	const table_node *first = &tree->nodes[0];
	int64_t		root = -1;

	for (size_t i = 0; i < tree->n; i++)
	{
		if (is_child[i])
			continue;
		if (root >= 0)
		{
			bad_node(tree->table, &tree->nodes[i], EX_INVALID, "is not the child of any other");
			ex_detail(host, "Nor is node %.*s, and only one can be the root.",
					  (int) tree->nodes[root].name.length, tree->nodes[root].name.text);
			return EX_INVALID;
		}
		root = (int64_t) i;
	}
	if (root < 0)
		return ex_fail(host, EX_INVALID, "tree %.*s has no root: every node is the child of another",
					   (int) first->tree.length, first->tree.text);
	tree->root = (size_t) root;
	return EX_OK;
}

/* A buffer of so many zeros, used again for every tree. */
static ex_status
clear(ex_host *host, ex_buffer *buffer, size_t size)
{
	buffer->size = 0;
	EX_TRY(ex_reserve(host, buffer, size));
	memset(buffer->data, 0, size);
	return EX_OK;
}

static ex_status
link_nodes(tree_reader *tree)
{
	bool	   *is_child;

	EX_TRY(clear(tree->table->host, &tree->table->is_child, tree->n * sizeof(bool)));
	is_child = (bool *) tree->table->is_child.data;
	for (size_t i = 0; i < tree->n; i++)
	{
		const table_node *node = &tree->nodes[i];
		int64_t		child[2];

		EX_TRY(ex_poll_row(tree->table->host, i));
		if (is_leaf(node))
			continue;
		EX_TRY(find_child(tree, node, node->left, "left_child", &child[0]));
		EX_TRY(find_child(tree, node, node->right, "right_child", &child[1]));
		for (int side = 0; side < 2; side++)
		{
			if (is_child[child[side]])
				return bad_node(tree->table, &tree->nodes[child[side]], EX_INVALID, "has two parents");
			is_child[child[side]] = true;
		}
	}
	return find_root(tree, is_child);
}

/* The next level of a list as its position in the model. */
static uint32_t
next_level(const feature_usage *usage, const cell_list *levels, const uint8_t **element)
{
	if (usage->coded)
		return (uint32_t) next_code(levels, element);
	return (uint32_t) ex_find_string(usage->levels.string, usage->levels.n,
									 ex_field_next_text(element), ex_compare_strings);
}

/*
 * A bitmap up to the set's last level.  Rows of one code each may ask for
 * more bitmaps than any model can hold: those are refused before they are made.
 */
static ex_status
read_set(tree_reader *tree, const table_node *node, ex_raw_node *raw)
{
	table_reader *table = tree->table;
	const feature_usage *usage = &table->usage[raw->feature];
	const uint8_t *element = node->levels.elements;
	uint32_t   *word;

	for (uint32_t i = 0; i < node->levels.count; i++)
	{
		uint32_t	words = next_level(usage, &node->levels, &element) / 32 + 1;

		if (words > raw->set_words)
			raw->set_words = words;
	}
	table->set_bytes += raw->set_words * sizeof(uint32_t);
	if (table->set_bytes > EX_MAX_MODEL_SIZE)
		return ex_fail(table->host, EX_LIMIT, "sets of levels need more than %zu bytes", EX_MAX_MODEL_SIZE);
	EX_TRY(EX_ALLOC(table->host, raw->set_words, &word));
	element = node->levels.elements;
	for (uint32_t i = 0; i < node->levels.count; i++)
	{
		uint32_t	level = next_level(usage, &node->levels, &element);

		word[level / 32] |= 1u << (level % 32);
	}
	raw->set = word;
	return EX_OK;
}

static ex_status
read_split(tree_reader *tree, const table_node *node, ex_raw_node *raw)
{
	ex_string	left = node->test->swap ? node->right : node->left;
	ex_string	right = node->test->swap ? node->left : node->right;

	raw->feature = feature_of(tree->table, node->feature);
	raw->left = (int32_t) place_of(tree, (size_t) find_node(tree, left));
	raw->right = (int32_t) place_of(tree, (size_t) find_node(tree, right));
	raw->zero_missing = node->zero_missing;
	raw->threshold = node->threshold;
	if (node->test->strict)
		raw->threshold = nextafter(raw->threshold, -INFINITY);
	if (!ex_is_null(node->missing) && node->test->op != EX_ISNULL)
	{
		raw->default_left = ex_compare_ids(&node->missing, &left) == 0;
		if (!raw->default_left && ex_compare_ids(&node->missing, &right) != 0)
			return bad_node(tree->table, node, EX_INVALID, "has a missing_child that is none of its children");
	}
	return node->test->op == EX_IN ? read_set(tree, node, raw) : EX_OK;
}

static ex_status
read_numbers(ex_host *host, const cell_list *list, const double **out)
{
	const uint8_t *element = list->elements;
	double	   *number;

	EX_TRY(EX_ALLOC(host, list->count, &number));
	for (uint32_t i = 0; i < list->count; i++)
		number[i] = ex_field_next_number(&element);
	*out = number;
	return EX_OK;
}

static ex_status
read_leaf(tree_reader *tree, const table_node *node, ex_raw_node *raw)
{
	ex_host    *host = tree->table->host;
	const uint8_t *element = node->linear_features.elements;
	uint32_t   *feature;

	raw->value = node->value;
	if (node->values.count > 0)
		EX_TRY(read_numbers(host, &node->values, &raw->vector));
	if (isnan(node->linear_constant))
		return node->linear_features.count == 0 ? EX_OK :
			bad_node(tree->table, node, EX_NULL, "has a linear model without a constant");
	raw->linear = true;
	raw->linear_const = node->linear_constant;
	raw->n_linear = node->linear_features.count;
	EX_TRY(EX_ALLOC(host, raw->n_linear, &feature));
	raw->linear_feature = feature;
	for (uint32_t t = 0; t < raw->n_linear; t++)
		*feature++ = feature_of(tree->table, ex_field_next_text(&element));
	return read_numbers(host, &node->linear_coefficients, &raw->linear_coef);
}

static ex_status
build_nodes(tree_reader *tree)
{
	EX_TRY(clear(tree->table->host, &tree->table->raw, tree->n * sizeof(ex_raw_node)));
	tree->raw = (ex_raw_node *) tree->table->raw.data;
	for (size_t i = 0; i < tree->n; i++)
	{
		const table_node *node = &tree->nodes[i];
		ex_raw_node *raw = &tree->raw[place_of(tree, i)];

		EX_TRY(ex_poll_row(tree->table->host, i));
		raw->op = node->test->op;
		raw->left = -1;
		raw->right = -1;
		raw->cover = node->cover;
		raw->gain = node->gain;
		EX_TRY(is_leaf(node) ? read_leaf(tree, node, raw) : read_split(tree, node, raw));
	}
	return EX_OK;
}

/* ex_tree_add counts nodes; say how, where the user's names are others. */
static void
explain_numbers(const tree_reader *tree)
{
	ex_error   *error = &tree->table->host->error;
	char		last[24];
	const table_node *end = &tree->nodes[tree->n - 1];
	int			length = snprintf(last, sizeof(last), "%zu", tree->n - 1);

	if (tree->root == 0 && end->name.length == (uint32_t) length &&
		memcmp(end->name.text, last, (size_t) length) == 0)
		return;
	if (error->hint[0] == '\0')
		ex_hint(tree->table->host, "The message counts nodes from 0, the root, in the order of their names.");
}

/* The rows of a tree, in the order of the nodes' names. */
static ex_status
read_tree(table_reader *reader, row_key *const *key, size_t n)
{
	table_node *node;

	if (n > EX_MAX_TREE_NODES)
		return ex_fail(reader->host, EX_LIMIT, "tree %.*s has more than %d nodes",
					   (int) key[0]->tree.length, key[0]->tree.text, EX_MAX_TREE_NODES);
	EX_TRY(clear(reader->host, &reader->nodes, n * sizeof(table_node)));
	node = (table_node *) reader->nodes.data;
	for (size_t i = 0; i < n; i++)
	{
		EX_TRY(ex_poll_row(reader->host, i));
		EX_TRY(read_again(reader, key[i], &node[i]));
	}
	return EX_OK;
}

static ex_status
put_tree(table_reader *reader, row_key *const *key, size_t n)
{
	tree_reader tree = {.table = reader, .n = n};
	ex_raw_tree raw = {0};
	char		label[64];
	ex_status	status;

	EX_TRY(read_tree(reader, key, n));
	tree.nodes = (const table_node *) reader->nodes.data;
	EX_TRY(agree_on_tree(reader, tree.nodes, n, &raw));
	EX_TRY(link_nodes(&tree));
	EX_TRY(build_nodes(&tree));
	snprintf(label, sizeof(label), "tree %.*s", (int) key[0]->tree.length, key[0]->tree.text);
	raw.label = label;
	raw.n_nodes = (uint32_t) n;
	raw.node = tree.raw;
	status = ex_tree_add(reader->builder, &raw);
	if (status == EX_INVALID)
		explain_numbers(&tree);
	return status;
}

ex_status
ex_tree_from_rows(ex_host *host, const void *bytes, size_t size, ex_builder *builder)
{
	table_reader reader = {.host = host, .builder = builder};
	size_t		first = 0;

	ex_builder_init(builder, host, EX_TREE);
	EX_TRY(read_rows(&reader, bytes, size));
	EX_TRY(put_outputs(&reader));
	EX_TRY(put_features(&reader));
	while (first < reader.n)
	{
		size_t		end = first + 1;

		while (end < reader.n &&
			   ex_compare_ids(&reader.sorted[first]->tree, &reader.sorted[end]->tree) == 0)
			end++;
		EX_TRY(put_tree(&reader, reader.sorted + first, end - first));
		first = end;
	}
	return EX_OK;
}
