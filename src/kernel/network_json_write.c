/*
 * network_json_write.c
 *		The network family's members of the JSON form: writing.
 *
 * What a document says by default is left out.  float32 weights are written
 * with as many digits as a float32 needs, under "precision": "float32".
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linear_internal.h"
#include "network_model.h"

typedef struct writer
{
	ex_column_writer columns;
	ex_network_view view;
	ex_host    *host;
	ex_buffer  *out;
} writer;

static ex_status
put_text(writer *w, const char *text)
{
	return ex_append_text(w->host, w->out, text);
}

static ex_status
put_member(writer *w, const char *key, double value)
{
	EX_TRY(ex_appendf(w->host, w->out, ",\"%s\":", key));
	return ex_json_put_double(w->host, w->out, value);
}

/* The shortest decimal that reads back as the same float32. */
static ex_status
put_single(writer *w, float value)
{
	char		text[32];

	for (int precision = 6; precision <= 9; precision++)
	{
		snprintf(text, sizeof(text), "%.*g", precision, (double) value);
		if (strtof(text, NULL) == value)
			break;
	}
	return put_text(w, text);
}

static ex_status
put_weight(writer *w, size_t i)
{
	return w->view.weight_f32 != NULL ? put_single(w, w->view.weight_f32[i]) :
		ex_json_put_double(w->host, w->out, w->view.weight[i]);
}

/* Weights from *next on as arrays within arrays, moving it on; at most four levels. */
static ex_status
put_nested(writer *w, const size_t *size, int n_sizes, size_t *next)
{
	EX_TRY(put_text(w, "["));
	EX_TRY(ex_poll(w->host));
	for (size_t i = 0; i < size[0]; i++)
	{
		if (i > 0)
			EX_TRY(put_text(w, ","));
		if (n_sizes > 1)
			EX_TRY(put_nested(w, size + 1, n_sizes - 1, next));
		else
			EX_TRY(put_weight(w, (*next)++));
	}
	return put_text(w, "]");
}

/* n weights under a key; all of them `otherwise`: nothing. */
static ex_status
put_vector(writer *w, const char *key, size_t first, size_t n, double otherwise)
{
	bool		differs = false;

	for (size_t i = 0; i < n; i++)
		differs |= ex_network_weight(&w->view, first + i) != otherwise;
	if (!differs)
		return EX_OK;
	EX_TRY(ex_appendf(w->host, w->out, ",\"%s\":", key));
	return put_nested(w, &n, 1, &first);
}

/* ----------------------------------------------------------------
 * Input
 * ---------------------------------------------------------------- */

static bool
all_same(const double *value, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (value[i] != value[0])
			return false;
	return true;
}

/* One number where it is the same for all pixels. */
static ex_status
put_spread(writer *w, const char *key, const double *value, size_t n, double otherwise)
{
	if (!all_same(value, n))
	{
		EX_TRY(ex_appendf(w->host, w->out, ",\"%s\":", key));
		return ex_json_put_doubles(w->host, w->out, value, n);
	}
	return value[0] == otherwise ? EX_OK : put_member(w, key, value[0]);
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(double)) == 0;
}

static void
get_column(const writer *w, uint32_t c, ex_network_column *column)
{
	ex_linear_get_column(&w->columns.view, c, &column->column);
	column->center = w->view.center[c];
	column->scale = w->view.scale[c];
}

/* Is what the column has for missing values what a reader would put there? */
static bool
missing_is_implied(const writer *w, const ex_network_column *column)
{
	const uint8_t *policy = ex_get(w->view.model, EX_FEATURE_MISSING, NULL);
	const double *impute = ex_get(w->view.model, EX_FEATURE_IMPUTE, NULL);
	uint32_t	f = column->column.feature;

	return same_bits(column->column.missing,
					 ex_network_implied_missing(column, (ex_missing_policy) policy[f], impute[f]));
}

