/*
 * with.c
 *		Changed copies of models: explain.with_link, with_base, with_aggregation,
 *		with_tree_weights, with_outputs, with_features, with_levels,
 *		with_missing, with_imputation, with_unknown, with_features_of,
 *		with_outputs_of, with_preprocessing.
 */
#include "build/array_args.h"
#include "build/link_arg.h"
#include "kernel/model_align.h"
#include "kernel/model_edit.h"
#include "kernel/model_json.h"
#include "model/model_arg.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(explain_with_link);
PG_FUNCTION_INFO_V1(explain_with_base);
PG_FUNCTION_INFO_V1(explain_with_aggregation);
PG_FUNCTION_INFO_V1(explain_with_tree_weights);
PG_FUNCTION_INFO_V1(explain_with_outputs);
PG_FUNCTION_INFO_V1(explain_with_features);
PG_FUNCTION_INFO_V1(explain_with_levels);
PG_FUNCTION_INFO_V1(explain_with_missing);
PG_FUNCTION_INFO_V1(explain_with_imputation);
PG_FUNCTION_INFO_V1(explain_with_unknown);
PG_FUNCTION_INFO_V1(explain_with_features_of);
PG_FUNCTION_INFO_V1(explain_with_outputs_of);
PG_FUNCTION_INFO_V1(explain_with_preprocessing);

/* One call: the model of argument 0 and its copy under change. */
typedef struct Edit
{
	const ex_model *model;
	ex_host    *host;
	ex_builder	builder;
} Edit;

static void
open_edit(FunctionCallInfo fcinfo, Edit *edit)
{
	edit->model = PG_GETARG_MODEL(0);
	edit->host = host_pg_here();
	EX_PG(edit->host, ex_builder_open(&edit->builder, edit->host, edit->model));
}

static Datum
close_edit(Edit *edit)
{
	ex_model   *model;

	EX_PG(edit->host, ex_build(&edit->builder, &model));
	return model_datum(model);
}

/* A text or label argument in UTF-8. */
static const char *
utf8_arg(FunctionCallInfo fcinfo, int argno)
{
	char	   *string = text_to_cstring(PG_GETARG_TEXT_PP(argno));

	return host_pg_to_utf8(string, (int) strlen(string));
}

static uint32
find_feature(Edit *edit, const char *name)
{
	uint32		feature;

	EX_PG(edit->host, ex_edit_find_feature(&edit->builder, edit->model, name, &feature));
	return feature;
}

/* with_link(model, link, param) */
Datum
explain_with_link(PG_FUNCTION_ARGS)
{
	Edit		edit;

	open_edit(fcinfo, &edit);
	EX_PG(edit.host, ex_edit_link(&edit.builder, link_arg(fcinfo, 1), PG_GETARG_FLOAT8(2)));
	return close_edit(&edit);
}

/* with_base(model, base) */
Datum
explain_with_base(PG_FUNCTION_ARGS)
{
	NumberArray base = number_array_arg(fcinfo, 1, "base", 1);
	Edit		edit;

	open_edit(fcinfo, &edit);
	EX_PG(edit.host, ex_edit_base(&edit.builder, base.value, (size_t) base.n));
	return close_edit(&edit);
}

/* with_aggregation(model, aggregation) */
Datum
explain_with_aggregation(PG_FUNCTION_ARGS)
{
	Edit		edit;

	open_edit(fcinfo, &edit);
	EX_PG(edit.host, ex_edit_aggregation(&edit.builder, utf8_arg(fcinfo, 1)));
	return close_edit(&edit);
}

/* with_tree_weights(model, weights) */
Datum
explain_with_tree_weights(PG_FUNCTION_ARGS)
{
	NumberArray weights = number_array_arg(fcinfo, 1, "weights", 1);
	Edit		edit;

	open_edit(fcinfo, &edit);
	EX_PG(edit.host, ex_edit_tree_weights(&edit.builder, weights.value, (size_t) weights.n));
	return close_edit(&edit);
}

/* with_outputs(model, outputs) */
Datum
explain_with_outputs(PG_FUNCTION_ARGS)
{
	TextArray	outputs = text_array_arg(fcinfo, 1, "outputs");
	Edit		edit;

	open_edit(fcinfo, &edit);
	EX_PG(edit.host, ex_edit_outputs(&edit.builder, outputs.value, (size_t) outputs.n));
	return close_edit(&edit);
}

/* with_features(model, features) */
Datum
explain_with_features(PG_FUNCTION_ARGS)
{
	TextArray	features = text_array_arg(fcinfo, 1, "features");
	Edit		edit;

	open_edit(fcinfo, &edit);
	EX_PG(edit.host, ex_edit_features(&edit.builder, features.value, (size_t) features.n));
	return close_edit(&edit);
}

