// SPDX-License-Identifier: BSD-2-Clause
/* See frame.h. */
#include "frame.h"

#include <string.h>

#include <netinet/in.h>

static void put(struct frame *frame, const void *bytes, uint32_t size)
{
	memcpy(frame->data + frame->size, bytes, size);
	frame->size += size;
}

static void put16(struct frame *frame, uint16_t value)
{
	const uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	put(frame, bytes, sizeof(bytes));
}

static void put_filler(struct frame *frame, uint32_t size)
{
	memset(frame->data + frame->size, 0x5a, size);
	frame->size += size;
}

static uint16_t ethertype(const struct frame_recipe *recipe)
{
	if (recipe->ethertype)
		return recipe->ethertype;
	return recipe->family == 6 ? 0x86dd : 0x0800;
}

static void put_ethernet(struct frame *frame, const struct frame_recipe *recipe)
{
	const uint8_t addresses[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

	put(frame, addresses, sizeof(addresses));
	for (int i = 0; i < FRAME_MAX_VLANS && recipe->vlans[i]; i++) {
		put16(frame, recipe->vlans[i]);
		put16(frame, recipe->is_priority ? 0xe000 : (uint16_t)(100 + i));
	}
	put16(frame, ethertype(recipe));
	frame->network = frame->size;
}

static void put_transport(struct frame *frame, uint8_t protocol, uint8_t tcp_flags)
{
	uint8_t header[20] = { 0x12, 0x34, 0, 80 };

	switch (protocol) {
	case IPPROTO_TCP:
		header[12] = 0x50;
		header[13] = tcp_flags;
		put(frame, header, 20);
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		put(frame, header, 8);
		break;
	case IPPROTO_DCCP:
		header[4] = 4; /* words: four bytes of options */
		put(frame, header, 16);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		header[0] = protocol == IPPROTO_ICMP ? 8 : 128;
		put(frame, header, 8);
		break;
	case IPPROTO_SCTP:
		put(frame, header, 12);
		break;
	default:
		break;
	}
}

static void put_ipv4(struct frame *frame, const struct frame_recipe *recipe, const uint8_t *source)
{
	uint8_t words = (uint8_t)(5 + recipe->option_words);
	uint8_t first = (uint8_t)((recipe->is_version_set ? recipe->version : 4) << 4 |
				  (recipe->is_ihl_set ? recipe->ihl : words));
	uint8_t fixed[20] = { first,
			      0,
			      0,
			      0,
			      0,
			      1,
			      (uint8_t)(recipe->fragment >> 8),
			      (uint8_t)recipe->fragment,
			      64,
			      recipe->protocol };

	memcpy(fixed + 12, source, 4);
	memcpy(fixed + 16, (const uint8_t[]){ 192, 168, 0, 1 }, 4);
	put(frame, fixed, sizeof(fixed));
	memset(frame->data + frame->size, 1, recipe->option_words * 4u); /* no-operation options */
	frame->size += recipe->option_words * 4u;
	if (!(recipe->fragment & 0x1fff))
		put_transport(frame, recipe->protocol, recipe->tcp_flags);
}

static uint8_t extension_type(uint8_t extension)
{
	switch (extension) {
	case 1:
		return IPPROTO_HOPOPTS;
	case FRAME_FRAGMENT_WHOLE:
	case FRAME_FRAGMENT_LATER:
		return IPPROTO_FRAGMENT;
	default:
		return extension;
	}
}

static void put_extension(struct frame *frame, uint8_t extension, uint8_t next)
{
	/* Eight bytes; an authentication header counts in words and is 16 here. */
	uint8_t header[16] = { next };
	uint32_t size = 8;

	if (extension == IPPROTO_AH) {
		header[1] = 2;
		size = 16;
	} else if (extension == FRAME_FRAGMENT_FIRST) {
		header[3] = 1; /* more to come */
	} else if (extension == FRAME_FRAGMENT_LATER) {
		header[2] = 1; /* offset 256 */
	} else if (extension == IPPROTO_DSTOPTS) {
		header[1] = 1; /* 16 bytes, so that lengths matter, too */
		size = 16;
	}
	put(frame, header, size);
}

static void put_ipv6(struct frame *frame, const struct frame_recipe *recipe, const uint8_t *source)
{
	uint8_t fixed[40] = { (uint8_t)((recipe->is_version_set ? recipe->version : 6) << 4) };
	bool later = false;

	fixed[6] = recipe->extensions[0] ? extension_type(recipe->extensions[0]) : recipe->protocol;
	fixed[7] = 64;
	memcpy(fixed + 8, source, 16);
	fixed[24] = 0xfd;
	put(frame, fixed, sizeof(fixed));
	for (int i = 0; i < FRAME_MAX_EXTENSIONS && recipe->extensions[i]; i++) {
		bool last = i + 1 == FRAME_MAX_EXTENSIONS || !recipe->extensions[i + 1];

		later |= recipe->extensions[i] == FRAME_FRAGMENT_LATER;
		put_extension(frame, recipe->extensions[i],
			      last ? recipe->protocol : extension_type(recipe->extensions[i + 1]));
	}
	if (!later)
		put_transport(frame, recipe->protocol, recipe->tcp_flags);
}

static void set_length(struct frame *frame, const struct frame_recipe *recipe, uint32_t end)
{
	uint32_t fixed = recipe->family == 6 ? 40 : 0, at = recipe->family == 6 ? 4 : 2;
	uint32_t length = end - frame->network - fixed + (uint32_t)recipe->length_change;

	frame->data[frame->network + at] = (uint8_t)(length >> 8);
	frame->data[frame->network + at + 1] = (uint8_t)length;
}

static uint32_t payload_size(const struct frame_recipe *recipe)
{
	if (recipe->payload == FRAME_NO_PAYLOAD)
		return 0;
	return recipe->payload || !recipe->family ? recipe->payload : FRAME_USUAL_PAYLOAD;
}

void frame_build(struct frame *frame, const struct frame_recipe *recipe, const uint8_t *source)
{
	frame->size = 0;
	put_ethernet(frame, recipe);
	if (recipe->family == 4)
		put_ipv4(frame, recipe, source);
	else if (recipe->family == 6)
		put_ipv6(frame, recipe, source);
	put_filler(frame, payload_size(recipe));
	if (recipe->family)
		set_length(frame, recipe, recipe->cut_honest ? recipe->cut : frame->size);
	put_filler(frame, recipe->padding);
	if (recipe->cut)
		frame->size = recipe->cut;
}
