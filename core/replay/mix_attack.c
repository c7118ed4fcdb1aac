/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attack captures: labels, the victim, and the rewriting to the protected host.  See mix.h.
 *
 * The victim is the destination of most attack packets, one for each family.  Attack packets to
 * others become attack packets to the protected host as well: they spread over a network.
 */
#include "mix_tree.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/hash_table.h"

#include "stealth.h"

#define N_PORTS 65536u

static enum mix_class class_of(const struct mix_file *file, size_t i)
{
	const struct capture_packet *packet = &file->capture->packets[i];
	enum label_class rest;

	if (!file->labels)
		return MIX_CLASS_ATTACK;
	rest = labels_has_attack(file->labels) ? LABEL_IGNORE : LABEL_ATTACK;
	switch (labels_classify(file->labels, mix_frame(file, i), packet->size, packet->wire_size,
				rest)) {
	case LABEL_ATTACK:
		return MIX_CLASS_ATTACK;
	case LABEL_BENIGN:
		return MIX_CLASS_BENIGN;
	default:
		return MIX_CLASS_IGNORE;
	}
}

struct victims {
	struct hash_table *counts;
	uint32_t most[2];
};

static int count_attack(struct mix *mix, struct mix_file *file, const uint8_t *frame,
			const struct packet_view *view, struct victims *victims)
{
	struct sluice_key source = packet_source(frame, view);
	struct sluice_key destination = packet_destination(frame, view);
	int f = view->family == SLUICE_FAMILY_IPV6;
	uint32_t count = 0;
	int rc;

	rc = hash_table_set(mix->sources, &source, 0);
	if (rc < 0)
		return rc;
	hash_table_get(victims->counts, &destination, &count);
	rc = hash_table_set(victims->counts, &destination, ++count);
	if (rc < 0)
		return rc;
	if (count > victims->most[f]) {
		victims->most[f] = count;
		file->victims[f] = destination;
	}
	return 0;
}

int mix_label_attack(struct mix *mix, struct mix_file *file)
{
	struct capture *capture = file->capture;
	struct victims victims = { 0 };
	struct packet_view view;
	int rc;

	rc = hash_table_new(0, &mix->clients.secret, &victims.counts);
	if (rc)
		return rc;
	for (size_t i = 0; i < capture->n_packets && !rc; i++) {
		const uint8_t *frame = mix_frame(file, i);
		enum mix_class label = class_of(file, i);

		packet_parse(frame, capture->packets[i].size, &view);
		if (!view.family)
			label = MIX_CLASS_IGNORE;
		file->marks[i] = (struct mix_mark){ .client = MIX_NO_CLIENT,
						    .label = label,
						    .direction = MIX_OTHER,
						    .tcp_flags = view.tcp_flags };
		if (label == MIX_CLASS_ATTACK)
			rc = count_attack(mix, file, frame, &view, &victims);
	}
	hash_table_free(victims.counts);
	return rc;
}

/* An address beside the protected host, made another where it is a protected one. */
static int stranger(struct mix *mix, const struct mix_file *file, const struct sluice_key *address,
		    struct sluice_key *out)
{
	struct invent_name name = { .space = file->index, .address = *address };

	*out = *address;
	if (invent_is_protected(&mix->invent, address) && !invent_address(&mix->invent, &name, out))
		return -EINVAL;
	return 0;
}

/* Of background: the address is what the packet has after rewriting. */
static int set_client(struct mix *mix, const struct mix_file *file, struct mix_mark *mark,
		      const struct sluice_key *address)
{
	struct invent_name name = { .space = file->index, .address = *address };

	if (mark->label != MIX_CLASS_BENIGN)
		return 0;
	return clients_get(&mix->clients, NULL, &name, &mark->client);
}

/* The addresses that an error quotes are the victim's where the victim sent or got that packet. */
static void rewrite_quoted(const struct mix *mix, const uint8_t *frame, uint32_t size,
			   const struct packet_view *view, const struct sluice_key *victim,
			   struct rewrite *rewrite)
{
	struct sluice_key source, destination;
	struct packet_view quoted;
	uint32_t at;

	if (!packet_is_icmp_error(view, &at))
		return;
	packet_parse_ip(frame, size, at, &quoted);
	source = packet_source(frame, &quoted);
	destination = packet_destination(frame, &quoted);
	if (address_equal(&source, victim))
		rewrite->quoted_source = *mix_host(mix, quoted.family);
	if (address_equal(&destination, victim))
		rewrite->quoted_destination = *mix_host(mix, quoted.family);
}

static int aim(struct mix *mix, struct mix_file *file, size_t i, const struct packet_view *view,
	       struct rewrite *rewrite)
{
	const uint8_t *frame = mix_frame(file, i);
	struct sluice_key source = packet_source(frame, view);
	struct sluice_key destination = packet_destination(frame, view);
	const struct sluice_key *victim = &file->victims[view->family == SLUICE_FAMILY_IPV6];
	const struct sluice_key *host = mix_host(mix, view->family);
	bool from_victim = address_equal(&source, victim);
	struct mix_mark *mark = &file->marks[i];
	int rc;

