/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known clients by a stack's word, beside those of the kernel's: the machine's own connections, few if any,
 * and hosts that a data plane says were spoken to first.  Time is the test's.
 */
#include <criterion/criterion.h>

#include <stdatomic.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "dataplane/dataplane.h"
#include "engine/engine.h"
#include "engine/known_clients.h"
#include "engine/told_clients.h"

#define MAX 4096u
#define SHARE (MAX / 2)
#define OWN 1500u
#define SECOND_NS 1000000000ull
#define KEEP_NS (600 * SECOND_NS)
#define START_NS (10 * KEEP_NS) /* Nothing is from before time began. */

static _Atomic uint64_t now_ns = START_NS;
static _Atomic uint64_t spoken_ns; /* 0: to nobody. */
static _Atomic uint32_t n_spoken = OWN;
static struct told_clients *told;
static struct known_clients *clients;
static struct engine_known known;

static uint64_t tests_ns(void *ctx)
{
	(void)ctx;
	return atomic_load(&now_ns);
}

static const struct clock_source clock_tests = { .monotonic_ns = tests_ns };

static struct sluice_key host(uint8_t net, uint32_t i)
{
	const uint8_t addr[4] = { net, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };

	return address_from_ipv4(addr, 32);
}

static int read_spoken(struct dataplane *dp, const struct dataplane_spoken_terms *terms,
		       dataplane_spoken_fn fn, void *ctx, struct sluice_err *err)
{
	uint64_t at_ns = atomic_load(&spoken_ns);

	(void)dp, (void)err;
	for (uint32_t i = 0; at_ns && i < atomic_load(&n_spoken); i++) {
		const struct dataplane_spoken spoken = { host(100, i), at_ns, at_ns };

		if (atomic_load(&now_ns) - at_ns <= terms->keep_ns)
			fn(ctx, &spoken);
	}
	return 0;
}

static const struct dataplane_ops ops = { .spoken_read = read_spoken };
static struct dataplane dataplane = { .ops = &ops };

static void open_clients(void)
{
	const struct known_clients_options options = {
		.clock = &clock_tests,
		.dataplane = &dataplane,
		.v6_prefix_len = 64,
		.wait_ns = 60 * SECOND_NS,
		.keep_ns = KEEP_NS,
		.max = MAX,
	};
	struct known_clients_options with_told = options;
	struct sluice_err err = { .text = "" };

	cr_assert_eq(told_clients_new(&told), 0);
	with_told.told = told;
	cr_assert_eq(known_clients_new(&with_told, &clients, &err), 0, "%s", err.text);
	known_clients_interface(clients, &known);
}

static void close_clients(void)
{
	known_clients_free(clients);
	told_clients_free(told);
}

TestSuite(told_clients, .init = open_clients, .fini = close_clients);

static void tell(struct sluice_key key, bool spoken_first)
{
	const struct told_client client = { key, spoken_first };

	cr_assert(told_clients_put(told, &client));
}

/* Of `n` hosts of a net from `first` on. */
static void tell_many(uint8_t net, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		tell(host(net, first + i), false);
}

static void look(void)
{
	known.start(known.ctx);
	cr_assert_eq(known.refresh(known.ctx), 0);
}

static size_t listed(uint8_t net)
{
	const struct sluice_key *keys;
	size_t n, found = 0;

	keys = known.list(known.ctx, &n);
	for (size_t i = 0; i < n; i++)
		found += keys[i].family == SLUICE_FAMILY_IPV4 && keys[i].addr[0] == net;
	return found;
}

static struct engine_known_count count(void)
{
	struct engine_known_count found;

	known.count(known.ctx, &found);
	return found;
}

