/*
 * tree_shap_profile.c
 *		Blocks of small trees against many background rows at once.
 *
 * At a leaf with D features on its path, a background row is described by
 * the D bits z_j: does it satisfy the leaf's splits on feature j?  So the
 * background is described by the weights of the 2^D patterns, and explaining
 * a row costs the same whatever the number of background rows.  (Averaging z
 * itself would be wrong: a product of means is not the mean of products.)
 *
 * For a row with bits o, the patterns that count have z_j = 1 wherever
 * o_j = 0: then the s features with o_j = 1, z_j = 0 want in, the n with
 * o_j = 0 want out, and the leaf is worth (tree_shap_pair.c)
 *		+v B(s - 1, n) to each of the first, -v B(s, n - 1) to each of the second.
 */
#include <string.h>

#include "sum.h"
#include "tree_shap_internal.h"

/* Background rows that go through the trees together, and the memory they may take. */
#define MAX_TILE 128
#define TILE_BYTES ((size_t) 256 * 1024)

struct ex_shap_profile
{
	bool		ready;			/* all of the following is filled */
	ex_shap_game *game;			/* leaves of small trees in order of their blocks */
	uint32_t   *first_game;		/* per block, and the end */
	uint64_t   *splits;			/* per player: splits of the leaf's path on the feature */
	uint8_t    *slot;			/* per player: place of the feature among the block's */
	size_t	   *first_weight;	/* per small tree, and the end */
	double	   *weight;			/* share of the background with each pattern; NULL: no room */
	uint32_t	n_games;
	uint32_t	n_players;
	ex_shap_memos memos;

	/* where there is no room for the weights: those of one tree at a time */
	const ex_background *background;	/* of the call */
	double	   *tree_weight;
	const ex_shap_small *weighed;	/* which tree; NULL */
};

/* ----------------------------------------------------------------
 * Games of the leaves
 * ---------------------------------------------------------------- */

/* What leads to a leaf of a small tree: splits of the path, and which go left. */
static void
path_to_leaf(const ex_shap_tree *tree, const ex_shap_split *split, uint32_t leaf,
			 uint64_t *splits, uint64_t *want)
{
	int32_t		below = ~(int32_t) leaf;

	*splits = *want = 0;
	/* parents have smaller numbers */
	for (int32_t i = (int32_t) tree->n_splits - 1; i >= 0; i--)
		for (int side = 0; side < 2; side++)
			if (split[i].child[side] == below)
			{
				*splits |= UINT64_C(1) << i;
				*want |= (uint64_t) (side == 0) << i;
				below = i;
				break;
			}
}

/* One leaf; counts only until profile->game is there.  n_weights: of the tree. */
static void
put_game(struct ex_shap_profile *profile, const ex_tree_shap_tables *tables,
		 const ex_shap_tree *tree, const ex_shap_block *block, uint32_t leaf, uint32_t *n_weights)
{
	const ex_shap_split *split = tables->split + tree->first_split;
	const uint32_t *feature = tables->blocks->feature + block->first_feature;
	uint64_t	splits;
	uint64_t	want;
	uint32_t	n = 0;

	path_to_leaf(tree, split, leaf, &splits, &want);
	for (uint32_t slot = 0; slot < block->n_features; slot++)
	{
		uint64_t	own = 0;

		for (uint64_t rest = splits; rest != 0; rest &= rest - 1)
			if (split[__builtin_ctzll(rest)].feature == feature[slot])
				own |= rest & -rest;
		if (own == 0)
			continue;
		if (profile->game != NULL)
		{
			profile->splits[profile->n_players + n] = own;
			profile->slot[profile->n_players + n] = (uint8_t) slot;
		}
		n++;
	}
	if (profile->game != NULL)
		profile->game[profile->n_games] = (ex_shap_game)
	{
		want, leaf, profile->n_players, *n_weights, n
	};
	profile->n_games++;
	profile->n_players += n;
	*n_weights += 1u << n;
}

