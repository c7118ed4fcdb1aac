/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of an open card; shared by card.c, which uses it, and card_make.c, which comes by it.
 */
#ifndef SLUICE_BACKENDS_NFP_CARD_STATE_H
#define SLUICE_BACKENDS_NFP_CARD_STATE_H

#include <net/if.h>

#include "card.h"

struct card {
	struct card_options options;
	const struct kernel_calls *calls;
	void *self; /* Of the calls. */
	char ifname[IFNAMSIZ];
	int ifindex;
	int program_fd, map_fd; /* -1: the card is gone, and its return was not noticed yet. */
	uint32_t program_id;
	struct key_variant variant;
	uint32_t capacity;
	bool adopted;
	bool settled; /* What the card can do was told, and is not to change any more. */
};

/*
 * Takes over what program `id` leads to.  1: done; 0: it was of ours but of no use, and is gone.
 * -EBUSY: a program of somebody else.
 */
int card_adopt(struct card *card, uint32_t id, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Makes a map and a program on the card and starts it. */
int card_make(struct card *card, struct sluice_err *err) __attribute__((warn_unused_result));

/* Starts the program that we hold. */
int card_start(struct card *card, struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_BACKENDS_NFP_CARD_STATE_H */
