/*
 * network_pool.c
 *		Pooling: the largest or the mean of a window, channel by channel.
 *
 * A maximum goes to the first of equals, and so does its gradient.  A NaN
 * wins against every number, so that overflow is not lost on the way.
 */
#include <math.h>

#include "network_internal.h"

/* The taps of a window that lie in the image. */
typedef struct window_taps
{
	int32_t		y, x;			/* where tap (0, 0) would be */
	int32_t		ky, ky_end;
	int32_t		kx, kx_end;
} window_taps;

static window_taps
taps_of(const ex_window *w, int32_t out_y, int32_t out_x)
{
	window_taps taps;

	taps.y = out_y * w->stride_y - w->top;
	taps.x = out_x * w->stride_x - w->left;
	ex_window_taps(taps.y, w->height, w->kernel_height, w->dilation_y, &taps.ky, &taps.ky_end);
	ex_window_taps(taps.x, w->width, w->kernel_width, w->dilation_x, &taps.kx, &taps.kx_end);
	return taps;
}

static uint32_t
tap_position(const ex_window *w, const window_taps *taps, int32_t ky, int32_t kx)
{
	return (uint32_t) (taps->y + ky * w->dilation_y) * (uint32_t) w->width +
		(uint32_t) (taps->x + kx * w->dilation_x);
}

/*
 * Asks the host whether to stop, every few milliseconds: windows may be as
 * large as the image, and as many as it has pixels.
 */
#define POLL_TAPS ((size_t) 1 << 22)

static inline ex_status
spend_window(const ex_pass *pass, size_t taps, size_t *spent)
{
	*spent += taps;
	if (*spent < POLL_TAPS)
		return EX_OK;
	*spent = 0;
	return ex_poll(pass->host);
}

/* Taps of a window that lie in the image, at most. */
static size_t
most_taps(const ex_window *w)
{
	size_t		height = (size_t) (w->kernel_height < w->height ? w->kernel_height : w->height);
	size_t		width = (size_t) (w->kernel_width < w->width ? w->kernel_width : w->width);

	return height * width;
}

/* ----------------------------------------------------------------
 * Maximum
 * ---------------------------------------------------------------- */

/* The first tap that is not a number, if there is one; else `winner`. */
static uint32_t
first_nan(const ex_window *w, const window_taps *taps, const double *image, uint32_t winner)
{
	for (int32_t ky = taps->ky; ky < taps->ky_end; ky++)
		for (int32_t kx = taps->kx; kx < taps->kx_end; kx++)
			if (isnan(image[tap_position(w, taps, ky, kx)]))
				return tap_position(w, taps, ky, kx);
	return winner;
}

/* Without branches on the numbers, which nobody can predict. */
static uint32_t
find_winner(const ex_window *w, const double *image, int32_t out_y, int32_t out_x)
{
	window_taps taps = taps_of(w, out_y, out_x);
	uint32_t	winner;
	double		largest;
	double		sum = 0;

	if (taps.ky == taps.ky_end || taps.kx == taps.kx_end)
		return EX_NO_WINNER;
	winner = tap_position(w, &taps, taps.ky, taps.kx);
	largest = image[winner];
	for (int32_t ky = taps.ky; ky < taps.ky_end; ky++)
	{
		uint32_t	at = tap_position(w, &taps, ky, taps.kx);

		for (int32_t kx = taps.kx; kx < taps.kx_end; kx++, at += (uint32_t) w->dilation_x)
		{
			double		value = image[at];

			winner = value > largest ? at : winner;
			largest = value > largest ? value : largest;
			sum += value;
		}
	}
	return isnan(sum) ? first_nan(w, &taps, image, winner) : winner;
}

static uint32_t *
winners(const ex_network_work *work, const ex_step *step, size_t row)
{
	return work->winner + step->winner_at * work->capacity + row * step->size;
}

static ex_status
max_forward(const ex_pass *pass, const ex_step *step)
{
	const ex_window *w = &step->window;
	const double *image = ex_step_input(pass, step, 0);
	double	   *out = ex_step_output(pass, step);
	uint32_t   *winner = winners(pass->work, step, 0);
	size_t		n_images = pass->n * step->from.channels;
	size_t		taps = most_taps(w);
	size_t		spent = 0;

	for (size_t i = 0; i < n_images; i++, image += (size_t) w->height * (size_t) w->width)
		for (int32_t y = 0; y < w->out_height; y++)
			for (int32_t x = 0; x < w->out_width; x++)
			{
				EX_TRY(spend_window(pass, taps, &spent));
				*winner = find_winner(w, image, y, x);
				*out++ = *winner == EX_NO_WINNER ? -INFINITY : image[*winner];
				winner++;
			}
	return EX_OK;
}

static void
max_gradient(const ex_pass *pass, const ex_step *step)
{
	const uint32_t *winner = winners(pass->work, step, 0);
	const double *r = ex_step_gradient(pass, step);
	double	   *to = ex_step_input_gradient(pass, step, 0);
	size_t		n_images = pass->n * step->from.channels;
	size_t		n_pixels = step->size / step->layer.shape.channels;

	for (size_t i = 0; i < n_images; i++, to += step->from_size / step->from.channels)
		for (size_t j = 0; j < n_pixels; j++, winner++, r++)
			if (*winner != EX_NO_WINNER)
				to[*winner] += *r;
}

