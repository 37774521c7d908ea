/*
 * test_tree_predict.c
 *		Raw predictions of trees: against scikit-learn, and one path against
 *		the others bit for bit.
 */
#include "host_malloc.h"
#include "random_tree.h"
#include "sklearn_nodes.h"
#include "unit.h"

#define DATA "test/data/models/sklearn/"

/* ----------------------------------------------------------------
 * scikit-learn's own predictions (1.2.1); rows 17-20 lie on thresholds, one
 * ulp of double and of float32 beside them
 * ---------------------------------------------------------------- */

typedef struct golden_model
{
	const char *name;
	int			column;			/* first of the raw predictions in NAME.pred.csv */
} golden_model;

static const golden_model golden[] = {
	{DATA "dt_reg", 0}, {DATA "dt_cls", 0}, {DATA "rf_reg", 0}, {DATA "rf_cls", 0},
	{DATA "gbm_binary", 0}, {DATA "hist_binary_cat", 0}, {DATA "hist_reg_nan", 0},
	{DATA "pipeline_onehot_rf_folded", 0}
};

/* Sum over the trees of the largest |leaf|, with weights and division. */
static double
scale_of(const ex_compiled *compiled)
{
	const ex_tree_state *state = ex_tree_state_of(compiled);
	const ex_tree_view *view = &state->view;
	double		sum = 0;

	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		double		largest = 0;

		for (uint32_t i = view->root[t]; i < view->root[t + 1]; i++)
		{
			const ex_node *node = view->node + i;

			if (EX_NODE_OP(node) != EX_LEAF)
				continue;
			for (uint32_t k = 0; k < (view->vector_leaves ? view->n_outputs : 1); k++)
				largest = fmax(largest, fabs(view->vector_leaves ?
											 ex_tree_leaf_vector(view, node)[k] : node->value));
		}
		sum += largest * fabs(state->scale[t]);
	}
	return sum;
}

static void
test_golden(const golden_model *expected)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	ex_compiled *compiled;
	char		path[256];
	golden_table rows;
	golden_table predictions;
	double	   *raw;
	double		worst = 0;

	if (!is_status(host, nodes_model(host, expected->name, &model), EX_OK, "%s", expected->name) ||
		!is_status(host, ex_compile(host, model, 1 << 30, &compiled), EX_OK, "compiles"))
		return;
	snprintf(path, sizeof(path), "%s.X.csv", expected->name);
	rows = golden_csv(host, path);
	snprintf(path, sizeof(path), "%s.pred.csv", expected->name);
	predictions = golden_csv(host, path);
	raw = host->alloc(host, rows.rows * model->n_outputs * sizeof(double));
	is_status(host, ex_tree_predict_raw(compiled, host, golden_vectors(host, model, &rows), rows.rows, raw),
			  EX_OK, "predicts");
	for (size_t i = 0; i < rows.rows; i++)
		for (uint32_t k = 0; k < model->n_outputs; k++)
			worst = fmax(worst, fabs(raw[i * model->n_outputs + k] -
									 predictions.value[i * predictions.columns + expected->column + k]));
	is_int(rows.rows, 20, "all 20 rows");
	printf("# %s: largest difference %.3g, on a scale of %.3g\n", expected->name, worst, scale_of(compiled));
	ok(worst <= 1e-12 * scale_of(compiled), "agree with scikit-learn");
	ex_arena_free(&arena);
}

/* score = -2^(-mean / c) */
static void
test_isolation_forest(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	ex_compiled *compiled;
	golden_table rows = golden_csv(host, DATA "isolation_forest.X.csv");
	golden_table predictions = golden_csv(host, DATA "isolation_forest.pred.csv");
	double		worst = 0;

	if (!is_status(host, nodes_model(host, DATA "isolation_forest", &model), EX_OK, "isolation forest") ||
		!is_status(host, ex_compile(host, model, 1 << 30, &compiled), EX_OK, "compiles"))
		return;
	for (size_t i = 0; i < rows.rows; i++)
	{
		double		raw;

		ex_tree_predict_raw(compiled, host, rows.value + i * rows.columns, 1, &raw);
		worst = fmax(worst, fabs(-exp2(-raw / 10.244770920119917) - predictions.value[i * 2]));
	}
	printf("# isolation forest: largest difference of the score %.3g\n", worst);
	ok(worst <= 1e-15, "agrees with scikit-learn");
	ex_arena_free(&arena);
}

