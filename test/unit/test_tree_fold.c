/*
 * test_tree_fold.c
 *		Preprocessing folded into trees: the folded model on original rows must
 *		say exactly what the encoded model says on encoded rows, above all on
 *		rows that lie on a threshold and one ulp beside it.
 */
#include "host_malloc.h"
#include "model_json.h"
#include "random_tree.h"
#include "unit.h"

/* One column of every sort, and some twice with another scale. */
static const double edges[] = {-2, 0, 1.5, 1.75};
static const ex_encoded_column columns[] = {
	{.feature = 0, .scale = 1},
	{.feature = 0, .center = 0.3, .scale = 1.7},
	{.feature = 1, .center = -5, .scale = -0.01, .imputes = true, .impute = 2.5},
	{.feature = 1, .scale = -1},
	{.feature = RANDOM_NAMED, .op = EX_ENCODE_LEVEL, .level = 2, .scale = 1},
	{.feature = RANDOM_NAMED, .op = EX_ENCODE_LEVEL, .level = 0, .center = 0.4, .scale = 0.49},
	{.feature = RANDOM_NAMED, .op = EX_ENCODE_LEVEL, .level = 3, .scale = -2, .imputes = true, .impute = 3},
	{.feature = RANDOM_CODED, .op = EX_ENCODE_LEVEL, .level = 77, .scale = 1, .imputes = true, .impute = 5},
	{.feature = 2, .op = EX_ENCODE_BIN, .low = 2, .high = INFINITY, .scale = 1},
	{.feature = 2, .op = EX_ENCODE_BIN, .low = -INFINITY, .high = -1, .scale = 1, .imputes = true, .impute = 0},
	{.feature = 3, .op = EX_ENCODE_BIN_NUMBER, .edges = edges, .n_edges = 4, .center = 1, .scale = 0.5},
	{.feature = 3, .op = EX_ENCODE_BIN_NUMBER, .edges = edges, .n_edges = 4, .scale = -3, .imputes = true,
	.impute = 1.6},
	{.feature = 3, .op = EX_ENCODE_MISSING, .scale = 1},
	{.feature = RANDOM_BOOLEAN, .center = 0.5, .scale = 0.25},
	{.feature = RANDOM_CODED, .scale = 1},
	/* beyond the first N_ONE_TEST, one test becomes two */
	{.feature = 2, .op = EX_ENCODE_BIN, .low = -1, .high = 2, .scale = 1},
	{.feature = 2, .op = EX_ENCODE_BIN, .low = 0, .high = 1, .center = 0.5, .scale = -1, .imputes = true, .impute = 0.5}
};

enum
{
	N_COLUMNS = sizeof(columns) / sizeof(columns[0]),
	N_ONE_TEST = N_COLUMNS - 2,
	CATEGORICAL_COLUMN = N_COLUMNS	/* the coded feature as it is */
};

/* Features of the encoded model: numbers, and last a categorical one. */
static ex_status
encoded_features(ex_builder *builder)
{
	for (int c = 0; c <= N_COLUMNS; c++)
	{
		char		name[16];
		ex_feature	feature = {.name = name, .missing = EX_MISSING_NATIVE, .unknown = EX_UNKNOWN_OTHER};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "z%d", c);
		if (c == CATEGORICAL_COLUMN)
		{
			feature.kind = EX_CATEGORICAL;
			feature.n_levels = RANDOM_CODED_LEVELS;
		}
		EX_TRY(ex_put_feature(builder, &feature));
	}
	return EX_OK;
}

/* A threshold that the column can meet, or any. */
static double
random_threshold(uint64_t *seed, int c)
{
	double		x[RANDOM_FEATURES];
	double		z;

	random_row(seed, true, x);
	z = ex_encode(&columns[c], x[columns[c].feature]);
	switch (random_below(seed, 8))
	{
		case 0:
			return INFINITY;
		case 1:
			return -INFINITY;
		case 2:
			return random_number(seed);
		case 3:
			return isnan(z) ? 0 : nextafter(z, -INFINITY);
		default:
			return isnan(z) ? 0.5 : z;
	}
}

