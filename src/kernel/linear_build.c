/*
 * linear_build.c
 *		Building and validating linear models.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linear_internal.h"

/*
 * Columns.
 */

static int
compare_doubles(double a, double b)
{
	return (a > b) - (a < b);
}

int
ex_column_compare(const ex_column *a, const ex_column *b)
{
	if (a->feature != b->feature)
		return a->feature < b->feature ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->low != b->low)
		return compare_doubles(a->low, b->low);
	return compare_doubles(a->high, b->high);
}

ex_status
ex_linear_put_column(ex_builder *builder, uint32_t feature, ex_column_kind kind,
					 uint32_t level, double low, double high, double missing)
{
	EX_TRY(ex_put_u32(builder, EX_COLUMN_FEATURE, feature));
	EX_TRY(ex_put_u8(builder, EX_COLUMN_KIND, (uint8_t) kind));
	EX_TRY(ex_put_u32(builder, EX_COLUMN_LEVEL, level));
	EX_TRY(ex_put_f64(builder, EX_COLUMN_LOW, low));
	EX_TRY(ex_put_f64(builder, EX_COLUMN_HIGH, high));
	return ex_put_f64(builder, EX_COLUMN_MISSING, missing);
}

double
ex_implied_missing(const ex_column *column, ex_missing_policy policy, double impute)
{
	switch (policy)
	{
		case EX_MISSING_IMPUTE:
			return ex_column_value(column, impute);
		case EX_MISSING_NATIVE:
			return column->kind == EX_COLUMN_ISNULL;
		default:
			return NAN;
	}
}

/* Fill in what is implied and what the kind leaves open; -0 becomes 0. */
static ex_status
complete_column(ex_builder *builder, ex_column *column)
{
	const uint8_t *policy = (const uint8_t *) builder->section[EX_FEATURE_MISSING].data;
	const double *impute = (const double *) builder->section[EX_FEATURE_IMPUTE].data;
	uint32_t	f = column->feature;

	if (f >= builder->n_features)
		return ex_fail(builder->host, EX_INVALID, "feature %u does not exist", f + 1);
	column->low += 0.0;
	column->high += 0.0;
	if (isnan(column->missing))
		column->missing = ex_implied_missing(column, (ex_missing_policy) policy[f], impute[f]);
	return EX_OK;
}

static ex_status
repeated_column(ex_builder *builder, uint32_t feature)
{
	const uint32_t *start = (const uint32_t *) builder->section[EX_FEATURE_NAME_START].data;
	const char *text = builder->section[EX_FEATURE_NAME_TEXT].data;

	return ex_fail(builder->host, EX_INVALID, "feature \"%.*s\" has two coefficients for the same column",
				   (int) (start[feature + 1] - start[feature]), text + start[feature]);
}

/*
 * Designs.
 */

typedef struct place
{
	ex_column	column;
	size_t		from;			/* position in the design */
} place;

static int
compare_places(const void *a, const void *b)
{
	return ex_column_compare(&((const place *) a)->column, &((const place *) b)->column);
}

/* The columns of a design in their order. */
static ex_status
sort_columns(ex_builder *builder, const ex_linear_design *design, place **sorted)
{
	EX_TRY(EX_ALLOC(builder->host, design->n_columns, sorted));
	for (size_t c = 0; c < design->n_columns; c++)
	{
		(*sorted)[c].column = design->column[c];
		(*sorted)[c].from = c;
		EX_TRY(complete_column(builder, &(*sorted)[c].column));
	}
	qsort(*sorted, design->n_columns, sizeof(place), compare_places);
	for (size_t c = 1; c < design->n_columns; c++)
		if (compare_places(&(*sorted)[c - 1], &(*sorted)[c]) == 0)
			return repeated_column(builder, (*sorted)[c].column.feature);
	return EX_OK;
}

/* One value per output and column, from the design's order into the model's. */
static ex_status
put_permuted(ex_builder *builder, ex_section_id id, const double *row, const place *sorted, size_t n)
{
	for (size_t c = 0; c < n; c++)
		EX_TRY(ex_put_f64(builder, id, row[sorted[c].from]));
	return EX_OK;
}

