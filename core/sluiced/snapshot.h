/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon knows of itself after a window: taken once per window on the engine's thread,
 * read at leisure by `sluice status` and /metrics, which therefore never touch the engine.
 */
#ifndef SLUICE_SLUICED_SNAPSHOT_H
#define SLUICE_SLUICED_SNAPSHOT_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/event_log.h"
#include "dataplane/dataplane.h"
#include "engine/engine.h"

#include "offload/offload.h"
#include "stack_door.h"

#define SNAPSHOT_DETECTORS_MAX 16
#define SNAPSHOT_INTERFACES_MAX 32

struct snapshot_detector {
	char name[32];
	struct engine_detector_status status; /* Its `name` is NULL here. */
};

struct snapshot_interface {
	char name[IFNAMSIZ];
	const char *mode;     /* "native", "generic", "hardware" */
	unsigned int ifindex; /* When it was attached. */
	int deliver_slot;     /* -1: nothing is delivered. */
	bool gone;	      /* No interface has that name and number any more. */
	bool detached;	      /* Somebody else took our program away. */
};

/* What a signature rule has done; the rules themselves are asked for by `sluice rules`. */
struct snapshot_rule {
	char name[SLUICE_RULE_NAME_SIZE];
	char origin[DATAPLANE_RULE_ORIGIN_SIZE];
	const char *action; /* A literal. */
	struct dataplane_count matched, dropped;
};

struct snapshot {
	const char *placement; /* As in the deployment file; constant. */
	uint64_t started_realtime_ns, taken_realtime_ns;
	bool adopted;
	struct snapshot_interface interfaces[SNAPSHOT_INTERFACES_MAX];
	size_t n_interfaces;
	struct engine_status engine; /* Its `detectors` is NULL here. */
	struct snapshot_detector detectors[SNAPSHOT_DETECTORS_MAX];
	size_t n_detectors;
	struct dataplane_counters counters;
	uint64_t pps[DATAPLANE_N_REASONS]; /* Packets a second since the snapshot before. */
	struct snapshot_rule rules[DATAPLANE_MAX_RULES];
	size_t n_rules;
	struct dataplane_occupancy occupancy;
	enum dataplane_egress egress;
	struct dataplane_egress_counts egress_counts;
	struct dataplane_features features;
	bool delivers; /* Something goes to AF_XDP. */
	struct dataplane_deliver_counts deliver;
	struct stack_door_client stacks[STACK_DOOR_MAX]; /* Who serves which queue. */
	size_t n_stacks;
	bool has_offload;
	struct offload_status offload;
	struct event_log_stats events;
};

/* The newest snapshot, for readers on any thread. */
struct snapshot_board;

int snapshot_board_new(struct snapshot_board **out) __attribute__((warn_unused_result));
void snapshot_board_free(struct snapshot_board *board);
void snapshot_board_put(struct snapshot_board *board, const struct snapshot *snapshot);
void snapshot_board_get(struct snapshot_board *board, struct snapshot *snapshot);

/* Takes over what must be copied because it is only borrowed, and clears the borrowed pointers. */
void snapshot_set_engine(struct snapshot *snapshot, const struct engine_status *status);

/* Counters, and from those of `before` the rates; `elapsed_ns` 0: no rates yet. */
void snapshot_set_counters(struct snapshot *snapshot, const struct dataplane_counters *counters,
			   const struct dataplane_counters *before, uint64_t elapsed_ns);

/* The rules in force and their counters, from the data plane; on the engine's thread. */
void snapshot_set_rules(struct snapshot *snapshot, const struct dataplane *dp);

#endif /* SLUICE_SLUICED_SNAPSHOT_H */
