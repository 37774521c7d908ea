/*
 * background_input.c
 *		Rows of any kind into a background sample.
 *
 * No model is known, so every column that could be a feature is taken:
 * numbers, booleans, text and enums.  Others are ignored, as they are when a
 * record is explained.
 */
#include "aggregate/background.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

/* Text of the database as UTF-8; the same bytes where it is that already. */
static const char *
utf8(const char *text, size_t *length)
{
	char	   *converted;

	if (GetDatabaseEncoding() == PG_UTF8)
		return text;
	converted = host_pg_to_utf8(text, (int) *length);
	*length = strlen(converted);
	return converted;
}

static uint32
column_named(ex_sample *sample, const char *name, size_t length)
{
	uint32		column;

	name = utf8(name, &length);
	EX_PG(sample->host, ex_sample_column_at(sample, name, length, &column));
	return column;
}

static void
add_text(ex_sample *sample, uint32 column, const char *text, size_t length)
{
	text = utf8(text, &length);
	EX_PG(sample->host, ex_sample_text(sample, column, text, length));
}

static void
add_number(ex_sample *sample, uint32 column, double value)
{
	EX_PG(sample->host, ex_sample_number(sample, column, value));
}

static void
add_numeric(ex_sample *sample, uint32 column, Datum value)
{
	add_number(sample, column, DatumGetFloat8(DirectFunctionCall1(numeric_float8, value)));
}

/* ---- records ---- */

static BackgroundKind
kind_of_type(Oid type)
{
	Oid			base = getBaseType(type);

	switch (base)
	{
		case FLOAT8OID:
			return BACKGROUND_FLOAT8;
		case FLOAT4OID:
			return BACKGROUND_FLOAT4;
		case INT2OID:
			return BACKGROUND_INT2;
		case INT4OID:
			return BACKGROUND_INT4;
		case INT8OID:
			return BACKGROUND_INT8;
		case NUMERICOID:
			return BACKGROUND_NUMERIC;
		case BOOLOID:
			return BACKGROUND_BOOL;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return BACKGROUND_TEXT;
		case NAMEOID:
			return BACKGROUND_OUTPUT;
		default:
			return type_is_enum(base) ? BACKGROUND_OUTPUT : BACKGROUND_IGNORED;
	}
}

static void
check_distinct(TupleDesc tupdesc, int a)
{
	const char *name = NameStr(TupleDescAttr(tupdesc, a)->attname);

	for (int b = 0; b < a; b++)
		if (!TupleDescAttr(tupdesc, b)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(tupdesc, b)->attname), name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("background row has two columns named \"%s\"", name),
					 errhint("Select the columns in a subquery and give each its own name.")));
}

static void
map_column(BackgroundState *state, int a)
{
	BackgroundMap *map = &state->map;
	Form_pg_attribute attribute = TupleDescAttr(map->tupdesc, a);
	BackgroundColumn *column = &map->column[a];

	column->kind = attribute->attisdropped ? BACKGROUND_IGNORED : kind_of_type(attribute->atttypid);
	if (column->kind == BACKGROUND_IGNORED)
		return;
	check_distinct(map->tupdesc, a);
	column->column = column_named(&state->sample, NameStr(attribute->attname),
								  strlen(NameStr(attribute->attname)));
	if (column->kind == BACKGROUND_OUTPUT)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(attribute->atttypid, &output, &varlena);
		fmgr_info_cxt(output, &column->output, map->context);
	}
}

