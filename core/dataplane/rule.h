/* SPDX-License-Identifier: BSD-2-Clause */
/* A signature rule: what a packet must look like, and what then becomes of it. */
#ifndef SLUICE_DATAPLANE_RULE_H
#define SLUICE_DATAPLANE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/rule.h>

#define DATAPLANE_MAX_RULES 256
#define DATAPLANE_RULE_ORIGIN_SIZE 16
#define DATAPLANE_RULE_REASON_SIZE 24

/* So that the arithmetic of a bucket holds: cost in 2^-20 ns, credit in 2^-6 ns, both in 64 bits. */
#define DATAPLANE_RULE_MAX_PACKET_RATE 1000000000u
#define DATAPLANE_RULE_MAX_BYTE_RATE 1000000000000u
#define DATAPLANE_RULE_MIN_BYTE_RATE 1000u
#define DATAPLANE_RULE_MAX_BURST_SECONDS 3600u

enum dataplane_rule_action {
	DATAPLANE_RULE_DROP,
	DATAPLANE_RULE_PASS,	     /* Ends the search: later rules do not apply. */
	DATAPLANE_RULE_LIMIT,	     /* What is beyond the rate is dropped, of all together... */
	DATAPLANE_RULE_LIMIT_SOURCE, /* ... or of each source. */
};

struct dataplane_rule {
	char name[SLUICE_RULE_NAME_SIZE]; /* NUL-terminated; no two are the same. */
	struct sluice_rule_match match;	  /* All but SLUICE_RULE_SOURCE. */
	enum dataplane_rule_action action;
	bool is_by_byte;    /* The limit counts bytes of frames, not packets. */
	uint64_t rate;	    /* A second. */
	uint64_t burst;	    /* Packets or bytes at once. */
	bool exempts_known; /* Packets of known clients pass it. */
	/* Who wants it: "config", or a detector's name; NUL-terminated.  Only kept and told. */
	char origin[DATAPLANE_RULE_ORIGIN_SIZE];
	/* A detector asked for it: it may lapse when the daemon dies.  Then also, for the next one: */
	bool is_automatic;
	char reason[DATAPLANE_RULE_REASON_SIZE];
	uint64_t first_seen_ns, expires_ns; /* CLOCK_BOOTTIME */
	uint64_t pps;			    /* The rate that led to it. */
	uint32_t repeats;		    /* How often it had been in force before. */
};

struct dataplane_rule_counters {
	char name[SLUICE_RULE_NAME_SIZE];
	enum dataplane_rule_action action;
	uint64_t packets, bytes; /* That the rule decided on. */
	uint64_t dropped_packets, dropped_bytes;
	uint64_t tokens; /* Of DATAPLANE_RULE_LIMIT: packets or bytes that it would let pass now. */
	/* The rule as it was set, while the call lasts; NULL if an earlier daemon set it. */
	const struct dataplane_rule *rule;
};

typedef void (*dataplane_rule_inherit_fn)(void *ctx, const struct dataplane_rule *rule);

typedef void (*dataplane_rule_fn)(void *ctx, const struct dataplane_rule_counters *counters);

#endif /* SLUICE_DATAPLANE_RULE_H */
