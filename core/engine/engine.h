/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine: once per window swap -> aggregate -> detect -> policy -> blocklist -> rates ->
 * offload.  It owns the blocklist's truth; the data plane and the card hold copies.
 *
 * One thread owns an engine and makes every call; the daemon gives it a thread of its own and
 * posts requests to it between windows.  The window loop never waits for a card or a socket.
 */
#ifndef SLUICE_ENGINE_ENGINE_H
#define SLUICE_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>
#include <sluice/key.h>

#include "dataplane/rule.h"

struct clock_source;
struct dataplane;
struct detector_thread;
struct engine;
struct event_sink;
struct offload;
struct settings;
struct system_addresses;

/* A configured detector.  `instance` is what its host services know it by. */
struct engine_detector {
	const char *name;
	bool enforce;
	double weight; /* Of its vote, where policy.combine is weighted. */
	const struct sluice_detector_ops *ops;
	void *self;
	struct sluice_instance *instance;
	struct detector_thread *thread; /* NULL: called on the engine's own. */
	uint64_t budget_ns;		/* Of one call; 0 = a quarter of the window. */
};

/* How many are known, and why. */
struct engine_known_count {
	uint64_t established;	    /* Had a TCP connection. */
	uint64_t spoken_first;	    /* This host spoke to them first. */
	uint64_t told_connected;    /* Connected to a stack in user space, by its word. */
	uint64_t told_spoken_first; /* It spoke to them first. */
	uint64_t total;		    /* Any of these. */
	uint64_t capacity;
	uint64_t refused; /* Spoken to first, while there was no room; since the filter began. */
	/* Of those to be seen at the last look, who found no room or made some; twice `capacity` at most. */
	uint64_t left_out;
};

/*
 * Tells which sources have an established TCP connection.  known_clients_interface() fills it in;
 * tests put a fake in its place.
 */
struct engine_known {
	/* Optional.  Asks for a new set and returns at once. */
	void (*start)(void *ctx);
	/*
	 * Puts the newest set in use.  0: it is no older than the last start() (or this call, if
	 * there is no start()).  -EAGAIN: that set is still being made; the engine holds proposals
	 * back for one window.  Other errors: the old set goes on.
	 */
	int (*refresh)(void *ctx);
	bool (*contains)(void *ctx, const struct sluice_key *key);
	void *ctx;
	/*
	 * Optional.  All that are known, for the data plane: whole addresses, those that were seen
	 * last first.  Valid until the next refresh().
	 */
	const struct sluice_key *(*list)(void *ctx, size_t *n);
	/* Optional. */
	void (*count)(void *ctx, struct engine_known_count *count);
	/* Optional.  How long it took to make the set in use; without it, no time. */
	uint64_t (*cost_ns)(void *ctx);
};

/* Finds the addresses that `own`, `gateway` and `resolver` stand for; replaceable in tests. */
struct engine_addresses {
	/* Appends to the list; 0 or a negative errno, upon which the last list stays in force. */
	int (*resolve)(void *ctx, struct system_addresses *list);
	void *ctx;
};

struct engine_options {
	const struct settings *settings; /* Must outlive the engine, or be replaced by reload. */
	struct dataplane *dataplane;
	struct offload *offload;		  /* NULL: none */
	const struct engine_known *known;	  /* NULL: nobody is known */
	const struct engine_addresses *addresses; /* NULL: those of this network namespace */
	const struct clock_source *clock;
	const struct event_sink *events;
	const struct engine_detector *detectors;
	size_t n_detectors;
};

