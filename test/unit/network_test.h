/*
 * network_test.h
 *		Networks for tests: layers as the test knows them, evaluated by the
 *		definition, and built into a model by the ex_network_put_ functions.
 */
#ifndef EX_NETWORK_TEST_H
#define EX_NETWORK_TEST_H

#include <stdlib.h>

#include "host_malloc.h"
#include "network_run.h"
#include "random.h"
#include "unit.h"

enum
{
	MAX_NODES = 60,
	MAX_INPUTS = MAX_NODES
};

/* A layer; node 0 is the input. */
typedef struct node
{
	ex_layer_kind kind;
	uint32_t	n_inputs;
	uint32_t	input[MAX_INPUTS];
	ex_shape	shape;
	int32_t		setting[EX_N_SETTINGS];
	double		number;
	double	   *weight;
	size_t		n_weights;
	double	   *value;			/* of one row */
} node;

typedef struct net
{
	uint32_t	n;
	node		node[MAX_NODES];
} net;

static ex_arena arena;
static ex_host *host;

static inline void
bail_out(const char *what)
{
	printf("Bail out! %s: %s\n", what, host->error.message);
	exit(2);
}

static inline void *
get_memory(size_t count, size_t width)
{
	void	   *chunk;

	if (ex_alloc(host, count, width, &chunk) != EX_OK)
		bail_out("memory");
	return chunk;
}

static inline double *
get_numbers(size_t n)
{
	return get_memory(n, sizeof(double));
}

static inline double
random_number(void)
{
	return 2 * random_unit() - 1;
}

/* ----------------------------------------------------------------
 * Making nodes
 * ---------------------------------------------------------------- */

static inline ex_shape
shape_of(uint32_t channels, uint32_t height, uint32_t width)
{
	return (ex_shape) {channels, height, width};
}

static inline net
new_net(ex_shape input)
{
	net			made = {.n = 1};

	made.node[0].shape = input;
	made.node[0].value = get_numbers(ex_shape_size(input));
	return made;
}

/* A layer on top of the last one; the caller fills in the rest. */
static inline node *
add_node(net *n, ex_layer_kind kind, ex_shape shape)
{
	node	   *made = &n->node[n->n];

	*made = (node) {.kind = kind,.n_inputs = 1,.input = {n->n - 1},.shape = shape};
	made->value = get_numbers(ex_shape_size(shape));
	n->n++;
	return made;
}

static inline node *
add_with_weights(net *n, ex_layer_kind kind, ex_shape shape, size_t n_weights,
				 const double *weight)
{
	node	   *made = add_node(n, kind, shape);

	made->n_weights = n_weights;
	made->weight = get_numbers(n_weights);
	if (weight != NULL)
		memcpy(made->weight, weight, n_weights * sizeof(double));
	return made;
}

/* The same shape as the last one. */
static inline node *
add_activation(net *n, ex_layer_kind kind)
{
	return add_node(n, kind, n->node[n->n - 1].shape);
}

/* weight: W, then the bias; NULL: the caller's to fill */
static inline node *
add_dense(net *n, uint32_t outputs, const double *weight)
{
	size_t		inputs = ex_shape_size(n->node[n->n - 1].shape);

	return add_with_weights(n, EX_LAYER_DENSE, shape_of(outputs, 1, 1),
							outputs * (inputs + 1), weight);
}

/* ----------------------------------------------------------------
 * The definition of each layer
 * ---------------------------------------------------------------- */

static inline double
at(const double *value, ex_shape shape, int64_t c, int64_t y, int64_t x)
{
	return value[(c * shape.height + y) * shape.width + x];
}

static inline bool
in_image(ex_shape shape, int64_t y, int64_t x)
{
	return y >= 0 && x >= 0 && y < shape.height && x < shape.width;
}

static inline double
one_conv(const node *layer, const node *from, uint32_t o, uint32_t y, uint32_t x)
{
	const int32_t *s = layer->setting;
	uint32_t	in_group = from->shape.channels / (uint32_t) s[EX_GROUPS];
	uint32_t	out_group = layer->shape.channels / (uint32_t) s[EX_GROUPS];
	const double *w = layer->weight + (size_t) o * in_group * s[EX_KERNEL_H] * s[EX_KERNEL_W];
	double		sum = layer->weight[layer->n_weights - layer->shape.channels + o];

	for (uint32_t c = 0; c < in_group; c++)
		for (int32_t ky = 0; ky < s[EX_KERNEL_H]; ky++)
			for (int32_t kx = 0; kx < s[EX_KERNEL_W]; kx++, w++)
			{
				int64_t		iy = (int64_t) y * s[EX_STRIDE_H] + ky * s[EX_DILATION_H] - s[EX_PAD_TOP];
				int64_t		ix = (int64_t) x * s[EX_STRIDE_W] + kx * s[EX_DILATION_W] - s[EX_PAD_LEFT];

				if (in_image(from->shape, iy, ix))
					sum += *w * at(from->value, from->shape, o / out_group * in_group + c, iy, ix);
			}
	return sum;
}

