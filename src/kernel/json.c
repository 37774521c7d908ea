/*
 * json.c
 *		The common reading interface of JSON and UBJSON, and writing JSON.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_scan.h"

#define POLL_INTERVAL	65536

static inline bool
is_text(const ex_json *json)
{
	return json->format == EX_FORMAT_JSON;
}

ex_status
ex_json_open(ex_json *json, ex_host *host, ex_json_format format,
			 const void *data, size_t size, ex_json_value *root)
{
	json->host = host;
	json->format = format;
	json->data = data;
	json->end = json->data + size;
	*root = (ex_json_value) {.at = json->data};
	if (!is_text(json))
		return ex_binary_check(json);
	root->at = ex_text_space(json->data, json->end);
	return ex_text_check(json);
}

/*
 * Types.
 */

static ex_json_type
type_of_text(uint8_t first)
{
	switch (first)
	{
		case '{':
			return EX_JSON_OBJECT;
		case '[':
			return EX_JSON_ARRAY;
		case '"':
			return EX_JSON_STRING;
		case 't':
		case 'f':
			return EX_JSON_BOOL;
		case 'n':
			return EX_JSON_NULL;
		default:
			return EX_JSON_NUMBER;
	}
}

static ex_json_type
type_of_marker(uint8_t marker)
{
	switch (marker)
	{
		case '{':
			return EX_JSON_OBJECT;
		case '[':
			return EX_JSON_ARRAY;
		case 'S':
			return EX_JSON_STRING;
		case 'T':
		case 'F':
			return EX_JSON_BOOL;
		case 'Z':
			return EX_JSON_NULL;
		default:
			return EX_JSON_NUMBER;
	}
}

ex_json_type
ex_json_typeof(const ex_json *json, ex_json_value value)
{
	const uint8_t *payload;

	if (value.at == NULL)
		return EX_JSON_NULL;
	if (is_text(json))
		return type_of_text(*value.at);
	return type_of_marker(ex_binary_marker(value, &payload));
}

static const char *
type_name(ex_json_type type)
{
	switch (type)
	{
		case EX_JSON_NULL:
			return "null";
		case EX_JSON_BOOL:
			return "a boolean";
		case EX_JSON_NUMBER:
			return "a number";
		case EX_JSON_STRING:
			return "a string";
		case EX_JSON_ARRAY:
			return "an array";
		default:
			return "an object";
	}
}

/* "a number or an array" */
static void
describe_types(int types, char *text, size_t size)
{
	size_t		length = 0;

	text[0] = '\0';
	for (int type = EX_JSON_BOOL; type <= EX_JSON_OBJECT; type *= 2)
		if ((types & type) != 0 && length < size)
			length += (size_t) snprintf(text + length, size - length, "%s%s",
										length > 0 ? " or " : "", type_name(type));
}

/* `what` names the value: 'key "x" of feature 3', 'coefficients' */
static ex_status
check_type(ex_json *json, ex_json_value value, int types, const char *what)
{
	ex_json_type type = ex_json_typeof(json, value);
	char		expected[128];

	if ((types & type) != 0)
		return EX_OK;
	if (type == EX_JSON_NULL)
		return ex_fail(json->host, EX_NULL, "%s must not be null", what);
	describe_types(types, expected, sizeof(expected));
	return ex_fail(json->host, EX_INVALID, "%s must be %s, not %s", what, expected,
				   type_name(type));
}

/*
 * Containers.
 */

void
ex_json_begin(const ex_json *json, ex_json_value container, ex_json_cursor *cursor)
{
	ex_json_type type = ex_json_typeof(json, container);

	*cursor = (ex_json_cursor) {.at = NULL};
	if (type != EX_JSON_ARRAY && type != EX_JSON_OBJECT)
		return;
	if (is_text(json))
	{
		cursor->at = container.at + 1;
		cursor->left = -1;
		cursor->object = type == EX_JSON_OBJECT;
	}
	else
		ex_binary_begin(json, container, cursor);
}

/* Stand before the next value or key; false at the end. */
static bool
more_values(const ex_json *json, ex_json_cursor *cursor)
{
	if (cursor->at == NULL)
		return false;
	if (!is_text(json))
		return ex_binary_more(json, cursor);
	cursor->at = ex_text_space(cursor->at, json->end);
	if (*cursor->at == ',')
		cursor->at = ex_text_space(cursor->at + 1, json->end);
	if (*cursor->at == ']' || *cursor->at == '}')
	{
		cursor->at = NULL;
		return false;
	}
	return true;
}

