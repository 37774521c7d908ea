/*
 * linear_json.c
 *		The linear family's members of the JSON form.
 *
 *	"intercept"		number, or one per output; 0 when absent
 *	"coefficients"	by name: {"age": 0.2, "sex": {"m": 1.3}}, for several outputs
 *					an object of such objects by output or an array of them; or
 *					by position: an array of numbers in feature order, or one
 *					such array per output
 *	"columns"		instead of coefficients, for bins, missing indicators and
 *					standard errors: an array of {"feature", "level" | "bin" |
 *					"indicator", "missing", "coefficient", "standard_error"}
 *	"intercept_standard_error", "covariance"
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "linear_internal.h"
#include "model_json.h"

typedef struct reader
{
	ex_builder *builder;
	ex_json    *json;
	ex_name_index *features;
	ex_level_index *levels;
	ex_buffer	terms;			/* ex_linear_term */
} reader;

/* The family's members of one document. */
typedef struct members
{
	ex_json_value intercept;
	ex_json_value coefficients;
	ex_json_value columns;
	ex_json_value intercept_error;
	ex_json_value covariance;
} members;

/* Exactly `count` numbers: an array, or a single number where one is enough.  null: NaN, if allowed. */
static ex_status
read_numbers(ex_json *json, ex_json_value value, const char *where, uint32_t count, bool nulls, double *out)
{
	ex_json_cursor cursor;
	ex_json_value element = value;
	bool		is_array = ex_json_typeof(json, value) == EX_JSON_ARRAY;
	uint32_t	n = 0;

	ex_json_begin(json, value, &cursor);
	while (is_array ? ex_json_next(json, &cursor, &element) : n == 0)
	{
		if (n < count)
		{
			out[n] = NAN;
			if (!nulls || ex_json_typeof(json, element) != EX_JSON_NULL)
				EX_TRY(ex_json_number(json, element, where, &out[n]));
		}
		n++;
	}
	if (n != count)
		return ex_fail(json->host, EX_INVALID, "expected %u numbers in %s, not %u", count, where, n);
	return EX_OK;
}

/*
 * Coefficients by name.
 */

static ex_status
add_term(reader *r, uint32_t feature, ex_column_kind kind, uint32_t level, uint32_t output,
		 ex_json_value value, const char *where)
{
	ex_linear_term term = {
		.column = {.feature = feature, .kind = kind, .level = level, .missing = NAN},
		.output = output,
		.standard_error = NAN
	};

	EX_TRY(ex_json_number(r->json, value, where, &term.coefficient));
	return ex_append(r->json->host, &r->terms, &term, sizeof(term));
}

static ex_status
read_level_coefficients(reader *r, uint32_t feature, uint32_t output, ex_json_value object,
						const char *where)
{
	ex_json_cursor cursor;
	ex_json_value key;
	ex_json_value value;

	EX_TRY(ex_json_distinct_keys(r->json, object, where));
	ex_json_begin(r->json, object, &cursor);
	while (ex_json_next_member(r->json, &cursor, &key, &value))
	{
		uint32_t	level;

		EX_TRY(ex_json_level(r->json, r->levels, feature, key, "coefficients", &level));
		EX_TRY(add_term(r, feature, EX_COLUMN_LEVEL_IS, level, output, value, where));
	}
	return EX_OK;
}

static ex_status
read_named_coefficients(reader *r, uint32_t output, ex_json_value object, const char *where)
{
	ex_json_cursor cursor;
	ex_json_value key;
	ex_json_value value;

	EX_TRY(ex_json_distinct_keys(r->json, object, where));
	ex_json_begin(r->json, object, &cursor);
	while (ex_json_next_member(r->json, &cursor, &key, &value))
	{
		uint32_t	feature;
		char		place[64];

		EX_TRY(ex_poll(r->json->host));
		EX_TRY(ex_json_feature(r->json, r->builder, r->features, key, where, &feature));
		snprintf(place, sizeof(place), "coefficient of feature %u, output %u", feature + 1, output + 1);
		if (ex_json_typeof(r->json, value) == EX_JSON_OBJECT)
			EX_TRY(read_level_coefficients(r, feature, output, value, place));
		else
			EX_TRY(add_term(r, feature, EX_COLUMN_VALUE, 0, output, value, place));
	}
	return EX_OK;
}

static ex_status
wrong_type(reader *r, const char *where)
{
	ex_fail(r->json->host, EX_INVALID, "%s must be an object of coefficients", where);
	ex_hint(r->json->host, "With several outputs coefficients are an array with one object or array for each, "
			"or an object with one object for each.");
	return EX_INVALID;
}