static ex_status
put_covariance(ex_builder *builder, const double *covariance, const place *sorted, size_t n)
{
	size_t		side = builder->n_outputs * (n + 1);

	for (size_t i = 0; i < side; i++)
	{
		size_t		c = i % (n + 1);
		const double *row = covariance + (i - c + (c < n ? sorted[c].from : n)) * side;

		EX_TRY(ex_poll(builder->host));
		for (uint32_t k = 0; k < builder->n_outputs; k++)
		{
			EX_TRY(put_permuted(builder, EX_COEFFICIENT_COV, row + k * (n + 1), sorted, n));
			EX_TRY(ex_put_f64(builder, EX_COEFFICIENT_COV, row[k * (n + 1) + n]));
		}
	}
	return EX_OK;
}

ex_status
ex_linear_put(ex_builder *builder, const ex_linear_design *design)
{
	size_t		n = design->n_columns;
	place	   *sorted;

	EX_TRY(sort_columns(builder, design, &sorted));
	for (size_t c = 0; c < n; c++)
	{
		const ex_column *column = &sorted[c].column;

		EX_TRY(ex_linear_put_column(builder, column->feature, column->kind, column->level,
									column->low, column->high, column->missing));
	}
	for (uint32_t k = 0; k < builder->n_outputs; k++)
	{
		EX_TRY(put_permuted(builder, EX_COEFFICIENT, design->coefficient + k * n, sorted, n));
		EX_TRY(ex_put_f64(builder, EX_INTERCEPT, design->intercept[k]));
		if (design->standard_error != NULL)
		{
			const double *error = design->standard_error + k * (n + 1);

			EX_TRY(put_permuted(builder, EX_COEFFICIENT_SE, error, sorted, n));
			EX_TRY(ex_put_f64(builder, EX_COEFFICIENT_SE, error[n]));
		}
	}
	if (design->covariance != NULL)
		EX_TRY(put_covariance(builder, design->covariance, sorted, n));
	return EX_OK;
}

/*
 * Terms.
 */

static int
compare_terms(const void *a, const void *b)
{
	const ex_linear_term *left = a;
	const ex_linear_term *right = b;
	int			order = ex_column_compare(&left->column, &right->column);

	if (order != 0)
		return order;
	return left->output < right->output ? -1 : left->output > right->output;
}

static bool
same_double(double a, double b)
{
	return memcmp(&a, &b, sizeof(double)) == 0;
}

/* The distinct columns of sorted terms; all terms of one agree on missing values. */
static ex_status
distinct_columns(ex_builder *builder, const ex_linear_term *term, size_t n,
				 ex_column *column, size_t *n_columns)
{
	*n_columns = 0;
	for (size_t i = 0; i < n; i++)
	{
		if (i > 0 && ex_column_compare(&term[i - 1].column, &term[i].column) == 0)
		{
			if (term[i - 1].output == term[i].output ||
				!same_double(term[i - 1].column.missing, term[i].column.missing))
				return repeated_column(builder, term[i].column.feature);
		}
		else
			column[(*n_columns)++] = term[i].column;
	}
	return EX_OK;
}

static ex_status
check_terms(ex_builder *builder, ex_linear_term *term, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		EX_TRY(complete_column(builder, &term[i].column));
		if (term[i].output >= builder->n_outputs)
			return ex_fail(builder->host, EX_INVALID, "output %u does not exist", term[i].output + 1);
	}
	return EX_OK;
}

