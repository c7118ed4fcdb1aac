// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each field that a signature rule may ask for, at its borders: one rule, one packet, and whether the
 * one is about the other.  test_rules.c has the same at random, and everything else of rules.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>
#include <netinet/in.h>

#include "plane.h"

#define UDP .protocol = IPPROTO_UDP
#define TCP .protocol = IPPROTO_TCP
#define FIRST FRAME_FRAGMENT_FIRST
#define LATER FRAME_FRAGMENT_LATER
#define WHOLE FRAME_FRAGMENT_WHOLE

/* What frame.c puts into every packet, to 192.168.0.1 or fd00::, and the lengths that come of it. */
#define SOURCE_PORT 0x1234
#define DESTINATION_PORT 80
#define FILLER 0x5a
#define LENGTH4 (20 + 8 + FRAME_USUAL_PAYLOAD)
#define LENGTH6 (40 + 8 + FRAME_USUAL_PAYLOAD)

struct row {
	const char *what;
	bool is_matched;
	struct frame_recipe recipe;
	struct sluice_rule_match rule;
	const char *destination; /* Of the rule. */
	bool is_ttl_set, are_ports_set;
	uint8_t ttl;
	uint16_t ports[2];
};

#define V4(...)                          \
	{                                \
		.family = 4, __VA_ARGS__ \
	}
#define V6(...)                          \
	{                                \
		.family = 6, __VA_ARGS__ \
	}
#define HIT(what_, recipe_, ...)                                                            \
	{                                                                                   \
		.what = (what_), .is_matched = true, .recipe = recipe_, .rule = __VA_ARGS__ \
	}
#define MISS(what_, recipe_, ...)                                       \
	{                                                               \
		.what = (what_), .recipe = recipe_, .rule = __VA_ARGS__ \
	}
#define EVERYTHING          \
	{                   \
		.fields = 0 \
	}
#define ASKS(what, ...)                                   \
	{                                                 \
		.fields = SLUICE_RULE_##what, __VA_ARGS__ \
	}
#define FROM(from_, to_) ASKS(SOURCE_PORT, .source_port = { from_, to_ })
#define TO(from_, to_) ASKS(DESTINATION_PORT, .destination_port = { from_, to_ })
#define LONG(from_, to_) ASKS(LENGTH, .length = { from_, to_ })
#define LIVES(from_, to_) ASKS(TTL, .ttl = { from_, to_ })
#define FLAGS(value, mask) ASKS(TCP_FLAGS, .tcp_value = (value), .tcp_mask = (mask))
#define PART(what) ASKS(FRAGMENT, .fragment = SLUICE_RULE_FRAGMENT_##what)
#define OF(protocol_) ASKS(PROTOCOL, .protocol = (protocol_))
/* `size` bytes of the filler at `offset`. */
#define BYTES(offset, size)                                         \
	{                                                           \
		.payload_offset = (offset), .payload_size = (size), \
		.payload = { [0 ...(size) - 1] = FILLER },          \
		.payload_mask = { [0 ...(size) - 1] = 0xff },       \
	}
#define BYTE(value, mask)                                                         \
	{                                                                         \
		.payload_size = 1, .payload = { value }, .payload_mask = { mask } \
	}