static ex_status
read_by_output_name(reader *r, ex_json_value object)
{
	ex_json_cursor cursor;
	ex_json_value key;
	ex_json_value value;
	ex_name_index *outputs;

	EX_TRY(ex_index_outputs(r->builder, &outputs));
	EX_TRY(ex_json_distinct_keys(r->json, object, "coefficients"));
	ex_json_begin(r->json, object, &cursor);
	while (ex_json_next_member(r->json, &cursor, &key, &value))
	{
		const char *name;
		size_t		length;
		int32_t		output;
		char		where[64];

		EX_TRY(ex_json_string(r->json, key, &name, &length));
		output = ex_index_find(outputs, name, length);
		if (output < 0)
			return ex_fail(r->json->host, EX_INVALID, "unknown output \"%s\" in coefficients", name);
		snprintf(where, sizeof(where), "coefficients of output %d", output + 1);
		if (ex_json_typeof(r->json, value) != EX_JSON_OBJECT)
			return wrong_type(r, where);
		EX_TRY(read_named_coefficients(r, (uint32_t) output, value, where));
	}
	return EX_OK;
}

static ex_status
read_by_output_position(reader *r, ex_json_value array)
{
	ex_json_cursor cursor;
	ex_json_value value;
	uint32_t	output = 0;

	ex_json_begin(r->json, array, &cursor);
	for (; output < r->builder->n_outputs && ex_json_next(r->json, &cursor, &value); output++)
	{
		char		where[64];

		snprintf(where, sizeof(where), "coefficients of output %u", output + 1);
		if (ex_json_typeof(r->json, value) != EX_JSON_OBJECT)
			return wrong_type(r, where);
		EX_TRY(read_named_coefficients(r, output, value, where));
	}
	if (output < r->builder->n_outputs || ex_json_next(r->json, &cursor, &value))
		return ex_fail(r->json->host, EX_INVALID, "expected coefficients of %u outputs, not %zu",
					   r->builder->n_outputs, ex_json_count(r->json, array));
	return EX_OK;
}

/*
 * Coefficients by position: every feature's value is a column.
 */

/* K rows of n numbers each; with one output the row may stand alone. */
static ex_status
read_matrix(ex_json *json, ex_json_value array, uint32_t n_outputs, uint32_t n, double *out)
{
	ex_json_cursor cursor;
	ex_json_value value = {.at = NULL};
	uint32_t	output = 0;
	bool		alone;

	ex_json_begin(json, array, &cursor);
	alone = !ex_json_next(json, &cursor, &value) || ex_json_typeof(json, value) != EX_JSON_ARRAY;
	if (n_outputs == 1 && alone)
		return read_numbers(json, array, "coefficients", n, false, out);
	ex_json_begin(json, array, &cursor);
	for (; output < n_outputs && ex_json_next(json, &cursor, &value); output++)
	{
		char		where[64];

		EX_TRY(ex_poll(json->host));
		snprintf(where, sizeof(where), "coefficients of output %u", output + 1);
		if (ex_json_typeof(json, value) != EX_JSON_ARRAY)
			return ex_fail(json->host, EX_INVALID, "%s must be an array of numbers", where);
		EX_TRY(read_numbers(json, value, where, n, false, out + (size_t) output * n));
	}
	if (output < n_outputs || ex_json_next(json, &cursor, &value))
		return ex_fail(json->host, EX_INVALID, "expected coefficients of %u outputs, not %zu",
					   n_outputs, ex_json_count(json, array));
	return EX_OK;
}

static ex_status
read_by_position(reader *r, ex_json_value array, const double *intercept)
{
	ex_builder *builder = r->builder;
	uint32_t	p = builder->n_features;
	ex_column  *column;
	double	   *coefficient;
	ex_linear_design design = {.n_columns = p, .intercept = intercept};

	EX_TRY(EX_ALLOC(builder->host, p, &column));
	EX_TRY(EX_ALLOC(builder->host, (size_t) builder->n_outputs * p, &coefficient));
	EX_TRY(read_matrix(r->json, array, builder->n_outputs, p, coefficient));
	for (uint32_t f = 0; f < p; f++)
		column[f] = (ex_column) {.feature = f, .kind = EX_COLUMN_VALUE, .missing = NAN};
	design.column = column;
	design.coefficient = coefficient;
	return ex_linear_put(builder, &design);
}

