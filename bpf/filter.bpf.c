// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The filter: the first program a packet meets.  Its verdict on a source rests on the address alone,
 * so that nothing a blocked source sends can slip past by its transport protocol; what signature rules
 * say of a packet comes after.
 *
 * Order: parse -> exact blocklist -> forged own address -> blocked prefixes -> signature rules -> tail
 * call into the live feature program, which delivers.  The writer keeps the blocklist disjoint from the
 * allow-list and from our own addresses, so that a hit needs neither look-up; an allowed prefix is
 * looked up here only for a packet that a prefix would drop.
 */
#include "blocklist.h"
#include "counters.h"
#include "deliver.h"
#include "lapse.h"
#include "parse.h"
#include "rules.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* No program reads it: pinned beside the tables, it tells the next daemon what they hold. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sluice_block_record);
} sluice_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct sluice_own_key);
	__type(value, __u8);
} sluice_own SEC(".maps");

#define LPM_MAP(name, key_type)                       \
	struct {                                      \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);  \
		__uint(map_flags, BPF_F_NO_PREALLOC); \
		__uint(max_entries, 65536);           \
		__type(key, key_type);                \
		__type(value, __u64);                 \
	} name SEC(".maps")

LPM_MAP(sluice_prefix4, struct sluice_lpm4_key); /* Value: expiry, for the next daemon. */
LPM_MAP(sluice_prefix6, struct sluice_lpm6_key);
LPM_MAP(sluice_allow4, struct sluice_lpm4_key); /* Value: SLUICE_ALLOW_EXEMPT or 0. */
LPM_MAP(sluice_allow6, struct sluice_lpm6_key);

/* Slot 0 holds the feature program that counts now; user space rewrites it to swap. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} sluice_progs SEC(".maps");

/* A source as the filter sees it. */
struct source {
	__u64 high, low; /* IPv6; or IPv4 in the first four bytes of `high`. */
	bool v6;
};

static __always_inline bool blocked(__u32 flags, const struct source *source)
{
	if (source->v6)
		return flags & SLUICE_HEADER_HAS_BLOCKED6 && blocked6(source->high, source->low);
	return flags & SLUICE_HEADER_HAS_BLOCKED4 && blocked4(source->high);
}

static __always_inline bool own_address(const struct source *source)
{
	__u32 bit = hash_own_bit(source->high, source->low);

	if (likely(!(HEADER->own_bloom[bit >> 6] >> (bit & 63) & 1)))
		return false;
	struct sluice_own_key key = { { source->high, source->low } };

	return bpf_map_lookup_elem(&sluice_own, &key);
}

/* -1 not on the allow-list, else its flags. */
static __always_inline int allowed(const struct source *source)
{
	__u64 *flags;

	if (source->v6) {
		struct sluice_lpm6_key key = { .prefix_len = 128 };

		__builtin_memcpy(key.addr, &source->high, 8);
		__builtin_memcpy(key.addr + 8, &source->low, 8);
		flags = bpf_map_lookup_elem(&sluice_allow6, &key);
	} else {
		struct sluice_lpm4_key key = { .prefix_len = 32, .addr = source->high };

		flags = bpf_map_lookup_elem(&sluice_allow4, &key);
	}
	return flags ? (int)*flags : -1;
}

static __always_inline bool blocked_prefix(const struct source *source)
{
	if (source->v6) {
		struct sluice_lpm6_key key = { .prefix_len = 128 };

		__builtin_memcpy(key.addr, &source->high, 8);
		__builtin_memcpy(key.addr + 8, &source->low, 8);
		if (!bpf_map_lookup_elem(&sluice_prefix6, &key))
			return false;
	} else {
		struct sluice_lpm4_key key = { .prefix_len = 32, .addr = source->high };

		if (!bpf_map_lookup_elem(&sluice_prefix4, &key))
			return false;
	}
	return allowed(source) < 0;
}

/* Drops for `reason`, or, in observe mode, counts that it would have. */
static __always_inline bool drops(__u32 cpu, __u32 flags, enum sluice_reason reason, __u64 bytes)
{
	bool observes = flags & SLUICE_HEADER_OBSERVE;
	__u64 n = count(cpu, unlikely(observes) ? SLUICE_REASON_WOULD_DROP : reason, bytes);

	if (reason == SLUICE_REASON_BLOCKED)
		lapse_look_at_clock(n);
	return !observes;
}

/* What the headers say, before any verdict. */
struct packet {
	struct source source;
	__u64 bytes; /* The whole frame. */
	bool malformed;
};

/*
 * In ::/64 and not `::`, which a host has that has no address yet: nobody may have the others on a wire.
 * Among them are loopback, and IPv4 in disguise (RFC 4291, 2.5.5): Linux delivers ::ffff:a.b.c.d, and its
 * application thinks that it is a.b.c.d, who may be blocked.
 */
static __always_inline bool source_is_impossible(const struct source *source)
{
	return source->v6 && unlikely(!source->high) && source->low;
}

/* With the cursor on an IP header that says it is `ip_length` long. */
static __always_inline void read_length(struct xdp_md *ctx, const struct parse_cursor *cursor,
					__u32 ip_length, struct packet *packet)
{
	__u32 before = cursor->at - (void *)(long)ctx->data;

	packet->bytes = ctx->data_end - ctx->data;
	if (parse_is_linear(cursor, ip_length))
		return;
	packet->bytes = bpf_xdp_get_buff_len(ctx);
	if (ip_length > packet->bytes - before)
		packet->malformed = true;
}

