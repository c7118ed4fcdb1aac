/* SPDX-License-Identifier: BSD-2-Clause */
/* See clients.h. */
#include "clients.h"

#include <errno.h>
#include <stdlib.h>

#include <netinet/in.h>

#include "base/address.h"
#include "base/hash_table.h"
#include "engine/engine.h"

#include "ends.h"

#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_ACK 0x10u

struct clients {
	uint8_t v6_prefix_len;
	struct hash_table *heard; /* Who has sent anything that tells_itself() is false for. */
	struct hash_table *known; /* To a place in `spoken_ns`. */
	uint64_t *spoken_ns;
	struct sluice_key *keys;   /* Whose time that is. */
	struct sluice_key *listed; /* Whole addresses, for the data plane. */
	size_t n_spoken, capacity, listed_capacity;
	uint64_t now_ns;
};

int clients_new(uint8_t v6_prefix_len, struct clients **out)
{
	/* No secret from the kernel: what it holds must not differ from run to run. */
	const struct address_secret secret = { { 1, 2 } };
	struct clients *clients = calloc(1, sizeof(*clients));
	int ret;

	if (!clients)
		return -ENOMEM;
	clients->v6_prefix_len = v6_prefix_len;
	ret = hash_table_new(0, &secret, &clients->heard);
	if (!ret)
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
	hash_table_free(clients->heard);
	hash_table_free(clients->known);
	free(clients->spoken_ns);
	free(clients->keys);
	free(clients->listed);
	free(clients);
}

/*
 * Whether a host that is spoken to has spoken before need only be remembered where a packet does not
 * say by itself that it is no answer, as a SYN and an echo request do.
 */
static bool tells_itself(const struct ends *ends)
{
	return ends->protocol == IPPROTO_TCP || ends->protocol == IPPROTO_ICMP ||
	       ends->protocol == IPPROTO_ICMPV6;
}

int clients_inbound(struct clients *clients, uint64_t now_ns, const struct ends *ends)
{
	int ret;

	clients->now_ns = now_ns;
	if (tells_itself(ends))
		return 0;
	ret = hash_table_add(clients->heard, &ends->source, 0, NULL);
	return ret < 0 ? ret : 0;
}

static int make_room(struct clients *clients)
{
	size_t capacity = clients->capacity ? clients->capacity * 2 : 256;
	struct sluice_key *keys;
	uint64_t *spoken_ns;

	if (clients->n_spoken < clients->capacity)
		return 0;
	spoken_ns = realloc(clients->spoken_ns, capacity * sizeof(*spoken_ns));
	if (spoken_ns)
		clients->spoken_ns = spoken_ns;
	keys = realloc(clients->keys, capacity * sizeof(*keys));
	if (keys)
		clients->keys = keys;
	if (!keys || !spoken_ns)
		return -ENOMEM;
	clients->capacity = capacity;
	return 0;
}

static int remember(struct clients *clients, const struct sluice_key *key)
{
	uint32_t place;
	int ret = make_room(clients);

	if (ret)
		return ret;
	ret = hash_table_add(clients->known, key, (uint32_t)clients->n_spoken, &place);
	if (ret < 0)
		return ret;
	if (ret == 1)
		clients->keys[clients->n_spoken++] = *key;
	clients->spoken_ns[place] = clients->now_ns;
	return 0;
}

/*
 * Only an established connection sends segments with neither SYN nor RST: what answers a SYN is a
 * SYN-ACK, and what answers anything else that is not part of one is a RST.
 */
static bool is_established(const struct ends *ends)
{
	uint8_t flags;

	if (ends->protocol != IPPROTO_TCP || ends->transport_size < 14)
		return false;
	flags = ends->transport[13];
	return flags & TCP_ACK && !(flags & (TCP_SYN | TCP_RST));
}

/* An error or a refusal is an answer to something, and so is all of TCP that is no first SYN. */
static bool is_refusal(const struct ends *ends)
{
	if (!ends->transport_size)
		return true;
	switch (ends->protocol) {
	case IPPROTO_TCP:
		return ends->transport_size < 14 || ends->transport[13] & (TCP_RST | TCP_ACK);
	case IPPROTO_ICMP:
		return ends->transport[0] != 8; /* Only an echo request asks for anything. */
	case IPPROTO_ICMPV6:
		return ends->transport[0] != 128;
	default:
		return false;
	}
}

/* The protected host began, or goes on with somebody that it knows. */
static bool speaks_freely(const struct clients *clients, const struct ends *ends)
{
	if (is_refusal(ends))
		return false;
	return tells_itself(ends) || hash_table_get(clients->known, &ends->destination, NULL) ||
	       !hash_table_get(clients->heard, &ends->destination, NULL);
}

int clients_outbound(struct clients *clients, uint64_t now_ns, const struct ends *ends)
{
	struct sluice_key unit;
	int ret;

	clients->now_ns = now_ns;
	if (!is_established(ends) && !speaks_freely(clients, ends))
		return 0;
	ret = remember(clients, &ends->destination);
	if (ret || ends->destination.family != SLUICE_FAMILY_IPV6)
		return ret;
	unit = address_mask(&ends->destination, clients->v6_prefix_len);
	return remember(clients, &unit);
}

static int refresh(void *ctx)
{
	(void)ctx;
	return 0;
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
	for (size_t i = 0; i < clients->n_spoken; i++)
		if (address_is_single(&clients->keys[i]) &&
		    clients->now_ns - clients->spoken_ns[i] <= CLIENTS_KEEP_NS)
			clients->listed[(*n)++] = clients->keys[i];
	return clients->listed;
}

static bool contains(void *ctx, const struct sluice_key *key)
{
	const struct clients *clients = ctx;
	uint32_t place;

	return hash_table_get(clients->known, key, &place) &&
	       clients->now_ns - clients->spoken_ns[place] <= CLIENTS_KEEP_NS;
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