static ex_status
put_games(struct ex_shap_profile *profile, ex_host *host, const ex_tree_shap_tables *tables)
{
	const ex_shap_blocks *blocks = tables->blocks;

	profile->n_games = profile->n_players = 0;
	for (uint32_t s = 0; s < blocks->n_small; s++)
	{
		const ex_shap_small *small = &blocks->small[s];
		uint32_t	n_weights = 0;

		for (uint32_t b = small->first_block; b < small->first_block + small->n_blocks; b++)
		{
			for (uint64_t rest = blocks->block[b].leaves; rest != 0; rest &= rest - 1)
				put_game(profile, tables, &tables->tree[small->tree], &blocks->block[b],
						 (uint32_t) __builtin_ctzll(rest), &n_weights);
			if (profile->game != NULL)
				profile->first_game[b + 1] = profile->n_games;
		}
		if (profile->game != NULL)
			profile->first_weight[s + 1] = profile->first_weight[s] + n_weights;
		if (s % 64 == 63)
			EX_TRY(ex_poll(host));
	}
	return EX_OK;
}

static uint32_t
n_blocks_of(const ex_shap_blocks *blocks)
{
	const ex_shap_small *last = blocks->small + blocks->n_small - 1;

	return blocks->n_small == 0 ? 0 : last->first_block + last->n_blocks;
}

static ex_status
make_games(ex_host *keep, ex_host *host, const ex_tree_shap_tables *tables,
		   struct ex_shap_profile *profile)
{
	ex_shap_game *game;

	if (profile->game == NULL)
	{
		EX_TRY(put_games(profile, host, tables));
		EX_TRY(EX_ALLOC(keep, profile->n_games, &game));
		EX_TRY(EX_ALLOC(keep, profile->n_players + 3, &profile->splits));	/* read by fours */
		EX_TRY(EX_ALLOC(keep, profile->n_players, &profile->slot));
		EX_TRY(EX_ALLOC(keep, n_blocks_of(tables->blocks) + 1, &profile->first_game));
		EX_TRY(EX_ALLOC(keep, tables->blocks->n_small + 1, &profile->first_weight));
		EX_TRY(ex_shap_make_memos(keep, &tables->family->view, tables->blocks, &profile->memos));
		profile->game = game;
	}
	return put_games(profile, host, tables);
}

/* ----------------------------------------------------------------
 * Weights of the patterns
 * ---------------------------------------------------------------- */

/* Adds n rows, as columns one after the other, to the patterns of one tree. */
static void
add_rows(const ex_tree_shap_tables *tables, const struct ex_shap_profile *profile,
		 const ex_shap_small *small, const double *column, const double *share, uint32_t n,
		 double *weight)
{
	const ex_shap_blocks *blocks = tables->blocks;
	const ex_shap_kernel *kernel = tables->kernel;
	uint32_t	first = profile->first_game[small->first_block];
	uint32_t	end = profile->first_game[small->first_block + small->n_blocks];

	for (uint32_t i = 0; i < n; i++)
	{
		uint64_t	word = kernel->decide(blocks->threshold + small->first_test,
										  blocks->column + small->first_test, small->n_splits,
										  column + (size_t) i * tables->n_columns);

		kernel->weigh(profile->game + first, end - first, profile->splits, word, share[i], weight);
	}
}

/*
 * All rows and all trees; `weight` is zero at first.  Some rows at a
 * time go through tree after tree, whose weights stay in the processor's cache.
 */
