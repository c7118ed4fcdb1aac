/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rewriting: after it, checksums are right by a computation of the tests' own, and nothing else has
 * changed.  Random addresses and sizes, from a seed that failures name.
 */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "frames.h"
#include "replay/packet.h"
#include "replay/rewrite.h"
#include "support/random.h"

#define SEED 20240607u
#define ROUNDS 400

/* Every kind of frame that frame_build() can make. */
static const struct frame_spec kinds[] = {
	{ .source = "192.0.2.1", .destination = "198.51.100.2", .protocol = 6 },
	{ .source = "192.0.2.1", .destination = "198.51.100.2", .protocol = 17 },
	{ .source = "192.0.2.1", .destination = "198.51.100.2", .protocol = 1 },
	{ .source = "192.0.2.1", .destination = "198.51.100.2", .protocol = 6, .vlan = true },
	{ .source = "2001:db8::1", .destination = "2001:db8::2", .protocol = 6 },
	{ .source = "2001:db8::1", .destination = "2001:db8::2", .protocol = 17, .vlan = true },
	{ .source = "2001:db8::1", .destination = "2001:db8::2", .protocol = 58 },
	{ .source = "2001:db8::1",
	  .destination = "2001:db8::2",
	  .protocol = 17,
	  .hop_by_hop = true },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct sluice_key random_key(struct random *random, uint8_t family)
{
	struct sluice_key key = { .family = family, .prefix_len = family == 4 ? 32 : 128 };

	for (int i = 0; i < (family == 4 ? 4 : 16); i++)
		key.addr[i] = (uint8_t)random_next(random);
	return key;
}

static void random_frame(struct random *random, struct frame *frame, struct rewrite *rewrite)
{
	struct frame_spec spec = kinds[random_below(random, N_KINDS)];
	uint8_t family = strchr(spec.source, ':') ? 6 : 4;

	spec.source_port = (uint16_t)random_next(random);
	spec.destination_port = (uint16_t)random_next(random);
	spec.payload_size = (uint32_t)random_below(random, 1400);
	frame_build(frame, &spec);
	memset(rewrite, 0, sizeof(*rewrite));
	if (random_below(random, 4))
		rewrite->source = random_key(random, family);
	if (random_below(random, 4) || !rewrite->source.family)
		rewrite->destination = random_key(random, family);
	if (random_below(random, 2))
		rewrite->destination_port = (uint16_t)(1 + random_below(random, 65535));
	if (random_below(random, 2))
		rewrite->source_port = (uint16_t)(1 + random_below(random, 65535));
}

static void rewrite_frame(struct frame *frame, uint32_t captured, const struct rewrite *rewrite)
{
	struct packet_view view;

	packet_parse(frame->data, captured, &view);
	rewrite_packet(frame->data, captured, &view, rewrite);
}

Test(rewrite, checksums_are_right)
{
	struct random random = { SEED };

	for (int round = 0; round < ROUNDS; round++) {
		struct rewrite rewrite;
		struct frame frame;
		struct packet_view view;
		struct sluice_key source, destination;

		random_frame(&random, &frame, &rewrite);
		rewrite_frame(&frame, frame.size, &rewrite);
		cr_assert(frame_is_right(frame.data, frame.size), "seed %u round %d", SEED, round);
		packet_parse(frame.data, frame.size, &view);
		source = packet_source(frame.data, &view);
		destination = packet_destination(frame.data, &view);
		if (rewrite.source.family)
			cr_assert_eq(memcmp(&source, &rewrite.source, sizeof(source)), 0);
		if (rewrite.destination.family)
			cr_assert_eq(memcmp(&destination, &rewrite.destination, sizeof(source)), 0);
		if (rewrite.destination_port && view.has_ports)
			cr_assert_eq(view.destination_port, rewrite.destination_port);
		if (rewrite.source_port && view.has_ports)
			cr_assert_eq(view.source_port, rewrite.source_port);
	}
}

/* A frame cut short is adjusted; with the missing bytes put back it is right. */
Test(rewrite, adjusts_what_was_cut_short)
{
	struct random random = { SEED + 1 };

	for (int round = 0; round < ROUNDS; round++) {
		struct frame frame, whole;
		struct rewrite rewrite;
		uint32_t header, cut;

		random_frame(&random, &frame, &rewrite);
		whole = frame;
		header = frame_transport(frame.data) + 20;
		if (frame.size <= header)
			continue;
		cut = header + (uint32_t)random_below(&random, frame.size - header);
		rewrite_frame(&frame, cut, &rewrite);
		cr_assert_eq(memcmp(frame.data + cut, whole.data + cut, frame.size - cut), 0,
			     "bytes that were not captured are not touched");
		cr_assert(frame_is_right(frame.data, frame.size), "seed %u round %d cut %u",
			  SEED + 1, round, cut);
	}
}

/* Cut at every byte: nothing beyond the cut is read or written.  ASan sees the reads. */
Test(rewrite, stays_within_any_cut)
{
	for (size_t kind = 0; kind < N_KINDS; kind++) {
		struct frame_spec spec = kinds[kind];
		struct random random = { SEED + 2 };
		struct rewrite rewrite = { 0 };
		struct frame frame;

		spec.payload_size = 30;
		frame_build(&frame, &spec);
		rewrite.source = random_key(&random, strchr(spec.source, ':') ? 6 : 4);
		rewrite.destination = random_key(&random, strchr(spec.source, ':') ? 6 : 4);
		rewrite.destination_port = 7;
		for (uint32_t cut = 0; cut < frame.size; cut++) {
			uint8_t *copy = malloc(cut ? cut : 1);
			struct packet_view view;

			memcpy(copy, frame.data, cut);
			packet_parse(copy, cut, &view);
			rewrite_packet(copy, cut, &view, &rewrite);
			cr_assert_eq(memcmp(copy, frame.data, cut < 12 ? cut : 12), 0);
			free(copy);
		}
	}
}

Test(rewrite, addresses_alone_adjust)
{
	struct random random = { SEED + 3 };

	for (int round = 0; round < ROUNDS; round++) {
		struct sluice_key none = { 0 };
		struct rewrite rewrite;
		struct packet_view view;
		struct frame frame;

		random_frame(&random, &frame, &rewrite);
		packet_parse(frame.data, frame.size, &view);
		rewrite_addresses(frame.data, frame.size, &view, &rewrite.source, &none);
		rewrite_addresses(frame.data, frame.size, &view, &none, &rewrite.destination);
		cr_assert(frame_is_right(frame.data, frame.size), "seed %u round %d", SEED + 3,
			  round);
	}
}

Test(rewrite, left_to_the_card_is_computed)
{
	struct rewrite rewrite = { .destination = key_of("203.0.113.9") };
	struct frame_spec spec = kinds[0];
	struct frame frame;

	spec.payload_size = 100;
	frame_build(&frame, &spec);
	frame.data[frame_transport(frame.data) + 16] ^= 0x5a;
	rewrite_frame(&frame, frame.size, &rewrite);
	cr_expect(frame_is_right(frame.data, frame.size));
}

Test(rewrite, udp_without_a_checksum_stays_so)
{
	struct rewrite rewrite = { .destination = key_of("203.0.113.9"), .destination_port = 9 };
	struct frame frame;
	uint8_t *checksum;

	frame_build(&frame, &kinds[1]);
	checksum = frame.data + frame_transport(frame.data) + 6;
	memset(checksum, 0, 2);
	rewrite_frame(&frame, frame.size, &rewrite);
	cr_expect_eq(checksum[0] | checksum[1], 0);
	rewrite_frame(&frame, frame.size - 1, &rewrite);
	cr_expect_eq(checksum[0] | checksum[1], 0, "cut short too");
}

/* A part of a packet: the first has a checksum over bytes that are elsewhere, later ones none. */
Test(rewrite, fragments)
{
	struct rewrite rewrite = { .source = key_of("203.0.113.7"), .destination_port = 99 };
	struct frame_spec spec = kinds[1];
	struct frame frame, before;
	uint32_t network, transport;

	spec.payload_size = 64;
	frame_build(&frame, &spec);
	network = frame_network(frame.data);
	transport = frame_transport(frame.data);
	frame.data[network + 6] = 0x20; /* More fragments. */
	before = frame;
	rewrite_frame(&frame, frame.size, &rewrite);
	frame.data[network + 6] = 0;
	frame.data[network + 10] = before.data[network + 10];
	frame_fix(&before);
	before = frame;
	frame_fix(&before);
	cr_expect_eq(memcmp(frame.data + transport, before.data + transport, 8), 0,
		     "the first part's checksum is adjusted");

	frame_build(&frame, &spec);
	frame.data[network + 7] = 5;
	before = frame;
	rewrite_frame(&frame, frame.size, &rewrite);
	cr_expect_eq(memcmp(frame.data + transport, before.data + transport, 72), 0,
		     "a later part is payload only");
	cr_expect_str_eq(frame_source(frame.data), "203.0.113.7");
}

Test(rewrite, nothing_to_change_changes_nothing)
{
	struct rewrite rewrite = { 0 };
	struct frame frame, before;

	frame_build(&frame, &kinds[0]);
	frame.data[frame_transport(frame.data) + 16] ^= 1;
	before = frame;
	rewrite_frame(&frame, frame.size, &rewrite);
	cr_expect_eq(memcmp(&frame, &before, sizeof(frame)), 0);
	rewrite.source = key_of("2001:db8::7"); /* Of the other family. */
	rewrite_frame(&frame, frame.size, &rewrite);
	cr_expect_str_eq(frame_source(frame.data), kinds[0].source);
}

/* Port unreachable from 198.51.100.2 about a UDP packet of 192.0.2.1. */
Test(rewrite, what_an_icmp_error_quotes)
{
	struct rewrite rewrite = { .source = key_of("203.0.113.1"),
				   .destination = key_of("203.0.113.2"),
				   .quoted_source = key_of("203.0.113.2"),
				   .quoted_destination = key_of("203.0.113.1") };
	struct frame_spec spec = { .source = "198.51.100.2",
				   .destination = "192.0.2.1",
				   .protocol = 1,
				   .payload_size = 28 + 10 };
	struct frame frame, quoted, check;
	uint32_t at;

	frame_build(&quoted, &(struct frame_spec){ .source = "192.0.2.1",
						   .destination = "198.51.100.2",
						   .protocol = 17,
						   .source_port = 4000,
						   .destination_port = 4001,
						   .payload_size = 10 });
	frame_build(&frame, &spec);
	at = frame_transport(frame.data);
	frame.data[at] = 3;
	frame.data[at + 1] = 3;
	memcpy(frame.data + at + 8, quoted.data + 14, 38);
	frame_fix(&frame);
	rewrite_frame(&frame, frame.size, &rewrite);
	cr_expect(frame_is_right(frame.data, frame.size));
	check = quoted;
	memcpy(check.data + 14, frame.data + at + 8, 38);
	cr_expect(frame_is_right(check.data, check.size), "the quoted packet's own checksums");
	cr_expect_str_eq(frame_source(check.data), "203.0.113.2");
	cr_expect_str_eq(frame_destination(check.data), "203.0.113.1");
}
