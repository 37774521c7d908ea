/*
 * with_background.c
 *		Copies of models with what is known from a background: its rows
 *		(explain.with_background), or covers counted on them
 *		(explain.with_covers).
 */
#include "aggregate/background_fit.h"

#include "kernel/tree_covers.h"

PG_FUNCTION_INFO_V1(explain_with_background);
PG_FUNCTION_INFO_V1(explain_with_background_rows);
PG_FUNCTION_INFO_V1(explain_with_covers);
PG_FUNCTION_INFO_V1(explain_with_covers_sample);
PG_FUNCTION_INFO_V1(explain_with_covers_rows);

/* The sample of a background argument; array: a two-dimensional one, else explain.background_sample. */
static ex_sample *
sample_arg(FunctionCallInfo fcinfo, int argno, bool array)
{
	ex_sample  *sample;

	if (!array)
		return background_get(PG_GETARG_DATUM(argno));
	sample = palloc(sizeof(ex_sample));
	background_of_array(host_pg_here(), PG_GETARG_ARRAYTYPE_P(argno), sample);
	return sample;
}

/* ---- rows ---- */

static Datum
with_background(FunctionCallInfo fcinfo, bool array)
{
	const ex_model *model = PG_GETARG_MODEL(0);
	ex_sample  *sample = sample_arg(fcinfo, 1, array);
	ex_host    *host = host_pg_here();
	FittedBackground fitted;
	ex_builder	builder;
	ex_model   *result;

	background_fit(host, model, sample, &fitted);
	EX_PG(host, ex_builder_open(&builder, host, model));
	EX_PG(host, ex_put_background(&builder, fitted.vector, fitted.n, fitted.weight));
	EX_PG(host, ex_attach_statistics(&builder, sample, fitted.attached));
	EX_PG(host, ex_build(&builder, &result));
	PG_RETURN_MODEL(result);
}

Datum
explain_with_background(PG_FUNCTION_ARGS)
{
	return with_background(fcinfo, false);
}

Datum
explain_with_background_rows(PG_FUNCTION_ARGS)
{
	return with_background(fcinfo, true);
}

/* ---- covers ---- */

static void
notice_unreached(const ex_cover_count *count)
{
	if (count->unreached > 0)
		ereport(NOTICE,
				(errmsg("%.1f %% of the nodes (%u of %u) are reached by no background row",
						100.0 * count->unreached / count->nodes, count->unreached, count->nodes),
				 errdetail("Path-dependent Shapley values never take such a branch for an absent feature."),
				 errhint("Where that is much, attach the background and use method => 'tree_interventional',"
						 " which needs no covers; or count on more rows.")));
}

static Datum
with_covers(ex_host *host, const ex_model *model, const double *row, const double *weight, uint32 n,
			bool replace)
{
	ex_cover_count count;
	ex_builder	builder;
	ex_model   *result;

	EX_PG(host, ex_builder_open(&builder, host, model));
	EX_PG(host, ex_edit_covers(&builder, model, row, weight, n, replace, &count));
	EX_PG(host, ex_build(&builder, &result));
	notice_unreached(&count);
	PG_RETURN_MODEL(result);
}

/* with_covers(model, replace) */
Datum
explain_with_covers(PG_FUNCTION_ARGS)
{
	const ex_model *model = PG_GETARG_MODEL(0);
	ex_background own;

	ex_own_background(model, &own);
	return with_covers(host_pg_here(), model, own.row, own.weight, own.n, PG_GETARG_BOOL(1));
}

/* with_covers(model, background, replace) */
static Datum
with_covers_of(FunctionCallInfo fcinfo, bool array)
{
	const ex_model *model = PG_GETARG_MODEL(0);
	ex_sample  *sample = sample_arg(fcinfo, 1, array);
	ex_host    *host = host_pg_here();
	FittedBackground fitted;

	background_fit(host, model, sample, &fitted);
	return with_covers(host, model, fitted.vector, fitted.weight, fitted.n, PG_GETARG_BOOL(2));
}

Datum
explain_with_covers_sample(PG_FUNCTION_ARGS)
{
	return with_covers_of(fcinfo, false);
}

Datum
explain_with_covers_rows(PG_FUNCTION_ARGS)
{
	return with_covers_of(fcinfo, true);
}
