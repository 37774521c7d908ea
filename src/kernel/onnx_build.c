/*
 * onnx_build.c
 *		From the layers that an ONNX graph needs to a model: linear where there
 *		is one layer of weights over columns, a network otherwise.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "network_model.h"
#include "onnx_internal.h"

typedef struct assembly
{
	onnx_reader *reader;
	ex_builder *builder;
	uint32_t	last;			/* layer whose output is the model's */
	uint32_t	n_wanted;		/* without inputs */
	uint32_t	n_selections;
	uint32_t	selection;		/* the last one of them */
	ex_link		link;
	ex_buffer	columns;		/* onnx_column of all selections */
} assembly;

static bool
is_input(const onnx_layer *layer)
{
	return layer->spec.kind == EX_LAYER_IS_INPUT;
}

/* ----------------------------------------------------------------
 * What is needed
 * ---------------------------------------------------------------- */

static void
mark_layers(assembly *a)
{
	onnx_layer_at(a->reader, a->last)->wanted = true;
	for (uint32_t i = a->last + 1; i-- > 0;)
	{
		onnx_layer *layer = onnx_layer_at(a->reader, i);

		if (!layer->wanted)
			continue;
		for (uint32_t j = 0; j < layer->spec.n_inputs; j++)
			onnx_layer_at(a->reader, layer->spec.input[j])->wanted = true;
		if (is_input(layer) && layer->column != NULL)
		{
			a->n_selections++;
			a->selection = i;
		}
		a->n_wanted += !is_input(layer);
	}
}

/* Rows of weights are each other's opposites: their probabilities sum to 1 already. */
static bool
is_opposite(const onnx_layer *layer)
{
	size_t		n = layer->spec.n_weights / 2 - 1;	/* weights of one row */

	if (layer->spec.kind != EX_LAYER_DENSE || layer->shape.channels != 2)
		return false;
	for (size_t i = 0; i < n; i++)
		if (layer->weight[i] != -layer->weight[n + i])
			return false;
	return layer->weight[2 * n] == -layer->weight[2 * n + 1];
}

/* Sigmoids that are normalised, and exp, are links; other links are found by the network. */
static void
choose_link(assembly *a, const onnx_value *result)
{
	const onnx_layer *layer = onnx_layer_at(a->reader, result->layer);

	a->last = result->layer;
	if (result->exponential)
		a->link = EX_LINK_LOG;
	if (result->one_vs_rest)
	{
		a->last = layer->spec.input[0];
		a->link = is_opposite(onnx_layer_at(a->reader, a->last)) ? EX_LINK_LOGIT : EX_LINK_OVR;
	}
}

/* ----------------------------------------------------------------
 * Columns
 * ---------------------------------------------------------------- */

/* All selections side by side, and what their features are used for. */
static ex_status
gather_columns(assembly *a, onnx_affine **affine)
{
	onnx_reader *reader = a->reader;
	const onnx_column *column;
	size_t		n;

	EX_TRY(ex_reserve(reader->host, &a->columns, 1));
	for (uint32_t i = 0; i <= a->last; i++)
	{
		const onnx_layer *layer = onnx_layer_at(reader, i);

		if (layer->wanted && is_input(layer) && layer->column != NULL)
			EX_TRY(ex_append(reader->host, &a->columns, layer->column, ex_shape_size(layer->shape) * sizeof(onnx_column)));
	}
	column = (const onnx_column *) a->columns.data;
	n = a->columns.size / sizeof(onnx_column);
	EX_TRY(EX_ALLOC(reader->host, n, affine));
	if (n > EX_MAX_FEATURES)
		return ex_fail(reader->host, EX_LIMIT, "ONNX graph: the model reads more than %d columns", EX_MAX_FEATURES);
	for (size_t c = 0; c < n; c++)
	{
		EX_TRY(onnx_affine_column(reader, &column[c], &(*affine)[c]));
		onnx_use_affine(reader, &column[c], &(*affine)[c]);
	}
	onnx_settle_features(reader, false);
	return EX_OK;
}

