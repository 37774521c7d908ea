/*
 * network_shape.c
 *		What a layer of each kind looks like: settings, output shape, weights.
 *
 * Building and validation both go through here.  Sizes come from untrusted
 * bytes, so products are computed in 64 bits with a check after each factor.
 */
#include <math.h>
#include <string.h>

#include "network_model.h"

const char *const ex_layer_kind_names[EX_N_LAYER_KINDS] = {
	[EX_LAYER_IS_INPUT] = "input",
	[EX_LAYER_DENSE] = "dense",
	[EX_LAYER_CONV2D] = "conv2d",
	[EX_LAYER_MAX_POOL] = "max_pool",
	[EX_LAYER_AVERAGE_POOL] = "average_pool",
	[EX_LAYER_GLOBAL_MAX_POOL] = "global_max_pool",
	[EX_LAYER_GLOBAL_AVERAGE_POOL] = "global_average_pool",
	[EX_LAYER_BATCH_NORM] = "batch_norm",
	[EX_LAYER_AFFINE] = "affine",
	[EX_LAYER_RESHAPE] = "reshape",
	[EX_LAYER_PERMUTE] = "permute",
	[EX_LAYER_CONCAT] = "concat",
	[EX_LAYER_ADD] = "add",
	[EX_LAYER_MULTIPLY] = "multiply",
	[EX_LAYER_RELU] = "relu",
	[EX_LAYER_LEAKY_RELU] = "leaky_relu",
	[EX_LAYER_ELU] = "elu",
	[EX_LAYER_GELU] = "gelu",
	[EX_LAYER_SIGMOID] = "sigmoid",
	[EX_LAYER_TANH] = "tanh",
	[EX_LAYER_SOFTPLUS] = "softplus",
	[EX_LAYER_SQUARE] = "square",
	[EX_LAYER_SOFTMAX] = "softmax",
};