static const uint8_t *
skip_value(const ex_json *json, ex_json_value value)
{
	return is_text(json) ? ex_text_skip(json, value.at) : ex_binary_skip(json, value);
}

bool
ex_json_next_member(const ex_json *json, ex_json_cursor *cursor,
					ex_json_value *key, ex_json_value *value)
{
	if (!more_values(json, cursor))
		return false;
	if (cursor->object)
	{
		*key = (ex_json_value) {.at = cursor->at, .marker = is_text(json) ? 0 : 'S'};
		if (is_text(json))
		{
			cursor->at = ex_text_space(ex_text_skip(json, cursor->at), json->end);
			cursor->at = ex_text_space(cursor->at + 1, json->end);	/* the colon */
		}
		else
			cursor->at = ex_binary_after_key(json, cursor->at);
	}
	else
		*key = (ex_json_value) {.at = NULL};
	*value = (ex_json_value) {.at = cursor->at, .marker = cursor->marker};
	cursor->at = skip_value(json, *value);
	return true;
}

bool
ex_json_next(const ex_json *json, ex_json_cursor *cursor, ex_json_value *value)
{
	ex_json_value key;

	return ex_json_next_member(json, cursor, &key, value);
}

size_t
ex_json_count(const ex_json *json, ex_json_value container)
{
	ex_json_cursor cursor;
	ex_json_value value;
	size_t		count = 0;

	ex_json_begin(json, container, &cursor);
	if (!is_text(json) && cursor.left >= 0)
		return (size_t) cursor.left;
	while (ex_json_next(json, &cursor, &value))
		count++;
	return count;
}

ex_json_value
ex_json_get(const ex_json *json, ex_json_value object, const char *key)
{
	ex_json_cursor cursor;
	ex_json_value name;
	ex_json_value value;

	ex_json_begin(json, object, &cursor);
	if (cursor.object)
		while (ex_json_next_member(json, &cursor, &name, &value))
			if (ex_json_equals(json, name, key))
				return value;
	return (ex_json_value) {.at = NULL};
}

static ex_status
unknown_key(ex_json *json, ex_json_value key, const char *where,
			const ex_json_member *members, int n_members)
{
	const char *text;
	size_t		length;
	char		valid[512];
	size_t		used = 0;

	EX_TRY(ex_json_string(json, key, &text, &length));
	ex_fail(json->host, EX_INVALID, "unknown key \"%s\" in %s", text, where);
	for (int i = 0; i < n_members && used < sizeof(valid); i++)
		used += (size_t) snprintf(valid + used, sizeof(valid) - used, "%s\"%s\"",
								  i > 0 ? ", " : "", members[i].key);
	if (n_members > 0)
		ex_hint(json->host, "Valid keys are %s.", valid);
	return EX_INVALID;
}

static ex_status
store_member(ex_json *json, ex_json_value value, const char *where, const ex_json_member *member)
{
	char		what[256];

	snprintf(what, sizeof(what), "key \"%s\" of %s", member->key, where);
	if (member->value->at != NULL)
		return ex_fail(json->host, EX_DUPLICATE_KEY, "%s is given twice", what);
	EX_TRY(check_type(json, value, member->types, what));
	*member->value = value;
	return EX_OK;
}

ex_status
ex_json_read_object(ex_json *json, ex_json_value object, const char *where,
					const ex_json_member *members, int n_members, bool strict)
{
	ex_json_cursor cursor;
	ex_json_value key;
	ex_json_value value;

	for (int i = 0; i < n_members; i++)
		*members[i].value = (ex_json_value) {.at = NULL};
	EX_TRY(check_type(json, object, EX_JSON_OBJECT, where));

	ex_json_begin(json, object, &cursor);
	while (ex_json_next_member(json, &cursor, &key, &value))
	{
		int			i = 0;

		while (i < n_members && !ex_json_equals(json, key, members[i].key))
			i++;
		if (i < n_members)
			EX_TRY(store_member(json, value, where, &members[i]));
		else if (strict)
			return unknown_key(json, key, where, members, n_members);
	}
	for (int i = 0; i < n_members; i++)
		if (members[i].required && members[i].value->at == NULL)
			return ex_fail(json->host, EX_INVALID, "%s has no key \"%s\"", where, members[i].key);
	return EX_OK;
}

/*
 * Scalars.
 */

