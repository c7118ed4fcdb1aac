/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests by hand: block, unblock, allow; and what they answer. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "rig.h"

static struct rig *rig;
static struct sluice_err err;

static void setup(void)
{
	rig = rig_new();
	rig_own(rig, SYSTEM_ADDRESS_OWN, "192.0.2.100");
	rig_allow_prefix(rig, "203.0.113.0/24");
	rig_start(rig);
	err.text[0] = '\0';
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(operator, .init = setup, .fini = teardown);

static int block(const char *text, uint64_t ttl_ns)
{
	struct sluice_key key = key_of(text);

	return engine_block(rig->engine, &key, ttl_ns, &err);
}

static int unblock(const char *text)
{
	struct sluice_key key = key_of(text);

	return engine_unblock(rig->engine, &key, &err);
}

static int allow(const char *text)
{
	struct sluice_key key = key_of(text);

	return engine_allow(rig->engine, &key, &err);
}

Test(operator, none_to_pinned)
{
	cr_assert_eq(block("192.0.2.1", 0), 0);
	cr_expect_eq(rig_state(rig, "192.0.2.1"), ENGINE_STATE_PINNED);
	cr_expect_eq(rig_explain(rig, "192.0.2.1").ttl_left_ns, 0);
	cr_expect_str_eq(rig_explain(rig, "192.0.2.1").detector, "operator");
	cr_expect_eq(rig->dp.slots[0].record.flags, DATAPLANE_BLOCK_MANUAL);
	rig_windows(rig, 100);
	cr_expect(rig_is_blocked(rig, "192.0.2.1"), "quiet does not end it");
	cr_expect_eq(rig_status(rig).blocked_manual, 1);
}

/* A source like any other, for all that it cannot be a sender. */
Test(operator, the_address_zero_can_be_blocked)
{
	cr_assert_eq(block("0.0.0.0", 0), 0, "%s", err.text);
	cr_expect_eq(rig_state(rig, "0.0.0.0"), ENGINE_STATE_PINNED);
	cr_expect_eq(rig_status(rig).blocked_manual, 1);
	cr_expect_eq(rig_status(rig).blocked_prefixes, 0);
	cr_assert_eq(unblock("0.0.0.0"), 0, "%s", err.text);
	cr_expect_not(rig_is_blocked(rig, "0.0.0.0"));
}

Test(operator, blocked_to_pinned)
{
	rig_block(rig, "192.0.2.1", 500);
	cr_assert_eq(block("192.0.2.1", 0), 0);
	cr_expect_eq(rig_state(rig, "192.0.2.1"), ENGINE_STATE_PINNED);
	cr_expect_eq(rig->dp.slots[0].record.flags, DATAPLANE_BLOCK_MANUAL);
	cr_expect_eq(rig->dp.slots[0].record.expires_ns, 0);
	cr_expect_eq(rig_status(rig).blocked, 1);
	cr_expect_eq(rig_status(rig).blocked_manual, 1);
	rig_windows(rig, 20);
	cr_expect(rig_is_blocked(rig, "192.0.2.1"));
}

Test(operator, released_to_pinned)
{
	rig_block(rig, "192.0.2.1", 500);
	rig_windows(rig, 5);
	cr_expect_eq(rig_state(rig, "192.0.2.1"), ENGINE_STATE_RELEASED);
	cr_assert_eq(block("192.0.2.1", 0), 0);
	cr_expect_eq(rig_state(rig, "192.0.2.1"), ENGINE_STATE_PINNED);
}

Test(operator, a_term_ends_a_manual_block_however_loud)
{
	cr_assert_eq(block("192.0.2.1", 3 * RIG_WINDOW_NS), 0);
	for (unsigned int i = 0; i < 3; i++) {
		cr_expect(rig_is_blocked(rig, "192.0.2.1"));
		rig_send(rig, "192.0.2.1", 5000);
		rig_window(rig);
	}
	cr_expect_not(rig_is_blocked(rig, "192.0.2.1"));
	cr_expect_eq(rig_status(rig).blocked_manual, 0);
}

Test(operator, blocking_again_gives_a_new_term)
{
	cr_assert_eq(block("192.0.2.1", 3 * RIG_WINDOW_NS), 0);
	cr_assert_eq(block("192.0.2.1", 50 * RIG_WINDOW_NS), 0);
	cr_expect_eq(rig_explain(rig, "192.0.2.1").ttl_left_ns, 50 * RIG_WINDOW_NS);
	cr_expect_eq(rig_status(rig).blocked_manual, 1);
}

Test(operator, unblock_frees)
{
	cr_assert_eq(block("192.0.2.1", 0), 0);
	cr_assert_eq(unblock("192.0.2.1"), 0);
	cr_expect_not(rig_is_blocked(rig, "192.0.2.1"));
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCKED), 1);
	cr_expect_eq(rig_events(rig, EVENT_KIND_RELEASED), 1);
	cr_expect_eq(unblock("192.0.2.1"), -ENOENT);
	cr_expect(strstr(err.text, "192.0.2.1 is not blocked"), "%s", err.text);
}

Test(operator, an_ipv6_address_is_freed_as_its_unit)
{
	rig_block(rig, "2001:db8::1", 500);
	cr_assert_eq(unblock("2001:db8::2"), 0);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 0);
}

Test(operator, prefixes)
{
	cr_assert_eq(block("198.51.100.0/24", 0), 0);
	cr_expect_eq(rig->dp.n_prefixes, 1);
	cr_expect_eq(unblock("198.51.100.1"), -ENOENT);
	cr_expect(strstr(err.text, "as part of 198.51.100.0/24"), "%s", err.text);
	cr_assert_eq(unblock("198.51.100.0/24"), 0);
	cr_expect_eq(rig->dp.n_prefixes, 0);
}

