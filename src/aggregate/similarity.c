/*
 * similarity.c
 *		model_similarity: the weighted cosine of two models' predictions.
 */
#include "aggregate/state.h"

#include <math.h>

#include "kernel/similarity.h"

#define TYPE_NAME "explain.similarity_state"

PG_FUNCTION_INFO_V1(explain_similarity_in);
PG_FUNCTION_INFO_V1(explain_similarity_out);
PG_FUNCTION_INFO_V1(explain_similarity_recv);
PG_FUNCTION_INFO_V1(explain_similarity_send);
PG_FUNCTION_INFO_V1(explain_similarity_accum);
PG_FUNCTION_INFO_V1(explain_similarity_accum_weighted);
PG_FUNCTION_INFO_V1(explain_similarity_combine);
PG_FUNCTION_INFO_V1(explain_similarity_final);

static ex_similarity *
new_state(MemoryContext context)
{
	ex_similarity *state = MemoryContextAlloc(context, sizeof(ex_similarity));

	ex_similarity_init(state);
	SET_VARSIZE(state, sizeof(ex_similarity));
	return state;
}

/* A state from anywhere: detoasted and checked. */
static const ex_similarity *
get_state(Datum argument)
{
	const ex_similarity *state = (const ex_similarity *) PG_DETOAST_DATUM(argument);
	ex_host    *host;

	host = host_pg_here();
	EX_PG(host, ex_similarity_validate(host, state, VARSIZE(state)));
	return state;
}

static Datum
read_state(ex_codec *codec)
{
	ex_similarity *state = new_state(CurrentMemoryContext);

	EX_PG(codec->host, ex_similarity_code(codec, state));
	SET_VARSIZE(state, sizeof(ex_similarity));
	return PointerGetDatum(state);
}

static void
write_state(FunctionCallInfo fcinfo, ex_codec *codec, bool text)
{
	ex_similarity state = *get_state(PG_GETARG_DATUM(0));

	ex_codec_write(codec, host_pg_here(), TYPE_NAME, text);
	EX_PG(codec->host, ex_similarity_code(codec, &state));
}

Datum
explain_similarity_in(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	state_read_text(fcinfo, &codec, TYPE_NAME);
	return read_state(&codec);
}

Datum
explain_similarity_recv(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	state_read_wire(fcinfo, &codec, TYPE_NAME);
	return read_state(&codec);
}

Datum
explain_similarity_out(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	write_state(fcinfo, &codec, true);
	return state_text(&codec);
}

Datum
explain_similarity_send(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	write_state(fcinfo, &codec, false);
	return state_wire(&codec);
}

/* The aggregate's own state, made at the first row that counts. */
static ex_similarity *
own_state(FunctionCallInfo fcinfo, MemoryContext context)
{
	return PG_ARGISNULL(0) ? new_state(context) : (ex_similarity *) PG_GETARG_POINTER(0);
}

static pg_noinline void
refuse(const ex_similarity *state, double f1, double f2, double weight)
{
	ex_host    *host = host_pg_here();

	EX_PG(host, ex_similarity_check(host, state, f1, f2, weight));
}

Datum
explain_similarity_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	ex_similarity *state;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return state_unchanged(fcinfo);
	state = own_state(fcinfo, context);
	if (unlikely(!ex_similarity_accepts(state, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), 1)))
		refuse(state, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), 1);
	ex_similarity_add(state, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2));
	PG_RETURN_POINTER(state);
}

Datum
explain_similarity_accum_weighted(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	ex_similarity *state;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return state_unchanged(fcinfo);
	state = own_state(fcinfo, context);
	if (unlikely(!ex_similarity_accepts(state, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2),
										PG_GETARG_FLOAT8(3))))
		refuse(state, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3));
	ex_similarity_add_weighted(state, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3));
	PG_RETURN_POINTER(state);
}

/* Also the transition function of model_similarity_merge. */
Datum
explain_similarity_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	ex_similarity *state;
	ex_host    *host;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	state = own_state(fcinfo, context);
	host = host_pg_here();
	EX_PG(host, ex_similarity_merge(host, state, get_state(PG_GETARG_DATUM(1))));
	PG_RETURN_POINTER(state);
}

Datum
explain_similarity_final(PG_FUNCTION_ARGS)
{
	double		cosine;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	cosine = ex_similarity_cosine(get_state(PG_GETARG_DATUM(0)));
	if (isnan(cosine))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(cosine);
}
