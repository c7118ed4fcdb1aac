/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A feature table of any kind, as user space holds it: its mapped memory, and the loop that reads
 * one side of it after the grace wait (bpf/feature_table.h fills it).  A key lies in the bucket of
 * the same number in every CPU's row, so rows are merged bucket by bucket, in one pass, and come out
 * in the order of their buckets.
 */
#ifndef SLUICE_DATAPLANE_FEATURE_READER_H
#define SLUICE_DATAPLANE_FEATURE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dataplane.h"
#include "feature_layout.h"
#include "mapped.h"

/* Where a key of the bucket at hand went, and what the merge of its rows works with. */
struct feature_seen {
	const uint32_t *key;
	uint32_t round; /* Of another round: nothing. */
	uint32_t row;
};

struct feature_reader {
	struct feature_layout layout;
	struct mapped buckets, dirty, other;
	uint32_t n_buckets; /* In each row; a multiple of FEATURE_BUCKETS_PER_WORD. */
	uint32_t n_cpus;
	struct feature_seen *seen; /* Open addressing, 1 << seen_bits. */
	unsigned int seen_bits;
	uint32_t round;
	const char **replicas; /* Of the bucket at hand, n_cpus. */
};

/* The max_entries that a table's three maps need. */
struct feature_sizes {
	uint32_t buckets, dirty, other;
};
struct feature_sizes feature_sizes(uint32_t n_cpus, uint32_t n_buckets);

/* Buckets in a row for so many keys on one CPU, of which few are to find no place. */
uint32_t feature_buckets(const struct feature_layout *layout, uint32_t n_keys);

struct feature_fds {
	int buckets, dirty, other;
};

/* Maps the arrays.  0 or a negative errno; feature_reader_close() in either case. */
int feature_reader_open(struct feature_reader *reader, const struct feature_layout *layout,
			const struct feature_fds *fds, uint32_t n_cpus, uint32_t n_buckets,
			const char *name, struct sluice_err *err)
	__attribute__((warn_unused_result));
void feature_reader_close(struct feature_reader *reader);

/* The scratch of a merge alone, for a reader whose memory comes from elsewhere.  0 or -ENOMEM. */
int feature_reader_prepare(struct feature_reader *reader) __attribute__((warn_unused_result));

/*
 * Empties a side that no CPU counts into, for an epoch that comes round again: no bucket may carry
 * it from long ago.
 */
void feature_reader_wipe(struct feature_reader *reader, unsigned int side);

/* What keys that had to make room had counted; of one side and epoch. */
struct dataplane_count feature_reader_other(const struct feature_reader *reader, unsigned int side,
					    uint32_t epoch);

/* One CPU's counts of one key. */
struct feature_counts {
	uint32_t packets;
	uint64_t bytes;
};

#define FEATURE_NO_ROW UINT32_MAX

/*
 * The caller's two halves of a merge: `begin` makes a row for a key and returns its number, or
 * FEATURE_NO_ROW if there is no room (it may then be asked again for the same key); `add` adds what
 * another CPU counted of it.
 */
typedef uint32_t (*feature_begin_fn)(void *ctx, const uint32_t *key,
				     const struct feature_counts *counts, const void *value);
typedef void (*feature_add_fn)(void *ctx, uint32_t row, const struct feature_counts *counts,
			       const void *value);

#define FEATURE_INLINE static inline __attribute__((always_inline))

FEATURE_INLINE unsigned int feature_used(const struct feature_layout layout, const char *bucket)
{
	unsigned int used = (unsigned char)bucket[FEATURE_USED_OFFSET];

	return used < layout.n_ways ? used : layout.n_ways;
}

FEATURE_INLINE const uint32_t *feature_key(const struct feature_layout layout, const char *bucket,
					   unsigned int way)
{
	return (const void *)(bucket + layout.key_offset + (size_t)way * layout.n_words * 4);
}

FEATURE_INLINE const void *feature_value(const struct feature_layout layout, const char *bucket,
					 unsigned int way, struct feature_counts *counts)
{
	const char *entry = bucket + layout.entry_offset + (size_t)way * layout.entry_size;
	const uint32_t *numbers = (const void *)entry;

	counts->packets = numbers[0];
	counts->bytes = (uint64_t)(unsigned char)bucket[FEATURE_BYTES_HIGH_OFFSET + way] << 32 |
			numbers[1];
	return entry + layout.value_offset;
}

/* Where the key is in the bucket at hand, or the free place where it belongs. */
FEATURE_INLINE struct feature_seen *
feature_find(struct feature_reader *reader, const struct feature_layout layout, const uint32_t *key)
{
	uint64_t hash = key[0];

	for (unsigned int i = 1; i < layout.n_words; i++)
		hash = hash * 0x9e3779b97f4a7c15u ^ key[i];
	size_t mask = ((size_t)1 << reader->seen_bits) - 1;
	size_t at = hash * 0x9e3779b97f4a7c15u >> (64 - reader->seen_bits);

	while (reader->seen[at].round == reader->round &&
	       memcmp(reader->seen[at].key, key, layout.n_words * sizeof(*key)) != 0)
		at = (at + 1) & mask;
	return &reader->seen[at];
}

