/*
 * effect_summary.c
 *		marginal_effect_summary: sums of marginal effects over many rows.
 */
#include "aggregate/effect_summary.h"

#include <math.h>

#include "aggregate/state.h"
#include "utils/array.h"

#define TYPE_NAME "explain.marginal_effect_summary_state"

PG_FUNCTION_INFO_V1(explain_marginal_effect_summary_in);
PG_FUNCTION_INFO_V1(explain_marginal_effect_summary_out);
PG_FUNCTION_INFO_V1(explain_marginal_effect_summary_recv);
PG_FUNCTION_INFO_V1(explain_marginal_effect_summary_send);
PG_FUNCTION_INFO_V1(explain_marginal_effect_summary_accum);
PG_FUNCTION_INFO_V1(explain_marginal_effect_summary_combine);

/* ---- the type ---- */

const ex_effect_summary *
effect_summary_get(Datum argument)
{
	const ex_effect_summary *summary = (const ex_effect_summary *) PG_DETOAST_DATUM(argument);
	ex_host    *host = host_pg_here();

	EX_PG(host, ex_effect_summary_validate(host, summary, VARSIZE(summary)));
	return summary;
}

static Datum
read_summary(ex_codec *codec)
{
	ex_effect_summary *summary;

	EX_PG(codec->host, ex_effect_summary_code(codec, &summary));
	SET_VARSIZE(summary, ex_effect_summary_size(summary->n_effects, summary->n_columns));
	return PointerGetDatum(summary);
}

static void
write_summary(FunctionCallInfo fcinfo, ex_codec *codec, bool text)
{
	ex_effect_summary *summary = unconstify(ex_effect_summary *, effect_summary_get(PG_GETARG_DATUM(0)));

	ex_codec_write(codec, host_pg_here(), TYPE_NAME, text);
	EX_PG(codec->host, ex_effect_summary_code(codec, &summary));
}

Datum
explain_marginal_effect_summary_in(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	state_read_text(fcinfo, &codec, TYPE_NAME);
	return read_summary(&codec);
}

Datum
explain_marginal_effect_summary_recv(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	state_read_wire(fcinfo, &codec, TYPE_NAME);
	return read_summary(&codec);
}

Datum
explain_marginal_effect_summary_out(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	write_summary(fcinfo, &codec, true);
	return state_text(&codec);
}

Datum
explain_marginal_effect_summary_send(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	write_summary(fcinfo, &codec, false);
	return state_wire(&codec);
}

/* ---- the aggregate ---- */

static ex_effect_summary *
new_summary(MemoryContext context, uint32 n_effects, uint32 n_columns)
{
	size_t		size = ex_effect_summary_size(n_effects, n_columns);
	ex_effect_summary *summary = MemoryContextAlloc(context, size);

	ex_effect_summary_init(summary, n_effects, n_columns);
	SET_VARSIZE(summary, size);
	return summary;
}

/* A state may be packed when it comes from a partial plan; its owner unpacks it for good. */
static ex_effect_summary *
own_summary(Datum argument, MemoryContext context)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(argument);
	MemoryContext old;

	if (!VARATT_IS_EXTENDED(value))
		return (ex_effect_summary *) value;
	old = MemoryContextSwitchTo(context);
	value = PG_DETOAST_DATUM_COPY(argument);
	MemoryContextSwitchTo(old);
	return (ex_effect_summary *) value;
}

static void
check_array(ArrayType *array)
{
	if (ARR_NDIM(array) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array of marginal effects must have two dimensions, not %d", ARR_NDIM(array)),
				 errhint("It comes from explain.marginal_effect_array.")));
	if ((int64) ARR_DIMS(array)[0] * ARR_DIMS(array)[1] > EX_EFFECT_MAX_SUMS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("array of marginal effects has more than %d numbers", EX_EFFECT_MAX_SUMS)));
}

/* Its numbers, NaN for null. */
static const double *
get_table(ArrayType *array)
{
	const double *value = (const double *) ARR_DATA_PTR(array);
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double	   *table;

	if (bitmap == NULL)
		return value;
	table = palloc(n * sizeof(double));
	for (int i = 0; i < n; i++)
		table[i] = bitmap[i / 8] & (1 << (i % 8)) ? *value++ : NAN;
	return table;
}

Datum
explain_marginal_effect_summary_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	ArrayType  *array;
	ex_effect_summary *summary;
	uint32		n_effects;
	uint32		n_columns;
	ex_host    *host;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	array = PG_GETARG_ARRAYTYPE_P(1);
	check_array(array);
	n_effects = (uint32) ARR_DIMS(array)[0];
	n_columns = (uint32) ARR_DIMS(array)[1];
	summary = PG_ARGISNULL(0) ? new_summary(context, n_effects, n_columns) :
		own_summary(PG_GETARG_DATUM(0), context);
	host = host_pg_here();
	EX_PG(host, ex_effect_summary_add(host, summary, get_table(array), n_effects, n_columns));
	PG_RETURN_POINTER(summary);
}

/* Also the transition function of marginal_effect_summary_merge. */
Datum
explain_marginal_effect_summary_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	const ex_effect_summary *other;
	ex_effect_summary *summary;
	ex_host    *host;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	other = effect_summary_get(PG_GETARG_DATUM(1));
	summary = PG_ARGISNULL(0) ? new_summary(context, other->n_effects, other->n_columns) :
		own_summary(PG_GETARG_DATUM(0), context);
	host = host_pg_here();
	EX_PG(host, ex_effect_summary_merge(host, summary, other));
	PG_RETURN_POINTER(summary);
}
