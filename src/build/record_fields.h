/*
 * record_fields.h
 *		From a record of the user's to the fields of a table row.
 *
 * Columns are matched by name; those that the table does not know are
 * ignored, optional ones may be absent.  The map is worked out once for each
 * row type.
 */
#ifndef RECORD_FIELDS_H
#define RECORD_FIELDS_H

#include "host_pg.h"
#include "kernel/table_rows.h"

typedef struct RecordFields RecordFields;

/* A reader of records for one table; it allocates in `context`. */
extern RecordFields *record_fields_create(MemoryContext context, const ex_table *table);

/*
 * The fields of a record, valid until the next call.  Raises 42703 for a
 * required column that is not there, 42701 for one that is there twice, 42804
 * for one whose type will not do.
 */
extern const ex_field *record_fields_read(RecordFields *reader, Datum record);

#endif							/* RECORD_FIELDS_H */
