/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hosts that are known by somebody else's word, such as a stack's in user space: what lies between the
 * thread that hears it and the one that keeps the known clients.  Full, it takes no more until they
 * were fetched, so that whoever talks too much costs no memory.
 */
#ifndef SLUICE_ENGINE_TOLD_CLIENTS_H
#define SLUICE_ENGINE_TOLD_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include <sluice/key.h>

struct told_clients;

#define TOLD_CLIENTS_MAX 8192

struct told_client {
	struct sluice_key key; /* A whole address, checked. */
	bool spoken_first;     /* Else it completed a handshake. */
};

int told_clients_new(struct told_clients **out) __attribute__((warn_unused_result));
/* NULL is a no-op. */
void told_clients_free(struct told_clients *told);

/* Both from any thread.  False: there is no room. */
bool told_clients_put(struct told_clients *told, const struct told_client *client);
/* Those that came since the last call: how many, TOLD_CLIENTS_MAX at most. */
size_t told_clients_take(struct told_clients *told, struct told_client *clients);

#endif /* SLUICE_ENGINE_TOLD_CLIENTS_H */
