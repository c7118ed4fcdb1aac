/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of sluice-emu-card.
 */
#ifndef SLUICE_BACKENDS_EMU_CARD_TOOL_H
#define SLUICE_BACKENDS_EMU_CARD_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

struct card_tool_create {
	const char *folder;
	const char *interface; /* NULL: no tc filter. */
	uint32_t capacity;
	uint32_t v6_prefix_len;
	bool counters;
};

/* Loads the programs and pins them and their maps; on failure nothing is left behind. */
int card_create(const struct card_tool_create *options, struct sluice_err *err)
	__attribute__((warn_unused_result));

/*
 * Takes the card's filter off its interface and removes all its pins, of a damaged card too.
 * `note` (which may hold the empty string) says what had to be left.
 */
int card_destroy(const char *folder, char *note, size_t note_size, struct sluice_err *err)
	__attribute__((warn_unused_result));

int card_show(const char *folder, bool json, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* 0 if `folder` lies in a BPF file system, else a negative errno with the next step. */
int card_pins_check(const char *folder, struct sluice_err *err) __attribute__((warn_unused_result));
/* Removes the card's pins, and the folder if it is then empty. */
int card_pins_remove(const char *folder, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Where the tc filter sits; the same for creating and destroying it. */
#define CARD_TC_HANDLE 1
#define CARD_TC_PRIORITY 1000

#endif /* SLUICE_BACKENDS_EMU_CARD_TOOL_H */
