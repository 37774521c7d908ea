/*
 * exact_sum.c
 *		Sums that do not depend on the order of their terms: the rare parts.
 */
#include "exact_sum.h"

void
ex_exact_raise(ex_exact_sum *sum, int32_t top)
{
	int64_t		distance = (int64_t) top - sum->top;
	int			i;

	for (i = EX_EXACT_LIMBS - 1; i >= 0; i--)
		sum->limb[i] = i >= distance ? sum->limb[i - distance] : 0;
	sum->top = top;
}

void
ex_exact_merge(ex_exact_sum *total, const ex_exact_sum *other)
{
	int			distance;
	int			i;

	if (other->top > total->top)
		ex_exact_raise(total, other->top);
	distance = total->top - other->top;
	for (i = distance; i < EX_EXACT_LIMBS; i++)
		total->limb[i] += other->limb[i - distance];
}

/*
 * Carry from limb to limb: digits of 24 bits, most significant first, two
 * more than limbs for what the top one holds.  Returns the sign; the digits
 * are of the magnitude.
 */
static bool
ex_exact_digits(const ex_exact_sum *sum, uint32_t digit[EX_EXACT_LIMBS + 2])
{
	bool		negative = false;
	int			pass;

	for (pass = 0; pass < 2; pass++)
	{
		int64_t		carry = 0;
		int			i;

		for (i = EX_EXACT_LIMBS + 1; i >= 0; i--)
		{
			int64_t		limb = i >= 2 ? sum->limb[i - 2] : 0;
			int64_t		value = (negative ? -limb : limb) + carry;

			digit[i] = (uint32_t) ((uint64_t) value & EX_EXACT_MASK);
			carry = (value - (int64_t) digit[i]) / ((int64_t) 1 << EX_EXACT_DIGIT);
		}
		if (carry == 0)
			break;
		negative = true;		/* a borrow is left: read the negated limbs */
	}
	return negative;
}

ex_wide
ex_exact_value(const ex_exact_sum *sum)
{
	uint32_t	digit[EX_EXACT_LIMBS + 2];
	bool		negative = ex_exact_digits(sum, digit);
	ex_dd		value = {0, 0};
	ex_wide		wide;
	int			i;

	for (i = EX_EXACT_LIMBS + 1; i >= 0; i--)
	{
		ex_dd		term = {ldexp(digit[i], -EX_EXACT_DIGIT * i), 0};

		value = ex_dd_add(term, value);
	}
	wide = ex_wide_make(value, EX_EXACT_DIGIT * (sum->top + 2));
	return negative ? ex_wide_negate(wide) : wide;
}

static ex_parts
limb_parts(const ex_exact_sum *sum, int i)
{
	ex_parts	parts = {{0, 0, 0}, EX_EXACT_DIGIT * (sum->top - i), sum->limb[i] < 0};

	parts.word[0] = (uint64_t) (sum->limb[i] < 0 ? -sum->limb[i] : sum->limb[i]);
	return parts;
}

/* total += a * b or, with subtract, total -= a * b */
static void
add_product(ex_exact_sum *total, const ex_exact_sum *a, const ex_exact_sum *b, bool subtract)
{
	for (int i = 0; i < EX_EXACT_LIMBS; i++)
	{
		for (int j = 0; j < EX_EXACT_LIMBS; j++)
		{
			ex_parts	term = ex_parts_multiply(limb_parts(a, i), limb_parts(b, j));

			term.negative = term.negative != subtract;
			ex_exact_add_parts(total, &term);
		}
	}
}

ex_wide
ex_exact_centred(const ex_exact_sum *w, const ex_exact_sum *wab,
				 const ex_exact_sum *wa, const ex_exact_sum *wb)
{
	ex_exact_sum total;

	ex_exact_init(&total);
	add_product(&total, w, wab, false);
	add_product(&total, wa, wb, true);
	return ex_exact_value(&total);
}

