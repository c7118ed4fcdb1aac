/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The card: our program in its XDP hook, beside a native one of the host, and our rules in a map in
 * its memory.  Both outlive whoever put them there; nothing is pinned, since the hook itself leads to
 * the program and the program to its map.
 */
#ifndef SLUICE_BACKENDS_NFP_CARD_H
#define SLUICE_BACKENDS_NFP_CARD_H

#include <sluice/backend.h>

#include "kernel.h"

#define CARD_CAPACITY_MOST 1048576u
/* Each window reads all rules by two calls a rule, so more are only taken when asked for. */
#define CARD_CAPACITY_DEFAULT 65536u

struct card_options {
	uint32_t capacity;	   /* 0: as many as the card takes, up to the default. */
	struct key_variant wanted; /* Counters only if the card can. */
	const struct kernel_calls *calls;
	void *self; /* Of the calls. */
};

struct card;

/*
 * Takes over what a program of ours holds there, or puts a new one in.  On failure nothing is left
 * behind, and `err` says why.
 */
int card_open(const struct card_options *options, const char *ifname, struct card **card,
	      struct sluice_err *err) __attribute__((warn_unused_result));
/* Leaves the rules, and takes the program off a card that has none.  NULL is a no-op. */
void card_close(struct card *card);

uint32_t card_capacity(const struct card *card);
bool card_counts(const struct card *card);
/* The program on the card was there before. */
bool card_adopted(const struct card *card);

/* As the contract of back ends says for one rule; -ENODEV: the card is gone. */
int card_add(struct card *card, const struct sluice_key *key) __attribute__((warn_unused_result));
int card_del(struct card *card, const struct sluice_key *key) __attribute__((warn_unused_result));

/* The counters of all rules, at most `n`.  -ESTALE: our program is not on the card. */
int card_read(struct card *card, struct sluice_backend_counter *counters, size_t n, size_t *count,
	      struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * All rules, at most `n`, of the card where it is now.  1: our program was taken over or put there
 * anew, on a card that came back; 0: it never left.
 */
int card_list(struct card *card, struct sluice_backend_rule *rules, size_t n, size_t *count,
	      struct sluice_err *err) __attribute__((warn_unused_result));

/* Removes all rules. */
int card_flush(struct card *card, struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_BACKENDS_NFP_CARD_H */
