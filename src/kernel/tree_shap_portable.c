/*
 * tree_shap_portable.c
 *		The inner loops of the Shapley kernels, for any processor.
 */
#include "tree_shap_kernel.h"

const ex_shap_kernel ex_shap_portable = SHAP_KERNEL(look_up, look_up_tile);