/* False: the header is cut short, and there is no source to judge by. */
static __always_inline bool read_ipv4(struct xdp_md *ctx, const struct parse_cursor *cursor,
				      struct packet *packet)
{
	struct iphdr *ip = parse_ipv4(cursor);

	if (unlikely(!ip))
		return false;
	packet->source = (struct source){ .high = ip->saddr };
	packet->malformed = parse_ipv4_malformed(ip);
	read_length(ctx, cursor, parse_ipv4_length(ip), packet);
	return true;
}

static __always_inline bool read_ipv6(struct xdp_md *ctx, const struct parse_cursor *cursor,
				      struct packet *packet)
{
	struct ipv6hdr *ip = parse_ipv6(cursor);

	if (unlikely(!ip))
		return false;
	packet->source.v6 = true;
	__builtin_memcpy(&packet->source.high, &ip->saddr, 8);
	__builtin_memcpy(&packet->source.low, (void *)&ip->saddr + 8, 8);
	packet->malformed = parse_ipv6_malformed(ip) || source_is_impossible(&packet->source);
	read_length(ctx, cursor, parse_ipv6_length(ip), packet);
	return true;
}

static __always_inline bool is_exempt(const struct source *source)
{
	int flags = allowed(source);

	return flags > 0 && flags & SLUICE_ALLOW_EXEMPT;
}

/* What becomes of a packet whose source is known: the first reason only, observe mode counts it once. */
static __always_inline enum sluice_reason judge(__u32 flags, const struct packet *packet)
{
	const struct source *source = &packet->source;

	if (unlikely(flags & SLUICE_HEADER_HAS_EXEMPT) && is_exempt(source))
		return SLUICE_REASON_EXEMPT;
	if (unlikely(packet->malformed) &&
	    (!(flags & SLUICE_HEADER_PASS_MALFORMED) || source_is_impossible(source)))
		return SLUICE_REASON_MALFORMED;
	if (blocked(flags, source))
		return SLUICE_REASON_BLOCKED;
	if (unlikely(own_address(source)))
		return SLUICE_REASON_SPOOFED_OWN;
	if (unlikely(flags & SLUICE_HEADER_HAS_PREFIXES) && blocked_prefix(source))
		return SLUICE_REASON_BLOCKED_PREFIX;
	return SLUICE_REASON_PASS;
}

/* The verdict on what `judge` found. */
static __always_inline int conclude(struct xdp_md *ctx, __u32 cpu, __u32 flags,
				    enum sluice_reason reason, __u64 bytes)
{
	/* The way of a flood: drops() without what it has to tell apart. */
	if (reason == SLUICE_REASON_BLOCKED && likely(!(flags & SLUICE_HEADER_OBSERVE))) {
		lapse_look_at_clock(count(cpu, SLUICE_REASON_BLOCKED, bytes));
		return XDP_DROP;
	}
	if (reason == SLUICE_REASON_EXEMPT) {
		count(cpu, SLUICE_REASON_EXEMPT, bytes);
		return deliver(ctx);
	}
	if (unlikely(flags & SLUICE_HEADER_HAS_RULES) && reason == SLUICE_REASON_PASS)
		reason = rules_judge(ctx, cpu, flags, bytes);
	if (reason != SLUICE_REASON_PASS && drops(cpu, flags, reason, bytes))
		return XDP_DROP;
	bpf_tail_call(ctx, &sluice_progs, 0);
	count(cpu, SLUICE_REASON_NO_FEATURES, bytes);
	return deliver(ctx);
}

/*
 * Without a readable source.  `malformed`: it may well be IP to whoever receives it.  Linux takes off as
 * many tags of VLAN 0 as there are, so a third one would hide any sender.
 */
static __always_inline int conclude_unreadable(struct xdp_md *ctx, __u32 cpu, __u32 flags,
					       bool malformed)
{
	__u64 bytes = bpf_xdp_get_buff_len(ctx);

	if (malformed && !(flags & SLUICE_HEADER_PASS_MALFORMED) &&
	    drops(cpu, flags, SLUICE_REASON_MALFORMED, bytes))
		return XDP_DROP;
	count(cpu, SLUICE_REASON_NOT_IP, bytes);
	return XDP_PASS;
}

/* A function of its own, so that the registers of the IPv4 path stay free. */
static __noinline int filter_ipv6(struct xdp_md *ctx)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	__u32 cpu = bpf_get_smp_processor_id(), flags = HEADER->flags;
	struct packet packet = {};

	(void)parse_ethernet(&cursor);
	if (!read_ipv6(ctx, &cursor, &packet))
		return conclude_unreadable(ctx, cpu, flags, true);
	return conclude(ctx, cpu, flags, judge(flags, &packet), packet.bytes);
}

SEC("xdp")
int sluice_filter(struct xdp_md *ctx)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	__u32 cpu = bpf_get_smp_processor_id(), flags = HEADER->flags;
	struct parse_ethertype type = parse_ethernet(&cursor);
	struct packet packet;

	if (type.value == bpf_htons(ETH_P_IPV6))
		return filter_ipv6(ctx);
	if (unlikely(type.value != bpf_htons(ETH_P_IP)))
		return conclude_unreadable(ctx, cpu, flags, parse_is_vlan(type.value));
	if (!read_ipv4(ctx, &cursor, &packet))
		return conclude_unreadable(ctx, cpu, flags, true);
	return conclude(ctx, cpu, flags, judge(flags, &packet), packet.bytes);
}
