/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter rule as a detector proposes it (since ABI 1.2): what a packet must look like, and what
 * is then to become of it.  One rule stops what a million forged senders send, for which no list of
 * sources would do.
 */
#ifndef SLUICE_RULE_H
#define SLUICE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_RULE_PAYLOAD_MAX 16
#define SLUICE_RULE_NAME_SIZE 32

/* Which members of struct sluice_rule_match a packet is asked for; all of them must fit. */
enum sluice_rule_field {
	SLUICE_RULE_PROTOCOL = 1u << 0,
	SLUICE_RULE_SOURCE_PORT = 1u << 1,
	SLUICE_RULE_DESTINATION_PORT = 1u << 2,
	SLUICE_RULE_TCP_FLAGS = 1u << 3,
	SLUICE_RULE_LENGTH = 1u << 4,
	SLUICE_RULE_TTL = 1u << 5,
	SLUICE_RULE_DESTINATION = 1u << 6,
	SLUICE_RULE_FRAGMENT = 1u << 7,
	SLUICE_RULE_SOURCE = 1u << 8,
};

enum sluice_rule_fragment {
	SLUICE_RULE_FRAGMENT_NONE,
	SLUICE_RULE_FRAGMENT_FIRST,
	SLUICE_RULE_FRAGMENT_LATER, /* These carry no ports, flags or payload to ask for. */
	SLUICE_RULE_FRAGMENT_ANY,   /* First or later. */
};

/* From and to, both included. */
struct sluice_rule_range {
	uint16_t from, to;
};

/* Members that `fields` does not name are ignored. */
struct sluice_rule_match {
	size_t size;
	uint32_t fields;  /* enum sluice_rule_field */
	uint8_t family;	  /* enum sluice_family; 0 = both. */
	uint8_t protocol; /* The IP protocol's number; of IPv6 that behind the extension headers. */
	uint8_t tcp_value,
		tcp_mask; /* The flags byte: FIN 1 .. CWR 128; (flags & mask) == value. */
	struct sluice_rule_range source_port,
		destination_port;	 /* TCP, UDP, SCTP, DCCP, UDP-Lite. */
	struct sluice_rule_range length; /* Of the IP packet, its header included. */
	struct sluice_rule_range ttl;	 /* Or hop limit; at most 255. */
	uint8_t fragment;		 /* enum sluice_rule_fragment */
	/*
	 * Payload bytes at `payload_offset` behind the transport header (of ICMP: behind its first
	 * eight bytes); (byte & mask) == value.  Size 0: not asked for.
	 */
	uint8_t payload_size;
	uint16_t payload_offset;
	uint8_t payload[SLUICE_RULE_PAYLOAD_MAX];
	uint8_t payload_mask[SLUICE_RULE_PAYLOAD_MAX];
	struct sluice_key destination; /* An address or a prefix. */
	struct sluice_key source;      /* The same. */
};

enum sluice_rule_action {
	SLUICE_RULE_DROP,
	SLUICE_RULE_LIMIT, /* What is beyond `rate` is dropped. */
};

/* A request to put a rule into the filter.  What pointers lead to is copied by the host. */
struct sluice_rule_proposal {
	size_t size;
	const struct sluice_rule_match *match;
	uint32_t action;    /* enum sluice_rule_action */
	bool is_per_source; /* Limit each source, not all of them together. */
	bool is_by_byte;    /* The limit counts bytes of frames, not packets. */
	/*
	 * Known clients (a completed handshake, or spoken to first by this host) pass an automatic
	 * rule, unless the packets it is about cannot be theirs.  False: they pass.
	 */
	bool include_known;
	uint64_t rate;	/* Of a limit: packets or bytes a second. */
	uint64_t burst; /* Of a limit: packets or bytes at once; 0 = the host's choice. */
	uint64_t packets_per_second; /* The rate that this verdict rests on. */
	const char *reason;	     /* A stable identifier, [a-z0-9_], at most 23 characters. */
	const char *evidence; /* For people: the figures and limits that led to it; may be NULL. */
	uint64_t ttl_ns; /* How long it should last; 0 = the policy's; never longer than that. */
};

enum sluice_window_rule_flag {
	SLUICE_WINDOW_RULE_AUTOMATIC = 1u << 0, /* Detectors asked for it; else the operator. */
	SLUICE_WINDOW_RULE_OBSERVED = 1u << 1,	/* Observe mode: it dropped nothing. */
};

/*
 * A rule in force, with what it did in this window.  What it dropped was offered but is in no
 * table of features: a detector adds it to what it sees, or an attack would look finished.
 */
struct sluice_window_rule {
	char name[SLUICE_RULE_NAME_SIZE]; /* NUL-terminated; stays the same while it is in force. */
	char detector[24];		  /* Who asked for it first; "config" for the operator's. */
	char reason[24];		  /* Empty for the operator's. */
	uint32_t flags;			  /* enum sluice_window_rule_flag */
	uint32_t reserved;
	struct sluice_rule_match match;
	uint64_t packets, bytes; /* That it decided on, dropped or not. */
	uint64_t dropped_packets, dropped_bytes;
};

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_RULE_H */
