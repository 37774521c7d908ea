/*
 * background_code.c
 *		The text and wire forms of a background sample.
 *
 * Columns are in order of their names, values of a column in their own order
 * and rows in order of their hashes, so that equal samples have equal forms.
 * A reader insists on the order of columns and values, which rules out that one
 * is there twice, and sorts the rows to find one that is.
 */
#include "background_internal.h"

#include <stdlib.h>

#include "model.h"

/* Columns of a sample that is written: their order, and the order of their values. */
typedef struct written_column
{
	const ex_sample_column *column;
	uint32_t	position;		/* in the sample */
	const ex_sample_value **value;	/* sorted */
	uint32_t   *rank;			/* of the i-th value of the sample's list */
} written_column;

static int
compare_text(const char *a, uint32_t a_length, const char *b, uint32_t b_length)
{
	int			order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	if (order != 0)
		return order;
	return a_length < b_length ? -1 : a_length > b_length;
}

static int
compare_columns(const void *a, const void *b)
{
	const written_column *left = a;
	const written_column *right = b;

	if (left->column->name == NULL)
		return left->position < right->position ? -1 : 1;
	return compare_text(left->column->name, left->column->name_length,
						right->column->name, right->column->name_length);
}

static int
compare_values(const ex_sample_value *a, const ex_sample_value *b)
{
	if (a->text == NULL)
		return a->number < b->number ? -1 : a->number > b->number;
	return compare_text(a->text, a->length, b->text, b->length);
}

static int
compare_value_pointers(const void *a, const void *b)
{
	return compare_values(*(const ex_sample_value *const *) a, *(const ex_sample_value *const *) b);
}

static ex_status
order_values(ex_host *host, written_column *written)
{
	const ex_sample_column *column = written->column;

	EX_TRY(EX_ALLOC(host, column->n_values, &written->value));
	EX_TRY(EX_ALLOC(host, column->n_values, &written->rank));
	for (uint32_t i = 0; i < column->n_values; i++)
		written->value[i] = &column->value[i];
	qsort(written->value, column->n_values, sizeof(*written->value), compare_value_pointers);
	for (uint32_t i = 0; i < column->n_values; i++)
		written->rank[written->value[i] - column->value] = i;
	return EX_OK;
}

static ex_status
order_columns(ex_host *host, const ex_sample *sample, written_column **written)
{
	EX_TRY(EX_ALLOC(host, sample->n_columns, written));
	for (uint32_t c = 0; c < sample->n_columns; c++)
	{
		(*written)[c].column = &sample->column[c];
		(*written)[c].position = c;
		EX_TRY(order_values(host, &(*written)[c]));
	}
	qsort(*written, sample->n_columns, sizeof(**written), compare_columns);
	return EX_OK;
}

/* Everything before the columns. */
static ex_status
code_head(ex_codec *codec, ex_sample *sample, uint32_t *n_columns)
{
	uint32_t	positional = sample->positional;

	EX_TRY(ex_code_header(codec, "background_sample", EX_SAMPLE_VERSION));
	EX_TRY(ex_code_u64(codec, "sample size", &sample->size, EX_MAX_BACKGROUND));
	EX_TRY(ex_code_i64(codec, "seed", &sample->seed, INT64_MIN, INT64_MAX));
	EX_TRY(ex_code_u64(codec, "row count", &sample->n, EX_EXACT_MAX_TERMS));
	EX_TRY(ex_code_u32(codec, "kind of columns", &positional, 1));
	/* a column is at least its type and two counts */
	EX_TRY(ex_code_count(codec, "column count", n_columns, EX_SAMPLE_MAX_COLUMNS, 4));
	sample->positional = positional != 0;
	return EX_OK;
}

/* The values that are not missing: their number and, for numbers, their moments. */
static ex_status
code_statistics(ex_codec *codec, ex_sample_column *column)
{
	uint32_t	type = column->type;

	EX_TRY(ex_code_u32(codec, "type of a column", &type, EX_CELL_TEXT));
	column->type = (ex_cell_type) type;
	switch (column->type)
	{
		case EX_CELL_UNSEEN:
			return EX_OK;
		case EX_CELL_TEXT:
			return ex_code_u64(codec, "number of texts", &column->n, EX_EXACT_MAX_TERMS);
		case EX_CELL_NUMBER:
		case EX_CELL_BOOLEAN:
			EX_TRY(ex_code_moments(codec, "moments", &column->moments));
			column->n = column->moments.n;
	}
	return EX_OK;
}