/* What pixels are where they are missing; "NaN": what their policy implies. */
static ex_status
put_missing_pixels(writer *w)
{
	bool		implied = true;

	for (uint32_t c = 0; c < w->view.n_columns; c++)
	{
		ex_network_column column;

		get_column(w, c, &column);
		implied &= missing_is_implied(w, &column);
	}
	if (implied)
		return EX_OK;
	EX_TRY(put_text(w, ",\"missing\":"));
	return ex_json_put_doubles(w->host, w->out, w->columns.view.missing, w->view.n_columns);
}

static ex_status
put_image(writer *w)
{
	ex_shape	shape = w->view.input;

	EX_TRY(put_text(w, ",\"image\":{\"channels\":["));
	for (uint32_t c = 0; c < shape.channels; c++)
	{
		uint32_t	length;
		const char *name = ex_get_name(w->view.model, EX_CHANNEL_NAME_START, c, &length);

		if (c > 0)
			EX_TRY(put_text(w, ","));
		EX_TRY(ex_json_put_string(w->host, w->out, name, length));
	}
	EX_TRY(ex_appendf(w->host, w->out, "],\"height\":%u,\"width\":%u", shape.height, shape.width));
	EX_TRY(put_spread(w, "center", w->view.center, w->view.n_columns, 0));
	EX_TRY(put_spread(w, "scale", w->view.scale, w->view.n_columns, 1));
	EX_TRY(put_missing_pixels(w));
	return put_text(w, "}");
}

/* Pixels as they are named and treated by default? */
bool
ex_network_implies_features(const ex_model *model)
{
	ex_network_view view;

	ex_network_open(model, &view);
	for (uint32_t i = 0; view.is_image && i < model->n_features; i++)
	{
		uint32_t	x = i % view.input.width;
		uint32_t	y = i / view.input.width % view.input.height;
		char		name[EX_MAX_NAME + 32];
		uint32_t	length;
		const char *channel = ex_get_name(model, EX_CHANNEL_NAME_START,
										  i / view.input.width / view.input.height, &length);
		ex_feature	feature;

		length = (uint32_t) ex_network_pixel_name(channel, length, y, x, name);
		ex_get_feature(model, i, &feature);
		if (feature.name_length != length || memcmp(feature.name, name, length) != 0 ||
			feature.missing != EX_MISSING_ERROR || feature.unknown != EX_UNKNOWN_ERROR || feature.flags != 0)
			return false;
	}
	return view.is_image;
}

/* Is column c the value of feature c, for all features and no more? */
static bool
is_plain(const writer *w)
{
	if (w->view.n_columns != w->view.model->n_features)
		return false;
	for (uint32_t c = 0; c < w->view.n_columns; c++)
	{
		ex_network_column column;

		get_column(w, c, &column);
		if (column.column.feature != c || column.column.kind != EX_COLUMN_VALUE ||
			column.center != 0 || column.scale != 1 || !missing_is_implied(w, &column))
			return false;
	}
	return true;
}

static ex_status
put_columns(writer *w)
{
	for (uint32_t c = 0; c < w->view.n_columns; c++)
	{
		ex_network_column column;

		EX_TRY(ex_poll(w->host));
		get_column(w, c, &column);
		EX_TRY(put_text(w, c > 0 ? "," : ",\"columns\":["));
		EX_TRY(ex_column_write(&w->columns, c));
		if (!missing_is_implied(w, &column))
			EX_TRY(put_member(w, "missing", column.column.missing));
		if (column.center != 0)
			EX_TRY(put_member(w, "center", column.center));
		if (column.scale != 1)
			EX_TRY(put_member(w, "scale", column.scale));
		EX_TRY(put_text(w, "}"));
	}
	return put_text(w, "]");
}

/* ----------------------------------------------------------------
 * Layers
 * ---------------------------------------------------------------- */

