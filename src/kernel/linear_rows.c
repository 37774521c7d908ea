/*
 * linear_rows.c
 *		A linear model from the rows of a coefficient table.
 */
#include "linear_rows.h"

#include <math.h>
#include <string.h>

#include "linear.h"

enum
{
	FEATURE,
	COEFFICIENT,
	OUTPUT,
	LEVEL,
	LOW,
	HIGH,
	STANDARD_ERROR,
	KIND,
	N_FIELDS
};

const ex_table ex_coefficient_table = {
	.name = "coefficient table",
	.magic = 0x43525845,		/* "EXRC" */
	.n_fields = N_FIELDS,
	.field = {
		[FEATURE] = {"feature", EX_FIELD_TEXT, true, false},
		[COEFFICIENT] = {"coefficient", EX_FIELD_NUMBER, true, false},
		[OUTPUT] = {"output", EX_FIELD_TEXT, false, false},
		[LEVEL] = {"level", EX_FIELD_TEXT, false, false},
		[LOW] = {"low", EX_FIELD_NUMBER, false, false},
		[HIGH] = {"high", EX_FIELD_NUMBER, false, false},
		[STANDARD_ERROR] = {"standard_error", EX_FIELD_NUMBER, false, false},
		[KIND] = {"kind", EX_FIELD_TEXT, false, false}
	}
};

/* Kinds of rows: the intercept, or a column of the design. */
typedef enum row_kind
{
	ROW_INTERCEPT,
	ROW_VALUE,
	ROW_LEVEL,
	ROW_BIN,
	ROW_MISSING
} row_kind;

static const char *const kind_names[] = {
	[ROW_INTERCEPT] = "intercept",
	[ROW_VALUE] = "value",
	[ROW_LEVEL] = "level",
	[ROW_BIN] = "bin",
	[ROW_MISSING] = "missing"
};

#define N_KINDS ((int) (sizeof(kind_names) / sizeof(kind_names[0])))

static const ex_column_kind column_kinds[] = {
	[ROW_VALUE] = EX_COLUMN_VALUE,
	[ROW_LEVEL] = EX_COLUMN_LEVEL_IS,
	[ROW_BIN] = EX_COLUMN_BIN,
	[ROW_MISSING] = EX_COLUMN_ISNULL
};

typedef struct row
{
	ex_string	feature;		/* first: rows are sorted by it */
	ex_string	output;
	ex_string	level;
	row_kind	kind;
	double		low;			/* 0 unless kind is ROW_BIN */
	double		high;
	double		coefficient;
	double		error;			/* NaN: unknown */
} row;

typedef struct table_reader
{
	ex_host    *host;
	ex_builder *builder;
	size_t		n;
	row		   *rows;
	row		  **sorted;			/* those that are not intercepts, by feature */
	size_t		n_sorted;
	ex_string_set outputs;		/* K names in order */
	bool		has_errors;
	ex_linear_term *term;
} table_reader;

static bool
is_word(ex_string string, const char *word)
{
	return string.text != NULL && string.length == strlen(word) &&
		memcmp(string.text, word, string.length) == 0;
}

static bool
is_intercept_name(ex_string feature)
{
	return feature.text == NULL || is_word(feature, "(Intercept)") || is_word(feature, "(intercept)") ||
		is_word(feature, "Intercept") || is_word(feature, "intercept") || is_word(feature, "const");
}

/* Name of a row in messages. */
static ex_string
name_of(const row *r)
{
	static const ex_string intercept = {"(Intercept)", 11};

	return r->feature.text == NULL ? intercept : r->feature;
}

static ex_status
bad_row(table_reader *reader, const row *r, ex_status status, const char *what)
{
	ex_string	name = name_of(r);

	ex_fail(reader->host, status, "coefficient of \"%.*s\" %s", (int) name.length, name.text, what);
	if (r->level.text != NULL)
		ex_detail(reader->host, "Its level is \"%.*s\".", (int) r->level.length, r->level.text);
	return status;
}

