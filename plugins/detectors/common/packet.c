/* SPDX-License-Identifier: BSD-2-Clause */
/* See packet.h. */
#include "packet.h"

#include <string.h>

#include <netinet/in.h>

#define MAX_TAGS 2
#define MAX_EXTENSIONS 6

/* What is left to read. */
struct cursor {
	const uint8_t *at, *end;
};

static bool has(const struct cursor *cursor, size_t n)
{
	return (size_t)(cursor->end - cursor->at) >= n;
}

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void shorten(struct cursor *cursor, size_t size)
{
	if (has(cursor, size))
		cursor->end = cursor->at + size;
}

static void set_ports(struct packet *packet, const uint8_t *at)
{
	packet->source_port = be16(at);
	packet->destination_port = be16(at + 2);
}

/* How long the transport header is; negative: it is cut short, and shows neither ports nor payload. */
static int transport_size(struct packet *packet, const struct cursor *cursor)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		if (!has(cursor, 20))
			return -1;
		packet->tcp_flags = cursor->at[13];
		set_ports(packet, cursor->at);
		return (cursor->at[12] >> 4) * 4;
	case IPPROTO_DCCP:
	case IPPROTO_SCTP:
		if (!has(cursor, 12))
			return -1;
		set_ports(packet, cursor->at);
		return packet->protocol == IPPROTO_SCTP ? 12 : cursor->at[4] * 4;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		if (!has(cursor, 8))
			return -1;
		set_ports(packet, cursor->at);
		return 8;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 8;
	default:
		return 0;
	}
}

static void parse_transport(struct packet *packet, const struct cursor *cursor)
{
	int size = transport_size(packet, cursor);

	if (size < 0 || !has(cursor, (size_t)size))
		return;
	packet->payload = cursor->at + size;
	packet->payload_size = (size_t)(cursor->end - packet->payload);
}

static bool parse_ipv4(struct cursor *cursor, struct packet *packet)
{
	const uint8_t *ip = cursor->at;
	size_t header;

	if (!has(cursor, 20))
		return false;
	header = (ip[0] & 15) * 4u;
	packet->source = packet->destination =
		(struct sluice_key){ .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };
	memcpy(packet->source.addr, ip + 12, 4);
	memcpy(packet->destination.addr, ip + 16, 4);
	packet->length = be16(ip + 2);
	packet->ttl = ip[8];
	packet->protocol = ip[9];
	packet->fragment_offset = be16(ip + 6) & 0x1fff;
	if (packet->fragment_offset)
		packet->fragment = SLUICE_RULE_FRAGMENT_LATER;
	else if (be16(ip + 6) & 0x2000)
		packet->fragment = SLUICE_RULE_FRAGMENT_FIRST;
	/* Ethernet pads short packets. */
	shorten(cursor, packet->length);
	if (packet->fragment == SLUICE_RULE_FRAGMENT_LATER || header < 20 || !has(cursor, header))
		return true;
	cursor->at += header;
	parse_transport(packet, cursor);
	return true;
}

/* How long the extension header at the cursor is; 0: it is none, or it is cut short. */
static size_t extension_size(uint8_t protocol, const struct cursor *cursor)
{
	if (!has(cursor, 8))
		return 0;
	switch (protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
		return (cursor->at[1] + 1u) * 8;
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return (cursor->at[1] + 2u) * 4;
	default:
		return 0;
	}
}

/* False: the transport header is not in this packet, or too far behind. */
static bool skip_extensions(struct cursor *cursor, struct packet *packet)
{
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		size_t size = extension_size(packet->protocol, cursor);
		uint16_t fragment;

		if (size == 0)
			return true;
		if (!has(cursor, size))
			return false;
		if (packet->protocol == IPPROTO_FRAGMENT) {
			fragment = be16(cursor->at + 2);
			packet->fragment_offset = fragment >> 3;
			if (packet->fragment_offset)
				packet->fragment = SLUICE_RULE_FRAGMENT_LATER;
			else if (fragment & 1)
				packet->fragment = SLUICE_RULE_FRAGMENT_FIRST;
		}
		packet->protocol = cursor->at[0];
		if (packet->fragment == SLUICE_RULE_FRAGMENT_LATER)
			return false;
		cursor->at += size;
	}
	return false;
}

