/*
 * summary.h
 *		What attributions look like over many rows: the state and its reading.
 *
 * One entry per feature with its moments, the sum of magnitudes and the
 * number of positive and of negative attributions.  All sums are independent
 * of the order of rows (exact_sum.h), so equal sets of rows give equal bytes.
 *
 * An attribution may be null (the gradient of a missing feature, a pixel that
 * no window covered): it is skipped, and the feature counts its own values.
 *
 * The layout is the stored form of type explain.attribution_summary_state.
 * Version 1: every feature has a value in every row.  Version 2: some has not;
 * the layout is the same, and only the text and wire forms need counts.
 */
#ifndef EX_SUMMARY_H
#define EX_SUMMARY_H

#include "codec.h"
#include "exact_sum.h"
#include "host.h"

#define EX_SUMMARY_VERSION 2
#define EX_SUMMARY_MAX_FEATURES 65535

typedef struct ex_summary_feature
{
	ex_moments	moments;
	ex_exact_sum magnitude;		/* sum of |attribution| */
	uint64_t	n_positive;
	uint64_t	n_negative;		/* the rest is 0 */
} ex_summary_feature;

typedef struct ex_summary
{
	uint32_t	varlena;		/* PostgreSQL's length word */
	uint16_t	version;		/* 2 if and only if a value was skipped */
	uint16_t	reserved;		/* 0 */
	uint64_t	n;				/* rows, and values of a feature at most */
	uint32_t	n_features;
	uint32_t	reserved2;		/* 0 */
	ex_summary_feature feature[];
} ex_summary;

/* One feature's row of importance; NaN where a number is not defined. */
typedef struct ex_importance
{
	uint32_t	feature;		/* position */
	double		mean_abs;
	double		mean;
	double		sd;				/* sample standard deviation, n - 1 */
	double		min;
	double		max;
	double		positive_share; /* of the attributions that are not 0 */
	double		sign_consistency;	/* max(positive_share, 1 -
									 * positive_share): 0.5 .. 1 */
	double		std_error;		/* of mean_abs: sd of |attribution| / sqrt(n) */
	double		share;			/* of mean_abs in its sum over all features */
	uint64_t	n;				/* rows with a value */
} ex_importance;

/* Bytes of a summary of so many features. */
extern size_t ex_summary_size(uint32_t n_features);

/* Start a summary in ex_summary_size(n_features) bytes. */
extern void ex_summary_init(ex_summary *summary, uint32_t n_features);

/*
 * Can this row of attributions be added?  null: which of them are to be
 * skipped; NULL: none.  EX_DIMENSION if n_values is not n_features, EX_RANGE
 * for NaN or infinity (with the position, from 1), EX_LIMIT beyond
 * EX_EXACT_MAX_TERMS rows.  ex_summary_accepts answers the same question
 * without saying why.
 */
extern bool ex_summary_accepts(const ex_summary *summary, const double *value, const bool *null,
							   uint32_t n_values);
extern ex_status ex_summary_check(ex_host *host, const ex_summary *summary, const double *value,
								  const bool *null, uint32_t n_values);

/* Add an accepted row. */
extern void ex_summary_add(ex_summary *summary, const double *value, const bool *null);

/* total += other; EX_DIMENSION, EX_LIMIT as above */
extern ex_status ex_summary_merge(ex_host *host, ex_summary *total, const ex_summary *other);

/*
 * One row for each feature, the largest mean magnitude first, equal ones in
 * feature order, those without a value last.  EX_RANGE where a number is too large for a double.
 */
extern ex_status ex_summary_importance(ex_host *host, const ex_summary *summary,
									   ex_importance **rows);

/* Untrusted bytes: EX_CORRUPT unless every invariant holds. */
extern ex_status ex_summary_validate(ex_host *host, const ex_summary *summary, size_t size);

/*
 * Text and wire form in both directions (codec.h); reading makes *summary in
 * the host's memory.
 */
extern ex_status ex_summary_code(ex_codec *codec, ex_summary **summary);

#endif							/* EX_SUMMARY_H */
