/*
 * record_fields.c
 *		From a record of the user's to the fields of a table row.
 */
#include "build/record_fields.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

/* How a column's Datum becomes a field. */
typedef enum ColumnForm
{
	FORM_TEXT,					/* by the type's output function */
	FORM_NUMBER,
	FORM_BOOLEAN,
	FORM_TEXTS,
	FORM_NUMBERS
} ColumnForm;

typedef struct Column
{
	int			attribute;		/* 0-based column of the record; -1: absent */
	ColumnForm	form;
	Oid			type;			/* of the value, or of the array's elements; no domain */
	FmgrInfo	output;			/* FORM_TEXT, FORM_TEXTS */
	int16		length;			/* of the type, for arrays */
	bool		by_value;
	char		align;
} Column;

struct RecordFields
{
	const ex_table *table;
	MemoryContext context;
	MemoryContext map_context;	/* column map of the row type seen last */
	MemoryContext row_context;	/* fields of the current row */
	uint64		row_type;		/* identifier that changes when the type is altered */
	TupleDesc	tupdesc;
	Datum	   *values;
	bool	   *nulls;
	Column		column[EX_TABLE_MAX_FIELDS];
	ex_field	field[EX_TABLE_MAX_FIELDS];
};

RecordFields *
record_fields_create(MemoryContext context, const ex_table *table)
{
	RecordFields *reader = MemoryContextAllocZero(context, sizeof(RecordFields));

	reader->table = table;
	reader->context = context;
	reader->row_context = AllocSetContextCreate(context, "explain_ext table row", ALLOCSET_SMALL_SIZES);
	return reader;
}

/*
 * Column map
 */
static char *
required_columns(const ex_table *table)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < table->n_fields; i++)
		if (table->field[i].required)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", table->field[i].name);
	return list.data;
}

/* ROW(a, b) names its columns f1, f2, ... */
static bool
is_anonymous(TupleDesc tupdesc)
{
	return tupdesc->natts > 0 && strcmp(NameStr(TupleDescAttr(tupdesc, 0)->attname), "f1") == 0;
}

static void
missing_column(const ex_table *table, const char *name, TupleDesc tupdesc)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("%s has no column \"%s\"", table->name, name),
			 errdetail("It needs the columns %s.", required_columns(table)),
			 is_anonymous(tupdesc) ? errhint("The record has no column names of its own; aggregate a subquery's alias"
											 " instead, for example FROM (SELECT a AS %s, ...) AS r.", name) :
			 errhint("Rename columns in a subquery: FROM (SELECT a AS %s, ...) AS r.", name)));
}

static int
find_column(const char *name, TupleDesc tupdesc)
{
	int			found = -1;

	for (int a = 0; a < tupdesc->natts; a++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, a);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		if (found >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("record has two columns named \"%s\"", name),
					 errhint("Select the columns in a subquery and give each its own name.")));
		found = a;
	}
	return found;
}

static bool
is_number(Oid type)
{
	return type == FLOAT8OID || type == FLOAT4OID || type == INT2OID || type == INT4OID ||
		type == INT8OID || type == NUMERICOID;
}

/* Types whose text is the same whatever the settings are. */
static bool
has_plain_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID || type == NAMEOID ||
		type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID ||
		type == BOOLOID || type_is_enum(type);
}

static void
wrong_type(const ex_field_spec *spec, Oid type)
{
	const char *expected = spec->is_boolean ? "boolean" :
	spec->types == EX_FIELD_TEXT ? "text or an integer" :
	spec->types == EX_FIELD_NUMBER ? "a number" :
	spec->types == EX_FIELD_TEXTS ? "an array of text" :
	spec->types == EX_FIELD_NUMBERS ? "an array of numbers" :
	spec->types == (EX_FIELD_TEXTS | EX_FIELD_NUMBERS) ? "an array of text or of integers" :
	"a number or an array of numbers";

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" has type %s", spec->name, format_type_be(type)),
			 errdetail("It must be %s.", expected)));
}

static bool
array_form(const ex_field_spec *spec, Column *column)
{
	if ((spec->types & EX_FIELD_NUMBERS) && is_number(column->type))
		column->form = FORM_NUMBERS;
	else if ((spec->types & EX_FIELD_TEXTS) && has_plain_text(column->type))
		column->form = FORM_TEXTS;
	else
		return false;
	get_typlenbyvalalign(column->type, &column->length, &column->by_value, &column->align);
	return true;
}

static bool
scalar_form(const ex_field_spec *spec, Column *column)
{
	if (spec->is_boolean)
	{
		column->form = FORM_BOOLEAN;
		return column->type == BOOLOID;
	}
	column->form = (spec->types & EX_FIELD_NUMBER) ? FORM_NUMBER : FORM_TEXT;
	if (column->form == FORM_NUMBER)
		return is_number(column->type);
	return (spec->types & EX_FIELD_TEXT) && has_plain_text(column->type);
}

