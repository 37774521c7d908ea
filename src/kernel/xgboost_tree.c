/*
 * xgboost_tree.c
 *		The trees of an XGBoost model.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"
#include "xgboost_internal.h"

/* Feature number of a node that pruning has removed. */
#define DELETED_NODE	INT32_MAX

/* Nodes between two questions to the host whether to stop. */
#define POLL_NODES		65536

/* The arrays of one tree; those up to DEFAULT_LEFT are in every version. */
enum
{
	LEFT,
	RIGHT,
	SPLIT_INDEX,
	SPLIT_CONDITION,
	DEFAULT_LEFT,
	SUM_HESSIAN,
	LOSS_CHANGE,
	BASE_WEIGHT,
	LEAF_WEIGHT,
	SPLIT_TYPE,
	CATEGORY,
	CATEGORY_NODE,
	CATEGORY_SEGMENT,
	CATEGORY_SIZE,
	N_ARRAYS
};

typedef struct array_format
{
	const char *key;
	bool		real;
	bool		required;
	bool		per_node;
	int64_t		low;
	int64_t		high;
} array_format;

static const array_format formats[N_ARRAYS] = {
	[LEFT] = {"left_children", false, true, true, -1, EX_MAX_NODES},
	[RIGHT] = {"right_children", false, true, true, -1, EX_MAX_NODES},
	[SPLIT_INDEX] = {"split_indices", false, true, true, 0, INT32_MAX},
	[SPLIT_CONDITION] = {"split_conditions", true, true, true, 0, 0},
	[DEFAULT_LEFT] = {"default_left", false, true, true, 0, 1},
	[SUM_HESSIAN] = {"sum_hessian", true, false, true, 0, 0},
	[LOSS_CHANGE] = {"loss_changes", true, false, true, 0, 0},
	[BASE_WEIGHT] = {"base_weights", true, false, false, 0, 0},
	[LEAF_WEIGHT] = {"leaf_weights", true, false, false, 0, 0},
	[SPLIT_TYPE] = {"split_type", false, false, true, 0, 1},
	[CATEGORY] = {"categories", false, false, false, 0, EX_MAX_LEVELS - 1},
	[CATEGORY_NODE] = {"categories_nodes", false, false, false, 0, EX_MAX_NODES},
	[CATEGORY_SEGMENT] = {"categories_segments", false, false, false, 0, INT32_MAX},
	[CATEGORY_SIZE] = {"categories_sizes", false, false, false, 0, INT32_MAX},
};

typedef struct array
{
	ex_buffer	buffer;
	size_t		count;
} array;

/* Works on one tree after the other, with the same memory. */
typedef struct tree_reader
{
	xgb_reader *reader;
	ex_host    *host;
	char		label[32];		/* "tree 3" */
	uint32_t	n_nodes;		/* in the file, deleted ones too */
	uint32_t	n_live;
	bool		vector;			/* leaves are vectors */
	bool		leaf_weights;	/* ... in the layout since 3.2 */
	array array[N_ARRAYS];
	ex_buffer	number;			/* int32 per node: its number without the
								 * deleted ones, or -1 */
	ex_buffer	segment;		/* int32 per node: its entry among the
								 * category lists, or -1 */
	ex_buffer	set;			/* uint32: bitmaps of all category splits */
	ex_buffer	vectors;		/* double: leaf vectors */
	ex_buffer	raw;			/* ex_raw_node per live node */
	size_t		set_words;		/* in all trees so far */
} tree_reader;

static inline const int32_t *
integers(const tree_reader *tree, int which)
{
	return (const int32_t *) tree->array[which].buffer.data;
}

static inline const float *
floats(const tree_reader *tree, int which)
{
	return (const float *) tree->array[which].buffer.data;
}

/* Room for count elements in a buffer that is used again; contents undefined. */
static ex_status
resize(tree_reader *tree, ex_buffer *buffer, size_t count, size_t width)
{
	buffer->size = 0;
	if (count > EX_MAX_ALLOC / width)
		return ex_fail(tree->host, EX_LIMIT, "%s is too large", tree->label);
	EX_TRY(ex_reserve(tree->host, buffer, count * width + 1));
	buffer->size = count * width;
	return EX_OK;
}

/*
 * Arrays.
 */

