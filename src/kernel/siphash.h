/*
 * siphash.h
 *		SipHash-2-4 with 128 bits of output, and the mixer of SplitMix64.
 *
 * Sources: Aumasson & Bernstein, "SipHash: a fast short-input PRF"
 * (INDOCRYPT 2012); Steele, Lea & Flood, "Fast splittable pseudorandom
 * number generators" (OOPSLA 2014).  Bytes are read in little-endian order on
 * every machine.
 */
#ifndef EX_SIPHASH_H
#define EX_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* 128 bits of hash */
typedef struct ex_word
{
	uint64_t	high;
	uint64_t	low;
} ex_word;

extern ex_word ex_siphash(uint64_t key0, uint64_t key1, const void *data, size_t size);

/* A bijection in which every bit of x moves every bit of the result. */
static inline uint64_t
ex_mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

#endif							/* EX_SIPHASH_H */
