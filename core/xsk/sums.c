/* SPDX-License-Identifier: BSD-2-Clause */
/* See sums.h. */
#include "sums.h"

#include <stddef.h>

#include <net/ethernet.h>
#include <netinet/in.h>

enum {
	ETHERNET_SIZE = ETHER_HDR_LEN,
	IPV4_SIZE = 20,
	IPV6_SIZE = 40,
	TCP_SIZE = 20,
	TCP_SUM = 16,
	UDP_SIZE = 8,
	UDP_SUM = 6,
};

/* The transport of a packet, and what its pseudo header is made of. */
struct transport {
	const uint8_t *addresses; /* Source and destination. */
	uint32_t addresses_size;
	uint32_t start, size; /* In the frame. */
	uint8_t protocol;
};

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static bool read_ipv4(const uint8_t *frame, uint32_t length, struct transport *transport)
{
	const uint8_t *ip = frame + ETHERNET_SIZE;
	uint32_t header, total;

	if (length < ETHERNET_SIZE + IPV4_SIZE)
		return false;
	header = (ip[0] & 15u) * 4;
	total = get16(ip + 2);
	/* Of a fragment only the whole has a sum. */
	if (ip[0] >> 4 != 4 || header < IPV4_SIZE || total < header ||
	    total > length - ETHERNET_SIZE || get16(ip + 6) & 0x3fff)
		return false;
	*transport =
		(struct transport){ ip + 12, 8, ETHERNET_SIZE + header, total - header, ip[9] };
	return true;
}

static bool read_ipv6(const uint8_t *frame, uint32_t length, struct transport *transport)
{
	const uint8_t *ip = frame + ETHERNET_SIZE;

	if (length < ETHERNET_SIZE + IPV6_SIZE || ip[0] >> 4 != 6 ||
	    get16(ip + 4) > length - ETHERNET_SIZE - IPV6_SIZE)
		return false;
	*transport =
		(struct transport){ ip + 8, 32, ETHERNET_SIZE + IPV6_SIZE, get16(ip + 4), ip[6] };
	return true;
}

static bool read_frame(const uint8_t *frame, uint32_t length, struct transport *transport)
{
	uint32_t type = length < ETHERNET_SIZE ? 0 : get16(frame + 12);

	if (type == ETHERTYPE_IP)
		return read_ipv4(frame, length, transport);
	return type == ETHERTYPE_IPV6 && read_ipv6(frame, length, transport);
}

/* Not complemented: the others add the packet to it. */
static uint32_t pseudo_sum(const struct transport *transport)
{
	uint32_t sum = transport->protocol + transport->size;

	for (uint32_t i = 0; i < transport->addresses_size; i += 2)
		sum += get16(transport->addresses + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

bool sums_leave(uint8_t *frame, uint32_t *length, struct tx_metadata *metadata)
{
	struct transport transport;
	uint32_t offset, sum;

	if (!read_frame(frame, *length, &transport))
		return false;
	if (transport.protocol == IPPROTO_TCP && transport.size >= TCP_SIZE)
		offset = TCP_SUM;
	else if (transport.protocol == IPPROTO_UDP && transport.size >= UDP_SIZE)
		offset = UDP_SUM;
	else
		return false;
	sum = pseudo_sum(&transport);
	frame[transport.start + offset] = (uint8_t)(sum >> 8);
	frame[transport.start + offset + 1] = (uint8_t)sum;
	*length = transport.start + transport.size;
	*metadata = (struct tx_metadata){
		.flags = TX_METADATA_FLAG_CHECKSUM,
		.csum_start = (uint16_t)transport.start,
		.csum_offset = (uint16_t)offset,
	};
	return true;
}
