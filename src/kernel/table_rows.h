/*
 * table_rows.h
 *		Rows of a user's table on their way into a model.
 *
 * The aggregates that build models collect rows and look at them only when
 * all are there: rows come in any order, from several processes.  Meanwhile
 * they are bytes, in one form for memory, for parallel workers and for other
 * servers:
 *
 *		u32 magic of the table, u16 version, then rows without separators
 *		row		the fields of the table in order
 *		field	u8 ex_field_type, then
 *					text		u32 length, UTF-8 bytes
 *					number		f64
 *					texts		u32 count, as many texts (length, bytes)
 *					numbers		u32 count, as many f64
 *
 * all little-endian.  So two sets of rows are merged by joining their bytes.
 * Bytes may come from anywhere: reading checks every length before it is used.
 */
#ifndef EX_TABLE_ROWS_H
#define EX_TABLE_ROWS_H

#include "host.h"

/* A stretch of UTF-8, not terminated; text NULL: null. */
typedef struct ex_string
{
	const char *text;
	uint32_t	length;
} ex_string;

typedef enum ex_field_type
{
	EX_FIELD_NULL = 0,
	EX_FIELD_TEXT = 1,
	EX_FIELD_NUMBER = 2,
	EX_FIELD_TEXTS = 4,
	EX_FIELD_NUMBERS = 8
} ex_field_type;

typedef struct ex_field
{
	ex_field_type type;
	ex_string	text;
	double		number;
	uint32_t	count;			/* TEXTS, NUMBERS */
	const ex_string *texts;		/* as written */
	const double *numbers;
	const uint8_t *elements;	/* as read: see ex_field_next_text,
								 * ex_field_next_number */
} ex_field;

typedef struct ex_field_spec
{
	const char *name;			/* of the column */
	int			types;			/* set of ex_field_type besides NULL */
	bool		required;		/* the column; its values may still be null */
	bool		is_boolean;		/* a NUMBER that is 0 or 1 */
} ex_field_spec;

#define EX_TABLE_MAX_FIELDS 32

typedef struct ex_table
{
	const char *name;			/* for messages: "coefficient table" */
	uint32_t	magic;
	int			n_fields;
	ex_field_spec field[EX_TABLE_MAX_FIELDS];
} ex_table;

/* Start a set of rows; append one row of table->n_fields fields. */
extern ex_status ex_rows_begin(ex_host *host, ex_buffer *rows, const ex_table *table);
extern ex_status ex_rows_put(ex_host *host, ex_buffer *rows, const ex_table *table,
							 const ex_field *field);

/*
 * Check a set of rows completely and count them.  EX_BINARY for bytes that are
 * not rows of this table, EX_UNSUPPORTED for a newer version.
 */
extern ex_status ex_rows_check(ex_host *host, const ex_table *table, const void *bytes,
							   size_t size, size_t *n_rows);

/* total = total + the rows in bytes, which have been checked */
extern ex_status ex_rows_merge(ex_host *host, ex_buffer *total, const void *bytes, size_t size);

/* Read checked rows one by one; strings point into the bytes. */
typedef struct ex_rows_cursor
{
	const ex_table *table;
	const uint8_t *at;
	const uint8_t *end;
} ex_rows_cursor;

extern void ex_rows_open(ex_rows_cursor *cursor, const ex_table *table, const void *bytes,
						 size_t size);
extern bool ex_rows_next(ex_rows_cursor *cursor, ex_field *field);

/* The elements of a TEXTS or NUMBERS field that was read, in order. */
extern ex_string ex_field_next_text(const uint8_t **element);
extern double ex_field_next_number(const uint8_t **element);

/* An order of ex_string (or of what begins with one), fit for qsort. */
typedef int (*ex_string_order) (const void *a, const void *b);

/*
 * Order of names that may be numbers: whole numbers first, by size, then
 * texts by their bytes.  So tree 10 follows tree 9.
 */
extern int	ex_compare_ids(const void *a, const void *b);

/* Order of names by their bytes. */
extern int	ex_compare_strings(const void *a, const void *b);

/* Sort and keep one of each; returns how many are left. */
extern size_t ex_distinct_strings(ex_string *string, size_t n, ex_string_order order);

/*
 * A set of strings that grows: repetitions go now and then, so that it stays
 * as small as what is different.  After ex_string_set_finish the strings are
 * sorted, each once.  Starts zeroed, with an order.
 */
typedef struct ex_string_set
{
	ex_string_order order;
	ex_string  *string;
	size_t		n;
	size_t		capacity;
} ex_string_set;

extern ex_status ex_string_set_add(ex_host *host, ex_string_set *set, ex_string string);
extern void ex_string_set_finish(ex_string_set *set);

/* In loops over rows: asks the host whether to stop, now and then. */
extern ex_status ex_poll_row(ex_host *host, size_t i);

/*
 * Sort n pointers; `order` compares what they point to.  Stable, asks the
 * host whether to stop, and takes linear time where they are in order.
 */
extern ex_status ex_sort_pointers(ex_host *host, void **item, size_t n, ex_string_order order);

/* Position in a sorted list without repetitions, or -1. */
extern int32_t ex_find_string(const ex_string *sorted, size_t n, ex_string wanted,
							  ex_string_order order);

#endif							/* EX_TABLE_ROWS_H */
