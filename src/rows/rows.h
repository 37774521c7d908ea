/*
 * rows.h
 *		Writing rows of set-returning functions.
 *
 * Materialise mode only, so that fn_extra stays free for the call site.
 */
#ifndef ROWS_H
#define ROWS_H

#include "pg_compat.h"

#include "fmgr.h"
#include "funcapi.h"

/* One row under construction: columns are filled from left to right. */
typedef struct RowWriter
{
	ReturnSetInfo *result;
	MemoryContext context;		/* of this row: row_end empties it */
	int			column;
	Datum		value[32];
	bool		null[32];
} RowWriter;

extern void rows_begin(FunctionCallInfo fcinfo, RowWriter *row);

extern void row_null(RowWriter *row);
extern void row_text(RowWriter *row, const char *text); /* NULL: null */
extern void row_text_n(RowWriter *row, const char *text, uint32 length);	/* UTF-8 */
extern void row_int4(RowWriter *row, int32 value);
extern void row_bool(RowWriter *row, bool value);

/* NaN and infinities become null: drivers and charts cannot take them. */
extern void row_float8(RowWriter *row, double value);

/* A Datum of the column's type, for arrays and whatever may be infinite. */
extern void row_datum(RowWriter *row, Datum value, bool null);

/* Emit the row; it must have as many columns as the function's result. */
extern void row_end(RowWriter *row);

#endif							/* ROWS_H */
