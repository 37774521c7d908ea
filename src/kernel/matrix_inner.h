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
	if (n >= LANES)
		memcpy(v, from, sizeof(*v));
	else
	{
		*v = (vec) {0};
		for (size_t i = 0; i < n; i++)
			(*v)[i] = from[i];
	}
}

INLINE void
store(double *to, const vec *v, size_t n)
{
	if (n >= LANES)
		memcpy(to, v, sizeof(*v));
	else
		for (size_t i = 0; i < n; i++)
			to[i] = (*v)[i];
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

/* `width` vectors of columns from `first` on, kept in registers over all rows. */
INLINE void
combine_columns(const ex_packed *matrix, const bool is_f32, const int width,
				const ex_active *active, size_t n, size_t first, double *y)
{
	size_t		last = (size_t) (width - 1) * LANES;	/* only this vector may be incomplete */
	size_t		n_last = matrix->columns - first - last;
	vec			sum[8];

	for (int v = 0; v < width; v++)
		load(&sum[v], y + first + v * LANES, v < width - 1 ? LANES : n_last);
	for (size_t i = 0; i < n; i++)
	{
		size_t		at = active[i].at + first;

		for (int v = 0; v < width; v++)
		{
			vec			w;

			load_weights(&w, matrix, is_f32, at + (size_t) v * LANES);
			sum[v] += active[i].x * w;
		}
	}
	for (int v = 0; v < width; v++)
		store(y + first + v * LANES, &sum[v], v < width - 1 ? LANES : n_last);
}

INLINE void
combine_all(const ex_packed *matrix, const bool is_f32, const ex_active *active, size_t n,
			double *y)
{
	size_t		columns = matrix->stride;
	size_t		first = 0;

	for (; first + 8 * LANES <= columns; first += 8 * LANES)
		combine_columns(matrix, is_f32, 8, active, n, first, y);
	if (first + 4 * LANES <= columns)
	{
		combine_columns(matrix, is_f32, 4, active, n, first, y);
		first += 4 * LANES;
	}
	if (first + 2 * LANES <= columns)
	{
		combine_columns(matrix, is_f32, 2, active, n, first, y);
		first += 2 * LANES;
	}
	if (first < columns)
		combine_columns(matrix, is_f32, 1, active, n, first, y);
}

static void
combine(const ex_packed *matrix, const ex_active *active, size_t n, double *y)
{
	if (matrix->f32 != NULL)
		combine_all(matrix, true, active, n, y);
	else
		combine_all(matrix, false, active, n, y);
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
	.combine = combine,
	.tile = run_tile
};
