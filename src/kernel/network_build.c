/*
 * network_build.c
 *		Putting a network together: input, layers, finish.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "linear_internal.h"
#include "network_model.h"

static const uint32_t *
numbers(const ex_builder *builder, ex_section_id id)
{
	return (const uint32_t *) builder->section[id].data;
}

uint32_t
ex_network_count_layers(const ex_builder *builder)
{
	return (uint32_t) ex_put_count(builder, EX_LAYER_KIND);
}

ex_shape
ex_network_put_shape(const ex_builder *builder, uint32_t layer)
{
	const uint32_t *shape = numbers(builder, EX_LAYER_SHAPE) + 3 * (size_t) layer;

	return (ex_shape) {shape[0], shape[1], shape[2]};
}

ex_shape
ex_network_last_shape(const ex_builder *builder)
{
	return ex_network_put_shape(builder, ex_network_count_layers(builder) - 1);
}

int
ex_network_default_name(ex_layer_kind kind, uint32_t layer, char name[48])
{
	return snprintf(name, 48, "%s_%u", ex_layer_kind_names[kind], layer);
}

/* ----------------------------------------------------------------
 * Layers
 * ---------------------------------------------------------------- */

/* All but the weights. */
static ex_status
put_entry(ex_builder *builder, const char *name, const ex_layer *layer)
{
	const uint32_t shape[] = {layer->shape.channels, layer->shape.height, layer->shape.width};

	EX_TRY(ex_put_name(builder, EX_LAYER_NAME_START, name, strlen(name)));
	EX_TRY(ex_put_u8(builder, EX_LAYER_KIND, (uint8_t) layer->kind));
	EX_TRY(ex_put(builder, EX_LAYER_INPUT, layer->input, layer->n_inputs));
	EX_TRY(ex_put_u32(builder, EX_LAYER_INPUT_START, (uint32_t) ex_put_count(builder, EX_LAYER_INPUT)));
	EX_TRY(ex_put(builder, EX_LAYER_SHAPE, shape, 3));
	EX_TRY(ex_put(builder, EX_LAYER_SETTING, layer->setting, EX_N_SETTINGS));
	return ex_put_f64(builder, EX_LAYER_NUMBER, layer->number);
}

/* What layer 0 has before the others. */
ex_status
ex_network_put_input_layer(ex_builder *builder, ex_shape shape)
{
	static const int32_t no_setting[EX_N_SETTINGS];
	const ex_layer layer = {.kind = EX_LAYER_IS_INPUT, .shape = shape, .setting = no_setting};
	uint64_t	size = 0;

	EX_TRY(ex_network_count_activations(builder->host, shape, "the input", &size));
	EX_TRY(ex_put_u32(builder, EX_LAYER_INPUT_START, 0));
	EX_TRY(ex_put_u32(builder, EX_LAYER_WEIGHT_START, 0));
	EX_TRY(ex_put(builder, EX_LAYER_WEIGHT, NULL, 0));
	EX_TRY(put_entry(builder, ex_layer_kind_names[EX_LAYER_IS_INPUT], &layer));
	return ex_put_u32(builder, EX_LAYER_WEIGHT_START, 0);
}

static ex_status
find_inputs(ex_builder *builder, ex_layer *layer, const char *where, ex_shape **shape)
{
	uint32_t	n_layers = ex_network_count_layers(builder);

	EX_TRY(EX_ALLOC(builder->host, layer->n_inputs, shape));
	for (uint32_t i = 0; i < layer->n_inputs; i++)
	{
		if (layer->input[i] >= n_layers)
			return ex_fail(builder->host, EX_INVALID, "%s reads layer %u, which does not come before it",
						   where, layer->input[i]);
		(*shape)[i] = ex_network_put_shape(builder, layer->input[i]);
	}
	return EX_OK;
}

