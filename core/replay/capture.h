/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One capture file in memory: pcap or pcapng, read whole, as Ethernet frames on a clock that starts
 * at 0 and never runs backwards.  Every byte of the file is untrusted.
 *
 * Link types other than Ethernet (raw IP, Linux "cooked" 1 and 2, null and loop) get an Ethernet
 * header of our own.  Memory: the captured bytes and 24 bytes a packet, each at most doubled while
 * they grow, bounded by `max_bytes`.
 */
#ifndef SLUICE_REPLAY_CAPTURE_H
#define SLUICE_REPLAY_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sluice_err;

#define CAPTURE_MAX_GAP_NS 5000000000ull /* The default for `max_gap_ns`. */
#define CAPTURE_CUT_GAP_NS 1000000000ull /* What a longer gap becomes, if the limit is not less. */
#define CAPTURE_MAX_BYTES (1ull << 30)	 /* The default for `max_bytes`. */
#define CAPTURE_RUNT_SIZE 14		 /* Shorter frames are runts: no Ethernet header. */
#define CAPTURE_WARNING_SIZE 384

struct capture_options {
	uint64_t max_gap_ns; /* 0: CAPTURE_MAX_GAP_NS. */
	uint64_t max_bytes;  /* Of packets and their index; 0: CAPTURE_MAX_BYTES. */
};

struct capture_packet {
	uint64_t time_ns;   /* Since the first packet, by the clock rule. */
	uint64_t offset;    /* In the capture's data. */
	uint32_t size;	    /* Bytes captured, with the Ethernet header. */
	uint32_t wire_size; /* Bytes the packet had; never below `size`. */
};

struct capture {
	char *path;
	uint8_t *data;
	struct capture_packet *packets;
	size_t n_packets;
	uint64_t data_size;
	uint64_t gaps_cut;   /* Gaps over the limit, each now one second. */
	uint64_t steps_back; /* Stamps before that of the packet in front, each now no gap. */
	uint64_t runts;	     /* Frames under 14 bytes; they stay among the packets. */
	bool truncated;	     /* The file ended, or broke, within packet n_packets + 1. */
	char warning[CAPTURE_WARNING_SIZE]; /* What to tell the user; empty if all was read. */
};

/*
 * Reads `path`.  `options` may be NULL.  A file that breaks off is used up to there and `warning`
 * names the packet.  0; -EINVAL no capture, or a link type that is not understood; -EFBIG over
 * `max_bytes`; -ENOMEM; or what open() says.  On failure `*out` is untouched.
 */
int capture_load(const char *path, const struct capture_options *options, struct capture **out,
		 struct sluice_err *err) __attribute__((warn_unused_result));
/* The same from a stream, which is closed in any case; `path` is what messages call it. */
int capture_load_stream(FILE *stream, const char *path, const struct capture_options *options,
			struct capture **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
void capture_free(struct capture *capture);

/* Memory held, for reports. */
uint64_t capture_memory(const struct capture *capture);

#endif /* SLUICE_REPLAY_CAPTURE_H */
