/*
 * linear_edit.c
 *		Linear models whose features have been edited (model_edit.h).
 */
#include "linear_internal.h"

/*
 * The values that a feature's columns have for missing ones are implied by its
 * policy, which has changed.
 */
ex_status
ex_linear_adapt(ex_builder *builder, uint32_t feature)
{
	const uint32_t *of = (const uint32_t *) builder->section[EX_COLUMN_FEATURE].data;
	const uint8_t *kind = (const uint8_t *) builder->section[EX_COLUMN_KIND].data;
	const uint32_t *level = (const uint32_t *) builder->section[EX_COLUMN_LEVEL].data;
	const double *low = (const double *) builder->section[EX_COLUMN_LOW].data;
	const double *high = (const double *) builder->section[EX_COLUMN_HIGH].data;
	double	   *missing = (double *) builder->section[EX_COLUMN_MISSING].data;
	uint8_t		policy = (uint8_t) builder->section[EX_FEATURE_MISSING].data[feature];
	double		impute = ((const double *) builder->section[EX_FEATURE_IMPUTE].data)[feature];
	size_t		n = ex_put_count(builder, EX_COLUMN_FEATURE);

	for (size_t c = 0; c < n; c++)
	{
		ex_column	column = {of[c], (ex_column_kind) kind[c], level[c], low[c], high[c], 0};

		if (of[c] == feature)
			missing[c] = ex_implied_missing(&column, (ex_missing_policy) policy, impute);
	}
	return EX_OK;
}