/* ----------------------------------------------------------------
 * Reading rows
 * ---------------------------------------------------------------- */

static ex_status
read_kind(table_reader *reader, const ex_field *field, row *r)
{
	bool		is_bin = field[LOW].type != EX_FIELD_NULL || field[HIGH].type != EX_FIELD_NULL;

	if (field[KIND].type != EX_FIELD_NULL)
	{
		for (int i = 0; i < N_KINDS; i++)
			if (is_word(field[KIND].text, kind_names[i]))
				r->kind = (row_kind) i;
		if (!is_word(field[KIND].text, kind_names[r->kind]))
		{
			bad_row(reader, r, EX_INVALID, "has an unknown kind");
			ex_hint(reader->host, "Kinds are intercept, value, level, bin and missing.");
			return EX_INVALID;
		}
	}
	else if (r->level.text != NULL)
		r->kind = ROW_LEVEL;
	else if (is_bin)
		r->kind = ROW_BIN;
	else
		r->kind = is_intercept_name(r->feature) ? ROW_INTERCEPT : ROW_VALUE;

	if (r->kind != ROW_INTERCEPT && r->feature.text == NULL)
		return bad_row(reader, r, EX_NULL, "has a level or a bin, but no feature");
	if ((r->kind == ROW_LEVEL) != (r->level.text != NULL))
		return bad_row(reader, r, EX_INVALID, r->kind == ROW_LEVEL ? "has no level" :
					   "has a level, but is not that of a level");
	if (r->kind != ROW_BIN && is_bin)
		return bad_row(reader, r, EX_INVALID, "has a bin, but is not that of a bin");
	return EX_OK;
}

/* low < x <= high, where a missing end is open */
static ex_status
read_bin(table_reader *reader, const ex_field *field, row *r)
{
	if (r->kind != ROW_BIN)
		return EX_OK;
	r->low = field[LOW].type == EX_FIELD_NULL ? -INFINITY : field[LOW].number;
	r->high = field[HIGH].type == EX_FIELD_NULL ? INFINITY : field[HIGH].number;
	return r->low < r->high ? EX_OK : bad_row(reader, r, EX_INVALID, "has an empty bin");
}

static ex_status
read_numbers(table_reader *reader, const ex_field *field, row *r)
{
	if (field[COEFFICIENT].type == EX_FIELD_NULL)
		return bad_row(reader, r, EX_NULL, "must not be null");
	r->coefficient = field[COEFFICIENT].number;
	if (!isfinite(r->coefficient))
		return bad_row(reader, r, EX_RANGE, "is not a finite number");
	r->error = NAN;
	if (field[STANDARD_ERROR].type != EX_FIELD_NULL)
	{
		r->error = field[STANDARD_ERROR].number;
		reader->has_errors = true;
	}
	return EX_OK;
}

static ex_status
read_row(table_reader *reader, const ex_field *field, row *r)
{
	r->feature = field[FEATURE].text;
	r->output = field[OUTPUT].text;
	r->level = field[LEVEL].text;
	EX_TRY(read_kind(reader, field, r));
	EX_TRY(read_bin(reader, field, r));
	return read_numbers(reader, field, r);
}

static ex_status
read_rows(table_reader *reader, const void *bytes, size_t size)
{
	ex_rows_cursor cursor;
	ex_field	field[EX_TABLE_MAX_FIELDS];

	EX_TRY(ex_rows_check(reader->host, &ex_coefficient_table, bytes, size, &reader->n));
	EX_TRY(EX_ALLOC(reader->host, reader->n, &reader->rows));
	EX_TRY(EX_ALLOC(reader->host, reader->n, &reader->sorted));
	ex_rows_open(&cursor, &ex_coefficient_table, bytes, size);
	for (row *r = reader->rows; ex_rows_next(&cursor, field); r++)
	{
		EX_TRY(read_row(reader, field, r));
		EX_TRY(ex_poll_row(reader->host, (size_t) (r - reader->rows)));
		if (r->kind != ROW_INTERCEPT)
			reader->sorted[reader->n_sorted++] = r;
	}
	return ex_sort_pointers(reader->host, (void **) reader->sorted, reader->n_sorted,
							ex_compare_strings);
}

