/*
 * codec.c
 *		The text and wire forms of aggregate states, from one description.
 */
#include "codec.h"

#include <stdlib.h>

void
ex_codec_write(ex_codec *codec, ex_host *host, const char *type, bool text)
{
	memset(codec, 0, sizeof(*codec));
	codec->host = host;
	codec->type = type;
	codec->text = text;
}

void
ex_codec_read(ex_codec *codec, ex_host *host, const char *type, bool text,
			  const void *data, size_t size)
{
	ex_codec_write(codec, host, type, text);
	codec->reading = true;
	codec->at = data;
	codec->end = codec->at + size;
}

ex_status
ex_code_fail(ex_codec *codec, const char *what)
{
	ex_status	status = codec->text ? EX_SYNTAX : EX_BINARY;

	(void) ex_fail(codec->host, status,
				   codec->text ? "invalid input syntax for type %s" : "invalid binary form of type %s",
				   codec->type);
	ex_detail(codec->host, "The %s is missing or not allowed.", what);
	return status;
}

/* ---- wire ---- */

static ex_status
put_bytes(ex_codec *codec, uint64_t value, int size)
{
	uint8_t		bytes[8];
	int			i;

	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t) (value >> (8 * i));
	return ex_append(codec->host, &codec->out, bytes, (size_t) size);
}

static bool
get_bytes(ex_codec *codec, uint64_t *value, int size)
{
	int			i;

	if (codec->end - codec->at < size)
		return false;
	*value = 0;
	for (i = 0; i < size; i++)
		*value |= (uint64_t) codec->at[i] << (8 * i);
	codec->at += size;
	return true;
}

/* ---- text ---- */

