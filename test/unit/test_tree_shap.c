/*
 * test_tree_shap.c
 *		Shapley values of trees against brute force over all coalitions, and
 *		what the kernels promise besides: the same bits by every way.
 */
#include "host_malloc.h"
#include "random_tree.h"
#include "tree_game.h"
#include "tree_shap.h"
#include "unit.h"

enum
{
	P = RANDOM_FEATURES,
	N_BACKGROUND = 12
};

#define PATH (&ex_tree_shap_methods[0])
#define INTERVENTIONAL (&ex_tree_shap_methods[1])
#define TABLES ((size_t) 64 * 1024 * 1024)

static ex_arena arena;
static ex_host *host;

/* ----------------------------------------------------------------
 * Random models
 * ---------------------------------------------------------------- */

typedef struct kind
{
	const char *name;
	random_spec spec;
	bool		zero_covers;
} kind;

static const kind kinds[] = {
	{"stumps", {.n_trees = 5,.n_splits = 1,.n_outputs = 1,.covers = true}, false},
	{"small trees", {.n_trees = 6,.n_splits = 7,.n_outputs = 1,.covers = true}, false},
	{"single nodes", {.n_trees = 3,.n_splits = 0,.n_outputs = 1,.covers = true}, false},
	{"repeated features", {.n_trees = 4,.n_splits = 50,.n_outputs = 1,.covers = true}, false},
	{"large trees", {.n_trees = 3,.n_splits = 300,.n_outputs = 1,.covers = true}, false},
	{"zero covers", {.n_trees = 8,.n_splits = 20,.n_outputs = 1,.covers = true}, true},
	{"zero covers in large trees", {.n_trees = 3,.n_splits = 200,.n_outputs = 1,.covers = true}, true},
	{"sets and missing values", {.n_trees = 6,.n_splits = 20,.n_outputs = 1,.categorical = true,
			.is_null = true,.zero_missing = true,.covers = true}, false},
	{"outputs", {.n_trees = 9,.n_splits = 12,.n_outputs = 3,.covers = true}, false},
	{"vector leaves", {.n_trees = 5,.n_splits = 15,.n_outputs = 3,.vectors = true,.covers = true}, false},
	{"mean of vectors", {.n_trees = 4,.n_splits = 100,.n_outputs = 2,.vectors = true,.mean = true,
			.covers = true}, true},
	{"mean", {.n_trees = 7,.n_splits = 10,.n_outputs = 2,.mean = true,.covers = true}, false},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const random_spec linear_spec = {
	.n_trees = 6,.n_splits = 9,.n_outputs = 2,.linear = true,.zero_missing = true
};

/* Empties a third of the leaves, and some whole subtrees with them. */
static void
empty_leaves(uint64_t *seed, const ex_raw_tree *tree)
{
	ex_raw_node *node = (ex_raw_node *) tree->node;

	for (uint32_t i = tree->n_nodes; i-- > 0;)
		if (node[i].op != EX_LEAF)
			node[i].cover = node[node[i].left].cover + node[node[i].right].cover;
		else if (random_below(seed, 3) == 0)
			node[i].cover = 0;
}

static ex_model *
model_of(uint64_t seed, const random_spec *spec, bool zero_covers)
{
	ex_builder	builder;
	ex_model   *model = NULL;

	(void) random_builder(&builder, host, &seed, spec);
	for (uint32_t t = 0; t < spec->n_trees; t++)
	{
		ex_raw_tree tree;

		(void) random_tree(host, &seed, spec, &tree);
		if (zero_covers)
			empty_leaves(&seed, &tree);
		(void) ex_tree_add(&builder, &tree);
	}
	if (ex_build(&builder, &model) != EX_OK)
	{
		printf("Bail out! %s\n", host->error.message);
		exit(2);
	}
	return model;
}

static ex_compiled *
compile_within(const ex_model *model, size_t limit)
{
	ex_compiled *compiled;

	if (ex_compile(host, model, limit, &compiled) != EX_OK)
	{
		printf("Bail out! %s\n", host->error.message);
		exit(2);
	}
	return compiled;
}

/* Rows without the random rows' huge numbers, which leave nothing of a linear leaf's sum. */
static void
row_of(uint64_t *seed, const random_spec *spec, double x[P])
{
	random_row(seed, spec->categorical, x);
	for (uint32_t f = 0; f < P; f++)
		if (fabs(x[f]) > 1000)
			x[f] = 3;
}

typedef struct rows
{
	double		x[8][P];
	double		reference[N_BACKGROUND * P];
	double		weight[N_BACKGROUND];
	ex_background background;
} rows;

static rows *
rows_of(uint64_t seed, const random_spec *spec)
{
	rows	   *made = NULL;

	(void) EX_ALLOC(host, 1, &made);
	for (int i = 0; i < 8; i++)
		row_of(&seed, spec, made->x[i]);
	for (int b = 0; b < N_BACKGROUND; b++)
	{
		row_of(&seed, spec, made->reference + b * P);
		made->weight[b] = 1 + random_below(&seed, 3);
	}
	made->background = (ex_background) {made->reference, made->weight, N_BACKGROUND, NULL, NULL, true};
	return made;
}

static ex_shap_call
call_of(const rows *r, int row, uint32_t n_outputs)
{
	return (ex_shap_call) {r->x[row], {0, n_outputs}, EX_RAW, r->background};
}

/* ----------------------------------------------------------------
 * Brute force
 * ---------------------------------------------------------------- */

/* Largest error of values, interactions and base in units of the scale. */
static double
error_of_row(ex_compiled *compiled, const ex_shap_method *method, const ex_shap_call *call)
{
	uint32_t	n_outputs = compiled->model->n_outputs;
	bool		path = method == PATH;
	double		scale = game_scale(compiled, 5);
	double	   *phi;
	double	   *pair;
	double		base[8];
	double		pair_base[8];
	double		v[1 << P];
	double		expected[P];
	double		matrix[P * P];
	double		worst = 0;

	(void) EX_ALLOC(host, n_outputs * P, &phi);
	(void) EX_ALLOC(host, n_outputs * P * P, &pair);
	if (method->values(compiled, host, call, phi, base) != EX_OK ||
		method->interactions(compiled, host, call, pair, pair_base) != EX_OK ||
		memcmp(base, pair_base, n_outputs * sizeof(double)) != 0)
		return INFINITY;
	for (uint32_t k = 0; k < n_outputs; k++)
	{
		game_values(compiled, call->x, path ? NULL : &call->background, k, v);
		game_shapley(P, v, expected);
		game_interactions(P, v, matrix);
		worst = fmax(worst, fabs(base[k] - v[0]));
		for (uint32_t f = 0; f < P; f++)
			worst = fmax(worst, fabs(phi[k * P + f] - expected[f]));
		for (uint32_t i = 0; i < P * P; i++)
			worst = fmax(worst, fabs(pair[k * P * P + i] - matrix[i]));
		if (isnan(base[k] + phi[k * P] + pair[k * P * P]))
			return INFINITY;
	}
	return worst / scale;
}

static double
error_of_model(const random_spec *spec, const ex_model *model, const ex_shap_method *method, bool own)
{
	ex_compiled *compiled = compile_within(model, TABLES);
	rows	   *r = rows_of(99, spec);
	double		worst = 0;

	r->background.own = own;
	for (int i = 0; i < 4; i++)
	{
		ex_shap_call call = call_of(r, i, spec->n_outputs);

		worst = fmax(worst, error_of_row(compiled, method, &call));
	}
	return worst;
}

static void
test_brute_force(void)
{
	for (size_t i = 0; i < N_KINDS; i++)
	{
		const random_spec *spec = &kinds[i].spec;
		double		path = 0;
		double		own = 0;
		double		other = 0;

		for (uint64_t seed = 1; seed <= 3; seed++)
		{
			const ex_model *model = model_of(seed, spec, kinds[i].zero_covers);

			path = fmax(path, error_of_model(spec, model, PATH, false));
			own = fmax(own, error_of_model(spec, model, INTERVENTIONAL, true));
			other = fmax(other, error_of_model(spec, model, INTERVENTIONAL, false));
		}
		is_near(path, 0, 1e-13, "path-dependent, %s: all coalitions", kinds[i].name);
		is_near(own, 0, 1e-13, "interventional, %s: all coalitions", kinds[i].name);
		is_near(other, 0, 1e-13, "interventional, %s: all coalitions, given rows", kinds[i].name);
	}
	for (uint64_t seed = 1; seed <= 4; seed++)
		is_near(error_of_model(&linear_spec, model_of(seed, &linear_spec, false), INTERVENTIONAL, true),
				0, 1e-13, "interventional, linear leaves, model %d: all coalitions", (int) seed);
}

/* ----------------------------------------------------------------
 * Many features on a path
 * ---------------------------------------------------------------- */

static void
put_numeric_features(ex_builder *builder, uint32_t n)
{
	for (uint32_t f = 0; f < n; f++)
	{
		char		name[16];
		ex_feature	feature = {.name = name,.missing = EX_MISSING_NATIVE};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "f%u", f);
		(void) ex_put_feature(builder, &feature);
	}
}