/* ----------------------------------------------------------------
 * Outputs
 * ---------------------------------------------------------------- */

static ex_status
put_outputs(table_reader *reader)
{
	static const ex_string zero = {"0", 1};
	ex_string_set *outputs = &reader->outputs;

	outputs->order = ex_compare_ids;
	for (size_t i = 0; i < reader->n; i++)
		if (reader->rows[i].output.text != NULL)
			EX_TRY(ex_string_set_add(reader->host, outputs, reader->rows[i].output));
	for (size_t i = 0; outputs->n > 0 && i < reader->n; i++)
		if (reader->rows[i].output.text == NULL)
			return bad_row(reader, &reader->rows[i], EX_NULL,
						   "has no output, but others have one");
	if (outputs->n == 0)
		EX_TRY(ex_string_set_add(reader->host, outputs, zero));
	ex_string_set_finish(outputs);
	if (outputs->n > EX_MAX_OUTPUTS)
		return ex_fail(reader->host, EX_LIMIT, "model has more than %d outputs", EX_MAX_OUTPUTS);
	for (size_t k = 0; k < outputs->n; k++)
		EX_TRY(ex_put_name(reader->builder, EX_OUTPUT_NAME_START, outputs->string[k].text,
						   outputs->string[k].length));
	reader->builder->n_outputs = (uint32_t) outputs->n;
	return EX_OK;
}

static uint32_t
output_of(const table_reader *reader, const row *r)
{
	return r->output.text == NULL ? 0 :
		(uint32_t) ex_find_string(reader->outputs.string, reader->outputs.n, r->output, ex_compare_ids);
}

/* ----------------------------------------------------------------
 * Features and their columns
 * ---------------------------------------------------------------- */

static ex_status
terminated(ex_host *host, ex_string string, const char **out)
{
	char	   *copy;

	EX_TRY(EX_ALLOC(host, string.length + (size_t) 1, &copy));
	memcpy(copy, string.text, string.length);
	*out = copy;
	return EX_OK;
}

/* The distinct levels of the rows of one feature. */
static ex_status
put_levels(table_reader *reader, row *const *r, size_t n, ex_string_set *levels, ex_feature *feature)
{
	const char **names;

	for (size_t i = 0; i < n; i++)
	{
		if (r[i]->kind == ROW_LEVEL)
			EX_TRY(ex_string_set_add(reader->host, levels, r[i]->level));
		else if (r[i]->kind != ROW_MISSING)
			return bad_row(reader, r[i], EX_INVALID, "has no level, but others of the same feature have one");
	}
	ex_string_set_finish(levels);
	if (levels->n > EX_MAX_LEVELS)
		return ex_fail(reader->host, EX_LIMIT, "feature has more than %d levels", EX_MAX_LEVELS);
	EX_TRY(EX_ALLOC(reader->host, levels->n, &names));
	for (size_t i = 0; i < levels->n; i++)
		EX_TRY(terminated(reader->host, levels->string[i], &names[i]));
	feature->kind = EX_CATEGORICAL;
	feature->missing = EX_MISSING_NATIVE;
	feature->unknown = EX_UNKNOWN_OTHER;
	feature->levels = names;
	feature->n_levels = (uint32_t) levels->n;
	return EX_OK;
}