/* The tables' folded thresholds are what we make of the library's. */
static void
test_folded_thresholds(const char *name)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	char		path[256];
	size_t		size;
	char	   *at;
	int			wrong = 0;
	int			n = 0;

	snprintf(path, sizeof(path), "%s.nodes.csv", name);
	at = strchr(golden_file(host, path, &size), '\n') + 1;
	while (*at != '\0')
	{
		char	   *cell[NODES_COLUMNS];

		at = nodes_line(at, cell);
		if (strcmp(cell[NODES_OP], "le") != 0)
			continue;
		n++;
		wrong += ex_fold_float32_le(strtod(cell[NODES_ORIGINAL], NULL)) !=
			strtod(cell[NODES_THRESHOLD], NULL);
	}
	is_int(wrong, 0, "%s: thresholds folded as expected, %d of them", name, n);
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * One path against the others
 * ---------------------------------------------------------------- */

static const random_spec specs[] = {
	{.n_trees = 1, .n_splits = 3, .n_outputs = 1},
	{.n_trees = 13, .n_splits = 60, .n_outputs = 1},
	{.n_trees = 20, .n_splits = 40, .n_outputs = 1, .is_null = true, .zero_missing = true},
	{.n_trees = 21, .n_splits = 40, .n_outputs = 1, .categorical = true},
	{.n_trees = 30, .n_splits = 50, .n_outputs = 3, .categorical = true, .is_null = true,
	.zero_missing = true, .mean = true},
	{.n_trees = 17, .n_splits = 30, .n_outputs = 4, .vectors = true, .categorical = true, .mean = true},
	{.n_trees = 19, .n_splits = 30, .n_outputs = 2, .linear = true, .zero_missing = true},
	{.n_trees = 5, .n_splits = 0, .n_outputs = 2}
};

#define N_SPECS (sizeof(specs) / sizeof(specs[0]))
#define N_ROWS 203

/* Straight from the definition in tree.h. */
static void
predict_naively(const ex_model *model, const double *x, double *raw)
{
	ex_tree_view view;
	double		weight[16] = {0};

	ex_tree_open(model, &view);
	memset(raw, 0, view.n_outputs * sizeof(double));
	for (uint32_t t = 0; t < view.n_trees; t++)
	{
		const ex_node *leaf = ex_tree_find_leaf(&view, t, x);

		for (uint32_t k = 0; k < view.n_outputs; k++)
		{
			if (!view.vector_leaves && view.output[t] != k)
				continue;
			weight[k] += view.weight[t];
			raw[k] += view.weight[t] * (view.vector_leaves ? ex_tree_leaf_vector(&view, leaf)[k] :
										ex_tree_leaf_value(&view, leaf, x));
		}
	}
	for (uint32_t k = 0; k < view.n_outputs; k++)
	{
		if (model->aggregation == EX_MEAN && weight[k] > 0)
			raw[k] /= weight[k];
		raw[k] += view.base[k];
	}
}

