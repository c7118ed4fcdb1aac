// SPDX-License-Identifier: BSD-2-Clause
/*
 * The template frame: Ethernet, an optional VLAN tag, IPv4 or IPv6, then UDP, a TCP SYN or an echo
 * request.
 */
#include "gen_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

static uint32_t sum_words(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;
	uint16_t word;

	for (size_t i = 0; i + 1 < size; i += 2) {
		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	if (size % 2) {
		word = 0;
		memcpy(&word, bytes + size - 1, 1);
		sum += word;
	}
	return sum;
}

/* Keeps the sum small enough for the BPF program to add a few words more. */
static uint32_t fold_once(uint32_t sum)
{
	return (sum & 0xffff) + (sum >> 16);
}

static size_t put_ethernet(const struct gen_packet *packet, uint8_t *frame)
{
	struct ethhdr *eth = (struct ethhdr *)frame;
	uint16_t type = packet->to.family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP;

	memcpy(eth->h_source, packet->from_mac, ETH_ALEN);
	memcpy(eth->h_dest, packet->to_mac, ETH_ALEN);
	eth->h_proto = htons(packet->vlan ? ETH_P_8021Q : type);
	if (!packet->vlan)
		return sizeof(*eth);

	uint16_t tag[2] = { htons(packet->vlan), htons(type) };

	memcpy(frame + sizeof(*eth), tag, sizeof(tag));
	return sizeof(*eth) + sizeof(tag);
}

static uint8_t ip_protocol(const struct gen_packet *packet)
{
	switch (packet->protocol) {
	case GEN_PROTOCOL_TCP_SYN:
		return IPPROTO_TCP;
	case GEN_PROTOCOL_ICMP:
		return packet->to.family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	default:
		return IPPROTO_UDP;
	}
}

static void put_ipv4(const struct gen_packet *packet, uint8_t *l3, size_t size,
		     struct gen_config *config)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.tot_len = htons(size),
		.protocol = ip_protocol(packet),
		.daddr = packet->to.v4.s_addr,
	};

	memcpy(l3, &ip, sizeof(ip));
	config->ip_sum = fold_once(sum_words(&ip, sizeof(ip)));
	config->source_base = ntohl(packet->source.v4.s_addr);
}

static void put_ipv6(const struct gen_packet *packet, uint8_t *l3, size_t size,
		     struct gen_config *config)
{
	struct ipv6hdr ip = {
		.version = 6,
		.hop_limit = 64,
		.payload_len = htons(size - sizeof(ip)),
		.nexthdr = ip_protocol(packet),
	};

	memcpy(&ip.daddr, &packet->to.v6, sizeof(ip.daddr));
	memcpy(&ip.saddr, &packet->source.v6, sizeof(ip.saddr));
	config->source_base = ntohl(ip.saddr.s6_addr32[1]);
	memcpy(l3, &ip, sizeof(ip));
}

/* Returns the size of the L4 header; `*check` is where its checksum lies in it. */
static size_t put_l4(const struct gen_packet *packet, uint8_t *l4, size_t size, size_t *check)
{
	if (packet->protocol == GEN_PROTOCOL_UDP) {
		struct udphdr udp = {
			.source = htons(packet->from_port),
			.dest = htons(packet->to_port),
			.len = htons(size),
		};

		memcpy(l4, &udp, sizeof(udp));
		*check = offsetof(struct udphdr, check);
		return sizeof(udp);
	}
	if (packet->protocol == GEN_PROTOCOL_TCP_SYN) {
		struct tcphdr tcp = {
			.source = htons(packet->from_port),
			.dest = htons(packet->to_port),
			.seq = htonl(1),
			.doff = sizeof(tcp) / 4,
			.syn = 1,
			.window = htons(64240),
		};

		memcpy(l4, &tcp, sizeof(tcp));
		*check = offsetof(struct tcphdr, check);
		return sizeof(tcp);
	}
	/* Echo requests of both families have the same layout. */
	struct icmphdr icmp = {
		.type = packet->to.family == AF_INET6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO,
		.un.echo.id = htons(1),
		.un.echo.sequence = htons(1),
	};

	memcpy(l4, &icmp, sizeof(icmp));
	*check = offsetof(struct icmphdr, checksum);
	return sizeof(icmp);
}

