/*
 * random_tree.h
 *		Random tree models and rows for unit tests, the same on every machine.
 */
#ifndef EX_RANDOM_TREE_H
#define EX_RANDOM_TREE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tree_family.h"

/* splitmix64 (Steele, Lea & Flood 2014) */
static inline uint64_t
random_bits(uint64_t *seed)
{
	uint64_t	z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint32_t
random_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t) (random_bits(seed) % n);
}

static inline double
random_unit(uint64_t *seed)
{
	return (double) (random_bits(seed) >> 11) * 0x1p-53;
}

/* What a random model may contain. */
typedef struct random_spec
{
	uint32_t	n_trees;
	uint32_t	n_splits;		/* of each tree */
	uint32_t	n_outputs;
	bool		vectors;
	bool		categorical;
	bool		is_null;
	bool		zero_missing;
	bool		linear;
	bool		covers;
	bool		gains;
	bool		mean;
} random_spec;

enum
{
	RANDOM_NUMERIC = 4,			/* features 0..3 */
	RANDOM_BOOLEAN = 4,			/* feature 4 */
	RANDOM_NAMED = 5,			/* 6 levels with names */
	RANDOM_CODED = 6,			/* 150 levels without */
	RANDOM_FEATURES = 7,
	RANDOM_NAMED_LEVELS = 6,
	RANDOM_CODED_LEVELS = 150
};

static inline ex_status
random_features(ex_builder *builder, bool categorical)
{
	static const char *const names[RANDOM_FEATURES] = {
		"age", "in\"come", "x 2", "déjà", "member", "colour", "shop"
	};
	static const char *const levels[RANDOM_NAMED_LEVELS] = {
		"red", "blue", "gr\\een", "", "naïve", "with space"
	};

	for (uint32_t i = 0; i < RANDOM_FEATURES; i++)
	{
		ex_feature	feature = {
			.name = names[i], .name_length = strlen(names[i]),
			.missing = EX_MISSING_NATIVE, .unknown = EX_UNKNOWN_OTHER
		};

		if (i == RANDOM_BOOLEAN)
			feature.kind = EX_BOOLEAN;
		else if (i >= RANDOM_NAMED && categorical)
		{
			feature.kind = EX_CATEGORICAL;
			feature.n_levels = i == RANDOM_NAMED ? RANDOM_NAMED_LEVELS : RANDOM_CODED_LEVELS;
			feature.levels = i == RANDOM_NAMED ? levels : NULL;
		}
		EX_TRY(ex_put_feature(builder, &feature));
	}
	return EX_OK;
}

static inline uint32_t
random_levels(uint32_t feature)
{
	return feature == RANDOM_NAMED ? RANDOM_NAMED_LEVELS : RANDOM_CODED_LEVELS;
}

/* Few distinct numbers, so that rows and thresholds meet. */
static inline double
random_number(uint64_t *seed)
{
	static const double special[] = {0, -0.0, 1e-36, -1e-36, 1e308, 5e-324};
	uint32_t	kind = random_below(seed, 20);

	if (kind < 6)
		return special[kind];
	return (double) random_below(seed, 9) - 4 + (kind < 12 ? random_unit(seed) : 0);
}

static inline ex_status
random_split(ex_host *host, uint64_t *seed, const random_spec *spec, ex_raw_node *node)
{
	node->feature = random_below(seed, RANDOM_FEATURES);
	node->op = EX_LE;
	node->threshold = node->feature == RANDOM_BOOLEAN ? 0.5 : random_number(seed);
	node->default_left = random_below(seed, 2);
	node->zero_missing = spec->zero_missing && random_below(seed, 2);
	node->gain = spec->gains && random_below(seed, 4) > 0 ? random_unit(seed) : NAN;
	if (spec->categorical && node->feature >= RANDOM_NAMED)
	{
		uint32_t	levels = random_levels(node->feature);
		uint32_t   *set;

		EX_TRY(EX_ALLOC(host, levels / 32 + 1, &set));
		for (uint32_t i = 0; i < levels; i++)
			set[i / 32] |= (uint32_t) random_below(seed, 2) << (i % 32);
		node->op = EX_IN;
		node->set = set;
		node->set_words = levels / 32 + 1;
		if (random_below(seed, 10) == 0)
			memset(set, 0, 4 * node->set_words);
	}
	if (spec->is_null && random_below(seed, 4) == 0)
		node->op = EX_ISNULL;
	return EX_OK;
}

static inline ex_status
random_leaf(ex_host *host, uint64_t *seed, const random_spec *spec, ex_raw_node *node)
{
	node->op = EX_LEAF;
	node->left = node->right = -1;
	node->value = random_unit(seed) - 0.5;
	if (spec->vectors)
	{
		double	   *vector;

		EX_TRY(EX_ALLOC(host, spec->n_outputs, &vector));
		for (uint32_t k = 0; k < spec->n_outputs; k++)
			vector[k] = random_unit(seed);
		node->vector = vector;
	}
	if (spec->linear && random_below(seed, 2))
	{
		uint32_t   *feature;
		double	   *coef;

		node->linear = true;
		node->n_linear = random_below(seed, 3);
		node->linear_const = random_unit(seed);
		EX_TRY(EX_ALLOC(host, node->n_linear, &feature));
		EX_TRY(EX_ALLOC(host, node->n_linear, &coef));
		for (uint32_t i = 0; i < node->n_linear; i++)
		{
			feature[i] = random_below(seed, RANDOM_NUMERIC);
			coef[i] = random_unit(seed);
		}
		node->linear_feature = feature;
		node->linear_coef = coef;
	}
	return EX_OK;
}

