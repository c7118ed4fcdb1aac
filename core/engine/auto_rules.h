/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter rules that detectors had put in force, those that were and may come back, and those
 * that observing detectors would have had.  A table of fixed size: rules are few.
 *
 * Their life is that of a blocklist entry (lifecycle.h), of which `blocked` is called `enforced`.
 */
#ifndef SLUICE_ENGINE_AUTO_RULES_H
#define SLUICE_ENGINE_AUTO_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/rule.h"
#include "lifecycle.h"
#include "rule_wishes.h"

/* In force and remembered, together. */
#define AUTO_RULES_MAX 512

struct auto_rule_count {
	uint64_t packets, bytes, dropped_packets, dropped_bytes;
};

struct auto_rule {
	struct dataplane_rule rule; /* As it is, or was, in the filter; with a name. */
	enum engine_state state;    /* NONE: a free place. */
	uint16_t reason;	    /* struct name_table */
	uint16_t detectors[RULE_WISH_DETECTORS];
	uint8_t n_detectors;
	char evidence[96];
	uint64_t ttl_ns;	       /* Its first term. */
	uint64_t at_ns;		       /* CLOCK_BOOTTIME: when its state last changed. */
	uint64_t held_until_ns;	       /* Not to be enforced again before. */
	uint64_t quiet_ns;	       /* How long it has been quiet. */
	double peak_pps;	       /* Of what it matched, fading. */
	uint64_t asked, born;	       /* Windows: last asked for, and enforced in. */
	struct auto_rule_count window; /* What it did in the last window, */
	struct auto_rule_count total;  /* and since it was enforced. */
};

struct auto_rules {
	struct auto_rule list[AUTO_RULES_MAX];
	size_t n_in_force;
	uint32_t last_number; /* Of names. */
};

/* What a rule's release depends on. */
struct auto_rule_terms {
	uint64_t now_ns; /* CLOCK_BOOTTIME */
	uint64_t window_ns;
	uint64_t sequence;
	uint64_t quiet_ns; /* So long it has to be quiet, the first time. */
	double backoff;	   /* Both that and its term grow by it with each time in force. */
};

/* The rule with this match, in whatever state; or NULL. */
struct auto_rule *auto_rules_find(struct auto_rules *rules, const struct dataplane_rule *match);
struct auto_rule *auto_rules_find_name(struct auto_rules *rules, const char *name);
/* A rule in force that drops all that this one would; or NULL. */
struct auto_rule *auto_rules_find_wider(struct auto_rules *rules,
					const struct dataplane_rule *match);
bool auto_rule_is_in_force(const struct auto_rule *rule);

/*
 * A rule for this wish as a candidate, with what is remembered of its earlier times; what has been
 * out of force the longest makes room.  NULL: all places are in force.
 */
struct auto_rule *auto_rules_propose(struct auto_rules *rules, const struct rule_wish *wish,
				     const struct auto_rule_terms *terms);
/* Puts a candidate in force. */
void auto_rules_enforce(struct auto_rules *rules, struct auto_rule *rule,
			const struct auto_rule_terms *terms);
/* What an earlier daemon had in force; pinned memory may say anything.  NULL: no room. */
struct auto_rule *auto_rules_adopt(struct auto_rules *rules, const struct dataplane_rule *pinned,
				   uint64_t now_ns, uint64_t ttl_ns);
/* False if the event does not end it. */
bool auto_rules_release(struct auto_rules *rules, struct auto_rule *rule,
			enum lifecycle_event event, uint64_t now_ns, uint64_t held_until_ns);
/* Notes that it was asked for again. */
void auto_rule_ask(struct auto_rule *rule, const struct rule_wish *wish, uint64_t sequence);

/*
 * Follows one rule in force through a window whose counts are in `window`.  The event that ends it,
 * or LIFECYCLE_N_EVENTS.  `*extended`: its term was renewed.
 */
enum lifecycle_event auto_rule_follow(struct auto_rule *rule, const struct auto_rule_terms *terms,
				      bool *extended);
/* How much longer it has to be quiet. */
uint64_t auto_rule_quiet_left(const struct auto_rule *rule, const struct auto_rule_terms *terms);

#endif /* SLUICE_ENGINE_AUTO_RULES_H */
