/*
 * random_net.h
 *		Random layer graphs with layers of every kind.
 */
#ifndef EX_RANDOM_NET_H
#define EX_RANDOM_NET_H

#include "network_test.h"

enum
{
	MAX_SIZE = 400				/* numbers in a layer */
};

static inline void
random_weights(node *layer, double scale)
{
	for (size_t i = 0; i < layer->n_weights; i++)
		layer->weight[i] = scale * random_number();
}

/* Weights that are float32 exactly: models store them as such. */
static inline void
round_weights(net *n)
{
	for (uint32_t l = 1; l < n->n; l++)
		for (size_t i = 0; i < n->node[l].n_weights; i++)
			n->node[l].weight[i] = (float) n->node[l].weight[i];
}

static inline int32_t
random_between(int32_t low, int32_t high)
{
	return low + (int32_t) random_below((uint32_t) (high - low + 1));
}

/* Output pixels along an axis; less than 1 if the window does not fit. */
static inline int32_t
window_count(int32_t size, int32_t before, int32_t after, int32_t kernel, int32_t stride,
			 int32_t dilation)
{
	int32_t		room = size + before + after - dilation * (kernel - 1) - 1;

	return room < 0 ? 0 : room / stride + 1;
}

/* A window on images of this shape; padding is smaller than the kernel, as pooling needs it. */
static inline bool
random_window(ex_shape shape, bool dilate, int32_t *s, ex_shape *out)
{
	for (int axis = 0; axis < 2; axis++)
	{
		s[EX_KERNEL_H + axis] = random_between(1, 3);
		s[EX_STRIDE_H + axis] = random_between(1, 2);
		s[EX_DILATION_H + axis] = dilate ? random_between(1, 2) : 1;
		s[EX_PAD_TOP + axis] = random_between(0, s[EX_KERNEL_H + axis] / 2);
		s[EX_PAD_BOTTOM + axis] = random_between(0, s[EX_KERNEL_H + axis] / 2);
	}
	out->height = (uint32_t) window_count((int32_t) shape.height, s[EX_PAD_TOP], s[EX_PAD_BOTTOM],
										  s[EX_KERNEL_H], s[EX_STRIDE_H], s[EX_DILATION_H]);
	out->width = (uint32_t) window_count((int32_t) shape.width, s[EX_PAD_LEFT], s[EX_PAD_RIGHT],
										 s[EX_KERNEL_W], s[EX_STRIDE_W], s[EX_DILATION_W]);
	return out->height > 0 && out->width > 0;
}

static inline void
add_random_conv(net *n, const node *from, uint32_t input)
{
	int32_t		s[EX_N_SETTINGS] = {0};
	ex_shape	shape = {0};
	node	   *made;

	if (!random_window(from->shape, true, s, &shape))
		return;
	s[EX_GROUPS] = from->shape.channels % 2 == 0 ? random_between(1, 2) : 1;
	if (random_below(4) == 0)
		s[EX_GROUPS] = (int32_t) from->shape.channels;
	shape.channels = (uint32_t) (s[EX_GROUPS] * random_between(1, 3));
	if (ex_shape_size(shape) > MAX_SIZE)
		return;
	made = add_with_weights(n, EX_LAYER_CONV2D, shape, shape.channels *
							(from->shape.channels / (uint32_t) s[EX_GROUPS] *
							 (uint32_t) (s[EX_KERNEL_H] * s[EX_KERNEL_W]) + 1), NULL);
	made->input[0] = input;
	memcpy(made->setting, s, sizeof(s));
	random_weights(made, 0.7);
}

static inline void
add_random_pool(net *n, const node *from, uint32_t input)
{
	int32_t		s[EX_N_SETTINGS] = {0};
	ex_shape	shape = {.channels = from->shape.channels};
	bool		max = random_below(2) == 0;
	node	   *made;

	if (!random_window(from->shape, false, s, &shape))
		return;
	s[EX_FLAGS] = max ? 0 : random_between(0, 1);
	made = add_node(n, max ? EX_LAYER_MAX_POOL : EX_LAYER_AVERAGE_POOL, shape);
	made->input[0] = input;
	memcpy(made->setting, s, sizeof(s));
}

static inline void
add_random_scale(net *n, const node *from, uint32_t input)
{
	size_t		counts[] = {1, from->shape.channels, ex_shape_size(from->shape)};
	bool		norm = random_below(2) == 0;
	node	   *made;

	if (norm)
		made = add_with_weights(n, EX_LAYER_BATCH_NORM, from->shape, 4 * from->shape.channels, NULL);
	else
		made = add_with_weights(n, EX_LAYER_AFFINE, from->shape, 2 * counts[random_below(3)], NULL);
	made->input[0] = input;
	random_weights(made, 1);
	made->number = norm ? 1e-5 : 0;
	for (uint32_t c = 0; norm && c < from->shape.channels; c++)
		made->weight[3 * from->shape.channels + c] = 0.5 + random_unit();
}

static inline void
add_random_activation(net *n, const node *from, uint32_t input, bool smooth)
{
	static const ex_layer_kind kinds[] = {
		EX_LAYER_GELU, EX_LAYER_SIGMOID, EX_LAYER_TANH, EX_LAYER_SOFTPLUS, EX_LAYER_SQUARE,
		EX_LAYER_SOFTMAX, EX_LAYER_RELU, EX_LAYER_LEAKY_RELU, EX_LAYER_ELU
	};
	node	   *made = add_node(n, kinds[random_below(smooth ? 6 : 9)], from->shape);

	made->input[0] = input;
	if (made->kind == EX_LAYER_LEAKY_RELU || made->kind == EX_LAYER_ELU)
		made->number = 0.3;
}

