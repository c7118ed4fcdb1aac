// SPDX-License-Identifier: BSD-2-Clause
/* See rule_packet.h. */
#include "rule_packet.h"

#include <string.h>

#include <netinet/in.h>

#include <sluice/key.h>

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)(at[0] << 8 | at[1]);
}

/* Where the transport header is, and which; 0: none follows. */
struct transport {
	uint32_t at;
	uint8_t protocol;
	enum sluice_rule_fragment fragment;
};

static struct transport transport4(const uint8_t *ip)
{
	uint32_t fragment = get16(ip + 6);
	struct transport transport = { .at = (ip[0] & 15) * 4u, .protocol = ip[9] };

	if (fragment & 0x1fff)
		return (struct transport){ 0, ip[9], SLUICE_RULE_FRAGMENT_LATER };
	if (fragment & 0x2000)
		transport.fragment = SLUICE_RULE_FRAGMENT_FIRST;
	return transport;
}

static bool is_extension(uint8_t type)
{
	return type == 0 || type == 43 || type == 44 || type == 51 || type == 60 || type == 135;
}

/* Six extension headers at most; the frame's end is theirs. */
static struct transport transport6(const uint8_t *ip, uint32_t frame_end)
{
	struct transport transport = { .at = 40, .protocol = ip[6] };

	for (int n = 0; is_extension(transport.protocol); n++) {
		const uint8_t *header = ip + transport.at;
		uint8_t type = transport.protocol;

		if (n == 6 || transport.at + 8 > frame_end) {
			transport.at = 0;
			return transport;
		}
		transport.protocol = header[0];
		if (type == 44 && get16(header + 2) & 0xfff8)
			return (struct transport){ 0, header[0], SLUICE_RULE_FRAGMENT_LATER };
		if (type == 44 && header[3] & 1)
			transport.fragment = SLUICE_RULE_FRAGMENT_FIRST;
		transport.at += type == 44   ? 8
				: type == 51 ? (header[1] + 2u) * 4
					     : (header[1] + 1u) * 8;
	}
	return transport;
}

static uint32_t header_size(uint8_t protocol, const uint8_t *at)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return (at[12] >> 4) * 4u;
	case IPPROTO_DCCP:
		return at[4] * 4u;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return 8;
	case IPPROTO_SCTP:
		return 12;
	default:
		return 0;
	}
}

static void read_transport(const uint8_t *ip, uint32_t at, uint32_t end,
			   struct rule_model_packet *packet)
{
	static const uint8_t least[256] = { [IPPROTO_TCP] = 20,
					    [IPPROTO_UDP] = 8,
					    [IPPROTO_DCCP] = 12,
					    [IPPROTO_SCTP] = 12,
					    [IPPROTO_UDPLITE] = 8 };
	uint8_t protocol = packet->protocol;
	uint32_t header = 0;

	if (least[protocol] && at + 4 <= end) {
		packet->source_port = (int)get16(ip + at);
		packet->destination_port = (int)get16(ip + at + 2);
	}
	if (protocol == IPPROTO_TCP && at + 14 <= end)
		packet->tcp_flags = ip[at + 13];
	if (at + least[protocol] > end)
		return;
	if (least[protocol])
		header = header_size(protocol, ip + at);
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		header = 8;
	if (header >= least[protocol] && at + header < end) {
		packet->payload = ip + at + header;
		packet->payload_size = end - at - header;
	}
}

/* As the header says; hop-by-hop options without a length announce one that the frame tells. */
static uint32_t stated_length(const uint8_t *ip, uint32_t frame_end)
{
	if (ip[0] >> 4 != 6)
		return get16(ip + 2);
	return get16(ip + 4) || ip[6] ? 40 + get16(ip + 4) : frame_end;
}

void rule_packet_read(const struct frame *frame, struct rule_model_packet *packet)
{
	const uint8_t *ip = frame->data + frame->network;
	bool v6 = ip[0] >> 4 == 6;
	uint32_t frame_end = frame->size - frame->network, length = stated_length(ip, frame_end);
	struct transport transport = v6 ? transport6(ip, frame_end) : transport4(ip);

	*packet = (struct rule_model_packet){
		.family = v6 ? SLUICE_FAMILY_IPV6 : SLUICE_FAMILY_IPV4,
		.fragment = transport.fragment,
		.protocol = transport.protocol,
		.ttl = v6 ? ip[7] : ip[8],
		.source_port = -1,
		.destination_port = -1,
		.tcp_flags = -1,
		.length = length,
	};
	memcpy(packet->destination, ip + (v6 ? 24 : 16), v6 ? 16 : 4);
	if (transport.at)
		read_transport(ip, transport.at, length, packet);
}

