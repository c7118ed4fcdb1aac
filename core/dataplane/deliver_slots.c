/* SPDX-License-Identifier: BSD-2-Clause */
/* See deliver_slots.h. */
#include "deliver_slots.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NO_SLOT DELIVER_MAX_SLOTS

static bool has_name(const struct deliver_slots *slots, uint8_t slot, const char *name)
{
	return strncmp(slots->name[slot], name, sizeof(slots->name[slot])) == 0;
}

static uint8_t find_name(const struct deliver_slots *slots, const char *name)
{
	uint8_t slot = 0;

	while (slot < DELIVER_MAX_SLOTS && !has_name(slots, slot, name))
		slot++;
	return slot;
}

/* Of one that was renamed. */
static uint8_t find_number(const struct deliver_slots *slots, unsigned int ifindex,
			   const bool taken[])
{
	uint8_t slot = 0;

	while (slot < DELIVER_MAX_SLOTS && (taken[slot] || slots->ifindex[slot] != ifindex))
		slot++;
	return slot;
}

static uint8_t find_free(const bool taken[])
{
	uint8_t slot = 0;

	while (taken[slot])
		slot++;
	return slot;
}

static void take(uint8_t *mine, uint8_t slot, bool taken[])
{
	*mine = slot;
	if (slot < DELIVER_MAX_SLOTS)
		taken[slot] = true;
}

void deliver_slots_assign(const struct deliver_slots *slots, const struct deliver_owner *owners,
			  size_t n, uint8_t slot[])
{
	bool taken[DELIVER_MAX_SLOTS] = { false };

	for (size_t i = 0; i < n; i++)
		take(&slot[i], find_name(slots, owners[i].name), taken);
	for (size_t i = 0; i < n; i++)
		if (slot[i] == NO_SLOT)
			take(&slot[i], find_number(slots, owners[i].ifindex, taken), taken);
	for (size_t i = 0; i < n; i++)
		if (slot[i] == NO_SLOT)
			take(&slot[i], find_free(taken), taken);
}

static void write_number(struct deliver_slots *slots, uint8_t slot, unsigned int ifindex)
{
	__atomic_store_n(&slots->ifindex[slot], ifindex, __ATOMIC_RELAXED);
}

void deliver_slots_follow(struct deliver_slots *slots, uint8_t slot, unsigned int ifindex)
{
	/* The kernel may give the number of one that was deleted to another. */
	for (uint8_t i = 0; i < DELIVER_MAX_SLOTS; i++)
		if (i != slot && slots->ifindex[i] == ifindex)
			write_number(slots, i, 0);
	write_number(slots, slot, ifindex);
}

static void write_name(struct deliver_slots *slots, uint8_t slot, const char *name)
{
	memset(slots->name[slot], 0, sizeof(slots->name[slot]));
	snprintf(slots->name[slot], sizeof(slots->name[slot]), "%s", name);
}

void deliver_slots_settle(struct deliver_slots *slots, const struct deliver_owner *owners, size_t n,
			  const uint8_t slot[], void (*vacate)(void *ctx, uint8_t slot), void *ctx)
{
	bool kept[DELIVER_MAX_SLOTS] = { false };

	for (size_t i = 0; i < n; i++)
		kept[slot[i]] = has_name(slots, slot[i], owners[i].name) ||
				slots->ifindex[slot[i]] == owners[i].ifindex;
	/* Nobody is looked up in a slot that is not yet, or no longer, his. */
	for (uint8_t i = 0; i < DELIVER_MAX_SLOTS; i++)
		if (!kept[i])
			write_number(slots, i, 0);
	for (size_t i = 0; i < n; i++) {
		if (!kept[slot[i]])
			vacate(ctx, slot[i]);
		write_name(slots, slot[i], owners[i].name);
		deliver_slots_follow(slots, slot[i], owners[i].ifindex);
	}
}
