/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signature rules, for packets that no list of sources has dropped.  The first rule that matches
 * decides.  A function of its own, so that the filter's path stays small where there are none.
 *
 * What is neither static nor inline the verifier judges once, by its arguments' types alone, instead
 * of again for every way that leads there: all ways together would be too many for it.
 */
#ifndef SLUICE_BPF_RULES_H
#define SLUICE_BPF_RULES_H

#include "blocklist.h"
#include "counters.h"
#include "hash.h"
#include "known.h"
#include "lapse.h"
#include "rules_parse.h"

#define RULES_ARRAY(name, type_, entries)          \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, entries);      \
		__type(key, __u32);                \
		__type(value, type_);              \
	} name SEC(".maps")

RULES_ARRAY(sluice_rules, struct rules_generation, RULES_GENERATIONS);
RULES_ARRAY(sluice_rule_counts, struct rules_cpu_counters, 1); /* One element a CPU. */
RULES_ARRAY(sluice_rule_limits, struct rules_bucket, RULES_SLOTS);
RULES_ARRAY(sluice_rule_cells, __u64, 1u << RULES_CELL_BITS);
RULES_ARRAY(sluice_rule_names, struct rules_name, RULES_SLOTS); /* For the next daemon. */

/*
 * A token bucket as one word: the time at which it would be full.  A packet moves that ahead by its
 * cost, and may pass if it is then no further ahead of now than the bucket is deep.  Numbers may go
 * round, which is why differences are compared.
 */
static __always_inline bool bucket_conforms(__u64 full_at, __u64 now, __u64 cost, __u64 credit)
{
	__s64 ahead = full_at - now;

	return (ahead > 0 ? (__u64)ahead : 0) + cost <= credit;
}

static __always_inline __u64 bucket_after(__u64 full_at, __u64 now, __u64 cost)
{
	return ((__s64)(full_at - now) > 0 ? full_at : now) + cost;
}

/*
 * One bucket for all CPUs: shares per CPU would be wrong by as much as the traffic is uneven.  Four
 * tries; whoever loses all of them adds its cost regardless, so that what passes stays exact in the
 * long run, and at most one packet a CPU goes over.
 */
static __always_inline bool bucket_take(__u64 *word, __u64 now, __u64 cost, __u64 credit)
{
	for (int i = 0; i < 4; i++) {
		__u64 old = *(volatile __u64 *)word;

		if (!bucket_conforms(old, now, cost, credit))
			return false;
		if (__sync_val_compare_and_swap(word, old, bucket_after(old, now, cost)) == old)
			return true;
	}
	__sync_fetch_and_add(word, cost);
	return true;
}

static __always_inline void cell_charge(__u64 *cell, __u64 now, __u64 cost)
{
	__u64 old = *(volatile __u64 *)cell;

	if (__sync_val_compare_and_swap(cell, old, bucket_after(old, now, cost)) != old)
		__sync_fetch_and_add(cell, cost);
}

/*
 * By source: two cells of a table of fixed size, by a keyed hash of source and rule.  What passes is
 * charged to both, so neither ever knows of less than this source sent, and its limit holds.  Others
 * may share a cell; the source is limited only if both are full.  Forged sources thus cost no memory
 * and take no place away: a flood of N per second adds 2N/131072 to each cell.
 */
static __always_inline bool cells_take(__u64 hash, __u64 now, __u64 cost, __u64 credit)
{
	__u32 first = hash >> (64 - RULES_CELL_BITS);
	__u32 second = hash & ((1u << RULES_CELL_BITS) - 1);
	__u64 *a = bpf_map_lookup_elem(&sluice_rule_cells, &first);
	__u64 *b = bpf_map_lookup_elem(&sluice_rule_cells, &second);

	if (!a || !b)
		return true;
	if (!bucket_conforms(*(volatile __u64 *)a, now, cost, credit) &&
	    !bucket_conforms(*(volatile __u64 *)b, now, cost, credit))
		return false;
	cell_charge(a, now, cost);
	if (a != b)
		cell_charge(b, now, cost);
	return true;
}

/* The source, of IPv6 the policy's unit of it, together with the rule. */
static __always_inline __u64 rules_source_hash(const struct rules_packet *packet, __u32 slot)
{
	__u64 high = packet->source[0], low = (__u64)1 << 63;

	if (packet->kind & RULES_KIND_IPV6) {
		high &= v6_mask_high;
		low = packet->source[1] & v6_mask_low;
	}
	__u64 key[2] = { HEADER->hash_key[0] ^ slot, HEADER->hash_key[1] };

	return hash_v6(key, high, low);
}

__noinline int rules_conforms(const struct rules_packet *packet, __u32 generation, __u32 index,
			      __u64 bytes)
{
	generation &= 1;
	const struct rules_generation *rules = bpf_map_lookup_elem(&sluice_rules, &generation);

	if (!packet || !rules || index >= RULES_MAX)
		return 1;
	const struct rules_rule *rule = &rules->rule[index];
	__u64 now = HEADER->clock_ns, credit = rule->credit;
	__u64 cost = (rule->is_by_byte ? rule->cost * bytes : rule->cost) >> 14;
	__u32 slot = rule->slot;

	if (likely(!now))
		now = bpf_ktime_get_ns();
	now <<= 6;
	if (rule->action == RULES_LIMIT_SOURCE)
		return cells_take(rules_source_hash(packet, slot), now, cost, credit);
	struct rules_bucket *bucket = bpf_map_lookup_elem(&sluice_rule_limits, &slot);

	return !bucket || bucket_take(&bucket->full_at, now, cost, credit);
}