static bool
has_default_name(const writer *w, uint32_t i, ex_layer_kind kind)
{
	char		name[48];
	uint32_t	length;
	const char *text = ex_network_layer_name(&w->view, i, &length);

	return (int) length == ex_network_default_name(kind, i, name) && memcmp(text, name, length) == 0;
}

static ex_status
put_name(writer *w, uint32_t layer)
{
	uint32_t	length;
	const char *name = ex_network_layer_name(&w->view, layer, &length);

	return ex_json_put_string(w->host, w->out, name, length);
}

static ex_status
put_inputs(writer *w, uint32_t i, const ex_layer *layer)
{
	bool		is_default = layer->n_inputs == 1 && layer->input[0] == i - 1;
	bool		must = layer->kind == EX_LAYER_CONCAT || layer->kind == EX_LAYER_ADD ||
	layer->kind == EX_LAYER_MULTIPLY;

	if (is_default && !must)
		return EX_OK;
	EX_TRY(put_text(w, ",\"inputs\":["));
	for (uint32_t k = 0; k < layer->n_inputs; k++)
	{
		if (k > 0)
			EX_TRY(put_text(w, ","));
		EX_TRY(put_name(w, layer->input[k]));
	}
	return put_text(w, "]");
}

/* Height and width; one number where they are the same. */
static ex_status
put_pair(writer *w, const char *key, const int32_t *pair)
{
	if (pair[0] == pair[1])
		return ex_appendf(w->host, w->out, ",\"%s\":%d", key, pair[0]);
	return ex_appendf(w->host, w->out, ",\"%s\":[%d,%d]", key, pair[0], pair[1]);
}

static ex_status
put_padding(writer *w, const int32_t *pad)
{
	if (pad[0] != pad[2] || pad[1] != pad[3])
		return ex_appendf(w->host, w->out, ",\"padding\":[%d,%d,%d,%d]", pad[0], pad[1], pad[2], pad[3]);
	return pad[0] == 0 && pad[1] == 0 ? EX_OK : put_pair(w, "padding", pad);
}

static ex_status
put_window(writer *w, const ex_layer *layer)
{
	const int32_t *setting = layer->setting;
	bool		convolves = layer->kind == EX_LAYER_CONV2D;
	int32_t		usual[2] = {convolves ? 1 : setting[EX_KERNEL_H], convolves ? 1 : setting[EX_KERNEL_W]};

	EX_TRY(put_pair(w, "kernel", setting + EX_KERNEL_H));
	if (memcmp(setting + EX_STRIDE_H, usual, sizeof(usual)) != 0)
		EX_TRY(put_pair(w, "stride", setting + EX_STRIDE_H));
	EX_TRY(put_padding(w, setting + EX_PAD_TOP));
	if (setting[EX_DILATION_H] != 1 || setting[EX_DILATION_W] != 1)
		EX_TRY(put_pair(w, "dilation", setting + EX_DILATION_H));
	if (setting[EX_GROUPS] > 1)
		EX_TRY(ex_appendf(w->host, w->out, ",\"groups\":%d", setting[EX_GROUPS]));
	return setting[EX_FLAGS] & EX_POOL_COUNTS_PADDING ? put_text(w, ",\"counts_padding\":true") : EX_OK;
}

static ex_status
put_weights(writer *w, const ex_layer *layer, const char *outputs)
{
	ex_layer	read;
	size_t		size[4];
	size_t		next = layer->first_weight;
	int			n;

	ex_network_layer(&w->view, layer->input[0], &read);
	n = ex_network_weight_dimensions(layer, &read.shape, size);
	EX_TRY(ex_appendf(w->host, w->out, ",\"%s\":%zu,\"weights\":", outputs, size[0]));
	EX_TRY(put_nested(w, size, n, &next));
	return put_vector(w, "bias", next, size[0], 0);
}