static void
test_paths(const random_spec *spec, uint64_t seed)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	uint64_t	rows_seed = seed;
	ex_model   *model;
	ex_compiled *with_walker;
	ex_compiled *without;
	uint32_t	outputs = spec->n_outputs;
	size_t		size = N_ROWS * outputs * sizeof(double);
	double	   *x = host->alloc(host, N_ROWS * RANDOM_FEATURES * sizeof(double));
	double	   *tiles = host->alloc(host, size);
	double	   *single = host->alloc(host, size);
	double	   *plain = host->alloc(host, size);
	double	   *naive = host->alloc(host, size);

	if (!is_status(host, random_model(host, seed, spec, false, &model), EX_OK, "a random model") ||
		!is_status(host, ex_compile(host, model, 1 << 30, &with_walker), EX_OK, "with room") ||
		!is_status(host, ex_compile(host, model, 0, &without), EX_OK, "and without"))
		return;
	for (int i = 0; i < N_ROWS; i++)
	{
		double	   *row = x + i * RANDOM_FEATURES;

		random_row(&rows_seed, spec->categorical, row);
		predict_naively(model, row, naive + i * outputs);
		ex_tree_predict_raw(with_walker, host, row, 1, single + i * outputs);
	}
	ex_tree_predict_raw(with_walker, host, x, N_ROWS, tiles);
	ex_tree_predict_raw(without, host, x, N_ROWS, plain);
	ok(ex_tree_state_of(with_walker)->walker != NULL && with_walker->table_bytes > 0, "has compact nodes");
	ok(ex_tree_state_of(without)->walker == NULL && without->table_bytes == 0, "has none");
	is_same(plain, naive, size, "the stored nodes give the definition's bits");
	is_same(single, naive, size, "so does one row among its trees");
	is_same(tiles, naive, size, "so do tiles of rows in one tree");
	ex_arena_free(&arena);
}

/* Linear leaves: by hand. */
static void
test_linear_leaf(void)
{
	const ex_raw_node node[] = {
		{.op = EX_LEAF, .left = -1, .right = -1, .value = 100, .linear = true, .linear_const = 1,
			.n_linear = 2, .linear_feature = (const uint32_t[]) {0, 3}, .linear_coef = (const double[]) {2, 0.5},
		.cover = NAN, .gain = NAN}
	};
	const ex_raw_tree tree = {.weight = 2, .n_nodes = 1, .node = node};
	double		x[RANDOM_FEATURES] = {3, NAN, NAN, 8};
	uint64_t	seed = 1;
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *model;
	ex_compiled *compiled;
	double		raw;

	random_builder(&builder, host, &seed, &(random_spec) {.n_outputs = 1});
	*(double *) builder.section[EX_TREE_BASE].data = 0.25;
	if (!is_status(host, ex_tree_add(&builder, &tree), EX_OK, "a linear leaf") ||
		!is_status(host, ex_build(&builder, &model), EX_OK, "in a model") ||
		!is_status(host, ex_compile(host, model, 0, &compiled), EX_OK, "compiles"))
		return;
	ex_tree_predict_raw(compiled, host, x, 1, &raw);
	is_double(raw, 0.25 + 2 * (1 + 2 * 3 + 0.5 * 8), "constant and coefficients");
	x[3] = NAN;
	ex_tree_predict_raw(compiled, host, x, 1, &raw);
	is_double(raw, 0.25 + 2 * 100, "a missing feature: the leaf's value");
	ex_arena_free(&arena);
}

static bool
stop(ex_host *host)
{
	return true;
}

static void
test_cancel(void)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	ex_compiled *compiled;
	double		x[RANDOM_FEATURES] = {0};
	double		raw;

	if (!is_status(host, random_model(host, 1, &specs[1], false, &model), EX_OK, "a model") ||
		!is_status(host, ex_compile(host, model, 1 << 30, &compiled), EX_OK, "compiles"))
		return;
	host->poll = stop;
	is_status(host, ex_tree_predict_raw(compiled, host, x, 1, &raw), EX_CANCELLED, "stops when asked");
	ex_arena_free(&arena);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++)
		test_golden(&golden[i]);
	test_isolation_forest();
	test_folded_thresholds(DATA "rf_reg");
	test_folded_thresholds(DATA "gbm_binary");
	test_folded_thresholds(DATA "dt_cls");
	for (size_t s = 0; s < N_SPECS; s++)
		for (uint64_t seed = 1; seed <= 5; seed++)
			test_paths(&specs[s], 100 * s + seed);
	test_linear_leaf();
	test_cancel();
	return unit_done();
}
