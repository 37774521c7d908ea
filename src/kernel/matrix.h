/*
 * matrix.h
 *		Matrix products, by a BLAS where the host has one.
 *
 * All matrices are row-major and dense.  The host's `gemm` (host.h) is asked
 * first; without one, or where it declines, plain C does the work.  Both agree
 * to rounding: |difference| <= 2 (k + 1) eps sum |a_ij b_jk|.
 *
 * Cut into pieces of at most about 10 ms, with a poll between them.
 */
#ifndef EX_MATRIX_H
#define EX_MATRIX_H

#include "host.h"

typedef enum ex_transpose
{
	EX_NO_TRANSPOSE = 0,
	EX_TRANSPOSE
} ex_transpose;

/*
 * c[m * n] = op(a) op(b) + beta * c, op(a) being m x k and op(b) k x n; beta 0
 * (c is not read) or 1.  lda, ldb, ldc: elements from one row to the next of
 * the matrix as it lies in memory.
 */
extern ex_status ex_gemm(ex_host *host, ex_transpose transpose_a, ex_transpose transpose_b,
						 size_t m, size_t n, size_t k,
						 const double *a, size_t lda, const double *b, size_t ldb,
						 double beta, double *c, size_t ldc);

/* The plain C of it: fixed order of summation, the same bits on every machine. */
extern ex_status ex_gemm_plain(ex_host *host, ex_transpose transpose_a, ex_transpose transpose_b,
							   size_t m, size_t n, size_t k,
							   const double *a, size_t lda, const double *b, size_t ldb,
							   double beta, double *c, size_t ldc);

#endif							/* EX_MATRIX_H */
