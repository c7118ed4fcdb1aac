/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Benign captures: who is whose client, and the rewriting to the protected host.  See mix.h.
 */
#include "mix_tree.h"

#include <errno.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/hash_table.h"
#include "flow.h"

#define GROUP_BIT 1

static enum mix_class class_of(const struct mix_file *file, size_t i)
{
	const struct capture_packet *packet = &file->capture->packets[i];

	if (!file->labels)
		return MIX_CLASS_BENIGN;
	if (labels_classify(file->labels, mix_frame(file, i), packet->size, packet->wire_size,
			    LABEL_BENIGN) == LABEL_BENIGN)
		return MIX_CLASS_BENIGN;
	return MIX_CLASS_IGNORE;
}

/* Frames to a group of hosts, and addresses that no one host has, reach no protected server. */
static bool is_between_hosts(const uint8_t *frame, const struct packet_view *view)
{
	struct sluice_key source = packet_source(frame, view);
	struct sluice_key destination = packet_destination(frame, view);

	return view->family && !(frame[0] & GROUP_BIT) && packet_is_host(&source) &&
	       packet_is_host(&destination);
}

/* Puts the protected host in the server's place and the client's own address in the client's. */
static int rewrite_pair(struct mix *mix, struct mix_file *file, size_t i,
			const struct packet_view *view, bool to_server)
{
	uint8_t *frame = mix_frame(file, i);
	struct sluice_key source = packet_source(frame, view);
	struct sluice_key destination = packet_destination(frame, view);
	struct invent_name name = { .space = file->index };
	struct mix_mark *mark = &file->marks[i];
	struct rewrite rewrite = { 0 };
	struct sluice_key client;
	int rc;

	name.address = to_server ? source : destination;
	name.peer = to_server ? destination : source;
	rc = clients_get(&mix->clients, &mix->invent, &name, &mark->client);
	if (rc)
		return rc;
	client = mix->clients.list[mark->client].address;
	mark->direction = to_server ? MIX_TOWARD : MIX_FROM;
	rewrite.source = to_server ? client : *mix_host(mix, view->family);
	rewrite.destination = to_server ? *mix_host(mix, view->family) : client;
	/* An error quotes what its receiver sent, most often to its sender. */
	rewrite.quoted_source = rewrite.destination;
	rewrite.quoted_destination = rewrite.source;
	rewrite_packet(frame, file->capture->packets[i].size, view, &rewrite);
	return 0;
}

/*
 * Where an ICMP error goes is known from the packet that it quotes: to the server if the server sent
 * that, and then whoever sends it is named as a client.  One to a client is the server's only if it
 * comes from there, not from a router in between.
 */
static enum flow_direction direction_of_error(const struct flow_table *flows, const uint8_t *frame,
					      uint32_t size, const struct packet_view *view,
					      uint32_t quoted_at)
{
	struct sluice_key sender = packet_source(frame, view), quoted_destination;
	struct packet_view quoted;

	packet_parse_ip(frame, size, quoted_at, &quoted);
	quoted_destination = packet_destination(frame, &quoted);
	switch (flow_table_find(flows, frame, &quoted)) {
	case FLOW_TO_SERVER:
		return address_equal(&sender, &quoted_destination) ? FLOW_TO_CLIENT : FLOW_UNKNOWN;
	case FLOW_TO_CLIENT:
		return FLOW_TO_SERVER;
	default:
		return flow_table_find(flows, frame, view);
	}
}

static int rewrite_to_server(struct mix *mix, struct mix_file *file, size_t i,
			     const struct packet_view *view, const struct flow_table *flows)
{
	const uint8_t *frame = mix_frame(file, i);
	enum flow_direction direction;
	uint32_t quoted;

	if (packet_is_icmp_error(view, &quoted))
		direction = direction_of_error(flows, frame, file->capture->packets[i].size, view,
					       quoted);
	else
		direction = flow_table_find(flows, frame, view);
	if (direction == FLOW_UNKNOWN)
		return 0;
	return rewrite_pair(mix, file, i, view, direction == FLOW_TO_SERVER);
}

static int prepare_server(struct mix *mix, struct mix_file *file)
{
	struct capture *capture = file->capture;
	struct flow_table *flows;
	struct packet_view view;
	int rc;

	rc = flow_table_new(mix->options.seed ^ file->index, &flows);
	for (size_t i = 0; i < capture->n_packets && !rc; i++) {
		packet_parse(mix_frame(file, i), capture->packets[i].size, &view);
		rc = flow_table_see(flows, mix_frame(file, i), &view);
	}
	for (size_t i = 0; i < capture->n_packets && !rc; i++) {
		packet_parse(mix_frame(file, i), capture->packets[i].size, &view);
		if (is_between_hosts(mix_frame(file, i), &view))
			rc = rewrite_to_server(mix, file, i, &view, flows);
	}
	flow_table_free(flows);
	return rc;
}