static bool parse_ipv6(struct cursor *cursor, struct packet *packet)
{
	const uint8_t *ip = cursor->at;
	size_t length;

	if (!has(cursor, 40))
		return false;
	packet->source = packet->destination =
		(struct sluice_key){ .family = SLUICE_FAMILY_IPV6, .prefix_len = 128 };
	memcpy(packet->source.addr, ip + 8, 16);
	memcpy(packet->destination.addr, ip + 24, 16);
	length = be16(ip + 4) + 40u;
	packet->length = length > UINT16_MAX ? UINT16_MAX : (uint16_t)length;
	packet->protocol = ip[6];
	packet->ttl = ip[7];
	shorten(cursor, length);
	if (!has(cursor, 40))
		return true;
	cursor->at += 40;
	if (skip_extensions(cursor, packet))
		parse_transport(packet, cursor);
	return true;
}

bool packet_parse(const struct sluice_sample *sample, struct packet *packet)
{
	size_t size = sample->size < sizeof(sample->data) ? sample->size : sizeof(sample->data);
	struct cursor cursor = { sample->data, sample->data + size };

	*packet = (struct packet){ .source_port = -1, .destination_port = -1, .tcp_flags = -1 };
	if (!has(&cursor, 14))
		return false;
	cursor.at += 12;
	for (int tags = 0; tags < MAX_TAGS && has(&cursor, 6) &&
			   (be16(cursor.at) == 0x8100 || be16(cursor.at) == 0x88a8);
	     tags++)
		cursor.at += 4;
	packet->ether_type = be16(cursor.at);
	cursor.at += 2;
	if (packet->ether_type == 0x0800)
		return parse_ipv4(&cursor, packet);
	return packet->ether_type == 0x86dd && parse_ipv6(&cursor, packet);
}

static bool in_range(int value, const struct sluice_rule_range *range)
{
	return value >= range->from && value <= range->to;
}

static bool in_prefix(const struct sluice_key *key, const struct sluice_key *prefix)
{
	unsigned int whole = prefix->prefix_len / 8, rest = prefix->prefix_len % 8;

	if (key->family != prefix->family || prefix->prefix_len > key->prefix_len ||
	    memcmp(key->addr, prefix->addr, whole) != 0)
		return false;
	return rest == 0 || (key->addr[whole] ^ prefix->addr[whole]) >> (8 - rest) == 0;
}

static bool fragment_fits(enum sluice_rule_fragment is, uint8_t wanted)
{
	return wanted == SLUICE_RULE_FRAGMENT_ANY ? is != SLUICE_RULE_FRAGMENT_NONE : is == wanted;
}

static bool payload_fits(const struct packet *packet, const struct sluice_rule_match *match)
{
	if (match->payload_offset + (size_t)match->payload_size > packet->payload_size)
		return false;
	for (uint8_t i = 0; i < match->payload_size; i++)
		if ((packet->payload[match->payload_offset + i] & match->payload_mask[i]) !=
		    match->payload[i])
			return false;
	return true;
}

/* Fields that packets of any kind have. */
static bool headers_fit(const struct packet *packet, const struct sluice_rule_match *match)
{
	uint32_t fields = match->fields;

	return (!match->family || match->family == packet->source.family) &&
	       (!(fields & SLUICE_RULE_PROTOCOL) || match->protocol == packet->protocol) &&
	       (!(fields & SLUICE_RULE_LENGTH) || in_range(packet->length, &match->length)) &&
	       (!(fields & SLUICE_RULE_TTL) || in_range(packet->ttl, &match->ttl)) &&
	       (!(fields & SLUICE_RULE_FRAGMENT) ||
		fragment_fits(packet->fragment, match->fragment)) &&
	       (!(fields & SLUICE_RULE_SOURCE) || in_prefix(&packet->source, &match->source)) &&
	       (!(fields & SLUICE_RULE_DESTINATION) ||
		in_prefix(&packet->destination, &match->destination));
}

bool packet_matches(const struct packet *packet, const struct sluice_rule_match *match)
{
	uint32_t fields = match->fields;

	if (!headers_fit(packet, match))
		return false;
	if (fields & SLUICE_RULE_SOURCE_PORT && !in_range(packet->source_port, &match->source_port))
		return false;
	if (fields & SLUICE_RULE_DESTINATION_PORT &&
	    !in_range(packet->destination_port, &match->destination_port))
		return false;
	if (fields & SLUICE_RULE_TCP_FLAGS &&
	    (packet->tcp_flags < 0 || (packet->tcp_flags & match->tcp_mask) != match->tcp_value))
		return false;
	return !match->payload_size || payload_fits(packet, match);
}
