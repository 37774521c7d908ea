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
#include "network_graph.h"
#include "parameters.h"
#include "tree_rows.h"
#include "weight_rows.h"

#define HEADER_SIZE 6

typedef struct table_reader
{
	const ex_table *table;
	ex_status	(*read) (ex_host *host, const void *bytes, size_t size, ex_builder *builder);
} table_reader;

static const table_reader readers[] = {
	{&ex_coefficient_table, ex_linear_from_rows},
	{&ex_node_table, ex_tree_from_rows},
	{&ex_weight_table, ex_network_from_rows}
};

#define N_READERS (sizeof(readers) / sizeof(readers[0]))

static void
use_network(ex_host *host, const ex_model *model)
{
	ex_network_view view;
	ex_parameter_layer layer;
	uint32_t   *rank;

	ex_network_open(model, &view);
	for (uint32_t i = 0; i < view.n_layers; i++)
	{
		(void) ex_network_parameters(host, &view, i, &layer);
		(void) ex_unit_origin(&view, i);
		(void) ex_units_are_outputs(&view, i);
	}
	(void) ex_is_perceptron(&view);
	(void) ex_network_ranks(host, &view, &rank);
}

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
	if (model->family == EX_NETWORK)
		use_network(host, model);
	else
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
	const table_reader *reader = &readers[size > 0 ? data[0] % N_READERS : 0];
	const ex_table *table = reader->table;
	ex_arena	arena;
	ex_host    *host = ex_arena_init(&arena);
	ex_buffer	rows = {0};
	ex_builder	builder;
	ex_model   *model;
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
	if (reader->read(host, bytes, size - 1 + HEADER_SIZE, &builder) == EX_OK && ex_build(&builder, &model) == EX_OK)
	{
		align(host, model);
		use(host, model);
	}
	free(bytes);
	ex_arena_free(&arena);
	return 0;
}
