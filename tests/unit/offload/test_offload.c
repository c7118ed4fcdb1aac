/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The offload manager on a card that behaves: what goes into its table, what comes back, when it
 * is emptied, and that nobody waits for it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "fake_card.h"
#include "offload/internal.h"

/* One card and one manager; each test runs in a process of its own. */
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

TestSuite(offload, .init = setup, .fini = teardown);

struct answer {
	const struct offload_state *states;
	size_t n;
};

static struct answer exchange(const struct offload_source *sources, size_t n)
{
	struct answer answer = { NULL, 99 };

	cr_assert_eq(offload_exchange(offload, sources, n, &answer.states, &answer.n), 0);
	return answer;
}

/* A window: exchange, let the worker finish, let the clock go on. */
static struct answer window(const struct offload_source *sources, size_t n)
{
	struct answer answer = exchange(sources, n);

	offload_drain(offload);
	fake_card_advance(&card, FAKE_WINDOW_NS);
	return answer;
}

static const struct offload_state *state_of(const struct answer *answer, uint32_t n)
{
	struct sluice_key key = fake_key(n);

	for (size_t i = 0; i < answer->n; i++) {
		if (memcmp(&answer->states[i].key, &key, sizeof(key)) == 0)
			return &answer->states[i];
	}
	return NULL;
}

static struct offload_status status(void)
{
	struct offload_status status;

	offload_status(offload, &status);
	return status;
}

Test(offload, heaviest_sources_fill_the_table)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = {
		fake_source(1, 100), fake_source(2, 600), fake_source(3, 300),
		fake_source(4, 400), fake_source(5, 500), fake_source(6, 200),
	};
	struct answer answer;

	start(&options);
	answer = window(sources, 6);
	cr_expect_eq(answer.n, 0, "the card holds nothing yet");
	cr_expect(!fake_card_has(&card, 1) && !fake_card_has(&card, 6));
	answer = window(sources, 6);
	cr_assert_eq(answer.n, 4);
	for (uint32_t n = 2; n <= 5; n++) {
		const struct offload_state *state = state_of(&answer, n);

		cr_assert(fake_card_has(&card, n) && state, "source %u", n);
		cr_expect_eq(state->handle, n + 5000);
		cr_expect(!state->removed);
	}
	cr_expect_eq(fake_card_events(&card, EVENT_KIND_OFFLOADED), 1, "one event a window");
	cr_expect_eq(fake_card_event_count(&card, EVENT_KIND_OFFLOADED), 4);
	cr_expect_str_eq(fake_card_event_text(&card, EVENT_KIND_OFFLOADED),
			 "4 sources moved into the NIC's table; it holds 4 of 4");
	cr_expect_eq(status().used, 4);
	cr_expect_eq(status().adds, 4);
	cr_expect_eq(status().capacity, 4);
	cr_expect(status().healthy && status().counters && !status().emulated);
	cr_expect_str_eq(status().backend, "fake");
	cr_expect_str_empty(status().last_error);
}

Test(offload, an_emulation_says_so_in_its_events)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 100);

	options.caps.emulated = true;
	start(&options);
	window(&source, 1);
	cr_expect(status().emulated);
	cr_expect_str_eq(fake_card_event_text(&card, EVENT_KIND_OFFLOADED),
			 "1 source moved into the emulated NIC's table; it holds 1 of 4");
}

Test(offload, hardware_packets_keep_a_source_in_the_table)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source busy[] = { fake_source(1, 1000), fake_source(2, 900),
					 fake_source(3, 800), fake_source(4, 700),
					 fake_source(5, 100) };

	start(&options);
	window(busy, 5);
	/* Now the card drops all of 1..4, and software sees only 5. */
	for (uint32_t n = 0; n < 4; n++)
		busy[n].packets = 0;
	for (int i = 0; i < 10; i++) {
		for (uint32_t n = 1; n <= 4; n++)
			cr_assert(fake_card_hit(&card, n, 1000 - 100 * (n - 1)));
		window(busy, 5);
	}
	cr_expect_eq(status().dels, 0);
	cr_expect(!fake_card_has(&card, 5));
	cr_expect_eq(status().volume_pps, 3500);
	cr_expect_eq(status().max_volume_pps, 3500);
	cr_expect_float_eq(status().threshold, 1.2, 1e-6);
}

