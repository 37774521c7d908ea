/*
 * json_binary.c
 *		Scanning UBJSON (draft 12): one-byte markers, big-endian numbers,
 *		strings and keys with a length in front, containers with an optional
 *		element type and count.
 *
 * Not read, since no model writer uses them: C (character) and H (decimal
 * number in text), and containers of a type without payload, which would let
 * ten bytes stand for any number of values.
 */
#include <string.h>

#include "json_scan.h"

#define POLL_INTERVAL	65536

static ex_status
binary_error(const ex_json *json, const uint8_t *at, const char *what)
{
	size_t		byte = (size_t) (at - json->data);

	if (at >= json->end)
		return ex_fail(json->host, EX_BINARY,
					   "invalid UBJSON document: unexpected end after %zu bytes",
					   (size_t) (json->end - json->data));
	return ex_fail(json->host, EX_BINARY, "invalid UBJSON document: %s at byte %zu",
				   what, byte + 1);
}

size_t
ex_binary_width(uint8_t marker)
{
	switch (marker)
	{
		case 'i':
		case 'U':
			return 1;
		case 'I':
			return 2;
		case 'l':
		case 'd':
			return 4;
		case 'L':
		case 'D':
			return 8;
		default:
			return 0;
	}
}

static inline uint32_t
big_endian32(const uint8_t *at)
{
	return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
}

static inline uint64_t
big_endian64(const uint8_t *at)
{
	return (uint64_t) big_endian32(at) << 32 | big_endian32(at + 4);
}

bool
ex_binary_number(uint8_t marker, const uint8_t *payload, int64_t *integer, double *real)
{
	uint64_t	bits;
	uint32_t	bits32;
	float		single;

	switch (marker)
	{
		case 'i':
			*integer = (int8_t) *payload;
			return true;
		case 'U':
			*integer = *payload;
			return true;
		case 'I':
			*integer = (int16_t) (payload[0] << 8 | payload[1]);
			return true;
		case 'l':
			*integer = (int32_t) big_endian32(payload);
			return true;
		case 'd':
			bits32 = big_endian32(payload);
			memcpy(&single, &bits32, sizeof(single));
			*real = single;
			return false;
		case 'D':
			bits = big_endian64(payload);
			memcpy(real, &bits, sizeof(*real));
			return false;
		default:				/* L */
			*integer = (int64_t) big_endian64(payload);
			return true;
	}
}

static const uint8_t *
skip_noop(const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at == 'N')
		at++;
	return at;
}

/* A length or count: a marker of an integer type and a value that is not negative. */
static ex_status
read_length(const ex_json *json, const uint8_t **at, int64_t *length)
{
	uint8_t		marker;
	size_t		width;
	double		real;

	if (*at >= json->end)
		return binary_error(json, *at, "");
	marker = **at;
	width = ex_binary_width(marker);
	if (width == 0 || marker == 'd' || marker == 'D')
		return binary_error(json, *at, "expected a length");
	if ((size_t) (json->end - *at) < 1 + width)
		return binary_error(json, json->end, "");
	ex_binary_number(marker, *at + 1, length, &real);
	if (*length < 0)
		return binary_error(json, *at, "negative length");
	*at += 1 + width;
	return EX_OK;
}

static ex_status
check_string(const ex_json *json, const uint8_t **at, bool utf8)
{
	int64_t		length = 0;

	EX_TRY(read_length(json, at, &length));
	if (length > json->end - *at)
		return binary_error(json, json->end, "");
	if (utf8 && !ex_valid_utf8((const char *) *at, (size_t) length))
		return ex_fail(json->host, EX_ENCODING, "UBJSON string at byte %zu is not valid UTF-8",
					   (size_t) (*at - json->data) + 1);
	*at += length;
	return EX_OK;
}

/* What follows [ or {: an optional type, an optional count (needed with a type). */
static ex_status
open_container(const ex_json *json, const uint8_t *at, bool object, ex_json_cursor *cursor)
{
	*cursor = (ex_json_cursor) {.left = -1, .object = object};
	if (at < json->end && *at == '$')
	{
		if (json->end - at < 2)
			return binary_error(json, json->end, "");
		cursor->marker = at[1];
		if (ex_binary_width(at[1]) == 0 && at[1] != 'S' && at[1] != '[' && at[1] != '{')
			return binary_error(json, at + 1, "container of an unsupported type");
		at += 2;
		if (at >= json->end || *at != '#')
			return binary_error(json, at, "typed container without a count");
	}
	if (at < json->end && *at == '#')
	{
		size_t		width = ex_binary_width(cursor->marker);

		at++;
		EX_TRY(read_length(json, &at, &cursor->left));

		/*
		 * every element takes a byte at least, so a count cannot promise more
		 * than there is
		 */
		if (cursor->left > (json->end - at) / (int64_t) (width > 0 ? width : 1))
			return binary_error(json, json->end, "");
	}
	cursor->at = at;
	return EX_OK;
}

/* Is there another element?  Steps over no-ops and the closing bracket. */
static ex_status
next_element(const ex_json *json, ex_json_cursor *cursor, bool *more)
{
	if (cursor->marker == 0)
		cursor->at = skip_noop(cursor->at, json->end);
	if (cursor->left >= 0)
		*more = cursor->left-- > 0;
	else
	{
		if (cursor->at >= json->end)
			return binary_error(json, cursor->at, "");
		*more = *cursor->at != (cursor->object ? '}' : ']');
		if (!*more)
			cursor->at++;
	}
	return EX_OK;
}

