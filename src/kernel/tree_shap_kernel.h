/*
 * tree_shap_kernel.h
 *		The inner loops of the Shapley kernels, compiled once per processor.
 *
 * Included by tree_shap_portable.c, tree_shap_avx2.c and tree_shap_avx512.c,
 * which make tables of the loops with SHAP_KERNEL.  Everything is written with vectors of
 * four doubles; where a processor has none the compiler splits them, which
 * changes no bit: lanes are independent and are added up in one order.
 *
 * The walk (METHODS 1).  The game of a leaf with value v is
 *		v(S) = v * prod_{j in S} o_j * prod_{j not in S} z_j
 * over the features j of its path: o_j = 1 if the row satisfies all splits on
 * j, else 0, and z_j the product of the shares of cover.  As the Shapley
 * weight is a Beta integral,
 *		phi_j = v (o_j - z_j) integral prod_{k != j} f_k dt,
 *		f_k(t) = t o_k + (1 - t) z_k,
 * which a Gauss-Legendre rule gives exactly.  Its points are the lanes.
 *
 * Depth first, with, at every split on a feature j (all per point):
 *		P			product of the factors of the path above
 *		rho_c		by what child c changes P: f_c, or f_c / f_a if j was split
 *					before, where a is the nearest edge above on j
 *		R			sum over the leaves below of v * (rho's on the way to them):
 *					R = rho_0 R_0 + rho_1 R_1
 *		Q			P without j: P, or P / f_a
 * Leaves below child c count (o_c - z_c) Q R_c to phi_j; if j was split before
 * they have already been counted with (o_a - z_a), which is taken back:
 *		phi_j += Q [ (o_0 - z_0) R_0 + (o_1 - z_1) R_1 - (o_a - z_a) R ]
 * If o_a = 0 the two cancel (z_c is then z_a times the child's share), and
 * rho_c is that share.  A child with o = z = 0 is skipped: its rho is 0.
 * Leaves are not: a product with 0 costs less than a branch.
 *
 * Interactions: the same bracket T, divided by the factor of another feature
 * i of the path above: phi_ij gets half of T (o_i - z_i) / f_i, of the latest
 * edge on i.  Pairs whose i is split again below are completed there.
 */
#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <string.h>

#include "tree_shap_internal.h"

typedef double vec __attribute__((vector_size(32)));

#define MAX_GROUPS (EX_SHAP_MAX_DISTINCT / 2 / 4)

/* Everything is inlined into one function for each number of groups. */
#define INLINE static inline __attribute__((always_inline))

/* One split of the path; its vectors follow in memory, `groups` of each. */
typedef struct frame
{
	const ex_shap_split *split;
	double		share[2];		/* z of both edges, over all splits on the feature */
	double		gain[2];		/* o - z of both edges */
	double		taken_back;		/* o_a - z_a */
	bool		on[2];			/* o of both edges */
	uint8_t		side;			/* of the edge under way */
	bool		latest;			/* no split below on the path is on the same feature */
} __attribute__((aligned(32))) frame;

enum
{
	QUOTIENT,					/* Q */
	RIGHT_PRODUCT,				/* P of the right child */
	LEFT_RHO,
	RIGHT_RHO,
	LEFT_REST,					/* R of the left child */
	INVERSE,					/* 1 / f of the edge under way, where it is needed below */
	N_VECTORS
};

_Static_assert(EX_SHAP_FRAME_SIZE(1) == sizeof(frame) + N_VECTORS * sizeof(vec), "frame size");

#define VECTOR(at, which) ((vec *) ((at) + 1) + (which) * groups)

/*
 * The frame of the split at some depth.  At depth -1 there is an edge that
 * every row satisfies and that loses no cover: what comes before the first
 * split on a feature, so that all splits are treated alike.
 */
INLINE frame *
frame_at(const ex_shap_walk *walk, const int groups, int32_t depth)
{
	return (frame *) ((char *) walk->frame + (size_t) (depth + 1) * EX_SHAP_FRAME_SIZE(groups));
}

INLINE void
set_all(vec *v, const int groups, double value)
{
	for (int g = 0; g < groups; g++)
		v[g] = (vec) {value, value, value, value};
}

