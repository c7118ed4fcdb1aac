/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames and captures by hand.  See frames.h.
 */
#include "frames.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/address.h"
#include "base/err.h"
#include "replay/capture.h"

#define ETHERNET 14

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

/* Byte by byte, the carry brought round at once. */
static uint32_t sum(uint32_t so_far, const uint8_t *data, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++) {
		so_far += i % 2 ? data[i] : (uint32_t)data[i] << 8;
		if (so_far > 0xffff)
			so_far -= 0xffff;
	}
	return so_far;
}

uint32_t frame_network(const uint8_t *data)
{
	return get16(data + 12) == 0x8100 ? ETHERNET + 4 : ETHERNET;
}

static bool is_ipv6(const uint8_t *data)
{
	return data[frame_network(data)] >> 4 == 6;
}

static uint32_t protocol_of(const uint8_t *data)
{
	uint32_t network = frame_network(data);

	if (!is_ipv6(data))
		return data[network + 9];
	return data[network + 6] ? data[network + 6] : data[network + 40];
}

uint32_t frame_transport(const uint8_t *data)
{
	uint32_t network = frame_network(data);

	if (!is_ipv6(data))
		return network + 20;
	return network + 40 + (data[network + 6] ? 0 : 8);
}

static uint32_t checksum_at(uint32_t protocol)
{
	return protocol == 6 ? 16 : protocol == 17 ? 6 : 2;
}

/* Of the transport header and what follows, the checksum field included. */
static uint32_t transport_sum(const uint8_t *data, uint32_t size)
{
	uint32_t network = frame_network(data), transport = frame_transport(data);
	uint32_t length = size - transport, protocol = protocol_of(data), so_far = 0;
	uint8_t pseudo[4] = { 0, (uint8_t)protocol, (uint8_t)(length >> 8), (uint8_t)length };

	if (protocol != 1) {
		so_far = is_ipv6(data) ? sum(0, data + network + 8, 32)
				       : sum(0, data + network + 12, 8);
		so_far = sum(so_far, pseudo, sizeof(pseudo));
	}
	return sum(so_far, data + transport, length);
}

bool frame_is_right(const uint8_t *data, uint32_t size)
{
	uint32_t network = frame_network(data);

	if (!is_ipv6(data) && sum(0, data + network, 20) != 0xffff)
		return false;
	return transport_sum(data, size) == 0xffff;
}

void frame_fix(struct frame *frame)
{
	uint8_t *ip = frame->data + frame_network(frame->data);
	uint8_t *checksum =
		frame->data + frame_transport(frame->data) + checksum_at(protocol_of(frame->data));
	uint32_t value;

	if (!is_ipv6(frame->data)) {
		put16(ip + 10, 0);
		put16(ip + 10, 0xffff - sum(0, ip, 20));
	}
	put16(checksum, 0);
	value = 0xffff - transport_sum(frame->data, frame->size);
	put16(checksum, value ? value : 0xffff);
}

static uint32_t put_network(uint8_t *ip, const struct frame_spec *spec, bool ipv6, uint32_t length)
{
	uint32_t extra = spec->hop_by_hop ? 8 : 0;

	if (!ipv6) {
		ip[0] = 0x45;
		put16(ip + 2, 20 + length);
		ip[8] = 64;
		ip[9] = spec->protocol;
		cr_assert_eq(inet_pton(AF_INET, spec->source, ip + 12), 1);
		cr_assert_eq(inet_pton(AF_INET, spec->destination, ip + 16), 1);
		return 20;
	}
	ip[0] = 0x60;
	put16(ip + 4, length + extra);
	ip[6] = extra ? 0 : spec->protocol;
	ip[7] = 64;
	cr_assert_eq(inet_pton(AF_INET6, spec->source, ip + 8), 1);
	cr_assert_eq(inet_pton(AF_INET6, spec->destination, ip + 24), 1);
	if (extra) {
		ip[40] = spec->protocol;
		ip[42] = 1; /* PadN over the rest. */
		ip[43] = 4;
	}
	return 40 + extra;
}

