/*
 * onnx_window.c
 *		Convolutions and pools of ONNX graphs.
 *
 * Images have dimensions (c, h, w); sequences (c, w) are images of height 1.
 * Zeros that Pad puts around an image are taken by the convolution or average
 * pool that follows.
 */
#include <math.h>
#include <string.h>

#include "onnx_internal.h"

/* Attributes of a window; axis 0 is the height, 1 the width. */
typedef struct window
{
	int64_t		kernel[2];
	int64_t		stride[2];
	int64_t		dilation[2];
	int64_t		before[2];		/* padding */
	int64_t		after[2];
	int64_t		size[2];		/* of the input */
	int64_t		windows[2];		/* of the output */
	bool		ceils;			/* the last window may begin inside and end
								 * outside */
} window;

#define LARGEST (1 << 20)		/* no kernel, stride or padding is larger */

/* A list of one number for each axis of the image, the first ones given. */
static ex_status
read_pair(onnx_reader *reader, const char *name, uint32_t rank, int64_t missing, int64_t low, int64_t pair[2], bool *given)
{
	const int64_t *value;
	size_t		n;

	EX_TRY(onnx_integers(reader, name, &value, &n));
	*given = n > 0;
	pair[0] = pair[1] = missing;
	if (n == 0)
		return EX_OK;
	if (n != rank)
		return onnx_fail(reader, EX_INVALID, "\"%s\" has %zu elements, not %u", name, n, rank);
	for (size_t i = 0; i < n; i++)
	{
		if (value[i] < low || value[i] > LARGEST)
			return onnx_fail(reader, EX_INVALID, "\"%s\" is out of range: %lld", name, (long long) value[i]);
		pair[2 - rank + i] = value[i];
	}
	return EX_OK;
}

/* Begins of all axes, then ends. */
static ex_status
read_pads(onnx_reader *reader, uint32_t rank, window *w)
{
	const int64_t *value;
	size_t		n;

	EX_TRY(onnx_integers(reader, "pads", &value, &n));
	if (n == 0)
		return EX_OK;
	if (n != 2 * rank)
		return onnx_fail(reader, EX_INVALID, "\"pads\" has %zu elements, not %u", n, 2 * rank);
	for (size_t i = 0; i < n; i++)
		if (value[i] < 0 || value[i] > LARGEST)
			return onnx_fail(reader, EX_UNSUPPORTED, "\"pads\" has %lld", (long long) value[i]);
	for (uint32_t i = 0; i < rank; i++)
	{
		w->before[2 - rank + i] = value[i];
		w->after[2 - rank + i] = value[rank + i];
	}
	return EX_OK;
}

/* As many windows as strides fit; padding on both sides, what is odd at the end or at the start. */
static void
pad_to_same(window *w, bool odd_at_end)
{
	for (int i = 0; i < 2; i++)
	{
		int64_t		n = (w->size[i] + w->stride[i] - 1) / w->stride[i];
		int64_t		total = (n - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] + 1 - w->size[i];

		total = total < 0 ? 0 : total;
		w->before[i] = odd_at_end ? total / 2 : total - total / 2;
		w->after[i] = total - w->before[i];
	}
}

static ex_status
read_auto_pad(onnx_reader *reader, window *w)
{
	ex_span		mode;

	EX_TRY(onnx_text(reader, "auto_pad", "NOTSET", &mode));
	if (onnx_is(mode, "SAME_UPPER") || onnx_is(mode, "SAME_LOWER"))
		pad_to_same(w, onnx_is(mode, "SAME_UPPER"));
	else if (onnx_is(mode, "VALID"))
		memset(w->before, 0, sizeof(w->before) + sizeof(w->after));
	else if (!onnx_is(mode, "NOTSET"))
		return onnx_fail(reader, EX_INVALID, "auto_pad \"%.*s\" is unknown", ONNX_NAME(mode));
	return EX_OK;
}