INLINE void
copy(vec *to, const int groups, const vec *from)
{
	for (int g = 0; g < groups; g++)
		to[g] = from[g];
}

INLINE void
put_first_frame(const ex_shap_walk *walk, const int groups)
{
	frame	   *first = frame_at(walk, groups, -1);

	first->side = 0;
	first->on[0] = true;
	first->share[0] = 1;
	set_all(VECTOR(first, INVERSE), groups, 1);
}

/* f of an edge: t o + (1 - t) z */
INLINE void
factor(const ex_shap_rule *rule, const int groups, bool on, double share, vec *f)
{
	const vec  *add = (const vec *) rule->zero_or_on + on * groups;
	const vec  *off = (const vec *) rule->off;

	for (int g = 0; g < groups; g++)
		f[g] = add[g] + off[g] * share;
}

/* on ? a : b, by bits: a compiler would branch here, on what nobody can predict */
INLINE double
choose(bool on, double a, double b)
{
	uint64_t	mask = -(uint64_t) on;
	uint64_t	bits[2];
	double		chosen;

	memcpy(&bits[0], &a, sizeof(a));
	memcpy(&bits[1], &b, sizeof(b));
	bits[0] = (bits[0] & mask) | (bits[1] & ~mask);
	memcpy(&chosen, &bits[0], sizeof(chosen));
	return chosen;
}

/* A split that the walk has come to; see the frame. */
typedef struct arrival
{
	double		share[2];
	double		gain[2];
	double		taken_back;
	bool		on[2];
	vec			quotient[MAX_GROUPS];
	vec			rho[2][MAX_GROUPS];
} arrival;

/*
 * Arrives at a split with product P.  No branch depends on the row: nobody
 * could predict it.  Where the row fails the feature's splits above (o_a = 0)
 * z_a drops out of both rho's, so 1 stands for it, and there is nothing to gain.
 */
INLINE void
arrive(const ex_shap_walk *walk, const ex_shap_split *split, const int groups, const vec *product,
	   arrival *at)
{
	const frame *above = frame_at(walk, groups, split->ancestor);
	const vec  *inverse = VECTOR(above, INVERSE);
	bool		on_above = above->on[above->side];
	double		share_above = choose(on_above, above->share[above->side], 1);
	bool		left = walk->column[split->column] <= split->threshold;

	at->on[0] = left & on_above;
	at->on[1] = !left & on_above;
	at->taken_back = on_above * (1 - share_above);
	for (int c = 0; c < 2; c++)
	{
		at->share[c] = share_above * split->ratio[c];
		at->gain[c] = on_above * (at->on[c] - at->share[c]);
		factor(walk->rule, groups, at->on[c], at->share[c], at->rho[c]);
		for (int g = 0; g < groups; g++)
			at->rho[c][g] *= inverse[g];
	}
	for (int g = 0; g < groups; g++)
		at->quotient[g] = product[g] * inverse[g];
}

/* Keeps an arrival for the return from its children. */
INLINE frame *
put_frame(const ex_shap_walk *walk, const ex_shap_split *split, const int groups, int32_t depth,
		  const vec *product, const arrival *from)
{
	frame	   *at = frame_at(walk, groups, depth);

	at->split = split;
	at->side = 0;
	at->latest = true;
	at->taken_back = from->taken_back;
	for (int c = 0; c < 2; c++)
	{
		at->share[c] = from->share[c];
		at->gain[c] = from->gain[c];
		at->on[c] = from->on[c];
		copy(VECTOR(at, LEFT_RHO + c), groups, from->rho[c]);
	}
	copy(VECTOR(at, QUOTIENT), groups, from->quotient);
	for (int g = 0; g < groups; g++)
		VECTOR(at, RIGHT_PRODUCT)[g] = product[g] * from->rho[1][g];
	return at;
}

/* What the bracket T of a split says of pairs with the features above it. */
INLINE void
add_pairs(const ex_shap_walk *walk, const ex_shap_split *split, const int groups, int32_t depth,
		  const vec *bracket)
{
	for (int32_t d = 0; d < depth; d++)
	{
		const frame *above = frame_at(walk, groups, d);
		const vec  *inverse = VECTOR(above, INVERSE);
		vec			sum = bracket[0] * inverse[0];
		double		gain;

		if (!above->latest || d == split->ancestor)
			continue;
		for (int g = 1; g < groups; g++)
			sum += bracket[g] * inverse[g];
		/* (o - z) / f; z drops out of -z / ((1 - t) z) */
		gain = choose(above->on[above->side], 1 - above->share[above->side], -1);
		walk->pair[(size_t) above->split->feature * walk->n_features + split->feature] +=
			gain * ((sum[0] + sum[2]) + (sum[1] + sum[3]));
	}
}

