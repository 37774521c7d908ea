/*
 * fuzz_model_wire.c
 *		The binary form of a model: what recv takes from anybody.
 *
 * The digest at the end is put right before reading, since otherwise nothing
 * but the digest check would ever be tested.  Whatever is accepted must then
 * be safe to use in every way: predict it, explain it, print it, read it back.
 */
#include <math.h>
#include <stdio.h>

#include "family.h"
#include "host_malloc.h"
#include "model_json.h"
#include "network_size.h"

#define DIGEST_SIZE 16
#define MOST_CELLS 2000			/* features, outputs: explain small models only */

static void
explain(ex_host *host, ex_compiled *compiled, const double *x)
{
	const ex_model *model = compiled->model;
	size_t		cells = (size_t) model->n_features * model->n_outputs;
	ex_shap_call call = {.x = x,.outputs = {0, model->n_outputs}};
	double	   *phi;
	double	   *base;

	ex_own_background(model, &call.background);
	if (EX_ALLOC(host, cells * model->n_features, &phi) != EX_OK ||
		EX_ALLOC(host, model->n_outputs, &base) != EX_OK)
		return;
	for (int i = 0; i < compiled->family->n_shap_methods; i++)
	{
		const ex_shap_method *method = &compiled->family->shap_methods[i];

		if (method->check(compiled, host, EX_RAW, &call.background) != EX_OK)
			continue;
		(void) method->values(compiled, host, &call, phi, base);
		(void) method->base(compiled, host, &call, base);
		if (method->interactions != NULL && cells * model->n_features <= MOST_CELLS)
			(void) method->interactions(compiled, host, &call, phi, base);
	}
}

static void
use(ex_host *host, const ex_model *model)
{
	ex_compiled *compiled;
	double	   *x;
	double	   *raw;

	if (network_is_large(model) ||
		ex_compile(host, model, 1024 * 1024, &compiled) != EX_OK ||
		EX_ALLOC(host, model->n_features, &x) != EX_OK ||
		EX_ALLOC(host, model->n_outputs, &raw) != EX_OK)
		return;
	for (int variant = 0; variant < 3; variant++)
	{
		for (uint32_t i = 0; i < model->n_features; i++)
			x[i] = variant == 0 ? i % 3 : variant == 1 ? NAN : -1;
		(void) compiled->family->predict_raw(compiled, host, x, 1, raw);
		if ((size_t) model->n_features * model->n_outputs <= MOST_CELLS)
			explain(host, compiled, x);
	}
}

static void
round_trip(ex_host *host, const ex_model *model)
{
	ex_buffer	text = {0};
	ex_buffer	wire = {0};
	ex_model   *again;

	if (ex_wire_write(host, model, &wire) != EX_OK ||
		ex_wire_read(host, wire.data, wire.size, &again) != EX_OK ||
		memcmp(again->digest, model->digest, DIGEST_SIZE) != 0)
		abort();
	if (ex_model_to_json(host, model, &text) != EX_OK)
		return;
	if (ex_model_from_json(host, text.data, text.size, &again) != EX_OK ||
		memcmp(again->digest, model->digest, DIGEST_SIZE) != 0)
	{
		fprintf(stderr, "%.*s\n%s\n", (int) text.size, text.data, host->error.message);
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	uint8_t    *wire;
	uint8_t		digest[32];
	ex_model   *model;

	if (size <= DIGEST_SIZE)
		return 0;
	wire = malloc(size);
	memcpy(wire, data, size);
	ex_sha256(host, &(ex_span) {wire, size - DIGEST_SIZE}, 1, digest);
	memcpy(wire + size - DIGEST_SIZE, digest, DIGEST_SIZE);
	if (ex_wire_read(host, wire, size, &model) == EX_OK)
	{
		round_trip(host, model);
		use(host, model);
	}
	free(wire);
	ex_arena_free(&arena);
	return 0;
}
