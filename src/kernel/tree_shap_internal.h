/*
 * tree_shap_internal.h
 *		What the files of tree_shap share.
 *
 *	tree_shap.c				the methods: refusals, outputs, base values
 *	tree_shap_prepare.c		the ensemble rewritten for the kernels
 *	tree_shap_kernel.h		the inner loops, compiled for each processor:
 *	tree_shap_portable.c	... for any processor
 *	tree_shap_avx2.c		... with AVX2
 *	tree_shap_avx512.c		... with AVX-512
 *	tree_shap_tile_kernel.h	the inner loops for tiles of rows
 *	tree_shap_tile.c		tiles of rows
 *	tree_shap_pair.c		one row against one reference row
 *	tree_shap_block.c		small trees cut into blocks, and their tables
 *	tree_shap_profile.c		... against many background rows at once
 */
#ifndef EX_TREE_SHAP_INTERNAL_H
#define EX_TREE_SHAP_INTERNAL_H

#include "tree_family.h"
#include "tree_shap.h"

/*
 * Rows are rewritten as columns, one for each (feature, treatment of missing
 * values), so that every test of every tree is column <= threshold: a missing
 * value is NaN where it goes right and -Infinity where it goes left.  A set
 * or missing test has a column of its own that holds -1 (left) or 1.
 */
enum
{
	EX_SHAP_MISSING_RIGHT = 0,
	EX_SHAP_MISSING_LEFT,
	EX_SHAP_ZERO_RIGHT,			/* zero counts as missing */
	EX_SHAP_ZERO_LEFT,
	EX_SHAP_N_KINDS
};

/* Splits of a tree are numbered depth first, left before right; leaves too. */
typedef struct ex_shap_split
{
	double		threshold;
	double		ratio[2];		/* child's cover / own cover, left and right */
	int32_t		child[2];		/* split of the same tree, or ~leaf */
	uint32_t	column;
	uint32_t	feature;
	int32_t		ancestor;		/* depth of the nearest split above on the same feature; -1 */
	uint32_t	again;			/* bit 0 / 1: the feature is split again below the left / right child */
} ex_shap_split;

typedef struct ex_shap_tree
{
	uint32_t	first_split;
	uint32_t	n_splits;		/* and one leaf more */
	uint32_t	first_leaf;
	uint32_t	distinct;		/* most different features on a path */
} ex_shap_tree;

/*
 * A Gauss-Legendre rule for product games of up to 2m players, in groups of
 * four points; missing points of the last group have weight 0.  Arrays of
 * 4 * groups, aligned for vectors.
 */
typedef struct ex_shap_rule
{
	uint32_t	groups;
	const double *zero_or_on;	/* all 0, then the nodes t: by o */
	const double *off;			/* 1 - t */
	const double *weight;
} ex_shap_rule;

/* One tree for the path-dependent walk (tree_shap_kernel.h). */
typedef struct ex_shap_walk
{
	const ex_shap_split *split;
	uint32_t	n_splits;
	const double *leaf;
	const ex_shap_rule *rule;
	const double *column;		/* of the row */
	void	   *frame;			/* scratch: EX_SHAP_FRAME_SIZE */
	double	   *sum;			/* 4 lanes per feature, added to */
	double	   *pair;			/* interactions: p * p, upper split's feature first; or NULL */
	uint32_t	n_features;
	/* only these are there (bit per number); the rest of the tree counts as 0 */
	uint64_t	live_splits;
	uint64_t	live_leaves;
} ex_shap_walk;

/* ----------------------------------------------------------------
 * Blocks of small trees (tree_shap_block.c)
 * ---------------------------------------------------------------- */

#define EX_SHAP_MAX_SMALL 63	/* splits of a small tree: they and its leaves are bits of a word */
#define EX_SHAP_MAX_PLAYERS 10	/* different features on a path of a small tree */
#define EX_SHAP_MAX_WIDTH 8		/* bits of the index of a block that has a table */
#define EX_SHAP_ENTRY 8			/* doubles of a table's entry: a cache line */