/* A column with all its steps. */
static void
encode(const assembly *a, const onnx_column *column, const onnx_affine *affine, ex_encoded_column *encoded)
{
	onnx_encode_column(a->reader, column, encoded);
	if (affine->above)
	{
		encoded->op = EX_ENCODE_BIN;
		encoded->low = affine->threshold;
		encoded->high = INFINITY;
	}
	if (affine->imputes)
	{
		encoded->imputes = true;
		encoded->impute = affine->impute;
	}
	encoded->center = affine->center;
	encoded->scale = affine->scale;
}

/* ----------------------------------------------------------------
 * Linear models
 * ---------------------------------------------------------------- */

/* One dense layer over columns, and perhaps what becomes the link. */
static bool
is_linear(const assembly *a)
{
	const onnx_layer *last = onnx_layer_at(a->reader, a->last);

	if (a->n_selections != 1 || a->reader->is_image)
		return false;
	if (a->n_wanted == 2 && a->link == EX_LINK_IDENTITY &&
		(last->spec.kind == EX_LAYER_SIGMOID || (last->spec.kind == EX_LAYER_SOFTMAX && last->shape.channels > 1)))
		last = onnx_layer_at(a->reader, last->spec.input[0]);
	else if (a->n_wanted != 1)
		return false;
	return last->spec.kind == EX_LAYER_DENSE && last->spec.input[0] == a->selection;
}

static ex_status
build_encoded(assembly *a, const onnx_layer *dense, size_t n_columns, ex_model **model)
{
	onnx_reader *reader = a->reader;
	ex_builder	builder;

	ex_builder_init(&builder, reader->host, EX_LINEAR);
	builder.n_outputs = dense->shape.channels;
	builder.link = a->link;
	for (size_t c = 0; c < n_columns; c++)
	{
		/* as a missing value means 0 here, whatever its feature says */
		ex_feature	feature = {.missing = EX_MISSING_NATIVE};
		char		name[32];

		feature.name = name;
		feature.name_length = (size_t) ex_print_double(reader->host, (double) c, name);
		EX_TRY(ex_put_feature(&builder, &feature));
		EX_TRY(ex_linear_put_column(&builder, (uint32_t) c, EX_COLUMN_VALUE, 0, 0, 0, 0));
	}
	EX_TRY(ex_put(&builder, EX_COEFFICIENT, dense->weight, n_columns * dense->shape.channels));
	EX_TRY(ex_put(&builder, EX_INTERCEPT, dense->weight + n_columns * dense->shape.channels, dense->shape.channels));
	EX_TRY(ex_default_output_names(&builder));
	return ex_build(&builder, model);
}

static ex_status
build_linear(assembly *a, const onnx_affine *affine, const onnx_value *result)
{
	const onnx_layer *dense = onnx_layer_at(a->reader, a->last);
	const onnx_column *column = (const onnx_column *) a->columns.data;
	ex_encoding encoding = {.n_columns = (uint32_t) (a->columns.size / sizeof(onnx_column))};
	ex_encoded_column *encoded;
	ex_model   *model;

	if (a->n_wanted == 2)
	{
		a->link = dense->spec.kind == EX_LAYER_SIGMOID ? EX_LINK_LOGIT : EX_LINK_SOFTMAX;
		dense = onnx_layer_at(a->reader, dense->spec.input[0]);
	}
	EX_TRY(build_encoded(a, dense, encoding.n_columns, &model));
	EX_TRY(EX_ALLOC(a->reader->host, encoding.n_columns, &encoded));
	for (uint32_t c = 0; c < encoding.n_columns; c++)
		encode(a, &column[c], &affine[c], &encoded[c]);
	encoding.column = encoded;
	EX_TRY(onnx_put_features(a->reader, a->builder));
	EX_TRY(ex_fold(a->reader->host, model, &encoding, a->builder));
	ex_drop(a->builder, EX_OUTPUT_NAME_START);
	ex_drop(a->builder, EX_OUTPUT_NAME_TEXT);
	return onnx_put_output_names(a->reader, a->builder, result);
}

