/*
 * matrix_inner.h
 *		The inner loops of matrix_kernel.h, compiled once per processor.
 *
 * Included by matrix_portable.c, matrix_avx2.c and matrix_avx512.c, which
 * define MATRIX_KERNEL, the name of the table, and LANES, the doubles of a
 * vector.  Where a processor has no such vectors the compiler splits them,
 * which changes no bit.
 */
#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <string.h>

#include "matrix_kernel.h"

typedef double vec __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t bits __attribute__((vector_size(LANES * sizeof(double))));

#define INLINE static inline __attribute__((always_inline))

/* Vectors of a row of a tile. */
#define TILE_VECTORS (EX_TILE_COLUMNS / LANES)

/* At most LANES numbers; lanes beyond them are 0. */
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
#if defined(__AVX512F__)
	*v = _mm512_cvtps_pd(_mm256_loadu_ps(matrix->f32 + at));
#elif defined(__AVX2__)
	/* the compiler converts in two halves by itself */
	*v = _mm256_cvtps_pd(_mm_loadu_ps(matrix->f32 + at));
#else
	for (int i = 0; i < LANES; i++)
		(*v)[i] = matrix->f32[at + i];
#endif
}

#ifdef __AVX2__
/* Bit i: lane i is not 0. */
INLINE uint64_t
differs(const double *x)
{
#ifdef __AVX512F__
	return _mm512_cmp_pd_mask(_mm512_loadu_pd(x), _mm512_setzero_pd(), _CMP_NEQ_UQ);
#else
	__m256d		mask = _mm256_cmp_pd(_mm256_loadu_pd(x), _mm256_setzero_pd(), _CMP_NEQ_UQ);

	return (uint64_t) (uint32_t) _mm256_movemask_pd(mask);
#endif
}
#endif

/* Bit i: element i is not 0. */
INLINE uint64_t
mask_of(const double *x, size_t n)
{
	uint64_t	mask = 0;
	size_t		i = 0;

#ifdef __AVX2__
	for (; i + LANES <= n; i += LANES)
		mask |= differs(x + i) << i;
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
	size_t		columns = (matrix->columns + LANES - 1) / LANES * LANES;
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
	const double *a = tile->a;
	const double *b = tile->b;
	size_t		used[TILE_VECTORS];
	vec			sum[EX_TILE_ROWS][TILE_VECTORS];

	for (size_t v = 0; v < TILE_VECTORS; v++)
	{
		size_t		left = tile->columns > v * LANES ? tile->columns - v * LANES : 0;

		used[v] = left < LANES ? left : LANES;
	}
	for (size_t i = 0; i < rows; i++)
		for (size_t v = 0; v < TILE_VECTORS; v++)
			load(&sum[i][v], tile->c + i * tile->ldc + v * LANES, used[v]);
	for (size_t l = 0; l < tile->k; l++)
	{
		vec			factor[TILE_VECTORS];

		memcpy(factor, b, sizeof(factor));
		for (size_t i = 0; i < rows; i++)
			for (size_t v = 0; v < TILE_VECTORS; v++)
				sum[i][v] += a[i * tile->a_row] * factor[v];
		a += tile->a_step;
		b += tile->b_row;
	}
	for (size_t i = 0; i < rows; i++)
		for (size_t v = 0; v < TILE_VECTORS; v++)
			store(tile->c + i * tile->ldc + v * LANES, &sum[i][v], used[v]);
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

/* At n numbers: whole vectors, or the rest. */
INLINE void
relu_vector(const double *a, size_t n, double *y)
{
	vec			v;

	load(&v, a, n);
	v = (vec) ((bits) v & ~(v <= 0));
	store(y, &v, n);
}

static void
relu(const double *a, size_t n, double *y)
{
	size_t		i = 0;

	for (; i + LANES <= n; i += LANES)
		relu_vector(a + i, LANES, y + i);
	if (i < n)
		relu_vector(a + i, n - i, y + i);
}

INLINE void
pass_vector(const double *a, const double *r, size_t n, double *to)
{
	vec			value,
				passed,
				sum;

	load(&value, a, n);
	load(&passed, r, n);
	load(&sum, to, n);
	sum += (vec) ((bits) passed & (value > 0));
	store(to, &sum, n);
}

static void
pass_relu(const double *a, const double *r, size_t n, double *to)
{
	size_t		i = 0;

	for (; i + LANES <= n; i += LANES)
		pass_vector(a + i, r + i, LANES, to + i);
	if (i < n)
		pass_vector(a + i, r + i, n - i, to + i);
}

const ex_matrix_kernel MATRIX_KERNEL = {
	.row = row,
	.combine = combine,
	.tile = run_tile,
	.relu = relu,
	.pass_relu = pass_relu
};