int engine_new(const struct engine_options *options, struct engine **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Leaves every block in place. */
void engine_free(struct engine *engine);

/*
 * Runs one window.  Call when engine_next_ns() (monotonic) has come.  A negative errno means that
 * this window was lost, with an event that says why; the engine stays usable.
 */
int engine_step(struct engine *engine) __attribute__((warn_unused_result));
uint64_t engine_next_ns(const struct engine *engine);

/*
 * New settings and detectors after a reload; the blocklist, learned levels and counters stay.  The
 * engine makes its last use of the old ones before it returns.
 */
int engine_reconfigure(struct engine *engine, const struct engine_options *options,
		       struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * The detectors' way in: struct sluice_host.propose ends here, on the thread that the detector is
 * called on.
 */
int engine_propose(struct engine *engine, struct sluice_instance *instance,
		   const struct sluice_proposal *proposal);

/* The same for rules: struct sluice_host.propose_rule. */
int engine_propose_rule(struct engine *engine, struct sluice_instance *instance,
			const struct sluice_rule_proposal *proposal);

/* By hand.  `ttl_ns` 0 = until unblocked.  -EPERM: the allow-list covers it. */
int engine_block(struct engine *engine, const struct sluice_key *key, uint64_t ttl_ns,
		 struct sluice_err *err) __attribute__((warn_unused_result));
int engine_unblock(struct engine *engine, const struct sluice_key *key, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Adds to the allow-list until the next reload, and releases what it covers. */
int engine_allow(struct engine *engine, const struct sluice_key *prefix, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Stages of a window, in order; each is timed. */
#define ENGINE_STAGES(X)  \
	X(SWAP, swap)     \
	X(GRACE, grace)   \
	X(READ, read)     \
	X(RATES, rates)   \
	X(DETECT, detect) \
	X(POLICY, policy) \
	X(OFFLOAD, offload)

enum engine_stage {
#define X(upper, lower) ENGINE_STAGE_##upper,
	ENGINE_STAGES(X)
#undef X
		ENGINE_N_STAGES
};

const char *engine_stage_name(enum engine_stage stage);

struct engine_detector_status {
	const char *name;
	bool enforce, disabled;
	struct sluice_verdict verdict; /* Of the last window. */
	uint64_t proposals, failures;  /* Since start. */
	uint64_t rule_proposals;       /* Likewise. */
	uint64_t attack_windows;
	uint64_t last_ns; /* Duration of the last call. */
};

struct engine_status {
	uint64_t windows; /* Since start. */
	uint64_t window_ns;
	uint64_t stage_ns[ENGINE_N_STAGES];	/* Last window. */
	uint64_t stage_max_ns[ENGINE_N_STAGES]; /* Since start. */
	uint64_t total_ns;			/* Last window's work, all stages. */
	uint64_t postponed;			/* Windows whose swap came late. */
	bool enforce, attack;
	uint64_t attack_started_realtime_ns; /* Of the attack going on, or the last one. */
	uint64_t attacks;		     /* Since start. */
	struct sluice_window window;	     /* The last one; its arrays are NULL. */
	uint64_t blocked, blocked_manual, blocked_prefixes, offloaded;
	uint64_t blocks_total, released_total, refused_total;
	uint64_t protected_known; /* Proposals not enforced: client is known. */
	uint64_t protected_allow; /* Proposals not enforced: allow-list. */
	uint64_t allowed_by_hand; /* Prefixes; until the next reload. */
	struct engine_known_count known;
	uint64_t known_left_out; /* Without room among the known clients, or in the filter's set. */
	uint64_t would_block;	 /* Proposals not enforced: observe mode. */
	bool spoofed;		 /* Sources are many and new. */
	uint64_t refused_spoofed; /* Proposals of sources not enforced because of that. */
	uint64_t outvoted;	  /* Proposals of sources and rules not enforced: policy.combine. */
	uint64_t rules, rules_config; /* In force: automatic, and the file's. */
	uint64_t rules_enforced_total, rules_released_total, rules_refused_total;
	uint64_t would_rule;	  /* As would_block. */
	uint64_t untracked_total; /* Packets whose sources found no room, since start. */
	uint64_t untracked_flow_total, untracked_destination_total; /* The same of the others. */
	uint64_t samples_total, samples_lost_total;
	const struct engine_detector_status *detectors; /* Valid until the next call. */
	size_t n_detectors;
};
void engine_status(struct engine *engine, struct engine_status *status);

/* The life of a blocklist entry. */
#define ENGINE_STATES(X)        \
	X(NONE, none)           \
	X(CANDIDATE, candidate) \
	X(BLOCKED, blocked)     \
	X(OFFLOADED, offloaded) \
	X(PROBATION, probation) \
	X(RELEASED, released)   \
	X(PINNED, pinned)

enum engine_state {
#define X(upper, lower) ENGINE_STATE_##upper,
	ENGINE_STATES(X)
#undef X
		ENGINE_N_STATES
};

const char *engine_state_name(enum engine_state state);

/* All that is known of one source.  Strings are NUL-terminated copies. */
struct engine_explanation {
	struct sluice_key key; /* The entry or prefix that decides. */
	enum engine_state state;
	bool allowed, known, prefix;
	bool dropped; /* By the filter, now: not in observe mode. */
	char detector[24], reason[24], evidence[192];
	uint64_t first_seen_realtime_ns, last_seen_realtime_ns; /* 0: never while it was blocked. */
	uint64_t pps;						/* Merged, last window. */
	uint64_t hw_pps, hw_age_ns;
	/* Of rules, which go by what packets look like; none for who is exempt from them. */
	uint32_t rules;		    /* In force, that drop or limit. */
	uint64_t rules_dropped_pps; /* By them all, of all sources. */
	uint64_t passed_pps;	    /* If not blocked: its rate in the last window. */
	uint64_t dropped_packets;   /* Since it was blocked. */
	uint32_t repeats, quiet_windows;
	uint64_t ttl_left_ns; /* 0 = no expiry */
	char release[192];    /* What would release it, in words. */
};
int engine_explain(struct engine *engine, const struct sluice_key *key,
		   struct engine_explanation *explanation) __attribute__((warn_unused_result));

#define ENGINE_RULE_DETECTORS 4
/* All that is known of one rule of the filter.  Strings are NUL-terminated copies. */
struct engine_rule_explanation {
	struct dataplane_rule rule;
	bool automatic; /* Detectors asked for it; else the deployment file. */
	/* As a source's: BLOCKED is in force, PINNED one of the file's; others: out of force. */
	enum engine_state state;
	bool dropped; /* It drops packets now: not in observe mode. */
	char detectors[ENGINE_RULE_DETECTORS][24];
	size_t n_detectors;
	char reason[24], evidence[96];
	uint64_t first_seen_realtime_ns, changed_realtime_ns; /* Of its state; 0: not known. */
	uint64_t windows_since_asked;			      /* UINT64_MAX: not known. */
	uint64_t pps, dropped_pps;			      /* Last window. */
	/* Since it was enforced; of one of the file's as `rules` tells it. */
	uint64_t packets, bytes, dropped_packets, dropped_bytes;
	uint64_t quiet_left_ns; /* So long without loud windows, and it leaves. */
	uint64_t ttl_left_ns;	/* 0 = no expiry */
	uint64_t held_ns;	/* So long detectors may not have it back; 0 = they may. */
	uint32_t repeats;
	char release[192]; /* What would release it, in words. */
};
/* -ENOENT: none of that name is in force or remembered. */
int engine_explain_rule(struct engine *engine, const char *name,
			struct engine_rule_explanation *explanation)
	__attribute__((warn_unused_result));
/*
 * Takes an automatic rule out of force, and keeps detectors from having it back for `*held_ns`, the
 * policy's ttl.  -ENOENT: no such rule; -EPERM: it is one of the file's.
 */
int engine_unblock_rule(struct engine *engine, const char *name, uint64_t *held_ns,
			struct sluice_err *err) __attribute__((warn_unused_result));

struct engine_top_source {
	struct sluice_key key;
	enum engine_state state; /* NONE: not blocked. */
	bool dropped, known;
	uint64_t pps, hw_pps;	       /* Last window: software and hardware together; hardware. */
	char detector[24], reason[24]; /* Empty if it is not blocked. */
};
/*
 * The fastest sources of the last window, blocked or not, the fastest first: at most `max`, and how
 * many there were in `*total`.  Takes milliseconds for a million of them.
 */
size_t engine_top(struct engine *engine, struct engine_top_source *list, size_t max, size_t *total);

#endif /* SLUICE_ENGINE_ENGINE_H */