/* Both children are done: `rest` is R of the right one and becomes the split's. */
INLINE void
leave(const ex_shap_walk *walk, const ex_shap_split *split, const int groups, const bool pairs,
	  int32_t depth, const double gain[2], double taken_back, const vec *quotient,
	  const vec *left_rho, const vec *right_rho, const vec *left_rest, vec *rest)
{
	vec			bracket[MAX_GROUPS];

	for (int g = 0; g < groups; g++)
	{
		vec			right = rest[g];

		rest[g] = left_rho[g] * left_rest[g] + right_rho[g] * right;
		bracket[g] = quotient[g] *
			(left_rest[g] * gain[0] + right * gain[1] - rest[g] * taken_back);
	}
	if (pairs)
	{
		frame_at(walk, groups, split->ancestor)->latest = true;
		add_pairs(walk, split, groups, depth, bracket);
	}
	else
	{
		for (int g = 1; g < groups; g++)
			bracket[0] += bracket[g];
		((vec *) walk->sum)[split->feature] += bracket[0];
	}
}

/* Makes the edge to child c the one under way. */
INLINE void
go_down(const ex_shap_walk *walk, const int groups, const bool pairs, frame *at, int c)
{
	at->side = (uint8_t) c;
	if (pairs)
		frame_at(walk, groups, at->split->ancestor)->latest = false;
	if (pairs || (at->split->again >> c & 1))
	{
		vec		   *inverse = VECTOR(at, INVERSE);

		factor(walk->rule, groups, at->on[c], choose(at->on[c], at->share[c], 1), inverse);
		for (int g = 0; g < groups; g++)
			inverse[g] = 1 / inverse[g];
	}
}

/*
 * Is child c a split to go down to?  If not, `rest` becomes its R: the value
 * of the leaf, or 0 for what is not there (`partial`) or cannot be reached in
 * any coalition.
 */
INLINE bool
goes_on(const ex_shap_walk *walk, const int groups, const bool partial, const frame *at, int c,
		vec *rest)
{
	int32_t		child = at->split->child[c];
	bool		there = at->share[c] != 0 || at->on[c];

	if (partial && there)
		there = (child >= 0 ? walk->live_splits >> child : walk->live_leaves >> ~child) & 1;
	if (child >= 0 && there)
		return true;
	set_all(rest, groups, there ? walk->leaf[~child] : 0);
	return false;
}

INLINE void
walk_tree(const ex_shap_walk *walk, const int groups, const bool partial, const bool pairs)
{
	const ex_shap_split *split = walk->split;
	int32_t		depth = 0;
	vec			product[MAX_GROUPS];
	vec			rest[MAX_GROUPS];	/* R of what has been done last */

	put_first_frame(walk, groups);
	copy(product, groups, (const vec *) walk->rule->weight);
	for (;;)
	{
		arrival		here;

		arrive(walk, split, groups, product, &here);
		if ((split->child[0] & split->child[1]) < 0)
		{
			/* two leaves: half of all splits need no frame */
			vec			left[MAX_GROUPS];

			set_all(left, groups, walk->leaf[~split->child[0]]);
			set_all(rest, groups, walk->leaf[~split->child[1]]);
			leave(walk, split, groups, pairs, depth, here.gain, here.taken_back, here.quotient,
				  here.rho[0], here.rho[1], left, rest);
			if (depth-- == 0)
				return;
		}
		else
		{
			frame	   *at = put_frame(walk, split, groups, depth, product, &here);

			if (goes_on(walk, groups, partial, at, 0, rest))
			{
				go_down(walk, groups, pairs, at, 0);
				for (int g = 0; g < groups; g++)
					product[g] *= here.rho[0][g];
				split = walk->split + split->child[0];
				depth++;
				continue;
			}
		}
		for (;;)
		{
			frame	   *at = frame_at(walk, groups, depth);

			if (at->side == 0)
			{
				copy(VECTOR(at, LEFT_REST), groups, rest);
				if (goes_on(walk, groups, partial, at, 1, rest))
				{
					go_down(walk, groups, pairs, at, 1);
					copy(product, groups, VECTOR(at, RIGHT_PRODUCT));
					split = walk->split + at->split->child[1];
					depth++;
					break;
				}
			}
			leave(walk, at->split, groups, pairs, depth, at->gain, at->taken_back,
				  VECTOR(at, QUOTIENT), VECTOR(at, LEFT_RHO), VECTOR(at, RIGHT_RHO),
				  VECTOR(at, LEFT_REST), rest);
			if (depth-- == 0)
				return;
		}
	}
}

