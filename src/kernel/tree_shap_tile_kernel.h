/*
 * tree_shap_tile_kernel.h
 *		The inner loops for tiles of rows, compiled once per processor.
 *
 * Included by tree_shap_kernel.h.  Rows are the lanes of vectors, and a split
 * is met by EX_SHAP_ROWS rows at a time.  Every number is computed by the
 * operations of walk_tree(), in their order, so that it has the same bits; but
 * what depends on the split alone has been computed before (tree_shap_tile.c),
 * once for all rows, and is chosen here by the row's decisions: where a row
 * satisfies the feature's splits above, by whether it goes left; else there is
 * one value for it.
 */

/* Vectors of rows, and one truth for each of their lanes. */
#ifdef __AVX512F__
#define ROW_LANES 8
typedef __mmask8 mask;
#else
#define ROW_LANES 4
typedef int64_t mask __attribute__((vector_size(32)));
#endif
typedef double rowvec __attribute__((vector_size(8 * ROW_LANES)));

#define N_VECS (EX_SHAP_ROWS / ROW_LANES)

INLINE rowvec
all(double value)
{
#ifdef __AVX512F__
	return _mm512_set1_pd(value);
#else
	return (rowvec) {value, value, value, value};
#endif
}

INLINE mask
no_more_than(rowvec x, double limit)
{
#ifdef __AVX512F__
	return _mm512_cmp_pd_mask(x, _mm512_set1_pd(limit), _CMP_LE_OQ);
#else
	return x <= all(limit);
#endif
}

INLINE mask
every_row(void)
{
#ifdef __AVX512F__
	return 0xff;
#else
	return ~(mask) {0};
#endif
}

INLINE rowvec
blend(mask on, rowvec a, rowvec b)
{
#if defined(__AVX512F__)
	return _mm512_mask_blend_pd(on, b, a);
#elif defined(__AVX2__)
	return _mm256_blendv_pd(b, a, (__m256d) on);
#else
	return (rowvec) (((mask) a & on) | ((mask) b & ~on));
#endif
}

INLINE rowvec
keep(mask on, rowvec a)
{
#ifdef __AVX512F__
	return _mm512_maskz_mov_pd(on, a);
#else
	return (rowvec) ((mask) a & on);
#endif
}

/* A split of the path; `points` times N_VECS vectors of each kind follow. */
typedef struct tile_frame
{
	mask		on[2][N_VECS];	/* o of both edges */
	rowvec		gain[2][N_VECS];
	rowvec		taken_back[N_VECS];
	uint32_t	split;
	uint32_t	side;			/* of the edge under way */
	bool		latest;			/* no split below on the path is on the same feature */
} __attribute__((aligned(64))) tile_frame;

enum
{
	TILE_QUOTIENT,
	TILE_RIGHT_PRODUCT,
	TILE_LEFT_RHO,
	TILE_RIGHT_RHO,
	TILE_LEFT_REST,
	TILE_INVERSE,				/* 1 / f of the edge under way, for interactions */
	N_TILE_VECTORS
};

_Static_assert(EX_SHAP_TILE_FRAME_SIZE(1) >= sizeof(tile_frame) + N_TILE_VECTORS * N_VECS * sizeof(rowvec),
			   "frame size");

#define TILE_VECTOR(at, which) ((rowvec *) ((at) + 1) + (which) * points * N_VECS)

INLINE tile_frame *
tile_frame_at(const ex_shap_tile_walk *walk, const uint32_t points, int32_t depth)
{
	return (tile_frame *) ((char *) walk->frame + (size_t) depth * EX_SHAP_TILE_FRAME_SIZE(points));
}

/* A split that the walk has come to. */
typedef struct meeting
{
	const ex_shap_step *step;
	mask		above[N_VECS];	/* the row satisfies the splits above on the feature */
	mask		left[N_VECS];
} meeting;

INLINE void
meet(const ex_shap_tile_walk *walk, const uint32_t points, uint32_t split, meeting *at)
{
	const double *column;

	at->step = &walk->step[split];
	column = walk->column + (size_t) at->step->column * walk->stride;
	for (int v = 0; v < N_VECS; v++)
	{
		rowvec			x;

		memcpy(&x, column + ROW_LANES * v, sizeof(x));
		at->left[v] = no_more_than(x, at->step->threshold);
		at->above[v] = every_row();
	}
	if (at->step->ancestor >= 0)
	{
		const tile_frame *above = tile_frame_at(walk, points, at->step->ancestor);

		for (int v = 0; v < N_VECS; v++)
			at->above[v] = above->on[above->side][v];
	}
}

