/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which hosts the protected one knows, learned from the packets of a replay as a kernel would know
 * it from its sockets: hosts that it spoke to first, and those that completed a TCP handshake with
 * it.  A reply alone makes nobody known, and nothing that others send makes them known.
 */
#ifndef SLUICE_TRIAL_CLIENTS_H
#define SLUICE_TRIAL_CLIENTS_H

#include <stdint.h>

struct engine_known;
struct clients;
struct ends;

/* So long a host stays known after the protected one last spoke to it. */
#define CLIENTS_KEEP_NS (60ull * 1000000000ull)

/* `v6_prefix_len`: the unit of IPv6 sources; a host is known by its address and by its unit. */
int clients_new(uint8_t v6_prefix_len, struct clients **out) __attribute__((warn_unused_result));
void clients_free(struct clients *clients);

/* Packets to and from the protected host.  `now_ns` never goes back.  0 or -ENOMEM. */
int clients_inbound(struct clients *clients, uint64_t now_ns, const struct ends *ends)
	__attribute__((warn_unused_result));
int clients_outbound(struct clients *clients, uint64_t now_ns, const struct ends *ends)
	__attribute__((warn_unused_result));

/* Fills in what engine_options.known wants; valid as long as `clients`. */
void clients_interface(struct clients *clients, struct engine_known *known);

#endif /* SLUICE_TRIAL_CLIENTS_H */