static ex_status
read_array(tree_reader *tree, ex_json_value value, int which)
{
	const array_format *format = &formats[which];
	array	   *out = &tree->array[which];
	ex_json    *json = &tree->reader->json;
	char		where[96];

	out->count = 0;
	if (value.at == NULL)
		return EX_OK;
	snprintf(where, sizeof(where), "\"%s\" of %s", format->key, tree->label);
	if (format->real)
		return ex_json_read_floats(json, value, where, &out->buffer, &out->count);
	return ex_json_read_integers(json, value, where, format->low, format->high,
								 &out->buffer, &out->count);
}

/* Arrays that stand for nodes have an element for each; optional ones may be absent or empty. */
static ex_status
check_count(tree_reader *tree, int which)
{
	size_t		count = tree->array[which].count;

	if (!formats[which].per_node || count == tree->n_nodes ||
		(count == 0 && !formats[which].required))
		return EX_OK;
	return ex_fail(tree->host, EX_INVALID, "\"%s\" of %s has %zu elements, but the tree has %u nodes",
				   formats[which].key, tree->label, count, tree->n_nodes);
}

static ex_status
read_arrays(tree_reader *tree, ex_json_value object, ex_json_value *parameters, ex_json_value *id)
{
	ex_json_member members[N_ARRAYS + 2];
	ex_json_value values[N_ARRAYS];

	for (int i = 0; i < N_ARRAYS; i++)
		members[i] = (ex_json_member) {formats[i].key, EX_JSON_ARRAY, formats[i].required, &values[i]};
	members[N_ARRAYS] = (ex_json_member) {"tree_param", EX_JSON_OBJECT, false, parameters};
	members[N_ARRAYS + 1] = (ex_json_member) {"id", EX_JSON_NUMBER, false, id};
	EX_TRY(ex_json_read_object(&tree->reader->json, object, tree->label, members, N_ARRAYS + 2, false));

	for (int i = 0; i < N_ARRAYS; i++)
		EX_TRY(read_array(tree, values[i], i));
	if (tree->array[LEFT].count == 0 || tree->array[LEFT].count > EX_MAX_NODES)
		return ex_fail(tree->host, EX_INVALID, "%s must have between 1 and %d nodes, not %zu",
					   tree->label, EX_MAX_NODES, tree->array[LEFT].count);
	tree->n_nodes = (uint32_t) tree->array[LEFT].count;
	for (int i = 0; i < N_ARRAYS; i++)
		EX_TRY(check_count(tree, i));
	return EX_OK;
}

static ex_status
check_parameters(tree_reader *tree, ex_json_value parameters)
{
	xgb_reader *reader = tree->reader;
	int64_t		n_nodes;
	int64_t		n_values;

	EX_TRY(xgb_integer(reader, parameters, "num_nodes", 0, INT32_MAX, tree->n_nodes, &n_nodes));
	EX_TRY(xgb_integer(reader, parameters, "size_leaf_vector", 0, INT32_MAX, 0, &n_values));
	if (n_nodes != tree->n_nodes)
		return ex_fail(tree->host, EX_INVALID, "%s has %u nodes, but its \"num_nodes\" is %lld",
					   tree->label, tree->n_nodes, (long long) n_nodes);
	tree->vector = n_values > 1;
	if (tree->vector && n_values != reader->n_outputs)
		return ex_fail(tree->host, EX_INVALID,
					   "leaves of %s have %lld values, but the model has %u outputs",
					   tree->label, (long long) n_values, reader->n_outputs);
	return EX_OK;
}

/*
 * Pruning leaves removed nodes in the arrays.  The others are numbered anew,
 * so that whatever is left must be a tree.
 */
static ex_status
number_nodes(tree_reader *tree)
{
	int32_t    *number;

	EX_TRY(resize(tree, &tree->number, tree->n_nodes, sizeof(int32_t)));
	number = (int32_t *) tree->number.data;
	tree->n_live = 0;
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		bool		deleted = i > 0 && integers(tree, SPLIT_INDEX)[i] == DELETED_NODE;

		number[i] = deleted ? -1 : (int32_t) tree->n_live++;
	}
	return EX_OK;
}

/*
 * Category splits.
 */

