/*
 * test_tree_covers.c
 *		Covers counted on background rows, against counting node by node, and
 *		path-dependent Shapley values with most covers 0.
 */
#include "host_malloc.h"
#include "random_tree.h"
#include "tree_covers.h"
#include "tree_game.h"
#include "tree_shap.h"
#include "unit.h"

enum
{
	P = RANDOM_FEATURES,
	N_ROWS = 40
};

#define PATH (&ex_tree_shap_methods[0])

static ex_arena arena;
static ex_host *host;

typedef struct kind
{
	const char *name;
	random_spec spec;
} kind;

static const kind kinds[] = {
	{"numbers", {.n_trees = 6, .n_splits = 30, .n_outputs = 1}},
	{"single nodes", {.n_trees = 3, .n_splits = 0, .n_outputs = 1}},
	{"sets and missing values", {.n_trees = 6, .n_splits = 40, .n_outputs = 2, .categorical = true,
	.is_null = true, .zero_missing = true}},
	{"vector leaves", {.n_trees = 4, .n_splits = 60, .n_outputs = 3, .vectors = true, .mean = true}}
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static double row[N_ROWS * P];
static double weight[N_ROWS];

static void
make_rows(uint64_t seed, bool categorical)
{
	for (int r = 0; r < N_ROWS; r++)
	{
		random_row(&seed, categorical, row + r * P);
		weight[r] = 1 + random_below(&seed, 5);
	}
}

/* Does x come by node `target` on its way from node i? */
static bool
comes_by(const ex_tree_view *view, uint32_t t, uint32_t i, uint32_t target, const double *x)
{
	const ex_node *node = view->node + view->root[t] + i;

	if (i == target)
		return true;
	if (EX_NODE_OP(node) == EX_LEAF)
		return false;
	return comes_by(view, t, (uint32_t) node->left + !ex_goes_left(view, node, x[EX_NODE_FEATURE(node)]),
					target, x);
}

static double
cover_of(const ex_tree_view *view, uint32_t t, uint32_t i, bool weighted)
{
	double		sum = 0;

	for (int r = 0; r < N_ROWS; r++)
		if (comes_by(view, t, 0, i, row + r * P))
			sum += weighted ? weight[r] : 1;
	return sum;
}

static void
test_counts(const char *name, const ex_model *model)
{
	ex_tree_view view;
	double	   *cover;
	double	   *plain;
	uint32_t	wrong = 0;

	ex_tree_open(model, &view);
	(void) EX_ALLOC(host, view.n_nodes, &cover);
	(void) EX_ALLOC(host, view.n_nodes, &plain);
	is_status(host, ex_tree_covers(host, &view, row, weight, N_ROWS, cover), EX_OK, "%s", name);
	is_status(host, ex_tree_covers(host, &view, row, NULL, N_ROWS, plain), EX_OK, "%s, without weights", name);
	for (uint32_t t = 0; t < view.n_trees; t++)
		for (uint32_t i = 0; i < view.root[t + 1] - view.root[t]; i++)
			wrong += cover[view.root[t] + i] != cover_of(&view, t, i, true) ||
				plain[view.root[t] + i] != cover_of(&view, t, i, false);
	is_int(wrong, 0, "%s: each node has the rows that come by it", name);
}

static ex_model *
counted(const ex_model *model, uint32_t n, ex_cover_count *count)
{
	ex_builder	builder;
	ex_model   *result = NULL;

	(void) ex_builder_open(&builder, host, model);
	if (is_status(host, ex_edit_covers(&builder, model, row, weight, n, false, count), EX_OK, "counted"))
		is_status(host, ex_build(&builder, &result), EX_OK, "a valid model");
	return result;
}

/* Against all coalitions; phi and base add up to the prediction. */
static void
test_path_dependent(const char *name, const random_spec *spec, const ex_model *model)
{
	ex_cover_count count;
	ex_compiled *compiled;
	double		worst = 0;
	double		residual = 0;

	if (ex_compile(host, counted(model, 3, &count), 1 << 24, &compiled) != EX_OK)
		return;
	ok(spec->n_splits == 0 || count.unreached > count.nodes / 2, "%s: most nodes are not reached", name);
	for (int r = 10; r < 14; r++)
	{
		ex_shap_call call = {row + r * P, {0, spec->n_outputs}, EX_RAW, {NULL, NULL, 0, NULL, NULL, true}};
		double		phi[3 * P];
		double		base[3];
		double		raw[3];

		(void) PATH->values(compiled, host, &call, phi, base);
		(void) compiled->family->predict_raw(compiled, host, call.x, 1, raw);
		for (uint32_t k = 0; k < spec->n_outputs; k++)
		{
			double		v[1 << P];
			double		expected[P];
			double		sum = base[k];

			game_values(compiled, call.x, NULL, k, v);
			game_shapley(P, v, expected);
			for (int f = 0; f < P; f++)
			{
				worst = fmax(worst, fabs(phi[k * P + f] - expected[f]));
				sum += phi[k * P + f];
			}
			residual = fmax(residual, fabs(sum - raw[k]));
		}
	}
	is_near(worst / game_scale(compiled, 5), 0, 1e-13, "%s: all coalitions", name);
	is_near(residual / game_scale(compiled, 5), 0, 1e-12, "%s: additive", name);
}

static void
test_refusals(void)
{
	static const random_spec spec = {.n_trees = 2, .n_splits = 3, .n_outputs = 1, .covers = true};
	ex_cover_count count;
	ex_builder	builder;
	ex_model   *model;
	ex_tree_view view;
	double		huge[] = {1e308, 1e308};

	(void) random_model(host, 1, &spec, false, &model);
	(void) ex_builder_open(&builder, host, model);
	is_status(host, ex_edit_covers(&builder, model, row, weight, N_ROWS, false, &count), EX_INVALID,
			  "there are covers already");
	is_status(host, ex_edit_covers(&builder, model, row, weight, 0, true, &count), EX_INVALID, "no rows");
	is_status(host, ex_edit_covers(&builder, model, row, huge, 2, true, &count), EX_RANGE, "huge weights");
	is_status(host, ex_edit_covers(&builder, model, row, weight, N_ROWS, true, &count), EX_OK, "replaced");
	is_status(host, ex_build(&builder, &model), EX_OK, "... in a valid model");
	ex_tree_open(model, &view);
	is_double(view.cover[0], cover_of(&view, 0, 0, true), "... by new covers");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	for (size_t i = 0; i < N_KINDS; i++)
		for (uint64_t seed = 1; seed <= 3; seed++)
		{
			ex_model   *model = NULL;

			make_rows(seed * 7, kinds[i].spec.categorical);
			if (!is_status(host, random_model(host, seed, &kinds[i].spec, false, &model), EX_OK, "a model"))
				continue;
			test_counts(kinds[i].name, model);
			test_path_dependent(kinds[i].name, &kinds[i].spec, model);
		}
	test_refusals();
	ex_arena_free(&arena);
	return unit_done();
}
