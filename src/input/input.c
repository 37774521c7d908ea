/*
 * input.c
 *		From a row of the user's to the feature vector that kernels take.
 */
#include "input/input.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "input/feature.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

/* How a column's Datum becomes a number or a level. */
typedef enum ColumnKind
{
	COLUMN_FLOAT8,
	COLUMN_FLOAT4,
	COLUMN_INT2,
	COLUMN_INT4,
	COLUMN_INT8,
	COLUMN_NUMERIC,
	COLUMN_BOOL,
	COLUMN_TEXT,				/* varlena text */
	COLUMN_BPCHAR,				/* the same, trailing blanks mean nothing */
	COLUMN_OUTPUT				/* enum, name: text by the output function */
} ColumnKind;

typedef struct ColumnMap
{
	int			attribute;		/* 0-based column of the record */
	ColumnKind	kind;
	bool		plain;			/* a float8 that needs no rule unless it is
								 * NaN */
	FmgrInfo	output;			/* COLUMN_OUTPUT */
} ColumnMap;

/* How the records of one row type are read. */
typedef struct RecordMap
{
	MemoryContext context;		/* of everything below; NULL: no row type yet */
	uint64		row_type;		/* identifier that changes when the type is
								 * altered */
	ColumnMap  *column;			/* one for each feature */
	int		   *plain;			/* attributes of the features if all are
								 * plain, else NULL */
	uint32	   *offset;			/* where they are in a record without nulls,
								 * if only columns of fixed length precede
								 * them, else NULL */
	int			last;			/* largest of those attributes */
	TupleDesc	tupdesc;
	Datum	   *values;
	bool	   *nulls;
} RecordMap;

struct InputReader
{
	MemoryContext context;		/* the call site's */
	MemoryContext model_context;	/* rules and rows of the current model */
	const ex_model *model;		/* rules point into it, so content alone is
								 * not enough: */
	uint8		digest[16];		/* another model may come to lie at its
								 * address */
	uint32		n;
	FeatureRule *rule;
	InputRow	row[2];

	RecordMap	record[2];		/* of the row, of the reference row */
};

InputReader *
input_reader_create(MemoryContext context)
{
	InputReader *reader = MemoryContextAllocZero(context, sizeof(InputReader));

	reader->context = context;
	return reader;
}

static void
drop_record_map(RecordMap *map)
{
	MemoryContext context = map->context;

	memset(map, 0, sizeof(*map));
	if (context != NULL)
		MemoryContextDelete(context);
}

static void
allocate_row(InputRow *row, uint32 n, MemoryContext context)
{
	row->x = MemoryContextAllocZero(context, n * sizeof(double));
	row->missing = MemoryContextAllocZero(context, n * sizeof(bool));
	row->unknown = MemoryContextAllocZero(context, n * sizeof(char *));
}

static void
set_model(InputReader *reader, const ModelEntry *entry)
{
	MemoryContext context;

	if (reader->model_context != NULL && reader->model == entry->model &&
		memcmp(reader->digest, entry->digest, sizeof(reader->digest)) == 0)
		return;
	drop_record_map(&reader->record[0]);
	drop_record_map(&reader->record[1]);
	if (reader->model_context != NULL)
		MemoryContextDelete(reader->model_context);
	reader->model_context = NULL;

	context = AllocSetContextCreate(reader->context, "explain_ext input", ALLOCSET_SMALL_SIZES);
	reader->n = entry->model->n_features;
	reader->rule = feature_rules(entry->model, context);
	allocate_row(&reader->row[0], reader->n, context);
	allocate_row(&reader->row[1], reader->n, context);
	reader->model = entry->model;
	memcpy(reader->digest, entry->digest, sizeof(reader->digest));
	reader->model_context = context;
}

/*
 * Array
 */

/*
 * Features of an image have a shape: an array may have it too, [height][width]
 * or, of several channels, [channels][height][width].
 */
