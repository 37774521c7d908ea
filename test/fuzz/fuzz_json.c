/*
 * fuzz_json.c
 *		Any bytes into the readers of JSON and UBJSON.
 *
 * What the check accepts is read in every way; numbers must be the C
 * library's, and a string written must read back the same.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "host_malloc.h"
#include "json.h"

static void
fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* The bytes of a number's token, at most as many as the reader takes. */
static void
compare_number(ex_json *json, ex_json_value value, double number)
{
	char		token[600];
	size_t		length = 0;

	while (value.at + length < json->end && length < sizeof(token) - 1 &&
		   strchr("+-.0123456789eE", value.at[length]) != NULL && value.at[length] != '\0')
		length++;
	memcpy(token, value.at, length);
	token[length] = '\0';
	if (token[length - 1] >= '0' && token[length - 1] <= '9' && strtod(token, NULL) != number)
		fail("number differs from strtod");
}

static void
read_number(ex_json *json, ex_json_value value)
{
	double		number;
	float		single;
	int64_t		integer;

	if (ex_json_number(json, value, "value", &number) == EX_OK &&
		json->format == EX_FORMAT_JSON && isfinite(number))
		compare_number(json, value, number);
	(void) ex_json_float(json, value, "value", &single);
	if (ex_json_integer(json, value, "value", -5, 1000, &integer) == EX_OK &&
		(integer < -5 || integer > 1000))
		fail("integer beyond its limits");
}

static void
read_string(ex_json *json, ex_json_value value)
{
	const char *text;
	size_t		length;
	ex_buffer	out = {NULL, 0, 0};
	ex_json		again;
	ex_json_value root;

	if (ex_json_string(json, value, &text, &length) != EX_OK)
		return;
	if (strlen(text) != length || !ex_json_equals(json, value, text))
		fail("string differs from itself");
	if (ex_json_put_string(json->host, &out, text, length) != EX_OK)
		return;
	if (ex_json_open(&again, json->host, EX_FORMAT_JSON, out.data, out.size, &root) != EX_OK ||
		!ex_json_equals(&again, root, text))
		fail("string is not read back");
}

static void
read_array(ex_json *json, ex_json_value value)
{
	double	   *numbers;
	int32_t    *integers;
	ex_buffer	buffer = {NULL, 0, 0};
	size_t		count;

	if (ex_json_doubles(json, value, "value", &numbers, &count) == EX_OK &&
		count != ex_json_count(json, value))
		fail("elements are missing");
	(void) ex_json_integers(json, value, "value", -5, 1000, &integers, &count);
	(void) ex_json_read_floats(json, value, "value", &buffer, &count);
}

static void
read_value(ex_json *json, ex_json_value value, int depth)
{
	ex_json_cursor cursor;
	ex_json_value key;
	ex_json_value member;
	ex_json_value a;
	const ex_json_member members[] = {{"a", EX_JSON_NUMBER | EX_JSON_STRING, false, &a}};

	if (depth > EX_JSON_MAX_DEPTH)
		fail("deeper than allowed");
	(void) ex_json_bool(json, value);
	read_number(json, value);
	if (ex_json_typeof(json, value) == EX_JSON_STRING)
		read_string(json, value);
	/* reading a number array at every level would be quadratic */
	if (depth < 3)
		read_array(json, value);
	(void) ex_json_read_object(json, value, "value", members, 1, depth % 2);
	(void) ex_json_get(json, value, "a");
	ex_json_begin(json, value, &cursor);
	while (ex_json_next_member(json, &cursor, &key, &member))
	{
		if (key.at != NULL)
			read_string(json, key);
		read_value(json, member, depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int format = EX_FORMAT_JSON; format <= EX_FORMAT_UBJSON; format++)
	{
		ex_arena	arena;
		ex_host    *host = ex_arena_init(&arena);
		ex_json		json;
		ex_json_value root;

		if (ex_json_open(&json, host, (ex_json_format) format, data, size, &root) == EX_OK)
			read_value(&json, root, 0);
		ex_arena_free(&arena);
	}
	return 0;
}
