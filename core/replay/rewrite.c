/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rewriting and checksums.  See rewrite.h.  Sums are ones' complement sums of 16-bit words
 * (RFC 1071); an adjusted checksum is the old one with the old words taken out and the new ones put
 * in (RFC 1624, equation 3).
 */
#include "rewrite.h"

#include <netinet/in.h>
#include <string.h>

#include "base/address.h"
#include "packet.h"

#define IPV4_CHECKSUM_AT 10
#define IPV4_ADDRESSES_AT 12
#define IPV6_ADDRESSES_AT 8
#define UDP_LENGTH_AT 4
#define UDP_SIZE 8
#define TCP_SIZE 20

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put_be16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Adds `size` bytes; an odd one is the upper half of a word. */
static uint64_t sum_add(uint64_t sum, const uint8_t *data, uint32_t size)
{
	uint32_t i;

	for (i = 0; i + 1 < size; i += 2)
		sum += be16(data + i);
	return i < size ? sum + ((uint64_t)data[i] << 8) : sum;
}

static uint16_t sum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Where the checksum of the transport protocol is within its header; 0: it has none that we know. */
static uint32_t checksum_at(const struct packet_view *view)
{
	switch (view->protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
		return view->family == SLUICE_FAMILY_IPV4 ? 2 : 0;
	case IPPROTO_ICMPV6:
		return view->family == SLUICE_FAMILY_IPV6 ? 2 : 0;
	default:
		return 0;
	}
}

static bool has_pseudo_header(const struct packet_view *view)
{
	return view->protocol != IPPROTO_ICMP;
}

static uint8_t *addresses_of(uint8_t *frame, const struct packet_view *view, uint32_t *size)
{
	bool ipv4 = view->family == SLUICE_FAMILY_IPV4;

	*size = ipv4 ? 8 : 32;
	return frame + view->network + (ipv4 ? IPV4_ADDRESSES_AT : IPV6_ADDRESSES_AT);
}

static uint64_t sum_addresses(uint8_t *frame, const struct packet_view *view)
{
	uint32_t size;
	const uint8_t *at = addresses_of(frame, view, &size);

	return sum_add(0, at, size);
}

/* Where the captured part of the packet ends: trailing bytes of the frame are not the packet's. */
static uint32_t captured_end(const struct packet_view *view, uint32_t size)
{
	return view->end > view->transport && view->end < size ? view->end : size;
}

/* What the transport's checksum covers of what was captured. */
static uint64_t sum_covered(uint8_t *frame, uint32_t size, const struct packet_view *view)
{
	uint64_t sum = has_pseudo_header(view) ? sum_addresses(frame, view) : 0;

	return sum_add(sum, frame + view->transport, captured_end(view, size) - view->transport);
}

static void adjust(uint8_t *checksum, uint64_t before, uint64_t after, bool zero_is_none)
{
	uint16_t old = be16(checksum), sum;

	if (zero_is_none && old == 0)
		return;
	sum = sum_fold((uint16_t)~old + (uint64_t)(uint16_t)~sum_fold(before) + after);
	sum = (uint16_t)~sum;
	put_be16(checksum, zero_is_none && sum == 0 ? 0xffff : sum);
}

/* Length that the checksum covers; 0 if the packet contradicts itself or is not there in whole. */
static uint32_t covered_size(const uint8_t *frame, uint32_t size, const struct packet_view *view)
{
	uint32_t length, udp_length;

	if (view->fragment || view->end > size || view->end <= view->transport)
		return 0;
	length = view->end - view->transport;
	if (view->protocol == IPPROTO_TCP)
		return length >= TCP_SIZE ? length : 0;
	if (length < UDP_SIZE)
		return 0;
	if (view->protocol != IPPROTO_UDP)
		return length;
	udp_length = be16(frame + view->transport + UDP_LENGTH_AT);
	return udp_length >= UDP_SIZE && udp_length <= length ? udp_length : 0;
}

static void compute(uint8_t *frame, const struct packet_view *view, uint32_t covered,
		    uint8_t *checksum)
{
	bool udp = view->protocol == IPPROTO_UDP;
	uint64_t sum = 0;
	uint16_t value;

	if (udp && view->family == SLUICE_FAMILY_IPV4 && be16(checksum) == 0)
		return;
	put_be16(checksum, 0);
	if (has_pseudo_header(view))
		sum = sum_addresses(frame, view) + covered + view->protocol;
	value = (uint16_t)~sum_fold(sum_add(sum, frame + view->transport, covered));
	put_be16(checksum, udp && value == 0 ? 0xffff : value);
}

