/*
 * integrated_chain.c
 *		Integrated gradients of chains of dense layers, unit by unit.
 *
 * Along the path the input of every unit is a line, c + s a, until a unit
 * before it crosses its kink.  The crossings are visited in order.  At one of
 * them, of unit j in level l at a = t, little changes, and only that is
 * computed:
 *
 * Forward: the slope of j's output changes by some d, so the lines of the
 * next level change by d * column j of W there: a rank-one update, continuous
 * at t; of levels beyond, by matrix times vector.
 *
 * Backward: let D_l(t) be the integral from 0 to t of the gradient with respect
 * to the inputs of level l's units.  While unit j has gain g (1, or the slope of
 * a leaky unit)
 *
 *		D_l,j(t) = area_j + g (W_j . D_l+1(t) - mark_j),
 *
 * with W_j the weights that read it, and mark_j the product at its last
 * crossing.  So a level need not be touched while others cross, and the
 * gradient of a piece is never formed.  On top, D is the integral of the
 * link's slopes (link_path.h); at the end the columns' integral is W' D_0(1).
 *
 * A crossing in the first of two hidden levels of n units costs O(n)
 * operations, where a backward pass costs O(n^2).
 */
#include <math.h>
#include <string.h>

#include "integrated_internal.h"
#include "network_internal.h"

#define POLL_COST 1e7			/* multiplications between two polls: a few
								 * milliseconds */

/* A dense layer and, but for the last, the units that read it. */
typedef struct level
{
	const ex_step *step;
	size_t		n;
	double		off;			/* gain of an inactive unit */
	double	   *c;				/* n each: lines of the inputs, */
	double	   *s;
	double	   *gain;
	double	   *time;			/* of the next crossing, INFINITY without */
	double	   *area;			/* D up to the last crossing */
	double	   *mark;			/* W_j . D of the next level there */
	double	   *total;			/* D at the time asked for last */
	double	   *change;			/* of s */
	bool	   *active;
	size_t		first;			/* unit that crosses first */
} level;

typedef struct walk
{
	ex_integral *integral;
	const ex_matrix_kernel *kernel;
	level	   *level;
	uint32_t	n_levels;
	ex_active  *active;
	double		cost;			/* multiplications of one crossing, at most */
	double		now;			/* how far along the path */
	double	   *from;			/* K: raw predictions at two points */
	double	   *to;
	double	   *mean;			/* K */
	bool		is_identity;
} walk;

/*
 * Shape.
 */

static bool
is_unit(ex_layer_kind kind)
{
	return kind == EX_LAYER_RELU || kind == EX_LAYER_LEAKY_RELU;
}

bool
ex_is_chain(const ex_network_state *network)
{
	bool		dense = false;	/* was the last layer of numbers dense? */

	for (uint32_t i = 1; i < network->view.n_layers; i++)
	{
		const ex_layer *layer = &network->step[i].layer;

		if (layer->n_inputs != 1 || layer->input[0] != i - 1)
			return false;
		if (layer->kind == EX_LAYER_RESHAPE)
			continue;
		if (dense ? !is_unit(layer->kind) : layer->kind != EX_LAYER_DENSE)
			return false;
		dense = !dense;
	}
	return dense;
}

static ex_status
alloc_level(ex_host *host, level *l, const ex_step *step)
{
	double	   *chunk;

	l->step = step;
	l->n = step->size;
	EX_TRY(EX_ALLOC(host, 8 * l->n, &chunk));
	EX_TRY(EX_ALLOC(host, l->n, &l->active));
	l->c = chunk;
	l->s = l->c + l->n;
	l->gain = l->s + l->n;
	l->time = l->gain + l->n;
	l->area = l->time + l->n;
	l->mark = l->area + l->n;
	l->total = l->mark + l->n;
	l->change = l->total + l->n;
	return EX_OK;
}

