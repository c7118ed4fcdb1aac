/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has an established TCP connection with this host, asked from the kernel (NETLINK_SOCK_DIAG)
 * by a helper thread, so that 100,000 sockets never hold up the window loop.
 *
 * A client stays known for KNOWN_CLIENTS_KEEP_NS after its last connection was seen, because HTTP
 * without keep-alive closes between requests.  Only addresses that completed a handshake get in,
 * so a flood of forged senders can neither enter the set nor push anyone out.
 */
#ifndef SLUICE_ENGINE_KNOWN_CLIENTS_H
#define SLUICE_ENGINE_KNOWN_CLIENTS_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

struct clock_source;
struct engine_known;
struct known_clients;

#define KNOWN_CLIENTS_KEEP_NS (60ull * 1000000000ull)
/* Distinct clients kept; beyond it the ones that are connected right now replace older ones. */
#define KNOWN_CLIENTS_MAX (1u << 20)

/*
 * Starts the thread in the caller's network namespace.  `v6_prefix_len` is the unit of IPv6
 * sources: a client is known by its address and by its unit.  `wait_ns` is the most that one
 * refresh() may hold up the engine.
 */
int known_clients_new(const struct clock_source *clock, uint8_t v6_prefix_len, uint64_t wait_ns,
		      struct known_clients **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Stops the thread, within about a second at worst.  NULL is a no-op. */
void known_clients_free(struct known_clients *clients);

/* Fills in what engine_options.known wants; valid as long as `clients`. */
void known_clients_interface(struct known_clients *clients, struct engine_known *known);

/* Clients in the set that the engine uses now. */
size_t known_clients_size(const struct known_clients *clients);

#endif /* SLUICE_ENGINE_KNOWN_CLIENTS_H */