Test(offload, a_heavier_source_replaces_the_slowest)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 1000), fake_source(2, 900),
					    fake_source(3, 800), fake_source(4, 100),
					    fake_source(5, 0) };

	start(&options);
	window(sources, 5);
	for (uint32_t n = 0; n < 4; n++) {
		fake_card_hit(&card, n + 1, sources[n].packets);
		sources[n].packets = 0;
	}
	sources[4].packets = 5000;
	window(sources, 5);
	cr_expect(fake_card_has(&card, 5) && !fake_card_has(&card, 4));
	cr_expect_eq(fake_card_event_count(&card, EVENT_KIND_OFFLOAD_WITHDRAWN), 1);
	cr_expect_eq(status().adds, 5);
	cr_expect_eq(status().dels, 1);
}

Test(offload, residency_holds_what_was_just_added)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 10), fake_source(2, 0) };

	options.capacity = 1;
	options.residency_windows = 3;
	start(&options);
	window(sources, 2);
	sources[0].packets = 0;
	sources[1].packets = 100000;
	for (int i = 0; i < 2; i++) {
		window(sources, 2);
		cr_expect(fake_card_has(&card, 1), "window %d", i);
	}
	window(sources, 2);
	cr_expect(fake_card_has(&card, 2));
}

Test(offload, a_source_that_is_no_longer_blocked_leaves)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 100), fake_source(2, 200) };

	options.updates_per_second = 2;
	start(&options);
	window(sources, 2);
	cr_assert_eq(fake_card_n_rules(&card), 2);
	/* Both at once, although the next additions will have to wait for that. */
	window(NULL, 0);
	cr_expect_eq(fake_card_n_rules(&card), 0);
	cr_expect_eq(status().used, 0);
	cr_expect_eq(fake_card_event_count(&card, EVENT_KIND_OFFLOAD_WITHDRAWN), 2);
}

Test(offload, packets_are_told_once_and_none_is_lost)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 100);
	struct answer answer;

	start(&options);
	window(&source, 1);
	fake_card_hit(&card, 1, 70);
	window(&source, 1);
	answer = window(&source, 1);
	cr_assert_eq(answer.n, 1);
	cr_expect_eq(answer.states[0].packets, 70);
	answer = exchange(&source, 1);
	cr_expect_eq(answer.states[0].packets, 0);
	offload_drain(offload);
	fake_card_hit(&card, 1, 5);
	/* The last count of a rule that is taken out in the same round still arrives. */
	window(NULL, 0);
	cr_expect_eq(fake_card_n_rules(&card), 0);
	answer = window(NULL, 0);
	cr_assert_eq(answer.n, 1);
	cr_expect(answer.states[0].removed);
	cr_expect_eq(answer.states[0].packets, 5);
	answer = window(NULL, 0);
	cr_expect_eq(answer.n, 0);
}

Test(offload, age_tells_how_old_a_count_is)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 100);
	struct answer answer;

	start(&options);
	window(&source, 1);
	answer = window(&source, 1);
	cr_assert_eq(answer.n, 1);
	cr_expect_eq(answer.states[0].age_ns, OFFLOAD_AGE_UNKNOWN, "not read yet");
	card.age_ns = 300;
	window(&source, 1);
	answer = window(&source, 1);
	cr_expect_eq(answer.states[0].age_ns, FAKE_WINDOW_NS + 300);
}

Test(offload, rules_of_an_earlier_run_stay_or_go)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 0), fake_source(9, 0) };
	struct answer answer;

	fake_card_put(&card, 1, 5000, false);
	fake_card_put(&card, 2, 5000, false);
	fake_card_put(&card, 3, 5000, true);
	start(&options);
	cr_expect_eq(card.n_list_calls, 1);
	cr_expect_eq(status().used, 2);
	window(sources, 2);
	cr_expect(fake_card_has(&card, 1), "named by the first exchange");
	cr_expect(!fake_card_has(&card, 2), "not named");
	cr_expect(fake_card_has(&card, 3), "somebody else's");
	fake_card_hit(&card, 1, 7);
	answer = window(sources, 2);
	cr_assert_eq(answer.n, 1);
	cr_expect_eq(answer.states[0].packets, 0, "what was counted before us is not ours");
	answer = window(sources, 2);
	cr_expect_eq(answer.states[0].packets, 7);
	cr_expect(!card.touched_foreign);
	cr_expect_eq(status().adds, 0);
}

