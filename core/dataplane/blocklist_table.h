/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocklist in pinned memory: both families' tables and the record of each blocked source, in
 * an order of writes from which a new daemon can always tell what was meant.
 *
 *   block:    record (state USED last) -> key published
 *   unblock:  record LEAVING -> key removed -> record FREE
 *
 * So a daemon that dies in between leaves either a record without a key (finished by the next one)
 * or a record that says the key is to go.
 */
#ifndef SLUICE_DATAPLANE_BLOCKLIST_TABLE_H
#define SLUICE_DATAPLANE_BLOCKLIST_TABLE_H

#include "block_family.h"
#include "dataplane.h"
#include "shared.h"

struct blocklist_table;

/* The mapped memory and the maps it works on; all stay the caller's. */
struct blocklist_memory {
	struct sluice_header *header; /* Hash key, sizes, names. */
	struct block_memory v4, v6;
	struct sluice_block_record *records; /* header->max_blocked of them. */
};

/* What adoption found. */
struct blocklist_adoption {
	size_t adopted; /* Blocks taken over. */
	size_t damaged; /* Records that contradicted themselves or the table: dropped. */
	size_t orphans; /* Keys without a record: removed. */
};

/* Takes over whatever the memory holds, checking all of it. */
int blocklist_table_new(const struct blocklist_memory *memory, struct blocklist_table **out,
			struct blocklist_adoption *adoption, struct sluice_err *err)
	__attribute__((warn_unused_result));
void blocklist_table_free(struct blocklist_table *table);

/* Asks the CPU for the memory that adding `key` will touch, some additions later. */
void blocklist_table_prefetch(const struct blocklist_table *table, const struct sluice_key *key);
int blocklist_table_add(struct blocklist_table *table, const struct dataplane_block_record *record,
			dataplane_slot *slot, struct sluice_err *err)
	__attribute__((warn_unused_result));
void blocklist_table_update(struct blocklist_table *table, dataplane_slot slot,
			    const struct dataplane_block_record *record);
void blocklist_table_del(struct blocklist_table *table, dataplane_slot slot);
uint32_t blocklist_table_packets(const struct blocklist_table *table, dataplane_slot slot);
void blocklist_table_foreach(const struct blocklist_table *table, dataplane_block_fn fn, void *ctx);
/* After a grace wait. */
void blocklist_table_release(struct blocklist_table *table);
/* Entries of a family. */
uint32_t blocklist_table_count(const struct blocklist_table *table, uint8_t family);

#endif /* SLUICE_DATAPLANE_BLOCKLIST_TABLE_H */