static ex_status
weigh_patterns(const ex_tree_shap_tables *tables, ex_host *host, const ex_background *background,
			   const struct ex_shap_profile *profile, double *weight)
{
	const ex_shap_blocks *blocks = tables->blocks;
	uint32_t	p = tables->family->view.n_features;
	double		total = ex_shap_total_weight(background);
	size_t		fit = TILE_BYTES / ((tables->n_columns + 1) * sizeof(double));
	uint32_t	tile = fit < 1 ? 1 : fit > MAX_TILE ? MAX_TILE : (uint32_t) fit;
	double		share[MAX_TILE];
	double	   *column;

	EX_TRY(EX_ALLOC(host, (size_t) tile * tables->n_columns, &column));
	for (uint32_t first = 0; first < background->n; first += tile)
	{
		uint32_t	n = background->n - first < tile ? background->n - first : tile;

		for (uint32_t i = 0; i < n; i++)
		{
			share[i] = ex_shap_weight(background, first + i) / total;
			ex_shap_columns(tables, background->row + (size_t) (first + i) * p,
							column + (size_t) i * tables->n_columns);
		}
		for (uint32_t s = 0; s < blocks->n_small; s++)
		{
			add_rows(tables, profile, &blocks->small[s], column, share, n,
					 weight + profile->first_weight[s]);
			if (s % 16 == 15)
				EX_TRY(ex_poll(host));
		}
		EX_TRY(ex_poll(host));
	}
	return EX_OK;
}

/* One tree's weights again, because there was no room to keep those of all. */
static void
weigh_tree(const ex_tree_shap_tables *tables, const struct ex_shap_profile *profile,
		   const ex_shap_small *small, size_t n_weights)
{
	const ex_background *background = profile->background;
	uint32_t	p = tables->family->view.n_features;
	double		total = ex_shap_total_weight(background);

	memset(profile->tree_weight, 0, n_weights * sizeof(double));
	for (uint32_t b = 0; b < background->n; b++)
	{
		double		share = ex_shap_weight(background, b) / total;

		ex_shap_columns(tables, background->row + (size_t) b * p, tables->other_column);
		add_rows(tables, profile, small, tables->other_column, &share, 1, profile->tree_weight);
	}
}

/* Weights of the patterns at a small tree's leaves. */
static const double *
weights_of(const ex_tree_shap_tables *tables, struct ex_shap_profile *profile,
		   const ex_shap_small *small)
{
	const size_t *first = profile->first_weight + (small - tables->blocks->small);

	if (profile->weight != NULL)
		return profile->weight + first[0];
	if (profile->weighed != small)
	{
		weigh_tree(tables, profile, small, first[1] - first[0]);
		profile->weighed = small;
	}
	return profile->tree_weight;
}

/* ----------------------------------------------------------------
 * Entries
 * ---------------------------------------------------------------- */

/*
 * What a leaf is worth to its players, for a row with bits `on`, per unit of
 * its value: worth[j].  Sums over the subsets of `on` that want in.
 */
static void
play(const ex_tree_shap_tables *tables, const ex_shap_game *game, const double *weight, uint32_t on,
	 double worth[EX_SHAP_MAX_PLAYERS])
{
	const double *beta = tables->beta;
	uint32_t	size = tables->beta_size;
	uint32_t	all = (1u << game->n_players) - 1;
	uint32_t	n_on = tables->bits[on];
	uint32_t	n_out = game->n_players - n_on;
	uint32_t	subset = 0;
	double		out = 0;
	double		in[1 << EX_SHAP_MAX_PLAYERS];	/* by subset, counted within `on` */
	uint32_t	half = (1u << n_on) / 2;

	for (uint32_t i = 0; i < 1u << n_on; i++, subset = (subset - on) & on)
	{
		uint32_t	n_in = tables->bits[i];
		double		share = weight[all & ~subset];

		in[i] = n_in > 0 ? share * beta[(n_in - 1) * size + n_out] : 0;
		out -= n_out > 0 ? share * beta[n_in * size + n_out - 1] : 0;
	}

	/* from the last player down: the subsets with it are the upper half; then it is forgotten */
	for (uint32_t j = game->n_players; j-- > 0;)
	{
		worth[j] = out;
		if (!(on >> j & 1))
			continue;
		worth[j] = 0;
		for (uint32_t i = 0; i < half; i++)
		{
			worth[j] += in[half + i];
			in[i] += in[half + i];
		}
		half /= 2;
	}
}

