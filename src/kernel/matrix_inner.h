/*
 * matrix_inner.h
 *		The inner loops of matrix_kernel.h, compiled once per processor.
 *
 * Included by matrix_portable.c and matrix_avx2.c, which define
 * MATRIX_KERNEL, the name of the table.  Written with vectors of four
 * doubles; where a processor has none the compiler splits them, which changes
 * no bit.
 */
#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <string.h>

#include "matrix_kernel.h"

typedef double vec __attribute__((vector_size(32)));

#define INLINE static inline __attribute__((always_inline))
#define LANES EX_MATRIX_PAD

/* At most four numbers; lanes beyond them are 0. */
INLINE void
load(vec *v, const double *from, size_t n)
{
	double		part[LANES] = {0};

	if (n >= LANES)
	{
		memcpy(v, from, sizeof(*v));
		return;
	}
	for (size_t i = 0; i < n; i++)
		part[i] = from[i];
	memcpy(v, part, sizeof(*v));
}

INLINE void
store(double *to, const vec *v, size_t n)
{
	double		part[LANES];

	if (n >= LANES)
	{
		memcpy(to, v, sizeof(*v));
		return;
	}
	memcpy(part, v, sizeof(part));
	for (size_t i = 0; i < n; i++)
		to[i] = part[i];
}

INLINE void
load_weights(vec *v, const ex_packed *matrix, const bool is_f32, size_t at)
{
	if (!is_f32)
	{
		memcpy(v, matrix->f64 + at, sizeof(*v));
		return;
	}
#ifdef __AVX2__
	/* the compiler converts in two halves by itself */
	*v = _mm256_cvtps_pd(_mm_loadu_ps(matrix->f32 + at));
#else
	for (int i = 0; i < LANES; i++)
		(*v)[i] = matrix->f32[at + i];
#endif
}

/* Bit i: element i is not 0. */
INLINE uint64_t
mask_of(const double *x, size_t n)
{
	uint64_t	mask = 0;
	size_t		i = 0;

#ifdef __AVX2__
	for (; i + LANES <= n; i += LANES)
	{
		__m256d		differs = _mm256_cmp_pd(_mm256_loadu_pd(x + i), _mm256_setzero_pd(), _CMP_NEQ_UQ);

		mask |= (uint64_t) (uint32_t) _mm256_movemask_pd(differs) << i;
	}
#endif
	for (; i < n; i++)
		mask |= (uint64_t) (x[i] != 0) << i;
	return mask;
}

static void
find_active(const double *x, size_t n, uint64_t *mask)
{
	for (size_t i = 0; i < n; i += 64)
		*mask++ = mask_of(x + i, n - i < 64 ? n - i : 64);
}

/* What is to be combined: a list, or the elements of x whose bits are set. */
typedef struct source
{
	const ex_active *active;
	size_t		n;
	const double *x;
	const uint64_t *mask;
} source;

INLINE void
add_row(const ex_packed *matrix, const bool is_f32, const int width, double x, size_t at,
		vec *sum)
{
	for (int v = 0; v < width; v++)
	{
		vec			w;

		load_weights(&w, matrix, is_f32, at + (size_t) v * LANES);
		sum[v] += x * w;
	}
}

INLINE void
add_list(const ex_packed *matrix, const bool is_f32, const int width, const source *from,
		 size_t first, vec *sum)
{
	for (size_t i = 0; i < from->n; i++)
		add_row(matrix, is_f32, width, from->active[i].x, from->active[i].at + first, sum);
}

INLINE void
add_masked(const ex_packed *matrix, const bool is_f32, const int width, const source *from,
		   size_t first, vec *sum)
{
	for (size_t start = 0; start < matrix->rows; start += 64)
		for (uint64_t left = from->mask[start / 64]; left != 0; left &= left - 1)
		{
			size_t		i = start + (size_t) __builtin_ctzll(left);

			add_row(matrix, is_f32, width, from->x[i], i * matrix->stride + first, sum);
		}
}