Test(operator, a_prefix_has_a_term_too)
{
	cr_assert_eq(block("198.51.100.0/24", 2 * RIG_WINDOW_NS), 0);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_prefixes, 1);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_prefixes, 0);
	cr_expect_eq(rig_events(rig, EVENT_KIND_RELEASED), 1);
}

Test(operator, part_of_a_unit_is_a_prefix)
{
	cr_assert_eq(block("2001:db8::1", 0), 0);
	cr_expect_eq(rig->dp.n_prefixes, 1);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 0);
	cr_assert_eq(block("2001:db8::/64", 0), 0);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 1);
}

Test(operator, a_failing_prefix_is_not_listed)
{
	rig->dp.prefix_set_code = -ENOSPC;
	cr_expect_eq(block("198.51.100.0/24", 0), -ENOSPC);
	cr_expect_eq(rig_status(rig).blocked_prefixes, 0);
	rig->dp.prefix_set_code = 0;
	cr_assert_eq(block("198.51.100.0/24", 0), 0);
	rig->dp.prefix_del_code = -EIO;
	cr_expect_eq(unblock("198.51.100.0/24"), -EIO);
	cr_expect_eq(rig_status(rig).blocked_prefixes, 1, "it still drops");
}

Test(operator, what_is_allowed_cannot_be_blocked)
{
	cr_expect_eq(block("203.0.113.7", 0), -EPERM);
	cr_expect(strstr(err.text, "203.0.113.0/24"), "%s", err.text);
	cr_expect_eq(block("203.0.113.128/25", 0), -EPERM);
	cr_expect_eq(block("192.0.2.100", 0), -EPERM);
	cr_expect(strstr(err.text, "address of this host"), "%s", err.text);
	cr_expect_eq(fake_dataplane_size(&rig->dp) + rig->dp.n_prefixes, 0);
}

Test(operator, everybody_cannot_be_blocked)
{
	cr_expect_eq(block("0.0.0.0/0", 0), -EINVAL);
	cr_expect_eq(block("::/0", 0), -EINVAL);
	cr_expect_eq(rig->dp.n_prefixes, 0);
}

Test(operator, nonsense_is_refused)
{
	struct sluice_key bad = { .family = 9 };

	cr_expect_eq(engine_block(rig->engine, &bad, 0, &err), -EINVAL);
	cr_expect_eq(engine_unblock(rig->engine, &bad, &err), -EINVAL);
	cr_expect_eq(engine_allow(rig->engine, &bad, &err), -EINVAL);
	cr_expect_eq(engine_block(rig->engine, &bad, 0, NULL), -EINVAL, "err may be NULL");
}

Test(operator, a_full_table_is_said)
{
	rig->settings.policy.max_blocked = 1;
	cr_assert_eq(block("192.0.2.1", 0), 0);
	cr_expect_eq(block("192.0.2.2", 0), -ENOSPC);
	cr_expect_str_eq(err.path, "policy.max_blocked");
	cr_expect_eq(rig_status(rig).blocked, 1);
}

Test(operator, allow_releases_what_it_covers)
{
	rig_block(rig, "192.0.2.1", 500);
	cr_assert_eq(block("192.0.2.2", 0), 0);
	cr_assert_eq(block("192.0.2.64/26", 0), 0);
	rig_block(rig, "198.51.100.1", 500);
	cr_assert_eq(allow("192.0.2.0/24"), 0);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 1);
	cr_expect_eq(rig->dp.n_prefixes, 0);
	cr_expect(rig_is_blocked(rig, "198.51.100.1"));
	cr_expect_eq(rig_events(rig, EVENT_KIND_ALLOWED), 1);
	cr_expect_eq(block("192.0.2.1", 0), -EPERM);
}

/* The filter looks the allow-list up for packets of a blocked prefix: both may stand. */
Test(operator, a_narrower_allowed_prefix_leaves_a_blocked_one)
{
	cr_assert_eq(block("198.51.100.0/24", 0), 0);
	cr_assert_eq(allow("198.51.100.9"), 0);
	cr_expect_eq(rig->dp.n_prefixes, 1);
	rig_send(rig, "198.51.100.9", 10);
	cr_expect_eq(rig->dp.counters.reason[DATAPLANE_REASON_PASS].packets, 10);
}

Test(operator, a_failing_allow_changes_nothing)
{
	rig->dp.allow_code = -EIO;
	cr_expect_eq(allow("198.51.100.0/24"), -EIO);
	rig->dp.allow_code = 0;
	cr_expect_not(rig_explain(rig, "198.51.100.1").allowed);
	cr_assert_eq(block("198.51.100.1", 0), 0);
	cr_assert_eq(allow("198.51.100.0/24"), 0);
	cr_expect_not(rig_is_blocked(rig, "198.51.100.1"));
}

Test(operator, the_same_prefix_is_added_once)
{
	for (unsigned int i = 0; i < 5000; i++)
		cr_assert_eq(allow("198.51.100.0/24"), 0, "%u: %s", i, err.text);
	cr_expect_eq(rig->dp.n_allow, 2);
}

/* "Until the next reload", though the same address came and went as one of the system's. */
Test(operator, an_allowed_address_stays_when_the_systems_goes)
{
	cr_assert_eq(allow("192.0.2.100"), 0);
	rig->n_addresses = 0;
	rig_advance(rig, 40 * RIG_WINDOW_NS);
	rig_window(rig);
	cr_expect_eq(block("192.0.2.100", 0), -EPERM);
}