void
ex_network_where(const char *name, size_t length, char where[EX_WHERE_SIZE])
{
	static const char start[] = "layer \"";
	size_t		room = EX_WHERE_SIZE - sizeof(start) - 1;

	if (length > room)
	{
		length = room;
		while (length > 0 && ((unsigned char) name[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(where, start, sizeof(start) - 1);
	memcpy(where + sizeof(start) - 1, name, length);
	memcpy(where + sizeof(start) - 1 + length, "\"", 2);
}

static bool
is_pool(ex_layer_kind kind)
{
	return kind == EX_LAYER_MAX_POOL || kind == EX_LAYER_AVERAGE_POOL;
}

/* a * b, UINT64_MAX where it does not fit */
static uint64_t
product(uint64_t a, uint64_t b)
{
	return a != 0 && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

/* Numbers in a shape that nobody has checked yet. */
static uint64_t
count_numbers(ex_shape shape)
{
	return product(product(shape.channels, shape.height), shape.width);
}

/*
 * Settings.
 */

static bool
uses_setting(ex_layer_kind kind, int i)
{
	if (kind == EX_LAYER_CONV2D)
		return i != EX_FLAGS;
	if (is_pool(kind))
		return i != EX_GROUPS && (i != EX_FLAGS || kind == EX_LAYER_AVERAGE_POOL);
	return kind == EX_LAYER_PERMUTE && i < 3;
}

static ex_status
check_windows(ex_host *host, const ex_layer *layer, const char *where)
{
	const int32_t *setting = layer->setting;

	if (setting[EX_KERNEL_H] < 1 || setting[EX_KERNEL_W] < 1)
		return ex_fail(host, EX_INVALID, "kernel of %s must have a height and a width of 1 or more", where);
	if (setting[EX_STRIDE_H] < 1 || setting[EX_STRIDE_W] < 1)
		return ex_fail(host, EX_INVALID, "stride of %s must be 1 or more", where);
	if (setting[EX_DILATION_H] < 1 || setting[EX_DILATION_W] < 1)
		return ex_fail(host, EX_INVALID, "dilation of %s must be 1 or more", where);
	for (int i = EX_PAD_TOP; i <= EX_PAD_RIGHT; i++)
		if (setting[i] < 0)
			return ex_fail(host, EX_INVALID, "padding of %s must not be negative", where);
	if (layer->kind == EX_LAYER_CONV2D && setting[EX_GROUPS] < 1)
		return ex_fail(host, EX_INVALID, "groups of %s must be 1 or more", where);
	if (setting[EX_FLAGS] & ~EX_POOL_COUNTS_PADDING)
		return ex_fail(host, EX_INVALID, "%s has unknown flags", where);
	return EX_OK;
}

static ex_status
check_axes(ex_host *host, const ex_layer *layer, const char *where)
{
	int			seen = 0;

	for (int i = 0; i < 3; i++)
		if (layer->setting[i] >= 0 && layer->setting[i] < 3)
			seen |= 1 << layer->setting[i];
	if (seen != 7)
		return ex_fail(host, EX_INVALID, "axes of %s must be 0, 1 and 2, each once", where);
	return EX_OK;
}

static ex_status
check_number(ex_host *host, const ex_layer *layer, const char *where)
{
	switch (layer->kind)
	{
		case EX_LAYER_BATCH_NORM:
			if (!(isfinite(layer->number) && layer->number >= 0))
				return ex_fail(host, EX_INVALID, "epsilon of %s must be a number, 0 or more", where);
			return EX_OK;
		case EX_LAYER_LEAKY_RELU:
		case EX_LAYER_ELU:
			if (!isfinite(layer->number))
				return ex_fail(host, EX_RANGE, "%s of %s is out of range",
							   layer->kind == EX_LAYER_ELU ? "alpha" : "slope", where);
			return EX_OK;
		default:
			if (layer->number != 0)
				return ex_fail(host, EX_INVALID, "%s has a number that its kind does not use", where);
			return EX_OK;
	}
}

ex_status
ex_network_check_settings(ex_host *host, const ex_layer *layer, const char *where)
{
	for (int i = 0; i < EX_N_SETTINGS; i++)
		if (layer->setting[i] != 0 && !uses_setting(layer->kind, i))
			return ex_fail(host, EX_INVALID, "%s has a setting that its kind does not use", where);
	if (layer->kind == EX_LAYER_CONV2D || is_pool(layer->kind))
		EX_TRY(check_windows(host, layer, where));
	if (layer->kind == EX_LAYER_PERMUTE)
		EX_TRY(check_axes(host, layer, where));
	return check_number(host, layer, where);
}

/*
 * Shapes.
 */

/* One of the two directions of a sliding window. */
typedef struct axis
{
	int64_t		size;			/* of the input */
	int64_t		kernel;
	int64_t		stride;
	int64_t		before;			/* padding */
	int64_t		after;
	int64_t		dilation;
} axis;

static axis
vertical(const ex_layer *layer, ex_shape input)
{
	const int32_t *s = layer->setting;

	return (axis) {input.height, s[EX_KERNEL_H], s[EX_STRIDE_H], s[EX_PAD_TOP], s[EX_PAD_BOTTOM], s[EX_DILATION_H]};
}

static axis
horizontal(const ex_layer *layer, ex_shape input)
{
	const int32_t *s = layer->setting;

	return (axis) {input.width, s[EX_KERNEL_W], s[EX_STRIDE_W], s[EX_PAD_LEFT], s[EX_PAD_RIGHT], s[EX_DILATION_W]};
}

/* Windows that fit into the padded input; 0 or less: none. */
static int64_t
count_windows(axis a)
{
	int64_t		room = a.size + a.before + a.after - a.dilation * (a.kernel - 1) - 1;

	return room < 0 ? 0 : room / a.stride + 1;
}

/*
 * Does every window cover a real pixel?  A pool over padding alone would have
 * no value.  Windows that begin inside the input do; of those that begin
 * before it the first tap inside decides.
 */
static bool
windows_touch_input(axis a, int64_t n)
{
	for (int64_t i = 0; i < n && i * a.stride < a.before; i++)
	{
		int64_t		gap = a.before - i * a.stride;
		int64_t		tap = (gap + a.dilation - 1) / a.dilation;

		if (tap >= a.kernel || tap * a.dilation - gap >= a.size)
			return false;
	}
	return (n - 1) * a.stride - a.before < a.size;
}

static ex_status
check_window_limit(ex_host *host, const ex_layer *layer, const char *where)
{
	for (int i = EX_KERNEL_H; i <= EX_DILATION_W; i++)
	{
		if (layer->setting[i] <= EX_MAX_WINDOW_SETTING)
			continue;
		ex_fail(host, EX_LIMIT, "window of %s is too large", where);
		ex_detail(host, "Kernel, stride, padding and dilation must not be more than %d.", EX_MAX_WINDOW_SETTING);
		return EX_LIMIT;
	}
	return EX_OK;
}

static ex_status
slide(ex_host *host, const ex_layer *layer, ex_shape input, const char *where, ex_shape *shape)
{
	axis		y = vertical(layer, input);
	axis		x = horizontal(layer, input);
	int64_t		height = count_windows(y);
	int64_t		width = count_windows(x);

	if (height < 1 || width < 1)
		return ex_fail(host, EX_INVALID, "kernel of %s, %d x %d, is larger than its padded input, %u x %u",
					   where, layer->setting[EX_KERNEL_H], layer->setting[EX_KERNEL_W],
					   input.height, input.width);
	/* too many are refused by their number */
	shape->height = shape->width = EX_MAX_ACTIVATIONS;
	if (height > EX_MAX_ACTIVATIONS || width > EX_MAX_ACTIVATIONS)
		return EX_OK;
	EX_TRY(check_window_limit(host, layer, where));
	if (is_pool(layer->kind) && !(windows_touch_input(y, height) && windows_touch_input(x, width)))
		return ex_fail(host, EX_INVALID, "%s has windows that cover nothing but padding", where);
	shape->height = (uint32_t) height;
	shape->width = (uint32_t) width;
	return EX_OK;
}

static ex_status
convolve(ex_host *host, const ex_layer *layer, ex_shape input, const char *where, ex_shape *shape)
{
	uint32_t	groups = (uint32_t) layer->setting[EX_GROUPS];

	if (layer->shape.channels == 0)
		return ex_fail(host, EX_INVALID, "%s has no output channels", where);
	if (input.channels % groups != 0 || layer->shape.channels % groups != 0)
		return ex_fail(host, EX_INVALID, "groups of %s, %u, do not divide its %u input and %u output channels",
					   where, groups, input.channels, layer->shape.channels);
	shape->channels = layer->shape.channels;
	return slide(host, layer, input, where, shape);
}

static ex_status
reshape(ex_host *host, const ex_layer *layer, ex_shape input, const char *where, ex_shape *shape)
{
	*shape = layer->shape;
	if (count_numbers(*shape) == count_numbers(input))
		return EX_OK;
	return ex_fail(host, EX_INVALID, "%s makes (%u, %u, %u) of an input of (%u, %u, %u), which has another size",
				   where, shape->channels, shape->height, shape->width,
				   input.channels, input.height, input.width);
}

static void
permute(const ex_layer *layer, ex_shape input, ex_shape *shape)
{
	const uint32_t size[] = {input.channels, input.height, input.width};

	shape->channels = size[layer->setting[0]];
	shape->height = size[layer->setting[1]];
	shape->width = size[layer->setting[2]];
}

static ex_status
misfit(ex_host *host, const char *where, uint32_t i, ex_shape input, ex_shape shape)
{
	return ex_fail(host, EX_INVALID,
				   "input %u of %s has shape (%u, %u, %u), which does not go with (%u, %u, %u)",
				   i + 1, where, input.channels, input.height, input.width,
				   shape.channels, shape.height, shape.width);
}

static ex_status
concatenate(ex_host *host, const ex_layer *layer, const ex_shape *input, const char *where, ex_shape *shape)
{
	uint64_t	channels = 0;

	*shape = input[0];
	for (uint32_t i = 0; i < layer->n_inputs; i++)
	{
		if (input[i].height != shape->height || input[i].width != shape->width)
			return misfit(host, where, i, input[i], *shape);
		channels += input[i].channels;
	}
	/* too many are refused by their number */
	shape->channels = channels > UINT32_MAX ? UINT32_MAX : (uint32_t) channels;
	return EX_OK;
}

static bool
is_pixel(ex_shape shape)
{
	return shape.height == 1 && shape.width == 1;
}

/* Sums and products: all of one shape, but for (c, 1, 1), which goes with each pixel. */
static ex_status
combine(ex_host *host, const ex_layer *layer, const ex_shape *input, const char *where, ex_shape *shape)
{
	if (layer->n_inputs < 2)
		return ex_fail(host, EX_INVALID, "%s needs two inputs or more", where);
	*shape = input[0];
	for (uint32_t i = 1; i < layer->n_inputs && is_pixel(*shape); i++)
		*shape = input[i];
	for (uint32_t i = 0; i < layer->n_inputs; i++)
		if (input[i].channels != shape->channels ||
			!(is_pixel(input[i]) ||
			  (input[i].height == shape->height && input[i].width == shape->width)))
			return misfit(host, where, i, input[i], *shape);
	return EX_OK;
}

static ex_status
shape_of_kind(ex_host *host, const ex_layer *layer, const ex_shape *input, const char *where, ex_shape *shape)
{
	*shape = input[0];
	switch (layer->kind)
	{
		case EX_LAYER_DENSE:
			if (layer->shape.channels == 0)
				return ex_fail(host, EX_INVALID, "%s has no units", where);
			*shape = (ex_shape) {layer->shape.channels, 1, 1};
			return EX_OK;
		case EX_LAYER_CONV2D:
			return convolve(host, layer, input[0], where, shape);
		case EX_LAYER_MAX_POOL:
		case EX_LAYER_AVERAGE_POOL:
			return slide(host, layer, input[0], where, shape);
		case EX_LAYER_GLOBAL_MAX_POOL:
		case EX_LAYER_GLOBAL_AVERAGE_POOL:
			*shape = (ex_shape) {input[0].channels, 1, 1};
			return EX_OK;
		case EX_LAYER_RESHAPE:
			return reshape(host, layer, input[0], where, shape);
		case EX_LAYER_PERMUTE:
			permute(layer, input[0], shape);
			return EX_OK;
		case EX_LAYER_CONCAT:
			return concatenate(host, layer, input, where, shape);
		case EX_LAYER_ADD:
		case EX_LAYER_MULTIPLY:
			return combine(host, layer, input, where, shape);
		default:
			return EX_OK;
	}
}

ex_status
ex_network_infer_shape(ex_host *host, const ex_layer *layer, const ex_shape *input,
					   const char *where, ex_shape *shape)
{
	bool		takes_many = layer->kind == EX_LAYER_CONCAT || layer->kind == EX_LAYER_ADD ||
	layer->kind == EX_LAYER_MULTIPLY;
	ex_shape	inferred;
	uint64_t	none = 0;

	if (layer->kind <= EX_LAYER_IS_INPUT || layer->kind >= EX_N_LAYER_KINDS)
		return ex_fail(host, EX_INVALID, "%s has an unknown kind", where);
	if (layer->n_inputs == 0)
		return ex_fail(host, EX_INVALID, "%s has no input", where);
	if (layer->n_inputs > 1 && !takes_many)
		return ex_fail(host, EX_INVALID, "%s has %u inputs, but its kind takes one", where, layer->n_inputs);
	EX_TRY(ex_network_check_settings(host, layer, where));
	EX_TRY(shape_of_kind(host, layer, input, where, &inferred));
	EX_TRY(ex_network_count_activations(host, inferred, where, &none));
	*shape = inferred;
	return EX_OK;
}

ex_status
ex_network_count_activations(ex_host *host, ex_shape shape, const char *where, uint64_t *total)
{
	uint64_t	size = count_numbers(shape);

	if (size == 0)
		return ex_fail(host, EX_INVALID, "%s has an output without numbers", where);
	if (size > EX_MAX_ACTIVATIONS || *total + size > EX_MAX_ACTIVATIONS)
	{
		ex_fail(host, EX_LIMIT, "network is too large: output of %s has shape (%u, %u, %u)",
				where, shape.channels, shape.height, shape.width);
		ex_detail(host, "The limit is %d numbers in all layers together, for one row.", EX_MAX_ACTIVATIONS);
		return EX_LIMIT;
	}
	*total += size;
	return EX_OK;
}

/*
 * Weights.
 */

int
ex_network_weight_dimensions(const ex_layer *layer, const ex_shape *input, size_t size[4])
{
	const int32_t *setting = layer->setting;

	size[0] = layer->shape.channels;
	if (layer->kind == EX_LAYER_DENSE)
	{
		size[1] = ex_shape_size(input[0]);
		return 2;
	}
	if (layer->kind != EX_LAYER_CONV2D)
		return 0;
	size[1] = input[0].channels / (uint32_t) setting[EX_GROUPS];
	size[2] = (size_t) setting[EX_KERNEL_H];
	size[3] = (size_t) setting[EX_KERNEL_W];
	return 4;
}

uint64_t
ex_network_weight_count(const ex_layer *layer, const ex_shape *input)
{
	size_t		size[4];
	int			n = ex_network_weight_dimensions(layer, input, size);
	uint64_t	count = 1;

	if (layer->kind == EX_LAYER_BATCH_NORM)
		return product(4, input[0].channels);
	if (layer->kind == EX_LAYER_AFFINE)
		return product(2, ex_shape_size(input[0]));
	if (n == 0)
		return 0;
	for (int i = 0; i < n; i++)
		count = product(count, size[i]);
	return count > UINT64_MAX - size[0] ? UINT64_MAX : count + size[0];
}

ex_status
ex_network_check_weight_limit(ex_host *host, const ex_layer *layer, const ex_shape *input,
							  const char *where)
{
	/* as float32, the smaller of the two forms; affine layers may do with two */
	if (layer->kind == EX_LAYER_AFFINE ||
		ex_network_weight_count(layer, input) <= EX_MAX_MODEL_SIZE / sizeof(float))
		return EX_OK;
	ex_fail(host, EX_LIMIT, "%s needs too many weights", where);
	ex_detail(host, "The limit is %zu bytes for the whole model.", EX_MAX_MODEL_SIZE);
	return EX_LIMIT;
}

bool
ex_network_weight_count_ok(const ex_layer *layer, const ex_shape *input, uint64_t n_weights)
{
	if (layer->kind == EX_LAYER_AFFINE &&
		(n_weights == 2 || n_weights == 2 * (uint64_t) input[0].channels))
		return true;
	return n_weights == ex_network_weight_count(layer, input);
}
