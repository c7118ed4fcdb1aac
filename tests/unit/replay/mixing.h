/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mix played to its end, with copies of all of its packets.
 */
#ifndef SLUICE_TESTS_UNIT_REPLAY_MIXING_H
#define SLUICE_TESTS_UNIT_REPLAY_MIXING_H

#include "frames.h"
#include "replay/mix.h"

#define MS 1000000ull
#define SECOND 1000000000ull

struct heard {
	struct mix_packet packet; /* Its data is a copy. */
};

struct play {
	struct mix *mix;
	const struct mix_info *info;
	struct heard *heard;
	size_t n, room;
};

/* Options for short times: attack at 2 s for 1 s, 2 s after it, no phase, seed 1. */
void play_options(struct mix_options *options);
void play_open(struct play *play, const struct mix_options *options);
/* `labels` is YAML or NULL. */
void play_add(struct play *play, enum mix_set set, const struct film *film, const char *labels);
/* Plays it all; fails the test if it cannot start. */
void play_run(struct play *play);
void play_close(struct play *play);

/* A benign talk of `protocol` TCP: SYN, SYN-ACK, ACK and two more packets, 10 ms apart. */
void film_talk(struct film *film, uint32_t milliseconds, const char *client, const char *server,
	       uint16_t client_port, uint16_t server_port);
/* How many packets a class and a direction have. */
size_t play_count(const struct play *play, enum mix_class label, enum mix_direction direction);

#endif /* SLUICE_TESTS_UNIT_REPLAY_MIXING_H */
