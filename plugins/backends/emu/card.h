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

#include "nic_drop.h"

/* Names under the card's folder. */
#define CARD_PIN_CARD "card"	 /* The description, struct nic_card. */
#define CARD_PIN_RULES "rules"	 /* The table. */
#define CARD_PIN_TOTALS "totals" /* What the card dropped, per CPU. */
#define CARD_PIN_XDP "xdp"	 /* For an interface's own XDP hook. */
#define CARD_PIN_EGRESS "egress" /* For the entry of a device map. */
#define CARD_PIN_TC "tc"	 /* For clsact egress. */

struct card {
	char path[PATH_MAX];
	struct nic_card info;
	int rules_fd, totals_fd;
	ino_t rules_inode; /* Tells a card that was made anew from the one we opened. */
};

/* A rule and its hits. */
struct card_rule {
	struct nic_key key;
	struct nic_hits hits;
};

/* 0, or a negative errno with the reason and the next step in `err`; then nothing is open. */
int card_open(const char *path, struct card *card, struct sluice_err *err)
	__attribute__((warn_unused_result));
void card_close(struct card *card);

/* 0, or -ENODEV if the card was destroyed since, or replaced by another. */
int card_check(const struct card *card, struct sluice_err *err) __attribute__((warn_unused_result));

/* Reads the whole table in batches; the caller frees `*rules`.  Also the empty one is allocated. */
int card_rules(const struct card *card, struct card_rule **rules, size_t *n, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* What the card dropped since it was made, by all rules, those deleted since included. */
int card_totals(const struct card *card, struct nic_hits *totals, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* printf() into an error; NULL is a no-op.  Who shows it appends the errno's name. */
void card_err(struct sluice_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* SLUICE_BACKENDS_EMU_CARD_H */
