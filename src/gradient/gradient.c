/*
 * gradient.c
 *		feature_gradient, gradient_array, guided_backprop, deconvnet and
 *		total_derivative: the arguments and the rows; the mathematics is in
 *		kernel/gradient.h.
 */
#include "call_site.h"

#include <math.h>

#include "kernel/attribution.h"
#include "kernel/gradient.h"
#include "options.h"
#include "predict/predict.h"
#include "rows/array.h"
#include "rows/attribution.h"

/* Arguments 2 to 9 of all functions that choose a method; the same order. */
enum
{
	ARG_OUTPUT = 2,
	ARG_SPACE,
	ARG_METHOD,
	ARG_SAMPLES,
	ARG_NOISE,
	ARG_SIGMA,
	ARG_SEED,
	ARG_WINDOW_SD
};

/* Defaults of the options, for functions that do not have them. */
#define DEFAULT_SAMPLES 50
#define DEFAULT_NOISE 0.1
#define DEFAULT_WINDOW_SD 1

/* What is explained, and the row that levels are compared with. */
typedef struct GradientPlan
{
	ex_outputs	outputs;
	ex_gradient_call call;		/* but for the output */
	const InputRow *reference;	/* NULL: none */
} GradientPlan;

static ex_gradient_method
method_arg(CallSite *site, FunctionCallInfo fcinfo, int argno)
{
	ex_gradient_method method = EX_GRADIENT;
	text	   *label;
	char	   *utf8;

	if (PG_ARGISNULL(argno))
		return method;
	label = PG_GETARG_TEXT_PP(argno);
	if (ex_find_gradient_method(site->host, VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label), &method) != EX_OK)
	{
		utf8 = host_pg_to_utf8(VARDATA_ANY(label), (int) VARSIZE_ANY_EXHDR(label));
		EX_PG(site->host, ex_find_gradient_method(site->host, utf8, strlen(utf8), &method));
	}
	return method;
}

/* What does not depend on the arguments. */
static void
plan_row(CallSite *site, GradientPlan *plan)
{
	ex_gradient_call *call = &plan->call;

	memset(plan, 0, sizeof(*plan));
	call->x = site->row->x;
	call->missing = site->row->missing;
	call->stat = site->entry->background.stat;
	call->level_count = site->entry->background.level;
	call->samples = DEFAULT_SAMPLES;
	call->noise = DEFAULT_NOISE;
	call->window_sd = DEFAULT_WINDOW_SD;
}

static void
plan_gradient(CallSite *site, FunctionCallInfo fcinfo, GradientPlan *plan)
{
	ex_gradient_call *call = &plan->call;

	plan_row(site, plan);
	call->space = call_site_space(site, fcinfo, ARG_SPACE);
	call->method = method_arg(site, fcinfo, ARG_METHOD);
	call->samples = int4_option(fcinfo, ARG_SAMPLES, "samples");
	call->noise = float8_option(fcinfo, ARG_NOISE, "noise");
	call->sigma = numbers_option(fcinfo, ARG_SIGMA, "sigma", site->entry->model->n_features);
	call->seed = int8_option(fcinfo, ARG_SEED, "seed");
	call->window_sd = float8_option(fcinfo, ARG_WINDOW_SD, "window_sd");
}

/* reference => row: the levels that categories are compared with. */
static void
plan_reference(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, int argno, GradientPlan *plan)
{
	if (PG_ARGISNULL(argno))
		return;
	plan->reference = input_read(site->reader, site->entry, kind, PG_GETARG_DATUM(argno), 1);
	plan->call.reference = plan->reference->x;
}

/* ---- rows ---- */

/* Columns of explain.gradient beyond those of explain.attribution. */
typedef struct GradientColumns
{
	const InputRow *reference;
	const double *level;
	const double *step;
} GradientColumns;

/* The value compared with, as text; NULL for a derivative. */
static char *
compared_value(const ModelEntry *entry, const GradientColumns *columns, uint32 i)
{
	const uint8 *kind = ex_get(entry->model, EX_FEATURE_KIND, NULL);
	double		level = columns->level[i];
	char		code[12];
	const char *name;
	uint32		length;

	if (isnan(level))
		return NULL;
	if (kind[i] == EX_BOOLEAN)
		return "false";
	if (level < 0)				/* only a reference row has such a level */
		return input_value_text(entry, columns->reference, i);
	name = ex_level_name(entry->model, i, (uint32) level, code, &length);
	return host_pg_from_utf8(name, (int) length);
}

/* reference_value and step */
static void
more_columns(RowWriter *writer, const Attribution *attribution, int32 feature)
{
	const GradientColumns *columns = attribution->more_data;

	row_text(writer, feature < 0 ? NULL : compared_value(attribution->entry, columns, (uint32) feature));
	row_float8(writer, feature < 0 ? NAN : columns->step[feature]);
}

static void
gradient_rows(CallSite *site, RowWriter *writer, const GradientPlan *plan, uint32 output,
			  const RowSelection *selection)
{
	uint32		p = site->entry->model->n_features;
	bool		sampled = ex_gradient_samples(plan->call.method);
	Prediction	both = predict_row(site);
	double	   *buffer = call_site_doubles(site, 6 * (uint64) p);
	ex_gradient_result result = {buffer, buffer + p, buffer + 2 * (Size) p, buffer + 3 * (Size) p};
	GradientColumns columns = {plan->reference, result.level, result.step};
	ex_gradient_call call = plan->call;
	Attribution a = {
		.entry = site->entry,
		.row = site->row,
		.output = output_name(site->entry, output),
		.value = result.value,
		.base_value = NAN,
		.prediction = call.space == EX_RAW ? both.raw[output] : both.response[output],
		.prediction_response = both.response[output],
		.space = call.space,
		.method = ex_gradient_method_names[call.method],
		.more = more_columns,
		.more_data = &columns
	};

	call.output = output;
	EX_PG(site->host, ex_gradient(site->entry->compiled, site->host, &call, &result));
	if (sampled)
	{
		a.std_error = result.std_error;
		a.ci_low = buffer + 4 * (Size) p;
		a.ci_high = buffer + 5 * (Size) p;
		ex_normal_intervals(result.value, result.std_error, p, buffer + 4 * (Size) p, buffer + 5 * (Size) p);
	}
	attribution_rows(writer, &a, selection);
}