/* The entry of node's list of categories must lie within the array. */
static ex_status
check_segment(tree_reader *tree, size_t entry)
{
	size_t		first = (size_t) integers(tree, CATEGORY_SEGMENT)[entry];
	size_t		size = (size_t) integers(tree, CATEGORY_SIZE)[entry];
	int32_t		node = integers(tree, CATEGORY_NODE)[entry];

	if ((uint32_t) node >= tree->n_nodes)
		return ex_fail(tree->host, EX_INVALID, "%s has categories for node %d, which does not exist",
					   tree->label, node);
	if (size == 0 || first + size > tree->array[CATEGORY].count)
		return ex_fail(tree->host, EX_INVALID,
					   "categories of node %d of %s are empty or not within \"categories\"",
					   node, tree->label);
	if (((int32_t *) tree->segment.data)[node] >= 0)
		return ex_fail(tree->host, EX_INVALID, "categories of node %d of %s are given twice",
					   node, tree->label);
	((int32_t *) tree->segment.data)[node] = (int32_t) entry;
	return EX_OK;
}

static uint32_t
words_of_entry(const tree_reader *tree, size_t entry)
{
	const int32_t *category = integers(tree, CATEGORY) + integers(tree, CATEGORY_SEGMENT)[entry];
	int32_t		largest = 0;

	for (int32_t i = 0; i < integers(tree, CATEGORY_SIZE)[entry]; i++)
		if (category[i] > largest)
			largest = category[i];
	return (uint32_t) largest / 32 + 1;
}

/*
 * Find the list of each category split, and room for all their bitmaps.  A
 * hostile file could have lists overlap, or ask for 2 MB by a code of a few
 * bytes, so both totals are bounded.
 */
static ex_status
index_categories(tree_reader *tree)
{
	size_t		n = tree->array[CATEGORY_NODE].count;
	size_t		listed = 0;
	size_t		words = 0;

	if (tree->array[CATEGORY_SEGMENT].count != n || tree->array[CATEGORY_SIZE].count != n)
		return ex_fail(tree->host, EX_INVALID,
					   "\"categories_nodes\", \"categories_segments\" and \"categories_sizes\" of %s differ in length",
					   tree->label);
	EX_TRY(resize(tree, &tree->segment, tree->n_nodes, sizeof(int32_t)));
	memset(tree->segment.data, 0xff, tree->segment.size);
	for (size_t entry = 0; entry < n; entry++)
	{
		EX_TRY(check_segment(tree, entry));
		listed += (size_t) integers(tree, CATEGORY_SIZE)[entry];
		if (listed > tree->array[CATEGORY].count)
			return ex_fail(tree->host, EX_INVALID, "lists of categories of %s overlap", tree->label);
		words += words_of_entry(tree, entry);
		if (tree->set_words + words > EX_MAX_MODEL_SIZE / sizeof(uint32_t))
			return ex_fail(tree->host, EX_LIMIT, "category sets of the model are too large");
	}
	tree->set_words += words;
	EX_TRY(resize(tree, &tree->set, words, sizeof(uint32_t)));
	memset(tree->set.data, 0, tree->set.size);
	tree->set.size = 0;			/* handed out split by split */
	return EX_OK;
}

static void
convert_category_split(tree_reader *tree, size_t entry, ex_raw_node *raw)
{
	const int32_t *category = integers(tree, CATEGORY) + integers(tree, CATEGORY_SEGMENT)[entry];
	int32_t    *largest = &tree->reader->largest_code[raw->feature];
	uint32_t   *set = (uint32_t *) (tree->set.data + tree->set.size);
	int32_t		swap = raw->left;

	raw->op = EX_IN;
	raw->set = set;
	raw->set_words = words_of_entry(tree, entry);
	tree->set.size += raw->set_words * sizeof(uint32_t);
	for (int32_t i = 0; i < integers(tree, CATEGORY_SIZE)[entry]; i++)
	{
		set[category[i] / 32] |= UINT32_C(1) << (category[i] % 32);
		if (category[i] > *largest)
			*largest = category[i];
	}

	/* XGBoost sends the set right */
	raw->left = raw->right;
	raw->right = swap;
	raw->default_left = !raw->default_left;
}

/*
 * Nodes.
 */

/* A child's new number; -1, which ex_tree_add refuses, where there is none. */
static int32_t
child_number(const tree_reader *tree, int32_t child)
{
	if (child < 0 || (uint32_t) child >= tree->n_nodes)
		return -1;
	return ((const int32_t *) tree->number.data)[child];
}

