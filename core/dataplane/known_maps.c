/* SPDX-License-Identifier: BSD-2-Clause */
/* See known_maps.h. */
#include "known_maps.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "grace.h"
#include "hash.h"
#include "known_shared.h"
#include "shared.h"

uint32_t known_maps_bits(uint32_t max_known)
{
	uint32_t bits = KNOWN_MIN_BITS;

	/* At most half full, so that nearly every key lies in its home bucket. */
	while (bits < KNOWN_MAX_BITS && (uint64_t)(KNOWN4_WAYS / 2) << bits < max_known)
		bits++;
	return bits;
}

int known_maps_open(struct known_maps *maps, int fd4, int fd6, struct sluice_header *header,
		    struct sluice_err *err)
{
	size_t buckets4 = (size_t)KNOWN_GENERATIONS << header->known_bits;
	int code = mapped_open(&maps->v4, fd4, "known4", err);

	maps->header = header;
	/* The daemon before may have died within a change. */
	maps->is_unsettled = true;
	if (!code)
		code = mapped_open(&maps->v6, fd6, "known6", err);
	if (code)
		return code;
	if (maps->v4.size < buckets4 * sizeof(struct known4_bucket) ||
	    maps->v6.size < 2 * buckets4 * sizeof(struct known6_bucket)) {
		err_set(err, "pin_path", "the tables of known clients are of another size");
		return -EPROTO;
	}
	return 0;
}

void known_maps_close(struct known_maps *maps)
{
	mapped_close(&maps->v4);
	mapped_close(&maps->v6);
}

static bool add4(const struct known_maps *maps, uint32_t generation, uint32_t addr)
{
	uint32_t bits = maps->header->known_bits;
	uint32_t home = known_home(hash_v4(maps->header->hash_key, addr), bits);
	struct known4_bucket *buckets = maps->v4.memory;

	/* 0.0.0.0 has no place, because it marks a free one; nor does it send packets. */
	for (uint32_t probe = 0; addr && probe < KNOWN_PROBES; probe++) {
		uint32_t *way = buckets[known_index(generation, home, probe, bits)].addr;

		for (int i = 0; i < KNOWN4_WAYS; i++) {
			if (way[i] == addr)
				return true;
			if (!way[i]) {
				way[i] = addr;
				return true;
			}
		}
	}
	return false;
}

static bool add6(const struct known_maps *maps, uint32_t generation, const uint64_t addr[2])
{
	uint32_t bits = maps->header->known_bits + 1;
	uint64_t hash = hash_v6(maps->header->hash_key, addr[0], addr[1]);
	struct known6_bucket *buckets = maps->v6.memory;
	uint32_t home = known_home(hash, bits);

	for (uint32_t probe = 0; probe < KNOWN_PROBES; probe++) {
		__u64 *way = buckets[known_index(generation, home, probe, bits)].hash;

		for (int i = 0; i < KNOWN6_WAYS; i++) {
			if (way[i] == hash)
				return true;
			if (!way[i]) {
				way[i] = hash;
				return true;
			}
		}
	}
	return false;
}

static bool add(const struct known_maps *maps, uint32_t generation, const struct sluice_key *key)
{
	uint64_t addr[2];

	memcpy(addr, key->addr, sizeof(addr));
	if (key->family == SLUICE_FAMILY_IPV4 && key->prefix_len == 32)
		return add4(maps, generation, (uint32_t)addr[0]);
	if (key->family == SLUICE_FAMILY_IPV6 && key->prefix_len == 128)
		return add6(maps, generation, addr);
	return false;
}

static void wipe(const struct known_maps *maps, uint32_t generation)
{
	uint32_t bits = maps->header->known_bits;
	struct known4_bucket *v4 = maps->v4.memory;
	struct known6_bucket *v6 = maps->v6.memory;

	memset(&v4[generation << bits], 0, sizeof(*v4) << bits);
	memset(&v6[generation << (bits + 1)], 0, sizeof(*v6) << (bits + 1));
}

/* Of all keys in their order; keyed, so that nobody can have one set taken for another. */
static uint64_t hash_of(const struct known_maps *maps, const struct sluice_key *keys, size_t n)
{
	const struct address_secret secret = { { maps->header->hash_key[0],
						 maps->header->hash_key[1] } };
	uint64_t hash = n;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ address_hash(&keys[i], &secret)) * 0x9e3779b97f4a7c15ull;
	return hash;
}

static int clip(size_t left_out)
{
	return left_out < INT_MAX ? (int)left_out : INT_MAX;
}

int known_maps_set(struct known_maps *maps, struct grace *grace, const struct sluice_key *keys,
		   size_t n, struct sluice_err *err)
{
	uint32_t next = (maps->header->known ^ 1) & 1;
	uint64_t hash = hash_of(maps, keys, n);
	size_t left_out = 0;

	if (maps->has_written && hash == maps->written)
		return clip(n - maps->n);
	if (maps->is_unsettled) {
		int code = grace_wait(grace, err);

		if (code)
			return code;
	}
	wipe(maps, next);
	for (size_t i = 0; i < n; i++)
		left_out += !add(maps, next, &keys[i]);
	__atomic_store_n(&maps->header->known, next, __ATOMIC_RELEASE);
	maps->is_unsettled = true;
	maps->n = (uint32_t)(n - left_out);
	maps->has_written = true;
	maps->written = hash;
	return clip(left_out);
}

void known_maps_settled(struct known_maps *maps)
{
	maps->is_unsettled = false;
}
