/*
 * marginal_effects.c
 *		Marginal effects of linear models, with the delta method.
 */
#include "marginal_effects.h"

#include <math.h>
#include <string.h>

#include "linear_internal.h"

/* Half the width of a 95 % interval in standard errors. */
static const double normal_975 = 1.959963984540054;
static const double sqrt_half = 0.7071067811865476;

/* ----------------------------------------------------------------
 * Which effects there are
 * ---------------------------------------------------------------- */

/* Effects under construction: counted first, then written. */
typedef struct listing
{
	const ex_linear_view *view;
	const uint8_t *kind;		/* of the features */
	const uint32_t *levels;
	const uint8_t *unknown;
	ex_effect  *effect;			/* NULL: only count */
	uint32_t	n;
} listing;

static void
add_effect(listing *list, ex_effect effect)
{
	if (list->effect != NULL)
		list->effect[list->n] = effect;
	list->n++;
}

/*
 * Columns of a feature are sorted by kind and level, so that the first gap in
 * its levels is the level without a column.
 */
static double
reference_level(const listing *list, uint32_t first, uint32_t end)
{
	const ex_linear_view *view = list->view;
	uint32_t	feature = view->feature[first];
	uint32_t	next = 0;

	for (uint32_t c = first; c < end; c++)
		if (view->kind[c] == EX_COLUMN_LEVEL_IS && view->level[c] == next)
			next++;
	if (next < list->levels[feature])
		return next;
	return list->unknown[feature] == EX_UNKNOWN_OTHER ? -1 : 0;
}

static void
add_levels(listing *list, uint32_t first, uint32_t end)
{
	const ex_linear_view *view = list->view;
	double		reference = reference_level(list, first, end);

	for (uint32_t c = first; c < end; c++)
		if (view->kind[c] == EX_COLUMN_LEVEL_IS && view->level[c] != reference)
			add_effect(list, (ex_effect) {view->feature[c], EX_EFFECT_LEVEL, 0, view->level[c], reference});
}

static void
add_slope(listing *list, uint32_t first, uint32_t end)
{
	for (uint32_t c = first; c < end; c++)
		if (list->view->kind[c] == EX_COLUMN_VALUE)
			add_effect(list, (ex_effect) {list->view->feature[c], EX_EFFECT_SLOPE, c, NAN, NAN});
}

/* The columns first .. end - 1 are those of one feature. */
static void
add_feature(listing *list, uint32_t first, uint32_t end)
{
	uint32_t	feature = list->view->feature[first];

	switch ((ex_feature_kind) list->kind[feature])
	{
		case EX_NUMERIC:
			add_slope(list, first, end);
			break;
		case EX_BOOLEAN:
			add_effect(list, (ex_effect) {feature, EX_EFFECT_BOOLEAN, 0, 1, 0});
			break;
		case EX_CATEGORICAL:
			add_levels(list, first, end);
			break;
	}
}

static void
list_effects(listing *list, ex_effect *effect)
{
	uint32_t	first = 0;

	list->effect = effect;
	list->n = 0;
	while (first < list->view->n_columns)
	{
		uint32_t	end = first + 1;

		while (end < list->view->n_columns && list->view->feature[end] == list->view->feature[first])
			end++;
		add_feature(list, first, end);
		first = end;
	}
}

static ex_status
check_model(ex_host *host, const ex_model *model)
{
	if (model->family != EX_LINEAR)
	{
		ex_fail(host, EX_UNSUPPORTED, "models of family \"%s\" have no marginal effects with standard errors",
				ex_family_by_id(model->family)->name);
		ex_hint(host, "They need coefficients that were estimated with a covariance. For the mean of derivatives over rows, which has no significance, see explain.total_derivatives.");
		return EX_UNSUPPORTED;
	}
	if (model->link == EX_LINK_STEP || model->link == EX_LINK_SORTED)
		return ex_fail(host, EX_UNSUPPORTED, "marginal effects are not defined for link \"%s\", which has no derivative",
					   ex_link_names[model->link]);
	if (ex_get(model, EX_COEFFICIENT_COV, NULL) == NULL)
	{
		ex_fail(host, EX_INVALID, "marginal effects need the covariance of the coefficients, which the model does not have");
		ex_hint(host, "Attach that of the fit with explain.with_covariance.");
		return EX_INVALID;
	}
	return EX_OK;
}

