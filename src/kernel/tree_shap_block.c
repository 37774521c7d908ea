/*
 * tree_shap_block.c
 *		Small trees cut into blocks, whose Shapley values are looked up.
 *
 * A block is a split with at most two levels of splits below it, so it has at
 * most three splits and four leaves.  What its leaves are worth to the
 * features is a function of the decisions at its own splits and at those
 * above them: seven bits in a tree of depth six.  The values of a row are the
 * sum of that function over all blocks, in their order.
 *
 * Its results are kept in a table, one cache line each, as rows ask for them.
 * A table only remembers: with it and without it a row gets the same bits.
 * Tables are opened some calls after the first and a few at a time, as long
 * as the cache has room.
 */
#include <string.h>

#include "tree_shap_internal.h"

/* Calls before the first memo is opened, and bytes opened by every later one. */
#define CALLS_WITHOUT_MEMOS 8
#define OPEN_PER_CALL ((size_t) 1024 * 1024)

/*
 * Path-dependent tables of a model that together exceed this leave the
 * processor's cache, and walking the trees is as fast.  A fixed number: which
 * way is taken must depend on the model alone, as the two differ in rounding.
 */
#define MAX_PATH_TABLES ((uint64_t) 32 * 1024 * 1024)

/* Memos of a method; with more (small trees with thousands of outputs) none are kept. */
#define MAX_MEMOS (1024 * 1024)

/* Trees between two questions to the host whether to stop. */
#define POLL_TREES 256

/* ----------------------------------------------------------------
 * Cutting
 * ---------------------------------------------------------------- */

/* The shape of a small tree, by split. */
typedef struct shape
{
	const ex_shap_tree *tree;
	const ex_shap_split *split;
	uint64_t	above[EX_SHAP_MAX_SMALL];	/* splits on the way from the root */
	uint8_t		height[EX_SHAP_MAX_SMALL];	/* levels of splits, this one included */
} shape;

static bool
is_small(const ex_shap_tree *tree)
{
	return tree->n_splits > 0 && tree->n_splits <= EX_SHAP_MAX_SMALL &&
		tree->distinct <= EX_SHAP_MAX_PLAYERS;
}

static void
shape_of(const ex_tree_shap_tables *tables, uint32_t t, shape *s)
{
	s->tree = &tables->tree[t];
	s->split = tables->split + s->tree->first_split;
	s->above[0] = 0;
	s->height[0] = 1;
	for (uint32_t i = 0; i < s->tree->n_splits; i++)
		for (int c = 0; c < 2; c++)
			if (s->split[i].child[c] >= 0)
				s->above[s->split[i].child[c]] = s->above[i] | UINT64_C(1) << i;
	for (uint32_t i = s->tree->n_splits; i-- > 0;)
	{
		s->height[i] = 1;
		for (int c = 0; c < 2; c++)
			if (s->split[i].child[c] >= 0 && s->height[s->split[i].child[c]] >= s->height[i])
				s->height[i] = s->height[s->split[i].child[c]] + 1;
	}
}

/* A list of blocks that grows; counted first, then filled. */
typedef struct cutter
{
	ex_shap_blocks *blocks;
	uint32_t	n_blocks;
	uint32_t	n_features;		/* of the blocks, with padding */
	uint32_t	n_entries;		/* of the tree */
	uint32_t	padding;		/* number of features of the model */
} cutter;

static void
put_features(cutter *c, const shape *s, ex_shap_block *block)
{
	uint32_t   *feature = c->blocks->feature + c->n_features;

	block->first_feature = c->n_features;
	block->n_features = 0;
	for (uint64_t rest = block->splits; rest != 0; rest &= rest - 1)
	{
		uint32_t	own = s->split[__builtin_ctzll(rest)].feature;
		uint8_t		j = 0;

		while (j < block->n_features && feature[j] != own)
			j++;
		if (j == block->n_features)
			feature[block->n_features++] = own;
	}
	for (uint32_t j = block->n_features; j < EX_SHAP_ENTRY; j++)
		feature[j] = c->padding;
}

static uint32_t
padded_width(uint64_t splits)
{
	uint32_t	width = (uint32_t) __builtin_popcountll(splits);

	return width < EX_SHAP_ENTRY ? EX_SHAP_ENTRY : width;
}

