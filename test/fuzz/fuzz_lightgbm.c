/*
 * fuzz_lightgbm.c
 *		Any text into the reader of LightGBM models; what it accepts must be a
 *		model that predicts.
 */
#include <math.h>

#include "family.h"
#include "host_malloc.h"
#include "lightgbm.h"

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
	(void) compiled->family->predict_raw(compiled, host, x, 1, raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_builder	builder;
	ex_lightgbm_note note;
	ex_model   *model;
	int			iterations = size % 8 == 0 ? 1 : -1;

	ex_builder_init(&builder, host, EX_TREE);
	if (ex_lightgbm_read(host, (const char *) data, size, iterations, &builder, &note) == EX_OK &&
		ex_build(&builder, &model) == EX_OK)
		predict(host, model);
	ex_arena_free(&arena);
	return 0;
}