/*
 * The number of windows.  With ceil_mode a last one may reach beyond the
 * padding, as long as it begins inside: more padding, which pools do not
 * count, makes room for it.
 */
static ex_status
count_windows(onnx_reader *reader, window *w)
{
	for (int i = 0; i < 2; i++)
	{
		int64_t		room = w->size[i] + w->before[i] + w->after[i] - (w->kernel[i] - 1) * w->dilation[i] - 1;
		int64_t		rest = room < 0 ? 0 : room % w->stride[i];

		if (room < 0)
			return onnx_fail(reader, EX_INVALID, "its kernel is larger than its padded input");
		if (w->ceils && rest != 0 && (room / w->stride[i] + 1) * w->stride[i] < w->size[i] + w->before[i])
		{
			w->after[i] += w->stride[i] - rest;
			room += w->stride[i] - rest;
		}
		w->windows[i] = room / w->stride[i] + 1;
	}
	return EX_OK;
}

/* The input as an image or sequence. */
static ex_status
need_image(onnx_reader *reader, onnx_value **in, uint32_t *rank)
{
	*rank = 0;
	EX_TRY(onnx_need_layer(reader, 0, in));
	if ((*in)->dims.n != 2 && (*in)->dims.n != 3)
		return onnx_fail(reader, EX_UNSUPPORTED, "only images and sequences are supported, of 4 and 3 dimensions with the rows");
	*rank = (*in)->dims.n - 1;
	return EX_OK;
}

/* Zeros of a Pad before this node become its own. */
static void
take_pad(onnx_reader *reader, int32_t pad[4])
{
	onnx_value *in = onnx_in(reader, 0);

	memset(pad, 0, 4 * sizeof(int32_t));
	if (in == NULL || in->kind != ONNX_LAYER)
		return;
	memcpy(pad, in->pad, 4 * sizeof(int32_t));
	memset(in->pad, 0, sizeof(in->pad));
}

/* and others may read the padded value later */
static void
put_pad_back(onnx_reader *reader, const int32_t pad[4])
{
	memcpy(onnx_in(reader, 0)->pad, pad, 4 * sizeof(int32_t));
}

static ex_status
read_window(onnx_reader *reader, const onnx_value *in, uint32_t rank, const int64_t *kernel, window *w)
{
	bool		given;

	memset(w, 0, sizeof(*w));
	w->size[0] = rank == 2 ? in->dims.size[1] : 1;
	w->size[1] = in->dims.size[rank];
	EX_TRY(read_pair(reader, "kernel_shape", rank, 1, 1, w->kernel, &given));
	if (!given && kernel == NULL)
		return onnx_fail(reader, EX_INVALID, "attribute \"kernel_shape\" is missing");
	for (uint32_t i = 0; kernel != NULL && i < rank; i++)
	{
		if (given && w->kernel[2 - rank + i] != kernel[i])
			return onnx_fail(reader, EX_INVALID, "\"kernel_shape\" is not that of its weights");
		w->kernel[2 - rank + i] = kernel[i];
	}
	EX_TRY(read_pair(reader, "strides", rank, 1, 1, w->stride, &given));
	EX_TRY(read_pair(reader, "dilations", rank, 1, 1, w->dilation, &given));
	EX_TRY(read_pads(reader, rank, w));
	return read_auto_pad(reader, w);
}

static void
set_settings(const window *w, ex_new_layer *spec)
{
	spec->setting[EX_KERNEL_H] = (int32_t) w->kernel[0];
	spec->setting[EX_KERNEL_W] = (int32_t) w->kernel[1];
	spec->setting[EX_STRIDE_H] = (int32_t) w->stride[0];
	spec->setting[EX_STRIDE_W] = (int32_t) w->stride[1];
	spec->setting[EX_PAD_TOP] = (int32_t) w->before[0];
	spec->setting[EX_PAD_LEFT] = (int32_t) w->before[1];
	spec->setting[EX_PAD_BOTTOM] = (int32_t) w->after[0];
	spec->setting[EX_PAD_RIGHT] = (int32_t) w->after[1];
	spec->setting[EX_DILATION_H] = (int32_t) w->dilation[0];
	spec->setting[EX_DILATION_W] = (int32_t) w->dilation[1];
}

