/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The offload manager on cards that misbehave: full early, failing, lying, forgetful, gone.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake_card.h"
#include "offload/internal.h"
#include "support/random.h"

static struct fake_card card;
static struct offload *offload;

static void start(const struct offload_options *options)
{
	struct sluice_err err = { .text = "" };

	cr_assert_eq(offload_new(options, &offload, &err), 0, "%s", err.text);
	offload_drain(offload);
}

static void setup(void)
{
	fake_card_init(&card, 4);
}

static void teardown(void)
{
	offload_free(offload);
	fake_card_fini(&card);
}

TestSuite(faults, .init = setup, .fini = teardown);

/* A window of which software saw `sources`. */
static size_t window_states(const struct offload_source *sources, size_t n,
			    const struct offload_state **states)
{
	size_t n_states;

	cr_assert_eq(offload_exchange(offload, sources, n, states, &n_states), 0);
	offload_drain(offload);
	fake_card_advance(&card, FAKE_WINDOW_NS);
	return n_states;
}

/* A window in which `sources` were sent: the card drops what it has rules for. */
static void window(const struct offload_source *sources, size_t n)
{
	struct offload_source seen[64];
	const struct offload_state *states;

	cr_assert(n <= 64);
	for (size_t i = 0; i < n; i++) {
		uint32_t host = sources[i].handle - 5000;

		seen[i] = sources[i];
		if (fake_card_hit(&card, host, sources[i].packets))
			seen[i].packets = 0;
	}
	window_states(seen, n, &states);
}

static struct offload_status status(void)
{
	struct offload_status status;

	offload_status(offload, &status);
	return status;
}

Test(faults, full_before_k_lowers_the_capacity)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[8];

	options.caps.capacity = 8;
	for (uint32_t n = 0; n < 8; n++)
		sources[n] = fake_source(n + 1, 1000 - n);
	start(&options);
	window(sources, 8);
	cr_expect_eq(fake_card_n_rules(&card), 4);
	cr_expect_eq(status().capacity, 4);
	cr_expect_eq(status().used, 4);
	cr_expect_eq(status().refused, 4);
	cr_expect_str_eq(status().last_error, "the card is full (-ENOSPC)");
	cr_expect_eq(fake_card_events(&card, EVENT_KIND_OFFLOAD_FAILED), 1);
	cr_expect_str_eq(fake_card_event_text(&card, EVENT_KIND_OFFLOAD_FAILED),
			 "4 sources could not be added to the NIC's table; it holds 4 of 4: "
			 "the card is full (-ENOSPC)");
	for (int i = 0; i < 10; i++)
		window(sources, 8);
	cr_expect_eq(card.n_adds, 8, "not asked again and again");

	/* Room comes back and is found, step by step. */
	card.capacity = 8;
	for (int i = 0; i < 40; i++)
		window(sources, 8);
	cr_expect_eq(fake_card_n_rules(&card), 8);
	cr_expect_eq(status().capacity, 8);
}

Test(faults, a_card_of_unknown_size)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[8];

	options.caps.capacity = 0;
	for (uint32_t n = 0; n < 8; n++)
		sources[n] = fake_source(n + 1, 1000 - n);
	start(&options);
	window(sources, 8);
	cr_expect_eq(status().capacity, 4);
	/* It shrinks under us: what does not fit is dropped by the plan, never by force. */
	card.capacity = 2;
	for (int i = 0; i < 5; i++)
		window(sources, 8);
	cr_expect_eq(fake_card_n_rules(&card), 4);
}

Test(faults, what_the_card_cannot_match_is_remembered)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(77, 1000), fake_source(2, 100) };

	card.refuse_host = 77;
	start(&options);
	for (int i = 0; i < 50; i++)
		window(sources, 2);
	cr_expect_eq(card.n_adds, 2, "asked once each");
	cr_expect_eq(status().refused, 1);
	cr_expect(fake_card_has(&card, 2));
	/* A source that was released and came back is asked for again. */
	window(&sources[1], 1);
	window(sources, 2);
	cr_expect_eq(card.n_adds, 3);
}

