/*
 * tree_shap_portable.c
 *		The inner loops of the Shapley kernels for any processor.
 */
#define SHAP_KERNEL ex_shap_portable
#include "tree_shap_kernel.h"