/*
 * A split with at most two levels below it, or a leaf outside of such.  What
 * its leaves are worth to each feature depends on `splits` only: its own and
 * those above it.
 */
typedef struct ex_shap_block
{
	uint64_t	splits;			/* bit per split of the tree */
	uint64_t	leaves;			/* bit per leaf of the tree */
	uint32_t	first_entry;	/* in the tree's table */
	uint32_t	first_feature;	/* in ex_shap_blocks.feature; EX_SHAP_ENTRY or more of them */
	uint8_t		n_features;
	uint8_t		width;			/* bits in `splits` */
} ex_shap_block;

typedef struct ex_shap_small
{
	uint32_t	tree;
	uint32_t	output;			/* EX_ALL_OUTPUTS with vector leaves */
	uint32_t	n_splits;
	uint32_t	first_block;
	uint32_t	n_blocks;
	uint32_t	first_test;		/* in threshold and column of ex_shap_blocks */
	uint32_t	n_entries;		/* of all blocks that are narrow enough for a table */
	bool		narrow;			/* all are */
} ex_shap_small;

/* Entries of one tree (and output) that have been computed so far. */
typedef struct ex_shap_memo
{
	double	   *entry;			/* EX_SHAP_ENTRY doubles each; NULL: none are kept */
	uint64_t   *filled;			/* bit per entry */
} ex_shap_memo;

/*
 * A method's memos: one per small tree and, with vector leaves, output.  They
 * are opened a few at a time, so that who explains a single row does not pay.
 */
typedef struct ex_shap_memos
{
	ex_shap_memo *memo;
	uint32_t	n;
	uint32_t	per_tree;		/* 0: there is one for all trees, which is never opened */
	uint32_t	n_open;			/* the first so many have memory */
	uint32_t	calls;
} ex_shap_memos;

typedef struct ex_shap_blocks
{
	bool		ready;			/* all of the following is filled */
	ex_shap_small *small;
	uint32_t	n_small;
	int32_t    *small_of;		/* per tree: number of the small tree; -1 */
	bool		all_small;		/* but for trees that are a leaf */
	ex_shap_block *block;
	uint32_t   *feature;		/* of the blocks, padded with the number of features */
	double	   *threshold;		/* tests of small trees, padded to a multiple of 4 */
	int32_t    *column;
	bool		path_dependent; /* tables pay for the path-dependent method */
	ex_shap_memos path_memos;
	double	   *lanes;			/* scratch: 4 per feature, zero between calls */
	double	   *sum;			/* scratch: per feature, and one for padding */
	struct ex_shap_profile *profile;	/* of the model's own background; NULL until needed */
} ex_shap_blocks;

/*
 * Adds what a run of small trees is worth to the features of one row to
 * `sum`, block by block.
 */
typedef struct ex_shap_lookup ex_shap_lookup;

struct ex_shap_lookup
{
	struct ex_tree_shap_tables *tables;
	const ex_shap_blocks *blocks;
	const ex_shap_memo *memo;	/* of all small trees, for the output explained */
	uint32_t	memo_stride;	/* from tree to tree */
	const double *column;		/* of the row */
	uint32_t	output;
	bool		narrow_only;	/* leave out trees that have a block without a table */
	/* computes an entry: what the leaves of a block are worth to its features */
	void		(*compute) (const ex_shap_lookup *lookup, const ex_shap_small *small,
							const ex_shap_block *block, uint64_t word, double *entry);
};

/* The game of a leaf between the features on its path (tree_shap_profile.c). */
typedef struct ex_shap_game
{
	uint64_t	want;			/* decisions that lead to the leaf */
	uint32_t	leaf;			/* of the tree */
	uint32_t	first_player;
	uint32_t	first_weight;	/* of its 2^n_players patterns, among those of the tree */
	uint32_t	n_players;
} ex_shap_game;

/* Bit j: the decisions satisfy all splits, splits[j], on the feature of player j. */
static inline uint32_t
ex_shap_pattern(const ex_shap_game *game, const uint64_t *splits, uint64_t word)
{
	uint64_t	fails = word ^ game->want;
	uint32_t	pattern = 0;

	for (uint32_t j = 0; j < game->n_players; j++)
		pattern |= (uint32_t) ((fails & splits[j]) == 0) << j;
	return pattern;
}