static void
put_block(cutter *c, const shape *s, uint64_t splits, uint64_t leaves)
{
	if (c->blocks->block != NULL)
	{
		ex_shap_block *block = &c->blocks->block[c->n_blocks];

		block->splits = splits;
		block->leaves = leaves;
		block->width = (uint8_t) __builtin_popcountll(splits);
		block->first_entry = c->n_entries;
		put_features(c, s, block);
	}
	c->n_blocks++;
	c->n_features += padded_width(splits);
	if (__builtin_popcountll(splits) <= EX_SHAP_MAX_WIDTH)
		c->n_entries += 1u << __builtin_popcountll(splits);
}

/* The block whose topmost split is `top`. */
static void
put_split_block(cutter *c, const shape *s, uint32_t top)
{
	uint64_t	splits = s->above[top] | UINT64_C(1) << top;
	uint64_t	leaves = 0;

	for (uint32_t i = top; i < s->tree->n_splits; i++)
	{
		if (i != top && !(s->above[i] >> top & 1))
			break;				/* depth first: the subtree is contiguous */
		splits |= UINT64_C(1) << i;
		for (int side = 0; side < 2; side++)
			if (s->split[i].child[side] < 0)
				leaves |= UINT64_C(1) << ~s->split[i].child[side];
	}
	put_block(c, s, splits, leaves);
}

static void
cut_tree(cutter *c, const shape *s)
{
	c->n_entries = 0;
	if (s->height[0] <= 2)
		put_split_block(c, s, 0);
	for (uint32_t i = 0; i < s->tree->n_splits; i++)
	{
		if (s->height[i] <= 2)
			continue;
		for (int side = 0; side < 2; side++)
		{
			int32_t		child = s->split[i].child[side];

			if (child < 0)
				put_block(c, s, s->above[i] | UINT64_C(1) << i, UINT64_C(1) << ~child);
			else if (s->height[child] <= 2)
				put_split_block(c, s, (uint32_t) child);
		}
	}
}

static void
put_tests(ex_shap_blocks *blocks, ex_shap_small *small, const shape *s)
{
	for (uint32_t i = 0; i < s->tree->n_splits; i++)
	{
		blocks->threshold[small->first_test + i] = s->split[i].threshold;
		blocks->column[small->first_test + i] = (int32_t) s->split[i].column;
	}
}

/* All small trees; counts only until blocks->block is there. */
static ex_status
cut_trees(const ex_tree_shap_tables *tables, ex_host *host, cutter *c)
{
	ex_shap_blocks *blocks = c->blocks;
	uint32_t	n_tests = 0;

	c->n_blocks = c->n_features = 0;
	c->padding = tables->family->view.n_features;
	for (uint32_t i = 0; i < blocks->n_small; i++)
	{
		ex_shap_small *small = &blocks->small[i];
		uint32_t	before = c->n_blocks;
		shape		s;

		shape_of(tables, small->tree, &s);
		cut_tree(c, &s);
		small->first_block = before;
		small->n_blocks = c->n_blocks - before;
		small->first_test = n_tests;
		small->n_entries = c->n_entries;
		n_tests += (s.tree->n_splits + 3) / 4 * 4;
		if (i % POLL_TREES == POLL_TREES - 1)
			EX_TRY(ex_poll(host));
		if (blocks->block == NULL)
			continue;
		put_tests(blocks, small, &s);
		small->narrow = true;
		for (uint32_t b = before; b < c->n_blocks; b++)
			small->narrow = small->narrow && blocks->block[b].width <= EX_SHAP_MAX_WIDTH;
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Making
 * ---------------------------------------------------------------- */

static ex_status
number_small(ex_host *keep, const ex_tree_shap_tables *tables, ex_shap_blocks *blocks)
{
	const ex_tree_view *view = &tables->family->view;

	EX_TRY(EX_ALLOC(keep, view->n_trees, &blocks->small_of));
	blocks->all_small = view->n_linear == 0;
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		bool		small = view->n_linear == 0 && is_small(&tables->tree[t]);

		blocks->small_of[t] = small ? (int32_t) blocks->n_small++ : -1;
		blocks->all_small = blocks->all_small && (small || tables->tree[t].n_splits == 0);
	}
	EX_TRY(EX_ALLOC(keep, blocks->n_small, &blocks->small));
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		ex_shap_small *small;

		if (blocks->small_of[t] < 0)
			continue;
		small = &blocks->small[blocks->small_of[t]];
		small->tree = t;
		small->output = view->output[t];
		small->n_splits = tables->tree[t].n_splits;
	}
	return EX_OK;
}

