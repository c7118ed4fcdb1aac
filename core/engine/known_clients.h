/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom this host knows: who has an established TCP connection with it, asked from the kernel
 * (NETLINK_SOCK_DIAG), and whom it spoke to first, as the data plane saw at tc; and who is known to a
 * stack in user space, by its word (told_clients.h).  A helper thread asks, so that 100,000 sockets never hold up the window loop.
 *
 * Known are those of the last `keep_ns`: their packets pass rules that say so.  That a source is not
 * blocked for what it does itself takes more: it must have been seen within KNOWN_CLIENTS_RECENT_NS,
 * which is not 0 because HTTP without keep-alive closes between requests.
 *
 * Only a completed handshake or a first word of ours leads into the set, so a flood of forged senders
 * can neither enter it nor push anyone out.  When it is full, those go that were not seen for longest.
 * Those whom nothing but a stack's word makes known have half of it at most, and make room among themselves: a
 * stack that lies can have no more.
 */
#ifndef SLUICE_ENGINE_KNOWN_CLIENTS_H
#define SLUICE_ENGINE_KNOWN_CLIENTS_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

struct clock_source;
struct dataplane;
struct engine_known;
struct known_clients;
struct told_clients;

#define KNOWN_CLIENTS_RECENT_NS (60ull * 1000000000ull)

struct known_clients_options {
	const struct clock_source *clock;
	struct dataplane *dataplane; /* Its spoken_read() is called by the thread; NULL: none. */
	struct told_clients *told;   /* Fetched from by the thread; NULL: none. */
	/* The unit of IPv6 sources: towards blocks a client is known by its address and its unit. */
	uint8_t v6_prefix_len;
	uint64_t wait_ns; /* The most that one refresh() may hold up the engine. */
	uint64_t keep_ns;
	uint32_t max; /* Distinct hosts. */
};

/* Starts the thread in the caller's network namespace. */
int known_clients_new(const struct known_clients_options *options, struct known_clients **out,
		      struct sluice_err *err) __attribute__((warn_unused_result));
/* Stops the thread, within about a second at worst.  NULL is a no-op. */
void known_clients_free(struct known_clients *clients);

/* Fills in what engine_options.known wants; valid as long as `clients`. */
void known_clients_interface(struct known_clients *clients, struct engine_known *known);

/* Clients in the set that the engine uses now. */
size_t known_clients_size(const struct known_clients *clients);

#endif /* SLUICE_ENGINE_KNOWN_CLIENTS_H */