/* Q: the product without the split's feature. */
INLINE rowvec
quotient_of(const meeting *at, const uint32_t points, uint32_t q, int v, rowvec product)
{
	const double *inverse = at->step->constant;

	if (at->step->ancestor < 0)
		return product;
	return product * blend(at->above[v], all(inverse[q]), all(inverse[points + q]));
}

/* Sums over the points that share a lane of the one-row walk. */
INLINE rowvec
sum_lane(const uint32_t points, const rowvec *value, uint32_t q, int v)
{
	rowvec		total = value[q * N_VECS + v];

	for (uint32_t further = q + 4; further < points; further += 4)
		total += value[further * N_VECS + v];
	return total;
}

/* What the bracket of a split says of a pair with a feature above it; see add_pairs(). */
INLINE void
add_pair(const ex_shap_tile_walk *walk, const uint32_t points, const tile_frame *above, uint32_t feature,
		 const rowvec *bracket)
{
	const ex_shap_step *step = &walk->step[above->split];
	const rowvec *inverse = TILE_VECTOR(above, TILE_INVERSE);
	rowvec	   *pair = (rowvec *) walk->pair + ((size_t) step->feature * walk->n_features + feature) * N_VECS;
	rowvec		part[EX_SHAP_MAX_POINTS * N_VECS];

	for (uint32_t i = 0; i < points * N_VECS; i++)
		part[i] = bracket[i] * inverse[i];
	for (int v = 0; v < N_VECS; v++)
	{
		rowvec		lane[4];
		rowvec		gain = blend(above->on[above->side][v], all(step->gain_on[above->side]), all(-1));

		for (uint32_t q = 0; q < 4; q++)
			lane[q] = q < points ? sum_lane(points, part, q, v) : all(0);
		pair[v] += gain * ((lane[0] + lane[2]) + (lane[1] + lane[3]));
	}
}

INLINE void
add_pairs_of_rows(const ex_shap_tile_walk *walk, const uint32_t points, const ex_shap_step *step,
				  int32_t depth, const rowvec *bracket)
{
	for (int32_t d = 0; d < depth; d++)
	{
		const tile_frame *above = tile_frame_at(walk, points, d);

		if (above->latest && d != step->ancestor)
			add_pair(walk, points, above, step->feature, bracket);
	}
}

/* Adds a bracket to the lanes of a feature, as leave() does. */
INLINE void
add_bracket(const ex_shap_tile_walk *walk, const uint32_t points, const bool pairs, const ex_shap_step *step,
			int32_t depth, const rowvec *bracket)
{
	uint32_t	feature = step->feature;
	rowvec	   *sum = (rowvec *) walk->sum + (size_t) feature * 4 * N_VECS;

	if (pairs)
	{
		if (step->ancestor >= 0)
			tile_frame_at(walk, points, step->ancestor)->latest = true;
		add_pairs_of_rows(walk, points, step, depth, bracket);
		return;
	}
	for (uint32_t q = 0; q < points && q < 4; q++)
		for (int v = 0; v < N_VECS; v++)
			sum[q * N_VECS + v] += sum_lane(points, bracket, q, v);
}

/* Two leaves: both R and the bracket's sum are one of three constants. */
INLINE void
meet_leaves(const ex_shap_tile_walk *walk, const uint32_t points, const bool pairs, const meeting *at,
			int32_t depth, const rowvec *product, rowvec *rest)
{
	const double *of = at->step->constant + 2 * points;
	const bool	again = at->step->ancestor >= 0;
	rowvec			bracket[EX_SHAP_MAX_POINTS * N_VECS];

	for (uint32_t q = 0; q < points; q++)
		for (int v = 0; v < N_VECS; v++)
		{
			rowvec			worth = blend(at->left[v], all(of[q]), all(of[points + q]));
			rowvec			inner = blend(at->left[v], all(of[3 * points + q]), all(of[4 * points + q]));

			if (again)
			{
				worth = blend(at->above[v], worth, all(of[2 * points + q]));
				inner = keep(at->above[v], inner);
			}
			rest[q * N_VECS + v] = worth;
			bracket[q * N_VECS + v] = quotient_of(at, points, q, v, product[q * N_VECS + v]) * inner;
		}
	add_bracket(walk, points, pairs, at->step, depth, bracket);
}

