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
	bool whole_masks; /* See rule_profile. */
};

/* What of IPv6 a driver compares. */
enum rule_ipv6 {
	RULE_IPV6_NONE,
	RULE_IPV6_WHOLE, /* Addresses, but no prefixes. */
	RULE_IPV6_PREFIXES,
};

struct rule_profile {
	const char *driver;
	enum rule_ipv6 ipv6;
	/*
	 * Compares an address as a whole or not at all, so that any mask it reads back that is not
	 * empty stands for a whole one.
	 */
	bool whole_masks;
	bool cannot_drop;  /* Only to a queue. */
	uint32_t capacity; /* Rules that fit, where the driver gives no number; 0: unknown. */
	const char *traps; /* For the log; NULL: none known. */
};

/* Never NULL: of a driver that is not known, what most can do. */
const struct rule_profile *rule_profile_find(const char *driver);

/* Sets what the driver has a say in; action and prefix length are set already. */
void rule_shape_for(const struct rule_profile *profile, struct rule_shape *shape);

/* -EOPNOTSUPP: no whole IPv4 address, nor an IPv6 prefix of the one length. */
int rule_from_key(const struct rule_shape *shape, const struct sluice_key *key, uint32_t location,
		  struct ethtool_rx_flow_spec *rule) __attribute__((warn_unused_result));

/* The way back, of what a driver said; false for what is not such a rule. */
bool rule_to_key(const struct rule_shape *shape, const struct ethtool_rx_flow_spec *said,
		 struct sluice_key *key);

#endif /* SLUICE_BACKENDS_FLOWDIR_RULE_H */
