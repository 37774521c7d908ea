/*
 * fuzz_table_rows.c
 *		States of the aggregates that build models, which merge and final take
 *		from anybody: bytes that say that they are rows of a table.
 *
 * Magic and version are put right, since otherwise nothing else would be
 * tested; the first byte chooses the table.  Rows that are accepted are safe to
 * merge; a model that they make is safe to use, and aligned with itself it is
 * itself.
 */
#include <math.h>

#include "host_malloc.h"
#include "linear_rows.h"
#include "model_align.h"
#include "model_edit.h"
#include "parameters.h"
#include "tree_rows.h"

#define HEADER_SIZE 6

static void
use(ex_host *host, const ex_model *model)
{
	ex_parameter_layer layer[EX_MAX_PARAMETER_LAYERS];
	int			n_layers;
	ex_compiled *compiled;
	double	   *x;
	double	   *raw;

	if (ex_compile(host, model, 1024 * 1024, &compiled) != EX_OK ||
		EX_ALLOC(host, model->n_features, &x) != EX_OK ||
		EX_ALLOC(host, model->n_outputs, &raw) != EX_OK)
		return;
	for (int variant = 0; variant < 3; variant++)
	{
		for (uint32_t i = 0; i < model->n_features; i++)
			x[i] = variant == 0 ? i % 3 : variant == 1 ? NAN : -1;
		(void) compiled->family->predict_raw(compiled, host, x, 1, raw);
	}
	(void) ex_model_parameters(host, model, layer, &n_layers);
}

static void
align(ex_host *host, const ex_model *model)
{
	ex_builder	builder;
	ex_model   *again;

	if (ex_align_features(host, model, model, &builder) != EX_OK ||
		ex_edit_outputs_of(&builder, model) != EX_OK ||
		ex_build(&builder, &again) != EX_OK ||
		memcmp(again->digest, model->digest, sizeof(model->digest)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const ex_table *table = size > 0 && data[0] % 2 ? &ex_node_table : &ex_coefficient_table;
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_buffer	rows = {0};
	ex_builder	builder;
	ex_model   *model;
	ex_status	status;
	size_t		n;
	size_t		twice;
	uint8_t    *bytes;

	if (size == 0)
		return 0;
	if (ex_rows_begin(host, &rows, table) != EX_OK || rows.size != HEADER_SIZE ||
		ex_append(host, &rows, data + 1, size - 1) != EX_OK)
		abort();
	bytes = malloc(rows.size);	/* of its own size, so that an overrun shows */
	memcpy(bytes, rows.data, rows.size);
	if (ex_rows_check(host, table, bytes, rows.size, &n) == EX_OK &&
		(ex_rows_merge(host, &rows, bytes, rows.size) != EX_OK ||
		 ex_rows_check(host, table, rows.data, rows.size, &twice) != EX_OK || twice != 2 * n))
		abort();
	status = table == &ex_node_table ? ex_tree_from_rows(host, bytes, size - 1 + HEADER_SIZE, &builder) :
		ex_linear_from_rows(host, bytes, size - 1 + HEADER_SIZE, &builder);
	if (status == EX_OK && ex_build(&builder, &model) == EX_OK)
	{
		align(host, model);
		use(host, model);
	}
	free(bytes);
	ex_arena_free(&arena);
	return 0;
}
