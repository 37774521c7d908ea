/*
 * expected_gradients.c
 *		Expected gradients of linear models and networks.
 */
#include <math.h>
#include <string.h>

#include "baseline.h"
#include "column_run.h"
#include "expected_gradients.h"
#include "random.h"
#include "student.h"
#include "sum.h"

#define BATCH 256				/* samples evaluated at a time; even */

typedef struct sampler
{
	ex_host    *host;
	const ex_expected_call *call;
	const ex_model *model;
	ex_column_run run;
	ex_random	random;
	uint64_t	samples;		/* even */
	uint32_t	batch;			/* even */
	double	   *cumulative;		/* weights of the background rows, summed up */
	double	   *z;				/* C: the row explained */
	double	   *direction;		/* batch * C */
	double	   *point;			/* batch * C */
	double	   *gradient;		/* batch * C */
	double	   *seed;			/* batch * K */
	double	   *term;			/* batch * p */
	ex_sum	   *sum;			/* p: of terms, ... */
	ex_sum	   *square;			/* ... of squares of differences, ... */
	ex_sum	   *fourth;			/* ... of their fourth powers */
} sampler;

static ex_status
check(ex_host *host, const ex_expected_call *call)
{
	if (call->samples < 2)
	{
		ex_fail(host, EX_INVALID, "samples must be at least 2, not %lld", (long long) call->samples);
		ex_hint(host, "Leave it out for the default of %d.", EX_EXPECTED_SAMPLES);
		return EX_INVALID;
	}
	if (call->samples > EX_EXPECTED_MAX_SAMPLES)
	{
		ex_fail(host, EX_LIMIT, "too many samples: %lld", (long long) call->samples);
		ex_detail(host, "The limit is %d.", EX_EXPECTED_MAX_SAMPLES);
		return EX_LIMIT;
	}
	if (call->background.n == 0)
	{
		ex_fail(host, EX_INVALID, "expected gradients need a background");
		ex_hint(host, "Attach one with explain.with_background(model, ...) or give a reference row.");
		return EX_INVALID;
	}
	return EX_OK;
}

static ex_status
check_link(ex_host *host, const ex_model *model, ex_space space)
{
	if (space == EX_RAW || (model->link != EX_LINK_STEP && model->link != EX_LINK_SORTED))
		return EX_OK;
	ex_fail(host, EX_UNSUPPORTED, "link \"%s\" has no derivative", ex_link_names[model->link]);
	ex_hint(host, "Explain the model in raw space, with space => 'raw'.");
	return EX_UNSUPPORTED;
}

static double
weight_of(const ex_background *background, uint32_t i)
{
	return background->weight != NULL ? background->weight[i] : 1;
}

static ex_status
sum_weights(sampler *s)
{
	const ex_background *background = &s->call->background;
	ex_sum		total = {0, 0};

	EX_TRY(EX_ALLOC(s->host, background->n, &s->cumulative));
	for (uint32_t i = 0; i < background->n; i++)
	{
		ex_sum_add(&total, weight_of(background, i));
		s->cumulative[i] = ex_sum_total(&total);
	}
	return EX_OK;
}

static ex_status
open_sampler(sampler *s, ex_compiled *compiled, ex_host *host, const ex_expected_call *call)
{
	size_t		p = compiled->model->n_features;
	size_t		n;
	size_t		batch;
	double	   *chunk;

	memset(s, 0, sizeof(*s));
	s->host = host;
	s->call = call;
	s->model = compiled->model;
	s->samples = (uint64_t) call->samples + (uint64_t) call->samples % 2;
	EX_TRY(ex_column_run_open(&s->run, compiled, host, s->samples < BATCH ? (uint32_t) s->samples : BATCH,
							  "expected gradients"));
	s->batch = s->run.capacity - s->run.capacity % 2;
	n = s->run.n_columns;
	batch = s->batch;
	EX_TRY(EX_ALLOC(host, n + batch * (3 * n + s->run.n_outputs + p), &chunk));
	s->z = chunk;
	s->direction = s->z + n;
	s->point = s->direction + batch * n;
	s->gradient = s->point + batch * n;
	s->seed = s->gradient + batch * n;
	s->term = s->seed + batch * s->run.n_outputs;
	EX_TRY(EX_ALLOC(host, 3 * p, &s->sum));
	s->square = s->sum + p;
	s->fourth = s->square + p;
	EX_TRY(sum_weights(s));
	ex_random_init(&s->random, call->seed, s->model->digest, "expected gradients");
	return ex_column_run_encode(&s->run, call->x, s->z);
}