static bool
has_image_shape(const ex_model *model, const ArrayType *array)
{
	const uint32 *shape = ex_get(model, EX_IMAGE_SHAPE, NULL);
	int			ndim = ARR_NDIM(array);
	const int  *dims = ARR_DIMS(array);

	if (shape == NULL || (ndim != 3 && !(ndim == 2 && shape[0] == 1)))
		return false;
	for (int i = 0; i < ndim; i++)
		if ((uint32) dims[i] != shape[3 - ndim + i])
			return false;
	return true;
}

static void
check_dimensions(const ex_model *model, const ArrayType *array)
{
	const uint32 *shape = ex_get(model, EX_IMAGE_SHAPE, NULL);

	if (ARR_NDIM(array) <= 1 || has_image_shape(model, array))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
			 errmsg("input array must have one dimension, not %d", ARR_NDIM(array)),
			 shape == NULL ? 0 : errhint("Or have the dimensions [%u][%u][%u] of the model's image:"
										 " channels, height, width.", shape[0], shape[1], shape[2])));
}

static void
read_array(InputReader *reader, InputRow *row, Datum input)
{
	ArrayType  *array = DatumGetArrayTypeP(input);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const double *value = (const double *) ARR_DATA_PTR(array);
	const bits8 *bitmap = ARR_NULLBITMAP(array);

	Assert(ARR_ELEMTYPE(array) == FLOAT8OID);
	check_dimensions(reader->model, array);
	if ((uint32) n != reader->n)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg_plural("expected %u feature, not %d", "expected %u features, not %d",
							   reader->n, reader->n, n),
				 errhint("The features and their order are listed by explain.model_features.")));

	for (uint32 i = 0; i < reader->n; i++)
	{
		const FeatureRule *rule = &reader->rule[i];

		if (bitmap != NULL && !(bitmap[i / 8] & (1 << (i % 8))))
		{
			feature_set_missing(rule, row, i);
			continue;
		}
		if (rule->feature.kind == EX_CATEGORICAL)
			feature_set_code(rule, row, i, *value++);
		else
			feature_set_number(rule, row, i, *value++);
	}
}

/*
 * Record
 */
static char *
feature_list(const InputReader *reader)
{
	StringInfoData list;

	initStringInfo(&list);
	for (uint32 i = 0; i < reader->n; i++)
	{
		if (list.len > 800)
		{
			appendStringInfo(&list, " and %u more", reader->n - i);
			break;
		}
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", feature_name(&reader->rule[i].feature));
	}
	return list.data;
}

static void
missing_feature(const InputReader *reader, uint32 i, const char *what, bool anonymous)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("input %s no feature \"%s\"", what, feature_name(&reader->rule[i].feature)),
			 errdetail("The model needs: %s.", feature_list(reader)),
			 anonymous ? errhint("The record has no column names of its own; give a subquery's alias instead,"
								 " for example SELECT ... FROM (SELECT a, b FROM t) AS r.") :
			 errhint("Names are compared exactly; columns that are not features are ignored.")));
}

static ColumnKind
column_kind(const FeatureRule *rule, Oid type)
{
	Oid			base = getBaseType(type);

	switch (base)
	{
		case FLOAT8OID:
			return COLUMN_FLOAT8;
		case FLOAT4OID:
			return COLUMN_FLOAT4;
		case INT2OID:
			return COLUMN_INT2;
		case INT4OID:
			return COLUMN_INT4;
		case INT8OID:
			return COLUMN_INT8;
		case NUMERICOID:
			return COLUMN_NUMERIC;
		case BOOLOID:
			return COLUMN_BOOL;
		case TEXTOID:
		case VARCHAROID:
			return COLUMN_TEXT;
		case BPCHAROID:
			return COLUMN_BPCHAR;
		case NAMEOID:
			return COLUMN_OUTPUT;
	}
	if (type_is_enum(base))
		return COLUMN_OUTPUT;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of type %s cannot be a feature",
					feature_name(&rule->feature), format_type_be(type)),
			 errhint("Features are numbers, booleans, text or enums;"
					 " turn a date into a number with extract(epoch from ...).")));
}

