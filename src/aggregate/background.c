/*
 * background.c
 *		background: a sample of rows and the statistics of all of them.
 */
#include "aggregate/background.h"

#include "aggregate/state.h"
#include "utils/memutils.h"

#define TYPE_NAME "explain.background_sample"

PG_FUNCTION_INFO_V1(explain_background_in);
PG_FUNCTION_INFO_V1(explain_background_out);
PG_FUNCTION_INFO_V1(explain_background_recv);
PG_FUNCTION_INFO_V1(explain_background_send);
PG_FUNCTION_INFO_V1(explain_background_accum_record);
PG_FUNCTION_INFO_V1(explain_background_accum_array);
PG_FUNCTION_INFO_V1(explain_background_accum_jsonb);
PG_FUNCTION_INFO_V1(explain_background_combine);

/* ---- expanded form ---- */

/*
 * The flat form is made when its size is asked for and kept until it is
 * fetched, which the callers of these two methods do in direct succession.
 */
static void
drop_flat(BackgroundState *state)
{
	if (state->flat_context != NULL)
		MemoryContextDelete(state->flat_context);
	state->flat_context = NULL;
}

static Size
get_flat_size(ExpandedObjectHeader *header)
{
	BackgroundState *state = (BackgroundState *) header;

	if (state->flat_context == NULL)
	{
		MemoryContext context = AllocSetContextCreate(header->eoh_context, "explain_ext background value",
													  ALLOCSET_DEFAULT_SIZES);
		ex_host    *host = host_pg_create(context);
		ex_codec	codec;

		ex_codec_write(&codec, host, TYPE_NAME, false);
		EX_PG(host, ex_sample_write(&codec, &state->sample));
		state->flat = codec.out;
		state->flat_context = context;
	}
	return VARHDRSZ + state->flat.size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	BackgroundState *state = (BackgroundState *) header;

	Assert(size == VARHDRSZ + state->flat.size);
	SET_VARSIZE(result, size);
	memcpy(VARDATA(result), state->flat.data, state->flat.size);
	drop_flat(state);
}

static const ExpandedObjectMethods methods = {get_flat_size, flatten_into};

BackgroundState *
background_create(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "explain_ext background", ALLOCSET_START_SMALL_SIZES);
	BackgroundState *state = MemoryContextAllocZero(context, sizeof(BackgroundState));

	EOH_init_header(&state->header, &methods, context);
	return state;
}

/* Read a flat value into an expanded object of its own. */
static BackgroundState *
expand(Datum argument, MemoryContext parent)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(argument);
	BackgroundState *state = background_create(parent);
	ex_host    *host = host_pg_create(state->header.eoh_context);
	ex_codec	codec;

	ex_codec_read(&codec, host, TYPE_NAME, false, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	EX_PG(host, ex_sample_read(&codec, &state->sample));
	return state;
}

static bool
is_expanded(Datum argument)
{
	return VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(argument)) &&
		DatumGetEOHP(argument)->eoh_methods == &methods;
}

ex_sample *
background_get(Datum argument)
{
	BackgroundState *state;

	if (!is_expanded(argument))
		return &expand(argument, CurrentMemoryContext)->sample;
	state = (BackgroundState *) DatumGetEOHP(argument);
	EX_PG(state->sample.host, ex_sample_settle(&state->sample));
	return &state->sample;
}

/* ---- the type ---- */

/* Reads a sample in either form and gives it in the flat one. */
static Datum
read_sample(ex_codec *in)
{
	ex_sample	sample;
	ex_codec	out;

	EX_PG(in->host, ex_sample_read(in, &sample));
	ex_codec_write(&out, in->host, TYPE_NAME, false);
	EX_PG(out.host, ex_sample_write(&out, &sample));
	return state_wire(&out);
}

Datum
explain_background_in(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	state_read_text(fcinfo, &codec, TYPE_NAME);
	return read_sample(&codec);
}

Datum
explain_background_recv(PG_FUNCTION_ARGS)
{
	ex_codec	codec;

	state_read_wire(fcinfo, &codec, TYPE_NAME);
	return read_sample(&codec);
}

