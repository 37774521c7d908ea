/*
 * effect_summary.h
 *		Sums of marginal effects and their derivatives over rows.
 *
 * A table of numbers per row: for each effect (marginal_effects.h) its value
 * and its derivatives with respect to the coefficients.  Rows that lack an
 * effect are not counted in it.  All sums are independent of the order of rows
 * (exact_sum.h), so equal sets of rows give equal bytes.
 *
 * The layout is the stored form of type explain.marginal_effect_summary_state.
 */
#ifndef EX_EFFECT_SUMMARY_H
#define EX_EFFECT_SUMMARY_H

#include "codec.h"
#include "exact_sum.h"
#include "host.h"

#define EX_EFFECT_SUMMARY_VERSION 1

/* Published limit on effects * (1 + coefficients): 56 MB of sums. */
#define EX_EFFECT_MAX_SUMS 1000000

typedef struct ex_effect_summary
{
	uint32_t	varlena;		/* PostgreSQL's length word */
	uint16_t	version;
	uint16_t	reserved;		/* 0 */
	uint64_t	n;				/* rows */
	uint32_t	n_effects;
	uint32_t	n_columns;		/* 1 + coefficients */
	uint64_t	count[];		/* n_effects: rows that have it; then the
								 * sums, n_effects * n_columns */
} ex_effect_summary;

static inline ex_exact_sum *
ex_effect_sums(const ex_effect_summary *summary)
{
	return (ex_exact_sum *) (summary->count + summary->n_effects);
}

extern size_t ex_effect_summary_size(uint32_t n_effects, uint32_t n_columns);

/* Start a summary in so many bytes. */
extern void ex_effect_summary_init(ex_effect_summary *summary, uint32_t n_effects, uint32_t n_columns);

/*
 * Add a table; an effect whose first number is NaN is not counted.
 * EX_DIMENSION for another shape, EX_RANGE for other NaNs and for infinity,
 * EX_LIMIT beyond EX_EXACT_MAX_TERMS rows.
 */
extern ex_status ex_effect_summary_add(ex_host *host, ex_effect_summary *summary,
									   const double *table, uint32_t n_effects, uint32_t n_columns);

/* total += other */
extern ex_status ex_effect_summary_merge(ex_host *host, ex_effect_summary *total,
										 const ex_effect_summary *other);

/* Mean of one number of the table; NaN where no row has the effect. */
extern double ex_effect_summary_mean(const ex_effect_summary *summary, uint32_t effect, uint32_t column);

/* Untrusted bytes: EX_CORRUPT unless every invariant holds. */
extern ex_status ex_effect_summary_validate(ex_host *host, const ex_effect_summary *summary, size_t size);

/* Text and wire form in both directions (codec.h). */
extern ex_status ex_effect_summary_code(ex_codec *codec, ex_effect_summary **summary);

#endif							/* EX_EFFECT_SUMMARY_H */