/* ----------------------------------------------------------------
 * Tiles of rows (tree_shap_tile.c)
 * ---------------------------------------------------------------- */

#define EX_SHAP_ROWS 8			/* rows that a walk takes at once */
#define EX_SHAP_MAX_POINTS (EX_SHAP_MAX_DISTINCT / 2)

/* The columns of a tile's rows. */
typedef struct ex_shap_tile_rows
{
	uint32_t	n;
	uint32_t	n_columns;
	uint32_t	stride;			/* a multiple of 64, at least n: rows after the n-th repeat it */
	const double *row;			/* stride * n_columns */
	const double *column;		/* n_columns * stride: the same, turned */
	double	   *sum;			/* p * stride: of small trees, added to; aligned */
} ex_shap_tile_rows;

/* Is the child reached by a row that is not on it: if it satisfies the splits above, if not */
#define EX_SHAP_REACHED_ON	1
#define EX_SHAP_REACHED_OFF	2

/*
 * A split as rows meet it, with what is the same for all of them.
 *
 * constant, m points each:
 *		1 / f_a		on the splits above, not on them
 *	two leaves:
 *		R			on the splits above and left, right; not on them
 *		inner sum of the bracket, on the splits above and left, right
 *	else:
 *		rho			of the left child: on it, off it, not on the splits above
 *					of the right child likewise
 *
 * edge, for interactions: 1 / f of the left edge, of the right one, and of an
 * edge that the row is not on.
 */
typedef struct ex_shap_step
{
	double		threshold;
	double		gain_on[2];
	double		gain_off[2];
	double		taken_back;
	double		leaf[2];		/* of children that are leaves */
	const double *constant;
	const double *edge;
	int32_t		child[2];
	int32_t		ancestor;		/* as in ex_shap_split */
	uint32_t	column;
	uint32_t	feature;
	uint8_t		reached[2];
} ex_shap_step;

#define EX_SHAP_STEP_CONSTANTS(points) ((8 + 3) * (size_t) (points))

/* One tree and EX_SHAP_ROWS rows. */
typedef struct ex_shap_tile_walk
{
	const ex_shap_step *step;
	uint32_t	points;
	const double *weight;		/* of the points */
	const double *column;		/* of the first row; others follow */
	uint32_t	stride;
	void	   *frame;			/* scratch: EX_SHAP_TILE_FRAME_SIZE for each level of splits */
	double	   *sum;			/* per feature 4 lanes of EX_SHAP_ROWS each, added to */
	double	   *pair;			/* interactions: per pair of features EX_SHAP_ROWS, upper split's
								 * feature first, added to */
	uint32_t	n_features;
} ex_shap_tile_walk;

#define EX_SHAP_TILE_FRAME_SIZE(points) (8 * EX_SHAP_ROWS * (size_t) (9 + 6 * (points)))

/* The inner loops; implementations give the same bits. */
typedef struct ex_shap_kernel
{
	void		(*walk) (const ex_shap_walk *walk);	/* whole tree */
	void		(*walk_live) (const ex_shap_walk *walk);	/* the live part */
	void		(*walk_pairs) (const ex_shap_walk *walk);	/* whole tree; interactions only */
	/* the decisions of a small tree: bit i is 1 if the row goes left at split i */
	uint64_t	(*decide) (const double *threshold, const int32_t *column_of, uint32_t n,
						   const double *column);
	/* adds a share of the background to the pattern that it shows at each of n leaves */
	void		(*weigh) (const ex_shap_game *game, uint32_t n, const uint64_t *splits,
						  uint64_t word, double share, double *weight);
	/* small trees first .. end - 1 */
	void		(*look_up) (const ex_shap_lookup *lookup, uint32_t first, uint32_t end);
	/* the same for all rows of a tile */
	void		(*look_up_tile) (const ex_shap_lookup *lookup, const ex_shap_tile_rows *rows,
								 uint32_t first, uint32_t end);
	void		(*walk_tile) (const ex_shap_tile_walk *walk);
	void		(*walk_tile_pairs) (const ex_shap_tile_walk *walk); /* interactions only */
} ex_shap_kernel;

