/*
 * json_text.c
 *		Scanning JSON text (RFC 8259, and the bare words NaN, Infinity and
 *		-Infinity, which XGBoost writes).
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"

/* No writer needs more; it bounds the copy that strtod reads. */
#define MAX_NUMBER_LENGTH	512

/* Values between two questions to the host whether to stop. */
#define POLL_INTERVAL		65536

/*
 * Checking untrusted text.
 */

typedef struct text_checker
{
	const ex_json *json;
	const uint8_t *at;
	const uint8_t *end;
	int			depth;
	char		closing[EX_JSON_MAX_DEPTH];
} text_checker;

static ex_status
syntax_error(const text_checker *checker, const char *what)
{
	size_t		byte = (size_t) (checker->at - checker->json->data) + 1;

	if (checker->at >= checker->end)
		return ex_fail(checker->json->host, EX_SYNTAX,
					   "invalid JSON document: unexpected end after %zu bytes", byte - 1);
	return ex_fail(checker->json->host, EX_SYNTAX,
				   "invalid JSON document: %s at byte %zu", what, byte);
}

const uint8_t *
ex_text_space(const uint8_t *at, const uint8_t *end)
{
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	return at;
}

static bool
at_digit(const text_checker *checker)
{
	return checker->at < checker->end && *checker->at >= '0' && *checker->at <= '9';
}

static ex_status
check_digits(text_checker *checker)
{
	if (!at_digit(checker))
		return syntax_error(checker, "expected a digit");
	while (at_digit(checker))
		checker->at++;
	return EX_OK;
}

static bool
accept(text_checker *checker, char a, char b)
{
	if (checker->at >= checker->end || (*checker->at != a && *checker->at != b))
		return false;
	checker->at++;
	return true;
}

static bool
accept_word(text_checker *checker, const char *word)
{
	size_t		length = strlen(word);

	if ((size_t) (checker->end - checker->at) < length ||
		memcmp(checker->at, word, length) != 0)
		return false;
	checker->at += length;
	return true;
}

static ex_status
check_number(text_checker *checker)
{
	const uint8_t *start = checker->at;

	if (accept(checker, '-', '-') && accept_word(checker, "Infinity"))
		return EX_OK;
	if (!accept(checker, '0', '0'))
		EX_TRY(check_digits(checker));
	if (accept(checker, '.', '.'))
		EX_TRY(check_digits(checker));
	if (accept(checker, 'e', 'E'))
	{
		accept(checker, '+', '-');
		EX_TRY(check_digits(checker));
	}
	if (checker->at - start > MAX_NUMBER_LENGTH)
		return ex_fail(checker->json->host, EX_LIMIT,
					   "JSON number of %zu characters is too long (limit %d)",
					   (size_t) (checker->at - start), MAX_NUMBER_LENGTH);
	return EX_OK;
}

/* Value of four hexadecimal digits, -1 if they are not. */
static int
hex4(const uint8_t *at, const uint8_t *end)
{
	int			value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		int			c = at[i];
		int			digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20) - 'a' + 10;
		else
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* The part of a unicode escape after \u, with the second half of a surrogate pair. */
static ex_status
check_unicode_escape(text_checker *checker)
{
	int			unit = hex4(checker->at, checker->end);
	int			low;

	if (unit < 0)
		return syntax_error(checker, "expected four hexadecimal digits");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return syntax_error(checker, "unpaired surrogate");
	checker->at += 4;
	if (unit < 0xd800 || unit > 0xdbff)
		return EX_OK;

	low = accept_word(checker, "\\u") ? hex4(checker->at, checker->end) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return syntax_error(checker, "unpaired surrogate");
	checker->at += 4;
	return EX_OK;
}

static ex_status
check_escape(text_checker *checker)
{
	if (checker->at < checker->end && *checker->at != '\0' &&
		strchr("\"\\/bfnrt", *checker->at) != NULL)
	{
		checker->at++;
		return EX_OK;
	}
	if (accept(checker, 'u', 'u'))
		return check_unicode_escape(checker);
	return syntax_error(checker, "unknown escape");
}

