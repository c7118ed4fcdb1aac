/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clients of a mix: one for each pair of a client and a server in each capture, with the address
 * that it has in the mix, and what of it was seen before the attack.
 */
#ifndef SLUICE_REPLAY_CLIENTS_H
#define SLUICE_REPLAY_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "invent.h"
#include "mix.h"

struct clients {
	struct address_secret secret;
	struct hash_table *by_name;
	struct hash_table *addresses; /* Of all clients. */
	struct mix_client *list;
	uint8_t *handshakes; /* Steps of a TCP handshake seen, see clients.c. */
	size_t count, room;
};

/* 0 or -ENOMEM; clients_fini() in any case. */
int clients_init(struct clients *clients, uint64_t seed) __attribute__((warn_unused_result));
void clients_fini(struct clients *clients);

/*
 * The client of that name, added if new: with an address from `invent`, or its own if that is NULL.
 * 0, -ENOMEM, -EINVAL (no address to be had) or -E2BIG.
 */
int clients_get(struct clients *clients, const struct invent *invent,
		const struct invent_name *name, uint32_t *id) __attribute__((warn_unused_result));

/* A packet before the attack, in order of time. */
void clients_see(struct clients *clients, uint32_t id, bool from_client, uint8_t tcp_flags);

#endif /* SLUICE_REPLAY_CLIENTS_H */
