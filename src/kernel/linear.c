/*
 * linear.c
 *		The linear family: its view, columns, predictions and table of operations.
 */
#include <math.h>
#include <string.h>

#include "linear_internal.h"
#include "sum.h"

#define LANES 4					/* partial sums of a dot product */
#define POLL_ROWS 4096

void
ex_linear_open(const ex_model *model, ex_linear_view *view)
{
	view->model = model;
	view->n_features = model->n_features;
	view->n_outputs = model->n_outputs;
	view->feature = ex_get(model, EX_COLUMN_FEATURE, &view->n_columns);
	view->kind = ex_get(model, EX_COLUMN_KIND, NULL);
	view->level = ex_get(model, EX_COLUMN_LEVEL, NULL);
	view->low = ex_get(model, EX_COLUMN_LOW, NULL);
	view->high = ex_get(model, EX_COLUMN_HIGH, NULL);
	view->missing = ex_get(model, EX_COLUMN_MISSING, NULL);
	view->coefficient = ex_get(model, EX_COEFFICIENT, NULL);
	view->intercept = ex_get(model, EX_INTERCEPT, NULL);
	view->standard_error = ex_get(model, EX_COEFFICIENT_SE, NULL);
	view->covariance = ex_get(model, EX_COEFFICIENT_COV, NULL);
}

void
ex_linear_get_column(const ex_linear_view *view, uint32_t c, ex_column *column)
{
	column->feature = view->feature[c];
	column->kind = (ex_column_kind) view->kind[c];
	column->level = view->level[c];
	column->low = view->low[c];
	column->high = view->high[c];
	column->missing = view->missing[c];
}

double
ex_column_value(const ex_column *column, double x)
{
	if (isnan(x))
		return column->missing;
	switch (column->kind)
	{
		case EX_COLUMN_LEVEL_IS:
			return x == column->level;
		case EX_COLUMN_BIN:
			/* a bin without lower end holds -Infinity (fold.h) */
			return (x > column->low || column->low == -INFINITY) && x <= column->high;
		case EX_COLUMN_ISNULL:
			return 0;
		default:
			return x;
	}
}

double
ex_linear_column(const ex_linear_view *view, uint32_t column, double x)
{
	ex_column	one;

	ex_linear_get_column(view, column, &one);
	return ex_column_value(&one, x);
}

/*
 * The two kinds that models are made of are taken here, without fetching the
 * whole column.  A dummy is looked up, as nobody predicts which level comes.
 */
void
ex_linear_columns(const ex_linear_view *view, const double *x, double *z)
{
	static const double dummy[] = {0, 1};

	for (uint32_t c = 0; c < view->n_columns; c++)
	{
		double		value = x[view->feature[c]];

		if (isnan(value))
			z[c] = view->missing[c];
		else if (view->kind[c] == EX_COLUMN_VALUE)
			z[c] = value;
		else if (view->kind[c] == EX_COLUMN_LEVEL_IS)
			z[c] = dummy[value == view->level[c]];
		else
			z[c] = ex_linear_column(view, c, value);
	}
}

/*
 * The products are rounded once each, their sum is compensated: the result is
 * within one unit roundoff of the sum of |terms|, however they cancel.  Term c
 * goes to partial sum c mod LANES: independent chains of additions, which the
 * compiler may put into vector registers without changing a bit.
 */
double
ex_linear_raw(const ex_linear_view *view, uint32_t output, const double *z)
{
	uint32_t	n = view->n_columns;
	const double *w = view->coefficient + (size_t) output * n;
	double		lane[LANES] = {0};
	double		lost[LANES] = {0};
	ex_sum		total = {view->intercept[output], 0};
	uint32_t	c = 0;

	for (; c + LANES <= n; c += LANES)
	{
		for (int l = 0; l < LANES; l++)
		{
			double		term = w[c + l] * z[c + l];
			double		next = lane[l] + term;
			double		added = next - lane[l];

			lost[l] += (lane[l] - (next - added)) + (term - added);
			lane[l] = next;
		}
	}
	for (; c < n; c++)
		ex_sum_add(&total, w[c] * z[c]);
	for (int l = 0; l < LANES; l++)
	{
		ex_sum_add(&total, lane[l]);
		total.error += lost[l];
	}
	return ex_sum_total(&total);
}

