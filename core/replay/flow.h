/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flows of one capture, and which end of each is the server.
 *
 * First all packets are shown (flow_table_see()), then flow_table_find() tells.  The responder is
 * whoever was sent a SYN, or an echo request; else who sent a SYN-ACK; else who has the well-known
 * port, if the other has none; else the port that more flows of this capture share; else the one
 * below the ephemeral ports; else who did not send the first packet.
 */
#ifndef SLUICE_REPLAY_FLOW_H
#define SLUICE_REPLAY_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct packet_view;
struct flow_table;

/* Of the packet asked for. */
enum flow_direction {
	FLOW_UNKNOWN,	/* Never seen, or no IP. */
	FLOW_TO_SERVER, /* The source is the client. */
	FLOW_TO_CLIENT,
};

/* `seed` keys the hash, so that a capture cannot aim at one bucket.  0 or -ENOMEM. */
int flow_table_new(uint64_t seed, struct flow_table **out) __attribute__((warn_unused_result));
void flow_table_free(struct flow_table *table);

/* 0 or -ENOMEM. */
int flow_table_see(struct flow_table *table, const uint8_t *frame, const struct packet_view *view)
	__attribute__((warn_unused_result));
enum flow_direction flow_table_find(const struct flow_table *table, const uint8_t *frame,
				    const struct packet_view *view);

#endif /* SLUICE_REPLAY_FLOW_H */