static ex_status
put_normalisation(writer *w, const ex_layer *layer)
{
	size_t		n = layer->n_weights / 4;
	size_t		first = layer->first_weight;

	EX_TRY(put_member(w, "epsilon", layer->number));
	EX_TRY(put_vector(w, "gamma", first, n, 1));
	EX_TRY(put_vector(w, "beta", first + n, n, 0));
	EX_TRY(put_vector(w, "mean", first + 2 * n, n, NAN));
	return put_vector(w, "variance", first + 3 * n, n, NAN);
}

static ex_status
put_affine(writer *w, const ex_layer *layer)
{
	size_t		n = layer->n_weights / 2;
	size_t		first = layer->first_weight;

	if (n > 1)
	{
		EX_TRY(put_vector(w, "scale", first, n, NAN));
		return put_vector(w, "shift", first + n, n, NAN);
	}
	EX_TRY(put_text(w, ",\"scale\":"));
	EX_TRY(put_weight(w, first));
	EX_TRY(put_text(w, ",\"shift\":"));
	return put_weight(w, first + 1);
}

static ex_status
put_body(writer *w, const ex_layer *layer)
{
	switch (layer->kind)
	{
		case EX_LAYER_DENSE:
			return put_weights(w, layer, "units");
		case EX_LAYER_CONV2D:
			EX_TRY(put_window(w, layer));
			return put_weights(w, layer, "channels");
		case EX_LAYER_MAX_POOL:
		case EX_LAYER_AVERAGE_POOL:
			return put_window(w, layer);
		case EX_LAYER_BATCH_NORM:
			return put_normalisation(w, layer);
		case EX_LAYER_AFFINE:
			return put_affine(w, layer);
		case EX_LAYER_RESHAPE:
			if (layer->shape.height == 1 && layer->shape.width == 1)
				return EX_OK;	/* flatten */
			return ex_appendf(w->host, w->out, ",\"shape\":[%u,%u,%u]", layer->shape.channels,
							  layer->shape.height, layer->shape.width);
		case EX_LAYER_PERMUTE:
			return ex_appendf(w->host, w->out, ",\"axes\":[%d,%d,%d]", layer->setting[0],
							  layer->setting[1], layer->setting[2]);
		case EX_LAYER_LEAKY_RELU:
			return put_member(w, "slope", layer->number);
		case EX_LAYER_ELU:
			return put_member(w, "alpha", layer->number);
		default:
			return EX_OK;
	}
}

static ex_status
put_layer(writer *w, uint32_t i)
{
	ex_layer	layer;
	bool		flattens;

	ex_network_layer(&w->view, i, &layer);
	flattens = layer.kind == EX_LAYER_RESHAPE && layer.shape.height == 1 && layer.shape.width == 1;
	EX_TRY(ex_appendf(w->host, w->out, "{\"kind\":\"%s\"",
					  flattens ? "flatten" : ex_layer_kind_names[layer.kind]));
	if (!has_default_name(w, i, layer.kind))
	{
		EX_TRY(put_text(w, ",\"name\":"));
		EX_TRY(put_name(w, i));
	}
	EX_TRY(put_inputs(w, i, &layer));
	EX_TRY(put_body(w, &layer));
	return put_text(w, "}");
}

ex_status
ex_network_write_json(ex_host *host, const ex_model *model, ex_buffer *out)
{
	writer		w = {.host = host, .out = out};

	ex_network_open(model, &w.view);
	EX_TRY(ex_column_writer_open(&w.columns, host, model, out));
	if (w.view.is_image)
		EX_TRY(put_image(&w));
	else if (!is_plain(&w))
		EX_TRY(put_columns(&w));
	if (w.view.weight_f32 != NULL && w.view.n_weights > 0)
		EX_TRY(put_text(&w, ",\"precision\":\"float32\""));
	for (uint32_t i = 1; i < w.view.n_layers; i++)
	{
		EX_TRY(put_text(&w, i > 1 ? "," : ",\"layers\":["));
		EX_TRY(put_layer(&w, i));
	}
	return put_text(&w, "]");
}