bool
ex_json_bool(const ex_json *json, ex_json_value value)
{
	const uint8_t *payload;

	if (value.at == NULL)
		return false;
	return is_text(json) ? *value.at == 't' : ex_binary_marker(value, &payload) == 'T';
}

bool
ex_json_equals(const ex_json *json, ex_json_value string, const char *text)
{
	size_t		length;
	const uint8_t *at;
	char		utf8[4];
	int			n;

	if (ex_json_typeof(json, string) != EX_JSON_STRING)
		return false;
	if (!is_text(json))
	{
		at = ex_binary_string(json, string, &length);
		return length == strlen(text) && memcmp(at, text, length) == 0;
	}
	at = string.at + 1;
	for (; (n = ex_text_character(&at, utf8)) > 0; text += n)
		if (*text == '\0' || strncmp(text, utf8, (size_t) n) != 0)
			return false;
	return *text == '\0';
}

ex_status
ex_json_string(ex_json *json, ex_json_value value, const char **text, size_t *length)
{
	const uint8_t *at;
	size_t		size;
	char	   *copy;
	size_t		used = 0;

	if (is_text(json))
	{
		at = value.at + 1;
		size = (size_t) (ex_text_skip(json, value.at) - at);	/* decoding never grows */
	}
	else
		at = ex_binary_string(json, value, &size);

	EX_TRY(EX_ALLOC(json->host, size + 4, &copy));
	if (is_text(json))
		for (int n; (n = ex_text_character(&at, copy + used)) > 0;)
			used += (size_t) n;
	else
	{
		memcpy(copy, at, size);
		used = size;
	}
	copy[used] = '\0';
	if (memchr(copy, '\0', used) != NULL)
		return ex_fail(json->host, EX_SYNTAX, "string in the document contains a zero byte");
	*text = copy;
	*length = used;
	return EX_OK;
}

static bool
is_word(const ex_json *json, const uint8_t *at, const char *word)
{
	size_t		length = strlen(word);

	return (size_t) (json->end - at) >= length && memcmp(at, word, length) == 0;
}

/* NaN, Infinity or -Infinity at this place? */
static const uint8_t *
special_number(const ex_json *json, const uint8_t *at, double *value)
{
	if (*at <= '9' && *at != '-')
		return NULL;
	if (is_word(json, at, "NaN"))
	{
		*value = NAN;
		return at + 3;
	}
	if (is_word(json, at, "Infinity"))
	{
		*value = INFINITY;
		return at + 8;
	}
	if (is_word(json, at, "-Infinity"))
	{
		*value = -INFINITY;
		return at + 9;
	}
	return NULL;
}

/* The same in quotes, of both encodings. */
static bool
quoted_special_number(const ex_json *json, ex_json_value value, double *out)
{
	if (ex_json_equals(json, value, "NaN"))
		*out = NAN;
	else if (ex_json_equals(json, value, "Infinity"))
		*out = INFINITY;
	else if (ex_json_equals(json, value, "-Infinity"))
		*out = -INFINITY;
	else
		return false;
	return true;
}

static ex_status
out_of_range(ex_json *json, const uint8_t *at, const char *type, const char *what)
{
	const uint8_t *after = ex_text_skip(json, at);

	return ex_fail(json->host, EX_RANGE, "%s is out of range for type %s: %.*s", what, type,
				   (int) (after - at < 40 ? after - at : 40), (const char *) at);
}

/*
 * A number being read: what it is called in messages, which is put into words
 * only when something is wrong, and where its text ended.
 */
typedef struct number_place
{
	const char *where;
	size_t		element;		/* 1-based; 0: the value itself */
	const uint8_t *after;		/* NULL: not known */
} number_place;

static const char *
name_number(const number_place *place, char buf[256])
{
	if (place->element == 0)
		snprintf(buf, 256, "%s", place->where);
	else
		snprintf(buf, 256, "element %zu of %s", place->element, place->where);
	return buf;
}

static ex_status
read_text_double(ex_json *json, const uint8_t *at, number_place *place, double *out)
{
	char		buf[256];

	place->after = special_number(json, at, out);
	if (place->after != NULL)
		return EX_OK;
	place->after = ex_text_double(at, json->end, out);
	if (isinf(*out))
		return out_of_range(json, at, "double precision", name_number(place, buf));
	return EX_OK;
}

static ex_status
read_text_float(ex_json *json, const uint8_t *at, number_place *place, float *out)
{
	char		buf[256];
	double		special;

	place->after = special_number(json, at, &special);
	if (place->after != NULL)
	{
		*out = (float) special;
		return EX_OK;
	}
	place->after = ex_text_float(at, json->end, out);
	if (isinf(*out))
		return out_of_range(json, at, "real", name_number(place, buf));
	return EX_OK;
}