/* ----------------------------------------------------------------
 * Networks
 * ---------------------------------------------------------------- */

/* An encoded column as the column of a network. */
static void
network_column(const assembly *a, const ex_encoded_column *encoded, ex_network_column *out)
{
	static const ex_column_kind kinds[] = {
		[EX_ENCODE_VALUE] = EX_COLUMN_VALUE,
		[EX_ENCODE_LEVEL] = EX_COLUMN_LEVEL_IS,
		[EX_ENCODE_BIN] = EX_COLUMN_BIN
	};
	const onnx_feature *feature = &a->reader->feature[encoded->feature];

	out->column.feature = encoded->feature;
	out->column.kind = kinds[encoded->op];
	out->column.level = encoded->level;
	out->column.low = encoded->low;
	out->column.high = encoded->high;
	out->column.missing = NAN;
	out->center = encoded->center;
	out->scale = encoded->scale;
	if (feature->missing == EX_MISSING_NATIVE)
		out->column.missing = encoded->imputes ? ex_column_value(&out->column, encoded->impute) : 0;
}

static ex_status
put_columns(assembly *a, const onnx_affine *affine)
{
	const onnx_column *column = (const onnx_column *) a->columns.data;
	size_t		n = a->columns.size / sizeof(onnx_column);
	ex_network_column *out;

	EX_TRY(onnx_put_features(a->reader, a->builder));
	EX_TRY(EX_ALLOC(a->reader->host, n, &out));
	for (size_t c = 0; c < n; c++)
	{
		ex_encoded_column encoded;

		encode(a, &column[c], &affine[c], &encoded);
		network_column(a, &encoded, &out[c]);
	}
	return ex_network_put_input(a->builder, out, n);
}

/* The channels of an image: the user's names, or the input's, numbered if there are several. */
static ex_status
put_image(assembly *a)
{
	onnx_reader *reader = a->reader;
	ex_shape	shape = onnx_layer_at(reader, reader->image_layer)->shape;
	ex_span		name = reader->value[reader->input[0].value].name;
	char	  **channel;

	if (reader->options->n_channels > 0 && reader->options->n_channels != shape.channels)
		return ex_fail(reader->host, EX_DIMENSION, "channels has %zu elements, but the image has %u channels",
					   reader->options->n_channels, shape.channels);
	if (reader->options->n_features > 0)
	{
		(void) ex_fail(reader->host, EX_INVALID, "features cannot be named where the input is an image");
		ex_hint(reader->host, "Name its channels: channels => ARRAY[...].");
		return EX_INVALID;
	}
	if (reader->options->n_channels > 0)
		return ex_network_put_image(a->builder, reader->options->channel, shape);
	EX_TRY(EX_ALLOC(reader->host, shape.channels, &channel));
	for (uint32_t c = 0; c < shape.channels; c++)
	{
		EX_TRY(EX_ALLOC(reader->host, name.size + 12, &channel[c]));
		memcpy(channel[c], name.data, name.size);
		if (shape.channels > 1)
			snprintf(channel[c] + name.size, 12, "%u", c);
	}
	return ex_network_put_image(a->builder, (const char *const *) channel, shape);
}

/* One of several selections: zeros and ones that pick its columns. */
static ex_status
put_selection(assembly *a, onnx_layer *layer, size_t first)
{
	static const uint32_t input = 0;
	size_t		n = ex_shape_size(layer->shape);
	size_t		n_columns = a->columns.size / sizeof(onnx_column);
	ex_new_layer dense = {.kind = EX_LAYER_DENSE, .n_inputs = 1, .input = &input, .shape = {(uint32_t) n, 1, 1}};
	double	   *weight;

	if (n * (n_columns + 1) > EX_MAX_MODEL_SIZE / sizeof(float))
		return ex_fail(a->reader->host, EX_LIMIT, "ONNX graph: inputs of the network are too many");
	dense.n_weights = n * (n_columns + 1);
	EX_TRY(EX_ALLOC(a->reader->host, dense.n_weights, &weight));
	for (size_t i = 0; i < n; i++)
		weight[i * n_columns + first + i] = 1;
	dense.weight = weight;
	return ex_network_put_layer(a->builder, &dense);
}

