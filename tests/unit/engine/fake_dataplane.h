/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A data plane in plain memory for the tests of the engine: judges packets as the filter does,
 * fails as it is told, and watches the engine keep blocked and allowed sources disjoint.
 */
#ifndef SLUICE_TESTS_UNIT_ENGINE_FAKE_DATAPLANE_H
#define SLUICE_TESTS_UNIT_ENGINE_FAKE_DATAPLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

enum { FAKE_PREFIXES = 256, FAKE_ALLOWED = 256, FAKE_OWN = 32 };

struct fake_slot {
	bool used;
	struct dataplane_block_record record;
	uint32_t packets;
};

struct fake_filter_rule {
	struct dataplane_rule rule;
	struct dataplane_rule_counters counters; /* Its name and action are not kept there. */
};

struct fake_side {
	struct sluice_source *rows; /* One a source. */
	struct hash_table *index;
	size_t n, capacity;
};

struct fake_dataplane {
	struct dataplane dp; /* First. */
	struct hash_table *index;
	struct fake_slot *slots;
	size_t n_slots, slots_capacity;
	struct sluice_key prefixes[FAKE_PREFIXES];
	uint64_t prefix_expires_ns[FAKE_PREFIXES];
	size_t n_prefixes;
	struct dataplane_allow allow[FAKE_ALLOWED];
	size_t n_allow;
	struct sluice_key own[FAKE_OWN];
	size_t n_own;
	struct sluice_key known[FAKE_OWN];
	size_t n_known;
	unsigned int n_known_sets;
	struct fake_side live, idle;
	struct fake_filter_rule rules[DATAPLANE_MAX_RULES];
	size_t n_rules;
	unsigned int n_rules_sets;
	int rules_code;
	struct dataplane_counters counters;
	bool enforce;
	uint8_t v6_prefix_len;
	size_t capacity;			 /* Of exact sources. */
	uint64_t untracked;			 /* Reported by the next read. */
	struct dataplane_features_read features; /* Reported by every read. */
	const char *gone;			 /* An interface that is gone, told once. */

	int block_code, prefix_set_code, prefix_del_code, allow_code, own_code, swap_code;

	unsigned int n_blocks, n_unblocks, n_updates, n_swaps, n_closes;
	unsigned int violations; /* Moments at which something blocked was allow-listed. */
	uint32_t first_counter;	 /* What a new slot's counter starts at. */
};

void fake_dataplane_init(struct fake_dataplane *fake);
void fake_dataplane_fini(struct fake_dataplane *fake);

/* What the filter would do with packets of 60 bytes from this address. */
void fake_dataplane_send(struct fake_dataplane *fake, const struct sluice_key *source,
			 uint64_t packets);
/* The same for UDP packets from this port, which rules may match. */
void fake_dataplane_send_from_port(struct fake_dataplane *fake, const struct sluice_key *source,
				   uint16_t source_port, uint64_t packets);
/* Puts an entry there as an earlier daemon might have left it, unchecked. */
void fake_dataplane_pin(struct fake_dataplane *fake, const struct dataplane_block_record *record);

/* NULL if this very source is not blocked. */
const struct fake_slot *fake_dataplane_blocked(const struct fake_dataplane *fake,
					       const struct sluice_key *key);
bool fake_dataplane_has_prefix(const struct fake_dataplane *fake, const struct sluice_key *key);
size_t fake_dataplane_size(const struct fake_dataplane *fake);
/* How many exact entries overlap the allow-list or our own addresses. */
size_t fake_dataplane_overlaps(const struct fake_dataplane *fake);

#endif /* SLUICE_TESTS_UNIT_ENGINE_FAKE_DATAPLANE_H */
