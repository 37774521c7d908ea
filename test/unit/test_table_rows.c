/*
 * test_table_rows.c
 *		From rows of tables to models: random models taken apart into rows, which
 *		are shuffled, split, merged and put together again; damaged rows; orders
 *		of names.  Models aligned with others and edited.
 */
#include "host_malloc.h"
#include "linear.h"
#include "linear_rows.h"
#include "model_align.h"
#include "model_edit.h"
#include "random_tree.h"
#include "tree_describe.h"
#include "tree_rows.h"
#include "unit.h"

/* ----------------------------------------------------------------
 * Names and orders
 * ---------------------------------------------------------------- */

static ex_string
string_of(const char *text)
{
	ex_string	string = {text, (uint32_t) strlen(text)};

	return string;
}

static void
test_orders(void)
{
	static const char *const sorted[] = {
		"-12345678901234567890", "-10", "-9", "0", "1", "9", "10", "100", "18446744073709551616",
		"", "+1", "-", "-0", "-01", "00", "01", "1.0", "1e1", "a", "a1", "b"
	};
	size_t		n = sizeof(sorted) / sizeof(sorted[0]);
	ex_string	names[2 * sizeof(sorted) / sizeof(sorted[0])];
	uint64_t	seed = 1;
	bool		right = true;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
		{
			ex_string	a = string_of(sorted[i]);
			ex_string	b = string_of(sorted[j]);
			int			order = ex_compare_ids(&a, &b);

			right &= i < j ? order < 0 : i > j ? order > 0 : order == 0;
		}
	ok(right, "whole numbers come first, by size, then texts by their bytes");
	for (size_t i = 0; i < 2 * n; i++)
		names[i] = string_of(sorted[random_below(&seed, (uint32_t) n)]);
	for (size_t i = 0; i < n; i++)
		names[i] = string_of(sorted[(i * 8) % n]);
	is_int((int64_t) ex_distinct_strings(names, 2 * n, ex_compare_ids), (int64_t) n, "each is kept once");
	right = true;
	for (size_t i = 0; i < n; i++)
		right &= ex_find_string(names, n, string_of(sorted[i]), ex_compare_ids) == (int32_t) i;
	ok(right, "and found at its place");
	is_int(ex_find_string(names, n, string_of("2"), ex_compare_ids), -1, "what is not there is not found");
}

typedef struct item
{
	ex_string	name;
	size_t		number;
} item;

static void
test_sort(size_t n, uint32_t different, bool in_order)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	item	   *items;
	item	  **sorted;
	uint64_t	seed = n;
	bool		right = true;
	char		(*text)[12];

	if (EX_ALLOC(host, n, &items) != EX_OK || EX_ALLOC(host, n, &sorted) != EX_OK ||
		EX_ALLOC(host, n, &text) != EX_OK)
		return;
	for (size_t i = 0; i < n; i++)
	{
		snprintf(text[i], sizeof(text[i]), "%u", in_order ? (uint32_t) i : random_below(&seed, different));
		items[i].name = string_of(text[i]);
		items[i].number = i;
		sorted[i] = &items[i];
	}
	is_status(host, ex_sort_pointers(host, (void **) sorted, n, ex_compare_ids), EX_OK, "%zu names", n);
	for (size_t i = 1; i < n; i++)
	{
		int			order = ex_compare_ids(sorted[i - 1], sorted[i]);

		right &= order < 0 || (order == 0 && sorted[i - 1]->number < sorted[i]->number);
	}
	ok(right, "are sorted, equal ones as they came");
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * Tree models
 * ---------------------------------------------------------------- */

static ex_field *
field_of(const ex_table *table, ex_field *fields, const char *name)
{
	for (int i = 0; i < table->n_fields; i++)
		if (strcmp(table->field[i].name, name) == 0)
			return &fields[i];
	abort();
}

static void
set_text(const ex_table *table, ex_field *fields, const char *name, ex_string text)
{
	ex_field   *field = field_of(table, fields, name);

	field->type = EX_FIELD_TEXT;
	field->text = text;
}

static void
set_number(const ex_table *table, ex_field *fields, const char *name, double number)
{
	ex_field   *field = field_of(table, fields, name);

	field->type = EX_FIELD_NUMBER;
	field->number = number;
}

static ex_string
numbered(ex_host *host, uint32_t number)
{
	char	   *text;

	if (EX_ALLOC(host, 12, &text) != EX_OK)
		abort();
	snprintf(text, 12, "%u", number);
	return string_of(text);
}

