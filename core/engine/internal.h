/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's insides, shared by the files that make it up: engine.c (the window), policy.c (what
 * becomes of proposals), operator.c (requests by hand), explain.c and status.c (what is told).
 */
#ifndef SLUICE_ENGINE_INTERNAL_H
#define SLUICE_ENGINE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate.h"
#include "allow.h"
#include "attack.h"
#include "auto_rules.h"
#include "base/address.h"
#include "base/clock.h"
#include "blocklist.h"
#include "config/settings.h"
#include "dataplane/dataplane.h"
#include "detect.h"
#include "engine.h"
#include "history.h"
#include "measure.h"
#include "min_pass.h"
#include "name_table.h"
#include "offload/offload.h"
#include "prefix_list.h"
#include "proposals.h"
#include "rate_monitor.h"
#include "report.h"
#include "rule_match.h"
#include "rule_policy.h"
#include "rule_set.h"
#include "rule_wishes.h"
#include "seen.h"
#include "spoofed.h"

struct engine {
	const struct settings *settings;
	struct dataplane *dp;
	struct offload *offload;
	struct engine_known known;
	bool has_known;
	const struct clock_source *clock;
	const struct event_sink *events;
	struct address_secret secret;

	struct name_table names;
	uint16_t operator_id, manual_id; /* Names of the operator and of his reason. */
	struct aggregate *aggregate;
	struct blocklist *blocklist;
	struct prefix_list prefixes;
	struct history *candidates; /* What observe mode would have blocked. */
	struct proposals *proposals;
	struct rule_wishes rule_wishes;
	struct auto_rules auto_rules;
	struct rule_set rule_set;
	bool rules_changed; /* The filter has not heard of it yet. */
	struct allow *allow;
	struct detect detect;
	struct rate_monitor rate_monitor;
	struct attack attack;
	struct min_pass min_pass;
	struct seen seen;
	struct spoofed spoofed;
	struct report report;

	/* The window. */
	struct sluice_window window;
	struct dataplane_counters counters; /* As of its end. */
	uint64_t highest_pps;		    /* Of one source that passed. */
	uint64_t automatic_pps;		    /* Of those that detectors had blocked. */
	uint64_t started_ns;		    /* Monotonic: its begin, the last swap. */
	uint64_t next_ns;		    /* Monotonic: the next swap. */
	uint64_t next_allow_ns;		    /* Monotonic: when to look at the system again. */
	uint64_t next_known_ns;		    /* Monotonic: when to ask who is connected again. */
	uint64_t hw_packets;		    /* Since the exchange before. */
	uint64_t known_asked;		    /* Window of the request that is not answered; or 0. */
	uint64_t known_fresh;		/* The set in use is no older than this window's begin. */
	uint64_t known_left_out;	/* Of that set, who found no room in the filter. */
	bool known_changed;		/* Since blocked sources were last looked for in it. */
	uint64_t next_known_release_ns; /* Monotonic: when to look for them again. */
	bool inherited;			/* Sources blocked by an earlier daemon were adopted. */
	struct offload_source *offload_sources;
	size_t offload_capacity;
	struct blocklist_measured measured;

	/* For status. */
	uint64_t stage_ns[ENGINE_N_STAGES], stage_max_ns[ENGINE_N_STAGES];
	uint64_t total_ns, postponed;
	uint64_t blocks_total, released_total, refused_total;
	uint64_t protected_known, protected_allow, would_block;
	uint64_t rules_enforced_total, rules_released_total, rules_refused_total, would_rule;
	uint64_t outvoted, refused_spoofed;
	uint64_t untracked_flow_total, untracked_destination_total;
	uint64_t untracked_total, samples_total, samples_lost_total;
};

static inline uint64_t engine_boottime_ns(const struct engine *engine)
{
	return clock_boottime_ns(engine->clock);
}

/* engine.c */
struct blocklist_terms engine_terms(const struct engine *engine);
bool engine_is_known(const struct engine *engine, const struct sluice_key *key);
/* The source that `key` belongs to, in the policy's unit; false if it is wider than that. */
bool engine_unit(const struct engine *engine, const struct sluice_key *key,
		 struct sluice_key *unit);

/* explain.c */
uint64_t explain_realtime(const struct engine *engine, uint64_t boottime_ns);
/* Until `expires_ns` (CLOCK_BOOTTIME); 0 for 0, and at least 1 else. */
uint64_t explain_time_left(const struct engine *engine, uint64_t expires_ns);

/* release.c */
/* Releases one entry and notes it for the report; false if the event does not end it. */
bool release_entry(struct engine *engine, struct blocklist_entry *entry, enum lifecycle_event event,
		   const char *why, uint64_t held_until_ns);
/* What the rates of this window and the terms ended. */
void release_due(struct engine *engine);
/* The automatic blocks and rules of the last windows, and keeps them free for a while. */
void release_newest(struct engine *engine);
/*
 * Automatic blocks of sources that have become known since.  Looks at most once a second, when there
 * is a new set; milliseconds where both it and the blocklist are large.
 */
void release_known(struct engine *engine, uint64_t now_ns);
/* Every automatic block and rule. */
void release_automatic(struct engine *engine, const char *why);
/*
 * Releases every source and prefix that the next allow-list holds, then puts that list in force:
 * what is blocked and what is allowed stay disjoint at every moment.
 */
int release_allowed(struct engine *engine, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* known.c */
/* Gives the filter the set in use. */
void known_tell(struct engine *engine);
/* Asks for a new set if it is of use in this window. */
void known_begin(struct engine *engine, uint64_t now_ns);
/* The window that it was asked in goes on: what comes is not fresh enough for it. */
void known_window_lost(struct engine *engine);
/* Takes the set that was asked for, if it is ready. */
void known_pick_up(struct engine *engine);
/* Makes sure that the set is fit to decide on this window's proposals, if it can be soon. */
void known_insist(struct engine *engine);
/* True if a proposal of that window may be decided on with the set in use. */
bool known_fits(const struct engine *engine, uint64_t sequence);

/* sources.c */
/* Marks known clients, finds the fastest source and the new ones, and tells forged ones from real. */
void sources_look(struct engine *engine);

/* policy.c */
/* A candidate is one that an observing detector would have blocked within this time. */
#define POLICY_CANDIDATE_NS (60ull * 1000000000ull)
/* Decides on the proposals and blocks what they come to. */
void policy_run(struct engine *engine);

#endif /* SLUICE_ENGINE_INTERNAL_H */
