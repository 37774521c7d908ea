/*
 * dd.h
 *		Double-double arithmetic, and double-doubles with a wide exponent.
 *
 * A double-double hi + lo (|lo| <= ulp(hi)/2) carries about 106 bits.  It is
 * what final functions calculate in: sums arrive exact (exact_sum.h), a difference
 * of two large products may cancel, and the answer should still be right to
 * the last bit of a double.  An ex_wide adds an integer exponent, so that no
 * product or quotient of sums of squares leaves the range on the way.
 *
 * Needs round-to-nearest doubles without contraction (-ffp-contract=off) and
 * without excess precision (SSE2); fused multiply-add is not used, so that
 * every machine gives the same bits.
 *
 * Sources: Dekker, "A floating-point technique for extending the available
 * precision" (Numer. Math. 18, 1971); Knuth, TAOCP vol. 2, 4.2.2 (two_sum);
 * Hida, Li & Bailey, "Algorithms for quad-double precision floating point
 * arithmetic" (ARITH 2001).
 */
#ifndef EX_DD_H
#define EX_DD_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ex_dd
{
	double		hi;
	double		lo;
} ex_dd;

/* a + b exactly, for any a and b whose sum does not overflow */
static inline ex_dd
ex_two_sum(double a, double b)
{
	double		s = a + b;
	double		bb = s - a;
	ex_dd		r = {s, (a - (s - bb)) + (b - bb)};

	return r;
}

/* a + b exactly where |a| >= |b| or a = 0 */
static inline ex_dd
ex_quick_two_sum(double a, double b)
{
	double		s = a + b;
	ex_dd		r = {s, b - (s - a)};

	return r;
}

/* a * b exactly, for |a|, |b| < 2^996 and a product above 2^-969 */
static inline ex_dd
ex_two_product(double a, double b)
{
	double		p = a * b;
	double		ta = 134217729.0 * a;	/* 2^27 + 1: Veltkamp's split */
	double		tb = 134217729.0 * b;
	double		ah = ta - (ta - a);
	double		bh = tb - (tb - b);
	double		al = a - ah;
	double		bl = b - bh;
	ex_dd		r = {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};

	return r;
}

static inline ex_dd
ex_dd_add(ex_dd a, ex_dd b)
{
	ex_dd		s = ex_two_sum(a.hi, b.hi);
	ex_dd		t = ex_two_sum(a.lo, b.lo);

	s = ex_quick_two_sum(s.hi, s.lo + t.hi);
	return ex_quick_two_sum(s.hi, s.lo + t.lo);
}

static inline ex_dd
ex_dd_negate(ex_dd a)
{
	ex_dd		r = {-a.hi, -a.lo};

	return r;
}

static inline ex_dd
ex_dd_multiply(ex_dd a, ex_dd b)
{
	ex_dd		p = ex_two_product(a.hi, b.hi);

	return ex_quick_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline ex_dd
ex_dd_scale(ex_dd a, double power_of_two)
{
	ex_dd		r = {a.hi * power_of_two, a.lo * power_of_two};

	return r;
}

/* Long division in three steps; b must not be 0. */
static inline ex_dd
ex_dd_divide(ex_dd a, ex_dd b)
{
	ex_dd		q = {0, 0};
	int			step;

	for (step = 0; step < 3; step++)
	{
		ex_dd		digit = {a.hi / b.hi, 0};

		q = ex_dd_add(q, digit);
		a = ex_dd_add(a, ex_dd_negate(ex_dd_multiply(digit, b)));
	}
	return q;
}

/* One Newton step from the double root (Karp & Markstein 1997); a >= 0. */
static inline ex_dd
ex_dd_sqrt(ex_dd a)
{
	double		x = sqrt(a.hi);
	ex_dd		rest;

	if (x == 0)
		return a;
	rest = ex_dd_add(a, ex_dd_negate(ex_two_product(x, x)));
	return ex_quick_two_sum(x, rest.hi / (2 * x));
}

/*
 * value * 2^exponent, with value.hi of magnitude [0.5, 1) or 0.  Exponents
 * add up over a handful of operations only, so that an int never overflows.
 */
typedef struct ex_wide
{
	ex_dd		value;
	int			exponent;
} ex_wide;

static inline ex_wide
ex_wide_make(ex_dd value, int exponent)
{
	ex_wide		r = {{0, 0}, 0};
	int			shift;

	if (value.hi == 0)
		return r;
	(void) frexp(value.hi, &shift);
	r.value.hi = ldexp(value.hi, -shift);
	r.value.lo = ldexp(value.lo, -shift);
	r.exponent = exponent + shift;
	return r;
}

static inline ex_wide
ex_wide_from_double(double x)
{
	ex_dd		value = {x, 0};

	return ex_wide_make(value, 0);
}

static inline ex_wide
ex_wide_from_count(uint64_t n)
{
	return ex_wide_make(ex_two_sum((double) (n >> 32) * 4294967296.0, (double) (n & 0xffffffffu)), 0);
}

static inline ex_wide
ex_wide_negate(ex_wide a)
{
	a.value = ex_dd_negate(a.value);
	return a;
}

static inline ex_wide
ex_wide_add(ex_wide a, ex_wide b)
{
	if (a.value.hi == 0)
		return b;
	if (b.value.hi == 0)
		return a;
	if (a.exponent < b.exponent)
	{
		ex_wide		swap = a;

		a = b;
		b = swap;
	}
	if (a.exponent - b.exponent > 300)
		return a;				/* b is far below a's last bit */
	return ex_wide_make(ex_dd_add(a.value, ex_dd_scale(b.value, ldexp(1, b.exponent - a.exponent))),
						a.exponent);
}

static inline ex_wide
ex_wide_subtract(ex_wide a, ex_wide b)
{
	return ex_wide_add(a, ex_wide_negate(b));
}

static inline ex_wide
ex_wide_multiply(ex_wide a, ex_wide b)
{
	return ex_wide_make(ex_dd_multiply(a.value, b.value), a.exponent + b.exponent);
}

/* b must not be 0 */
static inline ex_wide
ex_wide_divide(ex_wide a, ex_wide b)
{
	return ex_wide_make(ex_dd_divide(a.value, b.value), a.exponent - b.exponent);
}

/* a must not be negative */
static inline ex_wide
ex_wide_sqrt(ex_wide a)
{
	if (a.exponent % 2 != 0)
	{
		a.value = ex_dd_scale(a.value, 0.5);
		a.exponent++;
	}
	return ex_wide_make(ex_dd_sqrt(a.value), a.exponent / 2);
}

/* Nearest double; infinite where it is out of range, 0 or subnormal below it. */
static inline double
ex_wide_to_double(ex_wide a)
{
	return ldexp(a.value.hi + a.value.lo, a.exponent);
}

static inline bool
ex_wide_is_zero(ex_wide a)
{
	return a.value.hi == 0;
}

#endif							/* EX_DD_H */
