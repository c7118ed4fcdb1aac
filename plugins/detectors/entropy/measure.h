/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass over a window: who sent how much, how evenly, and which of them are strangers.
 */
#ifndef SLUICE_ENTROPY_MEASURE_H
#define SLUICE_ENTROPY_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

struct entropy_params;
struct learned;

/*
 * What a source mostly sends.  Classes are judged apart, so that a UDP flood never costs a TCP
 * client its access.
 */
enum entropy_class {
	ENTROPY_CLASS_SYN,
	ENTROPY_CLASS_UDP,
	ENTROPY_CLASS_ICMP,
	ENTROPY_CLASS_OTHER, /* TCP without SYN, and all other protocols. */
	ENTROPY_CLASS_TALK, /* Mostly TCP after a SYN: as a client does, or somebody who acts like one. */
	ENTROPY_N_CLASSES
};

/* "SYN", "UDP", "ICMP", "ACK and other", "TCP". */
const char *entropy_class_name(enum entropy_class class);

/* Enough of a distribution to give its entropy. */
struct entropy_sum {
	double packets;
	double xlogx; /* Sum of x log2 x over the sources. */
	uint64_t n;
};

/* Shannon entropy in bits: log2(P) - (sum of x log2 x) / P. */
double entropy_sum_bits(const struct entropy_sum *sum);
/* The same over its maximum log2(n): 0 for a single source, 1 when all send the same. */
double entropy_sum_normalised(const struct entropy_sum *sum);

/* Rates on a logarithmic scale, two bins an octave: bin 2k begins at 2^k packets/s. */
#define ENTROPY_N_BINS 128
unsigned int entropy_bin(double pps);
/* The lowest rate in a bin. */
double entropy_bin_pps(unsigned int bin);

/* A stranger over the floor: neither a known client nor at home here in peace. */
struct entropy_suspect {
	uint32_t index; /* In the window's sources. */
	uint8_t class;	/* enum entropy_class */
	uint8_t bin;
};

struct entropy_measure {
	double seconds;		    /* Rates are over this. */
	struct entropy_sum offered; /* Passed and blocked. */
	struct entropy_sum passed;
	struct entropy_sum thin; /* Under the floor, and not known clients. */
	struct entropy_sum suspects[ENTROPY_N_CLASSES];
	double blocked_packets;
	uint64_t n_known;
	bool quic_crowd; /* Nearly all UDP is QUIC's, newcomers' among it. */
	uint64_t bin_n[ENTROPY_N_CLASSES][ENTROPY_N_BINS];
	double bin_packets[ENTROPY_N_CLASSES][ENTROPY_N_BINS];
	struct entropy_suspect *list;
	size_t n_list, list_capacity;
	double xlogx[4096]; /* x log2 x for small x. */
};

/* In place, about 48 KiB. */
void measure_init(struct entropy_measure *measure);
void measure_fini(struct entropy_measure *measure);

/* True if all that is read of a window is there. */
bool measure_window_is_readable(const struct sluice_window *window);

/*
 * Measures a readable window; vouches for its known clients in `learned`.  0, or -ENOMEM / -E2BIG.
 */
int measure_window(struct entropy_measure *measure, const struct entropy_params *params,
		   struct learned *learned, uint32_t now, const struct sluice_window *window)
	__attribute__((warn_unused_result));

#endif /* SLUICE_ENTROPY_MEASURE_H */
