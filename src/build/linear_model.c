/*
 * linear_model.c
 *		explain.linear_model: from arrays, or from the rows of a coefficient table.
 */
#include "build/array_args.h"
#include "build/link_arg.h"
#include "build/table_state.h"
#include "kernel/linear_rows.h"
#include "kernel/linear.h"
#include "model/model_arg.h"

#include <math.h>

PG_FUNCTION_INFO_V1(explain_linear_model);
PG_FUNCTION_INFO_V1(explain_linear_model_outputs);
PG_FUNCTION_INFO_V1(explain_linear_model_step);
PG_FUNCTION_INFO_V1(explain_linear_model_merge);
PG_FUNCTION_INFO_V1(explain_linear_model_final);

static void
check_coefficients(const NumberArray *coefficients, int n_features)
{
	if (n_features == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("features must not be empty")));
	if (coefficients->dims[1] != n_features)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expected %d coefficients, one for each feature, not %d",
						n_features, coefficients->dims[1]),
				 errhint("The intercept is an argument of its own.")));
}

static void
put_features(ex_builder *builder, const TextArray *features)
{
	for (int i = 0; i < features->n; i++)
	{
		ex_feature	feature = {.name = features->value[i]};

		feature.name_length = strlen(feature.name);
		EX_PG(builder->host, ex_put_feature(builder, &feature));
	}
}

/* One column for each feature: its value. */
static Datum
build(ex_builder *builder, const TextArray *features, const NumberArray *coefficients,
	  const double *intercept)
{
	ex_linear_design design = {
		.n_columns = (size_t) features->n,
		.coefficient = coefficients->value,
		.intercept = intercept
	};
	ex_column  *column = palloc0(features->n * sizeof(ex_column));
	ex_model   *model;

	put_features(builder, features);
	for (int i = 0; i < features->n; i++)
	{
		column[i].feature = (uint32) i;
		column[i].missing = NAN;
	}
	design.column = column;
	EX_PG(builder->host, ex_default_output_names(builder));
	EX_PG(builder->host, ex_linear_put(builder, &design));
	EX_PG(builder->host, ex_build(builder, &model));
	return model_datum(model);
}

/* linear_model(features, coefficients, intercept, link) */
Datum
explain_linear_model(PG_FUNCTION_ARGS)
{
	TextArray	features = text_array_arg(fcinfo, 0, "features");
	NumberArray coefficients = number_array_arg(fcinfo, 1, "coefficients", 2);
	double		intercept = PG_GETARG_FLOAT8(2);
	ex_builder	builder;

	check_coefficients(&coefficients, features.n);
	if (coefficients.dims[0] != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("coefficients of %d outputs need as many intercepts", coefficients.dims[0]),
				 errhint("Pass intercepts => ARRAY[...], one number for each output.")));
	if (!isfinite(intercept))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("intercept is not a finite number")));
	ex_builder_init(&builder, host_pg_here(), EX_LINEAR);
	builder.n_outputs = 1;
	EX_PG(builder.host, ex_edit_link(&builder, link_arg(fcinfo, 3), 1));
	return build(&builder, &features, &coefficients, &intercept);
}

/* linear_model(features, coefficients, intercepts, outputs, link) */
Datum
explain_linear_model_outputs(PG_FUNCTION_ARGS)
{
	TextArray	features;
	NumberArray coefficients;
	NumberArray intercepts;
	ex_builder	builder;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(4))
		PG_RETURN_NULL();
	features = text_array_arg(fcinfo, 0, "features");
	coefficients = number_array_arg(fcinfo, 1, "coefficients", 2);
	intercepts = number_array_arg(fcinfo, 2, "intercepts", 1);
	check_coefficients(&coefficients, features.n);
	if (intercepts.n != coefficients.dims[0])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("coefficients of %d outputs need as many intercepts, not %d",
						coefficients.dims[0], intercepts.n)));
	ex_builder_init(&builder, host_pg_here(), EX_LINEAR);
	builder.n_outputs = (uint32) intercepts.n;
	if (!PG_ARGISNULL(3))
	{
		TextArray	outputs = text_array_arg(fcinfo, 3, "outputs");

		check_array_length("outputs", outputs.n, builder.n_outputs, "outputs");
		for (int k = 0; k < outputs.n; k++)
			EX_PG(builder.host, ex_put_name(&builder, EX_OUTPUT_NAME_START, outputs.value[k],
											strlen(outputs.value[k])));
	}
	EX_PG(builder.host, ex_edit_link(&builder, link_arg(fcinfo, 4), 1));
	return build(&builder, &features, &coefficients, intercepts.value);
}

/* The aggregate linear_model(c) */
Datum
explain_linear_model_step(PG_FUNCTION_ARGS)
{
	return table_state_step(fcinfo, &ex_coefficient_table);
}

Datum
explain_linear_model_merge(PG_FUNCTION_ARGS)
{
	return table_state_merge(fcinfo, &ex_coefficient_table);
}

Datum
explain_linear_model_final(PG_FUNCTION_ARGS)
{
	ex_span		rows = table_state_rows(fcinfo);
	ex_host    *host = host_pg_here();
	ex_builder	builder;
	ex_model   *model;

	EX_PG(host, ex_linear_from_rows(host, rows.data, rows.size, &builder));
	EX_PG(host, ex_build(&builder, &model));
	PG_RETURN_MODEL(model);
}