/* The record's column for a feature, by exact name; -1 if there is none. */
static int
find_column(const InputReader *reader, TupleDesc tupdesc, uint32 i)
{
	char	   *name = feature_name(&reader->rule[i].feature);
	int			found = -1;

	for (int a = 0; a < tupdesc->natts; a++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, a);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		if (found >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("input has two columns named \"%s\"", name),
					 errhint("Select the columns in a subquery and give each its own name.")));
		found = a;
	}
	pfree(name);
	return found;
}

/* ROW(a, b) names its columns f1, f2, ... */
static bool
is_anonymous(TupleDesc tupdesc)
{
	return tupdesc->tdtypeid == RECORDOID && tupdesc->natts > 0 &&
		strcmp(NameStr(TupleDescAttr(tupdesc, 0)->attname), "f1") == 0;
}

static int *
plain_attributes(const ColumnMap *column, uint32 n)
{
	int		   *attribute = palloc(n * sizeof(int));

	for (uint32 i = 0; i < n; i++)
	{
		if (!column[i].plain)
			return NULL;
		attribute[i] = column[i].attribute;
	}
	return attribute;
}

static uint32 *
fixed_offsets(TupleDesc tupdesc, const int *attribute, uint32 n, int last)
{
	uint32	   *of_attribute = palloc((last + 1) * sizeof(uint32));
	uint32	   *offset = palloc(n * sizeof(uint32));
	uint32		end = 0;

	for (int a = 0; a <= last; a++)
	{
		Form_pg_attribute form = TupleDescAttr(tupdesc, a);

		if (form->attlen <= 0)
			return NULL;
		of_attribute[a] = att_align_nominal(end, form->attalign);
		end = of_attribute[a] + form->attlen;
	}
	for (uint32 i = 0; i < n; i++)
		offset[i] = of_attribute[attribute[i]];
	return offset;
}

static void
map_offsets(RecordMap *map, uint32 n)
{
	if (map->plain == NULL || n == 0)
		return;
	for (uint32 i = 0; i < n; i++)
		map->last = Max(map->last, map->plain[i]);
	map->offset = fixed_offsets(map->tupdesc, map->plain, n, map->last);
}

static void
map_column(const InputReader *reader, TupleDesc tupdesc, uint32 i, ColumnMap *column)
{
	int			a = find_column(reader, tupdesc, i);
	Oid			type;

	if (a < 0)
		missing_feature(reader, i, "has", is_anonymous(tupdesc));
	type = TupleDescAttr(tupdesc, a)->atttypid;
	column->attribute = a;
	column->kind = column_kind(&reader->rule[i], type);
	column->plain = column->kind == COLUMN_FLOAT8 && feature_is_plain(&reader->rule[i]);
	if (column->kind == COLUMN_OUTPUT)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(type, &output, &varlena);
		fmgr_info_cxt(output, &column->output, CurrentMemoryContext);
	}
}

/* The map is published only when it is complete: an error may be caught. */
static void
map_record(InputReader *reader, RecordMap *map, Oid type, int32 typmod, uint64 row_type)
{
	TupleDesc	tupdesc;
	MemoryContext old;
	RecordMap	made = {0};

	drop_record_map(map);
	made.context = AllocSetContextCreate(reader->context, "explain_ext columns", ALLOCSET_SMALL_SIZES);
	made.row_type = row_type;
	old = MemoryContextSwitchTo(made.context);
	tupdesc = lookup_rowtype_tupdesc(type, typmod);
	made.tupdesc = CreateTupleDescCopy(tupdesc);
	ReleaseTupleDesc(tupdesc);
	made.values = palloc(made.tupdesc->natts * sizeof(Datum) + 1);
	made.nulls = palloc(made.tupdesc->natts * sizeof(bool) + 1);
	made.column = palloc0(reader->n * sizeof(ColumnMap));
	for (uint32 i = 0; i < reader->n; i++)
		map_column(reader, made.tupdesc, i, &made.column[i]);
	made.plain = plain_attributes(made.column, reader->n);
	map_offsets(&made, reader->n);
	MemoryContextSwitchTo(old);
	*map = made;
}