static ex_status
check_weight_count(ex_builder *builder, const ex_layer *layer, const ex_shape *input, size_t n_weights,
				   const char *where)
{
	uint64_t	needed = ex_network_weight_count(layer, input);

	EX_TRY(ex_network_check_weight_limit(builder->host, layer, input, where));
	if (ex_network_weight_count_ok(layer, input, n_weights))
		return EX_OK;
	if (layer->kind == EX_LAYER_AFFINE)
		return ex_fail(builder->host, EX_INVALID,
					   "%s has %zu numbers, but needs a scale and a shift for all, for each channel (%u) or for each number (%llu)",
					   where, n_weights, input[0].channels, (unsigned long long) needed / 2);
	if (needed == 0)
		return ex_fail(builder->host, EX_INVALID, "%s has weights, but its kind takes none", where);
	return ex_fail(builder->host, EX_INVALID, "%s needs %llu weights, bias included, but has %zu", where,
				   (unsigned long long) needed, n_weights);
}

/* What is left out in a layer as callers give it. */
static void
complete_settings(const ex_new_layer *new, int32_t setting[EX_N_SETTINGS])
{
	bool		slides = new->kind == EX_LAYER_CONV2D || new->kind == EX_LAYER_MAX_POOL ||
	new->kind == EX_LAYER_AVERAGE_POOL;

	memcpy(setting, new->setting, sizeof(new->setting));
	for (int i = EX_STRIDE_H; slides && i <= EX_GROUPS; i++)
	{
		bool		is_one = i == EX_STRIDE_H || i == EX_STRIDE_W || i == EX_DILATION_H ||
		i == EX_DILATION_W || (i == EX_GROUPS && new->kind == EX_LAYER_CONV2D);

		if (is_one && setting[i] == 0)
			setting[i] = 1;
	}
}

ex_status
ex_network_put_layer(ex_builder *builder, const ex_new_layer *new)
{
	uint32_t	at = ex_network_count_layers(builder);
	const uint32_t before = at - 1;
	int32_t		setting[EX_N_SETTINGS];
	ex_layer	layer = {
		.kind = new->kind,
		.n_inputs = new->n_inputs > 0 ? new->n_inputs : 1,
		.input = new->n_inputs > 0 ? new->input : &before,
		.shape = new->shape,
		.setting = setting,
		.number = new->number
	};
	char		name[48];
	char		where[EX_WHERE_SIZE];
	ex_shape   *input;

	if (at == 0)
		return ex_fail(builder->host, EX_INVALID, "network has no input");
	if (at >= EX_MAX_LAYERS)
		return ex_fail(builder->host, EX_LIMIT, "network has more than %d layers", EX_MAX_LAYERS);
	if (new->kind > EX_LAYER_IS_INPUT && new->kind < EX_N_LAYER_KINDS)
		ex_network_default_name(new->kind, at, name);
	else
		snprintf(name, sizeof(name), "%u", at);
	ex_network_where(new->name != NULL ? new->name : name, strlen(new->name != NULL ? new->name : name), where);
	if (new->name != NULL && new->name[0] == '\0')
		return ex_fail(builder->host, EX_INVALID, "name of layer %u is empty", at);
	complete_settings(new, setting);
	EX_TRY(find_inputs(builder, &layer, where, &input));
	EX_TRY(ex_network_infer_shape(builder->host, &layer, input, where, &layer.shape));
	EX_TRY(check_weight_count(builder, &layer, input, new->n_weights, where));
	EX_TRY(put_entry(builder, new->name != NULL ? new->name : name, &layer));
	EX_TRY(ex_put(builder, EX_LAYER_WEIGHT, new->weight, new->n_weights));
	return ex_put_u32(builder, EX_LAYER_WEIGHT_START, (uint32_t) ex_put_count(builder, EX_LAYER_WEIGHT));
}

/* ----------------------------------------------------------------
 * Inputs
 * ---------------------------------------------------------------- */

double
ex_network_implied_missing(const ex_network_column *column, ex_missing_policy policy, double impute)
{
	/* a value that adds nothing is one that is scaled to 0 */
	if (policy == EX_MISSING_NATIVE && column->column.kind == EX_COLUMN_VALUE)
		return column->center + 0.0;
	return ex_implied_missing(&column->column, policy, impute);
}

ex_status
ex_network_put_column(ex_builder *builder, const ex_network_column *column)
{
	double		missing = column->column.missing;
	const uint8_t *policy = (const uint8_t *) builder->section[EX_FEATURE_MISSING].data;
	const double *impute = (const double *) builder->section[EX_FEATURE_IMPUTE].data;
	uint32_t	f = column->column.feature;

	if (f >= builder->n_features)
		return ex_fail(builder->host, EX_INVALID, "feature %u does not exist", f + 1);
	if (isnan(missing))
		missing = ex_network_implied_missing(column, (ex_missing_policy) policy[f], impute[f]);
	EX_TRY(ex_linear_put_column(builder, f, column->column.kind, column->column.level,
								column->column.low, column->column.high, missing));
	EX_TRY(ex_put_f64(builder, EX_COLUMN_CENTER, column->center));
	return ex_put_f64(builder, EX_COLUMN_SCALE, column->scale);
}

