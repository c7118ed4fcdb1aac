/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See quic.h.  RFC 9000: 17.2 and 17.3 have the first byte, whose second bit is fixed, and 15 the
 * versions; RFC 9369 is version 2.  Random bytes fit one time in four, and never with a version.
 */
#include "quic.h"

#include <netinet/in.h>
#include <string.h>

#define QUIC_PORT 443
#define FORM_BITS 0xc0
#define LONG_HEADER 0xc0
#define SHORT_HEADER 0x40
#define LEAST_HEAD 4 /* Bytes that the miner keeps. */
#define LEAST 8	     /* Fewer prove nothing. */
#define FIT_PERCENT 90
#define FIRST_PERCENT 1

/* Of the version's four bytes behind the first one, those that there are. */
static bool is_version(const uint8_t *bytes, size_t size)
{
	static const uint8_t versions[][4] = { { 0, 0, 0, 1 }, { 0x6b, 0x33, 0x43, 0xcf } };

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (memcmp(bytes, versions[i], size) == 0)
			return true;
	return false;
}

void quic_count_add(struct quic_count *count, const struct packet *packet, const uint8_t *head,
		    size_t head_size)
{
	bool first;

	if (packet->protocol != IPPROTO_UDP || packet->destination_port != QUIC_PORT)
		return;
	count->n++;
	if (head_size < LEAST_HEAD)
		return;
	first = (head[0] & FORM_BITS) == LONG_HEADER &&
		is_version(head + 1, head_size > 4 ? 4 : head_size - 1);
	count->first += first;
	count->fit += first || (head[0] & FORM_BITS) == SHORT_HEADER;
}

bool quic_fits(const struct quic_count *count)
{
	return count->n >= LEAST && count->fit * 100ull >= count->n * (uint64_t)FIT_PERCENT;
}

bool quic_is_crowd(const struct quic_count *count)
{
	return quic_fits(count) && count->first > 0 &&
	       count->first * 100ull >= count->n * (uint64_t)FIRST_PERCENT;
}

bool quic_window_is_crowd(const struct sluice_window *window)
{
	struct quic_count count = { 0 };
	uint32_t udp = 0;

	if (!SLUICE_HAS(window, samples_lost) || !window->samples ||
	    window->sample_size < sizeof(struct sluice_sample))
		return false;
	for (size_t i = 0; i < window->n_samples; i++) {
		struct packet packet;

		if (!packet_parse(sluice_window_sample(window, i), &packet))
			continue;
		udp += packet.protocol == IPPROTO_UDP;
		quic_count_add(&count, &packet, packet.payload,
			       packet.payload ? packet.payload_size : 0);
	}
	return quic_is_crowd(&count) && count.fit * 100ull >= udp * (uint64_t)FIT_PERCENT;
}
