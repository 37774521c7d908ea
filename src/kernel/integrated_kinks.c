/*
 * integrated_kinks.c
 *		Where a straight path through a network has its kinks.
 *
 * As long as everything before a unit is linear between two points of the
 * path, so is the unit's input, and its crossing is in closed form: of 0 for
 * relu and its like, of one member of the window with another for a maximum.
 * So an interval is cut at all crossings of the first layer that has any, and
 * the parts are looked at again, until no interval has one:
 *
 *	- two ends of the same sign have no crossing in between, as the input is
 *	  linear;
 *	- where the same member is the largest at both ends it is so in between,
 *	  as the differences to the others are linear;
 *	- if the members at both ends differ, they are equal somewhere, and cutting
 *	  there brings out a third member that is larger.
 *
 * After the cuts the layer is linear on every part and is not looked at again
 * (a maximum as often as its window has members).  So a unit that should be 0
 * all along, and has a random sign from rounding, costs some pieces but does
 * not keep the search going.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "integrated_internal.h"
#include "network_internal.h"

/*
 * Crossings closer to a point of the path than this are that point: rounding
 * of values puts a unit that is 0 there on either side.
 */
#define RESOLUTION 1e-15

/* A point of the path, and what is known of the interval that starts there. */
typedef struct knot
{
	double		at;
	uint32_t	layer;			/* linear up to here, ... */
	uint32_t	tries;			/* ... after so many cuts because of this
								 * layer */
} knot;

typedef struct finder
{
	ex_integral *integral;
	const ex_network_state *network;
	uint32_t	n_layers;		/* 0: a linear model */
	const bool *linear;
	ex_buffer	now;			/* knots in order ... */
	ex_buffer	next;			/* ... and those of the next pass */
	ex_buffer	crossing;		/* of the interval at hand */
	bool		again;			/* some interval of the next pass is not
								 * linear yet */
} finder;

/*
 * Kinds of layers.
 */

static bool
is_linear_kind(ex_layer_kind kind)
{
	switch (kind)
	{
		case EX_LAYER_IS_INPUT:
		case EX_LAYER_DENSE:
		case EX_LAYER_CONV2D:
		case EX_LAYER_AVERAGE_POOL:
		case EX_LAYER_GLOBAL_AVERAGE_POOL:
		case EX_LAYER_BATCH_NORM:
		case EX_LAYER_AFFINE:
		case EX_LAYER_RESHAPE:
		case EX_LAYER_PERMUTE:
		case EX_LAYER_CONCAT:
		case EX_LAYER_ADD:
			return true;
		default:
			return false;
	}
}

static bool
is_maximum(ex_layer_kind kind)
{
	return kind == EX_LAYER_MAX_POOL || kind == EX_LAYER_GLOBAL_MAX_POOL;
}

/* Do units of this kind have a kink at 0? */
static bool
bends_at_zero(ex_layer_kind kind)
{
	return kind == EX_LAYER_RELU || kind == EX_LAYER_LEAKY_RELU || kind == EX_LAYER_ELU;
}

bool
ex_piecewise_linear(const ex_network_state *network, bool *linear)
{
	uint32_t	n = network->view.n_layers;

	for (uint32_t i = 0; i < n; i++)
	{
		const ex_layer *layer = &network->step[i].layer;

		linear[i] = is_linear_kind(layer->kind) || is_maximum(layer->kind) ||
			layer->kind == EX_LAYER_RELU || layer->kind == EX_LAYER_LEAKY_RELU;
		for (uint32_t j = 0; j < layer->n_inputs; j++)
			linear[i] &= linear[layer->input[j]];
	}
	return linear[n - 1];
}

/*
 * Crossings between two neighbouring rows of the workspace.
 */

/* A difference that is `from` at one end and `to` at the other passes 0 here. */
static ex_status
add_crossing(finder *f, const knot *left, double from, double to)
{
	double		share = from / (from - to);
	double		at = left[0].at + share * (left[1].at - left[0].at);

	if (!(at > left[0].at + RESOLUTION && at < left[1].at - RESOLUTION))
		return EX_OK;
	return ex_append(f->integral->host, &f->crossing, &at, sizeof(at));
}

static ex_status
find_zeros(finder *f, const ex_step *step, const knot *left, size_t row)
{
	const double *from = ex_value(f->integral->run.work, step->layer.input[0]) + row * step->size;
	const double *to = from + step->size;

	for (size_t i = 0; i < step->size; i++)
		if ((from[i] > 0) != (to[i] > 0))
			EX_TRY(add_crossing(f, left, from[i], to[i]));
	return EX_OK;
}

static ex_status
find_overtakings(finder *f, const ex_step *step, const knot *left, size_t row)
{
	const ex_network_work *work = f->integral->run.work;
	const uint32_t *winner = work->winner + step->winner_at * work->capacity + row * step->size;
	const uint32_t *next = winner + step->size;
	const double *from = ex_value(work, step->layer.input[0]) + row * step->from_size;
	size_t		image = (size_t) step->from.height * step->from.width;
	size_t		windows = step->size / step->from.channels;

	for (size_t i = 0; i < step->size; i++)
	{
		const double *at_left = from + i / windows * image;
		const double *at_right = at_left + step->from_size;

		if (winner[i] != next[i])
			EX_TRY(add_crossing(f, left, at_left[winner[i]] - at_left[next[i]],
								at_right[winner[i]] - at_right[next[i]]));
	}
	return EX_OK;
}

