/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An engine with nothing real around it: data plane, card, clock, detectors, known clients and
 * addresses of the system are fakes that a test sets directly.  Time moves only when told to.
 */
#ifndef SLUICE_TESTS_UNIT_ENGINE_RIG_H
#define SLUICE_TESTS_UNIT_ENGINE_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/event.h"
#include "config/settings.h"
#include "engine/engine.h"
#include "engine/system_addresses.h"
#include "fake_dataplane.h"
#include "fake_offload.h"

#define RIG_WINDOW_NS 1000000000ull
/* The clocks differ, as real ones do, so that a mixed-up clock shows. */
#define RIG_BOOTTIME_AHEAD_NS 5000000000000ull
#define RIG_REALTIME_AHEAD_NS 1700000000000000000ull

enum { RIG_DETECTORS = 2, RIG_KNOWN = 16, RIG_ADDRESSES = 16, RIG_ALLOW = 8, RIG_RULE_WISHES = 64 };

struct rig_wish {
	struct sluice_key key;
	uint64_t pps;
	const char *reason, *evidence;
};

struct rig_rule_wish {
	struct sluice_rule_match match;
	struct sluice_rule_proposal proposal; /* Its match is the one above. */
};

struct rig_detector {
	struct rig *rig;
	char name[24];
	bool enforce;
	uint64_t limit_pps; /* Proposes all unknown sources above it; 0 = none. */
	bool attack;	    /* Its verdict, besides "somebody was above the limit". */
	double score;
	int code; /* What observe() returns. */
	uint64_t takes_ns;
	struct rig_wish *wishes; /* Proposed in the next window, then forgotten. */
	size_t n_wishes, wishes_capacity;
	struct rig_rule_wish rule_wishes[RIG_RULE_WISHES]; /* The same. */
	size_t n_rule_wishes;
	double weight;
	unsigned int calls;
	struct sluice_window_rule seen_rules[RIG_RULE_WISHES];
	size_t n_seen_rules;
	int last_propose;				/* What the last proposal was answered. */
	struct sluice_window seen;			/* Its arrays are gone. */
	uint64_t seen_blocked_packets, seen_blocked_hw; /* Sums over the blocked sources. */
	uint32_t seen_flags;				/* Or of the sources' flags. */
	uint64_t seen_sources_packets;			/* Sum over the sources. */
};

struct rig {
	struct fake_dataplane dp;
	struct offload card;
	struct settings settings;
	struct settings_allow allow[RIG_ALLOW];
	uint64_t now_ns; /* Monotonic. */
	struct clock_source clock;
	struct event_sink sink;
	struct event *events;
	size_t n_events, events_capacity;
	struct rig_detector detectors[RIG_DETECTORS];
	size_t n_detectors;

	struct sluice_key known_next[RIG_KNOWN], known_now[RIG_KNOWN];
	size_t n_known_next, n_known_now;
	unsigned int known_busy; /* So many refreshes answer -EAGAIN. */
	int known_code;		 /* Another failure of refresh. */
	unsigned int n_known_starts;
	uint64_t known_cost_ns;
	uint64_t known_left_out; /* Who found no room. */
	struct engine_known known;

	struct system_address addresses[RIG_ADDRESSES];
	size_t n_addresses;
	int addresses_code;
	struct engine_addresses resolver;

	struct engine_detector engine_detectors[RIG_DETECTORS];
	struct engine_options options;
	struct engine *engine;
};

/* One detector "limit" that enforces and proposes nothing by itself; nobody is known. */
struct rig *rig_new(void);
void rig_free(struct rig *rig);
/* Makes the engine with what the test has set. */
void rig_start(struct rig *rig);
struct rig_detector *rig_add_detector(struct rig *rig, const char *name, bool enforce);
/* Options as they are now, for engine_new() and engine_reconfigure(). */
struct engine_options rig_options(struct rig *rig);
void rig_use_known(struct rig *rig);
void rig_use_card(struct rig *rig);

void rig_advance(struct rig *rig, uint64_t ns);
/* Waits for the window's end and runs it; it must not fail. */
void rig_window(struct rig *rig);
void rig_windows(struct rig *rig, unsigned int n);
void rig_send(struct rig *rig, const char *source, uint64_t packets);
/* The first detector asks for it in the next window. */
void rig_wish(struct rig *rig, const char *source, uint64_t pps);
void rig_wish_of(struct rig *rig, size_t detector, const struct sluice_key *key, uint64_t pps);
/*
 * The detector asks, in the next window, for a rule that drops UDP from this port.  The wish may be
 * changed until then.
 */
struct rig_rule_wish *rig_wish_rule(struct rig *rig, size_t detector, uint16_t source_port,
				    uint64_t pps);
/* The automatic rule that drops UDP from this port, if the filter has it. */
const struct dataplane_rule *rig_rule(const struct rig *rig, uint16_t source_port);
void rig_send_port(struct rig *rig, const char *source, uint16_t source_port, uint64_t packets);
/* Asked for and blocked at the end of one window. */
void rig_block(struct rig *rig, const char *source, uint64_t pps);
void rig_know(struct rig *rig, const char *address);
void rig_own(struct rig *rig, enum system_address_kind kind, const char *address);
void rig_allow_prefix(struct rig *rig, const char *prefix);

/* "192.0.2.1" or "2001:db8::/64"; fails the test if it is neither. */
struct sluice_key key_of(const char *text);
/* 10.x.y.z for n = x * 65536 + y * 256 + z. */
struct sluice_key key_number(uint32_t n);

bool rig_is_blocked(const struct rig *rig, const char *source);
enum engine_state rig_state(struct rig *rig, const char *source);
struct engine_explanation rig_explain(struct rig *rig, const char *source);
struct engine_status rig_status(struct rig *rig);
uint64_t rig_boottime(const struct rig *rig);
size_t rig_events(const struct rig *rig, enum event_kind kind);
/* The sum of their counts. */
uint64_t rig_event_count(const struct rig *rig, enum event_kind kind);
/* The text of the last one; "" if none. */
const char *rig_event_text(const struct rig *rig, enum event_kind kind);
void rig_forget_events(struct rig *rig);

#endif /* SLUICE_TESTS_UNIT_ENGINE_RIG_H */
