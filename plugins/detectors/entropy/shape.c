/* SPDX-License-Identifier: BSD-2-Clause */
/* See shape.h. */
#include "shape.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SYN 0x02
#define RST 0x04
#define ACK 0x10
#define ALL_FLAGS 0x3f
#define NEARLY_ALL 0.9 /* The rest is others'. */
/* A host that gets UDP at more ports than this in peace is one that gets it anywhere. */
#define MAX_SERVICES 16
/* Below are services: names, time, QUIC. */
#define FIRST_PORT 1024
#define LAST_PORT 65535

static struct sluice_rule_match base_match(uint8_t family, uint8_t protocol)
{
	return (struct sluice_rule_match){
		.size = sizeof(struct sluice_rule_match),
		.fields = SLUICE_RULE_PROTOCOL,
		.family = family,
		.protocol = protocol,
	};
}

void shape_of_syn(uint8_t family, struct shape *shape)
{
	memset(shape, 0, sizeof(*shape));
	shape->match[0] = base_match(family, IPPROTO_TCP);
	shape->match[0].fields |= SLUICE_RULE_TCP_FLAGS;
	shape->match[0].tcp_value = SYN;
	shape->match[0].tcp_mask = SYN | ACK;
	shape->n = 1;
}

static int compare_words(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* No RST, nor a SYN-ACK: who sends one that nobody waits for does not come back, forged or not. */
static bool is_open(const struct packet *packet, uint8_t family)
{
	return packet->source.family == family && packet->protocol == IPPROTO_TCP &&
	       packet->fragment == SLUICE_RULE_FRAGMENT_NONE && packet->tcp_flags >= 0 &&
	       !(packet->tcp_flags & (SYN | RST));
}

void shape_of_open(const struct shape_input *input, uint8_t family, struct shape *shape)
{
	uint32_t kinds[MINE_MAX_SAMPLES], kind = 0;
	size_t n = 0, most = 0;

	memset(shape, 0, sizeof(*shape));
	for (size_t i = 0; i < input->n_samples && n < MINE_MAX_SAMPLES; i++) {
		const struct packet *packet = &input->samples[i].packet;

		if (is_open(packet, family))
			kinds[n++] = (uint32_t)(packet->tcp_flags & ALL_FLAGS) << 16 |
				     packet->length;
	}
	qsort(kinds, n, sizeof(kinds[0]), compare_words);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from; to < n && kinds[to] == kinds[from]; to++)
			;
		if (to - from > most) {
			most = to - from;
			kind = kinds[from];
		}
	}
	shape->pps = (double)n * input->pps_per_sample;
	if (most < input->min_samples || (double)most < NEARLY_ALL * (double)n)
		return;
	shape->match[0] = base_match(family, IPPROTO_TCP);
	shape->match[0].fields |= SLUICE_RULE_TCP_FLAGS | SLUICE_RULE_LENGTH;
	shape->match[0].tcp_value = (uint8_t)(kind >> 16);
	shape->match[0].tcp_mask = ALL_FLAGS;
	shape->match[0].length.from = shape->match[0].length.to = (uint16_t)kind;
	shape->n = 1;
}

/* The destination ports of UDP, sorted. */
static size_t ports_of(const struct mine_packet *packets, size_t n, uint8_t family, uint32_t *ports,
		       size_t max)
{
	size_t found = 0;

	for (size_t i = 0; i < n && found < max; i++) {
		const struct packet *packet = &packets[i].packet;

		if (packet->source.family == family && packet->protocol == IPPROTO_UDP &&
		    packet->destination_port >= 0)
			ports[found++] = (uint32_t)packet->destination_port;
	}
	qsort(ports, found, sizeof(ports[0]), compare_words);
	return found;
}

/* Each once; returns how many are left. */
static size_t distinct(uint32_t *sorted, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (i == 0 || sorted[i] != sorted[i - 1])
			sorted[kept++] = sorted[i];
	return kept;
}

/* The widest stay, in no order. */
static void add_range(struct shape *shape, uint8_t family, uint32_t from, uint32_t to)
{
	struct sluice_rule_match match = base_match(family, IPPROTO_UDP);
	size_t at = shape->n, width = to - from;

	if (from > to)
		return;
	if (at == SHAPE_MAX_MATCHES) {
		at = 0;
		for (size_t i = 1; i < shape->n; i++)
			if (shape->match[i].destination_port.to -
				    shape->match[i].destination_port.from <
			    shape->match[at].destination_port.to -
				    shape->match[at].destination_port.from)
				at = i;
		if ((size_t)(shape->match[at].destination_port.to -
			     shape->match[at].destination_port.from) >= width)
			return;
	} else {
		shape->n++;
	}
	match.fields |= SLUICE_RULE_DESTINATION_PORT;
	match.destination_port = (struct sluice_rule_range){ (uint16_t)from, (uint16_t)to };
	shape->match[at] = match;
}

/* How many of the ports are in a range. */
static size_t covered(const struct shape *shape, const uint32_t *ports, size_t n)
{
	size_t inside = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < shape->n; k++)
			inside += ports[i] >= shape->match[k].destination_port.from &&
				  ports[i] <= shape->match[k].destination_port.to;
	return inside;
}

void shape_of_scattered(const struct shape_input *input, uint8_t family, struct shape *shape)
{
	uint32_t ports[MINE_MAX_SAMPLES], usual[MINE_MAX_PEACE], from = FIRST_PORT;
	size_t n = ports_of(input->samples, input->n_samples, family, ports, MINE_MAX_SAMPLES);
	size_t n_usual = ports_of(input->peace, input->n_peace, family, usual, MINE_MAX_PEACE);
	size_t n_distinct;

	memset(shape, 0, sizeof(*shape));
	shape->pps = (double)n * input->pps_per_sample;
	n_distinct = distinct(ports, n);
	n_usual = distinct(usual, n_usual);
	if (n < input->min_samples || (double)n_distinct < NEARLY_ALL * (double)n ||
	    n_usual > MAX_SERVICES)
		return;
	for (size_t i = 0; i < n_usual; i++) {
		if (usual[i] < FIRST_PORT)
			continue;
		add_range(shape, family, from, usual[i] - 1);
		from = usual[i] + 1;
	}
	add_range(shape, family, from, LAST_PORT);
	if ((double)covered(shape, ports, n_distinct) < NEARLY_ALL * (double)n_distinct)
		shape->n = 0;
}
