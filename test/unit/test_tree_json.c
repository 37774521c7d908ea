/*
 * test_tree_json.c
 *		The JSON form of trees: round trips, documents written by hand, and
 *		documents that are wrong.
 */
#include "host_malloc.h"
#include "model_json.h"
#include "random_tree.h"
#include "unit.h"

static const random_spec specs[] = {
	{.n_trees = 5, .n_splits = 20, .n_outputs = 1, .covers = true, .gains = true},
	{.n_trees = 9, .n_splits = 30, .n_outputs = 3, .categorical = true, .is_null = true,
	.zero_missing = true, .covers = true},
	{.n_trees = 4, .n_splits = 15, .n_outputs = 3, .vectors = true, .categorical = true, .mean = true},
	{.n_trees = 6, .n_splits = 10, .n_outputs = 2, .linear = true, .gains = true, .mean = true},
	{.n_trees = 3, .n_splits = 0, .n_outputs = 1, .covers = true}
};

static void
test_round_trip(const random_spec *spec, uint64_t seed)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_buffer	text = {NULL, 0, 0};
	ex_buffer	again = {NULL, 0, 0};
	ex_model   *model;
	ex_model   *read;

	if (!is_status(host, random_model(host, seed, spec, true, &model), EX_OK, "a random model") ||
		!is_status(host, ex_model_to_json(host, model, &text), EX_OK, "is written") ||
		!is_status(host, ex_model_from_json(host, text.data, text.size, &read), EX_OK, "and read"))
		return;
	is_int(read->size, model->size, "it has the same size");
	is_same(read, model, model->size, "and the same bytes");
	is_status(host, ex_model_to_json(host, read, &again), EX_OK, "written again");
	is_int(again.size, text.size, "it has the same length");
	is_same(again.data, text.data, text.size, "and the same text");
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * By hand
 * ---------------------------------------------------------------- */

#define HEAD "{\"family\":\"tree\",\"features\":[" \
	"{\"name\":\"age\",\"missing\":\"native\"}," \
	"{\"name\":\"colour\",\"kind\":\"categorical\",\"levels\":[\"red\",\"green\",\"blue\"],\"missing\":\"native\"}]"

/* The model of a document, or the failure. */
static ex_status
read_text(ex_host *host, const char *text, ex_model **model)
{
	return ex_model_from_json(host, text, strlen(text), model);
}

static double
predict(ex_host *host, const char *text, double age, double colour)
{
	const double x[] = {age, colour};
	ex_model   *model;
	ex_compiled *compiled;
	double		raw[8] = {NAN};

	if (!is_status(host, read_text(host, text, &model), EX_OK, "%.60s...", text + sizeof(HEAD) - 1) ||
		!is_status(host, ex_compile(host, model, 0, &compiled), EX_OK, "compiles"))
		return NAN;
	ex_tree_predict_raw(compiled, host, x, 1, raw);
	return raw[0];
}

static void
test_by_hand(void)
{
	static const char smallest[] = HEAD ",\"trees\":[{\"feature\":[\"age\",null,null],"
		"\"threshold\":[41.5,null,null],\"left_child\":[1,null,null],\"value\":[null,0.25,0.75]}]}";
	static const char everything[] = HEAD ",\"aggregation\":\"mean\",\"base\":[10],\"trees\":["
		"{\"output\":0,\"weight\":3,\"op\":[\"in\",\"leaf\",\"is null\",\"leaf\",\"leaf\"],"
		"\"feature\":[1,null,\"age\",null,null],\"levels\":[[\"red\",2],null,null,null,null],"
		"\"left_child\":[4,null,1,null,null],\"right_child\":[2,null,3,null,null],"
		"\"missing_child\":[4,null,null,null,null],\"value\":[null,1,null,2,3],"
		"\"cover\":[8,1,3,2,5],\"gain\":[0.5,null,0.25,null,null]},"
		"{\"value\":[7]}]}";
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);

	is_double(predict(host, smallest, 41.5, NAN), 0.25, "at the threshold: left");
	is_double(predict(host, smallest, 41.6, NAN), 0.75, "above: right");
	is_double(predict(host, smallest, NAN, NAN), 0.75, "missing: right");
	is_double(predict(host, everything, 1, 0), 10 + (3 * 3 + 7) / 4.0, "level by name");
	is_double(predict(host, everything, 1, 2), 10 + (3 * 3 + 7) / 4.0, "level by position");
	is_double(predict(host, everything, 1, NAN), 10 + (3 * 3 + 7) / 4.0, "missing child");
	is_double(predict(host, everything, NAN, 1), 10 + (3 * 1 + 7) / 4.0, "is null");
	is_double(predict(host, everything, 5, 1), 10 + (3 * 2 + 7) / 4.0, "is not");
	ex_arena_free(&arena);
}

/* ----------------------------------------------------------------
 * Wrong documents
 * ---------------------------------------------------------------- */

typedef struct wrong
{
	ex_status	status;
	const char *tree;			/* members of the tree, or (from a '{') of the model */
	const char *message;
} wrong;

