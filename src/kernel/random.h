/*
 * random.h
 *		Random numbers by counting: the same bits on every machine.
 *
 * Number i of a stream is a function of the stream's key and of i, so that a
 * sampled explanation can be repeated, split and resumed.  The key is made of
 * a seed, the digest of the model and the purpose; it does not depend on the
 * row, so all rows of a query are explained with the same draws.
 *
 * Sources: Philox4x64-10 of Salmon, Moraes, Dror & Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3" (SC 2011); normal numbers by inversion,
 * Wichura, "Algorithm AS 241: The percentage points of the normal
 * distribution" (Applied Statistics 37, 1988).
 *
 * Only + - * / and sqrt, which IEEE 754 rounds correctly, and no function of
 * libm that may differ between machines.
 */
#ifndef EX_RANDOM_H
#define EX_RANDOM_H

#include <stdint.h>

/* Published limit of every method that samples; 54000 beyond. */
#define EX_MAX_SAMPLES 10000000

typedef struct ex_random
{
	uint64_t	key[2];
	uint64_t	counter[4];		/* block, stream, 0, 0 */
	uint64_t	word[4];		/* the block at hand */
	uint32_t	used;			/* words of it that are spent: 4 = all */
} ex_random;

/*
 * The random numbers of a seed for one purpose ("smooth", "expected
 * gradients") and model.  Streams start at 0.
 */
extern void ex_random_init(ex_random *random, int64_t seed, const uint8_t digest[16],
						   const char *purpose);

/* Go to the start of a stream: 2^64 of them, each of 2^66 numbers. */
extern void ex_random_stream(ex_random *random, uint64_t stream);

/* 64 random bits */
extern uint64_t ex_random_bits(ex_random *random);

/* Uniform in (0, 1): odd multiples of 2^-53, symmetric about 1/2. */
extern double ex_random_uniform(ex_random *random);

/* Standard normal; |value| < 8.3 */
extern double ex_random_normal(ex_random *random);

/* Uniform in 0 .. n - 1, without bias; n > 0 */
extern uint64_t ex_random_below(ex_random *random, uint64_t n);

/*
 * x with Phi(x) = p, 0 < p < 1, to a relative error of about 1e-15;
 * antisymmetric about 1/2, infinite at 0 and 1.
 */
extern double ex_normal_quantile(double p);

/* One block of Philox4x64-10. */
extern void ex_philox(const uint64_t key[2], const uint64_t counter[4], uint64_t out[4]);

#endif							/* EX_RANDOM_H */
