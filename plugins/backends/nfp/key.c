/* SPDX-License-Identifier: BSD-2-Clause */
/* See key.h. */
#include "key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint8_t prefix_lens[] = { 48, 56, 64, 128 };

bool key_has_program(uint8_t v6_prefix_len)
{
	return memchr(prefix_lens, v6_prefix_len, sizeof(prefix_lens));
}

void key_program_name(const struct key_variant *variant, char name[KEY_NAME_SIZE])
{
	snprintf(name, KEY_NAME_SIZE, "sluice_nic%u%s", variant->v6_prefix_len,
		 variant->counts ? "c" : "");
}

bool key_variant_of(const char *name, struct key_variant *variant)
{
	char own[KEY_NAME_SIZE];

	for (size_t i = 0; i < 2 * sizeof(prefix_lens); i++) {
		*variant = (struct key_variant){
			.v6_prefix_len = prefix_lens[i / 2],
			.counts = i % 2,
		};
		key_program_name(variant, own);
		if (strcmp(name, own) == 0)
			return true;
	}
	return false;
}

/* Stray bits would make a rule that no packet can hit. */
static bool fits_prefix(const uint8_t addr[16], unsigned int prefix_len)
{
	for (unsigned int i = prefix_len / 8; i < 16; i++)
		if (addr[i])
			return false;
	return true;
}

int key_to_card(uint8_t v6_prefix_len, const struct sluice_key *key, struct nic_drop_key *out)
{
	memset(out, 0, sizeof(*out));
	if (key->family == SLUICE_FAMILY_IPV4 && key->prefix_len == 32) {
		memcpy(out->addr, key->addr, 4);
		out->family = 4;
		return 0;
	}
	if (key->family != SLUICE_FAMILY_IPV6 || key->prefix_len != v6_prefix_len ||
	    !fits_prefix(key->addr, v6_prefix_len))
		return -EOPNOTSUPP;
	memcpy(out->addr, key->addr, 16);
	out->family = 6;
	return 0;
}

bool key_from_card(uint8_t v6_prefix_len, const struct nic_drop_key *key, struct sluice_key *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->addr, key->addr, sizeof(out->addr));
	if (key->family == 4) {
		out->family = SLUICE_FAMILY_IPV4;
		out->prefix_len = 32;
		return fits_prefix(out->addr, 32);
	}
	out->family = SLUICE_FAMILY_IPV6;
	out->prefix_len = v6_prefix_len;
	return key->family == 6 && fits_prefix(out->addr, v6_prefix_len);
}