static ex_status
open_walk(walk *w, ex_integral *integral, const ex_network_state *network)
{
	ex_host    *host = integral->host;
	uint32_t	n_outputs = integral->n_outputs;
	size_t		widest = integral->n_columns;

	memset(w, 0, sizeof(*w));
	w->integral = integral;
	w->kernel = network->kernel;
	w->is_identity = integral->call->space == EX_RAW || integral->model->link == EX_LINK_IDENTITY;
	EX_TRY(EX_ALLOC(host, network->view.n_layers, &w->level));
	for (uint32_t i = 1; i < network->view.n_layers; i++)
	{
		const ex_step *step = &network->step[i];

		if (step->layer.kind == EX_LAYER_DENSE)
		{
			EX_TRY(alloc_level(host, &w->level[w->n_levels++], step));
			w->cost += step->cost;
			if (widest < step->size)
				widest = step->size;
		}
		else if (step->layer.kind == EX_LAYER_LEAKY_RELU)
			w->level[w->n_levels - 1].off = step->layer.number;
	}
	EX_TRY(EX_ALLOC(host, widest, &w->active));
	EX_TRY(EX_ALLOC(host, (size_t) 3 * n_outputs, &w->from));
	w->to = w->from + n_outputs;
	w->mean = w->to + n_outputs;
	return EX_OK;
}

static level *
top(const walk *w)
{
	return &w->level[w->n_levels - 1];
}

/*
 * Products.
 */

/* y += x[i] * factor[i] times the matrix; factor NULL: 1 */
static void
combine(const walk *w, const ex_packed *matrix, const double *x, const double *factor, double *y)
{
	size_t		n = 0;

	for (size_t i = 0; i < matrix->rows; i++)
	{
		double		value = factor == NULL ? x[i] : factor[i] * x[i];

		if (value != 0)
			w->active[n++] = (ex_active) {value, i * matrix->stride};
	}
	w->kernel->combine(matrix, w->active, n, y);
}

