/* SPDX-License-Identifier: BSD-2-Clause */
/* A signature rule as the deployment file states it; settings_rules.c reads it. */
#ifndef SLUICE_CONFIG_SETTINGS_RULE_H
#define SLUICE_CONFIG_SETTINGS_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/key.h>

#define SETTINGS_RULE_NAME_SIZE 32
#define SETTINGS_RULE_PAYLOAD_MAX 16

enum settings_rule_action {
	SETTINGS_RULE_DROP,
	SETTINGS_RULE_PASS,
	SETTINGS_RULE_LIMIT,	    /* Of all packets together that match... */
	SETTINGS_RULE_LIMIT_SOURCE, /* ... or of each source's. */
};

/* Which of the fields below a packet is asked for. */
enum settings_rule_match {
	SETTINGS_RULE_PROTOCOL = 1u << 0,
	SETTINGS_RULE_SOURCE_PORT = 1u << 1,
	SETTINGS_RULE_DESTINATION_PORT = 1u << 2,
	SETTINGS_RULE_TCP_FLAGS = 1u << 3,
	SETTINGS_RULE_LENGTH = 1u << 4,
	SETTINGS_RULE_TTL = 1u << 5,
	SETTINGS_RULE_DESTINATION = 1u << 6,
	SETTINGS_RULE_FRAGMENT = 1u << 7,
};

enum settings_rule_fragment {
	SETTINGS_RULE_FRAGMENT_NONE,
	SETTINGS_RULE_FRAGMENT_FIRST,
	SETTINGS_RULE_FRAGMENT_LATER,
	SETTINGS_RULE_FRAGMENT_ANY,
};

/* From and to, both included. */
struct settings_rule_range {
	uint16_t from, to;
};

struct settings_rule {
	char name[SETTINGS_RULE_NAME_SIZE];
	uint32_t matches; /* enum settings_rule_match */
	uint8_t family;	  /* SLUICE_FAMILY_*; 0 = both. */
	uint8_t protocol;
	uint8_t tcp_value, tcp_mask;
	struct settings_rule_range source_port, destination_port, length, ttl;
	enum settings_rule_fragment fragment;
	struct sluice_key destination;
	uint16_t payload_offset;
	uint8_t payload_size; /* 0 = not asked for. */
	uint8_t payload[SETTINGS_RULE_PAYLOAD_MAX], payload_mask[SETTINGS_RULE_PAYLOAD_MAX];
	enum settings_rule_action action;
	bool is_by_byte;    /* The limit counts bytes, not packets. */
	uint64_t rate;	    /* A second. */
	uint64_t burst;	    /* Packets or bytes at once. */
	bool exempts_known; /* Known clients pass what it would drop. */
	unsigned int line, column;
};

#endif /* SLUICE_CONFIG_SETTINGS_RULE_H */
