/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data plane on real interfaces, private to the live_*.c files: live.c opens it,
 * live_load.c loads and unloads its programs and maps, live_ops.c answers the calls of dataplane.h.
 */
#ifndef SLUICE_DATAPLANE_LIVE_H
#define SLUICE_DATAPLANE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attachment.h"
#include "blocklist_table.h"
#include "dataplane.h"
#include "deliver_maps.h"
#include "grace.h"
#include "known_maps.h"
#include "live_side.h"
#include "live_tables.h"
#include "mapped.h"
#include "prefix_maps.h"
#include "rule_maps.h"
#include "state.h"

struct egress_plane;
struct filter;

struct live {
	struct dataplane dp; /* First member. */
	struct state state;
	struct filter *filter;
	struct live_side *side[2];
	/* With other features; takes its place before that side counts again.  Or NULL. */
	struct live_side *next[2];
	uint64_t passed;	   /* Packets that had passed when the live side began. */
	struct live_tables tables; /* Of both sides. */
	struct mapped header_page, counters, block4, block6, carry4, carry6, records;
	struct sluice_header *header;
	struct blocklist_table *blocklist;
	struct prefix_maps prefixes;
	struct rule_maps rules;
	struct known_maps known;
	struct deliver_maps deliver;
	struct egress_plane *egress; /* NULL: off. */
	struct grace *grace;
	struct attachment *attachments;
	size_t n_attachments;
	bool shared; /* How they are attached, ... */
	uint32_t priority;
	uint64_t on_death_expire_ns;
	uint32_t max_spoken; /* Hosts that this server spoke to first. */
	enum dataplane_swap_design swap;
	int slot_fd;  /* The program that the filter goes on to now; -1 = not ours. */
	bool flipped; /* Sides were flipped, but not waited for: none may be read, or flipped. */
	bool pinned;  /* Maps may be pinned by this call. */
	bool replays; /* Nothing is pinned or attached; one CPU, a virtual clock. */
};

static inline struct live *live_of(struct dataplane *dp)
{
	return (struct live *)dp;
}

static inline const struct live *live_of_const(const struct dataplane *dp)
{
	return (const struct live *)dp;
}

/* live_load.c: the skeletons' types stay there. */
int live_load_filter(struct live *live, const struct dataplane_live_options *options,
		     struct sluice_err *err);

/* Maps the filter's tables; `live->header` is valid afterwards. */
int live_map_memory(struct live *live, struct sluice_err *err);

/* Loads the feature programs of both sides; on failure `out` is as it was. */
int live_open_sides(struct live *live, const struct dataplane_features *features,
		    struct live_side *out[2], struct sluice_err *err);

/* Takes over what the pinned tables hold; the filter is loaded and its memory mapped. */
int live_open_lists(struct live *live, struct blocklist_adoption *adoption, struct sluice_err *err);

/* The programs at tc, attached; without them, if that is all that can be had and will do. */
int live_open_egress(struct live *live, const struct dataplane_live_options *options,
		     struct sluice_err *err);

int live_filter_fd(const struct live *live);

/*
 * Detaches this process and frees all.  `undo`: takes back what it attached and, if nothing was
 * adopted, pinned.
 */
void live_free(struct live *live, bool undo);

/* live_ops.c */
extern const struct dataplane_ops live_ops;

/* The daemon is alive: automatic blocks last until that much later. */
void live_heartbeat(struct live *live);

/* Makes `side` the one that counts. */
int live_flip_to(struct live *live, unsigned int side, struct sluice_err *err);

void live_update_occupancy(struct live *live);
void live_modes_set(struct live *live, bool enforce, bool pass_malformed);

/* live.c: all but attaching: programs loaded, memory mapped, lists taken over; `live->state` is open. */
int live_prepare(struct live *live, const struct dataplane_live_options *options,
		 struct sluice_err *err);

#endif /* SLUICE_DATAPLANE_LIVE_H */