/* An array whose first element is an object holds objects. */
static bool
holds_objects(const ex_json *json, ex_json_value array)
{
	ex_json_cursor cursor;
	ex_json_value value;

	ex_json_begin(json, array, &cursor);
	return ex_json_next(json, &cursor, &value) && ex_json_typeof(json, value) == EX_JSON_OBJECT;
}

static ex_status
read_coefficients(reader *r, ex_json_value value, const double *intercept)
{
	bool		is_array = ex_json_typeof(r->json, value) == EX_JSON_ARRAY;

	if (is_array && !holds_objects(r->json, value))
		return read_by_position(r, value, intercept);
	if (is_array)
		EX_TRY(read_by_output_position(r, value));
	else if (r->builder->n_outputs == 1)
		EX_TRY(read_named_coefficients(r, 0, value, "coefficients"));
	else
		EX_TRY(read_by_output_name(r, value));
	return ex_linear_put_terms(r->builder, (ex_linear_term *) r->terms.data,
							   r->terms.size / sizeof(ex_linear_term), intercept, NULL);
}

/*
 * Columns.
 */

/* All columns of a document, and their numbers, output-major. */
typedef struct table
{
	size_t		n;
	ex_column  *column;
	double	   *coefficient;	/* K * n */
	double	   *error;			/* K * (n + 1) */
	double	   *line;			/* K: the numbers of one column */
	bool		has_errors;
} table;

ex_status
ex_column_read_kind(ex_json *json, ex_level_index *levels, const char *where, ex_json_value level,
					ex_json_value bin, ex_json_value indicator, ex_column *column)
{
	double		limits[2];

	if ((level.at != NULL) + (bin.at != NULL) + (indicator.at != NULL) > 1)
		return ex_fail(json->host, EX_INVALID,
					   "%s may have only one of \"level\", \"bin\" and \"indicator\"", where);
	if (level.at != NULL)
	{
		column->kind = EX_COLUMN_LEVEL_IS;
		EX_TRY(ex_json_level(json, levels, column->feature, level, where, &column->level));
	}
	if (bin.at != NULL)
	{
		column->kind = EX_COLUMN_BIN;
		EX_TRY(read_numbers(json, bin, where, 2, false, limits));
		column->low = limits[0];
		column->high = limits[1];
	}
	if (ex_json_bool(json, indicator))
		column->kind = EX_COLUMN_ISNULL;
	return EX_OK;
}

/* The numbers of column c, one for each output, into a matrix with `stride` columns. */
static ex_status
read_line(reader *r, ex_json_value value, const char *where, bool nulls, table *table, double *to, size_t stride)
{
	uint32_t	n_outputs = r->builder->n_outputs;

	EX_TRY(read_numbers(r->json, value, where, n_outputs, nulls, table->line));
	for (uint32_t k = 0; k < n_outputs; k++)
		to[k * stride] = table->line[k];
	return EX_OK;
}

static ex_status
read_column(reader *r, ex_json_value object, size_t c, table *table)
{
	ex_json_value feature;
	ex_json_value level;
	ex_json_value bin;
	ex_json_value indicator;
	ex_json_value missing;
	ex_json_value coefficient;
	ex_json_value error;
	const ex_json_member members[] = {
		{"feature", EX_JSON_STRING | EX_JSON_NUMBER, true, &feature},
		{"level", EX_JSON_STRING | EX_JSON_NUMBER, false, &level},
		{"bin", EX_JSON_ARRAY, false, &bin},
		{"indicator", EX_JSON_BOOL, false, &indicator},
		{"missing", EX_JSON_NUMBER, false, &missing},
		{"coefficient", EX_JSON_NUMBER | EX_JSON_ARRAY, true, &coefficient},
		{"standard_error", EX_JSON_NUMBER | EX_JSON_ARRAY | EX_JSON_NULL, false, &error}
	};
	ex_column  *column = &table->column[c];
	char		where[64];

	snprintf(where, sizeof(where), "column %zu", c + 1);
	EX_TRY(ex_json_read_object(r->json, object, where, members, 7, true));
	*column = (ex_column) {.missing = NAN};
	EX_TRY(ex_json_feature(r->json, r->builder, r->features, feature, where, &column->feature));
	EX_TRY(ex_column_read_kind(r->json, r->levels, where, level, bin, indicator, column));
	if (missing.at != NULL)
		EX_TRY(ex_json_number(r->json, missing, where, &column->missing));
	EX_TRY(read_line(r, coefficient, where, false, table, table->coefficient + c, table->n));
	if (error.at == NULL)
		return EX_OK;
	table->has_errors = true;
	return read_line(r, error, where, true, table, table->error + c, table->n + 1);
}

