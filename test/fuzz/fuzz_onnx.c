/*
 * fuzz_onnx.c
 *		Any bytes into the reader of ONNX files; what it accepts must be a model
 *		that predicts.
 */
#include <math.h>

#include "family.h"
#include "host_malloc.h"
#include "onnx.h"

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
		x[i] = i % 3 == 2 ? NAN : (double) i - 1;
	if (compiled->family->predict_raw(compiled, host, x, 1, raw) == EX_OK)
		ex_response(model, raw, raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"a", "b"};
	ex_onnx_options options = {0};
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_model   *model;

	/* the size says which options are given */
	if (size % 8 == 1)
		options.graph_output = "y";
	if (size % 8 == 2)
	{
		options.feature = names;
		options.n_features = 2;
	}
	if (ex_onnx_read(host, data, size, &options, &builder) == EX_OK && ex_build(&builder, &model) == EX_OK)
		predict(host, model);
	ex_arena_free(&arena);
	return 0;
}
