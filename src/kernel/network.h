/*
 * network.h
 *		The network family: a layer graph over columns of the features.
 *
 * Layer 0 is the input.  A vector input has the C columns of the linear
 * family (linear.h), each scaled:
 *
 *		z_c = (column_c(x) - center_c) / scale_c
 *
 * so that one-hot dummies, missing indicators and standardisation belong to
 * the model and explanations speak of the user's features.  An image input
 * (EX_IMAGE_SHAPE) has one value column per pixel, channel-major as in
 * PyTorch: column (channel * height + y) * width + x.
 *
 * Every other layer reads layers before it and has an output of shape
 * (channels, height, width); a vector of n is (n, 1, 1).  Activations are
 * layers of their own.  The output of the last layer, flattened, is the raw
 * prediction; its size is K.
 *
 * Weights of a layer, in this order (o out, i in):
 *		dense			W[o][i], bias[o]; the input is flattened
 *		conv2d			W[o][i / groups][kernel_h][kernel_w], bias[o]
 *		batch_norm		gamma[c], beta[c], mean[c], variance[c]:
 *						y = gamma (x - mean) / sqrt(variance + number) + beta
 *		affine			scale[n], shift[n]: y = scale x + shift, with n = 1,
 *						channels (one each), or the size of the input
 *		others			none
 * A missing bias is a bias of zeros.  They are stored as float32 exactly if
 * every one of them is one (EX_LAYER_WEIGHT_F32), else as float64; arithmetic
 * is float64 throughout.
 */
#ifndef EX_NETWORK_H
#define EX_NETWORK_H

#include "family.h"
#include "linear.h"

/* Stored: append only.  Text names: ex_layer_kind_names. */
typedef enum ex_layer_kind
{
	EX_LAYER_IS_INPUT = 0,		/* layer 0 and no other */
	EX_LAYER_DENSE,
	EX_LAYER_CONV2D,
	EX_LAYER_MAX_POOL,			/* padding counts as -Infinity */
	EX_LAYER_AVERAGE_POOL,		/* see EX_POOL_COUNTS_PADDING */
	EX_LAYER_GLOBAL_MAX_POOL,	/* (c, h, w) to (c, 1, 1) */
	EX_LAYER_GLOBAL_AVERAGE_POOL,
	EX_LAYER_BATCH_NORM,		/* per channel */
	EX_LAYER_AFFINE,
	EX_LAYER_RESHAPE,			/* same numbers, same order, another shape;
								 * flatten is (n, 1, 1) */
	EX_LAYER_PERMUTE,			/* axis i of the output is axis setting[i] of
								 * the input */
	EX_LAYER_CONCAT,			/* along channels */
	EX_LAYER_ADD,				/* of two or more; a (c, 1, 1) input is added
								 * to every pixel of its channel */
	EX_LAYER_MULTIPLY,			/* of two or more, likewise */
	EX_LAYER_RELU,				/* derivative at 0 is 0, as in PyTorch */
	EX_LAYER_LEAKY_RELU,		/* number: slope below 0 (there included 0) */
	EX_LAYER_ELU,				/* number: alpha */
	EX_LAYER_GELU,				/* x Phi(x), exact */
	EX_LAYER_SIGMOID,
	EX_LAYER_TANH,
	EX_LAYER_SOFTPLUS,
	EX_LAYER_SQUARE,
	EX_LAYER_SOFTMAX,			/* over the channels, at each pixel; a last
								 * softmax or sigmoid is the model's link
								 * instead */
	EX_N_LAYER_KINDS
} ex_layer_kind;

extern const char *const ex_layer_kind_names[EX_N_LAYER_KINDS];

/* Integers of one layer; 0 where the kind has no use for them. */
enum
{
	EX_KERNEL_H, EX_KERNEL_W,
	EX_STRIDE_H, EX_STRIDE_W,
	EX_PAD_TOP, EX_PAD_LEFT, EX_PAD_BOTTOM, EX_PAD_RIGHT,
	EX_DILATION_H, EX_DILATION_W,	/* 1 = dense kernel */
	EX_GROUPS,
	EX_FLAGS,
	EX_N_SETTINGS
};

/* EX_FLAGS */
#define EX_POOL_COUNTS_PADDING	0x1 /* average pool divides by the kernel's
									 * size, not by the pixels covered */

/* Published limits; 54000 beyond. */
#define EX_MAX_LAYERS		10000
#define EX_MAX_ACTIVATIONS	(64 * 1024 * 1024)	/* numbers in all layers, for
												 * one row */

/*
 * Kernel, stride, padding, dilation: so that positions in a padded image, sums
 * of a few of these and of the image's size, are int32_t.
 */
#define EX_MAX_WINDOW_SETTING EX_MAX_ACTIVATIONS

