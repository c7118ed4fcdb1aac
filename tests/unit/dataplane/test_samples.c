// SPDX-License-Identifier: BSD-2-Clause
/* Samples and port bins without a kernel: the chance, the ring's size, what a record may be. */
#include <criterion/criterion.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "dataplane/port_bins.h"
#include "dataplane/sample_ring.h"
#include "sample_record.h"
#include "support/random.h"

Test(samples, threshold_chooses_the_budget_on_average)
{
	static const struct {
		uint32_t budget;
		uint64_t expected;
	} cases[] = {
		{ 1, 2 },	  { 1, 1000000 },	 { 1000, 1001 },
		{ 1000, 500000 }, { 1000, 10000000000 }, { 4000000, 5000000 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double chance =
			(sample_threshold(cases[i].budget, cases[i].expected) + 1.0) / 4294967296.0;
		double taken = chance * (double)cases[i].expected;

		/* A chance is a multiple of 2^-32. */
		cr_expect(fabs(taken - cases[i].budget) <=
				  (double)cases[i].expected / 4294967296.0 + 1e-6,
			  "%u of %lu: %g", cases[i].budget, cases[i].expected, taken);
	}
	cr_expect_eq(sample_threshold(5, 0), UINT32_MAX, "nothing known: all, up to the budget");
	cr_expect_eq(sample_threshold(5, 5), UINT32_MAX);
	cr_expect_eq(sample_threshold(0, 100), 0);
	cr_expect_eq(sample_threshold(1, UINT64_MAX), 0);
}

Test(samples, ring_is_a_power_of_two_of_pages_that_holds_the_budget)
{
	const uint64_t record = sizeof(struct sample_record) + 8;

	for (uint32_t budget = 0; budget < 200000; budget += 37) {
		uint64_t size = sample_ring_size(budget);

		cr_assert_eq(size & (size - 1), 0);
		cr_assert_geq(size, 65536);
		cr_assert_leq(size, 16u << 20);
		cr_assert(size >= budget * record || size == 16u << 20, "%u: %lu", budget, size);
	}
	cr_assert_eq(sample_ring_size(UINT32_MAX), 16u << 20);
}

Test(samples, only_records_are_decoded)
{
	struct sample_record record = {
		.time_ns = 1, .frame_size = 60, .ifindex = 2, .rx_queue = 3, .snap_size = 60
	};
	struct sluice_sample sample;

	memset(record.data, 0x5a, sizeof(record.data));
	cr_assert_eq(sample_decode(&record, sizeof(record), &sample), 0);
	cr_expect_eq(sample.time_ns, 1);
	cr_expect_eq(sample.frame_size, 60);
	cr_expect_eq(sample.size, 60);
	cr_expect_eq(sample.ifindex, 2);
	cr_expect_eq(sample.rx_queue, 3);
	cr_expect_eq(memcmp(sample.data, record.data, 60), 0);
	cr_expect_eq(sample.data[60], 0, "what lies behind the frame is not handed out");
	for (size_t size = 0; size < sizeof(record); size++)
		cr_assert_eq(sample_decode(&record, size, &sample), -EPROTO, "%zu bytes", size);
	record.snap_size = 61;
	cr_expect_eq(sample_decode(&record, sizeof(record), &sample), -EPROTO, "beyond the frame");
	record.frame_size = 9000;
	record.snap_size = SAMPLE_SNAP_SIZE + 1;
	cr_expect_eq(sample_decode(&record, sizeof(record), &sample), -EPROTO, "beyond the data");
	record.snap_size = UINT32_MAX;
	cr_expect_eq(sample_decode(&record, sizeof(record), &sample), -EPROTO);
}

/* The key decides which ports share a bin, and nothing about those that are listed. */
Test(port_bins, are_keyed)
{
	static uint8_t first[PORT_BINS_SIZE], second[PORT_BINS_SIZE];
	const __u64 key1[2] = { 1, 2 }, key2[2] = { 0xdeadbeef12345678ull, 99 };
	unsigned int listed = 0, moved = 0;

	port_bins_fill(first, key1);
	port_bins_fill(second, key2);
	for (uint32_t port = 0; port < PORT_BINS_SIZE; port++) {
		if (first[port] < SLUICE_N_LISTED_PORTS) {
			cr_assert_eq(first[port], second[port], "port %u", port);
			listed++;
			continue;
		}
		cr_assert_geq(second[port], SLUICE_N_LISTED_PORTS);
		moved += first[port] != second[port];
	}
	cr_assert_eq(listed, SLUICE_N_LISTED_PORTS);
	/* By chance 1 in 64 stays. */
	cr_assert_gt(moved, 60000);
}