/* A background row, each as often as its weight says. */
static const double *
draw_row(sampler *s)
{
	const ex_background *background = &s->call->background;
	uint32_t	low = 0;
	uint32_t	high = background->n - 1;
	double		u = ex_random_uniform(&s->random) * s->cumulative[high];

	/* the first whose cumulated weight is above u */
	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (s->cumulative[middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	return background->row + (size_t) low * s->model->n_features;
}

/* Sample number k: its direction and its point between row and background row. */
static ex_status
draw_point(sampler *s, uint64_t k, double *direction, double *point)
{
	double		stratum = (double) (k / 2);
	double		a = (stratum + ex_random_uniform(&s->random)) / ((double) s->samples / 2);

	EX_TRY(ex_column_run_encode(&s->run, draw_row(s), point));
	for (uint32_t c = 0; c < s->run.n_columns; c++)
	{
		direction[c] = s->z[c] - point[c];
		point[c] += a * direction[c];
		if (!isfinite(point[c]))
			return ex_fail(s->host, EX_RANGE, "attribution is out of range");
	}
	return EX_OK;
}

static ex_status
draw_seed(sampler *s, const double *raw, double *seed)
{
	if (s->call->space == EX_RESPONSE)
		return ex_response_derivative(s->host, s->model, raw, s->call->output, seed);
	memset(seed, 0, s->run.n_outputs * sizeof(double));
	seed[s->call->output] = 1;
	return EX_OK;
}

/* term[n * p] of samples first .. first + n - 1 */
static ex_status
draw_terms(sampler *s, uint64_t first, uint32_t n)
{
	size_t		n_columns = s->run.n_columns;
	size_t		n_outputs = s->run.n_outputs;
	const double *raw;

	for (uint32_t i = 0; i < n; i++)
		EX_TRY(draw_point(s, first + i, s->direction + i * n_columns, s->point + i * n_columns));
	EX_TRY(ex_column_run_forward(&s->run, s->point, n, &raw));
	for (uint32_t i = 0; i < n; i++)
		EX_TRY(draw_seed(s, raw + i * n_outputs, s->seed + i * n_outputs));
	EX_TRY(ex_column_run_backward(&s->run, s->seed, s->gradient));
	for (size_t i = 0; i < n * n_columns; i++)
		s->gradient[i] *= s->direction[i];
	ex_sum_columns(s->model, s->gradient, n, s->term);
	return EX_OK;
}

/* Two terms of one stratum. */
static void
add_pair(sampler *s, const double *one, const double *other)
{
	for (uint32_t f = 0; f < s->model->n_features; f++)
	{
		double		d = one[f] - other[f];

		ex_sum_add(&s->sum[f], one[f]);
		ex_sum_add(&s->sum[f], other[f]);
		ex_sum_add(&s->square[f], d * d);
		ex_sum_add(&s->fourth[f], d * d * d * d);
	}
}

/* How many degrees of freedom the estimate of the variance has, at most one for each stratum. */
static double
degrees_of_freedom(const sampler *s, uint32_t f)
{
	double		square = ex_sum_total(&s->square[f]);
	double		fourth = ex_sum_total(&s->fourth[f]);
	double		strata = (double) s->samples / 2;

	if (!(fourth > 0))
		return strata;
	return fmin(strata, fmax(1, 3 * (square / fourth) * square - 2));
}

static ex_status
finish(const sampler *s, const ex_expected_result *result)
{
	for (uint32_t f = 0; f < s->model->n_features; f++)
	{
		double		value = ex_sum_total(&s->sum[f]) / (double) s->samples + 0.0;
		double		std_error = sqrt(fmax(0, ex_sum_total(&s->square[f]))) / (double) s->samples;
		double		half = std_error > 0 ? ex_student_975(degrees_of_freedom(s, f)) * std_error : 0;

		if (!isfinite(value) || !isfinite(half))
			return ex_fail(s->host, EX_RANGE, "attribution is out of range");
		result->value[f] = value;
		if (result->std_error != NULL)
			result->std_error[f] = std_error;
		if (result->ci_low != NULL)
			result->ci_low[f] = value - half;
		if (result->ci_high != NULL)
			result->ci_high[f] = value + half;
	}
	return EX_OK;
}

ex_status
ex_expected_gradients(ex_compiled *compiled, ex_host *host, const ex_expected_call *call,
					  const ex_expected_result *result)
{
	size_t		p = compiled->model->n_features;
	sampler		s;

	EX_TRY(ex_column_run_check(compiled, host, "expected gradients"));
	EX_TRY(check(host, call));
	EX_TRY(check_link(host, compiled->model, call->space));
	EX_TRY(open_sampler(&s, compiled, host, call));
	for (uint64_t i = 0; i < s.samples; i += s.batch)
	{
		uint32_t	n = s.samples - i < s.batch ? (uint32_t) (s.samples - i) : s.batch;

		EX_TRY(ex_poll(host));
		EX_TRY(draw_terms(&s, i, n));
		for (uint32_t k = 0; k < n; k += 2)
			add_pair(&s, s.term + k * p, s.term + (k + 1) * p);
	}
	return finish(&s, result);
}

/*
 * Base value.
 */

#define TILE 64					/* background rows predicted at a time */

ex_status
ex_expected_base(ex_compiled *compiled, ex_host *host, const ex_expected_call *call, double *base)
{
	const ex_background *background = &call->background;
	const ex_model *model = compiled->model;
	ex_sum		sum = {0, 0};
	ex_sum		total = {0, 0};
	double	   *raw;

	if (call->space == EX_RESPONSE)
		return ex_mean_response(compiled, host, (ex_outputs) {call->output, 1}, background, base);
	EX_TRY(EX_ALLOC(host, (size_t) TILE * model->n_outputs, &raw));
	for (uint32_t i = 0; i < background->n; i += TILE)
	{
		uint32_t	n = background->n - i < TILE ? background->n - i : TILE;

		EX_TRY(ex_poll(host));
		EX_TRY(compiled->family->predict_raw(compiled, host, background->row + (size_t) i * model->n_features,
											 n, raw));
		for (uint32_t j = 0; j < n; j++)
		{
			ex_sum_add(&sum, weight_of(background, i + j) * raw[(size_t) j * model->n_outputs + call->output]);
			ex_sum_add(&total, weight_of(background, i + j));
		}
	}
	*base = ex_sum_total(&sum) / ex_sum_total(&total);
	if (!isfinite(*base))
		return ex_fail(host, EX_RANGE, "base value is out of range");
	return EX_OK;
}
