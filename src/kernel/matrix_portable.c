/*
 * matrix_portable.c
 *		The inner loops of matrix products for any processor.
 */
#define MATRIX_KERNEL ex_matrix_portable
#define LANES 4
#include "matrix_inner.h"
