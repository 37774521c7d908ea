/*
 * similarity.h
 *		How alike two models predict: weighted cross-products of two columns.
 *
 * The state holds the sums of w, w f1, w f2, w f1^2, w f2^2 and w f1 f2 over
 * the rows, each order-independent (exact_sum.h).  They are enough for the cosine
 *
 *		similarity = sum w f1 f2 / sqrt(sum w f1^2 * sum w f2^2)
 *
 * and, centred at the end, for Pearson's correlation, Lin's concordance, mean
 * difference and root mean square difference.
 *
 * The layout is the stored form of type explain.similarity_state.
 */
#ifndef EX_SIMILARITY_H
#define EX_SIMILARITY_H

#include "codec.h"
#include "host.h"
#include "exact_sum.h"

#define EX_SIMILARITY_VERSION 1

enum
{
	EX_SIMILARITY_W,
	EX_SIMILARITY_F1,
	EX_SIMILARITY_F2,
	EX_SIMILARITY_F1F1,
	EX_SIMILARITY_F2F2,
	EX_SIMILARITY_F1F2,
	EX_SIMILARITY_SUMS
};

typedef struct ex_similarity
{
	uint32_t	varlena;		/* PostgreSQL's length word */
	uint32_t	version;
	uint64_t	n;				/* rows, also those of weight 0 */
	ex_exact_sum sum[EX_SIMILARITY_SUMS];
} ex_similarity;

extern void ex_similarity_init(ex_similarity *state);

/*
 * Can this row be added?  EX_RANGE for NaN or infinite values, EX_INVALID for
 * a negative weight, EX_LIMIT beyond EX_EXACT_MAX_TERMS rows.  Apart from adding, so that the
 * common case of a good row costs three comparisons (ex_similarity_accepts).
 */
extern ex_status ex_similarity_check(ex_host *host, const ex_similarity *state,
									 double f1, double f2, double weight);

static inline bool
ex_similarity_accepts(const ex_similarity *state, double f1, double f2, double weight)
{
	return isfinite(f1) && isfinite(f2) && weight >= 0 && isfinite(weight) &&
		state->n < EX_EXACT_MAX_TERMS;
}

/* Add an accepted row; a weight of 1 gives the same bits as the unweighted form. */
extern void ex_similarity_add(ex_similarity *state, double f1, double f2);
extern void ex_similarity_add_weighted(ex_similarity *state, double f1, double f2, double weight);

/* total += other; EX_LIMIT beyond EX_EXACT_MAX_TERMS rows */
extern ex_status ex_similarity_merge(ex_host *host, ex_similarity *total, const ex_similarity *other);

/* In [-1, 1]; NaN where a column is zero in all rows of positive weight (or there is none). */
extern double ex_similarity_cosine(const ex_similarity *state);

/* Untrusted bytes: EX_CORRUPT unless every invariant holds. */
extern ex_status ex_similarity_validate(ex_host *host, const ex_similarity *state, size_t size);

/* Text and wire form in both directions (codec.h). */
extern ex_status ex_similarity_code(ex_codec *codec, ex_similarity *state);

#endif							/* EX_SIMILARITY_H */
