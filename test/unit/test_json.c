/*
 * test_json.c
 *		Reading JSON and UBJSON, writing JSON.
 *
 * Numbers are compared bit by bit with the C library's strtod and strtof, both
 * encodings of the same XGBoost models with each other.
 */
#include <float.h>

#include "golden.h"
#include "host_malloc.h"
#include "json.h"
#include "unit.h"

#define DATA "test/data/models/"

static ex_arena arena;
static ex_host *host;
static ex_json json;

static ex_status
open_text(const char *text, ex_json_value *root)
{
	/* a copy of exactly that size: a sanitizer sees every step too far */
	size_t		size = strlen(text);
	char	   *copy = host->alloc(host, size);

	memcpy(copy, text, size);
	return ex_json_open(&json, host, EX_FORMAT_JSON, copy, size, root);
}

static ex_status
open_bytes(const void *bytes, size_t size, ex_json_value *root)
{
	char	   *copy = host->alloc(host, size);

	memcpy(copy, bytes, size);
	return ex_json_open(&json, host, EX_FORMAT_UBJSON, copy, size, root);
}

/* A literal with zero bytes in it */
#define BYTES(literal)	(literal), sizeof(literal) - 1

/* ---------------------------------------------------------------- syntax */

static void
test_valid(void)
{
	static const char *const texts[] = {
		"{}", "[]", " [ ] ", "1", "-0", "0.5", "1E5", "1e+5", "-1.25e-7", "true", "false", "null",
		"NaN", "Infinity", "-Infinity", "\"\"", "\"a\\u00e9\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80 \xc3\xa9 \x7f\"", "[1,2,[3,{\"a\":[{}]}],\"]\"]",
		"{\"a\":1,\"b\" : {\"c\":[]} }", "\t{\r\n\"a\"\t:\n[ 1 , 2 ]}\n"
	};
	ex_json_value root;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		is_status(host, open_text(texts[i], &root), EX_OK, "text %zu is accepted", i);
}

static void
test_invalid(void)
{
	static const struct
	{
		const char *text;
		ex_status	status;
		const char *message;
	}			cases[] = {
		{"", EX_SYNTAX, "unexpected end after 0 bytes"},
		{"  ", EX_SYNTAX, "unexpected end after 2 bytes"},
		{"{", EX_SYNTAX, "unexpected end after 1 bytes"},
		{"[1,2", EX_SYNTAX, "unexpected end"},
		{"\"abc", EX_SYNTAX, "unexpected end"},
		{"\"abc\\", EX_SYNTAX, "unexpected end"},
		{"tru", EX_SYNTAX, "expected a value at byte 1"},
		{"nan", EX_SYNTAX, "expected a value"},
		{"+1", EX_SYNTAX, "expected a value"},
		{".5", EX_SYNTAX, "expected a value"},
		{"01", EX_SYNTAX, "unexpected text after the document at byte 2"},
		{"1.", EX_SYNTAX, "unexpected end"},
		{"[1.]", EX_SYNTAX, "expected a digit at byte 4"},
		{"1e", EX_SYNTAX, "unexpected end"},
		{"[-]", EX_SYNTAX, "expected a digit"},
		{"-Inf", EX_SYNTAX, "expected a digit"},
		{"[1 2]", EX_SYNTAX, "expected a comma or a closing bracket at byte 4"},
		{"[1,]", EX_SYNTAX, "expected a value at byte 4"},
		{"[,1]", EX_SYNTAX, "expected a value"},
		{"[1}", EX_SYNTAX, "expected a comma or a closing bracket"},
		{"{\"a\":1]", EX_SYNTAX, "expected a comma or a closing brace"},
		{"{\"a\" 1}", EX_SYNTAX, "expected a colon at byte 6"},
		{"{\"a\":}", EX_SYNTAX, "expected a value"},
		{"{a:1}", EX_SYNTAX, "expected a string at byte 2"},
		{"{\"a\":1,}", EX_SYNTAX, "expected a string"},
		{"{} {}", EX_SYNTAX, "unexpected text after the document at byte 4"},
		{"]", EX_SYNTAX, "expected a value"},
		{"\"\\x\"", EX_SYNTAX, "unknown escape"},
		{"\"\\u12g4\"", EX_SYNTAX, "expected four hexadecimal digits"},
		{"\"\\ud800\"", EX_SYNTAX, "unpaired surrogate"},
		{"\"\\ud800\\u0041\"", EX_SYNTAX, "unpaired surrogate"},
		{"\"\\udc00\"", EX_SYNTAX, "unpaired surrogate"},
		{"\"a\nb\"", EX_SYNTAX, "control character in a string at byte 3"},
		{"\"\xff\"", EX_ENCODING, "JSON string at byte 1 is not valid UTF-8"},
		{"\"\xc0\x80\"", EX_ENCODING, "not valid UTF-8"},
		{"\"\xed\xa0\x80\"", EX_ENCODING, "not valid UTF-8"},
		{"{\"\xe9\":1}", EX_ENCODING, "not valid UTF-8"},
		{"\xef\xbb\xbf{}", EX_SYNTAX, "expected a value at byte 1"},
	};
	ex_json_value root;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		is_status(host, open_text(cases[i].text, &root), cases[i].status, "text %zu is refused", i);
		if (!ok(strstr(host->error.message, cases[i].message) != NULL, "... and says why: %s", cases[i].message))
			printf("#   %s\n", host->error.message);
	}
}

