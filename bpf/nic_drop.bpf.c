/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drops frames by their source on a card that runs BPF, before its host sees them.  One of these is
 * loaded, by what the card can do: with counters or without, for one prefix length of IPv6 sources.
 * They are variants by macro, since a card has no global data to configure one program by.  Nothing
 * in them that drivers refuse: no calls but the look-up, no stores to a map but atomic additions.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "nic_drop.h"
#include "parse.h"

/* The back end makes it on the card, as large as it can, and puts it here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct nic_drop_key);
	__type(value, struct nic_drop_hits);
} sluice_nic SEC(".maps");

/* The part of a 32-bit word, from bit `from` of the address on, that the prefix covers. */
static __always_inline __be32 mask_word(unsigned int prefix_len, unsigned int from)
{
	if (prefix_len <= from)
		return 0;
	if (prefix_len >= from + 32)
		return ~0u;
	return bpf_htonl(~0u << (from + 32 - prefix_len));
}

/* False: the frame has no IP source. */
static __always_inline bool read_source(void *data, void *data_end, unsigned int prefix_len,
					struct nic_drop_key *key)
{
	struct parse_cursor cursor = { .at = data, .end = data_end };
	struct parse_ethertype type = parse_ethernet(&cursor);

	if (likely(type.value == bpf_htons(ETH_P_IP))) {
		const struct iphdr *ip = parse_ipv4(&cursor);

		if (!ip)
			return false;
		key->addr[0] = ip->saddr;
		key->family = 4;
		return true;
	}
	if (type.value == bpf_htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ip = parse_ipv6(&cursor);

		if (!ip)
			return false;
#pragma unroll
		for (int i = 0; i < 4; i++)
			key->addr[i] = ip->saddr.in6_u.u6_addr32[i] & mask_word(prefix_len, 32 * i);
		key->family = 6;
		return true;
	}
	return false;
}

static __always_inline int drop(const struct xdp_md *ctx, unsigned int prefix_len, bool counts)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct nic_drop_key key = { 0 };
	struct nic_drop_hits *hits;

	if (!read_source(data, data_end, prefix_len, &key))
		return XDP_PASS;
	hits = bpf_map_lookup_elem(&sluice_nic, &key);
	if (!hits)
		return XDP_PASS;
	if (counts) {
		__sync_fetch_and_add(&hits->packets, 1);
		__sync_fetch_and_add(&hits->bytes, ctx->data_end - ctx->data);
	}
	return XDP_DROP;
}

/* The name is how the back end knows its own program again: prefix length, `c` if it counts. */
#define NIC_DROP(prefix_len)                              \
	SEC("xdp")                                        \
	int sluice_nic##prefix_len##c(struct xdp_md *ctx) \
	{                                                 \
		return drop(ctx, prefix_len, true);       \
	}                                                 \
	SEC("xdp")                                        \
	int sluice_nic##prefix_len(struct xdp_md *ctx)    \
	{                                                 \
		return drop(ctx, prefix_len, false);      \
	}

NIC_DROP(48)
NIC_DROP(56)
NIC_DROP(64)
NIC_DROP(128)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
