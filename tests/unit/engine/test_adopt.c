/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking over what an earlier daemon left pinned, damaged or not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define TEN_YEARS_NS (10ull * 365 * 24 * 3600 * 1000000000ull)

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(adopt, .init = setup, .fini = teardown);

static struct dataplane_block_record record_of(const char *source)
{
	struct dataplane_block_record record = {
		.key = key_of(source),
		.first_seen_ns = rig_boottime(rig) - 100 * RIG_WINDOW_NS,
		.expires_ns = rig_boottime(rig) + 100 * RIG_WINDOW_NS,
		.repeats = 2,
		.pps = 500,
	};

	snprintf(record.detector, sizeof(record.detector), "limit");
	snprintf(record.reason, sizeof(record.reason), "source_rate");
	return record;
}

static void pin(const char *source)
{
	struct dataplane_block_record record = record_of(source);

	fake_dataplane_pin(&rig->dp, &record);
}

Test(adopt, records_come_back_as_they_were)
{
	struct engine_explanation explanation;

	pin("192.0.2.1");
	pin("2001:db8::/64");
	rig_start(rig);
	cr_expect_eq(rig_status(rig).blocked, 2);
	explanation = rig_explain(rig, "192.0.2.1");
	cr_expect_eq(explanation.state, ENGINE_STATE_BLOCKED);
	cr_expect_str_eq(explanation.detector, "limit");
	cr_expect_str_eq(explanation.reason, "source_rate");
	cr_expect_eq(explanation.repeats, 2);
	cr_expect_eq(explanation.ttl_left_ns, 100 * RIG_WINDOW_NS);
	cr_expect_eq(explanation.first_seen_realtime_ns,
		     rig->now_ns + RIG_REALTIME_AHEAD_NS - 100 * RIG_WINDOW_NS);
	cr_expect_eq(rig_state(rig, "2001:db8::9"), ENGINE_STATE_BLOCKED);
	cr_expect_eq(rig->dp.n_unblocks + rig->dp.n_blocks, 0, "the data plane is not touched");
}

Test(adopt, one_event_says_it)
{
	pin("192.0.2.1");
	pin("192.0.2.2");
	rig->dp.prefixes[rig->dp.n_prefixes++] = key_of("198.51.100.0/24");
	rig_start(rig);
	cr_assert_eq(rig_events(rig, EVENT_KIND_ADOPTED), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_ADOPTED), "2 blocked sources and 1 prefix"),
		  "%s", rig_event_text(rig, EVENT_KIND_ADOPTED));
	cr_expect_null(strstr(rig_event_text(rig, EVENT_KIND_ADOPTED), "damaged"));
	cr_expect_eq(rig->n_events, 1);
}

Test(adopt, nothing_is_said_where_nothing_was)
{
	rig_start(rig);
	cr_expect_eq(rig->n_events, 0);
}

Test(adopt, manual_blocks_stay_pinned)
{
	struct dataplane_block_record record = record_of("192.0.2.1");

	record.flags = DATAPLANE_BLOCK_MANUAL;
	record.expires_ns = 0;
	fake_dataplane_pin(&rig->dp, &record);
	rig_start(rig);
	rig_windows(rig, 50);
	cr_expect_eq(rig_state(rig, "192.0.2.1"), ENGINE_STATE_PINNED);
	cr_expect_eq(rig_status(rig).blocked_manual, 1);
}

/* What the filter let through already, a new daemon does not drop again by itself. */
Test(adopt, automatic_blocks_that_lapsed_are_released)
{
	struct dataplane_block_record manual = record_of("192.0.2.9");

	pin("192.0.2.1");
	pin("2001:db8::/64");
	manual.flags = DATAPLANE_BLOCK_MANUAL;
	fake_dataplane_pin(&rig->dp, &manual);
	rig->dp.dp.lapsed = true;
	rig_start(rig);
	cr_expect_eq(rig_status(rig).blocked, 1);
	cr_expect_eq(rig->dp.n_unblocks, 2);
	cr_expect_eq(rig_state(rig, "192.0.2.1"), ENGINE_STATE_NONE);
	cr_expect_eq(rig_state(rig, "192.0.2.9"), ENGINE_STATE_PINNED);
	cr_expect_null(strstr(rig_event_text(rig, EVENT_KIND_ADOPTED), "could not be kept"));
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RELEASED), "2 automatic blocks"), "%s",
		  rig_event_text(rig, EVENT_KIND_RELEASED));
}

