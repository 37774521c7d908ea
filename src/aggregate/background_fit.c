/*
 * background_fit.c
 *		A background sample, or rows in feature order, in the terms of a model.
 */
#include "aggregate/background_fit.h"

#include "catalog/pg_type.h"
#include "input/feature.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include <math.h>

/* A sample that is being fitted to a model. */
typedef struct Fitting
{
	const ex_model *model;
	ex_sample  *sample;
	FeatureRule *rule;
	uint32	   *column;			/* of the sample, for each feature */
	InputRow	row;
} Fitting;

/* ---- columns ---- */

static char *
column_list(const ex_sample *sample)
{
	StringInfoData list;

	initStringInfo(&list);
	for (uint32 c = 0; c < sample->n_columns; c++)
	{
		if (list.len > 800)
		{
			appendStringInfo(&list, " and %u more", sample->n_columns - c);
			break;
		}
		appendStringInfo(&list, "%s%s", c > 0 ? ", " : "",
						 host_pg_from_utf8(sample->column[c].name, (int) sample->column[c].name_length));
	}
	return list.data;
}

static uint32
column_of(const Fitting *fit, uint32 i)
{
	const ex_feature *feature = &fit->rule[i].feature;
	int32		column;

	if (fit->sample->positional)
		return i;
	column = ex_sample_find(fit->sample, feature->name, feature->name_length);
	if (column < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("background has no column \"%s\"", feature_name(feature)),
				 errdetail("It has: %s.", column_list(fit->sample)),
				 errhint("Columns are matched to the model's features by exact name;"
						 " name them in a subquery if the table's are others.")));
	return (uint32) column;
}

static void
match_columns(Fitting *fit)
{
	uint32		p = fit->model->n_features;

	if (fit->sample->positional && fit->sample->n_columns != p)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %u features in background rows, not %u", p, fit->sample->n_columns),
				 errhint("The features and their order are listed by explain.model_features.")));
	for (uint32 i = 0; i < p; i++)
		fit->column[i] = column_of(fit, i);
}

/* ---- values ---- */

/* What a value of the sample is for the model; an error where it cannot be. */
static double
fit_value(Fitting *fit, uint32 i, ex_cell_type type, double number, const ex_sample_value *text)
{
	const FeatureRule *rule = &fit->rule[i];
	InputRow   *row = &fit->row;

	if (isnan(number))
		feature_set_missing(rule, row, i);
	else if (type == EX_CELL_TEXT && GetDatabaseEncoding() == PG_UTF8)
		feature_set_text(rule, row, i, text->text, (int) text->length);
	else if (type == EX_CELL_TEXT)
	{
		char	   *native = host_pg_from_utf8(text->text, (int) text->length);

		feature_set_text(rule, row, i, native, (int) strlen(native));
	}
	else if (type == EX_CELL_BOOLEAN)
		feature_set_bool(rule, row, i, number != 0);
	else if (!fit->sample->positional)
		feature_set_float(rule, row, i, number);
	else if (rule->feature.kind == EX_CATEGORICAL)
		feature_set_code(rule, row, i, number);
	else
		feature_set_number(rule, row, i, number);
	return row->x[i];
}

/* The counted values of a feature's column, and its missing ones: all must fit, not only sampled ones. */
static ex_attached_feature
fit_counted(Fitting *fit, uint32 i)
{
	const ex_sample_column *column = &fit->sample->column[fit->column[i]];
	double	   *x = palloc(column->n_values * sizeof(double) + 1);
	ex_attached_feature attached = {column, x, NAN};

	for (uint32 v = 0; v < column->n_values; v++)
		x[v] = fit_value(fit, i, column->type, column->value[v].number, &column->value[v]);
	if (column->n < fit->sample->n)
		attached.missing = fit_value(fit, i, column->type, NAN, NULL);
	return attached;
}

/* The sample's rows as feature vectors, with their weights. */
static void
fit_rows(Fitting *fit, double *vector, double *weight)
{
	const ex_sample *sample = fit->sample;
	uint32		p = fit->model->n_features;

	for (size_t r = 0; r < sample->n_rows; r++)
	{
		weight[r] = (double) sample->row[r].count;
		EX_PG(sample->host, ex_poll(sample->host));
		for (uint32 i = 0; i < p; i++)
		{
			const ex_sample_column *column = &sample->column[fit->column[i]];
			double		cell = ex_sample_cell_at(sample, r, fit->column[i]);
			const ex_sample_value *text = column->type == EX_CELL_TEXT && !isnan(cell) ?
			&column->value[(uint32) cell] : NULL;

			vector[r * p + i] = fit_value(fit, i, column->type, cell, text);
		}
	}
}

static void *
allocate(ex_host *host, size_t count, size_t size)
{
	void	   *chunk;

	EX_PG(host, ex_alloc(host, count, size, &chunk));
	return chunk;
}

/* ---- all of it ---- */

/* Errors about a feature's value are worded for one row: say where it is from. */
static void
in_background(void *unused)
{
	errcontext("background of a model");
}

void
background_fit(ex_host *host, const ex_model *model, ex_sample *sample, FittedBackground *fitted)
{
	uint32		p = model->n_features;
	Fitting		fit = {.model = model, .sample = sample};
	ErrorContextCallback context = {.previous = error_context_stack, .callback = in_background};

	fitted->n = (uint32) sample->n_rows;
	fitted->vector = allocate(host, sample->n_rows * p, sizeof(double));
	fitted->weight = allocate(host, sample->n_rows, sizeof(double));
	fitted->attached = allocate(host, p, sizeof(ex_attached_feature));
	fit.rule = feature_rules(model, CurrentMemoryContext);
	fit.column = allocate(host, p, sizeof(uint32));
	fit.row.x = allocate(host, p, sizeof(double));
	fit.row.missing = allocate(host, p, sizeof(bool));
	fit.row.unknown = allocate(host, p, sizeof(char *));
	match_columns(&fit);
	error_context_stack = &context;
	for (uint32 i = 0; i < p; i++)
		fitted->attached[i] = fit_counted(&fit, i);
	fit_rows(&fit, fitted->vector, fitted->weight);
	error_context_stack = context.previous;
}

/* ---- rows in feature order ---- */

static void
check_rows(ArrayType *array)
{
	if (ARR_NDIM(array) == 0 || ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("background has no rows")));
	if (ARR_NDIM(array) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("background must be an array of rows, of two dimensions, not %d", ARR_NDIM(array)),
				 errhint("Make one with array_agg over arrays of features.")));
	if (ARR_DIMS(array)[0] > EX_MAX_BACKGROUND)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("background has more than %d rows", EX_MAX_BACKGROUND),
				 errhint("Draw a sample with explain.background.")));
}

void
background_of_array(ex_host *host, ArrayType *array, ex_sample *sample)
{
	const double *value = (const double *) ARR_DATA_PTR(array);
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	size_t		at = 0;
	uint32		n;
	uint32		p;

	check_rows(array);
	n = (uint32) ARR_DIMS(array)[0];
	p = (uint32) ARR_DIMS(array)[1];
	EX_PG(host, ex_sample_init(sample, host, n, 0, true));
	EX_PG(host, ex_sample_positions(sample, p));
	for (uint32 r = 0; r < n; r++)
	{
		EX_PG(host, ex_sample_begin(sample));
		for (uint32 i = 0; i < p; i++, at++)
			if (bitmap == NULL || (bitmap[at / 8] & (1 << (at % 8))))
				EX_PG(host, ex_sample_number(sample, i, *value++));
		EX_PG(host, ex_sample_end(sample));
	}
	EX_PG(host, ex_sample_settle(sample));
}
