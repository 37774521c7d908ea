/*
 * protobuf.c
 *		The wire format of Protocol Buffers, as a reader of untrusted bytes.
 */
#include <string.h>

#include "protobuf.h"

void
ex_pb_open(ex_pb_message *message, ex_host *host, const void *file, size_t size)
{
	*message = (ex_pb_message) {host, file, file, (const uint8_t *) file + size};
}

ex_status
ex_pb_damaged(const ex_pb_message *message, const uint8_t *at, const char *what)
{
	(void) ex_fail(message->host, EX_BINARY, "model file is damaged or cut off");
	ex_detail(message->host, "%s at byte %zu.", what, (size_t) (at - message->file) + 1);
	return EX_BINARY;
}

uint32_t
ex_pb_load32(const void *at)
{
	const uint8_t *byte = at;

	return (uint32_t) byte[0] | (uint32_t) byte[1] << 8 | (uint32_t) byte[2] << 16 | (uint32_t) byte[3] << 24;
}

uint64_t
ex_pb_load64(const void *at)
{
	return (uint64_t) ex_pb_load32(at) | (uint64_t) ex_pb_load32((const uint8_t *) at + 4) << 32;
}

/* Seven bits per byte, low ones first; at most ten bytes. */
static ex_status
read_varint(ex_pb_message *message, uint64_t *value)
{
	const uint8_t *start = message->at;

	*value = 0;
	for (int shift = 0; shift < 70; shift += 7)
	{
		uint8_t		byte;

		if (message->at == message->end)
			return ex_pb_damaged(message, start, "A number is cut off");
		byte = *message->at++;
		if (shift == 63 && byte > 1)
			break;
		*value |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
			return EX_OK;
	}
	return ex_pb_damaged(message, start, "A number is too long");
}

static ex_status
read_fixed(ex_pb_message *message, size_t width, uint64_t *value)
{
	if ((size_t) (message->end - message->at) < width)
		return ex_pb_damaged(message, message->at, "A number is cut off");
	*value = width == 4 ? ex_pb_load32(message->at) : ex_pb_load64(message->at);
	message->at += width;
	return EX_OK;
}

static ex_status
read_bytes(ex_pb_message *message, ex_span *bytes)
{
	const uint8_t *start = message->at;
	uint64_t	size;

	EX_TRY(read_varint(message, &size));
	if (size > (uint64_t) (message->end - message->at))
		return ex_pb_damaged(message, start, "A length reaches beyond the end");
	*bytes = (ex_span) {message->at, (size_t) size};
	message->at += size;
	return EX_OK;
}

ex_status
ex_pb_next(ex_pb_message *message, ex_pb_field *field, bool *more)
{
	uint64_t	key;

	*more = message->at < message->end;
	if (!*more)
		return EX_OK;
	memset(field, 0, sizeof(*field));
	field->at = message->at;
	EX_TRY(read_varint(message, &key));
	if (key >> 3 == 0 || key >> 3 > 0x1fffffff)
		return ex_pb_damaged(message, field->at, "A field number is out of range");
	field->number = (uint32_t) (key >> 3);
	field->wire = (ex_pb_wire) (key & 7);
	switch (field->wire)
	{
		case EX_PB_VARINT:
			return read_varint(message, &field->value);
		case EX_PB_FIXED64:
			return read_fixed(message, 8, &field->value);
		case EX_PB_FIXED32:
			return read_fixed(message, 4, &field->value);
		case EX_PB_BYTES:
			return read_bytes(message, &field->bytes);
	}
	return ex_pb_damaged(message, field->at, "A field has an unknown wire type");
}

static ex_status
expect(const ex_pb_message *message, const ex_pb_field *field, ex_pb_wire wire)
{
	if (field->wire == wire)
		return EX_OK;
	return ex_pb_damaged(message, field->at, "A field has the wrong type");
}

ex_status
ex_pb_int64(const ex_pb_message *message, const ex_pb_field *field, int64_t *value)
{
	EX_TRY(expect(message, field, EX_PB_VARINT));
	*value = (int64_t) field->value;
	return EX_OK;
}