ex_status
ex_linear_put_terms(ex_builder *builder, ex_linear_term *term, size_t n,
					const double *intercept, const double *intercept_error)
{
	uint32_t	n_outputs = builder->n_outputs;
	ex_column  *column;
	double	   *coefficient;
	double	   *error;
	ex_linear_design design = {.intercept = intercept};
	size_t		c = 0;

	EX_TRY(check_terms(builder, term, n));
	if (n > 0)
		qsort(term, n, sizeof(ex_linear_term), compare_terms);
	EX_TRY(EX_ALLOC(builder->host, n, &column));
	EX_TRY(distinct_columns(builder, term, n, column, &design.n_columns));
	EX_TRY(EX_ALLOC(builder->host, n_outputs * design.n_columns, &coefficient));
	EX_TRY(EX_ALLOC(builder->host, n_outputs * (design.n_columns + 1), &error));
	for (size_t i = 0; i < n_outputs * (design.n_columns + 1); i++)
		error[i] = NAN;
	for (size_t i = 0; i < n; i++)
	{
		if (i > 0 && ex_column_compare(&term[i - 1].column, &term[i].column) != 0)
			c++;
		coefficient[term[i].output * design.n_columns + c] = term[i].coefficient;
		error[term[i].output * (design.n_columns + 1) + c] = term[i].standard_error;
	}
	if (intercept_error != NULL)
	{
		for (uint32_t k = 0; k < n_outputs; k++)
			error[k * (design.n_columns + 1) + design.n_columns] = intercept_error[k];
		design.standard_error = error;
	}
	design.column = column;
	design.coefficient = coefficient;
	return ex_linear_put(builder, &design);
}

/*
 * Validation.
 */

static ex_status
bad_column(ex_host *host, const ex_model *model, uint32_t feature, const char *what)
{
	uint32_t	length;
	const char *name = ex_get_name(model, EX_FEATURE_NAME_START, feature, &length);

	return ex_fail(host, EX_INVALID, "column of feature \"%.*s\" %s", (int) length, name, what);
}

const char *
ex_column_misfit(const ex_column *column, const ex_feature *feature)
{
	if (column->kind > EX_COLUMN_ISNULL)
		return "has an unknown kind";
	if (column->kind == EX_COLUMN_VALUE && feature->kind == EX_CATEGORICAL)
		return "takes the value of a categorical feature: it needs a level";
	if (column->kind == EX_COLUMN_LEVEL_IS && feature->kind != EX_CATEGORICAL)
		return "has a level, but the feature is not categorical";
	if (column->kind == EX_COLUMN_LEVEL_IS ? column->level >= feature->n_levels : column->level != 0)
		return "has a level that does not exist";
	if (column->kind == EX_COLUMN_BIN && feature->kind != EX_NUMERIC)
		return "has a bin, but the feature is not numeric";
	if (column->kind == EX_COLUMN_BIN ? !(column->low < column->high)
		: !(column->low == 0 && column->high == 0))
		return "has an empty bin";
	if (column->kind == EX_COLUMN_ISNULL && feature->missing != EX_MISSING_NATIVE)
		return "tests for missing values, which the feature's policy leaves none of";
	if (feature->missing == EX_MISSING_NATIVE ? !isfinite(column->missing)
		: !same_double(column->missing, ex_implied_missing(column, feature->missing, feature->impute)))
		return "has a value for missing ones that contradicts the feature's policy";
	return NULL;
}

static ex_status
check_columns(ex_host *host, const ex_linear_view *view)
{
	ex_column	before = {0};

	for (uint32_t c = 0; c < view->n_columns; c++)
	{
		ex_column	column;
		ex_feature	feature;
		const char *wrong;

		ex_linear_get_column(view, c, &column);
		if (column.feature >= view->n_features)
			return ex_fail(host, EX_INVALID, "column %u has feature %u, but there are %u",
						   c + 1, column.feature + 1, view->n_features);
		ex_get_feature(view->model, column.feature, &feature);
		wrong = ex_column_misfit(&column, &feature);
		if (wrong == NULL && c > 0 && ex_column_compare(&before, &column) >= 0)
			wrong = "appears twice or out of order";
		if (wrong != NULL)
			return bad_column(host, view->model, column.feature, wrong);
		before = column;
	}
	return EX_OK;
}