static ex_status
convert_split(tree_reader *tree, uint32_t i, ex_raw_node *raw)
{
	xgb_reader *reader = tree->reader;
	int32_t		feature = integers(tree, SPLIT_INDEX)[i];
	int32_t		entry = ((const int32_t *) tree->segment.data)[i];
	bool		categorical = tree->array[SPLIT_TYPE].count > 0 && integers(tree, SPLIT_TYPE)[i] == 1;

	if ((uint32_t) feature >= reader->n_features)
		return ex_fail(tree->host, EX_INVALID,
					   "node %u of %s splits on feature %d, but the model has %u features",
					   i, tree->label, feature, reader->n_features);
	if (categorical != (entry >= 0))
		return ex_fail(tree->host, EX_INVALID,
					   categorical ? "node %u of %s has no categories" :
					   "node %u of %s has categories, but splits on a number", i, tree->label);
	raw->feature = (uint32_t) feature;
	raw->left = child_number(tree, integers(tree, LEFT)[i]);
	raw->right = child_number(tree, integers(tree, RIGHT)[i]);
	raw->default_left = integers(tree, DEFAULT_LEFT)[i] != 0;
	if (tree->array[LOSS_CHANGE].count > 0)
		raw->gain = floats(tree, LOSS_CHANGE)[i];
	if (categorical)
	{
		convert_category_split(tree, (size_t) entry, raw);
		return EX_OK;
	}
	reader->numeric[feature] = true;
	raw->op = EX_LE;
	raw->threshold = ex_fold_float32(floats(tree, SPLIT_CONDITION)[i], true);
	return EX_OK;
}

/* Which row of the leaf vectors is this leaf's? */
static ex_status
convert_vector_leaf(tree_reader *tree, uint32_t i, ex_raw_node *raw)
{
	uint32_t	n_outputs = tree->reader->n_outputs;
	size_t		row = tree->leaf_weights ? (size_t) (int64_t) integers(tree, RIGHT)[i] : i;

	if (row >= tree->vectors.size / sizeof(double) / n_outputs)
		return ex_fail(tree->host, EX_INVALID, "leaf %u of %s has no values", i, tree->label);
	raw->vector = (const double *) tree->vectors.data + row * n_outputs;
	return EX_OK;
}

static ex_status
convert_leaf(tree_reader *tree, uint32_t i, ex_raw_node *raw)
{
	raw->op = EX_LEAF;
	raw->left = -1;
	raw->right = -1;
	if (tree->vector)
		return convert_vector_leaf(tree, i, raw);
	if (integers(tree, RIGHT)[i] != -1)
		return ex_fail(tree->host, EX_INVALID, "node %u of %s has a right child but no left one",
					   i, tree->label);
	raw->value = floats(tree, SPLIT_CONDITION)[i];
	return EX_OK;
}

/* Leaf vectors as doubles; since 3.2 they have an array of their own. */
static ex_status
convert_vectors(tree_reader *tree)
{
	const array *from;
	double	   *vector;

	tree->leaf_weights = tree->array[LEAF_WEIGHT].count > 0;
	from = &tree->array[tree->leaf_weights ? LEAF_WEIGHT : BASE_WEIGHT];
	EX_TRY(resize(tree, &tree->vectors, from->count, sizeof(double)));
	vector = (double *) tree->vectors.data;
	for (size_t i = 0; i < from->count; i++)
		vector[i] = ((const float *) from->buffer.data)[i];
	return EX_OK;
}

static ex_status
convert_nodes(tree_reader *tree)
{
	ex_raw_node *raw;

	EX_TRY(resize(tree, &tree->raw, tree->n_live, sizeof(ex_raw_node)));
	raw = (ex_raw_node *) tree->raw.data;
	memset(raw, 0, tree->raw.size);
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		if (i % POLL_NODES == POLL_NODES - 1)
			EX_TRY(ex_poll(tree->host));
		if (((const int32_t *) tree->number.data)[i] < 0)
			continue;
		raw->cover = tree->array[SUM_HESSIAN].count > 0 ? floats(tree, SUM_HESSIAN)[i] : NAN;
		raw->gain = NAN;
		if (integers(tree, LEFT)[i] == -1)
			EX_TRY(convert_leaf(tree, i, raw));
		else
			EX_TRY(convert_split(tree, i, raw));
		raw++;
	}
	return EX_OK;
}

/* XGBoost places trees by their id, and writes them in that order. */
static ex_status
check_id(tree_reader *tree, ex_json_value id, size_t number)
{
	int64_t		value;

	if (id.at == NULL)
		return EX_OK;
	EX_TRY(ex_json_integer(&tree->reader->json, id, "\"id\" of a tree", 0, INT32_MAX, &value));
	if ((size_t) value != number)
		return ex_fail(tree->host, EX_INVALID, "%s has the id %lld", tree->label, (long long) value);
	return EX_OK;
}

