/*
 * golden_mlp.h
 *		The multilayer perceptrons of test/data/explanations/mlp_*, whose
 *		model.json has coefs[layer][in][out] and intercepts[layer][out].
 */
#ifndef EX_GOLDEN_MLP_H
#define EX_GOLDEN_MLP_H

#include <stdlib.h>

#include "golden.h"
#include "json.h"
#include "network.h"

static inline ex_status
golden_dense(ex_builder *builder, ex_json *json, ex_json_value coefs, ex_json_value intercepts)
{
	ex_host    *host = builder->host;
	size_t		n_in = ex_json_count(json, coefs);
	double	   *weight = NULL;
	double	   *bias;
	size_t		n_out;
	size_t		i = 0;
	ex_json_cursor cursor;
	ex_json_value row;
	ex_new_layer layer = {.kind = EX_LAYER_DENSE};

	EX_TRY(ex_json_doubles(json, intercepts, "intercepts", &bias, &n_out));
	EX_TRY(EX_ALLOC(host, (n_in + 1) * n_out, &weight));
	ex_json_begin(json, coefs, &cursor);
	for (; ex_json_next(json, &cursor, &row); i++)
	{
		double	   *from;

		EX_TRY(ex_json_doubles(json, row, "coefs", &from, &n_out));
		for (size_t o = 0; o < n_out; o++)
			weight[o * n_in + i] = from[o];
	}
	memcpy(weight + n_in * n_out, bias, n_out * sizeof(double));
	layer.shape = (ex_shape) {(uint32_t) n_out, 1, 1};
	layer.weight = weight;
	layer.n_weights = (n_in + 1) * n_out;
	return ex_network_put_layer(builder, &layer);
}

static inline ex_status
golden_layers(ex_builder *builder, ex_json *json, ex_json_value document)
{
	ex_json_value coefs = ex_json_get(json, document, "coefs");
	ex_json_value intercepts = ex_json_get(json, document, "intercepts");
	bool		relu = ex_json_equals(json, ex_json_get(json, document, "activation"), "relu");
	ex_new_layer activation = {.kind = relu ? EX_LAYER_RELU : EX_LAYER_TANH};
	size_t		left = ex_json_count(json, coefs);
	ex_json_cursor cursor[2];
	ex_json_value layer;
	ex_json_value bias;

	ex_json_begin(json, coefs, &cursor[0]);
	ex_json_begin(json, intercepts, &cursor[1]);
	while (ex_json_next(json, &cursor[0], &layer) && ex_json_next(json, &cursor[1], &bias))
	{
		EX_TRY(golden_dense(builder, json, layer, bias));
		if (--left > 0)
			EX_TRY(ex_network_put_layer(builder, &activation));
	}
	return ex_network_finish(builder);
}

static inline ex_status
golden_read_mlp(ex_builder *builder, const char *text, size_t size)
{
	ex_host    *host = builder->host;
	ex_json		json;
	ex_json_value document;
	ex_json_cursor cursor;
	ex_json_value first;
	size_t		n_features;

	EX_TRY(ex_json_open(&json, host, EX_FORMAT_JSON, text, size, &document));
	ex_json_begin(&json, ex_json_get(&json, document, "coefs"), &cursor);
	ex_json_next(&json, &cursor, &first);
	n_features = ex_json_count(&json, first);
	for (size_t f = 0; f < n_features; f++)
	{
		char		name[16];
		ex_feature	feature = {.name = name};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "c%zu", f);
		EX_TRY(ex_put_feature(builder, &feature));
	}
	EX_TRY(ex_network_put_plain_input(builder));
	return golden_layers(builder, &json, document);
}

/* The network of a folder, with a background of these rows. */
static inline const ex_model *
golden_mlp(ex_host *host, const char *folder, const golden_table *background)
{
	char		path[256];
	size_t		size;
	char	   *text;
	ex_builder	builder;
	ex_model   *model;

	snprintf(path, sizeof(path), "test/data/explanations/%s/model.json", folder);
	text = golden_file(host, path, &size);
	ex_builder_init(&builder, host, EX_NETWORK);
	if (golden_read_mlp(&builder, text, size) != EX_OK ||
		ex_put_background(&builder, background->value, (uint32_t) background->rows, NULL) != EX_OK ||
		ex_build(&builder, &model) != EX_OK)
	{
		printf("Bail out! %s: %s\n", path, host->error.message);
		exit(2);
	}
	return model;
}

#endif							/* EX_GOLDEN_MLP_H */
