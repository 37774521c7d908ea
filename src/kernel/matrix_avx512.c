/*
 * matrix_avx512.c
 *		The inner loops of matrix products with AVX-512.
 */
#ifdef __AVX512F__
#define MATRIX_KERNEL ex_matrix_avx512
#define LANES 8
#include "matrix_inner.h"
#endif
