/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources that crowd together in the blocklist: found by trying, for a table of 2^bits buckets and
 * its hash key, so that few sources fill buckets, second buckets and stash of a table that cannot be
 * small.  Needs bpf/ on the include path.
 */
#ifndef SLUICE_TESTS_SUPPORT_CROWD_H
#define SLUICE_TESTS_SUPPORT_CROWD_H

#include <stdint.h>
#include <string.h>

#include <sluice/plugin.h>

#include "hash.h"

struct crowd {
	uint8_t family;
	uint32_t bits, width; /* Both buckets of each source are among the first `width`. */
	__u64 hash_key[2];
	uint32_t tried; /* Candidates so far. */
};

static inline uint32_t crowd_hash4(const __u64 hash_key[2], const struct sluice_key *key)
{
	uint32_t addr;

	memcpy(&addr, key->addr, sizeof(addr));
	return hash_permute_v4(hash_key, addr);
}

static inline uint64_t crowd_hash6(const __u64 hash_key[2], const struct sluice_key *key)
{
	uint64_t addr[2];

	memcpy(addr, key->addr, sizeof(addr));
	return hash_v6(hash_key, addr[0], addr[1]);
}

static inline uint32_t crowd_home(const __u64 hash_key[2], const struct sluice_key *key,
				  uint32_t bits)
{
	return key->family == SLUICE_FAMILY_IPV4
		       ? crowd_hash4(hash_key, key) >> (32 - bits)
		       : (uint32_t)(crowd_hash6(hash_key, key) >> (64 - bits));
}

static inline uint32_t crowd_second(const __u64 hash_key[2], const struct sluice_key *key,
				    uint32_t bits)
{
	/* The highest bits of what is not the bucket. */
	uint64_t tag = key->family == SLUICE_FAMILY_IPV4
			       ? crowd_hash4(hash_key, key) & (~0u >> bits)
			       : (crowd_hash6(hash_key, key) & (~0ull >> bits)) >> 32;

	return hash_other_bucket(crowd_home(hash_key, key, bits), (uint32_t)tag, bits);
}

/* Each call another one: (2^bits / width)^2 candidates are tried for it. */
static inline struct sluice_key crowd_next(struct crowd *crowd)
{
	struct sluice_key key = { .family = crowd->family };
	uint8_t *at = key.addr;

	if (crowd->family == SLUICE_FAMILY_IPV4) {
		key.prefix_len = 32;
	} else {
		key.prefix_len = 64;
		memcpy(key.addr, "\x20\x01\x0d\xb8", 4);
		at += 4;
	}
	do {
		crowd->tried++;
		for (int i = 0; i < 4; i++)
			at[i] = (uint8_t)(crowd->tried >> (24 - 8 * i));
	} while (crowd_home(crowd->hash_key, &key, crowd->bits) >= crowd->width ||
		 crowd_second(crowd->hash_key, &key, crowd->bits) >= crowd->width);
	return key;
}

#endif /* SLUICE_TESTS_SUPPORT_CROWD_H */