static ex_status
read_tree(tree_reader *tree, ex_json_value object, size_t number, uint32_t output, double weight)
{
	ex_raw_tree raw = {.weight = weight, .label = tree->label};
	ex_json_value parameters;
	ex_json_value id;

	snprintf(tree->label, sizeof(tree->label), "tree %zu", number);
	EX_TRY(read_arrays(tree, object, &parameters, &id));
	EX_TRY(check_id(tree, id, number));
	EX_TRY(check_parameters(tree, parameters));
	EX_TRY(number_nodes(tree));
	EX_TRY(index_categories(tree));
	if (tree->vector)
		EX_TRY(convert_vectors(tree));
	EX_TRY(convert_nodes(tree));

	raw.output = tree->vector ? EX_ALL_OUTPUTS : output;
	raw.n_nodes = tree->n_live;
	raw.node = (const ex_raw_node *) tree->raw.data;
	return ex_tree_add(tree->reader->builder, &raw);
}

/*
 * The ensemble.
 */

/* What the model says of its trees. */
typedef struct ensemble
{
	ex_json_value trees;
	size_t		n_trees;
	int32_t    *output;
	double	   *weight;			/* NULL: all 1 */
	size_t		n_indptr;		/* iteration_indptr; 0 before 2.0 */
	int32_t    *indptr;
	int64_t		parallel;		/* trees per round and output */
} ensemble;

/* Before 1.4 only the attributes of early stopping tell the trees of a round. */
static ex_status
read_parallel(xgb_reader *reader, ex_json_value parameters, int64_t *parallel)
{
	int64_t		best;
	int64_t		limit;

	EX_TRY(xgb_integer(reader, parameters, "num_parallel_tree", 0, INT32_MAX, 0, parallel));
	if (*parallel > 0)
		return EX_OK;
	EX_TRY(xgb_integer(reader, reader->attributes, "best_iteration", 0, INT32_MAX - 1, -1, &best));
	EX_TRY(xgb_integer(reader, reader->attributes, "best_ntree_limit", 0, INT32_MAX, 0, &limit));
	*parallel = best >= 0 && limit > 0 && limit % (best + 1) == 0 ? limit / (best + 1) : 1;
	return EX_OK;
}

static ex_status
check_length(xgb_reader *reader, const char *key, size_t count, size_t expected)
{
	if (count == expected)
		return EX_OK;
	return ex_fail(reader->host, EX_INVALID, "\"%s\" has %zu elements, but there are %zu trees",
				   key, count, expected);
}

static ex_status
read_indptr(xgb_reader *reader, ex_json_value value, ensemble *all)
{
	EX_TRY(ex_json_integers(&reader->json, value, "\"iteration_indptr\"", 0, INT32_MAX,
							&all->indptr, &all->n_indptr));
	for (size_t i = 0; i < all->n_indptr; i++)
		if (all->indptr[i] < (i == 0 ? 0 : all->indptr[i - 1]) ||
			(size_t) all->indptr[i] > all->n_trees)
			return ex_fail(reader->host, EX_INVALID,
						   "\"iteration_indptr\" does not divide the trees into rounds");
	if (all->n_indptr > 0 &&
		(all->indptr[0] != 0 || (size_t) all->indptr[all->n_indptr - 1] != all->n_trees))
		return ex_fail(reader->host, EX_INVALID, "\"iteration_indptr\" does not cover all the trees");
	return EX_OK;
}

/* Weights are float32; their product with a leaf is exact in double. */
static ex_status
read_weights(xgb_reader *reader, ex_json_value value, ensemble *all)
{
	ex_buffer	buffer = {NULL, 0, 0};
	size_t		count;

	if (value.at == NULL)
		return EX_OK;
	EX_TRY(ex_json_read_floats(&reader->json, value, "\"weight_drop\"", &buffer, &count));
	if (count == 0)
		return EX_OK;
	EX_TRY(check_length(reader, "weight_drop", count, all->n_trees));
	EX_TRY(EX_ALLOC(reader->host, count, &all->weight));
	for (size_t t = 0; t < count; t++)
		all->weight[t] = ((const float *) buffer.data)[t];
	return EX_OK;
}