ex_status
ex_shap_make_memos(ex_host *keep, const ex_tree_view *view, const ex_shap_blocks *blocks,
				   ex_shap_memos *memos)
{
	uint32_t	per_tree = view->vector_leaves ? view->n_outputs : 1;

	if ((uint64_t) blocks->n_small * per_tree > MAX_MEMOS)
		return EX_ALLOC(keep, 1, &memos->memo); /* one for all, which stays closed */
	memos->n = blocks->n_small * per_tree;
	memos->per_tree = per_tree;
	return EX_ALLOC(keep, memos->n, &memos->memo);
}

/* Do tables pay for the path-dependent method? */
static bool
path_tables_pay(const ex_tree_view *view, const ex_shap_blocks *blocks)
{
	uint64_t	bytes = 0;

	for (uint32_t s = 0; s < blocks->n_small; s++)
		bytes += blocks->small[s].narrow ? blocks->small[s].n_entries : 0;
	bytes *= EX_SHAP_ENTRY * sizeof(double) * (view->vector_leaves ? view->n_outputs : 1);
	return view->cover != NULL && bytes <= MAX_PATH_TABLES;
}

/* Room for what one pass over the trees has counted. */
static ex_status
make_room(ex_host *keep, const ex_tree_view *view, const cutter *c)
{
	ex_shap_blocks *blocks = c->blocks;
	uint32_t	n_tests = 0;
	ex_shap_block *block;

	if (blocks->n_small > 0)
		n_tests = blocks->small[blocks->n_small - 1].first_test + EX_SHAP_MAX_SMALL + 1;
	EX_TRY(EX_ALLOC(keep, c->n_blocks, &block));
	EX_TRY(EX_ALLOC(keep, c->n_features, &blocks->feature));
	EX_TRY(EX_ALLOC(keep, n_tests, &blocks->threshold));
	EX_TRY(EX_ALLOC(keep, n_tests, &blocks->column));
	EX_TRY(ex_shap_alloc_aligned(keep, (size_t) view->n_features * 4 * sizeof(double), &blocks->lanes));
	EX_TRY(EX_ALLOC(keep, view->n_features + 1, &blocks->sum));
	blocks->block = block;
	return EX_OK;
}

/* A cancelled attempt is taken up where it has left no gap: see ex_shap_tables. */
static ex_status
fill_blocks(ex_host *keep, ex_host *host, const ex_tree_shap_tables *tables, ex_shap_blocks *blocks)
{
	const ex_tree_view *view = &tables->family->view;
	cutter		c = {.blocks = blocks};

	if (blocks->block == NULL)
	{
		EX_TRY(cut_trees(tables, host, &c));
		EX_TRY(make_room(keep, view, &c));
	}
	EX_TRY(cut_trees(tables, host, &c));
	blocks->path_dependent = path_tables_pay(view, blocks);
	if (blocks->path_dependent)
		EX_TRY(ex_shap_make_memos(keep, view, blocks, &blocks->path_memos));
	blocks->ready = true;
	return EX_OK;
}

ex_status
ex_shap_blocks_of(ex_compiled *compiled, ex_host *host, ex_tree_shap_tables *tables,
				  ex_shap_blocks **blocks)
{
	if (tables->blocks == NULL)
	{
		ex_shap_blocks *made;

		EX_TRY(EX_ALLOC(compiled->host, 1, &made));
		EX_TRY(number_small(compiled->host, tables, made));
		tables->blocks = made;
	}
	*blocks = tables->blocks;
	return (*blocks)->ready ? EX_OK : fill_blocks(compiled->host, host, tables, *blocks);
}

/* ----------------------------------------------------------------
 * Memos
 * ---------------------------------------------------------------- */

static size_t
memo_size(const ex_shap_small *small)
{
	/* entries on cache lines, then a bit for each */
	return small->n_entries * EX_SHAP_ENTRY * sizeof(double) + 63 +
		(small->n_entries + 63) / 64 * sizeof(uint64_t);
}