static ex_status
put_space(ex_codec *codec)
{
	return codec->out.size > 0 ? ex_append(codec->host, &codec->out, " ", 1) : EX_OK;
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
skip_space(ex_codec *codec)
{
	while (codec->at < codec->end && is_space(*codec->at))
		codec->at++;
}

/* The next token in buf, terminated; false where there is none or it does not fit. */
static bool
get_token(ex_codec *codec, char *buf, size_t size)
{
	size_t		length = 0;

	skip_space(codec);
	while (codec->at < codec->end && !is_space(*codec->at) && length < size - 1)
		buf[length++] = (char) *codec->at++;
	buf[length] = '\0';
	return length > 0 && (codec->at == codec->end || is_space(*codec->at));
}

/* An integer at *at, which moves behind it. */
static bool
parse_integer(const char **at, bool *negative, uint64_t *magnitude)
{
	const char *first;

	*negative = **at == '-';
	first = *at += *negative;
	*magnitude = 0;
	for (; **at >= '0' && **at <= '9'; (*at)++)
	{
		uint64_t	digit = (uint64_t) (**at - '0');

		if (*magnitude > (UINT64_MAX - digit) / 10)
			return false;
		*magnitude = *magnitude * 10 + digit;
	}
	return *at > first;
}

static bool
parse_i64(const char **at, int64_t *value)
{
	bool		negative;
	uint64_t	magnitude;

	if (!parse_integer(at, &negative, &magnitude) || magnitude > (uint64_t) INT64_MAX + negative)
		return false;
	*value = (int64_t) (negative ? 0 - magnitude : magnitude);
	return true;
}

static bool
get_i64_token(ex_codec *codec, int64_t *value)
{
	char		token[32];
	const char *at = token;

	return get_token(codec, token, sizeof(token)) && parse_i64(&at, value) && *at == '\0';
}

static bool
get_u64_token(ex_codec *codec, uint64_t *value)
{
	char		token[32];
	const char *at = token;
	bool		negative;

	return get_token(codec, token, sizeof(token)) && parse_integer(&at, &negative, value) &&
		!negative && *at == '\0';
}

static bool
parse_f64(const char *token, double *value)
{
	char	   *end;

	if (strcmp(token, "NaN") == 0)
		*value = NAN;
	else if (strcmp(token, "Infinity") == 0)
		*value = HUGE_VAL;
	else if (strcmp(token, "-Infinity") == 0)
		*value = -HUGE_VAL;
	else
	{
		/*
		 * strtod alone would take hexadecimal, and other spellings of the
		 * words above
		 */
		if (token[strspn(token, "0123456789+-.eE")] != '\0')
			return false;
		*value = strtod(token, &end);
		return *end == '\0' && isfinite(*value);
	}
	return true;
}

static int
print_f64(ex_codec *codec, double value, char buf[32])
{
	if (isfinite(value))
		return ex_print_double(codec->host, value, buf);
	strcpy(buf, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
	return (int) strlen(buf);
}

/* ---- fields ---- */

/* FNV-1a of the name: eight letters' worth of mistaken bytes are not a state */
static uint32_t
magic_of(const char *name)
{
	uint32_t	magic = 2166136261u;

	for (; *name != '\0'; name++)
		magic = (magic ^ (uint8_t) *name) * 16777619u;
	return magic;
}

static ex_status
code_name(ex_codec *codec, const char *name)
{
	char		token[64];
	uint64_t	magic;

	if (!codec->reading)
		return codec->text ? ex_append_text(codec->host, &codec->out, name) :
			put_bytes(codec, magic_of(name), 4);
	if (codec->text)
		return get_token(codec, token, sizeof(token)) && strcmp(token, name) == 0 ? EX_OK :
			ex_code_fail(codec, "leading name");
	return get_bytes(codec, &magic, 4) && magic == magic_of(name) ? EX_OK :
		ex_code_fail(codec, "leading magic number");
}

ex_status
ex_code_version(ex_codec *codec, const char *name, uint32_t newest, uint32_t *version)
{
	EX_TRY(code_name(codec, name));
	EX_TRY(ex_code_u32(codec, "version", version, UINT32_MAX));
	if (*version > newest)
	{
		(void) ex_fail(codec->host, EX_UNSUPPORTED, "version %u of type %s is not supported",
					   *version, codec->type);
		ex_hint(codec->host, "Upgrade the extension, or check that the value is complete.");
		return EX_UNSUPPORTED;
	}
	return *version == 0 ? ex_code_fail(codec, "version") : EX_OK;
}

ex_status
ex_code_header(ex_codec *codec, const char *name, uint32_t version)
{
	return ex_code_version(codec, name, version, &version);
}

ex_status
ex_code_end(ex_codec *codec)
{
	if (!codec->reading)
		return EX_OK;
	if (codec->text)
		skip_space(codec);
	return codec->at == codec->end ? EX_OK : ex_code_fail(codec, "end of the value");
}

ex_status
ex_code_u64(ex_codec *codec, const char *what, uint64_t *value, uint64_t max)
{
	if (codec->reading)
	{
		bool		found = codec->text ? get_u64_token(codec, value) : get_bytes(codec, value, 8);

		return found && *value <= max ? EX_OK : ex_code_fail(codec, what);
	}
	if (!codec->text)
		return put_bytes(codec, *value, 8);
	EX_TRY(put_space(codec));
	return ex_appendf(codec->host, &codec->out, "%llu", (unsigned long long) *value);
}

ex_status
ex_code_i64(ex_codec *codec, const char *what, int64_t *value, int64_t min, int64_t max)
{
	if (codec->reading)
	{
		bool		found = codec->text ? get_i64_token(codec, value) :
		get_bytes(codec, (uint64_t *) value, 8);

		return found && *value >= min && *value <= max ? EX_OK : ex_code_fail(codec, what);
	}
	if (!codec->text)
		return put_bytes(codec, (uint64_t) *value, 8);
	EX_TRY(put_space(codec));
	return ex_appendf(codec->host, &codec->out, "%lld", (long long) *value);
}

ex_status
ex_code_u32(ex_codec *codec, const char *what, uint32_t *value, uint32_t max)
{
	uint64_t	wide = *value;

	if (codec->text)
		EX_TRY(ex_code_u64(codec, what, &wide, max));
	else if (!codec->reading)
		EX_TRY(put_bytes(codec, wide, 4));
	else if (!get_bytes(codec, &wide, 4) || wide > max)
		return ex_code_fail(codec, what);
	*value = (uint32_t) wide;
	return EX_OK;
}

ex_status
ex_code_f64(ex_codec *codec, const char *what, double *value)
{
	char		buf[64];
	uint64_t	bits;

	if (codec->text && codec->reading)
		return get_token(codec, buf, sizeof(buf)) && parse_f64(buf, value) ? EX_OK :
			ex_code_fail(codec, what);
	if (codec->text)
	{
		int			length = print_f64(codec, *value, buf);

		EX_TRY(put_space(codec));
		return ex_append(codec->host, &codec->out, buf, (size_t) length);
	}
	if (!codec->reading)
	{
		double		canonical = isnan(*value) ? NAN : *value;

		memcpy(&bits, &canonical, sizeof(bits));
		return put_bytes(codec, bits, 8);
	}
	if (!get_bytes(codec, &bits, 8))
		return ex_code_fail(codec, what);
	memcpy(value, &bits, sizeof(bits));
	if (isnan(*value))
		*value = NAN;
	return EX_OK;
}

/* ---- sums ---- */

/* Limbs that are not trailing zeros, at least one unless the sum is empty. */
static uint32_t
used_limbs(const ex_exact_sum *sum)
{
	uint32_t	n = EX_EXACT_LIMBS;

	if (sum->top == EX_EXACT_EMPTY)
		return 0;
	while (n > 1 && sum->limb[n - 1] == 0)
		n--;
	return n;
}

static ex_status
write_sum_text(ex_codec *codec, const ex_exact_sum *sum)
{
	uint32_t	n = used_limbs(sum);
	uint32_t	i;

	EX_TRY(put_space(codec));
	if (n == 0)
		return ex_append_text(codec->host, &codec->out, "-");
	EX_TRY(ex_appendf(codec->host, &codec->out, "%d", (int) sum->top));
	for (i = 0; i < n; i++)
		EX_TRY(ex_appendf(codec->host, &codec->out, "%c%lld", i == 0 ? ':' : ',',
						  (long long) sum->limb[i]));
	return EX_OK;
}

static bool
read_sum_text(ex_codec *codec, ex_exact_sum *sum)
{
	char		token[32 + EX_EXACT_LIMBS * 24];
	const char *at = token;
	int64_t		top;
	int			n = 0;

	if (!get_token(codec, token, sizeof(token)))
		return false;
	if (strcmp(token, "-") == 0)
		return true;
	if (!parse_i64(&at, &top) || top > EX_EXACT_MAX_TOP || top < -EX_EXACT_MAX_TOP)
		return false;
	sum->top = (int32_t) top;
	while (*at == (n == 0 ? ':' : ',') && n < EX_EXACT_LIMBS)
	{
		at++;
		if (!parse_i64(&at, &sum->limb[n++]))
			return false;
	}
	return n > 0 && *at == '\0';
}

static ex_status
write_sum_wire(ex_codec *codec, const ex_exact_sum *sum)
{
	uint32_t	n = used_limbs(sum);
	uint32_t	i;

	EX_TRY(put_bytes(codec, n, 1));
	if (n > 0)
		EX_TRY(put_bytes(codec, (uint64_t) (int64_t) sum->top, 2));
	for (i = 0; i < n; i++)
		EX_TRY(put_bytes(codec, (uint64_t) sum->limb[i], 8));
	return EX_OK;
}

static bool
read_sum_wire(ex_codec *codec, ex_exact_sum *sum)
{
	uint64_t	n;
	uint64_t	top;
	uint64_t	i;

	if (!get_bytes(codec, &n, 1) || n > EX_EXACT_LIMBS)
		return false;
	if (n == 0)
		return true;
	if (!get_bytes(codec, &top, 2))
		return false;
	sum->top = (int16_t) top;
	for (i = 0; i < n; i++)
	{
		if (!get_bytes(codec, (uint64_t *) &sum->limb[i], 8))
			return false;
	}
	return true;
}

ex_status
ex_code_sum(ex_codec *codec, const char *what, ex_exact_sum *sum, uint64_t n)
{
	bool		found;

	if (!codec->reading)
		return codec->text ? write_sum_text(codec, sum) : write_sum_wire(codec, sum);
	ex_exact_init(sum);
	found = codec->text ? read_sum_text(codec, sum) : read_sum_wire(codec, sum);
	return found && ex_exact_valid(sum, n) ? EX_OK : ex_code_fail(codec, what);
}

ex_status
ex_code_moments(ex_codec *codec, const char *what, ex_moments *moments)
{
	EX_TRY(ex_code_u64(codec, what, &moments->n, EX_EXACT_MAX_TERMS));
	EX_TRY(ex_code_sum(codec, what, &moments->sum, moments->n));
	EX_TRY(ex_code_sum(codec, what, &moments->square, moments->n));
	EX_TRY(ex_code_f64(codec, what, &moments->min));
	EX_TRY(ex_code_f64(codec, what, &moments->max));
	return ex_moments_valid(moments) ? EX_OK : ex_code_fail(codec, what);
}

/* ---- text ---- */

static ex_status
write_quoted(ex_codec *codec, const char *value, uint32_t length)
{
	uint32_t	from = 0;
	uint32_t	i;

	EX_TRY(put_space(codec));
	EX_TRY(ex_append(codec->host, &codec->out, "\"", 1));
	for (i = 0; i < length; i++)
	{
		if (value[i] != '"' && value[i] != '\\')
			continue;
		EX_TRY(ex_append(codec->host, &codec->out, value + from, i - from));
		EX_TRY(ex_append(codec->host, &codec->out, "\\", 1));
		from = i;
	}
	EX_TRY(ex_append(codec->host, &codec->out, value + from, length - from));
	return ex_append(codec->host, &codec->out, "\"", 1);
}

/* Length of the quoted text at codec->at without its backslashes; -1: it does not end. */
static int64_t
quoted_length(const ex_codec *codec)
{
	const uint8_t *at;
	int64_t		length = 0;

	if (codec->at == codec->end || *codec->at != '"')
		return -1;
	for (at = codec->at + 1; at < codec->end && *at != '"'; at++)
	{
		if (*at == '\\' && ++at == codec->end)
			return -1;
		length++;
	}
	return at < codec->end ? length : -1;
}

static ex_status
read_quoted(ex_codec *codec, const char *what, char **value, uint32_t *length, uint32_t max)
{
	int64_t		found;
	uint32_t	i;

	skip_space(codec);
	found = quoted_length(codec);
	if (found < 0 || found > (int64_t) max)
		return ex_code_fail(codec, what);
	*length = (uint32_t) found;
	EX_TRY(EX_ALLOC(codec->host, *length + 1, value));
	codec->at++;
	for (i = 0; i < *length; i++)
	{
		codec->at += *codec->at == '\\';
		(*value)[i] = (char) *codec->at++;
	}
	codec->at++;
	return EX_OK;
}

static ex_status
read_counted(ex_codec *codec, const char *what, char **value, uint32_t *length, uint32_t max)
{
	EX_TRY(ex_code_u32(codec, what, length, max));
	if ((size_t) (codec->end - codec->at) < *length)
		return ex_code_fail(codec, what);
	EX_TRY(EX_ALLOC(codec->host, (size_t) *length + 1, value));
	memcpy(*value, codec->at, *length);
	codec->at += *length;
	return EX_OK;
}

ex_status
ex_code_text(ex_codec *codec, const char *what, const char **value, uint32_t *length, uint32_t max)
{
	char	   *text;

	if (!codec->reading && codec->text)
		return write_quoted(codec, *value, *length);
	if (!codec->reading)
	{
		EX_TRY(put_bytes(codec, *length, 4));
		return ex_append(codec->host, &codec->out, *value, *length);
	}
	if (codec->text)
		EX_TRY(read_quoted(codec, what, &text, length, max));
	else
		EX_TRY(read_counted(codec, what, &text, length, max));
	if (!ex_valid_utf8(text, *length))
		return ex_code_fail(codec, what);
	*value = text;
	return EX_OK;
}

ex_status
ex_code_count(ex_codec *codec, const char *what, uint32_t *count, uint32_t max, size_t least)
{
	EX_TRY(ex_code_u32(codec, what, count, max));
	if (codec->reading && *count > (size_t) (codec->end - codec->at) / least)
		return ex_code_fail(codec, what);
	return EX_OK;
}