Test(offload, without_counters_the_last_software_rate_ranks)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 1000), fake_source(2, 100),
					    fake_source(3, 0) };
	struct answer answer;

	options.caps.counters = false;
	options.capacity = 2;
	start(&options);
	window(sources, 3);
	sources[0].packets = sources[1].packets = 0;
	sources[2].packets = 110;
	for (int i = 0; i < 5; i++)
		answer = window(sources, 3);
	cr_expect(fake_card_has(&card, 1) && fake_card_has(&card, 2), "110 is no 1.2 x 100");
	cr_assert_eq(answer.n, 2);
	cr_expect_eq(answer.states[0].age_ns, OFFLOAD_AGE_UNKNOWN);
	cr_expect_eq(card.n_read_calls, 0);
	sources[2].packets = 500;
	window(sources, 3);
	cr_expect(fake_card_has(&card, 1) && fake_card_has(&card, 3), "500 beats 100, not 1000");
	cr_expect(!status().counters);
}

Test(offload, ipv6_goes_only_where_the_card_can_match_it)
{
	static const struct {
		uint8_t prefix_len;
		uint32_t matches;
		bool expected;
	} cases[] = {
		{ 64, SLUICE_BACKEND_MATCH_IPV4, false },
		{ 128, SLUICE_BACKEND_MATCH_IPV6, true },
		{ 64, SLUICE_BACKEND_MATCH_IPV6, false },
		{ 64, SLUICE_BACKEND_MATCH_IPV6_PREFIX, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct offload_options options = fake_card_options(&card);
		struct offload_source source = {
			.key = { .family = SLUICE_FAMILY_IPV6,
				 .prefix_len = cases[i].prefix_len,
				 .addr = { 0x20, 1 } },
			.packets = 10,
		};

		options.caps.matches = cases[i].matches;
		options.flush_on_exit = true;
		start(&options);
		window(&source, 1);
		cr_expect_eq(fake_card_n_rules(&card), cases[i].expected, "case %zu", i);
		offload_free(offload);
		offload = NULL;
	}
}

Test(offload, the_budget_bounds_a_window)
{
	struct offload_options options;
	struct offload_source sources[100];

	card.capacity = 100;
	options = fake_card_options(&card);
	options.updates_per_second = 10;
	for (uint32_t n = 0; n < 100; n++)
		sources[n] = fake_source(n + 1, 1000 + n);
	start(&options);
	for (unsigned int i = 1; i <= 3; i++) {
		window(sources, 100);
		cr_expect_eq(fake_card_n_rules(&card), 10 * i);
	}
	cr_expect(fake_card_has(&card, 100) && fake_card_has(&card, 71), "heaviest first");
	cr_expect(!fake_card_has(&card, 70));
}

Test(offload, a_slow_card_is_asked_for_half_of_what_it_can)
{
	struct offload_options options;
	struct offload_source sources[600];

	card.capacity = 600;
	card.update_ns = 2000000;
	options = fake_card_options(&card);
	options.caps.update_p50_ns = options.caps.update_p99_ns = 0;
	for (uint32_t n = 0; n < 600; n++)
		sources[n] = fake_source(n + 1, 1000 + n);
	start(&options);
	window(sources, 600);
	cr_expect_eq(fake_card_n_rules(&card), 250);
	cr_expect_leq(card.largest_batch, 62, "a batch of %u takes too long", card.largest_batch);
	cr_expect_eq(status().update_p50_ns, 2000000);
	cr_expect_eq(status().update_p99_ns, 2000000);
}

Test(offload, a_fast_card_turns_out_to_be_fast)
{
	struct offload_options options;
	struct offload_source sources[600];

	card.capacity = 600;
	options = fake_card_options(&card);
	options.caps.update_p50_ns = options.caps.update_p99_ns = 0;
	for (uint32_t n = 0; n < 600; n++)
		sources[n] = fake_source(n + 1, 1000 + n);
	start(&options);
	window(sources, 600);
	window(sources, 600);
	cr_expect_eq(fake_card_n_rules(&card), 600);
	cr_expect_eq(status().update_p50_ns, 1000);
}

Test(offload, a_held_up_card_holds_up_nobody)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source old[] = { fake_source(1, 100), fake_source(2, 90) };
	struct offload_source newer[] = { fake_source(3, 100), fake_source(4, 90) };
	struct offload_source newest[] = { fake_source(5, 100), fake_source(6, 90) };

	start(&options);
	fake_card_gate(&card);
	exchange(old, 2);
	fake_card_wait_held(&card);
	/* The worker hangs in the card; each of these returns at once all the same. */
	for (int i = 0; i < 100; i++) {
		exchange(newer, 2);
		cr_expect_eq(status().used, 0);
	}
	exchange(newest, 2);
	fake_card_open(&card);
	offload_drain(offload);
	cr_expect(fake_card_has(&card, 5) && fake_card_has(&card, 6), "the newest plan wins");
	cr_expect_eq(fake_card_n_rules(&card), 2);
	cr_expect_eq(card.n_adds, 4, "a plan that was overtaken was never carried out");
}

