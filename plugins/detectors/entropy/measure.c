/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pass over a window; O(sources), no sorting, one table look-up of x log2 x for each.
 */
#include "measure.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learned.h"
#include "params.h"
#include "quic.h"

/* Rates over less time than this would be made of single packets. */
#define SHORTEST_SECONDS 0.05
/* Fewer packets in one window never make a suspect: a handshake, or a question asked again. */
#define LEAST_PACKETS 4

#define WINDOW_SIZE_1_0 (offsetof(struct sluice_window, blocked_size) + sizeof(size_t))
#define SOURCE_SIZE_1_0 (offsetof(struct sluice_source, flags) + sizeof(uint32_t))
#define BLOCKED_SIZE_1_0 (offsetof(struct sluice_blocked_source, hw_age_ns) + sizeof(uint64_t))

const char *entropy_class_name(enum entropy_class class)
{
	switch (class) {
	case ENTROPY_CLASS_SYN:
		return "SYN";
	case ENTROPY_CLASS_UDP:
		return "UDP";
	case ENTROPY_CLASS_ICMP:
		return "ICMP";
	case ENTROPY_CLASS_TALK:
		return "TCP";
	case ENTROPY_CLASS_OTHER:
	case ENTROPY_N_CLASSES:
		break;
	}
	return "ACK and other";
}

double entropy_sum_bits(const struct entropy_sum *sum)
{
	double bits;

	if (sum->n < 2 || sum->packets <= 0)
		return 0;
	bits = log2(sum->packets) - sum->xlogx / sum->packets;
	return bits > 0 ? bits : 0; /* Rounding. */
}

double entropy_sum_normalised(const struct entropy_sum *sum)
{
	double normalised;

	if (sum->n < 2)
		return 0;
	normalised = entropy_sum_bits(sum) / log2((double)sum->n);
	return normalised < 1 ? normalised : 1;
}

unsigned int entropy_bin(double pps)
{
	uint64_t rate = pps < 9e18 ? (uint64_t)pps : (uint64_t)9e18;
	unsigned int octave;

	if (rate < 1)
		return 0;
	octave = 63u - (unsigned int)__builtin_clzll(rate);
	/* The upper half of an octave begins at the square root of two. */
	return 2 * octave + (pps >= ldexp(M_SQRT2, (int)octave));
}

double entropy_bin_pps(unsigned int bin)
{
	return ldexp(bin % 2 ? M_SQRT2 : 1.0, (int)(bin / 2));
}

void measure_init(struct entropy_measure *measure)
{
	size_t n = sizeof(measure->xlogx) / sizeof(measure->xlogx[0]);

	memset(measure, 0, sizeof(*measure));
	for (size_t x = 2; x < n; x++)
		measure->xlogx[x] = (double)x * log2((double)x);
}

void measure_fini(struct entropy_measure *measure)
{
	free(measure->list);
	measure->list = NULL;
}

bool measure_window_is_readable(const struct sluice_window *window)
{
	if (window->size < WINDOW_SIZE_1_0)
		return false;
	if (window->n_sources > 0 && (!window->sources || window->source_size < SOURCE_SIZE_1_0))
		return false;
	return window->n_blocked == 0 ||
	       (window->blocked && window->blocked_size >= BLOCKED_SIZE_1_0);
}

static double xlogx_of(const struct entropy_measure *measure, uint64_t x)
{
	if (x < sizeof(measure->xlogx) / sizeof(measure->xlogx[0]))
		return measure->xlogx[x];
	return (double)x * log2((double)x);
}

static void sum_add(struct entropy_sum *sum, double packets, double xlogx)
{
	sum->packets += packets;
	sum->xlogx += xlogx;
	sum->n++;
}

static enum entropy_class classify(const struct sluice_source *source)
{
	uint64_t syn = source->tcp_syn, udp = source->udp, icmp = source->icmp;
	uint64_t counted = syn + udp + icmp;
	uint64_t other = source->packets > counted ? source->packets - counted : 0;