/* Crossings of the first layer from *i on that has any: that layer; or the number of layers. */
static ex_status
find_crossings(finder *f, const knot *left, size_t row, uint32_t *i)
{
	f->crossing.size = 0;
	for (; *i < f->network->view.n_layers; (*i)++)
	{
		const ex_step *step = &f->network->step[*i];

		if (!f->linear[step->layer.input[0]])
			continue;
		if (bends_at_zero(step->layer.kind))
			EX_TRY(find_zeros(f, step, left, row));
		else if (is_maximum(step->layer.kind))
			EX_TRY(find_overtakings(f, step, left, row));
		if (f->crossing.size > 0)
			break;
	}
	return EX_OK;
}

/*
 * Passes over the path.
 */

ex_status
ex_count_kinks(ex_host *host, size_t n)
{
	if (n < EX_IG_MAX_POINTS)
		return EX_OK;
	ex_fail(host, EX_LIMIT, "path to the row has too many kinks");
	ex_detail(host, "The limit is %d.", EX_IG_MAX_POINTS);
	ex_hint(host, "Use explain.expected_gradients, or a baseline nearer to the row.");
	return EX_LIMIT;
}

static ex_status
add_knot(finder *f, double at, uint32_t layer, uint32_t tries)
{
	knot		one = {at, layer, tries};

	EX_TRY(ex_count_kinks(f->integral->host, f->next.size / sizeof(knot)));
	f->again |= layer < f->n_layers;
	return ex_append(f->integral->host, &f->next, &one, sizeof(one));
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

/* Where the parts of an interval that was cut because of this layer are looked at next. */
static void
look_further(const finder *f, uint32_t *layer, uint32_t *tries)
{
	const ex_step *step = &f->network->step[*layer];
	uint64_t	members = (uint64_t) step->window.kernel_height * (uint64_t) step->window.kernel_width;

	if (is_maximum(step->layer.kind) && *tries + UINT64_C(1) < members)
		(*tries)++;
	else
	{
		(*layer)++;
		*tries = 0;
	}
}

/* An interval and its crossings into the next pass. */
static ex_status
divide(finder *f, const knot *left, size_t row)
{
	uint32_t	layer = left->layer;
	uint32_t	tries = left->tries;
	double		last = left->at;
	const double *at;
	size_t		n;

	if (layer == f->n_layers)
		return add_knot(f, left->at, layer, 0);
	EX_TRY(find_crossings(f, left, row, &layer));
	if (layer > left->layer)
		tries = 0;
	if (layer < f->n_layers)
		look_further(f, &layer, &tries);
	at = (const double *) f->crossing.data;
	n = f->crossing.size / sizeof(double);
	if (n > 0)
		qsort(f->crossing.data, n, sizeof(double), compare_doubles);
	EX_TRY(add_knot(f, left->at, layer, tries));
	for (size_t i = 0; i < n; i++)
	{
		if (at[i] <= last + RESOLUTION)
			continue;
		EX_TRY(add_knot(f, at[i], layer, tries));
		last = at[i];
	}
	return EX_OK;
}

/* A batch of n neighbouring knots, the last of which starts the next batch. */
static ex_status
divide_batch(finder *f, const knot *first, size_t n)
{
	ex_integral *integral = f->integral;
	const double *raw;
	bool		any = false;

	for (size_t i = 0; i + 1 < n; i++)
		any |= first[i].layer < f->n_layers;
	for (size_t i = 0; any && i < n; i++)
		ex_integral_point(integral, first[i].at, integral->point + i * integral->n_columns);
	if (any)
		EX_TRY(ex_column_run_forward(&integral->run, integral->point, (uint32_t) n, &raw));
	for (size_t i = 0; i + 1 < n; i++)
		EX_TRY(divide(f, &first[i], i));
	return ex_poll(integral->host);
}

static ex_status
pass(finder *f)
{
	const knot *now = (const knot *) f->now.data;
	size_t		n = f->now.size / sizeof(knot);
	size_t		batch = f->integral->run.capacity;
	ex_buffer	swap = f->now;

	f->next.size = 0;
	f->again = false;
	for (size_t i = 0; i + 1 < n; i += batch - 1)
		EX_TRY(divide_batch(f, now + i, n - i < batch ? n - i : batch));
	EX_TRY(add_knot(f, 1, f->n_layers, 0));
	f->now = f->next;
	f->next = swap;
	return EX_OK;
}

ex_status
ex_find_knots(ex_integral *integral, const bool *linear, double **at, size_t *n)
{
	const ex_network_state *network = integral->run.network;
	finder		f = {.integral = integral, .network = network, .linear = linear};
	const knot *found;

	f.n_layers = network == NULL ? 0 : network->view.n_layers;
	EX_TRY(add_knot(&f, 0, network == NULL ? 0 : 1, 0));
	EX_TRY(add_knot(&f, 1, f.n_layers, 0));
	f.now = f.next;
	f.next = (ex_buffer) {0};
	while (f.again)
		EX_TRY(pass(&f));
	*n = f.now.size / sizeof(knot) - 1;
	found = (const knot *) f.now.data;
	EX_TRY(EX_ALLOC(integral->host, *n + 1, at));
	for (size_t i = 0; i <= *n; i++)
		(*at)[i] = found[i].at;
	return EX_OK;
}
