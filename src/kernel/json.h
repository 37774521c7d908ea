/*
 * json.h
 *		Reading JSON and UBJSON documents in place, and writing JSON.
 *
 * A document is checked once from end to end (syntax, depth, UTF-8), then
 * read through values that are only positions in it.  Nothing is built, so a
 * model file of any size costs no memory beyond what the reader keeps; the
 * price is that a value is scanned once for each level of nesting above it.
 *
 * Both encodings share one interface, since XGBoost writes the same document
 * in either.  JSON is read as XGBoost writes it: the bare words NaN, Infinity
 * and -Infinity are numbers.  UBJSON: draft 12 with optimised containers
 * ([$type#count]) as XGBoost writes them, big-endian.
 */
#ifndef EX_JSON_H
#define EX_JSON_H

#include "host.h"

#define EX_JSON_MAX_DEPTH 64

typedef enum ex_json_format
{
	EX_FORMAT_JSON,
	EX_FORMAT_UBJSON
} ex_json_format;

typedef enum ex_json_type
{
	EX_JSON_NULL = 1,
	EX_JSON_BOOL = 2,
	EX_JSON_NUMBER = 4,
	EX_JSON_STRING = 8,
	EX_JSON_ARRAY = 16,
	EX_JSON_OBJECT = 32
} ex_json_type;

typedef struct ex_json
{
	ex_host    *host;
	ex_json_format format;
	const uint8_t *data;
	const uint8_t *end;
} ex_json;

/* A position in a checked document. */
typedef struct ex_json_value
{
	const uint8_t *at;			/* NULL: absent */
	uint8_t		marker;			/* UBJSON: type of an element of a typed
								 * container */
} ex_json_value;

/*
 * Check a whole document and give its root.  EX_SYNTAX (JSON) or EX_BINARY
 * (UBJSON) with the byte position; EX_LIMIT beyond EX_JSON_MAX_DEPTH;
 * EX_ENCODING for bad UTF-8.  The data must outlive the values.
 */
extern ex_status ex_json_open(ex_json *json, ex_host *host, ex_json_format format,
							  const void *data, size_t size, ex_json_value *root);

extern ex_json_type ex_json_typeof(const ex_json *json, ex_json_value value);

/*
 * Read the members of an object into a table.  `where` names the object in
 * messages ("feature 3").  A repeated key is EX_DUPLICATE_KEY; a required key
 * that is absent, a type not in `types`, and (strict) a key not in the table
 * are EX_INVALID; null where not in `types` is EX_NULL.  Messages name the key.
 */
typedef struct ex_json_member
{
	const char *key;
	int			types;			/* set of ex_json_type that are accepted */
	bool		required;
	ex_json_value *value;		/* at = NULL when absent */
} ex_json_member;

extern ex_status ex_json_read_object(ex_json *json, ex_json_value object, const char *where,
									 const ex_json_member *members, int n_members, bool strict);

/* One member by key, absent allowed (scans the object); for deep paths of model files. */
extern ex_json_value ex_json_get(const ex_json *json, ex_json_value object, const char *key);

/*
 * Iterate over an array (values) or an object (keys and values).  Anything
 * else, also an absent value, is an empty container.
 */
typedef struct ex_json_cursor
{
	const uint8_t *at;
	int64_t		left;			/* UBJSON counted containers; -1 otherwise */
	uint8_t		marker;
	bool		object;
} ex_json_cursor;

extern void ex_json_begin(const ex_json *json, ex_json_value container, ex_json_cursor *cursor);
extern bool ex_json_next(const ex_json *json, ex_json_cursor *cursor, ex_json_value *value);
extern bool ex_json_next_member(const ex_json *json, ex_json_cursor *cursor,
								ex_json_value *key, ex_json_value *value);
extern size_t ex_json_count(const ex_json *json, ex_json_value container);

/*
 * Scalars; `where` names the value in messages.  A number that overflows is
 * EX_RANGE.  As an integer a boolean is 0 or 1 (old XGBoost versions).
 */
extern ex_status ex_json_number(ex_json *json, ex_json_value value, const char *where, double *out);

/* rounded to float32 directly from the text, as strtof does */
extern ex_status ex_json_float(ex_json *json, ex_json_value value, const char *where, float *out);
extern ex_status ex_json_integer(ex_json *json, ex_json_value value, const char *where,
								 int64_t low, int64_t high, int64_t *out);
extern bool ex_json_bool(const ex_json *json, ex_json_value value);

/*
 * Decoded and terminated copy of a string or key in the host's memory (a NUL
 * inside is EX_SYNTAX).
 */
extern ex_status ex_json_string(ex_json *json, ex_json_value value, const char **text, size_t *length);
extern bool ex_json_equals(const ex_json *json, ex_json_value string, const char *text);

/*
 * A whole array of numbers at once.  The strings "NaN", "Infinity" and
 * "-Infinity" are read as numbers too (the project's own JSON form writes
 * them so, since strict JSON has no word for them).
 */
extern ex_status ex_json_doubles(ex_json *json, ex_json_value array, const char *where,
								 double **out, size_t *count);
extern ex_status ex_json_integers(ex_json *json, ex_json_value array, const char *where,
								  int64_t low, int64_t high, int32_t **out, size_t *count);

/*
 * The same into a buffer that is used again for the next array (its old
 * contents go): floats rounded as ex_json_float, int32 integers.
 */
extern ex_status ex_json_read_floats(ex_json *json, ex_json_value array, const char *where,
									 ex_buffer *buffer, size_t *count);
extern ex_status ex_json_read_integers(ex_json *json, ex_json_value array, const char *where,
									   int64_t low, int64_t high, ex_buffer *buffer,
									   size_t *count);

/*
 * A decimal number outside a document; the text need not be terminated.
 * False unless all of it is one number; infinite if it overflows.  No words
 * for infinity and NaN.
 */
extern bool ex_parse_double(const char *text, size_t length, double *out);
extern bool ex_parse_float(const char *text, size_t length, float *out);

/* Writing: text is escaped; doubles in shortest round-trip form, "NaN" etc. quoted. */
extern ex_status ex_json_put_string(ex_host *host, ex_buffer *out, const char *text, size_t length);
extern ex_status ex_json_put_double(ex_host *host, ex_buffer *out, double value);
extern ex_status ex_json_put_doubles(ex_host *host, ex_buffer *out, const double *value, size_t count);

#endif							/* EX_JSON_H */