Test(offload, a_newer_window_ends_the_round_after_one_batch)
{
	struct offload_options options;
	struct offload_source sources[400];

	card.capacity = 400;
	options = fake_card_options(&card);
	options.caps.update_p50_ns = options.caps.update_p99_ns = 2000000;
	for (uint32_t n = 0; n < 400; n++)
		sources[n] = fake_source(n + 1, 1000 + n);
	start(&options);
	fake_card_gate(&card);
	exchange(sources, 400);
	fake_card_wait_held(&card);
	exchange(NULL, 0);
	fake_card_open(&card);
	offload_drain(offload);
	cr_expect_eq(fake_card_n_rules(&card), 0);
	cr_expect_eq(card.n_adds, 62);
	cr_expect_eq(card.n_dels, 62);
}

static void *free_it(void *arg)
{
	offload_free(arg);
	return NULL;
}

static void mark(void *ctx)
{
	atomic_store((atomic_bool *)ctx, true);
}

/* A call hangs: the end waits as long as it is told, says so, and what comes later is nobody's. */
Test(offload, the_end_does_not_wait_for_a_call_that_hangs)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);
	atomic_bool freed = false;
	size_t n_events;

	options.flush_on_exit = true;
	start(&options);
	fake_card_gate(&card);
	exchange(&source, 1);
	fake_card_wait_held(&card);
	cr_assert_not(offload_stop(offload, 1000000));
	cr_expect_eq(fake_card_events(&card, EVENT_KIND_OFFLOAD_FAILED), 1);
	cr_expect(strstr(fake_card_event_text(&card, EVENT_KIND_OFFLOAD_FAILED), "come back"));
	n_events = card.n_events;
	offload_leave(offload, mark, &freed);
	offload = NULL;
	cr_expect_not(atomic_load(&freed));
	fake_card_open(&card);
	while (!atomic_load(&freed))
		sched_yield();
	cr_expect_eq(card.n_closes, 1, "it ends as it would have");
	cr_expect_eq(card.n_flushes, 1);
	cr_expect_eq(card.n_events, n_events, "whoever took events may be gone");
}

Test(offload, a_worker_that_ends_in_time_is_freed_at_once)
{
	struct offload_options options = fake_card_options(&card);
	atomic_bool freed = false;

	start(&options);
	cr_assert(offload_stop(offload, 60000000000u));
	offload_leave(offload, mark, &freed);
	offload = NULL;
	cr_expect(atomic_load(&freed));
	cr_expect_eq(card.n_closes, 1);
}

