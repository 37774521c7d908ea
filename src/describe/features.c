/*
 * features.c
 *		explain.model_features, model_levels, model_outputs.
 */
#include "describe/describe.h"

#include <math.h>

#include "common/shortest_dec.h"

/* The value that takes the place of a missing one, as text; NULL: none does. */
static char *
imputed_text(const ex_model *model, uint32 i, const ex_feature *feature)
{
	char	   *text;

	if (feature->missing != EX_MISSING_IMPUTE)
		return NULL;
	if (feature->kind == EX_CATEGORICAL)
		return feature->impute < 0 ? NULL : level_text(model, i, (uint32) feature->impute);
	if (feature->kind == EX_BOOLEAN)
		return pstrdup(feature->impute != 0 ? "true" : "false");
	text = palloc(32);
	double_to_shortest_decimal_buf(feature->impute, text);
	return text;
}

/* model_features(model) */
static Datum
model_features(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	const double *stat;

	if (!describe_begin(fcinfo, source, &d))
		return describe_end(&d);
	stat = ex_get(d.model, EX_BACKGROUND_STAT, NULL);
	for (uint32 i = 0; i < d.model->n_features; i++)
	{
		static const int columns[] = {EX_STAT_MEAN, EX_STAT_SD, EX_STAT_MIN, EX_STAT_MAX, EX_STAT_MISSING};
		ex_feature	feature;

		ex_get_feature(d.model, i, &feature);
		row_int4(&d.row, (int32) i + 1);
		row_feature(&d.row, d.model, i);
		row_text(&d.row, feature_kind_name(feature.kind));
		row_int4(&d.row, (int32) feature.n_levels);
		row_text(&d.row, missing_policy_name(feature.missing));
		row_text(&d.row, imputed_text(d.model, i, &feature));
		row_text(&d.row, feature.kind == EX_CATEGORICAL ? unknown_policy_name(feature.unknown) : NULL);
		for (int c = 0; c < (int) lengthof(columns); c++)
			row_float8(&d.row, stat == NULL ? NAN : stat[i * EX_N_STATS + columns[c]]);
		row_end(&d.row);
	}
	return describe_end(&d);
}

MODEL_OVERLOADS(model_features);

/* model_levels(model) */
static Datum
model_levels(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	const double *count;

	if (!describe_begin(fcinfo, source, &d))
		return describe_end(&d);
	count = ex_get(d.model, EX_BACKGROUND_LEVEL, NULL);
	for (uint32 i = 0; i < d.model->n_features; i++)
	{
		ex_feature	feature;

		ex_get_feature(d.model, i, &feature);
		for (uint32 level = 0; level < feature.n_levels; level++)
		{
			CHECK_FOR_INTERRUPTS();
			row_int4(&d.row, (int32) i + 1);
			row_feature(&d.row, d.model, i);
			row_int4(&d.row, (int32) level);
			row_level(&d.row, d.model, i, level);
			row_float8(&d.row, count == NULL ? NAN : *count++);
			row_end(&d.row);
		}
	}
	return describe_end(&d);
}

MODEL_OVERLOADS(model_levels);

/* model_outputs(model) */
static Datum
model_outputs(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	const double *base;

	if (!describe_begin(fcinfo, source, &d))
		return describe_end(&d);
	base = ex_get(d.model, EX_TREE_BASE, NULL);
	if (base == NULL)
		base = ex_get(d.model, EX_INTERCEPT, NULL);
	for (uint32 k = 0; k < d.model->n_outputs; k++)
	{
		row_int4(&d.row, (int32) k + 1);
		row_output(&d.row, d.model, k);
		row_text(&d.row, ex_link_names[d.model->link]);
		row_float8(&d.row, d.model->link_param);
		row_float8(&d.row, base == NULL ? NAN : base[k]);
		row_end(&d.row);
	}
	return describe_end(&d);
}

MODEL_OVERLOADS(model_outputs);