static void
set_integer(const FeatureRule *rule, InputRow *row, uint32 i, int64 number)
{
	char		text[MAXINT8LEN + 1] = "";

	if (rule->level != NULL)
		text[pg_lltoa(number, text)] = '\0';
	feature_set_value(rule, row, i, (double) number, text);
}

static void
set_numeric(const FeatureRule *rule, InputRow *row, uint32 i, Datum value)
{
	double		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
	const char *text = "";

	if (rule->level != NULL)
		text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	feature_set_value(rule, row, i, number, text);
}

static void
set_varlena(const FeatureRule *rule, InputRow *row, uint32 i, Datum value, bool padded)
{
	text	   *string = DatumGetTextPP(value);
	int			length = (int) VARSIZE_ANY_EXHDR(string);

	if (padded)
		length = bpchartruelen(VARDATA_ANY(string), length);
	feature_set_text(rule, row, i, VARDATA_ANY(string), length);
	if ((Pointer) string != DatumGetPointer(value))
		pfree(string);
}

static void
set_output(const FeatureRule *rule, InputRow *row, uint32 i, FmgrInfo *output, Datum value)
{
	char	   *text = OutputFunctionCall(output, value);

	feature_set_text(rule, row, i, text, (int) strlen(text));
	pfree(text);
}

static void
set_column(const FeatureRule *rule, InputRow *row, uint32 i, ColumnMap *column, Datum value)
{
	switch (column->kind)
	{
		case COLUMN_FLOAT8:
			feature_set_float(rule, row, i, DatumGetFloat8(value));
			break;
		case COLUMN_FLOAT4:
			feature_set_float(rule, row, i, DatumGetFloat4(value));
			break;
		case COLUMN_INT2:
			set_integer(rule, row, i, DatumGetInt16(value));
			break;
		case COLUMN_INT4:
			set_integer(rule, row, i, DatumGetInt32(value));
			break;
		case COLUMN_INT8:
			set_integer(rule, row, i, DatumGetInt64(value));
			break;
		case COLUMN_NUMERIC:
			set_numeric(rule, row, i, value);
			break;
		case COLUMN_BOOL:
			feature_set_bool(rule, row, i, DatumGetBool(value));
			break;
		case COLUMN_TEXT:
		case COLUMN_BPCHAR:
			set_varlena(rule, row, i, value, column->kind == COLUMN_BPCHAR);
			break;
		case COLUMN_OUTPUT:
			set_output(rule, row, i, &column->output, value);
			break;
	}
}

/*
 * The common row of float8 columns without NULL and NaN, in one branch-free
 * loop; false if it is not one.
 */
static bool
copy_plain(const InputReader *reader, const RecordMap *map, InputRow *row)
{
	bool		rule_needed = false;

	for (uint32 i = 0; i < reader->n; i++)
	{
		int			attribute = map->plain[i];

		row->x[i] = DatumGetFloat8(map->values[attribute]);
		rule_needed |= map->nulls[attribute] | (row->x[i] != row->x[i]);
	}
	memset(row->missing, 0, reader->n * sizeof(bool));
	return !rule_needed;
}

/* The same where each value has its place: the record need not be taken apart. */
static bool
copy_fixed(const InputReader *reader, const RecordMap *map, HeapTupleHeader record, InputRow *row)
{
	const char *data = (const char *) record + record->t_hoff;
	const uint32 *offset = map->offset;
	double	   *x = row->x;
	uint32		n = reader->n;
	bool		rule_needed = false;

	if ((record->t_infomask & HEAP_HASNULL) != 0 || HeapTupleHeaderGetNatts(record) <= map->last)
		return false;
	for (uint32 i = 0; i < n; i++)
	{
		double		value;

		memcpy(&value, data + offset[i], sizeof(value));
		rule_needed |= value != value;
		x[i] = value;
	}
	memset(row->missing, 0, n * sizeof(bool));
	return !rule_needed;
}

