/*
 * tree_shap_avx512.c
 *		The inner loops of the Shapley kernels with AVX-512 and BMI2.
 */
#ifdef __AVX512F__
#include "tree_shap_kernel.h"
#include "tree_shap_bmi2.h"

const ex_shap_kernel ex_shap_avx512 = SHAP_KERNEL(look_up_bmi2, look_up_tile_bmi2);
#endif
