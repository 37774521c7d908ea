/*
 * test_tree_check.c
 *		Validation of tree sections that did not come from ex_tree_add: every
 *		rule by a case that breaks it alone, and random damage.
 */
#include "host_malloc.h"
#include "model_json.h"
#include "random_tree.h"
#include "unit.h"

/* Sets and scalar leaves; vector leaves; linear leaves. */
static const random_spec with_sets = {.n_trees = 3, .n_splits = 12, .n_outputs = 2, .categorical = true,
.is_null = true, .zero_missing = true, .covers = true, .gains = true};
static const random_spec with_vectors = {.n_trees = 3, .n_splits = 4, .n_outputs = 3, .vectors = true, .mean = true};
static const random_spec with_linear = {.n_trees = 3, .n_splits = 4, .n_outputs = 1, .linear = true,
.categorical = true};

/* A builder that is being spoilt. */
static ex_arena arena;
static ex_host *host;
static ex_builder builder;

static void
start(const random_spec *spec)
{
	ex_model   *model;

	host = ex_arena_init(&arena);
	random_model(host, 42, spec, false, &model);
	ex_builder_open(&builder, host, model);
}

/* Build what has been spoilt. */
static void
expect(ex_status expected, const char *name)
{
	ex_model   *model;

	is_status(host, ex_build(&builder, &model), expected, "%s", name);
	ex_arena_free(&arena);
}

static uint32_t *
u32(ex_section_id id)
{
	return (uint32_t *) builder.section[id].data;
}

static double *
f64(ex_section_id id)
{
	return (double *) builder.section[id].data;
}

static ex_node *
nodes(void)
{
	return (ex_node *) builder.section[EX_TREE_NODE].data;
}

/* First node of the first tree with this operation. */
static ex_node *
first(ex_node_op op)
{
	ex_node    *node = nodes();

	while (EX_NODE_OP(node) != op)
		node++;
	return node;
}

static void
shorten(ex_section_id id)
{
	builder.section[id].size -= ex_type_size((ex_type) ex_section_types[id]);
}

#define SPOIL(spec, change, status, name) (start(&(spec)), (change), expect(status, name))

static void
test_sections(void)
{
	static const ex_section_id required[] = {EX_TREE_BASE, EX_TREE_ROOT, EX_TREE_OUTPUT, EX_TREE_WEIGHT,
		EX_TREE_NODE, EX_TREE_COVER, EX_TREE_GAIN, EX_TREE_SET_START, EX_TREE_SET_WORD};
	static const ex_section_id of_linear[] = {EX_TREE_LINEAR_START, EX_TREE_LINEAR_FEATURE,
		EX_TREE_LINEAR_COEF, EX_TREE_LINEAR_CONST};
	static const ex_section_id optional[] = {EX_TREE_COVER, EX_TREE_GAIN};

	SPOIL(with_sets, (void) 0, EX_OK, "sets before they are spoilt");
	SPOIL(with_vectors, (void) 0, EX_OK, "vectors before they are spoilt");
	SPOIL(with_linear, (void) 0, EX_OK, "linear leaves before they are spoilt");
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
	{
		SPOIL(with_sets, shorten(required[i]), EX_INVALID, "a section is too short");
		SPOIL(with_sets, ex_put(&builder, required[i], nodes(), 1), EX_INVALID, "a section is too long");
	}
	for (size_t i = 0; i < 4; i++)
	{
		SPOIL(with_linear, shorten(of_linear[i]), EX_INVALID, "a linear section is too short");
		SPOIL(with_linear, ex_put(&builder, of_linear[i], nodes(), 1), EX_INVALID, "a linear section is too long");
		SPOIL(with_linear, ex_drop(&builder, of_linear[i]), EX_INVALID, "a linear section is absent");
	}
	SPOIL(with_vectors, shorten(EX_TREE_LEAF_VECTOR), EX_INVALID, "leaf vectors are too short");
	SPOIL(with_vectors, ex_put_f64(&builder, EX_TREE_LEAF_VECTOR, 1), EX_INVALID, "leaf vectors are too long");
	SPOIL(with_vectors, ex_drop(&builder, EX_TREE_LEAF_VECTOR), EX_INVALID, "leaf vectors are absent");
	for (size_t i = 0; i < 5; i++)
		SPOIL(with_sets, ex_drop(&builder, required[i]), EX_INVALID, "a section is absent");
	SPOIL(with_sets, ex_drop(&builder, EX_TREE_SET_START), EX_INVALID, "sets' starts are absent");
	SPOIL(with_sets, ex_drop(&builder, EX_TREE_SET_WORD), EX_INVALID, "sets' words are absent");
	for (size_t i = 0; i < 2; i++)
		SPOIL(with_sets, ex_drop(&builder, optional[i]), EX_OK, "covers or gains are absent");
}