/* A value and, where all are counted, its count. */
static ex_status
code_value(ex_codec *codec, ex_cell_type type, bool counting, ex_sample_value *value)
{
	if (type == EX_CELL_TEXT)
		EX_TRY(ex_code_text(codec, "text", &value->text, &value->length, EX_MAX_NAME + 4));
	else
		EX_TRY(ex_code_f64(codec, "number", &value->number));
	return counting ? ex_code_u64(codec, "count", &value->count, EX_EXACT_MAX_TERMS) : EX_OK;
}

/* ---- writing ---- */

static ex_status
write_column(ex_codec *codec, const ex_sample *sample, const written_column *written)
{
	ex_sample_column column = *written->column;
	uint32_t	counting = column.counting;

	if (!sample->positional)
		EX_TRY(ex_code_text(codec, "name", &column.name, &column.name_length, EX_MAX_NAME));
	EX_TRY(code_statistics(codec, &column));
	EX_TRY(ex_code_u32(codec, "counting", &counting, 1));
	EX_TRY(ex_code_u32(codec, "number of values", &column.n_values, UINT32_MAX));
	for (uint32_t i = 0; i < column.n_values; i++)
	{
		ex_sample_value value = *written->value[i];

		EX_TRY(code_value(codec, column.type, column.counting, &value));
	}
	return EX_OK;
}

static ex_status
write_row(ex_codec *codec, const ex_sample *sample, const written_column *written, size_t r)
{
	uint64_t	count = sample->row[r].count;

	EX_TRY(ex_code_u64(codec, "row weight", &count, EX_EXACT_MAX_TERMS));
	for (uint32_t i = 0; i < sample->n_columns; i++)
	{
		double		cell = ex_sample_cell_at(sample, r, written[i].position);

		if (written[i].column->type == EX_CELL_TEXT && !isnan(cell))
			cell = written[i].rank[(uint32_t) cell];
		EX_TRY(ex_code_f64(codec, "cell", &cell));
	}
	return EX_OK;
}

ex_status
ex_sample_write(ex_codec *codec, ex_sample *sample)
{
	written_column *written;
	uint32_t	n_rows;

	EX_TRY(ex_sample_settle(sample));
	EX_TRY(order_columns(codec->host, sample, &written));
	EX_TRY(code_head(codec, sample, &sample->n_columns));
	for (uint32_t i = 0; i < sample->n_columns; i++)
		EX_TRY(write_column(codec, sample, &written[i]));
	n_rows = (uint32_t) sample->n_rows;
	EX_TRY(ex_code_u32(codec, "number of rows", &n_rows, EX_MAX_BACKGROUND));
	for (size_t r = 0; r < sample->n_rows; r++)
	{
		if (r % 1024 == 1023)
			EX_TRY(ex_poll(codec->host));
		EX_TRY(write_row(codec, sample, written, r));
	}
	return ex_code_end(codec);
}

/* ---- reading ---- */

static ex_status
read_name(ex_codec *codec, ex_sample *sample)
{
	const char *name;
	uint32_t	length;
	uint32_t	c = sample->n_columns;

	EX_TRY(ex_code_text(codec, "name", &name, &length, EX_MAX_NAME));
	if (c > 0 && compare_text(sample->column[c - 1].name, sample->column[c - 1].name_length,
							  name, length) >= 0)
		return ex_code_fail(codec, "order of names");
	return ex_sample_append_column(sample, name, length);
}

static bool
valid_number(ex_cell_type type, double number)
{
	if (type == EX_CELL_BOOLEAN)
		return number == 0 || number == 1;
	return isfinite(number) && number == floor(number);
}

/* A list of values is strictly ascending, and its counts are those of the column. */
static ex_status
read_values(ex_codec *codec, ex_sample *sample, ex_sample_column *column, uint32_t n_values)
{
	ex_sample_value last = {{0, 0}, 0, NULL, 0, 0};
	uint64_t	total = 0;

	for (uint32_t i = 0; i < n_values; i++)
	{
		ex_sample_value value = {{0, 0}, 0, NULL, 0, 0};

		EX_TRY(code_value(codec, column->type, column->counting, &value));
		if (i > 0 && compare_values(&last, &value) >= 0)
			return ex_code_fail(codec, "order of values");
		if (value.text == NULL && !valid_number(column->type, value.number))
			return ex_code_fail(codec, "number");
		if (column->counting && (value.count == 0 || value.count > column->n - total))
			return ex_code_fail(codec, "count");
		total += value.count;
		EX_TRY(ex_sample_append_value(sample, column, &value));
		last = value;
	}
	return column->counting && total != column->n ? ex_code_fail(codec, "counts") : EX_OK;
}