/* Turns a tree into a ladder, whose every left child is a leaf, on random features. */
static void
make_ladder(uint64_t *seed, uint32_t n_features, const ex_raw_tree *tree)
{
	ex_raw_node *node = (ex_raw_node *) tree->node;
	uint32_t	n_splits = tree->n_nodes / 2;

	for (uint32_t i = tree->n_nodes; i-- > 0;)
	{
		bool		leaf = i % 2 == 1 || i == 2 * n_splits;

		node[i] = (ex_raw_node) {.left = -1,.right = -1,.gain = NAN,.value = random_unit(seed),
			.cover = 1 + random_below(seed, 9)};
		if (leaf)
			continue;
		node[i].op = EX_LE;
		node[i].value = 0;
		node[i].threshold = 2 * random_unit(seed) - 1;
		node[i].feature = random_below(seed, 5) == 0 ? random_below(seed, n_features) :
			i / 2 % n_features;
		node[i].left = (int32_t) i + 1;
		node[i].right = (int32_t) i + 2;
		node[i].cover = node[i + 1].cover + node[i + 2].cover;
	}
}

/* Wide: random trees or ladders on many features, against counting coalitions by size. */
static void
test_many_features(uint32_t n_features, uint32_t n_splits, bool ladder)
{
	random_spec spec = {.n_trees = 4,.n_splits = n_splits,.n_outputs = 1,.covers = true};
	uint64_t	seed = n_features;
	ex_builder	builder;
	ex_model   *model;
	ex_compiled *compiled;
	double		x[64];
	double		on[64];
	double		share[64];
	double		phi[64];
	double		expected[64] = {0};
	double		base;
	double		worst = 0;
	ex_shap_call call = {x, {0, 1}, EX_RAW, {NULL, NULL, 0, NULL, NULL, false}};

	ex_builder_init(&builder, host, EX_TREE);
	builder.n_outputs = 1;
	put_numeric_features(&builder, n_features);
	(void) ex_put_f64(&builder, EX_TREE_BASE, 0);
	(void) ex_default_output_names(&builder);
	for (uint32_t t = 0; t < spec.n_trees; t++)
	{
		ex_raw_tree tree;

		(void) random_tree(host, &seed, &spec, &tree);
		for (uint32_t i = 0; i < tree.n_nodes; i++)
			if (tree.node[i].op != EX_LEAF)
				((ex_raw_node *) tree.node)[i].feature = random_below(&seed, n_features);
		if (ladder)
			make_ladder(&seed, n_features, &tree);
		(void) ex_tree_add(&builder, &tree);
	}
	(void) ex_build(&builder, &model);
	compiled = compile_within(model, TABLES);
	for (uint32_t f = 0; f < n_features; f++)
	{
		x[f] = ladder ? 0.9 : random_number(&seed);
		on[f] = -1;
		share[f] = 1;
	}
	for (uint32_t t = 0; t < spec.n_trees; t++)
		game_add_leaves(&ex_tree_state_of(compiled)->view, t, 0, x, on, share,
						ex_tree_state_of(compiled)->scale[t], expected);
	is_status(host, PATH->values(compiled, host, &call, phi, &base), EX_OK,
			  "%u features, %u splits", n_features, n_splits);
	for (uint32_t f = 0; f < n_features; f++)
		worst = fmax(worst, fabs(phi[f] - expected[f]));
	is_near(worst / game_scale(compiled, 0), 0, 1e-14, "... path-dependent: counted by size");
}

