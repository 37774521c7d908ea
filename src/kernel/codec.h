/*
 * codec.h
 *		The text and wire forms of aggregate states, from one description.
 *
 * A state travels as text (literals, dumps, Citus) and as bytes (send/recv).
 * One walk over its fields does all four directions: each ex_code_...() call
 * either writes its field or reads and checks it.
 *
 *		text	name version field field ...	separated by single spaces;
 *				integers, shortest decimals, "quoted text", sums as
 *				top:limb,limb,... without trailing zero limbs
 *		wire	u32 magic of the name, u16 version, then little-endian fields
 *
 * Both are exact, independent of settings and machines, and equal for equal
 * states.  What is read is not trusted: every count is checked against the
 * bytes that are left before anything is allocated.  Errors are EX_SYNTAX in
 * text and EX_BINARY in bytes, whatever is wrong; EX_UNSUPPORTED for a newer
 * version.
 */
#ifndef EX_CODEC_H
#define EX_CODEC_H

#include "exact_sum.h"
#include "host.h"

typedef struct ex_codec
{
	ex_host    *host;
	bool		text;			/* else wire */
	bool		reading;		/* else writing */
	ex_buffer	out;			/* what was written */
	const uint8_t *at;			/* what is left to read */
	const uint8_t *end;
	const char *type;			/* of the value, for messages */
} ex_codec;

extern void ex_codec_write(ex_codec *codec, ex_host *host, const char *type, bool text);
extern void ex_codec_read(ex_codec *codec, ex_host *host, const char *type, bool text,
						  const void *data, size_t size);

/* The first and the last call of a walk. */
extern ex_status ex_code_header(ex_codec *codec, const char *name, uint32_t version);

/* The same for a type with several: writes *version, or reads one up to newest. */
extern ex_status ex_code_version(ex_codec *codec, const char *name, uint32_t newest, uint32_t *version);
extern ex_status ex_code_end(ex_codec *codec);

/* Fields; `what` names one in messages.  0 <= value <= max */
extern ex_status ex_code_u64(ex_codec *codec, const char *what, uint64_t *value, uint64_t max);
extern ex_status ex_code_i64(ex_codec *codec, const char *what, int64_t *value, int64_t min, int64_t max);
extern ex_status ex_code_u32(ex_codec *codec, const char *what, uint32_t *value, uint32_t max);

/* NaN, Infinity and -Infinity included; all NaNs are one */
extern ex_status ex_code_f64(ex_codec *codec, const char *what, double *value);

/* a sum of at most n terms */
extern ex_status ex_code_sum(ex_codec *codec, const char *what, ex_exact_sum *sum, uint64_t n);

extern ex_status ex_code_moments(ex_codec *codec, const char *what, ex_moments *moments);

/* UTF-8 without NUL; read into the host's memory, terminated */
extern ex_status ex_code_text(ex_codec *codec, const char *what, const char **value, uint32_t *length,
							  uint32_t max);

/*
 * A count of things of at least `least` bytes each, in the form of the two
 * that is shorter: refused before memory is asked for when there cannot be
 * so many.
 */
extern ex_status ex_code_count(ex_codec *codec, const char *what, uint32_t *count, uint32_t max,
							   size_t least);

/* The walk has found that a field cannot be right. */
extern ex_status ex_code_fail(ex_codec *codec, const char *what);

#endif							/* EX_CODEC_H */
