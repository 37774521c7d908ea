/*
 * weight_rows_internal.h
 *		Shared by the files that read weight tables; nobody else.
 */
#ifndef EX_WEIGHT_ROWS_INTERNAL_H
#define EX_WEIGHT_ROWS_INTERNAL_H

#include <string.h>

#include "network.h"
#include "weight_rows.h"

/* Columns of the table. */
enum
{
	ROW_LAYER,
	ROW_UNIT,
	ROW_INPUT,
	ROW_WEIGHT,
	ROW_KERNEL_Y,
	ROW_KERNEL_X,
	/* of a column of the input */
	ROW_LEVEL,
	ROW_LOW,
	ROW_HIGH,
	ROW_CENTER,
	ROW_SCALE,
	ROW_MISSING_VALUE,
	/* of the layer: these agree in all of its rows */
	ROW_KIND,
	ROW_NAME,
	ROW_SOURCES,
	ROW_ACTIVATION,
	ROW_KERNEL,
	ROW_STRIDE,
	ROW_PADDING,
	ROW_DILATION,
	ROW_GROUP_COUNT,
	ROW_COUNTS_PADDING,
	ROW_NUMBER,
	ROW_SHAPE,
	ROW_LINK,
	ROW_N_FIELDS
};

#define ROW_FIRST_SETTING ROW_KIND

/* Where a row is, and its layer. */
typedef struct row_key
{
	int64_t		layer;
	const uint8_t *at;
} row_key;

typedef enum layer_role
{
	ROLE_LAYER,
	ROLE_COLUMNS,				/* of the input */
	ROLE_IMAGE
} layer_role;

typedef struct table_layer
{
	int64_t		number;
	row_key   **row;
	size_t		n_rows;
	ex_field	setting[ROW_N_FIELDS];	/* from ROW_FIRST_SETTING on; null: in
										 * no row */
	layer_role	role;
	ex_layer_kind kind;
	uint32_t	n_sources;
	int64_t    *source;			/* positions in the table; MODEL_INPUT */

	/* once it has been put */
	uint32_t	place;			/* in the network, with its activation */
	ex_shape	shape;
	const ex_string *name;		/* of its channels, in order; NULL: just
								 * counted */
} table_layer;

#define MODEL_INPUT (-1)

typedef struct weight_reader
{
	ex_host    *host;
	ex_builder *builder;
	const uint8_t *end;			/* of the rows */
	size_t		n_rows;
	row_key   **sorted;			/* by layer */
	size_t		n_layers;
	table_layer *layer;
	table_layer input;			/* stands for MODEL_INPUT */
	uint32_t	n_put;			/* layers of the network behind the input */
} weight_reader;

/* A sorted list of names, each once. */
typedef struct axis
{
	ex_string  *name;
	size_t		n;
} axis;

static inline bool
ex_is_null_string(ex_string string)
{
	return string.text == NULL;
}

static inline bool
is_bias(const ex_field *field)
{
	ex_string	input = field[ROW_INPUT].text;

	return ex_is_null_string(input) ||
		(input.length == sizeof(EX_BIAS_WORD) - 1 &&
		 memcmp(input.text, EX_BIAS_WORD, input.length) == 0);
}

/* The fields of a row that has been checked. */
extern void ex_weight_row(const weight_reader *reader, const row_key *key, ex_field *field);

/* "layer 3 ..."; return the status */
extern ex_status ex_bad_layer(weight_reader *reader, const table_layer *layer, ex_status status,
							  const char *what);
extern ex_status ex_bad_unit(weight_reader *reader, const table_layer *layer, ex_string unit,
							 ex_status status, const char *what);

/* A name, terminated. */
extern ex_status ex_weight_text(weight_reader *reader, ex_string text, const char **copy);

/* A whole number of at least `least` and at most `most`. */
extern ex_status ex_weight_integer(weight_reader *reader, const table_layer *layer, const char *what,
								   double number, int32_t least, int32_t most, int32_t *value);

/* The source that a table position means. */
extern const table_layer *ex_weight_source(const weight_reader *reader, int64_t position);

/* 0, 1, 2, ... or 1, 2, 3, ...? */
extern bool ex_is_counted(const ex_string *name, size_t n);

/* Are names that are all whole numbers without gaps?  `what` they are the names of. */
extern ex_status ex_check_gaps(weight_reader *reader, const table_layer *layer, const axis *names,
							   const char *what);

/*
 * The features and the columns of the input: from its own rows (position 0 of
 * the table), or from the names that the weights use.
 */
extern ex_status ex_weight_input(weight_reader *reader);

/*
 * The weights of a layer in the order of network.h, the number of its outputs
 * and the names of them; sources have been put.
 */
extern ex_status ex_weight_layer(weight_reader *reader, table_layer *layer, ex_new_layer *made);

#endif							/* EX_WEIGHT_ROWS_INTERNAL_H */
