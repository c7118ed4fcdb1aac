/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "isn.h"

/* The vectors of SipHash's authors: key 00..0f, data 00..n-1. */
Test(isn, is_siphash)
{
	static const struct {
		size_t size;
		uint64_t hash;
	} vectors[] = {
		{ 0, 0x726fdb47dd0e0e31u },
		{ 1, 0x74f839c593dc67fdu },
		{ 8, 0x93f5f5799a932462u },
		{ 15, 0xa129ca6149be45e5u },
	};
	const uint64_t key[2] = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
	uint8_t data[16];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		cr_assert_eq(isn_siphash(key, data, vectors[i].size), vectors[i].hash, "%zu",
			     vectors[i].size);
}
