/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The truth about who is blocked; the data plane and the card hold copies.  Entries lie densely in
 * one array, so that a window's pass over a million of them streams through memory, and that array
 * is at the same time what detectors see as sluice_window.blocked.
 */
#ifndef SLUICE_ENGINE_BLOCKLIST_H
#define SLUICE_ENGINE_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "dataplane/dataplane.h"
#include "engine.h"
#include "history.h"
#include "lifecycle.h"
#include "rate_monitor.h"

struct address_secret;
struct name_table;
struct offload_state;

/* Released sources whose repeats are remembered, and for how long. */
#define BLOCKLIST_REMEMBERED (1u << 17)
#define BLOCKLIST_REMEMBER_NS (24ull * 3600 * 1000000000ull)
/* No back-off makes a term longer than this. */
#define BLOCKLIST_TERM_MAX_NS (24ull * 3600 * 1000000000ull)

/* What every window touches. */
struct blocklist_entry {
	struct sluice_blocked_source view; /* First: see the comment above. */
	uint64_t expires_ns;		   /* CLOCK_BOOTTIME; 0 = never */
	uint64_t dropped;		   /* Packets since it was blocked. */
	dataplane_slot slot;
	uint32_t counter;     /* Of the slot, as last read. */
	uint32_t handle;      /* Its lasting name; the index changes. */
	uint32_t blocked_pps; /* The rate that the block rests on; 0 = not known. */
	uint32_t born;	      /* Window in which it was blocked. */
	uint32_t seen_s;      /* CLOCK_BOOTTIME in s: when it last sent anything; 0 = never. */
	uint16_t quiet_windows;
	uint8_t unknown_windows; /* In a row, in a card that cannot say what it sends. */
	uint8_t loud_ago;	 /* Windows since it was loud, or was blocked. */
	uint8_t state;		 /* enum engine_state */
	bool in_card;
	bool lifted; /* Kept out of the card, to be measured in software. */
};

/* What is asked for now and then. */
struct blocklist_detail {
	uint64_t first_seen_ns; /* CLOCK_BOOTTIME */
	uint32_t repeats;	/* How often it had been blocked before. */
	uint16_t detector, reason;
	char evidence[64];
};

struct blocklist_terms {
	uint64_t ttl_ns;
	double backoff;
};

struct blocklist;

int blocklist_new(struct dataplane *dp, struct name_table *names,
		  const struct address_secret *secret, struct blocklist **out)
	__attribute__((warn_unused_result));
/* Leaves the data plane as it is. */
void blocklist_free(struct blocklist *list);

size_t blocklist_size(const struct blocklist *list);
size_t blocklist_family_size(const struct blocklist *list, uint8_t family);
size_t blocklist_manual(const struct blocklist *list);
size_t blocklist_in_card(const struct blocklist *list);
/* Dense; valid until the next block or release. */
struct blocklist_entry *blocklist_entries(const struct blocklist *list);
const struct blocklist_detail *blocklist_detail(const struct blocklist *list,
						const struct blocklist_entry *entry);
/* NULL if it is not blocked as a source of its own. */
struct blocklist_entry *blocklist_find(const struct blocklist *list, const struct sluice_key *key);
struct blocklist_entry *blocklist_by_handle(const struct blocklist *list, uint32_t handle);
/* NULL if it was not released lately. */
const struct history_entry *blocklist_released(const struct blocklist *list,
					       const struct sluice_key *key, uint64_t now_ns);

struct blocklist_request {
	struct sluice_key key;
	uint64_t now_ns; /* CLOCK_BOOTTIME */
	uint64_t ttl_ns; /* Manual only; 0 = until unblocked. */
	uint64_t pps;
	uint64_t packets; /* That it sent in this window, before it was blocked. */
	uint16_t detector, reason;
	const char *evidence;
	uint32_t sequence; /* The window. */
	bool manual;
};
/*
 * Blocks a source that is not blocked.  A repeater's term grows by the back-off.  -ENOSPC: no room
 * in the data plane; -EEXIST: it is blocked.
 */
int blocklist_block(struct blocklist *list, const struct blocklist_request *request,
		    const struct blocklist_terms *terms, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Makes a block the operator's, with his term. */
void blocklist_pin(struct blocklist *list, struct blocklist_entry *entry, uint64_t expires_ns,
		   uint16_t detector, uint16_t reason);
/* An entry found in the data plane; `slot` is its place there. */
int blocklist_adopt(struct blocklist *list, dataplane_slot slot,
		    const struct dataplane_block_record *record)
	__attribute__((warn_unused_result));

/*
 * Takes an entry out by an event that the life cycle knows as an end; false if the event does not
 * end it.  `held_until_ns`: not to be blocked automatically before; 0 = no such hold.  An entry
 * that the operator freed is not counted as a repeater.
 */
bool blocklist_release(struct blocklist *list, struct blocklist_entry *entry,
		       enum lifecycle_event event, uint64_t now_ns, uint64_t held_until_ns);

/* What the card holds, as of the last exchange.  Replaces what the last call said. */
void blocklist_card(struct blocklist *list, const struct offload_state *states, size_t n);
/* Nothing was heard of the card: it holds what it held, and what it dropped is not known. */
void blocklist_card_silent(struct blocklist *list);

/*
 * Probation for cards without hit counters: of the entries that nothing has been known of for
 * BLOCKLIST_UNKNOWN_WINDOWS, lifts 1/`share` of what the card holds, and at least one, in turn.  A
 * lifted entry is not to be offered to the card; XDP goes on dropping it and counts it.  A loud
 * window ends that, quiet ones lead to its release.
 */
#define BLOCKLIST_UNKNOWN_WINDOWS 10
void blocklist_lift(struct blocklist *list, size_t share);

/* An entry whose time has come, and why. */
struct blocklist_due {
	uint32_t handle;
	enum lifecycle_event event;
};

/*
 * A card's word of a new rule comes with the next exchange, or with the one after if the card is slow.
 * Until then nobody sees what its source sends: so long a source that was loud is not called quiet.
 */
#define BLOCKLIST_BLIND_WINDOWS 2

struct blocklist_measure_input {
	struct rate_limits limits;
	struct blocklist_terms terms;
	bool offered;		/* The entries are, to a card. */
	uint32_t quiet_windows; /* As many quiet ones in a row end a block. */
	uint64_t now_ns;	/* CLOCK_BOOTTIME */
};

struct blocklist_measured {
	uint64_t automatic_packets;	 /* Software and hardware. */
	uint64_t assumed_packets;	 /* Of those that the card drops without counting. */
	const struct blocklist_due *due; /* Valid until the next call. */
	size_t n_due;
};

/*
 * Reads every entry's counter and judges it.  Terms of those that still send are extended here;
 * those to be released are only listed, for blocklist_release().  Without memory for that list they
 * come up again in the next window.
 */
void blocklist_measure(struct blocklist *list, const struct blocklist_measure_input *input,
		       struct blocklist_measured *measured);

/* How long a block lasts after `repeats` earlier ones. */
uint64_t blocklist_term(const struct blocklist_terms *terms, uint32_t repeats);

#endif /* SLUICE_ENGINE_BLOCKLIST_H */
