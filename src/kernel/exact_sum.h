/*
 * exact_sum.h
 *		Sums that do not depend on the order of their terms.
 *
 * A parallel plan, a partitioned table and a cluster add the same numbers in
 * different orders; floating-point sums then differ in their last bits, and
 * so does everything that is stored, compared or signed afterwards.  An
 * ex_exact_sum is a fixed-point number instead: a window of EX_EXACT_LIMBS digits to
 * base 2^24 which hangs on the largest term seen so far.
 *
 *		limb[0] ... limb[5]			digit sums, signed
 *		sum = limb[0] 2^(24 top) + limb[1] 2^(24 (top-1)) + ...
 *
 * Every term is cut into its digits and each digit is added, as an integer,
 * to the limb of its weight.  Digits below the window are dropped, and when a
 * larger term moves the window up the lowest limbs are dropped whole.  No
 * carry ever leaves a limb.  So limb i of the result is the sum of the i-th
 * digits of all terms whatever the order was: any partition of the terms
 * gives the same bits, not only the same rounded sum.
 *
 * Accuracy: what is dropped of a term is below 2^-120 of the largest term.
 * Range: exponents are integers, so products of three doubles neither
 * overflow nor underflow.  Terms: at most EX_EXACT_MAX_TERMS, so that limbs
 * (63 bits) cannot overflow.
 *
 * Sources: the fixed-point idea is Kulisch's accumulator (Kulisch & Miranker
 * 1981) in the chunked form of Neal, "Fast exact summation using small and
 * large superaccumulators" (arXiv:1505.05571); cutting all terms at a common
 * bit is the pre-rounding of Demmel & Nguyen, "Parallel reproducible
 * summation" (IEEE Trans. Comput. 64, 2015).
 */
#ifndef EX_EXACT_SUM_H
#define EX_EXACT_SUM_H

#include <string.h>

#include "dd.h"

#define EX_EXACT_LIMBS		6
#define EX_EXACT_DIGIT		24	/* bits */
#define EX_EXACT_MASK			((UINT64_C(1) << EX_EXACT_DIGIT) - 1)
#define EX_EXACT_MAX_TERMS	(UINT64_C(1) << 38)
#define EX_EXACT_MAX_LIMB		((int64_t) (EX_EXACT_MAX_TERMS * EX_EXACT_MASK))
#define EX_EXACT_MAX_TOP		160 /* |top| of products of three doubles: 135 */
#define EX_EXACT_EMPTY		(-1000) /* top of a sum without a term but 0 */

typedef struct ex_exact_sum
{
	int64_t		limb[EX_EXACT_LIMBS];
	int32_t		top;			/* weight of limb[0] is 2^(24 top) */
	int32_t		reserved;		/* 0 */
} ex_exact_sum;

/* A finite double (or a product) taken apart: (-1)^negative * word * 2^exponent. */
typedef struct ex_parts
{
	uint64_t	word[3];		/* least significant first */
	int			exponent;
	bool		negative;
} ex_parts;

static inline void
ex_exact_init(ex_exact_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->top = EX_EXACT_EMPTY;
}

/* Move the window up to `top`. */
extern void ex_exact_raise(ex_exact_sum *sum, int32_t top);

/* total += other; both together must not exceed EX_EXACT_MAX_TERMS terms. */
extern void ex_exact_merge(ex_exact_sum *total, const ex_exact_sum *other);

/* The sum as a number, to 106 bits. */
extern ex_wide ex_exact_value(const ex_exact_sum *sum);

/*
 * sum w * sum wab - sum wa * sum wb: the cross-product about the means, times
 * sum w.  Multiplied out limb by limb into one more exact sum, since the
 * difference of the two products may be a small part of them: 120 bits of the
 * larger one are kept.
 */
extern ex_wide ex_exact_centred(const ex_exact_sum *w, const ex_exact_sum *wab,
								const ex_exact_sum *wa, const ex_exact_sum *wb);

/* Can these limbs come from at most n terms?  For states that have travelled. */
extern bool ex_exact_valid(const ex_exact_sum *sum, uint64_t n);

/* floor(bit / 24); the bias makes it a division of positive numbers */
static inline int32_t
ex_exact_digit_of(int bit)
{
	return (int32_t) ((uint32_t) (bit + EX_EXACT_DIGIT * 1024) / EX_EXACT_DIGIT) - 1024;
}

static inline void
ex_exact_add_digit(ex_exact_sum *sum, int32_t limb, uint64_t digit, int64_t sign)
{
	if ((uint32_t) limb < EX_EXACT_LIMBS)
		sum->limb[limb] += ((int64_t) digit ^ sign) - sign;
}

