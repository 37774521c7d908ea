/*
 * siphash.c
 *		SipHash-2-4 with 128 bits of output.
 */
#include "siphash.h"

typedef struct sip_state
{
	uint64_t	v[4];
} sip_state;

static inline uint64_t
rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void
sip_rounds(sip_state *s, int n)
{
	for (; n > 0; n--)
	{
		s->v[0] += s->v[1];
		s->v[2] += s->v[3];
		s->v[1] = rotate(s->v[1], 13) ^ s->v[0];
		s->v[3] = rotate(s->v[3], 16) ^ s->v[2];
		s->v[0] = rotate(s->v[0], 32);
		s->v[2] += s->v[1];
		s->v[0] += s->v[3];
		s->v[1] = rotate(s->v[1], 17) ^ s->v[2];
		s->v[3] = rotate(s->v[3], 21) ^ s->v[0];
		s->v[2] = rotate(s->v[2], 32);
	}
}

static inline void
sip_absorb(sip_state *s, uint64_t word)
{
	s->v[3] ^= word;
	sip_rounds(s, 2);
	s->v[0] ^= word;
}

static inline uint64_t
read_bytes(const uint8_t *data, size_t n)
{
	uint64_t	word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t) data[i] << (8 * i);
	return word;
}

static inline uint64_t
sip_output(const sip_state *s)
{
	return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

ex_word
ex_siphash(uint64_t key0, uint64_t key1, const void *data, size_t size)
{
	/* "somepseudorandomlygeneratedbytes", as the paper has it; 0xee: 128 bits */
	sip_state	s = {{key0 ^ UINT64_C(0x736f6d6570736575), key1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
	key0 ^ UINT64_C(0x6c7967656e657261), key1 ^ UINT64_C(0x7465646279746573)}};
	const uint8_t *at = data;
	size_t		left = size;
	ex_word		out;

	for (; left >= 8; left -= 8, at += 8)
		sip_absorb(&s, read_bytes(at, 8));
	sip_absorb(&s, read_bytes(at, left) | (uint64_t) size << 56);

	s.v[2] ^= 0xee;
	sip_rounds(&s, 4);
	out.low = sip_output(&s);
	s.v[1] ^= 0xdd;
	sip_rounds(&s, 4);
	out.high = sip_output(&s);
	return out;
}
