/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows and their servers.  See flow.h.  A flow is found by a 128-bit keyed digest of its ends, with
 * the lesser end first: base/hash_table holds the digest as if it were an address.
 */
#include "flow.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/hash_table.h"
#include "invent.h"
#include "packet.h"

#define FIRST_FLOWS 64u
#define N_PORTS 65536u
#define WELL_KNOWN_PORTS 1024
#define EPHEMERAL_PORTS 32768
#define NO_FLOW UINT32_MAX

/* One of the two ends; 1 is the lesser one. */
enum end {
	END_NONE,
	END_LESSER,
	END_GREATER,
};

struct flow {
	uint8_t protocol;
	uint8_t first, opener, acceptor; /* enum end: sent the first packet, a SYN, a SYN-ACK. */
	uint16_t lesser_port, greater_port;
	uint32_t with_ports; /* Of later fragments: the flow whose packets came in parts. */
};

struct flow_table {
	struct address_secret secret;
	struct hash_table *index;
	struct flow *flows;
	size_t n_flows, room;
	uint32_t *ports[2]; /* How many flows have a port at either end: TCP, others. */
};

struct ends {
	struct sluice_key source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol;
	bool source_is_lesser;
};

int flow_table_new(uint64_t seed, struct flow_table **out)
{
	struct flow_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->secret.k[0] = invent_mix(seed);
	table->secret.k[1] = invent_mix(seed + 1);
	for (int i = 0; i < 2; i++)
		table->ports[i] = calloc(N_PORTS, sizeof(*table->ports[i]));
	if (!table->ports[0] || !table->ports[1] ||
	    hash_table_new(0, &table->secret, &table->index)) {
		flow_table_free(table);
		return -ENOMEM;
	}
	*out = table;
	return 0;
}

void flow_table_free(struct flow_table *table)
{
	if (!table)
		return;
	hash_table_free(table->index);
	free(table->flows);
	free(table->ports[0]);
	free(table->ports[1]);
	free(table);
}

static struct ends ends_of(const uint8_t *frame, const struct packet_view *view, bool with_ports)
{
	struct ends ends = { .source = packet_source(frame, view),
			     .destination = packet_destination(frame, view),
			     .protocol = view->protocol };
	int order;

	if (with_ports && view->has_ports) {
		ends.source_port = view->source_port;
		ends.destination_port = view->destination_port;
	}
	order = address_compare(&ends.source, &ends.destination);
	ends.source_is_lesser = order < 0 ||
				(order == 0 && ends.source_port <= ends.destination_port);
	return ends;
}

/* The digest: both ends' hashes, then the hash of that under another key. */
static struct sluice_key digest_of(const struct flow_table *table, const struct ends *ends)
{
	bool first = ends->source_is_lesser;
	const struct sluice_key *lesser = first ? &ends->source : &ends->destination;
	const struct sluice_key *greater = first ? &ends->destination : &ends->source;
	uint64_t lesser_port = first ? ends->source_port : ends->destination_port;
	uint64_t greater_port = first ? ends->destination_port : ends->source_port;
	struct address_secret secret = table->secret;
	uint64_t words[2];

	secret.k[0] ^= lesser_port << 32 | greater_port << 16 | ends->protocol;
	words[0] = address_hash(lesser, &secret);
	secret.k[1] ^= words[0];
	words[1] = address_hash(greater, &secret);
	return address_from_ipv6(words, 128);
}

static uint32_t find(const struct flow_table *table, const struct ends *ends)
{
	struct sluice_key digest = digest_of(table, ends);
	uint32_t index;

	return hash_table_get(table->index, &digest, &index) ? index : NO_FLOW;
}

static uint32_t *ports_of(const struct flow_table *table, uint8_t protocol)
{
	return table->ports[protocol == IPPROTO_TCP ? 0 : 1];
}

