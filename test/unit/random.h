/*
 * random.h
 *		Random numbers that are the same on every machine, and random
 *		partitions of rows, for tests of aggregates.
 */
#ifndef EX_TEST_RANDOM_H
#define EX_TEST_RANDOM_H

#include <stdint.h>

static uint64_t random_state = 1;

/* SplitMix64 */
static inline uint64_t
random_bits(void)
{
	uint64_t	z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* in [0, n) */
static inline uint32_t
random_below(uint32_t n)
{
	return (uint32_t) ((random_bits() >> 32) * n >> 32);
}

/* in [0, 1) */
static inline double
random_unit(void)
{
	return (double) (random_bits() >> 11) / 9007199254740992.0;
}

/* A random order of 0 .. n-1. */
static inline void
random_order(uint32_t *order, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	j = random_below(i + 1);

		order[i] = order[j];
		order[j] = i;
	}
}

#endif							/* EX_TEST_RANDOM_H */
