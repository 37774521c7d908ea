/*
 * network_conv.c
 *		Convolutions as matrix products.
 *
 * Patches of the image are laid out as a matrix with one row per tap of the
 * kernel (channel, y, x) and one column per output pixel; the output is W
 * times it (Chellapilla, Puri & Simard 2006).  A band of rows of output
 * pixels is taken at a time, so that the patches stay in a cache.  Backward
 * the patches' gradient is W^T times the output's, and is added up where the
 * patches came from.
 */
#include <string.h>

#include "matrix.h"
#include "network_internal.h"

#define BAND ((size_t) 1 << 15) /* numbers in the patches of a band, 256 kB */

static size_t
taps(const ex_step *step)
{
	return (size_t) (step->from.channels / (uint32_t) step->layer.setting[EX_GROUPS]) *
		(size_t) (step->window.kernel_height * step->window.kernel_width);
}

/* Columns of the patch matrix, padded for the tiles of matrix products. */
static size_t
patch_stride(const ex_step *step, int32_t rows)
{
	size_t		pixels = (size_t) rows * (size_t) step->window.out_width;

	return (pixels + EX_TILE_COLUMNS - 1) / EX_TILE_COLUMNS * EX_TILE_COLUMNS;
}

void
ex_conv_plan(ex_step *step, size_t *scratch)
{
	size_t		per_row = taps(step) * (size_t) step->window.out_width;
	size_t		rows = per_row > 0 ? BAND / per_row : 1;

	step->band = rows < 1 ? 1 : rows < (size_t) step->window.out_height ? (int32_t) rows :
		step->window.out_height;
	*scratch = taps(step) * patch_stride(step, step->band);
}

/* Output columns first .. end - 1 whose tap at `offset` lies in the image. */
static void
inside(const ex_window *w, int32_t offset, int32_t *first, int32_t *end)
{
	int32_t		last = w->width - 1 - offset;

	*first = offset >= 0 ? 0 : (-offset + w->stride_x - 1) / w->stride_x;
	*end = last < 0 ? 0 : last / w->stride_x + 1;
	if (*end > w->out_width)
		*end = w->out_width;
	if (*first > *end)
		*first = *end;
}

/* One row of patches of one tap (at x `offset`): from image row `from`, or none. */
static void
unfold_row(const ex_window *w, const double *from, int32_t offset, double *patch)
{
	int32_t		first = 0;
	int32_t		end = 0;

	if (from != NULL)
		inside(w, offset, &first, &end);
	for (int32_t x = 0; x < first; x++)
		patch[x] = 0;
	if (w->stride_x == 1)
		for (int32_t x = first; x < end; x++)
			patch[x] = from[x + offset];
	else
		for (int32_t x = first; x < end; x++)
			patch[x] = from[x * w->stride_x + offset];
	for (int32_t x = end; x < w->out_width; x++)
		patch[x] = 0;
}

static void
fold_row(const ex_window *w, double *to, int32_t offset, const double *patch)
{
	int32_t		first;
	int32_t		end;

	if (to == NULL)
		return;
	inside(w, offset, &first, &end);
	for (int32_t x = first; x < end; x++)
		to[x * w->stride_x + offset] += patch[x];
}

/* Output rows y0 .. y0 + rows - 1 of all taps of `channels` channels. */
static void
unfold(const ex_window *w, size_t channels, const double *image, int32_t y0, int32_t rows,
	   double *patch, size_t stride)
{
	size_t		pixels = (size_t) rows * (size_t) w->out_width;

	for (size_t c = 0; c < channels; c++, image += (size_t) w->height * (size_t) w->width)
		for (int32_t ky = 0; ky < w->kernel_height; ky++)
			for (int32_t kx = 0; kx < w->kernel_width; kx++, patch += stride)
			{
				for (int32_t i = 0; i < rows; i++)
				{
					int32_t		y = (y0 + i) * w->stride_y + ky * w->dilation_y - w->top;
					bool		in = y >= 0 && y < w->height;

					unfold_row(w, in ? image + (size_t) y * (size_t) w->width : NULL,
							   kx * w->dilation_x - w->left,
							   patch + (size_t) i * (size_t) w->out_width);
				}
				for (size_t x = pixels; x < stride; x++)
					patch[x] = 0;
			}
}

/* Adds patches to the image that they were taken from. */
static void
fold(const ex_window *w, size_t channels, double *image, int32_t y0, int32_t rows,
	 const double *patch, size_t stride)
{
	for (size_t c = 0; c < channels; c++, image += (size_t) w->height * (size_t) w->width)
		for (int32_t ky = 0; ky < w->kernel_height; ky++)
			for (int32_t kx = 0; kx < w->kernel_width; kx++, patch += stride)
				for (int32_t i = 0; i < rows; i++)
				{
					int32_t		y = (y0 + i) * w->stride_y + ky * w->dilation_y - w->top;
					bool		in = y >= 0 && y < w->height;

					fold_row(w, in ? image + (size_t) y * (size_t) w->width : NULL,
							 kx * w->dilation_x - w->left,
							 patch + (size_t) i * (size_t) w->out_width);
				}
}

