/*
 * fuzz_model_json.c
 *		Any text into the JSON form of models.  What is accepted must come back
 *		from its own text byte for byte, predict, and explain itself.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host_malloc.h"
#include "model_json.h"
#include "network_size.h"

#define MAX_NUMBERS 100000		/* beyond, explaining takes too long for a fuzzer */

/* The text of a model gives the same model. */
static void
check_text(ex_host *host, const ex_model *model)
{
	ex_buffer	text = {0};
	ex_model   *again;

	if (ex_model_to_json(host, model, &text) != EX_OK)
		return;
	if (ex_model_from_json(host, text.data, text.size, &again) != EX_OK ||
		again->size != model->size || memcmp(again, model, model->size) != 0)
		abort();
}

/* Every closed form that says it can run does, or has an error to report. */
static void
explain(ex_compiled *compiled, ex_host *host, const double *x)
{
	const ex_model *model = compiled->model;
	size_t		p = model->n_features;
	ex_shap_call call = {.x = x,.outputs = {0, model->n_outputs}};
	double	   *phi;
	double	   *base;

	if (p * p * model->n_outputs > MAX_NUMBERS ||
		ex_alloc(host, p * p * model->n_outputs, sizeof(double), (void **) &phi) != EX_OK ||
		EX_ALLOC(host, model->n_outputs, &base) != EX_OK)
		return;
	ex_own_background(model, &call.background);
	for (int i = 0; i < compiled->family->n_shap_methods; i++)
	{
		const ex_shap_method *method = &compiled->family->shap_methods[i];

		for (int space = EX_RAW; space <= EX_RESPONSE; space++)
		{
			call.space = (ex_space) space;
			if (method->check(compiled, host, call.space, &call.background) != EX_OK)
				continue;
			(void) method->values(compiled, host, &call, phi, base);
			(void) method->base(compiled, host, &call, base);
			if (method->interactions != NULL)
				(void) method->interactions(compiled, host, &call, phi, base);
		}
	}
}

static void
use(ex_host *host, const ex_model *model)
{
	ex_compiled *compiled;
	double	   *x;
	double	   *raw;

	if (network_is_large(model) ||
		ex_compile(host, model, 1 << 20, &compiled) != EX_OK ||
		EX_ALLOC(host, model->n_features, &x) != EX_OK ||
		EX_ALLOC(host, model->n_outputs, &raw) != EX_OK)
		return;
	for (uint32_t i = 0; i < model->n_features; i++)
		x[i] = i % 3 == 0 ? NAN : (double) i - 1;
	if (compiled->family->predict_raw(compiled, host, x, 1, raw) == EX_OK)
		ex_response(model, raw, raw);
	explain(compiled, host, x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_model   *model;

	if (ex_model_from_json(host, (const char *) data, size, &model) == EX_OK)
	{
		check_text(host, model);
		use(host, model);
	}
	ex_arena_free(&arena);
	return 0;
}