/*
 * A position in the walk over a document: the containers that are open and
 * the value that comes next.
 */
typedef struct walker
{
	const ex_json *json;
	const uint8_t *at;
	uint8_t		marker;			/* of the next value; 0: stands before it */
	bool		check;			/* untrusted: check UTF-8, poll */
	int			depth;
	ex_json_cursor open[EX_JSON_MAX_DEPTH];
} walker;

static ex_status
enter_container(walker *walk, bool object)
{
	const ex_json *json = walk->json;
	ex_json_cursor *cursor;
	size_t		width;

	if (walk->depth == EX_JSON_MAX_DEPTH)
		return ex_fail(json->host, EX_LIMIT, "UBJSON document is nested deeper than %d levels",
					   EX_JSON_MAX_DEPTH);
	cursor = &walk->open[walk->depth++];
	EX_TRY(open_container(json, walk->at, object, cursor));

	/* numbers of a fixed width need no look at each */
	width = ex_binary_width(cursor->marker);
	if (!object && width > 0)
	{
		cursor->at += width * (size_t) cursor->left;
		cursor->left = 0;
	}
	return EX_OK;
}

/* Pass one scalar or enter one container. */
static ex_status
pass_value(walker *walk)
{
	const ex_json *json = walk->json;
	uint8_t		marker = walk->marker;
	size_t		width;

	if (marker == 0)
	{
		walk->at = skip_noop(walk->at, json->end);
		if (walk->at >= json->end)
			return binary_error(json, walk->at, "");
		marker = *walk->at++;
	}
	width = ex_binary_width(marker);
	if (width > 0)
	{
		if ((size_t) (json->end - walk->at) < width)
			return binary_error(json, json->end, "");
		walk->at += width;
		return EX_OK;
	}
	switch (marker)
	{
		case 'Z':
		case 'T':
		case 'F':
			return EX_OK;
		case 'S':
			return check_string(json, &walk->at, walk->check);
		case '[':
		case '{':
			return enter_container(walk, marker == '{');
		default:
			return binary_error(json, walk->at - 1, "unknown type marker");
	}
}

/* Leave the containers that end here; stand before the next value, if there is one. */
static ex_status
advance(walker *walk)
{
	const uint8_t *at = walk->at;
	bool		more = false;

	while (walk->depth > 0 && !more)
	{
		ex_json_cursor *cursor = &walk->open[walk->depth - 1];

		if (cursor->at < at)
			cursor->at = at;
		EX_TRY(next_element(walk->json, cursor, &more));
		at = cursor->at;
		walk->marker = cursor->marker;
		if (!more)
			walk->depth--;
		else if (cursor->object)
			EX_TRY(check_string(walk->json, &at, walk->check));
	}
	walk->at = at;
	return EX_OK;
}

static ex_status
walk_value(const ex_json *json, ex_json_value value, bool check, const uint8_t **after)
{
	walker		walk;
	long		values = 0;

	walk.json = json;
	walk.at = value.at;
	walk.marker = value.marker;
	walk.check = check;
	walk.depth = 0;
	do
	{
		if (check && ++values % POLL_INTERVAL == 0)
			EX_TRY(ex_poll(json->host));
		EX_TRY(pass_value(&walk));
		EX_TRY(advance(&walk));
	} while (walk.depth > 0);
	*after = walk.at;
	return EX_OK;
}

ex_status
ex_binary_check(const ex_json *json)
{
	ex_json_value root = {.at = json->data};
	const uint8_t *after;

	EX_TRY(walk_value(json, root, true, &after));
	after = skip_noop(after, json->end);
	if (after < json->end)
		return binary_error(json, after, "unexpected bytes after the document");
	return EX_OK;
}

/*
 * Moving in a checked document.
 */

uint8_t
ex_binary_marker(ex_json_value value, const uint8_t **payload)
{
	const uint8_t *at = value.at;

	*payload = at;
	if (value.marker != 0)
		return value.marker;
	while (*at == 'N')
		at++;
	*payload = at + 1;
	return *at;
}

const uint8_t *
ex_binary_skip(const ex_json *json, ex_json_value value)
{
	const uint8_t *payload;
	size_t		width = ex_binary_width(ex_binary_marker(value, &payload));
	const uint8_t *after = json->end;

	if (width > 0)
		return payload + width;
	(void) walk_value(json, value, false, &after);	/* cannot fail once
													 * checked */
	return after;
}

void
ex_binary_begin(const ex_json *json, ex_json_value container, ex_json_cursor *cursor)
{
	const uint8_t *payload;
	uint8_t		marker = ex_binary_marker(container, &payload);

	(void) open_container(json, payload, marker == '{', cursor);
}

bool
ex_binary_more(const ex_json *json, ex_json_cursor *cursor)
{
	bool		more = false;

	(void) next_element(json, cursor, &more);
	return more;
}

const uint8_t *
ex_binary_string(const ex_json *json, ex_json_value value, size_t *length)
{
	const uint8_t *at;
	int64_t		bytes = 0;

	ex_binary_marker(value, &at);
	(void) read_length(json, &at, &bytes);
	*length = (size_t) bytes;
	return at;
}

const uint8_t *
ex_binary_after_key(const ex_json *json, const uint8_t *key)
{
	ex_json_value value = {.at = key, .marker = 'S'};
	size_t		length;
	const uint8_t *text = ex_binary_string(json, value, &length);

	return text + length;
}