static void
add_pad(window *w, const int32_t pad[4])
{
	for (int i = 0; i < 2; i++)
	{
		w->before[i] += pad[i];
		w->after[i] += pad[2 + i];
	}
}

static onnx_dims
windows_dims(const window *w, int64_t channels, uint32_t rank)
{
	if (rank == 1)
		return onnx_dims_of(2, channels, w->windows[1], 1);
	return onnx_dims_of(3, channels, w->windows[0], w->windows[1]);
}

/* ----------------------------------------------------------------
 * Convolution
 * ---------------------------------------------------------------- */

static ex_status
conv_weights(onnx_reader *reader, const onnx_tensor *kernel, const onnx_value *in, uint32_t rank, int64_t groups,
			 double **weight)
{
	const onnx_tensor *bias = NULL;
	size_t		n_out = (size_t) kernel->dims.size[0];

	if (groups < 1 || groups > INT32_MAX || kernel->dims.size[1] > INT64_MAX / groups ||
		kernel->dims.size[1] * groups != in->dims.size[0])
		return onnx_fail(reader, EX_INVALID, "its weights and %lld groups do not go with %lld channels",
						 (long long) groups, (long long) in->dims.size[0]);
	(void) rank;
	if (onnx_in(reader, 2) != NULL)
		EX_TRY(onnx_need_constant(reader, 2, &bias));
	if (bias != NULL && (bias->number == NULL || bias->count != n_out))
		return onnx_fail(reader, EX_INVALID, "its bias does not go with %zu channels", n_out);
	EX_TRY(EX_ALLOC(reader->host, kernel->count + n_out, weight));
	if (kernel->count > 0)
		memcpy(*weight, kernel->number, kernel->count * sizeof(double));
	for (size_t o = 0; bias != NULL && o < n_out; o++)
		(*weight)[kernel->count + o] = bias->number[o];
	return EX_OK;
}

static ex_status
convolve(onnx_reader *reader, const onnx_value *in, uint32_t rank, const int32_t pad[4])
{
	ex_new_layer spec = {.kind = EX_LAYER_CONV2D};
	const onnx_tensor *kernel;
	window		w;
	onnx_dims	dims;
	double	   *weight;
	int64_t		groups;
	uint32_t	layer;

	EX_TRY(onnx_need_constant(reader, 1, &kernel));
	if (kernel->dims.n != rank + 2 || kernel->number == NULL || kernel->count == 0 || kernel->dims.size[0] > LARGEST)
		return onnx_fail(reader, EX_INVALID, "its weights do not go with an input of %u dimensions", rank + 2);
	EX_TRY(read_window(reader, in, rank, kernel->dims.size + 2, &w));
	add_pad(&w, pad);
	EX_TRY(count_windows(reader, &w));
	EX_TRY(onnx_integer(reader, "group", 1, &groups));
	EX_TRY(conv_weights(reader, kernel, in, rank, groups, &weight));
	spec.shape.channels = (uint32_t) kernel->dims.size[0];
	spec.n_weights = kernel->count + (size_t) kernel->dims.size[0];
	set_settings(&w, &spec);
	spec.setting[EX_GROUPS] = (int32_t) groups;
	dims = windows_dims(&w, kernel->dims.size[0], rank);
	EX_TRY(onnx_shaped(reader, in, onnx_shape(&in->dims), &layer));
	return onnx_set_layer(reader, &spec, layer, weight, &dims);
}