#define SPLIT "\"feature\":[\"age\",null,null],\"threshold\":[1,null,null],\"left_child\":[1,null,null]"
#define VALUE ",\"value\":[null,1,2]"

static const wrong cases[] = {
	{EX_OK, SPLIT VALUE, ""},
	{EX_INVALID, "", "tree 0 has no key \"value\""},
	{EX_INVALID, "\"value\":[]", "tree 0 has no nodes"},
	{EX_INVALID, SPLIT ",\"value\":[null,1]", "\"feature\" of tree 0 has 3 elements, \"value\" has 2"},
	{EX_INVALID, SPLIT VALUE ",\"cover\":[3,1,2,1]", "\"cover\" of tree 0 has 4 elements, \"value\" has 3"},
	{EX_INVALID, SPLIT VALUE ",\"treshold\":[1]", "unknown key \"treshold\" in tree 0"},
	{EX_DUPLICATE_KEY, SPLIT VALUE VALUE, NULL},
	{EX_INVALID, SPLIT ",\"value\":[null,\"one\",2]", NULL},
	{EX_RANGE, SPLIT ",\"value\":[null,\"NaN\",2]", "value of a leaf must be finite"},
	{EX_RANGE, SPLIT ",\"value\":[null,1e400,2]", NULL},
	{EX_INVALID, SPLIT ",\"value\":[null,null,2]", "node 1 of tree 0 is a leaf without a value"},
	{EX_INVALID, SPLIT ",\"value\":[0,1,2]", "node 0 of tree 0 has a value, but is no leaf"},
	{EX_INVALID, SPLIT ",\"value\":[null,[1,2],2]", "value has 2 numbers, but the model has 1 outputs"},
	{EX_INVALID, SPLIT VALUE ",\"missing_child\":[0,null,null]", "missing_child must be one of the two children"},
	{EX_INVALID, SPLIT VALUE ",\"right_child\":[1,null,null]", "node 1 of tree 0 has two parents or is its own ancestor"},
	{EX_INVALID, SPLIT VALUE ",\"right_child\":[3,null,null]", NULL},
	{EX_INVALID, SPLIT VALUE ",\"right_child\":[-1,null,null]", NULL},
	{EX_INVALID, SPLIT VALUE ",\"right_child\":[1.5,null,null]", NULL},
	{EX_INVALID, SPLIT VALUE ",\"op\":[\"<\",null,null]", "unknown operation in \"op\""},
	{EX_INVALID, SPLIT VALUE ",\"op\":[\"leaf\",null,null]", NULL},
	{EX_INVALID, SPLIT VALUE ",\"op\":[\"is null\",null,null]", "node 0 of tree 0 has a threshold, but another operation"},
	{EX_INVALID, SPLIT VALUE ",\"levels\":[[\"red\"],null,null]", "levels of a feature that is not categorical"},
	{EX_INVALID, SPLIT VALUE ",\"output\":\"other\"", "output \"other\" of tree 0 does not exist"},
	{EX_INVALID, SPLIT VALUE ",\"output\":1", NULL},
	{EX_INVALID, SPLIT VALUE ",\"weight\":\"1\"", NULL},
	{EX_NULL, SPLIT VALUE ",\"weight\":null", NULL},
	{EX_INVALID, SPLIT VALUE ",\"cover\":[3,1,3]",
	"covers of the children of node 0 of tree 0 do not add up to its own"},
	{EX_INVALID, SPLIT VALUE ",\"cover\":[0,1,-1]", "cover of node 2 of tree 0 is negative or infinite"},
	{EX_INVALID, SPLIT VALUE ",\"cover\":[\"NaN\",1,1]", "cover must not be NaN"},
	{EX_INVALID, "\"feature\":[\"age\",null,null],\"left_child\":[1,null,null]" VALUE,
	"node 0 of tree 0 has no threshold"},
	{EX_INVALID, "\"feature\":[\"age\",null,null],\"threshold\":[\"NaN\",null,null],\"left_child\":[1,null,null]" VALUE,
	"threshold must not be NaN"},
	{EX_OK, "\"feature\":[\"age\",null,null],\"threshold\":[\"Infinity\",null,null],\"left_child\":[1,null,null]" VALUE,
	""},
	{EX_INVALID, "\"feature\":[\"agee\",null,null],\"threshold\":[1,null,null],\"left_child\":[1,null,null]" VALUE, NULL},
	{EX_INVALID, "\"feature\":[2,null,null],\"threshold\":[1,null,null],\"left_child\":[1,null,null]" VALUE, NULL},
	{EX_INVALID, "\"feature\":[true,null,null],\"threshold\":[1,null,null],\"left_child\":[1,null,null]" VALUE,
	"\"feature\" has a value of the wrong type"},
	{EX_INVALID, "\"threshold\":[1,null,null],\"left_child\":[1,null,null]" VALUE, "node 0 of tree 0 has no feature"},
	{EX_INVALID, "\"feature\":[\"age\",null,null],\"threshold\":[1,null,null]" VALUE,
	"node 0 of tree 0 has a feature, but not two children"},
	{EX_INVALID, "\"feature\":[\"colour\",null,null],\"levels\":[[\"pink\"],null,null],\"left_child\":[1,null,null]" VALUE,
	"unknown level \"pink\" of feature \"colour\" in levels"},
	{EX_INVALID, "\"feature\":[\"colour\",null,null],\"levels\":[[3],null,null],\"left_child\":[1,null,null]" VALUE, NULL},
	{EX_INVALID, "\"feature\":[\"colour\",null,null],\"threshold\":[1,null,null],\"left_child\":[1,null,null]" VALUE,
	"node 0 of tree 0 compares a categorical feature with a threshold"},
	{EX_OK, "\"feature\":[\"colour\",null,null],\"levels\":[[],null,null],\"left_child\":[1,null,null]" VALUE, ""},
	{EX_INVALID, "\"value\":[1],\"linear\":[{\"constant\":1,\"features\":[\"age\"],\"coefficients\":[]}]",
	"a linear leaf has 0 coefficients for 1 features"},
	{EX_INVALID, "\"value\":[1],\"linear\":[{\"constant\":1,\"features\":[\"age\"]}]", NULL},
	{EX_INVALID, "\"value\":[1],\"linear\":[{\"constant\":1,\"features\":[\"colour\"],\"coefficients\":[1]}]", NULL},
	{EX_OK, "\"value\":[1],\"linear\":[{\"constant\":1,\"features\":[\"age\"],\"coefficients\":[1]}]", ""},
	{EX_INVALID, "{\"trees\":[]", "model has no trees"},
	{EX_INVALID, "{\"aggregation\":\"sum\"", NULL},
	{EX_INVALID, "{\"trees\":{}", NULL},
	{EX_INVALID, "{\"trees\":[1]", NULL},
	{EX_INVALID, "{\"aggregation\":\"max\",\"trees\":[{\"value\":[1]}]", "unknown aggregation"},
	{EX_INVALID, "{\"base\":[1,2],\"trees\":[{\"value\":[1]}]", "\"base\" has 2 elements, but the model has 1 outputs"},
	{EX_RANGE, "{\"base\":[\"Infinity\"],\"trees\":[{\"value\":[1]}]", "base of output 0 is not finite"},
	{EX_INVALID, "{\"coefficients\":[1],\"trees\":[{\"value\":[1]}]", NULL},
	{EX_INVALID, "{\"outputs\":[\"a\",\"b\"],\"trees\":[{\"value\":[1]}]", "tree 0 has no key \"output\""},
	{EX_OK, "{\"outputs\":[\"a\",\"b\"],\"trees\":[{\"value\":[[1,2]]}]", ""},
	{EX_INVALID, "{\"outputs\":[\"a\",\"b\"],\"trees\":[{\"value\":[[1,2]]},{\"output\":\"a\",\"value\":[1]}]",
	"trees with one value in a leaf and trees with several cannot be mixed"}
};

