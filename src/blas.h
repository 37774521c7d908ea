/*
 * blas.h
 *		Matrix products by a BLAS that is loaded at first need.
 *
 * OpenBLAS is not linked: a linked one costs every backend 27 to 50 ms, 178 MB
 * of address space and a thread for each core, and hangs for ever where it
 * cannot map its buffer.  It is opened by plain dlopen, by which no later
 * parallel worker is bound to load it too.
 */
#ifndef BLAS_H
#define BLAS_H

#include "pg_compat.h"
#include "kernel/host.h"

/* explain_ext.blas_library: a name as dlopen takes it; empty: use none. */
extern char *blas_library;

/* What explain_ext.blas_library is unless it is set. */
#define BLAS_LIBRARY "libopenblas.so.0"

/*
 * The `gemm` service of a host (host.h): c = op(a) op(b) + beta * c, row-major,
 * beta 0 or 1.  False, and nothing is done, where the product is too small to
 * be worth it or this backend has no BLAS.
 *
 * Which of the two it is depends on the shape of the product alone, so that a
 * query's answer does not depend on what the session has asked before.
 */
extern bool blas_gemm(ex_host *host, bool transpose_a, bool transpose_b,
					  size_t m, size_t n, size_t k, const double *a, size_t lda,
					  const double *b, size_t ldb, double beta, double *c, size_t ldc);

#endif							/* BLAS_H */
