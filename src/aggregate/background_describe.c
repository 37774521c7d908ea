/*
 * background_describe.c
 *		A background sample as rows: statistics, levels, the sample itself.
 */
#include "aggregate/background.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "rows/rows.h"

PG_FUNCTION_INFO_V1(explain_background_statistics);
PG_FUNCTION_INFO_V1(explain_background_levels);
PG_FUNCTION_INFO_V1(explain_background_rows);

/* The sample's columns by name, so that their order does not depend on the plan. */
static int
compare_columns(const void *a, const void *b)
{
	const ex_sample_column *left = *(const ex_sample_column *const *) a;
	const ex_sample_column *right = *(const ex_sample_column *const *) b;

	if (left->name == NULL)
		return left < right ? -1 : 1;
	return strcmp(left->name, right->name);
}

static const ex_sample_column **
sorted_columns(const ex_sample *sample)
{
	const ex_sample_column **column = palloc(sample->n_columns * sizeof(*column) + 1);

	for (uint32 c = 0; c < sample->n_columns; c++)
		column[c] = &sample->column[c];
	qsort(column, sample->n_columns, sizeof(*column), compare_columns);
	return column;
}

/* The column's name; positions are numbered from 1. */
static void
put_name(RowWriter *row, const ex_sample *sample, const ex_sample_column *column)
{
	char		number[12];

	if (column->name != NULL)
		row_text_n(row, column->name, column->name_length);
	else
	{
		snprintf(number, sizeof(number), "%d", (int) (column - sample->column) + 1);
		row_text(row, number);
	}
}

static void
put_value(RowWriter *row, ex_cell_type type, double number, const ex_sample_value *text)
{
	char		buffer[32];

	switch (type)
	{
		case EX_CELL_TEXT:
			row_text_n(row, text->text, text->length);
			break;
		case EX_CELL_BOOLEAN:
			row_text(row, number != 0 ? "true" : "false");
			break;
		default:
			double_to_shortest_decimal_buf(number, buffer);
			row_text(row, buffer);
	}
}

Datum
explain_background_statistics(PG_FUNCTION_ARGS)
{
	static const char *const types[] = {NULL, "number", "boolean", "text"};
	const ex_sample *sample = background_get(PG_GETARG_DATUM(0));
	const ex_sample_column **column = sorted_columns(sample);
	RowWriter	row;

	rows_begin(fcinfo, &row);
	for (uint32 c = 0; c < sample->n_columns; c++)
	{
		const ex_moments *moments = &column[c]->moments;

		put_name(&row, sample, column[c]);
		row_text(&row, types[column[c]->type]);
		row_float8(&row, (double) sample->n);
		row_float8(&row, (double) column[c]->n);
		row_float8(&row, (double) (sample->n - column[c]->n) / (double) sample->n);
		row_float8(&row, ex_moments_mean(moments));
		row_float8(&row, ex_moments_sd(moments));
		row_float8(&row, moments->min);
		row_float8(&row, moments->max);
		row_float8(&row, column[c]->counting ? column[c]->n_values : NAN);
		row_end(&row);
	}
	return (Datum) 0;
}

/* Most frequent first, equal ones by value. */
static int
compare_values(const void *a, const void *b)
{
	const ex_sample_value *left = *(const ex_sample_value *const *) a;
	const ex_sample_value *right = *(const ex_sample_value *const *) b;

	if (left->count != right->count)
		return left->count > right->count ? -1 : 1;
	if (left->text !=NULL)
		return strcmp(left->text, right->text);
	return left->number < right->number ? -1 : left->number > right->number;
}

static void
put_levels(RowWriter *row, const ex_sample *sample, const ex_sample_column *column)
{
	const ex_sample_value **value = palloc(column->n_values * sizeof(*value) + 1);

	for (uint32 v = 0; v < column->n_values; v++)
		value[v] = &column->value[v];
	qsort(value, column->n_values, sizeof(*value), compare_values);
	for (uint32 v = 0; v < column->n_values; v++)
	{
		put_name(row, sample, column);
		put_value(row, column->type, value[v]->number, value[v]);
		row_float8(row, (double) value[v]->count);
		row_float8(row, (double) value[v]->count / (double) sample->n);
		row_end(row);
	}
	pfree(value);
}

Datum
explain_background_levels(PG_FUNCTION_ARGS)
{
	const ex_sample *sample = background_get(PG_GETARG_DATUM(0));
	const ex_sample_column **column = sorted_columns(sample);
	RowWriter	row;

	rows_begin(fcinfo, &row);
	for (uint32 c = 0; c < sample->n_columns; c++)
		if (column[c]->counting)
			put_levels(&row, sample, column[c]);
	return (Datum) 0;
}

Datum
explain_background_rows(PG_FUNCTION_ARGS)
{
	const ex_sample *sample = background_get(PG_GETARG_DATUM(0));
	const ex_sample_column **column = sorted_columns(sample);
	RowWriter	row;

	rows_begin(fcinfo, &row);
	for (size_t r = 0; r < sample->n_rows; r++)
	{
		CHECK_FOR_INTERRUPTS();
		for (uint32 c = 0; c < sample->n_columns; c++)
		{
			uint32		position = (uint32) (column[c] - sample->column);
			double		cell = ex_sample_cell_at(sample, r, position);
			bool text = column[c]->type == EX_CELL_TEXT && !isnan(cell);

			row_int4(&row, (int32) r + 1);
			row_float8(&row, (double) sample->row[r].count);
			put_name(&row, sample, column[c]);
			if (isnan(cell))
				row_null(&row);
			else
				put_value(&row, column[c]->type, cell, text ? &column[c]->value[(uint32) cell] : NULL);
			row_end(&row);
		}
	}
	return (Datum) 0;
}