static void
test_limits(void)
{
	char		text[700];
	ex_json_value root;

	memset(text, '[', EX_JSON_MAX_DEPTH);
	memset(text + EX_JSON_MAX_DEPTH, ']', EX_JSON_MAX_DEPTH);
	text[2 * EX_JSON_MAX_DEPTH] = '\0';
	is_status(host, open_text(text, &root), EX_OK, "text as deep as allowed");
	is_status(host, open_bytes(text, 2 * EX_JSON_MAX_DEPTH, &root), EX_OK, "UBJSON as deep as allowed");
	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	is_status(host, open_text(text, &root), EX_LIMIT, "text that is deeper");
	is_status(host, open_bytes(text, sizeof(text) - 1, &root), EX_LIMIT, "UBJSON that is deeper");
	memset(text, '1', sizeof(text) - 1);
	is_status(host, open_text(text, &root), EX_LIMIT, "number of %zu digits", sizeof(text) - 1);
}

static void
test_binary_syntax(void)
{
	static const struct
	{
		const char *bytes;
		size_t		size;
		ex_status	status;
		const char *what;
	}			cases[] = {
		{BYTES("{}"), EX_OK, "empty object"},
		{BYTES("[]"), EX_OK, "empty array"},
		{BYTES("[#i\0"), EX_OK, "counted empty array"},
		{BYTES("{#U\0"), EX_OK, "counted empty object"},
		{BYTES("Z"), EX_OK, "null"},
		{BYTES("NNT"), EX_OK, "no-ops"},
		{BYTES("[NZNi\1N]"), EX_OK, "no-ops in an array"},
		{BYTES("{i\1aTL\0\0\0\0\0\0\0\1bF}"), EX_OK, "object"},
		{BYTES("{#i\2i\1aTi\1bF"), EX_OK, "counted object"},
		{BYTES("{$i#i\1i\1a\7"), EX_OK, "typed object"},
		{BYTES("[$d#l\0\0\0\2\0\0\0\0\0\0\0\0"), EX_OK, "typed array"},
		{BYTES("[$[#i\2]#i\1Z"), EX_OK, "array of arrays"},
		{BYTES("[$S#i\2i\1ai\0"), EX_OK, "array of strings"},
		{BYTES("Si\2\xc3\xa9"), EX_OK, "string"},
		{BYTES(""), EX_BINARY, "nothing"},
		{BYTES("["), EX_BINARY, "open array"},
		{BYTES("{i\1a"), EX_BINARY, "key without value"},
		{BYTES("{i\1"), EX_BINARY, "key without bytes"},
		{BYTES("X"), EX_BINARY, "unknown marker"},
		{BYTES("CA"), EX_BINARY, "character"},
		{BYTES("Hi\0011"), EX_BINARY, "decimal text"},
		{BYTES("l\0\0\0"), EX_BINARY, "short int32"},
		{BYTES("D\0\0\0"), EX_BINARY, "short float64"},
		{BYTES("Si\5abc"), EX_BINARY, "short string"},
		{BYTES("Si\xff"), EX_BINARY, "negative length"},
		{BYTES("Sd\0\0\0\0"), EX_BINARY, "length that is a float"},
		{BYTES("[$d#l\0\0\0\2\0\0\0\0"), EX_BINARY, "short typed array"},
		{BYTES("[$d#L\x40\0\0\0\0\0\0\0"), EX_BINARY, "count whose size wraps"},
		{BYTES("[#L\x7f\xff\xff\xff\xff\xff\xff\xff"), EX_BINARY, "count of nearly 2^63"},
		{BYTES("[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff"), EX_BINARY, "typed container without payload"},
		{BYTES("[$d]"), EX_BINARY, "type without count"},
		{BYTES("[$"), EX_BINARY, "type without anything"},
		{BYTES("[#i\2Z"), EX_BINARY, "too few elements"},
		{BYTES("ZZ"), EX_BINARY, "bytes after the document"},
		{BYTES("Si\1\xff"), EX_ENCODING, "string that is not UTF-8"},
	};
	ex_json_value root;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_status(host, open_bytes(cases[i].bytes, cases[i].size, &root), cases[i].status,
				  "UBJSON: %s", cases[i].what);
}

