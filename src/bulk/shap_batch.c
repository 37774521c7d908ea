/*
 * shap_batch.c
 *		shap_batch and shap_interaction_batch (model, input, output, space,
 *		method, versus, reference) OVER (...)
 */
#include "bulk/bulk.h"

#include "kernel/attribution.h"
#include "rows/array.h"
#include "shap/plan.h"

static void
plan_one_output(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, ShapPlan *plan)
{
	static const ShapArgs args = {.output = 2, .space = 3, .method = 4, .versus = 5, .reference = 6};

	call_site_output(site, fcinfo, args.output);
	shap_plan(site, fcinfo, kind, &args, plan);
}

typedef ex_status (*TileKernel) (const ex_shap_method *, ex_compiled *, ex_host *, const ex_shap_call *,
								 uint32_t, double *);

/* The plan's output, or its difference to another. */
static void
run_tile(CallSite *site, const ShapPlan *plan, TileKernel kernel, const double *x, uint32 n, uint64 width,
		 double *result)
{
	ex_compiled *compiled = site->entry->compiled;
	ex_shap_call call = plan->call;
	double	   *other;

	call.x = x;
	EX_PG(site->host, kernel(plan->method, compiled, site->host, &call, n, result));
	if (!plan->difference)
		return;
	call = shap_versus_call(plan);
	call.x = x;
	other = call_site_doubles(site, n * width);
	EX_PG(site->host, kernel(plan->method, compiled, site->host, &call, n, other));
	ex_subtract(result, other, n * width);
}

/*
 * Values
 */
static uint64
plan_values(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, void *plan)
{
	plan_one_output(site, fcinfo, kind, plan);
	return site->entry->model->n_features;
}

static void
run_values(CallSite *site, const void *plan, const double *x, uint32 n, double *result)
{
	run_tile(site, plan, ex_shap_values_tile, x, n, site->entry->model->n_features, result);
}

static Datum
answer_values(CallSite *site, const void *plan, const double *result)
{
	int			p = (int) site->entry->model->n_features;

	return float8_array(result, 1, &p);
}

static Datum
shap_batch(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const BulkMethod method = {
		.name = "shap_batch",
		.plan = plan_values,
		.plan_size = sizeof(ShapPlan),
		.run = run_values,
		.answer = answer_values
	};

	return bulk_call(fcinfo, source, kind, &method);
}

INPUT_OVERLOADS(shap_batch);

/*
 * Interactions
 */
static uint64
plan_interactions(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, void *plan)
{
	uint64		p = site->entry->model->n_features;

	plan_one_output(site, fcinfo, kind, plan);
	shap_check_interactions(plan);
	return p * p;
}

static void
run_interactions(CallSite *site, const void *plan, const double *x, uint32 n, double *result)
{
	uint64		p = site->entry->model->n_features;

	run_tile(site, plan, ex_shap_interactions_tile, x, n, p * p, result);
}

static Datum
answer_interactions(CallSite *site, const void *plan, const double *result)
{
	int			p = (int) site->entry->model->n_features;
	int			dims[2] = {p, p};

	return float8_array(result, 2, dims);
}

static Datum
shap_interaction_batch(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const BulkMethod method = {
		.name = "shap_interaction_batch",
		.plan = plan_interactions,
		.plan_size = sizeof(ShapPlan),
		.run = run_interactions,
		.answer = answer_interactions
	};

	return bulk_call(fcinfo, source, kind, &method);
}

INPUT_OVERLOADS(shap_interaction_batch);
