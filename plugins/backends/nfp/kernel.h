/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel calls of BPF offload that this back end makes, as a table, so that the tests can put a
 * kernel and a card of their own behind it.
 */
#ifndef SLUICE_BACKENDS_NFP_KERNEL_H
#define SLUICE_BACKENDS_NFP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "key.h"

#define KERNEL_WHY_SIZE 96

/* What the kernel says of a program that is attached. */
struct kernel_program {
	char name[KEY_NAME_SIZE];
	uint32_t n_maps;
	uint32_t map_id; /* Of the first map. */
};

/* And of a map. */
struct kernel_map {
	uint32_t type, key_size, value_size, max_entries, flags;
	uint32_t ifindex; /* 0: not on a card. */
};

/*
 * Each returns 0 or what its comment says, or a negative errno.  `self` comes first.  File
 * descriptors are the caller's, to be given back by close().
 */
struct kernel_calls {
	/* The interface's number, positive; -ENODEV. */
	int (*ifindex)(void *self, const char *ifname);
	/* The number of the program in the card's XDP hook; 0: none. */
	int (*attached)(void *self, int ifindex, uint32_t *id);
	/* A descriptor of an object by its number, and what it is. */
	int (*open_program)(void *self, uint32_t id, struct kernel_program *program);
	int (*open_map)(void *self, uint32_t id, struct kernel_map *map);
	/* A descriptor of a new hash map on the card; `typed` describes its entries by BTF. */
	int (*new_map)(void *self, int ifindex, uint32_t max_entries, bool typed);
	/* A descriptor of a new program on the card; on failure `why` gets the driver's own words. */
	int (*new_program)(void *self, int ifindex, const struct key_variant *variant, int map_fd,
			   char why[KERNEL_WHY_SIZE]);
	/* Puts it into the card's hook if that is empty, and takes just this one out. */
	int (*attach)(void *self, int ifindex, int program_fd);
	int (*detach)(void *self, int ifindex, int program_fd);
	/* Map entries; update() of one that is there says -EEXIST. */
	int (*update)(void *self, int map_fd, const struct nic_drop_key *key);
	int (*del)(void *self, int map_fd, const struct nic_drop_key *key);
	int (*lookup)(void *self, int map_fd, const struct nic_drop_key *key,
		      struct nic_drop_hits *hits);
	/* The entry after `key`, or the first one for NULL or a key that is gone; -ENOENT: none. */
	int (*next)(void *self, int map_fd, const struct nic_drop_key *key,
		    struct nic_drop_key *next);
	void (*close)(void *self, int fd);
	/* Waits a little; see card.c. */
	void (*pause)(void *self);
};

#define KERNEL_PAUSE_MS 10u

/* The real ones; they need no `self`. */
extern const struct kernel_calls kernel_calls;

#endif /* SLUICE_BACKENDS_NFP_KERNEL_H */