static ex_status
check_string(text_checker *checker)
{
	const uint8_t *start;
	uint8_t		seen = 0;

	if (!accept(checker, '"', '"'))
		return syntax_error(checker, "expected a string");
	start = checker->at;
	for (;;)
	{
		uint8_t		c;

		if (checker->at >= checker->end)
			return syntax_error(checker, "");
		c = *checker->at;
		if (c < 0x20)
			return syntax_error(checker, "control character in a string");
		checker->at++;
		seen |= c;
		if (c == '"')
			break;
		if (c == '\\')
			EX_TRY(check_escape(checker));
	}
	if ((seen & 0x80) != 0 &&
		!ex_valid_utf8((const char *) start, (size_t) (checker->at - start)))
		return ex_fail(checker->json->host, EX_ENCODING,
					   "JSON string at byte %zu is not valid UTF-8",
					   (size_t) (start - checker->json->data));
	return EX_OK;
}

static ex_status
check_scalar(text_checker *checker)
{
	if (checker->at >= checker->end)
		return syntax_error(checker, "");
	if (*checker->at == '"')
		return check_string(checker);
	if (*checker->at == '-' || at_digit(checker))
		return check_number(checker);
	if (accept_word(checker, "true") || accept_word(checker, "false") ||
		accept_word(checker, "null") || accept_word(checker, "NaN") ||
		accept_word(checker, "Infinity"))
		return EX_OK;
	return syntax_error(checker, "expected a value");
}

static void
check_space(text_checker *checker)
{
	checker->at = ex_text_space(checker->at, checker->end);
}

/* If the innermost container is an object: the key before the next value. */
static ex_status
check_key(text_checker *checker)
{
	if (checker->depth == 0 || checker->closing[checker->depth - 1] != '}')
		return EX_OK;
	EX_TRY(check_string(checker));
	check_space(checker);
	if (!accept(checker, ':', ':'))
		return syntax_error(checker, "expected a colon");
	check_space(checker);
	return EX_OK;
}

/* Enter containers until there is a scalar or an empty container behind us. */
static ex_status
check_value(text_checker *checker)
{
	while (checker->at < checker->end && (*checker->at == '[' || *checker->at == '{'))
	{
		char		closing = *checker->at == '[' ? ']' : '}';

		if (checker->depth == EX_JSON_MAX_DEPTH)
			return ex_fail(checker->json->host, EX_LIMIT,
						   "JSON document is nested deeper than %d levels", EX_JSON_MAX_DEPTH);
		checker->at++;
		check_space(checker);
		if (accept(checker, closing, closing))
			return EX_OK;
		checker->closing[checker->depth++] = closing;
		EX_TRY(check_key(checker));
	}
	return check_scalar(checker);
}

/* After a value: leave what ends here, up to the next value. */
static ex_status
check_separator(text_checker *checker)
{
	check_space(checker);
	while (checker->depth > 0)
	{
		char		closing = checker->closing[checker->depth - 1];

		if (accept(checker, ',', ','))
		{
			check_space(checker);
			return check_key(checker);
		}
		if (!accept(checker, closing, closing))
			return syntax_error(checker, closing == ']' ? "expected a comma or a closing bracket"
								: "expected a comma or a closing brace");
		checker->depth--;
		check_space(checker);
	}
	if (checker->at < checker->end)
		return syntax_error(checker, "unexpected text after the document");
	return EX_OK;
}

ex_status
ex_text_check(const ex_json *json)
{
	text_checker checker = {.json = json, .at = json->data, .end = json->end};
	long		values = 0;

	check_space(&checker);
	do
	{
		if (++values % POLL_INTERVAL == 0)
			EX_TRY(ex_poll(json->host));
		EX_TRY(check_value(&checker));
		EX_TRY(check_separator(&checker));
	} while (checker.depth > 0);
	return EX_OK;
}

/*
 * Moving in checked text.
 */

/* Behind the closing quote of a string whose opening quote is behind us. */
static const uint8_t *
skip_string(const uint8_t *at)
{
	while (*at != '"')
		at += *at == '\\' ? 2 : 1;
	return at + 1;
}