static float
as_float(uint32_t bits)
{
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static double
as_double(uint64_t bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

ex_status
ex_pb_float(const ex_pb_message *message, const ex_pb_field *field, float *value)
{
	EX_TRY(expect(message, field, EX_PB_FIXED32));
	*value = as_float((uint32_t) field->value);
	return EX_OK;
}

ex_status
ex_pb_bytes(const ex_pb_message *message, const ex_pb_field *field, ex_span *value)
{
	EX_TRY(expect(message, field, EX_PB_BYTES));
	*value = field->bytes;
	return EX_OK;
}

ex_status
ex_pb_text(const ex_pb_message *message, const ex_pb_field *field, ex_span *value)
{
	EX_TRY(ex_pb_bytes(message, field, value));
	if (ex_valid_utf8(value->data, value->size))
		return EX_OK;
	(void) ex_fail(message->host, EX_ENCODING, "model file has a string that is not valid UTF-8");
	ex_detail(message->host, "It is at byte %zu.", (size_t) (field->at - message->file) + 1);
	return EX_ENCODING;
}

ex_status
ex_pb_submessage(const ex_pb_message *message, const ex_pb_field *field, ex_pb_message *value)
{
	ex_span		bytes;

	EX_TRY(ex_pb_bytes(message, field, &bytes));
	*value = (ex_pb_message) {message->host, message->file, bytes.data, (const uint8_t *) bytes.data + bytes.size};
	return EX_OK;
}

ex_status
ex_pb_append_int64s(const ex_pb_message *message, const ex_pb_field *field, ex_buffer *out)
{
	ex_pb_message packed;

	if (field->wire == EX_PB_VARINT)
		return ex_append(message->host, out, &field->value, sizeof(uint64_t));
	EX_TRY(ex_pb_submessage(message, field, &packed));
	while (packed.at < packed.end)
	{
		uint64_t	value;

		EX_TRY(read_varint(&packed, &value));
		EX_TRY(ex_append(message->host, out, &value, sizeof(value)));
	}
	return EX_OK;
}

/* The numbers of a field as one run of bytes, which holds whole ones only. */
static ex_status
open_fixed(const ex_pb_message *message, const ex_pb_field *field, size_t width, ex_span *bytes)
{
	EX_TRY(ex_pb_bytes(message, field, bytes));
	if (bytes->size % width != 0)
		return ex_pb_damaged(message, field->at, "A list of numbers is cut off");
	return EX_OK;
}

ex_status
ex_pb_append_floats(const ex_pb_message *message, const ex_pb_field *field, ex_buffer *out)
{
	ex_span		bytes;
	float	   *value;

	if (field->wire == EX_PB_FIXED32)
	{
		float		single = as_float((uint32_t) field->value);

		return ex_append(message->host, out, &single, sizeof(single));
	}
	EX_TRY(open_fixed(message, field, sizeof(float), &bytes));
	EX_TRY(ex_reserve(message->host, out, bytes.size));
	value = (float *) (out->data + out->size);
	for (size_t i = 0; i < bytes.size / sizeof(float); i++)
		value[i] = as_float(ex_pb_load32((const uint8_t *) bytes.data + i * sizeof(float)));
	out->size += bytes.size;
	return EX_OK;
}

ex_status
ex_pb_append_doubles(const ex_pb_message *message, const ex_pb_field *field, ex_buffer *out)
{
	ex_span		bytes;
	double	   *value;

	if (field->wire == EX_PB_FIXED64)
	{
		double		single = as_double(field->value);

		return ex_append(message->host, out, &single, sizeof(single));
	}
	EX_TRY(open_fixed(message, field, sizeof(double), &bytes));
	EX_TRY(ex_reserve(message->host, out, bytes.size));
	value = (double *) (out->data + out->size);
	for (size_t i = 0; i < bytes.size / sizeof(double); i++)
		value[i] = as_double(ex_pb_load64((const uint8_t *) bytes.data + i * sizeof(double)));
	out->size += bytes.size;
	return EX_OK;
}
