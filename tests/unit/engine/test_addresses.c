/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of the system in the allow-list: they protect, and follow the system. */
#include <criterion/criterion.h>
#include <errno.h>

#include "rig.h"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig_own(rig, SYSTEM_ADDRESS_OWN, "192.0.2.1");
	rig_own(rig, SYSTEM_ADDRESS_OWN, "2001:db8::1");
	rig_own(rig, SYSTEM_ADDRESS_GATEWAY, "192.0.2.254");
	rig_own(rig, SYSTEM_ADDRESS_RESOLVER, "198.51.100.53");
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(addresses, .init = setup, .fini = teardown);

static void allow_kind(enum settings_allow_kind kind)
{
	rig->allow[rig->settings.n_allow++] = (struct settings_allow){ .kind = kind };
}

static void wish_all(void)
{
	for (size_t i = 0; i < rig->n_addresses; i++)
		rig_wish_of(rig, 0, &rig->addresses[i].key, 1000);
	rig_window(rig);
}

Test(addresses, our_own_are_never_blocked)
{
	rig_start(rig);
	cr_expect_eq(rig->dp.n_own, 2);
	cr_expect_eq(rig->dp.n_allow, 0);
	wish_all();
	cr_expect_not(rig_is_blocked(rig, "192.0.2.1"));
	cr_expect_not(rig_is_blocked(rig, "2001:db8::1"), "nor the unit around it");
	cr_expect(rig_is_blocked(rig, "192.0.2.254"), "nobody allows the gateway");
	cr_expect_eq(rig_status(rig).protected_allow, 2);
}

Test(addresses, gateways_and_resolvers_by_name)
{
	allow_kind(SETTINGS_ALLOW_GATEWAY);
	allow_kind(SETTINGS_ALLOW_RESOLVER);
	allow_kind(SETTINGS_ALLOW_OWN);
	rig_start(rig);
	wish_all();
	cr_expect_eq(rig->dp.n_blocks, 0);
	cr_expect_eq(rig->dp.n_allow, 4);
}

Test(addresses, a_new_one_is_released_within_half_a_minute)
{
	rig_start(rig);
	rig_window(rig);
	rig_block(rig, "192.0.2.99", 1000);
	rig_own(rig, SYSTEM_ADDRESS_OWN, "192.0.2.99");
	for (unsigned int i = 0; i < 31; i++) {
		rig_send(rig, "192.0.2.99", 1000);
		rig_window(rig);
	}
	cr_expect_not(rig_is_blocked(rig, "192.0.2.99"));
	cr_expect_eq(rig->dp.n_own, 3);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ALLOWED), 1);
}

Test(addresses, a_system_that_does_not_answer_keeps_its_last_word)
{
	rig_start(rig);
	rig->addresses_code = -EIO;
	rig_windows(rig, 40);
	cr_expect_eq(rig->dp.n_own, 2);
	wish_all();
	cr_expect_not(rig_is_blocked(rig, "192.0.2.1"));
}

Test(addresses, a_data_plane_that_does_not_take_it_is_tried_again)
{
	rig_start(rig);
	rig_window(rig);
	rig_own(rig, SYSTEM_ADDRESS_OWN, "192.0.2.99");
	rig->dp.own_code = -EIO;
	rig_windows(rig, 31);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ALLOWED), 1);
	rig->dp.own_code = 0;
	rig_windows(rig, 30);
	cr_expect_eq(rig->dp.n_own, 3);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ALLOWED), 2);
}
