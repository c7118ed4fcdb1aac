/* SPDX-License-Identifier: BSD-2-Clause */
/* Signature rules the plain way, one after the other: what the compiled ones are held against. */
#ifndef SLUICE_TESTS_SUPPORT_RULE_MODEL_H
#define SLUICE_TESTS_SUPPORT_RULE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/rule.h"
#include "support/random.h"

struct rule_model_packet {
	uint8_t family;
	enum sluice_rule_fragment fragment; /* None, first or later. */
	uint8_t protocol, ttl;
	int source_port, destination_port, tcp_flags; /* -1: the packet has none. */
	uint32_t length;
	uint8_t destination[16];
	const uint8_t *payload; /* Or NULL. */
	size_t payload_size;
};

/* The first rule that matches; -1: none. */
int rule_model_first(const struct dataplane_rule *rules, size_t n,
		     const struct rule_model_packet *packet);

/* Rules and packets of the same few values, so that they often meet. */
void rule_model_random_rules(struct random *random, struct dataplane_rule *rules, size_t n);
uint16_t rule_model_random_port(struct random *random);
void rule_model_random_destination(struct random *random, uint8_t family, uint8_t *address);
void rule_model_random_payload(struct random *random, uint8_t *payload, size_t size);

#endif /* SLUICE_TESTS_SUPPORT_RULE_MODEL_H */