#define WALKS(partial, pairs) \
	switch (walk->rule->groups) \
	{ \
		case 1: walk_tree(walk, 1, partial, pairs); break; \
		case 2: walk_tree(walk, 2, partial, pairs); break; \
		case 3: walk_tree(walk, 3, partial, pairs); break; \
		case 4: walk_tree(walk, 4, partial, pairs); break; \
		default: walk_tree(walk, MAX_GROUPS, partial, pairs); break; \
	}

static void
walk_values(const ex_shap_walk *walk)
{
	WALKS(false, false);
}

static void
walk_live(const ex_shap_walk *walk)
{
	WALKS(true, false);
}

static void
walk_pairs(const ex_shap_walk *walk)
{
	WALKS(false, true);
}

/* ----------------------------------------------------------------
 * Blocks
 * ---------------------------------------------------------------- */

/* The bits of a word that a mask selects, closed up: the index into a table. */
INLINE uint32_t
select_bits(uint64_t word, uint64_t mask)
{
	uint32_t	bits = 0;

	for (uint32_t i = 0; mask != 0; i++, mask &= mask - 1)
		bits |= (uint32_t) (word >> __builtin_ctzll(mask) & 1) << i;
	return bits;
}

static uint64_t
decide(const double *threshold, const int32_t *column_of, uint32_t n, const double *column)
{
	uint64_t	word = 0;

#ifdef __AVX2__
	for (uint32_t i = 0; i < n; i += 4)
	{
		__m256d		x = _mm256_i32gather_pd(column, _mm_loadu_si128((const __m128i *) (column_of + i)), 8);
		__m256d		left = _mm256_cmp_pd(x, _mm256_loadu_pd(threshold + i), _CMP_LE_OQ);

		word |= (uint64_t) _mm256_movemask_pd(left) << i;
	}
#else
	for (uint32_t i = 0; i < n; i++)
		word |= (uint64_t) (column[column_of[i]] <= threshold[i]) << i;
#endif
	return word;
}

static void
weigh(const ex_shap_game *game, uint32_t n, const uint64_t *splits, uint64_t word, double share,
	  double *weight)
{
	for (uint32_t i = 0; i < n; i++, game++)
	{
		const uint64_t *own = splits + game->first_player;
		uint32_t	pattern = 0;

#ifdef __AVX2__
		__m256i		fails = _mm256_set1_epi64x((int64_t) (word ^ game->want));

		for (uint32_t j = 0; j < game->n_players; j += 4)
		{
			__m256i		failed = _mm256_and_si256(fails, _mm256_loadu_si256((const __m256i *) (own + j)));
			__m256i		none = _mm256_cmpeq_epi64(failed, _mm256_setzero_si256());

			pattern |= (uint32_t) _mm256_movemask_pd(_mm256_castsi256_pd(none)) << j;
		}
		pattern &= (1u << game->n_players) - 1;
#else
		pattern = ex_shap_pattern(game, own, word);
#endif
		weight[game->first_weight + pattern] += share;
	}
}

/* Where the entries of a tree's blocks are, for the row under way. */
typedef struct places
{
	const ex_shap_small *small;
	const ex_shap_memo *memo;
	uint64_t	word;			/* the row's decisions */
	uint32_t	entry[EX_SHAP_MAX_SMALL + 1];	/* per block that has a table */
} places;

