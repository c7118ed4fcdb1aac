/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether packets are what a crowd of QUIC's users sends.  Its newcomers are alike in port, length
 * and pace, which makes them look like a flood; but for what their first bytes say.
 */
#ifndef SLUICE_ENTROPY_QUIC_H
#define SLUICE_ENTROPY_QUIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "../common/packet.h"

struct quic_count {
	/* UDP packets to its port; those that it may send; newcomers' first ones. */
	uint32_t n, fit, first;
};

/* Counts a packet of UDP to QUIC's port, others not; `head` are its payload's first bytes. */
void quic_count_add(struct quic_count *count, const struct packet *packet, const uint8_t *head,
		    size_t head_size);

/* Nearly all are packets that QUIC may send. */
bool quic_fits(const struct quic_count *count);
/* They are, and newcomers are among them. */
bool quic_is_crowd(const struct quic_count *count);

/* The same of a window's samples, if that is most of its UDP. */
bool quic_window_is_crowd(const struct sluice_window *window);

#endif /* SLUICE_ENTROPY_QUIC_H */
