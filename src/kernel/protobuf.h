/*
 * protobuf.h
 *		The wire format of Protocol Buffers, as a reader of untrusted bytes.
 *
 * A message is a run of fields; a field has a number, a wire type and a
 * value.  What a field means is up to the caller, who asks for the type that
 * the schema gives it; another type on the wire is an error, a field that
 * nobody asks for is skipped.  Nothing is copied, nothing recurses: a message
 * inside a message is a span of bytes until somebody opens it.
 *
 * Source of the format: https://protobuf.dev/programming-guides/encoding/
 * Groups (wire types 3 and 4) are not read; ONNX has none.
 *
 * Errors: EX_BINARY for bytes that break the format, with the position in the
 * file; EX_ENCODING for strings that are not UTF-8.
 */
#ifndef EX_PROTOBUF_H
#define EX_PROTOBUF_H

#include "host.h"

typedef enum ex_pb_wire
{
	EX_PB_VARINT = 0,
	EX_PB_FIXED64 = 1,
	EX_PB_BYTES = 2,
	EX_PB_FIXED32 = 5
} ex_pb_wire;

typedef struct ex_pb_message
{
	ex_host    *host;
	const uint8_t *file;		/* where the whole file begins, for messages */
	const uint8_t *at;			/* next field */
	const uint8_t *end;
} ex_pb_message;

typedef struct ex_pb_field
{
	uint32_t	number;
	ex_pb_wire	wire;
	uint64_t	value;			/* varint and fixed */
	ex_span		bytes;
	const uint8_t *at;			/* where the field begins */
} ex_pb_field;

extern void ex_pb_open(ex_pb_message *message, ex_host *host, const void *file, size_t size);

/* The next field; *more is false, and *field as it was, after the last. */
extern ex_status ex_pb_next(ex_pb_message *message, ex_pb_field *field, bool *more);

/* The value of a field just read, by the type that it must have. */
extern ex_status ex_pb_int64(const ex_pb_message *message, const ex_pb_field *field, int64_t *value);
extern ex_status ex_pb_float(const ex_pb_message *message, const ex_pb_field *field, float *value);
extern ex_status ex_pb_bytes(const ex_pb_message *message, const ex_pb_field *field, ex_span *value);
extern ex_status ex_pb_text(const ex_pb_message *message, const ex_pb_field *field, ex_span *value);
extern ex_status ex_pb_submessage(const ex_pb_message *message, const ex_pb_field *field,
								  ex_pb_message *value);

/*
 * Repeated numbers, each in a field of its own or many packed into one: what
 * this field has is appended as int64, float or double.
 */
extern ex_status ex_pb_append_int64s(const ex_pb_message *message, const ex_pb_field *field, ex_buffer *out);
extern ex_status ex_pb_append_floats(const ex_pb_message *message, const ex_pb_field *field, ex_buffer *out);
extern ex_status ex_pb_append_doubles(const ex_pb_message *message, const ex_pb_field *field, ex_buffer *out);

/* The field cannot be right. */
extern ex_status ex_pb_damaged(const ex_pb_message *message, const uint8_t *at, const char *what);

/* Little-endian numbers, wherever they are. */
extern uint32_t ex_pb_load32(const void *at);
extern uint64_t ex_pb_load64(const void *at);

#endif							/* EX_PROTOBUF_H */