/* The windows go on, the status says that the card does not answer, once, and that it is back. */
Test(offload, a_call_that_hangs_is_noticed)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source source = fake_source(1, 1000);

	start(&options);
	fake_card_gate(&card);
	exchange(&source, 1);
	fake_card_wait_held(&card);
	for (int i = 0; i < 20; i++) {
		cr_expect_eq(status().healthy, i <= 10, "window %d", i);
		fake_card_advance(&card, FAKE_WINDOW_NS);
		exchange(&source, 1);
	}
	cr_expect_eq(fake_card_events(&card, EVENT_KIND_OFFLOAD_FAILED), 1);
	fake_card_open(&card);
	offload_drain(offload);
	cr_expect(status().healthy);
	cr_expect(fake_card_has(&card, 1));
	cr_expect(strstr(fake_card_event_text(&card, EVENT_KIND_OFFLOADED), "come back") ||
		  fake_card_events(&card, EVENT_KIND_OFFLOADED) > 1);
}

Test(offload, stop_waits_for_one_batch_only)
{
	struct offload_options options;
	struct offload_source sources[400];
	pthread_t thread;

	card.capacity = 400;
	options = fake_card_options(&card);
	options.caps.update_p50_ns = options.caps.update_p99_ns = 2000000;
	for (uint32_t n = 0; n < 400; n++)
		sources[n] = fake_source(n + 1, 1000 + n);
	start(&options);
	fake_card_gate(&card);
	exchange(sources, 400);
	fake_card_wait_held(&card);
	cr_assert_eq(pthread_create(&thread, NULL, free_it, offload), 0);
	while (!post_is_waiting(offload))
		sched_yield();
	fake_card_permit(&card, 1);
	pthread_join(thread, NULL);
	offload = NULL;
	cr_expect_eq(card.n_add_calls, 1);
	cr_expect_eq(fake_card_n_rules(&card), 62, "and what is there stays");
	cr_expect_eq(card.n_flushes, 0);
	cr_expect_eq(card.n_closes, 1);
}

Test(offload, flush_on_exit)
{
	struct offload_options options = fake_card_options(&card);
	struct offload_source sources[] = { fake_source(1, 100), fake_source(2, 90) };

	options.flush_on_exit = true;
	fake_card_put(&card, 3, 0, true);
	start(&options);
	window(sources, 2);
	cr_assert_eq(fake_card_n_rules(&card), 3);
	offload_free(offload);
	offload = NULL;
	cr_expect_eq(fake_card_n_rules(&card), 1);
	cr_expect(fake_card_has(&card, 3));
	cr_expect_eq(card.n_flushes, 1);
	cr_expect_eq(card.n_closes, 1);
	cr_expect_eq(fake_card_event_count(&card, EVENT_KIND_OFFLOAD_WITHDRAWN), 2);
}

Test(offload, unsound_options_are_refused)
{
	struct offload_options good = fake_card_options(&card), bad;
	struct sluice_backend_ops ops = fake_card_ops;
	struct sluice_err err;

#define EXPECT_REFUSED(statement)                                                     \
	do {                                                                          \
		bad = good;                                                           \
		ops = fake_card_ops;                                                  \
		bad.ops = &ops;                                                       \
		err.text[0] = '\0';                                                   \
		statement;                                                            \
		cr_expect_eq(offload_new(&bad, &offload, &err), -EINVAL, #statement); \
		cr_expect_neq(err.text[0], '\0', #statement);                         \
	} while (0)

	EXPECT_REFUSED(bad.ops = NULL);
	EXPECT_REFUSED(ops.size = 8);
	EXPECT_REFUSED(ops.add = NULL);
	EXPECT_REFUSED(ops.del = NULL);
	EXPECT_REFUSED(ops.list = NULL);
	EXPECT_REFUSED(ops.flush = NULL);
	EXPECT_REFUSED(ops.close = NULL);
	EXPECT_REFUSED(ops.read = NULL);
	EXPECT_REFUSED(bad.threshold_min = 0.5);
	EXPECT_REFUSED(bad.threshold_max = 1.1);
	EXPECT_REFUSED(bad.threshold_min = NAN);
	EXPECT_REFUSED(bad.window_ns = 0);
	EXPECT_REFUSED(bad.clock = NULL);
	cr_expect_eq(card.n_closes, 0, "a refused back end stays the caller's");
	offload_free(NULL);
}