/* Keeps a meeting for the return from the children; product becomes the left one's. */
INLINE void
put_tile_frame(const ex_shap_tile_walk *walk, const uint32_t points, const meeting *at, uint32_t split,
			   int32_t depth, rowvec *product)
{
	const ex_shap_step *step = at->step;
	const double *rho = step->constant + 2 * points;
	tile_frame *frame = tile_frame_at(walk, points, depth);
	rowvec		   *quotient = TILE_VECTOR(frame, TILE_QUOTIENT);
	rowvec		   *right_product = TILE_VECTOR(frame, TILE_RIGHT_PRODUCT);
	rowvec		   *left_rho = TILE_VECTOR(frame, TILE_LEFT_RHO);
	rowvec		   *right_rho = TILE_VECTOR(frame, TILE_RIGHT_RHO);

	frame->split = split;
	frame->side = 0;
	for (int v = 0; v < N_VECS; v++)
	{
		frame->on[0][v] = at->left[v] & at->above[v];
		frame->on[1][v] = ~at->left[v] & at->above[v];
		frame->gain[0][v] = keep(at->above[v], blend(at->left[v], all(step->gain_on[0]), all(step->gain_off[0])));
		frame->gain[1][v] = keep(at->above[v], blend(at->left[v], all(step->gain_off[1]), all(step->gain_on[1])));
		frame->taken_back[v] = keep(at->above[v], all(step->taken_back));
	}
	for (uint32_t q = 0; q < points; q++)
		for (int v = 0; v < N_VECS; v++)
		{
			uint32_t	i = q * N_VECS + v;
			rowvec			left = blend(at->left[v], all(rho[q]), all(rho[points + q]));
			rowvec			right = blend(at->left[v], all(rho[4 * points + q]), all(rho[3 * points + q]));

			if (step->ancestor >= 0)
			{
				left = blend(at->above[v], left, all(rho[2 * points + q]));
				right = blend(at->above[v], right, all(rho[5 * points + q]));
			}
			quotient[i] = quotient_of(at, points, q, v, product[i]);
			left_rho[i] = left;
			right_rho[i] = right;
			right_product[i] = product[i] * right;
			product[i] *= left;
		}
}

/*
 * Where the rows cannot reach child c in any coalition its R is 0.  Only
 * splits with covers of 0 need to look.
 */
INLINE void
hide_unreachable(const ex_shap_step *step, const tile_frame *frame, const mask *above,
				 const uint32_t points, int c, rowvec *rest)
{
	for (int v = 0; v < N_VECS; v++)
	{
		mask		there = frame->on[c][v];

		if (step->reached[c] & EX_SHAP_REACHED_ON)
			there |= above[v];
		if (step->reached[c] & EX_SHAP_REACHED_OFF)
			there |= ~above[v];
		for (uint32_t q = 0; q < points; q++)
			rest[q * N_VECS + v] = keep(there, rest[q * N_VECS + v]);
	}
}

INLINE void
come_back(const ex_shap_tile_walk *walk, const uint32_t points, const tile_frame *frame, int c, rowvec *rest)
{
	const ex_shap_step *step = &walk->step[frame->split];

	if (step->reached[c] != (EX_SHAP_REACHED_ON | EX_SHAP_REACHED_OFF))
	{
		mask		above[N_VECS];

		for (int v = 0; v < N_VECS; v++)
			above[v] = frame->on[0][v] | frame->on[1][v];
		hide_unreachable(step, frame, above, points, c, rest);
	}
}

/* R of a child that is a leaf. */
INLINE void
set_leaf(const ex_shap_tile_walk *walk, const uint32_t points, const tile_frame *frame, int c, rowvec *rest)
{
	for (uint32_t i = 0; i < points * N_VECS; i++)
		rest[i] = all(walk->step[frame->split].leaf[c]);
	come_back(walk, points, frame, c, rest);
}

/* Both children are done: `rest` is R of the right one and becomes the split's. */
INLINE void
leave_tile(const ex_shap_tile_walk *walk, const uint32_t points, const bool pairs, tile_frame *frame,
		   int32_t depth, rowvec *rest)
{
	const rowvec  *quotient = TILE_VECTOR(frame, TILE_QUOTIENT);
	const rowvec  *left_rho = TILE_VECTOR(frame, TILE_LEFT_RHO);
	const rowvec  *right_rho = TILE_VECTOR(frame, TILE_RIGHT_RHO);
	const rowvec  *left_rest = TILE_VECTOR(frame, TILE_LEFT_REST);
	rowvec			bracket[EX_SHAP_MAX_POINTS * N_VECS];

	for (uint32_t q = 0; q < points; q++)
		for (int v = 0; v < N_VECS; v++)
		{
			uint32_t	i = q * N_VECS + v;
			rowvec			right = rest[i];

			rest[i] = left_rho[i] * left_rest[i] + right_rho[i] * right;
			bracket[i] = quotient[i] *
				(left_rest[i] * frame->gain[0][v] + right * frame->gain[1][v] - rest[i] * frame->taken_back[v]);
		}
	add_bracket(walk, points, pairs, &walk->step[frame->split], depth, bracket);
}