/* Bucket by bucket the first CPU's keys are begun, the others' looked up among those. */
FEATURE_INLINE void feature_merge_bucket(struct feature_reader *reader,
					 const struct feature_layout layout, unsigned int n,
					 feature_begin_fn begin, feature_add_fn add, void *ctx)
{
	if (++reader->round == 0) {
		memset(reader->seen, 0, sizeof(*reader->seen) << reader->seen_bits);
		reader->round = 1;
	}
	for (unsigned int replica = 0; replica < n; replica++) {
		const char *bucket = reader->replicas[replica];
		unsigned int used = feature_used(layout, bucket);

		for (unsigned int way = 0; way < used; way++) {
			const uint32_t *key = feature_key(layout, bucket, way);
			struct feature_counts counts;
			const void *value = feature_value(layout, bucket, way, &counts);
			struct feature_seen *seen;

			if (n == 1) {
				(void)begin(ctx, key, &counts, value);
				continue;
			}
			seen = feature_find(reader, layout, key);
			if (seen->round == reader->round) {
				add(ctx, seen->row, &counts, value);
				continue;
			}
			uint32_t row = begin(ctx, key, &counts, value);

			if (row != FEATURE_NO_ROW && replica + 1 < n)
				*seen = (struct feature_seen){ key, reader->round, row };
		}
	}
}

/* How many buckets ahead memory is asked for. */
#define FEATURE_AHEAD 6

FEATURE_INLINE void feature_merge_word(struct feature_reader *reader,
				       const struct feature_layout layout, unsigned int side,
				       uint32_t epoch, size_t word, uint64_t bits,
				       feature_begin_fn begin, feature_add_fn add, void *ctx)
{
	const char *buckets = reader->buckets.memory;
	size_t row_size = (size_t)reader->n_buckets * layout.bucket_size;
	const char *first = buckets + (size_t)side * reader->n_cpus * row_size +
			    word * FEATURE_BUCKETS_PER_WORD * layout.bucket_size;

	for (; bits; bits &= bits - 1) {
		size_t offset = (size_t)__builtin_ctzll(bits) * layout.bucket_size;
		unsigned int n = 0;

		for (unsigned int cpu = 0; cpu < reader->n_cpus; cpu++) {
			const char *bucket = first + cpu * row_size + offset;

			for (unsigned int line = 0; line < layout.bucket_size; line += 64)
				__builtin_prefetch(bucket + FEATURE_AHEAD * layout.bucket_size +
						   line);
			uint32_t its_epoch = *(const uint32_t *)(const void *)bucket;

			reader->replicas[n] = bucket;
			n += its_epoch == epoch;
		}
		feature_merge_bucket(reader, layout, n, begin, add, ctx);
	}
}

/* How many words of dirty bits are passed over at once: most of a window are clean, or all of them. */
#define FEATURE_WORDS_AT_ONCE 8

FEATURE_INLINE bool feature_any_dirty(const struct feature_reader *reader, const uint64_t *dirty,
				      size_t n_words, size_t n)
{
	uint64_t any = 0;

	for (unsigned int cpu = 0; cpu < reader->n_cpus; cpu++) {
		const uint64_t *row = dirty + cpu * n_words;

		if (n == FEATURE_WORDS_AT_ONCE)
			any |= row[0] | row[1] | row[2] | row[3] | row[4] | row[5] | row[6] |
			       row[7];
		else
			for (size_t i = 0; i < n; i++)
				any |= row[i];
	}
	return any != 0;
}

/*
 * Reads one idle side and clears its dirty bits.  Give `layout` as a constant, that of the reader:
 * this is inlined, and only then fast.
 */
FEATURE_INLINE void feature_merge(struct feature_reader *reader, const struct feature_layout layout,
				  unsigned int side, uint32_t epoch, feature_begin_fn begin,
				  feature_add_fn add, void *ctx)
{
	size_t n_words = reader->n_buckets / FEATURE_BUCKETS_PER_WORD;
	uint64_t *dirty = (uint64_t *)reader->dirty.memory + side * reader->n_cpus * n_words;

	for (size_t word = 0; word < n_words; word++) {
		size_t left = n_words - word;
		size_t n = left < FEATURE_WORDS_AT_ONCE ? left : FEATURE_WORDS_AT_ONCE;
		uint64_t bits = 0;

		if (word % FEATURE_WORDS_AT_ONCE == 0 &&
		    !feature_any_dirty(reader, dirty + word, n_words, n)) {
			word += n - 1;
			continue;
		}
		for (unsigned int cpu = 0; cpu < reader->n_cpus; cpu++)
			bits |= dirty[cpu * n_words + word];
		if (!bits)
			continue;
		for (unsigned int cpu = 0; cpu < reader->n_cpus; cpu++)
			dirty[cpu * n_words + word] = 0;
		feature_merge_word(reader, layout, side, epoch, word, bits, begin, add, ctx);
	}
}

#endif /* SLUICE_DATAPLANE_FEATURE_READER_H */
