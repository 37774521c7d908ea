/*
 * host.c
 *		What every kernel needs around its mathematics: errors, checked
 *		allocation, growable buffers, and portable stand-ins for the services
 *		that a host may offer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "sha256.h"

ex_status
ex_fail(ex_host *host, ex_status status, const char *message,...)
{
	va_list		args;

	va_start(args, message);
	vsnprintf(host->error.message, sizeof(host->error.message), message, args);
	va_end(args);
	host->error.detail[0] = '\0';
	host->error.hint[0] = '\0';
	return status;
}

void
ex_detail(ex_host *host, const char *detail,...)
{
	va_list		args;

	va_start(args, detail);
	vsnprintf(host->error.detail, sizeof(host->error.detail), detail, args);
	va_end(args);
}

void
ex_hint(ex_host *host, const char *hint,...)
{
	va_list		args;

	va_start(args, hint);
	vsnprintf(host->error.hint, sizeof(host->error.hint), hint, args);
	va_end(args);
}

static ex_status
out_of_memory(ex_host *host, size_t size)
{
	ex_fail(host, EX_MEMORY, "out of memory");
	ex_detail(host, "Failed on request of size %zu.", size);
	return EX_MEMORY;
}

static ex_status
too_large(ex_host *host, size_t size)
{
	ex_fail(host, EX_LIMIT, "model or intermediate result is too large");
	ex_detail(host, "It needs more than %zu bytes in one piece; the limit is %zu.",
			  size, EX_MAX_ALLOC);
	return EX_LIMIT;
}

ex_status
ex_alloc(ex_host *host, size_t count, size_t size, void **out)
{
	size_t		bytes;

	if (size != 0 && count > EX_MAX_ALLOC / size)
		return too_large(host, EX_MAX_ALLOC);
	bytes = count * size;
	if (bytes == 0)
		bytes = 1;
	*out = host->alloc(host, bytes);
	if (*out == NULL)
		return out_of_memory(host, bytes);
	memset(*out, 0, bytes);
	return EX_OK;
}

ex_status
ex_reserve(ex_host *host, ex_buffer *buffer, size_t more)
{
	size_t		capacity = buffer->capacity;
	char	   *grown;

	/* even nothing gets a pointer, so that readers may do arithmetic on it */
	if (buffer->data != NULL && more <= capacity - buffer->size)
		return EX_OK;
	if (more > EX_MAX_ALLOC - buffer->size)
		return too_large(host, EX_MAX_ALLOC);

	/* doubling keeps the cost of n appends linear */
	if (capacity < 64)
		capacity = 64;
	while (capacity < buffer->size + more)
		capacity = capacity > EX_MAX_ALLOC / 2 ? EX_MAX_ALLOC : capacity * 2;

	if (buffer->data == NULL)
		grown = host->alloc(host, capacity);
	else
		grown = host->resize(host, buffer->data, buffer->capacity, capacity);
	if (grown == NULL)
		return out_of_memory(host, capacity);
	buffer->data = grown;
	buffer->capacity = capacity;
	return EX_OK;
}

ex_status
ex_append(ex_host *host, ex_buffer *buffer, const void *data, size_t size)
{
	EX_TRY(ex_reserve(host, buffer, size));
	if (size > 0)
		memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
	return EX_OK;
}

ex_status
ex_append_text(ex_host *host, ex_buffer *buffer, const char *text)
{
	return ex_append(host, buffer, text, strlen(text));
}

ex_status
ex_appendf(ex_host *host, ex_buffer *buffer, const char *format,...)
{
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	EX_TRY(ex_reserve(host, buffer, (size_t) length + 1));
	va_start(args, format);
	vsnprintf(buffer->data + buffer->size, (size_t) length + 1, format, args);
	va_end(args);
	buffer->size += (size_t) length;
	return EX_OK;
}

ex_status
ex_poll(ex_host *host)
{
	if (host->poll != NULL && host->poll(host))
		return ex_fail(host, EX_CANCELLED, "canceling statement due to user request");
	return EX_OK;
}

void
ex_sha256(ex_host *host, const ex_span *spans, int n_spans, uint8_t digest[32])
{
	if (host->sha256 != NULL)
		host->sha256(host, spans, n_spans, digest);
	else
		ex_sha256_portable(spans, n_spans, digest);
}

/* Length of the UTF-8 sequence at text, or 0 if it is not valid. */
static size_t
utf8_sequence(const unsigned char *text, size_t left)
{
	unsigned	lead = text[0];
	size_t		length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	unsigned	second;

	if (lead == 0 || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || length > left)
		return 0;
	if (length == 1)
		return 1;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;

	/* overlong forms, surrogates, beyond U+10FFFF */
	second = text[1];
	if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
		(lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
		return 0;
	return length;
}

bool
ex_valid_utf8(const char *text, size_t length)
{
	size_t		i = 0;

	while (i < length)
	{
		size_t		step = utf8_sequence((const unsigned char *) text + i, length - i);

		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

int
ex_print_double(ex_host *host, double value, char buf[32])
{
	int			length = 0;

	if (host->print_double != NULL)
		return host->print_double(value, buf);
	for (int precision = 15; precision <= 17; precision++)
	{
		length = snprintf(buf, 32, "%.*g", precision, value);
		if (strtod(buf, NULL) == value)
			break;
	}
	return length;
}