ex_status
ex_network_put_input(ex_builder *builder, const ex_network_column *column, size_t n)
{
	for (size_t c = 0; c < n; c++)
		EX_TRY(ex_network_put_column(builder, &column[c]));
	if (n > EX_MAX_ACTIVATIONS)
		return ex_fail(builder->host, EX_LIMIT, "network has too many columns");
	return ex_network_put_input_layer(builder, (ex_shape) {(uint32_t) n, 1, 1});
}

static ex_status
put_values(ex_builder *builder, const double *center, const double *scale, const double *missing)
{
	for (uint32_t f = 0; f < builder->n_features; f++)
	{
		const ex_network_column column = {
			.column = {
				.feature = f, .kind = EX_COLUMN_VALUE, .missing = missing != NULL ? missing[f] : NAN
			},
			.center = center != NULL ? center[f] : 0,
			.scale = scale != NULL ? scale[f] : 1
		};

		EX_TRY(ex_network_put_column(builder, &column));
	}
	return EX_OK;
}

ex_status
ex_network_put_plain_input(ex_builder *builder)
{
	EX_TRY(put_values(builder, NULL, NULL, NULL));
	return ex_network_put_input_layer(builder, (ex_shape) {builder->n_features, 1, 1});
}

int
ex_network_pixel_name(const char *channel, size_t length, uint32_t y, uint32_t x,
					  char name[EX_MAX_NAME + 32])
{
	if (length > EX_MAX_NAME)
		length = EX_MAX_NAME;	/* too long in any case */
	return snprintf(name, EX_MAX_NAME + 32, "%.*s[%u,%u]", (int) length, channel, y, x);
}

ex_status
ex_network_put_pixels(ex_builder *builder, const char *const *channel, ex_shape shape)
{
	uint64_t	size = 0;

	EX_TRY(ex_network_count_activations(builder->host, shape, "the input", &size));
	if (size > EX_MAX_FEATURES)
	{
		ex_fail(builder->host, EX_LIMIT, "image has %llu pixels", (unsigned long long) size);
		ex_detail(builder->host, "The limit is %d features, which an image's pixels are.", EX_MAX_FEATURES);
		return EX_LIMIT;
	}
	for (uint32_t i = 0; i < size; i++)
	{
		uint32_t	x = i % shape.width;
		uint32_t	y = i / shape.width % shape.height;
		const char *of = channel[i / shape.width / shape.height];
		char		name[EX_MAX_NAME + 32];
		int			length = ex_network_pixel_name(of, strlen(of), y, x, name);
		const ex_feature feature = {.name = name, .name_length = (size_t) length};

		EX_TRY(ex_put_feature(builder, &feature));
	}
	return EX_OK;
}

ex_status
ex_network_put_image_input(ex_builder *builder, const char *const *channel, ex_shape shape,
						   const double *center, const double *scale, const double *missing)
{
	const uint32_t size[] = {shape.channels, shape.height, shape.width};

	if (ex_shape_size(shape) != builder->n_features)
		return ex_fail(builder->host, EX_INVALID, "image of %u x %u pixels and %u channels needs %zu features, not %u",
					   shape.height, shape.width, shape.channels, ex_shape_size(shape), builder->n_features);
	EX_TRY(put_values(builder, center, scale, missing));
	EX_TRY(ex_put(builder, EX_IMAGE_SHAPE, size, 3));
	for (uint32_t c = 0; c < shape.channels; c++)
		EX_TRY(ex_put_name(builder, EX_CHANNEL_NAME_START, channel[c], strlen(channel[c])));
	return ex_network_put_input_layer(builder, shape);
}

ex_status
ex_network_put_image(ex_builder *builder, const char *const *channel, ex_shape shape)
{
	EX_TRY(ex_network_put_pixels(builder, channel, shape));
	return ex_network_put_image_input(builder, channel, shape, NULL, NULL, NULL);
}

