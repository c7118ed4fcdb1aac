/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a mix, shared by its own sources only:
 *   mix.c           life cycle and options
 *   mix_benign.c    labels and rewrites benign captures
 *   mix_attack.c    labels and rewrites attack captures
 *   mix_timeline.c  lanes: when each capture plays
 *   mix_next.c      merges the lanes
 */
#ifndef SLUICE_REPLAY_MIX_TREE_H
#define SLUICE_REPLAY_MIX_TREE_H

#include "capture.h"
#include "clients.h"
#include "invent.h"
#include "labels.h"
#include "mix.h"
#include "packet.h"
#include "rewrite.h"

struct hash_table;

/* What is known of one packet, beside struct capture_packet. */
struct mix_mark {
	uint32_t client;
	uint8_t label;	   /* enum mix_class */
	uint8_t direction; /* enum mix_direction */
	uint8_t tcp_flags;
	uint8_t reserved;
};

struct mix_file {
	struct capture *capture;
	const struct labels *labels;
	struct mix_mark *marks;
	enum mix_set set;
	uint32_t index;
	bool respoof;
	uint64_t n_attack;	      /* Packets labelled attack. */
	size_t begin, end;	      /* The packets that play; attack captures may be trimmed. */
	struct sluice_key victims[2]; /* Of an attack capture: IPv4, IPv6. */
};

/* A capture, or one half of it, at its place in time. */
struct mix_lane {
	struct mix_file *file;
	bool (*plays)(const struct mix_mark *mark); /* Which of its packets. */
	uint64_t start_ns, period_ns;		    /* A period of 0: once. */
	uint64_t end_ns;			    /* No packet at or after. */
	uint64_t scale_num, scale_den;		    /* Time in the lane per time in the capture. */
	/* The cursor. */
	size_t at;
	uint32_t pass;
	uint64_t next_ns; /* UINT64_MAX: over. */
};

struct mix {
	struct mix_options options;
	struct sluice_key protect[MIX_MAX_PROTECTED + 2];
	struct mix_file *files;
	size_t n_files, files_room;
	struct clients clients;
	struct hash_table *sources; /* Of attack packets; only while starting. */
	struct invent invent;
	struct mix_lane *lanes;
	size_t n_lanes;
	uint32_t *heap; /* Lanes by their next packet, the earliest first. */
	size_t heap_size;
	struct mix_lane *marked_lanes; /* As they were at the mark; so is the heap. */
	uint32_t *marked_heap;
	size_t marked_heap_size;
	uint8_t *scratch; /* Of the largest frame. */
	struct mix_info info;
	bool started;
};

/* The protected host of that family. */
const struct sluice_key *mix_host(const struct mix *mix, uint8_t family);
/* By the protected prefixes; for role asis. */
enum mix_direction mix_direction_of(const struct mix *mix, const struct sluice_key *source,
				    const struct sluice_key *destination);
/* The client that an unrewritten packet belongs to.  0 or as clients_get(). */
int mix_client_asis(struct mix *mix, const struct sluice_key *source,
		    const struct sluice_key *destination, struct mix_mark *mark)
	__attribute__((warn_unused_result));

int mix_prepare_benign(struct mix *mix, struct mix_file *file) __attribute__((warn_unused_result));
/* Labels, and adds its sources to mix->sources; mix_prepare_attack() comes after. */
int mix_label_attack(struct mix *mix, struct mix_file *file) __attribute__((warn_unused_result));
int mix_prepare_attack(struct mix *mix, struct mix_file *file) __attribute__((warn_unused_result));

/* Makes the lanes and fills mix->info. */
int mix_make_timeline(struct mix *mix, struct sluice_err *err) __attribute__((warn_unused_result));

/* Time of packet `at` in pass `pass` of a lane. */
uint64_t mix_lane_time(const struct mix_lane *lane, size_t at, uint32_t pass);

static inline uint8_t *mix_frame(const struct mix_file *file, size_t packet)
{
	return file->capture->data + file->capture->packets[packet].offset;
}

#endif /* SLUICE_REPLAY_MIX_TREE_H */