typedef struct ex_shape
{
	uint32_t	channels;
	uint32_t	height;
	uint32_t	width;
} ex_shape;

static inline size_t
ex_shape_size(ex_shape shape)
{
	return (size_t) shape.channels * shape.height * shape.width;
}

/* One layer as kernels see it. */
typedef struct ex_layer
{
	ex_layer_kind kind;
	uint32_t	n_inputs;
	const uint32_t *input;
	ex_shape	shape;
	const int32_t *setting;		/* EX_N_SETTINGS */
	double		number;
	uint32_t	first_weight;
	uint32_t	n_weights;
} ex_layer;

typedef struct ex_network_view
{
	const ex_model *model;
	uint32_t	n_columns;
	uint32_t	n_layers;		/* with the input */
	const double *center;		/* per column */
	const double *scale;
	bool		is_image;
	ex_shape	input;
	const double *weight;		/* one of these two, the other is NULL */
	const float *weight_f32;
	uint32_t	n_weights;
	/* sections of the layers, for ex_network_layer */
	const uint32_t *name_start;
	const char *name_text;
	const uint8_t *kind;
	const uint32_t *input_start;
	const uint32_t *layer_input;
	const uint32_t *shape;
	const int32_t *setting;
	const double *number;
	const uint32_t *weight_start;
} ex_network_view;

/* Look at a valid model; costs nothing. */
extern void ex_network_open(const ex_model *model, ex_network_view *view);
extern void ex_network_layer(const ex_network_view *view, uint32_t i, ex_layer *layer);
extern const char *ex_network_layer_name(const ex_network_view *view, uint32_t i, uint32_t *length);

/* Weight i of the model, whatever it is stored as. */
static inline double
ex_network_weight(const ex_network_view *view, size_t i)
{
	return view->weight_f32 != NULL ? (double) view->weight_f32[i] : view->weight[i];
}

/*
 * Building: features (and channels of an image), then the input, then layers
 * in order, then ex_network_finish, then ex_build.  All of them report
 * mistakes as EX_INVALID with the layer's name.
 */

/*
 * One input column per element; columns in any order are kept as they are.
 *
 * column.missing is the column's value, before scaling, where its feature is
 * missing; NaN stands for what the feature's policy implies, which for native
 * is the center (the input is then 0: it adds nothing), 0 of a level or bin,
 * and 1 of an indicator.
 */
typedef struct ex_network_column
{
	ex_column	column;			/* linear.h */
	double		center;
	double		scale;
} ex_network_column;

/* A vector input with these columns. */
extern ex_status ex_network_put_input(ex_builder *builder, const ex_network_column *column, size_t n);

/* A vector input whose column c is the value of feature c. */
extern ex_status ex_network_put_plain_input(ex_builder *builder);

/*
 * An image input: puts the features too, named "channel[y,x]" from 0, numeric;
 * n_channels terminated names.
 */
extern ex_status ex_network_put_image(ex_builder *builder, const char *const *channel,
									  ex_shape shape);

/*
 * Append a layer.  `shape` is computed, except that of a reshape, where it is
 * taken; weights are copied (n_weights must be what the kind needs, dense and
 * conv2d with their bias).
 */
typedef struct ex_new_layer
{
	ex_layer_kind kind;
	const char *name;			/* NULL: kind_position, such as dense_1 */
	uint32_t	n_inputs;		/* 0: the layer before */
	const uint32_t *input;
	ex_shape	shape;			/* reshape: wanted; dense, conv2d: channels is
								 * the number of outputs */
	int32_t		setting[EX_N_SETTINGS]; /* 0 stride, dilation, groups: 1 */
	double		number;
	const double *weight;
	size_t		n_weights;
} ex_new_layer;

extern ex_status ex_network_put_layer(ex_builder *builder, const ex_new_layer *layer);

/* Shape of the layer put last. */
extern ex_shape ex_network_last_shape(const ex_builder *builder);

/*
 * Turn a last softmax or sigmoid into the link (where the link is identity),
 * choose float32 or float64 for the weights, set the number of outputs and
 * default output names where there are none.
 */
extern ex_status ex_network_finish(ex_builder *builder);

/*
 * Output shape of a layer of this kind from its inputs' shapes: the one place
 * where shapes are computed, for building and for validation.  EX_INVALID
 * where they do not fit together; `where` names the layer.
 */
extern ex_status ex_network_infer_shape(ex_host *host, const ex_layer *layer, const ex_shape *input,
										const char *where, ex_shape *shape);

/* Number of weights that a layer needs; n for an affine layer is free, see above. */
extern bool ex_network_weight_count_ok(const ex_layer *layer, const ex_shape *input, uint64_t n_weights);

extern const ex_family ex_network_family;

#endif							/* EX_NETWORK_H */
