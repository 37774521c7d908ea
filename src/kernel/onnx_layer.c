/*
 * onnx_layer.c
 *		Numeric operators of ONNX graphs as layers of a network.
 *
 * Values of one row have dimensions without the batch; a layer holds the same
 * numbers in the same order, whatever its shape: where an operator looks at
 * channels or pixels, a layer that reshapes is put in front if it is needed.
 * Constants that are added or multiplied become affine layers, or part of the
 * layer before if nothing else reads that.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "onnx_internal.h"

onnx_layer *
onnx_layer_at(const onnx_reader *reader, uint32_t number)
{
	return (onnx_layer *) reader->layers.data + number;
}

/* ----------------------------------------------------------------
 * Making layers
 * ---------------------------------------------------------------- */

/* "input" and "dense_3" are names that layers without one get. */
static bool
is_reserved(ex_span name)
{
	const char *text = name.data;
	size_t		n = name.size;

	while (n > 0 && text[n - 1] >= '0' && text[n - 1] <= '9')
		n--;
	if (n > 0 && text[n - 1] == '_')
		n--;
	for (int kind = 0; kind < EX_N_LAYER_KINDS; kind++)
		if (onnx_is((ex_span) {text, n}, ex_layer_kind_names[kind]))
			return true;
	return false;
}

/* Names are for people; a node's first layer has the node's. */
static ex_status
name_layer(onnx_reader *reader, const char **out)
{
	const onnx_node *node = reader->current;
	char	   *name;

	*out = NULL;
	if (node == NULL || node->name.size == 0 || node->name.size > EX_MAX_NAME || is_reserved(node->name))
		return EX_OK;
	for (uint32_t i = 0; i < reader->layers.size / sizeof(onnx_layer); i++)
	{
		const char *other = onnx_layer_at(reader, i)->spec.name;

		if (other != NULL && onnx_is(node->name, other))
			return EX_OK;
	}
	EX_TRY(EX_ALLOC(reader->host, node->name.size + 1, &name));
	memcpy(name, node->name.data, node->name.size);
	*out = name;
	return EX_OK;
}

static ex_status
append_layer(onnx_reader *reader, const onnx_layer *layer, uint32_t *number)
{
	*number = (uint32_t) (reader->layers.size / sizeof(onnx_layer));
	if (*number >= EX_MAX_LAYERS)
		return onnx_fail(reader, EX_LIMIT, "the network has more than %d layers", EX_MAX_LAYERS);
	EX_TRY(ex_poll(reader->host));
	return ex_append(reader->host, &reader->layers, layer, sizeof(*layer));
}

ex_status
onnx_add_layer(onnx_reader *reader, ex_new_layer *spec, const uint32_t *input,
			   uint32_t n_inputs, double *weight, uint32_t *number)
{
	onnx_layer	new = {.weight = weight};
	ex_layer	layer = {.kind = spec->kind, .n_inputs = n_inputs, .shape = spec->shape,
		.setting = spec->setting, .number = spec->number
	};
	ex_shape   *shape;
	uint32_t   *copy;
	char		where[120];

	EX_TRY(EX_ALLOC(reader->host, n_inputs, &shape));
	EX_TRY(EX_ALLOC(reader->host, n_inputs, &copy));
	for (uint32_t i = 0; i < n_inputs; i++)
	{
		shape[i] = onnx_layer_at(reader, input[i])->shape;
		copy[i] = input[i];
	}
	spec->n_inputs = n_inputs;
	spec->input = copy;
	spec->weight = weight;
	EX_TRY(name_layer(reader, &spec->name));
	snprintf(where, sizeof(where), "ONNX node \"%.*s\"", ONNX_NAME(reader->current->name));
	EX_TRY(ex_network_infer_shape(reader->host, &layer, shape, where, &new.shape));
	new.spec = *spec;
	return append_layer(reader, &new, number);
}

ex_status
onnx_set_layer(onnx_reader *reader, ex_new_layer *spec, uint32_t input, double *weight, const onnx_dims *dims)
{
	onnx_value	new = {.kind = ONNX_LAYER, .type = ONNX_FLOAT, .dims = *dims};

	EX_TRY(onnx_add_layer(reader, spec, &input, 1, weight, &new.layer));
	onnx_set(reader, &new);
	return EX_OK;
}

ex_shape
onnx_shape(const onnx_dims *dims)
{
	uint32_t	size[3] = {1, 1, 1};

	for (uint32_t i = 0; i < dims->n && i < 3; i++)
		size[i] = (uint32_t) dims->size[i];
	if (dims->n == 2)
		return (ex_shape) {size[0], 1, size[1]};
	for (uint32_t i = 3; i < dims->n; i++)
		size[2] *= (uint32_t) dims->size[i];
	return (ex_shape) {size[0], size[1], size[2]};
}

