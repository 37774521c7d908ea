/*
 * attribution_summary.c
 *		attribution_summary: what attributions look like over many rows, and
 *		importance and total_derivatives, which turn that into named rows.
 */
#include "aggregate/state.h"

#include "call_site.h"
#include "catalog/pg_type.h"
#include "kernel/derivative_summary.h"
#include "rows/rows.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define TYPE_NAME "explain.attribution_summary_state"

PG_FUNCTION_INFO_V1(explain_attribution_summary_in);
PG_FUNCTION_INFO_V1(explain_attribution_summary_out);
PG_FUNCTION_INFO_V1(explain_attribution_summary_recv);
PG_FUNCTION_INFO_V1(explain_attribution_summary_send);
PG_FUNCTION_INFO_V1(explain_attribution_summary_accum);
PG_FUNCTION_INFO_V1(explain_attribution_summary_combine);
PG_FUNCTION_INFO_V1(explain_importance_names);

/* ---- the type ---- */

/* A summary from anywhere: detoasted and checked. */
static const ex_summary *
get_summary(Datum argument)
{
	const ex_summary *summary = (const ex_summary *) PG_DETOAST_DATUM(argument);
	ex_host    *host;

	host = host_pg_here();
	EX_PG(host, ex_summary_validate(host, summary, VARSIZE(summary)));
	return summary;
}

static Datum
read_summary(ex_codec *codec)
{
	ex_summary *summary;

	EX_PG(codec->host, ex_summary_code(codec, &summary));
	SET_VARSIZE(summary, ex_summary_size(summary->n_features));
	return PointerGetDatum(summary);
}

static void
write_summary(FunctionCallInfo fcinfo, ex_codec *codec, bool text)
{
	ex_summary *summary = unconstify(ex_summary *, get_summary(PG_GETARG_DATUM(0)));

	ex_codec_write(codec, host_pg_here(), TYPE_NAME, text);
	EX_PG(codec->host, ex_summary_code(codec, &summary));
}

Datum
explain_attribution_summary_in(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	state_read_text(fcinfo, &codec, TYPE_NAME);
	return read_summary(&codec);
}

Datum
explain_attribution_summary_recv(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	state_read_wire(fcinfo, &codec, TYPE_NAME);
	return read_summary(&codec);
}

Datum
explain_attribution_summary_out(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	write_summary(fcinfo, &codec, true);
	return state_text(&codec);
}

Datum
explain_attribution_summary_send(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	write_summary(fcinfo, &codec, false);
	return state_wire(&codec);
}

/* ---- the aggregate ---- */

static ex_summary *
new_summary(MemoryContext context, uint32 n_features)
{
	size_t		size = ex_summary_size(n_features);
	ex_summary *summary = MemoryContextAlloc(context, size);

	ex_summary_init(summary, n_features);
	SET_VARSIZE(summary, size);
	return summary;
}

/* One row's array: n values, and which of them are null; NULL: none. */
typedef struct RowValues
{
	uint32		n;
	const double *value;
	const bool *null;
} RowValues;

/* An array leaves nulls out: give each value its place. */
static pg_noinline RowValues
spread_values(ArrayType *array, uint32 n)
{
	const double *given = (const double *) ARR_DATA_PTR(array);
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	double	   *value = palloc(n * sizeof(double));
	bool	   *null = palloc(n * sizeof(bool));

	for (uint32 i = 0; i < n; i++)
	{
		null[i] = !(bitmap[i / 8] & (1 << (i % 8)));
		value[i] = null[i] ? 0 : *given++;
	}
	return (RowValues) {n, value, null};
}

static RowValues
get_values(ArrayType *array)
{
	uint32		n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array of attributions must have one dimension, not %d", ARR_NDIM(array))));
	n = (uint32) ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("array of attributions is empty")));
	if (n > EX_SUMMARY_MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("array of attributions has %u values", n),
				 errdetail("A summary can have %d features.", EX_SUMMARY_MAX_FEATURES)));
	if (array_contains_nulls(array))
		return spread_values(array, n);
	return (RowValues) {n, (const double *) ARR_DATA_PTR(array), NULL};
}

/* A state may be packed when it comes from a partial plan; its owner unpacks it for good. */
static ex_summary *
own_summary(Datum argument, MemoryContext context)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(argument);
	MemoryContext old;

	if (!VARATT_IS_EXTENDED(value))
		return (ex_summary *) value;
	old = MemoryContextSwitchTo(context);
	value = PG_DETOAST_DATUM_COPY(argument);
	MemoryContextSwitchTo(old);
	return (ex_summary *) value;
}

static pg_noinline void
refuse(const ex_summary *summary, const RowValues *row)
{
	ex_host    *host = host_pg_here();

	EX_PG(host, ex_summary_check(host, summary, row->value, row->null, row->n));
}

Datum
explain_attribution_summary_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	ex_summary *summary;
	RowValues	row;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	row = get_values(PG_GETARG_ARRAYTYPE_P(1));
	summary = PG_ARGISNULL(0) ? new_summary(context, row.n) : own_summary(PG_GETARG_DATUM(0), context);
	if (unlikely(!ex_summary_accepts(summary, row.value, row.null, row.n)))
		refuse(summary, &row);
	ex_summary_add(summary, row.value, row.null);
	PG_RETURN_POINTER(summary);
}