/* A tree grown by splitting random leaves: children always after parents. */
static inline ex_status
random_tree(ex_host *host, uint64_t *seed, const random_spec *spec, ex_raw_tree *tree)
{
	uint32_t	n = 2 * spec->n_splits + 1;
	ex_raw_node *node;

	EX_TRY(EX_ALLOC(host, n, &node));
	memset(tree, 0, sizeof(*tree));
	tree->n_nodes = n;
	tree->node = node;
	tree->weight = 0.25 + random_unit(seed);
	tree->output = spec->vectors ? EX_ALL_OUTPUTS : random_below(seed, spec->n_outputs);
	for (uint32_t i = 0; i < n; i++)
		node[i].left = -1;
	for (uint32_t made = 1; made < n; made += 2)
	{
		uint32_t	at = random_below(seed, made);

		while (node[at].left >= 0)
			at = (uint32_t) node[at].left + random_below(seed, 2);
		node[at].left = (int32_t) made;
		node[at].right = (int32_t) made + 1;
	}
	for (uint32_t i = n; i-- > 0;)
	{
		bool		leaf = node[i].left < 0;

		node[i].gain = NAN;
		node[i].cover = leaf ? 1 + random_below(seed, 100) :
			node[node[i].left].cover + node[node[i].right].cover;
		EX_TRY(leaf ? random_leaf(host, seed, spec, node + i) :
			   random_split(host, seed, spec, node + i));
	}
	for (uint32_t i = 0; i < n && !spec->covers; i++)
		node[i].cover = NAN;
	return EX_OK;
}

/* The same tree with its nodes renumbered at random; the root stays first. */
static inline ex_status
shuffled_tree(ex_host *host, uint64_t *seed, const ex_raw_tree *tree, ex_raw_tree *shuffled)
{
	uint32_t	n = tree->n_nodes;
	ex_raw_node *node;
	int32_t    *place;

	EX_TRY(EX_ALLOC(host, n, &node));
	EX_TRY(EX_ALLOC(host, n, &place));
	for (uint32_t i = 0; i < n; i++)
		place[i] = (int32_t) i;
	for (uint32_t i = n - 1; i > 1; i--)
	{
		uint32_t	other = 1 + random_below(seed, i);
		int32_t		moved = place[i];

		place[i] = place[other];
		place[other] = moved;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		ex_raw_node *to = node + place[i];

		*to = tree->node[i];
		to->left = to->left < 0 ? -1 : place[to->left];
		to->right = to->right < 0 ? -1 : place[to->right];
	}
	*shuffled = *tree;
	shuffled->node = node;
	return EX_OK;
}

static inline ex_status
random_builder(ex_builder *builder, ex_host *host, uint64_t *seed, const random_spec *spec)
{
	ex_builder_init(builder, host, EX_TREE);
	EX_TRY(random_features(builder, spec->categorical));
	builder->n_outputs = spec->n_outputs;
	builder->aggregation = spec->mean ? EX_MEAN : EX_SUM;
	for (uint32_t k = 0; k < spec->n_outputs; k++)
		EX_TRY(ex_put_f64(builder, EX_TREE_BASE, random_unit(seed)));
	return ex_default_output_names(builder);
}

/* A random model; `shuffle` renumbers nodes without changing the model. */
static inline ex_status
random_model(ex_host *host, uint64_t seed, const random_spec *spec, bool shuffle, ex_model **model)
{
	uint64_t	order = seed ^ 0x5555;
	ex_builder	builder;
	ex_raw_tree tree;

	EX_TRY(random_builder(&builder, host, &seed, spec));
	for (uint32_t t = 0; t < spec->n_trees; t++)
	{
		EX_TRY(random_tree(host, &seed, spec, &tree));
		if (shuffle)
			EX_TRY(shuffled_tree(host, &order, &tree, &tree));
		EX_TRY(ex_tree_add(&builder, &tree));
	}
	return ex_build(&builder, model);
}

/* A feature vector: a fifth missing, unknown levels as -1. */
static inline void
random_row(uint64_t *seed, bool categorical, double x[RANDOM_FEATURES])
{
	for (uint32_t i = 0; i < RANDOM_FEATURES; i++)
	{
		if (random_below(seed, 5) == 0)
			x[i] = NAN;
		else if (i == RANDOM_BOOLEAN)
			x[i] = random_below(seed, 2);
		else if (i >= RANDOM_NAMED && categorical)
			x[i] = (double) random_below(seed, random_levels(i) + 1) - 1;
		else
			x[i] = random_number(seed);
	}
}

#endif							/* EX_RANDOM_TREE_H */