/* ----------------------------------------------------------------
 * Same bits
 * ---------------------------------------------------------------- */

/* All results for all rows, one after the other. */
typedef struct results
{
	double	   *value;
	size_t		n;
} results;

static results
run_all(const kind *k, const ex_model *model, size_t limit, int repeat, bool backwards)
{
	ex_compiled *compiled = compile_within(model, limit);
	uint32_t	n_outputs = k->spec.n_outputs;
	size_t		size = n_outputs * (2 * P + P * P * 2);
	rows	   *r = rows_of(7, &k->spec);
	results		all = {NULL, 8 * size};

	(void) EX_ALLOC(host, all.n, &all.value);
	for (int pass = 0; pass < repeat; pass++)
		for (int i = 0; i < 8; i++)
		{
			int			row = backwards ? 7 - i : i;
			ex_shap_call call = call_of(r, row, n_outputs);
			double	   *to = all.value + (size_t) row * size;
			double		base[8];

			for (int m = 0; m < 2; m++)
			{
				const ex_shap_method *method = &ex_tree_shap_methods[m];

				if (method->values(compiled, host, &call, to, base) != EX_OK)
					to[0] = NAN;
				to += n_outputs * P;
				if (method->interactions(compiled, host, &call, to, base) != EX_OK)
					to[0] = NAN;
				to += n_outputs * P * P;
			}
		}
	return all;
}

