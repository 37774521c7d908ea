/*
 * network_internal.h
 *		What the files that run a network share.
 *
 *	network_compile.c		weights and geometry made ready; workspaces
 *	network_run.c			rows in, forward, backward, rows out
 *	network_dense.c			dense layers
 *	network_conv.c			convolutions
 *	network_pool.c			pooling
 *	network_scale.c			batch normalisation and affine layers
 *	network_join.c			add, multiply, concatenate, reorder
 *	network_activation.c	functions of one number, and softmax
 *	matrix.c				matrix products
 *
 * Every kind of layer has a forward and a backward step (ex_step_kind).  A
 * backward step adds to the gradients of the layer's inputs: a layer may be
 * read by several others, and gradients start at 0.
 */
#ifndef EX_NETWORK_INTERNAL_H
#define EX_NETWORK_INTERNAL_H

#include "matrix_kernel.h"
#include "network_run.h"

/* From so many rows on a layer goes through ex_gemm, and not row by row. */
#define EX_NETWORK_BATCH 8

/* A window that slides over an image: convolution and pooling. */
typedef struct ex_window
{
	int32_t		height, width;	/* of the input */
	int32_t		out_height, out_width;
	int32_t		kernel_height, kernel_width;
	int32_t		stride_y, stride_x;
	int32_t		top, left;		/* padding */
	int32_t		dilation_y, dilation_x;
} ex_window;

typedef struct ex_step ex_step;
typedef struct ex_pass ex_pass;

typedef struct ex_step_kind
{
	ex_status	(*forward) (const ex_pass *pass, const ex_step *step);
	ex_status	(*backward) (const ex_pass *pass, const ex_step *step);
} ex_step_kind;

/* A layer made ready to run. */
struct ex_step
{
	const ex_step_kind *run;
	ex_layer	layer;
	uint32_t	number;			/* of the layer */
	size_t		size;			/* numbers per row */
	size_t		value_at;		/* numbers per row before this layer's, in work->value ... */
	size_t		gradient_at;	/* ... and in work->gradient */
	ex_shape	from;			/* shape and size of the first input */
	size_t		from_size;
	double		cost;			/* multiplications per row, about */

	ex_packed	ahead;			/* dense: in rows of out columns */
	ex_packed	back;			/* dense: out rows of in columns */
	const double *bias;			/* dense, convolution */
	const double *weight;		/* convolution: out x (in / groups * kernel) */
	ex_window	window;			/* convolution, pooling */
	int32_t		band;			/* convolution: rows of output pixels taken at a time */
	size_t		winner_at;		/* max pooling: as value_at, in work->winner */
	const double *scale;		/* batch normalisation, affine: one for each `run_length` */
	const double *shift;
	size_t		run_length;
};

struct ex_network_state
{
	ex_network_view view;
	ex_linear_view columns;		/* of the input layer */
	bool		identity;		/* column c is the value of feature c, for every feature */
	bool		plain;			/* identity, all features numeric, and not
								 * scaled */
	bool		scaled;			/* some center is not 0 or some scale not 1 */
	bool		has_relu;
	bool		has_softmax;
	bool		narrow;			/* dense matrices are kept as float32 */
	const ex_matrix_kernel *kernel;
	ex_step    *step;			/* one per layer, the input's first */
	size_t		n_values;		/* per row, as in value_at */
	size_t		n_gradients;
	size_t		n_winners;
	size_t		scratch;		/* numbers that a step may need besides */
	size_t		batch_scratch;	/* the same from EX_NETWORK_BATCH rows on */
	size_t		n_masked;		/* longest vector that is multiplied by a dense matrix */

	/* workspaces of predict_raw and gradient_raw; NULL until needed */
	ex_network_work *one;
	ex_network_work *many;
};

struct ex_network_work
{
	const ex_network_state *state;
	ex_host    *host;			/* of its memory */
	uint32_t	capacity;		/* rows */
	uint32_t	n;				/* rows of the last forward call */
	double	   *value;
	double	   *gradient;		/* NULL until the first backward call */
	uint32_t   *winner;			/* position within the channel's image, or EX_NO_WINNER */
	double	   *scratch;
	uint64_t   *mask;			/* of a dense layer's input */
};

#define EX_NO_WINNER UINT32_MAX /* a window that lies in the padding */

/* One forward or backward call. */
struct ex_pass
{
	const ex_network_state *state;
	ex_network_work *work;
	const ex_network_work *reference;
	ex_backward_rule rule;
	ex_host    *host;
	size_t		n;				/* rows */
};

static inline double *
ex_value(const ex_network_work *work, uint32_t layer)
{
	return work->value + work->state->step[layer].value_at * work->capacity;
}

static inline double *
ex_gradient(const ex_network_work *work, uint32_t layer)
{
	return work->gradient + work->state->step[layer].gradient_at * work->capacity;
}

/* Values of a layer for the reference of a row. */
static inline const double *
ex_reference_value(const ex_pass *pass, uint32_t layer, size_t row)
{
	return ex_value(pass->reference, layer) +
		(pass->reference->n == 1 ? 0 : row) * pass->state->step[layer].size;
}

/* Input i of a step, for row 0. */
static inline const double *
ex_step_input(const ex_pass *pass, const ex_step *step, uint32_t i)
{
	return ex_value(pass->work, step->layer.input[i]);
}

static inline double *
ex_step_input_gradient(const ex_pass *pass, const ex_step *step, uint32_t i)
{
	return ex_gradient(pass->work, step->layer.input[i]);
}

static inline double *
ex_step_output(const ex_pass *pass, const ex_step *step)
{
	return ex_value(pass->work, step->number);
}

static inline const double *
ex_step_gradient(const ex_pass *pass, const ex_step *step)
{
	return ex_gradient(pass->work, step->number);
}

/*
 * First and last + 1 of the kernel's taps that fall into the image, for an
 * axis of `size` pixels and a window that starts at `start` (maybe negative).
 */
static inline void
ex_window_taps(int32_t start, int32_t size, int32_t kernel, int32_t dilation,
			   int32_t *first, int32_t *end)
{
	*first = 0;
	*end = kernel;
	if (start >= 0 && start + (kernel - 1) * dilation < size)
		return;
	*first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
	*end = start >= size ? 0 : (size - start + dilation - 1) / dilation;
	if (*end > kernel)
		*end = kernel;
	if (*first > *end)
		*first = *end;
}

extern const ex_step_kind ex_step_dense;
extern const ex_step_kind ex_step_conv;
extern const ex_step_kind ex_step_max_pool;
extern const ex_step_kind ex_step_average_pool;
extern const ex_step_kind ex_step_scale;
extern const ex_step_kind ex_step_reshape;
extern const ex_step_kind ex_step_permute;
extern const ex_step_kind ex_step_concat;
extern const ex_step_kind ex_step_add;
extern const ex_step_kind ex_step_multiply;
extern const ex_step_kind ex_step_activation;
extern const ex_step_kind ex_step_softmax;

/* A chunk aligned to a cache line, zeroed. */
extern ex_status ex_network_alloc(ex_host *host, size_t count, size_t width, void *pointer);

/* Rows of output pixels that a convolution takes at a time, and the numbers of scratch for them. */
extern void ex_conv_plan(ex_step *step, size_t *scratch);

#endif							/* EX_NETWORK_INTERNAL_H */
