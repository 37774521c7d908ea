/*
 * tree_shap_avx2.c
 *		The inner loops of the Shapley kernels with AVX2.
 */
#ifdef __AVX2__
#define SHAP_KERNEL ex_shap_avx2
#include "tree_shap_kernel.h"
#endif
