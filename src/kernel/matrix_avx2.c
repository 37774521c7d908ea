/*
 * matrix_avx2.c
 *		The inner loops of matrix products with AVX2.
 */
#ifdef __AVX2__
#define MATRIX_KERNEL ex_matrix_avx2
#define LANES 4
#include "matrix_inner.h"
#endif