Test(faults, transient_failures_are_retried_with_back_off)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);
	unsigned int asked[32];

	card.add_code = -EBUSY;
	start(&options);
	for (int i = 0; i < 32; i++) {
		window(&source, 1);
		asked[i] = card.n_adds;
	}
	/* Waits of 1, 2, 4, 8 and 16 windows. */
	cr_expect_eq(asked[0], 1);
	cr_expect_eq(asked[1], 2);
	cr_expect_eq(asked[2], 2);
	cr_expect_eq(asked[3], 3);
	cr_expect_eq(asked[7], 4);
	cr_expect_eq(asked[15], 5);
	cr_expect_eq(asked[31], 6);
	cr_expect_eq(status().failures, 6);
	cr_expect_eq(fake_card_events(&card, EVENT_KIND_OFFLOAD_FAILED), 1, "said once a minute");
	card.add_code = 0;
	for (int i = 0; i < 32; i++)
		window(&source, 1);
	cr_expect(fake_card_has(&card, 1));
}

Test(faults, a_rule_that_will_not_leave_is_asked_for_until_it_does)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 1000), fake_source(2, 900) };
	const struct offload_state *states;

	options.capacity = 1;
	start(&options);
	window(sources, 1);
	card.del_code = -EIO;
	window(&sources[1], 1);
	cr_expect_eq(card.n_dels, 1);
	cr_expect_eq(card.n_adds, 1, "its slot is not free");
	cr_expect_eq(window_states(&sources[1], 1, &states), 1, "and the engine is told");
	cr_expect(!states[0].removed);
	cr_expect_str_eq(fake_card_event_text(&card, EVENT_KIND_OFFLOAD_FAILED),
			 "1 source could not be removed from the NIC's table; it holds 1 of 1: "
			 "Input/output error (-EIO)");
	card.del_code = 0;
	for (int i = 0; i < 4; i++)
		window(&sources[1], 1);
	cr_expect(!fake_card_has(&card, 1) && fake_card_has(&card, 2));
}

Test(faults, a_source_blocked_again_keeps_its_stuck_rule)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);

	start(&options);
	window(&source, 1);
	card.del_code = -EIO;
	window(NULL, 0);
	card.del_code = 0;
	for (int i = 0; i < 10; i++) {
		window(&source, 1);
	}
	cr_expect_eq(card.n_dels, 1);
	cr_expect(fake_card_has(&card, 1));
}

Test(faults, exists_and_missing_are_as_good_as_done)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);
	const struct offload_state *states;

	start(&options);
	fake_card_put(&card, 1, 40, false);
	window_states(&source, 1, &states);
	cr_expect_eq(status().used, 1);
	cr_expect_eq(status().failures, 0);
	source.packets = 0;
	window(&source, 1);
	source.packets = 2;
	window(&source, 1);
	cr_assert_eq(window_states(&source, 1, &states), 1);
	cr_expect_eq(states[0].packets, 2, "and its 40 from before are nobody's");
	fake_card_forget_one(&card, 1);
	window(NULL, 0);
	cr_expect_eq(status().used, 0);
	cr_expect_eq(status().failures, 0);
}

Test(faults, counters_that_go_back_were_reset)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);
	const struct offload_state *states;

	start(&options);
	window(&source, 1);
	source.packets = 500;
	window(&source, 1);
	source.packets = 0;
	cr_assert_eq(window_states(&source, 1, &states), 1);
	cr_expect_eq(states[0].packets, 500);
	card.rules[0].packets = 30;
	window(&source, 1);
	cr_assert_eq(window_states(&source, 1, &states), 1);
	cr_expect_eq(states[0].packets, 30);
}

/* The packets that the engine is told of after the card's counter went from one value to another. */
static uint64_t told_after(uint64_t before, uint64_t after)
{
	struct offload_source source = fake_source(1, 0);
	const struct offload_state *states;

	for (int i = 0; i < 3; i++) {
		card.rules[0].packets = before - 2000 + (uint64_t)i * 1000;
		window(&source, 1);
	}
	card.rules[0].packets = after;
	window(&source, 1);
	cr_assert_eq(window_states(&source, 1, &states), 1);
	return states[0].packets;
}