static ex_status
retarget(ex_host *host, uint64_t *seed, int n_columns, ex_raw_node *node)
{
	int			c = (int) random_below(seed, (uint32_t) n_columns + 1);

	if (node->op == EX_LEAF)
		return EX_OK;
	node->set = NULL;
	if (c == n_columns)
	{
		uint32_t   *set;

		EX_TRY(EX_ALLOC(host, 5, &set));
		for (int i = 0; i < RANDOM_CODED_LEVELS; i++)
			set[i / 32] |= (uint32_t) random_below(seed, 2) << (i % 32);
		node->op = node->op == EX_ISNULL ? EX_ISNULL : EX_IN;
		node->set = set;
		node->set_words = 5;
		c = CATEGORICAL_COLUMN;
	}
	else if (node->op != EX_ISNULL)
	{
		node->op = EX_LE;
		node->threshold = random_threshold(seed, c);
	}
	node->feature = (uint32_t) c;
	return EX_OK;
}

static ex_status
encoded_model(ex_host *host, uint64_t seed, int n_columns, const random_spec *spec, ex_model **model)
{
	ex_builder	builder;

	ex_builder_init(&builder, host, EX_TREE);
	EX_TRY(encoded_features(&builder));
	builder.n_outputs = spec->n_outputs;
	builder.aggregation = spec->mean ? EX_MEAN : EX_SUM;
	EX_TRY(ex_default_output_names(&builder));
	for (uint32_t k = 0; k < spec->n_outputs; k++)
		EX_TRY(ex_put_f64(&builder, EX_TREE_BASE, random_unit(&seed)));
	for (uint32_t t = 0; t < spec->n_trees; t++)
	{
		ex_raw_tree tree;

		EX_TRY(random_tree(host, &seed, spec, &tree));
		for (uint32_t i = 0; i < tree.n_nodes; i++)
			EX_TRY(retarget(host, &seed, n_columns, (ex_raw_node *) tree.node + i));
		EX_TRY(ex_tree_add(&builder, &tree));
	}
	return ex_build(&builder, model);
}

static ex_status
fold_model(ex_host *host, const ex_model *encoded, ex_model **folded)
{
	ex_encoded_column all[N_COLUMNS + 1];
	ex_encoding encoding = {N_COLUMNS + 1, all};
	ex_builder	builder;

	memcpy(all, columns, sizeof(columns));
	all[CATEGORICAL_COLUMN] = (ex_encoded_column) {.feature = RANDOM_CODED, .scale = 1};
	ex_builder_init(&builder, host, EX_TREE);
	EX_TRY(random_features(&builder, true));
	EX_TRY(ex_fold(host, encoded, &encoding, &builder));
	return ex_build(&builder, folded);
}

static void
encode_row(const double *x, double *z)
{
	for (int c = 0; c < N_COLUMNS; c++)
		z[c] = ex_encode(&columns[c], x[columns[c].feature]);
	z[CATEGORICAL_COLUMN] = x[RANDOM_CODED];
}

/* A row with one feature on, or one ulp beside, a threshold of the folded model. */
static void
row_at_threshold(uint64_t *seed, const ex_tree_view *view, double *x)
{
	const ex_node *node = view->node + random_below(seed, view->n_nodes);

	random_row(seed, true, x);
	if (EX_NODE_OP(node) != EX_LE || EX_NODE_FEATURE(node) == RANDOM_BOOLEAN)
		return;
	switch (random_below(seed, 3))
	{
		case 0:
			x[EX_NODE_FEATURE(node)] = node->value;
			break;
		case 1:
			x[EX_NODE_FEATURE(node)] = nextafter(node->value, INFINITY);
			break;
		default:
			x[EX_NODE_FEATURE(node)] = nextafter(node->value, -INFINITY);
	}
}

static void
test_fold(const random_spec *spec, int n_columns, uint64_t seed)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *encoded;
	ex_model   *folded;
	ex_compiled *of_encoded;
	ex_compiled *of_folded;
	ex_tree_view view;
	int			wrong = 0;

	if (!is_status(host, encoded_model(host, seed, n_columns, spec, &encoded), EX_OK, "an encoded model") ||
		!is_status(host, fold_model(host, encoded, &folded), EX_OK, "is folded") ||
		!is_status(host, ex_compile(host, encoded, 0, &of_encoded), EX_OK, "compiles") ||
		!is_status(host, ex_compile(host, folded, 0, &of_folded), EX_OK, "compiles"))
		return;
	ex_tree_open(folded, &view);
	for (int i = 0; i < 3000; i++)
	{
		double		x[RANDOM_FEATURES];
		double		z[N_COLUMNS + 1];
		double		expected[4];
		double		got[4];

		row_at_threshold(&seed, &view, x);
		encode_row(x, z);
		ex_tree_predict_raw(of_encoded, host, z, 1, expected);
		ex_tree_predict_raw(of_folded, host, x, 1, got);
		wrong += memcmp(expected, got, spec->n_outputs * sizeof(double)) != 0;
	}
	is_int(wrong, 0, "3000 rows, most of them at thresholds, predicted to the bit");
	if (spec->covers)
		ok((view.cover != NULL) == (n_columns <= N_ONE_TEST),
		   n_columns <= N_ONE_TEST ? "covers are kept" : "covers that are not known are dropped");
	if (n_columns <= N_ONE_TEST)
		is_int(view.n_nodes, ((const ex_tree_view *) of_encoded->state)->n_nodes, "node for node");
	ex_arena_free(&arena);
}

