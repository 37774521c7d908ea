/*
 * test_exact_sum.c
 *		Order-independent sums and double-double arithmetic.
 */
#include "unit.h"

#include "exact_sum.h"
#include "random.h"

static double
sum_of(const double *x, int n)
{
	ex_exact_sum sum;

	ex_exact_init(&sum);
	for (int i = 0; i < n; i++)
		ex_exact_add(&sum, x[i]);
	return ex_wide_to_double(ex_exact_value(&sum));
}

static void
test_known_sums(void)
{
	double		cancelling[] = {1e16, 1, -1e16};
	double		alternating[] = {1.5e308, 1.5e308, -1.5e308, -1.4e308};
	double		subnormal[] = {5e-324, 5e-324, -5e-324, 1e-320};
	double		tenths[10] = {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1};
	double		zeros[] = {0.0, -0.0};
	double		half[] = {9007199254740992.0, 1, 1e-12};

	is_double(sum_of(cancelling, 3), 1, "what is left when large terms cancel");
	is_double(sum_of(alternating, 4), 1.5e308 - 1.4e308, "partial sums beyond the range of a double");
	is_double(sum_of(subnormal, 4), 5e-324 + 1e-320, "subnormal terms");
	is_double(sum_of(tenths, 10), 1, "ten times a tenth: the exact sum, rounded once");
	is_double(sum_of(zeros, 2), 0, "zeros");
	is_double(sum_of(NULL, 0), 0, "no term");
	is_double(sum_of(half, 3), 9007199254740994.0, "a term far below decides a tie");
	is_double(sum_of(half, 2), 9007199254740992.0, "a tie goes to even");
}

static void
test_negated(void)
{
	bool		same = true;

	for (int trial = 0; trial < 1000; trial++)
	{
		double		x[8];
		double		y[8];

		for (int i = 0; i < 8; i++)
		{
			x[i] = ldexp(random_unit() - 0.5, (int) random_below(120) - 60);
			y[i] = -x[i];
		}
		same = same && sum_of(x, 8) == -sum_of(y, 8);
	}
	ok(same, "the sum of negated terms is the negated sum, 1000 times");
}

/* Products of whole numbers that a double holds exactly. */
static void
test_products(void)
{
	bool		same = true;

	for (int trial = 0; trial < 1000; trial++)
	{
		int64_t		a = (int64_t) random_below(1 << 20) - (1 << 19);
		int64_t		b = (int64_t) random_below(1 << 20) - (1 << 19);
		int64_t		c = (int64_t) random_below(1 << 12);
		int			e = (int) random_below(1200) - 600;
		ex_exact_sum sum;
		ex_parts	term = ex_parts_multiply(ex_parts_multiply(ex_parts_of(ldexp((double) a, e)),
															   ex_parts_of((double) b)),
											 ex_parts_of(ldexp((double) c, -e)));

		ex_exact_init(&sum);
		ex_exact_add_parts(&sum, &term);
		same = same && ex_wide_to_double(ex_exact_value(&sum)) == (double) (a * b * c);
	}
	ok(same, "products of three numbers of any exponent, 1000 times");
}

static void
test_widest_product(void)
{
	ex_parts	x = ex_parts_of(1.7976931348623157e308);
	ex_parts	cube = ex_parts_multiply(ex_parts_multiply(x, x), x);
	ex_parts	y = ex_parts_of(5e-324);
	ex_parts	small = ex_parts_multiply(ex_parts_multiply(y, y), y);
	ex_exact_sum sum;
	ex_wide		value;

	/* (2^53 - 1)^3 2^(3*971) */
	ex_exact_init(&sum);
	ex_exact_add_parts(&sum, &cube);
	value = ex_exact_value(&sum);
	is_int(value.exponent, 3072, "the largest double cubed: exponent");
	is_double(value.value.hi, 1 - 3 * ldexp(1, -53), "the largest double cubed: leading part");
	is_near(value.value.lo, 3 * ldexp(1, -106), ldexp(1, -143), "the largest double cubed: rest");

	ex_exact_init(&sum);
	ex_exact_add_parts(&sum, &small);
	value = ex_exact_value(&sum);
	is_int(value.exponent, -3221, "the smallest double cubed: exponent");
	is_double(value.value.hi, 0.5, "the smallest double cubed");
}