Test(faults, counters_of_32_bits_run_over)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);

	start(&options);
	window(&source, 1);
	cr_expect_eq(told_after(UINT32_MAX - 299, 700), 1000, "300 to the end, and 700");
	cr_expect_eq(told_after(5000, 700), 700, "a reset far from the end");
	cr_expect_eq(told_after(UINT32_MAX - 299999, 700), 700, "300 windows from the end");
	cr_expect_eq(told_after((1ull << 40) - 300, 700), 700, "it has more bits");
}

Test(faults, a_stale_counter_keeps_the_last_rate)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);

	start(&options);
	window(&source, 1);
	window(&source, 1);
	source.packets = 0;
	cr_expect_eq(status().volume_pps, 1000, "%llu", (unsigned long long)status().volume_pps);
	/* The card does not update its figures for three windows. */
	for (int i = 1; i <= 3; i++) {
		card.age_ns = (uint64_t)i * FAKE_WINDOW_NS;
		window(&source, 1);
		cr_expect_eq(status().volume_pps, 1000, "window %d: %llu", i,
			     (unsigned long long)status().volume_pps);
	}
	card.age_ns = 0;
	source.packets = 8000;
	window(&source, 1);
	cr_expect_eq(status().volume_pps, 2000, "8000 packets in 4 windows: %llu",
		     (unsigned long long)status().volume_pps);
}

Test(faults, rules_that_vanish_are_noticed_and_put_back)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 1000), fake_source(2, 900) };

	start(&options);
	for (int i = 0; i < 3; i++)
		window(sources, 2);
	fake_card_forget_one(&card, 2);
	for (int i = 0; i < 4; i++)
		window(sources, 2);
	cr_expect(fake_card_has(&card, 2));
	cr_expect_eq(status().used, 2);
	cr_expect_eq(fake_card_event_count(&card, EVENT_KIND_OFFLOAD_FAILED), 1);
	cr_expect(status().healthy);
	cr_expect_leq(status().max_volume_pps, 1900, "no packet was seen twice");
}

Test(faults, without_counters_a_routine_listing_notices)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 1000), fake_source(2, 900) };

	options.caps.counters = false;
	start(&options);
	window(sources, 2);
	sources[0].packets = sources[1].packets = 0;
	fake_card_forget(&card);
	for (int i = 0; i < 12; i++)
		window(sources, 2);
	cr_expect_eq(status().used, 0,
		     "the sources are silent, and the table is known to be empty");
	cr_expect_leq(card.n_list_calls, 3);
}

Test(faults, rules_put_there_by_hand_are_brought_in_line)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);

	start(&options);
	window(&source, 1);
	fake_card_put(&card, 9, 0, false);
	for (int i = 0; i < 4; i++)
		window(&source, 1);
	cr_expect(!fake_card_has(&card, 9), "nobody blocks that source");
	cr_expect(fake_card_has(&card, 1));
}

/* Success without effect: the rule is listed, and its packets come through all the same. */
Test(faults, a_rule_without_effect_gives_up_its_slot)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 1000), fake_source(2, 900) };
	const struct offload_state *states;
	unsigned int windows_in = 0;

	options.capacity = 1;
	start(&options);
	window(sources, 2);
	cr_assert(fake_card_has(&card, 1));
	for (int i = 0; i < 60; i++) {
		/* The rule of source 1 is there, and nothing ever hits it. */
		sources[1].packets = fake_card_hit(&card, 2, 900) ? 0 : 900;
		window_states(sources, 2, &states);
		windows_in += fake_card_has(&card, 1);
	}
	cr_expect_leq(windows_in, 30, "the useless rule sat there for %u windows", windows_in);
	cr_expect(fake_card_event_count(&card, EVENT_KIND_OFFLOAD_FAILED) > 0);
	cr_expect_str_eq(status().last_error,
			 "the card took the rule, but the packets still arrive (-EIO)");
}