Test(told_clients, who_is_told_of_is_known)
{
	const struct sluice_key v4 = host(198, 1);
	struct sluice_key v6, unit;

	cr_assert_eq(address_parse("2001:db8::1", &v6, NULL), 0);
	unit = address_mask(&v6, 64);
	tell(v4, false);
	tell(v6, true);
	look();
	cr_expect(known.contains(known.ctx, &v4));
	cr_expect(known.contains(known.ctx, &v6));
	cr_expect(known.contains(known.ctx, &unit));
	cr_expect_eq(listed(198), 1);
	cr_expect_eq(count().told_connected, 1);
	cr_expect_eq(count().told_spoken_first, 1);

	atomic_fetch_add(&now_ns, KNOWN_CLIENTS_RECENT_NS + 1);
	look();
	cr_expect_not(known.contains(known.ctx, &v4), "it is not connected any more");
	cr_expect_eq(listed(198), 1);
	tell(v4, false);
	look();
	cr_expect(known.contains(known.ctx, &v4), "told of again");
	atomic_fetch_add(&now_ns, KEEP_NS + 1);
	look();
	cr_expect_eq(listed(198), 0);
	cr_expect_eq(count().told_connected, 0);
	cr_expect_eq(count().told_spoken_first, 0);
}

/* A stack that names more than there are has half of the set, and in it those that it named last. */
Test(told_clients, a_liar_has_half_and_pushes_nobody_out)
{
	const struct sluice_key last = host(198, 65536);

	atomic_store(&spoken_ns, tests_ns(NULL));
	for (uint32_t round = 0; round < 12; round++) {
		atomic_fetch_add(&now_ns, SECOND_NS);
		tell_many(198, round * 4000, 4000);
		look();
		cr_assert_leq(listed(198), SHARE, "round %u", round);
		cr_assert_gt(listed(198), SHARE / 2, "round %u", round);
		cr_assert_eq(listed(100), OWN, "round %u", round);
	}
	atomic_fetch_add(&now_ns, SECOND_NS);
	tell(last, false);
	look();
	cr_expect(known.contains(known.ctx, &last));
	cr_expect_eq(count().spoken_first, OWN);
}

/* It may keep those known that are or were, but no longer as more than its own. */
Test(told_clients, what_was_the_kernels_becomes_the_stacks)
{
	atomic_store(&spoken_ns, tests_ns(NULL));
	look();
	cr_assert_eq(listed(100), OWN);
	tell_many(100, 0, OWN);
	tell_many(198, 0, SHARE);
	look();
	cr_expect_eq(listed(100), OWN);
	cr_expect_eq(listed(198), SHARE);
	atomic_fetch_add(&now_ns, KEEP_NS);
	tell_many(100, 0, OWN);
	tell_many(198, 0, SHARE);
	look();
	atomic_fetch_add(&now_ns, 1);
	look();
	cr_expect_eq(count().spoken_first, 0);
	cr_expect_leq(listed(100) + listed(198), SHARE);
	cr_expect_gt(listed(100) + listed(198), SHARE / 2);
}

/* However often one is seen, it is one; who is in the set again is not left out any more. */
Test(told_clients, who_finds_no_room_is_counted)
{
	static const uint32_t hosts[] = { MAX / 2, MAX, MAX + 1, MAX + 900 };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		atomic_store(&n_spoken, hosts[i]);
		for (int round = 0; round < 3; round++) {
			atomic_fetch_add(&now_ns, SECOND_NS);
			atomic_store(&spoken_ns, tests_ns(NULL));
			look();
			cr_assert_eq(count().total + count().left_out, hosts[i],
				     "%u hosts, round %d: %lu and %lu", hosts[i], round,
				     (unsigned long)count().total, (unsigned long)count().left_out);
			cr_assert_eq(count().left_out > 0, hosts[i] > MAX);
		}
	}
	atomic_store(&n_spoken, MAX / 2);
	look();
	cr_expect_eq(count().left_out, 0);
}

Test(told_clients, those_of_a_stack_beyond_its_half_are_counted)
{
	tell_many(198, 0, SHARE);
	look();
	cr_expect_eq(count().left_out, 0);
	atomic_fetch_add(&now_ns, SECOND_NS);
	tell_many(198, SHARE, 700);
	look();
	cr_expect_eq(count().total + count().left_out, SHARE + 700);
}
