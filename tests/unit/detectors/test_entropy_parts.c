/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the entropy detector: sums, bins, the learned set, the baseline.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "learned.h"
#include "measure.h"
#include "peace.h"
#include "traffic.h"

static struct entropy_sum sum_of(const double *packets, size_t n)
{
	struct entropy_sum sum = { .packets = 0 };

	for (size_t i = 0; i < n; i++) {
		sum.packets += packets[i];
		sum.xlogx += packets[i] * log2(packets[i]);
		sum.n++;
	}
	return sum;
}

Test(entropy_sum, known_values)
{
	static const struct {
		double packets[4];
		size_t n;
		double bits, normalised;
	} rows[] = {
		{ { 0 }, 0, 0, 0 },
		{ { 1000 }, 1, 0, 0 },
		{ { 5, 5 }, 2, 1, 1 },
		{ { 7, 7, 7, 7 }, 4, 2, 1 },
		{ { 8, 4, 2, 2 }, 4, 1.75, 0.875 },
		{ { 1e18, 1 }, 2, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct entropy_sum sum = sum_of(rows[i].packets, rows[i].n);

		cr_expect_float_eq(entropy_sum_bits(&sum), rows[i].bits, 1e-9, "row %zu", i);
		cr_expect_float_eq(entropy_sum_normalised(&sum), rows[i].normalised, 1e-9,
				   "row %zu", i);
	}
}

Test(entropy_bin, two_an_octave)
{
	static const struct {
		double pps;
		unsigned int bin;
	} rows[] = {
		{ 0, 0 },   { 0.5, 0 }, { 1, 0 },     { 2, 2 },	    { 2.9, 3 },	    { 4, 4 },
		{ 5.6, 4 }, { 5.7, 5 }, { 1024, 20 }, { 1449, 21 }, { 1e300, 125 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(entropy_bin(rows[i].pps), rows[i].bin, "%g in bin %u", rows[i].pps,
			     entropy_bin(rows[i].pps));
	for (double pps = 1; pps < 1e18; pps *= 1.01)
		cr_assert(entropy_bin(pps) < ENTROPY_N_BINS);
}

Test(entropy_classify, each_kind)
{
	static const struct {
		struct sluice_source source;
		enum entropy_class class;
	} rows[] = {
		{ { .packets = 100, .udp = 100 }, ENTROPY_CLASS_UDP },
		{ { .packets = 100, .tcp_syn = 100 }, ENTROPY_CLASS_SYN },
		{ { .packets = 100, .icmp = 100 }, ENTROPY_CLASS_ICMP },
		{ { .packets = 100 }, ENTROPY_CLASS_OTHER },
		{ { .packets = 100, .tcp_syn = 5 }, ENTROPY_CLASS_TALK },
		{ { .packets = 100, .tcp_syn = 60, .udp = 40 }, ENTROPY_CLASS_SYN },
		{ { .packets = 100, .udp = 200 }, ENTROPY_CLASS_UDP },
	};
	struct entropy_params params = { .source_floor_pps = 10, .growth = 4 };
	struct learned *learned = learned_new(64, 1);
	static struct entropy_measure measure;

	measure_init(&measure);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sluice_source source = rows[i].source;
		struct sluice_window window = {
			.size = sizeof(window),
			.length_ns = 1000000000,
			.sources = &source,
			.n_sources = 1,
			.source_size = sizeof(source),
			.blocked_size = sizeof(struct sluice_blocked_source),
		};

		source.key = traffic_key_v4((uint32_t)i);
		cr_assert_eq(measure_window(&measure, &params, learned, 1, &window), 0);
		cr_expect_eq(measure.n_list, 1, "row %zu", i);
		cr_expect_eq(measure.list[0].class, rows[i].class, "row %zu: class %d", i,
			     measure.list[0].class);
	}
	measure_fini(&measure);
	learned_free(learned);
}

Test(learned, counts_after_the_lag)
{
	struct learned *learned = learned_new(1024, 42);
	struct sluice_key key = traffic_key_v4(7), other = traffic_key_v4(8);

	learned_note(learned, &key, 100, 10);
	cr_expect_not(learned_accepts(learned, &key, 100, 4, 12), "too young");
	cr_expect(learned_accepts(learned, &key, 100, 4, 13));
	cr_expect(learned_accepts(learned, &key, 399, 4, 13));
	cr_expect_not(learned_accepts(learned, &key, 400, 4, 13), "grown");
	cr_expect_not(learned_accepts(learned, &other, 1, 4, 13), "never seen");
	cr_expect_not(learned_accepts(learned, &key, 100, 4, 5000), "forgotten");
	learned_free(learned);
}

Test(learned, vouched_counts_at_once_and_stays)
{
	struct learned *learned = learned_new(1024, 42);
	struct sluice_key key = traffic_key_v6(7), young = traffic_key_v6(8);

	learned_vouch(learned, &key, 100, 10);
	learned_note(learned, &young, 100, 10);
	cr_expect(learned_accepts(learned, &key, 100, 4, 10));
	learned_drop_young(learned, 11);
	cr_expect(learned_accepts(learned, &key, 100, 4, 11));
	cr_expect_not(learned_accepts(learned, &young, 100, 4, 20), "dropped");
	learned_free(learned);
}

/* One mistaken window raises what a source may send by twice at most. */
Test(learned, rates_rise_slowly)
{
	struct learned *learned = learned_new(1024, 42);
	struct sluice_key key = traffic_key_v4(7);

	learned_note(learned, &key, 10, 1);
	learned_note(learned, &key, 100000, 2);
	cr_expect_not(learned_accepts(learned, &key, 81, 4, 5));
	cr_expect(learned_accepts(learned, &key, 79, 4, 5));
	learned_free(learned);
}

Test(learned, memory_is_bounded)
{
	struct learned *learned = learned_new(1024, 42);
	size_t recent = 0;

	for (uint32_t i = 0; i < 100000; i++) {
		struct sluice_key key = traffic_key_v4(i);

		learned_note(learned, &key, 100, 1 + i / 100);
	}
	cr_assert_leq(learned_count(learned), 1024);
	for (uint32_t i = 99000; i < 99600; i++) {
		struct sluice_key key = traffic_key_v4(i);

		recent += learned_accepts(learned, &key, 100, 4, 1001);
	}
	/* The oldest go first, within a bucket. */
	cr_assert_gt(recent, 300);
	learned_free(learned);
}

static struct baseline_point point_of(double pps)
{
	struct baseline_point point;

	for (int i = 0; i < BASELINE_N_SIGNALS; i++)
		point.value[i] = NAN;
	point.value[BASELINE_OFFERED_PPS] = pps;
	return point;
}

Test(baseline, lags_and_forgets_on_freeze)
{
	struct baseline baseline = { .lag = { 0, 0 } };
	struct baseline_point low = point_of(100), high = point_of(1000000);

	for (int i = 0; i < ENTROPY_LAG; i++) {
		baseline_learn(&baseline, &low);
		cr_assert_eq(baseline_windows(&baseline), 0);
	}
	baseline_learn(&baseline, &low);
	cr_assert_eq(baseline_windows(&baseline), 1);
	/* The first windows of an attack, before it was one. */
	for (int i = 0; i < ENTROPY_LAG; i++)
		baseline_learn(&baseline, &high);
	baseline_freeze(&baseline);
	for (int i = 0; i < 10; i++)
		baseline_learn(&baseline, &low);
	cr_assert_float_eq(baseline.usual[BASELINE_OFFERED_PPS].mean, 100, 1e-9);
	cr_assert_eq(baseline.usual[BASELINE_BITS].n, 0, "NAN was learned");
}

Test(baseline, distance_and_jump)
{
	struct baseline baseline = { .lag = { 0, 0 } };

	cr_assert_not(baseline_is_jump(&baseline, 1e9), "nothing to compare with");
	for (int i = 0; i < 200; i++) {
		struct baseline_point point = point_of(i % 2 ? 11000 : 9000);

		baseline_learn(&baseline, &point);
	}
	cr_assert_float_eq(baseline.usual[BASELINE_OFFERED_PPS].mean, 10000, 500);
	cr_assert_float_eq(baseline.usual[BASELINE_OFFERED_PPS].deviation, 1000, 200);
	cr_expect_not(baseline_is_jump(&baseline, 15000));
	cr_expect(baseline_is_jump(&baseline, 25000));
	cr_expect_float_eq(baseline_distance(&baseline, BASELINE_OFFERED_PPS, 20000, 1), 10, 3);
	cr_expect_eq(baseline_distance(&baseline, BASELINE_BITS, 5, 1), 0.0);
	baseline_restart(&baseline);
	cr_expect_eq(baseline_windows(&baseline), 0);
}

/* What waits comes out in the order in which it went in, however often the line went round. */
/* Counted as packets come and go, the kinds are those of the packets that are kept. */
Test(peace, kinds_follow_the_packets)
{
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 47 };
	struct peace *peace = malloc(sizeof(*peace));
	uint32_t kinds[PEACE_KINDS] = { 0 };
	struct mine_packet packet = { 0 };

	cr_assert_not_null(peace);
	peace_init(peace, 3);
	for (uint32_t i = 0; i < 3 * MINE_MAX_PEACE; i++) {
		packet.packet.protocol = protocols[i % 4];
		packet.packet.tcp_flags = i % 64;
		packet.packet.length = (uint16_t)(i * 7 % 3000);
		/* One in ten stands apart until it is known what it was. */
		peace_learn(peace, &packet, 1, 1, 1, i % 10 == 0);
	}
	cr_assert_eq(peace->n, MINE_MAX_PEACE);
	for (size_t i = 0; i < peace->n; i++)
		kinds[peace_kind(&peace->packets[i].packet)]++;
	cr_expect_arr_eq(peace->kinds, kinds, sizeof(kinds));
	free(peace);
}

Test(learn, lag_is_a_line)
{
	struct sluice_lag lag = { 0, 0 };
	uint32_t waiting[5], in = 0, out = 0;

	for (int round = 0; round < 40; round++) {
		uint32_t wanted = 1 + (uint32_t)round * 7 % 5;

		while (lag.n < wanted)
			waiting[sluice_lag_add(&lag, 5)] = in++;
		for (uint32_t i = 0; i < lag.n; i++)
			cr_assert_eq(waiting[sluice_lag_at(&lag, 5, i)], out + i);
		while (lag.n >= wanted / 2 + 1)
			cr_assert_eq(waiting[sluice_lag_take(&lag, 5)], out++);
	}
	cr_expect_gt(in, 60);
	sluice_lag_discard(&lag);
	cr_expect_eq(lag.n, 0);
	cr_expect_lt(sluice_lag_add(&lag, 5), 5);
}

Test(learn, a_plain_mean_at_first)
{
	struct sluice_usual usual = { 0, 0, 0 };

	sluice_usual_learn(&usual, 10, 4);
	cr_expect_float_eq(usual.mean, 10, 1e-12);
	cr_expect_eq(usual.deviation, 0);
	sluice_usual_learn(&usual, 20, 4);
	cr_expect_float_eq(usual.mean, 15, 1e-12);
	cr_expect_float_eq(usual.deviation, 5, 1e-12);
	for (int i = 0; i < 100; i++)
		sluice_usual_learn(&usual, 0, 4);
	cr_expect_lt(usual.mean, 1e-9, "the fourth part of each: what was is forgotten");
}
