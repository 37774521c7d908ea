/*
 * deeplift.c
 *		deeplift(model, input) and deeplift_array(model, input).
 */
#include "baseline.h"

#include "kernel/deeplift.h"
#include "predict/predict.h"
#include "rows/array.h"

/* Argument numbers that the two functions do not share. */
typedef struct DeepliftArgs
{
	int			output;
	int			space;
	int			baseline;
	int			reference;
} DeepliftArgs;

/* The point in columns that differences are taken to. */
static const double *
reference_point(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, const DeepliftArgs *args)
{
	const ex_model *model = site->entry->model;
	ex_baseline baseline;
	uint32		n_columns;
	double	   *point;

	ex_get(model, EX_COLUMN_FEATURE, &n_columns);
	point = call_site_doubles(site, n_columns);
	baseline_arg(site, fcinfo, kind, args->baseline, args->reference, &baseline);
	EX_PG(site->host, ex_baseline_columns(site->host, model, &baseline, point));
	return point;
}

static void
plan_deeplift(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, const DeepliftArgs *args,
			  ex_deeplift_call *call)
{
	memset(call, 0, sizeof(*call));
	call->x = site->row->x;
	call->outputs = call_site_outputs(site, fcinfo, args->output);
	call->space = call_site_space(site, fcinfo, args->space);
	EX_PG(site->host, ex_deeplift_check(site->entry->compiled, site->host, call->space));
	if (baseline_is_background(site, fcinfo, args->baseline, args->reference))
		call->background = site->entry->background;
	else
		call->reference = reference_point(site, fcinfo, kind, args);
}

static void
run_deeplift(CallSite *site, const ex_deeplift_call *call, double **value, double **base)
{
	*value = call_site_doubles(site, (uint64) call->outputs.count * site->entry->model->n_features);
	*base = call_site_doubles(site, call->outputs.count);
	EX_PG(site->host, ex_deeplift(site->entry->compiled, site->host, call, 1, *value, *base));
}

/* deeplift(model, input, output, space, baseline, top_k, direction, rest, reference) */
static Datum
deeplift(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const DeepliftArgs args = {.output = 2, .space = 3, .baseline = 4, .reference = 8};
	RowWriter	writer;
	RowSelection selection;
	CallSite   *site;
	ex_deeplift_call call;
	Prediction	both;
	double	   *value;
	double	   *base;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	row_selection_args(fcinfo, 5, 6, 7, &selection);
	site = call_site_input(fcinfo, source, kind);
	plan_deeplift(site, fcinfo, kind, &args, &call);
	run_deeplift(site, &call, &value, &base);
	both = predict_row(site);
	for (uint32 i = 0; i < call.outputs.count; i++)
	{
		Attribution a = {
			.entry = site->entry,
			.row = site->row,
			.value = value + (size_t) i * site->entry->model->n_features,
			.base_value = base[i],
			.additive = true,
			.method = "deeplift"
		};

		explained_output(site, call.space, both, call.outputs.first + i, &a);
		attribution_rows(&writer, &a, &selection);
	}
	return (Datum) 0;
}

INPUT_OVERLOADS(deeplift);

/* deeplift_array(model, input, output, space, baseline, reference) */
static Datum
deeplift_array(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const DeepliftArgs args = {.output = 2, .space = 3, .baseline = 4, .reference = 5};
	CallSite   *site;
	ex_deeplift_call call;
	double	   *value;
	double	   *base;
	int			dims[1];

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	call_site_output(site, fcinfo, args.output);
	plan_deeplift(site, fcinfo, kind, &args, &call);
	run_deeplift(site, &call, &value, &base);
	dims[0] = (int) site->entry->model->n_features;
	return float8_array(value, 1, dims);
}

INPUT_OVERLOADS(deeplift_array);
