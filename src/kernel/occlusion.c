/*
 * occlusion.c
 *		What a prediction loses when a part of the input is put out.
 */
#include <math.h>
#include <string.h>

#include "occlusion.h"

/* The parts that change something, in order: the coalitions to be played. */
typedef struct changing_parts
{
	uint32_t	n;
	uint32_t   *part;
	ex_coalition keep;
	const void *context;
} changing_parts;

static void
keep_changing(const void *context, uint64_t i, bool *known)
{
	const changing_parts *changing = context;

	changing->keep(changing->context, changing->part[i], known);
}

static bool
changes(const bool *known, const bool *varies, uint32_t p)
{
	for (uint32_t f = 0; f < p; f++)
		if (varies[f] && !known[f])
			return true;
	return false;
}

static ex_status
find_changing(ex_host *host, const ex_shap_call *call, uint32_t p, uint32_t n, changing_parts *changing)
{
	bool	   *varies;
	bool	   *known;

	EX_TRY(EX_ALLOC(host, p, &varies));
	EX_TRY(EX_ALLOC(host, p, &known));
	EX_TRY(EX_ALLOC(host, n, &changing->part));
	EX_TRY(ex_find_varying(host, call, p, varies));
	changing->n = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		if (i % 256 == 255)
			EX_TRY(ex_poll(host));
		changing->keep(changing->context, i, known);
		if (changes(known, varies, p))
			changing->part[changing->n++] = i;
	}
	return EX_OK;
}

/* prediction[K] of x, in the space of the call */
static ex_status
predict_row(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, double **prediction)
{
	EX_TRY(EX_ALLOC(host, compiled->model->n_outputs, prediction));
	EX_TRY(compiled->family->predict_raw(compiled, host, call->x, 1, *prediction));
	if (call->space == EX_RESPONSE)
		ex_response(compiled->model, *prediction, *prediction);
	return EX_OK;
}

/* value[k * n + part] = prediction[k] - left[i * count + k], and 0 where nothing changed. */
static ex_status
subtract_all(ex_host *host, const changing_parts *changing, const double *prediction,
			 const double *left, uint32_t count, uint32_t n, double *value)
{
	memset(value, 0, (size_t) count * n * sizeof(double));
	for (uint32_t i = 0; i < changing->n; i++)
		for (uint32_t k = 0; k < count; k++)
		{
			double		lost = prediction[k] - left[(size_t) i * count + k];

			if (!isfinite(lost))
				return ex_fail(host, EX_RANGE, "attribution is out of range");
			value[(size_t) k * n + changing->part[i]] = lost;
		}
	return EX_OK;
}

ex_status
ex_occlude(ex_compiled *compiled, ex_host *host, const ex_shap_call *call, uint32_t n,
		   ex_coalition keep, const void *context, double *value)
{
	changing_parts changing = {.keep = keep, .context = context};
	uint32_t	count = call->outputs.count;
	ex_game		game;
	double	   *prediction;
	double	   *left;

	EX_TRY(find_changing(host, call, compiled->model->n_features, n, &changing));
	EX_TRY(EX_ALLOC(host, (size_t) changing.n * count, &left));
	EX_TRY(ex_game_open(&game, compiled, host, call));
	EX_TRY(ex_game_play(&game, changing.n, keep_changing, &changing, left));
	EX_TRY(predict_row(compiled, host, call, &prediction));
	return subtract_all(host, &changing, prediction + call->outputs.first, left, count, n, value);
}

void
ex_keep_other_groups(const void *context, uint64_t i, bool *known)
{
	const ex_group_parts *parts = context;

	for (uint32_t f = 0; f < parts->n_features; f++)
		known[f] = parts->groups->part[f] != i;
}

/*
 * Windows.
 */

/* Windows of `size` pixels every `stride` along an axis of n; size <= n. */
static uint32_t
count_along(uint32_t n, uint32_t size, uint32_t stride)
{
	uint32_t	rest = n - size;

	return rest / stride + (rest % stride != 0) + 1;
}

