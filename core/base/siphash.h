/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-c-d: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012, section 2.
 * The caller says how many rounds, and feeds words of 64 bits in little-endian order.  Who does not
 * know the key can neither guess a hash nor find two inputs with the same one.
 */
#ifndef SLUICE_BASE_SIPHASH_H
#define SLUICE_BASE_SIPHASH_H

#include <stdint.h>

struct siphash {
	uint64_t v0, v1, v2, v3;
};

static inline struct siphash siphash_begin(const uint64_t key[2])
{
	return (struct siphash){
		.v0 = key[0] ^ 0x736f6d6570736575u,
		.v1 = key[1] ^ 0x646f72616e646f6du,
		.v2 = key[0] ^ 0x6c7967656e657261u,
		.v3 = key[1] ^ 0x7465646279746573u,
	};
}

static inline uint64_t siphash_rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void siphash_round(struct siphash *s)
{
	s->v0 += s->v1;
	s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
	s->v0 = siphash_rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
	s->v2 = siphash_rotate(s->v2, 32);
}

/* One word, by c rounds. */
static inline void siphash_word(struct siphash *s, uint64_t word, unsigned int c)
{
	s->v3 ^= word;
	while (c--)
		siphash_round(s);
	s->v0 ^= word;
}

/* The hash of the words so far, by d rounds. */
static inline uint64_t siphash_end(struct siphash *s, unsigned int d)
{
	s->v2 ^= 0xff;
	while (d--)
		siphash_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif /* SLUICE_BASE_SIPHASH_H */