static const struct row rows[] = {
	HIT("every packet", V4(UDP), EVERYTHING),
	HIT("every packet of IPv6", V6(UDP), EVERYTHING),
	HIT("family", V4(UDP), { .family = SLUICE_FAMILY_IPV4 }),
	MISS("other family", V4(UDP), { .family = SLUICE_FAMILY_IPV6 }),
	HIT("protocol", V4(UDP), OF(17)),
	MISS("protocol before", V4(UDP), OF(16)),
	MISS("protocol after", V4(UDP), OF(18)),
	HIT("protocol 0", V4(.protocol = 0), OF(0)),
	HIT("protocol 255", V4(.protocol = 255), OF(255)),
	HIT("protocol of a later fragment", V4(UDP, .fragment = 1), OF(17)),
	HIT("source port", V4(UDP), FROM(SOURCE_PORT, SOURCE_PORT)),
	HIT("source port from", V4(UDP), FROM(SOURCE_PORT, 65535)),
	HIT("source port to", V4(UDP), FROM(0, SOURCE_PORT)),
	MISS("source port beyond", V4(UDP), FROM(SOURCE_PORT + 1, 65535)),
	MISS("source port short of", V4(UDP), FROM(0, SOURCE_PORT - 1)),
	HIT("port", V4(TCP), TO(80, 80)),
	HIT("port, IPv6", V6(TCP), TO(80, 80)),
	HIT("port from", V4(UDP), TO(80, 65535)),
	HIT("port to", V4(UDP), TO(0, 80)),
	MISS("port beyond", V4(UDP), TO(81, 65535)),
	MISS("port short of", V4(UDP), TO(0, 79)),
	HIT("port 0", V4(UDP), TO(0, 0), .are_ports_set = true),
	MISS("port 0 is not 1", V4(UDP), TO(1, 65535), .are_ports_set = true),
	HIT("port 65535", V4(UDP), TO(65535, 65535), .are_ports_set = true, .ports = { 0, 65535 }),
	MISS("port 65535 is not less", V4(UDP), TO(0, 65534), .are_ports_set = true,
	     .ports = { 0, 65535 }),
	HIT("any port of SCTP", V4(.protocol = 132), TO(0, 65535)),
	HIT("any port of DCCP", V4(.protocol = 33), TO(0, 65535)),
	HIT("any port of UDP-Lite", V4(.protocol = 136), TO(0, 65535)),
	MISS("no port of ICMP", V4(.protocol = 1), TO(0, 65535)),
	MISS("no port of GRE", V4(.protocol = 47), TO(0, 65535)),
	MISS("no port of a later fragment", V4(UDP, .fragment = 1), TO(0, 65535)),
	HIT("port of a first fragment", V4(UDP, .fragment = 0x2000), TO(80, 80)),
	HIT("port behind options", V4(UDP, .option_words = 10), TO(80, 80)),
	HIT("port behind tags", V4(UDP, .vlans = { 0x88a8, 0x8100 }), TO(80, 80)),
	HIT("port of a header cut behind it", V4(UDP, .cut = 38, .cut_honest = true), TO(80, 80)),
	MISS("port cut short", V4(UDP, .cut = 37, .cut_honest = true), TO(0, 65535)),
	HIT("port of the least first fragment",
	    V4(TCP, .fragment = 0x2000, .cut = 42, .cut_honest = true), TO(80, 80)),
	MISS("port cut short, IPv6", V6(TCP, .cut = 57, .cut_honest = true), TO(0, 65535)),
	MISS("padding is no header", V4(UDP, .length_change = 20 - LENGTH4), TO(0, 65535)),
	MISS("nor is half of it", V4(UDP, .length_change = 23 - LENGTH4), TO(0, 65535)),
	HIT("a header without padding", V4(UDP, .length_change = 28 - LENGTH4), TO(80, 80)),
	MISS("padding is no header, IPv6", V6(UDP, .length_change = 40 - LENGTH6), TO(0, 65535)),
	HIT("port behind an extension", V6(UDP, .extensions = { 60 }), TO(80, 80)),
	HIT("port behind 5", V6(UDP, .extensions = { 1, 60, 43, 51, 60 }), TO(80, 80)),
	HIT("port behind 6", V6(UDP, .extensions = { 1, 60, 43, FIRST, 51, 60 }), TO(80, 80)),
	MISS("port behind 7", V6(UDP, .extensions = { 1, 60, 43, FIRST, 51, 60, 43 }),
	     TO(0, 65535)),
	HIT("protocol behind 6", V6(UDP, .extensions = { 60, 60, 60, 60, 60, 60 }), OF(17)),
	HIT("behind 6, a seventh is the protocol",
	    V6(UDP, .extensions = { 60, 60, 60, 60, 60, 60, 43 }), OF(43)),
	HIT("port of a packet without a length",
	    V6(UDP, .extensions = { 1 }, .length_change = 40 - LENGTH6 - 8), TO(80, 80)),
	HIT("length", V4(UDP), LONG(LENGTH4, LENGTH4)),
	HIT("length from", V4(UDP), LONG(LENGTH4, 65535)),
	HIT("length to", V4(UDP), LONG(0, LENGTH4)),
	MISS("length beyond", V4(UDP), LONG(LENGTH4 + 1, 65535)),
	MISS("length short of", V4(UDP), LONG(0, LENGTH4 - 1)),
	HIT("length is without tags and padding", V4(UDP, .vlans = { 0x8100 }, .padding = 10),
	    LONG(LENGTH4, LENGTH4)),
	HIT("length, IPv6", V6(UDP), LONG(LENGTH6, LENGTH6)),
	HIT("length of a header alone", V6(.protocol = 59, .payload = FRAME_NO_PAYLOAD),
	    LONG(40, 40)),
	HIT("length of a jumbo packet", V4(UDP, .payload = 9000 - 28), LONG(9000, 9000)),
	HIT("length of a packet without one",
	    V6(UDP, .extensions = { 1 }, .length_change = 40 - LENGTH6 - 8),
	    LONG(LENGTH6 + 8, LENGTH6 + 8)),
	HIT("ttl 0", V4(UDP), LIVES(0, 0), .is_ttl_set = true),
	MISS("ttl 0 is not 1", V4(UDP), LIVES(1, 255), .is_ttl_set = true),
	HIT("ttl 255", V4(UDP), LIVES(255, 255), .is_ttl_set = true, .ttl = 255),
	MISS("ttl 255 is not less", V4(UDP), LIVES(0, 254), .is_ttl_set = true, .ttl = 255),
	HIT("hop limit", V6(UDP), LIVES(64, 64)),
	MISS("hop limit beyond", V6(UDP), LIVES(65, 255)),
	MISS("hop limit short of", V6(UDP), LIVES(0, 63)),
	HIT("syn", V4(TCP, .tcp_flags = 0x02), FLAGS(0x02, 0x12)),
	HIT("syn and what is not asked for", V4(TCP, .tcp_flags = 0xc2), FLAGS(0x02, 0x12)),
	MISS("syn, ack", V4(TCP, .tcp_flags = 0x12), FLAGS(0x02, 0x12)),
	HIT("no flag", V4(TCP), FLAGS(0, 0xff)),
	HIT("no flag of those", V4(TCP, .tcp_flags = 0xc0), FLAGS(0, 0x3f)),
	HIT("every flag", V6(TCP, .tcp_flags = 0xff), FLAGS(0xff, 0xff)),
	MISS("every flag but one", V6(TCP, .tcp_flags = 0x7f), FLAGS(0xff, 0xff)),
	HIT("any flags", V4(TCP, .tcp_flags = 0x55), FLAGS(0, 0)),
	HIT("flags, the last byte", V4(TCP, .cut = 48, .cut_honest = true), FLAGS(0, 0xff)),
	MISS("flags cut short", V4(TCP, .cut = 47, .cut_honest = true), FLAGS(0, 0)),
	MISS("no flags of UDP", V4(UDP), FLAGS(0, 0)),
	MISS("no flags of a later fragment", V4(TCP, .fragment = 1), FLAGS(0, 0)),
	HIT("whole", V4(UDP), PART(NONE)),
	HIT("whole, not to be parted", V4(UDP, .fragment = 0x4000), PART(NONE)),
	MISS("first is not whole", V4(UDP, .fragment = 0x2000), PART(NONE)),
	HIT("first", V4(UDP, .fragment = 0x2000), PART(FIRST)),
	MISS("whole is not first", V4(UDP), PART(FIRST)),
	HIT("middle", V4(UDP, .fragment = 0x2001), PART(LATER)),
	MISS("middle is not first", V4(UDP, .fragment = 0x2001), PART(FIRST)),
	HIT("last", V4(UDP, .fragment = 0x1fff), PART(LATER)),
	HIT("any part: first", V4(UDP, .fragment = 0x2000), PART(ANY)),
	HIT("any part: last", V4(UDP, .fragment = 0x0001), PART(ANY)),
	MISS("any part: whole", V4(UDP, .fragment = 0xc000), PART(ANY)),
	HIT("first, IPv6", V6(UDP, .extensions = { FIRST }), PART(FIRST)),
	HIT("later, IPv6", V6(UDP, .extensions = { 60, LATER }), PART(LATER)),
	HIT("whole in a fragment header", V6(UDP, .extensions = { WHOLE }), PART(NONE)),
	HIT("first is the sixth", V6(UDP, .extensions = { 60, 60, 60, 60, 60, FIRST }), PART(ANY)),
	HIT("payload", V4(UDP), BYTES(0, 1)),
	HIT("payload of 16", V4(UDP), BYTES(0, 16)),
	HIT("payload, the last 16", V4(UDP), BYTES(14, 16)),
	MISS("payload, one too far", V4(UDP), BYTES(15, 16)),
	HIT("payload, the last", V4(UDP), BYTES(29, 1)),
	MISS("payload, the first that is not there", V4(UDP), BYTES(30, 1)),
	MISS("payload is not padding", V4(UDP, .padding = 60), BYTES(30, 1)),
	HIT("payload with a mask", V4(UDP), BYTE(0x50, 0xf0)),
	MISS("payload with a mask, other bits", V4(UDP), BYTE(0x40, 0xf0)),
	HIT("payload, no bit of it", V4(UDP), BYTE(0, 0)),
	MISS("no bit of no payload", V4(UDP, .payload = FRAME_NO_PAYLOAD), BYTE(0, 0)),
	HIT("payload of TCP", V6(TCP), BYTES(14, 16)),
	MISS("no payload of a header cut short", V4(TCP, .cut = 53, .cut_honest = true),
	     BYTE(0, 0)),
	HIT("payload of ICMP", V4(.protocol = 1), BYTES(14, 16)),
	MISS("payload of ICMP, beyond", V4(.protocol = 1), BYTES(15, 16)),
	HIT("payload of GRE", V4(.protocol = 47), BYTES(14, 16)),
	HIT("payload behind 6 extensions", V6(UDP, .extensions = { 1, 60, 43, FIRST, 51, 60 }),
	    BYTES(14, 16)),
	MISS("no payload behind 7", V6(UDP, .extensions = { 1, 60, 43, FIRST, 51, 60, 43 }),
	     BYTES(0, 1)),
	HIT("payload of a packet without a length",
	    V6(UDP, .extensions = { 1 }, .length_change = 40 - LENGTH6 - 8), BYTES(14, 16)),
	MISS("no payload of a later fragment", V4(UDP, .fragment = 1), BYTES(0, 1)),
	HIT("payload in a later buffer", V4(UDP, .payload = 9000 - 28), BYTES(9000 - 28 - 16, 16)),
	MISS("payload beyond all buffers", V4(UDP, .payload = 9000 - 28),
	     BYTES(9000 - 28 - 15, 16)),
	HIT("destination", V4(UDP), ASKS(DESTINATION), .destination = "192.168.0.1/32"),
	MISS("destination before", V4(UDP), ASKS(DESTINATION), .destination = "192.168.0.0/32"),
	MISS("destination after", V4(UDP), ASKS(DESTINATION), .destination = "192.168.0.2/32"),
	HIT("destination, the last of", V4(UDP), ASKS(DESTINATION),
	    .destination = "192.168.0.0/31"),
	MISS("destination, before the first of", V4(UDP), ASKS(DESTINATION),
	     .destination = "192.168.0.2/31"),
	HIT("destination, a half", V4(UDP), ASKS(DESTINATION), .destination = "128.0.0.0/1"),
	MISS("destination, the other half", V4(UDP), ASKS(DESTINATION), .destination = "0.0.0.0/1"),
	HIT("destination, any", V4(UDP), ASKS(DESTINATION), .destination = "0.0.0.0/0"),
	MISS("destination, any of IPv4", V6(UDP), ASKS(DESTINATION), .destination = "0.0.0.0/0"),
	HIT("destination, IPv6", V6(UDP), ASKS(DESTINATION), .destination = "fd00::/128"),
	MISS("destination after, IPv6", V6(UDP), ASKS(DESTINATION), .destination = "fd00::1/128"),
	HIT("destination, the first of, IPv6", V6(UDP), ASKS(DESTINATION),
	    .destination = "fd00::/65"),
	MISS("destination, low half, IPv6", V6(UDP), ASKS(DESTINATION),
	     .destination = "fd00::8000:0:0:0/65"),
	HIT("destination, a few bits", V6(UDP), ASKS(DESTINATION), .destination = "fc00::/7"),
	MISS("destination, other bits", V6(UDP), ASKS(DESTINATION), .destination = "fe00::/7"),
	HIT("destination, any of IPv6", V6(UDP), ASKS(DESTINATION), .destination = "::/0"),
	MISS("destination, not of IPv4", V4(UDP), ASKS(DESTINATION), .destination = "::/0"),
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* From 198.51.100.7, or an IPv6 address that begins like it. */
static void build(const struct row *row, struct frame *frame)
{
	const uint8_t source[16] = { 198, 51, 100, 7 };

	frame_build(frame, &row->recipe, source);
	uint8_t *ip = frame->data + frame->network;

	if (row->is_ttl_set)
		ip[row->recipe.family == 6 ? 7 : 8] = row->ttl;
	/* Rows that set them have no headers in between. */
	if (row->are_ports_set)
		for (int i = 0; i < 2; i++)
			put16(ip + 20 + 2 * i, row->ports[i]);
}

static void use_rule(const struct plane *plane, const struct row *row)
{
	struct dataplane_rule rule = { .match = row->rule };
	struct sluice_err err = { 0 };

	if (row->destination) {
		rule.match.destination = plane_key(row->destination);
		rule.match.family = rule.match.destination.family;
	}
	rule.action = DATAPLANE_RULE_DROP;
	snprintf(rule.name, sizeof(rule.name), "border");
	int code = plane->dp->ops->rules_set(plane->dp, &rule, 1, &err);

	cr_assert_eq(code, 0, "%s: %d: %s", row->what, code, err.text);
}

TestSuite(rule_borders, .init = plane_isolate, .timeout = 120);

Test(rule_borders, of_each_field)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	static struct frame frame;

	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *row = &rows[i];

		build(row, &frame);
		use_rule(&plane, row);
		uint32_t verdict = plane_run(&plane, &frame, 1);

		cr_expect_eq(verdict, row->is_matched ? XDP_DROP : XDP_PASS, "%s: verdict %u",
			     row->what, verdict);
	}
	plane_close(&plane);
}