ex_status
ex_linear_out_of_range(ex_host *host, const ex_linear_view *view, const double *x,
					   const char *message)
{
	ex_fail(host, EX_RANGE, "%s", message);
	for (uint32_t c = 0; c < view->n_columns; c++)
	{
		double		value = x[view->feature[c]];
		uint32_t	length;
		const char *name;

		if (isfinite(ex_linear_column(view, c, value)))
			continue;
		name = ex_get_name(view->model, EX_FEATURE_NAME_START, view->feature[c], &length);
		ex_detail(host, "Feature \"%.*s\" is %s.", (int) length, name,
				  isnan(value) ? "missing, which the model does not allow" : "infinite");
		break;
	}
	return EX_RANGE;
}

/* All outputs of one row; false if one of them is not a number. */
static bool
predict_columns(const ex_linear_view *view, const double *z, double *raw)
{
	bool		finite = true;

	for (uint32_t k = 0; k < view->n_outputs; k++)
	{
		raw[k] = ex_linear_raw(view, k, z);
		finite &= isfinite(raw[k]) != 0;
	}
	return finite;
}

static bool
predict_row(const ex_linear_state *state, const double *x, double *raw)
{
	/*
	 * a NaN among the features shows in the result; only then is a look at
	 * each needed
	 */
	if (state->identity && predict_columns(&state->view, x, raw))
		return true;
	ex_linear_columns(&state->view, x, state->z);
	return predict_columns(&state->view, state->z, raw);
}

static ex_status
predict_raw(ex_compiled *compiled, ex_host *host, const double *x, size_t n, double *raw)
{
	const ex_linear_state *state = compiled->state;

	for (size_t i = 0; i < n; i++)
	{
		if (i % POLL_ROWS == POLL_ROWS - 1)
			EX_TRY(ex_poll(host));
		if (!predict_row(state, x, raw))
			return ex_linear_out_of_range(host, &state->view, x, "prediction is out of range");
		x += state->view.n_features;
		raw += state->view.n_outputs;
	}
	return EX_OK;
}

/* Columns are sorted by feature and kind, so counting is enough. */
static bool
is_identity(const ex_linear_view *view)
{
	if (view->n_columns != view->n_features)
		return false;
	for (uint32_t c = 0; c < view->n_columns; c++)
		if (view->kind[c] != EX_COLUMN_VALUE)
			return false;
	return true;
}

static ex_status
compile(ex_compiled *compiled)
{
	ex_host    *host = compiled->host;
	ex_linear_state *state;
	ex_linear_view *view;

	EX_TRY(EX_ALLOC(host, 1, &state));
	view = &state->view;
	ex_linear_open(compiled->model, view);
	state->identity = is_identity(view);
	EX_TRY(EX_ALLOC(host, view->n_columns, &state->z));
	EX_TRY(EX_ALLOC(host, (size_t) view->n_columns + 1, &state->first));
	for (uint32_t c = 0; c < view->n_columns; c++)
		if (c == 0 || view->feature[c] != view->feature[c - 1])
			state->first[state->n_used++] = c;
	state->first[state->n_used] = view->n_columns;
	compiled->state = state;
	return EX_OK;
}

static const ex_section_id sections[] = {
	EX_COLUMN_FEATURE, EX_COLUMN_KIND, EX_COLUMN_LEVEL, EX_COLUMN_LOW, EX_COLUMN_HIGH,
	EX_COLUMN_MISSING, EX_COEFFICIENT, EX_INTERCEPT, EX_COEFFICIENT_SE, EX_COEFFICIENT_COV
};

const ex_family ex_linear_family = {
	.id = EX_LINEAR,
	.name = "linear",
	.sections = sections,
	.n_sections = sizeof(sections) / sizeof(sections[0]),
	.validate = ex_linear_validate,
	.read_json = ex_linear_read_json,
	.write_json = ex_linear_write_json,
	.fold = ex_linear_fold,
	.align = ex_linear_align,
	.adapt = ex_linear_adapt,
	.compile = compile,
	.predict_raw = predict_raw,
	.gradient_raw = ex_linear_gradient_raw,
	.rescale_raw = ex_linear_rescale_raw,
	.shap_methods = ex_linear_shap_methods,
	.n_shap_methods = EX_LINEAR_N_SHAP_METHODS,
};
