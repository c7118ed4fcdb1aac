/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source as an ntuple rule, and what is known of drivers.  Pure.
 */
#ifndef SLUICE_BACKENDS_FLOWDIR_RULE_H
#define SLUICE_BACKENDS_FLOWDIR_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/ethtool.h>

#include <sluice/backend.h>

/* How rules of ours look on one card. */
struct rule_shape {
	uint64_t action; /* RX_CLS_FLOW_DISC, or the queue of those that nobody wants. */
	uint8_t v6_prefix_len;
	bool ipv6;
};

struct rule_profile {
	const char *driver;
	bool ipv6;	   /* Takes IPv6 sources. */
	const char *traps; /* For the log; NULL: none known. */
};

/* Never NULL: of a driver that is not known, what most can do. */
const struct rule_profile *rule_profile_find(const char *driver);

/* -EOPNOTSUPP: no whole IPv4 address, nor an IPv6 prefix of the one length. */
int rule_from_key(const struct rule_shape *shape, const struct sluice_key *key, uint32_t location,
		  struct ethtool_rx_flow_spec *rule) __attribute__((warn_unused_result));

/* The way back; false for what is not such a rule, as the driver says or somebody else made it. */
bool rule_to_key(const struct rule_shape *shape, const struct ethtool_rx_flow_spec *rule,
		 struct sluice_key *key);

#endif /* SLUICE_BACKENDS_FLOWDIR_RULE_H */