static ex_string
name_of(const ex_model *model, ex_section_id names, uint32_t i)
{
	ex_string	name;

	name.text = ex_get_name(model, names, i, &name.length);
	return name;
}

static void
set_levels(ex_host *host, const ex_model *model, const ex_raw_node *node, ex_field *fields)
{
	ex_field   *field = field_of(&ex_node_table, fields, "levels");
	ex_string  *level;

	if (EX_ALLOC(host, node->set_words * 32, &level) != EX_OK)
		abort();
	field->type = EX_FIELD_TEXTS;
	field->texts = level;
	for (uint32_t l = 0; l < node->set_words * 32; l++)
		if (node->set[l / 32] >> (l % 32) & 1)
		{
			char	   *buf;

			if (EX_ALLOC(host, 12, &buf) != EX_OK)
				abort();
			level->text = ex_level_name(model, node->feature, l, buf, &level->length);
			level++;
			field->count++;
		}
	set_number(&ex_node_table, fields, "coded", node->feature == RANDOM_CODED);
}

static void
set_leaf(ex_host *host, const ex_model *model, const ex_raw_node *node, ex_field *fields)
{
	ex_string  *name;

	set_number(&ex_node_table, fields, "value", node->value);
	if (node->vector != NULL)
	{
		ex_field   *value = field_of(&ex_node_table, fields, "value");

		value->type = EX_FIELD_NUMBERS;
		value->count = model->n_outputs;
		value->numbers = node->vector;
	}
	if (!node->linear)
		return;
	set_number(&ex_node_table, fields, "linear_constant", node->linear_const);
	if (EX_ALLOC(host, node->n_linear, &name) != EX_OK)
		abort();
	for (uint32_t i = 0; i < node->n_linear; i++)
		name[i] = name_of(model, EX_FEATURE_NAME_START, node->linear_feature[i]);
	*field_of(&ex_node_table, fields, "linear_features") = (ex_field) {
		.type = EX_FIELD_TEXTS,.count = node->n_linear,.texts = name
	};
	*field_of(&ex_node_table, fields, "linear_coefficients") = (ex_field) {
		.type = EX_FIELD_NUMBERS,.count = node->n_linear,.numbers = node->linear_coef
	};
}

/* A node as a row, as explain.tree_nodes writes it. */
static void
node_row(ex_host *host, const ex_tree_view *view, uint32_t tree, uint32_t i, ex_field *fields)
{
	const ex_table *table = &ex_node_table;
	ex_raw_node node;

	memset(fields, 0, EX_TABLE_MAX_FIELDS * sizeof(*fields));
	ex_tree_get_node(view, tree, i, &node);
	set_text(table, fields, "tree", numbered(host, tree));
	set_text(table, fields, "node", numbered(host, i));
	set_text(table, fields, "op", string_of(ex_node_op_names[node.op]));
	set_number(table, fields, "weight", view->weight[tree]);
	if (!view->vector_leaves)
		set_text(table, fields, "output", name_of(view->model, EX_OUTPUT_NAME_START, view->output[tree]));
	if (!isnan(node.cover))
		set_number(table, fields, "cover", node.cover);
	if (!isnan(node.gain))
		set_number(table, fields, "gain", node.gain);
	if (node.op == EX_LEAF)
	{
		set_leaf(host, view->model, &node, fields);
		return;
	}
	set_text(table, fields, "feature", name_of(view->model, EX_FEATURE_NAME_START, node.feature));
	set_text(table, fields, "left_child", numbered(host, (uint32_t) node.left));
	set_text(table, fields, "right_child", numbered(host, (uint32_t) node.right));
	set_number(table, fields, "zero_missing", node.zero_missing);
	if (node.op != EX_ISNULL)
		set_text(table, fields, "missing_child", numbered(host, (uint32_t) (node.default_left ? node.left : node.right)));
	if (node.op == EX_LE)
		set_number(table, fields, "threshold", node.threshold);
	if (node.op == EX_IN)
		set_levels(host, view->model, &node, fields);
}

