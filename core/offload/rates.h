/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast each blocked source is, from counts of many windows: one window's count of a slow source
 * is mostly chance, and a table filled by chance is a poor one.
 *
 * A rate is a mean over the windows since it last changed.  A count that chance does not explain
 * is a change: upwards it is believed at once, downwards in a few windows, so that a source that
 * pauses (pulse waves) keeps its rank for a moment.  With the mean goes how sure it is; a source
 * outside the table is ranked by what it sends at least, one in it by what it may send at most, so
 * that chance alone swaps nobody.
 */
#ifndef SLUICE_OFFLOAD_RATES_H
#define SLUICE_OFFLOAD_RATES_H

#include <stdint.h>

#include <sluice/key.h>

enum {
	RATES_HANDLES_MAX = 1u << 23, /* Higher handles have no memory; bounds ours. */
	RATES_WINDOWS_MAX = 64,	      /* Windows in a mean, so that slow drift is followed. */
};

/* What is remembered of one source.  All zero: nothing. */
struct rate {
	double pps;	   /* The mean. */
	uint64_t round;	   /* When it was last observed. */
	uint64_t since_ns; /* It left the card then: software sees it since; 0 = long ago. */
	uint32_t tag;	   /* Of the key: handles are given to others. */
	float windows;	   /* Behind the mean; 0 = never observed. */
};

/* By handle.  All zero is an empty one. */
struct rate_book {
	struct rate *rates;
	uint32_t capacity;
};

/*
 * The memory of the source that has this handle now, cleared if it was another's.  NULL for a
 * handle beyond RATES_HANDLES_MAX or without memory: such a source is judged by one window.
 * Valid until the next call.
 */
struct rate *rate_book_get(struct rate_book *book, uint32_t handle, const struct sluice_key *key);
void rate_book_fini(struct rate_book *book);

/* All that the source sent in `length_ns`, as of `round`, which grows. */
void rate_observe(struct rate *rate, uint64_t packets, uint64_t length_ns, uint64_t round);

/*
 * Packets per thousand seconds, so that slow sources can be told apart, and above 0 if the source
 * was ever seen to send: what it sends at least, and at most, by one standard error.
 */
uint64_t rate_at_least(const struct rate *rate);
uint64_t rate_at_most(const struct rate *rate);

#endif /* SLUICE_OFFLOAD_RATES_H */