/* Has one of eight bytes the value c? */
static inline uint64_t
any_byte(uint64_t word, uint8_t c)
{
	uint64_t	ones = UINT64_C(0x0101010101010101);
	uint64_t	difference = word ^ (ones * c);

	return (difference - ones) & ~difference & (ones << 7);
}

/*
 * Next quote, bracket or brace, eight bytes at a time: most of a model file
 * is numbers, and each is passed once for every container around it.
 */
static const uint8_t *
next_structural(const uint8_t *at, const uint8_t *end)
{
	while (end - at >= 8)
	{
		uint64_t	word;

		memcpy(&word, at, 8);
		/* setting bit 5 turns brackets into braces */
		if (any_byte(word, '"') |
			any_byte(word | UINT64_C(0x2020202020202020), '{') |
			any_byte(word | UINT64_C(0x2020202020202020), '}'))
			break;
		at += 8;
	}
	while (*at != '"' && (*at | 0x20) != '{' && (*at | 0x20) != '}')
		at++;
	return at;
}

static const uint8_t *
skip_container(const ex_json *json, const uint8_t *at)
{
	int			depth = 0;

	do
	{
		at = next_structural(at, json->end);
		if (*at == '"')
			at = skip_string(at + 1);
		else
			depth += (*at++ | 0x20) == '{' ? 1 : -1;
	} while (depth > 0);
	return at;
}

const uint8_t *
ex_text_skip(const ex_json *json, const uint8_t *at)
{
	if (*at == '"')
		return skip_string(at + 1);
	if (*at == '[' || *at == '{')
		return skip_container(json, at);
	while (at < json->end && *at > ' ' && *at != ',' && *at != ']' && *at != '}')
		at++;
	return at;
}

