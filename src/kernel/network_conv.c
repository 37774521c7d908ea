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

/* Multiplications from which a BLAS is worth its call. */
#define LARGE_PRODUCT ((size_t) 1 << 16)

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

/* One tap of the kernel: where it lies in the image, for all output pixels. */
typedef struct tap
{
	int32_t		y, x;			/* for output pixel (0, 0) */
	int32_t		first, end;		/* output columns for which it lies in the image */
} tap;

static tap
tap_at(const ex_window *w, int32_t ky, int32_t kx)
{
	tap			t = {.y = ky * w->dilation_y - w->top,.x = kx * w->dilation_x - w->left};
	int32_t		last = w->width - 1 - t.x;

	t.first = t.x >= 0 ? 0 : (-t.x + w->stride_x - 1) / w->stride_x;
	t.end = last < 0 ? 0 : last / w->stride_x + 1;
	if (t.end > w->out_width)
		t.end = w->out_width;
	if (t.first > t.end)
		t.first = t.end;
	return t;
}

/* The row of the image that a tap reads for a row of output pixels; NULL: padding. */
static double *
image_row(const ex_window *w, const tap *t, double *image, int32_t out_y)
{
	int32_t		y = out_y * w->stride_y + t->y;

	return y >= 0 && y < w->height ? image + (size_t) y * (size_t) w->width : NULL;
}

static void
unfold_row(const ex_window *w, const tap *t, const double *from, double *patch)
{
	int32_t		first = from != NULL ? t->first : w->out_width;
	int32_t		end = from != NULL ? t->end : w->out_width;

	for (int32_t x = 0; x < first; x++)
		patch[x] = 0;
	if (w->stride_x == 1 && end > first)
		memcpy(patch + first, from + first + t->x, (size_t) (end - first) * sizeof(double));
	else
		for (int32_t x = first; x < end; x++)
			patch[x] = from[x * w->stride_x + t->x];
	for (int32_t x = end; x < w->out_width; x++)
		patch[x] = 0;
}

static void
fold_row(const ex_window *w, const tap *t, double *to, const double *patch)
{
	if (to == NULL)
		return;
	if (w->stride_x == 1)
		for (int32_t x = t->first; x < t->end; x++)
			to[x + t->x] += patch[x];
	else
		for (int32_t x = t->first; x < t->end; x++)
			to[x * w->stride_x + t->x] += patch[x];
}

/*
 * With stride 1 and an output as wide as the image, a tap's patches are one
 * run of the image, but for the columns where it lies in the padding.
 */
static void
clear_padding(const ex_window *w, const tap *t, int32_t rows, double *patch)
{
	for (int32_t i = 0; i < rows; i++, patch += w->out_width)
	{
		for (int32_t x = 0; x < t->first; x++)
			patch[x] = 0;
		for (int32_t x = t->end; x < w->out_width; x++)
			patch[x] = 0;
	}
}

static void
unfold_run(const ex_window *w, const tap *t, double *image, int32_t y0, int32_t rows,
		   double *patch, bool back)
{
	int64_t		n = (int64_t) rows * w->width;
	int64_t		shift = (int64_t) (y0 + t->y) * w->width + t->x;
	int64_t		first = shift < 0 ? -shift : 0;
	int64_t		end = (int64_t) w->height * w->width - shift;

	end = end < 0 ? 0 : end < n ? end : n;
	first = first < end ? first : end;
	if (back)
	{
		clear_padding(w, t, rows, patch);
		for (int64_t i = first; i < end; i++)
			image[shift + i] += patch[i];
		return;
	}
	memset(patch, 0, (size_t) first * sizeof(double));
	memcpy(patch + first, image + shift + first, (size_t) (end - first) * sizeof(double));
	memset(patch + end, 0, (size_t) (n - end) * sizeof(double));
	clear_padding(w, t, rows, patch);
}

static void
unfold_rows(const ex_window *w, const tap *t, double *image, int32_t y0, int32_t rows,
			double *patch, bool back)
{
	for (int32_t i = 0; i < rows; i++, patch += w->out_width)
	{
		double	   *row = image_row(w, t, image, y0 + i);

		if (back)
			fold_row(w, t, row, patch);
		else
			unfold_row(w, t, row, patch);
	}
}

/*
 * Patches of output rows y0 .. y0 + rows - 1 in all channels of a group: copied
 * from the image, or added to it (the adjoint).
 */
static void
unfold(const ex_window *w, size_t channels, double *image, int32_t y0, int32_t rows,
	   double *patch, size_t stride, bool back)
{
	size_t		pixels = (size_t) rows * (size_t) w->out_width;
	bool		runs = w->stride_x == 1 && w->stride_y == 1 && w->out_width == w->width;

	for (size_t c = 0; c < channels; c++, image += (size_t) w->height * (size_t) w->width)
		for (int32_t ky = 0; ky < w->kernel_height; ky++)
			for (int32_t kx = 0; kx < w->kernel_width; kx++, patch += stride)
			{
				tap			t = tap_at(w, ky, kx);

				if (runs)
					unfold_run(w, &t, image, y0, rows, patch, back);
				else
					unfold_rows(w, &t, image, y0, rows, patch, back);
				for (size_t x = pixels; x < stride && !back; x++)
					patch[x] = 0;
			}
}

/* Batches may use a BLAS, single rows may not: their bits are fixed. */
static ex_status
product(const ex_pass *pass, ex_transpose transpose_a, size_t m, size_t n, size_t k,
		const double *a, size_t lda, const double *b, size_t ldb, double beta,
		double *c, size_t ldc)
{
	if (pass->n >= EX_NETWORK_BATCH && m * n * k >= LARGE_PRODUCT)
		return ex_gemm(pass->host, transpose_a, EX_NO_TRANSPOSE, m, n, k,
					   a, lda, b, ldb, beta, c, ldc);
	return ex_gemm_plain(pass->host, transpose_a, EX_NO_TRANSPOSE, m, n, k,
						 a, lda, b, ldb, beta, c, ldc);
}

/* One group of one row: its input channels to its output channels. */
static ex_status
forward_group(const ex_pass *pass, const ex_step *step, size_t group, double *image,
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

		EX_TRY(ex_poll(pass->host));	/* one band's product may be too short for its own */
		unfold(w, step->from.channels / groups, image, y, rows, patch, stride, false);
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

		EX_TRY(ex_poll(pass->host));
		EX_TRY(product(pass, EX_TRANSPOSE, k, pixels, n_out,
					   step->weight + group * n_out * k, k,
					   out + (size_t) y * (size_t) w->out_width, n_pixels, 0, patch, stride));
		unfold(w, step->from.channels / groups, image, y, rows, patch, stride, true);
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
		double	   *image = ex_value(pass->work, step->layer.input[0]) + row * step->from_size;
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