/* Each column by itself, in trees of many tests. */
static void
test_each_column(void)
{
	for (int c = 0; c < N_COLUMNS; c++)
	{
		ex_arena	arena;
		ex_host    *host = ex_arena_init(&arena);
		uint64_t	seed = 1000 + (uint64_t) c;
		int			wrong = 0;

		for (int i = 0; i < 300; i++)
		{
			ex_raw_node node[] = {
				{.op = i % 7 == 0 ? EX_ISNULL : EX_LE, .feature = (uint32_t) c, .threshold = random_threshold(&seed, c), .left = 1,
				.right = 2, .default_left = i % 2, .cover = 3, .gain = NAN},
				{.op = EX_LEAF, .left = -1, .right = -1, .value = 1, .cover = 1, .gain = NAN},
				{.op = EX_LEAF, .left = -1, .right = -1, .value = 2, .cover = 2, .gain = NAN}
			};
			const ex_raw_tree tree = {.weight = 1, .n_nodes = 3, .node = node};
			ex_builder	builder;
			ex_model   *encoded;
			ex_model   *folded;
			ex_tree_view from;
			ex_tree_view to;

			ex_builder_init(&builder, host, EX_TREE);
			encoded_features(&builder);
			builder.n_outputs = 1;
			ex_default_output_names(&builder);
			ex_put_f64(&builder, EX_TREE_BASE, 0);
			if (ex_tree_add(&builder, &tree) != EX_OK || ex_build(&builder, &encoded) != EX_OK ||
				fold_model(host, encoded, &folded) != EX_OK)
			{
				wrong++;
				continue;
			}
			ex_tree_open(encoded, &from);
			ex_tree_open(folded, &to);
			for (int j = 0; j < 50; j++)
			{
				double		x[RANDOM_FEATURES];
				double		z[N_COLUMNS + 1];

				row_at_threshold(&seed, &to, x);
				if (j == 0)
					x[columns[c].feature] = NAN;
				encode_row(x, z);
				wrong += ex_tree_find_leaf(&from, 0, z)->value != ex_tree_find_leaf(&to, 0, x)->value;
			}
		}
		is_int(wrong, 0, "column %d: one test, 300 thresholds", c);
		ex_arena_free(&arena);
	}
}

/* Two dummies on a path are one feature twice. */
static void
test_dummies(void)
{
	static const char text[] = "{\"family\":\"tree\",\"features\":["
		"{\"name\":\"colour\",\"kind\":\"categorical\",\"levels\":[\"red\",\"green\",\"blue\"],\"unknown\":\"other\"}],"
		"\"inputs\":[{\"feature\":\"colour\",\"level\":\"red\"},{\"feature\":\"colour\",\"level\":\"blue\",\"center\":1}],"
		"\"trees\":[{\"feature\":[0,1,null,null,null],\"threshold\":[0.5,-0.5,null,null,null],"
		"\"left_child\":[1,2,null,null,null],\"right_child\":[4,3,null,null,null],\"value\":[null,null,1,2,3],"
		"\"cover\":[6,4,2,2,2]}]}";
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	ex_compiled *compiled;
	const double code[] = {0, 1, 2, -1};
	const double expected[] = {3, 1, 2, 1};
	ex_tree_view view;

	if (!is_status(host, ex_model_from_json(host, text, strlen(text), &model), EX_OK, "two dummies") ||
		!is_status(host, ex_compile(host, model, 0, &compiled), EX_OK, "compile"))
		return;
	for (int i = 0; i < 4; i++)
	{
		double		raw;

		ex_tree_predict_raw(compiled, host, code + i, 1, &raw);
		is_double(raw, expected[i], "level %g", code[i]);
	}
	ex_tree_open(model, &view);
	is_int(model->n_features, 1, "they are one feature");
	is_int(EX_NODE_OP(view.node), EX_IN, "the root tests a set");
	is_int(view.set_word[0], 1, "of the first level");
	is_double(view.node[1].value, 3, "whose rows now go left");
	is_double(view.cover[1], 2, "with their cover");
	ex_arena_free(&arena);
}

