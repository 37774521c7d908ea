/*
 * background.h
 *		The type explain.background_sample inside a backend.
 *
 * At rest it is the wire form of a sample (kernel/background.h) in a varlena;
 * while an aggregate adds to it, an expanded object in a memory context of its
 * own, which is flattened only to travel.
 */
#ifndef AGGREGATE_BACKGROUND_H
#define AGGREGATE_BACKGROUND_H

#include "host_pg.h"
#include "kernel/background.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "utils/expandeddatum.h"

/* What to do with one column of a record. */
typedef enum BackgroundKind
{
	BACKGROUND_IGNORED,			/* dropped, or of a type that no feature has */
	BACKGROUND_FLOAT8,
	BACKGROUND_FLOAT4,
	BACKGROUND_INT2,
	BACKGROUND_INT4,
	BACKGROUND_INT8,
	BACKGROUND_NUMERIC,
	BACKGROUND_BOOL,
	BACKGROUND_TEXT,
	BACKGROUND_OUTPUT			/* enum, name: text by the output function */
} BackgroundKind;

typedef struct BackgroundColumn
{
	BackgroundKind kind;
	uint32		column;			/* of the sample */
	FmgrInfo	output;
} BackgroundColumn;

/* The columns of the row type seen last. */
typedef struct BackgroundMap
{
	MemoryContext context;		/* NULL: no row type yet */
	uint64		row_type;		/* identifier that changes when the type is
								 * altered */
	TupleDesc	tupdesc;
	BackgroundColumn *column;
	Datum	   *values;
	bool	   *nulls;
} BackgroundMap;

typedef struct BackgroundState
{
	ExpandedObjectHeader header;
	ex_sample	sample;
	BackgroundMap map;
	MemoryContext flat_context; /* the flat form, while it is being fetched */
	ex_buffer	flat;
} BackgroundState;

/* An expanded object without a sample yet, in a context below `parent`. */
extern BackgroundState *background_create(MemoryContext parent);

/* A sample from anywhere, for reading (its rows are settled). */
extern ex_sample *background_get(Datum argument);

/* Add one row. */
extern void background_add_record(BackgroundState *state, HeapTupleHeader record);
extern void background_add_array(BackgroundState *state, Datum array);
extern void background_add_jsonb(BackgroundState *state, Datum jsonb);

#endif							/* AGGREGATE_BACKGROUND_H */