/* Row i of the matrix times x. */
static double
row_product(const ex_packed *matrix, size_t i, const double *x)
{
	size_t		at = i * matrix->stride;
	double		lane[4] = {0};
	size_t		j = 0;

	for (; j + 4 <= matrix->columns; j += 4)
		for (int l = 0; l < 4; l++)
			lane[l] += (matrix->f64 != NULL ? matrix->f64[at + j + l] : matrix->f32[at + j + l]) * x[j + l];
	for (; j < matrix->columns; j++)
		lane[0] += (matrix->f64 != NULL ? matrix->f64[at + j] : matrix->f32[at + j]) * x[j];
	return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/*
 * Lines.
 */

/* When will the unit cross, if nothing before it does? */
static double
crossing(const level *l, size_t j, double now)
{
	double		toward = l->active[j] ? -l->s[j] : l->s[j];

	return toward > 0 ? fmax(now, -l->c[j] / l->s[j]) : INFINITY;
}

static void
find_first(level *l)
{
	double		earliest = INFINITY;

	l->first = 0;
	for (size_t j = 0; j < l->n; j++)
		if (l->time[j] < earliest)
		{
			earliest = l->time[j];
			l->first = j;
		}
}

static void
schedule(level *l, double now)
{
	for (size_t j = 0; j < l->n; j++)
		l->time[j] = crossing(l, j, now);
	find_first(l);
}

/* Units start out on the side to which they move, if they start at their kink. */
static void
start_units(level *l)
{
	for (size_t j = 0; j < l->n; j++)
	{
		l->active[j] = l->c[j] > 0 || (l->c[j] == 0 && l->s[j] > 0);
		l->gain[j] = l->active[j] ? 1 : l->off;
	}
	schedule(l, 0);
}

/* Lines of all levels at the start of the path. */
static void
start(walk *w)
{
	const double *c = w->integral->z0;
	const double *s = w->integral->direction;
	const double *gain = NULL;

	for (uint32_t i = 0; i < w->n_levels; i++)
	{
		level	   *l = &w->level[i];

		memcpy(l->c, l->step->bias, l->n * sizeof(double));
		combine(w, &l->step->ahead, c, gain, l->c);
		combine(w, &l->step->ahead, s, gain, l->s);
		if (l != top(w))
			start_units(l);
		c = l->c;
		s = l->s;
		gain = l->gain;
	}
}

/* The output of unit j in level i bends by `bend` at now; onto all levels after it. */
static void
propagate(walk *w, uint32_t i, size_t j, double bend)
{
	const level *before = NULL;

	while (++i < w->n_levels)
	{
		level	   *l = &w->level[i];
		const ex_packed *ahead = &l->step->ahead;
		ex_active	one = {bend, j * ahead->stride};

		memset(l->change, 0, l->n * sizeof(double));
		if (before == NULL)
			w->kernel->combine(ahead, &one, 1, l->change);
		else
			combine(w, ahead, before->change, before->gain, l->change);
		for (size_t u = 0; u < l->n; u++)
		{
			l->s[u] += l->change[u];
			l->c[u] -= w->now * l->change[u];
		}
		if (l != top(w))
			schedule(l, w->now);
		before = l;
	}
}

/*
 * Integrals.
 */

static void
raw_at(const level *l, double a, double *raw)
{
	for (size_t m = 0; m < l->n; m++)
		raw[m] = l->c[m] + a * l->s[m];
}

/* Go to `until`: the integral of the link's slopes grows, on top. */
static ex_status
advance(walk *w, double until)
{
	level	   *l = top(w);
	const ex_integral *integral = w->integral;
	double		length = until - w->now;

	if (w->is_identity)
		l->total[integral->call->output] += length;
	else if (length > 0)
	{
		raw_at(l, w->now, w->from);
		raw_at(l, until, w->to);
		EX_TRY(ex_link_path_mean(&integral->link, integral->host, w->from, w->to, w->mean));
		for (size_t m = 0; m < l->n; m++)
			l->total[m] += length * w->mean[m];
	}
	w->now = until;
	return EX_OK;
}

/* total[] of level i, now. */
static void
integrate_level(walk *w, uint32_t i)
{
	for (uint32_t k = w->n_levels - 1; k-- > i;)
	{
		level	   *l = &w->level[k];
		const level *next = l + 1;

		memset(l->total, 0, l->n * sizeof(double));
		combine(w, &next->step->back, next->total, NULL, l->total);
		for (size_t j = 0; j < l->n; j++)
			l->total[j] = l->area[j] + l->gain[j] * (l->total[j] - l->mark[j]);
	}
}

/* Unit j of level i crosses its kink, now. */
static void
cross(walk *w, uint32_t i, size_t j)
{
	level	   *l = &w->level[i];
	double		gain = l->gain[j];
	double		product;

	integrate_level(w, i + 1);
	product = row_product(&l[1].step->ahead, j, l[1].total);
	l->area[j] += gain * (product - l->mark[j]);
	l->mark[j] = product;
	l->active[j] = !l->active[j];
	l->gain[j] = l->active[j] ? 1 : l->off;
	l->time[j] = INFINITY;
	find_first(l);
	propagate(w, i, j, (l->gain[j] - gain) * l->s[j]);
}

/* The level whose unit crosses first; false if none does before the end. */
static bool
next_level(const walk *w, uint32_t *i)
{
	double		earliest = 1;

	for (uint32_t k = 0; k + 1 < w->n_levels; k++)
	{
		const level *l = &w->level[k];

		if (l->time[l->first] < earliest)
		{
			earliest = l->time[l->first];
			*i = k;
		}
	}
	return earliest < 1;
}

static ex_status
check_start(const walk *w, const double *raw)
{
	const level *l = top(w);

	for (size_t m = 0; m < l->n; m++)
		if (!isfinite(raw[m]) || !isfinite(l->s[m]))
			return ex_fail(w->integral->host, EX_RANGE, "prediction is out of range");
	return EX_OK;
}

/* Asks the host whether to stop, once in a while. */
static ex_status
spend(const walk *w, double *spent)
{
	*spent += w->cost;
	if (*spent < POLL_COST)
		return EX_OK;
	*spent = 0;
	return ex_poll(w->integral->host);
}

ex_status
ex_integrate_chain(ex_integral *integral, const ex_network_state *network, double *raw)
{
	walk		w;
	double		spent = 0;
	size_t		n_kinks = 0;
	uint32_t	i;

	EX_TRY(open_walk(&w, integral, network));
	start(&w);
	raw_at(top(&w), 0, raw);
	EX_TRY(check_start(&w, raw));
	while (next_level(&w, &i))
	{
		size_t		j = w.level[i].first;

		EX_TRY(spend(&w, &spent));
		EX_TRY(ex_count_kinks(integral->host, n_kinks++));
		EX_TRY(advance(&w, w.level[i].time[j]));
		cross(&w, i, j);
	}
	EX_TRY(advance(&w, 1));
	integrate_level(&w, 0);
	combine(&w, &w.level[0].step->back, w.level[0].total, NULL, integral->sum);
	return EX_OK;
}