static Datum
write_sample(FunctionCallInfo fcinfo, bool text)
{
	ex_sample  *sample = background_get(PG_GETARG_DATUM(0));
	ex_codec	codec;

	ex_codec_write(&codec, host_pg_here(), TYPE_NAME, text);
	EX_PG(codec.host, ex_sample_write(&codec, sample));
	return text ? state_text(&codec) : state_wire(&codec);
}

Datum
explain_background_out(PG_FUNCTION_ARGS)
{
	return write_sample(fcinfo, true);
}

Datum
explain_background_send(PG_FUNCTION_ARGS)
{
	return write_sample(fcinfo, false);
}

/* ---- the aggregate ---- */

/* An optional argument of the aggregate, which must not change from row to row. */
static int64
option(FunctionCallInfo fcinfo, int argno, const char *name, bool wide, int64 otherwise)
{
	if (PG_NARGS() <= argno)
		return otherwise;
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of a background sample must not be null", name)));
	return wide ? PG_GETARG_INT64(argno) : PG_GETARG_INT32(argno);
}

static void
start_sample(BackgroundState *state, int64 size, int64 seed, bool positional)
{
	ex_host    *host = host_pg_create(state->header.eoh_context);

	EX_PG(host, ex_sample_init(&state->sample, host, size, seed, positional));
}

/* The aggregate's own state; NULL at the first row. */
static BackgroundState *
own_state(FunctionCallInfo fcinfo, MemoryContext context)
{
	BackgroundState *state;

	if (PG_ARGISNULL(0))
		return NULL;
	if (!is_expanded(PG_GETARG_DATUM(0)))
		return expand(PG_GETARG_DATUM(0), context);
	state = (BackgroundState *) DatumGetEOHP(PG_GETARG_DATUM(0));
	drop_flat(state);
	return state;
}

static BackgroundState *
state_for_row(FunctionCallInfo fcinfo, bool positional)
{
	MemoryContext context = state_context(fcinfo);
	BackgroundState *state = own_state(fcinfo, context);
	int64		size = option(fcinfo, 2, "size", false, EX_SAMPLE_DEFAULT_SIZE);
	int64		seed = option(fcinfo, 3, "seed", true, 0);

	if (state == NULL)
	{
		state = background_create(context);
		start_sample(state, size, seed, positional);
	}
	else if ((uint64) size != state->sample.size || seed != state->sample.seed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("size and seed of a background sample must be the same for all rows")));
	else if (positional != state->sample.positional)	/* an aggregate of
														 * somebody's own */
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("background sample cannot have both arrays and rows with names")));
	return state;
}

Datum
explain_background_accum_record(PG_FUNCTION_ARGS)
{
	BackgroundState *state;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	state = state_for_row(fcinfo, false);
	background_add_record(state, PG_GETARG_HEAPTUPLEHEADER(1));
	return EOHPGetRWDatum(&state->header);
}

Datum
explain_background_accum_array(PG_FUNCTION_ARGS)
{
	BackgroundState *state;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	state = state_for_row(fcinfo, true);
	background_add_array(state, PG_GETARG_DATUM(1));
	return EOHPGetRWDatum(&state->header);
}

Datum
explain_background_accum_jsonb(PG_FUNCTION_ARGS)
{
	BackgroundState *state;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	state = state_for_row(fcinfo, false);
	background_add_jsonb(state, PG_GETARG_DATUM(1));
	return EOHPGetRWDatum(&state->header);
}

/* Also the transition function of background_merge. */
Datum
explain_background_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = state_context(fcinfo);
	BackgroundState *state;
	ex_sample  *other;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	state = own_state(fcinfo, context);
	other = background_get(PG_GETARG_DATUM(1));
	if (state == NULL)
	{
		state = background_create(context);
		start_sample(state, (int64) other->size, other->seed, other->positional);
	}
	EX_PG(state->sample.host, ex_sample_merge(&state->sample, other));
	return EOHPGetRWDatum(&state->header);
}