static void
map_columns(BackgroundState *state, Oid type, int32 typmod, uint64 row_type)
{
	BackgroundMap *map = &state->map;
	TupleDesc	tupdesc = lookup_rowtype_tupdesc(type, typmod);
	MemoryContext old;

	if (map->context != NULL)
		MemoryContextDelete(map->context);
	map->context = AllocSetContextCreate(state->header.eoh_context, "explain_ext background columns",
										 ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(map->context);
	map->tupdesc = CreateTupleDescCopy(tupdesc);
	map->column = palloc0(tupdesc->natts * sizeof(BackgroundColumn) + 1);
	map->values = palloc(tupdesc->natts * sizeof(Datum) + 1);
	map->nulls = palloc(tupdesc->natts * sizeof(bool) + 1);
	ReleaseTupleDesc(tupdesc);
	for (int a = 0; a < map->tupdesc->natts; a++)
		map_column(state, a);
	MemoryContextSwitchTo(old);
	map->row_type = row_type;
}

static void
add_attribute(ex_sample *sample, BackgroundColumn *column, Datum value)
{
	char	   *text;

	switch (column->kind)
	{
		case BACKGROUND_IGNORED:
			break;
		case BACKGROUND_FLOAT8:
			add_number(sample, column->column, DatumGetFloat8(value));
			break;
		case BACKGROUND_FLOAT4:
			add_number(sample, column->column, DatumGetFloat4(value));
			break;
		case BACKGROUND_INT2:
			add_number(sample, column->column, DatumGetInt16(value));
			break;
		case BACKGROUND_INT4:
			add_number(sample, column->column, DatumGetInt32(value));
			break;
		case BACKGROUND_INT8:
			add_number(sample, column->column, (double) DatumGetInt64(value));
			break;
		case BACKGROUND_NUMERIC:
			add_numeric(sample, column->column, value);
			break;
		case BACKGROUND_BOOL:
			EX_PG(sample->host, ex_sample_boolean(sample, column->column, DatumGetBool(value)));
			break;
		case BACKGROUND_TEXT:
			{
				struct varlena *string = PG_DETOAST_DATUM_PACKED(value);

				add_text(sample, column->column, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
				break;
			}
		case BACKGROUND_OUTPUT:
			text = OutputFunctionCall(&column->output, value);
			add_text(sample, column->column, text, strlen(text));
			break;
	}
}

void
background_add_record(BackgroundState *state, HeapTupleHeader record)
{
	BackgroundMap *map = &state->map;
	ex_sample  *sample = &state->sample;
	Oid			type = HeapTupleHeaderGetTypeId(record);
	int32		typmod = HeapTupleHeaderGetTypMod(record);
	uint64		row_type = assign_record_type_identifier(type, typmod);
	HeapTupleData tuple;

	if (map->context == NULL || map->row_type != row_type)
		map_columns(state, type, typmod, row_type);
	tuple.t_len = HeapTupleHeaderGetDatumLength(record);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = record;
	heap_deform_tuple(&tuple, map->tupdesc, map->values, map->nulls);

	EX_PG(sample->host, ex_sample_begin(sample));
	for (int a = 0; a < map->tupdesc->natts; a++)
		if (!map->nulls[a])
			add_attribute(sample, &map->column[a], map->values[a]);
	EX_PG(sample->host, ex_sample_end(sample));
}

/* ---- arrays ---- */

void
background_add_array(BackgroundState *state, Datum input)
{
	ArrayType  *array = DatumGetArrayTypeP(input);
	ex_sample  *sample = &state->sample;
	const double *value = (const double *) ARR_DATA_PTR(array);
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("background row must be an array of one dimension, not %d", ARR_NDIM(array))));
	EX_PG(sample->host, ex_sample_positions(sample, (uint32) n));
	EX_PG(sample->host, ex_sample_begin(sample));
	for (int i = 0; i < n; i++)
		if (bitmap == NULL || (bitmap[i / 8] & (1 << (i % 8))))
			add_number(sample, (uint32) i, *value++);
	EX_PG(sample->host, ex_sample_end(sample));
}

/* ---- jsonb ---- */

static void
add_json(ex_sample *sample, uint32 column, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNumeric:
			add_numeric(sample, column, NumericGetDatum(value->val.numeric));
			break;
		case jbvBool:
			EX_PG(sample->host, ex_sample_boolean(sample, column, value->val.boolean));
			break;
		case jbvString:
			add_text(sample, column, value->val.string.val, value->val.string.len);
			break;
		default:
			break;				/* null is missing; arrays and objects are no
								 * features */
	}
}

void
background_add_jsonb(BackgroundState *state, Datum input)
{
	Jsonb	   *object = DatumGetJsonbP(input);
	ex_sample  *sample = &state->sample;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	uint32		column = 0;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("background row must be a JSON object"),
				 errhint("Write one member for each feature, such as {\"age\": 41}.")));
	EX_PG(sample->host, ex_sample_begin(sample));
	iterator = JsonbIteratorInit(&object->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			column = column_named(sample, value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			add_json(sample, column, &value);
	}
	EX_PG(sample->host, ex_sample_end(sample));
}