/* The bits of the sum are the same whatever is added first and to what. */
static void
test_partitions(void)
{
	enum
	{
		N = 300
	};
	static double x[N];
	uint32_t	order[N];
	ex_exact_sum expected;
	int			different = 0;

	for (int i = 0; i < N; i++)
		x[i] = (random_unit() - 0.5) * pow(10, (int) random_below(40) - 20);
	ex_exact_init(&expected);
	for (int i = 0; i < N; i++)
		ex_exact_add(&expected, x[i]);

	for (int trial = 0; trial < 500; trial++)
	{
		uint32_t	n_parts = 1 + random_below(64);
		ex_exact_sum part[64];
		ex_exact_sum total;

		for (uint32_t p = 0; p < n_parts; p++)
			ex_exact_init(&part[p]);
		random_order(order, N);
		for (int i = 0; i < N; i++)
			ex_exact_add(&part[random_below(n_parts)], x[order[i]]);
		ex_exact_init(&total);
		for (uint32_t p = 0; p < n_parts; p++)
			ex_exact_merge(&total, &part[p]);
		different += memcmp(&total, &expected, sizeof(total)) != 0;
	}
	is_int(different, 0, "500 random partitions give the same bits");
}

static void
test_valid(void)
{
	ex_exact_sum sum;

	ex_exact_init(&sum);
	ok(ex_exact_valid(&sum, 0), "an empty sum is valid");
	ex_exact_add(&sum, -3.5);
	ok(ex_exact_valid(&sum, 1), "so is a sum of one term");
	ok(!ex_exact_valid(&sum, 0), "but not of none");
	sum.top = EX_EXACT_MAX_TOP + 1;
	ok(!ex_exact_valid(&sum, 1), "a weight out of range is not valid");
	ex_exact_init(&sum);
	sum.limb[3] = 1;
	ok(!ex_exact_valid(&sum, 1), "nor is a digit without weight");
	ex_exact_init(&sum);
	sum.top = 0;
	sum.limb[0] = (int64_t) EX_EXACT_MASK + 1;
	ok(!ex_exact_valid(&sum, 1), "nor a digit larger than its terms allow");
}

static void
test_wide(void)
{
	ex_wide		two = ex_wide_from_double(2);
	ex_wide		third = ex_wide_divide(ex_wide_from_double(1), ex_wide_from_double(3));
	ex_wide		one = ex_wide_add(ex_wide_add(third, third), third);
	ex_wide		root = ex_wide_sqrt(two);
	ex_wide		error = ex_wide_subtract(ex_wide_multiply(root, root), two);
	ex_wide		huge = ex_wide_from_double(1e300);
	ex_wide		power = ex_wide_multiply(ex_wide_multiply(huge, huge), ex_wide_multiply(huge, huge));

	is_near(ex_wide_to_double(ex_wide_subtract(one, ex_wide_from_double(1))), 0, 1e-31, "3 (1/3) = 1 to 100 bits");
	is_near(ex_wide_to_double(error), 0, 1e-31, "sqrt(2)^2 = 2 to 100 bits");
	is_double(ex_wide_to_double(ex_wide_sqrt(ex_wide_sqrt(power))), 1e300, "1e300^4 and back");
	is_double(ex_wide_to_double(power), HUGE_VAL, "out of range is infinite");
	is_double(ex_wide_to_double(ex_wide_divide(two, power)), 0, "below it is 0");
	is_double(ex_wide_to_double(ex_wide_from_count(UINT64_C(1) << 53 | 1)), 9007199254740992.0, "a large count");
	is_double(ex_wide_to_double(ex_wide_subtract(ex_wide_from_count(UINT64_C(1) << 53 | 1),
												 ex_wide_from_count(UINT64_C(1) << 53))), 1, "keeps its last unit");
}

int
main(void)
{
	test_known_sums();
	test_negated();
	test_products();
	test_widest_product();
	test_partitions();
	test_valid();
	test_wide();
	return unit_done();
}
