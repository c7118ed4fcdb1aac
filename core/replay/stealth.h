/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A variant of an attack: its TCP SYNs look as an ordinary client sends them, with the usual options
 * and the length that follows from them.  What no honest rule without state can tell apart.
 */
#ifndef SLUICE_REPLAY_STEALTH_H
#define SLUICE_REPLAY_STEALTH_H

#include <stdbool.h>
#include <stddef.h>

struct capture;

/*
 * Changes the packets that `is_attack` says yes to and that are a SYN without ACK, whole up to the TCP
 * header: checksums are right afterwards, what they carried is gone.  0, or -ENOMEM with nothing
 * changed.
 */
int stealth_dress(struct capture *capture, bool (*is_attack)(void *ctx, size_t packet), void *ctx)
	__attribute__((warn_unused_result));

#endif /* SLUICE_REPLAY_STEALTH_H */
