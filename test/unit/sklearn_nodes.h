/*
 * sklearn_nodes.h
 *		Tree models from the golden node tables of scikit-learn
 *		(NAME.nodes.csv, NAME.trees.csv, NAME.model.json).
 *
 * The tables carry the exact double threshold for x <= t next to the
 * library's own; tests use ex_fold_float32_le where they want to prove the
 * folding.
 */
#ifndef EX_SKLEARN_NODES_H
#define EX_SKLEARN_NODES_H

#include "golden.h"
#include "json.h"

enum
{
	NODES_TREE, NODES_NUMBER, NODES_OP, NODES_FEATURE, NODES_ORIGINAL, NODES_THRESHOLD,
	NODES_CATEGORIES, NODES_LEFT, NODES_RIGHT, NODES_MISSING, NODES_COVER, NODES_VALUE,
	NODES_COLUMNS
};

/* Splits a CSV line in place; quotes protect commas. Returns the next line. */
static inline char *
nodes_line(char *at, char *cell[NODES_COLUMNS])
{
	char	   *end = strchr(at, '\n');

	*end = '\0';
	if (end > at && end[-1] == '\r')
		end[-1] = '\0';
	for (int c = 0; c < NODES_COLUMNS; c++)
	{
		bool		quoted = *at == '"';

		cell[c] = at += quoted;
		at += strcspn(at, quoted ? "\"" : ",");
		if (quoted)
			*at++ = '\0';
		if (*at != '\0')
			*at++ = '\0';
	}
	return end + 1;
}

/* "{1,2.5}" or "1" */
static inline size_t
nodes_numbers(const char *text, double *number)
{
	size_t		n = 0;
	char	   *end;

	for (text += *text == '{'; *text != '\0' && *text != '}'; text = end + (*end == ','))
	{
		double		value = strtod(text, &end);

		if (end == text)
			break;
		if (number != NULL)
			number[n] = value;
		n++;
	}
	return n;
}

static inline ex_status
nodes_raw(ex_host *host, char *cell[NODES_COLUMNS], ex_raw_node *node)
{
	bool		leaf = strcmp(cell[NODES_OP], "leaf") == 0;
	size_t		count = nodes_numbers(leaf ? cell[NODES_VALUE] : cell[NODES_CATEGORIES], NULL);
	double	   *number;

	EX_TRY(EX_ALLOC(host, count, &number));
	(void) nodes_numbers(leaf ? cell[NODES_VALUE] : cell[NODES_CATEGORIES], number);
	*node = (ex_raw_node) {.left = -1, .right = -1, .gain = NAN};
	node->cover = strtod(cell[NODES_COVER], NULL);
	if (leaf)
	{
		node->op = EX_LEAF;
		node->value = number[0];
		node->vector = count > 1 ? number : NULL;
		return EX_OK;
	}
	node->feature = (uint32_t) atoi(cell[NODES_FEATURE]);
	node->left = atoi(cell[NODES_LEFT]);
	node->right = atoi(cell[NODES_RIGHT]);
	node->default_left = cell[NODES_MISSING][0] == 'l';
	node->op = strcmp(cell[NODES_OP], "in") == 0 ? EX_IN : EX_LE;
	if (node->op == EX_LE)
		node->threshold = strtod(cell[NODES_THRESHOLD], NULL);
	else
	{
		uint32_t   *set;

		EX_TRY(EX_ALLOC(host, 8, &set));
		for (size_t i = 0; i < count; i++)
			set[(int) number[i] / 32] |= 1u << ((int) number[i] % 32);
		node->set = set;
		node->set_words = 8;
	}
	return EX_OK;
}