static void
test_same_bits(void)
{
	for (size_t i = 0; i < N_KINDS; i++)
	{
		const ex_model *model = model_of(11, &kinds[i].spec, kinds[i].zero_covers);
		results		once = run_all(&kinds[i], model, TABLES, 1, false);
		results		often = run_all(&kinds[i], model, TABLES, 40, true);
		results		direct = run_all(&kinds[i], model, 0, 2, false);
		results		portable;
		results		without_bmi2;

		ex_tree_shap_use(EX_SHAP_PORTABLE);
		portable = run_all(&kinds[i], model, TABLES, 40, false);
		ex_tree_shap_use(EX_SHAP_WITHOUT_BMI2);
		without_bmi2 = run_all(&kinds[i], model, TABLES, 40, false);
		ex_tree_shap_use(EX_SHAP_BEST);
		is_same(often.value, once.value, once.n * sizeof(double),
				"%s: same bits after many rows", kinds[i].name);
		is_same(direct.value, once.value, once.n * sizeof(double),
				"%s: same bits without memory for tables", kinds[i].name);
		is_same(portable.value, once.value, once.n * sizeof(double),
				"%s: same bits from the portable kernel", kinds[i].name);
		is_same(without_bmi2.value, once.value, once.n * sizeof(double),
				"%s: same bits from a processor without BMI2", kinds[i].name);
	}
}

/* ----------------------------------------------------------------
 * Tiles
 * ---------------------------------------------------------------- */

#define N_TILE 150				/* rows */

static bool
same_interactions(ex_compiled *compiled, const ex_shap_method *method, const ex_shap_call *rows)
{
	const uint32_t n = 37;
	ex_shap_call call = *rows;
	size_t		width = (size_t) call.outputs.count * P * P;
	double	   *one;
	double	   *tile;
	double		base[8];
	bool		good = true;

	(void) EX_ALLOC(host, n * width, &one);
	(void) EX_ALLOC(host, n * width, &tile);
	for (uint32_t i = 0; i < n; i++, call.x += P)
		good &= method->interactions(compiled, host, &call, one + i * width, base) == EX_OK;
	good &= method->interactions_tile(compiled, host, rows, n, tile) == EX_OK;
	return good && memcmp(one, tile, n * width * sizeof(double)) == 0;
}

/* Rows by the method for one, then the same in tiles of several sizes. */
static bool
same_in_tiles(const kind *k, const ex_model *model, const ex_shap_method *method, size_t limit)
{
	uint64_t	seed = 23;
	uint32_t	n_outputs = k->spec.n_outputs;
	size_t		width = (size_t) n_outputs * P;
	ex_background background = rows_of(7, &k->spec)->background;
	ex_shap_call call = {NULL, {0, n_outputs}, EX_RAW, background};
	double	   *x;
	double	   *one;
	double	   *tile;
	double		base[8];
	bool		good = true;

	(void) EX_ALLOC(host, (size_t) N_TILE * P, &x);
	(void) EX_ALLOC(host, N_TILE * width, &one);
	(void) EX_ALLOC(host, N_TILE * width, &tile);
	for (int i = 0; i < N_TILE; i++)
		row_of(&seed, &k->spec, x + i * P);
	for (int i = 0; i < N_TILE; i++)
	{
		call.x = x + i * P;
		good &= method->values(compile_within(model, limit), host, &call, one + i * width, base) == EX_OK;
	}
	call.x = x;
	for (int n = N_TILE; n > 0; n = n == 1 ? 0 : n / 4)
	{
		good &= method->values_tile(compile_within(model, limit), host, &call, n, tile) == EX_OK;
		good &= memcmp(one, tile, n * width * sizeof(double)) == 0;
	}
	return good && (method->interactions_tile == NULL || same_interactions(compile_within(model, limit), method, &call));
}

