/*
 * with_covariance.c
 *		explain.with_covariance: a linear model with the covariance of its
 *		coefficients.
 */
#include "build/array_args.h"
#include "describe/describe.h"
#include "kernel/linear_covariance.h"
#include "model/model_arg.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(explain_with_covariance);

/* Names of one output's columns; they are the same for all outputs. */
static char **
column_names(const ex_linear_view *view)
{
	char	  **name = palloc((view->n_columns + 1) * sizeof(char *));

	for (uint32 c = 0; c < view->n_columns; c++)
	{
		ex_column	column;

		ex_linear_get_column(view, c, &column);
		name[c] = column_words(view->model, &column);
	}
	name[view->n_columns] = NULL;
	return name;
}

/* What stands before the term: the output's name where there are several. */
static char *
term_prefix(const ex_linear_view *view, uint32 output)
{
	return view->n_outputs == 1 ? pstrdup("") :
		psprintf("%s: ", model_name_text(view->model, EX_OUTPUT_NAME_START, output));
}

static bool
is_intercept(const char *term)
{
	static const char *const names[] = {"(Intercept)", "(intercept)", "Intercept", "intercept", "const"};

	for (int i = 0; i < lengthof(names); i++)
		if (strcmp(term, names[i]) == 0)
			return true;
	return false;
}

static int32
find_column(char *const *column, uint32 n_columns, const char *term)
{
	/* a feature may be called "const": its name goes first */
	for (uint32 c = 0; c < n_columns; c++)
		if (strcmp(column[c], term) == 0)
			return (int32) c;
	return is_intercept(term) ? (int32) n_columns : -1;
}

static void
unknown_term(const ex_linear_view *view, char *const *column, const char *term)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model has no coefficient \"%s\"", term),
			 errhint("Terms are the intercept, (Intercept), and columns such as %s%s%s.",
					 term_prefix(view, 0), column[0],
					 view->n_outputs == 1 ? "" : ", with their output in front")));
}

/* Position of a term among all coefficients. */
static uint32
find_term(const ex_linear_view *view, char *const *column, char *const *prefix, const char *term)
{
	for (uint32 k = 0; k < view->n_outputs; k++)
	{
		size_t		length = strlen(prefix[k]);
		int32		c = -1;

		if (strncmp(term, prefix[k], length) == 0)
			c = find_column(column, view->n_columns, term + length);
		if (c >= 0)
			return k * (view->n_columns + 1) + (uint32) c;
	}
	unknown_term(view, column, term);
	pg_unreachable();
}

static double
coefficient_at(const ex_linear_view *view, uint32 i)
{
	uint32		k = i / (view->n_columns + 1);
	uint32		c = i % (view->n_columns + 1);

	return c == view->n_columns ? view->intercept[k] : view->coefficient[(size_t) k * view->n_columns + c];
}

/* What terms leaves out is fixed, not estimated: that can only be a 0. */
static void
check_left_out(const ex_linear_view *view, char *const *column, char *const *prefix, const int32 *place)
{
	uint32		width = view->n_columns + 1;

	for (uint32 i = 0; i < width * view->n_outputs; i++)
		if (place[i] < 0 && coefficient_at(view, i) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("terms lacks coefficient \"%s%s\"", prefix[i / width],
							i % width == view->n_columns ? "(Intercept)" : column[i % width]),
					 errdetail("Only a coefficient of 0 can be fixed instead of estimated.")));
}

/* Row of the covariance for each coefficient of the model; -1: it has none. */
static int32 *
places(const ex_linear_view *view, Datum *term, int n_terms)
{
	uint32		n = view->n_outputs * (view->n_columns + 1);
	char	  **column = column_names(view);
	char	  **prefix = palloc(view->n_outputs * sizeof(char *));
	int32	   *place = palloc(n * sizeof(int32));

	for (uint32 k = 0; k < view->n_outputs; k++)
		prefix[k] = term_prefix(view, k);
	memset(place, -1, n * sizeof(int32));
	for (int t = 0; t < n_terms; t++)
	{
		char	   *name = TextDatumGetCString(term[t]);
		uint32		i = find_term(view, column, prefix, name);

		CHECK_FOR_INTERRUPTS();
		if (place[i] >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("terms names coefficient \"%s\" twice", name)));
		place[i] = t;
	}
	check_left_out(view, column, prefix, place);
	return place;
}

static Datum *
terms_arg(FunctionCallInfo fcinfo, int argno, int expected)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argno);
	Datum	   *term;
	bool	   *null;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &term, &null, &n);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("terms must have one dimension, not %d", ARR_NDIM(array))));
	if (n != expected)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %d terms, one for each row of the covariance, not %d", expected, n)));
	for (int i = 0; i < n; i++)
		if (null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("term %d is null", i + 1)));
	return term;
}

/* with_covariance(model, covariance, terms) */
Datum
explain_with_covariance(PG_FUNCTION_ARGS)
{
	const ex_model *model;
	ex_linear_view view;
	NumberArray covariance;
	int32	   *place = NULL;
	ex_host    *host;
	ex_builder	builder;
	ex_model   *result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	model = PG_GETARG_MODEL(0);
	require_linear(model, "coefficients", &view);
	covariance = number_array_arg(fcinfo, 1, "covariance", 2);
	if (covariance.dims[0] != covariance.dims[1])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("covariance must be square, not %d x %d", covariance.dims[0], covariance.dims[1])));
	if (!PG_ARGISNULL(2))
		place = places(&view, terms_arg(fcinfo, 2, covariance.dims[0]), covariance.dims[0]);
	host = host_pg_here();
	EX_PG(host, ex_builder_open(&builder, host, model));
	EX_PG(host, ex_edit_covariance(&builder, model, covariance.value, (size_t) covariance.dims[0], place));
	EX_PG(host, ex_build(&builder, &result));
	PG_RETURN_MODEL(result);
}
