/*
 * network_check.c
 *		Structural validation of untrusted network sections.
 *
 * After EX_OK no kernel can read outside a section or fail to end: every layer
 * reads layers before it, shapes are those that network_shape.c computes from
 * the inputs, and each layer has the weights that its shape needs.  Every
 * layer but the last must be read by another one: what does not reach the
 * output would be dead weight with a digest.
 *
 * Columns may come in any order and more than once, since their order is that
 * of the first layer's weights.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "linear_internal.h"
#include "model_internal.h"
#include "network_model.h"

typedef struct check
{
	ex_host    *host;
	const ex_model *model;
	ex_network_view view;
	uint64_t	activations;
	bool	   *is_read;		/* by a later layer */
} check;

static ex_status
bad(ex_host *host, const char *what)
{
	return ex_fail(host, EX_INVALID, "invalid network: %s", what);
}

/* A section that must be there with `count` elements. */
static ex_status
need(check *c, ex_section_id id, uint64_t count)
{
	uint32_t	have;

	if (ex_get(c->model, id, &have) == NULL || have != count)
		return bad(c->host, "a section is missing or has the wrong length");
	return EX_OK;
}

/* Offsets of lists: from 0, ascending, up to the end. */
static ex_status
check_starts(check *c, const uint32_t *start, uint32_t n_elements)
{
	uint32_t	n = c->view.n_layers;

	if (start[0] != 0 || start[n] != n_elements)
		return bad(c->host, "lists do not fill their section");
	for (uint32_t i = 0; i < n; i++)
		if (start[i] > start[i + 1])
			return bad(c->host, "lists are not in order");
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Input
 * ---------------------------------------------------------------- */

static ex_status
bad_column(check *c, uint32_t feature, const char *what)
{
	uint32_t	length;
	const char *name = ex_get_name(c->model, EX_FEATURE_NAME_START, feature, &length);

	return ex_fail(c->host, EX_INVALID, "column of feature \"%.*s\" %s", (int) length, name, what);
}

static ex_status
check_column(check *c, const ex_linear_view *columns, uint32_t i)
{
	ex_column	column;
	ex_feature	feature;
	const char *wrong;

	ex_linear_get_column(columns, i, &column);
	if (column.feature >= c->model->n_features)
		return ex_fail(c->host, EX_INVALID, "column %u has feature %u, but there are %u",
					   i + 1, column.feature + 1, c->model->n_features);
	ex_get_feature(c->model, column.feature, &feature);
	wrong = ex_column_misfit(&column, &feature);
	if (wrong == NULL && !isfinite(c->view.center[i]))
		wrong = "has a center that is out of range";
	if (wrong == NULL && (!isfinite(c->view.scale[i]) || c->view.scale[i] == 0))
		wrong = "has a scale that is 0 or out of range";
	return wrong == NULL ? EX_OK : bad_column(c, column.feature, wrong);
}

static ex_status
check_columns(check *c)
{
	ex_linear_view columns;

	if (c->view.n_columns == 0)
		return bad(c->host, "it has no input columns");
	for (int id = EX_COLUMN_FEATURE; id <= EX_COLUMN_MISSING; id++)
		EX_TRY(need(c, (ex_section_id) id, c->view.n_columns));
	EX_TRY(need(c, EX_COLUMN_SCALE, c->view.n_columns));
	ex_linear_open(c->model, &columns);
	for (uint32_t i = 0; i < c->view.n_columns; i++)
	{
		EX_TRY(check_column(c, &columns, i));
		if (i % 4096 == 4095)
			EX_TRY(ex_poll(c->host));
	}
	return EX_OK;
}

/* Pixel c of an image is the value of feature c. */
static ex_status
check_image(check *c)
{
	uint32_t	channels = c->view.input.channels;
	uint64_t	size = 0;
	ex_linear_view columns;

	EX_TRY(ex_network_count_activations(c->host, c->view.input, "the input", &size));
	if (size != c->view.n_columns || size != c->model->n_features)
		return bad(c->host, "the shape of the image does not go with the number of features");
	EX_TRY(ex_check_names(c->host, c->model, EX_CHANNEL_NAME_START, channels, "channel", 1));
	EX_TRY(ex_check_distinct_names(c->host, c->model, EX_CHANNEL_NAME_START, 0, channels, "channel"));
	ex_linear_open(c->model, &columns);
	for (uint32_t i = 0; i < c->view.n_columns; i++)
	{
		ex_feature	feature;

		if (columns.feature[i] != i || columns.kind[i] != EX_COLUMN_VALUE)
			return bad(c->host, "a pixel of the image is not the value of its feature");
		ex_get_feature(c->model, i, &feature);
		if (feature.kind != EX_NUMERIC)
			return bad_column(c, i, "is a pixel of an image, but the feature is not numeric");
	}
	return EX_OK;
}

static ex_status
check_input(check *c)
{
	uint32_t	count;

	EX_TRY(check_columns(c));
	if (ex_get(c->model, EX_IMAGE_SHAPE, &count) != NULL)
		return check_image(c);
	if (ex_get(c->model, EX_CHANNEL_NAME_START, NULL) != NULL ||
		ex_get(c->model, EX_CHANNEL_NAME_TEXT, NULL) != NULL)
		return bad(c->host, "it has channels but is not an image");
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Layers
 * ---------------------------------------------------------------- */

static void
name_layer(check *c, uint32_t i, char where[EX_WHERE_SIZE])
{
	uint32_t	length;
	const char *name = ex_network_layer_name(&c->view, i, &length);

	ex_network_where(name, length, where);
}

static bool
same_shape(ex_shape a, ex_shape b)
{
	return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

static ex_status
check_input_layer(check *c)
{
	ex_layer	layer;
	uint32_t	length;
	const char *name = ex_network_layer_name(&c->view, 0, &length);

	ex_network_layer(&c->view, 0, &layer);
	if (layer.kind != EX_LAYER_IS_INPUT || layer.n_inputs != 0 || layer.n_weights != 0)
		return bad(c->host, "its first layer is not an input");
	if (length != 5 || memcmp(name, "input", 5) != 0)
		return bad(c->host, "its first layer is not called \"input\"");
	if (!same_shape(layer.shape, c->view.input))
		return bad(c->host, "its first layer does not have the shape of the input");
	EX_TRY(ex_network_check_settings(c->host, &layer, "the input"));
	return ex_network_count_activations(c->host, layer.shape, "the input", &c->activations);
}

static ex_status
find_inputs(check *c, const ex_layer *layer, uint32_t i, const char *where, ex_shape *input)
{
	for (uint32_t k = 0; k < layer->n_inputs; k++)
	{
		ex_layer	read;

		if (layer->input[k] >= i)
			return ex_fail(c->host, EX_INVALID, "%s reads layer %u, which does not come before it",
						   where, layer->input[k]);
		ex_network_layer(&c->view, layer->input[k], &read);
		input[k] = read.shape;
		c->is_read[layer->input[k]] = true;
	}
	return EX_OK;
}

/* Normalising divides by the square root of this. */
static ex_status
check_variances(check *c, const ex_layer *layer, const char *where)
{
	uint32_t	channels = layer->n_weights / 4;

	for (uint32_t k = 0; k < channels; k++)
	{
		double		variance = ex_network_weight(&c->view, (size_t) layer->first_weight + 3 * (size_t) channels + k);

		if (!(variance >= 0 && variance + layer->number > 0))
			return ex_fail(c->host, EX_INVALID, "variance of channel %u of %s must be positive", k + 1, where);
	}
	return EX_OK;
}

static ex_status
check_weights(check *c, const ex_layer *layer, const ex_shape *input, const char *where)
{
	if (!ex_network_weight_count_ok(layer, input, layer->n_weights))
		return ex_fail(c->host, EX_INVALID, "%s has the wrong number of weights, %u", where, layer->n_weights);
	for (uint32_t k = 0; k < layer->n_weights; k++)
		if (!isfinite(ex_network_weight(&c->view, (size_t) layer->first_weight + k)))
			return ex_fail(c->host, EX_RANGE, "weight %u of %s is not a finite number", k + 1, where);
	return layer->kind == EX_LAYER_BATCH_NORM ? check_variances(c, layer, where) : EX_OK;
}

static ex_status
check_layer(check *c, uint32_t i)
{
	char		where[EX_WHERE_SIZE];
	ex_layer	layer;
	ex_layer	wanted;
	ex_shape   *input;
	ex_shape	shape;

	name_layer(c, i, where);
	ex_network_layer(&c->view, i, &layer);
	EX_TRY(EX_ALLOC(c->host, layer.n_inputs, &input));
	EX_TRY(find_inputs(c, &layer, i, where, input));
	wanted = layer;
	EX_TRY(ex_network_infer_shape(c->host, &wanted, input, where, &shape));
	if (!same_shape(shape, layer.shape))
		return ex_fail(c->host, EX_INVALID, "%s has shape (%u, %u, %u), but its inputs give (%u, %u, %u)", where,
					   layer.shape.channels, layer.shape.height, layer.shape.width,
					   shape.channels, shape.height, shape.width);
	EX_TRY(ex_network_count_activations(c->host, shape, where, &c->activations));
	return check_weights(c, &layer, input, where);
}

/* The tables that describe layers, before any of them is read. */
static ex_status
check_tables(check *c)
{
	const ex_network_view *view = &c->view;
	uint32_t	n = view->n_layers;
	uint32_t	n_inputs;

	if (n < 2)
		return ex_fail(c->host, EX_INVALID, "network has no layers");
	if (n > EX_MAX_LAYERS)
		return ex_fail(c->host, EX_LIMIT, "network has more than %d layers", EX_MAX_LAYERS);
	EX_TRY(ex_check_names(c->host, c->model, EX_LAYER_NAME_START, n, "layer", 1));
	EX_TRY(ex_check_distinct_names(c->host, c->model, EX_LAYER_NAME_START, 0, n, "layer"));
	EX_TRY(need(c, EX_LAYER_INPUT_START, (uint64_t) n + 1));
	EX_TRY(need(c, EX_LAYER_SHAPE, (uint64_t) n * 3));
	EX_TRY(need(c, EX_LAYER_SETTING, (uint64_t) n * EX_N_SETTINGS));
	EX_TRY(need(c, EX_LAYER_NUMBER, n));
	EX_TRY(need(c, EX_LAYER_WEIGHT_START, (uint64_t) n + 1));
	if (ex_get(c->model, EX_LAYER_INPUT, &n_inputs) == NULL ||
		(view->weight == NULL) == (view->weight_f32 == NULL))
		return bad(c->host, "a section is missing or there once too often");
	EX_TRY(check_starts(c, view->input_start, n_inputs));
	return check_starts(c, view->weight_start, view->n_weights);
}

static ex_status
check_layers(check *c)
{
	uint32_t	n = c->view.n_layers;

	EX_TRY(EX_ALLOC(c->host, n, &c->is_read));
	EX_TRY(check_input_layer(c));
	for (uint32_t i = 1; i < n; i++)
	{
		EX_TRY(check_layer(c, i));
		EX_TRY(ex_poll(c->host));
	}
	for (uint32_t i = 0; i < n - 1; i++)
	{
		char		where[EX_WHERE_SIZE];

		if (c->is_read[i])
			continue;
		name_layer(c, i, where);
		ex_fail(c->host, EX_INVALID, "%s is not used by any other layer", where);
		ex_hint(c->host, "The output of a network is its last layer; leave out what does not reach it.");
		return EX_INVALID;
	}
	return EX_OK;
}

/* Of the two forms of weights only one is right (network_build.c). */
static ex_status
check_precision(check *c)
{
	for (uint32_t i = 0; c->view.weight != NULL && i < c->view.n_weights; i++)
		if (fabs(c->view.weight[i]) > FLT_MAX || (double) (float) c->view.weight[i] != c->view.weight[i])
			return EX_OK;
	return c->view.weight == NULL ? EX_OK : bad(c->host, "its weights are float32 numbers, but stored as float64");
}

static ex_status
check_output(check *c)
{
	ex_layer	last;

	ex_network_layer(&c->view, c->view.n_layers - 1, &last);
	if (ex_shape_size(last.shape) != c->model->n_outputs)
		return ex_fail(c->host, EX_INVALID, "model has %u outputs, but its last layer has %zu numbers",
					   c->model->n_outputs, ex_shape_size(last.shape));
	return EX_OK;
}

ex_status
ex_network_validate(ex_host *host, const ex_model *model)
{
	check		c = {.host = host, .model = model};
	uint32_t	count;

	if (model->aggregation != EX_SUM)
		return bad(host, "it must have aggregation \"sum\"");
	if (ex_get(model, EX_IMAGE_SHAPE, &count) != NULL && count != 3)
		return bad(host, "the shape of its image must have three numbers");
	ex_network_open(model, &c.view);
	EX_TRY(check_input(&c));
	EX_TRY(check_tables(&c));
	EX_TRY(check_layers(&c));
	EX_TRY(check_precision(&c));
	return check_output(&c);
}