/* `width` vectors of columns from `first` on, kept in registers over all rows. */
INLINE void
combine_columns(const ex_packed *matrix, const bool is_f32, const int width, const bool is_list,
				const source *from, size_t first, double *y)
{
	size_t		last = (size_t) (width - 1) * LANES;	/* only this vector may be incomplete */
	size_t		n_last = matrix->columns - first - last;
	vec			sum[8];

	for (int v = 0; v < width; v++)
		load(&sum[v], y + first + v * LANES, v < width - 1 ? LANES : n_last);
	if (is_list)
		add_list(matrix, is_f32, width, from, first, sum);
	else
		add_masked(matrix, is_f32, width, from, first, sum);
	for (int v = 0; v < width; v++)
		store(y + first + v * LANES, &sum[v], v < width - 1 ? LANES : n_last);
}

INLINE void
combine_all(const ex_packed *matrix, const bool is_f32, const bool is_list, const source *from,
			double *y)
{
	size_t		columns = matrix->stride;
	size_t		first = 0;

	for (; first + 8 * LANES <= columns; first += 8 * LANES)
		combine_columns(matrix, is_f32, 8, is_list, from, first, y);
	if (first + 4 * LANES <= columns)
	{
		combine_columns(matrix, is_f32, 4, is_list, from, first, y);
		first += 4 * LANES;
	}
	if (first + 2 * LANES <= columns)
	{
		combine_columns(matrix, is_f32, 2, is_list, from, first, y);
		first += 2 * LANES;
	}
	if (first < columns)
		combine_columns(matrix, is_f32, 1, is_list, from, first, y);
}

static void
combine(const ex_packed *matrix, const ex_active *active, size_t n, double *y)
{
	source		list = {.active = active,.n = n};

	if (matrix->f32 != NULL)
		combine_all(matrix, true, true, &list, y);
	else
		combine_all(matrix, false, true, &list, y);
}

static void
row(const ex_packed *matrix, const double *x, uint64_t *mask, double *y)
{
	source		masked = {.x = x,.mask = mask};

	find_active(x, matrix->rows, mask);
	if (matrix->f32 != NULL)
		combine_all(matrix, true, false, &masked, y);
	else
		combine_all(matrix, false, false, &masked, y);
}

INLINE void
tile_of(const ex_tile *tile, const size_t rows)
{
	size_t		low = tile->columns < LANES ? tile->columns : LANES;
	size_t		high = tile->columns - low;
	const double *a = tile->a;
	const double *b = tile->b;
	vec			sum[EX_TILE_ROWS][2];

	for (size_t i = 0; i < rows; i++)
	{
		load(&sum[i][0], tile->c + i * tile->ldc, low);
		load(&sum[i][1], tile->c + i * tile->ldc + LANES, high);
	}
	for (size_t l = 0; l < tile->k; l++)
	{
		vec			b0,
					b1;

		memcpy(&b0, b, sizeof(b0));
		memcpy(&b1, b + LANES, sizeof(b1));
		for (size_t i = 0; i < rows; i++)
		{
			sum[i][0] += a[i * tile->a_row] * b0;
			sum[i][1] += a[i * tile->a_row] * b1;
		}
		a += tile->a_step;
		b += tile->b_row;
	}
	for (size_t i = 0; i < rows; i++)
	{
		store(tile->c + i * tile->ldc, &sum[i][0], low);
		store(tile->c + i * tile->ldc + LANES, &sum[i][1], high);
	}
}

static void
run_tile(const ex_tile *tile)
{
	switch (tile->rows)
	{
		case 1:
			tile_of(tile, 1);
			break;
		case 2:
			tile_of(tile, 2);
			break;
		case 3:
			tile_of(tile, 3);
			break;
		default:
			tile_of(tile, 4);
	}
}

const ex_matrix_kernel MATRIX_KERNEL = {
	.row = row,
	.combine = combine,
	.tile = run_tile
};