/*
 * After a reset that nobody tells of, the kernel still lists the rule.  The source has become slower
 * since it was offloaded, and pauses.  The rule goes in anew at once; if that does not help, it sits out.
 */
Test(faults, a_rule_that_lost_its_effect_is_found_out)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);
	const struct offload_state *states;

	start(&options);
	for (int i = 0; i < 6; i++)
		window(&source, 1);
	cr_assert(fake_card_has(&card, 1));
	for (int i = 0; i < 9; i++) {
		source.packets = i % 2 ? 0 : 100;
		window_states(&source, 1, &states);
	}
	cr_expect_eq(card.n_dels, 1, "the rule does nothing, and stays");
	cr_expect(fake_card_has(&card, 1), "it is not put there anew");
	cr_expect_str_eq(fake_card_event_text(&card, EVENT_KIND_OFFLOAD_FAILED),
			 "1 source came through the NIC's table; it holds 0 of 4: the packets "
			 "arrive again, as after a reset of the card; the rule is put there anew "
			 "(-EIO)");
	for (int i = 0; i < 9; i++)
		window_states(&source, 1, &states);
	cr_expect(!fake_card_has(&card, 1), "it does not help, and is done again and again");
	cr_expect_str_eq(status().last_error,
			 "the card took the rule, but the packets still arrive (-EIO)");
	source.packets = 100;
	for (int i = 0; i < 40; i++)
		window(&source, 1);
	cr_expect(fake_card_has(&card, 1), "it is tried again");
}

Test(faults, a_card_that_swallows_rules_is_found_out)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);

	card.swallow = true;
	start(&options);
	for (int i = 0; i < 4; i++)
		window(&source, 1);
	cr_expect_eq(fake_card_n_rules(&card), 0);
	cr_expect(fake_card_event_count(&card, EVENT_KIND_OFFLOAD_FAILED) > 0);
	card.swallow = false;
	for (int i = 0; i < 8; i++)
		window(&source, 1);
	cr_expect(fake_card_has(&card, 1));
}

Test(faults, a_card_that_is_gone_is_asked_with_back_off)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 1000), fake_source(2, 900) };
	const struct offload_state *states;
	unsigned int lists;

	start(&options);
	for (int i = 0; i < 3; i++)
		window(sources, 2);
	card.device_code = -ENODEV;
	window(sources, 2);
	cr_expect(!status().healthy);
	cr_expect_eq(fake_card_events(&card, EVENT_KIND_OFFLOAD_FAILED), 1);
	cr_expect_str_eq(fake_card_event_text(&card, EVENT_KIND_OFFLOAD_FAILED),
			 "backend 'fake': the card is gone: read: No such device (-ENODEV); all "
			 "sources stay blocked in software, the card is asked again");
	lists = card.n_list_calls;
	for (int i = 0; i < 100; i++)
		window(sources, 2);
	lists = card.n_list_calls - lists;
	cr_expect(lists >= 5 && lists <= 8, "asked %u times in 100 windows", lists);
	cr_expect_eq(fake_card_events(&card, EVENT_KIND_OFFLOAD_FAILED), 1, "said once");
	cr_assert_eq(window_states(sources, 2, &states), 2);
	cr_expect_geq(states[0].age_ns, 100ull * FAKE_WINDOW_NS, "its last word grows old");

	/* It comes back as after a reset, with an empty table. */
	fake_card_forget(&card);
	card.device_code = 0;
	for (int i = 0; i < 62; i++)
		window(sources, 2);
	cr_expect(status().healthy);
	cr_expect(fake_card_has(&card, 1) && fake_card_has(&card, 2));
}

Test(faults, a_batch_that_failed_as_a_whole_is_cleared_up_by_listing)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 1000), fake_source(2, 900) };

	start(&options);
	card.device_code = -ETIMEDOUT;
	/* One of the two rules got through before the card fell silent. */
	fake_card_put(&card, 1, 0, false);
	window(sources, 2);
	card.device_code = 0;
	for (int i = 0; i < 4; i++)
		window(sources, 2);
	cr_expect(status().healthy);
	cr_expect_eq(status().used, 2);
	cr_expect(fake_card_has(&card, 1) && fake_card_has(&card, 2));
}

