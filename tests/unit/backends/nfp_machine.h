/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel and a card of the tests' own, for the one file that includes this. */
#ifndef SLUICE_TESTS_NFP_MACHINE_H
#define SLUICE_TESTS_NFP_MACHINE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

/* Others of its folder have a card.h, too. */
#include "../../../plugins/backends/nfp/card.h"

#define ENTRIES 512u
#define MAP_FD 10
#define PROGRAM_FD 20
#define OUR_ID 7u

struct entry {
	bool used;
	struct nic_drop_key key;
	struct nic_drop_hits hits;
};

/* A machine with one interface, "eth0"; the program and the map stay when nobody holds them open. */
struct machine {
	/* What it is. */
	bool gone;	     /* The interface. */
	uint32_t size;	     /* Entries that the card has memory for. */
	int full;	     /* What an update says then; 0: -E2BIG. */
	uint32_t late_maps;  /* So many requests for maps come before. */
	uint32_t late_frees; /* So many map requests come before earlier memory is free. */
	int map_fault;	     /* Said to every request for a map. */
	int program_fault;   /* Said to every program that it loads, */
	int attach_fault;    /* or starts, */
	bool only_counting;  /* but then only to those that count. */
	bool takes_types;    /* As a card of the future may. */
	int entry_fault;     /* Said to every call about an entry. */
	int detach_fault;
	bool loops; /* The entry after each is the first. */
	/* What it holds. */
	int ifindex;
	uint32_t program_id; /* In the hook; 0: none. */
	struct kernel_program program;
	struct kernel_map map;
	struct entry entries[ENTRIES];
	/* What was asked of it. */
	uint32_t typed_maps, maps, pauses, programs;
	uint32_t reserved; /* Entries of maps since it was opened: the kernel frees none in time. */
	int open_fds;
};

static int ifindex_of(void *self, const char *ifname)
{
	struct machine *machine = self;

	return machine->gone || strcmp(ifname, "eth0") != 0 ? -ENODEV : machine->ifindex;
}

static int attached(void *self, int ifindex, uint32_t *id)
{
	struct machine *machine = self;

	*id = machine->program_id;
	return machine->gone || ifindex != machine->ifindex ? -ENODEV : 0;
}

static int open_program(void *self, uint32_t id, struct kernel_program *program)
{
	struct machine *machine = self;

	if (id != machine->program_id)
		return -ENOENT;
	*program = machine->program;
	machine->open_fds++;
	return PROGRAM_FD;
}

static int open_map(void *self, uint32_t id, struct kernel_map *map)
{
	struct machine *machine = self;

	if (id != machine->program.map_id)
		return -ENOENT;
	*map = machine->map;
	machine->open_fds++;
	return MAP_FD;
}

static int new_map(void *self, int ifindex, uint32_t max_entries, bool typed)
{
	struct machine *machine = self;

	machine->maps++;
	machine->typed_maps += typed;
	if (machine->gone || ifindex != machine->ifindex)
		return -ENODEV;
	if (machine->map_fault)
		return machine->map_fault;
	if (machine->pauses < machine->late_frees || machine->maps <= machine->late_maps ||
	    max_entries > machine->size - machine->reserved)
		return -ENOMEM;
	/* As the kernel: the card has said yes before the kernel looks at the types. */
	if (typed && !machine->takes_types)
		return -524; /* ENOTSUPP, the kernel's own. */
	machine->reserved += max_entries;
	memset(machine->entries, 0, sizeof(machine->entries));
	machine->map = (struct kernel_map){
		.type = BPF_MAP_TYPE_HASH,
		.key_size = sizeof(struct nic_drop_key),
		.value_size = sizeof(struct nic_drop_hits),
		.max_entries = max_entries,
		.ifindex = (uint32_t)ifindex,
	};
	machine->open_fds++;
	return MAP_FD;
}

static int new_program(void *self, int ifindex, const struct key_variant *variant, int map_fd,
		       char why[KERNEL_WHY_SIZE])
{
	struct machine *machine = self;

	machine->programs++;
	cr_assert_eq(map_fd, MAP_FD);
	if (machine->gone || ifindex != machine->ifindex)
		return -ENODEV;
	if (machine->program_fault && (variant->counts || !machine->only_counting)) {
		snprintf(why, KERNEL_WHY_SIZE, "atomics are not supported");
		return machine->program_fault;
	}
	machine->program = (struct kernel_program){ .n_maps = 1, .map_id = 3 };
	key_program_name(variant, machine->program.name);
	machine->open_fds++;
	return PROGRAM_FD;
}