extern const ex_shap_kernel ex_shap_portable;
#ifdef __x86_64__
extern const ex_shap_kernel ex_shap_avx2;
extern const ex_shap_kernel ex_shap_avx2_bmi2;
extern const ex_shap_kernel ex_shap_avx512;
#endif

/* Bytes of scratch of a walk, for each split of the longest path and one more. */
#define EX_SHAP_FRAME_SIZE(groups) (64 + 6 * 32 * (size_t) (groups))

/* What the Shapley kernels derive from a tree model (ex_tree_state.shap). */
typedef struct ex_tree_shap_tables
{
	const ex_tree_state *family;
	const ex_shap_kernel *kernel;
	bool		ready;			/* all of the following is filled */
	ex_shap_tree *tree;			/* T */
	ex_shap_split *split;		/* of all trees */

	/*
	 * Leaves of all trees: scale * value, so that a tree's weight needs no
	 * further thought; with vector or linear leaves also the node.
	 */
	double	   *leaf;			/* NULL with vector leaves */
	uint32_t   *leaf_node;		/* NULL without vector and linear leaves */

	uint32_t	distinct;		/* most different features on any path */
	uint32_t	max_leaves;		/* of a tree */
	const ex_shap_rule **rule;	/* by number of players, 0 .. distinct; with covers */
	double	   *path_base;		/* K: path-dependent base values; with covers */

	uint32_t	kind_column[EX_SHAP_N_KINDS];	/* first column of each kind in use */
	bool		kind_used[EX_SHAP_N_KINDS];
	uint32_t	n_tests;		/* columns of set and missing tests, after the others */
	uint32_t	first_test;
	const ex_node **test;
	uint32_t	n_columns;

	/* Beta integrals: beta[a * beta_size + b] = integral of t^a (1 - t)^b */
	const double *beta;
	uint32_t	beta_size;
	uint8_t		bits[1 << EX_SHAP_MAX_PLAYERS]; /* how many are set */

	/* scratch of one call */
	double	   *column;			/* of the explained row */
	double	   *other_column;	/* of a background row */
	double	   *sum;			/* 4 lanes per feature */
	double	   *vector_leaf;	/* leaves of one tree for one output, where they are vectors */
	void	   *frame;			/* NULL if frame_size is too large to keep */
	size_t		frame_size;
	struct ex_shap_pair_scratch *pair_scratch;	/* tree_shap_pair.c */

	struct ex_shap_blocks *blocks;	/* tree_shap_block.c; NULL until needed */
	double	   *background_base;	/* K: of the model's own background; NULL until needed */
} ex_tree_shap_tables;

/* The tables of a model, made at first use. */
extern ex_status ex_shap_tables(ex_compiled *compiled, ex_host *host, ex_tree_shap_tables **tables);

/* Columns of a row of p values. */
extern void ex_shap_columns(const ex_tree_shap_tables *tables, const double *x, double *column);

/*
 * The stack of the walk; a freak of a tree gets it for one call only, so that
 * the model's entry in the cache stays small.
 */
extern ex_status ex_shap_frame_of_call(const ex_tree_shap_tables *tables, ex_host *host, void **frame);

/* Leaves of tree t for output k, scaled; scalar or vector. */
extern const double *ex_shap_leaves(const ex_tree_shap_tables *tables, uint32_t t, uint32_t k);

/* Does tree t feed output k? */
static inline bool
ex_shap_feeds(const ex_tree_shap_tables *tables, uint32_t t, uint32_t k)
{
	const ex_tree_view *view = &tables->family->view;

	return view->vector_leaves || view->output[t] == k;
}

/*
 * Adds weight times the Shapley values (interactions) of output k's game of x
 * against one reference row; both as columns, and as rows for linear leaves.
 * phi[p]; pair[p * p] holds both orders of a pair, half of the index each.
 */
