/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as they reach a sink.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/event.h"

static void keep(void *ctx, const struct event *event)
{
	*(struct event *)ctx = *event;
}

Test(event, is_filled_in)
{
	struct event got = { 0 };
	const struct event_sink sink = { keep, &got };
	struct sluice_key key;

	cr_assert_eq(address_parse("192.0.2.1", &key, NULL), 0);
	event_emit(&sink, EVENT_KIND_BLOCKED, SLUICE_LOG_NOTICE, &key, 3, "threshold", "%d pps", 7);
	cr_assert_eq(got.kind, EVENT_KIND_BLOCKED);
	cr_assert_eq(got.level, SLUICE_LOG_NOTICE);
	cr_assert(address_equal(&got.key, &key));
	cr_assert_eq(got.count, 3);
	cr_assert_str_eq(got.origin, "threshold");
	cr_assert_str_eq(got.text, "7 pps");
	cr_assert_neq(got.realtime_ns, 0);
}

Test(event, bare)
{
	struct event got = { 0 };
	const struct event_sink sink = { keep, &got };
	char text[400];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	event_emit(&sink, EVENT_KIND_STARTED, SLUICE_LOG_INFO, NULL, 0, NULL, "%s", text);
	cr_assert_eq(got.count, 1, "an event stands for one at least");
	cr_assert_eq(got.key.family, 0);
	cr_assert_str_empty(got.origin);
	cr_assert_eq(strlen(got.text), sizeof(got.text) - 1);
	event_emit(NULL, EVENT_KIND_STARTED, SLUICE_LOG_INFO, NULL, 0, NULL, "x");
}

Test(event, names)
{
	cr_assert_str_eq(event_kind_name(EVENT_KIND_STARTED), "started");
	cr_assert_str_eq(event_kind_name(EVENT_KIND_CONFIG_REFUSED), "config_refused");
	for (int i = 0; i < EVENT_N_KINDS; i++)
		cr_assert_not_null(event_kind_name((enum event_kind)i));
	cr_assert_str_eq(event_kind_name(EVENT_N_KINDS), "unknown");
}

Test(clock, runs_forward)
{
	uint64_t before = clock_monotonic_ns(&clock_system);

	cr_assert_geq(clock_monotonic_ns(&clock_system), before);
	cr_assert_geq(clock_boottime_ns(&clock_system), before);
	cr_assert_gt(clock_realtime_ns(&clock_system), 1600000000ull * 1000000000ull);
}