/*
 * The cross-maximum rule: what the output has gained over the reference is
 * due to the input that won, what it has lost to the one that had won for the
 * reference.  Either input has changed by as much or more, so the multiplier
 * is between 0 and 1.
 */
static void
max_rescale_row(const ex_pass *pass, const ex_step *step, size_t row)
{
	const ex_network_work *other = pass->reference;
	size_t		other_row = other->n == 1 ? 0 : row;
	const double *image = ex_step_input(pass, step, 0) + row * step->from_size;
	const double *image0 = ex_value(other, step->layer.input[0]) + other_row * step->from_size;
	const uint32_t *winner = winners(pass->work, step, row);
	const uint32_t *winner0 = winners(other, step, other_row);
	const double *r = ex_step_gradient(pass, step) + row * step->size;
	double	   *to = ex_step_input_gradient(pass, step, 0) + row * step->from_size;
	size_t		in_pixels = step->from_size / step->from.channels;
	size_t		out_pixels = step->size / step->layer.shape.channels;

	for (size_t i = 0; i < step->size; i++)
	{
		size_t		start = i / out_pixels * in_pixels;
		size_t		at;
		double		change;

		if (winner[i] == EX_NO_WINNER)
			continue;
		change = image[start + winner[i]] - image0[start + winner0[i]];
		at = start + (change >= 0 ? winner[i] : winner0[i]);
		if (image[at] != image0[at])
			to[at] += r[i] * (change / (image[at] - image0[at]));
		else
			to[at] += r[i];
	}
}

static ex_status
max_backward(const ex_pass *pass, const ex_step *step)
{
	if (pass->rule != EX_RULE_RESCALE)
		max_gradient(pass, step);
	else
		for (size_t row = 0; row < pass->n; row++)
			max_rescale_row(pass, step, row);
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Mean
 * ---------------------------------------------------------------- */

static double
divisor(const ex_step *step, const window_taps *taps)
{
	const ex_window *w = &step->window;
	double		covered = (double) (taps->ky_end - taps->ky) * (taps->kx_end - taps->kx);

	if (step->layer.setting[EX_FLAGS] & EX_POOL_COUNTS_PADDING)
		covered = (double) w->kernel_height * w->kernel_width;
	return covered > 0 ? covered : 1;
}

static double
window_mean(const ex_step *step, const double *image, int32_t out_y, int32_t out_x)
{
	window_taps taps = taps_of(&step->window, out_y, out_x);
	double		sum = 0;

	for (int32_t ky = taps.ky; ky < taps.ky_end; ky++)
		for (int32_t kx = taps.kx; kx < taps.kx_end; kx++)
			sum += image[tap_position(&step->window, &taps, ky, kx)];
	return sum / divisor(step, &taps);
}

static void
spread(const ex_step *step, double r, int32_t out_y, int32_t out_x, double *image)
{
	window_taps taps = taps_of(&step->window, out_y, out_x);
	double		share = r / divisor(step, &taps);

	for (int32_t ky = taps.ky; ky < taps.ky_end; ky++)
		for (int32_t kx = taps.kx; kx < taps.kx_end; kx++)
			image[tap_position(&step->window, &taps, ky, kx)] += share;
}

static ex_status
average_forward(const ex_pass *pass, const ex_step *step)
{
	const ex_window *w = &step->window;
	const double *image = ex_step_input(pass, step, 0);
	double	   *out = ex_step_output(pass, step);
	size_t		n_images = pass->n * step->from.channels;
	size_t		taps = most_taps(w);
	size_t		spent = 0;

	for (size_t i = 0; i < n_images; i++, image += (size_t) w->height * (size_t) w->width)
		for (int32_t y = 0; y < w->out_height; y++)
			for (int32_t x = 0; x < w->out_width; x++)
			{
				EX_TRY(spend_window(pass, taps, &spent));
				*out++ = window_mean(step, image, y, x);
			}
	return EX_OK;
}

static ex_status
average_backward(const ex_pass *pass, const ex_step *step)
{
	const ex_window *w = &step->window;
	const double *r = ex_step_gradient(pass, step);
	double	   *image = ex_step_input_gradient(pass, step, 0);
	size_t		n_images = pass->n * step->from.channels;
	size_t		taps = most_taps(w);
	size_t		spent = 0;

	for (size_t i = 0; i < n_images; i++, image += (size_t) w->height * (size_t) w->width)
		for (int32_t y = 0; y < w->out_height; y++)
			for (int32_t x = 0; x < w->out_width; x++)
			{
				EX_TRY(spend_window(pass, taps, &spent));
				spread(step, *r++, y, x, image);
			}
	return EX_OK;
}

const ex_step_kind ex_step_max_pool = {max_forward, max_backward};
const ex_step_kind ex_step_average_pool = {average_forward, average_backward};
