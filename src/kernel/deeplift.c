/*
 * deeplift.c
 *		DeepLIFT: the difference to a reference shared out by the rescale rule.
 */
#include <math.h>
#include <string.h>

#include "baseline.h"
#include "deeplift.h"
#include "linear.h"
#include "link_path.h"
#include "sum.h"

#define TILE 256				/* references at a time */
#define TILE_NUMBERS (1 << 21)	/* and no more than 16 MB of contributions */

/* One call's arrays. */
typedef struct deeplift_run
{
	ex_compiled *compiled;
	ex_host    *host;
	const ex_deeplift_call *call;
	const double *x;			/* the row at hand */
	uint32_t	n_columns;
	uint32_t	tile;
	double	   *raw;			/* K, of x */
	double	   *z0;				/* tile * C */
	double	   *raw0;			/* tile * K */
	double	   *response0;		/* K, of one reference */
	ex_link_path link;			/* the last unit */
	double	   *slope;			/* K */
	double	   *contribution;	/* tile * count * p */
	ex_sum	   *value;			/* count * p */
	ex_sum	   *base;			/* count */
	ex_sum		weight;
	void	   *scratch;		/* the family's own */
} deeplift_run;

static bool
is_elementwise(ex_link link)
{
	return link != EX_LINK_SOFTMAX && link != EX_LINK_OVR && link != EX_LINK_SORTED &&
		link != EX_LINK_CUMULATIVE_SOFTPLUS;
}

ex_status
ex_deeplift_check(ex_compiled *compiled, ex_host *host, ex_space space)
{
	const ex_family *family = compiled->family;
	ex_link		link = (ex_link) compiled->model->link;

	if (family->rescale_raw == NULL)
	{
		ex_fail(host, EX_UNSUPPORTED, "models of family \"%s\" have no rescale rule", family->name);
		ex_detail(host, "DeepLIFT passes differences back through the units of a network.");
		ex_hint(host, "Use explain.shap_values.");
		return EX_UNSUPPORTED;
	}
	if (space == EX_RESPONSE && !is_elementwise(link))
	{
		ex_fail(host, EX_UNSUPPORTED, "the rescale rule cannot explain the response of a model with link \"%s\"",
				ex_link_names[link]);
		ex_detail(host, "Each response depends on all outputs.");
		ex_hint(host, "Use space => 'raw'; explain.shap_values with versus => ... explains the difference of two outputs.");
		return EX_UNSUPPORTED;
	}
	return EX_OK;
}

static bool
wants_response(const deeplift_run *run)
{
	return run->call->space == EX_RESPONSE && run->compiled->model->link != EX_LINK_IDENTITY;
}

static uint32_t
tile_rows(const deeplift_run *run)
{
	const ex_model *model = run->compiled->model;
	uint32_t	n = run->call->reference != NULL ? 1 : run->call->background.n;
	size_t		fit = TILE_NUMBERS / ((size_t) run->call->outputs.count * model->n_features +
									  run->n_columns + model->n_outputs);
	uint32_t	most = fit < 1 ? 1 : fit > TILE ? TILE : (uint32_t) fit;

	return n < most ? n : most;
}

static ex_status
open_run(deeplift_run *run)
{
	const ex_model *model = run->compiled->model;
	size_t		count = run->call->outputs.count;
	ex_host    *host = run->host;

	ex_get(model, EX_COLUMN_FEATURE, &run->n_columns);
	run->tile = tile_rows(run);
	EX_TRY(EX_ALLOC(host, model->n_outputs, &run->raw));
	EX_TRY(EX_ALLOC(host, model->n_outputs, &run->response0));
	EX_TRY(EX_ALLOC(host, model->n_outputs, &run->slope));
	EX_TRY(ex_link_path_open(&run->link, host, model, run->call->space, run->call->outputs.first));
	EX_TRY(EX_ALLOC(host, (size_t) run->tile * run->n_columns, &run->z0));
	EX_TRY(EX_ALLOC(host, (size_t) run->tile * model->n_outputs, &run->raw0));
	EX_TRY(EX_ALLOC(host, run->tile * count * model->n_features, &run->contribution));
	EX_TRY(EX_ALLOC(host, count * model->n_features, &run->value));
	EX_TRY(EX_ALLOC(host, count, &run->base));
	return EX_OK;
}

/* References first .. first + n - 1 as columns. */
static ex_status
load_references(deeplift_run *run, uint32_t first, uint32_t n)
{
	const ex_model *model = run->compiled->model;

	if (run->call->reference != NULL)
	{
		memcpy(run->z0, run->call->reference, run->n_columns * sizeof(double));
		return EX_OK;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		ex_baseline baseline = {
			.kind = EX_BASELINE_ROW,
			.row = run->call->background.row + (size_t) (first + i) * model->n_features
		};

		EX_TRY(ex_baseline_columns(run->host, model, &baseline, run->z0 + (size_t) i * run->n_columns));
	}
	return EX_OK;
}