/* Makes the edge to child c the one under way; see go_down(). */
INLINE void
go_down_with_rows(const ex_shap_tile_walk *walk, const uint32_t points, const bool pairs, tile_frame *frame, int c)
{
	const ex_shap_step *step = &walk->step[frame->split];
	const double *inverse = step->edge;

	frame->side = (uint32_t) c;
	if (!pairs)
		return;
	frame->latest = true;
	if (step->ancestor >= 0)
		tile_frame_at(walk, points, step->ancestor)->latest = false;
	for (uint32_t q = 0; q < points; q++)
		for (int v = 0; v < N_VECS; v++)
			TILE_VECTOR(frame, TILE_INVERSE)[q * N_VECS + v] =
				blend(frame->on[c][v], all(inverse[c * points + q]), all(inverse[2 * points + q]));
}

INLINE void
walk_rows(const ex_shap_tile_walk *walk, const uint32_t points, const bool pairs)
{
	rowvec			product[EX_SHAP_MAX_POINTS * N_VECS];
	rowvec			rest[EX_SHAP_MAX_POINTS * N_VECS];
	int32_t		depth = 0;
	uint32_t	split = 0;

	for (uint32_t i = 0; i < points * N_VECS; i++)
		product[i] = all(walk->weight[i / N_VECS]);
	for (;;)
	{
		meeting		here;
		tile_frame *frame;

		meet(walk, points, split, &here);
		if ((here.step->child[0] & here.step->child[1]) < 0)
		{
			meet_leaves(walk, points, pairs, &here, depth, product, rest);
			depth--;
		}
		else
		{
			put_tile_frame(walk, points, &here, split, depth, product);
			frame = tile_frame_at(walk, points, depth);
			if (here.step->child[0] >= 0)
			{
				go_down_with_rows(walk, points, pairs, frame, 0);
				split = (uint32_t) here.step->child[0];
				depth++;
				continue;
			}
			set_leaf(walk, points, frame, 0, rest);
			goto left_done;
		}
		for (;;)
		{
			if (depth < 0)
				return;
			frame = tile_frame_at(walk, points, depth);
			come_back(walk, points, frame, (int) frame->side, rest);
			if (frame->side == 0)
			{
		left_done:
				memcpy(TILE_VECTOR(frame, TILE_LEFT_REST), rest, points * N_VECS * sizeof(rowvec));
				frame->side = 1;
				if (walk->step[frame->split].child[1] >= 0)
				{
					go_down_with_rows(walk, points, pairs, frame, 1);
					memcpy(product, TILE_VECTOR(frame, TILE_RIGHT_PRODUCT), points * N_VECS * sizeof(rowvec));
					split = (uint32_t) walk->step[frame->split].child[1];
					depth++;
					break;
				}
				set_leaf(walk, points, frame, 1, rest);
			}
			leave_tile(walk, points, pairs, frame, depth, rest);
			depth--;
		}
	}
}

/* A number of points that the compiler knows is worth its time where vectors are wide. */
#ifdef __AVX2__
#define WALKS_OF_ROWS(pairs) \
	switch (walk->points) \
	{ \
		case 1: walk_rows(walk, 1, pairs); break; \
		case 2: walk_rows(walk, 2, pairs); break; \
		case 3: walk_rows(walk, 3, pairs); break; \
		case 4: walk_rows(walk, 4, pairs); break; \
		case 5: walk_rows(walk, 5, pairs); break; \
		default: walk_rows(walk, walk->points, pairs); break; \
	}
#else
#define WALKS_OF_ROWS(pairs) walk_rows(walk, walk->points, pairs)
#endif

static void
walk_tile(const ex_shap_tile_walk *walk)
{
	WALKS_OF_ROWS(false);
}

static void
walk_tile_pairs(const ex_shap_tile_walk *walk)
{
	WALKS_OF_ROWS(true);
}

/* ----------------------------------------------------------------
 * Blocks
 * ---------------------------------------------------------------- */

