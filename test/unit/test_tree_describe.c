/*
 * test_tree_describe.c
 *		Trees for people: nodes given back, drawings, paths, words, importance.
 */
#include "host_malloc.h"
#include "model_json.h"
#include "random_tree.h"
#include "tree_describe.h"
#include "unit.h"

/* A model taken apart node by node and put together again is the same. */
static void
test_nodes(const random_spec *spec, uint64_t seed)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	ex_model   *again;
	ex_builder	builder;
	ex_tree_view view;

	if (!is_status(host, random_model(host, seed, spec, false, &model), EX_OK, "a random model"))
		return;
	ex_tree_open(model, &view);
	ex_builder_open(&builder, host, model);
	for (int id = EX_TREE_ROOT; id <= EX_TREE_LINEAR_CONST; id++)
		ex_drop(&builder, (ex_section_id) id);
	for (uint32_t t = 0; t < view.n_trees; t++)
	{
		uint32_t	n = ex_tree_size(&view, t);
		ex_raw_node *node = host->alloc(host, n * sizeof(ex_raw_node));
		const ex_raw_tree tree = {.output = view.output[t], .weight = view.weight[t], .n_nodes = n, .node = node};

		for (uint32_t i = 0; i < n; i++)
			ex_tree_get_node(&view, t, i, &node[i]);
		is_status(host, ex_tree_add(&builder, &tree), EX_OK, "a tree from its nodes");
	}
	if (is_status(host, ex_build(&builder, &again), EX_OK, "all trees from their nodes"))
		is_same(again, model, model->size, "make the same model");
	ex_arena_free(&arena);
}

/* In order, by recursion: what the layout does without. */
static double
draw(const ex_node *root, uint32_t i, uint32_t depth, int32_t parent, double *next,
	 const ex_tree_place *place, int *wrong)
{
	double		x;

	if (EX_NODE_OP(root + i) == EX_LEAF)
		x = (*next)++;
	else
	{
		double		left = draw(root, (uint32_t) root[i].left, depth + 1, (int32_t) i, next, place, wrong);

		x = (left + draw(root, (uint32_t) root[i].left + 1, depth + 1, (int32_t) i, next, place, wrong)) / 2;
	}
	*wrong += place[i].x != x || place[i].depth != depth || place[i].parent != parent;
	return x;
}

static void
test_layout(const random_spec *spec)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	ex_tree_view view;
	int			wrong = 0;

	random_model(host, 3, spec, false, &model);
	ex_tree_open(model, &view);
	for (uint32_t t = 0; t < view.n_trees; t++)
	{
		ex_tree_place *place;
		double		next = 0;

		is_status(host, ex_tree_layout(host, &view, t, &place), EX_OK, "tree %u is drawn", t);
		draw(view.node + view.root[t], 0, 0, -1, &next, place, &wrong);
	}
	is_int(wrong, 0, "as recursion would draw it");
	ex_arena_free(&arena);
}

static void
test_path(const random_spec *spec)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	uint64_t	seed = 5;
	ex_model   *model;
	ex_tree_view view;
	int			wrong = 0;

	random_model(host, 3, spec, false, &model);
	ex_tree_open(model, &view);
	for (int row = 0; row < 200; row++)
	{
		double		x[RANDOM_FEATURES];
		uint32_t	t = (uint32_t) row % view.n_trees;
		const ex_node *root = view.node + view.root[t];
		uint32_t   *path;
		uint32_t	n;

		random_row(&seed, spec->categorical, x);
		if (ex_tree_path(host, &view, t, x, &path, &n) != EX_OK)
			break;
		wrong += path[0] != 0 || root + path[n - 1] != ex_tree_find_leaf(&view, t, x);
		for (uint32_t i = 1; i < n; i++)
			wrong += path[i] != (uint32_t) root[path[i - 1]].left +
				!ex_goes_left(&view, root + path[i - 1], x[EX_NODE_FEATURE(root + path[i - 1])]);
	}
	is_int(wrong, 0, "200 paths from the root to the leaf of the row");
	ex_arena_free(&arena);
}

