/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading headers.  See packet.h.  Bytes are read one by one: nothing in a capture is aligned.
 */
#include "packet.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include <linux/if_ether.h>

#include "base/address.h"

#define MAX_VLANS 2
#define MAX_EXTENSIONS 6
#define ETHERNET_SIZE 14
#define VLAN_SIZE 4
#define IPV4_SIZE 20
#define IPV6_SIZE 40
#define IPV4_SOURCE_AT 12
#define IPV4_DESTINATION_AT 16
#define IPV6_SOURCE_AT 8
#define IPV6_DESTINATION_AT 24
#define TCP_FLAGS_AT 13
#define ICMP_HEADER_SIZE 8
#define PROTOCOL_DCCP 33

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static bool protocol_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_UDPLITE || protocol == PROTOCOL_DCCP;
}

static void parse_transport(const uint8_t *frame, uint32_t size, uint32_t at,
			    struct packet_view *view)
{
	uint32_t left;

	if (view->later_fragment || at >= size)
		return;
	left = size - at;
	view->transport = at;
	if (protocol_has_ports(view->protocol) && left >= 4) {
		view->has_ports = true;
		view->source_port = be16(frame + at);
		view->destination_port = be16(frame + at + 2);
	}
	if (view->protocol == IPPROTO_TCP && left > TCP_FLAGS_AT)
		view->tcp_flags = frame[at + TCP_FLAGS_AT];
	if (view->protocol == IPPROTO_ICMP || view->protocol == IPPROTO_ICMPV6)
		view->icmp_type = frame[at];
}

static void parse_ipv4(const uint8_t *frame, uint32_t size, uint32_t at, struct packet_view *view)
{
	uint32_t header_size;
	uint16_t fragment;

	if (size < at || size - at < IPV4_SIZE || frame[at] >> 4 != 4)
		return;
	header_size = (frame[at] & 0x0fu) * 4u;
	if (header_size < IPV4_SIZE)
		return;
	fragment = be16(frame + at + 6);
	view->family = SLUICE_FAMILY_IPV4;
	view->network = at;
	view->protocol = frame[at + 9];
	view->end = at + be16(frame + at + 2);
	view->fragment = (fragment & 0x3fff) != 0;
	view->later_fragment = (fragment & 0x1fff) != 0;
	parse_transport(frame, size, at + header_size, view);
}

/* Length of an extension header, which begins with its next header and, mostly, its length. */
static uint32_t extension_size(uint8_t type, const uint8_t *header)
{
	if (type == IPPROTO_FRAGMENT)
		return 8;
	if (type == IPPROTO_AH)
		return (header[1] + 2u) * 4u;
	return (header[1] + 1u) * 8u;
}

static bool is_extension(uint8_t type)
{
	return type == IPPROTO_HOPOPTS || type == IPPROTO_ROUTING || type == IPPROTO_FRAGMENT ||
	       type == IPPROTO_DSTOPTS || type == IPPROTO_AH;
}

/* Steps over extension headers to the transport header; false if they are cut off or too many. */
static bool skip_extensions(const uint8_t *frame, uint32_t size, uint32_t *at, uint8_t *type,
			    struct packet_view *view)
{
	for (int i = 0; is_extension(*type) && !view->later_fragment; i++) {
		uint8_t header = *type;

		if (i == MAX_EXTENSIONS || *at >= size || size - *at < 8)
			return false;
		if (header == IPPROTO_FRAGMENT) {
			uint16_t fragment = be16(frame + *at + 2);

			view->fragment = (fragment & 0xfff9) != 0;
			view->later_fragment = (fragment & 0xfff8) != 0;
		}
		*type = frame[*at];
		*at += extension_size(header, frame + *at);
	}
	return true;
}

