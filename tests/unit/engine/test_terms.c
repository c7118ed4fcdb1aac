/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a block through the whole engine: how long it lasts, and what ends it. */
#include <criterion/criterion.h>

#include "rig.h"

#define SOURCE "192.0.2.7"
#define TTL_WINDOWS 20

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig->settings.policy.ttl_ns = TTL_WINDOWS * RIG_WINDOW_NS;
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(terms, .init = setup, .fini = teardown);

static void send_windows(const char *source, uint64_t packets, unsigned int n)
{
	while (n--) {
		rig_send(rig, source, packets);
		rig_window(rig);
	}
}

static uint64_t ttl_left(void)
{
	return rig_explain(rig, SOURCE).ttl_left_ns / RIG_WINDOW_NS;
}

Test(terms, none_to_blocked)
{
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_NONE);
	rig_block(rig, SOURCE, 500);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_BLOCKED);
	cr_expect_eq(ttl_left(), TTL_WINDOWS);
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCKED), 1);
}

Test(terms, blocked_to_probation_and_back)
{
	rig_block(rig, SOURCE, 500);
	send_windows(SOURCE, 10, 2);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_PROBATION);
	cr_expect_eq(rig_explain(rig, SOURCE).quiet_windows, 2);
	cr_expect(rig_is_blocked(rig, SOURCE), "probation still drops");
	send_windows(SOURCE, 11, 1);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_BLOCKED);
	cr_expect_eq(rig_explain(rig, SOURCE).quiet_windows, 0);
}

Test(terms, probation_to_released_after_quiet_windows)
{
	rig_block(rig, SOURCE, 500);
	send_windows(SOURCE, 10, 4);
	cr_expect(rig_is_blocked(rig, SOURCE));
	send_windows(SOURCE, 10, 1);
	cr_expect_not(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_RELEASED);
	cr_expect_eq(rig_events(rig, EVENT_KIND_RELEASED), 1);
	cr_expect_eq(rig_status(rig).released_total, 1);
}

Test(terms, a_loud_source_outlives_its_term)
{
	rig_block(rig, SOURCE, 500);
	send_windows(SOURCE, 500, TTL_WINDOWS - 1);
	cr_expect_eq(ttl_left(), 1);
	cr_expect_eq(rig->dp.n_updates, 0);
	send_windows(SOURCE, 500, 1);
	cr_expect(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(ttl_left(), TTL_WINDOWS);
	cr_expect_eq(rig->dp.n_updates, 1, "the pinned record knows the new term");
	cr_expect_eq(rig->dp.slots[0].record.expires_ns,
		     rig_boottime(rig) + TTL_WINDOWS * RIG_WINDOW_NS);
	send_windows(SOURCE, 500, 10 * TTL_WINDOWS);
	cr_expect(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(rig_events(rig, EVENT_KIND_RELEASED), 0);
}

Test(terms, the_term_ends_a_source_that_is_quiet_then)
{
	rig->settings.rate_monitor.windows = 1000;
	rig_block(rig, SOURCE, 500);
	send_windows(SOURCE, 500, TTL_WINDOWS - 1);
	rig_window(rig);
	cr_expect_not(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(rig_explain(rig, SOURCE).repeats, 1);
}

static void block_and_calm(void)
{
	rig_block(rig, SOURCE, 500);
	rig_windows(rig, 5);
	cr_assert_not(rig_is_blocked(rig, SOURCE));
}

Test(terms, repeaters_get_longer_terms)
{
	for (unsigned int repeats = 0; repeats < 5; repeats++) {
		rig_block(rig, SOURCE, 500);
		cr_expect_eq(ttl_left(), (uint64_t)TTL_WINDOWS << repeats);
		cr_expect_eq(rig_explain(rig, SOURCE).repeats, repeats);
		rig_windows(rig, 5);
		cr_assert_not(rig_is_blocked(rig, SOURCE));
	}
}

Test(terms, repeats_are_forgotten_after_a_day)
{
	block_and_calm();
	rig_advance(rig, 24ull * 3600 * RIG_WINDOW_NS + RIG_WINDOW_NS);
	rig_window(rig);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_NONE);
	rig_block(rig, SOURCE, 500);
	cr_expect_eq(ttl_left(), TTL_WINDOWS);
}

Test(terms, back_off_is_bounded)
{
	const uint64_t day_ns = 24ull * 3600 * RIG_WINDOW_NS;

	rig->settings.policy.backoff = 1e6;
	block_and_calm();
	rig_block(rig, SOURCE, 500);
	cr_expect_eq(rig_explain(rig, SOURCE).ttl_left_ns, day_ns);
	rig_windows(rig, 5);
	rig->settings.policy.ttl_ns = 2 * day_ns;
	rig_block(rig, SOURCE, 500);
	cr_expect_eq(rig_explain(rig, SOURCE).ttl_left_ns, 2 * day_ns, "as the settings ask");
}

Test(terms, a_factor_of_one_never_grows)
{
	rig->settings.policy.backoff = 1.0;
	block_and_calm();
	block_and_calm();
	rig_block(rig, SOURCE, 500);
	cr_expect_eq(ttl_left(), TTL_WINDOWS);
}

Test(terms, who_the_operator_freed_is_no_repeater)
{
	struct sluice_key key = key_of(SOURCE);

	rig_block(rig, SOURCE, 500);
	cr_assert_eq(engine_unblock(rig->engine, &key, NULL), 0);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_RELEASED);
	rig_block(rig, SOURCE, 500);
	cr_expect_eq(ttl_left(), TTL_WINDOWS);
}

Test(terms, counters_wrap_at_32_bits)
{
	rig->dp.first_counter = UINT32_MAX - 150;
	rig_block(rig, SOURCE, 500);
	send_windows(SOURCE, 100, 3);
	cr_expect_eq(rig_explain(rig, SOURCE).pps, 100);
	cr_expect_eq(rig_explain(rig, SOURCE).dropped_packets, 300);
	cr_expect_eq(rig->detectors[0].seen_blocked_packets, 100);
	/* The greatest number that is not taken for a reading that lags behind. */
	send_windows(SOURCE, UINT32_MAX - DATAPLANE_BLOCK_PACKETS_LAG, 1);
	cr_expect_eq(rig_explain(rig, SOURCE).dropped_packets,
		     300 + (uint64_t)(UINT32_MAX - DATAPLANE_BLOCK_PACKETS_LAG));
}

/* A counter read between its going round and its carry says less than it said before. */
Test(terms, a_reading_that_lags_is_no_packet_less_and_none_more)
{
	static const uint32_t lags[] = { 1, 100, DATAPLANE_BLOCK_PACKETS_LAG };
	uint64_t sent = 0;

	rig_block(rig, SOURCE, 500);
	for (size_t i = 0; i < sizeof(lags) / sizeof(lags[0]); i++) {
		uint32_t lag = lags[i];

		send_windows(SOURCE, 1000, 1);
		sent += 1000;
		rig->dp.slots[0].packets -= lag;
		rig_window(rig);
		cr_expect_eq(rig_explain(rig, SOURCE).dropped_packets, sent, "lag %u", lag);
		cr_expect_eq(rig_explain(rig, SOURCE).pps, 0, "lag %u", lag);
		/* The carry comes, and one packet with it. */
		rig->dp.slots[0].packets += lag + 1;
		rig_window(rig);
		sent++;
		cr_expect_eq(rig_explain(rig, SOURCE).dropped_packets, sent, "lag %u", lag);
		cr_expect_eq(rig_explain(rig, SOURCE).pps, 1, "lag %u", lag);
	}
}
