/*
 * model_internal.h
 *		Shared by the files that build, check and ship models; nobody else.
 */
#ifndef EX_MODEL_INTERNAL_H
#define EX_MODEL_INTERNAL_H

#include "model.h"

#define EX_ALIGN8(size) (((size) + 7) & ~(size_t) 7)

/*
 * Offsets of sections whose ids and counts are set, and the size of the whole
 * model; 0 if it passes EX_MAX_MODEL_SIZE.  The layout is a function of ids
 * and counts alone, so a reader can insist on it.
 */
extern size_t ex_layout(ex_section *section, uint32_t n_sections);

/* Digest of the content, as it should stand in the header. */
extern void ex_sign(ex_host *host, const ex_model *model, uint8_t digest[16]);

extern ex_status ex_too_large(ex_host *host);

/* A format version that this library can read?  (0A000 with a hint if newer) */
extern ex_status ex_check_version(ex_host *host, const ex_model *model);

/*
 * Offsets of a names pair with `count` entries, each of `shortest` ..
 * EX_MAX_NAME bytes; `what` is what they name ("feature").
 */
extern ex_status ex_check_names(ex_host *host, const ex_model *model, ex_section_id start,
								uint64_t count, const char *what, uint32_t shortest);

/* Names first .. first + count - 1 of such a pair: valid UTF-8 and distinct. */
extern ex_status ex_check_distinct_names(ex_host *host, const ex_model *model, ex_section_id start,
										 uint32_t first, uint32_t count, const char *what);

/* the one NaN that a model may hold, in either width */
static const uint64_t ex_canonical_nan = UINT64_C(0x7ff8000000000000);
static const uint32_t ex_canonical_nan_f32 = UINT32_C(0x7fc00000);

#endif							/* EX_MODEL_INTERNAL_H */
