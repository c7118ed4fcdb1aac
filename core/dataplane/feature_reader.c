/* SPDX-License-Identifier: BSD-2-Clause */
/* See feature_reader.h. */
#include "feature_reader.h"

#include <errno.h>
#include <stdlib.h>

/* A table may be filled so far: of 10 ways 7 are taken then, and 3 % of the keys find no place. */
#define LOAD 0.7

struct feature_sizes feature_sizes(uint32_t n_cpus, uint32_t n_buckets)
{
	uint32_t rows = 2 * n_cpus;

	return (struct feature_sizes){
		.buckets = rows * n_buckets,
		.dirty = rows * (n_buckets / FEATURE_BUCKETS_PER_WORD),
		.other = rows,
	};
}

uint32_t feature_buckets(const struct feature_layout *layout, uint32_t n_keys)
{
	uint32_t n = (uint32_t)(n_keys / (layout->n_ways * LOAD)) + 1;

	return (n + FEATURE_BUCKETS_PER_WORD - 1) / FEATURE_BUCKETS_PER_WORD *
	       FEATURE_BUCKETS_PER_WORD;
}

int feature_reader_prepare(struct feature_reader *reader)
{
	size_t n_keys = (size_t)reader->n_cpus * reader->layout.n_ways;

	/* At most half full. */
	for (reader->seen_bits = 1; (size_t)1 << reader->seen_bits < 2 * n_keys;)
		reader->seen_bits++;
	reader->seen = calloc((size_t)1 << reader->seen_bits, sizeof(*reader->seen));
	/* One more than there are: a replica of another epoch is put behind the last, too. */
	reader->replicas = calloc((size_t)reader->n_cpus + 1, sizeof(*reader->replicas));
	return reader->seen && reader->replicas ? 0 : -ENOMEM;
}

int feature_reader_open(struct feature_reader *reader, const struct feature_layout *layout,
			const struct feature_fds *fds, uint32_t n_cpus, uint32_t n_buckets,
			const char *name, struct sluice_err *err)
{
	int code;

	*reader = (struct feature_reader){
		.layout = *layout,
		.n_cpus = n_cpus,
		.n_buckets = n_buckets,
	};
	code = feature_reader_prepare(reader);
	if (!code)
		code = mapped_open(&reader->buckets, fds->buckets, name, err);
	if (!code)
		code = mapped_open(&reader->dirty, fds->dirty, name, err);
	if (!code)
		code = mapped_open(&reader->other, fds->other, name, err);
	return code;
}

void feature_reader_close(struct feature_reader *reader)
{
	mapped_close(&reader->buckets);
	mapped_close(&reader->dirty);
	mapped_close(&reader->other);
	free(reader->seen);
	free(reader->replicas);
	reader->seen = NULL;
	reader->replicas = NULL;
}

void feature_reader_wipe(struct feature_reader *reader, unsigned int side)
{
	const struct feature_sizes sizes = feature_sizes(reader->n_cpus, reader->n_buckets);
	size_t half = (size_t)sizes.buckets / 2 * reader->layout.bucket_size;
	struct feature_other *other = reader->other.memory;

	memset((char *)reader->buckets.memory + side * half, 0, half);
	memset((uint64_t *)reader->dirty.memory + side * (sizes.dirty / 2), 0,
	       sizes.dirty / 2 * sizeof(uint64_t));
	memset(other + side * reader->n_cpus, 0, reader->n_cpus * sizeof(*other));
}

struct dataplane_count feature_reader_other(const struct feature_reader *reader, unsigned int side,
					    uint32_t epoch)
{
	const struct feature_other *rows = reader->other.memory;
	struct dataplane_count sum = { 0 };

	for (uint32_t cpu = 0; cpu < reader->n_cpus; cpu++) {
		const struct feature_other *other = &rows[side * reader->n_cpus + cpu];

		if (other->epoch != epoch)
			continue;
		sum.packets += other->packets;
		sum.bytes += other->bytes;
	}
	return sum;
}
