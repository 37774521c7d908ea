/*
 * linear_edit.c
 *		Linear models whose features have been edited (model_edit.h) or
 *		replaced (model_align.h).
 */
#include <math.h>

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

static void
drop_body(ex_builder *builder)
{
	for (int i = 0; i < ex_linear_family.n_sections; i++)
		ex_drop(builder, ex_linear_family.sections[i]);
}

/*
 * The columns over other features.  What a column is worth for a missing value
 * is implied by the new feature's policy, unless both leave it to the model.
 */
ex_status
ex_linear_align(ex_builder *builder, const ex_model *model, const ex_feature_map *map)
{
	const uint8_t *policy = (const uint8_t *) builder->section[EX_FEATURE_MISSING].data;
	const uint8_t *old_policy = ex_get(model, EX_FEATURE_MISSING, NULL);
	ex_linear_view view;
	ex_column  *column;
	ex_linear_design design;

	ex_linear_open(model, &view);
	EX_TRY(EX_ALLOC(builder->host, view.n_columns, &column));
	for (uint32_t c = 0; c < view.n_columns; c++)
	{
		uint32_t	old = view.feature[c];

		ex_linear_get_column(&view, c, &column[c]);
		if (column[c].kind == EX_COLUMN_LEVEL_IS)
			column[c].level = map->level[old][column[c].level];
		column[c].feature = map->feature[old];
		if (policy[map->feature[old]] != EX_MISSING_NATIVE || old_policy[old] != EX_MISSING_NATIVE)
			column[c].missing = NAN;
	}
	design.n_columns = view.n_columns;
	design.column = column;
	design.coefficient = view.coefficient;
	design.intercept = view.intercept;
	design.standard_error = view.standard_error;
	design.covariance = view.covariance;
	drop_body(builder);
	return ex_linear_put(builder, &design);
}
