/*
 * background.h
 *		A background sample of rows, made without knowing a model.
 *
 * Rows of named columns (or of positions, from arrays) come one by one, in
 * any order and in any number of partial samples that are merged later.  The
 * answer depends on the set of rows alone, bit for bit:
 *
 * Sample.  The `size` distinct rows with the smallest hashes of (seed, row),
 * each with the number of its occurrences as weight (bottom-k sampling:
 * Cohen & Kaplan, "Summarizing data using bottom-k sketches", PODC 2007; equal
 * rows count once, as in a distinct-value sketch).  A row of the final sample
 * has fewer than `size` rows below it in every part of the data, hence enters
 * a partial sample when it first occurs and never leaves it: its count is
 * exact.
 *
 * Statistics of all rows, per column: values, sum, sum of squares, minimum,
 * maximum (exact_sum.h), and how often each value occurs while a column has
 * no more than EX_SAMPLE_MAX_LEVELS different ones (texts, booleans and whole
 * numbers; a number with a fraction ends the counting of its column).
 *
 * Hash.  128 bits: the sum over the row's values that are not missing of
 * mix(column name, value), mixed with the seed; texts and names enter through
 * SipHash-2-4 (Aumasson & Bernstein 2012) with a fixed key, numbers through
 * their IEEE bits with -0 as 0, and mix is the finaliser of SplitMix64 (Steele, Lea
 * & Flood 2014).  A sum, so that the order of columns does not matter; rows
 * are taken as equal when their hashes are (2^-128).  Words are integers, so
 * that byte order does not matter either.
 *
 * A text longer than EX_MAX_NAME bytes cannot be a level of any model; it is
 * kept cut to that length with an ellipsis.
 */
#ifndef EX_BACKGROUND_SAMPLE_H
#define EX_BACKGROUND_SAMPLE_H

#include "codec.h"
#include "exact_sum.h"
#include "host.h"
#include "siphash.h"

#define EX_SAMPLE_VERSION		1
#define EX_SAMPLE_DEFAULT_SIZE	100
#define EX_SAMPLE_MAX_LEVELS	1000
#define EX_SAMPLE_MAX_COLUMNS	65535

typedef enum ex_cell_type
{
	EX_CELL_UNSEEN = 0,			/* nothing but missing values so far */
	EX_CELL_NUMBER,
	EX_CELL_BOOLEAN,			/* 0 or 1 */
	EX_CELL_TEXT				/* position in the column's list of values */
} ex_cell_type;

/* One value of a column that is counted, or that a row of the sample has. */
typedef struct ex_sample_value
{
	ex_word		word;
	double		number;
	const char *text;			/* EX_CELL_TEXT; terminated */
	uint32_t	length;
	uint64_t	count;			/* occurrences in all rows, while counting */
} ex_sample_value;

typedef struct ex_sample_column
{
	const char *name;			/* UTF-8, terminated; NULL: a position */
	uint32_t	name_length;
	ex_cell_type type;
	ex_word		key;
	uint64_t	n;				/* values that are not missing */
	ex_moments	moments;		/* of numbers and booleans */
	bool		counting;		/* value[] has all values, with counts */
	ex_sample_value *value;
	uint32_t	n_values;
	uint32_t	value_capacity;
	uint32_t   *slot;			/* hash index of value[]: position + 1, 0 free */
	uint32_t	n_slots;		/* power of 2 */
} ex_sample_column;

/* A row of the sample; rows beyond n_rows own free slots. */
typedef struct ex_sample_row
{
	ex_word		hash;
	uint64_t	count;
	size_t		slot;			/* its cells start at slot * stride */
} ex_sample_row;

/* A value of the row that is being added. */
typedef struct ex_sample_cell
{
	ex_word		word;
	double		number;			/* NaN: missing */
	const char *text;			/* NULL: not a text */
	uint32_t	length;
	char	   *cut;			/* room for a text cut to length */
} ex_sample_cell;

typedef struct ex_sample
{
	ex_host    *host;
	uint64_t	size;			/* rows wanted */
	int64_t		seed;
	bool		positional;		/* columns are positions, not names */
	uint64_t	n;				/* rows seen */
	ex_sample_column *column;
	uint32_t	n_columns;
	uint32_t	stride;			/* columns there is room for */
	uint32_t	next_column;	/* where the next name is looked for first */
	ex_sample_row *row;
	size_t		n_rows;
	size_t		row_capacity;
	bool		full;			/* rows above `limit` need not be kept */
	ex_word		limit;
	double	   *cell;			/* row_capacity * stride; NaN: missing */
	ex_sample_cell *pending;	/* stride */
	uint32_t   *moved;			/* scratch of forget_values and of merging, */
	size_t		moved_capacity; /* kept because arenas do not free */
	uint32_t   *map;
	size_t		map_capacity;
} ex_sample;

/* An empty sample in the host's memory.  EX_INVALID: size not in 1 .. EX_MAX_BACKGROUND. */
extern ex_status ex_sample_init(ex_sample *sample, ex_host *host, int64_t size, int64_t seed,
								bool positional);

/*
 * The column of this name, made where it is new; all names must be valid
 * UTF-8.  EX_INVALID: a longer name than EX_MAX_NAME; EX_LIMIT: too many.
 */
extern ex_status ex_sample_column_at(ex_sample *sample, const char *name, size_t length,
									 uint32_t *column);

/* Positional samples: rows have n values.  EX_DIMENSION unless it was n before. */
extern ex_status ex_sample_positions(ex_sample *sample, uint32_t n);

/*
 * Add a row: begin, its values in any order (missing ones and NaN left out),
 * end.  Texts must stay where they are until the end.  EX_RANGE: infinite; EX_INVALID:
 * a column has values of different types.
 */
extern ex_status ex_sample_begin(ex_sample *sample);
extern ex_status ex_sample_number(ex_sample *sample, uint32_t column, double value);
extern ex_status ex_sample_boolean(ex_sample *sample, uint32_t column, bool value);
extern ex_status ex_sample_text(ex_sample *sample, uint32_t column, const char *text, size_t length);
extern ex_status ex_sample_end(ex_sample *sample);

/* total += other.  EX_INVALID: other size, seed or kind of columns; EX_LIMIT: too many rows. */
extern ex_status ex_sample_merge(ex_sample *total, const ex_sample *other);

/* Sort the rows by hash, join equal ones, drop those too many: needed before rows are read. */
extern ex_status ex_sample_settle(ex_sample *sample);

static inline double
ex_sample_cell_at(const ex_sample *sample, size_t row, uint32_t column)
{
	return sample->cell[sample->row[row].slot * sample->stride + column];
}

/* Settles; columns are written by name, values by bytes, rows by hash. */
extern ex_status ex_sample_write(ex_codec *codec, ex_sample *sample);
extern ex_status ex_sample_read(ex_codec *codec, ex_sample *sample);

/*
 * What with_background needs beyond the rows: the column of each feature.
 * column[i] = -1 where no column has the name.
 */
extern int32_t ex_sample_find(const ex_sample *sample, const char *name, size_t length);

#endif							/* EX_BACKGROUND_SAMPLE_H */
