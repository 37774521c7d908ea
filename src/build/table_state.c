/*
 * table_state.c
 *		State of the aggregates that build models: the rows seen so far.
 */
#include "build/table_state.h"

#include "aggregate/state.h"

#include "utils/builtins.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

typedef struct TableState
{
	ExpandedObjectHeader header;
	const ex_table *table;
	ex_host    *host;
	ex_buffer	rows;
	RecordFields *fields;		/* NULL until a record comes */
} TableState;

static Size
flat_size(ExpandedObjectHeader *header)
{
	return VARHDRSZ + ((TableState *) header)->rows.size;
}

static void
flatten(ExpandedObjectHeader *header, void *result, Size size)
{
	TableState *state = (TableState *) header;

	SET_VARSIZE(result, size);
	memcpy(VARDATA(result), state->rows.data, state->rows.size);
}

static const ExpandedObjectMethods methods = {flat_size, flatten};

/* nodeAgg.c keeps an expanded object as it is if it hangs below the aggregate's context. */
static TableState *
create_state(MemoryContext aggregate, const ex_table *table)
{
	MemoryContext context = AllocSetContextCreate(aggregate, "explain_ext table rows",
												  ALLOCSET_DEFAULT_SIZES);
	TableState *state = MemoryContextAllocZero(context, sizeof(TableState));

	EOH_init_header(&state->header, &methods, context);
	state->table = table;
	state->host = host_pg_create(context);
	return state;
}

/* A state that has been flattened may come from anywhere. */
static ex_span
checked_rows(ex_host *host, Datum flat, const ex_table *table)
{
	bytea	   *bytes = DatumGetByteaPP(flat);
	ex_span		rows = {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)};
	size_t		n;

	EX_PG(host, ex_rows_check(host, table, rows.data, rows.size, &n));
	return rows;
}

static TableState *
open_state(Datum value, MemoryContext aggregate, const ex_table *table)
{
	TableState *state;
	ex_span		rows;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)))
	{
		state = (TableState *) DatumGetEOHP(value);
		if (state->header.eoh_methods == &methods && state->table == table)
			return state;
	}
	state = create_state(aggregate, table);
	rows = checked_rows(state->host, value, table);
	EX_PG(state->host, ex_append(state->host, &state->rows, rows.data, rows.size));
	return state;
}

/* A value of type bytea must fit an allocation. */
static Datum
return_state(TableState *state)
{
	if (!AllocSizeIsValid(VARHDRSZ + state->rows.size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s is too large", state->table->name),
				 errdetail("Its rows need more than %zu bytes.", (size_t) MaxAllocSize)));
	return EOHPGetRWDatum(&state->header);
}

Datum
table_state_step(FunctionCallInfo fcinfo, const ex_table *table)
{
	MemoryContext context = state_context(fcinfo);
	TableState *state;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (PG_ARGISNULL(0))
	{
		state = create_state(context, table);
		EX_PG(state->host, ex_rows_begin(state->host, &state->rows, table));
	}
	else
		state = open_state(PG_GETARG_DATUM(0), context, table);
	if (state->fields == NULL)
		state->fields = record_fields_create(state->header.eoh_context, table);
	EX_PG(state->host, ex_rows_put(state->host, &state->rows, table,
								   record_fields_read(state->fields, PG_GETARG_DATUM(1))));
	return return_state(state);
}

/* Strict: both states are there. */
Datum
table_state_merge(FunctionCallInfo fcinfo, const ex_table *table)
{
	TableState *state = open_state(PG_GETARG_DATUM(0), state_context(fcinfo), table);
	ex_span		rows = checked_rows(host_pg_here(), PG_GETARG_DATUM(1), table);

	EX_PG(state->host, ex_rows_merge(state->host, &state->rows, rows.data, rows.size));
	return return_state(state);
}

ex_span
table_state_rows(FunctionCallInfo fcinfo)
{
	Datum		value = PG_GETARG_DATUM(0);
	bytea	   *bytes;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		TableState *state = (TableState *) DatumGetEOHP(value);

		if (state->header.eoh_methods == &methods)
			return (ex_span) {state->rows.data, state->rows.size};
	}
	bytes = DatumGetByteaPP(value);
	return (ex_span) {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)};
}
