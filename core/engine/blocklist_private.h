/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocklist's insides: blocklist.c keeps the entries, blocklist_rates.c measures and judges
 * them.
 */
#ifndef SLUICE_ENGINE_BLOCKLIST_PRIVATE_H
#define SLUICE_ENGINE_BLOCKLIST_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "blocklist.h"

#define BLOCKLIST_NO_PLACE UINT32_MAX

struct blocklist {
	struct dataplane *dp;
	struct name_table *names;
	struct hash_table *index; /* Key to place in `entries`. */
	struct history *released;
	struct blocklist_entry *entries;
	struct blocklist_detail *details; /* Parallel to `entries`. */
	uint32_t *places;		  /* Handle to place, or BLOCKLIST_NO_PLACE. */
	uint32_t *free_handles;		  /* A stack. */
	size_t n, capacity, n_handles, n_free;
	size_t n_v4, n_manual, n_in_card;
	uint32_t *carded; /* Handles that the card's last word was about. */
	size_t n_carded, carded_capacity;
	size_t lift_next; /* Where in `carded` the next turn begins. */
	struct blocklist_due *due;
	size_t due_capacity;
};

/* `array` is the address of a pointer.  0, or -ENOMEM with the array as it was. */
int blocklist_grow(void *array, size_t item_size, size_t capacity)
	__attribute__((warn_unused_result));
/* Brings the record beside the slot up to date. */
void blocklist_rewrite(struct blocklist *list, const struct blocklist_entry *entry);
/* Cut to what an entry keeps. */
uint32_t blocklist_pps(uint64_t pps);

#endif /* SLUICE_ENGINE_BLOCKLIST_PRIVATE_H */
