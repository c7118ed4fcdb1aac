/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients.  See clients.h.
 */
#include "clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"
#include "packet.h"

#define FIRST_CLIENTS 64u
#define MAX_CLIENTS (UINT32_MAX - 1)

/* The client's SYN, the answer to it, and the client's ACK, which makes the client known. */
enum handshake {
	HANDSHAKE_NONE,
	HANDSHAKE_SYN,
	HANDSHAKE_SYN_ACK,
};

int clients_init(struct clients *clients, uint64_t seed)
{
	memset(clients, 0, sizeof(*clients));
	clients->secret.k[0] = invent_mix(seed ^ 0xc11e);
	clients->secret.k[1] = invent_mix(clients->secret.k[0]);
	if (hash_table_new(0, &clients->secret, &clients->by_name) ||
	    hash_table_new(0, &clients->secret, &clients->addresses))
		return -ENOMEM;
	return 0;
}

void clients_fini(struct clients *clients)
{
	hash_table_free(clients->by_name);
	hash_table_free(clients->addresses);
	free(clients->list);
	free(clients->handshakes);
}

static int make_room(struct clients *clients)
{
	size_t room = clients->room ? clients->room * 2 : FIRST_CLIENTS;
	struct mix_client *list;
	uint8_t *handshakes;

	if (clients->count < clients->room)
		return 0;
	if (clients->count >= MAX_CLIENTS)
		return -E2BIG;
	list = realloc(clients->list, room * sizeof(*list));
	if (!list)
		return -ENOMEM;
	clients->list = list;
	handshakes = realloc(clients->handshakes, room);
	if (!handshakes)
		return -ENOMEM;
	clients->handshakes = handshakes;
	clients->room = room;
	return 0;
}

/* A digest of 128 bits, for the table of addresses. */
static struct sluice_key digest_of(const struct clients *clients, const struct invent_name *name)
{
	struct address_secret secret = clients->secret;
	uint64_t words[2];

	secret.k[0] ^= name->space;
	words[0] = address_hash(&name->address, &secret);
	secret.k[1] ^= words[0];
	words[1] = address_hash(&name->peer, &secret);
	return address_from_ipv6(words, 128);
}

int clients_get(struct clients *clients, const struct invent *invent,
		const struct invent_name *name, uint32_t *id)
{
	struct sluice_key digest = digest_of(clients, name);
	struct mix_client client = { .address = name->address };
	int rc;

	if (hash_table_get(clients->by_name, &digest, id))
		return 0;
	rc = make_room(clients);
	if (rc)
		return rc;
	if (invent && !invent_address(invent, name, &client.address))
		return -EINVAL;
	rc = hash_table_set(clients->addresses, &client.address, (uint32_t)clients->count);
	if (rc < 0)
		return rc;
	rc = hash_table_add(clients->by_name, &digest, (uint32_t)clients->count, id);
	if (rc < 0)
		return rc;
	clients->list[clients->count] = client;
	clients->handshakes[clients->count++] = HANDSHAKE_NONE;
	return 0;
}

void clients_see(struct clients *clients, uint32_t id, bool from_client, uint8_t tcp_flags)
{
	struct mix_client *client = &clients->list[id];
	uint8_t *handshake = &clients->handshakes[id];
	bool syn = tcp_flags & PACKET_TCP_SYN, ack = tcp_flags & PACKET_TCP_ACK;

	if (!client->seen_before && !from_client)
		client->known_before = true;
	client->seen_before = true;
	if (tcp_flags & PACKET_TCP_RST)
		return;
	if (from_client && syn && !ack)
		*handshake = *handshake == HANDSHAKE_NONE ? HANDSHAKE_SYN : *handshake;
	else if (!from_client && syn && ack && *handshake == HANDSHAKE_SYN)
		*handshake = HANDSHAKE_SYN_ACK;
	else if (from_client && ack && *handshake == HANDSHAKE_SYN_ACK)
		client->known_before = true;
}