static void
map_column(RecordFields *reader, int i)
{
	const ex_field_spec *spec = &reader->table->field[i];
	Column	   *column = &reader->column[i];
	Oid			type;
	Oid			element;

	column->attribute = find_column(spec->name, reader->tupdesc);
	if (column->attribute < 0)
	{
		if (spec->required)
			missing_column(reader->table, spec->name, reader->tupdesc);
		return;
	}
	type = TupleDescAttr(reader->tupdesc, column->attribute)->atttypid;
	column->type = getBaseType(type);
	element = get_element_type(column->type);
	if (OidIsValid(element))
		column->type = getBaseType(element);
	if (!(OidIsValid(element) ? array_form(spec, column) : scalar_form(spec, column)))
		wrong_type(spec, type);
	if (column->form == FORM_TEXT || column->form == FORM_TEXTS)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(column->type, &output, &varlena);
		fmgr_info_cxt(output, &column->output, reader->map_context);
	}
}

static void
map_columns(RecordFields *reader, Oid type, int32 typmod, uint64 row_type)
{
	TupleDesc	tupdesc;
	MemoryContext old;

	reader->tupdesc = NULL;
	if (reader->map_context != NULL)
		MemoryContextDelete(reader->map_context);
	reader->map_context = AllocSetContextCreate(reader->context, "explain_ext table columns",
												ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(reader->map_context);
	tupdesc = lookup_rowtype_tupdesc_copy(type, typmod);
	reader->values = palloc(tupdesc->natts * sizeof(Datum) + 1);
	reader->nulls = palloc(tupdesc->natts * sizeof(bool) + 1);
	MemoryContextSwitchTo(old);

	reader->tupdesc = tupdesc;
	for (int i = 0; i < reader->table->n_fields; i++)
		map_column(reader, i);
	reader->row_type = row_type;
}

/*
 * Values; everything is allocated in row_context, where we are
 */
static ex_string
string_of(Column *column, Datum value)
{
	ex_string	string;
	char	   *text = OutputFunctionCall(&column->output, value);
	int			length = (int) strlen(text);

	if (column->type == BPCHAROID)
		length = bpchartruelen(text, length);
	string.text = host_pg_to_utf8(text, length);
	string.length = (uint32) strlen(string.text);
	return string;
}

static double
number_of(Oid type, Datum value)
{
	switch (type)
	{
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
	}
}

static void
read_elements(const char *name, Column *column, Datum value, ex_field *field)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *element;
	bool	   *null;
	int			n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array in column \"%s\" must have one dimension, not %d", name, ARR_NDIM(array))));
	deconstruct_array(array, ARR_ELEMTYPE(array), column->length, column->by_value, column->align,
					  &element, &null, &n);
	for (int i = 0; i < n; i++)
		if (null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("array in column \"%s\" must not contain nulls", name)));
	field->count = (uint32) n;
	if (column->form == FORM_TEXTS)
	{
		ex_string  *text = palloc(n * sizeof(ex_string) + 1);

		for (int i = 0; i < n; i++)
			text[i] = string_of(column, element[i]);
		field->texts = text;
	}
	else
	{
		double	   *number = palloc(n * sizeof(double) + 1);

		for (int i = 0; i < n; i++)
			number[i] = number_of(column->type, element[i]);
		field->numbers = number;
	}
}

static void
read_value(const char *name, Column *column, Datum value, ex_field *field)
{
	switch (column->form)
	{
		case FORM_TEXT:
			field->type = EX_FIELD_TEXT;
			field->text = string_of(column, value);
			break;
		case FORM_NUMBER:
			field->type = EX_FIELD_NUMBER;
			field->number = number_of(column->type, value);
			break;
		case FORM_BOOLEAN:
			field->type = EX_FIELD_NUMBER;
			field->number = DatumGetBool(value) ? 1 : 0;
			break;
		case FORM_TEXTS:
			field->type = EX_FIELD_TEXTS;
			read_elements(name, column, value, field);
			break;
		case FORM_NUMBERS:
			field->type = EX_FIELD_NUMBERS;
			read_elements(name, column, value, field);
			break;
	}
}

const ex_field *
record_fields_read(RecordFields *reader, Datum record)
{
	HeapTupleHeader header;
	HeapTupleData tuple;
	MemoryContext old;
	Oid			type;
	int32		typmod;
	uint64		row_type;

	MemoryContextReset(reader->row_context);
	old = MemoryContextSwitchTo(reader->row_context);
	header = DatumGetHeapTupleHeader(record);
	type = HeapTupleHeaderGetTypeId(header);
	typmod = HeapTupleHeaderGetTypMod(header);
	row_type = assign_record_type_identifier(type, typmod);
	if (reader->tupdesc == NULL || reader->row_type != row_type)
		map_columns(reader, type, typmod, row_type);

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, reader->tupdesc, reader->values, reader->nulls);

	memset(reader->field, 0, sizeof(reader->field));
	for (int i = 0; i < reader->table->n_fields; i++)
	{
		Column	   *column = &reader->column[i];

		if (column->attribute >= 0 && !reader->nulls[column->attribute])
			read_value(reader->table->field[i].name, column, reader->values[column->attribute],
					   &reader->field[i]);
	}
	MemoryContextSwitchTo(old);
	return reader->field;
}
