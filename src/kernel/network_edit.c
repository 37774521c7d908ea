/*
 * network_edit.c
 *		Networks whose features have been edited (model_edit.h) or replaced
 *		(model_align.h).
 */
#include <math.h>

#include "linear_internal.h"
#include "network_model.h"

/* Columns of a builder, to be put anew. */
static ex_status
get_columns(ex_builder *builder, ex_network_column **columns, size_t *n)
{
	const uint32_t *feature = (const uint32_t *) builder->section[EX_COLUMN_FEATURE].data;
	const uint8_t *kind = (const uint8_t *) builder->section[EX_COLUMN_KIND].data;
	const uint32_t *level = (const uint32_t *) builder->section[EX_COLUMN_LEVEL].data;
	const double *low = (const double *) builder->section[EX_COLUMN_LOW].data;
	const double *high = (const double *) builder->section[EX_COLUMN_HIGH].data;
	const double *missing = (const double *) builder->section[EX_COLUMN_MISSING].data;
	const double *center = (const double *) builder->section[EX_COLUMN_CENTER].data;
	const double *scale = (const double *) builder->section[EX_COLUMN_SCALE].data;

	*n = ex_put_count(builder, EX_COLUMN_FEATURE);
	EX_TRY(EX_ALLOC(builder->host, *n, columns));
	for (size_t c = 0; c < *n; c++)
		(*columns)[c] = (ex_network_column) {
			{feature[c], (ex_column_kind) kind[c], level[c], low[c], high[c], missing[c]},
			center[c], scale[c]
		};
	return EX_OK;
}

static ex_status
replace_columns(ex_builder *builder, const ex_network_column *column, size_t n)
{
	for (int id = EX_COLUMN_FEATURE; id <= EX_COLUMN_MISSING; id++)
		ex_drop(builder, (ex_section_id) id);
	ex_drop(builder, EX_COLUMN_CENTER);
	ex_drop(builder, EX_COLUMN_SCALE);
	for (size_t c = 0; c < n; c++)
		EX_TRY(ex_network_put_column(builder, &column[c]));
	return EX_OK;
}

/* The values that a feature's columns have for missing ones are implied by its policy. */
ex_status
ex_network_adapt(ex_builder *builder, uint32_t feature)
{
	ex_network_column *column;
	size_t		n;

	EX_TRY(get_columns(builder, &column, &n));
	for (size_t c = 0; c < n; c++)
		if (column[c].column.feature == feature)
			column[c].column.missing = NAN;
	return replace_columns(builder, column, n);
}

/* Pixels are the features in their order; any other order is not the image any more. */
static ex_status
check_image_order(ex_builder *builder, const ex_model *model, const ex_feature_map *map)
{
	bool		same = builder->n_features == model->n_features;

	for (uint32_t f = 0; same && f < model->n_features; f++)
		same = map->feature[f] == f;
	if (same)
		return EX_OK;
	ex_fail(builder->host, EX_UNSUPPORTED, "features of an image cannot be put in another order");
	ex_hint(builder->host, "Take a model with the same pixels in the same order.");
	return EX_UNSUPPORTED;
}

/*
 * The columns over other features.  What a column is worth for a missing value
 * is implied by the new feature's policy, unless both leave it to the model.
 */
ex_status
ex_network_align(ex_builder *builder, const ex_model *model, const ex_feature_map *map)
{
	const uint8_t *policy = (const uint8_t *) builder->section[EX_FEATURE_MISSING].data;
	const uint8_t *old_policy = ex_get(model, EX_FEATURE_MISSING, NULL);
	ex_network_column *column;
	size_t		n;

	if (ex_get(model, EX_IMAGE_SHAPE, NULL) != NULL)
		EX_TRY(check_image_order(builder, model, map));
	EX_TRY(get_columns(builder, &column, &n));
	for (size_t c = 0; c < n; c++)
	{
		ex_column  *inner = &column[c].column;
		uint32_t	old = inner->feature;

		if (inner->kind == EX_COLUMN_LEVEL_IS)
			inner->level = map->level[old][inner->level];
		inner->feature = map->feature[old];
		if (policy[inner->feature] != EX_MISSING_NATIVE || old_policy[old] != EX_MISSING_NATIVE)
			inner->missing = NAN;
	}
	return replace_columns(builder, column, n);
}