/* Batches may use a BLAS, single rows may not: their bits are fixed. */
static ex_status
product(const ex_pass *pass, ex_transpose transpose_a, size_t m, size_t n, size_t k,
		const double *a, size_t lda, const double *b, size_t ldb, double beta,
		double *c, size_t ldc)
{
	if (pass->n >= EX_NETWORK_BATCH)
		return ex_gemm(pass->host, transpose_a, EX_NO_TRANSPOSE, m, n, k,
					   a, lda, b, ldb, beta, c, ldc);
	return ex_gemm_plain(pass->host, transpose_a, EX_NO_TRANSPOSE, m, n, k,
						 a, lda, b, ldb, beta, c, ldc);
}

/* One group of one row: its input channels to its output channels. */
static ex_status
forward_group(const ex_pass *pass, const ex_step *step, size_t group, const double *image,
			  double *out)
{
	const ex_window *w = &step->window;
	size_t		groups = (size_t) step->layer.setting[EX_GROUPS];
	size_t		n_out = step->layer.shape.channels / groups;
	size_t		n_pixels = (size_t) w->out_height * (size_t) w->out_width;
	size_t		k = taps(step);
	double	   *patch = pass->work->scratch;

	for (int32_t y = 0; y < w->out_height; y += step->band)
	{
		int32_t		rows = w->out_height - y < step->band ? w->out_height - y : step->band;
		size_t		stride = patch_stride(step, rows);
		size_t		pixels = (size_t) rows * (size_t) w->out_width;

		unfold(w, step->from.channels / groups, image, y, rows, patch, stride);
		EX_TRY(product(pass, EX_NO_TRANSPOSE, n_out, pixels, k,
					   step->weight + group * n_out * k, k, patch, stride, 1,
					   out + (size_t) y * (size_t) w->out_width, n_pixels));
	}
	return EX_OK;
}

static ex_status
backward_group(const ex_pass *pass, const ex_step *step, size_t group, const double *out,
			   double *image)
{
	const ex_window *w = &step->window;
	size_t		groups = (size_t) step->layer.setting[EX_GROUPS];
	size_t		n_out = step->layer.shape.channels / groups;
	size_t		n_pixels = (size_t) w->out_height * (size_t) w->out_width;
	size_t		k = taps(step);
	double	   *patch = pass->work->scratch;

	for (int32_t y = 0; y < w->out_height; y += step->band)
	{
		int32_t		rows = w->out_height - y < step->band ? w->out_height - y : step->band;
		size_t		stride = patch_stride(step, rows);
		size_t		pixels = (size_t) rows * (size_t) w->out_width;

		EX_TRY(product(pass, EX_TRANSPOSE, k, pixels, n_out,
					   step->weight + group * n_out * k, k,
					   out + (size_t) y * (size_t) w->out_width, n_pixels, 0, patch, stride));
		fold(w, step->from.channels / groups, image, y, rows, patch, stride);
	}
	return EX_OK;
}

static void
fill_bias(const ex_step *step, double *out)
{
	size_t		n_pixels = step->size / step->layer.shape.channels;

	for (size_t c = 0; c < step->layer.shape.channels; c++)
		for (size_t i = 0; i < n_pixels; i++)
			*out++ = step->bias[c];
}

static ex_status
forward(const ex_pass *pass, const ex_step *step)
{
	size_t		groups = (size_t) step->layer.setting[EX_GROUPS];

	for (size_t row = 0; row < pass->n; row++)
	{
		const double *image = ex_step_input(pass, step, 0) + row * step->from_size;
		double	   *out = ex_step_output(pass, step) + row * step->size;

		fill_bias(step, out);
		for (size_t g = 0; g < groups; g++)
			EX_TRY(forward_group(pass, step, g, image + g * (step->from_size / groups),
								 out + g * (step->size / groups)));
	}
	return EX_OK;
}

static ex_status
backward(const ex_pass *pass, const ex_step *step)
{
	size_t		groups = (size_t) step->layer.setting[EX_GROUPS];

	for (size_t row = 0; row < pass->n; row++)
	{
		const double *out = ex_step_gradient(pass, step) + row * step->size;
		double	   *image = ex_step_input_gradient(pass, step, 0) + row * step->from_size;

		for (size_t g = 0; g < groups; g++)
			EX_TRY(backward_group(pass, step, g, out + g * (step->size / groups),
								  image + g * (step->from_size / groups)));
	}
	return EX_OK;
}

const ex_step_kind ex_step_conv = {forward, backward};