/* Returns the packets that this CPU has dropped by the rule, this one included. */
static __always_inline __u64 rules_count(__u32 cpu, __u32 slot, __u64 bytes, bool drops)
{
	struct rules_cpu_counters *counters = bpf_map_lookup_elem(&sluice_rule_counts, &cpu);

	if (!counters || slot >= RULES_SLOTS)
		return 0;
	counters->slot[slot].packets++;
	counters->slot[slot].bytes += bytes;
	if (!drops)
		return 0;
	counters->slot[slot].dropped_bytes += bytes;
	return ++counters->slot[slot].dropped_packets;
}

/* The walk over the rules that only their payload may still rule out. */
struct rules_walk {
	struct xdp_md *ctx;
	struct rules_bits bits;
	__u32 generation, payload, end;
};

static __always_inline bool rules_payload_matches(const struct rules_walk *walk,
						  const struct rules_rule *rule)
{
	__u64 data[2] = { 0, 0 }, value[2], mask[2];
	__u32 at = walk->payload + rule->payload_offset, size = rule->payload_size;

	if (!size)
		return true;
	if (size > RULES_PAYLOAD_MAX || at + size > walk->end)
		return false;
	/* Changes nothing; the verifier of 6.1 does not see that the size is not 0. */
	size = ((size - 1) & (RULES_PAYLOAD_MAX - 1)) + 1;
	asm volatile("" : "+r"(size));
	if (bpf_xdp_load_bytes(walk->ctx, at, data, size))
		return false;
	__builtin_memcpy(value, rule->value, sizeof(value));
	__builtin_memcpy(mask, rule->mask, sizeof(mask));
	return !(((data[0] & mask[0]) ^ value[0]) | ((data[1] & mask[1]) ^ value[1]));
}

/* For bpf_loop(): 1 ends it, with the first rule that matches as the first of the set, or none. */
static long rules_step(__u32 i, void *context)
{
	struct rules_walk *walk = context;
	__u32 first = rules_first(&walk->bits), generation = walk->generation;
	const struct rules_generation *rules = bpf_map_lookup_elem(&sluice_rules, &generation);

	(void)i;
	if (!rules || first >= RULES_MAX || rules_payload_matches(walk, &rules->rule[first]))
		return 1;
	/* Not an index, which would be a pointer into the stack that the verifier cannot follow. */
	__u64 keep = ~(1ull << (first & 63));

	if (first < 64)
		walk->bits.word[0] &= keep;
	else if (first < 128)
		walk->bits.word[1] &= keep;
	else if (first < 192)
		walk->bits.word[2] &= keep;
	else
		walk->bits.word[3] &= keep;
	return 0;
}

__noinline int rules_read_packet(struct xdp_md *ctx, struct rules_packet *packet)
{
	return packet && rules_parse(ctx, packet);
}

__noinline int rules_match_headers(__u32 generation, struct rules_packet *packet,
				   struct rules_bits *bits)
{
	generation &= 1;
	const struct rules_generation *rules = bpf_map_lookup_elem(&sluice_rules, &generation);

	return rules && packet && bits && rules_match(rules, packet, bits);
}

/* The rule that decides; RULES_MAX: none does. */
static __always_inline __u32 rules_find(struct xdp_md *ctx, __u32 generation,
					const struct rules_generation *rules,
					struct rules_packet *packet)
{
	struct rules_walk walk = { .ctx = ctx, .generation = generation };

	if (!rules_read_packet(ctx, packet) || !rules_match_headers(generation, packet, &walk.bits))
		return RULES_MAX;
	struct rules_bits asks = walk.bits;

	if (rules_and(&asks, &rules->has_payload)) {
		walk.payload = packet->payload;
		walk.end = packet->end;
		bpf_loop(RULES_MAX + 1, rules_step, &walk, 0);
	}
	return rules_first(&walk.bits);
}

/* SLUICE_REASON_PASS, or why the packet is to be dropped. */
__noinline int rules_judge(struct xdp_md *ctx, __u32 cpu, __u32 flags, __u64 bytes)
{
	__u32 generation = HEADER->rules & 1;
	const struct rules_generation *rules = bpf_map_lookup_elem(&sluice_rules, &generation);
	struct rules_packet packet = {};
	int reason = SLUICE_REASON_PASS;

	if (!rules)
		return reason;
	__u32 index = rules_find(ctx, generation, rules, &packet);

	if (likely(index >= RULES_MAX))
		return reason;
	const struct rules_rule *rule = &rules->rule[index];
	bool lapses = index >= rules->n_lasting;

	/* Those behind it lapse as well. */
	if (unlikely(lapses && HEADER->expired))
		return reason;
	if (rule->action == RULES_DROP)
		reason = SLUICE_REASON_RULE;
	else if (rule->action != RULES_PASS && !rules_conforms(&packet, generation, index, bytes))
		reason = SLUICE_REASON_RATE_LIMITED;
	if (reason != SLUICE_REASON_PASS && rule->exempts_known &&
	    known_sender(packet.kind & RULES_KIND_IPV6, packet.source[0], packet.source[1])) {
		count(cpu, SLUICE_REASON_KNOWN, bytes);
		reason = SLUICE_REASON_PASS;
	}
	__u64 n_dropped =
		rules_count(cpu, rule->slot, bytes,
			    reason != SLUICE_REASON_PASS && !(flags & SLUICE_HEADER_OBSERVE));

	if (lapses && n_dropped)
		lapse_look_at_clock(n_dropped);
	return reason;
}

#endif /* SLUICE_BPF_RULES_H */