ex_status
ex_effects_open(ex_host *host, const ex_model *model, ex_effects *effects)
{
	listing		list = {.view = &effects->view};
	ex_effect  *effect;

	EX_TRY(check_model(host, model));
	ex_linear_open(model, &effects->view);
	list.kind = ex_get(model, EX_FEATURE_KIND, NULL);
	list.levels = ex_get(model, EX_FEATURE_LEVELS, NULL);
	list.unknown = ex_get(model, EX_FEATURE_UNKNOWN, NULL);
	list_effects(&list, NULL);
	effects->n_effects = list.n;
	effects->n_coefficients = effects->view.n_outputs * (effects->view.n_columns + 1);
	if (list.n == 0)
		return ex_fail(host, EX_INVALID, "model has no marginal effects");
	if ((uint64_t) list.n * (1 + (uint64_t) effects->n_coefficients) > EX_EFFECT_MAX_SUMS)
	{
		ex_fail(host, EX_LIMIT, "model has too many marginal effects");
		ex_detail(host, "Effects times coefficients must not be more than %d.", EX_EFFECT_MAX_SUMS);
		return EX_LIMIT;
	}
	EX_TRY(EX_ALLOC(host, list.n, &effect));
	list_effects(&list, effect);
	effects->effect = effect;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * The effects of a row
 * ---------------------------------------------------------------- */

/* The model at a row. */
typedef struct point
{
	double	   *x;
	double	   *z;				/* C */
	double	   *raw;			/* K */
	double	   *d;				/* K: dy / d raw */
	double		response;
} point;

typedef struct work
{
	ex_host    *host;
	const ex_effects *effects;
	uint32_t	output;
	point		at;				/* the row itself */
	point		other[2];		/* with another value: compared with, compared */
	double	   *second;			/* K * K */
} work;

static ex_status
new_point(ex_host *host, const ex_linear_view *view, point *at)
{
	EX_TRY(EX_ALLOC(host, view->n_features, &at->x));
	EX_TRY(EX_ALLOC(host, view->n_columns, &at->z));
	EX_TRY(EX_ALLOC(host, view->n_outputs, &at->raw));
	return EX_ALLOC(host, view->n_outputs, &at->d);
}

/* Columns, raw predictions and derivatives of the response at at->x. */
static ex_status
move_to(work *w, point *at)
{
	const ex_linear_view *view = &w->effects->view;

	ex_linear_columns(view, at->x, at->z);
	for (uint32_t k = 0; k < view->n_outputs; k++)
	{
		at->raw[k] = ex_linear_raw(view, k, at->z);
		if (!isfinite(at->raw[k]))
			return ex_linear_out_of_range(w->host, view, at->x, "prediction is out of range");
	}
	ex_response(view->model, at->raw, at->d);
	at->response = at->d[w->output];
	return ex_response_derivative(w->host, view->model, at->raw, w->output, at->d);
}

static ex_status
slope_effect(work *w, const ex_effect *effect, double *row)
{
	const ex_linear_view *view = &w->effects->view;
	uint32_t	outputs = view->n_outputs;
	uint32_t	columns = view->n_columns;
	const double *b = view->coefficient + effect->column;
	double	   *j = row + 1;

	row[0] = 0;
	for (uint32_t m = 0; m < outputs; m++)
		row[0] += w->at.d[m] * b[(size_t) m * columns];
	for (uint32_t k = 0; k < outputs; k++, j += columns + 1)
	{
		double		bend = 0;

		for (uint32_t m = 0; m < outputs; m++)
			bend += w->second[(size_t) k * outputs + m] * b[(size_t) m * columns];
		for (uint32_t c = 0; c < columns; c++)
			j[c] = bend * w->at.z[c];
		j[effect->column] += w->at.d[k];
		j[columns] = bend;
	}
	return EX_OK;
}

/* The row with another value of one feature. */
static ex_status
move_feature(work *w, point *at, uint32_t feature, double value)
{
	double		own = at->x[feature];
	ex_status	status;

	at->x[feature] = value;
	status = move_to(w, at);
	at->x[feature] = own;
	return status;
}

static ex_status
difference_effect(work *w, const ex_effect *effect, double *row)
{
	uint32_t	columns = w->effects->view.n_columns;
	const point *from = &w->other[0];
	const point *to = &w->other[1];
	double	   *j = row + 1;

	EX_TRY(move_feature(w, &w->other[0], effect->feature, effect->reference));
	EX_TRY(move_feature(w, &w->other[1], effect->feature, effect->level));
	row[0] = to->response - from->response;
	for (uint32_t k = 0; k < w->effects->view.n_outputs; k++, j += columns + 1)
	{
		for (uint32_t c = 0; c < columns; c++)
			j[c] = to->d[k] * to->z[c] - from->d[k] * from->z[c];
		j[columns] = to->d[k] - from->d[k];
	}
	return EX_OK;
}

static ex_status
check_finite(work *w, const ex_effect *effect, const double *row)
{
	const ex_model *model = w->effects->view.model;
	uint32_t	length;
	const char *name;

	for (uint32_t i = 0; i <= w->effects->n_coefficients; i++)
	{
		if (isfinite(row[i]))
			continue;
		name = ex_get_name(model, EX_FEATURE_NAME_START, effect->feature, &length);
		return ex_fail(w->host, EX_RANGE, "marginal effect of feature \"%.*s\" is out of range",
					   (int) length, name);
	}
	return EX_OK;
}

static ex_status
start_work(work *w, const double *x)
{
	const ex_linear_view *view = &w->effects->view;
	size_t		outputs = view->n_outputs;

	EX_TRY(new_point(w->host, view, &w->at));
	EX_TRY(EX_ALLOC(w->host, outputs * outputs, &w->second));
	for (int i = 0; i < 2; i++)
	{
		EX_TRY(new_point(w->host, view, &w->other[i]));
		memcpy(w->other[i].x, x, view->n_features * sizeof(double));
	}
	memcpy(w->at.x, x, view->n_features * sizeof(double));
	EX_TRY(move_to(w, &w->at));
	return ex_response_second_derivative(w->host, view->model, w->at.raw, w->output, w->second);
}

ex_status
ex_effects_of_row(ex_host *host, const ex_effects *effects, const double *x, const bool *missing,
				  uint32_t output, double *table)
{
	uint32_t	width = 1 + effects->n_coefficients;
	work		w = {.host = host, .effects = effects, .output = output};

	EX_TRY(start_work(&w, x));
	for (uint32_t i = 0; i < effects->n_effects; i++, table += width)
	{
		const ex_effect *effect = &effects->effect[i];

		EX_TRY(ex_poll(host));
		if (isnan(x[effect->feature]) || (missing != NULL && missing[effect->feature]))
		{
			for (uint32_t j = 0; j < width; j++)
				table[j] = NAN;
			continue;
		}
		EX_TRY(effect->kind == EX_EFFECT_SLOPE ? slope_effect(&w, effect, table) :
			   difference_effect(&w, effect, table));
		EX_TRY(check_finite(&w, effect, table));
	}
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Estimates
 * ---------------------------------------------------------------- */

/*
 * J V J', in double-doubles: where coefficients are correlated, what is left
 * may be a small part of its terms.  `size` adds up the magnitudes.
 */
static ex_status
quadratic_form(ex_host *host, const double *jacobian, const double *covariance, uint32_t n,
			   double *variance, double *size)
{
	ex_dd		total = {0, 0};

	*size = 0;
	for (uint32_t i = 0; i < n; i++)
	{
		const double *row = covariance + (size_t) i * n;
		ex_dd		sum = {0, 0};

		if (i % 64 == 0)
			EX_TRY(ex_poll(host));
		for (uint32_t j = 0; j < n && jacobian[i] != 0; j++)
		{
			sum = ex_dd_add(sum, ex_two_product(row[j], jacobian[j]));
			*size += fabs(jacobian[i] * row[j] * jacobian[j]);
		}
		total = ex_dd_add(total, ex_dd_multiply(sum, (ex_dd) {jacobian[i], 0}));
	}
	*variance = total.hi + total.lo;
	return EX_OK;
}

/* A variance below 0 by more than rounding is the covariance's fault. */
static ex_status
variance_of(ex_host *host, const ex_effects *effects, const double *jacobian, double *variance)
{
	double		size;

	EX_TRY(quadratic_form(host, jacobian, effects->view.covariance, effects->n_coefficients, variance, &size));
	if (!isfinite(*variance) || !isfinite(size))
		return ex_fail(host, EX_RANGE, "variance of a marginal effect is out of range");
	if (*variance < -1e-9 * size)
	{
		ex_fail(host, EX_INVALID, "covariance of the coefficients is not positive semidefinite");
		ex_detail(host, "It makes the variance of a marginal effect negative.");
		return EX_INVALID;
	}
	*variance = fmax(*variance, 0);
	return EX_OK;
}

static ex_effect_estimate
estimate_of(double effect, double variance, uint64_t n)
{
	double		error = sqrt(variance);
	double		z = error > 0 ? effect / error : NAN;
	ex_effect_estimate estimate = {
		.effect = effect,
		.std_error = error,
		.z = z,
		.p = erfc(fabs(z) * sqrt_half),
		.ci_low = effect - normal_975 * error,
		.ci_high = effect + normal_975 * error,
		.n = n
	};

	return estimate;
}

ex_status
ex_effects_estimate(ex_host *host, const ex_effects *effects, const ex_effect_summary *summary,
					ex_effect_estimate **estimate)
{
	double	   *jacobian;

	if (summary->n_effects != effects->n_effects || summary->n_columns != 1 + effects->n_coefficients)
		return ex_fail(host, EX_DIMENSION, "model has %u x %u marginal effects, but the summary is of %u x %u",
					   effects->n_effects, 1 + effects->n_coefficients,
					   summary->n_effects, summary->n_columns);
	EX_TRY(EX_ALLOC(host, effects->n_effects, estimate));
	EX_TRY(EX_ALLOC(host, effects->n_coefficients, &jacobian));
	for (uint32_t i = 0; i < effects->n_effects; i++)
	{
		double		variance;

		if (summary->count[i] == 0)
		{
			(*estimate)[i] = (ex_effect_estimate) {NAN, NAN, NAN, NAN, NAN, NAN, 0};
			continue;
		}
		for (uint32_t j = 0; j < effects->n_coefficients; j++)
			jacobian[j] = ex_effect_summary_mean(summary, i, j + 1);
		EX_TRY(variance_of(host, effects, jacobian, &variance));
		(*estimate)[i] = estimate_of(ex_effect_summary_mean(summary, i, 0), variance, summary->count[i]);
	}
	return EX_OK;
}