Test(faults, a_card_that_is_dead_from_the_start)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);

	card.device_code = -ENODEV;
	start(&options);
	cr_expect(!status().healthy);
	window(&source, 1);
	card.device_code = 0;
	for (int i = 0; i < 8; i++)
		window(&source, 1);
	cr_expect(status().healthy);
	cr_expect(fake_card_has(&card, 1));
}

Test(faults, a_flush_that_fails_is_said)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);

	options.flush_on_exit = true;
	start(&options);
	window(&source, 1);
	card.device_code = -ENODEV;
	offload_free(offload);
	offload = NULL;
	cr_expect_eq(card.n_closes, 1);
	cr_expect_eq(fake_card_events(&card, EVENT_KIND_OFFLOAD_FAILED), 1);
}

/* One random fault, or none. */
static void random_fault(struct random *random)
{
	static const int codes[] = { 0, 0, 0, -EBUSY, -EIO, -ENOMEM, -EAGAIN };

	card.add_code = codes[random_below(random, 7)];
	card.del_code = codes[random_below(random, 7)];
	card.list_code = random_below(random, 10) == 0 ? -EIO : 0;
	card.read_code = random_below(random, 10) == 0 ? -ETIMEDOUT : 0;
	card.device_code = random_below(random, 15) == 0 ? -ENODEV : 0;
	card.swallow = random_below(random, 10) == 0;
	card.refuse_host = 0;
	card.capacity = 8 + (uint32_t)random_below(random, 9);
	if (random_below(random, 20) == 0)
		fake_card_forget(&card);
	if (random_below(random, 10) == 0)
		fake_card_put(&card, 100 + (uint32_t)random_below(random, 50), 0, false);
	if (fake_card_n_rules(&card) > 0 && random_below(random, 5) == 0)
		card.rules[0].packets = 0;
}

/* Traffic of one window: what has a rule goes to the card, the rest to software. */
static void random_traffic(struct random *random, struct offload_source *sources, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t packets = 100 * (i + 1) + random_below(random, 20);

		sources[i] = fake_source((uint32_t)i, 0);
		if (!fake_card_hit(&card, (uint32_t)i, packets))
			sources[i].packets = packets;
	}
}

/* Whatever happened before, a card that is well again ends up with exactly the heaviest sources. */
Test(faults, after_any_faults_the_table_is_right_again)
{
	enum { SOURCES = 40, K = 16, CASES = 25 };
	const uint64_t seed = 0x5eed0004;
	struct random random = { seed };
	struct offload_source sources[SOURCES];

	printf("seed %#llx, %d cases\n", (unsigned long long)seed, CASES);
	for (int c = 0; c < CASES; c++) {
		struct offload_options options;

		fake_card_fini(&card);
		fake_card_init(&card, K);
		options = fake_card_options(&card);
		options.threshold_min = 1;
		options.max_rate_pps = 1;
		start(&options);
		for (int i = 0; i < 60; i++) {
			random_fault(&random);
			random_traffic(&random, sources, SOURCES);
			window(sources, SOURCES);
			cr_assert(fake_card_n_rules(&card) <= K + 60);
		}
		card.add_code = card.del_code = card.list_code = card.read_code = 0;
		card.device_code = 0;
		card.swallow = false;
		card.capacity = K;
		for (int i = 0; i < 700; i++) {
			random_traffic(&random, sources, SOURCES);
			window(sources, SOURCES);
		}
		cr_assert(status().healthy, "case %d", c);
		cr_expect_eq(fake_card_n_rules(&card), K, "case %d: %zu rules", c,
			     fake_card_n_rules(&card));
		cr_expect_eq(status().used, K, "case %d: %u used", c, status().used);
		for (uint32_t n = SOURCES - K; n < SOURCES; n++)
			cr_expect(fake_card_has(&card, n), "case %d: source %u", c, n);
		offload_free(offload);
		offload = NULL;
	}
}
