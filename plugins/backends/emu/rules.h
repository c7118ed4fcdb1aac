/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the table of a card that was opened for writing.  One writer at a time.
 */
#ifndef SLUICE_BACKENDS_EMU_RULES_H
#define SLUICE_BACKENDS_EMU_RULES_H

#include "card.h"

/*
 * Takes over what is in the table: mends what a writer left that was killed, and counts the rules.
 * To be called before any of the others.
 */
int rules_adopt(struct card *card, struct sluice_err *err) __attribute__((warn_unused_result));

/* 0, -EEXIST, -ENOSPC, or what the kernel said. */
int rules_add(struct card *card, const struct emu_card_key *key)
	__attribute__((warn_unused_result));

/* 0, -ENOENT, or what the kernel said. */
int rules_del(struct card *card, const struct emu_card_key *key)
	__attribute__((warn_unused_result));

#endif /* SLUICE_BACKENDS_EMU_RULES_H */
