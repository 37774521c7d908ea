/*
 * rows.c
 *		Writing rows of set-returning functions.
 */
#include "rows/rows.h"

#include <math.h>

#include "host_pg.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

void
rows_begin(FunctionCallInfo fcinfo, RowWriter *row)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	row->result = (ReturnSetInfo *) fcinfo->resultinfo;
	row->context = AllocSetContextCreate(CurrentMemoryContext, "explain_ext row", ALLOCSET_SMALL_SIZES);
	row->column = 0;
}

static void
put(RowWriter *row, Datum value, bool null)
{
	Assert(row->column < (int) lengthof(row->value));
	row->value[row->column] = value;
	row->null[row->column++] = null;
}

void
row_null(RowWriter *row)
{
	put(row, (Datum) 0, true);
}

void
row_text(RowWriter *row, const char *text)
{
	MemoryContext old = MemoryContextSwitchTo(row->context);

	if (text == NULL)
		row_null(row);
	else
		put(row, CStringGetTextDatum(text), false);
	MemoryContextSwitchTo(old);
}

void
row_text_n(RowWriter *row, const char *text, uint32 length)
{
	char	   *native = host_pg_from_utf8(text, (int) length);

	row_text(row, native);
	pfree(native);
}

void
row_int4(RowWriter *row, int32 value)
{
	put(row, Int32GetDatum(value), false);
}

void
row_bool(RowWriter *row, bool value)
{
	put(row, BoolGetDatum(value), false);
}

void
row_float8(RowWriter *row, double value)
{
	if (isfinite(value))
		put(row, Float8GetDatum(value), false);
	else
		row_null(row);
}

void
row_datum(RowWriter *row, Datum value, bool null)
{
	put(row, value, null);
}

void
row_end(RowWriter *row)
{
	Assert(row->column == row->result->setDesc->natts);
	tuplestore_putvalues(row->result->setResult, row->result->setDesc, row->value, row->null);
	row->column = 0;
	MemoryContextReset(row->context);
}