/* Every proper prefix of a document is refused, with no step beyond its end. */
static void
test_truncated(void)
{
	static const char text[] = "{\"a\":[1,2.5e1,true,null,\"\\u00e9\"],\"b\":{\"c\":-Infinity}}";
	static const char bytes[] = "{i\1a[$l#i\2\0\0\0\1\0\0\0\2i\1b{i\1cSi\2hii\1d[TZ]}}";
	ex_json_value root;
	size_t		refused = 0;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
	{
		char		part[sizeof(text)];

		memcpy(part, text, i);
		part[i] = '\0';
		refused += open_text(part, &root) == EX_SYNTAX;
	}
	is_int((int64_t) refused, sizeof(text) - 1, "all truncations of a text");
	refused = 0;
	for (size_t i = 0; i < sizeof(bytes) - 1; i++)
		refused += open_bytes(bytes, i, &root) == EX_BINARY;
	is_int((int64_t) refused, sizeof(bytes) - 1, "all truncations of UBJSON");
}

/* ---------------------------------------------------------------- numbers */

static uint64_t state = 20240501;

static uint64_t
next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static bool
same_double(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Both readers give the bits that strtod and strtof give. */
static bool
reads_as_library(const char *text)
{
	double		wide;
	float		narrow;
	float		expected = strtof(text, NULL);

	return ex_parse_double(text, strlen(text), &wide) && same_double(wide, strtod(text, NULL)) &&
		ex_parse_float(text, strlen(text), &narrow) && memcmp(&narrow, &expected, sizeof(narrow)) == 0;
}

static void
test_random_numbers(void)
{
	static const char *const format[] = {"%.*g", "%.*e", "%.*f"};
	size_t		wrong = 0;

	for (int i = 0; i < 300000; i++)
	{
		char		text[400];
		uint64_t	bits = next_random();
		uint32_t	bits32 = (uint32_t) next_random();
		double		wide;
		float		narrow;

		memcpy(&wide, &bits, sizeof(wide));
		memcpy(&narrow, &bits32, sizeof(narrow));
		/* random bits are huge or tiny; also numbers as models have them */
		if (i % 3 == 0)
			wide = (double) (int64_t) (bits >> 40) / 4096;
		if (i % 3 == 1)
			wide = narrow;
		if (!isfinite(wide))
			continue;
		snprintf(text, sizeof(text), format[i % 7 < 5 ? 0 : i % 7 - 4], (int) (next_random() % 19 + 1), wide);
		wrong += !reads_as_library(text);
	}
	is_int((int64_t) wrong, 0, "random decimals read as strtod and strtof read them");
}

/* Decimals at and beside the middle of two floats, where rounding twice goes wrong. */
static void
test_halfway(void)
{
	size_t		wrong = 0;

	for (int i = 0; i < 20000; i++)
	{
		char		text[64];
		float		low = (float) (1 + next_random() % 16777215) / (float) (1 << next_random() % 24);
		double		middle = ((double) low + nextafterf(low, INFINITY)) / 2;

		snprintf(text, sizeof(text), "%.*g", (int) (9 + next_random() % 10), middle);
		wrong += !reads_as_library(text);
		snprintf(text, sizeof(text), "%.17g", nextafter(middle, next_random() % 2 ? 0 : INFINITY));
		wrong += !reads_as_library(text);
	}
	is_int((int64_t) wrong, 0, "decimals beside the middle of two floats");
}

static void
test_special_numbers(void)
{
	static const char *const texts[] = {
		"0", "-0", "-0.0e5", "1e400", "-1e400", "1e-400", "4.9e-324", "2.4e-324", "1.7976931348623157e308",
		"1.7976931348623159e308", "3.4028235e38", "3.4028236e38", "3.5e38", "1e-46", "1.4e-45", "7e-46",
		"1.1754943e-38", "9007199254740993", "9007199254740993.0e0", "123456789012345678901234567890",
		"0.000000000000000000000000000000000000000000000000000000001e57", "1e22", "1e23", "-1e22",
		"16777217", "16777219", "0.1", "100000000000000000000000e-23", "1e2147483648", "1e-2147483648",
		"1e99999999999999999999", "5E-1", "1.5213348E2", "8.5", "00012"
	};
	static const char *const junk[] = {"", " ", "-", "+", ".", "e5", "1e", "1e+", "1x", " 1", "1 ", "0x10", "nan", "inf"};
	double		value;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ok(reads_as_library(texts[i]), "number %s", texts[i]);
	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		ok(!ex_parse_double(junk[i], strlen(junk[i]), &value), "no number: '%s'", junk[i]);
}

static void
test_scalars(void)
{
	ex_json_value root;
	double		wide;
	float		narrow;
	int64_t		integer;

	open_text("1e400", &root);
	is_status(host, ex_json_number(&json, root, "threshold", &wide), EX_RANGE, "overflow of a double");
	is_text(host->error.message, "threshold is out of range for type double precision: 1e400", "... is said");
	open_text("1e39", &root);
	is_status(host, ex_json_float(&json, root, "threshold", &narrow), EX_RANGE, "overflow of a float");
	is_status(host, ex_json_number(&json, root, "threshold", &wide), EX_OK, "... is none of a double");
	open_text("-Infinity", &root);
	is_status(host, ex_json_number(&json, root, "x", &wide), EX_OK, "bare -Infinity");
	is_double(wide, -INFINITY, "... is that");
	open_text("\"NaN\"", &root);
	is_status(host, ex_json_number(&json, root, "x", &wide), EX_OK, "quoted NaN");
	is_double(wide, NAN, "... is that");
	open_text("\"1\"", &root);
	is_status(host, ex_json_number(&json, root, "x", &wide), EX_INVALID, "string for a number");
	is_text(host->error.message, "x must be a number, not a string", "... is said");
	open_text("null", &root);
	is_status(host, ex_json_number(&json, root, "x", &wide), EX_NULL, "null for a number");
	open_text("3.0", &root);
	is_status(host, ex_json_integer(&json, root, "n", 0, 3, &integer), EX_OK, "integer with a fraction of 0");
	is_int(integer, 3, "... is that");
	is_status(host, ex_json_integer(&json, root, "n", 0, 2, &integer), EX_INVALID, "integer beyond its limit");
	is_text(host->error.message, "n must be an integer between 0 and 2", "... is said");
	open_text("2.5", &root);
	is_status(host, ex_json_integer(&json, root, "n", 0, 3, &integer), EX_INVALID, "fraction for an integer");
	open_text("NaN", &root);
	is_status(host, ex_json_integer(&json, root, "n", 0, 3, &integer), EX_INVALID, "NaN for an integer");
	open_text("true", &root);
	is_status(host, ex_json_integer(&json, root, "n", 0, 1, &integer), EX_OK, "boolean as an integer");
	is_int(integer, 1, "... is 1");
}

static void
test_binary_numbers(void)
{
	static const char bytes[] = "[i\xfeU\xfeI\xff\xfel\x80\0\0\0L\xff\xff\xff\xff\xff\xff\xff\xff"
		"d\x3f\xc0\0\0D\xbf\xf0\0\0\0\0\0\0d\x7f\xc0\0\0D\x48\0\0\0\0\0\0\0]";
	static const double expected[] = {-2, 254, -2, -2147483648.0, -1, 1.5, -1, NAN, 0x1p129};
	ex_json_value root;
	double	   *value;
	float		narrow;
	size_t		count;
	ex_json_cursor cursor;

	is_status(host, open_bytes(BYTES(bytes), &root), EX_OK, "UBJSON numbers of all types");
	is_status(host, ex_json_doubles(&json, root, "x", &value, &count), EX_OK, "... read as doubles");
	is_int((int64_t) count, 9, "... all of them");
	for (size_t i = 0; i < count; i++)
		is_double(value[i], expected[i], "... [%zu]", i);
	ex_json_begin(&json, root, &cursor);
	for (int i = 0; i < 9; i++)
		ex_json_next(&json, &cursor, &root);
	is_status(host, ex_json_float(&json, root, "x", &narrow), EX_RANGE, "double that is no float");
}

/* ---------------------------------------------------------------- containers */

static void
test_object(void)
{
	ex_json_value root;
	ex_json_value a;
	ex_json_value b;
	ex_json_value c;
	ex_json_member members[] = {
		{"a", EX_JSON_NUMBER | EX_JSON_STRING, true, &a},
		{"b", EX_JSON_ARRAY, false, &b},
		{"\xc3\xa9", EX_JSON_OBJECT | EX_JSON_NULL, false, &c},
	};
	static const struct
	{
		const char *text;
		bool		strict;
		ex_status	status;
		const char *message;
	}			cases[] = {
		{"{\"a\":1,\"x\":[{\"a\":2}]}", false, EX_OK, ""},
		{"{\"\\u0061\":\"v\",\"\\u00e9\":null}", true, EX_OK, ""},
		{"{\"b\":[]}", false, EX_INVALID, "feature 3 has no key \"a\""},
		{"{\"a\":1,\"a\":2}", false, EX_DUPLICATE_KEY, "key \"a\" of feature 3 is given twice"},
		{"{\"a\":1,\"\\u0061\":2}", false, EX_DUPLICATE_KEY, "key \"a\" of feature 3 is given twice"},
		{"{\"a\":true}", false, EX_INVALID, "key \"a\" of feature 3 must be a number or a string, not a boolean"},
		{"{\"a\":null}", false, EX_NULL, "key \"a\" of feature 3 must not be null"},
		{"{\"a\":1,\"zz%s\":2}", true, EX_INVALID, "unknown key \"zz%s\" in feature 3"},
		{"[]", false, EX_INVALID, "feature 3 must be an object, not an array"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		is_status(host, open_text(cases[i].text, &root), EX_OK, "object %s", cases[i].text);
		if (is_status(host, ex_json_read_object(&json, root, "feature 3", members, 3, cases[i].strict),
					  cases[i].status, "... read") && cases[i].status != EX_OK)
			is_text(host->error.message, cases[i].message, "... message");
		if (i == 0)
			ok(b.at == NULL && c.at == NULL && ex_json_typeof(&json, a) == EX_JSON_NUMBER, "... members");
		if (i == 7)
			is_text(host->error.hint, "Valid keys are \"a\", \"b\", \"\xc3\xa9\".", "... hint");
	}
}

static void
test_navigation(void)
{
	ex_json_value root;
	ex_json_value value;
	ex_json_value key;
	ex_json_cursor cursor;
	int			n = 0;

	open_text("{\"a\":{\"b\":[10,[11],{\"x\":\"]}\"},\"\\\"\",12 ] } , \"c\":1}", &root);
	value = ex_json_get(&json, ex_json_get(&json, root, "a"), "b");
	is_int((int64_t) ex_json_count(&json, value), 5, "elements of a nested array");
	is_int((int64_t) ex_json_count(&json, root), 2, "members of the root");
	ok(ex_json_get(&json, root, "nothing").at == NULL, "an absent member");
	ok(ex_json_get(&json, ex_json_get(&json, value, "x"), "y").at == NULL, "members of what is no object");
	ex_json_begin(&json, ex_json_get(&json, root, "c"), &cursor);
	ok(!ex_json_next(&json, &cursor, &value), "a number has no elements");
	ex_json_begin(&json, root, &cursor);
	for (; ex_json_next_member(&json, &cursor, &key, &value); n++)
		ok(ex_json_equals(&json, key, n == 0 ? "a" : "c"), "member %d", n);
	is_int(n, 2, "... and no more");
	ok(!ex_json_next(&json, &cursor, &value), "... also when asked again");
}

static void
test_strings(void)
{
	ex_json_value root;
	const char *text;
	size_t		length;

	open_text("\"a\\u00e9\\ud83d\\ude00\\n\\u20ac\\\"\"", &root);
	is_status(host, ex_json_string(&json, root, &text, &length), EX_OK, "string with escapes");
	is_text(text, "a\xc3\xa9\xf0\x9f\x98\x80\n\xe2\x82\xac\"", "... decoded");
	ok(ex_json_equals(&json, root, "a\xc3\xa9\xf0\x9f\x98\x80\n\xe2\x82\xac\""), "... equals that");
	ok(!ex_json_equals(&json, root, "a"), "... but no prefix");
	ok(!ex_json_equals(&json, root, "a\xc3\xa9\xf0\x9f\x98\x80\n\xe2\x82\xac\"b"), "... and nothing longer");
	open_text("\"a\\u0000b\"", &root);
	is_status(host, ex_json_string(&json, root, &text, &length), EX_SYNTAX, "string with a zero byte");
	ok(!ex_json_equals(&json, root, "a"), "... equals no C string");
	open_bytes(BYTES("SU\3a\xc3\xa9"), &root);
	is_status(host, ex_json_string(&json, root, &text, &length), EX_OK, "UBJSON string");
	is_text(text, "a\xc3\xa9", "... as it is");
	ok(ex_json_equals(&json, root, "a\xc3\xa9") && !ex_json_equals(&json, root, "a"), "... compared");
}

static void
test_arrays(void)
{
	ex_json_value root;
	double	   *value;
	int32_t    *integer;
	size_t		count;
	ex_buffer	buffer = {NULL, 0, 0};

	open_text("[1, \"Infinity\",NaN, -0.0 ]", &root);
	is_status(host, ex_json_doubles(&json, root, "x", &value, &count), EX_OK, "array of doubles");
	ok(count == 4 && value[0] == 1 && isinf(value[1]) && isnan(value[2]) && signbit(value[3]), "... its values");
	open_text("[1,2,[3]]", &root);
	is_status(host, ex_json_doubles(&json, root, "coefficients", &value, &count), EX_INVALID, "array in an array");
	is_text(host->error.message, "element 3 of coefficients must be a number, not an array", "... is said");
	open_text("[]", &root);
	is_status(host, ex_json_doubles(&json, root, "x", &value, &count), EX_OK, "empty array");
	ok(count == 0 && value != NULL, "... with a pointer");
	open_text("{}", &root);
	is_status(host, ex_json_doubles(&json, root, "x", &value, &count), EX_INVALID, "object for an array");
	open_text("[true,false,7]", &root);
	is_status(host, ex_json_integers(&json, root, "x", 0, 7, &integer, &count), EX_OK, "array of integers");
	ok(count == 3 && integer[0] == 1 && integer[1] == 0 && integer[2] == 7, "... its values");
	is_status(host, ex_json_read_floats(&json, root, "x", &buffer, &count), EX_INVALID, "booleans are no floats");
	open_text("[0.1,1e-50]", &root);
	is_status(host, ex_json_read_floats(&json, root, "x", &buffer, &count), EX_OK, "the buffer again");
	ok(count == 2 && ((float *) buffer.data)[0] == 0.1f && ((float *) buffer.data)[1] == 0, "... its values");
}

/* ---------------------------------------------------------------- both encodings */

static size_t compared;

/* The same tree of values?  Numbers as floats, which is what UBJSON has. */
static bool
same_value(ex_json *text, ex_json_value a, ex_json *binary, ex_json_value b)
{
	ex_json_type type = ex_json_typeof(text, a);
	ex_json_cursor in_a;
	ex_json_cursor in_b;
	ex_json_value key_a;
	ex_json_value key_b;
	const char *string;
	size_t		length;
	float		x;
	float		y;

	compared++;
	if (type != ex_json_typeof(binary, b))
		return false;
	if (type == EX_JSON_STRING)
		return ex_json_string(text, a, &string, &length) == EX_OK && ex_json_equals(binary, b, string);
	if (type == EX_JSON_NUMBER)
		return ex_json_float(text, a, "", &x) == EX_OK && ex_json_float(binary, b, "", &y) == EX_OK &&
			(x == y || (isnan(x) && isnan(y)));
	ex_json_begin(text, a, &in_a);
	ex_json_begin(binary, b, &in_b);
	while (ex_json_next_member(text, &in_a, &key_a, &a))
	{
		if (!ex_json_next_member(binary, &in_b, &key_b, &b) || !same_value(text, a, binary, b))
			return false;
		if (key_a.at != NULL && (ex_json_string(text, key_a, &string, &length) != EX_OK ||
								 !ex_json_equals(binary, key_b, string)))
			return false;
	}
	return !ex_json_next_member(binary, &in_b, &key_b, &b);
}

static void
test_encodings(void)
{
	static const char *const names[] = {"xgboost/cat_reg", "xgboost/reg_gblinear", "xgboost34/multi_softprob"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		char		path[256];
		ex_json		text;
		ex_json		binary;
		ex_json_value a;
		ex_json_value b;
		char	   *data;
		size_t		size;

		snprintf(path, sizeof(path), DATA "%s.json", names[i]);
		data = golden_file(host, path, &size);
		is_status(host, ex_json_open(&text, host, EX_FORMAT_JSON, data, size, &a), EX_OK, "%s: text", names[i]);
		snprintf(path, sizeof(path), DATA "%s.ubj", names[i]);
		data = golden_file(host, path, &size);
		is_status(host, ex_json_open(&binary, host, EX_FORMAT_UBJSON, data, size, &b), EX_OK, "%s: UBJSON", names[i]);
		compared = 0;
		ok(same_value(&text, a, &binary, b), "%s: the same document", names[i]);
		printf("# %zu values compared\n", compared);
	}
}

/* ---------------------------------------------------------------- writing */

static void
test_writing(void)
{
	static const double values[] = {0, -0.0, 1.5, 0.1, -1e300, 5e-324, 1.0 / 3, NAN, INFINITY, -INFINITY, DBL_MAX};
	static const char nasty[] = "a\"b\\c/\n\t\x01\x7f\xc3\xa9%s";
	size_t		n = sizeof(values) / sizeof(values[0]);
	ex_buffer	out = {NULL, 0, 0};
	ex_json_value root;
	double	   *value;
	size_t		count;

	is_status(host, ex_json_put_doubles(host, &out, values, n), EX_OK, "doubles written");
	is_status(host, ex_json_open(&json, host, EX_FORMAT_JSON, out.data, out.size, &root), EX_OK, "... parse");
	is_status(host, ex_json_doubles(&json, root, "x", &value, &count), EX_OK, "... are read back");
	for (size_t i = 0; i < n && i < count; i++)
		is_double(value[i], values[i], "... [%zu]", i);
	out.size = 0;
	is_status(host, ex_json_put_string(host, &out, nasty, strlen(nasty)), EX_OK, "string written");
	is_status(host, ex_json_open(&json, host, EX_FORMAT_JSON, out.data, out.size, &root), EX_OK, "... parses");
	ok(ex_json_equals(&json, root, nasty), "... is read back");
}

/* ---------------------------------------------------------------- the host */

static bool
stop_at_once(ex_host *unused)
{
	(void) unused;
	return true;
}

static void
test_cancel(void)
{
	size_t		n = 300000;
	char	   *text = host->alloc(host, 2 * n + 2);
	ex_json_value root;
	double	   *value;
	size_t		count;

	for (size_t i = 0; i < n; i++)
		memcpy(text + 2 * i + 1, "1,", 2);
	text[0] = '[';
	text[2 * n] = ']';
	text[2 * n + 1] = '\0';
	is_status(host, ex_json_open(&json, host, EX_FORMAT_JSON, text, 2 * n + 1, &root), EX_OK, "long array");
	host->poll = stop_at_once;
	is_status(host, ex_json_doubles(&json, root, "x", &value, &count), EX_CANCELLED, "... reading it can be cancelled");
	is_status(host, ex_json_open(&json, host, EX_FORMAT_JSON, text, 2 * n + 1, &root), EX_CANCELLED, "... and checking it");
	host->poll = NULL;
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_valid();
	test_invalid();
	test_limits();
	test_binary_syntax();
	test_truncated();
	test_random_numbers();
	test_halfway();
	test_special_numbers();
	test_scalars();
	test_binary_numbers();
	test_object();
	test_navigation();
	test_strings();
	test_arrays();
	test_encodings();
	test_writing();
	test_cancel();
	ex_arena_free(&arena);
	return unit_done();
}