static ex_status
bad_number(ex_host *host, const ex_linear_view *view, uint32_t output, const char *what, uint32_t column)
{
	uint32_t	length;
	uint32_t	output_length;
	const char *output_name = ex_get_name(view->model, EX_OUTPUT_NAME_START, output, &output_length);
	const char *name;

	if (column == view->n_columns)
		return ex_fail(host, EX_RANGE, "%s of the intercept for output \"%.*s\" is out of range",
					   what, (int) output_length, output_name);
	name = ex_get_name(view->model, EX_FEATURE_NAME_START, view->feature[column], &length);
	return ex_fail(host, EX_RANGE, "%s of feature \"%.*s\" for output \"%.*s\" is out of range",
				   what, (int) length, name, (int) output_length, output_name);
}

static ex_status
check_coefficients(ex_host *host, const ex_linear_view *view)
{
	uint32_t	n = view->n_columns;

	for (uint32_t k = 0; k < view->n_outputs; k++)
	{
		const double *coefficient = view->coefficient + (size_t) k * n;
		const double *error;

		if (!isfinite(view->intercept[k]))
			return bad_number(host, view, k, "value", n);
		for (uint32_t c = 0; c < n; c++)
			if (!isfinite(coefficient[c]))
				return bad_number(host, view, k, "coefficient", c);
		if (view->standard_error == NULL)
			continue;
		error = view->standard_error + (size_t) k * (n + 1);
		for (uint32_t c = 0; c <= n; c++)
			if (!isnan(error[c]) && !(error[c] >= 0 && isfinite(error[c])))
				return bad_number(host, view, k, "standard error", c);
	}
	return EX_OK;
}

static ex_status
check_covariance(ex_host *host, const ex_linear_view *view)
{
	size_t		side = (size_t) view->n_outputs * (view->n_columns + 1);

	for (size_t i = 0; view->covariance != NULL && i < side; i++)
	{
		const double *row = view->covariance + i * side;

		if (!(row[i] >= 0))
			return ex_fail(host, EX_INVALID, "covariance has a negative variance in row %zu", i + 1);
		for (size_t j = 0; j < side; j++)
			if (!isfinite(row[j]) || row[j] != view->covariance[j * side + i])
				return ex_fail(host, EX_INVALID, "covariance is not symmetric in row %zu, column %zu",
							   i + 1, j + 1);
	}
	return EX_OK;
}

static ex_status
check_length(ex_host *host, const ex_model *model, ex_section_id id, uint64_t length, bool required)
{
	uint32_t	count;

	if ((ex_get(model, id, &count) == NULL) ? !required : count == length)
		return EX_OK;
	return ex_fail(host, EX_INVALID, "invalid linear model: expected %llu numbers in section %d, not %u",
				   (unsigned long long) length, (int) id, count);
}

ex_status
ex_linear_validate(ex_host *host, const ex_model *model)
{
	ex_linear_view view;
	uint64_t	columns;
	uint64_t	side;

	ex_linear_open(model, &view);
	if (model->aggregation != EX_SUM)
		return ex_fail(host, EX_INVALID, "linear model must have aggregation \"sum\"");
	columns = view.n_columns;
	side = (columns + 1) * model->n_outputs;
	if (columns == 0)
		return ex_fail(host, EX_INVALID, "linear model has no coefficients");
	EX_TRY(check_length(host, model, EX_COLUMN_KIND, columns, true));
	EX_TRY(check_length(host, model, EX_COLUMN_LEVEL, columns, true));
	EX_TRY(check_length(host, model, EX_COLUMN_LOW, columns, true));
	EX_TRY(check_length(host, model, EX_COLUMN_HIGH, columns, true));
	EX_TRY(check_length(host, model, EX_COLUMN_MISSING, columns, true));
	EX_TRY(check_length(host, model, EX_COEFFICIENT, columns * model->n_outputs, true));
	EX_TRY(check_length(host, model, EX_INTERCEPT, model->n_outputs, true));
	EX_TRY(check_length(host, model, EX_COEFFICIENT_SE, side, false));
	EX_TRY(check_length(host, model, EX_COEFFICIENT_COV,
						side < 65536 ? side * side : UINT64_MAX, false));
	EX_TRY(check_columns(host, &view));
	EX_TRY(check_coefficients(host, &view));
	return check_covariance(host, &view);
}