/* All nodes in random order, each into one of two sets of rows. */
static void
take_apart(ex_host *host, const ex_model *model, uint64_t seed, ex_buffer rows[2])
{
	ex_tree_view view;
	uint32_t   *order;

	ex_tree_open(model, &view);
	if (EX_ALLOC(host, view.n_nodes, &order) != EX_OK ||
		ex_rows_begin(host, &rows[0], &ex_node_table) != EX_OK ||
		ex_rows_begin(host, &rows[1], &ex_node_table) != EX_OK)
		abort();
	for (uint32_t i = 0; i < view.n_nodes; i++)
	{
		uint32_t	other = random_below(&seed, i + 1);

		order[i] = order[other];
		order[other] = i;
	}
	for (uint32_t i = 0; i < view.n_nodes; i++)
	{
		ex_field	fields[EX_TABLE_MAX_FIELDS];
		uint32_t	tree = 0;

		while (order[i] >= view.root[tree + 1])
			tree++;
		node_row(host, &view, tree, order[i] - view.root[tree], fields);
		if (ex_rows_put(host, &rows[random_below(&seed, 2)], &ex_node_table, fields) != EX_OK)
			abort();
	}
}

static ex_status
put_together(ex_host *host, const ex_buffer *rows, const ex_model *original, ex_model **model)
{
	ex_builder	builder;
	ex_model   *bare;

	EX_TRY(ex_tree_from_rows(host, rows->data, rows->size, &builder));
	EX_TRY(ex_build(&builder, &bare));
	EX_TRY(ex_align_features(host, bare, original, &builder));
	EX_TRY(ex_edit_outputs_of(&builder, original));
	return ex_build(&builder, model);
}

static void
test_tree_model(const random_spec *spec, uint64_t seed)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_buffer	rows[2] = {{0}, {0}};
	size_t		n;
	ex_model   *model;
	ex_model   *again;

	if (!is_status(host, random_model(host, seed, spec, false, &model), EX_OK, "a random model"))
		return;
	take_apart(host, model, seed, rows);
	is_status(host, ex_rows_check(host, &ex_node_table, rows[1].data, rows[1].size, &n), EX_OK, "its nodes as rows");
	is_status(host, ex_rows_merge(host, &rows[0], rows[1].data, rows[1].size), EX_OK, "are merged");
	if (is_status(host, put_together(host, &rows[0], model, &again), EX_OK, "and make a model") &&
		is_int(again->size, model->size, "of the same size"))
		is_same(again, model, model->size, "and the same bytes");
	ex_arena_free(&arena);
}

/* Every shorter piece of the rows, and every byte changed: an answer, whatever it is. */
static void
test_damage(void)
{
	static const random_spec spec = {
		.n_trees = 3,.n_splits = 3,.n_outputs = 2,.categorical = true,.linear = true,.covers = true
	};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_buffer	rows[2] = {{0}, {0}};
	ex_model   *model;
	int			refused = 0;
	int			accepted = 0;

	if (random_model(host, 5, &spec, false, &model) != EX_OK)
		abort();
	take_apart(host, model, 5, rows);
	if (ex_rows_merge(host, &rows[0], rows[1].data, rows[1].size) != EX_OK)
		abort();
	for (size_t i = 0; i < 2 * rows[0].size; i++)
	{
		ex_arena	inner;
		size_t		size = i < rows[0].size ? i : rows[0].size;
		char	   *copy = malloc(size + 1);	/* of its own, for the sanitizer */
		ex_builder	builder;
		ex_status	status;

		memcpy(copy, rows[0].data, size);
		if (i >= rows[0].size)
			copy[i - rows[0].size] ^= (char) (1 << (i % 8));
		status = ex_tree_from_rows(ex_arena_init(&inner), copy, size, &builder);
		if (status == EX_OK)
			status = ex_build(&builder, &model);
		if (status == EX_OK)
			accepted++;
		else
			refused++;
		if (status == EX_CORRUPT || status == EX_MEMORY)
			ok(false, "status %d of damage %zu", status, i);
		free(copy);
		ex_arena_free(&inner);
	}
	ok(refused > accepted && accepted > 0, "%d damaged sets of rows are refused, %d make another model",
	   refused, accepted);
	ex_arena_free(&arena);
}