static bool
valid_column(const ex_sample *sample, const ex_sample_column *column, uint32_t n_values)
{
	if (column->n > sample->n || (column->type == EX_CELL_UNSEEN) != (column->n == 0))
		return false;
	if (column->counting)
		return n_values <= EX_SAMPLE_MAX_LEVELS && (column->type != EX_CELL_BOOLEAN ||
													(column->moments.min >= 0 && column->moments.max <= 1));
	return column->type == EX_CELL_TEXT ? n_values <= sample->size :
		column->type == EX_CELL_NUMBER && n_values == 0;
}

static ex_status
read_column(ex_codec *codec, ex_sample *sample, uint32_t c)
{
	ex_sample_column *column;
	uint32_t	counting = 0;
	uint32_t	n_values = 0;

	if (!sample->positional)
		EX_TRY(read_name(codec, sample));
	column = &sample->column[c];
	EX_TRY(code_statistics(codec, column));
	EX_TRY(ex_code_u32(codec, "counting", &counting, 1));
	EX_TRY(ex_code_count(codec, "number of values", &n_values, UINT32_MAX, 2));
	column->counting = counting != 0;
	if (!valid_column(sample, column, n_values))
		return ex_code_fail(codec, "description of a column");
	return read_values(codec, sample, column, n_values);
}

/* One cell into the pending row. */
static ex_status
read_cell(ex_codec *codec, ex_sample *sample, uint32_t c)
{
	const ex_sample_column *column = &sample->column[c];
	double		cell = 0;

	EX_TRY(ex_code_f64(codec, "cell", &cell));
	if (isnan(cell))
		return EX_OK;
	switch (column->type)
	{
		case EX_CELL_NUMBER:
			if (isfinite(cell))
				return ex_sample_number(sample, c, cell);
			break;
		case EX_CELL_BOOLEAN:
			if (cell == 0 || cell == 1)
				return ex_sample_boolean(sample, c, cell == 1);
			break;
		case EX_CELL_TEXT:
			if (cell >= 0 && cell < column->n_values && cell == floor(cell))
			{
				ex_sample_pend_value(sample, c, &column->value[(uint32_t) cell]);
				return EX_OK;
			}
			break;
		case EX_CELL_UNSEEN:
			break;
	}
	return ex_code_fail(codec, "cell");
}

static ex_status
read_rows(ex_codec *codec, ex_sample *sample, uint32_t n_rows)
{
	uint64_t	total = 0;

	EX_TRY(ex_sample_reserve(sample, n_rows));
	for (uint32_t r = 0; r < n_rows; r++)
	{
		uint64_t	count = 0;

		if (r % 1024 == 1023)
			EX_TRY(ex_poll(codec->host));
		EX_TRY(ex_code_u64(codec, "row weight", &count, EX_EXACT_MAX_TERMS));
		if (count == 0 || count > sample->n - total)
			return ex_code_fail(codec, "row weight");
		total += count;
		EX_TRY(ex_sample_begin(sample));
		for (uint32_t c = 0; c < sample->n_columns; c++)
			EX_TRY(read_cell(codec, sample, c));
		EX_TRY(ex_sample_append_row(sample, count));
	}
	/* fewer rows than wanted: all are there */
	return n_rows < sample->size && total < sample->n ? ex_code_fail(codec, "row weights") : EX_OK;
}

ex_status
ex_sample_read(ex_codec *codec, ex_sample *sample)
{
	uint32_t	n_columns = 0;
	uint32_t	n_rows = 0;

	EX_TRY(ex_sample_init(sample, codec->host, 1, 0, false));
	EX_TRY(code_head(codec, sample, &n_columns));
	if (sample->n == 0 || sample->size == 0 || (sample->positional && n_columns == 0))
		return ex_code_fail(codec, "row or column count");
	if (sample->positional)
		EX_TRY(ex_sample_positions(sample, n_columns));
	for (uint32_t c = 0; c < n_columns; c++)
		EX_TRY(read_column(codec, sample, c));
	/* a row is at least its weight and its cells, of a digit and a space each */
	EX_TRY(ex_code_count(codec, "number of rows", &n_rows, EX_MAX_BACKGROUND,
						 2 * ((size_t) n_columns + 1) - 1));
	if (n_rows == 0 || n_rows > sample->size)
		return ex_code_fail(codec, "number of rows");
	EX_TRY(read_rows(codec, sample, n_rows));
	EX_TRY(ex_sample_settle(sample));
	if (sample->n_rows != n_rows)
		return ex_code_fail(codec, "second occurrence of a row");
	return ex_code_end(codec);
}