static void
all_rows(CallSite *site, RowWriter *writer, const GradientPlan *plan, const RowSelection *selection)
{
	for (uint32 i = 0; i < plan->outputs.count; i++)
	{
		void	   *outer = call_site_begin_output(site);

		gradient_rows(site, writer, plan, plan->outputs.first + i, selection);
		call_site_end_output(site, outer);
	}
}

/*
 * feature_gradient(model, input, output, space, method, samples, noise, sigma,
 * seed, window_sd, top_k, direction, reference)
 */
static Datum
feature_gradient(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	RowWriter	writer;
	RowSelection selection;
	GradientPlan plan;
	CallSite   *site;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	row_selection_args(fcinfo, 10, 11, -1, &selection);
	site = call_site_input(fcinfo, source, kind);
	plan_gradient(site, fcinfo, &plan);
	plan_reference(site, fcinfo, kind, 12, &plan);
	plan.outputs = call_site_outputs(site, fcinfo, ARG_OUTPUT);
	all_rows(site, &writer, &plan, &selection);
	return (Datum) 0;
}

INPUT_OVERLOADS(feature_gradient);

/*
 * gradient_array(model, input, output, space, method, samples, noise, sigma,
 * seed, window_sd, reference)
 */
static Datum
gradient_array(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	GradientPlan plan;
	CallSite   *site;
	ex_gradient_result result = {0};
	int			dims[1];

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	plan_gradient(site, fcinfo, &plan);
	plan_reference(site, fcinfo, kind, 10, &plan);
	plan.call.output = call_site_output(site, fcinfo, ARG_OUTPUT);
	dims[0] = (int) site->entry->model->n_features;
	result.value = call_site_doubles(site, site->entry->model->n_features);
	EX_PG(site->host, ex_gradient(site->entry->compiled, site->host, &plan.call, &result));
	return float8_array(result.value, 1, dims);
}

INPUT_OVERLOADS(gradient_array);

/* (model, input, output, top_k, direction) */
static Datum
by_rule(FunctionCallInfo fcinfo, ModelSource source, InputKind kind, ex_gradient_method method)
{
	RowWriter	writer;
	RowSelection selection;
	GradientPlan plan;
	CallSite   *site;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	row_selection_args(fcinfo, 3, 4, -1, &selection);
	site = call_site_input(fcinfo, source, kind);
	plan_row(site, &plan);
	plan.call.method = method;
	plan.outputs = call_site_outputs(site, fcinfo, ARG_OUTPUT);
	all_rows(site, &writer, &plan, &selection);
	return (Datum) 0;
}

static Datum
guided_backprop(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	return by_rule(fcinfo, source, kind, EX_GRADIENT_GUIDED_BACKPROP);
}

INPUT_OVERLOADS(guided_backprop);

static Datum
deconvnet(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	return by_rule(fcinfo, source, kind, EX_GRADIENT_DECONVNET);
}

INPUT_OVERLOADS(deconvnet);

/* ---- total derivative ---- */

static void
check_is_derivative(ex_gradient_method method)
{
	if (method != EX_GRADIENT && method != EX_GRADIENT_SMOOTH && method != EX_GRADIENT_FINITE_DIFFERENCE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("values of method \"%s\" are not derivatives and have no total",
						ex_gradient_method_names[method]),
				 errhint("Methods with a total derivative are gradient, smooth and finite_difference.")));
}

/* Columns of explain.total_derivative_row. */
static void
total_row(CallSite *site, RowWriter *writer, const GradientPlan *plan, uint32 output)
{
	const ex_model *model = site->entry->model;
	ex_gradient_call call = plan->call;
	ex_gradient_result result = {.value = call_site_doubles(site, model->n_features)};
	ex_total_derivative total;

	call.output = output;
	EX_PG(site->host, ex_gradient(site->entry->compiled, site->host, &call, &result));
	EX_PG(site->host, ex_sum_derivatives(site->host, model, call.stat, result.value, &total));
	row_text(writer, output_name(site->entry, output));
	row_float8(writer, total.total);
	row_float8(writer, total.standardised);
	row_int4(writer, (int32) total.n);
	row_int4(writer, (int32) (model->n_features - total.n));
	row_text(writer, space_name(call.space));
	row_text(writer, ex_gradient_method_names[call.method]);
	row_end(writer);
}

/* total_derivative(model, input, output, space, method, samples, noise, sigma, seed, window_sd) */
static Datum
total_derivative(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	RowWriter	writer;
	GradientPlan plan;
	ex_outputs	outputs;
	CallSite   *site;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	plan_gradient(site, fcinfo, &plan);
	check_is_derivative(plan.call.method);
	outputs = call_site_outputs(site, fcinfo, ARG_OUTPUT);
	for (uint32 i = 0; i < outputs.count; i++)
	{
		void	   *outer = call_site_begin_output(site);

		total_row(site, &writer, &plan, outputs.first + i);
		call_site_end_output(site, outer);
	}
	return (Datum) 0;
}

INPUT_OVERLOADS(total_derivative);
