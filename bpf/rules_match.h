/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which rules a packet matches by its headers; for BPF and for user space, where it is tested.
 * What lies in pinned memory may be anything, so each number read from there is bounded before use.
 */
#ifndef SLUICE_BPF_RULES_MATCH_H
#define SLUICE_BPF_RULES_MATCH_H

#include <stdbool.h>

#include "rules_shared.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* A packet as rules see it. */
struct rules_packet {
	__u64 source[2]; /* As it lies in the packet; IPv4 in the first four bytes. */
	__u64 destination_high, destination_low; /* Host byte order; IPv4 in the highest bits. */
	__u32 source_port, destination_port;	 /* RULES_ABSENT if there are none. */
	__u32 tcp_flags;			 /* Likewise. */
	__u32 length;				 /* As the IP header says. */
	__u32 payload, end;			 /* Offsets in the frame. */
	__u8 kind, protocol, ttl;
};

static __always_inline bool rules_and(struct rules_bits *bits, const struct rules_bits *with)
{
	bits->word[0] &= with->word[0];
	bits->word[1] &= with->word[1];
	bits->word[2] &= with->word[2];
	bits->word[3] &= with->word[3];
	return bits->word[0] | bits->word[1] | bits->word[2] | bits->word[3];
}

static __always_inline const struct rules_bits *rules_range(const struct rules_ranges *ranges,
							    __u32 value)
{
	__u32 class = 0;

	if (value <= 65535)
		class = ranges->class[value];
	if (class > RULES_INTERVALS)
		class = 0;
	return &ranges->bits[class];
}

/* The last interval that begins at or before the address. */
static __always_inline const struct rules_bits *rules_prefix(const struct rules_prefixes *prefixes,
							     __u64 high, __u64 low)
{
	__u32 top = high >> 48;
	__u32 from = prefixes->first[top], to = prefixes->first[top + 1];

	for (int i = 0; i < 10; i++) {
		if (from >= to)
			break;
		__u32 middle = (from + to + 1) / 2;

		if (middle > RULES_INTERVALS)
			break;
		if (prefixes->high[middle] < high ||
		    (prefixes->high[middle] == high && prefixes->low[middle] <= low))
			from = middle;
		else
			to = middle - 1;
	}
	if (from > RULES_INTERVALS)
		from = 0;
	return &prefixes->bits[from];
}

static __always_inline bool rules_match_destination(const struct rules_generation *rules,
						    const struct rules_packet *packet,
						    struct rules_bits *bits)
{
	__u64 high = packet->destination_high, low = packet->destination_low;

	if (packet->kind & RULES_KIND_IPV6)
		return !(rules->used & RULES_DESTINATION6) ||
		       rules_and(bits, rules_prefix(&rules->destination6, high, low));
	return !(rules->used & RULES_DESTINATION4) ||
	       rules_and(bits, rules_prefix(&rules->destination4, high, low));
}

/* Leaves in `bits` the rules that nothing but their payload may still rule out.  False: none. */
static __always_inline bool rules_match(const struct rules_generation *rules,
					const struct rules_packet *packet, struct rules_bits *bits)
{
	__u32 used = rules->used, flags = packet->tcp_flags;

	*bits = rules->kind[packet->kind & (RULES_KINDS - 1)];
	if (used & RULES_PROTOCOL && !rules_and(bits, &rules->protocol[packet->protocol]))
		return false;
	if (used & RULES_DESTINATION_PORT &&
	    !rules_and(bits, rules_range(&rules->destination_port, packet->destination_port)))
		return false;
	if (used & RULES_SOURCE_PORT &&
	    !rules_and(bits, rules_range(&rules->source_port, packet->source_port)))
		return false;
	if (flags > 256)
		flags = 256;
	if (used & RULES_TCP_FLAGS && !rules_and(bits, &rules->tcp_flags[flags]))
		return false;
	if (used & RULES_LENGTH && !rules_and(bits, rules_range(&rules->length, packet->length)))
		return false;
	if (used & RULES_TTL && !rules_and(bits, &rules->ttl[packet->ttl]))
		return false;
	if (!rules_match_destination(rules, packet, bits))
		return false;
	return bits->word[0] | bits->word[1] | bits->word[2] | bits->word[3];
}

/* The lowest bit of a word that is not 0; BPF has no instruction for it. */
static __always_inline __u32 rules_lowest_bit(__u64 word)
{
	__u32 bit = 0;

	if (!(word & 0xffffffff))
		bit += 32, word >>= 32;
	if (!(word & 0xffff))
		bit += 16, word >>= 16;
	if (!(word & 0xff))
		bit += 8, word >>= 8;
	if (!(word & 0xf))
		bit += 4, word >>= 4;
	if (!(word & 0x3))
		bit += 2, word >>= 2;
	return bit + !(word & 1);
}

/* The first rule of a set; RULES_MAX if it is empty. */
static __always_inline __u32 rules_first(const struct rules_bits *bits)
{
	if (bits->word[0])
		return rules_lowest_bit(bits->word[0]);
	if (bits->word[1])
		return 64 + rules_lowest_bit(bits->word[1]);
	if (bits->word[2])
		return 128 + rules_lowest_bit(bits->word[2]);
	if (bits->word[3])
		return 192 + rules_lowest_bit(bits->word[3]);
	return RULES_MAX;
}

#endif /* SLUICE_BPF_RULES_MATCH_H */