static void
read_binary_double(ex_json_value value, double *out)
{
	const uint8_t *payload;
	uint8_t		marker = ex_binary_marker(value, &payload);
	int64_t		integer;

	if (ex_binary_number(marker, payload, &integer, out))
		*out = (double) integer;
}

/* Not a number: say so. */
static ex_status
no_number(ex_json *json, ex_json_value value, const number_place *place)
{
	char		buf[256];

	return check_type(json, value, EX_JSON_NUMBER, name_number(place, buf));
}

static ex_status
read_double(ex_json *json, ex_json_value value, number_place *place, double *out)
{
	if (ex_json_typeof(json, value) != EX_JSON_NUMBER)
		return quoted_special_number(json, value, out) ? EX_OK : no_number(json, value, place);
	if (is_text(json))
		return read_text_double(json, value.at, place, out);
	read_binary_double(value, out);
	return EX_OK;
}

static ex_status
read_float(ex_json *json, ex_json_value value, number_place *place, float *out)
{
	char		buf[256];
	double		wide;

	if (is_text(json) && ex_json_typeof(json, value) == EX_JSON_NUMBER)
		return read_text_float(json, value.at, place, out);
	EX_TRY(read_double(json, value, place, &wide));
	*out = (float) wide;
	if (isinf(*out) && !isinf(wide))
		return ex_fail(json->host, EX_RANGE, "%s is out of range for type real",
					   name_number(place, buf));
	return EX_OK;
}

static ex_status
read_integer(ex_json *json, ex_json_value value, number_place *place,
			 int64_t low, int64_t high, int64_t *out)
{
	char		buf[256];
	ex_json_type type = ex_json_typeof(json, value);
	double		real = 0;

	if (type == EX_JSON_BOOL)
		real = ex_json_bool(json, value);
	else if (type != EX_JSON_NUMBER)
		return no_number(json, value, place);
	else if (is_text(json))
		EX_TRY(read_text_double(json, value.at, place, &real));
	else
		read_binary_double(value, &real);
	if (!(real >= (double) low && real <= (double) high) || real != trunc(real))
		return ex_fail(json->host, EX_INVALID,
					   "%s must be an integer between %lld and %lld",
					   name_number(place, buf), (long long) low, (long long) high);
	*out = (int64_t) real;
	return EX_OK;
}

ex_status
ex_json_number(ex_json *json, ex_json_value value, const char *where, double *out)
{
	return read_double(json, value, &(number_place) {where, 0, NULL}, out);
}

ex_status
ex_json_float(ex_json *json, ex_json_value value, const char *where, float *out)
{
	return read_float(json, value, &(number_place) {where, 0, NULL}, out);
}

ex_status
ex_json_integer(ex_json *json, ex_json_value value, const char *where,
				int64_t low, int64_t high, int64_t *out)
{
	return read_integer(json, value, &(number_place) {where, 0, NULL}, low, high, out);
}

/*
 * Arrays of numbers.
 */

typedef enum element_type
{
	ELEMENT_DOUBLE,
	ELEMENT_FLOAT,
	ELEMENT_INTEGER
} element_type;

/* How to read the elements, and where they go. */
typedef struct array_reader
{
	ex_json    *json;
	element_type type;
	number_place place;
	int64_t		low;
	int64_t		high;
	ex_buffer  *out;
} array_reader;

static size_t
element_size(element_type type)
{
	return type == ELEMENT_DOUBLE ? sizeof(double) : type == ELEMENT_FLOAT ? sizeof(float) : sizeof(int32_t);
}

/* Read a number to `out`, which has room for it. */
static ex_status
read_element(array_reader *reader, ex_json_value value, void *out)
{
	int64_t		integer;

	switch (reader->type)
	{
		case ELEMENT_DOUBLE:
			return read_double(reader->json, value, &reader->place, out);
		case ELEMENT_FLOAT:
			return read_float(reader->json, value, &reader->place, out);
		default:
			EX_TRY(read_integer(reader->json, value, &reader->place, reader->low, reader->high, &integer));
			*(int32_t *) out = (int32_t) integer;
			return EX_OK;
	}
}