/* Features, outputs, base and aggregation from NAME.model.json. */
static inline ex_status
nodes_header(ex_host *host, const char *name, ex_builder *builder)
{
	char		path[256];
	size_t		size;
	char	   *text;
	ex_json		json;
	ex_json_value root;
	ex_json_value value;
	ex_json_cursor cursor;
	int64_t		n_outputs;
	double	   *base;
	size_t		count;

	snprintf(path, sizeof(path), "%s.model.json", name);
	text = golden_file(host, path, &size);
	EX_TRY(ex_json_open(&json, host, EX_FORMAT_JSON, text, size, &root));
	ex_builder_init(builder, host, EX_TREE);
	ex_json_begin(&json, ex_json_get(&json, root, "inputs"), &cursor);
	while (ex_json_next(&json, &cursor, &value))
	{
		ex_feature	feature = {.missing = EX_MISSING_NATIVE};
		ex_json_value unknown = ex_json_get(&json, value, "unknown");
		int64_t		levels = 0;

		EX_TRY(ex_json_string(&json, ex_json_get(&json, value, "name"), &feature.name,
							  &feature.name_length));
		if (ex_json_equals(&json, ex_json_get(&json, value, "kind"), "c"))
		{
			feature.kind = EX_CATEGORICAL;
			feature.unknown = ex_json_equals(&json, unknown, "missing") ?
				EX_UNKNOWN_MISSING : EX_UNKNOWN_OTHER;
			levels = (int64_t) ex_json_count(&json, ex_json_get(&json, value, "categories"));
			if (levels == 0)
				EX_TRY(ex_json_integer(&json, ex_json_get(&json, value, "n_cat"), "n_cat", 1, 256, &levels));
		}
		feature.n_levels = (uint32_t) levels;
		EX_TRY(ex_put_feature(builder, &feature));
	}
	EX_TRY(ex_json_integer(&json, ex_json_get(&json, root, "n_out"), "n_out", 1, 100, &n_outputs));
	builder->n_outputs = (uint32_t) n_outputs;
	builder->aggregation = ex_json_equals(&json, ex_json_get(&json, root, "agg"), "mean") ? EX_MEAN : EX_SUM;
	EX_TRY(ex_json_doubles(&json, ex_json_get(&json, root, "base"), "base", &base, &count));
	EX_TRY(ex_put(builder, EX_TREE_BASE, base, count));
	return ex_default_output_names(builder);
}

/* Output and weight of each tree from NAME.trees.csv: "0,,1" feeds all there are. */
static inline void
nodes_tree(const char *line, uint32_t n_outputs, ex_raw_tree *tree)
{
	const char *output = strchr(line, ',') + 1;

	tree->output = *output == ',' && n_outputs > 1 ? EX_ALL_OUTPUTS : (uint32_t) atoi(output);
	tree->weight = strtod(strchr(output, ',') + 1, NULL);
}

/* The whole model; `name` is the path without extension. */
static inline ex_status
nodes_model(ex_host *host, const char *name, ex_model **model)
{
	char		path[256];
	size_t		size;
	char	   *at;
	char	   *trees;
	ex_builder	builder;
	ex_buffer	nodes = {NULL, 0, 0};
	ex_raw_tree tree = {.weight = 1};

	EX_TRY(nodes_header(host, name, &builder));
	snprintf(path, sizeof(path), "%s.trees.csv", name);
	trees = strchr(golden_file(host, path, &size), '\n') + 1;
	snprintf(path, sizeof(path), "%s.nodes.csv", name);
	at = strchr(golden_file(host, path, &size), '\n') + 1;
	while (*at != '\0')
	{
		char	   *cell[NODES_COLUMNS];
		ex_raw_node node;
		bool		last;

		at = nodes_line(at, cell);
		EX_TRY(nodes_raw(host, cell, &node));
		EX_TRY(ex_append(host, &nodes, &node, sizeof(node)));
		last = *at == '\0' || atoi(at) != atoi(cell[NODES_TREE]);
		if (last)
		{
			nodes_tree(trees, builder.n_outputs, &tree);
			trees = strchr(trees, '\n') + 1;
			tree.node = (ex_raw_node *) nodes.data;
			tree.n_nodes = (uint32_t) (nodes.size / sizeof(ex_raw_node));
			EX_TRY(ex_tree_add(&builder, &tree));
			nodes.size = 0;
		}
	}
	return ex_build(&builder, model);
}

#endif							/* EX_SKLEARN_NODES_H */
