/*
 * shap.c
 *		Shapley values: shap_values, shap_array, shap_interactions,
 *		shap_interaction_array, base_value, attributions.
 *
 * This file shapes the answer; plan.c reads what is asked for, and the
 * mathematics is in the closed forms that a family offers (ex_shap_method).
 */
#include "shap/plan.h"

#include <math.h>

#include "kernel/attribution.h"
#include "miscadmin.h"
#include "predict/predict.h"
#include "rows/array.h"
#include "rows/attribution.h"
#include "utils/array.h"
#include "utils/builtins.h"

typedef ex_status (*ShapKernel) (ex_compiled *, ex_host *, const ex_shap_call *, double *, double *);

/* Values or interactions of all outputs of the plan: `width` numbers for each. */
static void
run_kernel(CallSite *site, const ShapPlan *plan, ShapKernel kernel, uint64 width,
		   double **value, double **base)
{
	ex_compiled *compiled = site->entry->compiled;
	uint32		count = plan->call.outputs.count;

	*value = call_site_doubles(site, width * count);
	*base = call_site_doubles(site, count);
	EX_PG(site->host, kernel(compiled, site->host, &plan->call, *value, *base));
	if (plan->difference)
	{
		ex_shap_call call = shap_versus_call(plan);
		double	   *other = call_site_doubles(site, width);
		double		other_base;

		EX_PG(site->host, kernel(compiled, site->host, &call, other, &other_base));
		ex_subtract(*value, other, width);
		ex_subtract(*base, &other_base, 1);
	}
}

static void
run_values(CallSite *site, const ShapPlan *plan, double **value, double **base)
{
	run_kernel(site, plan, plan->method->values, site->entry->model->n_features, value, base);
}

static void
run_interactions(CallSite *site, const ShapPlan *plan, double **value, double **base)
{
	uint64		p = site->entry->model->n_features;

	shap_check_interactions(plan);
	run_kernel(site, plan, plan->method->interactions, p * p, value, base);
}

/*
 * Shaping the answer
 */

/* Prediction columns of output k, or of its difference to another. */
static void
set_prediction(CallSite *site, const ShapPlan *plan, Prediction both, uint32 k, Attribution *a)
{
	explained_output(site, plan->call.space, both, k, a);
	if (plan->difference)
	{
		a->output = psprintf("%s - %s", a->output, output_name(site->entry, plan->versus));
		ex_subtract(&a->prediction, &both.raw[plan->versus], 1);
		a->prediction_response = NAN;
	}
}

/* shap_values(model, input, output, space, method, top_k, direction, rest, versus, reference) */
static Datum
shap_values(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const ShapArgs args = {.output = 2, .space = 3, .method = 4, .versus = 8, .reference = 9};
	RowWriter	writer;
	RowSelection selection;
	CallSite   *site;
	ShapPlan	plan;
	Prediction	both;
	double	   *value;
	double	   *base;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	row_selection_args(fcinfo, 5, 6, 7, &selection);
	site = call_site_input(fcinfo, source, kind);
	shap_plan(site, fcinfo, kind, &args, &plan);
	plan.call.x = site->row->x;
	run_values(site, &plan, &value, &base);
	both = predict_row(site);
	for (uint32 i = 0; i < plan.call.outputs.count; i++)
	{
		Attribution a = {
			.entry = site->entry,
			.row = site->row,
			.value = value + (size_t) i * site->entry->model->n_features,
			.base_value = base[i],
			.additive = true,
			.method = plan.method->name
		};

		set_prediction(site, &plan, both, plan.call.outputs.first + i, &a);
		attribution_rows(&writer, &a, &selection);
	}
	return (Datum) 0;
}

INPUT_OVERLOADS(shap_values);

/* Array functions explain one output: several need output => to choose. */
static CallSite *
plan_array(FunctionCallInfo fcinfo, ModelSource source, InputKind kind, ShapPlan *plan)
{
	static const ShapArgs args = {.output = 2, .space = 3, .method = 4, .versus = 5, .reference = 6};
	CallSite   *site = call_site_input(fcinfo, source, kind);

	call_site_output(site, fcinfo, args.output);
	shap_plan(site, fcinfo, kind, &args, plan);
	plan->call.x = site->row->x;
	return site;
}

