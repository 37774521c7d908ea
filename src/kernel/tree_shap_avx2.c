/*
 * tree_shap_avx2.c
 *		The inner loops of the Shapley kernels with AVX2, and with BMI2.
 */
#ifdef __AVX2__
#define SHAP_KERNEL ex_shap_avx2
#include "tree_shap_kernel.h"

INLINE uint32_t
select_bits_at_once(uint64_t word, uint64_t mask)
{
	uint64_t	bits;

	/* not the intrinsic: this file is compiled for processors without BMI2, too */
	__asm__("pextq %2, %1, %0" : "=r"(bits) : "r"(word), "r"(mask));
	return (uint32_t) bits;
}

static void
look_up_bmi2(const ex_shap_lookup *lookup, uint32_t first, uint32_t end)
{
	look_up_run(lookup, first, end, select_bits_at_once);
}

const ex_shap_kernel ex_shap_avx2_bmi2 = {
	.walk = walk_values,
	.walk_live = walk_live,
	.walk_pairs = walk_pairs,
	.decide = decide,
	.weigh = weigh,
	.look_up = look_up_bmi2
};
#endif
