/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums that are left to the kernel: it adds up the packet from csum_start on, with what it finds in the
 * place of the sum, and puts the complement there.  This one does just that.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "xsk/sums.h"

enum { ETHERNET = 14, SIZE = 256, TCP = 6, UDP = 17, ICMP = 1 };

static uint32_t add_up(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* All bytes are different from their neighbours', those of the sum too. */
static uint32_t make_frame(uint8_t *frame, bool v6, uint8_t protocol, uint32_t size)
{
	uint8_t *ip = frame + ETHERNET;

	for (uint32_t i = 0; i < SIZE; i++)
		frame[i] = (uint8_t)(i * 73 + 5);
	frame[12] = v6 ? 0x86 : 0x08;
	frame[13] = v6 ? 0xdd : 0x00;
	if (v6) {
		ip[0] = 0x60;
		ip[4] = 0;
		ip[5] = (uint8_t)size;
		ip[6] = protocol;
		return ETHERNET + 40 + size;
	}
	ip[0] = 0x45;
	ip[2] = 0;
	ip[3] = (uint8_t)(20 + size);
	ip[6] = 0x40;
	ip[7] = 0;
	ip[9] = protocol;
	return ETHERNET + 20 + size;
}

static void kernel_fill_in(uint8_t *frame, uint32_t length, const struct tx_metadata *metadata)
{
	uint32_t place = metadata->csum_start + metadata->csum_offset, sum;

	cr_assert_eq(metadata->flags, TX_METADATA_FLAG_CHECKSUM);
	cr_assert_leq(place + 2, length);
	sum = ~add_up(0, frame + metadata->csum_start, length - metadata->csum_start);
	frame[place] = (uint8_t)(sum >> 8);
	frame[place + 1] = (uint8_t)sum;
}

/* As the receiver looks at it. */
static bool is_right(const uint8_t *frame, bool v6, uint8_t protocol, uint32_t size)
{
	const uint8_t *ip = frame + ETHERNET;
	uint32_t sum = add_up(protocol + size, ip + (v6 ? 8 : 12), v6 ? 32 : 8);

	return add_up(sum, ip + (v6 ? 40 : 20), size) == 0xffff;
}

Test(sums, the_kernel_needs_no_more_than_the_metadata)
{
	static const struct {
		bool v6;
		uint8_t protocol;
		uint32_t size, start, offset;
	} cases[] = {
		{ false, TCP, 20, 34, 16 }, { false, TCP, 101, 34, 16 }, { true, TCP, 20, 54, 16 },
		{ true, TCP, 64, 54, 16 },  { false, UDP, 8, 34, 6 },	 { false, UDP, 33, 34, 6 },
		{ true, UDP, 8, 54, 6 },    { true, UDP, 90, 54, 6 },
	};
	static const uint32_t padding[] = { 0, 1, 6 };

	for (size_t i = 0; i < 3 * sizeof(cases) / sizeof(cases[0]); i++) {
		const bool v6 = cases[i / 3].v6;
		const uint8_t protocol = cases[i / 3].protocol;
		const uint32_t size = cases[i / 3].size;
		uint8_t frame[SIZE], before[SIZE];
		uint32_t whole = make_frame(frame, v6, protocol, size), place;
		uint32_t length = whole + padding[i % 3];
		struct tx_metadata metadata;

		memcpy(before, frame, SIZE);
		cr_assert(sums_leave(frame, &length, &metadata), "case %zu", i);
		cr_expect_eq(length, whole, "case %zu: padding goes", i);
		cr_expect_eq(metadata.csum_start, cases[i / 3].start);
		cr_expect_eq(metadata.csum_offset, cases[i / 3].offset);
		kernel_fill_in(frame, length, &metadata);
		cr_expect(is_right(frame, v6, protocol, size), "case %zu", i);
		place = cases[i / 3].start + cases[i / 3].offset;
		memcpy(before + place, frame + place, 2);
		cr_expect_arr_eq(frame, before, SIZE, "case %zu: nothing else changes", i);
	}
}

struct odd {
	const char *what;
	bool v6;
	uint8_t protocol;
	uint32_t at;
	uint8_t value;
	uint32_t length; /* 0: as it is. */
};

Test(sums, what_has_none_stays_as_it_is)
{
	static const struct odd cases[] = {
		{ "ICMP", false, ICMP, 12, 8, 0 },
		{ "ARP", false, TCP, 13, 6, 0 },
		{ "a VLAN tag", false, TCP, 12, 0x81, 0 },
		{ "a first fragment", false, TCP, 20, 0x20, 0 },
		{ "a later fragment", false, TCP, 21, 1, 0 },
		{ "not of version 4", false, TCP, 14, 0x55, 0 },
		{ "a header of 16 bytes", false, TCP, 14, 0x44, 0 },
		{ "a header longer than the packet", false, TCP, 14, 0x4f, 0 },
		{ "longer than its frame", false, TCP, 17, 61, 0 },
		{ "a cut TCP header", false, TCP, 17, 39, 0 },
		{ "a cut UDP header", false, UDP, 17, 27, 0 },
		{ "an extension header", true, 0, 12, 0x86, 0 },
		{ "not of version 6", true, TCP, 14, 0x40, 0 },
		{ "IPv6 longer than its frame", true, TCP, 19, 41, 0 },
		{ "half an IPv4 header", false, TCP, 12, 8, 33 },
		{ "half an IPv6 header", true, TCP, 12, 0x86, 53 },
		{ "half an Ethernet header", false, TCP, 12, 8, 13 },
		{ "nothing", false, TCP, 12, 8, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct odd *odd = &cases[i];
		uint8_t frame[SIZE], before[SIZE];
		struct tx_metadata metadata = { .flags = 77 };
		uint32_t length = make_frame(frame, odd->v6, odd->protocol, 40), was;

		frame[odd->at] = odd->value;
		length = odd->length ? odd->length : length;
		length = strcmp(odd->what, "nothing") ? length : 0;
		was = length;
		memcpy(before, frame, SIZE);
		cr_expect_not(sums_leave(frame, &length, &metadata), "%s", odd->what);
		cr_expect_eq(length, was, "%s", odd->what);
		cr_expect_eq(metadata.flags, 77, "%s", odd->what);
		cr_expect_arr_eq(frame, before, SIZE, "%s", odd->what);
	}
}