static void random_extensions(struct random *random, struct frame_recipe *recipe)
{
	static const uint8_t types[] = { 0,
					 1,
					 43,
					 51,
					 60,
					 60,
					 135,
					 FRAME_FRAGMENT_FIRST,
					 FRAME_FRAGMENT_WHOLE,
					 FRAME_FRAGMENT_LATER };
	/* Chains of one length are as frequent as of another: also the longest, and too long ones. */
	uint64_t n = random_below(random, FRAME_MAX_EXTENSIONS + 1);

	for (uint64_t i = 0; i < n; i++)
		recipe->extensions[i] = types[random_below(random, sizeof(types))];
}

static struct frame_recipe random_recipe(struct random *random)
{
	static const uint8_t protocols[] = { 1, 6, 6, 17, 17, 33, 47, 58, 132, 136 };
	static const uint16_t fragments[] = { 0x2000, 0x2001, 0x0100, 0x4000 };
	struct frame_recipe recipe = {
		.vlans = { random_below(random, 4) ? 0 : 0x8100 },
		.family = random_below(random, 2) ? 4 : 6,
		.protocol = protocols[random_below(random, sizeof(protocols))],
		.tcp_flags = (uint8_t)random_next(random),
		.option_words = random_below(random, 4) ? 0 : (uint8_t)random_below(random, 11),
		.fragment = random_below(random, 4) ? 0 : fragments[random_below(random, 4)],
		.payload = (uint16_t)(1 + random_below(random, 200)),
		.padding = random_below(random, 4) ? 0 : (uint16_t)random_below(random, 60),
	};

	if (random_below(random, 2))
		random_extensions(random, &recipe);
	/* Cut within the transport header now and then, with lengths that say so. */
	if (random_below(random, 8) == 0) {
		recipe.cut = (uint16_t)(recipe.family == 6 ? 62 + random_below(random, 30)
							   : 42 + random_below(random, 30));
		recipe.cut_honest = true;
		recipe.option_words = 0;
		memset(recipe.extensions, 0, sizeof(recipe.extensions));
	}
	return recipe;
}

/* Says that the packet ends sooner, anywhere behind its IP header: what follows is padding. */
static void shorten(struct random *random, uint8_t *ip)
{
	bool v6 = ip[0] >> 4 == 6;
	uint32_t at = v6 ? 4 : 2, least = v6 ? 0 : (ip[0] & 15) * 4u;
	uint32_t length = least + (uint32_t)random_below(random, get16(ip + at) - least + 1);

	ip[at] = (uint8_t)(length >> 8);
	ip[at + 1] = (uint8_t)length;
}

static void no_length(uint8_t *ip)
{
	ip[4] = ip[5] = 0;
}

void rule_packet_random(struct random *random, struct frame *frame)
{
	const uint8_t source[16] = { 198, 51, 100, 7 };
	struct frame_recipe recipe = random_recipe(random);
	struct rule_model_packet packet;
	uint8_t destination[16];

	frame_build(frame, &recipe, source);
	uint8_t *ip = frame->data + frame->network;
	bool v6 = ip[0] >> 4 == 6;

	rule_model_random_destination(random, v6 ? SLUICE_FAMILY_IPV6 : SLUICE_FAMILY_IPV4,
				      destination);
	memcpy(ip + (v6 ? 24 : 16), destination, v6 ? 16 : 4);
	ip[v6 ? 7 : 8] = (uint8_t)random_next(random);
	if (v6 && random_below(random, 16) == 0)
		no_length(ip);
	else if (random_below(random, 8) == 0)
		shorten(random, ip);
	rule_packet_read(frame, &packet);
	if (packet.tcp_flags >= 0 && packet.payload && random_below(random, 8) == 0) {
		ip[packet.payload - ip - 20 + 12] = (uint8_t)random_next(random);
		rule_packet_read(frame, &packet);
	}
	if (packet.payload)
		rule_model_random_payload(random, (uint8_t *)packet.payload, packet.payload_size);
	if (packet.source_port < 0)
		return;
	struct transport transport = v6 ? transport6(ip, frame->size - frame->network)
					: transport4(ip);
	uint16_t ports[2] = { htons(rule_model_random_port(random)),
			      htons(rule_model_random_port(random)) };

	memcpy(ip + transport.at, ports, sizeof(ports));
}
