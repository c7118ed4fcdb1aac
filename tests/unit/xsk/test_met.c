/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom a stack met: each once in a while, in batches, and nobody who cannot be met. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "xsk/handover.h"
#include "xsk/met.h"

static uint64_t now_ns;

static uint64_t tests_ns(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static const struct clock_source clock_tests = { .monotonic_ns = tests_ns };
static struct met *met;

static void open_met(void)
{
	now_ns = 1;
	met = met_new(&clock_tests);
	cr_assert_not_null(met);
}

static void close_met(void)
{
	met_free(met);
}

TestSuite(met, .init = open_met, .fini = close_met);

static struct sluice_key key(const char *text)
{
	struct sluice_key parsed;

	cr_assert_eq(address_parse_prefix(text, 0, &parsed, NULL), 0, "%s", text);
	return parsed;
}

static int add(const char *text)
{
	const struct sluice_key host = key(text);

	return met_add(met, &host, SLUICE_IO_MET_CONNECTED);
}

static size_t waiting(void)
{
	const struct handover_host *hosts;

	return met_batch(met, &hosts);
}

Test(met, each_once_in_a_while)
{
	const struct sluice_key host = key("192.0.2.1");

	cr_expect_eq(add("192.0.2.1"), 0);
	cr_expect_eq(add("192.0.2.1"), 0);
	cr_expect_eq(waiting(), 1, "the same again is no news");
	met_told(met, waiting());
	now_ns += MET_AGAIN_NS - 1;
	cr_expect_eq(add("192.0.2.1"), 0);
	cr_expect_eq(waiting(), 0, "nor is it a little later");
	now_ns++;
	cr_expect_eq(add("192.0.2.1"), 0);
	cr_expect_eq(waiting(), 1, "it is still there");
	cr_expect_eq(met_add(met, &host, SLUICE_IO_MET_SPOKEN_TO), 0);
	cr_expect_eq(waiting(), 2, "met another way");
	met_told(met, waiting());
	met_forget(met);
	cr_expect_eq(add("192.0.2.1"), 0);
	cr_expect_eq(waiting(), 1, "a new daemon has not heard of it");
}

Test(met, who_finds_no_room_is_told_of_later)
{
	struct sluice_key host = key("192.0.2.0");
	const struct handover_host *hosts;

	for (unsigned int i = 0; i <= MET_BATCH; i++) {
		host.addr[3] = (uint8_t)i;
		cr_assert_eq(met_add(met, &host, SLUICE_IO_MET_CONNECTED), 0);
	}
	cr_assert_eq(met_batch(met, &hosts), MET_BATCH);
	for (unsigned int i = 0; i < MET_BATCH; i++)
		cr_expect_eq(hosts[i].addr[3], i);
	met_told(met, MET_BATCH - 1);
	cr_assert_eq(met_add(met, &host, SLUICE_IO_MET_CONNECTED), 0);
	cr_assert_eq(met_batch(met, &hosts), 2);
	cr_expect_eq(hosts[0].addr[3], MET_BATCH - 1, "who was not told of yet is still there");
	cr_expect_eq(hosts[1].addr[3], MET_BATCH);
}

Test(met, nobody_is_met_where_nobody_is)
{
	static const char *const nobody[] = { "0.0.0.0",	 "127.0.0.1",	 "224.0.0.1",
					      "255.255.255.255", "::",		 "::1",
					      "ff02::1",	 "192.0.2.0/24", "2001:db8::/64" };
	struct sluice_key host = key("192.0.2.1");

	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		cr_expect_eq(add(nobody[i]), -EINVAL, "%s", nobody[i]);
	cr_expect_eq(met_add(met, &host, (enum sluice_io_met)0), -EINVAL);
	cr_expect_eq(met_add(met, &host, (enum sluice_io_met)3), -EINVAL);
	host.family = 5;
	cr_expect_eq(met_add(met, &host, SLUICE_IO_MET_CONNECTED), -EINVAL);
	cr_expect_eq(waiting(), 0);
	cr_expect_eq(add("2001:db8::1"), 0);
	cr_expect_eq(waiting(), 1);
}

/* What comes over the wire is looked at in the same way. */
Test(met, hosts_on_the_wire)
{
	const struct sluice_key v6 = key("2001:db8::1"), v4 = key("192.0.2.1");
	struct handover_host host;
	struct sluice_key read;

	cr_assert_eq(handover_host_make(&v6, SLUICE_IO_MET_SPOKEN_TO, &host), 0);
	cr_assert_eq(handover_host_read(&host, &read), 0);
	cr_expect(address_equal(&read, &v6));
	cr_assert_eq(handover_host_make(&v4, SLUICE_IO_MET_CONNECTED, &host), 0);
	cr_assert_eq(handover_host_read(&host, &read), 0);
	cr_expect(address_equal(&read, &v4));
	host.addr[4] = 1;
	cr_expect_eq(handover_host_read(&host, &read), -EINVAL, "bits beyond the address");
	host.addr[4] = 0;
	host.addr[0] = 230;
	cr_expect_eq(handover_host_read(&host, &read), -EINVAL, "multicast");
	host.addr[0] = 192;
	host.reserved[1] = 1;
	cr_expect_eq(handover_host_read(&host, &read), -EINVAL, "what is reserved");
	memset(&host, 0, sizeof(host));
	cr_expect_eq(handover_host_read(&host, &read), -EINVAL, "nothing");
}
