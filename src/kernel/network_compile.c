/*
 * network_compile.c
 *		A network made ready to run, and workspaces for it.
 *
 * Matrices of dense layers are copied into two layouts: as float64, or, where
 * these would leave no room in a processor's second cache and the model stores
 * them so, as float32.  (Widening float32 takes as long as the products.)
 * Batch normalisation becomes a scale and a shift; where
 * every layer's numbers lie in a workspace is decided.
 */
#include <math.h>
#include <string.h>

#include "linear_internal.h"
#include "network_internal.h"

#define WIDE_LIMIT ((size_t) 256 << 10)	/* bytes of dense matrices that are kept as float64 */
#define WORK_LIMIT ((size_t) 32 << 20)	/* bytes of a workspace of many rows */
#define ALIGN 8					/* numbers: a cache line */

static size_t
round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

ex_status
ex_network_alloc(ex_host *host, size_t count, size_t width, void *pointer)
{
	char	   *chunk;

	if (count > (EX_MAX_ALLOC - 64) / width)
	{
		ex_fail(host, EX_LIMIT, "network needs too much memory");
		ex_detail(host, "Its layers need %zu numbers at once.", count);
		return EX_LIMIT;
	}
	EX_TRY(EX_ALLOC(host, count * width + 63, &chunk));
	*(void **) pointer = (void *) (((uintptr_t) chunk + 63) & ~(uintptr_t) 63);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Dense layers
 * ---------------------------------------------------------------- */

static ex_status
make_packed(ex_host *host, bool is_f32, size_t rows, size_t columns, ex_packed *matrix)
{
	*matrix = (ex_packed) {.rows = rows,.columns = columns,
	.stride = round_up(columns, EX_MATRIX_PAD)};
	if (is_f32)
		return ex_network_alloc(host, rows * matrix->stride, sizeof(float), &matrix->f32);
	return ex_network_alloc(host, rows * matrix->stride, sizeof(double), &matrix->f64);
}

static void
set_packed(const ex_packed *matrix, size_t row, size_t column, double value)
{
	size_t		at = row * matrix->stride + column;

	if (matrix->f32 != NULL)
		((float *) matrix->f32)[at] = (float) value;
	else
		((double *) matrix->f64)[at] = value;
}

/* The weights of a layer from `first` on, as float64: the model's own, or a copy. */
static ex_status
wide_weights(ex_host *host, const ex_network_view *view, const ex_layer *layer, size_t first,
			 size_t n, const double **weight)
{
	double	   *copy;

	if (view->weight != NULL)
	{
		*weight = view->weight + layer->first_weight + first;
		return EX_OK;
	}
	EX_TRY(ex_network_alloc(host, n, sizeof(double), &copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = ex_network_weight(view, layer->first_weight + first + i);
	*weight = copy;
	return EX_OK;
}

static ex_status
compile_dense(ex_host *host, ex_network_state *state, ex_step *step)
{
	const ex_network_view *view = &state->view;
	bool		is_f32 = state->narrow;
	size_t		n_out = step->size;
	size_t		n_in = step->from_size;
	size_t		at = step->layer.first_weight;

	EX_TRY(make_packed(host, is_f32, n_in, n_out, &step->ahead));
	EX_TRY(make_packed(host, is_f32, n_out, n_in, &step->back));
	for (size_t o = 0; o < n_out; o++)
	{
		EX_TRY(ex_poll(host));
		for (size_t i = 0; i < n_in; i++, at++)
		{
			set_packed(&step->ahead, i, o, ex_network_weight(view, at));
			set_packed(&step->back, o, i, ex_network_weight(view, at));
		}
	}
	EX_TRY(wide_weights(host, view, &step->layer, n_out * n_in, n_out, &step->bias));
	step->cost = (double) n_out * (double) n_in;
	step->run = &ex_step_dense;
	if (state->n_masked < n_in)
		state->n_masked = n_in;
	if (state->n_masked < n_out)
		state->n_masked = n_out;
	if (is_f32)
	{
		size_t		scratch = step->ahead.rows * step->ahead.stride;

		if (scratch < step->back.rows * step->back.stride)
			scratch = step->back.rows * step->back.stride;
		if (state->batch_scratch < scratch)
			state->batch_scratch = scratch;
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Windows
 * ---------------------------------------------------------------- */

static int32_t
at_least_1(int32_t n)
{
	return n < 1 ? 1 : n;
}

static void
set_window(ex_step *step)
{
	const int32_t *setting = step->layer.setting;

	step->window = (ex_window)
	{
		.height = (int32_t) step->from.height,
		.width = (int32_t) step->from.width,
		.out_height = (int32_t) step->layer.shape.height,
		.out_width = (int32_t) step->layer.shape.width,
		.kernel_height = setting[EX_KERNEL_H],
		.kernel_width = setting[EX_KERNEL_W],
		.stride_y = at_least_1(setting[EX_STRIDE_H]),
		.stride_x = at_least_1(setting[EX_STRIDE_W]),
		.top = setting[EX_PAD_TOP],
		.left = setting[EX_PAD_LEFT],
		.dilation_y = at_least_1(setting[EX_DILATION_H]),
		.dilation_x = at_least_1(setting[EX_DILATION_W])
	};
	step->cost = (double) step->size * step->window.kernel_height * step->window.kernel_width;
}

static void
set_whole_window(ex_step *step)
{
	step->window = (ex_window)
	{
		.height = (int32_t) step->from.height,
		.width = (int32_t) step->from.width,
		.out_height = 1,
		.out_width = 1,
		.kernel_height = (int32_t) step->from.height,
		.kernel_width = (int32_t) step->from.width,
		.stride_y = 1,
		.stride_x = 1,
		.dilation_y = 1,
		.dilation_x = 1
	};
	step->cost = (double) step->from_size;
}

static ex_status
compile_conv(ex_host *host, ex_network_state *state, ex_step *step)
{
	const ex_network_view *view = &state->view;
	size_t		n_out = step->layer.shape.channels;
	size_t		n_weights = step->layer.n_weights - n_out;
	size_t		scratch;

	set_window(step);
	EX_TRY(wide_weights(host, view, &step->layer, 0, n_weights, &step->weight));
	EX_TRY(wide_weights(host, view, &step->layer, n_weights, n_out, &step->bias));
	ex_conv_plan(step, &scratch);
	if (state->scratch < scratch)
		state->scratch = scratch;
	step->cost *= (double) (step->from.channels / (uint32_t) step->layer.setting[EX_GROUPS]);
	step->run = &ex_step_conv;
	return EX_OK;
}

static ex_status
compile_max_pool(ex_network_state *state, ex_step *step)
{
	step->winner_at = state->n_winners;
	state->n_winners += round_up(step->size, ALIGN);
	step->run = &ex_step_max_pool;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Scales
 * ---------------------------------------------------------------- */

static ex_status
compile_batch_norm(ex_host *host, const ex_network_view *view, ex_step *step)
{
	size_t		n = step->from.channels;
	size_t		first = step->layer.first_weight;
	double	   *scale;
	double	   *shift;

	EX_TRY(EX_ALLOC(host, n, &scale));
	EX_TRY(EX_ALLOC(host, n, &shift));
	for (size_t c = 0; c < n; c++)
	{
		double		gamma = ex_network_weight(view, first + c);
		double		beta = ex_network_weight(view, first + n + c);
		double		mean = ex_network_weight(view, first + 2 * n + c);
		double		variance = ex_network_weight(view, first + 3 * n + c);

		scale[c] = gamma / sqrt(variance + step->layer.number);
		shift[c] = beta - mean * scale[c];
	}
	step->scale = scale;
	step->shift = shift;
	step->run_length = step->size / n;
	step->cost = (double) step->size;
	step->run = &ex_step_scale;
	return EX_OK;
}

static ex_status
compile_affine(ex_host *host, const ex_network_view *view, ex_step *step)
{
	size_t		n = step->layer.n_weights / 2;

	EX_TRY(wide_weights(host, view, &step->layer, 0, n, &step->scale));
	EX_TRY(wide_weights(host, view, &step->layer, n, n, &step->shift));
	step->run_length = step->size / n;
	step->cost = (double) step->size;
	step->run = &ex_step_scale;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Steps
 * ---------------------------------------------------------------- */

static ex_status
compile_kind(ex_host *host, ex_network_state *state, ex_step *step)
{
	switch (step->layer.kind)
	{
		case EX_LAYER_DENSE:
			return compile_dense(host, state, step);
		case EX_LAYER_CONV2D:
			return compile_conv(host, state, step);
		case EX_LAYER_MAX_POOL:
			set_window(step);
			return compile_max_pool(state, step);
		case EX_LAYER_GLOBAL_MAX_POOL:
			set_whole_window(step);
			return compile_max_pool(state, step);
		case EX_LAYER_AVERAGE_POOL:
			set_window(step);
			step->run = &ex_step_average_pool;
			return EX_OK;
		case EX_LAYER_GLOBAL_AVERAGE_POOL:
			set_whole_window(step);
			step->run = &ex_step_average_pool;
			return EX_OK;
		case EX_LAYER_BATCH_NORM:
			return compile_batch_norm(host, &state->view, step);
		case EX_LAYER_AFFINE:
			return compile_affine(host, &state->view, step);
		case EX_LAYER_RESHAPE:
			step->run = &ex_step_reshape;
			return EX_OK;
		case EX_LAYER_PERMUTE:
			step->run = &ex_step_permute;
			return EX_OK;
		case EX_LAYER_CONCAT:
			step->run = &ex_step_concat;
			return EX_OK;
		case EX_LAYER_ADD:
			step->run = &ex_step_add;
			return EX_OK;
		case EX_LAYER_MULTIPLY:
			step->run = &ex_step_multiply;
			return EX_OK;
		case EX_LAYER_SOFTMAX:
			state->has_softmax = true;
			step->run = &ex_step_softmax;
			return EX_OK;
		case EX_LAYER_RELU:
			state->has_relu = true;
			/* FALLTHROUGH */
		default:
			step->run = &ex_step_activation;
			return EX_OK;
	}
}

/* A reshape is the memory of its input, but has a gradient of its own. */
static void
place(ex_network_state *state, ex_step *step)
{
	size_t		n = round_up(step->size, ALIGN);

	if (step->layer.kind == EX_LAYER_RESHAPE)
		step->value_at = state->step[step->layer.input[0]].value_at;
	else
	{
		step->value_at = state->n_values;
		state->n_values += n;
	}
	step->gradient_at = state->n_gradients;
	state->n_gradients += n;
}

static ex_status
compile_step(ex_host *host, ex_network_state *state, uint32_t i)
{
	ex_step    *step = &state->step[i];

	ex_network_layer(&state->view, i, &step->layer);
	step->number = i;
	step->size = ex_shape_size(step->layer.shape);
	place(state, step);
	if (i == 0)
		return EX_OK;
	step->from = state->step[step->layer.input[0]].layer.shape;
	step->from_size = ex_shape_size(step->from);
	step->cost = (double) step->size;
	return compile_kind(host, state, step);
}

static void
look_at_input(ex_network_state *state)
{
	const ex_network_view *view = &state->view;
	const ex_linear_view *columns = &state->columns;
	const uint8_t *kind = ex_get(view->model, EX_FEATURE_KIND, NULL);

	state->identity = columns->n_columns == columns->n_features;
	for (uint32_t c = 0; c < columns->n_columns; c++)
	{
		if (columns->kind[c] != EX_COLUMN_VALUE || columns->feature[c] != c)
			state->identity = false;
		if (view->center[c] != 0 || view->scale[c] != 1)
			state->scaled = true;
	}
	state->plain = state->identity && !state->scaled;
	for (uint32_t f = 0; f < columns->n_features; f++)
		if (kind[f] != EX_NUMERIC)
			state->plain = false;
}

/* Are matrices of dense layers kept as float32? */
static bool
is_narrow(const ex_network_view *view)
{
	size_t		n = 0;
	ex_layer	layer;

	if (view->weight_f32 == NULL)
		return false;
	for (uint32_t i = 1; i < view->n_layers; i++)
	{
		ex_network_layer(view, i, &layer);
		if (layer.kind == EX_LAYER_DENSE)
			n += layer.n_weights;
	}
	return n > WIDE_LIMIT / (2 * sizeof(double));
}

ex_status
ex_network_compile(ex_compiled *compiled)
{
	ex_host    *host = compiled->host;
	ex_network_state *state;

	EX_TRY(EX_ALLOC(host, 1, &state));
	ex_network_open(compiled->model, &state->view);
	ex_linear_open(compiled->model, &state->columns);
	look_at_input(state);
	state->kernel = ex_matrix_best();
	state->narrow = is_narrow(&state->view);
	EX_TRY(EX_ALLOC(host, state->view.n_layers, &state->step));
	for (uint32_t i = 0; i < state->view.n_layers; i++)
		EX_TRY(compile_step(host, state, i));
	compiled->state = state;
	return EX_OK;
}

const ex_network_view *
ex_network_compiled_view(const ex_network_state *state)
{
	return &state->view;
}

/* ----------------------------------------------------------------
 * Workspaces
 * ---------------------------------------------------------------- */

uint32_t
ex_network_tile(const ex_network_state *state)
{
	size_t		per_row = (state->n_values + state->n_gradients) * sizeof(double) +
		state->n_winners * sizeof(uint32_t);
	size_t		rows = WORK_LIMIT / per_row;

	return rows < 1 ? 1 : rows > EX_NETWORK_TILE ? EX_NETWORK_TILE : (uint32_t) rows;
}

ex_status
ex_network_work_create(const ex_network_state *state, ex_host *host, uint32_t rows,
					   ex_network_work **work)
{
	size_t		scratch = state->scratch;
	ex_network_work *made;

	if (rows >= EX_NETWORK_BATCH && scratch < state->batch_scratch)
		scratch = state->batch_scratch;
	EX_TRY(EX_ALLOC(host, 1, &made));
	made->state = state;
	made->host = host;
	made->capacity = rows;
	EX_TRY(ex_network_alloc(host, state->n_values * rows, sizeof(double), &made->value));
	EX_TRY(ex_network_alloc(host, state->n_winners * rows, sizeof(uint32_t), &made->winner));
	EX_TRY(ex_network_alloc(host, scratch, sizeof(double), &made->scratch));
	EX_TRY(ex_network_alloc(host, EX_MASK_WORDS(state->n_masked), sizeof(uint64_t), &made->mask));
	*work = made;
	return EX_OK;
}

const double *
ex_network_value(const ex_network_work *work, uint32_t layer)
{
	return ex_value(work, layer);
}

const double *
ex_network_gradient(const ex_network_work *work, uint32_t layer)
{
	return ex_gradient(work, layer);
}
