/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel answers, parsed without a socket.  Nothing in it is trusted: whatever the bytes
 * are, no more than `size` of them is read.
 */
#ifndef SLUICE_BACKENDS_FLOWER_REPLY_H
#define SLUICE_BACKENDS_FLOWER_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "request.h"

enum reply_kind {
	REPLY_OTHER,   /* Nothing for us. */
	REPLY_ACK,     /* Done, or refused: `error`, `text`. */
	REPLY_RULE,    /* A rule of ours: `key`, `handle` and what follows. */
	REPLY_FOREIGN, /* Somebody else's rule at one of our priorities: `handle`. */
	REPLY_AWAY,    /* Any other filter of the interface. */
	REPLY_DONE,    /* The end of a dump: `error`. */
};

struct reply {
	enum reply_kind kind;
	uint32_t seq;
	bool interrupted; /* The table changed during the dump, which is not whole. */
	int error;	  /* 0 or a negative errno. */
	char text[128];	  /* The kernel's reason in words; may be empty. */
	struct sluice_key key;
	uint32_t handle;
	bool in_hw;
	bool own_hook;		 /* Who made the rule had made the hook. */
	uint64_t packets, bytes; /* The card's in hardware mode, else the kernel's. */
	uint64_t idle_ns;	 /* Since they last moved, or the rule was made. */
};

/*
 * Reads the message at the front of `data` and says by `*used` where the next one begins; false:
 * `data` holds no whole message, and the rest of it means nothing.
 */
bool reply_next(const struct flower_place *place, const void *data, size_t size,
		struct reply *reply, size_t *used);

#endif /* SLUICE_BACKENDS_FLOWER_REPLY_H */