static bool
same_shape(ex_shape a, ex_shape b)
{
	return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

ex_status
onnx_shaped(onnx_reader *reader, const onnx_value *value, ex_shape shape, uint32_t *layer)
{
	ex_new_layer spec = {.kind = EX_LAYER_RESHAPE, .shape = shape};

	*layer = value->layer;
	if (same_shape(onnx_layer_at(reader, value->layer)->shape, shape))
		return EX_OK;
	return onnx_add_layer(reader, &spec, &value->layer, 1, NULL, layer);
}

/* ----------------------------------------------------------------
 * Inputs
 * ---------------------------------------------------------------- */

ex_status
onnx_input_image(onnx_reader *reader, uint32_t port, ex_shape shape, bool is_nhwc)
{
	onnx_layer	layer = {.spec = {.kind = EX_LAYER_IS_INPUT}, .shape = shape};
	onnx_value *value = &reader->value[reader->input[port].value];

	value->kind = ONNX_LAYER;
	value->type = reader->input[port].type;
	value->is_nhwc = is_nhwc;
	value->dims = onnx_dims_of(3, shape.channels, shape.height, shape.width);
	if (is_nhwc)
		value->dims = onnx_dims_of(3, shape.height, shape.width, shape.channels);
	EX_TRY(append_layer(reader, &layer, &reader->image_layer));
	value->layer = reader->image_layer;
	reader->is_image = true;
	return EX_OK;
}

/* Columns are an input from now on, for whoever reads the value. */
ex_status
onnx_to_layer(onnx_reader *reader, onnx_value *value)
{
	onnx_layer	layer = {.spec = {.kind = EX_LAYER_IS_INPUT}};

	if (value->kind != ONNX_COLUMNS)
		return EX_OK;
	if (value->type == ONNX_STRING)
		return onnx_fail(reader, EX_UNSUPPORTED, "strings cannot be calculated with");
	layer.shape = onnx_shape(&value->dims);
	layer.column = value->column;
	if (ex_shape_size(layer.shape) == 0)
		return onnx_fail(reader, EX_INVALID, "an input has no columns");
	EX_TRY(append_layer(reader, &layer, &value->layer));
	value->kind = ONNX_LAYER;
	return EX_OK;
}

/* An image with channels last, for an operator that does not put them first. */
static ex_status
settle_layout(onnx_reader *reader, onnx_value *value)
{
	ex_new_layer spec = {.kind = EX_LAYER_PERMUTE, .setting = {1, 2, 0}};

	if (!value->is_nhwc)
		return EX_OK;
	value->is_nhwc = false;
	if (value->dims.size[2] == 1)
		return EX_OK;
	return onnx_add_layer(reader, &spec, &value->layer, 1, NULL, &value->layer);
}

ex_status
onnx_need_layer(onnx_reader *reader, uint32_t i, onnx_value **value)
{
	EX_TRY(onnx_need(reader, i, value));
	EX_TRY(onnx_to_layer(reader, *value));
	if ((*value)->kind != ONNX_LAYER)
		return onnx_fail(reader, EX_UNSUPPORTED, "its input %u is not the output of a numeric operator", i + 1);
	if ((*value)->erf != ONNX_NO_ERF)
		return onnx_fail(reader, EX_UNSUPPORTED, "Erf is only supported as part of a GELU");
	if ((*value)->exponential)
		return onnx_fail(reader, EX_UNSUPPORTED, "Exp is only supported as the last operator");
	if ((*value)->one_vs_rest)
		return onnx_fail(reader, EX_UNSUPPORTED, "normalised probabilities cannot be calculated with");
	if ((*value)->pad[0] != 0 || (*value)->pad[1] != 0 || (*value)->pad[2] != 0 || (*value)->pad[3] != 0)
		return onnx_fail(reader, EX_UNSUPPORTED, "it reads what Pad makes, which only Conv and AveragePool may");
	return settle_layout(reader, *value);
}

/* ----------------------------------------------------------------
 * Functions of each number
 * ---------------------------------------------------------------- */

static ex_status
apply(onnx_reader *reader, ex_layer_kind kind, double number)
{
	ex_new_layer spec = {.kind = kind, .number = number};
	onnx_value *in;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	return onnx_set_layer(reader, &spec, in->layer, NULL, &in->dims);
}

/* y = scale x + shift for each number. */
static ex_status
add_affine(onnx_reader *reader, uint32_t input, double scale, double shift, uint32_t *layer)
{
	ex_new_layer spec = {.kind = EX_LAYER_AFFINE, .n_weights = 2};
	double	   *weight;

	EX_TRY(EX_ALLOC(reader->host, 2, &weight));
	weight[0] = scale;
	weight[1] = shift;
	return onnx_add_layer(reader, &spec, &input, 1, weight, layer);
}

/* max(x, bound) = relu(x - bound) + bound; min(x, bound) = bound - relu(bound - x) */
static ex_status
add_bound(onnx_reader *reader, double bound, bool is_upper, uint32_t *layer)
{
	ex_new_layer relu = {.kind = EX_LAYER_RELU};
	double		sign = is_upper ? -1 : 1;

	if (!isfinite(bound))
		return EX_OK;
	if (bound != 0 || is_upper)
		EX_TRY(add_affine(reader, *layer, sign, -sign * bound, layer));
	EX_TRY(onnx_add_layer(reader, &relu, layer, 1, NULL, layer));
	if (bound != 0 || is_upper)
		EX_TRY(add_affine(reader, *layer, sign, bound, layer));
	return EX_OK;
}

/* A bound of Clip: an attribute before opset 11, an input since. */
static ex_status
read_bound(onnx_reader *reader, uint32_t i, const char *name, double missing, double *bound)
{
	const onnx_tensor *tensor;

	EX_TRY(onnx_float(reader, name, missing, bound));
	if (onnx_in(reader, i) == NULL)
		return EX_OK;
	EX_TRY(onnx_need_constant(reader, i, &tensor));
	if (tensor->count != 1 || tensor->number == NULL)
		return onnx_fail(reader, EX_INVALID, "\"%s\" must be one number", name);
	*bound = tensor->number[0];
	return EX_OK;
}

static ex_status
clip(onnx_reader *reader)
{
	onnx_value *in;
	onnx_value	new;
	double		low;
	double		high;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	EX_TRY(read_bound(reader, 1, "min", -INFINITY, &low));
	EX_TRY(read_bound(reader, 2, "max", INFINITY, &high));
	if (!(low <= high) || low == INFINITY || high == -INFINITY)
		return onnx_fail(reader, EX_INVALID, "its bounds are not in order");
	new = *in;
	/* single-precision infinity is spelt as the largest number, too */
	EX_TRY(add_bound(reader, low <= -3.4e38 ? -INFINITY : low, false, &new.layer));
	EX_TRY(add_bound(reader, high >= 3.4e38 ? INFINITY : high, true, &new.layer));
	onnx_set(reader, &new);
	return EX_OK;
}

static ex_status
leaky_relu(onnx_reader *reader)
{
	double		alpha;

	EX_TRY(onnx_float(reader, "alpha", 0.01f, &alpha));
	return apply(reader, EX_LAYER_LEAKY_RELU, alpha);
}

static ex_status
prelu(onnx_reader *reader)
{
	const onnx_tensor *slope;

	EX_TRY(onnx_need_constant(reader, 1, &slope));
	for (size_t i = 1; slope->number != NULL && i < slope->count; i++)
		if (slope->number[i] != slope->number[0])
			return onnx_fail(reader, EX_UNSUPPORTED, "it has a slope for each channel; only one for all is supported");
	if (slope->number == NULL || slope->count == 0)
		return onnx_fail(reader, EX_INVALID, "its slope is no number");
	return apply(reader, EX_LAYER_LEAKY_RELU, slope->number[0]);
}

static ex_status
elu(onnx_reader *reader)
{
	double		alpha;

	EX_TRY(onnx_float(reader, "alpha", 1, &alpha));
	return apply(reader, EX_LAYER_ELU, alpha);
}

static ex_status
gelu(onnx_reader *reader)
{
	ex_span		approximate;

	EX_TRY(onnx_text(reader, "approximate", "none", &approximate));
	if (!onnx_is(approximate, "none"))
		return onnx_fail(reader, EX_UNSUPPORTED, "the approximation \"%.*s\" is not supported", ONNX_NAME(approximate));
	return apply(reader, EX_LAYER_GELU, 0);
}

static ex_status
power(onnx_reader *reader)
{
	const onnx_tensor *exponent;

	EX_TRY(onnx_need_constant(reader, 1, &exponent));
	if (exponent->count != 1 || exponent->number == NULL || exponent->number[0] != 2)
		return onnx_fail(reader, EX_UNSUPPORTED, "only the power of 2 is supported");
	return apply(reader, EX_LAYER_SQUARE, 0);
}

static ex_status
negative(onnx_reader *reader)
{
	onnx_value	new;
	onnx_value *in;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	new = *in;
	EX_TRY(add_affine(reader, in->layer, -1, 0, &new.layer));
	onnx_set(reader, &new);
	return EX_OK;
}

/* Over channels: axis 1; before opset 13 all axes from it on, the same for a vector. */
static ex_status
softmax(onnx_reader *reader)
{
	ex_new_layer spec = {.kind = EX_LAYER_SOFTMAX};
	onnx_value *in;
	int64_t		axis;
	uint32_t	at;
	uint32_t	layer;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	EX_TRY(onnx_integer(reader, "axis", reader->opset < 13 ? 1 : -1, &axis));
	EX_TRY(onnx_axis(reader, axis, in->dims.n + 1, &at));
	if (at != 1 || (reader->opset < 13 && in->dims.n != 1))
		return onnx_fail(reader, EX_UNSUPPORTED, "only a softmax over channels (axis 1) is supported");
	EX_TRY(onnx_shaped(reader, in, onnx_shape(&in->dims), &layer));
	return onnx_set_layer(reader, &spec, layer, NULL, &in->dims);
}

/* The last step of a model with a log link. */
static ex_status
exponential(onnx_reader *reader)
{
	onnx_value *in;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	onnx_set(reader, in)->exponential = true;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Dense layers
 * ---------------------------------------------------------------- */

static ex_status
check_vector(onnx_reader *reader, const onnx_value *in)
{
	if (in->dims.n == 1)
		return EX_OK;
	return onnx_fail(reader, EX_UNSUPPORTED, "its input has %u dimensions, not rows and columns", in->dims.n + 1);
}

/* W[o][i] = alpha * b[i][o], or b[o][i] if it stands the other way round; bias 0. */
static ex_status
make_weights(onnx_reader *reader, const onnx_tensor *b, bool transposed, double alpha, size_t n_in,
			 size_t *n_out, double **weight)
{
	if (b->dims.n != 2 || b->number == NULL || b->dims.size[transposed ? 1 : 0] != (int64_t) n_in || b->count == 0)
		return onnx_fail(reader, EX_INVALID, "its weights do not go with an input of %zu columns", n_in);
	*n_out = (size_t) b->dims.size[transposed ? 0 : 1];
	EX_TRY(EX_ALLOC(reader->host, b->count + *n_out, weight));
	for (size_t o = 0; o < *n_out; o++)
		for (size_t i = 0; i < n_in; i++)
			(*weight)[o * n_in + i] = alpha * b->number[transposed ? o * n_in + i : i * *n_out + o];
	return EX_OK;
}

static ex_status
set_dense(onnx_reader *reader, const onnx_value *in, double *weight, size_t n_out)
{
	ex_new_layer spec = {.kind = EX_LAYER_DENSE, .shape = {(uint32_t) n_out, 1, 1}};
	const onnx_dims dims = {1, {(int64_t) n_out}};

	spec.n_weights = n_out * (ex_shape_size(onnx_layer_at(reader, in->layer)->shape) + 1);
	return onnx_set_layer(reader, &spec, in->layer, weight, &dims);
}

static ex_status
add_bias(onnx_reader *reader, const onnx_tensor *c, double beta, size_t n_out, double *bias)
{
	bool		is_row = c->dims.n <= 2 && (c->dims.n < 2 || c->dims.size[0] == 1);

	if (c->number == NULL || !is_row || (c->count != 1 && c->count != n_out))
		return onnx_fail(reader, EX_INVALID, "its bias does not go with %zu outputs", n_out);
	for (size_t o = 0; o < n_out; o++)
		bias[o] += beta * c->number[c->count == 1 ? 0 : o];
	return EX_OK;
}

static ex_status
gemm(onnx_reader *reader)
{
	const onnx_tensor *b;
	const onnx_tensor *c;
	onnx_value *in;
	int64_t		transpose_a;
	int64_t		transpose_b;
	double		alpha;
	double		beta;
	double	   *weight;
	size_t		n_in;
	size_t		n_out;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	EX_TRY(check_vector(reader, in));
	EX_TRY(onnx_need_constant(reader, 1, &b));
	EX_TRY(onnx_integer(reader, "transA", 0, &transpose_a));
	EX_TRY(onnx_integer(reader, "transB", 0, &transpose_b));
	EX_TRY(onnx_float(reader, "alpha", 1, &alpha));
	EX_TRY(onnx_float(reader, "beta", 1, &beta));
	if (transpose_a != 0)
		return onnx_fail(reader, EX_UNSUPPORTED, "transA would mix rows");
	n_in = (size_t) in->dims.size[0];
	EX_TRY(make_weights(reader, b, transpose_b != 0, alpha, n_in, &n_out, &weight));
	if (onnx_in(reader, 2) != NULL)
	{
		EX_TRY(onnx_need_constant(reader, 2, &c));
		EX_TRY(add_bias(reader, c, beta, n_out, weight + n_in * n_out));
	}
	return set_dense(reader, in, weight, n_out);
}

static ex_status
matrix_product(onnx_reader *reader)
{
	const onnx_tensor *b;
	onnx_value *in;
	double	   *weight;
	size_t		n_out;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	EX_TRY(check_vector(reader, in));
	EX_TRY(onnx_need_constant(reader, 1, &b));
	EX_TRY(make_weights(reader, b, false, 1, (size_t) in->dims.size[0], &n_out, &weight));
	return set_dense(reader, in, weight, n_out);
}

/* ----------------------------------------------------------------
 * Arithmetic with constants
 * ---------------------------------------------------------------- */

/* y = scale x + shift with a constant c for every number of a value. */
typedef struct affine_constant
{
	const onnx_tensor *constant;
	double		of_scale;		/* scale = of_scale, or c */
	double		of_shift;		/* shift = of_shift * c, or 0 */
	bool		inverse;		/* 1 / c */
	bool		scales;
} affine_constant;

/* How many different numbers there are: one, one per channel, or one for each. */
typedef struct spread
{
	size_t		n;
	onnx_dims	constant;		/* aligned with the dimensions of the value */
} spread;

static ex_status
find_spread(onnx_reader *reader, const onnx_tensor *constant, const onnx_dims *dims, spread *out)
{
	uint32_t	n = constant->dims.n;
	bool		channels_only = true;
	uint32_t	extra = n > dims->n ? n - dims->n : 0;

	if (n > dims->n + 1 || (extra == 1 && constant->dims.size[0] != 1))
		return onnx_fail(reader, EX_UNSUPPORTED, "a constant has more dimensions than a row");
	out->constant.n = dims->n;
	for (uint32_t i = 0; i < dims->n; i++)
	{
		int64_t		size = i + n - extra >= dims->n ? constant->dims.size[i + n - dims->n] : 1;

		if (size != 1 && size != dims->size[i])
			return onnx_fail(reader, EX_UNSUPPORTED, "dimensions of a constant do not go with those of a row");
		out->constant.size[i] = size;
		channels_only &= i == 0 || size == 1;
	}
	out->n = constant->count == 1 ? 1 : channels_only ? constant->count : 0;
	if (out->n == 0)
		return onnx_count(reader, dims, EX_MAX_ACTIVATIONS, &out->n);
	return EX_OK;
}

/* The constant that goes with number i of a row. */
static double
spread_number(const onnx_tensor *constant, const spread *of, const onnx_dims *dims, size_t i)
{
	size_t		index = 0;
	size_t		stride = 1;

	if (of->n <= constant->count)
		return constant->number[i];
	for (uint32_t d = dims->n; d-- > 0;)
	{
		if (of->constant.size[d] != 1)
			index += i % (size_t) dims->size[d] * stride;
		stride *= (size_t) of->constant.size[d];
		i /= (size_t) dims->size[d];
	}
	return constant->number[index];
}

static void
affine_numbers(const affine_constant *a, double c, double *scale, double *shift)
{
	if (a->inverse)
		c = 1 / c;
	*scale = a->scales ? c : a->of_scale;
	*shift = a->scales ? 0 : a->of_shift * c;
}

/* A constant that is added to the outputs of a dense layer or convolution is part of its bias. */
static bool
join_bias(onnx_reader *reader, const onnx_value *in, const affine_constant *a, size_t n)
{
	onnx_layer *layer = onnx_layer_at(reader, in->layer);
	bool		has_bias = layer->spec.kind == EX_LAYER_DENSE || layer->spec.kind == EX_LAYER_CONV2D;
	double	   *bias;

	if (!has_bias || in->uses != 1 || in->shared || a->scales || a->of_scale != 1 || (n != 1 && n != layer->shape.channels) ||
		in->dims.n == 0 || in->dims.size[0] != (int64_t) layer->shape.channels)
		return false;
	bias = layer->weight + layer->spec.n_weights - layer->shape.channels;
	for (uint32_t c = 0; c < layer->shape.channels; c++)
		bias[c] += a->of_shift * a->constant->number[n == 1 ? 0 : c];
	return true;
}

static ex_status
apply_affine(onnx_reader *reader, const onnx_value *in, const affine_constant *a)
{
	ex_new_layer spec = {.kind = EX_LAYER_AFFINE};
	spread		of;
	double	   *weight;
	uint32_t	layer = in->layer;

	if (a->constant->number == NULL || a->constant->count == 0)
		return onnx_fail(reader, EX_INVALID, "a constant has no numbers");
	EX_TRY(find_spread(reader, a->constant, &in->dims, &of));
	if (join_bias(reader, in, a, of.n))
	{
		onnx_set(reader, in);
		return EX_OK;
	}
	if (of.n > 1)
		EX_TRY(onnx_shaped(reader, in, onnx_shape(&in->dims), &layer));
	EX_TRY(EX_ALLOC(reader->host, 2 * of.n, &weight));
	for (size_t i = 0; i < of.n; i++)
		affine_numbers(a, spread_number(a->constant, &of, &in->dims, i), &weight[i], &weight[of.n + i]);
	spec.n_weights = 2 * of.n;
	return onnx_set_layer(reader, &spec, layer, weight, &in->dims);
}

/* ----------------------------------------------------------------
 * GELU in pieces, as exporters without the operator write it
 * ---------------------------------------------------------------- */

static bool
is_near(double x, double y)
{
	return fabs(x - y) <= 1e-6 * fabs(y);
}

/* erf(x / sqrt 2): x is what an affine layer divides. */
static ex_status
error_function(onnx_reader *reader)
{
	const onnx_layer *layer;
	onnx_value *in;
	onnx_value *out;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	layer = onnx_layer_at(reader, in->layer);
	if (layer->spec.kind != EX_LAYER_AFFINE || layer->spec.n_weights != 2 ||
		!is_near(layer->weight[0], 0.70710678118654752) || layer->weight[1] != 0)
		return onnx_fail(reader, EX_UNSUPPORTED, "Erf is only supported as part of a GELU, x * 0.5 * (1 + Erf(x / sqrt(2)))");
	out = onnx_set(reader, in);
	out->layer = layer->spec.input[0];
	out->erf = ONNX_ERF;
	return EX_OK;
}

static bool
is_number(const onnx_value *value, double number)
{
	return value->kind == ONNX_CONSTANT && value->constant->count == 1 && value->constant->number != NULL &&
		is_near(value->constant->number[0], number);
}

/* Is x (twice) one of the two factors?  0.5 x may be, which halves all. */
static bool
is_half_of(const onnx_reader *reader, uint32_t layer, uint32_t x)
{
	const onnx_layer *half = onnx_layer_at(reader, layer);

	return half->spec.kind == EX_LAYER_AFFINE && half->spec.n_weights == 2 && half->weight[0] == 0.5 &&
		half->weight[1] == 0 && half->spec.input[0] == x;
}

static ex_status
set_gelu(onnx_reader *reader, const onnx_value *in)
{
	ex_new_layer spec = {.kind = EX_LAYER_GELU};

	return onnx_set_layer(reader, &spec, in->layer, NULL, &in->dims);
}

/* One step further, if this is one; a is the value under way. */
static ex_status
continue_gelu(onnx_reader *reader, char symbol, const onnx_value *a, const onnx_value *b, bool *known)
{
	*known = true;
	if (a->erf == ONNX_ERF && symbol == '+' && is_number(b, 1))
		onnx_set(reader, a)->erf = ONNX_ERF_PLUS_1;
	else if (a->erf == ONNX_ERF_PLUS_1 && symbol == '*' && b->kind == ONNX_LAYER && b->layer == a->layer)
		onnx_set(reader, a)->erf = ONNX_GELU_TWICE;
	else if (a->erf == ONNX_ERF_PLUS_1 && symbol == '*' && b->kind == ONNX_LAYER && is_half_of(reader, b->layer, a->layer))
		return set_gelu(reader, a);
	else if (a->erf == ONNX_GELU_TWICE && ((symbol == '*' && is_number(b, 0.5)) || (symbol == '/' && is_number(b, 2))))
		return set_gelu(reader, a);
	else
		*known = false;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Arithmetic
 * ---------------------------------------------------------------- */

static ex_status
combine_constant(onnx_reader *reader, char symbol, onnx_value *in, const onnx_tensor *constant, bool constant_first)
{
	affine_constant a = {.constant = constant, .of_scale = 1, .of_shift = 1};

	if (symbol == '-')
	{
		a.of_scale = constant_first ? -1 : 1;
		a.of_shift = constant_first ? 1 : -1;
	}
	if (symbol == '/' && constant_first)
		return onnx_fail(reader, EX_UNSUPPORTED, "a constant is divided by a value that depends on the row");
	a.scales = symbol == '*' || symbol == '/';
	a.inverse = symbol == '/';
	return apply_affine(reader, in, &a);
}

static ex_status
set_combined(onnx_reader *reader, ex_layer_kind kind, const uint32_t *layer, uint32_t n, const onnx_dims *dims)
{
	ex_new_layer spec = {.kind = kind};
	onnx_value	new = {.kind = ONNX_LAYER, .type = ONNX_FLOAT, .dims = *dims};

	EX_TRY(onnx_add_layer(reader, &spec, layer, n, NULL, &new.layer));
	onnx_set(reader, &new);
	return EX_OK;
}

static bool
same_dims(const onnx_dims *a, const onnx_dims *b)
{
	for (uint32_t i = 0; i < a->n && a->n == b->n; i++)
		if (a->size[i] != b->size[i])
			return false;
	return a->n == b->n;
}

static size_t
count_numbers(const onnx_dims *dims)
{
	size_t		n = 1;

	for (uint32_t i = 0; i < dims->n; i++)
		n *= (size_t) dims->size[i];
	return n;
}

/* Sums and products of values: of the same dimensions, or one number per channel. */
static ex_status
combine_layers(onnx_reader *reader, ex_layer_kind kind)
{
	uint32_t	n = reader->current->n_inputs;
	uint32_t   *layer;
	onnx_value *widest;
	onnx_value *in;

	EX_TRY(EX_ALLOC(reader->host, n, &layer));
	EX_TRY(onnx_need_layer(reader, 0, &widest));
	for (uint32_t i = 1; i < n; i++)
	{
		EX_TRY(onnx_need_layer(reader, i, &in));
		if (count_numbers(&in->dims) > count_numbers(&widest->dims))
			widest = in;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		ex_shape	shape;

		in = onnx_in(reader, i);
		shape = onnx_shape(&in->dims);
		if (!same_dims(&in->dims, &widest->dims) &&
			(in->dims.n != widest->dims.n || in->dims.size[0] != widest->dims.size[0] || shape.height != 1 || shape.width != 1))
			return onnx_fail(reader, EX_UNSUPPORTED, "dimensions of its inputs differ");
		EX_TRY(onnx_shaped(reader, in, shape, &layer[i]));
	}
	return set_combined(reader, kind, layer, n, &widest->dims);
}

/* a - b = a + (-1) b */
static ex_status
subtract_layers(onnx_reader *reader)
{
	onnx_value *a;
	onnx_value *b;
	uint32_t	layer[2];

	EX_TRY(onnx_need_layer(reader, 0, &a));
	EX_TRY(onnx_need_layer(reader, 1, &b));
	if (!same_dims(&a->dims, &b->dims))
		return onnx_fail(reader, EX_UNSUPPORTED, "dimensions of its inputs differ");
	EX_TRY(onnx_shaped(reader, a, onnx_shape(&a->dims), &layer[0]));
	EX_TRY(onnx_shaped(reader, b, onnx_shape(&b->dims), &layer[1]));
	EX_TRY(add_affine(reader, layer[1], -1, 0, &layer[1]));
	return set_combined(reader, EX_LAYER_ADD, layer, 2, &a->dims);
}

static ex_status
combine_two(onnx_reader *reader, char symbol)
{
	onnx_value *a;
	onnx_value *b;
	bool		known;

	EX_TRY(onnx_need(reader, 0, &a));
	EX_TRY(onnx_need(reader, 1, &b));
	EX_TRY(continue_gelu(reader, symbol, a, b, &known));
	if (!known && symbol != '/')
		EX_TRY(continue_gelu(reader, symbol, b, a, &known));
	if (known)
		return EX_OK;
	if (a->kind == ONNX_CONSTANT || b->kind == ONNX_CONSTANT)
	{
		bool		constant_first = a->kind == ONNX_CONSTANT;
		onnx_value *in;

		EX_TRY(onnx_need_layer(reader, constant_first ? 1 : 0, &in));
		return combine_constant(reader, symbol, in, constant_first ? a->constant : b->constant, constant_first);
	}
	if (a == b && symbol == '*')
		return apply(reader, EX_LAYER_SQUARE, 0);
	switch (symbol)
	{
		case '+':
			return combine_layers(reader, EX_LAYER_ADD);
		case '*':
			return combine_layers(reader, EX_LAYER_MULTIPLY);
		case '-':
			return subtract_layers(reader);
	}
	return onnx_fail(reader, EX_UNSUPPORTED, "a value that depends on the row is divided by another one");
}

static ex_status
sum(onnx_reader *reader)
{
	if (reader->current->n_inputs > 1)
		return combine_layers(reader, EX_LAYER_ADD);
	return apply(reader, EX_LAYER_LEAKY_RELU, 1);
}

/* ----------------------------------------------------------------
 * Shapes
 * ---------------------------------------------------------------- */

static ex_status
pass_on(onnx_reader *reader)
{
	onnx_value *in;

	EX_TRY(onnx_need(reader, 0, &in));
	EX_TRY(onnx_to_layer(reader, in));
	onnx_set(reader, in);
	return EX_OK;
}

static ex_status
cast(onnx_reader *reader)
{
	int64_t		to;

	EX_TRY(onnx_integer(reader, "to", ONNX_FLOAT, &to));
	if (to != ONNX_FLOAT && to != ONNX_DOUBLE && to != ONNX_FLOAT16 && to != ONNX_BFLOAT16)
		return onnx_fail(reader, EX_UNSUPPORTED, "a number that is calculated is cast to type %lld", (long long) to);
	return pass_on(reader);
}

static ex_status
reshape(onnx_reader *reader)
{
	onnx_value *in;
	onnx_dims	with_batch;
	onnx_dims	dims;
	onnx_value	new;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	with_batch = onnx_with_batch(in);
	EX_TRY(onnx_reshaped(reader, &with_batch, &dims));
	new = *in;
	EX_TRY(onnx_without_batch(reader, &dims, &new.dims));
	onnx_set(reader, &new);
	return EX_OK;
}

/* The axes of a row, 0 .. n - 1, in their new order; rows stay where they are. */
static ex_status
read_permutation(onnx_reader *reader, uint32_t n, uint32_t perm[ONNX_MAX_DIMS])
{
	const int64_t *axis;
	size_t		count;

	EX_TRY(onnx_integers(reader, "perm", &axis, &count));
	if (count != n + 1 || axis[0] != 0)
		return onnx_fail(reader, EX_UNSUPPORTED, "rows must stay the first dimension");
	for (uint32_t i = 0; i < n; i++)
	{
		EX_TRY(onnx_axis(reader, axis[i + 1], n + 1, &perm[i]));
		if (perm[i]-- == 0)
			return onnx_fail(reader, EX_INVALID, "\"perm\" is not a permutation");
	}
	return EX_OK;
}

static ex_status
transpose(onnx_reader *reader)
{
	ex_new_layer spec = {.kind = EX_LAYER_PERMUTE};
	onnx_value *in;
	onnx_dims	dims;
	uint32_t	perm[ONNX_MAX_DIMS];
	uint32_t	layer;

	EX_TRY(onnx_need(reader, 0, &in));
	EX_TRY(read_permutation(reader, in->dims.n, perm));
	if (in->is_nhwc && in->dims.n == 3 && perm[0] == 2 && perm[1] == 0 && perm[2] == 1)
	{
		onnx_value *out = onnx_set(reader, in);

		out->is_nhwc = false;
		out->dims = onnx_dims_of(3, in->dims.size[2], in->dims.size[0], in->dims.size[1]);
		return EX_OK;
	}
	EX_TRY(onnx_need_layer(reader, 0, &in));
	if (in->dims.n > 3)
		return onnx_fail(reader, EX_UNSUPPORTED, "values with more than four dimensions are not supported");
	dims.n = in->dims.n;
	for (uint32_t i = 0; i < dims.n; i++)
		dims.size[i] = in->dims.size[perm[i]];
	EX_TRY(onnx_shaped(reader, in, onnx_shape(&in->dims), &layer));
	for (int32_t i = 0; i < 3; i++)
		spec.setting[i] = dims.n == 3 ? (int32_t) perm[i] : dims.n == 2 && perm[0] == 1 ? 2 - i : i;
	return onnx_set_layer(reader, &spec, layer, NULL, &dims);
}

/* Along channels, which is axis 1. */
static ex_status
concat(onnx_reader *reader)
{
	uint32_t	n = reader->current->n_inputs;
	onnx_value *in;
	onnx_dims	dims = {0};
	uint32_t   *layer;
	int64_t		axis;
	uint32_t	at;

	EX_TRY(EX_ALLOC(reader->host, n, &layer));
	EX_TRY(onnx_integer(reader, "axis", 1, &axis));
	for (uint32_t i = 0; i < n; i++)
	{
		EX_TRY(onnx_need_layer(reader, i, &in));
		EX_TRY(onnx_axis(reader, axis, in->dims.n + 1, &at));
		if (at != 1 || (i > 0 && in->dims.n != dims.n))
			return onnx_fail(reader, EX_UNSUPPORTED, "values can be concatenated along axis 1 only");
		if (i == 0)
			dims = in->dims;
		else
			dims.size[0] += in->dims.size[0];
		EX_TRY(onnx_shaped(reader, in, onnx_shape(&in->dims), &layer[i]));
	}
	return set_combined(reader, EX_LAYER_CONCAT, layer, n, &dims);
}

static ex_status
batch_normalization(onnx_reader *reader)
{
	ex_new_layer spec = {.kind = EX_LAYER_BATCH_NORM};
	onnx_value *in;
	double	   *weight;
	size_t		n;
	uint32_t	layer;
	int64_t		training;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	EX_TRY(onnx_float(reader, "epsilon", 1e-5f, &spec.number));
	EX_TRY(onnx_integer(reader, "training_mode", 0, &training));
	if (training != 0 || in->dims.n == 0)
		return onnx_fail(reader, EX_UNSUPPORTED, "it is in training mode");
	n = (size_t) in->dims.size[0];
	EX_TRY(EX_ALLOC(reader->host, 4 * n, &weight));
	for (uint32_t i = 0; i < 4; i++)
	{
		const onnx_tensor *tensor;

		EX_TRY(onnx_need_constant(reader, i + 1, &tensor));
		if (tensor->number == NULL || tensor->count != n)
			return onnx_fail(reader, EX_INVALID, "its input %u must have a number for each of %zu channels", i + 2, n);
		memcpy(weight + i * n, tensor->number, n * sizeof(double));
	}
	spec.n_weights = 4 * n;
	EX_TRY(onnx_shaped(reader, in, onnx_shape(&in->dims), &layer));
	return onnx_set_layer(reader, &spec, layer, weight, &in->dims);
}

/* ----------------------------------------------------------------
 * Linear models
 * ---------------------------------------------------------------- */

static ex_status
transform_scores(onnx_reader *reader, const onnx_value *scores, const onnx_tensor *label)
{
	ex_new_layer spec = {.kind = EX_LAYER_SIGMOID};
	ex_span		transform;
	onnx_value *out = onnx_set(reader, scores);

	out->label = label;
	EX_TRY(onnx_text(reader, "post_transform", "NONE", &transform));
	if (onnx_is(transform, "NONE"))
		return EX_OK;
	if (onnx_is(transform, "SOFTMAX") && scores->dims.size[0] > 1)
		spec.kind = EX_LAYER_SOFTMAX;
	else if (!onnx_is(transform, "LOGISTIC"))
		return onnx_fail(reader, EX_UNSUPPORTED, "post_transform %.*s of %lld scores is not supported",
						 ONNX_NAME(transform), (long long) scores->dims.size[0]);
	return onnx_add_layer(reader, &spec, &scores->layer, 1, NULL, &out->layer);
}

/* Coefficients output-major, and as many outputs as there are rows of them. */
static ex_status
linear_scores(onnx_reader *reader, int64_t n_targets, onnx_value *scores)
{
	ex_new_layer spec = {.kind = EX_LAYER_DENSE};
	const double *coefficient;
	const double *intercept;
	double	   *weight;
	onnx_value *in;
	size_t		n_coefficients;
	size_t		n_intercepts;
	size_t		n_in;
	size_t		n_out;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	EX_TRY(check_vector(reader, in));
	EX_TRY(onnx_floats(reader, "coefficients", &coefficient, &n_coefficients));
	EX_TRY(onnx_floats(reader, "intercepts", &intercept, &n_intercepts));
	n_in = (size_t) in->dims.size[0];
	n_out = n_coefficients / n_in;
	if (n_out == 0 || n_coefficients % n_in != 0 || (n_targets > 0 && n_out != (size_t) n_targets) ||
		(n_intercepts != 0 && n_intercepts != n_out))
		return onnx_fail(reader, EX_INVALID, "%zu coefficients and %zu intercepts do not go with %zu columns",
						 n_coefficients, n_intercepts, n_in);
	EX_TRY(EX_ALLOC(reader->host, n_coefficients + n_out, &weight));
	memcpy(weight, coefficient, n_coefficients * sizeof(double));
	if (n_intercepts > 0)
		memcpy(weight + n_coefficients, intercept, n_out * sizeof(double));
	spec.shape = (ex_shape) {(uint32_t) n_out, 1, 1};
	spec.n_weights = n_coefficients + n_out;
	memset(scores, 0, sizeof(*scores));
	scores->kind = ONNX_LAYER;
	scores->type = ONNX_FLOAT;
	scores->dims = onnx_dims_of(1, (int64_t) n_out, 1, 1);
	return onnx_add_layer(reader, &spec, &in->layer, 1, weight, &scores->layer);
}

static ex_status
linear_regressor(onnx_reader *reader)
{
	onnx_value	scores;
	int64_t		n_targets;

	EX_TRY(onnx_integer(reader, "targets", 1, &n_targets));
	EX_TRY(linear_scores(reader, n_targets, &scores));
	return transform_scores(reader, &scores, NULL);
}

/* Output 1 has the scores, output 0 the label that they choose. */
static ex_status
linear_classifier(onnx_reader *reader)
{
	const onnx_tensor *label;
	onnx_value	scores;
	onnx_value	copy;
	onnx_value *out;

	EX_TRY(onnx_class_labels(reader, &label));
	EX_TRY(linear_scores(reader, 0, &scores));
	EX_TRY(transform_scores(reader, &scores, label));
	out = onnx_set(reader, NULL);
	copy = *out;
	out->is_label = true;
	if (reader->current->n_outputs > 1 && reader->current->output[1] != ONNX_NO_VALUE)
	{
		onnx_value *second = &reader->value[reader->current->output[1]];

		copy.name = second->name;
		copy.uses = second->uses;
		*second = copy;
	}
	return EX_OK;
}

/* Probabilities one by one, made to sum to 1: one-vs-rest. */
static ex_status
normalize(onnx_reader *reader)
{
	ex_layer_kind kind;
	onnx_value *in;
	ex_span		norm;

	EX_TRY(onnx_need_layer(reader, 0, &in));
	EX_TRY(onnx_text(reader, "norm", "MAX", &norm));
	kind = onnx_layer_at(reader, in->layer)->spec.kind;
	if (!onnx_is(norm, "L1") || in->dims.n != 1 || (kind != EX_LAYER_SOFTMAX && kind != EX_LAYER_SIGMOID))
		return onnx_fail(reader, EX_UNSUPPORTED, "only probabilities can be normalised, to the sum 1 (norm L1)");
	onnx_set(reader, in)->one_vs_rest = kind == EX_LAYER_SIGMOID;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * The operators
 * ---------------------------------------------------------------- */

typedef struct operator_entry
{
	const char *name;
	ex_status	(*function) (onnx_reader *reader);
} operator_entry;

static const operator_entry operators[] = {
	{"BatchNormalization", batch_normalization},
	{"Cast", cast},
	{"Clip", clip},
	{"Concat", concat},
	{"Dropout", pass_on},
	{"Elu", elu},
	{"Erf", error_function},
	{"Exp", exponential},
	{"Flatten", reshape},
	{"Gelu", gelu},
	{"Gemm", gemm},
	{"Identity", pass_on},
	{"LeakyRelu", leaky_relu},
	{"LinearClassifier", linear_classifier},
	{"LinearRegressor", linear_regressor},
	{"MatMul", matrix_product},
	{"Neg", negative},
	{"Normalizer", normalize},
	{"PRelu", prelu},
	{"Pow", power},
	{"Reshape", reshape},
	{"Softmax", softmax},
	{"Squeeze", reshape},
	{"Sum", sum},
	{"Transpose", transpose},
	{"Unsqueeze", reshape},
};

static const struct
{
	const char *name;
	ex_layer_kind kind;
}			activations[] =

{
	{"Relu", EX_LAYER_RELU},
	{"Sigmoid", EX_LAYER_SIGMOID},
	{"Softplus", EX_LAYER_SOFTPLUS},
	{"Tanh", EX_LAYER_TANH},
};

static const struct
{
	const char *name;
	char		symbol;
}			arithmetic[] =

{
	{"Add", '+'},
	{"Div", '/'},
	{"Mul", '*'},
	{"Sub", '-'},
};

ex_status
onnx_layer_node(onnx_reader *reader, bool *known)
{
	ex_span		operator = reader->current->operator;

	*known = true;
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (onnx_is(operator, operators[i].name))
			return operators[i].function(reader);
	for (size_t i = 0; i < sizeof(activations) / sizeof(activations[0]); i++)
		if (onnx_is(operator, activations[i].name))
			return apply(reader, activations[i].kind, 0);
	for (size_t i = 0; i < sizeof(arithmetic) / sizeof(arithmetic[0]); i++)
		if (onnx_is(operator, arithmetic[i].name))
			return combine_two(reader, arithmetic[i].symbol);
	return onnx_window_node(reader, known);
}
