/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made-up traffic for detector tests: senders with a rate and a kind, and the windows that a host
 * would show of them.  All randomness comes from a seed, so that a failure can be repeated.
 */
#ifndef SLUICE_TESTS_DETECTORS_TRAFFIC_H
#define SLUICE_TESTS_DETECTORS_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

enum traffic_kind {
	TRAFFIC_UDP,
	TRAFFIC_SYN,
	TRAFFIC_ICMP,
	TRAFFIC_ACK,	/* TCP without a SYN: a connection that is open already. */
	TRAFFIC_CLIENT, /* TCP with one SYN in twenty packets. */
};

struct traffic_sender {
	struct sluice_key key;
	enum traffic_kind kind;
	double pps;
	bool known;
	bool attacker; /* For the test's own count. */
	bool blocked, offloaded;
	uint32_t times_named;
};

struct traffic {
	uint64_t random;
	struct traffic_sender *senders;
	size_t n_senders, capacity;
	struct sluice_source *sources;
	struct sluice_blocked_source *blocked;
	size_t *sender_of; /* Of each of `sources`. */
	uint64_t sequence, now_ns;
};

void traffic_init(struct traffic *traffic, uint64_t seed);
void traffic_fini(struct traffic *traffic);

/* In [0, 1). */
double traffic_uniform(struct traffic *traffic);
/* Normal with this mean and deviation, not below `least`. */
double traffic_normal(struct traffic *traffic, double mean, double deviation, double least);

struct sluice_key traffic_key_v4(uint32_t number);
struct sluice_key traffic_key_v6(uint32_t number);

/* The sender is valid until the next one is added. */
struct traffic_sender *traffic_add(struct traffic *traffic, struct sluice_key key,
				   enum traffic_kind kind, double pps);

/* The next window: what each sender sends in it, to a packet more or less. */
void traffic_window(struct traffic *traffic, uint64_t length_ns, struct sluice_window *window);

#endif /* SLUICE_TESTS_DETECTORS_TRAFFIC_H */