static size_t l4_header_size(enum gen_protocol protocol)
{
	return protocol == GEN_PROTOCOL_TCP_SYN ? sizeof(struct tcphdr) : sizeof(struct udphdr);
}

/* All of the pseudo-header and the L4 part but what the program fills in. */
static uint32_t l4_sum(const struct gen_packet *packet, const uint8_t *l4, size_t size)
{
	struct in6_addr source = packet->source.v6;
	uint32_t sum = sum_words(l4, size);

	if (packet->to.family == AF_INET && packet->protocol == GEN_PROTOCOL_ICMP)
		return fold_once(sum);
	sum += htons(size) + htons(ip_protocol(packet));
	if (packet->to.family == AF_INET) {
		sum += sum_words(&packet->to.v4, sizeof(packet->to.v4));
	} else {
		source.s6_addr32[1] = 0;
		sum += sum_words(&packet->to.v6, sizeof(packet->to.v6));
		sum += sum_words(&source, sizeof(source));
	}
	return fold_once(sum);
}

static int check_sources(const struct gen_packet *packet, const char **why)
{
	uint32_t first = packet->to.family == AF_INET ? ntohl(packet->source.v4.s_addr)
						      : ntohl(packet->source.v6.s6_addr32[1]);

	*why = NULL;
	if (packet->source.family != packet->to.family)
		*why = "--source-base and --to are of different families";
	else if (!packet->n_sources)
		*why = "--sources must be at least 1";
	else if (packet->n_sources - 1 > UINT32_MAX - first)
		*why = "--sources runs past the last address after --source-base";
	return *why ? -EINVAL : 0;
}

int gen_packet_build(const struct gen_packet *packet, uint8_t *frame, size_t *length,
		     struct gen_config *config, const char **why)
{
	bool ipv6 = packet->to.family == AF_INET6;
	size_t l3, l4, l4_size, check, headers, size;
	int err = check_sources(packet, why);

	if (err)
		return err;
	memset(frame, 0, GEN_FRAME_MAX);
	memset(config, 0, sizeof(*config));
	l3 = put_ethernet(packet, frame);
	l4 = l3 + (ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	headers = l4 + l4_header_size(packet->protocol);
	size = headers < GEN_FRAME_MIN ? GEN_FRAME_MIN : headers;
	if (packet->length) {
		if (packet->length < size || packet->length > GEN_FRAME_MAX) {
			*why = "--length is shorter than the headers, or longer than 1518";
			return -EINVAL;
		}
		size = packet->length;
	}
	/* A SYN carries no data unless asked to: what fills its frame is padding behind the packet. */
	l4_size =
		(packet->protocol == GEN_PROTOCOL_TCP_SYN && !packet->length ? headers : size) - l4;
	put_l4(packet, frame + l4, l4_size, &check);
	if (ipv6)
		put_ipv6(packet, frame + l3, l4 + l4_size - l3, config);
	else
		put_ipv4(packet, frame + l3, l4 + l4_size - l3, config);
	config->n_sources = packet->n_sources;
	config->l4_sum = l4_sum(packet, frame + l4, l4_size);
	config->l3_offset = l3;
	config->l4_offset = l4;
	config->l4_check_offset = l4 + check;
	config->ipv6 = ipv6;
	config->random_port = !packet->from_port && packet->protocol != GEN_PROTOCOL_ICMP;
	config->l4_source = ipv6 || packet->protocol != GEN_PROTOCOL_ICMP;
	*length = size;
	return 0;
}