static const char text[] = "{\"family\":\"tree\",\"features\":["
	"{\"name\":\"age\",\"missing\":\"native\"},"
	"{\"name\":\"col%sour\",\"kind\":\"categorical\",\"levels\":[\"red\",\"green\",\"blue\"]},"
	"{\"name\":\"shop\",\"kind\":\"categorical\",\"levels\":40,\"missing\":\"native\"}],"
	"\"trees\":[{\"feature\":[0,1,0,2,null,null,null,null,null],"
	"\"op\":[null,null,\"is null\",null,null,null,null,null,null],"
	"\"threshold\":[41.5,null,null,null,null,null,null,null,null],"
	"\"levels\":[null,[\"red\",\"blue\"],null,[1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,38,39],"
	"null,null,null,null,null],"
	"\"left_child\":[1,3,5,7,null,null,null,null,null],"
	"\"missing_child\":[1,null,null,8,null,null,null,null,null],"
	"\"zero_missing\":[false,false,false,true,null,null,null,null,null],"
	"\"value\":[null,null,null,null,1,2,3,4,5],"
	"\"cover\":[10,6,4,4,2,3,1,2,2],\"gain\":[8,null,2,1,null,null,null,null,null]},"
	"{\"feature\":[0,null,null],\"threshold\":[\"Infinity\",null,null],\"left_child\":[1,null,null],"
	"\"value\":[null,1,2],\"cover\":[10,10,0],\"gain\":[0.5,null,null]}]}";

static void
test_words(ex_host *host, const ex_tree_view *view)
{
	static const struct
	{
		uint32_t	tree;
		uint32_t	node;
		bool		left;
		const char *words;
	}			expected[] = {
		{0, 0, true, "age <= 41.5 or missing"},
		{0, 0, false, "age > 41.5"},
		{0, 1, true, "col%sour in (red, blue)"},
		{0, 1, false, "col%sour not in (red, blue)"},
		{0, 2, true, "age is null"},
		{0, 2, false, "age is not null"},
		{0, 3, true, "shop in (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 38, "
		"... and 1 more) (0 counts as missing)"},
		{1, 0, false, "age > Infinity or missing"}
	};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
	{
		ex_buffer	words = {NULL, 0, 0};

		is_status(host, ex_tree_words(host, view, expected[i].tree, expected[i].node, expected[i].left, &words),
				  EX_OK, "a test in words");
		ex_append(host, &words, "", 1);
		is_text(words.data, expected[i].words, "which are right");
	}
}

static void
test_importance(ex_host *host, const ex_tree_view *view)
{
	ex_tree_importance of[3];
	ex_tree_view without = *view;

	is_status(host, ex_tree_split_importance(host, view, of), EX_OK, "importance");
	is_double(of[0].splits, 3, "splits");
	is_double(of[0].gain, 8 + 2 + 0.5, "gain");
	is_double(of[0].cover, 10 + 4 + 10, "cover");
	is_double(of[1].gain, 0, "an unknown gain counts nothing");
	is_double(of[2].splits, 1, "splits of the last feature");
	without.cover = without.gain = NULL;
	is_status(host, ex_tree_split_importance(host, &without, of), EX_OK, "importance by splits only");
	ok(isnan(of[0].gain) && isnan(of[0].cover) && of[0].splits == 3, "gain and cover are unknown");
}

int
main(void)
{
	const random_spec sets = {.n_trees = 4, .n_splits = 25, .n_outputs = 2, .categorical = true, .is_null = true,
	.zero_missing = true, .covers = true, .gains = true};
	const random_spec vectors = {.n_trees = 3, .n_splits = 8, .n_outputs = 3, .vectors = true};
	const random_spec linear = {.n_trees = 3, .n_splits = 8, .n_outputs = 1, .linear = true};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;
	ex_tree_view view;

	test_nodes(&sets, 1);
	test_nodes(&vectors, 2);
	test_nodes(&linear, 3);
	test_layout(&sets);
	test_path(&sets);
	if (is_status(host, ex_model_from_json(host, text, strlen(text), &model), EX_OK, "a model by hand"))
	{
		ex_tree_open(model, &view);
		test_words(host, &view);
		test_importance(host, &view);
	}
	ex_arena_free(&arena);
	return unit_done();
}