static void
test_tiles(void)
{
	static const ex_shap_processor processors[] = {
		EX_SHAP_BEST, EX_SHAP_WITHOUT_AVX512, EX_SHAP_WITHOUT_BMI2, EX_SHAP_PORTABLE
	};

	for (size_t i = 0; i < N_KINDS; i++)
	{
		const ex_model *model = model_of(11, &kinds[i].spec, kinds[i].zero_covers);
		bool		good = true;

		for (int m = 0; m < 2; m++)
			for (int c = 0; c < 4; c++)
			{
				ex_tree_shap_use(processors[c]);
				good &= same_in_tiles(&kinds[i], model, &ex_tree_shap_methods[m], TABLES);
				good &= same_in_tiles(&kinds[i], model, &ex_tree_shap_methods[m], 0);
			}
		ex_tree_shap_use(EX_SHAP_BEST);
		ok(good, "%s: same bits in tiles", kinds[i].name);
	}
}

/* One output alone gives the bits that it has among all. */
static void
test_outputs(void)
{
	for (size_t i = 0; i < N_KINDS; i++)
	{
		uint32_t	n = kinds[i].spec.n_outputs;
		ex_compiled *compiled = compile_within(model_of(5, &kinds[i].spec, false), TABLES);
		rows	   *r = rows_of(3, &kinds[i].spec);
		bool		same = true;

		if (n == 1)
			continue;
		for (int m = 0; m < 2; m++)
		{
			const ex_shap_method *method = &ex_tree_shap_methods[m];
			ex_shap_call call = call_of(r, 0, n);
			double		all[3 * P];
			double		one[P];
			double		all_base[3];
			double		base;

			same = same && method->values(compiled, host, &call, all, all_base) == EX_OK;
			for (uint32_t k = 0; k < n; k++)
			{
				call.outputs = (ex_outputs) {k, 1};
				same = same && method->values(compiled, host, &call, one, &base) == EX_OK &&
					memcmp(one, all + k * P, sizeof(one)) == 0 && base == all_base[k];
			}
		}
		ok(same, "%s: an output alone has the same bits", kinds[i].name);
	}
}

/* ----------------------------------------------------------------
 * Axioms on larger ensembles
 * ---------------------------------------------------------------- */

static void
test_additivity(void)
{
	random_spec spec = {.n_trees = 400,.n_splits = 60,.n_outputs = 1,.covers = true};
	const ex_model *model = model_of(21, &spec, false);
	ex_compiled *compiled = compile_within(model, TABLES);
	double		scale = game_scale(compiled, 5);
	rows	   *r = rows_of(4, &spec);

	for (int m = 0; m < 2; m++)
	{
		double		worst = 0;
		double		rows_worst = 0;

		for (int i = 0; i < 8; i++)
		{
			ex_shap_call call = call_of(r, i, 1);
			double		phi[P];
			double		pair[P * P];
			double		base;
			double		raw;
			double		sum;

			(void) ex_tree_shap_methods[m].values(compiled, host, &call, phi, &base);
			(void) ex_tree_shap_methods[m].interactions(compiled, host, &call, pair, &base);
			(void) ex_tree_family.predict_raw(compiled, host, r->x[i], 1, &raw);
			sum = base;
			for (int f = 0; f < P; f++)
			{
				double		row = 0;

				sum += phi[f];
				for (int j = 0; j < P; j++)
					row += pair[f * P + j];
				rows_worst = fmax(rows_worst, fabs(row - phi[f]));
			}
			worst = fmax(worst, fabs(sum - raw));
		}
		is_near(worst / scale, 0, 1e-13, "%s: 400 trees add up to the prediction",
				ex_tree_shap_methods[m].name);
		is_near(rows_worst / scale, 0, 1e-15, "%s: rows of interactions sum to the values",
				ex_tree_shap_methods[m].name);
	}
}

/* Features 0 and 1 change places. */
static void
mirror(ex_host *h, const ex_raw_tree *tree, ex_raw_tree *mirrored)
{
	ex_raw_node *node = NULL;

	(void) EX_ALLOC(h, tree->n_nodes, &node);
	memcpy(node, tree->node, tree->n_nodes * sizeof(*node));
	for (uint32_t i = 0; i < tree->n_nodes; i++)
		if (node[i].op != EX_LEAF && node[i].feature < 2)
			node[i].feature = 1 - node[i].feature;
	*mirrored = *tree;
	mirrored->node = node;
}

