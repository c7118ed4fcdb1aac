/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a feature table lies in memory, for the BPF programs that fill it (feature_table.h) and for
 * user space that reads it (core/dataplane/feature_reader.h).  Nothing here is pinned.
 *
 * A table is three BPF_F_MMAPABLE arrays: buckets, dirty words and remainders.  Each holds a replica
 * for each side and CPU, side-major: row = side * n_cpus + cpu.  A key lies in the bucket of the
 * same number in every row, so rows are merged bucket by bucket.
 */
#ifndef SLUICE_BPF_FEATURE_LAYOUT_H
#define SLUICE_BPF_FEATURE_LAYOUT_H

#include <linux/types.h>

/*
 * A bucket of `n_ways` keys of `n_words` 32-bit words, each with its packets, its bytes and a
 * `value_type` of the table's own (any struct; all zero when a key comes in).  The head and the keys
 * lie together at the front: a look-up that finds nothing reads no more.  Bytes are 40 bits wide
 * (1.1 TB in one window on one CPU), so that an IPv4 source takes 25.
 *
 * Instances choose `n_ways` such that the bucket fills whole cache lines; assert its size.
 */
#define FEATURE_BUCKET(tag, n_ways, n_words, value_type)                               \
	struct tag {                                                                   \
		__u32 epoch; /* The window it counts; of another epoch: empty. */      \
		__u8 used;   /* Ways [0, used) hold keys; the other keys are zeros. */ \
		__u8 bytes_high[n_ways];                                               \
		__u32 key[n_ways][n_words];                                            \
		struct {                                                               \
			__u32 packets;                                                 \
			__u32 bytes_low;                                               \
			value_type value;                                              \
		} entry[n_ways];                                                       \
	} __attribute__((aligned(64)))

/* A bucket type as constants; functions that take one are inlined, so that they stay constants. */
struct feature_layout {
	__u32 bucket_size;
	__u32 n_ways, n_words;
	__u32 key_offset, entry_offset, entry_size, value_offset, value_size;
};

#define FEATURE_LAYOUT(tag)                                                      \
	{                                                                        \
		.bucket_size = sizeof(struct tag),                               \
		.n_ways = sizeof(((struct tag *)0)->bytes_high),                 \
		.n_words = sizeof(((struct tag *)0)->key[0]) / 4,                \
		.key_offset = __builtin_offsetof(struct tag, key),               \
		.entry_offset = __builtin_offsetof(struct tag, entry),           \
		.entry_size = sizeof(((struct tag *)0)->entry[0]),               \
		.value_offset = __builtin_offsetof(struct tag, entry[0].value) - \
				__builtin_offsetof(struct tag, entry),           \
		.value_size = sizeof(((struct tag *)0)->entry[0].value),         \
	}

/* Where every bucket has its head. */
#define FEATURE_USED_OFFSET 4
#define FEATURE_BYTES_HIGH_OFFSET 5

/* What keys that had to make room had counted: one a row, on a line of its own. */
struct feature_other {
	__u64 packets;
	__u64 bytes;
	__u32 epoch;
	__u32 reserved[11];
};

/* `side` of a feature program: 0 or 1 if it is one of two, else the header page says. */
#define FEATURE_SIDE_OF_HEADER 2

/* A row's dirty words: one bit a bucket, so numbers of buckets are multiples of 64. */
#define FEATURE_BUCKETS_PER_WORD 64

/* Per source. */
struct sluice_source_value {
	__u32 tcp_syn; /* With SYN and without ACK. */
	__u32 udp;
	__u32 icmp;
};

FEATURE_BUCKET(sluice_source4_bucket, 10, 1, struct sluice_source_value);
FEATURE_BUCKET(sluice_source6_bucket, 10, 4, struct sluice_source_value);

/* Per source and destination: the source's words, then the destination's. */
struct sluice_flow_value {
	__u32 tcp_syn; /* With SYN and without ACK. */
	__u32 udp;
	__u32 icmp;
};

FEATURE_BUCKET(sluice_flow4_bucket, 10, 2, struct sluice_flow_value);
FEATURE_BUCKET(sluice_flow6_bucket, 10, 8, struct sluice_flow_value);

/*
 * Per destination: histograms of packets, with the meaning that struct sluice_destination of
 * <sluice/detector.h> gives them; user space asserts that the sizes are the same.
 */
#define FEATURE_N_PROTOCOLS 8
#define FEATURE_N_TCP_FLAGS 64
#define FEATURE_N_LENGTHS 32
#define FEATURE_LENGTH_STEP 64
#define FEATURE_N_PORT_BINS 128

struct sluice_destination_value {
	__u32 fragments;
	__u32 protocol[FEATURE_N_PROTOCOLS];
	__u32 tcp_flags[FEATURE_N_TCP_FLAGS];
	__u32 length[FEATURE_N_LENGTHS];
	__u32 source_port[FEATURE_N_PORT_BINS];
	__u32 destination_port[FEATURE_N_PORT_BINS];
};

FEATURE_BUCKET(sluice_destination4_bucket, 4, 1, struct sluice_destination_value);
FEATURE_BUCKET(sluice_destination6_bucket, 4, 4, struct sluice_destination_value);

_Static_assert(sizeof(struct feature_other) == 64, "a line");
_Static_assert(sizeof(struct sluice_flow4_bucket) == 5 * 64, "whole lines");
_Static_assert(sizeof(struct sluice_flow6_bucket) == 9 * 64, "whole lines");
_Static_assert(sizeof(struct sluice_destination4_bucket) == 92 * 64, "whole lines");
_Static_assert(sizeof(struct sluice_destination6_bucket) == 92 * 64, "whole lines");
_Static_assert(sizeof(struct sluice_source4_bucket) == 4 * 64, "whole lines");
_Static_assert(sizeof(struct sluice_source6_bucket) == 6 * 64, "whole lines");

#endif /* SLUICE_BPF_FEATURE_LAYOUT_H */
