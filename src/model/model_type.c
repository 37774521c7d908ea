/*
 * model_type.c
 *		The type explain.model: text and binary form, equality, digest.
 */
#include "pg_compat.h"

#include "fmgr.h"
#include "kernel/model_json.h"
#include "libpq/pqformat.h"
#include "model/model_arg.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(explain_model_in);
PG_FUNCTION_INFO_V1(explain_model_out);
PG_FUNCTION_INFO_V1(explain_model_recv);
PG_FUNCTION_INFO_V1(explain_model_send);
PG_FUNCTION_INFO_V1(explain_model_eq);
PG_FUNCTION_INFO_V1(explain_model_ne);
PG_FUNCTION_INFO_V1(explain_model_hash);
PG_FUNCTION_INFO_V1(explain_model_digest);

Datum
explain_model_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	char	   *utf8 = host_pg_to_utf8(text, (int) strlen(text));
	ex_host    *host = host_pg_here();
	ex_model   *model;

	EX_PG(host, ex_model_from_json(host, utf8, strlen(utf8), &model));
	PG_RETURN_MODEL(model);
}

Datum
explain_model_out(PG_FUNCTION_ARGS)
{
	const ex_model *model = PG_GETARG_MODEL(0);
	ex_host    *host = host_pg_here();
	ex_buffer	out = {0};

	EX_PG(host, ex_model_to_json(host, model, &out));
	PG_RETURN_CSTRING(host_pg_from_utf8(out.data, (int) out.size));
}

Datum
explain_model_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			size = message->len - message->cursor;
	ex_host    *host = host_pg_here();
	ex_model   *model;

	EX_PG(host, ex_wire_read(host, pq_getmsgbytes(message, size), (size_t) size, &model));
	PG_RETURN_MODEL(model);
}

Datum
explain_model_send(PG_FUNCTION_ARGS)
{
	const ex_model *model = PG_GETARG_MODEL(0);
	ex_host    *host = host_pg_here();
	ex_buffer	wire = {0};
	bytea	   *result;

	EX_PG(host, ex_wire_write(host, model, &wire));
	result = palloc(VARHDRSZ + wire.size);
	SET_VARSIZE(result, VARHDRSZ + wire.size);
	memcpy(VARDATA(result), wire.data, wire.size);
	PG_RETURN_BYTEA_P(result);
}

/* The digest of a stored model: its header is all that is fetched. */
static void
get_digest(Datum argument, uint8 digest[16])
{
	struct varlena *head = PG_DETOAST_DATUM_SLICE(argument, 0, sizeof(ex_model) - VARHDRSZ);

	if (VARSIZE(head) < sizeof(ex_model))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored value is not a model")));
	memcpy(digest, ((const ex_model *) head)->digest, 16);
	pfree(head);
}

static bool
same_digest(FunctionCallInfo fcinfo)
{
	uint8		left[16];
	uint8		right[16];

	get_digest(PG_GETARG_DATUM(0), left);
	get_digest(PG_GETARG_DATUM(1), right);
	return memcmp(left, right, sizeof(left)) == 0;
}

Datum
explain_model_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(same_digest(fcinfo));
}

Datum
explain_model_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!same_digest(fcinfo));
}

Datum
explain_model_hash(PG_FUNCTION_ARGS)
{
	uint8		digest[16];
	uint32		hash = 0;

	get_digest(PG_GETARG_DATUM(0), digest);
	for (int i = 0; i < 4; i++)
		hash = hash << 8 | digest[i];
	PG_RETURN_INT32((int32) hash);
}

Datum
explain_model_digest(PG_FUNCTION_ARGS)
{
	uint8		digest[16];
	char		text[33];

	get_digest(PG_GETARG_DATUM(0), digest);
	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	PG_RETURN_TEXT_P(cstring_to_text(text));
}