static ex_status
conv(onnx_reader *reader)
{
	onnx_value *in;
	uint32_t	rank;
	int32_t		pad[4];

	take_pad(reader, pad);
	EX_TRY(need_image(reader, &in, &rank));
	EX_TRY(convolve(reader, in, rank, pad));
	put_pad_back(reader, pad);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Pools
 * ---------------------------------------------------------------- */

static ex_status
pool(onnx_reader *reader, ex_layer_kind kind, const onnx_value *in, uint32_t rank, const int32_t pad[4])
{
	ex_new_layer spec = {.kind = kind};
	bool		padded = pad[0] + pad[1] + pad[2] + pad[3] > 0;
	window		w;
	onnx_dims	dims;
	int64_t		ceil_mode;
	int64_t		counts;
	uint32_t	layer;
	int64_t		after[2];

	EX_TRY(read_window(reader, in, rank, NULL, &w));
	EX_TRY(onnx_integer(reader, "ceil_mode", 0, &ceil_mode));
	EX_TRY(onnx_integer(reader, "count_include_pad", 0, &counts));
	if (padded && counts == 0 && (w.before[0] | w.before[1] | w.after[0] | w.after[1]) != 0)
		return onnx_fail(reader, EX_UNSUPPORTED, "it is padded by Pad and by itself");
	add_pad(&w, pad);
	counts = counts != 0 || padded;
	w.ceils = ceil_mode != 0;
	memcpy(after, w.after, sizeof(after));
	EX_TRY(count_windows(reader, &w));
	if (kind == EX_LAYER_AVERAGE_POOL && counts != 0)
	{
		if (memcmp(after, w.after, sizeof(after)) != 0)
			return onnx_fail(reader, EX_UNSUPPORTED, "ceil_mode with count_include_pad is not supported");
		spec.setting[EX_FLAGS] = EX_POOL_COUNTS_PADDING;
	}
	set_settings(&w, &spec);
	dims = windows_dims(&w, in->dims.size[0], rank);
	EX_TRY(onnx_shaped(reader, in, onnx_shape(&in->dims), &layer));
	return onnx_set_layer(reader, &spec, layer, NULL, &dims);
}

static ex_status
max_pool(onnx_reader *reader)
{
	static const int32_t no_pad[4];
	onnx_value *in;
	uint32_t	rank;

	EX_TRY(need_image(reader, &in, &rank));
	return pool(reader, EX_LAYER_MAX_POOL, in, rank, no_pad);
}

static ex_status
average_pool(onnx_reader *reader)
{
	onnx_value *in;
	uint32_t	rank;
	int32_t		pad[4];

	take_pad(reader, pad);
	EX_TRY(need_image(reader, &in, &rank));
	EX_TRY(pool(reader, EX_LAYER_AVERAGE_POOL, in, rank, pad));
	put_pad_back(reader, pad);
	return EX_OK;
}

static ex_status
global_pool(onnx_reader *reader, ex_layer_kind kind, bool keeps_dims)
{
	ex_new_layer spec = {.kind = kind};
	onnx_value *in;
	onnx_dims	dims;
	uint32_t	rank;
	uint32_t	layer;

	EX_TRY(need_image(reader, &in, &rank));
	dims = onnx_dims_of(keeps_dims ? rank + 1 : 1, in->dims.size[0], 1, 1);
	EX_TRY(onnx_shaped(reader, in, onnx_shape(&in->dims), &layer));
	return onnx_set_layer(reader, &spec, layer, NULL, &dims);
}

/* A mean or maximum over all pixels is a global pool. */
static ex_status
reduce(onnx_reader *reader, ex_layer_kind kind)
{
	const int64_t *axis;
	onnx_value *in;
	uint32_t	rank;
	uint32_t	seen = 0;
	size_t		n;
	int64_t		keeps_dims;

	EX_TRY(need_image(reader, &in, &rank));
	EX_TRY(onnx_int_argument(reader, 1, "axes", &axis, &n));
	EX_TRY(onnx_integer(reader, "keepdims", 1, &keeps_dims));
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	at;

		EX_TRY(onnx_axis(reader, axis[i], rank + 2, &at));
		seen |= 1u << at;
	}
	if (seen != (rank == 2 ? 12u : 4u))
		return onnx_fail(reader, EX_UNSUPPORTED, "only a reduction over all pixels of each channel is supported");
	return global_pool(reader, kind, keeps_dims != 0);
}