/* shap_array(model, input, output, space, method, versus, reference) */
static Datum
shap_array(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	CallSite   *site;
	ShapPlan	plan;
	double	   *value;
	double	   *base;
	int			dims[1];

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = plan_array(fcinfo, source, kind, &plan);
	run_values(site, &plan, &value, &base);
	dims[0] = (int) site->entry->model->n_features;
	return float8_array(value, 1, dims);
}

INPUT_OVERLOADS(shap_array);

/* shap_interaction_array(model, input, output, space, method, versus, reference) */
static Datum
shap_interaction_array(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	CallSite   *site;
	ShapPlan	plan;
	double	   *value;
	double	   *base;
	int			dims[2];

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = plan_array(fcinfo, source, kind, &plan);
	run_interactions(site, &plan, &value, &base);
	dims[0] = dims[1] = (int) site->entry->model->n_features;
	return float8_array(value, 2, dims);
}

INPUT_OVERLOADS(shap_interaction_array);

/* Ordered pairs of features by size of their interaction. */
typedef struct Pair
{
	uint32		i;
	uint32		j;
	double		value;
} Pair;

static int
compare_pairs(const void *a, const void *b, void *unused)
{
	const Pair *left = a;
	const Pair *right = b;
	double		difference = fabs(right->value) - fabs(left->value);

	if (difference != 0)
		return difference > 0 ? 1 : -1;
	if (left->i != right->i)
		return left->i < right->i ? -1 : 1;
	return left->j < right->j ? -1 : left->j > right->j;
}

/* Columns of explain.interaction, in the order of the type in sql/. */
static void
interaction_row(RowWriter *writer, const Attribution *a, char *const *value, const Pair *pair, int rank)
{
	uint32		length;
	const char *name = ex_get_name(a->entry->model, EX_FEATURE_NAME_START, pair->i, &length);

	row_text(writer, a->output);
	row_int4(writer, rank);
	row_text_n(writer, name, length);
	name = ex_get_name(a->entry->model, EX_FEATURE_NAME_START, pair->j, &length);
	row_text_n(writer, name, length);
	row_text(writer, value[pair->i]);
	row_text(writer, value[pair->j]);
	row_float8(writer, pair->value);
	row_float8(writer, a->base_value);
	row_float8(writer, a->prediction);
	row_float8(writer, a->prediction_response);
	row_text(writer, space_name(a->space));
	row_text(writer, a->method);
	row_text(writer, pair->i == pair->j ? "main" : "interaction");
	row_end(writer);
}

static void
interaction_rows(RowWriter *writer, const Attribution *a)
{
	uint32		p = a->entry->model->n_features;
	Pair	   *pair = palloc_extended((Size) p * p * sizeof(Pair), MCXT_ALLOC_HUGE);
	char	  **value = palloc(p * sizeof(char *));
	uint64		n = 0;

	for (uint32 i = 0; i < p; i++)
		value[i] = input_value_text(a->entry, a->row, i);
	for (uint32 i = 0; i < p; i++)
		for (uint32 j = 0; j < p; j++, n++)
			pair[n] = (Pair) {i, j, a->value[n]};
	qsort_interruptible(pair, n, sizeof(Pair), compare_pairs, NULL);
	for (uint64 k = 0; k < n; k++)
	{
		CHECK_FOR_INTERRUPTS();
		interaction_row(writer, a, value, &pair[k], (int) k + 1);
	}
	pfree(pair);
}

/* shap_interactions(model, input, output, space, method, versus, reference) */
static Datum
shap_interactions(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const ShapArgs args = {.output = 2, .space = 3, .method = 4, .versus = 5, .reference = 6};
	RowWriter	writer;
	CallSite   *site;
	ShapPlan	plan;
	Prediction	both;
	double	   *value;
	double	   *base;
	uint64		p;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = call_site_input(fcinfo, source, kind);
	shap_plan(site, fcinfo, kind, &args, &plan);
	plan.call.x = site->row->x;
	run_interactions(site, &plan, &value, &base);
	both = predict_row(site);
	p = site->entry->model->n_features;
	for (uint32 i = 0; i < plan.call.outputs.count; i++)
	{
		Attribution a = {
			.entry = site->entry,
			.row = site->row,
			.value = value + i * p * p,
			.base_value = base[i],
			.additive = true,
			.method = plan.method->name
		};

		set_prediction(site, &plan, both, plan.call.outputs.first + i, &a);
		interaction_rows(&writer, &a);
	}
	return (Datum) 0;
}