static inline double
one_pool(const node *layer, const node *from, uint32_t c, uint32_t y, uint32_t x)
{
	const int32_t *s = layer->setting;
	double		largest = -INFINITY;
	double		sum = 0;
	int			covered = 0;

	for (int32_t ky = 0; ky < s[EX_KERNEL_H]; ky++)
		for (int32_t kx = 0; kx < s[EX_KERNEL_W]; kx++)
		{
			int64_t		iy = (int64_t) y * s[EX_STRIDE_H] + ky * s[EX_DILATION_H] - s[EX_PAD_TOP];
			int64_t		ix = (int64_t) x * s[EX_STRIDE_W] + kx * s[EX_DILATION_W] - s[EX_PAD_LEFT];

			if (!in_image(from->shape, iy, ix))
				continue;
			largest = fmax(largest, at(from->value, from->shape, c, iy, ix));
			sum += at(from->value, from->shape, c, iy, ix);
			covered++;
		}
	if (layer->kind == EX_LAYER_MAX_POOL)
		return largest;
	return sum / (s[EX_FLAGS] & EX_POOL_COUNTS_PADDING ? s[EX_KERNEL_H] * s[EX_KERNEL_W] : covered);
}

static inline double
one_global_pool(const node *layer, const node *from, uint32_t c)
{
	uint32_t	pixels = from->shape.height * from->shape.width;
	double		largest = -INFINITY;
	double		sum = 0;

	for (uint32_t i = 0; i < pixels; i++)
	{
		largest = fmax(largest, from->value[c * pixels + i]);
		sum += from->value[c * pixels + i];
	}
	return layer->kind == EX_LAYER_GLOBAL_MAX_POOL ? largest : sum / pixels;
}

static inline double
one_softmax(const node *from, uint32_t channel, uint32_t y, uint32_t x)
{
	double		sum = 0;

	for (uint32_t c = 0; c < from->shape.channels; c++)
		sum += exp(at(from->value, from->shape, c, y, x));
	return exp(at(from->value, from->shape, channel, y, x)) / sum;
}

static inline double
one_dense(const node *layer, const node *from, uint32_t o)
{
	size_t		n = ex_shape_size(from->shape);
	double		sum = layer->weight[layer->shape.channels * n + o];

	for (size_t i = 0; i < n; i++)
		sum += layer->weight[o * n + i] * from->value[i];
	return sum;
}

static inline double
one_batch_norm(const node *layer, uint32_t c, double a)
{
	uint32_t	n = layer->shape.channels;
	const double *w = layer->weight;

	return w[c] * (a - w[2 * n + c]) / sqrt(w[3 * n + c] + layer->number) + w[n + c];
}

static inline double
one_affine(const node *layer, uint32_t c, size_t i, double a)
{
	size_t		n = layer->n_weights / 2;
	size_t		which = n == 1 ? 0 : n == layer->shape.channels ? c : i;

	return layer->weight[which] * a + layer->weight[n + which];
}

static inline double
one_activation(const node *layer, double a)
{
	switch (layer->kind)
	{
		case EX_LAYER_RELU:
			return fmax(a, 0);
		case EX_LAYER_LEAKY_RELU:
			return a > 0 ? a : layer->number * a;
		case EX_LAYER_ELU:
			return a > 0 ? a : layer->number * (exp(a) - 1);
		case EX_LAYER_GELU:
			return a * (1 + erf(a / sqrt(2))) / 2;
		case EX_LAYER_SIGMOID:
			return 1 / (1 + exp(-a));
		case EX_LAYER_TANH:
			return (exp(a) - exp(-a)) / (exp(a) + exp(-a));
		case EX_LAYER_SOFTPLUS:
			return log(1 + exp(a));
		default:
			return a * a;
	}
}

/* An input of a sum or product: (c, 1, 1) stands for every pixel. */
static inline double
spread_value(const node *from, uint32_t c, uint32_t y, uint32_t x)
{
	if (from->shape.height == 1 && from->shape.width == 1)
		return from->value[c];
	return at(from->value, from->shape, c, y, x);
}

static inline double
one_joined(const net *n, const node *layer, uint32_t c, uint32_t y, uint32_t x)
{
	double		result = layer->kind == EX_LAYER_ADD ? 0 : 1;

	for (uint32_t i = 0; i < layer->n_inputs; i++)
	{
		const node *from = &n->node[layer->input[i]];
		double		a;

		if (layer->kind == EX_LAYER_CONCAT)
		{
			if (c < from->shape.channels)
				return at(from->value, from->shape, c, y, x);
			c -= from->shape.channels;
			continue;
		}
		a = spread_value(from, c, y, x);
		result = layer->kind == EX_LAYER_ADD ? result + a : result * a;
	}
	return result;
}