static ex_status
open_table(reader *r, size_t n, table *table)
{
	ex_host    *host = r->json->host;
	size_t		n_outputs = r->builder->n_outputs;

	table->n = n;
	table->has_errors = false;
	EX_TRY(EX_ALLOC(host, n, &table->column));
	EX_TRY(EX_ALLOC(host, n_outputs * n, &table->coefficient));
	EX_TRY(EX_ALLOC(host, n_outputs * (n + 1), &table->error));
	EX_TRY(EX_ALLOC(host, n_outputs, &table->line));
	for (size_t i = 0; i < n_outputs * (n + 1); i++)
		table->error[i] = NAN;
	return EX_OK;
}

static ex_status
read_covariance(reader *r, ex_json_value array, size_t n_columns, double **covariance)
{
	ex_host    *host = r->json->host;
	size_t		side = r->builder->n_outputs * (n_columns + 1);
	ex_json_cursor cursor;
	ex_json_value value;
	size_t		i = 0;

	EX_TRY(EX_ALLOC(host, side * side, covariance));
	ex_json_begin(r->json, array, &cursor);
	for (; i < side && ex_json_next(r->json, &cursor, &value); i++)
	{
		char		where[64];

		EX_TRY(ex_poll(host));
		snprintf(where, sizeof(where), "row %zu of the covariance", i + 1);
		EX_TRY(read_numbers(r->json, value, where, (uint32_t) side, false, *covariance + i * side));
	}
	if (i < side || ex_json_next(r->json, &cursor, &value))
		return ex_fail(host, EX_INVALID, "expected %zu rows in the covariance, not %zu",
					   side, ex_json_count(r->json, array));
	return EX_OK;
}

static ex_status
read_columns(reader *r, const members *m, const double *intercept)
{
	ex_json_cursor cursor;
	ex_json_value value;
	table		table;
	double	   *covariance = NULL;
	ex_linear_design design;

	EX_TRY(open_table(r, ex_json_count(r->json, m->columns), &table));
	ex_json_begin(r->json, m->columns, &cursor);
	for (size_t c = 0; ex_json_next(r->json, &cursor, &value); c++)
	{
		EX_TRY(ex_poll(r->json->host));
		EX_TRY(read_column(r, value, c, &table));
	}
	if (m->intercept_error.at != NULL)
	{
		table.has_errors = true;
		EX_TRY(read_line(r, m->intercept_error, "intercept_standard_error", true, &table,
						 table.error + table.n, table.n + 1));
	}
	if (m->covariance.at != NULL)
		EX_TRY(read_covariance(r, m->covariance, table.n, &covariance));
	design = (ex_linear_design) {
		table.n, table.column, table.coefficient, intercept,
		table.has_errors ? table.error : NULL, covariance
	};
	return ex_linear_put(r->builder, &design);
}

ex_status
ex_linear_read_json(ex_builder *builder, ex_json *json, ex_json_value document)
{
	members		m;
	const ex_json_member table[] = {
		{"intercept", EX_JSON_NUMBER | EX_JSON_ARRAY, false, &m.intercept},
		{"coefficients", EX_JSON_OBJECT | EX_JSON_ARRAY, false, &m.coefficients},
		{"columns", EX_JSON_ARRAY, false, &m.columns},
		{"intercept_standard_error", EX_JSON_NUMBER | EX_JSON_ARRAY | EX_JSON_NULL, false,
		&m.intercept_error},
		{"covariance", EX_JSON_ARRAY, false, &m.covariance}
	};
	reader		r = {.builder = builder, .json = json};
	double	   *intercept;

	EX_TRY(ex_json_read_document(json, document, table, 5));
	if ((m.coefficients.at != NULL) == (m.columns.at != NULL))
		return ex_fail(json->host, EX_INVALID, "linear model must have either \"coefficients\" or \"columns\"");
	if (m.columns.at == NULL && (m.intercept_error.at != NULL || m.covariance.at != NULL))
		return ex_fail(json->host, EX_INVALID, "standard errors and covariance need \"columns\"");
	EX_TRY(EX_ALLOC(json->host, builder->n_outputs, &intercept));
	if (m.intercept.at != NULL)
		EX_TRY(read_numbers(json, m.intercept, "intercept", builder->n_outputs, false, intercept));
	EX_TRY(ex_index_levels(builder, &r.levels));
	EX_TRY(ex_index_features(builder, &r.features));
	if (m.columns.at != NULL)
		return read_columns(&r, &m, intercept);
	return read_coefficients(&r, m.coefficients, intercept);
}

