/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The threshold detector: each limit, each exemption, and windows at the edge.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "logic.h"
#include "traffic.h"

struct seen {
	size_t n, stop_after;
	struct threshold_hit last;
};

static int note(void *ctx, const struct threshold_hit *hit)
{
	struct seen *seen = ctx;

	seen->last = *hit;
	return ++seen->n == seen->stop_after;
}

static struct sluice_window window_of(const struct sluice_source *sources, size_t n)
{
	return (struct sluice_window){
		.size = sizeof(struct sluice_window),
		.length_ns = 500000000,
		.sources = sources,
		.n_sources = n,
		.source_size = sizeof(*sources),
		.blocked_size = sizeof(struct sluice_blocked_source),
	};
}

Test(threshold, limits)
{
	static const struct {
		uint64_t limits[THRESHOLD_N_LIMITS]; /* source, SYN, UDP, ICMP */
		uint64_t packets;
		uint32_t syn, udp, icmp;
		bool over;
		enum threshold_limit limit;
	} rows[] = {
		/* half a second each */
		{ { 20000, 0, 0, 0 }, 10000, 0, 10000, 0, false, THRESHOLD_LIMIT_SOURCE },
		{ { 20000, 0, 0, 0 }, 10001, 0, 10001, 0, true, THRESHOLD_LIMIT_SOURCE },
		{ { 20000, 100, 0, 0 }, 60, 51, 0, 0, true, THRESHOLD_LIMIT_SYN },
		{ { 20000, 100, 0, 0 }, 60, 50, 0, 0, false, THRESHOLD_LIMIT_SYN },
		{ { 0, 0, 100, 0 }, 5000000, 0, 50, 0, false, THRESHOLD_LIMIT_UDP },
		{ { 0, 0, 100, 0 }, 5000000, 0, 51, 0, true, THRESHOLD_LIMIT_UDP },
		{ { 0, 0, 0, 100 }, 51, 0, 0, 51, true, THRESHOLD_LIMIT_ICMP },
		{ { 100, 100, 100, 10 }, 6000, 1000, 0, 5000, true, THRESHOLD_LIMIT_ICMP },
		{ { 0, 0, 0, 0 }, UINT64_MAX, UINT32_MAX, 0, 0, false, THRESHOLD_LIMIT_SOURCE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sluice_source source = {
			.key = traffic_key_v4(1),
			.packets = rows[i].packets,
			.tcp_syn = rows[i].syn,
			.udp = rows[i].udp,
			.icmp = rows[i].icmp,
		};
		struct sluice_window window = window_of(&source, 1);
		struct threshold_limits limits;
		struct threshold_result result;
		struct seen seen = { 0 };

		memcpy(limits.pps, rows[i].limits, sizeof(limits.pps));
		cr_assert_eq(threshold_observe(&limits, &window, note, &seen, &result), 0);
		cr_expect_eq(result.attack, rows[i].over, "row %zu", i);
		cr_expect_eq(seen.n, rows[i].over, "row %zu", i);
		if (rows[i].over)
			cr_expect_eq(seen.last.limit, rows[i].limit, "row %zu", i);
	}
}

static const struct threshold_limits limits_20k = { .pps = { 20000, 0, 0, 0 } };

/* The engine decides about a known client; it is no attack until somebody blocks it. */
Test(threshold, known_client_is_proposed_but_no_attack)
{
	struct sluice_source source = {
		.key = traffic_key_v4(1),
		.packets = 50000,
		.flags = SLUICE_SOURCE_KNOWN,
	};
	struct sluice_window window = window_of(&source, 1);
	struct threshold_result result;
	struct seen seen = { 0 };

	cr_assert_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), 0);
	cr_expect_eq(seen.n, 1);
	cr_expect_eq(result.known_over, 1);
	cr_expect_not(result.attack);
	cr_expect_eq(result.worst_ratio, 0.0);
}

/* Its packets no longer survive, in software or in the card; the attack goes on all the same. */
Test(threshold, blocked_source_keeps_the_attack_up)
{
	struct sluice_blocked_source blocked[2] = {
		{ .key = traffic_key_v4(1), .packets = 6000, .hw_packets = 6000 },
		{ .key = traffic_key_v4(2), .packets = 50 },
	};
	struct sluice_window window = window_of(NULL, 0);
	struct threshold_result result;
	struct seen seen = { 0 };

	window.blocked = blocked;
	window.n_blocked = 2;
	for (int i = 0; i < 60; i++) {
		cr_assert_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), 0);
		cr_assert(result.attack);
		cr_assert_eq(result.blocked_over, 1);
	}
	cr_expect_eq(seen.n, 0);
	cr_expect_float_eq(result.worst_ratio, 1.2, 1e-9);
	blocked[0].hw_packets = 100;
	cr_assert_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), 0);
	cr_expect_not(result.attack);
}

Test(threshold, stops_asking_when_told)
{
	struct sluice_source sources[10];
	struct sluice_window window = window_of(sources, 10);
	struct threshold_result result;
	struct seen seen = { .stop_after = 3 };

	for (uint32_t i = 0; i < 10; i++)
		sources[i] = (struct sluice_source){ .key = traffic_key_v6(i), .packets = 99999 };
	cr_assert_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), 0);
	cr_expect_eq(seen.n, 3);
	cr_expect_eq(result.over, 10);
}

Test(threshold, windows_at_the_edge)
{
	struct sluice_source source = { .key = traffic_key_v4(1), .packets = 900 };
	struct sluice_blocked_source blocked = {
		.key = traffic_key_v4(2),
		.packets = UINT64_MAX,
		.hw_packets = UINT64_MAX,
	};
	struct sluice_window window = window_of(&source, 1);
	struct threshold_result result;
	struct seen seen = { 0 };

	window.length_ns = 0;
	cr_expect_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), 0);
	cr_expect_not(result.attack, "900 packets in no time are no rate");
	window.blocked = &blocked;
	window.n_blocked = 1;
	cr_expect_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), 0);
	cr_expect(result.attack);
	window.blocked_size = 8;
	cr_expect_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), -EINVAL);
	window = window_of(&source, 1);
	window.source_size = sizeof(source) - 8;
	cr_expect_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), -EINVAL);
	window = window_of(NULL, 1);
	cr_expect_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), -EINVAL);
	window = window_of(&source, 1);
	window.size = 16;
	cr_expect_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), -EINVAL);
	window = window_of(NULL, 0);
	cr_expect_eq(threshold_observe(&limits_20k, &window, note, &seen, &result), 0);
	cr_expect_not(result.attack);
}