static inline void
add_random_order(net *n, const node *from, uint32_t input)
{
	uint32_t	size[] = {from->shape.channels, from->shape.height, from->shape.width};
	uint32_t	axis[3];
	node	   *made;

	if (random_below(2) == 0)
	{
		/* (c, h, w) as (c h, 1, w), or flat */
		ex_shape	shape = random_below(2) == 0 ?
			shape_of(size[0] * size[1], 1, size[2]) : shape_of(size[0] * size[1] * size[2], 1, 1);

		made = add_node(n, EX_LAYER_RESHAPE, shape);
		made->input[0] = input;
		return;
	}
	random_order(axis, 3);
	made = add_node(n, EX_LAYER_PERMUTE, shape_of(size[axis[0]], size[axis[1]], size[axis[2]]));
	made->input[0] = input;
	for (int i = 0; i < 3; i++)
		made->setting[i] = (int32_t) axis[i];
}

static inline bool
same_pixels(ex_shape a, ex_shape b)
{
	return a.height == b.height && a.width == b.width;
}

/* Can `other` be spread over `shape`? */
static inline bool
spreads(ex_shape shape, ex_shape other)
{
	return other.channels == shape.channels &&
		(same_pixels(shape, other) || (other.height == 1 && other.width == 1));
}

/* A sum, product or concatenation of this layer and up to two others that fit. */
static inline void
add_random_join(net *n, const node *from, uint32_t input)
{
	static const ex_layer_kind kinds[] = {EX_LAYER_ADD, EX_LAYER_MULTIPLY, EX_LAYER_CONCAT};
	ex_layer_kind kind = kinds[random_below(3)];
	uint32_t	chosen[3] = {input};
	uint32_t	n_chosen = 1;
	ex_shape	shape = from->shape;
	node	   *made;

	for (int tries = 0; tries < 20 && n_chosen < 3; tries++)
	{
		uint32_t	l = random_below(n->n);
		ex_shape	other = n->node[l].shape;

		if (kind == EX_LAYER_CONCAT ? !same_pixels(shape, other) : !spreads(shape, other))
			continue;
		if (kind == EX_LAYER_CONCAT)
			shape.channels += other.channels;
		chosen[n_chosen++] = l;
	}
	if (n_chosen < 2 || ex_shape_size(shape) > MAX_SIZE)
		return;
	made = add_node(n, kind, shape);
	made->n_inputs = n_chosen;
	memcpy(made->input, chosen, sizeof(chosen));
}

static inline void
add_random_node(net *n, bool smooth)
{
	uint32_t	input = n->n - 1 - (random_below(3) == 0 ? random_below(n->n) : 0);
	const node *from = &n->node[input];

	switch (random_below(8))
	{
		case 0:
			add_random_conv(n, from, input);
			break;
		case 1:
			add_random_pool(n, from, input);
			break;
		case 2:
			add_random_scale(n, from, input);
			break;
		case 3:
		case 4:
			add_random_activation(n, from, input, smooth);
			break;
		case 5:
			add_random_order(n, from, input);
			break;
		case 6:
			add_random_join(n, from, input);
			break;
		default:
			{
				bool		global = random_below(3) == 0;
				node	   *made = global ?
					add_node(n, random_below(2) ? EX_LAYER_GLOBAL_MAX_POOL : EX_LAYER_GLOBAL_AVERAGE_POOL,
							 shape_of(from->shape.channels, 1, 1)) :
					add_with_weights(n, EX_LAYER_DENSE, shape_of(1 + random_below(12), 1, 1), 0, NULL);

				made->input[0] = input;
				if (global)
					break;
				made->n_weights = made->shape.channels * (ex_shape_size(from->shape) + 1);
				made->weight = get_numbers(made->n_weights);
				random_weights(made, 1.5 / sqrt((double) ex_shape_size(from->shape)));
			}
	}
}

/* Every layer must be read by another: those that are not are put side by side. */
static inline void
join_loose_ends(net *n)
{
	bool		is_read[MAX_NODES] = {false};
	uint32_t	end[MAX_NODES];
	uint32_t	n_ends = 0;
	uint32_t	n_layers = n->n;
	uint32_t	channels = 0;
	node	   *made;

	for (uint32_t l = 1; l < n_layers; l++)
		for (uint32_t i = 0; i < n->node[l].n_inputs; i++)
			is_read[n->node[l].input[i]] = true;
	for (uint32_t l = 0; l < n_layers; l++)
	{
		uint32_t	size = (uint32_t) ex_shape_size(n->node[l].shape);

		if (is_read[l])
			continue;
		made = add_node(n, EX_LAYER_RESHAPE, shape_of(size, 1, 1));
		made->input[0] = l;
		end[n_ends++] = n->n - 1;
		channels += size;
	}
	if (n_ends < 2)
		return;
	made = add_node(n, EX_LAYER_CONCAT, shape_of(channels, 1, 1));
	made->n_inputs = n_ends;
	memcpy(made->input, end, n_ends * sizeof(uint32_t));
}

/* About n_layers layers on an image or a vector, and a dense layer of 1 to 3 outputs. */
static inline net
random_net(uint32_t n_layers, bool smooth)
{
	net			made = random_below(3) == 0 ? new_net(shape_of(1 + random_below(9), 1, 1)) :
		new_net(shape_of(1 + random_below(4), 2 + random_below(6), 1 + random_below(6)));
	node	   *last;

	while (made.n < n_layers)
		add_random_node(&made, smooth);
	join_loose_ends(&made);
	last = add_dense(&made, 1 + random_below(3), NULL);
	random_weights(last, 1);
	if (random_below(2) == 0)
		round_weights(&made);
	return made;
}

#endif							/* EX_RANDOM_NET_H */