/*
 * Turns a square of bits around: bit j of word i becomes bit i of word j
 * (Warren, Hacker's Delight, 7-3: halves are exchanged, then halves of them).
 */
INLINE void
transpose_bits(uint64_t word[64])
{
	uint64_t	low = UINT64_C(0x00000000ffffffff);

	for (uint32_t width = 32; width > 0; width /= 2, low ^= low << width)
		for (uint32_t i = 0; i < 64; i = ((i | width) + 1) & ~width)
		{
			uint64_t	differ = ((word[i] >> width) ^ word[i | width]) & low;

			word[i | width] ^= differ;
			word[i] ^= differ << width;
		}
}

/* Decisions of 64 rows at all splits of a small tree: word[row], bit per split. */
INLINE void
decide_rows(const ex_shap_lookup *lookup, const ex_shap_small *small, const ex_shap_tile_rows *rows,
			uint32_t first, uint64_t word[64])
{
	const double *threshold = lookup->blocks->threshold + small->first_test;
	const int32_t *column_of = lookup->blocks->column + small->first_test;

	for (uint32_t i = 0; i < small->n_splits; i++)
	{
		const double *x = rows->column + (size_t) column_of[i] * rows->stride + first;
		uint64_t	left = 0;

#ifdef __AVX2__
		const __m256d limit = _mm256_set1_pd(threshold[i]);

		for (uint32_t r = 0; r < 64; r += 4)
			left |= (uint64_t) _mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(x + r), limit, _CMP_LE_OQ)) << r;
#else
		for (uint32_t r = 0; r < 64; r++)
			left |= (uint64_t) (x[r] <= threshold[i]) << r;
#endif
		word[i] = left;
	}
	memset(word + small->n_splits, 0, (64 - small->n_splits) * sizeof(uint64_t));
	transpose_bits(word);
}

/* One small tree and 64 rows of a tile. */
typedef struct many_places
{
	const ex_shap_lookup *lookup;
	const ex_shap_small *small;
	const ex_shap_memo *memo;
	const double *row;			/* columns of the first row */
	uint32_t	n_columns;
	double	   *sum;			/* of the first row; of a feature, 64 rows lie together */
	uint32_t	stride;			/* from feature to feature */
	uint64_t	word[64];
	uint32_t	entry[EX_SHAP_MAX_SMALL + 1][64];	/* per block that has a table */
} many_places;

INLINE bool
has_table(const many_places *at, const ex_shap_block *block)
{
	return at->memo->entry != NULL && block->width <= EX_SHAP_MAX_WIDTH;
}

static __attribute__((noinline)) void
compute_for(const many_places *at, const ex_shap_block *block, uint32_t r, double *entry)
{
	ex_shap_lookup one = *at->lookup;

	one.column = at->row + (size_t) r * at->n_columns;
	one.compute(&one, at->small, block, at->word[r], entry);
}

/*
 * Finds the entries of a block, fills those that are empty, and has the
 * processor fetch the others before they are added.
 */
INLINE void
find_entries_of_rows(many_places *at, uint32_t b, uint32_t (*select) (uint64_t word, uint64_t mask))
{
	const ex_shap_block *block = &at->lookup->blocks->block[at->small->first_block + b];
	uint64_t   *filled = at->memo->filled;

	if (!has_table(at, block))
		return;
	for (uint32_t r = 0; r < 64; r++)
	{
		uint32_t	i = block->first_entry + select(at->word[r], block->splits);
		double	   *entry = at->memo->entry + (size_t) i * EX_SHAP_ENTRY;

		at->entry[b][r] = i;
		__builtin_prefetch(entry);
		if (!(filled[i / 64] >> (i % 64) & 1))
		{
			compute_for(at, block, r, entry);
			filled[i / 64] |= UINT64_C(1) << (i % 64);
		}
	}
}

/* A block without a table, or with too many features for one. */
static __attribute__((noinline)) void
add_computed_rows(const many_places *at, const ex_shap_block *block)
{
	const uint32_t *feature = at->lookup->blocks->feature + block->first_feature;
	double		entry[EX_SHAP_MAX_SMALL];

	for (uint32_t r = 0; r < 64; r++)
	{
		compute_for(at, block, r, entry);
		for (uint32_t j = 0; j < block->n_features; j++)
			at->sum[(size_t) feature[j] * at->stride + r] += entry[j];
	}
}