uint32_t
ex_windows_init(ex_windows *windows)
{
	ex_shape	image = windows->image;

	if (windows->height > image.height)
		windows->height = image.height;
	if (windows->width > image.width)
		windows->width = image.width;
	windows->rows = count_along(image.height, windows->height, windows->stride_height);
	windows->columns = count_along(image.width, windows->width, windows->stride_width);
	return windows->rows * windows->columns * (windows->per_channel ? image.channels : 1);
}

/* Half-open ranges of the pixels of one window; the last window of an axis is clipped. */
typedef struct window_box
{
	uint32_t	channel_start,
				channel_end;
	uint32_t	y_start,
				y_end;
	uint32_t	x_start,
				x_end;
} window_box;

static void
clip(uint32_t position, uint32_t stride, uint32_t size, uint32_t n, uint32_t *start, uint32_t *end)
{
	uint64_t	from = (uint64_t) position * stride;
	uint64_t	to = from + size;

	*start = from < n ? (uint32_t) from : n;
	*end = to < n ? (uint32_t) to : n;
}

static window_box
box_of(const ex_windows *windows, uint64_t i)
{
	uint32_t	per_plane = windows->rows * windows->columns;
	uint32_t	plane = (uint32_t) (i / per_plane);
	uint32_t	at = (uint32_t) (i % per_plane);
	window_box	box;

	box.channel_start = windows->per_channel ? plane : 0;
	box.channel_end = windows->per_channel ? plane + 1 : windows->image.channels;
	clip(at / windows->columns, windows->stride_height, windows->height, windows->image.height,
		 &box.y_start, &box.y_end);
	clip(at % windows->columns, windows->stride_width, windows->width, windows->image.width,
		 &box.x_start, &box.x_end);
	return box;
}

void
ex_keep_outside(const void *context, uint64_t i, bool *known)
{
	const ex_windows *windows = context;
	ex_shape	image = windows->image;
	window_box	box = box_of(windows, i);

	memset(known, true, ex_shape_size(image) * sizeof(bool));
	for (uint32_t c = box.channel_start; c < box.channel_end; c++)
		for (uint32_t y = box.y_start; y < box.y_end; y++)
			for (uint32_t x = box.x_start; x < box.x_end; x++)
				known[((size_t) c * image.height + y) * image.width + x] = false;
}

/* Add one window's value to the pixels that it covers. */
static void
spread(const ex_windows *windows, uint64_t i, double value, ex_sum *sum, uint32_t *covers)
{
	ex_shape	image = windows->image;
	window_box	box = box_of(windows, i);

	for (uint32_t c = box.channel_start; c < box.channel_end; c++)
		for (uint32_t y = box.y_start; y < box.y_end; y++)
			for (uint32_t x = box.x_start; x < box.x_end; x++)
			{
				size_t		at = ((size_t) c * image.height + y) * image.width + x;

				ex_sum_add(&sum[at], value);
				covers[at]++;
			}
}

ex_status
ex_windows_to_pixels(ex_host *host, const ex_windows *windows, const double *value, double *pixel)
{
	uint32_t	n = windows->rows * windows->columns * (windows->per_channel ? windows->image.channels : 1);
	size_t		n_pixels = ex_shape_size(windows->image);
	ex_sum	   *sum;
	uint32_t   *covers;

	EX_TRY(EX_ALLOC(host, n_pixels, &sum));
	EX_TRY(EX_ALLOC(host, n_pixels, &covers));
	for (uint32_t i = 0; i < n; i++)
	{
		if (i % 64 == 63)
			EX_TRY(ex_poll(host));
		spread(windows, i, value[i], sum, covers);
	}
	for (size_t i = 0; i < n_pixels; i++)
		pixel[i] = covers[i] > 0 ? ex_sum_total(&sum[i]) / covers[i] : NAN;
	return EX_OK;
}
