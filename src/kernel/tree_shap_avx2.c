/*
 * tree_shap_avx2.c
 *		The inner loops of the Shapley kernels with AVX2, and with BMI2.
 */
#ifdef __AVX2__
#include "tree_shap_kernel.h"
#include "tree_shap_bmi2.h"

const ex_shap_kernel ex_shap_avx2 = SHAP_KERNEL(look_up, look_up_tile);
const ex_shap_kernel ex_shap_avx2_bmi2 = SHAP_KERNEL(look_up_bmi2, look_up_tile_bmi2);
#endif