/* Finds the entries, and has the processor fetch them before they are needed. */
INLINE void
find_entries(const ex_shap_lookup *lookup, uint32_t s, places *at,
			 uint32_t (*select) (uint64_t word, uint64_t mask))
{
	const ex_shap_blocks *blocks = lookup->blocks;
	const ex_shap_small *small = &blocks->small[s];

	at->small = small;
	at->memo = &lookup->memo[s * lookup->memo_stride];
	at->word = decide(blocks->threshold + small->first_test, blocks->column + small->first_test,
					  small->n_splits, lookup->column);
	if (at->memo->entry == NULL)
		return;
	for (uint32_t b = 0; b < small->n_blocks; b++)
	{
		const ex_shap_block *block = &blocks->block[small->first_block + b];

		if (block->width > EX_SHAP_MAX_WIDTH)
			continue;
		at->entry[b] = block->first_entry + select(at->word, block->splits);
		__builtin_prefetch(at->memo->entry + (size_t) at->entry[b] * EX_SHAP_ENTRY);
	}
}

/* A block without a table, or with too many features for one. */
static __attribute__((noinline)) void
add_computed(const ex_shap_lookup *lookup, const ex_shap_small *small, const ex_shap_block *block,
			 uint64_t word)
{
	const ex_shap_blocks *blocks = lookup->blocks;
	double		entry[EX_SHAP_MAX_SMALL];

	lookup->compute(lookup, small, block, word, entry);
	for (uint32_t j = 0; j < block->n_features; j++)
		blocks->sum[blocks->feature[block->first_feature + j]] += entry[j];
}

INLINE void
add_entries(const ex_shap_lookup *lookup, const places *at)
{
	const ex_shap_blocks *blocks = lookup->blocks;
	const ex_shap_memo *memo = at->memo;
	double	   *sum = blocks->sum;

	for (uint32_t b = 0; b < at->small->n_blocks; b++)
	{
		const ex_shap_block *block = &blocks->block[at->small->first_block + b];
		const uint32_t *feature = blocks->feature + block->first_feature;
		uint32_t	i = at->entry[b];
		double	   *entry;

		if (memo->entry == NULL || block->width > EX_SHAP_MAX_WIDTH)
		{
			add_computed(lookup, at->small, block, at->word);
			continue;
		}
		entry = memo->entry + (size_t) i * EX_SHAP_ENTRY;
		if (!(memo->filled[i / 64] >> (i % 64) & 1))
		{
			lookup->compute(lookup, at->small, block, at->word, entry);
			memo->filled[i / 64] |= UINT64_C(1) << (i % 64);
		}
		for (int j = 0; j < EX_SHAP_ENTRY; j++)
			sum[feature[j]] += entry[j];
	}
}

/* Does the look-up take in small tree s? */
INLINE bool
takes_part(const ex_shap_lookup *lookup, uint32_t s)
{
	const ex_shap_small *small = &lookup->blocks->small[s];

	return (small->output == lookup->output || small->output == EX_ALL_OUTPUTS) &&
		(small->narrow || !lookup->narrow_only);
}

/* Entries are added one tree after they have been found. */
INLINE void
look_up_run(const ex_shap_lookup *lookup, uint32_t first, uint32_t end,
			uint32_t (*select) (uint64_t word, uint64_t mask))
{
	places		at[2];
	uint32_t	n = 0;

	for (uint32_t s = first; s < end; s++)
	{
		if (!takes_part(lookup, s))
			continue;
		find_entries(lookup, s, &at[n % 2], select);
		if (n++ > 0)
			add_entries(lookup, &at[n % 2]);
	}
	if (n > 0)
		add_entries(lookup, &at[(n - 1) % 2]);
}

static __attribute__((unused)) void
look_up(const ex_shap_lookup *lookup, uint32_t first, uint32_t end)
{
	look_up_run(lookup, first, end, select_bits);
}

#include "tree_shap_tile_kernel.h"

/* The table of the loops above, with these look-ups. */
#define SHAP_KERNEL(one_row, rows) \
	{ \
		.walk = walk_values, \
		.walk_live = walk_live, \
		.walk_pairs = walk_pairs, \
		.decide = decide, \
		.weigh = weigh, \
		.look_up = one_row, \
		.look_up_tile = rows, \
		.walk_tile = walk_tile, \
		.walk_tile_pairs = walk_tile_pairs \
	}