/*
 * Writing.
 */

typedef ex_column_writer writer;

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(double)) == 0;
}

static double
implied_missing(const ex_linear_view *view, const ex_column *column)
{
	const uint8_t *policy = ex_get(view->model, EX_FEATURE_MISSING, NULL);
	const double *impute = ex_get(view->model, EX_FEATURE_IMPUTE, NULL);

	return ex_implied_missing(column, (ex_missing_policy) policy[column->feature],
							  impute[column->feature]);
}

/* Can coefficients be written by name, without loss? */
static bool
is_simple(const ex_linear_view *view)
{
	if (view->standard_error != NULL || view->covariance != NULL)
		return false;
	for (uint32_t c = 0; c < view->n_columns; c++)
	{
		ex_column	column;

		ex_linear_get_column(view, c, &column);
		if (column.kind > EX_COLUMN_LEVEL_IS || !same_bits(column.missing, implied_missing(view, &column)))
			return false;
	}
	return true;
}

static ex_status
put_text(writer *w, const char *text)
{
	return ex_append_text(w->host, w->out, text);
}

static ex_status
put_number(writer *w, double value)
{
	return ex_json_put_double(w->host, w->out, value);
}

/* One number alone, several as an array; NaN as null. */
static ex_status
write_line(writer *w, const double *value, size_t stride, uint32_t n)
{
	if (n > 1)
		EX_TRY(put_text(w, "["));
	for (uint32_t k = 0; k < n; k++)
	{
		double		x = value[k * stride];

		if (k > 0)
			EX_TRY(put_text(w, ","));
		EX_TRY(isnan(x) ? put_text(w, "null") : put_number(w, x));
	}
	return n > 1 ? put_text(w, "]") : EX_OK;
}

static ex_status
write_feature_name(writer *w, uint32_t feature)
{
	uint32_t	length;
	const char *name = ex_get_name(w->view.model, EX_FEATURE_NAME_START, feature, &length);

	return ex_json_put_string(w->host, w->out, name, length);
}

static ex_status
write_level_name(writer *w, uint32_t c)
{
	uint32_t	feature = w->view.feature[c];
	uint32_t	level = w->view.level[c];
	uint32_t	length;
	const char *name;

	if (w->flags[feature] & EX_FEATURE_CODED)
		return ex_appendf(w->host, w->out, "\"%u\"", level);
	name = ex_get_name(w->view.model, EX_LEVEL_NAME_START, w->first_level[feature] + level, &length);
	return ex_json_put_string(w->host, w->out, name, length);
}

/* {"age":0.2,"sex":{"m":1.3}} for one output */
static ex_status
write_named(writer *w, uint32_t output)
{
	const ex_linear_view *view = &w->view;
	const double *coefficient = view->coefficient + (size_t) output * view->n_columns;

	EX_TRY(put_text(w, "{"));
	for (uint32_t c = 0; c < view->n_columns; c++)
	{
		bool		levels = view->kind[c] == EX_COLUMN_LEVEL_IS;
		bool		first = c == 0 || view->feature[c] != view->feature[c - 1];
		bool		last = c + 1 == view->n_columns || view->feature[c] != view->feature[c + 1];

		EX_TRY(ex_poll(w->host));
		if (c > 0)
			EX_TRY(put_text(w, ","));
		if (first)
		{
			EX_TRY(write_feature_name(w, view->feature[c]));
			EX_TRY(put_text(w, levels ? ":{" : ":"));
		}
		if (levels)
		{
			EX_TRY(write_level_name(w, c));
			EX_TRY(put_text(w, ":"));
		}
		EX_TRY(put_number(w, coefficient[c]));
		if (levels && last)
			EX_TRY(put_text(w, "}"));
	}
	return put_text(w, "}");
}

static ex_status
write_coefficients(writer *w)
{
	const ex_linear_view *view = &w->view;

	EX_TRY(put_text(w, ",\"coefficients\":"));
	if (view->n_outputs == 1)
		return write_named(w, 0);
	for (uint32_t k = 0; k < view->n_outputs; k++)
	{
		uint32_t	length;
		const char *name = ex_get_name(view->model, EX_OUTPUT_NAME_START, k, &length);

		EX_TRY(put_text(w, k > 0 ? "," : "{"));
		EX_TRY(ex_json_put_string(w->host, w->out, name, length));
		EX_TRY(put_text(w, ":"));
		EX_TRY(write_named(w, k));
	}
	return put_text(w, "}");
}