/* Memory that runs out at any moment is reported. */
static void
test_memory(void)
{
	static const random_spec spec = {
		.n_trees = 2,.n_splits = 4,.n_outputs = 1,.categorical = true,.linear = true,.covers = true
	};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_buffer	rows[2] = {{0}, {0}};
	ex_model   *model;
	ex_model   *again;
	ex_status	status = EX_MEMORY;
	long		failures = 0;

	if (random_model(host, 7, &spec, false, &model) != EX_OK)
		abort();
	take_apart(host, model, 7, rows);
	if (ex_rows_merge(host, &rows[0], rows[1].data, rows[1].size) != EX_OK)
		abort();
	for (; status == EX_MEMORY && failures < 100000; failures++)
	{
		ex_arena	inner;
		ex_host    *poor = ex_arena_init(&inner);

		inner.fail_after = failures;
		status = put_together(poor, &rows[0], model, &again);
		ex_arena_free(&inner);
	}
	is_int(status, EX_OK, "after %ld allocations that failed there was enough memory", failures - 1);
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * Linear models
 * ---------------------------------------------------------------- */

typedef struct coefficient
{
	const char *feature;
	const char *level;
	const char *output;
	double		value;
} coefficient;

static ex_status
linear_model(ex_host *host, const coefficient *c, size_t n, ex_model **model)
{
	const ex_table *table = &ex_coefficient_table;
	ex_buffer	rows = {0};
	ex_builder	builder;

	EX_TRY(ex_rows_begin(host, &rows, table));
	for (size_t i = 0; i < n; i++)
	{
		ex_field	fields[EX_TABLE_MAX_FIELDS] = {{0}};

		if (c[i].feature != NULL)
			set_text(table, fields, "feature", string_of(c[i].feature));
		if (c[i].level != NULL)
			set_text(table, fields, "level", string_of(c[i].level));
		if (c[i].output != NULL)
			set_text(table, fields, "output", string_of(c[i].output));
		set_number(table, fields, "coefficient", c[i].value);
		EX_TRY(ex_rows_put(host, &rows, table, fields));
	}
	EX_TRY(ex_linear_from_rows(host, rows.data, rows.size, &builder));
	return ex_build(&builder, model);
}

/* The same rows in any order are the same model; the numbers go where they belong. */
static void
test_linear_model(void)
{
	coefficient c[] = {
		{"b", NULL, "9", 1}, {"b", NULL, "10", 2}, {"a", "y", "10", 4}, {"a", "x", "9", 8},
		{NULL, NULL, "10", 16}, {"B", NULL, "9", 32}, {"é", NULL, "9", 64}
	};
	size_t		n = sizeof(c) / sizeof(c[0]);
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	uint64_t	seed = 3;
	ex_model   *first;
	ex_linear_view view;
	bool		same = true;

	if (!is_status(host, linear_model(host, c, n, &first), EX_OK, "a table of coefficients"))
		return;
	ex_linear_open(first, &view);
	is_int(ex_find_output(first, "9", 1), 0, "output 9 comes before 10");
	is_int(ex_find_feature(first, "B", 1), 0, "capital letters come first");
	is_int(ex_find_feature(first, "é", 2), 3, "and what is not ASCII last");
	is_int(view.n_columns, 5, "a column for each level and number");
	is_double(view.intercept[0], 0, "an intercept that is not given is 0");
	is_double(view.intercept[1], 16, "one that is given is that");
	is_double(view.coefficient[1], 8, "a level's coefficient");
	is_double(view.coefficient[view.n_columns + 2], 4, "another output's");
	is_double(view.coefficient[2], 0, "is 0 where it is not given");
	for (int round = 0; round < 20; round++)
	{
		ex_model   *model;

		for (size_t i = n - 1; i > 0; i--)
		{
			size_t		other = random_below(&seed, (uint32_t) i + 1);
			coefficient swap = c[i];

			c[i] = c[other];
			c[other] = swap;
		}
		same &= linear_model(host, c, n, &model) == EX_OK && memcmp(model->digest, first->digest, 16) == 0;
	}
	ok(same, "the order of the rows does not matter");
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * Alignment
 * ---------------------------------------------------------------- */

/* The features of a model in reverse order, their levels too, with one more of each. */
static ex_status
reversed(ex_host *host, const ex_model *model, ex_model **out)
{
	ex_builder	builder;
	ex_raw_node leaf = {.op = EX_LEAF,.left = -1,.right = -1,.cover = NAN,.gain = NAN};
	ex_raw_tree tree = {.weight = 1,.n_nodes = 1,.node = &leaf};
	double		zero = 0;

	ex_builder_init(&builder, host, EX_TREE);
	for (uint32_t i = model->n_features; i-- > 0;)
	{
		ex_feature	feature;
		const char **level;

		ex_get_feature(model, i, &feature);
		EX_TRY(EX_ALLOC(host, feature.n_levels + (size_t) 1, &level));
		level[0] = "one more";
		for (uint32_t l = 0; l < feature.n_levels; l++)
		{
			char	   *name;
			uint32_t	length;
			char		code[12];
			const char *text = ex_level_name(model, i, l, code, &length);

			EX_TRY(EX_ALLOC(host, length + (size_t) 1, &name));
			memcpy(name, text, length);
			level[feature.n_levels - l] = name;
		}
		feature.levels = level;
		if (feature.kind == EX_CATEGORICAL)
			feature.n_levels++;
		EX_TRY(ex_put_feature(&builder, &feature));
	}
	EX_TRY(ex_put_feature(&builder, &(ex_feature) {.name = "one more",.name_length = 8}));
	builder.n_outputs = 1;
	EX_TRY(ex_default_output_names(&builder));
	EX_TRY(ex_put(&builder, EX_TREE_BASE, &zero, 1));
	EX_TRY(ex_tree_add(&builder, &tree));
	return ex_build(&builder, out);
}

/* A row as the reversed features have it. */
static void
reversed_row(const ex_model *model, const double *x, double *y)
{
	const uint32_t *levels = ex_get(model, EX_FEATURE_LEVELS, NULL);
	const uint8_t *kind = ex_get(model, EX_FEATURE_KIND, NULL);
	uint32_t	p = model->n_features;

	for (uint32_t i = 0; i < p; i++)
	{
		y[p - 1 - i] = x[i];
		if (kind[i] == EX_CATEGORICAL && x[i] >= 0)
			y[p - 1 - i] = levels[i] - x[i];
	}
	y[p] = 7;
}

static bool
same_predictions(ex_host *host, const ex_model *model, const ex_model *aligned, uint64_t seed)
{
	ex_compiled *one;
	ex_compiled *other;

	if (ex_compile(host, model, 0, &one) != EX_OK || ex_compile(host, aligned, 0, &other) != EX_OK)
		return false;
	for (int i = 0; i < 200; i++)
	{
		double		x[RANDOM_FEATURES];
		double		y[RANDOM_FEATURES + 1];
		double		raw[2][8];

		random_row(&seed, true, x);
		reversed_row(model, x, y);
		if (one->family->predict_raw(one, host, x, 1, raw[0]) != EX_OK ||
			other->family->predict_raw(other, host, y, 1, raw[1]) != EX_OK ||
			memcmp(raw[0], raw[1], model->n_outputs * sizeof(double)) != 0)
			return false;
	}
	return true;
}

static void
test_alignment(uint64_t seed)
{
	static const random_spec spec = {
		.n_trees = 6,.n_splits = 20,.n_outputs = 2,.categorical = true,.is_null = true,.linear = true,.covers = true
	};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *model;
	ex_model   *other;
	ex_model   *aligned;

	if (!is_status(host, random_model(host, seed, &spec, false, &model), EX_OK, "a model") ||
		!is_status(host, reversed(host, model, &other), EX_OK, "one with the features reversed") ||
		!is_status(host, ex_align_features(host, model, other, &builder), EX_OK, "aligned with it") ||
		!is_status(host, ex_build(&builder, &aligned), EX_OK, "is a model"))
		return;
	ok(same_predictions(host, model, aligned, seed), "that predicts the same");
	is_status(host, ex_align_features(host, aligned, model, &builder), EX_INVALID, "not all features are there on the way back");
	is_status(host, ex_align_features(host, model, model, &builder), EX_OK, "aligned with itself");
	if (is_status(host, ex_build(&builder, &aligned), EX_OK, "it is a model"))
		is_same(aligned, model, model->size, "and the same");
	ex_arena_free(&arena);
}

int
main(void)
{
	static const random_spec specs[] = {
		{.n_trees = 5,.n_splits = 20,.n_outputs = 1,.covers = true,.gains = true},
		{.n_trees = 30,.n_splits = 25,.n_outputs = 3,.categorical = true,.is_null = true,
		.zero_missing = true,.covers = true},
		{.n_trees = 4,.n_splits = 40,.n_outputs = 3,.vectors = true,.categorical = true,.mean = true},
		{.n_trees = 9,.n_splits = 30,.n_outputs = 2,.categorical = true,.linear = true,.gains = true,.mean = true}
	};

	test_orders();
	test_sort(1000, 1000000, false);
	test_sort(1000, 10, false);
	test_sort(1000, 0, true);
	test_sort(1, 1, false);
	test_sort(0, 1, false);
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		for (uint64_t seed = 1; seed <= 5; seed++)
			test_tree_model(&specs[i], seed);
	test_damage();
	test_memory();
	test_linear_model();
	for (uint64_t seed = 1; seed <= 5; seed++)
		test_alignment(seed);
	return unit_done();
}