Test(adopt, evidence_fits_and_fits_the_block)
{
	struct dataplane_block_record record = record_of("192.0.2.1");

	record.pps = UINT64_MAX;
	fake_dataplane_pin(&rig->dp, &record);
	record.key = key_of("192.0.2.2");
	record.flags = DATAPLANE_BLOCK_MANUAL;
	fake_dataplane_pin(&rig->dp, &record);
	rig_start(rig);
	cr_expect(strstr(rig_explain(rig, "192.0.2.1").evidence, "an earlier run"), "%s",
		  rig_explain(rig, "192.0.2.1").evidence);
	cr_expect_str_eq(rig_explain(rig, "192.0.2.2").evidence, "blocked by hand");
}

/* What is damaged in `record`; none of it may survive, and each must be counted. */
struct damage {
	const char *what;
	void (*apply)(struct dataplane_block_record *record);
	bool kept;
};

static void bad_family(struct dataplane_block_record *record)
{
	record->key.family = 5;
}

static void no_family(struct dataplane_block_record *record)
{
	memset(&record->key, 0, sizeof(record->key));
}

static void long_prefix(struct dataplane_block_record *record)
{
	record->key.prefix_len = 33;
}

static void short_prefix(struct dataplane_block_record *record)
{
	record->key.prefix_len = 24;
	record->key.addr[3] = 0;
}

static void reserved_bytes(struct dataplane_block_record *record)
{
	record->key.reserved[3] = 1;
}

static void stray_bytes(struct dataplane_block_record *record)
{
	record->key.addr[9] = 1;
}

static void far_expiry(struct dataplane_block_record *record)
{
	record->expires_ns = UINT64_MAX;
}

static void no_expiry(struct dataplane_block_record *record)
{
	record->expires_ns = 0;
}

static void future_begin(struct dataplane_block_record *record)
{
	record->first_seen_ns = UINT64_MAX;
}

static void strange_flags(struct dataplane_block_record *record)
{
	record->flags = 0xfffffffe;
}

static void many_repeats(struct dataplane_block_record *record)
{
	record->repeats = UINT32_MAX;
}

static void unterminated(struct dataplane_block_record *record)
{
	memset(record->detector, 'd', sizeof(record->detector));
	memset(record->reason, 'r', sizeof(record->reason));
}

static void control_characters(struct dataplane_block_record *record)
{
	memcpy(record->reason, "\x1b[2J\n\xff", 7);
}

static const struct damage damages[] = {
	{ "bad family", bad_family, false },
	{ "no family", no_family, false },
	{ "prefix length of 33", long_prefix, false },
	{ "a prefix", short_prefix, false },
	{ "reserved bytes", reserved_bytes, false },
	{ "bytes behind an IPv4 address", stray_bytes, false },
	{ "expiry at the end of time", far_expiry, true },
	{ "automatic without expiry", no_expiry, true },
	{ "seen in the future", future_begin, true },
	{ "unknown flags", strange_flags, true },
	{ "absurd repeats", many_repeats, true },
	{ "unterminated strings", unterminated, true },
	{ "control characters", control_characters, true },
};

static void check_sane(const struct damage *damage)
{
	struct engine_explanation explanation = rig_explain(rig, "192.0.2.1");

	cr_expect_eq(explanation.state, ENGINE_STATE_BLOCKED, "%s", damage->what);
	cr_expect_gt(explanation.ttl_left_ns, 0, "%s", damage->what);
	cr_expect_leq(explanation.ttl_left_ns, TEN_YEARS_NS, "%s", damage->what);
	cr_expect_leq(explanation.first_seen_realtime_ns, rig->now_ns + RIG_REALTIME_AHEAD_NS);
	cr_expect_leq(explanation.repeats, 1000000, "%s", damage->what);
	for (const char *at = explanation.reason; *at; at++)
		cr_expect(*at >= ' ' && *at <= '~', "%s", damage->what);
	cr_expect_leq(strlen(explanation.detector), 15, "%s", damage->what);
}

Test(adopt, damaged_records_are_put_right_or_freed)
{
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct dataplane_block_record record;
		char expected[64];

		teardown();
		setup();
		record = record_of("192.0.2.1");
		damages[i].apply(&record);
		pin("192.0.2.200");
		fake_dataplane_pin(&rig->dp, &record);
		rig_start(rig);
		snprintf(expected, sizeof(expected), "%d records were damaged and put right, %d",
			 damages[i].kept, !damages[i].kept);
		cr_expect(strstr(rig_event_text(rig, EVENT_KIND_ADOPTED), expected), "%s: %s",
			  damages[i].what, rig_event_text(rig, EVENT_KIND_ADOPTED));
		cr_expect_eq(fake_dataplane_size(&rig->dp), damages[i].kept ? 2 : 1, "%s",
			     damages[i].what);
		cr_expect_eq(rig_status(rig).blocked, damages[i].kept ? 2 : 1);
		cr_expect_eq(rig_state(rig, "192.0.2.200"), ENGINE_STATE_BLOCKED);
		if (damages[i].kept)
			check_sane(&damages[i]);
		rig_windows(rig, 6);
		cr_expect_eq(fake_dataplane_size(&rig->dp), 0, "%s: not released", damages[i].what);
	}
}

