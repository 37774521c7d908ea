/*
 * predict_batch.c
 *		predict_batch(model, input, output, space) OVER (...)
 */
#include "bulk/bulk.h"

#include "predict/predict.h"

typedef struct PredictPlan
{
	uint32		output;
	ex_space	space;
} PredictPlan;

static uint64
plan_predict(CallSite *site, FunctionCallInfo fcinfo, InputKind kind, void *plan)
{
	PredictPlan *predict = plan;

	predict->output = call_site_output(site, fcinfo, 2);
	predict->space = call_site_space(site, fcinfo, 3);
	return site->entry->model->n_outputs;
}

/*
 * Without a BLAS a network gives many rows the bits that it gives each, which
 * is what this function promises.
 */
static void
run_predict(CallSite *site, const void *plan, const double *x, uint32 n, double *result)
{
	const PredictPlan *predict = plan;
	ex_compiled *compiled = site->entry->compiled;
	ex_host		host = *site->host;

	host.gemm = NULL;
	EX_PG(&host, compiled->family->predict_raw(compiled, &host, x, n, result));
	for (uint32 i = 0; predict->space == EX_RESPONSE && i < n; i++, result += site->entry->model->n_outputs)
		ex_response(site->entry->model, result, result);
}

static Datum
answer_predict(CallSite *site, const void *plan, const double *result)
{
	const PredictPlan *predict = plan;

	return prediction_datum(result[predict->output]);
}

static Datum
predict_batch(FunctionCallInfo fcinfo, ModelSource source, InputKind kind)
{
	static const BulkMethod method = {
		.name = "predict_batch",
		.plan = plan_predict,
		.plan_size = sizeof(PredictPlan),
		.run = run_predict,
		.answer = answer_predict
	};

	return bulk_call(fcinfo, source, kind, &method);
}

INPUT_OVERLOADS(predict_batch);
