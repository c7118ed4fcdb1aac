/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invented addresses.  See invent.h.  SipHash of the name under the seed, drawn again with the next
 * attempt's number until the address may be used.
 */
#include "invent.h"

#include <string.h>

#include "base/address.h"
#include "base/hash_table.h"

#define MAX_ATTEMPTS 256

struct range {
	uint8_t addr[4];
	uint8_t prefix_len;
};

/* IANA's registry of special-purpose addresses, and multicast and above. */
static const struct range not_global[] = {
	{ { 0, 0, 0, 0 }, 8 },	    { { 10, 0, 0, 0 }, 8 },	{ { 100, 64, 0, 0 }, 10 },
	{ { 127, 0, 0, 0 }, 8 },    { { 169, 254, 0, 0 }, 16 }, { { 172, 16, 0, 0 }, 12 },
	{ { 192, 0, 0, 0 }, 24 },   { { 192, 0, 2, 0 }, 24 },	{ { 192, 88, 99, 0 }, 24 },
	{ { 192, 168, 0, 0 }, 16 }, { { 198, 18, 0, 0 }, 15 },	{ { 198, 51, 100, 0 }, 24 },
	{ { 203, 0, 113, 0 }, 24 }, { { 224, 0, 0, 0 }, 3 },
};
#define N_NOT_GLOBAL (sizeof(not_global) / sizeof(not_global[0]))

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool is_global(const struct sluice_key *key)
{
	static const uint8_t documentation[] = { 0x20, 0x01, 0x0d, 0xb8 };
	uint32_t addr = be32(key->addr);

	if (key->family == SLUICE_FAMILY_IPV6)
		return memcmp(key->addr, documentation, sizeof(documentation)) != 0;
	for (size_t i = 0; i < N_NOT_GLOBAL; i++)
		if (((addr ^ be32(not_global[i].addr)) >> (32 - not_global[i].prefix_len)) == 0)
			return false;
	return true;
}

uint64_t invent_mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15u;
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

bool invent_is_protected(const struct invent *invent, const struct sluice_key *address)
{
	for (size_t i = 0; i < invent->n_protect; i++)
		if (address_covers(&invent->protect[i], address))
			return true;
	return false;
}

static bool is_taken(const struct invent *invent, const struct sluice_key *address)
{
	for (size_t i = 0; i < 2; i++)
		if (invent->taken[i] && hash_table_get(invent->taken[i], address, NULL))
			return true;
	return false;
}

static struct sluice_key address_of_bits(uint8_t family, uint64_t high, uint64_t low)
{
	uint8_t bytes[16];

	memcpy(bytes, &high, sizeof(high));
	memcpy(bytes + 8, &low, sizeof(low));
	if (family == SLUICE_FAMILY_IPV4)
		return address_from_ipv4(bytes, 32);
	bytes[0] = (uint8_t)(0x20 | (bytes[0] & 0x1f)); /* 2000::/3, global unicast. */
	return address_from_ipv6(bytes, 128);
}

bool invent_address(const struct invent *invent, const struct invent_name *name,
		    struct sluice_key *out)
{
	struct address_secret secret;
	struct sluice_key candidate;
	uint64_t high, low = 0;

	secret.k[0] = invent_mix(invent->seed);
	secret.k[1] = invent_mix(((uint64_t)name->space << 32 | name->pass) ^ secret.k[0]);
	if (name->peer.family)
		secret.k[0] ^= address_hash(&name->peer, &secret);
	for (unsigned int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
		high = address_hash(&name->address, &secret);
		if (name->address.family == SLUICE_FAMILY_IPV6)
			low = invent_mix(high ^ secret.k[1]);
		candidate = address_of_bits(name->address.family, high, low);
		if (is_global(&candidate) && !invent_is_protected(invent, &candidate) &&
		    !is_taken(invent, &candidate)) {
			*out = candidate;
			return true;
		}
		secret.k[1]++;
	}
	return false;
}