static inline double
one_permuted(const node *layer, const node *from, uint32_t c, uint32_t y, uint32_t x)
{
	uint32_t	to[3] = {c, y, x};
	uint32_t	position[3];

	for (int axis = 0; axis < 3; axis++)
		position[layer->setting[axis]] = to[axis];
	return at(from->value, from->shape, position[0], position[1], position[2]);
}

/* Element (c, y, x), which is the i-th, of a layer's output. */
static inline double
one_value(const net *n, const node *layer, uint32_t c, uint32_t y, uint32_t x, size_t i)
{
	const node *from = &n->node[layer->input[0]];

	switch (layer->kind)
	{
		case EX_LAYER_DENSE:
			return one_dense(layer, from, c);
		case EX_LAYER_CONV2D:
			return one_conv(layer, from, c, y, x);
		case EX_LAYER_MAX_POOL:
		case EX_LAYER_AVERAGE_POOL:
			return one_pool(layer, from, c, y, x);
		case EX_LAYER_GLOBAL_MAX_POOL:
		case EX_LAYER_GLOBAL_AVERAGE_POOL:
			return one_global_pool(layer, from, c);
		case EX_LAYER_BATCH_NORM:
			return one_batch_norm(layer, c, from->value[i]);
		case EX_LAYER_AFFINE:
			return one_affine(layer, c, i, from->value[i]);
		case EX_LAYER_RESHAPE:
			return from->value[i];
		case EX_LAYER_PERMUTE:
			return one_permuted(layer, from, c, y, x);
		case EX_LAYER_CONCAT:
		case EX_LAYER_ADD:
		case EX_LAYER_MULTIPLY:
			return one_joined(n, layer, c, y, x);
		case EX_LAYER_SOFTMAX:
			return one_softmax(from, c, y, x);
		default:
			return one_activation(layer, from->value[i]);
	}
}

/* Fills the values of all nodes from those of the input. */
static inline void
evaluate(net *n, const double *z)
{
	memcpy(n->node[0].value, z, ex_shape_size(n->node[0].shape) * sizeof(double));
	for (uint32_t l = 1; l < n->n; l++)
	{
		node	   *layer = &n->node[l];
		size_t		i = 0;

		for (uint32_t c = 0; c < layer->shape.channels; c++)
			for (uint32_t y = 0; y < layer->shape.height; y++)
				for (uint32_t x = 0; x < layer->shape.width; x++, i++)
					layer->value[i] = one_value(n, layer, c, y, x, i);
	}
}

/* ----------------------------------------------------------------
 * Models of them
 * ---------------------------------------------------------------- */

static inline ex_status
put_plain_features(ex_builder *builder, uint32_t n)
{
	for (uint32_t f = 0; f < n; f++)
	{
		char		name[16];
		ex_feature	feature = {.name = name};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "f%u", f);
		EX_TRY(ex_put_feature(builder, &feature));
	}
	return ex_network_put_plain_input(builder);
}

static inline ex_status
put_nodes(ex_builder *builder, const net *n)
{
	static const char *const channel[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	const node *input = &n->node[0];

	if (input->shape.height > 1 || input->shape.width > 1)
		EX_TRY(ex_network_put_image(builder, channel, input->shape));
	else
		EX_TRY(put_plain_features(builder, input->shape.channels));
	for (uint32_t l = 1; l < n->n; l++)
	{
		const node *layer = &n->node[l];
		ex_new_layer made = {.kind = layer->kind,.n_inputs = layer->n_inputs,
			.input = layer->input,.shape = layer->shape,.number = layer->number,
		.weight = layer->weight,.n_weights = layer->n_weights};

		memcpy(made.setting, layer->setting, sizeof(made.setting));
		EX_TRY(ex_network_put_layer(builder, &made));
	}
	return ex_network_finish(builder);
}

static inline const ex_model *
model_of(const net *n)
{
	ex_builder	builder;
	ex_model   *model;

	ex_builder_init(&builder, host, EX_NETWORK);
	if (put_nodes(&builder, n) != EX_OK || ex_build(&builder, &model) != EX_OK)
		bail_out("network");
	return model;
}

static inline ex_compiled *
compile(const ex_model *model)
{
	ex_compiled *compiled;

	if (ex_compile(host, model, (size_t) 64 << 20, &compiled) != EX_OK)
		bail_out("compile");
	return compiled;
}

static inline ex_compiled *
compiled_of(const net *n)
{
	return compile(model_of(n));
}

static inline ex_network_work *
work_of(const ex_compiled *compiled, uint32_t rows)
{
	ex_network_work *work;

	if (ex_network_work_create(compiled->state, host, rows, &work) != EX_OK)
		bail_out("workspace");
	return work;
}

#endif							/* EX_NETWORK_TEST_H */