/* One word of a term; words of one term do not overlap, so neither do its digits. */
static inline void
ex_exact_add_word(ex_exact_sum *sum, uint64_t word, int exponent, bool negative)
{
	int32_t		top;
	int32_t		limb;
	int			shift;
	int64_t		sign = negative ? -1 : 0;
	uint64_t	rest;

	if (word == 0)
		return;
	top = ex_exact_digit_of(exponent + 63 - __builtin_clzll(word));
	if (top > sum->top)
		ex_exact_raise(sum, top);

	limb = ex_exact_digit_of(exponent);
	shift = exponent - limb * EX_EXACT_DIGIT;
	limb = sum->top - limb;
	rest = word >> (EX_EXACT_DIGIT - shift);
	ex_exact_add_digit(sum, limb, (word << shift) & EX_EXACT_MASK, sign);
	ex_exact_add_digit(sum, limb - 1, rest & EX_EXACT_MASK, sign);
	ex_exact_add_digit(sum, limb - 2, (rest >> EX_EXACT_DIGIT) & EX_EXACT_MASK, sign);
	ex_exact_add_digit(sum, limb - 3, rest >> (2 * EX_EXACT_DIGIT), sign);
}

static inline ex_parts
ex_parts_of(double x)
{
	ex_parts	parts = {{0, 0, 0}, 0, false};
	uint64_t	bits;
	uint64_t	fraction;
	int			field;

	memcpy(&bits, &x, sizeof(bits));
	fraction = bits & ((UINT64_C(1) << 52) - 1);
	field = (int) (bits >> 52) & 0x7ff;
	parts.word[0] = field == 0 ? fraction : fraction | (UINT64_C(1) << 52);
	parts.exponent = (field == 0 ? 1 : field) - 1075;
	parts.negative = bits >> 63;
	return parts;
}

/* 64 x 64 -> 128 bits */
static inline void
ex_multiply_words(uint64_t a, uint64_t b, uint64_t *high, uint64_t *low)
{
#ifdef __SIZEOF_INT128__
	unsigned	__int128 product = (unsigned __int128) a * b;

	*high = (uint64_t) (product >> 64);
	*low = (uint64_t) product;
#else
	uint64_t	al = (uint32_t) a,
				ah = a >> 32,
				bl = (uint32_t) b,
				bh = b >> 32;
	uint64_t	middle = ah * bl + ((al * bl) >> 32);
	uint64_t	middle2 = al * bh + (uint32_t) middle;

	*high = ah * bh + (middle >> 32) + (middle2 >> 32);
	*low = (middle2 << 32) | (uint32_t) (al * bl);
#endif
}

/* a (at most two words) times b (one word), exactly */
static inline ex_parts
ex_parts_multiply(ex_parts a, ex_parts b)
{
	ex_parts	product;
	uint64_t	high;

	ex_multiply_words(a.word[0], b.word[0], &product.word[1], &product.word[0]);
	ex_multiply_words(a.word[1], b.word[0], &high, &product.word[2]);
	product.word[1] += product.word[2];
	product.word[2] = high + (product.word[1] < product.word[2]);
	product.exponent = a.exponent + b.exponent;
	product.negative = a.negative != b.negative;
	return product;
}

/* Most significant word first: it fixes the window, and the rest falls into it. */
static inline void
ex_exact_add_parts(ex_exact_sum *sum, const ex_parts *term)
{
	ex_exact_add_word(sum, term->word[2], term->exponent + 128, term->negative);
	ex_exact_add_word(sum, term->word[1], term->exponent + 64, term->negative);
	ex_exact_add_word(sum, term->word[0], term->exponent, term->negative);
}

/* sum += x; x must be finite */
static inline void
ex_exact_add(ex_exact_sum *sum, double x)
{
	ex_parts	parts = ex_parts_of(x);

	ex_exact_add_word(sum, parts.word[0], parts.exponent, parts.negative);
}

/*
 * Moments of one column of numbers: all that mean, standard deviation and
 * range need, mergeable.
 */
typedef struct ex_moments
{
	uint64_t	n;
	ex_exact_sum sum;
	ex_exact_sum square;
	double		min;			/* +Infinity while n = 0 */
	double		max;			/* -Infinity while n = 0 */
} ex_moments;

extern void ex_moments_init(ex_moments *moments);
extern void ex_moments_add(ex_moments *moments, double x);	/* x finite */

/* The same `times` times. */
extern void ex_moments_add_times(ex_moments *moments, double x, uint64_t times);
extern void ex_moments_merge(ex_moments *total, const ex_moments *other);
extern bool ex_moments_valid(const ex_moments *moments);

/* NaN while n = 0 */
extern double ex_moments_mean(const ex_moments *moments);

/* Sample standard deviation (n - 1); NaN while n < 2, infinite if out of range. */
extern double ex_moments_sd(const ex_moments *moments);

/* The same from a count and two sums of which the first is of x, the second of x^2. */
extern double ex_sample_sd(uint64_t n, const ex_exact_sum *sum, const ex_exact_sum *square);

#endif							/* EX_EXACT_SUM_H */