	rewrite_quoted(mix, frame, file->capture->packets[i].size, view, victim, rewrite);
	if (address_equal(&destination, victim) ||
	    (mark->label == MIX_CLASS_ATTACK && !from_victim)) {
		mark->direction = MIX_TOWARD;
		rewrite->destination = *host;
		if (from_victim) { /* The victim's own address as the source is part of the attack. */
			rewrite->source = *host;
			return 0;
		}
		rc = stranger(mix, file, &source, &rewrite->source);
		return rc ? rc : set_client(mix, file, mark, &rewrite->source);
	}
	if (!from_victim)
		return 0;
	mark->direction = MIX_FROM;
	rewrite->source = *host;
	rc = stranger(mix, file, &destination, &rewrite->destination);
	return rc ? rc : set_client(mix, file, mark, &rewrite->destination);
}

static int aim_asis(struct mix *mix, struct mix_file *file, size_t i,
		    const struct packet_view *view)
{
	const uint8_t *frame = mix_frame(file, i);
	struct sluice_key source = packet_source(frame, view);
	struct sluice_key destination = packet_destination(frame, view);
	struct mix_mark *mark = &file->marks[i];

	mark->direction = mix_direction_of(mix, &source, &destination);
	if (mark->label != MIX_CLASS_BENIGN)
		return 0;
	return mix_client_asis(mix, &source, &destination, mark);
}

static bool has_settable_port(const struct packet_view *view)
{
	return view->has_ports && (view->protocol == IPPROTO_TCP || view->protocol == IPPROTO_UDP);
}

/*
 * The attacked port becomes another; `attacked` notes which it was, for the victim's replies, which
 * then come from the new one.
 */
static void set_port(const struct mix *mix, const struct mix_mark *mark,
		     const struct packet_view *view, const uint8_t *attacked,
		     struct rewrite *rewrite)
{
	if (!mix->options.attack_port || !has_settable_port(view))
		return;
	if (mark->label == MIX_CLASS_ATTACK)
		rewrite->destination_port = mix->options.attack_port;
	else if (mark->label == MIX_CLASS_IGNORE && mark->direction == MIX_FROM &&
		 attacked[view->source_port])
		rewrite->source_port = mix->options.attack_port;
}

static void note_ports(const struct mix_file *file, uint8_t *attacked)
{
	struct packet_view view;

	for (size_t i = 0; i < file->capture->n_packets; i++) {
		packet_parse(mix_frame(file, i), file->capture->packets[i].size, &view);
		if (file->marks[i].label == MIX_CLASS_ATTACK && has_settable_port(&view))
			attacked[view.destination_port] = 1;
	}
}

static int prepare_packet(struct mix *mix, struct mix_file *file, size_t i, const uint8_t *attacked)
{
	struct mix_mark *mark = &file->marks[i];
	struct rewrite rewrite = { 0 };
	struct packet_view view;
	int rc = 0;

	packet_parse(mix_frame(file, i), file->capture->packets[i].size, &view);
	if (mix->options.role == MIX_ROLE_ASIS)
		rc = aim_asis(mix, file, i, &view);
	else if (view.family)
		rc = aim(mix, file, i, &view, &rewrite);
	if (rc)
		return rc;
	/* What does not go to a protected host is no attack on one. */
	if (mark->label == MIX_CLASS_ATTACK && mark->direction != MIX_TOWARD)
		mark->label = MIX_CLASS_IGNORE;
	set_port(mix, mark, &view, attacked, &rewrite);
	rewrite_packet(mix_frame(file, i), file->capture->packets[i].size, &view, &rewrite);
	return 0;
}

/* Which packets play, and how many of them are attack. */
static void trim(const struct mix *mix, struct mix_file *file)
{
	size_t first = file->capture->n_packets, last = 0;

	for (size_t i = 0; i < file->capture->n_packets; i++) {
		if (file->marks[i].label != MIX_CLASS_ATTACK)
			continue;
		if (!file->n_attack++)
			first = i;
		last = i;
	}
	file->begin = 0;
	file->end = file->capture->n_packets;
	if (mix->options.trim && file->n_attack) {
		file->begin = first;
		file->end = last + 1;
	}
}

static bool is_attack(void *ctx, size_t packet)
{
	const struct mix_file *file = ctx;

	return file->marks[packet].label == MIX_CLASS_ATTACK;
}

int mix_prepare_attack(struct mix *mix, struct mix_file *file)
{
	uint8_t *attacked = calloc(N_PORTS, 1);
	int rc = 0;

	if (!attacked)
		return -ENOMEM;
	if (mix->options.stealth)
		rc = stealth_dress(file->capture, is_attack, file);
	note_ports(file, attacked);
	for (size_t i = 0; i < file->capture->n_packets && !rc; i++)
		rc = prepare_packet(mix, file, i, attacked);
	free(attacked);
	if (!rc)
		trim(mix, file);
	return rc;
}
