/* SPDX-License-Identifier: BSD-2-Clause */
/* Which interface has which slot: by cases, and by chance against what must hold whatever was pinned. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "dataplane/deliver_slots.h"
#include "support/random.h"

#define N_NAMES 24
#define N_ROUNDS 20000

static struct deliver_slots slots;
static bool vacated[DELIVER_MAX_SLOTS];

static void note_vacated(void *ctx, uint8_t slot)
{
	(void)ctx;
	cr_assert_lt(slot, DELIVER_MAX_SLOTS);
	cr_expect_eq(slots.ifindex[slot], 0, "nobody is looked up there meanwhile");
	vacated[slot] = true;
}

/* Assigns and settles. */
static void give(const struct deliver_owner *owners, size_t n, uint8_t slot[])
{
	memset(vacated, 0, sizeof(vacated));
	deliver_slots_assign(&slots, owners, n, slot);
	deliver_slots_settle(&slots, owners, n, slot, note_vacated, NULL);
}

static void forget(void)
{
	memset(&slots, 0, sizeof(slots));
}

TestSuite(deliver_slots, .init = forget);

Test(deliver_slots, the_first_is_first)
{
	const struct deliver_owner owners[] = { { "eth1", 3 }, { "eth0", 2 } };
	uint8_t slot[2];

	give(owners, 2, slot);
	cr_expect_eq(slot[0], 0);
	cr_expect_eq(slot[1], 1);
	cr_expect_eq(slots.ifindex[0], 3);
	cr_expect_eq(slots.ifindex[1], 2);
	cr_expect_str_eq(slots.name[0], "eth1");
}

Test(deliver_slots, names_keep_theirs_in_any_order)
{
	const struct deliver_owner before[] = { { "eth0", 2 }, { "eth1", 3 }, { "eth2", 4 } };
	const struct deliver_owner after[] = { { "eth2", 9 }, { "eth3", 5 }, { "eth1", 3 } };
	uint8_t slot[3];

	give(before, 3, slot);
	give(after, 3, slot);
	cr_expect_eq(slot[0], 2);
	cr_expect_eq(slot[1], 0, "of one that is not there any more");
	cr_expect_eq(slot[2], 1);
	cr_expect(vacated[0]);
	cr_expect_not(vacated[1] || vacated[2]);
	cr_expect_eq(slots.ifindex[2], 9, "it was made again");
}

Test(deliver_slots, one_that_left_finds_its_own)
{
	const struct deliver_owner both[] = { { "eth0", 2 }, { "eth1", 3 } };
	uint8_t slot[2];

	give(both, 2, slot);
	give(&both[1], 1, slot);
	cr_expect_eq(slot[0], 1);
	cr_expect_eq(slots.ifindex[0], 0);
	give(both, 2, slot);
	cr_expect_eq(slot[0], 0);
	cr_expect_not(vacated[0], "nobody else has had it");
}

Test(deliver_slots, a_new_name_for_an_old_interface)
{
	const struct deliver_owner before[] = { { "eth0", 2 }, { "eth1", 3 } };
	const struct deliver_owner after[] = { { "uplink", 3 }, { "eth0", 2 } };
	uint8_t slot[2];

	give(before, 2, slot);
	give(after, 2, slot);
	cr_expect_eq(slot[0], 1);
	cr_expect_eq(slot[1], 0);
	cr_expect_not(vacated[0] || vacated[1]);
	cr_expect_str_eq(slots.name[1], "uplink");
}

/* The kernel may give the number of an interface that is gone to another. */
Test(deliver_slots, a_number_is_one_interfaces)
{
	const struct deliver_owner owners[] = { { "eth0", 2 }, { "eth1", 3 } };
	uint8_t slot[2];

	give(owners, 2, slot);
	deliver_slots_follow(&slots, 1, 0);
	cr_expect_eq(slots.ifindex[1], 0);
	deliver_slots_follow(&slots, 1, 2);
	cr_expect_eq(slots.ifindex[0], 0);
	cr_expect_eq(slots.ifindex[1], 2);
}

Test(deliver_slots, a_name_fills_its_place)
{
	const struct deliver_owner owner = { "fifteen-letters", 2 };
	uint8_t slot;

	memset(slots.name, 'f', sizeof(slots.name));
	give(&owner, 1, &slot);
	cr_expect_eq(slot, 0);
	cr_expect_str_eq(slots.name[0], "fifteen-letters");
}

static void draw_pinned(struct random *random)
{
	for (int i = 0; i < DELIVER_MAX_SLOTS; i++) {
		slots.ifindex[i] = (uint32_t)random_below(random, N_NAMES + 2);
		memset(slots.name[i], 0, sizeof(slots.name[i]));
		if (random_below(random, 8) == 0)
			memset(slots.name[i], 0xff, sizeof(slots.name[i]));
		else if (random_below(random, 4))
			snprintf(slots.name[i], sizeof(slots.name[i]), "eth%u",
				 (unsigned int)random_below(random, N_NAMES));
	}
}

/* Different names and numbers, in any order. */
static size_t draw_owners(struct random *random, char names[][16], struct deliver_owner *owners)
{
	size_t n = random_below(random, DELIVER_MAX_SLOTS + 1);
	uint64_t name = random_below(random, N_NAMES), number = random_below(random, N_NAMES);

	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], 16, "eth%u", (unsigned int)((name + 7 * i) % N_NAMES));
		owners[i] = (struct deliver_owner){ names[i], 1 + (unsigned int)((number + 5 * i) %
										 N_NAMES) };
	}
	return n;
}

static void check_all(const struct deliver_owner *owners, size_t n, const uint8_t slot[])
{
	bool taken[DELIVER_MAX_SLOTS] = { false };

	for (size_t i = 0; i < n; i++) {
		cr_assert_lt(slot[i], DELIVER_MAX_SLOTS);
		cr_assert_not(taken[slot[i]], "two have one");
		taken[slot[i]] = true;
		cr_assert_eq(slots.ifindex[slot[i]], owners[i].ifindex);
		cr_assert_str_eq(slots.name[slot[i]], owners[i].name);
	}
	for (int i = 0; i < DELIVER_MAX_SLOTS; i++)
		cr_assert(taken[i] || !slots.ifindex[i], "a packet of nobody's");
}

Test(deliver_slots, whatever_was_pinned)
{
	static char names[DELIVER_MAX_SLOTS][16];
	struct deliver_owner owners[DELIVER_MAX_SLOTS];
	uint8_t slot[DELIVER_MAX_SLOTS], again[DELIVER_MAX_SLOTS];
	struct random random = { 20261127 };

	for (int round = 0; round < N_ROUNDS; round++) {
		size_t n = draw_owners(&random, names, owners);

		draw_pinned(&random);
		give(owners, n, slot);
		check_all(owners, n, slot);
		give(owners, n, again);
		cr_assert_eq(memcmp(slot, again, n), 0, "they stay");
		for (int i = 0; i < DELIVER_MAX_SLOTS; i++)
			cr_assert_not(vacated[i], "with their sockets");
	}
}