/* ----------------------------------------------------------------
 * Finish
 * ---------------------------------------------------------------- */

/* Take the layer put last, which has no weights, away again. */
static void
drop_last_layer(ex_builder *builder)
{
	uint32_t	last = ex_network_count_layers(builder) - 1;

	builder->section[EX_LAYER_NAME_TEXT].size = numbers(builder, EX_LAYER_NAME_START)[last];
	builder->section[EX_LAYER_INPUT].size = numbers(builder, EX_LAYER_INPUT_START)[last] * sizeof(uint32_t);
	builder->section[EX_LAYER_NAME_START].size -= sizeof(uint32_t);
	builder->section[EX_LAYER_INPUT_START].size -= sizeof(uint32_t);
	builder->section[EX_LAYER_WEIGHT_START].size -= sizeof(uint32_t);
	builder->section[EX_LAYER_KIND].size -= 1;
	builder->section[EX_LAYER_SHAPE].size -= 3 * sizeof(uint32_t);
	builder->section[EX_LAYER_SETTING].size -= EX_N_SETTINGS * sizeof(int32_t);
	builder->section[EX_LAYER_NUMBER].size -= sizeof(double);
}

/*
 * Links go over outputs, softmax over the channels at each pixel: the same
 * for a vector only.  A layer alone stays, since a network needs one.
 */
static void
take_link(ex_builder *builder)
{
	uint32_t	last = ex_network_count_layers(builder) - 1;
	ex_layer_kind kind = (ex_layer_kind) (uint8_t) builder->section[EX_LAYER_KIND].data[last];
	ex_shape	shape = ex_network_last_shape(builder);
	ex_link		link = EX_LINK_IDENTITY;

	if (kind == EX_LAYER_SIGMOID)
		link = EX_LINK_LOGIT;
	if (kind == EX_LAYER_SOFTMAX && shape.channels > 1 && shape.height == 1 && shape.width == 1)
		link = EX_LINK_SOFTMAX;
	if (link == EX_LINK_IDENTITY || builder->link != EX_LINK_IDENTITY || last < 2 ||
		numbers(builder, EX_LAYER_INPUT)[ex_put_count(builder, EX_LAYER_INPUT) - 1] != last - 1)
		return;
	drop_last_layer(builder);
	builder->link = link;
	builder->link_param = 1;
}

/* float32 if it loses nothing: a property of the weights, so there is one form. */
static ex_status
choose_precision(ex_builder *builder)
{
	size_t		n = ex_put_count(builder, EX_LAYER_WEIGHT);
	const double *weight = (const double *) builder->section[EX_LAYER_WEIGHT].data;
	float	   *single;

	for (size_t i = 0; i < n; i++)
		if (!(fabs(weight[i]) <= FLT_MAX) || (double) (float) weight[i] != weight[i])
			return EX_OK;
	EX_TRY(EX_ALLOC(builder->host, n, &single));
	for (size_t i = 0; i < n; i++)
		single[i] = (float) weight[i];
	ex_drop(builder, EX_LAYER_WEIGHT);
	return ex_put(builder, EX_LAYER_WEIGHT_F32, single, n);
}

ex_status
ex_network_close(ex_builder *builder)
{
	uint32_t	n_layers = ex_network_count_layers(builder);
	size_t		size;

	if (n_layers < 2)
		return ex_fail(builder->host, EX_INVALID, "network has no layers");
	size = ex_shape_size(ex_network_last_shape(builder));
	if (size > EX_MAX_OUTPUTS)
	{
		ex_fail(builder->host, EX_LIMIT, "network has %zu outputs", size);
		ex_detail(builder->host, "The limit is %d outputs.", EX_MAX_OUTPUTS);
		return EX_LIMIT;
	}
	if (builder->n_outputs != 0 && builder->n_outputs != size)
		return ex_fail(builder->host, EX_INVALID, "model has %u outputs, but its last layer has %zu numbers",
					   builder->n_outputs, size);
	builder->n_outputs = (uint32_t) size;
	EX_TRY(choose_precision(builder));
	return ex_default_output_names(builder);
}

ex_status
ex_network_finish(ex_builder *builder)
{
	if (ex_network_count_layers(builder) > 1)
		take_link(builder);
	return ex_network_close(builder);
}