typedef struct ex_shap_contest
{
	const double *x;
	const double *column;
	const double *other;
	const double *other_column;
	double		weight;
} ex_shap_contest;

extern ex_status ex_shap_pair_prepare(ex_compiled *compiled, ex_tree_shap_tables *tables);
extern void ex_shap_pair_values(ex_tree_shap_tables *tables, const ex_shap_contest *contest,
								uint32_t t, uint32_t k, double *phi);
extern void ex_shap_pair_interactions(ex_tree_shap_tables *tables, const ex_shap_contest *contest,
									  uint32_t t, uint32_t k, double *pair);

/* A chunk aligned for vectors. */
extern ex_status ex_shap_alloc_aligned(ex_host *host, size_t size, void *pointer);

/* Weight of a background row, and the sum of all. */
static inline double
ex_shap_weight(const ex_background *background, uint32_t i)
{
	return background->weight != NULL ? background->weight[i] : 1;
}

extern double ex_shap_total_weight(const ex_background *background);

/* ----------------------------------------------------------------
 * tree_shap_block.c
 * ---------------------------------------------------------------- */

/* The blocks of a model's small trees, made at first use. */
extern ex_status ex_shap_blocks_of(ex_compiled *compiled, ex_host *host,
								   ex_tree_shap_tables *tables, ex_shap_blocks **blocks);

extern ex_status ex_shap_make_memos(ex_host *keep, const ex_tree_view *view,
									const ex_shap_blocks *blocks, ex_shap_memos *memos);

/* Opens more of a method's memos, as the method is called again and again. */
extern void ex_shap_open_memos(ex_compiled *compiled, const ex_shap_blocks *blocks,
							   ex_shap_memos *memos);

/* A look-up of output k in all small trees; `compute` is still to be set. */
extern ex_shap_lookup ex_shap_lookup_of(ex_tree_shap_tables *tables, const ex_shap_memos *memos,
										uint32_t k);

/* Runs it and asks the host now and then whether to stop; blocks->sum is set. */
extern ex_status ex_shap_look_up(const ex_shap_lookup *lookup, ex_host *host);

/* For path-dependent values of output k of all narrow small trees. */
extern ex_shap_lookup ex_shap_path_lookup(ex_tree_shap_tables *tables, uint32_t k);

/* Are the path-dependent values of tree t looked up, block by block? */
static inline bool
ex_shap_in_blocks(const ex_tree_shap_tables *tables, uint32_t t)
{
	const ex_shap_blocks *blocks = tables->blocks;

	return blocks->path_dependent && blocks->small_of[t] >= 0 &&
		blocks->small[blocks->small_of[t]].narrow;
}

/* ----------------------------------------------------------------
 * tree_shap_profile.c
 * ---------------------------------------------------------------- */

/* Gets ready for the model's own background. */
extern ex_status ex_shap_profile_of(ex_compiled *compiled, ex_host *host,
									ex_tree_shap_tables *tables, const ex_background *background);

extern ex_shap_memos *ex_shap_profile_memos(const ex_shap_blocks *blocks);

/* For interventional values of output k of all small trees. */
extern ex_shap_lookup ex_shap_background_lookup(ex_tree_shap_tables *tables, uint32_t k);

/* ----------------------------------------------------------------
 * tree_shap_tile.c
 * ---------------------------------------------------------------- */

/* From the walks' sums to interactions; see tree_shap.c */
extern void ex_shap_share_pairs(uint32_t p, double *matrix);
extern void ex_shap_put_main_effects(uint32_t p, const double *value, double *matrix);

/* ex_shap_method.values_tile and interactions_tile */
extern ex_status ex_shap_path_tile(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
								   uint32_t n, double *phi);
extern ex_status ex_shap_path_pairs_tile(ex_compiled *compiled, ex_host *host, const ex_shap_call *call,
										 uint32_t n, double *phi);
extern ex_status ex_shap_background_tile(ex_compiled *compiled, ex_host *host,
										 const ex_shap_call *call, uint32_t n, double *phi);

#endif							/* EX_TREE_SHAP_INTERNAL_H */
