/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the features per flow and per destination should count of a frame, in plain C, from their
 * description in <sluice/detector.h>: what the BPF programs are compared with.
 */
#ifndef SLUICE_TESTS_BPF_FEATURE_MODEL_H
#define SLUICE_TESTS_BPF_FEATURE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "frame.h"

#define FEATURE_MODEL_MAX 4096

struct feature_model {
	const uint8_t *port_bins; /* As the window gives them. */
	struct sluice_flow flows[FEATURE_MODEL_MAX];
	struct sluice_destination destinations[FEATURE_MODEL_MAX];
	uint32_t n_flows, n_destinations;
	uint64_t packets, bytes;
};

/* Where the transport header begins; 0 if none follows. */
uint32_t feature_model_transport(const struct frame *frame, uint8_t *protocol, bool *fragment);

/* `n` packets of this frame, IPv6 sources in units of /64. */
void feature_model_add(struct feature_model *model, const struct frame *frame, uint32_t n);

#endif /* SLUICE_TESTS_BPF_FEATURE_MODEL_H */
