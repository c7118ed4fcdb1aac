/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pure functions over keys and figures.
 */
#include "logic.h"

#include <errno.h>
#include <string.h>

#include "buckets.h"

/* What an update costs beside the emulated cost: some stores for IPv4, system calls for IPv6. */
#define LOGIC_MAP_P50_NS 500
#define LOGIC_MAP_P99_NS 3000

void logic_v6_mask(unsigned int prefix_len, __be32 mask[4])
{
	uint8_t *bytes = (uint8_t *)mask;

	for (unsigned int i = 0; i < 16; i++) {
		unsigned int bits = prefix_len > i * 8 ? prefix_len - i * 8 : 0;

		bytes[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00u >> bits);
	}
}

static bool fits_mask(const struct emu_card_info *card, const __be32 addr[4])
{
	for (int i = 0; i < 4; i++) {
		if (addr[i] & ~card->v6_mask[i])
			return false;
	}
	return true;
}

int logic_key_to_card(const struct emu_card_info *card, const struct sluice_key *key,
		      struct emu_card_key *out)
{
	memset(out, 0, sizeof(*out));
	if (key->family == SLUICE_FAMILY_IPV4 && key->prefix_len == 32) {
		memcpy(out->addr, key->addr, 4);
		out->family = 4;
		return 0;
	}
	if (key->family != SLUICE_FAMILY_IPV6 || key->prefix_len != card->v6_prefix_len)
		return -EOPNOTSUPP;
	memcpy(out->addr, key->addr, 16);
	out->family = 6;
	/* Stray bits would make a rule that no packet can hit. */
	return fits_mask(card, out->addr) ? 0 : -EOPNOTSUPP;
}

bool logic_key_from_card(const struct emu_card_info *card, const struct emu_card_key *key,
			 struct sluice_key *out)
{
	memset(out, 0, sizeof(*out));
	if (key->family == 4) {
		if (key->addr[1] | key->addr[2] | key->addr[3])
			return false;
		out->family = SLUICE_FAMILY_IPV4;
		out->prefix_len = 32;
		memcpy(out->addr, key->addr, 4);
		return true;
	}
	if (key->family != 6 || !fits_mask(card, key->addr))
		return false;
	out->family = SLUICE_FAMILY_IPV6;
	out->prefix_len = (uint8_t)card->v6_prefix_len;
	memcpy(out->addr, key->addr, 16);
	return true;
}

const char *logic_card_fault(const struct emu_card_info *card)
{
	__be32 mask[4];

	if (card->magic != EMU_CARD_MAGIC)
		return "it is not an emulated card's description";
	if (card->layout != EMU_CARD_LAYOUT)
		return "it is of another version of sluice-emu-card";
	if (card->v6_prefix_len < 1 || card->v6_prefix_len > 128)
		return "its IPv6 prefix length is not within 1 to 128";
	if (card->capacity == 0)
		return "its capacity is 0";
	if (card->n_buckets != buckets_needed(card->capacity))
		return "its number of buckets contradicts its capacity";
	if (card->counters > 1)
		return "it neither has counters nor lacks them";
	logic_v6_mask(card->v6_prefix_len, mask);
	if (memcmp(mask, card->v6_mask, sizeof(mask)) != 0)
		return "its IPv6 mask contradicts its prefix length";
	return NULL;
}

void logic_caps(const struct emu_card_info *card, bool counters, uint64_t update_cost_ns,
		struct sluice_backend_caps *caps)
{
	caps->capacity = card->capacity;
	caps->matches = SLUICE_BACKEND_MATCH_IPV4;
	caps->matches |= card->v6_prefix_len == 128 ? SLUICE_BACKEND_MATCH_IPV6
						    : SLUICE_BACKEND_MATCH_IPV6_PREFIX;
	caps->counters = card->counters && counters;
	caps->emulated = true;
	caps->update_p50_ns = update_cost_ns + LOGIC_MAP_P50_NS;
	caps->update_p99_ns = update_cost_ns + LOGIC_MAP_P99_NS;
}

int logic_result(int rc)
{
	/* A hash map without room says E2BIG. */
	return rc == -E2BIG ? -ENOSPC : rc;
}
