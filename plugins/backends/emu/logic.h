/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the emulated card's back end decides without touching a card: keys, capabilities, cost.
 */
#ifndef SLUICE_BACKENDS_EMU_LOGIC_H
#define SLUICE_BACKENDS_EMU_LOGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/backend.h>

#include "emu_card.h"

/* The card's mask for IPv6 sources; `prefix_len` up to 128. */
void logic_v6_mask(unsigned int prefix_len, __be32 mask[4]);

/* As the card matches it.  -EOPNOTSUPP: no whole IPv4 address, nor the card's IPv6 unit. */
int logic_key_to_card(const struct emu_card_info *card, const struct sluice_key *key,
		      struct emu_card_key *out) __attribute__((warn_unused_result));

/* The way back; false for what no rule of ours can be, since the map's content is not trusted. */
bool logic_key_from_card(const struct emu_card_info *card, const struct emu_card_key *key,
			 struct sluice_key *out);

/* Whether a pinned description contradicts itself; NULL, or what is wrong, in words. */
const char *logic_card_fault(const struct emu_card_info *card);

/* What the card can do, with counters switched off and made slow as configured. */
void logic_caps(const struct emu_card_info *card, bool counters, uint64_t update_cost_ns,
		struct sluice_backend_caps *caps);

/* The contract's word for what a map update returned. */
int logic_result(int rc);

#endif /* SLUICE_BACKENDS_EMU_LOGIC_H */