/* The checksum's place in the frame, NULL if there is none or it was not captured. */
static uint8_t *checksum_of(uint8_t *frame, uint32_t size, const struct packet_view *view)
{
	uint32_t at = checksum_at(view);

	if (!at || !view->transport || captured_end(view, size) - view->transport < at + 2)
		return NULL;
	return frame + view->transport + at;
}

/* Computed if the header is there with its options, adjusted by the addresses' sums if not. */
static void put_ipv4_checksum(uint8_t *frame, uint32_t size, const struct packet_view *view,
			      uint64_t before, uint64_t after)
{
	uint8_t *ip = frame + view->network;
	uint32_t header_size = (ip[0] & 0x0fu) * 4u;

	if (view->family != SLUICE_FAMILY_IPV4)
		return;
	if (size - view->network < header_size) {
		adjust(ip + IPV4_CHECKSUM_AT, before, after, false);
		return;
	}
	put_be16(ip + IPV4_CHECKSUM_AT, 0);
	put_be16(ip + IPV4_CHECKSUM_AT, (uint16_t)~sum_fold(sum_add(0, ip, header_size)));
}

static void put_addresses(uint8_t *frame, const struct packet_view *view,
			  const struct sluice_key *source, const struct sluice_key *destination)
{
	uint32_t size;
	uint8_t *at = addresses_of(frame, view, &size);

	if (source->family == view->family)
		memcpy(at, source->addr, size / 2);
	if (destination->family == view->family)
		memcpy(at + size / 2, destination->addr, size / 2);
}

static void put_ports(uint8_t *frame, const struct packet_view *view, const struct rewrite *rewrite)
{
	if (!view->has_ports)
		return;
	if (rewrite->source_port)
		put_be16(frame + view->transport, rewrite->source_port);
	if (rewrite->destination_port)
		put_be16(frame + view->transport + 2, rewrite->destination_port);
}

/* The quoted packet: its own checksums follow too, and the error's follows by what changed here. */
static void put_quoted(uint8_t *frame, uint32_t size, const struct packet_view *view,
		       const struct rewrite *rewrite)
{
	struct packet_view quoted;
	uint32_t at;

	if (!packet_is_icmp_error(view, &at))
		return;
	packet_parse_ip(frame, size, at, &quoted);
	if (quoted.family == view->family)
		rewrite_addresses(frame, size, &quoted, &rewrite->quoted_source,
				  &rewrite->quoted_destination);
}

static bool is_empty(const struct rewrite *rewrite)
{
	return !rewrite->source.family && !rewrite->destination.family && !rewrite->source_port &&
	       !rewrite->destination_port && !rewrite->quoted_source.family &&
	       !rewrite->quoted_destination.family;
}

void rewrite_packet(uint8_t *frame, uint32_t size, const struct packet_view *view,
		    const struct rewrite *rewrite)
{
	uint64_t before = 0, addresses_before;
	uint32_t covered;
	uint8_t *checksum;

	if (!view->family || is_empty(rewrite))
		return;
	addresses_before = sum_addresses(frame, view);
	checksum = checksum_of(frame, size, view);
	if (checksum)
		before = sum_covered(frame, size, view);
	put_addresses(frame, view, &rewrite->source, &rewrite->destination);
	put_ports(frame, view, rewrite);
	put_quoted(frame, size, view, rewrite);
	put_ipv4_checksum(frame, size, view, addresses_before, sum_addresses(frame, view));
	if (!checksum)
		return;
	covered = covered_size(frame, size, view);
	if (covered)
		compute(frame, view, covered, checksum);
	else
		adjust(checksum, before, sum_covered(frame, size, view),
		       view->protocol == IPPROTO_UDP);
}

void rewrite_addresses(uint8_t *frame, uint32_t size, const struct packet_view *view,
		       const struct sluice_key *source, const struct sluice_key *destination)
{
	uint64_t before, after;
	uint8_t *checksum;

	if (!view->family)
		return;
	before = sum_addresses(frame, view);
	put_addresses(frame, view, source, destination);
	after = sum_addresses(frame, view);
	if (view->family == SLUICE_FAMILY_IPV4)
		adjust(frame + view->network + IPV4_CHECKSUM_AT, before, after, false);
	checksum = checksum_of(frame, size, view);
	if (checksum && has_pseudo_header(view))
		adjust(checksum, before, after, view->protocol == IPPROTO_UDP);
}