static ex_status
write_kind(writer *w, uint32_t c)
{
	const ex_linear_view *view = &w->view;
	double		limits[2] = {view->low[c], view->high[c]};

	switch (view->kind[c])
	{
		case EX_COLUMN_LEVEL_IS:
			EX_TRY(put_text(w, ",\"level\":"));
			return write_level_name(w, c);
		case EX_COLUMN_BIN:
			EX_TRY(put_text(w, ",\"bin\":"));
			return ex_json_put_doubles(w->host, w->out, limits, 2);
		case EX_COLUMN_ISNULL:
			return put_text(w, ",\"indicator\":true");
		default:
			return EX_OK;
	}
}

ex_status
ex_column_write(ex_column_writer *w, uint32_t c)
{
	EX_TRY(put_text(w, "{\"feature\":"));
	EX_TRY(write_feature_name(w, w->view.feature[c]));
	return write_kind(w, c);
}

static ex_status
write_column(writer *w, uint32_t c)
{
	const ex_linear_view *view = &w->view;
	uint32_t	n = view->n_columns;
	ex_column	column;

	ex_linear_get_column(view, c, &column);
	EX_TRY(ex_column_write(w, c));
	if (!same_bits(column.missing, implied_missing(view, &column)))
	{
		EX_TRY(put_text(w, ",\"missing\":"));
		EX_TRY(put_number(w, column.missing));
	}
	EX_TRY(put_text(w, ",\"coefficient\":"));
	EX_TRY(write_line(w, view->coefficient + c, n, view->n_outputs));
	if (view->standard_error != NULL)
	{
		EX_TRY(put_text(w, ",\"standard_error\":"));
		EX_TRY(write_line(w, view->standard_error + c, n + 1, view->n_outputs));
	}
	return put_text(w, "}");
}

static ex_status
write_columns(writer *w)
{
	const ex_linear_view *view = &w->view;
	size_t		side = (size_t) view->n_outputs * (view->n_columns + 1);

	for (uint32_t c = 0; c < view->n_columns; c++)
	{
		EX_TRY(ex_poll(w->host));
		EX_TRY(put_text(w, c > 0 ? "," : ",\"columns\":["));
		EX_TRY(write_column(w, c));
	}
	EX_TRY(put_text(w, "]"));
	if (view->standard_error != NULL)
	{
		EX_TRY(put_text(w, ",\"intercept_standard_error\":"));
		EX_TRY(write_line(w, view->standard_error + view->n_columns, view->n_columns + 1,
						  view->n_outputs));
	}
	for (size_t i = 0; view->covariance != NULL && i < side; i++)
	{
		EX_TRY(ex_poll(w->host));
		EX_TRY(put_text(w, i > 0 ? "," : ",\"covariance\":["));
		EX_TRY(ex_json_put_doubles(w->host, w->out, view->covariance + i * side, side));
	}
	return view->covariance != NULL ? put_text(w, "]") : EX_OK;
}

ex_status
ex_column_writer_open(ex_column_writer *w, ex_host *host, const ex_model *model, ex_buffer *out)
{
	const uint32_t *n_levels = ex_get(model, EX_FEATURE_LEVELS, NULL);
	uint32_t	first = 0;

	w->host = host;
	w->out = out;
	ex_linear_open(model, &w->view);
	w->flags = ex_get(w->view.model, EX_FEATURE_FLAGS, NULL);
	EX_TRY(EX_ALLOC(w->host, w->view.n_features, &w->first_level));
	for (uint32_t f = 0; f < w->view.n_features; f++)
	{
		w->first_level[f] = first;
		if (!(w->flags[f] & EX_FEATURE_CODED))
			first += n_levels[f];
	}
	return EX_OK;
}

ex_status
ex_linear_write_json(ex_host *host, const ex_model *model, ex_buffer *out)
{
	writer		w;

	EX_TRY(ex_column_writer_open(&w, host, model, out));
	EX_TRY(put_text(&w, ",\"intercept\":"));
	EX_TRY(write_line(&w, w.view.intercept, 1, w.view.n_outputs));
	return is_simple(&w.view) ? write_coefficients(&w) : write_columns(&w);
}
