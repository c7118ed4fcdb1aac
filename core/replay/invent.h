/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses out of a key: clients of their own for each mix, and fresh sources for each repetition
 * of a spoofed attack.  The same key and name give the same address.  All are global unicast, none
 * is protected, and none is that of a client.
 */
#ifndef SLUICE_REPLAY_INVENT_H
#define SLUICE_REPLAY_INVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct hash_table;

struct invent {
	uint64_t seed;
	const struct sluice_key *protect;
	size_t n_protect;
	const struct hash_table *taken[2]; /* Addresses to stay away from; NULL: none. */
};

/* Whom an address is for: all that makes it another one. */
struct invent_name {
	uint32_t space; /* Such as a file and its set. */
	uint32_t pass;
	struct sluice_key address;
	struct sluice_key peer; /* Of no family where the address alone is the name. */
};

/* Scrambles 64 bits; for seeds of other kinds. */
uint64_t invent_mix(uint64_t value);

/*
 * An address of the family of `name->address`.  False if all attempts hit what must not be hit: the
 * protected prefixes leave no room.
 */
bool invent_address(const struct invent *invent, const struct invent_name *name,
		    struct sluice_key *out);

bool invent_is_protected(const struct invent *invent, const struct sluice_key *address);

#endif /* SLUICE_REPLAY_INVENT_H */
