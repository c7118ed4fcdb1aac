/* SPDX-License-Identifier: BSD-2-Clause */
/* Many happenings of one window as few events. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "engine/report.h"

enum { MAX_EVENTS = 256 };

struct log {
	struct event events[MAX_EVENTS];
	size_t n;
};

static void note(void *ctx, const struct event *event)
{
	struct log *log = ctx;

	cr_assert_lt(log->n, (size_t)MAX_EVENTS);
	log->events[log->n++] = *event;
}

static struct report report;
static struct log events;
static struct event_sink sink = { note, &events };

static void setup(void)
{
	report_init(&report);
	events.n = 0;
}

static void add(enum event_kind kind, uint32_t n, const char *origin, const char *why)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t addr[4] = { 192, 0, 2, (uint8_t)i };
		struct sluice_key key = address_from_ipv4(addr, 32);

		report_add(&report, kind, SLUICE_LOG_NOTICE, &key, origin, why, "so many");
	}
}

Test(report, a_few_are_told_singly, .init = setup)
{
	add(EVENT_KIND_BLOCKED, REPORT_SINGLES, "limit", "rate");
	report_flush(&report, &sink, 1);
	cr_assert_eq(events.n, (size_t)REPORT_SINGLES);
	cr_expect_str_eq(events.events[1].text, "192.0.2.1 blocked: rate (so many)");
	cr_expect_eq(events.events[1].count, 1);
	cr_expect_str_eq(events.events[1].origin, "limit");
}

Test(report, ten_thousand_are_one_event, .init = setup)
{
	add(EVENT_KIND_BLOCKED, 10000, "limit", "rate");
	report_flush(&report, &sink, 1);
	cr_assert_eq(events.n, 1);
	cr_expect_eq(events.events[0].count, 10000);
	cr_expect_str_eq(events.events[0].text,
			 "10000 sources blocked: rate; for example 192.0.2.0 (so many)");
	report_flush(&report, &sink, 2);
	cr_expect_eq(events.n, 1, "told twice");
}

Test(report, origins_and_reasons_stay_apart, .init = setup)
{
	add(EVENT_KIND_BLOCKED, 10, "limit", "rate");
	add(EVENT_KIND_BLOCKED, 10, "limit", "share");
	add(EVENT_KIND_BLOCKED, 10, "entropy", "rate");
	add(EVENT_KIND_RELEASED, 10, "limit", "rate");
	report_flush(&report, &sink, 1);
	cr_expect_eq(events.n, 4);
}

Test(report, endless_reasons_are_bounded_and_counted, .init = setup)
{
	uint64_t total = 0;
	char why[32];

	for (unsigned int i = 0; i < 500; i++) {
		snprintf(why, sizeof(why), "reason_%u", i);
		add(EVENT_KIND_BLOCKED, 1, "limit", why);
	}
	report_flush(&report, &sink, 1);
	for (size_t i = 0; i < events.n; i++)
		total += events.events[i].count;
	cr_expect_leq(events.n, (size_t)REPORT_GROUPS);
	cr_expect_eq(total, 500);
}

Test(report, refusals_are_told_at_intervals, .init = setup)
{
	add(EVENT_KIND_BLOCK_REFUSED, 7, "limit", "full");
	report_flush(&report, &sink, 1);
	cr_assert_eq(events.n, 1);
	cr_expect_eq(events.events[0].count, 7);
	for (unsigned int i = 0; i < 29; i++) {
		add(EVENT_KIND_BLOCK_REFUSED, 7, "limit", "full");
		report_flush(&report, &sink, 1 + i * 1000000000ull);
	}
	cr_assert_eq(events.n, 1);
	report_flush(&report, &sink, 1 + REPORT_REPEAT_NS);
	cr_assert_eq(events.n, 2);
	cr_expect_eq(events.events[1].count, 29 * 7);
}

Test(report, overlong_words_are_cut, .init = setup)
{
	char text[600];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	report_add(&report, EVENT_KIND_SWAP_POSTPONED, SLUICE_LOG_WARNING, NULL, text, text, text);
	report_flush(&report, &sink, 1);
	cr_assert_eq(events.n, 1);
	cr_expect_lt(strlen(events.events[0].text), sizeof(events.events[0].text));
	cr_expect_eq(events.events[0].key.family, 0);
}
