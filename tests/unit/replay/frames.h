/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames and captures for the tests of core/replay: built here byte by byte, with checksums by a
 * computation of their own, so that the library is not compared with itself.
 */
#ifndef SLUICE_TESTS_UNIT_REPLAY_FRAMES_H
#define SLUICE_TESTS_UNIT_REPLAY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct capture;

#define FRAME_MAX_SIZE 2048
#define FRAME_SYN 0x02
#define FRAME_SYN_ACK 0x12
#define FRAME_ACK 0x10
#define FRAME_RST 0x04

struct frame {
	uint8_t data[FRAME_MAX_SIZE];
	uint32_t size;
};

/* What goes into frame_build(); both addresses of one family. */
struct frame_spec {
	const char *source, *destination;
	uint8_t protocol; /* 6, 17, or 1 and 58 for an echo request. */
	uint16_t source_port, destination_port;
	uint8_t tcp_flags;
	uint32_t payload_size;
	bool vlan;
	bool hop_by_hop; /* IPv6: an extension header in front. */
};

/* All checksums right. */
void frame_build(struct frame *frame, const struct frame_spec *spec);
/* Puts the checksums right of what frame_build() made, after a change. */
void frame_fix(struct frame *frame);
/* True if the IPv4 header's and the transport's checksums are right; the frame must be whole. */
bool frame_is_right(const uint8_t *data, uint32_t size);
/* Where things are in what frame_build() made. */
uint32_t frame_network(const uint8_t *data);
uint32_t frame_transport(const uint8_t *data);

struct sluice_key key_of(const char *text);
/* Source and destination of a frame as text, in a buffer of the function. */
const char *frame_source(const uint8_t *data);
const char *frame_destination(const uint8_t *data);

/* A capture file in memory, written piece by piece. */
struct film {
	uint8_t *data;
	size_t size, room;
};

/* A classic file header: microseconds, or nanoseconds. */
void film_open(struct film *film, uint32_t link_type, bool nanoseconds);
void film_close(struct film *film);
void film_bytes(struct film *film, const void *data, size_t size);
void film_u32(struct film *film, uint32_t value);
/* `fraction` in the file's unit. */
void film_packet(struct film *film, uint32_t seconds, uint32_t fraction, const void *data,
		 uint32_t size, uint32_t wire_size);
void film_frame(struct film *film, uint32_t seconds, uint32_t microseconds,
		const struct frame_spec *spec);
/* Reads it; fails the test if that fails. */
struct capture *film_load(const struct film *film);

#endif /* SLUICE_TESTS_UNIT_REPLAY_FRAMES_H */