static void
test_wrong(const wrong *expected)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	char		text[1024];

	if (expected->tree[0] == '{')
		snprintf(text, sizeof(text), HEAD ",%s}", expected->tree + 1);
	else
		snprintf(text, sizeof(text), HEAD ",\"trees\":[{%s}]}", expected->tree);
	is_status(host, read_text(host, text, &model), expected->status, "%s", expected->tree);
	if (expected->message != NULL)
		is_text(host->error.message, expected->message, "with this message");
	ex_arena_free(&arena);
}

/* A short document that asks for 2 MB in each of its 200 nodes. */
static void
test_large_sets(void)
{
	const int	splits = 200;
	static const char *const keys[] = {"\"feature\":[", "],\"levels\":[", "],\"left_child\":[", "],\"value\":["};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_buffer	text = {NULL, 0, 0};
	ex_model   *model;

	ex_append_text(host, &text, "{\"family\":\"tree\",\"features\":[{\"name\":\"c\",\"levels\":16777216}],\"trees\":[{");
	for (int column = 0; column < 4; column++)
	{
		ex_append_text(host, &text, keys[column]);
		for (int i = 0; i < 2 * splits + 1; i++)
		{
			ex_append_text(host, &text, i > 0 ? "," : "");
			if (i % 2 || i == 2 * splits)
				ex_append_text(host, &text, column == 3 ? "1" : "null");
			else if (column == 2)
				ex_appendf(host, &text, "%d", i + 1);
			else
				ex_append_text(host, &text, column == 0 ? "0" : column == 1 ? "[16777215]" : "null");
		}
	}
	ex_append_text(host, &text, "]}]}");
	is_status(host, ex_model_from_json(host, text.data, text.size, &model), EX_LIMIT, "%zu bytes that ask for 400 MB",
			  text.size);
	ok(arena.bytes < 2 * EX_MAX_MODEL_SIZE, "do not get them");
	ex_arena_free(&arena);
}

int
main(void)
{
	for (size_t s = 0; s < sizeof(specs) / sizeof(specs[0]); s++)
		for (uint64_t seed = 1; seed <= 3; seed++)
			test_round_trip(&specs[s], 100 * s + seed);
	test_by_hand();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_wrong(&cases[i]);
	test_large_sets();
	return unit_done();
}