static ex_status
read_ensemble(xgb_reader *reader, ensemble *all)
{
	ex_json_value parameters;
	ex_json_value tree_info;
	ex_json_value indptr;
	ex_json_value weight_drop;
	int64_t		num_trees;
	size_t		count;
	ex_json_member members[] = {
		{"trees", EX_JSON_ARRAY, true, &all->trees},
		{"tree_info", EX_JSON_ARRAY, true, &tree_info},
		{"gbtree_model_param", EX_JSON_OBJECT, false, &parameters},
		{"iteration_indptr", EX_JSON_ARRAY, false, &indptr},
		{"weight_drop", EX_JSON_ARRAY, false, &weight_drop},
		{"cats", EX_JSON_OBJECT, false, &reader->cats},
	};

	EX_TRY(ex_json_read_object(&reader->json, reader->model, "the booster's model", members, 6, false));
	all->n_trees = ex_json_count(&reader->json, all->trees);
	if (all->n_trees == 0)
		return ex_fail(reader->host, EX_INVALID, "XGBoost model has no trees");
	EX_TRY(xgb_integer(reader, parameters, "num_trees", 0, INT32_MAX, (int64_t) all->n_trees,
					   &num_trees));
	EX_TRY(check_length(reader, "trees", all->n_trees, (size_t) num_trees));
	EX_TRY(ex_json_integers(&reader->json, tree_info, "\"tree_info\"", 0, reader->n_outputs - 1,
							&all->output, &count));
	EX_TRY(check_length(reader, "tree_info", count, all->n_trees));

	/* since 3.4 dart's weights are inside the model; before, beside it */
	EX_TRY(read_weights(reader, weight_drop.at != NULL ? weight_drop : reader->weight_drop, all));
	if (indptr.at != NULL)
		EX_TRY(read_indptr(reader, indptr, all));
	return read_parallel(reader, parameters, &all->parallel);
}

/* How many rounds to use, and how many trees those are. */
static ex_status
choose_rounds(xgb_reader *reader, const ensemble *all, size_t *n_trees)
{
	uint64_t	per_round = (uint64_t) all->parallel * reader->n_outputs;
	uint64_t	rounds = all->n_indptr > 0 ? all->n_indptr - 1 : (all->n_trees - 1) / per_round + 1;
	uint64_t	used = rounds;
	int64_t		best;

	EX_TRY(xgb_integer(reader, reader->attributes, "best_iteration", 0, INT32_MAX - 1, -1, &best));
	if (reader->iterations >= 0)
		used = (uint64_t) reader->iterations;
	else if (best >= 0 && (uint64_t) best + 1 < rounds)
		used = (uint64_t) best + 1;
	if (used < 1 || used > rounds)
		return ex_fail(reader->host, EX_INVALID, "iterations must be between 1 and %llu, not %d",
					   (unsigned long long) rounds, reader->iterations);

	reader->note->iterations = (uint32_t) rounds;
	reader->note->iterations_used = (uint32_t) used;
	reader->note->stopped_early = reader->iterations < 0 && used < rounds;
	if (all->n_indptr > 0)
		*n_trees = (size_t) all->indptr[used];
	else
		*n_trees = used < rounds ? (size_t) (used * per_round) : all->n_trees;
	return EX_OK;
}

ex_status
xgb_read_trees(xgb_reader *reader)
{
	tree_reader tree = {.reader = reader, .host = reader->host};
	ensemble	all = {.n_trees = 0};
	size_t		n_trees = 0;
	ex_json_cursor cursor;
	ex_json_value value;

	EX_TRY(read_ensemble(reader, &all));
	EX_TRY(choose_rounds(reader, &all, &n_trees));
	EX_TRY(EX_ALLOC(reader->host, reader->n_features, &reader->largest_code));
	EX_TRY(EX_ALLOC(reader->host, reader->n_features, &reader->numeric));
	for (uint32_t f = 0; f < reader->n_features; f++)
		reader->largest_code[f] = -1;

	ex_json_begin(&reader->json, all.trees, &cursor);
	for (size_t t = 0; t < n_trees && ex_json_next(&reader->json, &cursor, &value); t++)
		EX_TRY(read_tree(&tree, value, t, (uint32_t) all.output[t],
						 all.weight != NULL ? all.weight[t] : 1));
	for (uint32_t k = 0; k < reader->n_outputs; k++)
		EX_TRY(ex_put_f64(reader->builder, EX_TREE_BASE, reader->base[k]));
	return EX_OK;
}
