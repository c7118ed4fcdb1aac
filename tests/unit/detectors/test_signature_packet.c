/* SPDX-License-Identifier: BSD-2-Clause */
/* What the signature detector reads from a sample: as the filter would match it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "packet.h"
#include "set.h"
#include "signature_frames.h"

static struct packet parse(const struct frame *frame)
{
	static struct sluice_sample sample; /* The packet points into it. */
	struct packet packet;

	frame_sample(frame, &sample);
	cr_assert(packet_parse(&sample, &packet));
	return packet;
}

Test(signature_packet, reads_headers_behind_tags_and_extensions)
{
	for (unsigned int i = 0; i < 6; i++) {
		struct frame frame = { .v6 = i & 1,
				       .tags = i / 2,
				       .protocol = IPPROTO_TCP,
				       .tcp_flags = 0x12,
				       .ttl = 57,
				       .source_port = 80,
				       .destination_port = 4000,
				       .tcp_options = 4,
				       .payload = "hello",
				       .payload_size = 5 };
		struct packet packet = parse(&frame);

		cr_expect_eq(packet.protocol, IPPROTO_TCP);
		cr_expect_eq(packet.ttl, 57);
		cr_expect_eq(packet.length, (frame.v6 ? 40 : 20) + 24 + 5);
		cr_expect_eq(packet.source_port, 80);
		cr_expect_eq(packet.destination_port, 4000);
		cr_expect_eq(packet.tcp_flags, 0x12);
		cr_assert_eq(packet.payload_size, 5);
		cr_expect_eq(memcmp(packet.payload, "hello", 5), 0);
		cr_expect_eq(packet.fragment, SLUICE_RULE_FRAGMENT_NONE);
	}
}

Test(signature_packet, later_fragments_show_no_ports)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct frame frame = { .v6 = v6,
				       .protocol = IPPROTO_UDP,
				       .later_fragment = true,
				       .payload = "xxxxxxxxxxxxxxxx",
				       .payload_size = 16 };
		struct packet packet = parse(&frame);

		cr_expect_eq(packet.fragment, SLUICE_RULE_FRAGMENT_LATER);
		cr_expect_eq(packet.protocol, IPPROTO_UDP);
		cr_expect_lt(packet.source_port, 0);
		cr_expect_eq(packet.payload_size, 0);
		frame.later_fragment = false;
		frame.first_fragment = true;
		packet = parse(&frame);
		cr_expect_eq(packet.fragment, SLUICE_RULE_FRAGMENT_FIRST);
		cr_expect_geq(packet.source_port, 0);
	}
}

/* Each field fits, and no longer does when it is changed by one. */
Test(signature_packet, every_field_decides)
{
	struct frame frame = { .protocol = IPPROTO_TCP,
			       .tcp_flags = 0x02,
			       .ttl = 64,
			       .source_port = 1000,
			       .destination_port = 443,
			       .payload = "GET /",
			       .payload_size = 5 };
	struct packet packet = parse(&frame);
	struct sluice_rule_match fits = {
		.fields = (1u << 8) - 1,
		.family = SLUICE_FAMILY_IPV4,
		.protocol = IPPROTO_TCP,
		.tcp_value = 2,
		.tcp_mask = 0x12,
		.source_port = { 1000, 1000 },
		.destination_port = { 443, 443 },
		.length = { 45, 45 },
		.ttl = { 64, 64 },
		.fragment = SLUICE_RULE_FRAGMENT_NONE,
		.payload_size = 3,
		.payload_offset = 1,
		.payload = "ET ",
		.payload_mask = "\xff\xff\xff",
		.destination = { .family = SLUICE_FAMILY_IPV4,
				 .prefix_len = 23,
				 .addr = { 192, 0, 3 } },
	};
	struct sluice_rule_match wrong[10];

	cr_assert(packet_matches(&packet, &fits));
	for (size_t i = 0; i < 10; i++)
		wrong[i] = fits;
	wrong[0].family = SLUICE_FAMILY_IPV6;
	wrong[1].protocol = IPPROTO_UDP;
	wrong[2].tcp_value = 0x12;
	wrong[3].source_port = (struct sluice_rule_range){ 1001, 2000 };
	wrong[4].destination_port = (struct sluice_rule_range){ 1, 442 };
	wrong[5].length = (struct sluice_rule_range){ 46, 50 };
	wrong[6].ttl = (struct sluice_rule_range){ 1, 63 };
	wrong[7].fragment = SLUICE_RULE_FRAGMENT_ANY;
	wrong[8].payload_offset = 3;
	wrong[9].destination.prefix_len = 24;
	for (size_t i = 0; i < 10; i++)
		cr_expect_not(packet_matches(&packet, &wrong[i]), "%zu", i);
}

/* Cut anywhere, and bytes of noise: nothing beyond the sample is read (the sanitizers watch). */
Test(signature_packet, survives_any_bytes)
{
	struct frame frame = { .protocol = IPPROTO_TCP,
			       .payload = "0123456789",
			       .payload_size = 10 };
	struct signature_set set;

	srand(7);
	cr_assert_eq(signature_set_init(&set), 0);
	for (int i = 0; i < 200000; i++) {
		struct sluice_sample sample, *exact;
		struct packet packet;
		struct sluice_rule_match match = {
			.fields = (uint32_t)rand() & 0x1ff,
			.payload_size = (uint8_t)(rand() % 17),
			.payload_offset = (uint16_t)(rand() % 300),
			.destination = { .prefix_len = (uint8_t)(rand() % 129) },
			.source = { .prefix_len = (uint8_t)(rand() % 129) },
		};

		frame.v6 = i & 1;
		frame.tags = (unsigned int)rand() % 3;
		frame.first_fragment = rand() % 4 == 0;
		frame.protocol = (uint8_t)(rand() % 4 ? 6 : rand());
		frame_sample(&frame, &sample);
		for (int n = rand() % 6; n > 0; n--)
			sample.data[(size_t)rand() % 80] = (uint8_t)rand();
		sample.size = rand() % 2 ? (uint32_t)rand() % 90 : (uint32_t)rand();
		exact = malloc(sizeof(*exact));
		cr_assert_not_null(exact);
		*exact = sample;
		if (packet_parse(exact, &packet)) {
			(void)packet_matches(&packet, &match);
			if (packet.payload)
				cr_assert(packet.payload >= exact->data &&
					  packet.payload + packet.payload_size <=
						  exact->data + sizeof(exact->data));
		}
		free(exact);
	}
	signature_set_fini(&set);
}