static int attach(void *self, int ifindex, int program_fd)
{
	struct machine *machine = self;
	struct key_variant variant;

	cr_assert_eq(program_fd, PROGRAM_FD);
	if (machine->gone || ifindex != machine->ifindex)
		return -ENODEV;
	cr_assert(key_variant_of(machine->program.name, &variant));
	if (machine->attach_fault && (variant.counts || !machine->only_counting))
		return machine->attach_fault;
	if (machine->program_id)
		return -EBUSY;
	machine->program_id = OUR_ID;
	return 0;
}

static int detach(void *self, int ifindex, int program_fd)
{
	struct machine *machine = self;

	cr_assert_eq(program_fd, PROGRAM_FD);
	if (machine->detach_fault)
		return machine->detach_fault;
	if (machine->gone || ifindex != machine->ifindex)
		return -ENODEV;
	machine->program_id = 0;
	return 0;
}

static struct entry *find(struct machine *machine, const struct nic_drop_key *key)
{
	for (uint32_t i = 0; i < ENTRIES; i++)
		if (machine->entries[i].used &&
		    memcmp(&machine->entries[i].key, key, sizeof(*key)) == 0)
			return &machine->entries[i];
	return NULL;
}

static int fault_of(const struct machine *machine, int map_fd)
{
	cr_assert_eq(map_fd, MAP_FD);
	return machine->gone ? -ENODEV : machine->entry_fault;
}

static uint32_t held(const struct machine *machine)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ENTRIES; i++)
		n += machine->entries[i].used;
	return n;
}

static int update(void *self, int map_fd, const struct nic_drop_key *key)
{
	struct machine *machine = self;
	int rc = fault_of(machine, map_fd);

	if (rc || find(machine, key))
		return rc ? rc : -EEXIST;
	if (held(machine) >= machine->map.max_entries || held(machine) >= machine->size)
		return machine->full ? machine->full : -E2BIG;
	for (uint32_t i = 0; i < ENTRIES; i++)
		if (!machine->entries[i].used) {
			machine->entries[i] = (struct entry){ .used = true, .key = *key };
			return 0;
		}
	return -E2BIG;
}

static int del(void *self, int map_fd, const struct nic_drop_key *key)
{
	struct machine *machine = self;
	struct entry *entry = find(machine, key);
	int rc = fault_of(machine, map_fd);

	if (rc || !entry)
		return rc ? rc : -ENOENT;
	entry->used = machine->loops; /* It says yes and does nothing. */
	return 0;
}

static int lookup(void *self, int map_fd, const struct nic_drop_key *key,
		  struct nic_drop_hits *hits)
{
	const struct entry *entry = find(self, key);
	int rc = fault_of(self, map_fd);

	if (rc || !entry)
		return rc ? rc : -ENOENT;
	*hits = entry->hits;
	return 0;
}

static int next_key(void *self, int map_fd, const struct nic_drop_key *key,
		    struct nic_drop_key *next)
{
	struct machine *machine = self;
	const struct entry *at = key && !machine->loops ? find(machine, key) : NULL;
	int rc = fault_of(machine, map_fd);

	for (uint32_t i = at ? (uint32_t)(at - machine->entries) + 1 : 0; rc == 0 && i < ENTRIES;
	     i++)
		if (machine->entries[i].used) {
			*next = machine->entries[i].key;
			return 0;
		}
	return rc ? rc : -ENOENT;
}

static void close_fd(void *self, int fd)
{
	cr_assert(fd == MAP_FD || fd == PROGRAM_FD, "descriptor %d", fd);
	((struct machine *)self)->open_fds--;
}

static void pause_a_little(void *self)
{
	((struct machine *)self)->pauses++;
}

static const struct kernel_calls calls = {
	.ifindex = ifindex_of,
	.attached = attached,
	.open_program = open_program,
	.open_map = open_map,
	.new_map = new_map,
	.new_program = new_program,
	.attach = attach,
	.detach = detach,
	.update = update,
	.del = del,
	.lookup = lookup,
	.next = next_key,
	.close = close_fd,
	.pause = pause_a_little,
};

#endif /* SLUICE_TESTS_NFP_MACHINE_H */
