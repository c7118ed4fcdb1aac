/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames for the signature detector's tests, as samples show them. */
#ifndef SLUICE_TESTS_DETECTORS_SIGNATURE_FRAMES_H
#define SLUICE_TESTS_DETECTORS_SIGNATURE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

/* What a frame is to be; members that a protocol does not have are ignored. */
struct frame {
	bool v6;
	unsigned int tags; /* VLAN, up to 2. */
	uint8_t protocol, ttl, tcp_flags;
	uint16_t source_port, destination_port;
	uint32_t source; /* The number of the sender. */
	bool first_fragment, later_fragment;
	uint8_t tcp_options; /* Bytes, a multiple of 4. */
	const void *payload;
	size_t payload_size;
};

void frame_sample(const struct frame *frame, struct sluice_sample *sample);

#endif /* SLUICE_TESTS_DETECTORS_SIGNATURE_FRAMES_H */