static void
test_symmetry_and_dummy(void)
{
	random_spec spec = {.n_trees = 1,.n_splits = 30,.n_outputs = 1,.covers = true};
	uint64_t	seed = 31;
	ex_builder	builder;
	ex_model   *model;
	ex_compiled *compiled;
	rows	   *r = rows_of(8, &spec);

	(void) random_builder(&builder, host, &seed, &spec);
	for (int t = 0; t < 20; t++)
	{
		ex_raw_tree tree;
		ex_raw_tree mirrored;

		(void) random_tree(host, &seed, &spec, &tree);
		/* nobody uses feature 3 */
		for (uint32_t i = 0; i < tree.n_nodes; i++)
			if (tree.node[i].op != EX_LEAF && tree.node[i].feature == 3)
				((ex_raw_node *) tree.node)[i].feature = 2;
		mirror(host, &tree, &mirrored);
		(void) ex_tree_add(&builder, &tree);
		(void) ex_tree_add(&builder, &mirrored);
	}
	(void) ex_build(&builder, &model);
	compiled = compile_within(model, TABLES);
	for (int m = 0; m < 2; m++)
	{
		ex_shap_call call = call_of(r, 2, 1);
		double		phi[P];
		double		pair[P * P];
		double		base;
		double		of_dummy = 0;

		r->x[2][0] = r->x[2][1] = 0.5;
		for (int b = 0; b < N_BACKGROUND; b++)
			r->reference[b * P] = r->reference[b * P + 1];
		(void) ex_tree_shap_methods[m].values(compiled, host, &call, phi, &base);
		(void) ex_tree_shap_methods[m].interactions(compiled, host, &call, pair, &base);
		is_near(phi[0], phi[1], 1e-13, "%s: symmetry", ex_tree_shap_methods[m].name);
		for (int f = 0; f < P; f++)
			of_dummy = fmax(of_dummy, fabs(pair[3 * P + f]));
		is_double(phi[3], 0, "%s: dummy", ex_tree_shap_methods[m].name);
		is_double(of_dummy, 0, "%s: interactions of the dummy", ex_tree_shap_methods[m].name);
	}
}

/* The values of two ensembles as one are the sum of theirs. */
static void
test_linearity(void)
{
	random_spec half = {.n_trees = 20,.n_splits = 25,.n_outputs = 1,.covers = true};
	rows	   *r = rows_of(12, &half);

	for (int m = 0; m < 2; m++)
	{
		double		phi[3][P];
		double		base;

		for (int part = 0; part < 3; part++)
		{
			ex_shap_call call = call_of(r, 1, 1);
			uint64_t	seed = 41;
			ex_builder	builder;
			ex_raw_tree tree;
			ex_model   *model;

			(void) random_builder(&builder, host, &seed, &half);
			for (uint32_t t = 0; t < 2 * half.n_trees; t++)
			{
				(void) random_tree(host, &seed, &half, &tree);
				if (part == 2 || (t < half.n_trees) == (part == 0))
					(void) ex_tree_add(&builder, &tree);
			}
			(void) ex_build(&builder, &model);
			(void) ex_tree_shap_methods[m].values(compile_within(model, TABLES), host, &call,
												  phi[part], &base);
		}
		for (int f = 0; f < P; f++)
			phi[0][f] += phi[1][f];
		are_near(phi[2], phi[0], P, 1e-13, "%s: linearity", ex_tree_shap_methods[m].name);
	}
}

/* ----------------------------------------------------------------
 * Refusals and limits
 * ---------------------------------------------------------------- */

static ex_status
check(const ex_shap_method *method, ex_compiled *compiled, ex_space space, uint32_t n)
{
	static const double row[P] = {0};
	ex_background background = {row, NULL, n, NULL, NULL, false};

	host->error.message[0] = host->error.hint[0] = '\0';
	return method->check(compiled, host, space, &background);
}