static void
set_columns(const InputReader *reader, const RecordMap *map, InputRow *row)
{
	for (uint32 i = 0; i < reader->n; i++)
	{
		ColumnMap  *column = &map->column[i];

		if (map->nulls[column->attribute])
			feature_set_missing(&reader->rule[i], row, i);
		else
			set_column(&reader->rule[i], row, i, column, map->values[column->attribute]);
	}
}

static void
read_record(InputReader *reader, RecordMap *map, InputRow *row, Datum input)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(input);
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = HeapTupleHeaderGetTypMod(header);
	uint64		row_type = assign_record_type_identifier(type, typmod);
	HeapTupleData tuple;

	if (map->context == NULL || map->row_type != row_type)
		map_record(reader, map, type, typmod, row_type);

	if (map->offset != NULL && copy_fixed(reader, map, header, row))
		return;
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, map->tupdesc, map->values, map->nulls);

	if (map->plain == NULL || !copy_plain(reader, map, row))
		set_columns(reader, map, row);
}

/*
 * jsonb
 */
static void
set_json(const FeatureRule *rule, InputRow *row, uint32 i, JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			feature_set_missing(rule, row, i);
			break;
		case jbvNumeric:
			set_numeric(rule, row, i, NumericGetDatum(value->val.numeric));
			break;
		case jbvBool:
			feature_set_bool(rule, row, i, value->val.boolean);
			break;
		case jbvString:
			feature_set_text(rule, row, i, value->val.string.val, value->val.string.len);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("value of feature \"%s\" in the input object is not a scalar",
							feature_name(&rule->feature))));
	}
}

static void
read_jsonb(InputReader *reader, InputRow *row, Datum input)
{
	Jsonb	   *object = DatumGetJsonbP(input);

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("input must be a JSON object"),
				 errhint("Write one member for each feature, such as {\"age\": 41}.")));
	for (uint32 i = 0; i < reader->n; i++)
	{
		char	   *name = feature_name(&reader->rule[i].feature);
		JsonbValue	buffer;
		JsonbValue *value = getKeyJsonValueFromContainer(&object->root, name, (int) strlen(name), &buffer);

		if (value == NULL)
			missing_feature(reader, i, "object has", false);
		set_json(&reader->rule[i], row, i, value);
		pfree(name);
	}
}

InputRow *
input_read(InputReader *reader, const ModelEntry *entry, InputKind kind, Datum input, int slot)
{
	InputRow   *row;

	set_model(reader, entry);
	row = &reader->row[slot];
	memset(row->unknown, 0, reader->n * sizeof(char *));
	switch (kind)
	{
		case INPUT_RECORD:
			read_record(reader, &reader->record[slot], row, input);
			break;
		case INPUT_ARRAY:
			read_array(reader, row, input);
			break;
		case INPUT_JSONB:
			read_jsonb(reader, row, input);
			break;
	}
	return row;
}

char *
input_value_text(const ModelEntry *entry, const InputRow *row, uint32 i)
{
	ex_feature	feature;
	char		buffer[32];
	uint32		length;
	const char *text;

	if (row->unknown[i] != NULL)
		return pstrdup(row->unknown[i]);
	if (row->missing[i])
		return NULL;
	ex_get_feature(entry->model, i, &feature);
	switch (feature.kind)
	{
		case EX_BOOLEAN:
			return pstrdup(row->x[i] != 0 ? "true" : "false");
		case EX_CATEGORICAL:
			text = ex_level_name(entry->model, i, (uint32) row->x[i], buffer, &length);
			return host_pg_from_utf8(text, (int) length);
		default:
			if (isinf(row->x[i]))
				return pstrdup(row->x[i] > 0 ? "Infinity" : "-Infinity");
			double_to_shortest_decimal_buf(row->x[i], buffer);
			return pstrdup(buffer);
	}
}