/* Also the transition function of attribution_summary_merge. */
Datum
explain_attribution_summary_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	const ex_summary *other;
	ex_summary *summary;
	ex_host    *host;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	other = get_summary(PG_GETARG_DATUM(1));
	summary = PG_ARGISNULL(0) ? new_summary(context, other->n_features) :
		own_summary(PG_GETARG_DATUM(0), context);
	host = host_pg_here();
	EX_PG(host, ex_summary_merge(host, summary, other));
	PG_RETURN_POINTER(summary);
}

/* ---- importance ---- */

/* Names of features in the database's encoding, by position. */
typedef char *(*FeatureNames) (const void *names, uint32 feature);

static void
importance_rows(FunctionCallInfo fcinfo, const ex_summary *summary, FeatureNames name_of, const void *names)
{
	ex_host    *host = host_pg_here();
	ex_importance *importance;
	RowWriter	row;

	EX_PG(host, ex_summary_importance(host, summary, &importance));
	rows_begin(fcinfo, &row);
	for (uint32 i = 0; i < summary->n_features; i++)
	{
		const ex_importance *of = &importance[i];
		char	   *name = name_of(names, of->feature);

		row_int4(&row, (int32) i + 1);
		row_text(&row, name);
		row_float8(&row, of->mean_abs);
		row_float8(&row, of->share);
		row_float8(&row, of->std_error);
		row_float8(&row, of->mean);
		row_float8(&row, of->sd);
		row_float8(&row, of->min);
		row_float8(&row, of->max);
		row_float8(&row, of->positive_share);
		row_float8(&row, of->sign_consistency);
		row_float8(&row, (double) of->n);
		row_end(&row);
		pfree(name);
	}
}

static void
check_names(uint32 n_names, const ex_summary *summary, const char *what)
{
	if (n_names != summary->n_features)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s %u features, but the summary is of %u attributions a row",
						what, n_names, summary->n_features)));
}

static char *
model_feature_name(const void *names, uint32 feature)
{
	uint32		length;
	const char *name = ex_get_name((const ex_model *) names, EX_FEATURE_NAME_START, feature, &length);

	return host_pg_from_utf8(name, (int) length);
}

static Datum
importance(FunctionCallInfo fcinfo, ModelSource source)
{
	const ex_summary *summary;
	const ex_model *model;
	RowWriter	none;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		rows_begin(fcinfo, &none);
		return (Datum) 0;
	}
	model = call_site_model(fcinfo, source)->entry->model;
	summary = get_summary(PG_GETARG_DATUM(1));
	check_names(model->n_features, summary, "model has");
	importance_rows(fcinfo, summary, model_feature_name, model);
	return (Datum) 0;
}

MODEL_OVERLOADS(importance);

/* ---- derivatives ---- */

/* Columns of explain.derivative_summary_row; feature NULL: the total. */
static void
derivative_row(RowWriter *row, const ex_derivative *derivative, uint32 rank, const char *feature)
{
	row_int4(row, (int32) rank);
	row_text(row, feature);
	row_float8(row, derivative->mean);
	row_float8(row, derivative->spread);
	row_float8(row, derivative->mean_abs);
	row_float8(row, derivative->mean_square);
	row_float8(row, derivative->standardised);
	row_float8(row, (double) derivative->n);
	row_text(row, feature != NULL ? "feature" : "total");
	row_end(row);
}

/* total_derivatives(model, summary) */
static Datum
total_derivatives(FunctionCallInfo fcinfo, ModelSource source)
{
	RowWriter	writer;
	ModelEntry *entry;
	ex_host    *host;
	ex_derivative *row;
	ex_derivative total;

	rows_begin(fcinfo, &writer);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	entry = call_site_model(fcinfo, source)->entry;
	host = host_pg_here();
	EX_PG(host, ex_summary_derivatives(host, entry->model, entry->background.stat,
									   get_summary(PG_GETARG_DATUM(1)), &row, &total));
	for (uint32 i = 0; i < entry->model->n_features; i++)
	{
		char	   *name = model_feature_name(entry->model, row[i].feature);

		derivative_row(&writer, &row[i], i + 1, name);
		pfree(name);
	}
	derivative_row(&writer, &total, entry->model->n_features + 1, NULL);
	return (Datum) 0;
}

MODEL_OVERLOADS(total_derivatives);

static char *
array_feature_name(const void *names, uint32 feature)
{
	return TextDatumGetCString(((const Datum *) names)[feature]);
}

Datum
explain_importance_names(PG_FUNCTION_ARGS)
{
	const ex_summary *summary;
	Datum	   *names;
	bool	   *nulls;
	int			n;
	RowWriter	none;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		rows_begin(fcinfo, &none);
		return (Datum) 0;
	}
	summary = get_summary(PG_GETARG_DATUM(1));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	check_names((uint32) n, summary, "there are names of");
	for (int i = 0; i < n; i++)
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("name of feature %d is null", i + 1)));
	importance_rows(fcinfo, summary, array_feature_name, names);
	return (Datum) 0;
}