static void
test_refusals(void)
{
	random_spec spec = {.n_trees = 2,.n_splits = 5,.n_outputs = 1};
	ex_compiled *bare = compile_within(model_of(1, &spec, false), TABLES);
	ex_compiled *linear = compile_within(model_of(1, &linear_spec, false), TABLES);
	ex_builder	builder;
	ex_model   *model;
	ex_compiled *logit;

	is_status(host, check(PATH, bare, EX_RAW, 0), EX_UNSUPPORTED, "path-dependent needs covers");
	ok(strstr(host->error.hint, "tree_interventional") != NULL, "... and hints at the other method");
	is_status(host, check(INTERVENTIONAL, bare, EX_RAW, 0), EX_INVALID, "interventional needs a background");
	ok(strstr(host->error.hint, "with_background") != NULL, "... and hints how to attach one");
	is_status(host, check(INTERVENTIONAL, bare, EX_RAW, 1), EX_OK, "interventional needs no covers");
	is_status(host, check(PATH, linear, EX_RAW, 0), EX_UNSUPPORTED, "path-dependent refuses linear leaves");
	is_status(host, check(INTERVENTIONAL, linear, EX_RAW, 1), EX_OK, "interventional takes them");

	spec.covers = true;
	(void) ex_builder_open(&builder, host, model_of(1, &spec, false));
	is_status(host, check(PATH, compile_within(model_of(1, &spec, false), TABLES), EX_RESPONSE, 0), EX_OK,
			  "response space with the identity link");
	builder.link = EX_LINK_LOGIT;
	(void) ex_build(&builder, &model);
	logit = compile_within(model, TABLES);
	is_status(host, check(PATH, logit, EX_RESPONSE, 0), EX_UNSUPPORTED, "no response space with a logit link");
	is_status(host, check(INTERVENTIONAL, logit, EX_RESPONSE, 1), EX_UNSUPPORTED, "... by neither method");
	ok(strstr(host->error.hint, "raw") != NULL, "... with a hint");
}

/* A chain of splits: every left child is a leaf. */
static ex_status
chain(uint32_t n_splits, uint32_t n_features, ex_compiled **compiled)
{
	ex_raw_tree tree = {.weight = 1,.n_nodes = 2 * n_splits + 1};
	ex_raw_node *node;
	ex_builder	builder;
	ex_model   *model;

	ex_builder_init(&builder, host, EX_TREE);
	builder.n_outputs = 1;
	put_numeric_features(&builder, n_features);
	EX_TRY(EX_ALLOC(host, tree.n_nodes, &node));
	for (uint32_t i = 0; i < n_splits; i++)
	{
		node[2 * i] = (ex_raw_node)
		{
			.op = EX_LE,.feature = i % n_features,.threshold = -(double) i,
				.left = (int32_t) (2 * i + 1),.right = (int32_t) (2 * i + 2),
				.cover = n_splits - i + 1,.gain = NAN
		};
		node[2 * i + 1] = (ex_raw_node) {.left = -1,.right = -1,.value = 1,.cover = 1,.gain = NAN};
	}
	node[2 * n_splits] = node[2 * n_splits - 1];
	node[2 * n_splits].value = 2;
	tree.node = node;
	EX_TRY(ex_put_f64(&builder, EX_TREE_BASE, 0));
	EX_TRY(ex_default_output_names(&builder));
	EX_TRY(ex_tree_add(&builder, &tree));
	EX_TRY(ex_build(&builder, &model));
	return ex_compile(host, model, TABLES, compiled);
}

static void
test_chain(uint32_t n_splits, uint32_t n_features)
{
	ex_compiled *compiled = NULL;
	double	   *x;
	double	   *phi;

	(void) EX_ALLOC(host, n_features, &x);
	(void) EX_ALLOC(host, n_features, &phi);
	is_status(host, chain(n_splits, n_features, &compiled), EX_OK,
			  "a chain of %u splits on %u features", n_splits, n_features);
	for (int m = 0; m < 2; m++)
	{
		double	   *reference;
		ex_shap_call call = {x, {0, 1}, EX_RAW, {NULL, NULL, 1, NULL, NULL, false}};
		double		base = 0;
		double		sum;

		(void) EX_ALLOC(host, n_features, &reference);
		for (uint32_t f = 0; f < n_features; f++)
		{
			/* x reaches the end, the reference the first leaf */
			x[f] = 1;
			reference[f] = -1e9;
		}
		call.background.row = reference;
		is_status(host, ex_tree_shap_methods[m].values(compiled, host, &call, phi, &base), EX_OK,
				  "%s explains it", ex_tree_shap_methods[m].name);
		sum = base;
		for (uint32_t f = 0; f < n_features; f++)
			sum += phi[f];
		is_near(sum, 2, 1e-12 + 1e-16 * n_splits, "%s: and adds up", ex_tree_shap_methods[m].name);
	}
}

static void
test_limits(void)
{
	ex_compiled *compiled;

	test_chain(64, 64);
	test_chain(200000, 2);
	test_chain(2000, 63);
	is_status(host, chain(65, 65, &compiled), EX_OK, "a chain of 65 splits on 65 features");
	is_status(host, check(PATH, compiled, EX_RAW, 0), EX_LIMIT, "path-dependent refuses it");
	is_status(host, check(INTERVENTIONAL, compiled, EX_RAW, 1), EX_LIMIT, "so does interventional");
}

