/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source as the card's program looks it up, and the names by which our programs are known.
 */
#ifndef SLUICE_BACKENDS_NFP_KEY_H
#define SLUICE_BACKENDS_NFP_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

#include "nic_drop.h"

/* Which of the programs of nic_drop.bpf.c. */
struct key_variant {
	uint8_t v6_prefix_len; /* 48, 56, 64 or 128: the unit of IPv6 rules. */
	bool counts;
};

#define KEY_NAME_SIZE 16 /* As the kernel keeps names, with the final zero. */

bool key_has_program(uint8_t v6_prefix_len);

void key_program_name(const struct key_variant *variant, char name[KEY_NAME_SIZE]);

/* The way back; false: a program of somebody else. */
bool key_variant_of(const char *name, struct key_variant *variant);

/* -EOPNOTSUPP: neither a whole IPv4 address nor of the program's IPv6 prefix length. */
int key_to_card(uint8_t v6_prefix_len, const struct sluice_key *key, struct nic_drop_key *out)
	__attribute__((warn_unused_result));

/* The way back; false for what no rule of ours can be, since the map's content is not trusted. */
bool key_from_card(uint8_t v6_prefix_len, const struct nic_drop_key *key, struct sluice_key *out);

#endif /* SLUICE_BACKENDS_NFP_KEY_H */
