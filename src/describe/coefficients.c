/*
 * coefficients.c
 *		explain.coefficients: a linear model as the rows of a coefficient table.
 */
#include "describe/describe.h"

#include <math.h>

/* The columns of sql/, in order; column NULL: the intercept. */
static void
coefficient_row(Description *d, uint32 output, const ex_column *column, double coefficient, double error)
{
	bool		level = column != NULL && column->kind == EX_COLUMN_LEVEL_IS;
	bool		bin = column != NULL && column->kind == EX_COLUMN_BIN;

	row_output(&d->row, d->model, output);
	if (column == NULL)
		row_text(&d->row, "(Intercept)");
	else
		row_feature(&d->row, d->model, column->feature);
	if (level)
		row_level(&d->row, d->model, column->feature, column->level);
	else
		row_null(&d->row);
	row_float8(&d->row, bin ? column->low : NAN);
	row_float8(&d->row, bin ? column->high : NAN);
	row_float8(&d->row, coefficient);
	row_float8(&d->row, error);
	row_text(&d->row, column == NULL ? "intercept" : column_kind_name(column->kind));
	row_end(&d->row);
}

/* coefficients(model) */
static Datum
coefficients(FunctionCallInfo fcinfo, ModelSource source)
{
	Description d;
	ex_linear_view view;

	if (!describe_begin(fcinfo, source, &d))
		return describe_end(&d);
	require_linear(d.model, "coefficients", &view);
	for (uint32 k = 0; k < view.n_outputs; k++)
	{
		const double *coefficient = view.coefficient + (size_t) k * view.n_columns;
		const double *error = view.standard_error == NULL ? NULL :
		view.standard_error + (size_t) k * (view.n_columns + 1);

		coefficient_row(&d, k, NULL, view.intercept[k], error == NULL ? NAN : error[view.n_columns]);
		for (uint32 c = 0; c < view.n_columns; c++)
		{
			ex_column	column;

			CHECK_FOR_INTERRUPTS();
			ex_linear_get_column(&view, c, &column);
			coefficient_row(&d, k, &column, coefficient[c], error == NULL ? NAN : error[c]);
		}
	}
	return describe_end(&d);
}

MODEL_OVERLOADS(coefficients);
