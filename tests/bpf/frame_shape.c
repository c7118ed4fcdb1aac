// SPDX-License-Identifier: BSD-2-Clause
/* See frame_shape.h. */
#include "frame_shape.h"

#include <stdbool.h>
#include <string.h>

#define BIT(shape, condition) ((uint32_t) !!(condition) << FRAME_SHAPE_##shape)

static const char *const names[FRAME_N_SHAPES] = {
	[FRAME_SHAPE_ONE_TAG] = "one tag",
	[FRAME_SHAPE_TWO_TAGS] = "two tags",
	[FRAME_SHAPE_MORE_TAGS] = "more tags",
	[FRAME_SHAPE_TAG_CUT] = "a tag cut short",
	[FRAME_SHAPE_802_3] = "802.3 with a length",
	[FRAME_SHAPE_JUMBO] = "jumbo",
	[FRAME_SHAPE_IP_CUT] = "an IP header cut short",
	[FRAME_SHAPE_OTHER_VERSION] = "the other version",
	[FRAME_SHAPE_V4_OPTIONS] = "IPv4 options",
	[FRAME_SHAPE_V4_SHORT_IHL] = "IHL under 5",
	[FRAME_SHAPE_V4_LONG_IHL] = "IHL beyond the total length",
	[FRAME_SHAPE_V4_SHORT_LENGTH] = "total length under 20",
	[FRAME_SHAPE_V4_LONG_LENGTH] = "total length beyond the frame",
	[FRAME_SHAPE_V4_PADDED] = "IPv4 with padding",
	[FRAME_SHAPE_V4_FIRST] = "a first IPv4 fragment",
	[FRAME_SHAPE_V4_LATER] = "a later IPv4 fragment",
	[FRAME_SHAPE_V6_LONG_LENGTH] = "payload length beyond the frame",
	[FRAME_SHAPE_V6_NO_LENGTH] = "payload length 0",
	[FRAME_SHAPE_V6_NO_LENGTH_HOP_BY_HOP] = "payload length 0, hop-by-hop options",
	[FRAME_SHAPE_V6_PADDED] = "IPv6 with padding",
	[FRAME_SHAPE_V6_FRAGMENT] = "an IPv6 fragment header",
	[FRAME_SHAPE_V6_CHAIN_OF_6] = "six extension headers",
	[FRAME_SHAPE_V6_CHAIN_OF_7] = "seven extension headers and more",
	[FRAME_SHAPE_V6_MAPPED] = "an IPv4-mapped source",
};

const char *frame_shape_name(enum frame_shape shape)
{
	return names[shape];
}

static uint32_t big16(const uint8_t *at)
{
	return (uint32_t)(at[0] << 8 | at[1]);
}

static bool is_tag(uint32_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8;
}

static uint32_t ipv4_shapes(const uint8_t *ip, uint32_t room)
{
	uint32_t header = (ip[0] & 15u) * 4, length = big16(ip + 2), fragment = big16(ip + 6);

	return BIT(OTHER_VERSION, ip[0] >> 4 == 6) | BIT(V4_OPTIONS, header > 20) |
	       BIT(V4_SHORT_IHL, header < 20) | BIT(V4_LONG_IHL, length >= 20 && length < header) |
	       BIT(V4_SHORT_LENGTH, length < 20) | BIT(V4_LONG_LENGTH, length > room) |
	       BIT(V4_PADDED, length >= header && length < room) |
	       BIT(V4_FIRST, (fragment & 0x3fff) == 0x2000) | BIT(V4_LATER, fragment & 0x1fff);
}

static bool is_extension(uint8_t type)
{
	return type == 0 || type == 43 || type == 44 || type == 51 || type == 60 || type == 135;
}

/* How many extension headers follow each other; `fragment`: one of them is of a fragment. */
static uint32_t count_extensions(const uint8_t *ip, uint32_t room, bool *fragment)
{
	uint32_t at = 40, n = 0;
	uint8_t type = ip[6];

	while (is_extension(type) && at + 8 <= room) {
		const uint8_t *header = ip + at;

		n++;
		*fragment |= type == 44;
		if (type == 44 && big16(header + 2) & 0xfff8)
			break;
		at += type == 44 ? 8 : type == 51 ? (header[1] + 2u) * 4 : (header[1] + 1u) * 8;
		type = header[0];
	}
	return n;
}

static uint32_t ipv6_shapes(const uint8_t *ip, uint32_t room)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint32_t length = big16(ip + 4);
	bool fragment = false;
	uint32_t n = count_extensions(ip, room, &fragment);

	return BIT(OTHER_VERSION, ip[0] >> 4 == 4) | BIT(V6_LONG_LENGTH, 40 + length > room) |
	       BIT(V6_NO_LENGTH, !length && ip[6]) |
	       BIT(V6_NO_LENGTH_HOP_BY_HOP, !length && !ip[6]) |
	       BIT(V6_PADDED, 40 + length < room) | BIT(V6_FRAGMENT, fragment) |
	       BIT(V6_CHAIN_OF_6, n == 6) | BIT(V6_CHAIN_OF_7, n > 6) |
	       BIT(V6_MAPPED, !memcmp(ip + 8, mapped, sizeof(mapped)));
}

uint32_t frame_shapes(const uint8_t *frame, uint32_t size)
{
	uint32_t at = 14, tags = 0, ethertype = big16(frame + 12), shapes = BIT(JUMBO, size > 4096);

	while (is_tag(ethertype) && tags < 3) {
		tags++;
		if (tags == 3)
			return shapes | BIT(MORE_TAGS, true);
		if (at + 4 > size)
			return shapes | BIT(TAG_CUT, true);
		ethertype = big16(frame + at + 2);
		at += 4;
	}
	shapes |= BIT(ONE_TAG, tags == 1) | BIT(TWO_TAGS, tags == 2) |
		  BIT(802_3, ethertype < 0x600);
	if (ethertype != 0x0800 && ethertype != 0x86dd)
		return shapes;
	if (at + (ethertype == 0x0800 ? 20 : 40) > size)
		return shapes | BIT(IP_CUT, true);
	return shapes | (ethertype == 0x0800 ? ipv4_shapes(frame + at, size - at)
					     : ipv6_shapes(frame + at, size - at));
}