static void
compute_background(const ex_shap_lookup *lookup, const ex_shap_small *small,
				   const ex_shap_block *block, uint64_t word, double *entry)
{
	const ex_tree_shap_tables *tables = lookup->tables;
	struct ex_shap_profile *profile = tables->blocks->profile;
	const uint32_t *first = profile->first_game + (block - tables->blocks->block);
	const double *leaf = ex_shap_leaves(tables, small->tree, lookup->output);
	const double *weight = weights_of(tables, profile, small);

	for (uint32_t j = 0; j < EX_SHAP_ENTRY || j < block->n_features; j++)
		entry[j] = 0;
	for (uint32_t g = first[0]; g < first[1]; g++)
	{
		const ex_shap_game *game = &profile->game[g];
		const uint8_t *slot = profile->slot + game->first_player;
		uint32_t	on = ex_shap_pattern(game, profile->splits + game->first_player, word);
		double		worth[EX_SHAP_MAX_PLAYERS];

		play(tables, game, weight + game->first_weight, on, worth);
		for (uint32_t j = 0; j < game->n_players; j++)
			entry[slot[j]] += leaf[game->leaf] * worth[j];
	}
}

/* ----------------------------------------------------------------
 * The whole
 * ---------------------------------------------------------------- */

/* Keeps the weights of all trees if there is room, else room for those of one. */
static ex_status
make_weights(ex_compiled *compiled, ex_host *host, const ex_tree_shap_tables *tables,
			 const ex_background *background, struct ex_shap_profile *profile)
{
	uint32_t	n_small = tables->blocks->n_small;
	size_t		n = profile->first_weight[n_small];
	size_t		most = 0;
	double	   *weight;

	if (n * sizeof(double) + compiled->table_bytes <= compiled->table_limit)
	{
		/* in the call's memory, which is gone if it is cancelled */
		EX_TRY(EX_ALLOC(host, n, &weight));
		EX_TRY(weigh_patterns(tables, host, background, profile, weight));
		EX_TRY(EX_ALLOC(compiled->host, n, &profile->weight));
		memcpy(profile->weight, weight, n * sizeof(double));
		compiled->table_bytes += n * sizeof(double);
		return EX_OK;
	}
	for (uint32_t s = 0; s < n_small; s++)
	{
		n = profile->first_weight[s + 1] - profile->first_weight[s];
		most = n > most ? n : most;
	}
	return EX_ALLOC(compiled->host, most, &profile->tree_weight);
}

static ex_status
fill_profile(ex_compiled *compiled, ex_host *host, const ex_tree_shap_tables *tables,
			 const ex_background *background, struct ex_shap_profile *profile)
{
	EX_TRY(make_games(compiled->host, host, tables, profile));
	EX_TRY(make_weights(compiled, host, tables, background, profile));
	compiled->table_bytes += profile->n_games * sizeof(ex_shap_game) +
		profile->n_players * (sizeof(uint64_t) + 1);
	profile->ready = true;
	return EX_OK;
}

ex_status
ex_shap_profile_of(ex_compiled *compiled, ex_host *host, ex_tree_shap_tables *tables,
				   const ex_background *background)
{
	ex_shap_blocks *blocks;

	EX_TRY(ex_shap_blocks_of(compiled, host, tables, &blocks));
	if (blocks->profile == NULL)
		EX_TRY(EX_ALLOC(compiled->host, 1, &blocks->profile));
	if (!blocks->profile->ready)
		EX_TRY(fill_profile(compiled, host, tables, background, blocks->profile));
	blocks->profile->background = background;
	ex_shap_open_memos(compiled, blocks, &blocks->profile->memos);
	return EX_OK;
}

ex_shap_memos *
ex_shap_profile_memos(const ex_shap_blocks *blocks)
{
	return &blocks->profile->memos;
}

ex_shap_lookup
ex_shap_background_lookup(ex_tree_shap_tables *tables, uint32_t k)
{
	ex_shap_lookup lookup = ex_shap_lookup_of(tables, &tables->blocks->profile->memos, k);

	lookup.compute = compute_background;
	return lookup;
}