/* What the link, as one more unit, makes of a contribution to raw output k. */
static ex_status
link_multiplier(deeplift_run *run, const double *raw0, uint32_t k, double *multiplier)
{
	*multiplier = 1;
	if (!wants_response(run))
		return EX_OK;
	run->link.output = k;
	EX_TRY(ex_link_path_mean(&run->link, run->host, raw0, run->raw, run->slope));
	*multiplier = run->slope[k];
	return EX_OK;
}

/* Add what one reference gives to the sums. */
static ex_status
add_reference(deeplift_run *run, double weight, const double *raw0, const double *contribution)
{
	ex_outputs	outputs = run->call->outputs;
	uint32_t	p = run->compiled->model->n_features;

	ex_response(run->compiled->model, raw0, run->response0);
	ex_sum_add(&run->weight, weight);
	for (uint32_t i = 0; i < outputs.count; i++, contribution += p)
	{
		uint32_t	k = outputs.first + i;
		ex_sum	   *value = run->value + (size_t) i * p;
		double		multiplier;

		EX_TRY(link_multiplier(run, raw0, k, &multiplier));
		ex_sum_add(&run->base[i], weight * (wants_response(run) ? run->response0[k] : raw0[k]));
		for (uint32_t f = 0; f < p; f++)
			ex_sum_add(&value[f], weight * (multiplier * contribution[f]));
	}
	return EX_OK;
}

static ex_status
add_tile(deeplift_run *run, uint32_t first, uint32_t n)
{
	const ex_model *model = run->compiled->model;
	const double *weight = run->call->reference != NULL ? NULL : run->call->background.weight;
	size_t		width = (size_t) run->call->outputs.count * model->n_features;

	EX_TRY(ex_poll(run->host));
	EX_TRY(load_references(run, first, n));
	EX_TRY(run->compiled->family->rescale_raw(run->compiled, run->host, run->x, run->z0, n,
											  run->call->outputs, &run->scratch, run->raw0,
											  run->contribution));
	for (uint32_t i = 0; i < n; i++)
		EX_TRY(add_reference(run, weight != NULL ? weight[first + i] : 1,
							 run->raw0 + (size_t) i * model->n_outputs, run->contribution + i * width));
	return EX_OK;
}

/* From sums to means. */
static ex_status
finish(const deeplift_run *run, double *value, double *base)
{
	size_t		count = run->call->outputs.count;
	size_t		n = count * run->compiled->model->n_features;
	double		weight = ex_sum_total(&run->weight);

	for (size_t i = 0; i < n; i++)
	{
		value[i] = ex_sum_total(&run->value[i]) / weight + 0.0; /* no -0 */
		if (!isfinite(value[i]))
			return ex_fail(run->host, EX_RANGE, "attribution is out of range");
	}
	for (size_t k = 0; k < count; k++)
	{
		base[k] = ex_sum_total(&run->base[k]) / weight;
		if (!isfinite(base[k]))
			return ex_fail(run->host, EX_RANGE, "base value is out of range");
	}
	return EX_OK;
}

static ex_status
explain_row(deeplift_run *run, const double *x, double *value, double *base)
{
	const ex_model *model = run->compiled->model;
	size_t		count = run->call->outputs.count;
	uint32_t	n = run->call->reference != NULL ? 1 : run->call->background.n;

	run->x = x;
	run->weight = (ex_sum) {0, 0};
	memset(run->value, 0, count * model->n_features * sizeof(ex_sum));
	memset(run->base, 0, count * sizeof(ex_sum));
	EX_TRY(run->compiled->family->predict_raw(run->compiled, run->host, x, 1, run->raw));
	for (uint32_t first = 0; first < n; first += run->tile)
		EX_TRY(add_tile(run, first, n - first < run->tile ? n - first : run->tile));
	return finish(run, value, base);
}

ex_status
ex_deeplift(ex_compiled *compiled, ex_host *host, const ex_deeplift_call *call, uint32_t n,
			double *value, double *base)
{
	deeplift_run run = {.compiled = compiled, .host = host, .call = call};
	size_t		p = compiled->model->n_features;

	EX_TRY(ex_deeplift_check(compiled, host, call->space));
	EX_TRY(open_run(&run));
	for (uint32_t i = 0; i < n; i++)
		EX_TRY(explain_row(&run, call->x + i * p, value + i * call->outputs.count * p, base));
	return EX_OK;
}
