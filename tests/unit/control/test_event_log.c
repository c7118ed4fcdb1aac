/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of events: order, cursors, overwriting, threads, and the JSON form. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "control/event_log.h"

static struct event_log *new_log(uint32_t capacity)
{
	struct event_log *log = NULL;

	cr_assert_eq(event_log_new(capacity, &log), 0);
	return log;
}

static void add(struct event_log *log, const char *text)
{
	struct event_sink sink = event_log_sink(log);
	struct event event = { .kind = EVENT_KIND_BLOCKED, .level = SLUICE_LOG_INFO, .count = 1 };

	snprintf(event.text, sizeof(event.text), "%s", text);
	sink.emit(sink.ctx, &event);
}

static bool readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 1;
}

Test(event_log, refuses_no_capacity)
{
	struct event_log *log = NULL;

	cr_assert_eq(event_log_new(0, &log), -EINVAL);
	cr_assert_null(log);
}

Test(event_log, numbers_events_from_one)
{
	struct event_log *log = new_log(4);
	struct event events[4];
	uint64_t cursor = 0, missed;

	cr_assert_eq(event_log_last(log), 0);
	add(log, "a");
	add(log, "b");
	cr_assert_eq(event_log_read(log, &cursor, events, 4, &missed), 2);
	cr_assert_eq(missed, 0);
	cr_assert_eq(cursor, 2);
	cr_assert_eq(events[0].sequence, 1);
	cr_assert_eq(events[1].sequence, 2);
	cr_assert_str_eq(events[0].text, "a");
	cr_assert_str_eq(events[1].text, "b");
	cr_assert_eq(event_log_read(log, &cursor, events, 4, &missed), 0);
	event_log_free(log);
}

Test(event_log, tells_a_slow_reader_what_it_missed)
{
	struct event_log *log = new_log(3);
	struct event events[8];
	struct event_log_stats stats;
	uint64_t cursor = 1, missed;
	char text[16];

	for (int i = 1; i <= 10; i++) {
		snprintf(text, sizeof(text), "%d", i);
		add(log, text);
	}
	cr_assert_eq(event_log_read(log, &cursor, events, 8, &missed), 3);
	cr_assert_eq(missed, 6, "events 2 to 7 are gone, said %lu", (unsigned long)missed);
	cr_assert_str_eq(events[0].text, "8");
	cr_assert_str_eq(events[2].text, "10");
	event_log_stats(log, &stats);
	cr_assert_eq(stats.total, 10);
	cr_assert_eq(stats.overwritten, 7);
	cr_assert_eq(stats.by_kind[EVENT_KIND_BLOCKED], 10);
	event_log_free(log);
}

Test(event_log, reads_in_pieces)
{
	struct event_log *log = new_log(8);
	struct event event;
	uint64_t cursor = 0, missed;

	add(log, "a");
	add(log, "b");
	cr_assert_eq(event_log_read(log, &cursor, &event, 1, &missed), 1);
	cr_assert_str_eq(event.text, "a");
	cr_assert_eq(event_log_read(log, &cursor, &event, 1, &missed), 1);
	cr_assert_str_eq(event.text, "b");
	cr_assert_eq(event_log_read(log, &cursor, &event, 0, &missed), 0);
	event_log_free(log);
}

Test(event_log, survives_a_cursor_of_an_earlier_daemon)
{
	struct event_log *log = new_log(4);
	struct event events[4];
	uint64_t cursor = 1000000, missed;

	add(log, "a");
	cr_assert_eq(event_log_read(log, &cursor, events, 4, &missed), 0);
	cr_assert_eq(missed, 0);
	event_log_free(log);
}

Test(event_log, descriptor_is_readable_until_quieted)
{
	struct event_log *log = new_log(4);

	cr_assert_not(readable(event_log_fd(log)));
	add(log, "a");
	cr_assert(readable(event_log_fd(log)));
	event_log_quiet(log);
	cr_assert_not(readable(event_log_fd(log)));
	event_log_quiet(log);
	add(log, "b");
	cr_assert(readable(event_log_fd(log)));
	event_log_free(log);
}

Test(event_log, counts_what_one_event_stands_for)
{
	struct event_log *log = new_log(4);
	struct event_sink sink = event_log_sink(log);
	struct event event = { .kind = EVENT_KIND_RELEASED, .count = 250 };
	struct event_log_stats stats;

	sink.emit(sink.ctx, &event);
	event.kind = (enum event_kind)EVENT_N_KINDS;
	sink.emit(sink.ctx, &event);
	event_log_stats(log, &stats);
	cr_assert_eq(stats.total, 1, "an unknown kind is not kept");
	cr_assert_eq(stats.by_kind[EVENT_KIND_RELEASED], 250);
	event_log_free(log);
}

static void *write_many(void *ctx)
{
	for (int i = 0; i < 2000; i++)
		add(ctx, "x");
	return NULL;
}

Test(event_log, takes_events_from_several_threads)
{
	struct event_log *log = new_log(16384);
	struct event events[64];
	pthread_t threads[4];
	uint64_t cursor = 0, missed, expected = 1;
	size_t n;

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, write_many, log), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	while ((n = event_log_read(log, &cursor, events, 64, &missed)) > 0) {
		cr_assert_eq(missed, 0);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(events[i].sequence, expected++);
	}
	cr_assert_eq(expected, 8001);
	event_log_free(log);
}

Test(event_log, json_has_all_members)
{
	struct event event = {
		.sequence = 7,
		.realtime_ns = 1700000000123456789ull,
		.kind = EVENT_KIND_ATTACK_STARTED,
		.level = SLUICE_LOG_WARNING,
		.key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32, .addr = { 192, 0, 2, 7 } },
		.count = 3,
		.origin = "entropy",
		.text = "an attack",
	};
	json_t *json = event_json(&event);

	cr_assert_not_null(json);
	cr_assert_eq(json_integer_value(json_object_get(json, "sequence")), 7);
	cr_assert_str_eq(json_string_value(json_object_get(json, "time")),
			 "2023-11-14T22:13:20.123Z");
	cr_assert_str_eq(json_string_value(json_object_get(json, "kind")), "attack_started");
	cr_assert_str_eq(json_string_value(json_object_get(json, "level")), "warning");
	cr_assert_str_eq(json_string_value(json_object_get(json, "source")), "192.0.2.7");
	cr_assert_eq(json_integer_value(json_object_get(json, "count")), 3);
	cr_assert_str_eq(json_string_value(json_object_get(json, "origin")), "entropy");
	cr_assert_str_eq(json_string_value(json_object_get(json, "text")), "an attack");
	json_decref(json);
}

Test(event_log, json_leaves_out_what_is_not_there)
{
	struct event event = { .kind = EVENT_KIND_STARTED, .level = SLUICE_LOG_INFO, .count = 1 };
	json_t *json = event_json(&event);

	cr_assert_not_null(json);
	cr_assert_null(json_object_get(json, "source"));
	cr_assert_null(json_object_get(json, "origin"));
	json_decref(json);
}

Test(event_log, bytes_of_plugins_become_printable)
{
	struct event_log *log = new_log(4);
	struct event event;
	uint64_t cursor = 0, missed;
	json_t *json;

	add(log, "evil\x1b[2J \xff\xfe\n");
	cr_assert_eq(event_log_read(log, &cursor, &event, 1, &missed), 1);
	cr_assert_str_eq(event.text, "evil?[2J ???");
	json = event_json(&event);
	cr_assert_not_null(json);
	json_decref(json);
	event_log_free(log);
}
