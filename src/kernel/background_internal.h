/*
 * background_internal.h
 *		What reading a background sample shares with making one.
 */
#ifndef EX_BACKGROUND_INTERNAL_H
#define EX_BACKGROUND_INTERNAL_H

#include "background.h"

/* A column whose name is known to be new. */
extern ex_status ex_sample_append_column(ex_sample *sample, const char *name, size_t length);

/* A value that is known to be new, with its count; computes its hash word. */
extern ex_status ex_sample_append_value(ex_sample *sample, ex_sample_column *column,
										ex_sample_value *value);

/* Room for n rows, so that no row is dropped and no value moves before that. */
extern ex_status ex_sample_reserve(ex_sample *sample, size_t n);

/* Give the pending row a listed value of a text column. */
extern void ex_sample_pend_value(ex_sample *sample, uint32_t column, const ex_sample_value *value);

/* Keep the pending row, which occurs `count` times, without touching statistics. */
extern ex_status ex_sample_append_row(ex_sample *sample, uint64_t count);

#endif							/* EX_BACKGROUND_INTERNAL_H */