/* Four entries of four numbers, turned: out[j] has number j of each. */
INLINE void
turn(const double *const entry[4], uint32_t first, vec out[4])
{
#ifdef __AVX2__
	__m256d		e0 = _mm256_load_pd(entry[0] + first);
	__m256d		e1 = _mm256_load_pd(entry[1] + first);
	__m256d		e2 = _mm256_load_pd(entry[2] + first);
	__m256d		e3 = _mm256_load_pd(entry[3] + first);
	__m256d		low01 = _mm256_unpacklo_pd(e0, e1);
	__m256d		high01 = _mm256_unpackhi_pd(e0, e1);
	__m256d		low23 = _mm256_unpacklo_pd(e2, e3);
	__m256d		high23 = _mm256_unpackhi_pd(e2, e3);

	out[0] = _mm256_permute2f128_pd(low01, low23, 0x20);
	out[1] = _mm256_permute2f128_pd(high01, high23, 0x20);
	out[2] = _mm256_permute2f128_pd(low01, low23, 0x31);
	out[3] = _mm256_permute2f128_pd(high01, high23, 0x31);
#else
	for (int j = 0; j < 4; j++)
		out[j] = (vec) {entry[0][first + j], entry[1][first + j], entry[2][first + j], entry[3][first + j]};
#endif
}

/* Adds the entries of a block that has no more than EX_SHAP_ENTRY features. */
INLINE void
add_entries_of_rows(const many_places *at, const ex_shap_block *block, const uint32_t entry_of[64],
					const uint32_t n_features)
{
	const uint32_t *feature = at->lookup->blocks->feature + block->first_feature;
	double	   *sum[EX_SHAP_ENTRY];

	for (uint32_t j = 0; j < n_features && j < EX_SHAP_ENTRY; j++)
		sum[j] = at->sum + (size_t) feature[j] * at->stride;
	for (uint32_t r = 0; r < 64; r += 4)
	{
		const double *entry[4];
		vec			value[EX_SHAP_ENTRY];

		for (int i = 0; i < 4; i++)
			entry[i] = at->memo->entry + (size_t) entry_of[r + i] * EX_SHAP_ENTRY;
		turn(entry, 0, value);
		turn(entry, 4, value + 4);
		for (uint32_t j = 0; j < n_features && j < EX_SHAP_ENTRY; j++)
			*(vec *) (sum[j] + r) += value[j];
	}
}

INLINE void
add_block(const many_places *at, uint32_t b)
{
	const ex_shap_block *block = &at->lookup->blocks->block[at->small->first_block + b];

	if (!has_table(at, block))
	{
		add_computed_rows(at, block);
		return;
	}
	switch (block->n_features)
	{
		case 5: add_entries_of_rows(at, block, at->entry[b], 5); break;
		case 6: add_entries_of_rows(at, block, at->entry[b], 6); break;
		case 7: add_entries_of_rows(at, block, at->entry[b], 7); break;
		case 8: add_entries_of_rows(at, block, at->entry[b], 8); break;
		default: add_entries_of_rows(at, block, at->entry[b], block->n_features); break;
	}
}

/* One small tree, for 64 rows of a tile from `first` on: adds to their sums. */
INLINE void
look_up_64(const ex_shap_lookup *lookup, uint32_t s, const ex_shap_tile_rows *rows, uint32_t first,
		   uint32_t (*select) (uint64_t word, uint64_t mask))
{
	many_places at;

	at.lookup = lookup;
	at.small = &lookup->blocks->small[s];
	at.memo = &lookup->memo[s * lookup->memo_stride];
	at.row = rows->row + (size_t) first * rows->n_columns;
	at.n_columns = rows->n_columns;
	at.sum = rows->sum + first;
	at.stride = rows->stride;
	decide_rows(lookup, at.small, rows, first, at.word);
	for (uint32_t b = 0; b < at.small->n_blocks; b++)
		find_entries_of_rows(&at, b, select);
	for (uint32_t b = 0; b < at.small->n_blocks; b++)
		add_block(&at, b);
}

INLINE void
look_up_rows(const ex_shap_lookup *lookup, const ex_shap_tile_rows *rows, uint32_t first, uint32_t end,
			 uint32_t (*select) (uint64_t word, uint64_t mask))
{
	for (uint32_t s = first; s < end; s++)
		if (takes_part(lookup, s))
			for (uint32_t r = 0; r < rows->stride; r += 64)
				look_up_64(lookup, s, rows, r, select);
}

static __attribute__((unused)) void
look_up_tile(const ex_shap_lookup *lookup, const ex_shap_tile_rows *rows, uint32_t first, uint32_t end)
{
	look_up_rows(lookup, rows, first, end, select_bits);
}
