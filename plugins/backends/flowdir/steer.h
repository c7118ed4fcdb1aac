/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A card's table by locations: which are ours, which somebody else's.  Asks the driver through one
 * function, for which the tests put a driver of their own.
 */
#ifndef SLUICE_BACKENDS_FLOWDIR_STEER_H
#define SLUICE_BACKENDS_FLOWDIR_STEER_H

#include "rule.h"

#define STEER_MAX 65536u /* More locations than this are not believed. */

/*
 * One ioctl: 0, or a negative errno.  `nfc` is followed by room for `n_locations` locations, which
 * is also in its `rule_cnt`.
 */
typedef int steer_ask(void *context, struct ethtool_rxnfc *nfc, size_t n_locations);

struct steer_options {
	struct rule_shape shape;
	uint32_t capacity;    /* Of ours; 0: unknown. */
	uint32_t n_locations; /* Where the driver gives no number; 0: unknown. */
	uint32_t first_location;
	bool driver_chooses;
	bool adopt; /* What looks like ours, is. */
};

struct steer;

/* -ENOMEM.  Reads nothing: steer_list() does. */
int steer_new(const struct steer_options *options, steer_ask *ask, void *context,
	      struct steer **steer) __attribute__((warn_unused_result));
void steer_free(struct steer *steer); /* NULL is a no-op. */

/* As the contract of back ends says for one rule. */
int steer_add(struct steer *steer, const struct sluice_key *key)
	__attribute__((warn_unused_result));
int steer_del(struct steer *steer, const struct sluice_key *key)
	__attribute__((warn_unused_result));

/* Reads the card's table; what is in it becomes what is known.  `*count` of our keys, at most `n`. */
int steer_list(struct steer *steer, struct sluice_backend_rule *rules, size_t n, size_t *count)
	__attribute__((warn_unused_result));

/* Deletes all rules of ours; one that will not leave keeps no other in the card. */
int steer_flush(struct steer *steer) __attribute__((warn_unused_result));

/* How many locations there are, for ours and others' rules; 0: nobody knows. */
uint32_t steer_locations(const struct steer *steer);

/* How many rules the last steer_list() saw that look like ours, but are not known to be. */
size_t steer_alike(const struct steer *steer);

#endif /* SLUICE_BACKENDS_FLOWDIR_STEER_H */