static int add(struct flow_table *table, const struct ends *ends, uint32_t *index)
{
	struct sluice_key digest = digest_of(table, ends);
	bool first = ends->source_is_lesser;
	struct flow *flow;
	int rc;

	if (table->n_flows == table->room) {
		size_t room = table->room ? table->room * 2 : FIRST_FLOWS;
		struct flow *moved = realloc(table->flows, room * sizeof(*moved));

		if (!moved)
			return -ENOMEM;
		table->flows = moved;
		table->room = room;
	}
	rc = hash_table_add(table->index, &digest, (uint32_t)table->n_flows, index);
	if (rc <= 0)
		return rc;
	flow = &table->flows[table->n_flows++];
	memset(flow, 0, sizeof(*flow));
	flow->protocol = ends->protocol;
	flow->first = first ? END_LESSER : END_GREATER;
	flow->lesser_port = first ? ends->source_port : ends->destination_port;
	flow->greater_port = first ? ends->destination_port : ends->source_port;
	flow->with_ports = NO_FLOW;
	ports_of(table, ends->protocol)[ends->source_port]++;
	ports_of(table, ends->protocol)[ends->destination_port]++;
	return 0;
}

int flow_table_see(struct flow_table *table, const uint8_t *frame, const struct packet_view *view)
{
	uint32_t index, parts;
	struct ends ends;
	uint8_t sender;
	int rc;

	if (!view->family)
		return 0;
	ends = ends_of(frame, view, true);
	rc = add(table, &ends, &index);
	if (rc)
		return rc;
	sender = ends.source_is_lesser ? END_LESSER : END_GREATER;
	if ((view->tcp_flags & PACKET_TCP_SYN) && !(view->tcp_flags & PACKET_TCP_ACK)) {
		if (!table->flows[index].opener)
			table->flows[index].opener = sender;
	} else if (view->tcp_flags & PACKET_TCP_SYN) {
		if (!table->flows[index].acceptor)
			table->flows[index].acceptor = sender;
	} else if (packet_is_echo_request(view) && !table->flows[index].opener) {
		table->flows[index].opener = sender;
	}
	if (!view->fragment || !view->has_ports)
		return 0;
	ends = ends_of(frame, view, false);
	rc = add(table, &ends, &parts);
	if (!rc)
		table->flows[parts].with_ports = index;
	return rc;
}

static enum end other(uint8_t end)
{
	return end == END_LESSER ? END_GREATER : END_LESSER;
}

/* The end that a test of its port holds for, if it does not for the other. */
static enum end only_one(bool lesser, bool greater)
{
	if (lesser == greater)
		return END_NONE;
	return lesser ? END_LESSER : END_GREATER;
}

static enum end server_by_ports(const struct flow_table *table, const struct flow *flow)
{
	const uint32_t *ports = ports_of(table, flow->protocol);
	uint16_t lesser = flow->lesser_port, greater = flow->greater_port;
	enum end server = only_one(lesser < WELL_KNOWN_PORTS, greater < WELL_KNOWN_PORTS);

	if (!server && ports[lesser] != ports[greater])
		server = ports[lesser] > ports[greater] ? END_LESSER : END_GREATER;
	if (!server)
		server = only_one(lesser < EPHEMERAL_PORTS, greater < EPHEMERAL_PORTS);
	return server;
}

static enum end server_of(const struct flow_table *table, const struct flow *flow)
{
	enum end server = END_NONE;

	if (flow->with_ports != NO_FLOW)
		flow = &table->flows[flow->with_ports];
	if (flow->opener)
		return other(flow->opener);
	if (flow->acceptor)
		return (enum end)flow->acceptor;
	if (flow->lesser_port || flow->greater_port)
		server = server_by_ports(table, flow);
	return server ? server : other(flow->first);
}

enum flow_direction flow_table_find(const struct flow_table *table, const uint8_t *frame,
				    const struct packet_view *view)
{
	struct ends ends;
	enum end server;
	uint32_t index;

	if (!view->family)
		return FLOW_UNKNOWN;
	ends = ends_of(frame, view, true);
	index = find(table, &ends);
	if (index == NO_FLOW)
		return FLOW_UNKNOWN;
	server = server_of(table, &table->flows[index]);
	return (server == END_LESSER) == ends.source_is_lesser ? FLOW_TO_CLIENT : FLOW_TO_SERVER;
}
