/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the sender of a packet is a known client; asked only of one that a rule would drop.  Known is
 * whom the daemon has told us of, and whom this server has spoken to first since then.
 */
#ifndef SLUICE_BPF_KNOWN_H
#define SLUICE_BPF_KNOWN_H

#include "blocklist.h"
#include "counters.h"
#include "hash.h"
#include "known_shared.h"
#include "parse.h"
#include "spoken.h"

/* Fixed when the tables are made. */
const volatile __u32 known_bits = KNOWN_MIN_BITS;

BLOCK_MAP(sluice_known4, struct known4_bucket);
BLOCK_MAP(sluice_known6, struct known6_bucket);

static __always_inline bool known4(__u32 addr)
{
	__u32 bits = known_bits, home = known_home(hash_v4(HEADER->hash_key, addr), bits);

#pragma unroll
	for (__u32 probe = 0; probe < KNOWN_PROBES; probe++) {
		__u32 index = known_index(HEADER->known, home, probe, bits);
		const struct known4_bucket *bucket = bpf_map_lookup_elem(&sluice_known4, &index);
		__u64 found = 0;

		if (!bucket)
			return false;
#pragma unroll
		for (int way = 0; way < KNOWN4_WAYS; way++)
			found |= table_is_zero32(bucket->addr[way] ^ addr);
		if (found)
			return addr != 0;
		if (!bucket->addr[KNOWN4_WAYS - 1])
			return false;
	}
	return false;
}

static __always_inline bool known6(__u64 high, __u64 low)
{
	__u32 bits = known_bits + 1;
	__u64 hash = hash_v6(HEADER->hash_key, high, low);
	__u32 home = known_home(hash, bits);

#pragma unroll
	for (__u32 probe = 0; probe < KNOWN_PROBES; probe++) {
		__u32 index = known_index(HEADER->known, home, probe, bits);
		const struct known6_bucket *bucket = bpf_map_lookup_elem(&sluice_known6, &index);
		__u64 found = 0;

		if (!bucket)
			return false;
#pragma unroll
		for (int way = 0; way < KNOWN6_WAYS; way++)
			found |= table_is_nonzero64(bucket->hash[way] ^ hash) ^ 1;
		if (found)
			return true;
		if (!bucket->hash[KNOWN6_WAYS - 1])
			return false;
	}
	return false;
}

static __always_inline bool spoken_to(__u32 family, __u64 high, __u64 low)
{
	struct egress_host_key host = { .high = high, .low = low, .family = family };

	return bpf_map_lookup_elem(&sluice_spoken, &host);
}

/*
 * The sender as it lies in the packet; IPv4 in the first four bytes of `high`.  A function that the
 * verifier judges by itself, as those of rules.h.
 */
__noinline int known_sender(bool v6, __u64 high, __u64 low)
{
	if (v6)
		return known6(high, low) || spoken_to(6, high, low);
	return known4(high) || spoken_to(4, high, 0);
}

#endif /* SLUICE_BPF_KNOWN_H */