static bool
open_memo(ex_compiled *compiled, const ex_shap_small *small, ex_shap_memo *memo)
{
	size_t		size = memo_size(small);
	size_t		n_words = (small->n_entries + 63) / 64;
	char	   *chunk;

	if (size > compiled->table_limit || compiled->table_bytes > compiled->table_limit - size)
		return false;
	/* not zeroed: entries become real as they are filled */
	chunk = compiled->host->alloc(compiled->host, size);
	if (chunk == NULL)
		return false;
	compiled->table_bytes += size;
	memo->filled = (uint64_t *) chunk;
	memset(memo->filled, 0, n_words * sizeof(uint64_t));
	memo->entry = (double *) (((uintptr_t) (memo->filled + n_words) + 63) & ~(uintptr_t) 63);
	return true;
}

void
ex_shap_open_memos(ex_compiled *compiled, const ex_shap_blocks *blocks, ex_shap_memos *memos)
{
	size_t		bytes = 0;

	if (memos->n_open == memos->n || memos->calls++ < CALLS_WITHOUT_MEMOS)
		return;
	while (memos->n_open < memos->n && bytes < OPEN_PER_CALL)
	{
		const ex_shap_small *small = &blocks->small[memos->n_open / memos->per_tree];

		if (!open_memo(compiled, small, &memos->memo[memos->n_open]))
			return;
		memos->n_open++;
		bytes += memo_size(small);
	}
}

/* ----------------------------------------------------------------
 * Path-dependent entries
 * ---------------------------------------------------------------- */

/* The walk over the path to the block and the block itself, other leaves worth 0. */
static void
compute_path(const ex_shap_lookup *lookup, const ex_shap_small *small, const ex_shap_block *block,
			 uint64_t word, double *entry)
{
	ex_tree_shap_tables *tables = lookup->tables;
	const ex_shap_tree *tree = &tables->tree[small->tree];
	const uint32_t *feature = lookup->blocks->feature + block->first_feature;
	double	   *lanes = tables->blocks->lanes;
	ex_shap_walk walk = {
		.split = tables->split + tree->first_split,
		.leaf = ex_shap_leaves(tables, small->tree, lookup->output),
		.rule = tables->rule[tree->distinct],
		.column = lookup->column,
		.frame = tables->frame,
		.sum = lanes,
		.n_features = tables->family->view.n_features,
		.live_splits = block->splits,
		.live_leaves = block->leaves
	};

	(void) word;				/* the walk decides again, with the same result */
	tables->kernel->walk_live(&walk);
	for (uint32_t j = 0; j < EX_SHAP_ENTRY; j++)
	{
		double	   *lane;

		entry[j] = 0;
		if (j >= block->n_features)
			continue;
		lane = lanes + (size_t) feature[j] * 4;
		entry[j] = (lane[0] + lane[2]) + (lane[1] + lane[3]);
		memset(lane, 0, 4 * sizeof(double));
	}
}

ex_shap_lookup
ex_shap_lookup_of(ex_tree_shap_tables *tables, const ex_shap_memos *memos, uint32_t k)
{
	return (ex_shap_lookup)
	{
		.tables = tables,
		.blocks = tables->blocks,
		.memo = memos->memo + (memos->per_tree > 1 ? k : 0),
		.memo_stride = memos->per_tree,
		.column = tables->column,
		.output = k
	};
}

ex_status
ex_shap_look_up(const ex_shap_lookup *lookup, ex_host *host)
{
	const ex_shap_blocks *blocks = lookup->blocks;

	memset(blocks->sum, 0, lookup->tables->family->view.n_features * sizeof(double));
	for (uint32_t s = 0; s < blocks->n_small; s += POLL_TREES)
	{
		uint32_t	end = blocks->n_small - s < POLL_TREES ? blocks->n_small : s + POLL_TREES;

		lookup->tables->kernel->look_up(lookup, s, end);
		if (end < blocks->n_small)
			EX_TRY(ex_poll(host));
	}
	return EX_OK;
}

ex_shap_lookup
ex_shap_path_lookup(ex_tree_shap_tables *tables, uint32_t k)
{
	ex_shap_lookup lookup = ex_shap_lookup_of(tables, &tables->blocks->path_memos, k);

	lookup.compute = compute_path;
	lookup.narrow_only = true;
	return lookup;
}