static void
put_term(table_reader *reader, const row *r, const ex_string_set *levels)
{
	ex_linear_term *term = reader->term++;

	term->column.feature = reader->builder->n_features - 1;
	term->column.kind = column_kinds[r->kind];
	term->column.level = r->kind != ROW_LEVEL ? 0 :
		(uint32_t) ex_find_string(levels->string, levels->n, r->level, ex_compare_strings);
	term->column.low = r->low;
	term->column.high = r->high;
	term->column.missing = NAN;
	term->output = output_of(reader, r);
	term->coefficient = r->coefficient;
	term->standard_error = r->error;
}

/* The n rows at r are those of one feature. */
static ex_status
put_feature(table_reader *reader, row *const *r, size_t n)
{
	ex_feature	feature = {.name = r[0]->feature.text, .name_length = r[0]->feature.length};
	ex_string_set levels = {.order = ex_compare_strings};
	bool		has_levels = false;

	for (size_t i = 0; i < n; i++)
	{
		has_levels |= r[i]->kind == ROW_LEVEL;
		if (r[i]->kind == ROW_MISSING)
			feature.missing = EX_MISSING_NATIVE;
	}
	if (has_levels)
		EX_TRY(put_levels(reader, r, n, &levels, &feature));
	EX_TRY(ex_put_feature(reader->builder, &feature));
	for (size_t i = 0; i < n; i++)
		put_term(reader, r[i], &levels);
	return EX_OK;
}

static ex_status
put_features(table_reader *reader)
{
	row		   *const *r = reader->sorted;
	size_t		first = 0;

	EX_TRY(EX_ALLOC(reader->host, reader->n_sorted, &reader->term));
	while (first < reader->n_sorted)
	{
		size_t		end = first + 1;

		while (end < reader->n_sorted && ex_compare_strings(r[first], r[end]) == 0)
			end++;
		if (reader->builder->n_features >= EX_MAX_FEATURES)
			return ex_fail(reader->host, EX_LIMIT, "model has more than %d features", EX_MAX_FEATURES);
		EX_TRY(put_feature(reader, r + first, end - first));
		EX_TRY(ex_poll_row(reader->host, first));
		first = end;
	}
	reader->term -= reader->n_sorted;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Intercepts
 * ---------------------------------------------------------------- */

/* One number per output; 0 where the table has no row for it. */
static ex_status
read_intercepts(table_reader *reader, double **intercept, double **error)
{
	uint32_t	n_outputs = reader->builder->n_outputs;
	bool	   *seen;

	EX_TRY(EX_ALLOC(reader->host, n_outputs, intercept));
	EX_TRY(EX_ALLOC(reader->host, n_outputs, error));
	EX_TRY(EX_ALLOC(reader->host, n_outputs, &seen));
	for (uint32_t k = 0; k < n_outputs; k++)
		(*error)[k] = NAN;
	for (const row *r = reader->rows; r < reader->rows + reader->n; r++)
	{
		uint32_t	k = output_of(reader, r);

		if (r->kind != ROW_INTERCEPT)
			continue;
		if (seen[k])
			return bad_row(reader, r, EX_INVALID, "appears twice for the same output");
		seen[k] = true;
		(*intercept)[k] = r->coefficient;
		(*error)[k] = r->error;
	}
	return EX_OK;
}

ex_status
ex_linear_from_rows(ex_host *host, const void *bytes, size_t size, ex_builder *builder)
{
	table_reader reader = {.host = host, .builder = builder};
	double	   *intercept;
	double	   *error;

	ex_builder_init(builder, host, EX_LINEAR);
	EX_TRY(read_rows(&reader, bytes, size));
	if (reader.n_sorted == 0)
	{
		ex_fail(host, EX_INVALID, "coefficient table has no coefficients");
		ex_hint(host, "Besides an intercept it needs a row for each feature.");
		return EX_INVALID;
	}
	EX_TRY(put_outputs(&reader));
	EX_TRY(put_features(&reader));
	EX_TRY(read_intercepts(&reader, &intercept, &error));
	return ex_linear_put_terms(builder, reader.term, reader.n_sorted, intercept,
							   reader.has_errors ? error : NULL);
}
