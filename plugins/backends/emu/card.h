/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An emulated card that is pinned in a folder, as its users see it: the back end and the show and
 * destroy commands of sluice-emu-card.  What is pinned is not trusted: type and sizes of every map
 * are checked before use.
 */
#ifndef SLUICE_BACKENDS_EMU_CARD_H
#define SLUICE_BACKENDS_EMU_CARD_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include <sluice/plugin.h>

#include "buckets.h"
#include "emu_card.h"

/* Names under the card's folder. */
#define CARD_PIN_CARD "card"	   /* The description, struct emu_card_info. */
#define CARD_PIN_BUCKETS "buckets" /* IPv4 rules. */
#define CARD_PIN_HASH "hash"	   /* IPv6 rules, and IPv4 rules whose bucket is full. */
#define CARD_PIN_TOTALS "totals"   /* What the card dropped, per CPU. */
#define CARD_PIN_XDP "xdp"	   /* For an interface's own XDP hook. */
#define CARD_PIN_EGRESS "egress"   /* For the entry of a device map. */
#define CARD_PIN_TC "tc"	   /* For clsact egress. */

struct card {
	char path[PATH_MAX];
	struct emu_card_info info;
	struct buckets buckets;		   /* Mapped; to read only, unless opened for writing. */
	const struct emu_card_cpu *totals; /* Mapped. */
	uint32_t n_cpus;
	int hash_fd;
	ino_t inode;	/* Tells a card that was made anew from the one we opened. */
	size_t n_rules; /* Of both families; only the writer counts them, see rules.h. */
};

enum card_access { CARD_READ, CARD_WRITE };

/* A rule and its hits. */
struct card_rule {
	struct emu_card_key key;
	struct emu_card_hits hits;
};

/* 0, or a negative errno with the reason and the next step in `err`; then nothing is open. */
int card_open(const char *path, enum card_access access, struct card *card, struct sluice_err *err)
	__attribute__((warn_unused_result));
void card_close(struct card *card);

/* 0, or -ENODEV if the card was destroyed since, or replaced by another. */
int card_check(const struct card *card, struct sluice_err *err) __attribute__((warn_unused_result));

/* Reads the whole table; the caller frees `*rules`.  Also the empty one is allocated. */
int card_rules(const struct card *card, struct card_rule **rules, size_t *n, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* The same of the hash alone. */
int card_hash_rules(const struct card *card, struct card_rule **rules, size_t *n)
	__attribute__((warn_unused_result));

/* What the card dropped since it was made, by all rules, those deleted since included. */
void card_totals(const struct card *card, struct emu_card_hits *totals);

#endif /* SLUICE_BACKENDS_EMU_CARD_H */