static void
test_linear_leaves(void)
{
	static const char format[] = "{\"family\":\"tree\",\"features\":[{\"name\":\"a\",\"missing\":\"native\"}],"
		"\"inputs\":[{\"feature\":\"a\",\"center\":2,\"scale\":4%s}],"
		"\"trees\":[{\"value\":[9],\"linear\":[{\"constant\":1,\"features\":[0],\"coefficients\":[3]}]}]}";
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	char		text[512];
	ex_model   *model;
	ex_compiled *compiled;
	double		x = 10;
	double		raw = NAN;

	snprintf(text, sizeof(text), format, "");
	if (is_status(host, ex_model_from_json(host, text, strlen(text), &model), EX_OK, "a linear leaf of a scaled column") &&
		is_status(host, ex_compile(host, model, 0, &compiled), EX_OK, "compiles"))
		ex_tree_predict_raw(compiled, host, &x, 1, &raw);
	is_near(raw, 1 + 3 * (10 - 2) / 4.0, 1e-15, "keeps its value");
	snprintf(text, sizeof(text), format, ",\"impute\":3");
	is_status(host, ex_model_from_json(host, text, strlen(text), &model), EX_UNSUPPORTED, "not of an imputed one");
	ex_arena_free(&arena);
}

static void
test_refusals(void)
{
	const random_spec zero = {.n_trees = 2, .n_splits = 20, .n_outputs = 1, .zero_missing = true};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *encoded;
	ex_model   *folded;

	is_status(host, encoded_model(host, 5, N_COLUMNS, &zero, &encoded), EX_OK, "zero as missing in made columns");
	is_status(host, fold_model(host, encoded, &folded), EX_UNSUPPORTED, "cannot be folded");
	ex_arena_free(&arena);
}

/* Thirty bins, one outside the other: 2^30 nodes. */
static void
test_doubling(void)
{
	const uint32_t depth = 30;
	ex_raw_node node[2 * 30 + 1];
	const ex_raw_tree tree = {.weight = 1, .n_nodes = 2 * depth + 1, .node = node};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *encoded;
	ex_model   *folded;

	for (uint32_t i = 0; i <= 2 * depth; i++)
	{
		bool		split = i < depth;

		node[i] = (ex_raw_node) {.op = split ? EX_LE : EX_LEAF, .feature = N_ONE_TEST, .threshold = 0.5,
			.left = split ? (int32_t) i + 1 : -1, .right = split ? (int32_t) (depth + 1 + i) : -1,
			.value = i, .cover = NAN, .gain = NAN};
	}
	ex_builder_init(&builder, host, EX_TREE);
	encoded_features(&builder);
	builder.n_outputs = 1;
	ex_default_output_names(&builder);
	ex_put_f64(&builder, EX_TREE_BASE, 0);
	ex_tree_add(&builder, &tree);
	is_status(host, ex_build(&builder, &encoded), EX_OK, "a chain of bins");
	is_status(host, fold_model(host, encoded, &folded), EX_LIMIT, "grows too large to fold");
	ex_arena_free(&arena);
}

int
main(void)
{
	const random_spec plain = {.n_trees = 12, .n_splits = 40, .n_outputs = 1, .covers = true, .gains = true};
	const random_spec classes = {.n_trees = 8, .n_splits = 30, .n_outputs = 3, .vectors = true, .is_null = true,
	.mean = true, .covers = true};

	for (uint64_t seed = 1; seed <= 4; seed++)
	{
		test_fold(&plain, N_ONE_TEST, seed);
		test_fold(&classes, N_ONE_TEST, 10 + seed);
		test_fold(&plain, N_COLUMNS, 20 + seed);
		test_fold(&classes, N_COLUMNS, 30 + seed);
	}
	test_each_column();
	test_dummies();
	test_linear_leaves();
	test_refusals();
	test_doubling();
	return unit_done();
}
