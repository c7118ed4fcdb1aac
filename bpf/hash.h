/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keyed hashes behind the tables, for BPF and user space alike.  The key is drawn per boot and
 * never leaves the machine, so nobody outside can aim packets at one bucket.
 */
#ifndef SLUICE_BPF_HASH_H
#define SLUICE_BPF_HASH_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/*
 * IPv4: two rounds of multiply-and-fold with secret odd multipliers.  The table compares the whole
 * address, so a collision costs a slot and never a verdict; that is why this may be cheap.
 */
static __always_inline __u64 hash_v4(const __u64 hash_key[2], __u32 addr)
{
	__u64 h = (addr ^ hash_key[0]) * (hash_key[1] | 1);

	h ^= h >> 32;
	h *= hash_key[0] | 1;
	return h ^ h >> 32;
}

#define HASH_ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))

#define HASH_SIP_ROUND(v0, v1, v2, v3)                                    \
	do {                                                              \
		v0 += v1, v1 = HASH_ROTL(v1, 13), v1 ^= v0;               \
		v0 = HASH_ROTL(v0, 32), v2 += v3, v3 = HASH_ROTL(v3, 16); \
		v3 ^= v2, v0 += v3, v3 = HASH_ROTL(v3, 21), v3 ^= v0;     \
		v2 += v1, v1 = HASH_ROTL(v1, 17), v1 ^= v2;               \
		v2 = HASH_ROTL(v2, 32);                                   \
	} while (0)

/*
 * IPv6: SipHash-1-3 (Aumasson and Bernstein, 2012) of the 16 address bytes.  The blocklist stores
 * this as the entry's fingerprint, so it must be hard to collide: a stranger with the fingerprint of
 * a blocked source would be blocked too.  Never 0, which means an empty slot.
 */
static __always_inline __u64 hash_v6(const __u64 hash_key[2], __u64 high, __u64 low)
{
	__u64 v0 = hash_key[0] ^ 0x736f6d6570736575ull;
	__u64 v1 = hash_key[1] ^ 0x646f72616e646f6dull;
	__u64 v2 = hash_key[0] ^ 0x6c7967656e657261ull;
	__u64 v3 = hash_key[1] ^ 0x7465646279746573ull;
	__u64 length = 16ull << 56;

	v3 ^= high;
	HASH_SIP_ROUND(v0, v1, v2, v3);
	v0 ^= high;
	v3 ^= low;
	HASH_SIP_ROUND(v0, v1, v2, v3);
	v0 ^= low;
	v3 ^= length;
	HASH_SIP_ROUND(v0, v1, v2, v3);
	v0 ^= length;
	v2 ^= 0xff;
	HASH_SIP_ROUND(v0, v1, v2, v3);
	HASH_SIP_ROUND(v0, v1, v2, v3);
	HASH_SIP_ROUND(v0, v1, v2, v3);
	v0 ^= v1 ^ v2 ^ v3;
	return v0 ? v0 : 1;
}

/*
 * IPv4, for the blocklist: a permutation of the 32-bit numbers, so that bucket and tag together are
 * the address itself and nobody is taken for another.  Three rounds of multiply and fold, the middle
 * one by a constant known to mix well ("lowbias32"), so that no key that may be drawn is a weak one.
 */
static __always_inline __u32 hash_permute_v4(const __u64 hash_key[2], __u32 addr)
{
	__u32 h = addr ^ (__u32)hash_key[0];

	h *= (__u32)(hash_key[0] >> 32) | 1;
	h ^= h >> 16;
	h *= 0x7feb352du;
	h ^= h >> 15;
	h *= (__u32)hash_key[1] | 1;
	return h ^ h >> 16;
}

/*
 * The second bucket of a blocklist entry, out of 2^bits; applied to that, the first.  It depends on
 * the tag alone, so that a tag that lies in its second bucket still names one hash.
 */
static __always_inline __u32 hash_other_bucket(__u32 bucket, __u32 tag, __u32 bits)
{
	return bucket ^ (tag * 0x9e3779b1u >> (32 - bits) | 1);
}

/* Two candidate buckets out of `n_buckets`, from the two halves of one hash. */
static __always_inline __u32 hash_bucket_first(__u64 hash, __u32 n_buckets)
{
	return (hash >> 32) * n_buckets >> 32;
}

static __always_inline __u32 hash_bucket_second(__u64 hash, __u32 n_buckets)
{
	return (hash & 0xffffffffu) * n_buckets >> 32;
}

/* The bit of the 256-bit own-address filter that stands for an address. */
static __always_inline __u32 hash_own_bit(__u64 high, __u64 low)
{
	__u64 h = (high ^ low * 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;

	return h >> 56;
}

#endif /* SLUICE_BPF_HASH_H */
