/* SPDX-License-Identifier: BSD-2-Clause */
#include "isn.h"

#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t value, unsigned int bits)
{
	return value << bits | value >> (64 - bits);
}

static void round_of(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static void absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	round_of(s);
	round_of(s);
	s->v0 ^= word;
}

/* On little-endian machines, as all that AF_XDP's drivers run on. */
uint64_t isn_siphash(const uint64_t key[2], const void *data, size_t size)
{
	struct state s = { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
			   key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u };
	const uint8_t *bytes = data;
	uint64_t word;
	size_t done;

	for (done = 0; done + 8 <= size; done += 8) {
		memcpy(&word, bytes + done, 8);
		absorb(&s, word);
	}
	word = (uint64_t)size << 56;
	for (; done < size; done++)
		word |= (uint64_t)bytes[done] << 8 * (done % 8);
	absorb(&s, word);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		round_of(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