	if (other >= syn && other >= udp && other >= icmp)
		return syn > 0 ? ENTROPY_CLASS_TALK : ENTROPY_CLASS_OTHER;
	if (syn >= udp && syn >= icmp)
		return ENTROPY_CLASS_SYN;
	return udp >= icmp ? ENTROPY_CLASS_UDP : ENTROPY_CLASS_ICMP;
}

/* Makes room for every source to be a suspect, so that the pass itself cannot fail. */
static int reserve_list(struct entropy_measure *measure, size_t n)
{
	struct entropy_suspect *list;

	if (n <= measure->list_capacity)
		return 0;
	if (n > UINT32_MAX)
		return -E2BIG;
	list = reallocarray(measure->list, n, sizeof(*list));
	if (!list)
		return -ENOMEM;
	measure->list = list;
	measure->list_capacity = n;
	return 0;
}

static void reset(struct entropy_measure *measure, const struct sluice_window *window)
{
	/* All before the list is results of the last window. */
	memset(measure, 0, offsetof(struct entropy_measure, list));
	measure->n_list = 0;
	measure->seconds = fmax((double)window->length_ns / 1e9, SHORTEST_SECONDS);
}

static void add_suspect(struct entropy_measure *measure, size_t index,
			const struct sluice_source *source, double xlogx)
{
	double packets = (double)source->packets;
	enum entropy_class class = classify(source);
	unsigned int bin = entropy_bin(packets / measure->seconds);

	sum_add(&measure->suspects[class], packets, xlogx);
	measure->bin_n[class][bin]++;
	measure->bin_packets[class][bin] += packets;
	measure->list[measure->n_list++] = (struct entropy_suspect){
		.index = (uint32_t)index,
		.class = (uint8_t) class,
		.bin = (uint8_t)bin,
	};
}

static void measure_sources(struct entropy_measure *measure, const struct entropy_params *params,
			    struct learned *learned, uint32_t now,
			    const struct sluice_window *window)
{
	double floor_packets = fmax(params->source_floor_pps * measure->seconds, LEAST_PACKETS);

	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);
		double packets = (double)source->packets, pps = packets / measure->seconds;
		double xlogx;

		if (source->packets == 0)
			continue;
		xlogx = xlogx_of(measure, source->packets);
		sum_add(&measure->passed, packets, xlogx);
		if (source->flags & SLUICE_SOURCE_KNOWN) {
			measure->n_known++;
			learned_vouch(learned, &source->key, pps, now);
		} else if (packets < floor_packets) {
			sum_add(&measure->thin, packets, xlogx);
		} else if (!learned_accepts(learned, &source->key, pps, params->growth, now)) {
			add_suspect(measure, i, source, xlogx);
		}
	}
	measure->offered = measure->passed;
}

static void measure_blocked(struct entropy_measure *measure, const struct sluice_window *window)
{
	for (size_t i = 0; i < window->n_blocked; i++) {
		const struct sluice_blocked_source *blocked = sluice_window_blocked(window, i);
		uint64_t packets;

		if (__builtin_add_overflow(blocked->packets, blocked->hw_packets, &packets))
			packets = UINT64_MAX;
		if (packets == 0)
			continue;
		measure->blocked_packets += (double)packets;
		sum_add(&measure->offered, (double)packets, xlogx_of(measure, packets));
	}
}

int measure_window(struct entropy_measure *measure, const struct entropy_params *params,
		   struct learned *learned, uint32_t now, const struct sluice_window *window)
{
	int rc = reserve_list(measure, window->n_sources);

	if (rc != 0)
		return rc;
	reset(measure, window);
	measure_sources(measure, params, learned, now, window);
	measure_blocked(measure, window);
	measure->quic_crowd = quic_window_is_crowd(window);
	/* Sources that found no place in the table: there are many, and each sent little. */
	measure->thin.packets += (double)window->untracked_packets;
	return 0;
}
