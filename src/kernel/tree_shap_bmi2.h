/*
 * tree_shap_bmi2.h
 *		Look-ups with BMI2, after tree_shap_kernel.h.
 */
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

static void
look_up_tile_bmi2(const ex_shap_lookup *lookup, const ex_shap_tile_rows *rows, uint32_t first, uint32_t end)
{
	look_up_rows(lookup, rows, first, end, select_bits_at_once);
}