/* with_levels(model, feature, levels) */
Datum
explain_with_levels(PG_FUNCTION_ARGS)
{
	TextArray	levels = text_array_arg(fcinfo, 2, "levels");
	Edit		edit;

	open_edit(fcinfo, &edit);
	EX_PG(edit.host, ex_edit_levels(&edit.builder, edit.model, find_feature(&edit, utf8_arg(fcinfo, 1)),
									levels.value, (size_t) levels.n));
	return close_edit(&edit);
}

/* The value to impute: one of number and level, and only with that policy. */
static void
impute(FunctionCallInfo fcinfo, Edit *edit, uint32 feature)
{
	double		value = 0;

	if (PG_ARGISNULL(3) == PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("policy \"impute\" needs one value"),
				 errhint("Give either number => ... or, for a categorical feature, level => '...'.")));
	if (!PG_ARGISNULL(3))
		value = PG_GETARG_FLOAT8(3);
	else
		EX_PG(edit->host, ex_edit_value(&edit->builder, edit->model, feature, utf8_arg(fcinfo, 4), &value));
	EX_PG(edit->host, ex_edit_imputation(&edit->builder, feature, value));
}

/* with_missing(model, feature, policy, number, level) */
Datum
explain_with_missing(PG_FUNCTION_ARGS)
{
	Edit		edit;
	uint32		feature;
	const char *policy;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	open_edit(fcinfo, &edit);
	feature = find_feature(&edit, utf8_arg(fcinfo, 1));
	policy = utf8_arg(fcinfo, 2);
	if (strcmp(policy, "impute") == 0)
		impute(fcinfo, &edit, feature);
	else
	{
		EX_PG(edit.host, ex_edit_missing(&edit.builder, feature, policy));
		if (!PG_ARGISNULL(3) || !PG_ARGISNULL(4))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("policy \"%s\" takes no value", policy),
					 errhint("Only policy => 'impute' does.")));
	}
	return close_edit(&edit);
}

/* with_imputation(model, features, numbers) */
Datum
explain_with_imputation(PG_FUNCTION_ARGS)
{
	TextArray	features = text_array_arg(fcinfo, 1, "features");
	NumberArray numbers = number_array_arg(fcinfo, 2, "numbers", 1);
	Edit		edit;

	if (features.n != numbers.n)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %d numbers, one for each feature, not %d", features.n, numbers.n)));
	open_edit(fcinfo, &edit);
	for (int i = 0; i < features.n; i++)
		EX_PG(edit.host, ex_edit_imputation(&edit.builder, find_feature(&edit, features.value[i]),
											numbers.value[i]));
	return close_edit(&edit);
}

/* with_unknown(model, feature, policy) */
Datum
explain_with_unknown(PG_FUNCTION_ARGS)
{
	Edit		edit;

	open_edit(fcinfo, &edit);
	EX_PG(edit.host, ex_edit_unknown(&edit.builder, edit.model, find_feature(&edit, utf8_arg(fcinfo, 1)),
									 utf8_arg(fcinfo, 2)));
	return close_edit(&edit);
}

/* with_features_of(model, other) */
Datum
explain_with_features_of(PG_FUNCTION_ARGS)
{
	const ex_model *other = PG_GETARG_MODEL(1);
	Edit		edit;

	edit.model = PG_GETARG_MODEL(0);
	edit.host = host_pg_here();
	EX_PG(edit.host, ex_align_features(edit.host, edit.model, other, &edit.builder));
	return close_edit(&edit);
}

/* with_outputs_of(model, other) */
Datum
explain_with_outputs_of(PG_FUNCTION_ARGS)
{
	const ex_model *other = PG_GETARG_MODEL(1);
	Edit		edit;

	open_edit(fcinfo, &edit);
	EX_PG(edit.host, ex_edit_outputs_of(&edit.builder, other));
	return close_edit(&edit);
}

/* with_preprocessing(model, preprocessing) */
Datum
explain_with_preprocessing(PG_FUNCTION_ARGS)
{
	const ex_model *model = PG_GETARG_MODEL(0);
	Jsonb	   *json = PG_GETARG_JSONB_P(1);
	char	   *text = JsonbToCString(NULL, &json->root, VARSIZE(json));
	char	   *utf8 = host_pg_to_utf8(text, (int) strlen(text));
	ex_host    *host = host_pg_here();
	ex_model   *folded;

	EX_PG(host, ex_model_preprocess(host, model, utf8, strlen(utf8), &folded));
	PG_RETURN_MODEL(folded);
}