static void parse_ipv6(const uint8_t *frame, uint32_t size, uint32_t at, struct packet_view *view)
{
	uint32_t next = at + IPV6_SIZE;
	uint8_t type;

	if (size < at || size - at < IPV6_SIZE || frame[at] >> 4 != 6)
		return;
	view->family = SLUICE_FAMILY_IPV6;
	view->network = at;
	view->end = next + be16(frame + at + 4);
	type = frame[at + 6];
	if (!skip_extensions(frame, size, &next, &type, view))
		return;
	view->protocol = type;
	parse_transport(frame, size, next, view);
}

void packet_parse_ip(const uint8_t *frame, uint32_t size, uint32_t network,
		     struct packet_view *view)
{
	memset(view, 0, sizeof(*view));
	if (network >= size)
		return;
	if (frame[network] >> 4 == 4)
		parse_ipv4(frame, size, network, view);
	else
		parse_ipv6(frame, size, network, view);
}

void packet_parse(const uint8_t *frame, uint32_t size, struct packet_view *view)
{
	uint32_t at = ETHERNET_SIZE;
	uint16_t type;

	memset(view, 0, sizeof(*view));
	if (size < ETHERNET_SIZE)
		return;
	type = be16(frame + 12);
	for (int i = 0; i < MAX_VLANS && (type == ETH_P_8021Q || type == ETH_P_8021AD); i++) {
		if (size - at < VLAN_SIZE)
			return;
		type = be16(frame + at + 2);
		at += VLAN_SIZE;
	}
	if (type == ETH_P_IP)
		parse_ipv4(frame, size, at, view);
	else if (type == ETH_P_IPV6)
		parse_ipv6(frame, size, at, view);
}

static struct sluice_key key_at(const uint8_t *frame, const struct packet_view *view,
				uint32_t ipv4_at, uint32_t ipv6_at)
{
	struct sluice_key none = { 0 };

	if (view->family == SLUICE_FAMILY_IPV4)
		return address_from_ipv4(frame + view->network + ipv4_at, 32);
	if (view->family == SLUICE_FAMILY_IPV6)
		return address_from_ipv6(frame + view->network + ipv6_at, 128);
	return none;
}

struct sluice_key packet_source(const uint8_t *frame, const struct packet_view *view)
{
	return key_at(frame, view, IPV4_SOURCE_AT, IPV6_SOURCE_AT);
}

struct sluice_key packet_destination(const uint8_t *frame, const struct packet_view *view)
{
	return key_at(frame, view, IPV4_DESTINATION_AT, IPV6_DESTINATION_AT);
}

bool packet_is_icmp_error(const struct packet_view *view, uint32_t *quoted)
{
	bool error = false;

	if (!view->transport)
		return false;
	if (view->family == SLUICE_FAMILY_IPV4 && view->protocol == IPPROTO_ICMP)
		error = view->icmp_type == ICMP_DEST_UNREACH ||
			view->icmp_type == ICMP_SOURCE_QUENCH || view->icmp_type == ICMP_REDIRECT ||
			view->icmp_type == ICMP_TIME_EXCEEDED ||
			view->icmp_type == ICMP_PARAMETERPROB;
	else if (view->family == SLUICE_FAMILY_IPV6 && view->protocol == IPPROTO_ICMPV6)
		error = view->icmp_type >= ICMP6_DST_UNREACH && view->icmp_type <= ICMP6_PARAM_PROB;
	*quoted = view->transport + ICMP_HEADER_SIZE;
	return error;
}

bool packet_is_echo_request(const struct packet_view *view)
{
	if (!view->transport)
		return false;
	return (view->protocol == IPPROTO_ICMP && view->icmp_type == ICMP_ECHO) ||
	       (view->protocol == IPPROTO_ICMPV6 && view->icmp_type == ICMP6_ECHO_REQUEST);
}

bool packet_is_host(const struct sluice_key *address)
{
	static const uint8_t zero[16];

	if (!address_width(address->family) || !memcmp(address->addr, zero, sizeof(zero)))
		return false;
	if (address->family == SLUICE_FAMILY_IPV6)
		return address->addr[0] != 0xff;
	return address->addr[0] < 224 && address->addr[0] != 0;
}