static void
test_trees(void)
{
	SPOIL(with_sets, u32(EX_TREE_ROOT)[0] = 1, EX_INVALID, "first root is not 0");
	SPOIL(with_sets, u32(EX_TREE_ROOT)[1] = 26, EX_INVALID, "a root in the middle of a tree");
	SPOIL(with_sets, u32(EX_TREE_ROOT)[1] = 0, EX_INVALID, "an empty tree");
	SPOIL(with_sets, u32(EX_TREE_ROOT)[2] = 0, EX_INVALID, "roots that descend");
	SPOIL(with_sets, u32(EX_TREE_ROOT)[1] = UINT32_MAX, EX_INVALID, "a root far beyond");
	SPOIL(with_sets, u32(EX_TREE_ROOT)[3] = UINT32_MAX, EX_INVALID, "an end far beyond");
	SPOIL(with_sets, u32(EX_TREE_OUTPUT)[1] = 2, EX_INVALID, "output K");
	SPOIL(with_sets, u32(EX_TREE_OUTPUT)[1] = EX_ALL_OUTPUTS, EX_INVALID, "all outputs without vectors");
	SPOIL(with_vectors, u32(EX_TREE_OUTPUT)[1] = 1, EX_INVALID, "one output with vectors");
	SPOIL(with_sets, f64(EX_TREE_WEIGHT)[1] = INFINITY, EX_RANGE, "weight Infinity");
	SPOIL(with_sets, f64(EX_TREE_WEIGHT)[1] = -1, EX_OK, "a negative weight in a sum");
	SPOIL(with_vectors, f64(EX_TREE_WEIGHT)[1] = -1, EX_INVALID, "a negative weight in a mean");
	SPOIL(with_vectors, f64(EX_TREE_WEIGHT)[1] = f64(EX_TREE_WEIGHT)[0] = 1e308, EX_RANGE, "weights that overflow");
	SPOIL(with_sets, f64(EX_TREE_BASE)[1] = NAN, EX_RANGE, "base NaN");
}

static void
test_nodes(void)
{
	SPOIL(with_sets, nodes()->left = 0, EX_INVALID, "the root is its own child");
	SPOIL(with_sets, nodes()->left = 2, EX_INVALID, "a child is left out");
	SPOIL(with_sets, nodes()->left = -1, EX_INVALID, "child -1");
	SPOIL(with_sets, nodes()->left = INT32_MAX, EX_INVALID, "child INT_MAX");
	SPOIL(with_sets, nodes()->left = INT32_MIN, EX_INVALID, "child INT_MIN");
	SPOIL(with_sets, nodes()->info = 0, EX_INVALID, "the root becomes a leaf");
	SPOIL(with_sets, first(EX_LEAF)->info = EX_LE << 24, EX_INVALID, "a leaf becomes a split");
	SPOIL(with_sets, first(EX_LEAF)->info |= 1, EX_INVALID, "a leaf has a feature");
	SPOIL(with_sets, first(EX_LEAF)->info |= EX_NODE_DEFAULT_LEFT, EX_INVALID, "a leaf has a default");
	SPOIL(with_sets, first(EX_LEAF)->left = 0, EX_INVALID, "a leaf names a linear model");
	SPOIL(with_sets, first(EX_LEAF)->value = NAN, EX_RANGE, "a leaf is NaN");
	SPOIL(with_sets, first(EX_LE)->value = NAN, EX_INVALID, "a threshold is NaN");
	SPOIL(with_sets, first(EX_LE)->info |= 0x00ffffffu, EX_INVALID, "feature 2^24 - 1");
	SPOIL(with_sets, first(EX_LE)->info |= 0x40000000u, EX_INVALID, "an unknown flag");
	SPOIL(with_sets, first(EX_LE)->info |= 0x04000000u, EX_INVALID, "an unknown operation");
	SPOIL(with_sets, first(EX_LE)->info = EX_LE << 24 | RANDOM_NAMED, EX_INVALID, "threshold of a category");
	SPOIL(with_sets, first(EX_IN)->info = EX_IN << 24, EX_INVALID, "set of a number");
	SPOIL(with_sets, first(EX_IN)->value += 1, EX_INVALID, "another node's set");
	SPOIL(with_sets, first(EX_IN)->value = 1e9, EX_INVALID, "a set that does not exist");
	SPOIL(with_sets, first(EX_ISNULL)->value = 1, EX_INVALID, "is null with a threshold");
	SPOIL(with_sets, first(EX_ISNULL)->info |= EX_NODE_DEFAULT_LEFT, EX_INVALID, "is null with a default");
	SPOIL(with_vectors, first(EX_LEAF)->value = 1, EX_INVALID, "another leaf's vector");
	SPOIL(with_vectors, f64(EX_TREE_LEAF_VECTOR)[5] = INFINITY, EX_RANGE, "a vector with Infinity");
}

