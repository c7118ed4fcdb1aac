/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's book of the card's table: one row for each source that the card holds, and for each
 * that it would not take, with what was measured of it.  Row numbers are stable while a row lives.
 */
#ifndef SLUICE_OFFLOAD_TABLE_H
#define SLUICE_OFFLOAD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

#define TABLE_NONE UINT32_MAX

enum row_state {
	ROW_STATE_FREE,	    /* No source. */
	ROW_STATE_PRESENT,  /* In the card's table. */
	ROW_STATE_DEFERRED, /* The card did not take it; to be tried again at `retry_ns`. */
	ROW_STATE_REFUSED,  /* The card cannot match it. */
	ROW_STATE_RETIRED,  /* Left the table; its last count still has to reach the engine. */
};

struct row {
	struct sluice_key key;
	uint32_t handle;     /* The engine's; TABLE_NONE until it named the source. */
	uint32_t generation; /* Changes when the number is given to another source. */
	enum row_state state;
	uint32_t residency;   /* Windows since it was added. */
	uint32_t attempts;    /* Failures in a row, for the back-off. */
	uint64_t retry_ns;    /* When it may be tried again; 0 = now. */
	uint64_t named_round; /* The last round whose sources had it. */

	uint64_t measured_round; /* The round in which `hw_pps` was measured. */
	bool baseline;		 /* `counter` holds a reading to take the next delta from. */
	bool measured;		 /* `hw_pps` is a measurement, not `soft_pps` standing in. */
	bool published;		 /* RETIRED: it was in a report. */
	bool listed;		 /* During an audit: the card named it. */
	uint32_t missing;	 /* Readings in a row that left it out. */
	uint32_t ineffective;	 /* Windows in a row in which its packets came through. */
	bool worked;		 /* Since it was added, the rule has dropped something. */
	uint64_t read_round;	 /* The last round whose reading had it. */
	uint64_t counter;	 /* As last read from the card. */
	uint64_t counter_ns;	 /* What moment that reading is of; 0 = never read. */
	uint64_t total;		 /* Packets in hardware since this row began; only grows. */
	uint64_t rate_total;	 /* `total` and time at the start of the rate being measured. */
	uint64_t rate_ns;
	uint64_t hw_pps;
	uint64_t soft_pps; /* Its rate in software when it was added. */
};

struct table;

int table_new(struct table **out) __attribute__((warn_unused_result));
void table_free(struct table *table);

/* Rows are numbered from 0 to here; some may be FREE. */
uint32_t table_n_rows(const struct table *table);
/* How many rows are PRESENT. */
uint32_t table_n_present(const struct table *table);
/* Valid until the next table_add(). */
struct row *table_row(struct table *table, uint32_t id);

/* The row of a source that is PRESENT, DEFERRED or REFUSED, or TABLE_NONE. */
uint32_t table_find(const struct table *table, const struct sluice_key *key);

/* A new row for a source that has none, DEFERRED with no delay and all else zero.  0 or -ENOMEM. */
int table_add(struct table *table, const struct sluice_key *key, uint32_t *id)
	__attribute__((warn_unused_result));

/* Any state but FREE to PRESENT, DEFERRED or REFUSED; keeps the count of present ones. */
void table_set_state(struct table *table, uint32_t id, enum row_state state);

/* Takes the source out of the index; the row keeps its number and count until table_del(). */
void table_retire(struct table *table, uint32_t id);

/* Frees the row, whatever its state. */
void table_del(struct table *table, uint32_t id);

#endif /* SLUICE_OFFLOAD_TABLE_H */
