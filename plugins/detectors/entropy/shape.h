/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a window's samples of strangers have in common, where what they send looks ordinary packet by
 * packet: rules for limits, as narrow as can be, so that as little as possible of clients' packets
 * fits.  Pure.
 */
#ifndef SLUICE_ENTROPY_SHAPE_H
#define SLUICE_ENTROPY_SHAPE_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/rule.h>

#include "mine.h"

#define SHAPE_MAX_MATCHES 4

struct shape {
	struct sluice_rule_match match[SHAPE_MAX_MATCHES];
	size_t n;   /* 0: nothing in common. */
	double pps; /* Of the kind, whether it is alike or not. */
};

/* Samples of one window that no rule is there for, and of peace. */
struct shape_input {
	const struct mine_packet *samples;
	size_t n_samples;
	double pps_per_sample;
	const struct mine_packet *peace;
	size_t n_peace;
	uint32_t min_samples; /* Fewer say nothing. */
};

/* Every SYN that is no answer, whatever the samples. */
void shape_of_syn(uint8_t family, struct shape *shape);
/* TCP without a SYN or RST: nearly all with the same flags and length. */
void shape_of_open(const struct shape_input *input, uint8_t family, struct shape *shape);
/* UDP to ports all over the place, where peace had few: the ranges between those. */
void shape_of_scattered(const struct shape_input *input, uint8_t family, struct shape *shape);

#endif /* SLUICE_ENTROPY_SHAPE_H */
