/* SPDX-License-Identifier: BSD-2-Clause */
/* See ends.h. */
#include "ends.h"

#include <string.h>

#include <netinet/in.h>

#include "base/address.h"

#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_ACK 0x10u

static bool read_ipv4(const uint8_t *ip, size_t size, struct ends *ends)
{
	size_t header = size ? (size_t)(ip[0] & 15) * 4 : 0;

	if (size < 20 || header < 20)
		return false;
	ends->family = SLUICE_FAMILY_IPV4;
	ends->ip = ip;
	ends->protocol = ip[9];
	/* Only the first fragment has a transport header. */
	if (size > header && !((ip[6] & 0x1f) | ip[7])) {
		ends->transport = ip + header;
		ends->transport_size = size - header;
	}
	return true;
}

static bool read_ipv6(const uint8_t *ip, size_t size, struct ends *ends)
{
	if (size < 40)
		return false;
	ends->family = SLUICE_FAMILY_IPV6;
	ends->ip = ip;
	ends->protocol = ip[6];
	ends->transport = ip + 40;
	ends->transport_size = size - 40;
	return true;
}

bool ends_read(const uint8_t *frame, size_t size, struct ends *ends)
{
	size_t at = 12;
	uint16_t type;

	memset(ends, 0, sizeof(*ends));
	for (int tags = 0; at + 2 <= size; tags++, at += 4) {
		type = (uint16_t)(frame[at] << 8 | frame[at + 1]);
		if (type == 0x0800)
			return read_ipv4(frame + at + 2, size - at - 2, ends);
		if (type == 0x86dd)
			return read_ipv6(frame + at + 2, size - at - 2, ends);
		if ((type != 0x8100 && type != 0x88a8) || tags == 2)
			return false;
	}
	return false;
}

struct sluice_key ends_source(const struct ends *ends)
{
	return ends->family == SLUICE_FAMILY_IPV4 ? address_from_ipv4(ends->ip + 12, 32)
						  : address_from_ipv6(ends->ip + 8, 128);
}

struct sluice_key ends_destination(const struct ends *ends)
{
	return ends->family == SLUICE_FAMILY_IPV4 ? address_from_ipv4(ends->ip + 16, 32)
						  : address_from_ipv6(ends->ip + 24, 128);
}

bool ends_speech(const struct ends *ends, const uint8_t **ports)
{
	bool ipv4 = ends->family == SLUICE_FAMILY_IPV4;

	*ports = ends->protocol == IPPROTO_UDP ? ends->transport : NULL;
	if (ends->ip[0] >> 4 != (ipv4 ? 4 : 6))
		return false;
	/* A port that was cut off is zero there, and a later fragment has none. */
	if (ends->protocol == IPPROTO_UDP)
		return ends->transport_size >= 4;
	/* They walk over extension headers. */
	return ipv4 || ends->protocol == IPPROTO_ICMPV6;
}

bool ends_are_established(const struct ends *ends)
{
	uint8_t flags;

	if (ends->protocol != IPPROTO_TCP || ends->transport_size < 14)
		return false;
	flags = ends->transport[13];
	return flags & TCP_ACK && !(flags & (TCP_SYN | TCP_RST));
}