static int
encode_utf8(uint32_t code, char utf8[4])
{
	if (code < 0x80)
	{
		utf8[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		utf8[0] = (char) (0xc0 | (code >> 6));
		utf8[1] = (char) (0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000)
	{
		utf8[0] = (char) (0xe0 | (code >> 12));
		utf8[1] = (char) (0x80 | ((code >> 6) & 0x3f));
		utf8[2] = (char) (0x80 | (code & 0x3f));
		return 3;
	}
	utf8[0] = (char) (0xf0 | (code >> 18));
	utf8[1] = (char) (0x80 | ((code >> 12) & 0x3f));
	utf8[2] = (char) (0x80 | ((code >> 6) & 0x3f));
	utf8[3] = (char) (0x80 | (code & 0x3f));
	return 4;
}

/* The code point after \u; *at moves behind it (and behind its second half). */
static uint32_t
unicode_escape(const uint8_t **at)
{
	uint32_t	code = (uint32_t) hex4(*at, *at + 4);

	*at += 4;
	if (code >= 0xd800 && code <= 0xdbff)
	{
		uint32_t	low = (uint32_t) hex4(*at + 2, *at + 6);

		*at += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	return code;
}

int
ex_text_character(const uint8_t **at, char utf8[4])
{
	static const char escaped[] = "bfnrt";
	static const char meaning[] = "\b\f\n\r\t";
	uint8_t		c = *(*at)++;
	const char *found;

	if (c == '"')
		return 0;
	if (c == '\\')
	{
		c = *(*at)++;
		if (c == 'u')
			return encode_utf8(unicode_escape(at), utf8);
		found = strchr(escaped, c);
		if (found != NULL)
			c = (uint8_t) meaning[found - escaped];
	}
	utf8[0] = (char) c;
	return 1;
}

/*
 * Numbers.
 *
 * A decimal with few digits and a small exponent is digits * 10^e or digits /
 * 10^-e with both operands exact in double, so that one operation rounds
 * correctly (Clinger 1990).  Everything else goes to strtod or strtof.
 */

typedef struct decimal
{
	uint64_t	digits;
	int			exponent;
	bool		negative;
	bool		exact;			/* digits * 10^exponent is all of it */
	const uint8_t *after;
} decimal;

/* Digits into the number; returns how many there were. */
static inline int
scan_digits(const uint8_t **at, const uint8_t *end, decimal *number)
{
	const uint8_t *start = *at;

	for (; *at < end && (uint8_t) (**at - '0') <= 9; (*at)++)
	{
		if (number->digits < UINT64_C(1000000000000000000))
			number->digits = number->digits * 10 + (uint64_t) (**at - '0');
		else
			number->exact = false;
	}
	return (int) (*at - start);
}

static inline const uint8_t *
scan_exponent(const uint8_t *at, const uint8_t *end, int *exponent)
{
	bool		negative = false;
	int			value = 0;
	const uint8_t *start;

	if (at < end && (*at == '-' || *at == '+'))
		negative = *at++ == '-';
	for (start = at; at < end && (uint8_t) (*at - '0') <= 9; at++)
		if (value < 100000)
			value = value * 10 + (*at - '0');
	if (at == start)
		return NULL;
	*exponent += negative ? -value : value;
	return at;
}

static inline bool
scan_decimal(const uint8_t *at, const uint8_t *end, decimal *number)
{
	int			n_digits;

	*number = (decimal) {.exact = true};
	if (at < end && (*at == '-' || *at == '+'))
		number->negative = *at++ == '-';
	n_digits = scan_digits(&at, end, number);
	if (at < end && *at == '.')
	{
		int			n_fraction;

		at++;
		n_fraction = scan_digits(&at, end, number);
		number->exponent = -n_fraction;
		n_digits += n_fraction;
	}
	if (n_digits == 0)
		return false;
	if (at < end && (*at | 0x20) == 'e')
	{
		const uint8_t *after = scan_exponent(at + 1, end, &number->exponent);

		if (after != NULL)
			at = after;
	}
	number->after = at;
	return true;
}

/* The correctly rounded double by one operation, if that is possible. */
static inline bool
convert_exactly(const decimal *number, double *value)
{
	static const double power[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	double		x = (double) number->digits;

	/* x87 arithmetic would round twice */
	if (FLT_EVAL_METHOD != 0 || !number->exact || number->digits > (UINT64_C(1) << 53) ||
		number->exponent < -22 || number->exponent > 22)
		return false;
	x = number->exponent < 0 ? x / power[-number->exponent] : x * power[number->exponent];
	*value = number->negative ? -x : x;
	return true;
}

/* A terminated copy for strtod; false if the number is longer than any we accept. */
static bool
copy_number(const uint8_t *at, const uint8_t *after, char copy[MAX_NUMBER_LENGTH + 1])
{
	size_t		length = (size_t) (after - at);

	if (length > MAX_NUMBER_LENGTH)
		return false;
	memcpy(copy, at, length);
	copy[length] = '\0';
	return true;
}

const uint8_t *
ex_text_double(const uint8_t *at, const uint8_t *end, double *value)
{
	char		copy[MAX_NUMBER_LENGTH + 1];
	decimal		number;

	if (!scan_decimal(at, end, &number))
		return NULL;
	if (!convert_exactly(&number, value))
	{
		if (!copy_number(at, number.after, copy))
			return NULL;
		*value = strtod(copy, NULL);
	}
	return number.after;
}

/*
 * Rounding the correctly rounded double once more gives the correctly rounded
 * float unless the double is half-way between two floats: a decimal a little
 * beside that point may have been moved onto it.
 */
static inline bool
rounds_to_float(double x)
{
	uint64_t	bits;

	memcpy(&bits, &x, sizeof(bits));
	return x == 0 ||
		((bits & 0x1fffffff) != 0x10000000 &&
		 fabs(x) >= 2 * (double) FLT_MIN && fabs(x) <= (double) FLT_MAX / 2);
}

const uint8_t *
ex_text_float(const uint8_t *at, const uint8_t *end, float *value)
{
	char		copy[MAX_NUMBER_LENGTH + 1];
	decimal		number;
	double		x;

	if (!scan_decimal(at, end, &number))
		return NULL;
	if (convert_exactly(&number, &x) && rounds_to_float(x))
		*value = (float) x;
	else
	{
		if (!copy_number(at, number.after, copy))
			return NULL;
		*value = strtof(copy, NULL);
	}
	return number.after;
}
