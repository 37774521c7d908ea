/*
 * matrix_kernel.h
 *		The inner loops of matrix products, and their choice at run time.
 *
 * Implementations give the same bits: every element of a result is one chain
 * of additions in the order of k, whatever the vectors, and products are not
 * fused.  Lanes are different elements.
 */
#ifndef EX_MATRIX_KERNEL_H
#define EX_MATRIX_KERNEL_H

#include "host.h"

/* Columns that the kernels take at a time: rows of packed matrices are padded with 0 to it. */
#define EX_MATRIX_PAD 8

/* A matrix for products with single rows; one of the two arrays is there. */
typedef struct ex_packed
{
	size_t		rows;
	size_t		columns;
	size_t		stride;			/* columns rounded up to EX_MATRIX_PAD */
	const double *f64;
	const float *f32;
} ex_packed;

/* Rows and columns of c that a tile has at most. */
#define EX_TILE_ROWS 4
#define EX_TILE_COLUMNS 8

/* An element of a row that is not 0. */
typedef struct ex_active
{
	double		x;
	size_t		at;				/* where its row of the matrix starts */
} ex_active;

/* Words with a bit for each of so many elements. */
#define EX_MASK_WORDS(n) (((n) + 63) / 64)

/*
 * A tile of c += a b: a[i * a_row + l * a_step], b[l * b_row + j], c[i * ldc + j].
 * b has EX_TILE_COLUMNS readable columns, however many are used.
 */
typedef struct ex_tile
{
	size_t		rows;			/* 1 .. EX_TILE_ROWS */
	size_t		columns;		/* 1 .. EX_TILE_COLUMNS */
	size_t		k;
	const double *a;
	size_t		a_row;
	size_t		a_step;
	const double *b;
	size_t		b_row;
	double	   *c;
	size_t		ldc;
} ex_tile;

typedef struct ex_matrix_kernel
{
	/*
	 * y += x matrix, for one row x.  Elements that are 0 are left out: after a
	 * ReLU they are half of all.  (Every implementation does it, and it changes
	 * nothing but the sign of a zero.)  mask: scratch, EX_MASK_WORDS(rows).
	 */
	void		(*row) (const ex_packed *matrix, const double *x, uint64_t *mask, double *y);
	/* the same for the elements of a list */
	void		(*combine) (const ex_packed *matrix, const ex_active *active, size_t n, double *y);
	void		(*tile) (const ex_tile *tile);

	/*
	 * What stands between two matrices: y = max(a, 0), NaN staying NaN, and
	 * back, to += r where a > 0.  Here, as loads of a whole vector wait for
	 * stores of its parts.
	 */
	void		(*relu) (const double *a, size_t n, double *y);
	void		(*pass_relu) (const double *a, const double *r, size_t n, double *to);
} ex_matrix_kernel;

extern const ex_matrix_kernel ex_matrix_portable;
#ifdef __x86_64__
extern const ex_matrix_kernel ex_matrix_avx2;
extern const ex_matrix_kernel ex_matrix_avx512;
#endif

typedef enum ex_processor
{
	EX_PROCESSOR_BEST = 0,
	EX_PROCESSOR_AVX2,			/* or less */
	EX_PROCESSOR_PORTABLE
} ex_processor;

/* For tests: what ex_matrix_best gives from now on. */
extern void ex_matrix_use(ex_processor processor);

extern const ex_matrix_kernel *ex_matrix_best(void);

#endif							/* EX_MATRIX_KERNEL_H */