bool
ex_exact_valid(const ex_exact_sum *sum, uint64_t n)
{
	int64_t		limit = (int64_t) (n * EX_EXACT_MASK);
	bool		empty = sum->top == EX_EXACT_EMPTY;
	int			i;

	if (n > EX_EXACT_MAX_TERMS || sum->reserved != 0)
		return false;
	if (!empty && (n == 0 || sum->top > EX_EXACT_MAX_TOP || sum->top < -EX_EXACT_MAX_TOP))
		return false;
	for (i = 0; i < EX_EXACT_LIMBS; i++)
	{
		if (sum->limb[i] > limit || sum->limb[i] < -limit || (empty && sum->limb[i] != 0))
			return false;
	}
	return true;
}

void
ex_moments_init(ex_moments *moments)
{
	moments->n = 0;
	ex_exact_init(&moments->sum);
	ex_exact_init(&moments->square);
	moments->min = HUGE_VAL;
	moments->max = -HUGE_VAL;
}

void
ex_moments_add(ex_moments *moments, double x)
{
	ex_parts	parts = ex_parts_of(x);
	ex_parts	square = ex_parts_multiply(parts, parts);

	x += 0.0;					/* -0 is 0, or the order of both would show */
	moments->n++;
	ex_exact_add_word(&moments->sum, parts.word[0], parts.exponent, parts.negative);
	ex_exact_add_parts(&moments->square, &square);
	if (x < moments->min)
		moments->min = x;
	if (x > moments->max)
		moments->max = x;
}

/* Not the bits of so many additions, whose digits are not carried, but the same sum. */
void
ex_moments_add_times(ex_moments *moments, double x, uint64_t times)
{
	ex_parts	count = ex_parts_of((double) times);
	ex_parts	parts = ex_parts_of(x);
	ex_parts	sum = ex_parts_multiply(parts, count);
	ex_parts	square = ex_parts_multiply(ex_parts_multiply(parts, parts), count);

	if (times == 0)
		return;
	moments->n += times;
	ex_exact_add_parts(&moments->sum, &sum);
	ex_exact_add_parts(&moments->square, &square);
	if (x < moments->min)
		moments->min = x;
	if (x > moments->max)
		moments->max = x;
}

void
ex_moments_merge(ex_moments *total, const ex_moments *other)
{
	total->n += other->n;
	ex_exact_merge(&total->sum, &other->sum);
	ex_exact_merge(&total->square, &other->square);
	if (other->min < total->min)
		total->min = other->min;
	if (other->max > total->max)
		total->max = other->max;
}

bool
ex_moments_valid(const ex_moments *moments)
{
	if (!ex_exact_valid(&moments->sum, moments->n) || !ex_exact_valid(&moments->square, moments->n))
		return false;
	if (moments->n == 0)
		return moments->min == HUGE_VAL && moments->max == -HUGE_VAL;
	return isfinite(moments->min) && isfinite(moments->max) && moments->min <= moments->max;
}

double
ex_moments_mean(const ex_moments *moments)
{
	if (moments->n == 0)
		return NAN;
	return ex_wide_to_double(ex_wide_divide(ex_exact_value(&moments->sum),
											ex_wide_from_count(moments->n)));
}

double
ex_moments_sd(const ex_moments *moments)
{
	/* a constant column: what cancellation leaves of it is not a spread */
	if (moments->n >= 2 && moments->min == moments->max)
		return 0;
	return ex_sample_sd(moments->n, &moments->sum, &moments->square);
}

/* sqrt((n sum x^2 - (sum x)^2) / (n (n - 1))) */
double
ex_sample_sd(uint64_t n, const ex_exact_sum *sum, const ex_exact_sum *square)
{
	ex_exact_sum count;
	ex_wide		centred;
	ex_wide		pairs;

	if (n < 2)
		return NAN;
	ex_exact_init(&count);
	ex_exact_add(&count, (double) n);
	centred = ex_exact_centred(&count, square, sum, sum);
	if (centred.value.hi <= 0)
		return 0;
	pairs = ex_wide_multiply(ex_wide_from_count(n), ex_wide_from_count(n - 1));
	return ex_wide_to_double(ex_wide_sqrt(ex_wide_divide(centred, pairs)));
}
