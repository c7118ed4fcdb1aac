/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a frame as the model of the rules wants it; its own reading, not the filter's. */
#ifndef SLUICE_TESTS_BPF_RULE_PACKET_H
#define SLUICE_TESTS_BPF_RULE_PACKET_H

#include "frame.h"
#include "support/rule_model.h"

/* A frame of frame_build() that is as its headers say.  `packet` points into it. */
void rule_packet_read(const struct frame *frame, struct rule_model_packet *packet);

/* Such a frame at random, with ports, TTL, destination and payload from the model's values. */
void rule_packet_random(struct random *random, struct frame *frame);

#endif /* SLUICE_TESTS_BPF_RULE_PACKET_H */