static ex_status
read_array(array_reader *reader, ex_json_value array)
{
	ex_json    *json = reader->json;
	ex_buffer  *out = reader->out;
	size_t		size = element_size(reader->type);
	ex_json_cursor cursor;
	ex_json_value value;

	EX_TRY(check_type(json, array, EX_JSON_ARRAY, reader->place.where));
	out->size = 0;
	EX_TRY(ex_reserve(json->host, out, size));	/* a pointer even to nothing */
	ex_json_begin(json, array, &cursor);
	while (more_values(json, &cursor))
	{
		if (++reader->place.element % POLL_INTERVAL == 0)
			EX_TRY(ex_poll(json->host));
		if (out->capacity - out->size < size)
			EX_TRY(ex_reserve(json->host, out, size));
		value = (ex_json_value) {.at = cursor.at, .marker = cursor.marker};
		reader->place.after = NULL;
		EX_TRY(read_element(reader, value, out->data + out->size));
		out->size += size;
		cursor.at = reader->place.after != NULL ? reader->place.after : skip_value(json, value);
	}
	return EX_OK;
}

ex_status
ex_json_read_floats(ex_json *json, ex_json_value array, const char *where,
					ex_buffer *buffer, size_t *count)
{
	array_reader reader = {json, ELEMENT_FLOAT, {where, 0, NULL}, 0, 0, buffer};

	EX_TRY(read_array(&reader, array));
	*count = buffer->size / sizeof(float);
	return EX_OK;
}

ex_status
ex_json_read_integers(ex_json *json, ex_json_value array, const char *where,
					  int64_t low, int64_t high, ex_buffer *buffer, size_t *count)
{
	array_reader reader = {json, ELEMENT_INTEGER, {where, 0, NULL}, low, high, buffer};

	EX_TRY(read_array(&reader, array));
	*count = buffer->size / sizeof(int32_t);
	return EX_OK;
}

ex_status
ex_json_doubles(ex_json *json, ex_json_value array, const char *where,
				double **out, size_t *count)
{
	ex_buffer	buffer = {NULL, 0, 0};
	array_reader reader = {json, ELEMENT_DOUBLE, {where, 0, NULL}, 0, 0, &buffer};

	EX_TRY(read_array(&reader, array));
	*out = (double *) buffer.data;
	*count = buffer.size / sizeof(double);
	return EX_OK;
}

ex_status
ex_json_integers(ex_json *json, ex_json_value array, const char *where,
				 int64_t low, int64_t high, int32_t **out, size_t *count)
{
	ex_buffer	buffer = {NULL, 0, 0};

	EX_TRY(ex_json_read_integers(json, array, where, low, high, &buffer, count));
	*out = (int32_t *) buffer.data;
	return EX_OK;
}

bool
ex_parse_double(const char *text, size_t length, double *out)
{
	const uint8_t *at = (const uint8_t *) text;

	return ex_text_double(at, at + length, out) == at + length;
}

bool
ex_parse_float(const char *text, size_t length, float *out)
{
	const uint8_t *at = (const uint8_t *) text;

	return ex_text_float(at, at + length, out) == at + length;
}

/*
 * Writing.
 */

ex_status
ex_json_put_string(ex_host *host, ex_buffer *out, const char *text, size_t length)
{
	size_t		start = 0;

	EX_TRY(ex_append(host, out, "\"", 1));
	for (size_t i = 0; i < length; i++)
	{
		uint8_t		c = (uint8_t) text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		EX_TRY(ex_append(host, out, text + start, i - start));
		if (c < 0x20)
			EX_TRY(ex_appendf(host, out, "\\u%04x", c));
		else
			EX_TRY(ex_appendf(host, out, "\\%c", c));
		start = i + 1;
	}
	EX_TRY(ex_append(host, out, text + start, length - start));
	return ex_append(host, out, "\"", 1);
}

ex_status
ex_json_put_double(ex_host *host, ex_buffer *out, double value)
{
	char		buf[32];

	if (isnan(value))
		return ex_append_text(host, out, "\"NaN\"");
	if (isinf(value))
		return ex_append_text(host, out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	return ex_append(host, out, buf, (size_t) ex_print_double(host, value, buf));
}

ex_status
ex_json_put_doubles(ex_host *host, ex_buffer *out, const double *value, size_t count)
{
	EX_TRY(ex_append(host, out, "[", 1));
	for (size_t i = 0; i < count; i++)
	{
		if (i > 0)
			EX_TRY(ex_append(host, out, ",", 1));
		EX_TRY(ex_json_put_double(host, out, value[i]));
	}
	return ex_append(host, out, "]", 1);
}
