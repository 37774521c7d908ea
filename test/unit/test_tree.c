/*
 * test_tree.c
 *		Building trees: thresholds of float32 libraries, the canonical layout,
 *		and every wrong structure that a file or a table may describe.
 */
#include <float.h>

#include "host_malloc.h"
#include "random_tree.h"
#include "unit.h"

/* ----------------------------------------------------------------
 * Thresholds
 * ---------------------------------------------------------------- */

static uint64_t seed = 1;
static long folded_wrong = 0;

static float
random_float(void)
{
	uint32_t	bits = (uint32_t) random_bits(&seed);
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return isnan(value) ? 1.5f : value;
}

static double
random_double(void)
{
	uint64_t	bits = random_bits(&seed);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return isnan(value) ? 1.5 : value;
}

static void
check_float_at(float limit, double x)
{
	folded_wrong += ((float) x <= limit) != (x <= ex_fold_float32(limit, false));
	if (limit != -INFINITY)
		folded_wrong += ((float) x < limit) != (x <= ex_fold_float32(limit, true));
}

static void
check_double_at(double limit, double x)
{
	folded_wrong += ((double) (float) x <= limit) != (x <= ex_fold_float32_le(limit));
}

/* The threshold itself, its neighbours in both widths, and anything else. */
static void
check_around(float single, double limit)
{
	double		near[] = {ex_fold_float32(single, true), ex_fold_float32(single, false),
		single, nextafterf(single, INFINITY), nextafterf(single, -INFINITY),
		ex_fold_float32_le(limit), limit, INFINITY, -INFINITY, DBL_MAX, -DBL_MAX,
	FLT_MAX, -FLT_MAX, 0, -0.0, random_double(), random_float()};

	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
	{
		const double x[] = {near[i], nextafter(near[i], INFINITY), nextafter(near[i], -INFINITY)};

		for (int j = 0; j < 3; j++)
		{
			check_float_at(single, x[j]);
			check_double_at(limit, x[j]);
		}
	}
}

static void
test_thresholds(void)
{
	const float special[] = {0, -0.0f, FLT_MIN, -FLT_MIN, FLT_MAX, -FLT_MAX, INFINITY,
	-INFINITY, 1, 1e-45f, -1e-45f, 16777216, 0.1f};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
	{
		check_around(special[i], special[i]);
		check_around(special[i], nextafter(special[i], INFINITY));
		check_around(special[i], nextafter(special[i], -INFINITY));
	}
	for (int i = 0; i < 100000; i++)
	{
		float		single = random_float();

		check_around(single, i % 2 ? random_double() : single * (1 + 1e-8 * (i % 99 - 49)));
	}
	is_int(folded_wrong, 0, "a folded threshold decides as the float32 comparison does");
	ok(isnan(ex_fold_float32(NAN, true)) && isnan(ex_fold_float32_le(NAN)),
	   "a NaN threshold stays NaN");
}

/* ----------------------------------------------------------------
 * The canonical layout
 * ---------------------------------------------------------------- */

static const random_spec specs[] = {
	{.n_trees = 5, .n_splits = 20, .n_outputs = 1, .covers = true, .gains = true},
	{.n_trees = 9, .n_splits = 30, .n_outputs = 3, .categorical = true, .is_null = true,
	.zero_missing = true, .covers = true},
	{.n_trees = 4, .n_splits = 15, .n_outputs = 3, .vectors = true, .categorical = true, .mean = true},
	{.n_trees = 6, .n_splits = 10, .n_outputs = 2, .linear = true, .gains = true, .mean = true},
	{.n_trees = 3, .n_splits = 0, .n_outputs = 1, .covers = true}
};

#define N_SPECS (sizeof(specs) / sizeof(specs[0]))

static void
test_canonical(void)
{
	for (size_t s = 0; s < N_SPECS; s++)
	{
		ex_arena	arena;
		ex_host    *host = ex_arena_init(&arena);
		ex_model   *sorted = NULL;
		ex_model   *shuffled = NULL;

		is_status(host, random_model(host, 7 + s, &specs[s], false, &sorted), EX_OK, "model %zu", s);
		is_status(host, random_model(host, 7 + s, &specs[s], true, &shuffled), EX_OK,
				  "model %zu shuffled", s);
		if (sorted != NULL && shuffled != NULL)
			is_same(shuffled->digest, sorted->digest, 16, "model %zu: node order is of no account", s);
		ex_arena_free(&arena);
	}
}