static void put_transport(uint8_t *at, const struct frame_spec *spec, uint32_t length)
{
	if (spec->protocol == 6 || spec->protocol == 17) {
		put16(at, spec->source_port);
		put16(at + 2, spec->destination_port);
	} else {
		at[0] = spec->protocol == 1 ? 8 : 128;
	}
	if (spec->protocol == 6) {
		at[12] = 0x50;
		at[13] = spec->tcp_flags;
	} else if (spec->protocol == 17) {
		put16(at + 4, length);
	}
}

void frame_build(struct frame *frame, const struct frame_spec *spec)
{
	static const uint8_t addresses[12] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8 };
	bool ipv6 = strchr(spec->source, ':');
	uint32_t header = spec->protocol == 6 ? 20 : 8, at = ETHERNET;

	memset(frame, 0, sizeof(*frame));
	memcpy(frame->data, addresses, sizeof(addresses));
	if (spec->vlan) {
		put16(frame->data + 12, 0x8100);
		put16(frame->data + 14, 7);
		at += 4;
	}
	put16(frame->data + at - 2, ipv6 ? 0x86dd : 0x0800);
	at += put_network(frame->data + at, spec, ipv6, header + spec->payload_size);
	put_transport(frame->data + at, spec, header + spec->payload_size);
	for (uint32_t i = 0; i < spec->payload_size; i++)
		frame->data[at + header + i] = (uint8_t)(i * 7 + 3);
	frame->size = at + header + spec->payload_size;
	frame_fix(frame);
}

struct sluice_key key_of(const char *text)
{
	struct sluice_key key;
	struct sluice_err err;

	err_init(&err);
	cr_assert_eq(address_parse_prefix(text, 0, &key, &err), 0, "%s", err.text);
	return key;
}

static const char *address_at(const uint8_t *data, uint32_t at4, uint32_t at6)
{
	static char texts[4][INET6_ADDRSTRLEN];
	static unsigned int next;
	char *text = texts[next++ % 4];
	const uint8_t *ip = data + frame_network(data);

	if (is_ipv6(data))
		return inet_ntop(AF_INET6, ip + at6, text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET, ip + at4, text, INET6_ADDRSTRLEN);
}

const char *frame_source(const uint8_t *data)
{
	return address_at(data, 12, 8);
}

const char *frame_destination(const uint8_t *data)
{
	return address_at(data, 16, 24);
}

void film_bytes(struct film *film, const void *data, size_t size)
{
	if (film->size + size > film->room) {
		film->room = (film->size + size) * 2;
		film->data = realloc(film->data, film->room);
		cr_assert_not_null(film->data);
	}
	if (size)
		memcpy(film->data + film->size, data, size);
	film->size += size;
}

void film_u32(struct film *film, uint32_t value)
{
	film_bytes(film, &value, sizeof(value));
}

void film_open(struct film *film, uint32_t link_type, bool nanoseconds)
{
	memset(film, 0, sizeof(*film));
	film_u32(film, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
	film_u32(film, 4u << 16 | 2u);
	film_u32(film, 0);
	film_u32(film, 0);
	film_u32(film, 262144);
	film_u32(film, link_type);
}

void film_close(struct film *film)
{
	free(film->data);
}

void film_packet(struct film *film, uint32_t seconds, uint32_t fraction, const void *data,
		 uint32_t size, uint32_t wire_size)
{
	film_u32(film, seconds);
	film_u32(film, fraction);
	film_u32(film, size);
	film_u32(film, wire_size);
	film_bytes(film, data, size);
}

void film_frame(struct film *film, uint32_t seconds, uint32_t microseconds,
		const struct frame_spec *spec)
{
	struct frame frame;

	frame_build(&frame, spec);
	film_packet(film, seconds, microseconds, frame.data, frame.size, frame.size);
}

struct capture *film_load(const struct film *film)
{
	struct capture *capture = NULL;
	struct sluice_err err;
	FILE *stream = fmemopen(film->data, film->size, "rb");

	err_init(&err);
	cr_assert_not_null(stream);
	cr_assert_eq(capture_load_stream(stream, "film", NULL, &capture, &err), 0, "%s", err.text);
	return capture;
}
