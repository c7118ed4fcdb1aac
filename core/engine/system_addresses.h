/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses that `own`, `gateway` and `resolver` in the allow-list stand for, as the system has
 * them now: interfaces, default routes, /etc/resolv.conf.  The parsers are pure; what they read may
 * be anything.
 */
#ifndef SLUICE_ENGINE_SYSTEM_ADDRESSES_H
#define SLUICE_ENGINE_SYSTEM_ADDRESSES_H

#include <stddef.h>

#include <sluice/key.h>

enum system_address_kind {
	SYSTEM_ADDRESS_OWN,
	SYSTEM_ADDRESS_GATEWAY,
	SYSTEM_ADDRESS_RESOLVER,
	SYSTEM_ADDRESS_N_KINDS,
};

struct system_address {
	enum system_address_kind kind;
	struct sluice_key key; /* A whole address. */
};

struct system_addresses {
	struct system_address *list;
	size_t n, capacity;
};

void system_addresses_init(struct system_addresses *addresses);
void system_addresses_fini(struct system_addresses *addresses);

/* 0, also if it is there already, or -ENOMEM. */
int system_addresses_add(struct system_addresses *addresses, enum system_address_kind kind,
			 const struct sluice_key *key) __attribute__((warn_unused_result));

/* Text of /proc/net/route, /proc/net/ipv6_route and /etc/resolv.conf.  0 or -ENOMEM. */
int system_addresses_parse_route(struct system_addresses *addresses, const char *text)
	__attribute__((warn_unused_result));
int system_addresses_parse_ipv6_route(struct system_addresses *addresses, const char *text)
	__attribute__((warn_unused_result));
int system_addresses_parse_resolv_conf(struct system_addresses *addresses, const char *text)
	__attribute__((warn_unused_result));

/* Asks the system; fits struct engine_addresses.  A file that is not there holds no address. */
int system_addresses_resolve(void *ctx, struct system_addresses *addresses)
	__attribute__((warn_unused_result));

#endif /* SLUICE_ENGINE_SYSTEM_ADDRESSES_H */