/* What a node tells about itself must come back from where it was put. */
static void
test_layout(void)
{
	const uint32_t set[] = {0x5, 0, 0};
	ex_raw_node node[] = {
		{.op = EX_LE, .feature = 2, .threshold = 1.5, .left = 4, .right = 1, .default_left = true,
		.cover = 10, .gain = 3},
		{.op = EX_IN, .feature = RANDOM_NAMED, .set = set, .set_words = 3, .left = 2, .right = 3,
		.zero_missing = true, .cover = 6, .gain = NAN},
		{.op = EX_LEAF, .left = -1, .right = -1, .value = 2, .cover = 4, .gain = 9},
		{.op = EX_LEAF, .left = -1, .right = -1, .value = 3, .cover = 2, .gain = NAN},
		{.op = EX_LEAF, .left = -1, .right = -1, .value = 4, .cover = 4, .gain = NAN}
	};
	const ex_raw_tree tree = {.output = 0, .weight = 0.5, .n_nodes = 5, .node = node};
	const random_spec spec = {.n_outputs = 1, .categorical = true};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *model;
	ex_tree_view view;

	random_builder(&builder, host, &seed, &spec);
	is_status(host, ex_tree_add(&builder, &tree), EX_OK, "a tree with its nodes out of order");
	if (!is_status(host, ex_build(&builder, &model), EX_OK, "is a model"))
		return;
	ex_tree_open(model, &view);
	is_int(view.node[0].left, 1, "children follow the root");
	is_int(view.node[2].left, 3, "grandchildren follow them");
	is_double(view.node[1].value, 4, "the left child comes first");
	is_int(view.node[0].info, 2 | EX_LE << 24 | (int64_t) EX_NODE_DEFAULT_LEFT, "operation and default");
	is_int(view.node[2].info, RANDOM_NAMED | EX_IN << 24 | (int64_t) EX_NODE_ZERO_MISSING, "set and zero");
	is_int(view.set_start[1], 1, "empty words of a set are dropped");
	is_double(view.cover[2], 6, "cover goes with its node");
	is_double(view.gain[0], 3, "gain goes with its node");
	is_double(view.gain[2], NAN, "an unknown gain is NaN");
	is_double(view.gain[3], 0, "a leaf has no gain");
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * Wrong structures
 * ---------------------------------------------------------------- */

/* A tree of three leaves to be spoilt. */
static const uint32_t levels_a[] = {0x3};
static const ex_raw_node good[] = {
	{.op = EX_LE, .feature = 0, .threshold = 1, .left = 1, .right = 2, .cover = 10, .gain = 1},
	{.op = EX_LEAF, .left = -1, .right = -1, .value = 1, .cover = 4, .gain = NAN},
	{.op = EX_IN, .feature = RANDOM_NAMED, .set = levels_a, .set_words = 1, .left = 3, .right = 4,
	.cover = 6, .gain = 1},
	{.op = EX_LEAF, .left = -1, .right = -1, .value = 2, .cover = 4, .gain = NAN},
	{.op = EX_LEAF, .left = -1, .right = -1, .value = 3, .cover = 2, .gain = NAN}
};

static ex_raw_node spoilt[5];
static ex_raw_tree spoilt_tree;

static void
start(void)
{
	memcpy(spoilt, good, sizeof(good));
	spoilt_tree = (ex_raw_tree) {.output = 0, .weight = 1, .n_nodes = 5, .node = spoilt};
}

/* Add the spoilt tree and build; the first failure must be the expected one. */
static void
expect(ex_status expected, const char *message, const char *name)
{
	const random_spec spec = {.n_outputs = 2, .categorical = true};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *model;
	ex_status	status;

	random_builder(&builder, host, &seed, &spec);
	status = ex_tree_add(&builder, &spoilt_tree);
	if (status == EX_OK)
		status = ex_build(&builder, &model);
	is_status(host, status, expected, "%s", name);
	if (message != NULL)
		is_text(host->error.message, message, "%s: message", name);
	ex_arena_free(&arena);
	start();
}

static void
test_children(void)
{
	start();
	expect(EX_OK, NULL, "the tree before it is spoilt");
	spoilt[0].left = 0;
	expect(EX_INVALID, "node 0 of tree 0 has two parents or is its own ancestor", "child is itself");
	spoilt[2].left = 0;
	expect(EX_INVALID, "node 0 of tree 0 has two parents or is its own ancestor", "child is the root");
	spoilt[2].right = 2;
	expect(EX_INVALID, NULL, "right child is itself");
	spoilt[2].left = 1;
	expect(EX_INVALID, "node 1 of tree 0 has two parents or is its own ancestor", "two parents");
	spoilt[2].right = 3;
	expect(EX_INVALID, "node 3 of tree 0 has two parents or is its own ancestor", "both children the same");
	spoilt[0].right = 5;
	expect(EX_INVALID, "child 5 of node 0 of tree 0 does not exist", "child is n");
	spoilt[0].right = -1;
	expect(EX_INVALID, "child -1 of node 0 of tree 0 does not exist", "child is -1");
	spoilt[0].left = INT32_MIN;
	expect(EX_INVALID, NULL, "child is INT_MIN");
	spoilt[0].left = INT32_MAX;
	expect(EX_INVALID, NULL, "child is INT_MAX");
	spoilt[1].left = 3;
	expect(EX_INVALID, "leaf 1 of tree 0 has a child", "leaf with a child");
	spoilt[2] = good[1];
	expect(EX_INVALID, "node 3 of tree 0 cannot be reached from the root", "nodes that nobody reaches");
	spoilt_tree.n_nodes = 3;
	expect(EX_INVALID, "child 3 of node 2 of tree 0 does not exist", "nodes cut off");
	spoilt_tree.n_nodes = 0;
	expect(EX_INVALID, "tree 0 has no nodes", "no nodes");
}

static void
test_members(void)
{
	start();
	spoilt[0].feature = RANDOM_FEATURES;
	expect(EX_INVALID, "feature 7 of node 0 of tree 0 does not exist", "feature is p");
	spoilt[0].feature = UINT32_MAX;
	expect(EX_INVALID, NULL, "feature is -1");
	spoilt[0].op = (ex_node_op) 9;
	expect(EX_INVALID, "operation of node 0 of tree 0 is unknown", "unknown operation");
	spoilt[0].threshold = NAN;
	expect(EX_INVALID, "threshold of node 0 of tree 0 is NaN", "threshold NaN");
	spoilt[0].threshold = INFINITY;
	expect(EX_OK, NULL, "threshold Infinity");
	spoilt[0].threshold = -INFINITY;
	expect(EX_OK, NULL, "threshold -Infinity");
	spoilt[0].feature = RANDOM_NAMED;
	expect(EX_INVALID, "node 0 of tree 0 compares a categorical feature with a threshold",
		   "threshold of a categorical feature");
	spoilt[2].feature = RANDOM_BOOLEAN;
	expect(EX_INVALID, "node 2 of tree 0 tests a feature that is not categorical for levels",
		   "levels of a boolean feature");
	spoilt[2].set = (const uint32_t[]) {0x40};
	expect(EX_INVALID, "node 2 of tree 0 has a set with a level that its feature does not have",
		   "level beyond the last");
	spoilt[2].set = (const uint32_t[]) {0};
	expect(EX_OK, NULL, "empty set");
	spoilt[1].value = NAN;
	expect(EX_RANGE, "value of leaf 1 of tree 0 is not finite", "leaf NaN");
	spoilt[1].value = -INFINITY;
	expect(EX_RANGE, NULL, "leaf -Infinity");
	spoilt[0].gain = INFINITY;
	expect(EX_OK, NULL, "gain Infinity: unknown");
	spoilt_tree.output = 2;
	expect(EX_INVALID, "output 2 of tree 0 does not exist", "output is K");
	spoilt_tree.output = EX_ALL_OUTPUTS;
	expect(EX_INVALID, "leaf 1 of tree 0 has one value, but the tree feeds all outputs",
		   "scalar leaves for all outputs");
	spoilt[1].vector = (const double[]) {1, 2};
	expect(EX_INVALID, "leaf 1 of tree 0 has several values, but the tree feeds one output",
		   "a vector leaf for one output");
	spoilt_tree.weight = NAN;
	expect(EX_RANGE, "weight of tree 0 is not finite", "weight NaN");
}

static void
test_covers(void)
{
	start();
	spoilt[1].cover = -1;
	expect(EX_INVALID, "cover of node 1 of tree 0 is negative or infinite", "negative cover");
	spoilt[1].cover = INFINITY;
	expect(EX_INVALID, NULL, "cover Infinity");
	spoilt[1].cover = 4.0002;
	expect(EX_INVALID, "covers of the children of node 0 of tree 0 do not add up to its own",
		   "covers that are 2e-5 off");
	spoilt[1].cover = 4.00005;
	expect(EX_OK, NULL, "covers that are 5e-6 off");
	spoilt[1].cover = NAN;
	expect(EX_OK, NULL, "an unknown cover");
	for (int i = 0; i < 5; i++)
		spoilt[i].cover = 0;
	expect(EX_OK, NULL, "covers that are all zero");
	spoilt[3].cover = -0.0;
	spoilt[4].cover = 6;
	expect(EX_OK, NULL, "a cover of -0");
}

static void
test_linear_leaves(void)
{
	start();
	spoilt[1].linear = true;
	spoilt[1].n_linear = 1;
	spoilt[1].linear_feature = (const uint32_t[]) {1};
	spoilt[1].linear_coef = (const double[]) {2};
	expect(EX_OK, NULL, "linear leaf");

#define SPOIL_LINEAR(f, c, k) \
	(spoilt[1].linear = true, spoilt[1].n_linear = 1, \
	 spoilt[1].linear_feature = (const uint32_t[]) {f}, \
	 spoilt[1].linear_coef = (const double[]) {c}, spoilt[1].linear_const = k)

	SPOIL_LINEAR(RANDOM_FEATURES, 1, 0);
	expect(EX_INVALID, "feature 7 in the linear model of leaf 1 of tree 0 does not exist",
		   "linear leaf of feature p");
	SPOIL_LINEAR(RANDOM_CODED, 1, 0);
	expect(EX_INVALID, NULL, "linear leaf of a categorical feature");
	SPOIL_LINEAR(1, INFINITY, 0);
	expect(EX_RANGE, "coefficient 0 of leaf 1 of tree 0 is not finite", "linear leaf, coefficient Infinity");
	SPOIL_LINEAR(1, 1, NAN);
	expect(EX_RANGE, NULL, "linear leaf, constant NaN");
}

/* ----------------------------------------------------------------
 * Whole models
 * ---------------------------------------------------------------- */

static void
test_models(void)
{
	const random_spec spec = {.n_outputs = 2};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *model;
	ex_raw_node leaf = {.op = EX_LEAF, .left = -1, .right = -1, .value = 1, .cover = NAN, .gain = NAN};
	ex_raw_tree tree = {.output = 0, .weight = 0, .n_nodes = 1, .node = &leaf};

	random_builder(&builder, host, &seed, &spec);
	is_status(host, ex_build(&builder, &model), EX_INVALID, "no trees");
	is_text(host->error.message, "model has no trees", "no trees: message");

	random_builder(&builder, host, &seed, &spec);
	is_status(host, ex_tree_add(&builder, &tree), EX_OK, "a tree that is one leaf, of weight 0");
	is_status(host, ex_build(&builder, &model), EX_OK, "may be in a sum");
	builder.aggregation = EX_MEAN;
	is_status(host, ex_build(&builder, &model), EX_INVALID, "but not in a mean");

	leaf.vector = (const double[]) {1, 2};
	tree.output = EX_ALL_OUTPUTS;
	is_status(host, ex_tree_add(&builder, &tree), EX_INVALID, "vector leaves after scalar ones");

	random_builder(&builder, host, &seed, &(random_spec) {.n_outputs = 1});
	is_status(host, ex_tree_add(&builder, &tree), EX_OK, "vector leaves of one output");
	is_status(host, ex_build(&builder, &model), EX_OK, "are scalar ones");
	is_int(ex_get(model, EX_TREE_LEAF_VECTOR, NULL) == NULL, 1, "without a table of vectors");

	((double *) builder.section[EX_TREE_BASE].data)[0] = NAN;
	is_status(host, ex_build(&builder, &model), EX_RANGE, "base NaN");
	ex_arena_free(&arena);
}

/* A cover that only some trees have, a gain that only a later tree has. */
static void
test_statistics(void)
{
	const random_spec spec = {.n_outputs = 2, .categorical = true};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *model;
	ex_tree_view view;

	random_builder(&builder, host, &seed, &spec);
	start();
	spoilt[0].gain = spoilt[2].gain = NAN;
	ex_tree_add(&builder, &spoilt_tree);
	start();
	ex_tree_add(&builder, &spoilt_tree);
	spoilt[3].cover = NAN;
	ex_tree_add(&builder, &spoilt_tree);
	start();
	ex_tree_add(&builder, &spoilt_tree);
	is_status(host, ex_build(&builder, &model), EX_OK, "trees with and without covers and gains");
	ex_tree_open(model, &view);
	ok(view.cover == NULL, "covers of some trees only are dropped");
	ok(view.gain != NULL && isnan(view.gain[0]) && view.gain[1] == 0 && view.gain[5] == 1,
	   "gains of earlier trees are unknown");
	ex_arena_free(&arena);
}

/* Depth 1e6: nothing may recurse. */
static void
test_chain(void)
{
	const uint32_t splits = 1000000;
	const random_spec spec = {.n_outputs = 1};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *model = NULL;
	ex_compiled *compiled;
	ex_raw_node *node = calloc(2 * splits + 1, sizeof(ex_raw_node));
	ex_raw_tree tree = {.weight = 1, .n_nodes = 2 * splits + 1, .node = node};
	double		x[RANDOM_FEATURES] = {0};
	double		raw;

	for (uint32_t i = 0; i <= 2 * splits; i++)
	{
		bool		split = i < splits;

		node[i] = (ex_raw_node) {.op = split ? EX_LE : EX_LEAF, .threshold = -1.0,
			.left = split ? (int32_t) (splits + 1 + i) : -1,
			.right = split ? (int32_t) i + 1 : -1, .value = i, .cover = NAN, .gain = NAN};
	}
	random_builder(&builder, host, &seed, &spec);
	is_status(host, ex_tree_add(&builder, &tree), EX_OK, "a chain a million deep");
	if (is_status(host, ex_build(&builder, &model), EX_OK, "is a model") &&
		is_status(host, ex_compile(host, model, 1 << 30, &compiled), EX_OK, "can be compiled"))
	{
		is_int(ex_tree_state_of(compiled)->depth[0], splits, "knows its depth");
		is_status(host, ex_tree_predict_raw(compiled, host, x, 1, &raw), EX_OK, "and predicts");
		is_double(raw, *(double *) builder.section[EX_TREE_BASE].data + splits, "its last leaf");
	}
	free(node);
	ex_arena_free(&arena);
}

/* Any allocation may fail. */
static void
test_memory(void)
{
	ex_arena	arena;
	ex_model   *model;
	long		n = 0;
	ex_status	status;

	do
	{
		ex_host    *host = ex_arena_init(&arena);

		arena.fail_after = n++;
		status = random_model(host, 3, &specs[1], true, &model);
		ex_arena_free(&arena);
	} while (status == EX_MEMORY);
	is_int(status, EX_OK, "without memory it stops, at any of %ld allocations", n - 1);
	ok(n > 10, "there were that many");
}

int
main(void)
{
	test_thresholds();
	test_canonical();
	test_layout();
	test_children();
	test_members();
	test_covers();
	test_linear_leaves();
	test_models();
	test_statistics();
	test_chain();
	test_memory();
	return unit_done();
}
