/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signature rules in pinned memory.  A generation is one set of rules, compiled: per field of a
 * packet a table from its value to the set of rules that it does not rule out.  The rules that match
 * are what all the sets have in common, so that 256 rules cost as much as one.
 */
#ifndef SLUICE_BPF_RULES_SHARED_H
#define SLUICE_BPF_RULES_SHARED_H

#include <linux/types.h>

#define RULES_MAX 256
#define RULES_WORDS (RULES_MAX / 64)
#define RULES_GENERATIONS 2
#define RULES_NAME_SIZE 32
#define RULES_PAYLOAD_MAX 16
#define RULES_KEY_SIZE 24
/* A generation that leaves and one that comes never want more. */
#define RULES_SLOTS (2 * RULES_MAX)
/* Each rule cuts a line of values in at most two places. */
#define RULES_INTERVALS (2 * RULES_MAX + 1)

/* A set of rules: bit i % 64 of word i / 64; the lowest comes first in the configuration. */
struct rules_bits {
	__u64 word[RULES_WORDS];
};

enum rules_field {
	RULES_PROTOCOL = 1u << 0,
	RULES_SOURCE_PORT = 1u << 1,
	RULES_DESTINATION_PORT = 1u << 2,
	RULES_TCP_FLAGS = 1u << 3,
	RULES_LENGTH = 1u << 4,
	RULES_TTL = 1u << 5,
	RULES_DESTINATION4 = 1u << 6,
	RULES_DESTINATION6 = 1u << 7,
};

enum rules_fragment {
	RULES_FRAGMENT_NONE,
	RULES_FRAGMENT_FIRST,
	RULES_FRAGMENT_LATER,
	RULES_N_FRAGMENTS,
};

/* Family and fragment together: fragment, + RULES_KIND_IPV6. */
#define RULES_KIND_IPV6 4
#define RULES_KINDS 8

/* For a value that the packet does not have. */
#define RULES_ABSENT (~0u)

/* Sixteen-bit values: each has a class, and each class a set; class 0 is for absent values. */
struct rules_ranges {
	__u16 class[65536];
	struct rules_bits bits[RULES_INTERVALS + 1];
};

/*
 * Addresses: intervals in order, each with its set.  `first` leads from the highest 16 bits to the
 * interval in which such addresses begin, so that there is little left to search.
 */
struct rules_prefixes {
	__u16 first[65536 + 4];
	__u64 high[RULES_INTERVALS + 1], low[RULES_INTERVALS + 1]; /* Host byte order. */
	struct rules_bits bits[RULES_INTERVALS + 1];
};

enum rules_action {
	RULES_DROP,
	RULES_PASS,
	RULES_LIMIT,
	RULES_LIMIT_SOURCE,
};

struct rules_rule {
	__u8 action; /* enum rules_action */
	__u8 payload_size;
	__u16 payload_offset;
	__u16 slot;	    /* Of its counters and its bucket. */
	__u8 is_by_byte;    /* The limit is on bytes. */
	__u8 exempts_known; /* Who is known passes what the rule would drop. */
	__u64 cost;	    /* Of a packet or a byte: time in units of 2^-20 ns. */
	__u64 credit;	    /* How far ahead of its time a bucket may be: units of 2^-6 ns. */
	__u8 value[RULES_PAYLOAD_MAX]; /* With the mask applied; 0 beyond payload_size. */
	__u8 mask[RULES_PAYLOAD_MAX];
};

struct rules_generation {
	__u32 used; /* enum rules_field */
	__u32 n;
	__u32 n_lasting; /* The others, behind these, lapse with the daemon. */
	__u32 reserved;
	struct rules_bits has_payload;
	struct rules_bits kind[RULES_KINDS];
	struct rules_bits protocol[256];
	struct rules_bits ttl[256];
	struct rules_bits tcp_flags[257]; /* The last is for packets without. */
	struct rules_ranges source_port, destination_port, length;
	struct rules_prefixes destination4, destination6;
	struct rules_rule rule[RULES_MAX];
};

struct rules_counter {
	__u64 packets, bytes;
	__u64 dropped_packets, dropped_bytes;
};

/* One CPU's; only that CPU writes them. */
struct rules_cpu_counters {
	struct rules_counter slot[RULES_SLOTS];
};

/* A limit's state: when the bucket will be full again, in units of 2^-6 ns; on a line of its own. */
struct rules_bucket {
	__u64 full_at;
	__u64 reserved[7];
};

/* A rule that a detector asked for, as it was stated: what the next daemon goes on from. */
struct rules_record {
	__u32 matches; /* enum dataplane_rule_match */
	__u8 is_used;
	__u8 family, protocol, tcp_value, tcp_mask, fragment, action, is_by_byte;
	__u16 source_port[2], destination_port[2], length[2], ttl[2];
	__u16 payload_offset;
	__u8 payload_size, exempts_known;
	__u32 repeats;
	__u32 reserved;
	__u64 rate, burst;
	__u64 first_seen_ns, expires_ns, pps;
	__u8 destination[RULES_KEY_SIZE]; /* struct sluice_key */
	__u8 payload[RULES_PAYLOAD_MAX], payload_mask[RULES_PAYLOAD_MAX];
	char origin[16], reason[24]; /* NUL-terminated */
};

/* Whose slot it is; user space only.  Empty: nobody's. */
struct rules_name {
	char text[RULES_NAME_SIZE];
	struct rules_record record; /* Of automatic rules. */
};

/* Limits by source share cells, of which a source and a rule have two. */
#define RULES_CELL_BITS 17

_Static_assert(sizeof(struct rules_rule) == 56, "no holes");
_Static_assert(sizeof(struct rules_bucket) == 64, "a line");
_Static_assert(sizeof(struct rules_record) == 176, "no holes");
_Static_assert(sizeof(struct rules_generation) % 8 == 0, "an array's element");

#endif /* SLUICE_BPF_RULES_SHARED_H */