INPUT_OVERLOADS(shap_interactions);

/* The value that attributions start from, for one output. */
static double
base_of(CallSite *site, const ShapPlan *plan)
{
	double		base;

	EX_PG(site->host, plan->method->base(site->entry->compiled, site->host, &plan->call, &base));
	return base;
}

/*
 * In response space the base value is the mean response over the background,
 * whatever the method (never the response of the mean).
 */
static double
response_base(CallSite *site, const ShapPlan *plan)
{
	double		base;

	EX_PG(site->host, ex_mean_response(site->entry->compiled, site->host, plan->call.outputs,
									   &plan->call.background, &base));
	return base;
}

/* base_value(model, output, method, space) */
static Datum
base_value(FunctionCallInfo fcinfo, ModelSource source)
{
	CallSite   *site;
	ShapPlan	plan = {0};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	site = call_site_model(fcinfo, source);
	plan.call.outputs = (ex_outputs) {call_site_output(site, fcinfo, 1), 1};
	plan.call.space = call_site_space(site, fcinfo, 3);
	plan.call.background = site->entry->background;
	if (plan.call.space == EX_RESPONSE && site->entry->model->link != EX_LINK_IDENTITY)
		PG_RETURN_FLOAT8(response_base(site, &plan));
	shap_plan_method(site, fcinfo, 2, &plan);
	PG_RETURN_FLOAT8(base_of(site, &plan));
}

MODEL_OVERLOADS(base_value);

/* The stored array of attributions(...), checked against the model. */
static const double *
stored_values(CallSite *site, Datum argument)
{
	ArrayType  *array = DatumGetArrayTypeP(argument);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const double *value = (const double *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array of attributions must have one dimension, not %d", ARR_NDIM(array))));
	if ((uint32) n != site->entry->model->n_features)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %u attributions, not %d", site->entry->model->n_features, n),
				 errhint("Use the model that the array was made with.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array of attributions must not contain nulls")));
	for (int i = 0; i < n; i++)
		if (!isfinite(value[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("attribution %d is not a finite number", i + 1)));
	return value;
}

/*
 * Base value of stored attributions: of the method they were made with, when
 * it can say (the residual then tells whether the array fits the row).
 */
static double
stored_base(CallSite *site, FunctionCallInfo fcinfo, const ShapArgs *args, ShapPlan *plan)
{
	double		base;

	shap_plan_method(site, fcinfo, args->method, plan);
	base = base_of(site, plan);
	if (plan->difference)
	{
		ShapPlan	other = *plan;
		double		other_base;

		other.call = shap_versus_call(plan);
		other_base = base_of(site, &other);
		ex_subtract(&base, &other_base, 1);
	}
	return base;
}

/* attributions(model, values, input, output, space, method, top_k, direction, rest, versus) */
static Datum
attributions(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const ShapArgs args = {.output = 3, .space = 4, .method = 5, .versus = 9, .reference = -1};
	RowWriter	writer;
	RowSelection selection;
	CallSite   *site;
	ShapPlan	plan = {0};
	Attribution a = {.additive = true};

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	row_selection_args(fcinfo, 6, 7, 8, &selection);
	site = call_site_model(fcinfo, source);
	call_site_row(site, fcinfo, kind, 2);
	plan.call.x = site->row->x;
	plan.call.outputs = (ex_outputs) {call_site_output(site, fcinfo, args.output), 1};
	plan.call.space = call_site_space(site, fcinfo, args.space);
	plan.call.background = site->entry->background;
	shap_plan_versus(site, fcinfo, &args, &plan);

	a.entry = site->entry;
	a.row = site->row;
	a.value = stored_values(site, PG_GETARG_DATUM(1));
	a.base_value = stored_base(site, fcinfo, &args, &plan);
	a.method = plan.method->name;
	set_prediction(site, &plan, predict_row(site), plan.call.outputs.first, &a);
	attribution_rows(&writer, &a, &selection);
	return (Datum) 0;
}

INPUT_OVERLOADS(attributions);
