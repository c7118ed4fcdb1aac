/* SPDX-License-Identifier: BSD-2-Clause */
/* See clients.h. */
#include "clients.h"

#include <errno.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/hash_table.h"
#include "dataplane/dataplane.h"
#include "engine/engine.h"

struct clients {
	uint8_t v6_prefix_len;
	const struct clock_source *clock;
	struct dataplane *dataplane; /* Knows whom the host spoke to first; NULL: nobody does. */
	struct hash_table *known;    /* To a place in `seen_ns`. */
	uint64_t *seen_ns;
	struct sluice_key *keys;   /* Whose time that is. */
	struct sluice_key *listed; /* Whole addresses, for the data plane. */
	size_t n, capacity, listed_capacity;
	int rc; /* What went wrong where nobody could be told. */
};

int clients_new(uint8_t v6_prefix_len, const struct clock_source *clock, struct clients **out)
{
	/* No secret from the kernel: what it holds must not differ from run to run. */
	const struct address_secret secret = { { 1, 2 } };
	struct clients *clients = calloc(1, sizeof(*clients));
	int ret;

	if (!clients)
		return -ENOMEM;
	clients->v6_prefix_len = v6_prefix_len;
	clients->clock = clock;
	ret = hash_table_new(0, &secret, &clients->known);
	if (ret) {
		clients_free(clients);
		return ret;
	}
	*out = clients;
	return 0;
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	hash_table_free(clients->known);
	free(clients->seen_ns);
	free(clients->keys);
	free(clients->listed);
	free(clients);
}

static int make_room(struct clients *clients)
{
	size_t capacity = clients->capacity ? clients->capacity * 2 : 256;
	struct sluice_key *keys;
	uint64_t *seen_ns;

	if (clients->n < clients->capacity)
		return 0;
	seen_ns = realloc(clients->seen_ns, capacity * sizeof(*seen_ns));
	if (seen_ns)
		clients->seen_ns = seen_ns;
	keys = realloc(clients->keys, capacity * sizeof(*keys));
	if (keys)
		clients->keys = keys;
	if (!keys || !seen_ns)
		return -ENOMEM;
	clients->capacity = capacity;
	return 0;
}

static int remember(struct clients *clients, const struct sluice_key *key, uint64_t at_ns)
{
	uint32_t place;
	int ret = make_room(clients);

	if (ret)
		return ret;
	ret = hash_table_add(clients->known, key, (uint32_t)clients->n, &place);
	if (ret < 0)
		return ret;
	if (ret == 1) {
		clients->keys[clients->n] = *key;
		clients->seen_ns[clients->n++] = at_ns;
	}
	if (clients->seen_ns[place] < at_ns)
		clients->seen_ns[place] = at_ns;
	return 0;
}

/* By its address and, of IPv6, by its unit. */
static int remember_host(struct clients *clients, const struct sluice_key *key, uint64_t at_ns)
{
	struct sluice_key unit;
	int ret = remember(clients, key, at_ns);

	if (ret || key->family != SLUICE_FAMILY_IPV6)
		return ret;
	unit = address_mask(key, clients->v6_prefix_len);
	return remember(clients, &unit, at_ns);
}

int clients_connected(struct clients *clients, const struct sluice_key *peer)
{
	return remember_host(clients, peer, clock_monotonic_ns(clients->clock));
}

static void note_spoken(void *ctx, const struct dataplane_spoken *spoken)
{
	struct clients *clients = ctx;
	int ret = remember_host(clients, &spoken->key, spoken->last_ns);

	clients->rc = clients->rc ? clients->rc : ret;
}

static bool is_recent(const struct clients *clients, size_t i)
{
	uint64_t now_ns = clock_monotonic_ns(clients->clock);

	return now_ns - clients->seen_ns[i] <= CLIENTS_KEEP_NS;
}

static int refresh(void *ctx)
{
	const struct dataplane_spoken_terms terms = { .keep_ns = CLIENTS_KEEP_NS };
	struct clients *clients = ctx;
	struct dataplane *dp = clients->dataplane;
	int ret;

	if (!dp)
		return 0;
	clients->rc = 0;
	ret = dp->ops->spoken_read(dp, &terms, note_spoken, clients, NULL);
	return ret ? ret : clients->rc;
}

/* In the order in which they became known; a data plane that is too small keeps the first. */
static const struct sluice_key *list(void *ctx, size_t *n)
{
	struct clients *clients = ctx;

	*n = 0;
	if (clients->listed_capacity < clients->capacity) {
		struct sluice_key *bigger =
			realloc(clients->listed, clients->capacity * sizeof(*bigger));

		if (!bigger)
			return clients->listed;
		clients->listed = bigger;
		clients->listed_capacity = clients->capacity;
	}
	for (size_t i = 0; i < clients->n; i++)
		if (address_is_single(&clients->keys[i]) && is_recent(clients, i))
			clients->listed[(*n)++] = clients->keys[i];
	return clients->listed;
}

static bool contains(void *ctx, const struct sluice_key *key)
{
	const struct clients *clients = ctx;
	uint32_t place;

	return hash_table_get(clients->known, key, &place) && is_recent(clients, place);
}

void clients_plane(struct clients *clients, struct dataplane *dataplane)
{
	clients->dataplane = dataplane;
}

void clients_interface(struct clients *clients, struct engine_known *known)
{
	*known = (struct engine_known){
		.refresh = refresh,
		.contains = contains,
		.list = list,
		.ctx = clients,
	};
}
