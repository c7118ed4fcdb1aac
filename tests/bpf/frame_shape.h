/* SPDX-License-Identifier: BSD-2-Clause */
/* What is odd about a frame, so that a generator of random ones can be held to reach all of it. */
#ifndef SLUICE_TESTS_BPF_FRAME_SHAPE_H
#define SLUICE_TESTS_BPF_FRAME_SHAPE_H

#include <stdint.h>

enum frame_shape {
	FRAME_SHAPE_ONE_TAG,
	FRAME_SHAPE_TWO_TAGS,
	FRAME_SHAPE_MORE_TAGS,
	FRAME_SHAPE_TAG_CUT,
	FRAME_SHAPE_802_3, /* A length where others have an ethertype. */
	FRAME_SHAPE_JUMBO, /* More than fits a first buffer of a page. */
	FRAME_SHAPE_IP_CUT,
	FRAME_SHAPE_OTHER_VERSION,
	FRAME_SHAPE_V4_OPTIONS,
	FRAME_SHAPE_V4_SHORT_IHL,    /* Fewer than five words. */
	FRAME_SHAPE_V4_LONG_IHL,     /* Beyond the total length. */
	FRAME_SHAPE_V4_SHORT_LENGTH, /* Less than 20 bytes in total. */
	FRAME_SHAPE_V4_LONG_LENGTH,  /* More than the frame has. */
	FRAME_SHAPE_V4_PADDED,
	FRAME_SHAPE_V4_FIRST,
	FRAME_SHAPE_V4_LATER,
	FRAME_SHAPE_V6_LONG_LENGTH,
	FRAME_SHAPE_V6_NO_LENGTH,
	FRAME_SHAPE_V6_NO_LENGTH_HOP_BY_HOP,
	FRAME_SHAPE_V6_PADDED,
	FRAME_SHAPE_V6_FRAGMENT,
	FRAME_SHAPE_V6_CHAIN_OF_6,
	FRAME_SHAPE_V6_CHAIN_OF_7,
	FRAME_SHAPE_V6_MAPPED, /* The source is an IPv4 address in disguise. */
	FRAME_N_SHAPES,
};

const char *frame_shape_name(enum frame_shape shape);

/* Bit i: the frame is of shape i.  It has at least 14 bytes. */
uint32_t frame_shapes(const uint8_t *frame, uint32_t size);

#endif /* SLUICE_TESTS_BPF_FRAME_SHAPE_H */
