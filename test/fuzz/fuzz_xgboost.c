/*
 * fuzz_xgboost.c
 *		Any bytes into the reader of XGBoost models; what it accepts must be a
 *		model that predicts.
 */
#include <math.h>

#include "family.h"
#include "host_malloc.h"
#include "xgboost.h"

static void
predict(ex_host *host, const ex_model *model)
{
	ex_compiled *compiled;
	double	   *x;
	double	   *raw;

	if (ex_compile(host, model, 1 << 20, &compiled) != EX_OK ||
		EX_ALLOC(host, model->n_features, &x) != EX_OK ||
		EX_ALLOC(host, model->n_outputs, &raw) != EX_OK)
		return;
	for (uint32_t i = 0; i < model->n_features; i++)
		x[i] = i % 3 == 0 ? NAN : (double) i - 1;
	if (compiled->family->predict_raw(compiled, host, x, 1, raw) == EX_OK)
		ex_response(model, raw, raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_json_format format;
	ex_builder	builder;
	ex_xgboost_note note;
	ex_model   *model;
	int			iterations = size % 8 == 0 ? 1 : -1;

	if (ex_xgboost_format(host, data, size, &format) == EX_OK &&
		ex_xgboost_read(host, format, data, size, iterations, &builder, &note) == EX_OK &&
		ex_build(&builder, &model) == EX_OK)
		predict(host, model);
	ex_arena_free(&arena);
	return 0;
}
