/* SPDX-License-Identifier: BSD-2-Clause */
/* See signature_frames.h. */
#include "signature_frames.h"

#include <string.h>

#include <netinet/in.h>

static uint8_t *put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put_ethernet(uint8_t *at, const struct frame *frame)
{
	memset(at, 2, 12);
	at += 12;
	for (unsigned int i = 0; i < frame->tags; i++)
		at = put16(put16(at, 0x8100), 7);
	return put16(at, frame->v6 ? 0x86dd : 0x0800);
}

static size_t transport_size(const struct frame *frame)
{
	if (frame->later_fragment)
		return 0;
	if (frame->protocol == IPPROTO_TCP)
		return 20u + frame->tcp_options;
	return frame->protocol == IPPROTO_UDP || frame->protocol == IPPROTO_ICMP ? 8 : 0;
}

static uint8_t *put_ipv4(uint8_t *at, const struct frame *frame, size_t length)
{
	unsigned int fragment = frame->first_fragment ? 0x2000 : frame->later_fragment ? 185 : 0;

	memset(at, 0, 20);
	at[0] = 0x45;
	put16(at + 2, (unsigned int)length + 20);
	put16(at + 6, fragment);
	at[8] = frame->ttl;
	at[9] = frame->protocol;
	at[12] = 10;
	at[13] = (uint8_t)(frame->source >> 16);
	put16(at + 14, frame->source & 0xffff);
	memcpy(at + 16, "\xc0\x00\x02\x01", 4);
	return at + 20;
}

static uint8_t *put_ipv6(uint8_t *at, const struct frame *frame, size_t length)
{
	bool fragment = frame->first_fragment || frame->later_fragment;

	memset(at, 0, 48);
	at[0] = 0x60;
	put16(at + 4, (unsigned int)length + (fragment ? 8 : 0));
	at[6] = fragment ? IPPROTO_FRAGMENT : frame->protocol;
	at[7] = frame->ttl;
	memcpy(at + 8, "\x20\x01\x0d\xb8", 4);
	put16(put16(at + 12, frame->source >> 16), frame->source & 0xffff);
	memcpy(at + 24, "\x20\x01\x0d\xb8\xff", 5);
	if (!fragment)
		return at + 40;
	at[40] = frame->protocol;
	put16(at + 42, frame->first_fragment ? 1 : 185 << 3);
	return at + 48;
}

static uint8_t *put_transport(uint8_t *at, const struct frame *frame)
{
	size_t size = transport_size(frame);

	memset(at, 0, size);
	if (size == 0)
		return at;
	if (frame->protocol != IPPROTO_ICMP)
		put16(put16(at, frame->source_port), frame->destination_port);
	if (frame->protocol == IPPROTO_TCP) {
		at[12] = (uint8_t)(size / 4 << 4);
		at[13] = frame->tcp_flags;
	}
	return at + size;
}

void frame_sample(const struct frame *frame, struct sluice_sample *sample)
{
	uint8_t whole[512], *at = put_ethernet(whole, frame);
	size_t length = transport_size(frame) + frame->payload_size;

	at = frame->v6 ? put_ipv6(at, frame, length) : put_ipv4(at, frame, length);
	at = put_transport(at, frame);
	if (frame->payload_size)
		memcpy(at, frame->payload, frame->payload_size);
	length = (size_t)(at - whole) + frame->payload_size;
	/* Ethernet is never shorter. */
	if (length < 60)
		memset(whole + length, 0, 60 - length);
	length = length < 60 ? 60 : length;
	memset(sample, 0, sizeof(*sample));
	sample->frame_size = (uint32_t)length;
	sample->size = length < SLUICE_SAMPLE_SIZE ? (uint32_t)length : SLUICE_SAMPLE_SIZE;
	memcpy(sample->data, whole, sample->size);
}
