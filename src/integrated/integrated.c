/*
 * integrated.c
 *		integrated_gradients, expected_gradients and their array forms: the
 *		arguments and the rows; the mathematics is in
 *		kernel/integrated_gradients.h and kernel/expected_gradients.h.
 */
#include "baseline.h"

#include "kernel/expected_gradients.h"
#include "kernel/integrated_gradients.h"
#include "options.h"
#include "predict/predict.h"
#include "rows/array.h"
#include "rows/attribution.h"

/* What the rows of one output have in common, whatever the method. */
static Attribution
attribution_of(CallSite *site, Prediction both, uint32 output, ex_space space, const char *method)
{
	return (Attribution)
	{
		.entry = site->entry,
			.row = site->row,
			.output = output_name(site->entry, output),
			.prediction = space == EX_RAW ? both.raw[output] : both.response[output],
			.prediction_response = both.response[output],
			.additive = true,
			.space = space,
			.method = method
	};
}

static Datum
feature_array(CallSite *site, const double *value)
{
	int			dims[1] = {(int) site->entry->model->n_features};

	return float8_array(value, 1, dims);
}

/*
 * Integrated gradients
 */

/* Arguments that both forms have, in this order. */
enum
{
	IG_OUTPUT = 2,
	IG_SPACE,
	IG_BASELINE,
	IG_TOLERANCE
};

static void
plan_integrated(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, int reference,
				ex_integrated_call *call)
{
	memset(call, 0, sizeof(*call));
	call->x = site->row->x;
	call->space = call_site_space(site, fcinfo, IG_SPACE);
	call->tolerance = float8_option(fcinfo, IG_TOLERANCE, "tolerance");
	baseline_arg(site, fcinfo, kind, IG_BASELINE, reference, &call->baseline);
}

/*
 * integrated_gradients(model, input, output, space, baseline, tolerance, top_k,
 * direction, rest, reference)
 */
static Datum
integrated_gradients(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	RowWriter	writer;
	RowSelection selection;
	CallSite   *site;
	ex_outputs	outputs;
	ex_integrated_call call;
	Prediction	both;
	double	   *value;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	row_selection_args(fcinfo, 6, 7, 8, &selection);
	site = call_site_input(fcinfo, source, kind);
	plan_integrated(site, fcinfo, kind, 9, &call);
	outputs = call_site_outputs(site, fcinfo, IG_OUTPUT);
	both = predict_row(site);
	value = call_site_doubles(site, site->entry->model->n_features);
	for (uint32 i = 0; i < outputs.count; i++)
	{
		Attribution a = attribution_of(site, both, outputs.first + i, call.space, "integrated_gradients");
		void	   *outer = call_site_begin_output(site);

		call.output = outputs.first + i;
		EX_PG(site->host, ex_integrated_gradients(site->entry->compiled, site->host, &call, value, &a.base_value));
		call_site_end_output(site, outer);
		a.value = value;
		attribution_rows(&writer, &a, &selection);
	}
	return (Datum) 0;
}

INPUT_OVERLOADS(integrated_gradients);

/* integrated_gradient_array(model, input, output, space, baseline, tolerance, reference) */
static Datum
integrated_gradient_array(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	CallSite   *site;
	ex_integrated_call call;
	double	   *value;
	double		base;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	plan_integrated(site, fcinfo, kind, 6, &call);
	call.output = call_site_output(site, fcinfo, IG_OUTPUT);
	value = call_site_doubles(site, site->entry->model->n_features);
	EX_PG(site->host, ex_integrated_gradients(site->entry->compiled, site->host, &call, value, &base));
	return feature_array(site, value);
}

INPUT_OVERLOADS(integrated_gradient_array);

/*
 * Expected gradients
 */

enum
{
	EG_OUTPUT = 2,
	EG_SPACE,
	EG_SAMPLES,
	EG_SEED
};

static void
plan_expected(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, int reference,
			  ex_expected_call *call)
{
	memset(call, 0, sizeof(*call));
	call->x = site->row->x;
	call->space = call_site_space(site, fcinfo, EG_SPACE);
	call->samples = int4_option(fcinfo, EG_SAMPLES, "samples");
	call->seed = int8_option(fcinfo, EG_SEED, "seed");
	call->background = site->entry->background;
	if (!PG_ARGISNULL(reference))
		call->background = (ex_background)
	{
		.row = input_read(site->reader, site->entry, kind, PG_GETARG_DATUM(reference), 1)->x,
			.n = 1
	};
}

/* expected_gradients(model, input, output, space, samples, seed, top_k, direction, rest, reference) */
static Datum
expected_gradients(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	RowWriter	writer;
	RowSelection selection;
	CallSite   *site;
	ex_outputs	outputs;
	ex_expected_call call;
	ex_expected_result result;
	Prediction	both;
	Size		p;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	row_selection_args(fcinfo, 6, 7, 8, &selection);
	site = call_site_input(fcinfo, source, kind);
	plan_expected(site, fcinfo, kind, 9, &call);
	outputs = call_site_outputs(site, fcinfo, EG_OUTPUT);
	both = predict_row(site);
	p = site->entry->model->n_features;
	result.value = call_site_doubles(site, 4 * p);
	result.std_error = result.value + p;
	result.ci_low = result.std_error + p;
	result.ci_high = result.ci_low + p;
	for (uint32 i = 0; i < outputs.count; i++)
	{
		Attribution a = attribution_of(site, both, outputs.first + i, call.space, "expected_gradients");
		void	   *outer = call_site_begin_output(site);

		call.output = outputs.first + i;
		EX_PG(site->host, ex_expected_gradients(site->entry->compiled, site->host, &call, &result));
		EX_PG(site->host, ex_expected_base(site->entry->compiled, site->host, &call, &a.base_value));
		call_site_end_output(site, outer);
		a.value = result.value;
		a.std_error = result.std_error;
		a.ci_low = result.ci_low;
		a.ci_high = result.ci_high;
		attribution_rows(&writer, &a, &selection);
	}
	return (Datum) 0;
}

INPUT_OVERLOADS(expected_gradients);

/* expected_gradient_array(model, input, output, space, samples, seed, reference) */
static Datum
expected_gradient_array(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	CallSite   *site;
	ex_expected_call call;
	ex_expected_result result = {NULL, NULL, NULL, NULL};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	plan_expected(site, fcinfo, kind, 6, &call);
	call.output = call_site_output(site, fcinfo, EG_OUTPUT);
	result.value = call_site_doubles(site, site->entry->model->n_features);
	EX_PG(site->host, ex_expected_gradients(site->entry->compiled, site->host, &call, &result));
	return feature_array(site, result.value);
}

INPUT_OVERLOADS(expected_gradient_array);