/* An input has the shape of a vector; its selection may be a sequence. */
static ex_status
shape_input(assembly *a, onnx_layer *layer)
{
	ex_new_layer reshape = {.kind = EX_LAYER_RESHAPE, .n_inputs = 1, .input = &layer->number, .shape = layer->shape};
	ex_shape	have = ex_network_put_shape(a->builder, layer->number);

	if (have.channels == layer->shape.channels && have.height == layer->shape.height)
		return EX_OK;
	EX_TRY(ex_network_put_layer(a->builder, &reshape));
	layer->number = ex_network_count_layers(a->builder) - 1;
	return EX_OK;
}

static ex_status
put_input(assembly *a, onnx_layer *layer, size_t *first)
{
	layer->number = 0;
	if (layer->column == NULL)
		return EX_OK;
	if (a->n_selections > 1)
	{
		EX_TRY(put_selection(a, layer, *first));
		layer->number = ex_network_count_layers(a->builder) - 1;
	}
	*first += ex_shape_size(layer->shape);
	return shape_input(a, layer);
}

static ex_status
put_layer(assembly *a, onnx_layer *layer)
{
	ex_new_layer spec = layer->spec;
	uint32_t   *input;

	EX_TRY(EX_ALLOC(a->reader->host, spec.n_inputs, &input));
	for (uint32_t i = 0; i < spec.n_inputs; i++)
		input[i] = onnx_layer_at(a->reader, spec.input[i])->number;
	spec.input = input;
	spec.weight = layer->weight;
	EX_TRY(ex_network_put_layer(a->builder, &spec));
	layer->number = ex_network_count_layers(a->builder) - 1;
	return EX_OK;
}

/* Layers in the order of the graph; inputs first, so that the last one is the output. */
static ex_status
put_layers(assembly *a)
{
	size_t		first = 0;

	for (uint32_t i = 0; i <= a->last; i++)
	{
		onnx_layer *layer = onnx_layer_at(a->reader, i);

		if (layer->wanted && is_input(layer))
			EX_TRY(put_input(a, layer, &first));
	}
	for (uint32_t i = 0; i <= a->last; i++)
	{
		onnx_layer *layer = onnx_layer_at(a->reader, i);

		if (layer->wanted && !is_input(layer))
			EX_TRY(put_layer(a, layer));
	}
	return EX_OK;
}

static ex_status
build_network(assembly *a, const onnx_affine *affine, const onnx_value *result)
{
	if (a->reader->is_image && a->n_selections > 0)
		return ex_fail(a->reader->host, EX_UNSUPPORTED, "ONNX graph: an image together with other inputs is not supported");
	if (a->n_wanted == 0)
		return ex_fail(a->reader->host, EX_UNSUPPORTED, "ONNX graph: the output is an input");
	EX_TRY(a->reader->is_image ? put_image(a) : put_columns(a, affine));
	EX_TRY(put_layers(a));
	a->builder->link = a->link;
	a->builder->n_outputs = (uint32_t) ex_shape_size(ex_network_last_shape(a->builder));
	if (a->builder->n_outputs > EX_MAX_OUTPUTS)
		return ex_network_finish(a->builder);
	EX_TRY(onnx_put_output_names(a->reader, a->builder, result));
	return ex_network_finish(a->builder);
}

ex_status
onnx_build_layers(onnx_reader *reader, const onnx_value *result)
{
	assembly	a = {.reader = reader, .builder = reader->builder};
	onnx_affine *affine;

	choose_link(&a, result);
	mark_layers(&a);
	EX_TRY(gather_columns(&a, &affine));
	reader->builder->family = is_linear(&a) ? EX_LINEAR : EX_NETWORK;
	reader->current = NULL;
	return is_linear(&a) ? build_linear(&a, affine, result) : build_network(&a, affine, result);
}