/* ----------------------------------------------------------------
 * Padding
 * ---------------------------------------------------------------- */

static ex_status
check_pad_value(onnx_reader *reader)
{
	const onnx_tensor *value;
	ex_span		mode;
	double		number;

	EX_TRY(onnx_text(reader, "mode", "constant", &mode));
	EX_TRY(onnx_float(reader, "value", 0, &number));
	if (onnx_in(reader, 2) != NULL)
	{
		EX_TRY(onnx_need_constant(reader, 2, &value));
		number = value->count > 0 && value->number != NULL ? value->number[0] : 0;
	}
	if (!onnx_is(mode, "constant") || number != 0 || onnx_in(reader, 3) != NULL)
		return onnx_fail(reader, EX_UNSUPPORTED, "only padding with zeros on all axes is supported");
	return EX_OK;
}

/* Nothing is padded, or the pixels of an image. */
static ex_status
pad(onnx_reader *reader)
{
	const int64_t *pads;
	int32_t		sum[4] = {0, 0, 0, 0};
	onnx_value *in;
	size_t		n;
	uint32_t	rank;
	bool		any = false;

	EX_TRY(onnx_int_argument(reader, 1, "pads", &pads, &n));
	for (size_t i = 0; i < n; i++)
		any |= pads[i] != 0;
	if (!any)
	{
		EX_TRY(onnx_need_layer(reader, 0, &in));
		onnx_set(reader, in);
		return EX_OK;
	}
	EX_TRY(check_pad_value(reader));
	EX_TRY(need_image(reader, &in, &rank));
	if (n != 2 * (rank + 2) || (pads[0] | pads[1] | pads[rank + 2] | pads[rank + 3]) != 0)
		return onnx_fail(reader, EX_UNSUPPORTED, "only pixels can be padded, not rows or channels");
	for (uint32_t i = 0; i < rank; i++)
		for (uint32_t side = 0; side < 2; side++)
		{
			int64_t		amount = pads[side * (rank + 2) + 2 + i];

			if (amount < 0 || amount > LARGEST)
				return onnx_fail(reader, EX_UNSUPPORTED, "padding of %lld is not supported", (long long) amount);
			sum[2 * side + 2 - rank + i] = (int32_t) amount;
		}
	memcpy(onnx_set(reader, in)->pad, sum, sizeof(sum));
	return EX_OK;
}

ex_status
onnx_window_node(onnx_reader *reader, bool *known)
{
	ex_span		operator = reader->current->operator;

	*known = true;
	if (onnx_is(operator, "Conv"))
		return conv(reader);
	if (onnx_is(operator, "MaxPool"))
		return max_pool(reader);
	if (onnx_is(operator, "AveragePool"))
		return average_pool(reader);
	if (onnx_is(operator, "GlobalMaxPool"))
		return global_pool(reader, EX_LAYER_GLOBAL_MAX_POOL, true);
	if (onnx_is(operator, "GlobalAveragePool"))
		return global_pool(reader, EX_LAYER_GLOBAL_AVERAGE_POOL, true);
	if (onnx_is(operator, "ReduceMean"))
		return reduce(reader, EX_LAYER_GLOBAL_AVERAGE_POOL);
	if (onnx_is(operator, "ReduceMax"))
		return reduce(reader, EX_LAYER_GLOBAL_MAX_POOL);
	if (onnx_is(operator, "Pad"))
		return pad(reader);
	*known = false;
	return EX_OK;
}
