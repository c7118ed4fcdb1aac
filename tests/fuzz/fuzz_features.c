// SPDX-License-Identifier: BSD-2-Clause
/*
 * What user space reads from the memory of feature programs: a sample's record, the registers of the
 * estimate.  Whatever is there, a sample stays within its bounds and an estimate is a number.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/distinct.h"
#include "dataplane/sample_ring.h"
#include "distinct_registers.h"
#include "sample_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void try_sample(const uint8_t *data, size_t size)
{
	struct sluice_sample sample;
	/* A copy of its own, so that a byte read beyond the record is found. */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return;
	memcpy(copy, data, size);
	if (sample_decode(copy, size, &sample) == 0) {
		expect(size == sizeof(struct sample_record));
		expect(sample.size <= SLUICE_SAMPLE_SIZE);
		expect(sample.size <= sample.frame_size);
	}
	free(copy);
}

static void try_registers(const uint8_t *data, size_t size)
{
	static struct distinct_registers cpus[2], merged;
	uint64_t one, both;

	memset(cpus, 0, sizeof(cpus));
	memcpy(cpus, data, size < sizeof(cpus) ? size : sizeof(cpus));
	distinct_merge(&merged, cpus, 1);
	one = distinct_estimate(&merged);
	distinct_merge(&merged, cpus, 2);
	both = distinct_estimate(&merged);
	/* More CPUs have never seen fewer sources. */
	expect(both >= one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1)
		try_sample(data + 1, size - 1);
	else
		try_registers(data + 1, size - 1);
	return 0;
}