Test(adopt, a_source_that_is_there_twice_is_kept_once)
{
	pin("192.0.2.1");
	pin("192.0.2.1");
	rig_start(rig);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 1);
	cr_expect_eq(rig_status(rig).blocked, 1);
	rig_windows(rig, 6);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 0);
}

Test(adopt, of_another_unit_it_is_freed)
{
	pin("2001:db8::/48");
	pin("2001:db8::1");
	rig_start(rig);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 0);
}

Test(adopt, prefixes_come_back)
{
	struct sluice_key key = key_of("198.51.100.0/24");

	rig->dp.dp.adopted = true;
	rig->dp.prefixes[rig->dp.n_prefixes++] = key;
	rig_start(rig);
	cr_expect_eq(rig_status(rig).blocked_prefixes, 1);
	cr_expect(rig_explain(rig, "198.51.100.9").prefix);
	cr_assert_eq(engine_unblock(rig->engine, &key, NULL), 0);
	cr_expect_eq(rig->dp.n_prefixes, 0);
}

Test(adopt, prefixes_keep_their_expiry)
{
	rig->dp.dp.adopted = true;
	rig->dp.prefixes[0] = key_of("198.51.100.0/24");
	rig->dp.prefix_expires_ns[0] = rig_boottime(rig) + 5000000000u;
	rig->dp.n_prefixes = 1;
	rig_start(rig);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_prefixes, 1);
	rig_advance(rig, 5000000000u);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_prefixes, 0);
	cr_expect_eq(rig_status(rig).blocked_prefixes, 0);
}

Test(adopt, damaged_prefixes_are_removed)
{
	struct sluice_key bad = key_of("198.51.100.0/24");

	bad.prefix_len = 77;
	rig->dp.dp.adopted = true;
	rig->dp.prefixes[rig->dp.n_prefixes++] = bad;
	rig->dp.prefixes[rig->dp.n_prefixes++] = key_of("0.0.0.0/0");
	rig->dp.prefixes[rig->dp.n_prefixes++] = key_of("203.0.113.0/24");
	rig->dp.prefixes[rig->dp.n_prefixes++] = key_of("::/0");
	rig_start(rig);
	cr_expect_eq(rig->dp.n_prefixes, 1, "nobody could ever have unblocked the others");
	cr_expect_eq(rig_status(rig).blocked_prefixes, 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_ADOPTED), "3 could not be kept"));
}

/* The settings may have changed while no daemon ran. */
Test(adopt, what_is_allowed_by_now_is_released_first)
{
	pin("192.0.2.1");
	pin("203.0.113.1");
	rig_allow_prefix(rig, "192.0.2.0/24");
	rig->dp.prefixes[rig->dp.n_prefixes++] = key_of("192.0.2.128/25");
	rig_start(rig);
	cr_expect_not(rig_is_blocked(rig, "192.0.2.1"));
	cr_expect(rig_is_blocked(rig, "203.0.113.1"));
	cr_expect_eq(rig->dp.n_prefixes, 0);
}

Test(adopt, what_was_counted_without_a_daemon_is_nobodys_rate)
{
	pin("192.0.2.1");
	rig_send(rig, "192.0.2.1", 1000000);
	rig_send(rig, "192.0.2.9", 1000000);
	rig_start(rig);
	rig_window(rig);
	cr_expect_eq(rig_explain(rig, "192.0.2.1").pps, 0);
	cr_expect_eq(rig->detectors[0].seen.offered_packets, 0);
	cr_expect_eq(rig->detectors[0].seen.n_sources, 0);
}

Test(adopt, a_flood_that_goes_on_is_an_attack)
{
	rig->dp.enforce = true;
	pin("192.0.2.1");
	rig_start(rig);
	for (unsigned int i = 0; i < 30; i++) {
		rig_send(rig, "192.0.2.1", 5000);
		rig_send(rig, "192.0.2.9", 10);
		rig_window(rig);
	}
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_STARTED), 1);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_ENDED), 0);
	cr_expect(rig_status(rig).attack);
}

Test(adopt, a_failing_start_leaves_every_block_in_place)
{
	struct engine_options options;
	struct sluice_err err = { 0 };

	pin("192.0.2.1");
	rig->addresses_code = -EIO;
	options = rig_options(rig);
	cr_expect_eq(engine_new(&options, &rig->engine, &err), -EIO);
	cr_expect_neq(err.text[0], '\0');
	cr_expect_eq(fake_dataplane_size(&rig->dp), 1);
}
