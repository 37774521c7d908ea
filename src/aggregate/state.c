/*
 * state.c
 *		What all aggregate states have in common.
 */
#include "aggregate/state.h"

#include "libpq/pqformat.h"

MemoryContext
state_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("aggregate support function called outside of an aggregate"),
				 errhint("Call the aggregate instead.")));
	return context;
}

Datum
state_unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

void
state_read_text(FunctionCallInfo fcinfo, ex_codec *codec, const char *type)
{
	const char *text = PG_GETARG_CSTRING(0);
	char	   *utf8 = host_pg_to_utf8(text, (int) strlen(text));

	ex_codec_read(codec, host_pg_here(), type, true, utf8, strlen(utf8));
}

void
state_read_wire(FunctionCallInfo fcinfo, ex_codec *codec, const char *type)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			size = message->len - message->cursor;

	ex_codec_read(codec, host_pg_here(), type, false, pq_getmsgbytes(message, size), (size_t) size);
}

Datum
state_text(const ex_codec *codec)
{
	return CStringGetDatum(host_pg_from_utf8(codec->out.data, (int) codec->out.size));
}

Datum
state_wire(const ex_codec *codec)
{
	bytea	   *result = palloc(VARHDRSZ + codec->out.size);

	SET_VARSIZE(result, VARHDRSZ + codec->out.size);
	memcpy(VARDATA(result), codec->out.data, codec->out.size);
	return PointerGetDatum(result);
}