static void
test_side_tables(void)
{
	uint32_t	levels;

	SPOIL(with_sets, u32(EX_TREE_SET_START)[1] = UINT32_MAX, EX_INVALID, "a set that ends far beyond");
	SPOIL(with_sets, u32(EX_TREE_SET_START)[0] = 1, EX_INVALID, "sets that do not begin at 0");

	start(&with_sets);
	levels = random_levels(EX_NODE_FEATURE(first(EX_IN)));
	u32(EX_TREE_SET_WORD)[u32(EX_TREE_SET_START)[1] - 1] |= 1u << (levels % 32);
	expect(EX_INVALID, "a level beyond the last");
	start(&with_sets);
	u32(EX_TREE_SET_WORD)[u32(EX_TREE_SET_START)[1] - 1] = 0;
	expect(EX_INVALID, "an unused word");

	SPOIL(with_sets, f64(EX_TREE_COVER)[3] = -1, EX_INVALID, "a negative cover");
	SPOIL(with_sets, f64(EX_TREE_COVER)[3] = NAN, EX_INVALID, "a cover NaN");
	SPOIL(with_sets, f64(EX_TREE_COVER)[0] += 1, EX_INVALID, "covers that do not add up");
	SPOIL(with_sets, f64(EX_TREE_GAIN)[0] = INFINITY, EX_INVALID, "a gain Infinity");
	SPOIL(with_sets, f64(EX_TREE_GAIN)[24] = 1, EX_INVALID, "a gain of a leaf");
	SPOIL(with_linear, u32(EX_TREE_LINEAR_START)[1] = UINT32_MAX, EX_INVALID, "a linear leaf without end");
	SPOIL(with_linear, u32(EX_TREE_LINEAR_FEATURE)[0] = 7, EX_INVALID, "a linear leaf of feature p");
	SPOIL(with_linear, u32(EX_TREE_LINEAR_FEATURE)[0] = RANDOM_NAMED, EX_INVALID, "a linear leaf of a category");
	SPOIL(with_linear, f64(EX_TREE_LINEAR_COEF)[0] = NAN, EX_RANGE, "a linear leaf of coefficient NaN");
	SPOIL(with_linear, f64(EX_TREE_LINEAR_CONST)[0] = NAN, EX_RANGE, "a linear leaf of constant NaN");
}

/* ----------------------------------------------------------------
 * Random damage
 * ---------------------------------------------------------------- */

/* Everything that reads nodes, on a model that validation let pass. */
static void
use(ex_host *with, const ex_model *model, uint64_t *seed)
{
	ex_buffer	text = {NULL, 0, 0};
	ex_compiled *compiled;
	double		x[17 * RANDOM_FEATURES];
	double		raw[17 * 3];

	for (int i = 0; i < 17; i++)
		random_row(seed, true, x + i * RANDOM_FEATURES);
	if (ex_compile(with, model, 1 << 20, &compiled) == EX_OK)
		(void) ex_tree_predict_raw(compiled, with, x, 17, raw);
	(void) ex_model_to_json(with, model, &text);
}

/* Change some bytes of the tree's own sections; no rule may be missing that a reader relies on. */
static void
test_damage(const random_spec *spec, const char *name)
{
	uint64_t	seed = 9;
	int			passed = 0;
	const int	rounds = 4000;

	for (int round = 0; round < rounds; round++)
	{
		ex_arena	inner;
		ex_host    *with = ex_arena_init(&inner);
		ex_model   *model;
		size_t		start_of_trees;

		random_model(with, seed, spec, false, &model);
		start_of_trees = (size_t) ((const char *) ex_get(model, EX_TREE_BASE, NULL) - (char *) model);
		for (uint32_t n = 1 + random_below(&seed, 3); n > 0; n--)
		{
			uint8_t    *byte = (uint8_t *) model + start_of_trees +
				random_below(&seed, (uint32_t) (model->size - start_of_trees));

			*byte = random_below(&seed, 3) ? (uint8_t) (*byte ^ (1u << random_below(&seed, 8))) :
				random_below(&seed, 2) ? 0xff : 0;
		}
		if (ex_tree_validate(with, model) == EX_OK)
		{
			passed++;
			use(with, model, &seed);
		}
		ex_arena_free(&inner);
	}
	ok(passed > 0 && passed < rounds, "%s: %d of %d damaged models passed, and could be used", name, passed, rounds);
}

int
main(void)
{
	test_sections();
	test_trees();
	test_nodes();
	test_side_tables();
	test_damage(&with_sets, "sets");
	test_damage(&with_vectors, "vectors");
	test_damage(&with_linear, "linear leaves");
	return unit_done();
}