/* Both ends of packet `i` if it goes from host to host; which of the families, else -1. */
static int ends_of(const struct mix_file *file, size_t i, struct sluice_key ends[2])
{
	const uint8_t *frame = mix_frame(file, i);
	struct packet_view view;

	packet_parse(frame, file->capture->packets[i].size, &view);
	if (!is_between_hosts(frame, &view))
		return -1;
	ends[0] = packet_source(frame, &view);
	ends[1] = packet_destination(frame, &view);
	return view.family == SLUICE_FAMILY_IPV6;
}

static int count_hosts(const struct mix_file *file, struct hash_table *counts)
{
	struct sluice_key ends[2];

	for (size_t i = 0; i < file->capture->n_packets; i++) {
		if (ends_of(file, i, ends) < 0)
			continue;
		for (int end = 0; end < 2; end++) {
			uint32_t count = 0;

			hash_table_get(counts, &ends[end], &count);
			if (hash_table_set(counts, &ends[end], count + 1) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* The host of each family that most packets have at either end; of equals the first to send. */
static int find_busiest(const struct mix *mix, const struct mix_file *file,
			struct sluice_key busiest[2])
{
	struct hash_table *counts;
	struct sluice_key ends[2];
	uint32_t most[2] = { 0 };
	int rc;

	rc = hash_table_new(0, &mix->clients.secret, &counts);
	if (rc)
		return rc;
	rc = count_hosts(file, counts);
	for (size_t i = 0; i < file->capture->n_packets && !rc; i++) {
		int f = ends_of(file, i, ends);

		for (int end = 0; f >= 0 && end < 2; end++) {
			uint32_t count = 0;

			hash_table_get(counts, &ends[end], &count);
			if (count > most[f]) {
				most[f] = count;
				busiest[f] = ends[end];
			}
		}
	}
	hash_table_free(counts);
	return rc;
}

static int prepare_client(struct mix *mix, struct mix_file *file)
{
	struct capture *capture = file->capture;
	struct sluice_key busiest[2] = { 0 };
	struct packet_view view;
	int rc;

	rc = find_busiest(mix, file, busiest);
	for (size_t i = 0; i < capture->n_packets && !rc; i++) {
		const uint8_t *frame = mix_frame(file, i);
		struct sluice_key source, destination, *host;

		packet_parse(frame, capture->packets[i].size, &view);
		if (!is_between_hosts(frame, &view))
			continue;
		source = packet_source(frame, &view);
		destination = packet_destination(frame, &view);
		host = &busiest[view.family == SLUICE_FAMILY_IPV6];
		if (address_equal(&destination, host))
			rc = rewrite_pair(mix, file, i, &view, true);
		else if (address_equal(&source, host))
			rc = rewrite_pair(mix, file, i, &view, false);
	}
	return rc;
}

static int prepare_asis(struct mix *mix, struct mix_file *file)
{
	struct capture *capture = file->capture;
	struct packet_view view;
	int rc = 0;

	for (size_t i = 0; i < capture->n_packets && !rc; i++) {
		const uint8_t *frame = mix_frame(file, i);
		struct sluice_key source, destination;

		packet_parse(frame, capture->packets[i].size, &view);
		source = packet_source(frame, &view);
		destination = packet_destination(frame, &view);
		file->marks[i].direction = mix_direction_of(mix, &source, &destination);
		rc = mix_client_asis(mix, &source, &destination, &file->marks[i]);
	}
	return rc;
}

int mix_prepare_benign(struct mix *mix, struct mix_file *file)
{
	struct capture *capture = file->capture;
	struct packet_view view;

	for (size_t i = 0; i < capture->n_packets; i++) {
		packet_parse(mix_frame(file, i), capture->packets[i].size, &view);
		file->marks[i] = (struct mix_mark){ .client = MIX_NO_CLIENT,
						    .label = class_of(file, i),
						    .direction = MIX_OTHER,
						    .tcp_flags = view.tcp_flags };
	}
	file->begin = 0;
	file->end = capture->n_packets;
	switch (mix->options.role) {
	case MIX_ROLE_SERVER:
		return prepare_server(mix, file);
	case MIX_ROLE_CLIENT:
		return prepare_client(mix, file);
	default:
		return prepare_asis(mix, file);
	}
}