/* Wherever memory ends, the call says so and the next one works. */
static void
test_memory(void)
{
	const kind *k = &kinds[1];
	const ex_model *model = model_of(2, &k->spec, false);
	rows	   *r = rows_of(2, &k->spec);
	double		expected[P];
	double		base;
	bool		all = true;

	for (int m = 0; m < 2; m++)
	{
		ex_shap_call call = call_of(r, 0, 1);
		long		fails = 0;

		(void) ex_tree_shap_methods[m].values(compile_within(model, TABLES), host, &call, expected, &base);
		for (long n = 0; n < 1000; n++)
		{
			ex_compiled *compiled = compile_within(model, TABLES);
			double		phi[P];
			ex_status	status;

			arena.fail_after = n;
			status = ex_tree_shap_methods[m].values(compiled, host, &call, phi, &base);
			arena.fail_after = -1;
			if (status == EX_OK)
				break;
			fails++;
			all = all && status == EX_MEMORY &&
				ex_tree_shap_methods[m].values(compiled, host, &call, phi, &base) == EX_OK &&
				memcmp(phi, expected, sizeof(phi)) == 0;
		}
		ok(all && fails > 5, "%s: %ld ways to run out of memory", ex_tree_shap_methods[m].name, fails);
	}
}

static long polls_left;

static bool
poll_for_a_while(ex_host *h)
{
	(void) h;
	return polls_left-- == 0;
}

/* Wherever a call is cancelled, the next one gives the right answer. */
static void
test_cancel(void)
{
	random_spec spec = {.n_trees = 1300,.n_splits = 25,.n_outputs = 1,.covers = true};
	const ex_model *model = model_of(3, &spec, false);
	rows	   *r = rows_of(2, &spec);

	for (int m = 0; m < 2; m++)
	{
		const ex_shap_method *method = &ex_tree_shap_methods[m];
		ex_shap_call call = call_of(r, 0, 1);
		ex_compiled *compiled = compile_within(model, TABLES);
		double		expected[P];
		double		phi[P];
		double		base;
		bool		all = true;
		long		cancelled = 0;

		(void) method->values(compile_within(model, TABLES), host, &call, expected, &base);
		host->poll = poll_for_a_while;
		for (long n = 0; n < 1000; n++)
		{
			ex_status	status;

			polls_left = n;
			status = method->values(compiled, host, &call, phi, &base);
			if (status == EX_OK)
				break;
			all = all && status == EX_CANCELLED;
			cancelled++;
		}
		host->poll = NULL;
		ok(all && cancelled >= 3 && memcmp(phi, expected, sizeof(phi)) == 0,
		   "%s: cancelled %ld times, then right", method->name, cancelled);
	}
}

/* A reference row after the model's own background, and the other way round. */
static void
test_reference(void)
{
	const kind *k = &kinds[3];
	const ex_model *model = model_of(6, &k->spec, false);
	ex_compiled *compiled = compile_within(model, TABLES);
	rows	   *r = rows_of(6, &k->spec);
	ex_shap_call own = call_of(r, 0, 1);
	ex_shap_call reference = call_of(r, 0, 1);
	double		phi[2][P];
	double		base[2];

	reference.background = (ex_background) {r->x[1], NULL, 1, NULL, NULL, false};
	(void) INTERVENTIONAL->values(compiled, host, &own, phi[0], &base[0]);
	is_near(error_of_row(compiled, INTERVENTIONAL, &reference), 0, 1e-13,
			"a reference row after the model's own background");
	(void) INTERVENTIONAL->values(compiled, host, &own, phi[1], &base[1]);
	is_same(phi[1], phi[0], sizeof(phi[0]), "the own background after a reference row");
	is_double(base[1], base[0], "... and its base value");
	reference.background.row = r->x[0];
	(void) INTERVENTIONAL->values(compiled, host, &reference, phi[1], &base[1]);
	for (int f = 0; f < P; f++)
		phi[0][f] = 0;
	are_near(phi[1], phi[0], P, 0, "a row against itself has nothing to explain");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_brute_force();
	test_many_features(12, 60, false);
	test_many_features(30, 500, false);
	test_many_features(64, 3000, false);
	for (uint32_t n = 8; n <= 64; n += 8)
		test_many_features(n, n, true);
	test_same_bits();
	test_tiles();
	test_outputs();
	test_additivity();
	test_symmetry_and_dummy();
	test_linearity();
	test_refusals();
	test_limits();
	test_memory();
	test_cancel();
	test_reference();
	ex_arena_free(&arena);
	return unit_done();
}
