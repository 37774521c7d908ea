/*
 * random.c
 *		Random numbers by counting.
 */
#include <math.h>
#include <string.h>

#include "exact_sum.h"
#include "random.h"
#include "siphash.h"

#define ROUNDS 10

static void
philox_round(uint64_t c[4], uint64_t key0, uint64_t key1)
{
	uint64_t	high0,
				low0,
				high1,
				low1;

	ex_multiply_words(UINT64_C(0xd2e7470ee14c6c93), c[0], &high0, &low0);
	ex_multiply_words(UINT64_C(0xca5a826395121157), c[2], &high1, &low1);
	c[0] = high1 ^ c[1] ^ key0;
	c[1] = low1;
	c[2] = high0 ^ c[3] ^ key1;
	c[3] = low0;
}

void
ex_philox(const uint64_t key[2], const uint64_t counter[4], uint64_t out[4])
{
	uint64_t	key0 = key[0];
	uint64_t	key1 = key[1];

	memcpy(out, counter, 4 * sizeof(uint64_t));
	for (int i = 0; i < ROUNDS; i++)
	{
		philox_round(out, key0, key1);
		/* Weyl sequences: golden ratio and sqrt(3) - 1 */
		key0 += UINT64_C(0x9e3779b97f4a7c15);
		key1 += UINT64_C(0xbb67ae8584caa73b);
	}
}

void
ex_random_init(ex_random *random, int64_t seed, const uint8_t digest[16], const char *purpose)
{
	ex_word		of_purpose = ex_siphash((uint64_t) seed, 0, purpose, strlen(purpose));
	ex_word		key = ex_siphash(of_purpose.high, of_purpose.low, digest, 16);

	random->key[0] = key.high;
	random->key[1] = key.low;
	ex_random_stream(random, 0);
}

void
ex_random_stream(ex_random *random, uint64_t stream)
{
	memset(random->counter, 0, sizeof(random->counter));
	random->counter[1] = stream;
	random->used = 4;
}

uint64_t
ex_random_bits(ex_random *random)
{
	if (random->used == 4)
	{
		ex_philox(random->key, random->counter, random->word);
		random->counter[0]++;
		random->used = 0;
	}
	return random->word[random->used++];
}

double
ex_random_uniform(ex_random *random)
{
	return ((double) (ex_random_bits(random) >> 12) + 0.5) * 0x1p-52;
}

/* A draw in the incomplete last run of n values is drawn again. */
uint64_t
ex_random_below(ex_random *random, uint64_t n)
{
	uint64_t	incomplete = (0 - n) % n;	/* 2^64 mod n */
	uint64_t	bits;

	do
		bits = ex_random_bits(random);
	while (bits < incomplete);
	return bits % n;
}

double
ex_random_normal(ex_random *random)
{
	return ex_normal_quantile(ex_random_uniform(random));
}

/*
 * log(x) of a positive normal number: x = m 2^e with m about 1, and
 * log m = 2 artanh((m - 1) / (m + 1)), whose series ends below 2^-56 here.
 */
static double
portable_log(double x)
{
	const double log_2 = 0.69314718055994531;
	int			e;
	double		m = frexp(x, &e);
	double		s;
	double		square;
	double		series = 0;

	if (m < 0.70710678118654752)
	{
		m *= 2;
		e--;
	}
	s = (m - 1) / (m + 1);
	square = s * s;
	for (int k = 10; k >= 0; k--)
		series = series * square + 1.0 / (2 * k + 1);
	return e * log_2 + 2 * s * series;
}

static double
polynomial(const double *coefficient, double x)
{
	double		value = coefficient[7];

	for (int i = 6; i >= 0; i--)
		value = value * x + coefficient[i];
	return value;
}

/* A quotient of two polynomials of degree 7, lowest power first. */
typedef struct quotient
{
	double		above[8];
	double		below[8];
} quotient;

static double
divide(const quotient *q, double x)
{
	return polynomial(q->above, x) / polynomial(q->below, x);
}

/* AS 241, PPND16: the middle, the tails, and the far tails */
static const quotient middle = {
	{3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
		1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
	3.3430575583588128105e+4, 2.5090809287301226727e+3},
	{1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
		2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
	5.2264952788528545610e+3}
};

static const quotient tail = {
	{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
		3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
	2.27238449892691845833e-2, 7.74545014278341407640e-4},
	{1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
	1.05075007164441684324e-9}
};

static const quotient far_tail = {
	{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
		2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
	2.71155556874348757815e-5, 2.01033439929228813265e-7},
	{1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
		7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
	2.04426310338993978564e-15}
};

double
ex_normal_quantile(double p)
{
	double		q = p - 0.5;
	double		r;

	if (fabs(q) <= 0.425)
		return q * divide(&middle, 0.180625 - q * q);
	r = q < 0 ? p : 1 - p;
	if (r <= 0)
		return q < 0 ? -INFINITY : INFINITY;
	r = sqrt(-portable_log(r));
	r = r <= 5 ? divide(&tail, r - 1.6) : divide(&far_tail, r - 5);
	return q < 0 ? -r : r;
}
